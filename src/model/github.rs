//! Whose attestations are asked of GitHub's attestation store, and where its API is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The REST API of github.com.
pub const GITHUB_API: &str = "https://api.github.com";

/// Why something names no attestation store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubStoreError {
    /// Neither or both of repository and owner.
    #[error("exactly one of `repository` and `owner` says whose attestations are asked for")]
    Scope,
    /// It is no repository of GitHub.
    #[error("{0:?} is no repository of GitHub: OWNER/NAME, without host and `.git`")]
    Repository(String),
    /// It is no owner.
    #[error("{0:?} is no owner at GitHub: the name of an organisation or user alone")]
    Owner(String),
    /// The base of the API cannot be used.
    #[error("api {api:?} {why}")]
    Api {
        /// As it was written.
        api: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Whose attestations are asked for. GitHub does not tell upper from lower case here: both are in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GithubScope {
    /// Those of one repository, `owner/name`.
    Repository(Arc<str>),
    /// Those of all repositories of an organisation or user that the token may see.
    Owner(Arc<str>),
}

/// GitHub's attestation store, as far as one repository or owner goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct GithubStore {
    api: Arc<str>,
    scope: GithubScope,
}

/// As it stands in a ledger.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    api: String,
}

impl GithubStore {
    /// The store of exactly one of a repository (`owner/name`) and an owner, at the API of github.com or at the given base: of GitHub
    /// Enterprise Server `https://HOST/api/v3`, with data residency `https://api.SUBDOMAIN.ghe.com`.
    ///
    /// # Errors
    /// When neither or both are given, a name breaks GitHub's rules for names, or the base is not https (plain HTTP is for loopback alone).
    pub fn new(repository: Option<&str>, owner: Option<&str>, api: Option<&str>) -> Result<Self, GithubStoreError> {
        let scope = match (repository, owner) {
            (Some(repository), None) => {
                let parts = repository.split_once('/').filter(|(owner, name)| is_owner(owner) && is_name(name));
                parts.ok_or_else(|| GithubStoreError::Repository(repository.to_owned()))?;
                GithubScope::Repository(repository.to_ascii_lowercase().into())
            }
            (None, Some(owner)) if is_owner(owner) => GithubScope::Owner(owner.to_ascii_lowercase().into()),
            (None, Some(owner)) => return Err(GithubStoreError::Owner(owner.to_owned())),
            (None, None) | (Some(_), Some(_)) => return Err(GithubStoreError::Scope),
        };
        Ok(Self { api: base(api.unwrap_or(GITHUB_API))?, scope })
    }

    /// The base of the API, without a slash at its end.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// Whose attestations.
    #[must_use]
    pub fn scope(&self) -> &GithubScope {
        &self.scope
    }

    /// The host (with its port, where it is not the scheme's own) at which the API is.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.api.split_once("://").map_or(&*self.api, |(_, rest)| rest);
        rest.split_once('/').map_or(rest, |(host, _)| host)
    }
}

impl fmt::Display for GithubStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            GithubScope::Repository(repository) => write!(formatter, "GitHub attestations of {repository}")?,
            GithubScope::Owner(owner) => write!(formatter, "GitHub attestations of all of {owner}")?,
        }
        if &*self.api == GITHUB_API { Ok(()) } else { write!(formatter, " at {}", self.host()) }
    }
}

impl TryFrom<Written> for GithubStore {
    type Error = GithubStoreError;

    fn try_from(written: Written) -> Result<Self, GithubStoreError> {
        Self::new(written.repository.as_deref(), written.owner.as_deref(), Some(&written.api))
    }
}

impl From<GithubStore> for Written {
    fn from(store: GithubStore) -> Self {
        let (repository, owner) = match &store.scope {
            GithubScope::Repository(repository) => (Some(repository.to_string()), None),
            GithubScope::Owner(owner) => (None, Some(owner.to_string())),
        };
        Self { repository, owner, api: store.api.to_string() }
    }
}

/// Letters, digits and hyphens; accounts that an enterprise manages have an underscore too.
fn is_owner(text: &str) -> bool {
    const LONGEST: usize = 64;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits)
}

fn is_name(text: &str) -> bool {
    const LONGEST: usize = 100;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let has_suffix = text.len() >= 4 && text.as_bytes()[text.len() - 4..].eq_ignore_ascii_case(b".git");
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits) && !matches!(text, "." | "..") && !has_suffix
}

fn base(text: &str) -> Result<Arc<str>, GithubStoreError> {
    let wrong = |why| GithubStoreError::Api { api: text.to_owned(), why };
    // A login could stand in it, and errors are shown.
    if text.contains('@') {
        return Err(GithubStoreError::Api { api: "…@…".to_owned(), why: "holds a login: a token comes from the environment" });
    }
    let url = Url::parse(text).map_err(|_| wrong("is no address"))?;
    let host = url.host().ok_or_else(|| wrong("names no host"))?;
    let loopback = match &host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(wrong("is not https: a token would be there to read")),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or fragment: it is the base of the API alone"));
    }
    if matches!(&host, Host::Domain("github.com" | "www.github.com")) {
        return Err(wrong("is not where the API is: leave it out for github.com"));
    }
    Ok(url.as_str().trim_end_matches('/').into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_store_has_one_name() {
        let plain = GithubStore::new(Some("Acme/App"), None, None).unwrap();
        assert_eq!(plain, GithubStore::new(Some("acme/app"), None, Some("https://API.github.com:443/")).unwrap());
        assert_eq!((plain.to_string().as_str(), plain.host()), ("GitHub attestations of acme/app", "api.github.com"));
        let own = GithubStore::new(None, Some("acme"), Some("https://ghe.acme.test:8443/api/v3/")).unwrap();
        assert_eq!((own.api(), own.host()), ("https://ghe.acme.test:8443/api/v3", "ghe.acme.test:8443"));
        assert_eq!(own.to_string(), "GitHub attestations of all of acme at ghe.acme.test:8443");
        for store in [plain, own] {
            let written = serde_json::to_string(&store).unwrap();
            assert_eq!(serde_json::from_str::<GithubStore>(&written).unwrap(), store, "{written}");
        }
    }

    #[test]
    fn what_names_no_store_is_refused() {
        for repository in
            ["acme", "acme/", "/app", "acme/app/more", "acme/..", "acme/app.git", "a b/app", "acme/ap?p", "https://github.com/acme/app"]
        {
            assert!(matches!(GithubStore::new(Some(repository), None, None), Err(GithubStoreError::Repository(_))), "{repository}");
        }
        for owner in ["", "acme/app", "..", "acme?x"] {
            assert!(matches!(GithubStore::new(None, Some(owner), None), Err(GithubStoreError::Owner(_))), "{owner}");
        }
        assert_eq!(GithubStore::new(None, None, None), Err(GithubStoreError::Scope));
        assert_eq!(GithubStore::new(Some("a/b"), Some("a"), None), Err(GithubStoreError::Scope));
        for api in ["ghe.acme.test", "http://ghe.acme.test/api/v3", "ftp://a", "https://a/?x", "https://github.com", "https://u:secret@a/"]
        {
            let error = GithubStore::new(Some("a/b"), None, Some(api)).unwrap_err();
            assert!(matches!(error, GithubStoreError::Api { .. }) && !error.to_string().contains("secret"), "{api}: {error}");
        }
        assert!(GithubStore::new(Some("a/b"), None, Some("http://127.0.0.1:8080")).is_ok());
    }
}
