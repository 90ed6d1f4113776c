//! What one trial says of one signature, and a policy of it: signatures that only a private Sigstore can make so.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use seaworthy::documents::{Document, parse};
use seaworthy::model::{
    Algorithm, AuthorityMaterial, Carrier, Cause, CredentialKind, Digest, ImageEvidence, IndexAbove, Link, ManifestPresence, OCI_MANIFEST,
    PlaceOutcome, PlaceRecord, PolicyMaterial, Proof, PublicKey, Reason, Relation, RootOrigin, Statement, StatementFormat, StatementSource,
    Step, StepOutcome, SubjectState, TagState, Trial, TrustRoot, UnknownAnswer, Verdict,
};
use seaworthy::policy::{AsOf, Asked, NamedPolicy, PolicyOrigin, TrustPolicies};
use seaworthy::verify::{Signed, Verifier};
use serde_json::{Value, json};

use super::bundle::{Log, Proofs, Version, statement};
use super::cases::{Stage, old_envelope};
use super::certificate::{Announced, CODE_SIGNING, Claims, Name};
use super::cosign::{Layer, STAMP};
use super::key::{Key, Kind, base64, unbase64};
use super::layout::image;
use super::log::{Kind as Entry, Shown};
use super::sigstore::{Signer, signed_at};
use super::time_stamp::Named;
use crate::world::COSIGN_SIGN;

const RELEASE: &str = "https://corp.test/release";
const INCLUSION: Log = Log::V1(Entry::Dsse, Shown { promise: false, inclusion: true });
const BOTH: Log = Log::V1(Entry::Dsse, Shown { promise: true, inclusion: true });

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// While everything is valid.
fn now() -> Timestamp {
    at("2026-09-01T00:00:00Z")
}

fn root(content: Result<&Value, Cause>, dated: Option<&str>) -> Arc<TrustRoot> {
    let content = content
        .map(|value| value.to_string().into_bytes().into())
        .map_err(|cause| UnknownAnswer { cause, detail: "it cannot be loaded".to_owned() });
    let origin = RootOrigin::File { path: "root.json".to_owned() };
    Arc::new(TrustRoot { name: "corp".to_owned(), origin, dated: dated.map(at), without_logs: false, content })
}

/// Somebody with a certificate of the authority of one's own, valid until then.
fn own_signer(stage: &Stage, names: Vec<Name>, until: &str) -> Signer {
    let key = Key::new(Kind::P256);
    let claims = Claims {
        subject: Some("release"),
        names: Some(names),
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at(until),
        usage: CODE_SIGNING,
        extensions: Vec::new(),
    };
    let leaf = stage.own.issue(&key, &claims, &Announced::Not);
    Signer { key, certificate: Some(leaf), chain: vec![stage.own.certificate.clone()] }
}

fn release(stage: &Stage) -> Signer {
    own_signer(stage, vec![Name::Uri(RELEASE.to_owned())], "2030-01-01T00:00:00Z")
}

fn signed_by(stage: &Stage, signer: &Signer, log: Log, stamp: bool) -> Value {
    stage.sigstore.envelope_bundle(Version::V03, signer, &statement(&image()), Proofs::new(log, stamp))
}

fn tried(bundle: &Value, trials: &[Trial], as_of: Timestamp) -> (Vec<Proof>, Digest) {
    tried_layer(Layer::bundle(bundle), trials, as_of)
}

fn tried_layer(layer: Layer, trials: &[Trial], as_of: Timestamp) -> (Vec<Proof>, Digest) {
    let Layer { media_type, bytes, annotations } = layer;
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    let layer = Link { media_type, digest: digest.clone(), size: bytes.len() as u64, artifact_type: None, annotations };
    let signed = Signed { layer: &layer, bytes: &bytes, subject: &image(), artifact: None };
    (Verifier::new(trials, as_of).verify(&signed), digest)
}

fn proof(bundle: &Value, trial: Trial, as_of: Timestamp) -> Proof {
    let [proof] = <[Proof; 1]>::try_from(tried(bundle, &[trial], as_of).0).unwrap();
    proof
}

