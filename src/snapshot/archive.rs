//! A snapshot as an archive: the files of the directory in a tar, compressed by zstd.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Component, Path};

use super::directory::parent_of;
use super::limit::Bounded;
use super::{Snapshot, SnapshotError, form, limit};

/// Compression level; part of what makes equal content equal bytes.
const LEVEL: i32 = 9;
/// Largest window that is decompressed, as a power of two (128 MiB, what zstd itself accepts unasked).
const WINDOW: u32 = 27;

pub(super) fn write(snapshot: &Snapshot, target: &Path) -> Result<(), SnapshotError> {
    may_replace(target)?;
    let texts = form::texts(snapshot)?;
    let failed = |error| SnapshotError::io("written", target, error);
    let aside = public_file(parent_of(target)).map_err(failed)?;
    compress(snapshot, &texts, aside.as_file()).map_err(failed)?;
    aside.as_file().sync_all().map_err(failed)?;
    aside.persist(target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A file aside, as readable as the user's other files are: a snapshot is made to be handed on.
fn public_file(parent: &Path) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new().prefix(".seaworthy-").permissions(fs::Permissions::from_mode(0o666)).tempfile_in(parent)
}

fn compress(snapshot: &Snapshot, texts: &[(&str, Vec<u8>)], target: &File) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(target, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut tar = tar::Builder::new(encoder);
    for (name, text) in texts {
        append(&mut tar, name, text)?;
    }
    for (digest, bytes) in &snapshot.blobs {
        append(&mut tar, &form::blob_name(digest), bytes)?;
    }
    tar.into_inner()?.finish()?.flush()
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, name, bytes)
}

/// Whether the target may be written over.
///
/// # Errors
/// When it is anything but an archive that begins as ours do, or an empty file: nobody's files are lost to a mistyped name.
pub(super) fn may_replace(target: &Path) -> Result<(), SnapshotError> {
    let occupied = |detail: String| SnapshotError::Occupied { path: target.into(), detail };
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => Ok(()),
        Ok(metadata) if metadata.is_file() => match unpack(target, true) {
            Ok(_) | Err(SnapshotError::Version { .. }) => Ok(()),
            Err(error) => Err(occupied(error.to_string())),
        },
        Ok(_) => Err(occupied("it is not a regular file".into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SnapshotError::io("written", target, error)),
    }
}

pub(super) fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    unpack(path, false)?.into_snapshot(path)
}

/// Unpacks into memory; nothing is ever written where an archive says.
fn unpack(path: &Path, header_only: bool) -> Result<form::Files, SnapshotError> {
    let damaged = |error: io::Error| SnapshotError::Damaged { path: path.into(), detail: error.to_string() };
    let mut file = BufReader::new(File::open(path).map_err(|error| SnapshotError::io("opened", path, error))?);
    let no_archive = || SnapshotError::NotASnapshot { path: path.into(), detail: "it is no archive compressed by zstd (.tar.zst)".into() };
    if !starts_as_zstd(&mut file).map_err(|error| SnapshotError::io("read", path, error))? {
        return Err(no_archive());
    }
    let mut decoder = zstd::Decoder::with_buffer(file).map_err(damaged)?;
    decoder.window_log_max(WINDOW).map_err(damaged)?;
    let mut stream = Bounded::new(decoder, limit::TOTAL);
    let mut files = form::Files::default();
    let mut archive = tar::Archive::new(&mut stream);
    for (entry, number) in archive.entries().map_err(damaged)?.zip(1_u64..) {
        if number > limit::ENTRIES {
            return Err(SnapshotError::TooLarge { name: "the number of files".into(), limit: limit::ENTRIES });
        }
        let mut entry = entry.map_err(damaged)?;
        let Some(name) = name_of(path, &entry)? else { continue };
        let Some(limit) = form::limit_of(&name) else { continue };
        let size = entry.size();
        let Some(bytes) = limit::read(&mut entry, limit).map_err(damaged)? else {
            return Err(SnapshotError::TooLarge { name, limit });
        };
        if bytes.len() as u64 != size {
            return Err(SnapshotError::Damaged { path: path.into(), detail: format!("it ends in the middle of {name}") });
        }
        if !files.take(path, &name, bytes)? {
            return Err(SnapshotError::Refused { path: path.into(), name, detail: "is in the archive twice" });
        }
        if name == form::HEADER {
            files.header(path)?;
            if header_only {
                return Ok(files);
            }
        }
    }
    // To the very end, so that the checksum of the compressed stream is compared and a cut tail is noticed.
    io::copy(&mut stream, &mut io::sink()).map_err(damaged)?;
    if !files.has_header() {
        return Err(SnapshotError::NotASnapshot { path: path.into(), detail: format!("{} is missing", form::HEADER) });
    }
    Ok(files)
}

/// RFC 8878, section 3.1.1.
fn starts_as_zstd(file: &mut BufReader<File>) -> io::Result<bool> {
    use io::BufRead as _;
    Ok(file.fill_buf()?.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
}

/// The name of a file in the archive, without `./`; `None` for a directory.
fn name_of(path: &Path, entry: &tar::Entry<'_, impl Read>) -> Result<Option<String>, SnapshotError> {
    let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let refused = |detail| SnapshotError::Refused { path: path.into(), name: raw.clone(), detail };
    let mut parts = Vec::new();
    for component in Path::new(&raw).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            _ => return Err(refused("leads out of the snapshot")),
        }
    }
    let kind = entry.header().entry_type();
    if kind.is_dir() {
        Ok(None)
    } else if kind.is_file() {
        Ok(Some(parts.join("/")))
    } else {
        Err(refused("is not a regular file"))
    }
}
