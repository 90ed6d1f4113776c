//! Plain HTTP requests of the tests themselves: one after another, each to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::runtime::Runtime;

/// Nothing on loopback takes longer, unless it is meant to.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests.
#[derive(Clone)]
pub struct Http {
    runtime: Arc<Runtime>,
    client: reqwest::Client,
}

/// An answer, whatever it says.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// Its body, for a message.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Http {
    /// For plain HTTP, or HTTPS with servers of this authority.
    pub fn new(authority: Option<&Path>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut builder = reqwest::Client::builder().no_proxy().timeout(TIMEOUT);
        if let Some(authority) = authority {
            let certificate = reqwest::Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
            builder = builder.tls_certs_only([certificate]);
        }
        Self { runtime: Arc::new(runtime), client: builder.build().unwrap() }
    }

    /// Sends one request; none where there was no answer.
    pub fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Option<Reply> {
        let mut request = self.client.request(method, url).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Some(Reply { status, headers, body: response.bytes().await.ok()? })
        })
    }
}
