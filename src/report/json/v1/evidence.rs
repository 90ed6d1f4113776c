//! Images with everything that was found about them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Each;
use super::attested::Attested;
use crate::model::{self, BuildLevel, Cause, CredentialKind, Digest, Reason};
use crate::report::proofs::ProofEntry;

/// One image, and what was found about it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image<'a> {
    /// The reference as it is written (the first in order of those that lead to it).
    reference: &'a str,
    /// The repository, normalised.
    repository: &'a model::Repository,
    /// What the runtime reports.
    running: Running<'a>,
    /// Which digest is judged.
    subject: Subject<'a>,
    /// Whether its manifest was seen.
    manifest: Manifest<'a>,
    /// Where the tag of the specification leads now.
    tag: TagTarget<'a>,
    /// Statements found.
    statements: Each<'a, model::Statement, Statement<'a>>,
    /// Places looked in; empty where no control needed evidence.
    places: Vec<Place<'a>>,
    /// Platform manifests of a running index, where attestations were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    platforms: Option<&'a [Digest]>,
    /// Signed children of a running index that is not signed itself.
    children: Each<'a, model::ChildSignatures, Child<'a>>,
    /// The index through which the running manifest was pulled.
    index: Index<'a>,
    /// Whether the running manifest may belong to an index that is not at hand, so that no absence can be said.
    index_unknown: bool,
    /// Warnings for a person.
    warnings: &'a [String],
    /// How far its provenance shows how it was built, where a control asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Build<'a>>,
}

/// The level of SLSA's build track that is shown of an image, by trust policies and documents of builders alone.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Build<'a> {
    /// The level; L1 may be unverified.
    level: BuildLevel,
    /// Whether somebody who is trusted vouches for it.
    verified: bool,
    /// The builder, or the authority, that does, by its name in the documents; null where nobody does.
    by: Option<&'a str>,
    /// What is missing for each level above the one that is verified.
    missing: Vec<MissingLevel<'a>>,
    /// A higher level that may be shown after all; null where it is known.
    may_be: Option<PossibleLevel<'a>>,
}

/// What is missing for a level.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MissingLevel<'a> {
    /// The level.
    level: BuildLevel,
    /// The stable reason.
    reason: Reason,
    /// What is missing.
    detail: &'a str,
}

/// A level of which it is not known whether it is shown.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PossibleLevel<'a> {
    /// The level.
    level: BuildLevel,
    /// The stable cause.
    cause: Cause,
    /// What happened.
    detail: &'a str,
}

impl<'a> From<&'a model::ShownLevel> for Build<'a> {
    fn from(shown: &'a model::ShownLevel) -> Self {
        let above = BuildLevel::ALL.into_iter().filter(|level| *level > shown.verified());
        let missing = |level| shown.lack.as_ref().map(|(reason, detail)| MissingLevel { level, reason: *reason, detail });
        let possible =
            |(level, why): &'a (BuildLevel, model::UnknownAnswer)| PossibleLevel { level: *level, cause: why.cause, detail: &why.detail };
        Self {
            level: shown.level,
            verified: shown.by.is_some(),
            by: shown.by.as_deref(),
            missing: above.filter_map(missing).collect(),
            may_be: shown.possible.as_ref().map(possible),
        }
    }
}

impl<'a> Image<'a> {
    pub(super) fn of(image: &'a model::ImageRecord, as_of: Timestamp) -> Self {
        let evidence = &image.evidence;
        Self {
            reference: &image.reference,
            repository: &evidence.repository,
            running: Running::from(&image.running),
            subject: Subject::from(&evidence.subject),
            manifest: Manifest::from(&evidence.manifest),
            tag: TagTarget::from(&evidence.tag),
            statements: Each::of(&evidence.statements),
            places: evidence.places.iter().map(|place| Place::of(place, as_of)).collect(),
            platforms: (!evidence.platforms.is_empty()).then_some(&evidence.platforms),
            children: Each::of(&evidence.children),
            index: Index::from(&evidence.index),
            index_unknown: evidence.index == model::IndexAbove::NotAtHand,
            warnings: &evidence.warnings,
            build: image.build.as_ref().map(Build::from),
        }
    }
}

/// The index above the running manifest.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Index<'a> {
    /// No control needed to know.
    NotAsked,
    /// There is none: the reference leads to what runs.
    None,
    /// This one lists the running manifest.
    Lists {
        /// The index.
        digest: &'a Digest,
    },
    /// There may be one that is not at hand.
    NotAtHand,
    /// Not known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: &'a str,
    },
}

