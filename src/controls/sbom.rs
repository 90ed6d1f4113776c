//! The leaf `sbom`.

use jiff::Timestamp;

use super::attested::{asked_by, read_as, young};
use super::clause;
use super::evaluate::{Subject, all, any};
use super::parameters::Values;
use crate::documents::{Age, Quantifier, SbomLeaf};
use crate::model::{
    Cause, Digest, ImageEvidence, Judgement, Predicate, PredicateKind, Reason, Relation, Sbom, SbomFormat, Statement, StatementFormat,
};
use crate::policy::{AskedBy, AskedToAttest, Attester, Held, Ruling, lying_there};

/// Whether an image has a bill of materials as it is to have one.
pub(super) fn judge(leaf: &SbomLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let as_of = subject.trust.as_of.moment;
    let max_age = leaf.max_age.as_ref().and_then(|age| values.one(age));
    let says = |statement: &Statement, attester: &Attester<'_>| {
        let age = max_age.map_or_else(Judgement::pass, |max_age| young(statement, attester, max_age, as_of));
        let read = is_read(statement);
        let says = || match &leaf.expression {
            Some(expression) => clause::holds(expression, statement, attester, values, subject),
            None => Judgement::pass(),
        };
        // What cannot be read is not asked what it says.
        if matches!(read, Judgement::Fail { .. }) { read } else { all([read, age, says()].into_iter()) }
    };
    let meant = |predicate_type: &str| SbomFormat::of_predicate_type(predicate_type).is_some_and(|format| leaf.formats.contains(&format));
    let called = called(&leaf.formats);
    let an = format!("an {called}");
    let by = leaf.by.as_ref().map_or(AskedBy::Policy, |by| asked_by(by, values));
    let asked = AskedToAttest { meant: &meant, called: &an, by, quantifier: Quantifier::Any, says: &says };
    let judged = || subject.trust.policies.judge_attestations(evidence, &asked, subject.trust.as_of);
    let ruling = match leaf.expression.as_ref().is_some_and(clause::depends_on_workload) {
        true => judged(),
        false => subject.memory.ruling(leaf, evidence, judged),
    };
    let image = &subject.image.reference;
    match ruling {
        Ruling::Verified(held, warnings) => Judgement::Pass { detail: attested(&held, &warnings, evidence, as_of) },
        _ if !leaf.attested => present(leaf, evidence, max_age, as_of, image),
        Ruling::Rejected { reason, detail } => {
            Judgement::fail(reason, format!("image: {image} has no attested {called} that counts: {detail}"))
        }
        Ruling::Absent => match lying_there(evidence, &|statement| is_meant(leaf, statement)) {
            Ok(found) => {
                let found: Vec<_> = found.iter().map(|statement| told(statement, as_of)).collect();
                let detail = format!("image: {image} has no attested {called}: {}", found.join("; "));
                Judgement::fail(Reason::Unsigned, detail)
            }
            Err(_) => Judgement::fail(Reason::PredicateMissing, format!("image: {image} has no {called}")),
        },
        Ruling::Unknown { cause, detail } => Judgement::Unknown { cause, detail },
        // Left out before: it is not in the control's scope.
        Ruling::Irrelevant => Judgement::unknown(Cause::NotCaptured, "the trust policies say nothing about this image"),
    }
}

fn called(formats: &[SbomFormat]) -> String {
    match formats {
        [only] => format!("SBOM ({only})"),
        _ => "SBOM".to_owned(),
    }
}

