//! The ledger: every question that a scan asks about images, each with exactly one answer.
//!
//! Live registries, layouts, a snapshot and the disk cache write it; what comes after only reads. A question that a finished
//! ledger does not hold is unknown (`not-captured`), never absent.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::github::GithubStore;
use super::reference::Repository;
use super::verdict::Cause;

/// Name of a Secret, `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for SecretName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = text.split_once('/').ok_or("a secret is named namespace/name")?;
        Ok(Self { namespace: namespace.into(), name: name.into() })
    }
}

impl Serialize for SecretName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SecretName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who asks: the pull secrets (by name, never by value) that are tried before the credentials that the whole scan shares.
///
/// Empty where a workload has no pull secret for the repository. Workloads with the same identity share answers; others do not,
/// so that what one workload's secret could read is never used for another.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialIdentity(pub Arc<[SecretName]>);

/// Which kind of credential answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CredentialKind {
    /// A pull secret of the workload or its service account.
    PullSecret,
    /// A kubelet credential-provider plug-in.
    CredentialProvider,
    /// A Docker configuration file.
    DockerConfig,
    /// A credential helper that a Docker configuration file names.
    CredentialHelper,
    /// None.
    Anonymous,
    /// A token for GitHub's API, from the environment.
    GithubToken,
    /// Nothing was asked over the network.
    Local,
}

/// Where a question is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// A repository at a registry.
    Repository(Repository),
    /// An OCI image layout, named as it was given.
    Layout(Arc<str>),
    /// A directory or JSONL file of bundles, named as it was given.
    Bundles(Arc<str>),
    /// GitHub's attestation store.
    Github(GithubStore),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(repository) => fmt::Display::fmt(repository, formatter),
            Self::Layout(directory) => write!(formatter, "layout {directory}"),
            Self::Bundles(path) => write!(formatter, "bundles {path}"),
            Self::Github(store) => fmt::Display::fmt(store, formatter),
        }
    }
}

/// The suffixes of cosign's tag scheme (`sha256-<hex>.<suffix>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CosignTag {
    /// Signatures.
    Signature,
    /// Attestations.
    Attestation,
    /// An attached, unsigned SBOM.
    Sbom,
}

impl CosignTag {
    /// The tag beside the given digest.
    #[must_use]
    pub fn beside(self, digest: &Digest) -> String {
        let suffix = match self {
            Self::Signature => "sig",
            Self::Attestation => "att",
            Self::Sbom => "sbom",
        };
        format!("{}-{}.{suffix}", digest.algorithm().name(), digest.hex())
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ask {
    /// Which manifest is this tag now? Found: its descriptor.
    Tag(Arc<str>),
    /// Is this manifest there? Found: its descriptor (media type and size as the place says).
    Manifest(Digest),
    /// The bytes of this manifest or index. Found: its descriptor; the bytes go to the blobs.
    Content(Digest),
    /// What refers to this digest, by the referrers API or, where that is not supported, by the fallback tag?
    /// Found: all descriptors of all pages; an empty list is never found but absent.
    Referrers(Digest),
    /// The bytes of this blob. Found: a descriptor of it; the bytes go to the blobs.
    Blob(Digest),
    /// May the repository be read at all (one page of its tag list)? Found: an empty list. Asked of an extra place of evidence,
    /// where the image's own manifest need not be: without it a private repository that hides behind 404 would look empty.
    Readable,
}

impl Ask {
    /// The fallback tag of the OCI distribution specification's referrers tag schema.
    #[must_use]
    pub fn fallback_tag(digest: &Digest) -> String {
        format!("{}-{}", digest.algorithm().name(), digest.hex())
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Where.
    pub place: Place,
    /// What.
    pub ask: Ask,
    /// On whose behalf.
    #[serde(default)]
    pub credential: CredentialIdentity,
}

/// What a place says about content that it has. Hostile: every field is a claim until the bytes were seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type.
    pub media_type: String,
    /// Digest.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
    /// Artifact type, where one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownAnswer {
    /// The cause.
    pub cause: Cause,
    /// What happened, to what, for a person. Never a credential.
    pub detail: String,
}

/// The outcome of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is there. Never empty, but for [`Ask::Readable`].
    Found(Vec<Descriptor>),
    /// The place answered that it is not there.
    Absent,
    /// No answer.
    Unknown(UnknownAnswer),
}

impl Outcome {
    /// No answer, and why.
    #[must_use]
    pub fn unknown(cause: Cause, detail: impl Into<String>) -> Self {
        Self::Unknown(UnknownAnswer { cause, detail: detail.into() })
    }
}

/// An answer with when it was observed and by which kind of credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The outcome.
    pub outcome: Outcome,
    /// When the place said so.
    pub observed: Timestamp,
    /// Which kind of credential it accepted, or was tried last.
    pub credential: CredentialKind,
}

/// Questions with their answers, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    answers: BTreeMap<Question, Arc<Answer>>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters an answer; a question has one, the first stays.
    pub fn enter(&mut self, question: Question, answer: Arc<Answer>) {
        self.answers.entry(question).or_insert(answer);
    }

    /// The answer to a question, if it was asked.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Option<&Arc<Answer>> {
        self.answers.get(question)
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Question, &Arc<Answer>)> {
        self.answers.iter()
    }

    /// How many questions it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}
