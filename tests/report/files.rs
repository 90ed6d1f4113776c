//! The contract in `reports/`: schemas and samples, regenerated and compared. `SEAWORTHY_WRITE_REPORTS=1` writes them anew.

use std::path::Path;

use seaworthy::report::openreports::Interface;
use seaworthy::report::{images, json, kubescape_json};

use super::fleet::fleet;
use super::pretty;
use super::sample::talk;

fn compare(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports").join(path);
    if std::env::var_os("SEAWORTHY_WRITE_REPORTS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == text, "reports/{path} is not what the program makes: run with SEAWORTHY_WRITE_REPORTS=1 and review the difference");
}

#[test]
fn the_schemas_are_the_stored_ones() {
    compare("schemas/report.v1.json", &format!("{:#}\n", json::v1::schema()));
    compare("schemas/images.v1.json", &format!("{:#}\n", images::schema()));
    compare("schemas/verification.v1.json", &format!("{:#}\n", seaworthy::report::verification::schema()));
    compare("schemas/changes.v1.json", &format!("{:#}\n", seaworthy::report::changes::schema()));
    compare("schemas/build.v1.json", &format!("{:#}\n", seaworthy::report::build::schema()));
}

#[test]
fn the_samples_are_the_stored_ones() {
    let report = talk();
    compare("samples/talk.txt", &pretty(&report, 100, false, true));
    let mut bytes = Vec::new();
    json::render(&report, &mut bytes).unwrap();
    compare("samples/talk.json", &String::from_utf8(bytes).unwrap());
    let mut bytes = Vec::new();
    kubescape_json::render(&report, &mut bytes).unwrap();
    compare("samples/talk.kubescape.json", &String::from_utf8(bytes).unwrap());
}

#[test]
fn the_samples_of_the_fleet_are_the_stored_ones() {
    let report = fleet();
    compare("samples/fleet.csv", &super::csv::text(&report));
    compare("samples/fleet.md", &super::markdown::text(&report));
    compare("samples/fleet.prom", &super::prometheus::text(&report));
    compare("samples/fleet.openreports.yaml", &super::openreports::text(&report, Interface::OpenReports));
    compare("samples/fleet.policyreport.yaml", &super::openreports::text(&report, Interface::PolicyReport));
    compare("samples/fleet.sarif", &super::sarif::text(&report));
    compare("samples/fleet.junit.xml", &super::pipelines::junit(&report));
    compare("samples/fleet.gitlab.json", &super::pipelines::gitlab(&report));
    compare("samples/fleet.github.txt", &super::pipelines::github(&report));
    compare("samples/fleet.html", &super::html::text(&report));
}
