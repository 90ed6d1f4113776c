//! Manifests: whether they are there, and their bytes.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;

use super::access::{Get, Session};
use super::client::Reply;
use super::error::{failure, refused, shown};
use super::statistics::RequestKind;
use crate::model::{
    Algorithm, Cause, DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Digest, OCI_INDEX, OCI_MANIFEST, UnknownAnswer, escape_control,
};

/// Every type of manifest that an audit may meet; without them a registry may convert one into another, with another digest.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.artifact.manifest.v1+json";
const CONTENT_DIGEST: &str = "docker-content-digest";
const OCTETS: &str = "application/octet-stream";

/// What a repository has under a tag or digest.
pub(super) struct Found {
    pub(super) descriptor: Descriptor,
    /// The bytes, where they had to be fetched.
    pub(super) body: Option<Bytes>,
}

impl Session<'_> {
    fn manifest_request(&self, method: Method, reference: &str, cap: u64) -> Result<Get, UnknownAnswer> {
        let kind = if method == Method::HEAD { RequestKind::ManifestHead } else { RequestKind::ManifestGet };
        let url = self.url(&format!("manifests/{reference}"))?;
        Ok(Get { method, url, kind, accept: HeaderValue::from_static(ACCEPT), cap })
    }

    /// Whether a manifest is there. `HEAD`, because a `GET` counts as a pull; `GET` where `HEAD` does not say enough.
    pub(super) async fn resolve(&self, reference: &str, expected: Option<&Digest>) -> Result<Option<Found>, UnknownAnswer> {
        let request = self.manifest_request(Method::HEAD, reference, 0)?;
        let url = request.url.clone();
        let reply = self.get(request).await?;
        match reply.status.as_u16() {
            200 => {}
            404 => return Ok(None),
            400 | 405 | 406 | 415 | 501 => return self.fetch(reference, expected, self.client.options.limits.manifest).await,
            _ => return Err(refused(reply.status, &Method::HEAD, &url)),
        }
        let said = said_digest(&reply.headers);
        let digest = match (said, expected) {
            (Some(said), None) => said,
            (Some(said), Some(expected)) if said == *expected => said,
            (Some(said), Some(expected)) if said.algorithm() == expected.algorithm() => return Err(other_digest(&reply, &said)),
            _ => return self.fetch(reference, expected, self.client.options.limits.manifest).await,
        };
        match media_type(&reply.headers).filter(|media_type| says_what_it_is(media_type)) {
            Some(media_type) => Ok(Some(Found { descriptor: descriptor(media_type, digest, content_length(&reply.headers)), body: None })),
            None => self.fetch(reference, expected, self.client.options.limits.manifest).await,
        }
    }

    /// The bytes under a tag or digest, checked.
    pub(super) async fn fetch(&self, reference: &str, expected: Option<&Digest>, cap: u64) -> Result<Option<Found>, UnknownAnswer> {
        let request = self.manifest_request(Method::GET, reference, cap)?;
        let url = request.url.clone();
        let reply = self.get(request).await?;
        match reply.status.as_u16() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(refused(reply.status, &Method::GET, &url)),
        }
        let said = said_digest(&reply.headers);
        let algorithm = expected.or(said.as_ref()).map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = Digest::of(algorithm, &reply.body);
        if expected.or(said.as_ref()).is_some_and(|claim| *claim != digest) {
            return Err(other_digest(&reply, &digest));
        }
        let descriptor = descriptor(media_type_of(&reply.body).to_owned(), digest, reply.body.len() as u64);
        Ok(Some(Found { descriptor, body: Some(reply.body) }))
    }
}

/// A descriptor without anything that only an index knows.
pub(super) fn descriptor(media_type: String, digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type, digest, size, artifact_type: None, annotations: Default::default() }
}

fn other_digest(reply: &Reply, digest: &Digest) -> UnknownAnswer {
    failure(Cause::InvalidResponse, format!("{} gives content with another digest, {digest}", shown(&reply.url)))
}

fn said_digest(headers: &HeaderMap) -> Option<Digest> {
    headers.get(CONTENT_DIGEST)?.to_str().ok()?.trim().parse().ok()
}

fn content_length(headers: &HeaderMap) -> u64 {
    headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// The media type without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(escape_control(&bare).into_owned()).filter(|bare| !bare.is_empty())
}

/// Whether a media type is of a manifest, and not merely of some text.
fn says_what_it_is(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.")
}

/// What the bytes of a manifest are, by themselves: from whatever place they come, it is the same.
pub(super) fn media_type_of(body: &[u8]) -> &'static str {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        #[serde(default)]
        media_type: Option<String>,
        #[serde(default)]
        manifests: Option<serde::de::IgnoredAny>,
        #[serde(default)]
        config: Option<serde::de::IgnoredAny>,
    }
    let Ok(shape) = serde_json::from_slice::<Shape>(body) else { return OCTETS };
    let known = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];
    if let Some(said) = shape.media_type {
        return known.into_iter().find(|known| *known == said).unwrap_or(OCTETS);
    }
    match (shape.manifests.is_some(), shape.config.is_some()) {
        (true, false) => OCI_INDEX,
        (false, true) => OCI_MANIFEST,
        _ => OCTETS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_what_it_holds() {
        assert_eq!(media_type_of(br#"{"manifests":[]}"#), OCI_INDEX);
        assert_eq!(media_type_of(br#"{"config":{},"layers":[]}"#), OCI_MANIFEST);
        assert_eq!(media_type_of(br#"{"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json"}"#), DOCKER_LIST);
        for other in ["", "{}", "[]", r#"{"mediaType":"text/html"}"#, r#"{"config":{},"manifests":[]}"#] {
            assert_eq!(media_type_of(other.as_bytes()), OCTETS, "{other}");
        }
    }
}
