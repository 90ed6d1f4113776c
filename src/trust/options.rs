//! What loading is told.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How trust material is loaded.
#[derive(Debug, Clone)]
pub struct TrustOptions {
    /// No socket is opened: the cache, else the embedded copies.
    pub offline: bool,
    /// The directory of what TUF repositories said; none: nothing is kept, and each load asks.
    pub cache: Option<PathBuf>,
    /// How long one attempt at one TUF repository may take, with all its requests.
    pub timeout: Duration,
    /// What was fetched so recently is not fetched again.
    pub interval: SignedDuration,
    /// A repository that failed so recently is not asked again.
    pub pause: SignedDuration,
    /// The moment of loading: what has expired, how old a copy is.
    pub now: Timestamp,
    /// Whence proxies are taken.
    pub proxies: ProxySource,
    /// PEM files with certificate authorities to trust beside the platform's.
    pub ca_files: Vec<PathBuf>,
}

/// Whence proxies are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxySource {
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, each also in lower case.
    #[default]
    Environment,
    /// Every host is reached directly.
    None,
}

impl TrustOptions {
    /// What is right for a scan at this moment: one attempt a day of at most ten seconds, an hour's pause after a failed one.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            offline: false,
            cache: default_cache(),
            timeout: Duration::from_secs(10),
            interval: SignedDuration::from_hours(24),
            pause: SignedDuration::from_hours(1),
            now,
            proxies: ProxySource::default(),
            ca_files: Vec::new(),
        }
    }
}

/// `$XDG_CACHE_HOME/seaworthy/tuf`, or `~/.cache/seaworthy/tuf` (XDG base directory specification: a relative path there is invalid and
/// ignored).
#[must_use]
pub fn default_cache() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("seaworthy").join("tuf"))
}
