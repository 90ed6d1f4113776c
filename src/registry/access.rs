//! What is remembered about one repository as one identity sees it, and asking it with one credential.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderValue, Method};
use tokio::time::Instant;
use url::Url;

use super::challenge::{self, Challenge};
use super::client::{Client, Host, Patience, Reply, Request};
use super::credentials::{Chain, Credential, Login};
use super::error::failure;
use super::host_rule::HostRule;
use super::options::RegistryOptions;
use super::redirect::same_origin;
use super::referrers::Support;
use super::statistics::RequestKind;
use super::token::{Tokens, Wanted, basic_header, bearer_header};
use crate::model::{Cause, CredentialIdentity, CredentialKind, Repository, UnknownAnswer};

/// No credential has seen anything yet.
const NONE: usize = usize::MAX;
/// Requests for one answer: without a login, with one, and with a renewed one; one more where the host is asked how to log in.
const MOST_ROUNDS: usize = 4;

/// The host at which a registry's API is.
pub(super) fn api_host(registry: &str) -> &str {
    if registry == "docker.io" { "registry-1.docker.io" } else { registry }
}

fn base(repository: &Repository, options: &RegistryOptions) -> Result<Url, UnknownAnswer> {
    let host = api_host(repository.registry());
    let plain = Url::parse(&format!("http://{host}/v2/{}/", repository.path()));
    let secure = Url::parse(&format!("https://{host}/v2/{}/", repository.path()));
    let (Ok(plain), Ok(secure)) = (plain, secure) else {
        return Err(failure(Cause::InvalidResponse, format!("{host} is no host that can be asked")));
    };
    Ok(if options.plain_http.iter().any(|rule: &HostRule| rule.covers(&plain)) { plain } else { secure })
}

/// A repository as one identity sees it.
pub(super) struct Access {
    pub(super) repository: Repository,
    pub(super) chain: Chain,
    base: Result<Url, UnknownAnswer>,
    /// The credential by which a manifest was seen.
    seen_by: AtomicUsize,
    /// The credential by which the tag list could be read.
    readable_by: AtomicUsize,
    /// How this repository wants to be asked, where it said so itself.
    challenge: Mutex<Option<Arc<Challenge>>>,
    pub(super) referrers: Support,
}

impl Access {
    pub(super) fn new(repository: &Repository, identity: &CredentialIdentity, options: &RegistryOptions) -> Self {
        Self {
            repository: repository.clone(),
            chain: Chain::new(repository.clone(), identity.clone()),
            base: base(repository, options),
            seen_by: AtomicUsize::new(NONE),
            readable_by: AtomicUsize::new(NONE),
            challenge: Mutex::default(),
            referrers: Support::default(),
        }
    }

    /// What is remembered about the host of its API.
    pub(super) fn host(&self, client: &Client) -> Option<Arc<Host>> {
        self.base.as_ref().ok().map(|base| client.host(base))
    }

    /// The credential whose answers count: the one that saw a manifest, else the one that may list tags.
    pub(super) fn established(&self) -> Option<usize> {
        [&self.seen_by, &self.readable_by].into_iter().map(|by| by.load(Relaxed)).find(|by| *by != NONE)
    }

    pub(super) fn manifest_seen(&self, by: usize) {
        let _ = self.seen_by.compare_exchange(NONE, by, Relaxed, Relaxed);
    }

    pub(super) fn was_readable(&self, by: usize) {
        let _ = self.readable_by.compare_exchange(NONE, by, Relaxed, Relaxed);
    }
}

/// Asking one repository with one credential.
pub(super) struct Session<'a> {
    pub(super) client: &'a Client,
    pub(super) access: &'a Access,
    tokens: &'a Tokens,
    credential: Arc<Credential>,
    patience: Patience,
    /// Whether the login was presented when the last answer came.
    presented: AtomicBool,
}

