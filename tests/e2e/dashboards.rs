//! What dashboards and pull requests show: metrics by Prometheus' own parsers, policy reports by the API server with the definitions of
//! their authors, markdown by GitHub's own parser.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use seaworthy::model::Report;
use seaworthy::report::openreports::Interface;
use seaworthy::report::prometheus::METRICS;
use serde_json::Value;

use super::judged::arguments;
use super::process::wait;
use super::standing::standing;
use super::supervisor::say;
use crate::report::fleet::fleet;
use crate::report::hostile::hostile;
use crate::report::large::{deep, large};
use crate::report::sample::rich;
use crate::report::{markdown, openreports, prometheus};

/// One scan of the standing cluster in each of the formats: `dashboards.<extension>` of the run.
fn scanned(extension: &str) -> PathBuf {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let standing = standing();
        let base = standing.stack.run.join("dashboards");
        let formats = [("prometheus", "prom"), ("openreports", "openreports"), ("policyreport", "policyreport"), ("markdown", "md")];
        let formats: Vec<_> = formats.map(|(format, extension)| format!("{format}={}.{extension}", base.display())).into();
        let mut words = arguments(standing, &["scan", "--no-cache", "--registry-timeout", "1s", "--compliance-threshold", "80", "-f"]);
        let at = words.iter().position(|word| word == "-f").unwrap();
        words.insert(at + 1, formats.join(","));
        let ended = standing.stack.run_seaworthy(&words);
        assert!(base.with_extension("prom").exists(), "{ended:?}");
        base
    });
    base.with_extension(extension)
}

/// Whether a program, or a directory of files, is there; if not, the test is skipped by name (which is a failure where `CI=true`).
fn have(program: &str) -> bool {
    let have = standing().stack.servers.have(program);
    if !have {
        say(&format!("skipped: e2e::dashboards: {program} is missing"));
    }
    have
}

/// Families as both parsers read them.
fn parsed(file: &Path) -> Value {
    let mut parser = standing().stack.servers.program("prometheus-parser");
    parser.arg(file);
    serde_json::from_str(&standing().stack.servers.output(parser)).unwrap()
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn prometheus_reads_every_metric_that_is_written() {
    if !have("prometheus-parser") {
        return;
    }
    let mut files = vec![scanned("prom")];
    for (at, report) in [rich(), fleet()].into_iter().chain(hostile()).enumerate() {
        let file = standing().stack.run.join(format!("made-{at}.prom"));
        std::fs::write(&file, prometheus::text(&report)).unwrap();
        files.push(file);
    }
    for file in files {
        let families = parsed(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        let mut samples = 0;
        for family in families.as_array().unwrap() {
            assert_eq!(family["type"], "gauge", "{family}");
            let metric = METRICS.iter().find(|metric| family["name"] == metric.name).unwrap_or_else(|| panic!("{family}"));
            for sample in family["samples"].as_array().unwrap() {
                assert!(sample[2].as_f64().is_some_and(|value| value >= 0.0), "{sample}");
                assert!(metric.labels.iter().all(|label| sample[1][label].is_string()), "{sample}");
                samples += 1;
            }
        }
        assert_eq!(samples, text.lines().filter(|line| !line.starts_with('#')).count(), "{}", file.display());
        assert!(samples > 100, "{}: {samples}", file.display());
    }
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn prometheus_would_refuse_a_series_twice() {
    if !have("prometheus-parser") {
        return;
    }
    let file = standing().stack.run.join("broken.prom");
    std::fs::write(&file, "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n").unwrap();
    let mut parser = standing().stack.servers.program("prometheus-parser");
    let ended = parser.arg(&file).output().unwrap();
    assert!(!ended.status.success(), "a reader that takes anything proves nothing");
}

/// Tags of HTML that the comment is made of.
const TAGS: [&str; 20] = [
    "h2",
    "h3",
    "h4",
    "p",
    "br",
    "strong",
    "code",
    "pre",
    "ul",
    "li",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "blockquote",
    "details",
    "summary",
];

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn github_makes_nothing_of_a_name_in_markdown() {
    if !have("markdown-parser") {
        return;
    }
    let mut files = vec![scanned("md")];
    for (at, report) in [rich(), fleet(), large(3_000)].into_iter().chain(hostile()).enumerate() {
        let file = standing().stack.run.join(format!("made-{at}.md"));
        std::fs::write(&file, markdown::text(&report)).unwrap();
        files.push(file);
    }
    for file in files {
        let mut parser = standing().stack.servers.program("markdown-parser");
        parser.arg(&file);
        let read: Value = serde_json::from_str(&standing().stack.servers.output(parser)).unwrap();
        let tags = read["tags"].as_object().unwrap();
        let foreign: Vec<_> = tags.keys().filter(|tag| !TAGS.contains(&tag.as_str())).collect();
        assert!(foreign.is_empty(), "{}: {foreign:?}", file.display());
        assert_eq!(tags.get("details"), tags.get("summary"), "{}", file.display());
        assert_eq!(read["comments"], serde_json::json!([" seaworthy-report "]), "{}", file.display());
        assert!(read["columns"].as_array().unwrap().iter().all(|columns| *columns == 7), "{}: {}", file.display(), read["columns"]);
        for link in read["links"].as_array().unwrap() {
            let link = link.as_str().unwrap();
            assert!(
                ["https://seaworthy.dev/controls/", "https://hub.armosec.io/docs/", "https://slsa.dev/spec/"]
                    .iter()
                    .any(|of| link.starts_with(of)),
                "{link}"
            );
        }
        // What the site looks for in text: mentions, references to issues, addresses, names of emoji.
        let text = read["text"].as_str().unwrap();
        for sign in ["@", "#", "://", "www.", "GH-", ":tada:", "evil.test", "octocat"] {
            assert!(!text.contains(sign), "{}: {sign} in {text}", file.display());
        }
    }
}

/// Where the API server has the objects of a kind.
fn collection(interface: Interface, object: &Value) -> String {
    let group = match interface {
        Interface::OpenReports => "openreports.io/v1alpha1",
        Interface::PolicyReport => "wgpolicyk8s.io/v1alpha2",
    };
    let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/apis/{group}/namespaces/{namespace}/{plural}"),
        None => format!("/apis/{group}/{plural}"),
    }
}

/// Defines the kinds as their authors do, and waits until the API server has them.
fn define(definitions: &str) {
    let cluster = &standing().stack.cluster;
    let directory = standing().stack.servers.path(definitions);
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let definition: Value = serde_saphyr::from_str(text.trim_start_matches("---\n")).unwrap();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}", definition["metadata"]["name"].as_str().unwrap());
        cluster.apply_strictly(&path, &text).unwrap();
        wait("a kind to be established", || {
            let conditions = cluster.find(&path)?["status"]["conditions"].as_array()?.clone();
            conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True").then_some(())
        });
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().unwrap() {
            let [group, version, plural] = [&spec["group"], &version["name"], &spec["names"]["plural"]].map(|text| text.as_str().unwrap());
            let path = format!("/apis/{group}/{version}/{plural}");
            wait("a kind to be served", || cluster.find(&path));
        }
    }
}

