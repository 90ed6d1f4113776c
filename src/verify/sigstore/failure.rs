//! Which step an error of the family belongs to, and what it means.
//!
//! The family answers all or nothing: an error names the first thing that does not hold. Its variants are matched; where one variant
//! stands for several things, what tells them apart is looked up in the signature itself, never in the text of the error.

use jiff::Timestamp;
use sigstore_types::{Bundle, TransparencyLogEntry};
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::certificate::{self, Read};
use super::root::Root;
use super::stamp;
use crate::model::{Cause, Reason, Step, StepOutcome};

/// What failed, and how.
pub(super) type Failure = (Step, StepOutcome);

/// What is known when something failed.
pub(super) struct Circumstances<'a> {
    pub(super) root: &'a Root,
    pub(super) bundle: &'a Bundle,
    pub(super) certificate: Option<&'a Read>,
    pub(super) as_of: Timestamp,
}

fn failed(step: Step, reason: Reason, detail: impl std::fmt::Display) -> Failure {
    (step, StepOutcome::failed(reason, detail.to_string()))
}

fn unknown(step: Step, cause: Cause, detail: impl std::fmt::Display) -> Failure {
    (step, StepOutcome::unknown(cause, detail.to_string()))
}

impl Circumstances<'_> {
    /// The step that the error is about, and its outcome.
    pub(super) fn attribute(&self, error: &Error) -> Failure {
        match error {
            Error::SignatureInvalid(detail) => failed(Step::Signature, Reason::SignatureInvalid, detail),
            // That the statement names the artifact is known before: what is left is the entry's own digest.
            Error::ArtifactMismatch(detail) => failed(Step::LogEntry, Reason::LogEntryInconsistent, detail),
            Error::UnsupportedArtifact(detail) => unknown(Step::Signature, Cause::UnsupportedFormat, detail),
            Error::Certificate(error) => self.certificate(error),
            Error::TransparencyLog(error) => self.log(error),
            Error::Timestamp(error) => self.time(error),
            Error::UnsupportedBundle(detail) => unknown(Step::LogEntry, Cause::UnsupportedFormat, detail),
            Error::InvalidTrustRoot(detail) => self.certificate_log(detail),
            Error::Bundle(sigstore_bundle::Error::MissingInclusionProof(_) | sigstore_bundle::Error::MissingInclusionPromise(_)) => failed(
                Step::LogInclusion,
                Reason::LogEntryMissing,
                "the log entry has neither a proof nor a promise that this form of bundle takes",
            ),
            // A proof that contradicts itself, or the checkpoint beside it, is refused before its signatures are looked at.
            Error::Bundle(
                sigstore_bundle::Error::MissingCheckpoint
                | sigstore_bundle::Error::LogIndexOutOfRange { .. }
                | sigstore_bundle::Error::CheckpointRootMismatch,
            ) => failed(Step::LogInclusion, Reason::InclusionProofInvalid, error),
            Error::Crypto(error) => unknown(Step::Signature, Cause::UnsupportedFormat, error),
            Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => failed(Step::Form, Reason::Malformed, error),
            _ => failed(Step::Form, Reason::Malformed, error),
        }
    }

    fn certificate(&self, error: &CertificateError) -> Failure {
        match error {
            CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
                failed(Step::CertificateValidity, Reason::CertificateExpiredAtSigning, error)
            }
            CertificateError::Sct(detail) => self.certificate_log(detail),
            CertificateError::NoValidAuthority { time } => {
                let too_old = self.root.too_old_for(*time, "a certificate authority that is valid then");
                match too_old {
                    Some(unknown) => (Step::CertificateChain, StepOutcome::Unknown(unknown)),
                    None => failed(Step::CertificateChain, Reason::CertificateUntrusted, error),
                }
            }
            CertificateError::ChainInvalid(detail) => self.chain(detail),
            _ => failed(Step::CertificateChain, Reason::Malformed, error),
        }
    }

    /// A chain fails where the certificate was not valid at a proven time, where its issuer is not known, and where it is but did not
    /// issue it.
    fn chain(&self, detail: &str) -> Failure {
        let Some(certificate) = self.certificate else {
            return failed(Step::CertificateChain, Reason::CertificateUntrusted, detail);
        };
        let (from, until) = (certificate.claims.not_before, certificate.claims.not_after);
        let times = stamp::claimed_times(self.root, self.bundle);
        if let Some(time) = times.iter().find(|time| **time < from || **time > until) {
            let detail = format!("it signed at {time}, and its certificate is valid from {from} until {until}");
            return failed(Step::CertificateValidity, Reason::CertificateExpiredAtSigning, detail);
        }
        let claimed = times.first().copied().unwrap_or(from);
        if !self.root.knows_issuer_of(&certificate.parsed)
            && let Some(unknown) = self.root.too_old_for(claimed, "the certificate's authority")
        {
            return (Step::CertificateChain, StepOutcome::Unknown(unknown));
        }
        failed(Step::CertificateChain, Reason::CertificateUntrusted, detail)
    }

    fn certificate_log(&self, detail: &str) -> Failure {
        let Some(read) = self.certificate else {
            return failed(Step::CertificateLog, Reason::SctInvalid, detail);
        };
        if !certificate::has_certificate_timestamp(&read.parsed) {
            return failed(Step::CertificateLog, Reason::SctMissing, "the certificate carries no signed certificate timestamp");
        }
        if let Some(log) = certificate::log_of_timestamp(&read.parsed) {
            if self.root.cannot_use_log(&log) {
                let detail = "the certificate log's key is of a kind that is not supported";
                return unknown(Step::CertificateLog, Cause::UnsupportedFormat, detail);
            }
            if !self.root.knows_certificate_log(&log)
                && let Some(unknown) = self.root.too_old_for(read.claims.not_before, "the certificate log")
            {
                return (Step::CertificateLog, StepOutcome::Unknown(unknown));
            }
        }
        failed(Step::CertificateLog, Reason::SctInvalid, detail)
    }

    fn log(&self, error: &TransparencyLogError) -> Failure {
        match error {
            TransparencyLogError::EntryMismatch(detail) => failed(Step::LogEntry, Reason::LogEntryInconsistent, detail),
            TransparencyLogError::MalformedEntry(detail) => failed(Step::LogEntry, Reason::Malformed, detail),
            TransparencyLogError::InclusionProof(detail) => failed(Step::LogInclusion, Reason::InclusionProofInvalid, detail),
            TransparencyLogError::IntegratedTime(detail) => self.integrated_time(detail),
            _ => self.log_signature(error),
        }
    }

    /// The log's signature does not hold: the log may be one that the root does not know.
    fn log_signature(&self, error: &TransparencyLogError) -> Failure {
        self.foreign_log().unwrap_or_else(|| failed(Step::LogInclusion, Reason::LogSignatureInvalid, error))
    }

    /// An entry that names a log which the root does not know, or another one than signed its checkpoint: what is shown as the log is
    /// the one that has it.
    pub(super) fn foreign_log(&self) -> Option<Failure> {
        self.bundle.verification_material.tlog_entries.iter().find_map(|entry| self.foreign_log_of(entry))
    }

    fn foreign_log_of(&self, entry: &TransparencyLogEntry) -> Option<Failure> {
        // Each entry is shown in the log by itself.
        if entry.inclusion_proof.is_none() && entry.inclusion_promise.is_none() {
            let detail = "a log entry has neither a proof of inclusion nor a promise";
            return Some(failed(Step::LogInclusion, Reason::LogEntryMissing, detail));
        }
        let id = entry.log_id.key_id.as_bytes();
        if self.root.cannot_use_log(id) {
            return Some(unknown(Step::LogInclusion, Cause::UnsupportedFormat, "the log's key is of a kind that is not supported"));
        }
        if self.root.knows_log(id) {
            let checkpoint = entry.inclusion_proof.as_ref().and_then(|proof| proof.checkpoint.checkpoint());
            let signed = checkpoint.is_none_or(|note| note.signatures().iter().any(|by| id.starts_with(by.key_id.as_bytes())));
            let detail = "the log that the entry names did not sign its checkpoint";
            return (!signed).then(|| failed(Step::LogInclusion, Reason::LogSignatureInvalid, detail));
        }
        let claimed = entry.integrated_time.or_else(|| stamp::claimed_times(self.root, self.bundle).first().copied());
        let claimed = claimed.or_else(|| self.certificate.map(|read| read.claims.not_before)).or_else(|| self.claimed_by_stamps());
        if let Some(unknown) = claimed.and_then(|claimed| self.root.too_old_for(claimed, "the log")) {
            return Some((Step::LogInclusion, StepOutcome::Unknown(unknown)));
        }
        let detail = format!("the log is not one of trust root {}", self.root.name);
        Some(failed(Step::LogInclusion, Reason::LogSignatureInvalid, detail))
    }

    /// An entry whose log had ended before the first proven time. The family compares the end with the log's promise alone, and a
    /// checkpoint has no time: that the signature is older than the end is then shown by nothing.
    pub(super) fn ended_log(&self, times: &[Timestamp]) -> Option<Failure> {
        let first = times.iter().min()?;
        let entries = &self.bundle.verification_material.tlog_entries;
        let (id, end) = entries.iter().find_map(|entry| {
            let id = entry.log_id.key_id.as_bytes();
            Some((id, self.root.end_of_log(id).filter(|end| end < first)?))
        })?;
        let log = self.root.address_of_log(id).unwrap_or_else(|| "the log".to_owned());
        let detail = format!("the key of {log} is trusted until {end}, and the first proven time of the signature is {first}");
        Some(failed(Step::LogInclusion, Reason::LogSignatureInvalid, detail))
    }

    /// The latest time that the time stamps claim, whoever made them.
    fn claimed_by_stamps(&self) -> Option<Timestamp> {
        let stamps = &self.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
        stamps.iter().filter_map(|stamp| stamp::claimed_time(stamp.signed_timestamp.as_bytes())).max()
    }

    fn integrated_time(&self, detail: &str) -> Failure {
        let entries = &self.bundle.verification_material.tlog_entries;
        let mut times = entries.iter().filter_map(|entry| entry.integrated_time);
        let claims = self.certificate.map(|read| &read.claims);
        let outside = |time: Timestamp| claims.is_some_and(|claims| time < claims.not_before || time > claims.not_after);
        // Where no time contradicts the certificate, the family's own clock is what refuses it, whatever the moment that was asked for.
        if times.clone().any(|time| time > self.as_of) || !times.any(outside) {
            return unknown(Step::LogInclusion, Cause::ClockSkew, format!("{detail}: set the clock (NTP)"));
        }
        failed(Step::CertificateValidity, Reason::CertificateExpiredAtSigning, detail)
    }

    fn time(&self, error: &TimestampError) -> Failure {
        match error {
            TimestampError::NoVerifiedTimestamp(_) => failed(Step::TimeStamp, Reason::TimestampMissing, "no time of signing is proven"),
            TimestampError::Invalid(detail) => match stamp::doubt(self.root, self.bundle) {
                Some(doubt) => (Step::TimeStamp, doubt),
                None => failed(Step::TimeStamp, Reason::TimestampInvalid, detail),
            },
            _ => failed(Step::TimeStamp, Reason::TimestampInvalid, error),
        }
    }
}
