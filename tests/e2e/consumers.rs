//! What reads the reports says that they are as it wants them: reports of the standing cluster, of manifests, and of everything that a
//! report can say.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use seaworthy::model::Report;
use serde_json::{Value, json};

use super::judged::arguments;
use super::manifests::{Pod, replicated};
use super::standing::{Standing, standing};
use super::supervisor::say;
use crate::report::fleet::fleet;
use crate::report::hostile::hostile;
use crate::report::sample::rich;
use crate::report::{pipelines, sarif};

/// What Microsoft's validator notes and what is so on purpose. None of it is a warning.
const SARIF_NOTES: [(&str, &str); 5] = [
    ("SARIF2002", "messages are texts and no identifiers with arguments: GitHub shows texts alone"),
    ("SARIF2003", "which commit was scanned is known to whoever uploads, not to the scan"),
    ("SARIF2006", "addresses cannot be reached: there is no network here"),
    ("SARIF2010", "there are no lines to show: a cluster has no files, and of a manifest only the position is kept"),
    ("SARIF2011", "the same, for the lines around them"),
];

/// The formats, each with the extension of its files.
const FORMATS: [(&str, &str); 4] = [("sarif", "sarif"), ("junit", "xml"), ("gitlab", "json"), ("github", "txt")];

/// Reports by name, each format in `<name>.<extension>` of the run.
fn reports() -> &'static [PathBuf] {
    static REPORTS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    REPORTS.get_or_init(|| {
        let standing = standing();
        let run = &standing.stack.run;
        let manifests = write_manifests(standing);
        let mut names = Vec::new();
        for (name, words) in [("live", vec!["scan"]), ("manifests", vec!["scan", manifests.as_str()])] {
            let base = run.join(format!("consumed-{name}"));
            let formats: Vec<_> = FORMATS.iter().map(|(format, extension)| format!("{format}={}.{extension}", base.display())).collect();
            let mut words = arguments(standing, &words);
            words.extend(["--no-cache", "--registry-timeout", "1s", "-f", &formats.join(",")].map(str::to_owned));
            let ended = standing.stack.run_seaworthy(&words);
            assert!(base.with_extension("sarif").exists(), "{ended:?}");
            names.push(base);
        }
        let made = [("fleet", fleet()), ("rich", rich())].map(|(name, report)| (name.to_owned(), report));
        let hostile = hostile().enumerate().map(|(at, report)| (format!("hostile-{at}"), report));
        for (name, report) in made.into_iter().chain(hostile) {
            let base = run.join(format!("consumed-{name}"));
            write(&base, &report);
            names.push(base);
        }
        names
    })
}

fn write(base: &Path, report: &Report) {
    for ((_, extension), text) in
        FORMATS.iter().zip([sarif::text(report), pipelines::junit(report), pipelines::gitlab(report), pipelines::github(report)])
    {
        std::fs::write(base.with_extension(extension), text).unwrap();
    }
}

/// Two files, one of them with white space and letters beyond ASCII in its name; paths are relative to the run.
fn write_manifests(standing: &Standing) -> String {
    let registry = &standing.stack.referrers.host;
    let directory = standing.stack.run.join("consumed");
    std::fs::create_dir_all(directory.join("über uns")).unwrap();
    let deployment =
        |name: &str, repository: &str| replicated("Deployment", "shop", name, 1, &Pod::of(&format!("{registry}/{repository}:v1")));
    std::fs::write(directory.join("shop.json"), deployment("shop", "team/unsigned").to_string()).unwrap();
    std::fs::write(directory.join("über uns/web.json"), deployment("web", "team/nowhere").to_string()).unwrap();
    "consumed".to_owned()
}

/// Whether a program is there; if not, the test is skipped by name (which is a failure where `CI=true`).
fn have(program: &str) -> bool {
    let have = standing().stack.servers.have(program);
    if !have {
        say(&format!("skipped: e2e::consumers: {program} is missing"));
    }
    have
}

