//! Evaluating a rule about one image of one container.

use super::memory::Memory;
use super::parameters::Values;
use super::{attested, leaves, sbom, slsa, summary, verified};
use crate::documents::{AttestationLeaf, ClusterLeaf, ReferenceLeaf, Rule, RunningLeaf, SbomLeaf, SignatureLeaf, SignedBy, VerifiedLeaf};
use crate::model::{
    Basis, Cause, Container, ContainerImage, DeclaredBecause, ImageEvidence, ImageReference, Judgement, Needs, PredicateKind,
    PredicateKinds, Reason, ReferenceError, Workload,
};
use crate::policy::{AsOf, TrustPolicies};

/// What one judgement is about.
pub struct Subject<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// The container.
    pub container: &'a Container,
    /// The image.
    pub image: &'a ContainerImage,
    /// Its reference, parsed.
    pub reference: Result<ImageReference, ReferenceError>,
    /// What was found about it; none where the reference cannot be parsed.
    pub evidence: Option<&'a ImageEvidence>,
    /// Whom to trust.
    pub trust: Trust<'a>,
    /// What was ruled before.
    pub(super) memory: &'a Memory,
}

/// Whom to trust, as of when.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// The policies.
    pub policies: &'a TrustPolicies,
    /// The moment.
    pub as_of: AsOf,
}

/// Whether a rule cannot be answered without a trust policy.
pub(super) fn needs_trust(rule: &Rule) -> bool {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().any(needs_trust),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => needs_trust(rule),
        Rule::Signature(SignatureLeaf::Verified(_)) | Rule::Attestation(_) | Rule::Slsa(_) | Rule::Summary(_) | Rule::Policy(_) => true,
        Rule::Sbom(leaf) => leaf.attested,
        Rule::Reference(_) | Rule::Registry(_) | Rule::Running(_) => false,
        Rule::Signature(SignatureLeaf::Exists(_)) | Rule::Cluster(ClusterLeaf::InventoryComplete(_)) => false,
    }
}

/// What a rule needs to know about images. A leaf that needs no registry never asks one.
#[must_use]
pub fn needs(rule: &Rule) -> Needs {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().map(needs).fold(Needs::default(), Needs::or),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => needs(rule),
        Rule::Reference(_) | Rule::Registry(_) | Rule::Running(RunningLeaf::DeclaredInTemplate(_)) => Needs::default(),
        Rule::Running(RunningLeaf::TagUnmoved(_)) => Needs { subject: true, tag: true, ..Needs::default() },
        Rule::Running(RunningLeaf::DigestKnown(_)) | Rule::Cluster(ClusterLeaf::InventoryComplete(_)) => {
            Needs { subject: true, ..Needs::default() }
        }
        Rule::Signature(SignatureLeaf::Exists(_)) => Needs { subject: true, signatures: true, ..Needs::default() },
        Rule::Signature(SignatureLeaf::Verified(_)) => Needs { subject: true, signatures: true, verification: true, ..Needs::default() },
        Rule::Attestation(leaf) => attestations(leaf.predicate_type.kind()),
        Rule::Sbom(_) => attestations(PredicateKind::Sbom),
        Rule::Summary(_) => attestations(PredicateKind::Summary),
        Rule::Slsa(_) => attestations(PredicateKind::Provenance),
        Rule::Policy(_) => Needs::default(),
    }
}

/// Attestations of a kind, verified as far as anybody is trusted.
fn attestations(kind: PredicateKind) -> Needs {
    Needs { subject: true, verification: true, attestations: PredicateKinds::only(kind), ..Needs::default() }
}

