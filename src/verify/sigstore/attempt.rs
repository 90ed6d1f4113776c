//! Trying a signature with a certificate authority or a key: the family verifies, and where it refuses, the step that failed is noted,
//! what it concerns is taken off, and the rest is verified again.
//!
//! Upstream gap (sigstore-verify 0.15): a proof that is there and does not hold is an error in every mode, also where a policy does not
//! ask for it; and there is one error, where a report needs every step.

use std::borrow::Cow;

use jiff::Timestamp;
use sigstore_types::bundle::TimestampVerificationData;
use sigstore_types::{Bundle, DerPublicKey, KindVersion, MediaType};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult};

use super::super::Malformed;
use super::certificate::Read;
use super::content::Content;
use super::failure::Circumstances;
use super::key::{self, KeyFailure};
use super::primitives;
use super::root::Root;
use crate::model::{Cause, LogRecord, ProvenTime, PublicKey, Reason, Signer, Step, StepOutcome, TimeSource};

/// What an attempt found.
#[derive(Default)]
pub(in crate::verify) struct Found {
    pub(in crate::verify) signer: Option<Signer>,
    pub(in crate::verify) steps: Vec<(Step, StepOutcome)>,
    pub(in crate::verify) times: Vec<ProvenTime>,
    pub(in crate::verify) log: Option<LogRecord>,
}

impl Found {
    /// Notes how a step came out; what was noted first stays, but that something is missing gives way to what follows from it.
    pub(in crate::verify) fn note(&mut self, step: Step, outcome: StepOutcome) {
        match self.steps.iter_mut().find(|(known, _)| *known == step) {
            None => self.steps.push((step, outcome)),
            Some((_, known)) if *known == StepOutcome::Missing => *known = outcome,
            Some(_) => {}
        }
    }

    fn holds(&self, step: Step) -> bool {
        self.steps.iter().any(|(known, outcome)| *known == step && outcome.held())
    }

    fn held(&mut self, step: Step, value: impl Into<String>) {
        self.note(step, StepOutcome::Held(value.into()));
    }
}

/// What is taken off a bundle, or not asked for.
struct Relaxed {
    certificate_log: bool,
    log: bool,
    stamps: bool,
}

impl Relaxed {
    /// The bundle without what is taken off.
    fn apply<'b>(&self, bundle: &'b Bundle) -> Cow<'b, Bundle> {
        let has_stamps = !bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.is_empty();
        let changes = self.log || (self.stamps && has_stamps);
        if !changes {
            return Cow::Borrowed(bundle);
        }
        let mut bundle = bundle.clone();
        if self.log {
            bundle.verification_material.tlog_entries.clear();
            // Version 0.1 cannot be without a promise of the log.
            bundle.media_type = MediaType::Bundle0_2;
        }
        if self.stamps {
            bundle.verification_material.timestamp_verification_data = TimestampVerificationData::default();
        }
        Cow::Owned(bundle)
    }

    /// Takes off what a failed step concerns; false where nothing is left to take off.
    fn relax(&mut self, step: Step) -> bool {
        let flag = match step {
            Step::CertificateLog => &mut self.certificate_log,
            Step::LogEntry | Step::LogInclusion => &mut self.log,
            Step::TimeStamp => &mut self.stamps,
            _ => return false,
        };
        !std::mem::replace(flag, true)
    }
}

/// Begins with what a certificate says of itself; nothing where it cannot be read.
fn begin<'r>(content: &Content, read: Result<&'r Read, &Malformed>, found: &mut Found) -> Option<&'r Read> {
    found.held(Step::Form, content.form.clone());
    match read {
        Ok(read) => {
            found.signer = Some(Signer::Certificate(Box::new(read.claims.clone())));
            Some(read)
        }
        Err(malformed) => {
            found.note(Step::CertificateChain, super::content::refuse(malformed.clone()));
            None
        }
    }
}

/// Tries a signature by a certificate with authorities of the user's own; what logs and time stamps would show cannot be checked.
pub(super) fn by_certificate_alone(content: &Content, read: Result<&Read, &Malformed>, root: &Root, as_of: Timestamp) -> Found {
    let mut found = Found::default();
    let Some(read) = begin(content, read, &mut found) else { return found };
    note_unread_entry(content, &mut found);
    note_missing(content, &mut found);
    without_proven_time(content, root, read, as_of, &mut found);
    found
}

