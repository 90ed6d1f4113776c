//! Verification of signatures: bytes and trust material to facts.

mod attested;
mod predicates;
mod shared;
mod signers;
mod trust;
mod vectors;
