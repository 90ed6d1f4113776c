//! One request to one host: in turn, within time and size, again where that helps, along redirects.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use reqwest::Certificate;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::{Position, Url};

use super::challenge::Challenge;
use super::error::{RegistryError, failure, no_answer, shown};
use super::host_rule::{Admission, admit};
use super::options::RegistryOptions;
use super::quota::{Quotas, http_date, retry_after};
use super::redirect::{self, MOST_HOPS, same_origin};
use super::resolver::Resolver;
use super::statistics::{Counters, HostStatistics, RequestKind};
use super::window::{Trouble, Window};
use crate::model::{Cause, UnknownAnswer};

const USER_AGENT: &str = concat!("seaworthy/", env!("CARGO_PKG_VERSION"));
/// What is read of the body of an answer that is an error.
const ERROR_BODY: u64 = 64 << 10;
/// Room that is made for a body before it comes, in bytes: what an answer says of its length is only believed so far.
const FIRST_ROOM: usize = 64 << 10;
/// Times that a request is sent whose connection broke.
const ATTEMPTS_AT_CONNECTION: u32 = 3;

/// How much longer one question may take. Waiting for one's turn is not counted.
pub(super) struct Patience(AtomicU64);

impl Patience {
    pub(super) fn new(whole: Duration) -> Self {
        Self(AtomicU64::new(u64::try_from(whole.as_micros()).unwrap_or(u64::MAX)))
    }

    fn left(&self) -> Duration {
        Duration::from_micros(self.0.load(Relaxed))
    }

    fn spend(&self, time: Duration) {
        let spent = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let _ = self.0.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(spent)));
    }
}

/// A request to be sent.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) kind: RequestKind,
    pub(super) accept: HeaderValue,
    pub(super) authorization: Option<HeaderValue>,
    /// Whose rate limit it counts for.
    pub(super) login: u64,
    /// Bytes of the body at most.
    pub(super) cap: u64,
    /// A form to post.
    pub(super) form: Option<Bytes>,
    /// Version of the API that is spoken, where it has to be said.
    pub(super) version: Option<(HeaderName, HeaderValue)>,
}

/// What was answered.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Who answered in the end.
    pub(super) url: Url,
}

/// What is remembered about a host.
pub(super) struct Host {
    name: String,
    window: Window,
    counters: Counters,
    quotas: Quotas,
    /// How it wants to be asked, once it said so.
    pub(super) challenge: Mutex<Option<Arc<Challenge>>>,
    /// The first answer came, so that how it wants to be asked is known if it says so at all.
    pub(super) met: OnceCell<()>,
    /// Its base was asked how it wants to be asked.
    pub(super) base: OnceCell<()>,
    /// What it showed of the referrers API.
    pub(super) referrers: super::referrers::Support,
}

impl Host {
    pub(super) fn challenge(&self) -> Option<Arc<Challenge>> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The client.
pub(super) struct Client {
    pub(super) options: RegistryOptions,
    roots: Vec<Certificate>,
    matcher: Option<Matcher>,
    guarded: OnceLock<reqwest::Client>,
    open: OnceLock<reqwest::Client>,
    proxied: OnceLock<reqwest::Client>,
    hosts: Mutex<HashMap<Box<str>, Arc<Host>>>,
}

impl Client {
    pub(super) fn new(options: RegistryOptions) -> Result<Self, RegistryError> {
        let mut roots = Vec::new();
        for path in &options.ca_files {
            let wrong = |reason: String| RegistryError::CaFile { path: path.clone(), reason };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            if found.is_empty() {
                return Err(wrong("there is no PEM certificate in it".to_owned()));
            }
            roots.extend(found);
        }
        for (scheme, proxy) in [("http", options.proxies.for_http()), ("https", options.proxies.for_https())] {
            if let Some(address) = proxy {
                // The error could hold the address, and the address a password.
                reqwest::Proxy::all(address)
                    .map_err(|_| RegistryError::Proxy { scheme, reason: "it is not an address like http://host:port".to_owned() })?;
            }
        }
        let proxies = &options.proxies;
        let matcher = (proxies.for_http().is_some() || proxies.for_https().is_some()).then(|| {
            Matcher::builder()
                .http(proxies.for_http().unwrap_or_default().to_owned())
                .https(proxies.for_https().unwrap_or_default().to_owned())
                .no(proxies.no.clone().unwrap_or_default())
                .build()
        });
        Ok(Self {
            options,
            roots,
            matcher,
            guarded: OnceLock::new(),
            open: OnceLock::new(),
            proxied: OnceLock::new(),
            hosts: Mutex::default(),
        })
    }

    /// What is remembered about the host of an address.
    pub(super) fn host(&self, url: &Url) -> Arc<Host> {
        let key = &url[Position::BeforeScheme..Position::AfterPort];
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(key) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host {
            name: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            window: Window::new(self.options.manners),
            counters: Counters::default(),
            quotas: Quotas::default(),
            challenge: Mutex::default(),
            met: OnceCell::new(),
            base: OnceCell::new(),
            referrers: super::referrers::Support::default(),
        });
        hosts.insert(key.into(), Arc::clone(&host));
        host
    }

