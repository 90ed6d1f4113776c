//! Evidence of real servers, as it lies on disk: what the whole program says of it under each root.

use std::collections::BTreeMap;
use std::path::Path;

use seaworthy::model::{Algorithm, Digest, OCI_MANIFEST};
use serde_json::json;

use super::table::{Row, expected};
use super::walk;
use crate::cli::Program;
use crate::scripted_registry::{Asked, Reply, ScriptedRegistry};

const PRIVATE: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";
const OLD_PUBLIC: &str = "sha256:a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925";
const PUBLIC: &str = "sha256:e0a0a765d690a5104331cfbac88ebbbf01736c1f87aaa3cd455c516a5ea586a5";

/// A directory with these layouts and a policy for each root: whoever the private Sigstore calls the builder.
fn laid_out() -> tempfile::TempDir {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let directory = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures.join("layouts")).unwrap().map(|entry| entry.unwrap()) {
        if entry.path().is_dir() {
            std::os::unix::fs::symlink(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
    }
    std::fs::create_dir(directory.path().join("trust")).unwrap();
    for (name, root, log) in [
        ("second-log", "trusted_root.json", "required"),
        ("both-logs", "trusted_root.both.json", "required"),
        ("log-optional", "trusted_root.json", "optional"),
        ("no-ct", "negative/tr.noct.json", "required"),
        ("no-log", "negative/tr.norekor.json", "required"),
        ("no-times", "negative/tr.notsa.json", "required"),
        ("other-ca", "negative/tr.otherca.json", "required"),
    ] {
        let policy = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": { "name": name },
            "spec": {
                "trustRoots": { "own": { "file": fixtures.join("vectors/trust").join(root) } },
                "authorities": { "builder": {
                    "keyless": {
                        "trustRoot": "own",
                        "issuer": { "exact": "https://127.0.0.1:16443" },
                        "subject": { "exact": "https://kubernetes.io/namespaces/ci/serviceaccounts/builder" },
                    },
                    "transparencyLog": log,
                } },
                "images": [{ "match": ["**"], "require": { "anyOf": ["builder"] } }],
            },
        });
        std::fs::write(directory.path().join(format!("trust/{name}.yaml")), policy.to_string()).unwrap();
    }
    directory
}

