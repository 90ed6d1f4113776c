//! Policy reports as objects of Kubernetes: OpenReports' `Report` and `ClusterReport` (openreports.io/v1alpha1), and the policy working
//! group's `PolicyReport` and `ClusterPolicyReport` (wgpolicyk8s.io/v1alpha2), as one stream of YAML documents.
//!
//! One object a workload in its namespace; one for the whole scan, with what is about the cluster and what could not be read. Unknown is
//! `error` (the policy could not be evaluated), excepted is `skip`, and a failure under a control in preview `warn`.

mod names;
mod results;
mod yaml;

use std::io::{self, Write};

use self::names::Names;
use self::results::{Outcome, ResultEntry};
use crate::model::{ObjectKey, Report, WorkloadRecord};
use crate::report::terminal::shown;

/// Which of the two interfaces the objects are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// openreports.io/v1alpha1.
    OpenReports,
    /// wgpolicyk8s.io/v1alpha2.
    PolicyReport,
}

/// Most bytes of the results of one object, as YAML: etcd takes requests of 1.5 MiB, and what a server adds needs room too.
const MOST_BYTES: usize = 1_000_000;
/// What the objects are found again by: all of an earlier scan can be deleted by it.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const CLUSTER: &str = "seaworthy.dev/cluster";
const SOURCE: &str = "seaworthy";

impl Interface {
    fn api_version(self) -> &'static str {
        match self {
            Self::OpenReports => "openreports.io/v1alpha1",
            Self::PolicyReport => "wgpolicyk8s.io/v1alpha2",
        }
    }

    fn kind(self, namespaced: bool) -> &'static str {
        match (self, namespaced) {
            (Self::OpenReports, true) => "Report",
            (Self::OpenReports, false) => "ClusterReport",
            (Self::PolicyReport, true) => "PolicyReport",
            (Self::PolicyReport, false) => "ClusterPolicyReport",
        }
    }
}

/// Writes the objects: that of the whole scan, then those of the workloads in the order of the report.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, interface: Interface, out: &mut impl Write) -> io::Result<()> {
    let mut objects = Objects {
        interface,
        as_of: report.header.as_of.to_string(),
        seconds: report.header.as_of.as_second(),
        names: Names::default(),
        out,
    };
    let of_scan = results::of_scan(report);
    if !of_scan.is_empty() {
        let clusters: Vec<&str> = report.header.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let name = objects.names.of_scan(&clusters);
        let cluster = if let [cluster] = clusters[..] { Some(cluster) } else { None };
        objects.write(&Place { name, namespace: None, cluster, scope: None }, of_scan.into_iter())?;
    }
    let index = results::by_workload(report);
    for of_one in index.chunk_by(|one, other| one.workload == other.workload) {
        let position = of_one.first().and_then(|first| usize::try_from(first.workload).ok());
        let Some(workload) = position.and_then(|at| report.workloads.get(at)) else { continue };
        let place = Place {
            name: objects.names.of_workload(workload),
            namespace: names::is_label(&workload.key.namespace).then_some(workload.key.namespace.as_str()),
            cluster: workload.cluster.as_deref(),
            scope: Some(workload),
        };
        objects.write(&place, of_one.iter().flat_map(|at| results::of_workload(report, workload, at)))?;
    }
    Ok(())
}

/// Whose object it is.
struct Place<'a> {
    name: String,
    namespace: Option<&'a str>,
    cluster: Option<&'a str>,
    scope: Option<&'a WorkloadRecord>,
}

struct Objects<'o, W> {
    interface: Interface,
    as_of: String,
    seconds: i64,
    names: Names,
    out: &'o mut W,
}

