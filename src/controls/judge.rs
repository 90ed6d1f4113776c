//! Judging an inventory by one control.

use super::accepted::AcceptedUnknowns;
use super::evaluate::{Subject, Trust, any, asks, evaluate};
use super::leaves;
use super::memory::Memory;
use super::parameters::{Configuration, ParametersError, Values};
use super::verified::is_configured;
use crate::documents::{ClusterLeaf, Control, PolicyLeaf, Rule, Scope, Subject as About};
use crate::model::{
    Cause, Container, ContainerFinding, ContainerImage, ControlStatus, Counts, Digest, Evidence, ImageEvidence, ImageReference, Inventory,
    Judgement, Reason, RunningImage, Standing, SubjectState, TRUST_POLICY, Workload, WorkloadFinding,
};

/// Finds what was gathered about an image: its position in the report, and the evidence.
pub type Lookup<'e> = dyn Fn(&ContainerImage) -> Option<(u32, &'e ImageEvidence)> + 'e;

/// What a control says about an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlJudgement {
    /// One finding a workload, in the order of the workloads; irrelevant ones are only counted.
    Workloads {
        /// The findings.
        findings: Vec<WorkloadFinding>,
        /// Workloads by status.
        counts: Counts,
    },
    /// One answer about the cluster.
    Cluster {
        /// The answer.
        judgement: Judgement,
        /// How it counts.
        standing: Standing,
        /// One, under its status.
        counts: Counts,
    },
    /// Obligatory parameters are not set.
    Unconfigured(Vec<String>),
    /// It needs a person.
    RequiresReview(String),
}

/// Judges an inventory by a control.
///
/// # Errors
/// When a parameter does not fit.
pub fn judge(
    control: &Control,
    configuration: &Configuration,
    inventory: &Inventory,
    lookup: &Lookup<'_>,
    accepted: &AcceptedUnknowns,
    trust: Trust<'_>,
) -> Result<ControlJudgement, ParametersError> {
    let rule = match (&control.rule, &control.manual) {
        (Some(rule), _) => rule,
        (None, manual) => {
            return Ok(ControlJudgement::RequiresReview(manual.as_ref().map_or_else(String::new, |manual| manual.text.clone())));
        }
    };
    let values = configuration.of(control)?;
    if !values.missing.is_empty() {
        return Ok(ControlJudgement::Unconfigured(values.missing));
    }
    if !is_configured(rule, &values, trust) {
        return Ok(ControlJudgement::Unconfigured(vec![TRUST_POLICY.to_owned()]));
    }
    let memory = Memory::default();
    let judge = Judge { control, rule, values: &values, lookup, accepted, trust, memory: &memory };
    Ok(match control.subject {
        About::Cluster | About::Policy => {
            let mut counts = Counts::default();
            let mut standing = Standing::AsIs;
            let judgement = match judge.about_cluster(inventory) {
                Some(judgement) => judgement,
                // Nothing in scope, and nothing that could be: neither passed nor failed.
                None => return Ok(ControlJudgement::Workloads { findings: Vec::new(), counts }),
            };
            match &judgement {
                Judgement::Pass { .. } => counts.passed = 1,
                Judgement::Fail { .. } => counts.failed = 1,
                Judgement::Unknown { cause, .. } if accepted.accepts(*cause, None) => {
                    standing = Standing::AcceptedUnknown;
                    counts.accepted = 1;
                }
                Judgement::Unknown { .. } => counts.unknown = 1,
            }
            ControlJudgement::Cluster { judgement, standing, counts }
        }
        About::Container => judge.workloads(inventory),
    })
}

struct Judge<'a, 'e> {
    control: &'a Control,
    rule: &'a Rule,
    values: &'a Values,
    lookup: &'a Lookup<'e>,
    accepted: &'a AcceptedUnknowns,
    trust: Trust<'a>,
    memory: &'a Memory,
}

