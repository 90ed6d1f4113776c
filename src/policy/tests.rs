//! Rulings over hand-made proofs: what the contract says, without cryptography.

mod attested;
mod identity;
mod knowledge;
mod shipped_builders;
mod slsa;
mod time;
mod which_rule;

use std::sync::Arc;

use jiff::Timestamp;

use super::{AsOf, Asked, NamedPolicy, PolicyOrigin, Ruling, TrustPolicies};
use crate::documents::{Document, parse};
use crate::model::{
    AuthorityMaterial, Carrier, Cause, CertificateClaims, CredentialKind, Digest, ImageEvidence, IndexAbove, LogRecord, ManifestPresence,
    PlaceOutcome, PlaceRecord, PolicyMaterial, Proof, ProvenTime, PublicKey, Reason, Relation, RootOrigin, Signer, Statement,
    StatementFormat, StatementSource, Step, StepOutcome, SubjectName, SubjectState, TagState, TimeSource, TriedWith, TrustRoot,
    UnknownAnswer, Verdict,
};

fn digest(seed: u8) -> Digest {
    Digest::from_sha256([seed; 32])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> AsOf {
    AsOf::exactly(at("2026-11-01T00:00:00Z"))
}

fn key(seed: u8) -> PublicKey {
    PublicKey { spki: Arc::from([seed]), fingerprint: digest(seed) }
}

fn root(name: &str) -> (String, Arc<TrustRoot>) {
    let origin = RootOrigin::File { path: name.to_owned() };
    let root = TrustRoot { name: name.to_owned(), origin, dated: None, without_logs: false, content: Ok(Arc::from(name.as_bytes())) };
    (name.to_owned(), Arc::new(root))
}

/// A policy by its text below `spec`, with its material.
fn policy(name: &str, spec: &str, authorities: &[(&str, AuthorityMaterial)], roots: &[&str]) -> NamedPolicy {
    let text = format!("apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: {name} }}\nspec:\n{spec}\n");
    let Document::TrustPolicy(named) = parse("policy.yaml", &text).unwrap().remove(0) else { panic!("a trust policy") };
    let authorities = authorities.iter().map(|(name, material)| ((*name).to_owned(), material.clone())).collect();
    let roots = roots.iter().map(|name| root(name)).collect();
    let material = PolicyMaterial { roots, authorities };
    NamedPolicy { name: named.name, policy: named.policy, material, origin: PolicyOrigin::Document }
}

const OPS: &str = "  authorities: { ops: { key: { file: ops.pub } } }\n  images: [{ match: ['**'], require: { anyOf: [ops] } }]";

fn ops() -> AuthorityMaterial {
    AuthorityMaterial::Keys(vec![key(1)])
}

/// What a trial by a key that signed gave.
fn proof(trial: u32) -> Proof {
    let held = |step: Step| (step, StepOutcome::Held(String::new()));
    let steps = [Step::Form, Step::Signature, Step::Subject].map(held).to_vec();
    let signer = Some(Signer::Key { fingerprint: digest(1) });
    Proof { trial, with: TriedWith::Key(digest(1)), root: None, signer, steps, times: Vec::new(), log: None }
}

fn unknown(mut proof: Proof, steps: &[Step]) -> Proof {
    proof.steps.extend(steps.iter().map(|step| (*step, StepOutcome::unknown(Cause::TrustRootUnavailable, "no root"))));
    proof
}

fn logged(mut proof: Proof, moment: &str) -> Proof {
    proof.steps.extend([Step::LogEntry, Step::LogInclusion].map(|step| (step, StepOutcome::Held(String::new()))));
    proof.times.push(ProvenTime { at: at(moment), by: TimeSource::Log });
    proof.log = Some(LogRecord { index: 7, log: "ab".to_owned(), address: None });
    proof
}

fn statement(proofs: Vec<Proof>) -> Statement {
    Statement {
        format: StatementFormat::SimpleSigning,
        source: StatementSource::CosignTag,
        place: "registry.test/app".to_owned(),
        carrier: Carrier::Itself,
        relation: Relation::Names,
        manifest: Some(digest(90)),
        content: digest(91),
        annotations: None,
        proofs: proofs.into(),
        proofs_left_out: 0,
        attested: None,
    }
}

/// An image with these signatures; everything was looked at.
fn image(statements: Vec<Statement>) -> ImageEvidence {
    let outcome = PlaceOutcome::Looked(u32::try_from(statements.len()).unwrap());
    ImageEvidence {
        repository: "registry.test/app".parse().unwrap(),
        subject: SubjectState::Known(digest(42)),
        manifest: ManifestPresence::Seen { media_type: crate::model::OCI_MANIFEST.to_owned(), credential: CredentialKind::Anonymous },
        tag: TagState::Unmoved,
        statements,
        places: vec![PlaceRecord { place: "registry.test/app".to_owned(), outcome, attestations: None, observed: None }],
        children: Vec::new(),
        platforms: Vec::new(),
        index: IndexAbove::None,
        warnings: Vec::new(),
    }
}

fn says(policies: &TrustPolicies, image: &ImageEvidence, asked: Asked<'_>) -> (Option<Verdict>, String) {
    let ruling = policies.judge(image, &asked, now());
    let detail = match &ruling {
        Ruling::Rejected { detail, .. } | Ruling::Unknown { detail, .. } => detail.clone(),
        _ => String::new(),
    };
    (ruling.verdict(), detail)
}

const LOG: Asked<'static> = Asked { transparency_log: true, ..Asked::BY_POLICY };
const TIME: Asked<'static> = Asked { proven_time: true, ..Asked::BY_POLICY };

#[test]
fn a_proof_that_a_control_asks_for_and_that_cannot_be_checked_is_not_known() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["corp"])]);
    let steps = [Step::LogEntry, Step::LogInclusion, Step::TimeStamp];
    let image = image(vec![statement(vec![unknown(proof(0), &steps)])]);
    assert_eq!(says(&policies, &image, Asked::BY_POLICY).0, Some(Verdict::Verified), "the signature stands by its key");
    for asked in [LOG, TIME] {
        let (verdict, detail) = says(&policies, &image, asked);
        assert_eq!(verdict, Some(Verdict::Unknown(Cause::TrustRootUnavailable)), "{detail}");
    }
}