fn own_authority(stage: &Stage) -> Vec<Arc<[u8]>> {
    vec![stage.own.certificate.clone().into()]
}

fn key(signer: &Signer) -> PublicKey {
    let spki: Arc<[u8]> = signer.key.spki().into();
    PublicKey { fingerprint: Digest::of(Algorithm::Sha256, &spki), spki }
}

/// What a policy with the authority of one's own, of which more may be said, says of an image with this signature.
fn judged(stage: &Stage, root: Arc<TrustRoot>, more: &str, bundle: &Value) -> Option<Verdict> {
    let text = format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: own }}\nspec:\n  trustRoots: {{ corp: {{ file: root.json }} }}\n  \
         authorities: {{ own: {{ certificate: {{ roots: {{ file: ca.pem }}, subject: {{ exact: '{RELEASE}' }} }}{more} }} }}\n  \
         images: [{{ match: ['**'], require: {{ anyOf: [own] }} }}]\n"
    );
    let Document::TrustPolicy(named) = parse("policy.yaml", &text).unwrap().remove(0) else { panic!("a trust policy") };
    let authorities = [("own".to_owned(), AuthorityMaterial::Certificates(own_authority(stage)))].into();
    let material = PolicyMaterial { roots: [("corp".to_owned(), root)].into(), authorities };
    let policies =
        TrustPolicies::new(vec![NamedPolicy { name: named.name, policy: named.policy, material, origin: PolicyOrigin::Document }]);
    let (proofs, content) = tried(bundle, policies.trials(), now());
    let statement = Statement {
        format: StatementFormat::Dsse { predicate_type: COSIGN_SIGN.to_owned() },
        source: StatementSource::Referrer,
        place: "registry.test/app".to_owned(),
        carrier: Carrier::Itself,
        relation: Relation::Names,
        manifest: None,
        content,
        annotations: None,
        proofs: proofs.into(),
        proofs_left_out: 0,
        attested: None,
    };
    let evidence = ImageEvidence {
        repository: "registry.test/app".parse().unwrap(),
        subject: SubjectState::Known(image()),
        manifest: ManifestPresence::Seen { media_type: OCI_MANIFEST.to_owned(), credential: CredentialKind::Anonymous },
        tag: TagState::Unmoved,
        statements: vec![statement],
        places: vec![PlaceRecord {
            place: "registry.test/app".to_owned(),
            outcome: PlaceOutcome::Looked(1),
            attestations: None,
            observed: None,
        }],
        children: Vec::new(),
        platforms: Vec::new(),
        index: IndexAbove::None,
        warnings: Vec::new(),
    };
    policies.judge(&evidence, &Asked::BY_POLICY, AsOf::exactly(now())).verdict()
}

fn is_unknown(outcome: &StepOutcome, cause: Cause) -> bool {
    matches!(outcome, StepOutcome::Unknown(answer) if answer.cause == cause)
}

fn has_failed(outcome: &StepOutcome, wanted: Reason) -> bool {
    matches!(outcome, StepOutcome::Failed { reason, .. } if *reason == wanted)
}

const REQUIRED: &str = ", transparencyLog: required";

/// A log entry that proves no time takes nothing away from a certificate that is valid now.
#[test]
fn a_certificate_of_ones_own_stands_beside_a_log_entry_that_proves_no_time() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    for log in [Log::V2, INCLUSION] {
        let bundle = signed_by(&stage, &release(&stage), log, false);
        let proof = proof(&bundle, Trial::Certificate { authorities: own_authority(&stage), root: Some(root(Ok(&trusted), None)) }, now());
        assert!(proof.step(Step::Signature).held() && proof.step(Step::CertificateChain).held(), "{:?}", proof.steps);
        assert!(is_unknown(proof.step(Step::LogInclusion), Cause::UnsupportedFormat), "{:?}", proof.steps);
        let says = |more| judged(&stage, root(Ok(&trusted), None), more, &bundle);
        assert_eq!(says(""), Some(Verdict::Verified));
        assert_eq!(says(REQUIRED), Some(Verdict::Unknown(Cause::UnsupportedFormat)));
        // The entry proves no time, so nothing makes up for a certificate that has ended.
        let ended = own_signer(&stage, vec![Name::Uri(RELEASE.to_owned())], "2026-08-01T00:00:00Z");
        let bundle = signed_by(&stage, &ended, log, false);
        let says = judged(&stage, root(Ok(&trusted), None), "", &bundle);
        assert_eq!(says, Some(Verdict::Rejected(Reason::CertificateExpiredAtSigning)));
    }
}

