//! Notation signature envelopes: which artifact they name. Whether they hold is not said here.
//!
//! Source: Notary Project specification, "Signature Envelope JWS" and "COSE"; the payload is the same JSON in both.

use coset::{CborSerializable as _, TaggedCborSerializable as _};
use serde::Deserialize;

use super::{Malformed, ReadStatement, base64, json};
use crate::model::{Digest, StatementFormat};

#[derive(Deserialize)]
struct Jws {
    payload: String,
    #[serde(default)]
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: TargetArtifact,
}

#[derive(Deserialize)]
struct TargetArtifact {
    digest: Digest,
}

/// A flattened JWS, `application/jose+json`.
pub(super) fn read_jws(bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let jws: Jws = json::read("a flattened JWS", bytes)?;
    if jws.signature.is_empty() {
        return Err(Malformed("the JWS holds no signature".to_owned()));
    }
    read_payload("jws", &base64::decode("the JWS payload", &jws.payload)?)
}

/// A COSE Sign1, `application/cose`, tagged (18) or not.
pub(super) fn read_cose(bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let sign1 = coset::CoseSign1::from_tagged_slice(bytes)
        .or_else(|_| coset::CoseSign1::from_slice(bytes))
        .map_err(|error| Malformed(format!("not a COSE Sign1: {error}")))?;
    if sign1.signature.is_empty() {
        return Err(Malformed("the COSE Sign1 holds no signature".to_owned()));
    }
    let payload = sign1.payload.ok_or_else(|| Malformed("the COSE Sign1 holds no payload".to_owned()))?;
    read_payload("cose", &payload)
}

fn read_payload(envelope: &str, payload: &[u8]) -> Result<ReadStatement, Malformed> {
    let payload: Payload = json::read("a Notation payload", payload)?;
    Ok(ReadStatement {
        format: StatementFormat::Notation { envelope: envelope.to_owned() },
        subjects: vec![payload.target_artifact.digest],
    })
}
