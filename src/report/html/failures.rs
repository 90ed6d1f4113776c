//! The first open causes as plain markup: what a reader without scripting sees.

use std::io::{self, Write};

use super::text::{entities, escaped, lines};
use crate::model::{Report, Standing};
use crate::report::advice;
use crate::report::causes::{About, CauseGroup, Open};
use crate::report::exceptions;
use crate::report::terminal::counted;

/// Causes that are written.
const MOST: usize = 500;
/// Workloads that are named of a cause.
const MOST_WORKLOADS: usize = 12;

/// In the order of the causes: what counts first, the most severe first.
pub(super) fn render(report: &Report, causes: &[CauseGroup<'_>], out: &mut impl Write) -> io::Result<()> {
    if causes.is_empty() {
        let text = if report.workloads.is_empty() {
            "Nothing is in this scope: nothing was judged, and nothing passed."
        } else {
            "Nothing fails and nothing is unknown."
        };
        return writeln!(out, "<p class=\"empty\">{text}</p>");
    }
    if causes.len() > MOST {
        writeln!(out, "<p class=\"quiet\">The first {MOST} of {} causes; with scripting the page shows all of them.</p>", causes.len())?;
    }
    writeln!(out, "<ol class=\"causes\">")?;
    for group in causes.iter().take(MOST) {
        cause(report, group, out)?;
    }
    writeln!(out, "</ol>")
}

/// The class and the word of an answer that is open.
fn status(group: &CauseGroup<'_>) -> (&'static str, &'static str) {
    match (group.open, group.standing) {
        (_, Standing::Excepted(_)) => ("excepted", "excepted"),
        (Open::Unknown(_), Standing::AcceptedUnknown) => ("accepted", "unknown, accepted"),
        (Open::Unknown(_), _) => ("unknown", "unknown"),
        (Open::Failed(_), _) => ("failed", "failed"),
    }
}

fn cause(report: &Report, group: &CauseGroup<'_>, out: &mut impl Write) -> io::Result<()> {
    let control = group.control;
    let (class, word) = status(group);
    let severity = control.severity.name();
    writeln!(
        out,
        "<li class=\"cause\"><p><span class=\"s {class}\">{word}</span> <span class=\"sev {}\">{severity}</span>",
        severity.to_ascii_lowercase()
    )?;
    writeln!(out, "<strong>{} {}</strong> <code>{}</code></p>", escaped(&control.id), escaped(&control.title), group.open.code())?;
    let injected = if group.injected { ", injected after the template" } else { "" };
    writeln!(out, "<p><bdi>{}</bdi>{injected}</p>", escaped(&group.subject()))?;
    if let About::Image { digest: Some(digest), .. } = &group.about {
        writeln!(out, "<p class=\"quiet\"><code>{digest}</code></p>")?;
    }
    if !group.detail.is_empty() {
        writeln!(out, "<p>{}</p>", escaped(group.detail))?;
    }
    if let Some(exception) = exceptions::of(report, group.standing) {
        writeln!(out, "<p>Excepted: {}</p>", entities(&exceptions::told(exception)))?;
    }
    if let Open::Unknown(cause) = group.open {
        writeln!(out, "<p class=\"quiet\">{}</p>", entities(advice(cause)))?;
    }
    if !group.remediation.is_empty() {
        writeln!(out, "<pre>{}</pre>", lines(group.remediation))?;
    }
    if !group.members.is_empty() {
        let mut named: Vec<_> = group
            .members
            .iter()
            .take(MOST_WORKLOADS)
            .map(|member| {
                let workload = member.workload;
                let cluster = workload.cluster.as_deref().map(|cluster| format!("{} · ", escaped(cluster))).unwrap_or_default();
                let owner = workload.owner.as_deref().map(|owner| format!(", owner {}", escaped(owner))).unwrap_or_default();
                let container = escaped(&member.finding.container);
                format!("<bdi>{cluster}{}</bdi> (container <bdi>{container}</bdi>{owner})", escaped(&workload.key.to_string()))
            })
            .collect();
        if group.members.len() > MOST_WORKLOADS {
            named.push(format!("and {} more", group.members.len() - MOST_WORKLOADS));
        }
        writeln!(out, "<p class=\"quiet\">{}: {}</p>", counted(group.workloads(), "workload"), named.join("; "))?;
    }
    writeln!(out, "</li>")
}
