//! Redirects: followed for reading, within limits, and never with credentials to another host.
//!
//! Blobs are often redirected to storage, and some registries (`registry.k8s.io`) redirect manifests as well. Where an answer comes
//! from does not matter: bytes prove themselves by their digest.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::error::{failure, shown};
use crate::model::{Cause, UnknownAnswer};

/// Redirects that are followed for one request.
pub(super) const MOST_HOPS: usize = 5;

/// Where an answer redirects to, if it does.
///
/// # Errors
/// When it redirects without a usable address.
pub(super) fn target(status: StatusCode, headers: &HeaderMap, from: &Url) -> Result<Option<Url>, UnknownAnswer> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let refuse = || failure(Cause::RedirectRefused, format!("{} redirects without an address that can be followed", shown(from)));
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(refuse)?;
    let mut url = from.join(location).map_err(|_| refuse())?;
    if url.host_str().is_none() {
        return Err(refuse());
    }
    // A login inside the address would become a header of ours.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(Some(url))
}

/// Whether two addresses are of one host, port and scheme.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme() && one.host_str() == other.host_str() && one.port_or_known_default() == other.port_or_known_default()
}

/// A refusal on the way is told as a refusal of the redirect.
pub(super) fn refused(from: &Url, unknown: UnknownAnswer) -> UnknownAnswer {
    match unknown.cause {
        // Without the advice to allow it: that a redirect leads inside is the registry's choice and not the user's.
        Cause::HostRefused => {
            let what = unknown.detail.split("; allow it with --allow-host").next().unwrap_or_default();
            failure(Cause::RedirectRefused, format!("{} redirects elsewhere: {what}", shown(from)))
        }
        _ => unknown,
    }
}
