//! From an inventory to the images to ask about.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::task::{DeclaredPlaces, ImageTask};
use crate::model::{ContainerImage, CredentialIdentity, ImageReference, Inventory, Repository, SecretName};

/// Reduces each image's pull secrets to those that hold a credential for it. From then on, equal lists mean equal credentials, so
/// that the inventory alone (as a snapshot keeps it) says on whose behalf each image was asked.
pub fn narrow_credentials(inventory: &mut Inventory, identify: &dyn Fn(&[SecretName], &Repository) -> CredentialIdentity) {
    for image in inventory.workloads.iter_mut().flat_map(|workload| &mut workload.containers).flat_map(|container| &mut container.images) {
        if image.pull_secrets.is_empty() {
            continue;
        }
        image.pull_secrets = match image.reference.parse::<ImageReference>() {
            Ok(reference) => identify(&image.pull_secrets, reference.repository()).0.to_vec(),
            Err(_) => Vec::new(),
        };
    }
}

/// The image that a container's image asks about; `None` where the reference cannot be parsed, and there is nothing to ask.
#[must_use]
pub fn task_of(image: &ContainerImage) -> Option<ImageTask> {
    let reference = image.reference.parse::<ImageReference>().ok()?;
    let credential = CredentialIdentity(image.pull_secrets.as_slice().into());
    Some(ImageTask::in_registry(reference, image.running.clone(), credential))
}

/// Every different image of an inventory, in order, with the places declared for it.
#[must_use]
pub fn tasks(inventory: &Inventory, places: &dyn Fn(&Repository) -> DeclaredPlaces) -> BTreeMap<ImageTask, DeclaredPlaces> {
    let images = inventory.workloads.iter().flat_map(|workload| &workload.containers).flat_map(|container| &container.images);
    let mut tasks = BTreeMap::new();
    // One by one: collecting would hold all of them before it finds how few are different.
    for task in images.filter_map(task_of) {
        if let Entry::Vacant(vacant) = tasks.entry(task) {
            let declared = places(vacant.key().reference.repository());
            vacant.insert(declared);
        }
    }
    tasks
}
