//! Trust roots by TUF: asked, kept, and what is used where it cannot be asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::server::{Conduct, Server};
use super::tuf_repository::{Edition, Signer};
use crate::documents::SigstoreInstance;
use crate::model::{Cause, RootOrigin};
use crate::trust::need::Effort;
use crate::trust::repository::{Obtained, TufRepository};
use crate::trust::{ProxySource, TrustOptions, embedded};

/// A day on which the tests happen.
const TODAY: &str = "2026-11-20T12:00:00Z";
/// The copy inside the program of the imagined release.
const INSIDE: &str = "inside";

/// A server, a cache, and options that lead to them.
struct Stage {
    server: Server,
    cache: tempfile::TempDir,
    signer: Signer,
    options: TrustOptions,
}

/// A trust root that can be told from others.
fn content(mark: &str) -> Vec<u8> {
    let mut root: serde_json::Value = serde_json::from_slice(&embedded("root", SigstoreInstance::PublicGood).content.unwrap()).unwrap();
    root["tlogs"][0]["baseUrl"] = mark.into();
    // Not as a library would write it: it must come through byte for byte.
    serde_json::to_vec_pretty(&root).unwrap()
}

impl Stage {
    async fn new(conduct: Conduct) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let options = TrustOptions {
            offline: false,
            cache: Some(cache.path().join("seaworthy").join("tuf")),
            timeout: Duration::from_secs(20),
            interval: SignedDuration::from_hours(24),
            pause: SignedDuration::from_hours(1),
            now: TODAY.parse().unwrap(),
            proxies: ProxySource::None,
            ca_files: Vec::new(),
        };
        Self { server: Server::start(conduct).await, cache, signer: Signer::new(1), options }
    }

    /// One that serves the first edition, with these bytes.
    async fn serving(content: &[u8]) -> Self {
        let stage = Self::new(Conduct::Silent).await;
        stage.serve(&Edition::new(1, content));
        stage
    }

    fn serve(&self, edition: &Edition<'_>) {
        self.server.behave(Conduct::Files(self.signer.files(edition)));
    }

    fn mirror(&self) -> TufRepository {
        TufRepository { url: self.server.url(), bootstrap: self.signer.root(1, &[&self.signer]), embedded: None }
    }

    /// The same with a copy inside the program, complete up to this day.
    fn instance(&self, date: &str) -> TufRepository {
        TufRepository { embedded: Some((INSIDE, date.parse().unwrap())), ..self.mirror() }
    }

    async fn load(&self) -> Obtained {
        self.mirror().obtain(Effort::Current, &self.options).await
    }

    /// For those that are meant to wait in vain.
    fn impatient(&mut self) {
        self.options.timeout = Duration::from_millis(400);
    }

    fn later(&mut self, length: SignedDuration) {
        self.options.now += length;
    }

    fn cached_origin(&self) -> RootOrigin {
        RootOrigin::TufCache { url: self.server.url() }
    }

    fn kept(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.options.cache.as_ref().unwrap()).unwrap();
        let path = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none());
        path
    }

    /// Changes what is kept, as text.
    fn tamper(&self, change: impl Fn(String) -> String) {
        let path = self.kept();
        let changed = change(fs::read_to_string(&path).unwrap());
        fs::write(&path, changed).unwrap();
    }
}

fn bytes(obtained: &Obtained) -> &[u8] {
    obtained.content.as_ref().unwrap()
}

fn refusal(obtained: &Obtained) -> &str {
    let unknown = obtained.content.as_ref().unwrap_err();
    assert_eq!(unknown.cause, Cause::TrustRootUnavailable);
    assert_eq!(obtained.warning.as_deref(), Some(unknown.detail.as_str()));
    &unknown.detail
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn what_a_repository_says_is_taken_byte_for_byte_and_dated_now() {
    let first = content("first");
    let stage = Stage::serving(&first).await;
    let obtained = stage.load().await;
    assert_eq!(obtained.origin, RootOrigin::Tuf { url: stage.server.url() });
    assert_eq!((bytes(&obtained), obtained.dated, &obtained.warning), (&first[..], at(TODAY), &None));
    let asked = stage.server.asked();
    assert_eq!(asked[..4], ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    assert!(asked[4].starts_with("targets/") && asked.len() == 5, "{asked:?}");
    // What is kept is the user's own.
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&stage.kept()), mode(stage.kept().parent().unwrap())), (0o600, 0o700));
}

