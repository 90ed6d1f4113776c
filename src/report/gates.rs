//! What a gate says, in the words of every format.

use super::terminal::{counted, shown};
use crate::model::{GateCheck, GateOutcome, GateResult};

/// Identifiers that a sentence names.
const MOST: usize = 8;

/// One sentence, without control characters.
pub(super) fn told(gate: &GateResult) -> String {
    let (verdict, because) = match gate.outcome {
        GateOutcome::Met => ("met", ""),
        GateOutcome::Missed => ("missed", ""),
        GateOutcome::Undecided => ("undecided", ", and what is unknown decides"),
        GateOutcome::NothingApplicable => ("not applicable", ", and nothing in scope can show it"),
    };
    match &gate.check {
        GateCheck::Compliance { threshold, reached } => {
            let is = |text: String| format!("compliance is {text}, ");
            let reached = reached.map(|compliance| is(compliance.percent_text_below(*threshold))).unwrap_or_default();
            format!("{verdict}: {reached}at least {threshold} % is required{because}")
        }
        GateCheck::Severity { at_least, failing, unknown } => {
            let found = found(failing, unknown);
            format!("{verdict}: {found}; no control of severity {} or above may fail{because}", at_least.name())
        }
        GateCheck::Controls { named, failing, unknown } => {
            let found = found(failing, unknown);
            format!("{verdict}: {found}; none of {} may fail{because}", list(named))
        }
    }
}

fn found(failing: &[String], unknown: &[String]) -> String {
    match (failing, unknown) {
        ([], []) => "none fails".to_owned(),
        ([], unknown) => format!("not known of {}", list(unknown)),
        (failing, _) => format!("{} failing: {}", counted(failing.len(), "control"), list(failing)),
    }
}

fn list(ids: &[String]) -> String {
    let mut named: Vec<String> = ids.iter().take(MOST).map(|id| shown(id).into_owned()).collect();
    if ids.len() > MOST {
        named.push(format!("and {} more", ids.len() - MOST));
    }
    named.join(", ")
}
