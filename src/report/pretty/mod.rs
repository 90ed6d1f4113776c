//! The report for a person at a terminal, in the shape that Kubescape's users know.

mod coverage;
pub(super) mod details;
mod exceptions;
pub(super) mod header;
mod notes;
mod summary;

use std::io::{self, Write};

use super::terminal::Appearance;
use crate::model::Report;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Colour and width.
    pub appearance: Appearance,
    /// Whether each workload that fails or is unknown is shown.
    pub verbose: bool,
}

/// Writes the report: what was looked at, each workload that fails or is unknown (if verbose), the summary, and what is left open.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, options: Options, out: &mut impl Write) -> io::Result<()> {
    let appearance = options.appearance;
    header::render(report, appearance, out)?;
    if options.verbose {
        details::render(report, appearance, out)?;
    }
    notes::action_required(report, appearance, out)?;
    summary::render(report, options, out)?;
    coverage::render(report, options, out)?;
    notes::unknown(report, appearance, out)?;
    exceptions::render(report, options, out)?;
    notes::not_judged(report, options, out)?;
    notes::not_visible(report, appearance, out)?;
    summary::gates(report, appearance, out)
}
