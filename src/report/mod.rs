//! A report as bytes, one file a format: `render(&Report, …, &mut impl Write)`.
//!
//! This room judges nothing, asks nothing and reads no clock: the same report gives the same bytes. Whatever a person reads on a
//! terminal has its control characters escaped; what a program reads has its own, versioned structures (JSON with the same characters escaped).

mod advice;
mod answer;
pub mod build;
pub mod causes;
mod cells;
pub mod changes;
pub mod csv;
mod exceptions;
mod gates;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod images;
mod indented;
pub mod json;
pub mod junit;
pub mod kubescape_json;
pub mod markdown;
mod open;
pub mod openreports;
mod place;
pub mod pretty;
pub mod prometheus;
mod proofs;
mod resources;
mod roots;
pub mod sarif;
mod terminal;
pub mod verification;

pub use advice::advice;
pub use terminal::Appearance;
