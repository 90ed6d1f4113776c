//! From counts to compliance, and from compliance to gates.
//!
//! Pure. Compliance is an interval: unknown is neither pass nor fail, so it widens the interval instead of moving it.

mod coverage;

pub use coverage::{Milestone, milestones, threats};

use crate::model::{Compliance, Counts, GateCheck, GateOutcome, GateResult};

/// Compliance of one control over its applicable workloads: `[passed / all, (passed + unknown) / all]` in percent; what is excepted
/// counts as passed. None where nothing is applicable: that is not 100.
#[must_use]
pub fn compliance(counts: &Counts) -> Option<Compliance> {
    interval(counts.passed + counts.excepted, counts.unknown + counts.accepted, counts.applicable())
}

/// The same as a gate sees it: what is unknown by a cause that the user accepts counts as passed.
#[must_use]
pub fn gated(counts: &Counts) -> Option<Compliance> {
    interval(counts.passed + counts.excepted + counts.accepted, counts.unknown, counts.applicable())
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

/// Percent that rounding in a mean may lose. No gate is decided by it: one workload among a billion weighs more.
const LAST_BITS: f64 = 1e-9;

/// Compares with a threshold in percent: missed when even the upper end is below it, met when the lower end is not.
#[must_use]
pub fn gate(threshold: f64, compliance: Option<Compliance>) -> GateResult {
    let outcome = match compliance {
        None => GateOutcome::NothingApplicable,
        Some(compliance) if compliance.upper < threshold - LAST_BITS => GateOutcome::Missed,
        Some(compliance) if compliance.lower >= threshold - LAST_BITS => GateOutcome::Met,
        Some(_) => GateOutcome::Undecided,
    };
    GateResult { check: GateCheck::Compliance { threshold, reached: compliance }, outcome }
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
        assert_eq!(gate(0.0, None).outcome, GateOutcome::NothingApplicable);
    }

    #[test]
    fn a_gate_is_missed_met_or_undecided() {
        let between = compliance(&counts(5, 3, 2));
        assert_eq!(gate(70.1, between).outcome, GateOutcome::Missed);
        assert_eq!(gate(70.0, between).outcome, GateOutcome::Undecided);
        assert_eq!(gate(50.0, between).outcome, GateOutcome::Met);
        let all = Counts { accepted: 2, ..counts(8, 0, 0) };
        assert_eq!(compliance(&all), Some(Compliance { lower: 80.0, upper: 100.0 }));
        assert_eq!(gate(100.0, gated(&all)).outcome, GateOutcome::Met);
    }

    #[test]
    fn no_gate_is_missed_by_a_rounding_error() {
        // Every mean of shares that is exactly 50 %: n of m, and m - n of m.
        for all in 1..200 {
            for passed in 0..=all {
                let shares = [counts(passed, all - passed, 0), counts(all - passed, passed, 0)].map(|counts| compliance(&counts).unwrap());
                assert_eq!(gate(50.0, mean(&shares)).outcome, GateOutcome::Met, "{passed} of {all}");
            }
        }
        let almost = compliance(&counts(999_999_999, 1, 0));
        assert_eq!(gate(100.0, almost).outcome, GateOutcome::Missed);
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
