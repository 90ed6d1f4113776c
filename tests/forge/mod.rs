//! A private Sigstore in memory, and what goes wrong with signatures: `fixtures/signatures/` is made here.
//!
//! `SEAWORTHY_WRITE_FIXTURES=1 cargo test --test integration forge::` (or `make signatures`) writes them anew. Keys are new each time
//! and ECDSA signs differently each time: the files that are kept are the truth, and are judged, not compared.

mod attested;
mod bundle;
mod cases;
mod certificate;
pub mod cosign;
mod der;
mod kept;
pub mod key;
pub mod layout;
pub mod live;
mod log;
mod mutations;
mod sigstore;
mod table;
mod tests;
mod time_stamp;
mod told;
mod trials;
mod trust;
pub mod vectors;
mod walk;
