//! Our own report for programs, versioned apart from the types inside.

pub mod v1;

use std::io::{self, Write};

use crate::model::Report;

/// Writes the current version of the report, [`v1`], as one indented JSON document with a line break at the end.
///
/// Written as it is made: no second copy of a large report is held.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    super::indented::write(&v1::Document::of(report), out)
}
