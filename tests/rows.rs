//! The contract's table, row by row, as far as it needs no cryptography: from what places answer to what C-0237 says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use proptest::prelude::{Strategy, any, proptest};
use seaworthy::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Library, Trust, judge};
use seaworthy::model::{
    Ask, Basis, Cause, Container, ContainerImage, ContainerKind, CredentialIdentity, DeclaredBecause, DeclaredIn, Digest, Inventory,
    InventoryCounts, Judgement, Needs, OCI_INDEX, OCI_MANIFEST, ObjectKey, Origin, Outcome, Place, PodSample, Question, Reason,
    RunningImage, Scope, Workload,
};
use seaworthy::policy::{AsOf, TrustPolicies};
use seaworthy::scan::{Answered, Board, DeclaredPlaces, ExtraPlace, Keeping, Source, collect, task_of};

use crate::world::{BUNDLE, COSIGN_SIGN, World, WorldAt, bundle, digest_of};

/// What a row expects.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Pass,
    Fail(Reason),
    Unknown(Cause),
}

/// One row: a world, what runs, and the declared places.
#[derive(Debug)]
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

    fn judge(&self, id: &str) -> Judgement {
        self.judge_without(id, &BTreeSet::new()).0
    }

    /// What the control says where these questions are not answered, and everything that was asked.
    fn judge_without(&self, id: &str, silenced: &BTreeSet<Question>) -> (Judgement, BTreeSet<Question>) {
        let basis = if self.running == RunningImage::Unreported { Basis::Declared(DeclaredBecause::NoPods) } else { Basis::Running };
        let image = ContainerImage {
            reference: self.reference.as_str().into(),
            running: self.running.clone(),
            basis,
            reported_repository: None,
            pull_secrets: Vec::new(),
            pull_policy: None,
            started: None,
            pods: PodSample::default(),
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let tasks: BTreeMap<_, _> = task_of(&image).into_iter().map(|task| (task, self.places.clone())).collect();
        let needs = Needs { subject: true, tag: true, signatures: true, verification: false, ..Needs::default() };
        let (_keep, stop) = tokio::sync::watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let source = Silenced(WorldAt(&self.world, now), silenced);
        let board = Board::new(&source, Keeping::Everything);
        let evidence = runtime.block_on(collect(tasks.clone(), needs, &board, None, stop.clone(), now, &|_| ()));
        let nothing_kept = Board::new(&source, Keeping::Latest(0));
        assert_eq!(evidence, runtime.block_on(collect(tasks, needs, &nothing_kept, None, stop, now, &|_| ())));
        let asked = board.into_ledger().0.iter().map(|(question, _)| question.clone()).collect();
        let key = ObjectKey { api_version: "apps/v1".into(), kind: "Deployment".into(), namespace: "prod".into(), name: "web".into() };
        let container = Container {
            name: "web".into(),
            kind: ContainerKind::Container,
            path: "spec.template.spec.containers[0].image".into(),
            position: None,
            declared_in: DeclaredIn::Template,
            pull_policy: None,
            images: vec![image],
        };
        let workload = Workload {
            key,
            labels: Default::default(),
            annotations: Default::default(),
            origin: Origin::Cluster,
            containers: vec![container],
            pods: 1,
        };
        let inventory = Inventory {
            cluster: None,
            scope: Scope::default(),
            observed: now,
            workloads: vec![workload],
            not_judged: Vec::new(),
            gaps: Vec::new(),
            counts: InventoryCounts::default(),
        };
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::embedded().unwrap());
        let lookup = |image: &ContainerImage| Some((0, evidence.get(&task_of(image)?)?));
        let policies = TrustPolicies::default();
        let nobody = Trust { policies: &policies, as_of: AsOf::exactly(jiff::Timestamp::UNIX_EPOCH) };
        let judged =
            judge(LIBRARY.control(id).unwrap(), &Configuration::default(), &inventory, &lookup, &AcceptedUnknowns::default(), nobody);
        let ControlJudgement::Workloads { findings, .. } = judged.unwrap() else { panic!("{id} is judged by workload") };
        (findings.first().map_or_else(Judgement::pass, |finding| finding.containers[0].judgement.clone()), asked)
    }

    fn says(&self, row: &str, expected: Expected) {
        let judgement = self.judge("C-0237");
        let found = match &judgement {
            Judgement::Pass { .. } => Expected::Pass,
            Judgement::Fail { reason, .. } => Expected::Fail(*reason),
            Judgement::Unknown { cause, .. } => Expected::Unknown(*cause),
        };
        assert_eq!(found, expected, "{row}: {judgement:?}");
    }
}

