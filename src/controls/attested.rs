//! The leaf `attestation`.

use jiff::Timestamp;

use super::clause;
use super::evaluate::Subject;
use super::parameters::Values;
use crate::documents::{Age, AttestationLeaf, ClusterLeaf, Control, Rule, SbomLeaf, SignedBy, Variable};
use crate::model::{Cause, Judgement, Predicate, PredicateKind, Reason, Statement, Wanted};
use crate::policy::{AskedBy, AskedToAttest, Attester, Held, Ruling};

/// Whether an image is attested as it is to be.
pub(super) fn judge(leaf: &AttestationLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let by = asked_by(&leaf.by, values);
    let max_age = leaf.max_age.as_ref().and_then(|age| values.one(age));
    let as_of = subject.trust.as_of.moment;
    let says = |statement: &Statement, attester: &Attester<'_>| {
        let read = is_read(statement);
        let age = max_age.map_or_else(Judgement::pass, |max_age| young(statement, attester, max_age, as_of));
        let says = || match &leaf.expression {
            Some(expression) => clause::holds(expression, statement, attester, values, subject),
            None => Judgement::pass(),
        };
        // What cannot be read is not asked what it says.
        if matches!(read, Judgement::Fail { .. }) { read } else { super::evaluate::all([read, age, says()].into_iter()) }
    };
    let meant = |predicate_type: &str| leaf.predicate_type.matches(predicate_type);
    let called = format!("an attestation {}", leaf.predicate_type);
    let asked = AskedToAttest { meant: &meant, called: &called, by, quantifier: leaf.quantifier, says: &says };
    let image = &subject.image.reference;
    let judged = || subject.trust.policies.judge_attestations(evidence, &asked, subject.trust.as_of);
    let ruling = match leaf.expression.as_ref().is_some_and(clause::depends_on_workload) {
        true => judged(),
        false => subject.memory.ruling(leaf, evidence, judged),
    };
    match ruling {
        Ruling::Verified(held, warnings) => {
            let mut told: Vec<_> = held.iter().map(Held::told).collect();
            told.extend(warnings.into_iter().map(|warning| format!("warning: {warning}")));
            Judgement::Pass { detail: format!("{} attested by {}", leaf.predicate_type, told.join("; ")) }
        }
        Ruling::Rejected { reason, detail } => {
            Judgement::fail(reason, format!("image: {image} has no attestation {} that counts: {detail}", leaf.predicate_type))
        }
        Ruling::Absent => Judgement::fail(
            Reason::PredicateMissing,
            format!("image: {image} has no attestation {}{}", leaf.predicate_type, beside(subject)),
        ),
        Ruling::Unknown { cause, detail } => Judgement::Unknown { cause, detail },
        // Left out before: it is not in the control's scope.
        Ruling::Irrelevant => Judgement::unknown(Cause::NotCaptured, "the trust policies say nothing about this image"),
    }
}

/// By whom a leaf asks.
pub(super) fn asked_by<'a>(by: &'a SignedBy, values: &'a Values) -> AskedBy<'a> {
    match by {
        SignedBy::TrustPolicy(_) => AskedBy::Policy,
        SignedBy::Authorities(names) => AskedBy::Authorities(values.strings(names)),
    }
}

/// Whether its predicate is of a kind, and was read as that.
pub(super) fn read_as(statement: &Statement, kind: PredicateKind) -> Judgement {
    match statement.attested.as_deref().map(|attested| &attested.predicate) {
        Some(Ok(Predicate::Unsupported(what))) => Judgement::unknown(Cause::UnsupportedFormat, what.clone()),
        Some(Ok(_)) if statement.predicate_type().map(PredicateKind::of) != Some(kind) => {
            Judgement::fail(Reason::PredicateMismatch, "it is of another type")
        }
        _ => is_read(statement),
    }
}

/// Whether its predicate is one of its type.
fn is_read(statement: &Statement) -> Judgement {
    match statement.attested.as_deref().map(|attested| &attested.predicate) {
        Some(Ok(_)) => Judgement::pass(),
        Some(Err(malformed)) => Judgement::fail(Reason::Malformed, format!("what it says cannot be read: {malformed}")),
        None => Judgement::unknown(Cause::NotCaptured, "what it says was not read"),
    }
}

/// Whether it is young enough: by the proven time of signing, or the time that it gives itself, whichever is earlier. An old result that
/// is signed again is no newer for it.
pub(super) fn young(statement: &Statement, attester: &Attester<'_>, max_age: Age, as_of: Timestamp) -> Judgement {
    let proven = attester.time.map(|time| time.at);
    let claimed = statement.attested.as_deref().and_then(|attested| attested.time);
    let oldest = as_of.checked_sub(max_age.duration()).unwrap_or(Timestamp::MIN);
    let earliest = [proven, claimed].into_iter().flatten().min();
    match earliest {
        Some(time) if time < oldest => {
            Judgement::fail(Reason::TooOld, format!("it is of {time}, and {max_age} is the longest that is allowed"))
        }
        Some(_) => Judgement::pass(),
        None => match attester.time_doubt {
            Some(doubt) => Judgement::Unknown { cause: doubt.cause, detail: doubt.detail.clone() },
            None => Judgement::fail(Reason::TimestampMissing, "neither a proven time nor what it says tells how old it is"),
        },
    }
}

/// What else is attested of the image.
fn beside(subject: &Subject<'_>) -> String {
    let statements = subject.evidence.iter().flat_map(|evidence| &evidence.statements);
    let mut types: Vec<_> = statements.filter_map(Statement::predicate_type).collect();
    types.sort_unstable();
    types.dedup();
    match types.as_slice() {
        [] => String::new(),
        types => format!("; it has {}", types.join(", ")),
    }
}

/// How much of attestations controls look into.
pub fn wanted<'a>(controls: impl Iterator<Item = &'a Control>) -> Wanted {
    let mut wanted = Wanted::default();
    controls.filter_map(|control| control.rule.as_ref()).for_each(|rule| collect(rule, &mut wanted));
    wanted
}

fn collect(rule: &Rule, wanted: &mut Wanted) {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| collect(rule, wanted)),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => collect(rule, wanted),
        Rule::Attestation(AttestationLeaf { predicate_type, expression: Some(expression), .. }) if clause::reads_payload(expression) => {
            wanted.payloads.push(predicate_type.clone());
        }
        Rule::Sbom(SbomLeaf { expression: Some(expression), .. }) => {
            wanted.packages |= expression.uses(Variable::Sbom);
            if clause::reads_payload(expression) {
                wanted.payloads.extend(["spdx", "cyclonedx"].into_iter().filter_map(|name| name.parse().ok()));
            }
        }
        _ => {}
    }
}
