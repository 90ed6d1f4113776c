//! Owner chains: from a pod's controller to the top, also through custom resources, by metadata alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;

use crate::model::{Cause, Gap, ObjectKey, Stop};

use super::fold::{Marks, OwnerRef};
use super::intern::Interner;
use super::kinds::{BuiltIn, collection_path, encode};
use super::objects::{Controller, OwnedObject};
use super::request::{Accept, Api, RequestError};
use super::scope::Filter;
use super::slim::Bare;
use super::uid::Uid;

/// Longest chain that is followed; real ones have up to four links.
const LONGEST_CHAIN: usize = 16;
/// Most owners that are read by themselves: they are few where the lists were read, and lists that may be read are.
const MOST_READ: usize = 20_000;
/// Owners read at the same time.
const AT_ONCE: usize = 16;

/// An owner that was read by itself, or is only named.
#[derive(Debug)]
struct Owner {
    api_version: Arc<str>,
    kind: Arc<str>,
    name: Arc<str>,
    owner: Option<Arc<OwnerRef>>,
    marks: Marks,
    /// Whether the object itself was read.
    read: bool,
}

/// The top of a chain.
#[derive(Debug, Clone)]
pub(super) struct Top {
    pub(super) key: ObjectKey,
    /// Whether the object itself was read, or is only named.
    pub(super) read: bool,
    pub(super) marks: Marks,
}

/// Owners by UID. What was listed stays as it is, in order: at a hundred thousand of them, a map would cost as much again.
#[derive(Debug, Default)]
pub(super) struct Owners {
    controllers: Vec<Controller>,
    objects: Vec<(&'static BuiltIn, OwnedObject)>,
    read: HashMap<Uid, Owner>,
}

/// An owner as far as it is known.
enum Known<'a> {
    Controller(&'a Controller),
    Object(&'static BuiltIn, &'a OwnedObject),
    Read(&'a Owner),
}

impl Known<'_> {
    fn owner(&self) -> Option<&Arc<OwnerRef>> {
        match self {
            Self::Controller(controller) => controller.owner.as_ref(),
            Self::Object(_, object) => object.owner.as_ref(),
            Self::Read(owner) => owner.owner.as_ref(),
        }
    }

    fn top(&self, namespace: &Arc<str>) -> Top {
        let (api_version, kind, name, marks, read) = match self {
            Self::Controller(controller) => {
                (controller.kind.api_version.clone(), &controller.kind.kind, &controller.name, controller.marks.clone(), true)
            }
            Self::Object(kind, object) => (kind.api_version().into(), &Arc::from(kind.kind), &object.name, Marks::default(), true),
            Self::Read(owner) => (Arc::clone(&owner.api_version), &owner.kind, &owner.name, owner.marks.clone(), owner.read),
        };
        Top {
            key: ObjectKey { api_version: api_version.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() },
            read,
            marks,
        }
    }
}

/// An owner that has to be read, with the namespace in which it was named.
type Wanted = (Arc<str>, Arc<OwnerRef>);

/// How many failed and how the first did, by kind, namespace and cause; the end of the scan is the same in all namespaces.
type Failures = BTreeMap<(Arc<str>, Option<Arc<str>>, Cause, Option<Stop>), (usize, String)>;

impl Owners {
    /// Owners that were listed: controllers, and objects by their metadata of which only those are kept that a pod names. Most others
    /// are old revisions, to which nothing leads.
    pub(super) fn new(mut controllers: Vec<Controller>, mut objects: Vec<(&'static BuiltIn, OwnedObject)>, named: &HashSet<&Uid>) -> Self {
        controllers.sort_unstable_by(|left, right| left.uid.cmp(&right.uid));
        controllers.dedup_by(|later, first| later.uid == first.uid);
        objects.retain(|(_, object)| named.contains(&object.uid));
        objects.sort_unstable_by(|(_, left), (_, right)| left.uid.cmp(&right.uid));
        objects.dedup_by(|(_, later), (_, first)| later.uid == first.uid);
        Self { controllers, objects, read: HashMap::new() }
    }

    /// The controllers that were listed, by UID.
    pub(super) fn controllers(&self) -> &[Controller] {
        &self.controllers
    }

    /// The controller with this UID, if it was listed.
    pub(super) fn controller(&self, uid: &Uid) -> Option<&Controller> {
        let at = self.controllers.binary_search_by(|controller| controller.uid.cmp(uid)).ok()?;
        self.controllers.get(at)
    }

    fn known(&self, uid: &Uid) -> Option<Known<'_>> {
        if let Some(controller) = self.controller(uid) {
            return Some(Known::Controller(controller));
        }
        if let Ok(at) = self.objects.binary_search_by(|(_, object)| object.uid.cmp(uid)) {
            return self.objects.get(at).map(|(kind, object)| Known::Object(kind, object));
        }
        self.read.get(uid).map(Known::Read)
    }

