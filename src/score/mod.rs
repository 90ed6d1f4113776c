//! From counts to compliance, and from compliance to gates.
//!
//! Pure. Compliance is an interval: unknown is neither pass nor fail, so it widens the interval instead of moving it.

mod baseline;
mod changes;
mod coverage;
mod gate;

pub use baseline::{BaselineError, comparable, mark};
pub use changes::changes;
pub use coverage::{Milestone, milestones, threats};
pub use gate::{Gates, leaves_unknown};

use crate::model::{Compliance, Counts};

/// Compliance of one control over its applicable workloads: `[passed / all, (passed + unknown) / all]` in percent; what is excepted
/// counts as passed. None where nothing is applicable: that is not 100.
#[must_use]
pub fn compliance(counts: &Counts) -> Option<Compliance> {
    interval(counts.passed + counts.excepted, counts.unknown + counts.accepted, counts.applicable())
}

#[expect(clippy::cast_precision_loss, reason = "no cluster has 2^52 workloads")]
fn interval(passed: u64, unknown: u64, all: u64) -> Option<Compliance> {
    let percent = |part: u64| 100.0 * part as f64 / all as f64;
    (all > 0).then(|| Compliance { lower: percent(passed), upper: percent(passed + unknown) })
}

/// The mean of both ends, as a framework's and the overall compliance are. None where there is nothing to take the mean of.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no framework has 2^52 controls")]
pub fn mean(of: &[Compliance]) -> Option<Compliance> {
    let count = of.len() as f64;
    let sum = |end: fn(&Compliance) -> f64| of.iter().map(end).sum::<f64>() / count;
    (!of.is_empty()).then(|| Compliance { lower: sum(|one| one.lower), upper: sum(|one| one.upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, unknown: u64) -> Counts {
        Counts { passed, failed, unknown, ..Counts::default() }
    }

    #[test]
    fn the_talks_example_is_twenty_percent() {
        assert_eq!(compliance(&counts(2, 8, 0)), Some(Compliance { lower: 20.0, upper: 20.0 }));
        assert_eq!(compliance(&counts(1, 8, 1)), Some(Compliance { lower: 10.0, upper: 20.0 }));
    }

    #[test]
    fn nothing_applicable_is_not_full_compliance() {
        assert_eq!(compliance(&Counts { irrelevant: 5, ..Counts::default() }), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn the_mean_takes_both_ends() {
        let mean = mean(&[Compliance { lower: 0.0, upper: 50.0 }, Compliance { lower: 100.0, upper: 100.0 }]);
        assert_eq!(mean, Some(Compliance { lower: 50.0, upper: 75.0 }));
    }

    proptest::proptest! {
        #[test]
        fn an_interval_is_ordered_and_knowing_narrows_it(passed in 0_u64..50, failed in 0_u64..50, unknown in 1_u64..50) {
            let before = compliance(&counts(passed, failed, unknown)).unwrap();
            proptest::prop_assert!(0.0 <= before.lower && before.lower <= before.upper && before.upper <= 100.0);
            for after in [counts(passed + 1, failed, unknown - 1), counts(passed, failed + 1, unknown - 1)] {
                let after = compliance(&after).unwrap();
                proptest::prop_assert!(before.lower <= after.lower && after.upper <= before.upper);
            }
        }
    }
}
