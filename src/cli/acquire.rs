//! Where the inventory comes from: a cluster, manifests, images named by the user, or a snapshot.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::arguments::{ClusterOptions, ScopeOptions};
use crate::inventory::manifests::{self, ManifestSource, ManifestTexts};
use crate::inventory::{
    ClockReading, Cluster, ClusterNetworks, ConnectOptions, CustomKind, InventoryError, InventoryOptions, PAGE_SIZE, Traffic,
};
use crate::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, Inventory, InventoryCounts, Labels, ObjectKey, Origin,
    OwnerSource, PodSample, PullSecret, ReportSource, RunningImage, ScanEvent, Scope, Stop, Workload,
};

/// From what an inventory is made.
pub(super) enum From {
    Cluster,
    Manifests(Vec<PathBuf>),
    /// Manifests that were read already, because they are to be edited.
    Texts(Arc<ManifestTexts>),
    Images(Vec<String>),
}

impl From {
    pub(super) fn source(&self) -> ReportSource {
        match self {
            Self::Cluster => ReportSource::Cluster,
            Self::Manifests(_) | Self::Texts(_) => ReportSource::Manifests,
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
        owner_from: if options.owner_from == OwnerSource::usual() { Vec::new() } else { options.owner_from.clone() },
        owners: options.owners.clone(),
    }
}

/// What was listed or read, and what was learnt on the way.
pub(super) struct Acquired {
    pub(super) inventory: Inventory,
    pub(super) pull_secrets: Vec<PullSecret>,
    pub(super) networks: ClusterNetworks,
    pub(super) clock: Option<ClockReading>,
    pub(super) traffic: Option<Traffic>,
}

impl Acquired {
    /// From something that is no cluster.
    fn without_cluster(inventory: Inventory) -> Self {
        Self { inventory, pull_secrets: Vec::new(), networks: ClusterNetworks::of_environment(), clock: None, traffic: None }
    }
}

/// The cluster that the options name.
pub(super) async fn connect(options: &ClusterOptions) -> anyhow::Result<Cluster> {
    let connect =
        ConnectOptions { kubeconfig: options.kubeconfig.clone(), context: options.kube_context.clone(), ..ConnectOptions::default() };
    Ok(Cluster::connect(&connect).await?)
}

/// Ends what is not done by then.
pub(super) type Ending = watch::Receiver<Option<Stop>>;

/// Lists what runs, or reads it. `stop` ends it: what a cluster listed by then is what there is.
///
/// # Errors
/// [`InventoryError::Ended`] where nothing was listed by then, and whatever else keeps everything from being listed.
pub(super) async fn acquire(
    from: &From,
    scope: &Scope,
    options: &ClusterOptions,
    observed: Timestamp,
    stop: &Ending,
    on_event: &(dyn Fn(ScanEvent) + Sync),
) -> anyhow::Result<Acquired> {
    let custom_kinds = options.custom_kinds.iter().map(|text| text.parse()).collect::<Result<Vec<CustomKind>, _>>()?;
    match from {
        From::Cluster => {
            let cluster = unless_ended(stop, connect(options)).await??.ended_by(stop.clone());
            let options = InventoryOptions { pull_secrets: !options.no_pull_secrets, custom_kinds, observed, page_size: PAGE_SIZE };
            let listing = cluster.inventory(scope, &options, on_event).await?;
            Ok(Acquired {
                inventory: listing.inventory,
                pull_secrets: listing.pull_secrets,
                networks: listing.networks,
                clock: listing.clock,
                traffic: Some(listing.traffic),
            })
        }
        From::Manifests(paths) => {
            let sources: Vec<_> = paths.iter().map(|path| ManifestSource::from(path.as_os_str())).collect();
            let scope = scope.clone();
            // On a thread of its own: standard input may never end.
            let reading = tokio::task::spawn_blocking(move || manifests::read(&sources, &scope, &custom_kinds, observed));
            Ok(Acquired::without_cluster(unless_ended(stop, reading).await???))
        }
        From::Texts(texts) => Ok(Acquired::without_cluster(texts.inventory(scope, &custom_kinds, observed)?)),
        From::Images(references) => Ok(Acquired::without_cluster(named(references, scope, observed))),
    }
}

/// The work's result, or that the end came before it.
pub(super) async fn unless_ended<T>(stop: &Ending, work: impl Future<Output = T>) -> Result<T, InventoryError> {
    let mut stop = stop.clone();
    tokio::select! {
        result = work => Ok(result),
        Ok(Some(reason)) = async { stop.wait_for(Option::is_some).await.map(|reason| *reason) } => Err(InventoryError::Ended(reason)),
    }
}

/// An inventory of images that the user named; each stands for itself.
fn named(references: &[String], scope: &Scope, observed: Timestamp) -> Inventory {
    let mut references = references.to_vec();
    references.sort();
    references.dedup();
    let workloads = references.into_iter().map(|reference| Workload {
        key: ObjectKey { api_version: "".into(), kind: "Image".into(), namespace: "".into(), name: reference.as_str().into() },
        labels: Labels::default(),
        annotations: Labels::default(),
        origin: Origin::Argument,
        containers: vec![Container {
            name: "image".into(),
            kind: ContainerKind::Container,
            path: "image".into(),
            position: None,
            declared_in: DeclaredIn::Template,
            pull_policy: None,
            images: vec![ContainerImage {
                reference: reference.into(),
                running: RunningImage::Unreported,
                basis: Basis::Declared(DeclaredBecause::Manifest),
                reported_repository: None,
                pull_secrets: Vec::new(),
                pull_policy: None,
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
