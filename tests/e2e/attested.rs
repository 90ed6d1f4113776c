//! Images of which something is attested by the real cosign, the workloads that run them, and the documents by which they are judged.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::images::{ALICE, Image, Images, MALLORY};
use super::judged::{Report, arguments};
use super::manifests::Pod;
use super::node;
use super::platform::{self, ANOTHER, HARDENED, HOSTED};
use super::process::Ended;
use super::registries::Registry;
use super::shipped::{self, BY_LAPTOP, NO_BILL, WHOLE};
use super::signing::{By, Signer};
use super::sigstore::Sigstore;
use super::stack::Stack;
use super::standing::{Standing, standing};
use super::supervisor::say;

/// Workloads of every level that provenance shows.
pub const LEVELS: &str = "slsa";

/// Namespaces of all of them.
pub const NAMESPACES: [&str; 4] = [LEVELS, WHOLE, NO_BILL, BY_LAPTOP];

/// Types of provenance by cosign's short names.
pub const V02: &str = "slsaprovenance02";
/// Version 1.
pub const V1: &str = "slsaprovenance1";

/// The images, attested.
pub fn push(stack: &Stack, signer: &Signer<'_>, sigstore: &Sigstore) -> Vec<(&'static str, Image)> {
    let (api, tags) = (&stack.referrers, &stack.fallback);
    let run = |run| By::Run(sigstore, run);
    type Attest<'s> = &'s (dyn Fn(&str) + Sync);
    let wanted: [(&'static str, &Registry, Attest<'_>); 7] = [
        ("level-0", api, &|image| signer.sign(By::Key, image)),
        ("level-1", tags, &|image| signer.attest_as(By::KeyUnderTag, V02, &platform::cellar(), image)),
        ("level-2", api, &|image| signer.attest_as(run(&HOSTED), V1, &HOSTED.provenance_1(), image)),
        ("level-3", tags, &|image| signer.attest_as(run(&HARDENED), V02, &HARDENED.provenance_02(), image)),
        ("by-a-stranger", api, &|image| signer.attest_as(By::Person(sigstore, MALLORY), V1, &HARDENED.provenance_1(), image)),
        // Whose certificates say who it was, and of what.
        ("by-another-workflow", api, &|image| signer.attest_as(run(&ANOTHER), V1, &HARDENED.provenance_1(), image)),
        ("of-another-source", api, &|image| signer.attest_as(run(&HOSTED), V1, &platform::of_another_source(), image)),
    ];
    let mut made: Vec<_> = std::thread::scope(|scope| {
        let shipped = scope.spawn(|| shipped::push(stack, signer, sigstore));
        let threads: Vec<_> = wanted
            .into_iter()
            .map(|(name, registry, attest)| {
                scope.spawn(move || {
                    let repository = format!("acme/{name}");
                    let digest = registry.image(&repository, "v1", name);
                    let image = Image { repository: format!("{}/{repository}", registry.host), digest };
                    attest(&image.pinned());
                    (name, image)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).chain(shipped.join().unwrap()).collect()
    });
    let [digest, _] = api.built_by_buildkit("acme/buildkit", "v1", "buildkit", platform::buildkit);
    made.push(("buildkit", Image { repository: format!("{}/acme/buildkit", api.host), digest }));
    made
}

/// The workloads: namespace, name, and what runs.
pub fn workloads(images: &Images) -> Vec<(&'static str, &'static str, Pod)> {
    let of = |name: &str| Pod::of(&images.get(name).tagged());
    let names = ["level-0", "level-1", "level-2", "level-3", "by-a-stranger", "by-another-workflow", "of-another-source", "buildkit"];
    let mut made: Vec<_> = names.into_iter().map(|name| (LEVELS, name, of(name))).collect();
    made.push((LEVELS, "buildkit-platform", of("buildkit").annotated(node::RUNTIME, "platform")));
    made.extend(shipped::workloads(images));
    made
}

/// The standing cluster with its Sigstore, if there is one, and the documents.
pub struct Attested {
    /// The cluster.
    pub standing: &'static Standing,
    trust_policy: PathBuf,
    builders: PathBuf,
}

/// All of it, made once.
pub fn attested() -> Option<&'static Attested> {
    static ATTESTED: OnceLock<Attested> = OnceLock::new();
    let standing = standing();
    let Some(sigstore) = standing.stack.sigstore.as_ref() else {
        say("skipped: attestations in a cluster: there is no private Sigstore");
        return None;
    };
    Some(ATTESTED.get_or_init(|| Attested::write(standing, sigstore)))
}

impl Attested {
    fn write(standing: &'static Standing, sigstore: &Sigstore) -> Self {
        let directory = standing.stack.run.join("attested");
        std::fs::create_dir_all(directory.join("controls/builders")).unwrap();
        let (trust_policy, builders) = (directory.join("trust-policy.yaml"), directory.join("controls"));
        let roots = json!({"own": {"file": sigstore.trusted_root()}});
        let workflow =
            |subject: Value| json!({"keyless": {"trustRoot": "own", "issuer": {"exact": sigstore.platform()}, "subject": subject}});
        let releases = json!({"regexp": r"https://github\.com/acme/app/\.github/workflows/release\.yml@refs/(heads/main|tags/v[0-9.]+)"});
        let alice = json!({"keyless": {"trustRoot": "own", "issuer": {"exact": sigstore.issuer()}, "subject": {"exact": ALICE}}});
        let team = json!({"key": {"file": standing.stack.run.join("cosign.pub")}});
        let policy = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "TrustPolicy", "metadata": {"name": "acme"},
            "spec": {
                "trustRoots": roots,
                "authorities": {"release": workflow(releases.clone()), "alice": alice, "team": team},
                "images": [{"match": ["**"], "require": {"anyOf": ["release", "alice", "team"]}}],
            },
        });
        std::fs::write(&trust_policy, policy.to_string()).unwrap();
        let trusted = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "BuilderTrust", "metadata": {"name": "acme"},
            "spec": {
                "trustRoots": roots,
                "authorities": {
                    "container": workflow(json!({"exact": HARDENED.builder()})),
                    "workflows": workflow(json!({"regexp": r"https://github\.com/acme/[^/@]+/\.github/workflows/[^/@]+@refs/.+"})),
                },
                "builders": [
                    {"name": "acme-container", "id": {"signer": {}}, "signedBy": ["container"], "level": 3},
                    {"name": "acme-workflows", "id": {"signer": {}}, "signedBy": ["workflows"], "level": 2},
                ],
            },
        });
        std::fs::write(builders.join("builders/acme.yaml"), trusted.to_string()).unwrap();
        let summary = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "Control", "metadata": {"name": "acme-9"},
            "spec": {
                "id": "ACME-9", "title": "Verified by ourselves", "severity": 5, "rationale": "Once is enough.",
                "rule": {"summary": {
                    "verifiers": [{"id": "https://acme.test/verifier", "by": {"authorities": ["team"]}}],
                    "levels": ["SLSA_BUILD_LEVEL_2"], "maxAge": "1d",
                }},
            },
        });
        std::fs::write(builders.join("acme-9.yaml"), summary.to_string()).unwrap();
        Self { standing, trust_policy, builders }
    }

    /// What a command is told of trust and, where it takes them, of builders.
    pub fn trust_options(&self, builders: bool) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let mut words = ["--trust-policy", &path(&self.trust_policy), "--offline", "--no-cache"].map(str::to_owned).to_vec();
        if builders {
            words.extend(["--controls".to_owned(), path(&self.builders)]);
        }
        words
    }

    /// Writes parameters of controls, and gives the option that names them.
    pub fn parameters(&self, name: &str, controls: &Value) -> [String; 2] {
        let file = self.standing.stack.run.join(format!("attested/{name}.yaml"));
        let document = json!({
            "apiVersion": "seaworthy.dev/v1alpha1", "kind": "Parameters", "metadata": {"name": name}, "spec": {"controls": controls},
        });
        std::fs::write(&file, document.to_string()).unwrap();
        ["--parameters".to_owned(), file.display().to_string()]
    }

    /// Judges these namespaces: `words` after `scan`, and parameters of controls.
    pub fn scan(&self, name: &str, words: &[&str], namespaces: &[&str], controls: &Value) -> Scanned {
        let formats = format!("json={name}.json,pretty={name}.txt");
        let mut all = arguments(self.standing, &[&["scan"], words, &["-v", "-f", &formats]].concat());
        all.extend(self.trust_options(true));
        all.extend(self.parameters(name, controls));
        all.extend(["--include-namespaces".to_owned(), namespaces.join(",")]);
        let ended = self.standing.stack.run_seaworthy(&all);
        let run = &self.standing.stack.run;
        assert!(run.join(format!("{name}.json")).exists(), "{ended:?}");
        let table = std::fs::read_to_string(run.join(format!("{name}.txt"))).unwrap();
        Scanned { report: Report::read(&run.join(format!("{name}.json"))), table, ended }
    }
}

/// What a scan said.
pub struct Scanned {
    /// How it ended.
    pub ended: Ended,
    /// Its report.
    pub report: Report,
    /// The same for people.
    pub table: String,
}

impl Scanned {
    /// What a control says of the first container of a workload: its status with its code, and why.
    pub fn said(&self, control: &str, workload: &str) -> (String, String) {
        let finding =
            self.report.finding(control, workload).unwrap_or_else(|| panic!("{control} says nothing of {workload}: {:?}", self.ended));
        let answer = &finding["containers"][0]["answer"];
        let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str()).unwrap_or_default();
        let word = format!("{} {code}", answer["status"].as_str().unwrap_or_default()).trim().to_owned();
        (word, answer["detail"].as_str().unwrap_or_default().to_owned())
    }
}
