//! SARIF, as code-scanning services read it.

use std::collections::BTreeSet;

use seaworthy::model::{ControlOutcome, Judgement, Novelty, Reason, Report, SourcePosition, Standing, is_deceptive};
use seaworthy::report::sarif;
use serde_json::{Value, json};

use super::fleet::fleet;
use super::hostile::hostile;
use super::large::large;
use super::sample::{container, digest, image, key, pods, rich, talk, workload};

pub(crate) fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    sarif::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn run(report: &Report) -> Value {
    serde_json::from_str::<Value>(&text(report)).unwrap()["runs"][0].take()
}

fn results(report: &Report) -> Vec<Value> {
    run(report)["results"].as_array().unwrap().clone()
}

fn fingerprints(report: &Report) -> Vec<String> {
    let of = |result: &Value| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned();
    results(report).iter().map(of).collect()
}

#[test]
fn every_result_has_a_file_and_a_fingerprint_of_its_own() {
    for report in [fleet(), rich(), talk()].into_iter().chain(hostile()) {
        let (results, fingerprints) = (results(&report), fingerprints(&report));
        assert!(!results.is_empty());
        for result in &results {
            let location = &result["locations"][0];
            let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.is_empty() && !uri.starts_with('/') && !uri.split('/').any(|segment| matches!(segment, "" | "." | "..")), "{uri}");
            assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte)), "{uri}");
            assert_eq!(location["physicalLocation"]["artifactLocation"]["uriBaseId"], "%SRCROOT%");
            for field in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert!(location["physicalLocation"]["region"][field].as_u64().unwrap() >= 1);
            }
            assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
            assert!(result["message"]["text"].as_str().unwrap().ends_with(['.', ')']), "{}", result["message"]["text"]);
        }
        let controls: BTreeSet<_> = report.controls.iter().map(|control| &control.id).collect();
        if controls.len() == report.controls.len() {
            assert_eq!(fingerprints.iter().collect::<BTreeSet<_>>().len(), fingerprints.len(), "{fingerprints:?}");
        }
    }
}

#[test]
fn not_knowing_is_open_and_has_no_level() {
    let results = results(&rich());
    let unknown: Vec<_> = results.iter().filter(|result| result["kind"] != "fail").collect();
    assert_eq!(unknown.len(), 3);
    for result in unknown {
        assert_eq!((&result["kind"], &result["level"]), (&json!("open"), &json!("none")));
        assert!(result["message"]["text"].as_str().unwrap().contains("not known ("), "{}", result["message"]["text"]);
    }
    assert!(results.iter().any(|result| result["properties"]["status"] == "acceptedUnknown"));
}

#[test]
fn what_is_excepted_is_suppressed_for_its_reason() {
    let report = fleet();
    let of = |standing: &str| -> Vec<Value> {
        results(&report).into_iter().filter(|result| result["properties"]["status"] == standing).collect()
    };
    assert_eq!(of("excepted").len(), 2);
    for result in of("excepted") {
        let suppression = &result["suppressions"][0];
        assert_eq!((&suppression["kind"], &suppression["status"]), (&json!("external"), &json!("accepted")));
        assert_eq!(suppression["justification"], "vendor image, replacement due");
    }
    assert!(of("failed").iter().all(|result| result["suppressions"] == json!([])));
}

#[test]
fn a_baseline_tells_new_from_known_and_without_one_nothing_does() {
    let states: Vec<_> = results(&fleet()).iter().map(|result| result["baselineState"].clone()).collect();
    assert!(states.contains(&json!("new")) && states.contains(&json!("unchanged")));
    assert!(results(&talk()).iter().all(|result| result.get("baselineState").is_none()));
}

