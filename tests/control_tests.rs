//! The tests beside the controls, as users run them.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy::controls::Library;
use seaworthy::documents::{ControlTest, Document, Expected, parse};
use seaworthy::scan::{CaseOutcome, run_control_test};

fn tests() -> Vec<(String, ControlTest)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("controls/tests");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut tests = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        for document in parse(&name, &std::fs::read_to_string(&file).unwrap()).unwrap() {
            let Document::ControlTest(test) = document else { panic!("{name} holds something else than tests") };
            assert_eq!(name, format!("{}.yaml", test.control.to_lowercase()), "a test lies beside its control");
            tests.push((name.clone(), *test));
        }
    }
    tests
}

#[test]
fn every_case_holds() {
    let library = Library::embedded().unwrap();
    for (file, test) in tests() {
        for outcome in run_control_test(&test, library.control(&test.control).unwrap()).unwrap() {
            let (expected, got) = (CaseOutcome::told(&outcome.expected), CaseOutcome::told(&outcome.got));
            assert!(outcome.holds, "{file}, {}: expected {expected}, got {got}: {}", outcome.name, outcome.detail);
        }
    }
}

#[test]
fn every_control_is_seen_to_pass_and_to_fail() {
    let mut seen: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let tests = tests();
    for (_, test) in &tests {
        let of = seen.entry(test.control.clone()).or_default();
        of.extend(test.cases.iter().map(|case| match case.expect {
            Expected::Pass(_) => "pass",
            Expected::Fail(_) => "fail",
            _ => "neither",
        }));
    }
    for control in Library::embedded().unwrap().controls().filter(|control| control.manual.is_none()) {
        let of = seen.get(&control.id).cloned().unwrap_or_default();
        assert!(of.contains("pass") && of.contains("fail"), "{}: {of:?}", control.id);
    }
}

/// Runs the cases of a control that is written down here.
pub(crate) fn outcomes(control: &str, cases: &str) -> Vec<(String, String)> {
    let head = "apiVersion: seaworthy.dev/v1alpha1\nkind:";
    let control = format!(
        "{head} Control\nmetadata: {{ name: acme-1 }}\nspec:\n  id: ACME-1\n  title: T\n  severity: 5\n  rationale: R\n{control}\n"
    );
    let authorities = "  authorities:\n    ops: { key: {} }\n    ci: { identity: { subject: 'https://ci.example/build', issuer: 'https://issuer.example', extensions: { runnerEnvironment: github-hosted } } }\n";
    let test = format!("{head} ControlTest\nmetadata: {{ name: acme-1 }}\nspec:\n  control: ACME-1\n{authorities}  cases:\n{cases}\n");
    let Document::Control(control) = parse("control.yaml", &control).unwrap().remove(0) else { panic!("a control") };
    let Document::ControlTest(test) = parse("test.yaml", &test).unwrap().remove(0) else { panic!("a test") };
    let told = |outcome: CaseOutcome| {
        let got = CaseOutcome::told(&outcome.got);
        assert!(outcome.holds, "{}: expected {}, got {got}: {}", outcome.name, CaseOutcome::told(&outcome.expected), outcome.detail);
        (outcome.name, format!("{got}: {}", outcome.detail))
    };
    run_control_test(&test, &control).unwrap().into_iter().map(told).collect()
}

#[test]
fn what_an_attestation_says_is_asked_by_an_expression() {
    let control = "  params: { allowed: { type: strings, default: [PASSED] }, age: { type: duration, default: [30d] } }
  rule:
    attestation:
      predicateType: https://in-toto.io/attestation/test-result/v0.1
      maxAge: { param: age }
      where: predicate.result in params.allowed && signer.subject.startsWith('https://ci.') && workload.namespace != 'dev'";
    let of = |more: &str| format!("[{{ attestation: {{ predicateType: 'https://in-toto.io/attestation/test-result/v0.1', {more} }} }}]");
    let case = |name: &str, evidence: &str, expect: &str| format!("    - {{ name: {name}, evidence: {evidence}, expect: {expect} }}\n");
    let good = "by: ci, predicate: { result: PASSED }";
    let mut cases = String::new();
    cases += &case("it passed", &of(good), "{ pass: {} }");
    cases += &case("it failed", &of("by: ci, predicate: { result: FAILED }"), "{ fail: predicate-mismatch }");
    cases += &case("it does not say", &of("by: ci, predicate: {}"), "{ fail: predicate-mismatch }");
    cases += &case("an array", &of("by: ci, predicate: [PASSED]"), "{ fail: malformed }");
    cases += &case("by a key", &of("by: ops, predicate: { result: PASSED }"), "{ fail: predicate-mismatch }");
    cases += &case("by a stranger", &of("predicate: { result: PASSED }"), "{ fail: identity-mismatch }");
    cases += &case("old", &of("by: ci, at: 2025-11-01, predicate: { result: PASSED }"), "{ fail: too-old }");
    cases += &case("old inside", &of("by: ci, predicate: { result: PASSED, timestamp: '2025-11-01T00:00:00Z' }"), "{ fail: too-old }");
    cases += &case("without any time", &of("by: ops, logged: false, predicate: { result: PASSED }"), "{ fail: timestamp-missing }");
    cases += &case(
        "unsigned",
        "[{ unsigned: { predicateType: 'https://in-toto.io/attestation/test-result/v0.1', predicate: { result: PASSED } } }]",
        "{ fail: unsigned }",
    );
    cases += &case("of another image", &of(&format!("overAnother: true, {good}")), "{ fail: digest-mismatch }");
    cases += &case("of another type", "[{ attestation: { predicateType: custom, by: ci } }]", "{ fail: predicate-missing }");
    cases += &case("none", "[]", "{ fail: predicate-missing }");
    cases += &format!(
        "    - {{ name: another namespace, workload: {{ namespace: dev }}, evidence: {}, expect: {{ fail: predicate-mismatch }} }}\n",
        of(good)
    );
    cases += &format!(
        "    - {{ name: another limit, parameters: {{ age: [90d] }}, evidence: {}, expect: {{ pass: {{}} }} }}\n",
        of("by: ci, at: 2025-11-01, predicate: { result: PASSED }")
    );
    cases += &format!(
        "    - {{ name: nobody answered, unanswered: timeout, evidence: {}, expect: {{ unknown: timeout }} }}\n",
        of("by: ci, predicate: { result: FAILED }")
    );
    cases += &format!("    - {{ name: nobody else answered, unanswered: timeout, evidence: {}, expect: {{ pass: {{}} }} }}\n", of(good));
    let told: String = outcomes(control, &cases).into_iter().map(|(name, told)| format!("{name}\n    {told}\n")).collect();
    insta::assert_snapshot!(told);
}