impl Judge<'_, '_> {
    fn workloads(&self, inventory: &Inventory) -> ControlJudgement {
        let mut findings = Vec::new();
        let mut counts = Counts::default();
        for (position, workload) in inventory.workloads.iter().enumerate() {
            let containers = self.containers(workload);
            let status = fold(&containers);
            match status {
                ControlStatus::Failed => counts.failed += 1,
                ControlStatus::Unknown => counts.unknown += 1,
                ControlStatus::AcceptedUnknown => counts.accepted += 1,
                ControlStatus::Excepted => counts.excepted += 1,
                ControlStatus::Passed => counts.passed += 1,
                ControlStatus::Irrelevant => {
                    counts.irrelevant += 1;
                    continue;
                }
            }
            findings.push(WorkloadFinding { workload: u32::try_from(position).unwrap_or(u32::MAX), status, containers });
        }
        ControlJudgement::Workloads { findings, counts }
    }

    fn containers(&self, workload: &Workload) -> Vec<ContainerFinding> {
        // Exactly as long as it has to be: there are as many of these as workloads.
        let mut findings = Vec::with_capacity(workload.containers.iter().map(|container| container.images.len()).sum());
        findings.extend(
            subjects(workload, self.lookup, self.trust, self.memory).filter(|(subject, _)| self.in_scope(self.rule, subject)).map(
                |(subject, evidence)| {
                    let judgement = evaluate(self.rule, self.values, &subject);
                    self.finding(&subject, evidence, judgement)
                },
            ),
        );
        findings.shrink_to_fit();
        findings
    }

    fn finding(&self, subject: &Subject<'_>, evidence: Option<Evidence>, judgement: Judgement) -> ContainerFinding {
        let digest = judged_digest(subject).cloned();
        let repository = subject.reference.as_ref().ok().map(ImageReference::repository);
        let accepted = matches!(&judgement, Judgement::Unknown { cause, .. } if self.accepted.accepts(*cause, repository));
        let remediation = match judgement {
            // Whatever the control asks, a reference that means nothing has to be mended first.
            Judgement::Fail { reason: Reason::MalformedReference, .. } => {
                fill("Correct the reference at {path} of {workload}.", subject, None)
            }
            Judgement::Fail { .. } => fill(&self.control.remediation, subject, digest.as_ref().map(ToString::to_string).as_deref()),
            Judgement::Pass { .. } | Judgement::Unknown { .. } => String::new(),
        };
        let mut warnings = subject.evidence.map(|evidence| evidence.warnings.clone()).unwrap_or_default();
        if let Some(reported) = &subject.image.reported_repository {
            warnings.push(format!("the runtime reports this digest under {reported}, the specification names another repository"));
        }
        ContainerFinding {
            container: subject.container.name.clone(),
            kind: subject.container.kind,
            path: subject.container.path.clone(),
            position: subject.container.position.clone(),
            declared_in: subject.container.declared_in,
            reference: subject.image.reference.clone(),
            digest,
            basis: subject.image.basis,
            pods: subject.image.pods.clone(),
            judgement,
            standing: if accepted { Standing::AcceptedUnknown } else { Standing::AsIs },
            novelty: None,
            remediation,
            warnings,
            evidence,
        }
    }

    /// The answer about the cluster; none where no container is in scope and all that is in scope was listed.
    fn about_cluster(&self, inventory: &Inventory) -> Option<Judgement> {
        let listed = self.all_in_scope(self.rule, inventory).next().is_some();
        (listed || self.not_listed(inventory).is_some()).then(|| self.cluster(self.rule, inventory))
    }

