//! An OCI image layout on disk (OCI image specification 1.1, "Image Layout").
//!
//! Read in the forms in which tools leave them: plain; with names (`org.opencontainers.image.ref.name`); as `cosign save` writes them
//! (an annotation `kind`); with the fallback index of the referrers tag schema; or with referrers listed like images, without one.
//! Blobs may be missing: what is listed and not there is unknown, never absent.

mod catalog;
mod wire;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;

use self::catalog::Catalog;
use super::disk::{self, BLOB_LIMIT, MANIFEST_LIMIT, Read};
use crate::model::{
    Answer, Ask, Cause, CredentialKind, Descriptor, Digest, Manifest, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST, Outcome, UnknownAnswer,
};

/// Why a directory is no layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The path is not a layout.
    #[error("{} is not an OCI image layout: {detail}", path.display())]
    NotALayout {
        /// The path.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// The layout's version is not one that is read.
    #[error("layout {} has version {found:?}; versions 1.x are read", path.display())]
    Version {
        /// The layout.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// A file of the layout itself does not parse, or is too large.
    #[error("layout {}: {name}: {detail}", path.display())]
    Malformed {
        /// The layout.
        path: PathBuf,
        /// The file.
        name: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A file of the layout itself cannot be read.
    #[error("layout {}: {name} cannot be read: {error}", path.display())]
    Unreadable {
        /// The layout.
        path: PathBuf,
        /// The file.
        name: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
}

/// A layout whose index was read, and that answers questions.
#[derive(Debug)]
pub struct Layout {
    blobs: Blobs,
    catalog: Catalog,
}

impl Layout {
    /// Reads the index of a layout, and every manifest that it lists (not their layers).
    ///
    /// # Errors
    /// When the directory is no layout. A listed manifest that cannot be read is no error: what depends on it is unknown.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let index = wire::read_index(path)?;
        let blobs = Blobs { root: path.into() };
        let catalog = Catalog::of(index, &blobs);
        Ok(Self { blobs, catalog })
    }

    /// The images that it lists, with their names, in order; evidence about them left out.
    #[must_use]
    pub fn images(&self) -> Vec<(Option<String>, Digest)> {
        self.catalog.images()
    }

    /// Answers a question; the bytes come with it where content was asked for and found. `observed` is when it is asked.
    #[must_use]
    pub fn answer(&self, ask: &Ask, observed: Timestamp) -> (Answer, Option<Bytes>) {
        let (outcome, body) = match ask {
            Ask::Tag(tag) => (self.tag(tag), None),
            Ask::Manifest(digest) => (self.manifest(digest), None),
            Ask::Content(digest) => self.content(digest),
            Ask::Referrers(digest) => (self.catalog.referrers(digest), None),
            Ask::Blob(digest) => self.blob(digest),
            Ask::Readable => (Outcome::Found(Vec::new()), None),
        };
        (Answer { outcome, observed, credential: CredentialKind::Local }, body)
    }

    fn tag(&self, tag: &str) -> Outcome {
        match self.catalog.tagged(tag) {
            Ok(Some(digest)) => Outcome::Found(vec![self.catalog.descriptor(&digest)]),
            Ok(None) => Outcome::Absent,
            Err(unknown) => Outcome::Unknown(unknown),
        }
    }

    fn manifest(&self, digest: &Digest) -> Outcome {
        if self.catalog.entries.contains_key(digest) {
            return Outcome::Found(vec![self.catalog.descriptor(digest)]);
        }
        match self.blobs.read(digest, MANIFEST_LIMIT) {
            Ok(None) => Outcome::Absent,
            Ok(Some(bytes)) => match Manifest::parse(&bytes) {
                Ok(manifest) => Outcome::Found(vec![unlisted(digest, &manifest, &bytes)]),
                Err(_) => Outcome::Absent,
            },
            Err(unknown) => Outcome::Unknown(unknown),
        }
    }

    fn content(&self, digest: &Digest) -> (Outcome, Option<Bytes>) {
        let listed = self.catalog.entries.get(digest);
        match (self.blobs.read(digest, MANIFEST_LIMIT), listed) {
            (Ok(None), None) => (Outcome::Absent, None),
            (Ok(None), Some(_)) => (Outcome::Unknown(missing(digest)), None),
            (Ok(Some(bytes)), listed) => {
                let descriptor = match (listed, Manifest::parse(&bytes)) {
                    (Some(_), _) => Descriptor { size: bytes.len() as u64, ..self.catalog.descriptor(digest) },
                    (None, Ok(manifest)) => unlisted(digest, &manifest, &bytes),
                    (None, Err(_)) => bare(digest, "application/octet-stream", bytes.len()),
                };
                (Outcome::Found(vec![descriptor]), Some(bytes.into()))
            }
            (Err(unknown), _) => (Outcome::Unknown(unknown), None),
        }
    }

    /// A blob is asked for because some manifest lists it: that it is not there is no absence.
    fn blob(&self, digest: &Digest) -> (Outcome, Option<Bytes>) {
        match self.blobs.read(digest, BLOB_LIMIT) {
            Ok(Some(bytes)) => (Outcome::Found(vec![bare(digest, "application/octet-stream", bytes.len())]), Some(bytes.into())),
            Ok(None) => (Outcome::Unknown(missing(digest)), None),
            Err(unknown) => (Outcome::Unknown(unknown), None),
        }
    }
}

fn bare(digest: &Digest, media_type: &str, size: usize) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.clone(),
        size: size as u64,
        artifact_type: None,
        annotations: std::collections::BTreeMap::new(),
    }
}

/// The descriptor of a manifest that is there and not listed.
fn unlisted(digest: &Digest, manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let by_shape = match manifest {
        Manifest::Image(_) => OCI_MANIFEST,
        Manifest::Artifact(_) => OCI_ARTIFACT,
        Manifest::Index(_) => OCI_INDEX,
    };
    let own = serde_json::from_slice::<wire::Wire>(bytes).ok().and_then(|wire| wire.media_type);
    bare(digest, own.as_deref().unwrap_or(by_shape), bytes.len())
}

fn missing(digest: &Digest) -> UnknownAnswer {
    UnknownAnswer { cause: Cause::InvalidResponse, detail: format!("the layout lists {digest} and does not have it") }
}

/// The blobs of a layout.
#[derive(Debug)]
struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// The bytes of a digest, compared with it; `None` where no such file is. The path is built from the parsed digest alone.
    fn read(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, UnknownAnswer> {
        let path = self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex());
        let unknown = |cause, detail| Err(UnknownAnswer { cause, detail });
        match disk::read_file(&path, limit) {
            Read::Missing => Ok(None),
            Read::Bytes(bytes) if digest.matches(&bytes) => Ok(Some(bytes)),
            Read::Bytes(_) => unknown(Cause::InvalidResponse, format!("the bytes of {digest} in the layout do not match it")),
            Read::TooLarge => unknown(Cause::TooLarge, format!("{digest} in the layout is larger than {limit} bytes")),
            Read::Unreadable(error) => {
                let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
                let cause = if denied { Cause::Forbidden } else { Cause::InvalidResponse };
                unknown(cause, format!("{digest} in the layout cannot be read: {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