/// Applies each document as it is written, and reads it back.
fn apply(interface: Interface, text: &str) -> usize {
    let cluster = &standing().stack.cluster;
    let documents: Vec<_> = text.split("---\n").filter(|document| !document.is_empty()).collect();
    for document in &documents {
        let object: Value = serde_saphyr::from_str(document).unwrap();
        let path = format!("{}/{}", collection(interface, &object), object["metadata"]["name"].as_str().unwrap());
        cluster.apply_strictly(&path, document).unwrap_or_else(|error| panic!("{error}\n{document:.4000}"));
        let kept = cluster.get(&path);
        for field in ["source", "scope", "summary", "results"] {
            assert_eq!(kept[field], object[field], "{path}");
        }
        assert_eq!(kept["metadata"]["labels"], object["metadata"]["labels"]);
    }
    documents.len()
}

fn served(interface: Interface, definitions: &str, extension: &str) {
    if !have(definitions) {
        return;
    }
    define(definitions);
    assert_strict(interface);
    let scanned = std::fs::read_to_string(scanned(extension)).unwrap();
    let of_workloads = apply(interface, &scanned);
    assert!(of_workloads > 30, "{of_workloads}");
    for outcome in ["result: pass", "result: fail", "result: error", "result: skip"] {
        assert!(scanned.contains(outcome), "{outcome}");
    }
    // Those that are made of nothing but harm name no namespace that could be one: they are all about the cluster.
    for report in hostile().chain([without_namespaces(rich()), without_namespaces(fleet()), without_namespaces(deep(3_000))]) {
        assert!(apply(interface, &openreports::text(&report, interface)) > 1);
    }
}

/// A server that takes anything proves nothing.
fn assert_strict(interface: Interface) {
    let (version, kind) = match interface {
        Interface::OpenReports => ("openreports.io/v1alpha1", "ClusterReport"),
        Interface::PolicyReport => ("wgpolicyk8s.io/v1alpha2", "ClusterPolicyReport"),
    };
    let object =
        |more: &str| format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: strict}}\nresults: [{{policy: p, {more}}}]\n");
    let path = format!("/apis/{version}/{}s/strict", kind.to_lowercase());
    let cluster = &standing().stack.cluster;
    cluster.apply_strictly(&path, &object("result: pass")).unwrap();
    for wrong in ["result: unknown", "result: pass, nothing: x", "timestamp: now"] {
        assert!(cluster.apply_strictly(&path, &object(wrong)).is_err(), "{wrong}");
    }
}

/// Other tests count the namespaces: none is made here.
fn without_namespaces(mut report: Report) -> Report {
    for workload in &mut report.workloads {
        workload.key.namespace = "".into();
    }
    report
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_api_server_takes_each_report_of_openreports() {
    served(Interface::OpenReports, "openreports-definitions", "openreports");
}

#[test]
#[ignore = "run by e2e::against_real_servers"]
fn the_api_server_takes_each_policy_report() {
    served(Interface::PolicyReport, "policyreport-definitions", "policyreport");
}
