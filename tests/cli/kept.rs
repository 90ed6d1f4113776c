//! What is kept on disk: the cache and snapshots.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Program;
use super::registry::{LOOPBACK, Running, Shelf, answer, judge};
use crate::api_server::Script;

pub(super) fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

fn blob_requests(server: &Running, before: usize) -> usize {
    server.registry.asked()[before..].iter().filter(|asked| asked.method == "GET" && asked.target.contains("/blobs/")).count()
}

#[test]
fn what_cannot_change_is_asked_once_and_a_tampered_entry_again() {
    let server = Running::shelf(Shelf::signed().0);
    let program = Program::new();
    let run = || {
        let before = server.count();
        let ended = judge(&program, &server.reference(), &["-f", "json"]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
        assert_eq!(answer(&ended.json())["status"], "passed");
        (server.count() - before, blob_requests(&server, before))
    };
    let cold = run();
    assert!(cold.1 > 0, "a bundle is a blob");
    let warm = run();
    assert_eq!(warm.1, 0, "no blob is downloaded twice");
    assert!(warm.0 < cold.0);
    let blobs = files(&program.cache().join("seaworthy/blobs"));
    assert!(!blobs.is_empty());
    for blob in &blobs {
        let size = std::fs::metadata(blob).unwrap().len() as usize;
        std::fs::write(blob, "x".repeat(size)).unwrap();
    }
    assert_eq!(run().1, cold.1, "what was tampered with is fetched again");
    assert_eq!(run(), warm, "and is whole again");
}

#[test]
fn no_cache_writes_nothing() {
    let server = Running::shelf(Shelf::signed().0);
    let program = Program::new();
    for _ in 0..2 {
        let before = server.count();
        judge(&program, &server.reference(), &["--no-cache"]).prints(0, &[]);
        assert!(blob_requests(&server, before) > 0);
    }
    assert_eq!(files(program.home()), Vec::<PathBuf>::new());
}

#[test]
fn within_max_age_neither_tag_nor_referrers_are_asked_and_the_age_is_said() {
    let server = Running::shelf(Shelf::signed().0);
    let program = Program::new();
    let run = |age: &str| judge(&program, &server.reference(), &["-f", "json", "--max-age", age]);
    let first = run("1h");
    assert_eq!(first.code, Some(0), "{first:#?}");
    let before = server.count();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let second = run("1h");
    assert_eq!(second.code, Some(0), "{second:#?}");
    let asked: Vec<_> = server.registry.asked()[before..].iter().map(crate::scripted_registry::Asked::line).collect();
    // Neither tag nor referrers; whether the image is still there is asked each time, since a verdict stands on it.
    assert!(asked.iter().all(|line| line.starts_with("HEAD /v2/acme/app/manifests/sha256:")), "{asked:?}");
    assert!(asked.len() <= 1, "{asked:?}");
    let observed = |report: &Value| texts(report, "observed");
    let (first, second) = (first.json(), second.json());
    assert!(!observed(&second).is_empty(), "{second:#}");
    assert!(observed(&second).iter().all(|time| time.as_str() < second["header"]["asOf"].as_str().unwrap()), "{second:#}");
    assert_eq!(observed(&first), observed(&second));
    // With the usual age of 0 they are asked again.
    assert_eq!(run("0s").code, Some(0));
    assert!(server.count() > before);
}

/// What one login could read is not told to another, nor to nobody.
#[test]
fn what_one_login_saw_is_not_kept_for_another() {
    let server = Running::of_alice(Shelf::signed().0);
    let program = Program::new();
    let alice = program.file("alice.json", &format!(r#"{{"auths":{{"{}":{{"auth":"YWxpY2U6c2VjcmV0"}}}}}}"#, server.registry.host()));
    let nobody = program.file("nobody.json", r#"{"auths":{}}"#);
    let run = |config: &str| {
        let ended = judge(&program, &server.reference(), &["-f", "json", "--max-age", "1h", "--docker-config", config]);
        (ended.code, answer(&ended.json())["cause"].as_str().map(str::to_owned))
    };
    assert_eq!(run(&alice), (Some(0), None));
    assert_eq!(run(&nobody), (Some(3), Some("unauthorized".to_owned())));
    assert_eq!(run(&alice), (Some(0), None));
    // Logged out, in the same file.
    program.file("alice.json", r#"{"auths":{}}"#);
    assert_eq!(run(&alice), (Some(3), Some("unauthorized".to_owned())));
}

/// Every text of this name, in order.
fn texts(value: &Value, name: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let own = map.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
            own.into_iter().chain(map.values().flat_map(|value| texts(value, name))).collect()
        }
        Value::Array(items) => items.iter().flat_map(|value| texts(value, name)).collect(),
        _ => Vec::new(),
    }
}

/// The same report with every time left out: they are what two scans differ by.
fn timeless(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for name in ["asOf", "observed"] {
                map.remove(name);
            }
            map.values_mut().for_each(timeless);
        }
        Value::Array(items) => items.iter_mut().for_each(timeless),
        _ => {}
    }
}

#[test]
fn a_snapshot_is_judged_as_the_registry_itself_is() {
    let server = Running::shelf(Shelf::signed().0);
    let program = Program::new();
    let reference = server.reference();
    let absent = format!("{}/acme/app:v2", server.registry.host());
    let password = "correct-horse-battery-staple";
    let auth = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("auditor:{password}"));
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, server.registry.host());
    let config = program.file("docker.json", &config);
    let all = ["--control", "C-0237,C-0306,SW-0001,SW-0002", "-f", "json"];
    let live = [&["scan", "image", &reference, &absent, "--docker-config", &config, "--no-cache"], &all[..], &LOOPBACK].concat();
    let live = program.run(&live);
    assert_eq!(live.code, Some(3), "{live:#?}");
    for name in ["kept.tar.zst", "kept"] {
        let target = program.home().join(name);
        let target = target.to_str().unwrap();
        let take = ["snapshot", "--image", &reference, "--image", &absent, "--docker-config", &config, "--no-cache", "-o", target];
        program.run(&[&take[..], &LOOPBACK].concat()).says(0, &["images: 2"]);
        let before = server.count();
        let again = || program.run(&[&["scan", "--snapshot", target], &all[..]].concat());
        let (one, two) = (again(), again());
        assert_eq!(one.out, two.out, "two scans of one snapshot are equal to the byte");
        assert_eq!(server.count(), before, "and ask nobody");
        assert_eq!(one.code, live.code);
        let (mut kept, mut live) = (one.json(), live.json());
        timeless(&mut kept);
        timeless(&mut live);
        assert_eq!(kept, live);
    }
    for file in files(&program.home().join("kept")) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains(password) && !text.contains(&auth), "{}", file.display());
    }
    assert!(!live.out.contains(password) && !live.out.contains(&auth));
}

