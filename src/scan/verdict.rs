//! From evidence to results: controls, frameworks, overall compliance.

use std::collections::BTreeMap;

use super::assemble::Judged;
use super::collect::EvidenceByImage;
use super::plan::task_of;
use super::task::ImageTask;
use crate::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Excepting, ParametersError, Trust, judge};
use crate::documents::{Control, Framework};
use crate::model::{ContainerImage, ControlOutcome, ControlResult, Counts, FrameworkResult, ImageEvidence, Inventory, Severity, Stage};
use crate::policy::ExceptionSet;
use crate::score;

/// What is judged by.
pub struct Judging<'a> {
    /// The controls, each once.
    pub controls: Vec<&'a Control>,
    /// The frameworks that were asked for.
    pub frameworks: Vec<&'a Framework>,
    /// Parameters.
    pub configuration: &'a Configuration,
    /// Unknowns that the user accepts.
    pub accepted: &'a AcceptedUnknowns,
    /// What may fail for a while.
    pub exceptions: &'a ExceptionSet,
    /// Whom to trust.
    pub trust: Trust<'a>,
}

/// Judges an inventory with its evidence.
///
/// # Errors
/// When a parameter does not fit its control.
pub fn judge_all(judging: &Judging<'_>, inventory: &Inventory, evidence: &EvidenceByImage) -> Result<Judged, ParametersError> {
    let positions: BTreeMap<&ImageTask, (u32, &ImageEvidence)> =
        evidence.iter().zip(0_u32..).map(|((task, evidence), position)| (task, (position, evidence))).collect();
    let lookup = |image: &ContainerImage| positions.get(&task_of(image)?).copied();
    let mut results = Vec::new();
    let exceptions = judging.exceptions.at(judging.trust.as_of.moment, &judging.frameworks);
    let mut excepting = Excepting::new(exceptions, inventory);
    for control in &judging.controls {
        let mut said = judge(control, judging.configuration, inventory, &lookup, judging.accepted, judging.trust)?;
        excepting.apply(control, inventory, &mut said);
        results.push(result(control, said));
    }
    results.sort_by(|one: &ControlResult, other| other.severity.cmp(&one.severity).then_with(|| one.id.cmp(&other.id)));
    let compliance_of = |ids: &[String]| {
        let of: Vec<_> = scored(&results).filter(|result| ids.contains(&result.id)).filter_map(ControlResult::compliance).collect();
        score::mean(&of)
    };
    let frameworks = judging
        .frameworks
        .iter()
        .map(|framework| FrameworkResult {
            id: framework.id.clone(),
            title: framework.title.clone(),
            version: framework.version.clone(),
            controls: framework.controls.clone(),
            compliance: compliance_of(&framework.controls),
        })
        .collect();
    let all: Vec<_> = scored(&results).filter_map(ControlResult::compliance).collect();
    let milestone = |framework: &Framework| {
        Some(score::Milestone { order: framework.milestone?, framework: framework.id.clone(), controls: framework.controls.clone() })
    };
    let asked: Vec<_> = judging.frameworks.iter().filter_map(|framework| milestone(framework)).collect();
    let (threats, milestones) = (score::threats(&results), score::milestones(&asked, &results));
    Ok(Judged { compliance: score::mean(&all), controls: results, frameworks, threats, milestones, exceptions: excepting.records() })
}

/// Those that count.
fn scored(results: &[ControlResult]) -> impl Iterator<Item = &ControlResult> {
    results.iter().filter(|result| result.stage == Stage::Stable)
}

fn result(control: &Control, judgement: ControlJudgement) -> ControlResult {
    let (counts, outcome) = match judgement {
        ControlJudgement::Workloads { findings, counts } => match score::compliance(&counts) {
            Some(compliance) => (counts, ControlOutcome::Judged { compliance, findings }),
            None => (counts, ControlOutcome::Irrelevant),
        },
        ControlJudgement::Cluster { judgement, standing, counts } => match score::compliance(&counts) {
            Some(compliance) => (counts, ControlOutcome::Cluster { judgement, standing, novelty: None, compliance }),
            None => (counts, ControlOutcome::Irrelevant),
        },
        ControlJudgement::Unconfigured(missing) => (Counts::default(), ControlOutcome::Unconfigured { missing }),
        ControlJudgement::RequiresReview(text) => (Counts::default(), ControlOutcome::RequiresReview { text }),
    };
    ControlResult {
        id: control.id.clone(),
        title: control.title.clone(),
        base_score: control.severity,
        severity: Severity::from_base_score(control.severity),
        stage: control.stage,
        threats: control.threats.clone(),
        rationale: control.rationale.clone(),
        remediation: control.remediation.clone(),
        references: control.references.clone(),
        counts,
        outcome,
    }
}