    fn cluster(&self, rule: &Rule, inventory: &Inventory) -> Judgement {
        match rule {
            Rule::All(rules) => super::evaluate::all(rules.iter().map(|rule| self.cluster(rule, inventory))),
            Rule::Any(rules) => any(rules.iter().map(|rule| self.cluster(rule, inventory))),
            Rule::Not(inner) => match self.cluster(inner, inventory) {
                Judgement::Pass { detail } => Judgement::Fail { reason: Reason::PredicateMismatch, detail },
                Judgement::Fail { detail, .. } => Judgement::Pass { detail },
                unknown @ Judgement::Unknown { .. } => unknown,
            },
            Rule::Cluster(ClusterLeaf::InventoryComplete(_)) => self.inventory_complete(inventory),
            Rule::Cluster(ClusterLeaf::AtLeastOne(rule)) => {
                let listed = self.all_in_scope(rule, inventory).map(|subject| evaluate(rule, self.values, &subject));
                // The one that is looked for may be among those that could not be listed.
                any(listed.chain(self.not_listed(inventory)))
            }
            Rule::Policy(leaf) => {
                let in_scope = self.all_in_scope(rule, inventory);
                let images: Vec<_> = in_scope
                    .map(|subject| {
                        subject.reference.map(|parsed| parsed.repository().clone()).map_err(|_| subject.image.reference.as_str())
                    })
                    .collect();
                let judgement = super::verified::policies(leaf, self.trust, images.into_iter());
                // A rule that is missing is certain; else one may be missing for what could not be listed. What the policy rests on is
                // all there.
                let missed = match leaf {
                    PolicyLeaf::EveryImageCovered(_) => self.not_listed(inventory),
                    PolicyLeaf::NoLongLivedKeys(_) => None,
                };
                super::evaluate::all([judgement].into_iter().chain(missed))
            }
            // Refused when it was loaded.
            Rule::Reference(_)
            | Rule::Registry(_)
            | Rule::Running(_)
            | Rule::Signature(_)
            | Rule::Attestation(_)
            | Rule::Slsa(_)
            | Rule::Sbom(_)
            | Rule::Summary(_) => Judgement::unknown(Cause::ExpressionLimit, "a rule about one container cannot judge the cluster"),
        }
    }

    /// Everything in scope was listed, every reference can be parsed, and each running digest is known.
    fn inventory_complete(&self, inventory: &Inventory) -> Judgement {
        let known = self.all_in_scope(self.rule, inventory).map(|subject| match &subject.reference {
            Ok(_) => leaves::digest_known(subject.evidence, &subject.image.running),
            Err(error) => {
                Judgement::fail(Reason::MalformedReference, format!("image: {:?} cannot be parsed: {error}", subject.image.reference))
            }
        });
        // A fail is certain; else what could not be listed comes before what is not known of what was.
        super::evaluate::all(self.not_listed(inventory).into_iter().chain(known))
    }

    /// Every container image of the inventory that the control is about.
    fn all_in_scope<'a>(&'a self, rule: &'a Rule, inventory: &'a Inventory) -> impl Iterator<Item = Subject<'a>> {
        let all = inventory.workloads.iter().flat_map(|workload| subjects(workload, self.lookup, self.trust, self.memory));
        all.map(|(subject, _)| subject).filter(|subject| self.in_scope(rule, subject))
    }

    /// What in the control's scope could not be listed.
    fn not_listed(&self, inventory: &Inventory) -> Option<Judgement> {
        let namespaces = &self.control.scope.namespaces;
        let in_scope = |namespace: &Option<String>| match namespace {
            Some(namespace) => namespaces.is_empty() || namespaces.contains(namespace),
            None => true,
        };
        let gap = inventory.gaps.iter().find(|gap| gap.workloads_missing && in_scope(&gap.namespace))?;
        Some(Judgement::unknown(Cause::ListIncomplete, format!("{}: {}", gap.what, gap.detail)))
    }

    /// Whether the control is about this image; the rest is irrelevant.
    fn in_scope(&self, rule: &Rule, subject: &Subject<'_>) -> bool {
        in_scope(&self.control.scope, self.values, subject) && asks(rule, self.values, subject)
    }
}

