//! What the policies say about each signature by itself, for those who want to see every one of them.

use super::authority::{Opinion, better, describe};
use super::compiled::{CompiledAuthority, TrustPolicies};
use super::rules::Applicable;
use super::ruling::{AsOf, Member, members, names};
use crate::model::{Digest, ImageEvidence, PolicyStep, Proof, Reason, Relation, Repository, Statement, StepOutcome, SubjectState, Verdict};

/// What the policies say about one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The authority that accepts it, or came nearest.
    pub authority: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// The proof that it was judged by.
    pub proof: Option<Proof>,
    /// What was checked beyond the proof.
    pub checks: Vec<(PolicyStep, StepOutcome)>,
}

impl TrustPolicies {
    /// What the policies say about each signature of an image, with its position: the best opinion of any authority that the rules for the
    /// image name, or, where no rule matches, of any at all.
    #[must_use]
    pub fn check(&self, image: &ImageEvidence, as_of: AsOf) -> Vec<(usize, Checked)> {
        let named = self.named_for(&image.repository);
        let signatures = image.statements.iter().enumerate().filter(|(_, statement)| statement.is_signature());
        signatures.map(|(position, statement)| (position, checked(statement, &image.subject, &named, as_of))).collect()
    }

    /// What any authority says about one statement, signature or attestation, beside this digest.
    #[must_use]
    pub fn check_statement(&self, statement: &Statement, subject: &Digest, as_of: AsOf) -> Checked {
        let checked = checked(statement, &SubjectState::Known(subject.clone()), &self.everybody(), as_of);
        // Whoever signed it: what is about a revoked digest does not count.
        let mut revocations = self.policies.iter().flat_map(|policy| &policy.revocations);
        match revocations.find_map(|revocation| revocation.of_image(subject, as_of.moment)) {
            Some(detail) => Checked { verdict: Verdict::Rejected(Reason::Revoked), detail, ..checked },
            None => checked,
        }
    }

    fn named_for(&self, repository: &Repository) -> Vec<Member<'_>> {
        match self.applicable(repository, true) {
            Applicable::Rules(rules) => rules.into_iter().flat_map(|(policy, rule)| members(policy, &rule.require)).collect(),
            Applicable::Tie(_) | Applicable::Rejected | Applicable::Ignored => self.everybody(),
        }
    }

    fn everybody(&self) -> Vec<Member<'_>> {
        self.policies.iter().flat_map(|policy| policy.authorities.values().map(move |authority| (policy, authority))).collect()
    }
}

fn checked(statement: &Statement, subject: &SubjectState, named: &[Member<'_>], as_of: AsOf) -> Checked {
    let plain = |verdict: Verdict, detail: String| Checked { authority: None, verdict, detail, proof: None, checks: Vec::new() };
    if let (false, Relation::NamesOthers(others)) = (names(statement, subject), &statement.relation) {
        let others: Vec<_> = others.iter().map(Digest::short).collect();
        let detail = if others.is_empty() { "it names no digest".to_owned() } else { format!("it names {}", others.join(", ")) };
        let proof = statement.proofs.first().cloned();
        return Checked { proof, ..plain(Verdict::Rejected(Reason::DigestMismatch), detail) };
    }
    let opinions = named.iter().map(|(policy, authority)| {
        let (opinion, proof) = authority.examine(policy, statement, as_of, |opinion| opinion);
        (*policy, *authority, opinion, proof)
    });
    let best = opinions.reduce(|one, other| if better(one.2.clone(), other.2.clone()) == one.2 { one } else { other });
    let Some((policy, authority, opinion, proof)) = best else {
        return plain(Verdict::Rejected(Reason::IdentityMismatch), "no trust policy names an authority for it".to_owned());
    };
    let (verdict, detail) = match &opinion {
        Opinion::Verified(accepted) => (Verdict::Verified, describe(&accepted.signer)),
        Opinion::Rejected { reason, detail, .. } => (Verdict::Rejected(*reason), detail.clone()),
        Opinion::Unknown { cause, detail } => (Verdict::Unknown(*cause), detail.clone()),
        Opinion::NotThere => (Verdict::Absent, format!("it is proven to be later than {}", as_of.moment)),
    };
    let checks = proof.map(|proof| authority.checks(policy, proof, as_of)).unwrap_or_default();
    Checked { authority: Some(name(authority)), verdict, detail, proof: proof.cloned(), checks }
}

fn name(authority: &CompiledAuthority) -> String {
    authority.name.clone()
}
