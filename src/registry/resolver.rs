//! Name look-up that refuses addresses inside: checked on what a name resolves to at the moment of connecting, so that a name
//! cannot be fine when it is looked at and lead elsewhere when it is used.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

use super::error::failure;
use super::host_rule::objection;
use crate::model::{Cause, UnknownAnswer, escape_control};

/// How long a look-up is good for: a scan opens many connections to one host within seconds.
const FRESH: Duration = Duration::from_secs(30);

/// Why a name leads nowhere.
#[derive(Debug, Clone)]
pub(super) enum ResolveError {
    /// All its addresses are inside; the first one and what it is.
    Refused { address: IpAddr, what: &'static str },
    /// It does not resolve.
    Failed(String),
}

impl ResolveError {
    pub(super) fn failure(&self, place: &str) -> UnknownAnswer {
        match self {
            Self::Refused { address, what } => failure(
                Cause::HostRefused,
                format!(
                    "the host of {place} resolves to {address}, which is {what}, and is not contacted; allow it with --allow-host HOST[:PORT]"
                ),
            ),
            Self::Failed(reason) => failure(Cause::Dns, format!("the host of {place} does not resolve: {}", escape_control(reason))),
        }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { address, what } => write!(formatter, "resolves to {address}, which is {what}"),
            Self::Failed(reason) => write!(formatter, "does not resolve: {reason}"),
        }
    }
}

impl std::error::Error for ResolveError {}

type Lookup = Arc<OnceCell<Result<Arc<[SocketAddr]>, ResolveError>>>;

/// The platform's resolver with a memory, and with an eye on what it answers.
pub(super) struct Resolver {
    /// `None`: every address is taken.
    refused: Option<Arc<[(IpAddr, u8)]>>,
    timeout: Duration,
    known: Mutex<HashMap<String, (Instant, Lookup)>>,
}

impl Resolver {
    /// Refuses addresses inside, the given networks included.
    pub(super) fn guarded(cluster_networks: Arc<[(IpAddr, u8)]>, timeout: Duration) -> Self {
        Self { refused: Some(cluster_networks), timeout, known: Mutex::default() }
    }

    /// Takes every address.
    pub(super) fn open(timeout: Duration) -> Self {
        Self { refused: None, timeout, known: Mutex::default() }
    }

    fn lookup(&self, name: &str) -> Lookup {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(name) {
            Some((since, lookup)) if since.elapsed() < FRESH => Arc::clone(lookup),
            _ => {
                let lookup = Lookup::default();
                known.insert(name.to_owned(), (Instant::now(), Arc::clone(&lookup)));
                lookup
            }
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.lookup(name.as_str());
        let (refused, timeout) = (self.refused.clone(), self.timeout);
        Box::pin(async move {
            let addresses = lookup.get_or_init(|| resolve(name.as_str(), refused.as_deref(), timeout)).await;
            match addresses {
                Ok(addresses) => {
                    let addresses: Vec<SocketAddr> = addresses.to_vec();
                    Ok(Box::new(addresses.into_iter()) as Addrs)
                }
                Err(error) => Err(error.clone().into()),
            }
        })
    }
}

async fn resolve(name: &str, refused: Option<&[(IpAddr, u8)]>, timeout: Duration) -> Result<Arc<[SocketAddr]>, ResolveError> {
    let found = match tokio::time::timeout(timeout, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(ResolveError::Failed(error.to_string())),
        Err(_) => return Err(ResolveError::Failed(format!("no answer within {} s", timeout.as_secs_f32()))),
    };
    let mut inside = None;
    let addresses: Arc<[SocketAddr]> = match refused {
        None => found.collect(),
        Some(networks) => found
            .filter(|socket| match objection(socket.ip(), networks) {
                None => true,
                Some(what) => {
                    inside.get_or_insert(ResolveError::Refused { address: socket.ip(), what });
                    false
                }
            })
            .collect(),
    };
    match inside {
        _ if !addresses.is_empty() => Ok(addresses),
        Some(refusal) => Err(refusal),
        None => Err(ResolveError::Failed("the name has no address".to_owned())),
    }
}
