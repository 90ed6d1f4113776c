//! What the user got wrong is said before anything is asked.

use super::Program;

const TALK: &str = "fixtures/snapshots/talk";
const SAVED: &str = "fixtures/layouts/skopeo-bundle";
const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: prod}\nspec:\n  containers: [{name: web, image: ghcr.io/acme/web:v1}]\n";

#[test]
fn an_unparsable_control_is_named_with_file_and_line() {
    let program = Program::new();
    program.file("controls/broken.yaml", "apiVersion: seaworthy.dev/v1\nkind: Control\nmetadata:\n  name: [\n");
    let directory = program.home().join("controls");
    let ended = program.run(&["scan", "--snapshot", TALK, "--controls", directory.to_str().unwrap()]);
    ended.says(2, &["broken.yaml:"]);
    assert!(ended.err.split("broken.yaml:").nth(1).unwrap().starts_with(|c: char| c.is_ascii_digit()), "{ended:?}");
    assert!(ended.out.is_empty());
}

#[test]
fn a_control_or_framework_that_does_not_exist_is_answered_with_the_nearest() {
    let program = Program::new();
    program.run(&["scan", "control", "C-0273", "--snapshot", TALK]).says(2, &["C-0273", "did you mean", "C-0237"]);
    program.run(&["scan", "framework", "supply-chan", "--snapshot", TALK]).says(2, &["supply-chan", "did you mean supply-chain?"]);
    program.run(&["controls", "show", "C-0273"]).says(2, &["did you mean", "C-0237"]);
}

#[test]
fn a_control_without_its_obligatory_parameters_asks_for_them() {
    let program = Program::new();
    let manifest = program.file("pod.yaml", POD);
    let ended = program.run(&["scan", "control", "C-0078", &manifest]);
    ended.prints(2, &["action required", "imageRepositoryAllowList"]);
    let ended = program.run(&["scan", "control", "C-0078", &manifest, "-f", "json"]);
    assert_eq!(ended.code, Some(2));
    let outcome = ended.json()["controls"][0]["missingParameters"].to_string();
    assert!(outcome.contains("allowed"), "{outcome}");
    // Beside a control that can be judged it is named, and decides nothing.
    let ended = program.run(&["scan", "control", "C-0078,C-0075", &manifest]);
    ended.prints(0, &["action required"]);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let program = Program::new();
    let scan = |more: &[&str]| program.run(&[&["scan", "control", "C-0237", "--snapshot", TALK], more].concat());
    scan(&["--allow-unknown", "timout"]).says(2, &["timout", "timeout"]);
    scan(&["--compliance-threshold", "101"]).says(2, &["101", "0 to 100"]);
    scan(&["--compliance-threshold", "many"]).says(2, &["0 to 100"]);
    scan(&["-f", "json,pretty"]).says(2, &["two formats", "standard output"]);
    scan(&["-f", "jsn"]).says(2, &["did you mean json?"]);
    scan(&["--kube-context", "x"]).says(2, &["--snapshot"]);
    program.run(&["scan", "image"]).says(2, &["give a REF"]);
    program.run(&["scan", "image", "--layout", SAVED]).says(2, &["give a REF", SAVED, "holds", "sha256:"]);
    // What is named and not looked at must not pass for looked at.
    program.run(&["scan", "control", "C-0237", "C-0306", "--snapshot", TALK]).says(2, &["C-0306 and --snapshot", "commas"]);
    program.run(&["scan", "image", "ghcr.io/acme/app:v1", "--snapshot", TALK]).says(2, &["as a whole"]);
    program.run(&["rbac", "print", "--include-namespaces", "prod"]).says(2, &["--scope namespaces"]);
    scan(&["--include-namespaces", "none"]).says(0, &["nothing is in this scope"]);
    let ended = program.run(&["scan", "none.yaml"]);
    ended.says(2, &["none.yaml"]);
    assert_eq!(ended.err.matches("No such file").count(), 1, "{ended:?}");
}

