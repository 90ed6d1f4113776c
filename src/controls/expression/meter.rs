//! What an evaluation may cost.

/// Steps of one evaluation: about a quarter of a second at worst.
pub(super) const STEPS: u64 = 10_000_000;
/// Steps of an item that the expression makes: bounds what its lists hold to some 40 MB.
const PER_ITEM: u64 = 8;

/// Why an evaluation ends without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The steps are spent. Nothing absorbs it: what is not evaluated is not known.
    Limit,
    /// The expression has no value over this input, and why.
    Fault(String),
}

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Meter {
    left: u64,
}

impl Meter {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    pub(super) fn spend(&mut self, steps: u64) -> Result<(), Stop> {
        self.left = self.left.checked_sub(steps).ok_or(Stop::Limit)?;
        Ok(())
    }

    /// For bytes of text that are looked at: sixteen are a step.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Stop> {
        self.spend(bytes as u64 / 16)
    }

    /// For bytes of text that are matched or made.
    pub(super) fn make(&mut self, bytes: usize) -> Result<(), Stop> {
        self.spend(bytes as u64)
    }

    /// For items of a list that is made.
    pub(super) fn items(&mut self, items: usize) -> Result<(), Stop> {
        self.spend(PER_ITEM.saturating_mul(items as u64))
    }
}
