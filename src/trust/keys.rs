//! Public keys in PEM.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use sigstore_crypto::VerificationKey;
use sigstore_types::DerPublicKey;
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::pem::{self, PemError};
use crate::model::{Algorithm, Digest, PublicKey, escape_control};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED_25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Sizes of RSA keys that are accepted, in bits: below is weak (NIST SP 800-131A), above is beyond what the cryptographic library takes.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not PEM.
    #[error("{0}")]
    Pem(#[from] PemError),
    /// It is a certificate.
    #[error("it is a certificate and not a public key: use `certificate`, or take the key out of it (openssl x509 -pubkey -noout)")]
    Certificate,
    /// It is a block of something else.
    #[error("it is a block {0:?}, and a public key is \"PUBLIC KEY\" (or \"RSA PUBLIC KEY\")")]
    Block(String),
    /// It does not parse.
    #[error("it is not a public key that can be read: {0}")]
    Malformed(String),
    /// Its curve is not supported.
    #[error("it is an EC key on {0}, and P-256 and P-384 are supported")]
    Curve(String),
    /// Its curve point is compressed.
    #[error("it is an EC key with a compressed point: write it in full (openssl ec -pubin -conv_form uncompressed)")]
    Compressed,
    /// Its algorithm is not supported.
    #[error("it is a key for {0}, and EC (P-256, P-384), RSA and Ed25519 are supported")]
    Algorithm(String),
    /// Its RSA modulus is too short or too long.
    #[error("it is an RSA key of {0} bits, and {min} to {max} are accepted", min = RSA_BITS.start(), max = RSA_BITS.end())]
    Size(usize),
    /// One of several is wrong.
    #[error("key {number} of {count}: {error}")]
    OneOf {
        /// Its place, from 1.
        number: usize,
        /// How many there are.
        count: usize,
        /// What is wrong.
        error: Box<KeyError>,
    },
}

/// The public keys of a PEM file, in their order, each once.
///
/// All or nothing: with one left out, its signatures would be those of a stranger and not unknown.
///
/// # Errors
/// The first thing that is wrong; never with any of a private key.
pub fn keys(pem: &[u8]) -> Result<Vec<PublicKey>, KeyError> {
    let blocks = pem::blocks(pem)?;
    let count = blocks.len();
    let mut keys = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let key = key(block).map_err(|error| match count {
            1 => error,
            _ => KeyError::OneOf { number: index + 1, count, error: Box::new(error) },
        })?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn key(block: &pem::Block) -> Result<PublicKey, KeyError> {
    let spki = match block.label.as_str() {
        "PUBLIC KEY" => spki(&block.der)?,
        "RSA PUBLIC KEY" => rsa(&block.der)?,
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => return Err(KeyError::Certificate),
        other => return Err(KeyError::Block(escape_control(other).into_owned())),
    };
    // What verification will use must take it, too.
    VerificationKey::from_spki(&DerPublicKey::new(spki.clone())).map_err(malformed)?;
    let fingerprint = Digest::of(Algorithm::Sha256, &spki);
    Ok(PublicKey { spki: spki.into(), fingerprint })
}

fn malformed(error: impl std::fmt::Display) -> KeyError {
    KeyError::Malformed(escape_control(&error.to_string()).into_owned())
}

/// Checks a `SubjectPublicKeyInfo`, and writes it in its one form, so that a key has one fingerprint.
pub(super) fn spki(der: &[u8]) -> Result<Vec<u8>, KeyError> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
    let bits = info.subject_public_key.as_bytes().ok_or_else(|| KeyError::Malformed("its length is not in whole bytes".to_owned()))?;
    match info.algorithm.oid {
        // RFC 3279 wants NULL; some writers leave it out.
        RSA if info.algorithm.parameters.is_none_or(|parameters| parameters.is_null()) => rsa(bits),
        RSA => Err(KeyError::Malformed("an RSA key has no parameters".to_owned())),
        EC => {
            let algorithm = curve(info.algorithm.parameters)?;
            match bits.first() {
                Some(4) => usable(algorithm, bits)?,
                Some(2 | 3) => return Err(KeyError::Compressed),
                _ => return Err(KeyError::Malformed("its curve point is in no form of SEC 1".to_owned())),
            }
            Ok(der.to_vec())
        }
        ED_25519 if info.algorithm.parameters.is_none() => match bits.len() {
            32 => usable(&ED25519, bits).map(|()| der.to_vec()),
            other => Err(KeyError::Malformed(format!("an Ed25519 key has 32 bytes, not {other}"))),
        },
        other => Err(KeyError::Algorithm(algorithm_name(other))),
    }
}

