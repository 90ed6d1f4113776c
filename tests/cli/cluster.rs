//! A cluster that cannot be reached, refuses, or is silent.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{Ended, Program};
use crate::api_server::{ApiServer, Reply, Script};

const CONTROL: [&str; 3] = ["scan", "control", "C-0075"];

pub(super) fn pod(namespace: &str, name: &str) -> Value {
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

#[test]
fn a_signal_ends_a_wait_for_a_silent_server_within_a_second() {
    let server = Script::default().fault("/", usize::MAX, Reply::Silence).start();
    let kubeconfig = server.kubeconfig("secret-token");
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let before = server.requests().len();
        let program = Program::new();
        let child = program.spawn(&[&CONTROL[..], &["--kubeconfig", kubeconfig.to_str().unwrap()]].concat());
        let began = Instant::now();
        while server.requests().len() == before && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let began = Instant::now();
        let ended: Ended = child.wait_with_output().unwrap().into();
        ended.says(code, &["before anything was listed"]);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[test]
fn a_part_that_always_fails_is_a_gap() {
    for status in [429, 500] {
        let reply = Reply::refuse(status, "Broken", "try again later");
        let server = two_namespaces().fault("/apis/batch/v1/", usize::MAX, reply).start();
        let ended = scan(&server, &["-f", "json"]);
        assert_eq!(ended.code, Some(3), "{ended:#?}");
        let report = ended.json();
        let gaps = report["gaps"].as_array().unwrap();
        assert!(gaps.iter().any(|gap| gap["what"].as_str().unwrap().contains("cronjobs") && gap["workloadsMissing"] == true), "{gaps:#?}");
        assert_eq!(report["header"]["audited"]["workloads"], 2, "what could be listed is audited");
    }
}

#[test]
fn a_list_that_expires_half_way_is_listed_again() {
    let gone = Reply::refuse(410, "Expired", "The provided continue parameter is too old");
    let pods = (0..600).map(|number| pod("prod", &format!("web-{number}")));
    let server = Script::with(pods).fault("/api/v1/pods?limit=500&continue=", 1, gone).start();
    let ended = scan(&server, &["-f", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.json()["header"]["listed"]["pods"], 600);
    let pages: Vec<_> = server.requests().into_iter().filter(|line| line.starts_with("GET /api/v1/pods?")).collect();
    assert!(pages.len() > 2, "{pages:?}");
}

#[test]
fn doctor_says_whether_services_can_be_told_from_registries() {
    let doctor = |server: &ApiServer, more: &[&str]| {
        let kubeconfig = server.kubeconfig("secret-token");
        Program::new().run(&[&["doctor", "--kubeconfig", kubeconfig.to_str().unwrap(), "--registry-timeout", "1s"], more].concat()).out
    };
    let ranges = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": { "name": "kubernetes" }, "spec": { "cidrs": ["10.96.0.0/12"] }
    });
    let server = two_namespaces().and([ranges]).start();
    let said = doctor(&server, &[]);
    assert!(said.contains("ok    cluster addresses that are never asked as a registry: of services 10.96.0.0/12"), "{said}");
    let said = doctor(&server, &["--include-namespaces", "prod"]);
    assert!(said.contains("note  cluster addresses: the ranges of services are not known: they are the whole cluster's"), "{said}");
    let said = doctor(&two_namespaces().start(), &[]);
    assert!(said.contains("are not known: the server does not show them") && said.contains("fix: names under .svc"), "{said}");
}

#[test]
fn a_custom_resource_without_pods_is_said_to_be_out_of_sight_and_seen_when_it_is_named() {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": { "name": "idle", "namespace": "prod", "uid": "uid-idle" },
        "spec": { "template": { "spec": { "containers": [{ "name": "app", "image": "registry.example/idle:latest", "imagePullPolicy": "Never" }] } } },
    });
    let server = two_namespaces().and([rollout]).start();
    scan(&server, &[]).prints(0, &["custom resources that have no pods: ", "--custom-kind"]);
    let report = scan(&server, &["-f", "json"]).json();
    let hidden = report["notVisible"].as_array().unwrap().iter().find(|hidden| hidden["what"] == "custom resources that have no pods");
    assert!(hidden.unwrap()["why"].as_str().unwrap().contains("--custom-kind"));
    assert_eq!((&report["header"]["audited"]["workloads"], &report["controls"][0]["counts"]["failed"]), (&json!(2), &json!(0)));
    let report = scan(&server, &["-f", "json", "--custom-kind", "argoproj.io/Rollout:spec.template"]).json();
    assert_eq!((&report["header"]["audited"]["workloads"], &report["controls"][0]["counts"]["failed"]), (&json!(3), &json!(1)));
}

/// A login page, say.
#[test]
fn a_server_that_answers_as_none_is_told_from_one_that_does_not_answer() {
    let page = Reply::Status(200, Vec::new(), json!("<html>Sign in</html>"));
    let server = two_namespaces().fault("/version", 99, page).start();
    let kubeconfig = server.kubeconfig("secret-token");
    let doctor = Program::new().run(&["doctor", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    doctor.prints(4, &["answers, but not as a Kubernetes API server does", "login page"]);
}
