//! Sigstore bundles (protobuf-specs, `sigstore_bundle.proto`) and what is in them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::{base64, sha256, unbase64};
use super::log::{Entry, Kind, Logged, Shown};
use super::sigstore::{Signer, Sigstore, signed_at};
use crate::world::{BUNDLE, COSIGN_SIGN};
use seaworthy::model::Digest;

/// Payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
const V01: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
const V02: &str = "application/vnd.dev.sigstore.bundle+json;version=0.2";

/// Versions of bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V01,
    V02,
    V03,
}

impl Version {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V01 => V01,
            Self::V02 => V02,
            Self::V03 => BUNDLE,
        }
    }
}

/// In which log a signature is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    V1(Kind, Shown),
    V2,
    None,
}

/// Everything that Rekor v1 gives.
pub const BOTH: Shown = Shown { promise: true, inclusion: true };
/// The promise alone, as cosign's annotations have it.
pub const PROMISE: Shown = Shown { promise: true, inclusion: false };

/// What proves a signature beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proofs {
    pub log: Log,
    /// Whether a time-stamp authority saw it.
    pub stamp: bool,
    pub at: Timestamp,
}

impl Proofs {
    pub fn new(log: Log, stamp: bool) -> Self {
        Self { log, stamp, at: signed_at() }
    }

    /// An entry of Rekor v1 for an envelope, as cosign writes it today.
    pub fn usual() -> Self {
        Self::new(Log::V1(Kind::Dsse, BOTH), false)
    }

    /// The same for a message.
    pub fn of_message() -> Self {
        Self::new(Log::V1(Kind::Hashedrekord, BOTH), false)
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::new(Log::None, false)
    }

    pub fn at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }
}

/// Cosign's in-toto statement that an image is signed.
pub fn statement(image: &Digest) -> Vec<u8> {
    statement_of(COSIGN_SIGN, &[image])
}

/// A statement of any type about some digests.
pub fn statement_of(predicate_type: &str, subjects: &[&Digest]) -> Vec<u8> {
    let subjects: Vec<_> = subjects.iter().map(|digest| json!({ "digest": { "sha256": digest.hex() } })).collect();
    let statement =
        json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicate_type, "predicate": {} });
    statement.to_string().into_bytes()
}

/// Pre-authentication encoding (DSSE, `protocol.md`).
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    [format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).as_bytes(), payload].concat()
}

impl Sigstore {
    /// What the logs and clocks say of a signature.
    pub fn prove(&self, signer: &Signer, logged: &Logged<'_>, proofs: Proofs) -> (Option<Entry>, Option<Vec<u8>>) {
        let entry = match proofs.log {
            Log::V1(kind, shown) => Some(self.rekor.log(kind, logged, proofs.at, shown)),
            Log::V2 => Some(self.rekor2.log_v2(logged, signer.key.details(), signer.certificate.as_deref(), &signer.key.spki())),
            Log::None => None,
        };
        (entry, proofs.stamp.then(|| self.tsa.stamp(logged.signature, proofs.at)))
    }

    /// A bundle with an envelope around a payload.
    pub fn envelope_bundle(&self, version: Version, signer: &Signer, payload: &[u8], proofs: Proofs) -> Value {
        let signature = signer.key.sign(&pae(IN_TOTO, payload));
        let envelope = json!({ "payloadType": IN_TOTO, "payload": base64(payload), "signatures": [{ "sig": base64(&signature) }] });
        self.envelope_of(version, signer, envelope, proofs)
    }

    /// A bundle around an envelope that is signed already; the log knows its first signature.
    pub fn envelope_of(&self, version: Version, signer: &Signer, envelope: Value, proofs: Proofs) -> Value {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let payload = unbase64(&text(&envelope["payload"]));
        let signature = unbase64(&text(&envelope["signatures"][0]["sig"]));
        let message = pae(&text(&envelope["payloadType"]), &payload);
        let verifier = signer.verifier();
        let logged = Logged { signature: &signature, verifier: &verifier, message: &message, envelope: Some((&envelope, &payload)) };
        let (entry, stamp) = self.prove(signer, &logged, proofs);
        bundle(version, signer, ("dsseEnvelope", envelope), entry, stamp)
    }

    /// A bundle with a signature over bytes themselves: the manifest of an image.
    pub fn message_bundle(&self, version: Version, signer: &Signer, message: &[u8], proofs: Proofs) -> Value {
        let signature = signer.key.sign(message);
        let verifier = signer.verifier();
        let logged = Logged { signature: &signature, verifier: &verifier, message, envelope: None };
        let (entry, stamp) = self.prove(signer, &logged, proofs);
        let digest = json!({ "algorithm": "SHA2_256", "digest": base64(sha256(message)) });
        let content = json!({ "messageDigest": digest, "signature": base64(&signature) });
        bundle(version, signer, ("messageSignature", content), entry, stamp)
    }
}

fn bundle(version: Version, signer: &Signer, content: (&str, Value), entry: Option<Entry>, stamp: Option<Vec<u8>>) -> Value {
    let raw = |der: &Vec<u8>| json!({ "rawBytes": base64(der) });
    let mut material = match &signer.certificate {
        None => json!({ "publicKey": { "hint": base64(signer.key.id()) } }),
        Some(leaf) if version == Version::V03 => json!({ "certificate": raw(leaf) }),
        // Without the root, which nobody takes from a bundle.
        Some(leaf) => json!({ "x509CertificateChain": { "certificates": [raw(leaf), raw(&signer.chain[0])] } }),
    };
    if let Some(entry) = entry {
        material["tlogEntries"] = json!([entry.bundle()]);
    }
    if let Some(stamp) = stamp {
        material["timestampVerificationData"] = json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64(stamp) }] });
    }
    json!({ "mediaType": version.media_type(), "verificationMaterial": material, content.0: content.1 })
}
