//! A snapshot as a directory.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Snapshot, SnapshotError, form, limit};

pub(super) fn write(snapshot: &Snapshot, target: &Path) -> Result<(), SnapshotError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| SnapshotError::io("written", &path, error)
    };
    let replaces = may_replace(target)?;
    let parent = parent_of(target);
    let aside = public_directory(parent).map_err(failed(parent))?;
    for (name, text) in form::texts(snapshot)? {
        let file = aside.path().join(name);
        fs::write(&file, text).map_err(failed(&file))?;
    }
    for algorithm in form::ALGORITHMS {
        if snapshot.blobs.keys().any(|digest| digest.algorithm().name() == algorithm) {
            let directory = aside.path().join(form::BLOBS).join(algorithm);
            fs::create_dir_all(&directory).map_err(failed(&directory))?;
        }
    }
    for (digest, bytes) in &snapshot.blobs {
        let file = aside.path().join(form::blob_name(digest));
        fs::write(&file, bytes).map_err(failed(&file))?;
    }
    put(aside, target, replaces).map_err(failed(target))
}

/// Puts the finished directory in its place; what was there comes back when that fails.
fn put(finished: tempfile::TempDir, target: &Path, replaces: bool) -> std::io::Result<()> {
    if !replaces {
        fs::rename(finished.path(), target)?;
        let _ = finished.keep();
        return Ok(());
    }
    let old = tempfile::Builder::new().prefix(".seaworthy-").tempdir_in(parent_of(target))?;
    let old_content = old.path().join("replaced");
    fs::rename(target, &old_content)?;
    if let Err(error) = fs::rename(finished.path(), target) {
        if fs::rename(&old_content, target).is_err() {
            let _ = old.keep();
        }
        return Err(error);
    }
    let _ = finished.keep();
    Ok(())
}

/// A directory aside, as readable as the user's other files are: a snapshot is made to be handed on.
fn public_directory(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new().prefix(".seaworthy-").permissions(fs::Permissions::from_mode(0o777)).tempdir_in(parent)
}

/// The directory in which a target lies.
pub(super) fn parent_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether there is something to replace.
///
/// # Errors
/// When that is anything but a snapshot or an empty directory: nobody's files are lost to a mistyped name.
pub(super) fn may_replace(target: &Path) -> Result<bool, SnapshotError> {
    let occupied = |detail: String| SnapshotError::Occupied { path: target.into(), detail };
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(SnapshotError::io("written", target, error)),
    };
    if !metadata.is_dir() {
        return Err(occupied("it is not a directory".into()));
    }
    let names = names_in(target)?;
    let foreign = |name: &&String| ![form::HEADER, form::INVENTORY, form::LEDGER, form::BLOBS].contains(&name.as_str());
    match names.iter().find(foreign) {
        Some(name) => Err(occupied(format!("it holds {name:?}, which is no part of a snapshot"))),
        None if names.is_empty() => Ok(true),
        None => read_file(target, form::HEADER)
            .and_then(|header| match header {
                Some(header) => form::read_header(target, &header).map(|_| ()),
                None => Err(SnapshotError::Incomplete { path: target.into(), missing: format!("{} is missing", form::HEADER) }),
            })
            .map(|()| true)
            .or_else(|error| match error {
                SnapshotError::Version { .. } => Ok(true),
                error => Err(occupied(error.to_string())),
            }),
    }
}

/// Names in a directory, in order; those that are no Unicode are shown as near as can be.
fn names_in(directory: &Path) -> Result<Vec<String>, SnapshotError> {
    let failed = |error| SnapshotError::io("read", directory, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        if names.len() as u64 == limit::ENTRIES {
            return Err(SnapshotError::TooLarge { name: "the number of files".into(), limit: limit::ENTRIES });
        }
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Reads a file of the snapshot; `None` where it is not there.
fn read_file(root: &Path, name: &str) -> Result<Option<Vec<u8>>, SnapshotError> {
    let file = root.join(name);
    let limit = form::limit_of(name).unwrap_or(0);
    match fs::symlink_metadata(&file) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(SnapshotError::Refused { path: root.into(), name: name.into(), detail: "is not a regular file" }),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SnapshotError::io("read", &file, error)),
    }
    let bytes =
        fs::File::open(&file).and_then(|source| limit::read(source, limit)).map_err(|error| SnapshotError::io("read", &file, error))?;
    bytes.ok_or_else(|| SnapshotError::TooLarge { name: name.into(), limit }).map(Some)
}

pub(super) fn read(root: &Path) -> Result<Snapshot, SnapshotError> {
    let mut files = form::Files::default();
    for name in [form::HEADER, form::INVENTORY, form::LEDGER] {
        if let Some(bytes) = read_file(root, name)? {
            files.take(root, name, bytes)?;
        }
        if !files.has_header() {
            return Err(SnapshotError::NotASnapshot { path: root.into(), detail: format!("{} is missing", form::HEADER) });
        }
    }
    files.header(root)?;
    let mut total = 0_u64;
    for algorithm in form::ALGORITHMS {
        let relative = format!("{}/{algorithm}", form::BLOBS);
        let directory = root.join(&relative);
        if !is_directory(root, &directory)? {
            continue;
        }
        for name in names_in(&directory)? {
            let name = format!("{relative}/{name}");
            if form::blob_digest(&name).is_none() {
                continue;
            }
            let Some(bytes) = read_file(root, &name)? else { continue };
            total += bytes.len() as u64;
            if total > limit::TOTAL {
                return Err(SnapshotError::TooLarge { name: "the content".into(), limit: limit::TOTAL });
            }
            files.take(root, &name, bytes)?;
        }
    }
    files.into_snapshot(root)
}

/// Whether a directory of the snapshot is there; a link in its place, or in that of its parent, is refused.
fn is_directory(root: &Path, directory: &Path) -> Result<bool, SnapshotError> {
    let mut at: PathBuf = root.into();
    for part in directory.strip_prefix(root).unwrap_or(directory) {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let name = at.strip_prefix(root).unwrap_or(&at).display().to_string();
                return Err(SnapshotError::Refused { path: root.into(), name, detail: "is not a directory" });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(SnapshotError::io("read", &at, error)),
        }
    }
    Ok(true)
}
