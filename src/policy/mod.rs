//! What the user's policies say about an image: where its evidence lies, whom it is to be trusted from, and whether that holds.
//!
//! Pure: evidence with its proofs goes in, a ruling comes out. Cryptography was done before; here names, dates and numbers are compared.

mod attached;
mod attested;
mod authority;
mod builders;
mod checked;
mod compiled;
mod exceptions;
mod matcher;
mod places;
mod requirement;
mod revocation;
mod rules;
mod ruling;
mod slsa;
#[cfg(test)]
mod tests;

pub use attached::lying_there;
pub use attested::{AskedToAttest, Attester};
pub use authority::describe as signer_told;
pub use builders::NamedBuilders;
pub use checked::Checked;
pub use compiled::{NamedPolicy, PolicyOrigin, TrustPolicies};
pub use exceptions::{Effect, ExceptedContainer, ExceptionFacts, ExceptionSet, ExceptionSubject, Exceptions, SOON};
pub use places::{EvidencePlaces, evidence_places};
pub use rules::{RuleApplied, RuleEffect};
pub use ruling::{AsOf, Asked, AskedBy, Held, Ruling, not_looked, signatures_of};
pub use slsa::{Assessment, Attestor, Expectations, ExpectedReference, Missing, Shown, ShownBy};
