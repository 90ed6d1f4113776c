//! Controls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::{OrParam, ParameterSpec, ParameterType};
use super::rule::Rule;
use crate::model::Pattern;

/// What one judgement of a control is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// One container's image.
    #[default]
    Container,
    /// The cluster as a whole.
    Cluster,
}

/// Which containers a control is about; the rest is irrelevant, not passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scope {
    /// Images that match one of these. A reference that cannot be parsed is always in scope: it cannot be known to be outside.
    pub images: OrParam<Pattern>,
    /// But not these.
    pub except_images: OrParam<Pattern>,
    /// Only workloads of these kinds; empty: all.
    pub kinds: Vec<String>,
    /// Only workloads in these namespaces; empty: all.
    pub namespaces: Vec<String>,
}

impl Default for Scope {
    fn default() -> Self {
        let everything = "**".parse::<Pattern>().into_iter().collect();
        Self { images: OrParam::Values(everything), except_images: OrParam::default(), kinds: Vec::new(), namespaces: Vec::new() }
    }
}

/// What a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualReview {
    /// What.
    pub text: String,
}

/// A control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// Identifier, `C-0237`.
    #[schemars(regex(pattern = r"^[A-Z][A-Z0-9]*-[0-9]{1,6}$"))]
    pub id: String,
    /// Title.
    pub title: String,
    /// Base score, 1 to 10.
    #[schemars(range(min = 1, max = 10))]
    pub severity: u8,
    /// What one judgement is about.
    #[serde(default)]
    pub subject: Subject,
    /// SLSA threats (letters of SLSA 1.0) that it sees.
    #[serde(default)]
    pub threats: Vec<String>,
    /// Why it matters.
    pub rationale: String,
    /// What to do; may name `{image}` `{digest}` `{container}` `{path}` `{workload}`.
    #[serde(default)]
    pub remediation: String,
    /// Where to read more; the first is its documentation.
    #[serde(default)]
    pub references: Vec<String>,
    /// Its parameters.
    #[serde(default)]
    pub params: BTreeMap<String, ParameterSpec>,
    /// What it is about.
    #[serde(default)]
    pub scope: Scope,
    /// Its rule; exactly one of `rule` and `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// It needs a person; exactly one of `rule` and `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<ManualReview>,
}

impl Control {
    /// What is wrong with it beyond its shape.
    pub(super) fn fault(&self) -> Option<String> {
        if !is_id(&self.id) {
            return Some(format!("id {:?} is not letters, - and a number, such as C-0237 or ACME-1", self.id));
        }
        if !(1..=10).contains(&self.severity) {
            return Some(format!("severity {} is not a base score from 1 to 10", self.severity));
        }
        if let Some(threat) = self.threats.iter().find(|threat| !matches!(threat.as_str(), "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H")) {
            return Some(format!("threat {threat:?} is not a letter from A to H"));
        }
        match (&self.rule, &self.manual) {
            (Some(rule), None) => rule.fault(self.subject == Subject::Cluster).or_else(|| self.parameter_fault(rule)),
            (None, Some(_)) => None,
            _ => Some("a control has either a `rule` or `manual`".to_owned()),
        }
    }

    fn parameter_fault(&self, rule: &Rule) -> Option<String> {
        let scope = [&self.scope.images, &self.scope.except_images].into_iter().filter_map(OrParam::param);
        let used: Vec<_> = scope.map(|name| (name, ParameterType::Patterns)).chain(rule.params()).collect();
        for (name, wanted) in &used {
            match self.params.get(*name) {
                None => return Some(format!("parameter {name:?} is used and not declared under `params`")),
                Some(declared) if declared.kind != *wanted => {
                    return Some(format!("parameter {name:?} is used where {wanted:?} are wanted and declared as {:?}", declared.kind));
                }
                Some(_) => {}
            }
        }
        for (name, declared) in &self.params {
            if !used.iter().any(|(known, _)| known == name) {
                return Some(format!("parameter {name:?} is declared and used nowhere"));
            }
            if declared.kind == ParameterType::Patterns {
                for value in declared.default.iter().flatten() {
                    if let Err(error) = value.parse::<Pattern>() {
                        return Some(format!("default of parameter {name:?}: {value:?}: {error}"));
                    }
                }
            }
        }
        None
    }
}

fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, number)| {
        letters.starts_with(|first: char| first.is_ascii_uppercase())
            && letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && (1..=6).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
