//! Who signed, against whom the policy means, and what is told where it is somebody else.

use std::collections::BTreeMap;

use super::{digest, image, logged, policy, proof, says, statement};
use crate::model::{CertificateClaims, Proof, Reason, Signer, Step, StepOutcome, SubjectName, TriedWith, Verdict};
use crate::policy::{Asked, TrustPolicies};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1";
const EXACT: &str = "{ exact: 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1' }";

fn wanting(subject: &str, more: &str) -> TrustPolicies {
    let keyless = format!("{{ trustRoot: public, issuer: {{ exact: '{ISSUER}' }}, subject: {subject}{more} }}");
    let spec = format!(
        "  trustRoots: {{ public: {{ file: r.json }} }}\n  authorities: {{ release: {{ keyless: {keyless} }} }}\n  images: [{{ match: ['**'], require: {{ anyOf: [release] }} }}]"
    );
    TrustPolicies::new(vec![policy("p", &spec, &[], &["public"])])
}

fn claims(names: &[&str]) -> CertificateClaims {
    CertificateClaims {
        names: names.iter().map(|name| SubjectName::Uri((*name).to_owned())).collect(),
        subject: String::new(),
        issuer: Some(ISSUER.to_owned()),
        extensions: BTreeMap::new(),
        fingerprint: digest(80),
        key: digest(81),
        not_before: super::at("2026-09-30T23:55:00Z"),
        not_after: super::at("2026-10-01T00:05:00Z"),
    }
}

fn by(claims: CertificateClaims) -> Proof {
    let mut proof = logged(proof(0), "2026-10-01T00:00:00Z");
    let held =
        [Step::CertificateChain, Step::CertificateLog, Step::CertificateValidity].map(|step| (step, StepOutcome::Held(String::new())));
    proof.steps.extend(held);
    Proof { with: TriedWith::Root("public".to_owned()), signer: Some(Signer::Certificate(Box::new(claims))), ..proof }
}

fn judged(policies: &TrustPolicies, claims: CertificateClaims) -> (Verdict, String) {
    let (verdict, detail) = says(policies, &image(vec![statement(vec![by(claims)])]), Asked::BY_POLICY);
    (verdict.unwrap(), detail)
}

#[test]
fn the_name_has_to_be_the_wanted_one_from_end_to_end() {
    let pattern = r"{ regexp: 'https://github\.com/acme/[^/]+/\.github/workflows/release\.yml@refs/tags/v.*' }";
    for subject in [EXACT, pattern] {
        assert_eq!(judged(&wanting(subject, ""), claims(&[WORKFLOW])).0, Verdict::Verified, "{subject}");
        let evil = format!("https://evil.test/?{WORKFLOW}");
        let (verdict, detail) = judged(&wanting(subject, ""), claims(&[&evil]));
        assert_eq!(verdict, Verdict::Rejected(Reason::IdentityMismatch), "{subject}");
        assert!(detail.starts_with(&format!("signed by {evil} (issuer {ISSUER}); the policy wants ")), "{detail}");
        assert_eq!(judged(&wanting(subject, ""), claims(&[])).0, Verdict::Rejected(Reason::IdentityMismatch), "nobody by name");
    }
    assert_eq!(judged(&wanting(EXACT, ""), claims(&[&WORKFLOW.to_uppercase()])).0, Verdict::Rejected(Reason::IdentityMismatch));
}

#[test]
fn a_certificate_of_two_names_is_the_others_as_much() {
    let other = "https://github.com/evil/app/.github/workflows/release.yml@refs/tags/v1";
    for names in [[WORKFLOW, other], [other, WORKFLOW]] {
        let (verdict, detail) = judged(&wanting(EXACT, ""), claims(&names));
        assert_eq!(verdict, Verdict::Rejected(Reason::IdentityMismatch));
        assert!(detail.contains(&format!("{names:?}")), "{detail}");
    }
    assert_eq!(judged(&wanting(EXACT, ""), claims(&[WORKFLOW, WORKFLOW])).0, Verdict::Verified);
}

#[test]
fn an_identity_is_as_good_as_its_issuer() {
    for issuer in [Some(format!("{ISSUER}.evil.test")), Some(format!("{ISSUER}/")), Some(String::new()), None] {
        let (verdict, detail) = judged(&wanting(EXACT, ""), CertificateClaims { issuer: issuer.clone(), ..claims(&[WORKFLOW]) });
        assert_eq!(verdict, Verdict::Rejected(Reason::IssuerMismatch), "{issuer:?}");
        assert!(detail.ends_with(&format!("the policy wants {WORKFLOW} (issuer {ISSUER})")), "{detail}");
    }
}

