//! Kubescape's metrics under its names and labels.
//!
//! What is unknown is `skipped`, what is excepted `passed`; compliance is the lower end of the interval. Its metrics of single resources
//! are left out: their number grows with the cluster.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::exposition::Families;
use crate::model::{ControlOutcome, ControlResult, Report, Stage};
use crate::report::answer::Status;
use crate::report::resources::{Totals, statuses_under};

/// Kubescape's three words.
#[derive(Clone, Copy)]
struct Three {
    failed: u64,
    skipped: u64,
    passed: u64,
}

impl Three {
    fn named(self) -> [u64; 3] {
        [self.failed, self.skipped, self.passed]
    }
}

pub(super) fn write(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    cluster(report, families)?;
    frameworks(report, families)?;
    controls(report, families)
}

fn cluster(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    if let Some(compliance) = report.compliance {
        families.family("kubescape_cluster_complianceScore")?;
        families.sample(&[], compliance.lower)?;
    }
    let counting = || report.controls.iter().filter(|control| control.stage == Stage::Stable);
    let names = [
        "kubescape_cluster_count_resources_failed",
        "kubescape_cluster_count_resources_skipped",
        "kubescape_cluster_count_resources_passed",
    ];
    for (name, count) in names.into_iter().zip(resources(report, counting()).named()) {
        families.family(name)?;
        families.count(&[], count)?;
    }
    let names =
        ["kubescape_cluster_count_control_failed", "kubescape_cluster_count_control_skipped", "kubescape_cluster_count_control_passed"];
    for (name, count) in names.into_iter().zip(of_controls(counting()).named()) {
        families.family(name)?;
        families.count(&[], count)?;
    }
    Ok(())
}

fn frameworks(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    if report.frameworks.is_empty() {
        return Ok(());
    }
    let by_id: BTreeMap<&str, &ControlResult> =
        report.controls.iter().filter(|control| control.stage == Stage::Stable).map(|control| (control.id.as_str(), control)).collect();
    families.family("kubescape_framework_complianceScore")?;
    for framework in &report.frameworks {
        if let Some(compliance) = framework.compliance {
            families.sample(&[("name", &framework.id)], compliance.lower)?;
        }
    }
    let members = |ids: &'_ [String]| ids.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect::<Vec<_>>();
    let of: Vec<_> = report.frameworks.iter().map(|framework| (framework.id.as_str(), members(&framework.controls))).collect();
    let resources: Vec<_> = of.iter().map(|(id, controls)| (*id, resources(report, controls.iter().copied()).named())).collect();
    let controls: Vec<_> = of.iter().map(|(id, controls)| (*id, of_controls(controls.iter().copied()).named())).collect();
    let names = [
        "kubescape_framework_count_resources_failed",
        "kubescape_framework_count_resources_skipped",
        "kubescape_framework_count_resources_passed",
    ];
    table(families, names, &resources)?;
    let names = [
        "kubescape_framework_count_control_failed",
        "kubescape_framework_count_control_skipped",
        "kubescape_framework_count_control_passed",
    ];
    table(families, names, &controls)
}

fn table(families: &mut Families<'_, impl Write>, names: [&'static str; 3], rows: &[(&str, [u64; 3])]) -> io::Result<()> {
    for (at, name) in names.into_iter().enumerate() {
        families.family(name)?;
        for (of, counts) in rows {
            families.count(&[("name", of)], counts[at])?;
        }
    }
    Ok(())
}

fn controls(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    if report.controls.is_empty() {
        return Ok(());
    }
    let labels = |control: &'_ ControlResult| {
        let link = control.references.first().cloned().unwrap_or_default();
        (control.title.clone(), control.severity.name(), link)
    };
    families.family("kubescape_control_complianceScore")?;
    for control in &report.controls {
        let (name, severity, link) = labels(control);
        if let Some(compliance) = control.compliance() {
            families.sample(&[("name", &name), ("severity", severity), ("link", &link)], compliance.lower)?;
        }
    }
    let names = [
        "kubescape_control_count_resources_failed",
        "kubescape_control_count_resources_skipped",
        "kubescape_control_count_resources_passed",
    ];
    for (at, family) in names.into_iter().enumerate() {
        families.family(family)?;
        for control in &report.controls {
            let counts = control.counts;
            let three = Three { failed: counts.failed, skipped: counts.unknown + counts.accepted, passed: counts.passed + counts.excepted };
            let (name, severity, link) = labels(control);
            families.count(&[("name", &name), ("severity", severity), ("link", &link)], three.named()[at])?;
        }
    }
    Ok(())
}

fn resources<'a>(report: &Report, controls: impl Iterator<Item = &'a ControlResult>) -> Three {
    let totals = Totals::of(&statuses_under(report, controls));
    let [failed, skipped, passed] = [totals.failed, totals.unknown, totals.passed].map(|count| count as u64);
    Three { failed, skipped, passed }
}

fn of_controls<'a>(controls: impl Iterator<Item = &'a ControlResult>) -> Three {
    let mut three = Three { failed: 0, skipped: 0, passed: 0 };
    for control in controls {
        let counts = control.counts;
        *match &control.outcome {
            ControlOutcome::Judged { .. } if counts.failed > 0 => &mut three.failed,
            ControlOutcome::Judged { .. } if counts.unknown + counts.accepted > 0 => &mut three.skipped,
            ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant => &mut three.passed,
            ControlOutcome::Unconfigured { .. } | ControlOutcome::RequiresReview { .. } => &mut three.skipped,
            ControlOutcome::Cluster { judgement, standing, .. } => match Status::of(judgement, *standing) {
                Status::Failed => &mut three.failed,
                Status::Unknown | Status::AcceptedUnknown => &mut three.skipped,
                Status::Excepted | Status::Passed => &mut three.passed,
            },
        } += 1;
    }
    three
}
