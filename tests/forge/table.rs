//! `fixtures/verdicts.yaml`: what is expected of which fixture, and that nothing of the contract is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use seaworthy::model::{Cause, Reason};
use serde::Deserialize;

use super::kept;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Table {
    contract: Contract,
    /// Of `fixtures/signatures/`.
    pub fixtures: Vec<Row>,
    /// Of `fixtures/signers/`.
    pub signers: Vec<Row>,
    /// Of `fixtures/attestations/`.
    pub attestations: Vec<AttestationRow>,
    tests: Vec<Elsewhere>,
}

/// Identifiers with the words of the contract.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Contract {
    rows: BTreeMap<String, String>,
    attacks: BTreeMap<String, String>,
    bad_input: BTreeMap<String, String>,
}

/// A fixture with what is expected of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub name: String,
    tag: Tag,
    stands: Vec<String>,
    /// The layout, where it is not the one of the same name.
    pub layout: Option<String>,
    pub policy: String,
    /// The reference in the workload. Without it: `registry.test/NAME:v1`.
    pub image: Option<String>,
    /// What runs: a name in the layout, or a digest that is not there. Without it: what `v1` leads to.
    pub runs: Option<String>,
    /// The moment as of which it is judged. Without it: when the snapshot was taken.
    pub at: Option<String>,
    /// Questions that get no answer, with the cause.
    #[serde(default)]
    pub unanswered: BTreeMap<Unanswered, String>,
    pub exists: String,
    pub valid: String,
    note: String,
}

/// An attested image with what a control says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationRow {
    pub name: String,
    tag: Tag,
    #[serde(default)]
    stands: Vec<String>,
    pub control: String,
    /// The layout, where it is not the one of the same name.
    pub layout: Option<String>,
    /// The moment as of which it is judged. Without it: when the snapshot was taken.
    pub at: Option<String>,
    pub verdict: String,
    note: String,
}

impl AttestationRow {
    pub fn layout(&self) -> &str {
        self.layout.as_deref().unwrap_or(&self.name)
    }
}

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unanswered {
    Referrers,
    SignatureTag,
    Manifest,
    /// Where the tag of the workload leads.
    Tag,
}

/// What a test shows that has no fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    test: String,
    tag: Tag,
    stands: Vec<String>,
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Tag {
    /// Signatures.
    S,
    /// Attestations.
    A,
    /// Reports and exceptions.
    R,
}

impl Row {
    /// A row outside the table.
    pub fn of(name: &str, policy: &str) -> Self {
        Self {
            name: name.to_owned(),
            tag: Tag::S,
            stands: Vec::new(),
            layout: None,
            policy: policy.to_owned(),
            image: None,
            runs: None,
            at: None,
            unanswered: BTreeMap::new(),
            exists: String::new(),
            valid: String::new(),
            note: String::new(),
        }
    }

    pub fn layout(&self) -> &str {
        self.layout.as_deref().unwrap_or(&self.name)
    }

    pub fn image(&self) -> String {
        self.image.clone().unwrap_or_else(|| format!("registry.test/{}:v1", self.name))
    }
}

/// The words of the table in those of a report.
pub fn expected(word: &str) -> String {
    let (verdict, code) = word.split_once(' ').unwrap_or((word, ""));
    let (status, fits) = match verdict {
        "pass" | "verified" => ("passed", code.is_empty()),
        "irrelevant" => ("irrelevant", code.is_empty()),
        "absent" => return "failed absent".to_owned(),
        "fail" | "rejected" => ("failed", code.parse::<Reason>().is_ok()),
        "unknown" => ("unknown", code.parse::<Cause>().is_ok()),
        _ => ("", false),
    };
    assert!(fits, "{word:?} is no verdict of the contract");
    format!("{status} {code}").trim().to_owned()
}

