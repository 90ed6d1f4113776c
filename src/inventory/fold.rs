//! Folds pods into groups by their direct owner, one page at a time; no pod is kept.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Basis, ContainerKind, DeclaredBecause, Labels, PodSample, PullPolicy, RunningImage, SecretName};

use super::image_id;
use super::intern::Interner;
use super::networks::ClusterNetworks;
use super::scope::Filter;
use super::slim::{ContainerStatus, OwnerReference, Pod, PodStatus};
use super::template::{SpecEntry, entries, secret_names};
use super::uid::Uid;

/// Who a controlling `ownerReference` names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OwnerRef {
    pub(super) api_version: Arc<str>,
    pub(super) kind: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Uid,
}

impl OwnerRef {
    pub(super) fn of(reference: &OwnerReference<'_>, interner: &Interner) -> Self {
        let share = |text: &Option<super::slim::Text<'_>>| interner.share(text.as_deref().unwrap_or_default());
        Self {
            api_version: share(&reference.api_version),
            kind: share(&reference.kind),
            name: share(&reference.name),
            uid: Uid::from(reference.uid.as_deref().unwrap_or_default()),
        }
    }
}

/// What is kept of an object's metadata beyond its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) labels: Labels,
    /// Those that were asked for.
    pub(super) annotations: Labels,
}

impl Marks {
    pub(super) fn of(metadata: &super::slim::Meta<'_>, filter: &Filter, interner: &Interner) -> Self {
        let asked = |key: &str| Some((interner.share(key), interner.share(metadata.annotations.get(key)?)));
        Self {
            labels: metadata.labels.0.iter().map(|(key, value)| (interner.share(key), interner.share(value))).collect(),
            annotations: filter.annotations().filter_map(asked).collect(),
        }
    }
}

/// To whom the pods of a group belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupOwner {
    /// A pod without a controller: a workload of its own.
    Pod { name: Arc<str>, marks: Marks },
    /// Mirror pods of one static pod; the name is without the node's.
    Mirror { name: Arc<str>, marks: Marks },
    /// A controller, and for revisions that are kept apart from it (`ControllerRevision`) the name of the pod's.
    Controller { owner: Arc<OwnerRef>, revision: Option<Arc<str>> },
}

impl GroupOwner {
    fn is(&self, id: &GroupId) -> bool {
        match (self, id) {
            (Self::Pod { name, .. }, GroupId::Pod(other)) | (Self::Mirror { name, .. }, GroupId::Mirror(other)) => name == other,
            (Self::Controller { owner, revision }, GroupId::Controller(other, of)) => owner == other && revision == of,
            _ => false,
        }
    }
}

/// Pods of one direct owner, folded.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) namespace: Arc<str>,
    pub(super) owner: GroupOwner,
    pub(super) pods: u32,
    /// What was seen in them, sorted.
    pub(super) seen: Vec<(SeenImage, Sighting)>,
}

impl Group {
    /// UID of its controller, if it has one.
    pub(super) fn owner_uid(&self) -> Option<&Uid> {
        match &self.owner {
            GroupOwner::Controller { owner, .. } => Some(&owner.uid),
            GroupOwner::Pod { .. } | GroupOwner::Mirror { .. } => None,
        }
    }

    /// Where an image was seen so far. Most groups have one or two: room for more would cost as much as all else.
    fn sighting(&mut self, image: SeenImage, index: u32) -> Option<&mut Sighting> {
        let at = match self.seen.binary_search_by(|(known, _)| known.cmp(&image)) {
            Ok(at) => at,
            Err(at) => {
                if self.seen.len() < FEW_IMAGES {
                    self.seen.reserve_exact(1);
                }
                self.seen.insert(at, (image, Sighting { index, ..Sighting::default() }));
                at
            }
        };
        self.seen.get_mut(at).map(|(_, sighting)| sighting)
    }
}

/// Up to so many, room is made for one more at a time.
pub(super) const FEW_IMAGES: usize = 8;

