//! What a reader sees first: the outcome, the gates, and the controls.

use super::escape::{code, prose};
use super::{fitting, section};
use crate::model::{Compliance, ControlOutcome, ControlResult, GateOutcome, Report, ReportSource, Stage};
use crate::report::pretty::header::moment;
use crate::report::resources::{self, Totals};
use crate::report::terminal::counted;
use crate::report::{answer, gates};

/// Bytes for the gates, the frameworks, and the table of controls.
const GATES: usize = 4_000;
const FRAMEWORKS: usize = 3_000;
const CONTROLS: usize = 14_000;
/// Clusters that are named.
const MOST_CLUSTERS: usize = 8;

pub(super) fn head(report: &Report) -> String {
    let compliance = report.compliance.map_or_else(|| "nothing applicable".to_owned(), |of| format!("compliance {}", of.percent_text()));
    let headline = match worst(report) {
        None => format!("Seaworthy: {compliance}"),
        Some(outcome) => {
            let all = report.gates.len();
            let so = report.gates.iter().filter(|gate| gate.outcome == outcome).count();
            let gates = if all == 1 { "gate".to_owned() } else { format!("{so} of {all} gates") };
            format!("{} Seaworthy: {gates} {} · {compliance}", symbol(outcome), name(outcome))
        }
    };
    let totals = Totals::of(&resources::statuses(report));
    let found = format!(
        "**{} failed** · {} unknown · {} passed · {} · {}",
        counted(totals.failed, "workload"),
        totals.unknown,
        totals.passed,
        counted(report.images.len(), "image"),
        counted(report.controls.len(), "control")
    );
    let mut text = format!("## {headline}\n\n{found}\\\n{}\n", of_what(report));
    if report.header.interrupted {
        text.push_str("\n> [!WARNING]\n> The scan was ended before its time: what was not asked any more is unknown or a gap.\n");
    }
    if report.gaps.iter().any(|gap| gap.workloads_missing) {
        text.push_str("\n> [!WARNING]\n> Not everything could be read: workloads may be missing here. See the gaps at the end.\n");
    }
    let gates = report.gates.iter().map(|gate| format!("{} {}", symbol(gate.outcome), prose(&gates::told(gate))));
    text.push_str(&section(if report.gates.len() == 1 { "Gate" } else { "Gates" }, gates, GATES));
    if let Some(baseline) = &report.baseline {
        text.push_str(&format!(
            "\nBeside the baseline {} of {}: **{} new**, {} known, {} gone.\n",
            code(&baseline.name),
            moment(baseline.as_of),
            baseline.new,
            baseline.known,
            baseline.gone
        ));
    }
    text
}

/// The outcome that decides how the program ends.
fn worst(report: &Report) -> Option<GateOutcome> {
    let order = [GateOutcome::NothingApplicable, GateOutcome::Missed, GateOutcome::Undecided, GateOutcome::Met];
    order.into_iter().find(|outcome| report.gates.iter().any(|gate| gate.outcome == *outcome))
}

fn symbol(outcome: GateOutcome) -> &'static str {
    match outcome {
        GateOutcome::Met => "✅",
        GateOutcome::Missed | GateOutcome::NothingApplicable => "❌",
        GateOutcome::Undecided => "❔",
    }
}

fn name(outcome: GateOutcome) -> &'static str {
    match outcome {
        GateOutcome::Met => "met",
        GateOutcome::Missed => "missed",
        GateOutcome::Undecided => "undecided",
        GateOutcome::NothingApplicable => "not applicable",
    }
}

fn of_what(report: &Report) -> String {
    let header = &report.header;
    let source = match (header.source, header.clusters.as_slice()) {
        (ReportSource::Manifests, []) => "manifests".to_owned(),
        (ReportSource::Images, _) => "images named on the command line".to_owned(),
        (_, []) => "a cluster that is not identified".to_owned(),
        (_, clusters) => {
            let named: Vec<_> = clusters.iter().take(MOST_CLUSTERS).map(|cluster| code(&cluster.name)).collect();
            let more = clusters.len().saturating_sub(MOST_CLUSTERS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let word = if clusters.len() == 1 { "cluster" } else { "clusters" };
            format!("{word} {}{more}", named.join(", "))
        }
    };
    let rewound = if header.rewound { " as asked" } else { "" };
    format!("{source} · as of {}{rewound} · seaworthy {}", moment(header.as_of), code(&header.tool_version))
}

/// A row a control, and a line a framework.
pub(super) fn controls(report: &Report) -> String {
    if report.controls.is_empty() {
        return String::new();
    }
    let (rows, cut) = fitting(report.controls.iter().map(row), CONTROLS);
    let mut text = format!(
        "\n### Controls\n\n| Severity | Control | Failed | Unknown | Excepted | All | Compliance |\n|---|---|--:|--:|--:|--:|--:|\n{rows}"
    );
    if cut > 0 {
        text.push_str(&format!("\nand {} more, less severe.\n", counted(cut, "control")));
    }
    let frameworks = report.frameworks.iter().map(|framework| {
        let version = if framework.version.is_empty() { String::new() } else { format!(" {}", code(&framework.version)) };
        let compliance = framework.compliance.map_or_else(|| "nothing applicable".to_owned(), Compliance::percent_text);
        format!("{}{version}, {}: **{compliance}**", code(&framework.id), prose(&framework.title))
    });
    text.push_str(&section("Frameworks", frameworks, FRAMEWORKS));
    text
}

fn row(control: &ControlResult) -> String {
    let preview = if control.stage == Stage::Preview { " (preview: counts nowhere)" } else { "" };
    let counts = control.counts;
    let without = |told: &str| format!("– | – | – | – | {told}");
    let result = match &control.outcome {
        ControlOutcome::Judged { compliance, .. } => format!(
            "{} | {} | {} | {} | {}",
            counts.failed,
            counts.unknown + counts.accepted,
            counts.excepted,
            counts.applicable(),
            compliance.percent_text()
        ),
        ControlOutcome::Irrelevant => without("irrelevant"),
        ControlOutcome::Unconfigured { .. } => without("action required"),
        ControlOutcome::RequiresReview { .. } => without("requires review"),
        ControlOutcome::Cluster { judgement, standing, .. } => without(match answer::Status::of(judgement, *standing) {
            answer::Status::Failed => "failed",
            answer::Status::Unknown => "unknown",
            answer::Status::AcceptedUnknown => "unknown, accepted",
            answer::Status::Excepted => "excepted",
            answer::Status::Passed => "passed",
        }),
    };
    format!("| {} | {} {}{preview} | {result} |\n", control.severity.name(), named(control), prose(&control.title))
}

/// The identifier, linked where its documentation is on the web.
pub(super) fn named(control: &ControlResult) -> String {
    let id = code(&control.id);
    match control.references.first().filter(|address| is_plain_address(address)) {
        Some(address) => format!("[{id}]({address})"),
        None => id,
    }
}

/// Nothing in it ends a link or a cell.
fn is_plain_address(address: &str) -> bool {
    address.starts_with("https://")
        && address.len() < 256
        && address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#=&%+".contains(&byte))
}
