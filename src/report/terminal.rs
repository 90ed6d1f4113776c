//! What the formats for terminals share: colour, wrapping by display width, tables.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::presets::UTF8_FULL;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::{Severity, escape_control};

/// Narrower than this nothing is laid out.
const NARROWEST: usize = 60;
/// Longest hostile text that is shown, in characters.
const LONGEST_TEXT: usize = 512;
/// Prose is not set wider than this, however wide the terminal is.
const WIDEST_PROSE: usize = 120;

/// How a terminal is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appearance {
    /// Whether ANSI colours are written.
    pub color: bool,
    /// Columns; fewer than 60 are taken as 60.
    pub width: usize,
}

impl Appearance {
    /// Columns to fill.
    pub(super) fn columns(self) -> usize {
        self.width.max(NARROWEST)
    }

    /// Columns for running text.
    pub(super) fn prose(self) -> usize {
        self.columns().min(WIDEST_PROSE)
    }

    /// The text in a tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> Cow<'_, str> {
        match tone.sgr() {
            Some(sgr) if self.color && !text.is_empty() => Cow::Owned(format!("\u{1b}[{sgr}m{text}\u{1b}[0m")),
            _ => Cow::Owned(text.to_owned()),
        }
    }
}

/// What a text means, from which its colour follows. Only the sixteen colours that every theme defines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// The head of a section or a table.
    Heading,
    /// What stands back: labels, rules.
    Quiet,
    /// A fail.
    Failed,
    /// An unknown, a warning.
    Unknown,
    /// All is well.
    Passed,
    /// A severity.
    Severity(Severity),
}

impl Tone {
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Heading => Some("1"),
            Self::Quiet => Some("2"),
            Self::Failed | Self::Severity(Severity::High) => Some("31"),
            Self::Unknown | Self::Severity(Severity::Medium) => Some("33"),
            Self::Passed => Some("32"),
            Self::Severity(Severity::Critical) => Some("1;31"),
            Self::Severity(Severity::Low) => Some("36"),
        }
    }
}

/// Hostile text as it may be shown: control characters escaped, and cut where it is absurdly long.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => escape_control(text),
        Some((end, _)) => {
            let rest = text[end..].chars().count();
            Cow::Owned(format!("{}… ({rest} more characters)", escape_control(&text[..end])))
        }
    }
}

/// `1 pod`, `2 pods`.
pub(super) fn counted(count: usize, singular: &str) -> String {
    if count == 1 { format!("1 {singular}") } else { format!("{count} {singular}s") }
}

/// The text in lines of at most so many columns, broken at spaces; a word that is longer than a line is broken after its
/// separators (`/ : @ - . _ ,`), and only where it has none inside its parts. Line breaks in the text are kept.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut filled = 0;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let gap = usize::from(filled > 0);
            let whole = word.width();
            if filled + gap + whole <= width {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(word);
                filled += gap + whole;
                continue;
            }
            if whole <= width {
                lines.push(std::mem::take(&mut line));
                line.push_str(word);
                filled = whole;
                continue;
            }
            for (at, part) in parts(word, width).into_iter().enumerate() {
                let gap = if at == 0 { gap } else { 0 };
                let needed = part.width();
                if filled + gap + needed > width && filled > 0 {
                    lines.push(std::mem::take(&mut line));
                    filled = 0;
                } else {
                    line.extend(std::iter::repeat_n(' ', gap));
                    filled += gap;
                }
                line.push_str(part);
                filled += needed;
            }
        }
        lines.push(line);
    }
    lines
}

/// A long word in parts that each fit a line.
fn parts(word: &str, width: usize) -> Vec<&str> {
    word.split_inclusive(['/', ':', '@', '-', '.', '_', ',']).flat_map(|part| pieces(part, width)).collect()
}

fn pieces(part: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (at, character) in part.char_indices() {
        let columns = character.width().unwrap_or(0);
        if filled + columns > width && at > start {
            pieces.push(&part[start..at]);
            (start, filled) = (at, 0);
        }
        filled += columns;
    }
    pieces.push(&part[start..]);
    pieces
}

