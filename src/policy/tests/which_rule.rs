//! Which rules apply, and how many have to agree.

use super::{OPS, at, image, key, now, ops, own_certificate, policy, proof, says, statement};
use crate::documents::Revocation;
use crate::model::{
    AuthorityMaterial, Cause, ImageEvidence, PlaceOutcome, Proof, Reason, Signer, StepOutcome, Trial, TriedWith, UnknownAnswer, Verdict,
};
use crate::policy::{AsOf, Asked, RuleEffect, Ruling, TrustPolicies};

const TWO: &str = "  authorities: { ops: { key: { file: ops.pub } }, qa: { key: { file: qa.pub } }, dev: { key: { file: dev.pub } } }\n";
const TOO_FEW: Verdict = Verdict::Rejected(Reason::TooFewAuthorities);

fn gone() -> UnknownAnswer {
    UnknownAnswer { cause: Cause::TrustRootUnavailable, detail: "no such file".to_owned() }
}

/// Rules over three keys, 1 to 3, of `ops`, `qa` and `dev`; some of them cannot be read.
fn by_rules(rules: &str, unavailable: &[&str]) -> TrustPolicies {
    let material = ["ops", "qa", "dev"].into_iter().zip(1_u8..).map(|(name, seed)| {
        let keys = AuthorityMaterial::Keys(vec![key(seed)]);
        (name, if unavailable.contains(&name) { AuthorityMaterial::Unavailable(gone()) } else { keys })
    });
    TrustPolicies::new(vec![policy("p", &format!("{TWO}{rules}"), &material.collect::<Vec<_>>(), &[])])
}

/// An image that is signed by the keys with these seeds, as the trials of the policies find it.
fn signed_by(policies: &TrustPolicies, seeds: &[u8]) -> ImageEvidence {
    let tried = |trial: &Trial, number: u32, seed: u8| {
        let Trial::Key { key, .. } = trial else { panic!("by a key") };
        let mut proof = Proof { with: TriedWith::Key(key.fingerprint.clone()), ..proof(number) };
        proof.signer = Some(Signer::Key { fingerprint: key.fingerprint.clone() });
        if key.fingerprint != super::digest(seed) {
            proof.steps[1].1 = StepOutcome::failed(Reason::KeyMismatch, format!("it is not by key {}", key.fingerprint.short()));
        }
        proof
    };
    let statements = seeds.iter().map(|seed| {
        let proofs = policies.trials().iter().zip(0_u32..).map(|(trial, number)| tried(trial, number, *seed));
        statement(proofs.collect())
    });
    image(statements.collect())
}

fn verdict(policies: &TrustPolicies, seeds: &[u8]) -> Verdict {
    says(policies, &signed_by(policies, seeds), Asked::BY_POLICY).0.unwrap()
}

#[test]
fn default_rules_that_are_as_specific_say_nothing() {
    let policies = TrustPolicies::new(vec![policy("one", OPS, &[("ops", ops())], &[]), policy("two", OPS, &[("ops", ops())], &[])]);
    let (verdict, detail) = says(&policies, &image(vec![statement(vec![proof(0)])]), Asked::BY_POLICY);
    assert_eq!(verdict, Some(Verdict::Unknown(Cause::TrustRootUnavailable)));
    assert!(detail.contains("rule 1 of policy one") && detail.contains("rule 1 of policy two"), "{detail}");
    let repository = "registry.test/app".parse().unwrap();
    assert!(policies.explain(&repository).iter().all(|rule| rule.effect == RuleEffect::Tied));
}

