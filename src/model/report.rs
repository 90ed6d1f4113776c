//! The result of a scan, from which every format is rendered.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::ShownLevel;
use super::coverage::{Milestones, ThreatCoverage};
use super::digest::Digest;
use super::evidence::ImageEvidence;
use super::finding::{Judgement, Novelty, Standing, WorkloadFinding};
use super::inventory::{ClusterIdentity, Gap, InventoryCounts, NotJudged, NotVisible, Scope};
use super::score::{Compliance, Counts, Severity};
use super::shared_text::{Labels, SharedText};
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

/// A cluster in the report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRecord {
    /// By what name its workloads refer to it: the kubeconfig's context, else its UID, else `cluster`; no two in a report have the same.
    pub name: SharedText,
    /// Which it is, and as whom it was read.
    pub identity: ClusterIdentity,
}

impl From<ClusterIdentity> for ClusterRecord {
    fn from(identity: ClusterIdentity) -> Self {
        let name = identity.context.as_deref().or(identity.uid.as_deref()).unwrap_or("cluster");
        Self { name: name.into(), identity }
    }
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
    /// Which clusters, by name; one where one was scanned, none for manifests and named images.
    pub clusters: Vec<ClusterRecord>,
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
    /// Name of its cluster; none for manifests and named images.
    pub cluster: Option<SharedText>,
    /// Who answers for it, by label, annotation or namespace as the user has chosen; none where nothing says.
    pub owner: Option<SharedText>,
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
        judgement: Judgement,
        /// How it counts.
        standing: Standing,
        /// How it stands beside a baseline.
        novelty: Option<Novelty>,
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
    /// How far it has come.
    pub stage: Stage,
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

/// How far a control has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// It counts.
    #[default]
    Stable,
    /// It is new: judged and shown, but outside every score and gate, unless a gate names it.
    Preview,
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
    /// Its version, `MAJOR.MINOR`: never stricter within a major one.
    #[serde(default)]
    pub version: String,
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

/// What a gate asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GateCheck {
    /// At least this compliance.
    Compliance {
        /// The threshold, percent.
        threshold: f64,
        /// The compliance that it was compared with: accepted unknowns and what a baseline has already count as passed.
        reached: Option<Compliance>,
    },
    /// No control of at least this severity may fail.
    Severity {
        /// The severity.
        at_least: Severity,
        /// Controls that fail, by identifier, sorted.
        failing: Vec<String>,
        /// Controls of which it is not known, by identifier, sorted.
        unknown: Vec<String>,
    },
    /// None of these controls may fail.
    Controls {
        /// Their identifiers, sorted.
        named: Vec<String>,
        /// Those that fail.
        failing: Vec<String>,
        /// Those of which it is not known.
        unknown: Vec<String>,
    },
}

/// A gate and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// What it asks, and what was found.
    pub check: GateCheck,
    /// How it came out.
    pub outcome: GateOutcome,
}

/// With what a report was compared, so that only what is new counts at its gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BaselineRecord {
    /// The file or directory, as it was named.
    pub name: String,
    /// The moment as of which it was judged.
    pub as_of: Timestamp,
    /// Failing or unknown answers that it does not have.
    pub new: u64,
    /// Failing or unknown answers that it has already.
    pub known: u64,
    /// Failing or unknown answers of the baseline that are gone.
    pub gone: u64,
}

/// Whether an exception holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExceptionState {
    /// It does.
    InForce,
    /// It does, and ends soon.
    Expiring,
    /// It is over: what it excepted counts again.
    Expired,
    /// The organisation does not allow it: what it would except counts.
    NotAllowed,
}

/// An exception in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionRecord {
    /// Its name.
    pub name: String,
    /// The file that it is from.
    pub file: String,
    /// Why it was made; empty in Kubescape's files that give none.
    pub reason: String,
    /// Until when it holds; none in Kubescape's files that say nothing.
    pub expires: Option<Timestamp>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Where it was asked for.
    pub ticket: Option<String>,
    /// Whether it holds as of the report's moment.
    pub state: ExceptionState,
    /// Answers that it turns (in force), or would have turned (else).
    pub matched: u64,
    /// What a person should know: that it matches nothing, or everything, or why it is not allowed.
    pub warnings: Vec<String>,
}

impl ExceptionRecord {
    /// The warning of one that is about other controls than those that were judged.
    pub const NOT_JUDGED: &str = "it matches nothing here: none of its controls is judged";
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
    /// The gates that were set: compliance, severity, controls.
    pub gates: Vec<GateResult>,
    /// With what it was compared, if with anything.
    pub baseline: Option<BaselineRecord>,
    /// Exceptions that were given, in the order of their files and within them.
    pub exceptions: Vec<ExceptionRecord>,
    /// Threats of SLSA 1.0, in order.
    pub threats: Vec<ThreatCoverage>,
    /// How far the organisation is, where milestones were asked for.
    pub milestones: Option<Milestones>,
}