#[test]
#[cfg(unix)]
fn what_real_servers_made_gets_its_verdict_from_disk() {
    let cases = [
        ("bundle-oci-layout", PRIVATE, "second-log", "pass", "verified"),
        ("bundle-oci-layout", PRIVATE, "both-logs", "pass", "verified"),
        ("bundle-oci-layout", PRIVATE, "no-ct", "pass", "rejected sct-invalid"),
        ("bundle-oci-layout", PRIVATE, "no-log", "pass", "rejected log-signature-invalid"),
        ("bundle-oci-layout", PRIVATE, "no-times", "pass", "rejected timestamp-invalid"),
        ("bundle-oci-layout", PRIVATE, "other-ca", "pass", "rejected certificate-untrusted"),
        ("skopeo-bundle", PRIVATE, "second-log", "pass", "verified"),
        ("skopeo-bundle", PRIVATE, "other-ca", "pass", "rejected certificate-untrusted"),
        ("legacy-rekor1-cosign-save", PRIVATE, "both-logs", "pass", "verified"),
        ("legacy-rekor1-cosign-save", PRIVATE, "second-log", "pass", "rejected log-signature-invalid"),
        ("legacy-tsa-cosign-save", PRIVATE, "log-optional", "pass", "verified"),
        ("legacy-tsa-cosign-save", PRIVATE, "second-log", "pass", "rejected log-entry-missing"),
        ("notation", PRIVATE, "second-log", "pass", "unknown unsupported-format"),
        // Attestations alone: they are no signatures of the image.
        ("slsa-container-v1.4.0", OLD_PUBLIC, "second-log", "fail absent", "absent"),
        ("slsa-container-v1.10.0", PUBLIC, "second-log", "fail absent", "absent"),
    ];
    let directory = laid_out();
    let mut wrong = Vec::new();
    for policy in cases.iter().map(|case| case.2).collect::<std::collections::BTreeSet<_>>() {
        let cases: Vec<_> = cases.iter().filter(|case| case.2 == policy).collect();
        let rows: Vec<Row> = cases
            .iter()
            .map(|(layout, digest, policy, ..)| {
                let mut row = Row::of(layout, policy);
                row.runs = Some((*digest).to_owned());
                row.image = Some(format!("registry.test/{layout}:v1@{{running}}"));
                row
            })
            .collect();
        let said: BTreeMap<_, _> = walk::judged(&rows.iter().collect::<Vec<_>>(), directory.path(), policy, None);
        for (layout, _, _, exists, valid) in cases {
            for (control, word) in [("C-0237", exists), ("C-0236", valid)] {
                let have = said.get(&((*layout).to_owned(), control.to_owned()));
                if have != Some(&expected(word)) {
                    wrong.push(format!("{layout} under {policy}: {control} should say {word:?} and says {have:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a registry said when it was asked: by the last part of the path, with status, content type and body.
pub struct Recorded(BTreeMap<String, (u16, String, Vec<u8>)>);

impl Recorded {
    /// The answers in a directory, and the blobs of the image; `bundles` where the registry's own are at hand.
    pub fn read(directory: &Path, bundles: Option<&Path>) -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut answers = BTreeMap::new();
        let mut put = |name: String, media_type: &str, bytes: Vec<u8>| answers.insert(name, (200, media_type.to_owned(), bytes));
        let named = |bytes: &[u8]| Digest::of(Algorithm::Sha256, bytes).to_string();
        for blob in std::fs::read_dir(fixtures.join("layouts/bundle-oci-layout/blobs/sha256")).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(&blob).unwrap();
            // Of the layout only the image: evidence is the registry's own.
            if named(&bytes) == PRIVATE {
                put(PRIVATE.to_owned(), OCI_MANIFEST, bytes);
            }
        }
        for file in bundles.into_iter().flat_map(|bundles| std::fs::read_dir(bundles).unwrap()).map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(&file).unwrap();
            put(named(&bytes), "application/octet-stream", bytes);
        }
        let tag = PRIVATE.replace(':', "-");
        for file in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = std::fs::read(&file).unwrap();
            match file.file_name().unwrap().to_str().unwrap() {
                "fallback-tag-index.json" => _ = put(tag.clone(), "application/vnd.oci.image.index.v1+json", bytes),
                "manifest.sig.json" => _ = put(format!("{tag}.sig"), OCI_MANIFEST, bytes),
                "referrers-api.json" if bytes.windows(11).any(|part| part == b"\"manifests\"") => {
                    put("referrers".to_owned(), "application/vnd.oci.image.index.v1+json", bytes);
                }
                "manifest.att.json" => _ = put(format!("{tag}.att"), OCI_MANIFEST, bytes),
                name if name.starts_with("manifest-") => _ = put(named(&bytes), OCI_MANIFEST, bytes),
                _ => {}
            }
        }
        let mut recorded = Self(answers);
        if let Ok(raw) = std::fs::read_to_string(directory.join("referrers-api.http")) {
            recorded.0.insert("referrers".to_owned(), response(&raw));
        }
        recorded
    }

    pub fn answer(&self, asked: &Asked) -> Reply {
        let path = asked.target.split('?').next().unwrap();
        let name = if path.contains("/referrers/") { "referrers" } else { path.rsplit('/').next().unwrap() };
        match self.0.get(name) {
            Some((status, media_type, body)) => Reply::new(*status).body(media_type, body.clone()),
            None => Reply::new(404).body("application/json", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#),
        }
    }
}

/// Status, content type and body of a response as it came.
fn response(raw: &str) -> (u16, String, Vec<u8>) {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let media_type = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-type: ").map(str::to_owned));
    (status, media_type.unwrap_or_default(), body.as_bytes().to_vec())
}

fn verified(recorded: Recorded, root: &str) -> (Option<i32>, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let registry = runtime.block_on(ScriptedRegistry::start(move |asked| recorded.answer(asked).into()));
    let reference = format!("{}/team/oci@{PRIVATE}", registry.host());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors/trust").join(root);
    let arguments = ["verify", "image", &reference, "--trusted-root", root.to_str().unwrap(), "--offline", "--at", "2026-12-01"];
    let whom = ["--identity", "https://kubernetes.io/namespaces/ci/serviceaccounts/builder", "--issuer", "https://127.0.0.1:16443"];
    let loopback = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s"];
    let ended = Program::new().run(&[&arguments[..], &whom, &loopback].concat());
    (ended.code, ended.out().lines().next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned())
}

#[test]
fn what_real_registries_answered_is_understood() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors");
    for registry in ["crane-registry-serve", "docker-registry-2.8.2", "ggcr-referrers", "ociserve-conforming"] {
        let read = || Recorded::read(&vectors.join("answers").join(registry), Some(&vectors.join("bundles").join(registry)));
        assert_eq!(verified(read(), "trusted_root.json"), (Some(0), "VERIFIED".to_owned()), "{registry}");
        let (code, said) = verified(read(), "negative/tr.otherca.json");
        assert_eq!((code, said.as_str()), (Some(1), "REJECTED (certificate-untrusted)"), "{registry}");
    }
}

/// Signatures whose bytes are not to be had: neither absent nor rejected.
#[test]
fn signatures_that_are_listed_and_not_there_are_not_known() {
    let answers = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors/answers");
    let legacy: Vec<_> = super::kept::names(&answers).into_iter().filter(|name| name.starts_with("legacy-")).collect();
    assert_eq!(legacy.len(), 6);
    for name in legacy {
        let (code, said) = verified(Recorded::read(&answers.join(&name), None), "trusted_root.both.json");
        assert!(code == Some(3) && said.starts_with("UNKNOWN ("), "{name}: {code:?} {said}");
    }
}