impl<'a> From<&'a model::IndexAbove> for Index<'a> {
    fn from(index: &'a model::IndexAbove) -> Self {
        match index {
            model::IndexAbove::NotAsked => Self::NotAsked,
            model::IndexAbove::None => Self::None,
            model::IndexAbove::Lists(digest) => Self::Lists { digest },
            model::IndexAbove::NotAtHand => Self::NotAtHand,
            model::IndexAbove::Unknown(answer) => Self::Unknown { cause: answer.cause, detail: &answer.detail },
        }
    }
}

/// What the runtime reports.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Running<'a> {
    /// The digest of a manifest or index, as it was pulled.
    Manifest {
        /// The digest.
        digest: &'a Digest,
    },
    /// A bare digest, of a manifest or of an image configuration.
    Unqualified {
        /// The digest.
        digest: &'a Digest,
    },
    /// An image ID that is no digest.
    Unreadable {
        /// As it was reported; empty where something runs and nothing is.
        text: &'a str,
    },
    /// Nothing.
    Unreported,
}

impl<'a> From<&'a model::RunningImage> for Running<'a> {
    fn from(running: &'a model::RunningImage) -> Self {
        match running {
            model::RunningImage::Manifest(digest) => Self::Manifest { digest },
            model::RunningImage::Unqualified(digest) => Self::Unqualified { digest },
            model::RunningImage::Unreadable(text) => Self::Unreadable { text },
            model::RunningImage::Unreported => Self::Unreported,
        }
    }
}

/// Which digest is judged.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Subject<'a> {
    /// This one.
    Known {
        /// The digest.
        digest: &'a Digest,
    },
    /// It cannot be known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: &'a str,
    },
    /// No control needed to know.
    NotAsked,
}

impl<'a> From<&'a model::SubjectState> for Subject<'a> {
    fn from(subject: &'a model::SubjectState) -> Self {
        match subject {
            model::SubjectState::Known(digest) => Self::Known { digest },
            model::SubjectState::Unknown(answer) => Self::Unknown { cause: answer.cause, detail: &answer.detail },
            model::SubjectState::NotAsked => Self::NotAsked,
        }
    }
}

/// Whether the manifest of the judged digest was seen.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Manifest<'a> {
    /// Seen.
    #[serde(rename_all = "camelCase")]
    Seen {
        /// Its media type.
        media_type: &'a str,
        /// Which kind of credential could read it; never its value.
        credential: AnsweredAs,
    },
    /// Not seen.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: &'a str,
    },
    /// No control needed to know.
    NotAsked,
}

impl<'a> From<&'a model::ManifestPresence> for Manifest<'a> {
    fn from(manifest: &'a model::ManifestPresence) -> Self {
        match manifest {
            model::ManifestPresence::Seen { media_type, credential } => {
                Self::Seen { media_type, credential: AnsweredAs::from(*credential) }
            }
            model::ManifestPresence::Unknown(answer) => Self::Unknown { cause: answer.cause, detail: &answer.detail },
            model::ManifestPresence::NotAsked => Self::NotAsked,
        }
    }
}

/// Which kind of credential answered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum AnsweredAs {
    /// A pull secret of the workload or its service account.
    PullSecret,
    /// A kubelet credential-provider plug-in.
    CredentialProvider,
    /// A Docker configuration file.
    DockerConfig,
    /// A credential helper that a Docker configuration file names.
    CredentialHelper,
    /// A token for GitHub's API, from the environment.
    GithubToken,
    /// None.
    Anonymous,
    /// Nothing was asked over the network.
    Local,
}

impl From<CredentialKind> for AnsweredAs {
    fn from(kind: CredentialKind) -> Self {
        match kind {
            CredentialKind::PullSecret => Self::PullSecret,
            CredentialKind::CredentialProvider => Self::CredentialProvider,
            CredentialKind::DockerConfig => Self::DockerConfig,
            CredentialKind::CredentialHelper => Self::CredentialHelper,
            CredentialKind::GithubToken => Self::GithubToken,
            CredentialKind::Anonymous => Self::Anonymous,
            CredentialKind::Local => Self::Local,
        }
    }
}

