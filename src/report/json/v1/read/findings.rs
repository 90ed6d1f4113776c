//! Controls, gates and findings, read back.

use serde::Deserialize;

use super::each;
use crate::model::{
    Basis, Cause, Compliance, ContainerFinding, ContainerKind, ControlOutcome, ControlResult, ControlStatus, Counts, DeclaredBecause,
    DeclaredIn, Digest, Evidence, GateCheck, GateOutcome, GateResult, Judgement, Novelty, PodSample, Reason, Severity, SharedText,
    SourcePosition, Stage, Standing,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Control {
    id: String,
    title: String,
    severity: Severity,
    base_score: u8,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    threats: Vec<String>,
    #[serde(default)]
    rationale: String,
    #[serde(default)]
    remediation: String,
    #[serde(default)]
    references: Vec<String>,
    status: Status,
    compliance: Option<Compliance>,
    counts: Counts,
    #[serde(default)]
    missing_parameters: Vec<String>,
    review: Option<String>,
    cluster: Option<Answer>,
    cluster_exception: Option<u32>,
    cluster_novelty: Option<Novelty>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Failed,
    Unknown,
    Passed,
    Irrelevant,
    Unconfigured,
    RequiresReview,
}

impl From<Control> for ControlResult {
    fn from(entry: Control) -> Self {
        let compliance = entry.compliance.unwrap_or_else(|| Compliance::exact(0.0));
        let outcome = match (entry.status, entry.cluster) {
            (Status::Irrelevant, _) => ControlOutcome::Irrelevant,
            (Status::Unconfigured, _) => ControlOutcome::Unconfigured { missing: entry.missing_parameters },
            (Status::RequiresReview, _) => ControlOutcome::RequiresReview { text: entry.review.unwrap_or_default() },
            (Status::Failed | Status::Unknown | Status::Passed, Some(answer)) => {
                let (judgement, accepted) = answer.judgement();
                let standing = standing(accepted, entry.cluster_exception);
                ControlOutcome::Cluster { judgement, standing, novelty: entry.cluster_novelty, compliance }
            }
            (Status::Failed | Status::Unknown | Status::Passed, None) => ControlOutcome::Judged { compliance, findings: Vec::new() },
        };
        Self {
            id: entry.id,
            title: entry.title,
            base_score: entry.base_score,
            severity: entry.severity,
            stage: entry.stage,
            threats: entry.threats,
            rationale: entry.rationale,
            remediation: entry.remediation,
            references: entry.references,
            counts: entry.counts,
            outcome,
        }
    }
}

fn standing(accepted: bool, exception: Option<u32>) -> Standing {
    match (exception, accepted) {
        (Some(position), _) => Standing::Excepted(position),
        (None, true) => Standing::AcceptedUnknown,
        (None, false) => Standing::AsIs,
    }
}

#[derive(Deserialize)]
pub(super) struct GateEntry {
    check: Check,
    outcome: GateOutcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "of")]
enum Check {
    Compliance {
        threshold: f64,
        compliance: Option<Compliance>,
    },
    #[serde(rename_all = "camelCase")]
    Severity {
        at_least: Severity,
        failing: Vec<String>,
        unknown: Vec<String>,
    },
    Controls {
        named: Vec<String>,
        failing: Vec<String>,
        unknown: Vec<String>,
    },
}

impl From<GateEntry> for GateResult {
    fn from(entry: GateEntry) -> Self {
        let check = match entry.check {
            Check::Compliance { threshold, compliance } => GateCheck::Compliance { threshold, reached: compliance },
            Check::Severity { at_least, failing, unknown } => GateCheck::Severity { at_least, failing, unknown },
            Check::Controls { named, failing, unknown } => GateCheck::Controls { named, failing, unknown },
        };
        Self { check, outcome: entry.outcome }
    }
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) control: SharedText,
    pub(super) workload: u32,
    pub(super) status: ControlStatus,
    #[serde(deserialize_with = "each::<_, Container, _>")]
    pub(super) containers: Vec<ContainerFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: SharedText,
    kind: ContainerKind,
    path: SharedText,
    position: Option<Box<SourcePosition>>,
    declared_in: DeclaredIn,
    reference: SharedText,
    digest: Option<Digest>,
    basis: BasisEntry,
    pods: PodSample,
    answer: Answer,
    exception: Option<u32>,
    novelty: Option<Novelty>,
    #[serde(default)]
    remediation: String,
    #[serde(default)]
    warnings: Vec<String>,
    image: Option<u32>,
}

impl From<Container> for ContainerFinding {
    fn from(entry: Container) -> Self {
        let (judgement, accepted) = entry.answer.judgement();
        Self {
            container: entry.name,
            kind: entry.kind,
            path: entry.path,
            position: entry.position,
            declared_in: entry.declared_in,
            reference: entry.reference,
            digest: entry.digest,
            basis: entry.basis.into(),
            pods: entry.pods,
            judgement,
            standing: standing(accepted, entry.exception),
            novelty: entry.novelty,
            remediation: entry.remediation,
            warnings: entry.warnings,
            evidence: entry.image.map(|image| Evidence { image }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum BasisEntry {
    Running,
    Finished,
    DeclaredNoPods,
    DeclaredSuspended,
    DeclaredNotStarted,
    DeclaredManifest,
    DeclaredNotReported,
    DeclaredPodsNotListed,
}

impl From<BasisEntry> for Basis {
    fn from(entry: BasisEntry) -> Self {
        match entry {
            BasisEntry::Running => Self::Running,
            BasisEntry::Finished => Self::Finished,
            BasisEntry::DeclaredNoPods => Self::Declared(DeclaredBecause::NoPods),
            BasisEntry::DeclaredSuspended => Self::Declared(DeclaredBecause::Suspended),
            BasisEntry::DeclaredNotStarted => Self::Declared(DeclaredBecause::NotStarted),
            BasisEntry::DeclaredManifest => Self::Declared(DeclaredBecause::Manifest),
            BasisEntry::DeclaredNotReported => Self::Declared(DeclaredBecause::NotReported),
            BasisEntry::DeclaredPodsNotListed => Self::Declared(DeclaredBecause::PodsNotListed),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
enum Answer {
    Passed { detail: String },
    Failed { reason: Reason, detail: String },
    Unknown { cause: Cause, detail: String, accepted: bool },
}

impl Answer {
    /// The answer, and whether its unknown is accepted.
    fn judgement(self) -> (Judgement, bool) {
        match self {
            Self::Passed { detail } => (Judgement::Pass { detail }, false),
            Self::Failed { reason, detail } => (Judgement::Fail { reason, detail }, false),
            Self::Unknown { cause, detail, accepted } => (Judgement::Unknown { cause, detail }, accepted),
        }
    }
}
