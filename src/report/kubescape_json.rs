//! The report under the names of Kubescape's JSON v2, for its consumers.
//!
//! A translation, and so poorer than [`super::json`]: what is unknown becomes `skipped`/`notEvaluated` with its cause in `info`,
//! compliance is the lower end of the interval, and what v2 has no name for is left out. `score` (Kubescape's risk score) is the share
//! that is known to fail: 100 less the upper end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::exceptions;
use super::resources::{self, Totals};
use crate::model::{
    Cause, Compliance, ControlOutcome, ControlResult, ControlStatus, ExceptionRecord, Judgement, Labels, Report, ReportSource, Severity,
    Standing, WorkloadFinding, WorkloadRecord,
};

/// Writes the report as one JSON document with a line break at the end.
///
/// `reportGUID` is derived from the content (a UUID of version 8, RFC 9562): the same report has the same.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut document = Document::of(report, String::new());
    let mut hash = Hash(Context::new(&SHA256));
    serde_json::to_writer(&mut hash, &document).map_err(io::Error::from)?;
    document.report_guid = guid(hash.0.finish().as_ref());
    super::indented::write(&document, out)
}

struct Hash(Context);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first sixteen bytes as a UUID of version 8.
fn guid(hash: &[u8]) -> String {
    let mut bits = hash.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    bits = bits & !(0xf << 76) | 8 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    generation_time: Timestamp,
    cluster_name: &'a str,
    #[serde(rename = "reportGUID")]
    report_guid: String,
    summary_details: SummaryDetails<'a>,
    resources: Resources<'a>,
    results: Results<'a>,
    metadata: Metadata<'a>,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report, report_guid: String) -> Self {
        let cluster = match report.header.clusters.as_slice() {
            [one] => Some(&one.identity),
            _ => None,
        };
        let context = cluster.and_then(|cluster| cluster.context.as_deref());
        Self {
            generation_time: report.header.as_of,
            cluster_name: context.or_else(|| cluster.and_then(|cluster| cluster.uid.as_deref())).unwrap_or_default(),
            report_guid,
            summary_details: SummaryDetails::of(report),
            resources: Resources(&report.workloads),
            results: Results(report),
            metadata: Metadata::of(report, context),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Failed,
    Skipped,
    Passed,
}

impl From<ControlStatus> for Status {
    fn from(status: ControlStatus) -> Self {
        match status {
            ControlStatus::Failed => Self::Failed,
            ControlStatus::Unknown | ControlStatus::AcceptedUnknown => Self::Skipped,
            ControlStatus::Excepted | ControlStatus::Passed | ControlStatus::Irrelevant => Self::Passed,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusInfo {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<String>,
}

impl StatusInfo {
    fn plain(status: Status) -> Self {
        Self { status, sub_status: None, info: None }
    }

    fn with(status: Status, sub_status: &'static str, info: Option<String>) -> Self {
        Self { status, sub_status: Some(sub_status), info }
    }

    fn of_control(control: &ControlResult) -> Self {
        match &control.outcome {
            ControlOutcome::Judged { .. } if control.counts.failed > 0 => Self::plain(Status::Failed),
            ControlOutcome::Judged { findings, .. } if control.counts.unknown + control.counts.accepted > 0 => {
                Self::with(Status::Skipped, "notEvaluated", Some(causes(findings.iter())))
            }
            ControlOutcome::Judged { .. } if control.counts.excepted > 0 => Self::with(Status::Passed, "w/exceptions", None),
            ControlOutcome::Judged { .. } => Self::plain(Status::Passed),
            ControlOutcome::Irrelevant => Self::with(Status::Passed, "irrelevant", None),
            ControlOutcome::Unconfigured { missing } => {
                Self::with(Status::Skipped, "configuration", Some(format!("not configured: {}", missing.join(", "))))
            }
            ControlOutcome::RequiresReview { text } => Self::with(Status::Skipped, "requires review", Some(text.clone())),
            ControlOutcome::Cluster { standing: Standing::Excepted(_), .. } => Self::with(Status::Passed, "w/exceptions", None),
            ControlOutcome::Cluster { judgement, .. } => match judgement {
                Judgement::Pass { .. } => Self::plain(Status::Passed),
                Judgement::Fail { .. } => Self::plain(Status::Failed),
                Judgement::Unknown { cause, .. } => Self::with(Status::Skipped, "notEvaluated", Some(cause.to_string())),
            },
        }
    }

    fn of_finding(finding: &WorkloadFinding) -> Self {
        match finding.status {
            ControlStatus::Irrelevant => Self::with(Status::Passed, "irrelevant", None),
            ControlStatus::Unknown | ControlStatus::AcceptedUnknown => {
                Self::with(Status::Skipped, "notEvaluated", Some(causes(std::iter::once(finding))))
            }
            ControlStatus::Excepted => Self::with(Status::Passed, "w/exceptions", None),
            ControlStatus::Failed | ControlStatus::Passed => Self::plain(Status::from(finding.status)),
        }
    }
}

/// The causes of what is unknown, each once.
fn causes<'a>(findings: impl Iterator<Item = &'a WorkloadFinding>) -> String {
    let unknown = findings.flat_map(|finding| &finding.containers).filter_map(|container| match &container.judgement {
        Judgement::Unknown { cause, .. } => Some(*cause),
        Judgement::Pass { .. } | Judgement::Fail { .. } => None,
    });
    let names: std::collections::BTreeSet<Cause> = unknown.collect();
    names.iter().map(|cause| cause.name()).collect::<Vec<_>>().join(", ")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryDetails<'a> {
    controls: BTreeMap<&'a str, Control<'a>>,
    status: Status,
    frameworks: Vec<Framework<'a>>,
    resources_severity_counters: SeverityCounters,
    controls_severity_counters: SeverityCounters,
    #[serde(rename = "ResourceCounters")]
    resource_counters: ResourceCounters,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_score: Option<f64>,
}

impl<'a> SummaryDetails<'a> {
    fn of(report: &'a Report) -> Self {
        let controls: BTreeMap<&str, Control<'_>> =
            report.controls.iter().map(|control| (control.id.as_str(), Control { report, control })).collect();
        let failed_controls = |severity: Severity| {
            let of_severity = report.controls.iter().filter(|control| control.severity == severity);
            of_severity.filter(|control| StatusInfo::of_control(control).status == Status::Failed).count()
        };
        Self {
            status: worst(report.controls.iter()),
            frameworks: report.frameworks.iter().map(|framework| Framework::of(report, framework)).collect(),
            resources_severity_counters: SeverityCounters::of(|severity| resources::failed_with(report, severity)),
            controls_severity_counters: SeverityCounters::of(failed_controls),
            resource_counters: ResourceCounters::of(Totals::of(&resources::statuses(report))),
            score: report.compliance.map(risk),
            compliance_score: report.compliance.map(|compliance| compliance.lower),
            controls,
        }
    }
}

fn risk(compliance: Compliance) -> f64 {
    100.0 - compliance.upper
}

/// The status of several controls: any that fails, else any that was skipped; nothing at all is skipped.
fn worst<'a>(controls: impl Iterator<Item = &'a ControlResult>) -> Status {
    controls.map(|control| StatusInfo::of_control(control).status).min().unwrap_or(Status::Skipped)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SeverityCounters {
    critical_severity: usize,
    high_severity: usize,
    medium_severity: usize,
    low_severity: usize,
}

impl SeverityCounters {
    fn of(count: impl Fn(Severity) -> usize) -> Self {
        Self {
            critical_severity: count(Severity::Critical),
            high_severity: count(Severity::High),
            medium_severity: count(Severity::Medium),
            low_severity: count(Severity::Low),
        }
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceCounters {
    passed_resources: usize,
    failed_resources: usize,
    skipped_resources: usize,
    excluded_resources: usize,
}

impl ResourceCounters {
    fn of(totals: Totals) -> Self {
        Self { passed_resources: totals.passed, failed_resources: totals.failed, skipped_resources: totals.unknown, excluded_resources: 0 }
    }

    fn of_control(control: &ControlResult) -> Self {
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let counts = control.counts;
        Self {
            passed_resources: number(counts.passed + counts.excepted),
            failed_resources: number(counts.failed),
            skipped_resources: number(counts.unknown + counts.accepted),
            excluded_resources: 0,
        }
    }
}

/// One control; its lists are made while it is written.
struct Control<'a> {
    report: &'a Report,
    control: &'a ControlResult,
}

impl Serialize for Control<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Summary<'a> {
            status_info: StatusInfo,
            #[serde(rename = "controlID")]
            control_id: &'a str,
            name: &'a str,
            status: Status,
            #[serde(rename = "resourceIDs")]
            resource_ids: BTreeMap<String, Status>,
            #[serde(rename = "ResourceCounters")]
            resource_counters: ResourceCounters,
            #[serde(skip_serializing_if = "Option::is_none")]
            score: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            compliance_score: Option<f64>,
            score_factor: u8,
            severity: &'static str,
        }
        let Self { report, control } = self;
        let mut resource_ids = BTreeMap::new();
        for finding in control.findings() {
            let Some(workload) = workload_at(report, finding.workload) else { continue };
            let status = Status::from(finding.status);
            // Manifests can name one object twice: the worse counts.
            resource_ids.entry(workload.key.resource_id()).and_modify(|known: &mut Status| *known = status.min(*known)).or_insert(status);
        }
        let status_info = StatusInfo::of_control(control);
        let compliance = control.compliance();
        Summary {
            control_id: &control.id,
            name: &control.title,
            status: status_info.status,
            status_info,
            resource_ids,
            resource_counters: ResourceCounters::of_control(control),
            score: compliance.map(risk),
            compliance_score: compliance.map(|compliance| compliance.lower),
            score_factor: control.base_score,
            severity: control.severity.name(),
        }
        .serialize(serializer)
    }
}

fn workload_at(report: &Report, position: u32) -> Option<&WorkloadRecord> {
    report.workloads.get(usize::try_from(position).ok()?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Framework<'a> {
    name: &'a str,
    status: Status,
    version: &'a str,
    controls: BTreeMap<&'a str, Control<'a>>,
    #[serde(rename = "ResourceCounters")]
    resource_counters: ResourceCounters,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_score: Option<f64>,
}

impl<'a> Framework<'a> {
    fn of(report: &'a Report, framework: &'a crate::model::FrameworkResult) -> Self {
        let members: Vec<&ControlResult> = report.controls.iter().filter(|control| framework.controls.contains(&control.id)).collect();
        let statuses = resources::statuses_under(report, members.iter().copied());
        Self {
            name: &framework.id,
            status: worst(members.iter().copied()),
            version: &framework.version,
            resource_counters: ResourceCounters::of(Totals::of(&statuses)),
            score: framework.compliance.map(risk),
            compliance_score: framework.compliance.map(|compliance| compliance.lower),
            controls: members.into_iter().map(|control| (control.id.as_str(), Control { report, control })).collect(),
        }
    }
}

/// Workloads as Kubernetes objects, as far as they are known.
struct Resources<'a>(&'a [WorkloadRecord]);

impl Serialize for Resources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Resource<'a> {
            #[serde(rename = "resourceID")]
            resource_id: String,
            object: Object<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Object<'a> {
            api_version: &'a str,
            kind: &'a str,
            metadata: ObjectMeta<'a>,
        }
        #[derive(Serialize)]
        struct ObjectMeta<'a> {
            name: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            namespace: &'a str,
            #[serde(skip_serializing_if = "Labels::is_empty")]
            labels: &'a Labels,
        }
        serializer.collect_seq(self.0.iter().map(|workload| {
            let key = &workload.key;
            let metadata = ObjectMeta { name: &key.name, namespace: &key.namespace, labels: &workload.labels };
            let object = Object { api_version: &key.api_version, kind: &key.kind, metadata };
            Resource { resource_id: key.resource_id(), object }
        }))
    }
}

