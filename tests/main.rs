//! The one integration-test binary.

mod gather;
mod world;