#[test]
fn what_is_not_there_at_all_is_a_rejection() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["corp"])]);
    let image = image(vec![statement(vec![proof(0)])]);
    assert_eq!(says(&policies, &image, LOG).0, Some(Verdict::Rejected(Reason::LogEntryMissing)));
    assert_eq!(says(&policies, &image, TIME).0, Some(Verdict::Rejected(Reason::TimestampMissing)));
}

/// Rules over `registry.test/app`, where `ops` signed and `others` did not.
fn ruled(rules: &str) -> (Option<Verdict>, String) {
    let spec = format!("  authorities: {{ ops: {{ key: {{ file: a }} }}, others: {{ key: {{ file: b }} }} }}\n  images:\n{rules}");
    let material = [("ops", ops()), ("others", AuthorityMaterial::Keys(vec![key(9)]))];
    let policies = TrustPolicies::new(vec![policy("p", &spec, &material, &[])]);
    let position =
        policies.trials().iter().position(|trial| matches!(trial, crate::model::Trial::Key { key, .. } if key.fingerprint == digest(1)));
    let proof = proof(u32::try_from(position.unwrap()).unwrap());
    says(&policies, &image(vec![statement(vec![proof])]), Asked::BY_POLICY)
}

#[test]
fn the_most_specific_default_rule_and_every_mandatory_one_apply() {
    let rule = |pattern: &str, who: &str| format!("    - {{ match: ['{pattern}'], require: {{ anyOf: [{who}] }} }}\n");
    let mandatory = |pattern: &str, who: &str| rule(pattern, who).replace("require", "strength: mandatory, require");
    let verified = |rules: String| ruled(&rules).0 == Some(Verdict::Verified);
    assert!(verified(rule("**", "others") + &rule("registry.test/**", "ops")), "a longer beginning");
    assert!(!verified(rule("**", "ops") + &rule("registry.test/**", "others")), "whatever the order");
    assert!(verified(rule("registry.test/app", "ops") + &rule("registry.test/*", "others")), "a name without wildcards");
    assert!(!verified(rule("registry.test/app", "ops") + &mandatory("**", "others")), "a mandatory rule is not overruled");
    assert!(verified(rule("registry.test/app", "ops") + &mandatory("other.test/**", "others")), "of other images it says nothing");
    // Inside one document it is refused when that is read.
    let policies = ["one", "two"].map(|name| policy(name, OPS, &[("ops", ops())], &[]));
    let (tied, detail) = says(&TrustPolicies::new(policies.into()), &image(vec![statement(vec![proof(0)])]), Asked::BY_POLICY);
    assert!(matches!(tied, Some(Verdict::Unknown(_))), "a tie is an error");
    assert!(detail.contains("as specific for registry.test/app"), "{detail}");
}

