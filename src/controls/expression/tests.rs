use std::time::Instant;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: &str = "2026-06-01T00:00:00Z";

fn over(text: &str, predicate: &Json) -> Outcome {
    let expression = Expression::compile(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let parameters = ControlParameters::from([
        ("names".to_owned(), vec!["left-pad".to_owned(), "event-stream".to_owned()]),
        ("patterns".to_owned(), vec!["^ghcr\\.io/acme/".to_owned()]),
        ("broken".to_owned(), vec!["(".to_owned()]),
        ("none".to_owned(), Vec::new()),
    ]);
    let image = json!({ "reference": "ghcr.io/acme/web:v1", "registry": "ghcr.io", "repository": "acme/web", "tag": "v1", "digest": "" });
    let bindings = Bindings::new(NOW.parse().unwrap(), &parameters).with(Variable::Predicate, predicate).with(Variable::Image, &image);
    evaluate(&expression, &bindings)
}

fn word(text: &str, predicate: &Json) -> String {
    match over(text, predicate) {
        Outcome::True => "true".to_owned(),
        Outcome::False { .. } => "false".to_owned(),
        Outcome::Unknown { cause, .. } => format!("unknown: {cause}"),
        Outcome::Failed { detail } => format!("failed: {detail}"),
    }
}

fn sample() -> Json {
    json!({
        "result": "PASSED", "score": 7, "ratio": 0.5, "big": 18_446_744_073_709_551_615_u64, "huge": 1e300, "negative": -3, "none": null,
        "ok": true, "list": [1, 2, 3], "names": ["a", "b"], "nested": { "a": { "b": [ { "c": 1 }, { "c": 2 }, { "d": 3 } ] } },
        "metadata": { "buildFinishedOn": "2026-05-20T12:00:00.5+02:00", "never": "yesterday" }, "text": "Größe: 3", "empty": {}
    })
}

#[test]
fn expressions_give_what_the_language_says() {
    let predicate = sample();
    for text in [
        "predicate.result == 'PASSED' && predicate.score >= 7 && predicate.score < 7.5 && predicate.score == 7.0",
        "predicate.big == 18446744073709551615u && predicate.big > 9223372036854775807 && predicate.huge > predicate.big",
        "predicate.negative < 0u && -predicate.negative == 3 && predicate.negative + 4 == 1 && predicate.negative % 2 == -1",
        "predicate.none == null && predicate.ok && !(!predicate.ok) && predicate.result != 1",
        "has(predicate.nested.a) && !has(predicate.nested.x) && has(predicate.none)",
        "predicate.list == [1, 2, 3] && [1.0, 2u, 3] == predicate.list && predicate.list + [4] == [1, 2, 3, 4] && predicate.list[2] == 3",
        "predicate.nested == {'a': {'b': [{'c': 1}, {'c': 2}, {'d': 3}]}} && {'d': 3} in predicate.nested.a.b",
        "2 in predicate.list && !(9 in predicate.list) && 'score' in predicate && predicate['score'] == 7",
        "predicate.nested.a.b.exists(x, has(x.c) && x.c == 2) && predicate.nested.a.b.exists_one(x, has(x.d))",
        "predicate.list.filter(x, x > 1).map(x, x * 2) == [4, 6] && predicate.list.map(x, x > 2, x) == [3]",
        "predicate.names.map(x, predicate.names.map(y, x + y)) == [['aa', 'ab'], ['ba', 'bb']]",
        "predicate.nested.a.map(k, k) == ['b'] && {'z': 1, 'a': 2}.map(k, k) == ['z', 'a']",
        "size(predicate.text) == 8 && predicate.text.contains('öß') && predicate.text.startsWith('Gr') && predicate.text.endsWith('3')",
        "predicate.result.lowerAscii() == 'passed' && 'aB'.upperAscii() == 'AB' && ' a '.trim() == 'a' && 'a,b'.split(',') == ['a', 'b']",
        "predicate.text.matches('[0-9]$') && params.patterns.exists(p, image.reference.matches(p)) && image.reference.matches('(?i)ACME')",
        "params.names.all(n, !(n in predicate.names)) && size(params.none) == 0 && params['names'][0] == 'left-pad'",
        "asOf - timestamp(predicate.metadata.buildFinishedOn) < duration('720h') && asOf > timestamp(predicate.metadata.buildFinishedOn)",
        "timestamp(predicate.metadata.buildFinishedOn) == timestamp('2026-05-20T10:00:00.5Z') && asOf.getFullYear() == 2026",
        "timestamp(0) + duration('1h30m') == timestamp('1970-01-01T01:30:00Z') && duration('1.5h') == duration('90m')",
        "string(duration('90m')) == '5400s' && string(asOf) == '2026-06-01T00:00:00Z' && string(-7) == '-7' && string(true) == 'true'",
        "int('42') == 42 && int(3.9) == 3 && int(-3.9) == -3 && uint(3) == 3u && double('0.5') == predicate.ratio && bool('true')",
        "asOf.getDayOfWeek() == 1 && asOf.getMonth() == 5 && asOf.getDate() == 1 && duration('-90s').getMinutes() == -1",
        "predicate.ok ? predicate.score == 7 : predicate.absent == 1",
        "predicate.empty.all(k, false) && !predicate.empty.exists(k, true) && size(predicate.empty) == 0",
        "9223372036854775807 != 9223372036854775808.0 && -9223372036854775808 == -9223372036854775808.0 && 1 < 1.5 && -1 > -1.5",
    ] {
        assert_eq!(word(text, &predicate), "true", "{text}");
    }
}

#[test]
fn what_is_not_there_never_holds() {
    let predicate = sample();
    for text in [
        "predicate.absent == 1",
        "!(predicate.absent == 1)",
        "predicate.absent != 1",
        "!(predicate.absent == 1 && predicate.ok)",
        "!(predicate.absent == 1 || !predicate.ok)",
        "predicate.absent || predicate.absent2",
        "predicate.nested.a.b.all(x, x.c > 0)",
        "!predicate.nested.a.b.all(x, x.c > 0)",
        "!predicate.nested.a.b.exists(x, x.c == 9)",
        "!predicate.nested.a.b.exists_one(x, x.c == 9)",
        "predicate.nested.a.b.filter(x, x.c == 9) == []",
        "predicate.nested.a.b.map(x, x.c).size() > 0",
        "!(predicate.list[3] == 1) && true",
        "predicate.list[-1] == 1 || predicate.list['a'] == 1",
        "!has(predicate.absent.deeper)",
        "!has(predicate.none.x)",
        "!(predicate.result < 3)",
        "!(1 / 0 == 1)",
        "!(predicate.big - 1u > predicate.big + 1u)",
        "!predicate.result",
        "predicate.absent ? true : true",
        "!('x' in predicate.result)",
        "asOf - timestamp(predicate.metadata.never) < duration('1h')",
        "!(asOf - timestamp(predicate.metadata.never) < duration('1h'))",
        "params.broken.exists(p, image.tag.matches(p))",
        "!params.broken.exists(p, image.tag.matches(p))",
        "sbom.format == 'SPDX'",
        "params.undeclared.all(x, true)",
        "predicate.none.size() == 0",
        "!(predicate.score + 0.5 > 1.0)",
    ] {
        assert!(matches!(over(text, &predicate), Outcome::Failed { .. }), "{text}: {:?}", over(text, &predicate));
    }
    // Another clause that decides alone makes up for it, on either side.
    for (text, wanted) in [
        ("predicate.absent == 1 || predicate.ok", "true"),
        ("predicate.ok || predicate.absent == 1", "true"),
        ("predicate.absent == 1 && !predicate.ok", "false"),
        ("!predicate.ok && predicate.absent == 1", "false"),
        ("has(predicate.absent) && predicate.absent == 1", "false"),
        ("predicate.nested.a.b.exists(x, x.d == 3)", "true"),
        ("predicate.nested.a.b.all(x, x.d == 3 && false)", "false"),
    ] {
        assert_eq!(word(text, &predicate), wanted, "{text}");
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_write() {
    let predicate = sample();
    let told: Vec<String> = [
        "predicate.metadata.finished == ''",
        "predicate['metadata']['finished'] == ''",
        "predicate.result == 'PASSED' && predicate.score > 8",
        "predicate.result == 'FAILED'",
        "predicate.list[7] == 1",
        "predicate.result.x == 1",
        "predicate.none.x == 1",
        "predicate.nested.a.b.all(x, x.c > 0)",
        "predicate.ok == true && predicate.result",
        "predicate.result > 3",
        "timestamp(predicate.metadata.never) < asOf",
        "duration(predicate.result) < duration('1h')",
        "int(predicate.result) == 1",
        "predicate.list + 1 == 1",
        "9223372036854775807 + predicate.score == 1",
        "sbom.format == 'SPDX'",
        "params.undeclared.size() == 0",
    ]
    .iter()
    .map(|text| {
        let outcome = match over(text, &predicate) {
            Outcome::False { detail } => format!("false: {detail}"),
            Outcome::Failed { detail } => format!("failed: {detail}"),
            other => format!("{other:?}"),
        };
        format!("{text}\n    {outcome}")
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn no_evidence_makes_an_evaluation_long_or_large() {
    let items: Vec<Json> = (0..10_000).map(|number| json!(format!("item {number}"))).collect();
    let hostile = json!({ "a": items, "text": "x".repeat(1 << 20), "deep": (0..120).fold(json!(1), |inside, _| json!([inside])) });
    for text in [
        "predicate.a.all(x, predicate.a.all(y, predicate.a.all(z, x != y || x == y)))",
        "predicate.a.all(x, predicate.a.all(y, x != y || y == x))",
        "predicate.a.map(x, predicate.a.map(y, predicate.a)).size() > 0",
        "predicate.a.map(x, predicate.a + predicate.a).size() > 0",
        "predicate.a.all(x, predicate.a == predicate.a)",
        "predicate.a.all(x, predicate.text.contains('xy') || true)",
        "predicate.a.all(x, predicate.text.matches('(x+x+)+y') || true)",
        "predicate.a.map(x, predicate.text + predicate.text).size() > 0",
        "predicate.a.map(x, predicate.text.split('')).size() > 0",
        "predicate.a.exists(x, predicate.a.exists(y, predicate.a.exists(z, x.absent.deeper == 1)))",
        "predicate.a.all(x, params.patterns.all(p, !predicate.text.matches(p)))",
        "!predicate.a.all(x, predicate.a.all(y, x != y || x == y))",
        "predicate.a.all(x, predicate.a.all(y, x != y || y == x)) || true",
    ] {
        let started = Instant::now();
        assert_eq!(word(text, &hostile), "unknown: expression-limit", "{text}");
        assert!(started.elapsed().as_secs() < 20, "{text} took {:?}", started.elapsed());
    }
    let started = Instant::now();
    assert_eq!(word("predicate.a.all(x, predicate.a.all(y, predicate.a.all(z, x != y)))", &hostile), "false");
    assert!(started.elapsed().as_secs() < 5);
    assert_eq!(word("predicate.deep == predicate.deep", &hostile), "true");
    // What a control may well ask of a large bill of materials is answered.
    assert_eq!(word("predicate.a.all(x, params.names.all(name, x != name && !x.startsWith(name)))", &hostile), "true");
}

#[test]
fn times_and_lengths_of_time_are_read_strictly() {
    for (text, seconds) in [
        ("1970-01-01T00:00:01Z", Some(1)),
        ("1970-01-01t00:00:01z", Some(1)),
        ("1970-01-01T01:00:01+01:00", Some(1)),
        ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
        ("9999-12-30T22:00:00.999999999Z", Some(253_402_207_200)),
        ("9999-12-31T23:59:59Z", None),
        ("0000-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("1970-01-01", None),
        ("1970-01-01T00:00:01", None),
        ("1970-01-01 00:00:01Z", None),
        ("1970-01-01T00:00Z", None),
        ("19700101T000001Z", None),
        ("1970-02-30T00:00:01Z", None),
        ("1970-01-01T00:00:01Z[UTC]", None),
        ("", None),
        ("é970-01-01T00:00:01Z", None),
    ] {
        assert_eq!(time::timestamp(text).ok().map(|time| time.as_second()), seconds, "{text}");
    }
    for (text, nanoseconds) in [
        ("0", Some(0)),
        ("1h", Some(3_600_000_000_000)),
        ("-1h30m", Some(-5_400_000_000_000)),
        ("1.5s", Some(1_500_000_000)),
        (".5ms", Some(500_000)),
        ("1h0.000000001s", Some(3_600_000_000_001)),
        ("0.333333333333h", Some(1_199_999_999_998)),
        ("100us", Some(100_000)),
        ("2562047h", Some(9_223_369_200_000_000_000)),
        ("2562048h", None),
        ("99999999999999999999h", None),
        ("1", None),
        ("1d", None),
        ("h", None),
        (".s", None),
        ("1.2.3s", None),
        ("", None),
        ("-", None),
        ("--1s", None),
        ("1h ", None),
    ] {
        assert_eq!(time::duration(text).ok(), nanoseconds, "{text}");
    }
    assert_eq!([1_500_000_000, -1, 0].map(time::duration_text), ["1.5s", "-0.000000001s", "0s"]);
}

/// The predicate as the crate's interpreter has it.
fn as_cel(json: &Json) -> cel::Value {
    match json {
        Json::Null => cel::Value::Null,
        Json::Bool(value) => cel::Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => cel::Value::Int(value),
            (_, Some(value)) => cel::Value::UInt(value),
            _ => cel::Value::Float(number.as_f64().unwrap()),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(as_cel).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), as_cel(value))).collect::<std::collections::HashMap<_, _>>().into()
        }
    }
}

#[test]
fn the_crates_interpreter_knows_the_language() {
    let predicate = sample();
    for (text, wanted) in [
        ("predicate.score >= 7 && predicate.names.exists(x, x == 'a')", Some(true)),
        ("!(predicate.absent == 1)", None),
        ("predicate.absent == 1 || predicate.ok", Some(true)),
        ("predicate.nested.a.b.all(x, x.d == 3 && false)", Some(false)),
    ] {
        assert_eq!(interpreted(text, &predicate), wanted, "{text}");
    }
}

/// What the interpreter of the `cel` crate gives; `None` where it gives neither true nor false.
fn interpreted(text: &str, predicate: &Json) -> Option<bool> {
    let environment = std::sync::Arc::new(cel::Env::stdlib());
    let program = environment.compile(text).ok()?;
    let mut context = cel::Context::with_env(environment);
    context.add_variable_from_value("predicate", as_cel(predicate));
    match program.execute(&context) {
        Ok(cel::Value::Bool(value)) => Some(value),
        _ => None,
    }
}

/// Texts of values over the sample. No map of it that is walked has two keys: the crate's order of them differs from run to run.
fn values() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        [
            "predicate.score",
            "predicate.ratio",
            "predicate.big",
            "predicate.huge",
            "predicate.negative",
            "predicate.none",
            "predicate.ok",
            "predicate.result",
            "predicate.list",
            "predicate.names",
            "predicate.nested",
            "predicate.nested.a.b",
            "predicate.absent",
            "predicate.empty",
            "1",
            "-2",
            "3u",
            "2.5",
            "7.0",
            "0",
            "'a'",
            "'PASSED'",
            "''",
            "true",
            "false",
            "null",
            "[1, 2]",
            "[]",
            "{'a': 1}",
            "has(predicate.score)",
            "has(predicate.absent)",
            "predicate.list[1]",
            "predicate.list[9]",
        ]
        .as_slice(),
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(2, 8, 2, |inner| {
        let operators = prop::sample::select(["+", "-", "*", "/", "%", "&&", "||", "in", "<", ">="].as_slice());
        let walks = prop::sample::select(["filter", "map"].as_slice());
        let functions = prop::sample::select(["size", "int", "uint", "double", "string", "bool", "!", "-"].as_slice());
        prop_oneof![
            (inner.clone(), operators, inner.clone()).prop_map(|(one, operator, other)| format!("(dyn({one}) {operator} dyn({other}))")),
            (inner.clone(), walks, inner.clone()).prop_map(|(range, walk, body)| format!("dyn({range}).{walk}(x, dyn(x) == dyn({body}))")),
            (functions, inner.clone()).prop_map(|(function, of)| format!("{function}(dyn({of}))")),
            (inner.clone(), inner).prop_map(|(of, at)| format!("dyn({of})[dyn({at})]")),
        ]
    })
}

/// Texts of conditions over the sample.
fn conditions() -> impl Strategy<Value = String> {
    let same_kind = |names: &'static [&'static str]| (prop::sample::select(names), prop::sample::select(names));
    let comparisons = || prop::sample::select(["==", "!=", "<", "<=", ">", ">="].as_slice());
    let numbers = same_kind(&[
        "predicate.score",
        "predicate.ratio",
        "predicate.big",
        "predicate.huge",
        "predicate.negative",
        "7",
        "7.0",
        "7u",
        "-3.5",
    ]);
    let texts = same_kind(&["predicate.result", "predicate.text", "predicate.names[0]", "'a'", "'PASSED'", "''", "predicate.absent"]);
    let methods = prop::sample::select(["startsWith", "endsWith", "contains"].as_slice());
    let leaf = prop_oneof![
        (values(), prop::sample::select(["==", "!="].as_slice()), values())
            .prop_map(|(one, operator, other)| format!("dyn({one}) {operator} dyn({other})")),
        (numbers, comparisons()).prop_map(|((one, other), operator)| format!("dyn({one}) {operator} dyn({other})")),
        (texts.clone(), comparisons()).prop_map(|((one, other), operator)| format!("dyn({one}) {operator} dyn({other})")),
        (texts, methods).prop_map(|((one, other), method)| format!("dyn({one}).{method}({other})")),
        prop::sample::select(["has(predicate.absent)", "predicate.ok", "2 in predicate.list", "'ok' in predicate"].as_slice())
            .prop_map(str::to_owned),
        values().prop_map(|value| format!("dyn({value})")),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let walks = prop::sample::select(["all", "exists", "exists_one"].as_slice());
        let ranges = prop::sample::select(
            ["predicate.list", "predicate.nested.a.b", "predicate.names", "predicate.empty", "predicate.nested"].as_slice(),
        );
        let items = prop::sample::select(["x == 2", "has(x.c)", "x.c == 1", "x == 'a'", "x > 1"].as_slice());
        prop_oneof![
            (inner.clone(), prop::sample::select(["&&", "||"].as_slice()), inner.clone())
                .prop_map(|(one, operator, other)| format!("({one} {operator} {other})")),
            inner.clone().prop_map(|one| format!("!({one})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(one, two, three)| format!("(({one}) ? {two} : {three})")),
            (ranges, walks, items, prop::sample::select(["&&", "||"].as_slice()), inner)
                .prop_map(|(range, walk, item, operator, body)| format!("{range}.{walk}(x, {item} {operator} {body})")),
        ]
    })
}

fn documents() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let names = prop::sample::select(["score", "result", "list", "nested", "a", "b", "ok", "é"].as_slice()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(names, inner, 0..5).prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// Where both give a value it is the same, and where one gives none neither does the other.
#[test]
fn the_crates_interpreter_gives_the_same() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let predicate = sample();
    let (mut with, mut without) = (0, 0);
    for _ in 0..2_000 {
        let text = conditions().new_tree(&mut runner).unwrap().current();
        let ours = match Expression::compile(&text).is_ok().then(|| over(&text, &predicate)) {
            Some(Outcome::True) => Some(true),
            Some(Outcome::False { .. }) => Some(false),
            Some(Outcome::Failed { .. }) => None,
            Some(Outcome::Unknown { detail, .. }) => panic!("{text}: {detail}"),
            // Refused when it is read: certainly wrong, so it gives no value there either.
            None => continue,
        };
        assert_eq!(ours, interpreted(&text, &predicate), "{text}");
        *if ours.is_some() { &mut with } else { &mut without } += 1;
    }
    assert!(with > 500 && without > 100, "{with} with a value, {without} without");
}

proptest! {

    #[test]
    fn no_document_panics(text in conditions(), predicate in documents()) {
        if Expression::compile(&text).is_ok() {
            over(&text, &predicate);
        }
    }

    #[test]
    fn no_time_panics(text in "[0-9TZ:.+h-]{0,30}|[0-9]{1,25}(h|m|s|ms|us|ns|µs)") {
        let _ = time::duration(&text);
        let _ = time::timestamp(&text);
    }
}
