//! A smaller scope over an inventory that was listed before.

use crate::model::{Inventory, Scope};

use super::scope::{Filter, ScopeError};

/// Keeps only what is in scope. Gaps about other namespaces go too: a chosen scope has no gap outside it.
///
/// # Errors
/// When the scope is not valid.
pub fn narrow(mut inventory: Inventory, scope: &Scope) -> Result<Inventory, ScopeError> {
    if *scope == Scope::default() {
        return Ok(inventory);
    }
    let filter = Filter::new(scope)?;
    inventory.workloads.retain(|workload| {
        filter.has_key(&workload.key) && (!filter.asks_labels() || filter.has_labels(|name| workload.labels.get(name).map(String::as_str)))
    });
    inventory.gaps.retain(|gap| gap.namespace.as_deref().is_none_or(|namespace| filter.has_namespace(namespace)));
    inventory.not_judged.retain(|object| filter.has_key(&object.key));
    inventory.scope = scope.clone();
    Ok(inventory)
}
