//! `verify bundle` and `trust explain`: exit codes, and what is printed step by step.

use super::Program;

const IMAGE: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";
const OTHER: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const SIGNER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/builder";
const ISSUER: &str = "https://127.0.0.1:16443";
const BUNDLE: &str = "fixtures/vectors/bundles/ggcr-referrers/sign.sigstore.json";
const ROOT: &str = "fixtures/vectors/trust/trusted_root.json";
const AT: [&str; 2] = ["--at", "2026-12-01T00:00:00Z"];

/// `verify bundle` as of a moment after the fixtures were made, without network.
fn verify(program: &Program, root: &str, identity: [&str; 4], artifact: &str, more: &[&str]) -> super::Ended {
    let mut arguments = vec!["verify", "bundle", "--bundle", BUNDLE, "--trusted-root", root, "--offline"];
    arguments.extend(AT);
    arguments.extend(identity);
    arguments.extend(more);
    arguments.push(artifact);
    program.run(&arguments)
}

const RIGHT: [&str; 4] = ["--identity", SIGNER, "--issuer", ISSUER];

#[test]
fn a_bundle_is_verified_step_by_step() {
    let ended = verify(&Program::new(), ROOT, RIGHT, IMAGE, &[]);
    ended.says(0, &[]);
    insta::assert_snapshot!("bundle_verified", ended.out);
}

#[test]
fn a_rejected_bundle_says_at_which_step_and_what_would_have_passed() {
    let program = Program::new();
    let wrong = verify(&program, ROOT, ["--identity", "https://example.test/other", "--issuer", ISSUER], IMAGE, &[]);
    wrong.says(1, &[]);
    insta::assert_snapshot!("bundle_of_another_identity", wrong.out);
    verify(&program, ROOT, RIGHT, OTHER, &[]).prints(1, &["REJECTED (digest-mismatch)"]);
    let other_ca = verify(&program, "fixtures/vectors/trust/negative/tr.otherca.json", RIGHT, IMAGE, &[]);
    other_ca.prints(1, &["REJECTED (certificate-untrusted)", "2 certificate chain                FAILED", "(claimed, not proven)"]);
}

#[test]
fn identities_by_regular_expression_are_anchored_and_cosigns_long_names_are_understood() {
    let program = Program::new();
    let by = |subject: &str, issuer: &str| {
        let identity = ["--certificate-identity-regexp", subject, "--certificate-oidc-issuer-regexp", issuer];
        verify(&program, ROOT, identity, IMAGE, &[]).code
    };
    assert_eq!(by(r"https://kubernetes\.io/.*/builder", r"https://127\.0\.0\.1:\d+"), Some(0));
    assert_eq!(by("builder", ISSUER), Some(1), "a part is not the whole");
    verify(&program, ROOT, ["--identity-regexp", "(", "--issuer", ISSUER], IMAGE, &[]).says(2, &["is not a regular expression"]);
}

#[test]
fn what_cannot_be_parsed_is_rejected_and_what_is_not_said_is_a_mistake() {
    let program = Program::new();
    let garbage = program.file("garbage.json", "{\"mediaType\":");
    let empty = program.file("empty.yaml", "# nothing\n");
    program.run(&["scan", "-", "--trust-policy", &empty]).says(2, &["empty.yaml holds no trust policy"]);
    let with = |bundle: &str, artifact: &str, trust: &[&str]| {
        program.run(&[&["verify", "bundle", "--offline", "--bundle", bundle], trust, &[artifact]].concat())
    };
    with(&garbage, IMAGE, &RIGHT).prints(1, &["REJECTED (malformed)"]);
    with(BUNDLE, IMAGE, &[]).says(2, &["whom to trust is not said"]);
    with(BUNDLE, IMAGE, &["--identity", SIGNER]).says(2, &["add --issuer"]);
    with(BUNDLE, IMAGE, &["--issuer", ISSUER]).says(2, &["add --identity"]);
    with(BUNDLE, IMAGE, &["--identity", "", "--issuer", ISSUER]).says(2, &["--identity is empty"]);
    with(BUNDLE, IMAGE, &["--identity", SIGNER, "--issuer-regexp", ""]).says(2, &["--issuer is empty"]);
    with(BUNDLE, IMAGE, &["--trusted-root", ROOT]).says(2, &["--trusted-root needs --key or --identity"]);
    with(BUNDLE, "sha256:12", &RIGHT).says(2, &["is no digest"]);
    with(BUNDLE, "missing", &RIGHT).says(2, &["cannot read the artifact missing"]);
    with("missing", IMAGE, &RIGHT).says(2, &["cannot read the bundle missing"]);
    for root in ["missing.json", "fixtures"] {
        with(BUNDLE, IMAGE, &[&RIGHT[..], &["--trusted-root", root]].concat()).says(2, &["cannot read --trusted-root", root]);
        program.run(&[&["scan", "-", "--trusted-root", root], &RIGHT[..]].concat()).says(2, &["cannot read --trusted-root", root]);
    }
}

#[test]
#[cfg(unix)]
fn what_has_no_end_is_not_read_to_it() {
    let program = Program::new();
    let with = |bundle: &str, artifact: &str, trust: &[&str]| {
        program.run(&[&["verify", "bundle", "--offline", "--bundle", bundle], trust, &[artifact]].concat())
    };
    with("/dev/zero", IMAGE, &RIGHT).says(2, &["cannot read the bundle /dev/zero: it is larger than 33554432 bytes"]);
    with(BUNDLE, IMAGE, &["--trust-policy", "/dev/zero"]).says(2, &["/dev/zero", "larger than 1048576 bytes"]);
    with(BUNDLE, IMAGE, &["--key", "/dev/zero"]).says(2, &["/dev/zero", "larger than 1048576 bytes"]);
}

