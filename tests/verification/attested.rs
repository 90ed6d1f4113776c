//! Attestations that real servers hold, through the whole program: provenance by a builder of one's own, and test results by a control.

use std::path::{Path, PathBuf};

use seaworthy::registry::Layout;
use serde_json::Value;

use super::vectors::IMAGE;
use crate::cli::Program;
use crate::forge::cosign::Layer;
use crate::forge::live;
use crate::forge::vectors::Recorded;
use crate::scripted_registry::{Asked, Reply, ScriptedRegistry};

const SIGNER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/builder";
const STRANGER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/other";
const BUILDER: &str = "https://sgs.test/builders/k8s@v1";
const SOURCE: &str = "git.sgs.test/team/app";
const LOOPBACK: [&str; 9] =
    ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--registry-timeout", "5s", "--offline", "--at", "2026-12-01"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A registry over loopback.
struct Served {
    registry: ScriptedRegistry,
    _runtime: tokio::runtime::Runtime,
    /// What it serves, where that was made for it.
    _made: Option<tempfile::TempDir>,
}

impl Served {
    fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let registry = runtime.block_on(ScriptedRegistry::start(move |asked| answer(asked).into()));
        Self { registry, _runtime: runtime, _made: None }
    }

    /// What a registry answered, with these blobs.
    fn recorded(answers: &str, blobs: &str) -> Self {
        let recorded = Recorded::read(&fixtures().join("vectors/answers").join(answers), Some(&fixtures().join(blobs)));
        Self::new(move |asked| recorded.answer(asked))
    }

    fn layout(directory: &Path) -> Self {
        let layout = Layout::open(directory).unwrap();
        Self::new(move |asked| live::answer(&layout, asked))
    }

    /// The image with these bundles in a layout, as `oras` would copy them.
    fn bundles(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = super::vectors::fixture(&format!("layouts/bundle-oci-layout/blobs/sha256/{}", IMAGE.strip_prefix("sha256:").unwrap()));
        let mut layout = crate::forge::layout::Layout::default();
        let digest = layout.image(&image, Some("v1"));
        for name in names {
            let bundle: Value = serde_json::from_slice(&super::vectors::fixture(&format!("vectors/bundles/{name}.sigstore.json"))).unwrap();
            layout.refer(&digest, &Layer::bundle(&bundle));
        }
        layout.write(directory.path());
        let served = Self::layout(directory.path());
        Self { _made: Some(directory), ..served }
    }

    fn reference(&self) -> String {
        format!("{}/team/oci@{IMAGE}", self.registry.host())
    }

    /// Verdict and level of its provenance.
    fn provenance(&self, trusted: &Trusted<'_>, level: u8, source: &str) -> (String, u64) {
        let program = Program::new();
        let builders = program.file("builders/own.yaml", &trusted.builders(level));
        let reference = self.reference();
        let words = ["slsa", "verify", &reference, "--source-uri", source, "--controls", &builders, "-f", "json"];
        let report = program.run(&[&words[..], &LOOPBACK].concat()).json();
        (report["code"].as_str().or(report["verdict"].as_str()).unwrap().to_owned(), report["level"].as_u64().unwrap())
    }

    /// What a control says of its test results, which have to be this.
    fn tests(&self, trusted: &Trusted<'_>, result: &str) -> String {
        let program = Program::new();
        let control = program.file("acme-1.yaml", &control(result));
        let policy = program.file("policy.yaml", &trusted.policy());
        let reference = self.reference();
        let words =
            ["scan", "image", &reference, "--control", "ACME-1", "--only-controls", &control, "--trust-policy", &policy, "-f", "json"];
        let report = program.run(&[&words[..], &LOOPBACK].concat()).json();
        let answer = &report["findings"][0]["containers"][0]["answer"];
        let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str()).unwrap_or_default();
        format!("{} {code}", answer["status"].as_str().unwrap()).trim().to_owned()
    }
}

