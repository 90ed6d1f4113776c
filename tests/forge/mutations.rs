//! Evidence with one byte changed, left out or doubled, all along: what still holds says the same as before.

use std::sync::Arc;

use seaworthy::model::{Algorithm, Digest, Link, Proof, PublicKey, RootOrigin, Step, Trial, TrustRoot};
use seaworthy::verify::{Signed, Verifier};

use super::bundle::{BOTH, Log, PROMISE, Proofs, Version, statement};
use super::cases::Stage;
use super::cosign::{Layer, simple_signing};
use super::layout::{image, image_bytes};
use super::log::Kind;
use crate::world::digest_of;

/// Changed places of each piece of evidence.
const PLACES: usize = 400;

fn verifier(stage: &Stage) -> Verifier {
    let root = Arc::new(TrustRoot {
        name: "own".to_owned(),
        origin: RootOrigin::File { path: "trusted_root.json".to_owned() },
        dated: None,
        without_logs: false,
        content: Ok(stage.sigstore.trusted_root().to_string().into_bytes().into()),
    });
    let spki = stage.p256.key.spki();
    let key = PublicKey { fingerprint: digest_of(&spki), spki: spki.into() };
    let trials = [Trial::Keyless { root: Arc::clone(&root) }, Trial::Key { key, root: Some(root) }];
    Verifier::new(&trials, "2026-11-02T09:30:00Z".parse().unwrap())
}

fn proofs(verifier: &Verifier, layer: &Layer) -> Vec<Proof> {
    let link = Link {
        media_type: layer.media_type.clone(),
        digest: Digest::of(Algorithm::Sha256, &layer.bytes),
        size: layer.bytes.len() as u64,
        artifact_type: None,
        annotations: Some(layer.annotations.clone()),
    };
    let artifact = image_bytes("one");
    verifier.verify(&Signed { layer: &link, bytes: &layer.bytes, subject: &image(), artifact: Some(&artifact) })
}

/// Whether it is a signature of somebody over this image.
fn holds(proof: &Proof) -> bool {
    let by_key = proof.step(Step::CertificateChain) == &seaworthy::model::StepOutcome::NotApplicable;
    proof.step(Step::Signature).held() && proof.step(Step::Subject).held() && (by_key || proof.step(Step::CertificateChain).held())
}

/// The same bytes with something else at one place.
fn changed(bytes: &[u8], place: usize, way: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match way % 4 {
        0 => bytes[place] ^= 1,
        1 => drop(bytes.remove(place)),
        2 => bytes.insert(place, bytes[place]),
        _ => bytes[place] = b'0',
    }
    bytes
}

/// Layers that differ from this one at one place, in their bytes or in an annotation.
fn variants(layer: &Layer) -> impl Iterator<Item = Layer> {
    let annotations: Vec<_> = layer.annotations.keys().cloned().map(Some).collect();
    std::iter::once(None).chain(annotations).flat_map(move |name| {
        let text = name.as_ref().map_or(&layer.bytes[..], |name| layer.annotations[name].as_bytes());
        let step = (text.len() / PLACES).max(1);
        (0..text.len()).step_by(step).enumerate().filter_map(move |(number, place)| {
            let bytes = changed(text, place, number);
            let mut variant = layer.clone();
            match &name {
                None => variant.bytes = bytes,
                Some(name) => drop(variant.annotations.insert(name.clone(), String::from_utf8(bytes).ok()?)),
            }
            Some(variant)
        })
    })
}

#[track_caller]
fn never_says_more(stage: &Stage, layer: &Layer) {
    let verifier = verifier(stage);
    let found = proofs(&verifier, layer);
    let [original] = &found[..] else { panic!("{found:?}") };
    assert!(holds(original), "{original:?}");
    let mut refused = 0;
    for variant in variants(layer) {
        let proofs = proofs(&verifier, &variant);
        let good: Vec<_> = proofs.iter().filter(|proof| holds(proof)).collect();
        refused += usize::from(good.is_empty());
        for proof in good {
            let what = format!("{:?}\n{:?}\n{proof:?}", String::from_utf8_lossy(&variant.bytes), variant.annotations);
            assert_eq!(proof.signer, original.signer, "another signer: {what}");
            assert!(proof.times.iter().all(|time| original.times.contains(time)), "another time: {what}");
            assert!(proof.log.is_none() || proof.log == original.log, "another log entry: {what}");
            for step in [Step::LogEntry, Step::LogInclusion, Step::TimeStamp, Step::CertificateLog] {
                assert!(!proof.step(step).held() || original.step(step).held(), "{step:?} holds now: {what}");
            }
        }
    }
    assert!(refused > PLACES / 10, "only {refused} changes were noticed");
}

#[test]
fn bundles_never_say_more() {
    let stage = Stage::new();
    let envelope = |log, stamp| {
        let proofs = Proofs::new(log, stamp);
        Layer::bundle(&stage.sigstore.envelope_bundle(Version::V03, &stage.release, &statement(&image()), proofs))
    };
    never_says_more(&stage, &envelope(Log::V1(Kind::Dsse, BOTH), true));
    never_says_more(&stage, &envelope(Log::V2, true));
    let message = stage.sigstore.message_bundle(Version::V03, &stage.person, &image_bytes("one"), Proofs::of_message());
    never_says_more(&stage, &Layer::bundle(&message));
}

#[test]
fn cosigns_layers_never_say_more() {
    let stage = Stage::new();
    let payload = simple_signing("registry.test/app", &image());
    let proofs = Proofs::new(Log::V1(Kind::Hashedrekord, PROMISE), true);
    for signer in [&stage.release, &stage.p256] {
        never_says_more(&stage, &stage.sigstore.layer(signer, &payload, proofs));
    }
}