/// Tries a signature by a certificate with the authorities of a root.
pub(super) fn by_certificate(
    content: &Content,
    read: Result<&Read, &Malformed>,
    root: &Root,
    own_authority: bool,
    as_of: Timestamp,
) -> Found {
    let mut found = Found::default();
    let Some(read) = begin(content, read, &mut found) else { return found };
    if let Some(old) = &content.old_entry {
        super::old_entry::verify(content, old, root, read, &mut found);
        return found;
    }
    note_unread_entry(content, &mut found);
    let material = &content.bundle.verification_material;
    let mut relaxed = Relaxed {
        certificate_log: own_authority || root.without_logs,
        log: material.tlog_entries.is_empty() || root.without_logs,
        stamps: material.timestamp_verification_data.rfc3161_timestamps.is_empty(),
    };
    note_missing(content, &mut found);
    if own_authority && relaxed.log && relaxed.stamps {
        without_proven_time(content, root, read, as_of, &mut found);
        return found;
    }
    loop {
        let bundle = relaxed.apply(&content.bundle);
        let mut policy = VerificationPolicy::any_identity();
        if relaxed.certificate_log {
            policy = policy.skip_sct();
        }
        if relaxed.log {
            policy = policy.skip_tlog_unsafe();
        }
        let circumstances = Circumstances { root, bundle: &bundle, certificate: Some(read), as_of };
        let verified = match circumstances.foreign_log() {
            Some(failure) => Err(failure),
            None => root.verifier.verify(content.artifact(), &bundle, &policy).map_err(|error| circumstances.attribute(&error)),
        };
        let verified = verified.and_then(|result| circumstances.ended_log(result.verified_timestamps()).map_or(Ok(result), Err));
        match verified {
            // Whatever was skipped is not noted as held; the chain is asked for explicitly, so that nothing rests on a default.
            Ok(result) if result.certificate_verified() => {
                note_verified(&bundle, root, read, &relaxed, &result, &mut found);
                return found;
            }
            Ok(_) => {
                found.note(Step::CertificateChain, StepOutcome::failed(Reason::CertificateUntrusted, "the chain was not verified"));
                return found;
            }
            // The family checks nothing where no time is proven, and such an authority needs none.
            Err((Step::TimeStamp, _)) if own_authority && relaxed.stamps => {
                without_proven_time(content, root, read, as_of, &mut found);
                if found.holds(Step::Signature) {
                    let detail = "a log entry that proves no time is not checked where there is no time stamp beside it";
                    found.note(Step::LogInclusion, StepOutcome::unknown(Cause::UnsupportedFormat, detail));
                }
                return found;
            }
            Err((step, outcome)) => {
                // That no time is proven is how it shows that what would have proven it has been taken off.
                let again = relaxed.relax(step);
                found.note(step, outcome);
                if !again {
                    return found;
                }
                if own_authority && relaxed.log && relaxed.stamps {
                    without_proven_time(content, root, read, as_of, &mut found);
                    return found;
                }
            }
        }
    }
}

fn note_verified(bundle: &Bundle, root: &Root, read: &Read, relaxed: &Relaxed, result: &VerificationResult, found: &mut Found) {
    let (from, until) = (read.claims.not_before, read.claims.not_after);
    found.held(Step::CertificateChain, format!("issued by {}", issuer_name(read)));
    if !relaxed.certificate_log && result.sct_verified() {
        found.held(Step::CertificateLog, "signed certificate timestamp".to_owned());
    }
    let stamps = bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.len();
    note_log(bundle, root, relaxed, found);
    // The family lists what was stamped before what was promised.
    for (position, at) in result.verified_timestamps().iter().enumerate() {
        let by = if position < stamps { TimeSource::TimeStampAuthority } else { TimeSource::Log };
        found.times.push(ProvenTime { at: *at, by });
    }
    note_stamps(found);
    let times: Vec<_> = found.times.iter().map(|time| time.at.to_string()).collect();
    found.held(Step::CertificateValidity, format!("valid from {from} until {until}; signed at {}", times.join(", ")));
    found.held(Step::Signature, format!("by the certificate's key {}", read.claims.key.short()));
}

