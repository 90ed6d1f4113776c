//! GitHub's attestation store: what it lists, what its silence means, and where a token goes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use seaworthy::model::{
    GithubStore, ImageEvidence, Inventory, InventoryCounts, Needs, Place, PlaceOutcome, Question, RunningImage, Scope, StatementSource,
};
use seaworthy::registry::{DiskCache, GithubSight, GithubToken};
use seaworthy::scan::{Board, DeclaredPlaces, ExtraPlace, ImageTask, Keeping, LiveSource, collect, collect_from};
use seaworthy::snapshot::Snapshot;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::world::{BUNDLE, bundle};

type Script = Box<dyn Fn(&Asked) -> Act + Send + Sync>;

const TOKEN: &str = "ghp_correct-horse-battery-staple";
const TYPE: &str = "https://example.test/attested/v1";

fn store(server: &ScriptedRegistry, base: &str) -> GithubStore {
    GithubStore::new(Some("Acme/App"), None, Some(&format!("http://{}{base}", server.host()))).unwrap()
}

fn owner(server: &ScriptedRegistry) -> GithubStore {
    GithubStore::new(None, Some("acme"), Some(&format!("http://{}", server.host()))).unwrap()
}

fn anonymous() -> Registry {
    registry()
}

/// With a token for the store's server alone.
fn with_token(store: &GithubStore) -> Registry {
    let token = GithubToken { token: Secret::new(TOKEN), origin: "GH_TOKEN" };
    let github_tokens = BTreeMap::from([(store.api().to_owned(), token)]);
    Registry::new(RegistryOptions { github_tokens, ..options() }, Vec::new()).unwrap()
}

async fn list(registry: &Registry, store: &GithubStore) -> Outcome {
    registry.attestations(store, &Ask::Referrers(digest(IMAGE)), None).await.answer.outcome
}

async fn bytes(registry: &Registry, store: &GithubStore, digest: &Digest) -> Result<Vec<u8>, UnknownAnswer> {
    let answered = registry.attestations(store, &Ask::Blob(digest.clone()), None).await;
    match answered.answer.outcome {
        Outcome::Unknown(unknown) => Err(unknown),
        _ => Ok(answered.body.unwrap().to_vec()),
    }
}

fn page(entries: &[Value]) -> Reply {
    Reply::new(200).body("application/json; charset=utf-8", json!({ "attestations": entries }).to_string())
}

/// A bundle as it stands inside an answer, whose keys are in order.
fn attested(number: u8) -> Value {
    serde_json::from_str(&bundle(&format!("{TYPE}/{number}"), &digest(IMAGE))).unwrap()
}

fn inline(number: u8) -> Value {
    json!({ "bundle": attested(number), "bundle_url": null, "repository_id": 1, "initiator": "user" })
}

fn packed(bundle: &Value) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bundle.to_string().as_bytes()).unwrap()
}

fn found(outcome: &Outcome) -> BTreeMap<Digest, String> {
    let Outcome::Found(found) = outcome else { panic!("{outcome:?}") };
    found.iter().map(|found| (found.digest.clone(), found.media_type.clone())).collect()
}

fn expected<const N: usize>(bundles: [u8; N]) -> BTreeMap<Digest, String> {
    bundles.into_iter().map(|number| (digest(attested(number).to_string().as_bytes()), BUNDLE.to_owned())).collect()
}

