//! A small inventory with hand-made evidence, and what a control says about it.

use jiff::Timestamp;

use crate::controls::{AcceptedUnknowns, Configuration, ControlJudgement, Library, Trust, judge};
use crate::documents::{Control, Document, parse};
use crate::model::{
    Basis, Carrier, Cause, Container, ContainerFinding, ContainerImage, ContainerKind, CredentialKind, DeclaredBecause, DeclaredIn, Digest,
    Gap, ImageEvidence, Inventory, InventoryCounts, Judgement, Labels, ManifestPresence, ObjectKey, Origin, PlaceOutcome, PlaceRecord,
    PodSample, PullPolicy, Reason, Relation, RunningImage, Scope, Statement, StatementFormat, StatementSource, SubjectState, TagState,
    UnknownAnswer, Workload, WorkloadFinding,
};
use crate::policy::{AsOf, TrustPolicies};

/// The answer without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Pass,
    Fail(Reason),
    Unknown(Cause),
}

impl From<&Judgement> for Says {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Pass { .. } => Self::Pass,
            Judgement::Fail { reason, .. } => Self::Fail(*reason),
            Judgement::Unknown { cause, .. } => Self::Unknown(*cause),
        }
    }
}

pub(super) fn digest(seed: u8) -> Digest {
    Digest::from_sha256([seed; 32])
}

/// The digest that runs.
pub(super) fn running() -> Digest {
    digest(1)
}

pub(super) fn unanswered(cause: Cause) -> UnknownAnswer {
    UnknownAnswer { cause, detail: format!("no answer ({cause})") }
}

pub(super) fn place(name: &str, outcome: PlaceOutcome) -> PlaceRecord {
    PlaceRecord { place: name.to_owned(), outcome, attestations: None, observed: None }
}

/// A statement found beside the running digest.
pub(super) fn statement(format: StatementFormat, relation: Relation) -> Statement {
    Statement {
        format,
        source: StatementSource::Referrer,
        place: "registry.test/app".to_owned(),
        carrier: Carrier::Itself,
        relation,
        manifest: Some(digest(90)),
        content: digest(91),
        annotations: None,
        proofs: std::sync::Arc::default(),
        proofs_left_out: 0,
        attested: None,
    }
}

pub(super) fn signature(relation: Relation) -> Statement {
    statement(StatementFormat::SimpleSigning, relation)
}

/// An image that was looked for everywhere, and nothing found.
pub(super) fn looked() -> ImageEvidence {
    ImageEvidence {
        repository: "registry.test/app".parse().unwrap(),
        subject: SubjectState::Known(running()),
        manifest: ManifestPresence::Seen { media_type: crate::model::OCI_MANIFEST.to_owned(), credential: CredentialKind::Anonymous },
        tag: TagState::Unmoved,
        statements: Vec::new(),
        places: vec![place("registry.test/app", PlaceOutcome::Looked(0))],
        children: Vec::new(),
        platforms: Vec::new(),
        index: crate::model::IndexAbove::None,
        warnings: Vec::new(),
    }
}

/// Evidence that is changed in some way.
pub(super) fn with(change: impl FnOnce(&mut ImageEvidence)) -> ImageEvidence {
    let mut evidence = looked();
    change(&mut evidence);
    evidence
}

pub(super) fn image(reference: &str) -> ContainerImage {
    ContainerImage {
        reference: reference.into(),
        running: RunningImage::Manifest(running()),
        basis: Basis::Running,
        reported_repository: None,
        pull_secrets: Vec::new(),
        pull_policy: None,
        started: None,
        pods: PodSample::default(),
    }
}

/// The image where nothing runs of it.
pub(super) fn declared(reference: &str) -> ContainerImage {
    ContainerImage { running: RunningImage::Unreported, basis: Basis::Declared(DeclaredBecause::NoPods), ..image(reference) }
}

