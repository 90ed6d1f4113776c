//! A smaller scope over an inventory that was listed before.

use crate::model::{Cause, Gap, Inventory, Origin, OwnerSource, Scope};

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
    let (mut unlabelled, mut unplaced) = (0_usize, 0_usize);
    inventory.workloads.retain(|workload| {
        if !filter.has_key(&workload.key) {
            unplaced += usize::from(workload.origin == Origin::OwnerReference && filter.may_have_above(&workload.key));
            return false;
        }
        // Of an owner that is only named by what it owns no label is known.
        if filter.asks_marks() && workload.origin == Origin::OwnerReference {
            unlabelled += 1;
            return false;
        }
        filter.has_marks(&workload.key, &workload.labels, &workload.annotations)
    });
    inventory.gaps.retain(|gap| gap.namespace.as_deref().is_none_or(|namespace| filter.has_namespace(namespace)));
    inventory.not_judged.retain(|object| filter.has_key(&object.key));
    if unlabelled > 0 {
        let detail =
            "they could not be read when the inventory was listed, so neither the label selector nor the owner can be asked of them";
        inventory.gaps.push(gap(format!("labels of {unlabelled} owners"), Cause::ListIncomplete, detail));
    }
    if unplaced > 0 {
        let detail = "they could not be read when the inventory was listed; what is asked for may be above them";
        inventory.gaps.push(gap(format!("owners of {unplaced} workloads"), Cause::ListIncomplete, detail));
    }
    let not_kept = annotations(scope).filter(|asked| annotations(&inventory.scope).all(|kept| kept != *asked)).collect::<Vec<_>>();
    if !not_kept.is_empty() {
        let detail = "an owner may be named there, and it was not kept when the inventory was listed; list it again with this --owner-from";
        let workloads_missing = !scope.owners.is_empty();
        let what = format!("annotation {} of workloads", not_kept.join(", "));
        inventory.gaps.push(Gap { workloads_missing, ..gap(what, Cause::NotCaptured, detail) });
    }
    if let Some(beyond) = beyond(&inventory.scope, scope) {
        let detail = "the inventory was listed with a smaller scope than is asked for now; list it again with this one";
        inventory.gaps.push(gap(beyond, Cause::NotCaptured, detail));
    }
    inventory.gaps.sort_unstable();
    inventory.scope = together(std::mem::take(&mut inventory.scope), scope);
    Ok(inventory)
}

/// Annotations in which the scope looks for owners.
fn annotations(scope: &Scope) -> impl Iterator<Item = String> {
    let sources = if scope.owner_from.is_empty() { OwnerSource::usual().into() } else { scope.owner_from.clone() };
    sources.into_iter().filter_map(|source| match source {
        OwnerSource::Annotation(key) => Some(key),
        OwnerSource::Label(_) | OwnerSource::Namespace => None,
    })
}

fn gap(what: String, cause: Cause, detail: &str) -> Gap {
    Gap { cluster: None, what, namespace: None, workloads_missing: true, cause, detail: detail.to_owned() }
}

/// What is named in the new scope and was left out by the old one: nothing of it was listed.
fn beyond(old: &Scope, new: &Scope) -> Option<String> {
    let is = |one: &String, other: &String| one.eq_ignore_ascii_case(other);
    let left_out = |name: &String, include: &[String], exclude: &[String]| {
        (!include.is_empty() && !include.iter().any(|known| is(known, name))) || exclude.iter().any(|known| is(known, name))
    };
    let asked = |names: &[String], excluded: &[String], include: &[String], exclude: &[String]| -> Vec<String> {
        let asked = names.iter().filter(|name| !excluded.iter().any(|other| is(other, name)));
        asked.filter(|name| left_out(name, include, exclude)).cloned().collect()
    };
    let namespaces = asked(&new.include_namespaces, &new.exclude_namespaces, &old.include_namespaces, &old.exclude_namespaces);
    let mut kinds = asked(&new.include_kinds, &new.exclude_kinds, &old.include_kinds, &old.exclude_kinds);
    if let Some((kind, _)) = new.workload.as_deref().and_then(|workload| workload.split_once('/')) {
        kinds.extend(asked(&[kind.to_owned()], &[], &old.include_kinds, &old.exclude_kinds));
    }
    let mut named: Vec<String> = Vec::new();
    if !namespaces.is_empty() {
        named.push(format!("namespace {}", namespaces.join(", ")));
    }
    if !kinds.is_empty() {
        named.push(format!("kind {}", kinds.join(", ")));
    }
    if new.workload.is_some() && old.workload.is_some() && new.workload != old.workload {
        named.extend(new.workload.clone());
    }
    if !new.owners.is_empty() && !old.owners.is_empty() && new.owners != old.owners {
        named.push("other owners".to_owned());
    }
    if new.label_selector.is_some() && old.label_selector.is_some() && new.label_selector != old.label_selector {
        named.push("other labels".to_owned());
    }
    (!named.is_empty()).then(|| named.join("; "))
}

