//! JUnit's XML, for what shows the results of tests (Jenkins, GitLab, Azure DevOps and others).
//!
//! A suite a control, a case a workload. JUnit knows passed, failed, error and skipped: what is not known is an error and never passed, and
//! what fails without counting (excepted, accepted, known to the baseline, in preview) is skipped with its reason. The schema is that of
//! Jenkins' xUnit plug-in (`junit-10.xsd`).

use std::io::{self, Write};

use super::causes::Open;
use super::open::OpenAnswer;
use super::place::Place;
use super::terminal::{counted, shown};
use crate::model::{ControlOutcome, ControlResult, ControlStatus, Gap, Origin, Report, WorkloadFinding, WorkloadRecord};

/// Writes the report as one XML document.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let suites = suites(report);
    let mut total = Counts::default();
    for suite in &suites {
        total.add(suite.counts);
    }
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let Counts { tests, failures, errors, .. } = total;
    writeln!(out, "<testsuites name=\"seaworthy\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")?;
    for suite in &suites {
        suite.write(report, out)?;
    }
    writeln!(out, "</testsuites>")
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Counts {
    fn count(&mut self, outcome: Outcome) {
        self.tests += 1;
        match outcome {
            Outcome::Passed => {}
            Outcome::Failure => self.failures += 1,
            Outcome::Error => self.errors += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Skipped,
    Error,
    Failure,
}

impl Outcome {
    fn of(answer: &OpenAnswer<'_>) -> Self {
        match answer.open {
            _ if !answer.counts() => Self::Skipped,
            Open::Failed(_) => Self::Failure,
            Open::Unknown(_) => Self::Error,
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::Passed => "",
            Self::Skipped => "skipped",
            Self::Error => "error",
            Self::Failure => "failure",
        }
    }
}

/// What a suite is of.
#[derive(Clone, Copy)]
enum About<'a> {
    /// A control.
    Control(&'a ControlResult),
    /// What could not be read.
    Gaps,
}

struct Suite<'a> {
    about: About<'a>,
    counts: Counts,
}

fn suites(report: &Report) -> Vec<Suite<'_>> {
    let gaps = (!report.gaps.is_empty() || report.header.interrupted).then_some(About::Gaps);
    let about = gaps.into_iter().chain(report.controls.iter().map(About::Control));
    about.map(|about| Suite { about, counts: about.counts(report) }).collect()
}

impl About<'_> {
    /// What [`About::each_case`] makes, counted without making it: all texts twice would take twice as long.
    fn counts(self, report: &Report) -> Counts {
        let mut counts = Counts::default();
        match self {
            Self::Control(control) if matches!(control.outcome, ControlOutcome::Judged { .. }) => {
                let relevant = control.findings().iter().filter(|finding| finding.status != ControlStatus::Irrelevant);
                for finding in relevant {
                    let Some(workload) = workload(report, finding) else { continue };
                    let open = finding.containers.iter().filter_map(|container| OpenAnswer::of_container(control, workload, container));
                    counts.count(open.map(|answer| Outcome::of(&answer)).max().unwrap_or(Outcome::Passed));
                }
            }
            Self::Control(_) | Self::Gaps => {
                let _ = self.each_case(report, &mut |case| {
                    counts.count(case.outcome);
                    Ok(())
                });
            }
        }
        counts
    }

    fn each_case(self, report: &Report, each: &mut dyn FnMut(&Case) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Gaps => {
                if report.header.interrupted {
                    each(&Case::of_interruption())?;
                }
                report.gaps.iter().try_for_each(|gap| each(&Case::of_gap(gap)))
            }
            Self::Control(control) => match &control.outcome {
                ControlOutcome::Judged { findings, .. } => {
                    let relevant = findings.iter().filter(|finding| finding.status != ControlStatus::Irrelevant);
                    relevant.filter_map(|finding| Case::of(report, control, finding)).try_for_each(|case| each(&case))
                }
                ControlOutcome::Irrelevant => each(&Case::of_control(control, "nothing is in its scope", "irrelevant")),
                ControlOutcome::Unconfigured { missing } => {
                    let message = format!("not applied, its parameters are not set: {}", shown(&missing.join(", ")));
                    each(&Case::of_control(control, &message, "unconfigured"))
                }
                ControlOutcome::RequiresReview { text } => {
                    each(&Case::of_control(control, &format!("needs a person: {}", shown(text)), "requiresReview"))
                }
                ControlOutcome::Cluster { .. } => each(&Case::of_cluster(report, control)),
            },
        }
    }
}

