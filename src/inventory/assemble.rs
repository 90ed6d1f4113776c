//! Puts groups of pods, templates and owners together into workloads.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::model::Cause;
use crate::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, Gap, ObjectKey, Origin, PodSample, RunningImage,
    SecretName, Workload,
};

use super::fold::{Group, GroupOwner, OwnerRef, SeenImage, SharedLabels, Sighting, least};
use super::objects::Controller;
use super::owners::{Owners, Top};
use super::revisions::{RevisionId, Revisions};
use super::scope::Filter;
use super::secrets::AccountName;
use super::template::{DeclaredContainer, Template, image_path};

/// Path of the specification inside a pod.
const POD: &str = "spec";

/// Everything that was read, by what it is.
pub(super) struct Assembly {
    pub(super) groups: Vec<Group>,
    /// Controllers with their templates, by UID.
    pub(super) controllers: HashMap<Arc<str>, Controller>,
    pub(super) owners: Owners,
    pub(super) revisions: Revisions,
    /// Pull secrets of service accounts.
    pub(super) accounts: BTreeMap<AccountName, Vec<SecretName>>,
    pub(super) with_secrets: bool,
    /// Namespaces whose pods were not all listed; `None`: any may be one.
    pub(super) pods_missing: BTreeSet<Option<String>>,
}

/// Where a container of a pod is declared, and its path.
#[derive(Debug)]
struct Place {
    declared_in: DeclaredIn,
    path: String,
    index: u32,
}

