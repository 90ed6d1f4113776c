//! Baselines and comparisons of two reports.

use seaworthy::model::{Cause, ChangedBy, ContainerFinding, ControlOutcome, GateOutcome, Judgement, Novelty, Reason, Report, Standing};
use seaworthy::report::{Appearance, changes, verification::Format};
use seaworthy::score;

use super::sample::{digest, talk};

fn container(report: &mut Report, at: usize) -> &mut ContainerFinding {
    let ControlOutcome::Judged { findings, .. } = &mut report.controls[0].outcome else { panic!() };
    &mut findings[at].containers[0]
}

fn novelty(old: &Report, change: impl FnOnce(&mut Report)) -> Vec<Option<Novelty>> {
    let mut new = talk();
    change(&mut new);
    score::mark(&mut new, old, "old.json");
    let ControlOutcome::Judged { findings, .. } = &new.controls[0].outcome else { panic!() };
    findings.iter().map(|finding| finding.containers[0].novelty).collect()
}

#[test]
fn only_what_is_new_is_new() {
    let old = talk();
    let known = Some(Novelty::Known);
    let all_known = [vec![known; 8], vec![None; 2]].concat();
    assert_eq!(novelty(&old, |_| {}), all_known);
    let first = |change: fn(&mut ContainerFinding)| novelty(&old, |report| change(container(report, 0)))[0];
    // A new tag or digest of the same repository is the same debt.
    assert_eq!(
        first(|found| {
            found.reference = "ghcr.io/ledgerhq/my-hello-ledger:2.0".into();
            found.digest = Some(digest(99));
        }),
        known
    );
    assert_eq!(first(|found| found.reference = "ghcr.io/somebody/else:1.4.0".into()), Some(Novelty::New));
    assert_eq!(first(|found| found.container = "another".into()), Some(Novelty::New));
    assert_eq!(first(|found| found.judgement = Judgement::fail(Reason::SignatureInvalid, "")), Some(Novelty::New), "another reason");
    assert_eq!(first(|found| found.judgement = Judgement::unknown(Cause::Timeout, "")), known, "it may still be what it was");
    assert_eq!(novelty(&old, |report| report.workloads[0].key.name = "other".into())[0], Some(Novelty::New));
    // One that passed before.
    assert_eq!(novelty(&old, |report| container(report, 9).judgement = Judgement::fail(Reason::Absent, ""))[9], Some(Novelty::New));
}

#[test]
fn what_was_not_known_or_was_excepted_is_new_where_it_fails() {
    let mut old = talk();
    container(&mut old, 0).judgement = Judgement::unknown(Cause::Timeout, "");
    container(&mut old, 1).standing = Standing::Excepted(0);
    let found = novelty(&old, |_| {});
    assert_eq!(found[..3], [Some(Novelty::New), Some(Novelty::New), Some(Novelty::Known)]);
}

#[test]
fn a_baseline_is_counted_and_decides_gates() {
    let (old, mut new) = (talk(), talk());
    container(&mut new, 9).judgement = Judgement::fail(Reason::Absent, "");
    container(&mut new, 0).judgement = Judgement::pass();
    score::mark(&mut new, &old, "old.json");
    let record = new.baseline.clone().unwrap();
    assert_eq!((record.new, record.known, record.gone), (1, 7, 1));
    let gates = score::Gates { compliance: Some(95.0), severity: None, controls: vec!["C-0237".to_owned()] };
    let outcomes: Vec<_> = gates.judge(&new.controls).iter().map(|gate| gate.outcome).collect();
    assert_eq!(outcomes, [GateOutcome::Missed; 2]);
    let mut same = talk();
    score::mark(&mut same, &old, "old.json");
    let outcomes: Vec<_> = gates.judge(&same.controls).iter().map(|gate| gate.outcome).collect();
    assert_eq!(outcomes, [GateOutcome::Met; 2]);
}