/// Later than now is the clock's doing, and later than a moment that was asked for is not there yet.
#[test]
fn what_is_proven_to_be_later_is_not_known_now_and_not_there_as_of_then() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["corp"])]);
    let image = image(vec![statement(vec![logged(proof(0), "2026-11-01T00:10:01Z")])]);
    let tolerant = |minutes: i64, rewound: bool| AsOf { tolerance: jiff::SignedDuration::from_mins(minutes), rewound, ..now() };
    let says = |as_of: AsOf| policies.judge(&image, &Asked::BY_POLICY, as_of).verdict();
    assert_eq!(says(tolerant(10, false)), Some(Verdict::Unknown(Cause::ClockSkew)));
    assert_eq!(says(tolerant(11, false)), Some(Verdict::Verified), "within what clocks may differ");
    assert_eq!(says(tolerant(0, true)), Some(Verdict::Absent));
}

#[test]
fn what_the_policy_does_not_look_at_is_not_said_to_be_missing() {
    let signed = image(vec![statement(vec![logged(proof(0), "2026-10-01T00:00:00Z")])]);
    let told = |ignored: &str, asked: Asked<'_>| {
        let spec = OPS.replace("ops.pub } }", &format!("ops.pub }}, {ignored}: unsafeIgnore }}"));
        says(&TrustPolicies::new(vec![policy("p", &spec, &[("ops", ops())], &["corp"])]), &signed, asked)
    };
    let (verdict, detail) = told("transparencyLog", LOG);
    assert_eq!(verdict, Some(Verdict::Rejected(Reason::LogEntryMissing)));
    assert!(detail.contains("authority ops looks at no transparency log"), "{detail}");
    let (verdict, detail) = told("provenTime", TIME);
    assert_eq!(verdict, Some(Verdict::Rejected(Reason::TimestampMissing)));
    assert!(detail.contains("authority ops looks at no time of signing"), "{detail}");
    let (verdict, detail) = told("transparencyLog", TIME);
    assert_eq!(verdict, Some(Verdict::Rejected(Reason::TimestampMissing)));
    assert!(detail.contains("at no time that is proven without a transparency log"), "{detail}");
}

#[test]
fn what_is_certainly_not_there_comes_before_what_is_not_known() {
    let spec = OPS.replace("ops.pub } }", "ops.pub }, provenTime: unsafeIgnore }");
    let policies = TrustPolicies::new(vec![policy("p", &spec, &[("ops", ops())], &["corp"])]);
    let image = image(vec![statement(vec![unknown(proof(0), &[Step::LogInclusion])])]);
    let both = Asked { transparency_log: true, ..TIME };
    assert_eq!(says(&policies, &image, both).0, Some(Verdict::Rejected(Reason::TimestampMissing)));
}

