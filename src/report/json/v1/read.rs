//! A stored report of version 1, read back.
//!
//! Lists are turned into the model member by member: beside the report itself no second one is held. What an older program did not write has
//! its default; what a newer one added is passed over.

mod evidence;
mod findings;

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use self::evidence::Image;
use self::findings::{Control, Finding, GateEntry};
use super::API_VERSION;
use crate::model::{
    BaselineRecord, ClusterIdentity, ClusterRecord, Compliance, ControlOutcome, ControlResult, DocumentDigest, ExceptionRecord,
    FrameworkResult, Gap, GateCheck, GateOutcome, GateResult, Header, ImageRecord, InventoryCounts, ManualControl, Milestones,
    NextMilestone, NotJudged, NotVisible, ObjectKey, Origin, Report, ReportSource, RootOrigin, RootRecord, Scope, SharedText, Standing,
    ThreatCoverage, UnknownAnswer, WorkloadFinding, WorkloadRecord,
};
use crate::report::json::ReadError;

/// A list that is turned into the model member by member.
pub(super) fn each<'de, D, T, U>(deserializer: D) -> Result<Vec<U>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    U: From<T>,
{
    struct Members<T, U>(PhantomData<(T, U)>);
    impl<'de, T: Deserialize<'de>, U: From<T>> Visitor<'de> for Members<T, U> {
        type Value = Vec<U>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<U>, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = list.next_element::<T>()? {
                members.push(U::from(member));
            }
            members.shrink_to_fit();
            Ok(members)
        }
    }
    deserializer.deserialize_seq(Members(PhantomData))
}

/// Says which version is meant before anything else of it is read.
#[derive(Default)]
struct Version(bool);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let version = String::deserialize(deserializer)?;
        if version == API_VERSION {
            return Ok(Self(true));
        }
        let what = crate::model::escape_control(&version).into_owned();
        Err(D::Error::custom(format!("{what:?} is not a version of a report that this program reads; it reads {API_VERSION}")))
    }
}

/// The document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report::json) struct Document {
    #[serde(default)]
    api_version: Version,
    header: Option<HeaderEntry>,
    #[serde(default)]
    gaps: Vec<Gap>,
    #[serde(default)]
    not_visible: Vec<NotVisible>,
    #[serde(default, deserialize_with = "each::<_, NotJudgedEntry, _>")]
    not_judged: Vec<NotJudged>,
    compliance: Option<Compliance>,
    gate: Option<OldGate>,
    #[serde(default, deserialize_with = "each::<_, GateEntry, _>")]
    gates: Vec<GateResult>,
    baseline: Option<BaselineRecord>,
    #[serde(default)]
    exceptions: Vec<ExceptionRecord>,
    #[serde(default, deserialize_with = "each::<_, ClusterEntry, _>")]
    clusters: Vec<ClusterRecord>,
    #[serde(default)]
    frameworks: Vec<FrameworkResult>,
    milestones: Option<MilestonesEntry>,
    #[serde(default)]
    threats: Vec<ThreatCoverage>,
    #[serde(default, deserialize_with = "each::<_, Control, _>")]
    controls: Vec<ControlResult>,
    #[serde(default, deserialize_with = "each::<_, Workload, _>")]
    workloads: Vec<WorkloadRecord>,
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default, deserialize_with = "each::<_, Image, _>")]
    images: Vec<ImageRecord>,
    /// What makes a document something else.
    summary_details: Option<IgnoredAny>,
    runs: Option<IgnoredAny>,
}

