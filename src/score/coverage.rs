//! From controls' results to threats and milestones.

use std::collections::BTreeSet;

use crate::model::{
    ControlOutcome, ControlResult, ControlStatus, Coverage, Judgement, ManualControl, Milestones, NextMilestone, Stage, Standing, Threat,
    ThreatCoverage,
};

/// How a control came out as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whole {
    Fails,
    IsUnknown,
    /// It fails, and that is excepted.
    IsExcepted,
    Passes,
    Nothing,
}

fn whole(control: &ControlResult) -> Whole {
    match &control.outcome {
        _ if control.stage == Stage::Preview => Whole::Nothing,
        ControlOutcome::Judged { .. } if control.counts.failed > 0 => Whole::Fails,
        ControlOutcome::Judged { .. } if control.counts.unknown + control.counts.accepted > 0 => Whole::IsUnknown,
        ControlOutcome::Judged { .. } if control.counts.excepted > 0 => Whole::IsExcepted,
        ControlOutcome::Judged { .. } => Whole::Passes,
        ControlOutcome::Cluster { standing: Standing::Excepted(_), .. } => Whole::IsExcepted,
        ControlOutcome::Cluster { judgement, .. } => match judgement {
            Judgement::Fail { .. } => Whole::Fails,
            Judgement::Unknown { .. } => Whole::IsUnknown,
            Judgement::Pass { .. } => Whole::Passes,
        },
        ControlOutcome::Irrelevant | ControlOutcome::Unconfigured { .. } | ControlOutcome::RequiresReview { .. } => Whole::Nothing,
    }
}

/// The threat coverage matrix: each threat by all controls that see it.
#[must_use]
pub fn threats(controls: &[ControlResult]) -> Vec<ThreatCoverage> {
    let of = |threat: Threat| {
        let seeing = || controls.iter().filter(move |control| control.threats.iter().any(|letter| letter == threat.letter()));
        let coverage = match seeing().map(whole).min() {
            // Who excepts a failure accepts the threat: it is not held off.
            Some(Whole::Fails | Whole::IsExcepted) => Coverage::Violated,
            Some(Whole::IsUnknown) => Coverage::Unknown,
            Some(Whole::Passes) => Coverage::Covered,
            Some(Whole::Nothing) | None => Coverage::NotCovered,
        };
        let mut controls: Vec<_> = seeing().map(|control| control.id.clone()).collect();
        controls.sort();
        ThreatCoverage { threat, coverage, controls }
    };
    Threat::ALL.map(of).into()
}

/// A framework that is a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    /// Its place in the order, from 1.
    pub order: u8,
    /// Identifier of the framework.
    pub framework: String,
    /// Identifiers of its controls.
    pub controls: Vec<String>,
}

/// How far the organisation is. None where no milestone was asked for.
///
/// One is reached when all its controls but the manual ones pass for every workload in scope, and all before it are reached. A control
/// with nothing in scope keeps nobody from it; one that is not configured does: what it asks was not looked at.
#[must_use]
pub fn milestones(milestones: &[Milestone], controls: &[ControlResult]) -> Option<Milestones> {
    let mut ordered: Vec<_> = milestones.iter().collect();
    ordered.sort_by_key(|milestone| (milestone.order, &milestone.framework));
    let of = ordered.last()?.order;
    let results = |milestone: &Milestone| {
        let ids: BTreeSet<_> = milestone.controls.iter().cloned().collect();
        controls.iter().filter(move |control| ids.contains(&control.id))
    };
    let mut reached = 0;
    let mut next = None;
    for milestone in &ordered {
        let of_this: Vec<_> = results(milestone).collect();
        let missing = missing(milestone, &of_this);
        // Where nothing was judged at all, nothing is shown either.
        let judged = of_this.iter().any(|control| whole(control) != Whole::Nothing);
        let holds = missing == (NextMilestone { order: missing.order, framework: missing.framework.clone(), ..NextMilestone::default() });
        if holds && judged {
            reached = milestone.order;
        } else {
            next = Some(missing);
            break;
        }
    }
    let manual = ordered.iter().flat_map(|milestone| results(milestone)).filter_map(|control| match &control.outcome {
        ControlOutcome::RequiresReview { text } => Some(ManualControl { id: control.id.clone(), text: text.clone() }),
        _ => None,
    });
    let by_a_person: BTreeSet<_> = manual.collect();
    Some(Milestones { reached, of, next, by_a_person: by_a_person.into_iter().collect() })
}

