//! The leaf `summary`: verification summaries, by SLSA 1.2 ("How to verify", verification summary attestation).

use jiff::Timestamp;

use super::attested::{asked_by, read_as, young};
use super::evaluate::{Subject, all};
use super::parameters::Values;
use crate::documents::{Quantifier, SummaryLeaf, TextMatch, TrustedVerifier, anchored};
use crate::model::{
    Carrier, Cause, Digest, ImageEvidence, ImageReference, IndexAbove, Judgement, Predicate, PredicateKind, Reason, Statement,
    SubjectState, VerificationSummary, VerifiedLevel,
};
use crate::policy::{AskedToAttest, Attester, Held, Ruling};

/// Whether a verifier that is trusted verified the image.
pub(super) fn judge(leaf: &SummaryLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let each = leaf.verifiers.iter().map(|verifier| {
        let ruling = subject.memory.ruling(verifier, evidence, || by_verifier(leaf, verifier, values, subject, evidence));
        (verifier, ruling)
    });
    let mut rest = Vec::new();
    for (verifier, ruling) in each {
        match ruling {
            Ruling::Verified(held, warnings) => return Judgement::Pass { detail: told(verifier, &held, &warnings, evidence) },
            other => rest.push(other),
        }
    }
    let image = &subject.image.reference;
    // What is not known of one verifier may be enough; else the nearest miss says most.
    rest.sort_by_key(rank);
    match rest.into_iter().next() {
        Some(Ruling::Unknown { cause, detail }) => Judgement::Unknown { cause, detail },
        Some(Ruling::Rejected { reason, detail }) => {
            Judgement::fail(reason, format!("image: {image} has no verification summary that counts: {detail}"))
        }
        Some(Ruling::Irrelevant) => Judgement::unknown(Cause::NotCaptured, "the trust policies say nothing about this image"),
        _ => Judgement::fail(Reason::PredicateMissing, format!("image: {image} has no verification summary")),
    }
}

fn rank(ruling: &Ruling) -> u8 {
    match ruling {
        Ruling::Unknown { .. } => 0,
        Ruling::Rejected { reason: Reason::Revoked, .. } => 1,
        Ruling::Rejected { reason: Reason::LevelTooLow | Reason::TooOld | Reason::SourceMismatch, .. } => 2,
        Ruling::Rejected { reason: Reason::PredicateMismatch | Reason::Malformed, .. } => 3,
        Ruling::Rejected { .. } => 4,
        Ruling::Absent => 5,
        Ruling::Verified(..) | Ruling::Irrelevant => 6,
    }
}

fn by_verifier(leaf: &SummaryLeaf, verifier: &TrustedVerifier, values: &Values, subject: &Subject<'_>, evidence: &ImageEvidence) -> Ruling {
    let as_of = subject.trust.as_of;
    let max_age = leaf.max_age.as_ref().and_then(|age| values.one(age));
    let levels = leaf.levels.as_ref().map_or(&[][..], |levels| values.strings(levels));
    let says = |statement: &Statement, attester: &Attester<'_>| match about(leaf, verifier, statement, evidence) {
        Err(judgement) => judgement,
        Ok(summary) => {
            let age = max_age.map_or_else(Judgement::pass, |max_age| young(statement, attester, max_age, as_of.moment));
            all([version(summary), result(summary), reached(summary, levels), age].into_iter())
        }
    };
    let ask = |says: &dyn Fn(&Statement, &Attester<'_>) -> Judgement| {
        let meant = |predicate_type: &str| PredicateKind::of(predicate_type) == PredicateKind::Summary;
        let by = asked_by(&verifier.by, values);
        let asked = AskedToAttest { meant: &meant, called: "a verification summary", by, quantifier: Quantifier::Any, says };
        subject.trust.policies.judge_attestations(evidence, &asked, as_of)
    };
    let ruling = ask(&says);
    let Ruling::Verified(held, _) = &ruling else { return ruling };
    // What passed once and did not pass later has not passed.
    let passed = held.iter().filter_map(|held| time(evidence.statements.get(held.statement)?)).max();
    let failed_later = |statement: &Statement, _: &Attester<'_>| match about(leaf, verifier, statement, evidence) {
        Ok(summary) if !summary.passed && summary.time > passed => Judgement::pass(),
        Ok(_) => Judgement::fail(Reason::PredicateMismatch, "it passed, or is older"),
        Err(judgement) => judgement,
    };
    match ask(&failed_later) {
        Ruling::Verified(..) => Ruling::Rejected {
            reason: Reason::PredicateMismatch,
            detail: format!("{} says that it passed, and later that it did not", verifier.id),
        },
        _ => ruling,
    }
}

/// The summary of a statement, if it is by the verifier and about the image.
fn about<'s>(
    leaf: &SummaryLeaf,
    verifier: &TrustedVerifier,
    statement: &'s Statement,
    evidence: &ImageEvidence,
) -> Result<&'s VerificationSummary, Judgement> {
    let summary = summary(statement)?;
    if summary.verifier != verifier.id {
        let detail = format!("its verifier is {}, and who signed it is trusted for {}", summary.verifier, verifier.id);
        return Err(Judgement::fail(Reason::PredicateMismatch, detail));
    }
    if !names_image(leaf, summary, statement, evidence) {
        let detail = format!("it is about {}, which is not this image", summary.resource);
        return Err(Judgement::fail(Reason::SourceMismatch, detail));
    }
    Ok(summary)
}

