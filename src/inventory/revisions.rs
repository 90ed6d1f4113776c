//! The template of a pod's own revision, read only where the workload's present template does not explain a container.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use http::StatusCode;

use crate::model::{Cause, Gap};

use super::fold::OwnerRef;
use super::intern::Interner;
use super::kinds::{BuiltIn, Kind, collection_path, encode};
use super::lists::Lister;
use super::objects::{Controller, ControllerPages};
use super::pages::{self, ListEnd};
use super::request::{Accept, RequestError, nameless, unreadable};
use super::slim::{Object, Revision};
use super::template::Template;
use super::uid::Uid;

/// More objects of one kind than this are listed, fewer are read one by one.
const LIST_FROM: usize = 16;
/// Objects read at the same time.
const AT_ONCE: usize = 16;

/// Names the revision that made a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RevisionId {
    /// The `ReplicaSet` or Job that owns the pod.
    Object { namespace: Arc<str>, owner: Arc<OwnerRef> },
    /// A `ControllerRevision`.
    Controller { namespace: Arc<str>, name: Arc<str> },
}

/// Templates of revisions; none where one could not be read.
pub(super) type Revisions = BTreeMap<RevisionId, Option<Template>>;

impl Lister<'_> {
    /// Reads the templates of revisions.
    pub(super) async fn revisions(&self, wanted: BTreeSet<RevisionId>, paths: &[(&'static BuiltIn, Vec<String>)]) -> (Revisions, Vec<Gap>) {
        let mut revisions = Revisions::new();
        let mut failures = Failures::default();
        for (built_in, paths) in paths {
            let of_kind: Vec<(Arc<str>, Arc<OwnerRef>)> = wanted
                .iter()
                .filter_map(|id| match id {
                    RevisionId::Object { namespace, owner } if &*owner.kind == built_in.kind => {
                        Some((Arc::clone(namespace), Arc::clone(owner)))
                    }
                    _ => None,
                })
                .collect();
            let objects: Vec<(Arc<str>, Arc<str>, Uid)> =
                of_kind.iter().map(|(namespace, owner)| (Arc::clone(namespace), Arc::clone(&owner.name), owner.uid.clone())).collect();
            let (controllers, failed) = self.objects(built_in, objects, paths).await;
            failures.extend(built_in.kind, failed);
            let mut by_uid: BTreeMap<Uid, Template> =
                controllers.into_iter().map(|controller| (controller.uid, controller.template)).collect();
            for (namespace, owner) in of_kind {
                let template = by_uid.remove(&owner.uid);
                revisions.insert(RevisionId::Object { namespace, owner }, template);
            }
        }
        let reads: Vec<_> = wanted
            .into_iter()
            .filter_map(|id| match &id {
                RevisionId::Controller { namespace, name } => {
                    let path = format!("{}/{}", collection_path("apps/v1", "controllerrevisions", Some(namespace)), encode(name));
                    Some(async move { (id, self.revision(&path).await) })
                }
                RevisionId::Object { .. } => None,
            })
            .collect();
        for (id, template) in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
            match template {
                Ok(template) => {
                    revisions.insert(id, template);
                }
                Err(error) => {
                    failures.add("ControllerRevision", error);
                    revisions.insert(id, None);
                }
            }
        }
        (revisions, failures.gaps())
    }

    async fn revision(&self, path: &str) -> Result<Option<Template>, RequestError> {
        let body = self.api.get(path, Accept::Objects).await?;
        let revision: Revision<'_> = serde_json::from_slice(&body).map_err(|error| unreadable(path, &error))?;
        Ok(revision.data.spec.template.as_ref().map(|template| Template::of(&template.spec, &Interner::default())))
    }

    /// Reads whole objects (namespace, name, UID) of a kind that was listed by its metadata: a few one by one, many by the lists
    /// that are known to be allowed.
    pub(super) async fn objects(
        &self,
        built_in: &'static BuiltIn,
        wanted: Vec<(Arc<str>, Arc<str>, Uid)>,
        paths: &[String],
    ) -> (Vec<Controller>, Vec<RequestError>) {
        if wanted.len() >= LIST_FROM && !paths.is_empty() {
            return self.objects_by_list(built_in, &wanted, paths).await;
        }
        let reads: Vec<_> = wanted.into_iter().map(|(namespace, name, uid)| self.object(built_in, namespace, name, uid)).collect();
        let (mut controllers, mut failures) = (Vec::new(), Vec::new());
        for result in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
            match result {
                Ok(found) => controllers.extend(found),
                Err(error) => failures.push(error),
            }
        }
        (controllers, failures)
    }

    async fn objects_by_list(
        &self,
        built_in: &'static BuiltIn,
        wanted: &[(Arc<str>, Arc<str>, Uid)],
        paths: &[String],
    ) -> (Vec<Controller>, Vec<RequestError>) {
        let uids: Arc<HashSet<Uid>> = Arc::new(wanted.iter().map(|(_, _, uid)| uid.clone()).collect());
        let (mut controllers, mut failures) = (Vec::new(), Vec::new());
        for path in paths {
            let mut fold =
                ControllerPages::new(Kind::from(built_in), Arc::clone(&self.filter), Some(Arc::clone(&uids)), self.interner.clone());
            match pages::read(self.api, path, Accept::Objects, self.page_size, &mut fold, &|_| ()).await {
                ListEnd::Whole => {}
                ListEnd::Broken(error) => failures.push(error),
            }
            controllers.append(&mut fold.controllers);
        }
        (controllers, failures)
    }

    async fn object(
        &self,
        built_in: &'static BuiltIn,
        namespace: Arc<str>,
        name: Arc<str>,
        uid: Uid,
    ) -> Result<Option<Controller>, RequestError> {
        let path = format!("{}/{}", built_in.list_path(Some(&namespace)), encode(&name));
        let body = match self.api.get(&path, Accept::Objects).await {
            Ok(body) => body,
            // Gone since it was listed.
            Err(error) if error.is(StatusCode::NOT_FOUND) => return Ok(None),
            Err(error) => return Err(error),
        };
        let object: Object<'_> = serde_json::from_slice(&body).map_err(|error| unreadable(&path, &error))?;
        if object.metadata.uid().is_empty() {
            return Err(nameless(&path));
        }
        let wanted = Arc::new(HashSet::from([uid]));
        let mut fold = ControllerPages::new(Kind::from(built_in), Arc::clone(&self.filter), Some(wanted), self.interner.clone());
        fold.add(&object);
        Ok(fold.controllers.pop())
    }
}

/// Failures of details, one gap for each kind and cause.
#[derive(Debug, Default)]
struct Failures(BTreeMap<(&'static str, Cause), (usize, String)>);

impl Failures {
    fn add(&mut self, kind: &'static str, error: RequestError) {
        if !error.is(StatusCode::NOT_FOUND) {
            self.0.entry((kind, error.cause)).or_insert((0, error.detail)).0 += 1;
        }
    }

    fn extend(&mut self, kind: &'static str, errors: Vec<RequestError>) {
        for error in errors {
            self.add(kind, error);
        }
    }

    fn gaps(self) -> Vec<Gap> {
        self.0
            .into_iter()
            .map(|((kind, cause), (count, first))| Gap {
                cluster: None,
                what: format!("{count} templates of kind {kind}"),
                namespace: None,
                workloads_missing: false,
                cause,
                detail: format!("{first}; whether containers of their pods were injected is not known"),
            })
            .collect()
    }
}
