//! What a pod specification declares.

use std::sync::Arc;

use crate::model::{ContainerKind, PullPolicy};

use super::intern::Interner;
use super::slim::{PodSpec, SpecContainer};

/// A pod template (or a pod's own specification), kept small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template {
    /// Containers and image volumes, in the order of kind, then of the specification.
    pub(super) containers: Box<[DeclaredContainer]>,
    /// Names of its pull secrets.
    pub(super) pull_secrets: Box<[Arc<str>]>,
    /// Its service account, if one is named.
    pub(super) service_account: Option<Arc<str>>,
}

/// One container (or image volume) of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeclaredContainer {
    pub(super) kind: ContainerKind,
    pub(super) name: Arc<str>,
    /// Position in its list.
    pub(super) index: u32,
    /// The reference as it is written; empty where there is none.
    pub(super) reference: Arc<str>,
    pub(super) pull_policy: Option<PullPolicy>,
}

impl Template {
    /// Keeps what matters of a specification.
    pub(super) fn of(spec: &PodSpec<'_>, interner: &Interner) -> Self {
        let containers = entries(spec)
            .map(|entry| DeclaredContainer {
                kind: entry.kind,
                name: interner.share(entry.name),
                index: entry.index,
                reference: interner.share(entry.reference),
                pull_policy: entry.pull_policy,
            })
            .collect();
        Self {
            containers,
            pull_secrets: secret_names(spec).map(|name| interner.share(name)).collect(),
            service_account: spec.service_account_name.as_deref().filter(|name| !name.is_empty()).map(|name| interner.share(name)),
        }
    }

    /// The container of that kind and name.
    pub(super) fn find(&self, kind: ContainerKind, name: &str) -> Option<&DeclaredContainer> {
        self.containers.iter().find(|container| container.kind == kind && *container.name == *name)
    }
}

/// One entry of a specification that names an image.
pub(super) struct SpecEntry<'a> {
    pub(super) kind: ContainerKind,
    pub(super) name: &'a str,
    pub(super) index: u32,
    pub(super) reference: &'a str,
    pub(super) pull_policy: Option<PullPolicy>,
}

/// Every entry of a specification that names an image.
pub(super) fn entries<'a>(spec: &'a PodSpec<'_>) -> impl Iterator<Item = SpecEntry<'a>> {
    let of = |kind, list: &'a [SpecContainer<'_>]| {
        (0_u32..).zip(list).map(move |(index, container)| SpecEntry {
            kind,
            name: container.name.as_deref().unwrap_or_default(),
            index,
            reference: container.image.as_deref().unwrap_or_default(),
            pull_policy: pull_policy(container.image_pull_policy.as_deref()),
        })
    };
    let volumes = (0_u32..).zip(&spec.volumes).filter_map(|(index, volume)| {
        let image = volume.image.as_ref()?;
        Some(SpecEntry {
            kind: ContainerKind::ImageVolume,
            name: volume.name.as_deref().unwrap_or_default(),
            index,
            reference: image.reference.as_deref().unwrap_or_default(),
            pull_policy: pull_policy(image.pull_policy.as_deref()),
        })
    });
    of(ContainerKind::Init, &spec.init_containers)
        .chain(of(ContainerKind::Container, &spec.containers))
        .chain(of(ContainerKind::Ephemeral, &spec.ephemeral_containers))
        .chain(volumes)
}

/// Names of the pull secrets, in order, empty ones left out.
pub(super) fn secret_names<'a>(spec: &'a PodSpec<'_>) -> impl Iterator<Item = &'a str> {
    spec.image_pull_secrets.iter().filter_map(|secret| secret.name.as_deref()).filter(|name| !name.is_empty())
}

/// Path of an image field below the path of its pod specification.
pub(super) fn image_path(pod_spec: &str, kind: ContainerKind, index: u32) -> String {
    match kind {
        ContainerKind::Init => format!("{pod_spec}.initContainers[{index}].image"),
        ContainerKind::Container => format!("{pod_spec}.containers[{index}].image"),
        ContainerKind::Ephemeral => format!("{pod_spec}.ephemeralContainers[{index}].image"),
        ContainerKind::ImageVolume => format!("{pod_spec}.volumes[{index}].image.reference"),
    }
}

fn pull_policy(text: Option<&str>) -> Option<PullPolicy> {
    match text {
        Some("Always") => Some(PullPolicy::Always),
        Some("IfNotPresent") => Some(PullPolicy::IfNotPresent),
        Some("Never") => Some(PullPolicy::Never),
        _ => None,
    }
}
