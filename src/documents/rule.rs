//! Rules: one node, a combination of others or a leaf.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attested::{AttestationLeaf, SlsaLeaf};
use super::control::Subject;
use super::expression::Expression;
use super::located::{Fault, Step};
use super::parameter::{OneOrParam, OrParam, ParameterType};
use super::sbom::SbomLeaf;
use super::summary::SummaryLeaf;
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
    /// About attestations.
    Attestation(AttestationLeaf),
    /// About provenance, and the level of SLSA's build track that it shows.
    Slsa(SlsaLeaf),
    /// About bills of materials.
    Sbom(SbomLeaf),
    /// About verification summaries.
    Summary(SummaryLeaf),
    /// About all containers at once; for `subject: cluster` only.
    Cluster(ClusterLeaf),
    /// About the trust policies themselves; for `subject: policy` only.
    Policy(PolicyLeaf),
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
    /// Signatures hold, and are by whom they are to be.
    Verified(VerifiedLeaf),
}

/// By whom an image is to be signed, and what its signatures have to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifiedLeaf {
    /// By whom.
    pub by: SignedBy,
    /// By at least so many different keys or identities, on as many signatures. Without it: as the policy says, or one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub at_least: Option<u32>,
    /// Whether a long-lived key does not count.
    #[serde(default)]
    pub keyless_only: bool,
    /// Whether a person (an e-mail address, a user name) does not count: only the identity of a workload does, such as a workflow's.
    #[serde(default)]
    pub workload_only: bool,
    /// Only what is in a transparency log counts, whatever the policy asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transparency_log: Option<OnlyRequired>,
    /// Only what has a proven time of signing counts, whatever the policy asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_time: Option<OnlyRequired>,
    /// Public keys (PEM) that are trusted for every image that no rule of a trust policy is about.
    #[serde(default)]
    pub keys: OrParam<String>,
}

/// By whom an image is to be signed. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SignedBy {
    /// As the rules of the trust policies say.
    TrustPolicy(Nothing),
    /// By these authorities of the trust policies.
    Authorities(OrParam<String>),
}

/// `required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnlyRequired {
    /// It is asked for.
    Required,
}

/// Leaves about the trust policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PolicyLeaf {
    /// No authority rests on a key that lives long.
    NoLongLivedKeys(Nothing),
    /// A rule is about every image that runs.
    EveryImageCovered(Nothing),
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

/// Where a rule names a parameter, and what kind of list is wanted there.
pub(super) struct ParameterUse<'r> {
    pub(super) name: &'r str,
    /// None: any, as an expression reads each as a list of texts.
    pub(super) wanted: Option<ParameterType>,
    /// The innermost step first.
    path: Vec<Step>,
}

impl<'r> ParameterUse<'r> {
    /// A list of patterns, if it is a parameter.
    pub(super) fn of_patterns(list: &'r OrParam<Pattern>, key: &str) -> Option<Self> {
        Some(Self { name: list.param()?, wanted: Some(ParameterType::Patterns), path: vec!["param".into(), key.into()] })
    }

    /// A list of this type, if it is a parameter.
    pub(super) fn of_list<T>(list: &'r OrParam<T>, wanted: ParameterType, key: &str) -> Option<Self> {
        Some(Self { name: list.param()?, wanted: Some(wanted), path: vec!["param".into(), key.into()] })
    }

    pub(super) fn of_strings(list: &'r OrParam<String>, key: &str) -> Option<Self> {
        Some(Self { name: list.param()?, wanted: Some(ParameterType::Strings), path: vec!["param".into(), key.into()] })
    }

    /// One value, if it is a parameter.
    pub(super) fn of_one<T>(value: &'r OneOrParam<T>, wanted: ParameterType, key: &str) -> Option<Self> {
        Some(Self { name: value.param()?, wanted: Some(wanted), path: vec!["param".into(), key.into()] })
    }

    /// Those that an expression reads.
    pub(super) fn of_expression(expression: &'r Expression, key: &'static str) -> impl Iterator<Item = Self> {
        expression.parameters().map(move |name| Self { name, wanted: None, path: vec![key.into()] })
    }

