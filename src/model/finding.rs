//! What a control says about a container and a workload.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::shared_text::SharedText;
use super::verdict::{Cause, Reason};
use super::workload::{Basis, ContainerKind, DeclaredIn, PodSample, SourcePosition};

/// The answer of a rule, in three-valued logic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Judgement {
    /// It holds; what shows it.
    Pass {
        /// What was found, for a person; may be empty.
        detail: String,
    },
    /// It does not hold.
    Fail {
        /// The stable reason.
        reason: Reason,
        /// What was found, for a person.
        detail: String,
    },
    /// It is not known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened, for a person.
        detail: String,
    },
}

impl Judgement {
    /// A pass that needs no words.
    #[must_use]
    pub fn pass() -> Self {
        Self::Pass { detail: String::new() }
    }

    /// A fail.
    #[must_use]
    pub fn fail(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Fail { reason, detail: detail.into() }
    }

    /// An unknown.
    #[must_use]
    pub fn unknown(cause: Cause, detail: impl Into<String>) -> Self {
        Self::Unknown { cause, detail: detail.into() }
    }
}

/// A reference from a finding to what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Position of the image in the report's list of images.
    pub image: u32,
}

/// How an answer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// As it is.
    #[default]
    AsIs,
    /// An unknown whose cause the user accepts for this run: an unknown all the same, but none at a gate.
    AcceptedUnknown,
    /// An exception is in force for it: it counts as passed, and is shown as excepted. Position in the report's list of exceptions.
    Excepted(u32),
}

/// How an answer stands beside a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Novelty {
    /// The baseline does not have it: it counts at the gates.
    New,
    /// The baseline has it already.
    Known,
}

/// What a control says about one image of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerFinding {
    /// Name of the container.
    pub container: SharedText,
    /// Its kind.
    pub kind: ContainerKind,
    /// Path of its image field.
    pub path: SharedText,
    /// Where that field stands in a manifest; none where it was read from a cluster, or where it is not known.
    pub position: Option<Box<SourcePosition>>,
    /// Whether the workload's template declares it.
    pub declared_in: DeclaredIn,
    /// The reference as it is written.
    pub reference: SharedText,
    /// The digest that was judged, where one is known.
    pub digest: Option<Digest>,
    /// On what basis.
    pub basis: Basis,
    /// The pods that have it.
    pub pods: PodSample,
    /// The answer.
    pub judgement: Judgement,
    /// How the answer counts.
    pub standing: Standing,
    /// How it stands beside a baseline; none without one, and for a pass.
    pub novelty: Option<Novelty>,
    /// What to do, with the control's placeholders filled; empty for a pass.
    pub remediation: String,
    /// Warnings that do not change the answer.
    pub warnings: Vec<String>,
    /// What it rests on; none where the reference cannot be parsed.
    pub evidence: Option<Evidence>,
}

/// How a workload came out under a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ControlStatus {
    /// Any container fails.
    Failed,
    /// None fails, one is unknown and not accepted.
    Unknown,
    /// None fails, the unknown ones are all accepted.
    AcceptedUnknown,
    /// What would fail (or be unknown) is excepted: counted as passed.
    Excepted,
    /// All pass.
    Passed,
    /// No container is in the control's scope.
    Irrelevant,
}

/// What a control says about one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadFinding {
    /// Position of the workload in the report's list of workloads.
    pub workload: u32,
    /// How it came out.
    pub status: ControlStatus,
    /// Its containers in the control's scope.
    pub containers: Vec<ContainerFinding>,
}
