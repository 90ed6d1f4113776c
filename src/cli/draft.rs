//! `exceptions draft`: an exception for one finding of a stored report, to be filled in by a person.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::documents::{API_VERSION, nearest};
use crate::model::{ContainerFinding, ImageReference, Judgement, ObjectKey, Report, WorkloadRecord, escape_control};
use crate::report;
use crate::report::causes::{CauseGroup, Open, causes};

/// Days after the report's moment on which a draft ends.
const DAYS: i64 = 90;
/// Most workloads that a draft names one by one.
const MOST: usize = 50;

/// One answer that is to be excepted.
struct Found<'a> {
    control: &'a str,
    open: Open,
    detail: &'a str,
    /// None where it is about the cluster as a whole.
    about: Option<(&'a WorkloadRecord, &'a ContainerFinding)>,
}

/// Drafts an exception for a finding: a cause's identifier, or a workload with a control.
///
/// # Errors
/// When the report cannot be read, or has no such finding.
pub(super) fn draft(file: &Path, finding: &str, control: Option<&str>) -> anyhow::Result<String> {
    let report = read(file)?;
    let groups = causes(&report);
    let is_cause = finding.len() == 16 && finding.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wanted = finding.to_lowercase();
    let of_control = |group: &&CauseGroup<'_>| control.is_none_or(|id| id == group.control.id);
    let groups = groups.iter().filter(of_control).filter(|group| !is_cause || group.id() == wanted);
    let mut all: Vec<Found<'_>> = groups.flat_map(answers).collect();
    if is_cause {
        ensure!(!all.is_empty(), "{} has no finding of the cause {finding}, or it passes now", file.display());
    } else {
        let known = |workload: &WorkloadRecord| workload.key.to_string().eq_ignore_ascii_case(finding);
        if !report.workloads.iter().any(known) {
            let names: Vec<String> = report.workloads.iter().map(|workload| workload.key.to_string()).collect();
            let meant =
                nearest(finding, names.iter().map(String::as_str)).map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
            bail!("{} has no workload {finding}{meant}; name a cause's identifier or NAMESPACE/KIND/NAME", file.display());
        }
        all.retain(|found| found.about.is_some_and(|(workload, _)| known(workload)));
        ensure!(!all.is_empty(), "{finding} fails nothing{}", control.map_or_else(String::new, |id| format!(" of {id}")));
        let controls: BTreeSet<&str> = all.iter().map(|found| found.control).collect();
        ensure!(
            controls.len() == 1,
            "{finding} fails several controls: add --control with one of {}",
            controls.into_iter().collect::<Vec<_>>().join(", ")
        );
    }
    written(&all, report.header.as_of)
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let opened = File::open(file).with_context(|| format!("cannot read the report {}", file.display()))?;
    report::json::read(opened).map_err(|error| anyhow::anyhow!("{} {error}", file.display()))
}

/// Every answer that shares a cause.
fn answers<'a>(group: &'a CauseGroup<'a>) -> Vec<Found<'a>> {
    let found = |detail, about| Found { control: &group.control.id, open: group.open, detail, about };
    if group.members.is_empty() {
        return vec![found(group.detail, None)];
    }
    let detail = |finding: &'a ContainerFinding| match &finding.judgement {
        Judgement::Pass { detail } | Judgement::Fail { detail, .. } | Judgement::Unknown { detail, .. } => detail.as_str(),
    };
    group.members.iter().map(|member| found(detail(member.finding), Some((member.workload, member.finding)))).collect()
}

/// A text as a YAML scalar: every JSON string is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let each: BTreeSet<&str> = texts.into_iter().collect();
    format!("[{}]", each.into_iter().map(quoted).collect::<Vec<_>>().join(", "))
}

