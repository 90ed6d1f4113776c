//! Options of what makes a scan fail.

use std::path::PathBuf;

use clap::Args;

use crate::model::Severity;
use crate::score::Gates;

/// What makes a scan fail.
#[derive(Debug, Args)]
pub struct GateOptions {
    /// Fail (exit 1) below this compliance, 0 to 100; undecided (exit 3) where unknowns decide
    #[arg(long, global = true, value_name = "PERCENT", value_parser = parse_percent, help_heading = "Gate")]
    pub compliance_threshold: Option<f64>,
    /// Fail where a control of at least this severity fails: low, medium, high or critical
    #[arg(long, global = true, value_name = "SEVERITY", value_parser = parse_severity, help_heading = "Gate")]
    pub severity_threshold: Option<Severity>,
    /// Fail where one of these controls fails, those in preview included
    #[arg(long, global = true, value_name = "ID[,ID…]", value_delimiter = ',', help_heading = "Gate")]
    pub fail_on: Vec<String>,
    /// Count only what this report (of `-f json`) does not have already
    #[arg(long, global = true, value_name = "REPORT.json", conflicts_with = "baseline_manifests", help_heading = "Gate")]
    pub baseline: Option<PathBuf>,
    /// Count only what these manifests, judged now, do not have already: those of the branch that is merged into, say
    #[arg(long, global = true, value_name = "DIR|FILE", help_heading = "Gate")]
    pub baseline_manifests: Option<PathBuf>,
    /// Compare with the baseline although it is of another cluster, or of something else
    #[arg(long, global = true, help_heading = "Gate")]
    pub force_baseline: bool,
    /// Accept unknowns of these causes, each optionally for a pattern of repositories only
    #[arg(long, global = true, value_name = "CAUSE[:PATTERN],…", value_delimiter = ',', help_heading = "Gate")]
    pub allow_unknown: Vec<String>,
}

impl GateOptions {
    /// The gates that are set.
    pub fn gates(&self) -> Gates {
        Gates { compliance: self.compliance_threshold, severity: self.severity_threshold, controls: self.fail_on.clone() }
    }
}

pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a number from 0 to 100 is wanted".to_owned()),
    }
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    let known = Severity::DESCENDING.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(text));
    known.ok_or_else(|| "low, medium, high or critical is wanted".to_owned())
}
