//! A signature as the family takes it: a bundle and what was signed. Cosign's layers are turned into bundles.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Artifact, Bundle, DerCertificate, MediaType, PayloadBytes, Sha256Hash, SignatureContent};

use super::super::{Malformed, Signed, base64};
use crate::model::{Algorithm, Cause, Digest, Reason, StepOutcome};

/// Annotations of a layer in which cosign keeps what belongs to a signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG: &str = "dev.sigstore.cosign/bundle";
const TIME_STAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// Most log entries, and most time stamps, of one bundle: signers write one or two.
const MOST_PROOFS: usize = 32;

/// A signature, ready to be tried.
pub(super) struct Content {
    pub(super) bundle: Bundle,
    /// What is signed: bytes that are at hand, or the digest that the statement names.
    signed: SignedThing,
    /// What it is, for a person.
    pub(super) form: String,
    /// The entry of a kind that the family does not read, with the envelope that it is about.
    pub(super) old_entry: Option<OldEntry>,
    /// Why its log entry cannot be read, where there is one that cannot: that it is there is known, and nothing else of it.
    pub(super) unread_entry: Option<StepOutcome>,
}

enum SignedThing {
    Bytes(Vec<u8>),
    Digest(Sha256Hash),
}

/// An `intoto/0.0.1` entry of Rekor: the family refuses the kind.
pub(super) struct OldEntry {
    pub(super) entry: CosignLogEntry,
    /// SHA-256 of the envelope's own bytes, which the entry names.
    pub(super) envelope: Digest,
}

/// Cosign's annotation with a promise of the log.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CosignLogEntry {
    pub(super) signed_entry_timestamp: String,
    pub(super) payload: CosignLogPayload,
}

/// What the promise is over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CosignLogPayload {
    pub(super) body: String,
    pub(super) integrated_time: i64,
    pub(super) log_index: i64,
    #[serde(rename = "logID")]
    pub(super) log_id: String,
}