/// A key may come from another program, and be read once only; what is no PEM is told as what it is.
#[test]
#[cfg(unix)]
fn a_key_may_come_through_a_pipe_and_may_not_be_der() {
    let program = Program::new();
    let pipe = program.file("pipe.pub", "");
    std::fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pem = std::fs::read("fixtures/signers/trust/p256.pub").unwrap();
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, pem))
    };
    let with = |key: &str| program.run(&["verify", "bundle", "--offline", "--bundle", BUNDLE, "--trusted-root", ROOT, "--key", key, IMAGE]);
    // Somebody else's bundle: that it is not by this key shows that the key was read.
    with(&pipe).prints(1, &["REJECTED (key-mismatch)"]);
    writer.join().unwrap().unwrap();
    let der = program.file("key.der", "");
    std::fs::write(&der, [0x30, 0x59, 0x30, 0x13, 0xff, 0xfe]).unwrap();
    with(&der).says(2, &["it looks like DER and not like PEM"]);
}

#[test]
fn without_the_right_root_nothing_is_claimed() {
    // The public root of its date does not know the private log: a newer one might.
    let program = Program::new();
    let mut arguments = vec!["verify", "bundle", "--bundle", BUNDLE, "--offline"];
    arguments.extend(AT);
    arguments.extend(RIGHT);
    arguments.push(IMAGE);
    program.run(&arguments).prints(3, &["UNKNOWN (trust-root-too-old)"]);
    let broken = program.file("root.json", "{}");
    verify(&program, &broken, RIGHT, IMAGE, &[]).prints(3, &["UNKNOWN (trust-root-unavailable)"]);
}

#[test]
fn the_same_for_programs() {
    let mut json = verify(&Program::new(), ROOT, RIGHT, IMAGE, &["-f", "json"]).json();
    json["toolVersion"] = "…".into();
    assert_eq!((json["verdict"]["status"].as_str(), json["signatures"][0]["steps"].as_array().map(Vec::len)), (Some("verified"), Some(12)));
    insta::assert_json_snapshot!("bundle_verified_json", json);
}

/// As cosign signs blobs by Ed25519 keys: what is signed is named by SHA-512.
#[test]
fn what_is_named_by_sha_512_is_compared_with_the_bytes() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::{Digest as _, Sha512, Signer as _, SigningKey};

    const SPKI_OF_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let program = Program::new();
    let key = SigningKey::from_bytes(&[7; 32]);
    let spki = [&SPKI_OF_ED25519[..], key.verifying_key().as_bytes()].concat();
    program.file("ops.pub", &format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki)));
    let policy = program.file(
        "policy.yaml",
        "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: { name: p }\nspec:\n  authorities: { ops: { key: { file: ops.pub } } }\n",
    );
    let (artifact, other) = (program.file("artifact", "what is signed"), program.file("other", "something else"));
    let bundle = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "ops" }, "tlogEntries": [] },
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_512", "digest": STANDARD.encode(Sha512::digest("what is signed")) },
            "signature": STANDARD.encode(key.sign(b"what is signed").to_bytes()),
        },
    });
    let mut by_another = bundle.clone();
    let bundle = program.file("bundle.json", &bundle.to_string());
    let verify = |artifact: &str| program.run(&["verify", "bundle", "--offline", "--bundle", &bundle, "--trust-policy", &policy, artifact]);
    verify(&artifact).prints(0, &["VERIFIED"]);
    verify(&other).prints(1, &["REJECTED (digest-mismatch)"]);
    verify(OTHER).prints(3, &["UNKNOWN (unsupported-format)", "over SHA-512 (give the artifact itself)"]);
    // What keys on P-384 sign is not compared, so nothing is said about it; what is no algorithm is malformed.
    for (algorithm, code, said) in [("SHA2_384", 3, "UNKNOWN (unsupported-format)"), ("MD5", 1, "REJECTED (malformed)")] {
        by_another["messageSignature"]["messageDigest"]["algorithm"] = algorithm.into();
        program.file("bundle.json", &by_another.to_string());
        verify(&artifact).prints(code, &[said]);
    }
}

#[test]
fn rules_explain_themselves() {
    let program = Program::new();
    let policy = program.file(
        "policy.yaml",
        r#"
apiVersion: seaworthy.dev/v1alpha1
kind: TrustPolicy
metadata: { name: production }
spec:
  trustRoots: { public-good: { sigstore: publicGood }, internal: { file: root.json, logs: none } }
  authorities:
    release:
      keyless:
        trustRoot: public-good
        issuer: { exact: https://token.actions.githubusercontent.com }
        subject: { regexp: 'https://github\.com/acme/.*' }
        extensions: { runnerEnvironment: github-hosted }
        extensionsRegexp: { sourceRepositoryRef: refs/tags/v.* }
    ops: { key: { file: ops.pub }, validUntil: 2027-06-30 }
    internal:
      keyless: { trustRoot: internal, issuer: { exact: https://issuer.acme.test }, subject: { exact: ci@acme.test } }
      sct: unsafeIgnore
  images:
    - { match: ["**"], strength: mandatory, require: { anyOf: [release, ops, internal] } }
    - { match: ["ghcr.io/acme/**"], require: { allOf: [release] } }
    - { match: ["ghcr.io/acme/critical/*"], require: { atLeast: 2, of: [release, ops] } }
"#,
    );
    let ended = program.run(&["trust", "explain", "ghcr.io/acme/critical/app:v1", "--trust-policy", &policy]);
    ended.says(0, &[]);
    insta::assert_snapshot!("trust_explain", ended.out);
    program.run(&["trust", "explain", "x", "--key", "missing.pub"]).says(2, &["cannot read missing.pub"]);
}
