//! `sbom get`: the bill of materials of an image, and how far it can be trusted.

use anyhow::Context as _;
use bytes::Bytes;
use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{BillFormat, ClusterOptions, SbomArguments, SbomGet, SbomWhat, ScopeOptions};
use super::evidence::Gathering;
use super::exit::Exit;
use super::output::{Target, probe, write};
use super::{note, signals, trust};
use crate::documents::Quantifier;
use crate::model::{
    Cause, ImageEvidence, ImageReference, Judgement, Needs, Predicate, PredicateKind, PredicateKinds, Reason, Sbom, SbomFormat, Statement,
    StatementFormat, Wanted,
};
use crate::policy::{AskedBy, AskedToAttest, Attester, Held, Ruling, TrustPolicies, lying_there};
use crate::verify::{bill_in, read_attached};

/// Runs `sbom`.
pub(super) async fn run(arguments: SbomArguments) -> anyhow::Result<Exit> {
    match arguments.what {
        SbomWhat::Get(get) => get_bill(*get).await,
    }
}

async fn get_bill(arguments: SbomGet) -> anyhow::Result<Exit> {
    let target = arguments.output.clone().map_or(Target::Stdout, Target::File);
    probe(&target)?;
    if let Err(error) = arguments.reference.parse::<ImageReference>() {
        note(&format!("{} cannot be parsed: {error}", arguments.reference));
        return Ok(Exit::GateMissed);
    }
    let stop = signals::watch(None)?;
    let (sources, _) = trust::sources(&arguments.trust, false)?;
    let policies = sources.iter().map(|source| source.policy.clone()).collect();
    let trusted = trust::ready(sources, &arguments.trust, &arguments.registry.ca_files, Timestamp::now()).await?;
    let (no_scope, cluster) = (ScopeOptions::default(), ClusterOptions::default());
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
    let verification = trust::verification(&trusted.policies, as_of, &arguments.evidence, Wanted::default())?;
    let attestations = PredicateKinds::only(PredicateKind::Sbom);
    let needs = Needs { subject: true, verification: true, attestations, ..Needs::default() };
    let chosen = |evidence: &ImageEvidence| choose(evidence, arguments.format, &trusted.policies, as_of);
    let wanted = |evidence: &ImageEvidence| chosen(evidence).position;
    let (evidence, bytes) =
        prepared.collect_one(needs, &verification, stop, &wanted).await.context("nothing was gathered about the image")?;
    let chosen = chosen(&evidence);
    let statement = chosen.position.and_then(|position| evidence.statements.get(position));
    let Some((statement, bytes)) = statement.zip(bytes) else { return Ok(without(&arguments, &chosen, statement.is_some())) };
    let document = document(statement, &bytes)?;
    write(&target, |out| out.write_all(&document))?;
    let bill = bill(statement).cloned().or_else(|| read_attached(&document).ok());
    let described = bill
        .map_or_else(|| "it is written as it is, and cannot be read as SPDX or CycloneDX".to_owned(), |bill| bill.describe(as_of.moment));
    note(&format!("{described}; found in {}", statement.place));
    note(&chosen.standing.told(statement));
    Ok(chosen.standing.exit())
}

/// Which document is written, and how far it can be trusted.
struct Chosen {
    position: Option<usize>,
    standing: Standing,
}

/// How far a document can be trusted.
enum Standing {
    /// Attested by those who are trusted for the image.
    Verified(String),
    /// Not so; why.
    Not(Reason, String),
    /// It is not known.
    Unknown(Cause, String),
    /// Nobody said whom to trust, or for this image.
    NobodyTrusted,
}

impl Standing {
    fn exit(&self) -> Exit {
        match self {
            Self::Verified(_) => Exit::Success,
            Self::Not(..) | Self::NobodyTrusted => Exit::GateMissed,
            Self::Unknown(..) => Exit::Unknown,
        }
    }

    fn told(&self, statement: &Statement) -> String {
        let how = match &statement.format {
            StatementFormat::Attached { .. } => "UNSIGNED: it is attached to the image, and nobody signed it",
            StatementFormat::Unsigned { .. } => "UNSIGNED: it is in a statement that nobody signed",
            _ => "NOT VERIFIED: it is in a signed statement",
        };
        match self {
            Self::Verified(by) => format!("VERIFIED: attested by {by}"),
            Self::Not(reason, detail) => format!("{how} ({reason}: {detail})"),
            Self::Unknown(cause, detail) => format!("{how}; whether another one is attested is not known ({cause}: {detail})"),
            Self::NobodyTrusted => {
                format!("{how}; whom to trust is not said: add --trust-policy FILE, --key PEM, or --identity SUBJECT with --issuer URL")
            }
        }
    }
}

