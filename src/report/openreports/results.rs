//! Results: an answer about a container, about the cluster, or a part that could not be read.

use std::borrow::Cow;

use crate::model::{
    ContainerFinding, ControlOutcome, ControlResult, Judgement, Novelty, Report, Severity, Stage, Standing, WorkloadRecord,
};
use crate::report::advice::to_configure;
use crate::report::answer::{self, Status};
use crate::report::causes;

/// The closed list of both interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Fail,
    Warn,
    Error,
    Skip,
}

impl Outcome {
    /// In the order of the interfaces' summaries.
    pub(super) const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Warn, Self::Error, Self::Skip];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Skip => "skip",
        }
    }

    /// Both interfaces say: `warn` is a failure that is not scored, `error` could not be evaluated, `skip` was not selected.
    fn of(status: Status, stage: Stage) -> Self {
        match (status, stage) {
            (Status::Passed, _) => Self::Pass,
            (Status::Failed, Stage::Stable) => Self::Fail,
            (Status::Failed, Stage::Preview) => Self::Warn,
            (Status::Unknown | Status::AcceptedUnknown, _) => Self::Error,
            (Status::Excepted, _) => Self::Skip,
        }
    }
}

/// One result; empty properties are left out.
pub(super) struct ResultEntry<'a> {
    pub(super) policy: &'a str,
    pub(super) rule: &'a str,
    pub(super) outcome: Outcome,
    pub(super) scored: bool,
    pub(super) severity: Option<Severity>,
    pub(super) message: Cow<'a, str>,
    pub(super) properties: Vec<(&'static str, Cow<'a, str>)>,
}

/// Where a finding about a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) workload: u32,
    control: usize,
    finding: usize,
}

/// Findings by workload, then by control.
pub(super) fn by_workload(report: &Report) -> Vec<At> {
    let mut index: Vec<At> = Vec::with_capacity(report.controls.iter().map(|control| control.findings().len()).sum());
    for (control, result) in report.controls.iter().enumerate() {
        index.extend(result.findings().iter().enumerate().map(|(finding, of)| At { workload: of.workload, control, finding }));
    }
    index.sort_unstable();
    index
}

/// What a control says of a workload's containers.
pub(super) fn of_workload<'a>(report: &'a Report, workload: &'a WorkloadRecord, at: &At) -> impl Iterator<Item = ResultEntry<'a>> {
    let control = report.controls.get(at.control);
    let finding = control.and_then(|control| control.findings().get(at.finding));
    let containers = finding.map_or(&[][..], |finding| &finding.containers);
    control.into_iter().flat_map(move |control| containers.iter().map(move |container| of_container(report, control, workload, container)))
}

fn of_container<'a>(
    report: &'a Report,
    control: &'a ControlResult,
    workload: &'a WorkloadRecord,
    container: &'a ContainerFinding,
) -> ResultEntry<'a> {
    let mut properties = vec![
        ("container", Cow::Borrowed(container.container.as_str())),
        ("containerKind", answer::container_kind(container.kind).into()),
        ("injected", answer::injected(container).into()),
        ("image", container.reference.as_str().into()),
        ("digest", container.digest.as_ref().map(ToString::to_string).unwrap_or_default().into()),
        ("basis", answer::basis(container.basis).into()),
        ("path", container.path.as_str().into()),
        ("owner", workload.owner.as_deref().unwrap_or_default().into()),
        ("cause", causes::id_of(control, container).unwrap_or_default().into()),
        ("remediation", container.remediation.as_str().into()),
    ];
    if let Some(position) = &container.position {
        properties.push(("position", format!("{}:{}:{}", position.file, position.line, position.column).into()));
    }
    properties.extend(standing(report, container.standing));
    properties.extend(novelty(container.novelty));
    of_answer(control, &container.judgement, container.standing, properties)
}

fn of_answer<'a>(
    control: &'a ControlResult,
    judgement: &'a Judgement,
    standing: Standing,
    mut properties: Vec<(&'static str, Cow<'a, str>)>,
) -> ResultEntry<'a> {
    let status = Status::of(judgement, standing);
    properties.insert(0, ("status", status.name().into()));
    properties.push(("reason", answer::code(judgement).into()));
    let detail = answer::detail(judgement);
    ResultEntry {
        policy: &control.id,
        rule: &control.title,
        outcome: Outcome::of(status, control.stage),
        scored: control.stage == Stage::Stable,
        severity: Some(control.severity),
        message: if detail.is_empty() { control.title.as_str().into() } else { detail.into() },
        properties,
    }
}

fn standing(report: &Report, standing: Standing) -> Vec<(&'static str, Cow<'_, str>)> {
    let Standing::Excepted(at) = standing else { return Vec::new() };
    let Some(exception) = usize::try_from(at).ok().and_then(|at| report.exceptions.get(at)) else { return Vec::new() };
    vec![
        ("exception", exception.name.as_str().into()),
        ("exceptionReason", exception.reason.as_str().into()),
        ("exceptionExpires", exception.expires.map(|expires| expires.to_string()).unwrap_or_default().into()),
    ]
}

fn novelty(novelty: Option<Novelty>) -> Option<(&'static str, Cow<'static, str>)> {
    let told = match novelty? {
        Novelty::New => "new",
        Novelty::Known => "known",
    };
    Some(("novelty", told.into()))
}

/// What is about no workload: answers about the cluster, controls that judged nothing, and what could not be read.
pub(super) fn of_scan(report: &Report) -> Vec<ResultEntry<'_>> {
    let gaps = report.gaps.iter().map(|gap| ResultEntry {
        policy: "gap",
        rule: gap.cause.name(),
        outcome: Outcome::Error,
        scored: false,
        severity: None,
        message: format!("{} could not be read: {}", gap.what, gap.detail).into(),
        properties: vec![
            ("status", "gap".into()),
            ("cluster", gap.cluster.as_deref().unwrap_or_default().into()),
            ("namespace", gap.namespace.as_deref().unwrap_or_default().into()),
            ("workloadsMissing", gap.workloads_missing.to_string().into()),
        ],
    });
    gaps.chain(report.controls.iter().filter_map(|control| of_control(report, control))).collect()
}

fn of_control<'a>(report: &'a Report, control: &'a ControlResult) -> Option<ResultEntry<'a>> {
    let (status, message) = match &control.outcome {
        ControlOutcome::Judged { .. } => return None,
        ControlOutcome::Cluster { judgement, standing: how, novelty: new, .. } => {
            let mut properties = vec![("cause", Cow::Owned(causes::id_of_cluster(control, judgement).unwrap_or_default()))];
            if !matches!(judgement, Judgement::Pass { .. }) {
                properties.push(("remediation", control.remediation.as_str().into()));
            }
            properties.extend(standing(report, *how));
            properties.extend(novelty(*new));
            return Some(of_answer(control, judgement, *how, properties));
        }
        ControlOutcome::Irrelevant => ("irrelevant", Cow::Borrowed("nothing is in its scope")),
        ControlOutcome::Unconfigured { missing } => ("unconfigured", to_configure(missing).into()),
        ControlOutcome::RequiresReview { text } => ("requiresReview", format!("needs a person: {text}").into()),
    };
    Some(ResultEntry {
        policy: &control.id,
        rule: &control.title,
        outcome: Outcome::Skip,
        scored: false,
        severity: Some(control.severity),
        message,
        properties: vec![("status", status.into())],
    })
}
