//! The contract's table, row by row, as far as it needs no cryptography: from what places answer to what C-0237 says.

use seaworthy::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Library, judge};
use seaworthy::model::{
    Ask, Basis, Cause, Container, ContainerImage, ContainerKind, CredentialIdentity, DeclaredBecause, DeclaredIn, Digest, Inventory,
    InventoryCounts, Judgement, Needs, OCI_INDEX, OCI_MANIFEST, ObjectKey, Origin, Outcome, Place, PodSample, Reason, RunningImage, Scope,
    Workload,
};
use seaworthy::scan::{DeclaredPlaces, ExtraPlace, collect, task_of};

use crate::world::{BUNDLE, COSIGN_SIGN, World, WorldAt, bundle, digest_of};

/// What a row expects.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Pass,
    Fail(Reason),
    Unknown(Cause),
}

/// One row: a world, what runs, and the declared places.
struct Row {
    world: World,
    reference: String,
    running: RunningImage,
    places: DeclaredPlaces,
}

const REPOSITORY: &str = "registry.test/app";

fn home() -> Place {
    Place::Repository(REPOSITORY.parse().unwrap())
}

impl Row {
    /// A world with one image under tag v1, which runs.
    fn of(build: impl FnOnce(&mut World, &Digest)) -> Self {
        let mut world = World::default();
        let image = world.image(&home(), "app");
        world.tag(&home(), "v1", OCI_MANIFEST, &image);
        build(&mut world, &image);
        Self { world, reference: format!("{REPOSITORY}:v1"), running: RunningImage::Manifest(image), places: DeclaredPlaces::default() }
    }

    fn reference(mut self, reference: &str) -> Self {
        self.reference = reference.to_owned();
        self
    }

    fn running(mut self, running: RunningImage) -> Self {
        self.running = running;
        self
    }

    fn mirror(mut self, extra: Vec<ExtraPlace>) -> Self {
        self.places = DeclaredPlaces { home_is_authoritative: false, tag_prefixes: Vec::new(), extra };
        self
    }

