//! What an attestation says: its payload found and its predicate read, after [`super::read`] took the statement for one.
//!
//! Nothing here says whether the statement is signed, or by whom.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Kind, Malformed, base64, provenance, sbom, summary};
use crate::model::{Attested, Link, Payload, Predicate, PredicateKind, SIGNATURE_TYPE, Wanted};

/// Largest payload that expressions read, in bytes: reading makes a tree of it that is several times as large.
const LARGEST_PAYLOAD: usize = 1 << 20;

/// A bundle, as far as the envelope in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    #[serde(borrow)]
    dsse_envelope: Option<Envelope<'a>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(borrow)]
    predicate_type: Cow<'a, str>,
    #[serde(borrow)]
    predicate: Option<&'a RawValue>,
}

/// Reads what a statement says. None for signatures, and for what [`super::read`] refuses.
#[must_use]
pub fn attested(layer: &Link, bytes: &[u8], wanted: &Wanted) -> Option<Attested> {
    let payload = payload(layer, bytes)?;
    let statement: Statement<'_> = serde_json::from_slice(&payload).ok()?;
    if statement.predicate_type == SIGNATURE_TYPE {
        return None;
    }
    let text = statement.predicate.map_or("null", RawValue::get);
    let predicate = read(&statement.predicate_type, text, wanted).map_err(|malformed| malformed.0);
    let payload = match wanted.payload(&statement.predicate_type) {
        false => Payload::NotWanted,
        true if payload.len() > LARGEST_PAYLOAD => Payload::TooLarge(payload.len() as u64),
        true => Payload::Kept(Arc::from(payload.as_ref())),
    };
    Some(Attested { predicate, payload })
}

/// The bytes of the in-toto statement.
fn payload<'b>(layer: &Link, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
    let envelope = match Kind::of(&layer.media_type)? {
        Kind::Bundle => serde_json::from_slice::<Bundle<'_>>(bytes).ok()?.dsse_envelope?,
        Kind::Dsse => serde_json::from_slice(bytes).ok()?,
        Kind::InToto => return Some(Cow::Borrowed(bytes)),
        Kind::SimpleSigning | Kind::NotationJws | Kind::NotationCose => return None,
    };
    base64::decode("the DSSE payload", &envelope.payload).ok().map(Cow::Owned)
}

fn read(predicate_type: &str, predicate: &str, wanted: &Wanted) -> Result<Predicate, Malformed> {
    match PredicateKind::of(predicate_type) {
        PredicateKind::Provenance => provenance::read(predicate_type, predicate).map(Box::new).map(Predicate::Provenance),
        PredicateKind::Sbom => sbom::read(predicate_type, predicate, wanted.packages).map(Box::new).map(Predicate::Sbom),
        PredicateKind::Summary => summary::read(predicate).map(Box::new).map(Predicate::Summary),
        PredicateKind::Other => Ok(Predicate::Other),
    }
}
