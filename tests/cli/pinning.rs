//! `scan --fix-digests`: what is printed, what is written, and what is left alone.

use super::Program;
use super::registry::{LOOPBACK, Running, Shelf};
use super::sbom::{DOCUMENT, DSSE, beside, envelope, public_key};

fn manifest(reference: &str) -> String {
    format!(
        "---\r\n# Source: web/templates/pod.yaml\r\nkind: Pod\r\napiVersion: v1\r\nmetadata: {{name: p}}\r\nspec:\r\n  containers:\r\n  - image: \"{reference}\"  # why\r\n    name: a\r\n  - image: {reference}0\r\n    name: b\r\n"
    )
}

#[test]
fn what_is_verified_is_pinned_and_the_rest_is_named() {
    let (mut shelf, image) = Shelf::unsigned();
    shelf.tag(&beside(&image, "att"), DSSE, &envelope(&image, DOCUMENT));
    let server = Running::shelf(shelf);
    let program = Program::new();
    let ours = public_key(&program);
    let (reference, text) = (server.reference(), manifest(&server.reference()));
    let file = program.file("pod.yaml", &text);
    let scan = |control: &str, more: &[&str]| program.run(&[&["scan", "control", control, "--key", &ours], &LOOPBACK[..], more].concat());
    let expected = text.replace(&format!("\"{reference}\""), &format!("\"{reference}@{image}\""));
    let place = format!("{file}:8:12");
    // The second image is not there: the scan does not end well, and the first one is pinned all the same.
    let printed = scan("SW-0030", &["--fix-digests", &file]);
    printed.says(3, &[&format!("{file}:10:12: {reference}0 is not pinned: SW-0030 is not known (")]);
    assert_eq!(printed.out(), expected);
    let other = program.file("other.yaml", &text);
    let diff = scan("SW-0030", &["--fix-digests", &file, &other]);
    diff.prints(3, &[&format!("--- {file}\n+++ {file}\n@@ -5,7 +5,7 @@\n"), &format!("+  - image: \"{reference}@{image}\"  # why\r\n")]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "nothing is written unless asked for");
    scan("SW-0030", &["--fix-digests", "--write", &file]).says(3, &[&place, "is rendered from web/templates/pod.yaml"]);
    let plain = program.file("plain.yaml", &text.replace("# Source", "# From"));
    scan("SW-0030", &["--fix-digests", "--write", &plain]).says(3, &[&format!("{plain}: 1 pinned")]);
    assert_eq!(std::fs::read_to_string(&plain).unwrap(), expected.replace("# Source", "# From"));
    let stranger = ["scan", "control", "SW-0030", "--key", "fixtures/signatures/trust/p256.pub", "--fix-digests", &file];
    let refused = program.run(&[&stranger[..], &LOOPBACK[..]].concat());
    refused.says(0, &[&format!("{place}: {reference} is not pinned: SW-0030 fails (")]);
    assert_eq!(refused.out(), text);
    scan("C-0075", &["--fix-digests", &file]).says(2, &["scan control C-0236 --trust-policy"]);
    scan("SW-0030", &["--fix-digests", &file, "-f", "json"]).says(2, &["give the report a file"]);
    scan("SW-0030", &["--fix-digests", "--write", "-"]).says(2, &["standard input"]);
    scan("SW-0030", &["--write", &file]).says(2, &["--fix-digests"]);
    let told = scan("SW-0030", &["-v", &file]);
    told.prints(3, &[&format!("at {file}:10:12"), "rendered from web/templates/pod.yaml"]);
    let position = &scan("SW-0030", &["-f", "json", &file]).json()["findings"][0]["containers"][0]["position"];
    assert_eq!((position["line"].as_u64(), position["column"].as_u64()), (Some(8), Some(12)), "{position}");
    assert_eq!(position["renderedFrom"], "web/templates/pod.yaml");
}
