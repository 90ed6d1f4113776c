//! Private keys from files: PKCS #8 in PEM, and cosign's own encrypted form.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cosign_key;

/// Why nothing can be signed with a file. Never shows any of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// It is none.
    #[error("it is no private key in PEM: PKCS #8 (-----BEGIN PRIVATE KEY-----), or as `cosign generate-key-pair` writes it")]
    NotPem,
    /// It is in another form.
    #[error("it is a key in the form {0:?}: convert it (openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW)")]
    OtherForm(String),
    /// It is a public key.
    #[error("it is a public key: signing needs the private one")]
    Public,
    /// Its kind is not supported.
    #[error("it is none of the kinds that sign here: ECDSA over P-256 or P-384, Ed25519, RSA of 2048 to 8192 bits")]
    Unsupported,
    /// Its curve is written out.
    #[error("it spells out its curve instead of naming it, and verifiers refuse the public key that belongs to it: make another one")]
    CurveSpelledOut,
    /// It is encrypted, and there is no password.
    #[error("it is encrypted: set COSIGN_PASSWORD to its password")]
    NoPassword,
    /// The password does not open it.
    #[error("it cannot be decrypted: the password is another one, or the file is damaged")]
    WrongPassword,
    /// It is encrypted in a way that is not known.
    #[error("it is encrypted in a way that is not known: {0}")]
    UnknownEncryption(String),
    /// Signing failed.
    #[error("it does not sign")]
    Refused,
    /// The bundle cannot be written.
    #[error("the bundle cannot be written: {0}")]
    Bundle(String),
}

/// The object identifier of prime fields (RFC 3279, 2.3.5), which stands only where the parameters of a curve are written out.
const PRIME_FIELD: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01];

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed(Ed25519KeyPair),
}

/// A private key. Nothing shows it.
pub struct SigningKey {
    pair: Pair,
    spki: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningKey").field("hint", &self.hint()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a key; `password` is asked where the file is encrypted.
    ///
    /// # Errors
    /// When it is none, and when it cannot be decrypted.
    pub fn read(file: &[u8], password: impl FnOnce() -> Option<String>) -> Result<Self, SigningKeyError> {
        let text = std::str::from_utf8(file).map_err(|_| SigningKeyError::NotPem)?;
        let label =
            text.split_once("-----BEGIN ").and_then(|(_, rest)| Some(rest.split_once("-----")?.0)).ok_or(SigningKeyError::NotPem)?;
        match label {
            "PRIVATE KEY" => Self::of_pkcs8(&body(text, label)?),
            // The older name is that of cosign 1.
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                let sealed = body(text, label)?;
                Self::of_pkcs8(&cosign_key::open(&sealed, &password().ok_or(SigningKeyError::NoPassword)?)?)
            }
            "PUBLIC KEY" | "CERTIFICATE" => Err(SigningKeyError::Public),
            other => Err(SigningKeyError::OtherForm(crate::model::escape_control(other).into_owned())),
        }
    }

    fn of_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        if der.windows(PRIME_FIELD.len()).any(|window| window == PRIME_FIELD) {
            return Err(SigningKeyError::CurveSpelledOut);
        }
        let ec = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).ok().map(Pair::Ec);
        let pair = ec(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .or_else(|| ec(&ECDSA_P384_SHA384_ASN1_SIGNING))
            .or_else(|| Ed25519KeyPair::from_pkcs8(der).ok().map(Pair::Ed))
            .or_else(|| RsaKeyPair::from_pkcs8(der).ok().map(|pair| Pair::Rsa(Box::new(pair))))
            .ok_or(SigningKeyError::Unsupported)?;
        let spki = match &pair {
            Pair::Ec(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ed(pair) => pair.public_key().as_der(),
        };
        let spki = spki.map_err(|_| SigningKeyError::Unsupported)?.as_ref().to_vec();
        Ok(Self { pair, spki })
    }

    /// The signature of a message, in the forms that Sigstore's clients check: ECDSA in ASN.1 over the hash of the curve's size, RSA by
    /// PKCS #1 v1.5 over SHA-256, Ed25519 over the message itself.
    ///
    /// # Errors
    /// [`SigningKeyError::Refused`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
        }
        .map_err(|_| SigningKeyError::Refused)
    }

    /// How bundles name the key: SHA-256 of its `SubjectPublicKeyInfo` in Base64, as cosign writes it.
    #[must_use]
    pub fn hint(&self) -> String {
        STANDARD.encode(digest(&SHA256, &self.spki))
    }

    /// Its public key, in PEM.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let text = STANDARD.encode(&self.spki);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (position, letter) in text.chars().enumerate() {
            if position > 0 && position % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem + "\n-----END PUBLIC KEY-----\n"
    }
}

/// What is between the lines of PEM.
fn body(text: &str, label: &str) -> Result<Vec<u8>, SigningKeyError> {
    let between = || text.split_once(&format!("-----BEGIN {label}-----"))?.1.split_once(&format!("-----END {label}-----"));
    let (body, _) = between().ok_or(SigningKeyError::NotPem)?;
    let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(body).map_err(|_| SigningKeyError::NotPem)
}
