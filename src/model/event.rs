//! What a running scan tells: one enum feeds progress, recorder and interface.

use super::ledger::Question;

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
