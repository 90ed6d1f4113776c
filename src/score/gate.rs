//! Gates over a report's controls: by compliance, by severity, by name.
//!
//! A gate looks at what counts: accepted unknowns, what is excepted and what a baseline has already are as good as passed. Controls in
//! preview count only where a gate names them.

use crate::model::{
    Compliance, ContainerFinding, ControlOutcome, ControlResult, Counts, GateCheck, GateOutcome, GateResult, Judgement, Novelty, Severity,
    Stage, Standing, WorkloadFinding,
};

use super::{compliance, mean};

/// Which gates are set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gates {
    /// At least this compliance, percent.
    pub compliance: Option<f64>,
    /// No control of at least this severity may fail.
    pub severity: Option<Severity>,
    /// None of these controls may fail.
    pub controls: Vec<String>,
}

impl Gates {
    /// How each gate comes out, in this order: compliance, severity, controls.
    #[must_use]
    pub fn judge(&self, results: &[ControlResult]) -> Vec<GateResult> {
        let mut gates = Vec::new();
        if let Some(threshold) = self.compliance {
            let counted: Vec<_> = results.iter().filter(|result| result.stage == Stage::Stable).filter_map(at_gate).collect();
            gates.push(by_compliance(threshold, mean(&counted)));
        }
        if let Some(at_least) = self.severity {
            let of = || results.iter().filter(|result| result.stage == Stage::Stable && result.severity >= at_least);
            let Found { failing, unknown, outcome } = found(of());
            gates.push(GateResult { check: GateCheck::Severity { at_least, failing, unknown }, outcome });
        }
        if !self.controls.is_empty() {
            let mut named = self.controls.clone();
            named.sort();
            named.dedup();
            let Found { failing, unknown, mut outcome } = found(results.iter().filter(|result| named.contains(&result.id)));
            // One that was named and could not be judged is not held by the others.
            let unheard = named.iter().any(|id| !results.iter().any(|result| result.id == *id && is_judged(result)));
            if unheard && outcome != GateOutcome::Missed {
                outcome = GateOutcome::NothingApplicable;
            }
            gates.push(GateResult { check: GateCheck::Controls { named, failing, unknown }, outcome });
        }
        gates
    }
}

/// Percent that rounding in a mean may lose. No gate is decided by it: one workload among a billion weighs more.
const LAST_BITS: f64 = 1e-9;

/// Compares with a threshold in percent: missed when even the upper end is below it, met when the lower end is not.
fn by_compliance(threshold: f64, reached: Option<Compliance>) -> GateResult {
    let outcome = match reached {
        None => GateOutcome::NothingApplicable,
        Some(reached) if reached.upper < threshold - LAST_BITS => GateOutcome::Missed,
        Some(reached) if reached.lower >= threshold - LAST_BITS => GateOutcome::Met,
        Some(_) => GateOutcome::Undecided,
    };
    GateResult { check: GateCheck::Compliance { threshold, reached }, outcome }
}

/// How one answer counts at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Fails,
    IsUnknown,
    Passes,
}

fn counted(judgement: &Judgement, standing: Standing, novelty: Option<Novelty>) -> Counted {
    match (judgement, standing, novelty) {
        (Judgement::Pass { .. }, ..) | (_, Standing::Excepted(_) | Standing::AcceptedUnknown, _) | (.., Some(Novelty::Known)) => {
            Counted::Passes
        }
        (Judgement::Fail { .. }, Standing::AsIs, _) => Counted::Fails,
        (Judgement::Unknown { .. }, Standing::AsIs, _) => Counted::IsUnknown,
    }
}

fn of_workload(finding: &WorkloadFinding) -> Option<Counted> {
    let of = |container: &ContainerFinding| counted(&container.judgement, container.standing, container.novelty);
    finding.containers.iter().map(of).min()
}

/// Whether there is an answer that a gate could look at.
fn is_judged(result: &ControlResult) -> bool {
    matches!(result.outcome, ControlOutcome::Judged { .. } | ControlOutcome::Cluster { .. })
}

