use super::*;

fn fault(text: &str) -> String {
    match Expression::compile(text) {
        Ok(_) => "fine".to_owned(),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn what_is_meant_is_read() {
    for text in [
        "predicate.buildDefinition.externalParameters.workflow.ref.startsWith('refs/tags/')",
        "asOf - timestamp(predicate.metadata.buildFinishedOn) < duration('720h')",
        "has(predicate.result) && predicate.result == 'PASSED' || predicate.score >= 7",
        "params.forbidden.all(name, !sbom.packages.exists(p, p.name == name))",
        "params[\"who\"].exists(pattern, signer.subject.matches(pattern))",
        "statement.subject.exists_one(subject, 'sha256' in subject.digest)",
        "statement.subject.existsOne(subject, subject.digest['sha256'] == predicate.x)",
        "workload.labels['app.kubernetes.io/name'] == container.name",
        "predicate.map(key, predicate[key]).filter(x, x > 1).size() == 2",
        "predicate.list.map(x, x.ok, x.name) == ['a', 'b']",
        "predicate.all(predicate, predicate != '')",
        "{'a': 1, 'b': 2}[predicate.x] == 2 && {1: 2}[1] == 2",
        "dyn(workload.name) == 3",
        "size(params.some) > 0 ? image.tag in params.some : true",
        "image.reference.matches(r'^ghcr\\.io/(?i)acme/')",
        "predicate.count == 3 || predicate.count == 3.0 || predicate.count == 3u",
        "(asOf - timestamp(0)).getHours() > 1 && asOf.getFullYear() == 2026",
        "predicate",
        "signer.extensions.size() == 0 // and a comment",
    ] {
        assert_eq!(fault(text), "fine", "{text}");
    }
}

#[test]
fn mistakes_are_named_with_their_place_and_what_was_meant() {
    let told: Vec<String> = [
        "",
        "predicate.a ==",
        "predicate.a = 1",
        "predicate.a == 1 and predicate.b == 2",
        "predicate.a == \"one",
        "image.tag.matches(\"v\\d+\")",
        "(predicate.a == 1",
        "predikate.a == 1",
        "workload.nmae == 'web'",
        "workload.size == 'web'",
        "workload['nmae'] == 'web'",
        "has(signer.isuer) && true",
        "has(predicate)",
        "predicate.name.beginsWith('a')",
        "lenght(predicate.list) > 1",
        "size(1) == 1",
        "\"a\" + 1 == 'a1'",
        "workload.name > 3",
        "workload.name == null",
        "workload.name",
        "size(image.tag)",
        "workload.name && true",
        "!image.tag",
        "predicate.a == 1 ? image.tag : 'x'",
        "predicate.items.all(x.name == '')",
        "predicate.items.all(x, y.name == '')",
        "image.tag.all(x, true)",
        "sbom.packages.exists(p, p.licence == 'MIT')",
        "params.names == params",
        "params.exists(p, true)",
        "params[image.tag].size() == 0",
        "has(params.names)",
        "image.tag.startsWith(1)",
        "startsWith(image.tag, 'v')",
        "image.tag.startsWith('a', 'b')",
        "'a'.duration() == duration('1h')",
        "image.tag.matches('(')",
        "image.tag.matches(predicate.pattern)",
        "3 in image.tag",
        "3 in params.names",
        "asOf < '2026-01-01T00:00:00Z'",
        "asOf + asOf == asOf",
        "predicate.a == b'bytes'",
        "Thing{a: 1} == 1",
        "predicate.a == 99999999999999999999",
        "predicate.?a == 1",
        "sbom.packages.all(package, package.name != '')",
        "predicate.`a-b` == 1",
        "predicate.list.any(x, x == 1)",
        "\n  workload.name == 'é' &&\n  'é' == workload.nmae",
    ]
    .iter()
    .map(|text| format!("{text}\n    {}", fault(text)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_too_large_is_refused_when_it_is_read() {
    assert_eq!(
        fault(&format!("'{}' == ''", "x".repeat(4096))),
        "expression, line 1, column 1: the expression has 4104 bytes; the limit is 4096"
    );
    let nested = |depth: usize| format!("dyn({}predicate{}) == 1", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(fault(&nested(29)), "fine");
    assert!(fault(&nested(33)).ends_with("nested deeper than 32"), "{}", fault(&nested(33)));
    assert!(fault(&nested(2000)).ends_with("nested deeper than 32"), "{}", fault(&nested(2000)));
    assert!(fault(&format!("predicate{} == 1", ".a".repeat(40))).ends_with("nested deeper than 32"));
    let parts = |count: usize| vec!["predicate.a"; count].join(" && ");
    assert_eq!(fault(&parts(260)), "fine");
    let many = format!("predicate.a in [{}]", vec!["1"; 1200].join(","));
    assert!(fault(&many).ends_with("the expression has more than 1024 parts"), "{}", fault(&many));
    let walks = |depth: usize| (0..depth).fold("true".to_owned(), |inside, depth| format!("predicate.a.all(x{depth}, {inside})"));
    assert_eq!(fault(&walks(3)), "fine");
    assert!(fault(&walks(4)).ends_with("more than 3 of all, exists, filter and map inside each other"));
}

#[test]
fn no_nesting_exhausts_the_stack() {
    let deep = |open: &str, close: &str| {
        let times = LONGEST / (open.len() + close.len()).max(1);
        format!("{}a{}", open.repeat(times - 1), close.repeat(times - 1))
    };
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("f(", ")"),
        ("a.f(", ")"),
        ("a.all(x,", ")"),
        ("a[", "]"),
        ("!", ""),
        ("-", ""),
        ("", ".a"),
        ("", "[0]"),
        ("", ".f()"),
        ("", "+a"),
        ("", "==a"),
        ("", " in a"),
        ("", "&&a"),
        ("", "||a"),
        ("a?a:", ""),
        ("(", ""),
        ("[", ""),
        ("{", ""),
        ("a(", ""),
        ("([{!-a.", ""),
        ("a?", ""),
        ("\"", ""),
        ("a.b{", ""),
        ("a{a:", "}"),
        ("(a&&", ")"),
        ("!(", ")"),
    ] {
        assert!(Expression::compile(&deep(open, close)).is_err(), "{open}{close}");
    }
}

#[test]
fn variables_and_parameters_are_told() {
    let expression =
        Expression::compile("predicate.x in params.names || signer.key in params[\"keys\"] || params.names.exists(asOf, asOf == '')")
            .unwrap();
    let used: Vec<&str> = Variable::ALL.into_iter().filter(|variable| expression.uses(*variable)).map(Variable::name).collect();
    assert_eq!(used, ["predicate", "signer", "params"]);
    assert_eq!(expression.parameters().collect::<Vec<_>>(), ["keys", "names"]);
}

#[test]
fn clauses_are_cut_where_they_are_joined() {
    let clauses = |text: &str| {
        let expression = Expression::compile(text).unwrap();
        (0..9).map_while(|number| expression.clause(number).map(str::to_owned)).collect::<Vec<_>>()
    };
    let text = "predicate.a == 1 && (predicate.b && predicate.c || true)\n && predicate.d == '&&' && predicate.e";
    assert_eq!(clauses(text), ["predicate.a == 1", "(predicate.b && predicate.c || true)", "predicate.d == '&&'", "predicate.e"]);
    assert!(clauses("(predicate.a && predicate.b)").is_empty());
    assert!(clauses("predicate.a || predicate.b").is_empty());
}

#[test]
fn documents_hold_it_as_its_text() {
    let text = "predicate.a == 1";
    let expression: Expression = serde_json::from_value(serde_json::json!(text)).unwrap();
    assert_eq!(serde_json::to_value(&expression).unwrap(), serde_json::json!(text));
    assert_eq!(expression, Expression::compile(text).unwrap());
    assert_ne!(expression, Expression::compile("predicate.a == 2").unwrap());
    let error = serde_json::from_value::<Expression>(serde_json::json!("predicate.a ==")).unwrap_err();
    assert_eq!(error.to_string(), "expression, line 1, column 15: the expression ends here, and something is missing");
    assert_eq!(Expression::json_schema(&mut schemars::SchemaGenerator::default()).to_value()["type"], "string");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[a-z.()\\[\\]{}!&|<>=+*/%?:,'\" 0-9\\\\x-]{0,60}") {
        let _ = Expression::compile(&text);
    }

    #[test]
    fn no_bytes_panic(text in ".{0,200}") {
        let _ = Expression::compile(&text);
    }
}
