//! C-0236 of the standing cluster under a trust policy: what real people and keys signed, and what goes wrong with signatures.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::images::{ALICE, MALLORY};
use super::judged::{Report, arguments};
use super::process::Ended;
use super::registries::digest_of;
use super::sigstore::Sigstore;
use super::standing::{REFUSED, Standing, TRUSTED, UNDECIDED, standing};
use super::supervisor::say;

/// The standing cluster with its Sigstore, if there is one.
fn signed_cluster() -> Option<(&'static Standing, &'static Sigstore)> {
    let standing = standing();
    let sigstore = standing.stack.sigstore.as_ref();
    if sigstore.is_none() {
        say("skipped: C-0236 in a cluster: there is no private Sigstore");
    }
    Some((standing, sigstore?))
}

/// SHA-256 of the `SubjectPublicKeyInfo` of a PEM file.
fn fingerprint(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    digest_of(&STANDARD.decode(body).unwrap())
}

/// The policy, written once: Alice, and a key of the team.
fn policy(standing: &Standing, sigstore: &Sigstore) -> &'static Path {
    static POLICY: OnceLock<PathBuf> = OnceLock::new();
    POLICY.get_or_init(|| write_policy(standing, sigstore))
}

fn write_policy(standing: &Standing, sigstore: &Sigstore) -> PathBuf {
    let run = &standing.stack.run;
    let alice = |log: &str| {
        json!({
            "keyless": {"trustRoot": "own", "issuer": {"exact": sigstore.issuer()}, "subject": {"exact": ALICE}},
            "transparencyLog": log,
        })
    };
    let hosts = [&standing.stack.referrers.host, &standing.stack.fallback.host];
    let those = |name: &str| hosts.map(|host| format!("{host}/team/{name}"));
    let logged = [those("key-logged"), those("unlogged-key")].concat();
    let policy = json!({
        "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": {"name": "team"},
        "spec": {
            "trustRoots": {"own": {"file": sigstore.trusted_root()}},
            "authorities": {
                "alice": alice("required"),
                "alice-unlogged": alice("optional"),
                "team": {"key": {"file": run.join("cosign.pub")}},
                "team-logged": {"key": {"file": run.join("cosign.pub")}, "trustRoot": "own", "transparencyLog": "required"},
                "old": {"key": {"file": run.join("revoked.pub")}},
            },
            "images": [
                {"match": ["**"], "require": {"anyOf": ["alice", "team", "old"]}},
                {"match": those("stamped*"), "require": {"anyOf": ["alice-unlogged"]}},
                {"match": logged, "require": {"anyOf": ["team-logged"]}},
            ],
            "revocations": [{"key": fingerprint(&run.join("revoked.pub")), "reason": "its owner left"}],
        },
    });
    let file = run.join("trust-policy.yaml");
    std::fs::write(&file, policy.to_string()).unwrap();
    file
}

/// A scan of the three namespaces.
struct Scanned {
    ended: Ended,
    report: Report,
    table: String,
}

fn scan(standing: &Standing, policy: &Path, namespaces: &[&str], name: &str) -> Scanned {
    let formats = format!("json={name}.json,pretty={name}.txt");
    let mut words = arguments(standing, &["scan", "control", "C-0236", "-v", "--no-cache", "-f", &formats, "--offline"]);
    words.extend(["--trust-policy".to_owned(), policy.display().to_string()]);
    words.extend(["--include-namespaces".to_owned(), namespaces.join(",")]);
    words.extend(["--compliance-threshold", "100"].map(str::to_owned));
    let ended = standing.stack.run_seaworthy(&words);
    let run = &standing.stack.run;
    assert!(run.join(format!("{name}.json")).exists(), "{ended:?}");
    let table = std::fs::read_to_string(run.join(format!("{name}.txt"))).unwrap();
    Scanned { report: Report::read(&run.join(format!("{name}.json"))), table, ended }
}

fn scanned() -> Option<&'static Scanned> {
    static SCANNED: OnceLock<Scanned> = OnceLock::new();
    let (standing, sigstore) = signed_cluster()?;
    Some(SCANNED.get_or_init(|| scan(standing, policy(standing, sigstore), &[TRUSTED, REFUSED, UNDECIDED], "trusted")))
}

