//! The leaves about bills of materials and verification summaries: every verdict that they know, with what a person reads.

use crate::control_tests::outcomes;

/// Cases in a row, each with its evidence and what is expected.
fn cases(rows: &[(&str, String, &str)]) -> String {
    let row = |(name, evidence, expect): &(&str, String, &str)| {
        let expect = if expect.contains(':') { format!("{{ {expect} }}") } else { format!("{{ {expect}: {{}} }}") };
        format!("    - {{ name: '{name}', evidence: [{evidence}], expect: {expect} }}\n")
    };
    rows.iter().map(row).collect()
}

fn told(rule: &str, rows: &[(&str, String, &str)]) -> String {
    outcomes(&format!("  rule: {rule}"), &cases(rows)).into_iter().map(|(name, told)| format!("{name}\n    {told}\n")).collect()
}

const SPDX: &str = "{ spdxVersion: SPDX-2.3, creationInfo: { created: '2025-12-20T00:00:00Z', creators: ['Tool: syft-1.18.0'] }, packages: [{ name: a }, { name: b }] }";
const CYCLONEDX: &str = "{ bomFormat: CycloneDX, specVersion: '1.6', components: [{ name: a }] }";

fn attested(kind: &str, predicate: &str, more: &str) -> String {
    format!("{{ attestation: {{ predicateType: {kind}, predicate: {predicate}{more} }} }}")
}

fn unsigned(kind: &str, predicate: &str) -> String {
    format!("{{ unsigned: {{ predicateType: {kind}, predicate: {predicate} }} }}")
}

