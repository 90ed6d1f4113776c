//! What a report tells beside the verdict: who signed, when and where it is logged, what would have passed, and what else lies there.

use serde_json::Value;

use super::sigstore::{GITHUB, OTHER_WORKFLOW, WORKFLOW};
use super::table::{Row, Table};
use super::{kept, walk};

fn report(name: &str) -> (Row, Value) {
    let row = Table::read().fixtures.into_iter().find(|row| row.name == name).unwrap();
    let report = walk::report(&[&row], kept::directory(), &row.policy, row.at.as_deref());
    (row, report)
}

/// The report of a row, in which C-0236 tells all of this.
#[track_caller]
fn tells(name: &str, parts: &[&str]) -> Value {
    let (row, report) = report(name);
    let finding = report["findings"].as_array().unwrap().iter().find(|finding| finding["control"] == "C-0236").unwrap();
    let detail = finding["containers"][0]["answer"]["detail"].as_str().unwrap();
    for part in parts {
        assert!(detail.contains(part), "{}: {part:?} is missing in {detail:?}", row.name);
    }
    report
}

#[test]
fn who_signed_when_and_where_it_is_logged() {
    tells("bundle", &[WORKFLOW, GITHUB, "2026-06-01T12:05:00Z (by the log)", "log entry 10"]);
    tells("bundle-rekor2", &[WORKFLOW, "2026-06-01T12:05:00Z (by a time stamp)", "log entry "]);
    tells("key-bundle-unlogged", &["signed by key sha256:"]);
}

#[test]
fn a_rejection_says_whose_it_is_and_what_would_have_passed() {
    tells("by-other-workflow", &[OTHER_WORKFLOW, "the policy wants", WORKFLOW]);
    tells("by-other-issuer", &["https://token.actions.evil.test", "the policy wants", GITHUB]);
    tells("runner-self-hosted", &["self-hosted", "runnerEnvironment", "github-hosted"]);
    tells("certificate-expired", &["2026-06-01T13:05:00Z", "2026-06-01T12:10:00Z"]);
    tells("revoked-key", &["is revoked", "stolen"]);
    tells("ended", &["2026-06-01T12:05:00Z", "is trusted before"]);
    tells("one-of-three", &["1 of 2"]);
}

#[test]
fn the_index_that_carried_it_is_named() {
    let report = tells("index-signed", &["on the index sha256:", "that lists it"]);
    assert!(report["images"][0]["statements"][0]["carrierIndex"].is_string(), "{report:#}");
}

#[test]
fn the_invalid_one_beside_a_valid_one_is_listed() {
    let report = tells("copied-and-good", &[WORKFLOW]);
    let statements = report["images"][0]["statements"].as_array().unwrap();
    let mut states: Vec<_> = statements.iter().map(|statement| statement["relation"]["state"].as_str().unwrap()).collect();
    states.sort();
    assert_eq!(states, ["names", "namesOthers"]);
}

#[test]
fn a_proof_that_proves_nothing_is_a_warning() {
    tells("key-log-foreign", &["warning", "does not hold and proves nothing"]);
    tells("key-stamp-foreign", &["warning", "does not hold and proves nothing"]);
}