/// Whether the rule asks anything about the image: a tag from which nothing was started cannot have moved since.
///
/// What cannot be parsed is always asked about: it cannot be known to be outside.
pub(super) fn asks(rule: &Rule, values: &Values, subject: &Subject<'_>) -> bool {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().any(|rule| asks(rule, values, subject)),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => asks(rule, values, subject),
        Rule::Running(RunningLeaf::TagUnmoved(_)) => {
            subject.reference.is_err() || pods_not_listed(subject) || !matches!(subject.image.basis, Basis::Declared(_))
        }
        // What the policies leave alone is irrelevant, never passed.
        Rule::Signature(SignatureLeaf::Verified(VerifiedLeaf { by: SignedBy::TrustPolicy(_), keys, .. })) => {
            covered(subject, values.strings(keys))
        }
        Rule::Attestation(AttestationLeaf { by: SignedBy::TrustPolicy(_), .. }) => covered(subject, &[]),
        Rule::Sbom(SbomLeaf { attested: true, by: None | Some(SignedBy::TrustPolicy(_)), .. }) => covered(subject, &[]),
        Rule::Summary(leaf) if leaf.verifiers.iter().all(|verifier| matches!(verifier.by, SignedBy::TrustPolicy(_))) => {
            covered(subject, &[])
        }
        Rule::Reference(_) | Rule::Registry(_) | Rule::Signature(_) => true,
        Rule::Attestation(_) | Rule::Slsa(_) | Rule::Sbom(_) | Rule::Summary(_) => true,
        Rule::Running(RunningLeaf::DigestKnown(_) | RunningLeaf::DeclaredInTemplate(_)) => true,
        Rule::Cluster(ClusterLeaf::InventoryComplete(_)) | Rule::Policy(_) => true,
    }
}

/// Whether the policies say anything about the image.
fn covered(subject: &Subject<'_>, keys: &[String]) -> bool {
    let Trust { policies, as_of } = subject.trust;
    let left_alone = subject.reference.as_ref().is_ok_and(|reference| policies.ignores(reference.repository(), keys));
    // What is revoked is so whatever the rules are about.
    !left_alone || subject.evidence.is_some_and(|evidence| policies.revokes(evidence, as_of))
}

/// Whether pods of the workload may run something else than what is declared: nothing can be said of what runs, though its template
/// can still be judged by what is written in it.
pub(super) fn pods_not_listed(subject: &Subject<'_>) -> bool {
    subject.image.basis == Basis::Declared(DeclaredBecause::PodsNotListed)
}

/// Answers a rule.
pub(super) fn evaluate(rule: &Rule, values: &Values, subject: &Subject<'_>) -> Judgement {
    // Not even `not` turns a reference that means nothing into one that is fine.
    if let Err(error) = &subject.reference
        && reads_reference(rule)
    {
        return Judgement::fail(Reason::MalformedReference, format!("image: {:?} cannot be parsed: {error}", subject.image.reference));
    }
    node(rule, values, subject)
}

fn node(rule: &Rule, values: &Values, subject: &Subject<'_>) -> Judgement {
    match rule {
        // A part that asks nothing about this image says nothing about it: neither holds it up nor carries it.
        Rule::All(rules) => all(rules.iter().filter(|rule| asks(rule, values, subject)).map(|rule| node(rule, values, subject))),
        Rule::Any(rules) => any(rules.iter().filter(|rule| asks(rule, values, subject)).map(|rule| node(rule, values, subject))),
        Rule::Not(rule) => not(node(rule, values, subject), rule),
        Rule::Reference(leaf) => leaves::reference(leaf, values, subject),
        Rule::Registry(leaf) => leaves::registry(leaf, values, subject),
        Rule::Running(_) | Rule::Signature(_) | Rule::Attestation(_) | Rule::Slsa(_) | Rule::Sbom(_) | Rule::Summary(_)
            if pods_not_listed(subject) =>
        {
            Judgement::unknown(Cause::ListIncomplete, "its pods could not be listed, so that what runs is not known")
        }
        Rule::Running(leaf) => leaves::running(leaf, subject),
        Rule::Signature(SignatureLeaf::Exists(_)) => leaves::signature_exists(subject),
        Rule::Signature(SignatureLeaf::Verified(leaf)) => verified::judge(leaf, values, subject),
        Rule::Attestation(leaf) => attested::judge(leaf, values, subject),
        Rule::Slsa(leaf) => slsa::judge(leaf, values, subject),
        Rule::Sbom(leaf) => sbom::judge(leaf, values, subject),
        Rule::Summary(leaf) => summary::judge(leaf, values, subject),
        // Refused when it was loaded.
        Rule::Cluster(_) | Rule::Policy(_) => {
            Judgement::unknown(Cause::ExpressionLimit, "a rule about the cluster or the policies cannot judge one container")
        }
    }
}

