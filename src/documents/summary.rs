//! The leaf `summary`: what somebody else's verification gave (SLSA VSA).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::age::Age;
use super::located::Fault;
use super::parameter::{OneOrParam, OrParam, ParameterType};
use super::rule::{ParameterUse, SignedBy, empty_list};
use super::sbom::{authorities, nobody};
use super::trust_policy::TextMatch;
use crate::model::{LevelError, VerifiedLevel};

/// A verification summary that has to be there: by a verifier that is trusted, about this image, and passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SummaryLeaf {
    /// The verifiers that are trusted, each with who signs for it.
    #[schemars(length(min = 1))]
    pub verifiers: Vec<TrustedVerifier>,
    /// Levels that it has to have verified, all of them (`SLSA_BUILD_LEVEL_2`); a higher level of a track includes the lower ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<OrParam<String>>,
    /// Not older than this, counted from the proven time of signing or `timeVerified`, whichever is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<OneOrParam<Age>>,
    /// How it names the image in `resourceUri`. Without it: by its repository, with its digest if it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<TextMatch>,
}

/// A verifier: its identifier counts only where the one who signs for it signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedVerifier {
    /// `verifier.id`, as it is.
    pub id: String,
    /// Who signs for it.
    pub by: SignedBy,
}

impl SummaryLeaf {
    /// The parameters that it names.
    pub(super) fn params(&self) -> Vec<ParameterUse<'_>> {
        let verifiers = self.verifiers.iter().enumerate();
        let verifiers = verifiers.filter_map(|(item, verifier)| Some(authorities(&verifier.by)?.under(item).under("verifiers")));
        let levels = self.levels.as_ref().and_then(|levels| ParameterUse::of_strings(levels, "levels"));
        let age = self.max_age.as_ref().and_then(|age| ParameterUse::of_one(age, ParameterType::Duration, "maxAge"));
        verifiers.chain(levels).chain(age).collect()
    }

    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.verifiers.is_empty() {
            return Some(Fault::new("`verifiers: []` trusts nobody; name at least one").under("verifiers"));
        }
        let wrong = self.verifiers.iter().enumerate().find_map(|(item, verifier)| Some((item, verifier.fault()?)));
        if let Some((item, fault)) = wrong {
            return Some(fault.under(item).under("verifiers"));
        }
        if let Some(TextMatch::Regexp(text)) = &self.resource
            && let Err(error) = super::anchored(text)
        {
            return Some(Fault::new(error.to_string()).under("regexp").under("resource"));
        }
        let Some(OrParam::Values(levels)) = &self.levels else { return None };
        if levels.is_empty() {
            return Some(empty_list("levels"));
        }
        let read = levels.iter().enumerate();
        let wrong = read.filter_map(|(item, level)| Some((item, level.parse::<VerifiedLevel>().err()?)));
        wrong.map(|(item, error): (usize, LevelError)| Fault::new(error.to_string()).under(item).under("levels")).next()
    }
}

impl TrustedVerifier {
    fn fault(&self) -> Option<Fault> {
        if self.id.trim().is_empty() {
            return Some(Fault::new("a verifier has an identifier, such as https://verifier.example.com").under("id"));
        }
        nobody(&self.by)
    }
}
