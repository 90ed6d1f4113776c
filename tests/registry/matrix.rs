//! Signed, unsigned and lost images, under every way to ask for a login and with every chain of logins: what C-0237 says.

use std::collections::BTreeMap;
use std::sync::Arc;

use seaworthy::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Library, Trust, judge};
use seaworthy::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredIn, Inventory, InventoryCounts, Judgement, Labels, Needs, ObjectKey, Origin,
    Place, PodSample, RunningImage, Scope, Workload,
};
use seaworthy::policy::{AsOf, TrustPolicies};
use seaworthy::scan::{Board, DeclaredPlaces, Keeping, LiveSource, collect, narrow_credentials, tasks};

use super::*;
use crate::world::{BUNDLE, COSIGN_SIGN, World, bundle, digest_of};

/// How the repository is kept from strangers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Door {
    /// Not at all.
    Open,
    /// 401 for everybody else.
    Basic,
    /// Tokens; other logins get tokens that open nothing, and 401 with them.
    Token,
    /// Strangers are told how to log in; other logins get 403.
    Forbidden,
    /// Nothing is there for anybody else, and only the base says how to log in.
    Hidden,
    /// Strangers are told how to log in; for other logins nothing is there.
    HiddenFromOthers,
}

const DOORS: [Door; 6] = [Door::Open, Door::Basic, Door::Token, Door::Forbidden, Door::Hidden, Door::HiddenFromOthers];

/// Where the signature lies.
#[derive(Debug, Clone, Copy)]
enum Means {
    Tag,
    Api,
    FallbackTag,
}

fn place() -> Place {
    Place::Repository("registry.test/acme/app".parse().unwrap())
}

struct Shelf {
    world: World,
    signed: Digest,
    unsigned: Digest,
    api: bool,
}

impl Shelf {
    fn of(means: Means) -> Self {
        let mut world = World::default();
        let signed = world.image(&place(), "signed");
        let unsigned = world.image(&place(), "unsigned");
        match means {
            Means::Tag => drop(world.sign_by_tag(&place(), &signed, &signed)),
            Means::Api => world.refer(&place(), &signed, BUNDLE, &[bundle(COSIGN_SIGN, &signed)]),
            Means::FallbackTag => {
                world.refer(&place(), &signed, BUNDLE, &[bundle(COSIGN_SIGN, &signed)]);
                let Outcome::Found(found) = world.outcome(&place(), &Ask::Referrers(signed.clone())) else { panic!("just put there") };
                let list = world.put(&place(), OCI_INDEX, index_body(found.into_iter().map(|descriptor| descriptor.digest)));
                world.tag(&place(), &Ask::fallback_tag(&signed), OCI_INDEX, &list);
            }
        }
        Self { world, signed, unsigned, api: !matches!(means, Means::FallbackTag) }
    }

    /// What is on the shelf, for whoever may see it.
    fn answer(&self, asked: &Asked) -> Reply {
        let (kind, name) = asked.target.rsplit_once('/').unwrap();
        let digest = name.parse::<Digest>().ok();
        let outcome = match (kind.rsplit('/').next().unwrap(), digest) {
            ("manifests", Some(digest)) => self.world.outcome(&place(), &Ask::Manifest(digest)),
            ("manifests", None) => self.world.outcome(&place(), &Ask::Tag(name.into())),
            ("blobs", Some(digest)) => self.world.outcome(&place(), &Ask::Blob(digest)),
            ("referrers", Some(_)) if !self.api => return no_such_path(),
            ("referrers", Some(digest)) => match self.world.outcome(&place(), &Ask::Referrers(digest)) {
                Outcome::Found(found) => return index(found.into_iter().map(|descriptor| descriptor.digest)),
                _ => return index([]),
            },
            _ => return unknown(),
        };
        let Outcome::Found(found) = outcome else { return unknown() };
        let body = self.world.blob(&found[0].digest).unwrap();
        Reply::new(200).header("docker-content-digest", &found[0].digest.to_string()).body(&found[0].media_type, body.to_vec())
    }
}

fn login_of(asked: &Asked) -> Option<&str> {
    match asked.header("authorization")? {
        "Basic cmlnaHQ6cA==" | "Bearer right" => Some("right"),
        _ => Some("wrong"),
    }
}

