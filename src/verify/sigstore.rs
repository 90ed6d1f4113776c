//! Cosign's simple signing, and Sigstore bundles: what they are about, and whether they hold.

mod attempt;
mod certificate;
mod content;
mod failure;
mod key;
mod old_entry;
mod primitives;
mod root;
mod stamp;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Kind, Malformed, ReadStatement, Signed, base64, dsse, json};
use crate::model::{Cause, Digest, Link, PublicKey, Reason, Signer, StatementFormat, Step, StepOutcome, UnknownAnswer};

pub(super) use attempt::Found as Tried;
pub(super) use root::Root;

/// A signature that can be tried.
pub(super) struct Statement {
    content: content::Content,
    subject: StepOutcome,
    /// The signing certificate, where there is one: read once for all trials.
    certificate: Option<Result<certificate::Read, Malformed>>,
}

/// Reads a signature so that it can be tried. Nothing for what is not Sigstore's, and for what is no signature at all.
pub(super) fn content(signed: &Signed<'_>) -> Option<Result<Statement, StepOutcome>> {
    let read = super::read(signed.layer, signed.bytes).ok()?;
    if matches!(read.format, StatementFormat::Unsigned { .. }) {
        return None;
    }
    let named = read.subjects;
    let content = match Kind::of(&signed.layer.media_type)? {
        Kind::Bundle => content::of_bundle(signed, &named),
        Kind::SimpleSigning | Kind::Dsse => content::of_layer(signed, &named),
        Kind::NotationJws | Kind::NotationCose | Kind::InToto => return None,
    };
    let subject = if named.contains(signed.subject) {
        StepOutcome::Held(signed.subject.to_string())
    } else {
        let named = named.first().map_or_else(|| "no digest".to_owned(), ToString::to_string);
        StepOutcome::failed(Reason::DigestMismatch, format!("it names {named}, not {}", signed.subject))
    };
    Some(content.map(|content| {
        let certificate = content.certificate().map(certificate::read);
        Statement { content, subject, certificate }
    }))
}

impl Statement {
    /// Whether it is signed by the holder of a certificate.
    pub(super) fn has_certificate(&self) -> bool {
        self.certificate.is_some()
    }

    /// Whether it names the digest that it was found beside.
    pub(super) fn names_subject(&self) -> StepOutcome {
        self.subject.clone()
    }

    /// Tries it with certificate authorities, if it is by a certificate.
    pub(super) fn by_certificate(&self, root: &Root, own_authority: bool, as_of: Timestamp) -> Option<Tried> {
        self.certificate.as_ref().map(|read| attempt::by_certificate(&self.content, read.as_ref(), root, own_authority, as_of))
    }

    /// Tries it with certificate authorities of the user's own, without looking at logs and time stamps, if it is by a certificate.
    pub(super) fn by_certificate_alone(&self, root: &Root, as_of: Timestamp) -> Option<Tried> {
        self.certificate.as_ref().map(|read| attempt::by_certificate_alone(&self.content, read.as_ref(), root, as_of))
    }

    /// Tries it with a key, if it is by a key.
    pub(super) fn by_key(&self, key: &PublicKey, root: Option<&Root>, as_of: Timestamp) -> Option<Tried> {
        let Some(read) = &self.certificate else {
            return Some(attempt::by_key(&self.content, key, root, as_of));
        };
        // By this very key, and with a certificate for it, which is what a log names: not verified here, and not by somebody else.
        read.as_ref().is_ok_and(|read| read.claims.key == key.fingerprint).then(|| {
            let mut tried = Tried { signer: Some(Signer::Key { fingerprint: key.fingerprint.clone() }), ..Tried::default() };
            tried.note(Step::Form, StepOutcome::Held(self.content.form.clone()));
            let detail =
                "a key's signature with a certificate is not supported for a `key` authority; name it by a `certificate` authority";
            tried.note(Step::Signature, StepOutcome::unknown(Cause::UnsupportedFormat, detail));
            tried
        })
    }

    /// What is known of it where the material cannot be used.
    pub(super) fn untried(&self, unknown: &UnknownAnswer) -> Tried {
        let mut tried = Tried::default();
        let read = self.certificate.as_ref().and_then(|read| read.as_ref().ok());
        tried.signer = read.map(|read| Signer::Certificate(Box::new(read.claims.clone())));
        tried.note(Step::Form, StepOutcome::Held(self.content.form.clone()));
        tried.note(Step::CertificateChain, StepOutcome::Unknown(unknown.clone()));
        tried
    }
}

impl Tried {
    /// Notes that what would show a log entry and a time cannot be had; what is not there is missing all the same.
    pub(super) fn note_unchecked(&mut self, unknown: &UnknownAnswer) {
        for step in [Step::LogInclusion, Step::TimeStamp] {
            if !self.steps.contains(&(step, StepOutcome::Missing)) {
                self.note(step, StepOutcome::Unknown(unknown.clone()));
            }
        }
    }

    /// What cannot be tried at all.
    pub(super) fn refused(outcome: StepOutcome) -> Self {
        let mut tried = Self::default();
        tried.note(Step::Form, outcome);
        tried
    }
}

