//! GitHub's attestation store: bundles by the digest that they are about.
//!
//! REST API: `GET /repos/{owner}/{repo}/attestations/{digest}`, `/orgs/{org}/attestations/{digest}`, `/users/{user}/attestations/{digest}`.
//! All three answer 404 both where nothing is attested and where the token may not look. So silence counts only where something else
//! shows that the token sees all there is: a public repository, or a scope of the token that covers private ones. GitHub's own notes on
//! 404 say that a token without the permission for an endpoint may be answered so, too; whether a token of the fine-grained kind has
//! it, nothing tells.

mod bundle;
mod listing;
mod standing;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use tokio::sync::{OnceCell, Semaphore};
use url::Url;

use self::listing::Listed;
pub use self::standing::GithubSight;
use self::standing::Standing;
use super::blob::{BlobCache, blob_found};
use super::client::{Client, Patience, Reply, Request};
use super::error::{failure, refused, shown};
use super::options::GithubToken;
use super::redirect::same_origin;
use super::remote::{Answered, Registry};
use super::statistics::RequestKind;
use super::token::bearer_header;
use crate::model::{Algorithm, Answer, Ask, Cause, CredentialKind, Descriptor, Digest, GithubScope, GithubStore, Outcome, UnknownAnswer};

/// The version of the API in which bundles are inline; from 2026-03-10 on they are by address alone, which is understood as well. Servers
/// of one's own may know only this one.
const API_VERSION: HeaderValue = HeaderValue::from_static("2022-11-28");
const API_VERSION_NAME: HeaderName = HeaderName::from_static("x-github-api-version");
const ACCEPT: HeaderValue = HeaderValue::from_static("application/vnd.github+json");
/// Requests to the API at once: GitHub asks for fewer than a hundred, of everybody with the same token.
const AT_ONCE: usize = 24;

/// A bundle that was listed.
struct Held {
    subject: Digest,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    /// The bytes were handed on.
    Taken,
    Lost(UnknownAnswer),
}

type Standings = HashMap<GithubStore, Arc<OnceCell<Standing>>>;

/// What is remembered about stores during a scan.
pub(super) struct Memory {
    standings: Mutex<Standings>,
    /// Bundles come with the list, and are asked for one by one afterwards.
    held: Mutex<HashMap<(GithubStore, Digest), Held>>,
    turns: Semaphore,
}

