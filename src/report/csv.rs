//! Findings for spreadsheets and tickets: a row for each control and container, passes included.
//!
//! RFC 4180 with a header. No cell begins a formula, and control characters are escaped, so that each row is one line.

use std::borrow::Cow;
use std::io::{self, Write};

use super::cells::write_row;
use super::{answer, causes};
use crate::model::{
    ContainerFinding, ControlOutcome, ControlResult, Gap, Judgement, Novelty, Origin, Report, Stage, Standing, WorkloadRecord,
};

/// The header: columns are added at the end, never renamed or moved.
pub const COLUMNS: [&str; 31] = [
    "as_of",
    "cluster",
    "namespace",
    "api_version",
    "kind",
    "name",
    "owner",
    "container",
    "container_kind",
    "injected",
    "image",
    "digest",
    "basis",
    "pods",
    "control",
    "title",
    "severity",
    "stage",
    "status",
    "reason",
    "detail",
    "exception",
    "exception_reason",
    "exception_expires",
    "new",
    "cause",
    "file",
    "line",
    "column",
    "rendered_from",
    "remediation",
];

/// One row; what does not apply is empty.
#[derive(Default)]
struct Row<'a> {
    cluster: &'a str,
    workload: Option<&'a WorkloadRecord>,
    namespace: &'a str,
    container: Option<&'a ContainerFinding>,
    control: Option<&'a ControlResult>,
    status: &'a str,
    reason: &'a str,
    detail: Cow<'a, str>,
    standing: Standing,
    novelty: Option<Novelty>,
    cause: String,
    remediation: &'a str,
}

/// Writes the rows: gaps first, then the controls in the order of the report. What could not be read has a row with the status `gap`, and
/// a control that judged nothing one that says why.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    write_row(COLUMNS, out)?;
    let as_of = report.header.as_of.to_string();
    let mut write = |row: &Row<'_>| write_row(cells(report, &as_of, row), out);
    for gap in &report.gaps {
        write(&of_gap(gap))?;
    }
    for control in &report.controls {
        if let Some(row) = of_control(control) {
            write(&row)?;
        }
        for finding in control.findings() {
            let Some(workload) = usize::try_from(finding.workload).ok().and_then(|at| report.workloads.get(at)) else { continue };
            for container in &finding.containers {
                write(&of_container(control, workload, container))?;
            }
        }
    }
    Ok(())
}

fn of_gap(gap: &Gap) -> Row<'_> {
    Row {
        cluster: gap.cluster.as_deref().unwrap_or_default(),
        namespace: gap.namespace.as_deref().unwrap_or_default(),
        status: "gap",
        reason: gap.cause.name(),
        detail: Cow::Owned(format!("{}: {}", gap.what, gap.detail)),
        ..Row::default()
    }
}

/// The row of a control that is not about workloads, or that judged none.
fn of_control(control: &ControlResult) -> Option<Row<'_>> {
    let base = Row { control: Some(control), ..Row::default() };
    Some(match &control.outcome {
        ControlOutcome::Judged { .. } => return None,
        ControlOutcome::Irrelevant => Row { status: "irrelevant", detail: "nothing is in its scope".into(), ..base },
        ControlOutcome::Unconfigured { missing } => {
            Row { status: "unconfigured", detail: Cow::Owned(super::advice::to_configure(missing)), ..base }
        }
        ControlOutcome::RequiresReview { text } => Row { status: "requiresReview", detail: text.into(), ..base },
        ControlOutcome::Cluster { judgement, standing, novelty, .. } => Row {
            status: answer::Status::of(judgement, *standing).name(),
            reason: answer::code(judgement),
            detail: answer::detail(judgement).into(),
            standing: *standing,
            novelty: *novelty,
            cause: causes::id_of_cluster(control, judgement).unwrap_or_default(),
            remediation: if matches!(judgement, Judgement::Pass { .. }) { "" } else { &control.remediation },
            ..base
        },
    })
}

fn of_container<'a>(control: &'a ControlResult, workload: &'a WorkloadRecord, container: &'a ContainerFinding) -> Row<'a> {
    Row {
        cluster: workload.cluster.as_deref().unwrap_or_default(),
        workload: Some(workload),
        namespace: &workload.key.namespace,
        container: Some(container),
        control: Some(control),
        status: answer::Status::of(&container.judgement, container.standing).name(),
        reason: answer::code(&container.judgement),
        detail: answer::detail(&container.judgement).into(),
        standing: container.standing,
        novelty: container.novelty,
        cause: causes::id_of(control, container).unwrap_or_default(),
        remediation: &container.remediation,
    }
}

fn cells<'a>(report: &'a Report, as_of: &'a str, row: &'a Row<'_>) -> [Cow<'a, str>; COLUMNS.len()] {
    let owned = |text: Option<String>| Cow::Owned(text.unwrap_or_default());
    let key = row.workload.map(|workload| &workload.key);
    let container = row.container;
    let position = container.and_then(|container| container.position.as_deref());
    let exception = match row.standing {
        Standing::Excepted(at) => usize::try_from(at).ok().and_then(|at| report.exceptions.get(at)),
        Standing::AsIs | Standing::AcceptedUnknown => None,
    };
    [
        as_of.into(),
        row.cluster.into(),
        row.namespace.into(),
        key.map_or("", |key| &key.api_version).into(),
        key.map_or("", |key| &key.kind).into(),
        key.map_or("", |key| &key.name).into(),
        row.workload.and_then(|workload| workload.owner.as_deref()).unwrap_or_default().into(),
        container.map_or("", |container| &container.container).into(),
        container.map_or("", |container| answer::container_kind(container.kind)).into(),
        container.map_or("", answer::injected).into(),
        container.map_or("", |container| &container.reference).into(),
        owned(container.and_then(|container| container.digest.as_ref()).map(ToString::to_string)),
        container.map_or("", |container| answer::basis(container.basis)).into(),
        owned(container.map(|container| container.pods.count.to_string())),
        row.control.map_or("", |control| &control.id).into(),
        row.control.map_or("", |control| &control.title).into(),
        row.control.map_or("", |control| control.severity.name()).into(),
        row.control
            .map_or("", |control| match control.stage {
                Stage::Stable => "stable",
                Stage::Preview => "preview",
            })
            .into(),
        row.status.into(),
        row.reason.into(),
        Cow::Borrowed(&row.detail),
        exception.map_or("", |exception| &exception.name).into(),
        exception.map_or("", |exception| &exception.reason).into(),
        owned(exception.and_then(|exception| exception.expires).map(|expires| expires.to_string())),
        match row.novelty {
            None => "",
            Some(Novelty::New) => "new",
            Some(Novelty::Known) => "known",
        }
        .into(),
        Cow::Borrowed(&row.cause),
        position.map_or_else(|| row.workload.map_or("", file_of), |position| &position.file).into(),
        owned(position.map(|position| position.line.to_string())),
        owned(position.map(|position| position.column.to_string())),
        position.and_then(|position| position.rendered_from.as_deref()).unwrap_or_default().into(),
        row.remediation.into(),
    ]
}

/// The manifest that a workload was read from.
fn file_of(workload: &WorkloadRecord) -> &str {
    match &workload.origin {
        Origin::Manifest { file, .. } => file,
        Origin::Cluster | Origin::OwnerReference | Origin::Argument => "",
    }
}