/// What Microsoft's validator says of some files, by all of its own and GitHub's rules: rule, level, and where and what.
fn validate(name: &str, files: &[PathBuf]) -> Vec<[String; 3]> {
    let output = standing().stack.run.join(format!("{name}.validated"));
    let mut command = standing().stack.servers.program("sarif-multitool");
    command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").arg("validate").args(files).arg("--output").arg(&output);
    command.args(["--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note", "--kind", "Fail;Review;Open;Informational"]);
    command.args(["--log", "ForceOverwrite"]);
    let told = standing().stack.servers.output(command);
    assert!(told.contains(&format!("Done. {} files scanned.", files.len())), "{told}");
    let validated: Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
    let run = &validated["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], true, "{run:#}");
    let said = |result: &Value| {
        // The level that is left out is the rule's own, and that is `warning` where it is left out too.
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        let level = result["level"].as_str().or(rule["defaultConfiguration"]["level"].as_str()).unwrap_or("warning");
        let what = format!("{}: {}", result["locations"][0]["physicalLocation"], result["message"]);
        [result["ruleId"].as_str().unwrap(), level, &what].map(str::to_owned)
    };
    run["results"].as_array().map(|results| results.iter().map(said).collect()).unwrap_or_default()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn microsofts_validator_has_nothing_against_sarif() {
    if !have("sarif-multitool") {
        return;
    }
    let files = |hostile: bool| -> Vec<PathBuf> {
        let of = reports().iter().filter(|base| base.to_string_lossy().contains("hostile") == hostile);
        of.map(|base| base.with_extension("sarif")).collect()
    };
    for [rule, level, text] in validate("meant", &files(false)) {
        assert!(level == "note" && SARIF_NOTES.iter().any(|(known, _)| rule == *known), "{rule} ({level}): {text}");
    }
    // What identifiers and names are like is their authors' business. The validator takes an address that escapes white space beside letters
    // beyond ASCII for a broken one, which RFC 3986 does not.
    for [rule, level, text] in validate("hostile", &files(true)) {
        let misread = rule == "SARIF1002" && text.contains(".helpUri\",\"https://seaworthy.dev/") && text.contains("%F0%9F%98%80");
        assert!(level == "note" || misread, "{rule} ({level}): {text}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn microsofts_validator_asks_what_github_asks() {
    if !have("sarif-multitool") {
        return;
    }
    let whole: Value = serde_json::from_str(&sarif::text(&fleet())).unwrap();
    for (name, pointer) in [
        ("location", "/runs/0/results/0/locations"),
        ("message", "/runs/0/results/0/message/text"),
        ("help", "/runs/0/tool/driver/rules/0/help"),
    ] {
        let mut broken = whole.clone();
        let field = broken.pointer_mut(pointer).unwrap();
        *field = match field {
            Value::Array(_) => Value::Array(Vec::new()),
            Value::String(_) => Value::String(String::new()),
            _ => json!({ "text": "" }),
        };
        let file = standing().stack.run.join(format!("broken-{name}.sarif"));
        std::fs::write(&file, broken.to_string()).unwrap();
        let said = validate(name, &[file]);
        assert!(said.iter().any(|[rule, level, _]| rule.starts_with("GH") && level == "error"), "{name}: {said:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn sarif_of_a_cluster_and_of_manifests_says_where() {
    let uris = |base: &Path| -> Vec<String> {
        let log: Value = serde_json::from_slice(&std::fs::read(base.with_extension("sarif")).unwrap()).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let uri = |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned();
        results.iter().map(uri).collect()
    };
    let [live, manifests, ..] = reports() else { panic!("there are two") };
    let (live, manifests) = (uris(live), uris(manifests));
    assert!(!live.is_empty() && live.iter().all(|uri| uri.starts_with("cluster/") && uri.ends_with(".yaml")), "{live:?}");
    for file in ["consumed/shop.json", "consumed/%C3%BCber%20uns/web.json"] {
        assert!(manifests.iter().any(|uri| uri == file), "{file}: {manifests:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn junit_keeps_to_its_schema() {
    if !have("xmllint") {
        return;
    }
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/consumers/junit/junit.xsd");
    for base in reports() {
        let mut command = standing().stack.servers.program("xmllint");
        command.arg("--noout").arg("--schema").arg(&schema).arg(base.with_extension("xml"));
        standing().stack.servers.output(command);
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn gitlab_finds_the_fields_that_it_documents() {
    for base in reports() {
        let issues: Value = serde_json::from_slice(&std::fs::read(base.with_extension("json")).unwrap()).unwrap();
        assert!(!issues.as_array().unwrap().is_empty());
        pipelines::assert_code_quality(&issues, &base.display().to_string());
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn github_reads_each_line_as_a_command() {
    for base in reports() {
        let text = std::fs::read_to_string(base.with_extension("txt")).unwrap();
        assert!(!text.is_empty());
        pipelines::assert_commands(&text);
    }
    let [live, manifests, ..] = reports() else { panic!("there are two") };
    let annotated = |base: &Path| std::fs::read_to_string(base.with_extension("txt")).unwrap();
    assert!(annotated(live).contains("::error file=cluster/"));
    assert!(annotated(manifests).contains("file=consumed/über uns/web.json,line="), "{}", annotated(manifests));
}
