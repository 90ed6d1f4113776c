//! `exceptions draft`: an exception for one finding of a stored report, to be filled in by a person.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::documents::{API_VERSION, nearest};
use crate::model::{Cause, Digest, ImageReference, Reason, escape_control};
use crate::report::causes::{Open, id_of_stored};

/// The form of reports that is read.
const REPORT: &str = "seaworthy.dev/report/v1";
/// Days after the report's moment on which a draft ends.
const DAYS: i64 = 90;
/// Most workloads that a draft names one by one.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    api_version: String,
    header: StoredHeader,
    controls: Vec<StoredControl>,
    workloads: Vec<StoredWorkload>,
    findings: Vec<StoredFinding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHeader {
    as_of: Timestamp,
}

#[derive(Deserialize)]
struct StoredControl {
    id: String,
    cluster: Option<Answer>,
}

#[derive(Deserialize)]
struct StoredWorkload {
    kind: String,
    namespace: String,
    name: String,
    #[serde(default)]
    cluster: Option<String>,
    #[serde(default)]
    owner: Option<String>,
}

#[derive(Deserialize)]
struct StoredFinding {
    control: String,
    workload: usize,
    containers: Vec<StoredContainer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredContainer {
    kind: String,
    declared_in: String,
    reference: String,
    digest: Option<Digest>,
    answer: Answer,
}

#[derive(Deserialize)]
struct Answer {
    reason: Option<Reason>,
    cause: Option<Cause>,
    #[serde(default)]
    detail: String,
}

impl Answer {
    fn open(&self) -> Option<Open> {
        self.reason.map(Open::Failed).or_else(|| self.cause.map(Open::Unknown))
    }
}

/// One answer that is to be excepted.
struct Found<'a> {
    control: &'a str,
    open: Open,
    detail: &'a str,
    /// None where it is about the cluster as a whole.
    about: Option<(&'a StoredWorkload, &'a StoredContainer)>,
}

/// Drafts an exception for a finding: a cause's identifier, or a workload with a control.
///
/// # Errors
/// When the report cannot be read, or has no such finding.
pub(super) fn draft(file: &Path, finding: &str, control: Option<&str>) -> anyhow::Result<String> {
    let stored = read(file)?;
    let mut all: Vec<Found<'_>> = open(&stored).filter(|found| control.is_none_or(|id| id == found.control)).collect();
    let is_cause = finding.len() == 16 && finding.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_cause {
        let wanted = finding.to_lowercase();
        all.retain(|found| cause(found) == wanted);
        ensure!(!all.is_empty(), "{} has no finding of the cause {finding}, or it passes now", file.display());
    } else {
        let known = |workload: &StoredWorkload| shown(workload).eq_ignore_ascii_case(finding);
        if !stored.workloads.iter().any(known) {
            let names: Vec<String> = stored.workloads.iter().map(shown).collect();
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
    written(&all, stored.header.as_of)
}

fn read(file: &Path) -> anyhow::Result<Stored> {
    let context = || format!("cannot read the report {}", file.display());
    let opened = File::open(file).with_context(context)?;
    let stored: Stored = serde_json::from_reader(BufReader::new(opened))
        .with_context(context)
        .with_context(|| format!("{} is no report in the form that `scan -f json` writes", file.display()))?;
    ensure!(stored.api_version == REPORT, "{} has the form {:?}; this version reads {REPORT}", file.display(), stored.api_version);
    Ok(stored)
}

/// Everything that fails or is not known.
fn open(stored: &Stored) -> impl Iterator<Item = Found<'_>> {
    let clusters = stored.controls.iter().filter_map(|control| {
        let answer = control.cluster.as_ref()?;
        Some(Found { control: &control.id, open: answer.open()?, detail: &answer.detail, about: None })
    });
    let workloads = stored.findings.iter().filter_map(|finding| Some((finding, stored.workloads.get(finding.workload)?)));
    let containers =
        workloads.flat_map(|(finding, workload)| finding.containers.iter().map(move |container| (finding, workload, container)));
    clusters.chain(containers.filter_map(|(finding, workload, container)| {
        let answer = &container.answer;
        Some(Found { control: &finding.control, open: answer.open()?, detail: &answer.detail, about: Some((workload, container)) })
    }))
}

fn cause(found: &Found<'_>) -> String {
    let image = found.about.map(|(_, container)| (container.reference.as_str(), container.digest.as_ref()));
    let injected = found.about.is_some_and(|(_, container)| container.declared_in == "podOnly" && container.kind != "ephemeral");
    id_of_stored(found.control, found.open, image, injected)
}

fn shown(workload: &StoredWorkload) -> String {
    let StoredWorkload { kind, namespace, name, .. } = workload;
    if namespace.is_empty() { format!("{kind}/{name}") } else { format!("{namespace}/{kind}/{name}") }
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
    let workloads: BTreeSet<String> = about.iter().map(|(workload, _)| shown(workload)).collect();
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
fn narrowed(about: &[(&StoredWorkload, &StoredContainer)], workloads: &BTreeSet<String>, line: &mut impl FnMut(&str)) {
    let each = |value: fn(&StoredWorkload) -> &str| list(about.iter().map(|(workload, _)| value(workload)).filter(|text| !text.is_empty()));
    if workloads.len() <= MOST {
        line(&format!("workloads: # {}", escape_control(&workloads.iter().map(String::as_str).collect::<Vec<_>>().join(", "))));
        let clusters: BTreeSet<&str> = about.iter().filter_map(|(workload, _)| workload.cluster.as_deref()).collect();
        if !clusters.is_empty() {
            line(&format!("  clusters: {}", list(clusters)));
        }
        if about.iter().all(|(workload, _)| !workload.namespace.is_empty()) {
            line(&format!("  namespaces: {}", each(|workload| &workload.namespace)));
        }
        line(&format!("  kinds: {}", each(|workload| &workload.kind)));
        line(&format!("  names: {}", each(|workload| &workload.name)));
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
