//! Trust roots: where they are from, and how old.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Digest, RootOrigin, RootRecord};

/// A trust root.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root<'a> {
    /// Name of the policy.
    policy: &'a str,
    /// Its name in the policy.
    name: &'a str,
    /// Where it was read from.
    origin: &'a RootOrigin,
    /// Up to which moment it is known to be complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    dated: Option<Timestamp>,
    /// SHA-256 of its document.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    /// The cause, where it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<&'a str>,
    /// What a person should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'a str>,
}

impl<'a> Root<'a> {
    pub(super) fn of(root: &'a RootRecord) -> Self {
        Self {
            policy: &root.policy,
            name: &root.name,
            origin: &root.origin,
            dated: root.dated,
            digest: root.content.as_ref().ok(),
            cause: root.content.as_ref().err().map(|unknown| unknown.cause.name()),
            unavailable: root.content.as_ref().err().map(|unknown| unknown.detail.as_str()),
            warning: root.warning.as_deref(),
        }
    }
}

/// The same, for a person.
pub(super) fn told(root: &RootRecord) -> String {
    let from = match &root.origin {
        RootOrigin::Tuf { url } => format!("fetched from {url}"),
        RootOrigin::TufCache { url } => format!("kept copy of {url}"),
        RootOrigin::Embedded => "the copy inside this program".to_owned(),
        RootOrigin::File { path } => path.clone(),
    };
    let dated = root.dated.map(|dated| format!(", of {}", dated.strftime("%Y-%m-%d"))).unwrap_or_default();
    let fault = root.content.as_ref().err().map(|unknown| format!(": {}", unknown.detail)).unwrap_or_default();
    let warning = root.warning.as_ref().map(|warning| format!("; warning: {warning}")).unwrap_or_default();
    format!("{} (policy {}): {from}{dated}{fault}{warning}", root.name, root.policy)
}
