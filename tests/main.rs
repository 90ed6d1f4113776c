//! The one integration-test binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells what is wrong by panicking")]

mod architecture;
mod gather;
mod report;
mod world;