impl<W: Write> Objects<'_, W> {
    /// Writes the object, or as many as its results need.
    fn write<'a>(&mut self, place: &Place<'_>, results: impl Iterator<Item = ResultEntry<'a>>) -> io::Result<()> {
        let mut part = Part::default();
        let mut number = 1;
        for result in results {
            let text = self.result(&result);
            if !part.text.is_empty() && part.text.len() + text.len() > MOST_BYTES {
                self.object(place, number, &part)?;
                part = Part::default();
                number += 1;
            }
            part.counts[result.outcome as usize] += 1;
            part.text.push_str(&text);
        }
        self.object(place, number, &part)
    }

    fn object(&mut self, place: &Place<'_>, number: usize, part: &Part) -> io::Result<()> {
        let interface = self.interface;
        let name = if number == 1 { place.name.clone() } else { format!("{}-{number}", place.name) };
        let mut text = format!(
            "---\napiVersion: {}\nkind: {}\nmetadata:\n  name: {name}\n",
            interface.api_version(),
            interface.kind(place.namespace.is_some())
        );
        if let Some(namespace) = place.namespace {
            text.push_str(&format!("  namespace: {}\n", yaml::quoted(namespace)));
        }
        text.push_str(&format!("  labels:\n    {MANAGED_BY}: {SOURCE}\n"));
        if let Some(cluster) = place.cluster {
            text.push_str(&format!("    {CLUSTER}: {}\n", yaml::quoted(&names::label_value(cluster))));
        }
        text.push_str(&format!("  annotations:\n    seaworthy.dev/as-of: {}\n", yaml::quoted(&self.as_of)));
        if let Some(cluster) = place.cluster {
            text.push_str(&format!("    {CLUSTER}: {}\n", yaml::quoted(&shown(cluster))));
        }
        if let Some(owner) = place.scope.and_then(|workload| workload.owner.as_deref()) {
            text.push_str(&format!("    seaworthy.dev/owner: {}\n", yaml::quoted(&shown(owner))));
        }
        if interface == Interface::OpenReports {
            text.push_str(&format!("source: {SOURCE}\n"));
        }
        if let Some(workload) = place.scope {
            text.push_str(&format!("scope:\n{}", reference(&workload.key)));
        }
        text.push_str("summary:\n");
        for (outcome, count) in Outcome::ALL.into_iter().zip(part.counts) {
            text.push_str(&format!("  {}: {count}\n", outcome.name()));
        }
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(if part.text.is_empty() { b"results: []\n" } else { b"results:\n" })?;
        self.out.write_all(part.text.as_bytes())
    }

    fn result(&self, result: &ResultEntry<'_>) -> String {
        let quoted = |text: &str| yaml::quoted(&shown(text));
        let mut text = format!(
            "- source: {SOURCE}\n  policy: {}\n  rule: {}\n  category: {}\n  result: {}\n  scored: {}\n",
            quoted(result.policy),
            quoted(result.rule),
            yaml::quoted("Software supply chain"),
            result.outcome.name(),
            result.scored,
        );
        if let Some(severity) = result.severity {
            text.push_str(&format!("  severity: {}\n", severity.name().to_ascii_lowercase()));
        }
        text.push_str(&format!("  timestamp:\n    seconds: {}\n    nanos: 0\n  message: {}\n", self.seconds, quoted(&result.message)));
        let mut properties = result.properties.iter().filter(|(_, value)| !value.is_empty()).peekable();
        if properties.peek().is_some() {
            text.push_str("  properties:\n");
        }
        for (name, value) in properties {
            text.push_str(&format!("    {name}: {}\n", quoted(value)));
        }
        text
    }
}

#[derive(Default)]
struct Part {
    text: String,
    counts: [usize; Outcome::ALL.len()],
}

/// A reference to the workload. Whoever reads it finds it in the cluster only where its names are such as a cluster takes.
fn reference(key: &ObjectKey) -> String {
    let quoted = |text: &str| yaml::quoted(&shown(text));
    let namespace = if key.namespace.is_empty() { String::new() } else { format!("  namespace: {}\n", quoted(&key.namespace)) };
    format!("  apiVersion: {}\n  kind: {}\n{namespace}  name: {}\n", quoted(&key.api_version), quoted(&key.kind), quoted(&key.name))
}
