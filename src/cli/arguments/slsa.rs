//! `slsa`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClusterOptions, EvidenceOptions, RegistryOptions, TrustOptions, VerifyFormat};

const SLSA_EXAMPLES: &str = "\
Examples:
  seaworthy slsa verify ghcr.io/acme/app@sha256:… --source-uri github.com/acme/app
  seaworthy slsa verify ghcr.io/acme/app:v1.2.3 --source-uri github.com/acme/app --source-tag v1.2.3
  seaworthy slsa verify ghcr.io/acme/app@sha256:… --source-uri github.com/acme/app --layout saved/
  seaworthy slsa explain ghcr.io/acme/app:v1.2.3

Exit codes: 0 verified · 1 rejected or absent · 2 usage or configuration · 3 unknown";

/// `slsa`.
#[derive(Debug, Args)]
#[command(after_help = SLSA_EXAMPLES)]
pub struct Slsa {
    /// What to do.
    #[command(subcommand)]
    pub what: SlsaWhat,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum SlsaWhat {
    /// Verify the provenance of an image against what is expected of it
    #[command(after_help = SLSA_EXAMPLES)]
    Verify(Box<SlsaVerify>),
    /// Show the chain of an image: commit, workflow, run, builder, digest, log entry, and the pods that run it
    #[command(after_help = SLSA_EXAMPLES)]
    Explain(Box<SlsaExplain>),
}

/// `slsa verify`.
#[derive(Debug, Args)]
pub struct SlsaVerify {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Source repository that it has to be built from, such as github.com/acme/app
    #[arg(long, value_name = "SOURCE", help_heading = "Expected")]
    pub source_uri: String,
    /// Builder that has to have built it: its identifier, or its name in a document of builders
    #[arg(long, value_name = "BUILDER", help_heading = "Expected")]
    pub builder_id: Option<String>,
    /// Branch of the source
    #[arg(long, value_name = "NAME", help_heading = "Expected")]
    pub source_branch: Option<String>,
    /// Tag of the source
    #[arg(long, value_name = "NAME", help_heading = "Expected")]
    pub source_tag: Option<String>,
    /// Version of the source's tag: v1.2 stands for v1.2.7, too
    #[arg(long, value_name = "VERSION", help_heading = "Expected", conflicts_with = "source_tag")]
    pub source_versioned_tag: Option<String>,
    /// Level that has to be shown
    #[arg(long, value_name = "1-3", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=3), help_heading = "Expected")]
    pub level: u8,
    /// What to look at, and whom to trust.
    #[command(flatten)]
    pub common: SlsaCommon,
}

/// `slsa explain`.
#[derive(Debug, Args)]
pub struct SlsaExplain {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Do not ask the cluster which pods run it
    #[arg(long, help_heading = "Cluster")]
    pub no_cluster: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// What to look at, and whom to trust.
    #[command(flatten)]
    pub common: SlsaCommon,
}

/// What both have.
#[derive(Debug, Args)]
pub struct SlsaCommon {
    /// Directory of builders (and controls) to add to the built-in ones (repeatable)
    #[arg(long = "controls", value_name = "DIR", help_heading = "Trust")]
    pub builders: Vec<PathBuf>,
    /// Look at the images and evidence of a snapshot, and ask nothing
    #[arg(long, value_name = "PATH", help_heading = "Evidence")]
    pub snapshot: Option<PathBuf>,
    /// Whom to trust.
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Where to look.
    #[command(flatten)]
    pub evidence: EvidenceOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// Form of the output
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "text", help_heading = "Output")]
    pub format: VerifyFormat,
}