/// As a key's signature does: what the root would have shown was not asked for.
#[test]
fn a_certificate_of_ones_own_stands_where_the_root_of_its_log_cannot_be_loaded() {
    let stage = Stage::new();
    let gone = || root(Err(Cause::TrustRootUnavailable), None);
    let unknown = Some(Verdict::Unknown(Cause::TrustRootUnavailable));
    let logged = signed_by(&stage, &release(&stage), BOTH, true);
    assert_eq!(judged(&stage, gone(), "", &logged), Some(Verdict::Verified));
    assert_eq!(judged(&stage, gone(), REQUIRED, &logged), unknown);
    assert_eq!(judged(&stage, gone(), ", provenTime: required", &logged), unknown);
    // It may have signed while it was valid.
    let ended = own_signer(&stage, vec![Name::Uri(RELEASE.to_owned())], "2026-08-01T00:00:00Z");
    assert_eq!(judged(&stage, gone(), "", &signed_by(&stage, &ended, BOTH, true)), unknown);
    // Nobody trusts it, whatever a log says.
    let foreign = Stage { own: stage_of_another(), ..Stage::new() };
    let strangers = signed_by(&stage, &release(&foreign), BOTH, true);
    assert_eq!(judged(&stage, gone(), "", &strangers), Some(Verdict::Rejected(Reason::CertificateUntrusted)));
}

fn stage_of_another() -> super::certificate::Issuer {
    Stage::new().own
}

/// One that is named by the identifier of its key is as unknown as one that is named by its issuer.
#[test]
fn a_time_stamp_authority_that_an_old_root_cannot_know_is_not_held_against_a_signature() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    for named in [Named::ByIssuer, Named::ByKey] {
        let mut bundle = signed_by(&stage, &stage.p256, Log::None, true);
        restamp(&mut bundle, |signature| vec![stage.stranger.tsa.stamp_as(signature, signed_at(), named)]);
        let outcome = |dated: &str| {
            let trial = Trial::Key { key: key(&stage.p256), root: Some(root(Ok(&trusted), Some(dated))) };
            proof(&bundle, trial, now()).step(Step::TimeStamp).clone()
        };
        let older = outcome("2026-03-01T00:00:00Z");
        assert!(is_unknown(&older, Cause::TrustRootTooOld), "{named:?}: {older:?}");
        let newer = outcome("2026-08-01T00:00:00Z");
        assert!(has_failed(&newer, Reason::TimestampInvalid), "{named:?}: {newer:?}");
    }
}

/// Other time stamps beside a signature.
fn restamp(bundle: &mut Value, stamps: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) {
    let signature = unbase64(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap());
    let stamps: Vec<_> = stamps(&signature).into_iter().map(|stamp| json!({ "signedTimestamp": base64(stamp) })).collect();
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = stamps.into();
}

