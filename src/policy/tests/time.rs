//! When it was signed, against what the policy says of time.

use std::sync::Arc;

use super::{OPS, at, image, logged, ops, own_certificate, policy, proof, statement, unknown};
use crate::model::{AuthorityMaterial, Cause, Proof, ProvenTime, Reason, Step, StepOutcome, TimeSource, Verdict};
use crate::policy::{AsOf, Asked, TrustPolicies};

const NOW: &str = "2026-11-01T00:00:00Z";
const ENDED: Verdict = Verdict::Rejected(Reason::AuthorityExpired);
const REVOKED: Verdict = Verdict::Rejected(Reason::Revoked);
const NOT_KNOWN: Verdict = Verdict::Unknown(Cause::TrustRootUnavailable);

/// The policy of one key, with more said of the key, and below.
fn with(more: &str, below: &str) -> TrustPolicies {
    let spec = OPS.replace("ops.pub } }", &format!("ops.pub }}{more} }}"));
    TrustPolicies::new(vec![policy("p", &format!("{spec}\n{below}"), &[("ops", ops())], &["corp"])])
}

fn judged(policies: &TrustPolicies, proofs: Vec<Proof>, as_of: AsOf) -> Verdict {
    policies.judge(&image(vec![statement(proofs)]), &Asked::BY_POLICY, as_of).verdict().unwrap()
}

fn verdict(policies: &TrustPolicies, proof: Proof) -> Verdict {
    judged(policies, vec![proof], AsOf::exactly(at(NOW)))
}

fn rewound(moment: &str) -> AsOf {
    AsOf { rewound: true, ..AsOf::exactly(at(moment)) }
}

fn stamped(mut proof: Proof, moment: &str) -> Proof {
    proof.steps.push((Step::TimeStamp, StepOutcome::Held(String::new())));
    proof.times.push(ProvenTime { at: at(moment), by: TimeSource::TimeStampAuthority });
    proof.times.sort();
    proof
}

/// A log entry that cannot be checked.
fn doubtful() -> Proof {
    unknown(proof(0), &[Step::LogInclusion])
}

#[test]
fn an_authority_is_trusted_from_its_first_moment_to_its_last() {
    for (more, signed, expected) in [
        (", validUntil: 2026-06-30", "2026-06-30T23:59:59Z", Verdict::Verified),
        (", validUntil: 2026-06-30", "2026-07-01T00:00:00Z", ENDED),
        (", validUntil: 2026-06-30T12:00:00Z", "2026-06-30T11:59:59Z", Verdict::Verified),
        (", validUntil: 2026-06-30T12:00:00Z", "2026-06-30T12:00:00Z", ENDED),
        (", validUntil: '2026-06-30T12:00:00+02:00'", "2026-06-30T10:00:00Z", ENDED),
        (", validUntil: '2026-06-30T12:00:00+02:00'", "2026-06-30T09:59:59Z", Verdict::Verified),
        (", validFrom: 2026-06-30", "2026-06-30T00:00:00Z", Verdict::Verified),
        (", validFrom: 2026-06-30", "2026-06-29T23:59:59Z", ENDED),
        (", validFrom: 2026-06-30, validUntil: 2026-06-30", "2026-06-30T12:00:00Z", Verdict::Verified),
    ] {
        assert_eq!(verdict(&with(more, ""), logged(proof(0), signed)), expected, "{more}: {signed}");
    }
}

#[test]
fn without_a_proven_time_it_may_have_been_signed_at_any() {
    assert_eq!(verdict(&with(", validUntil: 2026-11-30", ""), proof(0)), Verdict::Verified, "not ended yet");
    assert_eq!(verdict(&with(", validUntil: 2026-06-30", ""), proof(0)), ENDED);
    assert_eq!(verdict(&with(", validFrom: 2026-06-30", ""), proof(0)), ENDED, "it may be older");
    let ignored = with(", validUntil: 2026-06-30, provenTime: unsafeIgnore", "");
    assert_eq!(verdict(&ignored, logged(proof(0), "2026-03-01T00:00:00Z")), ENDED, "what is not looked at proves nothing");
    assert_eq!(judged(&with(", validUntil: 2026-06-30", ""), vec![proof(0)], rewound("2026-05-01T00:00:00Z")), Verdict::Verified);
}

#[test]
fn the_earliest_of_several_times_counts() {
    let both = stamped(logged(proof(0), "2026-08-01T00:00:00Z"), "2026-03-01T00:00:00Z");
    assert_eq!(verdict(&with(", validUntil: 2026-06-30", ""), both.clone()), Verdict::Verified);
    assert_eq!(verdict(&with(", validFrom: 2026-06-30", ""), both), ENDED);
    let by_log = stamped(logged(proof(0), "2026-03-01T00:00:00Z"), "2026-08-01T00:00:00Z");
    assert_eq!(verdict(&with(", validUntil: 2026-06-30, transparencyLog: unsafeIgnore", ""), by_log), ENDED, "the log is not looked at");
}