/// Both scopes: what either of them leaves out is not in the inventory.
fn together(old: Scope, new: &Scope) -> Scope {
    let included = |old: Vec<String>, new: &[String]| if new.is_empty() { old } else { new.to_vec() };
    let excluded = |old: Vec<String>, new: &[String]| {
        let mut both = [old.as_slice(), new].concat();
        both.sort();
        both.dedup();
        both
    };
    let selector = match (old.label_selector, &new.label_selector) {
        (Some(old), Some(new)) if old != *new => Some(format!("{old},{new}")),
        (old, new) => new.clone().or(old),
    };
    Scope {
        include_namespaces: included(old.include_namespaces, &new.include_namespaces),
        exclude_namespaces: excluded(old.exclude_namespaces, &new.exclude_namespaces),
        include_kinds: included(old.include_kinds, &new.include_kinds),
        exclude_kinds: excluded(old.exclude_kinds, &new.exclude_kinds),
        label_selector: selector,
        workload: new.workload.clone().or(old.workload),
        owner_from: new.owner_from.clone(),
        owners: if new.owners.is_empty() { old.owners } else { new.owners.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InventoryCounts, Labels, ObjectKey, Workload};

    fn inventory(scope: Scope, origin: Origin) -> Inventory {
        let key = ObjectKey { api_version: "apps/v1".into(), kind: "Deployment".into(), namespace: "a".into(), name: "web".into() };
        let workload = Workload { key, labels: Labels::default(), annotations: Labels::default(), origin, containers: Vec::new(), pods: 1 };
        Inventory {
            cluster: None,
            scope,
            observed: jiff::Timestamp::UNIX_EPOCH,
            workloads: vec![workload],
            not_judged: Vec::new(),
            gaps: Vec::new(),
            counts: InventoryCounts::default(),
        }
    }

    fn namespaces(names: &[&str]) -> Scope {
        Scope { include_namespaces: names.iter().map(|name| (*name).to_owned()).collect(), ..Scope::default() }
    }

    #[test]
    fn what_was_never_listed_is_a_gap_and_not_an_empty_cluster() {
        let narrowed = narrow(inventory(namespaces(&["a"]), Origin::Cluster), &namespaces(&["a", "b"])).unwrap();
        assert_eq!((narrowed.workloads.len(), narrowed.gaps.len()), (1, 1));
        assert!(narrowed.gaps[0].workloads_missing && narrowed.gaps[0].what == "namespace b");
        let smaller = narrow(inventory(namespaces(&["a", "b"]), Origin::Cluster), &namespaces(&["a"])).unwrap();
        assert_eq!((smaller.gaps.len(), smaller.scope), (0, namespaces(&["a"])));
    }

    #[test]
    fn the_scope_of_the_listing_is_still_said() {
        let kinds = Scope { include_kinds: vec!["Deployment".into()], ..Scope::default() };
        let narrowed = narrow(inventory(namespaces(&["a"]), Origin::Cluster), &kinds).unwrap();
        assert_eq!(narrowed.scope, Scope { include_kinds: kinds.include_kinds, ..namespaces(&["a"]) });
        assert!(narrowed.gaps.is_empty());
    }

    #[test]
    fn an_owner_that_is_not_known_may_be_what_is_asked_for() {
        let kinds = |kind: &str| Scope { include_kinds: vec![kind.into()], ..Scope::default() };
        // A Deployment that could not be read may belong to a custom resource, and never to a DaemonSet of which it is none.
        let narrowed = narrow(inventory(Scope::default(), Origin::OwnerReference), &kinds("Platform")).unwrap();
        assert!(narrowed.workloads.is_empty() && narrowed.gaps.len() == 1 && narrowed.gaps[0].workloads_missing);
        let read = narrow(inventory(Scope::default(), Origin::Cluster), &kinds("Platform")).unwrap();
        assert!(read.workloads.is_empty() && read.gaps.is_empty());
        let itself = narrow(inventory(Scope::default(), Origin::OwnerReference), &kinds("Deployment")).unwrap();
        assert!(itself.workloads.len() == 1 && itself.gaps.is_empty());
    }

    #[test]
    fn labels_that_are_not_known_are_a_gap() {
        let scope = Scope { label_selector: Some("app=web".into()), ..Scope::default() };
        let narrowed = narrow(inventory(Scope::default(), Origin::OwnerReference), &scope).unwrap();
        assert!(narrowed.workloads.is_empty() && narrowed.gaps.len() == 1 && narrowed.gaps[0].workloads_missing);
        let told = narrow(inventory(Scope::default(), Origin::Cluster), &scope).unwrap();
        assert!(told.workloads.is_empty() && told.gaps.is_empty());
    }
}