/// A control's compliance as a gate sees it.
fn at_gate(result: &ControlResult) -> Option<Compliance> {
    let mut counts = Counts::default();
    for counted in answers(result) {
        match counted {
            Counted::Fails => counts.failed += 1,
            Counted::IsUnknown => counts.unknown += 1,
            Counted::Passes => counts.passed += 1,
        }
    }
    compliance(&counts)
}

/// One a workload, or the one about the cluster.
fn answers(result: &ControlResult) -> impl Iterator<Item = Counted> {
    let of_cluster = match &result.outcome {
        ControlOutcome::Cluster { judgement, standing, novelty, .. } => Some(counted(judgement, *standing, *novelty)),
        _ => None,
    };
    result.findings().iter().filter_map(of_workload).chain(of_cluster)
}

/// Whether anything that counts is left unknown.
#[must_use]
pub fn leaves_unknown(results: &[ControlResult]) -> bool {
    let stable = results.iter().filter(|result| result.stage == Stage::Stable);
    stable.flat_map(answers).any(|counted| counted == Counted::IsUnknown)
}

struct Found {
    failing: Vec<String>,
    unknown: Vec<String>,
    outcome: GateOutcome,
}

fn found<'a>(results: impl Iterator<Item = &'a ControlResult>) -> Found {
    let mut found = Found { failing: Vec::new(), unknown: Vec::new(), outcome: GateOutcome::NothingApplicable };
    for result in results.filter(|result| is_judged(result)) {
        let outcome = match answers(result).min() {
            Some(Counted::Fails) => {
                found.failing.push(result.id.clone());
                GateOutcome::Missed
            }
            Some(Counted::IsUnknown) => {
                found.unknown.push(result.id.clone());
                GateOutcome::Undecided
            }
            Some(Counted::Passes) => GateOutcome::Met,
            None => continue,
        };
        found.outcome = match (found.outcome, outcome) {
            (GateOutcome::Missed, _) | (_, GateOutcome::Missed) => GateOutcome::Missed,
            (GateOutcome::Undecided, _) | (_, GateOutcome::Undecided) => GateOutcome::Undecided,
            (GateOutcome::Met | GateOutcome::NothingApplicable, outcome) => outcome,
        };
    }
    found.failing.sort();
    found.unknown.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Basis, Cause, ContainerKind, ControlStatus, DeclaredIn, PodSample, Reason};

    fn shares(passed: u64, failed: u64, unknown: u64) -> Option<Compliance> {
        compliance(&Counts { passed, failed, unknown, ..Counts::default() })
    }

    fn outcome(threshold: f64, reached: Option<Compliance>) -> GateOutcome {
        by_compliance(threshold, reached).outcome
    }

    #[test]
    fn a_gate_is_missed_met_or_undecided() {
        let between = shares(5, 3, 2);
        assert_eq!(outcome(70.1, between), GateOutcome::Missed);
        assert_eq!(outcome(70.0, between), GateOutcome::Undecided);
        assert_eq!(outcome(50.0, between), GateOutcome::Met);
        assert_eq!(outcome(0.0, None), GateOutcome::NothingApplicable);
    }

    #[test]
    fn no_gate_is_missed_by_a_rounding_error() {
        // Every mean of shares that is exactly 50 %: n of m, and m - n of m.
        for all in 1..200 {
            for passed in 0..=all {
                let both = [shares(passed, all - passed, 0).unwrap(), shares(all - passed, passed, 0).unwrap()];
                assert_eq!(outcome(50.0, mean(&both)), GateOutcome::Met, "{passed} of {all}");
            }
        }
        assert_eq!(outcome(100.0, shares(999_999_999, 1, 0)), GateOutcome::Missed);
    }

    fn answer(judgement: Judgement, standing: Standing, novelty: Option<Novelty>) -> WorkloadFinding {
        let container = ContainerFinding {
            container: "c".into(),
            kind: ContainerKind::Container,
            path: "spec".into(),
            position: None,
            declared_in: DeclaredIn::Template,
            reference: "r".into(),
            digest: None,
            basis: Basis::Running,
            pods: PodSample::default(),
            judgement,
            standing,
            novelty,
            remediation: String::new(),
            warnings: Vec::new(),
            evidence: None,
        };
        WorkloadFinding { workload: 0, status: ControlStatus::Passed, containers: vec![container] }
    }

    fn fails() -> Judgement {
        Judgement::fail(Reason::Absent, "")
    }

    fn control(id: &str, severity: Severity, findings: Vec<WorkloadFinding>) -> ControlResult {
        let outcome = ControlOutcome::Judged { compliance: Compliance::exact(0.0), findings };
        ControlResult {
            id: id.to_owned(),
            title: String::new(),
            base_score: 5,
            severity,
            stage: Stage::Stable,
            threats: Vec::new(),
            rationale: String::new(),
            remediation: String::new(),
            references: Vec::new(),
            counts: Counts::default(),
            outcome,
        }
    }

    fn outcomes(gates: &Gates, results: &[ControlResult]) -> Vec<GateOutcome> {
        gates.judge(results).iter().map(|gate| gate.outcome).collect()
    }

    #[test]
    fn what_is_accepted_excepted_or_known_counts_as_passed() {
        let unknown = || Judgement::unknown(Cause::Timeout, "");
        let all = |findings: Vec<WorkloadFinding>| [control("A-1", Severity::High, findings)];
        let gates = Gates { compliance: Some(100.0), severity: Some(Severity::High), controls: vec!["A-1".to_owned()] };
        let good = all(vec![
            answer(fails(), Standing::Excepted(0), None),
            answer(fails(), Standing::AsIs, Some(Novelty::Known)),
            answer(unknown(), Standing::AcceptedUnknown, None),
            answer(Judgement::pass(), Standing::AsIs, None),
        ]);
        assert_eq!(outcomes(&gates, &good), [GateOutcome::Met; 3]);
        let new = all(vec![answer(fails(), Standing::AsIs, Some(Novelty::New)), answer(Judgement::pass(), Standing::AsIs, None)]);
        assert_eq!(outcomes(&gates, &new), [GateOutcome::Missed; 3]);
        let open = all(vec![answer(unknown(), Standing::AsIs, None), answer(Judgement::pass(), Standing::AsIs, None)]);
        assert_eq!(outcomes(&gates, &open), [GateOutcome::Undecided; 3]);
    }

    #[test]
    fn severity_looks_at_those_at_or_above_and_no_gate_passes_over_nothing() {
        let low = control("L-1", Severity::Low, vec![answer(fails(), Standing::AsIs, None)]);
        let high = control("H-1", Severity::High, vec![answer(Judgement::pass(), Standing::AsIs, None)]);
        let at = |severity: Severity| Gates { severity: Some(severity), ..Gates::default() };
        let both = [high, low];
        assert_eq!(outcomes(&at(Severity::High), &both), [GateOutcome::Met]);
        assert_eq!(outcomes(&at(Severity::Low), &both), [GateOutcome::Missed]);
        assert_eq!(outcomes(&at(Severity::Critical), &both), [GateOutcome::NothingApplicable]);
    }

    #[test]
    fn a_control_in_preview_gates_only_by_its_name() {
        let preview =
            ControlResult { stage: Stage::Preview, ..control("P-1", Severity::High, vec![answer(fails(), Standing::AsIs, None)]) };
        let stable = control("S-1", Severity::High, vec![answer(Judgement::pass(), Standing::AsIs, None)]);
        let gates = Gates { compliance: Some(100.0), severity: Some(Severity::Low), controls: vec!["P-1".to_owned()] };
        assert_eq!(outcomes(&gates, &[preview, stable]), [GateOutcome::Met, GateOutcome::Met, GateOutcome::Missed]);
    }

    #[test]
    fn a_named_control_that_was_not_judged_is_no_pass() {
        let unconfigured =
            ControlResult { outcome: ControlOutcome::Unconfigured { missing: Vec::new() }, ..control("U-1", Severity::High, Vec::new()) };
        let good = control("A-1", Severity::High, vec![answer(Judgement::pass(), Standing::AsIs, None)]);
        let gates = Gates { controls: vec!["A-1".to_owned(), "U-1".to_owned()], ..Gates::default() };
        assert_eq!(outcomes(&gates, &[good, unconfigured]), [GateOutcome::NothingApplicable]);
    }
}
