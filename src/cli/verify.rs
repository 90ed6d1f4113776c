//! `verify`: the signatures of one image, or a bundle, step by step.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{ColorChoice, ScopeOptions, TrustOptions, Verify, VerifyBundle, VerifyFormat, VerifyImage, VerifyWhat};
use super::evidence::Gathering;
use super::exit::Exit;
use super::library::read_bytes;
use super::output::{Target, write};
use super::{signals, terminal, trust};
use crate::model::{
    Algorithm, Carrier, Digest, ImageEvidence, Link, Needs, Reason, Relation, Statement, StatementFormat, StatementSource, SubjectState,
    Verdict, VerificationReport, VerifiedSignature,
};
use crate::policy::{Asked, Checked, Held, Ruling};
use crate::report::verification::{Format, render};
use crate::verify::{ReadStatement, Signed, Verifier, read};

/// Largest bundle that is read, in bytes.
const LARGEST_BUNDLE: u64 = 32 << 20;
/// Largest artifact that is read, in bytes; of a larger one the digest can be given.
const LARGEST_ARTIFACT: u64 = 1 << 30;
/// Everything that the signatures of one image rest on.
const SIGNATURES: Needs =
    Needs { subject: true, tag: false, signatures: true, verification: true, attestations: crate::model::PredicateKinds::NONE };

/// Runs `verify`.
pub(super) async fn run(arguments: Verify) -> anyhow::Result<Exit> {
    let (report, format) = match arguments.what {
        VerifyWhat::Image(image) => (verify_image(&image).await?, image.format),
        VerifyWhat::Bundle(bundle) => (verify_bundle(&bundle).await?, bundle.format),
    };
    let format = match format {
        VerifyFormat::Text => Format::Text(terminal::appearance(ColorChoice::Auto)),
        VerifyFormat::Json => Format::Json,
    };
    write(&Target::Stdout, |mut out| render(&report, format, &mut out))?;
    Ok(report.verdict.into())
}

/// The policies; without any there is nothing to verify by.
async fn trusted(
    options: &TrustOptions,
    strict: bool,
    ca_files: &[std::path::PathBuf],
) -> anyhow::Result<(trust::Trusted, Vec<crate::documents::TrustPolicy>)> {
    let (sources, _) = trust::sources(options, strict)?;
    anyhow::ensure!(
        !sources.is_empty(),
        "whom to trust is not said: add --trust-policy FILE, --key PEM, or --identity SUBJECT with --issuer URL"
    );
    let policies = sources.iter().map(|source| source.policy.clone()).collect();
    let trusted = trust::ready(sources, options, ca_files, Timestamp::now()).await?;
    anyhow::ensure!(!trusted.policies.is_empty(), "the trust policies name no authority: there is nobody to trust");
    Ok((trusted, policies))
}

async fn verify_image(arguments: &VerifyImage) -> anyhow::Result<VerificationReport> {
    let reference = arguments.reference.parse::<crate::model::ImageReference>();
    if let Err(error) = &reference {
        return Ok(unread(&arguments.reference, Reason::MalformedReference, format!("it cannot be parsed: {error}"), &arguments.trust));
    }
    let stop = signals::watch(None)?;
    let (trusted, policies) = trusted(&arguments.trust, false, &arguments.registry.ca_files).await?;
    let no_scope = ScopeOptions::default();
    let cluster = super::arguments::ClusterOptions::default();
    let gathering = Gathering {
        snapshot: None,
        from: From::Images(vec![arguments.reference.clone()]),
        scope: acquire::scope(&no_scope, None),
        cluster: &cluster,
        evidence: &arguments.evidence,
        registry: &arguments.registry,
        policies,
        began: Timestamp::now(),
    };
    let prepared = gathering.prepare(&stop, &|_| ()).await?;
    let as_of = trust::as_of(&arguments.trust, prepared.asked_at);
    let options = &arguments.evidence;
    let verification = trust::verification(&trusted.policies, as_of, options, crate::model::Wanted::default())?;
    let gathered = prepared.collect(SIGNATURES, Some(&verification), stop, &|_| ()).await;
    let evidence = gathered.collected.into_values().next().context("nothing was gathered about the image")?;
    let ruling = trusted.policies.judge(&evidence, &Asked::BY_POLICY, as_of);
    let checked = trusted.policies.check(&evidence, as_of);
    let signatures = checked.into_iter().filter_map(|(position, checked)| Some(signature(evidence.statements.get(position)?, checked)));
    let (verdict, detail) = told(ruling, &evidence);
    Ok(VerificationReport {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        subject: arguments.reference.clone(),
        digest: match &evidence.subject {
            SubjectState::Known(digest) => Some(digest.clone()),
            SubjectState::Unknown(_) | SubjectState::NotAsked => None,
        },
        as_of: as_of.moment,
        verdict,
        detail,
        signatures: signatures.collect(),
        places: evidence.places,
        trust_roots: trusted.roots,
    })
}