/// A world of which some questions are not answered.
struct Silenced<'a>(WorldAt<'a>, &'a BTreeSet<Question>);

impl Source for Silenced<'_> {
    fn answer<'a>(&'a self, place: &'a Place, credential: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
        async move {
            let mut answers = self.0.answer(place, credential, asks.clone()).await;
            for (_, answered) in asks.iter().zip(&mut answers).filter(|(question, _)| self.1.contains(question)) {
                answered.answer.outcome = unreachable(Cause::Timeout);
                answered.body = None;
            }
            answers
        }
        .boxed()
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

/// Any small world: an image, perhaps under an index, signed here or there or not at all, in places that know more or less.
fn row() -> impl Strategy<Value = Row> {
    let choices = (0_u8..4, 0_u8..5, 0_u8..4, any::<[bool; 12]>());
    choices.prop_map(
        |(tag, runs, reference, [by_tag, other, above, beside, by_referrer, attested, gone, mirror, origin, readable, moved, broken])| {
            let mut world = World::default();
            let image = world.image(&home(), "app");
            let sibling = world.image(&home(), "sibling");
            let index = world.index(&home(), &[&image, &sibling]);
            let elsewhere = world.image(&home(), "elsewhere");
            match tag {
                0 => world.tag(&home(), "v1", OCI_MANIFEST, &image),
                1 => world.tag(&home(), "v1", OCI_INDEX, &index),
                2 if moved => world.tag(&home(), "v1", OCI_MANIFEST, &elsewhere),
                _ => {}
            }
            if by_tag || other {
                world.sign_by_tag(&home(), &image, if by_tag { &image } else { &sibling });
            }
            if above {
                world.sign_by_tag(&home(), &index, &index);
            }
            if beside {
                world.sign_by_tag(&home(), &sibling, &sibling);
            }
            let mut bundles = Vec::new();
            bundles.extend(by_referrer.then(|| bundle(COSIGN_SIGN, &image)));
            bundles.extend(attested.then(|| bundle("https://example.com/predicate", &image)));
            bundles.extend(broken.then(|| "{}".to_owned()));
            if !bundles.is_empty() {
                world.refer(&home(), &image, BUNDLE, &bundles);
            }
            if gone {
                world.say(&home(), Ask::Manifest(image.clone()), Outcome::Absent);
            }
            let places = DeclaredPlaces {
                home_is_authoritative: !mirror,
                tag_prefixes: Vec::new(),
                extra: if origin { vec![ExtraPlace::Repository("origin.test/app".parse().unwrap())] } else { Vec::new() },
            };
            if readable {
                world.say(&Place::Repository("origin.test/app".parse().unwrap()), Ask::Readable, Outcome::Found(Vec::new()));
            }
            let running = match runs {
                0 => RunningImage::Manifest(image.clone()),
                1 => RunningImage::Manifest(index.clone()),
                2 => RunningImage::Unreported,
                3 => RunningImage::Unqualified(digest_of(b"app")),
                _ => RunningImage::Unqualified(image.clone()),
            };
            let reference = match reference {
                0 => format!("{REPOSITORY}@{image}"),
                1 => format!("{REPOSITORY}@{index}"),
                _ => format!("{REPOSITORY}:v1"),
            };
            Row { world, reference, running, places }
        },
    )
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(100))]

    /// What is not answered leaves something open, and never settles the matter another way.
    #[test]
    fn knowing_less_turns_no_verdict_around(row in row(), choice in any::<[proptest::sample::Index; 3]>()) {
        for id in ["C-0237", "SW-0002"] {
            let (known, asked) = row.judge_without(id, &BTreeSet::new());
            let asked: Vec<Question> = asked.into_iter().collect();
            if asked.is_empty() {
                continue;
            }
            let one_by_one = asked.iter().map(|question| BTreeSet::from([question.clone()]));
            let several: BTreeSet<Question> = choice.iter().map(|index| index.get(&asked).clone()).collect();
            for silenced in one_by_one.chain([several]) {
                let (less, _) = row.judge_without(id, &silenced);
                let turned = match (&known, &less) {
                    (Judgement::Pass { .. }, Judgement::Fail { .. }) | (Judgement::Fail { .. }, Judgement::Pass { .. }) => true,
                    (Judgement::Unknown { .. }, Judgement::Fail { .. }) => true,
                    // Beside a signature it is enough not to know that the registry lost the image.
                    (Judgement::Unknown { cause, .. }, Judgement::Pass { .. }) => *cause != Cause::ImageNotFound,
                    _ => false,
                };
                proptest::prop_assert!(!turned, "{id} of {} {:?}\nknown: {known:?}\nwithout {silenced:?}: {less:?}", row.reference, row.running);
            }
        }
    }
}
