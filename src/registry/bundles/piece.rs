//! One bundle or envelope: what it is about, as far as is needed to find it. Nothing here is believed; the reader decides.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::model::{Descriptor, Digest};

const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
pub(in crate::registry) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// What a document is.
pub(in crate::registry) enum Piece {
    /// A bundle or an envelope.
    Evidence(Evidence),
    /// JSON of another kind.
    Foreign(String),
    /// No JSON: a bundle that was cut off looks like this.
    Broken(String),
}

/// A bundle or an envelope.
pub(in crate::registry) struct Evidence {
    pub(in crate::registry) media_type: String,
    pub(super) subjects: BTreeSet<Digest>,
    pub(in crate::registry) predicate_type: Option<String>,
    pub(super) why_no_subject: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    dsse_envelope: Option<Envelope>,
    #[serde(default)]
    message_signature: Option<MessageSignature>,
    #[serde(default)]
    payload_type: Option<String>,
    #[serde(default)]
    payload: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    payload: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    #[serde(default)]
    message_digest: Option<MessageDigest>,
}

#[derive(Deserialize)]
struct MessageDigest {
    #[serde(default)]
    algorithm: String,
    #[serde(default)]
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(default)]
    predicate_type: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// Reads a document.
pub(in crate::registry) fn read(document: &[u8]) -> Piece {
    let wire: Wire = match serde_json::from_slice(document) {
        Ok(wire) => wire,
        Err(error) if error.is_data() => return Piece::Foreign(format!("neither a Sigstore bundle nor a DSSE envelope: {error}")),
        Err(error) => return Piece::Broken(format!("not JSON: {error}")),
    };
    let evidence = |media_type: String, content: Result<Content, String>| {
        let (content, why_no_subject) = match content {
            Ok(content) => (content, "it names no SHA-256 or SHA-512 digest".to_owned()),
            Err(detail) => (Content::default(), detail),
        };
        Piece::Evidence(Evidence { media_type, subjects: content.subjects, predicate_type: content.predicate_type, why_no_subject })
    };
    let own_type = wire.media_type.filter(|media_type| media_type.starts_with(BUNDLE_PREFIX));
    let is_bundle = own_type.is_some();
    let bundle = own_type.unwrap_or_else(|| BUNDLE.to_owned());
    match (wire.dsse_envelope, wire.message_signature, wire.payload_type) {
        (Some(envelope), _, _) => evidence(bundle, statement(envelope.payload.as_deref())),
        (None, Some(message), _) => evidence(bundle, message_digest(message)),
        (None, None, Some(_)) => evidence(DSSE.to_owned(), statement(wire.payload.as_deref())),
        (None, None, None) if is_bundle => evidence(bundle, Err("the bundle holds neither an envelope nor a message signature".to_owned())),
        (None, None, None) => Piece::Foreign("neither a Sigstore bundle nor a DSSE envelope".to_owned()),
    }
}

/// What a piece says that it is about.
#[derive(Default)]
struct Content {
    subjects: BTreeSet<Digest>,
    predicate_type: Option<String>,
}

fn statement(payload: Option<&str>) -> Result<Content, String> {
    let payload = decode(payload.unwrap_or_default()).ok_or("the payload of the envelope is not base64")?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|error| format!("no in-toto statement in the envelope: {error}"))?;
    let digests = statement.subject.iter().flat_map(|subject| &subject.digest);
    let subjects = digests.filter_map(|(algorithm, hex)| format!("{algorithm}:{hex}").parse().ok()).collect();
    Ok(Content { subjects, predicate_type: statement.predicate_type })
}

fn message_digest(message: MessageSignature) -> Result<Content, String> {
    let digest = message.message_digest.ok_or("the message signature has no digest")?;
    let bytes = decode(&digest.digest).ok_or("the digest of the message signature is not base64")?;
    let digest = match digest.algorithm.as_str() {
        "SHA2_256" => <[u8; 32]>::try_from(bytes).ok().map(Digest::from_sha256),
        "SHA2_512" => <[u8; 64]>::try_from(bytes).ok().map(Digest::from_sha512),
        _ => None,
    };
    let digest = digest.ok_or("the digest of the message signature is not SHA2_256 or SHA2_512 of the right length")?;
    Ok(Content { subjects: [digest].into(), predicate_type: None })
}

/// Both alphabets, padded or not: the JSON mapping of protocol buffers accepts all four.
fn decode(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok()
}

pub(in crate::registry) fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.clone(),
        size: size as u64,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}
