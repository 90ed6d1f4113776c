//! Whole policies: what is loaded for them, and what is said of what cannot be.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::material;
use super::server::{Conduct, Server};
use super::tuf_repository::{Edition, Signer};
use crate::documents::{SigstoreInstance, TrustPolicy};
use crate::model::{AuthorityMaterial, Cause, RootOrigin, TrustRoot};
use crate::trust::need::{Effort, needed};
use crate::trust::{About, Loaded, Loader, ProxySource, TrustOptions, aged, embedded};

fn policy(document: Value) -> TrustPolicy {
    serde_json::from_value(document).unwrap()
}

fn keyless(root: &str) -> Value {
    json!({ "keyless": { "trustRoot": root, "issuer": { "exact": "i" }, "subject": { "exact": "s" } } })
}

fn options(cache: &Path) -> TrustOptions {
    let mut options = TrustOptions::new("2026-11-20T12:00:00Z".parse().unwrap());
    options.cache = Some(cache.to_owned());
    options.timeout = Duration::from_secs(20);
    options.proxies = ProxySource::None;
    options
}

fn offline(cache: &Path) -> TrustOptions {
    TrustOptions { offline: true, ..options(cache) }
}

async fn load(policy: &TrustPolicy, directory: &Path, options: &TrustOptions) -> Loaded {
    Loader::new(options.clone()).load(policy, directory).await
}

async fn loaded(document: Value, directory: &Path) -> Loaded {
    load(&policy(document), directory, &offline(&directory.join("cache"))).await
}

fn public_good() -> String {
    String::from_utf8(embedded("root", SigstoreInstance::PublicGood).content.unwrap().to_vec()).unwrap()
}

#[test]
fn a_root_is_worth_as_much_effort_as_an_authority_requires() {
    let roots = json!({ "a": { "sigstore": "publicGood" }, "b": { "sigstore": "github" }, "c": { "sigstore": "publicGood" } });
    let key = |more: Value| {
        let mut key = json!({ "key": { "data": "" } });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    };
    let ignored = json!({ "transparencyLog": "unsafeIgnore", "provenTime": "unsafeIgnore" });
    let required = json!({ "trustRoot": "b", "provenTime": "required" });
    let own = json!({ "certificate": { "roots": { "data": "" }, "subject": { "exact": "s" } }, "trustRoot": "c" });
    let (hand, current) = (Effort::AtHand, Effort::Current);
    for (roots, authorities, expected) in [
        (roots.clone(), json!({}), vec![]),
        (roots.clone(), json!({ "x": keyless("a") }), vec![("a", current)]),
        (roots.clone(), json!({ "x": key(ignored.clone()) }), vec![]),
        (roots.clone(), json!({ "x": key(json!({})) }), vec![("a", hand), ("b", hand), ("c", hand)]),
        (roots.clone(), json!({ "x": key(json!({ "trustRoot": "b" })) }), vec![("b", hand)]),
        (roots.clone(), json!({ "x": key(required), "y": key(json!({})) }), vec![("a", hand), ("b", current), ("c", hand)]),
        (roots.clone(), json!({ "x": own, "y": keyless("a") }), vec![("a", current), ("c", hand)]),
        (json!({}), json!({ "x": key(json!({ "transparencyLog": "required" })) }), vec![("public-good", current)]),
        (json!({}), json!({ "x": key(json!({ "transparencyLog": "unsafeIgnore" })) }), vec![("public-good", hand)]),
        (json!({}), json!({ "x": key(ignored) }), vec![]),
    ] {
        let policy = policy(json!({ "trustRoots": roots, "authorities": authorities }));
        assert_eq!(needed(&policy).into_iter().collect::<Vec<_>>(), expected, "{authorities}");
    }
}

#[tokio::test]
async fn a_policy_without_roots_has_public_good_where_a_key_can_use_it() {
    let directory = tempfile::tempdir().unwrap();
    let Loaded { material, warnings } =
        loaded(json!({ "authorities": { "ops": { "key": { "data": material!("p256") } } } }), directory.path()).await;
    assert_eq!(warnings, []);
    let root = &material.roots["public-good"];
    assert_eq!((root.name.as_str(), &root.origin, root.without_logs), ("public-good", &RootOrigin::Embedded, false));
    assert!(matches!(&material.authorities["ops"], AuthorityMaterial::Keys(keys) if keys.len() == 1));
}