fn summary(statement: &Statement) -> Result<&VerificationSummary, Judgement> {
    match statement.attested.as_deref().map(|attested| &attested.predicate) {
        Some(Ok(Predicate::Summary(summary))) => Ok(summary),
        _ => Err(read_as(statement, PredicateKind::Summary)),
    }
}

fn time(statement: &Statement) -> Option<Timestamp> {
    summary(statement).ok()?.time
}

/// By major version; without one it is an unspecified minor version of 1.
fn version(summary: &VerificationSummary) -> Judgement {
    match summary.slsa_version.as_deref().map(|version| version.split('.').next().unwrap_or_default().parse::<u32>()) {
        None | Some(Ok(1)) => Judgement::pass(),
        _ => {
            let version = summary.slsa_version.as_deref().unwrap_or_default();
            Judgement::unknown(Cause::UnsupportedFormat, format!("it is by version {version} of SLSA, which is not known"))
        }
    }
}

fn result(summary: &VerificationSummary) -> Judgement {
    match summary.passed {
        true => Judgement::pass(),
        false => Judgement::fail(Reason::PredicateMismatch, format!("{} says that it did not pass", summary.verifier)),
    }
}

fn reached(summary: &VerificationSummary, wanted: &[String]) -> Judgement {
    let missing = wanted.iter().find(|level| !level.parse::<VerifiedLevel>().is_ok_and(|level| level.is_met(&summary.levels)));
    match missing {
        None => Judgement::pass(),
        Some(level) => {
            let verified = if summary.levels.is_empty() { "none".to_owned() } else { summary.levels.join(", ") };
            Judgement::fail(Reason::LevelTooLow, format!("{level} is wanted, and {} verified {verified}", summary.verifier))
        }
    }
}

/// Whether the resource is this image, as the leaf says or by its repository and digests.
fn names_image(leaf: &SummaryLeaf, summary: &VerificationSummary, statement: &Statement, evidence: &ImageEvidence) -> bool {
    match &leaf.resource {
        Some(TextMatch::Exact(text)) => summary.resource == *text,
        Some(TextMatch::Regexp(text)) => anchored(text).is_ok_and(|regexp| regexp.is_match(&summary.resource)),
        None => {
            let Some(named) = Named::of(&summary.resource) else { return false };
            let subject = match &evidence.subject {
                SubjectState::Known(digest) => Some(digest),
                SubjectState::Unknown(_) | SubjectState::NotAsked => None,
            };
            let above = if let IndexAbove::Lists(index) = &evidence.index { Some(index) } else { None };
            let carrier = match &statement.carrier {
                Carrier::Itself => None,
                Carrier::Index(digest) | Carrier::Platform(digest) => Some(digest),
            };
            let is_digest = |named: &Digest| [subject, above, carrier].into_iter().flatten().any(|digest| digest == named);
            named.digest.as_ref().is_none_or(is_digest)
                && match &named.place {
                    Place::Repository(reference) => *reference.repository() == evidence.repository,
                    // By its name alone nobody knows it.
                    Place::Name(name) => named.digest.is_some() && evidence.repository.to_string().rsplit('/').next() == Some(name),
                }
        }
    }
}

/// A resource as summaries name images: a reference, with or without scheme, or a package URL.
struct Named {
    place: Place,
    digest: Option<Digest>,
}

enum Place {
    Repository(Box<ImageReference>),
    /// The last part of the repository's path.
    Name(String),
}

impl Named {
    fn of(resource: &str) -> Option<Self> {
        if let Some(purl) = resource.strip_prefix("pkg:") {
            return Self::of_package_url(purl);
        }
        let plain = ["oci://", "docker://", "https://"].iter().find_map(|scheme| resource.strip_prefix(scheme)).unwrap_or(resource);
        let reference: ImageReference = plain.parse().ok()?;
        let digest = reference.digest().cloned();
        Some(Self { place: Place::Repository(Box::new(reference)), digest })
    }

    /// `pkg:oci/app@sha256:…?repository_url=ghcr.io/acme/app`, `pkg:docker/acme/app@sha256:…?repository_url=ghcr.io` (purl-spec, types).
    fn of_package_url(purl: &str) -> Option<Self> {
        let (kind, rest) = purl.split_once('/')?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, version) = path.split_once('@').unwrap_or((path, ""));
        let version = version.replace("%3A", ":").replace("%3a", ":");
        let digest = match version.split_once(':') {
            Some(_) => Some(version.parse().ok()?),
            None => None,
        };
        let url = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "repository_url").map(|(_, value)| value);
        let place = match (kind, url) {
            ("oci", Some(repository)) => Place::Repository(Box::new(repository.parse().ok()?)),
            ("oci", None) => Place::Name(name.to_owned()),
            ("docker", Some(registry)) => Place::Repository(Box::new(format!("{registry}/{name}").parse().ok()?)),
            ("docker", None) => Place::Repository(Box::new(name.parse().ok()?)),
            _ => return None,
        };
        Some(Self { place, digest })
    }
}

fn told(verifier: &TrustedVerifier, held: &[Held], warnings: &[String], evidence: &ImageEvidence) -> String {
    let mut parts: Vec<_> = held
        .iter()
        .map(|held| {
            let summary = evidence.statements.get(held.statement).and_then(|statement| summary(statement).ok());
            let levels = summary.map(|summary| summary.levels.join(", ")).unwrap_or_default();
            format!("verified by {} ({levels}), signed by {}", verifier.id, held.told())
        })
        .collect();
    parts.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    parts.join("; ")
}
