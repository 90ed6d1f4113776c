//! Every form in which a signature may lie beside its image.

use seaworthy::model::OCI_MANIFEST;
use serde_json::json;

use super::super::bundle::{BOTH, IN_TOTO, Log, PROMISE, Proofs, Version, pae, statement, statement_of};
use super::super::certificate::{Announced, Name};
use super::super::cosign::{BUNDLE_ANNOTATION, CERTIFICATE, Layer};
use super::super::key::{Key, Kind, base64};
use super::super::layout::{Layout, image, image_bytes, other_image};
use super::super::log::{Kind as Entry, Logged};
use super::super::sigstore::{ACCOUNTS, Signer, WORKFLOW, claims_at, signed_at, workflow};
use super::{Case, Stage, referred, tagged};
use crate::world::COSIGN_SIGN;

const V1: Log = Log::V1(Entry::Hashedrekord, PROMISE);

pub fn cases(stage: &Stage) -> Vec<Case> {
    [bundles(stage), legacy(stage), keys(stage), others(stage)].into_iter().flatten().collect()
}

fn bundles(stage: &Stage) -> Vec<Case> {
    let (sigstore, release) = (&stage.sigstore, &stage.release);
    let envelope =
        |version, log, stamp| referred(&sigstore.envelope_bundle(version, release, &statement(&image()), Proofs::new(log, stamp)));
    let certified = |kind| referred(&stage.bundle(&sigstore.signer_with(Key::new(kind), &workflow(WORKFLOW))));
    let message = |version, log, stamp| referred(&sigstore.message_bundle(version, release, &image_bytes("one"), Proofs::new(log, stamp)));
    vec![
        ("bundle", referred(&stage.bundle(release))),
        ("bundle-stamped", envelope(Version::V03, Log::V1(Entry::Dsse, BOTH), true)),
        ("bundle-rekor2", envelope(Version::V03, Log::V2, true)),
        ("bundle-stamp-only", envelope(Version::V03, Log::None, true)),
        ("bundle-intoto", envelope(Version::V03, Log::V1(Entry::Intoto2, BOTH), false)),
        ("bundle-v02", envelope(Version::V02, Log::V1(Entry::Dsse, BOTH), false)),
        ("bundle-v02-intoto", envelope(Version::V02, Log::V1(Entry::Intoto2, BOTH), false)),
        ("bundle-v01", envelope(Version::V01, Log::V1(Entry::Intoto2, PROMISE), false)),
        ("bundle-message", message(Version::V03, Log::V1(Entry::Hashedrekord, BOTH), false)),
        ("bundle-message-rekor2", message(Version::V03, Log::V2, true)),
        ("bundle-message-v01", message(Version::V01, V1, false)),
        ("bundle-certificate-p384", certified(Kind::P384)),
        ("bundle-certificate-rsa", certified(Kind::Rsa)),
        ("bundle-certificate-ed25519", certified(Kind::Ed25519)),
        ("bundle-many-subjects", referred(&stage.bundle_of(release, &statement_of(COSIGN_SIGN, &[&other_image(), &image()])))),
    ]
}

fn legacy(stage: &Stage) -> Vec<Case> {
    let release = &stage.release;
    let mut unchained = stage.layer(release, Proofs::new(V1, false));
    unchained.annotations.retain(|name, _| !name.ends_with("/chain"));
    let mut experimental = Layout::new();
    experimental.refer_simple(&image(), &[stage.layer(release, Proofs::new(V1, false))]);
    // The same manifest and layer to the byte, beside another image: what was found out about the one is nothing about the other.
    let shared = stage.layer(release, Proofs::new(V1, false));
    let mut transplanted = Layout::default();
    let other = transplanted.image(&image_bytes("other"), Some("v1"));
    transplanted.sign_by_tag(&other, std::slice::from_ref(&shared));
    vec![
        ("legacy-keyless", tagged(&[shared])),
        ("copied-same-manifest", transplanted),
        ("legacy-keyless-stamped", tagged(&[stage.layer(release, Proofs::new(V1, true))])),
        ("legacy-keyless-stamp-only", tagged(&[stage.layer(release, Proofs::new(Log::None, true))])),
        ("legacy-keyless-unchained", tagged(&[unchained])),
        ("legacy-dsse-intoto1", tagged(&[old_envelope(stage)])),
        ("experimental-oci11", experimental),
    ]
}

/// An envelope as a layer with cosign's annotations, and an entry of the kind `intoto` 0.0.1.
pub fn old_envelope(stage: &Stage) -> Layer {
    old_envelope_of(stage, &stage.release, &statement(&image()), COSIGN_SIGN)
}

