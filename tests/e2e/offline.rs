//! The same through a snapshot: no network, no secret, and the same report.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::judged::{arguments, judged};
use super::process::finish;
use super::redaction::Redaction;
use super::standing::{Standing, standing};
use super::supervisor::say;

/// Captures the standing cluster.
fn capture(standing: &Standing, output: &str) {
    let words = arguments(standing, &["snapshot", "-o", output, "--no-cache", "--registry-timeout", "1s"]);
    let ended = standing.stack.run_seaworthy(&words);
    assert!(standing.stack.run.join(output).exists(), "{ended:?}");
}

/// Scans a snapshot where there is no network at all, if that can be had; the three formats.
fn replay(standing: &Standing, snapshot: &str, name: &str) -> [String; 3] {
    let files = ["json", "kubescape-json", "pretty"].map(|format| (format, format!("{name}.{format}")));
    let formats: Vec<_> = files.iter().map(|(format, file)| format!("{format}={file}")).collect();
    let words = ["scan", "control", "C-0237", "-v", "--snapshot", snapshot, "-f", &formats.join(",")].map(str::to_owned);
    let scan = standing.stack.seaworthy(&words);
    let ended = finish(without_network(scan).spawn().unwrap());
    assert_eq!(ended.code, judged().ended.code, "{ended:?}");
    files.map(|(_, file)| std::fs::read_to_string(standing.stack.run.join(file)).unwrap())
}

fn without_network(scan: Command) -> Command {
    let possible = Command::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !possible {
        say("skipped: no network for a scan of a snapshot: no network namespace can be made here (unshare -rn)");
        return scan;
    }
    let mut isolated = Command::new("unshare");
    isolated.arg("-rn").arg(scan.get_program()).args(scan.get_args()).env_clear();
    isolated.envs(scan.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(scan.get_current_dir().unwrap());
    isolated.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    isolated
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_snapshot_gives_the_same_report_without_network() {
    let (standing, live) = (standing(), judged());
    capture(standing, "cluster.tar.zst");
    let first = replay(standing, "cluster.tar.zst", "first");
    let second = replay(standing, "cluster.tar.zst", "second");
    assert!(first == second, "two scans of one snapshot differ");
    // The live scan and the capture looked at two moments; all else is the same, to the byte.
    let moments = Redaction::of_scans(standing);
    let json = String::from_utf8(live.json.clone()).unwrap();
    let kubescape = std::fs::read_to_string(standing.stack.run.join("full-kubescape.json")).unwrap();
    for (live, offline) in [&json, &kubescape, &live.pretty].into_iter().zip(&first) {
        same(&moments.apply(&without_identifier(live)), &moments.apply(&without_identifier(offline)));
    }
}

/// Kubescape's report has an identifier of its own, which follows from its content and so from the time.
fn without_identifier(report: &str) -> String {
    let identifier = serde_json::from_str::<Value>(report).ok().and_then(|report| report["reportGUID"].as_str().map(str::to_owned));
    identifier.map_or_else(|| report.to_owned(), |identifier| report.replace(&identifier, ""))
}

/// Says where two texts part.
fn same(left: &str, right: &str) {
    let differing = left.lines().zip(right.lines()).enumerate().find(|(_, (left, right))| left != right);
    assert!(left == right, "live and offline differ: {differing:#?}");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn no_secret_enters_a_snapshot() {
    let standing = standing();
    capture(standing, "cluster-directory");
    // The passwords and what is made of them: `robot:pull-me` in base64, and that in the secret's base64.
    let secrets = ["pull-me", "push-me", "cm9ib3Q6cHVsbC1tZQ", "admin-token", "eyJhdXRocyI"];
    let mut files = 0;
    visit(&standing.stack.run.join("cluster-directory"), &mut |path, bytes| {
        files += 1;
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{} has {secret}", path.display());
        }
    });
    assert!(files > 2, "the snapshot has only {files} files");
}

fn visit(directory: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else {
            look(&path, &std::fs::read(&path).unwrap());
        }
    }
}
