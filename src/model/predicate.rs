//! Predicates: what attestations say, by type, and as far as they are understood.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::provenance::Provenance;
use super::sbom::Sbom;
use super::summary::VerificationSummary;

/// What a predicate is about. The types of a family differ in version alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PredicateKind {
    /// SLSA provenance, version 0.2 or 1.
    Provenance,
    /// A bill of materials (SPDX, CycloneDX).
    Sbom,
    /// A verification summary (SLSA VSA).
    Summary,
    /// Anything else.
    Other,
}

/// SLSA provenance v0.2 (slsa.dev/spec/v0.2/provenance).
pub const PROVENANCE_V02: &str = "https://slsa.dev/provenance/v0.2";
/// SLSA provenance v1 (slsa.dev/spec/v1.2/build-provenance).
pub const PROVENANCE_V1: &str = "https://slsa.dev/provenance/v1";
/// SLSA verification summary v1 (slsa.dev/spec/v1.2/verification_summary).
pub const VERIFICATION_SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
/// SPDX documents, as cosign and in-toto name them.
pub const SPDX: &str = "https://spdx.dev/Document";
/// CycloneDX documents.
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";

impl PredicateKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Provenance, Self::Sbom, Self::Summary, Self::Other];

    /// The kind of a predicate type (a URI). Versions below a family count to it: `https://cyclonedx.org/bom/v1.5`.
    #[must_use]
    pub fn of(predicate_type: &str) -> Self {
        if matches!(predicate_type, PROVENANCE_V02 | PROVENANCE_V1) {
            Self::Provenance
        } else if in_family(predicate_type, SPDX) || in_family(predicate_type, CYCLONEDX) {
            Self::Sbom
        } else if predicate_type == VERIFICATION_SUMMARY {
            Self::Summary
        } else {
            Self::Other
        }
    }
}

/// Whether a type is a family's own URI, or a version below it.
fn in_family(predicate_type: &str, family: &str) -> bool {
    predicate_type.strip_prefix(family).is_some_and(|rest| {
        let version = rest.strip_prefix("/v").or_else(|| rest.strip_prefix('/'));
        rest.is_empty() || version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    })
}

/// Kinds of predicates that are wanted; a small set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateKinds(u8);

impl PredicateKinds {
    /// None.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0b1111);

    /// One kind alone.
    #[must_use]
    pub fn only(kind: PredicateKind) -> Self {
        Self(1 << kind as u8)
    }

