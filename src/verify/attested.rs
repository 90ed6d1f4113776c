//! What an attestation says: its payload found and its predicate read, after [`super::read`] took the statement for one.
//!
//! Nothing here says whether the statement is signed, or by whom.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
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
    let text = statement.predicate.map_or("{}", RawValue::get);
    let predicate = read(&statement.predicate_type, text, wanted);
    let time = predicate.as_ref().ok().and_then(|predicate| time(predicate, text));
    let predicate = predicate.map_err(|malformed| malformed.0);
    let payload = match wanted.payload(&statement.predicate_type) {
        false => Payload::NotWanted,
        true if payload.len() > LARGEST_PAYLOAD => Payload::TooLarge(payload.len() as u64),
        true => Payload::Kept(Arc::from(payload.as_ref())),
    };
    Some(Attested { predicate, time, payload })
}

/// The bill of materials in a statement of any form, as a file of its own has it; none where there is none.
#[must_use]
pub fn bill_in(bytes: &[u8]) -> Option<String> {
    let envelope = match serde_json::from_slice::<Bundle<'_>>(bytes).ok().and_then(|bundle| bundle.dsse_envelope) {
        Some(envelope) => Some(envelope),
        None => serde_json::from_slice::<Envelope<'_>>(bytes).ok(),
    };
    let payload = match envelope {
        Some(envelope) => Cow::Owned(base64::decode("the DSSE payload", &envelope.payload).ok()?),
        None => Cow::Borrowed(bytes),
    };
    let statement: Statement<'_> = serde_json::from_slice(&payload).ok()?;
    sbom::document(statement.predicate?.get())
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

/// Reads a predicate. Whatever its type, it is an object (in-toto attestation framework, Statement v1).
fn read(predicate_type: &str, predicate: &str, wanted: &Wanted) -> Result<Predicate, Malformed> {
    let kind = PredicateKind::of(predicate_type);
    // Only cosign's `--type spdx` writes the text of the document instead.
    let is_text = kind == PredicateKind::Sbom && predicate.trim_start().starts_with('"');
    if !predicate.trim_start().starts_with('{') && !is_text {
        return Err(Malformed(format!("the predicate is {}, not an object", shape(predicate))));
    }
    match kind {
        PredicateKind::Sbom => sbom::read(predicate_type, predicate, wanted.packages),
        PredicateKind::Provenance => provenance::read(predicate_type, predicate).map(Box::new).map(Predicate::Provenance),
        PredicateKind::Summary => summary::read(predicate).map(Box::new).map(Predicate::Summary),
        PredicateKind::Other => Ok(Predicate::Other),
    }
}

fn shape(predicate: &str) -> &'static str {
    match predicate.trim_start().bytes().next() {
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        _ => "a plain value",
    }
}

/// When it was made, as it says itself.
fn time(predicate: &Predicate, text: &str) -> Option<Timestamp> {
    match predicate {
        Predicate::Provenance(provenance) => provenance.finished.or(provenance.started),
        Predicate::Sbom(sbom) => sbom.created,
        Predicate::Summary(summary) => summary.time,
        Predicate::Unsupported(_) => None,
        Predicate::Other => serde_json::from_str::<Times<'_>>(text).ok().and_then(Times::latest),
    }
}

/// Where predicates of other types write when they were made: cosign's custom and vulnerability predicates, in-toto's vulnerability scans
/// and OpenVEX. What is no time there says nothing.
#[derive(Deserialize)]
struct Times<'a> {
    #[serde(borrow, rename = "Timestamp")]
    custom: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    last_updated: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finished<'a> {
    #[serde(borrow)]
    scan_finished_on: Option<&'a RawValue>,
    #[serde(borrow)]
    build_finished_on: Option<&'a RawValue>,
}

impl Times<'_> {
    fn latest(self) -> Option<Timestamp> {
        let finished = self.metadata.and_then(|metadata| serde_json::from_str::<Finished<'_>>(metadata.get()).ok());
        let inner = finished.into_iter().flat_map(|finished| [finished.scan_finished_on, finished.build_finished_on]);
        let written = [self.custom, self.last_updated, self.timestamp].into_iter().chain(inner).flatten();
        written.filter_map(|raw| serde_json::from_str::<String>(raw.get()).ok()?.parse().ok()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn layer(media_type: &str) -> Link {
        Link { media_type: media_type.into(), digest: Digest::from_sha256([0; 32]), size: 0, artifact_type: None, annotations: None }
    }

    fn bare(predicate_type: &str, predicate: &str) -> Attested {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
        );
        let wanted = Wanted { payloads: vec!["https://a.test/v1".parse().unwrap()], packages: false };
        attested(&layer("application/vnd.in-toto+json"), text.as_bytes(), &wanted).unwrap()
    }

    #[test]
    fn a_predicate_is_an_object() {
        for (predicate, told) in [("[]", "an array"), ("[{}]", "an array"), ("\"x\"", "a text"), ("1", "a plain value")] {
            assert_eq!(bare("https://a.test/v1", predicate).predicate, Err(format!("the predicate is {told}, not an object")));
        }
        for nothing in ["{}", "null"] {
            assert_eq!(bare("https://a.test/v1", nothing).predicate, Ok(Predicate::Other));
        }
        assert!(bare("https://slsa.dev/verification_summary/v1", "{}").predicate.is_err());
    }

    #[test]
    fn the_time_is_the_latest_that_it_gives_itself() {
        let time = |predicate: &str| bare("https://b.test/v1", predicate).time.map(|time| time.to_string());
        assert_eq!(time(r#"{"<my-data>":"<my-value>","Timestamp":"2026-11-01T10:00:00Z"}"#).as_deref(), Some("2026-11-01T10:00:00Z"));
        assert_eq!(
            time(r#"{"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-02T00:00:00Z"}}"#).as_deref(),
            Some("2026-01-02T00:00:00Z")
        );
        assert_eq!(
            time(r#"{"timestamp":"2026-01-01T00:00:00Z","last_updated":"2026-02-01T00:00:00+01:00"}"#).as_deref(),
            Some("2026-01-31T23:00:00Z")
        );
        for predicate in ["{}", r#"{"Timestamp":"<when>"}"#, r#"{"Timestamp":1,"metadata":[]}"#] {
            assert_eq!(time(predicate), None, "{predicate}");
        }
    }

    #[test]
    fn the_payload_is_kept_for_the_types_that_are_wanted() {
        assert!(matches!(bare("https://a.test/v1", "{}").payload, Payload::Kept(bytes) if bytes.ends_with(b"}")));
        assert_eq!(bare("https://b.test/v1", "{}").payload, Payload::NotWanted);
        let large = format!("{{\"x\":\"{}\"}}", "x".repeat(LARGEST_PAYLOAD));
        assert!(matches!(bare("https://a.test/v1", &large).payload, Payload::TooLarge(_)));
    }
}
