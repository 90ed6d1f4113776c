//! Stored reports: what is read back says in every format what the report itself says.

use proptest::prelude::*;
use seaworthy::model::Report;
use seaworthy::report::json::{self, ReadError};
use seaworthy::report::openreports::{self, Interface};
use seaworthy::report::{csv, github, gitlab, html, junit, kubescape_json, markdown, prometheus, sarif};

use super::fleet::fleet;
use super::pretty;
use super::sample::{rich, talk};

type Render = fn(&Report, &mut Vec<u8>) -> std::io::Result<()>;

const FORMATS: [(&str, Render); 12] = [
    ("json", |report, out| json::render(report, out)),
    ("kubescape-json", |report, out| kubescape_json::render(report, out)),
    ("csv", |report, out| csv::render(report, out)),
    ("markdown", |report, out| markdown::render(report, out)),
    ("prometheus", |report, out| prometheus::render(report, out)),
    ("openreports", |report, out| openreports::render(report, Interface::OpenReports, out)),
    ("policyreport", |report, out| openreports::render(report, Interface::PolicyReport, out)),
    ("sarif", |report, out| sarif::render(report, out)),
    ("junit", |report, out| junit::render(report, out)),
    ("gitlab", |report, out| gitlab::render(report, out)),
    ("github", |report, out| github::render(report, out)),
    ("html", |report, out| html::render(report, out)),
];

fn bytes(render: Render, report: &Report) -> String {
    let mut bytes = Vec::new();
    render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn stored(report: &Report) -> String {
    bytes(FORMATS[0].1, report)
}

#[test]
fn every_format_of_a_stored_report_is_that_of_the_report() {
    for (name, report) in [("talk", talk()), ("rich", rich()), ("fleet", fleet())] {
        let read = json::read(stored(&report).as_bytes()).unwrap_or_else(|error| panic!("{name} {error}"));
        for (format, render) in FORMATS {
            assert!(bytes(render, &read) == bytes(render, &report), "{name} as {format}");
        }
        for verbose in [false, true] {
            assert_eq!(pretty(&read, 100, false, verbose), pretty(&report, 100, false, verbose), "{name}");
        }
    }
}

/// Before reports had clusters, owners, several gates and exceptions.
#[test]
fn a_report_of_an_older_program_is_read() {
    let old = include_str!("../../fixtures/reports/talk.2026-11.v1.json");
    let read = json::read(old.as_bytes()).unwrap();
    let mut now = talk();
    now.workloads.iter_mut().for_each(|workload| workload.owner = None);
    assert_eq!(pretty(&read, 100, false, true), pretty(&now, 100, false, true));
    assert_eq!(read.header.clusters.len(), 1);
    assert!(read.workloads.iter().all(|workload| workload.cluster.as_deref() == Some("ledger-prod")));
}

fn refused(text: &str) -> String {
    json::read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_no_report_is_told_apart() {
    assert_eq!(refused(""), "is no report: it is empty");
    assert!(refused("<html>").contains("HTML"));
    assert!(refused("[]").contains("it is a list"));
    assert!(refused("nonsense").contains("it is no JSON"));
    assert!(refused("{}").contains("it has no apiVersion"));
    assert!(refused(&bytes(FORMATS[1].1, &talk())).contains("Kubescape's form"));
    assert!(refused(&bytes(FORMATS[7].1, &talk())).contains("SARIF"));
    let newer = stored(&talk()).replace("seaworthy.dev/report/v1", "seaworthy.dev/report/v9\\u001b");
    let told = refused(&newer);
    assert!(
        told.contains("seaworthy.dev/report/v9") && told.contains("it reads seaworthy.dev/report/v1") && !told.contains('\u{1b}'),
        "{told}"
    );
    assert!(refused(&(stored(&talk()) + "{}")).contains("trailing"));
}

#[test]
fn a_report_that_is_cut_off_is_refused_wherever_it_ends() {
    let whole = stored(&rich());
    let whole = whole.trim_end();
    for part in 1..50 {
        let mut end = whole.len() * part / 50;
        while !whole.is_char_boundary(end) {
            end += 1;
        }
        match json::read(&whole.as_bytes()[..end]) {
            Err(ReadError::Truncated { line }) => assert!(line > 0),
            other => panic!("{part}/50: {other:?}"),
        }
    }
}

#[test]
fn positions_that_lead_nowhere_are_refused() {
    let text = stored(&fleet());
    for (from, to, told) in [
        ("\"workload\": 4,", "\"workload\": 5,", "workload 5 is named, and there are 5"),
        ("\"image\": 2\n", "\"image\": 4000000000\n", "image 4000000000 is named"),
        ("\"exception\": 0", "\"exception\": 9", "exception 9 is named"),
        ("\"control\": \"C-0237\",", "\"control\": \"C-9999\",", "control C-9999, which it does not have"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(refused(&text.replace(from, to)).contains(told), "{to}");
    }
    assert!(refused(&text.replace("\"workload\": 4,", "\"workload\": -1,")).contains("is no report"));
    // A field that stands twice says two things.
    assert!(refused(&text.replace("\"kind\": \"Report\",", "\"kind\": \"Report\", \"gaps\": [], \"gaps\": [],")).contains("duplicate"));
    // What a newer program adds is passed over.
    json::read(text.replace("\"kind\": \"Report\",", "\"kind\": \"Report\", \"more\": { \"deep\": [1, 2] },").as_bytes()).unwrap();
}

proptest! {
    #[test]
    fn no_bytes_are_too_much_for_the_reader(position in 0_usize..40_000, with in any::<u8>(), length in 0_usize..64) {
        let mut bytes = stored(&rich()).into_bytes();
        let at = position % bytes.len();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, [with]);
        let _ = json::read(bytes.as_slice());
    }
}
