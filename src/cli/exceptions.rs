//! `--exceptions`, and `exceptions lint|draft`.

use std::path::PathBuf;

use jiff::Timestamp;

use super::arguments::{ExceptionsArguments, ExceptionsCommand};
use super::draft::draft;
use super::exit::Exit;
use super::library::{document, read_files};
use super::output::{Target, write};
use crate::controls::Library;
use crate::documents::{
    Document, DocumentError, KubescapeException, is_kubescape_exceptions, nearest, parse_each, parse_kubescape_exceptions,
};
use crate::model::{DocumentDigest, ExceptionState};
use crate::policy::ExceptionSet;

/// The kind under which a report lists files of exceptions.
pub(super) const EXCEPTION: &str = "Exception";

/// What one file holds.
enum Content {
    Kubescape(Vec<KubescapeException>),
    Own(Vec<Document>),
}

/// What is wrong with a file.
fn read(file: &str, text: &str) -> Result<Content, Vec<DocumentError>> {
    if is_kubescape_exceptions(text) {
        return parse_kubescape_exceptions(file, text).map(Content::Kubescape).map_err(|error| vec![error]);
    }
    let mut documents = Vec::new();
    let mut faults = Vec::new();
    for parsed in parse_each(file, text) {
        match parsed {
            Ok(document @ (Document::Exception(_) | Document::ExceptionPolicy(_))) => documents.push(document),
            Ok(_) => faults.push(DocumentError {
                file: file.to_owned(),
                line: 0,
                column: 0,
                detail: "it holds something else than an Exception or an ExceptionPolicy".to_owned(),
            }),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(Content::Own(documents)) } else { Err(faults) }
}

/// The exceptions of the files, in their order (of a directory in that of its files' names), and digests of those.
///
/// # Errors
/// When a file cannot be read, or holds anything else.
pub(super) fn load(paths: &[PathBuf]) -> anyhow::Result<(ExceptionSet, Vec<DocumentDigest>)> {
    let mut set = ExceptionSet::default();
    let mut digests = Vec::new();
    for path in paths {
        for (file, text) in read_files(std::slice::from_ref(path))? {
            let content = read(&file, &text).map_err(|faults| match faults.into_iter().next() {
                Some(first) => anyhow::Error::from(first),
                None => anyhow::anyhow!("{file} cannot be read"),
            })?;
            digests.push(document(EXCEPTION, &file, &text));
            add(&mut set, &file, content);
        }
    }
    Ok((set, digests))
}

fn add(set: &mut ExceptionSet, file: &str, content: Content) {
    match content {
        Content::Kubescape(entries) => {
            entries.into_iter().enumerate().for_each(|(position, entry)| set.add_kubescape(file, position, entry));
        }
        Content::Own(documents) => documents.into_iter().for_each(|document| match document {
            Document::Exception(named) => set.add(file, *named),
            Document::ExceptionPolicy(named) => set.add_policy(named),
            _ => {}
        }),
    }
}

/// Runs `exceptions`.
pub(super) fn run(arguments: &ExceptionsArguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        ExceptionsCommand::Draft { finding, report, control } => {
            let text = draft(report, finding, control.as_deref())?;
            write(&Target::Stdout, |out| out.write_all(text.as_bytes()))?;
            Ok(Exit::Success)
        }
        ExceptionsCommand::Lint { paths, at } => lint(paths, at.unwrap_or_else(Timestamp::now)),
    }
}

/// Checks every file, and names each problem; one broken file does not hide the next.
fn lint(paths: &[PathBuf], as_of: Timestamp) -> anyhow::Result<Exit> {
    let mut set = ExceptionSet::default();
    let (mut files, mut faults) = (0_usize, 0_usize);
    for path in paths {
        for (file, text) in read_files(std::slice::from_ref(path))? {
            files += 1;
            match read(&file, &text) {
                Ok(content) => add(&mut set, &file, content),
                Err(found) => {
                    faults += found.len();
                    found.iter().for_each(|fault| super::note(&fault.to_string()));
                }
            }
        }
    }
    let library = Library::embedded()?;
    let controls: Vec<_> = library.controls().collect();
    let frameworks: Vec<_> = library.frameworks().collect();
    let exceptions = set.at(as_of, &frameworks);
    let mut warnings = 0_usize;
    for (position, facts) in exceptions.facts().enumerate() {
        let mut told = facts.warnings;
        if facts.state != ExceptionState::Expired && facts.expires.is_none() {
            told.push("it has no end".to_owned());
        }
        if exceptions.limits_nothing(position, &controls) {
            told.push("it matches everything: neither workloads nor images limit it".to_owned());
        }
        for id in exceptions.controls_named(position).iter().filter(|id| library.control(id).is_err()) {
            let meant = nearest(id, controls.iter().map(|control| control.id.as_str()));
            let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            told.push(format!("{id} is no built-in control{meant}"));
        }
        warnings += told.len();
        told.iter().for_each(|warning| super::note(&format!("{}: warning: {}: {warning}", facts.file, facts.name)));
    }
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let parts = [(files, "file"), (exceptions.len(), "exception"), (faults, "problem"), (warnings, "warning")];
    let summary = parts.map(|(count, what)| counted(count, what)).join(", ");
    write(&Target::Stdout, |out| out.write_all(format!("{summary}\n").as_bytes()))?;
    Ok(if faults == 0 { Exit::Success } else { Exit::Usage })
}
