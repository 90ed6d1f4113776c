//! What was ruled before: the same question about the same evidence has the same answer, and thousands of workloads may ask it.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::model::ImageEvidence;
use crate::policy::Ruling;

/// Rulings of one control over one inventory. Leaves and evidence are known by where they lie: neither moves while a control judges.
#[derive(Debug, Default)]
pub(super) struct Memory(RefCell<HashMap<(usize, usize), Ruling>>);

impl Memory {
    /// The ruling, worked out once.
    pub(super) fn ruling<L>(&self, leaf: &L, evidence: &ImageEvidence, judge: impl FnOnce() -> Ruling) -> Ruling {
        let key = (std::ptr::from_ref(leaf).addr(), std::ptr::from_ref(evidence).addr());
        if let Some(known) = self.0.borrow().get(&key) {
            return known.clone();
        }
        let ruling = judge();
        self.0.borrow_mut().insert(key, ruling.clone());
        ruling
    }
}