/// The same around any payload, as `cosign attest` wrote it; the type in its annotation is whatever is said.
pub fn old_envelope_of(stage: &Stage, signer: &Signer, payload: &[u8], annotated: &str) -> Layer {
    let signature = signer.key.sign(&pae(IN_TOTO, payload));
    let envelope =
        json!({ "payloadType": IN_TOTO, "payload": base64(payload), "signatures": [{ "keyid": "", "sig": base64(&signature) }] });
    let verifier = signer.verifier();
    let logged =
        Logged { signature: &signature, verifier: &verifier, message: &pae(IN_TOTO, payload), envelope: Some((&envelope, payload)) };
    let (entry, _) = stage.sigstore.prove(signer, &logged, Proofs::new(Log::V1(Entry::Intoto1, PROMISE), false));
    Layer::plain("application/vnd.dsse.envelope.v1+json", envelope.to_string())
        .with("dev.cosignproject.cosign/signature", "")
        .with("predicateType", annotated)
        .with(CERTIFICATE, verifier.as_str())
        .with(BUNDLE_ANNOTATION, entry.unwrap().annotation().to_string())
}

fn keys(stage: &Stage) -> Vec<Case> {
    let logged = |signer: &Signer| referred(&stage.bundle(signer));
    let bare = |signer: &Signer| referred(&stage.bare(signer));
    let legacy = |signer: &Signer| tagged(&[stage.layer(signer, Proofs::none())]);
    let message = |signer: &Signer, proofs| referred(&stage.sigstore.message_bundle(Version::V03, signer, &image_bytes("one"), proofs));
    vec![
        ("key-bundle-p256", logged(&stage.p256)),
        ("key-bundle-p384", logged(&stage.p384)),
        ("key-bundle-rsa", logged(&stage.rsa)),
        ("key-bundle-ed25519", logged(&stage.ed25519)),
        ("key-bundle-unlogged", bare(&stage.p256)),
        ("key-bundle-unlogged-ed25519", bare(&stage.ed25519)),
        (
            "key-bundle-rekor2",
            referred(&stage.sigstore.envelope_bundle(Version::V03, &stage.p256, &statement(&image()), Proofs::new(Log::V2, true))),
        ),
        ("key-bundle-message", message(&stage.p256, Proofs::of_message())),
        ("key-bundle-message-unlogged", message(&stage.rsa, Proofs::none())),
        ("key-legacy-p256", legacy(&stage.p256)),
        ("key-legacy-p384", legacy(&stage.p384)),
        ("key-legacy-p384-sha256", legacy(&stage.p384_sha256)),
        ("key-legacy-p384-sha256-logged", tagged(&[stage.layer(&stage.p384_sha256, Proofs::new(V1, false))])),
        ("key-bundle-p384-sha256", bare(&stage.p384_sha256)),
        ("key-legacy-rsa", legacy(&stage.rsa)),
        ("key-legacy-ed25519", legacy(&stage.ed25519)),
        ("key-legacy-logged", tagged(&[stage.layer(&stage.p256, Proofs::new(V1, false))])),
        ("key-legacy-stamped", tagged(&[stage.layer(&stage.p256, Proofs::new(Log::None, true))])),
    ]
}

fn others(stage: &Stage) -> Vec<Case> {
    // The fallback index of the referrers tag schema, as go-containerregistry writes it: the artifact type is the configuration's.
    let mut fallback = Layout::new();
    let mut entry = fallback.referrer(&image(), &Layer::bundle(&stage.bundle(&stage.release)));
    entry["artifactType"] = json!("application/vnd.oci.empty.v1+json");
    assert_eq!(entry["mediaType"], OCI_MANIFEST);
    fallback.fallback(&image(), &[entry]);
    let mut claims = claims_at(vec![Name::Email("release@corp.test".to_owned())], ACCOUNTS, signed_at());
    claims.extensions.clear();
    claims.subject = Some("release");
    let key = Key::new(Kind::P256);
    let leaf = stage.own.issue(&key, &claims, &Announced::Not);
    let own = Signer { key, certificate: Some(leaf), chain: vec![stage.own.certificate.clone()] };
    let stamped = |stamp| Proofs::new(Log::None, stamp);
    vec![
        ("fallback-tag", fallback),
        ("own-certificate-legacy", tagged(&[stage.layer(&own, stamped(true))])),
        ("own-certificate-bundle", referred(&stage.sigstore.envelope_bundle(Version::V03, &own, &statement(&image()), stamped(true)))),
        ("own-certificate-unstamped", tagged(&[stage.layer(&own, stamped(false))])),
    ]
}
