//! Lists over a scope: all namespaces at once where that is allowed, else one by one, and a failure named for each that is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use http::StatusCode;
use tokio::sync::OnceCell;

use crate::model::{Cause, Gap, Stop};

use super::intern::Interner;
use super::objects::NamePages;
use super::pages::{self, Fold, ListEnd};
use super::request::{Accept, Api, RequestError};
use super::scope::Filter;

/// Namespaces asked at the same time for one kind.
const NAMESPACES_AT_ONCE: usize = 8;

/// What every list of one inventory shares.
pub(super) struct Lister<'a> {
    pub(super) api: &'a Api,
    pub(super) filter: Arc<Filter>,
    pub(super) page_size: u32,
    pub(super) listed: &'a (dyn Fn(u64) + Sync),
    pub(super) interner: Interner,
    namespaces: OnceCell<Result<Vec<String>, RequestError>>,
}

/// A list that could not be read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) what: String,
    pub(super) namespace: Option<String>,
    pub(super) error: RequestError,
}

/// What became of one kind.
#[derive(Debug)]
pub(super) struct Listed<F> {
    pub(super) folds: Vec<F>,
    pub(super) failures: Vec<Failure>,
    /// Lists that were read whole, by path.
    pub(super) paths: Vec<String>,
}

impl<'a> Lister<'a> {
    pub(super) fn new(api: &'a Api, filter: Arc<Filter>, page_size: u32, listed: &'a (dyn Fn(u64) + Sync)) -> Self {
        Self { api, filter, page_size, listed, interner: Interner::default(), namespaces: OnceCell::new() }
    }

    /// Lists a kind over the scope.
    pub(super) async fn list<F: Fold>(
        &self,
        what: &str,
        accept: Accept,
        path: impl Fn(Option<&str>) -> String,
        new_fold: impl Fn() -> F,
    ) -> Listed<F> {
        let mut listed = Listed { folds: Vec::new(), failures: Vec::new(), paths: Vec::new() };
        if self.filter.is_namespaced() {
            let namespaces: Vec<String> = self.filter.namespaces().into_iter().map(str::to_owned).collect();
            self.list_each(&namespaces, what, accept, &path, &new_fold, &mut listed).await;
            return listed;
        }
        let everywhere = path(None);
        let (fold, end) = self.read(everywhere.clone(), accept, new_fold()).await;
        match end {
            ListEnd::Broken(error) if error.is(StatusCode::FORBIDDEN) => match self.namespaces().await {
                Ok(namespaces) => self.list_each(namespaces, what, accept, &path, &new_fold, &mut listed).await,
                // That all at once are forbidden is no matter while it is not known whether one by one are.
                Err(ended) if ended.stop.is_some() => {
                    listed.failures.push(Failure { what: what.to_owned(), namespace: None, error: ended.clone() });
                }
                Err(_) => listed.failures.push(Failure { what: what.to_owned(), namespace: None, error }),
            },
            end => listed.take(what, None, everywhere, fold, end),
        }
        listed
    }

    async fn list_each<F: Fold>(
        &self,
        namespaces: &[String],
        what: &str,
        accept: Accept,
        path: &impl Fn(Option<&str>) -> String,
        new_fold: &impl Fn() -> F,
        listed: &mut Listed<F>,
    ) {
        let reads: Vec<_> = namespaces
            .iter()
            .map(|namespace| {
                let path = path(Some(namespace));
                let read = self.read(path.clone(), accept, new_fold());
                async move { (namespace, path, read.await) }
            })
            .collect();
        let mut ends = stream::iter(reads).buffered(NAMESPACES_AT_ONCE);
        while let Some((namespace, path, (fold, end))) = ends.next().await {
            listed.take(what, Some(namespace), path, fold, end);
        }
    }

    async fn read<F: Fold>(&self, path: String, accept: Accept, mut fold: F) -> (F, ListEnd) {
        let end = pages::read(self.api, &path, accept, self.page_size, &mut fold, self.listed).await;
        (fold, end)
    }

    /// Namespaces in scope, asked for once.
    async fn namespaces(&self) -> Result<&Vec<String>, &RequestError> {
        let read = async || {
            let mut names = NamePages::default();
            match pages::read(self.api, "/api/v1/namespaces", Accept::MetadataList, self.page_size, &mut names, &|_| ()).await {
                ListEnd::Whole => Ok(names.0.into_iter().filter(|name| self.filter.has_namespace(name)).collect()),
                ListEnd::Broken(error) => Err(error),
            }
        };
        self.namespaces.get_or_init(read).await.as_ref()
    }
}

impl<F> Listed<F> {
    fn take(&mut self, what: &str, namespace: Option<&String>, path: String, fold: F, end: ListEnd) {
        match end {
            ListEnd::Whole => self.paths.push(path),
            ListEnd::Broken(error) => self.failures.push(Failure { what: what.to_owned(), namespace: namespace.cloned(), error }),
        }
        self.folds.push(fold);
    }
}

/// Failures that are told together: by their cause, and whether it is the end of the scan.
type Kind = (Cause, Option<Stop>);

/// One gap for each namespace and kind of failure, naming everything that is missing there.
pub(super) fn gaps(failures: &[Failure]) -> Vec<Gap> {
    let mut together: BTreeMap<(Option<&str>, Kind), Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        together.entry((failure.namespace.as_deref(), (failure.error.cause, failure.error.stop))).or_default().push(failure);
    }
    together
        .into_iter()
        .map(|((namespace, (cause, stop)), failures)| {
            let mut kinds: Vec<&str> = failures.iter().map(|failure| failure.what.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let place = namespace.map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
            let first = failures.first().map(|failure| failure.error.detail.as_str()).unwrap_or_default();
            let advice = stop.map_or_else(|| advice(cause, namespace), Stop::advice);
            Gap {
                cluster: None,
                what: format!("{} in {place}", kinds.join(", ")),
                namespace: namespace.map(str::to_owned),
                workloads_missing: true,
                cause: Cause::ListIncomplete,
                detail: format!("{first}; {advice}"),
            }
        })
        .collect()
}

fn advice(cause: Cause, namespace: Option<&str>) -> &'static str {
    match (cause, namespace) {
        (Cause::Forbidden, None) => {
            "grant the rights that `seaworthy rbac print` writes, or choose namespaces that may be read with --include-namespaces"
        }
        (Cause::Forbidden, Some(_)) => {
            "grant the rights that `seaworthy rbac print` writes, or leave the namespace out with --exclude-namespaces"
        }
        (Cause::Unauthorized, _) => "the credentials ended during the scan: log in again",
        (Cause::RateLimited, _) => "the API server asks for fewer requests: try again later",
        _ => "try again",
    }
}