/// A failure is certain, so it comes before what is not known; and one that holds says nothing about the others.
#[test]
fn a_time_stamp_that_cannot_be_read_hides_no_other_that_does_not_hold() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    let tsa = &stage.sigstore.tsa;
    let outcome = |stamps: &dyn Fn(&[u8]) -> Vec<Vec<u8>>, dated: Option<&str>| {
        let mut bundle = signed_by(&stage, &stage.p256, Log::None, true);
        restamp(&mut bundle, stamps);
        let trial = Trial::Key { key: key(&stage.p256), root: Some(root(Ok(&trusted), dated)) };
        proof(&bundle, trial, now()).step(Step::TimeStamp).clone()
    };
    let fraction = |signature: &[u8]| tsa.stamp(signature, signed_at() + SignedDuration::from_millis(500));
    let foreign = |signature: &[u8]| stage.stranger.tsa.stamp(signature, signed_at());
    let alone = outcome(&|signature| vec![fraction(signature)], None);
    assert!(is_unknown(&alone, Cause::UnsupportedFormat), "{alone:?}");
    for order in [0, 1] {
        let mixed = outcome(
            &|signature| {
                let mut stamps = vec![fraction(signature), tsa.stamp(b"another signature", signed_at())];
                stamps.rotate_left(order);
                stamps
            },
            None,
        );
        assert!(has_failed(&mixed, Reason::TimestampInvalid), "{mixed:?}");
    }
    let beside_a_good_one = outcome(&|signature| vec![tsa.stamp(signature, signed_at()), foreign(signature)], Some("2026-03-01T00:00:00Z"));
    assert!(is_unknown(&beside_a_good_one, Cause::TrustRootTooOld), "{beside_a_good_one:?}");
}

/// What a log's key signed after its end is worth nothing; when a checkpoint was signed, only a time stamp tells.
#[test]
fn a_log_key_that_had_ended_before_the_time_stamp_does_not_vouch() {
    let stage = Stage::new();
    let root_until = |end: &str| {
        let mut trusted = stage.sigstore.trusted_root();
        for log in trusted["tlogs"].as_array_mut().unwrap() {
            log["publicKey"]["validFor"]["end"] = end.into();
        }
        root(Ok(&trusted), None)
    };
    let before = (signed_at() - SignedDuration::from_hours(1)).to_string();
    let after = (signed_at() + SignedDuration::from_hours(1)).to_string();
    for log in [Log::V2, INCLUSION] {
        let by_key = |end: &str| {
            let bundle = signed_by(&stage, &stage.p256, log, true);
            proof(&bundle, Trial::Key { key: key(&stage.p256), root: Some(root_until(end)) }, now())
        };
        let keyless = |end: &str| proof(&signed_by(&stage, &stage.release, log, true), Trial::Keyless { root: root_until(end) }, now());
        for (ended, current) in [(by_key(&before), by_key(&after)), (keyless(&before), keyless(&after))] {
            let inclusion = ended.step(Step::LogInclusion);
            assert!(has_failed(inclusion, Reason::LogSignatureInvalid), "{log:?}: {:?}", ended.steps);
            assert!(ended.step(Step::TimeStamp).held() && ended.log.is_none(), "{log:?}: {:?}", ended.steps);
            assert!(current.step(Step::LogInclusion).held(), "{log:?}: {:?}", current.steps);
        }
        // No time is proven: the key may have signed while it was in force, and logs end without taking back what they hold.
        let bundle = signed_by(&stage, &stage.p256, log, false);
        let historical = proof(&bundle, Trial::Key { key: key(&stage.p256), root: Some(root_until(&before)) }, now());
        assert!(historical.step(Step::LogInclusion).held(), "{log:?}: {:?}", historical.steps);
    }
}

/// A certificate that names more than a policy can say is for others too.
#[test]
fn a_name_of_a_kind_that_no_policy_means_does_not_pass_unseen() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    let good = || Name::Uri(RELEASE.to_owned());
    let others = [
        (Name::Ip([192, 0, 2, 7]), "IP address 192.0.2.7"),
        (Name::Directory("other release"), "directory name CN=other release,O=seaworthy.test"),
        (Name::Other("1.3.6.1.4.1.311.20.2.3", RELEASE.to_owned()), "other name of type 1.3.6.1.4.1.311.20.2.3"),
    ];
    let says = |names: Vec<Name>| {
        let bundle = signed_by(&stage, &own_signer(&stage, names, "2030-01-01T00:00:00Z"), Log::None, true);
        let trial = Trial::Certificate { authorities: own_authority(&stage), root: Some(root(Ok(&trusted), None)) };
        let signer = proof(&bundle, trial, now()).signer;
        let Some(seaworthy::model::Signer::Certificate(claims)) = signer else { panic!("{signer:?}") };
        let shown: Vec<_> = claims.names.iter().map(|name| name.text().to_owned()).collect();
        (judged(&stage, root(Ok(&trusted), None), "", &bundle), shown)
    };
    assert_eq!(says(vec![good()]), (Some(Verdict::Verified), vec![RELEASE.to_owned()]));
    for (other, shown) in others {
        let (verdict, names) = says(vec![good(), other]);
        assert_eq!(names, [RELEASE, shown]);
        assert_eq!(verdict, Some(Verdict::Rejected(Reason::IdentityMismatch)), "{shown}");
    }
}

