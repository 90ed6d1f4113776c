//! Trust material: what a verification rests on, as bytes with their origin. Where it comes from is the trust room's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ledger::UnknownAnswer;

/// Where a trust root was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RootOrigin {
    /// A TUF repository, asked now.
    Tuf {
        /// Its address.
        url: String,
    },
    /// What a TUF repository said earlier, verified again from the cache on disk.
    TufCache {
        /// Its address.
        url: String,
    },
    /// The copy inside this program.
    Embedded,
    /// A file, or what stands in the policy itself.
    File {
        /// Its name.
        path: String,
    },
}

/// Sigstore's `trusted_root.json` by name: who may vouch for identities, log entries and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    /// Its name in the policy.
    pub name: String,
    /// Where it was read from, or where it would have been.
    pub origin: RootOrigin,
    /// Up to which moment it is known to be complete; none counts as current (a file).
    pub dated: Option<Timestamp>,
    /// Whether its certificate authority has no transparency log by design: then a time stamp alone proves the time.
    pub without_logs: bool,
    /// The bytes of the document, or why there are none.
    pub content: Result<Arc<[u8]>, UnknownAnswer>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    /// Its `SubjectPublicKeyInfo` in DER (RFC 5280).
    pub spki: Arc<[u8]>,
    /// SHA-256 of the above: how people and Sigstore's hints name a key.
    pub fingerprint: Digest,
}

/// A trust root as a report names it: where it is from, and how old.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RootRecord {
    /// Name of the policy.
    pub policy: String,
    /// Its name in the policy.
    pub name: String,
    /// Where it was read from, or where it would have been.
    pub origin: RootOrigin,
    /// Up to which moment it is known to be complete; none counts as current.
    pub dated: Option<Timestamp>,
    /// SHA-256 of its document, or why there is none.
    pub content: Result<Digest, UnknownAnswer>,
    /// What a person should know about it: that it is old, say.
    pub warning: Option<String>,
}

/// What one authority of a policy vouches with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorityMaterial {
    /// Certificates of the trust roots by these names, in order of preference.
    Keyless,
    /// Any of these keys; never empty.
    Keys(Vec<PublicKey>),
    /// Certificates (DER) of authorities of its own, roots and intermediates; never empty.
    Certificates(Vec<Arc<[u8]>>),
    /// It could not be read.
    Unavailable(UnknownAnswer),
}

/// The material of one trust policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyMaterial {
    /// Trust roots by their names in the policy.
    pub roots: BTreeMap<String, Arc<TrustRoot>>,
    /// Authorities by their names in the policy.
    pub authorities: BTreeMap<String, AuthorityMaterial>,
}

/// One way in which a statement can be tried: what an authority vouches with, and against which trust root logs and times are checked.
///
/// Two authorities that differ in identities alone share a trial: cryptography is done once, matching as often as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// A certificate of the root's authority.
    Keyless {
        /// The root.
        root: Arc<TrustRoot>,
    },
    /// A public key.
    Key {
        /// The key.
        key: PublicKey,
        /// Whose logs and time stamps count.
        root: Option<Arc<TrustRoot>>,
    },
    /// A certificate under authorities of the user's own.
    Certificate {
        /// Certificates (DER) of these authorities.
        authorities: Vec<Arc<[u8]>>,
        /// Whose logs and time stamps count.
        root: Option<Arc<TrustRoot>>,
    },
}
