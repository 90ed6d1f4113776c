//! Results of pure cryptography, kept so that a second scan need not compute them again.
//!
//! Nothing about such a result proves itself, as the bytes of a blob do. So each carries a code of authentication (HMAC-SHA-256) under a
//! key that only the user can read, over its whole name and its content: what others planted, moved or changed is dropped. Who can read
//! the key can do whatever the user can.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::fill;

use super::DiskCache;
use super::store::Store;
use crate::model::{Algorithm, Digest};

/// Bytes of results in one of the 256 directories, 256 MiB in all; a larger result is not kept.
pub(super) const RESULTS_SHARD: u64 = 1 << 20;
const KEY_LENGTH: usize = 32;
const CODE_LENGTH: usize = 32;

/// Where results are, and the key that they are authenticated with.
#[derive(Debug)]
pub(super) struct Results {
    store: Store,
    key: hmac::Key,
}

impl Results {
    /// Opens the results below a private directory; none where the key cannot be had.
    pub(super) fn open(directory: &Path, user: u32) -> Option<Self> {
        let key = read_key(directory, user).or_else(|| make_key(directory).ok().and_then(|()| read_key(directory, user)))?;
        Some(Self { store: Store::new(directory.to_owned(), RESULTS_SHARD), key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// What is authenticated: the whole name, its length before it, and the content.
    fn message(name: &[u8], content: &[u8]) -> Vec<u8> {
        [&(name.len() as u64).to_be_bytes(), name, content].concat()
    }
}

fn read_key(directory: &Path, user: u32) -> Option<Vec<u8>> {
    let path = directory.join("key");
    let metadata = fs::symlink_metadata(&path).ok()?;
    // Others must neither write nor read it.
    if !metadata.is_file() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
        return None;
    }
    fs::read(path).ok().filter(|key| key.len() == KEY_LENGTH)
}

/// Makes a key; one that is there and whole stays (a second process may have made it a moment ago).
fn make_key(directory: &Path) -> io::Result<()> {
    let mut key = [0; KEY_LENGTH];
    fill(&mut key).map_err(|_| io::Error::other("no random numbers"))?;
    let mut aside = tempfile::Builder::new().tempfile_in(directory)?;
    aside.write_all(&key)?;
    let path = directory.join("key");
    match aside.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        // What is there cannot be used, or is another process's.
        Err(refused) if read_key(directory, refused.file.as_file().metadata()?.uid()).is_none() => {
            refused.file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

impl DiskCache {
    /// The result that was kept under a name, if it is the one that this user kept.
    ///
    /// The name is everything that the result depends on, written so that no two are written alike.
    #[must_use]
    pub fn get_result(&self, name: &[u8]) -> Option<Vec<u8>> {
        let results = self.results.as_ref()?;
        let entry = Digest::of(Algorithm::Sha256, name).hex();
        let bytes = results.store.get(&entry, |metadata| metadata.uid() == self.user && metadata.mode() & 0o022 == 0)?;
        let authentic = bytes
            .split_at_checked(CODE_LENGTH)
            .filter(|(code, content)| hmac::verify(&results.key, &Results::message(name, content), code).is_ok());
        let Some((_, content)) = authentic else {
            results.store.drop_entry(&entry);
            return None;
        };
        Some(content.to_vec())
    }

    /// Keeps a result under its name; what cannot be kept is not.
    pub fn put_result(&self, name: &[u8], content: &[u8]) {
        let Some(results) = &self.results else { return };
        let code = hmac::sign(&results.key, &Results::message(name, content));
        results.store.put(&Digest::of(Algorithm::Sha256, name).hex(), &[code.as_ref(), content].concat());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn cache(directory: &Path) -> DiskCache {
        DiskCache::open(Some(directory.to_owned())).unwrap()
    }

    fn entries(directory: &Path) -> Vec<std::path::PathBuf> {
        let shards = fs::read_dir(directory.join("results")).unwrap().flatten().filter(|entry| entry.path().is_dir());
        shards.flat_map(|shard| fs::read_dir(shard.path()).unwrap().flatten()).map(|entry| entry.path()).collect()
    }

    #[test]
    fn a_result_is_given_back_to_who_kept_it() {
        let directory = tempfile::tempdir().unwrap();
        cache(directory.path()).put_result(b"name", b"content");
        assert_eq!(cache(directory.path()).get_result(b"name").as_deref(), Some(&b"content"[..]));
        assert_eq!(cache(directory.path()).get_result(b"other"), None);
    }

    #[test]
    fn what_was_planted_moved_or_changed_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let kept = cache(directory.path());
        kept.put_result(b"name", b"content");
        let [path] = <[_; 1]>::try_from(entries(directory.path())).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for planted in
            [changed, whole[..CODE_LENGTH].to_vec(), whole[..10].to_vec(), Vec::new(), [&[0; CODE_LENGTH][..], b"content"].concat()]
        {
            fs::write(&path, planted).unwrap();
            assert_eq!(kept.get_result(b"name"), None);
            assert!(!path.exists(), "it is gone");
        }
        // A true entry under another's name.
        let moved = Digest::of(Algorithm::Sha256, b"moved").hex();
        let place = directory.path().join("results").join(&moved[..2]);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join(&moved), &whole).unwrap();
        assert_eq!(kept.get_result(b"moved"), None);
    }

    #[test]
    fn with_a_key_of_others_nothing_is_believed() {
        let directory = tempfile::tempdir().unwrap();
        cache(directory.path()).put_result(b"name", b"content");
        let key = directory.path().join("results/key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        // One that others could read is replaced, and what was kept under it is worth nothing.
        assert_eq!(cache(directory.path()).get_result(b"name"), None);
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o077, 0);
    }
}