/// Notes an entry of the log that cannot be read: whether it is in the log cannot be known then, or not be shown.
fn note_unread_entry(content: &Content, found: &mut Found) {
    // The old kind is only read where a certificate signed.
    let old = content.old_entry.as_ref().map(|_| {
        let detail = "log entries of the kind intoto/0.0.1 are not supported for signatures by a key";
        StepOutcome::unknown(Cause::UnsupportedFormat, detail)
    });
    if let Some(outcome) = content.unread_entry.clone().or(old) {
        found.note(Step::LogEntry, outcome);
        found.note(Step::LogInclusion, StepOutcome::NotApplicable);
    }
}

/// Notes that there is no log entry, and no time stamp.
fn note_missing(content: &Content, found: &mut Found) {
    let material = &content.bundle.verification_material;
    // An entry of the old kind is kept beside the bundle.
    if material.tlog_entries.is_empty() && content.old_entry.is_none() {
        found.note(Step::LogEntry, StepOutcome::Missing);
        found.note(Step::LogInclusion, StepOutcome::Missing);
    }
    if material.timestamp_verification_data.rfc3161_timestamps.is_empty() {
        found.note(Step::TimeStamp, StepOutcome::Missing);
    }
}

fn note_stamps(found: &mut Found) {
    found.times.sort();
    let stamped = found.times.iter().filter(|time| time.by == TimeSource::TimeStampAuthority).map(|time| time.at.to_string());
    let stamped = stamped.collect::<Vec<_>>().join(", ");
    if !stamped.is_empty() {
        found.held(Step::TimeStamp, stamped);
    }
}

/// Notes what the entries of the log show; they were verified.
fn note_log(bundle: &Bundle, root: &Root, relaxed: &Relaxed, found: &mut Found) {
    if relaxed.log {
        return;
    }
    let Some(entry) = bundle.verification_material.tlog_entries.first() else { return };
    let id = entry.log_id.key_id.as_bytes();
    let index = entry.log_index.get();
    let log: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = match (&entry.inclusion_proof, &entry.inclusion_promise) {
        (Some(_), Some(_)) => "inclusion proof with signed checkpoint, and signed promise",
        (Some(_), None) => "inclusion proof with signed checkpoint",
        (None, _) => "signed promise",
    };
    found.held(Step::LogEntry, format!("{} {}, entry {index}", entry.kind_version.kind(), entry.kind_version.version()));
    found.held(Step::LogInclusion, shown.to_owned());
    found.log = Some(LogRecord { index, log, address: root.address_of_log(id) });
}

fn issuer_name(read: &Read) -> String {
    let name = read.parsed.tbs_certificate.issuer.to_string();
    if name.is_empty() { "an authority without a name".to_owned() } else { name }
}

/// A certificate of an authority of the user's own, where no time is proven: it must be valid at the moment itself.
///
/// Upstream gap (sigstore-verify 0.15): without a proven time nothing is verified.
fn without_proven_time(content: &Content, root: &Root, read: &Read, as_of: Timestamp, found: &mut Found) {
    let Some(leaf) = content.certificate() else { return };
    let (from, until) = (read.claims.not_before, read.claims.not_after);
    if as_of < from || as_of > until {
        let detail = format!("no time of signing is proven, and the certificate is valid from {from} until {until}");
        found.note(Step::CertificateValidity, StepOutcome::failed(Reason::CertificateExpiredAtSigning, detail));
        return;
    }
    if let Err(error) = primitives::chain(root, leaf, &content.intermediates(), as_of) {
        found.note(Step::CertificateChain, StepOutcome::failed(Reason::CertificateUntrusted, error));
        return;
    }
    found.held(Step::CertificateChain, format!("issued by {}", issuer_name(read)));
    found.held(Step::CertificateValidity, format!("valid from {from} until {until}; no time of signing is proven"));
    match key::check(content, &read.info.public_key) {
        Ok(scheme) => found.held(Step::Signature, format!("{scheme} by the certificate's key {}", read.claims.key.short())),
        Err(KeyFailure::NotByThisKey) => {
            let detail = "the signature is not by the certificate's key over this payload";
            found.note(Step::Signature, StepOutcome::failed(Reason::SignatureInvalid, detail));
        }
        Err(KeyFailure::Unsupported(detail)) => found.note(Step::Signature, StepOutcome::unknown(Cause::UnsupportedFormat, detail)),
    }
}

