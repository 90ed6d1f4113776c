//! What the selected controls need to know: nothing else is asked.

use super::predicate::PredicateKinds;

/// What has to be asked about an image. Derived from the rules of the selected controls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Which digest a declared reference resolves to, and which manifest a bare image ID belongs to.
    pub subject: bool,
    /// Where the tag leads now.
    pub tag: bool,
    /// Signatures.
    pub signatures: bool,
    /// Whether those signatures hold; nothing without `signatures`.
    pub verification: bool,
    /// Attestations of these kinds.
    pub attestations: PredicateKinds,
}

impl Needs {
    /// What either needs.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            subject: self.subject || other.subject,
            tag: self.tag || other.tag,
            signatures: self.signatures || other.signatures,
            verification: self.verification || other.verification,
            attestations: self.attestations.or(other.attestations),
        }
    }

    /// Whether no place has to be asked at all.
    #[must_use]
    pub fn nothing(self) -> bool {
        self == Self::default()
    }
}
