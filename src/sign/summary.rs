//! The statement of a verification summary (slsa.dev/spec/v1.2/verification_summary).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{Digest, VerificationResult, VerifiedImage};

/// The in-toto statement type.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The predicate type.
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
/// The version of SLSA that levels are judged by.
const SLSA: &str = "1.2";

/// Who verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBy {
    /// `verifier.id`: a URI.
    pub id: String,
    /// Version of this program.
    pub version: String,
}

/// When, and by what policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Who.
    pub by: VerifiedBy,
    /// The moment as of which all was judged.
    pub time: Timestamp,
    /// URI of the policy: the controls by which it was judged.
    pub policy: String,
    /// SHA-256 over the documents that the policy is made of.
    pub policy_digest: Digest,
}

/// The statement about one image, as bytes that are the same for the same verification.
#[must_use]
pub fn summary(verification: &Verification, image: &VerifiedImage) -> Vec<u8> {
    let (result, level) = match image.result {
        VerificationResult::Passed(level) => ("PASSED", format!("SLSA_BUILD_LEVEL_{}", level.number())),
        VerificationResult::Failed => ("FAILED", "FAILED".to_owned()),
    };
    let inputs = image.inputs.iter().map(|(uri, digest)| match uri {
        Some(uri) => json!({ "uri": uri, "digest": digest_set(digest) }),
        None => json!({ "digest": digest_set(digest) }),
    });
    let statement = json!({
        "_type": STATEMENT,
        "subject": [{ "name": image.repository.to_string(), "digest": digest_set(&image.digest) }],
        "predicateType": SUMMARY,
        "predicate": {
            "verifier": { "id": verification.by.id, "version": { env!("CARGO_PKG_NAME"): verification.by.version } },
            "timeVerified": verification.time.to_string(),
            "resourceUri": resource(image),
            "policy": { "uri": verification.policy, "digest": digest_set(&verification.policy_digest) },
            "inputAttestations": inputs.collect::<Vec<_>>(),
            "verificationResult": result,
            "verifiedLevels": [level],
            "slsaVersion": SLSA,
        },
    });
    statement.to_string().into_bytes()
}

/// A package URL (purl-spec, type `oci`): the last part of the path as its name, the whole repository as a qualifier. The digest is the
/// subject's.
fn resource(image: &VerifiedImage) -> String {
    let repository = image.repository.to_string();
    let name = repository.rsplit('/').next().unwrap_or_default();
    format!("pkg:oci/{name}?repository_url={repository}")
}

fn digest_set(digest: &Digest) -> Value {
    json!({ digest.algorithm().name(): digest.hex() })
}
