//! The metrics.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy::model::{BuildLevel, Cause, Report, ShownLevel, UnknownAnswer};
use seaworthy::report::prometheus::{self, METRICS, MOST_VALUES};

use super::fleet::fleet;
use super::hostile::hostile;
use super::large::large;
use super::sample::{rich, talk};

pub(crate) fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    prometheus::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

type Labels = Vec<(String, String)>;

/// A reader of the format that takes nothing but what it says: families in one piece, each series once.
fn read(text: &str) -> BTreeMap<String, Vec<(Labels, f64)>> {
    let mut families: BTreeMap<String, Vec<(Labels, f64)>> = BTreeMap::new();
    let mut name = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            name = help.split_once(' ').unwrap().0.to_owned();
            assert!(families.insert(name.clone(), Vec::new()).is_none(), "{name} twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{name} gauge"));
        } else {
            let rest = line.strip_prefix(&name).unwrap_or_else(|| panic!("{line} is not of {name}"));
            let (labels, value) = labels(rest);
            let family = families.get_mut(&name).unwrap();
            assert!(family.iter().all(|(known, _)| *known != labels), "{line} twice");
            family.push((labels, value.trim_start().parse().unwrap()));
        }
    }
    families
}

fn labels(text: &str) -> (Labels, &str) {
    let Some(mut rest) = text.strip_prefix('{') else { return (Vec::new(), text) };
    let mut labels = Vec::new();
    loop {
        let (name, behind) = rest.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut letters = behind.char_indices();
        let end = loop {
            match letters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    letter @ ('"' | '\\') => letter,
                    other => panic!("\\{other}"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        labels.push((name.to_owned(), value));
        rest = &behind[end + 1..];
        match rest.chars().next() {
            Some(',') => rest = &rest[1..],
            Some('}') => return (labels, &rest[1..]),
            other => panic!("{other:?} behind a label"),
        }
    }
}

fn value(report: &Report, name: &str, wanted: &[(&str, &str)]) -> f64 {
    let families = read(&text(report));
    let holds = |labels: &Labels| wanted.iter().all(|(name, value)| labels.iter().any(|label| label.0 == *name && label.1 == *value));
    families[name].iter().find(|(labels, _)| holds(labels)).unwrap_or_else(|| panic!("{name} {wanted:?}")).1
}

#[test]
fn the_talks_numbers_are_there_under_kubescapes_names_and_ours() {
    let report = talk();
    let control = [("name", "Check if signature exists"), ("severity", "High"), ("link", "https://seaworthy.dev/controls/C-0237")];
    assert_eq!(value(&report, "kubescape_cluster_complianceScore", &[]), 20.0);
    assert_eq!(value(&report, "kubescape_control_complianceScore", &control), 20.0);
    assert_eq!(value(&report, "kubescape_control_count_resources_failed", &control), 8.0);
    assert_eq!(value(&report, "kubescape_cluster_count_resources_passed", &[]), 2.0);
    assert_eq!(value(&report, "seaworthy_compliance_lower_ratio", &[]), 0.2);
    let of = [("control", "C-0237"), ("severity", "High"), ("cluster", "ledger-prod"), ("status", "failed")];
    assert_eq!(value(&report, "seaworthy_control_workloads", &of), 8.0);
    assert_eq!(value(&report, "seaworthy_gate_outcome", &[("gate", "compliance"), ("outcome", "missed")]), 1.0);
    assert_eq!(value(&report, "seaworthy_scan_timestamp_seconds", &[]), 1_782_907_200.0);
}

#[test]
fn unknown_is_neither_failed_nor_passed() {
    let report = rich();
    let control = [("name", "Check if signature exists")];
    let count = |status: &str| value(&report, &format!("kubescape_control_count_resources_{status}"), &control);
    assert_eq!(["failed", "skipped", "passed"].map(count), [3.0, 2.0, 1.0]);
    assert_eq!(value(&report, "seaworthy_compliance_upper_ratio", &[]), 0.7777);
    assert_eq!(value(&report, "seaworthy_unknown_answers", &[("cause", "unauthorized"), ("standing", "accepted")]), 1.0);
    assert_eq!(value(&report, "seaworthy_unknown_answers", &[("cause", "timeout"), ("standing", "counted")]), 1.0);
    assert_eq!(value(&report, "seaworthy_unknown_answers", &[("cause", "dns"), ("standing", "counted")]), 0.0);
    assert_eq!(value(&report, "seaworthy_gaps", &[("workloads_missing", "true")]), 1.0);
}

#[test]
fn exceptions_clusters_and_owners_are_told_apart() {
    let report = fleet();
    assert_eq!(value(&report, "seaworthy_exceptions", &[("state", "expired")]), 1.0);
    assert_eq!(value(&report, "seaworthy_exception_next_expiry_timestamp_seconds", &[]), 1_783_641_600.0);
    assert_eq!(value(&report, "seaworthy_cluster_workloads", &[("cluster", "us-east"), ("status", "failed")]), 1.0);
    assert_eq!(value(&report, "seaworthy_cluster_workloads", &[("cluster", "_none"), ("status", "failed")]), 1.0);
    assert_eq!(value(&report, "seaworthy_owner_workloads", &[("owner", "team-shop"), ("status", "failed")]), 2.0);
    assert_eq!(value(&report, "seaworthy_causes", &[("severity", "High"), ("status", "failed"), ("standing", "counted")]), 1.0);
    assert_eq!(value(&report, "seaworthy_baseline_findings", &[("novelty", "new")]), 1.0);
    // What is in preview counts nowhere.
    assert_eq!(value(&report, "kubescape_cluster_count_control_failed", &[]), 1.0);
}

#[test]
fn a_level_that_may_be_higher_is_open() {
    let mut report = talk();
    let shown = |level, by: Option<&str>, maybe: bool| {
        let possible = maybe.then(|| (BuildLevel::L3, UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() }));
        Some(ShownLevel { level, by: by.map(str::to_owned), lack: None, possible })
    };
    let levels = [
        shown(BuildLevel::L0, None, true),
        shown(BuildLevel::L2, Some("ci"), false),
        shown(BuildLevel::L1, None, false),
        shown(BuildLevel::L0, None, false),
    ];
    for (image, level) in report.images.iter_mut().zip(levels) {
        image.build = level;
    }
    for (level, state) in [("0", "open"), ("2", "shown"), ("1", "unverified"), ("0", "shown")] {
        assert_eq!(value(&report, "seaworthy_image_build_levels", &[("level", level), ("state", state)]), 1.0, "{level} {state}");
    }
}

#[test]
fn a_large_cluster_makes_no_more_series() {
    let (small, large) = (read(&text(&large(60))), read(&text(&large(2_000))));
    let series = |families: &BTreeMap<String, Vec<(Labels, f64)>>| families.values().map(Vec::len).sum::<usize>();
    assert_eq!(series(&small), series(&large), "no series is of a workload or an image");
    assert!(series(&large) < 1_000, "{}", series(&large));
    let owners = &large["seaworthy_owner_workloads"];
    assert_eq!(owners.len(), (MOST_VALUES + 1) * 5);
    assert_eq!(owners.iter().map(|(_, count)| count).sum::<f64>(), 2_000.0, "nobody is lost");
    let folded = &large["seaworthy_label_values_folded"];
    assert!(folded.contains(&(vec![("label".to_owned(), "owner".to_owned())], 1_950.0)), "{folded:?}");
}

#[test]
fn every_label_and_metric_is_documented() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reports.md")).unwrap();
    for metric in METRICS {
        let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| `{}` | {labels} | {} |", metric.name, metric.help);
        assert!(docs.contains(&row), "docs/reports.md lacks:\n{row}");
    }
    let mut written = BTreeSet::new();
    for report in [rich(), fleet(), talk()] {
        for (name, samples) in read(&text(&report)) {
            let metric = METRICS.iter().find(|metric| metric.name == name).unwrap();
            for (labels, _) in samples {
                assert!(labels.iter().map(|label| label.0.as_str()).eq(metric.labels.iter().copied()), "{name} {labels:?}");
            }
            written.insert(name);
        }
    }
    let never: Vec<_> = METRICS.iter().map(|metric| metric.name).filter(|name| !written.contains(*name)).collect();
    assert_eq!(never, ["seaworthy_image_build_levels"], "written where a control asked, tested above");
}

#[test]
fn no_text_breaks_out_of_its_label() {
    for report in hostile() {
        let text = text(&report);
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
        for name in read(&text).keys() {
            assert!(METRICS.iter().any(|metric| metric.name == name), "{name}");
        }
    }
}
