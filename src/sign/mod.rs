//! Statements of our own, plain or signed with a key from a file.

mod cosign_key;
mod key;
mod summary;
#[cfg(test)]
mod tests;

use sigstore_bundle::{BundleV03, VerificationMaterialV03};
use sigstore_types::bundle::SignatureContent;
use sigstore_types::dsse::{DsseSignature, pae};
use sigstore_types::{DsseEnvelope, KeyId, PayloadBytes, SignatureBytes};

pub use self::key::{SigningKey, SigningKeyError};
pub use self::summary::{Verification, VerifiedBy, summary};

/// Type of the payload of an envelope that holds an in-toto statement (in-toto attestation framework, "Envelope").
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Puts a statement into a Sigstore bundle (v0.3) with a DSSE envelope, signed with a key. It is in no log and has no time stamp: who
/// verifies it says so, as with `cosign … --insecure-ignore-tlog`.
///
/// # Errors
/// When the key does not sign.
pub fn bundle(key: &SigningKey, statement: Vec<u8>) -> Result<String, SigningKeyError> {
    let signature = SignatureBytes::new(key.sign(&pae(IN_TOTO, &statement))?);
    let envelope = DsseEnvelope::new(IN_TOTO.to_owned(), PayloadBytes::new(statement), DsseSignature::new(signature, KeyId::default()));
    let material = VerificationMaterialV03::PublicKey { hint: key.hint() };
    let bundle = BundleV03::new(material, SignatureContent::DsseEnvelope(envelope)).into_bundle();
    bundle.to_json().map_err(|error| SigningKeyError::Bundle(error.to_string()))
}
