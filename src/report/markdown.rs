//! The report for the comment on a pull request or the summary of a job, in GitHub's markdown.
//!
//! It always fits into a comment: what is too much is cut, the least severe first, and what is cut is said with its number. The first
//! line is a hidden mark by which a later run finds its own comment and replaces it.

mod escape;
mod findings;
mod notes;
mod summary;

use std::io::{self, Write};

use crate::model::Report;

/// The hidden first line: the same in every version of this program.
pub const MARK: &str = "<!-- seaworthy-report -->";

/// Most bytes that are written. GitHub refuses a comment of more than 65,536 characters; the rest is for what is put around it.
pub const LIMIT: usize = 64_000;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let head = format!("{MARK}\n{}", summary::head(report));
    let table = summary::controls(report);
    let tail = notes::tail(report);
    // What fails gets all the room that the other parts leave; each of those has a limit of its own.
    let room = LIMIT.saturating_sub(head.len() + table.len() + tail.len());
    let findings = findings::failing(report, room);
    for part in [head, table, findings, tail] {
        out.write_all(part.as_bytes())?;
    }
    Ok(())
}

/// Items in order for as long as they fit, and how many did not.
fn fitting(items: impl Iterator<Item = String>, room: usize) -> (String, usize) {
    let (mut text, mut cut) = (String::new(), 0);
    for item in items {
        if cut > 0 || text.len() + item.len() > room {
            cut += 1;
        } else {
            text.push_str(&item);
        }
    }
    (text, cut)
}

/// A list under a title, within so many bytes; nothing where there are no items.
fn section(title: &str, items: impl Iterator<Item = String>, room: usize) -> String {
    let (mut text, cut) = fitting(items.map(|item| format!("- {item}\n")), room);
    if text.is_empty() && cut == 0 {
        return text;
    }
    if cut > 0 {
        text.push_str(&format!("- and {cut} more\n"));
    }
    format!("\n### {title}\n\n{text}")
}
