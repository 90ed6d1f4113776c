//! What the script of the page shows: numbers that point into a list of texts, each text once.
//!
//! Every text is made harmless before it is listed, so that the script shows what it gets. The shape is between this file and
//! `reports/html/script.js`, and may change with every version.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use super::evidence;
use crate::model::{ControlOutcome, ControlResult, ControlStatus, Novelty, Origin, Report, Severity, Stage, Standing};
use crate::report::advice;
use crate::report::causes::{About, CauseGroup, Member, Open};
use crate::report::pretty::details::{basis_text, kind_name};
use crate::report::terminal::shown;

/// Texts by their number.
#[derive(Debug, Default)]
pub(super) struct Texts<'a>(HashMap<Cow<'a, str>, usize>);

impl<'a> Texts<'a> {
    /// The number of a hostile text: cut where it is very long, without what a reader could be fooled by.
    pub(super) fn of(&mut self, text: &'a str) -> usize {
        self.number(shown(text))
    }

    /// The number of a text that is made here, and may hold hostile ones.
    pub(super) fn made(&mut self, text: String) -> usize {
        // What is borrowed from the text itself cannot outlive it.
        let harmless = shown(&text).into_owned();
        self.number(Cow::Owned(harmless))
    }

    /// The number of a text of several lines: each line on its own.
    fn lines(&mut self, text: &'a str) -> usize {
        let text = text.trim();
        if !text.contains('\n') {
            return self.number(crate::model::escape_control(text));
        }
        self.number(Cow::Owned(text.lines().map(crate::model::escape_control).collect::<Vec<_>>().join("\n")))
    }

    fn number(&mut self, text: Cow<'a, str>) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }

    /// All of them in order, as JSON in which no tag can begin.
    fn render(&self, out: &mut impl Write) -> io::Result<()> {
        let mut ordered: Vec<(usize, &str)> = self.0.iter().map(|(text, number)| (*number, text.as_ref())).collect();
        ordered.sort_unstable();
        out.write_all(b"[")?;
        for (number, text) in ordered {
            if number > 0 {
                out.write_all(b",\n")?;
            }
            let quoted = serde_json::to_string(text)?;
            out.write_all(quoted.replace('<', "\\u003c").as_bytes())?;
        }
        out.write_all(b"]")
    }
}

/// Two data blocks: first what points, then the texts.
pub(super) fn render(report: &Report, causes: &[CauseGroup<'_>], out: &mut impl Write) -> io::Result<()> {
    let mut texts = Texts::default();
    // Zero is no text.
    texts.of("");
    write!(out, "<script type=\"application/json\" id=\"data\">{{\"controls\":[")?;
    for (at, control) in report.controls.iter().enumerate() {
        let (id, title) = (texts.of(&control.id), texts.of(&control.title));
        write!(out, "{}[{id},{title},{},{}]", comma(at), rank(control.severity), u8::from(control.stage == Stage::Preview))?;
    }
    matrix(report, out)?;
    workloads(report, &mut texts, out)?;
    write!(out, "],\n\"causes\":[")?;
    for (at, group) in causes.iter().enumerate() {
        out.write_all(comma(at).as_bytes())?;
        cause(report, group, &mut texts, out)?;
    }
    write!(out, "],\n\"exceptions\":[")?;
    for (at, exception) in report.exceptions.iter().enumerate() {
        write!(out, "{}{}", comma(at), texts.made(crate::report::exceptions::told(exception)))?;
    }
    write!(out, "],\n\"baseline\":{},\n\"images\":[", report.baseline.is_some())?;
    for (at, image) in report.images.iter().enumerate() {
        out.write_all(comma(at).as_bytes())?;
        evidence::render(image, &mut texts, out)?;
    }
    write!(out, "]}}</script>\n<script type=\"application/json\" id=\"texts\">")?;
    texts.render(out)?;
    writeln!(out, "</script>")
}

/// Before every item of a list but the first.
pub(super) fn comma(at: usize) -> &'static str {
    if at == 0 { "" } else { "," }
}

fn rank(severity: Severity) -> usize {
    Severity::DESCENDING.into_iter().position(|other| other == severity).unwrap_or_default()
}

/// Of each control that judged workloads its position, and a letter a workload.
fn matrix(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let judged = |control: &&ControlResult| matches!(control.outcome, ControlOutcome::Judged { .. });
    write!(out, "],\n\"columns\":[")?;
    let columns = report.controls.iter().enumerate().filter(|(_, control)| judged(control)).map(|(at, _)| at);
    for (nth, at) in columns.enumerate() {
        write!(out, "{}{at}", comma(nth))?;
    }
    write!(out, "],\n\"matrix\":[")?;
    for (nth, control) in report.controls.iter().filter(judged).enumerate() {
        let mut letters = vec![b'-'; report.workloads.len()];
        for finding in control.findings() {
            let Some(letter) = usize::try_from(finding.workload).ok().and_then(|at| letters.get_mut(at)) else { continue };
            *letter = match finding.status {
                ControlStatus::Failed => b'F',
                ControlStatus::Unknown => b'U',
                ControlStatus::AcceptedUnknown => b'A',
                ControlStatus::Excepted => b'E',
                ControlStatus::Passed => b'P',
                ControlStatus::Irrelevant => b'-',
            };
        }
        write!(out, "{}\"", comma(nth))?;
        out.write_all(&letters)?;
        out.write_all(b"\"")?;
    }
    Ok(())
}

fn workloads<'a>(report: &'a Report, texts: &mut Texts<'a>, out: &mut impl Write) -> io::Result<()> {
    let mut images = vec![BTreeSet::new(); report.workloads.len()];
    for finding in report.controls.iter().flat_map(ControlResult::findings) {
        let Some(images) = usize::try_from(finding.workload).ok().and_then(|at| images.get_mut(at)) else { continue };
        images.extend(finding.containers.iter().filter_map(|container| container.evidence.as_ref()).map(|evidence| evidence.image));
    }
    write!(out, "],\n\"workloads\":[")?;
    for (at, (workload, images)) in report.workloads.iter().zip(&images).enumerate() {
        let key = &workload.key;
        let [name, kind, namespace] = [&key.name, &key.kind, &key.namespace].map(|text| texts.of(text));
        let cluster = texts.of(workload.cluster.as_deref().unwrap_or_default());
        let owner = texts.of(workload.owner.as_deref().unwrap_or_default());
        let origin = match &workload.origin {
            Origin::Cluster | Origin::Argument => 0,
            Origin::OwnerReference => texts.of("only named by an ownerReference that may not be read; a higher owner may exist"),
            Origin::Manifest { file, document } => texts.made(format!("{file}, document {}", document.saturating_add(1))),
        };
        let images: Vec<_> = images.iter().map(ToString::to_string).collect();
        let newline = if at == 0 { "" } else { ",\n" };
        write!(out, "{newline}[{name},{kind},{namespace},{cluster},{owner},{origin},{},[{}]]", workload.pods, images.join(","))?;
    }
    Ok(())
}

