//! A file or directory of Sigstore bundles and DSSE envelopes, looked up by subject digest.
//!
//! `gh attestation download` writes such files (`sha256:<hex>.jsonl`, one bundle a line); `cosign … --bundle` writes one bundle a file.
//! What does not parse is remembered with its place and never ends a scan; but where a bundle may have been lost, silence is unknown.

pub(super) mod piece;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;

use self::piece::Piece;
use crate::model::{Algorithm, Answer, Ask, Cause, CredentialKind, Descriptor, Digest, Outcome, escape_control};

/// Why bundles cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum BundlesError {
    /// The path, or a directory below it, cannot be read.
    #[error("bundles {}: cannot be read: {error}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is neither a file nor a directory.
    #[error("bundles {}: it is neither a file nor a directory", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// There is more than is read; reading a part of it would make the rest look absent.
    #[error("bundles {}: more than {limit}; give a smaller directory", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit, with its unit.
        limit: String,
    },
}

/// Something in a file of bundles that is not used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleProblem {
    /// The file, from the path that was given.
    pub file: String,
    /// The line, counted from 1, in a file of one bundle a line.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub detail: String,
}

impl fmt::Display for BundleProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&escape_control(&self.file))?;
        if let Some(line) = self.line {
            write!(formatter, " line {line}")?;
        }
        write!(formatter, ": {}", escape_control(&self.detail))
    }
}

/// Bundles by subject digest.
#[derive(Debug, Default)]
pub struct Bundles {
    by_subject: BTreeMap<Digest, BTreeSet<Digest>>,
    pieces: BTreeMap<Digest, (Descriptor, Bytes)>,
    problems: Vec<BundleProblem>,
    lost: Vec<Lost>,
}

/// Something that may have been a bundle.
#[derive(Debug)]
struct Lost {
    /// The only digest that it may be about, where its file is named by one.
    about: Option<Digest>,
    /// The digest of its bytes; of what is told of it where there are none. Under it, it is listed.
    content: Digest,
    detail: String,
}

impl Lost {
    fn may_be_about(&self, digest: &Digest) -> bool {
        self.about.as_ref().is_none_or(|about| about == digest)
    }

    fn unknown(&self) -> Outcome {
        Outcome::unknown(Cause::InvalidResponse, self.detail.clone())
    }
}

impl Bundles {
    /// Reads a file, or all files below a directory whose names end in `.json`, `.jsonl` or `.sigstore`.
    ///
    /// # Errors
    /// When the path cannot be read, or holds more than is read into memory. Single files and lines are no errors: [`Self::problems`].
    pub fn open(path: &Path) -> Result<Self, BundlesError> {
        let mut bundles = Self::default();
        source::read(path, &mut bundles)?;
        bundles.problems.sort();
        Ok(bundles)
    }

    /// How many different bundles and envelopes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What was not used, in order.
    #[must_use]
    pub fn problems(&self) -> &[BundleProblem] {
        &self.problems
    }

    /// Answers a question; the bytes come with it where a blob was asked for and found. `observed` is when it is asked.
    #[must_use]
    pub fn answer(&self, ask: &Ask, observed: Timestamp) -> (Answer, Option<Bytes>) {
        let (outcome, body) = match ask {
            Ask::Referrers(digest) => (self.referrers(digest), None),
            Ask::Blob(digest) => self.blob(digest),
            Ask::Readable => (Outcome::Found(Vec::new()), None),
            // There are no manifests and tags here.
            Ask::Tag(_) | Ask::Manifest(_) | Ask::Content(_) => (Outcome::Absent, None),
        };
        (Answer { outcome, observed, credential: CredentialKind::Local }, body)
    }

    fn referrers(&self, digest: &Digest) -> Outcome {
        let lost = || self.lost.iter().filter(|lost| lost.may_be_about(digest));
        let found: Vec<_> = self.by_subject.get(digest).into_iter().flatten().filter_map(|piece| self.pieces.get(piece)).collect();
        // What was lost is listed among others: whoever opens it learns that it cannot be read, and what is good beside it stays good.
        // Alone, the question stays open.
        if found.is_empty() {
            return lost().next().map_or(Outcome::Absent, Lost::unknown);
        }
        let found = found.into_iter().map(|(descriptor, _)| descriptor.clone());
        let lost = lost().map(|lost| piece::descriptor("application/octet-stream", &lost.content, 0));
        let all: BTreeMap<_, _> = found.chain(lost).map(|descriptor| (descriptor.digest.clone(), descriptor)).collect();
        Outcome::Found(all.into_values().collect())
    }

    fn blob(&self, digest: &Digest) -> (Outcome, Option<Bytes>) {
        if let Some((descriptor, bytes)) = self.pieces.get(digest) {
            return (Outcome::Found(vec![descriptor.clone()]), Some(bytes.clone()));
        }
        match self.lost.iter().find(|lost| lost.content == *digest) {
            Some(lost) => (lost.unknown(), None),
            None => (Outcome::Absent, None),
        }
    }

    /// Takes in one document; `about` is the digest that its file is named by.
    fn take(&mut self, file: &str, line: Option<u64>, about: Option<&Digest>, document: &[u8]) {
        let mut piece = match piece::read(document) {
            Piece::Evidence(piece) => piece,
            Piece::Foreign(detail) => return self.problem(file, line, detail),
            Piece::Broken(detail) => return self.lose(file, line, about, Some(document), detail),
        };
        piece.subjects.extend(about.cloned());
        if piece.subjects.is_empty() {
            return self.problem(file, line, piece.why_no_subject);
        }
        let digest = Digest::of(Algorithm::Sha256, document);
        for subject in piece.subjects {
            self.by_subject.entry(subject).or_default().insert(digest.clone());
        }
        let mut descriptor = piece::descriptor(&piece.media_type, &digest, document.len());
        if let Some(predicate_type) = piece.predicate_type {
            descriptor.annotations.insert("dev.sigstore.bundle.predicateType".to_owned(), predicate_type);
        }
        self.pieces.entry(digest).or_insert_with(|| (descriptor, Bytes::copy_from_slice(document)));
    }

    fn problem(&mut self, file: &str, line: Option<u64>, detail: String) {
        self.problems.push(BundleProblem { file: file.to_owned(), line, detail });
    }

    /// Remembers what may have been a bundle.
    fn lose(&mut self, file: &str, line: Option<u64>, about: Option<&Digest>, document: Option<&[u8]>, detail: String) {
        let problem = BundleProblem { file: file.to_owned(), line, detail };
        let detail = format!("{problem}; it may have been evidence");
        let content = Digest::of(Algorithm::Sha256, document.unwrap_or(detail.as_bytes()));
        self.lost.push(Lost { about: about.cloned(), content, detail });
        self.problems.push(problem);
    }
}

#[cfg(test)]
mod tests;
