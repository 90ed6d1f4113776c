//! Controls, frameworks, the gate, workloads and findings.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Each, Object, Percent};
use crate::model::{self, Cause, ControlOutcome, Judgement, Reason, Severity};

/// How one control came out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Control<'a> {
    /// Identifier.
    id: &'a str,
    /// Title.
    title: &'a str,
    /// Severity by base score.
    severity: Severity,
    /// Base score, 1 to 10.
    base_score: u8,
    /// SLSA threats (letters of SLSA 1.0) that it sees.
    threats: &'a [String],
    /// Why it matters.
    rationale: &'a str,
    /// How to fix it.
    remediation: &'a str,
    /// References; the first is its documentation.
    references: &'a [String],
    /// How it came out.
    status: ControlStatus,
    /// Its compliance; null where it has none.
    compliance: Option<Percent>,
    /// Workloads by status.
    counts: Counts,
    /// Obligatory parameters that are not set, for `unconfigured`.
    missing_parameters: &'a [String],
    /// What a person has to review, for `requiresReview`; else null.
    review: Option<&'a str>,
    /// The answer of a control about the cluster as a whole; null for all others.
    cluster: Option<Answer<'a>>,
}

impl<'a> From<&'a model::ControlResult> for Control<'a> {
    fn from(control: &'a model::ControlResult) -> Self {
        let (missing_parameters, review, cluster): (&[String], _, _) = match &control.outcome {
            ControlOutcome::Unconfigured { missing } => (missing, None, None),
            ControlOutcome::RequiresReview { text } => (&[], Some(text.as_str()), None),
            ControlOutcome::Cluster { judgement, .. } => (&[], None, Some(Answer::of(judgement, false))),
            ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant => (&[], None, None),
        };
        Self {
            id: &control.id,
            title: &control.title,
            severity: control.severity,
            base_score: control.base_score,
            threats: &control.threats,
            rationale: &control.rationale,
            remediation: &control.remediation,
            references: &control.references,
            status: ControlStatus::of(control),
            compliance: control.compliance().map(Percent::from),
            counts: Counts::from(control.counts),
            missing_parameters,
            review,
            cluster,
        }
    }
}

/// How a control came out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ControlStatus {
    /// A workload, or the cluster, fails it.
    Failed,
    /// Nothing fails it, something is unknown.
    Unknown,
    /// All pass.
    Passed,
    /// Nothing was in its scope.
    Irrelevant,
    /// Obligatory parameters are not set.
    Unconfigured,
    /// It needs a person.
    RequiresReview,
}

impl ControlStatus {
    fn of(control: &model::ControlResult) -> Self {
        match &control.outcome {
            ControlOutcome::Judged { .. } if control.counts.failed > 0 => Self::Failed,
            ControlOutcome::Judged { .. } if control.counts.unknown + control.counts.accepted > 0 => Self::Unknown,
            ControlOutcome::Judged { .. } => Self::Passed,
            ControlOutcome::Irrelevant => Self::Irrelevant,
            ControlOutcome::Unconfigured { .. } => Self::Unconfigured,
            ControlOutcome::RequiresReview { .. } => Self::RequiresReview,
            ControlOutcome::Cluster { judgement, .. } => match judgement {
                Judgement::Pass { .. } => Self::Passed,
                Judgement::Fail { .. } => Self::Failed,
                Judgement::Unknown { .. } => Self::Unknown,
            },
        }
    }
}

/// Workloads by status.
#[derive(Serialize, JsonSchema)]
struct Counts {
    /// Passed.
    passed: u64,
    /// Failed.
    failed: u64,
    /// Unknown, accepted ones not among them.
    unknown: u64,
    /// Unknown by a cause that the user accepts.
    accepted: u64,
    /// Outside the control's scope: not in the score.
    irrelevant: u64,
}

impl From<model::Counts> for Counts {
    fn from(counts: model::Counts) -> Self {
        let model::Counts { passed, failed, unknown, accepted, irrelevant } = counts;
        Self { passed, failed, unknown, accepted, irrelevant }
    }
}

/// How one framework came out.
#[derive(Serialize, JsonSchema)]
pub(super) struct Framework<'a> {
    /// Identifier.
    id: &'a str,
    /// Title.
    title: &'a str,
    /// Its controls.
    controls: &'a [String],
    /// The mean of its configured controls; null where none has a compliance.
    compliance: Option<Percent>,
}

impl<'a> From<&'a model::FrameworkResult> for Framework<'a> {
    fn from(framework: &'a model::FrameworkResult) -> Self {
        Self {
            id: &framework.id,
            title: &framework.title,
            controls: &framework.controls,
            compliance: framework.compliance.map(Percent::from),
        }
    }
}

