//! Which formats go where, and writing them so that no half file is left.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;

use super::arguments::{ColorChoice, FormatVersion, OutputOptions};
use super::terminal;
use crate::model::Report;
use crate::report;
use crate::report::openreports::Interface;

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A table for a person.
    Pretty,
    /// Our own versioned JSON.
    Json,
    /// Kubescape's JSON v2.
    KubescapeJson,
    /// Rows for a spreadsheet.
    Csv,
    /// For a pull request or a job's summary.
    Markdown,
    /// Metrics in the text exposition format.
    Prometheus,
    /// Objects of openreports.io.
    OpenReports,
    /// Objects of wgpolicyk8s.io.
    PolicyReport,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit's XML.
    Junit,
    /// GitLab's code quality.
    Gitlab,
    /// Annotations of GitHub Actions.
    Github,
    /// A page to look at, whole in itself.
    Html,
}

impl Format {
    const ALL: &[(&str, Self)] = &[
        ("pretty", Self::Pretty),
        ("pretty-printer", Self::Pretty),
        ("json", Self::Json),
        ("kubescape-json", Self::KubescapeJson),
        ("csv", Self::Csv),
        ("markdown", Self::Markdown),
        ("prometheus", Self::Prometheus),
        ("openreports", Self::OpenReports),
        ("policyreport", Self::PolicyReport),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("gitlab", Self::Gitlab),
        ("github", Self::Github),
        ("html", Self::Html),
    ];

    /// Name and extension in the file names of several formats.
    fn suffix(self) -> &'static str {
        match self {
            Self::Pretty => "pretty.txt",
            Self::Json => "json.json",
            Self::KubescapeJson => "kubescape-json.json",
            Self::Csv => "csv.csv",
            Self::Markdown => "markdown.md",
            Self::Prometheus => "prometheus.prom",
            Self::OpenReports => "openreports.yaml",
            Self::PolicyReport => "policyreport.yaml",
            Self::Sarif => "sarif.sarif",
            Self::Junit => "junit.xml",
            Self::Gitlab => "gitlab.json",
            Self::Github => "github.txt",
            Self::Html => "html.html",
        }
    }
}

/// A format with the file that it is written to, if one was given with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatChoice {
    /// The format.
    pub format: Format,
    /// Its own file.
    pub file: Option<PathBuf>,
}

impl FromStr for FormatChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing behind =".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::ALL.iter().find(|(known, _)| *known == name);
        let format = format.ok_or_else(|| {
            let nearest = Format::ALL.iter().max_by(|a, b| strsim::jaro(a.0, name).total_cmp(&strsim::jaro(b.0, name)));
            format!(
                "format {name:?} is not known; formats: {}{}",
                Format::ALL.iter().map(|(known, _)| *known).filter(|known| *known != "pretty-printer").collect::<Vec<_>>().join(", "),
                nearest.map_or_else(String::new, |(known, _)| format!(" (did you mean {known}?)"))
            )
        })?;
        Ok(Self { format: format.1, file })
    }
}

/// Where one format goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error, where standard output is for something else.
    Stderr,
    /// A file.
    File(PathBuf),
}

/// Decides where each format goes.
///
/// # Errors
/// When two formats would go to one place.
pub fn targets(choices: &[FormatChoice], output: Option<&Path>) -> anyhow::Result<Vec<(Format, Target)>> {
    let without_file = choices.iter().filter(|choice| choice.file.is_none()).count();
    let mut targets = Vec::new();
    for choice in choices {
        let target = match (&choice.file, output) {
            (Some(file), _) => Target::File(file.clone()),
            (None, Some(output)) if without_file == 1 => Target::File(output.to_owned()),
            (None, Some(base)) => {
                let mut name = base.as_os_str().to_owned();
                name.push(".");
                name.push(choice.format.suffix());
                Target::File(name.into())
            }
            (None, None) => Target::Stdout,
        };
        if targets.iter().any(|(_, known)| *known == target) {
            match target {
                Target::Stdout | Target::Stderr => {
                    anyhow::bail!("two formats would go to standard output; give one a file: -f json=report.json,pretty")
                }
                Target::File(file) => anyhow::bail!("two formats would go to {}", file.display()),
            }
        }
        targets.push((choice.format, target));
    }
    Ok(targets)
}

/// Checks, before anything is scanned, that a target can be written.
///
/// # Errors
/// When its directory does not exist or is not writable.
pub fn probe(target: &Target) -> anyhow::Result<()> {
    if let Target::File(file) = target
        && !is_special(file)
    {
        anyhow::ensure!(!file.is_dir(), "cannot write to {}: it is a directory", file.display());
        let directory = directory_of(file);
        anyhow::ensure!(directory.is_dir(), "cannot write to {}: the directory {} does not exist", file.display(), directory.display());
        // The error itself names a temporary file that the user never asked for.
        let probed = tempfile::NamedTempFile::new_in(directory).map_err(|error| error.kind());
        probed.map_err(|kind| anyhow::anyhow!("cannot write to {}: {kind}", file.display()))?;
    }
    Ok(())
}

