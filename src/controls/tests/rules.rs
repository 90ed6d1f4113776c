//! Whole rules against a reference implementation of Kleene's logic.

use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use super::stage::*;
use crate::controls::Configuration;
use crate::documents::{Nothing, OrParam, ReferenceLeaf, Rule, RunningLeaf, SignatureLeaf};
use crate::model::{Cause, Judgement, PlaceOutcome, TagState};

/// A rule over leaves that pass, fail and are unknown for the image below.
fn rule() -> impl Strategy<Value = Rule> {
    let leaf = prop_oneof![
        Just(Rule::Reference(ReferenceLeaf::TagIn(OrParam::Values(vec!["v1".to_owned()])))),
        Just(Rule::Reference(ReferenceLeaf::PinnedToDigest(Nothing {}))),
        Just(Rule::Running(RunningLeaf::TagUnmoved(Nothing {}))),
        Just(Rule::Signature(SignatureLeaf::Exists(Nothing {}))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Rule::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Rule::Any),
            inner.prop_map(|rule| Rule::Not(Box::new(rule))),
        ]
    })
}

/// 0 fails, 1 is unknown, 2 passes: `all` is the least, `any` the greatest, `not` the mirror image.
fn kleene(rule: &Rule) -> u8 {
    match rule {
        Rule::All(rules) => rules.iter().map(kleene).min().unwrap(),
        Rule::Any(rules) => rules.iter().map(kleene).max().unwrap(),
        Rule::Not(rule) => 2 - kleene(rule),
        Rule::Reference(ReferenceLeaf::TagIn(_)) => 2,
        Rule::Reference(ReferenceLeaf::PinnedToDigest(_)) => 0,
        Rule::Running(_) | Rule::Signature(_) => 1,
        other => panic!("{other:?} is not generated"),
    }
}

proptest! {
    #[test]
    fn a_rule_says_what_kleenes_logic_says(rule in rule()) {
        let evidence = with(|evidence| {
            evidence.places = vec![place("registry.test/app", PlaceOutcome::Unknown(unanswered(Cause::Timeout)))];
            evidence.tag = TagState::Unknown(unanswered(Cause::Timeout));
        });
        let expected = kleene(&rule);
        let mut control = builtin("C-0237");
        control.rule = Some(rule);
        let judgement = finding(&control, &Configuration::default(), container(image("registry.test/app:v1")), &evidence).unwrap().judgement;
        let found = match judgement {
            Judgement::Fail { .. } => 0,
            Judgement::Unknown { .. } => 1,
            Judgement::Pass { .. } => 2,
        };
        proptest::prop_assert_eq!(found, expected);
    }
}
