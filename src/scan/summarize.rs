//! From a report to what may be said about each image in a verification summary.

use std::collections::{BTreeMap, BTreeSet};

use crate::controls::verifies_image_alone;
use crate::documents::Control;
use crate::model::{
    BuildLevel, ControlOutcome, Digest, ImageEvidence, ImageRecord, ImageReference, Judgement, Report, Repository, Statement, SubjectState,
    VerificationResult, VerifiedImage,
};
use crate::policy::{AsOf, Expectations, TrustPolicies};

/// What can be said of the images of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summarized {
    /// Identifiers of the controls that were judged by, sorted.
    pub controls: Vec<String>,
    /// Images of which it is known how they came out, sorted.
    pub images: Vec<VerifiedImage>,
    /// Images of which it is not, by name, each with why; sorted.
    pub left_out: Vec<(String, String)>,
}

/// What was found out about one image, over all workloads that run it.
#[derive(Default)]
struct Tally {
    result: Option<VerificationResult>,
    unknown: Option<String>,
    inputs: BTreeSet<(Option<String>, Digest)>,
}

/// Sums up a report by image: one of which a control failed did not pass, whatever is unknown beside it; one of which nothing failed and
/// anything is unknown, accepted or not, has no result. What a workload says of its image (a tag, a pull policy) is nothing about the image:
/// controls that ask for it are no part of a summary.
#[must_use]
pub fn summarize(report: &Report, controls: &[&Control], policies: &TrustPolicies, as_of: AsOf) -> Summarized {
    let verifying: BTreeSet<&str> =
        controls.iter().filter(|control| verifies_image_alone(control)).map(|control| control.id.as_str()).collect();
    let judged: Vec<_> = report
        .controls
        .iter()
        .filter(|result| verifying.contains(result.id.as_str()) && matches!(result.outcome, ControlOutcome::Judged { .. }))
        .collect();
    let findings = judged.iter().flat_map(|result| result.findings().iter().map(|finding| (&result.id, finding)));
    let containers = findings.flat_map(|(id, finding)| finding.containers.iter().map(move |container| (id, container)));
    let mut by_image: BTreeMap<u32, Vec<(&String, &Judgement)>> = BTreeMap::new();
    for (id, container) in containers {
        if let Some(evidence) = &container.evidence {
            by_image.entry(evidence.image).or_default().push((id, &container.judgement));
        }
    }
    let mut tallies: BTreeMap<(&Repository, &Digest), Tally> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for (image, position) in report.images.iter().zip(0_u32..) {
        let Some(judgements) = by_image.get(&position) else {
            left_out.insert((image.reference.clone(), "no control that verifies was about it".to_owned()));
            continue;
        };
        match &image.evidence.subject {
            SubjectState::Known(digest) => {
                let tally = tallies.entry((&image.evidence.repository, digest)).or_default();
                tally.add(judgements, image, policies, as_of);
            }
            SubjectState::Unknown(why) => {
                left_out.insert((image.reference.clone(), why.detail.clone()));
            }
            SubjectState::NotAsked => {
                left_out.insert((image.reference.clone(), "nothing was asked about it".to_owned()));
            }
        }
    }
    let mut images = Vec::new();
    for ((repository, digest), tally) in tallies {
        match tally {
            Tally { unknown: Some(why), result, .. } if result != Some(VerificationResult::Failed) => {
                left_out.insert((format!("{repository}@{digest}"), why));
            }
            Tally { result: Some(result), inputs, .. } => {
                let inputs = inputs.into_iter().collect();
                images.push(VerifiedImage { repository: repository.clone(), digest: digest.clone(), result, inputs });
            }
            Tally { result: None, .. } => {}
        }
    }
    let mut controls: Vec<_> = judged.iter().map(|result| result.id.clone()).collect();
    controls.sort();
    Summarized { controls, images, left_out: left_out.into_iter().collect() }
}

impl Tally {
    fn add(&mut self, judgements: &[(&String, &Judgement)], image: &ImageRecord, policies: &TrustPolicies, as_of: AsOf) {
        let mut level = BuildLevel::L0;
        let assessment = policies.assess(&image.evidence, &Expectations::default(), as_of);
        match assessment.possible.as_ref() {
            Some((possible, why)) => {
                let detail = format!("SLSA build {possible} may be shown after all: {}", why.detail);
                self.unknown.get_or_insert(detail);
            }
            None => level = assessment.verified(),
        }
        let mut result = VerificationResult::Passed(level);
        for (id, judgement) in judgements {
            match judgement {
                Judgement::Pass { .. } => {}
                Judgement::Fail { .. } => result = VerificationResult::Failed,
                Judgement::Unknown { detail, .. } => {
                    self.unknown.get_or_insert(format!("{id}: {detail}"));
                }
            }
        }
        self.result = Some(match (self.result, result) {
            (None, result) => result,
            // The same digest was looked for as several references: what holds of all of them.
            (Some(VerificationResult::Passed(one)), VerificationResult::Passed(other)) => VerificationResult::Passed(one.min(other)),
            _ => VerificationResult::Failed,
        });
        self.inputs.extend(inputs(&image.evidence));
    }
}

/// The statements that were looked at: what lies in a repository can be fetched by its URI, a file of this machine is nobody else's.
fn inputs(evidence: &ImageEvidence) -> impl Iterator<Item = (Option<String>, Digest)> {
    let uri = |statement: &Statement| {
        let manifest = statement.manifest.as_ref()?;
        let repository: ImageReference = statement.place.parse().ok()?;
        Some(format!("oci://{}@{manifest}", repository.repository()))
    };
    evidence.statements.iter().map(move |statement| (uri(statement), statement.content.clone()))
}
