//! What changed between two reports, for a person and for a program.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::pretty::header::moment;
use super::terminal::{Appearance, Tone, counted, prose, shown, title};
use super::verification::Format;
use crate::model::{AnswerState, Change, ChangedBy, Changes, ComparedReport, Compliance, DocumentChange, Severity};

/// Writes them.
///
/// # Errors
/// Those of the writer.
pub fn render(changes: &Changes, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text(appearance) => text(changes, appearance, out),
        Format::Json => super::indented::write(&Document::of(changes), out),
    }
}

/// The JSON schema of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("title".to_owned(), "Changes between two Seaworthy reports, version 1".into());
    schema.to_value()
}

fn text(changes: &Changes, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let of = |report: &ComparedReport| {
        let compliance = report.compliance.map_or_else(|| "no compliance".to_owned(), Compliance::percent_text);
        format!("{} · {compliance} · seaworthy {}", moment(report.as_of), shown(&report.tool_version))
    };
    prose(out, appearance, 0, &format!("Old: {}", of(&changes.old)))?;
    prose(out, appearance, 0, &format!("New: {}", of(&changes.new)))?;
    for document in &changes.documents {
        let how = match document.how {
            DocumentChange::Added => "added",
            DocumentChange::Removed => "removed",
            DocumentChange::Changed => "changed",
        };
        prose(out, appearance, 0, &format!("{} {}: {how}", shown(&document.kind), shown(&document.name)))?;
    }
    if changes.changes.is_empty() {
        return title(out, appearance, Tone::Passed, "No answer changed.");
    }
    let select = |wanted: fn(&Change) -> bool| changes.changes.iter().filter(|change| wanted(change)).collect::<Vec<_>>();
    section("worse", Tone::Failed, &select(Change::is_worse), appearance, out)?;
    section("better", Tone::Passed, &select(Change::is_better), appearance, out)?;
    section("otherwise", Tone::Unknown, &select(|change| !change.is_worse() && !change.is_better()), appearance, out)
}

fn section(name: &str, tone: Tone, changes: &[&Change], appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    title(out, appearance, tone, &format!("{}: {}", uppercase(name), counted(changes.len(), "answer")))?;
    for change in changes {
        let workload = change.workload.as_ref().map_or_else(
            || "the cluster as a whole".to_owned(),
            |workload| {
                let cluster = workload.cluster.as_deref().map(|cluster| format!("{cluster}: ")).unwrap_or_default();
                let container = change.container.as_deref().map(|container| format!(", container {container}")).unwrap_or_default();
                format!("{cluster}{}{container}", workload.key)
            },
        );
        let line =
            format!("{} {}: {} → {}", shown(&change.control), shown(&workload), told(change.before, change), told(change.after, change));
        prose(out, appearance, 2, &line)?;
        prose(out, appearance, 4, &format!("by {}", change.by.iter().map(|by| by.name()).collect::<Vec<_>>().join(", or ")))?;
        match (change.image_before.as_str(), change.image_after.as_str()) {
            ("", "") => {}
            (before, after) if before == after => prose(out, appearance, 4, &shown(after))?,
            ("", image) | (image, "") => prose(out, appearance, 4, &shown(image))?,
            (before, after) => prose(out, appearance, 4, &format!("{} → {}", shown(before), shown(after)))?,
        }
    }
    Ok(())
}

fn uppercase(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn told(state: Option<AnswerState>, change: &Change) -> String {
    match state {
        None if change.by == [ChangedBy::Workload] => "not there".to_owned(),
        None => "not judged".to_owned(),
        Some(AnswerState::Failed(reason)) => format!("failed ({reason})"),
        Some(AnswerState::Unknown(cause)) => format!("unknown ({cause})"),
        Some(AnswerState::AcceptedUnknown(cause)) => format!("unknown ({cause}), accepted"),
        Some(AnswerState::Excepted) => "excepted".to_owned(),
        Some(AnswerState::Passed) => "passed".to_owned(),
    }
}

/// What changed, as JSON.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// Always `seaworthy.dev/changes/v1`.
    api_version: &'static str,
    /// The old report.
    old: Side<'a>,
    /// The new one.
    new: Side<'a>,
    /// Documents and trust roots (kind `TrustRoot`) that are not the same.
    documents: Vec<Entry<'a>>,
    /// Answers that changed, the worse ones first.
    changes: Vec<ChangeEntry<'a>>,
}