#[test]
fn an_extension_has_to_be_there_and_be_the_wanted_one() {
    let wanted = wanting(
        EXACT,
        ", extensions: { runnerEnvironment: github-hosted }, extensionsRegexp: { sourceRepositoryRef: 'refs/tags/v[0-9]+' }",
    );
    let with = |pairs: &[(&str, &str)]| {
        let extensions = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        judged(&wanted, CertificateClaims { extensions, ..claims(&[WORKFLOW]) })
    };
    let hosted = ("runnerEnvironment", "github-hosted");
    assert_eq!(with(&[hosted, ("sourceRepositoryRef", "refs/tags/v1"), ("buildTrigger", "push")]).0, Verdict::Verified);
    for (found, told) in [
        (&[hosted][..], "whose certificate has no sourceRepositoryRef; the policy wants /refs/tags/v[0-9]+/"),
        (&[hosted, ("sourceRepositoryRef", "refs/tags/v1-evil")], r#"has "refs/tags/v1-evil" as sourceRepositoryRef"#),
        (&[("sourceRepositoryRef", "refs/tags/v1")], "has no runnerEnvironment; the policy wants github-hosted"),
        (&[("runnerEnvironment", "self-hosted"), ("sourceRepositoryRef", "refs/tags/v1")], r#"has "self-hosted" as runnerEnvironment"#),
    ] {
        let (verdict, detail) = with(found);
        assert_eq!(verdict, Verdict::Rejected(Reason::ExtensionMismatch), "{found:?}");
        assert!(detail.contains(told), "{detail}");
    }
}

#[test]
fn the_nearest_thing_is_told() {
    let policies = wanting(EXACT, ", extensions: { runnerEnvironment: github-hosted }");
    let other_name = by(claims(&["https://github.com/evil"]));
    let other_extension = by(claims(&[WORKFLOW]));
    let mut broken = by(claims(&[WORKFLOW]));
    broken.steps.retain(|(step, _)| *step != Step::Signature);
    broken.steps.push((Step::Signature, StepOutcome::failed(Reason::SignatureInvalid, "it is torn")));
    let told = |proofs: Vec<Proof>| {
        let statements = proofs.into_iter().map(|proof| statement(vec![proof])).collect();
        says(&policies, &image(statements), Asked::BY_POLICY).0
    };
    assert_eq!(told(vec![broken.clone()]), Some(Verdict::Rejected(Reason::SignatureInvalid)));
    assert_eq!(told(vec![broken.clone(), other_name.clone()]), Some(Verdict::Rejected(Reason::IdentityMismatch)), "that one holds");
    assert_eq!(told(vec![other_extension.clone(), broken]), Some(Verdict::Rejected(Reason::ExtensionMismatch)));
    // A signature by a key is further away than either.
    let by_key = statement(vec![Proof { trial: 7, ..proof(0) }]);
    let image_of = |statements| says(&policies, &image(statements), Asked::BY_POLICY);
    let (verdict, detail) = image_of(vec![by_key.clone()]);
    assert_eq!(verdict, Some(Verdict::Rejected(Reason::IdentityMismatch)));
    assert_eq!(detail, format!("signed by a key; the policy wants {WORKFLOW} (issuer {ISSUER})"));
    assert_eq!(image_of(vec![by_key, statement(vec![other_extension])]).0, Some(Verdict::Rejected(Reason::ExtensionMismatch)));
}

#[test]
fn a_revoked_identity_or_source_is_nobody() {
    let revoking = |what: &str| {
        let spec = format!("  revocations: [{{ {what}, reason: archived }}]");
        let keyless = format!("{{ trustRoot: public, issuer: {{ exact: '{ISSUER}' }}, subject: {EXACT} }}");
        let trust = format!(
            "  trustRoots: {{ public: {{ file: r.json }} }}\n  authorities: {{ release: {{ keyless: {keyless} }} }}\n  images: [{{ match: ['**'], require: {{ anyOf: [release] }} }}]\n{spec}"
        );
        TrustPolicies::new(vec![policy("p", &trust, &[], &["public"])])
    };
    let commit = "a".repeat(40);
    let extensions = BTreeMap::from([("sourceRepositoryDigest".to_owned(), commit.clone())]);
    let signed = || CertificateClaims { extensions: extensions.clone(), ..claims(&[WORKFLOW]) };
    for (what, expected) in [
        (format!("identity: {EXACT}, issuer: {{ exact: '{ISSUER}' }}"), Verdict::Rejected(Reason::Revoked)),
        (format!("identity: {EXACT}, issuer: {{ exact: 'https://other.test' }}"), Verdict::Verified),
        (format!("identity: {{ regexp: 'https://github\\.com/acme/app' }}, issuer: {{ exact: '{ISSUER}' }}"), Verdict::Verified),
        (format!("sourceDigest: {commit}"), Verdict::Rejected(Reason::Revoked)),
        (format!("sourceDigest: {}", "b".repeat(40)), Verdict::Verified),
        (format!("key: '{}'", digest(81)), Verdict::Rejected(Reason::Revoked)),
        (format!("key: '{}'", digest(80)), Verdict::Verified),
    ] {
        assert_eq!(judged(&revoking(&what), signed()).0, expected, "{what}");
    }
}
