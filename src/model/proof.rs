//! What verification found about a statement: facts, step by step. Whether they are enough is the policy's question.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ledger::UnknownAnswer;
use super::verdict::{Cause, Reason};

/// The steps of a verification, in the order of `docs/verification.md`, which has their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// 1. The bytes are a signature of a known form.
    Form,
    /// 2. The certificate chains to a trusted authority that was valid then.
    CertificateChain,
    /// 3. The certificate was announced in a certificate-transparency log (SCT).
    CertificateLog,
    /// 4. The entry of the transparency log is about this signature, key and payload.
    LogEntry,
    /// 5. The log has it: inclusion proof with signed checkpoint, or signed promise (SET).
    LogInclusion,
    /// 6. A time-stamp authority saw the signature (RFC 3161).
    TimeStamp,
    /// 7. The certificate was valid at every proven time.
    CertificateValidity,
    /// 8. The signature is the key's, over the payload.
    Signature,
    /// 9. The payload names this digest.
    Subject,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Form,
        Self::CertificateChain,
        Self::CertificateLog,
        Self::LogEntry,
        Self::LogInclusion,
        Self::TimeStamp,
        Self::CertificateValidity,
        Self::Signature,
        Self::Subject,
    ];

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> usize {
        self as usize + 1
    }

    /// What it is called before a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Form => "form of the signature",
            Self::CertificateChain => "certificate chain",
            Self::CertificateLog => "certificate transparency (SCT)",
            Self::LogEntry => "log entry",
            Self::LogInclusion => "inclusion in the log",
            Self::TimeStamp => "time stamp",
            Self::CertificateValidity => "certificate's validity",
            Self::Signature => "signature",
            Self::Subject => "subject",
        }
    }
}

/// How a step came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepOutcome {
    /// It holds; the value that was checked.
    Held(String),
    /// It does not.
    Failed {
        /// The stable reason.
        reason: Reason,
        /// What was found.
        detail: String,
    },
    /// It cannot be said.
    Unknown(UnknownAnswer),
    /// There is nothing to check (no log entry, say).
    Missing,
    /// It means nothing here (a key has no certificate), or an earlier failure left nothing to check.
    NotApplicable,
}

impl StepOutcome {
    /// A failure.
    #[must_use]
    pub fn failed(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Failed { reason, detail: detail.into() }
    }

    /// Not known.
    #[must_use]
    pub fn unknown(cause: Cause, detail: impl Into<String>) -> Self {
        Self::Unknown(UnknownAnswer { cause, detail: detail.into() })
    }

    /// Whether it holds.
    #[must_use]
    pub fn held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

/// A name in a certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SubjectName {
    /// An e-mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// A user name that the issuer knows (Fulcio's OtherName, OID 1.3.6.1.4.1.57264.1.7).
    Username(String),
    /// A DNS name.
    Dns(String),
    /// A name of a kind that no policy can mean (an IP address, a directory name, a foreign OtherName), told with its kind.
    Other(String),
}

impl SubjectName {
    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::Username(text) | Self::Dns(text) | Self::Other(text) => text,
        }
    }
}

/// What a certificate claims: worth something only where its chain holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateClaims {
    /// Names in its subject alternative name, in their order. Empty: it names nobody.
    pub names: Vec<SubjectName>,
    /// The subject's distinguished name (RFC 4514); empty in Fulcio's.
    pub subject: String,
    /// Issuer of the identity (Fulcio's extension .8, else .1).
    pub issuer: Option<String>,
    /// Fulcio's other extensions by the names that policies use (`sourceRepositoryUri`, …), sorted.
    pub extensions: BTreeMap<String, String>,
    /// SHA-256 of the certificate.
    pub fingerprint: Digest,
    /// SHA-256 of its public key's `SubjectPublicKeyInfo`.
    pub key: Digest,
    /// Not valid before.
    #[schemars(with = "String")]
    pub not_before: Timestamp,
    /// Not valid after.
    #[schemars(with = "String")]
    pub not_after: Timestamp,
}

/// Who signed, as far as the statement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Signer {
    /// The holder of a certificate.
    Certificate(Box<CertificateClaims>),
    /// The holder of a key.
    Key {
        /// SHA-256 of its `SubjectPublicKeyInfo`: of the key that it was tried with.
        fingerprint: Digest,
    },
}

/// By what a time is proven.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TimeSource {
    /// The log's signed promise over its integrated time.
    Log,
    /// A time-stamp authority.
    TimeStampAuthority,
}

/// A proven time of signing: the signature existed then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvenTime {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// By what.
    pub by: TimeSource,
}

/// An entry of a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogRecord {
    /// Its index.
    pub index: u64,
    /// The log's identifier (hexadecimal).
    pub log: String,
    /// The log's address, as the trust root has it.
    pub address: Option<String>,
}

/// With what a statement was tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TriedWith {
    /// The certificate authority of a trust root.
    Root(String),
    /// A key, by fingerprint.
    Key(Digest),
    /// Authorities of the user's own, by the digest of their certificates together.
    Authorities(Digest),
}

/// What one trial of one statement gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Position of the trial in the list of those that the policies lead to.
    pub trial: u32,
    /// With what it was tried.
    pub with: TriedWith,
    /// The trust root whose logs and time stamps counted.
    pub root: Option<String>,
    /// Who signed. A claim where `CertificateChain` does not hold, or `Signature` does not.
    pub signer: Option<Signer>,
    /// Every step, in order.
    pub steps: Vec<(Step, StepOutcome)>,
    /// Proven times, sorted; none later than the as-of moment.
    pub times: Vec<ProvenTime>,
    /// The log entry, where it holds.
    pub log: Option<LogRecord>,
}

impl Proof {
    /// How a step came out.
    #[must_use]
    pub fn step(&self, step: Step) -> &StepOutcome {
        const NOT_APPLICABLE: &StepOutcome = &StepOutcome::NotApplicable;
        self.steps.iter().find(|(known, _)| *known == step).map_or(NOT_APPLICABLE, |(_, outcome)| outcome)
    }

    /// Whether it says the same whenever it is asked for, by the same material: nothing in it is unknown, and a time is proven wherever a
    /// certificate needs one.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        let known = self.steps.iter().all(|(_, outcome)| !matches!(outcome, StepOutcome::Unknown(_)));
        let rests_on_now = matches!(self.with, TriedWith::Authorities(_)) && self.times.is_empty();
        known && !rests_on_now
    }

    /// The earliest proven time.
    #[must_use]
    pub fn proven_time(&self) -> Option<&ProvenTime> {
        self.times.first()
    }
}
