//! Signatures by a key, directly: without a log or a time stamp there is nothing else to check.
//!
//! Upstream gap (sigstore-verify 0.15): a bundle by a key without log entry and time stamp is refused in every mode; and it assumes
//! one hash for each kind of key, while cosign signs with SHA-256 by keys of P-384 too, and by Ed25519 keys with Ed25519ph (RFC 8032,
//! section 5.1), which neither the family nor aws-lc-rs has.

use aws_lc_rs::digest::{Context, SHA256, SHA384};
use ed25519_dalek::{Digest as _, Sha512};
use sigstore_crypto::{KeyAlgorithm, SigningScheme, VerificationKey};
use sigstore_types::{DerPublicKey, DsseEnvelope, HashAlgorithm, SignatureContent};

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
            SignatureContent::DsseEnvelope(envelope) => match hashed(envelope, *scheme) {
                Some(hash) => verifier.verify_prehashed(hash.as_ref(), &envelope.signature.sig).is_ok(),
                None => verifier.verify(envelope.pae(), &envelope.signature.sig).is_ok(),
            },
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
    if algorithm == KeyAlgorithm::Ed25519 && is_prehashed(content, key) {
        return Ok("ED25519PH");
    }
    Err(last)
}

/// The hash of what an envelope's signature is over, worked out without a copy of the payload; none where the scheme signs the text.
fn hashed(envelope: &DsseEnvelope, scheme: SigningScheme) -> Option<aws_lc_rs::digest::Digest> {
    let algorithm = match scheme.hash_algorithm()? {
        HashAlgorithm::Sha2256 => &SHA256,
        HashAlgorithm::Sha2384 => &SHA384,
        _ => return None,
    };
    let payload = envelope.payload.as_bytes();
    let mut context = Context::new(algorithm);
    context.update(format!("DSSEv1 {} {} {} ", envelope.payload_type.len(), envelope.payload_type, payload.len()).as_bytes());
    context.update(payload);
    Some(context.finish())
}

/// Whether an Ed25519 key signed the SHA-512 of what the signature is over, with an empty context.
fn is_prehashed(content: &Content, key: &DerPublicKey) -> bool {
    let (hash, signature) = match &content.bundle.content {
        SignatureContent::DsseEnvelope(envelope) => (Sha512::new_with_prefix(envelope.pae()), envelope.signature.sig.as_bytes()),
        SignatureContent::MessageSignature(message) => match content.bytes() {
            Some(bytes) => (Sha512::new_with_prefix(bytes), message.signature.as_bytes()),
            None => return false,
        },
        _ => return false,
    };
    // RFC 8410: the key's 32 bytes are the end of its SubjectPublicKeyInfo.
    let Some(raw) = key.as_bytes().last_chunk() else { return false };
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(raw) else { return false };
    let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
    key.verify_prehashed_strict(hash, None, &signature).is_ok()
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
