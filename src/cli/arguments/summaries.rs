//! Options of the verification summaries that a scan writes.

use std::path::PathBuf;

use clap::Args;

/// Who this program is in a summary, where its user gives it no name.
const VERIFIER: &str = "https://seaworthy.dev/verifiers/seaworthy";

/// Verification summaries.
#[derive(Debug, Args)]
pub struct SummaryOptions {
    /// Write a SLSA verification summary (VSA) of each image whose result is known into this directory, which is made or empty
    #[arg(long, global = true, value_name = "DIR", help_heading = "Verification summaries", conflicts_with = "at")]
    pub vsa_out: Option<PathBuf>,
    /// Sign them with this private key (PKCS #8 in PEM, or cosign's with its password in COSIGN_PASSWORD): Sigstore bundles instead of
    /// plain statements
    #[arg(long, global = true, value_name = "FILE", help_heading = "Verification summaries", requires = "vsa_out")]
    pub vsa_key: Option<PathBuf>,
    /// URI that names the verifier: yours, where a key signs
    #[arg(
        long,
        global = true,
        value_name = "URI",
        help_heading = "Verification summaries",
        requires = "vsa_out",
        default_value = VERIFIER,
        value_parser = uri
    )]
    pub vsa_verifier: String,
}

fn uri(text: &str) -> Result<String, String> {
    // As it was written: whoever trusts it compares letters.
    url::Url::parse(text).map(|_| text.to_owned()).map_err(|error| format!("it is no URI ({error}): https://example.org/verifier"))
}
