//! Gates, and what changes how an answer counts: exceptions and a baseline.

use schemars::JsonSchema;
use serde::Serialize;

use super::Percent;
use crate::model::{self, Severity};

/// The compliance gate.
#[derive(Serialize, JsonSchema)]
pub(super) struct Gate {
    /// The threshold, percent.
    threshold: f64,
    /// The compliance that it was compared with, accepted unknowns counted as passed.
    compliance: Option<Percent>,
    /// How it came out.
    outcome: GateOutcome,
}

impl Gate {
    /// The first compliance gate, if one was set.
    pub(super) fn of(gates: &[model::GateResult]) -> Option<Self> {
        gates.iter().find_map(|gate| match &gate.check {
            model::GateCheck::Compliance { threshold, reached } => {
                Some(Self { threshold: *threshold, compliance: reached.map(Percent::from), outcome: GateOutcome::from(gate.outcome) })
            }
            model::GateCheck::Severity { .. } | model::GateCheck::Controls { .. } => None,
        })
    }
}

/// A gate: what it asks, what was found, and how it came out.
#[derive(Serialize, JsonSchema)]
pub(super) struct GateEntry<'a> {
    /// What it asks, and what was found.
    check: GateCheck<'a>,
    /// How it came out.
    outcome: GateOutcome,
}

/// What a gate asks.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "of")]
enum GateCheck<'a> {
    /// At least this compliance.
    Compliance {
        /// The threshold, percent.
        threshold: f64,
        /// The compliance that it was compared with; null where nothing was applicable.
        compliance: Option<Percent>,
    },
    /// No control of at least this severity may fail.
    #[serde(rename_all = "camelCase")]
    Severity {
        /// The severity.
        at_least: Severity,
        /// Controls that fail.
        failing: &'a [String],
        /// Controls of which it is not known.
        unknown: &'a [String],
    },
    /// None of these controls may fail.
    Controls {
        /// The controls.
        named: &'a [String],
        /// Those that fail.
        failing: &'a [String],
        /// Those of which it is not known.
        unknown: &'a [String],
    },
}

impl<'a> From<&'a model::GateResult> for GateEntry<'a> {
    fn from(gate: &'a model::GateResult) -> Self {
        let check = match &gate.check {
            model::GateCheck::Compliance { threshold, reached } => {
                GateCheck::Compliance { threshold: *threshold, compliance: reached.map(Percent::from) }
            }
            model::GateCheck::Severity { at_least, failing, unknown } => GateCheck::Severity { at_least: *at_least, failing, unknown },
            model::GateCheck::Controls { named, failing, unknown } => GateCheck::Controls { named, failing, unknown },
        };
        Self { check, outcome: GateOutcome::from(gate.outcome) }
    }
}

/// How a gate came out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum GateOutcome {
    /// Even the lower end is enough.
    Met,
    /// Even the upper end is not enough.
    Missed,
    /// The unknowns decide.
    Undecided,
    /// Nothing was applicable: not a pass.
    NothingApplicable,
}

impl From<model::GateOutcome> for GateOutcome {
    fn from(outcome: model::GateOutcome) -> Self {
        match outcome {
            model::GateOutcome::Met => Self::Met,
            model::GateOutcome::Missed => Self::Missed,
            model::GateOutcome::Undecided => Self::Undecided,
            model::GateOutcome::NothingApplicable => Self::NothingApplicable,
        }
    }
}

/// An exception that was given.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exception<'a> {
    /// Its name.
    name: &'a str,
    /// The file that it is from.
    file: &'a str,
    /// Why it was made; empty where a file in Kubescape's form gives none.
    reason: &'a str,
    /// Until when it holds (RFC 3339); null where a file in Kubescape's form says nothing.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    expires: Option<jiff::Timestamp>,
    /// Who answers for it.
    owner: Option<&'a str>,
    /// Who approved it.
    approved_by: Option<&'a str>,
    /// Where it was asked for.
    ticket: Option<&'a str>,
    /// Whether it holds as of the report's moment.
    state: model::ExceptionState,
    /// Answers that it turns (in force), or would have turned (else).
    matched: u64,
    /// What a person should know about it.
    warnings: &'a [String],
}

impl<'a> From<&'a model::ExceptionRecord> for Exception<'a> {
    fn from(exception: &'a model::ExceptionRecord) -> Self {
        Self {
            name: &exception.name,
            file: &exception.file,
            reason: &exception.reason,
            expires: exception.expires,
            owner: exception.owner.as_deref(),
            approved_by: exception.approved_by.as_deref(),
            ticket: exception.ticket.as_deref(),
            state: exception.state,
            matched: exception.matched,
            warnings: &exception.warnings,
        }
    }
}

/// With what the report was compared, so that only what is new counts at its gates.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Baseline<'a> {
    /// The file or directory, as it was named.
    name: &'a str,
    /// The moment as of which it was judged (RFC 3339).
    #[schemars(with = "String", extend("format" = "date-time"))]
    as_of: jiff::Timestamp,
    /// Failing or unknown answers that it does not have.
    new: u64,
    /// Failing or unknown answers that it has already.
    known: u64,
    /// Failing or unknown answers of the baseline that are gone.
    gone: u64,
}

impl<'a> From<&'a model::BaselineRecord> for Baseline<'a> {
    fn from(baseline: &'a model::BaselineRecord) -> Self {
        let model::BaselineRecord { name, as_of, new, known, gone } = baseline;
        Self { name, as_of: *as_of, new: *new, known: *known, gone: *gone }
    }
}
