//! What `slsa verify` and `slsa explain` say.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::terminal::{Appearance, Tone, counted, field, shown};
use super::verification::Format;
use crate::model::{BuildLevel, BuildReport, RunningWorkload, Source, Verdict, Vouched};

/// Workloads that are shown to a person.
const MOST: usize = 20;

/// Writes the report.
///
/// # Errors
/// When writing fails.
pub fn render(report: &BuildReport, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text(appearance) => text(report, appearance, out),
        Format::Json => super::indented::write(&Document::of(report), out),
    }
}

/// The JSON schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("title".to_owned(), "Build of an image, version 1".into());
    schema.to_value()
}

fn words(verdict: Verdict) -> (&'static str, Option<&'static str>, Tone) {
    match verdict {
        Verdict::Verified => ("VERIFIED", None, Tone::Passed),
        Verdict::Rejected(reason) => ("REJECTED", Some(reason.name()), Tone::Failed),
        Verdict::Absent => ("ABSENT", None, Tone::Failed),
        Verdict::Unknown(cause) => ("UNKNOWN", Some(cause.name()), Tone::Unknown),
    }
}

/// The level; none where nothing is shown and what could not be looked at may show any.
fn level(report: &BuildReport) -> Option<BuildLevel> {
    let open = matches!(report.verdict, Verdict::Unknown(_)) && report.level == BuildLevel::L0;
    (!open).then_some(report.level)
}

/// The chain: from the commit over the build to what runs.
fn text(report: &BuildReport, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let (word, code, tone) = words(report.verdict);
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let unverified = if report.vouched == Vouched::Nobody && report.level > BuildLevel::L0 { ", unverified" } else { "" };
    let level = level(report).map_or_else(|| "level not known".to_owned(), |level| level.to_string());
    let head = format!("{word}{code}: {}, SLSA build {level}{unverified}", shown(&report.subject));
    writeln!(out, "{}", appearance.paint(tone, &head))?;
    let line = |out: &mut _, label: &str, text: &str| field(out, appearance, (label, Tone::Quiet), 12, &shown(text), appearance.prose());
    if !report.detail.is_empty() {
        line(out, "Why:", &report.detail)?;
    }
    if let Some(provenance) = &report.provenance {
        match &provenance.source {
            Some(source) => line(out, "Source:", &told(source))?,
            None => line(out, "Source:", "the provenance does not say")?,
        }
        if let Some(entry) = provenance.source.as_ref().and_then(|source| source.entry_point.as_deref()) {
            line(out, "Workflow:", entry)?;
        }
        if let Some(run) = report.run.as_ref() {
            line(out, "Run:", run)?;
        }
        let finished = provenance.finished.or(provenance.started).map(|time| format!(", {time}")).unwrap_or_default();
        line(out, "Builder:", &format!("{} ({}{finished})", provenance.builder, provenance.build_type))?;
    }
    match &report.vouched {
        Vouched::Builder { name, signer } => line(out, "Signed by:", &format!("{signer}, trusted as builder {name}"))?,
        Vouched::Authority { name, signer } => {
            line(out, "Signed by:", &format!("{signer}, authority {name}; no document trusts this builder"))?
        }
        Vouched::Nobody if report.provenance.is_some() && report.level == BuildLevel::L0 => {
            line(out, "Note:", "this is what the provenance says of itself; it is not accepted")?;
        }
        Vouched::Nobody if report.provenance.is_some() => line(out, "Signed by:", "nobody who is trusted")?,
        Vouched::Nobody => {}
    }
    if let Some(log) = &report.log {
        line(out, "Logged:", log)?;
    }
    if let Some(digest) = &report.digest {
        line(out, "Digest:", &digest.to_string())?;
    }
    for same in report.missing.chunk_by(|(_, one), (_, other)| one == other) {
        let levels = match same {
            [(lowest, _), .., (highest, _)] => format!("{lowest}–{highest}"),
            _ => same.iter().map(|(level, _)| level.to_string()).collect(),
        };
        if let Some((_, missing)) = same.first() {
            line(out, &format!("For {levels}:"), missing)?;
        }
    }
    for note in &report.notes {
        line(out, "Note:", note)?;
    }
    running(report, out, line)?;
    line(out, "As of:", &report.as_of.to_string())
}

