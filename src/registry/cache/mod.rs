//! The cache on disk: blobs, which prove themselves by their digest, answers, which have an age, and results of cryptography, which are
//! authenticated.
//!
//! A cache never decides: an entry that is corrupted, planted or too old is dropped and asked for again, and a cache that cannot be
//! written is one that is empty. It is private to the user, safe against a second process, and a kill at any moment leaves whole
//! entries only.

mod results;
mod store;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::results::Results;
use self::store::Store;
use crate::model::{Algorithm, Answer, Ask, Digest, Outcome, Place, Question};

/// Bytes of blobs in one of the 256 directories, 2 GiB in all; a larger blob is not kept.
const BLOBS_SHARD: u64 = 8 << 20;
/// Bytes of answers in one of the 256 directories, 256 MiB in all; a larger answer is not kept.
const ANSWERS_SHARD: u64 = 1 << 20;

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Nothing says where it should be.
    #[error("there is no place for the cache: set XDG_CACHE_HOME (an absolute path) or HOME, or use --no-cache")]
    NoPlace,
    /// The directory cannot be made or written.
    #[error("cache {} cannot be used: {error}; use --no-cache, or set XDG_CACHE_HOME", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// The cache on disk.
#[derive(Debug)]
pub struct DiskCache {
    sha256: Store,
    sha512: Store,
    /// None where others could write answers: nothing about an answer proves who wrote it.
    answers: Option<Store>,
    /// None where others could write them, or where there is no key.
    results: Option<Results>,
    user: u32,
    scope: String,
}

/// An answer as it is kept. Question and scope are compared when it is read, so that not even a collision of names gives another's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    scope: String,
    question: Question,
    answer: Answer,
}

impl DiskCache {
    /// Opens the cache below the given directory, or below `$XDG_CACHE_HOME/seaworthy`, or `~/.cache/seaworthy`; makes it where it is
    /// not there.
    ///
    /// # Errors
    /// When there is no such place, or it cannot be written. A scan goes on without a cache.
    pub fn open(directory: Option<PathBuf>) -> Result<Self, CacheError> {
        let root = directory.or_else(default_directory).ok_or(CacheError::NoPlace)?;
        let unusable = |error| CacheError::Unusable { path: root.clone(), error };
        if let Some(parent) = root.parent() {
            std::fs::create_dir_all(parent).map_err(unusable)?;
        }
        store::make_directory(&root).map_err(unusable)?;
        // Whom new files belong to is who we are; and whether the place can be written shows at once.
        let probe = tempfile::tempfile_in(&root).and_then(|file| file.metadata()).map_err(unusable)?;
        let user = probe.uid();
        let (answers, blobs, results) = (root.join("answers"), root.join("blobs"), root.join("results"));
        let (sha256, sha512) = (blobs.join("sha256"), blobs.join("sha512"));
        for directory in [&answers, &blobs, &results, &sha256, &sha512] {
            store::own_directory(directory).map_err(unusable)?;
        }
        let private = is_private(&root, user) && is_private(&answers, user);
        if !private {
            tracing::warn!("cache {}: others can write it; answers are neither kept nor used", root.display());
        }
        Ok(Self {
            sha256: Store::new(sha256, BLOBS_SHARD),
            sha512: Store::new(sha512, BLOBS_SHARD),
            answers: private.then(|| Store::new(answers, ANSWERS_SHARD)),
            results: (private && is_private(&results, user)).then(|| Results::open(&results, user)).flatten(),
            user,
            scope: String::new(),
        })
    }

    /// The same, with answers kept apart by a scope, such as a cluster's UID: pull secrets of one name in two clusters are two secrets.
    #[must_use]
    pub fn scoped(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    fn blobs(&self, digest: &Digest) -> &Store {
        match digest.algorithm() {
            Algorithm::Sha256 => &self.sha256,
            Algorithm::Sha512 => &self.sha512,
        }
    }

    /// The bytes of a digest, compared with it. An entry that does not match is dropped.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<Bytes> {
        let store = self.blobs(digest);
        let name = digest.hex();
        let bytes = store.get(&name, |_| true)?;
        if !digest.matches(&bytes) {
            store.drop_entry(&name);
            return None;
        }
        Some(bytes.into())
    }

    /// Keeps the bytes of a digest; what cannot be kept is not.
    pub fn put(&self, digest: &Digest, bytes: &[u8]) {
        self.blobs(digest).put(&digest.hex(), bytes);
    }

    /// An answer that is no older than `max_age` at `now`, and not from the future; its own `observed` says when it was true.
    #[must_use]
    pub fn get_answer(&self, question: &Question, max_age: SignedDuration, now: Timestamp) -> Option<Answer> {
        let store = self.answers.as_ref().filter(|_| max_age > SignedDuration::ZERO && may_be_kept(question))?;
        let name = self.name(question)?;
        let bytes = store.get(&name, |metadata| metadata.uid() == self.user && metadata.mode() & 0o022 == 0)?;
        let kept = serde_json::from_slice::<Kept>(&bytes).ok();
        let Some(kept) = kept.filter(|kept| kept.scope == self.scope && kept.question == *question && is_known(&kept.answer)) else {
            store.drop_entry(&name);
            return None;
        };
        let age = now.duration_since(kept.answer.observed);
        (age >= SignedDuration::ZERO && age <= max_age).then_some(kept.answer)
    }

    /// Keeps where a tag leads, or what refers to a digest, as a registry said it. What is unknown is not kept, nor what lies on disk
    /// anyway; content and blobs are kept by [`Self::put`]. Whether a manifest is there, and whether a repository may be read, is never
    /// kept: it says what today's credentials see, and every absence rests on it. An absence may be kept only where the credentials that
    /// found nothing saw the repository's manifests.
    pub fn put_answer(&self, question: &Question, answer: &Answer) {
        let Some(store) = self.answers.as_ref().filter(|_| may_be_kept(question) && is_known(answer)) else { return };
        let kept = Kept { scope: self.scope.clone(), question: question.clone(), answer: answer.clone() };
        if let (Some(name), Ok(bytes)) = (self.name(question), serde_json::to_vec(&kept)) {
            store.put(&name, &bytes);
        }
    }

    fn name(&self, question: &Question) -> Option<String> {
        let key = serde_json::to_vec(&(&self.scope, question)).ok()?;
        Some(Digest::of(Algorithm::Sha256, &key).hex())
    }
}

fn may_be_kept(question: &Question) -> bool {
    match question.place {
        Place::Repository(_) => matches!(question.ask, Ask::Tag(_) | Ask::Referrers(_)),
        Place::Github(_) => matches!(question.ask, Ask::Referrers(_)),
        Place::Layout(_) | Place::Bundles(_) => false,
    }
}

fn is_known(answer: &Answer) -> bool {
    !matches!(answer.outcome, Outcome::Unknown(_))
}

/// XDG base directory specification: a relative `XDG_CACHE_HOME` is invalid and ignored.
fn default_directory() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("seaworthy"))
}

fn is_private(directory: &Path, user: u32) -> bool {
    std::fs::metadata(directory).is_ok_and(|metadata| metadata.uid() == user && metadata.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests;
