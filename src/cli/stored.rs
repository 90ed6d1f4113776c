//! Stored reports: read, converted, compared.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;

use super::arguments::{ChangesFormat, Diff, OutputOptions, ReportArguments, ReportWhat};
use super::exit::Exit;
use super::output::{self, Target};
use super::terminal;
use crate::model::Report;
use crate::report;
use crate::report::verification::Format as TextOrJson;
use crate::score;

/// Reads a report; `-` is standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<Report> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
    };
    report::json::read(input).map_err(|error| anyhow::anyhow!("{} {error}", path.display()))
}

/// Marks what a baseline has already.
pub(super) fn compare(report: &mut Report, baseline: &Report, name: &str, forced: bool) -> anyhow::Result<()> {
    if !forced && let Err(error) = score::comparable(baseline, report) {
        anyhow::bail!("the baseline {name} {error}; --force-baseline compares all the same");
    }
    for control in report.controls.iter().filter(|control| control.compliance().is_some()) {
        if !baseline.controls.iter().any(|known| known.id == control.id && known.compliance().is_some()) {
            super::note(&format!("the baseline {name} did not judge {}: all that fails it counts as new", control.id));
        }
    }
    score::mark(report, baseline, name);
    Ok(())
}

/// Runs `report`.
pub(super) fn run(arguments: ReportArguments) -> anyhow::Result<Exit> {
    let ReportWhat::Convert { report, output } = arguments.what;
    let targets = targets(&output)?;
    output::render(&read(&report)?, &targets, &output)?;
    Ok(Exit::Success)
}

fn targets(options: &OutputOptions) -> anyhow::Result<Vec<(output::Format, Target)>> {
    let targets = output::targets(&options.formats, options.output.as_deref())?;
    targets.iter().try_for_each(|(_, target)| output::probe(target))?;
    Ok(targets)
}

/// Runs `diff`.
pub(super) fn diff(arguments: &Diff) -> anyhow::Result<Exit> {
    let target = arguments.output.clone().map_or(Target::Stdout, Target::File);
    output::probe(&target)?;
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    if !arguments.force
        && let Err(error) = score::comparable(&old, &new)
    {
        anyhow::bail!("{} {error}; --force compares all the same", arguments.old.display());
    }
    let changes = score::changes(&old, &new);
    let format = match arguments.format {
        ChangesFormat::Pretty => TextOrJson::Text(terminal::appearance(arguments.color)),
        ChangesFormat::Json => TextOrJson::Json,
    };
    output::write(&target, |mut out| report::changes::render(&changes, format, &mut out))?;
    let worse = changes.changes.iter().any(crate::model::Change::is_worse);
    Ok(if arguments.exit_code && worse { Exit::GateMissed } else { Exit::Success })
}
