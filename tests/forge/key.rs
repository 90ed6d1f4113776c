//! Keys, freshly made.

use aws_lc_rs::digest::{Digest, SHA384};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::digest_of;

/// What kind of key, and how it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    P256,
    /// With SHA-384.
    P384,
    /// With SHA-256, as cosign up to version 2 signs with every key.
    P384Sha256,
    /// 2048 bits, PKCS #1 v1.5 with SHA-256.
    Rsa,
    Ed25519,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed(Ed25519KeyPair),
}

/// A key pair.
pub struct Key(Kind, Pair);

impl Key {
    pub fn new(kind: Kind) -> Self {
        let pair = match kind {
            Kind::P256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Kind::P384 | Kind::P384Sha256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap()),
            Kind::Rsa => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
            Kind::Ed25519 => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
        };
        Self(kind, pair)
    }

    /// The signature over a message, as the field writes it: ECDSA in ASN.1.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.1 {
            Pair::Ec(pair) if self.0 == Kind::P384Sha256 => {
                // To ECDSA a hash is a number: the shorter one with zeros before it (FIPS 186-5, 6.4.1).
                let number = [&[0; 16], &sha256(message)[..]].concat();
                let digest = Digest::import_less_safe(&number, &SHA384).unwrap();
                pair.sign_digest(&digest).unwrap().as_ref().to_vec()
            }
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// Its `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.1 {
            Pair::Ec(pair) => pair.public_key().as_der().unwrap(),
            Pair::Rsa(pair) => pair.public_key().as_der().unwrap(),
            Pair::Ed(pair) => pair.public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    /// SHA-256 of the above: how hints, logs and people name it.
    pub fn id(&self) -> Vec<u8> {
        sha256(&self.spki())
    }

    pub fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki())
    }

    /// Its name in Sigstore's documents (protobuf-specs, `PublicKeyDetails`).
    pub fn details(&self) -> &'static str {
        match self.0 {
            Kind::P256 => "PKIX_ECDSA_P256_SHA_256",
            Kind::P384 | Kind::P384Sha256 => "PKIX_ECDSA_P384_SHA_384",
            Kind::Rsa => "PKIX_RSA_PKCS1V15_2048_SHA256",
            Kind::Ed25519 => "PKIX_ED25519",
        }
    }
}

/// PEM (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    digest_of(bytes).hex().to_owned()
}
