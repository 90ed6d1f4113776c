//! Rows for spreadsheets: RFC 4180, and nothing that a spreadsheet would take for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::model::escape_control;

/// Writes one row. Control characters are escaped, line breaks among them: a row is a line.
pub(super) fn write_row<T: AsRef<str>>(cells: impl IntoIterator<Item = T>, out: &mut impl Write) -> io::Result<()> {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(quoted(cell.as_ref()).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// A cell that no spreadsheet takes for a formula, quoted where it has to be.
fn quoted(text: &str) -> Cow<'_, str> {
    // What some programs trim before they look for a formula does not hide one.
    let begins = text.trim_start().chars().next();
    let begins_formula = text.starts_with(['\t', '\r', '\n']) || begins.is_some_and(|first| "=+-@＝＋－＠".contains(first));
    let mut harmless = escape_control(text);
    if begins_formula {
        harmless = Cow::Owned(format!("'{harmless}"));
    }
    if harmless.contains(['"', ',', ';', '\'']) || harmless.starts_with(' ') || harmless.ends_with(' ') {
        return Cow::Owned(format!("\"{}\"", harmless.replace('"', "\"\"")));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula_or_breaks_out() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(quoted("two\nlines"), "two\\u{a}lines");
        for begin in ["=", "+", "-", "@", " =", "＝"] {
            assert_eq!(quoted(&format!("{begin}cmd")), format!("\"'{begin}cmd\""));
        }
        for (begin, shown) in [("\t", "\\u{9}"), ("\r", "\\u{d}"), ("\n", "\\u{a}")] {
            assert_eq!(quoted(&format!("{begin}cmd")), format!("\"'{shown}cmd\""));
        }
    }

    #[test]
    fn a_row_is_a_line() {
        let mut bytes = Vec::new();
        write_row(["a", "", "b\r\nc"], &mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "a,,b\\u{d}\\u{a}c\r\n");
    }
}
