//! Results, made one by one while they are written.

use serde::{Serialize, Serializer};

use super::driver::level;
use super::{SOURCE_ROOT, Text};
use crate::model::{ContainerFinding, Novelty, Origin, Report, WorkloadRecord};
use crate::report::causes::Open;
use crate::report::open::{OpenAnswer, Subject};
use crate::report::place::Place;
use crate::report::terminal::shown;

/// The most urgent answers in order, and how many are left out.
pub(super) fn select(mut found: Vec<OpenAnswer<'_>>, most: usize) -> (Vec<OpenAnswer<'_>>, usize) {
    // Stable: of the same urgency, controls in the order of their severity.
    found.sort_by_key(|answer| (answer.status(), answer.is_preview()));
    let left_out = found.len().saturating_sub(most);
    found.truncate(most);
    (found, left_out)
}

/// Results.
pub(super) struct Results<'a> {
    pub(super) report: &'a Report,
    pub(super) chosen: &'a [OpenAnswer<'a>],
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rule = |answer: &OpenAnswer<'_>| self.report.controls.iter().position(|control| control.id == answer.control.id);
        serializer.collect_seq(self.chosen.iter().map(|answer| Entry::of(self.report, answer, rule(answer).unwrap_or_default())))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    rule_id: String,
    rule_index: usize,
    kind: &'static str,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    related_locations: Option<[Location; 1]>,
    partial_fingerprints: Fingerprints,
    /// Empty says that nothing suppresses it; absent would say that nobody knows (3.27.23).
    suppressions: Vec<Suppression<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    properties: Properties<'a>,
}

impl<'a> Entry<'a> {
    fn of(report: &'a Report, answer: &OpenAnswer<'a>, rule_index: usize) -> Self {
        let (kind, level) = match answer.open {
            Open::Failed(_) => ("fail", level(answer.control)),
            Open::Unknown(_) => ("open", "none"),
        };
        let rendered = answer.subject.and_then(|subject| {
            let place = Place::rendered(subject.finding)?;
            let message = Some(Text::of("The image in what was rendered from the template."));
            Some([Location { id: Some(1), message, ..Location::of(&place, Some(subject.finding), None) }])
        });
        let fingerprint = answer.fingerprint(report);
        Self {
            rule_id: shown(&answer.control.id).into_owned(),
            rule_index,
            kind,
            level,
            message: Text::of(message(report, answer)),
            locations: [Location::of(&answer.place(report), answer.subject.map(|subject| subject.finding), Some(logical(answer)))],
            related_locations: rendered,
            partial_fingerprints: Fingerprints { seaworthy: fingerprint.clone(), primary: fingerprint },
            suppressions: answer.exception(report).map(Suppression::of).into_iter().collect(),
            baseline_state: answer.novelty.map(|novelty| match novelty {
                Novelty::New => "new",
                Novelty::Known => "unchanged",
            }),
            properties: Properties::of(answer),
        }
    }
}

/// The first sentence is what a list shows.
fn message(report: &Report, answer: &OpenAnswer<'_>) -> String {
    let excuse = answer.excuse(report).map(|excuse| format!(" {excuse}")).unwrap_or_default();
    format!("{}{excuse} {}", answer.sentence(report), answer.way_out())
}

/// By what a result is known again. `primaryLocationLineHash` is the one that GitHub reads: without it, it would make one of the line,
/// which changes with each tag.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "primaryLocationLineHash")]
    primary: String,
    #[serde(rename = "seaworthyContainer/v1")]
    seaworthy: String,
}

#[derive(Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    justification: String,
    properties: SuppressionProperties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SuppressionProperties<'a> {
    exception: &'a str,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<&'a str>,
}

impl<'a> Suppression<'a> {
    fn of(exception: &'a crate::model::ExceptionRecord) -> Self {
        let properties = SuppressionProperties {
            exception: &exception.name,
            file: &exception.file,
            expires: exception.expires,
            owner: exception.owner.as_deref(),
            approved_by: exception.approved_by.as_deref(),
            ticket: exception.ticket.as_deref(),
        };
        let justification = if exception.reason.is_empty() { "No reason is given.".into() } else { shown(&exception.reason) };
        Self { kind: "external", status: "accepted", justification: justification.into_owned(), properties }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[LogicalLocation; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

impl Location {
    fn of(place: &Place, finding: Option<&ContainerFinding>, logical: Option<LogicalLocation>) -> Self {
        let start = place.column.unwrap_or(1);
        let length = finding.filter(|_| place.column.is_some()).map_or(0, |finding| finding.reference.chars().count());
        let end = start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        let base = (!place.is_absolute()).then_some(SOURCE_ROOT);
        Self {
            id: None,
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: place.uri(), uri_base_id: base },
                region: Region { start_line: place.line, start_column: start, end_line: place.line, end_column: end },
            },
            logical_locations: logical.map(|logical| [logical]),
            message: None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

/// Services want all four.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

fn logical(answer: &OpenAnswer<'_>) -> LogicalLocation {
    let parts = match answer.subject {
        None => vec!["cluster"],
        Some(Subject { workload, .. }) if workload.origin == Origin::Argument => vec![workload.key.name.as_str()],
        Some(Subject { workload, finding }) => {
            let key = &workload.key;
            let cluster = workload.cluster.as_deref().unwrap_or_default();
            vec![cluster, &key.namespace, &key.kind, &key.name, &finding.container]
        }
    };
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(shown).collect();
    LogicalLocation {
        name: parts.last().map(|name| name.clone().into_owned()).unwrap_or_default(),
        fully_qualified_name: parts.join("/"),
        kind: "resource",
    }
}

/// What SARIF has no field for. For programs: as it is, not shortened.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    /// The identifier of its cause, shared by every result that has the same.
    cause: String,
    reason: &'static str,
    status: &'static str,
    preview: bool,
    #[serde(flatten)]
    subject: Option<SubjectProperties<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectProperties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    namespace: &'a str,
    workload: String,
    container: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a crate::model::Digest>,
    pods: u32,
}

impl<'a> Properties<'a> {
    fn of(answer: &OpenAnswer<'a>) -> Self {
        let subject = answer.subject.map(|Subject { workload, finding }| SubjectProperties::of(workload, finding));
        Self { cause: answer.cause(), reason: answer.open.code(), status: answer.status().name(), preview: answer.is_preview(), subject }
    }
}

impl<'a> SubjectProperties<'a> {
    fn of(workload: &'a WorkloadRecord, finding: &'a ContainerFinding) -> Self {
        Self {
            cluster: workload.cluster.as_deref(),
            namespace: &workload.key.namespace,
            workload: format!("{}/{}", workload.key.kind, workload.key.name),
            container: &finding.container,
            path: &finding.path,
            owner: workload.owner.as_deref(),
            image: &finding.reference,
            digest: finding.digest.as_ref(),
            pods: finding.pods.count,
        }
    }
}
