//! A framework never gets stricter within a major version: `fixtures/frameworks.json` holds what each version asked, and a pipeline that
//! passed yesterday must not fail today because the program is newer.
//!
//! `SEAWORTHY_WRITE_FIXTURES=1` records what is new; it never records what is stricter under the same major version.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use seaworthy::controls::Library;
use seaworthy::documents::{Control, Framework};
use seaworthy::model::Stage;
use serde::{Deserialize, Serialize};

/// What one version of a framework asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    version: String,
    /// Controls that count, with what each of them asks.
    controls: BTreeMap<String, Question>,
    /// Digest of the parameters that it sets.
    parameters: String,
}

/// What a control asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Question {
    severity: u8,
    /// Digest of its rule, scope and parameters.
    rule: String,
}

fn fingerprint(value: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(value).unwrap();
    digest(&SHA256, &bytes).as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn asked(framework: &Framework, control: impl Fn(&str) -> Control) -> Asked {
    let counting = framework.controls.iter().map(|id| control(id)).filter(|control| control.stage == Stage::Stable);
    let question = |control: Control| {
        let rule = fingerprint(&(&control.rule, &control.scope, &control.params, control.manual.is_some()));
        (control.id, Question { severity: control.severity, rule })
    };
    Asked { version: framework.version.clone(), controls: counting.map(question).collect(), parameters: fingerprint(&framework.parameters) }
}

fn major(version: &str) -> u32 {
    let (major, minor) = version.split_once('.').unwrap_or_else(|| panic!("{version:?} is not MAJOR.MINOR"));
    minor.parse::<u32>().unwrap();
    major.parse().unwrap()
}

/// What is stricter, or may be, in `new` than in `old`.
fn stricter(old: &Asked, new: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    for (id, question) in &new.controls {
        match old.controls.get(id) {
            None => found.push(format!("{id} is new and counts: let it start as `stage: preview`")),
            Some(known) if known.severity < question.severity => found.push(format!("{id} has a higher severity")),
            Some(known) if known.rule != question.rule => found.push(format!("the rule of {id} changed")),
            Some(_) => {}
        }
    }
    if old.parameters != new.parameters {
        found.push("its parameters changed".to_owned());
    }
    found
}

#[test]
fn no_framework_is_stricter_within_a_major_version() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/frameworks.json");
    let library = Library::embedded().unwrap();
    let control = |id: &str| library.control(id).unwrap().clone();
    let now: BTreeMap<String, Asked> = library.frameworks().map(|framework| (framework.id.clone(), asked(framework, control))).collect();
    let recorded: BTreeMap<String, Asked> = std::fs::read(&path).map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default();
    for (id, old) in &recorded {
        let Some(new) = now.get(id) else { continue };
        if major(&old.version) == major(&new.version) {
            let stricter = stricter(old, new);
            assert!(
                stricter.is_empty(),
                "framework {id} {} against the recorded {}: {}. Raise its major version; or, where a change is known to let more pass, change fixtures/frameworks.json by hand",
                new.version,
                old.version,
                stricter.join("; ")
            );
        }
    }
    if std::env::var_os("SEAWORTHY_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
    }
    let recorded: BTreeMap<String, Asked> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(recorded == now, "what a framework asks changed: run with SEAWORTHY_WRITE_FIXTURES=1 and review the difference");
}

#[test]
fn each_way_of_being_stricter_is_seen() {
    let question = |severity: u8, rule: &str| Question { severity, rule: rule.to_owned() };
    let asked = |controls: &[(&str, Question)]| Asked {
        version: "1.0".to_owned(),
        controls: controls.iter().map(|(id, question)| ((*id).to_owned(), question.clone())).collect(),
        parameters: String::new(),
    };
    let old = asked(&[("A-1", question(5, "x")), ("A-2", question(5, "x"))]);
    assert_eq!(stricter(&old, &asked(&[("A-1", question(4, "x"))])), Vec::<String>::new(), "less is not stricter");
    assert_eq!(stricter(&old, &asked(&[("A-1", question(6, "x"))])).len(), 1);
    assert_eq!(stricter(&old, &asked(&[("A-1", question(5, "y"))])).len(), 1);
    assert_eq!(stricter(&old, &asked(&[("B-1", question(1, "x"))])).len(), 1);
    let parameters = Asked { parameters: "y".to_owned(), ..old.clone() };
    assert_eq!(stricter(&old, &parameters).len(), 1);
}
