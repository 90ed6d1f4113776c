//! The other commands against the same servers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::judged::{Report, arguments};
use super::standing::{KINDS, standing};

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn images_lists_what_runs_and_from_where() {
    let standing = standing();
    let mut words = vec!["images".to_owned(), "-f".to_owned(), "json".to_owned()];
    words.extend(["--kubeconfig".to_owned(), standing.stack.cluster.administrator().display().to_string()]);
    let ended = standing.stack.run_seaworthy(&words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let list: Value = serde_json::from_str(&ended.stdout).unwrap();
    let registries: BTreeSet<_> =
        list["registries"].as_array().unwrap().iter().map(|registry| registry["registry"].as_str().unwrap().to_owned()).collect();
    let expected: BTreeSet<_> = standing.stack.registries().map(|registry| registry.host.clone()).collect();
    assert!(expected.is_subset(&registries), "{registries:?}");
    let image = standing.images.get("by-tag");
    let listed = list["images"].as_array().unwrap().iter().find(|listed| listed["digest"] == image.digest.as_str()).unwrap();
    assert_eq!(listed["tag"], "v1", "{listed}");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn doctor_says_of_each_registry_how_it_is() {
    let standing = standing();
    let stack = standing.stack;
    let mut words = arguments(standing, &["doctor"]);
    words.extend(["--registry-timeout".to_owned(), "1s".to_owned()]);
    let ended = stack.run_seaworthy(&words);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let line = |host: &str| {
        let line = ended.stdout.lines().find(|line| line.contains(host));
        line.unwrap_or_else(|| panic!("nothing is said of {host}: {ended:?}")).to_owned()
    };
    let mut expected = vec![
        (stack.referrers.host.as_str(), "ok", "referrers API"),
        (stack.fallback.host.as_str(), "ok", "fallback tags"),
        (stack.fronts["closed"].1.host.as_str(), "FAIL", "connection"),
        (stack.fronts["unauthorized"].1.host.as_str(), "FAIL", "unauthorized"),
        (stack.fronts["limited"].1.host.as_str(), "FAIL", "rate-limited"),
        (stack.fronts["silent"].1.host.as_str(), "FAIL", "timeout"),
    ];
    if let Some(private) = &stack.private {
        // One image stands for its registry, and with it the secrets of its workload.
        expected.push((private.basic.host.as_str(), "FAIL", "unauthorized"));
        expected.push((private.token.host.as_str(), "ok", "to a pull secret; no referrers API: fallback tags"));
    }
    for (host, health, word) in expected {
        let line = line(host);
        assert!(line.starts_with(health) && line.contains(word), "{host}: {line}\n{}", ended.stdout);
    }
    assert!(ended.stdout.contains("fix: "), "{}", ended.stdout);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_template_inside_a_custom_resource_is_found_where_it_is_said_to_be() {
    let standing = standing();
    let scope = ["--include-namespaces", KINDS, "--include-kinds", "Rollout", "--custom-kind", "example.test/Rollout:spec.template"];
    let mut words = arguments(standing, &["scan", "control", "C-0237", "--no-cache", "-f", "json=custom.json"]);
    words.extend(scope.map(str::to_owned));
    let ended = standing.stack.run_seaworthy(&words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = Report::read(&standing.stack.run.join("custom.json"));
    assert_eq!(report.workloads(), ["kinds/Rollout/canary"]);
    let container = &report.finding("C-0237", "kinds/Rollout/canary").unwrap()["containers"][0];
    assert_eq!((&container["path"], &container["basis"]), (&"spec.template.spec.containers[0].image".into(), &"running".into()));
}