/// The family compares with its own clock, also where a later moment was asked for.
#[test]
fn a_promise_later_than_the_clock_is_a_matter_of_the_clock() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    let later = at("2040-06-01T12:05:00Z");
    let future = Proofs::new(BOTH, false).at(later);
    let as_of = at("2041-01-01T00:00:00Z");
    let keyless = stage.sigstore.signer(&super::sigstore::claims_at(
        vec![Name::Uri(super::sigstore::WORKFLOW.to_owned())],
        super::sigstore::GITHUB,
        later,
    ));
    for (signer, trial) in [
        (&keyless, Trial::Keyless { root: root(Ok(&trusted), None) }),
        (&stage.p256, Trial::Key { key: key(&stage.p256), root: Some(root(Ok(&trusted), None)) }),
    ] {
        let bundle = stage.sigstore.envelope_bundle(Version::V03, signer, &statement(&image()), future);
        let proof = proof(&bundle, trial, as_of);
        assert!(is_unknown(proof.step(Step::LogInclusion), Cause::ClockSkew), "{:?}", proof.steps);
        assert!(!proof.is_lasting());
    }
    // That it is outside the certificate's validity is so at any time.
    let outside = stage.sigstore.envelope_bundle(Version::V03, &stage.release, &statement(&image()), future);
    let proof = proof(&outside, Trial::Keyless { root: root(Ok(&trusted), None) }, as_of);
    assert!(has_failed(proof.step(Step::CertificateValidity), Reason::CertificateExpiredAtSigning), "{:?}", proof.steps);
}

/// Beside an entry of the old kind a time stamp is one like any other.
#[test]
fn a_time_stamp_beside_an_old_log_entry_is_looked_at() {
    let stage = Stage::new();
    let trusted = stage.sigstore.trusted_root();
    let stamped = |stamp: &dyn Fn(&[u8]) -> Vec<u8>| {
        let layer = old_envelope(&stage);
        let envelope: Value = serde_json::from_slice(&layer.bytes).unwrap();
        let signature = unbase64(envelope["signatures"][0]["sig"].as_str().unwrap());
        let layer = layer.with(STAMP, json!({ "SignedRFC3161Timestamp": base64(stamp(&signature)) }).to_string());
        let (proofs, _) = tried_layer(layer, &[Trial::Keyless { root: root(Ok(&trusted), Some("2026-03-01T00:00:00Z")) }], now());
        let [proof] = <[Proof; 1]>::try_from(proofs).unwrap();
        proof
    };
    let tsa = &stage.sigstore.tsa;
    let good = stamped(&|signature| tsa.stamp(signature, signed_at() + SignedDuration::from_secs(5)));
    assert!(good.step(Step::TimeStamp).held() && good.step(Step::Signature).held(), "{:?}", good.steps);
    assert_eq!(good.times.len(), 2);
    let late = stamped(&|signature| tsa.stamp(signature, signed_at() + SignedDuration::from_hours(1)));
    assert!(has_failed(late.step(Step::CertificateValidity), Reason::CertificateExpiredAtSigning), "{:?}", late.steps);
    let bad = stamped(&|_| tsa.stamp(b"another signature", signed_at()));
    assert!(has_failed(bad.step(Step::TimeStamp), Reason::TimestampInvalid) && bad.step(Step::Signature).held(), "{:?}", bad.steps);
    let newer = stamped(&|signature| stage.stranger.tsa.stamp(signature, signed_at()));
    assert!(is_unknown(newer.step(Step::TimeStamp), Cause::TrustRootTooOld), "{:?}", newer.steps);
}
