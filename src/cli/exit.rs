//! Exit codes: one documented enum.

use crate::model::{ControlOutcome, ControlResult, GateOutcome, Report, Stop, Verdict};
use crate::score::leaves_unknown;

/// How the program ends. Where several hold, the first of the list in `docs/exit-codes.md` is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is known and no gate is missed.
    Success,
    /// A gate is missed.
    GateMissed,
    /// Usage or configuration: nothing was judged.
    Usage,
    /// Unknowns decide a gate; or, without a gate, something is unknown and not accepted.
    Unknown,
    /// Nothing could be listed.
    NothingListed,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM.
    Terminated,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::GateMissed => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::NothingListed => 4,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Verdict> for Exit {
    /// Of one image or bundle: what was looked at and does not hold is missed like a gate.
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Verified => Self::Success,
            Verdict::Rejected(_) | Verdict::Absent => Self::GateMissed,
            Verdict::Unknown(_) => Self::Unknown,
        }
    }
}

impl From<Stop> for Exit {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            Stop::Terminated => Self::Terminated,
            // What was not answered in time is unknown, and so is the whole.
            Stop::TimedOut => Self::Unknown,
        }
    }
}

/// The exit code of a scan that ended before anything was listed: there is no report, and a time-out means that nothing could be listed.
#[must_use]
pub fn before_listing(stop: Stop) -> Exit {
    match stop {
        Stop::TimedOut => Exit::NothingListed,
        stop => stop.into(),
    }
}

/// The exit code that a finished report asks for.
///
/// `accepted` says whether the user accepts that lists are incomplete.
#[must_use]
pub fn of_report(report: &Report, stop: Option<Stop>, accepts_incomplete: bool) -> Exit {
    if let Some(stop @ (Stop::Interrupted | Stop::Terminated)) = stop {
        return stop.into();
    }
    // What could not be listed might decide anything that is not decided against the gate already.
    let incomplete = !accepts_incomplete && report.gaps.iter().any(|gap| gap.workloads_missing);
    match report.gates.iter().map(|gate| gate.outcome).min_by_key(|outcome| severity(*outcome)) {
        Some(GateOutcome::NothingApplicable) => Exit::Usage,
        Some(GateOutcome::Missed) => Exit::GateMissed,
        Some(GateOutcome::Undecided) => Exit::Unknown,
        Some(GateOutcome::Met) if incomplete => Exit::Unknown,
        Some(GateOutcome::Met) => Exit::Success,
        None if !report.controls.is_empty() && report.controls.iter().all(is_unconfigured) => Exit::Usage,
        None if incomplete => Exit::Unknown,
        None if misses_its_workload(report) => Exit::Usage,
        None if stop.is_some() || leaves_unknown(&report.controls) => Exit::Unknown,
        None => Exit::Success,
    }
}

/// The order of `docs/exit-codes.md`: the first of several gates' outcomes is the program's.
fn severity(outcome: GateOutcome) -> u8 {
    match outcome {
        GateOutcome::NothingApplicable => 0,
        GateOutcome::Missed => 1,
        GateOutcome::Undecided => 2,
        GateOutcome::Met => 3,
    }
}

/// Whether one workload was asked for, and there is none of that name.
#[must_use]
pub fn misses_its_workload(report: &Report) -> bool {
    report.header.scope.workload.is_some() && report.workloads.is_empty()
}

fn is_unconfigured(control: &ControlResult) -> bool {
    matches!(control.outcome, ControlOutcome::Unconfigured { .. })
}
