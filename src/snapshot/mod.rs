//! A snapshot: what a cluster ran, every question about its images with its answer, and the bytes that were found.
//!
//! On disk it is a directory, or the same files in an archive (`.tar.zst`):
//!
//! | file | holds |
//! |---|---|
//! | `snapshot.json` | [`SnapshotHeader`] |
//! | `inventory.json` | the [`Inventory`] |
//! | `ledger.jsonl` | one `{"question":…,"answer":…}` a line, sorted |
//! | `blobs/<algorithm>/<hex>` | bytes by their digest |
//!
//! Equal content gives equal bytes. What is read is hostile: sizes are bounded, names are never followed, every blob proves itself by
//! its digest. Secrets cannot enter: their types cannot be serialised.

mod archive;
mod directory;
mod error;
mod form;
mod limit;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::SnapshotError;

use crate::model::{Answer, Cause, CredentialKind, Digest, ImageReference, Inventory, Ledger, Outcome, Question};

/// What a snapshot is, and where the scan that wrote it looked besides registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotHeader {
    /// Version of the form on disk; see [`SnapshotHeader::VERSION`].
    pub version: u32,
    /// When it was taken; everything in it is judged as of this moment.
    pub captured: Timestamp,
    /// The tool that wrote it, with its version.
    pub tool: String,
    /// Whether no registry was asked: then every question is not captured.
    #[serde(default)]
    pub inventory_only: bool,
    /// The layouts that were looked in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<DeclaredLayout>,
    /// The files and directories of bundles that were looked in, as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<String>,
    /// How many answers the ledger holds, so that a lost line is noticed.
    pub answers: u64,
    /// How many blobs there are, so that a lost file is noticed.
    pub blobs: u64,
}

impl SnapshotHeader {
    /// The version that is written, and the only one that is read.
    pub const VERSION: u32 = 1;
}

/// A layout that was looked in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeclaredLayout {
    /// Its name in the questions: the path as it was given.
    pub name: String,
    /// The only reference that it is a place for, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ImageReference>,
}

/// A snapshot in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    header: SnapshotHeader,
    inventory: Inventory,
    ledger: Ledger,
    blobs: BTreeMap<Digest, Bytes>,
}

impl Snapshot {
    /// A snapshot of a whole scan.
    #[must_use]
    pub fn of(inventory: Inventory, ledger: Ledger, blobs: BTreeMap<Digest, Bytes>, captured: Timestamp) -> Self {
        let header = SnapshotHeader {
            version: SnapshotHeader::VERSION,
            captured,
            tool: concat!("seaworthy ", env!("CARGO_PKG_VERSION")).to_owned(),
            inventory_only: false,
            layouts: Vec::new(),
            bundles: Vec::new(),
            answers: ledger.len() as u64,
            blobs: blobs.len() as u64,
        };
        Self { header, inventory, ledger, blobs }
    }

    /// A snapshot for which no registry was asked.
    #[must_use]
    pub fn of_inventory(inventory: Inventory, captured: Timestamp) -> Self {
        let mut snapshot = Self::of(inventory, Ledger::new(), BTreeMap::new(), captured);
        snapshot.header.inventory_only = true;
        snapshot
    }

    /// The same, with the places on disk that were looked in, in order.
    #[must_use]
    pub fn with_places(mut self, layouts: Vec<DeclaredLayout>, bundles: Vec<String>) -> Self {
        self.header.layouts = layouts;
        self.header.bundles = bundles;
        self
    }

    /// What it is.
    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// When it was taken.
    #[must_use]
    pub fn captured(&self) -> Timestamp {
        self.header.captured
    }

    /// What ran.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What was asked and answered.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The bytes that were found.
    #[must_use]
    pub fn blobs(&self) -> &BTreeMap<Digest, Bytes> {
        &self.blobs
    }

    /// The answer to any question: a question that the snapshot does not hold is unknown, never absent.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Arc<Answer> {
        if let Some(answer) = self.ledger.answer(question) {
            return Arc::clone(answer);
        }
        let detail = if self.header.inventory_only {
            format!("the snapshot holds the inventory only; {} was not asked", question.place)
        } else {
            format!("the snapshot does not hold this question to {}; take it anew", question.place)
        };
        Arc::new(Answer {
            outcome: Outcome::unknown(Cause::NotCaptured, detail),
            observed: self.header.captured,
            credential: CredentialKind::Local,
        })
    }

    /// The bytes of a digest that was found.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.blobs.get(digest).cloned()
    }
}

/// Writes a snapshot: an archive where the name ends in `.tar.zst`, else a directory. The target appears whole or not at all; a snapshot
/// that is there already is replaced.
///
/// # Errors
/// When the target is something else than a snapshot, cannot be written, or the content is larger than [`read`] would accept.
pub fn write(snapshot: &Snapshot, target: &Path) -> Result<(), SnapshotError> {
    form::check(snapshot)?;
    if is_archive(target) { archive::write(snapshot, target) } else { directory::write(snapshot, target) }
}

/// Checks that a snapshot could be written there, so that nobody finds out after a long scan.
///
/// # Errors
/// When the target is something else than a snapshot, or the directory that it is in is not there or not writable.
pub fn check_target(target: &Path) -> Result<(), SnapshotError> {
    if is_archive(target) {
        archive::may_replace(target)?;
    } else {
        directory::may_replace(target)?;
    }
    let parent = directory::parent_of(target);
    // The error itself names a temporary file that the user never asked for.
    let probed = tempfile::NamedTempFile::new_in(parent).map(drop);
    probed.map_err(|error| SnapshotError::io("written", target, error.kind().into()))
}

fn is_archive(target: &Path) -> bool {
    target.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(b".tar.zst"))
}

/// Reads a snapshot from a directory or an archive, whatever its name.
///
/// # Errors
/// When it is not there, not a snapshot of this version, larger than the limits, not whole, or bytes do not match their digest.
pub fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    let metadata = std::fs::metadata(path).map_err(|error| SnapshotError::io("opened", path, error))?;
    if metadata.is_dir() {
        directory::read(path)
    } else if metadata.is_file() {
        archive::read(path)
    } else {
        Err(SnapshotError::NotASnapshot { path: path.into(), detail: "it is neither a directory nor a file".into() })
    }
}

#[cfg(test)]
mod tests;
