//! What it adds up to: milestones, and threats of SLSA.

use std::io::{self, Write};

use super::Options;
use crate::model::{Coverage, Milestones, NextMilestone, Report, ThreatCoverage};
use crate::report::terminal::{Appearance, Cell, Table, Tone, counted, prose, shown, title};

/// Workloads that a line names without `-v`.
const FEW: usize = 5;
/// The order in which coverages are told: what needs doing first.
const ORDER: [Coverage; 4] = [Coverage::Violated, Coverage::Unknown, Coverage::Covered, Coverage::NotCovered];

/// Shown where a framework was asked for: single controls add up to nothing.
pub(super) fn render(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    if report.frameworks.is_empty() {
        return Ok(());
    }
    if let Some(milestones) = &report.milestones {
        self::milestones(report, milestones, options, out)?;
    }
    if options.verbose { matrix(&report.threats, options.appearance, out) } else { line(&report.threats, options.appearance, out) }
}

fn milestones(report: &Report, milestones: &Milestones, options: Options, out: &mut impl Write) -> io::Result<()> {
    let appearance = options.appearance;
    let Milestones { reached, of, next, by_a_person } = milestones;
    let tone = if next.is_none() { Tone::Passed } else { Tone::Heading };
    let reached = if *reached == 0 { "none".to_owned() } else { reached.to_string() };
    title(out, appearance, tone, &format!("Milestone reached: {reached} of {of}"))?;
    if let Some(next) = next {
        for line in keeping(report, next, options.verbose) {
            prose(out, appearance, 2, &line)?;
        }
    }
    if !by_a_person.is_empty() {
        prose(out, appearance, 2, "To attest by a person:")?;
        for control in by_a_person {
            prose(out, appearance, 4, &format!("{}: {}", shown(&control.id), shown(&control.text)))?;
        }
    }
    Ok(())
}

/// What keeps the organisation from the next milestone.
fn keeping(report: &Report, next: &NextMilestone, verbose: bool) -> Vec<String> {
    let NextMilestone { order, failing, unknown, controls_failing, controls_unknown, unconfigured, .. } = next;
    let workloads = |positions: &[u32]| {
        let few = if verbose { positions.len() } else { FEW };
        let key = |position: &u32| report.workloads.get(usize::try_from(*position).ok()?).map(|workload| workload.key.to_string());
        let mut named: Vec<_> = positions.iter().take(few).filter_map(key).map(|key| shown(&key).into_owned()).collect();
        if positions.len() > few {
            named.push(format!("and {} more", positions.len() - few));
        }
        named.join(", ")
    };
    let ids = |ids: &[String]| ids.iter().map(|id| shown(id).into_owned()).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !failing.is_empty() {
        let verb = if failing.len() == 1 { "keeps" } else { "keep" };
        lines.push(format!("{} {verb} you from {order}: {}", counted(failing.len(), "workload"), workloads(failing)));
    }
    if !unknown.is_empty() {
        lines.push(format!("not known for {order}: {}: {}", counted(unknown.len(), "workload"), workloads(unknown)));
    }
    if !controls_failing.is_empty() {
        lines.push(format!("not so in the cluster as a whole, for {order}: {}", ids(controls_failing)));
    }
    if !controls_unknown.is_empty() {
        lines.push(format!("not known of the cluster as a whole, for {order}: {}", ids(controls_unknown)));
    }
    if !unconfigured.is_empty() {
        lines.push(format!("to be configured for {order}: {}", ids(unconfigured)));
    }
    if lines.is_empty() {
        lines.push(format!("nothing that runs is in the scope of {order}"));
    }
    lines
}

fn tone(coverage: Coverage) -> Tone {
    match coverage {
        Coverage::Violated => Tone::Failed,
        Coverage::Unknown => Tone::Unknown,
        Coverage::Covered => Tone::Passed,
        Coverage::NotCovered => Tone::Quiet,
    }
}

fn line(threats: &[ThreatCoverage], appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let told = ORDER.into_iter().filter_map(|coverage| {
        let letters: Vec<_> = threats.iter().filter(|of| of.coverage == coverage).map(|of| of.threat.letter()).collect();
        (!letters.is_empty()).then(|| format!("{} {}", coverage.name(), letters.join(" ")))
    });
    prose(out, appearance, 0, &format!("Threats of SLSA 1.0: {}", told.collect::<Vec<_>>().join(" · ")))
}

fn matrix(threats: &[ThreatCoverage], appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    let mut table = Table::new(&[("Threat of SLSA 1.0", false), ("Coverage", false), ("Controls", false)]);
    for of in threats {
        let controls =
            if of.controls.is_empty() { "–".to_owned() } else { of.controls.iter().map(|id| shown(id)).collect::<Vec<_>>().join(" ") };
        table.row(vec![
            Cell::plain(format!("{} {}", of.threat.letter(), of.threat.title())),
            Cell::new(tone(of.coverage), of.coverage.name()),
            Cell::plain(controls),
        ]);
    }
    table.render(out, appearance)
}