#[test]
fn where_no_rule_matches_nobody_is_trusted_or_nothing_is_said() {
    let elsewhere = |otherwise: &str| {
        let rules = format!("  images: [{{ match: ['other.test/**'], require: {{ anyOf: [ops] }} }}]\n  otherwise: {otherwise}");
        by_rules(&rules, &[])
    };
    let rejecting = elsewhere("reject");
    let (verdict_of, detail) = says(&rejecting, &signed_by(&rejecting, &[1]), Asked::BY_POLICY);
    assert_eq!(verdict_of, Some(Verdict::Rejected(Reason::IdentityMismatch)));
    assert!(detail.ends_with("no rule of the trust policy is about registry.test/app"), "{detail}");
    assert_eq!(verdict(&rejecting, &[]), Verdict::Absent);
    let ignoring = elsewhere("ignore");
    assert_eq!(ignoring.judge(&signed_by(&ignoring, &[1]), &Asked::BY_POLICY, now()), Ruling::Irrelevant);
    // One policy that rejects is enough.
    let both = "  authorities: { ops: { key: { file: ops.pub } } }\n  images: [{ match: ['other.test/**'], require: { anyOf: [ops] } }]\n";
    let of = |name: &str, otherwise: &str| policy(name, &format!("{both}  otherwise: {otherwise}"), &[("ops", ops())], &[]);
    let mixed = TrustPolicies::new(vec![of("a", "ignore"), of("b", "reject")]);
    assert_eq!(says(&mixed, &image(Vec::new()), Asked::BY_POLICY).0, Some(Verdict::Absent));
}

#[test]
fn every_mandatory_rule_holds_beside_the_most_specific_default_one() {
    let rules = "  images:\n    - { match: ['**'], strength: mandatory, require: { anyOf: [ops] } }\n    - { match: ['registry.test/**'], require: { anyOf: [dev] } }\n    - { match: ['registry.test/app'], require: { anyOf: [qa] } }";
    let policies = by_rules(rules, &[]);
    assert_eq!(verdict(&policies, &[1, 2]), Verdict::Verified, "the overruled rule is not asked");
    assert_eq!(verdict(&policies, &[1, 3]), Verdict::Rejected(Reason::KeyMismatch));
    assert_eq!(verdict(&policies, &[2]), Verdict::Rejected(Reason::KeyMismatch), "the mandatory one");
    let effects: Vec<_> = policies.explain(&"registry.test/app".parse().unwrap()).iter().map(|rule| rule.effect).collect();
    assert_eq!(effects, [RuleEffect::Mandatory, RuleEffect::Overruled, RuleEffect::MostSpecific]);
    // A mandatory rule that fails is certain, whatever is not known of the default one.
    let unavailable = by_rules(rules, &["qa"]);
    assert_eq!(verdict(&unavailable, &[3]), Verdict::Rejected(Reason::KeyMismatch));
    assert_eq!(verdict(&unavailable, &[1]), Verdict::Unknown(Cause::TrustRootUnavailable));
}

#[test]
fn all_of_wants_each_of_them() {
    let rule = "  images: [{ match: ['**'], require: { allOf: [ops, qa] } }]";
    let policies = by_rules(rule, &[]);
    assert_eq!(verdict(&policies, &[1, 2]), Verdict::Verified);
    let (of_one, detail) = says(&policies, &signed_by(&policies, &[1]), Asked::BY_POLICY);
    assert_eq!(of_one, Some(TOO_FEW));
    assert!(detail.starts_with("1 of 2 authorities hold; it is not by key"), "{detail}");
    assert_eq!(verdict(&policies, &[3]), Verdict::Rejected(Reason::KeyMismatch));
    assert_eq!(verdict(&policies, &[]), Verdict::Absent);
    let unavailable = by_rules(rule, &["qa"]);
    assert_eq!(verdict(&unavailable, &[1, 2]), Verdict::Unknown(Cause::TrustRootUnavailable));
    assert_eq!(verdict(&unavailable, &[2]), Verdict::Rejected(Reason::KeyMismatch), "ops is certainly not there");
    // Two names for one key: each by itself holds.
    let spec = format!("{TWO}{rule}");
    let policies = TrustPolicies::new(vec![policy("p", &spec, &["ops", "qa", "dev"].map(|name| (name, ops())), &[])]);
    assert_eq!(verdict(&policies, &[1]), Verdict::Verified);
}

