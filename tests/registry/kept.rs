//! Answers that were kept from an earlier scan: they save requests, and never make an absence that nobody saw.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use seaworthy::model::{ImageEvidence, ManifestPresence, Needs, PlaceOutcome, RunningImage};
use seaworthy::registry::DiskCache;
use seaworthy::scan::{Board, DeclaredPlaces, ImageTask, Keeping, LiveSource, collect};
use tokio::sync::watch;

use super::*;

/// One scan of one image, with its own client and the cache that all scans share.
async fn scan(server: &ScriptedRegistry, cache: &Path) -> ImageEvidence {
    let cache = DiskCache::open(Some(cache.into())).unwrap();
    let source = LiveSource::new(registry(), BTreeMap::new(), BTreeMap::new(), Some(cache), SignedDuration::from_hours(1));
    let image = digest(IMAGE);
    let reference = format!("{}@{image}", repository(server, "app")).parse().unwrap();
    let task = ImageTask::in_registry(reference, RunningImage::Manifest(image), CredentialIdentity::default());
    let needs = Needs { subject: true, tag: false, signatures: true, verification: false, ..Needs::default() };
    let (_keep, stop) = watch::channel(None);
    let tasks = BTreeMap::from([(task, DeclaredPlaces::default())]);
    let board = Board::new(&source, Keeping::Latest(0));
    let evidence = collect(tasks, needs, &board, None, stop, Timestamp::now(), &|_| ()).await;
    evidence.into_values().next().unwrap()
}

/// What was asked after so many requests.
fn lines_since(server: &ScriptedRegistry, before: usize) -> Vec<String> {
    server.asked().iter().skip(before).map(Asked::line).collect()
}

#[tokio::test]
async fn a_repository_that_hides_by_now_is_not_empty_because_its_manifest_was_seen_before() {
    let cache = tempfile::tempdir().unwrap();
    let scans = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&scans);
    let server = ScriptedRegistry::start(move |asked| match number.load(SeqCst) {
        // The manifest is seen; what refers to it is not known this time, and so not kept.
        0 if asked.target.contains("/referrers/") => Reply::new(403).into(),
        0 => unsigned(asked).into(),
        // The credential is gone, and everything hides behind 404.
        _ => unknown().into(),
    })
    .await;
    let first = scan(&server, cache.path()).await;
    assert!(matches!(first.manifest, ManifestPresence::Seen { .. }), "{first:?}");
    assert!(matches!(&first.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::Forbidden), "{first:?}");
    scans.store(1, SeqCst);
    let second = scan(&server, cache.path()).await;
    assert!(matches!(&second.manifest, ManifestPresence::Unknown(unknown) if unknown.cause == Cause::ImageNotFound), "{second:?}");
}

#[tokio::test]
async fn what_a_hiding_repository_did_not_show_is_not_absent_once_it_is_open() {
    let cache = tempfile::tempdir().unwrap();
    let scans = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&scans);
    let signatures = CosignTag::Signature.beside(&digest(IMAGE));
    let server = ScriptedRegistry::start(move |asked| match number.load(SeqCst) {
        0 => unknown().into(),
        _ if asked.target.ends_with(&signatures) => manifest(IMAGE).into(),
        _ if asked.target.contains("/referrers/") => index([digest(IMAGE)]).into(),
        _ => unsigned(asked).into(),
    })
    .await;
    let first = scan(&server, cache.path()).await;
    assert!(matches!(first.manifest, ManifestPresence::Unknown(_)), "{first:?}");
    scans.store(1, SeqCst);
    let before = server.asked().len();
    let second = scan(&server, cache.path()).await;
    assert!(matches!(second.manifest, ManifestPresence::Seen { .. }), "{second:?}");
    let asked_now = lines_since(&server, before);
    assert!(asked_now.iter().any(|line| line.contains("/referrers/")), "{asked_now:?}");
    assert!(asked_now.iter().any(|line| line.ends_with(".sig")), "{asked_now:?}");
}

#[tokio::test]
async fn an_absence_that_was_seen_is_not_asked_again_within_its_age() {
    let cache = tempfile::tempdir().unwrap();
    let server = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let first = scan(&server, cache.path()).await;
    assert!(matches!(first.places[0].outcome, PlaceOutcome::Looked(0)), "{first:?}");
    let before = server.asked().len();
    let second = scan(&server, cache.path()).await;
    assert_eq!((&second.statements, &second.places), (&first.statements, &first.places), "the age of the answers too");
    let asked_now = lines_since(&server, before);
    assert!(asked_now.iter().all(|line| !line.contains("/referrers/") && !line.contains(".sig")), "{asked_now:?}");
    assert!(asked_now.iter().any(|line| line.starts_with("HEAD ") && line.contains("/manifests/sha256:")), "{asked_now:?}");
}