/// A ruling as verdict and text. A policy that leaves the image alone has not verified it.
fn told(ruling: Ruling, evidence: &ImageEvidence) -> (Verdict, String) {
    match ruling {
        Ruling::Verified(held, warnings) => {
            let mut told: Vec<_> = held.iter().map(Held::told).collect();
            told.extend(warnings.into_iter().map(|warning| format!("warning: {warning}")));
            (Verdict::Verified, format!("signed by {}", told.join("; ")))
        }
        Ruling::Rejected { reason, detail } => (Verdict::Rejected(reason), detail),
        Ruling::Absent => (Verdict::Absent, "looked everywhere, and no signature is there".to_owned()),
        Ruling::Unknown { cause, detail } => (Verdict::Unknown(cause), detail),
        Ruling::Irrelevant => (
            Verdict::Rejected(Reason::IdentityMismatch),
            format!(
                "no rule of the trust policy is about {}, and it says to ignore such images: nobody is trusted for it",
                evidence.repository
            ),
        ),
    }
}

/// A signature as it is shown.
fn signature(statement: &Statement, checked: Checked) -> VerifiedSignature {
    let form = match &statement.format {
        StatementFormat::SimpleSigning => "cosign signature".to_owned(),
        StatementFormat::BundleMessage => "Sigstore bundle".to_owned(),
        StatementFormat::Dsse { predicate_type } => format!("Sigstore bundle, {predicate_type}"),
        StatementFormat::Unsigned { predicate_type } => format!("unsigned statement, {predicate_type}"),
        StatementFormat::Attached { media_type } => format!("attached document ({media_type})"),
        StatementFormat::Notation { envelope } => format!("Notation signature ({envelope})"),
        StatementFormat::Unsupported { media_type } => format!("what lies under {media_type}"),
    };
    let carrier = match &statement.carrier {
        Carrier::Itself => String::new(),
        Carrier::Index(index) => format!(", on the index {index}"),
        Carrier::Platform(platform) => format!(", on its platform manifest {platform}"),
    };
    VerifiedSignature {
        found: format!("{form} in {}{carrier}", statement.place),
        verdict: checked.verdict,
        detail: checked.detail,
        authority: checked.authority,
        proof: checked.proof,
        checks: checked.checks,
    }
}

/// A report of what cannot even be looked at.
fn unread(subject: &str, reason: Reason, detail: String, options: &TrustOptions) -> VerificationReport {
    VerificationReport {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        subject: subject.to_owned(),
        digest: None,
        as_of: options.at.unwrap_or_else(Timestamp::now),
        verdict: Verdict::Rejected(reason),
        detail,
        signatures: Vec::new(),
        places: Vec::new(),
        trust_roots: Vec::new(),
    }
}

