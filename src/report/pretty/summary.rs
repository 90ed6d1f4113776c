//! The summary: a row a control, counts by severity, frameworks, and the gate.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::Options;
use super::header::moment;
use crate::model::{
    BaselineRecord, BuildLevel, Compliance, ControlOutcome, ControlResult, GateOutcome, Judgement, Report, Severity, Stage, Standing,
};
use crate::report::gates;
use crate::report::resources::{self, Totals};
use crate::report::terminal::{Appearance, Cell, Table, Tone, field, prose, shown};

/// Below this many columns severity shares a column with the control's name.
const NARROW: usize = 76;

pub(super) fn render(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    let appearance = options.appearance;
    if report.controls.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let totals = Totals::of(&resources::statuses(report));
    table(report, totals, appearance.columns() < NARROW).render(out, appearance)?;
    writeln!(out)?;
    let by_severity = Severity::DESCENDING.map(|severity| format!("{} {}", severity.name(), resources::failed_with(report, severity)));
    prose(out, appearance, 0, &format!("Failed resources by severity: {}", by_severity.join(" · ")))?;
    for framework in &report.frameworks {
        let compliance = framework.compliance.map_or_else(|| "nothing applicable".to_owned(), Compliance::percent_text);
        let version = if framework.version.is_empty() { String::new() } else { format!(" {}", shown(&framework.version)) };
        prose(out, appearance, 0, &format!("Framework {}{version}, {}: {compliance}", shown(&framework.id), shown(&framework.title)))?;
    }
    levels(report, options, out)?;
    if !options.verbose && totals.failed + totals.unknown > 0 {
        prose(out, appearance, 0, "Add -v to see each of these workloads with path, image, digest and reason.")?;
    }
    Ok(())
}

fn table(report: &Report, totals: Totals, narrow: bool) -> Table {
    let numbers = [totals.failed, totals.unknown, totals.all()];
    let score = report.compliance.map_or_else(|| Cell::plain("–"), score_cell);
    let name = Cell::new(Tone::Heading, "Resource Summary");
    let mut table = if narrow {
        Table::new(&[("Control", false), ("Failed", true), ("Unknown", true), ("All", true), ("Score", true)])
    } else {
        Table::new(&[
            ("Severity", false),
            ("Control name", false),
            ("Failed resources", true),
            ("Unknown", true),
            ("All Resources", true),
            ("Compliance score", true),
        ])
    };
    for control in &report.controls {
        let stage = if control.stage == Stage::Preview { " (preview)" } else { "" };
        let named = format!("{} {}{stage}", shown(&control.id), shown(&control.title));
        let mut row = if narrow {
            vec![Cell::new(Tone::Severity(control.severity), format!("{} · {named}", control.severity.name()))]
        } else {
            vec![Cell::new(Tone::Severity(control.severity), control.severity.name()), Cell::plain(named)]
        };
        row.extend(result_cells(control));
        table.row(row);
    }
    let mut footer = if narrow { vec![name] } else { vec![Cell::default(), name] };
    footer.extend(number_cells(numbers));
    footer.push(score);
    table.footer(footer);
    table
}

fn number_cells([failed, unknown, all]: [usize; 3]) -> [Cell; 3] {
    let tone = |count: usize, tone: Tone| if count > 0 { tone } else { Tone::Plain };
    [
        Cell::new(tone(failed, Tone::Failed), failed.to_string()),
        Cell::new(tone(unknown, Tone::Unknown), unknown.to_string()),
        Cell::plain(all.to_string()),
    ]
}

fn score_cell(compliance: Compliance) -> Cell {
    let tone = if compliance.lower >= 100.0 { Tone::Passed } else { Tone::Plain };
    Cell::new(tone, compliance.percent_text())
}

fn result_cells(control: &ControlResult) -> Vec<Cell> {
    let without_numbers = |score: Cell| [Cell::plain("–"), Cell::plain("–"), Cell::plain("–"), score].to_vec();
    match &control.outcome {
        ControlOutcome::Judged { compliance, .. } => {
            let counts = control.counts;
            let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
            let mut cells =
                number_cells([number(counts.failed), number(counts.unknown + counts.accepted), number(counts.applicable())]).to_vec();
            cells.push(score_cell(*compliance));
            cells
        }
        ControlOutcome::Irrelevant => without_numbers(Cell::new(Tone::Quiet, "irrelevant")),
        ControlOutcome::Unconfigured { .. } => without_numbers(Cell::new(Tone::Unknown, "action required")),
        ControlOutcome::RequiresReview { .. } => without_numbers(Cell::new(Tone::Unknown, "requires review")),
        ControlOutcome::Cluster { judgement, standing, compliance, .. } => {
            let tone = match judgement {
                _ if matches!(standing, Standing::Excepted(_)) => Tone::Passed,
                Judgement::Pass { .. } => Tone::Passed,
                Judgement::Fail { .. } => Tone::Failed,
                Judgement::Unknown { .. } => Tone::Unknown,
            };
            without_numbers(Cell::new(tone, compliance.percent_text()))
        }
    }
}

/// How far provenance shows how images were built, where a control asked. What is not known is not a low level.
fn levels(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    let mut of_level: BTreeMap<(BuildLevel, bool, bool), Vec<String>> = BTreeMap::new();
    for image in &report.images {
        let Some(build) = &image.build else { continue };
        let (verified, maybe) = (build.by.is_some(), build.possible.is_some());
        let level = if maybe { build.verified() } else { build.level };
        let by = build.by.as_deref().map(|by| format!(", by {}", shown(by))).unwrap_or_default();
        let more = build.possible.as_ref().map(|(level, why)| format!(", maybe {level} ({})", why.cause)).unwrap_or_default();
        of_level.entry((level, verified, maybe)).or_default().push(format!("{}{by}{more}", shown(&image.reference)));
    }
    if of_level.is_empty() {
        return Ok(());
    }
    let name = |level: &(BuildLevel, bool, bool)| match level {
        (BuildLevel::L0, _, true) => "not known".to_owned(),
        (level, _, true) => format!("{level} or more"),
        (BuildLevel::L0, ..) => "L0".to_owned(),
        (level, true, _) => level.to_string(),
        (level, false, _) => format!("{level}, unverified"),
    };
    let counts: Vec<_> = of_level.iter().rev().map(|(level, images)| format!("{} {}", name(level), images.len())).collect();
    prose(out, options.appearance, 0, &format!("SLSA build levels of images: {}", counts.join(" · ")))?;
    if options.verbose {
        for (level, images) in of_level.iter().rev() {
            for image in images {
                prose(out, options.appearance, 2, &format!("{}: {image}", name(level)))?;
            }
        }
    }
    Ok(())
}

/// How the gates came out: the last lines, where the eye ends.
pub(super) fn gates(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    if !report.gates.is_empty() || report.baseline.is_some() {
        writeln!(out)?;
    }
    if let Some(BaselineRecord { name, as_of, new, known, gone }) = &report.baseline {
        let counts = format!("{new} new, {known} known already, {gone} gone");
        let text = format!("{} of {}: {counts}; only what is new counts at gates", shown(name), moment(*as_of));
        field(out, appearance, ("Baseline:", Tone::Heading), 10, &text, appearance.prose())?;
    }
    for gate in &report.gates {
        let tone = match gate.outcome {
            GateOutcome::Met => Tone::Passed,
            GateOutcome::Missed | GateOutcome::NothingApplicable => Tone::Failed,
            GateOutcome::Undecided => Tone::Unknown,
        };
        field(out, appearance, ("Gate:", tone), 6, &gates::told(gate), appearance.prose())?;
    }
    Ok(())
}