/// An image in a container, as it is told apart from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SeenImage {
    pub(super) kind: ContainerKind,
    pub(super) name: Arc<str>,
    pub(super) reference: Arc<str>,
    pub(super) running: RunningImage,
    pub(super) basis: Basis,
    pub(super) repository: Option<Arc<str>>,
    pub(super) pull_secrets: Arc<[SecretName]>,
}

/// Where and since when it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sighting {
    /// The first position in a pod's specification.
    pub(super) index: u32,
    /// The laxest that was seen.
    pub(super) pull_policy: Option<PullPolicy>,
    pub(super) started: Option<Timestamp>,
    pub(super) pods: PodSample,
}

#[derive(Debug, Hash)]
enum GroupId {
    Pod(Arc<str>),
    Mirror(Arc<str>),
    Controller(Arc<OwnerRef>, Option<Arc<str>>),
}

/// The fold of one list of pods.
#[derive(Debug)]
pub(super) struct PodFold {
    filter: Arc<Filter>,
    with_secrets: bool,
    interner: Interner,
    groups: Vec<Group>,
    /// Numbers of groups by the hash of what they are; where two have the same, the later is found under the next.
    ids: HashMap<u64, u32>,
    hasher: RandomState,
    secrets: HashSet<Arc<[SecretName]>>,
    networks: ClusterNetworks,
    pods: u64,
}

/// What a fold leaves.
#[derive(Debug, Default)]
pub(super) struct FoldedPods {
    pub(super) groups: Vec<Group>,
    pub(super) pods: u64,
    /// Addresses of pods that are not their nodes', and the ranges that control-plane pods name.
    pub(super) networks: ClusterNetworks,
}

impl PodFold {
    /// An empty fold.
    pub(super) fn new(filter: Arc<Filter>, with_secrets: bool, interner: Interner) -> Self {
        Self {
            filter,
            with_secrets,
            interner,
            groups: Vec::new(),
            ids: HashMap::new(),
            hasher: RandomState::new(),
            secrets: HashSet::new(),
            networks: ClusterNetworks::default(),
            pods: 0,
        }
    }

    /// Folds one pod in.
    pub(super) fn add(&mut self, pod: &Pod<'_>) {
        if !self.filter.has_namespace(pod.metadata.namespace()) {
            return;
        }
        self.pods += 1;
        if pod.spec.host_network != Some(true) {
            let addresses = pod.status.pod_ips.iter().filter_map(|address| address.ip.as_deref()?.parse::<IpAddr>().ok());
            self.networks.addresses.extend(addresses);
        }
        let group = self.group(pod);
        self.take_ranges(pod, group);
        let pull_secrets = self.pull_secrets(pod);
        let controlled = self.groups.get(group as usize).is_some_and(|group| matches!(group.owner, GroupOwner::Controller { .. }));
        for entry in entries(&pod.spec) {
            let Some(state) = entry_state(&entry, &pod.status, controlled) else { continue };
            let image = SeenImage {
                kind: entry.kind,
                name: self.interner.share(entry.name),
                reference: self.interner.share(entry.reference),
                running: state.running,
                basis: state.basis,
                repository: state.repository.map(|repository| self.interner.share(&repository)),
                pull_secrets: Arc::clone(&pull_secrets),
            };
            let Some(sighting) = self.groups.get_mut(group as usize).and_then(|group| group.sighting(image, entry.index)) else { continue };
            sighting.index = sighting.index.min(entry.index);
            sighting.pull_policy = sighting.pull_policy.max(entry.pull_policy);
            sighting.started = least(sighting.started, state.started);
            sighting.pods.add(pod.metadata.name());
        }
    }

    /// What is left when every page was folded.
    pub(super) fn finish(self) -> FoldedPods {
        FoldedPods { groups: self.groups, pods: self.pods, networks: self.networks }
    }

    /// The control plane's static pods name the cluster's address ranges on their command lines.
    fn take_ranges(&mut self, pod: &Pod<'_>, group: u32) {
        let is_static = self.groups.get(group as usize).is_some_and(|group| matches!(group.owner, GroupOwner::Mirror { .. }));
        if is_static && pod.metadata.namespace() == "kube-system" {
            let flags = pod.spec.containers.iter().flat_map(|container| container.command.0.iter().chain(&container.args.0));
            flags.for_each(|flag| self.networks.take_flag(flag));
        }
    }

