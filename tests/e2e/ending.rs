//! How the program ends: exit codes, signals, and what is reported until then.

use std::time::{Duration, Instant};

use serde_json::json;

use super::fronts::{Fault, Front};
use super::judged::{Report, arguments, judged};
use super::process::{finish, port, send, wait};
use super::standing::{KINDS, SIGNED, UNKNOWN, UNSIGNED, standing};

/// Ends a scan that waits for a silent registry with a signal; its exit code, how long it took, and its report.
fn interrupt(signal: &str) -> (Option<i32>, Duration, Report) {
    let standing = standing();
    let stack = standing.stack;
    let front = Front::before(port(0), stack.referrers.port());
    front.fail(Fault::Silent);
    let (unsigned, silent) = (standing.images.get("unsigned").tagged(), format!("127.0.0.1:{}/team/silent:v1", front.port));
    let file = format!("{signal}.json");
    let mut arguments: Vec<String> =
        ["scan", "image", &unsigned, &silent, "--control", "C-0237", "--no-cache", "-f", &format!("json={file}")].map(str::to_owned).into();
    arguments.extend(stack.registry_options());
    let child = stack.start_seaworthy(&arguments);
    wait("a request to the silent registry", || (front.connections() > 0).then_some(()));
    // The other image is judged within this time many times over.
    std::thread::sleep(Duration::from_millis(1500));
    let sent = Instant::now();
    send(&child, signal);
    let ended = finish(child);
    let took = sent.elapsed();
    let path = stack.run.join(file);
    assert!(path.exists(), "{ended:?}");
    (ended.code, took, Report::read(&path))
}

/// What is known by then is said, and of the rest that it is not known.
fn is_partial(report: &Report) {
    assert_eq!(report.0["header"]["interrupted"], true);
    let said: Vec<_> = report.0["findings"].as_array().unwrap().iter().map(|finding| &finding["containers"][0]["answer"]).collect();
    let known = said.iter().any(|answer| answer["status"] == "failed" && answer["reason"] == "absent");
    let cancelled = said.iter().any(|answer| answer["status"] == "unknown" && answer["cause"] == "cancelled");
    assert!(known && cancelled && said.len() == 2, "{said:?}");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn sigterm_ends_a_scan_of_a_silent_registry_within_a_second() {
    let (code, took, report) = interrupt("TERM");
    assert_eq!(code, Some(143));
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    is_partial(&report);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn an_interrupted_scan_reports_what_it_knows() {
    let (code, _, report) = interrupt("INT");
    assert_eq!(code, Some(130));
    is_partial(&report);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn exit_codes_say_how_it_came_out() {
    // Something fails and something is unknown, without a gate: the unknown is not accepted.
    assert_eq!(judged().ended.code, Some(3), "{:?}", judged().ended);
    let standing = standing();
    let missing_context = ["--kube-context", "administrator"].as_slice();
    for (expected, options) in [
        (0, ["--include-namespaces", SIGNED].as_slice()),
        (0, &["--include-namespaces", SIGNED, "--compliance-threshold", "100"]),
        // Known to fail, and without a gate that is no error.
        (0, &["--include-namespaces", UNSIGNED]),
        (1, &["--include-namespaces", UNSIGNED, "--compliance-threshold", "1"]),
        (3, &["--include-namespaces", UNKNOWN]),
        (3, &["--include-namespaces", UNKNOWN, "--compliance-threshold", "50"]),
        (1, &["--include-namespaces", &format!("{UNKNOWN},{UNSIGNED}"), "--compliance-threshold", "90"]),
        (
            0,
            &[
                "--include-namespaces",
                UNKNOWN,
                "--allow-unknown",
                "connection,unauthorized,rate-limited,timeout,image-not-found,index-unknown,digest-unknown",
            ],
        ),
        (0, &["--include-namespaces", KINDS, "--include-kinds", "StatefulSet"]),
        // A gate over nothing is not met.
        (2, &["--include-namespaces", "default", "--compliance-threshold", "50"]),
        (2, missing_context),
    ] {
        let mut arguments = arguments(standing, &["scan", "control", "C-0237", "--no-cache", "--registry-timeout", "1s"]);
        arguments.extend(options.iter().map(|&option| option.to_owned()));
        let ended = standing.stack.run_seaworthy(&arguments);
        assert_eq!(ended.code, Some(expected), "{options:?}: {ended:#?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_cluster_that_lets_nobody_in_is_named() {
    let standing = standing();
    let cluster = &standing.stack.cluster;
    let pki = |name: &str| standing.stack.run.join("pki").join(name).display().to_string();
    let expired = json!({"client-certificate": pki("late.crt"), "client-key": pki("late.key")});
    for (name, user, word) in [("expired", expired, "expired"), ("forged", json!({"token": "nobody-gave-this"}), "forged")] {
        let kubeconfig = cluster.kubeconfig(name, user).display().to_string();
        let ended = standing.stack.run_seaworthy(&["scan", "control", "C-0237", "--kubeconfig", &kubeconfig].map(str::to_owned));
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.stderr.contains(word), "{ended:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_control_that_does_not_exist_is_named_with_the_nearest() {
    let standing = standing();
    let ended = standing.stack.run_seaworthy(&arguments(standing, &["scan", "control", "C-0273"]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("C-0273") && ended.stderr.contains("C-0237"), "{ended:?}");
}
