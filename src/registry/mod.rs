//! Answers about images: from registries, and from layouts and bundles on disk.
//!
//! This room turns questions into answers and judges nothing. Every answer is hostile until the bytes prove themselves: sizes are
//! bounded, digests compared, names never followed. What is not known is told with its cause and never taken for an absence.

mod access;
mod answer;
mod blob;
mod bundles;
mod cache;
mod challenge;
mod client;
mod credentials;
mod disk;
mod error;
mod github;
mod host_rule;
mod layout;
mod link;
mod manifest;
mod options;
mod quota;
mod redirect;
mod referrers;
mod remote;
mod resolver;
mod statistics;
mod token;
mod window;

pub use blob::BlobCache;
pub use bundles::{BundleProblem, Bundles, BundlesError};
pub use cache::{CacheError, DiskCache};
pub use error::RegistryError;
pub use github::GithubSight;
pub use host_rule::{HostRule, HostRuleError};
pub use layout::{Layout, LayoutError};
pub use options::{CredentialProviders, GithubToken, Limits, Manners, Proxies, RegistryOptions, Timeouts};
pub use referrers::ReferrersSupport;
pub use remote::{Answered, Registry, api_hosts};
pub use statistics::{HostStatistics, RequestKind, Statistics};
