//! What attestations say: claims, worth what their signers are trusted with.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{self, Predicate, SbomFormat};

/// What an attestation says, as far as it is understood.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attested<'a> {
    /// When it was made, as it says itself (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    time: Option<Timestamp>,
    /// The predicate.
    predicate: Entry<'a>,
}

/// A predicate.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Entry<'a> {
    /// How the image was built.
    #[serde(rename_all = "camelCase")]
    Provenance {
        /// The builder.
        builder: &'a str,
        /// The build type.
        build_type: &'a str,
        /// The source repository, without scheme and reference; null where the build type does not say which it is.
        source: Option<&'a str>,
        /// Branch or tag.
        reference: Option<&'a str>,
        /// The commit.
        commit: Option<&'a str>,
        /// Identifier of the run.
        invocation: Option<&'a str>,
    },
    /// What is in the image.
    #[serde(rename_all = "camelCase")]
    Sbom {
        /// The format.
        format: SbomFormat,
        /// Version of the format.
        spec_version: &'a str,
        /// What generated it.
        generator: Option<&'a str>,
        /// Packages that it lists.
        packages: u32,
    },
    /// What somebody else's verification gave.
    #[serde(rename_all = "camelCase")]
    VerificationSummary {
        /// The verifier.
        verifier: &'a str,
        /// Whether it passed.
        passed: bool,
        /// The levels that were verified.
        levels: &'a [String],
        /// The resource.
        resource: &'a str,
    },
    /// Of a type that only expressions look into.
    Other {},
    /// Of a version or an encoding that is not supported.
    Unsupported {
        /// Which.
        detail: &'a str,
    },
    /// Not a predicate of its type.
    Malformed {
        /// Why.
        detail: &'a str,
    },
}

impl<'a> From<&'a model::Attested> for Attested<'a> {
    fn from(attested: &'a model::Attested) -> Self {
        let predicate = match &attested.predicate {
            Err(detail) => Entry::Malformed { detail },
            Ok(Predicate::Other) => Entry::Other {},
            Ok(Predicate::Unsupported(detail)) => Entry::Unsupported { detail },
            Ok(Predicate::Provenance(of)) => Entry::Provenance {
                builder: &of.builder,
                build_type: &of.build_type,
                source: of.source.as_ref().map(|source| source.repository.as_str()),
                reference: of.source.as_ref().and_then(|source| source.reference.as_deref()),
                commit: of.source.as_ref().and_then(|source| source.commit.as_deref()),
                invocation: of.invocation.as_deref(),
            },
            Ok(Predicate::Sbom(of)) => Entry::Sbom {
                format: of.format,
                spec_version: &of.spec_version,
                generator: of.generator.as_deref(),
                packages: of.package_count,
            },
            Ok(Predicate::Summary(of)) => {
                Entry::VerificationSummary { verifier: &of.verifier, passed: of.passed, levels: &of.levels, resource: &of.resource }
            }
        };
        Self { time: attested.time, predicate }
    }
}