/// What a bundle is to be about: bytes at hand, or a digest alone.
fn artifact(text: &str) -> anyhow::Result<(Digest, Option<Vec<u8>>)> {
    if text.starts_with("sha256:") && !Path::new(text).exists() {
        let digest = text.parse().map_err(|error| anyhow::anyhow!("{text} is no digest (sha256: and 64 hexadecimal digits): {error}"))?;
        return Ok((digest, None));
    }
    let read = read_bytes(Path::new(text), LARGEST_ARTIFACT);
    let bytes = read.with_context(|| format!("cannot read the artifact {text} (give its digest instead, written sha256:HEX)"))?;
    Ok((Digest::of(Algorithm::Sha256, &bytes), Some(bytes)))
}

/// By which digest a bundle names an artifact.
enum Naming {
    By(Digest),
    Others,
    /// By digests of another kind than the one that is at hand.
    NotComparable,
}

/// Clients name what Ed25519 keys sign by SHA-512 (RFC 8032: Ed25519ph).
fn naming(read: &ReadStatement, digest: &Digest, bytes: Option<&[u8]>) -> Naming {
    if read.names(digest) {
        return Naming::By(digest.clone());
    }
    let subjects = &read.subjects;
    if subjects.is_empty() || subjects.iter().any(|subject| subject.algorithm() != Algorithm::Sha512) {
        return Naming::Others;
    }
    match bytes.map(|bytes| Digest::of(Algorithm::Sha512, bytes)) {
        Some(digest) if subjects.contains(&digest) => Naming::By(digest),
        Some(_) => Naming::Others,
        None => Naming::NotComparable,
    }
}

async fn verify_bundle(arguments: &VerifyBundle) -> anyhow::Result<VerificationReport> {
    let (subject, bytes) = artifact(&arguments.artifact)?;
    let file = arguments.bundle.display().to_string();
    let bundle = read_bytes(&arguments.bundle, LARGEST_BUNDLE).with_context(|| format!("cannot read the bundle {file}"))?;
    let (trusted, _) = trusted(&arguments.trust, true, &[]).await?;
    let as_of = trust::as_of(&arguments.trust, Timestamp::now());
    let layer = Link {
        media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(),
        digest: Digest::of(Algorithm::Sha256, &bundle),
        size: bundle.len() as u64,
        artifact_type: None,
        annotations: None,
    };
    let mut named = subject.clone();
    let (format, relation) = match read(&layer, &bundle) {
        Ok(read) => match naming(&read, &subject, bytes.as_deref()) {
            Naming::By(digest) => {
                named = digest;
                (read.format, Relation::Names)
            }
            Naming::Others => (read.format, Relation::NamesOthers(read.subjects)),
            Naming::NotComparable => {
                let media_type = "Sigstore bundle over SHA-512 (give the artifact itself)".to_owned();
                (StatementFormat::Unsupported { media_type }, Relation::Names)
            }
        },
        Err(malformed) => (StatementFormat::Unsupported { media_type: layer.media_type.clone() }, Relation::Malformed(malformed.0)),
    };
    let verifier = Verifier::new(trusted.policies.trials(), as_of.moment);
    let signed = Signed { layer: &layer, bytes: &bundle, subject: &named, artifact: bytes.as_deref() };
    let statement = Statement {
        format,
        source: StatementSource::BundleFile,
        place: file.clone(),
        carrier: Carrier::Itself,
        relation,
        manifest: None,
        content: layer.digest.clone(),
        annotations: None,
        proofs: verifier.verify(&signed).into(),
        proofs_left_out: 0,
        attested: None,
    };
    let checked = trusted.policies.check_statement(&statement, &subject, as_of);
    let shown = signature(&statement, checked);
    Ok(VerificationReport {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        subject: arguments.artifact.clone(),
        digest: Some(subject),
        as_of: as_of.moment,
        verdict: shown.verdict,
        detail: shown.detail.clone(),
        signatures: vec![shown],
        places: Vec::new(),
        trust_roots: trusted.roots,
    })
}
