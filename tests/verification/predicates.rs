//! Predicates with something else in each place: what is read of them is what stands there, and nothing panics.

use std::path::Path;

use seaworthy::model::{Algorithm, Attested, Digest, Link, Predicate, Wanted};
use seaworthy::verify::{attested, read};
use serde_json::{Value, json};

/// The statements of the corpus, by name.
fn statements() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus/attested");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    files.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(path))).collect()
}

/// What a text says; none where it is no statement.
fn says(text: &str) -> Option<Attested> {
    let bytes = text.as_bytes();
    let digest = Digest::of(Algorithm::Sha256, bytes);
    let layer = Link {
        media_type: "application/vnd.in-toto+json".to_owned(),
        digest,
        size: bytes.len() as u64,
        artifact_type: None,
        annotations: None,
    };
    read(&layer, bytes).ok()?;
    Some(attested(&layer, bytes, &Wanted { payloads: Vec::new(), packages: true }).unwrap())
}

/// The places of a value, as JSON pointers.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    all.push(here.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, field)| places(field, &format!("{here}/{}", name.replace('/', "~1")), all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(number, item)| places(item, &format!("{here}/{number}"), all)),
        _ => {}
    }
}

fn odd_values() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inside, _| json!([inside]));
    let names = ["", " ", "\u{0}", "\u{202e}", "null", "🛳", "..", "git+https://github.com/acme/app@refs/tags/v9", "2026-06-01T12:00:00Z"];
    let texts = names.into_iter().map(str::to_owned).chain(["x".repeat(100_000)]).map(Value::String);
    let others =
        [Value::Null, json!(true), json!(-1), json!(u64::MAX), json!(1e308), json!([]), json!({}), json!([[]]), json!({ "id": 1 }), deep];
    texts.chain(others).collect()
}

/// Whatever is said stands in the text: a reader that fills gaps would say what nobody signed.
fn stands_there(said: &Attested, statement: &Value, what: &str) {
    let predicate = &statement["predicate"];
    match &said.predicate {
        Ok(Predicate::Provenance(provenance)) => {
            let (builder, build_type) = match statement["predicateType"].as_str().unwrap() {
                "https://slsa.dev/provenance/v1" => (&predicate["runDetails"]["builder"]["id"], &predicate["buildDefinition"]["buildType"]),
                _ => (&predicate["builder"]["id"], &predicate["buildType"]),
            };
            assert_eq!(Some(provenance.builder.as_str()), builder.as_str(), "{what}");
            assert_eq!(Some(provenance.build_type.as_str()), build_type.as_str(), "{what}");
            if let Some(source) = &provenance.source {
                let text = statement.to_string().to_lowercase();
                let written = serde_json::to_string(&source.repository.to_lowercase()).unwrap();
                assert!(text.contains(written.trim_matches('"')), "{what}: {source:?}");
            }
        }
        Ok(Predicate::Summary(summary)) => {
            assert_eq!(Some(summary.verifier.as_str()), predicate["verifier"]["id"].as_str(), "{what}");
            assert_eq!(summary.passed, predicate["verificationResult"] == "PASSED", "{what}");
            let levels: Vec<_> = predicate["verifiedLevels"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert_eq!(summary.levels, levels, "{what}");
        }
        _ => {}
    }
}

#[test]
fn every_seed_is_read() {
    for (name, statement) in statements() {
        let said = says(&statement.to_string()).unwrap_or_else(|| panic!("{name}"));
        assert!(said.predicate.is_ok() && said.time.is_some() || name == "spdx-text", "{name}: {said:?}");
    }
}

#[test]
fn something_else_in_any_place_is_refused_or_read_as_it_stands() {
    for (name, statement) in statements() {
        let mut all = Vec::new();
        places(&statement["predicate"], "/predicate", &mut all);
        for place in all {
            for odd in odd_values() {
                let mut changed = statement.clone();
                *changed.pointer_mut(&place).unwrap() = odd.clone();
                if let Some(said) = says(&changed.to_string()) {
                    stands_there(&said, &changed, &format!("{name} with {odd} in {place}"));
                }
            }
            let (parent, last) = place.rsplit_once('/').unwrap();
            let mut without = statement.clone();
            if let Some(fields) = without.pointer_mut(parent).and_then(Value::as_object_mut) {
                fields.remove(&last.replace("~1", "/"));
                if let Some(said) = says(&without.to_string()) {
                    stands_there(&said, &without, &format!("{name} without {place}"));
                }
            }
        }
    }
}

/// Wherever a key stands twice some read the first and others the last; in a text inside the text as well.
#[test]
fn a_key_that_is_there_twice_is_refused_in_any_place() {
    for (name, statement) in statements() {
        let mut all = Vec::new();
        places(&statement, "", &mut all);
        for place in all {
            let Some(Value::Object(fields)) = statement.pointer(&place) else { continue };
            let Some((key, value)) = fields.iter().next() else { continue };
            let object = statement.pointer(&place).unwrap().to_string();
            let doubled = format!("{{{}:{value},{}", json!(key), &object[1..]);
            let text = statement.to_string().replacen(&object, &doubled, 1);
            assert_ne!(text, statement.to_string());
            assert_eq!(says(&text), None, "{name}: {key} twice in {place:?}");
        }
    }
    let inner = r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"a"}],"packages":[]}"#;
    for predicate in [json!(inner), json!({ "Data": inner })] {
        let statement = json!({ "_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "https://spdx.dev/Document", "predicate": predicate });
        let said = says(&statement.to_string()).unwrap();
        assert!(said.predicate.is_err(), "{said:?}");
    }
}
