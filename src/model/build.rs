//! What `slsa` says about one image: how it was built, and what shows that.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::ledger::UnknownAnswer;
use super::provenance::{BuildLevel, Provenance};
use super::verdict::{Reason, Verdict};

/// What is known of the build of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// The image, as it was asked for.
    pub subject: String,
    /// Its digest, where it is known.
    pub digest: Option<Digest>,
    /// The moment as of which it was judged.
    pub as_of: Timestamp,
    /// Whether its provenance is verified and as expected.
    pub verdict: Verdict,
    /// Why, for a person.
    pub detail: String,
    /// The level that is shown.
    pub level: BuildLevel,
    /// Who vouches for that.
    pub vouched: Vouched,
    /// The provenance that shows it.
    pub provenance: Option<Provenance>,
    /// The run that built it: as the certificate that was verified names it, else as the provenance does.
    pub run: Option<String>,
    /// Where that is logged, for a person.
    pub log: Option<String>,
    /// For each level above, what is missing.
    pub missing: Vec<(BuildLevel, String)>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Who runs it; none where no cluster was asked.
    pub run_by: Option<Vec<RunningWorkload>>,
}

/// The level of SLSA's build track that is shown of an image, by trust policies and documents of builders alone: whatever a control expects
/// beyond that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownLevel {
    /// The level. L1 may be unverified: provenance that anybody may have written.
    pub level: BuildLevel,
    /// The builder, or the authority, that vouches for it, by its name in the documents; none where nobody does.
    pub by: Option<String>,
    /// What every level above lacks; none at the highest.
    pub lack: Option<(Reason, String)>,
    /// The highest level that may be shown after all, and why that is not known.
    pub possible: Option<(BuildLevel, UnknownAnswer)>,
}

impl ShownLevel {
    /// The level that is shown by somebody who is trusted.
    #[must_use]
    pub fn verified(&self) -> BuildLevel {
        if self.by.is_some() { self.level } else { BuildLevel::L0 }
    }
}

/// Who vouches for provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Vouched {
    /// A builder that a document trusts.
    Builder {
        /// Its name in the document.
        name: String,
        /// Who signed.
        signer: String,
    },
    /// An authority of the trust policies for the image.
    Authority {
        /// Its name.
        name: String,
        /// Who signed.
        signer: String,
    },
    /// Nobody who is trusted.
    Nobody,
}

/// A workload that runs the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningWorkload {
    /// Namespace, kind and name.
    pub workload: String,
    /// The container.
    pub container: String,
    /// How many pods.
    pub pods: u32,
}
