//! Stored reports through the program: converted, compared, and as a baseline.

use super::{Ended, Program};

const TALK: &str = "fixtures/snapshots/talk";
const HARBOUR: &str = "fixtures/snapshots/harbour";

fn scan(program: &Program, snapshot: &str, more: &[&str]) -> Ended {
    program.run(&[&["scan", "framework", "supply-chain", "--snapshot", snapshot], more].concat())
}

/// A scan's own JSON in a file.
fn stored(program: &Program, snapshot: &str) -> String {
    let report = scan(program, snapshot, &["-f", "json"]);
    program.file(&format!("{}.json", snapshot.rsplit('/').next().unwrap()), report.out())
}

#[test]
fn a_converted_report_is_what_the_scan_would_have_written() {
    let program = Program::new();
    for snapshot in [TALK, HARBOUR] {
        let file = stored(&program, snapshot);
        for format in [
            "json",
            "kubescape-json",
            "csv",
            "markdown",
            "prometheus",
            "openreports",
            "policyreport",
            "sarif",
            "junit",
            "gitlab",
            "github",
            "html",
            "pretty",
        ] {
            let (direct, converted) =
                (scan(&program, snapshot, &["-f", format, "-v"]), program.run(&["report", "convert", &file, "-f", format, "-v"]));
            assert_eq!(converted.code, Some(0), "{converted:#?}");
            assert!(converted.out() == direct.out(), "{snapshot} as {format}");
        }
    }
    let out = program.home().join("r.sarif");
    program.run(&["report", "convert", &stored(&program, TALK), "-f", "sarif", "-o", out.to_str().unwrap()]).prints(0, &[]);
    assert!(std::fs::read_to_string(out).unwrap().contains("2.1.0"));
}

#[test]
fn two_scans_of_one_snapshot_give_the_same_bytes_in_every_format() {
    let program = Program::new();
    let formats = "json,kubescape-json,csv,markdown,prometheus,openreports,policyreport,sarif,junit,gitlab,github,html,pretty";
    let write = |base: &str| {
        let base = program.home().join(base).join("report");
        std::fs::create_dir_all(base.parent().unwrap()).unwrap();
        let ended = scan(&program, HARBOUR, &["-f", formats, "-o", base.to_str().unwrap()]);
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        let mut files: Vec<_> = std::fs::read_dir(base.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| (file.file_name().unwrap().to_owned(), std::fs::read(file).unwrap())).collect::<Vec<_>>()
    };
    let (one, other) = (write("one"), write("other"));
    assert_eq!(one.len(), formats.split(',').count());
    for ((name, first), (_, second)) in one.iter().zip(&other) {
        assert!(first == second, "{name:?}");
    }
}

#[test]
fn what_is_no_report_is_refused_by_its_name() {
    let program = Program::new();
    let whole = std::fs::read_to_string(stored(&program, TALK)).unwrap();
    let cut = program.file("cut.json", &whole[..whole.len() / 2]);
    program.run(&["report", "convert", &cut]).says(2, &["cut.json ends in the middle, at line"]);
    let newer = program.file("newer.json", &whole.replace("report/v1", "report/v7"));
    program.run(&["report", "convert", &newer]).says(2, &["seaworthy.dev/report/v7", "it reads seaworthy.dev/report/v1"]);
    program.run(&["report", "convert", "nowhere.json"]).says(2, &["nowhere.json cannot be opened"]);
    // A place that cannot be written is found before anything is read.
    program.run(&["report", "convert", "nowhere.json", "-f", "json", "-o", "/nowhere/x"]).says(2, &["cannot write to /nowhere/x"]);
}

