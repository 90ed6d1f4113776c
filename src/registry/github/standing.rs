//! What a token sees of a repository or owner: what decides what silence means.

use std::sync::{Arc, PoisonError};

use serde::Deserialize;

use super::Asking;
use crate::model::{Cause, GithubScope, UnknownAnswer};
use crate::registry::client::Reply;
use crate::registry::error::{failure, shown};

/// Bytes of what describes a repository or an owner.
const DESCRIPTION: u64 = 1 << 20;

/// What a token (or nobody's) sees of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GithubSight {
    /// Nothing: it is not there, or hides.
    Nothing,
    /// What it sees is there; what it does not see may be.
    Part,
    /// Everything: what it does not see is not there.
    Whole,
}

/// What is at an address of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Hidden,
    /// It has another name by now.
    Renamed,
    Public,
    /// Private, or internal to an enterprise.
    Private {
        /// Whether the token says of itself that it covers private repositories.
        scoped: bool,
    },
    Organisation,
    User,
}

impl Standing {
    pub(super) fn sight(self) -> GithubSight {
        match self {
            Self::Hidden => GithubSight::Nothing,
            Self::Public | Self::Private { scoped: true } => GithubSight::Whole,
            Self::Private { scoped: false } | Self::Renamed | Self::Organisation | Self::User => GithubSight::Part,
        }
    }
}

impl Asking<'_> {
    /// What the token sees of the repository or owner itself. An answer is kept; a failure may be over the next time.
    pub(super) async fn standing(&self) -> Result<Standing, UnknownAnswer> {
        let cell = {
            let mut standings = self.memory.standings.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(standings.entry(self.store.clone()).or_default())
        };
        cell.get_or_try_init(|| self.ask_standing()).await.copied()
    }

    async fn ask_standing(&self) -> Result<Standing, UnknownAnswer> {
        let path = match self.store.scope() {
            GithubScope::Repository(repository) => format!("repos/{repository}"),
            GithubScope::Owner(owner) => format!("users/{owner}"),
        };
        let url = self.url(&path)?;
        let reply = self.get(&url, DESCRIPTION).await?;
        match reply.status.as_u16() {
            200 => {}
            404 => return Ok(Standing::Hidden),
            _ => return Err(self.refusal(&reply)),
        }
        let standing = match self.store.scope() {
            GithubScope::Repository(name) => {
                serde_json::from_slice::<Repository>(&reply.body).ok().map(|repository| repository.standing(name, &reply))
            }
            GithubScope::Owner(_) => serde_json::from_slice::<Owner>(&reply.body).ok().map(|owner| owner.standing()),
        };
        standing.ok_or_else(|| failure(Cause::InvalidResponse, format!("{} does not answer as GitHub does", shown(&url))))
    }
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    private: bool,
    #[serde(default)]
    visibility: Option<String>,
}

impl Repository {
    /// An old name leads to the repository; whether it also leads to its attestations is not said anywhere.
    fn standing(&self, asked: &str, reply: &Reply) -> Standing {
        if !self.full_name.eq_ignore_ascii_case(asked) {
            return Standing::Renamed;
        }
        if !self.private && self.visibility.as_deref().is_none_or(|visibility| visibility == "public") {
            return Standing::Public;
        }
        // Only classic tokens have scopes; of others there is no such header.
        let scopes = reply.headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok()).unwrap_or_default();
        Standing::Private { scoped: scopes.split(',').any(|scope| scope.trim() == "repo") }
    }
}

#[derive(Deserialize)]
struct Owner {
    #[serde(rename = "type")]
    kind: String,
}

impl Owner {
    fn standing(&self) -> Standing {
        if self.kind == "Organization" { Standing::Organisation } else { Standing::User }
    }
}
