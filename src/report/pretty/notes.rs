//! What is left open: controls that wait for the user, unknowns by cause, what was not judged and what cannot be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::Options;
use crate::model::{Cause, ControlOutcome, ImageReference, Judgement, Report, Standing};
use crate::report::advice::{advice, to_configure};
use crate::report::exceptions;
use crate::report::terminal::{Appearance, Tone, counted, prose, shown, title};

/// Objects that are not judged, shown without `-v`.
const FEW_OBJECTS: usize = 5;
/// Registries that are named for a cause.
const MOST_REGISTRIES: usize = 3;

/// Unconfigured controls with what to set, controls that a person has to review, and answers about the cluster as a whole.
pub(super) fn action_required(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let mut waiting = Vec::new();
    for control in &report.controls {
        let text = match &control.outcome {
            ControlOutcome::Unconfigured { missing } => to_configure(missing),
            ControlOutcome::RequiresReview { text } => format!("Needs a person: {}", shown(text)),
            ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant | ControlOutcome::Cluster { .. } => continue,
        };
        waiting.push((control, text));
    }
    if !waiting.is_empty() {
        title(out, appearance, Tone::Unknown, &format!("Action required: {}", counted(waiting.len(), "control")))?;
    }
    for (control, text) in waiting {
        prose(out, appearance, 2, &format!("{} {}", shown(&control.id), shown(&control.title)))?;
        prose(out, appearance, 4, &text)?;
    }
    cluster_answers(report, appearance, out)
}

fn cluster_answers(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    for control in &report.controls {
        let ControlOutcome::Cluster { judgement, standing, .. } = &control.outcome else { continue };
        let (tone, text) = match judgement {
            Judgement::Pass { .. } => continue,
            Judgement::Fail { reason, detail } => (Tone::Failed, format!("Failed: {} ({reason})", shown(detail))),
            Judgement::Unknown { cause, detail } => (Tone::Unknown, format!("Unknown: {} ({cause})", shown(detail))),
        };
        title(out, appearance, tone, &format!("The cluster as a whole: {} {}", shown(&control.id), shown(&control.title)))?;
        prose(out, appearance, 2, &text)?;
        if let Some(exception) = exceptions::of(report, *standing) {
            prose(out, appearance, 2, &format!("Excepted: {}", exceptions::told(exception)))?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct CauseTally<'a> {
    workloads: BTreeSet<u32>,
    references: BTreeSet<&'a str>,
    accepted: bool,
    elsewhere: bool,
}

/// Each cause of not knowing, how much it touches, and what to do.
pub(super) fn unknown(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let mut tallies: BTreeMap<Cause, CauseTally<'_>> = BTreeMap::new();
    for finding in report.controls.iter().flat_map(|control| control.findings()) {
        for container in &finding.containers {
            let Judgement::Unknown { cause, .. } = &container.judgement else { continue };
            let tally = tallies.entry(*cause).or_default();
            tally.workloads.insert(finding.workload);
            tally.references.insert(&container.reference);
            tally.accepted |= container.standing != Standing::AsIs;
            tally.elsewhere |= container.standing == Standing::AsIs;
        }
    }
    if tallies.is_empty() {
        return Ok(());
    }
    title(out, appearance, Tone::Unknown, "Unknown is neither passed nor failed. Why, and what to do:")?;
    for (cause, tally) in &tallies {
        let accepted = match (tally.accepted, tally.elsewhere) {
            (true, false) => ", accepted",
            (true, true) => ", accepted in part",
            (false, _) => "",
        };
        let workloads = counted(tally.workloads.len(), "workload");
        let images = counted(tally.references.len(), "image");
        prose(out, appearance, 2, &format!("{cause}: {workloads}, {images}{}{accepted}", registries(&tally.references)))?;
        prose(out, appearance, 4, advice(*cause))?;
    }
    Ok(())
}

fn registries(references: &BTreeSet<&str>) -> String {
    let parsed = references.iter().filter_map(|reference| reference.parse::<ImageReference>().ok());
    let hosts: BTreeSet<String> = parsed.map(|reference| reference.repository().registry().to_owned()).collect();
    let named: Vec<&str> = hosts.iter().take(MOST_REGISTRIES).map(String::as_str).collect();
    match hosts.len().saturating_sub(named.len()) {
        _ if named.is_empty() => String::new(),
        0 => format!(" at {}", named.join(", ")),
        more => format!(" at {} and {more} more", named.join(", ")),
    }
}

/// Objects with an image-like field that is not understood.
pub(super) fn not_judged(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    let appearance = options.appearance;
    let all = &report.not_judged;
    if all.is_empty() {
        return Ok(());
    }
    let objects = all.iter().map(|field| &field.key).collect::<BTreeSet<_>>().len();
    let text = format!("Not judged: {} with an image-like field of a kind that is not understood", counted(objects, "object"));
    title(out, appearance, Tone::Heading, &text)?;
    let most = if options.verbose { all.len() } else { FEW_OBJECTS };
    for object in all.iter().take(most) {
        let key = object.key.to_string();
        prose(out, appearance, 2, &format!("{}: {} = {}", shown(&key), shown(&object.path), shown(&object.value)))?;
    }
    if all.len() > most {
        prose(out, appearance, 2, &format!("and {} more (-v)", all.len() - most))?;
    }
    prose(out, appearance, 2, "Where such a kind has a pod template, `--custom-kind GROUP/KIND:PATH.TO.TEMPLATE` has it judged.")
}

/// What no scan of this kind can see.
pub(super) fn not_visible(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    if report.not_visible.is_empty() {
        return Ok(());
    }
    title(out, appearance, Tone::Heading, "Not visible to this scan")?;
    for hidden in &report.not_visible {
        prose(out, appearance, 2, &format!("{}: {}", shown(&hidden.what), shown(&hidden.why)))?;
    }
    Ok(())
}
