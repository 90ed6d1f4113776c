//! Reaching a cluster as `kubectl` would: kubeconfig with contexts, plug-ins, proxies and certificates, or the pod's own account.

use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde::Deserialize;
use tokio::sync::watch;

use crate::model::{Cause, Stop, escape_control};

use super::error::InventoryError;
use super::expiry;
use super::request::{Accept, Api, RequestError};

/// How to reach the cluster.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// This kubeconfig, not the one of `KUBECONFIG` or the home directory.
    pub kubeconfig: Option<PathBuf>,
    /// This context, not the current one.
    pub context: Option<String>,
    /// Limits of time.
    pub timeouts: Timeouts,
}

/// What is shown of a plug-in's command and the hint how to install it, in characters.
const LONGEST_HINT: usize = 500;

/// Limits of time for one request each; what is repeated has them again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To the open connection, TLS included.
    pub connect: Duration,
    /// From the request to the first byte of its answer.
    pub answer: Duration,
    /// From the first byte of an answer to its last.
    pub body: Duration,
    /// For a credential plug-in, which may wait for a person.
    pub credential: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            body: Duration::from_secs(60),
            credential: Duration::from_secs(120),
        }
    }
}

/// A cluster that answers.
pub struct Cluster {
    pub(super) api: Api,
    pub(super) server: String,
    pub(super) context: Option<String>,
    pub(super) version: Option<String>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("server", &self.server).field("context", &self.context).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

impl Cluster {
    /// Loads the configuration and asks the server for its version.
    ///
    /// # Errors
    /// When there is no configuration, the context does not exist, the credentials cannot be had or are not accepted, or the server
    /// does not answer in time.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, InventoryError> {
        let (mut config, context) = configuration(options).await?;
        config.connect_timeout = Some(options.timeouts.connect);
        // Requests are bounded and repeated here, where waits are counted; two retry loops would multiply.
        config.default_retry = false;
        let server = server_name(&config);
        let hint = expiry::hint(&config.auth_info);
        let client = client(config, &server, options.timeouts).await?;
        let api = Api::new(client, options.timeouts);
        let version = match api.read::<Version>("/version", Accept::Objects).await {
            Ok(version) => Some(version.git_version),
            Err(error) if error.is(StatusCode::UNAUTHORIZED) || error.cause == Cause::Unauthorized => {
                return Err(unauthorized(server, context, hint, &error));
            }
            // Answered: it may be hidden, the lists will show what is allowed.
            Err(error) if error.is(StatusCode::FORBIDDEN) || error.is(StatusCode::NOT_FOUND) => None,
            Err(error) => return Err(InventoryError::Unreachable { server, cause: error.cause, detail: error.detail }),
        };
        Ok(Self { api, server, context, version })
    }

    /// The same cluster, with every request ended as soon as `stop` says so. What was listed by then stays; the rest is a gap.
    #[must_use]
    pub fn ended_by(mut self, stop: watch::Receiver<Option<Stop>>) -> Self {
        self.api.end_by(stop);
        self
    }

    /// The API server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The context that is used; none inside a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}

pub(super) fn unauthorized(server: String, context: Option<String>, hint: Option<String>, error: &RequestError) -> InventoryError {
    let hint = hint.unwrap_or_else(|| "they are wrong, revoked or expired".to_owned());
    InventoryError::Unauthorized { server, context, hint: format!("{hint}; log in again ({})", error.detail) }
}

/// Host and port, never what may carry a password.
fn server_name(config: &Config) -> String {
    let uri = &config.cluster_url;
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let text = format!("{}://{}{port}{}", uri.scheme_str().unwrap_or("https"), uri.host().unwrap_or_default(), uri.path());
    escape_control(text.trim_end_matches('/')).into_owned()
}

async fn configuration(options: &ConnectOptions) -> Result<(Config, Option<String>), InventoryError> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path).map_err(|error| unusable(options, &error))?,
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => kubeconfig,
            Err(KubeconfigError::FindPath) if options.context.is_none() => return in_cluster("no home directory".to_owned()),
            Err(KubeconfigError::ReadConfig(error, path)) if error.kind() == std::io::ErrorKind::NotFound && options.context.is_none() => {
                return in_cluster(format!("{} does not exist", path.display()));
            }
            Err(error) => return Err(unusable(options, &error)),
        },
    };
    let mut available: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    available.sort_unstable();
    let name = match options.context.as_ref().or(kubeconfig.current_context.as_ref().filter(|name| !name.is_empty())) {
        Some(name) => name.clone(),
        None if available.is_empty() && options.kubeconfig.is_none() => return in_cluster("the kubeconfig is empty".to_owned()),
        None => return Err(InventoryError::NoCurrentContext { available }),
    };
    if !available.contains(&name) {
        return Err(InventoryError::ContextNotFound { nearest: nearest(&name, &available), name, available });
    }
    let chosen = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(|error| unusable(options, &error))?;
    Ok((config, Some(name)))
}

fn unusable(options: &ConnectOptions, error: &KubeconfigError) -> InventoryError {
    let said = match error {
        // The path is told beside it.
        KubeconfigError::ReadConfig(error, _) => error.to_string(),
        other => other.to_string(),
    };
    let detail = one_line(&said);
    InventoryError::Kubeconfig { path: options.kubeconfig.clone(), detail: escape_control(&detail).into_owned() }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The plug-in that the kubeconfig names, with how to get it; for a person whose plug-in fails.
fn plug_in(config: &Config) -> String {
    let Some(exec) = &config.auth_info.exec else { return String::new() };
    let command = exec.command.as_deref().map_or_else(String::new, |command| format!(" (plug-in: {command})"));
    let hint = exec.install_hint.as_deref().map_or_else(String::new, |hint| format!("; {}", one_line(hint)));
    let text: String = format!("{command}{hint}").chars().take(LONGEST_HINT).collect();
    escape_control(&text).into_owned()
}

fn in_cluster(tried: String) -> Result<(Config, Option<String>), InventoryError> {
    match Config::incluster() {
        Ok(config) => Ok((config, None)),
        Err(InClusterError::ReadEnvironmentVariable(_)) => {
            Err(InventoryError::NoKubeconfig { tried, in_cluster: "KUBERNETES_SERVICE_HOST is not set".to_owned() })
        }
        Err(error) => Err(InventoryError::NoKubeconfig { tried, in_cluster: error.to_string() }),
    }
}

/// The most similar name, if any is similar.
fn nearest(name: &str, available: &[String]) -> Option<String> {
    available
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.clone())
}

/// Builds the client. Credential plug-ins run inside of that and block, so it happens on a thread of its own that may be left behind.
async fn client(config: Config, server: &str, timeouts: Timeouts) -> Result<Client, InventoryError> {
    let plug_in = plug_in(&config);
    let refuse = |detail: String| InventoryError::Credential { server: server.to_owned(), detail: format!("{detail}{plug_in}") };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new()
        .name("credentials".to_owned())
        .spawn(move || {
            let _entered = runtime.enter();
            // Nobody may wait any more.
            let _ = sender.send(ClientBuilder::try_from(config).map(ClientBuilder::build));
        })
        .map_err(|error| refuse(format!("no thread for it: {error}")))?;
    match tokio::time::timeout(timeouts.credential, receiver).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) => Err(refuse(escape_control(&super::request::transport_error(&error).detail).into_owned())),
        Ok(Err(_)) => Err(refuse("loading them ended without a result".to_owned())),
        Err(_) => Err(refuse(format!("the credential plug-in did not end within {} s", timeouts.credential.as_secs()))),
    }
}
