//! Fixtures behind a registry: the whole program over loopback, with what it keeps on disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jiff::Timestamp;
use seaworthy::model::{Ask, Digest, OCI_INDEX, Outcome};
use seaworthy::registry::Layout;
use serde_json::{Value, json};

use super::bundle::{Log, Proofs, Version, statement};
use super::kept;
use super::layout::image;
use super::sigstore::{GITHUB, Sigstore, WORKFLOW, signed_at, workflow};
use crate::cli::{Ended, Program};
use crate::scripted_registry::{Asked, Reply, ScriptedRegistry};

/// A registry that serves a layout as each of its repositories; which one can be changed.
struct Served {
    registry: ScriptedRegistry,
    shelf: Arc<Mutex<Layout>>,
    _runtime: tokio::runtime::Runtime,
}

fn layout(name: &str) -> Layout {
    Layout::open(&kept::directory().join(name)).unwrap()
}

impl Served {
    fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shelf = Arc::new(Mutex::new(layout(name)));
        let served = Arc::clone(&shelf);
        let registry = runtime.block_on(ScriptedRegistry::start(move |asked| answer(&served.lock().unwrap(), asked).into()));
        Self { registry, shelf, _runtime: runtime }
    }

    fn serve(&self, name: &str) {
        *self.shelf.lock().unwrap() = layout(name);
    }

    /// What C-0236 says of the image under `v1`.
    fn says(&self, program: &Program, policy: &str) -> String {
        self.control(
            program,
            "C-0236",
            &["--trust-policy", kept::directory().join("trust").join(policy).with_extension("yaml").to_str().unwrap()],
        )
    }

    /// What a control says of it: `unconfigured` and `irrelevant` are answers too.
    fn control(&self, program: &Program, control: &str, more: &[&str]) -> String {
        let reference = format!("{}/ledgerhq/signed-app:v1", self.registry.host());
        let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
        let arguments = ["scan", "image", &reference, "--control", control, "--offline", "-f", "json"];
        let report = program.run(&[&arguments[..], &loopback, more].concat()).json();
        let Some(finding) = report["findings"].get(0) else {
            let outcome = &report["controls"][0];
            let answer = &outcome["answer"];
            let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str()).unwrap_or_default();
            return format!("{} {code}", answer["status"].as_str().or(outcome["status"].as_str()).unwrap_or("?")).trim().to_owned();
        };
        let answer = &finding["containers"][0]["answer"];
        let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str()).unwrap_or_default();
        format!("{} {code}", answer["status"].as_str().unwrap()).trim().to_owned()
    }
}

/// What `verify image` prints, and how it ends.
fn verified(name: &str, policy: &str, more: &[&str]) -> (Option<i32>, String) {
    let served = Served::new(name);
    let host = served.registry.host().to_string();
    let reference = format!("{host}/ledgerhq/signed-app:v1");
    let policy = kept::directory().join("trust").join(policy).with_extension("yaml");
    let arguments = ["verify", "image", &reference, "--trust-policy", policy.to_str().unwrap(), "--offline", "--at", "2026-11-02"];
    let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
    let ended = Program::new().run(&[&arguments[..], &loopback, more].concat());
    let root = kept::directory().display().to_string();
    (ended.code, ended.out().replace(&host, "registry.test").replace(&root, "fixtures/signatures"))
}

