//! Every row of the table through the product: the layout is the registry, and the program judges what it would have found there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use seaworthy::model::{
    Answer, Ask, Basis, Cause, Container, ContainerImage, ContainerKind, CredentialIdentity, CredentialKind, DeclaredIn, Digest,
    ImageReference, Inventory, InventoryCounts, Needs, ObjectKey, Origin, Outcome, Place, PodSample, Question, RunningImage, Scope,
    Workload,
};
use seaworthy::registry::Layout;
use seaworthy::scan::{Answered, Board, DeclaredPlaces, Keeping, Source, collect, tasks};
use seaworthy::snapshot::Snapshot;
use serde_json::Value;

use super::bundle::Proofs;
use super::cases::{Stage, tagged};
use super::cosign::simple_signing;
use super::kept;
use super::layout::image;
use super::table::{Row, Table, Unanswered, expected};
use crate::cli::Program;

/// When the snapshots were taken: after everything that was signed.
fn captured() -> Timestamp {
    "2026-12-01T09:30:00Z".parse().unwrap()
}

/// Layouts by the repository that they are served as, and when they are asked.
struct Shelves<'a>(BTreeMap<Place, (&'a Row, Layout)>, Timestamp);

impl Shelves<'_> {
    fn answered(&self, question: &Question) -> Answered {
        let Some((row, layout)) = self.0.get(&question.place) else { panic!("{:?} was asked", question.place) };
        let kind = match &question.ask {
            Ask::Referrers(_) => Some(Unanswered::Referrers),
            Ask::Tag(tag) if tag.ends_with(".sig") => Some(Unanswered::SignatureTag),
            Ask::Tag(_) => Some(Unanswered::Tag),
            Ask::Manifest(_) => Some(Unanswered::Manifest),
            _ => None,
        };
        if let Some(cause) = kind.and_then(|kind| row.unanswered.get(&kind)) {
            let outcome = Outcome::unknown(cause.parse::<Cause>().unwrap(), "no answer");
            return Answered { answer: Answer { outcome, observed: self.1, credential: CredentialKind::Anonymous }, body: None };
        }
        let (answer, body) = layout.answer(&question.ask, self.1);
        Answered { answer: Answer { credential: CredentialKind::Anonymous, ..answer }, body }
    }
}

impl Source for Shelves<'_> {
    fn answer<'a>(&'a self, _: &'a Place, _: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
        async move { asks.iter().map(|question| self.answered(question)).collect() }.boxed()
    }
}

/// What a row's workload runs.
fn running(row: &Row, layout: &Layout) -> RunningImage {
    let named = |name: &str| layout.images().into_iter().find_map(|(known, digest)| (known.as_deref() == Some(name)).then_some(digest));
    match row.runs.as_deref() {
        Some(digest) if digest.starts_with("sha256:") => RunningImage::Manifest(digest.parse().unwrap()),
        Some(digest) if digest.starts_with("bare sha256:") => RunningImage::Unqualified(digest[5..].parse().unwrap()),
        name => {
            let name = name.unwrap_or("v1");
            let digest: Digest = named(name).unwrap_or_else(|| panic!("{}: {name} is not in the layout", row.name));
            RunningImage::Manifest(digest)
        }
    }
}

fn workload(row: &Row, running: RunningImage) -> Workload {
    let reference = match &running {
        RunningImage::Manifest(digest) => row.image().replace("{running}", &digest.to_string()),
        _ => row.image(),
    };
    let image = ContainerImage {
        reference: reference.as_str().into(),
        running,
        basis: Basis::Running,
        reported_repository: None,
        pull_secrets: Vec::new(),
        pull_policy: None,
        started: None,
        pods: PodSample::default(),
    };
    let container = Container {
        name: "app".into(),
        kind: ContainerKind::Container,
        path: "spec.template.spec.containers[0].image".into(),
        position: None,
        declared_in: DeclaredIn::Template,
        pull_policy: None,
        images: vec![image],
    };
    let key = ObjectKey {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: "fixtures".into(),
        name: row.name.as_str().into(),
    };
    Workload {
        key,
        labels: Default::default(),
        annotations: Default::default(),
        origin: Origin::Cluster,
        containers: vec![container],
        pods: 1,
    }
}

/// Writes a snapshot of a cluster that runs the images of these rows.
fn snapshot(rows: &[&Row], layouts: &Path, target: &Path) {
    let needs = Needs { subject: true, tag: true, signatures: true, verification: false, ..Needs::default() };
    snapshot_at(rows, layouts, target, needs, captured());
}