/// The gate.
#[derive(Serialize, JsonSchema)]
pub(super) struct Gate {
    /// The threshold, percent.
    threshold: f64,
    /// The compliance that it was compared with, accepted unknowns counted as passed.
    compliance: Option<Percent>,
    /// How it came out.
    outcome: GateOutcome,
}

/// How a gate came out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum GateOutcome {
    /// Even the lower end is enough.
    Met,
    /// Even the upper end is not enough.
    Missed,
    /// The unknowns decide.
    Undecided,
    /// Nothing was applicable: not a pass.
    NothingApplicable,
}

impl From<&model::GateResult> for Gate {
    fn from(gate: &model::GateResult) -> Self {
        let outcome = match gate.outcome {
            model::GateOutcome::Met => GateOutcome::Met,
            model::GateOutcome::Missed => GateOutcome::Missed,
            model::GateOutcome::Undecided => GateOutcome::Undecided,
            model::GateOutcome::NothingApplicable => GateOutcome::NothingApplicable,
        };
        Self { threshold: gate.threshold, compliance: gate.compliance.map(Percent::from), outcome }
    }
}

/// A workload.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Workload<'a> {
    /// Its name.
    #[serde(flatten)]
    object: Object<'a>,
    /// `group/version/namespace/kind/name`.
    resource_id: String,
    /// Where it was read from.
    origin: Origin<'a>,
    /// Pods folded into it.
    pods: u32,
    /// Its labels.
    labels: &'a model::Labels,
}

impl<'a> From<&'a model::WorkloadRecord> for Workload<'a> {
    fn from(workload: &'a model::WorkloadRecord) -> Self {
        Self {
            object: Object::from(&workload.key),
            resource_id: workload.key.resource_id(),
            origin: Origin::from(&workload.origin),
            pods: workload.pods,
            labels: &workload.labels,
        }
    }
}

/// Where a workload was read from.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "from")]
enum Origin<'a> {
    /// The API server.
    Cluster,
    /// The API server, but only named by an `ownerReference`: a higher owner may exist.
    OwnerReference,
    /// A manifest.
    Manifest {
        /// The path as it was given, `-` for standard input.
        file: &'a str,
        /// Position of the document in the file, from 0.
        document: u32,
    },
    /// An image named on the command line; there is no workload.
    Argument,
}

impl<'a> From<&'a model::Origin> for Origin<'a> {
    fn from(origin: &'a model::Origin) -> Self {
        match origin {
            model::Origin::Cluster => Self::Cluster,
            model::Origin::OwnerReference => Self::OwnerReference,
            model::Origin::Manifest { file, document } => Self::Manifest { file, document: *document },
            model::Origin::Argument => Self::Argument,
        }
    }
}

/// Findings of all controls, in the order of the controls, then of the workloads.
pub(super) struct Findings<'a>(pub(super) &'a [model::ControlResult]);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|control| control.findings().iter().map(|finding| Finding::of(&control.id, finding))))
    }
}

/// What a control says about one workload.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding<'a> {
    /// Identifier of the control.
    control: &'a str,
    /// Position of the workload in `workloads`.
    workload: u32,
    /// How it came out.
    status: Status,
    /// Its containers in the control's scope.
    containers: Each<'a, model::ContainerFinding, Container<'a>>,
}

impl<'a> Finding<'a> {
    fn of(control: &'a str, finding: &'a model::WorkloadFinding) -> Self {
        let status = match finding.status {
            model::ControlStatus::Failed => Status::Failed,
            model::ControlStatus::Unknown => Status::Unknown,
            model::ControlStatus::AcceptedUnknown => Status::AcceptedUnknown,
            model::ControlStatus::Passed => Status::Passed,
            model::ControlStatus::Irrelevant => Status::Irrelevant,
        };
        Self { control, workload: finding.workload, status, containers: Each::of(&finding.containers) }
    }
}

/// How a workload came out under a control.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Status {
    /// Any container fails.
    Failed,
    /// None fails, one is unknown and not accepted.
    Unknown,
    /// None fails, the unknown ones are all accepted.
    AcceptedUnknown,
    /// All pass.
    Passed,
    /// No container is in the control's scope.
    Irrelevant,
}

/// What a control says about one image of one container.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    /// Its name.
    name: &'a str,
    /// Its kind.
    kind: ContainerKind,
    /// Path of its image field in the object.
    path: &'a str,
    /// Whether the workload's template declares it.
    declared_in: DeclaredIn,
    /// The reference as it is written.
    reference: &'a str,
    /// The digest that was judged; null where none is known.
    digest: Option<String>,
    /// On what basis it is judged.
    basis: Basis,
    /// The pods that have it.
    pods: Pods<'a>,
    /// The answer.
    answer: Answer<'a>,
    /// What to do; empty for a pass.
    remediation: &'a str,
    /// Warnings that do not change the answer.
    warnings: &'a [String],
    /// Position of its image in `images`; null where the reference cannot be parsed.
    image: Option<u32>,
}

