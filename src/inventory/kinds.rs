//! The kinds that are asked for, how each is read, and where its pod specification sits. The one table for requests and for RBAC.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How a kind is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// Pods, with their status.
    Pods,
    /// Objects with the template of what they run now.
    Templates,
    /// Metadata alone: there are many old ones, and most have a controller whose template counts.
    Owners,
}

/// One built-in kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BuiltIn {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    /// Path of the pod specification in the object.
    pub(super) pod_spec: &'static str,
    pub(super) listing: Listing,
}

const fn built_in(group: &'static str, plural: &'static str, kind: &'static str, pod_spec: &'static str, listing: Listing) -> BuiltIn {
    BuiltIn { group, version: "v1", plural, kind, pod_spec, listing }
}

/// The list of pods.
pub(super) const PODS: &str = "pods";

/// Every built-in kind that runs containers.
pub(super) static BUILT_IN: [BuiltIn; 8] = [
    built_in("", PODS, "Pod", "spec", Listing::Pods),
    built_in("apps", "deployments", "Deployment", "spec.template.spec", Listing::Templates),
    built_in("apps", "daemonsets", "DaemonSet", "spec.template.spec", Listing::Templates),
    built_in("apps", "statefulsets", "StatefulSet", "spec.template.spec", Listing::Templates),
    built_in("", "replicationcontrollers", "ReplicationController", "spec.template.spec", Listing::Templates),
    built_in("batch", "cronjobs", "CronJob", "spec.jobTemplate.spec.template.spec", Listing::Templates),
    built_in("apps", "replicasets", "ReplicaSet", "spec.template.spec", Listing::Owners),
    built_in("batch", "jobs", "Job", "spec.template.spec", Listing::Owners),
];

impl BuiltIn {
    /// The kind of that name in that group, whatever the version.
    pub(super) fn find(api_version: &str, kind: &str) -> Option<&'static Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        BUILT_IN.iter().find(|built_in| built_in.group == group && built_in.kind == kind)
    }

    /// `group/version`, or `v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Path of the list, of one namespace or of all.
    pub(super) fn list_path(&self, namespace: Option<&str>) -> String {
        collection_path(&self.api_version(), self.plural, namespace)
    }
}

/// Path of a collection. Every part may come from an `ownerReference`, which users write: parts are encoded.
pub(super) fn collection_path(api_version: &str, plural: &str, namespace: Option<&str>) -> String {
    let mut path = match api_version.split_once('/') {
        None => format!("/api/{}", encode(api_version)),
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
    };
    if let Some(namespace) = namespace {
        path.push_str("/namespaces/");
        path.push_str(&encode(namespace));
    }
    path.push('/');
    path.push_str(&encode(plural));
    path
}

/// One segment of a path. A dot alone would be a way up, so it is encoded where it is all there is.
pub(super) fn encode(segment: &str) -> String {
    if matches!(segment, "." | "..") {
        return segment.replace('.', "%2E");
    }
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A kind as workloads carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) api_version: Arc<str>,
    pub(super) kind: Arc<str>,
    /// Path of the pod specification in the object.
    pub(super) pod_spec: Arc<str>,
}

impl From<&BuiltIn> for Kind {
    fn from(built_in: &BuiltIn) -> Self {
        Self { api_version: built_in.api_version().into(), kind: built_in.kind.into(), pod_spec: built_in.pod_spec.into() }
    }
}

/// A custom resource that holds a pod template, `group/Kind: path`, for example `argoproj.io/Rollout: spec.template`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomKind {
    /// Its API group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Path of the pod template (or pod specification) in the object, from its root.
    pub path: Vec<String>,
}

/// Why a text is no [`CustomKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("custom kind {0:?} is not written group/Kind: path.to.template, for example argoproj.io/Rollout: spec.template")]
pub struct CustomKindError(String);

impl FromStr for CustomKind {
    type Err = CustomKindError;

    fn from_str(text: &str) -> Result<Self, CustomKindError> {
        let refuse = || CustomKindError(text.to_owned());
        let (name, path) = text.split_once(':').ok_or_else(refuse)?;
        let (group, kind) = name.trim().split_once('/').ok_or_else(refuse)?;
        let is_group = group.contains('.')
            && group.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        let is_path = path.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        if !is_group || !is_kind || !is_path {
            return Err(refuse());
        }
        Ok(Self { group: group.to_owned(), kind: kind.to_owned(), path })
    }
}

impl fmt::Display for CustomKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}: {}", self.group, self.kind, self.path.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_kind_reads_back_as_itself() {
        let kind: CustomKind = "argoproj.io/Rollout:spec.template".parse().unwrap();
        assert_eq!(kind.to_string(), "argoproj.io/Rollout: spec.template");
        assert_eq!(kind.to_string().parse::<CustomKind>().unwrap(), kind);
        for bad in [
            "",
            "Rollout: spec",
            "argoproj.io/: spec",
            "argoproj.io/Rollout",
            "argoproj.io/Rollout:",
            "a.b/C: x..y",
            "apps/Deployment: spec",
            "a.b/../C: x",
        ] {
            assert!(bad.parse::<CustomKind>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_name_leaves_its_segment() {
        assert_eq!(collection_path("v1", "pods", Some("../x")), "/api/v1/namespaces/..%2Fx/pods");
        assert_eq!(collection_path("a/..", "?", None), "/apis/a/%2E%2E/%3F");
        assert_eq!(BUILT_IN[1].list_path(Some("prod")), "/apis/apps/v1/namespaces/prod/deployments");
    }
}
