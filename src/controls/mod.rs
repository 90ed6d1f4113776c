//! Controls: a rule over what runs and what was found, answered in three-valued logic.
//!
//! Pure. In this order: applicability (scope, parameters, manual ones), then the rule, then exceptions. What is irrelevant, unconfigured or for a
//! person never enters the rule or the score.

mod accepted;
mod attested;
mod clause;
mod embedded;
mod evaluate;
mod except;
mod expression;
mod judge;
mod leaves;
mod library;
mod lint;
mod memory;
mod parameters;
mod sbom;
mod slsa;
mod summary;
#[cfg(test)]
mod tests;
mod verified;

pub use accepted::{AcceptedUnknowns, AcceptedUnknownsError};
pub use attested::wanted;
pub use evaluate::{Subject, Trust, needs};
pub use except::Excepting;
pub use expression::{Bindings, Outcome, evaluate};
pub use judge::{ControlJudgement, Lookup, judge};
pub use library::{BuilderDocument, Library, LibraryError};
pub use lint::{Linted, lint};
pub use parameters::{Configuration, ParametersError};
pub use verified::{consults_builders, consults_trust, public_keys, verifies_image_alone};
