//! Blobs, and the store that keeps immutable bytes between scans.

use bytes::Bytes;
use http::{HeaderValue, Method};

use super::access::{Get, Session};
use super::cache::DiskCache;
use super::error::{failure, refused, shown};
use super::manifest::{Found, descriptor};
use super::statistics::RequestKind;
use crate::model::{Cause, Digest, UnknownAnswer};

/// Bytes that are kept by their digest. Called from within asynchronous work: an implementation answers from memory or a local disk.
pub trait BlobCache: Send + Sync {
    /// The bytes of a digest, if they are there and are of that digest: an implementation checks, planted bytes are none.
    fn get(&self, digest: &Digest) -> Option<Bytes>;
    /// Keeps bytes whose digest was checked. Failing to is no harm.
    fn put(&self, digest: &Digest, bytes: &Bytes);
}

impl BlobCache for DiskCache {
    fn get(&self, digest: &Digest) -> Option<Bytes> {
        Self::get(self, digest)
    }

    fn put(&self, digest: &Digest, bytes: &Bytes) {
        Self::put(self, digest, bytes);
    }
}

impl Session<'_> {
    /// The bytes of a blob, checked. Storage elsewhere to which the registry redirects is asked without credentials.
    pub(super) async fn blob(&self, digest: &Digest) -> Result<Option<Found>, UnknownAnswer> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let get = Get {
            method: Method::GET,
            url: url.clone(),
            kind: RequestKind::Blob,
            accept: HeaderValue::from_static("*/*"),
            cap: self.client.options.limits.blob,
        };
        let reply = self.get(get).await?;
        match reply.status.as_u16() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(refused(reply.status, &Method::GET, &reply.url)),
        }
        let actual = Digest::of(digest.algorithm(), &reply.body);
        if actual != *digest {
            return Err(failure(Cause::InvalidResponse, format!("{} gives a blob with another digest, {actual}", shown(&url))));
        }
        Ok(Some(blob_found(digest.clone(), reply.body)))
    }

    /// Whether the repository may be read at all.
    pub(super) async fn readable(&self) -> Result<Option<()>, UnknownAnswer> {
        let url = self.url("tags/list?n=1")?;
        let get = Get {
            method: Method::GET,
            url: url.clone(),
            kind: RequestKind::Tags,
            accept: HeaderValue::from_static("application/json"),
            cap: self.client.options.limits.manifest,
        };
        let reply = self.get(get).await?;
        match reply.status.as_u16() {
            // A page for people answers everything with 200: it says nothing about the repository.
            200 if is_tag_list(&reply.body) => Ok(Some(())),
            200 => Err(failure(Cause::InvalidResponse, format!("{} gives no list of tags", shown(&url)))),
            404 => Ok(None),
            _ => Err(refused(reply.status, &Method::GET, &reply.url)),
        }
    }
}

fn is_tag_list(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|list| list.get("name").is_some() || list.get("tags").is_some())
}

/// A blob as an answer: its type is not the registry's to say.
pub(super) fn blob_found(digest: Digest, body: Bytes) -> Found {
    Found { descriptor: descriptor("application/octet-stream".to_owned(), digest, body.len() as u64), body: Some(body) }
}
