//! Workflow commands of GitHub Actions: annotations of a pull request and a run.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::causes::{CauseGroup, Open, causes};
use super::gates;
use super::open::OpenAnswer;
use super::place::Place;
use super::terminal::{counted, shown};
use crate::model::{GateOutcome, Report};

/// GitHub shows no more annotations of a kind in one step.
const MOST: usize = 10;

/// Writes an annotation a line: an error for each cause of a failure, a warning for each of not knowing, a notice for what is excepted,
/// accepted, in the baseline already or of a control in preview. At most ten of a kind, each cause once before any of them twice; the last line says how
/// many causes have none.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let groups = causes(report);
    let mut left_out = [0; 3];
    for (kind, left_out) in Kind::ALL.into_iter().zip(&mut left_out) {
        let mut lines: Vec<Annotation> = kind.of_run(report);
        let open: Vec<Shared<'_>> = groups.iter().filter_map(|group| Shared::of(group, kind)).collect();
        // One place is kept for the line that says what is left out.
        let most = if kind == Kind::Notice { MOST - 1 } else { MOST };
        *left_out = lines.len().saturating_add(open.len()).saturating_sub(most);
        spread(report, &open, most, &mut lines);
        for line in lines.iter().take(most) {
            line.write(kind, out)?;
        }
    }
    if let Some(told) = told(left_out) {
        Annotation { place: None, title: "Seaworthy".to_owned(), message: told }.write(Kind::Notice, out)?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Warning,
    Notice,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    fn of(answer: &OpenAnswer<'_>) -> Self {
        match answer.open {
            _ if !answer.counts() => Self::Notice,
            Open::Failed(_) => Self::Error,
            Open::Unknown(_) => Self::Warning,
        }
    }

    /// What is about the run as a whole.
    fn of_run(self, report: &Report) -> Vec<Annotation> {
        let of_run = |title: &str, message: String| Annotation { place: None, title: title.to_owned(), message };
        match self {
            Self::Error => {
                let open = report.gates.iter().filter(|gate| gate.outcome != GateOutcome::Met);
                open.map(|gate| of_run("Gate", gates::told(gate))).collect()
            }
            Self::Warning => {
                let early = "the scan was ended before its time: this is what was known by then".to_owned();
                let early = report.header.interrupted.then(|| of_run("Interrupted", early));
                let gap =
                    |gap: &crate::model::Gap| format!("{} could not be read ({}): {}", shown(&gap.what), gap.cause, shown(&gap.detail));
                early.into_iter().chain(report.gaps.iter().map(|found| of_run("Gap", gap(found)))).collect()
            }
            Self::Notice => Vec::new(),
        }
    }
}

/// What shares a cause and is of a kind.
struct Shared<'a> {
    /// No more of them than are shown.
    first: Vec<OpenAnswer<'a>>,
    count: usize,
}

impl<'a> Shared<'a> {
    fn of(group: &CauseGroup<'a>, kind: Kind) -> Option<Self> {
        let answers = || {
            let of_containers =
                group.members.iter().filter_map(|member| OpenAnswer::of_container(group.control, member.workload, member.finding));
            let of_cluster = group.members.is_empty().then(|| OpenAnswer::of_cluster(group.control)).flatten();
            of_containers.chain(of_cluster).filter(|answer| Kind::of(answer) == kind)
        };
        let shared = Self { first: answers().take(MOST).collect(), count: answers().count() };
        (shared.count > 0).then_some(shared)
    }
}

/// The first of each cause, then the second of each, and so on while there is room; each place of a cause once.
fn spread(report: &Report, open: &[Shared<'_>], most: usize, lines: &mut Vec<Annotation>) {
    let mut known: Vec<BTreeSet<Place>> = vec![BTreeSet::new(); open.len()];
    for round in 0..MOST {
        for (shared, known) in open.iter().zip(&mut known) {
            if lines.len() >= most {
                return;
            }
            let Some(answer) = shared.first.get(round) else { continue };
            let place = answer.place(report);
            if known.insert(place.clone()) {
                lines.push(Annotation::of(report, answer, place, if round == 0 { shared.count - 1 } else { 0 }));
            }
        }
    }
}

struct Annotation {
    /// None for what is about the run as a whole.
    place: Option<Place>,
    title: String,
    message: String,
}

impl Annotation {
    /// `others` is how many more share the cause.
    fn of(report: &Report, answer: &OpenAnswer<'_>, place: Place, others: usize) -> Self {
        let excuse = answer.excuse(report).map(|excuse| format!("{excuse} ")).unwrap_or_default();
        let shared = match others {
            0 => String::new(),
            1 => "\n1 more container shares this cause.".to_owned(),
            others => format!("\n{} share this cause.", counted(others, "more container")),
        };
        let owner = answer.subject.and_then(|subject| subject.workload.owner.as_deref());
        let owner = owner.map(|owner| format!(" Owner: {}.", shown(owner))).unwrap_or_default();
        Self {
            place: Some(place),
            title: format!("{} {}", shown(&answer.control.id), shown(&answer.control.title)),
            message: format!("{}\n{excuse}{}{owner}{shared}", answer.sentence(report), answer.way_out()),
        }
    }

    fn write(&self, kind: Kind, out: &mut impl Write) -> io::Result<()> {
        write!(out, "::{} ", kind.command())?;
        if let Some(place) = &self.place {
            write!(out, "file={},line={},", property(&shown(&place.path)), place.line)?;
            if let Some(column) = place.column {
                write!(out, "col={column},")?;
            }
        }
        writeln!(out, "title={}::{}", property(&self.title), data(&self.message))
    }
}

/// How many causes have no annotation; none where all have one.
fn told([failing, unknown, other]: [usize; 3]) -> Option<String> {
    let parts = [(failing, "for failures"), (unknown, "for what is not known"), (other, "for what does not count")];
    let parts: Vec<_> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let all = failing + unknown + other;
    (all > 0).then(|| {
        format!(
            "{} not shown ({}): GitHub shows {MOST} of a kind; other formats have all",
            counted(all, "more annotation"),
            parts.join(", ")
        )
    })
}

/// The text of a command: it ends with its line.
fn data(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n'])
}

/// The value of a command's property.
fn property(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n', ':', ','])
}

fn escaped<'a>(text: &'a str, letters: &[char]) -> Cow<'a, str> {
    if !text.contains(letters) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if letters.contains(&letter) {
            safe.push_str(&format!("%{:02X}", u32::from(letter)));
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("a%0A\r\nb: c, d"), "a%250A%0D%0Ab: c, d");
        assert_eq!(property("a,title=x::y%"), "a%2Ctitle=x%3A%3Ay%25");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        assert_eq!(told([0, 0, 0]), None);
        assert!(told([2, 0, 1]).unwrap().starts_with("3 more annotations not shown (2 for failures, 1 for what does not count)"));
    }
}
