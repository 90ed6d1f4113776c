//! Every parser of hostile bytes, as a function of those bytes: used by the fuzzer, and by the tests over `fixtures/corpus/`.
//!
//! Nothing here asserts a verdict; that is `fixtures/verdicts.yaml`'s. No input may panic or hang.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use seaworthy::controls::{Bindings, evaluate};
use seaworthy::documents::{ControlParameters, Expression, Variable};
use seaworthy::model::{
    Algorithm, Ask, Digest, ImageReference, Link, Manifest, PublicKey, Repository, RootOrigin, Trial, TrustRoot, Wanted,
};
use seaworthy::registry::{Bundles, Layout};
use seaworthy::verify::{Signed, Verifier, attested, bill_in, read, read_attached};

/// A target: its name, which is that of its directory in the corpus, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 18] = [
    ("attested", attested_statement),
    ("bundle", |bytes| statement("application/vnd.dev.sigstore.bundle.v0.3+json", bytes)),
    ("bundle_lines", bundle_lines),
    ("certificate", certificate),
    ("cose", |bytes| statement("application/cose", bytes)),
    ("document", document),
    ("dsse", |bytes| statement("application/vnd.dsse.envelope.v1+json", bytes)),
    ("expression", expression),
    ("jws", |bytes| statement("application/jose+json", bytes)),
    ("layout", layout),
    ("manifest", manifest),
    ("public_key", public_key),
    ("reference", reference),
    ("simple_signing", |bytes| statement("application/vnd.dev.cosign.simplesigning.v1+json", bytes)),
    ("snapshot", snapshot),
    ("trusted_root", trusted_root),
    ("verified_bundle", verified_bundle),
    ("verified_layer", verified_layer),
];

const ROOT: &[u8] = include_bytes!("../fixtures/vectors/trust/trusted_root.both.json");
const KEY: &str = include_str!("../fixtures/signatures/trust/p256.pub");
const AS_OF: &str = "2026-12-01T00:00:00Z";
const PAYLOAD: &[u8] = include_bytes!("../fixtures/corpus/simple_signing/cosign.json");
const ENVELOPE: &[u8] = include_bytes!("../fixtures/corpus/dsse/attestation.json");
const IMAGE: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

static IMAGE_DIGEST: LazyLock<Digest> = LazyLock::new(|| IMAGE.parse().expect("a digest"));

/// One verifier with a trial of each kind.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let origin = RootOrigin::File { path: "trusted_root.json".to_owned() };
    let root = TrustRoot { name: "root".to_owned(), origin, dated: None, without_logs: false, content: Ok(ROOT.into()) };
    let root = Arc::new(root);
    let keys: Vec<PublicKey> = seaworthy::trust::keys(KEY.as_bytes()).expect("a key");
    let trials = [
        Trial::Keyless { root: Arc::clone(&root) },
        Trial::Key { key: keys[0].clone(), root: Some(Arc::clone(&root)) },
        Trial::Certificate { authorities: Vec::new(), root: Some(root) },
    ];
    Verifier::new(&trials, AS_OF.parse().expect("a moment"))
});

fn layer(media_type: &str, bytes: &[u8]) -> Link {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    Link { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, artifact_type: None, annotations: None }
}

fn statement(media_type: &str, bytes: &[u8]) {
    let mut layer = layer(media_type, bytes);
    layer.annotations = Some([("dev.cosignproject.cosign/signature".to_owned(), "AA==".to_owned())].into());
    let _ = read(&layer, bytes);
}

/// What a statement says that stands alone, the bill in it, and the bytes as a document that is attached.
fn attested_statement(bytes: &[u8]) {
    let layer = layer("application/vnd.in-toto+json", bytes);
    if read(&layer, bytes).is_ok() {
        let payloads = ["custom", "spdx", "cyclonedx"].into_iter().filter_map(|name| name.parse().ok()).collect();
        for wanted in [Wanted { payloads, packages: true }, Wanted::default()] {
            let _ = attested(&layer, bytes, &wanted);
        }
    }
    let _ = bill_in(bytes);
    let _ = read_attached(bytes);
}