fn written(all: &[Found<'_>], as_of: Timestamp) -> anyhow::Result<String> {
    let first = all.first().context("nothing is to be excepted")?;
    let about: Vec<_> = all.iter().filter_map(|found| found.about).collect();
    let workloads: BTreeSet<String> = about.iter().map(|(workload, _)| workload.key.to_string()).collect();
    let name = match workloads.first() {
        Some(one) if workloads.len() == 1 => format!("{}-{}", first.control, one.rsplit('/').next().unwrap_or_default()),
        _ => first.control.to_owned(),
    };
    let expires = as_of.to_zoned(TimeZone::UTC).date().checked_add(DAYS.days()).context("the report's moment is out of range")?;
    let mut text = format!("apiVersion: {API_VERSION}\nkind: Exception\nmetadata: {{ name: {} }}\nspec:\n", quoted(&name.to_lowercase()));
    let mut line = |content: &str| text.push_str(&format!("  {content}\n"));
    line(&format!("# {}", escape_control(first.detail)));
    line(&format!("controls: {}", list([first.control])));
    let unknown = all.iter().map(|found| found.open).filter(|open| matches!(open, Open::Unknown(_)));
    let causes: BTreeSet<&str> = unknown.map(Open::code).collect();
    if !causes.is_empty() {
        line("# What is not known is neither passed nor failed: accepting it accepts whatever it turns out to be.");
        line(&format!("acceptUnknown: {}", list(causes)));
    }
    if !about.is_empty() {
        narrowed(&about, &workloads, &mut line);
    }
    let owners: BTreeSet<&str> = about.iter().filter_map(|(workload, _)| workload.owner.as_deref()).collect();
    let owners = owners.into_iter().map(|owner| escape_control(owner).into_owned()).collect::<Vec<_>>().join(", ");
    line("# Obligatory: why it may fail for now, and what will end it.");
    line("reason: \"\"");
    line(&format!(
        "# Obligatory: who answers for it{}.",
        if owners.is_empty() { String::new() } else { format!(" (the workload's owner: {owners})") }
    ));
    line("owner: \"\"");
    line(&format!("# It holds to the end of this day (UTC), {DAYS} days after the report."));
    line(&format!("expires: {expires}"));
    line("# approvedBy: \"\"");
    line("# ticket: \"\"");
    Ok(text)
}

/// Workloads and images that are named by what was found.
fn narrowed(about: &[(&WorkloadRecord, &ContainerFinding)], workloads: &BTreeSet<String>, line: &mut impl FnMut(&str)) {
    let each = |value: fn(&ObjectKey) -> &str| list(about.iter().map(|(workload, _)| value(&workload.key)).filter(|text| !text.is_empty()));
    if workloads.len() <= MOST {
        line(&format!("workloads: # {}", escape_control(&workloads.iter().map(String::as_str).collect::<Vec<_>>().join(", "))));
        let clusters: BTreeSet<&str> = about.iter().filter_map(|(workload, _)| workload.cluster.as_deref()).collect();
        if !clusters.is_empty() {
            line(&format!("  clusters: {}", list(clusters)));
        }
        if about.iter().all(|(workload, _)| !workload.key.namespace.is_empty()) {
            line(&format!("  namespaces: {}", each(|key| &key.namespace)));
        }
        line(&format!("  kinds: {}", each(|key| &key.kind)));
        line(&format!("  names: {}", each(|key| &key.name)));
    } else {
        line(&format!("# It is about {} workloads, more than are named here: only the image limits it.", workloads.len()));
    }
    let parsed = || about.iter().map(|(_, container)| container.reference.parse::<ImageReference>());
    if parsed().all(|reference| reference.is_ok()) {
        let repositories: BTreeSet<String> = parsed().flatten().map(|reference| reference.repository().to_string()).collect();
        line(&format!("images: {}", list(repositories.iter().map(String::as_str))));
    } else {
        line("# An image's reference cannot be parsed: no pattern matches it.");
    }
    let digests: BTreeSet<String> = about.iter().filter_map(|(_, container)| container.digest.as_ref()).map(ToString::to_string).collect();
    if !digests.is_empty() && digests.len() <= MOST {
        line("# Uncomment it to except only what runs today, and not the next release.");
        line(&format!("# digests: {}", list(digests.iter().map(String::as_str))));
    }
}
