//! The client for all registries of a scan, as the other rooms see it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::access::{Access, api_host};
use super::client::Client;
use super::credentials::{CredentialProviderSource, CredentialSource, DockerConfigSource, Keyring, LoginNumbers, PullSecrets};
use super::error::RegistryError;
use super::options::RegistryOptions;
use super::referrers::ReferrersSupport;
use super::statistics::Statistics;
use super::token::Tokens;
use crate::model::{Answer, CredentialIdentity, PullSecret, Repository, SecretName};

/// What a registry said to one question.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The bytes, where content was asked for and found, or had to be fetched to answer.
    pub body: Option<Bytes>,
}

/// The client for all registries of a scan. Cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) tokens: Tokens,
    pub(super) keyring: Keyring,
    pub(super) github: super::github::Memory,
    accesses: Mutex<HashMap<(Repository, CredentialIdentity), Arc<Access>>>,
}

impl Registry {
    /// Makes a client. Nothing is contacted yet.
    ///
    /// # Errors
    /// When a file that the options name cannot be used.
    pub fn new(options: RegistryOptions, pull_secrets: Vec<PullSecret>) -> Result<Self, RegistryError> {
        let timeout = options.timeouts.credential;
        let mut shared: Vec<Box<dyn CredentialSource>> = Vec::new();
        if let Some(providers) = &options.credential_providers {
            shared.push(Box::new(CredentialProviderSource::open(providers, timeout)?));
        }
        if let Some(path) = &options.docker_config {
            shared.push(Box::new(DockerConfigSource::open(path, timeout)?));
        }
        let keyring = Keyring { pull_secrets: PullSecrets::new(pull_secrets), shared, numbers: LoginNumbers::default() };
        Ok(Self(Arc::new(Inner {
            client: Client::new(options)?,
            tokens: Tokens::default(),
            keyring,
            github: super::github::Memory::default(),
            accesses: Mutex::default(),
        })))
    }

    /// On whose behalf a workload's image is asked about: those of its pull secrets that say something about the repository, by
    /// the kubelet's rules. Copies of one secret under several names are one, under the first name in order. Those that could not
    /// be read stay, so that a refusal can say so.
    #[must_use]
    pub fn identity(&self, pull_secrets: &[SecretName], repository: &Repository) -> CredentialIdentity {
        self.0.keyring.pull_secrets.identity(pull_secrets, repository)
    }

    /// What was asked of each host so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics { hosts: self.0.client.statistics() }
    }

    /// What the answers so far showed about the referrers API of a repository, for one identity.
    #[must_use]
    pub fn referrers_support(&self, repository: &Repository, identity: &CredentialIdentity) -> ReferrersSupport {
        self.access(repository, identity).referrers.get()
    }

    pub(super) fn access(&self, repository: &Repository, identity: &CredentialIdentity) -> Arc<Access> {
        let mut accesses = self.0.accesses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repository.clone(), identity.clone());
        match accesses.get(&key) {
            Some(access) if !access.chain.is_stale() => Arc::clone(access),
            _ => {
                let access = Arc::new(Access::new(repository, identity, &self.0.client.options));
                accesses.insert(key, Arc::clone(&access));
                access
            }
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// The hosts at which the API of these repositories is: what a scan would contact first. Token services and storage to which they
/// lead are not known beforehand.
#[must_use]
pub fn api_hosts<'a>(repositories: impl IntoIterator<Item = &'a Repository>) -> BTreeSet<String> {
    repositories.into_iter().map(|repository| api_host(repository.registry()).to_owned()).collect()
}
