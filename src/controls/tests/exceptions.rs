//! Exceptions over answers: what they turn, what they never turn, when they end, and what is said of them.

use jiff::Timestamp;
use proptest::prelude::*;

use super::stage::*;
use crate::controls::{Configuration, ControlJudgement, Excepting};
use crate::documents::{Control, Document, Framework, is_kubescape_exceptions, parse, parse_kubescape_exceptions};
use crate::model::{
    Cause, ClusterIdentity, ControlStatus, Counts, ExceptionRecord, ExceptionState, ImageEvidence, Inventory, Judgement, Labels, Origin,
    PlaceOutcome, Standing, Workload,
};
use crate::policy::ExceptionSet;

/// Passes by the tag `good`, is unknown by the tag `open`, fails by any other.
fn three_valued() -> Control {
    control(
        "  rule: { any: [{ reference: { tagIn: [good] } }, { all: [{ reference: { tagIn: [open] } }, { signature: { exists: {} } }] }] }",
    )
}

fn unreachable() -> ImageEvidence {
    with(|evidence| evidence.places = vec![place("registry.test/app", PlaceOutcome::Unknown(unanswered(Cause::Timeout)))])
}

/// A workload with one container for each tag; its label `app` is its name.
fn running_tags(name: &str, tags: &[&str]) -> Workload {
    let containers = tags.iter().enumerate().map(|(at, tag)| {
        let mut container = container(image(&format!("registry.test/app:{tag}")));
        container.name = format!("c{at}").as_str().into();
        container
    });
    let mut workload = workload(name, containers.collect());
    workload.labels = Labels::from_iter([("app", name)]);
    workload
}

/// An exception of `ACME-1` by the rest of its specification.
fn exception(name: &str, rest: &str) -> String {
    let ends = if rest.contains("expires:") { "" } else { ", expires: 2030-01-31" };
    let controls = if rest.contains("controls:") { "" } else { ", controls: [ACME-1]" };
    format!(
        "---\napiVersion: seaworthy.dev/v1alpha1\nkind: Exception\nmetadata: {{ name: {name} }}\nspec: {{ reason: vendor, owner: team-a{ends}{controls}, {rest} }}\n"
    )
}

fn organisation(spec: &str) -> String {
    format!("---\napiVersion: seaworthy.dev/v1alpha1\nkind: ExceptionPolicy\nmetadata: {{ name: org }}\nspec: {{ {spec} }}\n")
}

fn set(texts: &[String]) -> ExceptionSet {
    let mut set = ExceptionSet::default();
    for text in texts {
        if is_kubescape_exceptions(text) {
            let entries = parse_kubescape_exceptions("e.json", text).unwrap();
            entries.into_iter().enumerate().for_each(|(at, entry)| set.add_kubescape("e.json", at, entry));
            continue;
        }
        for document in parse("e.yaml", text).unwrap() {
            match document {
                Document::Exception(named) => set.add("e.yaml", *named),
                Document::ExceptionPolicy(named) => set.add_policy(named),
                other => panic!("{other:?}"),
            }
        }
    }
    set
}

fn now() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

/// What a control says of an inventory under exceptions, and what is said of those.
fn excepted_as_of(
    as_of: Timestamp,
    texts: &[String],
    control: &Control,
    inventory: &Inventory,
    frameworks: &[&Framework],
) -> (ControlJudgement, Vec<ExceptionRecord>) {
    let set = set(texts);
    let mut said = judged(control, inventory, Some(&unreachable()));
    let mut excepting = Excepting::new(set.at(as_of, frameworks), inventory);
    excepting.apply(control, inventory, &mut said);
    let records = excepting.records();
    (said, records)
}

fn excepted(texts: &[String], inventory: &Inventory) -> (ControlJudgement, Vec<ExceptionRecord>) {
    excepted_as_of(now(), texts, &three_valued(), inventory, &[])
}

fn counts(said: &ControlJudgement) -> Counts {
    match said {
        ControlJudgement::Workloads { counts, .. } | ControlJudgement::Cluster { counts, .. } => *counts,
        other => panic!("{other:?}"),
    }
}

/// Names of the workloads that are excepted.
fn turned(said: ControlJudgement, inventory: &Inventory) -> Vec<String> {
    let excepted = findings(said).into_iter().filter(|finding| finding.status == ControlStatus::Excepted);
    excepted.map(|finding| inventory.workloads[finding.workload as usize].key.name.to_string()).collect()
}

