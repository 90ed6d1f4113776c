//! Reading files that a user names.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::model::escape_control;

/// A path before a person.
pub(super) fn shown(path: &Path) -> String {
    escape_control(&path.display().to_string()).into_owned()
}

pub(super) fn too_large(place: &str, limit: u64) -> String {
    format!("{place} is larger than {limit} bytes, which no trust material is")
}

/// The bytes of a regular file of at most `limit` bytes. Links are followed, it is the user's own file; a pipe or device would never end.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let place = shown(path);
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("{place} does not exist; files are looked for relative to the policy's own"),
        _ => format!("{place} cannot be read: {error}"),
    };
    // Asked before it is opened: opening a pipe waits for its other end.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(format!("{place} is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(too_large(&place, limit));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(&place, limit));
    }
    Ok(bytes)
}
