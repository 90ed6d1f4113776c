//! Every format of a report, as its readers get it.

mod causes;
mod changes;
mod csv;
mod files;
pub(crate) mod fleet;
pub(crate) mod hostile;
pub(crate) mod html;
mod images;
pub(crate) mod large;
pub(crate) mod markdown;
pub(crate) mod openreports;
pub(crate) mod pipelines;
mod programs;
pub(crate) mod prometheus;
pub(crate) mod sample;
pub(crate) mod sarif;
mod stored;
mod terminal;
pub(crate) mod vast;

use seaworthy::report::{Appearance, pretty};

fn pretty(report: &seaworthy::model::Report, width: usize, color: bool, verbose: bool) -> String {
    let mut bytes = Vec::new();
    let options = pretty::Options { appearance: Appearance { color, width }, verbose };
    pretty::render(report, options, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
