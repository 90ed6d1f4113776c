//! SARIF 2.1.0 (OASIS), for code-scanning services and viewers.
//!
//! One result a control, workload and container that fails or is not known; what passes has none. What is not known has the kind `open`
//! and no level; what is excepted is suppressed. Services refuse a whole file over one result without a file, so what was read from a
//! cluster has a place that is made up, and its logical one.

mod driver;
mod invocation;
mod results;

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use self::driver::Driver;
use self::invocation::Invocation;
use self::results::{Results, select};
use super::open::{OpenAnswer, open_answers};
use super::place::uri_segment;
use crate::model::{Report, ReportSource};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The base of paths that a user gave: the root of the checked-out repository, by the name that services know.
const SOURCE_ROOT: &str = "%SRCROOT%";
/// Most results of a run: GitHub shows no more, and leaves out the rest without a word.
const MOST_RESULTS: usize = 5_000;

/// Writes the report as one SARIF log with one run and a line break at the end.
///
/// At most 5,000 results, the most urgent first; a notification says how many were left out.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let found = open_answers(report);
    let (chosen, left_out) = select(found, MOST_RESULTS);
    super::indented::write(&Log { schema: SCHEMA, version: "2.1.0", runs: [Run::of(report, &chosen, left_out)] }, out)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: AutomationDetails,
    invocations: [Invocation<'a>; 1],
    original_uri_base_ids: BTreeMap<&'static str, UriBase>,
    column_kind: &'static str,
    results: Results<'a>,
    properties: RunProperties<'a>,
}

impl<'a> Run<'a> {
    fn of(report: &'a Report, chosen: &'a [OpenAnswer<'a>], left_out: usize) -> Self {
        let base = UriBase { description: Text::of("The directory in which the scan was started: the root of the repository.") };
        Self {
            tool: Tool { driver: Driver { report } },
            automation_details: AutomationDetails::of(report),
            invocations: [Invocation { report, left_out }],
            original_uri_base_ids: BTreeMap::from([(SOURCE_ROOT, base)]),
            column_kind: "unicodeCodePoints",
            results: Results { report, chosen },
            properties: RunProperties::of(report),
        }
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

/// By what a service tells the uploads for one commit apart.
#[derive(Serialize)]
struct AutomationDetails {
    id: String,
    description: Text,
}

impl AutomationDetails {
    fn of(report: &Report) -> Self {
        let (about, what) = match (report.header.source, report.header.clusters.as_slice()) {
            (ReportSource::Manifests, _) => ("manifests".to_owned(), "manifests".to_owned()),
            (ReportSource::Images, _) => ("images".to_owned(), "images".to_owned()),
            (ReportSource::Cluster, [one]) => (uri_segment(&one.name), format!("cluster {}", super::terminal::shown(&one.name))),
            (ReportSource::Cluster, _) => ("clusters".to_owned(), "clusters".to_owned()),
        };
        // What is behind the last slash would name a single run.
        Self { id: format!("seaworthy/{about}/"), description: Text::of(format!("Supply-chain audit of {what}.")) }
    }
}

#[derive(Serialize)]
struct UriBase {
    description: Text,
}

/// What SARIF has no field for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties<'a> {
    as_of: Timestamp,
    clusters: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance: Option<Ends>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a str>,
}

#[derive(Serialize)]
struct Ends {
    lower: f64,
    upper: f64,
}

impl<'a> RunProperties<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            as_of: report.header.as_of,
            clusters: report.header.clusters.iter().map(|cluster| cluster.name.as_str()).collect(),
            compliance: report.compliance.map(|compliance| Ends { lower: compliance.lower, upper: compliance.upper }),
            baseline: report.baseline.as_ref().map(|baseline| baseline.name.as_str()),
        }
    }
}

/// A message.
#[derive(Serialize)]
struct Text {
    text: String,
}

impl Text {
    /// What reads like an embedded link (3.11.6) is no link.
    fn of(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text: if text.contains("](") { text.replace("](", "\\](") } else { text } }
    }
}
