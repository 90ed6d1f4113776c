//! Open answers: what fails or is not known, excepted or not, each with by what it is known again.

use std::collections::HashMap;

use super::advice;
use super::answer::{Status, container_kind, detail};
use super::causes::{self, Open, hash};
use super::place::Place;
use super::terminal::shown;
use crate::model::{
    ContainerFinding, ControlOutcome, ControlResult, ExceptionRecord, Judgement, Novelty, Origin, Report, Stage, Standing, WorkloadRecord,
};

/// An answer that is no pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenAnswer<'a> {
    /// The control that it is of.
    pub(super) control: &'a ControlResult,
    /// What is open.
    pub(super) open: Open,
    /// The answer itself.
    pub(super) judgement: &'a Judgement,
    /// How it counts.
    pub(super) standing: Standing,
    /// How it stands beside a baseline.
    pub(super) novelty: Option<Novelty>,
    /// The container that it is about; none for what is about the cluster as a whole.
    pub(super) subject: Option<Subject<'a>>,
    /// Which of those with the same identity it is, from 1.
    nth: u32,
}

/// A container of a workload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The workload.
    pub(super) workload: &'a WorkloadRecord,
    /// What was found about its container.
    pub(super) finding: &'a ContainerFinding,
}

impl<'a> OpenAnswer<'a> {
    /// How it came out and counts; the most urgent is the least in order.
    pub(super) fn status(&self) -> Status {
        Status::of(self.judgement, self.standing)
    }

    /// Whether its control is so new that it stands outside every gate.
    pub(super) fn is_preview(&self) -> bool {
        self.control.stage == Stage::Preview
    }

    /// Where it stands.
    pub(super) fn place(&self, report: &Report) -> Place {
        self.subject.map_or_else(|| Place::of_all(report), |Subject { workload, finding }| Place::of(report, workload, finding))
    }

    /// The identifier of its cause: see [`causes::CauseGroup::id`].
    pub(super) fn cause(&self) -> String {
        let of_cluster = || causes::id_of_cluster(self.control, self.judgement);
        self.subject.map_or_else(of_cluster, |subject| causes::id_of(self.control, subject.finding)).unwrap_or_default()
    }

    /// By what it is known again: 16 hexadecimal digits of control, cluster, file, workload and container, and behind a colon which of
    /// those with the same it is. Neither tag nor digest is in it, so that it survives a new one; while a roll-out runs two images in one
    /// container, the second is another finding, which is gone when the roll-out is over.
    pub(super) fn fingerprint(&self, report: &Report) -> String {
        format!("{:016x}:{}", self.identity(report), self.nth)
    }

    /// What it is about, for a person.
    pub(super) fn whose(&self, report: &Report) -> String {
        let Some(Subject { workload, finding }) = self.subject else { return "the cluster as a whole".to_owned() };
        let key = &workload.key;
        let name = if key.namespace.is_empty() { key.name.to_string() } else { format!("{}/{}", key.namespace, key.name) };
        if workload.origin == Origin::Argument {
            return format!("image '{}'", shown(&key.name));
        }
        let cluster = workload.cluster.as_deref().filter(|_| report.header.clusters.len() > 1);
        let cluster = cluster.map(|cluster| format!(" in cluster '{}'", shown(cluster))).unwrap_or_default();
        format!("{} '{}'{cluster}, container '{}'", shown(&key.kind), shown(&name), shown(&finding.container))
    }

    /// What was found, in one sentence without its full stop.
    pub(super) fn found(&self) -> String {
        let detail = shown(detail(self.judgement).trim_end_matches('.'));
        match self.open {
            Open::Failed(_) if detail.is_empty() => format!("it does not hold ({})", self.open.code()),
            Open::Failed(_) => detail.into_owned(),
            Open::Unknown(cause) if detail.is_empty() => format!("not known ({cause})"),
            Open::Unknown(cause) => format!("not known ({cause}): {detail}"),
        }
    }

    /// What it is about and what was found, as one sentence.
    pub(super) fn sentence(&self, report: &Report) -> String {
        let found = self.found();
        let full_stop = if found.ends_with(['?', '!', '…']) { "" } else { "." };
        format!("{}: {found}{full_stop}", self.whose(report))
    }

    /// What to do about it, ending with a full stop; empty where nothing is known to help. A command is never its last word, so that it
    /// can be copied.
    pub(super) fn way_out(&self) -> String {
        let remediation = self.subject.map_or(self.control.remediation.as_str(), |subject| subject.finding.remediation.as_str());
        match self.open {
            Open::Unknown(cause) => advice(cause).to_owned(),
            Open::Failed(reason) if remediation.is_empty() => format!("(Reason: {reason}.)"),
            Open::Failed(reason) => format!("{} (reason: {reason}).", shown(remediation.trim_end_matches('.'))),
        }
    }

