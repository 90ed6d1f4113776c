//! Version 1 of the JSON report. What is here is a promise to its readers: fields may be added, never renamed or given another
//! meaning. The types borrow from the report and are made one by one while they are written.

mod attested;
mod coverage;
mod evidence;
mod gates;
pub(super) mod read;
mod results;

use std::borrow::Cow;
use std::marker::PhantomData;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use self::coverage::{MilestonesEntry, ThreatEntry};
use self::evidence::Image;
use self::gates::{Baseline, Exception, Gate, GateEntry};
use self::results::{Control, Finding, Findings, Framework, Workload};
use crate::model::{self, Cause, Compliance, Report};
use crate::report::roots::Root;

/// What `apiVersion` says.
const API_VERSION: &str = "seaworthy.dev/report/v1";

/// The JSON schema of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("title".to_owned(), "Seaworthy report, version 1".into());
    schema.to_value()
}

/// A list whose members are made while it is written.
struct Each<'a, T, U> {
    items: &'a [T],
    shape: PhantomData<U>,
}

impl<'a, T, U> Each<'a, T, U> {
    fn of(items: &'a [T]) -> Self {
        Self { items, shape: PhantomData }
    }
}

impl<'a, T, U: From<&'a T> + Serialize> Serialize for Each<'a, T, U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(U::from))
    }
}

impl<T, U: JsonSchema> JsonSchema for Each<'_, T, U> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        <Vec<U>>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <Vec<U>>::json_schema(generator)
    }
}

/// The report of one scan.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    /// Always `seaworthy.dev/report/v1`.
    api_version: &'static str,
    /// Always `Report`.
    kind: &'static str,
    /// Who asked what, when, of whom, and how much was read.
    header: Header<'a>,
    /// What is in scope and could not be read.
    gaps: Each<'a, model::Gap, Gap<'a>>,
    /// What no scan of this kind can see.
    not_visible: Each<'a, model::NotVisible, NotVisible<'a>>,
    /// Objects with an image-like field of a kind that is not understood.
    not_judged: Each<'a, model::NotJudged, NotJudged<'a>>,
    /// The mean of all controls that have a compliance; null where none has.
    compliance: Option<Percent>,
    /// The compliance gate, if one was set; it is among `gates` too.
    gate: Option<Gate>,
    /// The gates that were set.
    gates: Each<'a, model::GateResult, GateEntry<'a>>,
    /// With what the report was compared; null without a baseline.
    baseline: Option<Baseline<'a>>,
    /// Exceptions that were given. Findings point to them by their position here.
    exceptions: Each<'a, model::ExceptionRecord, Exception<'a>>,
    /// Which clusters; workloads name theirs.
    clusters: Each<'a, model::ClusterRecord, ClusterEntry<'a>>,
    /// Frameworks that were asked for.
    frameworks: Each<'a, model::FrameworkResult, Framework<'a>>,
    /// How far the organisation is; null where no milestone was asked for.
    milestones: Option<MilestonesEntry<'a>>,
    /// Threats of SLSA 1.0, in order.
    threats: Each<'a, model::ThreatCoverage, ThreatEntry<'a>>,
    /// Controls, the most severe first, then by identifier.
    controls: Each<'a, model::ControlResult, Control<'a>>,
    /// Workloads, sorted. Findings point to them by their position here.
    workloads: Each<'a, model::WorkloadRecord, Workload<'a>>,
    /// What each control says about each workload in its scope.
    #[schemars(with = "Vec<Finding<'a>>")]
    findings: Findings<'a>,
    /// Images with what was found about them. Findings point to them by their position here.
    #[schemars(with = "Vec<Image<'a>>")]
    images: Images<'a>,
}

impl<'a> Document<'a> {
    /// The document of a report.
    #[must_use]
    pub fn of(report: &'a Report) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Report",
            header: Header::of(report),
            gaps: Each::of(&report.gaps),
            not_visible: Each::of(&report.not_visible),
            not_judged: Each::of(&report.not_judged),
            compliance: report.compliance.map(Percent::from),
            gate: Gate::of(&report.gates),
            gates: Each::of(&report.gates),
            baseline: report.baseline.as_ref().map(Baseline::from),
            exceptions: Each::of(&report.exceptions),
            clusters: Each::of(&report.header.clusters),
            frameworks: Each::of(&report.frameworks),
            milestones: report.milestones.as_ref().map(MilestonesEntry::from),
            threats: Each::of(&report.threats),
            controls: Each::of(&report.controls),
            workloads: Each::of(&report.workloads),
            findings: Findings(&report.controls),
            images: Images { images: &report.images, as_of: report.header.as_of },
        }
    }
}