/// 404 for attestations, and something about the repository itself.
fn silent(repository: Reply) -> impl Fn(&Asked) -> Act {
    move |asked| match asked.target.as_str() {
        "/repos/acme/app" => repository.clone().into(),
        _ => Reply::new(404).body("application/json", r#"{"message":"Not Found"}"#).into(),
    }
}

fn described(body: &Value) -> Reply {
    Reply::new(200).body("application/json", body.to_string())
}

#[tokio::test]
async fn bundles_are_listed_over_pages_inline_and_by_address_and_the_token_goes_to_the_api_alone() {
    let storage = ScriptedRegistry::start(|asked| match asked.target.as_str() {
        "/three?sig=secret" => Reply::new(200).body("application/x-snappy", packed(&attested(3))).into(),
        "/four" => Reply::new(302).header("location", "/moved").into(),
        "/moved" => Reply::new(200).body("application/json", attested(4).to_string()).into(),
        _ => Reply::new(404).into(),
    })
    .await;
    let address = |path: &str| json!({ "bundle": null, "bundle_url": format!("http://{}/{path}", storage.host()) });
    let (third, fourth) = (address("three?sig=secret"), address("four"));
    let server = ScriptedRegistry::start(move |asked| {
        if asked.target.contains("after=two") {
            return page(&[inline(2), third.clone(), fourth.clone()]).into();
        }
        let next = format!("http://{}/repositories/7/attestations?per_page=100&after=two", asked.header("host").unwrap());
        page(&[inline(1), inline(2)]).header("link", &format!(r#"<{next}>; rel="next""#)).into()
    })
    .await;
    let store = store(&server, "");
    let registry = with_token(&store);
    let listed = list(&registry, &store).await;
    assert_eq!(found(&listed), expected([1, 2, 3, 4]));
    for number in [1, 2, 3, 4] {
        let bundle = attested(number).to_string();
        assert_eq!(bytes(&registry, &store, &digest(bundle.as_bytes())).await.unwrap(), bundle.as_bytes());
    }
    let first = format!("GET /repos/acme/app/attestations/{}?per_page=100", digest(IMAGE));
    assert_eq!(server.lines(), [first.as_str(), "GET /repositories/7/attestations?per_page=100&after=two"]);
    for asked in server.asked() {
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()), "{asked:?}");
        assert_eq!(asked.header("accept"), Some("application/vnd.github+json"));
        assert_eq!(asked.header("x-github-api-version"), Some("2022-11-28"));
        assert!(asked.header("user-agent").unwrap().starts_with("seaworthy/"));
    }
    assert_eq!(storage.lines(), ["GET /four", "GET /moved", "GET /three?sig=secret"]);
    assert!(storage.asked().iter().all(|asked| !format!("{asked:?}").contains(TOKEN)), "{:?}", storage.asked());
    // What was handed on and is wanted again is listed again.
    let bundle = attested(3).to_string();
    assert_eq!(bytes(&registry, &store, &digest(bundle.as_bytes())).await.unwrap(), bundle.as_bytes());
    assert_eq!(server.lines().len(), 4);
    let counted = registry.statistics().hosts[&server.host()].requests.clone();
    assert_eq!(counted, BTreeMap::from([(RequestKind::Attestations, 4)]));
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_below_a_path_and_no_foreign_token() {
    let server = ScriptedRegistry::start(|_| page(&[inline(1)]).into()).await;
    let own = store(&server, "/api/v3/");
    let elsewhere = GithubStore::new(Some("acme/app"), None, None).unwrap();
    assert_eq!(found(&list(&with_token(&elsewhere), &own).await), expected([1]));
    let asked = server.asked();
    assert_eq!(asked[0].target, format!("/api/v3/repos/acme/app/attestations/{}?per_page=100", digest(IMAGE)));
    assert_eq!(asked[0].header("authorization"), None);
}

#[tokio::test]
async fn silence_is_an_absence_only_where_all_can_be_seen() {
    let told = async |script: Script, token: bool| {
        let server = ScriptedRegistry::start(script).await;
        let store = store(&server, "");
        let registry = if token { with_token(&store) } else { anonymous() };
        let outcomes = [list(&registry, &store).await, list(&registry, &store).await];
        assert_eq!(outcomes[0], outcomes[1]);
        let [outcome, _] = outcomes;
        (outcome, server.lines().len())
    };
    let public = described(&json!({ "full_name": "Acme/App", "private": false, "visibility": "public" }));
    assert_eq!(told(Box::new(silent(public.clone())), false).await, (Outcome::Absent, 3), "the repository is asked about once");
    assert_eq!(told(Box::new(|_| page(&[]).into()), false).await, (Outcome::Absent, 2), "an empty list is an answer");
    let private = described(&json!({ "full_name": "Acme/App", "private": true, "visibility": "private" }));
    let scoped = private.clone().header("x-oauth-scopes", "read:org, repo");
    assert_eq!(told(Box::new(silent(scoped)), true).await.0, Outcome::Absent);
    let incomplete = Some(Cause::EvidenceLocationIncomplete);
    for (what, repository) in [
        ("a fine-grained token", private.clone()),
        ("another scope", private.header("x-oauth-scopes", "public_repo, repo:status")),
        ("internal", described(&json!({ "full_name": "Acme/App", "private": true, "visibility": "internal" }))),
        ("renamed", described(&json!({ "full_name": "acme/other", "private": false }))),
        ("hidden", Reply::new(404)),
    ] {
        let (outcome, _) = told(Box::new(silent(repository)), true).await;
        assert_eq!(cause(&outcome), incomplete, "{what}");
        assert!(what == "renamed" || detail(&outcome).contains("with the token of GH_TOKEN"), "{outcome:?}");
        assert!(!detail(&outcome).contains(TOKEN), "{outcome:?}");
    }
    let (hidden, _) = told(Box::new(silent(Reply::new(404))), false).await;
    assert!(cause(&hidden) == incomplete && detail(&hidden).contains("(set GH_ENTERPRISE_TOKEN)"), "{hidden:?}");
    for (repository, expected) in [
        (Reply::new(500), Cause::ServerError),
        (Reply::new(200).body("text/html", "<html>"), Cause::InvalidResponse),
        (Reply::new(403), Cause::Forbidden),
    ] {
        assert_eq!(cause(&told(Box::new(silent(repository)), true).await.0), Some(expected));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_unknown_by_its_cause() {
    let unlimited = |status| Reply::new(status).header("x-ratelimit-remaining", "4000").header("x-ratelimit-limit", "5000");
    let list_of = |text: &'static str| Reply::new(200).body("application/json", text);
    let acts: Vec<(&str, Cause, Script)> = vec![
        ("401", Cause::Unauthorized, Box::new(|_| Reply::new(401).body("application/json", r#"{"message":"Bad credentials"}"#).into())),
        ("403", Cause::Forbidden, Box::new(move |_| unlimited(403).into())),
        ("403, used up", Cause::RateLimited, Box::new(|_| Reply::new(403).header("x-ratelimit-remaining", "0").into())),
        ("403, later", Cause::RateLimited, Box::new(|_| Reply::new(403).header("retry-after", "600").into())),
        (
            "403, in words",
            Cause::RateLimited,
            Box::new(|_| Reply::new(403).body("application/json", r#"{"message":"You have exceeded a secondary rate limit."}"#).into()),
        ),
        ("429", Cause::RateLimited, Box::new(|_| Reply::new(429).header("retry-after", "600").into())),
        ("500", Cause::ServerError, Box::new(|_| Reply::new(500).into())),
        ("422", Cause::InvalidResponse, Box::new(|_| Reply::new(422).into())),
        ("a page for people", Cause::InvalidResponse, Box::new(|_| Reply::new(200).body("text/html", "<html>").into())),
        ("no list", Cause::InvalidResponse, Box::new(move |_| list_of("{}").into())),
        ("null", Cause::InvalidResponse, Box::new(move |_| list_of(r#"{"attestations":null}"#).into())),
        ("two lists", Cause::InvalidResponse, Box::new(move |_| list_of(r#"{"attestations":[],"attestations":[]}"#).into())),
        ("cut off", Cause::InvalidResponse, Box::new(move |_| list_of(r#"{"attestations":["#).into())),
        ("too deep", Cause::InvalidResponse, Box::new(|_| Reply::new(200).body("application/json", "[".repeat(100_000)).into())),
        ("without end", Cause::TooLarge, Box::new(|_| Act::Endless)),
        ("huge", Cause::TooLarge, Box::new(|_| Act::Answer(Reply { length: Some(1 << 40), ..Reply::new(200) }))),
        ("silence", Cause::Timeout, Box::new(|_| Act::Hang)),
        ("closed", Cause::Connection, Box::new(|_| Act::Close)),
        (
            "a loop",
            Cause::InvalidResponse,
            Box::new(|asked| page(&[inline(1)]).header("link", &format!(r#"<{}>; rel="next""#, asked.target)).into()),
        ),
        (
            "elsewhere",
            Cause::InvalidResponse,
            Box::new(|_| page(&[inline(1)]).header("link", r#"<http://127.0.0.1:1/x>; rel="next""#).into()),
        ),
        ("no end of empty pages", Cause::InvalidResponse, Box::new(|_| page(&[]).header("link", r#"</x>; rel="next""#).into())),
        (
            "a page that is gone",
            Cause::InvalidResponse,
            Box::new(|asked| match asked.target.as_str() {
                "/gone" => Reply::new(404).into(),
                _ => page(&[inline(1)]).header("link", r#"</gone>; rel="next""#).into(),
            }),
        ),
    ];
    for (what, expected, script) in acts {
        let server = ScriptedRegistry::start(script).await;
        let store = store(&server, "");
        let mut options = options();
        options.manners.attempts = 1;
        options.limits.referrers_page = 1 << 20;
        let token = GithubToken { token: Secret::new(TOKEN), origin: "GH_TOKEN" };
        options.github_tokens = BTreeMap::from([(store.api().to_owned(), token)]);
        let outcome = list(&Registry::new(options, Vec::new()).unwrap(), &store).await;
        assert_eq!(cause(&outcome), Some(expected), "{what}: {outcome:?}");
        assert!(!detail(&outcome).contains(TOKEN), "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_not_sent_and_not_shown() {
    let server = ScriptedRegistry::start(|_| page(&[]).into()).await;
    let store = store(&server, "");
    let token = GithubToken { token: Secret::new("quokka\nlines"), origin: "GITHUB_TOKEN" };
    let options = RegistryOptions { github_tokens: BTreeMap::from([(store.api().to_owned(), token)]), ..options() };
    assert!(!format!("{options:?}").contains("quokka"));
    let outcome = list(&Registry::new(options, Vec::new()).unwrap(), &store).await;
    assert!(cause(&outcome) == Some(Cause::Unauthorized) && !detail(&outcome).contains("quokka"), "{outcome:?}");
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_token_along_and_is_no_answer() {
    let other = ScriptedRegistry::start(|_| page(&[]).into()).await;
    let target = format!("http://{}/list", other.host());
    let server = ScriptedRegistry::start(move |_| Reply::new(307).header("location", &target).into()).await;
    let elsewhere = store(&server, "");
    let outcome = list(&with_token(&elsewhere), &elsewhere).await;
    assert_eq!(cause(&outcome), Some(Cause::RedirectRefused), "{outcome:?}");
    assert!(other.asked().iter().all(|asked| asked.header("authorization").is_none()));
    // A repository that was renamed is at the same host.
    let renamed = ScriptedRegistry::start(|asked| match asked.target.starts_with("/repos/") {
        true => Reply::new(301).header("location", "/repositories/7/attestations").into(),
        false => page(&[inline(1)]).into(),
    })
    .await;
    let here = store(&renamed, "");
    assert_eq!(found(&list(&with_token(&here), &here).await), expected([1]));
    assert!(renamed.asked().iter().all(|asked| asked.header("authorization").is_some()));
}

#[tokio::test]
async fn an_owner_is_asked_as_what_it_is() {
    for (kind, path) in [("Organization", "orgs"), ("User", "users")] {
        let server = ScriptedRegistry::start(move |asked| match asked.target.as_str() {
            "/users/acme" => described(&json!({ "login": "Acme", "type": kind })).into(),
            _ => page(&[inline(1)]).into(),
        })
        .await;
        let (store, registry) = (owner(&server), anonymous());
        assert_eq!(found(&list(&registry, &store).await), expected([1]));
        assert_eq!(found(&list(&registry, &store).await), expected([1]));
        let asked = format!("GET /{path}/acme/attestations/{}?per_page=100", digest(IMAGE));
        assert_eq!(server.asked().iter().map(Asked::line).collect::<Vec<_>>(), ["GET /users/acme", &asked, &asked]);
        assert_eq!(registry.sight(&store).await, Ok(GithubSight::Part));
    }
    let server = ScriptedRegistry::start(|_| Reply::new(404).into()).await;
    assert_eq!(cause(&list(&anonymous(), &owner(&server)).await), Some(Cause::EvidenceLocationIncomplete));
}

#[tokio::test]
async fn a_bundle_that_cannot_be_had_is_told_and_the_others_are_good() {
    let storage = ScriptedRegistry::start(|asked| match asked.target.as_str() {
        "/bomb" => Reply::new(200).body("application/x-snappy", vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0]).into(),
        "/text?sig=secret" => Reply::new(200).body("text/plain", "expired").into(),
        "/huge" => Act::Endless,
        "/proxy" => Reply::new(200).body("application/json", r#"{"error":"log in"}"#).into(),
        "/silent" => Act::Hang,
        _ => Reply::new(403).into(),
    })
    .await;
    let mut entries =
        vec![inline(1), json!({}), json!({ "bundle_url": "nowhere" }), json!({ "bundle_url": "http://169.254.169.254/latest" })];
    // What is no bundle was not attested: whoever answered so is not understood.
    entries.extend([json!({ "bundle": "x" }), json!({ "bundle": {} })]);
    for path in ["bomb", "text?sig=secret", "huge", "silent", "gone", "proxy"] {
        entries.push(json!({ "bundle_url": format!("http://{}/{path}", storage.host()) }));
    }
    let server = ScriptedRegistry::start(move |_| page(&entries).into()).await;
    let store = store(&server, "");
    let mut options = options();
    options.limits.blob = 1 << 20;
    let registry = Registry::new(options, Vec::new()).unwrap();
    let listed = found(&list(&registry, &store).await);
    let mut causes = Vec::new();
    for digest in listed.keys() {
        match bytes(&registry, &store, digest).await {
            Ok(bundle) => assert_eq!(bundle, attested(1).to_string().as_bytes()),
            Err(unknown) => {
                assert!(!unknown.detail.contains("secret") && unknown.detail.contains("GitHub attestations of acme/app"), "{unknown:?}");
                causes.push(unknown.cause);
            }
        }
    }
    causes.sort();
    let mut all = [
        Cause::InvalidResponse,
        Cause::InvalidResponse,
        Cause::InvalidResponse,
        Cause::InvalidResponse,
        Cause::InvalidResponse,
        Cause::InvalidResponse,
        Cause::HostRefused,
        Cause::TooLarge,
        Cause::TooLarge,
        Cause::Timeout,
        Cause::Forbidden,
    ];
    all.sort();
    assert_eq!(causes, all);
}

/// A registry with one unsigned image, and a store; images of two repositories with one digest are scanned.
async fn scan(
    registry: &ScriptedRegistry,
    client: Registry,
    place: ExtraPlace,
    cache: Option<&Path>,
) -> (Vec<ImageEvidence>, Snapshot, BTreeMap<ImageTask, DeclaredPlaces>) {
    let cache = cache.map(|directory| DiskCache::open(Some(directory.into())).unwrap());
    let source = LiveSource::new(client, BTreeMap::new(), BTreeMap::new(), cache, SignedDuration::from_hours(1));
    let tasks: BTreeMap<_, _> = ["one", "two"]
        .iter()
        .map(|name| {
            let reference = format!("{}@{}", repository(registry, name), digest(IMAGE)).parse().unwrap();
            let task = ImageTask::in_registry(reference, RunningImage::Manifest(digest(IMAGE)), CredentialIdentity::default());
            (task, DeclaredPlaces { extra: vec![place.clone()], ..DeclaredPlaces::default() })
        })
        .collect();
    let (_keep, stop) = watch::channel(None);
    let board = Board::new(&source, Keeping::Everything);
    let evidence = collect(tasks.clone(), NEEDS, &board, None, stop, Timestamp::now(), &|_| ()).await;
    let (ledger, blobs) = board.into_ledger();
    (evidence.into_values().collect(), Snapshot::of(nothing(), ledger, blobs, Timestamp::now()), tasks)
}

fn nothing() -> Inventory {
    Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: Timestamp::UNIX_EPOCH,
        workloads: Vec::new(),
        not_judged: Vec::new(),
        gaps: Vec::new(),
        counts: InventoryCounts::default(),
    }
}

const NEEDS: Needs =
    Needs { subject: true, tag: false, signatures: true, verification: false, attestations: seaworthy::model::PredicateKinds::ALL };

fn outcome_of<'a>(evidence: &'a ImageEvidence, place: &str) -> &'a PlaceOutcome {
    &evidence.places.iter().find(|record| record.place.starts_with(place)).unwrap().outcome
}

#[tokio::test]
async fn what_is_found_is_evidence_asked_for_once_and_kept_in_a_snapshot() {
    let images = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let server = ScriptedRegistry::start(|_| page(&[inline(1), inline(2)]).into()).await;
    let store = store(&server, "");
    let place = ExtraPlace::Github(store.clone());
    let (evidence, snapshot, tasks) = scan(&images, with_token(&store), place, None).await;
    assert_eq!(server.asked().len(), 1, "{:?}", server.lines());
    for image in &evidence {
        assert_eq!(image.statements.len(), 2);
        assert!(image.statements.iter().all(|statement| statement.source == StatementSource::GithubStore && statement.is_attestation()));
        // It does not speak for the registry.
        assert_eq!(outcome_of(image, "GitHub attestations of acme/app"), &PlaceOutcome::NotAuthoritative);
    }
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    seaworthy::snapshot::write(&snapshot, &kept).unwrap();
    let again = seaworthy::snapshot::read(&kept).unwrap();
    let repeated: Vec<_> = collect_from(&tasks, NEEDS, &again, None).into_values().collect();
    assert_eq!(repeated, evidence);
    assert!(snapshot.ledger().iter().all(|(question, answer)| !format!("{question:?}{answer:?}").contains(TOKEN)));
    // A store that was not asked when it was taken is not empty.
    let other = GithubStore::new(Some("acme/other"), None, None).unwrap();
    let question = Question { place: Place::Github(other), ask: Ask::Referrers(digest(IMAGE)), credential: CredentialIdentity::default() };
    assert_eq!(cause(&again.answer(&question).outcome), Some(Cause::NotCaptured));
}

#[tokio::test]
async fn a_store_that_does_not_answer_or_shows_a_part_leaves_nothing_absent() {
    let images = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let refused = ScriptedRegistry::start(|_| Reply::new(401).into()).await;
    let place = ExtraPlace::Github(store(&refused, ""));
    let (evidence, ..) = scan(&images, anonymous(), place, None).await;
    let unknown = |evidence: &ImageEvidence, place: &str| match outcome_of(evidence, place) {
        PlaceOutcome::Unknown(unknown) => unknown.cause,
        other => panic!("{other:?}"),
    };
    assert_eq!(unknown(&evidence[0], "GitHub"), Cause::Unauthorized);
    let partly = ScriptedRegistry::start(|asked| match asked.target.as_str() {
        "/users/acme" => described(&json!({ "type": "Organization" })).into(),
        _ => page(&[inline(1)]).into(),
    })
    .await;
    let (evidence, ..) = scan(&images, anonymous(), ExtraPlace::Github(owner(&partly)), None).await;
    assert_eq!((evidence[0].statements.len(), unknown(&evidence[0], "GitHub")), (1, Cause::EvidenceLocationIncomplete));
    let place = ExtraPlace::Unusable { place: "GitHub attestations of {path}".into(), detail: "no repository".into() };
    let (evidence, ..) = scan(&images, anonymous(), place, None).await;
    assert_eq!(unknown(&evidence[0], "GitHub attestations of {path}"), Cause::EvidenceLocationIncomplete);
}

#[tokio::test]
async fn a_kept_answer_counts_while_all_can_be_seen() {
    let images = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let hides = Arc::new(AtomicUsize::new(0));
    let state = Arc::clone(&hides);
    let server = ScriptedRegistry::start(move |asked| match (state.load(SeqCst), asked.target.as_str()) {
        (0, "/repos/acme/app") => described(&json!({ "full_name": "Acme/App", "private": false })).into(),
        (0, _) => page(&[inline(1)]).into(),
        _ => Reply::new(404).into(),
    })
    .await;
    let cache = tempfile::tempdir().unwrap();
    let place = ExtraPlace::Github(store(&server, ""));
    let again = async || scan(&images, anonymous(), place.clone(), Some(cache.path())).await.0.remove(0);
    let first = again().await;
    assert_eq!((first.statements.len(), server.asked().len()), (1, 1));
    let second = again().await;
    assert_eq!((&second.statements, server.asked().len()), (&first.statements, 2), "the repository alone");
    assert_eq!(server.asked()[1].target, "/repos/acme/app");
    hides.store(1, SeqCst);
    let third = again().await;
    assert_eq!(third.statements, []);
    assert!(matches!(outcome_of(&third, "GitHub"), PlaceOutcome::Unknown(_)), "{third:?}");
}

/// GitHub's secondary limits are 403 with a time to wait.
#[tokio::test]
async fn a_short_wait_that_is_asked_for_is_waited() {
    let before = AtomicUsize::new(0);
    let server = ScriptedRegistry::start(move |_| match before.fetch_add(1, SeqCst) {
        0 => Reply::new(403).header("retry-after", "1").into(),
        _ => page(&[inline(1)]).into(),
    })
    .await;
    let began = Instant::now();
    assert_eq!(found(&list(&anonymous(), &store(&server, "")).await), expected([1]));
    assert!(server.asked().len() == 2 && began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}
