//! One image to gather evidence about, and the places declared for it.

use std::sync::Arc;

use crate::model::{CredentialIdentity, GithubStore, ImageReference, Place, Repository, RunningImage};

/// One image as some container names and runs it. Containers that agree in all of this share the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageTask {
    /// The reference of the specification.
    pub reference: ImageReference,
    /// What the runtime reports.
    pub running: RunningImage,
    /// On whose behalf it is asked.
    pub credential: CredentialIdentity,
    /// Where the image itself lies: its repository, or a layout where no registry is to be asked.
    pub home: Place,
}

impl ImageTask {
    /// The image in the repository that its reference names.
    #[must_use]
    pub fn in_registry(reference: ImageReference, running: RunningImage, credential: CredentialIdentity) -> Self {
        let home = Place::Repository(reference.repository().clone());
        Self { reference, running, credential, home }
    }
}

/// Where else evidence about an image may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPlaces {
    /// Whether an empty answer of the image's own place is an absence. A mirror's is not.
    pub home_is_authoritative: bool,
    /// Prefixes before cosign's tags in the image's own repository; the plain tags are always asked.
    pub tag_prefixes: Vec<String>,
    /// Further places.
    pub extra: Vec<ExtraPlace>,
}

impl Default for DeclaredPlaces {
    fn default() -> Self {
        Self { home_is_authoritative: true, tag_prefixes: Vec::new(), extra: Vec::new() }
    }
}

/// One further place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExtraPlace {
    /// Another repository; it need not hold the image itself.
    Repository(Repository),
    /// A layout, by its name; a place for the images that it holds, or holds evidence of. What it lacks is no absence: it is a copy.
    Layout(Arc<str>),
    /// Bundles by subject digest, by the name of the file or directory. What they lack is no absence.
    Bundles(Arc<str>),
    /// GitHub's attestation store. What it lacks says nothing about the image's own place; what cannot be asked is unknown.
    Github(GithubStore),
    /// One that is declared and cannot be named for this image: nobody knows what lies there.
    Unusable {
        /// As it was declared.
        place: Arc<str>,
        /// Why it cannot be named.
        detail: Arc<str>,
    },
}
