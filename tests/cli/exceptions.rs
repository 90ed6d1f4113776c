//! `--exceptions` and `exceptions`: what counts, what is said, and how the program ends.

use serde_json::Value;

use super::{Ended, Program};

/// Ten workloads as of 2026-11-02, eight of which run what is not signed.
const TALK: &str = "fixtures/snapshots/talk";
/// Workloads of which some are not known.
const HARBOUR: &str = "fixtures/snapshots/harbour";
/// Kubescape's form, with what its users write.
const KUBESCAPE: &str = "tests/fixtures/kubescape-exceptions.json";

fn exception(name: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: seaworthy.dev/v1alpha1\nkind: Exception\nmetadata: {{ name: {name} }}\nspec:\n  reason: vendor image, replacement due\n  owner: team-payments\n{rest}\n"
    )
}

fn scan(program: &Program, text: &str, more: &[&str]) -> Ended {
    let file = program.file("exceptions.yaml", text);
    scan_with(program, &["--exceptions", &file], more)
}

fn scan_with(program: &Program, exceptions: &[&str], more: &[&str]) -> Ended {
    program.run(&[&["scan", "control", "C-0237", "--snapshot", TALK], exceptions, more].concat())
}

const LEDGER: &str = "  controls: [C-0237]\n  workloads: { names: ['ledger-*'] }\n  expires: 2027-01-31";

#[test]
fn what_is_excepted_counts_as_passed_and_is_shown_as_excepted() {
    let program = Program::new();
    let text = exception("legacy", LEDGER);
    scan(&program, &text, &[]).prints(0, &["50 %", "Exceptions: 1 in force, by which 3 answers count as passed"]);
    scan(&program, &text, &["--compliance-threshold", "50"]).prints(0, &["Gate: met"]);
    scan(&program, &text, &["--compliance-threshold", "51"]).prints(1, &["Gate: missed"]);
    scan(&program, &text, &["-v"]).prints(
        0,
        &[
            "Controls: 1 (Failed: 0, excepted: 1, action required: 0)",
            "Failed:  C-0237 image: ghcr.io/ledgerhq/explorer:3.1.0 is not signed (absent)",
            "Excepted: legacy: vendor image, replacement due (until 2027-01-31, owner team-payments)",
        ],
    );
    let report = scan(&program, &text, &["-f", "json"]).json();
    assert_eq!(report["controls"][0]["counts"]["excepted"], 3);
    assert_eq!(report["exceptions"][0]["matched"], 3);
    assert_eq!(report["exceptions"][0]["state"], "inForce");
    let documents = report["header"]["documents"].as_array().unwrap();
    assert_eq!(documents.iter().filter(|document| document["kind"] == "Exception").count(), 1, "{documents:?}");
    let theirs = scan(&program, &text, &["-f", "kubescape-json"]).json();
    let sub_statuses: Vec<&Value> = statuses(&theirs).collect();
    assert_eq!(sub_statuses.iter().filter(|status| ***status == "w/exceptions").count(), 3, "{theirs:#}");
    let rules = theirs["results"].as_array().unwrap().iter().map(|result| &result["controls"][0]["rules"][0]["exception"]);
    let named: Vec<&Value> = rules.filter(|exception| !exception.is_null()).collect();
    assert_eq!(named.len(), 3);
    assert_eq!(
        *named[0],
        serde_json::json!([{
            "name": "legacy", "policyType": "postureExceptionPolicy", "actions": ["alertOnly"], "resources": [],
            "reason": "vendor image, replacement due", "expirationDate": "2027-01-31T23:59:59Z", "createdBy": "team-payments",
        }])
    );
}

/// Every sub status of a result.
fn statuses(report: &Value) -> impl Iterator<Item = &Value> {
    let results = report["results"].as_array().unwrap().iter();
    results.flat_map(|result| result["controls"].as_array().unwrap()).map(|control| &control["status"]["subStatus"])
}

