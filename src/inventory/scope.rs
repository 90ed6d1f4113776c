//! The user's scope, checked and ready to be asked.

use crate::model::{Labels, ObjectKey, OwnerSource, Scope};

use super::kinds::{BUILT_IN, BuiltIn};
use super::selector::{Selector, SelectorError};

/// Why a scope cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The label selector is not one.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// A namespace's name is not one.
    #[error("{0:?} is not the name of a namespace (lower-case letters, digits and -, at most 63)")]
    Namespace(String),
    /// No namespace where one is needed.
    #[error("name at least one namespace")]
    NoNamespace,
    /// The workload is not written `Kind/name`.
    #[error("workload {0:?} is not written Kind/name, for example Deployment/web")]
    Workload(String),
}

/// A scope that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    scope: Scope,
    selector: Selector,
    workload: Option<(String, String)>,
    owner_from: Vec<OwnerSource>,
}

impl Filter {
    /// Checks a scope.
    pub(super) fn new(scope: &Scope) -> Result<Self, ScopeError> {
        for namespace in scope.include_namespaces.iter().chain(&scope.exclude_namespaces) {
            if !is_namespace(namespace) {
                return Err(ScopeError::Namespace(namespace.clone()));
            }
        }
        let workload = match &scope.workload {
            None => None,
            Some(text) => match text.split_once('/') {
                Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
                    Some((kind.to_owned(), name.to_owned()))
                }
                _ => return Err(ScopeError::Workload(text.clone())),
            },
        };
        let selector = scope.label_selector.as_deref().unwrap_or_default().parse()?;
        let owner_from = if scope.owner_from.is_empty() { OwnerSource::usual().into() } else { scope.owner_from.clone() };
        Ok(Self { scope: scope.clone(), selector, workload, owner_from })
    }

    /// The namespaces that are to be asked one by one, sorted; empty: all at once.
    pub(super) fn namespaces(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.scope.include_namespaces.iter().map(String::as_str).filter(|name| self.has_namespace(name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether only some namespaces may be asked, even if none of them is left.
    pub(super) fn is_namespaced(&self) -> bool {
        !self.scope.include_namespaces.is_empty()
    }

    /// Whether the namespace is in scope.
    pub(super) fn has_namespace(&self, namespace: &str) -> bool {
        let included = self.scope.include_namespaces.is_empty() || self.scope.include_namespaces.iter().any(|name| name == namespace);
        included && !self.scope.exclude_namespaces.iter().any(|name| name == namespace)
    }

    /// Whether the workload's name and kind are in scope; its labels are asked apart, for they are not always known.
    pub(super) fn has_key(&self, key: &ObjectKey) -> bool {
        let is = |kind: &String| kind.eq_ignore_ascii_case(&key.kind);
        self.has_namespace(&key.namespace)
            && (self.scope.include_kinds.is_empty() || self.scope.include_kinds.iter().any(is))
            && !self.scope.exclude_kinds.iter().any(is)
            && self.workload.as_ref().is_none_or(|(kind, name)| is(kind) && key.name == *name)
    }

    /// Whether something above this owner, which could not be read, may be in scope although it is not itself: kinds are asked for, and
    /// one of them may own it. What is built in owns what is built in.
    pub(super) fn may_have_above(&self, key: &ObjectKey) -> bool {
        let built_in = |kind: &str| BUILT_IN.iter().any(|known| known.kind.eq_ignore_ascii_case(kind));
        let asked = self.scope.include_kinds.iter().chain(self.workload.as_ref().map(|(kind, _)| kind));
        let mut others = asked.filter(|kind| !kind.eq_ignore_ascii_case(&key.kind));
        self.has_namespace(&key.namespace) && others.any(|kind| !built_in(kind) || BuiltIn::find(&key.api_version, &key.kind).is_some())
    }

    /// Whether labels are asked for at all, or who answers.
    pub(super) fn asks_marks(&self) -> bool {
        !self.selector.is_empty() || !self.scope.owners.is_empty()
    }

    /// Whether labels and owner are in scope.
    pub(super) fn has_marks(&self, key: &ObjectKey, labels: &Labels, annotations: &Labels) -> bool {
        let owners = &self.scope.owners;
        let is_owned =
            || self.scope.owner(key, labels, annotations).is_some_and(|owner| owners.iter().any(|asked| owner == asked.as_str()));
        self.selector.matches(|label| labels.get(label)) && (owners.is_empty() || is_owned())
    }

    /// Annotations that are kept: those in which an owner may be named.
    pub(super) fn annotations(&self) -> impl Iterator<Item = &str> {
        self.owner_from.iter().filter_map(|source| match source {
            OwnerSource::Annotation(key) => Some(key.as_str()),
            OwnerSource::Label(_) | OwnerSource::Namespace => None,
        })
    }
}

/// A DNS label (RFC 1123), as the API server demands; it becomes part of a path.
pub(super) fn is_namespace(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
        ObjectKey { api_version: "apps/v1".into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    #[test]
    fn exclusion_wins_over_inclusion() {
        let scope = Scope {
            include_namespaces: vec!["b".into(), "a".into(), "a".into()],
            exclude_namespaces: vec!["b".into()],
            include_kinds: vec!["deployment".into()],
            ..Scope::default()
        };
        let filter = Filter::new(&scope).unwrap();
        assert_eq!(filter.namespaces(), ["a"]);
        assert!(filter.has_key(&key("Deployment", "a", "web")));
        assert!(!filter.has_key(&key("Deployment", "b", "web")));
        assert!(!filter.has_key(&key("DaemonSet", "a", "web")));
    }

    #[test]
    fn a_workload_is_named_by_kind_and_name() {
        let filter = Filter::new(&Scope { workload: Some("deployment/web".into()), ..Scope::default() }).unwrap();
        assert!(filter.has_key(&key("Deployment", "a", "web")));
        assert!(!filter.has_key(&key("Deployment", "a", "web2")));
        assert!(!filter.has_key(&key("StatefulSet", "a", "web")));
    }

    #[test]
    fn a_scope_that_cannot_be_asked_is_refused() {
        for workload in ["web", "/web", "Deployment/", "a/b/c"] {
            assert!(matches!(Filter::new(&Scope { workload: Some(workload.into()), ..Scope::default() }), Err(ScopeError::Workload(_))));
        }
        for namespace in ["../x", "A", "", "-a", "a/b"] {
            let scope = Scope { include_namespaces: vec![namespace.into()], ..Scope::default() };
            assert!(matches!(Filter::new(&scope), Err(ScopeError::Namespace(_))), "{namespace}");
        }
    }
}
