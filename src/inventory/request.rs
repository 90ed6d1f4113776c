//! One request to the API server: bounded in time, size and number, counted, and its failure named.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{ACCEPT, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::{AuthError, Body};
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};

use crate::model::{Cause, Stop, escape_control};

use super::connect::Timeouts;

/// Largest answer that is read: a page of 500 objects of the server's size limit (1.5 MiB of etcd) would be larger, but no page is.
const LARGEST_ANSWER: usize = 256 << 20;
/// Requests in flight: the fair share of one client by the API server's default flow control is larger.
const IN_FLIGHT: usize = 16;
/// Tries of a request that failed in a way that may pass.
const TRIES: u32 = 4;
/// Longest single wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Longest message of a server that is shown.
const LONGEST_MESSAGE: usize = 400;

/// In which form an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accept {
    /// The objects.
    Objects,
    /// The metadata of the objects in a list.
    MetadataList,
    /// The metadata of one object, and nothing else: a server that cannot do that refuses.
    Metadata,
}

impl Accept {
    fn media_type(self) -> &'static str {
        match self {
            Self::Objects => "application/json",
            Self::MetadataList => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;q=0.5",
            Self::Metadata => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        }
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError {
    pub(super) cause: Cause,
    pub(super) status: Option<u16>,
    /// What happened, safe to show.
    pub(super) detail: String,
    /// How long the server asks to wait.
    retry_after: Option<Duration>,
    /// With 410: where a list may go on without consistency.
    pub(super) continue_token: Option<String>,
    /// The scan ended before the answer came; nothing is said about the server.
    pub(super) stop: Option<Stop>,
}

impl RequestError {
    pub(super) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, status: None, detail: detail.into(), retry_after: None, continue_token: None, stop: None }
    }

    fn stopped(stop: Stop) -> Self {
        Self { stop: Some(stop), ..Self::new(stop.cause(), stop.detail()) }
    }

    /// As if the server had said 404.
    pub(super) fn gone(detail: &str) -> Self {
        Self { status: Some(StatusCode::NOT_FOUND.as_u16()), ..Self::new(Cause::InvalidResponse, detail) }
    }

    pub(super) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status.as_u16())
    }

    /// How long to wait before the next try, or that there is no use.
    fn pause(&self, tries: u32, answered_before: bool) -> Option<Duration> {
        let most = match (self.status, self.cause) {
            (Some(429 | 500 | 502 | 503 | 504), _) => TRIES,
            (Some(_), _) => return None,
            // A server that never answered is not asked twice: a silent one would cost twice the time.
            (None, Cause::Timeout) if answered_before => 2,
            (None, Cause::Connection) => 3,
            (None, _) => return None,
        };
        if tries >= most {
            return None;
        }
        let pause = self.retry_after.unwrap_or_else(|| Duration::from_millis(100) * 3_u32.saturating_pow(tries.saturating_sub(1)));
        (pause <= LONGEST_WAIT).then_some(pause)
    }
}

/// What the API server cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Of them repeated ones.
    pub repeated: u64,
    /// Bytes of bodies received, after decompression.
    pub bytes: u64,
    /// The shortest time to the first byte of an answer.
    pub round_trip: Option<Duration>,
    /// Time between request and last byte, summed over requests (they overlap).
    pub answering: Duration,
    /// Time waited because the server asked for it or failed, summed.
    pub waited: Duration,
}

/// The server's clock and ours, read at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The `Date` header.
    pub server: Timestamp,
    /// The local clock when it came in.
    pub local: Timestamp,
}

#[derive(Debug, Default)]
struct Meter {
    traffic: Traffic,
    clock: Option<ClockReading>,
}

/// The API server.
pub(super) struct Api {
    client: kube::Client,
    timeouts: Timeouts,
    slots: Semaphore,
    meter: Mutex<Meter>,
    /// Ends every request when it says so.
    stop: Option<watch::Receiver<Option<Stop>>>,
}