#[tokio::test]
async fn within_the_interval_nothing_is_asked_and_after_it_only_what_is_new() {
    let (first, second) = (content("first"), content("second"));
    let mut stage = Stage::serving(&first).await;
    stage.load().await;
    let connections = stage.server.connections();
    stage.serve(&Edition::new(2, &second));
    stage.later(HOUR * 23);
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained), obtained.dated), (stage.cached_origin(), &first[..], at(TODAY)));
    assert_eq!(obtained.warning, None);
    assert_eq!(stage.server.connections(), connections);

    stage.later(HOUR);
    let obtained = stage.load().await;
    assert_eq!(obtained.origin, RootOrigin::Tuf { url: stage.server.url() });
    assert_eq!((bytes(&obtained), obtained.dated), (&second[..], at("2026-11-21T12:00:00Z")));

    // The same edition again: one look at the time stamp.
    stage.server.asked();
    stage.later(HOUR * 24);
    assert_eq!(stage.load().await.dated, at("2026-11-22T12:00:00Z"));
    assert_eq!(stage.server.asked(), ["2.root.json", "timestamp.json"]);
}

#[tokio::test]
async fn without_a_place_to_keep_it_each_load_asks() {
    let first = content("first");
    let mut stage = Stage::serving(&first).await;
    stage.options.cache = None;
    for _ in 0..2 {
        assert_eq!(stage.load().await.origin, RootOrigin::Tuf { url: stage.server.url() });
        assert_eq!(stage.server.asked().len(), 5);
    }
    assert_eq!(fs::read_dir(stage.cache.path()).unwrap().count(), 0);
    // Nor does a place that cannot be written to keep one from it.
    fs::write(stage.cache.path().join("file"), "").unwrap();
    stage.options.cache = Some(stage.cache.path().join("file").join("tuf"));
    assert_eq!(bytes(&stage.load().await), first);
}

#[tokio::test]
async fn a_silent_repository_costs_one_time_out_and_then_the_cache_answers() {
    let first = content("first");
    let mut stage = Stage::serving(&first).await;
    stage.load().await;
    stage.server.behave(Conduct::Silent);
    stage.later(HOUR * 30);
    stage.impatient();
    let began = Instant::now();
    let obtained = stage.load().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!((obtained.origin.clone(), bytes(&obtained), obtained.dated), (stage.cached_origin(), &first[..], at(TODAY)));
    let url = stage.server.url();
    assert_eq!(
        obtained.warning.unwrap(),
        format!("{url} could not be asked: no complete answer within 0.4 s; what it said on 2026-11-20 is used")
    );

    // It is left alone for an hour, and then asked again.
    let connections = stage.server.connections();
    stage.later(SignedDuration::from_mins(59));
    let warning = stage.load().await.warning.unwrap();
    assert!(warning.contains("no complete answer within 0.4 s (asked 59 minutes ago; at most one attempt in 60 minutes)"), "{warning}");
    assert_eq!(stage.server.connections(), connections);
    let second = content("second");
    stage.serve(&Edition::new(2, &second));
    stage.options.timeout = Duration::from_secs(20);
    stage.later(SignedDuration::from_mins(1));
    assert_eq!(bytes(&stage.load().await), second);
    assert!(stage.server.connections() > connections);
}

#[tokio::test]
async fn with_nothing_kept_the_embedded_copy_answers_or_nobody() {
    let mut stage = Stage::new(Conduct::Silent).await;
    stage.impatient();
    let obtained = stage.instance("2026-10-13T00:00:00Z").obtain(Effort::Current, &stage.options).await;
    assert_eq!(obtained.origin, RootOrigin::Embedded);
    assert_eq!((bytes(&obtained), obtained.dated), (INSIDE.as_bytes(), at("2026-10-13T00:00:00Z")));
    assert!(obtained.warning.unwrap().ends_with("no complete answer within 0.4 s; the copy of 2026-10-13 inside this program is used"));

    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), obtained.dated), (stage.cached_origin(), None));
    assert!(refusal(&obtained).contains("nothing of it is kept. Make it reachable, or name a trusted_root.json"));
}