/// The text in lines, broken at spaces alone: what a person copies (a command with a digest) stays in one piece, even where that is
/// wider than asked.
pub(super) fn wrap_words(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// A text in lines, the first after the label, the others below it.
pub(super) fn field(
    out: &mut impl Write,
    appearance: Appearance,
    label: (&str, Tone),
    column: usize,
    text: &str,
    width: usize,
) -> io::Result<()> {
    labelled(out, appearance, label, column, &wrap(text, width.saturating_sub(column)))
}

/// Lines, the first after the label, the others below it.
pub(super) fn labelled(
    out: &mut impl Write,
    appearance: Appearance,
    (name, tone): (&str, Tone),
    column: usize,
    lines: &[String],
) -> io::Result<()> {
    let pad = column.saturating_sub(name.width()).max(usize::from(column > 0));
    for (at, line) in lines.iter().enumerate() {
        if at == 0 {
            writeln!(out, "{}{:pad$}{line}", appearance.paint(tone, name), "")?;
        } else {
            writeln!(out, "{:column$}{line}", "")?;
        }
    }
    Ok(())
}

/// The title of a section, after an empty line.
pub(super) fn title(out: &mut impl Write, appearance: Appearance, tone: Tone, text: &str) -> io::Result<()> {
    writeln!(out)?;
    for line in wrap(text, appearance.prose()) {
        writeln!(out, "{}", appearance.paint(tone, &line))?;
    }
    Ok(())
}

/// Indented running text.
pub(super) fn prose(out: &mut impl Write, appearance: Appearance, indent: usize, text: &str) -> io::Result<()> {
    for line in wrap(text, appearance.prose().saturating_sub(indent)) {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}

/// A table cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in a tone.
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    /// A plain cell.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Tone::Plain, text)
    }

    fn natural_width(&self) -> usize {
        self.text.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0)
    }
}

/// A table with rounded corners that never is wider than the terminal.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<Cell>,
    numeric: Vec<bool>,
    rows: Vec<Vec<Cell>>,
    footer: Option<Vec<Cell>>,
}

