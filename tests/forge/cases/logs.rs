//! Logs and clocks that say something else, nothing, or were never asked.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::bundle::{BOTH, IN_TOTO, Log, PROMISE, Proofs, Version, pae, statement};
use super::super::cosign::{BUNDLE_ANNOTATION, Layer, SIGNATURE, simple_signing};
use super::super::key::{base64, sha256, unbase64};
use super::super::layout::{image, other_image};
use super::super::log::{Kind as Entry, Shown};
use super::super::sigstore::{GITHUB, Signer, WORKFLOW, claims_at, signed_at};
use super::{Case, NAMED, Stage, referred, tagged};

const V1: Log = Log::V1(Entry::Hashedrekord, PROMISE);

pub fn cases(stage: &Stage) -> Vec<Case> {
    [entries(stage), proofs(stage), stamps(stage), optional(stage), dated(stage)].into_iter().flatten().collect()
}

/// The log entries of a bundle.
fn logged(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"]
}

/// A bundle in which something was changed after it was made.
fn changed(mut bundle: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut bundle);
    bundle
}

/// The same text with its last character but two changed: base64 of other bytes.
fn bent(text: &Value) -> Value {
    let mut bytes = unbase64(text.as_str().unwrap());
    *bytes.last_mut().unwrap() ^= 1;
    base64(bytes).into()
}

fn entries(stage: &Stage) -> Vec<Case> {
    let (sigstore, release) = (&stage.sigstore, &stage.release);
    let mut of_another = stage.bundle_of(release, &statement(&other_image()));
    let foreign_entry = logged(&mut of_another).clone();
    let of_another_layer = sigstore.layer(release, &simple_signing(NAMED, &other_image()), Proofs::new(V1, false));
    let borrowed = stage.layer(release, Proofs::new(V1, false)).with(BUNDLE_ANNOTATION, of_another_layer.logged().to_string());
    // Two true entries of the same payload, each by another signer: whose is it?
    let mut of_person = stage.bundle(&stage.person);
    let persons_entry = logged(&mut of_person).clone();
    let broken = stage.bundle(release);
    vec![
        ("log-entry-of-another", referred(&changed(stage.bundle(release), |bundle| *logged(bundle) = foreign_entry.clone()))),
        ("log-entry-of-another-legacy", tagged(&[borrowed])),
        ("log-entry-of-another-signer", referred(&changed(stage.bundle(release), |bundle| *logged(bundle) = persons_entry))),
        (
            "log-entry-beside-another",
            referred(&changed(stage.bundle(release), |bundle| {
                let entry = foreign_entry[0].clone();
                logged(bundle).as_array_mut().unwrap().push(entry);
            })),
        ),
        ("log-entry-missing-legacy", tagged(&[stage.layer(release, Proofs::none())])),
        ("log-entry-empty-list", referred(&changed(stage.bundle(release), |bundle| *logged(bundle) = json!([])))),
        ("log-foreign", referred(&stage.stranger.envelope_bundle(Version::V03, release, &statement(&image()), Proofs::usual()))),
        ("log-foreign-legacy", tagged(&[stage.stranger.layer(release, &simple_signing(NAMED, &image()), Proofs::new(V1, false))])),
        (
            "payload-changed",
            referred(&changed(broken.clone(), |bundle| {
                bundle["dsseEnvelope"]["payload"] = base64(String::from_utf8(statement(&image())).unwrap() + " ").into();
            })),
        ),
        (
            "signature-changed",
            referred(&changed(broken, |bundle| {
                bundle["dsseEnvelope"]["signatures"][0]["sig"] = bent(&bundle["dsseEnvelope"]["signatures"][0]["sig"]);
            })),
        ),
        ("signature-of-another-payload", referred(&misplaced(stage, release))),
        ("signature-of-another-payload-legacy", tagged(&[misplaced_layer(stage, release)])),
        ("signature-of-another-payload-key", referred(&misplaced(stage, &stage.p256))),
    ]
}

/// A true signature of something else, logged as one of this payload.
fn misplaced(stage: &Stage, signer: &Signer) -> Value {
    let signature = signer.key.sign(&pae(IN_TOTO, &statement(&other_image())));
    let envelope = json!({ "payloadType": IN_TOTO, "payload": base64(statement(&image())), "signatures": [{ "sig": base64(signature) }] });
    stage.sigstore.envelope_of(Version::V03, signer, envelope, Proofs::usual())
}

fn misplaced_layer(stage: &Stage, signer: &Signer) -> Layer {
    use super::super::log::Logged;
    let payload = simple_signing(NAMED, &image());
    let signature = signer.key.sign(&simple_signing(NAMED, &other_image()));
    let verifier = signer.verifier();
    let logged = Logged { signature: &signature, verifier: &verifier, message: &payload, envelope: None };
    let (entry, _) = stage.sigstore.prove(signer, &logged, Proofs::new(V1, false));
    let entry = entry.unwrap().annotation().to_string();
    stage.layer(signer, Proofs::none()).with(SIGNATURE, base64(&signature)).with(BUNDLE_ANNOTATION, entry)
}

