//! Threats and milestones.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{self, Coverage, Threat};

/// One threat of SLSA 1.0 (later versions letter differently), and what was judged about it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThreatEntry<'a> {
    /// The threat's letter.
    threat: Threat,
    /// What it is.
    title: &'static str,
    /// How far it is held off.
    coverage: Coverage,
    /// Controls of this report that see it.
    controls: &'a [String],
}

impl<'a> From<&'a model::ThreatCoverage> for ThreatEntry<'a> {
    fn from(of: &'a model::ThreatCoverage) -> Self {
        Self { threat: of.threat, title: of.threat.title(), coverage: of.coverage, controls: &of.controls }
    }
}

/// How far the organisation is on its milestones.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MilestonesEntry<'a> {
    /// The last one that is reached with all before it; 0 where none is.
    reached: u8,
    /// The last one that was asked for.
    of: u8,
    /// The first one that is not reached; null where all are.
    next: Option<NextEntry<'a>>,
    /// What nobody but a person can say.
    by_a_person: Vec<ManualEntry<'a>>,
}

/// The first milestone that is not reached, and what keeps the organisation from it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NextEntry<'a> {
    /// Its place in the order.
    order: u8,
    /// Identifier of its framework.
    framework: &'a str,
    /// Workloads that fail any of its controls, by their position under `workloads`.
    failing: &'a [u32],
    /// Workloads that fail none, and of which it is not known.
    unknown: &'a [u32],
    /// Controls about the whole cluster or the policies that fail.
    controls_failing: &'a [String],
    /// Controls about the whole cluster or the policies of which it is not known.
    controls_unknown: &'a [String],
    /// Controls that are not configured.
    unconfigured: &'a [String],
}

/// A control that needs a person.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ManualEntry<'a> {
    /// Identifier.
    control: &'a str,
    /// What to review.
    text: &'a str,
}

impl<'a> From<&'a model::Milestones> for MilestonesEntry<'a> {
    fn from(milestones: &'a model::Milestones) -> Self {
        let next = milestones.next.as_ref().map(|next| NextEntry {
            order: next.order,
            framework: &next.framework,
            failing: &next.failing,
            unknown: &next.unknown,
            controls_failing: &next.controls_failing,
            controls_unknown: &next.controls_unknown,
            unconfigured: &next.unconfigured,
        });
        let by_a_person = milestones.by_a_person.iter().map(|manual| ManualEntry { control: &manual.id, text: &manual.text });
        Self { reached: milestones.reached, of: milestones.of, next, by_a_person: by_a_person.collect() }
    }
}