/// Text without what a regeneration of the fixtures changes: digests, and the numbers of entries.
fn lasting(text: &str) -> String {
    let digests = regex::Regex::new("[0-9a-f]{12,}").unwrap();
    let entries = regex::Regex::new("entry [0-9]+").unwrap();
    let text = entries.replace_all(text, "entry N").into_owned();
    let text = digests.replace_all(&text, "…").into_owned();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_images_signatures_are_shown_step_by_step() {
    let mut shown = String::new();
    for (name, policy) in [
        ("bundle", "keyless"),
        ("legacy-keyless", "keyless"),
        ("key-legacy-p256", "keys"),
        ("copied-legacy", "keyless"),
        ("certificate-expired", "keyless"),
        ("copied-and-good", "keyless"),
        ("by-other-workflow", "keyless"),
        ("unsigned", "keyless"),
    ] {
        let (code, text) = verified(name, policy, &[]);
        shown.push_str(&format!("=== {name} under {policy}: exit {}\n{}\n\n", code.unwrap(), lasting(&text)));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn an_image_that_cannot_be_asked_about_is_not_known() {
    let policy = kept::directory().join("trust/keyless.yaml");
    let verify = |reference: &str| {
        let arguments = ["verify", "image", reference, "--trust-policy", policy.to_str().unwrap(), "--offline", "--registry-timeout", "2s"];
        Program::new().run(&[&arguments[..], &["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1"]].concat())
    };
    let dead = verify("127.0.0.1:1/app:v1");
    assert_eq!((dead.code, dead.out().lines().next()), (Some(3), Some("UNKNOWN (connection): 127.0.0.1:1/app:v1")));
    let malformed = verify("127.0.0.1:1/App:v1");
    assert_eq!((malformed.code, malformed.out().lines().next()), (Some(1), Some("REJECTED (malformed-reference): 127.0.0.1:1/App:v1")));
}

#[test]
fn kubescapes_keys_are_trusted_as_kubescape_has_them() {
    let program = Program::new();
    let key = std::fs::read_to_string(kept::directory().join("trust/p256.pub")).unwrap();
    let config = program.file("config.json", &json!({ "trustedCosignPublicKeys": [key] }).to_string());
    let says = |name: &str, control: &str, more: &[&str]| Served::new(name).control(&program, control, more);
    let with = ["--controls-config", config.as_str()];
    assert_eq!(says("key-legacy-p256", "C-0236", &with), "passed", "log and time are optional");
    assert_eq!(says("key-legacy-p384", "C-0236", &with), "failed key-mismatch");
    let pem = kept::directory().join("trust/p384.pub");
    assert_eq!(says("key-legacy-p384", "C-0236", &["--key", pem.to_str().unwrap()]), "passed", "--key for a quick look");
    assert_eq!(says("key-legacy-p256", "C-0236", &[]), "unconfigured", "nobody is trusted unless somebody says so");
    // They are C-0236's own: no other control is answered by them.
    for control in ["SW-0006", "SW-0007", "SW-0010", "SW-0011"] {
        assert_eq!(says("key-legacy-p256", control, &with), "unconfigured", "{control}");
    }
}

#[test]
fn what_the_policies_leave_alone_neither_holds_up_nor_carries_a_rule() {
    let program = Program::new();
    let control = |number: u8, rule: &str| {
        format!(
            "apiVersion: seaworthy.dev/v1alpha1\nkind: Control\nmetadata: {{ name: x }}\nspec:\n  id: ACME-{number}\n  title: T\n  severity: 5\n  rationale: R\n  rule: {rule}\n"
        )
    };
    let verified = "{ signature: { verified: { by: { trustPolicy: {} } } } }";
    program.file("controls/1.yaml", &control(1, &format!("{{ all: [{verified}, {{ reference: {{ wellFormed: {{}} }} }}] }}")));
    program.file("controls/2.yaml", &control(2, &format!("{{ any: [{verified}, {{ reference: {{ pinnedToDigest: {{}} }} }}] }}")));
    let directory = program.home().join("controls");
    let policy = kept::directory().join("trust/uncovered-ignored.yaml");
    let more = ["--only-controls", directory.to_str().unwrap(), "--trust-policy", policy.to_str().unwrap()];
    let served = Served::new("bundle");
    assert_eq!(served.control(&program, "ACME-1", &more), "passed");
    assert_eq!(served.control(&program, "ACME-2", &more), "failed reference-not-pinned");
    // Whatever the rules are about: what is revoked is not left alone.
    let text = std::fs::read_to_string(&policy).unwrap();
    let image = image().to_string();
    let revoking = program.file("revoking.yaml", &format!("{text}\n  revocations: [{{ imageDigest: '{image}', reason: backdoor }}]\n"));
    assert_eq!(served.control(&program, "C-0236", &["--trust-policy", policy.to_str().unwrap()]), "irrelevant");
    assert_eq!(served.control(&program, "C-0236", &["--trust-policy", &revoking]), "failed revoked");
    assert_eq!(served.control(&program, "ACME-1", &[&more[..2], &["--trust-policy", &revoking]].concat()), "failed revoked");
}

#[test]
fn controls_ask_for_more_than_the_policy_does() {
    let program = Program::new();
    let says = |name: &str, control: &str, policy: &str| {
        let policy = kept::directory().join("trust").join(policy).with_extension("yaml");
        Served::new(name).control(&program, control, &["--trust-policy", policy.to_str().unwrap()])
    };
    let expected = [
        ("SW-0006", "bundle", "keyless", "passed"),
        ("SW-0006", "key-legacy-p256", "key", "failed identity-mismatch"),
        ("SW-0007", "bundle", "keyless", "passed"),
        ("SW-0007", "key-legacy-p256", "key", "failed log-entry-missing"),
        ("SW-0007", "key-bundle-p256", "keys", "passed"),
        ("SW-0008", "bundle", "keyless", "passed"),
        ("SW-0008", "key-legacy-p256", "key", "failed timestamp-missing"),
        ("SW-0009", "signed-by-two-keys", "both-keys", "passed"),
        ("SW-0009", "key-legacy-p256", "keys", "failed too-few-authorities"),
        ("SW-0010", "bundle", "keyless", "passed"),
        ("SW-0010", "bundle", "uncovered", "failed"),
        ("SW-0011", "bundle", "keyless", "passed"),
        ("SW-0011", "bundle", "key", "failed"),
        ("C-0236", "bundle", "uncovered-ignored", "irrelevant"),
    ];
    let found: Vec<_> = expected.iter().map(|(control, name, policy, _)| (*control, *name, *policy, says(name, control, policy))).collect();
    let found: Vec<_> = found.iter().map(|(control, name, policy, said)| (*control, *name, *policy, said.as_str())).collect();
    assert_eq!(found, expected);
}

/// As the distribution specification has it.
pub fn answer(layout: &Layout, asked: &Asked) -> Reply {
    let path = asked.target.split('?').next().unwrap();
    let (kind, last) = path.rsplit_once('/').unwrap();
    let digest = last.parse::<Digest>();
    let ask = match (kind.rsplit('/').next(), digest) {
        (Some("manifests"), Ok(digest)) => Ask::Content(digest),
        (Some("manifests"), Err(_)) => match layout.answer(&Ask::Tag(last.into()), Timestamp::UNIX_EPOCH).0.outcome {
            Outcome::Found(found) => Ask::Content(found[0].digest.clone()),
            _ => return missing(),
        },
        (Some("blobs"), Ok(digest)) => Ask::Blob(digest),
        (Some("referrers"), Ok(digest)) => Ask::Referrers(digest),
        _ => return missing(),
    };
    let (answered, body) = layout.answer(&ask, Timestamp::UNIX_EPOCH);
    match (&ask, answered.outcome, body) {
        (Ask::Referrers(_), Outcome::Found(found), _) => Reply::new(200).body(OCI_INDEX, index(&found)),
        (Ask::Referrers(_), _, _) => Reply::new(200).body(OCI_INDEX, index(&[])),
        (_, Outcome::Found(found), Some(bytes)) => {
            let digest = found[0].digest.to_string();
            Reply::new(200).header("docker-content-digest", &digest).body(&found[0].media_type, bytes.to_vec())
        }
        _ => missing(),
    }
}

fn index(found: &[seaworthy::model::Descriptor]) -> String {
    let listed: Vec<Value> = found
        .iter()
        .map(|entry| json!({ "mediaType": entry.media_type, "digest": entry.digest.to_string(), "size": entry.size, "annotations": entry.annotations }))
        .collect();
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed }).to_string()
}

fn missing() -> Reply {
    Reply::new(404).body("application/json", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
}

#[test]
fn evidence_that_was_verified_is_not_believed_beside_another_image() {
    let served = Served::new("legacy-keyless");
    let program = Program::new();
    for _ in 0..2 {
        assert_eq!(served.says(&program, "keyless"), "passed");
    }
    served.serve("copied-same-manifest");
    for _ in 0..2 {
        assert_eq!(served.says(&program, "keyless"), "failed digest-mismatch");
    }
    served.serve("legacy-keyless");
    assert_eq!(served.says(&program, "keyless"), "passed");
    assert_eq!(served.says(&program, "revoked-identity"), "failed revoked", "what a policy says is never kept");
    assert_eq!(served.says(&program, "root-stranger"), "failed log-signature-invalid", "nor is a result for another root");
}

/// Every file under a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The result of a good signature in the place of that of a bad one: kept by the same user under the same key.
#[test]
fn results_in_the_place_of_others_change_nothing() {
    let program = Program::new();
    let served = Served::new("bundle");
    let results =
        || -> BTreeSet<_> { files(program.home()).into_iter().filter(|path| path.to_str().unwrap().contains("/results/")).collect() };
    assert_eq!(served.says(&program, "keyless"), "passed");
    let good = results();
    served.serve("set-changed-time");
    assert_eq!(served.says(&program, "keyless"), "failed log-signature-invalid");
    let bad: Vec<_> = results().difference(&good).cloned().collect();
    assert!(!good.is_empty() && !bad.is_empty(), "{good:?} {bad:?}");
    for source in &good {
        for target in &bad {
            std::fs::copy(source, target).unwrap();
            assert_eq!(served.says(&program, "keyless"), "failed log-signature-invalid");
        }
    }
}

/// What a build could have written decides nothing in a CI, unless somebody says that it may.
#[test]
fn results_are_kept_in_a_ci_only_where_that_is_asked_for() {
    let served = Served::new("bundle");
    let program = Program::new();
    let reference = format!("{}/ledgerhq/signed-app:v1", served.registry.host());
    let policy = kept::directory().join("trust/keyless.yaml");
    let verify = |more: &[&str]| {
        let arguments = ["verify", "image", &reference, "--trust-policy", policy.to_str().unwrap(), "--offline"];
        let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
        let ended = program.run_in_ci(&[&arguments[..], &loopback, more].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        // Beside the results lies the key that they are authenticated with.
        let results = files(program.home()).into_iter().filter(|path| path.to_str().unwrap().contains("/results/"));
        results.filter(|path| !path.ends_with("key")).collect::<Vec<_>>()
    };
    assert_eq!(verify(&[]), Vec::<std::path::PathBuf>::new());
    // Tomorrow's clock may say something else of a moment that is still to come.
    assert_eq!(verify(&["--cache-results-in-ci", "--at", "2044-01-01T00:00:00Z"]), Vec::<std::path::PathBuf>::new());
    assert!(!verify(&["--cache-results-in-ci"]).is_empty());
}

/// The first `root.json` of a TUF repository: one key in every role.
fn first_root() -> String {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let role = json!({ "keyids": ["first"], "threshold": 1 });
    let signed = json!({
        "_type": "root", "spec_version": "1.0.0", "version": 1, "expires": "2999-01-01T00:00:00Z", "consistent_snapshot": true,
        "keys": { "first": { "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex(key.public_key().as_ref()) } } },
        "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
    });
    let signature = key.sign(&sigstore_tuf::canonical_json::to_canonical_bytes(&signed).unwrap());
    json!({ "signatures": [{ "keyid": "first", "sig": hex(signature.as_ref()) }], "signed": signed }).to_string()
}

/// A trust root of a mirror, a live scan, and `--offline`: nobody connects to the mirror, and what needs it is not known.
#[test]
fn offline_a_live_scan_asks_registries_alone() {
    let mirror = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    mirror.set_nonblocking(true).unwrap();
    let served = Served::new("bundle");
    let program = Program::new();
    let text = std::fs::read_to_string(kept::directory().join("trust/keyless.yaml")).unwrap();
    let root = Value::from(first_root());
    let of_mirror = format!("tuf: {{ url: \"http://{}\", root: {{ data: {root} }} }}", mirror.local_addr().unwrap());
    assert!(text.contains("file: trusted_root.json"));
    let policy = program.file("policy.yaml", &text.replace("file: trusted_root.json", &of_mirror));
    assert_eq!(served.control(&program, "C-0236", &["--trust-policy", &policy]), "unknown trust-root-unavailable");
    assert_eq!(served.control(&program, "C-0237", &["--trust-policy", &policy]), "passed", "what needs no root goes on");
    assert!(mirror.accept().is_err(), "somebody connected to the mirror");
    // Otherwise it would have been asked.
    let reference = format!("{}/ledgerhq/signed-app:v1", served.registry.host());
    let (host, plain) = (["--allow-host", "127.0.0.1"], ["--plain-http", "127.0.0.1", "--timeout", "2s"]);
    program.run(&[&["scan", "image", &reference, "--control", "C-0236", "--trust-policy", &policy], &host[..], &plain].concat());
    assert!(mirror.accept().is_ok(), "nobody connected to the mirror");
}

/// Every extension that a policy can name, exactly and by expression: what the certificate says passes, anything else does not.
#[test]
fn every_extension_of_fulcio_can_be_asked_for() {
    let commit = "6f1c2a9be0d34f5a8f7c1e2d3b4a5968778695a4";
    let workflow = WORKFLOW;
    let said = [
        ("githubWorkflowTrigger", "push"),
        ("githubWorkflowSha", commit),
        ("githubWorkflowName", "Release"),
        ("githubWorkflowRepository", "LedgerHQ/signed-images"),
        ("githubWorkflowRef", "refs/tags/v1.4.0"),
        ("buildSignerUri", workflow),
        ("buildSignerDigest", commit),
        ("runnerEnvironment", "github-hosted"),
        ("sourceRepositoryUri", "https://github.com/LedgerHQ/signed-images"),
        ("sourceRepositoryDigest", commit),
        ("sourceRepositoryRef", "refs/tags/v1.4.0"),
        ("sourceRepositoryIdentifier", "735201846"),
        ("sourceRepositoryOwnerUri", "https://github.com/LedgerHQ"),
        ("sourceRepositoryOwnerIdentifier", "9919501"),
        ("buildConfigUri", workflow),
        ("buildConfigDigest", commit),
        ("buildTrigger", "push"),
        ("runInvocationUri", "https://github.com/LedgerHQ/signed-images/actions/runs/9514803377/attempts/1"),
        ("sourceRepositoryVisibilityAtSigning", "public"),
        ("deploymentEnvironment", "release"),
        ("tokenSubject", "repo:LedgerHQ/signed-images:ref:refs/tags/v1.4.0"),
    ];
    let served = Served::new("bundle");
    let program = Program::new();
    let root = kept::directory().join("trust/trusted_root.json");
    let says = |exact: &Value, regexp: &Value| {
        let policy = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": { "name": "p" },
            "spec": {
                "trustRoots": { "own": { "file": root } },
                "authorities": { "release": { "keyless": {
                    "trustRoot": "own", "issuer": { "exact": GITHUB }, "subject": { "exact": workflow },
                    "extensions": exact, "extensionsRegexp": regexp,
                } } },
                "images": [{ "match": ["**"], "require": { "anyOf": ["release"] } }],
            },
        });
        let policy = program.file("policy.yaml", &policy.to_string());
        served.control(&program, "C-0236", &["--trust-policy", &policy])
    };
    let all: Value = said.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect::<serde_json::Map<_, _>>().into();
    let escaped = said.iter().map(|(name, text)| ((*name).to_owned(), Value::from(regex::escape(text))));
    let escaped: Value = escaped.collect::<serde_json::Map<_, _>>().into();
    assert_eq!(says(&all, &json!({})), "passed");
    assert_eq!(says(&json!({}), &escaped), "passed");
    for (name, text) in said {
        assert_eq!(says(&json!({ name: format!("{text}x") }), &json!({})), "failed extension-mismatch", "{name}");
        // A part of it: expressions are anchored.
        let part: String = text.chars().skip(1).collect();
        assert_eq!(says(&json!({}), &json!({ name: regex::escape(&part) })), "failed extension-mismatch", "{name} by expression");
    }
}

/// Evidence that does not lie beside the image: in another repository, and under a prefix.
#[test]
fn the_policy_says_where_else_evidence_lies() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let signed = layout("key-legacy-p256");
    let registry = runtime.block_on(ScriptedRegistry::start(move |asked| {
        let elsewhere = asked.target.starts_with("/v2/signatures/");
        let mut asked = asked.clone();
        if asked.target.contains("/manifests/signed-sha256-") {
            asked.target = asked.target.replace("/signed-sha256-", "/sha256-");
        } else if asked.target.ends_with(".sig") && !elsewhere {
            return missing().into();
        }
        answer(&signed, &asked).into()
    }));
    let program = Program::new();
    let says = |evidence: &Value| {
        let key = kept::directory().join("trust/p256.pub");
        let policy = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": { "name": "p" },
            "spec": {
                "authorities": { "ops": { "key": { "file": key } } },
                "images": [{ "match": ["**"], "require": { "anyOf": ["ops"] } }],
                "evidence": evidence,
            },
        });
        let policy = program.file("policy.yaml", &policy.to_string());
        let reference = format!("{}/ledgerhq/signed-app:v1", registry.host());
        let arguments = ["verify", "image", &reference, "--trust-policy", &policy, "--offline", "--no-cache"];
        let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
        program.run(&[&arguments[..], &loopback].concat()).code
    };
    let repository = format!("{}/signatures/{{path}}", registry.host());
    assert_eq!(says(&json!([])), Some(1), "absent beside the image");
    assert_eq!(says(&json!([{ "match": ["**"], "places": [{ "repository": repository }] }])), Some(0));
    assert_eq!(says(&json!([{ "match": ["**"], "places": [{ "tagPrefix": "signed-" }] }])), Some(0));
    assert_eq!(says(&json!([{ "match": ["**"], "places": [{ "tagPrefix": "other-" }] }])), Some(1));
    assert_eq!(says(&json!([{ "match": ["elsewhere.test/**"], "places": [{ "tagPrefix": "signed-" }] }])), Some(1), "of other images");
    assert_eq!(says(&json!([{ "match": ["**"], "authoritative": false }])), Some(3), "a mirror proves no absence");
}

