//! Each workload that fails or is unknown: which container, which image, which digest, and why.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::model::{
    Attested, Basis, Carrier, ChildSignatures, ContainerFinding, ContainerKind, ControlResult, ControlStatus, CredentialKind,
    DeclaredBecause, DeclaredIn, ImageRecord, Judgement, ManifestPresence, Origin, PlaceOutcome, PlaceRecord, PodSample, Predicate,
    Relation, Report, SourcePosition, Standing, Statement, StatementFormat, WorkloadFinding, WorkloadRecord,
};
use crate::report::exceptions;
use crate::report::resources;
use crate::report::terminal::{Appearance, Cell, Table, Tone, counted, field, labelled, shown, wrap_words};

/// Where the values begin: a SHA-256 digest then just fits 80 columns.
const COLUMN: usize = 9;
/// Length of the rule above a workload.
const RULE: usize = 80;
/// Paths, statements and places that are shown of one kind.
const MOST_LINES: usize = 8;

/// One workload under one control.
type Found<'a> = (&'a ControlResult, &'a WorkloadFinding);

pub(super) fn render(report: &Report, appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    let mut blocks: BTreeMap<u32, Vec<Found<'_>>> = BTreeMap::new();
    for control in &report.controls {
        for finding in control.findings().iter().filter(|finding| finding.status != ControlStatus::Irrelevant) {
            blocks.entry(finding.workload).or_default().push((control, finding));
        }
    }
    let mut ordered: Vec<(ControlStatus, u32, Vec<Found<'_>>)> = blocks
        .into_iter()
        .filter_map(|(workload, mut found)| {
            found.sort_by_key(|(_, finding)| finding.status);
            let worst = found.first()?.1.status;
            (worst != ControlStatus::Passed).then_some((worst, workload, found))
        })
        .collect();
    ordered.sort_by_key(|(worst, workload, _)| (*worst, *workload));
    for (_, workload, found) in &ordered {
        let Some(record) = usize::try_from(*workload).ok().and_then(|at| report.workloads.get(at)) else { continue };
        block(report, record, found, appearance, out)?;
    }
    Ok(())
}

fn block(report: &Report, workload: &WorkloadRecord, found: &[Found<'_>], appearance: Appearance, out: &mut impl Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "{}", appearance.paint(Tone::Quiet, &"#".repeat(RULE.min(appearance.columns()))))?;
    let mut line = |label: &str, text: &str| field(out, appearance, (label, Tone::Quiet), label.len() + 1, text, appearance.columns());
    let key = &workload.key;
    let named = [("ApiVersion:", &key.api_version), ("Kind:", &key.kind), ("Name:", &key.name), ("Namespace:", &key.namespace)];
    for (label, value) in named.into_iter().filter(|(_, value)| !value.is_empty()) {
        line(label, &shown(value))?;
    }
    if let Some(cluster) = workload.cluster.as_deref().filter(|_| report.header.clusters.len() > 1) {
        line("Cluster:", &shown(cluster))?;
    }
    // Of a namespace by itself nobody has to be told twice.
    if let Some(owner) = workload.owner.as_deref().filter(|owner| **owner != *key.namespace) {
        line("Owner:", &shown(owner))?;
    }
    match &workload.origin {
        Origin::Cluster | Origin::Argument => {}
        Origin::OwnerReference => line("Origin:", "only named by an ownerReference that may not be read; a higher owner may exist")?,
        Origin::Manifest { file, document } => line("Origin:", &format!("{}, document {}", shown(file), document.saturating_add(1)))?,
    }
    writeln!(out)?;
    writeln!(out, "{}", counts_line(report, found))?;
    controls_table(found).render(out, appearance)?;
    for (container, findings) in containers(found) {
        writeln!(out)?;
        container_lines(report, container, &findings, appearance, out)?;
    }
    Ok(())
}

fn counts_line(report: &Report, found: &[Found<'_>]) -> String {
    let count = |status: ControlStatus| found.iter().filter(|(_, finding)| finding.status == status).count();
    let waiting = resources::action_required(report);
    let unknown = match count(ControlStatus::Unknown) + count(ControlStatus::AcceptedUnknown) {
        0 => String::new(),
        unknown => format!("unknown: {unknown}, "),
    };
    let excepted = match count(ControlStatus::Excepted) {
        0 => String::new(),
        excepted => format!("excepted: {excepted}, "),
    };
    let failed = count(ControlStatus::Failed);
    format!("Controls: {} (Failed: {failed}, {unknown}{excepted}action required: {waiting})", found.len() + waiting)
}

fn controls_table(found: &[Found<'_>]) -> Table {
    let mut table = Table::new(&[("Severity", false), ("Control name", false), ("Docs", false), ("Assisted remediation", false)]);
    for (control, finding) in found.iter().filter(|(_, finding)| finding.status != ControlStatus::Passed) {
        let mut paths: Vec<&str> = open(finding).map(|container| container.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut lines: Vec<String> = paths.iter().take(MOST_LINES).map(|path| shown(path).into_owned()).collect();
        if paths.len() > MOST_LINES {
            lines.push(format!("and {} more", paths.len() - MOST_LINES));
        }
        table.row(vec![
            Cell::new(Tone::Severity(control.severity), control.severity.name()),
            Cell::plain(format!("{} {}", shown(&control.id), shown(&control.title))),
            Cell::plain(control.references.first().map(|reference| shown(reference).into_owned()).unwrap_or_default()),
            Cell::plain(lines.join("\n")),
        ]);
    }
    table
}

/// The containers of a finding that fail or are unknown.
fn open(finding: &WorkloadFinding) -> impl Iterator<Item = &ContainerFinding> {
    finding.containers.iter().filter(|container| !matches!(container.judgement, Judgement::Pass { .. }))
}

/// What is open, by container and image, in the order in which it first comes.
fn containers<'a>(found: &[Found<'a>]) -> Vec<(&'a ContainerFinding, Vec<(&'a ControlResult, &'a ContainerFinding)>)> {
    let mut order = Vec::new();
    let mut positions = BTreeMap::new();
    for (control, finding) in found {
        for container in open(finding) {
            let key = (container.kind, &container.container, &container.path, &container.reference, &container.digest);
            let at = *positions.entry(key).or_insert_with(|| {
                order.push((container, Vec::new()));
                order.len() - 1
            });
            if let Some((_, findings)) = order.get_mut(at) {
                findings.push((*control, container));
            }
        }
    }
    order
}

/// Where the image field is written, as an editor or a terminal opens it.
fn place(container: &ContainerFinding) -> String {
    let Some(position) = container.position.as_deref() else { return String::new() };
    let SourcePosition { file, line, column, rendered_from } = position;
    let rendered = rendered_from.as_ref().map(|from| format!(", rendered from {}", shown(from))).unwrap_or_default();
    format!(" at {}:{line}:{column}{rendered}", shown(file))
}

fn container_lines(
    report: &Report,
    container: &ContainerFinding,
    findings: &[(&ControlResult, &ContainerFinding)],
    appearance: Appearance,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut line = |label: &str, tone: Tone, text: &str| {
        // The longest label takes the place of the space behind it.
        let width = appearance.columns() - usize::from(label.len() >= COLUMN);
        field(out, appearance, (label, tone), COLUMN, text, width)
    };
    // Of an ephemeral container nobody expects it.
    let injected = match container.declared_in {
        DeclaredIn::PodOnly if container.kind != ContainerKind::Ephemeral => ", not in the template",
        _ => "",
    };
    line(
        "Path:",
        Tone::Quiet,
        &format!(
            "{} ({} {}{injected}){}",
            shown(&container.path),
            kind_name(container.kind),
            shown(&container.container),
            place(container)
        ),
    )?;
    line("Image:", Tone::Quiet, &shown(&container.reference))?;
    line("Digest:", Tone::Quiet, &container.digest.as_ref().map_or_else(|| "not known".to_owned(), ToString::to_string))?;
    line("Basis:", Tone::Quiet, &basis_text(container.basis, &container.pods))?;
    let mut fixes = Vec::new();
    for (control, finding) in findings {
        let (label, tone, text) = judgement_text(finding);
        line(label, tone, &format!("{} {text}", shown(&control.id)))?;
        if let Some(exception) = exceptions::of(report, finding.standing) {
            line("Excepted:", Tone::Passed, &exceptions::told(exception))?;
        }
        let fix = finding.remediation.trim();
        if !fix.is_empty() && !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    let image = findings.iter().find_map(|(_, finding)| finding.evidence.as_ref()).and_then(|evidence| image_at(report, evidence.image));
    if let Some(image) = image {
        for (label, text) in evidence_lines(image, findings) {
            line(label, Tone::Quiet, &text)?;
        }
    }
    let mut warnings: Vec<&str> = findings.iter().flat_map(|(_, finding)| finding.warnings.iter().map(String::as_str)).collect();
    warnings.sort_unstable();
    warnings.dedup();
    for warning in warnings {
        line("Warning:", Tone::Unknown, &shown(warning))?;
    }
    for fix in fixes {
        let fix = fix.split('\n').map(shown).collect::<Vec<_>>().join("\n");
        labelled(out, appearance, ("Fix:", Tone::Quiet), COLUMN, &wrap_words(&fix, appearance.columns() - COLUMN))?;
    }
    Ok(())
}

fn image_at(report: &Report, position: u32) -> Option<&ImageRecord> {
    report.images.get(usize::try_from(position).ok()?)
}

pub(in crate::report) fn kind_name(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Init => "init container",
        ContainerKind::Container => "container",
        ContainerKind::Ephemeral => "ephemeral container",
        ContainerKind::ImageVolume => "image volume",
    }
}

pub(in crate::report) fn basis_text(basis: Basis, pods: &PodSample) -> String {
    let declared = match basis {
        Basis::Running => return format!("running in {}", pods_text(pods)),
        Basis::Finished => return format!("finished in {}", pods_text(pods)),
        Basis::Declared(because) => because,
    };
    let why = match declared {
        DeclaredBecause::NoPods => "no pod runs it",
        DeclaredBecause::Suspended => "suspended",
        DeclaredBecause::NotStarted => "not started",
        DeclaredBecause::Manifest => "from a manifest",
        DeclaredBecause::NotReported => "its digest is not reported",
        DeclaredBecause::PodsNotListed => return "declared (its pods could not be listed): what runs is not known".to_owned(),
    };
    format!("declared ({why}): judged by what the reference leads to now")
}

fn pods_text(pods: &PodSample) -> String {
    let count = usize::try_from(pods.count).unwrap_or(usize::MAX);
    if pods.names.is_empty() {
        return counted(count, "pod");
    }
    let names = pods.names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    match count.saturating_sub(pods.names.len()) {
        0 => format!("{}: {names}", counted(count, "pod")),
        more => format!("{}: {names} and {more} more", counted(count, "pod")),
    }
}

fn judgement_text(finding: &ContainerFinding) -> (&'static str, Tone, String) {
    let with_code = |detail: &str, code: &str| if detail.is_empty() { code.to_owned() } else { format!("{} ({code})", shown(detail)) };
    match &finding.judgement {
        Judgement::Pass { detail } => ("Passed:", Tone::Passed, shown(detail).into_owned()),
        Judgement::Fail { reason, detail } => ("Failed:", Tone::Failed, with_code(detail, reason.name())),
        Judgement::Unknown { cause, detail } if finding.standing == Standing::AcceptedUnknown => {
            ("Unknown:", Tone::Unknown, with_code(detail, &format!("{cause}, accepted")))
        }
        Judgement::Unknown { cause, detail } => ("Unknown:", Tone::Unknown, with_code(detail, cause.name())),
    }
}

/// What was found about the image, and where one looked.
fn evidence_lines(image: &ImageRecord, findings: &[(&ControlResult, &ContainerFinding)]) -> Vec<(&'static str, String)> {
    let evidence = &image.evidence;
    let mut lines: Vec<(&'static str, String)> =
        evidence.statements.iter().take(MOST_LINES).map(|statement| ("Found:", statement_text(statement))).collect();
    if evidence.statements.len() > MOST_LINES {
        lines.push(("", format!("and {} more", evidence.statements.len() - MOST_LINES)));
    }
    lines.extend(evidence.children.iter().take(MOST_LINES).map(|child| ("Found:", child_text(child))));
    let said = |detail: &str| {
        findings.iter().any(|(_, finding)| matches!(&finding.judgement, Judgement::Unknown { detail: known, .. } if known.contains(detail)))
    };
    let new = evidence.places.iter().filter(|place| !matches!(&place.outcome, PlaceOutcome::Unknown(answer) if said(&answer.detail)));
    let repository = evidence.repository.to_string();
    lines.extend(new.take(MOST_LINES).map(|place| ("Looked:", place_text(place, &repository, &evidence.manifest))));
    lines
}

pub(in crate::report) fn credential_text(credential: CredentialKind) -> &'static str {
    match credential {
        CredentialKind::PullSecret => "with a pull secret",
        CredentialKind::CredentialProvider => "with a credential provider",
        CredentialKind::DockerConfig => "with config.json",
        CredentialKind::CredentialHelper => "with a credential helper",
        CredentialKind::GithubToken => "with a token for GitHub",
        CredentialKind::Anonymous => "anonymously",
        CredentialKind::Local => "locally",
    }
}

pub(in crate::report) fn statement_text(statement: &Statement) -> String {
    let format = match &statement.format {
        StatementFormat::SimpleSigning => "simple-signing signature".to_owned(),
        StatementFormat::BundleMessage => "Sigstore bundle signature".to_owned(),
        StatementFormat::Dsse { .. } if statement.is_signature() => "Sigstore bundle signature".to_owned(),
        StatementFormat::Dsse { predicate_type } => format!("attestation {}", shown(predicate_type)),
        StatementFormat::Unsigned { predicate_type } => format!("unsigned statement {}", shown(predicate_type)),
        StatementFormat::Attached { media_type } => format!("attached document ({})", shown(media_type)),
        StatementFormat::Notation { envelope } => format!("Notation signature ({})", shown(envelope)),
        StatementFormat::Unsupported { media_type } => format!("signature in an unsupported format ({})", shown(media_type)),
    };
    let relation = match &statement.relation {
        Relation::Names => "over this digest".to_owned(),
        Relation::NamesOthers(others) => match others.first() {
            Some(other) => format!("over another digest, {}", other.short()),
            None => "over another digest".to_owned(),
        },
        Relation::Malformed(why) => format!("that cannot be read: {}", shown(why)),
    };
    let said = statement.attested.as_deref().map(said).unwrap_or_default();
    match &statement.carrier {
        Carrier::Itself => format!("{format} {relation}{said}"),
        Carrier::Index(index) => format!("{format} {relation}, carried by its index {}{said}", index.short()),
        Carrier::Platform(platform) => format!("{format} {relation}, carried by its platform manifest {}{said}", platform.short()),
    }
}

/// What an attestation says, in a few words.
fn said(attested: &Attested) -> String {
    match &attested.predicate {
        Err(why) | Ok(Predicate::Unsupported(why)) => format!(": {}", shown(why)),
        Ok(Predicate::Other) => String::new(),
        Ok(Predicate::Provenance(provenance)) => {
            let source = provenance.source.as_ref().map(|source| format!(" from {}", shown(&source.repository))).unwrap_or_default();
            format!(": built by {}{source}", shown(&provenance.builder))
        }
        Ok(Predicate::Sbom(bill)) => {
            let generator = bill.generator.as_ref().map(|generator| format!(" by {}", shown(generator))).unwrap_or_default();
            let packages = counted(usize::try_from(bill.package_count).unwrap_or(usize::MAX), "package");
            let version = bill.spec_version.strip_prefix("SPDX-").unwrap_or(&bill.spec_version);
            format!(": {} {}{generator}, {packages}", bill.format.name(), shown(version))
        }
        Ok(Predicate::Summary(summary)) => {
            let result = if summary.passed { "passed" } else { "did not pass" };
            format!(": {result} {}, {}", shown(&summary.verifier), shown(&summary.levels.join(" ")))
        }
    }
}

pub(in crate::report) fn child_text(child: &ChildSignatures) -> String {
    let signatures = counted(usize::try_from(child.signatures).unwrap_or(usize::MAX), "signature");
    format!("{signatures} on the child {}, which does not count for the index", child.child.short())
}

pub(in crate::report) fn place_text(place: &PlaceRecord, repository: &str, manifest: &ManifestPresence) -> String {
    let credential = match manifest {
        ManifestPresence::Seen { credential, .. } if place.place == repository => format!(" ({})", credential_text(*credential)),
        _ => String::new(),
    };
    let outcome = match &place.outcome {
        PlaceOutcome::Looked(0) if matches!(manifest, ManifestPresence::Unknown(_)) => {
            "nothing found, but the image itself could not be seen".to_owned()
        }
        PlaceOutcome::Looked(0) => "nothing found".to_owned(),
        PlaceOutcome::Looked(count) => format!("{} found", counted(usize::try_from(*count).unwrap_or(usize::MAX), "statement")),
        PlaceOutcome::NotAuthoritative => "nothing found; it speaks for itself alone, and not for the image's own registry".to_owned(),
        PlaceOutcome::Unknown(answer) => format!("{} ({})", shown(&answer.detail), answer.cause),
    };
    let attestations = match &place.attestations {
        Some(answer) => format!("; of attestations: {} ({})", shown(&answer.detail), answer.cause),
        None => String::new(),
    };
    format!("{}{credential}: {outcome}{attestations}", shown(&place.place))
}