/// Where the tag of the specification leads now.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum TagTarget<'a> {
    /// The reference has no tag that anything is pulled by.
    NoTag,
    /// To the running digest.
    Unmoved,
    /// To an index that lists the running manifest.
    UnmovedIndex {
        /// The index.
        digest: &'a Digest,
    },
    /// Elsewhere.
    Moved {
        /// Where.
        digest: &'a Digest,
    },
    /// It is gone.
    Gone,
    /// Not known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: &'a str,
    },
    /// No control needed to know.
    NotAsked,
}

impl<'a> From<&'a model::TagState> for TagTarget<'a> {
    fn from(tag: &'a model::TagState) -> Self {
        match tag {
            model::TagState::NoTag => Self::NoTag,
            model::TagState::Unmoved => Self::Unmoved,
            model::TagState::UnmovedIndex(digest) => Self::UnmovedIndex { digest },
            model::TagState::Moved(digest) => Self::Moved { digest },
            model::TagState::Gone => Self::Gone,
            model::TagState::Unknown(answer) => Self::Unknown { cause: answer.cause, detail: &answer.detail },
            model::TagState::NotAsked => Self::NotAsked,
        }
    }
}

/// One statement that was found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    /// Its form.
    format: Format<'a>,
    /// Whether its form is a signature; an attestation is none.
    signature: bool,
    /// How it was found.
    found_by: FoundBy,
    /// Where it was found.
    place: &'a str,
    /// The index beside which it was found; null where it was the judged digest itself.
    carrier_index: Option<&'a Digest>,
    /// The platform manifest of the running index beside which it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier_platform: Option<&'a Digest>,
    /// Which digest it names.
    relation: Relation<'a>,
    /// Digest of the manifest that holds it; null for one from a file.
    manifest: Option<&'a Digest>,
    /// Digest of its bytes.
    content: &'a Digest,
    /// Digest of the annotations of the layer that holds it, where it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a Digest>,
    /// What an attestation says. Left out for signatures, and where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    attested: Option<Attested<'a>>,
    /// What verification found: where any signature holds, only such trials; else the first few. Left out where nothing was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    proofs: Option<Vec<ProofEntry<'a>>>,
    /// How many trials are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    proofs_left_out: Option<usize>,
}

impl<'a> From<&'a model::Statement> for Statement<'a> {
    fn from(statement: &'a model::Statement) -> Self {
        let (proofs, left_out) = ProofEntry::chosen(&statement.proofs);
        let left_out = left_out + usize::try_from(statement.proofs_left_out).unwrap_or(usize::MAX);
        Self {
            format: Format::from(&statement.format),
            signature: statement.is_signature(),
            found_by: match statement.source {
                model::StatementSource::CosignTag => FoundBy::CosignTag,
                model::StatementSource::Referrer => FoundBy::Referrer,
                model::StatementSource::BundleFile => FoundBy::BundleFile,
                model::StatementSource::GithubStore => FoundBy::GithubStore,
                model::StatementSource::IndexEntry => FoundBy::IndexEntry,
            },
            place: &statement.place,
            carrier_index: match &statement.carrier {
                model::Carrier::Itself => None,
                model::Carrier::Index(index) => Some(index),
                model::Carrier::Platform(_) => None,
            },
            carrier_platform: match &statement.carrier {
                model::Carrier::Platform(platform) => Some(platform),
                model::Carrier::Itself | model::Carrier::Index(_) => None,
            },
            relation: Relation::from(&statement.relation),
            manifest: statement.manifest.as_ref(),
            content: &statement.content,
            annotations: statement.annotations.as_ref(),
            attested: statement.attested.as_deref().map(Attested::from),
            proofs: (!proofs.is_empty()).then_some(proofs),
            proofs_left_out: (left_out > 0).then_some(left_out),
        }
    }
}

/// The form in which a statement is written.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "type")]
enum Format<'a> {
    /// Cosign's simple-signing payload in a layer.
    SimpleSigning,
    /// A Sigstore bundle with a message signature over the manifest.
    BundleMessage,
    /// A Sigstore bundle (or a bare envelope) with a DSSE envelope of an in-toto statement.
    #[serde(rename_all = "camelCase")]
    Dsse {
        /// The predicate type that is inside the signed bytes.
        predicate_type: &'a str,
    },
    /// An in-toto statement that nobody signed: shown, never verified.
    #[serde(rename_all = "camelCase")]
    Unsigned {
        /// The predicate type that it gives itself.
        predicate_type: &'a str,
    },
    /// A document that is attached to the image as it is, signed by nobody.
    #[serde(rename_all = "camelCase")]
    Attached {
        /// Its media type.
        media_type: &'a str,
    },
    /// A Notation signature envelope.
    Notation {
        /// `jws` or `cose`.
        envelope: &'a str,
    },
    /// Recognised as a signature and not supported.
    #[serde(rename_all = "camelCase")]
    Unsupported {
        /// Its media type.
        media_type: &'a str,
    },
}

