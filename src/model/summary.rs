//! SLSA verification summaries (slsa.dev/spec/v1.2/verification_summary).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::provenance::BuildLevel;
use super::reference::Repository;

/// What somebody else's verification gave. A claim: worth what its signer is trusted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    /// `verifier.id`.
    pub verifier: String,
    /// When it was verified, as the verifier says.
    pub time: Option<Timestamp>,
    /// `resourceUri`.
    pub resource: String,
    /// URI of the policy that it was verified by.
    pub policy: String,
    /// Whether `verificationResult` is `PASSED`.
    pub passed: bool,
    /// `verifiedLevels`, as they are written.
    pub levels: Vec<String>,
    /// `slsaVersion`.
    pub slsa_version: Option<String>,
}

/// What this program's own verification of one image gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedImage {
    /// The repository, as the specification names it.
    pub repository: Repository,
    /// The digest that was judged.
    pub digest: Digest,
    /// How it came out.
    pub result: VerificationResult,
    /// The statements that were looked at: the URI of each that has one, and the digest of its bytes; sorted.
    pub inputs: Vec<(Option<String>, Digest)>,
}

/// How a verification came out. What is not known has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationResult {
    /// Every control passed, and this level of the build track is shown by somebody who is trusted.
    Passed(BuildLevel),
    /// A control did not.
    Failed,
}
