//! The list for spreadsheets.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Name, Row, Usage};

/// RFC 4180 line ends.
const END: &str = "\r\n";

pub(super) fn render(usage: &Usage<'_>, out: &mut impl Write) -> io::Result<()> {
    write!(out, "registry,repository,tag,digest,digest_state,running,origin,workloads,workload_names,malformed_reference{END}")?;
    for row in &usage.rows {
        let cells = cells(row);
        let line: Vec<Cow<'_, str>> = cells.iter().map(|cell| quoted(cell)).collect();
        write!(out, "{}{END}", line.join(","))?;
    }
    Ok(())
}

fn cells(row: &Row<'_>) -> [String; 10] {
    let names: Vec<String> = row.workloads.iter().map(ToString::to_string).collect();
    let (count, names) = (names.len().to_string(), names.join(" "));
    match &row.name {
        Name::Malformed(reference) => {
            let empty = String::new;
            [empty(), empty(), empty(), empty(), empty(), row.running.to_string(), empty(), count, names, (*reference).to_owned()]
        }
        Name::Parsed { registry, repository, tag, digest } => [
            registry.clone(),
            repository.clone(),
            tag.clone().unwrap_or_default(),
            digest.text().unwrap_or_default().to_owned(),
            digest.state().to_owned(),
            row.running.to_string(),
            if row.public { "public" } else { "own" }.to_owned(),
            count,
            names,
            String::new(),
        ],
    }
}

/// A cell that no spreadsheet takes for a formula, quoted where it has to be.
fn quoted(text: &str) -> Cow<'_, str> {
    let harmless =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if harmless.contains(['"', ',', '\n', '\r', '\t', ';', '\'']) {
        return Cow::Owned(format!("\"{}\"", harmless.replace('"', "\"\"")));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_cell_begins_a_formula_or_breaks_out() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
        for begin in ["=", "+", "-", "@", "\t", "\r"] {
            let text = format!("{begin}cmd");
            assert_eq!(quoted(&text), format!("\"'{text}\""));
        }
    }
}