#[tokio::test]
async fn files_are_relative_to_the_policys_own_and_count_as_current() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("roots");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("corp.json"), public_good()).unwrap();
    std::os::unix::fs::symlink("roots/corp.json", directory.path().join("link.json")).unwrap();
    std::fs::write(below.join("ops.pub"), material!("ed25519")).unwrap();
    let authorities = [material!("ca-root"), material!("ca-intermediate")].concat();
    let document = json!({
        "trustRoots": {
            "corp": { "file": "roots/corp.json", "logs": "none" },
            "link": { "file": "link.json" },
            "here": { "data": public_good() },
            "github": { "sigstore": "github" },
            "not-used": { "file": "nowhere.json" },
        },
        "authorities": {
            "a": keyless("corp"), "b": keyless("link"), "c": keyless("here"), "d": keyless("github"),
            "ops": { "key": { "file": "roots/ops.pub" }, "trustRoot": "corp" },
            "own": { "certificate": { "roots": { "data": authorities }, "subject": { "exact": "s" } }, "trustRoot": "corp" },
        },
    });
    let Loaded { material, warnings } = loaded(document, directory.path()).await;
    assert_eq!(warnings, []);
    let roots: Vec<_> = material.roots.values().map(|root| (root.name.as_str(), root.without_logs, root.dated.is_none())).collect();
    assert_eq!(roots, [("corp", true, true), ("github", true, false), ("here", false, true), ("link", false, true)]);
    let origin = |name: &str| material.roots[name].origin.clone();
    assert_eq!(origin("corp"), RootOrigin::File { path: "roots/corp.json".to_owned() });
    assert_eq!(origin("here"), RootOrigin::File { path: "trustRoots.here".to_owned() });
    assert_eq!(&**material.roots["corp"].content.as_ref().unwrap(), public_good().as_bytes());
    assert_eq!(material.authorities["a"], AuthorityMaterial::Keyless);
    assert!(matches!(&material.authorities["ops"], AuthorityMaterial::Keys(keys) if keys.len() == 1));
    assert!(matches!(&material.authorities["own"], AuthorityMaterial::Certificates(found) if found.len() == 2));
}

/// Each is unknown with a text that names the place, and nothing else suffers.
#[tokio::test]
async fn what_cannot_be_loaded_is_unknown_and_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("large.json"), vec![b' '; (1 << 20) + 1]).unwrap();
    std::fs::write(path.join("broken.json"), "{").unwrap();
    std::fs::write(path.join("new.json"), public_good().replace("version=0.1", "version=0.3")).unwrap();
    std::fs::write(path.join("ops.key"), "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n").unwrap();
    let mirror = |url: &str, root: Value| json!({ "tuf": { "url": url, "root": root } });
    let key = |key: Value| json!({ "key": key, "transparencyLog": "unsafeIgnore", "provenTime": "unsafeIgnore" });
    let roots = [
        ("missing", json!({ "file": "missing.json" }), "missing.json does not exist; files are looked for relative to the policy's own"),
        ("large", json!({ "file": "large.json" }), "large.json is larger than 1048576 bytes"),
        ("directory", json!({ "file": "." }), "is not a regular file"),
        ("device", json!({ "file": "/dev/zero" }), "/dev/zero is not a regular file"),
        ("broken", json!({ "file": "broken.json" }), "broken.json: it is not a trust root as Sigstore writes it"),
        ("new", json!({ "file": "new.json" }), "new.json: it is of version 0.3"),
        ("empty", json!({ "data": "" }), "trustRoots.empty: it is not a trust root"),
        ("none", json!({}), "exactly one of `sigstore`, `file`, `data` and `tuf`"),
        ("two", json!({ "sigstore": "github", "file": "new.json" }), "exactly one of"),
        ("no-root", mirror("https://tuf.example", json!({ "file": "missing.json" })), "missing.json does not exist"),
        ("no-json", mirror("https://tuf.example", json!({ "data": "no" })), "`data` is not a TUF root.json"),
        ("no-address", mirror("tuf.example", json!({ "data": "{}" })), "its address \"tuf.example\" cannot be used"),
        ("no-web", mirror("file:///etc", json!({ "data": "{}" })), "not one of http or https"),
        ("password", mirror("https://me:hunter2@tuf.example", json!({ "data": "{}" })), "user name or password"),
    ];
    let keys = [
        ("no-file", key(json!({ "file": "missing.pub" })), "missing.pub does not exist"),
        ("private", key(json!({ "file": "ops.key" })), "ops.key: it holds a private key"),
        ("curve", key(json!({ "data": material!("p521") })), "`data`: it is an EC key on P-521"),
        (
            "leaf",
            json!({ "certificate": { "roots": { "data": material!("leaf") }, "subject": { "exact": "s" } }, "trustRoot": "good" }),
            "is not that of an authority",
        ),
        ("nothing", json!({ "trustRoot": "good" }), "exactly one of `keyless`, `key` and `certificate`"),
    ];
    let mut document = json!({ "trustRoots": { "good": { "data": public_good() } }, "authorities": { "good": keyless("good"), "stray": keyless("undefined") } });
    for (name, source, _) in &roots {
        document["trustRoots"][name] = source.clone();
        document["authorities"][format!("by-{name}")] = keyless(name);
    }
    for (name, authority, _) in &keys {
        document["authorities"][name] = authority.clone();
    }
    let Loaded { material, warnings } = loaded(document, path).await;
    for (name, _, told) in &roots {
        let unknown = material.roots[*name].content.as_ref().unwrap_err();
        assert_eq!(unknown.cause, Cause::TrustRootUnavailable);
        assert!(unknown.detail.starts_with(&format!("trust root \"{name}\": ")) && unknown.detail.contains(told), "{}", unknown.detail);
        let warning = warnings.iter().find(|warning| warning.about == About::Root((*name).to_owned())).unwrap();
        assert_eq!(warning.to_string(), unknown.detail);
        assert!(!warning.to_string().contains("hunter2"));
    }
    for (name, _, told) in &keys {
        let AuthorityMaterial::Unavailable(unknown) = &material.authorities[*name] else { unreachable!("{name}") };
        assert!(unknown.detail.starts_with(&format!("authority \"{name}\": ")) && unknown.detail.contains(told), "{}", unknown.detail);
        assert!(!unknown.detail.contains("MIGH"));
        assert!(warnings.iter().any(|warning| warning.to_string() == unknown.detail));
    }
    assert!(material.roots["undefined"].content.as_ref().unwrap_err().detail.contains("the policy does not define it"));
    assert!(material.roots["good"].content.is_ok());
    assert_eq!(warnings.len(), roots.len() + keys.len() + 1);
    assert!(warnings.is_sorted());
}