fn three() -> Inventory {
    inventory(vec![running_tags("api", &["bad"]), running_tags("db", &["bad"]), running_tags("web", &["good"])])
}

#[test]
fn only_a_fail_is_turned_and_an_unknown_only_by_its_cause() {
    let all = inventory(vec![running_tags("bad", &["bad"]), running_tags("good", &["good"]), running_tags("open", &["open"])]);
    let (said, records) = excepted(&[exception("all", "images: [registry.test/**]")], &all);
    assert_eq!(counts(&said), Counts { excepted: 1, passed: 1, unknown: 1, ..Counts::default() });
    assert_eq!(records[0].matched, 1);
    for finding in findings(said) {
        let container = &finding.containers[0];
        let is_fail = matches!(container.judgement, Judgement::Fail { .. });
        assert_eq!(container.standing == Standing::Excepted(0), is_fail, "the answer itself stays: {container:?}");
    }
    let (said, _) = excepted(&[exception("all", "acceptUnknown: [dns]")], &all);
    assert_eq!(counts(&said).unknown, 1, "another cause");
    let (said, records) = excepted(&[exception("all", "acceptUnknown: [timeout]")], &all);
    assert_eq!((counts(&said), records[0].matched), (Counts { excepted: 2, passed: 1, ..Counts::default() }, 2));
}

