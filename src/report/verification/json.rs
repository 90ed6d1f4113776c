//! For programs. Versioned: what is here stays.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::proofs::{Numbered, steps};
use super::super::roots::Root;
use super::words;
use crate::model::{Digest, LogRecord, PlaceOutcome, Proof, ProvenTime, Signer, TriedWith, Verdict, VerificationReport, VerifiedSignature};

pub(super) fn render(report: &VerificationReport, out: &mut impl Write) -> io::Result<()> {
    super::super::indented::write(&Document::of(report), out)
}

/// The JSON schema of the report.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("title".to_owned(), "Seaworthy verification, version 1".into());
    schema.to_value()
}

/// What `verify` found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// `seaworthy.dev/verification/v1`.
    api_version: &'static str,
    /// `Verification`.
    kind: &'static str,
    /// Version of the program.
    tool_version: &'a str,
    /// What was verified: a reference, a file or a digest.
    subject: &'a str,
    /// Its digest, where it is known.
    digest: Option<&'a Digest>,
    /// The moment as of which it was judged, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    as_of: Timestamp,
    /// The verdict over all signatures.
    verdict: Said,
    /// What was found, for a person.
    detail: &'a str,
    /// The signatures, in stable order.
    signatures: Vec<Signature<'a>>,
    /// Where was looked.
    places: Vec<Place<'a>>,
    /// Trust roots that went into it.
    trust_roots: Vec<Root<'a>>,
}

/// A verdict.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Said {
    /// `verified`, `rejected`, `absent` or `unknown`.
    status: &'static str,
    /// The reason of `rejected`, the cause of `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl From<Verdict> for Said {
    fn from(verdict: Verdict) -> Self {
        let (status, code) = words(verdict);
        Self { status, code }
    }
}

/// One signature.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Signature<'a> {
    /// Its form and where it was found, for a person.
    found: &'a str,
    /// The verdict.
    verdict: Said,
    /// What was found, for a person.
    detail: &'a str,
    /// The authority that accepts it, or came nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
    /// With what it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    tried_with: Option<&'a TriedWith>,
    /// Who signed; a claim where the steps 2 and 8 do not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<&'a Signer>,
    /// Proven times.
    times: &'a [ProvenTime],
    /// The log entry, where it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a LogRecord>,
    /// Every step, in order: 1 to 9 of the verification, 10 to 12 of the policy.
    steps: Vec<Numbered<'a>>,
}

/// Where was looked.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    /// The place.
    place: &'a str,
    /// `looked`, `notAuthoritative`, or the cause of not knowing.
    outcome: &'a str,
    /// What happened, where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(report: &'a VerificationReport) -> Self {
        Self {
            api_version: "seaworthy.dev/verification/v1",
            kind: "Verification",
            tool_version: &report.tool_version,
            subject: &report.subject,
            digest: report.digest.as_ref(),
            as_of: report.as_of,
            verdict: report.verdict.into(),
            detail: &report.detail,
            signatures: report.signatures.iter().map(Signature::of).collect(),
            places: report.places.iter().map(Place::of).collect(),
            trust_roots: report.trust_roots.iter().map(Root::of).collect(),
        }
    }
}

impl<'a> Signature<'a> {
    fn of(signature: &'a VerifiedSignature) -> Self {
        let proof = signature.proof.as_ref();
        let steps = proof.into_iter().flat_map(steps);
        let checks = signature.checks.iter().map(Numbered::of_policy);
        Self {
            found: &signature.found,
            verdict: signature.verdict.into(),
            detail: &signature.detail,
            authority: signature.authority.as_deref(),
            tried_with: proof.map(|proof| &proof.with),
            signer: proof.and_then(|proof| proof.signer.as_ref()),
            times: proof.map(|proof: &Proof| proof.times.as_slice()).unwrap_or_default(),
            log: proof.and_then(|proof| proof.log.as_ref()),
            steps: steps.chain(checks).collect(),
        }
    }
}

impl<'a> Place<'a> {
    fn of(place: &'a crate::model::PlaceRecord) -> Self {
        let (outcome, detail) = match &place.outcome {
            PlaceOutcome::Looked(_) => ("looked", None),
            PlaceOutcome::NotAuthoritative => ("notAuthoritative", None),
            PlaceOutcome::Unknown(unknown) => (unknown.cause.name(), Some(unknown.detail.as_str())),
        };
        Self { place: &place.place, outcome, detail }
    }
}