    fn group(&mut self, pod: &Pod<'_>) -> u32 {
        let namespace = self.interner.share(pod.metadata.namespace());
        let controller = pod.metadata.controller();
        let is_mirror = pod.metadata.annotations.is_mirror() || controller.is_some_and(is_node);
        let id = match controller {
            _ if is_mirror => GroupId::Mirror(self.interner.share(without_node(pod))),
            Some(owner) => GroupId::Controller(
                Arc::new(OwnerRef::of(owner, &self.interner)),
                revision_name(pod, owner).map(|name| self.interner.share(&name)),
            ),
            None => GroupId::Pod(self.interner.share(pod.metadata.name())),
        };
        let hash = match self.find(&namespace, &id) {
            Ok(known) => {
                if let Some(group) = self.groups.get_mut(known as usize) {
                    group.pods = group.pods.saturating_add(1);
                }
                return known;
            }
            Err(hash) => hash,
        };
        let owner = match id {
            GroupId::Pod(name) => GroupOwner::Pod { name, marks: Marks::of(&pod.metadata, &self.filter, &self.interner) },
            GroupId::Mirror(name) => GroupOwner::Mirror { name, marks: Marks::of(&pod.metadata, &self.filter, &self.interner) },
            GroupId::Controller(owner, revision) => GroupOwner::Controller { owner, revision },
        };
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(Group { namespace, owner, pods: 1, seen: Vec::new() });
        self.ids.insert(hash, number);
        number
    }

    /// The group of these pods, or the hash under which it will be found.
    fn find(&self, namespace: &Arc<str>, id: &GroupId) -> Result<u32, u64> {
        let mut hash = self.hasher.hash_one((namespace, id));
        while let Some(number) = self.ids.get(&hash) {
            if self.groups.get(*number as usize).is_some_and(|group| group.namespace == *namespace && group.owner.is(id)) {
                return Ok(*number);
            }
            hash = hash.wrapping_add(1);
        }
        Err(hash)
    }

    /// Without the right to read secrets their names say nothing: the scan asks as one that has none.
    fn pull_secrets(&mut self, pod: &Pod<'_>) -> Arc<[SecretName]> {
        if !self.with_secrets {
            return Arc::default();
        }
        let namespace = self.interner.share(pod.metadata.namespace());
        let names: Arc<[SecretName]> =
            secret_names(&pod.spec).map(|name| SecretName { namespace: Arc::clone(&namespace), name: self.interner.share(name) }).collect();
        if let Some(known) = self.secrets.get(&names) {
            return Arc::clone(known);
        }
        self.secrets.insert(Arc::clone(&names));
        names
    }
}

/// The lesser of what is there.
pub(super) fn least<T: Ord>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

fn is_node(owner: &OwnerReference<'_>) -> bool {
    owner.kind.as_deref() == Some("Node") && owner.api_version.as_deref() == Some("v1")
}

/// The kubelet names a mirror pod `<static name>-<node name>`.
fn without_node<'a>(pod: &'a Pod<'_>) -> &'a str {
    let name = pod.metadata.name();
    let owner = pod.metadata.controller().filter(|owner| is_node(owner)).and_then(|owner| owner.name.as_deref());
    [pod.spec.node_name.as_deref(), owner]
        .into_iter()
        .flatten()
        .find_map(|node| name.strip_suffix(node)?.strip_suffix('-'))
        .filter(|name| !name.is_empty())
        .unwrap_or(name)
}

/// The name of the pod's `ControllerRevision`: a `StatefulSet`'s label has the whole name, a `DaemonSet`'s only the hash.
fn revision_name(pod: &Pod<'_>, owner: &OwnerReference<'_>) -> Option<String> {
    if !owner.api_version.as_deref()?.starts_with("apps/") {
        return None;
    }
    let label = pod.metadata.labels.get("controller-revision-hash")?;
    match owner.kind.as_deref()? {
        "StatefulSet" => Some(label.to_owned()),
        "DaemonSet" => Some(format!("{}-{label}", owner.name.as_deref()?)),
        _ => None,
    }
}

