//! Controls, frameworks, the gate, workloads and findings.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Each, Object, Percent};
use crate::model::{self, Cause, ControlOutcome, Judgement, Reason, Severity, Standing};

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
    /// How far it has come: `preview` is outside every score.
    stage: model::Stage,
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
    /// Position, in `exceptions`, of the exception that is in force for that answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_exception: Option<u32>,
    /// Whether the baseline has that answer already.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_novelty: Option<model::Novelty>,
}

impl<'a> From<&'a model::ControlResult> for Control<'a> {
    fn from(control: &'a model::ControlResult) -> Self {
        let (missing_parameters, review, cluster): (&[String], _, _) = match &control.outcome {
            ControlOutcome::Unconfigured { missing } => (missing, None, None),
            ControlOutcome::RequiresReview { text } => (&[], Some(text.as_str()), None),
            ControlOutcome::Cluster { judgement, standing, .. } => {
                (&[], None, Some(Answer::of(judgement, *standing == Standing::AcceptedUnknown)))
            }
            ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant => (&[], None, None),
        };
        Self {
            id: &control.id,
            title: &control.title,
            severity: control.severity,
            base_score: control.base_score,
            stage: control.stage,
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
            cluster_exception: match &control.outcome {
                ControlOutcome::Cluster { standing, .. } => exception_of(*standing),
                _ => None,
            },
            cluster_novelty: match &control.outcome {
                ControlOutcome::Cluster { novelty, .. } => *novelty,
                _ => None,
            },
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
            ControlOutcome::Cluster { standing: Standing::Excepted(_), .. } => Self::Passed,
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
    /// Excepted: counted as passed.
    excepted: u64,
    /// Outside the control's scope: not in the score.
    irrelevant: u64,
}

impl From<model::Counts> for Counts {
    fn from(counts: model::Counts) -> Self {
        let model::Counts { passed, failed, unknown, accepted, excepted, irrelevant } = counts;
        Self { passed, failed, unknown, accepted, excepted, irrelevant }
    }
}

/// How one framework came out.
#[derive(Serialize, JsonSchema)]
pub(super) struct Framework<'a> {
    /// Identifier.
    id: &'a str,
    /// Title.
    title: &'a str,
    /// Its version; empty where it has none.
    version: &'a str,
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
            version: &framework.version,
            controls: &framework.controls,
            compliance: framework.compliance.map(Percent::from),
        }
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
    /// Name of its cluster, one of `clusters`; null for manifests and named images.
    cluster: Option<&'a str>,
    /// Who answers for it; null where nothing says.
    owner: Option<&'a str>,
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
            cluster: workload.cluster.as_deref(),
            owner: workload.owner.as_deref(),
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
            model::ControlStatus::Excepted => Status::Excepted,
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
    /// What would fail, or be unknown, is excepted: counted as passed.
    Excepted,
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
    /// Where that field stands in a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Position<'a>>,
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
    /// Position, in `exceptions`, of the exception that is in force for it: the answer then counts as passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<u32>,
    /// Whether the baseline has it already; left out without a baseline, and for a pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    novelty: Option<model::Novelty>,
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
            position: finding.position.as_deref().map(Position::from),
            declared_in: DeclaredIn::from(finding.declared_in),
            reference: &finding.reference,
            digest: finding.digest.as_ref().map(ToString::to_string),
            basis: Basis::from(finding.basis),
            pods: Pods { count: finding.pods.count, names: &finding.pods.names },
            answer: Answer::of(&finding.judgement, finding.standing == Standing::AcceptedUnknown),
            exception: exception_of(finding.standing),
            novelty: finding.novelty,
            remediation: &finding.remediation,
            warnings: &finding.warnings,
            image: finding.evidence.as_ref().map(|evidence| evidence.image),
        }
    }
}

fn exception_of(standing: Standing) -> Option<u32> {
    match standing {
        Standing::Excepted(position) => Some(position),
        Standing::AsIs | Standing::AcceptedUnknown => None,
    }
}

/// Where an image field stands in a manifest.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Position<'a> {
    /// The file as it was given, `-` for standard input.
    file: &'a str,
    /// Line, from 1.
    line: u32,
    /// Column, from 1, in Unicode scalar values.
    column: u32,
    /// The template or kustomization that it was rendered from, as the renderer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rendered_from: Option<&'a str>,
}

impl<'a> From<&'a model::SourcePosition> for Position<'a> {
    fn from(position: &'a model::SourcePosition) -> Self {
        Self { file: &position.file, line: position.line, column: position.column, rendered_from: position.rendered_from.as_deref() }
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