/// The attack: everything is excepted. It passes, and every report says why.
#[test]
fn an_exception_that_matches_everything_is_a_warning() {
    let program = Program::new();
    for limit in ["", "  images: ['**']\n", "  workloads: { names: ['*'] }\n"] {
        let text = exception("everything", &format!("  controls: [C-0237]\n{limit}  expires: 2027-01-31"));
        scan(&program, &text, &["--compliance-threshold", "100"]).prints(
            0,
            &[
                "Gate: met",
                "everything: vendor image, replacement due (until 2027-01-31, owner team-payments): 8 answers",
                "Warning: it matches everything: neither workloads nor images limit it",
            ],
        );
        let file = program.file("exceptions.yaml", &text);
        let lint = program.run(&["exceptions", "lint", &file, "--at", "2026-11-02T00:00:00Z"]);
        lint.says(0, &["warning: everything: it matches everything"]);
        lint.prints(0, &["1 file, 1 exception, 0 problems, 1 warning"]);
    }
    let text = exception("here", "  controls: [C-0237]\n  workloads: { namespaces: [default] }\n  expires: 2027-01-31");
    scan(&program, &text, &[]).prints(0, &["Warning: it matches everything that its controls judge here"]);
}

/// The attack: an exception that nobody renewed. What it excepted fails again, loudly.
#[test]
fn an_exception_that_ended_excepts_nothing_and_says_since_when() {
    let program = Program::new();
    let text = exception("legacy", &LEDGER.replace("2027-01-31", "2026-11-01"));
    scan(&program, &text, &["-v"]).prints(
        0,
        &[
            "20 %",
            "Exceptions: 0 in force, by which 0 answers count as passed",
            "Ended, and what they excepted counts again:",
            "Warning: it ended on 2026-11-01",
            "Warning: exception legacy ended on 2026-11-01",
        ],
    );
    scan(&program, &text, &["--compliance-threshold", "21"]).prints(1, &["Gate: missed"]);
    // On its last day it holds; as of another moment it is another report.
    scan(&program, &text, &["--at", "2026-11-01T23:59:59Z"])
        .prints(0, &["50 %", "Ends soon: legacy", "Warning: it ends in less than a day"]);
    let soon = exception("legacy", &LEDGER.replace("2027-01-31", "2026-11-09"));
    scan(&program, &soon, &[]).prints(0, &["50 %", "Ends soon: legacy", "Warning: it ends in 7 days"]);
    let file = program.file("exceptions.yaml", &text);
    program.run(&["exceptions", "lint", &file, "--at", "2026-12-01T00:00:00Z"]).says(0, &["legacy: it ended on 2026-11-01"]);
}

/// The attack: a regular expression that is none. It is refused with its place, before anything is scanned.
#[test]
fn a_broken_regular_expression_is_refused_with_its_place() {
    let program = Program::new();
    let text = "[\n  {\n    \"name\": \"e\",\n    \"resources\": [\n      { \"designatorType\": \"Attributes\", \"attributes\": { \"kind\": \".*\", \"name\": \"ledger-[a-\" } }\n    ]\n  }\n]\n";
    let file = program.file("broken.json", text);
    let out = program.home().join("report.json");
    let ended = scan_with(&program, &["--exceptions", &file], &["-f", "json", "-o", out.to_str().unwrap()]);
    ended.says(2, &["broken.json:5:79: \"ledger-[a-\" is not a regular expression: unclosed character class"]);
    assert!(!out.exists(), "nothing was scanned");
    program.run(&["exceptions", "lint", &file]).says(2, &["broken.json:5:79: \"ledger-[a-\" is not a regular expression"]);
}

#[test]
fn files_that_are_none_are_refused_before_the_scan() {
    let program = Program::new();
    for (text, said) in [
        ("kind: Exception\n", "exceptions.yaml:1:1: there is no `apiVersion`"),
        ("{\"name\": \"e\"}", "there is no `apiVersion`"),
        ("[\n 1\n]", "exceptions.yaml:2:2: this is not Kubescape's form of exceptions"),
        (&exception("e", "  controls: [C-0237]\n  expires: 2027-01-31\n  aprovedBy: me"), "did you mean `approvedBy`?"),
        (
            "apiVersion: seaworthy.dev/v1alpha1\nkind: Parameters\nmetadata: { name: p }\nspec: { controls: {} }\n",
            "it holds something else than an Exception or an ExceptionPolicy",
        ),
    ] {
        scan(&program, text, &[]).says(2, &[said]);
    }
    scan_with(&program, &["--exceptions", "no/such/file.yaml"], &[]).says(2, &["cannot read no/such/file.yaml"]);
    // Each of several is told by lint.
    let two = exception("a", "  controls: []\n  expires: 2027-01-31") + &exception("b", "  controls: [C-0237]\n  expires: soon");
    let file = program.file("two.yaml", &two);
    let ended = program.run(&["exceptions", "lint", &file]);
    ended.says(2, &["two.yaml:8:3: `controls: []` excepts nothing", "\"soon\" is neither a date"]);
    ended.prints(2, &["2 problems"]);
}

