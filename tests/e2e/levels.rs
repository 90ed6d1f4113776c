//! Levels of SLSA's build track that provenance by the real cosign shows of what a real cluster runs, and why not more.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::attested::{Attested, LEVELS, Scanned, attested};
use super::formats::assert_as_reviewed;

const FRAMEWORKS: &str = "slsa-build-l1,slsa-build-l2,slsa-build-l3";

fn parameters() -> Value {
    json!({"SW-0023": {"sources": ["github.com/acme/*"]}})
}

fn scanned() -> Option<(&'static Attested, &'static Scanned)> {
    static SCANNED: OnceLock<Scanned> = OnceLock::new();
    let attested = attested()?;
    Some((attested, SCANNED.get_or_init(|| attested.scan("levels", &["framework", FRAMEWORKS], &[LEVELS], &parameters()))))
}

/// A control, its word about a workload, and what its detail has to say.
type Row = (&'static str, &'static str, &'static [&'static str]);

const NO_PROVENANCE: &[&str] = &["there is no provenance (SLSA build L0)"];
const CELLAR: &[&str] = &["no document trusts", "https://ci.acme.test/cellar", "(SLSA build L1 by authority team"];
const HOSTED: &[&str] = &["SLSA build L2 by acme-workflows", "release.yml@refs/heads/main from github.com/acme/app at refs/heads/main"];
const HARDENED: &[&str] =
    &["SLSA build L3 by acme-container", "container.yml@refs/tags/v1.2.0 from github.com/acme/app at refs/tags/v2.0.0"];
const UNSIGNED: &[&str] = &["nobody signed it", "(SLSA build L1, unverified"];
const STRANGER: &[&str] = &["mallory@example.test", "(SLSA build L1, unverified"];
const ANOTHER: &[&str] = &[
    "another.yml@refs/heads/main (issuer",
    "does not vouch for the builder https://github.com/acme/builders/",
    "(SLSA build L1, unverified",
];
const OTHER_SOURCE: &[&str] = &[
    "the provenance says that it was built from source github.com/acme/other, and its certificate names github.com/acme/app (SLSA build L0)",
];