#[tokio::test]
async fn no_answer_that_is_none_is_believed() {
    let first = content("first");
    let signer = Signer::new(1);
    let good = signer.files(&Edition::new(1, &first));
    let without = |name: &str| {
        let mut files = good.clone();
        files.retain(|known, _| !known.contains(name));
        Conduct::Files(files)
    };
    let with = |name: &str, bytes: &[u8]| {
        let mut files = good.clone();
        let known = files.keys().find(|known| known.contains(name)).unwrap().clone();
        files.insert(known, bytes.to_vec());
        Conduct::Files(files)
    };
    let mut longer = first.clone();
    longer.push(b' ');
    let mut changed = first.clone();
    changed[100] ^= 1;
    let newer = String::from_utf8(first.clone()).unwrap().replace("version=0.1", "version=0.9");
    let cases = [
        (Conduct::Files(Signer::new(2).files(&Edition::new(1, &first))), "signature threshold not met for role timestamp"),
        (Conduct::Files(signer.files(&Edition { expires: "2026-11-20T11:59:59Z", ..Edition::new(1, &first) })), "expired at 2026-11-20"),
        (Conduct::Files(Default::default()), "timestamp.json not found"),
        (Conduct::Status(500), "returned status 500"),
        (Conduct::Status(403), "timestamp.json not found"),
        (Conduct::Endless, "exceeds max length"),
        (without("snapshot"), "1.snapshot.json not found"),
        (without("trusted_root"), "not found"),
        (with("trusted_root", &longer), "exceeds max"),
        (with("trusted_root", &changed), "integrity check failed"),
        (with("targets.json", b"{}"), "integrity check failed"),
        (with("timestamp", b"<html>log in</html>"), "failed to parse JSON"),
        (with("timestamp", &[b'['; 10_000]), "failed to parse JSON"),
        (Conduct::Files(signer.files(&Edition::new(1, newer.as_bytes()))), "its trust root cannot be used: it is of version 0.9"),
        (Conduct::Files(signer.files(&Edition::new(1, b"{}"))), "its trust root cannot be used"),
    ];
    for (conduct, told) in cases {
        let stage = Stage::new(conduct).await;
        let obtained = stage.load().await;
        assert!(refusal(&obtained).contains(told), "{told}: {}", refusal(&obtained));
        // And none of it is kept but that it failed.
        assert!(fs::read_to_string(stage.kept()).unwrap().contains(r#""files":{}"#));
    }
    // Nobody listens at all.
    let stage = Stage::new(Conduct::Silent).await;
    let closed = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let obtained = TufRepository { url: format!("http://{closed}"), ..stage.mirror() }.obtain(Effort::Current, &stage.options).await;
    assert!(refusal(&obtained).to_lowercase().contains("connection refused"), "{}", refusal(&obtained));
}

#[tokio::test]
async fn an_older_edition_is_a_rollback_and_the_newer_one_stays() {
    let (first, second) = (content("first"), content("second"));
    let mut stage = Stage::serving(&first).await;
    stage.serve(&Edition::new(2, &second));
    stage.load().await;
    stage.serve(&Edition::new(1, &first));
    stage.later(HOUR * 24);
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained), obtained.dated), (stage.cached_origin(), &second[..], at(TODAY)));
    assert!(obtained.warning.as_ref().unwrap().contains("rollback detected for timestamp"), "{:?}", obtained.warning);
}

#[tokio::test]
async fn a_refresh_that_breaks_off_leaves_what_was_kept() {
    let (first, second) = (content("first"), content("second"));
    let mut stage = Stage::serving(&first).await;
    stage.load().await;
    let edition = stage.signer.files(&Edition::new(2, &second));
    stage.later(HOUR * 24);
    stage.impatient();
    for silent_about in ["snapshot.json", "targets.json", "trusted_root.json"] {
        stage.server.behave(Conduct::SilentAbout(silent_about, edition.clone()));
        let obtained = stage.load().await;
        assert_eq!(
            (obtained.origin.clone(), bytes(&obtained), obtained.dated),
            (stage.cached_origin(), &first[..], at(TODAY)),
            "{silent_about}"
        );
        stage.later(HOUR);
    }
}