#[test]
fn two_reports_are_compared() {
    let program = Program::new();
    let talk = stored(&program, TALK);
    program.run(&["diff", &talk, &talk]).prints(0, &["No answer changed."]);
    let text = std::fs::read_to_string(&talk).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let findings = report["findings"].as_array_mut().unwrap();
    let failing = findings.iter_mut().find(|finding| finding["control"] == "C-0237" && finding["status"] == "failed").unwrap();
    failing["containers"][0]["answer"] = serde_json::json!({ "status": "passed", "detail": "" });
    failing["status"] = "passed".into();
    let better = program.file("better.json", &report.to_string());
    program.run(&["diff", &talk, &better]).prints(0, &["Better: 1 answer", "failed (absent) → passed", "by time"]);
    program.run(&["diff", &better, &talk, "--exit-code"]).prints(1, &["Worse: 1 answer"]);
    let json = program.run(&["diff", &better, &talk, "-f", "json"]).json();
    assert_eq!((&json["changes"][0]["control"], &json["changes"][0]["direction"]), (&"C-0237".into(), &"worse".into()));
    // Another cluster.
    let harbour = stored(&program, HARBOUR);
    program.run(&["diff", &talk, &harbour]).says(2, &["is of cluster", "--force compares all the same"]);
    program.run(&["diff", &talk, &harbour, "--force"]).prints(0, &["by workload"]);
}

#[test]
fn only_what_a_baseline_does_not_have_counts() {
    let program = Program::new();
    let talk = stored(&program, TALK);
    let gate = |baseline: &str, more: &[&str]| {
        scan(&program, TALK, &[&["--fail-on", "C-0237", "--compliance-threshold", "60", "--baseline", baseline], more].concat())
    };
    scan(&program, TALK, &["--fail-on", "C-0237"]).prints(1, &["Gate: missed"]);
    gate(&talk, &[]).prints(0, &["Gate: met", "Baseline"]);
    // Without one of the workloads in it, that one is new.
    let mut report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&talk).unwrap()).unwrap();
    let findings = report["findings"].as_array_mut().unwrap();
    let at = findings.iter().position(|finding| finding["control"] == "C-0237" && finding["status"] == "failed").unwrap();
    findings.remove(at);
    let less = program.file("less.json", &report.to_string());
    gate(&less, &[]).prints(1, &["Gate: missed: 1 control failing: C-0237"]);
    let novelties = gate(&less, &["-f", "json"]).json();
    assert_eq!((&novelties["baseline"]["new"], &novelties["baseline"]["gone"]), (&1.into(), &0.into()));
    // Of another cluster: refused unless forced.
    let harbour = stored(&program, HARBOUR);
    gate(&harbour, &[]).says(2, &["the baseline", "is of cluster", "--force-baseline"]);
    gate(&harbour, &["--force-baseline"]).prints(1, &["Gate: missed"]);
    gate("nowhere.json", &[]).says(2, &["nowhere.json cannot be opened"]);
}

/// The branch that is merged into has one container with a moving tag; the change adds another.
#[test]
fn manifests_are_a_baseline_too() {
    let program = Program::new();
    let manifest = |name: &str, image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name}, namespace: shop }}\nspec: {{ template: {{ spec: {{ containers: [{{ name: c, image: '{image}' }}] }} }} }}\n"
        )
    };
    let old = manifest("web", "ghcr.io/acme/web:1");
    let base = program.file("base/shop.yaml", &old);
    let base = base.strip_suffix("/shop.yaml").unwrap();
    let scan = |text: &str| {
        let head = program.file("head/shop.yaml", text);
        program.run(&["scan", "control", "C-0306", &head, "--baseline-manifests", base, "--fail-on", "C-0306"])
    };
    scan(&old).prints(0, &["Gate: met"]);
    scan(&manifest("web", "ghcr.io/acme/web:2")).prints(0, &["Gate: met"]);
    scan(&[old.clone(), manifest("pay", "ghcr.io/acme/pay:1")].join("---\n")).prints(1, &["Gate: missed"]);
    scan(&manifest("web", "ghcr.io/other/web:1")).prints(1, &["Gate: missed"]);
}
