//! The inventory of a live cluster, step by step.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;

use crate::model::{
    Cause, ClusterIdentity, Gap, Inventory, InventoryCounts, NotJudged, PullSecret, ScanEvent, Scope, SecretName, Workload,
};

use super::assemble::Assembly;
use super::connect::{Cluster, unauthorized};
use super::error::InventoryError;
use super::fold::Group;
use super::kinds::{BUILT_IN, BuiltIn, CustomKind, Kind, Listing as How, PODS, collection_path};
use super::lists::{Failure, Listed, Lister, gaps};
use super::networks::{self, ClusterNetworks, Network};
use super::objects::{Controller, ControllerPages, CustomPages, OwnedObject, OwnedPages, PodPages};
use super::owners::{Owners, discover};
use super::request::{Accept, ClockReading, RequestError, Traffic};
use super::scope::Filter;
use super::uid::Uid;
use super::{revisions, secrets};

/// Objects asked for in one page of a list.
pub const PAGE_SIZE: u32 = 500;

/// How to list.
#[derive(Debug, Clone)]
pub struct InventoryOptions {
    /// Whether pull secrets are read. Without, no Secret and no service account is asked for.
    pub pull_secrets: bool,
    /// Custom resources with a pod template.
    pub custom_kinds: Vec<CustomKind>,
    /// When the scan began.
    pub observed: Timestamp,
    /// Objects in one page, [`PAGE_SIZE`] unless memory or the server asks for less.
    pub page_size: u32,
}

/// What a cluster runs, and what was learnt on the way.
#[derive(Debug)]
pub struct Listing {
    /// Workloads, gaps, identity.
    pub inventory: Inventory,
    /// The pull secrets that are used, sorted by name. None of them in `inventory`.
    pub pull_secrets: Vec<PullSecret>,
    /// The cluster's own addresses.
    pub networks: ClusterNetworks,
    /// The server's clock beside ours; none if it sends no `Date`.
    pub clock: Option<ClockReading>,
    /// What the API server cost.
    pub traffic: Traffic,
}