const VERDICTS: [(&str, &str, &str); 19] = [
    (TRUSTED, "keyless", "passed"),
    (TRUSTED, "keyless-by-fallback", "passed"),
    (TRUSTED, "stamped", "passed"),
    (TRUSTED, "stamped-beside-referrers", "passed"),
    (TRUSTED, "key-logged", "passed"),
    (TRUSTED, "keyless-moved", "passed"),
    (TRUSTED, "by-tag", "passed"),
    (TRUSTED, "by-referrer", "passed"),
    (TRUSTED, "by-fallback", "passed"),
    (TRUSTED, "by-tag-beside-referrers", "passed"),
    (REFUSED, "by-mallory", "failed identity-mismatch"),
    (REFUSED, "stamped-by-mallory", "failed identity-mismatch"),
    (REFUSED, "by-revoked-key", "failed revoked"),
    (REFUSED, "unlogged-key", "failed log-entry-missing"),
    (REFUSED, "transplanted", "failed digest-mismatch"),
    (REFUSED, "transplanted-tag", "failed digest-mismatch"),
    (REFUSED, "unsigned", "failed absent"),
    (UNDECIDED, "closed", "unknown connection"),
    (UNDECIDED, "moved-to-signed", "unknown index-unknown"),
];

fn word(answer: &Value) -> String {
    let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str());
    format!("{} {}", answer["status"].as_str().unwrap(), code.unwrap_or_default()).trim().to_owned()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn signatures_are_judged_by_the_policy_in_json() {
    let Some(scanned) = scanned() else { return };
    let mut wrong = Vec::new();
    for (namespace, name, expected) in VERDICTS {
        let finding = scanned.report.finding("C-0236", &format!("{namespace}/Deployment/{name}"));
        let said = finding.map(|finding| word(&finding["containers"][0]["answer"]));
        if said.as_deref() != Some(expected) {
            wrong.push(format!("{namespace}/{name} should be {expected} and is {said:?}: {finding:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), scanned.ended.stderr);
    assert_eq!(scanned.report.workloads().len(), VERDICTS.len());
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn exit_codes_tell_verified_rejected_and_unknown_apart() {
    let (Some((standing, sigstore)), Some(all)) = (signed_cluster(), scanned()) else { return };
    assert_eq!(all.ended.code, Some(1), "{:?}", all.ended);
    let policy = policy(standing, sigstore);
    for (namespace, code) in [(TRUSTED, 0), (REFUSED, 1), (UNDECIDED, 3)] {
        let ended = scan(standing, policy, &[namespace], &format!("exit-{namespace}")).ended;
        assert_eq!(ended.code, Some(code), "{namespace}: {ended:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn one_identity_or_key_needs_no_policy() {
    let Some((standing, sigstore)) = signed_cluster() else { return };
    let (root, key) = (sigstore.trusted_root().display().to_string(), standing.stack.run.join("cosign.pub").display().to_string());
    let alice = ["--identity", ALICE, "--issuer", sigstore.issuer(), "--trusted-root", &root];
    let anybody = ["--identity-regexp", ".*@example\\.test", "--issuer-regexp", "https://127\\.0\\.0\\.1:[0-9]+", "--trusted-root", &root];
    let unanchored = ["--identity-regexp", "alice", "--issuer", sigstore.issuer(), "--trusted-root", &root];
    let by_key = ["--key", &key];
    for (name, whom, code) in [
        ("keyless", alice.as_slice(), 0),
        ("keyless-by-fallback", &alice, 0),
        ("by-mallory", &alice, 1),
        ("by-mallory", &anybody, 0),
        ("keyless", &unanchored, 1),
        ("by-tag", &by_key, 0),
        ("by-fallback", &by_key, 0),
        ("by-referrer", &by_key, 0),
        ("key-logged", &by_key, 0),
        ("by-revoked-key", &by_key, 1),
        ("keyless", &by_key, 1),
        ("transplanted-tag", &alice, 1),
        ("unsigned", &by_key, 1),
        ("index", &by_key, 0),
        ("index-of-signed", &by_key, 1),
        ("only-attested", &by_key, 1),
        ("copied", &by_key, 1),
        ("closed", &by_key, 3),
    ] {
        let image = standing.images.get(name).tagged();
        let mut words = ["verify", "image", &image, "--offline", "--no-cache"].map(str::to_owned).to_vec();
        words.extend(whom.iter().map(|&word| word.to_owned()));
        words.extend(standing.stack.registry_options());
        let ended = standing.stack.run_seaworthy(&words);
        assert_eq!(ended.code, Some(code), "{name} {whom:?}: {ended:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn a_tag_that_moved_is_judged_by_what_is_named() {
    let Some((standing, sigstore)) = signed_cluster() else { return };
    let policy = policy(standing, sigstore).display().to_string();
    let (was_signed, is_signed) = (standing.images.get("keyless-moved"), standing.images.get("moved-to-signed"));
    for (image, code) in [(was_signed.tagged(), 1), (was_signed.pinned(), 0), (is_signed.tagged(), 0), (is_signed.pinned(), 1)] {
        let mut words = ["verify", "image", &image, "--trust-policy", &policy, "--offline", "--no-cache"].map(str::to_owned).to_vec();
        words.extend(standing.stack.registry_options());
        let ended = standing.stack.run_seaworthy(&words);
        assert_eq!(ended.code, Some(code), "{image}: {ended:?}");
    }
}

/// What both can judge, both judge alike.
#[test]
#[ignore = "run by e2e::against_real_servers"]
fn cosign_says_the_same() {
    let Some((standing, sigstore)) = signed_cluster() else { return };
    for (namespace, name, _) in VERDICTS {
        let by_alice = ["keyless", "keyless-by-fallback", "by-mallory", "transplanted", "unsigned"];
        if !by_alice.contains(&name) {
            continue;
        }
        let mut cosign = standing.stack.servers.program("cosign");
        cosign.args(["verify", "--allow-http-registry", "--certificate-identity", ALICE, "--certificate-oidc-issuer", sigstore.issuer()]);
        cosign.arg("--trusted-root").arg(sigstore.trusted_root()).arg(standing.images.get(name).pinned());
        let output = cosign.output().unwrap();
        assert_eq!(output.status.success(), namespace == TRUSTED, "{name}: {output:?}");
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn single_images_end_as_their_verdicts() {
    let Some((standing, sigstore)) = signed_cluster() else { return };
    let policy = policy(standing, sigstore).display().to_string();
    for (namespace, name, expected) in VERDICTS {
        // What runs is another image than what the tag leads to now.
        if name.contains("moved") {
            continue;
        }
        let image = standing.images.get(name).tagged();
        let mut words = ["verify", "image", &image, "--trust-policy", &policy, "--offline", "--no-cache"].map(str::to_owned).to_vec();
        words.extend(standing.stack.registry_options());
        let ended = standing.stack.run_seaworthy(&words);
        let code = match namespace {
            TRUSTED => 0,
            REFUSED => 1,
            _ => 3,
        };
        assert_eq!(ended.code, Some(code), "{name} ({expected}): {ended:?}");
    }
}

/// What the table says of a workload, without its line breaks; none where it is not listed.
fn told<'t>(table: &'t str, name: &str) -> Option<String> {
    let mut sections = table.split("########");
    let section: &'t str = sections.find(|section| section.lines().any(|line| line == format!("Name: {name}")))?;
    Some(section.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn who_signed_and_what_would_have_passed_is_told_in_the_table() {
    let Some(scanned) = scanned() else { return };
    for (_, name, expected) in VERDICTS {
        let told = told(&scanned.table, name);
        let Some((verdict, code)) = expected.split_once(' ') else {
            assert_eq!(told, None, "{name} passes");
            continue;
        };
        let told = told.unwrap_or_else(|| panic!("{name} is not in the table:\n{}", scanned.table));
        let label = if verdict == "failed" { "Failed: C-0236" } else { "Unknown: C-0236" };
        assert!(told.contains(label) && told.contains(&format!("({code})")), "{name}: {told}");
    }
    let told = |name: &str| told(&scanned.table, name).unwrap();
    for name in ["by-mallory", "stamped-by-mallory"] {
        assert!(told(name).contains(&format!("signed by {MALLORY}")), "{}", told(name));
        assert!(told(name).contains(&format!("the policy wants {ALICE}")), "{}", told(name));
    }
    assert!(told("by-revoked-key").contains("is revoked: its owner left"), "{}", told("by-revoked-key"));
}
