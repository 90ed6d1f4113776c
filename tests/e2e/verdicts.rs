//! The verdict of C-0237 for each workload of the standing cluster.

use seaworthy::model::{Cause, Reason};
use serde_json::Value;

use super::judged::judged;
use super::standing::{KINDS, PRIVATE, SIGNED, UNKNOWN, UNSIGNED};
use super::supervisor::say;

/// What is said of one image of one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed(Reason),
    Unknown(Cause),
}
use Verdict::{Failed, Passed, Unknown};

impl Verdict {
    fn of(answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().unwrap_or_default();
        match text("status") {
            "passed" => Passed,
            "failed" => Failed(text("reason").parse().unwrap()),
            "unknown" => Unknown(text("cause").parse().unwrap()),
            other => panic!("an answer is {other}"),
        }
    }

    fn status(self) -> &'static str {
        match self {
            Passed => "passed",
            Failed(_) => "failed",
            Unknown(_) => "unknown",
        }
    }
}

/// A container: its name, kind and basis, and the verdict.
type Row = (&'static str, &'static str, &'static str, Verdict);

const ABSENT: Verdict = Failed(Reason::Absent);

/// A workload with the one container `app`, which runs.
fn runs(verdict: Verdict) -> Vec<Row> {
    app("running", verdict)
}

fn app(basis: &'static str, verdict: Verdict) -> Vec<Row> {
    vec![("app", "container", basis, verdict)]
}

/// Compares all workloads of a namespace, so that one failure hides no other.
fn check(namespace: &str, expected: Vec<(&str, &str, Vec<Row>)>) {
    let judged = judged();
    let mut wrong = Vec::new();
    for (kind, name, rows) in &expected {
        let workload = format!("{namespace}/{kind}/{name}");
        let Some(finding) = judged.report.finding("C-0237", &workload) else {
            wrong.push(format!("{workload}: nothing is said of it"));
            continue;
        };
        let mut said: Vec<Row> = Vec::new();
        for container in finding["containers"].as_array().unwrap() {
            let leak = |field: &str| -> &'static str { container[field].as_str().unwrap().to_owned().leak() };
            said.push((leak("name"), leak("kind"), leak("basis"), Verdict::of(&container["answer"])));
        }
        // Images of one container are in the order of their digests.
        let sorted = |rows: &[Row]| {
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            rows
        };
        let status = rows
            .iter()
            .map(|row| row.3.status())
            .min_by_key(|status| ["failed", "unknown", "passed"].iter().position(|known| known == status));
        if sorted(&said) != sorted(rows) || finding["status"].as_str() != status {
            wrong.push(format!("{workload}: expected {rows:?}\n  and it is {finding:#}"));
        }
    }
    let listed = judged.report.workloads();
    let known: Vec<_> = expected.iter().map(|(kind, name, _)| format!("{namespace}/{kind}/{name}")).collect();
    let others = listed.iter().filter(|name| name.starts_with(&format!("{namespace}/")) && !known.contains(name));
    wrong.extend(others.map(|name| format!("{name}: is in the report and should not be")));
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), judged.ended.stderr);
}

