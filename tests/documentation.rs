//! What the documentation says is what the program does.
//!
//! `SEAWORTHY_WRITE_DOCS=1 cargo test documentation` (or `make docs`) writes the generated lists anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use seaworthy::model::{Cause, PolicyStep, Reason, Step};

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Names with their doc comments, as the schema of the list has them.
fn described<T: JsonSchema>(names: impl Iterator<Item = &'static str>) -> String {
    let schema = schemars::schema_for!(T).to_value();
    let members = schema["oneOf"].as_array().unwrap();
    let mut list = String::from("| name | meaning |\n|---|---|\n");
    for name in names {
        let member = members.iter().find(|member| member["const"] == name).unwrap_or_else(|| panic!("{name} has no description"));
        writeln!(list, "| `{name}` | {} |", member["description"].as_str().unwrap().replace('\n', " ")).unwrap();
    }
    list
}

/// Compares the part of a page between its marks with what it should be, or writes it.
fn compare(name: &str, part: &str, wanted: &str) {
    let path = page(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- begin: {part} (make docs) -->\n");
    let end = format!("<!-- end: {part} -->");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{name} has no part {part}"));
    let (kept, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{name}: the part {part} has no end"));
    if std::env::var_os("SEAWORTHY_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert_eq!(kept, wanted, "{name}: the list of {part} is not the program's: make docs");
    }
}

#[test]
fn reasons_and_causes_are_listed() {
    compare("docs/verdicts.md", "reasons", &described::<Reason>(Reason::ALL.iter().map(|reason| reason.name())));
    compare("docs/verdicts.md", "causes", &described::<Cause>(Cause::ALL.iter().map(|cause| cause.name())));
}

/// Names in backquotes that look like a reason or cause must be one.
#[test]
fn the_tables_name_only_what_exists() {
    let text = std::fs::read_to_string(page("docs/verdicts.md")).unwrap();
    let codes = text.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`').skip(1).step_by(2));
    let mut seen = 0;
    for code in codes.filter(|code| !matches!(*code, "running" | "declared" | "finished")) {
        assert!(
            code.parse::<Reason>().is_ok() || code.parse::<Cause>().is_ok(),
            "docs/verdicts.md: {code} is neither a reason nor a cause"
        );
        seen += 1;
    }
    assert!(seen > Reason::ALL.len() + Cause::ALL.len(), "the tables were not found");
}

/// Numbers and order are the program's, and each step says where it comes from and only codes that exist.
#[test]
fn the_steps_of_a_verification_are_numbered_like_the_code() {
    let text = std::fs::read_to_string(page("docs/verification.md")).unwrap();
    let (_, steps) = text.split_once("## The steps").unwrap();
    let (steps, _) = steps.split_once("Which steps must hold").unwrap();
    let rows: Vec<Vec<&str>> =
        steps.lines().filter(|line| line.starts_with("| ")).map(|line| line.split('|').map(str::trim).collect()).collect();
    let rows = rows.get(1..).unwrap();
    let policy = [PolicyStep::Signer, PolicyStep::Extensions, PolicyStep::InForce];
    let ours = Step::ALL.iter().map(|step| (step.number(), step.title()));
    let ours: Vec<_> = ours.chain(policy.iter().map(|step| (step.number(), step.title()))).collect();
    assert_eq!(rows.len(), ours.len());
    for (row, (number, title)) in rows.iter().zip(ours) {
        assert_eq!(row[1], number.to_string(), "{row:?}");
        assert_eq!(row[2], title.trim_end_matches(" (SCT)"), "{row:?}");
        assert!(row[3..6].iter().all(|cell| !cell.is_empty()), "{row:?}");
        for code in row[5].split('`').skip(1).step_by(2) {
            assert!(code.parse::<Reason>().is_ok() || code.parse::<Cause>().is_ok(), "step {number}: {code}");
        }
    }
}

fn markdown(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let hidden = path.file_name().is_some_and(|name| name.to_str().is_some_and(|name| name.starts_with('.') || name == "target"));
        if path.is_dir() && !hidden {
            markdown(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = Vec::new();
    markdown(&page(""), &mut pages);
    let mut checked = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") || file.contains(char::is_whitespace) {
                continue;
            }
            assert!(page.parent().unwrap().join(file).exists(), "{}: {target} leads nowhere", page.display());
            checked += 1;
        }
    }
    assert!(checked > 0);
}
