//! Gates on the shipped snapshots.

use super::Program;

fn scan(snapshot: &str, more: &[&str]) -> super::Ended {
    Program::new().run(&[&["scan", "control", "C-0237", "--snapshot", snapshot], more].concat())
}

const TALK: &str = "fixtures/snapshots/talk";
const HARBOUR: &str = "fixtures/snapshots/harbour";

#[test]
fn all_known_a_gate_is_met_or_missed() {
    scan(TALK, &[]).prints(0, &["20 %"]);
    scan(TALK, &["--compliance-threshold", "10"]).prints(0, &["Gate: met"]);
    scan(TALK, &["--compliance-threshold", "20"]).prints(0, &["Gate: met"]);
    scan(TALK, &["--compliance-threshold", "20.1"]).prints(1, &["Gate: missed"]);
    scan(TALK, &["--compliance-threshold", "21"]).prints(1, &["Gate: missed"]);
}

#[test]
fn unknowns_decide_only_between_the_bounds() {
    let report = scan(HARBOUR, &["-f", "json"]);
    assert_eq!(report.code, Some(3));
    let compliance = report.json()["controls"][0]["compliance"].clone();
    let (low, high) = (compliance["lower"].as_f64().unwrap(), compliance["upper"].as_f64().unwrap());
    assert!(low < high && low > 1.0 && high < 99.0, "{compliance}");
    let gate = |percent: f64| scan(HARBOUR, &["--compliance-threshold", &percent.to_string()]);
    gate(low.floor()).prints(0, &["Gate: met"]);
    gate(f64::midpoint(low, high)).prints(3, &["Gate: undecided"]);
    gate(high.ceil() + 1.0).prints(1, &["Gate: missed"]);
}

#[test]
fn an_accepted_unknown_is_no_reason_to_end_with_3() {
    let report = scan(HARBOUR, &["-f", "json"]).json();
    let mut causes: Vec<String> = Vec::new();
    collect(&report["findings"], &mut causes);
    causes.sort();
    causes.dedup();
    assert!(causes.len() > 1, "{causes:?}");
    scan(HARBOUR, &["--allow-unknown", &causes.join(",")]).prints(0, &[]);
    // Each of them counts.
    for left_out in 0..causes.len() {
        let mut some = causes.clone();
        let cause = some.remove(left_out);
        assert_eq!(scan(HARBOUR, &["--allow-unknown", &some.join(",")]).code, Some(3), "without {cause}");
    }
}

/// Every cause of an unknown finding.
fn collect(report: &serde_json::Value, causes: &mut Vec<String>) {
    match report {
        serde_json::Value::Object(map) => {
            if let Some(cause) = map.get("cause").and_then(|cause| cause.as_str()) {
                causes.push(cause.to_owned());
            }
            map.values().for_each(|value| collect(value, causes));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, causes)),
        _ => {}
    }
}

#[test]
fn a_gate_on_nothing_is_a_mistake() {
    scan(TALK, &["--compliance-threshold", "80", "--include-namespaces", "none"]).prints(2, &["Gate: not applicable"]);
    scan(TALK, &["--include-namespaces", "none"]).prints(0, &["irrelevant"]);
}

/// Whoever names one workload wants to know about it: that there is none of the name is no success.
#[test]
fn a_workload_that_is_not_there_is_a_mistake() {
    let scan = |workload: &str, more: &[&str]| {
        Program::new().run(&[&["scan", "workload", workload, "--control", "C-0237", "--snapshot", TALK], more].concat())
    };
    scan("Deployment/ledger-explorer", &[]).prints(0, &["1 workload"]);
    for absent in ["Deployment/ledger-exporter", "Pod/ledger-explorer", "Deployment/Ledger-Explorer"] {
        let ended = scan(absent, &[]);
        ended.prints(2, &["0 workloads"]);
        assert!(ended.err.contains(&format!("no workload {absent}")), "{ended:#?}");
        scan(absent, &["--compliance-threshold", "0"]).prints(2, &["Gate: not applicable"]);
    }
}

#[test]
fn two_scans_of_one_snapshot_are_equal_to_the_byte() {
    for format in ["json", "kubescape-json", "pretty"] {
        assert_eq!(scan(HARBOUR, &["-v", "-f", format]).out, scan(HARBOUR, &["-v", "-f", format]).out);
    }
}

#[test]
fn severities_and_named_controls_are_gates_too() {
    scan(TALK, &["--severity-threshold", "high"])
        .prints(1, &["Gate: missed: 1 control failing: C-0237; no control of severity High or above"]);
    scan(TALK, &["--fail-on", "C-0237"]).prints(1, &["Gate: missed: 1 control failing: C-0237; none of C-0237 may fail"]);
    // Nothing of that severity was judged: that is not passed.
    scan(TALK, &["--severity-threshold", "critical"]).prints(2, &["Gate: not applicable"]);
    // One gate that is missed is enough.
    scan(TALK, &["--compliance-threshold", "10", "--fail-on", "C-0237"]).prints(1, &["Gate: met", "Gate: missed"]);
    scan(HARBOUR, &["--include-namespaces", "none", "--fail-on", "C-0237"]).prints(2, &["Gate: not applicable"]);
    scan(TALK, &["--fail-on", "C-0273"]).says(2, &["--fail-on C-0273: this scan does not judge it (did you mean C-0237?)"]);
    scan(TALK, &["--severity-threshold", "huge"]).says(2, &["low, medium, high or critical is wanted"]);
    let gates = scan(TALK, &["--severity-threshold", "LOW", "-f", "json"]).json()["gates"].clone();
    assert_eq!(gates[0]["check"]["failing"][0], "C-0237");
    assert_eq!(gates[0]["outcome"], "missed");
}

/// A control that is new is judged and shown, and changes no score and no exit code.
#[test]
fn a_control_in_preview_gates_only_by_its_name() {
    let program = Program::new();
    let control = "apiVersion: seaworthy.dev/v1alpha1
kind: Control
metadata: { name: acme-1 }
spec:
  id: ACME-1
  title: Images pinned to digest, soon
  severity: 9
  stage: preview
  rationale: A tag moves.
  rule: { reference: { pinnedToDigest: {} } }
";
    let directory = program.home().join("mine");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("acme-1.yaml"), control).unwrap();
    let directory = directory.to_str().unwrap();
    let scan =
        |more: &[&str]| program.run(&[&["scan", "control", "C-0237,ACME-1", "--controls", directory, "--snapshot", TALK], more].concat());
    scan(&[]).prints(0, &["Images pinned to digest, soon (preview)", "20 %"]);
    let report = scan(&["-f", "json"]).json();
    assert_eq!(report["compliance"]["upper"], 20.0, "it stands outside the mean");
    scan(&["--compliance-threshold", "20"]).prints(0, &["Gate: met"]);
    scan(&["--severity-threshold", "critical"]).prints(2, &["Gate: not applicable"]);
    scan(&["--fail-on", "ACME-1"]).prints(1, &["Gate: missed: 1 control failing: ACME-1"]);
}