#[test]
fn a_workload_is_excepted_only_where_all_that_is_open_is() {
    let both = inventory(vec![running_tags("api", &["bad", "worse"]), running_tags("web", &["bad", "open"])]);
    let kubescape = |container: &str| {
        format!(r#"[{{"resources": [{{"designatorType": "Attributes", "attributes": {{"containerName": "{container}"}}}}]}}]"#)
    };
    let status = |text: String| findings(excepted(&[text], &both).0).into_iter().map(|finding| finding.status).collect::<Vec<_>>();
    assert_eq!(status(kubescape("c0")), [ControlStatus::Failed, ControlStatus::Unknown]);
    assert_eq!(status(kubescape("c[01]")), [ControlStatus::Excepted, ControlStatus::Unknown]);
    assert_eq!(status(kubescape("c")), [ControlStatus::Failed, ControlStatus::Failed], "the whole name");
}

#[test]
fn every_limit_narrows() {
    let mut all = three();
    all.cluster = Some(ClusterIdentity { context: Some("eu/west".to_owned()), ..ClusterIdentity::default() });
    all.workloads[1].key.kind = "StatefulSet".into();
    all.workloads[1].key.namespace = "data".into();
    for (limit, expected) in [
        ("workloads: {}", "api db"),
        ("workloads: { namespaces: [prod] }", "api"),
        ("workloads: { namespaces: ['d*'] }", "db"),
        ("workloads: { namespaces: ['data', prod] }", "api db"),
        ("workloads: { kinds: [statefulset] }", "db"),
        ("workloads: { kinds: [StatefulSe] }", ""),
        ("workloads: { names: ['a*'] }", "api"),
        ("workloads: { names: [ap] }", ""),
        ("workloads: { labels: { app: api } }", "api"),
        ("workloads: { labels: { app: api, tier: x } }", ""),
        ("workloads: { clusters: ['eu/*'] }", "api db"),
        ("workloads: { clusters: [us] }", ""),
        ("workloads: { names: ['*'], namespaces: [data] }", "db"),
        ("images: ['registry.test/**']", "api db"),
        ("images: ['registry.test/other']", ""),
        ("images: ['registry.test.evil/**']", ""),
    ] {
        assert_eq!(turned(excepted(&[exception("e", limit)], &all).0, &all).join(" "), expected, "{limit}");
    }
    for (digests, expected) in [(running(), "api db"), (digest(7), "")] {
        assert_eq!(turned(excepted(&[exception("e", &format!("digests: ['{digests}']"))], &all).0, &all).join(" "), expected);
    }
    all.cluster = None;
    assert_eq!(turned(excepted(&[exception("e", "workloads: { clusters: ['*'] }")], &all).0, &all).join(" "), "", "there is none");
    // What cannot be parsed is of no repository.
    all.workloads[0].containers[0].images[0].reference = "registry.test/a pp".into();
    assert_eq!(turned(excepted(&[exception("e", "images: ['**']")], &all).0, &all).join(" "), "db");
    assert_eq!(turned(excepted(&[exception("e", "controls: [ACME-2]")], &all).0, &all).join(" "), "", "another control");
}

#[test]
fn kubescapes_entries_mean_what_they_mean_there() {
    let mut all = three();
    all.cluster = Some(ClusterIdentity { context: Some("arn:eks/prod".to_owned()), ..ClusterIdentity::default() });
    let entry = |attributes: &str, policies: &str, more: &str| {
        format!(
            r#"[{{"name": "e", "policyType": "postureExceptionPolicy", "actions": ["alertOnly"], {more}
               "resources": [{{"designatorType": "Attributes", "attributes": {{{attributes}}}}}], "posturePolicies": [{policies}]}}]"#
        )
    };
    for (attributes, policies, more, expected) in [
        (r#""kind": ".*""#, "", "", "api db"),
        (r#""name": "api|x""#, "", "", "api"),
        (r#""name": "ap""#, "", "", ""),
        (r#""name": "API""#, "", "", ""),
        (r#""kind": "Deployment", "name": "d.""#, "", "", "db"),
        (r#""kind": "Deployment", "name": "d.", "namespace": "test""#, "", "", ""),
        (r#""cluster": "arn:eks/prod""#, "", "", "api db"),
        (r#""cluster": "arn:eks-prod""#, "", "", "api db"),
        (r#""cluster": "prod""#, "", "", ""),
        (r#""resourceID": "apps/v1/prod/Deployment/api""#, "", "", "api"),
        (r#""app": "a.*""#, "", "", "api"),
        (r#""app": "a.*", "tier": ".*""#, "", "", ""),
        (r#""path": ".*""#, "", "", ""),
        ("", "", "", ""),
        (r#""name": """#, "", "", ""),
        (r#""k8sResourceHash": "1""#, "", "", ""),
        (r#""kind": ".*""#, r#"{"controlID": "acme-1"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"controlID": "ACME-.*"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"controlID": "ACME"}"#, "", ""),
        (r#""kind": ".*""#, r#"{"controlID": "C-0001"}, {"controlID": "ACME-1"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"controlName": "mine"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"frameworkName": "NSA", "controlID": "ACME-1"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"frameworkName": "NSA"}"#, "", ""),
        (r#""kind": ".*""#, r#"{"frameworkName": "ours"}"#, "", "api db"),
        (r#""kind": ".*""#, r#"{"ruleName": "x"}"#, "", ""),
        (r#""kind": ".*""#, "{}", "", "api db"),
        (r#""kind": ".*""#, "", r#""expirationDate": "2030-01-01T00:00:01Z","#, "api db"),
        (r#""kind": ".*""#, "", r#""expirationDate": "2030-01-01T00:00:00Z","#, ""),
        (r#""kind": ".*""#, "", r#""expirationDate": null, "reason": null,"#, "api db"),
        (r#""kind": ".*""#, "", r#""objectSelector": {"matchLabels": {"app": "api"}},"#, "api"),
        (
            r#""kind": ".*""#,
            "",
            r#""objectSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]},"#,
            "db",
        ),
        (r#""kind": ".*""#, "", r#""objectSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]},"#, ""),
        (r#""kind": ".*""#, "", r#""objectSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},"#, "api db"),
    ] {
        let text = entry(attributes, policies, more).replace("\"policyType\"", "\"creationTime\": \"2020\", \"policyType\"");
        let framework = Framework {
            id: "ours".to_owned(),
            title: "Ours".to_owned(),
            version: "1.0".to_owned(),
            description: String::new(),
            milestone: None,
            controls: vec!["ACME-1".to_owned()],
            parameters: std::collections::BTreeMap::new(),
        };
        let (said, _) = excepted_as_of(now(), &[text], &three_valued(), &all, &[&framework]);
        assert_eq!(turned(said, &all).join(" "), expected, "{attributes} {policies} {more}");
    }
    // Several resources: one is enough. Another type of designator, or of policy, matches nothing and is said.
    let two =
        r#"[{"resources": [{"designatorType": "Attribute", "attributes": {"name": "api"}}, {"designatorType": "Wlid", "wlid": "x"}]}]"#;
    let (said, records) = excepted(&[two.to_owned()], &all);
    assert_eq!(turned(said, &all), ["api"]);
    assert!(records[0].warnings[0].contains("designator type \"Wlid\""), "{records:?}");
    assert_eq!(records[0].name, "entry 1");
    let other = entry(r#""kind": ".*""#, "", "").replace("postureExceptionPolicy", "vulnerabilityExceptionPolicy");
    let (said, records) = excepted(&[other], &all);
    assert_eq!(turned(said, &all).len(), 0);
    assert!(records[0].warnings[0].contains("vulnerabilityExceptionPolicy"), "{records:?}");
    // It never accepts what is not known.
    let unknown = inventory(vec![running_tags("open", &["open"])]);
    assert_eq!(counts(&excepted(&[entry(r#""kind": ".*""#, "", "")], &unknown).0).unknown, 1);
    // The file that a manifest was read from.
    all.workloads[0].origin = Origin::Manifest { file: "deploy/api.yaml".to_owned(), document: 0 };
    assert_eq!(turned(excepted(&[entry(r#""path": "deploy/.*""#, "", "")], &all).0, &all), ["api"]);
}

#[test]
fn a_day_holds_to_its_end_and_then_it_is_said_that_it_ended() {
    let text = [exception("e", "expires: 2030-01-31, workloads: { names: [api] }")];
    let all = three();
    let at = |as_of: &str| {
        let (said, mut records) = excepted_as_of(as_of.parse().unwrap(), &text, &three_valued(), &all, &[]);
        let warnings: Vec<String> = findings(said.clone()).into_iter().flat_map(|finding| finding.containers[0].warnings.clone()).collect();
        (turned(said, &all).len(), records.remove(0), warnings)
    };
    let (turned, record, warnings) = at("2030-01-01T00:00:00Z");
    assert_eq!((turned, record.state, warnings.len()), (1, ExceptionState::InForce, 0));
    assert_eq!(record.expires, Some("2030-01-31T23:59:59Z".parse().unwrap()));
    let (turned, record, _) = at("2030-01-20T00:00:00Z");
    assert_eq!(
        (turned, record.state, record.warnings.as_slice()),
        (1, ExceptionState::Expiring, ["it ends in 12 days".to_owned()].as_slice())
    );
    assert_eq!(at("2030-01-31T23:59:59.9Z").0, 1);
    let (turned, record, warnings) = at("2030-02-01T00:00:00Z");
    assert_eq!((turned, record.state, record.matched), (0, ExceptionState::Expired, 1));
    assert_eq!(record.warnings, ["it ended on 2030-01-31"]);
    assert_eq!(warnings, ["exception e ended on 2030-01-31"]);
}

#[test]
fn the_organisation_has_the_last_word() {
    let all = three();
    let with = |policy: &str, rest: &str| {
        let (said, mut records) = excepted(&[exception("e", rest), organisation(policy)], &all);
        let warning = findings(said.clone())[0].containers[0].warnings.first().cloned().unwrap_or_default();
        (turned(said, &all).len(), records.remove(0), warning)
    };
    let (turned, record, _) = with("longestTerm: 31d", "workloads: { names: [api] }, expires: 2030-01-31");
    assert_eq!((turned, record.state), (1, ExceptionState::InForce));
    let (_, record, _) = with("longestTerm: 31d", "workloads: { names: [api] }, expires: 2030-02-01");
    assert_eq!(record.state, ExceptionState::InForce, "the day on which the longest term ends");
    let (turned, record, warning) = with("longestTerm: 31d", "workloads: { names: [api] }, expires: 2030-02-02");
    assert_eq!((turned, record.state, record.matched), (0, ExceptionState::NotAllowed, 1));
    assert_eq!(warning, "exception e is not allowed: it ends on 2030-02-02, and org allows 31d at most");
    let (turned, record, warning) = with("notExceptable: [ACME-1]", "workloads: { names: [api] }");
    assert_eq!((turned, record.state), (0, ExceptionState::NotAllowed));
    assert_eq!(warning, "exception e is not allowed: ACME-1 may not be excepted");
    // What is allowed of it holds.
    let (turned, record, warning) = with("notExceptable: [ACME-1]", "controls: [ACME-1, ACME-2], workloads: { names: [api] }");
    assert_eq!((turned, record.state, record.matched), (0, ExceptionState::InForce, 1));
    assert_eq!(warning, "exception e does not hold for ACME-1, which may not be excepted");
    assert_eq!(with("notExceptable: [ACME-2]", "controls: [ACME-1, ACME-2], workloads: { names: [api] }").0, 1);
    // Of Kubescape's entries too: what has no end holds too long.
    let kubescape = r#"[{"resources": [{"designatorType": "Attributes", "attributes": {"name": "api"}}]}]"#.to_owned();
    let (_, records) = excepted(&[organisation("longestTerm: 999w"), kubescape.clone(), organisation("longestTerm: 1d")], &all);
    assert_eq!(records[0].state, ExceptionState::NotAllowed);
    let (said, _) = excepted(&[organisation("notExceptable: [ACME-1]"), kubescape], &all);
    assert_eq!(counts(&said).excepted, 0);
}

#[test]
fn what_matches_nothing_or_everything_says_so() {
    let all = three();
    let remark = |texts: &[String]| excepted(texts, &all).1.pop().unwrap().warnings;
    let everything = "it matches everything: neither workloads nor images limit it";
    for rest in ["workloads: {}", "images: ['**']", "workloads: { names: ['*'], namespaces: ['*', x] }", "workloads: { clusters: ['*'] }"] {
        assert_eq!(remark(&[exception("e", rest)]), [everything], "{rest}");
    }
    let kubescape = r#"[{"resources": [{"designatorType": "Attributes", "attributes": {"name": ".*", "kind": ".+"}}]}]"#;
    assert_eq!(remark(&[kubescape.to_owned()]), [everything]);
    assert_eq!(remark(&[exception("e", "workloads: { namespaces: [prod] }")]), ["it matches everything that its controls judge here"]);
    assert_eq!(remark(&[exception("e", "workloads: { names: [api, db] }")]), [""; 0], "what passes is left out");
    assert_eq!(remark(&[exception("e", "workloads: { names: [web] }")]), ["it matches nothing here"]);
    assert_eq!(remark(&[exception("e", "workloads: { names: [nobody] }")]), ["it matches nothing here"]);
    assert_eq!(remark(&[exception("e", "controls: [ACME-2]")]), [ExceptionRecord::NOT_JUDGED]);
    let twice = [exception("first", "workloads: { names: [api, db] }"), exception("e", "workloads: { names: [api] }")];
    assert_eq!(remark(&twice), ["it matches nothing that first does not except already"]);
    // Of one workload alone nothing can be said.
    let one = inventory(vec![running_tags("api", &["bad"])]);
    assert_eq!(excepted(&[exception("e", "workloads: { namespaces: [prod] }")], &one).1[0].warnings, [""; 0]);
}

/// What is about the cluster as a whole is excepted by what is not limited to workloads or images.
#[test]
fn the_cluster_as_a_whole_is_excepted_only_as_a_whole() {
    let control = control("  subject: cluster\n  rule: { cluster: { atLeastOne: { reference: { tagIn: [good] } } } }");
    let mut bad = inventory(vec![running_tags("api", &["bad"])]);
    bad.cluster = Some(ClusterIdentity { context: Some("eu".to_owned()), ..ClusterIdentity::default() });
    let of = |text: String, inventory: &Inventory| excepted_as_of(now(), &[text], &control, inventory, &[]);
    let attributes =
        |attributes: &str| format!(r#"[{{"resources": [{{"designatorType": "Attributes", "attributes": {{{attributes}}}}}]}}]"#);
    for (text, excepted) in [
        (exception("e", "workloads: {}"), true),
        (exception("e", "workloads: { clusters: [eu] }"), true),
        (exception("e", "workloads: { clusters: [us] }"), false),
        (exception("e", "workloads: { names: ['*'] }"), false),
        (exception("e", "images: ['**']"), false),
        (exception("e", &format!("digests: ['{}']", running())), false),
        (attributes(r#""cluster": "eu""#), true),
        (attributes(r#""cluster": "us""#), false),
        (attributes(r#""cluster": "eu", "kind": ".*""#), false),
        (attributes(r#""kind": ".*""#), false),
    ] {
        let (said, records) = of(text.clone(), &bad);
        assert_eq!(counts(&said).excepted, u64::from(excepted), "{text}");
        assert_eq!(records[0].matched, u64::from(excepted), "{text}");
        let ControlJudgement::Cluster { judgement, standing, .. } = said else { panic!("about the cluster") };
        assert!(matches!(judgement, Judgement::Fail { .. }));
        assert_eq!(standing == Standing::Excepted(0), excepted);
        assert!(!records[0].warnings.iter().any(|warning| warning.contains("everything")), "there is nothing to limit it to: {records:?}");
    }
    let good = inventory(vec![running_tags("web", &["good"])]);
    let (said, records) = of(exception("e", "workloads: {}"), &good);
    assert_eq!((counts(&said).passed, records[0].matched), (1, 0));
    // What is not configured, or for a person, is never excepted.
    let manual = super::stage::control("  manual: { text: look }");
    let (said, _) = excepted_as_of(now(), &[exception("e", "workloads: {}")], &manual, &good, &[]);
    assert!(matches!(said, ControlJudgement::RequiresReview(_)));
}

#[test]
fn what_is_excepted_is_no_accepted_unknown() {
    let open = inventory(vec![running_tags("open", &["open"])]);
    let set = set(&[exception("e", "acceptUnknown: [timeout], workloads: { names: [open] }")]);
    let mut said = accepting(&three_valued(), &Configuration::default(), &open, Some(&unreachable()), &["timeout"]);
    assert_eq!(counts(&said).accepted, 1);
    let mut excepting = Excepting::new(set.at(now(), &[]), &open);
    let control = three_valued();
    excepting.apply(&control, &open, &mut said);
    assert_eq!(counts(&said), Counts { excepted: 1, ..Counts::default() });
}

prop_compose! {
    /// An exception of any limits; some have ended, some are of another control.
    fn any_exception()(
        names in proptest::sample::select(vec!["api", "db", "web", "'*'", "'?'", "'a*'", "open"]),
        kind in proptest::sample::select(vec!["", "kinds: [Deployment],", "kinds: [Job],"]),
        images in proptest::sample::select(vec!["", "images: ['registry.test/**'],", "images: ['ghcr.io/**'],"]),
        cause in proptest::sample::select(vec!["", "acceptUnknown: [timeout],", "acceptUnknown: [dns],"]),
        control in proptest::sample::select(vec!["ACME-1", "ACME-2"]),
        year in 2029..2032,
    ) -> String {
        exception("NAME", &format!("{images} {cause} workloads: {{ {kind} names: [{names}] }}, controls: [{control}], expires: {year}-06-01"))
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    /// An exception turns nothing but what fails, or is unknown by a cause that it names; and the order of a file changes only which one
    /// is named.
    #[test]
    fn exceptions_only_except(texts in proptest::collection::vec(any_exception(), 0..4), tags in proptest::collection::vec(0..3_usize, 1..4)) {
        let texts: Vec<String> = texts.into_iter().enumerate().map(|(at, text)| text.replace("NAME", &format!("e{at}"))).collect();
        let tags: Vec<&str> = tags.into_iter().map(|tag| ["good", "open", "bad"][tag]).collect();
        let mut elsewhere = running_tags("irrelevant", &["bad"]);
        elsewhere.key.namespace = "elsewhere".into();
        let all = inventory(vec![running_tags("api", &tags), running_tags("web", &tags[..1]), elsewhere]);
        let control = control(
            "  scope: { namespaces: [prod] }\n  rule: { any: [{ reference: { tagIn: [good] } }, { all: [{ reference: { tagIn: [open] } }, { signature: { exists: {} } }] }] }",
        );
        let before = judged(&control, &all, Some(&unreachable()));
        let (after, records) = excepted_as_of(now(), &texts, &control, &all, &[]);
        prop_assert_eq!(counts(&before).irrelevant, counts(&after).irrelevant);
        prop_assert_eq!(counts(&before).applicable(), counts(&after).applicable());
        let mut turned = 0;
        for (old, new) in findings(before).iter().zip(&findings(after.clone())) {
            for (old, new) in old.containers.iter().zip(&new.containers) {
                prop_assert_eq!(&old.judgement, &new.judgement);
                let Standing::Excepted(by) = new.standing else { continue };
                turned += 1;
                prop_assert!(matches!(records[by as usize].state, ExceptionState::InForce | ExceptionState::Expiring));
                match &new.judgement {
                    Judgement::Pass { .. } => prop_assert!(false, "a pass was turned"),
                    Judgement::Fail { .. } => {}
                    Judgement::Unknown { .. } => prop_assert!(texts[by as usize].contains("acceptUnknown: [timeout]")),
                }
            }
        }
        let holding = |record: &&ExceptionRecord| !matches!(record.state, ExceptionState::Expired | ExceptionState::NotAllowed);
        prop_assert_eq!(records.iter().filter(holding).map(|record| record.matched).sum::<u64>(), turned);
        let mut backwards = texts.clone();
        backwards.reverse();
        let (reversed, _) = excepted_as_of(now(), &backwards, &control, &all, &[]);
        prop_assert_eq!(counts(&reversed), counts(&after));
        let statuses = |said: ControlJudgement| findings(said).into_iter().map(|finding| finding.status).collect::<Vec<_>>();
        prop_assert_eq!(statuses(reversed), statuses(after));
    }
}