#[test]
fn a_bill_is_attested_or_it_is_not() {
    let ours = ", by: ci";
    let told = told(
        "{ sbom: {} }",
        &[
            ("attested", attested("spdxjson", SPDX, ours), "pass"),
            ("attested by a key", attested("cyclonedx", CYCLONEDX, ", by: ops"), "pass"),
            ("wrapped by cosign", attested("spdx", &format!("{{ Data: {SPDX}, Timestamp: '2025-12-30T00:00:00Z' }}"), ours), "pass"),
            ("empty", attested("spdx", "{ spdxVersion: SPDX-2.3 }", ours), "pass"),
            ("by a stranger", attested("spdxjson", SPDX, ""), "fail: identity-mismatch"),
            ("of another image", attested("spdxjson", SPDX, ", by: ci, overAnother: true"), "fail: digest-mismatch"),
            ("that nobody signed", unsigned("spdx", SPDX), "fail: unsigned"),
            ("only attached", "{ attached: application/vnd.cyclonedx+json }".to_owned(), "fail: unsigned"),
            ("of the other format", attested("cyclonedx", SPDX, ours), "fail: malformed"),
            ("an array", attested("spdx", "[]", ours), "fail: malformed"),
            ("a version that is not supported", attested("spdx", "{ spdxVersion: SPDX-9.1 }", ours), "unknown: unsupported-format"),
            ("one of two", [attested("spdx", "[]", ours), attested("spdx", SPDX, ours)].join(", "), "pass"),
            ("something else", attested("custom", "{}", ours), "fail: predicate-missing"),
            ("nothing", String::new(), "fail: predicate-missing"),
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn a_bill_that_is_only_attached_is_told_apart() {
    let told = told(
        "{ sbom: { attested: false, formats: [cyclonedx] } }",
        &[
            ("attested", attested("cyclonedx", CYCLONEDX, ", by: ci"), "pass"),
            ("by a stranger", attested("cyclonedx", CYCLONEDX, ""), "pass"),
            ("that nobody signed", unsigned("cyclonedx", CYCLONEDX), "pass"),
            ("attached", "{ attached: application/vnd.cyclonedx+json }".to_owned(), "pass"),
            ("attached in another format", "{ attached: text/spdx+json }".to_owned(), "fail: predicate-missing"),
            ("that cannot be read", unsigned("cyclonedx", "{}"), "fail: malformed"),
            ("of another image", attested("cyclonedx", CYCLONEDX, ", by: ci, overAnother: true"), "fail: digest-mismatch"),
            ("nothing", String::new(), "fail: predicate-missing"),
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn a_bill_has_an_age() {
    told(
        "{ sbom: { maxAge: 7d } }",
        &[
            ("of its own", attested("spdxjson", SPDX, ", by: ci"), "fail: too-old"),
            ("of its signature", attested("cyclonedx", CYCLONEDX, ", by: ci, at: 2025-12-01"), "fail: too-old"),
            ("young", attested("cyclonedx", CYCLONEDX, ", by: ci"), "pass"),
            ("that nobody knows", attested("cyclonedx", CYCLONEDX, ", by: ops, logged: false"), "fail: timestamp-missing"),
        ],
    );
    told(
        "{ sbom: { attested: false, maxAge: 7d } }",
        &[
            ("of its own", unsigned("spdx", SPDX), "fail: too-old"),
            ("that it does not say", unsigned("cyclonedx", CYCLONEDX), "fail: timestamp-missing"),
            ("that was not read", "{ attached: text/spdx+json }".to_owned(), "unknown: not-captured"),
        ],
    );
}

/// A summary, its fields replaced by others.
fn summary(more: &str, replaced: &[(&str, &str)]) -> String {
    let mut predicate = "{ verifier: { id: 'https://v.example' }, timeVerified: '2025-12-20T00:00:00Z', \
        resourceUri: 'pkg:oci/app?repository_url=registry.example.com/team/app', policy: { uri: 'https://p.example' }, \
        verificationResult: PASSED, verifiedLevels: [SLSA_BUILD_LEVEL_3], slsaVersion: '1.2' }"
        .to_owned();
    for (from, to) in replaced {
        assert!(predicate.contains(from), "{from}");
        predicate = predicate.replace(from, to);
    }
    attested("'https://slsa.dev/verification_summary/v1'", &predicate, more)
}

const VERIFIER: &str = "{ summary: { verifiers: [{ id: 'https://v.example', by: { authorities: [ci] } }], levels: [SLSA_BUILD_LEVEL_2] } }";
const RESOURCE: &str = "pkg:oci/app?repository_url=registry.example.com/team/app";

#[test]
fn a_summary_counts_by_its_verifier_with_its_signer() {
    let ours = ", by: ci";
    let failed = summary(ours, &[("PASSED", "FAILED"), ("2025-12-20", "2025-12-25")]);
    let failed_before = summary(ours, &[("PASSED", "FAILED"), ("2025-12-20", "2025-12-10")]);
    let told = told(
        VERIFIER,
        &[
            ("passed", summary(ours, &[]), "pass"),
            ("an untrusted verifier signs", summary("", &[]), "fail: identity-mismatch"),
            (
                "an untrusted verifier signs as the trusted one, by a key that is trusted for something else",
                summary(", by: ops", &[]),
                "fail: identity-mismatch",
            ),
            (
                "another verifier, signed by whom we trust",
                summary(ours, &[("https://v.example", "https://evil.example")]),
                "fail: predicate-mismatch",
            ),
            ("a lower level", summary(ours, &[("LEVEL_3", "LEVEL_1")]), "fail: level-too-low"),
            ("a level of another track", summary(ours, &[("BUILD_LEVEL_3", "SOURCE_LEVEL_3")]), "fail: level-too-low"),
            ("a level that is none", summary(ours, &[("SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_33")]), "fail: level-too-low"),
            ("it claims a level and did not pass", summary(ours, &[("PASSED", "FAILED")]), "fail: predicate-mismatch"),
            ("of another image", summary(ours, &[("team/app", "team/other")]), "fail: source-mismatch"),
            ("of a look-alike", summary(ours, &[("registry.example.com", "registry.example.com.evil.example")]), "fail: source-mismatch"),
            ("over another digest", summary(", by: ci, overAnother: true", &[]), "fail: digest-mismatch"),
            ("by a version that is not known", summary(ours, &[("'1.2'", "'2.0'")]), "unknown: unsupported-format"),
            ("without a version", summary(ours, &[(", slsaVersion: '1.2'", "")]), "pass"),
            ("passed, and later failed", [summary(ours, &[]), failed].join(", "), "fail: predicate-mismatch"),
            ("failed, and later passed", [summary(ours, &[]), failed_before].join(", "), "pass"),
            ("an array", attested("'https://slsa.dev/verification_summary/v1'", "[]", ours), "fail: malformed"),
            ("nothing", String::new(), "fail: predicate-missing"),
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn a_summary_names_the_image_in_several_ways() {
    let ours = ", by: ci";
    // The digest that runs in tests of controls.
    let told = outcomes(
        &format!("  rule: {VERIFIER}"),
        &cases(&[("n", summary(ours, &[(RESOURCE, "oci://registry.example.com/team/app:v1")]), "pass")]),
    );
    assert_eq!(told.len(), 1);
    let wrong = format!("registry.example.com/team/app@sha256:{}", "0".repeat(64));
    let wrong_purl = format!("pkg:oci/app@sha256%3A{}?repository_url=registry.example.com%2Fteam%2Fapp", "0".repeat(64));
    for (resource, expected) in [
        ("registry.example.com/team/app", "pass"),
        ("https://registry.example.com/team/app", "pass"),
        ("docker://registry.example.com/team/app:v2", "pass"),
        ("pkg:docker/team/app?repository_url=registry.example.com", "pass"),
        (wrong.as_str(), "fail: source-mismatch"),
        (wrong_purl.as_str(), "fail: source-mismatch"),
        ("pkg:oci/app", "fail: source-mismatch"),
        ("pkg:npm/app?repository_url=registry.example.com/team/app", "fail: source-mismatch"),
        ("git+https://registry.example.com/team/app", "fail: source-mismatch"),
        ("registry.example.com/team/app/extra", "fail: source-mismatch"),
        ("", "fail: source-mismatch"),
    ] {
        outcomes(
            &format!("  rule: {VERIFIER}"),
            &cases(&[(&format!("named {resource}"), summary(ours, &[(RESOURCE, resource)]), expected)]),
        );
    }
    let by_expression = VERIFIER.replace("levels:", "resource: { regexp: 'git\\+https://github\\.com/acme/.*' }, levels:");
    for (resource, expected) in [("git+https://github.com/acme/app", "pass"), ("git+https://github.com/acme2/app", "fail: source-mismatch")]
    {
        outcomes(
            &format!("  rule: {by_expression}"),
            &cases(&[(&format!("named {resource}"), summary(ours, &[(RESOURCE, resource)]), expected)]),
        );
    }
}

#[test]
fn a_summary_has_an_age_and_verifiers_are_alternatives() {
    let old = "{ summary: { verifiers: [{ id: 'https://v.example', by: { authorities: [ci] } }], maxAge: 7d } }";
    told(old, &[("old", summary(", by: ci", &[]), "fail: too-old"), ("new", summary(", by: ci", &[("12-20", "12-30")]), "pass")]);
    let two = "{ summary: { verifiers: [{ id: 'https://w.example', by: { authorities: [ops] } }, { id: 'https://v.example', by: { authorities: [ci] } }] } }";
    told(
        two,
        &[
            ("the second", summary(", by: ci", &[]), "pass"),
            ("the first", summary(", by: ops", &[("https://v.example", "https://w.example")]), "pass"),
            ("the first under the name of the second", summary(", by: ops", &[]), "fail: predicate-mismatch"),
        ],
    );
}
