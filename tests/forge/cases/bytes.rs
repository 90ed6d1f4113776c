//! Bytes that are not what they should be, or are it twice.

use serde_json::json;

use super::super::bundle::{BOTH, IN_TOTO, Log, Proofs, Version, pae, statement, statement_of};
use super::super::cosign::{Layer, SIGNATURE, simple_signing};
use super::super::key::base64;
use super::super::layout::{image, other_image};
use super::super::sigstore::{Signer, signed_at};
use super::{Case, NAMED, Stage, referred, referred_layers, tagged};
use crate::world::{BUNDLE, COSIGN_SIGN, SIMPLE};

pub fn cases(stage: &Stage) -> Vec<Case> {
    [envelopes(stage), doubled(stage), payloads(stage), mutilated(stage), types(stage)].into_iter().flatten().collect()
}

/// An envelope of these signatures, the log knowing the first.
fn envelope(stage: &Stage, signer: &Signer, payload_type: &str, payload: &[u8], signatures: &[Vec<u8>]) -> super::Layout {
    let signatures: Vec<_> = signatures.iter().map(|signature| json!({ "sig": base64(signature) })).collect();
    let envelope = json!({ "payloadType": payload_type, "payload": base64(payload), "signatures": signatures });
    referred(&stage.sigstore.envelope_of(Version::V03, signer, envelope, Proofs::usual()))
}

fn envelopes(stage: &Stage) -> Vec<Case> {
    let (release, payload) = (&stage.release, statement(&image()));
    let sign = |signer: &Signer| signer.key.sign(&pae(IN_TOTO, &payload));
    // Signed as in-toto, told to be something else; and the other way round.
    let as_json = envelope(stage, release, "application/json", &payload, &[sign(release)]);
    let as_in_toto = envelope(stage, release, IN_TOTO, &payload, &[release.key.sign(&pae("application/json", &payload))]);
    let of_other_type = envelope(stage, release, "application/json", &payload, &[release.key.sign(&pae("application/json", &payload))]);
    let mut annotated = super::Layout::new();
    let provenance = Layer::bundle(&stage.bundle_of(release, &statement_of("https://slsa.dev/provenance/v1", &[&image()])));
    let more = json!({
        "artifactType": BUNDLE, "subject": super::super::layout::descriptor(seaworthy::model::OCI_MANIFEST, &image(), 1),
        "annotations": { "dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": COSIGN_SIGN },
    });
    let mut listed = annotated.manifest(&[provenance], "application/vnd.oci.empty.v1+json", "{}", more);
    listed["artifactType"] = json!(BUNDLE);
    listed["annotations"] = json!({ "dev.sigstore.bundle.predicateType": COSIGN_SIGN });
    annotated.list(listed, None);
    vec![
        ("dsse-second-signature", envelope(stage, release, IN_TOTO, &payload, &[sign(release), sign(&stage.unknown)])),
        ("dsse-second-signature-trusted", envelope(stage, &stage.unknown, IN_TOTO, &payload, &[sign(&stage.unknown), sign(&stage.p256)])),
        ("dsse-no-signature", {
            let mut bundle = stage.bundle(release);
            bundle["dsseEnvelope"]["signatures"] = json!([]);
            referred(&bundle)
        }),
        ("dsse-zero-length-signature", envelope(stage, release, IN_TOTO, &payload, &[Vec::new()])),
        ("payload-type-changed", as_json),
        ("payload-type-claimed", as_in_toto),
        ("payload-type-other", of_other_type),
        ("predicate-annotation-lies", annotated),
        ("attestation-alone", referred(&stage.bundle_of(release, &statement_of("https://slsa.dev/provenance/v1", &[&image()])))),
    ]
}

