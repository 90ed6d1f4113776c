//! Controls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::did_you_mean;
use super::located::Fault;
use super::parameter::{OrParam, ParameterSpec, ParameterType};
use super::rule::{ParameterUse, Rule};
use crate::model::{Pattern, Stage};

/// What one judgement of a control is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// One container's image.
    #[default]
    Container,
    /// The cluster as a whole.
    Cluster,
    /// The trust policies themselves.
    Policy,
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
    /// How far it has come: a new one starts as `preview`, which is judged and shown, and does not count.
    #[serde(default, skip_serializing_if = "is_stable")]
    pub stage: Stage,
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

/// What a remediation may name.
pub const PLACEHOLDERS: [&str; 6] = ["image", "image_at_digest", "digest", "container", "path", "workload"];

impl Control {
    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if !is_id(&self.id) {
            return Some(Fault::new(format!("id {:?} is not letters, - and a number, such as C-0237 or ACME-1", self.id)).under("id"));
        }
        if !(1..=10).contains(&self.severity) {
            return Some(Fault::new(format!("severity {} is not a base score from 1 to 10", self.severity)).under("severity"));
        }
        let is_threat = |threat: &str| matches!(threat, "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H");
        if let Some(item) = self.threats.iter().position(|threat| !is_threat(threat)) {
            let detail = format!("threat {:?} is not a letter from A to H", self.threats[item]);
            return Some(Fault::new(detail).under(item).under("threats"));
        }
        self.placeholder_fault().or_else(|| match (&self.rule, &self.manual) {
            (Some(rule), None) => rule
                .fault(self.subject)
                .map(|fault| fault.under("rule"))
                .or_else(|| self.scope.fault().map(|fault| fault.under("scope")))
                .or_else(|| self.parameter_fault(rule)),
            (None, Some(_)) => None,
            (None, None) => Some(Fault::new("a control has a `rule`, or `manual`; this one has neither")),
            (Some(_), Some(_)) => Some(Fault::new("a control has a `rule`, or `manual`; this one has both").under("manual")),
        })
    }

    /// A name in braces that nothing is filled in for would be shown as it is.
    fn placeholder_fault(&self) -> Option<Fault> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let written = self.remediation.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        let unknown = written.filter(|name| is_name(name)).find(|name| !PLACEHOLDERS.contains(name))?;
        let meant = did_you_mean(unknown, PLACEHOLDERS);
        Some(Fault::new(format!("{{{unknown}}} is not one of {{{}}}{meant}", PLACEHOLDERS.join("} {"))).under("remediation"))
    }

    fn parameter_fault(&self, rule: &Rule) -> Option<Fault> {
        let mut used: Vec<_> = rule.params().into_iter().map(|used| used.under("rule")).collect();
        for (list, key) in [(&self.scope.images, "images"), (&self.scope.except_images, "exceptImages")] {
            used.extend(ParameterUse::of_patterns(list, key).map(|used| used.under("scope")));
        }
        for parameter in &used {
            match self.params.get(parameter.name) {
                None => {
                    let meant = did_you_mean(parameter.name, self.params.keys().map(String::as_str));
                    let detail = format!("parameter {:?} is used and not declared under `params`{meant}", parameter.name);
                    return Some(parameter.fault(detail));
                }
                Some(declared) if parameter.wanted.is_some_and(|wanted| declared.kind != wanted) => {
                    let (name, wanted) = (parameter.name, parameter.wanted.map(ParameterType::wanted).unwrap_or_default());
                    let detail = format!("parameter {name:?} is declared as {}, and {wanted} here", declared.kind.name());
                    return Some(parameter.fault(detail));
                }
                Some(_) => {}
            }
        }
        self.params.iter().find_map(|(name, declared)| {
            let fault = if used.iter().any(|parameter| parameter.name == *name) {
                declared.fault()
            } else {
                Some(Fault::new(format!("parameter {name:?} is declared and used nowhere")))
            };
            fault.map(|fault| fault.under(name.as_str()).under("params"))
        })
    }
}

impl Scope {
    fn fault(&self) -> Option<Fault> {
        match &self.images {
            OrParam::Values(values) if values.is_empty() => {
                Some(Fault::new("`images: []` leaves nothing in scope; leave it out, or write [\"**\"]").under("images"))
            }
            _ => None,
        }
    }
}

fn is_stable(stage: &Stage) -> bool {
    *stage == Stage::Stable
}

fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, number)| {
        letters.starts_with(|first: char| first.is_ascii_uppercase())
            && letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && (1..=6).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