    /// Those of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it holds a kind.
    #[must_use]
    pub fn contains(self, kind: PredicateKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Cosign's short names, each with the family that it stands for.
const SHORT_NAMES: [(&str, &str); 10] = [
    ("slsaprovenance", PROVENANCE_V02),
    ("slsaprovenance02", PROVENANCE_V02),
    ("slsaprovenance1", PROVENANCE_V1),
    ("link", "https://in-toto.io/Link/v1"),
    ("spdx", SPDX),
    ("spdxjson", SPDX),
    ("cyclonedx", CYCLONEDX),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
];

/// A predicate type as a user writes it: its URI, which stands for itself alone, or one of cosign's short names, which stands for the
/// type and its versions (`cyclonedx` is also `https://cyclonedx.org/bom/v1.5`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateType(String);

/// Why a text is no predicate type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a predicate type (a URI, such as https://slsa.dev/provenance/v1) nor one of cosign's short names: {names}", names = SHORT_NAMES.map(|(name, _)| name).join(", "))]
pub struct PredicateTypeError(String);

impl PredicateType {
    /// Whether a statement's signed type is meant.
    #[must_use]
    pub fn matches(&self, predicate_type: &str) -> bool {
        match SHORT_NAMES.iter().find(|(name, _)| *name == self.0) {
            Some((_, family)) => in_family(predicate_type, family),
            None => self.0 == predicate_type,
        }
    }

    /// The URI that it stands for; of a family the one without a version.
    #[must_use]
    pub fn uri(&self) -> &str {
        SHORT_NAMES.iter().find(|(name, _)| *name == self.0).map_or(&self.0, |(_, family)| family)
    }

    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> PredicateKind {
        PredicateKind::of(self.uri())
    }
}

impl FromStr for PredicateType {
    type Err = PredicateTypeError;

    fn from_str(text: &str) -> Result<Self, PredicateTypeError> {
        let scheme = text.split_once(':').map(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        let is_uri = scheme.unwrap_or(false) && !text.contains(char::is_whitespace);
        let known = is_uri || SHORT_NAMES.iter().any(|(name, _)| *name == text);
        if known { Ok(Self(text.to_owned())) } else { Err(PredicateTypeError(text.to_owned())) }
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl Serialize for PredicateType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PredicateType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PredicateType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PredicateType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = SHORT_NAMES.map(|(name, _)| name).join(", ");
        schemars::json_schema!({ "type": "string", "description": format!("A predicate type: its URI, or one of cosign's short names ({names}), which also stands for the versions below it.") })
    }
}

/// A predicate as far as it is understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Predicate {
    /// How the image was built.
    Provenance(Box<Provenance>),
    /// What is in it.
    Sbom(Box<Sbom>),
    /// What somebody else's verification gave.
    Summary(Box<VerificationSummary>),
    /// Of a type that only expressions look into.
    Other,
    /// Of a version or an encoding that is not supported; which, for a person.
    Unsupported(String),
}

/// The statement's own bytes, for expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Payload {
    /// No expression reads it.
    #[default]
    NotWanted,
    /// JSON of the in-toto statement.
    Kept(Arc<[u8]>),
    /// More bytes than expressions read.
    TooLarge(u64),
}

/// What a statement says beyond its type and subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attested {
    /// The predicate, or why it is not one of its type.
    pub predicate: Result<Predicate, String>,
    /// When it was made, as it says itself.
    pub time: Option<Timestamp>,
    /// The bytes, where an expression wants them.
    pub payload: Payload,
}

/// How much of attestations the selected controls look into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Types whose bytes expressions read.
    pub payloads: Vec<PredicateType>,
    /// Whether expressions read the packages of bills of materials.
    pub packages: bool,
}

impl Wanted {
    /// Whether the bytes of a statement of this type are wanted.
    #[must_use]
    pub fn payload(&self, predicate_type: &str) -> bool {
        self.payloads.iter().any(|wanted| wanted.matches(predicate_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stand_for_families_and_uris_for_themselves() {
        let matches = |text: &str, predicate_type: &str| text.parse::<PredicateType>().unwrap().matches(predicate_type);
        assert!(matches("cyclonedx", CYCLONEDX) && matches("cyclonedx", "https://cyclonedx.org/bom/v1.5"));
        assert!(matches("spdxjson", "https://spdx.dev/Document/v2.3") && matches("openvex", "https://openvex.dev/ns/v0.2.0"));
        assert!(matches("slsaprovenance1", PROVENANCE_V1) && !matches("slsaprovenance1", PROVENANCE_V02));
        assert!(!matches(CYCLONEDX, "https://cyclonedx.org/bom/v1.5"), "a URI is exact");
        for look_alike in
            ["https://cyclonedx.org/bomb", "https://cyclonedx.org/bom/vex", "https://cyclonedx.org/bom/v", "xhttps://cyclonedx.org/bom"]
        {
            assert!(!matches("cyclonedx", look_alike), "{look_alike}");
            assert_eq!(PredicateKind::of(look_alike), PredicateKind::Other, "{look_alike}");
        }
    }

    #[test]
    fn what_is_neither_uri_nor_short_name_is_refused() {
        for text in ["", "slsa", "cyclone dx", "https:", "https://a b"] {
            assert!(text.parse::<PredicateType>().is_err(), "{text:?}");
        }
        let error = "slsa".parse::<PredicateType>().unwrap_err().to_string();
        assert!(error.contains("slsaprovenance1"), "{error}");
    }

    #[test]
    fn kinds_are_a_set() {
        let both = PredicateKinds::only(PredicateKind::Sbom).or(PredicateKinds::only(PredicateKind::Other));
        assert!(both.contains(PredicateKind::Sbom) && !both.contains(PredicateKind::Provenance));
        assert!(PredicateKinds::NONE.is_empty() && PredicateKinds::ALL.contains(PredicateKind::Summary));
    }
}
