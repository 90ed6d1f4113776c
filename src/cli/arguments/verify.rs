//! `verify` and `trust`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ClusterOptions, EvidenceOptions, RegistryOptions, ScopeOptions, TrustOptions};

const VERIFY_EXAMPLES: &str = "\
Examples:
  seaworthy verify image ghcr.io/acme/app:v1 --trust-policy policy.yaml
  seaworthy verify image ghcr.io/acme/app:v1 --key release.pub
  seaworthy verify image ghcr.io/acme/app@sha256:… \\
      --identity https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1 \\
      --issuer https://token.actions.githubusercontent.com
  seaworthy verify bundle --bundle app.tar.gz.sigstore.json --key release.pub app.tar.gz

Exit codes: 0 verified · 1 rejected or absent · 2 usage or configuration · 3 unknown";

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct Verify {
    /// What to verify.
    #[command(subcommand)]
    pub what: VerifyWhat,
}

/// What is verified.
#[derive(Debug, Subcommand)]
pub enum VerifyWhat {
    /// The signatures of an image, step by step
    Image(Box<VerifyImage>),
    /// A Sigstore bundle over a file or a digest, step by step
    Bundle(Box<VerifyBundle>),
}

/// `verify image`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct VerifyImage {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
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

/// `verify bundle`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct VerifyBundle {
    /// The bundle
    #[arg(long, value_name = "FILE")]
    pub bundle: PathBuf,
    /// What it is about: a file, or a digest (sha256:HEX); of an in-toto statement, one of its subjects
    #[arg(value_name = "ARTIFACT|sha256:HEX")]
    pub artifact: String,
    /// Whom to trust.
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Form of the output
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = "text", help_heading = "Output")]
    pub format: VerifyFormat,
}

/// Form of the output of `verify` and `slsa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people.
    Text,
    /// For programs: `verification.v1.json`, of `slsa` `build.v1.json`, in `reports/schemas/`.
    Json,
}

const TRUST_EXAMPLES: &str = "\
Examples:
  seaworthy trust explain ghcr.io/acme/app:v1 --trust-policy policy.yaml
  seaworthy trust impact --revoke key=sha256:… --trust-policy policy.yaml
  seaworthy trust impact --revoke identity=mallory@acme.test,issuer=https://accounts.acme.test \\
      --trust-policy policy.yaml";

/// `trust`.
#[derive(Debug, Args)]
#[command(after_help = TRUST_EXAMPLES)]
pub struct Trust {
    /// What to do.
    #[command(subcommand)]
    pub what: TrustWhat,
}

/// What `trust` does.
#[derive(Debug, Subcommand)]
pub enum TrustWhat {
    /// Which rules of the policies apply to an image, and why
    Explain(Box<TrustExplain>),
    /// What runs and would fail if something were not trusted any more
    Impact(Box<TrustImpact>),
}

/// `trust explain`.
#[derive(Debug, Args)]
#[command(after_help = TRUST_EXAMPLES)]
pub struct TrustExplain {
    /// The image
    #[arg(value_name = "REF")]
    pub reference: String,
    /// Whom to trust.
    #[command(flatten)]
    pub trust: TrustOptions,
}

/// `trust impact`.
#[derive(Debug, Args)]
#[command(after_help = TRUST_EXAMPLES)]
pub struct TrustImpact {
    /// What is not trusted any more: key=sha256:HEX, identity=SUBJECT,issuer=URL, sourceDigest=HEX or imageDigest=sha256:HEX (repeatable)
    #[arg(long = "revoke", value_name = "WHAT", required = true)]
    pub revoke: Vec<String>,
    /// Whom to trust.
    #[command(flatten)]
    pub trust: TrustOptions,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The scope.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// Where to look.
    #[command(flatten)]
    pub evidence: EvidenceOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// Ask a snapshot instead of a cluster
    #[arg(long, value_name = "DIR|FILE")]
    pub snapshot: Option<PathBuf>,
}