impl Content {
    /// What was signed, as the family takes it.
    pub(super) fn artifact(&self) -> Artifact<'_> {
        match &self.signed {
            SignedThing::Bytes(bytes) => Artifact::from_blob(bytes),
            SignedThing::Digest(digest) => Artifact::from(digest),
        }
    }

    /// The bytes that were signed with a message signature, where they are at hand.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.signed {
            SignedThing::Bytes(bytes) => Some(bytes),
            SignedThing::Digest(_) => None,
        }
    }

    /// The digest of what was signed with a message signature.
    pub(super) fn digest(&self) -> Sha256Hash {
        match &self.signed {
            SignedThing::Bytes(bytes) => sigstore_crypto::sha256(bytes),
            SignedThing::Digest(digest) => *digest,
        }
    }

    /// The signing certificate.
    pub(super) fn certificate(&self) -> Option<&DerCertificate> {
        self.bundle.signing_certificate()
    }

    /// Certificates between the signing one and a root, as the signature brings them along.
    pub(super) fn intermediates(&self) -> Vec<&DerCertificate> {
        match &self.bundle.verification_material.content {
            VerificationMaterialContent::X509CertificateChain { certificates } => {
                certificates.iter().skip(1).map(|certificate| &certificate.raw_bytes).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The key that the signature says it is by, as base64 of the SHA-256 of its SPKI. A hint, never trust.
    pub(super) fn hint(&self) -> Option<&str> {
        match &self.bundle.verification_material.content {
            VerificationMaterialContent::PublicKey(key) if !key.hint.is_empty() => Some(&key.hint),
            _ => None,
        }
    }
}

/// Why a signature cannot be tried: an outcome of the step "form".
pub(super) fn refuse(malformed: Malformed) -> StepOutcome {
    StepOutcome::failed(Reason::Malformed, malformed.0)
}

/// Reads a Sigstore bundle. `named` are the digests that it names.
pub(super) fn of_bundle(signed: &Signed<'_>, named: &[Digest]) -> Result<Content, StepOutcome> {
    let malformed = |error: serde_json::Error| refuse(Malformed(format!("not a Sigstore bundle: {error}")));
    let shape: Shape = serde_json::from_slice(signed.bytes).map_err(malformed)?;
    if let Some(newer) = shape.media_type.as_deref().filter(|text| text.parse::<MediaType>().is_err()) {
        return Err(StepOutcome::unknown(Cause::UnsupportedFormat, format!("a bundle of the form {newer:?} is not known to this version")));
    }
    if let Some(many) = shape.verification_material.too_many() {
        return Err(StepOutcome::unknown(Cause::TooLarge, format!("it has more than {MOST_PROOFS} {many}, which no signer writes")));
    }
    let unread_entry = shape.verification_material.unsupported_entry().map(|kind| {
        StepOutcome::unknown(Cause::UnsupportedFormat, format!("log entries of the kind {kind} are not supported in a bundle"))
    });
    let (rest, payload) = without_payload(signed.bytes);
    let mut bundle: Bundle = match unread_entry {
        None => serde_json::from_slice(&rest),
        Some(_) => serde_json::from_slice(&rest).and_then(|mut document: Value| {
            document["verificationMaterial"]["tlogEntries"] = json!([]);
            serde_json::from_value(document)
        }),
    }
    .map_err(malformed)?;
    drop(rest);
    if let Some(payload) = payload {
        put_payload(&mut bundle, payload).map_err(|error| refuse(Malformed(format!("not a Sigstore bundle: {error}"))))?;
    }
    // Some clients keep the chain in a bundle of version 0.3, which allows one certificate alone; older versions allow both.
    if matches!(bundle.verification_material.content, VerificationMaterialContent::X509CertificateChain { .. })
        && bundle.media_type == MediaType::Bundle0_3
    {
        bundle.media_type = MediaType::Bundle0_2;
    }
    let form = match &bundle.content {
        SignatureContent::DsseEnvelope(_) => format!("{} with a DSSE envelope", bundle.media_type()),
        _ => format!("{} with a message signature", bundle.media_type()),
    };
    let thing = thing(signed, named)?;
    Ok(Content { bundle, signed: thing, form, old_entry: None, unread_entry })
}

/// A bundle without the text of its payload, and that text: the family would keep it beside what it decodes of it.
fn without_payload(bytes: &[u8]) -> (Cow<'_, [u8]>, Option<&str>) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle<'a> {
        #[serde(borrow)]
        dsse_envelope: Envelope<'a>,
    }
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        payload: &'a str,
    }
    // A text with escapes is no part of the bytes as it is; nobody writes base64 so.
    let Ok(Bundle { dsse_envelope: Envelope { payload } }) = serde_json::from_slice(bytes) else { return (Cow::Borrowed(bytes), None) };
    let start = payload.as_ptr().addr() - bytes.as_ptr().addr();
    match (bytes.get(..start), bytes.get(start + payload.len()..)) {
        (Some(before), Some(after)) => (Cow::Owned([before, after].concat()), Some(payload)),
        _ => (Cow::Borrowed(bytes), None),
    }
}

/// Puts the payload of an envelope where it was taken out.
fn put_payload(bundle: &mut Bundle, payload: &str) -> Result<(), sigstore_types::Error> {
    if let SignatureContent::DsseEnvelope(envelope) = &mut bundle.content {
        envelope.payload = PayloadBytes::from_base64(payload)?;
    }
    Ok(())
}

/// What a bundle signs: the digest that it was found beside where it names that, else the first that it names, so that it can still
/// be said whose it is.
fn thing(signed: &Signed<'_>, named: &[Digest]) -> Result<SignedThing, StepOutcome> {
    if let Some(bytes) = signed.artifact {
        return Ok(SignedThing::Bytes(bytes.to_vec()));
    }
    let digest = if named.contains(signed.subject) {
        Some(signed.subject)
    } else {
        named.iter().find(|named| named.algorithm() == Algorithm::Sha256)
    };
    let hash =
        digest.filter(|digest| digest.algorithm() == Algorithm::Sha256).and_then(|digest| Sha256Hash::try_from(digest.as_bytes()).ok());
    hash.map(SignedThing::Digest)
        .ok_or_else(|| StepOutcome::unknown(Cause::UnsupportedFormat, "only signatures over SHA-256 digests are verified".to_owned()))
}

/// As much of a bundle as says whether the family can read it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(default)]
    media_type: Option<String>,
    verification_material: MaterialShape,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialShape {
    #[serde(default)]
    tlog_entries: Option<Vec<EntryShape>>,
    #[serde(default)]
    timestamp_verification_data: Option<StampsShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StampsShape {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryShape {
    kind_version: KindShape,
}

#[derive(Deserialize)]
struct KindShape {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    version: String,
}

impl MaterialShape {
    /// Of what there are more than anybody looks at: each costs a verification.
    fn too_many(&self) -> Option<&'static str> {
        let entries = self.tlog_entries.iter().flatten().count();
        let stamps = self.timestamp_verification_data.iter().flat_map(|data| data.rfc3161_timestamps.iter().flatten()).count();
        if entries > MOST_PROOFS { Some("log entries") } else { (stamps > MOST_PROOFS).then_some("time stamps") }
    }

    /// The first kind of log entry that the family does not read.
    fn unsupported_entry(&self) -> Option<String> {
        let kinds = self.tlog_entries.iter().flatten().map(|entry| (entry.kind_version.kind.as_str(), entry.kind_version.version.as_str()));
        let mut unsupported =
            kinds.filter(|kind| !matches!(kind, ("hashedrekord", "0.0.1" | "0.0.2") | ("dsse", "0.0.1") | ("intoto", "0.0.2")));
        unsupported.next().map(|(kind, version)| format!("{kind}/{version}"))
    }
}

/// Reads a layer of cosign's `.sig` (a payload with its signature beside it) or `.att` (an envelope). `named` are the digests that it names.
///
/// Sources: cosign's `specs/SIGNATURE_SPEC.md` and its annotations. The bundle that comes out has version 0.1 where the log has promised
/// it, which is the form that takes a promise alone, else 0.2.
pub(super) fn of_layer(signed: &Signed<'_>, named: &[Digest]) -> Result<Content, StepOutcome> {
    let layer = signed.layer;
    let is_envelope = !layer.media_type.contains("simplesigning");
    let malformed = |text: String| refuse(Malformed(text));
    let mut material = serde_json::Map::new();
    match layer.annotation(CERTIFICATE).filter(|text| !text.trim().is_empty()) {
        Some(pem) => {
            let chain = layer.annotation(CHAIN).filter(|text| !text.trim().is_empty());
            material.insert("x509CertificateChain".to_owned(), json!({ "certificates": certificates(pem, chain)? }));
        }
        None => drop(material.insert("publicKey".to_owned(), json!({ "hint": "" }))),
    }
    let (mut old_entry, mut unread_entry) = (None, None);
    let mut media_type = MediaType::Bundle0_2;
    if let Some(text) = layer.annotation(LOG).filter(|text| !text.trim().is_empty()) {
        match annotated_entry(text, is_envelope) {
            Ok(AnnotatedEntry::Old(entry)) => {
                old_entry = Some(OldEntry { entry, envelope: Digest::of(Algorithm::Sha256, signed.bytes) });
            }
            Ok(AnnotatedEntry::Read(entry)) => {
                media_type = MediaType::Bundle0_1;
                material.insert("tlogEntries".to_owned(), json!([entry]));
            }
            Err(outcome) => unread_entry = Some(outcome),
        }
    }
    if let Some(text) = layer.annotation(TIME_STAMP).filter(|text| !text.trim().is_empty()) {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct TimeStamp {
            #[serde(rename = "SignedRFC3161Timestamp")]
            signed: String,
        }
        let stamp: TimeStamp =
            serde_json::from_str(text).map_err(|error| malformed(format!("the annotation {TIME_STAMP} cannot be read: {error}")))?;
        let stamps = json!({ "rfc3161Timestamps": [{ "signedTimestamp": stamp.signed }] });
        material.insert("timestampVerificationData".to_owned(), stamps);
    }
    let mut bundle = json!({ "mediaType": media_type.as_str(), "verificationMaterial": material });
    let mut payload = None;
    let form = if is_envelope {
        let envelope: Envelope<'_> =
            serde_json::from_slice(signed.bytes).map_err(|error| malformed(format!("not a DSSE envelope: {error}")))?;
        bundle["dsseEnvelope"] = json!({ "payloadType": envelope.payload_type, "payload": "", "signatures": envelope.signatures });
        payload = Some(envelope.payload);
        "cosign's layer with a DSSE envelope"
    } else {
        let payload = sigstore_crypto::sha256(signed.bytes).to_base64();
        let signature = layer.annotation(SIGNATURE).unwrap_or_default();
        bundle["messageSignature"] = json!({ "messageDigest": { "algorithm": "SHA2_256", "digest": payload }, "signature": signature });
        "cosign's simple signing"
    };
    let mut bundle: Bundle = serde_json::from_value(bundle).map_err(|error| malformed(format!("{form} cannot be read: {error}")))?;
    if let Some(payload) = payload {
        put_payload(&mut bundle, &payload).map_err(|error| malformed(format!("{form} cannot be read: {error}")))?;
    }
    let thing = if is_envelope { thing(&Signed { artifact: None, ..*signed }, named)? } else { SignedThing::Bytes(signed.bytes.to_vec()) };
    Ok(Content { bundle, signed: thing, form: form.to_owned(), old_entry, unread_entry })
}

/// An envelope, its payload as it lies in the text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    payload_type: String,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    signatures: Value,
}

/// A log entry as cosign annotates it.
enum AnnotatedEntry {
    /// Of the kind that the family does not read.
    Old(CosignLogEntry),
    /// As a bundle has it.
    Read(Value),
}

/// Reads cosign's annotation with a log entry. What is wrong with it concerns the log alone.
fn annotated_entry(text: &str, of_envelope: bool) -> Result<AnnotatedEntry, StepOutcome> {
    let malformed = |text: String| refuse(Malformed(text));
    let entry: CosignLogEntry =
        serde_json::from_str(text).map_err(|error| malformed(format!("the annotation {LOG} cannot be read: {error}")))?;
    let body = base64::decode("the body of the log entry", &entry.payload.body).map_err(refuse)?;
    let (kind, version) = kind_of(&body).ok_or_else(|| malformed("the body of the log entry names no kind".to_owned()))?;
    match (kind.as_str(), version.as_str()) {
        ("intoto", "0.0.1") if of_envelope => Ok(AnnotatedEntry::Old(entry)),
        ("hashedrekord" | "dsse", "0.0.1") | ("intoto", "0.0.2") => log_entry(&entry, &kind, &version).map(AnnotatedEntry::Read),
        _ => Err(StepOutcome::unknown(Cause::UnsupportedFormat, format!("log entries of the kind {kind}/{version} are not supported"))),
    }
}

/// Kind and version of a log entry's body.
fn kind_of(body: &[u8]) -> Option<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        kind: String,
        api_version: String,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Some((body.kind, body.api_version))
}

