//! Commands about one image, over what cosign attested: its bill of materials, and the chain from its source to the pods that run it.

use serde_json::Value;

use super::attested::{Attested, attested};
use super::formats::assert_as_reviewed;
use super::platform::{COMMIT, HARDENED, HOSTED, SOURCE};
use super::process::Ended;
use super::shipped::{cyclonedx, spdx};

/// Runs a command about an image with the documents of the tests; `builders` where it takes them.
fn run(attested: &Attested, command: &[&str], image: &str, builders: bool, more: &[&str]) -> Ended {
    let image = attested.standing.images.get(image).tagged();
    let mut words: Vec<_> = [command, &[image.as_str()], more].concat().into_iter().map(str::to_owned).collect();
    words.extend(attested.trust_options(builders));
    words.extend(attested.standing.stack.registry_options());
    attested.standing.stack.run_seaworthy(&words)
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_bill_of_materials_is_the_one_that_was_attested() {
    let Some(attested) = attested() else { return };
    for (image, format, document) in [("front", "spdx", spdx()), ("back", "cyclonedx", cyclonedx())] {
        for asked in [format, "any"] {
            let ended = run(attested, &["sbom", "get"], image, false, &["--format", asked]);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), document, "{}", ended.stderr);
        }
        let other = if format == "spdx" { "cyclonedx" } else { "spdx" };
        let ended = run(attested, &["sbom", "get"], image, false, &["--format", other]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    }
    let ended = run(attested, &["sbom", "get"], "no-bill", false, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn provenance_is_verified_as_it_is_expected() {
    let Some(attested) = attested() else { return };
    let (hosted, hardened) = (HOSTED.builder(), HARDENED.builder());
    let app = ["--source-uri", SOURCE];
    for (image, expected, code) in [
        ("level-2", &[][..], 0),
        ("level-2", &["--builder-id", &hosted, "--source-branch", "main", "--level", "2"], 0),
        ("level-2", &["--level", "3"], 1),
        ("level-2", &["--builder-id", &hardened], 1),
        ("level-2", &["--source-branch", "other"], 1),
        ("level-3", &["--builder-id", &hardened, "--source-tag", "v2.0.0", "--level", "3"], 0),
        ("level-3", &["--builder-id", "acme-container", "--source-versioned-tag", "v2"], 0),
        ("level-3", &["--source-tag", "v2.0"], 1),
        ("level-1", &[], 0),
        ("level-1", &["--level", "2"], 1),
        ("level-0", &[], 1),
        ("buildkit", &[], 1),
        ("by-a-stranger", &[], 1),
        ("by-another-workflow", &[], 1),
        ("of-another-source", &[], 1),
    ] {
        let ended = run(attested, &["slsa", "verify"], image, true, &[&app, expected].concat());
        assert_eq!(ended.code, Some(code), "{image} {expected:?}: {ended:?}");
    }
    let ended = run(attested, &["slsa", "verify"], "level-2", true, &["--source-uri", "github.com/acme/application"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("REJECTED (source-mismatch)"), "{}", ended.stdout);
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_chain_leads_from_the_commit_to_the_pods() {
    let Some(attested) = attested() else { return };
    let administrator = attested.standing.stack.cluster.administrator().display().to_string();
    let explain = |image: &str, more: &[&str]| {
        let ended = run(attested, &["slsa", "explain"], image, true, &[&["--kubeconfig", &administrator], more].concat());
        (ended.code, ended.stdout, ended.stderr)
    };
    let (code, text, error) = explain("level-3", &["-f", "json"]);
    assert_eq!(code, Some(0), "{error}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((report["level"].as_u64(), report["vouched"]["name"].as_str()), (Some(3), Some("acme-container")), "{report:#}");
    let provenance = &report["provenance"];
    assert_eq!((provenance["source"].as_str(), provenance["commit"].as_str()), (Some(SOURCE), Some(COMMIT)), "{report:#}");
    assert_eq!(provenance["builder"].as_str(), Some(HARDENED.builder().as_str()), "{report:#}");
    let running = &report["runBy"][0];
    assert_eq!((running["workload"].as_str(), running["pods"].as_u64()), (Some("slsa/Deployment/level-3"), Some(1)), "{report:#}");
    assert_eq!(report["run"].as_str(), Some(HARDENED.address().as_str()), "the provenance does not name it, and its certificate does");
    let told: Vec<_> =
        ["level-0", "level-1", "level-2", "level-3", "buildkit", "by-another-workflow"].map(|image| explain(image, &[]).1).into();
    assert_as_reviewed(attested.standing, "chains", &without_positions(&told.join("\n")));
}

/// Without the position of the log's entries, which depends on who came first.
fn without_positions(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("Logged:").and_then(|_| line.split_once(" of ")) {
        Some((_, log)) => format!("Logged:     entry … of {log}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
