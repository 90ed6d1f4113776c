//! What a TUF repository said, kept on disk: one file a repository, so that its parts and the time of the fetch belong together.
//!
//! Nothing in it is believed: the metadata is verified each time, and its times only count as far as they are not in the future.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::file;

/// Largest such file that is read, in bytes: more than the metadata of a Sigstore instance has in many years.
const LIMIT: u64 = 32 << 20;

/// What is kept of one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Address of the repository, for a person who looks.
    repository: String,
    /// The last attempt that failed.
    pub(super) failed: Option<Failure>,
    /// The last fetch that was verified.
    pub(super) fetched: Option<Timestamp>,
    /// Metadata and targets of that fetch, by name.
    pub(super) files: BTreeMap<String, String>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// When.
    pub(super) at: Timestamp,
    /// What happened, for a person.
    pub(super) text: String,
}

/// The place of one repository in the cache.
#[derive(Debug)]
pub(super) struct Shelf {
    path: PathBuf,
    repository: String,
}

impl Shelf {
    pub(super) fn new(directory: &Path, name: &str, repository: &str) -> Self {
        Self { path: directory.join(name), repository: repository.to_owned() }
    }

    /// What is kept; nothing where that cannot be read, or where others could have written it.
    pub(super) fn read(&self) -> Kept {
        let nothing = Kept { repository: self.repository.clone(), ..Kept::default() };
        if !self.path.exists() {
            return nothing;
        }
        let private = [self.path.parent(), Some(&self.path)].into_iter().flatten().all(is_private);
        if !private {
            tracing::warn!("{} is not used: others may write it", file::shown(&self.path));
            return nothing;
        }
        let kept = file::read(&self.path, LIMIT).and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
        kept.unwrap_or_else(|error| {
            tracing::debug!("{} is not used: {error}", file::shown(&self.path));
            nothing
        })
    }

    /// Writes aside and puts in place, so that a reader sees the old or the new. Where that fails, the next load asks again.
    pub(super) fn write(&self, kept: &Kept) {
        if let Err(error) = self.replace(kept) {
            tracing::debug!("{} is not kept: {error}", file::shown(&self.path));
        }
    }

    fn replace(&self, kept: &Kept) -> std::io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut aside = tempfile::Builder::new().prefix(".unfinished-").tempfile_in(directory)?;
        aside.write_all(&serde_json::to_vec(kept)?)?;
        aside.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

fn is_private(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o022 == 0)
}