#[test]
fn the_organisations_file_limits_the_others() {
    let program = Program::new();
    let organisation =
        "---\napiVersion: seaworthy.dev/v1alpha1\nkind: ExceptionPolicy\nmetadata: { name: acme }\nspec: { longestTerm: 30d }\n";
    let text = exception("legacy", LEDGER);
    let both = text.clone() + organisation;
    scan(&program, &both, &["-v"]).prints(
        0,
        &[
            "20 %",
            "Not allowed, and what they would except counts:",
            "Warning: it is not allowed: it ends on 2027-01-31, and acme allows 30d at most",
            "Warning: exception legacy is not allowed:",
        ],
    );
    // In another file, a directory, and before the exception, it is the same.
    program.file("dir/a.yaml", &text);
    let policy = program.file("dir/z.yaml", organisation);
    let directory = program.home().join("dir").display().to_string();
    scan_with(&program, &["--exceptions", &directory], &[]).prints(0, &["20 %"]);
    let alone = program.file("exceptions.yaml", &text);
    scan_with(&program, &["--exceptions", &policy, "--exceptions", &alone], &[]).prints(0, &["20 %"]);
    scan_with(&program, &["--exceptions", &alone], &[]).prints(0, &["50 %"]);
    let never = organisation.replace("longestTerm: 30d", "notExceptable: [C-0237]");
    scan(&program, &(text + &never), &["--fail-on", "C-0237"]).prints(1, &["Warning: it is not allowed: C-0237 may not be excepted"]);
}

#[test]
fn the_first_that_holds_is_named_and_no_other_order_changes_what_counts() {
    let program = Program::new();
    let one = exception("one", LEDGER);
    let two = exception("two", "  controls: [C-0237]\n  workloads: { names: [ledger-explorer, redis] }\n  expires: 2027-01-31");
    let of = |text: String| {
        let report = scan(&program, &text, &["-f", "json"]).json();
        let matched: Vec<_> = report["exceptions"].as_array().unwrap().iter().map(|each| each["matched"].as_u64().unwrap()).collect();
        (report["controls"][0]["counts"].clone(), matched)
    };
    let (first, matched) = of(one.clone() + &two);
    assert_eq!((first["excepted"].as_u64(), matched), (Some(4), vec![3, 1]));
    let (second, matched) = of(two + &one);
    assert_eq!((second, matched), (first, vec![2, 2]));
}

#[test]
fn kubescapes_file_is_imported_as_it_is() {
    let program = Program::new();
    let ended = scan_with(&program, &["--exceptions", KUBESCAPE], &["-v"]);
    ended.prints(
        0,
        &[
            "60 %",
            "Excepted: exclude-ledger: vendor image, replacement due (until 2027-01-31 12:00:00 UTC, owner platform@acme.example)",
            "Excepted: exclude-mail (without an end)",
            "exclude-old: was decided long ago (until 2021-01-01 00:00:00 UTC): 1 answer",
            "Warning: it ended on 2021-01-01T00:00:00Z",
            "Warning: a resource has no attributes: it matches nothing",
        ],
    );
    program.run(&["exceptions", "lint", KUBESCAPE, "--at", "2026-11-02T00:00:00Z"]).says(0, &["exclude-mail: it has no end"]);
}

#[test]
fn lint_names_what_was_probably_meant() {
    let program = Program::new();
    let text = exception("e", "  controls: [C-0273]\n  workloads: { names: [a] }\n  expires: 2027-01-31");
    let file = program.file("exceptions.yaml", &text);
    let ended = program.run(&["exceptions", "lint", &file, "--at", "2026-11-02T00:00:00Z"]);
    ended.says(0, &["exceptions.yaml: warning: e: C-0273 is no built-in control (did you mean C-0237?)"]);
}

/// What a person would do with a draft: fill in why and who.
fn filled(draft: &Ended) -> String {
    assert_eq!(draft.code, Some(0), "{draft:#?}");
    draft.out().replace("reason: \"\"", "reason: vendor").replace("owner: \"\"", "owner: team-a")
}

