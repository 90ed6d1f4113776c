//! What `verify` says: one image or artifact, its signatures, and every step with the value that it checked.

mod json;
mod text;

use std::io::{self, Write};

use super::terminal::Appearance;
use crate::model::{Verdict, VerificationReport};

pub use json::schema;

/// The forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text(Appearance),
    /// For programs.
    Json,
}

/// Writes the report.
///
/// # Errors
/// When writing fails.
pub fn render(report: &VerificationReport, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text(appearance) => text::render(report, appearance, out),
        Format::Json => json::render(report, out),
    }
}

/// A verdict in a word, and its reason or cause.
fn words(verdict: Verdict) -> (&'static str, Option<&'static str>) {
    match verdict {
        Verdict::Verified => ("verified", None),
        Verdict::Rejected(reason) => ("rejected", Some(reason.name())),
        Verdict::Absent => ("absent", None),
        Verdict::Unknown(cause) => ("unknown", Some(cause.name())),
    }
}
