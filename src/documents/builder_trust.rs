//! Builders: who may sign provenance for which builder, and what level that shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::located::Fault;
use super::rule::Nothing;
use super::trust_policy::{Authority, Otherwise, TrustPolicy, TrustRootSource, anchored};
use crate::model::BuildLevel;

/// Builders that are trusted. A verifier cannot measure a builder's level: this map says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuilderTrust {
    /// Trust roots by the names that authorities use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trust_roots: BTreeMap<String, TrustRootSource>,
    /// Authorities by the names that builders use. They vouch for provenance, and never for images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorities: BTreeMap<String, Authority>,
    /// The builders.
    #[schemars(length(min = 1))]
    pub builders: Vec<Builder>,
}

/// One builder, or a family of builders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Builder {
    /// What it is called in reports, and where rules ask for it.
    pub name: String,
    /// The `builder.id` of its provenance.
    pub id: BuilderId,
    /// Authorities that sign for it: those of this document, else those of the trust policies.
    #[schemars(length(min = 1))]
    pub signed_by: Vec<String>,
    /// Only provenance of these build types; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_types: Vec<String>,
    /// The level that it reaches, 1 to 3.
    #[schemars(range(min = 1, max = 3))]
    pub level: BuildLevel,
}

/// A builder's identifier. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BuilderId {
    /// This text.
    Exact(String),
    /// A regular expression, anchored at both ends.
    Regexp(String),
    /// The identity that signed: workflows that sign for themselves.
    Signer(Nothing),
}

impl BuilderTrust {
    /// Roots and authorities as a trust policy has them, so that they are loaded and checked alike. It has no rules for images.
    #[must_use]
    pub fn as_policy(&self) -> TrustPolicy {
        TrustPolicy {
            trust_roots: self.trust_roots.clone(),
            authorities: self.authorities.clone(),
            images: Vec::new(),
            revocations: Vec::new(),
            evidence: Vec::new(),
            otherwise: Otherwise::Ignore,
        }
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.builders.is_empty() {
            return Some(Fault::new("there is no builder in it").under("builders"));
        }
        let builders = self.builders.iter().enumerate();
        self.as_policy().fault().or_else(|| {
            builders
                .into_iter()
                .find_map(|(item, builder)| self.builder_fault(item, builder).map(|fault| fault.under(item).under("builders")))
        })
    }

    fn builder_fault(&self, item: usize, builder: &Builder) -> Option<Fault> {
        if builder.name.trim().is_empty() {
            return Some(Fault::new("a builder has a name").under("name"));
        }
        if self.builders[..item].iter().any(|earlier| earlier.name == builder.name) {
            return Some(Fault::new(format!("an earlier builder is called {:?} too", builder.name)).under("name"));
        }
        if builder.signed_by.is_empty() {
            return Some(Fault::new("`signedBy: []` trusts nobody; name at least one authority").under("signedBy"));
        }
        if builder.level == BuildLevel::L0 {
            return Some(Fault::new("level 0 is what a builder without trust has; write 1, 2 or 3").under("level"));
        }
        match &builder.id {
            BuilderId::Exact(text) if text.is_empty() => Some(Fault::new("a builder's id is not empty").under("exact").under("id")),
            BuilderId::Regexp(text) => {
                let error = anchored(text).err()?;
                Some(Fault::new(format!("{text:?} is not a regular expression: {error}")).under("regexp").under("id"))
            }
            BuilderId::Exact(_) | BuilderId::Signer(_) => None,
        }
    }
}

/// A builder document with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBuilderTrust {
    /// `metadata.name`.
    pub name: String,
    /// What it says.
    pub trust: BuilderTrust,
}
