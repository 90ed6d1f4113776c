//! Options of what makes a scan fail.

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