/// Images, whose answers have an age as of the report's moment.
struct Images<'a> {
    images: &'a [model::ImageRecord],
    as_of: Timestamp,
}

impl Serialize for Images<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.images.iter().map(|image| Image::of(image, self.as_of)))
    }
}

/// Who asked what, when, of whom.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    /// The program that made the report.
    tool: Tool<'a>,
    /// From what the report was made.
    source: Source,
    /// The moment as of which everything is judged (RFC 3339): start of a live scan, capture time of a snapshot.
    #[schemars(with = "String", extend("format" = "date-time"))]
    as_of: Timestamp,
    /// Whether the scan was ended before its time: the report holds what was known by then.
    interrupted: bool,
    /// Which cluster, and as whom it was read; null for manifests, named images, and several clusters (see `clusters`).
    cluster: Option<Cluster<'a>>,
    /// What the user chose to look at. What is outside is no gap.
    scope: Scope<'a>,
    /// Controls, frameworks, parameters, policy and exceptions that went into the judgement, by the digest of their bytes.
    documents: Each<'a, model::DocumentDigest, DocumentDigest<'a>>,
    /// Trust roots that went into the judgement, with origin and age; empty where none was needed.
    trust_roots: Vec<Root<'a>>,
    /// `true` where the moment was asked for (--at): tags, registries and what runs are as they were when they were asked.
    rewound: bool,
    /// How much was listed.
    listed: Listed,
    /// How much of it was audited.
    audited: Audited,
}

impl<'a> Header<'a> {
    fn of(report: &'a Report) -> Self {
        let header = &report.header;
        Self {
            tool: Tool { name: "seaworthy", version: &header.tool_version },
            source: match header.source {
                model::ReportSource::Cluster => Source::Cluster,
                model::ReportSource::Manifests => Source::Manifests,
                model::ReportSource::Images => Source::Images,
            },
            as_of: header.as_of,
            interrupted: header.interrupted,
            cluster: match header.clusters.as_slice() {
                [one] => Some(Cluster::from(&one.identity)),
                _ => None,
            },
            scope: Scope::from(&header.scope),
            documents: Each::of(&header.documents),
            trust_roots: header.trust_roots.iter().map(Root::of).collect(),
            rewound: header.rewound,
            listed: Listed { pods: report.listed.pods, objects: report.listed.objects, namespaces: report.listed.namespaces },
            audited: Audited { workloads: report.workloads.len(), images: report.images.len(), controls: report.controls.len() },
        }
    }
}

/// The program that made the report.
#[derive(Serialize, JsonSchema)]
struct Tool<'a> {
    /// Its name.
    name: &'static str,
    /// Its version.
    version: &'a str,
}

/// From what a report was made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Source {
    /// A live cluster, or a snapshot of one.
    Cluster,
    /// Manifests.
    Manifests,
    /// Images named by the user.
    Images,
}

/// Which cluster, and as whom it was read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Cluster<'a> {
    /// UID of the `kube-system` namespace; null where it may not be read.
    uid: Option<&'a str>,
    /// The server's version.
    server_version: Option<&'a str>,
    /// Name of the kubeconfig context, if one was used.
    context: Option<&'a str>,
    /// The user name by which the server knows the scan.
    identity: Option<&'a str>,
}

impl<'a> From<&'a model::ClusterIdentity> for Cluster<'a> {
    fn from(cluster: &'a model::ClusterIdentity) -> Self {
        Self {
            uid: cluster.uid.as_deref(),
            server_version: cluster.server_version.as_deref(),
            context: cluster.context.as_deref(),
            identity: cluster.user.as_deref(),
        }
    }
}

/// A cluster by name.
#[derive(Serialize, JsonSchema)]
struct ClusterEntry<'a> {
    /// By what name workloads refer to it.
    name: &'a str,
    /// Which it is, and as whom it was read.
    #[serde(flatten)]
    identity: Cluster<'a>,
}

impl<'a> From<&'a model::ClusterRecord> for ClusterEntry<'a> {
    fn from(cluster: &'a model::ClusterRecord) -> Self {
        Self { name: &cluster.name, identity: Cluster::from(&cluster.identity) }
    }
}

/// What the user chose to look at; an empty list chooses all, or excludes nothing.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Scope<'a> {
    /// Only these namespaces.
    include_namespaces: &'a [String],
    /// Not these namespaces.
    exclude_namespaces: &'a [String],
    /// Only these kinds.
    include_kinds: &'a [String],
    /// Not these kinds.
    exclude_kinds: &'a [String],
    /// Only workloads whose labels match.
    label_selector: Option<&'a str>,
    /// Only this workload, `Kind/name`.
    workload: Option<&'a str>,
    /// Where workloads say who answers for them (`label:KEY`, `annotation:KEY`, `namespace`), the first that says anything.
    owner_from: Vec<model::OwnerSource>,
    /// Only workloads for which one of these answers.
    owners: &'a [String],
}

