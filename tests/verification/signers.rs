//! Images signed by signers as people use them (`fixtures/signers/`): the family's verifier takes every bundle, and so does ours,
//! which takes the older forms too.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use seaworthy::model::{Algorithm, Cause, Digest, Link, Manifest, Proof, PublicKey, Reason, Signer, Step, StepOutcome, Trial, TrustRoot};
use seaworthy::verify::{Signed, Verifier, is_statement};
use serde_json::Value;
use sigstore_trust_root::TrustedRoot;
use sigstore_types::{Bundle, DerCertificate, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy};

use super::trust::{as_of, root};
use super::vectors::fixture;
use crate::cli::Program;

/// What the media type of every bundle begins with.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const PERSON: [&str; 2] = ["alice@example.test", "https://issuer.example.test"];
const WORKFLOW: [&str; 2] = [
    "https://github.com/LedgerHQ/signed-images/.github/workflows/release.yml@refs/tags/v1.4.0",
    "https://token.actions.githubusercontent.com",
];

/// Whose signature it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Of a name and an issuer, by Fulcio's certificate.
    Identity([&'static str; 2]),
    /// Of a key, by the file of its public half.
    Key(&'static str),
    /// Of a name, by a certificate of an authority of its own.
    Own(&'static str),
}

/// What proves when and that it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Logged,
    Stamped,
    LoggedAndStamped,
    Nowhere,
}

use Seen::{Logged, LoggedAndStamped, Nowhere, Stamped};
use Who::{Identity, Key, Own};

/// Every folder.
const SIGNED: [(&str, Who, Seen); 29] = [
    ("cosign-bundle", Identity(PERSON), LoggedAndStamped),
    ("cosign-bundle-rekor1", Identity(PERSON), LoggedAndStamped),
    ("cosign-bundle-workflow", Identity(WORKFLOW), LoggedAndStamped),
    ("cosign-key-bundle", Key("p256"), LoggedAndStamped),
    ("cosign-key-bundle-rekor1", Key("p256"), LoggedAndStamped),
    ("cosign-key-bundle-unlogged-ed25519", Key("ed25519"), Nowhere),
    ("cosign-key-bundle-unlogged-p256", Key("p256"), Nowhere),
    ("cosign-key-bundle-unlogged-p384", Key("p384"), Nowhere),
    ("cosign-key-bundle-unlogged-rsa", Key("rsa"), Nowhere),
    ("cosign-key-legacy", Key("p256"), Logged),
    ("cosign-key-legacy-unlogged-ed25519", Key("ed25519"), Nowhere),
    ("cosign-key-legacy-unlogged-p256", Key("p256"), Nowhere),
    ("cosign-key-legacy-unlogged-p384", Key("p384"), Nowhere),
    ("cosign-key-legacy-unlogged-rsa", Key("rsa"), Nowhere),
    ("cosign-legacy", Identity(PERSON), Logged),
    ("cosign-legacy-stamped", Identity(PERSON), Stamped),
    ("cosign-legacy-workflow", Identity(WORKFLOW), Logged),
    ("cosign-oci11", Key("p256"), Nowhere),
    ("cosign-own-certificate", Own("https://example.test/release"), Stamped),
    ("javascript-message", Identity(PERSON), LoggedAndStamped),
    ("javascript-message-rekor1", Identity(PERSON), LoggedAndStamped),
    ("javascript-statement-dsse", Identity(PERSON), LoggedAndStamped),
    ("javascript-statement-intoto", Identity(PERSON), LoggedAndStamped),
    ("javascript-statement-stamped", Identity(PERSON), Stamped),
    ("javascript-statement-workflow", Identity(WORKFLOW), LoggedAndStamped),
    ("python-message", Identity(PERSON), LoggedAndStamped),
    ("python-message-rekor1", Identity(PERSON), LoggedAndStamped),
    ("python-message-workflow", Identity(WORKFLOW), LoggedAndStamped),
    ("python-statement", Identity(PERSON), LoggedAndStamped),
];

/// An image with the only statement about it.
struct Image {
    digest: Digest,
    manifest: Vec<u8>,
    layer: Link,
    statement: Vec<u8>,
}

impl Image {
    fn read(name: &str) -> Self {
        let blob = |digest: &Digest| fixture(&format!("signers/{name}/blobs/sha256/{}", digest.hex()));
        let Manifest::Index(index) = Manifest::parse(&fixture(&format!("signers/{name}/index.json"))).unwrap() else {
            panic!("{name} has no index")
        };
        let mut statements = Vec::new();
        let mut image = None;
        for entry in &index.manifests {
            let bytes = blob(&entry.digest);
            let Manifest::Image(manifest) = Manifest::parse(&bytes).unwrap() else { continue };
            match manifest.layers.into_iter().find(|layer| is_statement(&layer.media_type)) {
                Some(layer) => statements.push(layer),
                None => image = Some((entry.digest.clone(), bytes)),
            }
        }
        let [layer] = <[Link; 1]>::try_from(statements).unwrap_or_else(|found| panic!("{name} has {} statements", found.len()));
        let (digest, manifest) = image.unwrap();
        Self { digest, manifest, statement: blob(&layer.digest), layer }
    }

    fn proof(&self, trial: &Trial, subject: &Digest, artifact: &[u8]) -> Proof {
        let signed = Signed { layer: &self.layer, bytes: &self.statement, subject, artifact: Some(artifact) };
        let proofs = Verifier::new(std::slice::from_ref(trial), as_of()).verify(&signed);
        let [proof] = <[Proof; 1]>::try_from(proofs).unwrap();
        proof
    }
}

fn trusted_root() -> Arc<TrustRoot> {
    root("fixtures", None, &fixture("signers/trust/trusted_root.json"))
}

fn pem(file: &str) -> String {
    String::from_utf8(fixture(&format!("signers/trust/{file}"))).unwrap()
}

fn trial(who: Who) -> Trial {
    match who {
        Identity(_) => Trial::Keyless { root: trusted_root() },
        Key(name) => {
            let spki: Arc<[u8]> = DerPublicKey::from_pem(&pem(&format!("{name}.pub"))).unwrap().as_bytes().into();
            let fingerprint = Digest::of(Algorithm::Sha256, &spki);
            Trial::Key { key: PublicKey { spki, fingerprint }, root: Some(trusted_root()) }
        }
        Own(_) => {
            let authority = DerCertificate::from_pem(&pem("own-ca.pem")).unwrap();
            Trial::Certificate { authorities: vec![authority.as_bytes().into()], root: Some(trusted_root()) }
        }
    }
}

#[test]
fn every_folder_is_told_of() {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signers")).unwrap();
    let directories = entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<_> = directories.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let told = SIGNED.iter().map(|(name, ..)| (*name).to_owned());
    assert_eq!(folders, told.chain(["tools", "trust"].map(str::to_owned)).collect());
}

#[test]
fn the_family_verifies_every_bundle_by_whom_it_is_and_by_nobody_else() {
    let json = String::from_utf8(fixture("signers/trust/trusted_root.json")).unwrap();
    let verifier = sigstore_verify::Verifier::new(&TrustedRoot::from_json(&json).unwrap()).unwrap();
    let mut verified = 0;
    for (name, who, seen) in SIGNED {
        let image = Image::read(name);
        if !image.layer.media_type.starts_with(BUNDLE) {
            continue;
        }
        let bundle = Bundle::from_json(std::str::from_utf8(&image.statement).unwrap()).unwrap();
        let artifact = image.manifest.as_slice();
        let by = |[name, issuer]: [&str; 2]| {
            let policy = VerificationPolicy::new(name, issuer);
            if seen == Stamped { policy.skip_tlog_unsafe() } else { policy }
        };
        match who {
            // Only ours verifies what neither a log nor a clock saw.
            Key(_) if seen == Nowhere => continue,
            Key(key) => {
                let key_of = |key: &str| PublicKeyVerificationPolicy::new(DerPublicKey::from_pem(&pem(&format!("{key}.pub"))).unwrap());
                verifier.verify(artifact, &bundle, &key_of(key)).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(verifier.verify(artifact, &bundle, &key_of("p384")).is_err(), "{name}");
            }
            Identity(identity) => {
                let result = verifier.verify(artifact, &bundle, &by(identity)).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(result.certificate_verified() && result.sct_verified(), "{name}");
                for other in [[identity[0], "https://issuer.example"], ["bob@example.test", identity[1]]] {
                    assert!(verifier.verify(artifact, &bundle, &by(other)).is_err(), "{name} by {other:?}");
                }
            }
            Own(_) => panic!("{name}: no bundle is signed so"),
        }
        assert!(verifier.verify(b"another image".as_slice(), &bundle, &by(PERSON)).is_err(), "{name}");
        verified += 1;
    }
    assert_eq!(verified, 15);
}

#[test]
fn every_signature_holds_step_by_step() {
    for (name, who, seen) in SIGNED {
        let image = Image::read(name);
        let proof = image.proof(&trial(who), &image.digest, &image.manifest);
        let holds = |step: Step| match step {
            Step::Form | Step::Signature | Step::Subject => true,
            Step::CertificateChain | Step::CertificateValidity => !matches!(who, Key(_)),
            Step::CertificateLog => matches!(who, Identity(_)),
            Step::LogEntry | Step::LogInclusion => matches!(seen, Logged | LoggedAndStamped),
            Step::TimeStamp => matches!(seen, Stamped | LoggedAndStamped),
        };
        for step in Step::ALL {
            let outcome = proof.step(step);
            let empty = matches!(outcome, StepOutcome::NotApplicable | StepOutcome::Missing);
            assert!(if holds(step) { outcome.held() } else { empty }, "{name}: {step:?} is {outcome:?}");
        }
        match (who, &proof.signer) {
            (Identity([subject, issuer]), Some(Signer::Certificate(claims))) => {
                assert_eq!(claims.names.iter().map(|name| name.text()).collect::<Vec<_>>(), [subject], "{name}");
                assert_eq!(claims.issuer.as_deref(), Some(issuer), "{name}");
            }
            (Own(subject), Some(Signer::Certificate(claims))) => assert_eq!(claims.names[0].text(), subject, "{name}"),
            (Key(_), Some(Signer::Key { .. })) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn no_signature_is_another_images() {
    let other = Image::read("cosign-bundle");
    for (name, who, _) in SIGNED.into_iter().filter(|(name, ..)| *name != "cosign-bundle") {
        let image = Image::read(name);
        let proof = image.proof(&trial(who), &other.digest, &other.manifest);
        let failed =
            |step| matches!(proof.step(step), StepOutcome::Failed { reason: Reason::DigestMismatch | Reason::SignatureInvalid, .. });
        assert!(failed(Step::Subject) || failed(Step::Signature), "{name}: {:?}", proof.steps);
    }
}

#[test]
fn no_key_signed_what_was_changed() {
    for (name, who, _) in SIGNED.into_iter().filter(|(name, ..)| name.starts_with("cosign-key-legacy")) {
        let mut image = Image::read(name);
        // Within the text of the reference, so that it is read as before.
        let changed = String::from_utf8(image.statement).unwrap().replace("127.0.0.1:5000", "127.0.0.1:5001");
        image.statement = changed.into_bytes();
        let proof = image.proof(&trial(who), &image.digest, &image.manifest);
        let outcome = proof.step(Step::Signature);
        assert!(
            matches!(outcome, StepOutcome::Failed { reason: Reason::KeyMismatch | Reason::SignatureInvalid, .. }),
            "{name}: {outcome:?}"
        );
    }
}

/// A proof of inclusion that contradicts itself is one that does not hold: nothing about it is unknown, and no other step is to blame.
#[test]
fn a_proof_of_inclusion_that_contradicts_itself_does_not_hold() {
    type Bend = fn(&mut Value);
    let bends: [(&str, Bend); 3] = [
        ("another root", |proof| proof["rootHash"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
        ("no checkpoint", |proof| drop(proof.as_object_mut().unwrap().remove("checkpoint"))),
        ("beyond the tree", |proof| proof["logIndex"] = proof["treeSize"].clone()),
    ];
    for (name, who) in [("cosign-key-bundle-rekor1", Key("p256")), ("cosign-bundle-rekor1", Identity(PERSON))] {
        for (what, bend) in bends {
            let mut image = Image::read(name);
            let mut bundle: Value = serde_json::from_slice(&image.statement).unwrap();
            bend(&mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]);
            image.statement = serde_json::to_vec(&bundle).unwrap();
            let proof = image.proof(&trial(who), &image.digest, &image.manifest);
            let outcome = proof.step(Step::LogInclusion);
            assert!(
                matches!(outcome, StepOutcome::Failed { reason: Reason::InclusionProofInvalid, .. }),
                "{name}, {what}: {:?}",
                proof.steps
            );
            // What does not rest on the log is told too.
            assert!(proof.step(Step::Signature).held() && proof.step(Step::TimeStamp).held(), "{name}, {what}: {:?}", proof.steps);
        }
    }
}

/// A log entry that cannot be read is nothing but that: what it does not concern is told, and a signature whose policy asks for no log stands.
#[test]
fn a_log_entry_that_cannot_be_read_concerns_the_log_alone() {
    const ENTRY: &str = "dev.sigstore.cosign/bundle";
    type Bend = fn(&mut Image);
    type Expected = fn(&StepOutcome) -> bool;
    let bundle_of_another_kind: Bend = |image| {
        let mut bundle: Value = serde_json::from_slice(&image.statement).unwrap();
        bundle["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"] = "alpine".into();
        image.statement = serde_json::to_vec(&bundle).unwrap();
    };
    let annotated: Bend = |image| {
        let annotations = image.layer.annotations.as_mut().unwrap();
        let mut entry: Value = serde_json::from_str(&annotations[ENTRY]).unwrap();
        // {"kind":"alpine","apiVersion":"0.0.1"}
        entry["Payload"]["body"] = "eyJraW5kIjoiYWxwaW5lIiwiYXBpVmVyc2lvbiI6IjAuMC4xIn0=".into();
        annotations.insert(ENTRY.to_owned(), entry.to_string());
    };
    let garbled: Bend = |image| drop(image.layer.annotations.as_mut().unwrap().insert(ENTRY.to_owned(), "{".to_owned()));
    let unknown: Expected = |outcome| matches!(outcome, StepOutcome::Unknown(answer) if answer.cause == Cause::UnsupportedFormat);
    let malformed: Expected = |outcome| matches!(outcome, StepOutcome::Failed { reason: Reason::Malformed, .. });
    let cases: [(&str, Who, Bend, Expected); 6] = [
        ("cosign-key-bundle", Key("p256"), bundle_of_another_kind, unknown),
        ("cosign-key-legacy", Key("p256"), annotated, unknown),
        ("cosign-key-legacy", Key("p256"), garbled, malformed),
        ("cosign-bundle", Identity(PERSON), bundle_of_another_kind, unknown),
        ("cosign-legacy", Identity(PERSON), annotated, unknown),
        ("cosign-legacy", Identity(PERSON), garbled, malformed),
    ];
    for (name, who, bend, expected) in cases {
        let mut image = Image::read(name);
        bend(&mut image);
        let proof = image.proof(&trial(who), &image.digest, &image.manifest);
        assert!(proof.step(Step::Form).held() && expected(proof.step(Step::LogEntry)), "{name}: {:?}", proof.steps);
        assert!(!proof.step(Step::LogInclusion).held() && proof.log.is_none(), "{name}: {:?}", proof.steps);
        // Without the log, nothing but a time stamp shows that the certificate was valid.
        let holds = matches!(who, Key(_)) || name == "cosign-bundle";
        assert_eq!(proof.step(Step::Signature).held(), holds, "{name}: {:?}", proof.steps);
    }
}

/// Entries that are proven do not vouch for one beside them that is not.
#[test]
fn a_log_entry_without_proof_is_not_shown_as_logged() {
    for (name, who) in [("cosign-bundle", Identity(PERSON)), ("cosign-key-bundle", Key("p256"))] {
        let mut image = Image::read(name);
        let mut bundle: Value = serde_json::from_slice(&image.statement).unwrap();
        let entries = bundle["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap();
        let mut made_up = entries[0].clone();
        made_up["logIndex"] = "424242".into();
        let fields = made_up.as_object_mut().unwrap();
        fields.remove("inclusionProof");
        fields.remove("inclusionPromise");
        entries.insert(0, made_up);
        image.statement = serde_json::to_vec(&bundle).unwrap();
        let proof = image.proof(&trial(who), &image.digest, &image.manifest);
        let inclusion = proof.step(Step::LogInclusion);
        assert!(matches!(inclusion, StepOutcome::Failed { reason: Reason::LogEntryMissing, .. }), "{name}: {:?}", proof.steps);
        assert_eq!(proof.log, None, "{name}");
    }
}

/// A certificate beside a key's signature does not make it somebody else's.
#[test]
fn a_keys_signature_with_a_certificate_is_not_by_another_key() {
    let own = Own("https://example.test/release");
    let image = Image::read("cosign-own-certificate");
    let proof = image.proof(&trial(own), &image.digest, &image.manifest);
    let Some(Signer::Certificate(claims)) = &proof.signer else { panic!("{proof:?}") };
    let key = PublicKey { spki: Arc::from([]), fingerprint: claims.key.clone() };
    let by_key = image.proof(&Trial::Key { key, root: None }, &image.digest, &image.manifest);
    let signature = by_key.step(Step::Signature);
    assert!(matches!(signature, StepOutcome::Unknown(answer) if answer.cause == Cause::UnsupportedFormat), "{:?}", by_key.steps);
    let others = Verifier::new(&[trial(Key("p256"))], as_of());
    let signed = Signed { layer: &image.layer, bytes: &image.statement, subject: &image.digest, artifact: None };
    assert!(others.verify(&signed).is_empty(), "another key is not tried");
}

/// A kind of log entry that is read for certificates alone: for a key it cannot be said to be missing.
#[test]
fn an_old_log_entry_of_a_signature_by_a_key_is_not_missing() {
    let mut image = Image::read("cosign-key-bundle");
    let bundle: Value = serde_json::from_slice(&image.statement).unwrap();
    image.statement = serde_json::to_vec(&bundle["dsseEnvelope"]).unwrap();
    image.layer.media_type = "application/vnd.dsse.envelope.v1+json".to_owned();
    // {"kind":"intoto","apiVersion":"0.0.1"}
    let entry = r#"{"SignedEntryTimestamp":"AAAA","Payload":{"body":"eyJraW5kIjoiaW50b3RvIiwiYXBpVmVyc2lvbiI6IjAuMC4xIn0=","integratedTime":1,"logIndex":1,"logID":"00"}}"#;
    image.layer.annotations = Some([("dev.sigstore.cosign/bundle".to_owned(), entry.to_owned())].into());
    let proof = image.proof(&trial(Key("p256")), &image.digest, &image.manifest);
    assert!(proof.step(Step::Signature).held(), "{:?}", proof.steps);
    let logged = proof.step(Step::LogEntry);
    assert!(matches!(logged, StepOutcome::Unknown(answer) if answer.cause == Cause::UnsupportedFormat), "{:?}", proof.steps);
    assert_ne!(proof.step(Step::LogInclusion), &StepOutcome::Missing);
}

/// A signature by a key has no certificate with a date: when it claims to be from is what its time stamp says, proven or not.
#[test]
fn a_log_that_an_old_root_cannot_know_is_not_held_against_a_key() {
    let Trial::Key { key, .. } = trial(Key("p256")) else { panic!("a key") };
    let image = Image::read("cosign-key-bundle");
    let outcome = |dated: &str| {
        let other = root("elsewhere", Some(dated.parse().unwrap()), &fixture("vectors/trust/trusted_root.json"));
        let proof = image.proof(&Trial::Key { key: key.clone(), root: Some(other) }, &image.digest, &image.manifest);
        proof.step(Step::LogInclusion).clone()
    };
    let older = outcome("2026-10-13T00:00:00Z");
    assert!(matches!(&older, StepOutcome::Unknown(answer) if answer.cause == Cause::TrustRootTooOld), "{older:?}");
    let newer = outcome("2026-12-31T00:00:00Z");
    assert!(matches!(newer, StepOutcome::Failed { reason: Reason::LogSignatureInvalid, .. }), "{newer:?}");
}

/// `verify bundle` about every bundle as a file: the manifest as a file, then by its digest; then somebody else, and another image.
#[test]
fn every_bundle_is_verified_as_a_file() {
    let program = Program::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/signers");
    let path = |file: &str| fixtures.join(file).display().to_string();
    let root = path("trust/trusted_root.json");
    let mut wrong = Vec::new();
    for (name, who, seen) in SIGNED {
        let image = Image::read(name);
        if !image.layer.media_type.starts_with(BUNDLE) {
            continue;
        }
        // Without a policy a log is asked for, of keys too.
        let code = if matches!(seen, Logged | LoggedAndStamped) { 0 } else { 1 };
        let blob = |digest: &Digest| path(&format!("{name}/blobs/sha256/{}", digest.hex()));
        let (bundle, manifest) = (blob(&image.layer.digest), blob(&image.digest));
        let (file, digest) = (manifest.as_str(), image.digest.to_string());
        let other = format!("sha256:{}", "a".repeat(64));
        let (p256, p384) = (path("trust/p256.pub"), path("trust/p384.pub"));
        let own;
        let (signer, another) = match who {
            Identity([subject, issuer]) => {
                (vec!["--identity", subject, "--issuer", issuer], vec!["--identity", "bob@example.test", "--issuer", issuer])
            }
            Key(key) => {
                own = path(&format!("trust/{key}.pub"));
                (vec!["--key", own.as_str()], vec!["--key", if key == "p384" { p256.as_str() } else { p384.as_str() }])
            }
            Own(_) => panic!("{name}: no bundle is signed so"),
        };
        for (artifact, whom, code) in [(file, &signer, code), (&digest, &signer, code), (file, &another, 1), (&other, &signer, 1)] {
            let mut words = vec!["verify", "bundle", "--offline", "--trusted-root", &root, "--bundle", &bundle];
            words.extend(whom);
            words.push(artifact);
            let ended = program.run(&words);
            let unseen = code == 1 && artifact != other && std::ptr::eq(whom, &signer);
            if ended.code != Some(code) || (unseen && !ended.out().contains("log-entry-missing")) {
                wrong.push(format!("{name} {whom:?} {artifact}: should end with {code}: {ended:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
