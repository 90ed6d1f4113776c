//! Every attested fixture through the whole program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use seaworthy::model::{Needs, PredicateKinds};
use serde_json::Value;

use super::super::cases::Stage;
use super::super::kept;
use super::super::layout::image;
use super::super::table::{AttestationRow, Row, Table, expected};
use super::super::walk::{snapshot_at, word};
use crate::cli::{Ended, Program};

/// When the snapshot is taken: nineteen days after everything was signed.
fn captured() -> Timestamp {
    "2026-06-20T09:30:00Z".parse().unwrap()
}

/// A snapshot of a cluster that runs what these rows of the table are about.
fn snapshot(program: &Program, rows: &[AttestationRow]) -> String {
    let of = |row: &AttestationRow| {
        let mut plain = Row::of(&row.name, "policy");
        plain.layout = Some(row.layout().to_owned());
        plain
    };
    let rows: Vec<Row> = rows.iter().map(of).collect();
    snapshot_of(program, &rows, kept::attestations())
}

fn snapshot_of(program: &Program, rows: &[Row], layouts: &Path) -> String {
    let target = program.home().join("snapshot");
    let needs = Needs { subject: true, tag: true, signatures: true, attestations: PredicateKinds::ALL, ..Needs::default() };
    snapshot_at(&rows.iter().collect::<Vec<_>>(), layouts, &target, needs, captured());
    target.to_str().unwrap().to_owned()
}

/// A scan of the snapshot by one control of a directory that has them with their trust.
fn scan(program: &Program, directory: &Path, snapshot: &str, control: &str, more: &[&str]) -> Ended {
    let (controls, policy) = (directory.join("controls"), directory.join("trust/policy.yaml"));
    let arguments = ["scan", "--snapshot", snapshot, "--control", control, "--only-controls", controls.to_str().unwrap(), "--offline"];
    let ended = program.run(&[&arguments[..], &["--trust-policy", policy.to_str().unwrap()], more].concat());
    assert!(matches!(ended.code, Some(0 | 1 | 3)), "{ended:#?}");
    ended
}

/// What a report says of each workload, with what a person is told.
fn said(report: &Value) -> BTreeMap<String, (String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let of = |finding: &Value| {
        let workload = &report["workloads"][usize::try_from(finding["workload"].as_u64().unwrap()).unwrap()];
        let answer = finding["containers"].get(0).map_or(finding, |container| &container["answer"]);
        let detail = answer["detail"].as_str().unwrap_or_default().to_owned();
        (workload["name"].as_str().unwrap().to_owned(), (word(answer), detail))
    };
    findings.map(of).collect()
}