/// What the lists brought.
#[derive(Default)]
struct Read {
    groups: Vec<Group>,
    pods: u64,
    networks: ClusterNetworks,
    controllers: Vec<Controller>,
    owned: Vec<(&'static BuiltIn, OwnedObject)>,
    /// Lists of kinds read by their metadata that are allowed.
    paths: Vec<(&'static BuiltIn, Vec<String>)>,
    failures: Vec<Failure>,
    lists_read: usize,
    not_judged: Vec<NotJudged>,
}

impl Cluster {
    /// Lists what the cluster runs.
    ///
    /// # Errors
    /// When the scope is not valid, or nothing at all could be listed or was by the time the scan was ended; everything else that fails is a gap in the inventory.
    pub async fn inventory(
        &self,
        scope: &Scope,
        options: &InventoryOptions,
        on_event: &(dyn Fn(ScanEvent) + Sync),
    ) -> Result<Listing, InventoryError> {
        let filter = Arc::new(Filter::new(scope)?);
        let objects = AtomicU64::new(0);
        let listed = |count: u64| {
            let objects = objects.fetch_add(count, Ordering::Relaxed) + count;
            on_event(ScanEvent::Listed { objects });
        };
        let lister = Lister::new(&self.api, Arc::clone(&filter), options.page_size.max(1), &listed);
        let (mut read, identity, services) =
            tokio::join!(read_lists(&lister, options), self.identity(!filter.is_namespaced()), service_networks(&lister));
        self.refuse_nothing(&read)?;
        let mut found = gaps(&read.failures);
        let mut networks = ClusterNetworks::of_environment();
        networks.append(std::mem::take(&mut read.networks));
        match services {
            Ok(services) => networks.services.extend(services),
            Err(error) if networks.services.is_empty() => found.push(networks::gap(&error)),
            Err(_) => {}
        }
        let pods = read.pods;
        let mut not_judged = std::mem::take(&mut read.not_judged);
        not_judged.sort_unstable();
        let (workloads, pull_secrets, namespaces) = self.workloads(&lister, read, options, &mut found).await;
        found.sort_unstable();
        found.dedup();
        let inventory = Inventory {
            cluster: Some(identity),
            scope: scope.clone(),
            observed: options.observed,
            workloads,
            not_judged,
            gaps: found,
            counts: InventoryCounts { pods, objects: objects.load(Ordering::Relaxed), namespaces },
        };
        Ok(Listing { inventory, pull_secrets, networks, clock: self.api.clock(), traffic: self.api.traffic() })
    }

    fn refuse_nothing(&self, read: &Read) -> Result<(), InventoryError> {
        let is_empty = read.groups.is_empty() && read.controllers.is_empty() && read.owned.is_empty();
        let Some(first) = read.failures.first() else { return Ok(()) };
        if read.lists_read > 0 || !is_empty {
            return Ok(());
        }
        if let Some(stop) = read.failures.iter().find_map(|failure| failure.error.stop) {
            return Err(InventoryError::Ended(stop));
        }
        if let Some(failure) = read.failures.iter().find(|failure| failure.error.cause == Cause::Unauthorized) {
            return Err(unauthorized(self.server.clone(), self.context.clone(), None, &failure.error));
        }
        let advice = gaps(&read.failures).first().map(|gap| gap.detail.clone()).unwrap_or_default();
        Err(InventoryError::NothingListed { server: self.server.clone(), detail: format!("{}: {advice}", first.what) })
    }

    async fn workloads(
        &self,
        lister: &Lister<'_>,
        read: Read,
        options: &InventoryOptions,
        found: &mut Vec<Gap>,
    ) -> (Vec<Workload>, Vec<PullSecret>, u64) {
        let mut read = read;
        self.read_tops(lister, &mut read, found).await;
        let namespaces: BTreeSet<Arc<str>> = read
            .groups
            .iter()
            .map(|group| &group.namespace)
            .chain(read.controllers.iter().map(|controller| &controller.namespace))
            .cloned()
            .collect();
        let pods_missing = read.failures.iter().filter(|failure| failure.what == PODS).map(|failure| failure.namespace.clone()).collect();
        let mut assembly = gather(read.groups, read.controllers, read.owned, options.pull_secrets, pods_missing);
        let named: Vec<_> = assembly.named_owners().collect();
        found.extend(assembly.owners.complete(&self.api, &lister.filter, named).await);
        let (revisions, missing) = lister.revisions(assembly.wanted_revisions(), &read.paths).await;
        assembly.revisions = revisions;
        found.extend(missing);
        let (accounts, missing) = secrets::of_accounts(&self.api, assembly.wanted_accounts(&lister.filter)).await;
        assembly.accounts = accounts;
        found.extend(missing);
        let (workloads, missing) = assembly.workloads(&lister.filter);
        found.extend(missing);
        let (pull_secrets, missing) = secrets::read(&self.api, secret_names(&workloads)).await;
        found.extend(missing);
        (workloads, pull_secrets, namespaces.len() as u64)
    }

    /// Objects that were listed by their metadata and are tops themselves, or below an owner of another kind than usual: their
    /// templates are needed. Old `ReplicaSets` under a custom resource are left out, as those under a Deployment are.
    async fn read_tops(&self, lister: &Lister<'_>, read: &mut Read, found: &mut Vec<Gap>) {
        for (built_in, paths) in &read.paths {
            let wanted: Vec<_> = read
                .owned
                .iter()
                .filter(|(kind, object)| kind == built_in && needs_template(kind, object))
                .map(|(_, object)| (Arc::clone(&object.namespace), Arc::clone(&object.name), object.uid.clone()))
                .collect();
            let (controllers, failures) = lister.objects(built_in, wanted, paths).await;
            read.controllers.extend(controllers);
            let failures: Vec<Failure> =
                failures.into_iter().map(|error| Failure { what: built_in.plural.to_owned(), namespace: None, error }).collect();
            found.extend(gaps(&failures));
        }
    }

    /// Which cluster it is. Its UID is that of another namespace, so it is not asked for where only some may be asked.
    async fn identity(&self, with_uid: bool) -> ClusterIdentity {
        let uid = async { if with_uid { self.cluster_uid().await } else { None } };
        let (uid, user) = tokio::join!(uid, self.user());
        ClusterIdentity { uid, server_version: self.version.clone(), context: self.context.clone(), user }
    }

    async fn cluster_uid(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            uid: String,
        }
        let read: Result<Named, RequestError> = self.api.read("/api/v1/namespaces/kube-system", Accept::Metadata).await;
        read.ok().map(|namespace| namespace.metadata.uid)
    }

    async fn user(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            user_info: UserInfo,
        }
        #[derive(Deserialize)]
        struct UserInfo {
            username: String,
        }
        let question = br#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
        let answer = self.api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", question).await.ok()?;
        serde_json::from_slice::<Review>(&answer).ok().map(|review| review.status.user_info.username)
    }
}

/// Ranges of services are the whole cluster's: with a scope of namespaces nothing beyond them is asked.
async fn service_networks(lister: &Lister<'_>) -> Result<BTreeSet<Network>, RequestError> {
    if lister.filter.is_namespaced() { Ok(BTreeSet::new()) } else { networks::services(lister.api).await }
}

fn needs_template(built_in: &BuiltIn, object: &OwnedObject) -> bool {
    match (&object.owner, built_in.kind) {
        (None, _) => true,
        (Some(owner), "Job") => BuiltIn::find(&owner.api_version, &owner.kind).is_none(),
        (Some(_), _) => false,
    }
}