/// Whether any leaf of the rule rests on a reference that can be parsed.
fn reads_reference(rule: &Rule) -> bool {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().any(reads_reference),
        Rule::Not(rule) => reads_reference(rule),
        Rule::Reference(ReferenceLeaf::WellFormed(_)) | Rule::Running(RunningLeaf::DeclaredInTemplate(_)) => false,
        Rule::Cluster(_) | Rule::Policy(_) => false,
        Rule::Reference(_) | Rule::Registry(_) | Rule::Running(_) | Rule::Signature(_) => true,
        Rule::Attestation(_) | Rule::Slsa(_) | Rule::Sbom(_) | Rule::Summary(_) => true,
    }
}

/// Fails on any fail (the first says why), else is unknown on any unknown, else passes.
pub(super) fn all(judgements: impl Iterator<Item = Judgement>) -> Judgement {
    let mut unknown = None;
    let mut passed = String::new();
    for judgement in judgements {
        match judgement {
            Judgement::Fail { .. } => return judgement,
            Judgement::Unknown { .. } => drop(unknown.get_or_insert(judgement)),
            Judgement::Pass { detail } => append(&mut passed, &detail),
        }
    }
    unknown.unwrap_or(Judgement::Pass { detail: passed })
}

/// Passes on any pass, else is unknown on any unknown, else fails as the last one does: an alternative is what one falls back to.
pub(super) fn any(judgements: impl Iterator<Item = Judgement>) -> Judgement {
    let mut unknown = None;
    let mut failed = None;
    for judgement in judgements {
        match judgement {
            Judgement::Pass { .. } => return judgement,
            Judgement::Unknown { .. } => drop(unknown.get_or_insert(judgement)),
            Judgement::Fail { .. } => failed = Some(judgement),
        }
    }
    unknown.or(failed).unwrap_or_else(|| Judgement::fail(Reason::Absent, "there is nothing to choose from"))
}

/// Turns a pass into a fail and a fail into a pass; unknown stays.
fn not(judgement: Judgement, rule: &Rule) -> Judgement {
    match judgement {
        Judgement::Pass { detail } => Judgement::Fail { reason: leaves::reason_of_not(rule), detail },
        Judgement::Fail { detail, .. } => Judgement::Pass { detail },
        unknown @ Judgement::Unknown { .. } => unknown,
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("; ");
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn judgement() -> impl Strategy<Value = Judgement> {
        prop_oneof![Just(Judgement::pass()), Just(Judgement::fail(Reason::Absent, "")), Just(Judgement::unknown(Cause::Timeout, "")),]
    }

    /// Fail < unknown < pass.
    fn truth(judgement: &Judgement) -> u8 {
        match judgement {
            Judgement::Fail { .. } => 0,
            Judgement::Unknown { .. } => 1,
            Judgement::Pass { .. } => 2,
        }
    }

    proptest! {
        #[test]
        fn combinations_are_kleenes(judgements in proptest::collection::vec(judgement(), 1..6)) {
            let of = |combined: Judgement| truth(&combined);
            prop_assert_eq!(of(all(judgements.iter().cloned())), judgements.iter().map(truth).min().unwrap());
            prop_assert_eq!(of(any(judgements.iter().cloned())), judgements.iter().map(truth).max().unwrap());
        }

        #[test]
        fn de_morgan_holds(judgements in proptest::collection::vec(judgement(), 1..6)) {
            let rule = Rule::All(Vec::new());
            let negated = |judgement: &Judgement| not(judgement.clone(), &rule);
            prop_assert_eq!(
                truth(&not(all(judgements.iter().cloned()), &rule)),
                truth(&any(judgements.iter().map(negated)))
            );
        }
    }
}