/// A text of the user's own is shown escaped, once.
#[tokio::test]
async fn names_and_paths_cannot_fool_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let document = json!({
        "trustRoots": { "a\u{1b}[31m": { "file": "b\u{202e}.json" } },
        "authorities": { "a": keyless("a\u{1b}[31m") },
    });
    let Loaded { material, warnings } = loaded(document, directory.path()).await;
    let told = [warnings[0].to_string(), material.roots["a\u{1b}[31m"].content.as_ref().unwrap_err().detail.clone()];
    for text in told {
        assert!(text.contains("a\\u{1b}[31m") && text.contains("b\\u{202e}.json"), "{text}");
        assert!(!text.chars().any(|letter| letter.is_control() || letter == '\u{202e}'), "{text:?}");
    }
}

#[tokio::test]
async fn a_mirror_is_asked_with_its_own_root_and_once_for_all_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::new(1);
    let content = public_good();
    let server = Server::start(Conduct::Files(signer.files(&Edition::new(1, content.as_bytes())))).await;
    std::fs::write(directory.path().join("root.json"), signer.root(1, &[&signer])).unwrap();
    let source = json!({ "tuf": { "url": server.url(), "root": { "file": "root.json" } } });
    let mut without_logs = source.clone();
    without_logs["logs"] = json!("none");
    let policy = policy(json!({
        "trustRoots": { "one": source, "two": without_logs },
        "authorities": { "a": keyless("one"), "b": keyless("two") },
    }));
    let options = options(&directory.path().join("cache"));
    let Loaded { material, warnings } = load(&policy, directory.path(), &options).await;
    assert_eq!(warnings, []);
    assert_eq!(server.asked().iter().filter(|name| *name == "timestamp.json").count(), 1);
    let (one, two) = (&material.roots["one"], &material.roots["two"]);
    assert_eq!((one.without_logs, two.without_logs), (false, true));
    for root in [one, two] {
        assert_eq!((&root.origin, root.dated), (&RootOrigin::Tuf { url: server.url() }, Some(options.now)));
        assert_eq!(&**root.content.as_ref().unwrap(), content.as_bytes());
    }
}

