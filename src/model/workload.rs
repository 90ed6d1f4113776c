//! Workloads, their containers, and what each container runs.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ledger::SecretName;
use super::shared_text::{Labels, SharedText};

/// The name of an API object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// `group/version`, or `v1` for the core group.
    pub api_version: SharedText,
    /// Its kind.
    pub kind: SharedText,
    /// Its namespace; empty for what has none and for manifests that name none.
    pub namespace: SharedText,
    /// Its name.
    pub name: SharedText,
}

impl ObjectKey {
    /// The API group, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Kubescape's resource identifier, `group/version/namespace/kind/name`.
    #[must_use]
    pub fn resource_id(&self) -> String {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        format!("{group}/{version}/{}/{}/{}", self.namespace, self.kind, self.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(formatter, "{}/{}", self.kind, self.name)
        } else {
            write!(formatter, "{}/{}/{}", self.namespace, self.kind, self.name)
        }
    }
}

/// Where a workload was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The API server; the object itself was read.
    Cluster,
    /// The API server, but only named by an `ownerReference`: reading it was refused or failed, so a higher owner may exist.
    OwnerReference,
    /// A manifest file or standard input.
    Manifest {
        /// The path as it was given, `-` for standard input.
        file: String,
        /// Position of the document in the file, from 0.
        document: u32,
    },
    /// An image named on the command line; there is no workload.
    Argument,
}

/// Where an image field stands in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourcePosition {
    /// The file as it was given, `-` for standard input.
    pub file: SharedText,
    /// Line of the image's value, from 1.
    pub line: u32,
    /// Column of its first letter, from 1, in Unicode scalar values.
    pub column: u32,
    /// The template or kustomization that the manifest was rendered from, as the renderer names it; none where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_from: Option<SharedText>,
}

/// A top-level workload: what an audit reports on. Pods under a controller are folded into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Its name.
    pub key: ObjectKey,
    /// Its labels (of the object, not of its pods).
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Those of its annotations that were asked for: others are not kept.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Where it was read from.
    pub origin: Origin,
    /// Its containers, in the order of kind, then of the specification.
    pub containers: Vec<Container>,
    /// Pods folded into it.
    #[serde(default)]
    pub pods: u32,
}

/// What kind of container it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ContainerKind {
    /// `initContainers`, native sidecars included.
    Init,
    /// `containers`.
    Container,
    /// `ephemeralContainers`.
    Ephemeral,
    /// A volume of type `image`.
    ImageVolume,
}

/// Whether the workload's template declares the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeclaredIn {
    /// The template has it (of a bare pod: its own specification).
    Template,
    /// Only pods have it: injected after the template, by an admission webhook or as an ephemeral container.
    PodOnly,
    /// The template could not be read.
    TemplateUnknown,
}

/// When the kubelet pulls; the later, the laxer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// Where the node has none.
    IfNotPresent,
    /// Never.
    Never,
}

/// One container (or image volume) of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: SharedText,
    /// Its kind.
    pub kind: ContainerKind,
    /// Path of its image field in the object, `spec.template.spec.containers[0].image`; for one that only pods have, the path in the pod.
    pub path: SharedText,
    /// Where that field stands in a manifest; none where it was read from a cluster, or where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Box<SourcePosition>>,
    /// Whether the template declares it.
    pub declared_in: DeclaredIn,
    /// The pull policy that is written, if any; where pods differ, the laxest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
    /// Every different image that it runs, or would run. Never empty. Sorted.
    pub images: Vec<ContainerImage>,
}

/// Why nothing runs of what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeclaredBecause {
    /// Zero replicas, or no pod at the time.
    NoPods,
    /// A suspended Job or `CronJob`.
    Suspended,
    /// The pod is pending, or this container of it has not started.
    NotStarted,
    /// Read from a manifest, not a cluster.
    Manifest,
    /// The server does not report a digest for it (an image volume on older servers).
    NotReported,
    /// Its pods could not be listed, or not all of them: something else may run.
    PodsNotListed,
}

/// On what basis an image is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// It runs.
    Running,
    /// It has run and ended.
    Finished,
    /// Nothing runs: judged by what the reference resolves to now.
    Declared(DeclaredBecause),
}

/// What the runtime says about the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunningImage {
    /// `repository@digest`: the digest of a manifest (or index) as it was pulled.
    Manifest(Digest),
    /// A bare digest: of a manifest or of an image configuration, not said which.
    Unqualified(Digest),
    /// An image ID that is no digest at all, as it was reported; empty where something runs and none is reported.
    Unreadable(String),
    /// Nothing is reported: see the basis.
    Unreported,
}

/// Pods in which something was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodSample {
    /// How many.
    pub count: u32,
    /// Names of the first few in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<SharedText>,
}

impl PodSample {
    /// How many names are kept.
    pub const NAMES: usize = 3;

    /// Counts a pod and keeps its name if it is among the first in order.
    pub fn add(&mut self, name: &str) {
        self.count = self.count.saturating_add(1);
        let at = self.names.partition_point(|known| known.as_str() < name);
        if at < Self::NAMES {
            // Most have one: room for more would cost as much as all else.
            self.names.reserve_exact(1);
            self.names.insert(at, name.into());
            self.names.truncate(Self::NAMES);
        }
    }
}

/// One image of a container: what was asked for, and what the runtime reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerImage {
    /// The reference as it is written in the specification.
    pub reference: SharedText,
    /// What the runtime reports.
    pub running: RunningImage,
    /// On what basis it is judged.
    pub basis: Basis,
    /// The repository that the runtime reports, where it differs from the reference's: a note, not a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_repository: Option<SharedText>,
    /// Pull secrets that its pods may use, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<SecretName>,
    /// When the first of its pods started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// The pull policy with which it is pulled, where that is another than the container's: the two halves of a roll-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
    /// The pods that have it.
    #[serde(default)]
    pub pods: PodSample,
}
