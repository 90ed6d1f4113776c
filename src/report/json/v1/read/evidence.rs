//! Images with what was found about them, read back.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::each;
use crate::model::{
    Attested, BuildLevel, Carrier, Cause, ChildSignatures, CredentialKind, Digest, ImageEvidence, ImageRecord, IndexAbove, LogRecord,
    ManifestPresence, PlaceOutcome, PlaceRecord, Predicate, Proof, ProvenTime, Provenance, Reason, Relation, Repository, RunningImage,
    Sbom, SbomFormat, ShownLevel, Signer, Source, Statement, StatementFormat, StatementSource, Step, StepOutcome, SubjectState, TagState,
    TriedWith, UnknownAnswer, VerificationSummary,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    reference: String,
    repository: Repository,
    running: Running,
    subject: Subject,
    manifest: Manifest,
    tag: TagTarget,
    #[serde(deserialize_with = "each::<_, StatementEntry, _>")]
    statements: Vec<Statement>,
    #[serde(deserialize_with = "each::<_, Place, _>")]
    places: Vec<PlaceRecord>,
    #[serde(default)]
    platforms: Vec<Digest>,
    #[serde(deserialize_with = "each::<_, Child, _>")]
    children: Vec<ChildSignatures>,
    index_unknown: bool,
    index: Option<Index>,
    warnings: Vec<String>,
    build: Option<Build>,
}

