//! Milestones over what a real cluster runs: one workload that is not as it should be is the one that is named.

use serde_json::{Value, json};

use super::attested::{Attested, Scanned, attested};
use super::formats::assert_as_reviewed;
use super::shipped::{BY_LAPTOP, NO_BILL, WHOLE};

fn parameters(attested: &Attested) -> Value {
    let stack = attested.standing.stack;
    let allowed = [&stack.referrers, &stack.fallback].map(|registry| format!("{}/acme/**", registry.host));
    json!({"C-0078": {"allowed": allowed}})
}

fn scan(attested: &Attested, name: &str, namespaces: &[&str]) -> Scanned {
    let words = ["framework", "milestone-2", "--compliance-threshold", "100"];
    attested.scan(name, &words, namespaces, &parameters(attested))
}

/// Every control that does not pass for a workload: `control workload reason`.
fn not_passed(scanned: &Scanned) -> Vec<String> {
    let workloads = scanned.report.workloads();
    let findings = scanned.report.0["findings"].as_array().unwrap().iter();
    let others = findings.filter(|finding| finding["status"] != "passed").map(|finding| {
        let position = usize::try_from(finding["workload"].as_u64().unwrap()).unwrap();
        let answer = &finding["containers"][0]["answer"];
        format!("{} {} {}", finding["control"].as_str().unwrap(), workloads[position], answer["reason"].as_str().unwrap_or("?"))
    });
    others.collect()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_milestone_is_reached_where_everything_is_as_it_should_be() {
    let Some(attested) = attested() else { return };
    let scanned = scan(attested, "reached", &[WHOLE]);
    assert_eq!(not_passed(&scanned), [""; 0], "{:?}", scanned.ended);
    assert_eq!(scanned.ended.code, Some(0), "{:?}", scanned.ended);
    let milestones = &scanned.report.0["milestones"];
    assert_eq!((&milestones["reached"], &milestones["of"], &milestones["next"]), (&json!(2), &json!(2), &Value::Null), "{milestones:#}");
    assert!(scanned.table.contains("Milestone reached: 2 of 2"), "{}", scanned.table);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn one_broken_workload_keeps_from_the_milestone_and_is_named() {
    let Some(attested) = attested() else { return };
    for (namespace, broken, snapshot) in [
        (NO_BILL, "SW-0030 no-bill/Deployment/no-bill predicate-missing", "milestone-without-bill"),
        (BY_LAPTOP, "SW-0042 by-laptop/Deployment/by-laptop identity-mismatch", "milestone-by-laptop"),
    ] {
        let scanned = scan(attested, snapshot, &[WHOLE, namespace]);
        assert_eq!(not_passed(&scanned), [broken], "{:?}", scanned.ended);
        assert_eq!(scanned.ended.code, Some(1), "{:?}", scanned.ended);
        let milestones = &scanned.report.0["milestones"];
        let (failing, workloads) = (milestones["next"]["failing"].as_array().unwrap(), scanned.report.workloads());
        let named: Vec<_> = failing.iter().map(|position| workloads[position.as_u64().unwrap() as usize].clone()).collect();
        assert_eq!((&milestones["reached"], named), (&json!(1), vec![format!("{namespace}/Deployment/{namespace}")]), "{milestones:#}");
        let (_, table) = scanned.table.split_once("\n\n").unwrap();
        assert!(table.contains(&format!("1 workload keeps you from 2: {namespace}/Deployment/{namespace}")), "{table}");
        assert_as_reviewed(attested.standing, snapshot, table);
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn tests_have_to_have_passed_and_not_long_ago() {
    let Some(attested) = attested() else { return };
    let said = |name: &str, controls: &Value, workload: &str| {
        let (word, detail) = attested.scan(name, &["control", "SW-0032"], &[WHOLE], controls).said("SW-0032", workload);
        assert!(!detail.is_empty(), "{word} of {workload}");
        word
    };
    let (front, back) = ("whole/Deployment/front", "whole/Deployment/back");
    assert_eq!(said("tested", &json!({"SW-0032": {"maxAge": "1d"}}), front), "passed");
    assert_eq!(said("untested", &json!({}), back), "failed predicate-missing");
    assert_eq!(said("warned", &json!({"SW-0032": {"results": ["WARNED"]}}), front), "failed predicate-mismatch");
    // It was attested while the cluster was made.
    assert_eq!(said("stale", &json!({"SW-0032": {"maxAge": "1s"}}), front), "failed too-old");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn cosigns_own_types_have_their_controls() {
    let Some(attested) = attested() else { return };
    let scanned = attested.scan("types", &["control", "SW-0034,SW-0035,SW-0036"], &[WHOLE], &json!({}));
    for control in ["SW-0034", "SW-0035", "SW-0036"] {
        let (word, detail) = scanned.said(control, "whole/Deployment/back");
        assert_eq!(word, "passed", "{control}: {detail}");
        assert_eq!(scanned.said(control, "whole/Deployment/front").0, "failed predicate-missing", "{control}");
    }
}