/// What keeps the organisation from a milestone.
fn missing(milestone: &Milestone, controls: &[&ControlResult]) -> NextMilestone {
    let mut missing = NextMilestone { order: milestone.order, framework: milestone.framework.clone(), ..NextMilestone::default() };
    let mut failing = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for control in controls.iter().filter(|control| control.stage == Stage::Stable) {
        for finding in control.findings() {
            match finding.status {
                ControlStatus::Failed => drop(failing.insert(finding.workload)),
                ControlStatus::Unknown | ControlStatus::AcceptedUnknown => drop(unknown.insert(finding.workload)),
                ControlStatus::Excepted | ControlStatus::Passed | ControlStatus::Irrelevant => {}
            }
        }
        match (&control.outcome, whole(control)) {
            (ControlOutcome::Unconfigured { .. }, _) => missing.unconfigured.push(control.id.clone()),
            (ControlOutcome::Cluster { .. }, Whole::Fails) => missing.controls_failing.push(control.id.clone()),
            (ControlOutcome::Cluster { .. }, Whole::IsUnknown) => missing.controls_unknown.push(control.id.clone()),
            _ => {}
        }
    }
    missing.unknown = unknown.difference(&failing).copied().collect();
    missing.failing = failing.into_iter().collect();
    for list in [&mut missing.controls_failing, &mut missing.controls_unknown, &mut missing.unconfigured] {
        list.sort();
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cause, Compliance, Counts, Reason, Severity, WorkloadFinding};

    fn control(id: &str, threats: &str, outcome: ControlOutcome) -> ControlResult {
        let mut counts = Counts::default();
        if let ControlOutcome::Judged { findings, .. } = &outcome {
            for finding in findings {
                match finding.status {
                    ControlStatus::Failed => counts.failed += 1,
                    ControlStatus::Unknown => counts.unknown += 1,
                    ControlStatus::AcceptedUnknown => counts.accepted += 1,
                    ControlStatus::Excepted => counts.excepted += 1,
                    ControlStatus::Passed => counts.passed += 1,
                    ControlStatus::Irrelevant => counts.irrelevant += 1,
                }
            }
        }
        ControlResult {
            id: id.to_owned(),
            title: String::new(),
            base_score: 5,
            severity: Severity::Medium,
            stage: Stage::Stable,
            threats: threats.chars().map(String::from).collect(),
            rationale: String::new(),
            remediation: String::new(),
            references: Vec::new(),
            counts,
            outcome,
        }
    }

    fn judged(statuses: &[ControlStatus]) -> ControlOutcome {
        let findings =
            statuses.iter().zip(0..).map(|(status, workload)| WorkloadFinding { workload, status: *status, containers: Vec::new() });
        ControlOutcome::Judged { compliance: Compliance::exact(0.0), findings: findings.collect() }
    }

    fn cluster(judgement: Judgement) -> ControlOutcome {
        ControlOutcome::Cluster { judgement, standing: Standing::AsIs, novelty: None, compliance: Compliance::exact(0.0) }
    }

    fn manual(text: &str) -> ControlOutcome {
        ControlOutcome::RequiresReview { text: text.to_owned() }
    }

    use ControlStatus::{AcceptedUnknown, Failed, Passed, Unknown};

    #[test]
    fn the_worst_of_the_controls_that_see_a_threat_decides() {
        let controls = [
            control("B-1", "AB", judged(&[Passed])),
            control("A-1", "B", judged(&[Passed, Failed])),
            control("C-1", "CA", judged(&[Passed, Unknown])),
            control("D-1", "D", ControlOutcome::Irrelevant),
            control("E-1", "DE", judged(&[Passed, Passed])),
            control("F-1", "F", ControlOutcome::Unconfigured { missing: Vec::new() }),
            control("G-1", "G", cluster(Judgement::fail(Reason::Absent, ""))),
        ];
        let matrix: Vec<_> = threats(&controls).into_iter().map(|of| (of.threat.letter(), of.coverage, of.controls.join(" "))).collect();
        let expected = [
            ("A", Coverage::Unknown, "B-1 C-1"),
            ("B", Coverage::Violated, "A-1 B-1"),
            ("C", Coverage::Unknown, "C-1"),
            ("D", Coverage::Covered, "D-1 E-1"),
            ("E", Coverage::Covered, "E-1"),
            ("F", Coverage::NotCovered, "F-1"),
            ("G", Coverage::Violated, "G-1"),
            ("H", Coverage::NotCovered, ""),
        ];
        assert_eq!(matrix, expected.map(|(letter, coverage, controls)| (letter, coverage, controls.to_owned())));
    }

    fn reached(one: &[ControlResult], two: &[ControlResult]) -> Milestones {
        let ids = |controls: &[ControlResult]| controls.iter().map(|control| control.id.clone()).collect::<Vec<_>>();
        let (first, second) = (ids(one), ids(two));
        let milestone = |order: u8, controls| Milestone { order, framework: format!("m-{order}"), controls };
        let of = [milestone(2, second), milestone(1, first)];
        milestones(&of, &[one, two].concat()).unwrap()
    }

    #[test]
    fn a_milestone_needs_all_its_controls_and_all_before_it() {
        let good = || vec![control("A-1", "", judged(&[Passed, Passed])), control("A-2", "", manual("look"))];
        let all = reached(&good(), &[control("B-1", "", judged(&[Passed]))]);
        assert_eq!((all.reached, all.of, all.next), (2, 2, None));
        assert_eq!(all.by_a_person, [ManualControl { id: "A-2".to_owned(), text: "look".to_owned() }]);

        let two = [control("B-1", "", judged(&[Passed, Failed, Unknown])), control("B-2", "", judged(&[Failed, Unknown, Unknown]))];
        let next = reached(&good(), &two);
        assert_eq!(next.reached, 1);
        let next = next.next.unwrap();
        assert_eq!((next.order, next.failing, next.unknown), (2, vec![0, 1], vec![2]), "the fewest workloads, each once");

        let first_fails = reached(&[control("A-1", "", judged(&[Failed]))], &[control("B-1", "", judged(&[Passed]))]);
        assert_eq!((first_fails.reached, first_fails.next.unwrap().order), (0, 1));
    }

    #[test]
    fn what_is_not_known_not_configured_or_not_there_reaches_nothing() {
        let of = |outcome: ControlOutcome| reached(&[control("A-1", "", outcome)], &[]);
        for outcome in [judged(&[Passed, Unknown]), judged(&[AcceptedUnknown]), cluster(Judgement::unknown(Cause::Timeout, ""))] {
            let milestones = of(outcome.clone());
            assert_eq!(milestones.reached, 0, "{outcome:?}");
            assert!(milestones.next.unwrap().is_unknown(), "{outcome:?}");
        }
        for outcome in [ControlOutcome::Unconfigured { missing: vec!["x".to_owned()] }, cluster(Judgement::fail(Reason::Absent, ""))] {
            assert!(!of(outcome).next.unwrap().is_unknown());
        }
        assert_eq!(of(ControlOutcome::Irrelevant).reached, 0, "nothing was judged at all");
        let beside = reached(&[control("A-1", "", ControlOutcome::Irrelevant), control("A-2", "", judged(&[Passed]))], &[]);
        assert_eq!(beside.reached, 1, "a control with nothing in scope keeps nobody from it");
        assert_eq!(milestones(&[], &[]), None);
    }
}
