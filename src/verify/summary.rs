//! SLSA verification summaries (slsa.dev/spec/v1.2/verification_summary).

use jiff::Timestamp;
use serde::Deserialize;

use super::Malformed;
use crate::model::VerificationSummary;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    verifier: Named,
    #[serde(default)]
    time_verified: Option<String>,
    resource_uri: String,
    #[serde(default)]
    policy: Option<Policy>,
    verification_result: String,
    #[serde(default)]
    verified_levels: Vec<String>,
    #[serde(default)]
    slsa_version: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    uri: String,
}

/// Reads the predicate of a summary.
///
/// # Errors
/// When it is none: something obligatory is missing, or a time is no time.
pub(super) fn read(predicate: &str) -> Result<VerificationSummary, Malformed> {
    let wire: Wire = serde_json::from_str(predicate).map_err(|error| Malformed(format!("not a verification summary: {error}")))?;
    let time = |text: String| text.parse::<Timestamp>().map_err(|error| Malformed(format!("timeVerified {text:?} is no time: {error}")));
    Ok(VerificationSummary {
        verifier: wire.verifier.id,
        time: wire.time_verified.map(time).transpose()?,
        resource: wire.resource_uri,
        policy: wire.policy.map(|policy| policy.uri).unwrap_or_default(),
        // The specification knows PASSED and FAILED; what is neither is not passed.
        passed: wire.verification_result == "PASSED",
        levels: wire.verified_levels,
        slsa_version: wire.slsa_version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_and_what_is_none_is_refused() {
        let text = r#"{"verifier":{"id":"https://verifier.test/v1","version":{}},"timeVerified":"2026-11-01T10:00:00Z","resourceUri":"pkg:oci/app",
            "policy":{"uri":"https://policy.test","digest":{}},"inputAttestations":[],"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"],"slsaVersion":"1.2"}"#;
        let summary = read(text).unwrap();
        assert_eq!(
            (summary.verifier.as_str(), summary.passed, summary.levels.as_slice()),
            ("https://verifier.test/v1", true, &["SLSA_BUILD_LEVEL_3".to_owned()][..])
        );
        assert!(!read(&text.replace("PASSED", "passed")).unwrap().passed);
        for broken in
            ["[]", "null", "{}", &text.replace("2026-11-01T10:00:00Z", "yesterday"), &text.replace("\"verifier\"", "\"verifyer\"")]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
