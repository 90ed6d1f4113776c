//! From a source of workloads to their evidence: live or from a snapshot, in two steps so that a dry run can stop between them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::acquire::{self, Ending, From};
use super::arguments::{ClusterOptions, EvidenceOptions, RegistryOptions};
use super::places::Places;
use super::registries;
use crate::documents::TrustPolicy;
use crate::inventory::{ClockReading, Traffic};
use crate::model::{
    Ask, CredentialIdentity, Digest, Gap, ImageEvidence, ImageReference, Inventory, Ledger, Needs, Origin, Place, Question, ReportSource,
    ScanEvent, Scope,
};
use crate::registry::{DiskCache, Registry, Statistics};
use crate::scan::{
    Answers as _, Board, DeclaredPlaces, EvidenceByImage, ExtraPlace, ImageTask, Keeping, LiveSource, Verification, collect, collect_from,
    narrow_credentials, tasks,
};
use crate::snapshot::Snapshot;

/// A difference of clocks beyond which what depends on now is not known.
pub(super) const CLOCK_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// Bytes of evidence that are kept for other images, after the first one is done with it.
const AT_HAND: usize = 4 << 20;

/// What to gather from, and how.
pub(super) struct Gathering<'a> {
    pub(super) snapshot: Option<&'a Path>,
    pub(super) from: From,
    pub(super) scope: Scope,
    pub(super) cluster: &'a ClusterOptions,
    pub(super) evidence: &'a EvidenceOptions,
    pub(super) registry: &'a RegistryOptions,
    /// Trust policies, for where they say that evidence lies.
    pub(super) policies: Vec<TrustPolicy>,
    pub(super) began: Timestamp,
}

/// Who answers.
enum Answerer {
    Live(Box<LiveSource>),
    Snapshot(Box<Snapshot>),
}

/// An inventory with the images to ask about, before anything was asked of a registry.
pub(super) struct Prepared {
    pub(super) inventory: Inventory,
    pub(super) tasks: BTreeMap<ImageTask, DeclaredPlaces>,
    pub(super) source: ReportSource,
    pub(super) asked_at: Timestamp,
    /// Layouts that are looked in, by name, with the only reference each stands for.
    pub(super) layouts: Vec<(Arc<str>, Option<ImageReference>)>,
    /// Bundle files that are looked in, by name.
    pub(super) bundles: Vec<Arc<str>>,
    traffic: Option<Traffic>,
    answerer: Answerer,
}

/// Everything that is needed to judge.
pub(super) struct Gathered {
    pub(super) inventory: Inventory,
    pub(super) collected: EvidenceByImage,
    pub(super) source: ReportSource,
    pub(super) asked_at: Timestamp,
    pub(super) traffic: Option<Traffic>,
    pub(super) statistics: Statistics,
}

/// Everything that a snapshot is made of.
pub(super) struct Captured {
    pub(super) inventory: Inventory,
    pub(super) ledger: Ledger,
    pub(super) blobs: BTreeMap<Digest, bytes::Bytes>,
    pub(super) asked_at: Timestamp,
}

