//! Puts groups of pods, templates and owners together into workloads.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::model::{Basis, Cause, ContainerKind, DeclaredBecause, DeclaredIn, Gap, ObjectKey, SecretName, SharedText, Workload};

use super::fold::{Group, GroupOwner, OwnerRef, SeenImage, Sighting};
use super::merge::{Part, Place, merge};
use super::objects::Controller;
use super::owners::{Owners, Top};
use super::revisions::{RevisionId, Revisions};
use super::scope::Filter;
use super::secrets::AccountName;
use super::template::{DeclaredContainer, Template, image_path};
use super::uid::Uid;

/// Path of the specification inside a pod.
const POD: &str = "spec";

/// Everything that was read, by what it is.
pub(super) struct Assembly {
    pub(super) groups: Vec<Group>,
    /// Controllers with their templates, and whatever else owns pods.
    pub(super) owners: Owners,
    pub(super) revisions: Revisions,
    /// Pull secrets of service accounts.
    pub(super) accounts: BTreeMap<AccountName, Vec<SecretName>>,
    pub(super) with_secrets: bool,
    /// Namespaces whose pods were not all listed; `None`: any may be one.
    pub(super) pods_missing: BTreeSet<Option<String>>,
}

impl Assembly {
    /// Every owner that is named by pods or controllers.
    pub(super) fn named_owners(&self) -> impl Iterator<Item = (Arc<str>, Arc<OwnerRef>)> + '_ {
        let of_pods = self.groups.iter().filter_map(|group| match &group.owner {
            GroupOwner::Controller { owner, .. } => Some((Arc::clone(&group.namespace), Arc::clone(owner))),
            GroupOwner::Pod { .. } | GroupOwner::Mirror { .. } => None,
        });
        let controllers = self.owners.controllers().iter();
        let of_controllers = controllers.filter_map(|controller| Some((Arc::clone(&controller.namespace), controller.owner.clone()?)));
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
                            declared.is_some_and(|declared| live.contains(&source.uid) || declared.reference == image.reference)
                        })
                });
                if is_explained { None } else { self.revision_of(group, source) }
            })
            .collect()
    }

    /// Controllers of which some pod is not over. An image volume says nothing of that: its digest is seldom reported.
    fn live(&self) -> HashSet<&Uid> {
        let is_alive = |image: &SeenImage| image.kind != ContainerKind::ImageVolume && image.basis != Basis::Finished;
        let alive = self.groups.iter().filter(|group| group.seen.iter().any(|(image, _)| is_alive(image)));
        alive
            .filter_map(|group| match &group.owner {
                GroupOwner::Controller { owner, .. } => Some(&self.source(owner)?.uid),
                GroupOwner::Pod { .. } | GroupOwner::Mirror { .. } => None,
            })
            .collect()
    }

    /// The nearest controller above the pods whose template is known.
    fn source(&self, owner: &OwnerRef) -> Option<&Controller> {
        self.owners.chain(owner).iter().find_map(|uid| self.owners.controller(uid))
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
            .then(|| RevisionId::Object { namespace: Arc::clone(&group.namespace), owner: Arc::clone(owner) })
    }

    /// Controllers with the containers of their templates for which no pod of theirs stands.
    fn uncovered(&self) -> Vec<(&Controller, Vec<&DeclaredContainer>)> {
        let live = self.live();
        let mut covered: HashSet<(&Uid, ContainerKind, &str)> = HashSet::new();
        for group in &self.groups {
            if let GroupOwner::Controller { owner, .. } = &group.owner
                && let Some(source) = self.source(owner)
                && !self.has_unlisted_pods(source)
            {
                let stands = |image: &SeenImage| live.contains(&source.uid) || self.would_run_again(group, image, source);
                let standing = group.seen.iter().filter(|(image, _)| stands(image));
                covered.extend(standing.map(|(image, _)| (&source.uid, image.kind, &*image.name)));
            }
        }
        self.owners
            .controllers()
            .iter()
            .filter_map(|controller| {
                let is_free = |container: &&DeclaredContainer| !covered.contains(&(&controller.uid, container.kind, &*container.name));
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
                filter.has_key(&top.key) && filter.has_marks(&top.key, &top.marks.labels, &top.marks.annotations)
            })
            .map(account_of)
            .collect()
    }

    fn top_of(&self, controller: &Controller) -> Top {
        match &controller.owner {
            Some(owner) => self.owners.top(&controller.namespace, owner),
            None => Top {
                key: ObjectKey {
                    api_version: (&controller.kind.api_version).into(),
                    kind: (&controller.kind.kind).into(),
                    namespace: (&controller.namespace).into(),
                    name: (&controller.name).into(),
                },
                read: true,
                marks: controller.marks.clone(),
            },
        }
    }

    /// The workloads in scope, sorted, and what is in scope perhaps but cannot be told.
    pub(super) fn workloads(mut self, filter: &Filter) -> (Vec<Workload>, Vec<Gap>) {
        let mut parts =
            Parts { filter, parts: Vec::with_capacity(self.groups.len()), unlabelled: BTreeSet::new(), unplaced: BTreeSet::new() };
        let mut texts = Texts::default();
        for (controller, containers) in self.uncovered() {
            if let Some(part) = parts.start(self.top_of(controller)) {
                let (secrets, because): (Arc<[SecretName]>, _) = (self.template_secrets(controller).into(), self.because(controller));
                for container in containers {
                    let path = texts.path(&controller.kind.pod_spec, container.kind, container.index);
                    part.declare(container, &secrets, because, path);
                }
            }
        }
        for group in std::mem::take(&mut self.groups) {
            let places = group.seen.iter().map(|(image, sighting)| self.place(&group, image, sighting, &mut texts)).collect();
            if let Some(part) = parts.start(self.top_of_group(&group, &mut texts)) {
                (part.pods, part.places, part.seen) = (group.pods, places, group.seen);
            }
        }
        let gap = |what: String, detail: &str| Gap {
            cluster: None,
            what,
            namespace: None,
            workloads_missing: true,
            cause: Cause::ListIncomplete,
            detail: format!("{detail}; grant `get` on their kinds"),
        };
        let labels = "they may not be read, so neither the label selector nor the owner can be asked of them";
        let above = "they may not be read, and what is asked for may be above them";
        let Parts { parts, unlabelled, unplaced, .. } = parts;
        let gaps = (!unlabelled.is_empty())
            .then(|| gap(format!("labels of {} owners", unlabelled.len()), labels))
            .into_iter()
            .chain((!unplaced.is_empty()).then(|| gap(format!("owners above {} owners", unplaced.len()), above)));
        // All that was read goes before workloads are made of it, not after.
        drop(self);
        (merge(parts), gaps.collect())
    }

    fn top_of_group(&self, group: &Group, texts: &mut Texts) -> Top {
        match &group.owner {
            GroupOwner::Controller { owner, .. } => self.owners.top(&group.namespace, owner),
            GroupOwner::Pod { name, marks } | GroupOwner::Mirror { name, marks } => Top {
                key: ObjectKey {
                    api_version: texts.share("v1"),
                    kind: texts.share("Pod"),
                    namespace: (&group.namespace).into(),
                    name: name.into(),
                },
                read: true,
                marks: marks.clone(),
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

    fn place(&self, group: &Group, image: &SeenImage, sighting: &Sighting, texts: &mut Texts) -> Place {
        let mut in_pod = |declared_in| Place { declared_in, path: texts.path(POD, image.kind, sighting.index), index: sighting.index };
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
                path: texts.path(&source.kind.pod_spec, image.kind, declared.index),
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

/// Workloads in the making.
struct Parts<'a> {
    filter: &'a Filter,
    parts: Vec<Part>,
    /// Owners whose labels are asked for and not known.
    unlabelled: BTreeSet<ObjectKey>,
    /// Owners that are not in scope, while something above them may be and is not known.
    unplaced: BTreeSet<ObjectKey>,
}

impl Parts<'_> {
    /// A part of a workload, if it is in scope.
    fn start(&mut self, top: Top) -> Option<&mut Part> {
        if !self.filter.has_key(&top.key) {
            if !top.read && self.filter.may_have_above(&top.key) {
                self.unplaced.insert(top.key);
            }
            return None;
        }
        if self.filter.asks_marks() && !top.read {
            self.unlabelled.insert(top.key);
            return None;
        }
        if !self.filter.has_marks(&top.key, &top.marks.labels, &top.marks.annotations) {
            return None;
        }
        self.parts.push(Part::new(self.parts.len(), top));
        self.parts.last_mut()
    }
}

/// Texts that many workloads say, each held once.
#[derive(Debug, Default)]
struct Texts(HashSet<SharedText>);

impl Texts {
    fn share(&mut self, text: &str) -> SharedText {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let text = SharedText::from(text);
        self.0.insert(text.clone());
        text
    }

    fn path(&mut self, pod_spec: &str, kind: ContainerKind, index: u32) -> SharedText {
        self.share(&image_path(pod_spec, kind, index))
    }
}
