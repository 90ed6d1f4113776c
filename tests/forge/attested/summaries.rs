//! Verification summaries: levels that somebody claims.

use super::super::cases::Case;
use super::super::layout::Layout;
use super::statement::Statement;
use super::{Attesters, HOSTILE, unsigned};

const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
const GOOD: &str = r#"{"verifier":{"id":"https://verifier.seaworthy.test"},"timeVerified":"2026-06-01T12:00:00Z","resourceUri":"registry.test/vsa","policy":{"uri":"https://policy.seaworthy.test"},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"],"slsaVersion":"1.2"}"#;

pub fn cases(attesters: &Attesters<'_>) -> Vec<Case> {
    // Every image has a name of its own, which the summary has to be about.
    let about = |name: &str, replaced: &[(&str, &str)]| {
        let mut predicate = GOOD.to_owned();
        for (from, to) in replaced {
            assert!(predicate.contains(from), "{from}");
            predicate = predicate.replace(from, to);
        }
        Statement::new(SUMMARY, predicate.replace("registry.test/vsa\"", &format!("registry.test/{name}\"")))
    };
    let case = |name: &'static str, replaced: &[(&str, &str)]| (name, attesters.released(&about(name, replaced)));
    let [bare, _] = unsigned(&about("vsa-unsigned", &[]));
    vec![
        case("vsa-passed", &[]),
        case("vsa-lower-level", &[("LEVEL_3", "LEVEL_1")]),
        case("vsa-invented-level", &[("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_4")]),
        case("vsa-level-of-source", &[("BUILD_LEVEL_3", "SOURCE_LEVEL_3")]),
        case("vsa-level-looks-alike", &[("LEVEL_3", "LEVEL_3 ")]),
        case("vsa-levels-a-text", &[(r#"["SLSA_BUILD_LEVEL_3"]"#, r#""SLSA_BUILD_LEVEL_3""#)]),
        case("vsa-without-levels", &[(r#"["SLSA_BUILD_LEVEL_3"]"#, "[]")]),
        case("vsa-failed", &[("PASSED", "FAILED")]),
        case("vsa-untrusted-verifier", &[("https://verifier.seaworthy.test", "https://verifier.evil.test")]),
        case("vsa-verifier-looks-alike", &[("https://verifier.seaworthy.test", "https://verifier.seaworthy.test/")]),
        case("vsa-of-another-image", &[("registry.test/vsa\"", "registry.test/other\"")]),
        ("vsa-by-other-workflow", attesters.by(&attesters.other, &about("vsa-by-other-workflow", &[]))),
        ("vsa-unsigned", bare),
        ("vsa-array", attesters.released(&Statement::new(SUMMARY, format!("[{GOOD}]")))),
    ]
}

pub fn hostile_names(attesters: &Attesters<'_>) -> Vec<(&'static str, &'static str, Layout)> {
    let escaped = serde_json::to_string(HOSTILE).unwrap();
    let about = |name: &str| GOOD.replace("registry.test/vsa\"", &format!("registry.test/{name}\""));
    let case = |name, from: &str| (name, "SUMMARY-1", attesters.released(&Statement::new(SUMMARY, about(name).replace(from, &escaped))));
    vec![
        case("names-verifier", "\"https://verifier.seaworthy.test\""),
        case("names-resource", "\"registry.test/names-resource\""),
        case("names-level", "\"SLSA_BUILD_LEVEL_3\""),
        case("names-version", "\"1.2\""),
        case("names-verified-time", "\"2026-06-01T12:00:00Z\""),
    ]
}
