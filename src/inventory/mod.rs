//! What a cluster, or a set of manifests, runs.
//!
//! A live cluster is read over paginated lists into slim types; pods are folded into their owners page by page and never held.
//! Digests come from the status, repositories from the specification. What could not be read is a gap, never an absence.
//! This room asks the API server and reads manifest files; it must not ask registries, and it judges nothing.

mod assemble;
mod connect;
mod error;
mod expiry;
mod fold;
mod image_id;
mod intern;
mod kinds;
mod listing;
mod lists;
pub mod manifests;
mod merge;
mod narrow;
mod networks;
mod not_judged;
mod objects;
mod owners;
mod pages;
pub mod rbac;
mod request;
mod revisions;
mod scope;
mod secrets;
mod selector;
mod slim;
mod template;
mod uid;

pub use connect::{Cluster, ConnectOptions, Timeouts};
pub use error::InventoryError;
pub use kinds::{CustomKind, CustomKindError};
pub use listing::{InventoryOptions, Listing, PAGE_SIZE};
pub use narrow::narrow;
pub use networks::{ClusterNetworks, Network};
pub use request::{ClockReading, Traffic};
pub use scope::ScopeError;
pub use selector::SelectorError;