impl Document {
    /// The report, once its parts fit together.
    ///
    /// # Errors
    /// When it is something else, or its parts do not fit together.
    pub(in crate::report::json) fn into_report(self) -> Result<Report, ReadError> {
        if !self.api_version.0 {
            return Err(ReadError::NotAReport(match (self.summary_details, self.runs) {
                (Some(_), _) => {
                    "it looks like a report in Kubescape's form (-f kubescape-json); a report of `-f json` is wanted".to_owned()
                }
                (_, Some(_)) => "it looks like SARIF; a report of `-f json` is wanted".to_owned(),
                _ => format!("it has no apiVersion; a report of `-f json` begins with {API_VERSION}"),
            }));
        }
        let header = self.header.ok_or_else(|| ReadError::Inconsistent("its header is missing".to_owned()))?;
        let (header, listed, cluster) = header.split();
        let mut workloads = self.workloads;
        let clusters = match (self.clusters, cluster) {
            (clusters, Some(cluster)) if clusters.is_empty() => {
                // Written before reports had several: all of it is of the one.
                let cluster = ClusterRecord::from(cluster);
                workloads.iter_mut().for_each(|workload| workload.cluster = Some(cluster.name.clone()));
                vec![cluster]
            }
            (clusters, _) => clusters,
        };
        let gates = match (self.gates, self.gate) {
            (gates, Some(gate)) if gates.is_empty() => vec![gate.into()],
            (gates, _) => gates,
        };
        let mut controls = self.controls;
        distribute(&mut controls, self.findings).map_err(ReadError::Inconsistent)?;
        let report = Report {
            header: Header { clusters, ..header },
            listed,
            gaps: self.gaps,
            not_visible: self.not_visible,
            not_judged: self.not_judged,
            workloads,
            images: self.images,
            controls,
            frameworks: self.frameworks,
            compliance: self.compliance,
            gates,
            baseline: self.baseline,
            exceptions: self.exceptions,
            threats: self.threats,
            milestones: self.milestones.map(Milestones::from),
        };
        check(&report).map_err(ReadError::Inconsistent)?;
        Ok(report)
    }
}

/// Gives each control its findings, which stand in its order.
fn distribute(controls: &mut [ControlResult], findings: Vec<Finding>) -> Result<(), String> {
    let mut at = 0;
    for Finding { control, workload, status, containers } in findings {
        let is = |result: &ControlResult| result.id == *control;
        if !controls.get(at).is_some_and(is) {
            at = controls.iter().position(is).ok_or_else(|| format!("a finding is about control {control}, which it does not have"))?;
        }
        match controls.get_mut(at).map(|result| &mut result.outcome) {
            Some(ControlOutcome::Judged { findings, .. }) => findings.push(WorkloadFinding { workload, status, containers }),
            _ => return Err(format!("control {control} has a finding, and is not judged by workload")),
        }
    }
    for control in controls {
        if let ControlOutcome::Judged { findings, .. } = &mut control.outcome {
            findings.shrink_to_fit();
        }
    }
    Ok(())
}

