//! From an inventory to a report: which questions are asked, of whom, and what the answers amount to.
//!
//! [`gather()`] is pure: it reads answers, names those it still needs, and in the end gives the evidence. The live scan and a
//! snapshot differ only in who answers, so they give the same report by construction.

mod assemble;
mod board;
mod carrier;
mod collect;
mod control_test;
mod foresee;
mod gather;
mod live;
mod pieces;
mod plan;
mod search;
mod subject;
mod summarize;
mod task;
mod verdict;
mod verification;

pub use assemble::{Judged, assemble};
pub use board::{Answered, Board, Keeping, Source};
pub use collect::{EvidenceByImage, collect, collect_from};
pub use control_test::{CaseOutcome, run_control_test};
pub use foresee::{Foreseen, foresee};
pub use gather::{Answers, Gathered, SignedBytes, gather};
pub use live::LiveSource;
pub use plan::{narrow_credentials, task_of, tasks};
pub use summarize::{Summarized, summarize};
pub use task::{DeclaredPlaces, ExtraPlace, ImageTask};
pub use verdict::{Judging, judge_all};
pub use verification::{Verification, VerificationError};
