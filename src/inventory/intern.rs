//! One copy of each repeated text.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Shares equal texts: ten thousand pods name few namespaces, images and containers, and a ReplicaSet is named by its pods too. Its
/// clones are the same one, for lists are read at the same time.
#[derive(Debug, Clone, Default)]
pub(super) struct Interner(Arc<Mutex<HashSet<Arc<str>>>>);

impl Interner {
    /// The shared copy.
    pub(super) fn share(&self, text: &str) -> Arc<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = text.into();
        known.insert(Arc::clone(&shared));
        shared
    }

    /// Forgets everything: what nobody else holds goes.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = HashSet::new();
    }
}