impl Table {
    /// A table with the given columns and whether each holds numbers.
    pub(super) fn new(columns: &[(&str, bool)]) -> Self {
        Self {
            header: columns.iter().map(|(title, _)| Cell::new(Tone::Heading, *title)).collect(),
            numeric: columns.iter().map(|(_, numeric)| *numeric).collect(),
            rows: Vec::new(),
            footer: None,
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Sets the row at the end, which is ruled off.
    pub(super) fn footer(&mut self, cells: Vec<Cell>) {
        self.footer = Some(cells);
    }

    /// Draws it. Rows are ruled off from each other only where some take several lines.
    pub(super) fn render(&self, out: &mut impl Write, appearance: Appearance) -> io::Result<()> {
        let widths = self.widths(appearance.columns());
        let mut table = comfy_table::Table::new();
        let rule = LineStyle::new('├', '─', '┼', '┤');
        table
            .load_style(UTF8_FULL.with_rounded_corners().with_solid_inner_borders().header_separator(rule).row_separator(rule))
            .set_content_arrangement(ContentArrangement::Disabled)
            .force_no_tty();
        let (header, _) = self.lay_out(&self.header, &widths, appearance);
        table.set_header(header);
        let mut heights = Vec::with_capacity(self.rows.len() + 1);
        for row in self.rows.iter().chain(&self.footer) {
            let (cells, height) = self.lay_out(row, &widths, appearance);
            table.add_row(cells);
            heights.push(height);
        }
        let roomy = heights[..self.rows.len()].iter().any(|height| *height > 1);
        let head = self.lay_out(&self.header, &widths, appearance).1;
        let mut lines = table.lines();
        for line in lines.by_ref().take(1 + head + 1) {
            writeln!(out, "{line}")?;
        }
        for (at, height) in heights.iter().enumerate() {
            for line in lines.by_ref().take(*height) {
                writeln!(out, "{line}")?;
            }
            let Some(rule) = lines.next() else { break };
            if roomy || at + 1 == heights.len() || (at + 1 == self.rows.len()) {
                writeln!(out, "{rule}")?;
            }
        }
        Ok(())
    }

    fn lay_out(&self, row: &[Cell], widths: &[usize], appearance: Appearance) -> (Vec<comfy_table::Cell>, usize) {
        let mut height = 1;
        let cells = row.iter().zip(widths).zip(&self.numeric).map(|((cell, width), numeric)| {
            let lines = wrap(&cell.text, *width);
            height = height.max(lines.len());
            let painted: Vec<_> = lines.iter().map(|line| appearance.paint(cell.tone, line)).collect();
            let alignment = if *numeric { CellAlignment::Right } else { CellAlignment::Left };
            comfy_table::Cell::new(painted.join("\n")).set_alignment(alignment)
        });
        (cells.collect(), height)
    }

    /// Takes columns from the widest until all fit; none gets narrower than the longest word of its title.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let all = || std::iter::once(&self.header).chain(&self.rows).chain(&self.footer);
        let mut widths = vec![0; self.header.len()];
        for row in all() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.natural_width().max(*width);
            }
        }
        let least: Vec<usize> =
            self.header.iter().map(|cell| cell.text.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(1)).collect();
        let space = columns.saturating_sub(3 * widths.len() + 1);
        if widths.iter().sum::<usize>() > space {
            // Titles are wrapped before contents are.
            widths.clone_from(&least);
            for row in all().skip(1) {
                for (width, cell) in widths.iter_mut().zip(row) {
                    *width = cell.natural_width().max(*width);
                }
            }
        }
        let mut excess = widths.iter().sum::<usize>().saturating_sub(space);
        while excess > 0 {
            let widest = (0..widths.len()).filter(|at| widths[*at] > least[*at]).max_by_key(|at| (widths[*at], usize::MAX - at));
            let Some(at) = widest else { break };
            widths[at] -= 1;
            excess -= 1;
        }
        self.settle(widths, space)
    }

    /// Columns that wrapped narrower than allowed give what they do not need to the one that lacks most.
    fn settle(&self, allowed: Vec<usize>, space: usize) -> Vec<usize> {
        let all = || std::iter::once(&self.header).chain(&self.rows).chain(&self.footer);
        let mut needed = vec![0; allowed.len()];
        let mut lacking = vec![0; allowed.len()];
        for row in all() {
            for (at, (cell, width)) in row.iter().zip(&allowed).enumerate() {
                let widest = wrap(&cell.text, *width).iter().map(|line| line.width()).max().unwrap_or(0);
                needed[at] = widest.max(needed[at]);
                lacking[at] = cell.natural_width().saturating_sub(*width).max(lacking[at]);
            }
        }
        let left = space.saturating_sub(needed.iter().sum());
        if let Some((at, lack)) = lacking.iter().enumerate().max_by_key(|(at, lack)| (**lack, usize::MAX - at)) {
            needed[at] += left.min(*lack);
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_then_at_separators_then_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("ghcr.io/acme/application:v1", 14), ["ghcr.io/acme/", "application:v1"]);
        assert_eq!(wrap("at ghcr.io/acme/app", 12), ["at ghcr.io/", "acme/app"]);
        assert_eq!(wrap("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("日本語です", 4), ["日本", "語で", "す"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown(&"x".repeat(515)), format!("{}… (3 more characters)", "x".repeat(512)));
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in "[ -~äß日本語]{0,80}", width in 2_usize..40) {
            for line in wrap(&text, width) {
                proptest::prop_assert!(line.width() <= width, "{line:?}");
            }
        }

        #[test]
        fn nothing_but_spaces_is_lost(text in "[ -~äß日本語]{0,80}", width in 2_usize..40) {
            let joined: String = wrap(&text, width).concat();
            proptest::prop_assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
