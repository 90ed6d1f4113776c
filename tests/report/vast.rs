//! A report of the size of a large organisation: workloads by the thousand under a dozen controls, images that many share, with evidence.

use std::sync::Arc;

use seaworthy::model::{
    Algorithm, Cause, Compliance, ContainerFinding, ControlOutcome, ControlResult, ControlStatus, Counts, Digest, ImageRecord, Judgement,
    Reason, Relation, Report, Standing, Statement, WorkloadFinding, WorkloadRecord,
};

use super::sample::{TEMPLATE, container, control, empty, image, key, pods, proof, signature, workload};

/// Workloads share images, each of which has a signature with its steps; one answer in five fails, one in twenty is unknown.
pub(crate) fn vast(workloads: u32, controls: u32, images: u32) -> Report {
    let mut report = empty();
    let proofs: Arc<[_]> = vec![proof()].into();
    report.images = (0..images).map(|at| signed_image(at, &proofs)).collect();
    report.workloads = (0..workloads).map(record).collect();
    report.controls = (0..controls).map(|at| result(&report, at)).collect();
    report.controls.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.id.cmp(&other.id)));
    report.compliance = Some(Compliance { lower: 75.0, upper: 80.0 });
    report.listed.pods = u64::from(workloads) * 2;
    report.threats = seaworthy::score::threats(&report.controls);
    report
}

fn signed_image(at: u32, proofs: &Arc<[seaworthy::model::Proof]>) -> ImageRecord {
    let reference = format!("registry{}.acme.example/team-{}/service-{at}:1.{}.{}", at % 3, at % 40, at % 17, at % 7);
    let statement = Statement { proofs: Arc::clone(proofs), ..signature(&reference, Relation::Names) };
    image(&reference, Digest::of(Algorithm::Sha256, &at.to_be_bytes()), vec![statement])
}

fn record(at: u32) -> WorkloadRecord {
    let kind = ["Deployment", "StatefulSet", "DaemonSet"][at as usize % 3];
    WorkloadRecord {
        cluster: Some(["eu-west", "us-east"][at as usize % 2].into()),
        owner: Some(format!("team-{}", at % 40).into()),
        ..workload(key("apps/v1", kind, &format!("space-{}", at % 200), &format!("service-{at}")), 2)
    }
}

fn result(report: &Report, at: u32) -> ControlResult {
    let mut counts = Counts::default();
    let finding = |position: u32| {
        let which = position % u32::try_from(report.images.len()).unwrap();
        let found = found(report, position, which, at);
        let status = match &found.judgement {
            Judgement::Pass { .. } => ControlStatus::Passed,
            Judgement::Fail { .. } => ControlStatus::Failed,
            Judgement::Unknown { .. } => ControlStatus::Unknown,
        };
        WorkloadFinding { workload: position, status, containers: vec![found] }
    };
    let findings: Vec<_> = (0..u32::try_from(report.workloads.len()).unwrap()).map(finding).collect();
    for found in &findings {
        match found.status {
            ControlStatus::Failed => counts.failed += 1,
            ControlStatus::Unknown => counts.unknown += 1,
            _ => counts.passed += 1,
        }
    }
    let share = |part: u64| part as f64 / counts.applicable() as f64 * 100.0;
    let compliance = Compliance { lower: share(counts.passed), upper: share(counts.passed + counts.unknown) };
    let outcome = ControlOutcome::Judged { compliance, findings };
    control(&format!("C-{:04}", 200 + at), &format!("Control number {at}"), u8::try_from(1 + at % 10).unwrap(), counts, outcome)
}

/// The answer depends on image and control alone, as most do.
fn found(report: &Report, position: u32, which: u32, control: u32) -> ContainerFinding {
    let image = &report.images[which as usize];
    let judgement = match (which + control * 7) % 20 {
        0..4 => Judgement::fail(Reason::Absent, format!("image: {} is not signed", image.reference)),
        4 => Judgement::unknown(Cause::Timeout, format!("{} did not answer within 30 s", image.evidence.repository)),
        _ => Judgement::pass(),
    };
    let name = format!("service-{position}-6f7c8d9b5-x2x7k");
    let mut found = container("main", TEMPLATE, which, image, pods(&[&name]), judgement);
    found.standing = Standing::AsIs;
    if !matches!(found.judgement, Judgement::Pass { .. }) {
        found.remediation = format!("Sign it where it is built: cosign sign {}", image.evidence.repository);
    }
    found
}
