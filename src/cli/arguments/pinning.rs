//! Options of pinning images in manifests.

use clap::Args;

/// Whether and where images are pinned.
#[derive(Debug, Args)]
pub struct PinningOptions {
    /// Print the manifests with each image that passes pinned to its digest: one file whole, several as a diff; the report goes to standard error
    #[arg(long, global = true, help_heading = "Manifests", conflicts_with_all = ["snapshot", "dry_run"])]
    pub fix_digests: bool,
    /// Write pinned images into the files themselves
    #[arg(long, global = true, help_heading = "Manifests", requires = "fix_digests")]
    pub write: bool,
}
