//! The leaf `sbom`: what an image is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::age::Age;
use super::expression::Expression;
use super::located::Fault;
use super::parameter::{OneOrParam, OrParam, ParameterType};
use super::rule::{ParameterUse, SignedBy, empty_list};
use crate::model::SbomFormat;

/// A bill of materials that has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SbomLeaf {
    /// In one of these formats.
    #[serde(default = "both")]
    #[schemars(length(min = 1))]
    pub formats: Vec<SbomFormat>,
    /// Whether it has to be attested. Else one that is only attached, or that nobody who is trusted signed, is enough.
    #[serde(default = "yes")]
    pub attested: bool,
    /// Attested by whom; without it as the rules of the trust policies say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SignedBy>,
    /// Not older than this, counted from the proven time of signing or the time that it gives itself, whichever is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<OneOrParam<Age>>,
    /// What an attested one has to say: `sbom` is the bill, whatever its format.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
}

fn both() -> Vec<SbomFormat> {
    vec![SbomFormat::Spdx, SbomFormat::CycloneDx]
}

fn yes() -> bool {
    true
}

impl SbomLeaf {
    /// The parameters that it names.
    pub(super) fn params(&self) -> Vec<ParameterUse<'_>> {
        let authorities = self.by.as_ref().and_then(authorities);
        let age = self.max_age.as_ref().and_then(|age| ParameterUse::of_one(age, ParameterType::Duration, "maxAge"));
        let of_expression = self.expression.iter().flat_map(|expression| ParameterUse::of_expression(expression, "where"));
        authorities.into_iter().chain(age).chain(of_expression).collect()
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.formats.is_empty() {
            return Some(Fault::new("`formats: []` says nothing; list spdx, cyclonedx, or leave it out for both").under("formats"));
        }
        if !self.attested && self.expression.is_some() {
            return Some(Fault::new("what is only attached is not read: `where` needs `attested: true`").under("where"));
        }
        if !self.attested && self.by.is_some() {
            return Some(Fault::new("with `attested: false` nobody has to sign: leave `by` out").under("by"));
        }
        self.by.as_ref().and_then(nobody)
    }
}

/// The parameter that `by` names.
pub(super) fn authorities(by: &SignedBy) -> Option<ParameterUse<'_>> {
    match by {
        SignedBy::Authorities(names) => ParameterUse::of_strings(names, "authorities").map(|used| used.under("by")),
        SignedBy::TrustPolicy(_) => None,
    }
}

/// What is wrong with `by`, if it names nobody.
pub(super) fn nobody(by: &SignedBy) -> Option<Fault> {
    match by {
        SignedBy::Authorities(OrParam::Values(names)) if names.is_empty() => Some(empty_list("authorities").under("by")),
        _ => None,
    }
}
