//! Names of the objects: the same for the same workload in every scan, and no two in one stream alike.

use std::collections::BTreeMap;

use crate::model::{Origin, WorkloadRecord};
use crate::report::causes::fingerprint;

/// Longest name of a label of DNS (RFC 1123).
const LONGEST: usize = 63;
/// Letters of a name that are left for a person.
const READABLE: usize = 32;

/// Names that were given.
#[derive(Default)]
pub(super) struct Names {
    given: BTreeMap<String, u32>,
}

impl Names {
    /// For what is about the scan of these clusters as a whole.
    pub(super) fn of_scan(&mut self, clusters: &[&str]) -> String {
        let parts: Vec<&str> = ["scan"].into_iter().chain(clusters.iter().copied()).collect();
        self.unique(format!("seaworthy-scan-{}", fingerprint(&parts)))
    }

    /// For a workload: a manifest's is another than that of the cluster.
    pub(super) fn of_workload(&mut self, workload: &WorkloadRecord) -> String {
        let key = &workload.key;
        let (file, document) = match &workload.origin {
            Origin::Manifest { file, document } => (file.as_str(), document.to_string()),
            Origin::Cluster | Origin::OwnerReference | Origin::Argument => ("", String::new()),
        };
        let cluster = workload.cluster.as_deref().unwrap_or_default();
        // Without the version: a workload keeps its name when its interface gets another.
        let id = fingerprint(&["workload", cluster, key.group(), &key.kind, &key.namespace, &key.name, file, &document]);
        let readable = slug(&format!("{}-{}", key.kind, key.name));
        self.unique(if readable.is_empty() { format!("seaworthy-{id}") } else { format!("seaworthy-{readable}-{id}") })
    }

    fn unique(&mut self, name: String) -> String {
        let count = self.given.entry(name.clone()).or_default();
        *count += 1;
        // A letter: parts of one object have numbers behind their name.
        if *count == 1 { name } else { format!("{name}-again{count}") }
    }
}

/// Small letters, digits and dashes.
fn slug(text: &str) -> String {
    let mut told = String::new();
    for letter in text.chars().take(4 * READABLE) {
        if told.len() == READABLE {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            told.push(letter.to_ascii_lowercase());
        } else if !told.is_empty() && !told.ends_with('-') {
            told.push('-');
        }
    }
    told.trim_end_matches('-').to_owned()
}

/// Whether a namespace can be called so: a label of DNS (RFC 1123).
pub(super) fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| allowed(byte) || byte == b'-')
        && text.bytes().next().is_some_and(allowed)
        && text.bytes().last().is_some_and(allowed)
}

/// The text as the value of a label: itself where it can be one, else what is left of it with a fingerprint.
pub(super) fn label_value(text: &str) -> String {
    let fits = text.len() <= LONGEST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && [text.bytes().next(), text.bytes().last()].into_iter().all(|end| end.is_none_or(|byte| byte.is_ascii_alphanumeric()));
    if fits {
        return text.to_owned();
    }
    let readable = slug(text);
    let id = fingerprint(&["label", text]);
    if readable.is_empty() { id } else { format!("{readable}-{id}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_such_as_kubernetes_takes() {
        assert_eq!(label_value("eu-west"), "eu-west");
        assert_eq!(label_value(""), "");
        for text in ["arn:aws:eks:eu-west-1:123:cluster/prod", "-x", "日本", &"x".repeat(64), "a b\n"] {
            let value = label_value(text);
            assert!(value.len() <= LONGEST && is_label(&value), "{text}: {value}");
        }
        assert_ne!(label_value("a:b"), label_value("a/b"));
    }

    #[test]
    fn only_a_dns_label_is_a_namespace() {
        for (text, is) in [("shop", true), ("", false), ("Shop", false), ("-a", false), ("a-", false), ("a.b", false), ("a\n", false)] {
            assert_eq!(is_label(text), is, "{text:?}");
        }
    }
}