#[test]
fn of_several_roots_the_one_that_shows_the_log_counts() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["a", "b"])]);
    assert_eq!(policies.trials().len(), 2, "one for each root");
    let image = image(vec![statement(vec![unknown(proof(0), &[Step::LogInclusion]), logged(proof(1), "2026-10-01T00:00:00Z")])]);
    for asked in [LOG, TIME] {
        let (verdict, detail) = says(&policies, &image, asked);
        assert_eq!(verdict, Some(Verdict::Verified), "{detail}");
    }
    let Ruling::Verified(held, _) = policies.judge(&image, &Asked::BY_POLICY, now()) else { panic!("verified") };
    assert!(held[0].log.is_some() && held[0].time.is_some(), "what is known is told: {}", held[0].told());
}

/// A certificate under the user's own authority, for the key with this seed.
fn own_certificate(trial: u32, name: &str, seed: u8) -> Proof {
    let claims = CertificateClaims {
        names: vec![SubjectName::Email(name.to_owned())],
        subject: String::new(),
        issuer: None,
        extensions: Default::default(),
        fingerprint: digest(80),
        key: digest(seed),
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2027-01-01T00:00:00Z"),
    };
    let mut proof = proof(trial);
    proof.steps.extend([Step::CertificateChain, Step::CertificateValidity].map(|step| (step, StepOutcome::Held(String::new()))));
    Proof { with: TriedWith::Authorities(digest(81)), signer: Some(Signer::Certificate(Box::new(claims))), ..proof }
}

#[test]
fn one_key_with_and_without_a_certificate_counts_once() {
    let spec = "  authorities:\n    ops: { key: { file: ops.pub } }\n    ca: { certificate: { roots: { file: ca.pem }, subject: { exact: ops@acme.test } } }\n  images: [{ match: ['**'], require: { atLeast: 2, of: [ops, ca] } }]";
    let material = [("ops", ops()), ("ca", AuthorityMaterial::Certificates(vec![Arc::from([9_u8])]))];
    let policies = TrustPolicies::new(vec![policy("p", spec, &material, &[])]);
    let position = |key: bool| policies.trials().iter().position(|trial| matches!(trial, crate::model::Trial::Key { .. }) == key).unwrap();
    let (by_key, by_ca) = (u32::try_from(position(true)).unwrap(), u32::try_from(position(false)).unwrap());
    let two = |seed: u8| image(vec![statement(vec![proof(by_key)]), statement(vec![own_certificate(by_ca, "ops@acme.test", seed)])]);
    assert_eq!(says(&policies, &two(2), Asked::BY_POLICY).0, Some(Verdict::Verified), "two keys");
    assert_eq!(says(&policies, &two(1), Asked::BY_POLICY).0, Some(Verdict::Rejected(Reason::TooFewAuthorities)), "one key");
}

#[test]
fn a_revocation_counts_whichever_policy_has_it() {
    let signed = image(vec![statement(vec![proof(0)])]);
    for what in [format!("key: '{}'", digest(1)), format!("imageDigest: '{}'", digest(42))] {
        let revoked = format!("  revocations: [{{ {what}, reason: stolen }}]");
        let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &[]), policy("revoked", &revoked, &[], &[])]);
        assert_eq!(says(&policies, &signed, Asked::BY_POLICY).0, Some(Verdict::Rejected(Reason::Revoked)), "{what}");
    }
}

#[test]
fn an_authority_that_two_policies_have_is_nobody_in_particular() {
    let one = || policy("one", OPS, &[("ops", ops())], &[]);
    let two = policy("two", OPS, &[("ops", AuthorityMaterial::Keys(vec![key(9)]))], &[]);
    let names = ["ops".to_owned()];
    let by = Asked { by: super::ruling::AskedBy::Authorities(&names), ..Asked::BY_POLICY };
    let signed = image(vec![statement(vec![proof(0)])]);
    assert_eq!(says(&TrustPolicies::new(vec![one()]), &signed, by).0, Some(Verdict::Verified));
    let (verdict, detail) = says(&TrustPolicies::new(vec![one(), two]), &signed, by);
    assert_eq!(verdict, Some(Verdict::Unknown(Cause::TrustRootUnavailable)));
    assert!(detail.contains("(one, two)"), "{detail}");
}

