//! Controls about the cluster as a whole.

use super::stage::*;
use crate::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Trust, judge};
use crate::documents::{Document, parse};
use crate::model::{Cause, Gap, ImageEvidence, Judgement, PolicyMaterial, Reason, Relation, SubjectState, Workload};
use crate::policy::{AsOf, NamedPolicy, PolicyOrigin, TrustPolicies};

const COMPLETE: &str = "  subject: cluster\n  rule: { cluster: { inventoryComplete: {} } }";
const ONE_SIGNED: &str = "  subject: cluster\n  rule: { cluster: { atLeastOne: { signature: { exists: {} } } } }";

/// What a cluster control says; none where it is irrelevant.
fn says(spec: &str, workloads: Vec<Workload>, gaps: Vec<Gap>, evidence: &ImageEvidence) -> Option<Says> {
    let mut inventory = inventory(workloads);
    inventory.gaps = gaps;
    match judged(&control(spec), &inventory, Some(evidence)) {
        ControlJudgement::Cluster { judgement, counts, .. } => {
            assert_eq!(counts.applicable(), 1);
            Some(Says::from(&judgement))
        }
        ControlJudgement::Workloads { findings, counts } => {
            assert!(findings.is_empty() && counts.applicable() == 0);
            None
        }
        other => panic!("{other:?}"),
    }
}

fn web() -> Vec<Workload> {
    vec![workload("web", vec![container(image("registry.test/app:v1"))])]
}

fn signed() -> ImageEvidence {
    with(|evidence| evidence.statements = vec![signature(Relation::Names)])
}

#[test]
fn an_inventory_is_complete_when_all_was_listed_and_each_digest_is_known() {
    let unknown = with(|evidence| evidence.subject = SubjectState::Unknown(unanswered(Cause::DigestUnknown)));
    let declared = || vec![workload("web", vec![container(declared("registry.test/app:v1"))])];
    assert_eq!(says(COMPLETE, web(), Vec::new(), &looked()), Some(Says::Pass));
    assert_eq!(says(COMPLETE, declared(), Vec::new(), &looked()), Some(Says::Pass));
    assert_eq!(says(COMPLETE, declared(), Vec::new(), &unknown), Some(Says::Unknown(Cause::DigestUnknown)));
    assert_eq!(says(COMPLETE, web(), vec![gap(None, false)], &looked()), Some(Says::Pass), "details of what is listed are missing");
    assert_eq!(says(COMPLETE, web(), vec![gap(None, true)], &looked()), Some(Says::Unknown(Cause::ListIncomplete)));
    assert_eq!(says(COMPLETE, Vec::new(), vec![gap(None, true)], &looked()), Some(Says::Unknown(Cause::ListIncomplete)));
    let malformed = vec![workload("web", vec![container(super::stage::declared("registry.test/ app"))])];
    assert_eq!(
        says(COMPLETE, malformed, vec![gap(None, true)], &looked()),
        Some(Says::Fail(Reason::MalformedReference)),
        "a fail is certain"
    );
}

#[test]
fn the_one_that_is_looked_for_may_be_among_those_that_were_not_listed() {
    assert_eq!(says(ONE_SIGNED, web(), Vec::new(), &signed()), Some(Says::Pass));
    assert_eq!(says(ONE_SIGNED, web(), vec![gap(None, true)], &signed()), Some(Says::Pass));
    assert_eq!(says(ONE_SIGNED, web(), Vec::new(), &looked()), Some(Says::Fail(Reason::Absent)));
    assert_eq!(says(ONE_SIGNED, web(), vec![gap(None, true)], &looked()), Some(Says::Unknown(Cause::ListIncomplete)));
    assert_eq!(says(ONE_SIGNED, web(), vec![gap(None, false)], &looked()), Some(Says::Fail(Reason::Absent)));
}

#[test]
fn over_nothing_a_cluster_control_is_irrelevant() {
    assert_eq!(says(ONE_SIGNED, Vec::new(), Vec::new(), &signed()), None);
    assert_eq!(says(COMPLETE, Vec::new(), Vec::new(), &signed()), None);
}

