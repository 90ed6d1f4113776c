//! What standard output is.

use std::io::IsTerminal as _;

use super::arguments::ColorChoice;
use crate::report::Appearance;

/// Columns where the width is not known.
const USUAL_WIDTH: usize = 120;

/// Colour and width of standard output. `COLUMNS` goes before the terminal's own width, `NO_COLOR` before the terminal's colour.
pub(super) fn appearance(color: ColorChoice) -> Appearance {
    let out = std::io::stdout();
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))).unwrap_or(USUAL_WIDTH);
    let color = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            out.is_terminal() && !no_color && !dumb
        }
    };
    Appearance { color, width }
}
