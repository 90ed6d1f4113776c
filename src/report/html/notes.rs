//! Exceptions, controls, and on what the report rests.

use std::io::{self, Write};

use super::text::{entities, escaped, lines, link};
use crate::model::{Compliance, ControlOutcome, ControlResult, ExceptionRecord, ExceptionState, Report, Stage};
use crate::report::advice::to_configure;
use crate::report::answer::{Status, code, detail};
use crate::report::exceptions::until;
use crate::report::roots::told;
use crate::report::terminal::counted;

/// Objects and documents that are listed of one kind.
const MOST: usize = 500;

pub(super) fn exceptions(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.exceptions.is_empty() {
        return writeln!(out, "<p class=\"empty\">None was given: nothing that fails is counted as passed.</p>");
    }
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of exceptions\"><table class=\"searched\"><thead><tr>"
    )?;
    for head in ["State", "Exception", "Reason", "Until", "Answers for it", "Approved by", "Ticket", "Matches"] {
        writeln!(out, "<th scope=\"col\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for exception in &report.exceptions {
        self::exception(exception, out)?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn exception(exception: &ExceptionRecord, out: &mut impl Write) -> io::Result<()> {
    let (class, word, verb) = match exception.state {
        ExceptionState::InForce => ("excepted", "in force", "excepts"),
        ExceptionState::Expiring => ("unknown", "ends soon", "excepts"),
        ExceptionState::Expired => ("failed", "expired", "no longer excepts"),
        ExceptionState::NotAllowed => ("failed", "not allowed", "would except"),
    };
    let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), escaped);
    let warnings: String =
        exception.warnings.iter().map(|warning| format!("<br><span class=\"warning\">⚠ {}</span>", escaped(warning))).collect();
    let reason = if exception.reason.trim().is_empty() { "<em>none is given</em>".to_owned() } else { escaped(exception.reason.trim()) };
    let until = exception.expires.map_or_else(|| "without an end".to_owned(), until);
    let (name, file) = (escaped(&exception.name), escaped(&exception.file));
    let matched = counted(usize::try_from(exception.matched).unwrap_or(usize::MAX), "answer");
    writeln!(
        out,
        "<tr><td><span class=\"s {class}\">{word}</span></td><th scope=\"row\"><bdi>{name}</bdi><br><small>{file}</small>{warnings}</th>"
    )?;
    writeln!(out, "<td>{reason}</td><td>{until}</td><td>{}</td><td>{}</td>", or_none(&exception.owner), or_none(&exception.approved_by))?;
    writeln!(out, "<td>{}</td><td>{verb} {matched}</td></tr>", or_none(&exception.ticket))
}

