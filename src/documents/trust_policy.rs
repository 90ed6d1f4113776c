//! Trust policies. This version reads where evidence lies; authorities come with the verification of signatures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
pub(super) const NOT_YET: [&str; 5] = ["trustRoots", "authorities", "images", "revocations", "otherwise"];

impl TrustPolicy {
    /// What is wrong with it beyond its shape.
    pub(super) fn fault(&self) -> Option<String> {
        for rule in &self.evidence {
            if rule.images.is_empty() {
                return Some("`match` names no image".to_owned());
            }
            for place in &rule.places {
                match place {
                    EvidencePlace::Repository(template) => {
                        if let Err(error) = template.replace("{path}", "path").parse::<crate::model::Repository>() {
                            return Some(format!("repository {template:?}: {error}"));
                        }
                    }
                    EvidencePlace::TagPrefix(prefix) => {
                        let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
                        if prefix.is_empty() || prefix.len() > 40 || !prefix.bytes().all(is_tag) || prefix.starts_with(['.', '-']) {
                            return Some(format!("tagPrefix {prefix:?} is not the beginning of a tag"));
                        }
                    }
                }
            }
        }
        None
    }
}
