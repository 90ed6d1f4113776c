//! A report about so many workloads.

use std::sync::Arc;

use seaworthy::model::{Compliance, ControlOutcome, ControlStatus, Counts, Report, WorkloadFinding, WorkloadRecord};

use super::sample::{TEMPLATE, container, control, digest, empty, image, key, pods, unsigned, workload};

/// Each workload has its own image, namespace and owner, and fails a control of high and one of low severity.
pub(crate) fn large(workloads: u32) -> Report {
    let mut report = empty();
    let mut findings = Vec::new();
    for at in 0..workloads {
        let image = image(&format!("ghcr.io/acme/app-{at}:1.0"), digest(u8::try_from(at % 251).unwrap()), Vec::new());
        report.workloads.push(WorkloadRecord {
            owner: Some(format!("team-{at}").into()),
            ..workload(key("apps/v1", "Deployment", &format!("space-{at}"), "app"), 1)
        });
        let mut found = container("app", TEMPLATE, at, &image, pods(&["app-1"]), unsigned(&image));
        found.remediation = format!("Sign what runs: cosign sign {}", image.reference);
        findings.push(WorkloadFinding { workload: at, status: ControlStatus::Failed, containers: vec![found] });
        report.images.push(image);
    }
    let counts = Counts { failed: u64::from(workloads), ..Counts::default() };
    let outcome = ControlOutcome::Judged { compliance: Compliance::exact(0.0), findings };
    let low = control("C-0306", "Images pinned to digest", 3, counts, outcome.clone());
    report.controls = vec![control("C-0237", "Check if signature exists", 7, counts, outcome), low];
    report.compliance = Some(Compliance::exact(0.0));
    report
}

/// One workload with so many containers, each of which has a long text.
pub(crate) fn deep(containers: usize) -> Report {
    let mut report = large(1);
    for control in &mut report.controls {
        let ControlOutcome::Judged { findings, .. } = &mut control.outcome else { continue };
        let found = findings[0].containers[0].clone();
        findings[0].containers = (0..containers)
            .map(|at| {
                let mut found = found.clone();
                found.container = Arc::<str>::from(format!("c{at}")).into();
                found.remediation = "x".repeat(400);
                found
            })
            .collect();
    }
    report
}