fn gather(
    groups: Vec<Group>,
    controllers: Vec<Controller>,
    owned: Vec<(&'static BuiltIn, OwnedObject)>,
    with_secrets: bool,
    pods_missing: BTreeSet<Option<String>>,
) -> Assembly {
    let named: HashSet<&Uid> = groups.iter().filter_map(Group::owner_uid).collect();
    let owners = Owners::new(controllers, owned, &named);
    Assembly {
        groups,
        owners,
        revisions: revisions::Revisions::new(),
        accounts: std::collections::BTreeMap::new(),
        with_secrets,
        pods_missing,
    }
}

fn secret_names(workloads: &[Workload]) -> BTreeSet<SecretName> {
    let images = workloads.iter().flat_map(|workload| &workload.containers).flat_map(|container| &container.images);
    images.flat_map(|image| &image.pull_secrets).cloned().collect()
}

async fn read_lists(lister: &Lister<'_>, options: &InventoryOptions) -> Read {
    let pods = async {
        join_all(BUILT_IN.iter().filter(|kind| kind.listing == How::Pods).map(|kind| {
            let new_fold = || PodPages::new(Arc::clone(&lister.filter), options.pull_secrets, lister.interner.clone());
            lister.list(kind.plural, Accept::Objects, |namespace| kind.list_path(namespace), new_fold)
        }))
        .await
    };
    let templates = async {
        join_all(BUILT_IN.iter().filter(|kind| kind.listing == How::Templates).map(|kind| {
            let new_fold = move || ControllerPages::new(Kind::from(kind), Arc::clone(&lister.filter), None, lister.interner.clone());
            lister.list(kind.plural, Accept::Objects, |namespace| kind.list_path(namespace), new_fold)
        }))
        .await
    };
    let owners = async {
        join_all(BUILT_IN.iter().filter(|kind| kind.listing == How::Owners).map(|kind| async move {
            let new_fold = || OwnedPages::new(kind, Arc::clone(&lister.filter), lister.interner.clone());
            (kind, lister.list(kind.plural, Accept::MetadataList, |namespace| kind.list_path(namespace), new_fold).await)
        }))
        .await
    };
    let custom = async { join_all(options.custom_kinds.iter().map(|custom| list_custom(lister, custom))).await };
    let (pods, templates, owners, custom) = tokio::join!(pods, templates, owners, custom);
    let mut read = Read::default();
    for listed in pods {
        for pages in read.take(listed) {
            let folded = pages.fold.finish();
            append(&mut read.groups, folded.groups);
            read.pods += folded.pods;
            read.networks.append(folded.networks);
        }
    }
    for listed in templates {
        for pages in read.take(listed) {
            append(&mut read.controllers, pages.controllers);
        }
    }
    for (kind, mut listed) in owners {
        read.paths.push((kind, std::mem::take(&mut listed.paths)));
        read.lists_read += read.paths.last().map_or(0, |(_, paths)| paths.len());
        for pages in read.take(listed) {
            append(&mut read.owned, pages.objects);
        }
    }
    for listed in custom.into_iter().flatten() {
        for pages in read.take(listed) {
            append(&mut read.controllers, pages.controllers);
            append(&mut read.not_judged, pages.not_judged);
        }
    }
    lister.interner.clear();
    read
}

/// Moves what is likely to be all there is, and copies it only where there is more.
fn append<T>(all: &mut Vec<T>, mut more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.append(&mut more);
    }
}

impl Read {
    fn take<F>(&mut self, listed: Listed<F>) -> Vec<F> {
        self.failures.extend(listed.failures);
        self.lists_read += listed.paths.len();
        listed.folds
    }
}

/// Lists a custom kind in the version that the server prefers; none where the server does not have it.
async fn list_custom(lister: &Lister<'_>, custom: &CustomKind) -> Option<Listed<CustomPages>> {
    let what = format!("{} of {}", custom.kind, custom.group);
    let found = async {
        let api_version = preferred_version(lister, custom).await?;
        let resource = discover(lister.api, &api_version, &custom.kind).await?;
        Ok::<_, RequestError>((api_version, resource))
    };
    match found.await {
        Ok((api_version, resource)) => {
            let path = |namespace: Option<&str>| collection_path(&api_version, &resource.plural, namespace);
            let new_fold = || CustomPages::new(custom.clone(), &api_version, Arc::clone(&lister.filter), lister.interner.clone());
            Some(lister.list(&what, Accept::Objects, path, new_fold).await)
        }
        Err(error) if error.is(http::StatusCode::NOT_FOUND) => None,
        Err(error) => Some(Listed { folds: Vec::new(), failures: vec![Failure { what, namespace: None, error }], paths: Vec::new() }),
    }
}

async fn preferred_version(lister: &Lister<'_>, custom: &CustomKind) -> Result<String, RequestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Group {
        preferred_version: Version,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        group_version: String,
    }
    let path = format!("/apis/{}", super::kinds::encode(&custom.group));
    let group: Group = lister.api.read(&path, Accept::Objects).await?;
    Ok(group.preferred_version.group_version)
}
