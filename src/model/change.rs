//! What changed between two reports, and why.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::score::{Compliance, Severity};
use super::shared_text::SharedText;
use super::verdict::{Cause, Reason};
use super::workload::ObjectKey;

/// By what an answer may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChangedBy {
    /// The workload, the container or its image is another one.
    Workload,
    /// An exception began, or ended.
    Exception,
    /// It was unknown, and is known now.
    KnowledgeGained,
    /// It was known, and is unknown now.
    KnowledgeLost,
    /// What was found about the same image is something else.
    Evidence,
    /// A control, a parameter, a trust policy or a document of builders changed.
    Policy,
    /// A trust root changed.
    TrustRoot,
    /// Another version of this program judged.
    ToolVersion,
    /// Nothing but the moment: something expired, or grew too old.
    Time,
}

impl ChangedBy {
    /// What it is called before a person.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Exception => "exception",
            Self::KnowledgeGained => "knowledge gained",
            Self::KnowledgeLost => "knowledge lost",
            Self::Evidence => "evidence",
            Self::Policy => "policy",
            Self::TrustRoot => "trust root",
            Self::ToolVersion => "tool version",
            Self::Time => "time",
        }
    }
}

/// An answer, as far as a comparison looks at it. The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AnswerState {
    /// It fails.
    Failed(Reason),
    /// It is not known.
    Unknown(Cause),
    /// It is not known, and that is accepted.
    AcceptedUnknown(Cause),
    /// It would fail, or be unknown, and is excepted.
    Excepted,
    /// It passes.
    Passed,
}

/// A workload of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangedWorkload {
    /// Name of its cluster, where the report has several.
    pub cluster: Option<SharedText>,
    /// Its name.
    pub key: ObjectKey,
    /// Who answers for it now, or did.
    pub owner: Option<SharedText>,
}

/// One answer that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Identifier of the control.
    pub control: String,
    /// Its severity.
    pub severity: Severity,
    /// The workload; none for a control about the cluster as a whole.
    pub workload: Option<ChangedWorkload>,
    /// The container.
    pub container: Option<SharedText>,
    /// The answer in the old report; none where there was nothing to judge.
    pub before: Option<AnswerState>,
    /// The answer in the new one; none where there is nothing left.
    pub after: Option<AnswerState>,
    /// Everything that may explain it, the likeliest first; never empty.
    pub by: Vec<ChangedBy>,
    /// What it was about before, for a person: the image; empty where there was none.
    pub image_before: String,
    /// What it is about now.
    pub image_after: String,
}

impl Change {
    /// Whether it is worse than it was: what is new and not good is worse than nothing.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.after.is_some_and(|after| after < self.before.unwrap_or(AnswerState::Passed))
    }

    /// Whether it is better: it passes, or is gone, and was not good. What is not known any more, or excepted, is not better.
    #[must_use]
    pub fn is_better(&self) -> bool {
        let good = |state: Option<AnswerState>| state.is_none_or(|state| state == AnswerState::Passed);
        !good(self.before) && good(self.after)
    }
}

/// A document or trust root that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedDocument {
    /// Its kind, as reports name it.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub how: DocumentChange,
}

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DocumentChange {
    /// Only the new report has it.
    Added,
    /// Only the old one has it.
    Removed,
    /// Both have it, with other bytes.
    Changed,
}

/// One of the two reports.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedReport {
    /// The moment as of which it was judged.
    pub as_of: Timestamp,
    /// The program's version.
    pub tool_version: String,
    /// Its compliance.
    pub compliance: Option<Compliance>,
}

/// What changed between two reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The old report.
    pub old: ComparedReport,
    /// The new one.
    pub new: ComparedReport,
    /// Documents and trust roots that are not the same, sorted.
    pub documents: Vec<ChangedDocument>,
    /// Answers that changed: the worse ones first, the most severe first, then by control and workload.
    pub changes: Vec<Change>,
}