#[test]
fn every_attested_fixture_is_judged_as_the_table_says() {
    let rows = Table::read().attestations;
    let program = Program::new();
    let snapshot = snapshot(&program, &rows);
    let runs: BTreeSet<_> = rows.iter().map(|row| (row.control.as_str(), row.at.as_deref())).collect();
    let mut wrong = Vec::new();
    for (control, at) in runs {
        let moment: Vec<_> = at.into_iter().flat_map(|moment| ["--at", moment]).collect();
        let said = said(&scan(&program, kept::attestations(), &snapshot, control, &[&["-f", "json"], &moment[..]].concat()).json());
        for row in rows.iter().filter(|row| (row.control.as_str(), row.at.as_deref()) == (control, at)) {
            let (have, detail) = said.get(&row.name).cloned().unwrap_or_default();
            if have != expected(&row.verdict) {
                wrong.push(format!("{}: {control} should say {:?} and says {have:?}: {detail}", row.name, row.verdict));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `slsa verify` of a fixture.
fn verify(name: &str, more: &[&str]) -> Ended {
    let directory = kept::attestations();
    let reference = format!("registry.test/{name}@{}", image());
    let (layout, controls) = (directory.join(name), directory.join("controls"));
    let arguments = ["slsa", "verify", &reference, "--source-uri", "github.com/LedgerHQ/signed-images", "--offline", "--at", "2026-06-20"];
    Program::new().run(&[&arguments[..], &["--layout", layout.to_str().unwrap(), "--controls", controls.to_str().unwrap()], more].concat())
}

#[test]
fn branches_and_tags_are_those_that_provenance_says() {
    const MISMATCH: &str = "source-mismatch";
    let (branch, tag, version) = ("--source-branch", "--source-tag", "--source-versioned-tag");
    let cases = [
        ("reference-branch", branch, "main", "verified"),
        ("reference-branch", branch, "mai", MISMATCH),
        ("reference-branch", branch, "main2", MISMATCH),
        ("reference-branch", branch, "Main", MISMATCH),
        ("reference-branch", branch, "refs/heads/main", MISMATCH),
        ("reference-branch", tag, "main", MISMATCH),
        ("reference-branch", version, "v1", MISMATCH),
        ("reference-tag", tag, "v1.4.0", "verified"),
        ("reference-tag", tag, "v1.4", MISMATCH),
        ("reference-tag", tag, "v1.4.00", MISMATCH),
        ("reference-tag", branch, "main", MISMATCH),
        ("reference-tag", branch, "v1.4.0", MISMATCH),
        ("reference-tag", version, "v1", "verified"),
        ("reference-tag", version, "v1.4", "verified"),
        ("reference-tag", version, "v1.4.0", "verified"),
        ("reference-tag", version, "v1.40", MISMATCH),
        ("reference-tag", version, "v10", MISMATCH),
        ("reference-tag-v10", version, "v1", MISMATCH),
        ("reference-tag-v10", version, "v10", "verified"),
        ("reference-tag-v10", tag, "v1", MISMATCH),
        ("reference-candidate", version, "v1", MISMATCH),
        ("reference-candidate", tag, "v1.4.0", MISMATCH),
        ("reference-candidate", tag, "v1.4.0-rc.1", "verified"),
        ("reference-commit", branch, "main", MISMATCH),
        ("reference-commit", tag, "v1.4.0", MISMATCH),
        ("reference-not-said", tag, "v1.4.0", MISMATCH),
        ("reference-not-said", branch, "main", MISMATCH),
        ("reference-other-than-certified", branch, "main", MISMATCH),
        // The same in version 1.
        ("provenance", tag, "v1.4.0", "verified"),
        ("provenance", version, "v1", "verified"),
        ("provenance", version, "v1.5", MISMATCH),
        ("provenance", branch, "main", MISMATCH),
        ("source-with-git", tag, "v1.4.0", "verified"),
        ("source-with-slash", tag, "v1.4.0", "verified"),
    ];
    for (name, option, wanted, expected) in cases {
        let report = verify(name, &[option, wanted, "--level", "3", "-f", "json"]).json();
        let said = report["code"].as_str().or(report["verdict"].as_str());
        assert_eq!(said, Some(expected), "{name} {option} {wanted:?}: {report:#}");
    }
    assert_eq!(verify("reference-not-said", &["--level", "3"]).code, Some(0), "nothing is expected of it");
}

/// A directory with controls and policy of the fixtures, under the root of another stage.
fn trusted(stage: &Stage) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    let (trust, controls) = (made.path().join("trust"), made.path().join("controls"));
    std::fs::create_dir(&trust).unwrap();
    std::fs::write(trust.join("trusted_root.json"), stage.sigstore.trusted_root().to_string()).unwrap();
    std::fs::copy(kept::attestations().join("trust/policy.yaml"), trust.join("policy.yaml")).unwrap();
    std::fs::create_dir_all(controls.join("builders")).unwrap();
    for file in ["build-1.yaml", "custom-1.yaml", "sbom-1.yaml", "summary-1.yaml", "tests-1.yaml", "builders/own.yaml"] {
        std::fs::copy(kept::attestations().join("controls").join(file), controls.join(file)).unwrap();
    }
    made
}

/// What is wrong with the signature of test results is what is said of them: they passed, whoever believes it.
#[test]
fn results_whose_signature_does_not_hold_are_refused_for_their_own_reason() {
    let stage = Stage::new();
    let made = trusted(&stage);
    let cases = super::tampered::cases(&stage);
    let rows = cases.iter().map(|(name, _, layout)| {
        layout.write(&made.path().join(name));
        let mut row = Row::of(name, "policy");
        row.layout = Some((*name).to_owned());
        row
    });
    let rows: Vec<_> = rows.collect();
    let program = Program::new();
    let snapshot = snapshot_of(&program, &rows, made.path());
    let said = said(&scan(&program, made.path(), &snapshot, "TESTS-1", &["-f", "json"]).json());
    let wrong = cases.iter().filter_map(|(name, verdict, _)| {
        let (have, detail) = said.get(*name).cloned().unwrap_or_default();
        (have != expected(verdict)).then(|| format!("{name} should be {verdict:?} and is {have:?}: {detail}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What hostile people name things is shown, and moves no cursor.
#[test]
fn hostile_names_stay_on_their_line() {
    let moves =
        |letter: &char| letter.is_control() && *letter != '\n' || matches!(*letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let stage = Stage::new();
    let made = trusted(&stage);
    let controls = made.path().join("controls");
    let mut unseen = Vec::new();
    for (name, control, layout) in super::hostile_names(&stage) {
        let directory = made.path().join(name);
        layout.write(&directory);
        let program = Program::new();
        let mut row = Row::of(name, "policy");
        row.layout = Some(name.to_owned());
        let taken = snapshot_of(&program, &[row], made.path());
        let told = |format: &[&str]| scan(&program, made.path(), &taken, control, format).out().to_owned();
        let mut texts = vec![told(&["-v"]), told(&["-f", "json"]), told(&["-f", "kubescape-json"])];
        let reference = format!("registry.test/{name}@{}", image());
        let (layout, controls) = (directory.to_str().unwrap(), controls.to_str().unwrap());
        let common = ["--offline", "--at", "2026-06-20", "--layout", layout];
        let source = ["--source-uri", "github.com/LedgerHQ/signed-images", "--controls", controls];
        let explain = ["slsa", "explain", &reference, "--no-cluster", "--controls", controls];
        if control == "BUILD-1" {
            texts.push(program.run(&[&["slsa", "verify", &reference], &common[..], &source].concat()).out().to_owned());
            texts.push(program.run(&[&explain[..], &common].concat()).out().to_owned());
        }
        for text in &texts {
            assert_eq!(text.chars().find(moves), None, "{name}: {text:?}");
        }
        let for_a_person = texts.iter().filter(|text| !text.starts_with('{'));
        if !for_a_person.into_iter().any(|text| text.contains("overboard")) {
            unseen.push(name);
        }
    }
    assert_eq!(unseen, [""; 0], "what is never shown shows nothing of how it is shown");
}