impl<'a> From<&'a model::StatementFormat> for Format<'a> {
    fn from(format: &'a model::StatementFormat) -> Self {
        match format {
            model::StatementFormat::SimpleSigning => Self::SimpleSigning,
            model::StatementFormat::BundleMessage => Self::BundleMessage,
            model::StatementFormat::Dsse { predicate_type } => Self::Dsse { predicate_type },
            model::StatementFormat::Unsigned { predicate_type } => Self::Unsigned { predicate_type },
            model::StatementFormat::Attached { media_type } => Self::Attached { media_type },
            model::StatementFormat::Notation { envelope } => Self::Notation { envelope },
            model::StatementFormat::Unsupported { media_type } => Self::Unsupported { media_type },
        }
    }
}

/// How a statement was found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum FoundBy {
    /// By cosign's tag beside the digest.
    CosignTag,
    /// By the referrers API or its fallback tag.
    Referrer,
    /// From a file of bundles.
    BundleFile,
    /// From GitHub's attestation store.
    GithubStore,
    /// Listed inside the image's own index.
    IndexEntry,
}

/// Which digest a statement names.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Relation<'a> {
    /// The one it was found beside.
    Names,
    /// Only others.
    NamesOthers {
        /// The first few.
        digests: &'a [Digest],
    },
    /// It cannot be read.
    Malformed {
        /// Why.
        detail: &'a str,
    },
}

impl<'a> From<&'a model::Relation> for Relation<'a> {
    fn from(relation: &'a model::Relation) -> Self {
        match relation {
            model::Relation::Names => Self::Names,
            model::Relation::NamesOthers(digests) => Self::NamesOthers { digests },
            model::Relation::Malformed(detail) => Self::Malformed { detail },
        }
    }
}

/// One place in which evidence was looked for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    /// The place.
    place: &'a str,
    /// What looking gave.
    outcome: Outcome<'a>,
    /// Why attestations may be there that were not seen, though every question about signatures was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    attestations: Option<Unanswered<'a>>,
    /// When the oldest answer that this rests on was given (RFC 3339).
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    observed: Option<Timestamp>,
    /// How old that answer was at the report's moment, seconds.
    age_seconds: Option<i64>,
}

impl<'a> Place<'a> {
    fn of(place: &'a model::PlaceRecord, as_of: Timestamp) -> Self {
        let age = |observed: Timestamp| as_of.as_second().saturating_sub(observed.as_second()).max(0);
        Self {
            place: &place.place,
            outcome: Outcome::from(&place.outcome),
            attestations: place.attestations.as_ref().map(|unknown| Unanswered { cause: unknown.cause, detail: &unknown.detail }),
            observed: place.observed,
            age_seconds: place.observed.map(age),
        }
    }
}

/// Why there is no answer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Unanswered<'a> {
    /// The stable cause.
    cause: Cause,
    /// What happened.
    detail: &'a str,
}

/// What looking in one place gave.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Outcome<'a> {
    /// All questions were answered.
    Looked {
        /// How many statements were found.
        statements: u32,
    },
    /// Nothing is there, and the place cannot speak for the origin.
    NotAuthoritative,
    /// At least one question was not answered.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: &'a str,
    },
}

impl<'a> From<&'a model::PlaceOutcome> for Outcome<'a> {
    fn from(outcome: &'a model::PlaceOutcome) -> Self {
        match outcome {
            model::PlaceOutcome::Looked(statements) => Self::Looked { statements: *statements },
            model::PlaceOutcome::NotAuthoritative => Self::NotAuthoritative,
            model::PlaceOutcome::Unknown(answer) => Self::Unknown { cause: answer.cause, detail: &answer.detail },
        }
    }
}

/// A signature that lies on a child of the running index: it does not count for the index.
#[derive(Serialize, JsonSchema)]
struct Child<'a> {
    /// The child manifest.
    digest: &'a Digest,
    /// How many signatures name it.
    signatures: u32,
}

impl<'a> From<&'a model::ChildSignatures> for Child<'a> {
    fn from(child: &'a model::ChildSignatures) -> Self {
        Self { digest: &child.child, signatures: child.signatures }
    }
}