    /// Reads every owner on the way from these to the top. One that cannot be read becomes a top by its name alone.
    pub(super) async fn complete(&mut self, api: &Api, filter: &Filter, named: impl IntoIterator<Item = Wanted>) -> Vec<Gap> {
        let mut wanted: BTreeSet<Wanted> =
            named.into_iter().filter(|(namespace, owner)| self.first_unknown(namespace, owner).is_some()).collect();
        let mut catalogue = Catalogue::default();
        let mut failures = Failures::new();
        let mut left = MOST_READ;
        for _ in 0..LONGEST_CHAIN {
            let missing: BTreeSet<Wanted> = wanted.iter().filter_map(|(namespace, owner)| self.first_unknown(namespace, owner)).collect();
            if missing.is_empty() {
                break;
            }
            let (now, beyond): (Vec<_>, Vec<_>) = missing.into_iter().enumerate().partition(|(position, _)| *position < left);
            left -= now.len();
            let spent = || RequestError::new(Cause::Budget, format!("more than {MOST_READ} owners would have to be read one by one"));
            let beyond = beyond.into_iter().map(|(_, wanted)| (wanted, Err(spent())));
            let read = catalogue.read_all(api, filter, now.into_iter().map(|(_, wanted)| wanted).collect()).await;
            for (wanted, result) in read.into_iter().chain(beyond) {
                let owner = match result {
                    Ok(owner) => owner,
                    Err(error) => {
                        // An owner that is gone is no gap: its pods go with it.
                        if !error.is(StatusCode::NOT_FOUND) {
                            let namespace = error.stop.is_none().then(|| Arc::clone(&wanted.0));
                            let key = (Arc::clone(&wanted.1.kind), namespace, error.cause, error.stop);
                            failures.entry(key).or_insert((0, format!("{}: {}", wanted.1.name, error.detail))).0 += 1;
                        }
                        by_name(&wanted.1)
                    }
                };
                self.read.insert(wanted.1.uid.clone(), owner);
            }
            wanted.retain(|(namespace, owner)| self.first_unknown(namespace, owner).is_some());
        }
        failures
            .into_iter()
            .map(|((kind, namespace, cause, stop), (count, first))| Gap {
                cluster: None,
                what: format!(
                    "{count} {} of kind {kind}{}",
                    if count == 1 { "owner" } else { "owners" },
                    namespace.as_deref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default()
                ),
                namespace: namespace.as_deref().map(str::to_owned),
                workloads_missing: false,
                cause,
                detail: format!(
                    "{first}; named after the ownerReference and taken as the top; {}",
                    stop.map_or("grant `get` on the kind to follow it further", Stop::advice)
                ),
            })
            .collect()
    }

    /// The first owner on the way from this one to the top of which nothing is known.
    fn first_unknown(&self, namespace: &Arc<str>, from: &Arc<OwnerRef>) -> Option<Wanted> {
        let mut at = Arc::clone(from);
        for _ in 0..LONGEST_CHAIN {
            match self.known(&at.uid) {
                None => return Some((Arc::clone(namespace), at)),
                Some(known) => at = Arc::clone(known.owner()?),
            }
        }
        None
    }

    /// UIDs from an owner to the top, in order.
    pub(super) fn chain(&self, from: &OwnerRef) -> Vec<Uid> {
        let mut chain: Vec<Uid> = Vec::with_capacity(2);
        let mut at = Some(from.uid.clone());
        while let Some(uid) = at {
            if chain.len() >= LONGEST_CHAIN || chain.contains(&uid) {
                break;
            }
            at = self.known(&uid).and_then(|known| known.owner().map(|owner| owner.uid.clone()));
            chain.push(uid);
        }
        chain
    }

    /// The top above an owner. Its namespace is the pods': an owner without one is a workload in each namespace that it works in.
    pub(super) fn top(&self, namespace: &Arc<str>, from: &OwnerRef) -> Top {
        let known = self.chain(from).last().and_then(|uid| self.known(uid).map(|known| known.top(namespace)));
        known.unwrap_or_else(|| Known::Read(&by_name(from)).top(namespace))
    }
}

fn by_name(owner: &OwnerRef) -> Owner {
    Owner {
        api_version: Arc::clone(&owner.api_version),
        kind: Arc::clone(&owner.kind),
        name: Arc::clone(&owner.name),
        owner: None,
        marks: Marks::default(),
        read: false,
    }
}

/// A resource as discovery names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) plural: String,
    pub(super) namespaced: bool,
}

#[derive(Debug, Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<ResourceEntry>,
}

