//! Verification of signatures: bytes and trust material to facts.

mod shared;
mod trust;
mod vectors;
