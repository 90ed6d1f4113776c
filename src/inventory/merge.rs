//! Parts of workloads into workloads.
//!
//! There may be as many as there are pods, so nothing is held twice, and no map is made of what mostly has one entry.

use std::sync::Arc;

use crate::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, ObjectKey, Origin, PodSample, RunningImage, SecretName,
    SharedText, Workload,
};

use super::fold::{FEW_IMAGES, Marks, SeenImage, Sighting, least};
use super::owners::Top;
use super::template::DeclaredContainer;

/// Where a container of a pod is declared, and its path.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) declared_in: DeclaredIn,
    pub(super) path: SharedText,
    pub(super) index: u32,
}

/// What one group of pods, or one template, adds to a workload.
#[derive(Debug)]
pub(super) struct Part {
    key: ObjectKey,
    /// Which part it is: where they say different things of the workload itself, the first is believed.
    position: u32,
    read: bool,
    marks: Marks,
    pub(super) pods: u32,
    pub(super) seen: Vec<(SeenImage, Sighting)>,
    /// Of what was seen, in the same order.
    pub(super) places: Vec<Place>,
}

impl Part {
    pub(super) fn new(position: usize, top: Top) -> Self {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        Self { key: top.key, position, read: top.read, marks: top.marks, pods: 0, seen: Vec::new(), places: Vec::new() }
    }

    /// Adds a container of a template that no pod has.
    pub(super) fn declare(
        &mut self,
        container: &DeclaredContainer,
        secrets: &Arc<[SecretName]>,
        because: DeclaredBecause,
        path: SharedText,
    ) {
        let image = SeenImage {
            kind: container.kind,
            name: Arc::clone(&container.name),
            reference: Arc::clone(&container.reference),
            running: RunningImage::Unreported,
            basis: Basis::Declared(because),
            repository: None,
            pull_secrets: Arc::clone(secrets),
        };
        let sighting = Sighting { index: container.index, pull_policy: container.pull_policy, ..Sighting::default() };
        self.seen.reserve_exact(1);
        self.seen.push((image, sighting));
        self.places.push(Place { declared_in: DeclaredIn::Template, path, index: container.index });
    }
}

/// Makes workloads of their parts, sorted.
pub(super) fn merge(mut parts: Vec<Part>) -> Vec<Workload> {
    parts.sort_unstable_by(|left, right| (&left.key, left.position).cmp(&(&right.key, right.position)));
    let mut workloads = Vec::new();
    let mut parts = parts.into_iter().peekable();
    while let Some(Part { key, read, marks, mut pods, seen, places, .. }) = parts.next() {
        let mut all: Vec<(Place, SeenImage, Sighting)> = Vec::with_capacity(seen.len());
        let join = |(place, (image, sighting))| (place, image, sighting);
        all.extend(places.into_iter().zip(seen).map(join));
        while let Some(more) = parts.next_if(|part| part.key == key) {
            pods = pods.saturating_add(more.pods);
            all.extend(more.places.into_iter().zip(more.seen).map(join));
        }
        let containers = containers(all);
        // Pods that are over without ever having run, under an owner whose template is not known: there is nothing to judge.
        if !containers.is_empty() {
            let origin = if read { Origin::Cluster } else { Origin::OwnerReference };
            workloads.push(Workload { key, labels: marks.labels, annotations: marks.annotations, origin, containers, pods });
        }
    }
    workloads
}

/// Folds what was seen, in any order, into containers.
fn containers(mut seen: Vec<(Place, SeenImage, Sighting)>) -> Vec<Container> {
    seen.sort_unstable_by(|(left_place, left, _), (right_place, right, _)| {
        container_key(left_place, left)
            .cmp(&container_key(right_place, right))
            .then_with(|| left.cmp(right))
            .then_with(|| (left_place.index, &left_place.path).cmp(&(right_place.index, &right_place.path)))
    });
    let mut containers: Vec<(u32, Container)> = Vec::new();
    let mut last: Option<SeenImage> = None;
    for (place, image, sighting) in seen {
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
            None => {
                if container.images.len() < FEW_IMAGES {
                    container.images.reserve_exact(1);
                }
                container.images.push(finish_image(&image, sighting));
            }
        }
        last = Some(image);
    }
    containers.sort_by(|(left_index, left), (right_index, right)| {
        (left.kind, left_index, &left.name, left.declared_in).cmp(&(right.kind, right_index, &right.name, right.declared_in))
    });
    let mut exact: Vec<Container> = Vec::with_capacity(containers.len());
    exact.extend(containers.into_iter().map(|(_, container)| container));
    exact.iter_mut().for_each(settle);
    exact
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
        name: (&image.name).into(),
        kind: image.kind,
        path: place.path.clone(),
        position: None,
        declared_in: place.declared_in,
        pull_policy: None,
        images: Vec::new(),
    }
}

fn finish_image(image: &SeenImage, sighting: Sighting) -> ContainerImage {
    ContainerImage {
        reference: (&image.reference).into(),
        running: image.running.clone(),
        basis: image.basis,
        reported_repository: image.repository.as_ref().map(SharedText::from),
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
