//! Why a snapshot cannot be read or written.

use std::path::{Path, PathBuf};

use crate::model::Digest;

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file cannot be read or written.
    #[error("{} cannot be {action}: {error}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Something else is there.
    #[error("{} is not a snapshot: {detail}", path.display())]
    NotASnapshot {
        /// The path.
        path: PathBuf,
        /// What it is.
        detail: String,
    },
    /// The target is there and no snapshot, or more than one; it is left as it is.
    #[error("{} is there already and is not replaced: {detail}; name another target, or remove it first", path.display())]
    Occupied {
        /// The target.
        path: PathBuf,
        /// What it is.
        detail: String,
    },
    /// Another version of the form.
    #[error("{} is a snapshot of version {found}; this version of seaworthy reads version {known}: take it anew, or use the version that wrote it", path.display())]
    Version {
        /// The snapshot.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that is read.
        known: u32,
    },
    /// A file of the snapshot is not there.
    #[error("snapshot {} is not whole: {missing}", path.display())]
    Incomplete {
        /// The snapshot.
        path: PathBuf,
        /// What is missing.
        missing: String,
    },
    /// The archive cannot be decompressed or unpacked.
    #[error("archive {} cannot be read to its end: {detail}; copy it again, or take it anew", path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file of the snapshot does not say what it should.
    #[error("snapshot {}: {name}: {detail}", path.display())]
    Malformed {
        /// The snapshot.
        path: PathBuf,
        /// The file in it.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A name that leads out of the snapshot, or is no plain file.
    #[error("snapshot {} is refused: {name:?} {detail}", path.display())]
    Refused {
        /// The snapshot.
        path: PathBuf,
        /// The name in it.
        name: String,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// Larger than the limit.
    #[error("{name} of the snapshot is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Bytes that are not those of their digest.
    #[error("snapshot {}: the bytes of {digest} do not match it: they were changed after the capture", path.display())]
    Mismatch {
        /// The snapshot.
        path: PathBuf,
        /// The digest.
        digest: Digest,
    },
}

impl SnapshotError {
    pub(super) fn io(action: &'static str, path: &Path, error: std::io::Error) -> Self {
        Self::Io { action, path: path.into(), error }
    }
}
