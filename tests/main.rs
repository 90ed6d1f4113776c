//! The one integration-test binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test tells what is wrong by panicking")]

mod api_server;
mod architecture;
mod attestations;
mod cli;
mod control_tests;
mod corpus;
mod documentation;
mod documents;
mod e2e;
mod fixtures;
mod forge;
mod frameworks;
mod gather;
mod inventory;
mod leaves;
mod picture;
mod registry;
mod report;
mod rows;
mod schemas;
mod scripted_registry;
mod verification;
mod world;
