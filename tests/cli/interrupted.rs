//! A scan that is ended while the cluster is still being listed: what was listed by then is reported.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::cluster::pod;
use super::{Ended, Program};
use crate::api_server::{ApiServer, Reply, Script};

const SCAN: [&str; 5] = ["scan", "control", "C-0075,C-0237", "-f", "json"];
const SECOND_PAGE: &str = "/api/v1/pods?limit=500&continue=";

/// 600 pods of which the last hundred never come, and a Deployment whose pods would be among them.
fn half_listed() -> ApiServer {
    let pods = (0..600).map(|number| pod("prod", &format!("web-{number:03}")));
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "late", "namespace": "prod", "uid": "uid-late" },
        "spec": { "template": { "spec": { "containers": [{ "name": "app", "image": "registry.example/late:v1", "imagePullPolicy": "IfNotPresent" }] } } },
    });
    Script::with(pods.chain([deployment])).fault(SECOND_PAGE, usize::MAX, Reply::Silence).start()
}

fn start(program: &Program, server: &ApiServer, arguments: &[&str]) -> Child {
    let kubeconfig = server.kubeconfig("secret-token");
    let child = program.spawn(&[arguments, &["--kubeconfig", kubeconfig.to_str().unwrap()]].concat());
    let began = Instant::now();
    while !server.requests().iter().any(|request| request.contains(SECOND_PAGE)) && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    // What is answered at once has come in by then.
    std::thread::sleep(Duration::from_millis(500));
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

fn ended_by(signal: Signal, arguments: &[&str]) -> (Ended, Duration, Program) {
    let (program, server) = (Program::new(), half_listed());
    let child = start(&program, &server, arguments);
    send(&child, signal);
    let began = Instant::now();
    (child.wait_with_output().unwrap().into(), began.elapsed(), program)
}

/// What was listed is in the report, what was not is a gap, and nothing is said of what nobody looked at.
#[track_caller]
fn half_reported(report: &Value, cause: &str) {
    assert_eq!(report["header"]["interrupted"], true);
    assert_eq!((&report["header"]["listed"]["pods"], &report["header"]["audited"]["workloads"]), (&json!(500), &json!(501)));
    let gaps = report["gaps"].as_array().unwrap().iter();
    let missing: Vec<_> = gaps.filter(|gap| gap["workloadsMissing"] == true).map(|gap| (&gap["what"], &gap["cause"])).collect();
    assert_eq!(missing, [(&json!("pods in all namespaces"), &json!("list-incomplete"))], "{:#}", report["gaps"]);
    assert!(report["gaps"].as_array().unwrap().iter().any(|gap| gap["cause"] == cause), "{:#}", report["gaps"]);
    let counts = |id: &str| report["controls"].as_array().unwrap().iter().find(|control| control["id"] == id).unwrap()["counts"].clone();
    assert_eq!((&counts("C-0075")["passed"], &counts("C-0237")["unknown"]), (&json!(501), &json!(501)));
    let of = |name: &str| {
        let position = report["workloads"].as_array().unwrap().iter().position(|workload| workload["name"] == name).unwrap();
        let finding = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["control"] == "C-0237" && finding["workload"].as_u64() == u64::try_from(position).ok());
        let container = &finding.unwrap()["containers"][0];
        [&container["basis"], &container["answer"]["status"], &container["answer"]["cause"]].map(|value| value.as_str().unwrap().to_owned())
    };
    assert_eq!(of("web-000"), ["running", "unknown", cause]);
    assert_eq!(of("late"), ["declaredPodsNotListed", "unknown", "list-incomplete"]);
}

#[test]
fn a_first_signal_reports_what_was_listed() {
    let (ended, took, _) = ended_by(Signal::SIGINT, &SCAN);
    assert_eq!((ended.code, ended.err.as_str()), (Some(130), ""), "{ended:#?}");
    half_reported(&ended.json(), "cancelled");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let (ended, took, _) = ended_by(Signal::SIGTERM, &SCAN);
    assert_eq!(ended.code, Some(143), "{ended:#?}");
    half_reported(&ended.json(), "cancelled");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn the_time_out_of_the_whole_reports_what_was_listed() {
    let (program, server) = (Program::new(), half_listed());
    let child = start(&program, &server, &[&SCAN[..], &["--timeout", "3s"]].concat());
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let report = ended.json();
    half_reported(&report, "timeout");
    assert!(report["gaps"][0]["detail"].as_str().unwrap().contains("--timeout"), "{}", report["gaps"]);
}

#[test]
fn a_person_is_told_that_it_is_not_all() {
    let (ended, ..) = ended_by(Signal::SIGINT, &["scan", "control", "C-0075"]);
    ended.prints(130, &["Interrupted", "pods in all namespaces (list-incomplete)", "500 pods"]);
}

/// A report that nobody reads keeps the program waiting.
#[test]
fn a_second_signal_ends_at_once_and_sigterm_needs_no_second() {
    for (signals, code) in [(&[Signal::SIGINT, Signal::SIGINT][..], 130), (&[Signal::SIGTERM], 143)] {
        let (program, server) = (Program::new(), half_listed());
        let mut child = start(&program, &server, &SCAN);
        let mut began = Instant::now();
        for (number, signal) in signals.iter().enumerate() {
            if number > 0 {
                std::thread::sleep(Duration::from_millis(600));
                assert_eq!(child.try_wait().unwrap(), None, "it waits for the reader of its report");
                began = Instant::now();
            }
            send(&child, *signal);
        }
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[test]
fn images_and_snapshots_keep_what_was_listed() {
    let (ended, ..) = ended_by(Signal::SIGINT, &["images", "-f", "json"]);
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    let usage = ended.json();
    assert_eq!(usage["totals"]["workloads"], 501, "{usage:#}");
    assert!(usage["gaps"].as_array().unwrap().iter().any(|gap| gap["what"] == "pods in all namespaces"), "{usage:#}");

    let (program, server) = (Program::new(), half_listed());
    let file = program.home().join("cluster.tar.zst");
    let child = start(&program, &server, &["snapshot", "-o", file.to_str().unwrap()]);
    send(&child, Signal::SIGINT);
    let ended: Ended = child.wait_with_output().unwrap().into();
    ended.says(130, &["workloads: 501"]);
    let again = program.run(&[&SCAN[..], &["--snapshot", file.to_str().unwrap()]].concat());
    assert_eq!(again.code, Some(3), "{again:#?}");
    let report = again.json();
    assert_eq!((&report["gaps"][0]["what"], &report["gaps"][0]["workloadsMissing"]), (&json!("pods in all namespaces"), &json!(true)));
}

#[test]
fn a_wait_for_standard_input_can_be_ended() {
    let program = Program::new();
    let mut child = program
        .command(&["scan", "control", "C-0075", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take();
    std::thread::sleep(Duration::from_millis(700));
    send(&child, Signal::SIGINT);
    let began = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(input);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "ended before anything was listed\n");
}