fn cause<'a>(report: &'a Report, group: &CauseGroup<'a>, texts: &mut Texts<'a>, out: &mut impl Write) -> io::Result<()> {
    let control = report.controls.iter().position(|control| std::ptr::eq(control, group.control)).unwrap_or_default();
    let status = match (group.open, group.standing) {
        (_, Standing::Excepted(_)) => 3,
        (Open::Unknown(_), Standing::AcceptedUnknown) => 2,
        (Open::Unknown(_), _) => 1,
        (Open::Failed(_), _) => 0,
    };
    let exception = match group.standing {
        Standing::Excepted(at) => i64::from(at),
        Standing::AsIs | Standing::AcceptedUnknown => -1,
    };
    let digest = match &group.about {
        About::Image { digest: Some(digest), .. } => texts.made(digest.to_string()),
        _ => 0,
    };
    let subject = match &group.about {
        About::Image { reference, .. } => texts.of(reference),
        About::Repository(_) | About::Cluster => texts.made(group.subject()),
    };
    let help = match group.open {
        Open::Unknown(cause) => texts.of(advice(cause)),
        Open::Failed(_) => 0,
    };
    let (code, injected) = (texts.of(group.open.code()), u8::from(group.injected));
    let (detail, remediation) = (texts.of(group.detail), texts.lines(group.remediation));
    write!(
        out,
        "\n[\"{}\",{control},{status},{code},{subject},{digest},{injected},{detail},{remediation},{help},{exception},[",
        group.id()
    )?;
    for (at, member) in group.members.iter().enumerate() {
        out.write_all(comma(at).as_bytes())?;
        self::member(group, member, texts, out)?;
    }
    out.write_all(b"]]")
}

fn member<'a>(group: &CauseGroup<'a>, member: &Member<'a>, texts: &mut Texts<'a>, out: &mut impl Write) -> io::Result<()> {
    let finding = member.finding;
    let container = texts.made(format!("{} {} · {}", kind_name(finding.kind), finding.container, finding.path));
    let image = finding.evidence.as_ref().map_or(-1, |evidence| i64::from(evidence.image));
    let novelty = match finding.novelty {
        None => 0,
        Some(Novelty::New) => 1,
        Some(Novelty::Known) => 2,
    };
    let basis = texts.made(basis_text(finding.basis, &finding.pods));
    let place = finding.position.as_deref().map_or(0, |position| {
        let from = position.rendered_from.as_deref().map(|from| format!(", rendered from {from}")).unwrap_or_default();
        texts.made(format!("{}:{}:{}{from}", position.file, position.line, position.column))
    });
    let reference = match &group.about {
        About::Image { .. } => 0,
        About::Repository(_) | About::Cluster => texts.of(&finding.reference),
    };
    write!(out, "[{},{container},{image},{novelty},{basis}", member.position)?;
    if place > 0 || reference > 0 || !finding.warnings.is_empty() {
        write!(out, ",{place},{reference}")?;
        for warning in &finding.warnings {
            write!(out, ",{}", texts.of(warning))?;
        }
    }
    out.write_all(b"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_listed_once_and_begins_no_tag() {
        let mut texts = Texts::default();
        assert_eq!([texts.of(""), texts.of("a"), texts.made("a".to_owned()), texts.of("</script>\u{202e}\u{2028}\"")], [0, 1, 1, 2]);
        assert_eq!(texts.lines("one\ntwo\u{1b}"), 3);
        let mut out = Vec::new();
        texts.render(&mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(!written.contains('<') && written.is_ascii(), "{written}");
        let read: Vec<String> = serde_json::from_str(&written).unwrap();
        assert_eq!(read, ["", "a", "</script>\\u{202e}\\u{2028}\"", "one\ntwo\\u{1b}"]);
    }
}
