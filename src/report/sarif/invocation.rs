//! What happened while the program ran: what could not be read, and what else a reader of the results has to know.

use serde::{Serialize, Serializer};

use super::{MOST_RESULTS, Text};
use crate::model::{ControlOutcome, ExceptionState, Report};
use crate::report::roots;
use crate::report::terminal::{counted, shown};

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    Gap,
    Interrupted,
    LeftOut,
    TrustRoot,
    Exception,
    Unconfigured,
    Review,
}

impl Notice {
    pub(super) const ALL: [Self; 7] =
        [Self::Gap, Self::Interrupted, Self::LeftOut, Self::TrustRoot, Self::Exception, Self::Unconfigured, Self::Review];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Gap => "NOTICE-01",
            Self::Interrupted => "NOTICE-02",
            Self::LeftOut => "NOTICE-03",
            Self::TrustRoot => "NOTICE-04",
            Self::Exception => "NOTICE-05",
            Self::Unconfigured => "NOTICE-06",
            Self::Review => "NOTICE-07",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gap => "Gap",
            Self::Interrupted => "Interrupted",
            Self::LeftOut => "LeftOut",
            Self::TrustRoot => "TrustRoot",
            Self::Exception => "Exception",
            Self::Unconfigured => "Unconfigured",
            Self::Review => "Review",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Gap => "Something in scope could not be read.",
            Self::Interrupted => "The scan was ended before its time.",
            Self::LeftOut => "There are more results than services take.",
            Self::TrustRoot => "A trust root cannot be used, or is old.",
            Self::Exception => "An exception is over, not allowed, ends soon, or matches nothing or everything.",
            Self::Unconfigured => "A control lacks a parameter and was not applied.",
            Self::Review => "A control needs a person.",
        }
    }
}

impl Notice {
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Gap => {
                "What is behind a gap was not audited: give the scan the right that it lacks, or leave the place out by an option."
            }
            Self::Interrupted => "Let the scan run to its end, with a longer --timeout if need be.",
            Self::LeftOut => "Scan fewer namespaces or controls at once, or use another format: they have all results.",
            Self::TrustRoot => "Check the source of the trust root, or name a file.",
            Self::Exception => "Renew the exception with its reason, or delete it.",
            Self::Unconfigured => "Set the parameters of the control, or leave it out.",
            Self::Review => "Review what the control asks for, outside of this program.",
        }
    }
}

/// The one run of the program.
pub(super) struct Invocation<'a> {
    pub(super) report: &'a Report,
    /// Results that are not in the file.
    pub(super) left_out: usize,
}

impl Serialize for Invocation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields {
            execution_successful: bool,
            tool_execution_notifications: Vec<Notification>,
            tool_configuration_notifications: Vec<Notification>,
        }
        let fields = Fields {
            execution_successful: !self.report.header.interrupted,
            tool_execution_notifications: self.execution(),
            tool_configuration_notifications: self.configuration(),
        };
        fields.serialize(serializer)
    }
}

impl Invocation<'_> {
    fn execution(&self) -> Vec<Notification> {
        let mut told = Vec::new();
        if self.report.header.interrupted {
            let text = "The scan was ended before its time: these are the results that were known by then.";
            told.push(Notification::of(Notice::Interrupted, "error", text.to_owned()));
        }
        if self.left_out > 0 {
            let results = counted(self.left_out, "result");
            let text = format!(
                "{results} more than the {MOST_RESULTS} that services take were left out, the least urgent ones; other formats have all."
            );
            told.push(Notification::of(Notice::LeftOut, "warning", text));
        }
        for gap in &self.report.gaps {
            let level = if gap.workloads_missing { "error" } else { "warning" };
            let cluster = gap.cluster.as_ref().map(|cluster| format!("Cluster {}: ", shown(cluster))).unwrap_or_default();
            let text = format!("{cluster}{} could not be read ({}): {}", shown(&gap.what), gap.cause, shown(&gap.detail));
            told.push(Notification::of(Notice::Gap, level, text));
        }
        for root in &self.report.header.trust_roots {
            if root.content.is_err() || root.warning.is_some() {
                let text = format!("Trust root {}", shown(&roots::told(root)));
                told.push(Notification::of(Notice::TrustRoot, "warning", text));
            }
        }
        told
    }

    fn configuration(&self) -> Vec<Notification> {
        let mut told = Vec::new();
        for (at, control) in self.report.controls.iter().enumerate() {
            let (notice, level, text) = match &control.outcome {
                ControlOutcome::Unconfigured { missing } => {
                    let missing = shown(&missing.join(", ")).into_owned();
                    (
                        Notice::Unconfigured,
                        "warning",
                        format!("{} was not applied, its parameters are not set: {missing}", shown(&control.id)),
                    )
                }
                ControlOutcome::RequiresReview { text } => {
                    (Notice::Review, "note", format!("{} needs a person: {}", shown(&control.id), shown(text)))
                }
                ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant | ControlOutcome::Cluster { .. } => continue,
            };
            let rule = Some(Rule { id: shown(&control.id).into_owned(), index: at });
            told.push(Notification { associated_rule: rule, ..Notification::of(notice, level, text) });
        }
        for exception in &self.report.exceptions {
            let state = match exception.state {
                ExceptionState::InForce if exception.warnings.is_empty() => continue,
                ExceptionState::InForce => "in force",
                ExceptionState::Expiring => "ends soon",
                ExceptionState::Expired => "over",
                ExceptionState::NotAllowed => "not allowed",
            };
            let (name, file, why) = (shown(&exception.name), shown(&exception.file), exception.warnings.join("; "));
            let text = format!("Exception '{name}' of {file} ({state}): {}", shown(&why));
            told.push(Notification::of(Notice::Exception, "warning", text));
        }
        told
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    descriptor: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_rule: Option<Rule>,
    level: &'static str,
    message: Text,
}

impl Notification {
    fn of(notice: Notice, level: &'static str, text: String) -> Self {
        let index = Notice::ALL.iter().position(|known| *known == notice).unwrap_or_default();
        let descriptor = Rule { id: notice.id().to_owned(), index };
        let full_stop = if text.ends_with('.') { "" } else { "." };
        Self { descriptor, associated_rule: None, level, message: Text::of(format!("{text}{full_stop}")) }
    }
}

/// A reference to a descriptor.
#[derive(Serialize)]
struct Rule {
    id: String,
    index: usize,
}
