//! `scan --vsa-out`: what is written, and that it is understood where summaries are asked for.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Program;
use super::registry::{Running, Shelf};
use crate::scripted_registry::{Asked, Reply};

const DIGEST: &str = "a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925";
const REPOSITORY: &str = "ghcr.io/slsa-framework/example-package";
const LAYOUT: &str = "fixtures/layouts/slsa-container-v1.4.0";

/// A scan of real provenance by the control about level 3, from a layout that holds the image.
fn scan(program: &Program, control: &str, more: &[&str]) -> super::Ended {
    let reference = format!("{REPOSITORY}@sha256:{DIGEST}");
    let layout = format!("{LAYOUT}={reference}");
    let common = ["scan", "image", &reference, "--layout", &layout, "--offline", "--control", control];
    program.run(&[&common[..], more].concat())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn one_statement_is_written_for_each_image() {
    let program = Program::new();
    let out = program.home().join("summaries");
    let ended = scan(&program, "SW-0022", &["--vsa-out", out.to_str().unwrap()]);
    ended.says(0, &["verification summaries: 1 unsigned in", "images without one: 0"]);
    let files = files(&out);
    assert_eq!(files, [out.join(REPOSITORY).join(format!("sha256-{DIGEST}.vsa.json"))]);
    let mut statement: Value = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
    let time: jiff::Timestamp = statement["predicate"]["timeVerified"].as_str().unwrap().parse().unwrap();
    assert!(time <= jiff::Timestamp::now());
    statement["predicate"]["timeVerified"] = "[now]".into();
    statement["predicate"]["verifier"]["version"]["seaworthy"] = "[version]".into();
    statement["predicate"]["policy"]["digest"]["sha256"] = "[digest]".into();
    insta::assert_json_snapshot!("summary_of_real_provenance", statement);
    // What is of another scan is not mixed with what is of this one.
    scan(&program, "SW-0022", &["--vsa-out", out.to_str().unwrap()]).says(2, &["it is not empty"]);
}

/// A control that asks for a summary by the key of the tests, and the policy that says whose key it is.
fn asks_for_summary(program: &Program, level: &str) -> [String; 2] {
    let control = format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: Control\nmetadata: {{ name: acme-1 }}\nspec:\n  id: ACME-1\n  title: Verified by us\n  severity: 5\n  rationale: Ours.\n  rule: {{ summary: {{ verifiers: [{{ id: 'https://acme.example/verifier', by: {{ authorities: [verifier] }} }}], levels: [{level}], maxAge: 1d }} }}\n"
    );
    let key = std::fs::canonicalize("fixtures/keys/cosign.pub").unwrap();
    let policy = format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: ours }}\nspec:\n  authorities:\n    verifier: {{ key: {{ file: {} }} }}\n  images: [{{ match: ['**'], require: {{ anyOf: [verifier] }} }}]\n",
        key.display()
    );
    program.file("controls/acme-1.yaml", &control);
    [program.home().join("controls").display().to_string(), program.file("policy.yaml", &policy)]
}

