//! SLSA provenance, versions 0.2 and 1, in one form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How an image says it was built. A claim: worth what its signer is trusted with.
///
/// Normalised as SLSA itself maps the versions (slsa.dev/spec/v1.0/provenance, "Migrating from 0.2").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The predicate type that it was written as.
    pub predicate_type: String,
    /// `builder.id`.
    pub builder: String,
    /// `buildType`.
    pub build_type: String,
    /// The source that it was built from, where the build type says which one.
    pub source: Option<Source>,
    /// Top-level external parameters: what the caller of the build could choose. Values as canonical JSON text.
    pub external_parameters: BTreeMap<String, String>,
    /// Identifier of the run, as it is written.
    pub invocation: Option<String>,
    /// When the build began, as the builder says.
    pub started: Option<Timestamp>,
    /// When it ended, as the builder says.
    pub finished: Option<Timestamp>,
    /// Resolved dependencies or materials: how many.
    pub dependencies: u32,
}

/// Where the source lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The repository without scheme, reference and `.git`: `github.com/acme/app`.
    pub repository: String,
    /// `refs/heads/main`, `refs/tags/v1`, or what is written there.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The entry point: path of the workflow, or what is written there.
    pub entry_point: Option<String>,
}