/// Each workload with what each control says about it.
struct Results<'a>(&'a Report);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            #[serde(rename = "resourceID")]
            resource_id: String,
            controls: Vec<ResourceControl<'a>>,
        }
        let report = self.0;
        let mut found: Vec<Vec<(&ControlResult, &WorkloadFinding)>> = vec![Vec::new(); report.workloads.len()];
        for control in &report.controls {
            for finding in control.findings() {
                if let Some(of_workload) = usize::try_from(finding.workload).ok().and_then(|at| found.get_mut(at)) {
                    of_workload.push((control, finding));
                }
            }
        }
        serializer.collect_seq(report.workloads.iter().zip(&found).map(|(workload, found)| Entry {
            resource_id: workload.key.resource_id(),
            controls: found.iter().map(|(control, finding)| ResourceControl::of(report, control, finding)).collect(),
        }))
    }
}

#[derive(Serialize)]
struct ResourceControl<'a> {
    #[serde(rename = "controlID")]
    control_id: &'a str,
    name: &'a str,
    severity: &'static str,
    status: StatusInfo,
    rules: [Rule<'a>; 1],
}

impl<'a> ResourceControl<'a> {
    fn of(report: &'a Report, control: &'a ControlResult, finding: &'a WorkloadFinding) -> Self {
        let failed = finding.containers.iter().filter(|container| matches!(container.judgement, Judgement::Fail { .. }));
        let mut failed_paths: Vec<&str> = failed.map(|container| container.path.as_str()).collect();
        failed_paths.sort_unstable();
        failed_paths.dedup();
        Self {
            control_id: &control.id,
            name: &control.title,
            severity: control.severity.name(),
            status: StatusInfo::of_finding(finding),
            rules: [Rule {
                name: &control.id,
                status: Status::from(finding.status),
                paths: failed_paths.into_iter().map(|failed_path| Path { failed_path }).collect(),
                exception: excepted(report, finding),
            }],
        }
    }
}