    pub(super) fn under(mut self, step: impl Into<Step>) -> Self {
        self.path.push(step.into());
        self
    }

    /// What is wrong with it.
    pub(super) fn fault(&self, detail: String) -> Fault {
        self.path.iter().cloned().fold(Fault::new(detail), Fault::under)
    }
}

impl Rule {
    /// The parameters that it names.
    pub(super) fn params(&self) -> Vec<ParameterUse<'_>> {
        match self {
            Self::All(rules) => params_of_all(rules, "all"),
            Self::Any(rules) => params_of_all(rules, "any"),
            Self::Not(rule) => rule.params().into_iter().map(|used| used.under("not")).collect(),
            Self::Cluster(ClusterLeaf::AtLeastOne(rule)) => {
                rule.params().into_iter().map(|used| used.under("atLeastOne").under("cluster")).collect()
            }
            Self::Reference(leaf) => {
                let used = match leaf {
                    ReferenceLeaf::TagIn(tags) => ParameterUse::of_strings(tags, "tagIn"),
                    ReferenceLeaf::TagNotIn(tags) => ParameterUse::of_strings(tags, "tagNotIn"),
                    ReferenceLeaf::WellFormed(_) | ReferenceLeaf::PinnedToDigest(_) | ReferenceLeaf::PullPolicy(_) => None,
                };
                used.map(|used| used.under("reference")).into_iter().collect()
            }
            Self::Registry(leaf) => {
                let lists = leaf.lists().into_iter();
                let used = lists.filter_map(|(list, keys)| {
                    let (key, outer) = keys.split_first()?;
                    let used = ParameterUse::of_patterns(list, key)?;
                    Some(outer.iter().copied().fold(used, ParameterUse::under).under("registry"))
                });
                used.collect()
            }
            Self::Signature(SignatureLeaf::Verified(leaf)) => {
                let authorities = match &leaf.by {
                    SignedBy::Authorities(names) => ParameterUse::of_strings(names, "authorities").map(|used| used.under("by")),
                    SignedBy::TrustPolicy(_) => None,
                };
                let used = authorities.into_iter().chain(ParameterUse::of_strings(&leaf.keys, "keys"));
                used.map(|used| used.under("verified").under("signature")).collect()
            }
            Self::Slsa(leaf) => leaf.params().into_iter().map(|used| used.under("slsa")).collect(),
            Self::Attestation(leaf) => leaf.params().into_iter().map(|used| used.under("attestation")).collect(),
            Self::Sbom(leaf) => leaf.params().into_iter().map(|used| used.under("sbom")).collect(),
            Self::Summary(leaf) => leaf.params().into_iter().map(|used| used.under("summary")).collect(),
            Self::Running(_)
            | Self::Signature(SignatureLeaf::Exists(_))
            | Self::Cluster(ClusterLeaf::InventoryComplete(_))
            | Self::Policy(_) => Vec::new(),
        }
    }

    /// The first thing that is wrong beyond its shape, for a control about this.
    pub(super) fn fault(&self, about: Subject) -> Option<Fault> {
        match self {
            Self::All(rules) if rules.is_empty() => {
                Some(Fault::new("`all: []` holds for everything; write at least one rule").under("all"))
            }
            Self::Any(rules) if rules.is_empty() => Some(Fault::new("`any: []` holds for nothing; write at least one rule").under("any")),
            Self::All(rules) => fault_of_all(rules, about).map(|fault| fault.under("all")),
            Self::Any(rules) => fault_of_all(rules, about).map(|fault| fault.under("any")),
            Self::Not(rule) => rule.fault(about).map(|fault| fault.under("not")),
            Self::Policy(_) if about != Subject::Policy => Some(Fault::new("`policy` needs `subject: policy`").under("policy")),
            Self::Policy(_) => None,
            _ if about == Subject::Policy => Some(Fault::new(
                "a control with `subject: policy` asks by `policy: { everyImageCovered: {} }` or `policy: { noLongLivedKeys: {} }`",
            )),
            Self::Cluster(_) if about != Subject::Cluster => Some(Fault::new("`cluster` needs `subject: cluster`").under("cluster")),
            Self::Cluster(ClusterLeaf::AtLeastOne(rule)) => {
                rule.fault(Subject::Container).map(|fault| fault.under("atLeastOne").under("cluster"))
            }
            Self::Cluster(ClusterLeaf::InventoryComplete(_)) => None,
            Self::Reference(_)
            | Self::Registry(_)
            | Self::Running(_)
            | Self::Signature(_)
            | Self::Attestation(_)
            | Self::Slsa(_)
            | Self::Sbom(_)
            | Self::Summary(_)
                if about == Subject::Cluster =>
            {
                Some(Fault::new(
                    "a control with `subject: cluster` asks by `cluster: { atLeastOne: … }` or `cluster: { inventoryComplete: {} }`",
                ))
            }
            Self::Reference(leaf) => leaf.fault().map(|fault| fault.under("reference")),
            Self::Registry(leaf) => leaf.fault().map(|fault| fault.under("registry")),
            Self::Signature(SignatureLeaf::Verified(leaf)) => leaf.fault().map(|fault| fault.under("verified").under("signature")),
            Self::Slsa(leaf) => leaf.fault().map(|fault| fault.under("slsa")),
            Self::Attestation(leaf) => leaf.fault().map(|fault| fault.under("attestation")),
            Self::Sbom(leaf) => leaf.fault().map(|fault| fault.under("sbom")),
            Self::Summary(leaf) => leaf.fault().map(|fault| fault.under("summary")),
            Self::Running(_) | Self::Signature(SignatureLeaf::Exists(_)) => None,
        }
    }
}

