//! What a running scan tells: one enum feeds progress, recorder and interface.

use super::ledger::Question;
use super::verdict::Cause;

/// Why a scan ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// The user interrupted it (SIGINT).
    Interrupted,
    /// It was asked to end (SIGTERM).
    Terminated,
    /// Its own time-out.
    TimedOut,
}

impl Stop {
    /// What is said of questions that were not asked any more.
    #[must_use]
    pub fn cause(self) -> Cause {
        match self {
            Self::Interrupted | Self::Terminated => Cause::Cancelled,
            Self::TimedOut => Cause::Timeout,
        }
    }

    /// What happened, for a person.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::Interrupted => "the scan was interrupted before this was answered",
            Self::Terminated => "the scan was ended before this was answered",
            Self::TimedOut => "the time-out of the whole scan passed before this was answered",
        }
    }

    /// What the user can do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Interrupted | Self::Terminated => "scan again, and let the scan end",
            Self::TimedOut => "give the scan more time with --timeout",
        }
    }
}

/// A phase of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Listing what runs.
    Inventory,
    /// Asking registries and layouts.
    Evidence,
    /// Judging.
    Judgement,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanEvent {
    /// A phase begins; how many steps it has, where known.
    PhaseStarted(Phase, Option<u64>),
    /// Objects were listed so far.
    Listed {
        /// How many objects.
        objects: u64,
    },
    /// A question was answered.
    Answered(Box<Question>),
    /// All is known about one image.
    ImageDone {
        /// The reference.
        reference: String,
    },
    /// A phase ended.
    PhaseEnded(Phase),
}
