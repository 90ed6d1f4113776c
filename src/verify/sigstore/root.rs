//! A trust root, made ready.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use sigstore_crypto::{Keyring, SigningScheme, VerificationKey};
use sigstore_trust_root::TrustedRoot;
use sigstore_types::{DerCertificate, TimeRange};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::model::{Algorithm, Cause, Digest, TrustRoot, UnknownAnswer};

/// A trust root with its keys and certificates read, as of one moment.
pub(in crate::verify) struct Root {
    /// Its name in the policy.
    pub(super) name: String,
    /// Up to which moment it is known to be complete.
    dated: Option<Timestamp>,
    /// Whether it has no log by design.
    pub(super) without_logs: bool,
    pub(super) trusted: TrustedRoot,
    pub(super) verifier: sigstore_verify::Verifier,
    pub(super) rekor_keys: Keyring,
    authorities: Vec<Certificate>,
    /// Logs whose keys are of a kind that is not supported: known, and yet of no use.
    unsupported_logs: BTreeSet<Vec<u8>>,
    material: Digest,
}

/// The document of a root that has nothing, for authorities of the user's own without a root.
fn nothing() -> Result<TrustedRoot, UnknownAnswer> {
    let document = json!({ "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });
    serde_json::from_value(document).map_err(|error| unavailable("", &error))
}

fn unavailable(name: &str, error: &dyn std::fmt::Display) -> UnknownAnswer {
    UnknownAnswer { cause: Cause::TrustRootUnavailable, detail: format!("trust root {name} cannot be used: {error}") }
}

impl Root {
    /// Reads a root as of a moment: what was not yet valid then is not there.
    ///
    /// The family has no clock that could be set; it leaves out what has not begun by its own clock, so that here what has not begun
    /// as of the moment is taken out before.
    pub(in crate::verify) fn read(root: &TrustRoot, as_of: Timestamp) -> Result<Self, UnknownAnswer> {
        let content = root.content.as_ref().map_err(Clone::clone)?;
        let trusted: TrustedRoot = serde_json::from_slice(content).map_err(|error| unavailable(&root.name, &error))?;
        Self::of(&root.name, root.dated, root.without_logs, trusted, as_of)
    }

    /// Certificate authorities of the user's own, with logs and time-stamp authorities of a root, if there is one.
    pub(in crate::verify) fn of_own(authorities: &[Arc<[u8]>], root: Option<&TrustRoot>, as_of: Timestamp) -> Result<Self, UnknownAnswer> {
        let (name, dated, mut trusted) = match root {
            Some(root) => {
                let content = root.content.as_ref().map_err(Clone::clone)?;
                (root.name.as_str(), root.dated, serde_json::from_slice(content).map_err(|error| unavailable(&root.name, &error))?)
            }
            None => ("", None, nothing()?),
        };
        // One authority each: the family takes every certificate of a chain for an anchor, and these were all given as such.
        let own = authorities.iter().map(|der| {
            let certificate = DerCertificate::new(der.to_vec()).to_base64();
            json!({ "uri": "", "certChain": { "certificates": [{ "rawBytes": certificate }] } })
        });
        let own = serde_json::Value::Array(own.collect());
        trusted.certificate_authorities = serde_json::from_value(own).map_err(|error| unavailable(name, &error))?;
        trusted.ctlogs.clear();
        // The roots of the user's own are current; only logs and time stamps have the root's date.
        Self::of(name, dated, false, trusted, as_of)
    }

    fn of(
        name: &str,
        dated: Option<Timestamp>,
        without_logs: bool,
        mut trusted: TrustedRoot,
        as_of: Timestamp,
    ) -> Result<Self, UnknownAnswer> {
        let begun = |window: Option<&TimeRange>| window.is_none_or(|window| window.has_started_by(as_of));
        trusted.tlogs.retain(|log| begun(log.public_key.valid_for.as_ref()));
        trusted.ctlogs.retain(|log| begun(log.public_key.valid_for.as_ref()));
        trusted.certificate_authorities.retain(|authority| begun(authority.valid_for.as_ref()));
        trusted.timestamp_authorities.retain(|authority| begun(authority.valid_for.as_ref()));
        // One key of a kind that the family does not know would cost it the whole root.
        let mut unsupported_logs = BTreeSet::new();
        trusted.tlogs.retain(|log| {
            let supported = VerificationKey::from_spki(&log.public_key.raw_bytes).is_ok();
            if !supported {
                unsupported_logs.insert(log.log_id.key_id.as_bytes().to_vec());
            }
            supported
        });
        trusted.ctlogs.retain(|log| {
            let key = &log.public_key.raw_bytes;
            let supported =
                VerificationKey::from_spki(key).is_ok() || VerificationKey::from_der(key, SigningScheme::RsaPkcs1Sha256).is_ok();
            if !supported {
                unsupported_logs.insert(log.log_id.key_id.as_bytes().to_vec());
            }
            supported
        });
        let verifier = sigstore_verify::Verifier::new(&trusted).map_err(|error| unavailable(name, &error))?;
        let rekor_keys = trusted.rekor_keys().map_err(|error| unavailable(name, &error))?;
        let certificates = trusted.certificate_authorities.iter().flat_map(|authority| &authority.cert_chain.certificates);
        let authorities = certificates.filter_map(|entry| Certificate::from_der(entry.raw_bytes.as_bytes()).ok()).collect();
        // What was left out as of the moment is not in it: two moments between which nothing begins are one. Logs of no use are: whether
        // they are known makes a difference.
        let written =
            serde_json::to_vec(&(name, dated, without_logs, &trusted, &unsupported_logs)).map_err(|error| unavailable(name, &error))?;
        let material = Digest::of(Algorithm::Sha256, &written);
        Ok(Self { name: name.to_owned(), dated, without_logs, trusted, verifier, rekor_keys, authorities, unsupported_logs, material })
    }

    /// The digest of what it is made of, as of the moment.
    pub(in crate::verify) fn material(&self) -> &Digest {
        &self.material
    }

    /// Why something that the root does not know is not known, where the root may be older than it.
    pub(super) fn too_old_for(&self, claimed: Timestamp, what: &str) -> Option<UnknownAnswer> {
        let dated = self.dated.filter(|dated| claimed > *dated)?;
        let name = &self.name;
        let detail = format!("{what} is not in trust root {name}, which is of {dated}; the signature claims {claimed}: refresh the root");
        Some(UnknownAnswer { cause: Cause::TrustRootTooOld, detail })
    }

    /// Whether any of its certificate authorities is the one that the certificate claims as its issuer.
    pub(super) fn knows_issuer_of(&self, certificate: &Certificate) -> bool {
        self.authorities.iter().any(|authority| super::certificate::claims_issuer(certificate, authority))
    }

    /// Whether it knows the transparency log of this identifier.
    pub(super) fn knows_log(&self, id: &[u8]) -> bool {
        self.trusted.tlogs.iter().any(|log| log.log_id.key_id.as_bytes() == id)
    }

    /// Whether it names the log with a key of a kind that is not supported.
    pub(super) fn cannot_use_log(&self, id: &[u8]) -> bool {
        self.unsupported_logs.contains(id)
    }

    /// The address of a transparency log.
    pub(super) fn address_of_log(&self, id: &[u8]) -> Option<String> {
        let log = self.trusted.tlogs.iter().find(|log| log.log_id.key_id.as_bytes() == id)?;
        Some(log.base_url.clone()).filter(|address| !address.is_empty())
    }

    /// The last moment at which the key of a transparency log is trusted, where it has ended or will end.
    pub(super) fn end_of_log(&self, id: &[u8]) -> Option<Timestamp> {
        let log = self.trusted.tlogs.iter().filter(|log| log.log_id.key_id.as_bytes() == id);
        log.map(|log| log.public_key.valid_for.and_then(|window| window.end)).max_by_key(|end| (end.is_none(), *end)).flatten()
    }

    /// The identifiers of its certificate-transparency logs.
    pub(super) fn knows_certificate_log(&self, id: &[u8]) -> bool {
        self.trusted.ctlogs.iter().any(|log| log.log_id.key_id.as_bytes() == id)
    }
}
