//! What is trusted: roots, keys and policies, as a user would write them.

use std::path::Path;

use serde_json::{Value, json};

use super::cases::Stage;
use super::key::{pem, sha256_hex};
use super::layout::image;
use super::sigstore::{ACCOUNTS, GITHUB, PERSON, WORKFLOW};

/// Writes the directory that all cases share.
pub fn write(stage: &Stage, directory: &Path) {
    std::fs::create_dir_all(directory).unwrap();
    for (name, text) in files(stage) {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

fn files(stage: &Stage) -> Vec<(String, String)> {
    let root = stage.sigstore.trusted_root();
    let pretty = |value: &Value| format!("{value:#}\n");
    let mut files: Vec<(String, String)> = [
        ("trusted_root.json", pretty(&root)),
        ("trusted_root.no-logs.json", pretty(&without(&root, &["tlogs"]))),
        ("trusted_root.no-times.json", pretty(&without(&root, &["timestampAuthorities"]))),
        ("trusted_root.no-ct.json", pretty(&without(&root, &["ctlogs"]))),
        ("trusted_root.stranger.json", pretty(&stage.stranger.trusted_root())),
        ("trusted_root.expired.json", pretty(&expired(&root))),
        ("trusted_root.nobody.json", pretty(&without(&root, &["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"]))),
        ("trusted_root.newer.json", pretty(&root).replace("version=0.1", "version=9.0")),
        ("trusted_root.empty.json", String::new()),
        ("trusted_root.broken.json", pretty(&root)[..200].to_owned()),
        ("p256.pub", stage.p256.key.pem()),
        ("p384.pub", stage.p384.key.pem()),
        ("p384-sha256.pub", stage.p384_sha256.key.pem()),
        ("rsa.pub", stage.rsa.key.pem()),
        ("ed25519.pub", stage.ed25519.key.pem()),
        ("own-ca.pem", pem("CERTIFICATE", &stage.own.certificate)),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .to_vec();
    files.extend(policies(stage).into_iter().map(|(name, spec)| (format!("{name}.yaml"), policy(name, &spec))));
    files
}

fn without(root: &Value, fields: &[&str]) -> Value {
    let mut root = root.clone();
    for field in fields {
        root[field] = json!([]);
    }
    root
}

/// Everything in it had ended before anything was signed.
fn expired(root: &Value) -> Value {
    let text =
        root.to_string().replace(r#"{"start":"2025-01-01T00:00:00Z"}"#, r#"{"end":"2025-01-02T00:00:00Z","start":"2025-01-01T00:00:00Z"}"#);
    serde_json::from_str(&text).unwrap()
}

fn policy(name: &str, spec: &Value) -> String {
    let document = json!({ "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": { "name": name }, "spec": spec });
    serde_saphyr::to_string(&document).unwrap()
}

/// A policy that asks one of these authorities of every image.
fn any_of(authorities: Value) -> Value {
    let names: Vec<_> = authorities.as_object().unwrap().keys().cloned().collect();
    require(authorities, json!({ "anyOf": names }))
}

fn require(authorities: Value, requirement: Value) -> Value {
    rooted("trusted_root.json", authorities, requirement)
}

fn rooted(root: &str, authorities: Value, requirement: Value) -> Value {
    json!({
        "trustRoots": { "own": { "file": root } },
        "authorities": authorities,
        "images": [{ "match": ["**"], "require": requirement }],
    })
}

/// An authority with more said of it.
fn more(mut authority: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        authority[name] = value.clone();
    }
    authority
}

/// The same policy with more fields.
fn with(policy: Value, fields: Value) -> Value {
    more(policy, fields)
}

fn identity(issuer: &str, subject: Value) -> Value {
    json!({ "keyless": { "trustRoot": "own", "issuer": { "exact": issuer }, "subject": subject } })
}

fn release() -> Value {
    identity(GITHUB, json!({ "exact": WORKFLOW }))
}

fn person() -> Value {
    identity(ACCOUNTS, json!({ "exact": PERSON }))
}

fn regexp(text: &str) -> Value {
    identity(GITHUB, json!({ "regexp": text }))
}

fn key(name: &str) -> Value {
    json!({ "key": { "file": format!("{name}.pub") } })
}

fn policies(stage: &Stage) -> Vec<(&'static str, Value)> {
    [identities(), keys(), counts(), roots(), ends(stage)].into_iter().flatten().collect()
}

fn identities() -> Vec<(&'static str, Value)> {
    let extended = |extensions: Value| {
        let mut authority = release();
        authority["keyless"]["extensions"] = extensions;
        any_of(json!({ "release": authority }))
    };
    let mut talk = extended(json!({
        "sourceRepositoryUri": "https://github.com/LedgerHQ/signed-images", "sourceRepositoryIdentifier": "735201846",
        "sourceRepositoryOwnerIdentifier": "9919501", "runnerEnvironment": "github-hosted",
    }));
    talk["images"][0]["match"] = json!(["ghcr.io/ledgerhq/signed-*"]);
    let own =
        json!({ "certificate": { "roots": { "file": "own-ca.pem" }, "subject": { "exact": "release@corp.test" } }, "trustRoot": "own" });
    let mut other_subject = own.clone();
    other_subject["certificate"]["subject"] = json!({ "exact": "somebody@corp.test" });
    vec![
        ("keyless", any_of(json!({ "release": release() }))),
        ("person", any_of(json!({ "person": person() }))),
        ("either", any_of(json!({ "release": release(), "person": person() }))),
        ("talk", talk),
        ("extensions", extended(json!({ "sourceRepositoryIdentifier": "735201846", "runnerEnvironment": "github-hosted" }))),
        (
            "regexp",
            any_of(
                json!({ "release": regexp(r"https://github\.com/LedgerHQ/signed-images/\.github/workflows/release\.yml@refs/tags/v[0-9.]+") }),
            ),
        ),
        (
            "regexp-unanchored",
            any_of(json!({ "release": regexp(r"github\.com/LedgerHQ/signed-images/\.github/workflows/release\.yml@refs/tags/v1") })),
        ),
        ("regexp-alternatives", any_of(json!({ "release": regexp(r"https://github\.com/LedgerHQ|.*@refs/tags/v9") }))),
        ("anybody", any_of(json!({ "anybody": regexp(".*") }))),
        ("username", any_of(json!({ "robot": identity(ACCOUNTS, json!({ "exact": "robot!ledger.test" })) }))),
        ("no-sct", any_of(json!({ "release": more(release(), json!({ "sct": "unsafeIgnore" })) }))),
        ("no-log", any_of(json!({ "release": more(release(), json!({ "transparencyLog": "unsafeIgnore" })) }))),
        ("log-optional", any_of(json!({ "release": more(release(), json!({ "transparencyLog": "optional" })) }))),
        ("own-certificate", any_of(json!({ "corp": own }))),
        ("own-certificate-timed", any_of(json!({ "corp": more(own.clone(), json!({ "provenTime": "required" })) }))),
        ("own-certificate-other", any_of(json!({ "corp": other_subject }))),
    ]
}

fn keys() -> Vec<(&'static str, Value)> {
    let p256 = |fields| any_of(json!({ "p256": more(key("p256"), fields) }));
    let each = ["p256", "p384", "p384-sha256", "rsa", "ed25519"];
    let all: serde_json::Map<_, _> = each.into_iter().map(|name| (name.to_owned(), key(name))).collect();
    vec![
        ("key", p256(json!({}))),
        ("keys", any_of(Value::Object(all))),
        ("key-logged", p256(json!({ "transparencyLog": "required", "trustRoot": "own" }))),
        ("key-timed", p256(json!({ "provenTime": "required", "trustRoot": "own" }))),
        ("key-log-ignored", p256(json!({ "transparencyLog": "unsafeIgnore", "provenTime": "unsafeIgnore" }))),
    ]
}

fn counts() -> Vec<(&'static str, Value)> {
    let two_keys = || json!({ "first": key("p256"), "second": key("p384") });
    let one_key = || json!({ "first": key("p256"), "again": key("p256") });
    let three = json!({ "first": key("p256"), "second": key("p384"), "release": release() });
    vec![
        ("both-keys", require(two_keys(), json!({ "allOf": ["first", "second"] }))),
        ("two-of-two-keys", require(two_keys(), json!({ "atLeast": 2, "of": ["first", "second"] }))),
        ("one-key-two-names", require(one_key(), json!({ "atLeast": 2, "of": ["first", "again"] }))),
        ("two-of-three", require(three, json!({ "atLeast": 2, "of": ["first", "second", "release"] }))),
        ("both-people", require(json!({ "release": release(), "person": person() }), json!({ "allOf": ["release", "person"] }))),
    ]
}

fn roots() -> Vec<(&'static str, Value)> {
    let by = |root: &str| rooted(&format!("trusted_root.{root}.json"), json!({ "release": release() }), json!({ "anyOf": ["release"] }));
    let mut no_logs = by("no-logs");
    no_logs["trustRoots"]["own"]["logs"] = json!("none");
    let mut public = by("stranger");
    public["trustRoots"]["own"] = json!({ "sigstore": "publicGood" });
    let mut mirror = any_of(json!({ "release": release() }));
    mirror["evidence"] = json!([{ "match": ["**"], "authoritative": false }]);
    let mut talk_only = any_of(json!({ "release": release() }));
    talk_only["images"][0]["match"] = json!(["ghcr.io/ledgerhq/**"]);
    vec![
        ("root-no-logs", by("no-logs")),
        ("root-without-logs", no_logs),
        ("root-no-times", by("no-times")),
        ("root-no-ct", by("no-ct")),
        ("root-stranger", by("stranger")),
        ("root-expired", by("expired")),
        ("root-nobody", by("nobody")),
        ("root-newer", by("newer")),
        ("root-empty", by("empty")),
        ("root-broken", by("broken")),
        ("public-good", public),
        ("mirror", mirror),
        ("uncovered", talk_only.clone()),
        ("uncovered-ignored", with(talk_only, json!({ "otherwise": "ignore" }))),
    ]
}

/// Ends and revocations.
fn ends(stage: &Stage) -> Vec<(&'static str, Value)> {
    let ended = json!({ "validUntil": "2026-05-31" });
    let keyless = || any_of(json!({ "release": release() }));
    let by_key = || any_of(json!({ "p256": key("p256") }));
    let revoked = |policy: Value, what: Value| with(policy, json!({ "revocations": [more(what, json!({ "reason": "stolen" }))] }));
    let fingerprint = json!({ "key": format!("sha256:{}", sha256_hex(&stage.p256.key.spki())) });
    let identity = json!({ "identity": { "exact": WORKFLOW }, "issuer": { "exact": GITHUB } });
    vec![
        ("ended", any_of(json!({ "release": more(release(), ended.clone()) }))),
        ("ended-later", any_of(json!({ "release": more(release(), json!({ "validUntil": "2026-06-30" })) }))),
        ("begun-later", any_of(json!({ "release": more(release(), json!({ "validFrom": "2026-06-02" })) }))),
        ("ended-key", any_of(json!({ "p256": more(key("p256"), ended) }))),
        ("ended-later-key", any_of(json!({ "p256": more(key("p256"), json!({ "validUntil": "2026-06-30", "trustRoot": "own" })) }))),
        ("revoked-key", revoked(by_key(), fingerprint)),
        ("revoked-certificate-key", revoked(keyless(), json!({ "key": format!("sha256:{}", sha256_hex(&stage.release.key.spki())) }))),
        ("revoked-identity", revoked(keyless(), identity.clone())),
        ("revoked-identity-later", revoked(keyless(), more(identity.clone(), json!({ "since": "2026-07-01T00:00:00Z" })))),
        ("revoked-identity-earlier", revoked(keyless(), more(identity, json!({ "since": "2026-05-01T00:00:00Z" })))),
        ("revoked-source", revoked(keyless(), json!({ "sourceDigest": "6f1c2a9be0d34f5a8f7c1e2d3b4a5968778695a4" }))),
        ("revoked-image", revoked(keyless(), json!({ "imageDigest": image().to_string() }))),
    ]
}
