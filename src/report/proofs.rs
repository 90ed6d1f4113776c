//! Proofs as programs read them, in every report.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{LogRecord, PolicyStep, Proof, ProvenTime, Signer, Step, StepOutcome, TriedWith};

/// Proofs of one statement that a report shows where none of them holds.
const MOST: usize = 8;

/// One trial of one statement.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProofEntry<'a> {
    /// With what it was tried.
    tried_with: &'a TriedWith,
    /// The trust root whose logs and time stamps counted.
    root: Option<&'a str>,
    /// Who signed; a claim where the steps 2 and 8 do not hold.
    signer: Option<&'a Signer>,
    /// Proven times.
    times: &'a [ProvenTime],
    /// The log entry, where it holds.
    log: Option<&'a LogRecord>,
    /// Every step, in order.
    steps: Vec<Numbered<'a>>,
}

impl<'a> ProofEntry<'a> {
    fn of(proof: &'a Proof) -> Self {
        Self {
            tried_with: &proof.with,
            root: proof.root.as_deref(),
            signer: proof.signer.as_ref(),
            times: &proof.times,
            log: proof.log.as_ref(),
            steps: steps(proof).collect(),
        }
    }

    /// Those that are [`telling`], and how many were left out.
    pub(super) fn chosen(proofs: &'a [Proof]) -> (Vec<Self>, usize) {
        let chosen: Vec<_> = telling(proofs).map(Self::of).collect();
        let left_out = proofs.len() - chosen.len();
        (chosen, left_out)
    }
}

/// Those that say something: where any signature holds, only such; else the first few.
pub(super) fn telling(proofs: &[Proof]) -> impl Iterator<Item = &Proof> {
    let holds = |proof: &&Proof| proof.step(Step::Signature).held();
    let all = !proofs.iter().any(|proof| holds(&proof));
    proofs.iter().filter(move |proof| all || holds(proof)).take(MOST)
}

/// One step.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Numbered<'a> {
    /// Its number in `docs/verification.md`.
    number: usize,
    /// Its name.
    name: &'static str,
    /// `held`, `failed`, `unknown`, `missing` or `notApplicable`.
    outcome: &'static str,
    /// The value that was checked, or what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// The reason of `failed`, the cause of `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl<'a> Numbered<'a> {
    fn of(number: usize, name: &'static str, outcome: &'a StepOutcome) -> Self {
        let (word, value, code) = match outcome {
            StepOutcome::Held(value) => ("held", Some(value.as_str()), None),
            StepOutcome::Failed { reason, detail } => ("failed", Some(detail.as_str()), Some(reason.name())),
            StepOutcome::Unknown(unknown) => ("unknown", Some(unknown.detail.as_str()), Some(unknown.cause.name())),
            StepOutcome::Missing => ("missing", None, None),
            StepOutcome::NotApplicable => ("notApplicable", None, None),
        };
        Self { number, name, outcome: word, value, code }
    }

    /// A check of the policy.
    pub(super) fn of_policy((step, outcome): &'a (PolicyStep, StepOutcome)) -> Self {
        Self::of(step.number(), step.title(), outcome)
    }
}

/// The steps of a proof, in order.
pub(super) fn steps(proof: &Proof) -> impl Iterator<Item = Numbered<'_>> {
    Step::ALL.into_iter().map(|step| Numbered::of(step.number(), step.title(), proof.step(step)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Reason};

    fn proof(trial: u32, signature: StepOutcome) -> Proof {
        let fingerprint = Digest::from_sha256([u8::try_from(trial).unwrap(); 32]);
        Proof {
            trial,
            with: TriedWith::Key(fingerprint.clone()),
            root: None,
            signer: Some(Signer::Key { fingerprint }),
            steps: vec![(Step::Signature, signature)],
            times: Vec::new(),
            log: None,
        }
    }

    #[test]
    fn where_one_holds_the_others_are_left_out() {
        let failed = || StepOutcome::failed(Reason::KeyMismatch, "not by this key");
        let mut proofs: Vec<_> = (0..20).map(|trial| proof(trial, failed())).collect();
        let (shown, left_out) = ProofEntry::chosen(&proofs);
        assert_eq!((shown.len(), left_out), (8, 12));
        proofs.push(proof(20, StepOutcome::Held("by this key".to_owned())));
        let (shown, left_out) = ProofEntry::chosen(&proofs);
        assert_eq!((shown.len(), left_out), (1, 20));
        let written = serde_json::to_value(&shown[0]).unwrap();
        assert_eq!(written["steps"][7], serde_json::json!({ "number": 8, "name": "signature", "outcome": "held", "value": "by this key" }));
        assert!(ProofEntry::chosen(&[]).0.is_empty());
    }
}