/// What one reader takes from the first of two equal keys, another takes from the second.
fn doubled(stage: &Stage) -> Vec<Case> {
    let (release, ours, others) = (&stage.release, image(), other_image());
    let text = |digest| String::from_utf8(statement(digest)).unwrap();
    let by_release = |payload: String| referred(&stage.bundle_of(release, payload.as_bytes()));
    let subject = |digest: &seaworthy::model::Digest| format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, digest.hex());
    let digests = text(&others).replace(r#"{"sha256":"#, &format!(r#"{{"sha256":"{}","sha256":"#, ours.hex()));
    let digests_reversed = text(&ours).replace(r#"{"sha256":"#, &format!(r#"{{"sha256":"{}","sha256":"#, others.hex()));
    let subjects = text(&others).replacen('{', &format!(r#"{{"subject":[{}],"#, subject(&ours)), 1);
    let types = String::from_utf8(statement_of("https://slsa.dev/provenance/v1", &[&ours])).unwrap();
    let types = types.replacen('{', &format!(r#"{{"predicateType":"{COSIGN_SIGN}","#), 1);
    let payload = String::from_utf8(simple_signing(NAMED, &others)).unwrap();
    let payload =
        payload.replace(r#"{"docker-manifest-digest":"#, &format!(r#"{{"docker-manifest-digest":"{ours}","docker-manifest-digest":"#));
    let bundle = stage.bundle(release);
    let copied = stage.bundle_of(release, &statement(&others));
    let contents = bundle.to_string().replacen('{', &format!(r#"{{"dsseEnvelope":{},"#, copied["dsseEnvelope"]), 1);
    let envelope = bundle["dsseEnvelope"].to_string();
    let payloads = bundle
        .to_string()
        .replace(&envelope, &envelope.replacen('{', &format!(r#"{{"payload":{},"#, copied["dsseEnvelope"]["payload"]), 1));
    vec![
        ("doubled-digest", by_release(digests)),
        ("doubled-digest-reversed", by_release(digests_reversed)),
        ("doubled-subject", by_release(subjects)),
        ("doubled-predicate-type", by_release(types)),
        ("doubled-legacy-digest", tagged(&[stage.sigstore.layer(&stage.p256, payload.as_bytes(), Proofs::none())])),
        ("doubled-envelope", referred_layers(&[Layer::plain(BUNDLE, contents)])),
        ("doubled-payload", referred_layers(&[Layer::plain(BUNDLE, payloads)])),
    ]
}

/// Payloads that a trusted key did sign.
fn payloads(stage: &Stage) -> Vec<Case> {
    let legacy = |payload: Vec<u8>| tagged(&[stage.sigstore.layer(&stage.p256, &payload, Proofs::none())]);
    let envelope =
        |payload: Vec<u8>| referred(&stage.sigstore.envelope_bundle(Version::V03, &stage.p256, &payload, Proofs::new(Log::None, false)));
    let text = String::from_utf8(simple_signing(NAMED, &image())).unwrap();
    let not_text = [text.replace("null", r#"""#).as_bytes(), b"\xff\xfe\"}"].concat();
    let deep = |text: &str, mark: &str| text.replace(mark, &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))).into_bytes();
    let statement_text = String::from_utf8(statement(&image())).unwrap();
    let mut not_text_statement = statement_text.replace(r#""predicate":{}"#, r#""predicate":""#).into_bytes();
    not_text_statement.truncate(not_text_statement.len());
    let position = not_text_statement.windows(13).position(|window| window == br#""predicate":""#).unwrap() + 13;
    not_text_statement.splice(position..position, *b"\xc3\x28\"");
    vec![
        ("legacy-payload-not-utf8", legacy(not_text)),
        ("legacy-payload-deep", legacy(deep(&text, "null"))),
        ("legacy-payload-empty", legacy(Vec::new())),
        ("legacy-payload-truncated", legacy(text.as_bytes()[..text.len() / 2].to_vec())),
        ("legacy-payload-other-type", legacy(text.replace("cosign container image signature", "atomic container signature").into_bytes())),
        ("legacy-payload-array", legacy(format!("[{text}]").into_bytes())),
        ("dsse-payload-not-utf8", envelope(not_text_statement)),
        ("dsse-payload-deep", envelope(deep(&statement_text, "{}"))),
        ("dsse-payload-empty", envelope(Vec::new())),
        ("dsse-payload-other-statement", envelope(statement_text.replace("Statement/v1", "Statement/v9").into_bytes())),
    ]
}

fn mutilated(stage: &Stage) -> Vec<Case> {
    let bundle = stage.bundle(&stage.release);
    let text = bundle.to_string();
    let plain = |bytes: Vec<u8>| referred_layers(&[Layer::plain(BUNDLE, bytes)]);
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut bundle = bundle.clone();
        *bundle.pointer_mut(pointer).unwrap() = value;
        referred(&bundle)
    };
    let certificate = bundle["verificationMaterial"]["certificate"]["rawBytes"].as_str().unwrap();
    let layer = stage.layer(&stage.p256, Proofs::none());
    vec![
        ("bundle-truncated", plain(text.as_bytes()[..text.len() / 2].to_vec())),
        ("bundle-empty", plain(Vec::new())),
        ("bundle-null", plain(b"null".to_vec())),
        ("bundle-deep", plain("[".repeat(20_000).into_bytes())),
        ("bundle-not-utf8", plain([text.as_bytes(), b"\xff"].concat())),
        ("bundle-certificate-truncated", changed("/verificationMaterial/certificate/rawBytes", certificate[..400].into())),
        ("bundle-certificate-empty", changed("/verificationMaterial/certificate/rawBytes", "".into())),
        ("bundle-material-missing", changed("/verificationMaterial", json!({}))),
        ("bundle-body-not-json", {
            let entry = stage.sigstore.rekor.log_body(super::super::log::Kind::Dsse, b"not JSON".to_vec(), signed_at(), BOTH);
            changed("/verificationMaterial/tlogEntries/0", entry.bundle())
        }),
        ("bundle-index-negative", changed("/verificationMaterial/tlogEntries/0/logIndex", "-1".into())),
        ("legacy-zero-length-signature", tagged(&[layer.clone().with(SIGNATURE, "")])),
        ("legacy-signature-not-base64", tagged(&[layer.clone().with(SIGNATURE, "!!!")])),
        ("legacy-signature-one-byte", tagged(&[layer.with(SIGNATURE, base64([0]))])),
    ]
}

/// True bytes under a false name, and names from the future.
fn types(stage: &Stage) -> Vec<Case> {
    let bundle = stage.bundle(&stage.release);
    let text = bundle.to_string();
    let named = |media_type: &str, text: &str| referred_layers(&[Layer::plain(media_type, text)]);
    let future = "application/vnd.dev.sigstore.bundle.v0.9+json";
    vec![
        ("bundle-as-text", named("text/plain", &text)),
        ("bundle-as-simple-signing", {
            let mut layer = Layer::plain(SIMPLE, text.as_str());
            layer = layer.with(SIGNATURE, bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap());
            tagged(&[layer])
        }),
        ("bundle-v09", named(future, &text.replace(BUNDLE, future))),
        ("bundle-v09-inside", named(BUNDLE, &text.replace(BUNDLE, future))),
        ("bundle-type-from-elsewhere", named(BUNDLE, &text.replace(BUNDLE, "application/json"))),
        ("notation", named("application/jose+json", &notation())),
    ]
}

/// A Notation envelope about the image; its signature is not one.
fn notation() -> String {
    use base64::Engine as _;
    let digest = image();
    let payload =
        format!(r#"{{"targetArtifact":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1}}}}"#);
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
    format!(r#"{{"payload":"{payload}","protected":"eyJhbGciOiJFUzI1NiJ9","header":{{}},"signature":"c2lnbmF0dXJl"}}"#)
}