fn keep(door: Door, shelf: &Shelf, asked: &Asked) -> Reply {
    let basic = || Reply::new(401).header("www-authenticate", "Basic realm=\"x\"");
    let host = asked.header("host").unwrap();
    let bearer = || Reply::new(401).header("www-authenticate", &format!("Bearer realm=\"http://{host}/token\",service=\"x\""));
    if asked.target.starts_with("/token") {
        let token = login_of(asked).unwrap_or("nobody");
        return Reply::new(200).body("application/json", format!(r#"{{"token":"{token}","expires_in":300}}"#));
    }
    match (door, login_of(asked)) {
        (Door::Open, _) | (_, Some("right")) => shelf.answer(asked),
        (Door::Hidden, None) if asked.target == "/v2/" => basic(),
        (Door::Hidden, _) => unknown(),
        (Door::Token, _) => bearer(),
        (_, None) | (Door::Basic, _) => basic(),
        (Door::Forbidden, _) => Reply::new(403),
        (Door::HiddenFromOthers, _) => unknown(),
    }
}

fn secrets(host: &str, users: &[&str]) -> Vec<PullSecret> {
    let secret = |(number, user): (usize, &&str)| PullSecret {
        name: format!("prod/{number}").parse().unwrap(),
        config: Ok(Secret::new(format!(r#"{{"auths":{{"{host}":{{"username":"{user}","password":"p"}}}}}}"#))),
    };
    users.iter().enumerate().map(secret).collect()
}

fn running(host: &str, name: &str, digest: &Digest, secrets: &[PullSecret]) -> Workload {
    let image = ContainerImage {
        reference: format!("{host}/acme/app@{digest}").into(),
        running: RunningImage::Manifest(digest.clone()),
        basis: Basis::Running,
        reported_repository: None,
        pull_secrets: secrets.iter().map(|secret| secret.name.clone()).collect(),
        pull_policy: None,
        started: None,
        pods: PodSample::default(),
    };
    let container = Container {
        name: "app".into(),
        kind: ContainerKind::Container,
        path: "spec.containers[0].image".into(),
        position: None,
        declared_in: DeclaredIn::Template,
        pull_policy: None,
        images: vec![image],
    };
    let key = ObjectKey { api_version: "v1".into(), kind: "Pod".into(), namespace: "prod".into(), name: name.into() };
    Workload {
        key,
        labels: Labels::default(),
        annotations: Labels::default(),
        origin: Origin::Cluster,
        containers: vec![container],
        pods: 1,
    }
}

async fn says(host: &str, digests: [&Digest; 3], users: &[&str]) -> [String; 3] {
    let secrets = secrets(host, users);
    let registry = Registry::new(options(), secrets.clone()).unwrap();
    let names = ["a", "b", "c"];
    let workloads = names.iter().zip(digests).map(|(name, digest)| running(host, name, digest, &secrets)).collect();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut inventory = Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: now,
        workloads,
        not_judged: Vec::new(),
        gaps: Vec::new(),
        counts: InventoryCounts::default(),
    };
    narrow_credentials(&mut inventory, &|secrets, repository| registry.identity(secrets, repository));
    let tasks = tasks(&inventory, &|_| DeclaredPlaces::default());
    let source = LiveSource::new(registry, BTreeMap::new(), BTreeMap::new(), None, jiff::SignedDuration::ZERO);
    let (_keep, stop) = tokio::sync::watch::channel(None);
    let needs = Needs { subject: true, tag: false, signatures: true, verification: false, ..Needs::default() };
    let board = Board::new(&source, Keeping::Everything);
    let evidence = collect(tasks, needs, &board, None, stop, now, &|_| ()).await;
    let library = Library::embedded().unwrap();
    let lookup = |image: &ContainerImage| Some((0, evidence.get(&seaworthy::scan::task_of(image)?)?));
    let policies = TrustPolicies::default();
    let nobody = Trust { policies: &policies, as_of: AsOf::exactly(jiff::Timestamp::UNIX_EPOCH) };
    let judged =
        judge(library.control("C-0237").unwrap(), &Configuration::default(), &inventory, &lookup, &AcceptedUnknowns::default(), nobody);
    let ControlJudgement::Workloads { findings, .. } = judged.unwrap() else { panic!("judged by workload") };
    [0, 1, 2].map(|at: usize| match &findings[at].containers[0].judgement {
        Judgement::Pass { .. } => "pass".to_owned(),
        Judgement::Fail { reason, .. } => reason.to_string(),
        Judgement::Unknown { .. } => "unknown".to_owned(),
    })
}

#[tokio::test]
async fn no_login_makes_a_signature_or_an_absence() {
    let gone = digest_of(b"gone");
    for means in [Means::Tag, Means::Api, Means::FallbackTag] {
        for door in DOORS {
            let shelf = Arc::new(Shelf::of(means));
            let on_shelf = Arc::clone(&shelf);
            let server = ScriptedRegistry::start(move |asked| keep(door, &on_shelf, asked).into()).await;
            for users in [&[][..], &["right"], &["wrong"], &["wrong", "right"], &["right", "wrong"], &["wrong", "other", "right"]] {
                let found = says(&server.host(), [&shelf.signed, &shelf.unsigned, &gone], users).await;
                let expected = match door == Door::Open || users.contains(&"right") {
                    true => ["pass", "absent", "unknown"],
                    false => ["unknown"; 3],
                };
                assert_eq!(found, expected, "{means:?}, {door:?}, {users:?}");
            }
        }
    }
}