#[test]
fn policies_of_one_name_each_have_their_own_authorities() {
    let mandatory =
        "  authorities: { ops: { key: { file: ops.pub } } }\n  images: [{ match: ['**'], strength: mandatory, require: { anyOf: [ops] } }]";
    let other = AuthorityMaterial::Keys(vec![key(9)]);
    let policies = TrustPolicies::new(vec![policy("p", mandatory, &[("ops", ops())], &[]), policy("p", mandatory, &[("ops", other)], &[])]);
    let both = image(vec![statement(vec![proof(0)]), statement(vec![proof(1)])]);
    assert_eq!(says(&policies, &both, Asked::BY_POLICY).0, Some(Verdict::Verified));
    for one in [0, 1] {
        let image = image(vec![statement(vec![proof(one)])]);
        assert!(
            matches!(says(&policies, &image, Asked::BY_POLICY).0, Some(Verdict::Rejected(_))),
            "the other policy is not asked for nothing"
        );
    }
}

#[test]
fn a_revoked_index_revokes_what_it_carries() {
    let spec = format!("{OPS}\n  revocations: [{{ imageDigest: '{}', reason: backdoor }}]", digest(50));
    let policies = TrustPolicies::new(vec![policy("p", &spec, &[("ops", ops())], &[])]);
    let above = |index| ImageEvidence { index, ..image(vec![statement(vec![proof(0)])]) };
    assert_eq!(says(&policies, &above(IndexAbove::Lists(digest(50))), Asked::BY_POLICY).0, Some(Verdict::Rejected(Reason::Revoked)));
    assert_eq!(says(&policies, &above(IndexAbove::Lists(digest(51))), Asked::BY_POLICY).0, Some(Verdict::Verified), "another index");
    let silent = above(IndexAbove::Unknown(UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() }));
    let (verdict, _) = says(&policies, &silent, Asked::BY_POLICY);
    assert_eq!(verdict, Some(Verdict::Unknown(Cause::Timeout)), "what was not answered does not make it good");
    let Ruling::Verified(_, warnings) = policies.judge(&above(IndexAbove::NotAtHand), &Asked::BY_POLICY, now()) else { panic!("verified") };
    assert!(warnings.iter().any(|warning| warning.contains("not at hand")), "{warnings:?}");
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &[])]);
    assert_eq!(says(&policies, &silent, Asked::BY_POLICY).0, Some(Verdict::Verified), "no image is revoked");
}

/// A bundle by itself has no place and no index, and its image may be revoked all the same.
#[test]
fn a_revoked_image_is_not_verified_signature_by_signature() {
    let spec = format!("{OPS}\n  revocations: [{{ imageDigest: '{}', since: 2026-06-01, reason: backdoor }}]", digest(42));
    let policies = TrustPolicies::new(vec![policy("p", &spec, &[("ops", ops())], &[])]);
    let signed = statement(vec![proof(0)]);
    let checked = policies.check_statement(&signed, &digest(42), now());
    assert_eq!(checked.verdict, Verdict::Rejected(Reason::Revoked), "{checked:?}");
    assert!(checked.detail.contains("backdoor"), "{checked:?}");
    let in_force = checked.checks.iter().find(|(step, _)| *step == crate::model::PolicyStep::InForce).map(|(_, outcome)| outcome);
    assert!(matches!(in_force, Some(StepOutcome::Failed { reason: Reason::Revoked, .. })), "{checked:?}");
    assert_eq!(policies.check_statement(&signed, &digest(43), now()).verdict, Verdict::Verified, "another image");
    let before = AsOf::exactly(at("2026-05-31T23:59:59Z"));
    assert_eq!(policies.check_statement(&signed, &digest(42), before).verdict, Verdict::Verified, "not revoked yet");
    let by_image = policies.check(&image(vec![signed]), now());
    assert_eq!(by_image[0].1.verdict, Verdict::Rejected(Reason::Revoked), "{by_image:?}");
}
