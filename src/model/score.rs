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
    /// Excepted: counted as passed, and shown as excepted.
    #[serde(default)]
    pub excepted: u64,
    /// Outside the control's scope: not in the score.
    pub irrelevant: u64,
}

impl Counts {
    /// Workloads in the score.
    #[must_use]
    pub fn applicable(&self) -> u64 {
        self.passed + self.failed + self.unknown + self.accepted + self.excepted
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

/// Most decimal places that [`Compliance::percent_text`] shows to keep the two ends of an interval apart.
const MOST_DECIMALS: usize = 4;

impl Compliance {
    /// One number where nothing is unknown.
    #[must_use]
    pub fn exact(percent: f64) -> Self {
        Self { lower: percent, upper: percent }
    }

    /// Whether the unknowns leave it open.
    #[must_use]
    pub fn is_interval(self) -> bool {
        self.lower < self.upper
    }

    /// As people read it beside a threshold that it was compared with: never a number that reads like the threshold and is below it.
    #[must_use]
    pub fn percent_text_below(self, threshold: f64) -> String {
        let misread = |decimals: usize| {
            let reads_as = |percent: f64| rounded(percent, decimals).parse().unwrap_or(percent);
            [self.lower, self.upper].into_iter().any(|end| end < threshold && reads_as(end) >= threshold)
        };
        let Some(decimals) = (0..=MOST_DECIMALS).find(|decimals| !misread(*decimals)) else {
            return format!("just below {threshold} %");
        };
        match decimals {
            0 => self.percent_text(),
            _ if self.is_interval() => format!("{}–{} %", rounded(self.lower, decimals), rounded(self.upper, decimals)),
            _ => format!("{} %", rounded(self.lower, decimals)),
        }
    }

    /// As people read it: `20 %`, or `10–20 %` where something is unknown.
    ///
    /// Rounded to whole percent, and to as many decimal places as keep the two ends apart; never 100 below 100.
    #[must_use]
    pub fn percent_text(self) -> String {
        if !self.is_interval() {
            return format!("{} %", rounded(self.lower, 0));
        }
        let ends = (0..=MOST_DECIMALS).map(|decimals| (rounded(self.lower, decimals), rounded(self.upper, decimals)));
        match ends.into_iter().find(|(lower, upper)| lower != upper) {
            Some((lower, upper)) => format!("{lower}–{upper} %"),
            None => format!("{} %", rounded(self.lower, MOST_DECIMALS)),
        }
    }
}

/// A percentage with so many decimal places; what is below 100 never reads 100.
fn rounded(percent: f64, decimals: usize) -> String {
    let text = format!("{percent:.decimals$}");
    if percent < 100.0 && text.starts_with("100") {
        let step = 10_f64.powi(-i32::try_from(decimals).unwrap_or(0));
        return format!("{:.decimals$}", 100.0 - step);
    }
    if percent >= 100.0 { "100".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misses_a_threshold_does_not_read_like_it() {
        for (lower, upper, threshold, text) in [
            (79.6, 79.6, 80.0, "79.6 %"),
            (79.996, 79.996, 80.0, "79.996 %"),
            (79.6, 90.0, 80.0, "79.6–90.0 %"),
            (10.0, 79.6, 80.0, "10.0–79.6 %"),
            (80.0, 80.0, 80.0, "80 %"),
            (80.4, 80.4, 80.0, "80 %"),
            (60.0, 60.0, 80.0, "60 %"),
            (99.99, 99.99, 100.0, "99 %"),
            (79.999_999, 79.999_999, 80.0, "just below 80 %"),
            (33.3, 33.3, 33.33, "33 %"),
        ] {
            assert_eq!(Compliance { lower, upper }.percent_text_below(threshold), text);
        }
    }

    #[test]
    fn compliance_reads_as_one_number_or_two() {
        for (lower, upper, text) in [
            (20.0, 20.0, "20 %"),
            (10.0, 20.0, "10–20 %"),
            (0.0, 100.0, "0–100 %"),
            (100.0, 100.0, "100 %"),
            (66.666, 66.666, "67 %"),
            (99.99, 99.99, "99 %"),
            (99.6, 100.0, "99–100 %"),
            (99.1, 99.4, "99.1–99.4 %"),
            (99.97, 99.99, "99.97–99.99 %"),
            (0.0, 0.04, "0.00–0.04 %"),
        ] {
            assert_eq!(Compliance { lower, upper }.percent_text(), text);
        }
    }
}
