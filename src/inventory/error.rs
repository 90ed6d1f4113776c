//! What can go wrong before anything is listed.

use std::path::PathBuf;

use crate::model::{Cause, Stop};

use super::scope::ScopeError;

/// Why there is no inventory of a cluster at all. What fails after the first list is a [`crate::model::Gap`], not an error.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// No kubeconfig, and not inside a cluster.
    #[error(
        "no kubeconfig found ({tried}), and this is not a pod of a cluster ({in_cluster}); set KUBECONFIG, give --kubeconfig FILE, or scan manifests instead"
    )]
    NoKubeconfig {
        /// Where it was looked for.
        tried: String,
        /// Why the environment is no pod's.
        in_cluster: String,
    },
    /// The kubeconfig cannot be read or used.
    #[error("kubeconfig {}cannot be used: {detail}", path.as_ref().map(|path| format!("{} ", path.display())).unwrap_or_default())]
    Kubeconfig {
        /// The file, where one was named.
        path: Option<PathBuf>,
        /// What is wrong with it.
        detail: String,
    },
    /// The context does not exist.
    #[error("context {name:?} is not in the kubeconfig; {}", names(nearest.as_deref(), available))]
    ContextNotFound {
        /// The context as it was asked for.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
        /// Every context, in order.
        available: Vec<String>,
    },
    /// The kubeconfig names no current context.
    #[error("the kubeconfig has no current context; choose one with --kube-context ({})", available.join(", "))]
    NoCurrentContext {
        /// Every context, in order.
        available: Vec<String>,
    },
    /// The credentials cannot be loaded, or their plug-in fails.
    #[error("the credentials for {server} cannot be had: {detail}")]
    Credential {
        /// The API server.
        server: String,
        /// What happened.
        detail: String,
    },
    /// 401.
    #[error("the API server {server} does not accept the credentials{}: {hint}", context.as_ref().map(|name| format!(" of context {name:?}")).unwrap_or_default())]
    Unauthorized {
        /// The API server.
        server: String,
        /// The context, if one was used.
        context: Option<String>,
        /// Why, as far as can be seen, and what to do.
        hint: String,
    },
    /// The API server does not answer, or not as one.
    #[error("the API server {server} {} ({cause}): {detail}", failed_by(*cause))]
    Unreachable {
        /// The API server.
        server: String,
        /// The kind of failure.
        cause: Cause,
        /// What happened.
        detail: String,
    },
    /// It answers, and nothing may be listed.
    #[error("nothing could be listed at {server}: {detail}")]
    NothingListed {
        /// The API server.
        server: String,
        /// The first refusals.
        detail: String,
    },
    /// The scan ended before anything was listed.
    #[error("ended before anything was listed{}", if *_0 == Stop::TimedOut { "; what was waited for gave no answer by then: see `seaworthy doctor`, or give it more time with --timeout" } else { "" })]
    Ended(Stop),
    /// The scope is not valid.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

fn failed_by(cause: Cause) -> &'static str {
    match cause {
        Cause::InvalidResponse | Cause::RedirectRefused | Cause::TooLarge => "answers, but not as a Kubernetes API server does",
        Cause::ServerError | Cause::RateLimited => "answers with an error",
        Cause::Timeout => "does not answer in time",
        _ => "cannot be reached",
    }
}

impl InventoryError {
    /// Whether the user's input is at fault (exit 2) rather than that nothing could be listed (exit 4).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::ContextNotFound { .. } | Self::NoCurrentContext { .. } | Self::Kubeconfig { .. } | Self::Scope(_) => true,
            Self::NoKubeconfig { .. }
            | Self::Credential { .. }
            | Self::Unauthorized { .. }
            | Self::Unreachable { .. }
            | Self::NothingListed { .. }
            | Self::Ended(_) => false,
        }
    }
}

fn names(nearest: Option<&str>, available: &[String]) -> String {
    match (nearest, available) {
        (_, []) => "it has no context at all".to_owned(),
        (Some(nearest), all) => format!("did you mean {nearest:?}? It has: {}", all.join(", ")),
        (None, all) => format!("it has: {}", all.join(", ")),
    }
}
