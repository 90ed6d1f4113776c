//! What is made here is accepted by the family's own verifier: the fixtures say something about the product, not about themselves.

use serde_json::{Value, json};
use sigstore_crypto::SigningScheme;
use sigstore_trust_root::TrustedRoot;
use sigstore_types::{Bundle, DerPublicKey, SignatureBytes};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

use super::bundle::{BOTH, Log, PROMISE, Proofs, Version, statement};
use super::certificate::Announced;
use super::cosign::{Layer, SIGNATURE, simple_signing};
use super::key::{Key, Kind, base64, sha256};
use super::layout::{image, image_bytes};
use super::log::Kind as Entry;
use super::sigstore::{ACCOUNTS, GITHUB, PERSON, Signer, Sigstore, WORKFLOW, person, workflow};

fn verifier(sigstore: &Sigstore) -> Verifier {
    Verifier::new(&TrustedRoot::from_json(&sigstore.trusted_root().to_string()).unwrap()).unwrap()
}

fn by_workflow() -> VerificationPolicy {
    VerificationPolicy::new(WORKFLOW, GITHUB)
}

/// Verifies a bundle over the shared image.
#[track_caller]
fn holds(sigstore: &Sigstore, bundle: &Value, policy: &VerificationPolicy) {
    let parsed = Bundle::from_json(&bundle.to_string()).unwrap_or_else(|error| panic!("{error}: {bundle:#}"));
    let result = verifier(sigstore).verify(image_bytes("one").as_slice(), &parsed, policy);
    let result = result.unwrap_or_else(|error| panic!("{error}: {bundle:#}"));
    assert!(result.certificate_verified() && result.sct_verified());
}

#[track_caller]
fn fails(sigstore: &Sigstore, bundle: &Value, policy: &VerificationPolicy, part: &str) {
    let parsed = Bundle::from_json(&bundle.to_string()).unwrap();
    let error = verifier(sigstore).verify(image_bytes("one").as_slice(), &parsed, policy).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

#[test]
fn envelopes_of_every_log_and_version_hold() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&workflow(WORKFLOW));
    for (version, log, stamp) in [
        (Version::V01, Log::V1(Entry::Intoto2, BOTH), false),
        (Version::V02, Log::V1(Entry::Dsse, BOTH), false),
        (Version::V02, Log::V1(Entry::Intoto2, BOTH), true),
        (Version::V03, Log::V1(Entry::Dsse, BOTH), false),
        (Version::V03, Log::V1(Entry::Dsse, BOTH), true),
        (Version::V03, Log::V2, true),
    ] {
        holds(&sigstore, &sigstore.envelope_bundle(version, &signer, &statement(&image()), Proofs::new(log, stamp)), &by_workflow());
    }
    fails(
        &sigstore,
        &sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), Proofs::new(Log::V2, false)),
        &by_workflow(),
        "V2 bundle requires",
    );
}

#[test]
fn messages_hold() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&person(PERSON));
    let policy = VerificationPolicy::new(PERSON, ACCOUNTS);
    for (log, stamp) in [(Log::V1(Entry::Hashedrekord, BOTH), false), (Log::V2, true)] {
        holds(&sigstore, &sigstore.message_bundle(Version::V03, &signer, &image_bytes("one"), Proofs::new(log, stamp)), &policy);
    }
}

#[test]
fn time_stamps_alone_prove_the_time() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&workflow(WORKFLOW));
    let bundle = sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), Proofs::new(Log::None, true));
    holds(&sigstore, &bundle, &by_workflow().skip_tlog_unsafe());
}

/// A legacy layer is a bundle v0.1 with nothing but a promise.
#[test]
fn cosigns_layers_hold_as_bundles() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&workflow(WORKFLOW));
    let proofs = Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), true);
    let layer = sigstore.layer(&signer, &simple_signing("registry.test/app", &image()), proofs);
    let parsed = Bundle::from_json(&as_bundle(&layer, signer.certificate.as_ref().unwrap()).to_string()).unwrap();
    verifier(&sigstore).verify(layer.bytes.as_slice(), &parsed, &by_workflow()).unwrap();
}

fn as_bundle(layer: &Layer, certificate: &[u8]) -> Value {
    let logged = layer.logged();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let id: Vec<u8> = text(&logged["Payload"]["logID"])
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    json!({
        "mediaType": Version::V01.media_type(),
        "verificationMaterial": {
            "x509CertificateChain": { "certificates": [{ "rawBytes": base64(certificate) }] },
            "tlogEntries": [{
                "logIndex": logged["Payload"]["logIndex"].to_string(),
                "logId": { "keyId": base64(id) },
                "kindVersion": { "kind": "hashedrekord", "version": "0.0.1" },
                "integratedTime": logged["Payload"]["integratedTime"].to_string(),
                "inclusionPromise": { "signedEntryTimestamp": logged["SignedEntryTimestamp"] },
                "canonicalizedBody": logged["Payload"]["body"],
            }],
        },
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": base64(sha256(&layer.bytes)) },
            "signature": layer.annotations[SIGNATURE],
        },
    })
}

#[test]
fn every_kind_of_key_signs() {
    let sigstore = Sigstore::new();
    for kind in [Kind::P256, Kind::P384, Kind::Rsa, Kind::Ed25519] {
        let signer = Signer::key(kind);
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(signer.key.spki()));
        let bundle = sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), Proofs::usual());
        let parsed = Bundle::from_json(&bundle.to_string()).unwrap();
        verifier(&sigstore).verify(image_bytes("one").as_slice(), &parsed, &policy).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let other = PublicKeyVerificationPolicy::new(DerPublicKey::new(Key::new(kind).spki()));
        assert!(verifier(&sigstore).verify(image_bytes("one").as_slice(), &parsed, &other).is_err(), "{kind:?}");
    }
    let key = Key::new(Kind::P384Sha256);
    let signature = SignatureBytes::new(key.sign(b"message"));
    let scheme = SigningScheme::EcdsaP384Sha256;
    sigstore_crypto::verify_signature(&DerPublicKey::new(key.spki()), b"message", &signature, scheme).unwrap();
}

#[test]
fn what_is_missing_or_foreign_is_refused_for_its_own_reason() {
    let sigstore = Sigstore::new();
    let bundle = |signer: &Signer| sigstore.envelope_bundle(Version::V03, signer, &statement(&image()), Proofs::usual());
    let silent = sigstore.signer_announced(Key::new(Kind::P256), &workflow(WORKFLOW), &Announced::Not);
    fails(&sigstore, &bundle(&silent), &by_workflow(), "SCT");
    let stranger = Sigstore::new();
    fails(&sigstore, &bundle(&stranger.signer(&workflow(WORKFLOW))), &by_workflow(), "certificate chain");
    fails(&stranger, &bundle(&sigstore.signer(&workflow(WORKFLOW))), &by_workflow(), "log");
}
