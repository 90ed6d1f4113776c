//! `sbom`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{EvidenceOptions, RegistryOptions, TrustOptions};
use crate::model::SbomFormat;

const EXAMPLES: &str = "\
Examples:
  seaworthy sbom get ghcr.io/acme/app:v1 --trust-policy policy.yaml -o sbom.json
  seaworthy sbom get ghcr.io/acme/app:v1 --key release.pub --format cyclonedx
  seaworthy sbom get ghcr.io/acme/app:v1 | grype

The document goes to standard output (or FILE) whoever signed it; standard error says which it is.
Exit codes: 0 attested by whom you trust · 1 by a stranger or by nobody, or there is none · 2 usage or configuration · 3 unknown";

/// `sbom`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SbomArguments {
    /// What to do.
    #[command(subcommand)]
    pub what: SbomWhat,
}

/// What `sbom` does.
#[derive(Debug, Subcommand)]
pub enum SbomWhat {
    /// Write the bill of materials of an image: an attested one before one that is only attached
    Get(Box<SbomGet>),
}

/// `sbom get`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SbomGet {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Only in this format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "any", help_heading = "Output")]
    pub format: BillFormat,
    /// Write to this file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Whom to trust.
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Where to look.
    #[command(flatten)]
    pub evidence: EvidenceOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
}

/// Format of a bill of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BillFormat {
    /// Either.
    Any,
    /// SPDX.
    Spdx,
    /// CycloneDX.
    Cyclonedx,
}

impl BillFormat {
    /// Whether a bill of this format is asked for.
    #[must_use]
    pub fn wants(self, format: SbomFormat) -> bool {
        match self {
            Self::Any => true,
            Self::Spdx => format == SbomFormat::Spdx,
            Self::Cyclonedx => format == SbomFormat::CycloneDx,
        }
    }
}
