//! SLSA verification summaries (slsa.dev/spec/v1.2/verification_summary).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
