//! From containers to workloads: scope, folding, accepted unknowns, what a finding says.

use super::stage::*;
use crate::controls::{Configuration, ControlJudgement};
use crate::model::{
    Basis, Cause, Container, ContainerImage, ContainerKind, ControlStatus, Counts, DeclaredBecause, DeclaredIn, ImageEvidence, Judgement,
    PlaceOutcome, Reason, Relation, StatementFormat, SubjectState,
};

const APP: &str = "registry.test/app:v1";

fn unreachable() -> ImageEvidence {
    with(|evidence| evidence.places = vec![place("registry.test/app", PlaceOutcome::Unknown(unanswered(Cause::Timeout)))])
}

#[test]
fn a_workload_fails_before_it_is_unknown_and_is_unknown_before_it_passes() {
    let control = control(
        "  rule: { any: [{ reference: { tagIn: [good] } }, { all: [{ reference: { tagIn: [open] } }, { signature: { exists: {} } }] }] }",
    );
    let of = |tags: &[&str]| {
        let containers = tags.iter().map(|tag| container(image(&format!("registry.test/app:{tag}")))).collect();
        let judgement = judged(&control, &inventory(vec![workload("web", containers)]), Some(&unreachable()));
        findings(judgement).pop().map(|finding| finding.status)
    };
    assert_eq!(of(&["good", "open", "bad"]), Some(ControlStatus::Failed));
    assert_eq!(of(&["good", "open"]), Some(ControlStatus::Unknown));
    assert_eq!(of(&["good", "good"]), Some(ControlStatus::Passed));
    assert_eq!(of(&[]), None);
}

#[test]
fn only_what_is_accepted_is_accepted() {
    let one = || inventory(vec![workload("web", vec![container(image(APP))])]);
    let status = |accepted: &[&str]| {
        let judgement = accepting(&builtin("C-0237"), &Configuration::default(), &one(), Some(&unreachable()), accepted);
        let ControlJudgement::Workloads { counts, findings } = judgement else { panic!("by workload") };
        assert!(matches!(findings[0].containers[0].judgement, Judgement::Unknown { .. }), "accepting not to know is not knowing");
        (findings[0].status, counts)
    };
    let unknown = (ControlStatus::Unknown, Counts { unknown: 1, ..Counts::default() });
    let accepted = (ControlStatus::AcceptedUnknown, Counts { accepted: 1, ..Counts::default() });
    assert_eq!(status(&[]), unknown);
    assert_eq!(status(&["tls"]), unknown);
    assert_eq!(status(&["timeout:ghcr.io"]), unknown);
    assert_eq!(status(&["timeout"]), accepted);
    assert_eq!(status(&["tls", "timeout:registry.test/**"]), accepted);

    // A failing neighbour is not excused.
    let control = control("  rule: { all: [{ reference: { tagNotIn: [bad] } }, { signature: { exists: {} } }] }");
    let both = inventory(vec![workload("web", vec![container(image(APP)), container(image("registry.test/app:bad"))])]);
    let judgement = accepting(&control, &Configuration::default(), &both, Some(&unreachable()), &["timeout"]);
    assert_eq!(findings(judgement)[0].status, ControlStatus::Failed);
}

#[test]
fn what_is_out_of_scope_is_irrelevant_not_passed() {
    let both = || {
        let mut other = workload("other", vec![container(image("ghcr.io/acme/app:v1"))]);
        other.key.namespace = "test".into();
        other.key.kind = "Job".into();
        inventory(vec![other, workload("web", vec![container(image(APP))])])
    };
    for (scope, expected) in [
        ("{ images: [\"registry.test\"] }", vec![1]),
        ("{ exceptImages: [\"registry.test/**\"] }", vec![0]),
        ("{ kinds: [Job] }", vec![0]),
        ("{ namespaces: [prod] }", vec![1]),
        ("{ namespaces: [prod], kinds: [Job] }", vec![]),
        ("{}", vec![0, 1]),
    ] {
        let control = control(&format!("  scope: {scope}\n  rule: {{ signature: {{ exists: {{}} }} }}"));
        let ControlJudgement::Workloads { findings, counts } = judged(&control, &both(), Some(&looked())) else { panic!("by workload") };
        assert_eq!(findings.iter().map(|finding| finding.workload).collect::<Vec<_>>(), expected, "{scope}");
        assert_eq!((counts.failed as usize, counts.irrelevant as usize), (expected.len(), 2 - expected.len()), "{scope}");
        assert_eq!(counts.passed, 0);
    }
    // What cannot be parsed cannot be known to be outside.
    let control = control("  scope: { images: [\"ghcr.io\"] }\n  rule: { signature: { exists: {} } }");
    let malformed = inventory(vec![workload("web", vec![container(declared("registry.test/ app"))])]);
    assert_eq!(findings(judged(&control, &malformed, None))[0].status, ControlStatus::Failed);
}

#[test]
fn containers_that_no_template_declares_are_found() {
    let says = |kind: ContainerKind, declared_in: DeclaredIn| {
        let container = Container { kind, declared_in, ..container(image(APP)) };
        Says::from(&finding(&builtin("SW-0003"), &Configuration::default(), container, &looked()).unwrap().judgement)
    };
    assert_eq!(says(ContainerKind::Container, DeclaredIn::Template), Says::Pass);
    assert_eq!(says(ContainerKind::Init, DeclaredIn::PodOnly), Says::Fail(Reason::UndeclaredContainer));
    assert_eq!(says(ContainerKind::Ephemeral, DeclaredIn::PodOnly), Says::Fail(Reason::UndeclaredContainer));
    assert_eq!(says(ContainerKind::Container, DeclaredIn::TemplateUnknown), Says::Unknown(Cause::ListIncomplete));
}

