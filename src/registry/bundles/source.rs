//! Finding the files, and cutting them into documents.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Bundles, BundlesError};
use crate::model::Digest;
use crate::registry::disk::{self, BLOB_LIMIT, Read};

/// Largest file, in bytes.
const FILE_LIMIT: u64 = 256 << 20;
/// All files together, in bytes: they are kept in memory.
const TOTAL_LIMIT: u64 = 512 << 20;
/// Most files.
const MOST_FILES: usize = 100_000;
/// How deep directories are followed.
const DEEPEST: usize = 8;

/// Reads a file, or a directory.
pub(super) fn read(path: &Path, bundles: &mut Bundles) -> Result<(), BundlesError> {
    let unreadable = |error| BundlesError::Unreadable { path: path.into(), error };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let files = if metadata.is_dir() {
        let mut files = Vec::new();
        find(path, path, 0, &mut files)?;
        files.sort();
        files
    } else if metadata.is_file() {
        vec![path.to_owned()]
    } else {
        return Err(BundlesError::NoFile { path: path.into() });
    };
    let mut total = 0;
    for file in files {
        let name = file.strip_prefix(path).ok().filter(|name| !name.as_os_str().is_empty()).unwrap_or(&file).display().to_string();
        total += read_one(&file, &name, bundles);
        if total > TOTAL_LIMIT {
            return Err(BundlesError::TooLarge { path: path.into(), limit: format!("{TOTAL_LIMIT} bytes") });
        }
    }
    Ok(())
}

/// Collects the files below a directory. Links to files are followed, as mounted ConfigMaps need it; links to directories are not.
fn find(root: &Path, directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), BundlesError> {
    let unreadable = |error| BundlesError::Unreadable { path: directory.into(), error };
    let too_large = |limit| BundlesError::TooLarge { path: root.into(), limit };
    if depth > DEEPEST {
        return Err(too_large(format!("{DEEPEST} directories deep")));
    }
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        if entry.file_type().map_err(unreadable)?.is_dir() {
            find(root, &path, depth + 1, files)?;
        } else if [".json", ".jsonl", ".sigstore"].iter().any(|extension| name.ends_with(extension)) && !path.is_dir() {
            if files.len() == MOST_FILES {
                return Err(too_large(format!("{MOST_FILES} files")));
            }
            files.push(path);
        }
    }
    Ok(())
}

/// Reads one file; how many bytes it had.
fn read_one(path: &Path, name: &str, bundles: &mut Bundles) -> u64 {
    let about = named_digest(path);
    let about = about.as_ref();
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let read = match disk::read_file(&resolved, FILE_LIMIT) {
        Read::Bytes(bytes) => Ok(bytes),
        Read::Missing => Err("it is a link that leads nowhere, or was removed".to_owned()),
        Read::TooLarge => Err(format!("it is larger than {FILE_LIMIT} bytes")),
        Read::Unreadable(error) => Err(format!("it cannot be read: {error}")),
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(detail) => {
            bundles.lose(name, None, about, None, detail);
            return 0;
        }
    };
    if name.ends_with(".jsonl") || is_lines(&bytes) {
        for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1_u64..) {
            take(name, Some(number), about, line.trim_ascii(), bundles);
        }
    } else {
        take(name, None, about, bytes.trim_ascii(), bundles);
    }
    bytes.len() as u64
}

fn take(name: &str, line: Option<u64>, about: Option<&Digest>, document: &[u8], bundles: &mut Bundles) {
    if document.len() as u64 > BLOB_LIMIT {
        bundles.lose(name, line, about, None, format!("it is larger than {BLOB_LIMIT} bytes"));
    } else if !document.is_empty() {
        bundles.take(name, line, about, document);
    } else if line.is_none() {
        bundles.lose(name, None, about, None, "it is empty".to_owned());
    }
}

/// Whether a file that is not called so holds one document a line: its first line is one already, and more follows.
fn is_lines(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return false };
    serde_json::from_slice::<serde::de::IgnoredAny>(&text[..end]).is_ok()
}

/// The digest that a file is named by: `sha256:<hex>.jsonl`, or with a dash where colons are not allowed.
fn named_digest(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    let stem = name.split('.').next()?;
    stem.parse().ok().or_else(|| stem.replacen('-', ":", 1).parse().ok())
}