fn curve(parameters: Option<AnyRef<'_>>) -> Result<&'static dyn VerificationAlgorithm, KeyError> {
    let Some(parameters) = parameters else { return Err(KeyError::Curve("no curve that it names".to_owned())) };
    if parameters.tag() != Tag::ObjectIdentifier {
        return Err(KeyError::Curve("a curve that it spells out instead of naming it".to_owned()));
    }
    match parameters.decode_as::<ObjectIdentifier>().map_err(malformed)? {
        P_256 => Ok(&ECDSA_P256_SHA256_ASN1),
        P_384 => Ok(&ECDSA_P384_SHA384_ASN1),
        other => Err(KeyError::Curve(curve_name(other))),
    }
}

/// A PKCS#1 `RSAPublicKey` (RFC 8017, A.1.1) as `SubjectPublicKeyInfo`.
fn rsa(pkcs1: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut reader = SliceReader::new(pkcs1).map_err(malformed)?;
    let modulus: UintRef<'_> = reader
        .sequence(|inside| {
            let modulus = UintRef::decode(inside)?;
            UintRef::decode(inside).map(|_exponent| modulus)
        })
        .map_err(malformed)?;
    reader.finish(()).map_err(malformed)?;
    let bytes = modulus.as_bytes();
    let leading = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = bytes.len() * 8 - leading;
    if !RSA_BITS.contains(&bits) {
        return Err(KeyError::Size(bits));
    }
    usable(&RSA_PKCS1_2048_8192_SHA256, pkcs1)?;
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
        subject_public_key: BitStringRef::from_bytes(pkcs1).map_err(malformed)?,
    };
    info.to_der().map_err(malformed)
}

/// Whether the cryptographic library takes it: a point on its curve, a modulus that can be one.
fn usable(algorithm: &'static dyn VerificationAlgorithm, bits: &[u8]) -> Result<(), KeyError> {
    ParsedPublicKey::new(algorithm, bits).map(drop).map_err(|_| KeyError::Malformed("it is not a valid key of its kind".to_owned()))
}

fn curve_name(curve: ObjectIdentifier) -> String {
    match curve.to_string().as_str() {
        "1.3.132.0.35" => "P-521 (secp521r1)".to_owned(),
        "1.3.132.0.33" => "P-224 (secp224r1)".to_owned(),
        "1.2.840.10045.3.1.1" => "P-192 (secp192r1)".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1".to_owned(),
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1".to_owned(),
        "1.3.36.3.3.2.8.1.1.13" => "brainpoolP512r1".to_owned(),
        other => format!("the curve {other}"),
    }
}

fn algorithm_name(algorithm: ObjectIdentifier) -> String {
    match algorithm.to_string().as_str() {
        "1.3.101.112" => "Ed25519 with parameters (RFC 8410 has none)".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        "1.3.101.110" => "X25519, which does not sign".to_owned(),
        "1.3.101.111" => "X448, which does not sign".to_owned(),
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        "1.2.840.113549.1.1.10" => "RSASSA-PSS alone".to_owned(),
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44".to_owned(),
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65".to_owned(),
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87".to_owned(),
        other => format!("the algorithm {other}"),
    }
}