/// Tries a signature with a key; logs and time stamps count under the root, if there is one.
pub(super) fn by_key(content: &Content, key: &PublicKey, root: Option<&Root>, as_of: Timestamp) -> Found {
    let mut found = Found { signer: Some(Signer::Key { fingerprint: key.fingerprint.clone() }), ..Found::default() };
    found.held(Step::Form, content.form.clone());
    let public_key = DerPublicKey::new(key.spki.to_vec());
    // First: it is cheap, and with another key nothing else is worth anything.
    match key::check(content, &public_key) {
        Ok(scheme) => found.held(Step::Signature, format!("{scheme} by key {}", key.fingerprint.short())),
        Err(KeyFailure::NotByThisKey) => {
            let hinted = sigstore_crypto::sha256(&key.spki).to_base64();
            let outcome = if content.hint() == Some(hinted.as_str()) {
                StepOutcome::failed(
                    Reason::SignatureInvalid,
                    format!("it says that it is by key {}, and it is not", key.fingerprint.short()),
                )
            } else {
                StepOutcome::failed(Reason::KeyMismatch, format!("it is not by key {}", key.fingerprint.short()))
            };
            found.note(Step::Signature, outcome);
            return found;
        }
        Err(KeyFailure::Unsupported(detail)) => {
            found.note(Step::Signature, StepOutcome::unknown(Cause::UnsupportedFormat, detail));
            return found;
        }
    }
    note_unread_entry(content, &mut found);
    let material = &content.bundle.verification_material;
    let mut relaxed = Relaxed {
        certificate_log: true,
        log: material.tlog_entries.is_empty(),
        stamps: material.timestamp_verification_data.rfc3161_timestamps.is_empty(),
    };
    note_missing(content, &mut found);
    let Some(root) = root else { return found };
    while !(relaxed.log && relaxed.stamps) {
        let bundle = relaxed.apply(&content.bundle);
        let mut policy = PublicKeyVerificationPolicy::new(public_key.clone());
        if relaxed.log {
            policy = policy.skip_tlog_unsafe();
        }
        let circumstances = Circumstances { root, bundle: &bundle, certificate: None, as_of };
        let verified = match circumstances.foreign_log() {
            Some(failure) => Err(failure),
            None => root.verifier.verify(content.artifact(), &bundle, &policy).map_err(|error| circumstances.attribute(&error)),
        };
        let verified = verified.and_then(|result| circumstances.ended_log(result.verified_timestamps()).map_or(Ok(result), Err));
        match verified {
            Ok(result) => {
                note_key_proofs(&bundle, root, &relaxed, &result, &mut found);
                return found;
            }
            Err((step, outcome)) => {
                if !relaxed.relax(step) {
                    // The signature holds; the family refuses something else that stands in the way of the proofs.
                    let detail = match outcome {
                        StepOutcome::Failed { detail, .. } => detail,
                        StepOutcome::Unknown(unknown) => unknown.detail,
                        StepOutcome::Held(_) | StepOutcome::Missing | StepOutcome::NotApplicable => step.title().to_owned(),
                    };
                    let step = if relaxed.log { Step::TimeStamp } else { Step::LogInclusion };
                    found.note(step, StepOutcome::unknown(Cause::UnsupportedFormat, detail));
                    return found;
                }
                found.note(step, outcome);
            }
        }
    }
    found
}

fn note_key_proofs(bundle: &Bundle, root: &Root, relaxed: &Relaxed, result: &VerificationResult, found: &mut Found) {
    note_log(bundle, root, relaxed, found);
    let material = &bundle.verification_material;
    let promised = material.tlog_entries.iter().filter(|entry| {
        entry.kind_version != KindVersion::HashedRekordV002 && entry.inclusion_promise.is_some() && entry.integrated_time.is_some()
    });
    // With a key the family lists what was promised before what was stamped.
    let promised = if relaxed.log { 0 } else { promised.count() };
    for (position, at) in result.verified_timestamps().iter().enumerate() {
        let by = if position < promised { TimeSource::Log } else { TimeSource::TimeStampAuthority };
        found.times.push(ProvenTime { at: *at, by });
    }
    note_stamps(found);
}