/// Every position points to something.
fn check(report: &Report) -> Result<(), String> {
    let within = |position: u32, length: usize, what: &str| match usize::try_from(position) {
        Ok(position) if position < length => Ok(()),
        _ => Err(format!("{what} {position} is named, and there are {length}")),
    };
    let excepted = |standing: Standing| match standing {
        Standing::Excepted(at) => within(at, report.exceptions.len(), "exception"),
        Standing::AsIs | Standing::AcceptedUnknown => Ok(()),
    };
    for control in &report.controls {
        if let ControlOutcome::Cluster { standing, .. } = &control.outcome {
            excepted(*standing)?;
        }
        for finding in control.findings() {
            within(finding.workload, report.workloads.len(), "workload")?;
            for container in &finding.containers {
                excepted(container.standing)?;
                if let Some(evidence) = &container.evidence {
                    within(evidence.image, report.images.len(), "image")?;
                }
            }
        }
    }
    if let Some(next) = report.milestones.as_ref().and_then(|milestones| milestones.next.as_ref()) {
        next.failing.iter().chain(&next.unknown).try_for_each(|at| within(*at, report.workloads.len(), "workload"))?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeaderEntry {
    tool: Tool,
    source: ReportSource,
    as_of: Timestamp,
    #[serde(default)]
    interrupted: bool,
    cluster: Option<IdentityEntry>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    documents: Vec<DocumentDigest>,
    #[serde(default, deserialize_with = "each::<_, RootEntry, _>")]
    trust_roots: Vec<RootRecord>,
    #[serde(default)]
    rewound: bool,
    #[serde(default)]
    listed: InventoryCounts,
}

#[derive(Deserialize)]
struct Tool {
    version: String,
}

impl HeaderEntry {
    fn split(self) -> (Header, InventoryCounts, Option<ClusterIdentity>) {
        let mut scope = self.scope;
        if scope.owner_from == crate::model::OwnerSource::usual() {
            scope.owner_from = Vec::new();
        }
        let header = Header {
            tool_version: self.tool.version,
            source: self.source,
            as_of: self.as_of,
            rewound: self.rewound,
            clusters: Vec::new(),
            scope,
            documents: self.documents,
            trust_roots: self.trust_roots,
            interrupted: self.interrupted,
        };
        (header, self.listed, self.cluster.map(ClusterIdentity::from))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentityEntry {
    uid: Option<String>,
    server_version: Option<String>,
    context: Option<String>,
    identity: Option<String>,
}

impl From<IdentityEntry> for ClusterIdentity {
    fn from(entry: IdentityEntry) -> Self {
        Self { uid: entry.uid, server_version: entry.server_version, context: entry.context, user: entry.identity }
    }
}

#[derive(Deserialize)]
struct ClusterEntry {
    name: SharedText,
    #[serde(flatten)]
    identity: IdentityEntry,
}

impl From<ClusterEntry> for ClusterRecord {
    fn from(entry: ClusterEntry) -> Self {
        Self { name: entry.name, identity: entry.identity.into() }
    }
}

#[derive(Deserialize)]
struct RootEntry {
    policy: String,
    name: String,
    origin: RootOrigin,
    dated: Option<Timestamp>,
    digest: Option<crate::model::Digest>,
    cause: Option<crate::model::Cause>,
    unavailable: Option<String>,
    warning: Option<String>,
}

impl From<RootEntry> for RootRecord {
    fn from(entry: RootEntry) -> Self {
        let unavailable = || UnknownAnswer {
            cause: entry.cause.unwrap_or(crate::model::Cause::TrustRootUnavailable),
            detail: entry.unavailable.clone().unwrap_or_default(),
        };
        Self {
            content: entry.digest.ok_or_else(unavailable),
            policy: entry.policy,
            name: entry.name,
            origin: entry.origin,
            dated: entry.dated,
            warning: entry.warning,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    api_version: SharedText,
    kind: SharedText,
    namespace: SharedText,
    name: SharedText,
}

impl From<Object> for ObjectKey {
    fn from(object: Object) -> Self {
        Self { api_version: object.api_version, kind: object.kind, namespace: object.namespace, name: object.name }
    }
}

#[derive(Deserialize)]
struct NotJudgedEntry {
    object: Object,
    path: String,
    value: String,
}

impl From<NotJudgedEntry> for NotJudged {
    fn from(entry: NotJudgedEntry) -> Self {
        Self { key: entry.object.into(), path: entry.path, value: entry.value }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workload {
    api_version: SharedText,
    kind: SharedText,
    namespace: SharedText,
    name: SharedText,
    cluster: Option<SharedText>,
    owner: Option<SharedText>,
    origin: OriginEntry,
    pods: u32,
    #[serde(default)]
    labels: crate::model::Labels,
}

impl From<Workload> for WorkloadRecord {
    fn from(entry: Workload) -> Self {
        let key = ObjectKey { api_version: entry.api_version, kind: entry.kind, namespace: entry.namespace, name: entry.name };
        Self { key, cluster: entry.cluster, owner: entry.owner, origin: entry.origin.into(), pods: entry.pods, labels: entry.labels }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "from")]
enum OriginEntry {
    Cluster,
    OwnerReference,
    Manifest { file: String, document: u32 },
    Argument,
}

impl From<OriginEntry> for Origin {
    fn from(entry: OriginEntry) -> Self {
        match entry {
            OriginEntry::Cluster => Self::Cluster,
            OriginEntry::OwnerReference => Self::OwnerReference,
            OriginEntry::Manifest { file, document } => Self::Manifest { file, document },
            OriginEntry::Argument => Self::Argument,
        }
    }
}

/// The gate of reports that had but one.
#[derive(Deserialize)]
struct OldGate {
    threshold: f64,
    compliance: Option<Compliance>,
    outcome: GateOutcome,
}

impl From<OldGate> for GateResult {
    fn from(gate: OldGate) -> Self {
        Self { check: GateCheck::Compliance { threshold: gate.threshold, reached: gate.compliance }, outcome: gate.outcome }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MilestonesEntry {
    reached: u8,
    of: u8,
    next: Option<NextMilestone>,
    by_a_person: Vec<ManualEntry>,
}

#[derive(Deserialize)]
struct ManualEntry {
    control: String,
    text: String,
}

impl From<MilestonesEntry> for Milestones {
    fn from(entry: MilestonesEntry) -> Self {
        let by_a_person = entry.by_a_person.into_iter().map(|manual| ManualControl { id: manual.control, text: manual.text }).collect();
        Self { reached: entry.reached, of: entry.of, next: entry.next, by_a_person }
    }
}