/// Whether a bill is there, whoever signed it.
fn present(leaf: &SbomLeaf, evidence: &ImageEvidence, max_age: Option<Age>, as_of: Timestamp, image: &str) -> Judgement {
    let found = match lying_there(evidence, &|statement| is_meant(leaf, statement)) {
        Ok(found) => found,
        Err(Some(unknown)) => return Judgement::Unknown { cause: unknown.cause, detail: unknown.detail },
        Err(None) => return missing(leaf, evidence, image),
    };
    let each = found.iter().map(|statement| {
        let attached = matches!(statement.format, StatementFormat::Attached { .. });
        // By its media type it is one; more is not known of it.
        let read = if attached { Judgement::pass() } else { is_read(statement) };
        let age = max_age.map_or_else(Judgement::pass, |max_age| match claimed(statement) {
            _ if attached => Judgement::unknown(Cause::NotCaptured, "what is attached was not read, and so its age is not known"),
            Some(time) if as_of.duration_since(time) > max_age.duration() => {
                Judgement::fail(Reason::TooOld, format!("it is of {time}, and {max_age} is the longest that is allowed"))
            }
            Some(_) => Judgement::pass(),
            None => Judgement::fail(Reason::TimestampMissing, "it does not say how old it is"),
        });
        match all([read, age].into_iter()) {
            Judgement::Pass { .. } => Judgement::Pass { detail: told(statement, as_of) },
            other => other,
        }
    });
    match any(each) {
        Judgement::Fail { reason, detail } => {
            Judgement::fail(reason, format!("image: {image} has no {} that counts: {detail}", called(&leaf.formats)))
        }
        other => other,
    }
}

/// None is there, or only one of something else.
fn missing(leaf: &SbomLeaf, evidence: &ImageEvidence, image: &str) -> Judgement {
    let others = evidence.statements.iter().filter(|statement| is_meant(leaf, statement)).find_map(|statement| match &statement.relation {
        Relation::NamesOthers(others) => Some(others.first().map_or_else(|| "no digest".to_owned(), Digest::short)),
        Relation::Names | Relation::Malformed(_) => None,
    });
    let called = called(&leaf.formats);
    match others {
        Some(other) => {
            Judgement::fail(Reason::DigestMismatch, format!("image: {image} has no {called}: one that lies there names {other}"))
        }
        None => Judgement::fail(Reason::PredicateMissing, format!("image: {image} has no {called}, attested or attached")),
    }
}

/// Whether a statement is a bill in one of the formats.
fn is_meant(leaf: &SbomLeaf, statement: &Statement) -> bool {
    let format = match &statement.format {
        StatementFormat::Attached { media_type } => SbomFormat::of_media_type(media_type),
        _ => statement.predicate_type().and_then(SbomFormat::of_predicate_type),
    };
    format.is_some_and(|format| leaf.formats.contains(&format))
}

/// Whether what it says is a bill of materials.
fn is_read(statement: &Statement) -> Judgement {
    read_as(statement, PredicateKind::Sbom)
}

fn bill(statement: &Statement) -> Option<&Sbom> {
    match &statement.attested.as_deref()?.predicate {
        Ok(Predicate::Sbom(bill)) => Some(bill),
        _ => None,
    }
}

fn claimed(statement: &Statement) -> Option<Timestamp> {
    statement.attested.as_deref().and_then(|attested| attested.time)
}

fn attested(held: &[Held], warnings: &[String], evidence: &ImageEvidence, as_of: Timestamp) -> String {
    let mut parts: Vec<_> = held
        .iter()
        .map(|held| {
            let bill = evidence.statements.get(held.statement).and_then(bill).map(|bill| bill.describe(as_of)).unwrap_or_default();
            format!("SBOM attested by {}: {bill}", held.told())
        })
        .collect();
    parts.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    parts.join("; ")
}

/// What lies there, and how far it can be trusted.
fn told(statement: &Statement, as_of: Timestamp) -> String {
    let what = match (&statement.format, bill(statement)) {
        (StatementFormat::Attached { media_type }, _) => format!("{media_type}, what is in it was not read"),
        (_, Some(bill)) => bill.describe(as_of),
        (_, None) => statement.predicate_type().unwrap_or_default().to_owned(),
    };
    let how = match &statement.format {
        StatementFormat::Attached { .. } => "SBOM attached, signed by nobody",
        StatementFormat::Unsigned { .. } => "SBOM in a statement that nobody signed",
        _ => "SBOM in a statement that is signed, and not verified to be by anybody who is trusted",
    };
    format!("{how} ({}): {what}", statement.place)
}