fn verified_bundle(bytes: &[u8]) {
    let layer = layer(BUNDLE, bytes);
    for artifact in [None, Some(PAYLOAD)] {
        let _ = VERIFIER.verify(&Signed { layer: &layer, bytes, subject: &IMAGE_DIGEST, artifact });
    }
}

/// The bytes are a manifest: its layers bring hostile annotations to a payload and an envelope that are well-formed.
fn verified_layer(bytes: &[u8]) {
    let Ok(Manifest::Image(image)) = Manifest::parse(bytes) else { return };
    for layer in image.layers.iter().take(4) {
        let content = if layer.media_type.contains("simplesigning") { PAYLOAD } else { ENVELOPE };
        let _ = VERIFIER.verify(&Signed { layer, bytes: content, subject: &IMAGE_DIGEST, artifact: None });
    }
}

fn manifest(bytes: &[u8]) {
    let _ = Manifest::parse(bytes);
}

fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (text.parse::<ImageReference>(), text.parse::<Repository>(), text.parse::<Digest>());
}

fn document(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = seaworthy::documents::parse("hostile.yaml", text);
    }
}

/// An expression in the first line, and after it the predicate that it is evaluated over.
fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (text, predicate) = text.split_once('\n').unwrap_or((text, "null"));
    let (Ok(expression), Ok(predicate)) = (Expression::compile(text), serde_json::from_str(predicate)) else { return };
    let parameters = ControlParameters::from([("names".to_owned(), vec!["a".to_owned()])]);
    let bindings = Bindings::new(AS_OF.parse().expect("a moment"), &parameters).with(Variable::Predicate, &predicate);
    let _ = evaluate(&expression, &bindings);
}

fn trusted_root(bytes: &[u8]) {
    let _ = seaworthy::trust::check(bytes);
    let origin = RootOrigin::File { path: "trusted_root.json".to_owned() };
    let root = TrustRoot { name: "root".to_owned(), origin, dated: None, without_logs: false, content: Ok(bytes.into()) };
    let _ = Verifier::new(&[Trial::Keyless { root: Arc::new(root) }], AS_OF.parse().expect("a moment"));
}

/// A file of this process with these bytes, in a directory of its own: these parsers read files.
fn with_file(name: &str, bytes: &[u8], then: impl FnOnce(&Path)) {
    let directory = std::env::temp_dir().join(format!("seaworthy-fuzz-{}-{name}", std::process::id()));
    if std::fs::create_dir_all(&directory).is_ok() && std::fs::write(directory.join(name), bytes).is_ok() {
        then(&directory);
    }
    let _ = std::fs::remove_dir_all(&directory);
}

fn snapshot(bytes: &[u8]) {
    with_file("cluster.tar.zst", bytes, |directory| drop(seaworthy::snapshot::read(&directory.join("cluster.tar.zst"))));
}

fn bundle_lines(bytes: &[u8]) {
    with_file("evidence.jsonl", bytes, |directory| drop(Bundles::open(&directory.join("evidence.jsonl"))));
}

fn layout(bytes: &[u8]) {
    with_file("index.json", bytes, |directory| {
        let _ = std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        let Ok(layout) = Layout::open(directory) else { return };
        for ask in [Ask::Tag("v1".into()), Ask::Manifest(IMAGE_DIGEST.clone()), Ask::Referrers(IMAGE_DIGEST.clone())] {
            let _ = layout.answer(&ask, Timestamp::UNIX_EPOCH);
        }
    });
}

fn public_key(bytes: &[u8]) {
    let _ = seaworthy::trust::keys(bytes);
}

fn certificate(bytes: &[u8]) {
    let _ = seaworthy::trust::certificates(bytes);
}

/// Runs a target by its name.
pub fn run(name: &str, bytes: &[u8]) {
    for (known, target) in TARGETS {
        if known == name {
            target(bytes);
        }
    }
}