fn control(result: &str) -> String {
    format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: Control\nmetadata: {{ name: acme-1 }}\nspec:\n  id: ACME-1\n  title: T\n  severity: 5\n  rationale: R\n  \
         rule: {{ attestation: {{ predicateType: https://in-toto.io/attestation/test-result/v0.1, where: \"predicate.result == '{result}' && signer.subject == '{SIGNER}'\" }} }}\n"
    )
}

/// Whom a user trusts: a root of the vectors, a name, and a builder; and whether a log is asked for.
#[derive(Clone, Copy)]
struct Trusted<'a> {
    root: &'a str,
    signer: &'a str,
    builder: &'a str,
    log: &'a str,
}

const USUAL: Trusted<'_> = Trusted { root: "trusted_root.json", signer: SIGNER, builder: BUILDER, log: "required" };
const BOTH: Trusted<'_> = Trusted { root: "trusted_root.both.json", ..USUAL };

impl Trusted<'_> {
    fn authority(&self) -> String {
        let root = fixtures().join("vectors/trust").join(self.root).display().to_string();
        format!(
            "  trustRoots: {{ own: {{ file: '{root}' }} }}\n  authorities:\n    ci: {{ keyless: {{ trustRoot: own, issuer: {{ exact: 'https://127.0.0.1:16443' }}, subject: {{ exact: '{}' }} }}, transparencyLog: {} }}\n",
            self.signer, self.log
        )
    }

    fn builders(&self, level: u8) -> String {
        format!(
            "apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: own }}\nspec:\n{}  builders: [{{ name: k8s, id: {{ exact: '{}' }}, signedBy: [ci], level: {level} }}]\n",
            self.authority(),
            self.builder
        )
    }

    fn policy(&self) -> String {
        format!(
            "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: own }}\nspec:\n{}  images: [{{ match: ['**'], require: {{ anyOf: [ci] }} }}]\n",
            self.authority()
        )
    }
}

/// What looks like the source, and is another.
const SOURCES: [&str; 5] =
    ["git.sgs.test/team/appA", "Agit.sgs.test/team/app", "git.sgs.test/Ateam/app", "git.sgs.test/team", "git.sgs.test/team/*/app"];

/// Under whom what comes out.
type Expected = Vec<(Trusted<'static>, &'static str)>;

/// Each place where real servers left attestations: under which root, and what provenance and test results come to.
fn places() -> Vec<(String, Served, Expected)> {
    let refused = |root, code| (Trusted { root, ..USUAL }, code);
    let negative = || {
        vec![
            (USUAL, "verified"),
            refused("negative/tr.noct.json", "sct-invalid"),
            refused("negative/tr.norekor.json", "log-signature-invalid"),
            refused("negative/tr.notsa.json", "timestamp-invalid"),
            refused("negative/tr.otherca.json", "certificate-untrusted"),
        ]
    };
    let mut places: Vec<_> = ["ociserve-conforming", "crane-registry-serve", "ggcr-referrers", "docker-registry-2.8.2"]
        .map(|name| (name.to_owned(), Served::recorded(name, &format!("vectors/bundles/{name}")), negative()))
        .into();
    let layout = |name: &str| Served::layout(&fixtures().join("layouts").join(name));
    for name in ["bundle-oci-layout", "skopeo-bundle"] {
        places.push((name.to_owned(), layout(name), negative()));
    }
    let logged_once = || vec![(BOTH, "verified"), (USUAL, "log-signature-invalid")];
    let unlogged = || {
        let optional = Trusted { log: "optional", ..USUAL };
        vec![
            (optional, "verified"),
            (USUAL, "log-entry-missing"),
            (Trusted { root: "negative/tr.otherca.json", ..optional }, "certificate-untrusted"),
        ]
    };
    for (name, answers, expected) in [
        ("legacy-rekor1-cosign-save", "legacy-docker-registry-2.8.2-rekor1", logged_once()),
        ("legacy-tsa-cosign-save", "legacy-docker-registry-2.8.2-tsa", unlogged()),
    ] {
        places.push((answers.to_owned(), Served::recorded(answers, &format!("layouts/{name}/blobs/sha256")), expected.clone()));
        places.push((name.to_owned(), layout(name), expected));
    }
    places
}

#[test]
fn provenance_by_ones_own_builder_shows_the_level_that_its_document_says() {
    for (place, served, expected) in places() {
        for (trusted, code) in expected {
            let level = if code == "verified" { 2 } else { 1 };
            assert_eq!(served.provenance(&trusted, 2, SOURCE), (code.to_owned(), level), "{place} under {}", trusted.root);
        }
    }
}

/// Where it lies makes no difference to that.
#[test]
fn provenance_of_others_is_refused() {
    let layout = |name: &str| Served::layout(&fixtures().join("layouts").join(name));
    let optional = Trusted { log: "optional", ..USUAL };
    for (served, trusted) in [(layout("bundle-oci-layout"), USUAL), (layout("legacy-tsa-cosign-save"), optional)] {
        assert_eq!(served.provenance(&trusted, 3, SOURCE), ("verified".to_owned(), 3));
        let refused = |trusted: Trusted<'_>, source: &str| served.provenance(&trusted, 3, source).0;
        assert_eq!(refused(Trusted { builder: "https://sgs.test/builders/k8s@v2", ..trusted }, SOURCE), "builder-untrusted");
        assert_eq!(refused(Trusted { signer: STRANGER, ..trusted }, SOURCE), "identity-mismatch");
        for source in SOURCES {
            assert_eq!(refused(trusted, source), "source-mismatch", "{source}");
        }
    }
}

#[test]
fn test_results_pass_a_control_by_the_right_signer_alone() {
    for (place, served, expected) in places() {
        for (trusted, code) in expected {
            let what = format!("{place} under {}", trusted.root);
            let status = if code == "verified" { "passed".to_owned() } else { format!("failed {code}") };
            assert_eq!(served.tests(&trusted, "PASSED"), status, "{what}");
            if code == "verified" {
                assert_eq!(served.tests(&trusted, "FAILED"), "failed predicate-mismatch", "{what}");
                assert_eq!(served.tests(&Trusted { signer: STRANGER, ..trusted }, "PASSED"), "failed identity-mismatch", "{what}");
            }
        }
    }
}

/// Logged in Rekor v1; no test results were made there.
#[test]
fn provenance_in_the_first_log_is_refused_where_the_root_does_not_know_it() {
    let served = Served::bundles(&["rekor1/sign", "rekor1/slsa"]);
    assert_eq!(served.provenance(&BOTH, 3, SOURCE), ("verified".to_owned(), 3));
    assert_eq!(served.provenance(&USUAL, 3, SOURCE).0, "log-signature-invalid");
    assert_eq!(served.tests(&BOTH, "PASSED"), "failed predicate-missing");
}

/// A signature of the same signer over the same image says nothing of how it was built or tested.
#[test]
fn a_signature_is_neither_provenance_nor_a_test_result() {
    let served = Served::bundles(&["ggcr-referrers/sign"]);
    assert_eq!(served.provenance(&USUAL, 3, SOURCE).0, "absent");
    assert_eq!(served.tests(&USUAL, "PASSED"), "failed predicate-missing");
}
