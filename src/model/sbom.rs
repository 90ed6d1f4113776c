//! Bills of materials: what matters of SPDX and CycloneDX documents, in one form.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::predicate::{PredicateKind, SPDX};

/// In which format it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SbomFormat {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
}

impl SbomFormat {
    /// Its name, for a person.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spdx => "SPDX",
            Self::CycloneDx => "CycloneDX",
        }
    }

    /// The format that a predicate type is about.
    #[must_use]
    pub fn of_predicate_type(predicate_type: &str) -> Option<Self> {
        (PredicateKind::of(predicate_type) == PredicateKind::Sbom).then(|| match predicate_type.starts_with(SPDX) {
            true => Self::Spdx,
            false => Self::CycloneDx,
        })
    }

    /// The format of a document that is attached as it is, by its media type.
    #[must_use]
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type.split([';', '+']).next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/spdx" | "text/spdx" => Some(Self::Spdx),
            "application/vnd.cyclonedx" | "text/vnd.cyclonedx" => Some(Self::CycloneDx),
            _ => None,
        }
    }
}

impl std::fmt::Display for SbomFormat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// A bill of materials. A claim: worth what its signer is trusted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// The format.
    pub format: SbomFormat,
    /// Version of the format's specification (`SPDX-2.3`, `1.5`).
    pub spec_version: String,
    /// What generated it, with its version, as it is written.
    pub generator: Option<String>,
    /// When, as it says.
    pub created: Option<Timestamp>,
    /// Packages or components that it lists.
    pub package_count: u32,
    /// The packages, where an expression wants them. None of SPDX 3, which keeps suppliers and licences in relationships that are not read.
    pub packages: Option<Vec<Package>>,
}

impl Sbom {
    /// Format, packages, generator and age, for a person.
    #[must_use]
    pub fn describe(&self, as_of: Timestamp) -> String {
        let version = self.spec_version.strip_prefix("SPDX-").unwrap_or(&self.spec_version);
        let packages = if self.package_count == 1 { "1 package".to_owned() } else { format!("{} packages", self.package_count) };
        let generator = self.generator.as_ref().map_or_else(|| "by an unnamed generator".to_owned(), |generator| format!("by {generator}"));
        let age = match self.created {
            Some(created) => match as_of.duration_since(created).as_hours() / 24 {
                1 => format!("of {created} (1 day old)"),
                days => format!("of {created} ({days} days old)"),
            },
            None => "of an unknown time".to_owned(),
        };
        format!("{} {version}, {packages}, {generator}, {age}", self.format)
    }
}

/// One package of a bill of materials. What is not said is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Package URL.
    pub purl: String,
    /// Who supplies it: SPDX's supplier, CycloneDX's supplier or else publisher.
    pub supplier: String,
    /// Its licence, as it is written: SPDX's concluded or else declared one, CycloneDX's ones joined by a comma.
    pub license: String,
}
