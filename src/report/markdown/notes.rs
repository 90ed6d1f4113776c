//! What else a reader has to know: what is not known, what waits for a person, exceptions, and what could not be read.

use std::collections::{BTreeMap, BTreeSet};

use super::escape::{code, prose};
use super::section;
use super::summary::named;
use crate::model::{Cause, ControlOutcome, ExceptionRecord, ExceptionState, Report, Standing};
use crate::report::advice::{advice, to_configure};
use crate::report::causes::{Open, causes};
use crate::report::pretty::header::moment;
use crate::report::terminal::counted;

/// Bytes for each of the parts.
const UNKNOWN: usize = 8_000;
const ACTIONS: usize = 4_000;
const EXCEPTIONS: usize = 8_000;
const GAPS: usize = 6_000;
/// Images or repositories that are named for a cause.
const FEW: usize = 3;

pub(super) fn tail(report: &Report) -> String {
    let mut text = unknown(report);
    text.push_str(&actions(report));
    text.push_str(&exceptions(report));
    text.push_str(&gaps(report));
    text
}

#[derive(Default)]
struct Tally {
    subjects: BTreeSet<String>,
    workloads: BTreeSet<u32>,
    accepted: bool,
    counted: bool,
}

fn unknown(report: &Report) -> String {
    let mut tallies: BTreeMap<Cause, Tally> = BTreeMap::new();
    for group in causes(report) {
        let Open::Unknown(cause) = group.open else { continue };
        let tally = tallies.entry(cause).or_default();
        tally.subjects.insert(group.subject());
        tally.workloads.extend(group.members.iter().map(|member| member.position));
        match group.standing {
            Standing::AsIs => tally.counted = true,
            Standing::AcceptedUnknown | Standing::Excepted(_) => tally.accepted = true,
        }
    }
    let items = tallies.iter().map(|(cause, tally)| {
        let mut named: Vec<_> = tally.subjects.iter().take(FEW).map(|subject| code(subject)).collect();
        if tally.subjects.len() > FEW {
            named.push(format!("and {} more", tally.subjects.len() - FEW));
        }
        let accepted = match (tally.accepted, tally.counted) {
            (true, false) => ", accepted",
            (true, true) => ", accepted in part",
            (false, _) => "",
        };
        let workloads = counted(tally.workloads.len(), "workload");
        format!("**{cause}**: {workloads}{accepted}: {}. {}", named.join(", "), advice(*cause))
    });
    section("Unknown: neither passed nor failed", items, UNKNOWN)
}

fn actions(report: &Report) -> String {
    let items = report.controls.iter().filter_map(|control| {
        let what = match &control.outcome {
            ControlOutcome::Unconfigured { missing } => prose(&to_configure(missing)),
            ControlOutcome::RequiresReview { text } => format!("Needs a person: {}", prose(text)),
            ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant | ControlOutcome::Cluster { .. } => return None,
        };
        Some(format!("{} {}: {what}", named(control), prose(&control.title)))
    });
    section("Action required", items, ACTIONS)
}

/// Those that a person has to look at first: expired ones, those about to expire, those that are not allowed; then the others.
fn exceptions(report: &Report) -> String {
    let mut all: Vec<_> = report.exceptions.iter().collect();
    all.sort_by_key(|exception| match exception.state {
        ExceptionState::Expired => 0,
        ExceptionState::Expiring => 1,
        ExceptionState::NotAllowed => 2,
        ExceptionState::InForce => 3,
    });
    section("Exceptions", all.into_iter().map(exception), EXCEPTIONS)
}

fn exception(exception: &ExceptionRecord) -> String {
    let until = exception.expires.map(moment);
    let answers = |verb: &str| format!("{verb} {}", counted(usize::try_from(exception.matched).unwrap_or(usize::MAX), "answer"));
    let (state, does) = match (exception.state, until) {
        (ExceptionState::Expired, Some(until)) => (format!("**expired** on {until}"), answers("no longer excepts")),
        (ExceptionState::Expired, None) => ("**expired**".to_owned(), answers("no longer excepts")),
        (ExceptionState::Expiring, Some(until)) => (format!("**ends soon**, on {until}"), answers("excepts")),
        (ExceptionState::Expiring, None) => ("**ends soon**".to_owned(), answers("excepts")),
        (ExceptionState::NotAllowed, _) => ("**not allowed**".to_owned(), answers("would except")),
        (ExceptionState::InForce, Some(until)) => (format!("in force until {until}"), answers("excepts")),
        (ExceptionState::InForce, None) => ("in force without an end".to_owned(), answers("excepts")),
    };
    let mut text = format!("{}: {state}, {does}", code(&exception.name));
    let reason = if exception.reason.is_empty() { "no reason is given".to_owned() } else { prose(&exception.reason) };
    text.push_str(&format!(": {reason}"));
    for (label, value) in [("owner", &exception.owner), ("approved by", &exception.approved_by), ("ticket", &exception.ticket)] {
        if let Some(value) = value {
            text.push_str(&format!(" · {label} {}", code(value)));
        }
    }
    for warning in &exception.warnings {
        text.push_str(&format!(" · ⚠️ {}", prose(warning)));
    }
    text
}

fn gaps(report: &Report) -> String {
    let read = report.gaps.iter().map(|gap| {
        let effect = if gap.workloads_missing { "workloads may be missing" } else { "details may be missing" };
        let cluster = gap.cluster.as_deref().map(|cluster| format!("{} · ", code(cluster))).unwrap_or_default();
        format!("{cluster}{} ({}): {effect}. {}", prose(&gap.what), gap.cause, prose(&gap.detail))
    });
    let objects = report.not_judged.iter().map(|field| &field.key).collect::<BTreeSet<_>>();
    let few: Vec<_> = objects.iter().take(FEW).map(|key| code(&key.to_string())).collect();
    let not_judged = (!objects.is_empty()).then(|| {
        let more = objects.len().saturating_sub(FEW);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("not judged, since their kind is not understood: {}{more}", few.join(", "))
    });
    section("Gaps", read.chain(not_judged), GAPS)
}