#[derive(Debug, Deserialize)]
struct ResourceEntry {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

/// Resources by group, version and kind, and what was refused already.
#[derive(Debug, Default)]
struct Catalogue {
    resources: BTreeMap<(Arc<str>, Arc<str>), Result<Resource, RequestError>>,
    refused: HashSet<(Arc<str>, Arc<str>, Arc<str>)>,
}

impl Catalogue {
    /// Reads owners: of each kind and namespace one first, so that a refusal is met once and not a thousand times.
    async fn read_all(&mut self, api: &Api, filter: &Filter, wanted: BTreeSet<Wanted>) -> Vec<(Wanted, Result<Owner, RequestError>)> {
        let kinds: BTreeSet<(Arc<str>, Arc<str>)> =
            wanted.iter().map(|(_, owner)| (Arc::clone(&owner.api_version), Arc::clone(&owner.kind))).collect();
        for (api_version, kind) in kinds {
            if !self.resources.contains_key(&(Arc::clone(&api_version), Arc::clone(&kind))) {
                let resource = discover(api, &api_version, &kind).await;
                self.resources.insert((api_version, kind), resource);
            }
        }
        let place = |(namespace, owner): &Wanted| (Arc::clone(&owner.api_version), Arc::clone(&owner.kind), Arc::clone(namespace));
        let mut seen = HashSet::new();
        let (first, rest): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|wanted| seen.insert(place(wanted)));
        let mut results = self.read_batch(api, filter, first).await;
        for (wanted, result) in &results {
            if result.as_ref().is_err_and(|error| error.is(StatusCode::FORBIDDEN)) {
                self.refused.insert(place(wanted));
            }
        }
        let (refused, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|wanted| self.refused.contains(&place(wanted)));
        results
            .extend(refused.into_iter().map(|wanted| (wanted, Err(RequestError::new(Cause::Forbidden, "refused as others of its kind")))));
        results.extend(self.read_batch(api, filter, rest).await);
        results
    }

    async fn read_batch(&self, api: &Api, filter: &Filter, wanted: Vec<Wanted>) -> Vec<(Wanted, Result<Owner, RequestError>)> {
        let reads: Vec<_> = wanted
            .into_iter()
            .map(|wanted| {
                let resource = self.resources.get(&(Arc::clone(&wanted.1.api_version), Arc::clone(&wanted.1.kind))).cloned();
                async move {
                    let result = match resource {
                        Some(Ok(resource)) => read_owner(api, filter, &resource, &wanted).await,
                        Some(Err(error)) => Err(error),
                        None => Err(RequestError::new(Cause::InvalidResponse, "its kind is not known")),
                    };
                    (wanted, result)
                }
            })
            .collect();
        stream::iter(reads).buffered(AT_ONCE).collect().await
    }
}

async fn read_owner(api: &Api, filter: &Filter, resource: &Resource, (namespace, owner): &Wanted) -> Result<Owner, RequestError> {
    let built_in = BuiltIn::find(&owner.api_version, &owner.kind);
    let api_version: Arc<str> = built_in.map_or_else(|| Arc::clone(&owner.api_version), |built_in| built_in.api_version().into());
    let collection = collection_path(&api_version, &resource.plural, resource.namespaced.then_some(namespace));
    let path = format!("{collection}/{}", encode(&owner.name));
    let body = api.get(&path, Accept::Metadata).await?;
    let Bare { metadata } = serde_json::from_slice(&body).map_err(|error| super::request::unreadable(&path, &error))?;
    if metadata.uid().is_empty() {
        return Err(super::request::nameless(&path));
    }
    if Uid::from(metadata.uid()) != owner.uid {
        return Err(RequestError::gone("another object has its name now"));
    }
    let interner = Interner::default();
    Ok(Owner {
        api_version,
        kind: Arc::clone(&owner.kind),
        name: Arc::clone(&owner.name),
        owner: metadata.controller().map(|owner| Arc::new(OwnerRef::of(owner, &interner))),
        marks: Marks::of(&metadata, filter, &interner),
        read: true,
    })
}

/// Finds the resource of a kind.
pub(super) async fn discover(api: &Api, api_version: &str, kind: &str) -> Result<Resource, RequestError> {
    if let Some(built_in) = BuiltIn::find(api_version, kind) {
        return Ok(Resource { plural: built_in.plural.to_owned(), namespaced: true });
    }
    let path = match api_version.split_once('/') {
        None => format!("/api/{}", encode(api_version)),
        Some((group, version)) => format!("/apis/{}/{}", encode(group), encode(version)),
    };
    let list: ResourceList = api.read(&path, Accept::Objects).await?;
    list.resources
        .into_iter()
        .find(|resource| resource.kind == kind && !resource.name.contains('/'))
        .map(|resource| Resource { plural: resource.name, namespaced: resource.namespaced })
        .ok_or_else(|| RequestError::new(Cause::InvalidResponse, format!("the server does not know kind {kind} of {api_version}")))
}
