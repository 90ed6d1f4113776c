//! Docker's `config.json` (and the containers tools' `auth.json`): logins, helpers, and their legacy forms.
//!
//! Sources: docker/cli `config/configfile`, containers-auth.json(5).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;

use super::helper::HelperCache;
use super::{CredentialSource, Found, Login};
use crate::model::{CredentialKind, Repository, Secret};
use crate::registry::error::RegistryError;

/// The user name that says that the password is an identity token.
pub(super) const TOKEN_USER: &str = "<token>";
/// Under what Docker keeps the login of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const MOST_BYTES: u64 = 4 << 20;

/// What is in such a file, as far as logins go.
#[derive(Debug, Default)]
pub(super) struct DockerConfig {
    /// Place as it is written, and the login or why there is none; entries without a login are left out.
    pub(super) logins: Vec<(String, Result<Login, &'static str>)>,
    /// Helper for one registry.
    pub(super) helpers: BTreeMap<String, String>,
    /// Helper for all others.
    pub(super) store: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    auths: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    identitytoken: Option<String>,
    #[serde(default)]
    registrytoken: Option<String>,
}

impl DockerConfig {
    /// Reads the text. The legacy form without `auths` is a map of places to logins.
    ///
    /// # Errors
    /// When it is no JSON object of either form. The text of the error holds nothing of the content.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "it is not a Docker configuration in JSON";
        let file: File = serde_json::from_str(text).map_err(|_| WRONG)?;
        let entries = match file.auths {
            Some(entries) => entries,
            None => {
                let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).map_err(|_| WRONG)?;
                all.into_iter().filter(|(_, value)| is_legacy_entry(value)).collect()
            }
        };
        let logins = entries.into_iter().filter_map(|(place, value)| Some((place, login(value).transpose()?))).collect();
        Ok(Self { logins, helpers: file.cred_helpers, store: file.creds_store.filter(|store| !store.is_empty()) })
    }
}

fn is_legacy_entry(value: &serde_json::Value) -> bool {
    value.get("auth").or_else(|| value.get("username")).is_some_and(serde_json::Value::is_string)
}

fn login(value: serde_json::Value) -> Result<Option<Login>, &'static str> {
    let entry: Entry = serde_json::from_value(value).map_err(|_| "its entry has an unexpected form")?;
    let filled = |value: Option<String>| value.filter(|value| !value.is_empty());
    if let Some(token) = filled(entry.identitytoken) {
        return Ok(Some(Login::Identity(Secret::new(token))));
    }
    if let Some(token) = filled(entry.registrytoken) {
        return Ok(Some(Login::Token(Secret::new(token))));
    }
    // As the kubelet and Docker do: `auth` wins over the fields beside it.
    let (username, password) = match (filled(entry.auth), filled(entry.username), entry.password) {
        (Some(auth), _, _) => decode(&auth).ok_or("its auth is not base64 of user:password")?,
        (None, Some(username), password) => (username, password.unwrap_or_default()),
        (None, None, _) => return Ok(None),
    };
    Ok(Some(basic(username, password)))
}

/// User and password, or an identity token where the user name says so.
pub(super) fn basic(username: String, password: String) -> Login {
    if username == TOKEN_USER { Login::Identity(Secret::new(password)) } else { Login::Basic { username, password: Secret::new(password) } }
}

fn decode(auth: &str) -> Option<(String, String)> {
    let compact: String = auth.chars().filter(|character| !character.is_whitespace()).collect();
    let bytes = STANDARD_NO_PAD.decode(compact.trim_end_matches('=')).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    // Docker itself once padded with NUL.
    Some((username.to_owned(), password.trim_matches('\0').to_owned()))
}

/// The user's configuration as a source of logins.
pub(in crate::registry) struct DockerConfigSource {
    config: DockerConfig,
    helpers: HelperCache,
}