#[test]
fn at_least_counts_what_holds_and_what_may() {
    let rule = "  images: [{ match: ['**'], require: { atLeast: 2, of: [ops, qa, dev] } }]";
    let policies = by_rules(rule, &[]);
    assert_eq!(verdict(&policies, &[1, 3]), Verdict::Verified);
    assert_eq!(verdict(&policies, &[1, 1]), TOO_FEW, "one key on two signatures");
    let (_, detail) = says(&policies, &signed_by(&policies, &[1, 9]), Asked::BY_POLICY);
    assert!(detail.starts_with("1 of 2 different signers hold; it is not by key"), "{detail}");
    let unavailable = by_rules(rule, &["dev"]);
    assert_eq!(verdict(&unavailable, &[1, 2]), Verdict::Verified, "enough without it");
    assert_eq!(verdict(&unavailable, &[1, 3]), Verdict::Unknown(Cause::TrustRootUnavailable), "the other may be dev's");
    assert_eq!(verdict(&unavailable, &[3, 3]), Verdict::Unknown(Cause::TrustRootUnavailable));
    // One signature is never two, whosever else it may be.
    assert_eq!(verdict(&unavailable, &[1]), TOO_FEW);
    assert_eq!(verdict(&unavailable, &[]), Verdict::Absent);
    let mut silent = signed_by(&policies, &[1]);
    silent.places[0].outcome = PlaceOutcome::Unknown(UnknownAnswer { cause: Cause::Timeout, detail: String::new() });
    assert_eq!(says(&policies, &silent, Asked::BY_POLICY).0, Some(Verdict::Unknown(Cause::Timeout)));
}

#[test]
fn a_control_may_ask_for_more_signers_than_the_rule() {
    let asked = Asked { at_least: Some(2), ..Asked::BY_POLICY };
    for rule in ["anyOf: [ops, qa]", "allOf: [ops, qa]", "atLeast: 1, of: [ops, qa]"] {
        let policies = by_rules(&format!("  images: [{{ match: ['**'], require: {{ {rule} }} }}]"), &[]);
        assert_eq!(says(&policies, &signed_by(&policies, &[1, 2]), asked).0, Some(Verdict::Verified), "{rule}");
        assert_eq!(says(&policies, &signed_by(&policies, &[1]), asked).0, Some(TOO_FEW), "{rule}");
    }
    let policies = by_rules("  images: [{ match: ['**'], require: { atLeast: 3, of: [ops, qa, dev] } }]", &[]);
    assert_eq!(says(&policies, &signed_by(&policies, &[1, 2]), asked).0, Some(TOO_FEW), "never fewer than the rule");
}

#[test]
fn a_long_lived_key_does_not_count_where_an_identity_is_asked_for() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &[])]);
    let keyless = Asked { keyless_only: true, ..Asked::BY_POLICY };
    assert_eq!(says(&policies, &image(vec![statement(vec![proof(0)])]), keyless).0, Some(Verdict::Rejected(Reason::IdentityMismatch)));
    let ca = "  authorities: { ca: { certificate: { roots: { file: ca.pem }, subject: { exact: ops@acme.test } } } }\n  images: [{ match: ['**'], require: { anyOf: [ca] } }]";
    let material = [("ca", AuthorityMaterial::Certificates(vec![std::sync::Arc::from([9_u8])]))];
    let policies = TrustPolicies::new(vec![policy("p", ca, &material, &[])]);
    let signed = image(vec![statement(vec![own_certificate(0, "ops@acme.test", 1)])]);
    assert_eq!(says(&policies, &signed, Asked::BY_POLICY).0, Some(Verdict::Verified));
    assert_eq!(says(&policies, &signed, keyless).0, Some(Verdict::Rejected(Reason::IdentityMismatch)));
}

