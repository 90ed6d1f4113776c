//! Whom to trust, and as of when.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::parse_duration;

/// Whom to trust: policies, or one authority for a quick look.
#[derive(Debug, Default, Args)]
pub struct TrustOptions {
    /// Trust policy (repeatable); its section `evidence` also says where else to look
    #[arg(long, global = true, value_name = "FILE", help_heading = "Trust")]
    pub trust_policy: Vec<PathBuf>,
    /// Trust signatures by this public key (PEM; repeatable)
    #[arg(long = "key", global = true, value_name = "PEM", help_heading = "Trust")]
    pub keys: Vec<PathBuf>,
    /// Trust keyless signatures by this identity; needs an issuer
    #[arg(
        long,
        global = true,
        value_name = "SUBJECT",
        help_heading = "Trust",
        alias = "certificate-identity",
        conflicts_with = "identity_regexp"
    )]
    pub identity: Option<String>,
    /// The same by a regular expression, anchored at both ends
    #[arg(long, global = true, value_name = "REGEXP", help_heading = "Trust", alias = "certificate-identity-regexp")]
    pub identity_regexp: Option<String>,
    /// Who issued the identity
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Trust",
        alias = "certificate-oidc-issuer",
        conflicts_with = "issuer_regexp"
    )]
    pub issuer: Option<String>,
    /// The same by a regular expression, anchored at both ends
    #[arg(long, global = true, value_name = "REGEXP", help_heading = "Trust", alias = "certificate-oidc-issuer-regexp")]
    pub issuer_regexp: Option<String>,
    /// Trust root of --key and --identity (default: Sigstore's public-good one)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Trust")]
    pub trusted_root: Option<PathBuf>,
    /// Contact nothing but the API server, registries and the places that a policy's `evidence` names: trust roots come from the cache, or from inside this program
    #[arg(long, global = true, help_heading = "Trust")]
    pub offline: bool,
    /// Warn of trust roots that are older
    #[arg(long, global = true, value_name = "DURATION", default_value = "30d", value_parser = parse_duration, help_heading = "Trust")]
    pub max_root_age: Duration,
    /// Judge as of this moment (2026-06-30, or 2026-06-30T12:00:00Z): what is proven to be later is not there
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_moment, help_heading = "Trust")]
    pub at: Option<Timestamp>,
}

impl TrustOptions {
    /// Whether an identity is asked for in any form.
    pub(in crate::cli) fn names_identity(&self) -> bool {
        [&self.identity, &self.identity_regexp, &self.issuer, &self.issuer_regexp].into_iter().any(Option::is_some)
    }
}

/// A date stands for its last moment: what was signed on that day is there.
fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let moment: crate::documents::Moment = text.parse()?;
    Ok(match moment {
        crate::documents::Moment::Day(_) => moment.end() - jiff::SignedDuration::from_secs(1),
        crate::documents::Moment::Instant(instant) => instant,
    })
}
