//! What one signature costs to verify, on one core, everything checked. `cargo bench --bench verification`.
//!
//! Wall time of a loop on a quiet core; for figures that are compared use the ratios of `make bench`.

#![expect(clippy::unwrap_used, reason = "a benchmark tells what is wrong by panicking")]

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use seaworthy::model::{
    Algorithm, Carrier, Digest, ImageEvidence, Link, Manifest, ManifestPresence, Relation, RootOrigin, Statement, StatementFormat,
    StatementSource, Step, SubjectState, TagState, Trial, TrustRoot,
};
use seaworthy::scan::{SignedBytes, Verification};
use seaworthy::verify::{Signed, Verifier};

const IMAGE: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn keyless(file: &str) -> Verifier {
    let origin = RootOrigin::File { path: file.to_owned() };
    let content = Ok(fixture(file).into());
    let root = TrustRoot { name: "private".to_owned(), origin, dated: None, without_logs: false, content };
    Verifier::new(&[Trial::Keyless { root: Arc::new(root) }], "2026-12-01T00:00:00Z".parse().unwrap())
}

fn layer(bytes: &[u8]) -> Link {
    Link {
        media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(),
        digest: Digest::of(Algorithm::Sha256, bytes),
        size: bytes.len() as u64,
        artifact_type: None,
        annotations: None,
    }
}

/// The first layer of cosign's in a layout, its bytes, and the image beside it.
fn legacy(layout: &str) -> (Link, Vec<u8>, Digest) {
    let blob = |digest: &Digest| fixture(&format!("{layout}/blobs/sha256/{}", digest.hex()));
    let Manifest::Index(index) = Manifest::parse(&fixture(&format!("{layout}/index.json"))).unwrap() else { unreachable!() };
    let image = index.manifests[0].digest.clone();
    let images = index.manifests.iter().filter_map(|entry| match Manifest::parse(&blob(&entry.digest)) {
        Ok(Manifest::Image(image)) => Some(image),
        _ => None,
    });
    let layer = images.flat_map(|image| image.layers).find(|layer| layer.media_type.contains("simplesigning")).unwrap();
    let bytes = blob(&layer.digest);
    (layer, bytes, image)
}

fn verification(criterion: &mut Criterion) {
    let subject: Digest = IMAGE.parse().unwrap();
    for (name, root, bundle) in [
        (
            "keyless bundle v0.3, log v2 and time stamp",
            "vectors/trust/trusted_root.json",
            "vectors/bundles/ggcr-referrers/sign.sigstore.json",
        ),
        ("keyless bundle v0.3, log v1", "vectors/trust/trusted_root.both.json", "vectors/bundles/rekor1/sign.sigstore.json"),
    ] {
        let verifier = keyless(root);
        let bytes = fixture(bundle);
        let layer = layer(&bytes);
        let signed = Signed { layer: &layer, bytes: &bytes, subject: &subject, artifact: None };
        assert!(verifier.verify(&signed)[0].step(Step::Signature).held());
        criterion.bench_function(name, |bencher| bencher.iter(|| verifier.verify(std::hint::black_box(&signed))));
        // What the library alone costs for the same bundle, read beforehand.
        let trusted = sigstore_trust_root::TrustedRoot::from_json(std::str::from_utf8(&fixture(root)).unwrap()).unwrap();
        let family = sigstore_verify::Verifier::new(&trusted).unwrap();
        let parsed = sigstore_types::Bundle::from_json(std::str::from_utf8(&bytes).unwrap()).unwrap();
        let digest = sigstore_types::Sha256Hash::from_hex(&subject.hex()).unwrap();
        let policy = sigstore_verify::VerificationPolicy::any_identity();
        criterion.bench_function(&format!("{name}: the library alone"), |bencher| {
            bencher.iter(|| family.verify(digest, std::hint::black_box(&parsed), &policy).unwrap());
        });
    }
    let pem = String::from_utf8(fixture("signatures/trust/p256.pub")).unwrap();
    let spki = sigstore_types::DerPublicKey::from_pem(&pem).unwrap();
    let fingerprint = Digest::of(Algorithm::Sha256, spki.as_bytes());
    let key = seaworthy::model::PublicKey { spki: spki.as_bytes().into(), fingerprint };
    let verifier = Verifier::new(&[Trial::Key { key, root: None }], "2026-12-01T00:00:00Z".parse().unwrap());
    let (layer, bytes, image) = legacy("signatures/key-legacy-p256");
    let signed = Signed { layer: &layer, bytes: &bytes, subject: &image, artifact: None };
    assert!(verifier.verify(&signed)[0].step(Step::Signature).held());
    criterion.bench_function("cosign layer by key", |bencher| bencher.iter(|| verifier.verify(std::hint::black_box(&signed))));

    let verifier = keyless("vectors/trust/trusted_root.both.json");
    let (layer, bytes, _) = legacy("layouts/legacy-rekor1-cosign-save");
    let signed = Signed { layer: &layer, bytes: &bytes, subject: &subject, artifact: None };
    assert!(verifier.verify(&signed)[0].step(Step::Signature).held());
    criterion.bench_function("keyless cosign layer with a promise of the log", |bencher| {
        bencher.iter(|| verifier.verify(std::hint::black_box(&signed)))
    });
}

/// Many statements on one core and on two: the same bundle beside many images is tried for each of them.
fn cores(criterion: &mut Criterion) {
    const MANY: u8 = 200;
    let bytes = bytes::Bytes::from(fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json"));
    let image = |number: u8| {
        let subject = Digest::from_sha256([number; 32]);
        let statement = Statement {
            format: StatementFormat::Dsse { predicate_type: "https://sigstore.dev/cosign/sign/v1".to_owned() },
            source: StatementSource::Referrer,
            place: "registry.test/app".to_owned(),
            carrier: Carrier::Itself,
            relation: Relation::Names,
            manifest: None,
            content: Digest::of(Algorithm::Sha256, &bytes),
            annotations: None,
            proofs: std::sync::Arc::default(),
            proofs_left_out: 0,
            attested: None,
        };
        let evidence = ImageEvidence {
            repository: "registry.test/app".parse().unwrap(),
            subject: SubjectState::Known(subject.clone()),
            manifest: ManifestPresence::NotAsked,
            tag: TagState::NotAsked,
            statements: vec![statement],
            places: Vec::new(),
            children: Vec::new(),
            platforms: Vec::new(),
            index: seaworthy::model::IndexAbove::NotAsked,
            warnings: Vec::new(),
        };
        (evidence, vec![SignedBytes { statement: 0, subject, layer: layer(&bytes), bytes: bytes.clone() }])
    };
    let mut group = criterion.benchmark_group("200 keyless bundles");
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("on {threads}"), |bencher| {
            bencher.iter(|| {
                let threads = std::num::NonZeroUsize::new(threads);
                let verification =
                    Verification::new(keyless("vectors/trust/trusted_root.json"), threads, None, seaworthy::model::Wanted::default())
                        .unwrap();
                let mut images: Vec<_> = (0..MANY).map(image).collect();
                verification.prove_all(images.iter_mut().map(|(evidence, signed)| (evidence, std::mem::take(signed))).collect());
                assert_eq!(verification.tried(), usize::from(MANY));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, verification, cores);
criterion_main!(benches);
