//! Trust policies. This version reads where evidence lies; authorities come with the verification of signatures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::located::{Fault, Located};
use crate::model::Pattern;

/// A trust policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustPolicy {
    /// Where else evidence lies.
    #[serde(default)]
    pub evidence: Vec<EvidenceRule>,
}

/// Where evidence of some images lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceRule {
    /// The images, by the name that the workload declares.
    #[serde(rename = "match")]
    pub images: Vec<Pattern>,
    /// Further places.
    #[serde(default)]
    pub places: Vec<EvidencePlace>,
    /// Whether an empty answer of the images' own repository is an absence. Say `false` of a mirror or cache.
    #[serde(default = "yes")]
    pub authoritative: bool,
}

fn yes() -> bool {
    true
}

/// One further place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EvidencePlace {
    /// Another repository; `{path}` stands for the image's path inside its registry.
    Repository(String),
    /// A prefix before cosign's tags in the image's own repository.
    TagPrefix(String),
}

/// Parts of a trust policy that this version does not have.
const PARTS_NOT_YET: [&str; 5] = ["trustRoots", "authorities", "images", "revocations", "otherwise"];

/// The first part of a policy, as it is written, that only a later version has.
pub(super) fn not_yet(spec: &Located) -> Option<Fault> {
    let (part, _) = spec.keys().find(|(key, _)| PARTS_NOT_YET.contains(key))?;
    let detail = format!("`{part}` of a trust policy is not supported by this version of seaworthy; it reads `evidence`");
    Some(Fault::new(detail).under(part))
}

impl TrustPolicy {
    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        let each = self.evidence.iter().enumerate();
        each.filter_map(|(item, rule)| rule.fault().map(|fault| fault.under(item).under("evidence"))).next()
    }
}

impl EvidenceRule {
    fn fault(&self) -> Option<Fault> {
        if self.images.is_empty() {
            return Some(Fault::new("`match` names no image").under("match"));
        }
        let each = self.places.iter().enumerate();
        each.filter_map(|(item, place)| place.fault().map(|fault| fault.under(item).under("places"))).next()
    }
}

impl EvidencePlace {
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Repository(template) => {
                let error = template.replace("{path}", "path").parse::<crate::model::Repository>().err()?;
                Some(Fault::new(format!("repository {template:?}: {error}")).under("repository"))
            }
            Self::TagPrefix(prefix) => {
                let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
                let fits = !prefix.is_empty() && prefix.len() <= 40 && prefix.bytes().all(is_tag) && !prefix.starts_with(['.', '-']);
                (!fits).then(|| Fault::new(format!("tagPrefix {prefix:?} is not the beginning of a tag")).under("tagPrefix"))
            }
        }
    }
}
