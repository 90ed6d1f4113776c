//! Where the inventory comes from: a cluster, manifests, images named by the user, or a snapshot.

use std::path::PathBuf;

use jiff::Timestamp;

use super::arguments::{ClusterOptions, ScopeOptions};
use crate::inventory::{Cluster, ConnectOptions, InventoryOptions, Listing, ManifestSource, manifests};
use crate::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, Inventory, InventoryCounts, ObjectKey, Origin, PodSample,
    ReportSource, RunningImage, ScanEvent, Scope, Workload,
};

/// From what an inventory is made.
pub(super) enum From {
    Cluster,
    Manifests(Vec<PathBuf>),
    Images(Vec<String>),
}

impl From {
    pub(super) fn source(&self) -> ReportSource {
        match self {
            Self::Cluster => ReportSource::Cluster,
            Self::Manifests(_) => ReportSource::Manifests,
            Self::Images(_) => ReportSource::Images,
        }
    }
}

/// The scope that the options choose.
pub(super) fn scope(options: &ScopeOptions, workload: Option<String>) -> Scope {
    Scope {
        include_namespaces: options.include_namespaces.clone(),
        exclude_namespaces: options.exclude_namespaces.clone(),
        include_kinds: options.include_kinds.clone(),
        exclude_kinds: options.exclude_kinds.clone(),
        label_selector: options.label_selector.clone(),
        workload,
    }
}

/// Lists what runs, or reads it.
pub(super) async fn listing(
    from: &From,
    scope: &Scope,
    options: &ClusterOptions,
    observed: Timestamp,
    on_event: &(dyn Fn(ScanEvent) + Sync),
) -> anyhow::Result<Listing> {
    match from {
        From::Cluster => {
            let connect = ConnectOptions { kubeconfig: options.kubeconfig.clone(), context: options.kube_context.clone(), ..ConnectOptions::default() };
            let cluster = Cluster::connect(&connect).await?;
            let custom_kinds = options.custom_kinds.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
            let options = InventoryOptions { pull_secrets: !options.no_pull_secrets, custom_kinds, observed, ..InventoryOptions::default() };
            Ok(cluster.inventory(scope, &options, on_event).await?)
        }
        From::Manifests(paths) => {
            let sources: Vec<_> = paths.iter().map(|path| ManifestSource::from(path.clone())).collect();
            Ok(Listing::of(manifests::read(&sources, scope, observed)?))
        }
        From::Images(references) => Ok(Listing::of(named(references, scope, observed))),
    }
}

/// An inventory of images that the user named; each stands for itself.
fn named(references: &[String], scope: &Scope, observed: Timestamp) -> Inventory {
    let mut references = references.to_vec();
    references.sort();
    references.dedup();
    let workloads = references.into_iter().map(|reference| Workload {
        key: ObjectKey { api_version: String::new(), kind: "Image".to_owned(), namespace: String::new(), name: reference.clone() },
        labels: std::collections::BTreeMap::new(),
        origin: Origin::Argument,
        containers: vec![Container {
            name: "image".to_owned(),
            kind: ContainerKind::Container,
            path: "image".to_owned(),
            declared_in: DeclaredIn::Template,
            pull_policy: None,
            images: vec![ContainerImage {
                reference,
                running: RunningImage::Unreported,
                basis: Basis::Declared(DeclaredBecause::Manifest),
                reported_repository: None,
                pull_secrets: Vec::new(),
                started: None,
                pods: PodSample::default(),
            }],
        }],
        pods: 0,
    });
    let workloads: Vec<_> = workloads.collect();
    let counts = InventoryCounts { objects: workloads.len() as u64, ..InventoryCounts::default() };
    Inventory { cluster: None, scope: scope.clone(), observed, workloads, not_judged: Vec::new(), gaps: Vec::new(), counts }
}