/// The same of what is needed, taken at a moment.
pub fn snapshot_at(rows: &[&Row], layouts: &Path, target: &Path, needs: Needs, captured: Timestamp) {
    let mut shelves = BTreeMap::new();
    let mut workloads = Vec::new();
    for row in rows {
        let layout = Layout::open(&layouts.join(row.layout())).unwrap();
        workloads.push(workload(row, running(row, &layout)));
        // A reference that cannot be parsed is never asked about.
        if let Ok(reference) = row.image().replace("@{running}", "").parse::<ImageReference>() {
            shelves.insert(Place::Repository(reference.repository().clone()), (*row, layout));
        }
    }
    workloads.sort_by(|one, other| one.key.cmp(&other.key));
    let inventory = Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: captured,
        workloads,
        not_judged: Vec::new(),
        gaps: Vec::new(),
        counts: InventoryCounts::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(None);
    let tasks = tasks(&inventory, &|_| DeclaredPlaces::default());
    let shelves = Shelves(shelves, captured);
    let board = Board::new(&shelves, Keeping::Everything);
    runtime.block_on(collect(tasks, needs, &board, None, stop, captured, &|_| ()));
    let (ledger, blobs) = board.into_ledger();
    let snapshot = Snapshot::of(inventory, ledger, blobs, captured);
    seaworthy::snapshot::write(&snapshot, target).unwrap();
}

/// The report about these rows under a policy, as of a moment if one is given.
pub fn report(rows: &[&Row], layouts: &Path, policy: &str, at: Option<&str>) -> Value {
    let program = Program::new();
    let target = program.home().join("snapshot");
    snapshot(rows, layouts, &target);
    let policy = layouts.join("trust").join(policy).with_extension("yaml");
    let (target, policy) = (target.to_str().unwrap(), policy.to_str().unwrap());
    let mut arguments =
        vec!["scan", "--snapshot", target, "--control", "C-0237,C-0236", "--trust-policy", policy, "--offline", "-f", "json"];
    arguments.extend(at.into_iter().flat_map(|moment| ["--at", moment]));
    let ended = program.run(&arguments);
    assert!(matches!(ended.code, Some(0 | 1 | 3)), "{ended:#?}");
    ended.json()
}

/// What the report says about each row: by workload and control.
pub fn judged(rows: &[&Row], layouts: &Path, policy: &str, at: Option<&str>) -> BTreeMap<(String, String), String> {
    let report = report(rows, layouts, policy, at);
    let mut said = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let control = finding["control"].as_str().unwrap().to_owned();
        let workload = &report["workloads"][usize::try_from(finding["workload"].as_u64().unwrap()).unwrap()];
        let answer = finding["containers"].get(0).map_or(finding, |container| &container["answer"]);
        said.insert((workload["name"].as_str().unwrap().to_owned(), control), word(answer));
    }
    said
}

pub fn word(answer: &Value) -> String {
    let code = ["reason", "cause"].iter().find_map(|field| answer[field].as_str());
    format!("{} {}", answer["status"].as_str().unwrap(), code.unwrap_or_default()).trim().to_owned()
}