struct EntryState {
    running: RunningImage,
    basis: Basis,
    repository: Option<String>,
    started: Option<Timestamp>,
}

impl EntryState {
    fn declared(because: DeclaredBecause) -> Self {
        Self { running: RunningImage::Unreported, basis: Basis::Declared(because), repository: None, started: None }
    }

    fn of(image_id: &str, reference: &str, basis: Basis, started: Option<Timestamp>) -> Self {
        let reported = image_id::read(image_id, reference);
        Self { running: reported.running, basis, repository: reported.repository, started }
    }
}

/// What one entry of a pod runs, or would run. None for a container that never started in a pod that is over and has a controller:
/// it will never run, and its template stands for the rest.
fn entry_state(entry: &SpecEntry<'_>, status: &PodStatus<'_>, controlled: bool) -> Option<EntryState> {
    let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let statuses = match entry.kind {
        ContainerKind::Init => &status.init_container_statuses,
        ContainerKind::Container => &status.container_statuses,
        ContainerKind::Ephemeral => &status.ephemeral_container_statuses,
        ContainerKind::ImageVolume => return Some(volume_state(entry, status, over)),
    };
    let container = statuses.iter().find(|container| container.name.as_deref() == Some(entry.name));
    let begun = container.and_then(|container| Some((container.image_id.as_deref().unwrap_or_default(), begun(container, over)?)));
    match begun {
        Some((image_id, (basis, started))) => Some(EntryState::of(image_id, entry.reference, basis, started)),
        None if over && controlled => None,
        None => Some(EntryState::declared(DeclaredBecause::NotStarted)),
    }
}

/// Whether a container has run, and since when.
///
/// One that waits to be restarted (`CrashLoopBackOff`) runs as far as an audit goes: the kubelet will start the same image again. One
/// that does not run and has no image ID is as if it had not started: the kubelet lost sight of it, and will resolve its reference anew.
fn begun(container: &ContainerStatus<'_>, over: bool) -> Option<(Basis, Option<Timestamp>)> {
    let has_id = container.image_id.as_deref().is_some_and(|id| !id.is_empty());
    if !has_id && (over || container.state.running.is_none()) {
        return None;
    }
    let time = |started: &super::slim::Started<'_>| started.started_at.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    if over {
        let ended = container.state.terminated.as_ref().or(container.state.running.as_ref()).or(container.last_state.terminated.as_ref());
        return Some((Basis::Finished, ended.and_then(time)));
    }
    if let Some(running) = &container.state.running {
        return Some((Basis::Running, time(running)));
    }
    if let Some(terminated) = &container.state.terminated {
        return Some((Basis::Finished, time(terminated)));
    }
    if let Some(last) = &container.last_state.terminated {
        return Some((Basis::Running, time(last)));
    }
    (container.restart_count > 0).then_some((Basis::Running, None))
}

fn volume_state(entry: &SpecEntry<'_>, status: &PodStatus<'_>, over: bool) -> EntryState {
    let all = || status.init_container_statuses.iter().chain(&status.container_statuses).chain(&status.ephemeral_container_statuses);
    let image_ref = |container: &'_ ContainerStatus<'_>| -> Option<String> {
        let mount =
            container.volume_mounts.iter().find(|mount| mount.name.as_deref() == Some(entry.name) && mount.volume_status.is_some())?;
        let image = mount.volume_status.as_ref()?.image.as_ref()?.image_ref.as_deref()?;
        (!image.is_empty()).then(|| image.to_owned())
    };
    let reported = all()
        .filter_map(|container| {
            let image = image_ref(container)?;
            let (basis, started) = begun(container, over).unwrap_or((if over { Basis::Finished } else { Basis::Running }, None));
            Some((basis, image, started))
        })
        .min();
    match reported {
        Some((basis, image, started)) => EntryState::of(&image, entry.reference, basis, started),
        None if all().any(|container| begun(container, over).is_some()) => EntryState::declared(DeclaredBecause::NotReported),
        None => EntryState::declared(DeclaredBecause::NotStarted),
    }
}