impl Gathering<'_> {
    /// Lists (or reads) the inventory and makes the plan.
    ///
    /// # Errors
    /// [`InventoryError::Ended`](crate::inventory::InventoryError::Ended) where the scan was ended before anything was listed.
    pub(super) async fn prepare(self, stop: &Ending, on_event: &(dyn Fn(ScanEvent) + Sync)) -> anyhow::Result<Prepared> {
        let places = Places::open(self.evidence, self.policies.clone())?;
        if let Some(path) = self.snapshot {
            return self.open_snapshot(path, &places);
        }
        let source = self.from.source();
        let listing = acquire::acquire(&self.from, &self.scope, self.cluster, self.began, stop, on_event).await?;
        let mut inventory = listing.inventory;
        inventory.gaps.extend(listing.clock.and_then(skew));
        let registry = registries::registry(self.registry, &listing.networks, listing.pull_secrets, &self.policies)?;
        narrow_credentials(&mut inventory, &|secrets, repository| registry.identity(secrets, repository));
        let tasks = tasks(&inventory, &|repository| places.of(repository));
        let layouts = places.layouts.iter().map(|(name, reference, _)| (name.clone(), reference.clone())).collect();
        let bundles = places.bundles.iter().map(|(name, _)| name.clone()).collect();
        // Where the UID may not be read, context and user tell clusters apart.
        let uid = inventory
            .cluster
            .as_ref()
            .map(|cluster| cluster.uid.clone().unwrap_or_else(|| format!("{:?} {:?}", cluster.context, cluster.user)));
        let live = live(registry, places, self.evidence, uid.as_deref())?;
        Ok(Prepared {
            inventory,
            tasks,
            source,
            asked_at: self.began,
            layouts,
            bundles,
            traffic: listing.traffic,
            answerer: Answerer::Live(Box::new(live)),
        })
    }

    /// The same from a snapshot: the places that were looked in when it was taken are looked in again, in the snapshot.
    fn open_snapshot(self, path: &Path, places: &Places) -> anyhow::Result<Prepared> {
        let snapshot = crate::snapshot::read(path)?;
        let inventory = crate::inventory::narrow(snapshot.inventory().clone(), &self.scope)?;
        let header = snapshot.header();
        let tasks = tasks(&inventory, &|repository| {
            let mut declared = places.of(repository);
            let layouts =
                header.layouts.iter().filter(|layout| layout.reference.as_ref().is_none_or(|only| only.repository() == repository));
            declared.extra.extend(layouts.map(|layout| ExtraPlace::Layout(layout.name.as_str().into())));
            declared.extra.extend(header.bundles.iter().map(|name| ExtraPlace::Bundles(name.as_str().into())));
            declared
        });
        Ok(Prepared {
            source: source_of(&inventory),
            asked_at: snapshot.captured(),
            inventory,
            tasks,
            layouts: Vec::new(),
            bundles: Vec::new(),
            traffic: None,
            answerer: Answerer::Snapshot(Box::new(snapshot)),
        })
    }
}

/// From what an inventory was made, by what is in it.
fn source_of(inventory: &Inventory) -> ReportSource {
    let named = inventory.workloads.iter().any(|workload| workload.origin == Origin::Argument);
    match (&inventory.cluster, named) {
        (Some(_), _) => ReportSource::Cluster,
        (None, true) => ReportSource::Images,
        (None, false) => ReportSource::Manifests,
    }
}

/// The source that asks registries, layouts and bundle files. Kept answers belong to one cluster: pull secrets of one name in two
/// clusters are two secrets.
fn live(registry: Registry, places: Places, options: &EvidenceOptions, cluster: Option<&str>) -> anyhow::Result<LiveSource> {
    let cache = if options.no_cache { None } else { open_cache() };
    let max_age = jiff::SignedDuration::try_from(options.max_age)?;
    let layouts = places.layouts.into_iter().map(|(name, _, layout)| (name, layout)).collect();
    let cache = cache.map(|cache| cache.scoped(cluster.unwrap_or_default()));
    Ok(LiveSource::new(registry, layouts, places.bundles.into_iter().collect(), cache, max_age))
}

/// A scan goes on without a cache, and says so.
pub(super) fn open_cache() -> Option<DiskCache> {
    match DiskCache::open(None) {
        Ok(cache) => Some(cache),
        Err(error) => {
            super::note(&format!("warning: nothing is cached: {error}"));
            None
        }
    }
}

/// A gap where the local clock and the server's differ by more than what verdicts about time can bear.
fn skew(clock: ClockReading) -> Option<Gap> {
    let difference = clock.local.duration_since(clock.server);
    (difference.abs() > CLOCK_SKEW).then(|| Gap {
        cluster: None,
        what: "the clock".to_owned(),
        namespace: None,
        workloads_missing: false,
        cause: crate::model::Cause::ClockSkew,
        detail: format!(
            "the local clock and the API server's differ by {} s; set the clock (NTP): ages and expiries are not known",
            difference.as_secs()
        ),
    })
}

