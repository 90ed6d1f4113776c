//! Trust roots for tests.

use std::sync::Arc;

use jiff::Timestamp;
use seaworthy::model::{RootOrigin, Trial, TrustRoot};

/// A moment after all fixtures were made.
pub fn as_of() -> Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

pub fn root(name: &str, dated: Option<Timestamp>, content: &[u8]) -> Arc<TrustRoot> {
    let origin = RootOrigin::File { path: format!("{name}.json") };
    Arc::new(TrustRoot { name: name.to_owned(), origin, dated, without_logs: false, content: Ok(content.into()) })
}

pub fn embedded() -> Arc<TrustRoot> {
    root("public-good", None, sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
}

pub fn keyless(root: Arc<TrustRoot>) -> Trial {
    Trial::Keyless { root }
}
