//! What `verify` shows: one image or artifact, its signatures, and every step.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::evidence::PlaceRecord;
use super::proof::{Proof, StepOutcome};
use super::trust::RootRecord;
use super::verdict::Verdict;

/// A check of the policy, numbered after the steps of the verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyStep {
    /// 10. The signer is whom the policy means.
    Signer,
    /// 11. The certificate's extensions are as the policy wants them.
    Extensions,
    /// 12. The authority was in force when it signed, and nothing is revoked.
    InForce,
}

impl PolicyStep {
    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        super::proof::Step::ALL.len() + 1 + self as usize
    }

    /// What it is called before a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Signer => "identity and issuer, or key",
            Self::Extensions => "certificate extensions",
            Self::InForce => "validity and revocation",
        }
    }
}

/// One signature, verified and matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedSignature {
    /// Its form and where it was found, for a person.
    pub found: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found, for a person.
    pub detail: String,
    /// The authority that accepts it, or came nearest.
    pub authority: Option<String>,
    /// The proof that it was judged by.
    pub proof: Option<Proof>,
    /// What the policy checked.
    pub checks: Vec<(PolicyStep, StepOutcome)>,
}

/// Everything that `verify` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationReport {
    /// Version of this program.
    pub tool_version: String,
    /// What was verified: a reference, a file or a digest.
    pub subject: String,
    /// Its digest, where it is known.
    pub digest: Option<Digest>,
    /// The moment as of which it was judged.
    pub as_of: Timestamp,
    /// The verdict over all signatures.
    pub verdict: Verdict,
    /// What was found, for a person.
    pub detail: String,
    /// The signatures, in stable order.
    pub signatures: Vec<VerifiedSignature>,
    /// Where was looked.
    pub places: Vec<PlaceRecord>,
    /// Trust roots that went into it.
    pub trust_roots: Vec<RootRecord>,
}
