//! Verification summaries of what a real cluster runs: cosign verifies them, and a control reads them again.

use serde_json::{Value, json};

use super::attested::{LEVELS, attested};
use super::judged::arguments;
use super::process::finish;

const TYPE: &str = "https://slsa.dev/verification_summary/v1";
const VERIFIER: &str = "https://acme.test/verifier";

/// Image, and the level that its summary says; none where it did not pass.
const SUMMARIES: [(&str, Option<u8>); 4] = [("level-0", None), ("level-1", None), ("level-2", Some(2)), ("level-3", Some(3))];

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn cosign_verifies_signed_summaries_and_a_control_reads_them() {
    let Some(attested) = attested() else { return };
    let (stack, images) = (attested.standing.stack, &attested.standing.images);
    let parameters = json!({"SW-0023": {"sources": ["github.com/acme/*"]}});
    let written = ["--vsa-out", "vsa", "--vsa-key", "cosign.key", "--vsa-verifier", VERIFIER, "-f", "json=summarized.json"];
    let mut words = arguments(attested.standing, &["scan", "framework", "slsa-build-l2", "--include-namespaces", LEVELS]);
    words.extend(written.map(str::to_owned));
    words.extend(attested.trust_options(true));
    words.extend(attested.parameters("summarized", &parameters));
    let ended = finish(stack.seaworthy(&words).env("COSIGN_PASSWORD", "").spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (name, level) in SUMMARIES {
        let image = images.get(name);
        let file = format!("vsa/{}/{}.vsa.sigstore.json", image.repository.replace(':', "_"), image.digest.replace(':', "-"));
        let bundle = stack.run.join(&file);
        assert!(bundle.exists(), "{file}: {ended:?}");
        let verified = |digest: &str| {
            let mut cosign = stack.servers.program("cosign");
            cosign.args(["verify-blob-attestation", "--key", "cosign.pub", "--insecure-ignore-tlog", "--type", TYPE, "--bundle", &file]);
            cosign.args(["--digestAlg", "sha256", "--digest", digest.trim_start_matches("sha256:")]);
            cosign.output().unwrap()
        };
        let output = verified(&image.digest);
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(!verified(&images.get("buildkit").digest).status.success(), "{name}: cosign takes it for another image's");
        let predicate = predicate_of(&std::fs::read(&bundle).unwrap());
        let levels = level.map(|level| json!([format!("SLSA_BUILD_LEVEL_{level}")]));
        assert_eq!(predicate["verificationResult"], if level.is_some() { "PASSED" } else { "FAILED" }, "{name}: {predicate:#}");
        assert!(level.is_none() || Some(&predicate["verifiedLevels"]) == levels.as_ref(), "{name}: {predicate:#}");
    }
    let scanned = attested.scan("read-again", &["control", "ACME-9", "--evidence", "vsa"], &[LEVELS], &json!({}));
    for (name, level) in SUMMARIES {
        let (word, detail) = scanned.said("ACME-9", &format!("{LEVELS}/Deployment/{name}"));
        let expected = if level.is_some() { "passed" } else { "failed" };
        assert_eq!(word.split(' ').next(), Some(expected), "{name}: {word}: {detail}");
    }
}

/// The predicate inside a bundle.
fn predicate_of(bundle: &[u8]) -> Value {
    use base64::Engine as _;
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let statement = base64::engine::general_purpose::STANDARD.decode(payload).unwrap();
    serde_json::from_slice::<Value>(&statement).unwrap()["predicate"].take()
}
