//! Verification of signatures: bytes and trust material to facts.

mod trust;
mod vectors;
