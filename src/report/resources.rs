//! Workloads across controls: what several formats count alike.

use std::collections::BTreeSet;

use crate::model::{ControlOutcome, ControlResult, ControlStatus, Report, Severity};

/// Each workload's worst status over all controls, by its position; none where no control applied to it.
pub(super) fn statuses(report: &Report) -> Vec<Option<ControlStatus>> {
    statuses_under(report, report.controls.iter())
}

/// The same over some of the controls.
pub(super) fn statuses_under<'a>(report: &Report, controls: impl Iterator<Item = &'a ControlResult>) -> Vec<Option<ControlStatus>> {
    let mut worst = vec![None; report.workloads.len()];
    for finding in controls.flat_map(ControlResult::findings) {
        let Some(status) = usize::try_from(finding.workload).ok().and_then(|at| worst.get_mut(at)) else { continue };
        if finding.status != ControlStatus::Irrelevant {
            *status = Some(status.map_or(finding.status, |known: ControlStatus| known.min(finding.status)));
        }
    }
    worst
}

/// How many workloads came out how, each counted once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    /// A control fails.
    pub(super) failed: usize,
    /// None fails, one is unknown, accepted or not.
    pub(super) unknown: usize,
    /// All pass.
    pub(super) passed: usize,
}

impl Totals {
    /// Counts over the given statuses.
    pub(super) fn of(statuses: &[Option<ControlStatus>]) -> Self {
        let mut totals = Self::default();
        for status in statuses.iter().flatten() {
            match status {
                ControlStatus::Failed => totals.failed += 1,
                ControlStatus::Unknown | ControlStatus::AcceptedUnknown => totals.unknown += 1,
                ControlStatus::Excepted | ControlStatus::Passed => totals.passed += 1,
                ControlStatus::Irrelevant => {}
            }
        }
        totals
    }

    /// Workloads that any control applied to.
    pub(super) fn all(self) -> usize {
        self.failed + self.unknown + self.passed
    }
}

/// Workloads that fail a control of the severity, each counted once.
pub(super) fn failed_with(report: &Report, severity: Severity) -> usize {
    let controls = report.controls.iter().filter(|control| control.severity == severity);
    let failed = controls.flat_map(|control| control.findings()).filter(|finding| finding.status == ControlStatus::Failed);
    failed.map(|finding| finding.workload).collect::<BTreeSet<_>>().len()
}

/// Controls that wait for the user: unconfigured ones, and those that a person has to review.
pub(super) fn action_required(report: &Report) -> usize {
    let waiting = |outcome: &ControlOutcome| matches!(outcome, ControlOutcome::Unconfigured { .. } | ControlOutcome::RequiresReview { .. });
    report.controls.iter().filter(|control| waiting(&control.outcome)).count()
}
