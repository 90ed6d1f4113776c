//! What the program says of the standing cluster, and how tests read it.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use super::process::Ended;
use super::standing::{Standing, standing};

/// A JSON report.
pub struct Report(pub Value);

impl Report {
    /// Reads it.
    pub fn read(path: &Path) -> Self {
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// Workloads as `namespace/Kind/name`, in the order of the report.
    pub fn workloads(&self) -> Vec<String> {
        let text = |workload: &Value, field: &str| workload[field].as_str().unwrap().to_owned();
        let name = |workload: &Value| ["namespace", "kind", "name"].map(|field| text(workload, field)).join("/");
        self.0["workloads"].as_array().unwrap().iter().map(name).collect()
    }

    /// What a control says of a workload.
    pub fn finding(&self, control: &str, workload: &str) -> Option<&Value> {
        let position = self.workloads().iter().position(|name| name == workload)?;
        let mut findings = self.0["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["control"] == control && finding["workload"] == position)
    }

    /// Gaps, each as what it says that it is and its cause.
    pub fn gaps(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.0["gaps"].as_array().unwrap().iter().map(|gap| (text(&gap["what"]), text(&gap["cause"]))).collect()
    }
}

/// One scan in every format.
pub struct Judged {
    /// Of which cluster.
    pub standing: &'static Standing,
    /// How the program ended.
    pub ended: Ended,
    /// The report.
    pub report: Report,
    /// The same, as bytes.
    pub json: Vec<u8>,
    /// Under Kubescape's names.
    pub kubescape: Value,
    /// For a person.
    pub pretty: String,
}

/// Arguments of a scan that the administrator makes of everything.
pub fn arguments(standing: &Standing, scan: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = scan.iter().map(|&word| word.to_owned()).collect();
    arguments.extend(["--kubeconfig".to_owned(), standing.stack.cluster.administrator().display().to_string()]);
    arguments.extend(standing.stack.registry_options());
    arguments
}

/// `scan control C-0237 -v` of the whole cluster, once for all tests.
pub fn judged() -> &'static Judged {
    static JUDGED: OnceLock<Judged> = OnceLock::new();
    JUDGED.get_or_init(|| {
        let standing = standing();
        let formats = "json=full.json,kubescape-json=full-kubescape.json,pretty=full.txt";
        let mut arguments = arguments(standing, &["scan", "control", "C-0237", "-v", "--no-cache", "-f", formats]);
        arguments.extend(["--registry-timeout", "1s"].map(str::to_owned));
        let ended = standing.stack.run_seaworthy(&arguments);
        let run = &standing.stack.run;
        assert!(run.join("full.json").exists(), "{ended:?}");
        let json = std::fs::read(run.join("full.json")).unwrap();
        Judged {
            standing,
            ended,
            report: Report(serde_json::from_slice(&json).unwrap()),
            json,
            kubescape: serde_json::from_slice(&std::fs::read(run.join("full-kubescape.json")).unwrap()).unwrap(),
            pretty: std::fs::read_to_string(run.join("full.txt")).unwrap(),
        }
    })
}
