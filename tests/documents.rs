//! What a user sees who made a mistake in a document.

use seaworthy::documents::{Document, OrParam, ReferenceLeaf, Rule, parse, parse_kubescape_exceptions};

const CONTROL: &str = "apiVersion: seaworthy.dev/v1alpha1
kind: Control
metadata: { name: mine }
spec:
  id: ACME-1
  title: Mine
  severity: 5
  rationale: because
";

fn test_of(rest: &str) -> String {
    let head = "apiVersion: seaworthy.dev/v1alpha1\nkind: ControlTest\nmetadata: { name: mine }\n";
    complaint(&format!("{head}spec: {{ control: C-0237, {rest} }}\n"))
}

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
        ("a bill in no format", with("  rule: { sbom: { formats: [] } }\n")),
        ("a bill in an unknown format", with("  rule: { sbom: { formats: [spdx, swid] } }\n")),
        ("a bill that nobody signs, by somebody", with("  rule: { sbom: { attested: false, by: { authorities: [ci] } } }\n")),
        ("summaries of nobody", with("  rule: { summary: { verifiers: [] } }\n")),
        ("summaries of a verifier for whom nobody signs", with("  rule: { summary: { verifiers: [{ id: 'https://v.example' }] } }\n")),
        (
            "a level that is none",
            with("  rule: { summary: { verifiers: [{ id: v, by: { trustPolicy: {} } }], levels: [SLSA_BUILD_LEVEL3] } }\n"),
        ),
        (
            "a resource that is no expression",
            with("  rule: { summary: { verifiers: [{ id: v, by: { trustPolicy: {} } }], resource: { regexp: '(' } } }\n"),
        ),
        ("an expression with a slip", with("  rule: { attestation: { predicateType: vuln, where: \"workload.nmae == 'x'\" } }\n")),
        (
            "an expression with an unknown parameter",
            with("  rule: { attestation: { predicateType: vuln, where: \"predicate.x in params.allowd\" } }\n"),
        ),
        (
            "an expression that is none",
            with(
                "  rule:\n    attestation:\n      predicateType: vuln\n      where: |\n        predicate.x == 1 &&\n        predicate.y =\n",
            ),
        ),
        ("a test of nothing", test_of("cases: []")),
        (
            "a test with an authority that is not there",
            test_of(
                "authorities: { ops: { key: {} } }, cases: [{ name: n, evidence: [{ signature: { by: opps } }], expect: { pass: {} } }]",
            ),
        ),
        ("a predicate type that is none", with("  rule: { all: [{ attestation: { predicateType: slsa } }] }\n")),
        ("an age that is none", with("  rule: { attestation: { predicateType: vuln, maxAge: 30 days } }\n")),
        (
            "an age that is a parameter of another type",
            with(
                "  params: { age: { type: strings, default: [30d] } }\n  rule: { attestation: { predicateType: vuln, maxAge: { param: age } } }\n",
            ),
        ),
        (
            "two ages",
            with(
                "  params: { age: { type: duration, default: [30d, 60d] } }\n  rule: { attestation: { predicateType: vuln, maxAge: { param: age } } }\n",
            ),
        ),
        ("a question that is not there yet", with("  rule: { signature: { verified: {} } }\n")),
        ("an empty combination", with("  rule: { all: [] }\n")),
        ("a parameter that is not declared", with("  rule: { registry: { allowed: { param: mine } } }\n")),
        ("neither list nor parameter", with("  rule: { registry: { allowed: ghcr.io } }\n")),
        ("a pattern that is none", with("  rule: { registry: { allowed: [\"ghcr.io/a:tag\"] } }\n")),
        ("two leaves in one node", with("  rule: { signature: { exists: {} }, running: { tagUnmoved: {} } }\n")),
        ("no rule at all", with("")),
        ("a rule about the cluster", with("  rule: { cluster: { inventoryComplete: {} } }\n")),
        ("a severity that is none", complaint(&CONTROL.replace("severity: 5", "severity: 11"))),
        (
            "a rule that nothing can break",
            with("  rule:\n    all:\n      - signature: { exists: {} }\n      - registry:\n          denied: []\n"),
        ),
        (
            "a proxy that is none",
            with(
                "  params: { public: { type: patterns } }\n  rule:\n    not: { registry: { viaProxy: { public: { param: public }, proxies: [] } } }\n",
            ),
        ),
        ("nothing in scope", with("  scope: { images: [] }\n  rule: { signature: { exists: {} } }\n")),
        (
            "a parameter of another type",
            with("  params: { tags: { type: strings } }\n  rule:\n    any:\n      - registry: { allowed: { param: tags } }\n"),
        ),
        (
            "a parameter that is misspelt",
            with(
                "  params: { allowed: { type: patterns } }\n  scope: { exceptImages: { param: alowed } }\n  rule: { registry: { allowed: { param: allowed } } }\n",
            ),
        ),
        (
            "a default that is no pattern",
            with(
                "  params:\n    allowed:\n      type: patterns\n      default: [ghcr.io, \"ghcr.io/a:tag\"]\n  rule: { registry: { allowed: { param: allowed } } }\n",
            ),
        ),
        ("a parameter that is not used", with("  params:\n    spare: { type: strings }\n  rule: { signature: { exists: {} } }\n")),
        (
            "a name that nothing is filled in for",
            with("  remediation: \"sign {imgae}, not ${HOME} or {.spec}\"\n  rule: { signature: { exists: {} } }\n"),
        ),
        ("both a rule and a person", with("  rule: { signature: { exists: {} } }\n  manual: { text: look }\n")),
        ("a control about the policy", with("  subject: policy\n  rule: { policy: { noLongLivedKeys: {} } }\n")),
        ("a container's rule about the cluster", with("  subject: cluster\n  rule:\n    all:\n      - signature: { exists: {} }\n")),
        ("a key twice", with("  title: Again\n  rule: { signature: { exists: {} } }\n")),
        ("no text where one is wanted", with("  rule: { reference: { tagIn: [null] } }\n")),
        ("a threat that is none", with("  threats: [A, Z]\n  rule: { signature: { exists: {} } }\n")),
        ("an identifier that is none", complaint(&CONTROL.replace("ACME-1", "acme 1"))),
        (
            "a kind of a later version",
            complaint("apiVersion: seaworthy.dev/v1alpha1\nkind: AuditConfig\nmetadata: { name: x }\nspec: {}\n"),
        ),
        ("no kind", complaint("apiVersion: seaworthy.dev/v1alpha1\n")),
        ("no document", complaint("just text\n")),
        ("a framework of nothing", framework("controls: []")),
        ("a framework that names a control twice", framework("controls: [C-0237, C-0306, C-0237]")),
        ("a framework with a stranger's parameters", framework("controls: [C-0306]\n  parameters:\n    C-036: { exempt: [] }")),
        ("a policy about no image", policy("evidence: [{ match: [] }]")),
        (
            "a place that is none",
            policy(
                "evidence:\n    - match: [\"mirror.corp\"]\n      places: [{ repository: \"ghcr.io/{path}\" }, { repository: \"ghcr.io/{host}\" }]",
            ),
        ),
        (
            "a place of two kinds",
            policy("evidence:\n    - match: [\"mirror.corp\"]\n      places: [{ repository: \"ghcr.io/a\", tagPrefix: x }]"),
        ),
        ("a store of two kinds", github("{ repository: acme/app, owner: acme }")),
        ("a store of nobody", github("{}")),
        ("a store by the address of a page", github("{ repository: \"https://github.com/acme/app\" }")),
        ("a store by a placeholder that is none", github("{ repository: \"acme/{name}\" }")),
        ("a store over plain HTTP", github("{ owner: acme, api: \"http://ghe.acme.test/api/v3\" }")),
        ("a store at the wrong address of github.com", github("{ owner: acme, api: \"https://github.com\" }")),
        ("a store with a token", github("{ owner: acme, token: x }")),
        ("stores", github("{ repository: \"{path}\" }\n        - github: { repository: \"acme/{path}\" }")),
        ("too deep", with(&format!("  rule: {}{}\n", "{ not: ".repeat(200), "}".repeat(200)))),
        (
            "after a Windows line end and a byte-order mark",
            complaint(&format!("\u{feff}{}", CONTROL.replace("severity: 5", "severity: 0").replace('\n', "\r\n"))),
        ),
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

