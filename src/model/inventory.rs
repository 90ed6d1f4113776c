//! What was listed, of which cluster, and what could not be.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::owner::OwnerSource;
use super::shared_text::{Labels, SharedText};
use super::verdict::Cause;
use super::workload::{ObjectKey, Workload};

/// Which cluster, and as whom it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterIdentity {
    /// UID of the `kube-system` namespace, the usual identity of a cluster; none where it may not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The server's version, `v1.36.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// Name of the kubeconfig context, if one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The user name by which the server knows the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// What the user chose to look at. What is outside is no gap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// Only these namespaces, by namespaced calls; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include_namespaces: Vec<String>,
    /// Not these namespaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_namespaces: Vec<String>,
    /// Only these kinds; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include_kinds: Vec<String>,
    /// Not these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_kinds: Vec<String>,
    /// Only workloads whose labels match (Kubernetes label selector).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// Only this workload, `Kind/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// Where workloads say who answers for them, the first that says anything; empty: [`OwnerSource::usual`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner_from: Vec<OwnerSource>,
    /// Only workloads for which one of these answers; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

impl Scope {
    /// Who answers for a workload.
    #[must_use]
    pub fn owner(&self, key: &ObjectKey, labels: &Labels, annotations: &Labels) -> Option<SharedText> {
        if self.owner_from.is_empty() {
            OwnerSource::owner(&OwnerSource::usual(), key, labels, annotations)
        } else {
            OwnerSource::owner(&self.owner_from, key, labels, annotations)
        }
    }
}

/// Something in scope that could not be listed or read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What, for a person: `pods in namespace payments`.
    pub what: String,
    /// Its namespace, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of its cluster, in a report about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whether workloads may be missing from the report because of it (else only details of some are).
    pub workloads_missing: bool,
    /// Why.
    pub cause: Cause,
    /// What happened, and what the user can do.
    pub detail: String,
}

/// Something that was read and is not judged, or that no scan through this way can see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotVisible {
    /// What.
    pub what: String,
    /// Why it is not judged.
    pub why: String,
}

/// How much was listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InventoryCounts {
    /// Pods listed.
    pub pods: u64,
    /// API objects (or manifest documents) read, pods included.
    pub objects: u64,
    /// Namespaces seen.
    pub namespaces: u64,
}

/// What a cluster, or a set of manifests, runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Which cluster; none for manifests and named images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterIdentity>,
    /// What was chosen.
    pub scope: Scope,
    /// When it was listed.
    pub observed: Timestamp,
    /// Workloads, sorted by name.
    pub workloads: Vec<Workload>,
    /// Objects with an image-like field that are not understood, and so not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<NotJudged>,
    /// What is in scope and could not be read, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// How much was listed.
    #[serde(default)]
    pub counts: InventoryCounts,
}

/// An object with an image-like field that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotJudged {
    /// Its name.
    pub key: ObjectKey,
    /// Path of the field, `spec.image`.
    pub path: String,
    /// Its value.
    pub value: String,
}
