//! Provenance: of whom, from where, and what its certificate says to that.

use serde_json::{Value, json};

use super::super::cases::Case;
use super::super::layout::Layout;
use super::super::sigstore::{OTHER_WORKFLOW, WORKFLOW};
use super::statement::{Statement, others};
use super::{Attesters, HOSTILE, referred, unsigned};

const V02: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";
const COMMIT: &str = "6f1c2a9be0d34f5a8f7c1e2d3b4a5968778695a4";
const REPOSITORY: &str = "https://github.com/LedgerHQ/signed-images";

/// As the trusted workflow writes it.
fn v1() -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": { "workflow": { "repository": REPOSITORY, "ref": "refs/tags/v1.4.0", "path": ".github/workflows/release.yml" } },
            "resolvedDependencies": [{ "uri": format!("git+{REPOSITORY}@refs/tags/v1.4.0"), "digest": { "gitCommit": COMMIT } }],
        },
        "runDetails": {
            "builder": { "id": WORKFLOW },
            "metadata": { "invocationId": format!("{REPOSITORY}/actions/runs/9514803377/attempts/1") },
        },
    })
}

/// The same in version 0.2, from a source at a reference.
fn v02(uri: &str) -> Value {
    json!({
        "builder": { "id": WORKFLOW },
        "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
        "invocation": { "configSource": { "uri": uri, "digest": { "sha1": COMMIT }, "entryPoint": ".github/workflows/release.yml" } },
        "metadata": { "buildInvocationID": "9514803377-1" },
        "materials": [{ "uri": uri, "digest": { "sha1": COMMIT } }],
    })
}

/// As a builder writes it that has an identifier of its own.
fn by_ci(builder: &str) -> Statement {
    let predicate = json!({
        "buildDefinition": {
            "buildType": "https://ci.seaworthy.test/type",
            "externalParameters": { "source": format!("git+{REPOSITORY}@refs/tags/v1.4.0") },
        },
        "runDetails": { "builder": { "id": builder } },
    });
    Statement::new(V1, predicate.to_string())
}

/// With another value, or without what is there.
fn with(mut value: Value, pointer: &str, new: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match new {
        Some(new) => _ = parent.insert(name.to_owned(), new),
        None => assert!(parent.remove(name).is_some(), "{pointer}"),
    }
    value
}

pub fn cases(attesters: &Attesters<'_>) -> Vec<Case> {
    [whole(attesters), builders(attesters), sources(attesters), references(attesters)].into_iter().flatten().collect()
}

fn whole(attesters: &Attesters<'_>) -> Vec<Case> {
    let first = |predicate: &Value| attesters.released(&Statement::new(V1, predicate.to_string()));
    let good = Statement::new(V1, v1().to_string());
    let [bare, envelope] = unsigned(&good);
    let tagged = v02(&format!("git+{REPOSITORY}@refs/tags/v1.4.0"));
    let release = &attesters.stage.release;
    let other_parameters = with(v1(), "/buildDefinition/externalParameters", Some(json!([])));
    vec![
        ("provenance", first(&v1())),
        ("provenance-legacy", attesters.legacy(&good, V1)),
        ("provenance-v02", attesters.released(&Statement::new(V02, tagged.to_string()))),
        ("provenance-by-ci", attesters.by(&attesters.ci, &by_ci("https://ci.seaworthy.test/builder@v1"))),
        ("provenance-unsigned", bare),
        ("provenance-unsigned-envelope", envelope),
        ("provenance-by-other-workflow", attesters.by(&attesters.other, &good)),
        ("provenance-of-another-image", attesters.released(&good.clone().about(&[others()]))),
        ("provenance-array", first(&json!([v1()]))),
        ("provenance-null", first(&Value::Null)),
        ("provenance-of-the-other-version", first(&tagged)),
        ("provenance-parameters-a-list", first(&other_parameters)),
        (
            "provenance-malformed-and-good",
            referred(&[attesters.bundle(release, &Statement::new(V1, "[]")), attesters.bundle(release, &good)]),
        ),
        ("provenance-unknown-version", attesters.released(&Statement::new("https://slsa.dev/provenance/v2", v1().to_string()))),
    ]
}

