//! Who asks: the ordered chain of credentials for one repository.
//!
//! Pull secrets of the workload first, then the kubelet's credential-provider plug-ins, then the user's Docker configuration, then
//! nobody. A pull secret is used only for the host and repository that it names.

mod docker_config;
mod helper;
mod process;
mod provider;
mod pull_secret;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

pub(super) use docker_config::DockerConfigSource;
pub(super) use provider::CredentialProviderSource;
pub(super) use pull_secret::PullSecrets;

use crate::model::{CredentialIdentity, CredentialKind, Repository, Secret};

/// What is presented to a registry or its token service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// Nothing.
    Anonymous,
    /// User and password.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An identity token (an OAuth2 refresh token), which the token service changes into tokens.
    Identity(Secret),
    /// A token for the registry itself.
    Token(Secret),
}

/// A login and where it is from.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) kind: CredentialKind,
    pub(super) login: Login,
    /// Names the source for a person, never the value.
    pub(super) origin: String,
    /// Equal for equal logins, 0 for nobody.
    pub(super) id: u64,
}

/// What a source knows for a repository.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order in which they are tried: kind, login, name of the source.
    pub(super) credentials: Vec<(CredentialKind, Login, String)>,
    /// What could not be used, for a person.
    pub(super) problems: Vec<String>,
}

/// Where logins come from: a configuration file, plug-ins, a cloud's own login.
pub(super) trait CredentialSource: Send + Sync {
    /// The logins for a repository.
    fn find<'a>(&'a self, repository: &'a Repository) -> BoxFuture<'a, Found>;
}

/// Numbers for logins, so that what is cached for one is found without comparing or storing its value.
#[derive(Default)]
pub(super) struct LoginNumbers(Mutex<Vec<Login>>);

impl LoginNumbers {
    fn number(&self, login: &Login) -> u64 {
        if *login == Login::Anonymous {
            return 0;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = known.iter().position(|other| other == login).unwrap_or_else(|| {
            known.push(login.clone());
            known.len() - 1
        });
        at as u64 + 1
    }
}

/// All sources of the scan.
pub(super) struct Keyring {
    pub(super) pull_secrets: PullSecrets,
    pub(super) shared: Vec<Box<dyn CredentialSource>>,
    pub(super) numbers: LoginNumbers,
}

/// How long a chain is used before its sources are asked again; they have memories of their own.
const FRESH: Duration = Duration::from_secs(300);

/// The chain for one repository and identity; sources are asked one after another, as far as needed.
pub(super) struct Chain {
    repository: Repository,
    identity: CredentialIdentity,
    state: tokio::sync::Mutex<ChainState>,
    made: Instant,
}

#[derive(Default)]
struct ChainState {
    credentials: Vec<Arc<Credential>>,
    problems: Vec<String>,
    /// Stages that were asked: the pull secrets, each shared source, nobody.
    stages: usize,
}

impl Chain {
    pub(super) fn new(repository: Repository, identity: CredentialIdentity) -> Self {
        Self { repository, identity, state: tokio::sync::Mutex::default(), made: Instant::now() }
    }

    pub(super) fn is_stale(&self) -> bool {
        self.made.elapsed() > FRESH
    }

    /// The credential at a position, if the chain is that long.
    pub(super) async fn credential(&self, position: usize, keyring: &Keyring) -> Option<Arc<Credential>> {
        let mut state = self.state.lock().await;
        while state.credentials.len() <= position {
            let stage = state.stages;
            let found = match stage {
                0 => keyring.pull_secrets.find(&self.identity, &self.repository),
                _ => match keyring.shared.get(stage - 1) {
                    Some(source) => source.find(&self.repository).await,
                    None if stage - 1 == keyring.shared.len() => Found {
                        credentials: vec![(CredentialKind::Anonymous, Login::Anonymous, "anonymous".to_owned())],
                        problems: Vec::new(),
                    },
                    None => return None,
                },
            };
            state.stages += 1;
            state.problems.extend(found.problems);
            for (kind, login, origin) in found.credentials {
                let id = keyring.numbers.number(&login);
                // The same login from two sources is refused twice for one reason.
                if !state.credentials.iter().any(|known| known.id == id) {
                    state.credentials.push(Arc::new(Credential { kind, login, origin, id }));
                }
            }
        }
        state.credentials.get(position).cloned()
    }

    /// What was tried and what could not be used, for the text of a failure.
    pub(super) async fn story(&self, tried: usize) -> (Vec<String>, Vec<String>) {
        let state = self.state.lock().await;
        let origins = state.credentials.iter().take(tried).map(|credential| credential.origin.clone()).collect();
        (origins, state.problems.clone())
    }
}
