//! Leaves about what was attested.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::age::Age;
use super::expression::{Expression, Variable};
use super::located::Fault;
use super::parameter::{OneOrParam, OrParam, ParameterType};
use super::rule::{Nothing, ParameterUse, SignedBy, empty_list};
use crate::model::PredicateType;

/// An attestation that has to be there, by whom, and what it has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationLeaf {
    /// Its type: that which is signed, never an annotation.
    pub predicate_type: PredicateType,
    /// By whom; without it as the rules of the trust policies say.
    #[serde(default = "by_trust_policy")]
    pub by: SignedBy,
    /// Whether one that holds is enough.
    #[serde(default)]
    pub quantifier: Quantifier,
    /// Not older than this, counted from the proven time of signing or the time that it gives itself, whichever is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<OneOrParam<Age>>,
    /// What it has to say.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
}

fn by_trust_policy() -> SignedBy {
    SignedBy::TrustPolicy(Nothing {})
}

/// How many of several attestations of one type have to hold, each judged alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Quantifier {
    /// At least one.
    #[default]
    Any,
    /// Every one by those who are asked for, and there is at least one. What strangers sign is left aside.
    All,
}

impl AttestationLeaf {
    /// The parameters that it names.
    pub(super) fn params(&self) -> Vec<ParameterUse<'_>> {
        let authorities = match &self.by {
            SignedBy::Authorities(names) => ParameterUse::of_strings(names, "authorities").map(|used| used.under("by")),
            SignedBy::TrustPolicy(_) => None,
        };
        let age = self.max_age.as_ref().and_then(|age| ParameterUse::of_one(age, ParameterType::Duration, "maxAge"));
        let of_expression = self.expression.iter().flat_map(|expression| ParameterUse::of_expression(expression, "where"));
        authorities.into_iter().chain(age).chain(of_expression).collect()
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        match &self.by {
            SignedBy::Authorities(OrParam::Values(names)) if names.is_empty() => return Some(empty_list("authorities").under("by")),
            _ => {}
        }
        let reads_bill = self.expression.as_ref().is_some_and(|expression| expression.uses(Variable::Sbom));
        reads_bill.then(|| Fault::new("`sbom` is there in rules about `sbom`; here it is `predicate`").under("where"))
    }
}