#[test]
fn a_time_that_cannot_be_checked_does_not_end_an_authority() {
    for more in [", validUntil: 2026-06-30", ", validFrom: 2026-06-30", ", provenTime: required"] {
        assert_eq!(verdict(&with(more, ""), doubtful()), NOT_KNOWN, "{more}");
    }
    let late = stamped(doubtful(), "2026-08-01T00:00:00Z");
    assert_eq!(verdict(&with(", validUntil: 2026-06-30", ""), late), NOT_KNOWN, "the log may show an earlier one");
    let early = stamped(doubtful(), "2026-03-01T00:00:00Z");
    assert_eq!(verdict(&with(", validFrom: 2026-06-30", ""), early), ENDED, "an earlier one would be too early too");
    let ignored = with(", validUntil: 2026-06-30, transparencyLog: unsafeIgnore", "");
    assert_eq!(verdict(&ignored, doubtful()), ENDED, "the log is not looked at");
}

#[test]
fn what_is_proven_to_be_older_than_its_revocation_counts() {
    let revoked = |since: &str| with("", &format!("  revocations: [{{ key: '{}'{since}, reason: stolen }}]", super::digest(1)));
    let since = revoked(", since: 2026-10-01T00:00:00Z");
    assert_eq!(verdict(&since, logged(proof(0), "2026-09-30T23:59:59Z")), Verdict::Verified);
    assert_eq!(verdict(&since, logged(proof(0), "2026-10-01T00:00:00Z")), REVOKED);
    assert_eq!(verdict(&since, proof(0)), REVOKED, "it may have been signed since");
    assert_eq!(judged(&since, vec![proof(0)], rewound("2026-09-01T00:00:00Z")), Verdict::Verified, "not yet");
    assert_eq!(verdict(&since, doubtful()), NOT_KNOWN);
    assert_eq!(verdict(&revoked(", since: 2026-10-01"), logged(proof(0), "2026-09-30T23:59:59Z")), Verdict::Verified);
    assert_eq!(verdict(&revoked(""), logged(proof(0), "2026-01-01T00:00:00Z")), REVOKED, "whenever it was signed");
    assert_eq!(verdict(&revoked(""), doubtful()), REVOKED, "no time would help");
    let ended_too = with(", validUntil: 2026-06-30", &format!("  revocations: [{{ key: '{}', reason: stolen }}]", super::digest(1)));
    assert_eq!(verdict(&ended_too, doubtful()), REVOKED, "a failure is certain, so it comes before what is not known");
}

#[test]
fn what_is_later_than_the_moment_is_not_there() {
    let policies = with("", "");
    let at_log = || logged(proof(0), "2026-08-01T00:00:00Z");
    assert_eq!(judged(&policies, vec![at_log()], rewound("2026-07-31T23:59:59Z")), Verdict::Absent);
    assert_eq!(judged(&policies, vec![at_log()], rewound("2026-08-01T00:00:00Z")), Verdict::Verified);
    assert_eq!(judged(&policies, vec![at_log()], AsOf::exactly(at("2026-07-01T00:00:00Z"))), Verdict::Unknown(Cause::ClockSkew));
    let early = stamped(at_log(), "2026-03-01T00:00:00Z");
    assert_eq!(judged(&policies, vec![early], rewound("2026-04-01T00:00:00Z")), Verdict::Verified, "one proof of its time is enough");
    assert_eq!(judged(&policies, vec![doubtful()], rewound("2026-04-01T00:00:00Z")), NOT_KNOWN, "the log may show that it is later");
    let late = stamped(doubtful(), "2026-08-01T00:00:00Z");
    assert_eq!(judged(&policies, vec![late], rewound("2026-04-01T00:00:00Z")), NOT_KNOWN, "the log may show that it is earlier");
}

#[test]
fn one_root_shows_that_it_is_later_whatever_another_does_not_know() {
    let policies = TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["a", "b"])]);
    let foreign = |trial: u32| {
        let mut proof = proof(trial);
        proof.steps.push((Step::LogInclusion, StepOutcome::failed(Reason::LogSignatureInvalid, "the log is not one of trust root a")));
        proof
    };
    let both = || vec![foreign(0), logged(proof(1), "2026-08-01T00:00:00Z")];
    assert_eq!(judged(&policies, both(), rewound("2026-07-01T00:00:00Z")), Verdict::Absent);
    assert_eq!(judged(&policies, both(), rewound("2026-09-01T00:00:00Z")), Verdict::Verified);
}

#[test]
fn a_certificate_that_has_expired_may_have_signed_in_time() {
    let spec = "  authorities: { ca: { certificate: { roots: { file: ca.pem }, subject: { exact: ops@acme.test } } } }\n  images: [{ match: ['**'], require: { anyOf: [ca] } }]";
    let material = [("ca", AuthorityMaterial::Certificates(vec![Arc::from([9_u8])]))];
    let policies = TrustPolicies::new(vec![policy("p", spec, &material, &["corp"])]);
    let expired = || {
        let mut proof = own_certificate(0, "ops@acme.test", 1);
        proof.steps.retain(|(step, _)| !matches!(step, Step::CertificateChain | Step::CertificateValidity | Step::Signature));
        proof.steps.push((Step::CertificateValidity, StepOutcome::failed(Reason::CertificateExpiredAtSigning, "expired")));
        proof
    };
    assert_eq!(verdict(&policies, expired()), Verdict::Rejected(Reason::CertificateExpiredAtSigning));
    assert_eq!(verdict(&policies, unknown(expired(), &[Step::LogInclusion])), NOT_KNOWN, "the log may show when");
}