/// An attested document before one that a stranger signed, before one that nobody did, before one that is only attached; the newest.
fn choose(evidence: &ImageEvidence, format: BillFormat, policies: &TrustPolicies, as_of: crate::policy::AsOf) -> Chosen {
    let says = |statement: &Statement, _: &Attester<'_>| match statement.attested.as_deref().map(|attested| &attested.predicate) {
        Some(Ok(Predicate::Unsupported(what))) => Judgement::unknown(Cause::UnsupportedFormat, what.clone()),
        Some(Err(malformed)) => Judgement::fail(Reason::Malformed, malformed.clone()),
        _ => Judgement::pass(),
    };
    let meant = |predicate_type: &str| SbomFormat::of_predicate_type(predicate_type).is_some_and(|of| format.wants(of));
    let asked = AskedToAttest { meant: &meant, called: "an SBOM", by: AskedBy::Policy, quantifier: Quantifier::Any, says: &says };
    let standing = match policies.judge_attestations(evidence, &asked, as_of) {
        _ if policies.is_empty() => Standing::NobodyTrusted,
        Ruling::Verified(held, _) => {
            let newest = held.iter().max_by_key(|held| evidence.statements.get(held.statement).and_then(time));
            let by = newest.map(Held::told).unwrap_or_default();
            return Chosen { position: newest.map(|held| held.statement), standing: Standing::Verified(by) };
        }
        Ruling::Irrelevant => Standing::NobodyTrusted,
        Ruling::Absent => Standing::Not(Reason::PredicateMissing, "no SBOM is attested".to_owned()),
        Ruling::Rejected { reason, detail } => Standing::Not(reason, detail),
        Ruling::Unknown { cause, detail } => Standing::Unknown(cause, detail),
    };
    let is_meant = |statement: &Statement| match &statement.format {
        StatementFormat::Attached { media_type } => SbomFormat::of_media_type(media_type).is_some_and(|of| format.wants(of)),
        _ => statement.predicate_type().is_some_and(meant) && bill(statement).is_some(),
    };
    match lying_there(evidence, &is_meant) {
        Ok(found) => {
            let best = found.into_iter().max_by_key(|statement| (rank(statement), time(statement)));
            let position = best.and_then(|best| evidence.statements.iter().position(|statement| std::ptr::eq(statement, best)));
            Chosen { position, standing }
        }
        Err(Some(unknown)) => Chosen { position: None, standing: Standing::Unknown(unknown.cause, unknown.detail) },
        Err(None) => Chosen { position: None, standing },
    }
}

fn rank(statement: &Statement) -> u8 {
    match statement.format {
        StatementFormat::Attached { .. } => 0,
        StatementFormat::Unsigned { .. } => 1,
        _ => 2,
    }
}

fn bill(statement: &Statement) -> Option<&Sbom> {
    match &statement.attested.as_deref()?.predicate {
        Ok(Predicate::Sbom(bill)) => Some(bill),
        _ => None,
    }
}

fn time(statement: &Statement) -> Option<Timestamp> {
    statement.attested.as_deref().and_then(|attested| attested.time)
}

/// The document itself.
fn document(statement: &Statement, bytes: &Bytes) -> anyhow::Result<Vec<u8>> {
    match &statement.format {
        StatementFormat::Attached { .. } => Ok(bytes.to_vec()),
        _ => bill_in(bytes).map(String::into_bytes).context("the statement holds no document"),
    }
}

/// There is none that can be written.
fn without(arguments: &SbomGet, chosen: &Chosen, is_there: bool) -> Exit {
    let what = match arguments.format {
        BillFormat::Any => "SBOM",
        BillFormat::Spdx => "SBOM in SPDX",
        BillFormat::Cyclonedx => "SBOM in CycloneDX",
    };
    let image = &arguments.reference;
    match &chosen.standing {
        _ if is_there => {
            note(&format!("{image} has an {what} whose bytes could not be fetched"));
            Exit::Unknown
        }
        Standing::Unknown(cause, detail) => {
            note(&format!("whether {image} has an {what} is not known ({cause}: {detail})"));
            Exit::Unknown
        }
        Standing::Not(reason, detail) if *reason != Reason::PredicateMissing => {
            note(&format!("{image} has no {what} that counts ({reason}: {detail})"));
            Exit::GateMissed
        }
        _ => {
            note(&format!("{image} has no {what}, attested or attached: looked everywhere"));
            Exit::GateMissed
        }
    }
}
