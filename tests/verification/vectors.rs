//! Evidence of real servers: each kind verifies, and every root from which something is missing refuses it at the right step.

use seaworthy::model::{Cause, Digest, Link, Manifest, Proof, Reason, Signer, Step, StepOutcome, TimeSource};
use seaworthy::verify::{Signed, Verifier};

use super::trust::{as_of, embedded, keyless, root};

pub const IMAGE: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";
const SIGNER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/builder";
const ISSUER: &str = "https://127.0.0.1:16443";
const REGISTRIES: [&str; 4] = ["ociserve-conforming", "crane-registry-serve", "ggcr-referrers", "docker-registry-2.8.2"];
const KINDS: [&str; 3] = ["sign", "slsa", "tests"];

pub fn fixture(path: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn private(root_file: &str) -> Verifier {
    let content = fixture(&format!("vectors/trust/{root_file}"));
    Verifier::new(&[keyless(root("private", None, &content))], as_of())
}

fn layer(media_type: &str, bytes: &[u8]) -> Link {
    let digest = Digest::of(seaworthy::model::Algorithm::Sha256, bytes);
    Link { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, artifact_type: None, annotations: None }
}

/// The only proof of a bundle beside an image.
fn try_bundle(verifier: &Verifier, bytes: &[u8], image: &str) -> Proof {
    let layer = layer("application/vnd.dev.sigstore.bundle.v0.3+json", bytes);
    let subject = image.parse().unwrap();
    let proofs = verifier.verify(&Signed { layer: &layer, bytes, subject: &subject, artifact: None });
    let [proof] = <[Proof; 1]>::try_from(proofs).unwrap();
    proof
}

fn assert_held(proof: &Proof, steps: &[Step], what: &str) {
    for step in steps {
        assert!(proof.step(*step).held(), "{what}: {step:?} is {:?}", proof.step(*step));
    }
}

fn reason(outcome: &StepOutcome) -> Option<Reason> {
    match outcome {
        StepOutcome::Failed { reason, .. } => Some(*reason),
        _ => None,
    }
}

#[test]
fn bundles_with_a_log_of_the_second_version_hold() {
    let verifier = private("trusted_root.json");
    for registry in REGISTRIES {
        for kind in KINDS {
            let what = format!("{registry}/{kind}");
            let proof = try_bundle(&verifier, &fixture(&format!("vectors/bundles/{what}.sigstore.json")), IMAGE);
            assert_held(&proof, &Step::ALL, &what);
            let Some(Signer::Certificate(claims)) = &proof.signer else { panic!("{what}: no certificate") };
            assert_eq!(claims.names.iter().map(|name| name.text()).collect::<Vec<_>>(), [SIGNER]);
            assert_eq!(claims.issuer.as_deref(), Some(ISSUER));
            assert_eq!(proof.times.iter().map(|time| &time.by).collect::<Vec<_>>(), [&TimeSource::TimeStampAuthority], "{what}");
            assert!(proof.log.is_some());
        }
    }
}

#[test]
fn bundles_with_a_log_of_the_first_version_hold_where_the_root_knows_it() {
    for kind in ["sign", "slsa"] {
        let bundle = fixture(&format!("vectors/bundles/rekor1/{kind}.sigstore.json"));
        let proof = try_bundle(&private("trusted_root.both.json"), &bundle, IMAGE);
        let held = Step::ALL.into_iter().filter(|step| *step != Step::TimeStamp || proof.step(Step::TimeStamp) != &StepOutcome::Missing);
        assert_held(&proof, &held.collect::<Vec<_>>(), kind);
        assert!(proof.times.iter().any(|time| time.by == TimeSource::Log), "{:?}", proof.times);
        let without = try_bundle(&private("trusted_root.json"), &bundle, IMAGE);
        assert_eq!(reason(without.step(Step::LogInclusion)), Some(Reason::LogSignatureInvalid), "{without:?}");
    }
}

#[test]
fn what_is_missing_from_a_root_fails_its_own_step() {
    let cases = [
        ("tr.noct.json", Step::CertificateLog, Reason::SctInvalid),
        ("tr.norekor.json", Step::LogInclusion, Reason::LogSignatureInvalid),
        ("tr.notsa.json", Step::TimeStamp, Reason::TimestampInvalid),
        ("tr.otherca.json", Step::CertificateChain, Reason::CertificateUntrusted),
    ];
    for (file, step, expected) in cases {
        let verifier = private(&format!("negative/{file}"));
        for registry in REGISTRIES {
            for kind in KINDS {
                let proof = try_bundle(&verifier, &fixture(&format!("vectors/bundles/{registry}/{kind}.sigstore.json")), IMAGE);
                assert_eq!(reason(proof.step(step)), Some(expected), "{file} {registry}/{kind}: {:?}", proof.steps);
            }
        }
    }
    // None of them knows the first log.
    for (file, ..) in cases {
        for kind in ["sign", "slsa"] {
            let bundle = fixture(&format!("vectors/bundles/rekor1/{kind}.sigstore.json"));
            let proof = try_bundle(&private(&format!("negative/{file}")), &bundle, IMAGE);
            assert_eq!(
                reason(proof.step(Step::LogInclusion)),
                Some(Reason::LogSignatureInvalid),
                "{file} rekor1/{kind}: {:?}",
                proof.steps
            );
        }
    }
    // What the root lacks takes nothing from the other steps, where they do not rest on it.
    let proof = try_bundle(&private("negative/tr.noct.json"), &fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json"), IMAGE);
    assert_held(&proof, &[Step::CertificateChain, Step::LogEntry, Step::LogInclusion, Step::TimeStamp, Step::Signature], "without CT log");
}

/// A dated root may be older than what it does not know; then nothing is said against the signature.
#[test]
fn what_a_root_cannot_know_yet_is_unknown_and_what_it_should_know_is_refused() {
    let cases = [
        ("tr.norekor.json", Step::LogInclusion, Reason::LogSignatureInvalid),
        ("tr.notsa.json", Step::TimeStamp, Reason::TimestampInvalid),
        ("tr.otherca.json", Step::CertificateChain, Reason::CertificateUntrusted),
        ("tr.noct.json", Step::CertificateLog, Reason::SctInvalid),
    ];
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    for (file, step, expected) in cases {
        let under = |dated: &str| {
            let content = fixture(&format!("vectors/trust/negative/{file}"));
            let verifier = Verifier::new(&[keyless(root("private", Some(dated.parse().unwrap()), &content))], as_of());
            try_bundle(&verifier, &bundle, IMAGE)
        };
        let older = under("2026-01-01T00:00:00Z");
        let outcome = older.step(step);
        assert!(matches!(outcome, StepOutcome::Unknown(answer) if answer.cause == Cause::TrustRootTooOld), "{file}: {outcome:?}");
        let newer = under("2026-11-30T00:00:00Z");
        assert_eq!(reason(newer.step(step)), Some(expected), "{file}: {:?}", newer.steps);
    }
}

#[test]
fn a_bundle_of_another_image_is_its_own_and_not_this_ones() {
    let other = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let proof = try_bundle(&private("trusted_root.json"), &fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json"), other);
    assert_eq!(reason(proof.step(Step::Subject)), Some(Reason::DigestMismatch));
    assert!(proof.step(Step::Signature).held(), "whose it is can still be said");
}

/// Every layer of every manifest of a layout that is a statement, with its bytes.
fn layers(layout: &str) -> Vec<(Link, Vec<u8>)> {
    let blob = |digest: &Digest| {
        std::fs::read(format!("{}/fixtures/layouts/{layout}/blobs/sha256/{}", env!("CARGO_MANIFEST_DIR"), digest.hex())).ok()
    };
    let index = Manifest::parse(&fixture(&format!("layouts/{layout}/index.json"))).unwrap();
    let Manifest::Index(index) = index else { panic!("{layout} has no index") };
    let mut found = Vec::new();
    for entry in index.manifests {
        let Some(Ok(Manifest::Image(image))) = blob(&entry.digest).map(|bytes| Manifest::parse(&bytes)) else { continue };
        for layer in image.layers.into_iter().filter(|layer| seaworthy::verify::is_statement(&layer.media_type)) {
            if let Some(bytes) = blob(&layer.digest) {
                found.push((layer, bytes));
            }
        }
    }
    found
}

fn try_layers(verifier: &Verifier, layout: &str, image: &str) -> Vec<Proof> {
    let subject = image.parse().unwrap();
    let layers = layers(layout);
    layers.iter().flat_map(|(layer, bytes)| verifier.verify(&Signed { layer, bytes, subject: &subject, artifact: None })).collect()
}

#[test]
fn cosigns_layers_with_a_promise_of_the_log_hold() {
    let proofs = try_layers(&private("trusted_root.both.json"), "legacy-rekor1-cosign-save", IMAGE);
    assert_eq!(proofs.len(), 3);
    for proof in &proofs {
        let steps = Step::ALL.into_iter().filter(|step| *step != Step::TimeStamp).collect::<Vec<_>>();
        assert_held(proof, &steps, "legacy");
    }
    for proof in try_layers(&private("trusted_root.json"), "legacy-rekor1-cosign-save", IMAGE) {
        assert_eq!(reason(proof.step(Step::LogInclusion)), Some(Reason::LogSignatureInvalid), "{:?}", proof.steps);
    }
}

#[test]
fn cosigns_layers_with_a_time_stamp_alone_hold_but_for_the_log() {
    let proofs = try_layers(&private("trusted_root.json"), "legacy-tsa-cosign-save", IMAGE);
    assert_eq!(proofs.len(), 3);
    for proof in &proofs {
        assert_held(
            proof,
            &[Step::CertificateChain, Step::CertificateLog, Step::TimeStamp, Step::CertificateValidity, Step::Signature, Step::Subject],
            "tsa",
        );
        assert_eq!(proof.step(Step::LogInclusion), &StepOutcome::Missing);
    }
}

#[test]
fn public_attestations_with_an_old_kind_of_log_entry_hold() {
    let cases = [
        ("slsa-container-v1.4.0", "sha256:a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925", "v1.4.0"),
        ("slsa-container-v1.10.0", "sha256:e0a0a765d690a5104331cfbac88ebbbf01736c1f87aaa3cd455c516a5ea586a5", "v1.10.0"),
    ];
    let verifier = Verifier::new(&[keyless(embedded())], as_of());
    for (layout, image, version) in cases {
        let proofs = try_layers(&verifier, layout, image);
        assert!(!proofs.is_empty(), "{layout}");
        for proof in &proofs {
            let steps = Step::ALL.into_iter().filter(|step| *step != Step::TimeStamp).collect::<Vec<_>>();
            assert_held(proof, &steps, layout);
            let Some(Signer::Certificate(claims)) = &proof.signer else { panic!("{layout}: no certificate") };
            let workflow =
                "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags";
            assert_eq!(claims.names[0].text(), format!("{workflow}/{version}"));
        }
        let other = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        for proof in try_layers(&verifier, layout, other) {
            assert_eq!(reason(proof.step(Step::Subject)), Some(Reason::DigestMismatch), "{layout}: {:?}", proof.steps);
        }
    }
}