#[test]
fn an_output_that_cannot_be_written_is_found_before_the_scan() {
    let program = Program::new();
    let missing = program.home().join("none/report.json");
    // A snapshot that does not exist either shows which is looked at first.
    let ended = program.run(&["scan", "--snapshot", "/none", "-f", "json", "-o", missing.to_str().unwrap()]);
    ended.says(2, &["cannot write to", "none/report.json", "does not exist"]);
    assert!(!ended.err.contains(".tmp"), "the name of a file that the user never asked for: {ended:?}");
    let directory = program.home().to_str().unwrap().to_owned();
    // Nor is a cluster asked for a snapshot that cannot be kept: without a kubeconfig that would end with 4.
    for target in ["none/x.tar.zst", "none/x"] {
        let target = program.home().join(target);
        program.run(&["snapshot", "-o", target.to_str().unwrap()]).says(2, &["cannot be written", "none/x"]);
    }
    let foreign = program.file("foreign/holiday.jpg", "");
    let foreign = foreign.trim_end_matches("/holiday.jpg");
    program.run(&["snapshot", "-o", foreign]).says(2, &["holiday.jpg"]);
    program.run(&["scan", "--snapshot", TALK, "-o", &directory]).says(2, &["cannot write to", "directory"]);
}

#[test]
fn layouts_and_snapshots_that_cannot_be_read_are_named() {
    let program = Program::new();
    let file = program.file("layout", "x");
    program.run(&["scan", "image", "ghcr.io/acme/app:v1", "--layout", &file]).says(2, &[&file, "not an OCI image layout"]);
    program.file("empty/x", "");
    let empty = program.home().join("empty");
    let empty = empty.to_str().unwrap();
    program.run(&["scan", "image", "--layout", empty]).says(2, &[empty, "oci-layout is missing"]);
    program.run(&["scan", "--snapshot", empty]).says(2, &[empty]);
    program.run(&["scan", "--snapshot", &file]).says(2, &[&file, "not a snapshot"]);
    program.run(&["scan", "--snapshot", "/none"]).says(2, &["/none"]);
    let future = program.file("future/snapshot.json", "{\"version\": 99}");
    let future = future.trim_end_matches("/snapshot.json");
    program.run(&["scan", "--snapshot", future]).says(2, &["version 99"]);
}

#[test]
fn a_truncated_archive_is_no_snapshot() {
    let program = Program::new();
    let manifest = program.file("pod.yaml", POD);
    let archive = program.home().join("x.tar.zst");
    let archive = archive.to_str().unwrap();
    program.run(&["snapshot", "--inventory-only", "-o", archive, &manifest]).says(0, &[]);
    program.run(&["images", "--snapshot", archive]).prints(0, &["acme/web"]);
    let bytes = std::fs::read(archive).unwrap();
    for length in [bytes.len() - 8, bytes.len() / 2, 4, 0] {
        std::fs::write(archive, &bytes[..length]).unwrap();
        let ended = program.run(&["scan", "--snapshot", archive]);
        ended.says(2, &["x.tar.zst"]);
        assert!(ended.out.is_empty());
    }
}

#[test]
fn a_users_own_controls_are_tested_where_they_lie() {
    let program = Program::new();
    let head = "apiVersion: seaworthy.dev/v1alpha1\nkind:";
    let control = "metadata: { name: acme-1 }\nspec: { id: ACME-1, title: T, severity: 5, rationale: R, rule: { reference: { pinnedToDigest: {} } } }";
    program.file("mine/acme-1.yaml", &format!("{head} Control\n{control}\n"));
    let directory = program.home().join("mine");
    let run = || program.run(&["controls", "test", directory.to_str().unwrap()]);
    run().says(2, &["no document of kind ControlTest"]);
    let test = |expect: &str| {
        let cases = format!(
            "[{{ name: a tag, expect: {expect} }}, {{ name: signed, evidence: [{{ signature: {{}} }}], expect: {{ fail: reference-not-pinned }} }}]"
        );
        let text = format!("{head} ControlTest\nmetadata: {{ name: acme-1 }}\nspec: {{ control: ACME-1, cases: {cases} }}\n");
        program.file("mine/tests/acme-1.yaml", &text);
        run()
    };
    test("{ fail: reference-not-pinned }").prints(0, &["ok      ACME-1  a tag", "2 cases, 0 of them"]);
    test("{ pass: {} }").prints(1, &["FAILED  ACME-1  a tag", "expected pass", "got fail: reference-not-pinned: image:", "1 of them"]);
    test("{ fail: referense-not-pinned }").says(2, &["acme-1.yaml:4", "did you mean `reference-not-pinned`?"]);
    program.file(
        "mine/tests/acme-1.yaml",
        &format!(
            "{head} ControlTest\nmetadata: {{ name: x }}\nspec: {{ control: ACME-2, cases: [{{ name: x, expect: {{ pass: {{}} }} }}] }}\n"
        ),
    );
    run().says(2, &["ACME-2", "did you mean"]);
    program.run(&["controls", "lint", directory.join("tests").to_str().unwrap()]).says(2, &["acme-1.yaml: there is no control \"ACME-2\""]);
}