impl Default for Memory {
    fn default() -> Self {
        Self { standings: Mutex::default(), held: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

impl Registry {
    /// Answers a question about GitHub's attestations of a repository or owner: [`Ask::Referrers`] lists the bundles about a digest,
    /// [`Ask::Blob`] gives the bytes of one. Absent is said only where the token sees the whole repository; of an owner it is only said
    /// that GitHub showed none.
    ///
    /// Bytes that were listed are put into the cache.
    pub async fn attestations(&self, store: &GithubStore, ask: &Ask, cache: Option<&dyn BlobCache>) -> Answered {
        let asking = match Asking::new(&self.0.client, &self.0.github, store) {
            Ok(asking) => asking,
            Err(unknown) => return answered(Outcome::Unknown(unknown), CredentialKind::Anonymous, None),
        };
        let credential = asking.credential();
        match ask {
            Ask::Referrers(digest) => answered(asking.referrers(digest, cache).await, credential, None),
            Ask::Blob(digest) => asking.blob(digest, cache).await,
            // There are no manifests and tags here.
            Ask::Tag(_) | Ask::Manifest(_) | Ask::Content(_) => answered(Outcome::Absent, CredentialKind::Local, None),
            Ask::Readable => {
                let outcome = match asking.standing().await {
                    Ok(Standing::Hidden) => Outcome::Absent,
                    Ok(_) => Outcome::Found(Vec::new()),
                    Err(unknown) => Outcome::Unknown(unknown),
                };
                answered(outcome, credential, None)
            }
        }
    }

    /// How much of a store today's token sees. Asked once.
    ///
    /// # Errors
    /// When GitHub could not be asked, or did not answer as it should.
    pub async fn sight(&self, store: &GithubStore) -> Result<GithubSight, UnknownAnswer> {
        Ok(Asking::new(&self.0.client, &self.0.github, store)?.standing().await?.sight())
    }
}

fn answered(outcome: Outcome, credential: CredentialKind, body: Option<Bytes>) -> Answered {
    Answered { answer: Answer { outcome, observed: Timestamp::now(), credential }, body }
}

/// One question to one store.
struct Asking<'a> {
    client: &'a Client,
    memory: &'a Memory,
    store: &'a GithubStore,
    token: Option<&'a GithubToken>,
    authorization: Option<HeaderValue>,
    patience: Patience,
}

impl<'a> Asking<'a> {
    fn new(client: &'a Client, memory: &'a Memory, store: &'a GithubStore) -> Result<Self, UnknownAnswer> {
        let token = client.options.github_tokens.get(store.api());
        let authorization = match token {
            None => None,
            Some(token) => Some(bearer_header(token.token.expose()).ok_or_else(|| {
                failure(
                    Cause::Unauthorized,
                    format!("{} holds what no token can hold: a line break, or another control character", token.origin),
                )
            })?),
        };
        let patience = Patience::new(client.options.timeouts.ask);
        Ok(Self { client, memory, store, token, authorization, patience })
    }

    fn credential(&self) -> CredentialKind {
        if self.token.is_some() { CredentialKind::GithubToken } else { CredentialKind::Anonymous }
    }

    /// Who asks, for a person.
    fn asker(&self) -> String {
        match self.token {
            Some(token) => format!("with the token of {}", token.origin),
            None => format!("without a token ({})", advice(self.store)),
        }
    }

    fn url(&self, path: &str) -> Result<Url, UnknownAnswer> {
        let url = format!("{}/{path}", self.store.api());
        Url::parse(&url).map_err(|_| failure(Cause::InvalidResponse, format!("an address below {} cannot be formed", self.store.api())))
    }

    /// Asks the API. An answer from elsewhere, where the token does not go, says nothing about what the token may see.
    async fn get(&self, url: &Url, cap: u64) -> Result<Reply, UnknownAnswer> {
        let _turn = self.memory.turns.acquire().await;
        let request = Request {
            method: Method::GET,
            url: url.clone(),
            kind: RequestKind::Attestations,
            accept: ACCEPT,
            authorization: self.authorization.clone(),
            login: u64::from(self.token.is_some()),
            cap,
            form: None,
            version: Some((API_VERSION_NAME, API_VERSION)),
        };
        let reply = self.client.send(&request, &self.patience).await.map_err(|unknown| self.told(unknown))?;
        if !same_origin(&reply.url, url) {
            let detail = format!("{} redirects to another host, {}, which cannot speak for GitHub", shown(url), shown(&reply.url));
            return Err(failure(Cause::RedirectRefused, detail));
        }
        Ok(reply)
    }

    /// What an answer means that is neither success nor 404.
    fn refusal(&self, reply: &Reply) -> UnknownAnswer {
        let mut unknown = refused(reply.status, &Method::GET, &reply.url);
        if unknown.cause == Cause::Forbidden && is_rate_limit(reply) {
            unknown.cause = Cause::RateLimited;
            unknown.detail.push_str(": the limit of requests is reached");
        }
        self.told(unknown)
    }

    fn told(&self, mut unknown: UnknownAnswer) -> UnknownAnswer {
        if matches!(unknown.cause, Cause::Unauthorized | Cause::Forbidden | Cause::RateLimited) {
            unknown.detail.push_str(&format!("; asked {}", self.asker()));
        }
        unknown
    }

    async fn referrers(&self, digest: &Digest, cache: Option<&dyn BlobCache>) -> Outcome {
        if digest.algorithm() != Algorithm::Sha256 {
            let detail = format!("{} can be asked about SHA-256 digests alone, and not about {digest}", self.store);
            return Outcome::unknown(Cause::EvidenceLocationIncomplete, detail);
        }
        match self.list(digest).await {
            Err(unknown) => Outcome::Unknown(unknown),
            Ok(Listed::NotFound) => self.not_found().await,
            Ok(Listed::Attestations(entries)) if entries.is_empty() => Outcome::Absent,
            Ok(Listed::Attestations(entries)) => {
                let pieces = self.bundles(digest, entries).await;
                Outcome::Found(self.hold(digest, pieces, cache))
            }
        }
    }

    /// Keeps what was listed for those who will ask for it; each digest once.
    fn hold(
        &self,
        subject: &Digest,
        pieces: Vec<(Descriptor, Result<Bytes, UnknownAnswer>)>,
        cache: Option<&dyn BlobCache>,
    ) -> Vec<Descriptor> {
        let mut descriptors = BTreeMap::new();
        let mut held = self.memory.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (descriptor, content) in pieces {
            if let (Some(cache), Ok(bytes)) = (cache, &content)
                && cache.get(&descriptor.digest).is_none()
            {
                cache.put(&descriptor.digest, bytes);
            }
            let content = content.map_or_else(Content::Lost, Content::Bytes);
            held.insert((self.store.clone(), descriptor.digest.clone()), Held { subject: subject.clone(), content });
            descriptors.insert(descriptor.digest.clone(), descriptor);
        }
        descriptors.into_values().collect()
    }

    /// What 404 means. Of an owner it only says that GitHub showed nothing, and whoever reads it knows that this is not all.
    async fn not_found(&self) -> Outcome {
        if matches!(self.store.scope(), GithubScope::Owner(_)) {
            return Outcome::Absent;
        }
        let incomplete = |detail: String| Outcome::unknown(Cause::EvidenceLocationIncomplete, detail);
        match self.standing().await {
            Err(unknown) => Outcome::Unknown(unknown),
            Ok(Standing::Hidden) => incomplete(self.hidden()),
            Ok(Standing::Renamed) => incomplete(format!("{}: the repository has another name by now: name it in the policy", self.store)),
            Ok(standing) if standing.sight() == GithubSight::Whole => Outcome::Absent,
            Ok(_) => incomplete(format!(
                "{} shows nothing (404), and the repository is private: GitHub says the same to a token without the right to read \
                 attestations, and only a classic token shows by its scope `repo` that it has it; asked {}",
                self.store,
                self.asker()
            )),
        }
    }

    fn hidden(&self) -> String {
        format!("{}: it is not there, or hides (404): its silence is not an absence; asked {}", self.store, self.asker())
    }

    /// The bytes of a bundle that was listed. Those that were handed on before and are wanted again are listed again.
    async fn blob(&self, digest: &Digest, cache: Option<&dyn BlobCache>) -> Answered {
        for _ in 0..2 {
            let subject = match self.take(digest) {
                Some((_, Content::Bytes(bytes))) => return self.found(digest, bytes, self.credential()),
                Some((_, Content::Lost(unknown))) => return answered(Outcome::Unknown(unknown), self.credential(), None),
                Some((subject, Content::Taken)) => Some(subject),
                None => None,
            };
            if let Some(bytes) = cache.and_then(|cache| cache.get(digest)) {
                return self.found(digest, bytes, CredentialKind::Local);
            }
            let Some(subject) = subject else { break };
            if let Outcome::Unknown(unknown) = self.referrers(&subject, cache).await {
                return answered(Outcome::Unknown(unknown), self.credential(), None);
            }
        }
        let detail = format!("{} is not among what was listed of {}", digest, self.store);
        answered(Outcome::unknown(Cause::InvalidResponse, detail), self.credential(), None)
    }

    fn take(&self, digest: &Digest) -> Option<(Digest, Content)> {
        let mut held = self.memory.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_mut(&(self.store.clone(), digest.clone()))?;
        let content = match &mut held.content {
            Content::Lost(unknown) => Content::Lost(unknown.clone()),
            bytes => std::mem::replace(bytes, Content::Taken),
        };
        Some((held.subject.clone(), content))
    }

    fn found(&self, digest: &Digest, bytes: Bytes, credential: CredentialKind) -> Answered {
        let found = blob_found(digest.clone(), bytes);
        answered(Outcome::Found(vec![found.descriptor]), credential, found.body)
    }
}

/// What may help whoever asks without a token.
fn advice(store: &GithubStore) -> &'static str {
    if store.api() == crate::model::GITHUB_API { "set GH_TOKEN" } else { "set GH_ENTERPRISE_TOKEN" }
}

/// Whether 403 says that too much was asked: by headers (the hourly limit, a wait), or in words (GitHub's secondary limits).
fn is_rate_limit(reply: &Reply) -> bool {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    header("x-ratelimit-remaining") == Some("0")
        || header("retry-after").is_some()
        || String::from_utf8_lossy(&reply.body).to_ascii_lowercase().contains("rate limit")
}
