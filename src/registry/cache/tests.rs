use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::model::{Cause, CredentialIdentity, CredentialKind, ImageReference};

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

struct Den {
    home: tempfile::TempDir,
}

impl Den {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("cache/seaworthy")
    }

    fn open(&self) -> DiskCache {
        DiskCache::open(Some(self.root())).unwrap()
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.root().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex())
    }

    /// The only answer that is kept.
    fn answer(&self) -> PathBuf {
        let shard = fs::read_dir(self.root().join("answers")).unwrap().next().unwrap().unwrap().path();
        fs::read_dir(shard).unwrap().next().unwrap().unwrap().path()
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

#[test]
fn blobs_survive_the_process_and_are_private() {
    let place = Den::new();
    let long = Digest::of(Algorithm::Sha512, b"long");
    let cache = place.open();
    assert_eq!(cache.get(&digest(b"one")), None);
    cache.put(&digest(b"one"), b"one");
    cache.put(&long, b"long");
    cache.put(&digest(b""), b"");
    let again = place.open();
    assert_eq!(again.get(&digest(b"one")).as_deref(), Some(b"one".as_slice()));
    assert_eq!(again.get(&long).as_deref(), Some(b"long".as_slice()));
    assert_eq!(again.get(&digest(b"")).as_deref(), Some(b"".as_slice()));
    let file = place.blob(&digest(b"one"));
    assert_eq!(mode(&file), 0o600);
    let mut directory = file.parent();
    while let Some(at) = directory.filter(|at| at.starts_with(place.root())) {
        assert_eq!(mode(at), 0o700, "{}", at.display());
        directory = at.parent();
    }
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn what_is_corrupted_or_planted_is_dropped_and_kept_anew() {
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("outside");
    fs::write(&outside, "one").unwrap();
    type Plant<'a> = (&'a str, &'a dyn Fn(&Path));
    let plants: [Plant<'_>; 6] = [
        ("other bytes", &|path| fs::write(path, "onf").unwrap()),
        ("cut off", &|path| fs::write(path, "").unwrap()),
        ("too large", &|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap()),
        ("a link, even to the right bytes", &|path| symlink(&outside, path).unwrap()),
        ("a directory", &|path| fs::create_dir_all(path.join("below")).unwrap()),
        ("a socket", &|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
    ];
    for (what, plant) in plants {
        let place = Den::new();
        let cache = place.open();
        let digest = digest(b"one");
        cache.put(&digest, b"one");
        let file = place.blob(&digest);
        fs::remove_file(&file).unwrap();
        // Names of sockets are short.
        let short = elsewhere.path().join("plant");
        plant(&short);
        fs::rename(&short, &file).unwrap();
        assert_eq!(cache.get(&digest), None, "{what}");
        assert!(fs::symlink_metadata(&file).is_err(), "{what} is still there");
        cache.put(&digest, b"one");
        assert_eq!(cache.get(&digest).as_deref(), Some(b"one".as_slice()), "{what}");
    }
    assert_eq!(fs::read(&outside).unwrap(), b"one");
}

#[test]
fn a_pipe_in_place_of_an_entry_does_not_hang() {
    let place = Den::new();
    let cache = place.open();
    let digest = digest(b"one");
    cache.put(&digest, b"one");
    let file = place.blob(&digest);
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(cache.get(&digest), None);
    assert!(fs::symlink_metadata(&file).is_err());
}

#[test]
fn planted_directories_are_replaced_and_never_written_through() {
    let place = Den::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let digest = digest(b"one");
    place.open();
    fs::remove_dir_all(place.root().join("blobs")).unwrap();
    symlink(elsewhere.path(), place.root().join("blobs")).unwrap();
    place.open().put(&digest, b"one");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(place.open().get(&digest).as_deref(), Some(b"one".as_slice()));
    let file = place.blob(&digest);
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    symlink(elsewhere.path(), file.parent().unwrap()).unwrap();
    place.open().put(&digest, b"one");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(place.open().get(&digest).as_deref(), Some(b"one".as_slice()));
}

#[test]
fn a_directory_of_entries_stays_within_its_limit() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("blobs");
    for process in 0..3 {
        let store = Store::new(root.clone(), 1000);
        for number in 0..20 {
            store.put(&format!("ab{process}{number:02}"), &[0; 90]);
        }
        store.put("abff", &[0; 1001]);
        assert_eq!(store.get("abff", |_| true), None);
    }
    let size: u64 = fs::read_dir(root.join("ab")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!((500..=1000).contains(&size), "{size} bytes");
    assert_eq!(Store::new(root.clone(), 1000).get("ab219", |_| true).map(|bytes| bytes.len()), Some(90), "the newest stays");
    // What a killed process left behind goes, once it is old.
    let abandoned = root.join("ab/.unfinished-x");
    let file = fs::File::create(&abandoned).unwrap();
    Store::new(root.clone(), 1000).put("ab300", &[0; 90]);
    assert!(abandoned.exists());
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(7200)).unwrap();
    Store::new(root, 1000).put("ab301", &[0; 90]);
    assert!(!abandoned.exists());
}

#[test]
fn many_writers_and_readers_see_whole_entries_only() {
    let place = Den::new();
    let blobs: Vec<Vec<u8>> = (0_u8..20).map(|seed| vec![seed; 50_000]).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // Each with a cache of its own, as a process has.
            let (place, blobs) = (&place, &blobs);
            scope.spawn(move || {
                let cache = place.open();
                for _ in 0..10 {
                    for blob in blobs {
                        let digest = digest(blob);
                        cache.put(&digest, blob);
                        assert_eq!(cache.get(&digest).as_deref(), Some(blob.as_slice()));
                    }
                }
            });
        }
    });
}