impl Table {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/verdicts.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[test]
fn every_fixture_has_a_row_and_every_row_its_fixture() {
    let table = Table::read();
    compare(&table.fixtures, kept::directory(), &["trust"]);
    compare(&table.signers, &kept::signers(), &["tools", "trust"]);
}

/// Compares rows with the layouts and policies of a directory, some of whose own directories are no layouts.
fn compare(rows: &[Row], directory: &Path, no_layouts: &[&str]) {
    let mut layouts: BTreeSet<_> = kept::names(directory).into_iter().collect();
    for name in no_layouts {
        assert!(layouts.remove(*name), "{name} is missing");
    }
    let place = directory.display();
    let used: BTreeSet<_> = rows.iter().map(|row| row.layout().to_owned()).collect();
    assert_eq!(layouts, used, "left: directories of {place}; right: layouts of fixtures/verdicts.yaml");
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows bear one name");
    let policies = std::fs::read_dir(directory.join("trust")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let policies: BTreeSet<_> = policies.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
    let used: BTreeSet<_> = rows.iter().map(|row| row.policy.clone()).collect();
    assert_eq!(policies, used, "left: policies of {place}/trust; right: policies of fixtures/verdicts.yaml");
    for row in rows {
        assert!(row.tag == Tag::S && !row.note.is_empty(), "{}", row.name);
        for word in [&row.exists, &row.valid] {
            expected(word);
        }
    }
}

#[test]
fn every_attested_fixture_has_a_row_and_every_row_its_fixture() {
    let rows = Table::read().attestations;
    let mut layouts: BTreeSet<_> = kept::names(kept::attestations()).into_iter().collect();
    for name in super::attested::NO_LAYOUTS {
        assert!(layouts.remove(name), "{name} is missing");
    }
    let used: BTreeSet<_> = rows.iter().map(|row| row.layout().to_owned()).collect();
    assert_eq!(layouts, used, "left: directories of fixtures/attestations; right: layouts of fixtures/verdicts.yaml");
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows bear one name");
    for row in &rows {
        assert!(row.tag == Tag::A && !row.note.is_empty(), "{}", row.name);
        expected(&row.verdict);
    }
}

#[test]
fn every_row_and_attack_of_the_contract_has_a_fixture_or_a_test() {
    let table = Table::read();
    let contract = [&table.contract.rows, &table.contract.attacks, &table.contract.bad_input];
    let known: BTreeSet<&String> = contract.iter().flat_map(|part| part.keys()).collect();
    assert_eq!(known.len(), contract.iter().map(|part| part.len()).sum::<usize>(), "an identifier is used twice");
    let fixtures = table.fixtures.iter().chain(&table.signers).flat_map(|row| &row.stands);
    let fixtures = fixtures.chain(table.attestations.iter().flat_map(|row| &row.stands));
    let shown: BTreeSet<&String> = fixtures.chain(table.tests.iter().flat_map(|test| &test.stands)).collect();
    assert_eq!(known, shown, "left: the contract; right: what fixtures and tests stand for");
}

#[test]
fn every_test_that_is_named_is_there() {
    for row in Table::read().tests {
        assert!(matches!(row.tag, Tag::S | Tag::A | Tag::R) && !row.note.is_empty(), "{}", row.test);
        assert!(is_test(&row.test), "{} is named in fixtures/verdicts.yaml and is no test", row.test);
    }
}

/// Whether a test of this path is in `tests/`, or in `src/` where the path begins with the crate's name.
fn is_test(path: &str) -> bool {
    let (root, path) = path.strip_prefix("seaworthy::").map_or(("tests", path), |rest| ("src", rest));
    let segments: Vec<&str> = path.split("::").collect();
    let Some((name, modules)) = segments.split_last() else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    (1..=modules.len()).any(|depth| {
        let module = root.join(modules[..depth].join("/"));
        let files = [module.with_extension("rs"), module.join("mod.rs")];
        files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).any(|text| runs(&text, name))
    })
}

/// Whether a function is marked as a test, and nothing keeps it from being run.
fn runs(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = |line: &str| line.contains(&format!("fn {name}(")) && !line.starts_with("//");
    let Some(position) = lines.iter().position(|line| declared(line)) else { return false };
    let attributes: Vec<&&str> = lines[..position].iter().rev().take_while(|line| line.starts_with("#[")).collect();
    attributes.iter().any(|line| line.contains("test")) && !attributes.iter().any(|line| line.contains("ignore"))
}