/// One of the two reports.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Side<'a> {
    /// The moment as of which it was judged (RFC 3339).
    #[schemars(with = "String", extend("format" = "date-time"))]
    as_of: Timestamp,
    /// The program's version.
    tool_version: &'a str,
    /// Its compliance; null where it has none.
    compliance: Option<Compliance>,
}

/// A document.
#[derive(Serialize, JsonSchema)]
struct Entry<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its name.
    name: &'a str,
    /// What happened to it.
    change: DocumentChange,
}

/// One answer that changed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeEntry<'a> {
    /// The control.
    control: &'a str,
    /// Its severity.
    severity: Severity,
    /// Name of the workload's cluster, where reports have several.
    cluster: Option<&'a str>,
    /// The workload, `namespace/Kind/name`; null for a control about the cluster as a whole.
    workload: Option<String>,
    /// Who answers for it.
    owner: Option<&'a str>,
    /// The container.
    container: Option<&'a str>,
    /// The answer before; null where there was none.
    before: Option<State>,
    /// The answer now; null where there is none.
    after: Option<State>,
    /// `worse`, `better` or `otherwise`.
    direction: &'static str,
    /// Everything that may explain it, the likeliest first.
    by: &'a [ChangedBy],
    /// The image before; empty where there was none.
    image_before: &'a str,
    /// The image now.
    image_after: &'a str,
}

/// An answer.
#[derive(Serialize, JsonSchema)]
struct State {
    /// `failed`, `unknown`, `acceptedUnknown`, `excepted` or `passed`.
    status: &'static str,
    /// The stable reason or cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl From<AnswerState> for State {
    fn from(state: AnswerState) -> Self {
        let (status, code) = match state {
            AnswerState::Failed(reason) => ("failed", Some(reason.name())),
            AnswerState::Unknown(cause) => ("unknown", Some(cause.name())),
            AnswerState::AcceptedUnknown(cause) => ("acceptedUnknown", Some(cause.name())),
            AnswerState::Excepted => ("excepted", None),
            AnswerState::Passed => ("passed", None),
        };
        Self { status, code }
    }
}

impl<'a> Document<'a> {
    fn of(changes: &'a Changes) -> Self {
        let side = |of: &'a ComparedReport| Side { as_of: of.as_of, tool_version: &of.tool_version, compliance: of.compliance };
        Self {
            api_version: "seaworthy.dev/changes/v1",
            old: side(&changes.old),
            new: side(&changes.new),
            documents: changes.documents.iter().map(|of| Entry { kind: &of.kind, name: &of.name, change: of.how }).collect(),
            changes: changes.changes.iter().map(ChangeEntry::of).collect(),
        }
    }
}

impl<'a> ChangeEntry<'a> {
    fn of(change: &'a Change) -> Self {
        let workload = change.workload.as_ref();
        Self {
            control: &change.control,
            severity: change.severity,
            cluster: workload.and_then(|workload| workload.cluster.as_deref()),
            workload: workload.map(|workload| workload.key.to_string()),
            owner: workload.and_then(|workload| workload.owner.as_deref()),
            container: change.container.as_deref(),
            before: change.before.map(State::from),
            after: change.after.map(State::from),
            direction: match (change.is_worse(), change.is_better()) {
                (true, _) => "worse",
                (_, true) => "better",
                _ => "otherwise",
            },
            by: &change.by,
            image_before: &change.image_before,
            image_after: &change.image_after,
        }
    }
}
