//! Numbers of answers, workloads, causes and images under labels with few values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::exposition::Families;
use super::{MOST_VALUES, NONE, OTHER};
use crate::model::{BuildLevel, Cause, ControlStatus, Judgement, Report, Severity, ShownLevel, Standing, WorkloadRecord};
use crate::report::causes::{Open, causes};
use crate::report::resources;
use crate::report::terminal::shown;

/// Statuses of workloads that any control applied to.
const STATUSES: [(ControlStatus, &str); 5] = [
    (ControlStatus::Failed, "failed"),
    (ControlStatus::Unknown, "unknown"),
    (ControlStatus::AcceptedUnknown, "acceptedUnknown"),
    (ControlStatus::Excepted, "excepted"),
    (ControlStatus::Passed, "passed"),
];
const STANDINGS: [&str; 3] = ["counted", "accepted", "excepted"];

pub(super) fn write(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let clusters = Values::of(report, |workload| workload.cluster.as_deref());
    findings(report, &clusters, families)?;
    workloads(report, &clusters, families)?;
    unknown(report, families)?;
    by_cause(report, families)?;
    levels(report, families)
}

/// The values of a label: those of most workloads by themselves, the rest as one.
struct Values {
    /// Sorted; every workload's position leads to one of them.
    names: Vec<String>,
    of: Vec<usize>,
    /// Different values that have none of their own.
    folded: u64,
}

impl Values {
    fn of<'a>(report: &'a Report, value: impl Fn(&'a WorkloadRecord) -> Option<&'a str>) -> Self {
        let told = |workload| value(workload).filter(|text| !text.is_empty()).map_or(Cow::Borrowed(NONE), shown);
        let mut workloads: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
        for workload in &report.workloads {
            *workloads.entry(told(workload)).or_default() += 1;
        }
        let mut order: Vec<_> = workloads.iter().collect();
        // Stable: of the same number, by name.
        order.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut names: Vec<String> = order.iter().take(MOST_VALUES).map(|(name, _)| name.to_string()).collect();
        let folded = order.len().saturating_sub(MOST_VALUES) as u64;
        if folded > 0 {
            names.push(OTHER.to_owned());
        }
        names.sort();
        names.dedup();
        let other = names.binary_search_by(|name| name.as_str().cmp(OTHER)).unwrap_or(0);
        let position = |name: Cow<'_, str>| names.binary_search_by(|known| known.as_str().cmp(&name)).unwrap_or(other);
        let of = report.workloads.iter().map(|workload| position(told(workload))).collect();
        Self { names, of, folded }
    }
}

/// Workloads under each control, by cluster and status.
fn findings(report: &Report, clusters: &Values, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    families.family("seaworthy_control_workloads")?;
    for control in report.controls.iter().filter(|control| !control.findings().is_empty()) {
        let mut counts = vec![[0_u64; STATUSES.len()]; clusters.names.len()];
        for finding in control.findings() {
            let cluster = usize::try_from(finding.workload).ok().and_then(|at| clusters.of.get(at)).and_then(|at| counts.get_mut(*at));
            let status = STATUSES.iter().position(|(status, _)| *status == finding.status);
            if let (Some(cluster), Some(status)) = (cluster, status) {
                cluster[status] += 1;
            }
        }
        for (cluster, counts) in clusters.names.iter().zip(counts) {
            for ((_, status), count) in STATUSES.iter().zip(counts) {
                let labels =
                    [("control", control.id.as_str()), ("severity", control.severity.name()), ("cluster", cluster), ("status", status)];
                families.count(&labels, count)?;
            }
        }
    }
    Ok(())
}