#[test]
fn a_finding_says_what_to_do_about_what() {
    let finding = finding(&builtin("C-0306"), &Configuration::default(), container(image(APP)), &looked()).unwrap();
    assert_eq!(
        finding.remediation,
        format!("Write registry.test/app@{} at spec.template.spec.containers[0].image of prod/Deployment/web.", running())
    );
    assert_eq!(finding.digest, Some(running()));
    let not_asked = ImageEvidence { subject: SubjectState::NotAsked, ..looked() };
    let unread = super::stage::finding(&builtin("C-0306"), &Configuration::default(), container(declared("nginx")), &not_asked).unwrap();
    assert!(unread.remediation.starts_with("Write docker.io/library/nginx@sha256:… at "), "{}", unread.remediation);

    // Names from the cluster are text, even if they look like a placeholder.
    let control = control("  remediation: \"{container} in {workload}: {image} is {digest}, {}\"\n  rule: { signature: { exists: {} } }");
    let mut odd = container(image(APP));
    odd.name = "{image}".into();
    let finding = super::stage::finding(&control, &Configuration::default(), odd, &looked()).unwrap();
    assert_eq!(finding.remediation, format!("{{image}} in prod/Deployment/web: {APP} is {}, {{}}", running()));
}

#[test]
fn what_a_reference_pins_is_known_without_asking() {
    let pinned = format!("registry.test/app@{}", digest(3));
    let evidence = with(|evidence| evidence.subject = crate::model::SubjectState::NotAsked);
    let digest_of = |container| finding(&builtin("C-0306"), &Configuration::default(), container, &evidence).unwrap().digest;
    assert_eq!(digest_of(container(declared(&pinned))), Some(digest(3)));
    assert_eq!(digest_of(container(declared(APP))), None);
    assert_eq!(digest_of(container(image(&pinned))), Some(running()), "what runs counts, whatever is written");
}

#[test]
fn another_reported_repository_is_a_warning_not_a_verdict() {
    let mut odd = image(APP);
    odd.reported_repository = Some("docker.io/evil/app".into());
    let evidence = with(|evidence| evidence.statements = vec![signature(Relation::Names)]);
    let finding =
        finding(&builtin("C-0078"), &config(r#"{"imageRepositoryAllowList": ["registry.test"]}"#), container(odd), &evidence).unwrap();
    assert_eq!(Says::from(&finding.judgement), Says::Pass);
    assert!(finding.warnings[0].contains("docker.io/evil/app"), "{:?}", finding.warnings);
}

#[test]
fn unconfigured_and_manual_controls_are_not_judged() {
    let one = inventory(vec![workload("web", vec![container(image(APP))])]);
    let unconfigured = judged(&builtin("C-0078"), &one, Some(&looked()));
    assert_eq!(unconfigured, ControlJudgement::Unconfigured(vec!["allowed (controls-config: imageRepositoryAllowList)".to_owned()]));
    let manual = judged(&control("  manual: { text: Ask the HSM's owner. }"), &one, Some(&looked()));
    assert_eq!(manual, ControlJudgement::RequiresReview("Ask the HSM's owner.".to_owned()));
}

/// As `--include-kinds` does: a kind is never told from another by its case, and a control that is silent by a slip says nothing.
#[test]
fn kinds_in_a_scope_are_read_in_any_case() {
    let control = control("  scope: { kinds: [deployment] }\n  rule: { reference: { pinnedToDigest: {} } }");
    assert_eq!(findings(judged(&control, &inventory(vec![workload("web", vec![container(declared(APP))])]), None)).len(), 1);
}

#[test]
fn a_template_whose_pods_were_not_listed_says_nothing_of_what_runs() {
    let unlisted = || ContainerImage { basis: Basis::Declared(DeclaredBecause::PodsNotListed), ..declared(APP) };
    let signed = with(|evidence| evidence.statements = vec![statement(StatementFormat::BundleMessage, Relation::Names)]);
    let of = |rule: &str, image: ContainerImage| {
        let control = control(&format!("  rule: {{ {rule} }}"));
        findings(judged(&control, &inventory(vec![workload("web", vec![container(image)])]), Some(&signed))).pop().map(|mut finding| {
            let container = finding.containers.pop().unwrap();
            (finding.status, container.digest)
        })
    };
    for rule in ["signature: { exists: {} }", "running: { digestKnown: {} }", "running: { declaredInTemplate: {} }"] {
        assert_eq!(of(rule, declared(APP)).unwrap().0, ControlStatus::Passed, "{rule}");
        assert_eq!(of(rule, unlisted()), Some((ControlStatus::Unknown, None)), "{rule}");
    }
    // A tag of which nothing runs cannot have moved; here something may run.
    let moved = "running: { tagUnmoved: {} }";
    assert_eq!((of(moved, declared(APP)), of(moved, unlisted())), (None, Some((ControlStatus::Unknown, None))));
    assert_eq!(of("not: { signature: { exists: {} } }", unlisted()).unwrap().0, ControlStatus::Unknown);
    // What is written in the template is there to be judged.
    assert_eq!(of("reference: { tagIn: [v1] }", unlisted()).unwrap().0, ControlStatus::Passed);
    assert_eq!(of("reference: { pinnedToDigest: {} }", unlisted()).unwrap().0, ControlStatus::Failed);
}