#[test]
fn a_signed_summary_is_understood_where_one_is_asked_for() {
    let program = Program::new();
    let out = program.home().join("summaries");
    let out = out.to_str().unwrap();
    let reference = format!("{REPOSITORY}@sha256:{DIGEST}");
    let layout = format!("{LAYOUT}={reference}");
    let mut signing = program.command(&["scan", "image", &reference, "--layout", &layout, "--offline", "--control", "SW-0022"]);
    signing.args(["--vsa-out", out, "--vsa-key", "fixtures/keys/cosign.key", "--vsa-verifier", "https://acme.example/verifier"]);
    let ended: super::Ended = signing.env("COSIGN_PASSWORD", "correct horse").output().unwrap().into();
    ended.says(0, &["verification summaries: 1 signed in"]);
    let file = files(Path::new(out)).remove(0);
    assert!(file.ends_with(format!("sha256-{DIGEST}.vsa.sigstore.json")));

    let judged = |level: &str, evidence: &str| {
        let [controls, policy] = asks_for_summary(&program, level);
        let more = ["--controls", &controls, "--trust-policy", &policy, "--evidence", evidence, "-f", "json"];
        let report = scan(&program, "ACME-1", &more).json();
        report["findings"][0]["containers"][0]["answer"].clone()
    };
    let good = judged("SLSA_BUILD_LEVEL_3", out);
    assert_eq!(good["status"], "passed", "{good}");
    assert_eq!(judged("SLSA_BUILD_LEVEL_3", "fixtures/vectors/bundles")["status"], "unknown", "no registry was asked, and none lies there");
    // What was changed after it was signed is not what was signed.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let changed =
        String::from_utf8(crate::forge::key::unbase64(payload)).unwrap().replace("ghcr.io/slsa-framework", "ghcr.io/slsa-frame-work");
    bundle["dsseEnvelope"]["payload"] = crate::forge::key::base64(changed).into();
    std::fs::write(&file, bundle.to_string()).unwrap();
    assert_ne!(judged("SLSA_BUILD_LEVEL_3", out)["status"], "passed");
}