impl Api {
    pub(super) fn new(client: kube::Client, timeouts: Timeouts) -> Self {
        Self { client, timeouts, slots: Semaphore::new(IN_FLIGHT), meter: Mutex::default(), stop: None }
    }

    /// From now on a stop ends what is asked, and what would be asked after it is not.
    pub(super) fn end_by(&mut self, stop: watch::Receiver<Option<Stop>>) {
        self.stop = Some(stop);
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).traffic
    }

    pub(super) fn clock(&self) -> Option<ClockReading> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).clock
    }

    /// Gets a path; what may pass is tried again.
    pub(super) async fn get(&self, path: &str, accept: Accept) -> Result<Vec<u8>, RequestError> {
        self.ask(&Method::GET, path, accept, &[]).await
    }

    /// Sends a JSON document to a path that only answers and keeps nothing.
    pub(super) async fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, RequestError> {
        self.ask(&Method::POST, path, Accept::Objects, body).await
    }

    /// Gets a path and reads the answer.
    pub(super) async fn read<T: serde::de::DeserializeOwned>(&self, path: &str, accept: Accept) -> Result<T, RequestError> {
        let body = self.get(path, accept).await?;
        serde_json::from_slice(&body).map_err(|error| unreadable(path, &error))
    }

    async fn ask(&self, method: &Method, path: &str, accept: Accept, body: &[u8]) -> Result<Vec<u8>, RequestError> {
        tokio::select! {
            // Nothing is sent after the end.
            biased;
            stop = self.stopped() => Err(RequestError::stopped(stop)),
            answer = self.ask_again(method, path, accept, body) => answer,
        }
    }

    async fn stopped(&self) -> Stop {
        if let Some(stop) = &self.stop
            && let Ok(reason) = stop.clone().wait_for(Option::is_some).await
            && let Some(reason) = *reason
        {
            return reason;
        }
        // Nobody can end it.
        std::future::pending().await
    }

    async fn ask_again(&self, method: &Method, path: &str, accept: Accept, body: &[u8]) -> Result<Vec<u8>, RequestError> {
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(RequestError::new(Cause::Cancelled, "the client is closed"));
        };
        for tries in 1.. {
            let error = match self.once(method, path, accept, body, tries > 1).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = error.pause(tries, self.clock().is_some()) else { return Err(error) };
            tracing::debug!(path, cause = %error.cause, ?pause, "asking the API server again");
            tokio::time::sleep(pause).await;
            self.meter.lock().unwrap_or_else(PoisonError::into_inner).traffic.waited += pause;
        }
        Err(RequestError::new(Cause::Cancelled, "no try was made"))
    }

    async fn once(&self, method: &Method, path: &str, accept: Accept, body: &[u8], repeated: bool) -> Result<Vec<u8>, RequestError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, accept.media_type())
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_vec()))
            .map_err(|error| RequestError::new(Cause::InvalidResponse, format!("{path} is no path: {error}")))?;
        let sent = Instant::now();
        {
            let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
            meter.traffic.requests += 1;
            meter.traffic.repeated += u64::from(repeated);
        }
        let response = match tokio::time::timeout(self.timeouts.answer, self.client.send(request)).await {
            Err(_) => return Err(silent(path, self.timeouts.answer)),
            Ok(Err(error)) => return Err(transport_error(&error)),
            Ok(Ok(response)) => response,
        };
        let round_trip = sent.elapsed();
        let (status, date, wait) = head(&response);
        let body = match tokio::time::timeout(self.timeouts.body, read_body(response)).await {
            Err(_) => return Err(silent(path, self.timeouts.body)),
            Ok(body) => body?,
        };
        {
            let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
            meter.traffic.bytes += body.len() as u64;
            meter.traffic.answering += sent.elapsed();
            meter.traffic.round_trip = Some(meter.traffic.round_trip.map_or(round_trip, |known| known.min(round_trip)));
            meter.clock = meter.clock.or(date);
        }
        if status.is_success() { Ok(body) } else { Err(refusal(status, wait, &body)) }
    }
}

