//! Builders that are trusted, made ready: whose provenance shows which level.

use super::compiled::{CompiledAuthority, TrustPolicies};
use super::matcher::Matcher;
use crate::documents::{Builder, BuilderId, BuilderTrust};
use crate::model::{BuildLevel, PolicyMaterial, Signer, SubjectName};

/// A builder document with its material.
#[derive(Debug, Clone)]
pub struct NamedBuilders {
    /// Its name.
    pub name: String,
    /// What it says.
    pub trust: BuilderTrust,
    /// What its authorities vouch with.
    pub material: PolicyMaterial,
}

/// One builder.
#[derive(Debug, Clone)]
pub(super) struct CompiledBuilder {
    pub(super) name: String,
    pub(super) id: Id,
    /// Own authorities. They vouch for provenance alone.
    pub(super) authorities: Vec<CompiledAuthority>,
    /// Names of authorities of the trust policies.
    pub(super) of_policies: Vec<String>,
    pub(super) build_types: Vec<String>,
    pub(super) level: BuildLevel,
}

/// A builder's identifier.
#[derive(Debug, Clone)]
pub(super) enum Id {
    Text(Matcher),
    Signer,
}

impl Id {
    /// Whether provenance by this signer may name this builder.
    pub(super) fn matches(&self, builder: &str, signer: &Signer) -> bool {
        match (self, signer) {
            (Self::Text(matcher), _) => matcher.matches(builder),
            // One identity, and no other beside it.
            (Self::Signer, Signer::Certificate(claims)) => matches!(claims.names.as_slice(), [SubjectName::Uri(uri)] if uri == builder),
            (Self::Signer, Signer::Key { .. }) => false,
        }
    }

    /// Whether it may be meant, whoever signed.
    pub(super) fn may_be(&self, builder: &str) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(builder),
            Self::Signer => true,
        }
    }
}

impl TrustPolicies {
    /// The same policies with builders. What these trust counts for provenance, and never for images.
    #[must_use]
    pub fn with_builders(mut self, builders: Vec<NamedBuilders>) -> Self {
        for NamedBuilders { trust, material, .. } in builders {
            for builder in &trust.builders {
                let compiled = self.builder(builder, &trust, &material);
                self.builders.push(compiled);
            }
        }
        self
    }

    fn builder(&mut self, builder: &Builder, trust: &BuilderTrust, material: &PolicyMaterial) -> CompiledBuilder {
        let own = |name: &&String| trust.authorities.contains_key(*name);
        let authorities = builder.signed_by.iter().filter(own);
        let authorities = authorities.filter_map(|name| Some((name, trust.authorities.get(name)?)));
        CompiledBuilder {
            name: builder.name.clone(),
            id: match &builder.id {
                BuilderId::Exact(text) => Id::Text(Matcher::Exact(text.clone())),
                BuilderId::Regexp(text) => Id::Text(Matcher::regexp(text)),
                BuilderId::Signer(_) => Id::Signer,
            },
            authorities: authorities.map(|(name, spec)| self.authority(name, spec, material)).collect(),
            of_policies: builder.signed_by.iter().filter(|name| !own(name)).cloned().collect(),
            build_types: builder.build_types.clone(),
            level: builder.level,
        }
    }
}