impl DockerConfigSource {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read or is no such configuration.
    pub(in crate::registry) fn open(path: &Path, timeout: Duration) -> Result<Self, RegistryError> {
        let wrong = |reason: String| RegistryError::DockerConfig { path: path.to_owned(), reason };
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > MOST_BYTES {
            return Err(wrong(format!("it is larger than {MOST_BYTES} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let config = if text.trim().is_empty() {
            DockerConfig::default()
        } else {
            DockerConfig::parse(&text).map_err(|reason| wrong(reason.to_owned()))?
        };
        Ok(Self { config, helpers: HelperCache::new(timeout) })
    }

    async fn logins(&self, repository: &Repository) -> Found {
        let mut found = Found::default();
        let registry = repository.registry();
        let server = if registry == "docker.io" { DOCKER_HUB_KEY } else { registry };
        let own = self.config.helpers.iter().find(|(place, _)| host_of(place) == registry);
        if let Some((helper, server)) =
            own.map(|(place, helper)| (helper, place.as_str())).or(self.config.store.as_ref().map(|store| (store, server)))
        {
            match self.helpers.get(helper, server).await {
                Ok(Some(login)) => {
                    found.credentials.push((CredentialKind::CredentialHelper, login, format!("credential helper {helper}")));
                }
                Ok(None) => {}
                Err(problem) => found.problems.push(problem),
            }
        }
        let mut matching: Vec<_> =
            self.config.logins.iter().filter_map(|(place, login)| Some((place_matches(place, repository)?, place, login))).collect();
        // The most specific first (the containers tools allow namespaces).
        matching.sort_by_key(|(length, _, _)| std::cmp::Reverse(*length));
        for (_, place, login) in matching {
            match login {
                Ok(login) => found.credentials.push((CredentialKind::DockerConfig, login.clone(), "Docker configuration file".to_owned())),
                Err(reason) => found.problems.push(format!("the Docker configuration's entry for {place} cannot be used: {reason}")),
            }
        }
        found
    }
}

impl CredentialSource for DockerConfigSource {
    fn find<'a>(&'a self, repository: &'a Repository) -> BoxFuture<'a, Found> {
        self.logins(repository).boxed()
    }
}

/// Host and path of a place, without scheme.
fn without_scheme(place: &str) -> (&str, &str) {
    let bare = place.strip_prefix("https://").or_else(|| place.strip_prefix("http://")).unwrap_or(place);
    let bare = bare.trim_end_matches('/');
    bare.split_once('/').unwrap_or((bare, ""))
}

fn host_of(place: &str) -> String {
    let host = without_scheme(place).0.to_ascii_lowercase();
    match host.strip_suffix(":443").unwrap_or(&host) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        other => other.to_owned(),
    }
}

/// How many segments of the repository a place names, if it is one of this repository's.
fn place_matches(place: &str, repository: &Repository) -> Option<usize> {
    if host_of(place) != repository.registry() {
        return None;
    }
    let path = without_scheme(place).1;
    if path.is_empty() || matches!(path, "v1" | "v2") {
        return Some(0);
    }
    let behind = repository.path().strip_prefix(path)?;
    (behind.is_empty() || behind.starts_with('/')).then(|| path.split('/').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password: &str) -> Login {
        Login::Basic { username: name.into(), password: Secret::new(password) }
    }

    #[test]
    fn every_form_of_a_login_is_read() {
        // "alice:se:cret"
        let config = DockerConfig::parse(
            r#"{"auths": {
                "a.io": {"auth": "YWxpY2U6c2U6Y3JldA=="}, "b.io": {"auth": "YWxpY2U6c2U6Y3JldA"},
                "c.io": {"username": "bob", "password": "x"}, "d.io": {"auth": "bm90aGluZw=="}, "e.io": {},
                "f.io": {"identitytoken": "refresh", "auth": "MDA6"}, "g.io": {"registrytoken": "bearer"}, "h.io": {"username": "<token>", "password": "t"},
                "i.io": {"auth": 7}, "j.io": {"username": "u", "auth": "YWxpY2U6c2U6Y3Jl\ndA=="}
            }, "credHelpers": {"gcr.io": "gcloud"}, "credsStore": "desktop", "HttpHeaders": {"x": "y"}}"#,
        )
        .unwrap();
        let alice = Ok(user("alice", "se:cret"));
        let expected = [
            ("a.io", alice.clone()),
            ("b.io", alice.clone()),
            ("c.io", Ok(user("bob", "x"))),
            ("d.io", Err("its auth is not base64 of user:password")),
            ("f.io", Ok(Login::Identity(Secret::new("refresh")))),
            ("g.io", Ok(Login::Token(Secret::new("bearer")))),
            ("h.io", Ok(Login::Identity(Secret::new("t")))),
            ("i.io", Err("its entry has an unexpected form")),
            ("j.io", alice),
        ];
        assert_eq!(config.logins, expected.map(|(place, login)| (place.to_owned(), login)));
        assert_eq!((config.helpers["gcr.io"].as_str(), config.store.as_deref()), ("gcloud", Some("desktop")));
    }

    #[test]
    fn the_legacy_form_has_no_auths() {
        let config = DockerConfig::parse(r#"{"https://index.docker.io/v1/": {"auth": "YWxpY2U6c2VjcmV0", "email": "a@b"}}"#).unwrap();
        assert_eq!(config.logins, [("https://index.docker.io/v1/".to_owned(), Ok(user("alice", "secret")))]);
        assert!(DockerConfig::parse("{}").unwrap().logins.is_empty());
        for bad in ["", "[]", "null", "{\"auths\": 7}", "{"] {
            assert!(DockerConfig::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn places_match_by_host_and_whole_segments() {
        let repository: Repository = "ghcr.io/acme/app".parse().unwrap();
        for (place, expected) in [
            ("ghcr.io", Some(0)),
            ("https://ghcr.io/", Some(0)),
            ("https://ghcr.io/v2/", Some(0)),
            ("GHCR.io:443", Some(0)),
            ("ghcr.io/acme", Some(1)),
            ("ghcr.io/acme/app", Some(2)),
            ("ghcr.io/acm", None),
            ("gcr.io", None),
            ("*.io", None),
        ] {
            assert_eq!(place_matches(place, &repository), expected, "{place}");
        }
        let hub: Repository = "nginx".parse().unwrap();
        for place in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            assert_eq!(place_matches(place, &hub), Some(0), "{place}");
        }
    }
}
