//! Our own report for programs, versioned apart from the types inside.

pub mod v1;

use std::io::{self, Read, Write};

use serde::Deserialize as _;
use serde_json::error::Category;

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

/// Why a stored report cannot be read; the texts follow the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It ends in the middle.
    #[error("ends in the middle, at line {line}: it was cut off; make it again")]
    Truncated {
        /// The line, from 1.
        line: usize,
    },
    /// It is no JSON, or no report.
    #[error("is no report: {0}")]
    NotAReport(String),
    /// Its parts do not fit together.
    #[error("does not fit together: {0}")]
    Inconsistent(String),
    /// It cannot be read at all.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a report that [`render`] wrote, of any version so far.
///
/// It says what every format says of it. What the document leaves out (parameters of builds, trials that did not hold beside some that did)
/// is left out here too.
///
/// # Errors
/// See [`ReadError`].
pub fn read(input: impl Read) -> Result<Report, ReadError> {
    let mut input = io::BufReader::with_capacity(64 << 10, input);
    if let Some(what) = looks_like(io::BufRead::fill_buf(&mut input)?) {
        return Err(ReadError::NotAReport(what.to_owned()));
    }
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let document = v1::read::Document::deserialize(&mut deserializer).map_err(unreadable)?;
    deserializer.end().map_err(unreadable)?;
    document.into_report()
}

/// What a document is whose first byte says that it is no report.
fn looks_like(beginning: &[u8]) -> Option<&'static str> {
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    match beginning.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Some("it is empty"),
        Some(b'{') => None,
        Some(b'<') => Some("it looks like HTML or XML; a report of `-f json` is wanted"),
        Some(b'[') => Some("it is a list, as GitLab's code quality or a file of exceptions; a report of `-f json` is wanted"),
        Some(_) => Some("it is no JSON; a report of `-f json` is wanted"),
    }
}

fn unreadable(error: serde_json::Error) -> ReadError {
    match error.classify() {
        Category::Eof => ReadError::Truncated { line: error.line() },
        Category::Io => ReadError::Io(error.into()),
        Category::Syntax | Category::Data => ReadError::NotAReport(crate::model::escape_control(&error.to_string()).into_owned()),
    }
}