/// Workloads by their worst status, by cluster, namespace and owner.
fn workloads(report: &Report, clusters: &Values, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let statuses = resources::statuses(report);
    let namespaces = Values::of(report, |workload| Some(&workload.key.namespace));
    let owners = Values::of(report, |workload| workload.owner.as_deref());
    let of = [
        ("cluster", "seaworthy_cluster_workloads", clusters),
        ("namespace", "seaworthy_namespace_workloads", &namespaces),
        ("owner", "seaworthy_owner_workloads", &owners),
    ];
    for (label, family, values) in of {
        families.family(family)?;
        let mut counts = vec![[0_u64; STATUSES.len()]; values.names.len()];
        for (value, worst) in values.of.iter().zip(&statuses) {
            let status = worst.and_then(|worst| STATUSES.iter().position(|(status, _)| *status == worst));
            if let (Some(value), Some(status)) = (counts.get_mut(*value), status) {
                value[status] += 1;
            }
        }
        for (value, counts) in values.names.iter().zip(counts) {
            for ((_, status), count) in STATUSES.iter().zip(counts) {
                families.count(&[(label, value), ("status", status)], count)?;
            }
        }
    }
    families.family("seaworthy_label_values_folded")?;
    for (label, _, values) in of {
        families.count(&[("label", label)], values.folded)?;
    }
    Ok(())
}

fn standing(standing: Standing) -> usize {
    match standing {
        Standing::AsIs => 0,
        Standing::AcceptedUnknown => 1,
        Standing::Excepted(_) => 2,
    }
}

/// Answers that are not known, by cause.
fn unknown(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let mut counts: BTreeMap<Cause, [u64; STANDINGS.len()]> = BTreeMap::new();
    for control in &report.controls {
        let of_cluster = match &control.outcome {
            crate::model::ControlOutcome::Cluster { judgement, standing, .. } => Some((judgement, *standing)),
            _ => None,
        };
        let of_containers = control.findings().iter().flat_map(|finding| &finding.containers).map(|of| (&of.judgement, of.standing));
        for (judgement, how) in of_cluster.into_iter().chain(of_containers) {
            if let Judgement::Unknown { cause, .. } = judgement {
                counts.entry(*cause).or_default()[standing(how)] += 1;
            }
        }
    }
    families.family("seaworthy_unknown_answers")?;
    for cause in Cause::ALL {
        let counts = counts.get(cause).copied().unwrap_or_default();
        for (name, count) in STANDINGS.into_iter().zip(counts) {
            families.count(&[("cause", cause.name()), ("standing", name)], count)?;
        }
    }
    Ok(())
}

/// Different causes: what would have to be mended.
fn by_cause(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let mut counts: BTreeMap<(Severity, bool, usize), u64> = BTreeMap::new();
    for group in causes(report) {
        let unknown = matches!(group.open, Open::Unknown(_));
        *counts.entry((group.control.severity, unknown, standing(group.standing))).or_default() += 1;
    }
    families.family("seaworthy_causes")?;
    for severity in Severity::DESCENDING {
        for (status, unknown) in [("failed", false), ("unknown", true)] {
            for (at, name) in STANDINGS.into_iter().enumerate() {
                let count = counts.get(&(severity, unknown, at)).copied().unwrap_or_default();
                families.count(&[("severity", severity.name()), ("status", status), ("standing", name)], count)?;
            }
        }
    }
    Ok(())
}

/// Images by SLSA build level, where a control asked. What is not known is no low level.
fn levels(report: &Report, families: &mut Families<'_, impl Write>) -> io::Result<()> {
    let shown: Vec<_> = report.images.iter().filter_map(|image| image.build.as_ref()).collect();
    if shown.is_empty() {
        return Ok(());
    }
    families.family("seaworthy_image_build_levels")?;
    for (name, level) in [("0", BuildLevel::L0), ("1", BuildLevel::L1), ("2", BuildLevel::L2), ("3", BuildLevel::L3)] {
        for state in ["shown", "unverified", "open"] {
            let count = shown.iter().filter(|build| level_of(build) == (level, state)).count();
            families.count(&[("level", name), ("state", state)], count as u64)?;
        }
    }
    Ok(())
}

/// A level that may turn out higher is open, and counts as what somebody vouches for.
fn level_of(build: &ShownLevel) -> (BuildLevel, &'static str) {
    match (&build.possible, &build.by) {
        (Some(_), _) => (build.verified(), "open"),
        (None, None) if build.level > BuildLevel::L0 => (build.level, "unverified"),
        (None, _) => (build.level, "shown"),
    }
}