/// The digest that is judged, where it is known: what a reference pins is known without asking, if nothing runs of it.
fn judged_digest<'a>(subject: &'a Subject<'_>) -> Option<&'a Digest> {
    if super::evaluate::pods_not_listed(subject) {
        return None;
    }
    match (subject.evidence.map(|evidence| &evidence.subject), &subject.image.running) {
        (Some(SubjectState::Known(digest)), _) => Some(digest),
        (Some(SubjectState::NotAsked) | None, RunningImage::Manifest(digest)) => Some(digest),
        (Some(SubjectState::NotAsked) | None, RunningImage::Unreported) => subject.reference.as_ref().ok()?.digest(),
        _ => None,
    }
}

fn subjects<'a, 'e: 'a>(
    workload: &'a Workload,
    lookup: &'a Lookup<'e>,
    trust: Trust<'a>,
    memory: &'a Memory,
) -> impl Iterator<Item = (Subject<'a>, Option<Evidence>)> + use<'a, 'e> {
    let images =
        workload.containers.iter().flat_map(|container: &'a Container| container.images.iter().map(move |image| (container, image)));
    images.map(move |(container, image)| {
        let found = lookup(image);
        let evidence = found.map(|(position, _)| Evidence { image: position });
        let reference = image.reference.parse::<ImageReference>();
        (Subject { workload, container, image, reference, evidence: found.map(|(_, evidence)| evidence), trust, memory }, evidence)
    })
}

fn in_scope(scope: &Scope, values: &Values, subject: &Subject<'_>) -> bool {
    let key = &subject.workload.key;
    let listed = |list: &[String], name: &str| list.is_empty() || list.iter().any(|known| known == name);
    let image = match &subject.reference {
        // It cannot be known to be outside.
        Err(_) => true,
        Ok(reference) => {
            let matches = |patterns: &[crate::model::Pattern]| patterns.iter().any(|pattern| pattern.matches(reference.repository()));
            matches(values.patterns(&scope.images)) && !matches(values.patterns(&scope.except_images))
        }
    };
    let kind = scope.kinds.is_empty() || scope.kinds.iter().any(|known| known.eq_ignore_ascii_case(&key.kind));
    image && kind && listed(&scope.namespaces, &key.namespace)
}

/// A workload fails when any container fails, else is unknown when any is (and that is not accepted), else passes; what is excepted
/// neither fails nor is unknown.
pub(super) fn fold(containers: &[ContainerFinding]) -> ControlStatus {
    let status = |finding: &ContainerFinding| match (&finding.judgement, finding.standing) {
        (Judgement::Pass { .. }, _) => ControlStatus::Passed,
        (_, Standing::Excepted(_)) => ControlStatus::Excepted,
        (Judgement::Fail { .. }, _) => ControlStatus::Failed,
        (Judgement::Unknown { .. }, Standing::AcceptedUnknown) => ControlStatus::AcceptedUnknown,
        (Judgement::Unknown { .. }, Standing::AsIs) => ControlStatus::Unknown,
    };
    // The worst comes first in order.
    containers.iter().map(status).min().unwrap_or(ControlStatus::Irrelevant)
}

/// Fills the placeholders of a remediation.
fn fill(template: &str, subject: &Subject<'_>, digest: Option<&str>) -> String {
    let at_digest = match (&subject.reference, digest) {
        (Ok(reference), Some(digest)) => format!("{}@{digest}", reference.repository()),
        // Which one is not known here; that one is wanted has to be said all the same.
        (Ok(reference), None) if reference.digest().is_none() => format!("{}@sha256:…", reference.repository()),
        _ => subject.image.reference.as_str().to_owned(),
    };
    let workload = subject.workload.key.to_string();
    let value = |name: &str| match name {
        "image_at_digest" => Some(at_digest.as_str()),
        "image" => Some(subject.image.reference.as_str()),
        "digest" => Some(digest.unwrap_or("(digest unknown)")),
        "container" => Some(subject.container.name.as_str()),
        "path" => Some(subject.container.path.as_str()),
        "workload" => Some(workload.as_str()),
        _ => None,
    };
    // In one pass: what is filled in is text, even if it looks like a placeholder.
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((value(name)?, behind))) {
            Some((value, behind)) => {
                text.push_str(value);
                rest = behind;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}
