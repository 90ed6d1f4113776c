//! From an inventory, its evidence and the controls' findings to a report.

use super::collect::EvidenceByImage;
use super::task::ImageTask;
use crate::controls::Trust;
use crate::model::{
    Compliance, ControlResult, ExceptionRecord, FrameworkResult, Header, ImageEvidence, ImageRecord, Inventory, Milestones, NotVisible,
    Report, ReportSource, ShownLevel, ThreatCoverage, WorkloadRecord,
};
use crate::policy::{Assessment, Expectations, ShownBy};

/// What the controls made of it.
pub struct Judged {
    /// Controls, sorted.
    pub controls: Vec<ControlResult>,
    /// Frameworks that were asked for.
    pub frameworks: Vec<FrameworkResult>,
    /// The mean of all.
    pub compliance: Option<Compliance>,
    /// Threats.
    pub threats: Vec<ThreatCoverage>,
    /// Milestones.
    pub milestones: Option<Milestones>,
    /// Exceptions that were given, and what they did.
    pub exceptions: Vec<ExceptionRecord>,
}

/// Puts a report together. Workloads keep the order of the inventory, images that of the evidence: findings refer to both by position.
/// Where `levels` says by whom, each image has the level that its provenance shows. Gates are judged afterwards: what a baseline has already
/// does not count at them.
#[must_use]
pub fn assemble(header: Header, inventory: Inventory, evidence: EvidenceByImage, judged: Judged, levels: Option<Trust<'_>>) -> Report {
    let record = |(task, evidence): (ImageTask, ImageEvidence)| {
        let build = levels.map(|trust| shown(trust.policies.assess(&evidence, &Expectations::default(), trust.as_of)));
        ImageRecord { reference: task.reference.to_string(), running: task.running, evidence, build }
    };
    let not_visible = not_visible(header.source);
    let cluster = header.clusters.first().map(|cluster| cluster.name.clone());
    Report {
        header,
        listed: inventory.counts,
        gaps: inventory.gaps,
        not_visible,
        not_judged: inventory.not_judged,
        workloads: inventory
            .workloads
            .into_iter()
            .map(|workload| WorkloadRecord {
                owner: inventory.scope.owner(&workload.key, &workload.labels, &workload.annotations),
                key: workload.key,
                cluster: cluster.clone(),
                origin: workload.origin,
                pods: workload.pods,
                labels: workload.labels,
            })
            .collect(),
        images: evidence.into_iter().map(record).collect(),
        controls: judged.controls,
        frameworks: judged.frameworks,
        compliance: judged.compliance,
        gates: Vec::new(),
        baseline: None,
        exceptions: judged.exceptions,
        threats: judged.threats,
        milestones: judged.milestones,
    }
}

fn shown(assessment: Assessment) -> ShownLevel {
    let by = match assessment.shown.map(|shown| shown.by) {
        Some(ShownBy::Builder(name, _) | ShownBy::Authority(name, _)) => Some(name),
        Some(ShownBy::Nobody) | None => None,
    };
    // Every level above lacks the same: what the provenance that came nearest is not.
    let lack = assessment.missing.into_iter().next().map(|missing| (missing.reason, missing.detail));
    ShownLevel { level: assessment.reached, by, lack, possible: assessment.possible }
}

/// What no scan of this kind can see: said in every report, so that nobody takes it for covered.
fn not_visible(source: ReportSource) -> Vec<NotVisible> {
    let sentence = |what: &str, why: &str| NotVisible { what: what.to_owned(), why: why.to_owned() };
    match source {
        ReportSource::Cluster => vec![
            sentence("sandbox (pause) images", "the runtime starts one for each pod and does not report it to the API server"),
            sentence("containers outside the API server", "what is started on a node by hand, by systemd or by another runtime has no pod"),
            sentence("nodes' own software", "kubelet, runtime and operating system are not images that the API server lists"),
            sentence("pods that came and went before the scan", "a scan sees one moment"),
            sentence(
                "custom resources that have no pods",
                "those with pods are found by them; to judge the template of the others too, name their kind with --custom-kind",
            ),
        ],
        ReportSource::Manifests => vec![
            sentence("what really runs", "manifests say what is asked for; admission webhooks may change or add containers"),
            sentence("the digest at the time of the start", "a tag is judged by what it leads to now"),
        ],
        ReportSource::Images => vec![sentence("where these images run", "no cluster was asked")],
    }
}