fn head(response: &Response<Body>) -> (StatusCode, Option<ClockReading>, Option<Duration>) {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let server = text(DATE).and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
    let clock = server.map(|server| ClockReading { server, local: Timestamp::now() });
    (response.status(), clock, text(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs))
}

async fn read_body(response: Response<Body>) -> Result<Vec<u8>, RequestError> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| transport_error(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > LARGEST_ANSWER {
            return Err(RequestError::new(Cause::TooLarge, format!("the answer is larger than {} MiB", LARGEST_ANSWER >> 20)));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn silent(path: &str, limit: Duration) -> RequestError {
    RequestError::new(Cause::Timeout, format!("no answer to {path} within {} s", limit.as_secs_f32()))
}

pub(super) fn unreadable(path: &str, error: &serde_json::Error) -> RequestError {
    RequestError::new(Cause::InvalidResponse, format!("the answer to {path} cannot be read: {error}"))
}

/// An answer that is no object: every object has a UID.
pub(super) fn nameless(path: &str) -> RequestError {
    RequestError::new(Cause::InvalidResponse, format!("the answer to {path} is no object: it has no UID"))
}

/// `metav1.Status`, as far as it helps.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusBody {
    message: Option<String>,
    metadata: Option<StatusMeta>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

fn refusal(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> RequestError {
    let cause = match status {
        StatusCode::UNAUTHORIZED => Cause::Unauthorized,
        StatusCode::FORBIDDEN => Cause::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => Cause::RateLimited,
        _ if status.is_server_error() => Cause::ServerError,
        _ if status.is_redirection() => Cause::RedirectRefused,
        _ => Cause::InvalidResponse,
    };
    let read: StatusBody = serde_json::from_slice(body).unwrap_or_default();
    let message: String = read.message.unwrap_or_default().chars().take(LONGEST_MESSAGE).collect();
    let detail = if message.is_empty() { status.to_string() } else { format!("{}: {}", status.as_u16(), escape_control(&message)) };
    RequestError {
        cause,
        status: Some(status.as_u16()),
        detail,
        retry_after,
        stop: None,
        continue_token: read.metadata.and_then(|meta| meta.next).filter(|token| !token.is_empty()),
    }
}

/// Names what went wrong below HTTP. The libraries' errors are told apart by their sources, and TLS by its words.
pub(super) fn transport_error(error: &kube::Error) -> RequestError {
    if let Some(error) = credential_error(error) {
        return RequestError::new(Cause::Unauthorized, credential_detail(error));
    }
    let mut words = error.to_string();
    let mut cause = Cause::Connection;
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::TimedOut
        {
            cause = Cause::Timeout;
        }
        source = inner.source();
    }
    let lower = words.to_lowercase();
    if cause == Cause::Connection {
        if lower.contains("dns error") || lower.contains("failed to lookup") {
            cause = Cause::Dns;
        } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("corrupt message") {
            cause = Cause::Tls;
        }
    }
    let detail: String = words.chars().take(LONGEST_MESSAGE).collect();
    RequestError::new(cause, escape_control(&detail))
}

/// The failure to get credentials in an error, wherever it sits.
fn credential_error(error: &kube::Error) -> Option<&AuthError> {
    if let kube::Error::Auth(error) = error {
        return Some(error);
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(kube::Error::Auth(error)) = inner.downcast_ref::<kube::Error>() {
            return Some(error);
        }
        if let Some(error) = inner.downcast_ref::<AuthError>() {
            return Some(error);
        }
        source = inner.source();
    }
    None
}

/// The library's own words quote what a plug-in printed and its environment, and both may be secret.
fn credential_detail(error: &AuthError) -> String {
    let detail = match error {
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) };
            format!("the credential plug-in failed ({}){said}", out.status)
        }
        AuthError::AuthExecParse(_) => "what the credential plug-in printed cannot be read".to_owned(),
        AuthError::AuthExecStart(error) => format!("the credential plug-in cannot be started: {error}"),
        other => other.to_string(),
    };
    let detail: String = detail.chars().take(LONGEST_MESSAGE).collect();
    escape_control(&detail).into_owned()
}