impl VerifiedLeaf {
    fn fault(&self) -> Option<Fault> {
        if self.at_least == Some(0) {
            return Some(Fault::new("`atLeast: 0` holds for everything").under("atLeast"));
        }
        match &self.by {
            SignedBy::Authorities(OrParam::Values(names)) if names.is_empty() => Some(empty_list("authorities").under("by")),
            _ => None,
        }
    }
}

fn params_of_all<'r>(rules: &'r [Rule], key: &str) -> Vec<ParameterUse<'r>> {
    let each = rules.iter().enumerate();
    each.flat_map(|(item, rule)| rule.params().into_iter().map(move |used| used.under(item).under(key))).collect()
}

fn fault_of_all(rules: &[Rule], about: Subject) -> Option<Fault> {
    rules.iter().enumerate().find_map(|(item, rule)| rule.fault(about).map(|fault| fault.under(item)))
}

/// A written list with nothing in it: the answer would be the same whatever runs.
pub(super) fn empty_list(key: &str) -> Fault {
    Fault::new(format!("`{key}: []` says nothing; list at least one, or write {{ param: NAME }}")).under(key)
}

impl ReferenceLeaf {
    fn fault(&self) -> Option<Fault> {
        let is_empty = |tags: &OrParam<String>| matches!(tags, OrParam::Values(values) if values.is_empty());
        match self {
            Self::TagIn(tags) if is_empty(tags) => Some(empty_list("tagIn")),
            Self::TagNotIn(tags) if is_empty(tags) => Some(empty_list("tagNotIn")),
            Self::PullPolicy(policies) if policies.is_empty() => Some(empty_list("pullPolicy")),
            _ => None,
        }
    }
}

impl RegistryLeaf {
    /// Its lists, each with its keys, the innermost first.
    fn lists(&self) -> Vec<(&OrParam<Pattern>, &'static [&'static str])> {
        match self {
            Self::Allowed(patterns) => vec![(patterns, &["allowed"])],
            Self::Denied(patterns) => vec![(patterns, &["denied"])],
            Self::ViaProxy(via) => vec![(&via.public, &["public", "viaProxy"]), (&via.proxies, &["proxies", "viaProxy"])],
        }
    }

    fn fault(&self) -> Option<Fault> {
        let empty = |list: &OrParam<Pattern>| matches!(list, OrParam::Values(values) if values.is_empty());
        let (_, keys) = self.lists().into_iter().find(|(list, _)| empty(list))?;
        let (key, outer) = keys.split_first()?;
        Some(outer.iter().copied().fold(empty_list(key), Fault::under))
    }
}