pub(super) fn container(image: ContainerImage) -> Container {
    Container {
        name: "web".into(),
        kind: ContainerKind::Container,
        path: "spec.template.spec.containers[0].image".into(),
        position: None,
        declared_in: DeclaredIn::Template,
        pull_policy: None,
        images: vec![image],
    }
}

pub(super) fn pulled(image: ContainerImage, policy: PullPolicy) -> Container {
    Container { pull_policy: Some(policy), ..container(image) }
}

pub(super) fn workload(name: &str, containers: Vec<Container>) -> Workload {
    let key = ObjectKey { api_version: "apps/v1".into(), kind: "Deployment".into(), namespace: "prod".into(), name: name.into() };
    Workload { key, labels: Labels::default(), annotations: Labels::default(), origin: Origin::Cluster, containers, pods: 1 }
}

pub(super) fn gap(namespace: Option<&str>, workloads_missing: bool) -> Gap {
    Gap {
        cluster: None,
        what: "pods".to_owned(),
        namespace: namespace.map(str::to_owned),
        workloads_missing,
        cause: Cause::Forbidden,
        detail: "may not be listed".to_owned(),
    }
}

pub(super) fn inventory(workloads: Vec<Workload>) -> Inventory {
    Inventory {
        cluster: None,
        scope: Scope::default(),
        observed: jiff::Timestamp::UNIX_EPOCH,
        workloads,
        not_judged: Vec::new(),
        gaps: Vec::new(),
        counts: InventoryCounts::default(),
    }
}

/// A control of our own, by its scope, parameters and rule.
pub(super) fn control(spec: &str) -> Control {
    let head = "apiVersion: seaworthy.dev/v1alpha1\nkind: Control\nmetadata: { name: mine }\nspec:\n  id: ACME-1\n  title: Mine\n  severity: 5\n  rationale: because\n";
    let Document::Control(control) = parse("mine.yaml", &format!("{head}{spec}\n")).unwrap().remove(0) else { panic!("a control") };
    *control
}

pub(super) fn builtin(id: &str) -> Control {
    Library::embedded().unwrap().control(id).unwrap().clone()
}

pub(super) fn config(json: &str) -> Configuration {
    let mut configuration = Configuration::default();
    configuration.set_kubescape("config.json", json).unwrap();
    configuration
}

/// What a control says about an inventory in which all images have the same evidence.
pub(super) fn judged(control: &Control, inventory: &Inventory, evidence: Option<&ImageEvidence>) -> ControlJudgement {
    accepting(control, &Configuration::default(), inventory, evidence, &[])
}

pub(super) fn accepting(
    control: &Control,
    configuration: &Configuration,
    inventory: &Inventory,
    evidence: Option<&ImageEvidence>,
    accepted: &[&str],
) -> ControlJudgement {
    let accepted = AcceptedUnknowns::parse(&accepted.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap();
    let lookup = |image: &ContainerImage| evidence.filter(|_| !image.reference.contains(' ')).map(|evidence| (0, evidence));
    let policies = TrustPolicies::default();
    let trust = Trust { policies: &policies, as_of: AsOf::exactly(Timestamp::UNIX_EPOCH) };
    judge(control, configuration, inventory, &lookup, &accepted, trust).unwrap()
}

/// The findings by workload.
pub(super) fn findings(judgement: ControlJudgement) -> Vec<WorkloadFinding> {
    match judgement {
        ControlJudgement::Workloads { findings, .. } => findings,
        other => panic!("not judged by workload: {other:?}"),
    }
}

/// The only finding about the only container; none where it is irrelevant.
pub(super) fn finding(
    control: &Control,
    configuration: &Configuration,
    container: Container,
    evidence: &ImageEvidence,
) -> Option<ContainerFinding> {
    let inventory = inventory(vec![workload("web", vec![container])]);
    findings(accepting(control, configuration, &inventory, Some(evidence), &[])).pop().map(|mut finding| finding.containers.remove(0))
}