/// The annotation in which cosign keeps the signature beside its payload.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The only `critical.type` that cosign writes and accepts.
const SIMPLE_SIGNING_TYPE: &str = "cosign container image signature";

#[derive(Deserialize)]
struct SimpleSigning {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: Digest,
}

/// A layer of cosign's `.sig`: the payload is the blob, the signature an annotation of the layer.
pub(super) fn read_simple_signing(layer: &Link, bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let payload: SimpleSigning = json::read("a simple-signing payload", bytes)?;
    if payload.critical.kind != SIMPLE_SIGNING_TYPE {
        return Err(Malformed(format!("simple-signing type {:?} is not cosign's", payload.critical.kind)));
    }
    let signature = layer.annotation(SIGNATURE).unwrap_or_default();
    if base64::decode("the signature beside the simple-signing payload", signature)?.is_empty() {
        return Err(Malformed("the simple-signing payload has no signature beside it".to_owned()));
    }
    Ok(ReadStatement { format: StatementFormat::SimpleSigning, subjects: vec![payload.critical.image.docker_manifest_digest] })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    #[serde(default, borrow)]
    dsse_envelope: Option<dsse::Envelope<'a>>,
    #[serde(default)]
    message_signature: Option<MessageSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
    #[serde(default)]
    signature: String,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

/// A Sigstore bundle of any version: all of them keep their content in one of the same two fields.
pub(super) fn read_bundle(bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let bundle: Bundle<'_> = json::read("a Sigstore bundle", bytes)?;
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => dsse::read_envelope(&envelope),
        (None, Some(message)) => read_message(&message),
        (Some(_), Some(_)) => Err(Malformed("the bundle holds both an envelope and a message signature".to_owned())),
        (None, None) => Err(Malformed("the bundle holds neither an envelope nor a message signature".to_owned())),
    }
}

fn read_message(message: &MessageSignature) -> Result<ReadStatement, Malformed> {
    if base64::decode("the bundle's message signature", &message.signature)?.is_empty() {
        return Err(Malformed("the bundle's message signature is empty".to_owned()));
    }
    let bytes = base64::decode("the bundle's message digest", &message.message_digest.digest)?;
    let digest = match message.message_digest.algorithm.as_str() {
        // The other algorithms of protobuf-specs (`HashAlgorithm`), which keys on P-384 sign: no digest here is compared with them.
        other @ ("SHA2_384" | "SHA3_256" | "SHA3_384") => {
            let format = StatementFormat::Unsupported { media_type: format!("Sigstore bundle over {other}") };
            return Ok(ReadStatement { format, subjects: Vec::new() });
        }
        "SHA2_256" => <[u8; 32]>::try_from(bytes).ok().map(Digest::from_sha256),
        "SHA2_512" => <[u8; 64]>::try_from(bytes).ok().map(Digest::from_sha512),
        _ => None,
    };
    let digest =
        digest.ok_or_else(|| Malformed("the bundle's message digest is not SHA2_256 or SHA2_512 of the right length".to_owned()))?;
    Ok(ReadStatement { format: StatementFormat::BundleMessage, subjects: vec![digest] })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn layer(signature: &str) -> Link {
        let annotations = [(SIGNATURE.to_owned(), signature.to_owned())].into();
        Link { media_type: String::new(), digest: A.parse().unwrap(), size: 0, artifact_type: None, annotations: Some(annotations) }
    }

    fn payload(kind: &str) -> String {
        format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"x"}},"image":{{"docker-manifest-digest":"{A}"}},"type":"{kind}"}},"optional":null}}"#
        )
    }

    #[test]
    fn simple_signing_names_its_digest() {
        let read = read_simple_signing(&layer("c2ln"), payload(SIMPLE_SIGNING_TYPE).as_bytes()).unwrap();
        assert_eq!(read, ReadStatement { format: StatementFormat::SimpleSigning, subjects: vec![A.parse().unwrap()] });
    }

    #[test]
    fn what_is_no_signature_is_malformed() {
        assert!(read_simple_signing(&layer(""), payload(SIMPLE_SIGNING_TYPE).as_bytes()).is_err());
        assert!(read_simple_signing(&layer("!!!"), payload(SIMPLE_SIGNING_TYPE).as_bytes()).is_err());
        assert!(read_simple_signing(&layer("c2ln"), payload("other").as_bytes()).is_err());
        let doubled = payload(SIMPLE_SIGNING_TYPE).replace(r#""image":"#, r#""image":{"docker-manifest-digest":"sha256:00"},"image":"#);
        assert!(read_simple_signing(&layer("c2ln"), doubled.as_bytes()).is_err());
        for bundle in ["{}", "[]", r#"{"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AAAA"},"signature":"c2ln"}}"#]
        {
            assert!(read_bundle(bundle.as_bytes()).is_err(), "{bundle}");
        }
    }

    #[test]
    fn a_bundles_content_decides_what_it_is() {
        let digest = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=";
        let message =
            format!(r#"{{"messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{digest}"}},"signature":"c2ln"}}}}"#);
        let read = read_bundle(message.as_bytes()).unwrap();
        assert_eq!((read.format, read.subjects), (StatementFormat::BundleMessage, vec![A.parse().unwrap()]));
    }
}
