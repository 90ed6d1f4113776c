//! The three formats of the standing cluster's report, as they are read.

use serde_json::Value;

use super::judged::judged;
use super::redaction::Redaction;
use super::standing::Standing;
use super::supervisor::say;

/// Compares what the program said of the standing cluster with the snapshot of this name, where every server of the tests is there.
pub fn assert_as_reviewed(standing: &Standing, name: &str, text: &str) {
    if standing.stack.private.is_none() {
        say(&format!("skipped: {name}: docker-registry is missing, its workloads are not in the report"));
        return;
    }
    if standing.stack.sigstore.is_none() {
        say(&format!("skipped: {name}: there is no private Sigstore, what it signs is not in the report"));
        return;
    }
    if !standing.stack.has_its_ports() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "another program has a port of the end-to-end tests");
        say(&format!("skipped: {name}: another program has a port that images of the report are named by"));
        return;
    }
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(name, Redaction::of_runs(standing).apply(text));
    });
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_table_is_as_reviewed() {
    assert_as_reviewed(judged().standing, "table", &judged().pretty);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_json_report_is_as_reviewed() {
    let report: Value = serde_json::from_slice(&judged().json).unwrap();
    assert_as_reviewed(judged().standing, "report", &format!("{report:#}"));
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_report_under_kubescapes_names_is_as_reviewed() {
    assert_as_reviewed(judged().standing, "kubescape", &format!("{:#}", judged().kubescape));
}
