//! The tests beside the controls, as users run them.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy::controls::Library;
use seaworthy::documents::{ControlTest, Document, Expected, parse};
use seaworthy::scan::{CaseOutcome, run_control_test};

fn tests() -> Vec<(String, ControlTest)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("controls/tests");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut tests = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        for document in parse(&name, &std::fs::read_to_string(&file).unwrap()).unwrap() {
            let Document::ControlTest(test) = document else { panic!("{name} holds something else than tests") };
            assert_eq!(name, format!("{}.yaml", test.control.to_lowercase()), "a test lies beside its control");
            tests.push((name.clone(), *test));
        }
    }
    tests
}

#[test]
fn every_case_holds() {
    let library = Library::embedded().unwrap();
    for (file, test) in tests() {
        for outcome in run_control_test(&test, library.control(&test.control).unwrap()).unwrap() {
            let (expected, got) = (CaseOutcome::told(&outcome.expected), CaseOutcome::told(&outcome.got));
            assert!(outcome.holds, "{file}, {}: expected {expected}, got {got}: {}", outcome.name, outcome.detail);
        }
    }
}

#[test]
fn every_control_is_seen_to_pass_and_to_fail() {
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let tests = tests();
    for (_, test) in &tests {
        let of = seen.entry(test.control.clone()).or_default();
        of.extend(test.cases.iter().map(|case| match case.expect {
            Expected::Pass(_) => "pass",
            Expected::Fail(_) => "fail",
            _ => "neither",
        }));
    }
    for control in Library::embedded().unwrap().controls().filter(|control| control.manual.is_none()) {
        let of = seen.get(&control.id).cloned().unwrap_or_default();
        assert!(of.contains("pass") && of.contains("fail"), "{}: {of:?}", control.id);
    }
}
