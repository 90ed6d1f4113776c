//! The result of a scan, from which every format is rendered.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::ShownLevel;
use super::coverage::{Milestones, ThreatCoverage};
use super::digest::Digest;
use super::evidence::ImageEvidence;
use super::finding::WorkloadFinding;
use super::inventory::{ClusterIdentity, Gap, InventoryCounts, NotJudged, NotVisible, Scope};
use super::score::{Compliance, Counts, Severity};
use super::shared_text::Labels;
use super::trust::RootRecord;
use super::workload::{ObjectKey, Origin, RunningImage};

/// From what a report was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReportSource {
    /// A live cluster.
    Cluster,
    /// Manifests.
    Manifests,
    /// Images named by the user.
    Images,
}

/// The digest of a document that went into the judgement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentDigest {
    /// Its kind: `Control`, `Framework`, `parameters`.
    pub kind: String,
    /// Its name or identifier.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// Who asked what, when, of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Version of this program.
    pub tool_version: String,
    /// From what the report was made.
    pub source: ReportSource,
    /// The moment as of which everything is judged: start of a live scan, capture time of a snapshot.
    pub as_of: Timestamp,
    /// Whether that moment was asked for: registries and the cluster are still as they were when they were asked.
    pub rewound: bool,
    /// Which cluster.
    pub cluster: Option<ClusterIdentity>,
    /// What was chosen.
    pub scope: Scope,
    /// Documents that went into it, sorted.
    pub documents: Vec<DocumentDigest>,
    /// Trust roots that went into it, sorted; empty where none was needed.
    pub trust_roots: Vec<RootRecord>,
    /// Whether the scan was ended before its time: what follows is what was known by then.
    pub interrupted: bool,
}

/// What a control lacks where nobody says whom to trust; everything else that it may lack is a parameter.
pub const TRUST_POLICY: &str = "trustPolicy";

/// One image in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The reference as it is written (the first in order of those that lead to it).
    pub reference: String,
    /// What the runtime reports.
    pub running: RunningImage,
    /// What was found.
    pub evidence: ImageEvidence,
    /// How far its provenance shows how it was built; none where no control asked.
    pub build: Option<ShownLevel>,
}

/// A workload in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadRecord {
    /// Its name.
    pub key: ObjectKey,
    /// Where it was read from.
    pub origin: Origin,
    /// Pods folded into it.
    pub pods: u32,
    /// Its labels.
    pub labels: Labels,
}

/// How a control as a whole came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ControlOutcome {
    /// It was applied to at least one workload.
    Judged {
        /// Its compliance.
        compliance: Compliance,
        /// One a workload, in the order of the workloads, irrelevant ones left out.
        findings: Vec<WorkloadFinding>,
    },
    /// Nothing was in its scope.
    Irrelevant,
    /// Obligatory parameters are not set: action required.
    Unconfigured {
        /// Their names.
        missing: Vec<String>,
    },
    /// It needs a person.
    RequiresReview {
        /// What to review.
        text: String,
    },
    /// It is about the cluster as a whole.
    Cluster {
        /// The answer.
        judgement: super::finding::Judgement,
        /// Its compliance: 0, 100, or the whole interval.
        compliance: Compliance,
    },
}

/// The result of one control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlResult {
    /// Identifier, `C-0237`.
    pub id: String,
    /// Title.
    pub title: String,
    /// Base score, 1 to 10.
    pub base_score: u8,
    /// Severity by base score.
    pub severity: Severity,
    /// SLSA threats (letters of SLSA 1.0) that it sees.
    pub threats: Vec<String>,
    /// Why it matters.
    pub rationale: String,
    /// How to fix it, with placeholders.
    pub remediation: String,
    /// References; the first is the control's documentation.
    pub references: Vec<String>,
    /// Workloads by status.
    pub counts: Counts,
    /// How it came out.
    pub outcome: ControlOutcome,
}

impl ControlResult {
    /// Its compliance, where it has one.
    #[must_use]
    pub fn compliance(&self) -> Option<Compliance> {
        match &self.outcome {
            ControlOutcome::Judged { compliance, .. } | ControlOutcome::Cluster { compliance, .. } => Some(*compliance),
            ControlOutcome::Irrelevant | ControlOutcome::Unconfigured { .. } | ControlOutcome::RequiresReview { .. } => None,
        }
    }

    /// Its workload findings.
    #[must_use]
    pub fn findings(&self) -> &[WorkloadFinding] {
        match &self.outcome {
            ControlOutcome::Judged { findings, .. } => findings,
            _ => &[],
        }
    }
}

/// The result of one framework.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameworkResult {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: String,
    /// Its controls, by identifier.
    pub controls: Vec<String>,
    /// The mean of its configured controls; none where no control has a compliance.
    pub compliance: Option<Compliance>,
}

/// How a gate came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GateOutcome {
    /// Even the lower end is enough.
    Met,
    /// Even the upper end is not enough.
    Missed,
    /// The unknowns decide.
    Undecided,
    /// Nothing was applicable: a configuration error, not a pass.
    NothingApplicable,
}

/// A gate and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// The threshold, percent.
    pub threshold: f64,
    /// The compliance that it was compared with, accepted unknowns counted as passed.
    pub compliance: Option<Compliance>,
    /// How it came out.
    pub outcome: GateOutcome,
}

/// Everything that a scan says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Who asked what, when, of whom.
    pub header: Header,
    /// How much was listed.
    pub listed: InventoryCounts,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What no scan of this kind can see.
    pub not_visible: Vec<NotVisible>,
    /// What was read and is not understood.
    pub not_judged: Vec<NotJudged>,
    /// Workloads, sorted.
    pub workloads: Vec<WorkloadRecord>,
    /// Images, sorted.
    pub images: Vec<ImageRecord>,
    /// Controls, the most severe first, then by identifier.
    pub controls: Vec<ControlResult>,
    /// Frameworks that were asked for.
    pub frameworks: Vec<FrameworkResult>,
    /// The mean of all controls that have a compliance.
    pub compliance: Option<Compliance>,
    /// The gate, if one was set.
    pub gate: Option<GateResult>,
    /// Threats of SLSA 1.0, in order.
    pub threats: Vec<ThreatCoverage>,
    /// How far the organisation is, where milestones were asked for.
    pub milestones: Option<Milestones>,
}