/// A scan of two images in a registry of its own: one that is there without any provenance, one that nobody may read.
#[test]
fn an_image_that_fails_gets_a_summary_that_says_so_and_what_is_not_known_gets_none() {
    let (shelf, digest) = Shelf::unsigned();
    let running = Running::new(move |asked: &Asked| match asked.target.contains("/secret/") {
        true => Reply::new(403).body("application/json", r#"{"errors":[{"code":"DENIED"}]}"#).into(),
        false => shelf.answer(asked).into(),
    });
    let host = running.registry.host();
    let program = Program::new();
    let out = program.home().join("summaries");
    let images = [format!("{host}/acme/app:v1"), format!("{host}/secret/app:v1")];
    let arguments = ["scan", "image", &images[0], &images[1], "--plain-http", &host, "--allow-host", &host, "--offline"];
    let ended = program.run(&[&arguments[..], &["--control", "SW-0021", "--vsa-out", out.to_str().unwrap()]].concat());
    ended.says(3, &["1 unsigned in", "images without one: 1", &format!("none of {}: ", images[1])]);
    let files = files(&out);
    let expected = out.join(host.replace(':', "_")).join("acme/app").join(format!("sha256-{}.vsa.json", digest.hex()));
    assert_eq!(files, [expected]);
    let statement: Value = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
    let predicate = &statement["predicate"];
    assert_eq!((&predicate["verificationResult"], &predicate["verifiedLevels"]), (&"FAILED".into(), &serde_json::json!(["FAILED"])));
    assert_eq!(predicate["resourceUri"], format!("pkg:oci/app?repository_url={host}/acme/app"));

    // An exception turns the finding, and nothing of the summary.
    let exception = "apiVersion: seaworthy.dev/v1alpha1\nkind: Exception\nmetadata: { name: e }\nspec: { controls: [SW-0021], acceptUnknown: [forbidden], reason: R, owner: O, expires: 9000-01-01 }\n";
    let exceptions = program.file("exceptions.yaml", exception);
    let again = program.home().join("again");
    let more = ["--control", "SW-0021", "--exceptions", &exceptions, "--vsa-out", again.to_str().unwrap()];
    let ended = program.run(&[&arguments[..], &more].concat());
    ended.says(0, &["1 unsigned in", "images without one: 1", &format!("none of {}: ", images[1])]);
    ended.prints(0, &["2 answers count as passed"]);
    let mut excepted: Value = serde_json::from_slice(&std::fs::read(&self::files(&again)[0]).unwrap()).unwrap();
    excepted["predicate"]["timeVerified"] = predicate["timeVerified"].clone();
    assert_eq!(excepted, statement);
}

/// What a workload says of its image must not make a summary pass, nor fail.
#[test]
fn controls_that_ask_for_more_than_evidence_are_no_part_of_a_summary() {
    let program = Program::new();
    let control = |id: &str, rule: &str| {
        let text = format!(
            "apiVersion: seaworthy.dev/v1alpha1\nkind: Control\nmetadata: {{ name: {id} }}\nspec:\n  id: {id}\n  title: T\n  severity: 5\n  rationale: R.\n  rule: {rule}\n"
        );
        program.file(&format!("controls/{id}.yaml"), &text);
    };
    control("ACME-1", "{ any: [{ reference: { pinnedToDigest: {} } }, { slsa: { buildLevel: 3 } }] }");
    control("ACME-2", "{ all: [{ registry: { allowed: ['example.com'] } }, { slsa: { buildLevel: 3 } }] }");
    control("ACME-3", "{ attestation: { predicateType: slsaprovenance, where: workload.namespace == 'prod' } }");
    control("ACME-4", "{ sbom: { attested: false } }");
    let controls = program.home().join("controls").display().to_string();
    for id in ["ACME-1", "ACME-2", "ACME-3", "ACME-4"] {
        let out = program.home().join(id).display().to_string();
        scan(&program, id, &["--controls", &controls, "--vsa-out", &out]).says(2, &["asks nothing else"]);
        assert!(files(Path::new(&out)).is_empty());
    }
    let out = program.home().join("both");
    scan(&program, "ACME-1,SW-0022", &["--controls", &controls, "--vsa-out", out.to_str().unwrap()]).says(0, &["1 unsigned"]);
    let statement: Value = serde_json::from_slice(&std::fs::read(&files(&out)[0]).unwrap()).unwrap();
    assert_eq!(statement["predicate"]["policy"]["uri"], "seaworthy:controls/SW-0022");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_asked() {
    let program = Program::new();
    let out = program.home().join("out");
    let out = out.to_str().unwrap();
    scan(&program, "C-0237", &["--vsa-out", out]).says(2, &["--vsa-out needs a control that verifies"]);
    let refused = |more: &[&str], what: &str| scan(&program, "SW-0022", &[&["--vsa-out", out], more].concat()).says(2, &[what]);
    refused(&["--vsa-key", "fixtures/keys/none.key"], "cannot read fixtures/keys/none.key");
    refused(&["--vsa-key", "fixtures/keys/cosign.pub"], "it is a public key");
    refused(&["--vsa-key", "fixtures/keys/cosign.key"], "set COSIGN_PASSWORD");
    refused(&["--vsa-verifier", "acme"], "it is no URI");
    refused(&["--at", "2026-11-01"], "cannot be used with");
    scan(&program, "SW-0022", &["--vsa-key", "fixtures/keys/cosign.key"]).says(2, &["--vsa-out <DIR>"]);
    let file = program.file("file", "");
    scan(&program, "SW-0022", &["--vsa-out", &file]).says(2, &["cannot write summaries into"]);
}

#[test]
fn the_digest_of_the_policy_is_over_all_that_was_judged_by() {
    let program = Program::new();
    let digest = |name: &str, more: &[&str]| {
        let out = program.home().join(name);
        scan(&program, "SW-0022", &[&["--vsa-out", out.to_str().unwrap()], more].concat()).says(0, &["1 unsigned"]);
        let statement: Value = serde_json::from_slice(&std::fs::read(&files(&out)[0]).unwrap()).unwrap();
        statement["predicate"]["policy"]["digest"]["sha256"].as_str().unwrap().to_owned()
    };
    let first = digest("first", &[]);
    assert_eq!(first.len(), 64);
    assert_eq!(digest("again", &[]), first);
    assert_ne!(digest("key", &["--key", "fixtures/keys/cosign.pub"]), first);
    let parameters = "apiVersion: seaworthy.dev/v1alpha1\nkind: Parameters\nmetadata: { name: p }\nspec: { controls: { SW-0022: { firstParty: ['ghcr.io/**'] } } }\n";
    assert_ne!(digest("parameters", &["--parameters", &program.file("parameters.yaml", parameters)]), first);
}
