//! The report as programs read it.

use std::collections::BTreeSet;

use seaworthy::model::Report;
use seaworthy::report::{json, kubescape_json};
use serde_json::Value;

use super::sample::{rich, talk};

pub(super) fn ours(report: &Report) -> Value {
    let mut bytes = Vec::new();
    json::render(report, &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn theirs(report: &Report) -> Value {
    let mut bytes = Vec::new();
    kubescape_json::render(report, &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn the_json_report_says_everything() {
    insta::assert_json_snapshot!("rich_json", ours(&rich()));
}

#[test]
fn the_talks_compliance_is_twenty_percent() {
    let report = ours(&talk());
    assert_eq!(report["compliance"], serde_json::json!({ "lower": 20.0, "upper": 20.0 }));
    assert_eq!(report["controls"][0]["counts"]["failed"], 8);
    let report = theirs(&talk());
    assert_eq!(report["summaryDetails"]["complianceScore"], 20.0);
    assert_eq!(report["summaryDetails"]["ResourceCounters"]["failedResources"], 8);
    assert_eq!(report["summaryDetails"]["resourcesSeverityCounters"]["highSeverity"], 8);
}

#[test]
fn a_place_tells_the_age_of_its_answer() {
    let report = ours(&rich());
    assert_eq!(report["images"][0]["places"][0]["ageSeconds"], 90);
    assert_eq!(report["images"][0]["manifest"]["credential"], "pullSecret");
}

#[test]
fn kubescapes_names_carry_what_they_can() {
    insta::assert_json_snapshot!("rich_kubescape_json", theirs(&rich()));
    let report = theirs(&rich());
    let controls = &report["summaryDetails"]["controls"];
    assert_eq!(controls["C-0236"]["statusInfo"]["subStatus"], "configuration");
    assert_eq!(controls["C-0236"].get("complianceScore"), None);
    assert_eq!(controls["C-0306"]["statusInfo"], serde_json::json!({ "status": "passed", "subStatus": "irrelevant" }));
    let unknown = "argoproj.io/v1alpha1/shop/Rollout/checkout";
    assert_eq!(controls["C-0237"]["resourceIDs"][unknown], "skipped");
    let result = report["results"].as_array().unwrap().iter().find(|result| result["resourceID"] == unknown).unwrap();
    assert_eq!(result["controls"][0]["status"], serde_json::json!({ "status": "skipped", "subStatus": "notEvaluated", "info": "timeout" }));
}

#[test]
fn the_guid_is_the_content_s() {
    let guid = |report: &Report| theirs(report)["reportGUID"].as_str().unwrap().to_owned();
    assert_eq!(guid(&rich()), guid(&rich()));
    assert_ne!(guid(&rich()), guid(&talk()));
    assert_eq!(guid(&talk()).as_bytes()[14], b'8');
}

#[test]
fn every_report_keeps_to_its_schema() {
    let schema = json::v1::schema();
    for report in [rich(), talk()] {
        let mut wrong = Vec::new();
        check(&schema, &schema, &ours(&report), "$", &mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
    }
    let mut broken = ours(&talk());
    broken["controls"][0]["severity"] = "Dreadful".into();
    broken["header"].as_object_mut().unwrap().remove("asOf");
    let mut wrong = Vec::new();
    check(&schema, &schema, &broken, "$", &mut wrong);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

/// As much of JSON Schema as the generated schema uses.
pub(super) fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else { return };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        check(root, target, value, at, wrong);
    }
    if let Some(expected) = schema.get("const")
        && expected != value
    {
        wrong.push(format!("{at}: {value} is not {expected}"));
    }
    if let Some(members) = schema.get("enum").and_then(Value::as_array)
        && !members.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of the allowed"));
    }
    if let Some(types) = schema.get("type") {
        let types: BTreeSet<&str> =
            types.as_array().map_or_else(|| types.as_str().into_iter().collect(), |all| all.iter().filter_map(Value::as_str).collect());
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = types.contains(is) || (is == "integer" && types.contains("number"));
        if !fits {
            wrong.push(format!("{at}: {is} where {types:?} is wanted"));
        }
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(choices) = schema.get(choice).and_then(Value::as_array) else { continue };
        let fits = choices.iter().any(|choice| {
            let mut attempt = Vec::new();
            check(root, choice, value, at, &mut attempt);
            attempt.is_empty()
        });
        if !fits {
            wrong.push(format!("{at}: {value} fits no choice"));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().enumerate().for_each(|(index, value)| check(root, items, value, &format!("{at}[{index}]"), wrong));
    }
    let Some(object) = value.as_object() else { return };
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(required) {
            wrong.push(format!("{at}: {required} is missing"));
        }
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, value) in object {
            match properties.get(name) {
                Some(schema) => check(root, schema, value, &format!("{at}.{name}"), wrong),
                None => wrong.push(format!("{at}: {name} is not in the schema")),
            }
        }
    }
}
