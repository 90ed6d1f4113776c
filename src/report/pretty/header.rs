//! What was looked at, and what could not be.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{ClusterIdentity, ClusterRecord, Gap, Report, ReportSource, Scope};
use crate::report::roots::told;
use crate::report::terminal::{Appearance, Tone, counted, field, prose, shown, title};

/// Where the values begin.
const COLUMN: usize = 10;

pub(super) fn render(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let header = &report.header;
    let mut line = |name: &str, text: &str| field(out, appearance, (name, Tone::Quiet), COLUMN, text, appearance.prose());
    let as_of = moment(header.as_of);
    let asked = if header.rewound { " as asked (tags, registries and what runs: as they were when they were asked)" } else { "" };
    line("As of", &format!("{as_of}{asked} · seaworthy {}", shown(&header.tool_version)))?;
    match (&header.source, header.clusters.as_slice()) {
        (ReportSource::Images, _) => line("Source", "images named on the command line")?,
        (ReportSource::Manifests, _) => line("Source", "manifests")?,
        (ReportSource::Cluster, []) => line("Cluster", "not identified")?,
        (ReportSource::Cluster, clusters) => {
            for ClusterRecord { identity, .. } in clusters {
                line("Cluster", &cluster_text(identity))?;
                line("Identity", &identity.user.as_deref().map_or_else(|| "not known".into(), shown))?;
            }
        }
    }
    if header.source != ReportSource::Images {
        line("Scope", &scope_text(&header.scope))?;
        line("Listed", &listed_text(report))?;
    }
    line("Audited", &audited_text(report))?;
    for root in &header.trust_roots {
        line("Root", &shown(&told(root)))?;
    }
    if report.gaps.is_empty() {
        let unread = if report.not_judged.is_empty() { "" } else { "; what is of a kind that is not understood is named below" };
        line("Gaps", &format!("none: everything in scope could be read{unread}"))?;
    }
    gaps(&report.gaps, appearance, out)?;
    if header.interrupted {
        let text = "What follows is what was known by then; what was not asked any more is unknown or a gap.";
        title(out, appearance, Tone::Failed, "Interrupted: the scan was ended before its time.")?;
        prose(out, appearance, 2, text)?;
    }
    Ok(())
}

/// A moment as people read it.
pub(in crate::report) fn moment(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

pub(in crate::report) fn cluster_text(cluster: &ClusterIdentity) -> String {
    let name = cluster.context.as_deref().map(|context| shown(context).into_owned());
    let version = cluster.server_version.as_deref().map(|version| shown(version).into_owned());
    let uid = cluster.uid.as_deref().map(|uid| format!("UID {}", shown(uid)));
    let known: Vec<String> = [name, version, uid].into_iter().flatten().collect();
    if known.is_empty() { "not identified".to_owned() } else { known.join(" · ") }
}

pub(in crate::report) fn scope_text(scope: &Scope) -> String {
    let list = |names: &[String]| names.iter().map(|name| shown(name).into_owned()).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    match (scope.include_namespaces.as_slice(), scope.exclude_namespaces.as_slice()) {
        ([], []) => parts.push("all namespaces".to_owned()),
        ([], excluded) => parts.push(format!("all namespaces but {}", list(excluded))),
        (included, []) => parts.push(format!("namespaces {}", list(included))),
        (included, excluded) => parts.push(format!("namespaces {} but {}", list(included), list(excluded))),
    }
    if !scope.include_kinds.is_empty() {
        parts.push(format!("kinds {}", list(&scope.include_kinds)));
    }
    if !scope.exclude_kinds.is_empty() {
        parts.push(format!("without kinds {}", list(&scope.exclude_kinds)));
    }
    if let Some(selector) = &scope.label_selector {
        parts.push(format!("labels {}", shown(selector)));
    }
    if !scope.owners.is_empty() {
        parts.push(format!("owned by {}", list(&scope.owners)));
    }
    if let Some(workload) = &scope.workload {
        parts.push(format!("workload {}", shown(workload)));
    }
    parts.join(" · ")
}

pub(in crate::report) fn listed_text(report: &Report) -> String {
    let listed = report.listed;
    let pods = counted(usize::try_from(listed.pods).unwrap_or(usize::MAX), "pod");
    let objects = counted(usize::try_from(listed.objects).unwrap_or(usize::MAX), "object");
    let namespaces = counted(usize::try_from(listed.namespaces).unwrap_or(usize::MAX), "namespace");
    format!("{pods} · {objects} · {namespaces}")
}

pub(in crate::report) fn audited_text(report: &Report) -> String {
    let images = counted(report.images.len(), "image");
    let controls = counted(report.controls.len(), "control");
    if report.header.source == ReportSource::Images {
        return format!("{images} · {controls}");
    }
    format!("{} · {images} · {controls}", counted(report.workloads.len(), "workload"))
}

/// What could not be read, if anything.
pub(in crate::report) fn gaps(gaps: &[Gap], appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    title(out, appearance, Tone::Unknown, &format!("Gaps: {} could not be read", counted(gaps.len(), "part")))?;
    for gap in gaps {
        let effect = if gap.workloads_missing { "workloads may be missing from this report" } else { "details may be missing" };
        prose(out, appearance, 2, &format!("{} ({}): {effect}", shown(&gap.what), gap.cause))?;
        prose(out, appearance, 4, &shown(&gap.detail))?;
    }
    Ok(())
}
