//! What the policies say about each signature by itself, for those who want to see every one of them.

use super::authority::{Opinion, better, describe};
use super::compiled::{CompiledAuthority, TrustPolicies};
use super::rules::Applicable;
use super::ruling::{AsOf, digests_of, members, names};
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
        let revoked = self.revoked_image(digests_of(image), as_of);
        let signatures = image.statements.iter().enumerate().filter(|(_, statement)| statement.is_signature());
        let checked = |statement| self.checked(statement, &image.subject, &named, revoked.as_deref(), as_of);
        signatures.map(|(position, statement)| (position, checked(statement))).collect()
    }

    /// What any authority says about one statement, signature or attestation, beside this digest.
    #[must_use]
    pub fn check_statement(&self, statement: &Statement, subject: &Digest, as_of: AsOf) -> Checked {
        let revoked = self.revoked_image(std::iter::once(subject), as_of);
        self.checked(statement, &SubjectState::Known(subject.clone()), &self.everybody(), revoked.as_deref(), as_of)
    }

    /// Whether any policy revokes an image, whoever signed it: that is said of images too that the rules leave alone.
    #[must_use]
    pub fn revokes(&self, image: &ImageEvidence, as_of: AsOf) -> bool {
        self.revoked_image(digests_of(image), as_of).is_some()
    }

    /// Why an image is not trusted any more, whoever signed it, if any policy says so of one of these digests.
    pub(super) fn revoked_image<'d>(&self, mut digests: impl Iterator<Item = &'d Digest>, as_of: AsOf) -> Option<String> {
        digests.find_map(|digest| self.revocations.iter().find_map(|revoked| revoked.of_image(digest, as_of.moment)))
    }

    /// The authorities that the rules for a repository's images name; nobody where no rule is about them.
    pub(super) fn named_in_rules(&self, repository: &Repository) -> Vec<&CompiledAuthority> {
        match self.applicable(repository, &[]) {
            Applicable::Rules(rules) => rules.into_iter().flat_map(|(policy, rule)| members(policy, &rule.require)).collect(),
            Applicable::Tie(_) | Applicable::Rejected | Applicable::Ignored => Vec::new(),
        }
    }

    fn named_for(&self, repository: &Repository) -> Vec<&CompiledAuthority> {
        match self.applicable(repository, &[]) {
            Applicable::Rules(rules) => rules.into_iter().flat_map(|(policy, rule)| members(policy, &rule.require)).collect(),
            Applicable::Tie(_) | Applicable::Rejected | Applicable::Ignored => self.everybody(),
        }
    }

    fn everybody(&self) -> Vec<&CompiledAuthority> {
        self.policies.iter().flat_map(|policy| policy.authorities.values()).collect()
    }

    fn checked(
        &self,
        statement: &Statement,
        subject: &SubjectState,
        named: &[&CompiledAuthority],
        revoked: Option<&str>,
        as_of: AsOf,
    ) -> Checked {
        let plain = |verdict: Verdict, detail: String| Checked { authority: None, verdict, detail, proof: None, checks: Vec::new() };
        if let (false, Relation::NamesOthers(others)) = (names(statement, subject), &statement.relation) {
            let others: Vec<_> = others.iter().map(Digest::short).collect();
            let detail = if others.is_empty() { "it names no digest".to_owned() } else { format!("it names {}", others.join(", ")) };
            let proof = statement.proofs.first().cloned();
            return Checked { proof, ..plain(Verdict::Rejected(Reason::DigestMismatch), detail) };
        }
        let opinions = named.iter().map(|authority| {
            let (opinion, proof) = authority.examine(&self.revocations, statement, as_of, |opinion| opinion);
            (*authority, opinion, proof)
        });
        let best = opinions.reduce(|one, other| if better(one.1.clone(), other.1.clone()) == one.1 { one } else { other });
        let Some((authority, opinion, proof)) = best else {
            return plain(Verdict::Rejected(Reason::IdentityMismatch), "no trust policy names an authority for it".to_owned());
        };
        let (verdict, detail) = match (&opinion, revoked) {
            // It is the image that is bad, whoever signed it.
            (Opinion::Verified(accepted), Some(why)) => {
                (Verdict::Rejected(Reason::Revoked), format!("signed by {}; {why}", describe(&accepted.signer)))
            }
            (Opinion::Unknown { .. }, Some(why)) => (Verdict::Rejected(Reason::Revoked), why.to_owned()),
            (Opinion::Verified(accepted), None) => (Verdict::Verified, describe(&accepted.signer)),
            (Opinion::Rejected { reason, detail, .. }, _) => (Verdict::Rejected(*reason), detail.clone()),
            (Opinion::Unknown { cause, detail }, None) => (Verdict::Unknown(*cause), detail.clone()),
            (Opinion::NotThere, _) => (Verdict::Absent, format!("it is proven to be later than {}", as_of.moment)),
        };
        let mut checks = proof.map(|proof| authority.checks(&self.revocations, proof, as_of)).unwrap_or_default();
        if let Some(why) = revoked {
            for (_, outcome) in checks.iter_mut().filter(|(step, outcome)| *step == PolicyStep::InForce && outcome.held()) {
                *outcome = StepOutcome::failed(Reason::Revoked, why);
            }
        }
        Checked { authority: Some(name(authority)), verdict, detail, proof: proof.cloned(), checks }
    }
}

fn name(authority: &CompiledAuthority) -> String {
    authority.name.clone()
}
