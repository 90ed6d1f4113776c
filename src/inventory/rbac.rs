//! The rights that an inventory needs, written out as manifests: the verbs that are really used and no other.

use std::fmt::Write as _;

use super::kinds::{BUILT_IN, Listing};
use super::scope::{ScopeError, is_namespace};

/// Name of the account and its roles.
const NAME: &str = "seaworthy";

/// For what rights are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RbacScope {
    /// The whole cluster.
    Cluster,
    /// These namespaces; the account is in the first.
    Namespaces(Vec<String>),
    /// The whole cluster, but no Secret and no service account (`--no-pull-secrets`).
    NoSecrets,
}

/// One rule of a role.
struct Rule {
    group: &'static str,
    resources: Vec<&'static str>,
    names: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
}

const fn rule(group: &'static str, resources: Vec<&'static str>, verbs: &'static [&'static str], why: &'static str) -> Rule {
    Rule { group, resources, names: &[], verbs, why }
}

/// The manifests to apply, YAML: an account, its roles and their bindings.
///
/// # Errors
/// When a namespace's name is not one, or none is given.
pub fn manifest(scope: &RbacScope) -> Result<String, ScopeError> {
    let mut text = String::from("# What `seaworthy scan` may read. It writes nothing.\n");
    match scope {
        RbacScope::Cluster => cluster(&mut text, true),
        RbacScope::NoSecrets => cluster(&mut text, false),
        RbacScope::Namespaces(namespaces) => {
            if let Some(bad) = namespaces.iter().find(|name| !is_namespace(name)) {
                return Err(ScopeError::Namespace(bad.clone()));
            }
            let home = namespaces.first().ok_or(ScopeError::NoNamespace)?;
            account(&mut text, home);
            for namespace in namespaces.iter().collect::<std::collections::BTreeSet<_>>() {
                role(&mut text, "Role", Some(namespace), &namespaced_rules(true));
                binding(&mut text, "Role", Some(namespace), home);
            }
        }
    }
    Ok(text)
}

fn cluster(text: &mut String, with_secrets: bool) {
    let _ = write!(text, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAME}\n");
    text.push_str("---\n");
    account(text, NAME);
    let mut rules = namespaced_rules(with_secrets);
    rules.push(rule("networking.k8s.io", vec!["servicecidrs"], &["list"], "never to ask a registry at a service's address"));
    rules.push(Rule { names: &["kube-system"], ..rule("", vec!["namespaces"], &["get"], "its UID names the cluster") });
    role(text, "ClusterRole", None, &rules);
    binding(text, "ClusterRole", None, NAME);
}

fn namespaced_rules(with_secrets: bool) -> Vec<Rule> {
    let plurals = |group: &str, listing: fn(Listing) -> bool| -> Vec<&'static str> {
        let mut plurals: Vec<_> =
            BUILT_IN.iter().filter(|kind| kind.group == group && listing(kind.listing)).map(|kind| kind.plural).collect();
        plurals.sort_unstable();
        plurals
    };
    let others = |listing| listing != Listing::Pods;
    let mut rules = vec![
        rule("", plurals("", |listing| listing == Listing::Pods), &["list"], "what runs"),
        rule("", plurals("", others), &["get", "list"], "to whom pods belong"),
        rule("apps", plurals("apps", others), &["get", "list"], "to whom pods belong"),
        rule("apps", vec!["controllerrevisions"], &["get"], "whether a container was injected"),
        rule("batch", plurals("batch", others), &["get", "list"], "to whom pods belong"),
    ];
    if with_secrets {
        rules.push(rule("", vec!["secrets"], &["get"], "pull secrets, by the names that pods use; never listed"));
        rules.push(rule("", vec!["serviceaccounts"], &["get"], "their pull secrets, for templates without pods"));
    }
    rules
}

fn account(text: &mut String, namespace: &str) {
    let _ = write!(text, "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {NAME}\n  namespace: {namespace}\n");
}

fn role(text: &mut String, kind: &str, namespace: Option<&str>, rules: &[Rule]) {
    header(text, kind, namespace);
    text.push_str("rules:\n");
    for rule in rules {
        let _ = writeln!(text, "# {}", rule.why);
        let _ = writeln!(text, "- apiGroups: [\"{}\"]", rule.group);
        let _ = writeln!(text, "  resources: [{}]", rule.resources.join(", "));
        if !rule.names.is_empty() {
            let _ = writeln!(text, "  resourceNames: [{}]", rule.names.join(", "));
        }
        let _ = writeln!(text, "  verbs: [{}]", rule.verbs.join(", "));
    }
    text.push_str("# owners that are custom resources are followed where their kind may be read too: add [get], and [list] for custom kinds with a template\n");
}

fn binding(text: &mut String, kind: &str, namespace: Option<&str>, home: &str) {
    header(text, &format!("{kind}Binding"), namespace);
    let _ = write!(
        text,
        "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {NAME}\nsubjects:\n- kind: ServiceAccount\n  name: {NAME}\n  namespace: {home}\n"
    );
}

fn header(text: &mut String, kind: &str, namespace: Option<&str>) {
    let _ = write!(text, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {NAME}\n");
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "  namespace: {namespace}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_are_as_printed() {
        insta::assert_snapshot!("cluster", manifest(&RbacScope::Cluster).unwrap());
        insta::assert_snapshot!("namespaces", manifest(&RbacScope::Namespaces(vec!["prod".into(), "stage".into()])).unwrap());
        insta::assert_snapshot!("no-secrets", manifest(&RbacScope::NoSecrets).unwrap());
    }

    #[test]
    fn a_name_cannot_add_rights() {
        assert!(matches!(manifest(&RbacScope::Namespaces(vec!["a\nrules: x".into()])), Err(ScopeError::Namespace(_))));
        assert_eq!(manifest(&RbacScope::Namespaces(vec![])), Err(ScopeError::NoNamespace));
    }
}
