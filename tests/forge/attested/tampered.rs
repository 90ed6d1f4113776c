//! Test results that passed, and whose signature does not hold. None is kept: the same is kept of signatures.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::bundle::{BOTH, IN_TOTO, Log, Proofs, Version, pae};
use super::super::cases::{Stage, old_envelope_of};
use super::super::cosign::Layer;
use super::super::key::{Key, Kind, base64};
use super::super::layout::{Layout, image};
use super::super::log::Kind as Entry;
use super::super::sigstore::{Signer, WORKFLOW, signed_at, workflow};
use super::referred;
use super::statement::{Statement, TESTS, others};

const PASSED: &str = r#"{"result":"PASSED"}"#;
const FAILED: &str = r#"{"result":"FAILED"}"#;

/// Each with what is said of it.
pub fn cases(stage: &Stage) -> Vec<(&'static str, &'static str, Layout)> {
    let (passed, failed) = (Statement::new(TESTS, PASSED).text(), Statement::new(TESTS, FAILED).text());
    let by = |signer: &Signer, text: &str, proofs| stage.sigstore.envelope_bundle(Version::V03, signer, text.as_bytes(), proofs);
    let release = |text: &str, proofs| by(&stage.release, text, proofs);
    let of = |bundle: &Value| referred(&[Layer::bundle(bundle)]);
    let changed = |bundle: &Value, pointer: &str, value: Value| {
        let mut bundle = bundle.clone();
        *bundle.pointer_mut(pointer).unwrap() = value;
        of(&bundle)
    };
    let (good, bad) = (release(&passed, Proofs::usual()), release(&failed, Proofs::usual()));
    // With the certificate of somebody who is trusted, and not with the key.
    let impostor = Signer { key: Key::new(Kind::P256), certificate: stage.release.certificate.clone(), chain: stage.release.chain.clone() };
    let stranger = stage.stranger.signer(&workflow(WORKFLOW));
    let two = |first: &Signer, second: &Signer| {
        let sign = |signer: &Signer| json!({ "sig": base64(signer.key.sign(&pae(IN_TOTO, passed.as_bytes()))) });
        let envelope = json!({ "payloadType": IN_TOTO, "payload": base64(&passed), "signatures": [sign(first), sign(second)] });
        of(&stage.sigstore.envelope_of(Version::V03, first, envelope, Proofs::usual()))
    };
    let entry = "/verificationMaterial/tlogEntries/0";
    let legacy = |text: &str| old_envelope_of(stage, &stage.release, text.as_bytes(), TESTS);
    let tagged = |layer: Layer| {
        let mut layout = Layout::new();
        layout.attest_by_tag(&image(), &[layer]);
        layout
    };
    let swapped = {
        let mut layer = legacy(&failed);
        let mut envelope: Value = serde_json::from_slice(&layer.bytes).unwrap();
        envelope["payload"] = json!(base64(&passed));
        layer.bytes = envelope.to_string().into_bytes();
        layer
    };
    let late = Proofs::usual().at(signed_at() + SignedDuration::from_hours(1));
    let inclusion = Log::V1(Entry::Dsse, super::super::log::Shown { promise: false, inclusion: true });
    vec![
        ("held", "pass", of(&good)),
        ("held-legacy", "pass", tagged(legacy(&passed))),
        ("held-stamped", "pass", of(&release(&passed, Proofs::new(Log::V1(Entry::Dsse, BOTH), true)))),
        ("held-in-the-second-log", "pass", of(&release(&passed, Proofs::new(Log::V2, true)))),
        ("payload-changed", "fail signature-invalid", changed(&bad, "/dsseEnvelope/payload", json!(base64(&passed)))),
        ("payload-changed-legacy", "fail log-entry-inconsistent", tagged(swapped)),
        (
            "signature-of-another",
            "fail signature-invalid",
            changed(&good, "/dsseEnvelope/signatures", bad["dsseEnvelope"]["signatures"].clone()),
        ),
        ("signatures-removed", "fail unsigned", changed(&good, "/dsseEnvelope/signatures", json!([]))),
        ("signature-empty", "fail unsigned", changed(&good, "/dsseEnvelope/signatures/0/sig", json!(""))),
        ("signature-not-base64", "fail malformed", changed(&good, "/dsseEnvelope/signatures/0/sig", json!("!"))),
        ("payload-type-changed", "fail malformed", changed(&good, "/dsseEnvelope/payloadType", json!("application/json"))),
        ("entry-of-another", "fail log-entry-inconsistent", changed(&good, entry, bad.pointer(entry).unwrap().clone())),
        ("entry-removed", "fail log-entry-missing", changed(&good, "/verificationMaterial/tlogEntries", json!([]))),
        ("entry-without-time", "fail timestamp-missing", of(&release(&passed, Proofs::new(inclusion, false)))),
        ("unlogged", "fail log-entry-missing", of(&release(&passed, Proofs::new(Log::None, true)))),
        ("by-an-impostor", "fail signature-invalid", of(&by(&impostor, &passed, Proofs::usual()))),
        ("by-another-authority", "fail certificate-untrusted", of(&by(&stranger, &passed, Proofs::usual()))),
        ("by-a-key", "fail identity-mismatch", of(&by(&stage.p256, &passed, Proofs::usual()))),
        ("after-the-certificate", "fail certificate-expired-at-signing", of(&release(&passed, late))),
        ("signed-twice", "fail malformed", two(&stage.release, &stage.unknown)),
        ("signed-twice-ours-second", "fail malformed", two(&stage.unknown, &stage.release)),
        (
            "of-another-image",
            "fail digest-mismatch",
            of(&release(&Statement::new(TESTS, PASSED).about(&[others()]).text(), Proofs::usual())),
        ),
        ("by-an-impostor-and-held", "pass", referred(&[Layer::bundle(&by(&impostor, &failed, Proofs::usual())), Layer::bundle(&good)])),
    ]
}