impl<'a> From<&'a model::ContainerFinding> for Container<'a> {
    fn from(finding: &'a model::ContainerFinding) -> Self {
        Self {
            name: &finding.container,
            kind: ContainerKind::from(finding.kind),
            path: &finding.path,
            declared_in: DeclaredIn::from(finding.declared_in),
            reference: &finding.reference,
            digest: finding.digest.as_ref().map(ToString::to_string),
            basis: Basis::from(finding.basis),
            pods: Pods { count: finding.pods.count, names: &finding.pods.names },
            answer: Answer::of(&finding.judgement, finding.accepted),
            remediation: &finding.remediation,
            warnings: &finding.warnings,
            image: finding.evidence.as_ref().map(|evidence| evidence.image),
        }
    }
}

/// Whether a workload's template declares a container.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum DeclaredIn {
    /// It does; of a bare pod, its own specification.
    Template,
    /// Only pods have it: something injected it after the template, or it is ephemeral.
    PodOnly,
    /// The template could not be read.
    TemplateUnknown,
}

impl From<model::DeclaredIn> for DeclaredIn {
    fn from(declared: model::DeclaredIn) -> Self {
        match declared {
            model::DeclaredIn::Template => Self::Template,
            model::DeclaredIn::PodOnly => Self::PodOnly,
            model::DeclaredIn::TemplateUnknown => Self::TemplateUnknown,
        }
    }
}

/// What kind of container it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ContainerKind {
    /// `initContainers`.
    Init,
    /// `containers`.
    Container,
    /// `ephemeralContainers`.
    Ephemeral,
    /// A volume of type `image`.
    ImageVolume,
}

impl From<model::ContainerKind> for ContainerKind {
    fn from(kind: model::ContainerKind) -> Self {
        match kind {
            model::ContainerKind::Init => Self::Init,
            model::ContainerKind::Container => Self::Container,
            model::ContainerKind::Ephemeral => Self::Ephemeral,
            model::ContainerKind::ImageVolume => Self::ImageVolume,
        }
    }
}

/// On what basis an image is judged. The `declared…` ones are judged by what the reference leads to now.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Basis {
    /// It runs.
    Running,
    /// It has run and ended.
    Finished,
    /// Zero replicas, or no pod at the time.
    DeclaredNoPods,
    /// A suspended Job or `CronJob`.
    DeclaredSuspended,
    /// The pod, or this container of it, has not started.
    DeclaredNotStarted,
    /// Read from a manifest.
    DeclaredManifest,
    /// The server does not report its digest.
    DeclaredNotReported,
    /// Its pods could not all be listed: something else may run, and nothing is said about it.
    DeclaredPodsNotListed,
}

impl From<model::Basis> for Basis {
    fn from(basis: model::Basis) -> Self {
        match basis {
            model::Basis::Running => Self::Running,
            model::Basis::Finished => Self::Finished,
            model::Basis::Declared(model::DeclaredBecause::NoPods) => Self::DeclaredNoPods,
            model::Basis::Declared(model::DeclaredBecause::Suspended) => Self::DeclaredSuspended,
            model::Basis::Declared(model::DeclaredBecause::NotStarted) => Self::DeclaredNotStarted,
            model::Basis::Declared(model::DeclaredBecause::Manifest) => Self::DeclaredManifest,
            model::Basis::Declared(model::DeclaredBecause::NotReported) => Self::DeclaredNotReported,
            model::Basis::Declared(model::DeclaredBecause::PodsNotListed) => Self::DeclaredPodsNotListed,
        }
    }
}

/// Pods in which something was seen.
#[derive(Serialize, JsonSchema)]
struct Pods<'a> {
    /// How many.
    count: u32,
    /// Names of the first few in order.
    names: &'a [model::SharedText],
}

/// The answer of a control's rule.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "status")]
enum Answer<'a> {
    /// It holds.
    Passed {
        /// What was found, for a person; may be empty.
        detail: &'a str,
    },
    /// It does not hold.
    Failed {
        /// The stable reason.
        reason: Reason,
        /// What was found, for a person.
        detail: &'a str,
    },
    /// It is not known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened, for a person.
        detail: &'a str,
        /// Whether the user accepts this unknown.
        accepted: bool,
    },
}

impl<'a> Answer<'a> {
    fn of(judgement: &'a Judgement, accepted: bool) -> Self {
        match judgement {
            Judgement::Pass { detail } => Self::Passed { detail },
            Judgement::Fail { reason, detail } => Self::Failed { reason: *reason, detail },
            Judgement::Unknown { cause, detail } => Self::Unknown { cause: *cause, detail, accepted },
        }
    }
}