/// What is asked for.
pub(super) struct Get {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) kind: RequestKind,
    pub(super) accept: HeaderValue,
    pub(super) cap: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(client: &'a Client, tokens: &'a Tokens, access: &'a Access, credential: Arc<Credential>) -> Self {
        let patience = Patience::new(client.options.timeouts.ask);
        Self { client, access, tokens, credential, patience, presented: AtomicBool::new(false) }
    }

    /// Which kind of credential was presented. One that nobody asked for counts as none.
    pub(super) fn kind(&self) -> CredentialKind {
        if self.presented.load(Relaxed) { self.credential.kind } else { CredentialKind::Anonymous }
    }

    pub(super) fn host(&self) -> Result<Arc<Host>, UnknownAnswer> {
        self.access.base.as_ref().map(|base| self.client.host(base)).map_err(Clone::clone)
    }

    pub(super) fn is_docker_hub(&self) -> bool {
        self.access.repository.registry() == "docker.io"
    }

    /// An address under the repository.
    pub(super) fn url(&self, tail: &str) -> Result<Url, UnknownAnswer> {
        let base = self.access.base.as_ref().map_err(Clone::clone)?;
        base.join(tail).map_err(|_| failure(Cause::InvalidResponse, "an address cannot be formed"))
    }

    /// Asks, and logs in as the host wants it. A status that is no success is an answer too.
    pub(super) async fn get(&self, get: Get) -> Result<Reply, UnknownAnswer> {
        let started = Instant::now();
        let host = self.client.host(&get.url);
        let mut first = None;
        if !host.met.initialized() {
            // One goes ahead to learn how the host wants to be asked; a window full of requests would learn it each for itself.
            let ahead = &mut first;
            host.met
                .get_or_init(|| async {
                    let reply = self.send(&get, None).await;
                    if let Ok(reply) = &reply {
                        self.learn(&host, reply, &get.url);
                    }
                    *ahead = Some(reply);
                })
                .await;
        }
        let mut refused: Option<Reply> = None;
        match first {
            Some(Err(unknown)) => return Err(unknown),
            Some(Ok(reply)) if reply.status.as_u16() == 401 => refused = Some(reply),
            Some(Ok(reply)) if !self.may_be_hidden(&host, &reply) => return Ok(reply),
            _ => {}
        }
        let mut stale: Option<HeaderValue> = None;
        for _ in 0..MOST_ROUNDS {
            let known = self.challenge(&host);
            let (authorization, fetched) = self.authorization(known.as_deref(), stale.as_ref()).await?;
            if authorization.is_none()
                && let Some(reply) = refused
            {
                return Ok(reply);
            }
            let reply = self.send(&get, authorization.clone()).await?;
            if reply.status.as_u16() != 401 {
                if known.is_none() && self.may_be_hidden(&host, &reply) {
                    Box::pin(self.ask_base(&host, &get.url)).await;
                    if self.challenge(&host).is_some() {
                        continue;
                    }
                }
                self.presented.store(authorization.is_some(), Relaxed);
                return Ok(reply);
            }
            self.presented.store(authorization.is_some(), Relaxed);
            let said = challenge::read(&reply.headers).map(Challenge::general);
            if said.is_none() || !same_origin(&reply.url, &get.url) {
                return Ok(reply);
            }
            if said.as_ref() == known.as_deref() {
                // A token from before may have ended early; anything else was refused for good.
                if fetched.is_none_or(|fetched| fetched >= started) {
                    return Ok(reply);
                }
                stale = authorization;
            } else {
                self.learn(&host, &reply, &get.url);
            }
            refused = Some(reply);
        }
        refused.ok_or_else(|| failure(Cause::InvalidResponse, "the registry changes how it wants to be asked with every answer"))
    }

    /// Some registries answer 404 instead of asking who one is, and only their base says how to log in.
    fn may_be_hidden(&self, host: &Host, reply: &Reply) -> bool {
        matches!(reply.status.as_u16(), 403 | 404) && self.credential.login != Login::Anonymous && self.challenge(host).is_none()
    }

    async fn ask_base(&self, host: &Host, url: &Url) {
        host.base
            .get_or_init(|| async {
                let Ok(base) = url.join("/v2/") else { return };
                let get = Get {
                    method: Method::GET,
                    url: base,
                    kind: RequestKind::Base,
                    accept: HeaderValue::from_static("application/json"),
                    cap: 64 << 10,
                };
                if let Ok(reply) = self.send(&get, None).await {
                    let said = challenge::read(&reply.headers).map(Challenge::general);
                    if let Some(said) = said.filter(|_| reply.status.as_u16() == 401 && same_origin(&reply.url, &get.url)) {
                        *host.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(said));
                    }
                }
            })
            .await;
    }

    fn challenge(&self, host: &Host) -> Option<Arc<Challenge>> {
        self.access.challenge.lock().unwrap_or_else(PoisonError::into_inner).clone().or_else(|| host.challenge())
    }

    /// Remembers how the host wants to be asked: for the repository, and for others as a first guess.
    fn learn(&self, host: &Host, reply: &Reply, asked: &Url) {
        if reply.status.as_u16() != 401 || !same_origin(&reply.url, asked) {
            return;
        }
        let Some(said) = challenge::read(&reply.headers).map(Challenge::general) else { return };
        let said = Arc::new(said);
        host.challenge.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| Arc::clone(&said));
        *self.access.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// The header to present, and since when it is known; none where it says who one is by itself.
    async fn authorization(
        &self,
        challenge: Option<&Challenge>,
        stale: Option<&HeaderValue>,
    ) -> Result<(Option<HeaderValue>, Option<Instant>), UnknownAnswer> {
        match (challenge, &self.credential.login) {
            (None, _) => Ok((None, None)),
            (Some(Challenge::Basic), login) => Ok((basic_header(login), None)),
            (Some(Challenge::Bearer { .. }), Login::Token(token)) => Ok((bearer_header(token.expose()), None)),
            (Some(Challenge::Bearer { realm, service, scope }), _) => {
                let wanted = Wanted { realm, service: service.as_deref(), scope: scope.as_deref(), path: self.access.repository.path() };
                // On the heap: few fetch a token, and every question would hold the room for it.
                let fetching = Box::pin(self.tokens.header(self.client, &wanted, &self.credential, stale, &self.patience));
                let (header, fetched) = fetching.await?;
                self.presented.store(self.credential.login != Login::Anonymous, Relaxed);
                Ok((Some(header), Some(fetched)))
            }
        }
    }

    async fn send(&self, get: &Get, authorization: Option<HeaderValue>) -> Result<Reply, UnknownAnswer> {
        let request = Request {
            method: get.method.clone(),
            url: get.url.clone(),
            kind: get.kind,
            accept: get.accept.clone(),
            authorization,
            login: self.credential.id,
            cap: get.cap,
            form: None,
            version: None,
        };
        self.client.send(&request, &self.patience).await
    }
}
