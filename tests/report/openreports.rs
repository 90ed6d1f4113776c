//! Policy reports as objects of Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy::model::Report;
use seaworthy::report::openreports::{self, Interface};
use serde_json::Value;

use super::fleet::fleet;
use super::hostile::hostile;
use super::large::{deep, large};
use super::sample::{rich, talk};

pub(crate) fn text(report: &Report, interface: Interface) -> String {
    let mut bytes = Vec::new();
    openreports::render(report, interface, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The documents, and the size of each.
fn read(report: &Report, interface: Interface) -> Vec<(usize, Value)> {
    let text = text(report, interface);
    let documents = text.split("---\n").skip(1);
    documents
        .map(|document| (document.len(), serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{error}\n{document}"))))
        .collect()
}

fn check(objects: &[(usize, Value)]) {
    let mut names = BTreeSet::new();
    for (size, object) in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        assert!(name.len() <= 253 && name.starts_with("seaworthy-") && name.chars().all(allowed), "{name}");
        assert!(names.insert((object["metadata"]["namespace"].to_string(), name.to_owned())), "{name} twice");
        assert!(*size < 1_500_000, "{size}");
        let mut counts: BTreeMap<&str, u64> = ["pass", "fail", "warn", "error", "skip"].map(|outcome| (outcome, 0)).into();
        for result in object["results"].as_array().unwrap() {
            *counts.get_mut(result["result"].as_str().unwrap()).unwrap() += 1;
            assert_eq!(result["timestamp"]["seconds"], 1_782_907_200);
            assert!(result["properties"].as_object().is_none_or(|properties| properties.values().all(Value::is_string)));
        }
        assert_eq!(object["summary"], serde_json::json!(counts));
    }
}

fn results(objects: &[(usize, Value)]) -> impl Iterator<Item = &Value> {
    objects.iter().flat_map(|(_, object)| object["results"].as_array().unwrap())
}

#[test]
fn each_workload_has_its_report() {
    for interface in [Interface::OpenReports, Interface::PolicyReport] {
        let objects = read(&talk(), interface);
        check(&objects);
        assert_eq!(objects.len(), 10);
        let (_, first) = &objects[0];
        assert_eq!(
            first["scope"],
            serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "default", "name": "my-hello-ledger"})
        );
        assert_eq!(first["metadata"]["labels"]["seaworthy.dev/cluster"], "ledger-prod");
        let result = &first["results"][0];
        assert_eq!((&result["policy"], &result["severity"], &result["source"]), (&"C-0237".into(), &"high".into(), &"seaworthy".into()));
        assert_eq!(result["message"], "image: ghcr.io/ledgerhq/my-hello-ledger:1.4.0 is not signed");
    }
    assert_eq!(read(&talk(), Interface::OpenReports)[0].1["kind"], "Report");
    assert_eq!(read(&talk(), Interface::PolicyReport)[0].1["apiVersion"], "wgpolicyk8s.io/v1alpha2");
    assert_eq!(read(&talk(), Interface::PolicyReport)[0].1.get("source"), None, "this interface has no such field");
}

#[test]
fn unknown_is_an_error_excepted_is_skipped_and_preview_only_warns() {
    let objects = read(&rich(), Interface::OpenReports);
    check(&objects);
    for result in results(&objects) {
        let expected = match result["properties"]["status"].as_str().unwrap() {
            "passed" => "pass",
            "failed" => "fail",
            "unknown" | "acceptedUnknown" | "gap" => "error",
            "excepted" | "irrelevant" | "unconfigured" | "requiresReview" => "skip",
            other => panic!("{other}"),
        };
        assert_eq!(result["result"], expected, "{result}");
    }
    let objects = read(&fleet(), Interface::OpenReports);
    check(&objects);
    let preview: Vec<_> = results(&objects).filter(|result| result["policy"] == "SW-0099").collect();
    assert_eq!((preview.len(), &preview[0]["result"], &preview[0]["scored"]), (1, &"warn".into(), &false.into()));
    let excepted: Vec<_> = results(&objects).filter(|result| result["result"] == "skip").collect();
    assert_eq!(excepted.len(), 2);
    assert!(excepted.iter().all(|result| result["properties"]["exceptionReason"] == "vendor image, replacement due"));
}

#[test]
fn what_is_about_no_workload_is_in_a_report_of_the_cluster() {
    let objects = read(&rich(), Interface::PolicyReport);
    let (_, first) = &objects[0];
    assert_eq!((&first["kind"], first.get("scope")), (&"ClusterPolicyReport".into(), None));
    let told: Vec<_> = first["results"].as_array().unwrap().iter().map(|result| result["properties"]["status"].as_str().unwrap()).collect();
    assert_eq!(told, ["gap", "failed", "unconfigured", "irrelevant", "requiresReview"]);
    // A namespace that is no name for one cannot hold an object.
    let mut report = talk();
    report.workloads[0].key.namespace = "Not_A_Namespace".into();
    report.workloads[1].key.namespace = "".into();
    let objects = read(&report, Interface::OpenReports);
    assert_eq!(objects.iter().filter(|(_, object)| object["kind"] == "ClusterReport").count(), 2);
}

#[test]
fn names_stay_and_are_unique() {
    let names = |report: &Report| {
        read(report, Interface::OpenReports).iter().map(|(_, object)| object["metadata"]["name"].to_string()).collect::<Vec<_>>()
    };
    let report = fleet();
    let before = names(&report);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len(), "the same workload in two clusters and a manifest");
    let mut later = report.clone();
    later.header.as_of = "2026-08-01T00:00:00Z".parse().unwrap();
    later.workloads[1].key.api_version = "apps/v2".into();
    assert_eq!(names(&later), before);
    // The same manifest twice.
    let mut twice = report;
    twice.workloads[3] = twice.workloads[4].clone();
    check(&read(&twice, Interface::OpenReports));
}

#[test]
fn what_is_too_large_for_an_object_is_split() {
    let report = deep(3_000);
    let objects = read(&report, Interface::OpenReports);
    assert!(objects.len() > 2, "{}", objects.len());
    check(&objects);
    assert_eq!(results(&objects).count(), 6_000);
    let scopes: BTreeSet<_> = objects.iter().map(|(_, object)| object["scope"].to_string()).collect();
    assert_eq!(scopes.len(), 1);
    assert!(objects[1].1["metadata"]["name"].as_str().unwrap().ends_with("-2"));
    check(&read(&large(500), Interface::PolicyReport));
}

#[test]
fn no_text_breaks_out_of_its_place() {
    for report in hostile() {
        for interface in [Interface::OpenReports, Interface::PolicyReport] {
            let text = text(&report, interface);
            assert!(!text.chars().any(|letter| (letter.is_control() && letter != '\n') || letter == '\u{202e}'));
            let objects = read(&report, interface);
            check(&objects);
            assert_eq!(text.matches("\n---\n").count() + 1, objects.len());
            for (_, object) in &objects {
                let fields: Vec<_> = object.as_object().unwrap().keys().map(String::as_str).collect();
                let known = ["apiVersion", "kind", "metadata", "source", "scope", "summary", "results"];
                assert!(fields.iter().all(|field| known.contains(field)), "{fields:?}");
                assert!(object["metadata"].get("namespace").is_none(), "no hostile text is a namespace");
            }
        }
    }
}