/// What a person would not hand on with a snapshot, planted wherever a scan reads: credentials, the environment, annotations.
#[test]
fn nothing_secret_is_kept_in_a_snapshot_or_the_cache() {
    const PLANTED: [&str; 5] = ["kubeconfig-token-1", "pull-password-2", "environment-value-3", "annotation-value-4", "proxy-password-5"];
    let server = Running::shelf(Shelf::signed().0);
    let [token, password, environment, annotation, proxy] = PLANTED;
    let auths =
        json!({ "auths": { server.reference().split('/').next().unwrap(): { "username": "robot", "password": password } } }).to_string();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": { "name": "regcred", "namespace": "prod", "uid": "uid-regcred" },
        "data": { ".dockerconfigjson": STANDARD.encode(auths) }
    });
    let mut pod = super::cluster::pod("prod", "web");
    pod["metadata"]["annotations"] = json!({ "note": annotation });
    pod["spec"]["imagePullSecrets"] = json!([{ "name": "regcred" }]);
    pod["spec"]["containers"][0]["image"] = json!(server.reference());
    pod["spec"]["containers"][0]["env"] = json!([{ "name": "PASSWORD", "value": environment }]);
    pod["status"]["containerStatuses"][0]["imageID"] = json!("");
    let cluster = Script::with([pod, secret]).start();
    let kubeconfig = cluster.kubeconfig(token);
    let program = Program::new();
    let target = program.home().join("kept");
    let arguments = ["snapshot", "-o", target.to_str().unwrap(), "--kubeconfig", kubeconfig.to_str().unwrap()];
    let mut command = program.command(&[&arguments[..], &LOOPBACK].concat());
    command.env("HTTPS_PROXY", format!("http://user:{proxy}@127.0.0.1:9")).env("NO_PROXY", "127.0.0.1");
    let ended = super::Ended::from(command.output().unwrap());
    assert!(ended.err.contains("workloads: 1") && cluster.requests().iter().any(|asked| asked.contains("/secrets/regcred")), "{ended:#?}");
    let kept = [files(&target), files(&program.cache())].concat();
    let readable = |path: &PathBuf| String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(&server.reference());
    assert!(kept.iter().any(readable), "nothing is kept in plain text: {kept:?}");
    for file in kept {
        let bytes = std::fs::read(&file).unwrap();
        for secret in PLANTED {
            // As it is, and as registries and secrets carry it.
            let forms = [secret.to_owned(), STANDARD.encode(secret), STANDARD.encode(format!("robot:{secret}"))];
            for form in forms {
                let form = form.trim_end_matches('=');
                assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{} has {form}", file.display());
            }
        }
    }
}