fn running<W: Write>(report: &BuildReport, out: &mut W, line: impl Fn(&mut W, &str, &str) -> io::Result<()>) -> io::Result<()> {
    let Some(running) = &report.run_by else { return Ok(()) };
    if running.is_empty() {
        return line(out, "Run by:", "nothing that was listed");
    }
    for RunningWorkload { workload, container, pods } in running.iter().take(MOST) {
        line(
            out,
            "Run by:",
            &format!("{workload}, container {container}, {}", counted(usize::try_from(*pods).unwrap_or(usize::MAX), "pod")),
        )?;
    }
    if running.len() > MOST {
        line(out, "", &format!("and {} more", running.len() - MOST))?;
    }
    Ok(())
}

fn told(source: &Source) -> String {
    let reference = source.reference.as_deref().map(|reference| format!(" at {reference}")).unwrap_or_default();
    let commit = source.commit.as_deref().map(|commit| format!(", commit {commit}")).unwrap_or_default();
    format!("{}{reference}{commit}", source.repository)
}

/// The report as JSON.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// Always `seaworthy.dev/build/v1`.
    api_version: &'static str,
    /// The image, as it was asked for.
    image: &'a str,
    /// Its digest; null where it is not known.
    digest: Option<String>,
    /// The moment as of which it was judged (RFC 3339).
    as_of: String,
    /// `verified`, `rejected`, `absent` or `unknown`.
    verdict: &'static str,
    /// The stable reason or cause; null where it is verified or absent.
    code: Option<&'static str>,
    /// Why.
    detail: &'a str,
    /// The level of SLSA's build track that is shown; null where it is not known.
    level: Option<BuildLevel>,
    /// Who vouches for it.
    vouched: &'a Vouched,
    /// The provenance that shows it.
    provenance: Option<Built<'a>>,
    /// The run that built it: its address, as the certificate that was verified names it, else as the provenance does.
    run: Option<&'a str>,
    /// Where it is logged.
    log: Option<&'a str>,
    /// What is missing for the levels above.
    missing: Vec<Missing<'a>>,
    /// What a person should know.
    notes: &'a [String],
    /// Who runs it; null where no cluster was asked.
    run_by: Option<&'a [RunningWorkload]>,
}

/// How it was built.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Built<'a> {
    /// The predicate type.
    predicate_type: &'a str,
    /// The builder.
    builder: &'a str,
    /// The build type.
    build_type: &'a str,
    /// The source repository; null where the provenance does not say.
    source: Option<&'a str>,
    /// Branch or tag.
    reference: Option<&'a str>,
    /// The commit.
    commit: Option<&'a str>,
    /// The workflow, or another entry point.
    entry_point: Option<&'a str>,
    /// The run, as it is written.
    invocation: Option<&'a str>,
    /// External parameters; those that are no texts as JSON.
    external_parameters: &'a std::collections::BTreeMap<String, String>,
}

/// What is missing for a level.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Missing<'a> {
    /// The level.
    level: BuildLevel,
    /// What is missing.
    detail: &'a str,
}

impl<'a> Document<'a> {
    fn of(report: &'a BuildReport) -> Self {
        let (verdict, code) = match report.verdict {
            Verdict::Verified => ("verified", None),
            Verdict::Rejected(reason) => ("rejected", Some(reason.name())),
            Verdict::Absent => ("absent", None),
            Verdict::Unknown(cause) => ("unknown", Some(cause.name())),
        };
        let built = |provenance: &'a crate::model::Provenance| {
            let source = provenance.source.as_ref();
            Built {
                predicate_type: &provenance.predicate_type,
                builder: &provenance.builder,
                build_type: &provenance.build_type,
                source: source.map(|source| source.repository.as_str()),
                reference: source.and_then(|source| source.reference.as_deref()),
                commit: source.and_then(|source| source.commit.as_deref()),
                entry_point: source.and_then(|source| source.entry_point.as_deref()),
                invocation: provenance.invocation.as_deref(),
                external_parameters: &provenance.external_parameters,
            }
        };
        Self {
            api_version: "seaworthy.dev/build/v1",
            image: &report.subject,
            digest: report.digest.as_ref().map(ToString::to_string),
            as_of: report.as_of.to_string(),
            verdict,
            code,
            detail: &report.detail,
            level: level(report),
            vouched: &report.vouched,
            provenance: report.provenance.as_ref().map(built),
            run: report.run.as_deref(),
            log: report.log.as_deref(),
            missing: report.missing.iter().map(|(level, detail)| Missing { level: *level, detail }).collect(),
            notes: &report.notes,
            run_by: report.run_by.as_deref(),
        }
    }
}
