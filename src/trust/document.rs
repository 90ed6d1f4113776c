//! Sigstore's `trusted_root.json` (protobuf-specs, `sigstore_trustroot.proto`): whether it can be used.

use serde::Deserialize;
use sigstore_trust_root::TrustedRoot;
use sigstore_verify::Verifier;

use super::MATERIAL_LIMIT;
use crate::model::escape_control;

/// What media types of trust roots begin with: `…+json;version=0.1` at first, `….v0.2+json` since.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// Versions that can be read.
const VERSIONS: [&str; 2] = ["0.1", "0.2"];

/// Why a document is no trust root that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// It is larger than any trust root.
    #[error("it is larger than {MATERIAL_LIMIT} bytes, which no trust root is")]
    TooLarge,
    /// It is no JSON, or JSON of something else.
    #[error("it is not a trust root as Sigstore writes it (trusted_root.json): {0}")]
    Malformed(String),
    /// Its media type is another.
    #[error("it says that it is {0:?}, and a trust root is {MEDIA_TYPE}")]
    MediaType(String),
    /// It is of a version that this program does not know.
    #[error("it is of version {0}, and this program reads {known}: a newer release may read it", known = VERSIONS.join(" and "))]
    Version(String),
    /// Nobody is trusted by it.
    #[error("it names no certificate authority, no log and no time-stamp authority")]
    Empty,
    /// Keys, certificates or periods in it cannot be used.
    #[error("what it names cannot be used: {0}")]
    Unusable(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: String,
}

/// Checks that these bytes are a trust root that verification can use. When its keys are valid is not looked at: that depends on the
/// moment that is asked about.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(bytes: &[u8]) -> Result<(), RootError> {
    if bytes.len() as u64 > MATERIAL_LIMIT {
        return Err(RootError::TooLarge);
    }
    let malformed = |error: &dyn std::fmt::Display| RootError::Malformed(escape_control(&error.to_string()).into_owned());
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
    // First of all: what a newer version adds may not parse.
    let head: Head = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let version = version(&head.media_type).ok_or_else(|| RootError::MediaType(head.media_type.clone()))?;
    if !VERSIONS.contains(&version) {
        return Err(RootError::Version(escape_control(version).into_owned()));
    }
    let root = TrustedRoot::from_json(text).map_err(|error| malformed(&error))?;
    if root.tlogs.is_empty() && root.certificate_authorities.is_empty() && root.ctlogs.is_empty() && root.timestamp_authorities.is_empty() {
        return Err(RootError::Empty);
    }
    Verifier::new(&root).map(drop).map_err(|error| RootError::Unusable(escape_control(&error.to_string()).into_owned()))
}

fn version(media_type: &str) -> Option<&str> {
    let rest = media_type.strip_prefix(MEDIA_TYPE)?;
    match rest.strip_prefix("+json;version=") {
        Some(version) => Some(version),
        None => rest.strip_prefix(".v")?.strip_suffix("+json"),
    }
}