#[test]
fn every_fixture_is_judged_as_the_table_says() {
    let table = Table::read();
    let mut wrong = differences(&table.fixtures, kept::directory());
    wrong.extend(differences(&table.signers, &kept::signers()));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the program says otherwise than rows about these layouts.
fn differences(rows: &[Row], layouts: &Path) -> Vec<String> {
    let runs: BTreeSet<_> = rows.iter().map(|row| (row.policy.as_str(), row.at.as_deref())).collect();
    let mut wrong = Vec::new();
    for (policy, at) in runs {
        let rows: Vec<&Row> = rows.iter().filter(|row| (row.policy.as_str(), row.at.as_deref()) == (policy, at)).collect();
        let said = judged(&rows, layouts, policy, at);
        for row in rows {
            for (control, word) in [("C-0237", &row.exists), ("C-0236", &row.valid)] {
                // What a control is not about has no finding.
                let have = said.get(&(row.name.clone(), control.to_owned())).map_or("irrelevant", String::as_str);
                let want = expected(word);
                if have != want {
                    wrong.push(format!("{} under {policy}: {control} should say {want:?} and says {have:?}", row.name));
                }
            }
        }
    }
    wrong
}

/// Too many for a fixture: a key signs a thousand times, and another, which is trusted, once.
#[test]
fn beyond_the_budget_it_is_not_known() {
    let stage = Stage::new();
    let payload = simple_signing("registry.test/app", &image());
    let layer = |signer| stage.sigstore.layer(signer, &payload, Proofs::none());
    let mut layers: Vec<_> = (0..1_000).map(|_| layer(&stage.unknown)).collect();
    layers.push(layer(&stage.p256));
    let made = tempfile::tempdir().unwrap();
    tagged(&layers).write(&made.path().join("crowd"));
    super::trust::write(&stage, &made.path().join("trust"));
    let row = Row::of("crowd", "key");
    let said = judged(&[&row], made.path(), &row.policy, None);
    let says = |control: &str| said[&("crowd".to_owned(), control.to_owned())].as_str();
    assert_eq!((says("C-0237"), says("C-0236")), ("passed", "unknown budget"));
}

#[test]
fn whatever_is_not_answered_is_not_known() {
    let causes = Cause::ALL.iter().filter(|cause| **cause != Cause::ImageNotFound);
    let kinds = [Unanswered::Referrers, Unanswered::SignatureTag, Unanswered::Manifest];
    let rows = causes.flat_map(|cause| {
        kinds.map(|kind| {
            let mut row = Row::of(&format!("{cause}-{kind:?}").to_lowercase(), "keyless");
            row.layout = Some("unsigned".to_owned());
            row.unanswered = BTreeMap::from([(kind, cause.to_string())]);
            (row, format!("unknown {cause}"))
        })
    });
    let rows: Vec<_> = rows.collect();
    let said = judged(&rows.iter().map(|(row, _)| row).collect::<Vec<_>>(), kept::directory(), "keyless", None);
    for (row, want) in &rows {
        for control in ["C-0237", "C-0236"] {
            assert_eq!(said.get(&(row.name.clone(), control.to_owned())), Some(want), "{} {control}", row.name);
        }
    }
}

#[test]
fn what_a_revocation_would_cost_is_listed_by_workload() {
    let table = Table::read();
    let names = ["bundle", "legacy-keyless", "by-other-workflow"];
    let rows: Vec<&Row> = table.fixtures.iter().filter(|row| names.contains(&row.name.as_str())).collect();
    assert_eq!(rows.len(), names.len());
    let program = Program::new();
    let target = program.home().join("snapshot");
    snapshot(&rows, kept::directory(), &target);
    let policy = kept::directory().join("trust/keyless.yaml");
    let impact = |revoke: &str| {
        let ended = program.run(&[
            "trust",
            "impact",
            "--revoke",
            revoke,
            "--trust-policy",
            policy.to_str().unwrap(),
            "--snapshot",
            target.to_str().unwrap(),
            "--offline",
        ]);
        (ended.code, ended.out().to_owned())
    };
    let signer = "https://github.com/LedgerHQ/signed-images/.github/workflows/release.yml@refs/tags/v1.4.0";
    let issuer = "https://token.actions.githubusercontent.com";
    let (code, text) = impact(&format!("identity={signer},issuer={issuer}"));
    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!("revoked_identity", text);
    let (code, text) = impact(&format!("identity={signer}-other,issuer={issuer}"));
    assert_eq!(
        (code, text.lines().next()),
        (Some(0), Some("nothing that runs would fail, with 0 images; 2 other images would still be verified"))
    );
    assert_eq!(impact("identity=x").0, Some(2));
    // By which index it was pulled is not known: whether it would fail is not either.
    let mut row = Row::of("tag-unanswered", "keyless");
    (row.layout, row.unanswered) = (Some("bundle".to_owned()), BTreeMap::from([(Unanswered::Tag, "timeout".to_owned())]));
    std::fs::remove_dir_all(&target).unwrap();
    snapshot(&[&row], kept::directory(), &target);
    let (code, text) = impact(&format!("imageDigest=sha256:{}", "a".repeat(64)));
    assert_eq!(
        (code, text.lines().next()),
        (Some(3), Some("nothing that runs would fail, with 0 images; 0 other images would still be verified"))
    );
    assert!(text.contains("verified now, and what would become of it is not known:\n  registry.test/tag-unanswered: timeout"), "{text}");
    assert_eq!(impact("key=12").0, Some(2));
    // Never found, and so never harmless.
    assert_eq!(impact("sourceDigest=abc123").0, Some(2));
    assert_eq!(impact(&format!("key=sha512:{}", "ab".repeat(64))).0, Some(2));
}