    /// What was asked of each host so far.
    pub(super) fn statistics(&self) -> BTreeMap<String, HostStatistics> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.values().map(|host| (host.name.clone(), host.counters.read(host.window.size()))).collect()
    }

    /// Sends a request, follows redirects, and gives the answer of whatever status.
    pub(super) async fn send(&self, request: &Request, patience: &Patience) -> Result<Reply, UnknownAnswer> {
        let mut url = request.url.clone();
        for hop in 0..=MOST_HOPS {
            let told = |unknown| if hop == 0 { unknown } else { redirect::refused(&request.url, unknown) };
            let admission = admit(&url, &self.options).map_err(told)?;
            let reply = self.exchange(request, url, admission, patience).await.map_err(told)?;
            match redirect::target(reply.status, &reply.headers, &reply.url)? {
                None => return Ok(reply),
                // What was posted is a credential.
                Some(_) if request.form.is_some() => break,
                Some(next) => url = next,
            }
        }
        Err(failure(Cause::RedirectRefused, format!("{} redirects too often, or where it may not", shown(&request.url))))
    }

    /// One hop: sent again where that helps.
    async fn exchange(&self, request: &Request, url: Url, admission: Admission, patience: &Patience) -> Result<Reply, UnknownAnswer> {
        let client = self.transport(&url, admission)?;
        let host = self.host(&url);
        let manners = &self.options.manners;
        let mut attempt = 1;
        loop {
            let turn = self.turn(&host, request).await?;
            if patience.left().is_zero() {
                let detail = format!("the time for one question was used up before {} was answered", shown(&url));
                return Err(failure(Cause::Timeout, detail));
            }
            let sent = Instant::now();
            let outcome = self.once(client, &host, request, &url, patience).await;
            let took = sent.elapsed();
            patience.spend(took);
            host.counters.received(took, outcome.as_ref().map_or(0, |(_, _, body)| body.len()));
            let backoff = manners.first_backoff.saturating_mul(1 << (attempt - 1).min(16));
            let wait = match outcome {
                Ok((status, headers, body)) => {
                    host.quotas.note(request.login, &headers);
                    note_clock(&host.counters, &headers);
                    let trouble = trouble_of(status, &headers);
                    let Some(trouble) = trouble else {
                        host.window.answered(took);
                        return Ok(Reply { status, headers, body, url });
                    };
                    let asked_for = retry_after(&headers);
                    let wait = asked_for.unwrap_or(backoff).max(Duration::from_millis(10));
                    if trouble == Trouble::RateLimited {
                        host.counters.rate_limited();
                    }
                    if trouble == Trouble::RateLimited || asked_for.is_some() {
                        host.window.too_much(&turn, wait);
                    }
                    if attempt >= manners.attempts || wait > manners.longest_wait || wait > patience.left() {
                        host.window.failed(trouble);
                        return Ok(Reply { status, headers, body, url });
                    }
                    wait
                }
                Err((unknown, again)) => {
                    if unknown.cause == Cause::Timeout {
                        host.window.failed(Trouble::Silent);
                    }
                    if !again || attempt >= manners.attempts.min(ATTEMPTS_AT_CONNECTION) || backoff > patience.left() {
                        return Err(unknown);
                    }
                    // A connection that was kept open and has ended meanwhile: nothing to wait for.
                    if attempt == 1 { Duration::ZERO } else { backoff }
                }
            };
            drop(turn);
            host.counters.retried();
            host.counters.waited(wait);
            patience.spend(wait);
            sleep(wait).await;
            attempt += 1;
        }
    }

    async fn turn<'a>(&self, host: &'a Host, request: &Request) -> Result<super::window::Turn<'a>, UnknownAnswer> {
        let asked = Instant::now();
        let turn = loop {
            let turn = host.window.enter(&host.name).await?;
            match host.quotas.take(request.login, request.kind, &host.name, self.options.manners.longest_wait)? {
                None => break turn,
                Some(until) => {
                    drop(turn);
                    sleep_until(until).await;
                }
            }
        };
        host.counters.waited(asked.elapsed());
        Ok(turn)
    }

    /// Sends it once. With an error comes whether sending it again may help.
    async fn once(
        &self,
        client: &reqwest::Client,
        host: &Host,
        request: &Request,
        url: &Url,
        patience: &Patience,
    ) -> Result<(StatusCode, HeaderMap, Bytes), (UnknownAnswer, bool)> {
        let timeouts = &self.options.timeouts;
        let late = |what: &str| (failure(Cause::Timeout, format!("{what} for {} {} in time", request.method, shown(url))), false);
        let whole = timeouts.request.min(patience.left());
        let deadline = Instant::now() + whole;
        host.counters.sent(request.kind);
        let mut response = match timeout(timeouts.first_byte.min(whole), client.execute(built(request, url))).await {
            Err(_) => return Err(late("no answer")),
            Ok(Err(error)) => return Err(no_answer(&error, url)),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        if request.method == Method::HEAD {
            return Ok((status, headers, Bytes::new()));
        }
        let cap = if status.is_success() { request.cap } else { ERROR_BODY };
        let too_large = || (failure(Cause::TooLarge, format!("the answer to {} is larger than {cap} bytes", shown(url))), false);
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > cap) {
            return if status.is_success() { Err(too_large()) } else { Ok((status, headers, Bytes::new())) };
        }
        // Copied: a piece is a part of the connection's buffer and would keep all of it.
        let mut body =
            Vec::with_capacity(declared.map_or(0, |length| usize::try_from(length).map_or(FIRST_ROOM, |length| length.min(FIRST_ROOM))));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let piece = match timeout(timeouts.idle.min(left), response.chunk()).await {
                Err(_) => return Err(late("no end of the answer")),
                Ok(Err(error)) => return Err(no_answer(&error, url)),
                Ok(Ok(None)) => return Ok((status, headers, body.into())),
                Ok(Ok(Some(piece))) => piece,
            };
            if (body.len() + piece.len()) as u64 > cap {
                return if status.is_success() { Err(too_large()) } else { Ok((status, headers, body.into())) };
            }
            body.extend_from_slice(&piece);
        }
    }

    /// The client that fits the way to the host.
    fn transport(&self, url: &Url, admission: Admission) -> Result<&reqwest::Client, UnknownAnswer> {
        let intercepted = self
            .matcher
            .as_ref()
            .is_some_and(|matcher| url.as_str().parse::<http::Uri>().is_ok_and(|uri| matcher.intercept(&uri).is_some()));
        let timeout = self.options.timeouts.connect;
        let (cell, resolver) = match (intercepted, admission) {
            // The proxy is reached wherever it is; where it goes to, it decides. The name was looked at.
            (true, _) => (&self.proxied, Resolver::open(timeout)),
            (false, Admission::Allowed) => (&self.open, Resolver::open(timeout)),
            (false, Admission::Guarded) => (&self.guarded, Resolver::guarded(self.options.cluster_networks.as_slice().into(), timeout)),
        };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let made = self
            .build(resolver, intercepted)
            .map_err(|error| failure(Cause::Tls, format!("no client for {} can be made: {error}", shown(url))))?;
        Ok(cell.get_or_init(|| made))
    }

    fn build(&self, resolver: Resolver, proxied: bool) -> Result<reqwest::Client, reqwest::Error> {
        let resolver = Arc::new(resolver);
        let builder = || -> Result<reqwest::ClientBuilder, reqwest::Error> {
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .no_proxy()
                .connect_timeout(self.options.timeouts.connect)
                .pool_max_idle_per_host(self.options.manners.window_most)
                .pool_idle_timeout(Duration::from_secs(55))
                .dns_resolver(Arc::clone(&resolver));
            if !proxied {
                return Ok(builder);
            }
            let mut builder = builder;
            if let Some(address) = self.options.proxies.for_http() {
                builder = builder.proxy(reqwest::Proxy::http(address)?);
            }
            if let Some(address) = self.options.proxies.for_https() {
                builder = builder.proxy(reqwest::Proxy::https(address)?);
            }
            Ok(builder)
        };
        // A machine without any certificate authorities can still ask hosts over plain HTTP, and those of `--ca-file`.
        builder()?
            .tls_certs_merge(self.roots.iter().cloned())
            .build()
            .or_else(|_| builder()?.tls_certs_only(self.roots.iter().cloned()).build())
    }
}

