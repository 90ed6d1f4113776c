//! GitHub's attestation store, seen from the command line.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seaworthy::model::Digest;

use super::registry::{LOOPBACK, Running, Shelf};
use super::{Ended, Program};
use crate::scripted_registry::{Asked, Reply};
use crate::world::{COSIGN_SIGN, bundle, key};

const TOKEN: &str = "ghp_planted-token-6";

/// A store that shows one bundle about an image, to whoever has the token.
fn holding(bundle: String) -> Running {
    Running::new(move |asked: &Asked| match asked.header("authorization") {
        Some(shown) if shown == format!("Bearer {TOKEN}") && asked.target.contains("/attestations/") => {
            Reply::new(200).body("application/json", format!(r#"{{"attestations":[{{"bundle":{bundle}}}]}}"#)).into()
        }
        _ => Reply::new(404).body("application/json", r#"{"message":"Not Found"}"#).into(),
    })
}

fn policy(program: &Program, store: &Running) -> String {
    let key = STANDARD.encode(key().public_key().as_der().unwrap().as_ref());
    let text = format!(
        "apiVersion: seaworthy.dev/v1alpha1
kind: TrustPolicy
metadata: {{ name: production }}
spec:
  authorities: {{ ops: {{ key: {{ data: \"-----BEGIN PUBLIC KEY-----\\n{key}\\n-----END PUBLIC KEY-----\\n\" }} }} }}
  images: [{{ match: ['**'], require: {{ anyOf: [ops] }} }}]
  evidence: [{{ match: ['**'], places: [{{ github: {{ repository: '{{path}}', api: 'http://{}/api/v3' }} }}] }}]
",
        store.registry.host()
    );
    program.file("policy.yaml", &text)
}

fn run(program: &Program, token: bool, arguments: &[&str]) -> Ended {
    let mut command = program.command(&[arguments, &LOOPBACK].concat());
    // One for github.com is no business of this server.
    command.env("GH_TOKEN", "ghp_for-github-com");
    if token {
        command.env("GH_ENTERPRISE_TOKEN", TOKEN);
    }
    command.output().unwrap().into()
}

fn unsigned() -> (Running, Digest) {
    let (shelf, image) = Shelf::unsigned();
    (Running::shelf(shelf), image)
}

#[test]
fn what_lies_there_alone_is_found_verified_and_kept_without_the_token() {
    let (images, image) = unsigned();
    let store = holding(bundle(COSIGN_SIGN, &image));
    let program = Program::new();
    let policy = policy(&program, &store);
    let reference = images.reference();
    let controls = ["--control", "C-0236,C-0237", "--offline", "-f", "json"];
    let arguments = [&["scan", "image", &reference, "--trust-policy", &policy, "--timings"], &controls[..]].concat();
    let seen = run(&program, true, &arguments);
    assert_eq!(seen.code, Some(0), "{seen:#?}");
    assert!(seen.out.contains(r#""foundBy": "githubStore""#), "{seen:#?}");
    assert!(seen.err.contains(&format!("  {}: 1 requests (attestations 1;", store.registry.host())), "{seen:#?}");
    assert!(store.registry.asked()[0].target.starts_with("/api/v3/repos/acme/app/attestations/sha256:"));
    // Without the token the store hides, and nothing is absent.
    let hidden = run(&program, false, &arguments);
    assert_eq!(hidden.code, Some(3), "{hidden:#?}");
    assert!(hidden.out.contains("evidence-location-incomplete"), "{hidden:#?}");
    assert!(store.registry.asked().iter().all(|asked| !format!("{asked:?}").contains("ghp_for-github-com")));
    let target = program.home().join("kept");
    let target = target.to_str().unwrap();
    let taken = run(&program, true, &["snapshot", "--image", &reference, "--trust-policy", &policy, "-o", target]);
    assert_eq!(taken.code, Some(0), "{taken:#?}");
    let before = store.count();
    let again = program.run(&[&["scan", "--snapshot", target, "--trust-policy", &policy], &controls[..]].concat());
    assert_eq!((again.code, store.count()), (Some(0), before), "{again:#?}");
    // A policy of later names a store that was not asked.
    let text = std::fs::read_to_string(&policy).unwrap().replace("'{path}'", "'acme/other'");
    let later = program.file("later.yaml", &text);
    program.run(&[&["scan", "--snapshot", target, "--trust-policy", &later], &controls[..]].concat()).prints(3, &["not-captured"]);
    for ended in [&seen, &hidden, &taken, &again] {
        assert!(!format!("{ended:?}").contains("ghp_"), "{ended:#?}");
    }
    for file in super::kept::files(program.home()) {
        assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains("ghp_"), "{}", file.display());
    }
}

#[test]
fn the_host_is_named_before_it_is_asked_and_examined() {
    let (images, image) = unsigned();
    let store = holding(bundle(COSIGN_SIGN, &image));
    let program = Program::new();
    let policy = policy(&program, &store);
    let reference = images.reference();
    let host = store.registry.host();
    let dry = run(&program, true, &["scan", "image", &reference, "--control", "C-0237", "--trust-policy", &policy, "--dry-run"]);
    dry.prints(0, &[&host]);
    assert_eq!(store.count(), 0);
    let doctor = |token| run(&program, token, &["doctor", "--image", &reference, "--trust-policy", &policy]);
    doctor(true).prints(
        3,
        &[&format!("FAIL  {host}: GitHub attestations of acme/app at {host}: it is not there, or hides"), "GH_ENTERPRISE_TOKEN"],
    );
    let open = Running::new(|_| Reply::new(200).body("application/json", r#"{"full_name":"acme/app","private":false}"#).into());
    let policy = self::policy(&program, &open);
    run(&program, false, &["doctor", "--image", &reference, "--trust-policy", &policy]).prints(0, &["all can be seen"]);
}

#[test]
fn several_servers_and_one_token_are_told() {
    let (images, image) = unsigned();
    let store = holding(bundle(COSIGN_SIGN, &image));
    let program = Program::new();
    let text = std::fs::read_to_string(policy(&program, &store)).unwrap();
    let other = "{ github: { owner: acme, api: 'https://ghe.acme.test/api/v3' } }";
    let both = program.file("both.yaml", &text.replace("places: [", &format!("places: [{other}, ")));
    let ended = run(&program, true, &["scan", "image", &images.reference(), "--control", "C-0237", "--trust-policy", &both, "--offline"]);
    ended.says(3, &["GH_ENTERPRISE_TOKEN is sent to nobody"]);
    assert!(store.registry.asked().iter().all(|asked| asked.header("authorization").is_none()));
}