const SAID: [(&str, [Row; 4]); 9] = [
    (
        "level-0",
        [
            ("SW-0020", "failed predicate-missing", NO_PROVENANCE),
            ("SW-0021", "failed predicate-missing", NO_PROVENANCE),
            ("SW-0022", "failed predicate-missing", NO_PROVENANCE),
            ("SW-0023", "failed predicate-missing", NO_PROVENANCE),
        ],
    ),
    (
        "level-1",
        [
            ("SW-0020", "passed", &["SLSA build L1 by authority team"]),
            ("SW-0021", "failed builder-untrusted", CELLAR),
            ("SW-0022", "failed builder-untrusted", CELLAR),
            ("SW-0023", "failed builder-untrusted", CELLAR),
        ],
    ),
    (
        "level-2",
        [
            ("SW-0020", "passed", HOSTED),
            ("SW-0021", "passed", HOSTED),
            ("SW-0022", "failed level-too-low", &["builder acme-workflows is trusted for L2 only", "(SLSA build L2 by acme-workflows"]),
            ("SW-0023", "passed", HOSTED),
        ],
    ),
    (
        "level-3",
        [
            ("SW-0020", "passed", HARDENED),
            ("SW-0021", "passed", HARDENED),
            ("SW-0022", "passed", HARDENED),
            ("SW-0023", "passed", HARDENED),
        ],
    ),
    (
        "buildkit",
        [
            ("SW-0020", "failed unsigned", UNSIGNED),
            ("SW-0021", "failed unsigned", UNSIGNED),
            ("SW-0022", "failed unsigned", UNSIGNED),
            ("SW-0023", "failed unsigned", UNSIGNED),
        ],
    ),
    (
        "buildkit-platform",
        [
            ("SW-0020", "failed unsigned", UNSIGNED),
            ("SW-0021", "failed unsigned", UNSIGNED),
            ("SW-0022", "failed unsigned", UNSIGNED),
            ("SW-0023", "failed unsigned", UNSIGNED),
        ],
    ),
    (
        "by-a-stranger",
        [
            ("SW-0020", "failed identity-mismatch", STRANGER),
            ("SW-0021", "failed identity-mismatch", STRANGER),
            ("SW-0022", "failed identity-mismatch", STRANGER),
            ("SW-0023", "failed identity-mismatch", STRANGER),
        ],
    ),
    (
        "by-another-workflow",
        [
            ("SW-0020", "failed builder-untrusted", ANOTHER),
            ("SW-0021", "failed builder-untrusted", ANOTHER),
            ("SW-0022", "failed builder-untrusted", ANOTHER),
            ("SW-0023", "failed builder-untrusted", ANOTHER),
        ],
    ),
    (
        "of-another-source",
        [
            ("SW-0020", "failed source-mismatch", OTHER_SOURCE),
            ("SW-0021", "failed source-mismatch", OTHER_SOURCE),
            ("SW-0022", "failed source-mismatch", OTHER_SOURCE),
            ("SW-0023", "failed source-mismatch", OTHER_SOURCE),
        ],
    ),
];

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn every_level_is_shown_for_its_reason() {
    let Some((_, scanned)) = scanned() else { return };
    let mut wrong = Vec::new();
    for (name, rows) in SAID {
        for (control, word, parts) in rows {
            let (said, detail) = scanned.said(control, &format!("{LEVELS}/Deployment/{name}"));
            if said != word || parts.iter().any(|part| !detail.contains(part)) {
                wrong.push(format!("{name} {control} should be {word} {parts:?} and is {said}: {detail}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), scanned.ended.stderr);
    assert_eq!(scanned.report.workloads().len(), SAID.len());
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn each_image_has_its_level_and_what_each_one_above_lacks() {
    let Some((attested, scanned)) = scanned() else { return };
    let images = scanned.report.0["images"].as_array().unwrap();
    for (name, level, by, reason, above) in [
        ("level-0", 0, json!(null), "predicate-missing", &[1, 2, 3][..]),
        ("level-1", 1, json!("team"), "builder-untrusted", &[2, 3]),
        ("level-2", 2, json!("acme-workflows"), "level-too-low", &[3]),
        ("level-3", 3, json!("acme-container"), "", &[]),
        ("buildkit", 1, json!(null), "unsigned", &[1, 2, 3]),
        ("by-a-stranger", 1, json!(null), "identity-mismatch", &[1, 2, 3]),
        ("of-another-source", 0, json!(null), "source-mismatch", &[1, 2, 3]),
    ] {
        let reference = attested.standing.images.get(name).tagged();
        let build = &images.iter().find(|image| image["reference"] == reference.as_str()).unwrap()["build"];
        assert_eq!((&build["level"], &build["by"], &build["verified"]), (&json!(level), &by, &json!(!by.is_null())), "{name}: {build:#}");
        let missing = build["missing"].as_array().unwrap();
        assert_eq!(missing.iter().map(|missing| missing["level"].clone()).collect::<Vec<_>>(), above, "{name}: {build:#}");
        assert!(missing.iter().all(|missing| missing["reason"] == reason), "{name}: {build:#}");
        assert_eq!(build["mayBe"], Value::Null, "{name}: {build:#}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn provenance_that_nobody_signed_passes_only_where_a_parameter_says_so_and_only_level_1() {
    let Some(attested) = attested() else { return };
    let mut controls = parameters();
    controls["SW-0020"] = json!({"acceptUnsigned": true});
    let scanned = attested.scan("accepted", &["framework", FRAMEWORKS], &[LEVELS], &controls);
    for name in ["buildkit", "buildkit-platform", "by-a-stranger", "by-another-workflow"] {
        let workload = format!("{LEVELS}/Deployment/{name}");
        let (word, detail) = scanned.said("SW-0020", &workload);
        assert_eq!(word, "passed", "{name}: {detail}");
        assert!(detail.contains("SLSA build L1, unverified"), "{name}: {detail}");
        for control in ["SW-0021", "SW-0022", "SW-0023"] {
            assert!(scanned.said(control, &workload).0.starts_with("failed"), "{control} {name}");
        }
    }
    // What contradicts the certificate of a builder shows nothing at all.
    for name in ["level-0", "of-another-source"] {
        assert!(scanned.said("SW-0020", &format!("{LEVELS}/Deployment/{name}")).0.starts_with("failed"), "{name}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_table_of_levels_is_as_reviewed() {
    let Some((attested, scanned)) = scanned() else { return };
    // The roots in its head are as old as they are.
    let (_, table) = scanned.table.split_once("\n\n").unwrap();
    assert_as_reviewed(attested.standing, "levels", table);
}