fn log_entry(entry: &CosignLogEntry, kind: &str, version: &str) -> Result<Value, StepOutcome> {
    let id = Sha256Hash::from_hex(&entry.payload.log_id)
        .map_err(|_| refuse(Malformed(format!("the log entry's log {:?} is no identifier", entry.payload.log_id))))?;
    Ok(json!({
        "logIndex": entry.payload.log_index.to_string(),
        "logId": { "keyId": id.to_base64() },
        "kindVersion": { "kind": kind, "version": version },
        "integratedTime": entry.payload.integrated_time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": entry.signed_entry_timestamp },
        "canonicalizedBody": entry.payload.body,
    }))
}

/// The certificate, and the chain behind it.
fn certificates(pem: &str, chain: Option<&str>) -> Result<Vec<Value>, StepOutcome> {
    let mut all = blocks(pem, CERTIFICATE)?;
    if all.len() != 1 {
        return Err(refuse(Malformed(format!("the annotation {CERTIFICATE} holds {} certificates", all.len()))));
    }
    if let Some(chain) = chain {
        all.extend(blocks(chain, CHAIN)?);
    }
    Ok(all)
}

/// Every certificate of a PEM text, its bytes as they are.
fn blocks(text: &str, name: &str) -> Result<Vec<Value>, StepOutcome> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let certificates = text.split(BEGIN).skip(1).map(|block| {
        let der = DerCertificate::from_pem(&format!("{BEGIN}{block}"));
        der.map(|der| json!({ "rawBytes": der.to_base64() }))
            .map_err(|error| refuse(Malformed(format!("the annotation {name} holds what is no certificate: {error}"))))
    });
    certificates.collect()
}
