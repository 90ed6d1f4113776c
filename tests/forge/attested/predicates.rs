//! Predicates of any type: the talk's example, test results, subjects, and JSON as hostile people write it.

use seaworthy::model::{Algorithm, Digest};

use super::super::cases::Case;
use super::super::layout::{Layout, image, image_bytes, other_image};
use super::statement::{CUSTOM, Statement, TESTS, others, ours, subject};
use super::{Attesters, HOSTILE, referred, unsigned};

const SPDX: &str = "https://spdx.dev/Document";

pub fn cases(attesters: &Attesters<'_>) -> Vec<Case> {
    [talk(attesters), results(attesters), hostile(attesters), subjects(attesters), bills(attesters)].into_iter().flatten().collect()
}

/// The custom attestation of the talk, made then.
fn custom(time: &str) -> Statement {
    Statement::new(CUSTOM, format!(r#"{{"<my-data>":"<my-value>","Timestamp":{time}}}"#)).of_version_0_1()
}

fn talk(attesters: &Attesters<'_>) -> Vec<Case> {
    let young = custom(r#""2026-06-01T12:00:00Z""#);
    let [bare, envelope] = unsigned(&young);
    vec![
        ("custom-young", attesters.released(&young)),
        ("custom-young-legacy", attesters.legacy(&young, CUSTOM)),
        ("custom-old", attesters.released(&custom(r#""2026-04-01T12:00:00Z""#))),
        ("custom-old-legacy", attesters.legacy(&custom(r#""2026-04-01T12:00:00Z""#), CUSTOM)),
        ("custom-of-the-future", attesters.released(&custom(r#""2036-06-01T12:00:00Z""#))),
        ("custom-time-is-none", attesters.released(&custom(r#""<when>""#))),
        ("custom-by-other-workflow", attesters.by(&attesters.other, &young)),
        ("custom-unsigned", bare),
        ("custom-unsigned-envelope", envelope),
        ("custom-annotated-otherwise", attesters.legacy(&Statement::new(TESTS, "{}"), CUSTOM)),
        ("custom-array", attesters.released(&Statement::new(CUSTOM, r#"[{"<my-data>":"<my-value>"}]"#))),
        ("custom-text", attesters.released(&Statement::new(CUSTOM, r#""<my-value>""#))),
        ("custom-number", attesters.released(&Statement::new(CUSTOM, "7"))),
        ("custom-null", attesters.released(&Statement::new(CUSTOM, "null"))),
        ("custom-without-predicate", attesters.released(&Statement::new(CUSTOM, "").without_predicate())),
    ]
}

const PASSED: &str = r#"{"result":"PASSED"}"#;

fn results(attesters: &Attesters<'_>) -> Vec<Case> {
    let passed = Statement::new(TESTS, PASSED);
    let failed = Statement::new(TESTS, r#"{"result":"FAILED"}"#);
    let [bare, envelope] = unsigned(&passed);
    let release = &attesters.stage.release;
    vec![
        ("tests-passed", attesters.released(&passed)),
        ("tests-failed", attesters.released(&failed)),
        ("tests-by-other-workflow", attesters.by(&attesters.other, &passed)),
        ("tests-unsigned", bare),
        ("tests-unsigned-envelope", envelope),
        ("tests-null", attesters.released(&Statement::new(TESTS, "null"))),
        ("tests-array", attesters.released(&Statement::new(TESTS, r#"["PASSED"]"#))),
        ("tests-passed-and-failed", referred(&[attesters.bundle(release, &failed), attesters.bundle(release, &passed)])),
        ("tests-malformed-and-passed", {
            let malformed = Statement::new(TESTS, r#"{"result":"PASSED","result":"FAILED"}"#);
            referred(&[attesters.bundle(release, &malformed), attesters.bundle(release, &passed)])
        }),
    ]
}

/// Each signed by whom we trust: what was signed is no better for it.
fn hostile(attesters: &Attesters<'_>) -> Vec<Case> {
    let says = |predicate: String| attesters.released(&Statement::new(TESTS, predicate));
    let noise = |noise: &str| says(format!(r#"{{"result":"PASSED","noise":{noise}}}"#));
    let framed = |before: &str, after: &str| {
        let text = format!("{before}{}{after}", Statement::new(TESTS, PASSED).text());
        let bundle = attesters.stage.sigstore.envelope_bundle(
            super::Version::V03,
            &attesters.stage.release,
            text.as_bytes(),
            super::Proofs::usual(),
        );
        referred(&[super::Layer::bundle(&bundle)])
    };
    vec![
        ("hostile-deep", noise(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        ("hostile-doubled", says(r#"{"result":"FAILED","result":"PASSED"}"#.to_owned())),
        ("hostile-doubled-by-escape", says(r#"{"result":"FAILED","r\u0065sult":"PASSED"}"#.to_owned())),
        ("hostile-doubled-deep", noise(r#"[{"a":{"b":1,"b":2}}]"#)),
        ("hostile-huge-number", noise("1e999")),
        ("hostile-huge-integer", noise("340282366920938463463374607431768211456")),
        ("hostile-endless-integer", noise(&"9".repeat(5_000))),
        ("hostile-lone-surrogate", noise(r#""\ud800""#)),
        ("hostile-surrogate-in-key", says(r#"{"result":"PASSED","\udfff":1}"#.to_owned())),
        ("hostile-nul", says(r#"{"result":"PASSED\u0000"}"#.to_owned())),
        ("hostile-bidi", says("{\"result\":\"\\u202ePASSED\"}".to_owned())),
        ("hostile-look-alike-key", says("{\"r\u{435}sult\":\"PASSED\"}".to_owned())),
        ("hostile-other-case", says(r#"{"Result":"PASSED"}"#.to_owned())),
        ("hostile-not-json", says("{result: PASSED}".to_owned())),
        ("hostile-comment", says(r#"{"result":"PASSED"/* reviewed */}"#.to_owned())),
        ("hostile-two-texts", framed("", r#"{"result":"FAILED"}"#)),
        ("hostile-byte-order-mark", framed("\u{feff}", "")),
    ]
}

fn subjects(attesters: &Attesters<'_>) -> Vec<Case> {
    let about = |subjects: &[String]| attesters.released(&Statement::new(TESTS, PASSED).about(subjects));
    let many: Vec<_> =
        (0..2_000_u32).map(|number| subject(&[("sha256", &Digest::of(Algorithm::Sha256, &number.to_be_bytes()).hex())])).collect();
    let sha512 = Digest::of(Algorithm::Sha512, &image_bytes("one"));
    let (hex, other) = (image().hex(), other_image().hex());
    vec![
        ("subject-of-another-image", about(&[others()])),
        ("subject-none", about(&[])),
        ("subject-without-digest", about(&[r#"{"name":"app"}"#.to_owned()])),
        ("subject-with-empty-digest", about(&[subject(&[])])),
        ("subject-by-name-alone", about(&[format!(r#"{{"name":"registry.test/app@sha256:{hex}"}}"#)])),
        ("subject-sha512-alone", about(&[subject(&[("sha512", &sha512.hex())])])),
        ("subject-sha512-and-ours", about(&[subject(&[("sha512", &sha512.hex()), ("sha256", &hex)])])),
        ("subject-two-one-ours", about(&[others(), ours()])),
        ("subject-upper-case", about(&[subject(&[("sha256", &hex.to_uppercase())])])),
        ("subject-of-another-algorithm", about(&[subject(&[("gitCommit", &hex), ("sha256", &other)])])),
        ("subject-prefixed", about(&[subject(&[("sha256", &format!("sha256:{hex}"))])])),
        ("subject-truncated", about(&[subject(&[("sha256", &hex[..32])])])),
        ("subject-padded", about(&[subject(&[("sha256", &format!("{hex} "))])])),
        ("subject-is-an-object", attesters.released(&Statement::new(TESTS, PASSED).about(&["7".to_owned()]))),
        ("subjects-thousands-none-ours", about(&many)),
        ("subjects-thousands-one-ours", about(&[many, vec![ours()]].concat())),
    ]
}

fn bills(attesters: &Attesters<'_>) -> Vec<Case> {
    let bill = Statement::new(SPDX, r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"}]}"#);
    let [bare, _] = unsigned(&bill);
    vec![
        ("sbom-attested", attesters.released(&bill)),
        ("sbom-by-other-workflow", attesters.by(&attesters.other, &bill)),
        ("sbom-unsigned", bare),
        ("sbom-array", attesters.released(&Statement::new(SPDX, "[]"))),
        ("sbom-null", attesters.released(&Statement::new(SPDX, "null"))),
    ]
}

pub fn hostile_names(attesters: &Attesters<'_>) -> Vec<(&'static str, &'static str, Layout)> {
    let escaped = serde_json::to_string(HOSTILE).unwrap();
    let of = |predicate_type: &str, predicate: String| {
        let text = Statement::new(TESTS, predicate).text().replace(&format!("\"{TESTS}\""), predicate_type);
        referred(&[super::Layer::bundle(&attesters.stage.sigstore.envelope_bundle(
            super::Version::V03,
            &attesters.stage.release,
            text.as_bytes(),
            super::Proofs::usual(),
        ))])
    };
    let doubled = format!("{{{escaped}:1,{escaped}:2}}");
    let bill = format!(r#"{{"spdxVersion":{escaped},"packages":[{{"name":"a"}}]}}"#);
    vec![
        ("names-type-of-predicate", "TESTS-1", of(&escaped, "{}".to_owned())),
        ("names-doubled-key", "TESTS-1", of(&format!("\"{TESTS}\""), doubled)),
        ("names-spdx-version", "SBOM-1", of(&format!("\"{SPDX}\""), bill)),
    ]
}
