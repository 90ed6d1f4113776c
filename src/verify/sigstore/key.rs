//! Signatures by a key, directly: without a log or a time stamp there is nothing else to check.
//!
//! Upstream gap (sigstore-verify 0.15): a bundle by a key without log entry and time stamp is refused in every mode; and it assumes
//! one hash for each kind of key, while cosign signs with SHA-256 by keys of P-384 too.

use sigstore_crypto::{KeyAlgorithm, SigningScheme, VerificationKey};
use sigstore_types::{DerPublicKey, SignatureContent};

use super::content::Content;

/// Why a signature does not hold under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyFailure {
    /// The key did not make it.
    NotByThisKey,
    /// This combination of key and signed thing is not supported.
    Unsupported(String),
}

/// Checks the signature of a bundle with a key; which scheme held.
pub(super) fn check(content: &Content, key: &DerPublicKey) -> Result<&'static str, KeyFailure> {
    let unsupported = |error: sigstore_crypto::Error| KeyFailure::Unsupported(error.to_string());
    let algorithm = KeyAlgorithm::from_spki(key).map_err(unsupported)?;
    let mut last = KeyFailure::NotByThisKey;
    for scheme in schemes(algorithm) {
        let verifier = VerificationKey::from_spki_with_scheme(key, *scheme).map_err(unsupported)?;
        let held = match &content.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => verifier.verify(envelope.pae(), &envelope.signature.sig).is_ok(),
            SignatureContent::MessageSignature(message) => match content.bytes() {
                Some(bytes) => verifier.verify(bytes, &message.signature).is_ok(),
                None if *scheme == SigningScheme::Ed25519 => {
                    last = KeyFailure::Unsupported("an Ed25519 signature needs the bytes that it is over".to_owned());
                    false
                }
                // Only the digest by SHA-256 is at hand.
                None => verifier.verify_prehashed(content.digest().as_bytes(), &message.signature).is_ok(),
            },
            _ => return Err(KeyFailure::Unsupported("neither an envelope nor a message signature".to_owned())),
        };
        if held {
            return Ok(scheme.name());
        }
    }
    Err(last)
}

/// The schemes that Sigstore's clients sign with by a kind of key, the usual one first.
fn schemes(algorithm: KeyAlgorithm) -> &'static [SigningScheme] {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &[SigningScheme::EcdsaP256Sha256],
        KeyAlgorithm::EcdsaP384 => &[SigningScheme::EcdsaP384Sha384, SigningScheme::EcdsaP384Sha256],
        KeyAlgorithm::Ed25519 => &[SigningScheme::Ed25519],
        KeyAlgorithm::Rsa => &[SigningScheme::RsaPkcs1Sha256],
        _ => &[],
    }
}