impl Prepared {
    /// Gathers the evidence.
    pub(super) async fn collect(
        self,
        needs: Needs,
        verification: Option<&Verification>,
        stop: Ending,
        on_event: &(dyn Fn(ScanEvent) + Sync),
    ) -> Gathered {
        let (evidence, statistics) = match self.answerer {
            Answerer::Live(live) => {
                let board = Board::new(live.as_ref(), Keeping::Latest(AT_HAND));
                let evidence = collect(self.tasks, needs, &board, verification, stop, self.asked_at, on_event).await;
                (evidence, live.statistics())
            }
            Answerer::Snapshot(snapshot) => (collect_from(&self.tasks, needs, snapshot.as_ref(), verification), Statistics::default()),
        };
        Gathered {
            inventory: self.inventory,
            collected: evidence,
            source: self.source,
            asked_at: self.asked_at,
            traffic: self.traffic,
            statistics,
        }
    }

    /// Gathers the evidence of the only image, with the bytes of one of its statements: `choose` says which, by its position.
    ///
    /// None where there is no image.
    pub(super) async fn collect_one(
        self,
        needs: Needs,
        verification: &Verification,
        stop: Ending,
        choose: &(dyn Fn(&ImageEvidence) -> Option<usize> + Sync),
    ) -> Option<(ImageEvidence, Option<Bytes>)> {
        let (task, places) = self.tasks.iter().next().map(|(task, places)| (task.clone(), places.clone()))?;
        match self.answerer {
            Answerer::Live(live) => {
                let board = Board::new(live.as_ref(), Keeping::Everything);
                let evidence = collect(self.tasks, needs, &board, Some(verification), stop, self.asked_at, &|_| ()).await;
                let evidence = evidence.into_values().next()?;
                let Some(statement) = choose(&evidence).and_then(|position| evidence.statements.get(position)) else {
                    return Some((evidence, None));
                };
                if board.blob(&statement.content).is_none() {
                    // What is attached as it is was not fetched.
                    let question = |place: Place| {
                        let credential = match place {
                            Place::Repository(_) => task.credential.clone(),
                            _ => CredentialIdentity::default(),
                        };
                        Question { place, ask: Ask::Blob(statement.content.clone()), credential }
                    };
                    let extra = places.extra.iter().filter_map(|extra| match extra {
                        ExtraPlace::Repository(repository) => Some(Place::Repository(repository.clone())),
                        ExtraPlace::Layout(name) => Some(Place::Layout(name.clone())),
                        _ => None,
                    });
                    let found = std::iter::once(task.home.clone()).chain(extra).filter(|place| place.to_string() == statement.place);
                    board.fill(found.map(question).collect(), &|_| ()).await;
                }
                let bytes = board.blob(&statement.content);
                Some((evidence, bytes))
            }
            Answerer::Snapshot(snapshot) => {
                let evidence = collect_from(&self.tasks, needs, snapshot.as_ref(), Some(verification)).into_values().next()?;
                let content = choose(&evidence).and_then(|position| Some(evidence.statements.get(position)?.content.clone()));
                let bytes = content.and_then(|content| snapshot.blob(&content));
                Some((evidence, bytes))
            }
        }
    }

    /// Gathers everything that was answered, to be kept.
    pub(super) async fn capture(self, needs: Needs, stop: Ending, on_event: &(dyn Fn(ScanEvent) + Sync)) -> Captured {
        let (ledger, blobs) = match self.answerer {
            Answerer::Live(live) => {
                let board = Board::new(live.as_ref(), Keeping::Everything);
                collect(self.tasks, needs, &board, None, stop, self.asked_at, on_event).await;
                board.into_ledger()
            }
            Answerer::Snapshot(_) => (Ledger::new(), BTreeMap::new()),
        };
        Captured { inventory: self.inventory, ledger, blobs, asked_at: self.asked_at }
    }
}
