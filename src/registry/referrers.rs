//! What refers to a digest: the referrers API with all its pages, and the fallback tag.
//!
//! Source: OCI distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema". Both are always asked where the API
//! works: clients wrote fallback tags before a registry was upgraded, and not every registry took them over. Nothing is ever
//! filtered by `artifactType`, because some clients write another one there.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use http::{HeaderValue, Method};
use serde::Deserialize;
use url::Url;

use super::access::{Get, Session};
use super::blob::BlobCache;
use super::client::Reply;
use super::error::{failure, refused, shown};
use super::link;
use super::manifest::{Found, media_type};
use super::redirect::same_origin;
use super::statistics::RequestKind;
use crate::model::{Ask, Cause, Descriptor, Digest, Link, OCI_INDEX, UnknownAnswer, is_index};

/// Whether the referrers API is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferrersSupport {
    /// Nobody asked yet.
    Unknown = 0,
    /// It answered.
    Api = 1,
    /// It is not there; the fallback tag is what counts.
    FallbackTag = 2,
}

/// What is remembered about it.
#[derive(Default)]
pub(super) struct Support(AtomicU8);

impl Support {
    pub(super) fn get(&self) -> ReferrersSupport {
        match self.0.load(Relaxed) {
            1 => ReferrersSupport::Api,
            2 => ReferrersSupport::FallbackTag,
            _ => ReferrersSupport::Unknown,
        }
    }

    /// What showed an API once has one: some answer 404 for a digest to which nothing refers.
    pub(super) fn set(&self, support: ReferrersSupport) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, |known| (known != ReferrersSupport::Api as u8).then_some(support as u8));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    media_type: Option<String>,
    manifests: Option<Vec<Link>>,
}

/// What the API said: everything, or that it is not there.
enum Api {
    Listed(Vec<Link>),
    /// Whether the answer is that of a server that knows no such path, and not one about this digest.
    NotSupported {
        for_good: bool,
    },
}

/// Everything that refers to a digest, and whether the API was there.
pub(super) struct Referrers {
    pub(super) descriptors: Vec<Descriptor>,
    pub(super) support: ReferrersSupport,
}

impl Session<'_> {
    /// Everything that refers to a digest.
    ///
    /// That a repository has no API is used for its later digests only once a manifest was seen in it (the caller says so by
    /// [`Support::set`]): a repository that hides behind 404 looks the same. Of other repositories of the host it is only expected.
    pub(super) async fn referrers(&self, digest: &Digest, cache: Option<&dyn BlobCache>) -> Result<Referrers, UnknownAnswer> {
        if self.access.referrers.get() == ReferrersSupport::FallbackTag {
            let descriptors = collect(self.fallback(digest, cache).await?, Vec::new(), &self.client.options.limits)?;
            return Ok(Referrers { descriptors, support: ReferrersSupport::FallbackTag });
        }
        let (listed, tagged) = futures::future::join(self.api(digest), self.fallback(digest, cache)).await;
        let (listed, support) = match listed? {
            Api::Listed(listed) => (listed, ReferrersSupport::Api),
            Api::NotSupported { for_good: true } => (Vec::new(), ReferrersSupport::FallbackTag),
            Api::NotSupported { for_good: false } => (Vec::new(), ReferrersSupport::Unknown),
        };
        let descriptors = collect(listed, tagged?, &self.client.options.limits)?;
        Ok(Referrers { descriptors, support })
    }

    async fn api(&self, digest: &Digest) -> Result<Api, UnknownAnswer> {
        let limits = &self.client.options.limits;
        let mut url = self.url(&format!("referrers/{digest}"))?;
        let mut visited: HashSet<String> = HashSet::new();
        let mut listed: Vec<Link> = Vec::new();
        loop {
            if visited.len() >= limits.referrers_pages {
                return Err(failure(Cause::TooLarge, format!("{} has more than {} pages", shown(&url), limits.referrers_pages)));
            }
            if !visited.insert(url.as_str().to_owned()) {
                return Err(failure(Cause::InvalidResponse, format!("the pages of {} lead back to an earlier one", shown(&url))));
            }
            let first = visited.len() == 1;
            let get = Get {
                method: Method::GET,
                url: url.clone(),
                kind: RequestKind::Referrers,
                accept: HeaderValue::from_static(OCI_INDEX),
                cap: limits.referrers_page,
            };
            let reply = self.get(get).await?;
            match reply.status.as_u16() {
                200 => {}
                400 | 404 | 405 | 406 if first => return Ok(Api::NotSupported { for_good: is_about_the_path(&reply) }),
                _ => return Err(refused(reply.status, &Method::GET, &url)),
            }
            let page = match read_page(&reply) {
                Some(page) => page?,
                None if first => return Ok(Api::NotSupported { for_good: true }),
                None => return Err(failure(Cause::InvalidResponse, format!("a page of {} is no index", shown(&url)))),
            };
            let before = listed.len();
            listed.extend(page);
            if listed.len() > limits.referrers {
                return Err(too_many(digest, limits.referrers));
            }
            let next = link::next(&reply.headers);
            let next = next.map_err(|link::Unreadable| {
                failure(Cause::InvalidResponse, format!("{} leads to a next page whose address cannot be read", shown(&url)))
            })?;
            match next {
                None => return Ok(Api::Listed(listed)),
                // An empty page that leads on costs a registry nothing and a client everything.
                Some(_) if listed.len() == before && !first => {
                    return Err(failure(Cause::InvalidResponse, format!("{} leads from one empty page to the next", shown(&url))));
                }
                Some(next) => url = next_page(&reply.url, &next)?,
            }
        }
    }

    /// What the fallback tag lists; nothing where there is no such tag.
    async fn fallback(&self, digest: &Digest, cache: Option<&dyn BlobCache>) -> Result<Vec<Link>, UnknownAnswer> {
        let tag = Ask::fallback_tag(digest);
        let cap = self.client.options.limits.referrers_page;
        // Where the host is known to have no API, a tag that is there has to be fetched anyway, so one request is enough. Docker
        // Hub counts a GET as a pull even if nothing is there.
        let straight = self.host()?.referrers.get() == ReferrersSupport::FallbackTag && !self.is_docker_hub();
        let found = if straight { self.fetch(&tag, None, cap).await? } else { self.resolve(&tag, None).await? };
        let body = match found {
            None => return Ok(Vec::new()),
            Some(Found { body: Some(body), .. }) => body,
            Some(Found { descriptor, .. }) => {
                let index = descriptor.digest;
                match cache.and_then(|cache| cache.get(&index)) {
                    Some(kept) => kept,
                    None => {
                        let fetched = self.fetch(&index.to_string(), Some(&index), cap).await?.and_then(|found| found.body);
                        let gone = || failure(Cause::InvalidResponse, format!("the tag {tag} leads to {index}, which is not there"));
                        let body = fetched.ok_or_else(gone)?;
                        if let Some(cache) = cache {
                            cache.put(&index, &body);
                        }
                        body
                    }
                }
            }
        };
        let no_index =
            || failure(Cause::InvalidResponse, format!("the tag {tag}, which should list what refers to its image, holds no index"));
        let page: Page = serde_json::from_slice(&body).map_err(|_| no_index())?;
        if page.media_type.as_deref().is_some_and(|media_type| !is_index(media_type)) {
            return Err(no_index());
        }
        page.manifests.ok_or_else(no_index)
    }
}

