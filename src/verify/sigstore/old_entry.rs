//! Signatures whose log entry is of the kind `intoto/0.0.1`: older attestations in registries carry it.
//!
//! Upstream gap (sigstore-verify 0.15): the kind is refused. What the family does is done here by its parts, in its order.

use serde::Deserialize;
use sigstore_types::DerCertificate;

use super::super::base64;
use super::attempt::Found;
use super::certificate::{Read, has_certificate_timestamp};
use super::content::{Content, OldEntry};
use super::key::{self, KeyFailure};
use super::primitives;
use super::root::Root;
use super::stamp;
use crate::model::{Cause, LogRecord, ProvenTime, Reason, Step, StepOutcome, TimeSource};

#[derive(Deserialize)]
struct Body {
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    content: HashedContent,
    public_key: String,
}

#[derive(Deserialize)]
struct HashedContent {
    hash: Hash,
}

#[derive(Deserialize)]
struct Hash {
    algorithm: String,
    value: String,
}

/// Verifies step by step; ends at the first that does not hold.
pub(super) fn verify(content: &Content, old: &OldEntry, root: &Root, read: &Read, found: &mut Found) {
    note_stamps(content, root, found);
    if let Err((step, outcome)) = steps(content, old, root, read, found) {
        found.note(step, outcome);
    }
    found.times.sort();
}

/// Notes the time stamps beside the entry, as the family would find them.
fn note_stamps(content: &Content, root: &Root, found: &mut Found) {
    let outcome = match stamp::verified_times(root, &content.bundle) {
        Some(times) if times.is_empty() => StepOutcome::Missing,
        Some(times) => {
            found.times.extend(times.iter().map(|at| ProvenTime { at: *at, by: TimeSource::TimeStampAuthority }));
            StepOutcome::Held(times.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        None => stamp::doubt(root, &content.bundle).unwrap_or_else(|| {
            let detail = "a time stamp is not by an authority of the trust root over this signature";
            StepOutcome::failed(Reason::TimestampInvalid, detail)
        }),
    };
    found.note(Step::TimeStamp, outcome);
}

fn steps(content: &Content, old: &OldEntry, root: &Root, read: &Read, found: &mut Found) -> Result<(), (Step, StepOutcome)> {
    let payload = &old.entry.payload;
    let failed = |step: Step, reason: Reason, detail: String| (step, StepOutcome::failed(reason, detail));
    entry_is_about(content, old).map_err(|(reason, detail)| failed(Step::LogEntry, reason, detail))?;
    let index = u64::try_from(payload.log_index).unwrap_or_default();
    found.note(Step::LogEntry, StepOutcome::Held(format!("intoto 0.0.1, entry {index}")));
    let integrated = primitives::promise(root, payload, &old.entry.signed_entry_timestamp).map_err(|detail| {
        let id = sigstore_types::Sha256Hash::from_hex(&payload.log_id).ok();
        let unknown_log = id.as_ref().is_none_or(|id| !root.knows_log(id.as_bytes()));
        let claimed = jiff::Timestamp::from_second(payload.integrated_time).ok();
        match claimed.filter(|_| unknown_log).and_then(|claimed| root.too_old_for(claimed, "the log")) {
            Some(unknown) => (Step::LogInclusion, StepOutcome::Unknown(unknown)),
            None => failed(Step::LogInclusion, Reason::LogSignatureInvalid, detail),
        }
    })?;
    found.note(Step::LogInclusion, StepOutcome::Held("signed promise".to_owned()));
    let id = sigstore_types::Sha256Hash::from_hex(&payload.log_id).map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    found.log = Some(LogRecord { index, log: payload.log_id.to_ascii_lowercase(), address: root.address_of_log(&id) });
    found.times.push(ProvenTime { at: integrated, by: TimeSource::Log });
    let (from, until) = (read.claims.not_before, read.claims.not_after);
    let outside = found.times.iter().map(|time| time.at).find(|at| *at < from || *at > until);
    if let Some(at) = outside {
        let detail = format!("it signed at {at}, and its certificate is valid from {from} until {until}");
        return Err(failed(Step::CertificateValidity, Reason::CertificateExpiredAtSigning, detail));
    }
    found.note(Step::CertificateValidity, StepOutcome::Held(format!("valid from {from} until {until}; signed at {integrated}")));
    let Some(leaf) = content.certificate() else { return Ok(()) };
    let mut issuer = Vec::new();
    for time in &found.times {
        issuer = primitives::chain(root, leaf, &content.intermediates(), time.at).map_err(|detail| {
            let unknown = (!root.knows_issuer_of(&read.parsed)).then(|| root.too_old_for(time.at, "the certificate's authority")).flatten();
            match unknown {
                Some(unknown) => (Step::CertificateChain, StepOutcome::Unknown(unknown)),
                None => failed(Step::CertificateChain, Reason::CertificateUntrusted, detail),
            }
        })?;
    }
    found.note(Step::CertificateChain, StepOutcome::Held(format!("issued by {}", read.parsed.tbs_certificate.issuer)));
    match primitives::certificate_timestamp(root, &read.parsed, &issuer) {
        Ok(()) => found.note(Step::CertificateLog, StepOutcome::Held("signed certificate timestamp".to_owned())),
        Err(detail) => {
            let reason = if has_certificate_timestamp(&read.parsed) { Reason::SctInvalid } else { Reason::SctMissing };
            found.note(Step::CertificateLog, StepOutcome::failed(reason, detail));
        }
    }
    match key::check(content, &read.info.public_key) {
        Ok(scheme) => {
            let value = format!("{scheme} by the certificate's key {}", read.claims.key.short());
            found.note(Step::Signature, StepOutcome::Held(value));
            Ok(())
        }
        Err(KeyFailure::NotByThisKey) => {
            Err(failed(Step::Signature, Reason::SignatureInvalid, "the signature is not by the certificate's key".to_owned()))
        }
        Err(KeyFailure::Unsupported(detail)) => Err((Step::Signature, StepOutcome::unknown(Cause::UnsupportedFormat, detail))),
    }
}

/// Checks that the entry is about this envelope and certificate.
fn entry_is_about(content: &Content, old: &OldEntry) -> Result<(), (Reason, String)> {
    let body = base64::decode("the body of the log entry", &old.entry.payload.body).map_err(|error| (Reason::Malformed, error.0))?;
    let body: Body =
        serde_json::from_slice(&body).map_err(|error| (Reason::Malformed, format!("the log entry cannot be read: {error}")))?;
    let hash = &body.spec.content.hash;
    if hash.algorithm != "sha256" || !hash.value.eq_ignore_ascii_case(&old.envelope.hex()) {
        return Err((Reason::LogEntryInconsistent, "the log entry is about another envelope".to_owned()));
    }
    let logged = base64::decode("the log entry's certificate", &body.spec.public_key).map_err(|error| (Reason::Malformed, error.0))?;
    let logged = std::str::from_utf8(&logged).ok().and_then(|pem| DerCertificate::from_pem(pem).ok());
    let logged = logged.ok_or_else(|| (Reason::Malformed, "the log entry holds no certificate".to_owned()))?;
    if content.certificate().map(DerCertificate::as_bytes) != Some(logged.as_bytes()) {
        return Err((Reason::LogEntryInconsistent, "the log entry is about another certificate".to_owned()));
    }
    Ok(())
}
