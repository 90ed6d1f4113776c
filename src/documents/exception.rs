//! Exceptions: what fails and is accepted until a day, by whom and why; and what an organisation says about them.

mod kubescape;
mod regexp;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use kubescape::{
    Designator, DesignatorAttributes, KubescapeException, LabelExpression, LabelSelector, PosturePolicy, SelectorOperator,
    is_kubescape_exceptions, parse_kubescape_exceptions,
};
pub use regexp::WholeText;

use super::age::Age;
use super::located::Fault;
use super::moment::Moment;
use crate::model::{Cause, Digest, Glob, Pattern};

/// An exception: failing answers of some controls about some workloads count as passed, and are shown as excepted, until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exception {
    /// Identifiers of the controls.
    #[schemars(length(min = 1))]
    pub controls: Vec<String>,
    /// Causes of not knowing that it accepts too; without them, what is unknown stays unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept_unknown: Vec<Cause>,
    /// Which workloads. What is left out, or empty, limits nothing; what is given must hold together.
    #[serde(default, skip_serializing_if = "ExceptedWorkloads::is_empty")]
    pub workloads: ExceptedWorkloads,
    /// Only images that match one of these, by the name that the workload declares. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Pattern>,
    /// Only these images: the digests that were judged. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
    /// Why it is made.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Until when it holds: a date to its end (UTC), or a moment.
    pub expires: Moment,
    /// Who answers for it.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Which workloads an exception is about. One of each list that is not empty must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptedWorkloads {
    /// Clusters, by the names that reports give them; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Glob>,
    /// Namespaces; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Glob>,
    /// Kinds, whatever their letters' case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Names; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Glob>,
    /// Labels of the workload, each with exactly this value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl ExceptedWorkloads {
    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty() && !self.limits_workloads()
    }

    /// Whether anything but clusters is written.
    #[must_use]
    pub fn limits_workloads(&self) -> bool {
        !(self.namespaces.is_empty() && self.kinds.is_empty() && self.names.is_empty() && self.labels.is_empty())
    }

    /// Whether anything is left out by what is written, clusters aside.
    fn leaves_out(&self) -> bool {
        let all = |globs: &[Glob]| globs.is_empty() || globs.iter().any(Glob::matches_everything);
        !(all(&self.namespaces) && all(&self.names) && self.kinds.is_empty() && self.labels.is_empty())
    }
}

impl Exception {
    /// Whether no workload and no image is left out: everything that its controls find is excepted.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        let images = self.images.is_empty() || self.images.iter().any(Pattern::matches_everything);
        images && self.digests.is_empty() && !self.workloads.leaves_out()
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.controls.is_empty() {
            return Some(Fault::new("`controls: []` excepts nothing; name at least one control").under("controls"));
        }
        if let Some(item) = self.controls.iter().position(|id| id.trim().is_empty()) {
            return Some(Fault::new("a control has an identifier").under(item).under("controls"));
        }
        if let Some(item) = self.workloads.kinds.iter().position(|kind| kind.trim().is_empty()) {
            return Some(Fault::new("a kind has a name").under(item).under("kinds").under("workloads"));
        }
        let obligatory = [("reason", &self.reason, "why it is made"), ("owner", &self.owner, "who answers for it")];
        if let Some((key, _, what)) = obligatory.into_iter().find(|(_, text, _)| text.trim().is_empty()) {
            return Some(Fault::new(format!("`{key}` is empty: an exception says {what}")).under(key));
        }
        let optional = [("approvedBy", &self.approved_by), ("ticket", &self.ticket)];
        let (key, _) = optional.into_iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.trim().is_empty()))?;
        Some(Fault::new(format!("`{key}` is empty: leave it out, or fill it in")).under(key))
    }
}

/// An exception with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedException {
    /// `metadata.name`.
    pub name: String,
    /// What it says.
    pub exception: Exception,
}

/// What an organisation allows of exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionPolicy {
    /// The longest that an exception may still hold, from the moment as of which is judged. One without an end holds longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_term: Option<Age>,
    /// Identifiers of controls that cannot be excepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_exceptable: Vec<String>,
}

impl ExceptionPolicy {
    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.longest_term.is_none() && self.not_exceptable.is_empty() {
            return Some(Fault::new("it allows everything; write `longestTerm` or `notExceptable`"));
        }
        let item = self.not_exceptable.iter().position(|id| id.trim().is_empty())?;
        Some(Fault::new("a control has an identifier").under(item).under("notExceptable"))
    }
}

/// An organisation's word on exceptions, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedExceptionPolicy {
    /// `metadata.name`.
    pub name: String,
    /// What it says.
    pub policy: ExceptionPolicy,
}
