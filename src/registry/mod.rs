//! Answers about images: from registries, and from layouts and bundles on disk.
//!
//! Every answer is hostile until the bytes prove themselves: sizes are bounded, digests compared, names never followed.

mod bundles;
mod cache;
mod disk;
mod layout;

pub use bundles::{BundleProblem, Bundles, BundlesError};
pub use cache::{CacheError, DiskCache};
pub use layout::{Layout, LayoutError};