#[test]
fn a_baseline_of_something_else_is_refused() {
    let old = talk();
    let mut other = talk();
    other.header.clusters[0].identity.uid = Some("another".to_owned());
    let error = score::comparable(&old, &other).unwrap_err().to_string();
    assert_eq!(error, "is of cluster ledger-prod (UID 0d5f1a52-6c0e-4f6c-9d7e-3b1f7a0c9e11), and this is ledger-prod (UID another)");
    // The same cluster by another name of its context.
    let mut renamed = talk();
    renamed.header.clusters[0].name = "ci".into();
    renamed.workloads.iter_mut().for_each(|workload| workload.cluster = Some("ci".into()));
    score::comparable(&old, &renamed).unwrap();
    score::mark(&mut renamed, &old, "old.json");
    assert_eq!(renamed.baseline.unwrap().new, 0);
    let mut manifests = talk();
    manifests.header.source = seaworthy::model::ReportSource::Manifests;
    assert_eq!(score::comparable(&old, &manifests).unwrap_err().to_string(), "is of a cluster, and this is of manifests");
}

fn by(change: impl FnOnce(&mut Report)) -> Vec<ChangedBy> {
    let (old, mut new) = (talk(), talk());
    change(&mut new);
    let mut found = score::changes(&old, &new).changes;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).by
}

fn pass(report: &mut Report) {
    container(report, 0).judgement = Judgement::pass();
}

#[test]
fn each_change_has_its_cause() {
    assert!(score::changes(&talk(), &talk()).changes.is_empty());
    assert_eq!(by(pass), [ChangedBy::Time]);
    assert_eq!(
        by(|report| {
            pass(report);
            container(report, 0).digest = Some(digest(77));
        }),
        [ChangedBy::Workload]
    );
    assert_eq!(by(|report| container(report, 0).standing = Standing::Excepted(0)), [ChangedBy::Exception]);
    assert_eq!(by(|report| container(report, 0).judgement = Judgement::unknown(Cause::Dns, "")), [ChangedBy::KnowledgeLost]);
    assert_eq!(
        by(|report| {
            pass(report);
            let statement = super::sample::signature("ghcr.io/a/b:1", seaworthy::model::Relation::Names);
            report.images[0].evidence.statements.push(statement);
        }),
        [ChangedBy::Evidence]
    );
    let other = |report: &mut Report| report.header.documents[0].digest = digest(77);
    assert_eq!(
        by(|report| {
            pass(report);
            other(report);
        }),
        [ChangedBy::Policy]
    );
    assert_eq!(
        by(|report| {
            pass(report);
            report.header.tool_version = "0.2.0".to_owned();
        }),
        [ChangedBy::ToolVersion]
    );
    assert_eq!(
        by(|report| {
            report.workloads[0].key.name = "gone-and-new".into();
            pass(report);
            let ControlOutcome::Judged { findings, .. } = &mut report.controls[0].outcome else { panic!() };
            findings.remove(0);
        }),
        [ChangedBy::Workload]
    );
    // Knowledge that is gained is told from the other end.
    let mut old = talk();
    container(&mut old, 0).judgement = Judgement::unknown(Cause::Dns, "");
    assert_eq!(score::changes(&old, &talk()).changes[0].by, [ChangedBy::KnowledgeGained]);
}

#[test]
fn changes_are_told_to_people_and_programs() {
    let (mut old, mut new) = (talk(), talk());
    container(&mut new, 9).judgement = Judgement::fail(Reason::Absent, "");
    container(&mut new, 9).digest = Some(digest(78));
    pass(&mut new);
    container(&mut new, 1).judgement = Judgement::unknown(Cause::Timeout, "");
    container(&mut old, 2).judgement = Judgement::unknown(Cause::Forbidden, "");
    container(&mut new, 3).standing = Standing::Excepted(0);
    new.header.documents[0].digest = digest(77);
    new.workloads[4].key.name = "evil\u{1b}[31m\u{202e}".into();
    let compared = score::changes(&old, &new);
    let write = |format: Format| {
        let mut bytes = Vec::new();
        changes::render(&compared, format, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let text = write(Format::Text(Appearance { color: false, width: 100 }));
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
    insta::assert_snapshot!(text);
    let json: serde_json::Value = serde_json::from_str(&write(Format::Json)).unwrap();
    assert_eq!(json["changes"].as_array().unwrap().len(), compared.changes.len());
}
