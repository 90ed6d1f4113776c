//! The list for spreadsheets.

use std::io::{self, Write};

use super::{Name, Row, Usage};
use crate::report::cells::write_row;

const COLUMNS: &str = "registry,repository,tag,digest,digest_state,running,origin,workloads,workload_names,malformed_reference";

pub(super) fn render(usage: &Usage<'_>, out: &mut impl Write) -> io::Result<()> {
    write_row(COLUMNS.split(','), out)?;
    for row in &usage.rows {
        write_row(cells(row), out)?;
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
