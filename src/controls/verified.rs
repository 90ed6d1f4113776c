//! The leaf `signature.verified`, and those about the trust policies themselves.

use super::clause::depends_on_workload;
use super::evaluate::{Subject, Trust, needs_trust};
use super::leaves;
use super::parameters::{Configuration, ParametersError, Values};
use crate::documents::{ClusterLeaf, Control, Expression, PolicyLeaf, Rule, SbomLeaf, SignatureLeaf, SignedBy, VerifiedLeaf};
use crate::model::{Cause, Judgement, Reason, Repository};
use crate::policy::{Asked, AskedBy, Held, PolicyOrigin, Ruling};

/// Images that a sentence names before it says "and so many more".
const NAMED: usize = 3;

/// Whether the signatures of an image hold and are by whom they are to be.
pub(super) fn judge(leaf: &VerifiedLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let authorities;
    let by = match &leaf.by {
        SignedBy::TrustPolicy(_) => AskedBy::Policy,
        SignedBy::Authorities(names) => {
            authorities = values.strings(names).to_vec();
            AskedBy::Authorities(&authorities)
        }
    };
    let asked = Asked {
        by,
        at_least: leaf.at_least,
        keyless_only: leaf.keyless_only,
        workload_only: leaf.workload_only,
        transparency_log: leaf.transparency_log.is_some(),
        proven_time: leaf.proven_time.is_some(),
        keys: values.strings(&leaf.keys),
    };
    let image = &subject.image.reference;
    match subject.trust.policies.judge(evidence, &asked, subject.trust.as_of) {
        Ruling::Verified(held, warnings) => {
            let mut told: Vec<_> = held.iter().map(Held::told).collect();
            told.extend(warnings.into_iter().map(|warning| format!("warning: {warning}")));
            Judgement::Pass { detail: format!("signed by {}", told.join("; ")) }
        }
        Ruling::Rejected { reason, detail } => Judgement::fail(reason, format!("signature not verified for image: {image}: {detail}")),
        Ruling::Absent => {
            let beside = leaves::beside(evidence);
            Judgement::fail(Reason::Absent, format!("signature not verified for image: {image}: it is not signed{beside}"))
        }
        Ruling::Unknown { cause, detail } => Judgement::Unknown { cause, detail },
        // Left out before: it is not in the control's scope.
        Ruling::Irrelevant => Judgement::unknown(Cause::NotCaptured, "the trust policies say nothing about this image"),
    }
}

/// Whether the policies are as they should be, for the images in scope.
pub(super) fn policies<'a>(leaf: &PolicyLeaf, trust: Trust<'_>, images: impl Iterator<Item = Result<Repository, &'a str>>) -> Judgement {
    match leaf {
        PolicyLeaf::NoLongLivedKeys(_) => match trust.policies.long_lived().as_slice() {
            [] => Judgement::pass(),
            keys => Judgement::fail(
                Reason::KeyMismatch,
                format!("these authorities rest on long-lived keys or certificates of one's own: {}", shown(keys)),
            ),
        },
        PolicyLeaf::EveryImageCovered(_) => {
            let mut uncovered = std::collections::BTreeSet::new();
            let mut all = std::collections::BTreeSet::new();
            for image in images {
                let (name, covered) = match &image {
                    Ok(repository) => (repository.to_string(), trust.policies.covers(repository)),
                    Err(reference) => (format!("{reference:?} (cannot be parsed)"), false),
                };
                if !covered {
                    uncovered.insert(name.clone());
                }
                all.insert(name);
            }
            let uncovered: Vec<_> = uncovered.into_iter().collect();
            if uncovered.is_empty() {
                return Judgement::Pass { detail: format!("rules are about all {} repositories", all.len()) };
            }
            Judgement::fail(
                Reason::Absent,
                format!("no rule of a trust policy is about {} of {} repositories: {}", uncovered.len(), all.len(), shown(&uncovered)),
            )
        }
    }
}

fn shown(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{more}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

/// Whether somebody says what a rule needs to know: policies for what verifies, documents for what is about the policies themselves.
pub(super) fn is_configured(rule: &Rule, values: &Values, trust: Trust<'_>) -> bool {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().all(|rule| is_configured(rule, values, trust)),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => is_configured(rule, values, trust),
        Rule::Signature(SignatureLeaf::Verified(leaf)) => {
            !values.strings(&leaf.keys).is_empty() || trust.policies.speak(&[PolicyOrigin::Document, PolicyOrigin::Options])
        }
        Rule::Attestation(_) | Rule::Sbom(SbomLeaf { attested: true, .. }) | Rule::Summary(_) => {
            trust.policies.speak(&[PolicyOrigin::Document, PolicyOrigin::Options])
        }
        Rule::Policy(_) => trust.policies.speak(&[PolicyOrigin::Document]),
        _ => true,
    }
}

/// Whether a control cannot be answered without knowing whom to trust.
#[must_use]
pub fn consults_trust(control: &Control) -> bool {
    control.rule.as_ref().is_some_and(needs_trust)
}

/// Whether a control judges provenance, so that builders are to be trusted.
#[must_use]
pub fn consults_builders(control: &Control) -> bool {
    fn consults(rule: &Rule) -> bool {
        match rule {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().any(consults),
            Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => consults(rule),
            Rule::Slsa(_) => true,
            _ => false,
        }
    }
    control.rule.as_ref().is_some_and(consults)
}

/// Whether all that a control asks is what was signed or attested about an image, by whom: whoever runs the image, under whatever reference
/// and with whatever pull policy, the answer is the same.
#[must_use]
pub fn verifies_image_alone(control: &Control) -> bool {
    fn verifies(rule: &Rule) -> bool {
        let alone = |expression: &Option<Expression>| expression.as_ref().is_none_or(|expression| !depends_on_workload(expression));
        match rule {
            Rule::All(rules) | Rule::Any(rules) => rules.iter().all(verifies),
            Rule::Not(rule) => verifies(rule),
            Rule::Signature(SignatureLeaf::Verified(_)) | Rule::Slsa(_) | Rule::Summary(_) => true,
            Rule::Attestation(leaf) => alone(&leaf.expression),
            Rule::Sbom(leaf) => leaf.attested && alone(&leaf.expression),
            Rule::Signature(SignatureLeaf::Exists(_)) => false,
            Rule::Reference(_) | Rule::Registry(_) | Rule::Running(_) | Rule::Cluster(_) | Rule::Policy(_) => false,
        }
    }
    control.rule.as_ref().is_some_and(verifies)
}

/// Public keys (PEM) that a control trusts beside the policies: one list for each part of its rule that has any.
///
/// # Errors
/// When a parameter does not fit its control.
pub fn public_keys(control: &Control, configuration: &Configuration) -> Result<Vec<Vec<String>>, ParametersError> {
    let Some(rule) = &control.rule else { return Ok(Vec::new()) };
    let values = configuration.of(control)?;
    let mut keys = Vec::new();
    collect_keys(rule, &values, &mut keys);
    Ok(keys)
}

fn collect_keys(rule: &Rule, values: &Values, keys: &mut Vec<Vec<String>>) {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| collect_keys(rule, values, keys)),
        Rule::Not(rule) | Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => collect_keys(rule, values, keys),
        Rule::Signature(SignatureLeaf::Verified(leaf)) => keys.push(values.strings(&leaf.keys).to_vec()),
        _ => {}
    }
}