#[test]
fn each_of_several_attestations_is_judged_alone() {
    let control = |quantifier: &str| {
        format!("  rule: {{ attestation: {{ predicateType: custom, quantifier: {quantifier}, where: \"predicate.ok == true\" }} }}")
    };
    let attestation = |by: &str, ok: &str| format!("{{ attestation: {{ predicateType: custom, {by}predicate: {{ ok: {ok} }} }} }}");
    let case = |evidence: &[String], expect: &str| format!("    - {{ name: n, evidence: [{}], expect: {expect} }}\n", evidence.join(", "));
    let (good, bad, stranger) = (attestation("by: ci, ", "true"), attestation("by: ops, ", "false"), attestation("", "false"));
    for (quantifier, mixed) in [("any", "{ pass: {} }"), ("all", "{ fail: predicate-mismatch }")] {
        let cases = case(&[good.clone(), bad.clone()], mixed)
            + &case(&[good.clone(), stranger.clone()], "{ pass: {} }")
            + &case(&[good.clone(), good.clone()], "{ pass: {} }")
            + &case(std::slice::from_ref(&bad), "{ fail: predicate-mismatch }")
            + &case(std::slice::from_ref(&stranger), "{ fail: identity-mismatch }");
        outcomes(&control(quantifier), &cases);
    }
}

#[test]
fn an_expression_that_costs_too_much_is_not_known() {
    let control = "  rule: { attestation: { predicateType: custom, where: \"predicate.l.all(x, predicate.l.all(y, predicate.l.all(z, x + y + z >= 0)))\" } }";
    let list = (0..2_000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let cases = format!(
        "    - {{ name: large, evidence: [{{ attestation: {{ predicateType: custom, by: ci, predicate: {{ l: [{list}] }} }} }}], expect: {{ unknown: expression-limit }} }}\n"
    );
    outcomes(control, &cases);
}

#[test]
fn what_a_bill_lists_is_asked_in_one_form_whatever_its_format() {
    let control = "  params: { forbidden: { type: strings, default: [log4j-core] } }
  rule:
    sbom:
      where: \"!sbom.packages.exists(p, p.name in params.forbidden) && sbom.packages.all(p, p.supplier != '')\"";
    let spdx = |packages: &str| {
        format!("[{{ attestation: {{ predicateType: spdx, by: ci, predicate: {{ spdxVersion: SPDX-2.3, packages: [{packages}] }} }} }}]")
    };
    let cyclonedx = |components: &str| {
        format!(
            "[{{ attestation: {{ predicateType: cyclonedx, by: ci, predicate: {{ bomFormat: CycloneDX, specVersion: '1.5', components: [{components}] }} }} }}]"
        )
    };
    let case = |name: &str, evidence: String, expect: &str| format!("    - {{ name: {name}, evidence: {evidence}, expect: {expect} }}\n");
    let mut cases = String::new();
    cases += &case("fine in SPDX", spdx("{ name: a, supplier: 'Organization: Acme' }"), "{ pass: {} }");
    cases += &case("fine in CycloneDX", cyclonedx("{ type: library, name: a, supplier: { name: Acme } }"), "{ pass: {} }");
    cases += &case(
        "a forbidden package in SPDX",
        spdx("{ name: log4j-core, supplier: 'Organization: Apache' }"),
        "{ fail: predicate-mismatch }",
    );
    cases += &case(
        "a forbidden package inside another",
        cyclonedx(
            "{ type: library, name: a, supplier: { name: A }, components: [{ type: library, name: log4j-core, supplier: { name: A } }] }",
        ),
        "{ fail: predicate-mismatch }",
    );
    cases += &case("a missing supplier", spdx("{ name: a, supplier: NOASSERTION }"), "{ fail: predicate-mismatch }");
    cases += &case("none", "[]".to_owned(), "{ fail: predicate-missing }");
    outcomes(control, &cases);
}
