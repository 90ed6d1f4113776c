//! `controls list|show|lint|test` and `list`.

use anyhow::Context as _;
use comfy_table::presets::UTF8_FULL;
use comfy_table::{ContentArrangement, Table};

use super::arguments::{ControlsArguments, ControlsCommand, ListArguments, ListFormat, ListWhat};
use super::exit::Exit;
use super::library::{load, read_files, read_files_and_tests};
use super::output::{Target, write};
use super::terminal;
use crate::controls::Library;
use crate::documents::{Control, Document, parse};
use crate::model::{Severity, escape_control};
use crate::scan::{CaseOutcome, run_control_test};

/// Runs `controls`.
pub(super) fn run(arguments: &ControlsArguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        ControlsCommand::List { format } => list_controls(&load(&arguments.controls)?, *format),
        ControlsCommand::Show { id } => show(load(&arguments.controls)?.control(id)?),
        ControlsCommand::Lint { paths } => lint(paths),
        ControlsCommand::Test { paths } => test(paths, &load(&arguments.controls)?),
    }
}

/// Runs `list`.
pub(super) fn list(arguments: &ListArguments) -> anyhow::Result<Exit> {
    let library = load(&arguments.controls)?;
    match arguments.what {
        ListWhat::Controls => list_controls(&library, arguments.format),
        ListWhat::Frameworks => list_frameworks(&library, arguments.format),
    }
}

fn list_controls(library: &Library, format: ListFormat) -> anyhow::Result<Exit> {
    let rows: Vec<_> = library.controls().collect();
    match format {
        ListFormat::Json => print_json(&rows),
        ListFormat::Table => {
            let mut table = table(&["ID", "Severity", "Control name", "Parameters", "Threats"]);
            for control in rows {
                table.add_row([
                    control.id.clone(),
                    Severity::from_base_score(control.severity).name().to_owned(),
                    escape_control(&control.title).into_owned(),
                    parameters(control),
                    control.threats.join(" "),
                ]);
            }
            print(&format!("{table}\n* obligatory: without it the control is \"action required\"\n"))
        }
    }
}

fn parameters(control: &Control) -> String {
    let name =
        |(name, spec): (&String, &crate::documents::ParameterSpec)| format!("{name}{}", if spec.default.is_none() { "*" } else { "" });
    control.params.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn list_frameworks(library: &Library, format: ListFormat) -> anyhow::Result<Exit> {
    let rows: Vec<_> = library.frameworks().collect();
    match format {
        ListFormat::Json => print_json(&rows),
        ListFormat::Table => {
            let mut table = table(&["ID", "Framework", "Controls"]);
            for framework in rows {
                table.add_row([framework.id.clone(), escape_control(&framework.title).into_owned(), framework.controls.join(", ")]);
            }
            print(&format!("{table}\n"))
        }
    }
}

fn show(control: &Control) -> anyhow::Result<Exit> {
    let mut text = format!(
        "{} · {}\nSeverity   {} (base score {})\nThreats    {}\n",
        control.id,
        escape_control(&control.title),
        Severity::from_base_score(control.severity).name(),
        control.severity,
        if control.threats.is_empty() { "–".to_owned() } else { control.threats.join(", ") },
    );
    for (name, spec) in &control.params {
        let default = spec.default.as_ref().map_or_else(|| "obligatory".to_owned(), |default| format!("default [{}]", default.join(", ")));
        let key = spec.kubescape_key.as_ref().map_or_else(String::new, |key| format!("; controls-config: {key}"));
        text.push_str(&format!("Parameter  {name}: {} ({default}{key})\n", escape_control(&spec.description)));
    }
    let width = terminal::appearance(super::arguments::ColorChoice::Never).width.min(100);
    for (title, body) in [("Why", &control.rationale), ("What to do", &control.remediation)] {
        text.push_str(&format!("\n{title}\n"));
        for line in wrap(&escape_control(body), width.saturating_sub(2)) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    for reference in &control.references {
        text.push_str(&format!("\n{}", escape_control(reference)));
    }
    text.push('\n');
    print(&text)
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let columns = |text: &str| unicode_width::UnicodeWidthStr::width(text);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Checks every file, and names each problem; one broken file does not hide the next.
fn lint(paths: &[std::path::PathBuf]) -> anyhow::Result<Exit> {
    let files = read_files(paths)?;
    let linted = crate::controls::lint(&files, &Library::embedded()?);
    for problem in &linted.problems {
        super::note(&problem.to_string());
    }
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (files, documents, problems) = (files.len(), linted.documents, linted.problems.len());
    print(&format!("{}, {}, {}\n", counted(files, "file"), counted(documents, "good document"), counted(problems, "problem")))?;
    Ok(if problems == 0 { Exit::Success } else { Exit::Usage })
}

/// Runs every test of the files, by the controls of the files themselves or those that are known.
fn test(paths: &[std::path::PathBuf], known: &Library) -> anyhow::Result<Exit> {
    let files = read_files_and_tests(paths)?;
    let own = Library::default().with_any(&files)?;
    let library = own.backed_by(known);
    let mut told = String::new();
    let (mut cases, mut broken) = (0_usize, 0_usize);
    for (file, text) in &files {
        for document in parse(file, text)? {
            let Document::ControlTest(test) = document else { continue };
            let control = library.control(&test.control).with_context(|| file.clone())?;
            for outcome in run_control_test(&test, control).with_context(|| file.clone())? {
                cases += 1;
                broken += usize::from(!outcome.holds);
                told.push_str(&case(&control.id, &outcome));
            }
        }
    }
    anyhow::ensure!(cases > 0, "no document of kind ControlTest is in {}", shown(paths));
    print(&format!("{told}\n{cases} case{}, {broken} of them not as expected\n", if cases == 1 { "" } else { "s" }))?;
    Ok(if broken == 0 { Exit::Success } else { Exit::GateMissed })
}

fn shown(paths: &[std::path::PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn case(control: &str, outcome: &CaseOutcome) -> String {
    let CaseOutcome { name, expected, got, detail, holds } = outcome;
    let name = escape_control(name);
    if *holds {
        return format!("ok      {control}  {name}\n");
    }
    let because = if detail.is_empty() { String::new() } else { format!(": {}", escape_control(detail)) };
    format!(
        "FAILED  {control}  {name}\n        expected {}\n        got {}{because}\n",
        CaseOutcome::told(expected),
        CaseOutcome::told(got)
    )
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL).set_content_arrangement(ContentArrangement::Dynamic).set_header(header.to_vec());
    table.set_width(u16::try_from(terminal::appearance(super::arguments::ColorChoice::Never).width).unwrap_or(u16::MAX));
    table
}

fn print_json<T: serde::Serialize>(rows: &[T]) -> anyhow::Result<Exit> {
    let text = serde_json::to_string_pretty(rows)?;
    print(&format!("{text}\n"))
}

fn print(text: &str) -> anyhow::Result<Exit> {
    write(&Target::Stdout, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Success)
}