fn builders(attesters: &Attesters<'_>) -> Vec<Case> {
    let first = |predicate: &Value| attesters.released(&Statement::new(V1, predicate.to_string()));
    let second = |predicate: &Value| attesters.released(&Statement::new(V02, predicate.to_string()));
    let tagged = v02(&format!("git+{REPOSITORY}@refs/tags/v1.4.0"));
    let named = |id: &str| first(&with(v1(), "/runDetails/builder/id", Some(json!(id))));
    let ci = |id: &str| attesters.by(&attesters.ci, &by_ci(id));
    let good = Statement::new(V1, v1().to_string());
    vec![
        ("builder-missing", first(&with(v1(), "/runDetails/builder", None))),
        ("builder-without-id", first(&with(v1(), "/runDetails/builder/id", None))),
        ("builder-empty", named("")),
        ("builder-null", first(&with(v1(), "/runDetails/builder/id", Some(Value::Null)))),
        ("builder-missing-v02", second(&with(tagged.clone(), "/builder", None))),
        ("builder-without-id-v02", second(&with(tagged.clone(), "/builder/id", None))),
        ("builder-empty-v02", second(&with(tagged, "/builder/id", Some(json!(""))))),
        ("builder-with-space", named(&format!("{WORKFLOW} "))),
        ("builder-with-newline", named(&format!("{WORKFLOW}\n"))),
        ("builder-with-space-before", named(&format!(" {WORKFLOW}"))),
        ("builder-in-other-case", named(&WORKFLOW.replace("LedgerHQ", "ledgerhq"))),
        ("builder-of-other-version", named(&WORKFLOW.replace("v1.4.0", "v1.4.1"))),
        ("builder-escape-codes", named("https://github.com/\u{1b}[2K\u{1b}[1A\u{202e}LedgerHQ\u{2066}\u{7f}")),
        ("builder-ci-with-newline", ci("https://ci.seaworthy.test/builder@v1\n")),
        ("builder-ci-with-nul", ci("https://ci.seaworthy.test/builder@v1\u{0}")),
        ("builder-ci-version", ci("https://ci.seaworthy.test/versions@v7")),
        ("builder-ci-version-with-newline", ci("https://ci.seaworthy.test/versions@v7\n")),
        ("builder-ci-version-on-two-lines", ci("https://evil.test\nhttps://ci.seaworthy.test/versions@v7")),
        ("builder-ci-other", ci("https://ci.seaworthy.test/builder@v2")),
        ("builder-of-the-other-signer", ci(WORKFLOW)),
        ("certificate-of-other-workflow", attesters.by(&attesters.saying(&[(9, OTHER_WORKFLOW)]), &good)),
        (
            "certificate-of-other-run",
            attesters.by(&attesters.saying(&[(21, &format!("{REPOSITORY}/actions/runs/9514803378/attempts/1"))]), &good),
        ),
    ]
}