impl Assembly {
    /// Every owner that is named by pods or controllers.
    pub(super) fn named_owners(&self) -> impl Iterator<Item = (Arc<str>, OwnerRef)> + '_ {
        let of_pods = self.groups.iter().filter_map(|group| match &group.owner {
            GroupOwner::Controller { owner, .. } => Some((Arc::clone(&group.namespace), owner.clone())),
            GroupOwner::Pod { .. } | GroupOwner::Mirror { .. } => None,
        });
        let of_controllers =
            self.controllers.values().filter_map(|controller| Some((Arc::clone(&controller.namespace), controller.owner.clone()?)));
        of_pods.chain(of_controllers)
    }

    /// Revisions whose templates are needed to tell whether a container was injected, or whether what ran is what would run again.
    pub(super) fn wanted_revisions(&self) -> BTreeSet<RevisionId> {
        let live = self.live();
        self.groups
            .iter()
            .filter_map(|group| {
                let GroupOwner::Controller { owner, .. } = &group.owner else { return None };
                let source = self.source(owner);
                let is_explained = group.seen.iter().all(|(image, _)| {
                    image.kind == ContainerKind::Ephemeral
                        || source.is_some_and(|source| {
                            let declared = source.template.find(image.kind, &image.name);
                            declared.is_some_and(|declared| live.contains(&*source.uid) || declared.reference == image.reference)
                        })
                });
                if is_explained { None } else { self.revision_of(group, source) }
            })
            .collect()
    }

    /// Controllers of which some pod is not over.
    fn live(&self) -> HashSet<&str> {
        let alive = self.groups.iter().filter(|group| group.seen.iter().any(|(image, _)| image.basis != Basis::Finished));
        alive
            .filter_map(|group| match &group.owner {
                GroupOwner::Controller { owner, .. } => Some(&*self.source(owner)?.uid),
                GroupOwner::Pod { .. } | GroupOwner::Mirror { .. } => None,
            })
            .collect()
    }

    /// The nearest controller above the pods whose template is known.
    fn source(&self, owner: &OwnerRef) -> Option<&Controller> {
        self.owners.chain(owner).into_iter().find_map(|uid| self.controllers.get(uid))
    }

    /// The revision that made a group's pods, where it is another object than the one whose template is at hand.
    fn revision_of(&self, group: &Group, source: Option<&Controller>) -> Option<RevisionId> {
        let GroupOwner::Controller { owner, revision } = &group.owner else { return None };
        if let Some(name) = revision {
            return Some(RevisionId::Controller { namespace: Arc::clone(&group.namespace), name: Arc::clone(name) });
        }
        let is_revision =
            matches!((owner.api_version.split('/').next().unwrap_or_default(), &*owner.kind), ("apps", "ReplicaSet") | ("batch", "Job"));
        (is_revision && source.is_none_or(|source| source.uid != owner.uid))
            .then(|| RevisionId::Object { namespace: Arc::clone(&group.namespace), owner: owner.clone() })
    }

    /// Controllers with the containers of their templates for which no pod of theirs stands.
    fn uncovered(&self) -> Vec<(&Controller, Vec<&DeclaredContainer>)> {
        let live = self.live();
        let mut covered: HashSet<(&str, ContainerKind, &str)> = HashSet::new();
        for group in &self.groups {
            if let GroupOwner::Controller { owner, .. } = &group.owner
                && let Some(source) = self.source(owner)
                && !self.has_unlisted_pods(source)
            {
                let stands = |image: &SeenImage| live.contains(&*source.uid) || self.would_run_again(group, image, source);
                let standing = group.seen.iter().filter(|(image, _)| stands(image));
                covered.extend(standing.map(|(image, _)| (&*source.uid, image.kind, &*image.name)));
            }
        }
        self.controllers
            .values()
            .filter_map(|controller| {
                let is_free = |container: &&DeclaredContainer| !covered.contains(&(&*controller.uid, container.kind, &*container.name));
                let containers: Vec<_> = controller.template.containers.iter().filter(is_free).collect();
                (!containers.is_empty()).then_some((controller, containers))
            })
            .collect()
    }

    /// Whether the controller would make the container again as it ran: its reference stands in the template, or the template is still
    /// the one of which the pod was made, and the reference was changed on the way.
    fn would_run_again(&self, group: &Group, image: &SeenImage, source: &Controller) -> bool {
        let find = |template: &Template| template.find(image.kind, &image.name).map(|declared| Arc::clone(&declared.reference));
        let Some(now) = find(&source.template) else { return false };
        now == image.reference
            || match self.revision_of(group, Some(source)) {
                // The present template is the only one there is.
                None => true,
                Some(id) => self.revisions.get(&id).and_then(Option::as_ref).and_then(find) == Some(now),
            }
    }

    /// Service accounts whose pull secrets are needed for templates that have no pods to show them.
    pub(super) fn wanted_accounts(&self, filter: &Filter) -> BTreeSet<AccountName> {
        if !self.with_secrets {
            return BTreeSet::new();
        }
        self.uncovered()
            .into_iter()
            .map(|(controller, _)| controller)
            .filter(|controller| controller.template.pull_secrets.is_empty())
            .filter(|controller| {
                let top = self.top_of(controller);
                filter.has_key(&top.key) && filter.has_labels(|key| label(&top.labels, key))
            })
            .map(account_of)
            .collect()
    }

    fn top_of(&self, controller: &Controller) -> Top {
        match &controller.owner {
            Some(owner) => self.owners.top(&controller.namespace, owner),
            None => Top {
                key: ObjectKey {
                    api_version: controller.kind.api_version.to_string(),
                    kind: controller.kind.kind.to_string(),
                    namespace: controller.namespace.to_string(),
                    name: controller.name.to_string(),
                },
                origin: Origin::Cluster,
                labels: controller.labels.clone(),
            },
        }
    }

    /// The workloads in scope, sorted, and what is in scope perhaps but cannot be told.
    pub(super) fn workloads(mut self, filter: &Filter) -> (Vec<Workload>, Vec<Gap>) {
        let mut building: BTreeMap<ObjectKey, Building> = BTreeMap::new();
        let (mut unlabelled, mut unplaced) = (0_usize, 0_usize);
        let mut start = |top: Top, building: &mut BTreeMap<ObjectKey, Building>| -> Option<ObjectKey> {
            if !filter.has_key(&top.key) {
                unplaced += usize::from(top.origin == Origin::OwnerReference && filter.may_have_above(&top.key));
                return None;
            }
            if filter.asks_labels() && top.origin == Origin::OwnerReference {
                unlabelled += 1;
                return None;
            }
            if !filter.has_labels(|key| label(&top.labels, key)) {
                return None;
            }
            let key = top.key.clone();
            building.entry(top.key).or_insert_with(|| Building::new(top.origin, top.labels));
            Some(key)
        };
        for (controller, containers) in self.uncovered() {
            let Some(key) = start(self.top_of(controller), &mut building) else { continue };
            let secrets = self.template_secrets(controller);
            let because = self.because(controller);
            if let Some(workload) = building.get_mut(&key) {
                for container in containers {
                    workload.declare(controller, container, &secrets, because);
                }
            }
        }
        for group in std::mem::take(&mut self.groups) {
            let Some(key) = start(self.top_of_group(&group), &mut building) else { continue };
            let Some(workload) = building.get_mut(&key) else { continue };
            workload.pods = workload.pods.saturating_add(group.pods);
            let places: Vec<Place> = group.seen.iter().map(|(image, sighting)| self.place(&group, image, sighting)).collect();
            let seen = group.seen.into_iter().zip(places).map(|((image, sighting), place)| (place, image, sighting));
            workload.seen.extend(seen);
        }
        let gap = |what: String, detail: &str| Gap {
            what,
            namespace: None,
            workloads_missing: true,
            cause: Cause::ListIncomplete,
            detail: format!("{detail}; grant `get` on their kinds"),
        };
        let labels = "they may not be read, so the label selector cannot be asked of them";
        let above = "they may not be read, and what is asked for may be above them";
        let gaps = (unlabelled > 0)
            .then(|| gap(format!("labels of {unlabelled} owners"), labels))
            .into_iter()
            .chain((unplaced > 0).then(|| gap(format!("owners above {unplaced} owners"), above)));
        let workloads = building.into_iter().filter_map(|(key, building)| building.finish(key)).collect();
        (workloads, gaps.collect())
    }

    fn top_of_group(&self, group: &Group) -> Top {
        match &group.owner {
            GroupOwner::Controller { owner, .. } => self.owners.top(&group.namespace, owner),
            GroupOwner::Pod { name, labels } | GroupOwner::Mirror { name, labels } => Top {
                key: ObjectKey {
                    api_version: "v1".to_owned(),
                    kind: "Pod".to_owned(),
                    namespace: group.namespace.to_string(),
                    name: name.to_string(),
                },
                origin: Origin::Cluster,
                labels: labels.clone(),
            },
        }
    }

    /// Whether the controller may have pods that were not listed.
    fn has_unlisted_pods(&self, controller: &Controller) -> bool {
        let missing = &self.pods_missing;
        !missing.is_empty() && (missing.contains(&None) || missing.contains(&Some(controller.namespace.to_string())))
    }

    /// Why no pod is known that stands for a container of the template.
    fn because(&self, controller: &Controller) -> DeclaredBecause {
        if self.has_unlisted_pods(controller) {
            return DeclaredBecause::PodsNotListed;
        }
        if controller.suspended { DeclaredBecause::Suspended } else { DeclaredBecause::NoPods }
    }

    fn template_secrets(&self, controller: &Controller) -> Vec<SecretName> {
        if !self.with_secrets {
            return Vec::new();
        }
        if controller.template.pull_secrets.is_empty() {
            return self.accounts.get(&account_of(controller)).cloned().unwrap_or_default();
        }
        let name = |name: &Arc<str>| SecretName { namespace: Arc::clone(&controller.namespace), name: Arc::clone(name) };
        controller.template.pull_secrets.iter().map(name).collect()
    }

    fn place(&self, group: &Group, image: &SeenImage, sighting: &Sighting) -> Place {
        let in_pod = |declared_in| Place { declared_in, path: image_path(POD, image.kind, sighting.index), index: sighting.index };
        let GroupOwner::Controller { owner, .. } = &group.owner else {
            // A pod's own specification is all there is; only ephemeral containers cannot have been in it from the start.
            return in_pod(if image.kind == ContainerKind::Ephemeral { DeclaredIn::PodOnly } else { DeclaredIn::Template });
        };
        if image.kind == ContainerKind::Ephemeral {
            return in_pod(DeclaredIn::PodOnly);
        }
        let source = self.source(owner);
        if let Some((source, declared)) = source.and_then(|source| Some((source, source.template.find(image.kind, &image.name)?))) {
            return Place {
                declared_in: DeclaredIn::Template,
                path: image_path(&source.kind.pod_spec, image.kind, declared.index),
                index: declared.index,
            };
        }
        match self.revision_of(group, source).map(|id| self.revisions.get(&id)) {
            Some(Some(Some(template))) => in_pod(match template.find(image.kind, &image.name) {
                Some(_) => DeclaredIn::Template,
                None => DeclaredIn::PodOnly,
            }),
            Some(_) => in_pod(DeclaredIn::TemplateUnknown),
            // The present template is the only one there is.
            None if source.is_some() => in_pod(DeclaredIn::PodOnly),
            None => in_pod(DeclaredIn::TemplateUnknown),
        }
    }
}

