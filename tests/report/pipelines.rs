//! What pipelines read: JUnit, GitLab's code quality, GitHub's annotations.

use std::collections::BTreeSet;

use seaworthy::model::{Cause, ControlOutcome, Judgement, Reason, Report, Standing, is_deceptive};
use seaworthy::report::{github as annotations, gitlab as code_quality, junit as test_results};
use serde_json::Value;

use super::fleet::fleet;
use super::hostile::hostile;
use super::sample::{digest, rich, talk};

pub(crate) fn junit(report: &Report) -> String {
    let mut bytes = Vec::new();
    test_results::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn gitlab(report: &Report) -> String {
    let mut bytes = Vec::new();
    code_quality::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn github(report: &Report) -> String {
    let mut bytes = Vec::new();
    annotations::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn issues(report: &Report) -> Vec<Value> {
    serde_json::from_str(&gitlab(report)).unwrap()
}

/// How often each of JUnit's elements is there, as its start tag reads.
fn count(xml: &str, start: &str) -> usize {
    xml.matches(start).count()
}

fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    tag.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0
}

#[test]
fn the_counts_of_junit_are_those_of_its_cases() {
    for report in [fleet(), rich(), talk()].into_iter().chain(hostile()) {
        let xml = junit(&report);
        let number = |tag: &str, name: &str| attribute(tag, name).parse::<usize>().unwrap();
        for suite in xml.split("  <testsuite ").skip(1) {
            let tag = format!(" {suite}");
            assert_eq!(number(&tag, "tests"), count(suite, "<testcase "), "{suite}");
            for (name, element) in [("failures", "<failure "), ("errors", "<error "), ("skipped", "<skipped ")] {
                assert_eq!(number(&tag, name), count(suite, element), "{name} of {suite}");
            }
        }
        let total = xml.lines().nth(1).unwrap();
        assert_eq!(number(total, "tests"), count(&xml, "<testcase "));
        assert_eq!((number(total, "failures"), number(total, "errors")), (count(&xml, "<failure "), count(&xml, "<error ")));
    }
}

#[test]
fn junit_takes_nothing_unknown_for_passed() {
    let xml = junit(&rich());
    let case = |name: &str, class: &str| {
        let start = format!("<testcase name=\"{name}\" classname=\"{class}\"");
        xml.split_once(&start).unwrap_or_else(|| panic!("{start} in {xml}")).1.split_once("<testcase").unwrap().0.to_owned()
    };
    assert!(case("checkout", "C-0237.shop/Rollout").contains("<error type=\"timeout\" message=\"not known (timeout)"));
    assert!(case("node-exporter", "C-0237.monitoring/DaemonSet").contains("<skipped type=\"unauthorized\""));
    assert!(case("my-hello-ledger", "C-0237.default/Deployment").contains("<failure type=\"absent\""));
    assert!(case("web", "C-0237.shop/Deployment").starts_with("/>"));
    assert!(case("Verify image signature", "C-0236").contains("<skipped type=\"unconfigured\""));
    assert!(case("pods in namespace payments", "gap").contains("<error type=\"forbidden\""));
    assert!(case("the scan ran to its end", "gap").contains("<error type=\"cancelled\""));
}

#[test]
fn what_does_not_count_is_skipped_with_its_reason() {
    let xml = junit(&fleet());
    assert!(xml.contains("<skipped type=\"absent\" message=\"Excepted until 2026-12-31: vendor image, replacement due. image:"), "{xml}");
    assert!(xml.contains("<skipped type=\"absent\" message=\"The baseline has it already. image:"));
    assert!(xml.contains("<skipped type=\"reference-not-pinned\" message=\"The control is in preview"));
    // Only what is new beside the baseline.
    assert_eq!(count(&xml, "<failure "), 1);
    assert!(xml.contains("  at: shop/templates/deployment.yaml:1\n"));
}

#[test]
fn no_hostile_text_breaks_out_of_xml() {
    for report in hostile() {
        let xml = junit(&report);
        assert!(!xml.chars().any(|letter| (is_deceptive(letter) && letter != '\n') || matches!(letter, '\u{fffe}' | '\u{ffff}')));
        assert!(!xml.contains("<script") && !xml.contains("<!--") && !xml.contains("]]>"));
        for line in xml.lines() {
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        }
    }
}

#[test]
fn gitlab_knows_each_issue_by_a_fingerprint_of_its_own() {
    for report in [fleet(), rich(), talk()] {
        assert_code_quality(&issues(&report).into(), "made");
    }
    // The same control has the same identifier there in several places.
    hostile().for_each(|report| assert_code_quality(&issues(&report).into(), "hostile"));
    let mut twice = rich();
    twice.gaps.push(twice.gaps[0].clone());
    assert_eq!(issues(&twice).len(), issues(&rich()).len());
}

#[test]
fn gitlab_hears_of_what_fails_and_what_is_not_known() {
    let fleet = issues(&fleet());
    assert_eq!(fleet.len(), 4, "what is excepted is left out");
    assert_eq!(fleet.iter().filter(|issue| issue["severity"] == "critical").count(), 3);
    assert_eq!(fleet[2]["location"], serde_json::json!({ "path": "shop/templates/deployment.yaml", "lines": { "begin": 1 } }));
    let rich = issues(&rich());
    let unknown: Vec<_> = rich.iter().filter(|issue| issue["severity"] == "info").collect();
    assert_eq!(unknown.len(), 4);
    for issue in unknown {
        assert!(issue["description"].as_str().unwrap().to_lowercase().contains("not known"), "{issue}");
    }
}

#[test]
fn gitlabs_fingerprints_survive_a_new_tag_and_digest() {
    let prints = |report: &Report| -> Vec<Value> { issues(report).into_iter().map(|mut issue| issue["fingerprint"].take()).collect() };
    let before = fleet();
    let mut after = before.clone();
    for control in &mut after.controls {
        let ControlOutcome::Judged { findings, .. } = &mut control.outcome else { continue };
        for found in findings.iter_mut().flat_map(|finding| &mut finding.containers) {
            found.reference = "ghcr.io/acme/shop:3.0".into();
            found.digest = Some(digest(99));
        }
    }
    assert_eq!(prints(&before), prints(&after));
}

/// Each line is a workflow command as a runner reads it.
pub(crate) fn assert_commands(text: &str) {
    for line in text.lines() {
        let (command, message) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")).unwrap_or_else(|| panic!("{line}"));
        let (kind, properties) = command.split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&kind), "{line}");
        for property in properties.split(',') {
            let (name, value) = property.split_once('=').unwrap_or_else(|| panic!("{property} of {line}"));
            assert!(["file", "line", "col", "title"].contains(&name), "{line}");
            assert!(!value.is_empty(), "{line}");
        }
        assert!(!message.is_empty() && !line.chars().any(is_deceptive), "{line:?}");
    }
    for kind in ["error", "warning", "notice"] {
        assert!(text.lines().filter(|line| line.starts_with(&format!("::{kind} "))).count() <= 10);
    }
}