fn deployments(rows: impl IntoIterator<Item = (&'static str, Vec<Row>)>) -> Vec<(&'static str, &'static str, Vec<Row>)> {
    rows.into_iter().map(|(name, rows)| ("Deployment", name, rows)).collect()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn signed_in_every_form_passes() {
    let mut expected = vec![
        ("by-tag", runs(Passed)),
        ("by-tag-beside-referrers", runs(Passed)),
        ("by-referrer", runs(Passed)),
        ("by-fallback", runs(Passed)),
        ("by-digest", runs(Passed)),
        ("index", runs(Passed)),
        ("platform", runs(Passed)),
        ("docker-pullable", runs(Passed)),
        ("configuration", runs(Passed)),
        ("tag-moved", runs(Passed)),
    ];
    expected.extend([("scaled-to-zero", app("declaredNoPods", Passed)), ("pending", app("declaredNotStarted", Passed))]);
    check(SIGNED, deployments(expected));
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn one_unsigned_container_fails_its_workload() {
    let main = ("app", "container", "running", Passed);
    check(
        UNSIGNED,
        deployments([
            ("plain", runs(ABSENT)),
            ("plain-by-tags", runs(ABSENT)),
            ("scaled-to-zero", app("declaredNoPods", ABSENT)),
            ("init-container", vec![("prepare", "init", "finished", ABSENT), main]),
            ("debugged", vec![main, ("debugger", "ephemeral", "running", ABSENT)]),
            ("injected", vec![main, ("proxy", "container", "running", ABSENT)]),
            ("roll-out", vec![main, ("app", "container", "running", ABSENT)]),
            ("only-attested", runs(ABSENT)),
            ("only-platforms", runs(ABSENT)),
            ("copied-signature", runs(Failed(Reason::DigestMismatch))),
            ("malformed", app("declaredNotStarted", Failed(Reason::MalformedReference))),
        ]),
    );
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn what_cannot_be_known_is_neither_pass_nor_fail() {
    check(
        UNKNOWN,
        deployments([
            ("closed", runs(Unknown(Cause::Connection))),
            ("unauthorized", runs(Unknown(Cause::Unauthorized))),
            ("limited", runs(Unknown(Cause::RateLimited))),
            ("silent", runs(Unknown(Cause::Timeout))),
            ("deleted", runs(Unknown(Cause::ImageNotFound))),
            // Its signature is still there: in a repository that lost the image it proves nothing.
            ("deleted-signed", runs(Unknown(Cause::ImageNotFound))),
            ("tag-moved", runs(Unknown(Cause::IndexUnknown))),
            ("configuration", runs(Unknown(Cause::DigestUnknown))),
        ]),
    );
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_pull_secret_counts_for_its_own_workload_alone() {
    if judged().standing.stack.private.is_none() {
        say("skipped: a_pull_secret_counts_for_its_own_workload_alone: docker-registry is missing");
        return;
    }
    let refused = runs(Unknown(Cause::Unauthorized));
    check(
        PRIVATE,
        deployments([
            ("basic-with-secret", runs(Passed)),
            ("basic-without", refused.clone()),
            ("basic-with-anothers", refused.clone()),
            ("basic-with-missing", refused.clone()),
            ("token-by-account", runs(Passed)),
            ("token-without", refused),
        ]),
    );
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn every_kind_is_judged_by_what_it_runs() {
    check(
        KINDS,
        vec![
            ("StatefulSet", "stateful", runs(Passed)),
            ("DaemonSet", "daemon", runs(ABSENT)),
            ("ReplicaSet", "replicas", runs(ABSENT)),
            ("ReplicationController", "controller", runs(Passed)),
            ("Job", "once", app("finished", ABSENT)),
            ("CronJob", "nightly", app("finished", Passed)),
            ("CronJob", "suspended", app("declaredSuspended", ABSENT)),
            ("Pod", "bare", runs(Passed)),
            ("Pod", "image-volume", vec![("app", "container", "running", Passed), ("model", "imageVolume", "running", ABSENT)]),
            ("Rollout", "canary", runs(ABSENT)),
        ],
    );
    check("kube-system", vec![("Pod", "scheduler", runs(Passed))]);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_report_says_which_digest_was_judged() {
    let judged = judged();
    let digest = |workload: &str| {
        let finding = judged.report.finding("C-0237", workload).unwrap();
        finding["containers"][0]["digest"].as_str().unwrap_or_default().to_owned()
    };
    let image = |name: &str| judged.standing.images.get(name).digest.clone();
    // The tag leads elsewhere by now: what runs counts.
    assert_eq!(digest("signed/Deployment/tag-moved"), image("moved-signed"));
    assert_eq!(digest("unknown/Deployment/tag-moved"), image("moved-unsigned"));
    // The runtime gave the digest of the configuration.
    assert_eq!(digest("signed/Deployment/configuration"), image("configuration"));
    assert_eq!(digest("signed/Deployment/index"), image("index"));
    assert_ne!(digest("signed/Deployment/platform"), image("index"));
    let both = judged.report.finding("C-0237", "unsigned/Deployment/roll-out").unwrap();
    let digests: Vec<_> = both["containers"].as_array().unwrap().iter().map(|container| container["digest"].as_str().unwrap()).collect();
    assert!(digests.contains(&image("release").as_str()) && digests.len() == 2, "{digests:?}");
}
