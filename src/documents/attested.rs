//! Leaves about what was attested.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::age::Age;
use super::expression::{Expression, Variable};
use super::located::Fault;
use super::parameter::{OneOrParam, OrParam, ParameterType};
use super::rule::{Nothing, ParameterUse, SignedBy, empty_list};
use crate::model::{BuildLevel, PredicateType, SourcePattern};

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

/// Which level of SLSA's build track has to be shown, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlsaLeaf {
    /// At least this level, 1 to 3.
    #[schemars(range(min = 1, max = 3))]
    pub build_level: BuildLevel,
    /// By one of these builders: their names in documents of builders, or identifiers. Empty: any that is trusted.
    #[serde(default)]
    pub builders: OrParam<String>,
    /// From one of these sources. Empty: any.
    #[serde(default)]
    pub source: OrParam<SourcePattern>,
    /// Of one of these build types. Empty: any.
    #[serde(default)]
    pub build_type: OrParam<String>,
    /// Exactly these external parameters (values that are no texts as JSON): one that is not named is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_parameters: Option<BTreeMap<String, String>>,
    /// Whether provenance that nobody trusted signed is enough for level 1. Never for more.
    #[serde(default = "no")]
    pub accept_unsigned: OneOrParam<bool>,
}

fn no() -> OneOrParam<bool> {
    OneOrParam::Value(false)
}

impl SlsaLeaf {
    /// The parameters that it names.
    pub(super) fn params(&self) -> Vec<ParameterUse<'_>> {
        let builders = ParameterUse::of_strings(&self.builders, "builders");
        let sources = ParameterUse::of_list(&self.source, ParameterType::Sources, "source");
        let build_types = ParameterUse::of_strings(&self.build_type, "buildType");
        let unsigned = ParameterUse::of_one(&self.accept_unsigned, ParameterType::Boolean, "acceptUnsigned");
        [builders, sources, build_types, unsigned].into_iter().flatten().collect()
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.build_level == BuildLevel::L0 {
            return Some(Fault::new("level 0 holds for everything; write 1, 2 or 3").under("buildLevel"));
        }
        let accepts = matches!(self.accept_unsigned, OneOrParam::Value(true) | OneOrParam::Param(_));
        (accepts && self.build_level > BuildLevel::L1)
            .then(|| Fault::new("only level 1 can be shown without a signature").under("acceptUnsigned"))
    }
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
