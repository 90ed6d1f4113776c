//! The list for a person.

use std::io::{self, Write};

use super::{ImageDigest, Name, Registry, Row, Usage, share};
use crate::model::{Compliance, ObjectKey};
use crate::report::pretty::header::{gaps, moment};
use crate::report::terminal::{Appearance, Cell, Table, Tone, counted, field, prose, shown};

/// Workloads that are named of each image.
const MOST_NAMES: usize = 3;
/// From this many columns on, each image says whether it is public; below, only its registry does.
const WIDE: usize = 100;
/// Characters of a digest that are shown, algorithm included.
const SHORT_DIGEST: usize = "sha256:".len() + 12;

pub(super) fn render(usage: &Usage<'_>, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    field(out, appearance, ("As of", Tone::Quiet), 10, &moment(usage.observed), appearance.prose())?;
    gaps(usage.gaps, appearance, out)?;
    writeln!(out)?;
    let wide = appearance.columns() >= WIDE;
    let columns = ["Registry", "Repository", "Tag", "Running digest", "Workloads", "Origin"].map(|title| (title, false));
    let count = if wide { columns.len() } else { columns.len() - 1 };
    let mut images = Table::new(&columns[..count]);
    for row in &usage.rows {
        let mut cells = cells(row);
        cells.truncate(count);
        images.row(cells);
    }
    images.render(out, appearance)?;
    writeln!(out)?;
    let mut registries = Table::new(&[("Registry", false), ("Origin", false), ("Images", true), ("Workloads", true), ("Share", true)]);
    let mut ordered: Vec<(&String, &Registry<'_>)> = usage.registries.iter().collect();
    ordered.sort_by_key(|(name, registry)| (std::cmp::Reverse(registry.images), *name));
    for (name, registry) in ordered {
        registries.row(vec![
            Cell::plain(shown(name)),
            Cell::plain(registry.origin()),
            Cell::plain(registry.images.to_string()),
            Cell::plain(registry.workloads.len().to_string()),
            Cell::plain(percent(registry.images, usage.named())),
        ]);
    }
    registries.footer(vec![
        Cell::new(Tone::Heading, "All registries"),
        Cell::default(),
        Cell::plain(usage.named().to_string()),
        Cell::plain(usage.workloads.to_string()),
        Cell::plain(percent(usage.named(), usage.named())),
    ]);
    registries.render(out, appearance)?;
    writeln!(out)?;
    totals(usage, appearance, out)
}

fn percent(part: usize, whole: usize) -> String {
    Compliance::exact(share(part, whole)).percent_text()
}

fn cells(row: &Row<'_>) -> Vec<Cell> {
    let workloads = Cell::plain(workloads(row));
    match &row.name {
        Name::Malformed(reference) => vec![
            Cell::new(Tone::Failed, "malformed"),
            Cell::plain(shown(reference)),
            Cell::plain("–"),
            Cell::plain("–"),
            workloads,
            Cell::plain("–"),
        ],
        Name::Parsed { registry, repository, tag, digest } => vec![
            Cell::plain(shown(registry)),
            Cell::plain(shown(repository)),
            Cell::plain(tag.as_deref().map_or_else(|| "–".into(), shown)),
            digest_cell(digest, row.running),
            workloads,
            Cell::plain(if row.public { "public" } else { "own" }),
        ],
    }
}

fn digest_cell(digest: &ImageDigest<'_>, running: bool) -> Cell {
    let short = |digest: &str| digest.chars().take(SHORT_DIGEST).collect::<String>();
    match digest {
        ImageDigest::Running(digest) if running => Cell::plain(short(digest)),
        ImageDigest::Running(digest) => Cell::plain(format!("{} (ended)", short(digest))),
        ImageDigest::Unqualified(digest) => Cell::new(Tone::Unknown, format!("{} (image ID)", short(digest))),
        ImageDigest::Unreadable("") => Cell::new(Tone::Unknown, "not reported"),
        ImageDigest::Unreadable(text) => Cell::new(Tone::Unknown, format!("{} (no digest)", shown(text))),
        ImageDigest::Pinned(digest) => Cell::plain(format!("{} (pinned)", short(digest))),
        ImageDigest::Unreported => Cell::new(Tone::Quiet, "not running"),
    }
}

fn workloads(row: &Row<'_>) -> String {
    let all = row.workloads.len();
    let mut lines: Vec<String> =
        row.workloads.iter().take(MOST_NAMES).map(|key: &&ObjectKey| shown(&key.to_string()).into_owned()).collect();
    if all > MOST_NAMES {
        lines.push(format!("and {} more, {all} in all", all - MOST_NAMES));
    }
    lines.join("\n")
}

fn totals(usage: &Usage<'_>, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let registries = match usage.registries.len() {
        1 => "1 registry".to_owned(),
        many => format!("{many} registries"),
    };
    let images = counted(usage.named(), "image");
    let public = percent(usage.public(), usage.named());
    prose(
        out,
        appearance,
        0,
        &format!("{images} from {registries} in {}; {public} from public registries.", counted(usage.workloads, "workload")),
    )?;
    if usage.malformed() > 0 {
        let text = format!("{} that cannot be parsed: no runtime can pull it as written.", counted(usage.malformed(), "reference"));
        prose(out, appearance, 0, &text)?;
    }
    Ok(())
}
