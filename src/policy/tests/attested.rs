//! Attestations under the same policies as signatures.

use std::sync::Arc;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};

use super::{OPS, digest, image, logged, now, ops, policy, proof, statement, unknown};
use crate::documents::Quantifier;
use crate::model::{
    Attested, Carrier, Cause, ImageEvidence, Judgement, ManifestPresence, PROVENANCE_V1, Payload, PlaceOutcome, Predicate, Reason,
    Relation, Statement, StatementFormat, Step, SubjectState, UnknownAnswer, Verdict,
};
use crate::policy::{AskedBy, AskedToAttest, Attester, Ruling, TrustPolicies};

const WANTED: &str = "https://wanted.test/v1";

fn attestation(predicate_type: &str, proofs: Vec<crate::model::Proof>) -> Statement {
    let attested = Attested { predicate: Ok(Predicate::Other), time: None, payload: Payload::NotWanted };
    Statement {
        format: StatementFormat::Dsse { predicate_type: predicate_type.to_owned() },
        attested: Some(Arc::new(attested)),
        ..statement(proofs)
    }
}

/// A signature that cannot be checked.
fn doubtful(mut proof: crate::model::Proof) -> crate::model::Proof {
    proof.steps.retain(|(step, _)| *step != Step::Signature);
    unknown(proof, &[Step::Signature])
}

fn ours() -> Statement {
    attestation(WANTED, vec![proof(0)])
}

/// One that says the opposite: known by its source in these tests.
fn contradicting() -> Statement {
    Statement { content: digest(66), ..ours() }
}

fn strangers() -> Statement {
    attestation(WANTED, Vec::new())
}

fn policies() -> TrustPolicies {
    TrustPolicies::new(vec![policy("p", OPS, &[("ops", ops())], &["corp"])])
}

fn ruling(image: &ImageEvidence, quantifier: Quantifier) -> Ruling {
    let says = |statement: &Statement, _: &Attester<'_>| match statement.content == digest(66) {
        true => Judgement::fail(Reason::PredicateMismatch, "it says no"),
        false => Judgement::pass(),
    };
    let meant = |predicate_type: &str| predicate_type == WANTED;
    let asked = AskedToAttest { meant: &meant, called: "an attestation", by: AskedBy::Policy, quantifier, says: &says };
    policies().judge_attestations(image, &asked, now())
}

fn verdict(statements: Vec<Statement>, quantifier: Quantifier) -> Verdict {
    ruling(&image(statements), quantifier).verdict().unwrap()
}

const fn rejected(reason: Reason) -> Verdict {
    Verdict::Rejected(reason)
}

#[test]
fn an_attestation_is_judged_by_type_signer_and_subject() {
    let verdict = |statement: Statement| verdict(vec![statement], Quantifier::Any);
    assert_eq!(verdict(ours()), Verdict::Verified);
    assert_eq!(verdict(attestation(PROVENANCE_V1, vec![proof(0)])), Verdict::Absent, "of another type");
    assert_eq!(verdict(statement(vec![proof(0)])), Verdict::Absent, "a signature attests nothing");
    assert_eq!(verdict(strangers()), rejected(Reason::KeyMismatch));
    assert_eq!(verdict(contradicting()), rejected(Reason::PredicateMismatch));
    assert_eq!(verdict(Statement { relation: Relation::NamesOthers(vec![digest(7)]), ..ours() }), rejected(Reason::DigestMismatch));
    let unsigned = StatementFormat::Unsigned { predicate_type: WANTED.to_owned() };
    assert_eq!(verdict(Statement { format: unsigned, proofs: Arc::default(), ..ours() }), rejected(Reason::Unsigned));
    assert_eq!(verdict(Statement { carrier: Carrier::Index(digest(9)), ..ours() }), Verdict::Verified, "of the index above");
}

#[test]
fn an_unsigned_one_is_never_verified_whatever_proofs_stand_beside_it() {
    let unsigned = StatementFormat::Unsigned { predicate_type: WANTED.to_owned() };
    assert_eq!(verdict(vec![Statement { format: unsigned, ..ours() }], Quantifier::Any), rejected(Reason::Unsigned));
}

#[test]
fn one_is_enough_for_any_and_each_of_ours_has_to_hold_for_all() {
    for (statements, any, all) in [
        (vec![ours(), contradicting()], Verdict::Verified, rejected(Reason::PredicateMismatch)),
        (vec![contradicting(), ours()], Verdict::Verified, rejected(Reason::PredicateMismatch)),
        (vec![ours(), strangers()], Verdict::Verified, Verdict::Verified),
        (vec![strangers()], rejected(Reason::KeyMismatch), rejected(Reason::KeyMismatch)),
        (Vec::new(), Verdict::Absent, Verdict::Absent),
        (
            vec![ours(), Statement { format: StatementFormat::Unsigned { predicate_type: WANTED.to_owned() }, ..contradicting() }],
            Verdict::Verified,
            Verdict::Verified,
        ),
    ] {
        assert_eq!(verdict(statements.clone(), Quantifier::Any), any, "any of {statements:?}");
        assert_eq!(verdict(statements.clone(), Quantifier::All), all, "all of {statements:?}");
    }
}

#[test]
fn all_is_not_known_where_one_is_not() {
    let mut some = image(vec![ours(), attestation(WANTED, vec![doubtful(proof(0))])]);
    assert_eq!(ruling(&some, Quantifier::Any).verdict(), Some(Verdict::Verified));
    assert!(matches!(ruling(&some, Quantifier::All).verdict(), Some(Verdict::Unknown(_))));
    some = image(vec![ours()]);
    some.places[0].attestations = Some(UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() });
    assert_eq!(ruling(&some, Quantifier::Any).verdict(), Some(Verdict::Verified));
    assert_eq!(ruling(&some, Quantifier::All).verdict(), Some(Verdict::Unknown(Cause::Timeout)));
    some.statements = vec![contradicting()];
    assert_eq!(ruling(&some, Quantifier::Any).verdict(), Some(Verdict::Unknown(Cause::Timeout)), "a fitting one may be there");
    assert_eq!(ruling(&some, Quantifier::All).verdict(), Some(rejected(Reason::PredicateMismatch)), "that one is there");
}

