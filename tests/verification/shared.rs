//! Statements are tried once, and what is kept of it decides nothing that it should not.

use std::path::Path;

use seaworthy::model::{
    Algorithm, Carrier, Cause, Digest, ImageEvidence, Link, ManifestPresence, Reason, Relation, Statement, StatementFormat,
    StatementSource, Step, StepOutcome, SubjectState, TagState,
};
use seaworthy::registry::DiskCache;
use seaworthy::scan::{SignedBytes, Verification};
use seaworthy::verify::Verifier;

use super::trust::{as_of, keyless, root};
use super::vectors::{IMAGE, fixture};

const OTHER: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// An image beside which the bundle was found.
fn image(subject: &str, bundle: &[u8]) -> (ImageEvidence, Vec<SignedBytes>) {
    let subject: Digest = subject.parse().unwrap();
    let content = Digest::of(Algorithm::Sha256, bundle);
    let media_type = "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned();
    let statement = Statement {
        format: StatementFormat::Dsse { predicate_type: "https://sigstore.dev/cosign/sign/v1".to_owned() },
        source: StatementSource::Referrer,
        place: "registry.test/team/oci".to_owned(),
        carrier: Carrier::Itself,
        relation: Relation::Names,
        manifest: None,
        content: content.clone(),
        annotations: None,
        proofs: std::sync::Arc::default(),
        proofs_left_out: 0,
        attested: None,
    };
    let evidence = ImageEvidence {
        repository: "registry.test/team/oci".parse().unwrap(),
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
    let layer = Link { media_type, digest: content, size: bundle.len() as u64, artifact_type: None, annotations: None };
    (evidence, vec![SignedBytes { statement: 0, subject, layer, bytes: bundle.to_vec().into() }])
}

fn verification(root_file: &str, cache: Option<&Path>) -> Verification {
    under(&fixture(&format!("vectors/trust/{root_file}")), cache)
}

fn under(content: &[u8], cache: Option<&Path>) -> Verification {
    let root = root("private", None, content);
    let cache = cache.map(|directory| DiskCache::open(Some(directory.to_owned())).unwrap());
    Verification::new(Verifier::new(&[keyless(root)], as_of()), None, cache, seaworthy::model::Wanted::default()).unwrap()
}

fn prove(verification: &Verification, subject: &str, bundle: &[u8]) -> ImageEvidence {
    let (mut evidence, signed) = image(subject, bundle);
    verification.prove_all(vec![(&mut evidence, signed)]);
    evidence
}

fn outcome(evidence: &ImageEvidence, step: Step) -> &StepOutcome {
    evidence.statements[0].proofs[0].step(step)
}

#[tokio::test]
async fn a_statement_is_tried_once_whoever_asks() {
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let verification = verification("trusted_root.json", None);
    let many = (0..20).map(|_| async {
        let (mut evidence, signed) = image(IMAGE, &bundle);
        verification.prove(&mut evidence, signed).await;
        evidence
    });
    let proven = futures::future::join_all(many).await;
    assert_eq!(verification.tried(), 1);
    assert!(proven.iter().all(|evidence| outcome(evidence, Step::Signature).held()));
    assert!(proven.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_warm_cache_says_what_a_cold_one_says() {
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let directory = tempfile::tempdir().unwrap();
    let cold = prove(&verification("trusted_root.json", None), IMAGE, &bundle);
    let first = prove(&verification("trusted_root.json", Some(directory.path())), IMAGE, &bundle);
    let warm = prove(&verification("trusted_root.json", Some(directory.path())), IMAGE, &bundle);
    assert_eq!((&first, &warm), (&cold, &cold));
}

#[test]
fn evidence_of_another_image_is_not_this_ones_with_a_warm_cache_either() {
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let directory = tempfile::tempdir().unwrap();
    assert!(outcome(&prove(&verification("trusted_root.json", Some(directory.path())), IMAGE, &bundle), Step::Subject).held());
    let transplanted = prove(&verification("trusted_root.json", Some(directory.path())), OTHER, &bundle);
    assert!(matches!(outcome(&transplanted, Step::Subject), StepOutcome::Failed { reason: Reason::DigestMismatch, .. }));
}

#[test]
fn what_was_kept_under_one_root_is_not_used_under_another() {
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let directory = tempfile::tempdir().unwrap();
    assert!(outcome(&prove(&verification("trusted_root.json", Some(directory.path())), IMAGE, &bundle), Step::CertificateChain).held());
    let other = prove(&verification("negative/tr.otherca.json", Some(directory.path())), IMAGE, &bundle);
    assert!(matches!(outcome(&other, Step::CertificateChain), StepOutcome::Failed { reason: Reason::CertificateUntrusted, .. }));
}

/// A root that names the log by a key of no use knows the log; one that does not name it does not.
#[test]
fn what_was_kept_under_a_root_without_the_log_is_not_used_where_its_key_is_not_supported() {
    const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAJdgK07yKtLgGAIUrxLQXaJ6A4tkjXDK/UIjVW2uMx9spwbN/Phr4SKVF6EeJ0ClkKhpgZ2Z0epdztFu2w/Aq0A8AcUh/cZyVBv3Vg99BJvzOom5zjBNCr9W7Udyb3tcU7rGeP9YY+CisSiIR7c5rSqesVNvXSrPEHFpt+pZ1gbbKar8=";
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let whole: serde_json::Value = serde_json::from_slice(&fixture("vectors/trust/trusted_root.json")).unwrap();
    let (mut without, mut of_no_use) = (whole.clone(), whole);
    without["tlogs"] = serde_json::json!([]);
    for log in of_no_use["tlogs"].as_array_mut().unwrap() {
        log["publicKey"]["rawBytes"] = P521.into();
        log["publicKey"]["keyDetails"] = "PKIX_ECDSA_P521_SHA_512".into();
    }
    let directory = tempfile::tempdir().unwrap();
    let inclusion = |root: &serde_json::Value| {
        let verification = under(root.to_string().as_bytes(), Some(directory.path()));
        outcome(&prove(&verification, IMAGE, &bundle), Step::LogInclusion).clone()
    };
    let unknown = inclusion(&without);
    assert!(matches!(unknown, StepOutcome::Failed { reason: Reason::LogSignatureInvalid, .. }), "{unknown:?}");
    let known = inclusion(&of_no_use);
    assert!(matches!(&known, StepOutcome::Unknown(why) if why.cause == Cause::UnsupportedFormat), "{known:?}");
}

#[test]
fn planted_results_change_nothing() {
    let bundle = fixture("vectors/bundles/ggcr-referrers/sign.sigstore.json");
    let directory = tempfile::tempdir().unwrap();
    let whose = |root: &str, directory: Option<&Path>| prove(&verification(root, directory), IMAGE, &bundle);
    let good = whose("trusted_root.json", Some(directory.path()));
    let entries = || {
        let shards = std::fs::read_dir(directory.path().join("results")).unwrap().flatten().filter(|entry| entry.path().is_dir());
        shards.flat_map(|shard| std::fs::read_dir(shard.path()).unwrap().flatten()).map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let [of_good] = <[_; 1]>::try_from(entries()).unwrap();
    let kept = std::fs::read(&of_good).unwrap();
    let bad = whose("negative/tr.otherca.json", Some(directory.path()));
    assert_ne!(good, bad);
    // The result of the good root in the place of the other's, and the other's text under the good one's code.
    let of_bad = entries().into_iter().find(|path| *path != of_good).unwrap();
    std::fs::write(&of_bad, &kept).unwrap();
    assert_eq!(whose("negative/tr.otherca.json", Some(directory.path())), bad);
    std::fs::write(&of_good, [&kept[..32], b"[]"].concat()).unwrap();
    assert_eq!(whose("trusted_root.json", Some(directory.path())), good);
}
