//! Reading files that others wrote.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// Largest manifest or index that is read, in bytes (what registries accept, by the OCI distribution specification's advice).
pub(super) const MANIFEST_LIMIT: u64 = 4 << 20;
/// Largest blob of evidence that is read, in bytes: as much as of a registry, so that both give the same answer.
pub(super) const BLOB_LIMIT: u64 = 32 << 20;

/// What reading a file gave.
#[derive(Debug)]
pub(super) enum Read {
    /// All of it.
    Bytes(Vec<u8>),
    /// It is not there.
    Missing,
    /// It is larger than the limit; not read.
    TooLarge,
    /// It is there and cannot be read.
    Unreadable(io::Error),
}

/// Reads a regular file of at most `limit` bytes. Links and pipes are not followed: they lead anywhere, or never end.
pub(super) fn read_file(path: &Path, limit: u64) -> Read {
    let not_regular = || Read::Unreadable(io::Error::other("it is not a regular file"));
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return not_regular(),
        Ok(metadata) if metadata.len() > limit => return Read::TooLarge,
        Ok(_) => {}
        // A part of the path that is a file leads to nothing, too.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Read::Missing,
        Err(error) => return Read::Unreadable(error),
    }
    let read = fs::File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    match read {
        Ok(bytes) if bytes.len() as u64 > limit => Read::TooLarge,
        Ok(bytes) => Read::Bytes(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Read::Missing,
        Err(error) => Read::Unreadable(error),
    }
}
