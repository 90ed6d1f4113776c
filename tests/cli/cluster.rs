//! A cluster that cannot be reached, refuses, or is silent.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Ended, Program};
use crate::api_server::{ApiServer, Reply, Script};

const CONTROL: [&str; 3] = ["scan", "control", "C-0075"];

fn pod(namespace: &str, name: &str) -> Value {
    let digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": namespace, "uid": format!("uid-{namespace}-{name}") },
        "spec": { "containers": [{ "name": "web", "image": "registry.example/web:v1", "imagePullPolicy": "IfNotPresent" }] },
        "status": {
            "phase": "Running",
            "containerStatuses": [{
                "name": "web", "image": "registry.example/web:v1", "imageID": format!("registry.example/web@{digest}"),
                "state": { "running": { "startedAt": "2026-01-05T09:00:00Z" } }
            }],
        },
    })
}

fn two_namespaces() -> Script {
    let namespace =
        |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "uid": format!("uid-{name}") } });
    Script::with([namespace("prod"), namespace("vault"), namespace("kube-system"), pod("prod", "web"), pod("vault", "safe")])
}

fn scan(server: &ApiServer, more: &[&str]) -> Ended {
    let kubeconfig = server.kubeconfig("secret-token");
    Program::new().run(&[&CONTROL[..], &["--kubeconfig", kubeconfig.to_str().unwrap()], more].concat())
}

#[test]
fn no_kubeconfig() {
    Program::new().run(&CONTROL).says(4, &["no kubeconfig found", "--kubeconfig"]);
    Program::new().run(&["scan", "--kubeconfig", "/none"]).says(2, &["/none"]);
}

#[test]
fn a_context_that_does_not_exist() {
    let server = two_namespaces().start();
    scan(&server, &["--kube-context", "tset"]).says(2, &["tset", "test"]);
    assert!(server.requests().is_empty());
}

#[test]
fn expired_credentials() {
    let server = two_namespaces().token("another").start();
    let ended = scan(&server, &[]);
    ended.says(4, &["401", "expired"]);
    assert!(!ended.err.contains("secret-token") && ended.out.is_empty(), "{ended:?}");
}

#[test]
fn a_server_that_refuses_everything() {
    let server = Script::default().fault("/", usize::MAX, Reply::forbidden()).start();
    scan(&server, &[]).says(4, &["rbac print"]);
    scan(&server, &["--include-namespaces", "prod,vault"]).says(4, &["rbac print"]);
}

#[test]
fn a_server_that_is_not_there() {
    let server = two_namespaces().start();
    let kubeconfig = std::fs::read_to_string(server.kubeconfig("x")).unwrap();
    drop(server);
    let program = Program::new();
    let file = program.file("config", &kubeconfig);
    program.run(&["scan", "--kubeconfig", &file]).says(4, &["127.0.0.1"]);
}

#[test]
fn one_forbidden_namespace_hides_no_other() {
    let server = two_namespaces()
        .fault("/api/v1/namespaces/vault/", usize::MAX, Reply::forbidden())
        .fault("/apis/apps/v1/namespaces/vault/", usize::MAX, Reply::forbidden())
        .fault("/apis/batch/v1/namespaces/vault/", usize::MAX, Reply::forbidden())
        .start();
    let arguments = ["--include-namespaces", "prod,vault", "-f", "json"];
    let ended = scan(&server, &arguments);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let report = ended.json();
    assert!(
        report["gaps"].as_array().unwrap().iter().any(|gap| gap["namespace"] == "vault" && gap["workloadsMissing"] == true),
        "{report:#}"
    );
    assert_eq!(report["controls"][0]["counts"]["passed"], 1, "{report:#}");
    scan(&server, &["--include-namespaces", "prod,vault"]).prints(3, &["vault"]);
    // Accepted, it is still named.
    scan(&server, &["--include-namespaces", "prod,vault", "--allow-unknown", "list-incomplete"]).prints(0, &["vault"]);
}

#[test]
fn a_silent_server_is_bounded_by_the_timeout() {
    let server = Script::default().fault("/", usize::MAX, Reply::Silence).start();
    let began = Instant::now();
    scan(&server, &["--timeout", "500ms"]).says(4, &["before anything was listed"]);
    assert!(began.elapsed() < Duration::from_secs(5));
}
