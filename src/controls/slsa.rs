//! The leaf `slsa`.

use super::evaluate::Subject;
use super::parameters::Values;
use crate::documents::SlsaLeaf;
use crate::model::{BuildLevel, Cause, ImageEvidence, Judgement, Predicate, Provenance};
use crate::policy::{Assessment, Expectations, Missing, Shown, ShownBy};

/// Whether an image's provenance shows the level that is asked for.
pub(super) fn judge(leaf: &SlsaLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let sources = values.sources(&leaf.source);
    let expected = Expectations {
        sources: &sources,
        references: &[],
        builders: values.strings(&leaf.builders),
        build_types: values.strings(&leaf.build_type),
        external_parameters: leaf.external_parameters.as_ref(),
    };
    let assessment = subject.trust.policies.assess(evidence, &expected, subject.trust.as_of);
    let wanted = leaf.build_level;
    let unsigned_is_enough = wanted == BuildLevel::L1 && values.one(&leaf.accept_unsigned).unwrap_or(false);
    if assessment.verified() >= wanted || unsigned_is_enough && assessment.reached >= wanted {
        return Judgement::Pass { detail: told(&assessment, evidence) };
    }
    if let Some((level, unknown)) = &assessment.possible
        && *level >= wanted
    {
        return Judgement::Unknown { cause: unknown.cause, detail: unknown.detail.clone() };
    }
    let image = &subject.image.reference;
    let reached = told(&assessment, evidence);
    match assessment.missing.iter().find(|missing| missing.level == wanted) {
        Some(Missing { reason, detail, .. }) => {
            Judgement::fail(*reason, format!("image: {image} does not show SLSA build {wanted}: {detail} ({reached})"))
        }
        // Every level above the one that is shown has something that is missing.
        None => Judgement::unknown(Cause::NotCaptured, "why the level is not reached was not kept"),
    }
}

/// The level that is reached, and by what.
fn told(assessment: &Assessment, evidence: &ImageEvidence) -> String {
    let level = assessment.reached;
    let Some(shown) = &assessment.shown else { return format!("SLSA build {level}") };
    let how = match &shown.by {
        ShownBy::Builder(name, _) => format!(" by {name}"),
        ShownBy::Authority(name, _) => format!(" by authority {name}, for a builder that no document trusts"),
        ShownBy::Nobody => ", unverified".to_owned(),
    };
    let built = provenance_of(shown, evidence).map(built).unwrap_or_default();
    let notes: String = assessment.notes.iter().map(|note| format!("; {note}")).collect();
    format!("SLSA build {level}{how}{built}{notes}")
}

fn provenance_of<'e>(shown: &Shown, evidence: &'e ImageEvidence) -> Option<&'e Provenance> {
    match evidence.statements.get(shown.statement)?.attested.as_deref()?.predicate.as_ref().ok()? {
        Predicate::Provenance(provenance) => Some(provenance),
        _ => None,
    }
}

fn built(provenance: &Provenance) -> String {
    let Some(source) = &provenance.source else { return format!(": built by {}", provenance.builder) };
    let reference = source.reference.as_deref().map(|reference| format!(" at {reference}")).unwrap_or_default();
    format!(": built by {} from {}{reference}", provenance.builder, source.repository)
}