pub(super) fn controls(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.controls.is_empty() {
        return writeln!(out, "<p class=\"empty\">No control was applied.</p>");
    }
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of controls\"><table class=\"searched sortable\"><thead><tr>"
    )?;
    for (head, class) in [
        ("Severity", "rank"),
        ("Control", ""),
        ("Failed", "number"),
        ("Unknown", "number"),
        ("Accepted", "number"),
        ("Excepted", "number"),
        ("Passed", "number"),
        ("Compliance", "number"),
    ] {
        writeln!(out, "<th scope=\"col\" class=\"{class}\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for control in &report.controls {
        self::control(control, out)?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn control(control: &ControlResult, out: &mut impl Write) -> io::Result<()> {
    let severity = control.severity.name();
    let preview = if control.stage == Stage::Preview { " <span class=\"tag\">preview: counts nowhere</span>" } else { "" };
    let (id, title) = (escaped(&control.id), escaped(&control.title));
    writeln!(
        out,
        "<tr><td data-sort=\"{}\"><span class=\"sev {}\">{severity}</span></td>",
        control.base_score,
        severity.to_ascii_lowercase()
    )?;
    writeln!(out, "<th scope=\"row\"><details><summary>{id} <bdi>{title}</bdi>{preview}</summary>")?;
    writeln!(out, "<p>{}</p>", lines(&control.rationale))?;
    if !control.remediation.trim().is_empty() {
        writeln!(out, "<pre>{}</pre>", lines(&control.remediation))?;
    }
    if !control.threats.is_empty() {
        let letters: Vec<_> = control.threats.iter().map(|letter| escaped(letter)).collect();
        writeln!(out, "<p>Threats of SLSA 1.0 that it sees: {}</p>", letters.join(" "))?;
    }
    if !control.references.is_empty() {
        let references: String = control.references.iter().map(|reference| format!("<li>{}</li>", link(reference))).collect();
        writeln!(out, "<ul>{references}</ul>")?;
    }
    writeln!(out, "</details>")?;
    match &control.outcome {
        ControlOutcome::Unconfigured { missing } => writeln!(out, "<p class=\"note\">{}</p>", entities(&to_configure(missing)))?,
        ControlOutcome::RequiresReview { text } => writeln!(out, "<p class=\"note\">Needs a person: {}</p>", escaped(text))?,
        ControlOutcome::Cluster { judgement, .. } if !detail(judgement).is_empty() => {
            let code = code(judgement);
            let code = if code.is_empty() { String::new() } else { format!(" <code>{code}</code>") };
            writeln!(out, "<p class=\"note\">The cluster as a whole: {}{code}</p>", escaped(detail(judgement)))?;
        }
        ControlOutcome::Judged { .. } | ControlOutcome::Irrelevant | ControlOutcome::Cluster { .. } => {}
    }
    writeln!(out, "</th>{}</tr>", results(control))
}

fn results(control: &ControlResult) -> String {
    let counts = control.counts;
    let score = |compliance: Compliance| {
        format!("<td class=\"number\" data-sort=\"{}\">{}</td>", compliance.lower, entities(&compliance.percent_text()))
    };
    let without = |class: &str, word: &str| format!("<td colspan=\"5\"><span class=\"s {class}\">{word}</span></td>");
    match &control.outcome {
        ControlOutcome::Judged { compliance, .. } => {
            let numbers = [counts.failed, counts.unknown, counts.accepted, counts.excepted, counts.passed];
            let cells: String = numbers.iter().map(|number| format!("<td class=\"number\">{number}</td>")).collect();
            cells + &score(*compliance)
        }
        ControlOutcome::Irrelevant => without("irrelevant", "irrelevant: nothing is in its scope") + "<td class=\"number\">–</td>",
        ControlOutcome::Unconfigured { .. } => without("unknown", "not configured: action required") + "<td class=\"number\">–</td>",
        ControlOutcome::RequiresReview { .. } => without("unknown", "requires review") + "<td class=\"number\">–</td>",
        ControlOutcome::Cluster { judgement, standing, compliance, .. } => {
            let (class, word) = match Status::of(judgement, *standing) {
                Status::Failed => ("failed", "failed"),
                Status::Unknown => ("unknown", "unknown"),
                Status::AcceptedUnknown => ("accepted", "unknown, accepted"),
                Status::Excepted => ("excepted", "excepted"),
                Status::Passed => ("passed", "passed"),
            };
            without(class, word) + &score(*compliance)
        }
    }
}

/// What no scan can see, what is not understood, documents and trust roots.
pub(super) fn sources(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<h3>What no scan of this kind can see</h3><ul>")?;
    for hidden in &report.not_visible {
        writeln!(out, "<li><strong>{}</strong>: {}</li>", escaped(&hidden.what), escaped(&hidden.why))?;
    }
    writeln!(out, "</ul>")?;
    if !report.not_judged.is_empty() {
        writeln!(out, "<h3>Not judged</h3><p>Objects with an image-like field of a kind that is not understood:</p><ul>")?;
        for object in report.not_judged.iter().take(MOST) {
            let (key, path, value) = (escaped(&object.key.to_string()), escaped(&object.path), escaped(&object.value));
            writeln!(out, "<li><bdi>{key}</bdi>: <code>{path}</code> = <bdi>{value}</bdi></li>")?;
        }
        more(report.not_judged.len(), out)?;
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "<h3>Trust roots</h3>")?;
    if report.header.trust_roots.is_empty() {
        writeln!(out, "<p class=\"quiet\">None was needed.</p>")?;
    } else {
        writeln!(out, "<ul>")?;
        for root in &report.header.trust_roots {
            let digest = root.content.as_ref().map(|digest| format!("<br><code>{digest}</code>")).unwrap_or_default();
            writeln!(out, "<li>{}{digest}</li>", escaped(&told(root)))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "<h3>Documents</h3>")?;
    let documents = &report.header.documents;
    if documents.is_empty() {
        return writeln!(out, "<p class=\"quiet\">None but those inside this program.</p>");
    }
    writeln!(
        out,
        "<details class=\"block\"><summary>{} went into the judgement</summary><ul class=\"digests\">",
        counted(documents.len(), "document")
    )?;
    for document in documents.iter().take(MOST) {
        writeln!(out, "<li>{} <bdi>{}</bdi><br><code>{}</code></li>", escaped(&document.kind), escaped(&document.name), document.digest)?;
    }
    more(documents.len(), out)?;
    writeln!(out, "</ul></details>")
}

fn more(all: usize, out: &mut impl Write) -> io::Result<()> {
    if all > MOST { writeln!(out, "<li>and {} more</li>", all - MOST) } else { Ok(()) }
}
