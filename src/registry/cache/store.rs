//! Entries by name in 256 directories, each bounded, so that no process ever has to look at them all.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::registry::disk::{self, Read};

/// How entries are named while they are written.
const UNFINISHED: &str = ".unfinished-";
/// How old an unfinished entry is when its writer is surely gone.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Entries of one kind.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    /// Bytes that one directory may hold.
    shard_limit: u64,
    /// Bytes in the directories that this process wrote to, as far as it knows.
    sizes: Mutex<HashMap<String, u64>>,
}

impl Store {
    pub(super) fn new(root: PathBuf, shard_limit: u64) -> Self {
        Self { root, shard_limit, sizes: Mutex::default() }
    }

    /// The shard of a name that is hexadecimal, and so at least two characters long.
    fn shard(name: &str) -> &str {
        name.get(..2).unwrap_or(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(Self::shard(name)).join(name)
    }

    /// The bytes of an entry; one that is no regular file, too large, or not acceptable is dropped.
    pub(super) fn get(&self, name: &str, acceptable: impl Fn(&Metadata) -> bool) -> Option<Vec<u8>> {
        let path = self.path(name);
        let metadata = fs::symlink_metadata(&path).ok()?;
        match disk::read_file(&path, self.shard_limit) {
            Read::Bytes(bytes) if acceptable(&metadata) => Some(bytes),
            Read::Missing => None,
            Read::Bytes(_) | Read::TooLarge | Read::Unreadable(_) => {
                self.drop_entry(name);
                None
            }
        }
    }

    /// Removes an entry, whatever it is.
    pub(super) fn drop_entry(&self, name: &str) {
        let path = self.path(name);
        tracing::debug!("cache: {} is corrupted or not ours, and is dropped", path.display());
        if let Err(error) = remove(&path) {
            tracing::debug!("cache: {} cannot be dropped: {error}", path.display());
        }
    }

    /// Writes an entry aside and puts it in its place.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        if bytes.len() as u64 > self.shard_limit {
            return;
        }
        if let Err(error) = self.write(name, bytes) {
            tracing::debug!("cache: {name} is not kept: {error}");
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let shard = self.root.join(Self::shard(name));
        if !is_directory(&shard) {
            for directory in [self.root.parent(), Some(&self.root), Some(&shard)].into_iter().flatten() {
                own_directory(directory)?;
            }
        }
        // Others neither read nor write it: temporary files are made with mode 0600.
        let mut aside = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&shard)?;
        aside.write_all(bytes)?;
        let path = shard.join(name);
        if let Err(refused) = aside.persist(&path) {
            // A planted directory in its place.
            remove(&path)?;
            refused.file.persist(&path).map_err(|error| error.error)?;
        }
        self.bound(Self::shard(name), &shard, name, bytes.len() as u64);
        Ok(())
    }

    /// Keeps a directory within its limit: the oldest entries go first, never the one just written.
    fn bound(&self, shard: &str, directory: &Path, newest: &str, written: u64) {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sizes.get(shard).map(|size| size + written);
        let size = match known {
            Some(size) if size <= self.shard_limit => size,
            _ => sweep(directory, newest, self.shard_limit),
        };
        sizes.insert(shard.to_owned(), size);
    }
}

/// Removes what is abandoned, and the oldest entries until the rest is within the limit; how much is left.
fn sweep(directory: &Path, newest: &str, limit: u64) -> u64 {
    let now = SystemTime::now();
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let unfinished = entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes());
        let abandoned = unfinished && now.duration_since(modified).is_ok_and(|age| age > ABANDONED);
        if abandoned {
            let _ = remove(&entry.path());
        } else if !unfinished {
            entries.push((modified, entry.file_name(), metadata.len()));
        }
    }
    entries.sort();
    let mut size: u64 = entries.iter().map(|(_, _, size)| size).sum();
    for (_, name, entry_size) in entries {
        if size <= limit {
            break;
        }
        if name != newest && remove(&directory.join(&name)).is_ok() {
            size = size.saturating_sub(entry_size);
        }
    }
    size
}

fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Makes a directory that only the user enters; one that is there, or a link to one, is used as it is.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Makes a directory of the cache's own; a link or file in its place was planted, and goes. A directory never goes: a second process
/// may have made it a moment ago.
pub(super) fn own_directory(path: &Path) -> io::Result<()> {
    if is_directory(path) {
        return Ok(());
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_directory(path) => {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound && !is_directory(path) => return Err(error),
                _ => {}
            }
            make_directory(path)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Removes what is at a path, whatever it is; links are not followed.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
