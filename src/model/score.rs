//! Severity and interval compliance as values; the arithmetic over findings lives in the room `score`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Severity by a control's base score (1 to 10), as Kubescape names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// 1 to 3.
    Low,
    /// 4 to 6.
    Medium,
    /// 7 and 8.
    High,
    /// 9 and 10.
    Critical,
}

impl Severity {
    /// All, the most severe first: the order of every summary.
    pub const DESCENDING: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The severity of a base score.
    #[must_use]
    pub fn from_base_score(score: u8) -> Self {
        match score {
            9.. => Self::Critical,
            7..=8 => Self::High,
            4..=6 => Self::Medium,
            _ => Self::Low,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

/// How many workloads came out how, under one control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
    /// Unknown, accepted ones not among them.
    pub unknown: u64,
    /// Unknown by a cause that the user accepts.
    pub accepted: u64,
    /// Outside the control's scope: not in the score.
    pub irrelevant: u64,
}

impl Counts {
    /// Workloads in the score.
    #[must_use]
    pub fn applicable(&self) -> u64 {
        self.passed + self.failed + self.unknown + self.accepted
    }
}

/// A compliance interval in percent, `0.0..=100.0`; one number where nothing is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compliance {
    /// If everything unknown failed.
    pub lower: f64,
    /// If everything unknown passed.
    pub upper: f64,
}