impl<'a> From<&'a model::Scope> for Scope<'a> {
    fn from(scope: &'a model::Scope) -> Self {
        Self {
            include_namespaces: &scope.include_namespaces,
            exclude_namespaces: &scope.exclude_namespaces,
            include_kinds: &scope.include_kinds,
            exclude_kinds: &scope.exclude_kinds,
            label_selector: scope.label_selector.as_deref(),
            workload: scope.workload.as_deref(),
            owner_from: if scope.owner_from.is_empty() { model::OwnerSource::usual().into() } else { scope.owner_from.clone() },
            owners: &scope.owners,
        }
    }
}

/// A document that went into the judgement.
#[derive(Serialize, JsonSchema)]
struct DocumentDigest<'a> {
    /// Its kind.
    kind: &'a str,
    /// Its name or identifier.
    name: &'a str,
    /// Digest of its bytes.
    digest: &'a model::Digest,
}

impl<'a> From<&'a model::DocumentDigest> for DocumentDigest<'a> {
    fn from(document: &'a model::DocumentDigest) -> Self {
        Self { kind: &document.kind, name: &document.name, digest: &document.digest }
    }
}

/// How much was listed.
#[derive(Serialize, JsonSchema)]
struct Listed {
    /// Pods.
    pods: u64,
    /// API objects or manifest documents, pods included.
    objects: u64,
    /// Namespaces seen.
    namespaces: u64,
}

/// How much was audited.
#[derive(Serialize, JsonSchema)]
struct Audited {
    /// Workloads.
    workloads: usize,
    /// Different images.
    images: usize,
    /// Controls.
    controls: usize,
}

/// Something in scope that could not be read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Gap<'a> {
    /// What, for a person.
    what: &'a str,
    /// Its namespace, if it is about one.
    namespace: Option<&'a str>,
    /// Name of its cluster, in a report about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    /// Whether workloads may be missing from the report because of it.
    workloads_missing: bool,
    /// The stable cause.
    cause: Cause,
    /// What happened, and what the user can do.
    detail: &'a str,
}

impl<'a> From<&'a model::Gap> for Gap<'a> {
    fn from(gap: &'a model::Gap) -> Self {
        Self {
            what: &gap.what,
            namespace: gap.namespace.as_deref(),
            cluster: gap.cluster.as_deref(),
            workloads_missing: gap.workloads_missing,
            cause: gap.cause,
            detail: &gap.detail,
        }
    }
}

/// What no scan of this kind can see.
#[derive(Serialize, JsonSchema)]
struct NotVisible<'a> {
    /// What.
    what: &'a str,
    /// Why.
    why: &'a str,
}

impl<'a> From<&'a model::NotVisible> for NotVisible<'a> {
    fn from(hidden: &'a model::NotVisible) -> Self {
        Self { what: &hidden.what, why: &hidden.why }
    }
}

/// An object with an image-like field of a kind that is not understood.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NotJudged<'a> {
    /// Its name.
    object: Object<'a>,
    /// Path of the field.
    path: &'a str,
    /// Its value.
    value: &'a str,
}

impl<'a> From<&'a model::NotJudged> for NotJudged<'a> {
    fn from(object: &'a model::NotJudged) -> Self {
        Self { object: Object::from(&object.key), path: &object.path, value: &object.value }
    }
}

/// The name of an API object.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    /// `group/version`, or `v1`.
    api_version: &'a str,
    /// Its kind.
    kind: &'a str,
    /// Its namespace; empty for what has none.
    namespace: &'a str,
    /// Its name.
    name: &'a str,
}

impl<'a> From<&'a model::ObjectKey> for Object<'a> {
    fn from(key: &'a model::ObjectKey) -> Self {
        Self { api_version: &key.api_version, kind: &key.kind, namespace: &key.namespace, name: &key.name }
    }
}

/// A compliance interval in percent, unrounded; both ends are equal where nothing is unknown.
#[derive(Serialize, JsonSchema)]
struct Percent {
    /// If everything unknown failed.
    lower: f64,
    /// If everything unknown passed.
    upper: f64,
}

impl From<Compliance> for Percent {
    fn from(compliance: Compliance) -> Self {
        Self { lower: compliance.lower, upper: compliance.upper }
    }
}