fn question() -> Question {
    let reference: ImageReference = "registry.test/app:1".parse().unwrap();
    let place = Place::Repository(reference.repository().clone());
    Question { place, ask: Ask::Tag("1".into()), credential: CredentialIdentity(["payments/pull".parse().unwrap()].into()) }
}

fn observed() -> Timestamp {
    "2026-11-02T09:30:00Z".parse().unwrap()
}

fn absent() -> Answer {
    Answer { outcome: Outcome::Absent, observed: observed(), credential: CredentialKind::PullSecret }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn answers_are_used_within_their_age_only() {
    let place = Den::new();
    place.open().put_answer(&question(), &absent());
    let cache = place.open();
    let at = |seconds| observed() + SignedDuration::from_secs(seconds);
    assert_eq!(cache.get_answer(&question(), HOUR, at(0)), Some(absent()));
    assert_eq!(cache.get_answer(&question(), HOUR, at(3600)), Some(absent()));
    assert_eq!(cache.get_answer(&question(), HOUR, at(3601)), None);
    assert_eq!(cache.get_answer(&question(), HOUR, at(-1)), None, "from the future");
    assert_eq!(cache.get_answer(&question(), SignedDuration::ZERO, at(0)), None, "no age is allowed");
    assert_eq!(mode(&place.answer()), 0o600);
}

#[test]
fn answers_are_for_the_same_question_of_the_same_asker() {
    let place = Den::new();
    let cache = place.open().scoped("one cluster");
    cache.put_answer(&question(), &absent());
    let get = |cache: &DiskCache, question: &Question| cache.get_answer(question, HOUR, observed());
    assert_eq!(get(&cache, &question()), Some(absent()));
    assert_eq!(get(&place.open().scoped("another cluster"), &question()), None);
    assert_eq!(get(&cache, &Question { credential: CredentialIdentity::default(), ..question() }), None);
    assert_eq!(get(&cache, &Question { ask: Ask::Tag("2".into()), ..question() }), None);
    // Put under another question's name, an answer is dropped.
    let other = Question { ask: Ask::Tag("2".into()), ..question() };
    let file = place.answer();
    let name = cache.name(&other).unwrap();
    let planted = place.root().join("answers").join(&name[..2]).join(&name);
    fs::create_dir_all(planted.parent().unwrap()).unwrap();
    fs::rename(&file, &planted).unwrap();
    assert_eq!(get(&cache, &other), None);
    assert!(!planted.exists());
}

#[test]
fn what_does_not_age_or_is_not_known_is_not_kept() {
    let place = Den::new();
    let cache = place.open();
    let unknown = Answer { outcome: Outcome::unknown(Cause::Timeout, "no answer"), ..absent() };
    cache.put_answer(&question(), &unknown);
    cache.put_answer(&Question { ask: Ask::Blob(digest(b"one")), ..question() }, &absent());
    cache.put_answer(&Question { place: Place::Layout("images".into()), ..question() }, &absent());
    let found = Answer { outcome: Outcome::Found(Vec::new()), ..absent() };
    for presence in [Ask::Manifest(digest(b"one")), Ask::Readable] {
        cache.put_answer(&Question { ask: presence, ..question() }, &found);
    }
    assert_eq!(fs::read_dir(place.root().join("answers")).unwrap().count(), 0);
}

#[test]
fn answers_that_others_may_have_written_are_not_used() {
    let place = Den::new();
    place.open().put_answer(&question(), &absent());
    let get = |cache: &DiskCache| cache.get_answer(&question(), HOUR, observed());
    for shared in [place.root(), place.root().join("answers")] {
        fs::set_permissions(&shared, Permissions::from_mode(0o770)).unwrap();
        let cache = place.open();
        assert_eq!(get(&cache), None, "{}", shared.display());
        cache.put(&digest(b"one"), b"one");
        assert!(cache.get(&digest(b"one")).is_some(), "blobs prove themselves");
        fs::set_permissions(&shared, Permissions::from_mode(0o700)).unwrap();
        assert!(get(&place.open()).is_some());
    }
    let file = place.answer();
    fs::write(&file, b"{").unwrap();
    assert_eq!(get(&place.open()), None);
    assert!(!file.exists(), "corrupted, and dropped");
    place.open().put_answer(&question(), &absent());
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(get(&place.open()), None);
    assert!(!file.exists(), "writable by others, and dropped");
}

#[test]
fn a_place_that_cannot_be_used_is_an_error_with_a_way_out() {
    let place = Den::new();
    fs::write(place.home.path().join("cache"), "a file").unwrap();
    let error = DiskCache::open(Some(place.root())).unwrap_err().to_string();
    assert!(error.contains("--no-cache"), "{error}");
}
