use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::model::{Algorithm, Ask, CredentialIdentity, Descriptor, Gap, InventoryCounts, NotVisible, Place, Scope};

fn captured() -> Timestamp {
    "2026-11-02T09:30:00Z".parse().unwrap()
}

fn inventory() -> Inventory {
    let detail = "\u{1b}[31mhostile\u{202e} text".to_owned();
    let gap = Gap {
        cluster: None,
        what: "pods".into(),
        namespace: Some("payments".into()),
        workloads_missing: true,
        cause: Cause::Forbidden,
        detail,
    };
    Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: captured(),
        workloads: Vec::new(),
        not_judged: Vec::new(),
        gaps: vec![gap],
        counts: InventoryCounts { pods: 3, objects: 4, namespaces: 1 },
    }
}

fn question(ask: Ask) -> Question {
    let place = Place::Repository("registry.test/team/app:1".parse::<ImageReference>().unwrap().repository().clone());
    Question { place, ask, credential: CredentialIdentity(["payments/pull".parse().unwrap()].into()) }
}

fn answer(outcome: Outcome) -> Arc<Answer> {
    Arc::new(Answer { outcome, observed: captured(), credential: CredentialKind::Anonymous })
}

fn descriptor(digest: &Digest) -> Descriptor {
    Descriptor { media_type: "x".into(), digest: digest.clone(), size: 1, artifact_type: None, annotations: BTreeMap::new() }
}

/// Two blobs, of which one has a name too long for a plain tar header, and answers of each outcome.
fn snapshot() -> Snapshot {
    let short = Digest::of(Algorithm::Sha256, b"{}");
    let long = Digest::of(Algorithm::Sha512, b"long");
    let mut ledger = Ledger::new();
    ledger.enter(question(Ask::Content(short.clone())), answer(Outcome::Found(vec![descriptor(&short)])));
    ledger.enter(question(Ask::Blob(long.clone())), answer(Outcome::Found(vec![descriptor(&long)])));
    ledger.enter(question(Ask::Referrers(short.clone())), answer(Outcome::Absent));
    ledger.enter(question(Ask::Tag("1".into())), answer(Outcome::unknown(Cause::Timeout, "no answer in 30 s")));
    ledger.enter(question(Ask::Readable), answer(Outcome::Found(Vec::new())));
    let blobs = [(short, Bytes::from_static(b"{}")), (long, Bytes::from_static(b"long"))].into();
    let layout = DeclaredLayout { name: "images/app".into(), reference: Some("registry.test/app:1".parse().unwrap()) };
    Snapshot::of(inventory(), ledger, blobs, captured()).with_places(vec![layout], vec!["evidence.jsonl".into()])
}

struct Written {
    directory: tempfile::TempDir,
    target: PathBuf,
}

fn written(name: &str) -> Written {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join(name);
    write(&snapshot(), &target).unwrap();
    Written { directory, target }
}

fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(name, bytes)| (Path::new(path.file_name().unwrap()).join(name), bytes)));
        } else {
            found.insert(path.file_name().unwrap().into(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn both_forms_give_back_what_was_written() {
    for name in ["cluster", "cluster.tar.zst"] {
        let written = written(name);
        assert_eq!(read(&written.target).unwrap(), snapshot(), "{name}");
        // Nothing else is left beside it.
        assert_eq!(fs::read_dir(written.directory.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn equal_content_gives_equal_bytes() {
    let (first, second) = (written("cluster.tar.zst"), written("other.tar.zst"));
    assert_eq!(fs::read(&first.target).unwrap(), fs::read(&second.target).unwrap());
    let (first, second) = (written("cluster"), written("other"));
    assert_eq!(files(&first.target), files(&second.target));
    assert_eq!(files(&first.target).len(), 5);
}

#[test]
fn the_archive_is_one_that_any_tar_reads() {
    let archive = written("cluster.tar.zst");
    let directory = archive.directory.path().join("unpacked");
    tar::Archive::new(zstd::Decoder::new(fs::File::open(&archive.target).unwrap()).unwrap()).unpack(&directory).unwrap();
    assert_eq!(files(&directory), files(&written("cluster").target));
    assert_eq!(read(&directory).unwrap(), snapshot());
}

#[test]
fn what_is_not_held_is_not_captured() {
    let snapshot = snapshot();
    let absent = question(Ask::Referrers(Digest::of(Algorithm::Sha256, b"{}")));
    assert_eq!(snapshot.answer(&absent).outcome, Outcome::Absent);
    let other = question(Ask::Referrers(Digest::of(Algorithm::Sha256, b"other")));
    let Outcome::Unknown(unknown) = &snapshot.answer(&other).outcome else { panic!("not unknown") };
    assert_eq!(unknown.cause, Cause::NotCaptured);
    assert!(unknown.detail.contains("registry.test/team/app"), "{}", unknown.detail);
    // The same question on somebody else's behalf is another question.
    let anonymous = Question { credential: CredentialIdentity::default(), ..absent.clone() };
    assert!(matches!(&snapshot.answer(&anonymous).outcome, Outcome::Unknown(unknown) if unknown.cause == Cause::NotCaptured));

    let bare = Snapshot::of_inventory(inventory(), captured());
    let Outcome::Unknown(unknown) = &bare.answer(&absent).outcome else { panic!("not unknown") };
    assert!(unknown.cause == Cause::NotCaptured && unknown.detail.contains("inventory only"), "{}", unknown.detail);
    assert_eq!(bare.answer(&absent).observed, captured());
}

#[test]
fn an_inventory_alone_survives() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["bare", "bare.tar.zst"] {
        let target = directory.path().join(name);
        let bare = Snapshot::of_inventory(inventory(), captured());
        write(&bare, &target).unwrap();
        assert_eq!(read(&target).unwrap(), bare);
    }
}

#[test]
fn a_snapshot_is_replaced_and_nothing_else_is() {
    for name in ["cluster", "cluster.tar.zst"] {
        let written = written(name);
        let bare = Snapshot::of_inventory(inventory(), captured());
        write(&bare, &written.target).unwrap();
        assert_eq!(read(&written.target).unwrap(), bare);
        assert_eq!(fs::read_dir(written.directory.path()).unwrap().count(), 1, "{name}");
    }
    let directory = written("cluster");
    fs::write(directory.target.join("README.md"), "mine").unwrap();
    let refused = write(&snapshot(), &directory.target).unwrap_err();
    assert!(refused.to_string().contains("README.md"), "{refused}");
    assert_eq!(read(&directory.target).unwrap(), snapshot(), "a foreign file does not disturb reading");

    let outside = tempfile::tempdir().unwrap();
    let foreign = outside.path().join("project");
    fs::create_dir(&foreign).unwrap();
    write(&snapshot(), &foreign).expect("an empty directory is replaced");
    let foreign = outside.path().join("archive.tar.zst");
    fs::write(&foreign, "mine").unwrap();
    assert!(matches!(write(&snapshot(), &foreign), Err(SnapshotError::Occupied { .. })));
    assert_eq!(fs::read(&foreign).unwrap(), b"mine");
    let link = outside.path().join("link");
    std::os::unix::fs::symlink(&directory.target, &link).unwrap();
    assert!(matches!(write(&snapshot(), &link), Err(SnapshotError::Occupied { .. })));
}

#[test]
fn a_missing_file_is_named() {
    for missing in ["snapshot.json", "inventory.json", "ledger.jsonl"] {
        let written = written("cluster");
        fs::remove_file(written.target.join(missing)).unwrap();
        let error = read(&written.target).unwrap_err().to_string();
        assert!(error.contains(missing), "{error}");
    }
    let written = written("cluster");
    let blob = form::blob_name(&Digest::of(Algorithm::Sha256, b"{}"));
    fs::remove_file(written.target.join(&blob)).unwrap();
    let error = read(&written.target).unwrap_err().to_string();
    assert!(error.contains(&blob), "{error}");
    assert!(read(&written.directory.path().join("nowhere")).unwrap_err().to_string().contains("nowhere"));
}

/// What reading says after one file of the directory was changed.
fn changed(name: &str, change: impl FnOnce(String) -> String) -> SnapshotError {
    let written = written("cluster");
    let file = written.target.join(name);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, change(text)).unwrap();
    read(&written.target).unwrap_err()
}

#[test]
fn each_damage_has_its_error() {
    let error = changed("snapshot.json", |text| text.replace("\"version\": 1", "\"version\": 7"));
    assert!(matches!(error, SnapshotError::Version { found: 7, known: 1, .. }), "{error}");
    let error = changed("snapshot.json", |_| "[]".into());
    assert!(matches!(&error, SnapshotError::Malformed { name, .. } if name == "snapshot.json"), "{error}");
    let error = changed("snapshot.json", |text| " ".repeat(1 << 20) + &text);
    assert!(matches!(error, SnapshotError::TooLarge { limit: limit::HEADER, .. }), "{error}");
    let error = changed("inventory.json", |text| text.replace("payments", "pay\nments"));
    assert!(matches!(&error, SnapshotError::Malformed { name, .. } if name == "inventory.json"), "{error}");
    let error = changed("ledger.jsonl", |text| format!("{}\n{text}", text.lines().next().unwrap()));
    assert!(error.to_string().contains("ledger.jsonl line 2") && error.to_string().contains("earlier line"), "{error}");
    let error = changed("ledger.jsonl", |text| text.lines().skip(1).map(|line| format!("{line}\n")).collect());
    assert!(matches!(error, SnapshotError::Incomplete { .. }), "{error}");
    let error = changed("ledger.jsonl", |text| text.replace("\"absent\"", "{\"found\":[]}"));
    assert!(error.to_string().contains("found, and empty"), "{error}");
    let error = changed(&form::blob_name(&Digest::of(Algorithm::Sha256, b"{}")), |_| "{ }".into());
    assert!(matches!(error, SnapshotError::Mismatch { .. }), "{error}");
}

#[test]
fn links_and_pipes_in_a_directory_are_refused() {
    let written = written("cluster");
    let blob = written.target.join(form::blob_name(&Digest::of(Algorithm::Sha256, b"{}")));
    fs::rename(&blob, written.directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(written.directory.path().join("elsewhere"), &blob).unwrap();
    assert!(matches!(read(&written.target), Err(SnapshotError::Refused { .. })));
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    assert!(matches!(read(&written.target), Err(SnapshotError::Refused { .. })));
    let blobs = written.target.join("blobs");
    fs::rename(&blobs, written.directory.path().join("blobs")).unwrap();
    std::os::unix::fs::symlink(written.directory.path().join("blobs"), &blobs).unwrap();
    assert!(matches!(read(&written.target), Err(SnapshotError::Refused { .. })));
}

/// An archive of the given entries.
fn archive(entries: &[(tar::EntryType, &str, &[u8])]) -> tempfile::NamedTempFile {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        // Past the builder's own checks of names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if kind.is_symlink() {
            header.set_link_name("/etc/hostname").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), zstd::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap()).unwrap();
    file
}

#[test]
fn names_that_lead_out_of_an_archive_are_refused() {
    let written = written("cluster");
    let header = fs::read(written.target.join("snapshot.json")).unwrap();
    let first = (tar::EntryType::Regular, "./snapshot.json", header.as_slice());
    for name in ["../snapshot.json", "/snapshot.json", "blobs/../../x", "blobs/sha256/../../x"] {
        let file = archive(&[first, (tar::EntryType::Regular, name, b"x")]);
        assert!(matches!(read(file.path()), Err(SnapshotError::Refused { .. })), "{name}");
    }
    let file = archive(&[first, (tar::EntryType::Symlink, "inventory.json", b"")]);
    assert!(matches!(read(file.path()), Err(SnapshotError::Refused { .. })));
    let file = archive(&[first, first]);
    assert!(read(file.path()).unwrap_err().to_string().contains("twice"));
    let file = archive(&[first, (tar::EntryType::Directory, "./blobs/", b""), (tar::EntryType::Regular, "README.md", b"mine")]);
    assert!(read(file.path()).unwrap_err().to_string().contains("inventory.json is missing"));
}

#[test]
fn archives_that_are_cut_off_or_changed_are_told_from_what_is_none() {
    let written = written("cluster.tar.zst");
    let bytes = fs::read(&written.target).unwrap();
    for keep in [0, 3, 5, 60, bytes.len() / 2, bytes.len() - 5, bytes.len() - 1] {
        fs::write(&written.target, &bytes[..keep]).unwrap();
        let error = read(&written.target).unwrap_err();
        assert!(matches!(error, SnapshotError::Damaged { .. } | SnapshotError::NotASnapshot { .. }), "{keep}: {error}");
    }
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&written.target, changed).unwrap();
    assert!(read(&written.target).is_err());
    fs::write(&written.target, b"plain text").unwrap();
    assert!(read(&written.target).unwrap_err().to_string().contains("no archive compressed by zstd"));
    let other = archive(&[(tar::EntryType::Regular, "main.rs", b"fn main() {}")]);
    assert!(read(other.path()).unwrap_err().to_string().contains("snapshot.json is missing"));
}

#[test]
fn a_small_file_does_not_unpack_to_more_than_the_limit() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut encoder = zstd::Encoder::new(file.as_file(), 1).unwrap();
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..13].copy_from_slice(b"snapshot.json");
    header.set_size(1 << 33);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0_u8; 1 << 20];
    for _ in 0..16 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap();
    assert!(matches!(read(file.path()), Err(SnapshotError::TooLarge { limit: limit::HEADER, .. })));

    let mut bounded = limit::Bounded::new(std::io::repeat(0), 1000);
    let error = std::io::copy(&mut bounded, &mut std::io::sink()).unwrap_err();
    assert!(error.to_string().contains("unpacks to more"), "{error}");
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let blobs = [(Digest::of(Algorithm::Sha256, b"one"), Bytes::from_static(b"another"))].into();
    let wrong = Snapshot::of(inventory(), Ledger::new(), blobs, captured());
    assert!(matches!(write(&wrong, &directory.path().join("cluster")), Err(SnapshotError::Mismatch { .. })));
    let large = Bytes::from(vec![0; limit::BLOB as usize + 1]);
    let blobs = [(Digest::of(Algorithm::Sha256, &large), large)].into();
    let large = Snapshot::of(inventory(), Ledger::new(), blobs, captured());
    assert!(matches!(write(&large, &directory.path().join("cluster.tar.zst")), Err(SnapshotError::TooLarge { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Methods of the concrete type win over those of the trait: `true` only for types that can be serialised.
struct Probe<T>(std::marker::PhantomData<T>);

trait Otherwise {
    fn can_be_serialised(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Probe<T> {}

impl<T: Serialize> Probe<T> {
    fn can_be_serialised(&self) -> bool {
        true
    }
}

#[test]
fn secrets_cannot_be_serialised() {
    assert!(Probe::<NotVisible>(std::marker::PhantomData).can_be_serialised());
    assert!(!Probe::<crate::model::Secret>(std::marker::PhantomData).can_be_serialised());
    assert!(!Probe::<crate::model::PullSecret>(std::marker::PhantomData).can_be_serialised());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn no_archive_panics(place in 0_usize..4000, byte in proptest::num::u8::ANY, tail in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        let written = written("cluster.tar.zst");
        let mut bytes = fs::read(&written.target).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= byte;
        bytes.extend(tail);
        fs::write(&written.target, bytes).unwrap();
        let _ = read(&written.target);
    }

    #[test]
    fn no_tar_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2048)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), zstd::encode_all(bytes.as_slice(), 1).unwrap()).unwrap();
        proptest::prop_assert!(read(file.path()).is_err());
    }

    #[test]
    fn no_text_panics(file in 0_usize..3, bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..300)) {
        let written = written("cluster");
        fs::write(written.target.join([form::HEADER, form::INVENTORY, form::LEDGER][file]), bytes).unwrap();
        proptest::prop_assert!(read(&written.target).is_err());
    }
}