/// Writes to a target: a file whole or not at all, standard output quietly where its reader went away.
///
/// # Errors
/// When writing fails.
pub fn write(target: &Target, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    match target {
        Target::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            match render(&mut out).and_then(|()| out.flush()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result.context("cannot write to standard output"),
            }
        }
        Target::Stderr => {
            let mut out = BufWriter::new(io::stderr().lock());
            render(&mut out).and_then(|()| out.flush()).context("cannot write to standard error")
        }
        Target::File(file) if is_special(file) => {
            let mut out = BufWriter::new(
                std::fs::OpenOptions::new().write(true).open(file).with_context(|| format!("cannot open {}", file.display()))?,
            );
            render(&mut out).and_then(|()| out.flush()).with_context(|| format!("cannot write to {}", file.display()))
        }
        Target::File(file) => {
            let context = || format!("cannot write to {}", file.display());
            let mut aside = tempfile::NamedTempFile::new_in(directory_of(file)).with_context(context)?;
            {
                let mut out = BufWriter::new(aside.as_file_mut());
                render(&mut out).and_then(|()| out.flush()).with_context(context)?;
            }
            widen(aside.as_file()).with_context(context)?;
            aside.persist(file).with_context(context)?;
            Ok(())
        }
    }
}

/// Writes every format from the same report.
///
/// # Errors
/// When one cannot be written.
pub fn render(report: &Report, targets: &[(Format, Target)], options: &OutputOptions) -> anyhow::Result<()> {
    for (format, target) in targets {
        write(target, |mut out| match (format, options.format_version) {
            (Format::Pretty, _) => {
                let mut appearance = terminal::appearance(options.color);
                // A file is no terminal, whatever standard output is; colour there has to be asked for.
                appearance.color &= *target == Target::Stdout || options.color == ColorChoice::Always;
                report::pretty::render(report, report::pretty::Options { appearance, verbose: options.verbose }, &mut out)
            }
            (Format::Json, FormatVersion::V1) => report::json::render(report, &mut out),
            (Format::Json, FormatVersion::V2) | (Format::KubescapeJson, _) => report::kubescape_json::render(report, &mut out),
            (Format::Csv, _) => report::csv::render(report, &mut out),
            (Format::Markdown, _) => report::markdown::render(report, &mut out),
            (Format::Prometheus, _) => report::prometheus::render(report, &mut out),
            (Format::OpenReports, _) => report::openreports::render(report, Interface::OpenReports, &mut out),
            (Format::PolicyReport, _) => report::openreports::render(report, Interface::PolicyReport, &mut out),
            (Format::Sarif, _) => report::sarif::render(report, &mut out),
            (Format::Junit, _) => report::junit::render(report, &mut out),
            (Format::Gitlab, _) => report::gitlab::render(report, &mut out),
            (Format::Github, _) => report::github::render(report, &mut out),
            (Format::Html, _) => report::html::render(report, &mut out),
        })?;
    }
    Ok(())
}

/// A pipe or device, such as `/dev/stderr`: written in place, since a file cannot take its place.
fn is_special(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A report is no secret: it gets the mode that a newly made file has, not that of a private temporary file.
fn widen(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(text: &str) -> Vec<FormatChoice> {
        text.split(',').map(|choice| choice.parse().unwrap()).collect()
    }

    #[test]
    fn formats_find_their_files() {
        assert_eq!(targets(&choices("pretty"), None).unwrap(), [(Format::Pretty, Target::Stdout)]);
        assert_eq!(targets(&choices("json"), Some(Path::new("a.json"))).unwrap(), [(Format::Json, Target::File("a.json".into()))]);
        assert_eq!(
            targets(&choices("json=x.json,pretty"), None).unwrap(),
            [(Format::Json, Target::File("x.json".into())), (Format::Pretty, Target::Stdout)]
        );
        assert_eq!(
            targets(&choices("json,pretty"), Some(Path::new("base"))).unwrap(),
            [(Format::Json, Target::File("base.json.json".into())), (Format::Pretty, Target::File("base.pretty.txt".into()))]
        );
    }

    #[test]
    fn two_formats_never_share_a_place() {
        assert!(targets(&choices("json,pretty"), None).is_err());
        assert!(targets(&choices("json=a,pretty=a"), None).is_err());
        assert!("jsn".parse::<FormatChoice>().unwrap_err().contains("did you mean json?"));
        assert!("json=".parse::<FormatChoice>().is_err());
    }

    #[test]
    fn a_failed_writing_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("report");
        write(&Target::File(file.clone()), |out| out.write_all(b"old")).unwrap();
        assert!(write(&Target::File(file.clone()), |out| out.write_all(b"new").and(Err(io::Error::other("broken")))).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(probe(&Target::File(directory.path().join("none/report"))).is_err());
    }
}