#[tokio::test]
async fn a_new_root_key_is_followed_and_a_foreign_one_is_not() {
    let (first, second) = (content("first"), content("second"));
    let mut stage = Stage::serving(&first).await;
    stage.load().await;
    let next = Signer::new(2);
    let mut files = next.files(&Edition::new(1, &second));
    files.insert("2.root.json".to_owned(), next.root(2, &[&next]));
    stage.server.behave(Conduct::Files(files.clone()));
    stage.later(HOUR * 24);
    let obtained = stage.load().await;
    assert_eq!(bytes(&obtained), first);
    assert!(obtained.warning.unwrap().contains("signature threshold not met for role root"));

    files.insert("2.root.json".to_owned(), next.root(2, &[&stage.signer, &next]));
    stage.server.behave(Conduct::Files(files));
    stage.later(HOUR);
    assert_eq!(bytes(&stage.load().await), second);
    // From the cache, too: the way from the first root to the second is kept.
    stage.options.offline = true;
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained)), (stage.cached_origin(), &second[..]));
}

#[tokio::test]
async fn a_target_of_a_delegated_role_is_found_online_and_offline() {
    let first = content("first");
    let mut stage = Stage::new(Conduct::Silent).await;
    stage.serve(&Edition { delegated: true, ..Edition::new(3, &first) });
    assert_eq!(stage.load().await.origin, RootOrigin::Tuf { url: stage.server.url() });
    stage.options.offline = true;
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained)), (stage.cached_origin(), &first[..]));
}

#[tokio::test]
async fn offline_opens_no_connection() {
    let first = content("first");
    let mut stage = Stage::serving(&first).await;
    stage.options.offline = true;
    let obtained = stage.instance("2026-10-13T00:00:00Z").obtain(Effort::Current, &stage.options).await;
    // It was the user's own wish: nothing to warn of.
    assert_eq!((obtained.origin, obtained.warning), (RootOrigin::Embedded, None));
    let obtained = stage.load().await;
    assert!(refusal(&obtained).contains("is not asked offline, and nothing of it is kept. Run once with access to it"));
    assert_eq!(stage.server.connections(), 0);

    stage.options.offline = false;
    stage.load().await;
    let connections = stage.server.connections();
    stage.options.offline = true;
    stage.later(HOUR * 24 * 300);
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained), obtained.dated), (stage.cached_origin(), &first[..], at(TODAY)));
    assert_eq!((obtained.warning, stage.server.connections()), (None, connections));
}

#[tokio::test]
async fn what_nobody_requires_is_taken_from_what_is_at_hand() {
    let first = content("first");
    let stage = Stage::serving(&first).await;
    let instance = stage.instance("2026-10-13T00:00:00Z");
    let obtained = instance.obtain(Effort::AtHand, &stage.options).await;
    assert_eq!((obtained.origin, obtained.warning), (RootOrigin::Embedded, None));
    assert_eq!(stage.server.connections(), 0);
    // A mirror has nothing at hand at first: it is asked.
    let obtained = stage.mirror().obtain(Effort::AtHand, &stage.options).await;
    assert_eq!(obtained.origin, RootOrigin::Tuf { url: stage.server.url() });
}

#[tokio::test]
async fn what_has_expired_in_the_cache_counts_only_where_it_is_newer_than_the_embedded_copy() {
    let first = content("first");
    let mut stage = Stage::new(Conduct::Silent).await;
    stage.serve(&Edition { expires: "2026-11-27T00:00:00Z", ..Edition::new(1, &first) });
    let (older, newer) = (stage.instance("2026-10-13T00:00:00Z"), stage.instance("2026-11-25T00:00:00Z"));
    older.obtain(Effort::Current, &stage.options).await;
    stage.load().await;
    stage.server.behave(Conduct::Status(503));
    stage.later(HOUR * 24 * 10);
    let obtained = older.obtain(Effort::Current, &stage.options).await;
    assert_eq!((obtained.origin.clone(), bytes(&obtained), obtained.dated), (stage.cached_origin(), &first[..], at(TODAY)));
    let obtained = newer.obtain(Effort::Current, &stage.options).await;
    assert_eq!((obtained.origin, obtained.dated), (RootOrigin::Embedded, at("2026-11-25T00:00:00Z")));
    // A mirror has no copy that could be compared.
    let obtained = stage.load().await;
    assert!(refusal(&obtained).contains("timestamp metadata expired at 2026-11-27"), "{}", refusal(&obtained));
}