fn account_of(controller: &Controller) -> AccountName {
    let name = controller.template.service_account.clone().unwrap_or_else(|| "default".into());
    (Arc::clone(&controller.namespace), name)
}

fn label<'a>(labels: &'a SharedLabels, key: &str) -> Option<&'a str> {
    labels.iter().find(|(name, _)| **name == *key).map(|(_, value)| &**value)
}

/// A workload in the making: what was seen, in no order. Maps would cost more than what is in them, for most have one entry.
#[derive(Debug)]
struct Building {
    origin: Origin,
    labels: SharedLabels,
    pods: u32,
    seen: Vec<(Place, SeenImage, Sighting)>,
}

impl Building {
    fn new(origin: Origin, labels: SharedLabels) -> Self {
        Self { origin, labels, pods: 0, seen: Vec::new() }
    }

    /// Adds a container of a template that no pod has.
    fn declare(&mut self, controller: &Controller, container: &DeclaredContainer, secrets: &[SecretName], because: DeclaredBecause) {
        let image = SeenImage {
            kind: container.kind,
            name: Arc::clone(&container.name),
            reference: Arc::clone(&container.reference),
            running: RunningImage::Unreported,
            basis: Basis::Declared(because),
            repository: None,
            pull_secrets: secrets.into(),
        };
        let sighting = Sighting { index: container.index, pull_policy: container.pull_policy, ..Sighting::default() };
        let path = image_path(&controller.kind.pod_spec, container.kind, container.index);
        self.seen.push((Place { declared_in: DeclaredIn::Template, path, index: container.index }, image, sighting));
    }