#[test]
fn a_scope_narrows_containers_and_gaps_alike() {
    for rule in ["{ inventoryComplete: {} }", "{ atLeastOne: { signature: { exists: {} } } }"] {
        let spec = |namespace: &str| format!("  subject: cluster\n  scope: {{ namespaces: [{namespace}] }}\n  rule: {{ cluster: {rule} }}");
        let gap_in_test = || vec![gap(Some("test"), true)];
        assert_eq!(says(&spec("prod"), web(), gap_in_test(), &signed()), Some(Says::Pass), "{rule}");
        assert_eq!(says(&spec("test"), web(), gap_in_test(), &signed()), Some(Says::Unknown(Cause::ListIncomplete)), "{rule}");
        assert_eq!(says(&spec("test"), web(), Vec::new(), &signed()), None, "{rule}");
    }
}

#[test]
fn what_the_policy_rests_on_is_known_whatever_could_not_be_listed() {
    let policies = |authorities: &str| {
        let text = format!(
            "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: p }}\nspec:\n  trustRoots: {{ r: {{ file: r.json }} }}\n  authorities: {{ a: {authorities} }}\n  images: [{{ match: ['registry.test/**'], require: {{ anyOf: [a] }} }}]\n"
        );
        let Document::TrustPolicy(named) = parse("p.yaml", &text).unwrap().remove(0) else { panic!("a trust policy") };
        let material = PolicyMaterial::default();
        TrustPolicies::new(vec![NamedPolicy { name: named.name, policy: named.policy, material, origin: PolicyOrigin::Document }])
    };
    let says = |id: &str, policies: &TrustPolicies| {
        let mut inventory = inventory(web());
        inventory.gaps = vec![gap(None, true)];
        let trust = Trust { policies, as_of: AsOf::exactly(jiff::Timestamp::UNIX_EPOCH) };
        let accepted = AcceptedUnknowns::parse(&[]).unwrap();
        match judge(&builtin(id), &Configuration::default(), &inventory, &|_| None, &accepted, trust).unwrap() {
            ControlJudgement::Cluster { judgement, .. } => Says::from(&judgement),
            other => panic!("{other:?}"),
        }
    };
    let keyless = policies("{ keyless: { trustRoot: r, issuer: { exact: i }, subject: { exact: s } } }");
    let key = policies("{ key: { file: ops.pub } }");
    assert_eq!(says("SW-0011", &keyless), Says::Pass);
    assert_eq!(says("SW-0011", &key), Says::Fail(Reason::KeyMismatch));
    assert_eq!(says("SW-0010", &keyless), Says::Unknown(Cause::ListIncomplete), "what was not listed may be covered by no rule");
}

#[test]
fn a_control_that_names_no_authority_is_not_configured() {
    let spec =
        "  params: { who: { type: strings, default: [] } }\n  rule: { signature: { verified: { by: { authorities: { param: who } } } } }";
    let judgement = judged(&control(spec), &inventory(web()), Some(&signed()));
    assert_eq!(judgement, ControlJudgement::Unconfigured(vec!["who".to_owned()]));
}

#[test]
fn combinations_stay_three_valued() {
    let combined = |rule: &str| {
        let mut inventory = inventory(web());
        inventory.gaps = vec![gap(None, true)];
        let control = control(&format!("  subject: cluster\n  rule: {rule}"));
        let ControlJudgement::Cluster { judgement, .. } = judged(&control, &inventory, Some(&looked())) else {
            panic!("about the cluster")
        };
        judgement
    };
    let (unknown, fail) =
        ("{ cluster: { inventoryComplete: {} } }", "{ cluster: { atLeastOne: { not: { reference: { tagIn: [v1] } } } } }");
    let pass = "{ cluster: { atLeastOne: { reference: { tagIn: [v1] } } } }";
    let is = |rule: String, expected: fn(&Judgement) -> bool| assert!(expected(&combined(&rule)), "{rule}");
    is(format!("{{ all: [{pass}, {unknown}] }}"), |judgement| matches!(judgement, Judgement::Unknown { .. }));
    is(format!("{{ any: [{unknown}, {pass}] }}"), |judgement| matches!(judgement, Judgement::Pass { .. }));
    is(format!("{{ not: {unknown} }}"), |judgement| matches!(judgement, Judgement::Unknown { .. }));
    is(format!("{{ not: {pass} }}"), |judgement| matches!(judgement, Judgement::Fail { .. }));
    is(format!("{{ any: [{unknown}, {fail}] }}"), |judgement| matches!(judgement, Judgement::Unknown { .. }));
}
