//! Bearer tokens from a registry's token service.
//!
//! Sources: the token authentication and OAuth2 specifications of CNCF distribution (`docs/content/spec/auth`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::client::{Client, Patience, Request};
use super::credentials::{Credential, Login};
use super::error::{failure, refused, shown};
use super::host_rule::admit;
use super::statistics::RequestKind;
use crate::model::{Cause, UnknownAnswer, escape_control};

const MOST_BYTES: u64 = 1 << 20;
/// What the specification says a token is good for when it does not say it itself.
const DEFAULT_LIFE: u64 = 60;
/// A token is renewed so long before it ends.
const MARGIN: Duration = Duration::from_secs(10);
/// A failure is told again within this time, without asking.
const FAILURE_KEPT: Duration = Duration::from_secs(30);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    realm: String,
    service: String,
    scope: String,
    login: u64,
}

struct Kept {
    token: Result<HeaderValue, UnknownAnswer>,
    fetched: Instant,
    until: Instant,
}

/// Tokens by service, scope and login; each is fetched once, however many wait for it.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Option<Kept>>>>>);

/// What a token is wanted for.
pub(super) struct Wanted<'a> {
    pub(super) realm: &'a str,
    pub(super) service: Option<&'a str>,
    /// The scope that the host wants beside the repository's.
    pub(super) scope: Option<&'a str>,
    /// Path of the repository.
    pub(super) path: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    /// The header to send, and when its token was fetched.
    ///
    /// `stale` is a header that was refused: it is not given again.
    ///
    /// # Errors
    /// When the token service gives none.
    pub(super) async fn header(
        &self,
        client: &Client,
        wanted: &Wanted<'_>,
        credential: &Credential,
        stale: Option<&HeaderValue>,
        patience: &Patience,
    ) -> Result<(HeaderValue, Instant), UnknownAnswer> {
        let mut scope = format!("repository:{}:pull", wanted.path);
        if let Some(other) = wanted.scope {
            scope = format!("{scope} {other}");
        }
        let key =
            Key { realm: wanted.realm.to_owned(), service: wanted.service.unwrap_or_default().to_owned(), scope, login: credential.id };
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match slots.get(&key) {
                Some(slot) => Arc::clone(slot),
                None => Arc::clone(slots.entry(key.clone()).or_default()),
            }
        };
        let mut slot = slot.lock().await;
        if let Some(kept) = slot.as_ref().filter(|kept| kept.until > Instant::now()) {
            match &kept.token {
                Ok(token) if stale != Some(token) => return Ok((token.clone(), kept.fetched)),
                Err(unknown) => return Err(unknown.clone()),
                Ok(_) => {}
            }
        }
        let asked = Instant::now();
        let answer = fetch(client, &key, credential, patience).await;
        let fetched = Instant::now();
        let (token, until) = match answer {
            Ok((token, life)) => (Ok(token), asked + life.saturating_sub(MARGIN).max(life / 2)),
            Err(unknown) => (Err(unknown), fetched + FAILURE_KEPT),
        };
        *slot = Some(Kept { token: token.clone(), fetched, until });
        token.map(|token| (token, fetched))
    }
}

async fn fetch(client: &Client, key: &Key, credential: &Credential, patience: &Patience) -> Result<(HeaderValue, Duration), UnknownAnswer> {
    let mut url = Url::parse(&key.realm).map_err(|_| {
        failure(
            Cause::InvalidResponse,
            format!("the registry names a token service without a usable address: {}", escape_control(&key.realm)),
        )
    })?;
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let named = |unknown: UnknownAnswer| failure(unknown.cause, format!("the registry names a token service, and {}", unknown.detail));
    admit(&url, &client.options).map_err(named)?;
    let form = match &credential.login {
        Login::Identity(token) => Some(refresh_form(key, token.expose())),
        _ => {
            let mut query = url.query_pairs_mut();
            if !key.service.is_empty() {
                query.append_pair("service", &key.service);
            }
            for scope in key.scope.split(' ') {
                query.append_pair("scope", scope);
            }
            None
        }
    };
    let authorization = basic_header(&credential.login);
    let request = Request {
        method: if form.is_some() { Method::POST } else { Method::GET },
        url,
        kind: RequestKind::Token,
        accept: HeaderValue::from_static("application/json"),
        authorization,
        login: credential.id,
        cap: MOST_BYTES,
        form,
        version: None,
    };
    let reply = client.send(&request, patience).await?;
    let service = shown(&request.url);
    if reply.status.as_u16() == 400 && credential.login != Login::Anonymous {
        // OAuth2 answers so to a refresh token that is not good any more.
        return Err(failure(Cause::Unauthorized, format!("the token service {service} does not accept the login (400)")));
    }
    if !reply.status.is_success() {
        let mut unknown = refused(reply.status, &request.method, &request.url);
        unknown.detail = format!("the token service gives no token: {}", unknown.detail);
        return Err(unknown);
    }
    let invalid = || failure(Cause::InvalidResponse, format!("the answer of the token service {service} holds no token"));
    let answer: Answer = serde_json::from_slice(&reply.body).map_err(|_| invalid())?;
    let token =
        answer.token.filter(|token| !token.is_empty()).or(answer.access_token).filter(|token| !token.is_empty()).ok_or_else(invalid)?;
    let life = Duration::from_secs(answer.expires_in.filter(|life| *life > 0).unwrap_or(DEFAULT_LIFE));
    Ok((bearer_header(&token).ok_or_else(invalid)?, life.min(Duration::from_secs(86_400))))
}

fn refresh_form(key: &Key, token: &str) -> Bytes {
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", &key.service)
        .append_pair("client_id", "seaworthy")
        .append_pair("scope", &key.scope)
        .append_pair("refresh_token", token)
        .finish();
    form.into()
}

/// The header for a user and a password.
pub(super) fn basic_header(login: &Login) -> Option<HeaderValue> {
    let Login::Basic { username, password } = login else { return None };
    let value = format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())));
    sensitive(&value)
}

/// The header for a token.
pub(super) fn bearer_header(token: &str) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