#[derive(Serialize)]
struct Rule<'a> {
    name: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<Path<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exception: Vec<Exception<'a>>,
}

/// An exception as its readers know it. What it is limited to is told by the finding that bears it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exception<'a> {
    name: &'a str,
    policy_type: &'static str,
    actions: [&'static str; 1],
    resources: [(); 0],
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<&'a str>,
}

/// The exceptions that are in force for a finding, each once, in order.
fn excepted<'a>(report: &'a Report, finding: &WorkloadFinding) -> Vec<Exception<'a>> {
    let standings: BTreeSet<Standing> = finding.containers.iter().map(|container| container.standing).collect();
    let records = standings.into_iter().filter_map(|standing| exceptions::of(report, standing));
    let exception = |record: &'a ExceptionRecord| Exception {
        name: &record.name,
        policy_type: "postureExceptionPolicy",
        actions: ["alertOnly"],
        resources: [],
        reason: &record.reason,
        expiration_date: record.expires,
        created_by: record.owner.as_deref(),
    };
    records.map(exception).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Path<'a> {
    failed_path: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    scan_metadata: ScanMetadata<'a>,
    cluster_metadata: ClusterMetadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScanMetadata<'a> {
    format: &'static str,
    format_version: &'static str,
    /// Readers take a report for v2 only where this is set: it names the program that wrote it.
    kubescape_version: String,
    scanning_target: u8,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    include_namespaces: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    excluded_namespaces: &'a [String],
    target_type: &'static str,
    target_names: Vec<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterMetadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context_name: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    fn of(report: &'a Report, context_name: Option<&'a str>) -> Self {
        let by_framework = !report.frameworks.is_empty();
        let header = &report.header;
        let scan_metadata = ScanMetadata {
            format: "json",
            format_version: "v2",
            kubescape_version: format!("seaworthy/{}", header.tool_version),
            scanning_target: match header.source {
                ReportSource::Cluster => 0,
                ReportSource::Manifests | ReportSource::Images => 1,
            },
            include_namespaces: &header.scope.include_namespaces,
            excluded_namespaces: &header.scope.exclude_namespaces,
            target_type: if by_framework { "framework" } else { "control" },
            target_names: if by_framework {
                report.frameworks.iter().map(|framework| framework.id.as_str()).collect()
            } else {
                report.controls.iter().map(|control| control.id.as_str()).collect()
            },
        };
        Self { scan_metadata, cluster_metadata: ClusterMetadata { context_name } }
    }
}
