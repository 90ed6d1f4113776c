//! Exit codes: one documented enum.

use crate::scan::Stop;

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