fn built(request: &Request, url: &Url) -> reqwest::Request {
    let mut built = reqwest::Request::new(request.method.clone(), url.clone());
    let headers = built.headers_mut();
    headers.insert(ACCEPT, request.accept.clone());
    // Compressed answers could unpack to any size, and their bytes are not those of the digest.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(authorization) = request.authorization.as_ref().filter(|_| same_origin(url, &request.url)) {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    if let Some((name, value)) = &request.version {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(form) = &request.form {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *built.body_mut() = Some(form.clone().into());
    }
    built
}

fn trouble_of(status: StatusCode, headers: &HeaderMap) -> Option<Trouble> {
    match status.as_u16() {
        429 => Some(Trouble::RateLimited),
        // Who is forbidden something for good is not told when to come again: so GitHub limits rates.
        403 if headers.contains_key(RETRY_AFTER) => Some(Trouble::RateLimited),
        502..=504 => Some(Trouble::Unavailable),
        _ => None,
    }
}

fn note_clock(counters: &Counters, headers: &HeaderMap) {
    if !counters.needs_clock() {
        return;
    }
    let date = headers.get(DATE).and_then(|value| http_date(value.to_str().ok()?));
    if let Some(date) = date {
        counters.clock(date.as_second().saturating_sub(Timestamp::now().as_second()));
    }
}