fn stored(program: &Program, snapshot: &str) -> String {
    let file = program.home().join("report.json").display().to_string();
    let ended = program.run(&["scan", "control", "C-0237", "--snapshot", snapshot, "-f", "json", "-o", &file]);
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:#?}");
    file
}

#[test]
fn a_draft_excepts_the_finding_and_nothing_else_once_it_is_filled_in() {
    let program = Program::new();
    let report = stored(&program, TALK);
    let draft = program.run(&["exceptions", "draft", "default/Deployment/ledger-explorer", "--report", &report]);
    insta::assert_snapshot!("draft", draft.out());
    // It says nothing yet: who answers for it, and why.
    scan(&program, draft.out(), &[]).says(2, &["`reason` is empty: an exception says why it is made"]);
    let json = scan(&program, &filled(&draft), &["-f", "json"]).json();
    assert_eq!(json["controls"][0]["counts"]["excepted"], 1);
    assert_eq!(json["exceptions"][0]["state"], "inForce");
    assert_eq!(json["exceptions"][0]["expires"], "2027-01-31T23:59:59Z");
    assert_eq!(json["exceptions"][0]["warnings"], serde_json::json!([]));
    // Today's image is the one that it names.
    let digests = filled(&draft).replace("# digests:", "digests:");
    assert_eq!(scan(&program, &digests, &["-f", "json"]).json()["controls"][0]["counts"]["excepted"], 1);
    let other = digests.replace("sha256:e", "sha256:f");
    assert_eq!(scan(&program, &other, &["-f", "json"]).json()["controls"][0]["counts"]["excepted"], 0);
}

#[test]
fn a_draft_for_a_cause_excepts_all_that_share_it_also_what_is_not_known() {
    let program = Program::new();
    let scan = |more: &[&str]| program.run(&[&["scan", "--snapshot", HARBOUR], more].concat());
    let report = program.file("report.json", scan(&["-f", "json"]).out());
    let table = scan(&["-f", "csv"]);
    let mut causes: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for line in table.out().lines().skip(1) {
        // No other cell looks like that.
        if let Some(cause) = line.split(',').find(|cell| cell.len() == 16 && cell.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            *causes.entry(cause).or_default() += 1;
        }
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, answers)| std::cmp::Reverse(*answers));
    assert!(causes.len() > 12 && causes[0].1 > 1, "{causes:?}");
    let mut unknown = 0;
    for (cause, answers) in causes.into_iter().take(12) {
        let draft = program.run(&["exceptions", "draft", cause, "--report", &report]);
        let file = program.file("exceptions.yaml", &filled(&draft));
        let json = scan(&["--exceptions", &file, "-f", "json"]).json();
        let matched = json["exceptions"][0]["matched"].as_u64().unwrap();
        assert!(matched >= answers as u64, "{cause}: {matched} of {answers}: {}", draft.out());
        unknown += usize::from(draft.out().contains("acceptUnknown:"));
    }
    assert!(unknown > 0);
}

#[test]
fn what_cannot_be_drafted_is_said() {
    let program = Program::new();
    let report = stored(&program, TALK);
    let draft = |finding: &str, report: &str| program.run(&["exceptions", "draft", finding, "--report", report]);
    draft("default/Deployment/ledger-explore", &report).says(2, &["did you mean default/Deployment/ledger-explorer?"]);
    draft("0123456789abcdef", &report).says(2, &["has no finding of the cause 0123456789abcdef"]);
    let passing = program.run(&["exceptions", "draft", "default/Deployment/web", "--report", &report, "--control", "C-0001"]);
    passing.says(2, &["default/Deployment/web fails nothing of C-0001"]);
    draft("x", "no/such.json").says(2, &["cannot read the report no/such.json"]);
    let text = std::fs::read_to_string(&report).unwrap();
    draft("x", &program.file("cut.json", &text[..text.len() / 2])).says(2, &["cut.json ends in the middle"]);
    let other = program.file("other.json", &text.replace("seaworthy.dev/report/v1", "seaworthy.dev/report/v9"));
    draft("x", &other).says(2, &["\"seaworthy.dev/report/v9\" is not a version of a report that this program reads"]);
}
