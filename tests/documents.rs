//! What a user sees who made a mistake in a document.

use seaworthy::documents::parse;

const CONTROL: &str = "apiVersion: seaworthy.dev/v1alpha1
kind: Control
metadata: { name: mine }
spec:
  id: ACME-1
  title: Mine
  severity: 5
  rationale: because
";

fn complaint(text: &str) -> String {
    match parse("mine.yaml", text) {
        Ok(documents) => format!("fine: {} documents", documents.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_are_named_with_their_place_and_what_was_meant() {
    let with = |spec: &str| complaint(&format!("{CONTROL}{spec}"));
    let complaints = [
        ("an unknown field", with("  rul: { signature: { exists: {} } }\n")),
        ("an unknown leaf", with("  rule: { signatur: { exists: {} } }\n")),
        ("an unknown question", with("  rule: { signature: { exsts: {} } }\n")),
        ("a leaf that is not there yet", with("  rule: { all: [{ attestation: { predicateType: x } }] }\n")),
        ("a question that is not there yet", with("  rule: { signature: { verified: {} } }\n")),
        ("an empty combination", with("  rule: { all: [] }\n")),
        ("a parameter that is not declared", with("  rule: { registry: { allowed: { param: mine } } }\n")),
        ("neither list nor parameter", with("  rule: { registry: { allowed: ghcr.io } }\n")),
        ("a pattern that is none", with("  rule: { registry: { allowed: [\"ghcr.io/a:tag\"] } }\n")),
        ("two leaves in one node", with("  rule: { signature: { exists: {} }, running: { tagUnmoved: {} } }\n")),
        ("no rule at all", with("")),
        ("a rule about the cluster", with("  rule: { cluster: { inventoryComplete: {} } }\n")),
        ("a severity that is none", complaint(&CONTROL.replace("severity: 5", "severity: 11"))),
        ("another kind", complaint(&CONTROL.replace("kind: Control", "kind: Contrl"))),
        ("another version", complaint(&CONTROL.replace("v1alpha1", "v2"))),
        ("no YAML", complaint("a: [b\n")),
        ("an alias bomb", complaint(&bomb())),
        ("the second document", complaint(&format!("{CONTROL}  rule: {{ signature: {{ exists: {{}} }} }}\n---\nkind: Control\n"))),
        ("fine", complaint(&format!("{CONTROL}  rule: {{ signature: {{ exists: {{}} }} }}\n---\n# nothing\n"))),
        (
            "a trust policy with authorities",
            complaint("apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: { name: x }\nspec: { authorities: {} }\n"),
        ),
    ];
    let shown: String = complaints.iter().map(|(what, complaint)| format!("{what}\n    {complaint}\n")).collect();
    insta::assert_snapshot!(shown);
}

fn bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,400}") {
        let _ = parse("x", &text);
        let _ = parse("x", &format!("{CONTROL}  rule: {text}"));
    }
}
