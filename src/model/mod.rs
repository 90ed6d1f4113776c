//! The words of the field as plain types.
//!
//! Every other room speaks in these types and may import this one; this one imports no other. It must not do
//! I/O, read a clock or depend on `tokio`, `kube` or an HTTP client: what is here can be built, compared,
//! serialised and tested from nothing.

mod build;
mod change;
mod coverage;
mod digest;
mod event;
mod evidence;
mod finding;
mod github;
mod inventory;
mod ledger;
mod level;
mod manifest;
mod needs;
mod owner;
mod pattern;
mod predicate;
mod proof;
mod provenance;
mod reference;
mod report;
mod sbom;
mod score;
mod secret;
mod shared_text;
mod summary;
mod text;
mod trust;
mod verdict;
mod verification;
mod workload;

pub use build::{BuildReport, RunningWorkload, ShownLevel, Vouched};
pub use change::{AnswerState, Change, ChangedBy, ChangedDocument, ChangedWorkload, Changes, ComparedReport, DocumentChange};
pub use coverage::{Coverage, ManualControl, Milestones, NextMilestone, Threat, ThreatCoverage};
pub use digest::{Algorithm, Digest, DigestError};
pub use event::{Phase, ScanEvent, Stop};
pub use evidence::{
    Carrier, ChildSignatures, ImageEvidence, IndexAbove, ManifestPresence, PlaceOutcome, PlaceRecord, Relation, SIGNATURE_TYPE, Statement,
    StatementFormat, StatementSource, SubjectState, TagState,
};
pub use finding::{ContainerFinding, ControlStatus, Evidence, Judgement, Novelty, Standing, WorkloadFinding};
pub use github::{GITHUB_API, GithubScope, GithubStore, GithubStoreError};
pub use inventory::{ClusterIdentity, Gap, Inventory, InventoryCounts, NotJudged, NotVisible, Scope};
pub use ledger::{
    Answer, Ask, CosignTag, CredentialIdentity, CredentialKind, Descriptor, Ledger, Outcome, Place, Question, SecretName, UnknownAnswer,
};
pub use level::{LevelError, VerifiedLevel};
pub use manifest::{
    ArtifactManifest, DOCKER_LIST, DOCKER_MANIFEST, ImageIndex, ImageManifest, Link, Manifest, ManifestError, OCI_ARTIFACT, OCI_INDEX,
    OCI_MANIFEST, is_index,
};
pub use needs::Needs;
pub use owner::{OwnerSource, OwnerSourceError};
pub use pattern::{Glob, Pattern, PatternError};
pub use predicate::{
    Attested, CYCLONEDX, PROVENANCE_V1, PROVENANCE_V02, Payload, Predicate, PredicateKind, PredicateKinds, PredicateType,
    PredicateTypeError, SPDX, VERIFICATION_SUMMARY, Wanted,
};
pub use proof::{CertificateClaims, LogRecord, Proof, ProvenTime, Signer, Step, StepOutcome, SubjectName, TimeSource, TriedWith};
pub use provenance::{BuildLevel, Provenance, Source, SourcePattern, SourcePatternError};
pub use reference::{ImageReference, ReferenceError, Repository};
pub use report::{
    BaselineRecord, ClusterRecord, ControlOutcome, ControlResult, DocumentDigest, ExceptionRecord, ExceptionState, FrameworkResult,
    GateCheck, GateOutcome, GateResult, Header, ImageRecord, Report, ReportSource, Stage, TRUST_POLICY, WorkloadRecord,
};
pub use sbom::{Package, Sbom, SbomFormat};
pub use score::{Compliance, Counts, Severity};
pub use secret::{PullSecret, Secret};
pub use shared_text::{Labels, SharedText};
pub use summary::{VerificationResult, VerificationSummary, VerifiedImage};
pub use text::{escape_control, is_deceptive};
pub use trust::{AuthorityMaterial, PolicyMaterial, PublicKey, RootOrigin, RootRecord, Trial, TrustRoot};
pub use verdict::{Cause, Reason, Verdict};
pub use verification::{PolicyStep, VerificationReport, VerifiedSignature};
pub use workload::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, ObjectKey, Origin, PodSample, PullPolicy, RunningImage,
    SourcePosition, Workload,
};