#[test]
fn an_unanswered_question_about_attestations_leaves_signatures_known() {
    let mut some = image(Vec::new());
    some.places[0].attestations = Some(UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() });
    assert_eq!(ruling(&some, Quantifier::Any).verdict(), Some(Verdict::Unknown(Cause::Timeout)));
    assert_eq!(policies().judge(&some, &crate::policy::Asked::BY_POLICY, now()).verdict(), Some(Verdict::Absent));
}

#[test]
fn every_platform_of_an_index_has_to_be_attested_where_the_index_is_not() {
    let on = |platform: u8, statement: Statement| Statement { carrier: Carrier::Platform(digest(platform)), ..statement };
    let verdict = |statements: Vec<Statement>, quantifier| {
        let some = ImageEvidence { platforms: vec![digest(71), digest(72)], ..image(statements) };
        ruling(&some, quantifier).verdict().unwrap()
    };
    for quantifier in [Quantifier::Any, Quantifier::All] {
        assert_eq!(verdict(vec![on(71, ours()), on(72, ours())], quantifier), Verdict::Verified);
        assert_eq!(verdict(vec![on(71, ours())], quantifier), Verdict::Absent, "the other one may run");
        assert_eq!(verdict(vec![on(71, ours()), on(72, strangers())], quantifier), rejected(Reason::KeyMismatch));
        assert_eq!(verdict(vec![ours()], quantifier), Verdict::Verified, "the index itself");
        assert_eq!(verdict(vec![strangers(), on(71, ours()), on(72, ours())], quantifier), Verdict::Verified);
    }
    let outvoted = vec![contradicting(), on(71, ours()), on(72, ours())];
    assert_eq!(verdict(outvoted.clone(), Quantifier::Any), Verdict::Verified);
    assert_eq!(verdict(outvoted, Quantifier::All), rejected(Reason::PredicateMismatch), "ours about the index says no");
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Lies {
    Ours,
    Contradicting,
    Stranger,
    Unsigned,
    Foreign,
}

fn made((lies, in_doubt, platform, timed): (Lies, bool, Option<u8>, bool)) -> Statement {
    let mut one = match lies {
        Lies::Ours => ours(),
        Lies::Contradicting => contradicting(),
        Lies::Stranger => strangers(),
        Lies::Unsigned => Statement { format: StatementFormat::Unsigned { predicate_type: WANTED.to_owned() }, ..ours() },
        Lies::Foreign => Statement { relation: Relation::NamesOthers(vec![digest(7)]), ..ours() },
    };
    let proofs = one.proofs.iter().cloned().map(|proof| if timed { logged(proof, "2026-03-01T00:00:00Z") } else { proof });
    let proofs: Vec<_> = proofs.map(|proof| if in_doubt { doubtful(proof) } else { proof }).collect();
    one.proofs = proofs.into();
    if let Some(platform) = platform {
        one.carrier = Carrier::Platform(digest(71 + platform));
    }
    one
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let lies = prop_oneof![Just(Lies::Ours), Just(Lies::Contradicting), Just(Lies::Stranger), Just(Lies::Unsigned), Just(Lies::Foreign)];
    let one = (lies, any::<bool>(), proptest::option::of(0_u8..2), any::<bool>()).prop_map(made);
    proptest::collection::vec(one, 0..5)
}

/// What is certain stays certain, or becomes unknown, when something is not known any more.
fn is_turned(before: &Verdict, after: &Verdict) -> bool {
    let truth = |verdict: &Verdict| match verdict {
        Verdict::Verified => Some(true),
        Verdict::Rejected(_) | Verdict::Absent => Some(false),
        Verdict::Unknown(_) => None,
    };
    matches!((truth(before), truth(after)), (Some(before), Some(after)) if before != after)
        || (truth(before).is_none() && truth(after).is_some())
}

proptest! {
    #[test]
    fn knowing_less_never_turns_a_verdict(
        statements in statements(), indexed in any::<bool>(), all in any::<bool>(), lost in 0_usize..5, piece in 0_u8..4,
    ) {
        let quantifier = if all { Quantifier::All } else { Quantifier::Any };
        let platforms = if indexed { vec![digest(71), digest(72)] } else { Vec::new() };
        let known = ImageEvidence { platforms, ..image(statements) };
        let mut less = known.clone();
        let unknown_answer = UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() };
        match piece {
            0 => less.places[0].attestations = Some(unknown_answer),
            1 => less.places[0].outcome = PlaceOutcome::Unknown(unknown_answer),
            2 => less.manifest = ManifestPresence::Unknown(unknown_answer),
            _ => {}
        }
        // What was not answered for is not there either.
        if lost < less.statements.len() && piece < 2 {
            less.statements.remove(lost);
        } else if lost < less.statements.len() && piece == 3 {
            let one = &mut less.statements[lost];
            one.proofs = one.proofs.iter().cloned().map(doubtful).collect();
        }
        let (before, after) = (ruling(&known, quantifier).verdict().unwrap(), ruling(&less, quantifier).verdict().unwrap());
        prop_assert!(!is_turned(&before, &after), "{before:?} became {after:?}");
        prop_assert!(matches!(known.subject, SubjectState::Known(_)));
    }
}
