//! GitLab's code-quality report: one JSON array of what fails or is not known.
//!
//! GitLab compares two reports by fingerprint alone and shows what is new in a merge request.

use std::collections::HashSet;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::answer::Status;
use super::causes::fingerprint;
use super::open::{OpenAnswer, open_answers};
use super::place::Place;
use super::terminal::shown;
use crate::model::{Gap, Report, Severity};

/// Writes the report as one JSON array with a line break at the end. What is excepted is left out.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    super::indented::write(&Issues(report), out)
}

struct Issues<'a>(&'a Report);

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let open = open_answers(report).into_iter().filter(|answer| answer.status() != Status::Excepted);
        // The same gap twice would be one to GitLab, and one is enough.
        let mut known = HashSet::new();
        let gaps = report.gaps.iter().filter(|gap| known.insert(Issue::identity(gap))).map(|gap| Issue::of_gap(report, gap));
        serializer.collect_seq(gaps.chain(open.map(|answer| Issue::of(report, &answer))))
    }
}

/// The fields that GitLab documents.
#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Self { path: place.path, lines: Lines { begin: place.line } }
    }
}

impl Issue {
    fn of(report: &Report, answer: &OpenAnswer<'_>) -> Self {
        let excuse = answer.excuse(report).map(|excuse| format!(" {excuse}")).unwrap_or_default();
        let id = shown(&answer.control.id);
        Self {
            description: format!("{id}: {}{excuse} {}", answer.sentence(report), answer.way_out()),
            check_name: id.into_owned(),
            fingerprint: answer.fingerprint(report),
            severity: severity(answer),
            location: answer.place(report).into(),
        }
    }

    fn of_gap(report: &Report, gap: &Gap) -> Self {
        let detail = shown(&gap.detail);
        Self {
            description: format!("Not known: {} could not be read ({}): {detail}", shown(&gap.what), gap.cause),
            check_name: "gap".to_owned(),
            fingerprint: Self::identity(gap),
            severity: "info",
            location: Place::of_all(report).into(),
        }
    }

    fn identity(gap: &Gap) -> String {
        let parts = [gap.cluster.as_deref(), gap.namespace.as_deref()].map(Option::unwrap_or_default);
        fingerprint(&["gap", parts[0], parts[1], &gap.what, gap.cause.name()])
    }
}

fn severity(answer: &OpenAnswer<'_>) -> &'static str {
    match answer.control.severity {
        _ if answer.status() != Status::Failed || answer.is_preview() => "info",
        Severity::Low => "minor",
        Severity::Medium => "major",
        Severity::High => "critical",
        Severity::Critical => "blocker",
    }
}
