//! Pull secrets: by `get` of the names that are used, never listed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{Cause, Gap, PullSecret, Secret, SecretName, Stop};

use super::kinds::{collection_path, encode};
use super::request::{Accept, Api, RequestError};
use super::slim::LocalReference;

/// Secrets or service accounts read at the same time.
const AT_ONCE: usize = 16;

/// A service account, `(namespace, name)`.
pub(super) type AccountName = (Arc<str>, Arc<str>);

#[derive(Debug, Deserialize)]
struct SecretObject {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    data: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Account<'a> {
    #[serde(borrow)]
    image_pull_secrets: Option<Vec<LocalReference<'a>>>,
}

/// Reads the named secrets.
pub(super) async fn read(api: &Api, names: BTreeSet<SecretName>) -> (Vec<PullSecret>, Vec<Gap>) {
    let reads: Vec<_> = names.into_iter().map(async |name| (read_one(api, &name).await, name)).collect();
    let (mut secrets, mut gaps, mut unread) = (Vec::new(), Vec::new(), Unread::default());
    for (config, name) in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        match &config {
            Ok(_) => {}
            Err(RequestError { stop: Some(stop), .. }) => unread.add(*stop),
            Err(error) => gaps.push(Gap {
                cluster: None,
                what: format!("pull secret {name}"),
                namespace: Some(name.namespace.to_string()),
                workloads_missing: false,
                cause: error.cause,
                detail: format!(
                    "{}; images that need it are asked for without it (see `seaworthy rbac print`, or --no-pull-secrets)",
                    error.detail
                ),
            }),
        }
        secrets.push(PullSecret { name, config: config.map_err(|error| (error.cause, error.detail)) });
    }
    gaps.extend(unread.gap("pull secrets"));
    (secrets, gaps)
}

/// What was not read any more when the scan ended: one gap for all of it.
#[derive(Default)]
struct Unread(Option<(Stop, usize)>);

impl Unread {
    fn add(&mut self, stop: Stop) {
        self.0.get_or_insert((stop, 0)).1 += 1;
    }

    fn gap(self, what: &str) -> Option<Gap> {
        let (stop, count) = self.0?;
        Some(Gap {
            cluster: None,
            what: format!("{what}: {count} not read"),
            namespace: None,
            workloads_missing: false,
            cause: stop.cause(),
            detail: format!("{}; {}", stop.detail(), stop.advice()),
        })
    }
}

async fn read_one(api: &Api, name: &SecretName) -> Result<Secret, RequestError> {
    let path = format!("{}/{}", collection_path("v1", "secrets", Some(&name.namespace)), encode(&name.name));
    match api.get(&path, Accept::Objects).await {
        Ok(body) => docker_config(&body).map_err(|(cause, detail)| RequestError::new(cause, detail)),
        // The kubelet leaves out a secret that does not exist, and pulls with the others.
        Err(error) if error.is(StatusCode::NOT_FOUND) => Ok(nothing()),
        Err(error) => Err(error),
    }
}

fn nothing() -> Secret {
    Secret::new(r#"{"auths":{}}"#)
}

/// The Docker configuration in a Secret. The kubelet looks at the type and the key that belongs to it, and leaves others out.
/// What is wrong is said without a word of the content.
fn docker_config(body: &[u8]) -> Result<Secret, (Cause, String)> {
    let broken = |problem: &str| (Cause::InvalidResponse, problem.to_owned());
    let secret: SecretObject = serde_json::from_slice(body).map_err(|_| broken("the Secret cannot be read"))?;
    let (key, is_legacy) = match secret.kind.as_str() {
        "kubernetes.io/dockerconfigjson" => (".dockerconfigjson", false),
        "kubernetes.io/dockercfg" => (".dockercfg", true),
        _ => return Ok(nothing()),
    };
    let Some(encoded) = secret.data.as_ref().and_then(|data| data.get(key)) else { return Ok(nothing()) };
    let bytes = STANDARD.decode(encoded).map_err(|_| broken("its content is not base64"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| broken("its content is not a Docker configuration"))?;
    if !value.is_object() {
        return Err(broken("its content is not a Docker configuration"));
    }
    let config = if is_legacy { json!({ "auths": value }) } else { value };
    Ok(Secret::new(config.to_string()))
}

/// Names of the pull secrets of service accounts, for templates that have neither pods nor pull secrets of their own: the API server
/// would give them to their pods.
pub(super) async fn of_accounts(api: &Api, accounts: BTreeSet<AccountName>) -> (BTreeMap<AccountName, Vec<SecretName>>, Vec<Gap>) {
    let reads: Vec<_> = accounts
        .into_iter()
        .map(|account| async move {
            let names = of_account(api, &account).await;
            (account, names)
        })
        .collect();
    let (mut found, mut gaps, mut unread) = (BTreeMap::new(), Vec::new(), Unread::default());
    for (account, names) in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        match names {
            Ok(names) => {
                found.insert(account, names);
            }
            Err(RequestError { stop: Some(stop), .. }) => unread.add(stop),
            Err(error) => gaps.push(Gap {
                cluster: None,
                what: format!("pull secrets of service account {}/{}", account.0, account.1),
                namespace: Some(account.0.to_string()),
                workloads_missing: false,
                cause: error.cause,
                detail: format!("{}; workloads without pods that use it are asked for without them", error.detail),
            }),
        }
    }
    gaps.extend(unread.gap("service accounts' pull secrets"));
    (found, gaps)
}

async fn of_account(api: &Api, (namespace, name): &AccountName) -> Result<Vec<SecretName>, RequestError> {
    let path = format!("{}/{}", collection_path("v1", "serviceaccounts", Some(namespace)), encode(name));
    let body = match api.get(&path, Accept::Objects).await {
        Ok(body) => body,
        Err(error) if error.is(StatusCode::NOT_FOUND) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let account: Account<'_> = serde_json::from_slice(&body).map_err(|error| super::request::unreadable(&path, &error))?;
    Ok(account
        .image_pull_secrets
        .unwrap_or_default()
        .iter()
        .filter_map(|secret| secret.name.as_deref().filter(|name| !name.is_empty()))
        .map(|name| SecretName { namespace: Arc::clone(namespace), name: name.into() })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(kind: &str, key: &str, content: &str) -> Result<String, (Cause, String)> {
        let body = json!({ "type": kind, "data": { key: STANDARD.encode(content) } }).to_string();
        docker_config(body.as_bytes()).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn both_types_become_one_form() {
        let auths = r#"{"auths":{"ghcr.io":{"auth":"eDp5"}}}"#;
        assert_eq!(secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", auths).unwrap(), auths);
        assert_eq!(secret("kubernetes.io/dockercfg", ".dockercfg", r#"{"ghcr.io":{"auth":"eDp5"}}"#).unwrap(), auths);
    }

    #[test]
    fn what_the_kubelet_leaves_out_is_left_out() {
        let empty = r#"{"auths":{}}"#;
        assert_eq!(secret("Opaque", ".dockerconfigjson", "{}").unwrap(), empty);
        assert_eq!(secret("kubernetes.io/dockercfg", ".dockerconfigjson", "{}").unwrap(), empty);
        assert_eq!(docker_config(br#"{"type":"kubernetes.io/dockercfg"}"#).unwrap().expose(), empty);
    }

    #[test]
    fn an_error_does_not_show_the_content() {
        for content in ["hunter2", "[\"hunter2\"]", "{\"auths\": hunter2"] {
            let (cause, detail) = secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", content).unwrap_err();
            assert_eq!(cause, Cause::InvalidResponse);
            assert!(!detail.contains("hunter2"), "{detail}");
        }
    }
}
