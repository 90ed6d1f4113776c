//! What a reader sees first: what is wrong with the report itself, gates, compliance, and what it adds up to.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::text::{entities, escaped};
use crate::model::{
    BuildLevel, Compliance, ControlStatus, Coverage, GateOutcome, Milestones, NextMilestone, Report, ReportSource, Severity, Standing,
    ThreatCoverage,
};
use crate::report::causes::{CauseGroup, Open};
use crate::report::gates;
use crate::report::pretty::header::{audited_text, cluster_text, listed_text, moment, scope_text};
use crate::report::resources::{self, Totals};
use crate::report::terminal::{counted, shown};

/// Gaps that stand at the top; the page says how many more there are.
const MOST_GAPS: usize = 50;
/// Workloads that are named of those that keep the organisation from a milestone.
const MOST_KEEPING: usize = 20;

/// What a reader has to know before believing any number.
pub(super) fn alerts(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.header.interrupted {
        writeln!(
            out,
            "<div class=\"alert bad\"><h2>Interrupted</h2><p>The scan was ended before its time. What follows is what was known by then; \
             what was not asked any more is unknown or a gap.</p></div>"
        )?;
    }
    if report.gaps.is_empty() {
        return Ok(());
    }
    let missing = report.gaps.iter().any(|gap| gap.workloads_missing);
    let effect = if missing { "workloads may be missing from this report" } else { "details may be missing from this report" };
    let parts = counted(report.gaps.len(), "part");
    writeln!(out, "<div class=\"alert warn\"><h2>Gaps: {parts} could not be read, {effect}</h2>\n<ul>")?;
    for gap in report.gaps.iter().take(MOST_GAPS) {
        let cluster = gap.cluster.as_deref().map(|cluster| format!("cluster {}: ", escaped(cluster))).unwrap_or_default();
        let effect = if gap.workloads_missing { "workloads may be missing" } else { "details may be missing" };
        let (what, detail) = (escaped(&gap.what), escaped(&gap.detail));
        writeln!(out, "<li><strong>{cluster}{what}</strong> <code>{}</code> — {effect}. {detail}</li>", gap.cause)?;
    }
    if report.gaps.len() > MOST_GAPS {
        writeln!(out, "<li>and {} more</li>", report.gaps.len() - MOST_GAPS)?;
    }
    writeln!(out, "</ul></div>")
}

pub(super) fn render(report: &Report, causes: &[CauseGroup<'_>], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<div class=\"tiles\">")?;
    compliance(report, out)?;
    workloads(report, out)?;
    severities(report, causes, out)?;
    levels(report, out)?;
    writeln!(out, "</div>")?;
    gates(report, out)?;
    baseline(report, out)?;
    writeln!(out, "<div class=\"columns\">")?;
    frameworks(report, out)?;
    milestones(report, out)?;
    threats(&report.threats, out)?;
    looked_at(report, out)?;
    writeln!(out, "</div>")
}

/// A bar of what is reached for certain, and of what may be.
fn gauge(compliance: Compliance) -> String {
    let (lower, upper) = (compliance.lower.clamp(0.0, 100.0), compliance.upper.clamp(0.0, 100.0));
    let text = entities(&compliance.percent_text()).into_owned();
    let open = if compliance.is_interval() { ", the part between is unknown" } else { "" };
    format!(
        "<svg class=\"gauge\" role=\"img\" aria-label=\"{text}{open}\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\">\
         <rect class=\"rest\" width=\"100\" height=\"6\"/><rect class=\"sure\" width=\"{lower:.2}\" height=\"6\"/>\
         <rect class=\"open\" x=\"{lower:.2}\" width=\"{:.2}\" height=\"6\"/></svg>",
        (upper - lower).max(0.0)
    )
}

fn compliance(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<div class=\"tile\"><h3>Compliance</h3>")?;
    match report.compliance {
        None => writeln!(out, "<p class=\"big\">–</p><p class=\"quiet\">Nothing was applicable: no score, and no pass.</p>")?,
        Some(compliance) => {
            writeln!(out, "<p class=\"big\">{}</p>{}", entities(&compliance.percent_text()), gauge(compliance))?;
            let text = if compliance.is_interval() {
                "From the lower end, if everything unknown failed, to the upper end, if it passed."
            } else {
                "Nothing that is unknown leaves it open."
            };
            writeln!(out, "<p class=\"quiet\">{text}</p>")?;
        }
    }
    writeln!(out, "</div>")
}

fn workloads(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let what = if report.header.source == ReportSource::Images { "Images" } else { "Workloads" };
    let statuses = resources::statuses(report);
    let totals = Totals::of(&statuses);
    // An exception never looks like a pass.
    let excepted = statuses.iter().filter(|status| **status == Some(ControlStatus::Excepted)).count();
    let (all, outside) = (report.workloads.len(), report.workloads.len().saturating_sub(totals.all()));
    writeln!(out, "<div class=\"tile\"><h3>{what}</h3><p class=\"big\">{all}</p><ul class=\"counts\">")?;
    writeln!(out, "<li><span class=\"s failed\">failed</span> <b>{}</b></li>", totals.failed)?;
    writeln!(out, "<li><span class=\"s unknown\">unknown</span> <b>{}</b></li>", totals.unknown)?;
    if excepted > 0 {
        writeln!(out, "<li><span class=\"s excepted\">excepted</span> <b>{excepted}</b></li>")?;
    }
    writeln!(out, "<li><span class=\"s passed\">passed</span> <b>{}</b></li>", totals.passed.saturating_sub(excepted))?;
    if outside > 0 {
        writeln!(out, "<li><span class=\"s irrelevant\">outside every control</span> <b>{outside}</b></li>")?;
    }
    writeln!(out, "</ul></div>")
}

