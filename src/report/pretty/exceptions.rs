//! Exceptions that were given: which hold, which end soon, which ended, which are not allowed.

use std::io::{self, Write};

use super::Options;
use crate::model::{ExceptionRecord, ExceptionState, Report};
use crate::report::exceptions::told;
use crate::report::terminal::{Tone, counted, prose, shown, title};

/// Exceptions of one state that are named without `-v`.
const FEW: usize = 10;

pub(super) fn render(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    if report.exceptions.is_empty() {
        return Ok(());
    }
    let of = |state: ExceptionState| report.exceptions.iter().filter(move |exception| exception.state == state);
    let holding = || of(ExceptionState::InForce).chain(of(ExceptionState::Expiring));
    let answers: u64 = holding().map(|exception| exception.matched).sum();
    let counts = if answers == 1 { "counts" } else { "count" };
    let answers = counted(usize::try_from(answers).unwrap_or(usize::MAX), "answer");
    let head = format!("Exceptions: {} in force, by which {answers} {counts} as passed", holding().count());
    title(out, options.appearance, Tone::Heading, &head)?;
    if options.verbose {
        each(holding(), "In force", options, out)?;
    } else {
        each(of(ExceptionState::Expiring), "Ends soon", options, out)?;
        each(of(ExceptionState::InForce).filter(|exception| is_remarkable(exception)), "In force", options, out)?;
    }
    let elsewhere = holding().filter(|exception| is_elsewhere(exception)).count();
    if elsewhere > 0 && !options.verbose {
        let are = if elsewhere == 1 { "is" } else { "are" };
        let text = format!("{} {are} about controls that this scan does not judge.", counted(elsewhere, "exception"));
        prose(out, options.appearance, 2, &text)?;
    }
    lapsed(of(ExceptionState::Expired), "Ended, and what they excepted counts again", options, out)?;
    lapsed(of(ExceptionState::NotAllowed), "Not allowed, and what they would except counts", options, out)
}

fn is_elsewhere(exception: &ExceptionRecord) -> bool {
    exception.warnings.iter().any(|warning| warning == ExceptionRecord::NOT_JUDGED)
}

/// Whether anything is to be said of one that holds.
fn is_remarkable(exception: &ExceptionRecord) -> bool {
    exception.warnings.iter().any(|warning| warning != ExceptionRecord::NOT_JUDGED)
}

fn lapsed<'a>(all: impl Iterator<Item = &'a ExceptionRecord>, head: &str, options: Options, out: &mut impl Write) -> io::Result<()> {
    let mut all = all.peekable();
    if all.peek().is_none() {
        return Ok(());
    }
    title(out, options.appearance, Tone::Failed, &format!("{head}:"))?;
    each(all, "", options, out)
}

fn each<'a>(all: impl Iterator<Item = &'a ExceptionRecord>, label: &str, options: Options, out: &mut impl Write) -> io::Result<()> {
    let all: Vec<_> = all.collect();
    let most = if options.verbose { all.len() } else { FEW };
    for exception in all.iter().take(most) {
        let label = if label.is_empty() { String::new() } else { format!("{label}: ") };
        let answers = counted(usize::try_from(exception.matched).unwrap_or(usize::MAX), "answer");
        prose(out, options.appearance, 2, &format!("{label}{}: {answers}", told(exception)))?;
        for warning in &exception.warnings {
            prose(out, options.appearance, 4, &format!("Warning: {}", shown(warning)))?;
        }
    }
    if all.len() > most {
        prose(out, options.appearance, 2, &format!("and {} more (-v)", all.len() - most))?;
    }
    Ok(())
}
