//! The HTML page in Chromium, as people use it: search, filters, order, keys, both themes, paper, without scripting, and at size.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::stack::stack;
use super::supervisor::say;
use crate::report::fleet::fleet;
use crate::report::hostile::{hostile, said};
use crate::report::html;
use crate::report::sample::{empty, rich};
use crate::report::vast::vast;

/// Set to a directory, pictures of the page are written there: `docs` for those of the documentation.
const PICTURES: &str = "SEAWORTHY_WRITE_SCREENSHOTS";

/// Pages of everything that a report can say, of nothing, of what means harm, and of a large organisation.
fn write_pages(directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    let write = |name: &str, report: &_| std::fs::write(directory.join(format!("{name}.html")), html::text(report)).unwrap();
    write("rich", &rich());
    write("fleet", &fleet());
    write("empty", &empty());
    write("vast", &vast(10_000, 12, 1_000));
    for (at, report) in hostile().enumerate().step_by(5) {
        write(&format!("hostile-{at}"), &report);
    }
    for (name, report) in [("hostile-rich", rich()), ("hostile-fleet", fleet())] {
        write(name, &said(report, &html::MARKUP));
    }
}

/// What the browser saw, a value a page; none where a program is missing, which is a failure where `CI=true`.
fn look() -> Option<Vec<Value>> {
    let servers = &stack().servers;
    for program in ["chromium", "playwright"] {
        if !servers.have(program) {
            say(&format!("skipped: e2e::browser: {program} is missing"));
            return None;
        }
    }
    let pages = stack().run.join("pages");
    write_pages(&pages);
    // The link leads to a file of the package, two below the directory of all packages.
    let package = std::fs::canonicalize(servers.program("playwright").get_program()).unwrap();
    let modules: PathBuf = package.ancestors().nth(3).unwrap().to_owned();
    let mut command = std::process::Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/consumers/browser/look.mjs"));
    command.arg(servers.program("chromium").get_program()).arg(&pages);
    command.env("BROWSER_MODULES", modules).env("HOME", &stack().run).stdin(std::process::Stdio::null());
    if let Some(directory) = std::env::var_os(PICTURES) {
        command.env(PICTURES, Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    }
    let told = servers.output(command);
    Some(told.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn sorted(texts: &Value, down: bool) -> Vec<String> {
    let mut texts: Vec<String> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    texts.sort();
    if down {
        texts.reverse();
    }
    texts
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_page_is_usable_accessible_and_asks_nobody() {
    let Some(seen) = look() else { return };
    let (last, pages) = seen.split_last().unwrap();
    assert_eq!(last, &json!({"asked": [], "noise": []}), "a page asked somebody, failed, or ran a text");
    for page in pages {
        match page["page"].as_str().unwrap() {
            "rich" => used(page),
            "vast.html" if page.get("timing").is_some() => {
                say(&format!("e2e::browser: 10,000 workloads x 12 controls, in ms: {}", page["timing"]));
                assert!(page["count"].as_str().unwrap().ends_with(" of 10,000"), "{page}");
            }
            name if name.starts_with("hostile") => {
                let harmless = json!([0, 3, false, true]);
                assert_eq!(json!([page["images"], page["scripts"], page["ran"], page["text"]]), harmless, "{page}");
            }
            _ if page.get("scripting").is_some() => {
                let (causes, tiles) = (page["causes"].as_u64().unwrap(), page["summary"].as_u64().unwrap());
                assert!((4..=500).contains(&causes) && tiles == 4 && page["search"] == 0 && page["matrix"] == 0, "{page}");
            }
            _ if page.get("paper").is_some() => {
                assert_eq!(page["paper"], "rgb(255, 255, 255)", "paper is white in the dark too");
                assert!(page["search"] == 0 && page["folded"] == 0 && page["opened"].as_u64().unwrap() >= 4, "{page}");
            }
            _ => assert!(page["violations"] == json!([]) && page["wide"] == false, "{page:#}"),
        }
    }
}

/// Search, filters, order, keys, links and themes.
fn used(page: &Value) {
    let all = seaworthy::report::causes::causes(&rich()).len();
    assert_eq!(json!([page["all"], page["cleared"], page["workloads"]]), json!([all, all, rich().workloads.len()]));
    assert_eq!(json!([page["focused"], page["searched"]]), json!(["search", 1]), "{page:#}");
    assert!(page["searchedText"].as_str().unwrap().contains("digest-mismatch"));
    let unknown = page["unknownOnly"].as_array().unwrap();
    assert!(!unknown.is_empty() && unknown.iter().all(|text| text == "unknown"), "{unknown:?}");
    for (way, down) in [("ascending", false), ("descending", true)] {
        assert_eq!(page[way][0], way);
        assert_eq!(page[way][1], json!(sorted(&page[way][1], down)), "{way}");
    }
    assert!(page["opened"] == 1 && page["linked"] == true, "{page:#}");
    assert!(page["command"].as_str().unwrap().contains("cosign sign"), "{page:#}");
    for text in ["Signer", "certificate chain", "the log is not one of the root's", "Looked in"] {
        assert!(page["evidence"].as_str().unwrap().contains(text), "{text}: {}", page["evidence"]);
    }
    assert_ne!(page["light"], page["dark"]);
    assert_eq!(json!([page["lightViolations"], page["darkViolations"]]), json!([[], []]), "{page:#}");
}