#[test]
fn what_is_revoked_is_so_for_one_statement_too() {
    let spec = format!("{OPS}\n  revocations: [{{ imageDigest: '{}', since: 2026-10-01, reason: backdoor }}]", super::digest(42));
    let policies = TrustPolicies::new(vec![policy("p", &spec, &[("ops", ops())], &[])]);
    let signed = statement(vec![proof(0)]);
    let check = |digest: u8, moment: &str| policies.check_statement(&signed, &super::digest(digest), AsOf::exactly(at(moment))).verdict;
    assert_eq!(check(42, "2026-11-01T00:00:00Z"), Verdict::Rejected(Reason::Revoked));
    assert_eq!(check(42, "2026-09-01T00:00:00Z"), Verdict::Verified, "not yet");
    assert_eq!(check(43, "2026-11-01T00:00:00Z"), Verdict::Verified, "another artifact");
}

#[test]
fn who_names_nobody_says_nothing() {
    let policies = by_rules("  images: [{ match: ['**'], require: { anyOf: [ops] } }]", &[]);
    let asked = Asked { by: crate::policy::AskedBy::Authorities(&[]), ..Asked::BY_POLICY };
    assert_eq!(says(&policies, &signed_by(&policies, &[1]), asked).0, Some(Verdict::Unknown(Cause::TrustRootUnavailable)));
}

/// A policy of keys (PEM) that a control trusts, as the command line makes it.
fn of_keys(pem: &str, seed: u8) -> crate::policy::NamedPolicy {
    let spec =
        format!("  authorities: {{ key-1: {{ key: {{ data: {pem} }} }} }}\n  images: [{{ match: ['**'], require: {{ anyOf: [key-1] }} }}]");
    let made = policy("keys", &spec, &[("key-1", AuthorityMaterial::Keys(vec![key(seed)]))], &[]);
    crate::policy::NamedPolicy { origin: crate::policy::PolicyOrigin::Keys, ..made }
}

#[test]
fn what_one_control_trusts_no_other_does() {
    let policies = TrustPolicies::new(vec![of_keys("pem-one", 1), of_keys("pem-two", 2)]);
    let (one, two, three) = (["pem-one".to_owned()], ["pem-two".to_owned()], ["pem-three".to_owned()]);
    let says = |keys: &[String]| says(&policies, &signed_by(&policies, &[1]), Asked { keys, ..Asked::BY_POLICY }).0;
    assert_eq!(says(&one), Some(Verdict::Verified));
    assert_eq!(says(&two), Some(Verdict::Rejected(Reason::KeyMismatch)));
    for none in [&[][..], &three] {
        assert_eq!(says(none), Some(Verdict::Rejected(Reason::IdentityMismatch)), "no rule is about it");
    }
    // Where a policy has a rule, that is what counts.
    let ruled = TrustPolicies::new(vec![of_keys("pem-one", 1), policy("p", OPS, &[("ops", AuthorityMaterial::Keys(vec![key(3)]))], &[])]);
    let (verdict, _) = super::says(&ruled, &signed_by(&ruled, &[1]), Asked { keys: &one, ..Asked::BY_POLICY });
    assert_eq!(verdict, Some(Verdict::Rejected(Reason::KeyMismatch)));
}

#[test]
fn a_revocation_that_is_tried_out_changes_nothing_else() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &[])]);
    let revocation = Revocation {
        key: Some(super::digest(1)),
        identity: None,
        issuer: None,
        source_digest: None,
        image_digest: None,
        since: None,
        reason: "r".to_owned(),
    };
    let signed = image(vec![statement(vec![proof(0)])]);
    assert_eq!(says(&policies.with_revocation(&revocation), &signed, Asked::BY_POLICY).0, Some(Verdict::Rejected(Reason::Revoked)));
    assert_eq!(says(&policies, &signed, Asked::BY_POLICY).0, Some(Verdict::Verified));
}