fn severities(report: &Report, causes: &[CauseGroup<'_>], out: &mut impl Write) -> io::Result<()> {
    let counts = |group: &&CauseGroup<'_>| group.standing == Standing::AsIs;
    let failing = causes.iter().filter(counts).filter(|group| matches!(group.open, Open::Failed(_))).count();
    let unknown = causes.iter().filter(counts).count() - failing;
    writeln!(out, "<div class=\"tile\"><h3>Causes</h3><p class=\"big\">{failing} <small>failing</small></p>")?;
    writeln!(
        out,
        "<p class=\"quiet\">and {unknown} unknown, each to be mended once. Workloads that fail, by severity:</p><ul class=\"counts\">"
    )?;
    for severity in Severity::DESCENDING {
        let (name, failed) = (severity.name(), resources::failed_with(report, severity));
        writeln!(out, "<li><span class=\"sev {}\">{name}</span> <b>{failed}</b></li>", name.to_ascii_lowercase())?;
    }
    writeln!(out, "</ul></div>")
}

/// How far provenance shows how images were built. What is not known is not a low level.
fn levels(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut images: BTreeMap<(BuildLevel, bool, bool), usize> = BTreeMap::new();
    for build in report.images.iter().filter_map(|image| image.build.as_ref()) {
        let open = build.possible.is_some();
        let level = if open { build.verified() } else { build.level };
        *images.entry((level, build.by.is_some(), open)).or_default() += 1;
    }
    writeln!(out, "<div class=\"tile\"><h3>Images</h3><p class=\"big\">{}</p>", report.images.len())?;
    if images.is_empty() {
        writeln!(out, "<p class=\"quiet\">No control of this scan asked for SLSA build levels.</p>")?;
    } else {
        writeln!(out, "<p class=\"quiet\">SLSA build level that is shown:</p><ul class=\"counts\">")?;
        for ((level, verified, open), count) in images.iter().rev() {
            let name = match (level, verified, open) {
                (BuildLevel::L0, _, true) => "not known".to_owned(),
                (level, _, true) => format!("{level} or more"),
                (BuildLevel::L0, ..) => "L0".to_owned(),
                (level, true, _) => level.to_string(),
                (level, false, _) => format!("{level}, unverified"),
            };
            writeln!(out, "<li><span>{name}</span> <b>{count}</b></li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</div>")
}

fn gates(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<h3>Gates</h3>")?;
    if report.gates.is_empty() {
        return writeln!(out, "<p class=\"quiet\">None was set: nothing decides over this report.</p>");
    }
    writeln!(out, "<ul class=\"gates\">")?;
    for gate in &report.gates {
        let class = match gate.outcome {
            GateOutcome::Met => "passed",
            GateOutcome::Missed | GateOutcome::NothingApplicable => "failed",
            GateOutcome::Undecided => "unknown",
        };
        let told = gates::told(gate);
        let (word, rest) = told.split_once(": ").unwrap_or((&told, ""));
        writeln!(out, "<li><span class=\"s {class}\">{}</span> {}</li>", entities(word), entities(rest))?;
    }
    writeln!(out, "</ul>")
}

fn baseline(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(baseline) = &report.baseline else { return Ok(()) };
    writeln!(
        out,
        "<p class=\"baseline\"><strong>Baseline</strong> {} (as of {}): <b>{}</b> new, which alone count at the gates · {} known · {} gone</p>",
        escaped(&baseline.name),
        moment(baseline.as_of),
        baseline.new,
        baseline.known,
        baseline.gone
    )
}

fn frameworks(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.frameworks.is_empty() {
        return Ok(());
    }
    writeln!(out, "<div><h3>Frameworks</h3><ul class=\"frameworks\">")?;
    for framework in &report.frameworks {
        let version = if framework.version.is_empty() { String::new() } else { format!(" {}", escaped(&framework.version)) };
        let named = format!("<span>{} <small>{}{version}</small></span>", escaped(&framework.title), escaped(&framework.id));
        match framework.compliance {
            Some(compliance) => {
                writeln!(out, "<li>{named}<b>{}</b>{}</li>", entities(&compliance.percent_text()), gauge(compliance))?;
            }
            None => writeln!(out, "<li>{named}<b>nothing applicable</b></li>")?,
        }
    }
    writeln!(out, "</ul></div>")
}

fn milestones(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(Milestones { reached, of, next, by_a_person }) = &report.milestones else { return Ok(()) };
    let number = if *reached == 0 { "none".to_owned() } else { reached.to_string() };
    writeln!(out, "<div><h3>Milestones</h3><p><b>{number}</b> of {of} reached.</p>")?;
    if let Some(next) = next {
        keeping(report, next, out)?;
    }
    if !by_a_person.is_empty() {
        writeln!(out, "<p>To attest by a person:</p><ul>")?;
        for control in by_a_person {
            writeln!(out, "<li><code>{}</code> {}</li>", escaped(&control.id), escaped(&control.text))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</div>")
}

fn keeping(report: &Report, next: &NextMilestone, out: &mut impl Write) -> io::Result<()> {
    let workloads = |positions: &[u32]| {
        let key = |position: &u32| report.workloads.get(usize::try_from(*position).ok()?).map(|workload| workload.key.to_string());
        let mut named: Vec<_> = positions.iter().take(MOST_KEEPING).filter_map(key).map(|key| escaped(&key)).collect();
        if positions.len() > MOST_KEEPING {
            named.push(format!("and {} more", positions.len() - MOST_KEEPING));
        }
        format!("{}: {}", counted(positions.len(), "workload"), named.join(", "))
    };
    let ids = |ids: &[String]| ids.iter().map(|id| escaped(id)).collect::<Vec<_>>().join(", ");
    let order = next.order;
    let mut lines = Vec::new();
    if !next.failing.is_empty() {
        lines.push(("failed", format!("for {order}, {}", workloads(&next.failing))));
    }
    if !next.unknown.is_empty() {
        lines.push(("unknown", format!("for {order}, {}", workloads(&next.unknown))));
    }
    if !next.controls_failing.is_empty() {
        lines.push(("failed", format!("for {order}, in the cluster as a whole: {}", ids(&next.controls_failing))));
    }
    if !next.controls_unknown.is_empty() {
        lines.push(("unknown", format!("for {order}, of the cluster as a whole: {}", ids(&next.controls_unknown))));
    }
    if !next.unconfigured.is_empty() {
        lines.push(("unknown", format!("for {order}, to be configured: {}", ids(&next.unconfigured))));
    }
    if lines.is_empty() {
        lines.push(("irrelevant", format!("nothing that runs is in the scope of {order}")));
    }
    writeln!(out, "<ul class=\"plain\">")?;
    for (class, line) in lines {
        let word = if class == "irrelevant" { "not applicable" } else { class };
        writeln!(out, "<li><span class=\"s {class}\">{word}</span> {line}</li>")?;
    }
    writeln!(out, "</ul>")
}

fn threats(threats: &[ThreatCoverage], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<div><h3>Threats of SLSA 1.0</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Threats\"><table class=\"small\">"
    )?;
    writeln!(
        out,
        "<thead><tr><th scope=\"col\">Threat</th><th scope=\"col\">Coverage</th><th scope=\"col\">Controls</th></tr></thead><tbody>"
    )?;
    for of in threats {
        let class = match of.coverage {
            Coverage::Violated => "failed",
            Coverage::Unknown => "unknown",
            Coverage::Covered => "passed",
            Coverage::NotCovered => "irrelevant",
        };
        let controls: Vec<_> = of.controls.iter().map(|id| escaped(id)).collect();
        let controls = if controls.is_empty() { "–".to_owned() } else { controls.join(" ") };
        let (letter, title, word) = (of.threat.letter(), of.threat.title(), of.coverage.name());
        let word = format!("<span class=\"s {class}\">{word}</span>");
        writeln!(out, "<tr><th scope=\"row\">{letter} <span>{title}</span></th><td>{word}</td><td>{controls}</td></tr>")?;
    }
    writeln!(out, "</tbody></table></div></div>")
}

/// Who asked what, and how much was listed.
fn looked_at(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let header = &report.header;
    writeln!(out, "<div><h3>What was looked at</h3><dl>")?;
    let rewound = if header.rewound { " as asked (tags, registries and what runs: as they were when they were asked)" } else { "" };
    writeln!(out, "<dt>As of</dt><dd>{}{rewound}</dd>", moment(header.as_of))?;
    for cluster in &header.clusters {
        let user = cluster
            .identity
            .user
            .as_deref()
            .map_or_else(|| "it is not known as whom it was read".to_owned(), |user| format!("read as {}", shown(user)));
        let text = cluster_text(&cluster.identity);
        writeln!(out, "<dt>Cluster</dt><dd>{}<br><small>{}</small></dd>", entities(&text), entities(&user))?;
    }
    if header.source != ReportSource::Images {
        writeln!(out, "<dt>Scope</dt><dd>{}</dd>", entities(&scope_text(&header.scope)))?;
        writeln!(out, "<dt>Listed</dt><dd>{}</dd>", entities(&listed_text(report)))?;
    }
    writeln!(out, "<dt>Audited</dt><dd>{}</dd>", entities(&audited_text(report)))?;
    let gaps =
        if report.gaps.is_empty() { "none: everything in scope could be read".to_owned() } else { counted(report.gaps.len(), "part") };
    writeln!(out, "<dt>Gaps</dt><dd>{gaps}</dd></dl></div>")
}
