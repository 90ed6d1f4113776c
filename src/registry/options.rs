//! What a registry client is told: limits, manners, trust and where credentials lie.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::host_rule::HostRule;
use crate::model::Secret;

/// Everything that can be set about the client for registries. [`Default`] is right for a scan of a real cluster.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Time-outs of single steps and of the whole.
    pub timeouts: Timeouts,
    /// Caps on what a registry may send.
    pub limits: Limits,
    /// How hard a host is asked, and when it is given up.
    pub manners: Manners,
    /// Hosts that are asked over plain HTTP.
    pub plain_http: Vec<HostRule>,
    /// Hosts that are contacted although they are loopback, link-local or inside the cluster.
    pub allow_hosts: Vec<HostRule>,
    /// The cluster's own service and pod ranges, as address and prefix length: not contacted unless allowed.
    pub cluster_networks: Vec<(IpAddr, u8)>,
    /// PEM files with certificate authorities to trust beside the platform's.
    pub ca_files: Vec<PathBuf>,
    /// A Docker `config.json` (or `auth.json` of the containers tools).
    pub docker_config: Option<PathBuf>,
    /// The kubelet's `CredentialProviderConfig` and the directory of its plug-ins.
    pub credential_providers: Option<CredentialProviders>,
    /// Proxies.
    pub proxies: Proxies,
    /// Tokens for GitHub's API, by the base of the API (as [`GithubStore::api`](crate::model::GithubStore::api) has it) for which alone
    /// each is.
    pub github_tokens: BTreeMap<String, GithubToken>,
}

/// A token for GitHub's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubToken {
    /// The token.
    pub token: Secret,
    /// Where it comes from, for a person: the name of an environment variable.
    pub origin: &'static str,
}

/// Where the kubelet's credential-provider plug-ins are configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialProviders {
    /// The `CredentialProviderConfig` file.
    pub config: PathBuf,
    /// The directory in which the plug-ins lie.
    pub directory: PathBuf,
}

/// Time-outs. Waiting for one's turn at a busy host counts for none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, connection and TLS handshake.
    pub connect: Duration,
    /// Until the head of the answer is there, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// One request with its whole answer.
    pub request: Duration,
    /// One question with all its requests, pages, redirects and retries.
    pub ask: Duration,
    /// One run of a credential helper or plug-in.
    pub credential: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            request: Duration::from_secs(60),
            ask: Duration::from_secs(120),
            credential: Duration::from_secs(30),
        }
    }
}

/// Caps on what a registry may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest or index (the distribution specification asks registries for at least 4 MiB).
    pub manifest: u64,
    /// Bytes of a blob. A bill of materials of 20 MB is 27 MB in an envelope.
    pub blob: u64,
    /// Bytes of one page of referrers, or of a fallback index.
    pub referrers_page: u64,
    /// Descriptors that may refer to one digest.
    pub referrers: usize,
    /// Pages of referrers of one digest.
    pub referrers_pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { manifest: 4 << 20, blob: 32 << 20, referrers_page: 16 << 20, referrers: 20_000, referrers_pages: 500 }
    }
}

/// How hard a host is asked, and when it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Requests in flight to one host at the start.
    pub window_start: usize,
    /// Requests in flight to one host at most.
    pub window_most: usize,
    /// Times that one request is sent at most.
    pub attempts: u32,
    /// Wait before the second time; doubled for each further one.
    pub first_backoff: Duration,
    /// The longest wait that a host may ask for; one that asks for more is not asked again before its time.
    pub longest_wait: Duration,
    /// Requests in a row that failed in the same way (no answer, rate-limited, unavailable) until the host is left alone.
    pub failures_in_a_row: u32,
    /// How long it is left alone.
    pub left_alone: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            window_start: 32,
            window_most: 256,
            attempts: 4,
            first_backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            failures_in_a_row: 3,
            left_alone: Duration::from_secs(60),
        }
    }
}

/// Proxies, in the meaning of the environment variables of the same names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` addresses.
    pub http: Option<String>,
    /// For `https` addresses.
    pub https: Option<String>,
    /// For both, where the other is not set.
    pub all: Option<String>,
    /// Hosts, domains and networks that are reached directly.
    pub no: Option<String>,
}

impl Proxies {
    /// Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, each also in lower case.
    #[must_use]
    pub fn from_env() -> Self {
        let read = |name: &str| {
            let value = std::env::var(name).or_else(|_| std::env::var(name.to_ascii_lowercase())).ok()?;
            Some(value).filter(|value| !value.is_empty())
        };
        Self { http: read("HTTP_PROXY"), https: read("HTTPS_PROXY"), all: read("ALL_PROXY"), no: read("NO_PROXY") }
    }

    pub(super) fn for_http(&self) -> Option<&str> {
        self.http.as_deref().or(self.all.as_deref())
    }

    pub(super) fn for_https(&self) -> Option<&str> {
        self.https.as_deref().or(self.all.as_deref())
    }
}

impl std::fmt::Debug for Proxies {
    /// A proxy's address may hold a password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Proxies")
            .field("http", &self.for_http().is_some())
            .field("https", &self.for_https().is_some())
            .field("no", &self.no)
            .finish()
    }
}