impl Suite<'_> {
    fn write(&self, report: &Report, out: &mut impl Write) -> io::Result<()> {
        let name = match self.about {
            About::Gaps => "What could not be read".to_owned(),
            About::Control(control) => format!("{} {}", shown(&control.id), shown(&control.title)),
        };
        let Counts { tests, failures, errors, skipped } = self.counts;
        let at = report.header.as_of.strftime("%Y-%m-%dT%H:%M:%S");
        write!(out, "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" ", xml(&name))?;
        writeln!(out, "errors=\"{errors}\" skipped=\"{skipped}\" timestamp=\"{at}\">")?;
        writeln!(out, "    <properties>")?;
        for (name, value) in properties(report, self.about) {
            writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", xml(&value))?;
        }
        writeln!(out, "    </properties>")?;
        self.about.each_case(report, &mut |case| case.write(out))?;
        writeln!(out, "  </testsuite>")
    }
}

fn properties(report: &Report, about: About<'_>) -> Vec<(&'static str, String)> {
    let mut properties = vec![("version", shown(&report.header.tool_version).into_owned()), ("asOf", report.header.as_of.to_string())];
    properties.extend(report.header.clusters.iter().map(|cluster| ("cluster", shown(&cluster.name).into_owned())));
    if let Some(baseline) = &report.baseline {
        properties.push(("baseline", shown(&baseline.name).into_owned()));
    }
    if let About::Control(control) = about {
        properties.push(("control", shown(&control.id).into_owned()));
        properties.push(("severity", control.severity.name().to_owned()));
        properties.extend(control.compliance().map(|compliance| ("compliance", compliance.percent_text())));
    }
    properties
}

/// A test case.
struct Case {
    class: String,
    name: String,
    outcome: Outcome,
    /// The stable reason.
    kind: &'static str,
    /// The first line of what is to be said; empty for a pass.
    message: String,
    /// All of it, in lines.
    text: Vec<String>,
}

impl Case {
    fn of(report: &Report, control: &ControlResult, finding: &WorkloadFinding) -> Option<Self> {
        let workload = workload(report, finding)?;
        let mut open: Vec<_> =
            finding.containers.iter().filter_map(|container| OpenAnswer::of_container(control, workload, container)).collect();
        // Stable: the worst first, then as the report has them.
        open.sort_by_key(|answer| std::cmp::Reverse(Outcome::of(answer)));
        let (class, name) = (class(report, control, workload), shown(&workload.key.name).into_owned());
        let Some(worst) = open.first() else {
            return Some(Self { class, name, outcome: Outcome::Passed, kind: "", message: String::new(), text: Vec::new() });
        };
        let more = if open.len() > 1 { format!(" ({})", counted(open.len() - 1, "more finding")) } else { String::new() };
        Some(Self {
            class,
            name,
            outcome: Outcome::of(worst),
            kind: worst.open.code(),
            message: format!("{}{more}", first_line(report, worst)),
            text: open.iter().flat_map(|answer| lines(report, answer)).collect(),
        })
    }

    fn of_cluster(report: &Report, control: &ControlResult) -> Self {
        let case = Self::of_control(control, "", "");
        let Some(answer) = OpenAnswer::of_cluster(control) else { return Self { outcome: Outcome::Passed, ..case } };
        let message = first_line(report, &answer);
        Self { outcome: Outcome::of(&answer), kind: answer.open.code(), message, text: lines(report, &answer), ..case }
    }

    /// What is about a control as a whole.
    fn of_control(control: &ControlResult, message: &str, kind: &'static str) -> Self {
        Self {
            class: shown(&control.id).into_owned(),
            name: shown(&control.title).into_owned(),
            outcome: Outcome::Skipped,
            kind,
            message: message.to_owned(),
            text: Vec::new(),
        }
    }