/// What `verify bundle` says of a bundle over the shared image, by the workflow.
fn verify_bundle(program: &Program, root: &str, bundle: &str) -> Ended {
    let arguments = ["verify", "bundle", "--bundle", bundle, "--trusted-root", root, "--offline", "--at", "2026-11-02"];
    program.run(&[&arguments[..], &["--identity", WORKFLOW, "--issuer", GITHUB, &image().to_string()]].concat())
}

/// A time that is written with fractions is one that the library does not read: nobody knows whether it holds.
#[test]
fn a_time_stamp_with_fractions_is_not_known() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&workflow(WORKFLOW));
    let program = Program::new();
    let root = program.file("root.json", &sigstore.trusted_root().to_string());
    let verify = |at: Timestamp| {
        let proofs = Proofs::new(Log::V2, true).at(at);
        let bundle = sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), proofs);
        let bundle = program.file("bundle.json", &bundle.to_string());
        verify_bundle(&program, &root, &bundle)
    };
    assert_eq!(verify(signed_at()).code, Some(0));
    let ended = verify(signed_at() + jiff::SignedDuration::from_millis(250));
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(ended.out().contains("UNKNOWN (unsupported-format)") && ended.out().contains("fractions of a second"), "{}", ended.out());
}

/// What runs and what is in registries cannot be rewound: a report as of a moment says so.
#[test]
fn a_report_as_of_a_moment_marks_what_is_of_today() {
    let served = Served::new("bundle");
    let program = Program::new();
    let policy = kept::directory().join("trust/keyless.yaml");
    let reference = format!("{}/ledgerhq/signed-app:v1", served.registry.host());
    let scan = |more: &[&str]| {
        let arguments = ["scan", "image", &reference, "--control", "C-0236", "--trust-policy", policy.to_str().unwrap(), "--offline"];
        program.run(&[&arguments[..], &["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1"], more].concat())
    };
    assert_eq!(scan(&["-f", "json"]).json()["header"]["rewound"], false);
    let report = scan(&["--at", "2026-11-02T00:00:00Z", "-f", "json"]).json();
    assert_eq!((&report["header"]["rewound"], &report["header"]["asOf"]), (&true.into(), &"2026-11-02T00:00:00Z".into()));
    assert!(
        scan(&["--at", "2026-11-02T00:00:00Z"])
            .out()
            .contains("as asked (tags, registries and what runs: as they were when they were asked)")
    );
}

/// Each stamp and each entry costs a verification: beyond what signers write nobody looks.
#[test]
fn proofs_without_number_are_not_looked_at() {
    let sigstore = Sigstore::new();
    let signer = sigstore.signer(&workflow(WORKFLOW));
    let program = Program::new();
    let root = program.file("root.json", &sigstore.trusted_root().to_string());
    let bundle = sigstore.envelope_bundle(Version::V03, &signer, &statement(&image()), Proofs::new(Log::V2, true));
    for (pointer, what) in [
        ("/verificationMaterial/timestampVerificationData/rfc3161Timestamps", "time stamps"),
        ("/verificationMaterial/tlogEntries", "log entries"),
    ] {
        let mut many = bundle.clone();
        let list = many.pointer_mut(pointer).unwrap().as_array_mut().unwrap();
        *list = vec![list[0].clone(); 33];
        let file = program.file("bundle.json", &many.to_string());
        let ended = verify_bundle(&program, &root, &file);
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        assert!(ended.out().contains("UNKNOWN (too-large)") && ended.out().contains(what), "{}", ended.out());
    }
}
