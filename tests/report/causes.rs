//! One cause, one finding.

use seaworthy::report::causes::{About, causes};

use super::{fleet::fleet, sample::rich};

fn told(report: &seaworthy::model::Report) -> Vec<String> {
    let line = |group: &seaworthy::report::causes::CauseGroup<'_>| {
        let injected = if group.injected { ", injected" } else { "" };
        let workloads: Vec<_> = group.members.iter().map(|member| member.workload.key.name.to_string()).collect();
        format!("{} {}: {} ({:?}{injected}): {}", group.control.id, group.open.code(), group.subject(), group.standing, workloads.join(" "))
    };
    causes(report).iter().map(line).collect()
}

#[test]
fn what_shares_a_cause_is_one_finding() {
    insta::assert_snapshot!(
        format!("{}\n\n{}", told(&fleet()).join("\n"), told(&rich()).join("\n")).escape_default().to_string().replace("\\n", "\n")
    );
}

#[test]
fn a_cause_keeps_its_identifier_whoever_shares_it() {
    let report = fleet();
    let shop = |report: &seaworthy::model::Report| {
        let all = causes(report);
        let one = all.iter().find(|group| matches!(group.about, About::Image { reference: "ghcr.io/acme/shop:2.0", .. })).unwrap();
        (one.id(), one.workloads(), one.owners().len(), one.clusters().len())
    };
    let (id, workloads, owners, clusters) = shop(&report);
    assert_eq!((workloads, owners, clusters), (3, 1, 2), "two clusters and a manifest");
    let mut fewer = report;
    if let seaworthy::model::ControlOutcome::Judged { findings, .. } = &mut fewer.controls[1].outcome {
        findings.truncate(3);
    }
    assert_eq!(shop(&fewer), (id, 1, 1, 1));
    let ids: std::collections::BTreeSet<_> = causes(&fewer).iter().map(seaworthy::report::causes::CauseGroup::id).collect();
    assert_eq!(ids.len(), causes(&fewer).len(), "no two causes have the same");
}