impl From<Image> for ImageRecord {
    fn from(entry: Image) -> Self {
        // Older reports say of it only that it is not at hand.
        let older = if entry.index_unknown { IndexAbove::NotAtHand } else { IndexAbove::NotAsked };
        let index = entry.index.map_or(older, IndexAbove::from);
        let evidence = ImageEvidence {
            repository: entry.repository,
            subject: entry.subject.into(),
            manifest: entry.manifest.into(),
            tag: entry.tag.into(),
            statements: entry.statements,
            places: entry.places,
            children: entry.children,
            index,
            platforms: entry.platforms,
            warnings: entry.warnings,
        };
        Self { reference: entry.reference, running: entry.running.into(), evidence, build: entry.build.map(ShownLevel::from) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Index {
    NotAsked,
    None,
    Lists { digest: Digest },
    NotAtHand,
    Unknown { cause: Cause, detail: String },
}

impl From<Index> for IndexAbove {
    fn from(entry: Index) -> Self {
        match entry {
            Index::NotAsked => Self::NotAsked,
            Index::None => Self::None,
            Index::Lists { digest } => Self::Lists(digest),
            Index::NotAtHand => Self::NotAtHand,
            Index::Unknown { cause, detail } => Self::Unknown(UnknownAnswer { cause, detail }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    level: BuildLevel,
    by: Option<String>,
    missing: Vec<Missing>,
    may_be: Option<Possible>,
}

#[derive(Deserialize)]
struct Missing {
    reason: Reason,
    detail: String,
}

#[derive(Deserialize)]
struct Possible {
    level: BuildLevel,
    cause: Cause,
    detail: String,
}

impl From<Build> for ShownLevel {
    fn from(entry: Build) -> Self {
        let lack = entry.missing.into_iter().next().map(|missing| (missing.reason, missing.detail));
        let possible = entry.may_be.map(|may| (may.level, UnknownAnswer { cause: may.cause, detail: may.detail }));
        Self { level: entry.level, by: entry.by, lack, possible }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Running {
    Manifest { digest: Digest },
    Unqualified { digest: Digest },
    Unreadable { text: String },
    Unreported,
}

impl From<Running> for RunningImage {
    fn from(entry: Running) -> Self {
        match entry {
            Running::Manifest { digest } => Self::Manifest(digest),
            Running::Unqualified { digest } => Self::Unqualified(digest),
            Running::Unreadable { text } => Self::Unreadable(text),
            Running::Unreported => Self::Unreported,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Subject {
    Known { digest: Digest },
    Unknown { cause: Cause, detail: String },
    NotAsked,
}

impl From<Subject> for SubjectState {
    fn from(entry: Subject) -> Self {
        match entry {
            Subject::Known { digest } => Self::Known(digest),
            Subject::Unknown { cause, detail } => Self::Unknown(UnknownAnswer { cause, detail }),
            Subject::NotAsked => Self::NotAsked,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Manifest {
    #[serde(rename_all = "camelCase")]
    Seen {
        media_type: String,
        credential: CredentialKind,
    },
    Unknown {
        cause: Cause,
        detail: String,
    },
    NotAsked,
}

impl From<Manifest> for ManifestPresence {
    fn from(entry: Manifest) -> Self {
        match entry {
            Manifest::Seen { media_type, credential } => Self::Seen { media_type, credential },
            Manifest::Unknown { cause, detail } => Self::Unknown(UnknownAnswer { cause, detail }),
            Manifest::NotAsked => Self::NotAsked,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum TagTarget {
    NoTag,
    Unmoved,
    UnmovedIndex { digest: Digest },
    Moved { digest: Digest },
    Gone,
    Unknown { cause: Cause, detail: String },
    NotAsked,
}

impl From<TagTarget> for TagState {
    fn from(entry: TagTarget) -> Self {
        match entry {
            TagTarget::NoTag => Self::NoTag,
            TagTarget::Unmoved => Self::Unmoved,
            TagTarget::UnmovedIndex { digest } => Self::UnmovedIndex(digest),
            TagTarget::Moved { digest } => Self::Moved(digest),
            TagTarget::Gone => Self::Gone,
            TagTarget::Unknown { cause, detail } => Self::Unknown(UnknownAnswer { cause, detail }),
            TagTarget::NotAsked => Self::NotAsked,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatementEntry {
    format: Format,
    found_by: StatementSource,
    place: String,
    carrier_index: Option<Digest>,
    carrier_platform: Option<Digest>,
    relation: RelationEntry,
    manifest: Option<Digest>,
    content: Digest,
    annotations: Option<Digest>,
    attested: Option<AttestedEntry>,
    #[serde(default)]
    proofs: Vec<ProofEntry>,
    #[serde(default)]
    proofs_left_out: u32,
}

impl From<StatementEntry> for Statement {
    fn from(entry: StatementEntry) -> Self {
        let predicate_type = match &entry.format {
            Format::Dsse { predicate_type } | Format::Unsigned { predicate_type } => predicate_type.clone(),
            _ => String::new(),
        };
        let carrier = match (entry.carrier_index, entry.carrier_platform) {
            (Some(index), _) => Carrier::Index(index),
            (None, Some(platform)) => Carrier::Platform(platform),
            (None, None) => Carrier::Itself,
        };
        Self {
            format: entry.format.into(),
            source: entry.found_by,
            place: entry.place,
            carrier,
            relation: entry.relation.into(),
            manifest: entry.manifest,
            content: entry.content,
            annotations: entry.annotations,
            proofs: entry.proofs.into_iter().map(Proof::from).collect(),
            proofs_left_out: entry.proofs_left_out,
            attested: entry.attested.map(|attested| Arc::new(attested.with_type(predicate_type))),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
enum Format {
    SimpleSigning,
    BundleMessage,
    #[serde(rename_all = "camelCase")]
    Dsse {
        predicate_type: String,
    },
    #[serde(rename_all = "camelCase")]
    Unsigned {
        predicate_type: String,
    },
    #[serde(rename_all = "camelCase")]
    Attached {
        media_type: String,
    },
    Notation {
        envelope: String,
    },
    #[serde(rename_all = "camelCase")]
    Unsupported {
        media_type: String,
    },
}

impl From<Format> for StatementFormat {
    fn from(entry: Format) -> Self {
        match entry {
            Format::SimpleSigning => Self::SimpleSigning,
            Format::BundleMessage => Self::BundleMessage,
            Format::Dsse { predicate_type } => Self::Dsse { predicate_type },
            Format::Unsigned { predicate_type } => Self::Unsigned { predicate_type },
            Format::Attached { media_type } => Self::Attached { media_type },
            Format::Notation { envelope } => Self::Notation { envelope },
            Format::Unsupported { media_type } => Self::Unsupported { media_type },
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum RelationEntry {
    Names,
    NamesOthers { digests: Vec<Digest> },
    Malformed { detail: String },
}

impl From<RelationEntry> for Relation {
    fn from(entry: RelationEntry) -> Self {
        match entry {
            RelationEntry::Names => Self::Names,
            RelationEntry::NamesOthers { digests } => Self::NamesOthers(digests),
            RelationEntry::Malformed { detail } => Self::Malformed(detail),
        }
    }
}

#[derive(Deserialize)]
struct AttestedEntry {
    time: Option<Timestamp>,
    predicate: PredicateEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum PredicateEntry {
    #[serde(rename_all = "camelCase")]
    Provenance {
        builder: String,
        build_type: String,
        source: Option<String>,
        reference: Option<String>,
        commit: Option<String>,
        invocation: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Sbom {
        format: SbomFormat,
        spec_version: String,
        generator: Option<String>,
        packages: u32,
    },
    VerificationSummary {
        verifier: String,
        passed: bool,
        levels: Vec<String>,
        resource: String,
    },
    Other {},
    Unsupported {
        detail: String,
    },
    Malformed {
        detail: String,
    },
}

impl AttestedEntry {
    /// What a report says of it; what a report leaves out of it is empty.
    fn with_type(self, predicate_type: String) -> Attested {
        let time = self.time;
        let predicate = match self.predicate {
            PredicateEntry::Malformed { detail } => Err(detail),
            PredicateEntry::Unsupported { detail } => Ok(Predicate::Unsupported(detail)),
            PredicateEntry::Other {} => Ok(Predicate::Other),
            PredicateEntry::Provenance { builder, build_type, source, reference, commit, invocation } => {
                let source = source.map(|repository| Source { repository, reference, commit, entry_point: None, branch: None });
                Ok(Predicate::Provenance(Box::new(Provenance {
                    predicate_type,
                    builder,
                    build_type,
                    source,
                    external_parameters: BTreeMap::new(),
                    invocation,
                    started: None,
                    finished: None,
                    dependencies: 0,
                })))
            }
            PredicateEntry::Sbom { format, spec_version, generator, packages } => {
                let bill = Sbom { format, spec_version, generator, created: time, package_count: packages, packages: None };
                Ok(Predicate::Sbom(Box::new(bill)))
            }
            PredicateEntry::VerificationSummary { verifier, passed, levels, resource } => {
                let summary = VerificationSummary { verifier, time, resource, policy: String::new(), passed, levels, slsa_version: None };
                Ok(Predicate::Summary(Box::new(summary)))
            }
        };
        Attested { time, predicate, payload: crate::model::Payload::default() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofEntry {
    tried_with: TriedWith,
    root: Option<String>,
    signer: Option<Signer>,
    times: Vec<ProvenTime>,
    log: Option<LogRecord>,
    steps: Vec<StepEntry>,
}

#[derive(Deserialize)]
struct StepEntry {
    number: usize,
    outcome: Word,
    #[serde(default)]
    value: String,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Word {
    Held,
    Failed,
    Unknown,
    Missing,
    NotApplicable,
}

impl From<StepEntry> for StepOutcome {
    fn from(entry: StepEntry) -> Self {
        // A code of a newer version: what it means is not known here.
        let (reason, cause) =
            (entry.code.as_deref().and_then(|code| code.parse().ok()), entry.code.as_deref().and_then(|code| code.parse().ok()));
        match entry.outcome {
            Word::Held => Self::Held(entry.value),
            Word::Failed => Self::Failed { reason: reason.unwrap_or(Reason::Malformed), detail: entry.value },
            Word::Unknown => Self::unknown(cause.unwrap_or(Cause::InvalidResponse), entry.value),
            Word::Missing => Self::Missing,
            Word::NotApplicable => Self::NotApplicable,
        }
    }
}

impl From<ProofEntry> for Proof {
    fn from(entry: ProofEntry) -> Self {
        let steps = entry.steps.into_iter().filter_map(|step| {
            let known = Step::ALL.into_iter().find(|known| known.number() == step.number)?;
            Some((known, step.into()))
        });
        Self {
            trial: 0,
            with: entry.tried_with,
            root: entry.root,
            signer: entry.signer,
            steps: steps.collect(),
            times: entry.times,
            log: entry.log,
        }
    }
}

#[derive(Deserialize)]
struct Place {
    place: String,
    outcome: Outcome,
    attestations: Option<UnknownAnswer>,
    observed: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
enum Outcome {
    Looked { statements: u32 },
    NotAuthoritative,
    Unknown { cause: Cause, detail: String },
}

impl From<Place> for PlaceRecord {
    fn from(entry: Place) -> Self {
        let outcome = match entry.outcome {
            Outcome::Looked { statements } => PlaceOutcome::Looked(statements),
            Outcome::NotAuthoritative => PlaceOutcome::NotAuthoritative,
            Outcome::Unknown { cause, detail } => PlaceOutcome::Unknown(UnknownAnswer { cause, detail }),
        };
        Self { place: entry.place, outcome, attestations: entry.attestations, observed: entry.observed }
    }
}

#[derive(Deserialize)]
struct Child {
    digest: Digest,
    signatures: u32,
}

impl From<Child> for ChildSignatures {
    fn from(entry: Child) -> Self {
        Self { child: entry.digest, signatures: entry.signatures }
    }
}