/// The descriptors of a page; `None` where the answer is no index at all, so that the API is not there.
fn read_page(reply: &Reply) -> Option<Result<Vec<Link>, UnknownAnswer>> {
    let media_type = media_type(&reply.headers).unwrap_or_default();
    let named = media_type == OCI_INDEX;
    let is_json = media_type.ends_with("json");
    // Some registries call it plain JSON; it is the index that makes it one.
    if !is_json && !media_type.is_empty() {
        return None;
    }
    match serde_json::from_slice::<Page>(&reply.body) {
        Ok(Page { manifests: Some(manifests), .. }) => Some(Ok(manifests)),
        // Go writes an empty list as `null` when it was never made. No list at all is no index, whatever the header says.
        Ok(Page { manifests: None, .. }) if named && has_manifests(&reply.body) == Some(true) => Some(Ok(Vec::new())),
        Ok(Page { manifests: None, .. }) if named => {
            Some(Err(failure(Cause::InvalidResponse, format!("{} gives an index without a list", shown(&reply.url)))))
        }
        // A list with one entry that cannot be read, or JSON that broke off: nobody knows what it was.
        Err(_) if named || (is_json && has_manifests(&reply.body) != Some(false)) => {
            Some(Err(failure(Cause::InvalidResponse, format!("{} gives an index that cannot be read", shown(&reply.url)))))
        }
        _ => None,
    }
}

/// Whether JSON is an object with a list of manifests, in whatever state; `None` for what is no JSON.
fn has_manifests(body: &[u8]) -> Option<bool> {
    serde_json::from_slice::<serde_json::Value>(body).ok().map(|json| json.get("manifests").is_some())
}

/// Whether an answer says that there is no such path at all, and not something about this digest: what is said for one digest with
/// no words (some answer so where nothing refers to it), or of its form, is not taken for an answer about others.
fn is_about_the_path(reply: &Reply) -> bool {
    let speaks = !reply.body.is_empty() || matches!(reply.status.as_u16(), 405 | 406);
    reply.status.as_u16() != 400 && speaks && !is_registry_error(&reply.body)
}

/// Whether a body is a registry's own error (OCI distribution specification, "Error Codes"): then the path is known to it, and what
/// is missing is something under it.
fn is_registry_error(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|body| body.get("errors").is_some_and(serde_json::Value::is_array))
}

pub(super) fn next_page(from: &Url, next: &str) -> Result<Url, UnknownAnswer> {
    let refuse = |why: &str| failure(Cause::InvalidResponse, format!("the next page of {} {why}", shown(from)));
    let mut url = from.join(next).map_err(|_| refuse("has no usable address"))?;
    if !same_origin(&url, from) {
        return Err(refuse("is at another host"));
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(url)
}

fn too_many(digest: &Digest, most: usize) -> UnknownAnswer {
    failure(Cause::TooLarge, format!("more than {most} descriptors refer to {digest}"))
}

/// Each digest once, in the order in which they were listed.
fn collect(listed: Vec<Link>, tagged: Vec<Link>, limits: &super::options::Limits) -> Result<Vec<Descriptor>, UnknownAnswer> {
    let mut known = HashSet::with_capacity(listed.len() + tagged.len());
    let mut descriptors = Vec::with_capacity(listed.len() + tagged.len());
    for link in listed.into_iter().chain(tagged) {
        if known.insert(link.digest.clone()) {
            if descriptors.len() == limits.referrers {
                return Err(too_many(&link.digest, limits.referrers));
            }
            descriptors.push(Descriptor {
                media_type: link.media_type,
                digest: link.digest,
                size: link.size,
                artifact_type: link.artifact_type,
                annotations: link.annotations.unwrap_or_default(),
            });
        }
    }
    Ok(descriptors)
}