#[test]
fn a_template_is_the_place_and_what_was_rendered_a_related_one() {
    let rendered = results(&fleet()).into_iter().find(|result| result.get("relatedLocations").is_some()).unwrap();
    let place = |location: &Value| location["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(place(&rendered["locations"][0]), "shop/templates/deployment.yaml");
    let related = &rendered["relatedLocations"][0];
    assert_eq!(place(related), "deploy/shop.yaml");
    let reference = "ghcr.io/acme/shop:2.0".len();
    let region = json!({ "startLine": 17, "startColumn": 18, "endLine": 17, "endColumn": 18 + reference });
    assert_eq!(related["physicalLocation"]["region"], region);
}

#[test]
fn a_control_in_preview_stops_no_pull_request() {
    let run = run(&fleet());
    let rule = |id: &str| run["tool"]["driver"]["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap().clone();
    assert_eq!(rule("C-0237")["properties"]["security-severity"], "7.0");
    assert_eq!(rule("SW-0099")["properties"].get("security-severity"), None);
    assert_eq!(rule("SW-0099")["defaultConfiguration"]["level"], "note");
}

#[test]
fn a_fingerprint_survives_a_new_tag_and_digest() {
    let before = fleet();
    let mut after = before.clone();
    for control in &mut after.controls {
        if let ControlOutcome::Judged { findings, .. } = &mut control.outcome {
            for finding in findings.iter_mut().flat_map(|finding| &mut finding.containers) {
                finding.reference = "ghcr.io/acme/renamed:99".into();
                finding.digest = Some(digest(77));
                finding.novelty = Some(Novelty::New);
            }
        }
    }
    assert_eq!(fingerprints(&before), fingerprints(&after));
}

#[test]
fn two_images_of_one_container_are_two_results_and_the_first_stays() {
    let mut report = talk();
    let during = fingerprints(&report);
    let (of_container, nth): (Vec<_>, Vec<_>) = during.iter().map(|print| print.split_once(':').unwrap()).unzip();
    let ControlOutcome::Judged { findings, .. } = &mut report.controls[0].outcome else { panic!("it is judged") };
    let mut second = findings[0].containers[0].clone();
    second.judgement = Judgement::fail(Reason::Absent, "the new one is not signed either");
    second.digest = Some(digest(55));
    findings[0].containers.push(second);
    assert!(nth.iter().all(|nth| *nth == "1"));
    let two = fingerprints(&report);
    let added: Vec<_> = two.iter().filter(|print| !during.contains(print)).collect();
    assert!(during.iter().all(|print| two.contains(print)));
    assert!(
        matches!(added.as_slice(), [one] if one.ends_with(":2") && of_container.contains(&one.split_once(':').unwrap().0)),
        "{added:?}"
    );
}

#[test]
fn the_same_workload_of_two_overlays_is_two() {
    let mut report = fleet();
    let mut overlay = report.workloads[4].clone();
    overlay.origin = seaworthy::model::Origin::Manifest { file: "overlays/b.yaml".to_owned(), document: 0 };
    report.workloads.push(overlay);
    let ControlOutcome::Judged { findings, .. } = &mut report.controls[1].outcome else { panic!("it is judged") };
    let mut copy = findings[4].clone();
    copy.workload = 5;
    let position = SourcePosition { file: "overlays/b.yaml".into(), line: 3, column: 5, rendered_from: None };
    copy.containers[0].position = Some(Box::new(position));
    findings.push(copy);
    let prints = fingerprints(&report);
    assert!(prints.iter().all(|print| print.ends_with(":1")), "{prints:?}");
    assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), prints.len());
}

#[test]
fn the_most_urgent_are_kept_and_the_rest_is_counted() {
    let mut report = talk();
    let image = image("ghcr.io/acme/app:1", digest(1), Vec::new());
    report.workloads = (0..6000).map(|at| workload(key("apps/v1", "Deployment", "shop", &format!("w{at:04}")), 1)).collect();
    let ControlOutcome::Judged { findings, .. } = &mut report.controls[0].outcome else { panic!("it is judged") };
    let template = findings[0].clone();
    *findings = (0..6000)
        .map(|at: u32| {
            let mut finding = template.clone();
            finding.workload = at;
            let judgement = match at % 3 {
                0 => Judgement::unknown(seaworthy::model::Cause::Timeout, "no answer"),
                _ => Judgement::fail(Reason::Absent, "not signed"),
            };
            let mut found = container("app", "spec.containers[0].image", 0, &image, pods(&["p"]), judgement);
            found.standing = if at % 3 == 1 { Standing::Excepted(0) } else { Standing::AsIs };
            finding.containers = vec![found];
            finding
        })
        .collect();
    report.exceptions = fleet().exceptions;
    let run = run(&report);
    let results = run["results"].as_array().unwrap();
    let count = |standing: &str| results.iter().filter(|result| result["properties"]["status"] == standing).count();
    assert_eq!((results.len(), count("failed"), count("unknown"), count("excepted")), (5000, 2000, 2000, 1000));
    let told = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert!(told.iter().any(|told| told["message"]["text"].as_str().unwrap().starts_with("1000 results more than the 5000")), "{told:?}");
}

/// GitHub takes 10 MB of gzip; what zstd makes of it is near enough.
#[test]
fn as_many_results_as_services_take_are_not_too_large_for_them() {
    let text = text(&large(10_000));
    assert!(text.len() < 20_000_000, "{}", text.len());
    assert!(zstd::encode_all(text.as_bytes(), 1).unwrap().len() < 2_000_000);
}

#[test]
fn gaps_and_an_early_end_are_told() {
    let run = run(&rich());
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let ids: Vec<_> = invocation["toolExecutionNotifications"].as_array().unwrap().iter().map(|told| &told["descriptor"]["id"]).collect();
    assert_eq!(ids, ["NOTICE-02", "NOTICE-01"]);
    let configuration = invocation["toolConfigurationNotifications"].as_array().unwrap();
    assert_eq!(configuration[0]["associatedRule"]["id"], "C-0236");
    assert_eq!(run["automationDetails"]["id"], "seaworthy/ledger-prod/");
}

#[test]
fn nothing_hostile_becomes_a_link_or_moves_a_cursor() {
    for report in hostile() {
        let text = text(&report);
        assert!(!text.chars().any(|letter| is_deceptive(letter) && letter != '\n'));
        for result in results(&report) {
            let message = result["message"]["text"].as_str().unwrap();
            assert!(!message.replace("\\](", "").contains("]("), "{message}");
            assert!(!message.chars().any(is_deceptive), "{message}");
        }
    }
}