    fn judge(self, id: &str) -> Judgement {
        let basis = if self.running == RunningImage::Unreported { Basis::Declared(DeclaredBecause::NoPods) } else { Basis::Running };
        let image = ContainerImage {
            reference: self.reference.into(),
            running: self.running,
            basis,
            reported_repository: None,
            pull_secrets: Vec::new(),
            pull_policy: None,
            started: None,
            pods: PodSample::default(),
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let tasks = task_of(&image).into_iter().map(|task| (task, self.places.clone())).collect();
        let needs = Needs { subject: true, tag: true, signatures: true };
        let (_keep, stop) = tokio::sync::watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let source = WorldAt(&self.world, now);
        let evidence = runtime.block_on(collect(tasks, needs, &source, stop, now, &|_| ())).evidence;
        let key = ObjectKey { api_version: "apps/v1".into(), kind: "Deployment".into(), namespace: "prod".into(), name: "web".into() };
        let container = Container {
            name: "web".into(),
            kind: ContainerKind::Container,
            path: "spec.template.spec.containers[0].image".into(),
            declared_in: DeclaredIn::Template,
            pull_policy: None,
            images: vec![image],
        };
        let workload = Workload { key, labels: Default::default(), origin: Origin::Cluster, containers: vec![container], pods: 1 };
        let inventory = Inventory {
            cluster: None,
            scope: Scope::default(),
            observed: now,
            workloads: vec![workload],
            not_judged: Vec::new(),
            gaps: Vec::new(),
            counts: InventoryCounts::default(),
        };
        let library = Library::embedded().unwrap();
        let lookup = |image: &ContainerImage| Some((0, evidence.get(&task_of(image)?)?));
        let judged = judge(library.control(id).unwrap(), &Configuration::default(), &inventory, &lookup, &AcceptedUnknowns::default());
        let ControlJudgement::Workloads { findings, .. } = judged.unwrap() else { panic!("{id} is judged by workload") };
        findings[0].containers[0].judgement.clone()
    }

    fn says(self, row: &str, expected: Expected) {
        let judgement = self.judge("C-0237");
        let found = match &judgement {
            Judgement::Pass { .. } => Expected::Pass,
            Judgement::Fail { reason, .. } => Expected::Fail(*reason),
            Judgement::Unknown { cause, .. } => Expected::Unknown(*cause),
        };
        assert_eq!(found, expected, "{row}: {judgement:?}");
    }
}

fn sign(world: &mut World, image: &Digest) {
    world.sign_by_tag(&home(), image, image);
}

fn unreachable(cause: Cause) -> Outcome {
    Outcome::unknown(cause, "no answer")
}

#[test]
fn what_is_found_decides() {
    Row::of(sign).says("signature over this digest", Expected::Pass);
    Row::of(|world, image| world.refer(&home(), image, BUNDLE, &[bundle(COSIGN_SIGN, image)]))
        .says("bundle over this digest", Expected::Pass);
    Row::of(|_, _| ()).says("nothing found, and one really looked", Expected::Fail(Reason::Absent));
    Row::of(|world, image| drop(world.sign_by_tag(&home(), image, &digest_of(b"other"))))
        .says("payload names another digest", Expected::Fail(Reason::DigestMismatch));
    Row::of(|world, image| world.refer(&home(), image, BUNDLE, &[bundle(COSIGN_SIGN, &digest_of(b"other")), bundle(COSIGN_SIGN, image)]))
        .says("one fitting and one not", Expected::Pass);
    Row::of(|world, image| world.refer(&home(), image, BUNDLE, &[bundle("https://slsa.dev/provenance/v1", image)]))
        .says("attestations do not count", Expected::Fail(Reason::Absent));
    Row::of(|world, image| world.refer(&home(), image, BUNDLE, &["{".to_owned()]))
        .says("what cannot be parsed is not a signature", Expected::Fail(Reason::Absent));
    Row::of(|world, image| {
        world.refer(&home(), image, BUNDLE, &[bundle(COSIGN_SIGN, image).replace("\"sig\":\"", "\"sig\":\"\",\"not\":\"")])
    })
    .says("an envelope without a signature is none", Expected::Fail(Reason::Absent));
}

#[test]
fn every_failure_to_look_is_unknown_with_its_own_cause() {
    for cause in [
        Cause::Unauthorized,
        Cause::Forbidden,
        Cause::RateLimited,
        Cause::ServerError,
        Cause::Timeout,
        Cause::Dns,
        Cause::Tls,
        Cause::Connection,
        Cause::RedirectRefused,
        Cause::HostRefused,
        Cause::TooLarge,
        Cause::InvalidResponse,
        Cause::Budget,
        Cause::Cancelled,
    ] {
        Row::of(|world, image| world.say(&home(), Ask::Referrers(image.clone()), unreachable(cause)))
            .says("referrers", Expected::Unknown(cause));
        Row::of(|world, image| world.say(&home(), Ask::Manifest(image.clone()), unreachable(cause)))
            .says("manifest", Expected::Unknown(cause));
        Row::of(|world, image| {
            sign(world, image);
            world.say(&home(), Ask::Referrers(image.clone()), unreachable(cause));
        })
        .says("one source good, another unreachable", Expected::Pass);
        Row::of(|world, image| {
            world.sign_by_tag(&home(), image, &digest_of(b"other"));
            world.say(&home(), Ask::Referrers(image.clone()), unreachable(cause));
        })
        .says("one source does not fit, another unreachable", Expected::Unknown(cause));
    }
    Row::of(|_, _| ())
        .running(RunningImage::Manifest(digest_of(b"gone")))
        .says("the running manifest is gone", Expected::Unknown(Cause::ImageNotFound));
}

#[test]
fn mirrors_and_origins() {
    Row::of(|_, _| ()).mirror(Vec::new()).says("a mirror answered nothing", Expected::Unknown(Cause::EvidenceLocationIncomplete));
    let origin: seaworthy::model::Repository = "origin.test/app".parse().unwrap();
    let readable =
        |world: &mut World| world.say(&Place::Repository("origin.test/app".parse().unwrap()), Ask::Readable, Outcome::Found(Vec::new()));
    Row::of(|world, _| readable(world))
        .mirror(vec![ExtraPlace::Repository(origin.clone())])
        .says("the origin was asked too", Expected::Fail(Reason::Absent));
    Row::of(|_, _| ())
        .mirror(vec![ExtraPlace::Repository(origin)])
        .says("the origin hides", Expected::Unknown(Cause::EvidenceLocationIncomplete));
    Row::of(|_, _| ())
        .mirror(vec![ExtraPlace::Bundles("file".into())])
        .says("a file of bundles is no origin", Expected::Unknown(Cause::EvidenceLocationIncomplete));
}

#[test]
fn indexes_and_platforms() {
    let index = |world: &mut World, children: &[&Digest]| {
        let index = world.index(&home(), children);
        world.tag(&home(), "v1", OCI_INDEX, &index);
        index
    };
    Row::of(|world, image| {
        let index = index(world, &[image]);
        sign(world, &index);
    })
    .says("the index is signed and lists it", Expected::Pass);
    Row::of(|world, image| drop(index(world, &[image]))).says("neither index nor platform is signed", Expected::Fail(Reason::Absent));
    Row::of(|world, _| {
        let other = world.image(&home(), "other");
        let index = index(world, &[&other]);
        sign(world, &index);
    })
    .says("the signed index does not list it", Expected::Unknown(Cause::IndexUnknown));
    let child = Row::of(|world, image| {
        let index = index(world, &[image]);
        let _ = index;
        sign(world, image);
    });
    let running = child.world.outcome(&home(), &Ask::Tag("v1".into()));
    let Outcome::Found(found) = running else { panic!("the tag leads to the index") };
    child.running(RunningImage::Manifest(found[0].digest.clone())).says("only children are signed", Expected::Fail(Reason::Absent));
}

#[test]
fn tags_that_moved() {
    let moved = |world: &mut World| {
        let newer = world.image(&home(), "newer");
        world.tag(&home(), "v1", OCI_MANIFEST, &newer);
    };
    Row::of(|world, image| {
        sign(world, image);
        moved(world);
    })
    .says("tag moved, judged by the running digest", Expected::Pass);
    Row::of(|world, _| moved(world)).says("tag moved, unsigned", Expected::Unknown(Cause::IndexUnknown));
    let pinned = Row::of(|world, _| moved(world));
    let RunningImage::Manifest(image) = pinned.running.clone() else { panic!("it runs") };
    pinned.reference(&format!("{REPOSITORY}:v1@{image}")).says("pinned by digest, unsigned", Expected::Fail(Reason::Absent));

    let drift = Row::of(|world, _| moved(world)).judge("SW-0002");
    assert!(matches!(drift, Judgement::Fail { reason: Reason::TagMoved, .. }), "{drift:?}");
    assert!(matches!(Row::of(|_, _| ()).judge("SW-0002"), Judgement::Pass { .. }));
}

#[test]
fn references_and_digests() {
    for bad in ["registry.test/App", "registry.test/app:v1 ", "registry.test/аpp", ""] {
        Row::of(|_, _| ()).reference(bad).says("malformed reference", Expected::Fail(Reason::MalformedReference));
    }
    Row::of(sign).running(RunningImage::Unqualified(digest_of(b"app"))).says("a configuration digest that fits", Expected::Pass);
    Row::of(sign)
        .running(RunningImage::Unqualified(digest_of(b"stranger")))
        .says("a configuration digest that fits nothing", Expected::Unknown(Cause::DigestUnknown));
    Row::of(sign).running(RunningImage::Unreadable("nonsense".into())).says("no digest at all", Expected::Unknown(Cause::DigestUnknown));
    Row::of(sign).running(RunningImage::Unreported).says("declared, resolved now", Expected::Pass);
}

#[test]
fn formats_that_are_recognised_count_as_existing() {
    let notation = "application/vnd.cncf.notary.signature";
    Row::of(|world, image| {
        let payload = format!(r#"{{"config":{{"mediaType":"{notation}","digest":"{image}"}},"layers":[{{"mediaType":"application/future","digest":"{image}"}}],"subject":{{"digest":"{image}"}}}}"#);
        let manifest = world.put(&home(), OCI_MANIFEST, payload);
        world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![crate::world::descriptor(OCI_MANIFEST, &manifest, 1)]));
    })
    .says("recognised and not supported", Expected::Pass);
}

#[test]
fn the_credential_of_the_question_is_the_workloads_own() {
    let task = |secrets: &[&str]| {
        let image = ContainerImage {
            reference: format!("{REPOSITORY}:v1").into(),
            running: RunningImage::Unreported,
            basis: Basis::Running,
            reported_repository: None,
            pull_secrets: secrets.iter().map(|name| name.parse().unwrap()).collect(),
            pull_policy: None,
            started: None,
            pods: PodSample::default(),
        };
        task_of(&image).unwrap()
    };
    assert_ne!(task(&["prod/one"]), task(&["prod/two"]), "what one secret could read is never used for another");
    assert_ne!(task(&["prod/one"]), task(&[]));
    assert_eq!(task(&[]).credential, CredentialIdentity::default());
}
