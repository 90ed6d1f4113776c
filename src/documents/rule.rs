//! Rules: one node, a combination of others or a leaf.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::OrParam;
use crate::model::{Pattern, PullPolicy};

/// A rule. Combined in three-valued logic: `all` fails on any fail, else is unknown on any unknown; `any` the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// Every one holds. Not empty.
    All(#[schemars(length(min = 1))] Vec<Rule>),
    /// At least one holds. Not empty.
    Any(#[schemars(length(min = 1))] Vec<Rule>),
    /// It does not hold.
    Not(Box<Rule>),
    /// About the reference as it is written.
    Reference(ReferenceLeaf),
    /// About the registry and repository.
    Registry(RegistryLeaf),
    /// About what runs.
    Running(RunningLeaf),
    /// About signatures.
    Signature(SignatureLeaf),
    /// About all containers at once; for `subject: cluster` only.
    Cluster(ClusterLeaf),
}

/// Leaves about the reference as it is written. Read the specification alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReferenceLeaf {
    /// It can be parsed.
    WellFormed(Nothing),
    /// It pins a digest.
    PinnedToDigest(Nothing),
    /// What is pulled by is one of these tags (neither tag nor digest: `latest`).
    TagIn(OrParam<String>),
    /// What is pulled by is none of these tags.
    TagNotIn(OrParam<String>),
    /// The pull policy in force is one of these (where none is written, Kubernetes' default for the tag).
    PullPolicy(Vec<Policy>),
}

/// A pull policy, as Kubernetes writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Policy {
    /// At each start.
    Always,
    /// Where the node has none.
    IfNotPresent,
    /// Never.
    Never,
}

impl From<Policy> for PullPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Always => Self::Always,
            Policy::IfNotPresent => Self::IfNotPresent,
            Policy::Never => Self::Never,
        }
    }
}

/// Leaves about registry and repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RegistryLeaf {
    /// It matches one of these.
    Allowed(OrParam<Pattern>),
    /// It matches none of these.
    Denied(OrParam<Pattern>),
    /// It matches none of `public`; what is pulled comes through one of `proxies`.
    ViaProxy(ViaProxy),
}

/// Public registries, and what stands in front of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViaProxy {
    /// Registries that are reached through a proxy only.
    pub public: OrParam<Pattern>,
    /// The proxies.
    pub proxies: OrParam<Pattern>,
}

/// Leaves about what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunningLeaf {
    /// The tag of the specification still leads to what runs.
    TagUnmoved(Nothing),
    /// What runs is known by a manifest digest.
    DigestKnown(Nothing),
    /// The workload's template declares the container.
    DeclaredInTemplate(Nothing),
}

/// Leaves about signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SignatureLeaf {
    /// At least one parseable signature statement names the digest. No trust is consulted.
    Exists(Nothing),
}

/// Leaves about the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClusterLeaf {
    /// Everything in scope could be listed, and each digest is known.
    InventoryComplete(Nothing),
    /// The rule holds for at least one container.
    AtLeastOne(Box<Rule>),
}

/// `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Parts of the full design that this version does not have.
pub(super) const NOT_YET: [&str; 5] = ["attestation", "slsa", "summary", "sbom", "policy"];

impl Rule {
    /// The parameters that it names, with what kind of list each place wants.
    pub(super) fn params(&self) -> Vec<(&str, super::ParameterType)> {
        use super::ParameterType::{Patterns, Strings};
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::params).collect(),
            Self::Not(rule) | Self::Cluster(ClusterLeaf::AtLeastOne(rule)) => rule.params(),
            Self::Reference(ReferenceLeaf::TagIn(tags) | ReferenceLeaf::TagNotIn(tags)) => {
                tags.param().map(|name| (name, Strings)).into_iter().collect()
            }
            Self::Registry(RegistryLeaf::Allowed(patterns) | RegistryLeaf::Denied(patterns)) => {
                patterns.param().map(|name| (name, Patterns)).into_iter().collect()
            }
            Self::Registry(RegistryLeaf::ViaProxy(via)) => {
                [&via.public, &via.proxies].into_iter().filter_map(OrParam::param).map(|name| (name, Patterns)).collect()
            }
            Self::Reference(_) | Self::Running(_) | Self::Signature(_) | Self::Cluster(ClusterLeaf::InventoryComplete(_)) => Vec::new(),
        }
    }

    /// The first thing that is wrong with its shape, for a control about `cluster` (or about containers).
    pub(super) fn fault(&self, about_cluster: bool) -> Option<String> {
        match self {
            Self::All(rules) if rules.is_empty() => Some("`all: []` holds for everything; write at least one rule".to_owned()),
            Self::Any(rules) if rules.is_empty() => Some("`any: []` holds for nothing; write at least one rule".to_owned()),
            Self::All(rules) | Self::Any(rules) => rules.iter().find_map(|rule| rule.fault(about_cluster)),
            Self::Not(rule) => rule.fault(about_cluster),
            Self::Cluster(_) if !about_cluster => Some("`cluster` needs `subject: cluster`".to_owned()),
            Self::Cluster(ClusterLeaf::AtLeastOne(rule)) => rule.fault(false),
            Self::Cluster(ClusterLeaf::InventoryComplete(_)) => None,
            Self::Reference(_) | Self::Registry(_) | Self::Running(_) | Self::Signature(_) if about_cluster => Some(
                "a control with `subject: cluster` asks by `cluster: { atLeastOne: … }` or `cluster: { inventoryComplete: {} }`".to_owned(),
            ),
            Self::Reference(_) | Self::Registry(_) | Self::Running(_) | Self::Signature(_) => None,
        }
    }
}
