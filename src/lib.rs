//! Seaworthy audits the supply chain of what a Kubernetes cluster really runs.
//!
//! The rooms and who may import whom are drawn in `docs/design/architecture.md`; a test parses the imports of every file and
//! fails on an edge that is not drawn there.

pub mod cli;
pub mod controls;
pub mod documents;
pub mod inventory;
pub mod model;
pub mod policy;
pub mod registry;
pub mod report;
pub mod scan;
pub mod score;
pub mod sign;
pub mod snapshot;
pub mod trust;
pub mod verify;