    fn finish(mut self, key: ObjectKey) -> Option<Workload> {
        self.seen.sort_unstable_by(|(left_place, left, _), (right_place, right, _)| {
            container_key(left_place, left)
                .cmp(&container_key(right_place, right))
                .then_with(|| left.cmp(right))
                .then_with(|| (left_place.index, &left_place.path).cmp(&(right_place.index, &right_place.path)))
        });
        let mut containers: Vec<(u32, Container)> = Vec::new();
        let mut last: Option<SeenImage> = None;
        for (place, image, sighting) in self.seen {
            let continues = containers.last().is_some_and(|(_, container)| {
                container.kind == image.kind && *container.name == *image.name && container.declared_in == place.declared_in
            });
            if !continues {
                containers.push((place.index, start_container(&place, &image)));
                last = None;
            }
            let Some((index, container)) = containers.last_mut() else { continue };
            if (place.index, &place.path) < (*index, &container.path) {
                (*index, container.path) = (place.index, place.path);
            }
            match container.images.last_mut().filter(|_| last.as_ref() == Some(&image)) {
                Some(known) => {
                    known.started = least(known.started, sighting.started);
                    known.pull_policy = known.pull_policy.max(sighting.pull_policy);
                    join(&mut known.pods, sighting.pods);
                }
                None => container.images.push(finish_image(&image, sighting)),
            }
            last = Some(image);
        }
        containers.sort_by(|(left_index, left), (right_index, right)| {
            (left.kind, left_index, &left.name, left.declared_in).cmp(&(right.kind, right_index, &right.name, right.declared_in))
        });
        let mut containers: Vec<Container> = containers.into_iter().map(|(_, container)| container).collect();
        containers.iter_mut().for_each(settle);
        let labels = self.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        // Pods that are over without ever having run, under an owner whose template is not known: there is nothing to judge.
        (!containers.is_empty()).then_some(Workload { key, labels, origin: self.origin, containers, pods: self.pods })
    }
}

/// Keeps the pull policy once where all images have it.
fn settle(container: &mut Container) {
    container.images.shrink_to_fit();
    container.pull_policy = container.images.iter().map(|image| image.pull_policy).max().flatten();
    for image in &mut container.images {
        image.pull_policy = image.pull_policy.filter(|policy| container.pull_policy != Some(*policy));
    }
}

fn container_key<'a>(place: &Place, image: &'a SeenImage) -> (ContainerKind, &'a str, DeclaredIn) {
    (image.kind, &image.name, place.declared_in)
}

fn start_container(place: &Place, image: &SeenImage) -> Container {
    Container {
        name: image.name.to_string(),
        kind: image.kind,
        path: place.path.clone(),
        declared_in: place.declared_in,
        pull_policy: None,
        images: Vec::new(),
    }
}

fn finish_image(image: &SeenImage, sighting: Sighting) -> ContainerImage {
    ContainerImage {
        reference: image.reference.to_string(),
        running: image.running.clone(),
        basis: image.basis,
        reported_repository: image.repository.as_deref().map(str::to_owned),
        pull_secrets: image.pull_secrets.to_vec(),
        started: sighting.started,
        pull_policy: sighting.pull_policy,
        pods: {
            let mut pods = sighting.pods;
            pods.names.shrink_to_fit();
            pods
        },
    }
}

fn join(known: &mut PodSample, other: PodSample) {
    known.count = known.count.saturating_add(other.count);
    known.names.extend(other.names);
    known.names.sort_unstable();
    known.names.truncate(PodSample::NAMES);
    known.names.shrink_to_fit();
}
