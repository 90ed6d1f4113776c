//! Who answers for a workload, as its cluster says.

use std::fmt;
use std::str::FromStr;

use super::shared_text::{Labels, SharedText};
use super::workload::ObjectKey;

/// Where a workload says who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerSource {
    /// The value of this label.
    Label(String),
    /// The value of this annotation.
    Annotation(String),
    /// Its namespace.
    Namespace,
}

/// A text that names no place of an owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} says nowhere to look for an owner: write label:KEY, annotation:KEY or namespace")]
pub struct OwnerSourceError(String);

/// The annotation by which Kubernetes' users name the owner of an object (ambassadorlabs.github.io/k8s-for-humans).
const HUMAN: &str = "a8r.io/owner";

impl OwnerSource {
    /// Where one looks who is not told otherwise: the label `team`, the annotation `a8r.io/owner`, the namespace.
    #[must_use]
    pub fn usual() -> [Self; 3] {
        [Self::Label("team".to_owned()), Self::Annotation(HUMAN.to_owned()), Self::Namespace]
    }

    /// The first of the sources that says anything.
    #[must_use]
    pub fn owner(sources: &[Self], key: &ObjectKey, labels: &Labels, annotations: &Labels) -> Option<SharedText> {
        let said = |source: &Self| match source {
            Self::Label(label) => labels.get(label).map(SharedText::from),
            Self::Annotation(annotation) => annotations.get(annotation).map(SharedText::from),
            Self::Namespace => Some(key.namespace.clone()),
        };
        sources.iter().filter_map(said).find(|owner| !owner.is_empty())
    }
}

impl fmt::Display for OwnerSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => write!(formatter, "label:{key}"),
            Self::Annotation(key) => write!(formatter, "annotation:{key}"),
            Self::Namespace => formatter.write_str("namespace"),
        }
    }
}

impl FromStr for OwnerSource {
    type Err = OwnerSourceError;

    fn from_str(text: &str) -> Result<Self, OwnerSourceError> {
        match text.split_once(':') {
            None if text == "namespace" => Ok(Self::Namespace),
            Some(("label", key)) if !key.is_empty() => Ok(Self::Label(key.to_owned())),
            Some(("annotation", key)) if !key.is_empty() => Ok(Self::Annotation(key.to_owned())),
            _ => Err(OwnerSourceError(text.to_owned())),
        }
    }
}

impl serde::Serialize for OwnerSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for OwnerSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for OwnerSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OwnerSource".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_read_back_and_others_are_refused() {
        for text in ["label:team", "annotation:acme.example/owner", "namespace"] {
            assert_eq!(text.parse::<OwnerSource>().unwrap().to_string(), text);
        }
        for text in ["", "team", "label:", "annotation:", "namespace:", "labels:team"] {
            assert!(text.parse::<OwnerSource>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_source_that_says_anything_decides() {
        let key = ObjectKey { api_version: "v1".into(), kind: "Pod".into(), namespace: "shop".into(), name: "web".into() };
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| (*key, *value)).collect::<Labels>();
        let owner = |own: &[(&str, &str)], notes: &[(&str, &str)]| {
            OwnerSource::owner(&OwnerSource::usual(), &key, &labels(own), &labels(notes)).map(|owner| owner.to_string())
        };
        assert_eq!(owner(&[("team", "a")], &[(HUMAN, "b")]).as_deref(), Some("a"));
        assert_eq!(owner(&[("team", "")], &[(HUMAN, "b")]).as_deref(), Some("b"), "an empty one says nothing");
        assert_eq!(owner(&[], &[]).as_deref(), Some("shop"));
        assert_eq!(OwnerSource::owner(&[OwnerSource::Label("x".to_owned())], &key, &labels(&[]), &labels(&[])), None);
    }
}
