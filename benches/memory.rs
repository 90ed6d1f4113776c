//! What an attested bill of materials of 10 MB costs in memory, read and verified once. `cargo bench --bench memory`.
//!
//! Counted are the bytes that are allocated at once, the statement's own included.

#![expect(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measurement prints, and stops where its set-up fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seaworthy::model::{
    Algorithm, Carrier, Digest, ImageEvidence, IndexAbove, Link, ManifestPresence, Predicate, PublicKey, Relation, Statement,
    StatementFormat, StatementSource, Step, SubjectState, TagState, Trial, Wanted,
};
use seaworthy::scan::{SignedBytes, Verification};
use seaworthy::verify::Verifier;

/// Counts what is allocated now, and was at most.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(size: usize) {
    MOST.fetch_max(NOW.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one hands everything on")]
// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Where it cannot grow in place both lie there at once; large ones are moved without a copy.
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        add(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const IN_TOTO: &str = "application/vnd.in-toto+json";
const SIZE: usize = 10_000_000;
/// What a bill may cost, in its own size.
const LIMIT: f64 = 3.0;

fn main() {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut missed = false;
    for (what, limit) in [("envelope", Some(LIMIT)), ("bundle", Some(LIMIT)), ("statement, as the library reads it", None)] {
        let file = directory.path().join("statement.json");
        std::fs::write(&file, make(what, &key)).unwrap();
        let before = NOW.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let bytes = bytes::Bytes::from(std::fs::read(&file).unwrap());
        match limit {
            Some(_) => verify(what, bytes, &key),
            None => read_by_library(&bytes),
        }
        let times = (MOST.load(Ordering::Relaxed) - before) as f64 / SIZE as f64;
        missed |= limit.is_some_and(|limit| times > limit);
        let limit = limit.map_or_else(String::new, |limit| format!(" (limit {limit})"));
        println!("{what}: a bill of 10 MB takes {times:.2} times its size{limit}");
    }
    assert!(!missed, "a limit is missed");
}

/// An SPDX document of about so many bytes.
fn bill(size: usize) -> String {
    let package = |number: usize| {
        format!(
            r#"{{"name":"package-{number}","SPDXID":"SPDXRef-Package-{number}","versionInfo":"1.2.{number}","supplier":"Organization: Example","downloadLocation":"NOASSERTION","filesAnalyzed":false,"licenseConcluded":"NOASSERTION","licenseDeclared":"Apache-2.0","copyrightText":"NOASSERTION","externalRefs":[{{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/package-{number}@1.2.{number}"}}]}}"#
        )
    };
    let mut text = String::with_capacity(size + 1_000);
    text.push_str(
        r#"{"spdxVersion":"SPDX-2.3","creationInfo":{"created":"2026-10-01T08:00:00Z","creators":["Tool: syft-1"]},"packages":["#,
    );
    for number in 0.. {
        if text.len() > size {
            break;
        }
        text.push_str(if number == 0 { "" } else { "," });
        text.push_str(&package(number));
    }
    text.push_str("]}");
    text
}

/// A signed statement with a bill, in a form.
fn make(what: &str, key: &EcdsaKeyPair) -> String {
    let image = Digest::from_sha256([7; 32]);
    let payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"app","digest":{{"sha256":"{}"}}}}],"predicateType":"https://spdx.dev/Document","predicate":{}}}"#,
        image.hex(),
        bill(SIZE)
    );
    let signed = format!("DSSEv1 {} {IN_TOTO} {} {payload}", IN_TOTO.len(), payload.len());
    let signature = STANDARD.encode(key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap());
    let envelope =
        format!(r#"{{"payloadType":"{IN_TOTO}","payload":"{}","signatures":[{{"sig":"{signature}"}}]}}"#, STANDARD.encode(&payload));
    match what {
        "envelope" => envelope,
        "bundle" => format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{{"publicKey":{{"hint":""}}}},"dsseEnvelope":{envelope}}}"#
        ),
        _ => payload,
    }
}

/// What the library reads of a statement whose certificate it verifies, to see which digests it names: a tree of its predicate.
fn read_by_library(bytes: &[u8]) {
    let statement: sigstore_types::Statement = serde_json::from_slice(bytes).unwrap();
    assert_eq!(statement.subject.len(), 1);
}

/// What a scan does with a statement: says what it is, tries it, and reads what it says.
fn verify(what: &str, bytes: bytes::Bytes, key: &EcdsaKeyPair) {
    let media_type =
        if what == "bundle" { "application/vnd.dev.sigstore.bundle.v0.3+json" } else { "application/vnd.dsse.envelope.v1+json" };
    let layer = Link {
        media_type: media_type.to_owned(),
        digest: Digest::of(Algorithm::Sha256, &bytes),
        size: bytes.len() as u64,
        artifact_type: None,
        annotations: None,
    };
    let read = seaworthy::verify::read(&layer, &bytes).unwrap();
    let subject = Digest::from_sha256([7; 32]);
    assert!(read.names(&subject));
    let spki = key.public_key().as_der().unwrap().as_ref().to_vec();
    let key = PublicKey { fingerprint: Digest::of(Algorithm::Sha256, &spki), spki: spki.into() };
    let verifier = Verifier::new(&[Trial::Key { key, root: None }], "2026-12-01T00:00:00Z".parse().unwrap());
    let verification = Verification::new(verifier, std::num::NonZeroUsize::new(1), None, Wanted::default()).unwrap();
    let statement = Statement {
        format: read.format,
        source: StatementSource::Referrer,
        place: "registry.test/app".to_owned(),
        carrier: Carrier::Itself,
        relation: Relation::Names,
        manifest: None,
        content: layer.digest.clone(),
        annotations: None,
        proofs: std::sync::Arc::default(),
        proofs_left_out: 0,
        attested: None,
    };
    assert!(matches!(statement.format, StatementFormat::Dsse { .. }));
    let mut evidence = ImageEvidence {
        repository: "registry.test/app".parse().unwrap(),
        subject: SubjectState::Known(subject.clone()),
        manifest: ManifestPresence::NotAsked,
        tag: TagState::NotAsked,
        statements: vec![statement],
        places: Vec::new(),
        children: Vec::new(),
        platforms: Vec::new(),
        index: IndexAbove::NotAsked,
        warnings: Vec::new(),
    };
    verification.prove_all(vec![(&mut evidence, vec![SignedBytes { statement: 0, subject, layer, bytes }])]);
    let [statement] = evidence.statements.as_slice() else { panic!("one statement") };
    assert!(statement.proofs[0].step(Step::Signature).held());
    assert!(matches!(&statement.attested.as_deref().unwrap().predicate, Ok(Predicate::Sbom(bill)) if bill.package_count > 0));
}
