//! What was found about one image: typed, still without trust.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ledger::{CredentialKind, UnknownAnswer};
use super::predicate::Attested;
use super::proof::Proof;
use super::reference::Repository;

/// The predicate type of a signature in the form of a statement.
pub const SIGNATURE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

/// The form in which a statement is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StatementFormat {
    /// Cosign's simple-signing payload in a layer.
    SimpleSigning,
    /// A Sigstore bundle with a message signature over the manifest.
    BundleMessage,
    /// A Sigstore bundle (or a bare envelope) with a DSSE envelope of an in-toto statement.
    Dsse {
        /// The predicate type that is inside the signed bytes.
        predicate_type: String,
    },
    /// An in-toto statement that nobody signed: BuildKit's own, or an envelope without signatures. Shown, never verified.
    Unsigned {
        /// The predicate type that it gives itself.
        predicate_type: String,
    },
    /// A document that is attached to the image as it is: no statement, and signed by nobody.
    Attached {
        /// Its media type.
        media_type: String,
    },
    /// A Notation signature envelope.
    Notation {
        /// `jws` or `cose`.
        envelope: String,
    },
    /// Recognised as a signature and not supported; nothing in it was read.
    Unsupported {
        /// Its media type.
        media_type: String,
    },
}

/// How a statement was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StatementSource {
    /// By cosign's tag beside the digest.
    CosignTag,
    /// By the referrers API or its fallback tag.
    Referrer,
    /// From a file of bundles.
    BundleFile,
    /// From GitHub's attestation store.
    GithubStore,
    /// Listed inside the image's own index (BuildKit's attestation manifests).
    IndexEntry,
}

/// Which digest a statement names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// The carrier's digest, that is, the one it was found beside.
    Names,
    /// Only others (the first few).
    NamesOthers(Vec<Digest>),
    /// It cannot be read; why.
    Malformed(String),
}

/// Which digest carried the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Carrier {
    /// The running digest itself.
    Itself,
    /// An index that lists the running manifest.
    Index(Digest),
    /// A platform manifest that the running index lists. What is said of it is not said of the index; attestations alone are kept of it.
    Platform(Digest),
}

/// One statement that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Its form.
    pub format: StatementFormat,
    /// How it was found.
    pub source: StatementSource,
    /// Where it was found.
    pub place: String,
    /// Beside which digest.
    pub carrier: Carrier,
    /// Which digest it names.
    pub relation: Relation,
    /// Digest of the manifest that holds it; none for one from a file.
    pub manifest: Option<Digest>,
    /// Digest of its bytes.
    pub content: Digest,
    /// Digest of the annotations of the layer that holds it, where it has any: cosign keeps signatures there, beside payloads that may be
    /// the same for all who sign.
    pub annotations: Option<Digest>,
    /// What verification gave: one for each trial whose kind of signer fits, in the order of the trials. Empty where none was asked for.
    pub proofs: std::sync::Arc<[Proof]>,
    /// Proofs that a stored report, from which this was read, left out.
    #[serde(default)]
    pub proofs_left_out: u32,
    /// What it says; none for signatures, and where it was not asked for.
    pub attested: Option<std::sync::Arc<Attested>>,
}

impl Statement {
    /// Whether it is an attestation, signed or not, or a document that is attached.
    #[must_use]
    pub fn is_attestation(&self) -> bool {
        self.predicate_type().is_some() || matches!(self.format, StatementFormat::Attached { .. })
    }

    /// The predicate type of an attestation, signed or not; none for signatures and what is no statement.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        match &self.format {
            StatementFormat::Dsse { predicate_type } if predicate_type == SIGNATURE_TYPE => None,
            StatementFormat::Dsse { predicate_type } | StatementFormat::Unsigned { predicate_type } => Some(predicate_type),
            _ => None,
        }
    }

    /// Whether its form is a signature (an attestation is none).
    #[must_use]
    pub fn is_signature(&self) -> bool {
        match &self.format {
            StatementFormat::Dsse { predicate_type } => predicate_type == SIGNATURE_TYPE,
            StatementFormat::Unsigned { .. } | StatementFormat::Attached { .. } => false,
            StatementFormat::SimpleSigning
            | StatementFormat::BundleMessage
            | StatementFormat::Notation { .. }
            | StatementFormat::Unsupported { .. } => true,
        }
    }
}

/// Whether the manifest of the judged digest was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ManifestPresence {
    /// Seen.
    Seen {
        /// Its media type.
        media_type: String,
        /// The kind of credential that could read it.
        credential: CredentialKind,
    },
    /// Not seen; not-found is a cause of its own.
    Unknown(UnknownAnswer),
    /// No control needed to know.
    NotAsked,
}

/// Which digest is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubjectState {
    /// This one.
    Known(Digest),
    /// It cannot be known.
    Unknown(UnknownAnswer),
    /// No control needed to know.
    NotAsked,
}

/// Where the tag of the specification leads now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TagState {
    /// The reference has no tag that anything is pulled by.
    NoTag,
    /// To the running digest.
    Unmoved,
    /// To an index that lists the running manifest.
    UnmovedIndex(Digest),
    /// Elsewhere.
    Moved(Digest),
    /// The tag is gone.
    Gone,
    /// Not known.
    Unknown(UnknownAnswer),
    /// No control needed to know.
    NotAsked,
}

/// The index through which the running manifest was pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum IndexAbove {
    /// No control needed to know.
    #[default]
    NotAsked,
    /// None: the reference leads to what runs.
    None,
    /// The reference leads to this one, and it lists the running manifest.
    Lists(Digest),
    /// There may be one that is not at hand: what the reference leads to now does not list what runs. An absence cannot be said then.
    NotAtHand,
    /// Not known.
    Unknown(UnknownAnswer),
}

/// What looking in one place gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlaceOutcome {
    /// All questions were answered; so many statements were found.
    Looked(u32),
    /// It answered that nothing is there, and cannot speak for the origin (a mirror, an incomplete layout).
    NotAuthoritative,
    /// At least one question was not answered.
    Unknown(UnknownAnswer),
}

/// One place in which evidence was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceRecord {
    /// The place.
    pub place: String,
    /// What looking gave.
    pub outcome: PlaceOutcome,
    /// Why attestations may be there that were not seen, though every question about signatures was answered.
    pub attestations: Option<UnknownAnswer>,
    /// The oldest answer that this rests on.
    pub observed: Option<Timestamp>,
}

/// A signature that lies on a child of the running index: it does not count for the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildSignatures {
    /// The child manifest.
    pub child: Digest,
    /// How many signatures name it.
    pub signatures: u32,
}

/// Everything found about one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageEvidence {
    /// The repository, as the specification names it.
    pub repository: Repository,
    /// The digest that is judged.
    pub subject: SubjectState,
    /// Whether its manifest was seen.
    pub manifest: ManifestPresence,
    /// Where the tag leads now.
    pub tag: TagState,
    /// Statements found, in stable order.
    pub statements: Vec<Statement>,
    /// Places looked in, in stable order. Empty where no control needed evidence.
    pub places: Vec<PlaceRecord>,
    /// Signed children of a running index that is not signed itself.
    pub children: Vec<ChildSignatures>,
    /// The index above the running manifest.
    pub index: IndexAbove,
    /// Platform manifests of a running index; empty where nobody asked, or no index runs.
    pub platforms: Vec<Digest>,
    /// Warnings for a person, in stable order.
    pub warnings: Vec<String>,
}