fn proofs(stage: &Stage) -> Vec<Case> {
    let release = &stage.release;
    // Still inside the certificate's validity: nothing but the promise tells.
    let later = signed_at().as_second() + 60;
    let layer = stage.layer(release, Proofs::new(V1, false));
    let mut moved = layer.logged();
    moved["Payload"]["integratedTime"] = later.into();
    let mut indexed = layer.logged();
    indexed["Payload"]["logIndex"] = 7.into();
    let with = |change: &dyn Fn(&mut Value)| referred(&changed(stage.bundle(release), |bundle| change(&mut logged(bundle)[0])));
    // Rekor v2 signs no promise: which log it was is told by the checkpoint alone.
    let named = |log: &[u8]| {
        let bundle = stage.sigstore.envelope_bundle(Version::V03, release, &statement(&image()), Proofs::new(Log::V2, true));
        referred(&changed(bundle, |bundle| logged(bundle)[0]["logId"]["keyId"] = base64(sha256(log)).into()))
    };
    let shown = |promise, inclusion| Log::V1(Entry::Dsse, Shown { promise, inclusion });
    let envelope =
        |log, stamp| referred(&stage.sigstore.envelope_bundle(Version::V03, release, &statement(&image()), Proofs::new(log, stamp)));
    vec![
        ("set-changed-time", with(&|entry| entry["integratedTime"] = later.to_string().into())),
        ("set-changed-time-legacy", tagged(&[layer.clone().with(BUNDLE_ANNOTATION, moved.to_string())])),
        ("set-changed-index-legacy", tagged(&[layer.with(BUNDLE_ANNOTATION, indexed.to_string())])),
        (
            "set-broken",
            with(&|entry| {
                entry["inclusionPromise"]["signedEntryTimestamp"] = bent(&entry["inclusionPromise"]["signedEntryTimestamp"]);
            }),
        ),
        ("inclusion-broken-path", with(&|entry| entry["inclusionProof"]["hashes"][0] = bent(&entry["inclusionProof"]["hashes"][0]))),
        (
            "inclusion-broken-checkpoint",
            with(&|entry| {
                let envelope = entry["inclusionProof"]["checkpoint"]["envelope"].as_str().unwrap();
                let origin = envelope.replacen("4817", "4818", 1);
                entry["inclusionProof"]["checkpoint"]["envelope"] = origin.into();
            }),
        ),
        ("log-id-unknown", named(b"a log that nobody knows")),
        ("log-id-of-another", named(&stage.sigstore.rekor.key.spki())),
        ("inclusion-missing", envelope(shown(true, false), false)),
        ("promise-missing", envelope(shown(false, true), false)),
        ("promise-missing-stamped", envelope(shown(false, true), true)),
    ]
}

fn stamps(stage: &Stage) -> Vec<Case> {
    let release = &stage.release;
    let rekor2 = |stamp| stage.sigstore.envelope_bundle(Version::V03, release, &statement(&image()), Proofs::new(Log::V2, stamp));
    let stamped = |stamp: Vec<u8>| {
        changed(rekor2(true), |bundle| {
            bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] = base64(stamp).into();
        })
    };
    let own = |bundle: &Value| unbase64(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap());
    let foreign = {
        let bundle = rekor2(true);
        let stamp = stage.stranger.tsa.stamp(&own(&bundle), signed_at());
        changed(bundle, |bundle| {
            bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] = base64(stamp).into();
        })
    };
    let late = stage.sigstore.envelope_bundle(
        Version::V03,
        release,
        &statement(&image()),
        Proofs::new(Log::V2, true).at(signed_at() + SignedDuration::from_hours(1)),
    );
    // One clock says in time, the other an hour later: it has to be valid at both.
    let two_times = {
        let bundle =
            stage.sigstore.envelope_bundle(Version::V03, release, &statement(&image()), Proofs::new(Log::V1(Entry::Dsse, BOTH), true));
        let stamp = stage.sigstore.tsa.stamp(&own(&bundle), signed_at() + SignedDuration::from_hours(1));
        changed(bundle, |bundle| {
            let stamps = &mut bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
            stamps.as_array_mut().unwrap().push(json!({ "signedTimestamp": base64(stamp) }));
        })
    };
    vec![
        ("rekor2-unstamped", referred(&rekor2(false))),
        ("stamp-of-another-signature", referred(&stamped(stage.sigstore.tsa.stamp(b"another signature", signed_at())))),
        ("stamp-foreign", referred(&foreign)),
        ("stamp-truncated", referred(&stamped(stage.sigstore.tsa.stamp(b"another signature", signed_at())[..60].to_vec()))),
        ("stamp-late", referred(&late)),
        ("stamp-two-times", referred(&two_times)),
    ]
}

/// Proofs that nobody asks for, and that do not hold.
fn optional(stage: &Stage) -> Vec<Case> {
    let p256 = &stage.p256;
    let mut moved = stage.layer(p256, Proofs::new(V1, false)).logged();
    moved["Payload"]["integratedTime"] = (signed_at().as_second() + 60).into();
    let foreign = stage.stranger.layer(p256, &simple_signing(NAMED, &image()), Proofs::new(Log::None, true));
    vec![
        ("key-log-foreign", referred(&stage.stranger.envelope_bundle(Version::V03, p256, &statement(&image()), Proofs::usual()))),
        ("key-log-changed-legacy", tagged(&[stage.layer(p256, Proofs::none()).with(BUNDLE_ANNOTATION, moved.to_string())])),
        ("key-stamp-foreign", tagged(&[foreign])),
    ]
}

/// Signatures by a Sigstore that the public root does not know, at a moment that its embedded copy covers and at one that it does not: a
/// newer copy needs a later one.
fn dated(stage: &Stage) -> Vec<Case> {
    let at = |moment: &str| -> Timestamp { moment.parse().unwrap() };
    let signed = |at: Timestamp| {
        let mut claims = claims_at(vec![super::super::certificate::Name::Uri(WORKFLOW.to_owned())], GITHUB, at);
        claims.extensions.sort();
        let signer = stage.sigstore.signer(&claims);
        referred(&stage.sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), Proofs::usual().at(at)))
    };
    vec![("long-ago", signed(at("2025-02-03T04:05:06Z"))), ("lately", signed(at("2026-11-02T08:00:00Z")))]
}