/// Names by which the source in provenance looks like ours.
const LOOK_ALIKES: [(&str, &str); 14] = [
    ("source-letters-behind", "git+https://github.com/LedgerHQ/signed-imagesA@refs/tags/v1.4.0"),
    ("source-letters-before", "git+https://github.com/LedgerHQ/Asigned-images@refs/tags/v1.4.0"),
    ("source-letters-before-host", "git+https://Agithub.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-of-other-host", "git+https://github.com.evil.test/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-with-user", "git+https://github.com@evil.test/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-with-user-and-password", "git+https://github.com:x@evil.test/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-with-port", "git+https://github.com:8443/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-in-upper-case", "git+https://github.com/LEDGERHQ/SIGNED-IMAGES@refs/tags/v1.4.0"),
    ("source-homoglyph", "git+https://github.com/LedgerHQ/sign\u{435}d-images@refs/tags/v1.4.0"),
    ("source-escaped", "git+https://github.com/LedgerHQ/sign%65d-images@refs/tags/v1.4.0"),
    ("source-climbing", "git+https://github.com/evil/../LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-in-path", "git+https://evil.test/github.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-with-space", "git+https://github.com/LedgerHQ/signed-images @refs/tags/v1.4.0"),
    ("source-without-encryption", "git+http://github.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
];

/// Other ways to write the same repository.
const THE_SAME: [(&str, &str); 5] = [
    ("source-with-git", "git+https://github.com/LedgerHQ/signed-images.git@refs/tags/v1.4.0"),
    ("source-plain", "https://github.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-with-slash", "git+https://github.com/LedgerHQ/signed-images/@refs/tags/v1.4.0"),
    ("source-host-in-upper-case", "git+https://GitHub.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
    ("source-by-ssh", "git+ssh://git@github.com/LedgerHQ/signed-images@refs/tags/v1.4.0"),
];

/// Signed by a builder whose certificate says nothing of sources: only the expectation stands against it.
fn sources(attesters: &Attesters<'_>) -> Vec<Case> {
    let evil = "https://github.com/evil/signed-images";
    let from = |uri: &str| {
        let predicate = json!({
            "buildDefinition": { "buildType": "https://ci.seaworthy.test/type", "externalParameters": { "source": uri } },
            "runDetails": { "builder": { "id": "https://ci.seaworthy.test/builder@v1" } },
        });
        attesters.by(&attesters.ci, &Statement::new(V1, predicate.to_string()))
    };
    let moved = |repository: &str| {
        let moved = with(v1(), "/buildDefinition/externalParameters/workflow/repository", Some(json!(repository)));
        Statement::new(V1, with(moved, "/buildDefinition/resolvedDependencies", Some(json!([]))).to_string())
    };
    let evil_certificate = attesters.saying(&[(5, "evil/signed-images"), (12, evil)]);
    let other_commit = with(
        v1(),
        "/buildDefinition/resolvedDependencies",
        Some(json!([{ "uri": format!("git+{REPOSITORY}"), "digest": { "gitCommit": "dead" } }])),
    );
    let two_sources = with(v1(), "/buildDefinition/externalParameters/source", Some(json!(evil)));
    let mut cases: Vec<Case> = [LOOK_ALIKES.as_slice(), &THE_SAME].concat().into_iter().map(|(name, uri)| (name, from(uri))).collect();
    cases.extend([
        ("source-said-to-be-another", attesters.released(&moved(evil))),
        ("source-certified-to-be-another", attesters.by(&evil_certificate, &Statement::new(V1, v1().to_string()))),
        ("source-another", attesters.by(&evil_certificate, &moved(evil))),
        ("source-other-commit", attesters.released(&Statement::new(V1, other_commit.to_string()))),
        (
            "source-not-said",
            attesters.released(&Statement::new(V1, with(v1(), "/buildDefinition/externalParameters", Some(json!({}))).to_string())),
        ),
        ("source-beside-another", attesters.released(&Statement::new(V1, two_sources.to_string()))),
    ]);
    cases
}

/// For `slsa verify`: branches and tags, with and without a reference.
fn references(attesters: &Attesters<'_>) -> Vec<Case> {
    let at = |reference: &str| {
        let signer = attesters.saying(&[(6, reference), (14, reference)]);
        attesters.by(&signer, &Statement::new(V02, v02(&format!("git+{REPOSITORY}@{reference}")).to_string()))
    };
    vec![
        ("reference-branch", at("refs/heads/main")),
        ("reference-tag", at("refs/tags/v1.4.0")),
        ("reference-tag-v10", at("refs/tags/v10.0.0")),
        ("reference-candidate", at("refs/tags/v1.4.0-rc.1")),
        ("reference-commit", at(COMMIT)),
        ("reference-not-said", attesters.released(&Statement::new(V02, v02(&format!("git+{REPOSITORY}")).to_string()))),
        (
            "reference-other-than-certified",
            attesters.released(&Statement::new(V02, v02(&format!("git+{REPOSITORY}@refs/heads/main")).to_string())),
        ),
    ]
}

/// Each text of provenance that is shown.
pub fn hostile_names(attesters: &Attesters<'_>) -> Vec<(&'static str, &'static str, Layout)> {
    let places = [
        ("names-builder", "/runDetails/builder/id"),
        ("names-type", "/buildDefinition/buildType"),
        ("names-run", "/runDetails/metadata/invocationId"),
        ("names-repository", "/buildDefinition/externalParameters/workflow/repository"),
        ("names-reference", "/buildDefinition/externalParameters/workflow/ref"),
        ("names-path", "/buildDefinition/externalParameters/workflow/path"),
        ("names-commit", "/buildDefinition/resolvedDependencies/0/digest/gitCommit"),
        ("names-time", "/runDetails/metadata/finishedOn"),
    ];
    let named = |pointer: &str| with(v1(), pointer, Some(json!(format!("https://github.com/acme/app{HOSTILE}"))));
    let release = |pointer: &str| attesters.released(&Statement::new(V1, named(pointer).to_string()));
    let mut all: Vec<_> = places.into_iter().map(|(name, pointer)| (name, "BUILD-1", release(pointer))).collect();
    // By a builder whose certificate has nothing to say against it.
    let source = json!({
        "buildDefinition": { "buildType": HOSTILE, "externalParameters": { "source": { "uri": format!("git+https://github.com/LedgerHQ/signed-images@{HOSTILE}"), "digest": { "sha1": HOSTILE }, "entryPoint": HOSTILE } } },
        "runDetails": { "builder": { "id": "https://ci.seaworthy.test/builder@v1" }, "metadata": { "invocationId": HOSTILE } },
    });
    all.push(("names-of-all", "BUILD-1", attesters.by(&attesters.ci, &Statement::new(V1, source.to_string()))));
    all
}