    fn of_gap(gap: &Gap) -> Self {
        let class = gap.cluster.as_deref().map_or_else(|| "gap".to_owned(), |cluster| format!("gap.{}", shown(cluster)));
        Self {
            class,
            name: shown(&gap.what).into_owned(),
            outcome: if gap.workloads_missing { Outcome::Error } else { Outcome::Skipped },
            kind: gap.cause.name(),
            message: shown(&gap.detail).into_owned(),
            text: Vec::new(),
        }
    }

    fn of_interruption() -> Self {
        Self {
            class: "gap".to_owned(),
            name: "the scan ran to its end".to_owned(),
            outcome: Outcome::Error,
            kind: "cancelled",
            message: "it was ended before its time: this is what was known by then".to_owned(),
            text: Vec::new(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "    <testcase name=\"{}\" classname=\"{}\"", xml(&self.name), xml(&self.class))?;
        if self.outcome == Outcome::Passed {
            return writeln!(out, "/>");
        }
        let element = self.outcome.element();
        write!(out, ">\n      <{element} type=\"{}\" message=\"{}\"", self.kind, xml(&self.message))?;
        if self.text.is_empty() {
            writeln!(out, "/>")?;
        } else {
            writeln!(out, ">{}</{element}>", xml(&self.text.join("\n")))?;
        }
        writeln!(out, "    </testcase>")
    }
}

fn workload<'a>(report: &'a Report, finding: &WorkloadFinding) -> Option<&'a WorkloadRecord> {
    usize::try_from(finding.workload).ok().and_then(|at| report.workloads.get(at))
}

/// Unlike in every suite: services know a case again by its class and name.
fn class(report: &Report, control: &ControlResult, workload: &WorkloadRecord) -> String {
    let file = match workload.origin {
        Origin::Manifest { .. } => Place::of_workload(report, workload).path,
        Origin::Cluster | Origin::OwnerReference | Origin::Argument => String::new(),
    };
    let cluster = workload.cluster.as_deref().filter(|_| report.header.clusters.len() > 1).unwrap_or_default();
    let parts = [cluster, &file, &workload.key.namespace, &workload.key.kind];
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(|part| shown(part)).collect();
    format!("{}.{}", shown(&control.id), parts.join("/"))
}

fn first_line(report: &Report, answer: &OpenAnswer<'_>) -> String {
    let excuse = answer.excuse(report).map(|excuse| format!("{excuse} ")).unwrap_or_default();
    format!("{excuse}{}", answer.found())
}

/// What is to be said of a container.
fn lines(report: &Report, answer: &OpenAnswer<'_>) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", answer.whose(report), answer.found())];
    lines.extend(answer.excuse(report).map(|excuse| format!("  {excuse}")));
    if let Some(subject) = answer.subject {
        let digest = subject.finding.digest.as_ref().map(|digest| format!(", {digest}")).unwrap_or_default();
        lines.push(format!("  image: {}{digest}", shown(&subject.finding.reference)));
        let place = Place::of(report, subject.workload, subject.finding);
        if place.exists {
            let column = place.column.map(|column| format!(":{column}")).unwrap_or_default();
            lines.push(format!("  at: {}:{}{column}", shown(&place.path), place.line));
        }
        lines.extend(subject.workload.owner.as_deref().map(|owner| format!("  owner: {}", shown(owner))));
    }
    lines.push(format!("  {}", answer.way_out()));
    lines.push(format!("  cause: {}", answer.cause()));
    lines
}

/// Text as XML 1.0 may have it. Control characters have been made visible before; two more are none of XML's.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(letter.escape_unicode()),
            letter if letter.is_control() && letter != '\n' => safe.extend(letter.escape_unicode()),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_shown() {
        assert_eq!(
            xml("<a b=\"c\">&]]>\u{0}\u{1b}\u{fffe}\u{ffff}\r"),
            "&lt;a b=&quot;c&quot;&gt;&amp;]]&gt;\\u{0}\\u{1b}\\u{fffe}\\u{ffff}\\u{d}"
        );
    }
}
