//! From an inventory to a report: which questions are asked, of whom, and what the answers amount to.
//!
//! [`gather`] is pure: it reads answers, names those it still needs, and in the end gives the evidence. The live scan and a
//! snapshot differ only in who answers, so they give the same report by construction.

mod carrier;
mod gather;
mod search;
mod subject;
mod task;
#[cfg(test)]
mod tests;

pub use gather::{Answers, Gathered, gather};
pub use task::{DeclaredPlaces, ExtraPlace, ImageTask};
