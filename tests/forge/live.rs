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
        let reference = format!("{}/ledgerhq/signed-app:v1", self.registry.host());
        let policy = kept::directory().join("trust").join(policy).with_extension("yaml");
        let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
        let arguments =
            ["scan", "image", &reference, "--control", "C-0236", "--trust-policy", policy.to_str().unwrap(), "--offline", "-f", "json"];
        let ended = program.run(&[&arguments[..], &loopback].concat());
        let report = ended.json();
        let answer = &report["findings"][0]["containers"][0]["answer"];
        let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str()).unwrap_or_default();
        format!("{} {code}", answer["status"].as_str().unwrap()).trim().to_owned()
    }
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