/// A code-quality report as GitLab documents it: every field that it requires, and none that it does not know.
pub(crate) fn assert_code_quality(issues: &Value, name: &str) {
    let fields = |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let mut prints = BTreeSet::new();
    for issue in issues.as_array().unwrap() {
        assert_eq!(fields(issue), ["check_name", "description", "fingerprint", "location", "severity"].map(str::to_owned).into());
        for field in ["check_name", "description", "fingerprint"] {
            assert!(issue[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {issue}");
        }
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()), "{issue}");
        assert!(
            prints.insert(issue["fingerprint"].to_string()) || name.contains("hostile"),
            "{name}: {issue} is not the first of its fingerprint"
        );
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.is_empty() && !path.starts_with("./") && !path.split('/').any(|segment| segment == ".."), "{path}");
        assert!(issue["location"]["lines"]["begin"].as_u64().is_some_and(|line| line >= 1), "{issue}");
    }
}

#[test]
fn each_line_is_one_command_whatever_is_in_it() {
    for report in [fleet(), rich(), talk()].into_iter().chain(hostile()) {
        assert_commands(&github(&report));
    }
}

#[test]
fn only_what_counts_is_an_error() {
    let text = github(&fleet());
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("::error title=Gate::missed: 1 control failing: C-0237"), "{text}");
    let errors: Vec<_> = lines.iter().filter(|line| line.starts_with("::error file=")).collect();
    assert!(
        matches!(errors.as_slice(), [one] if one.starts_with("::error file=shop/templates/deployment.yaml,line=1,title=C-0237 Check if signature exists::")),
        "{text}"
    );
    assert!(text.contains("::notice file=cluster/eu-west/shop/Deployment/cache.yaml,line=1,"));
    assert!(text.contains("The control is in preview and counts nowhere."));
}

#[test]
fn each_cause_is_told_once_before_any_twice_and_the_rest_is_counted() {
    let mut report = talk();
    let ControlOutcome::Judged { findings, .. } = &mut report.controls[0].outcome else { panic!("it is judged") };
    let template = findings[0].clone();
    // Fourteen causes, the first shared by three workloads, and twelve of not knowing.
    *findings = (0..28_u8)
        .map(|at| {
            let mut finding = template.clone();
            finding.workload = u32::from(at) % u32::try_from(report.workloads.len()).unwrap();
            let found = &mut finding.containers[0];
            let image = if at < 3 { 0 } else { at };
            found.reference = format!("ghcr.io/acme/app-{image}:1").as_str().into();
            found.digest = Some(digest(image));
            found.standing = Standing::AsIs;
            found.judgement = match at {
                0..16 => Judgement::fail(Reason::Absent, format!("image {image} is not signed")),
                _ => Judgement::unknown(Cause::ImageNotFound, "it is gone"),
            };
            finding
        })
        .collect();
    report.gates = Vec::new();
    let text = github(&report);
    let of = |kind: &str| text.lines().filter(|line| line.starts_with(&format!("::{kind} "))).count();
    assert_eq!((of("error"), of("warning"), of("notice")), (10, 10, 1), "{text}");
    assert!(text.lines().next().unwrap().ends_with("%0A2 more containers share this cause."), "{text}");
    assert!(text.lines().last().unwrap().contains("6 more annotations not shown (4 for failures, 2 for what is not known)"), "{text}");
    let distinct: BTreeSet<_> = text.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(distinct.len(), 10);
}

#[test]
fn room_that_is_left_shows_where_else() {
    let report = talk();
    let text = github(&report);
    let files: BTreeSet<_> = text.lines().filter_map(|line| line.split_once("file=")?.1.split_once(',')).map(|(file, _)| file).collect();
    assert_eq!(files.len(), 8, "each of the workloads that fail: {text}");
}