fn github(places: &str) -> String {
    policy(&format!("evidence:\n    - match: [\"**\"]\n      places:\n        - github: {places}"))
}

fn framework(spec: &str) -> String {
    complaint(&format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: Framework\nmetadata: {{ name: mine }}\nspec:\n  id: mine\n  title: Mine\n  {spec}\n"
    ))
}

fn policy(spec: &str) -> String {
    complaint(&format!("apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: {{ name: mine }}\nspec:\n  {spec}\n"))
}

#[test]
fn what_looks_like_a_number_or_a_truth_value_is_a_text_where_texts_are_wanted() {
    let text = format!("{CONTROL}  rule: {{ reference: {{ tagIn: [1.10, 2, on, 0x1f] }} }}\n");
    let Document::Control(control) = parse("mine.yaml", &text).unwrap().remove(0) else { panic!("a control") };
    let Some(Rule::Reference(ReferenceLeaf::TagIn(OrParam::Values(tags)))) = control.rule else { panic!("{:?}", control.rule) };
    assert_eq!(tags, ["1.10", "2", "on", "0x1f"]);
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

#[test]
fn mistakes_in_trust_policies_are_named_with_their_place() {
    let policy = |spec: &str| {
        let head = "apiVersion: seaworthy.dev/v1alpha1\nkind: TrustPolicy\nmetadata: { name: p }\nspec:\n";
        let known = "  trustRoots: { corp: { file: root.json } }\n  authorities:\n    ops: { key: { file: ops.pub } }\n    ci: { keyless: { trustRoot: corp, issuer: { exact: i }, subject: { exact: s } } }\n";
        complaint(&format!("{head}{}{spec}", if spec.contains("authorities:") { "" } else { known }))
    };
    let authority = |text: &str| policy(&format!("  trustRoots: {{ corp: {{ file: r }} }}\n  authorities:\n    a: {text}\n"));
    let keyless = |more: &str| authority(&format!("{{ keyless: {{ trustRoot: corp, issuer: {{ exact: i }}, {more} }} }}"));
    let rule = |require: &str| policy(&format!("  images:\n    - match: [\"ghcr.io/**\"]\n      require: {require}\n"));
    let complaints = [
        ("a root of two kinds", policy("  trustRoots: { x: { file: a, sigstore: publicGood } }\n  authorities: {}\n")),
        ("a root of no kind", policy("  trustRoots: { x: { logs: none } }\n  authorities: {}\n")),
        ("an instance that is none", policy("  trustRoots: { x: { sigstore: publicgood } }\n  authorities: {}\n")),
        ("an authority of no kind", authority("{ transparencyLog: required }")),
        ("an authority of two kinds", authority("{ key: { data: x }, certificate: { roots: { data: x }, subject: { exact: x } } }")),
        ("material of two kinds", authority("{ key: { data: x, file: y } }")),
        ("a trust root that is not there", authority("{ keyless: { trustRoot: crop, issuer: { exact: i }, subject: { exact: s } } }")),
        ("a key's trust root that is not there", authority("{ key: { data: x }, trustRoot: crop }")),
        ("an SCT of a key", authority("{ key: { data: x }, sct: required }")),
        (
            "a log of a root that has none",
            policy(
                "  trustRoots: { gh: { sigstore: github } }\n  authorities:\n    a: { keyless: { trustRoot: gh, issuer: { exact: i }, subject: { exact: s } }, transparencyLog: required }\n",
            ),
        ),
        (
            "a certificate log of a root that has none",
            policy(
                "  trustRoots: { gh: { file: r.json, logs: none } }\n  authorities:\n    a: { keyless: { trustRoot: gh, issuer: { exact: i }, subject: { exact: s } }, sct: required }\n",
            ),
        ),
        ("a demand that is none", authority("{ key: { data: x }, provenTime: always }")),
        ("no issuer", authority("{ keyless: { trustRoot: corp, subject: { exact: s } } }")),
        ("an empty subject", keyless("subject: { exact: \"\" }")),
        ("a subject that is no map", keyless("subject: x")),
        ("a broken expression", keyless("subject: { regexp: \"a(b\" }")),
        ("an expression that closes the anchor", keyless("subject: { regexp: \"a)|(?:b\" }")),
        ("an extension that is none", keyless("subject: { exact: s }, extensions: { sourceRepositoryUrl: x }")),
        ("a broken expression of an extension", keyless("subject: { exact: s }, extensionsRegexp: { sourceRepositoryRef: \"[\" }")),
        ("an end before the beginning", authority("{ key: { data: x }, validFrom: 2027-01-02, validUntil: 2027-01-01 }")),
        ("a moment that is none", authority("{ key: { data: x }, validUntil: soon }")),
        ("a rule about no image", policy("  images:\n    - { match: [], require: { anyOf: [ops] } }\n")),
        ("a rule that needs nothing", rule("{}")),
        ("a rule that needs two things", rule("{ anyOf: [ops], allOf: [ci] }")),
        ("an empty list", rule("{ anyOf: [] }")),
        ("an authority that is misspelt", rule("{ allOf: [ops, cii] }")),
        ("an authority twice", rule("{ atLeast: 2, of: [ops, ops] }")),
        ("at least none", rule("{ atLeast: 0, of: [ops] }")),
        ("at least of nobody", rule("{ atLeast: 2 }")),
        ("of without a number", rule("{ of: [ops] }")),
        (
            "a tie",
            policy(
                "  images:\n    - { match: [\"a.io\", \"b.io\"], require: { anyOf: [ops] } }\n    - { match: [\"b.io\"], require: { anyOf: [ci] } }\n",
            ),
        ),
        ("a revocation of nothing", policy("  revocations:\n    - { reason: x }\n")),
        ("an identity without an issuer", policy("  revocations:\n    - { identity: { exact: x }, reason: x }\n")),
        ("a key by another digest", policy(&format!("  revocations:\n    - {{ key: 'sha512:{}', reason: x }}\n", "ab".repeat(64)))),
        ("a commit that is cut", policy("  revocations:\n    - { sourceDigest: abc123, reason: x }\n")),
        ("a key that is no digest", policy("  revocations:\n    - { key: abc123, reason: x }\n")),
        (
            "no reason",
            policy("  revocations:\n    - { imageDigest: \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" }\n"),
        ),
        ("an end that is none", policy("  otherwise: pass\n")),
        ("fine", rule("{ atLeast: 2, of: [ops, ci] }")),
    ];
    let shown: String = complaints.iter().map(|(what, complaint)| format!("{what}\n    {complaint}\n")).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn mistakes_in_exceptions_are_named_with_their_place() {
    let exception =
        |spec: &str| complaint(&format!("apiVersion: seaworthy.dev/v1alpha1\nkind: Exception\nmetadata: {{ name: e }}\nspec:\n{spec}"));
    let with = |more: &str| exception(&format!("  controls: [C-0237]\n  reason: r\n  owner: o\n  expires: 2027-01-31\n{more}"));
    let organisation = |spec: &str| {
        complaint(&format!("apiVersion: seaworthy.dev/v1alpha1\nkind: ExceptionPolicy\nmetadata: {{ name: e }}\nspec: {spec}\n"))
    };
    let kubescape = |text: &str| match parse_kubescape_exceptions("kubescape.json", text) {
        Ok(entries) => format!("fine: {} entries", entries.len()),
        Err(error) => error.to_string(),
    };
    let named = |attributes: &str| {
        kubescape(&format!(
            "[\n  {{\n    \"name\": \"e\",\n    \"resources\": [\n      {{ \"designatorType\": \"Attributes\", \"attributes\": {attributes} }}\n    ]\n  }}\n]"
        ))
    };
    let complaints = [
        ("all that is needed", with("")),
        ("no controls", exception("  controls: []\n  reason: r\n  owner: o\n  expires: 2027-01-31\n")),
        ("an empty control", exception("  controls: [C-0237, '']\n  reason: r\n  owner: o\n  expires: 2027-01-31\n")),
        ("no reason", exception("  controls: [C-0237]\n  owner: o\n  expires: 2027-01-31\n")),
        ("an empty reason", exception("  controls: [C-0237]\n  reason: ' '\n  owner: o\n  expires: 2027-01-31\n")),
        ("an empty owner", exception("  controls: [C-0237]\n  reason: r\n  owner: ''\n  expires: 2027-01-31\n")),
        ("no end", exception("  controls: [C-0237]\n  reason: r\n  owner: o\n")),
        ("an end that is none", exception("  controls: [C-0237]\n  reason: r\n  owner: o\n  expires: 31.1.2027\n")),
        ("an unknown field", with("  aprovedBy: me\n")),
        ("an empty ticket", with("  ticket: ''\n")),
        ("an unknown limit", with("  workloads: { namespace: [a] }\n")),
        ("an empty name", with("  workloads:\n    names: [a, '']\n")),
        ("an empty kind", with("  workloads:\n    kinds: ['']\n")),
        ("an image with a tag", with("  images: ['ghcr.io/acme/app:v1']\n")),
        ("a digest that is none", with("  digests: [latest]\n")),
        ("a cause that is none", with("  acceptUnknown: [time-out]\n")),
        ("an organisation that says nothing", organisation("{}")),
        ("a term that is none", organisation("{ longestTerm: half a year }")),
        ("a term that is unknown", organisation("{ longestterm: 180d }")),
        ("an empty control of an organisation", organisation("{ notExceptable: [''] }")),
        ("Kubescape's, a broken expression", named("{ \"kind\": \"Deployment\", \"name\": \"ledger-[a-\" }")),
        ("Kubescape's, a star that is no expression", named("{ \"name\": \"*\" }")),
        ("Kubescape's, a label's broken expression", named("{ \"app\": \"(\" }")),
        ("Kubescape's, an expression that reaches out", named("{ \"name\": \"a)|(?:.*\" }")),
        ("Kubescape's, an expression that is too large", named("{ \"name\": \"(?:a{1000}){1000}\" }")),
        ("Kubescape's, a number where a text is wanted", named("{ \"name\": 3 }")),
        ("Kubescape's, a broken expression of a control", kubescape("[ {},\n  { \"posturePolicies\": [ { \"controlID\": \"C-(\" } ] } ]")),
        ("Kubescape's, an end that is none", kubescape("[\n  { \"name\": \"e\",\n    \"expirationDate\": \"soon\" }\n]")),
        ("Kubescape's, cut off", kubescape("[\n  { \"name\":")),
        (
            "Kubescape's, a selector that is none",
            kubescape("[{ \"objectSelector\": { \"matchExpressions\": [{ \"key\": \"a\", \"operator\": \"Like\" }] } }]"),
        ),
        ("Kubescape's, unknown fields", kubescape("[{ \"guid\": \"\", \"systemException\": true, \"attributes\": { \"x\": 1 } }]")),
        ("Kubescape's, none", kubescape(" []")),
    ];
    let told: String = complaints.into_iter().map(|(what, said)| format!("{what}\n    {said}\n")).collect();
    insta::assert_snapshot!(told);
}
