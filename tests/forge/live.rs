//! Fixtures behind a registry: the whole program over loopback, with what it keeps on disk.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use seaworthy::model::{Ask, Digest, OCI_INDEX, Outcome};
use seaworthy::registry::Layout;
use serde_json::{Value, json};

use super::kept;
use crate::cli::Program;
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
fn answer(layout: &Layout, asked: &Asked) -> Reply {
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
