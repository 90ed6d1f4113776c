//! Metrics for Prometheus: the text exposition format 0.0.4, for the node exporter's text-file collector or a push gateway.
//!
//! Kubescape's names, so that its dashboards go on working, and our own with both ends of the compliance interval. Nothing is labelled
//! with a pod, a workload or an image; namespaces and owners are capped ([`MOST_VALUES`]), the rest is summed under [`OTHER`].

mod exposition;
mod kubescape;
mod metrics;
mod scan;
mod tallies;

use std::io::{self, Write};

pub use self::metrics::{METRICS, Metric};
use crate::model::Report;

/// Namespaces, owners and clusters that have a label value of their own: those with most workloads.
pub const MOST_VALUES: usize = 50;
/// The label value of all others: no namespace can be called so.
pub const OTHER: &str = "_other";
/// The label value where there is none: no namespace, no owner, no cluster.
pub const NONE: &str = "_none";

/// Writes the metrics, each family with its HELP and TYPE.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut families = exposition::Families::new(out);
    kubescape::write(report, &mut families)?;
    scan::write(report, &mut families)?;
    tallies::write(report, &mut families)
}
