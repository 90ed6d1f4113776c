//! The files of a snapshot, as bytes.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Snapshot, SnapshotError, SnapshotHeader, limit};
use crate::model::{Answer, Ask, Digest, Ledger, Outcome, Question};

pub(super) const HEADER: &str = "snapshot.json";
pub(super) const INVENTORY: &str = "inventory.json";
pub(super) const LEDGER: &str = "ledger.jsonl";
pub(super) const BLOBS: &str = "blobs";
/// Directories of blobs, by algorithm.
pub(super) const ALGORITHMS: [&str; 2] = ["sha256", "sha512"];

/// One line of the ledger, as it is written.
#[derive(Serialize)]
struct LineOut<'a> {
    question: &'a Question,
    answer: &'a Answer,
}

/// One line of the ledger, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn {
    question: Question,
    answer: Answer,
}

/// The name of a blob's file in the snapshot.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}/{}/{}", digest.algorithm().name(), digest.hex())
}

/// The digest that a file in the snapshot is named by, if it is a blob's.
pub(super) fn blob_digest(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_prefix(BLOBS)?.strip_prefix('/')?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// How large a file may be, by its name; `None` for a file that does not belong to a snapshot.
pub(super) fn limit_of(name: &str) -> Option<u64> {
    match name {
        HEADER => Some(limit::HEADER),
        INVENTORY => Some(limit::INVENTORY),
        LEDGER => Some(limit::LEDGER),
        name => blob_digest(name).map(|_| limit::BLOB),
    }
}

/// The three files besides the blobs, in the order of the archive.
pub(super) fn texts(snapshot: &Snapshot) -> Result<[(&'static str, Vec<u8>); 3], SnapshotError> {
    let ledger = || {
        let mut lines = Vec::new();
        for (question, answer) in snapshot.ledger.iter() {
            serde_json::to_writer(&mut lines, &LineOut { question, answer })?;
            lines.push(b'\n');
        }
        Ok(lines)
    };
    let texts = [(HEADER, pretty(&snapshot.header)), (INVENTORY, pretty(&snapshot.inventory)), (LEDGER, ledger())];
    let mut written = Vec::with_capacity(texts.len());
    for (name, text) in texts {
        let text = text.map_err(|error: serde_json::Error| SnapshotError::io("written", Path::new(name), error.into()))?;
        fits(name, text.len() as u64)?;
        written.push((name, text));
    }
    written.try_into().map_err(|_| SnapshotError::TooLarge { name: HEADER.into(), limit: limit::HEADER })
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn fits(name: &str, size: u64) -> Result<(), SnapshotError> {
    match limit_of(name) {
        Some(limit) if size > limit => Err(SnapshotError::TooLarge { name: name.into(), limit }),
        _ => Ok(()),
    }
}

/// Whether what is written could be read again.
pub(super) fn check(snapshot: &Snapshot) -> Result<(), SnapshotError> {
    let mut total = 0_u64;
    for (digest, bytes) in &snapshot.blobs {
        fits(&blob_name(digest), bytes.len() as u64)?;
        total = total.saturating_add(bytes.len() as u64);
        if !digest.matches(bytes) {
            return Err(SnapshotError::Mismatch { path: blob_name(digest).into(), digest: digest.clone() });
        }
    }
    // Archives add at most a header and padding to each file; half is left for them and for the texts.
    if total > limit::TOTAL / 2 {
        return Err(SnapshotError::TooLarge { name: "the content".into(), limit: limit::TOTAL / 2 });
    }
    Ok(())
}

/// The files that were read, before they are understood.
#[derive(Default)]
pub(super) struct Files {
    texts: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<Digest, Bytes>,
}

impl Files {
    /// Takes in a file; one that does not belong to a snapshot is left aside. `false` when it is there twice.
    pub(super) fn take(&mut self, path: &Path, name: &str, bytes: Vec<u8>) -> Result<bool, SnapshotError> {
        if let Some(digest) = blob_digest(name) {
            if !digest.matches(&bytes) {
                return Err(SnapshotError::Mismatch { path: path.into(), digest });
            }
            return Ok(self.blobs.insert(digest, bytes.into()).is_none());
        }
        Ok(self.texts.insert(name.to_owned(), bytes).is_none())
    }

    /// Whether the header was read.
    pub(super) fn has_header(&self) -> bool {
        self.texts.contains_key(HEADER)
    }

    /// Reads the header alone.
    pub(super) fn header(&self, path: &Path) -> Result<SnapshotHeader, SnapshotError> {
        read_header(path, self.text(path, HEADER)?)
    }

    fn text(&self, path: &Path, name: &str) -> Result<&[u8], SnapshotError> {
        let missing = || SnapshotError::Incomplete { path: path.into(), missing: format!("{name} is missing") };
        self.texts.get(name).map(Vec::as_slice).ok_or_else(missing)
    }

    /// The snapshot, when all of it is there.
    pub(super) fn into_snapshot(self, path: &Path) -> Result<Snapshot, SnapshotError> {
        let header = self.header(path)?;
        let malformed = |error: serde_json::Error| malformed(path, INVENTORY, &error);
        let inventory = serde_json::from_slice(self.text(path, INVENTORY)?).map_err(malformed)?;
        let ledger = read_ledger(path, self.text(path, LEDGER)?)?;
        let incomplete = |missing| SnapshotError::Incomplete { path: path.into(), missing };
        if ledger.len() as u64 != header.answers {
            return Err(incomplete(format!("{LEDGER} holds {} answers, {HEADER} counts {}", ledger.len(), header.answers)));
        }
        if self.blobs.len() as u64 != header.blobs {
            let example =
                missing_blob(&ledger, &self.blobs).map(|digest| format!("; {} is missing", blob_name(digest))).unwrap_or_default();
            return Err(incomplete(format!("{} blobs are there, {HEADER} counts {}{example}", self.blobs.len(), header.blobs)));
        }
        Ok(Snapshot { header, inventory, ledger, blobs: self.blobs })
    }
}

fn malformed(path: &Path, name: &str, error: &dyn std::fmt::Display) -> SnapshotError {
    SnapshotError::Malformed { path: path.into(), name: name.to_owned(), detail: error.to_string() }
}

/// Reads the version before anything else: a later form may have other fields.
pub(super) fn read_header(path: &Path, bytes: &[u8]) -> Result<SnapshotHeader, SnapshotError> {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(|error| malformed(path, HEADER, &error))?;
    if version.version != u64::from(SnapshotHeader::VERSION) {
        return Err(SnapshotError::Version { path: path.into(), found: version.version, known: SnapshotHeader::VERSION });
    }
    serde_json::from_slice(bytes).map_err(|error| malformed(path, HEADER, &error))
}

fn read_ledger(path: &Path, bytes: &[u8]) -> Result<Ledger, SnapshotError> {
    let mut ledger = Ledger::new();
    let lines = bytes.split(|byte| *byte == b'\n').zip(1_u64..).filter(|(line, _)| !line.is_empty());
    for (line, number) in lines {
        let place = || format!("{LEDGER} line {number}");
        let LineIn { question, answer } = serde_json::from_slice(line).map_err(|error| malformed(path, &place(), &error))?;
        if matches!(&answer.outcome, Outcome::Found(found) if found.is_empty()) && question.ask != Ask::Readable {
            return Err(malformed(path, &place(), &"the answer is found, and empty"));
        }
        if ledger.answer(&question).is_some() {
            return Err(malformed(path, &place(), &"the question was answered on an earlier line"));
        }
        ledger.enter(question, answer.into());
    }
    Ok(ledger)
}

/// The first blob that an answer promises and that is not there.
fn missing_blob<'a>(ledger: &'a Ledger, blobs: &BTreeMap<Digest, Bytes>) -> Option<&'a Digest> {
    ledger.iter().find_map(|(question, answer)| match (&question.ask, &answer.outcome) {
        (Ask::Content(digest) | Ask::Blob(digest), Outcome::Found(_)) if !blobs.contains_key(digest) => Some(digest),
        _ => None,
    })
}