#[tokio::test]
async fn what_is_planted_in_the_cache_is_verified_like_everything() {
    let (first, second) = (content("first"), content("second"));
    let foreign = Stage::serving(&second).await;
    let foreign = Stage { signer: Signer::new(2), ..foreign };
    foreign.serve(&Edition::new(1, &second));
    foreign.load().await;
    let planted = fs::read_to_string(foreign.kept()).unwrap();

    let mut stage = Stage::serving(&first).await;
    stage.load().await;
    stage.options.offline = true;
    let refused = |stage: &Stage, obtained: Obtained| assert!(refusal(&obtained).contains(&stage.server.url()), "{}", refusal(&obtained));
    // Metadata that another signed.
    let own = fs::read_to_string(stage.kept()).unwrap();
    stage.tamper(|_| planted.clone());
    refused(&stage, stage.load().await);
    // Another target under the right metadata.
    stage.tamper(|_| own.replace("https://fulcio.sigstore.dev", "https://fulcio.example.dev."));
    refused(&stage, stage.load().await);
    // What is no such file at all.
    for junk in ["", "null", "[]", "{\"files\":7}", "\u{0}"] {
        stage.tamper(|_| junk.to_owned());
        refused(&stage, stage.load().await);
    }
    // What others may write, and what is no file.
    stage.tamper(|_| own.clone());
    assert_eq!(bytes(&stage.load().await), first);
    let path = stage.kept();
    for (path, mode) in [(&path, 0o622), (&path.parent().unwrap().to_owned(), 0o770), (&path.parent().unwrap().to_owned(), 0o707)] {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        refused(&stage, stage.load().await);
        fs::set_permissions(path, before).unwrap();
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(&stage, stage.load().await);
    // A directory in its place does not keep it from being asked.
    stage.options.offline = false;
    assert_eq!(bytes(&stage.load().await), first);
}

#[tokio::test]
async fn times_in_the_cache_are_not_believed_beyond_now() {
    let first = content("first");
    let stage = Stage::serving(&first).await;
    stage.load().await;
    stage.tamper(|text| text.replace(TODAY, "2031-01-01T00:00:00Z"));
    // Its age is not known, so it is asked for.
    stage.server.asked();
    let obtained = stage.load().await;
    assert_eq!(obtained.origin, RootOrigin::Tuf { url: stage.server.url() });
    assert!(!stage.server.asked().is_empty());

    stage.tamper(|text| text.replace(TODAY, "2031-01-01T00:00:00Z"));
    stage.server.behave(Conduct::Status(500));
    let obtained = stage.load().await;
    assert_eq!((obtained.origin.clone(), obtained.dated), (stage.cached_origin(), at(TODAY)));
    // A failure in the future does not silence it either.
    stage.tamper(|text| text.replace(r#""failed":{"at":"2026"#, r#""failed":{"at":"2031"#));
    stage.serve(&Edition::new(2, &first));
    assert_eq!(stage.load().await.origin, RootOrigin::Tuf { url: stage.server.url() });
}

#[tokio::test]
async fn another_first_root_begins_anew() {
    let first = content("first");
    let stage = Stage::serving(&first).await;
    let wrong = Signer::new(9);
    let mistaken = TufRepository { bootstrap: wrong.root(1, &[&wrong]), ..stage.mirror() };
    let obtained = mistaken.obtain(Effort::Current, &stage.options).await;
    assert!(refusal(&obtained).contains("signature threshold not met"));
    // The mistake is corrected: no pause stands in the way.
    assert_eq!(stage.load().await.origin, RootOrigin::Tuf { url: stage.server.url() });
    let unsigned = TufRepository { bootstrap: stage.signer.root(1, &[]), ..stage.mirror() };
    let obtained = unsigned.obtain(Effort::Current, &stage.options).await;
    assert!(refusal(&obtained).contains("its first root.json"), "{}", refusal(&obtained));
}

#[tokio::test]
async fn two_at_once_both_get_it() {
    let first = content("first");
    let stage = Stage::serving(&first).await;
    let (one, other) = tokio::join!(stage.load(), stage.load());
    assert_eq!((bytes(&one), bytes(&other)), (&first[..], &first[..]));
    assert_eq!(stage.load().await.origin, stage.cached_origin());
}
