//! What is printed, as the user sees it.

use std::io::Read as _;
use std::process::Stdio;

use super::Program;

const HARBOUR: &str = "fixtures/snapshots/harbour";

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let ended = Program::new().run(arguments);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:#?}");
    ended.out
}

#[test]
fn help() {
    insta::assert_snapshot!("help", printed(&["--help"]));
    insta::assert_snapshot!("help_scan", printed(&["scan", "--help"]));
}

/// Where one asks for help there are examples, and a line that goes on says so: they are copied.
#[test]
fn every_command_of_trust_has_examples_that_can_be_copied() {
    for words in [["verify", "image"], ["verify", "bundle"], ["trust", "explain"], ["trust", "impact"]] {
        let help = printed(&[words[0], words[1], "--help"]);
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{words:?} has none"));
        assert!(examples.contains(&format!("seaworthy {} ", words.join(" "))), "{words:?}: {examples}");
        for (line, next) in examples.lines().zip(examples.lines().skip(1)) {
            assert_eq!(line.ends_with('\\'), next.trim_start().starts_with("--"), "{line}\n{next}");
        }
    }
}

#[test]
fn controls() {
    insta::assert_snapshot!("controls_list", printed(&["controls", "list"]));
    assert_eq!(printed(&["controls", "list"]), printed(&["list", "controls"]));
    insta::assert_snapshot!("controls_show", printed(&["controls", "show", "C-0237"]));
}

#[test]
fn images() {
    insta::assert_snapshot!("images", printed(&["images", "--snapshot", HARBOUR]));
}

#[test]
fn rights() {
    insta::assert_snapshot!("rbac_cluster", printed(&["rbac", "print"]));
    insta::assert_snapshot!(
        "rbac_namespaces",
        printed(&["rbac", "print", "--scope", "namespaces", "--include-namespaces", "prod,staging"])
    );
    insta::assert_snapshot!("rbac_no_secrets", printed(&["rbac", "print", "--scope", "no-secrets"]));
    Program::new().run(&["rbac", "print", "--scope", "namespaces"]).says(2, &["--include-namespaces"]);
}

#[test]
fn a_closed_pipe_is_quiet() {
    for arguments in [
        &["controls", "list"][..],
        &["controls", "show", "C-0237"],
        &["rbac", "print"],
        &["images", "--snapshot", HARBOUR],
        &["scan", "control", "C-0237", "-v", "--snapshot", HARBOUR, "--allow-unknown", "image-not-found"],
        &["scan", "-f", "json", "--snapshot", HARBOUR],
        &["--help"],
    ] {
        let mut child = Program::new().command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(error, "", "{arguments:?}");
        // The verdict stands although nobody read it.
        assert!(matches!(status.code(), Some(0 | 3)), "{arguments:?}: {status}");
    }
}

#[test]
fn timings_are_said_beside_the_report() {
    let ended = Program::new().run(&["scan", "control", "C-0237", "--snapshot", HARBOUR, "-f", "json", "--timings"]);
    ended.says(3, &["inventory", "evidence"]);
    ended.json();
}

#[test]
fn an_owner_is_a_filter_and_is_told() {
    let program = Program::new();
    let manifest = |name: &str, marks: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name}, namespace: shop{marks} }}\nspec: {{ template: {{ spec: {{ containers: [{{ name: c, image: 'ghcr.io/acme/{name}:1' }}] }} }} }}\n"
        )
    };
    let text = [
        manifest("web", ", labels: { team: team-web }"),
        manifest("pay", ", annotations: { acme.example/owner: team-pay }"),
        manifest("cache", ""),
    ];
    let file = program.file("shop.yaml", &text.join("---\n"));
    let scan = |more: &[&str]| program.run(&[&["scan", "control", "C-0306", &file], more].concat());
    let owners = |more: &[&str]| {
        let report = scan(&[more, &["-f", "json"]].concat()).json();
        let owner = |workload: &serde_json::Value| format!("{} {}", workload["name"].as_str().unwrap(), workload["owner"]);
        report["workloads"].as_array().unwrap().iter().map(owner).collect::<Vec<_>>()
    };
    assert_eq!(owners(&[]), ["cache \"shop\"", "pay \"shop\"", "web \"team-web\""]);
    let from = ["--owner-from", "annotation:acme.example/owner,label:team"];
    assert_eq!(owners(&from), ["cache null", "pay \"team-pay\"", "web \"team-web\""]);
    assert_eq!(owners(&[&from[..], &["--owner", "team-pay,team-web"]].concat()), ["pay \"team-pay\"", "web \"team-web\""]);
    scan(&["-v", "--owner", "team-web"]).prints(0, &["owned by team-web", "Owner: team-web", "1 workload"]);
    scan(&["--owner-from", "team"]).says(2, &["write label:KEY, annotation:KEY or namespace"]);
}
