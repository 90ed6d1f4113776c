//! What a report adds up to: threats of SLSA, and milestones of a supply-chain defence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The threats of SLSA 1.0 (slsa.dev/spec/v1.0/threats); later versions letter differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Threat {
    /// An unauthorised change of the source.
    A,
    /// A compromised source repository.
    B,
    /// A build from modified source.
    C,
    /// A compromised dependency.
    D,
    /// A compromised build process.
    E,
    /// A modified package is uploaded.
    F,
    /// A compromised package registry.
    G,
    /// A compromised package is used.
    H,
}

impl Threat {
    /// All, in order.
    pub const ALL: [Self; 8] = [Self::A, Self::B, Self::C, Self::D, Self::E, Self::F, Self::G, Self::H];

    /// Its letter, as controls write it.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
            Self::G => "G",
            Self::H => "H",
        }
    }

    /// What it is, for a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::A => "unauthorised change of the source",
            Self::B => "compromised source repository",
            Self::C => "build from modified source",
            Self::D => "compromised dependency",
            Self::E => "compromised build process",
            Self::F => "modified package uploaded",
            Self::G => "compromised package registry",
            Self::H => "compromised package used",
        }
    }
}

/// How far a threat is held off by what was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Coverage {
    /// Some control that sees it fails somewhere.
    Violated,
    /// None fails, and somewhere it is not known.
    Unknown,
    /// Every control that sees it and had something to judge passes.
    Covered,
    /// No control that sees it judged anything: not asked for, irrelevant, not configured, or for a person.
    NotCovered,
}

impl Coverage {
    /// What it is called before a person.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unknown => "unknown",
            Self::Covered => "covered",
            Self::NotCovered => "not covered",
        }
    }
}

/// One threat, and what was judged about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreatCoverage {
    /// The threat.
    pub threat: Threat,
    /// How far it is held off.
    pub coverage: Coverage,
    /// Controls of the report that see it, by identifier, sorted; those without anything to judge among them.
    pub controls: Vec<String>,
}

/// How far the organisation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Milestones {
    /// The last one in order that is reached with all before it; 0 where none is.
    pub reached: u8,
    /// The last one in order that was asked for.
    pub of: u8,
    /// The first one that is not reached.
    pub next: Option<NextMilestone>,
    /// What nobody but a person can say, of all that were asked for.
    pub by_a_person: Vec<ManualControl>,
}

/// The first milestone that is not reached, and what keeps the organisation from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextMilestone {
    /// Its place in the order.
    pub order: u8,
    /// Identifier of its framework.
    pub framework: String,
    /// Positions of the workloads that fail any of its controls.
    pub failing: Vec<u32>,
    /// Positions of the workloads that fail none, and of which it is not known.
    pub unknown: Vec<u32>,
    /// Controls about the whole cluster or the policies that fail, by identifier.
    pub controls_failing: Vec<String>,
    /// Controls about the whole cluster or the policies of which it is not known, by identifier.
    pub controls_unknown: Vec<String>,
    /// Controls whose obligatory parameters are not set, by identifier.
    pub unconfigured: Vec<String>,
}

impl NextMilestone {
    /// Whether nothing but what is not known keeps the organisation from it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.failing.is_empty() && self.controls_failing.is_empty() && self.unconfigured.is_empty()
    }
}

/// A control that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManualControl {
    /// Identifier.
    pub id: String,
    /// What to review.
    pub text: String,
}