    /// The exception that is in force for it.
    pub(super) fn exception(&self, report: &'a Report) -> Option<&'a ExceptionRecord> {
        match self.standing {
            Standing::Excepted(at) => usize::try_from(at).ok().and_then(|at| report.exceptions.get(at)),
            Standing::AsIs | Standing::AcceptedUnknown => None,
        }
    }

    fn identity(&self, report: &Report) -> u64 {
        let Some(Subject { workload, finding }) = self.subject else { return hash(&["finding", &self.control.id]) };
        let key = &workload.key;
        let cluster = workload.cluster.as_deref().unwrap_or_default();
        let kind = container_kind(finding.kind);
        // Overlays have the same workload in several files.
        let file = match workload.origin {
            Origin::Manifest { .. } => self.place(report).path,
            Origin::Cluster | Origin::OwnerReference | Origin::Argument => String::new(),
        };
        let parts =
            ["finding", &self.control.id, cluster, &file, key.group(), &key.kind, &key.namespace, &key.name, kind, &finding.container];
        hash(&parts)
    }

    /// The answer about a container; none for a pass. Its fingerprint takes it for the first of its container.
    pub(super) fn of_container(control: &'a ControlResult, workload: &'a WorkloadRecord, finding: &'a ContainerFinding) -> Option<Self> {
        let subject = Some(Subject { workload, finding });
        let (standing, novelty) = (finding.standing, finding.novelty);
        Self::of(control, &finding.judgement).map(|answer| Self { standing, novelty, subject, ..answer })
    }

    /// The answer about the cluster as a whole; none for a pass, and for a control that is not about it.
    pub(super) fn of_cluster(control: &'a ControlResult) -> Option<Self> {
        let ControlOutcome::Cluster { judgement, standing, novelty, .. } = &control.outcome else { return None };
        Self::of(control, judgement).map(|answer| Self { standing: *standing, novelty: *novelty, ..answer })
    }

    fn of(control: &'a ControlResult, judgement: &'a Judgement) -> Option<Self> {
        let open = Open::of(judgement)?;
        Some(Self { control, open, judgement, standing: Standing::AsIs, novelty: None, subject: None, nth: 1 })
    }

    /// Whether it counts at a gate: not accepted or excepted, new beside a baseline, and of a control that is no preview.
    pub(super) fn counts(&self) -> bool {
        self.standing == Standing::AsIs && self.novelty != Some(Novelty::Known) && !self.is_preview()
    }

    /// Why it does not count, in one sentence with its full stop; none where it does.
    pub(super) fn excuse(&self, report: &Report) -> Option<String> {
        if let Some(exception) = self.exception(report) {
            let until = exception.expires.map(|expires| format!(" until {}", expires.strftime("%Y-%m-%d"))).unwrap_or_default();
            let reason = shown(exception.reason.trim_end_matches('.'));
            return Some(if reason.is_empty() { format!("Excepted{until}.") } else { format!("Excepted{until}: {reason}.") });
        }
        match (self.standing, self.novelty) {
            (Standing::Excepted(_), _) => Some("Excepted.".to_owned()),
            (Standing::AcceptedUnknown, _) => Some("Not to know it is accepted for this run.".to_owned()),
            (Standing::AsIs, Some(Novelty::Known)) => Some("The baseline has it already.".to_owned()),
            (Standing::AsIs, _) if self.is_preview() => Some("The control is in preview and counts nowhere.".to_owned()),
            (Standing::AsIs, _) => None,
        }
    }
}

/// Every open answer of a report, in its order: controls by severity, then workloads.
pub(super) fn open_answers(report: &Report) -> Vec<OpenAnswer<'_>> {
    let containers = report.controls.iter().flat_map(ControlResult::findings).flat_map(|finding| &finding.containers);
    let open = containers.filter(|container| !matches!(container.judgement, Judgement::Pass { .. })).count();
    // Exactly: a list that grows takes three times as much for a moment.
    let mut all = Vec::with_capacity(open + report.controls.len());
    for control in &report.controls {
        all.extend(OpenAnswer::of_cluster(control));
        let mut known: HashMap<u64, u32> = HashMap::new();
        for of_workload in control.findings() {
            let Some(workload) = usize::try_from(of_workload.workload).ok().and_then(|at| report.workloads.get(at)) else { continue };
            for finding in &of_workload.containers {
                let Some(answer) = OpenAnswer::of_container(control, workload, finding) else { continue };
                let nth = known.entry(answer.identity(report)).or_default();
                *nth += 1;
                all.push(OpenAnswer { nth: *nth, ..answer });
            }
        }
    }
    all
}
