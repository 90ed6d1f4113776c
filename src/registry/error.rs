//! What can be wrong before anything is asked, and how failures of requests are told.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use http::StatusCode;
use url::Url;

use super::resolver::ResolveError;
use crate::model::{Cause, UnknownAnswer, escape_control};

/// Why a client for registries cannot be made: something is wrong in what the user configured.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A certificate file cannot be used.
    #[error("cannot use the certificate authorities in {path}: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A Docker configuration cannot be used.
    #[error("cannot use the Docker configuration {path}: {reason}")]
    DockerConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The configuration of the kubelet's credential providers cannot be used.
    #[error("cannot use the credential provider configuration {path}: {reason}")]
    CredentialProviders {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A proxy's address cannot be used.
    #[error("cannot use the {scheme} proxy of the environment: {reason}")]
    Proxy {
        /// For which addresses.
        scheme: &'static str,
        /// Why.
        reason: String,
    },
}

/// A failure with its cause and its text.
pub(super) fn failure(cause: Cause, detail: impl Into<String>) -> UnknownAnswer {
    UnknownAnswer { cause, detail: detail.into() }
}

/// An address as it may be shown: no query (signed addresses carry secrets there), no user, nothing that deceives.
pub(super) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    escape_control(&format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())).into_owned()
}

/// What a status that is no answer to a question means.
pub(super) fn refused(status: StatusCode, method: &http::Method, url: &Url) -> UnknownAnswer {
    let cause = match status.as_u16() {
        401 => Cause::Unauthorized,
        403 => Cause::Forbidden,
        408 => Cause::Timeout,
        429 => Cause::RateLimited,
        500.. => Cause::ServerError,
        _ => Cause::InvalidResponse,
    };
    failure(cause, format!("{method} {} was answered with {}", shown(url), status.as_u16()))
}

/// What a request that got no answer failed of, and whether it may be sent again.
pub(super) fn no_answer(error: &reqwest::Error, url: &Url) -> (UnknownAnswer, bool) {
    let place = shown(url);
    let mut texts: Vec<String> = Vec::new();
    let mut input_output = None;
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(resolve) = cause.downcast_ref::<ResolveError>() {
            return (resolve.failure(&place), false);
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return (tls_failure(&place, tls), false);
        }
        texts.push(cause.to_string());
        next = match cause.downcast_ref::<io::Error>() {
            // An error inside an `io::Error` made from it is not its source but its content.
            Some(outer) => {
                input_output = Some(outer.kind());
                outer.get_ref().map(|inner| inner as &(dyn Error + 'static)).or_else(|| outer.source())
            }
            None => cause.source(),
        };
    }
    let last = escape_control(texts.last().map_or("no reason given", String::as_str)).into_owned();
    if error.is_timeout() || input_output == Some(io::ErrorKind::TimedOut) {
        return (failure(Cause::Timeout, format!("no connection for {place} in time")), false);
    }
    if texts.iter().any(|text| text.contains("tls handshake eof")) {
        let detail = format!("no TLS connection for {place}: the server closed it; if it speaks plain HTTP, say so with --plain-http");
        return (failure(Cause::Tls, detail), false);
    }
    if error.is_connect() {
        return (failure(Cause::Connection, format!("cannot connect for {place}: {last}")), false);
    }
    let broke = input_output.is_some()
        || texts
            .iter()
            .any(|text| ["connection closed", "connection error", "http2 error", "canceled"].iter().any(|word| text.contains(word)));
    if broke {
        return (failure(Cause::Connection, format!("the connection for {place} broke: {last}")), true);
    }
    (failure(Cause::InvalidResponse, format!("the answer to {place} is not HTTP as it should be: {last}")), false)
}

fn tls_failure(place: &str, error: &rustls::Error) -> UnknownAnswer {
    let advice = match error {
        rustls::Error::InvalidMessage(_) => "; if it speaks plain HTTP, say so with --plain-http",
        rustls::Error::InvalidCertificate(_) => "; if its authority is a private one, name it with --ca-file",
        _ => "",
    };
    failure(Cause::Tls, format!("no TLS connection for {place}: {}{advice}", escape_control(&error.to_string())))
}