#[tokio::test]
async fn a_repository_that_several_documents_name_is_asked_once_whether_it_answers_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::new(1);
    let root = String::from_utf8(signer.root(1, &[&signer])).unwrap();
    let good = Server::start(Conduct::Files(signer.files(&Edition::new(1, public_good().as_bytes())))).await;
    let silent = Server::start(Conduct::Silent).await;
    let document = |name: &str, server: &Server, more: Value| {
        let mut authority = json!({ "key": { "data": "" }, "trustRoot": name });
        authority.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let roots = json!({ name: { "tuf": { "url": server.url(), "root": { "data": root } } } });
        policy(json!({ "trustRoots": roots, "authorities": { "a": authority } }))
    };
    // Without a place to keep anything, each one that asks would ask anew.
    let options = TrustOptions { cache: None, timeout: Duration::from_secs(1), ..options(directory.path()) };
    let mut loader = Loader::new(options);
    let required = || json!({ "provenTime": "required" });
    for name in ["one", "two", "three"] {
        let loaded = loader.load(&document(name, &good, required()), directory.path()).await;
        assert_eq!(&**loaded.material.roots[name].content.as_ref().unwrap(), public_good().as_bytes());
        assert_eq!(good.asked().is_empty(), name != "one", "{name}");
    }
    for name in ["one", "two"] {
        let loaded = loader.load(&document(name, &silent, required()), directory.path()).await;
        assert!(loaded.material.roots[name].content.is_err());
        assert_eq!(loaded.warnings.iter().filter(|warning| matches!(warning.about, About::Root(_))).count(), 1);
    }
    assert_eq!(silent.connections(), 1);
}

#[tokio::test]
async fn silent_mirrors_are_waited_for_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::new(1);
    let root = String::from_utf8(signer.root(1, &[&signer])).unwrap();
    let mut document = json!({ "trustRoots": {}, "authorities": {} });
    let mut servers = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let server = Server::start(Conduct::Silent).await;
        document["trustRoots"][name] = json!({ "tuf": { "url": server.url(), "root": { "data": root } } });
        document["authorities"][name] = keyless(name);
        servers.push(server);
    }
    let options = TrustOptions { timeout: Duration::from_secs(1), ..options(&directory.path().join("cache")) };
    let began = Instant::now();
    let Loaded { material, warnings } = load(&policy(document.clone()), directory.path(), &options).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!((material.roots.len(), warnings.len()), (5, 5));
    assert!(servers.iter().all(|server| server.connections() == 1));
    // Offline not even that.
    load(&policy(document), directory.path(), &TrustOptions { offline: true, ..options }).await;
    assert!(servers.iter().all(|server| server.connections() == 1));
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_read_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let signer = Signer::new(1);
    let server = Server::start(Conduct::Silent).await;
    let root = String::from_utf8(signer.root(1, &[&signer])).unwrap();
    let policy = policy(json!({
        "trustRoots": { "corp": { "tuf": { "url": server.url(), "root": { "data": root } } } },
        "authorities": { "a": keyless("corp") },
    }));
    let options = TrustOptions { ca_files: vec![directory.path().join("ca.pem")], ..options(&directory.path().join("cache")) };
    let warnings = load(&policy, directory.path(), &options).await.warnings;
    assert!(warnings[0].text.contains("ca.pem does not exist"), "{}", warnings[0]);
    assert_eq!(server.connections(), 0);
}

#[test]
fn age_is_told_with_what_to_do_about_it() {
    let now: Timestamp = "2026-11-23T06:00:00Z".parse().unwrap();
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let inside = embedded("public-good", SigstoreInstance::PublicGood);
    assert_eq!(aged(&inside, now, days(42)), None);
    assert_eq!(
        aged(&inside, now, days(30)).unwrap(),
        "trust root \"public-good\", the copy inside this program, is of 2026-10-13: 41 days old, more than the 30 days that are allowed; \
         let it be fetched (run once with access to its TUF repository), or update seaworthy"
    );
    let kept = TrustRoot { origin: RootOrigin::TufCache { url: "https://tuf.example".to_owned() }, ..inside.clone() };
    assert!(aged(&kept, now, days(1)).unwrap().contains("the kept copy of https://tuf.example, is of 2026-10-13: 41 days old"));
    // A file counts as current, and of what is not there the cause is told elsewhere.
    assert_eq!(aged(&TrustRoot { dated: None, ..inside.clone() }, now, days(0)), None);
    let gone = TrustRoot { content: Err(crate::trust::unavailable("gone")), ..inside };
    assert_eq!(aged(&gone, now, days(0)), None);
}
