//! Secrets in memory: never shown, never written.

use std::fmt;

use super::ledger::SecretName;
use super::verdict::Cause;

/// A secret value that neither `Debug` nor any report shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value; only for sending it where it belongs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// A pull secret that pods name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullSecret {
    /// Its name.
    pub name: SecretName,
    /// The Docker configuration in it (`.dockerconfigjson`, or `.dockercfg` wrapped into `{"auths": …}`), or why it could not be read.
    pub config: Result<Secret, (Cause, String)>,
}
