//! Where image fields stand, checked against the text itself.

use proptest::prelude::*;

use super::{stdin, stdin_with};
use crate::inventory::manifests::documents::split;
use crate::model::{Inventory, SourcePosition};

/// Line, column and reference of every container.
pub(super) fn places(inventory: &Inventory) -> Vec<(u32, u32, String)> {
    let containers = inventory.workloads.iter().flat_map(|workload| &workload.containers);
    let place = |position: &SourcePosition, reference: &str| (position.line, position.column, reference.to_owned());
    containers.map(|container| place(container.position.as_deref().unwrap(), &container.images[0].reference)).collect()
}

/// What an editor shows at a place: lines end in `\n`, columns are letters.
fn text_at(text: &str, line: u32, column: u32) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.split('\n').nth(line as usize - 1).unwrap();
    line.chars().skip(column as usize - 1).collect()
}

/// At every place stands the reference, or the quote before it.
fn agree(text: &str, count: usize) {
    let inventory = stdin(text).unwrap();
    assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
    let places = places(&inventory);
    assert_eq!(places.len(), count, "{text}");
    for (line, column, reference) in places {
        let here = text_at(text, line, column);
        let bare = here.strip_prefix(['"', '\'']).unwrap_or(&here).replace("\\/", "/");
        assert!(bare.starts_with(&reference), "{line}:{column} is {here:?}, not {reference:?} in {text}");
    }
}

fn pod(name: &str, containers: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n{containers}")
}

#[test]
fn every_notation_of_yaml_tells_its_place() {
    let plain =
        pod("p", "  - name: a\n    image: nginx:1.27 # a comment\n  - image:   \"ghcr.io/acme/b:2\"\n    name: b\n  - image: 'c'\n");
    let (block, folded) = (pod("p", "  - image: |-\n      a:1\n"), pod("p", "  - image: >-\n      a:1\n"));
    let table: &[(&str, &[(u32, u32)])] = &[
        (&plain, &[(7, 12), (8, 14), (10, 12)]),
        (&plain.replace('\n', "\r\n"), &[(7, 12), (8, 14), (10, 12)]),
        (&format!("\u{feff}{plain}"), &[(7, 12), (8, 14), (10, 12)]),
        ("\u{feff}{kind: Pod, apiVersion: v1, spec: {containers: [{image: a}]}}", &[(1, 57)]),
        (&format!("# é 𝄞\n{plain}"), &[(8, 12), (9, 14), (11, 12)]),
        ("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: 'é𝄞', image: a:1}, {image: \"b\"}]}\n", &[(3, 41), (3, 55)]),
        (&pod("p", "  - image:\n      a:1\n"), &[(7, 7)]),
        (&pod("p", "  - image: !!str a:1\n"), &[(6, 18)]),
        (&pod("p", "  - ? image\n    : a:1\n"), &[(7, 7)]),
        (&block, &[(7, 7)]),
        (&folded, &[(7, 7)]),
    ];
    for (text, expected) in table {
        let found: Vec<_> = places(&stdin(text).unwrap()).into_iter().map(|(line, column, _)| (line, column)).collect();
        assert_eq!(found, *expected, "{text}");
        agree(text, expected.len());
    }
}

#[test]
fn an_alias_leads_to_where_the_value_is_written() {
    let alias = pod("p", "  - {name: a, image: &nginx nginx:1.27}\n  - {name: b, image: *nginx}\n");
    assert_eq!(places(&stdin(&alias).unwrap()).iter().map(|place| (place.0, place.1)).collect::<Vec<_>>(), [(6, 29), (6, 29)]);
    let merged = pod("p", "  - &base\n    name: a\n    image: a:1\n  - <<: *base\n    name: b\n  - *base\n  - {<<: *base, image: c:1}\n");
    let found: Vec<_> = places(&stdin(&merged).unwrap()).into_iter().map(|place| (place.0, place.1)).collect();
    assert_eq!(found, [(8, 12), (8, 12), (8, 12), (12, 24)]);
    agree(&alias, 2);
    agree(&merged, 4);
}

#[test]
fn documents_and_lists_are_counted_through() {
    let many =
        format!("# first\n{}---\n{}--- # next\n\n{}", pod("a", "  - image: a\n"), pod("b", "  - image: b\n"), pod("c", "  - image: c\n"));
    agree(&many, 3);
    let item = "  - kind: Pod\n    apiVersion: v1\n    spec: {containers: [{image: x/1}], volumes: [{name: v, image: {reference: y/1}}]}\n";
    agree(&format!("apiVersion: v1\nkind: List\nitems:\n{item}{item}"), 4);
    agree(&format!("---\n{}", item.replacen("  - ", "- ", 1).replace("\n    ", "\n  ")), 2);
    let custom = "apiVersion: argoproj.io/v1\nkind: Rollout\nspec:\n  template:\n    spec:\n      containers:\n      - image: r:1\n";
    let inventory = stdin_with(custom, &["argoproj.io/Rollout: spec.template".parse().unwrap()]).unwrap();
    assert_eq!(places(&inventory), [(7, 16, "r:1".to_owned())]);
}

#[test]
fn json_tells_its_places_too() {
    let json = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"é\"},\n\t\"spec\": {\"containers\": [\n\t\t{\"image\": \
                \"a:1\"}, {\"name\": \"𝄞\", \"image\"\t:\"ghcr.io\\/acme\\/b\"}],\n\t\"volumes\": [{\"image\": {\"reference\": \"v:1\"}}]}}\n";
    let found = places(&stdin(json).unwrap());
    assert_eq!(found.iter().map(|place| (place.0, place.1)).collect::<Vec<_>>(), [(4, 13), (4, 44), (5, 38)]);
    agree(json, 3);
    agree(&format!("{json}{json}\n\n {json}"), 9);
    agree(&json.replace('\n', "\r\n"), 3);
    let list = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{json},{json}]}}");
    agree(&list, 6);
    // The last of two keys counts.
    let twice = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"a\",\"image\":\"b\"}]}}";
    assert_eq!(places(&stdin(twice).unwrap()), [(1, 76, "b".to_owned())]);
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    for (key, name) in [("image", "x.json"), ("reference", "x.json"), ("x", "x.json"), ("image", "x.yaml"), ("reference", "x.yaml")] {
        let open = if name == "x.json" { format!("{{\"{key}\":") } else { format!("{{{key}: ") };
        for depth in [200, 1000, 100_000] {
            let deep = format!("{}1{}", open.repeat(depth), "}".repeat(depth));
            assert!(split(&deep, name).iter().all(|document| document.value.is_err() || depth == 200), "{key} {depth}");
        }
    }
}

#[test]
fn a_tree_is_the_value_that_the_parser_makes() {
    for text in
        ["a: 1\nb: [1.5, null, true, ~, '']\n1: x\ntrue: z\n", "image: {a: [1, {image: 3}], reference: {x: y}}\n", "- image\n- {}\n- []\n"]
    {
        let expected: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(split(text, "x.yaml")[0].value.as_ref().unwrap().value, expected, "{text}");
    }
    let text = "{\"image\": {\"reference\": {\"image\": [1]}, \"x\": 18446744073709551615}, \"reference\": [], \"y\": -1.5e3}";
    let expected: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(split(text, "x.json")[0].value.as_ref().unwrap().value, expected, "{text}");
}

fn rendered_from(text: &str) -> Option<String> {
    let inventory = stdin(text).unwrap();
    let position = inventory.workloads[0].containers[0].position.clone().unwrap();
    position.rendered_from.map(|from| from.to_string())
}

#[test]
fn helm_says_which_template_a_document_is_rendered_from() {
    let with = |above: &str| rendered_from(&format!("{above}{}", pod("p", "  - image: a\n")));
    assert_eq!(with("---\n# Source: web/templates/pod.yaml\n").as_deref(), Some("web/templates/pod.yaml"));
    assert_eq!(with("---\r\n# Source: web/templates/pod.yaml\r\n# more\r\n").as_deref(), Some("web/templates/pod.yaml"));
    assert_eq!(with("---\n# Source: a.yaml\n# Source: b.yaml\n").as_deref(), Some("a.yaml"));
    assert_eq!(with("# Source: a.yaml\n"), None, "no marker above it");
    assert_eq!(with("---\napiVersion: v1\nkind: Secret\n# Source: a.yaml\n---\n"), None, "of another document");
    assert_eq!(with("---\n# Source: \n"), None);
    assert_eq!(with("---\n# Source: ../../etc/\u{202e}[31m\n").as_deref(), Some("../../etc/\u{202e}[31m"), "kept as a text");
    let long = with(&format!("---\n# Source: {}\n", "é".repeat(9000))).unwrap();
    assert_eq!((long.chars().count(), long.ends_with('…')), (513, true));
}

#[test]
fn kustomize_says_where_a_resource_comes_from() {
    let with = |origin: &str| {
        let text = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "a"}]},
            "metadata": {"annotations": {"config.kubernetes.io/origin": origin}},
        });
        rendered_from(&text.to_string())
    };
    assert_eq!(with("path: base/pod.yaml\n").as_deref(), Some("base/pod.yaml"));
    let remote = "path: deploy/pod.yaml\nrepo: https://github.com/acme/base\nref: v1.2\n";
    assert_eq!(with(remote).as_deref(), Some("https://github.com/acme/base@v1.2: deploy/pod.yaml"));
    assert_eq!(with("configuredIn: base/kustomization.yaml\nconfiguredBy: {kind: X}\n").as_deref(), Some("base/kustomization.yaml"));
    for broken in ["", "[", "path: ''", "path: [a]", &format!("path: {}", "x".repeat(20_000))] {
        assert_eq!(with(broken), None, "{broken}");
    }
}

/// A scalar as one may write it, for a reference without anything that needs an escape.
fn scalar() -> impl Strategy<Value = String> {
    ("[a-z][a-z0-9]{0,6}(/[a-z]{1,5}){0,2}:[0-9]\\.[0-9]{1,3}", 0..3_usize).prop_map(|(reference, quote)| match quote {
        0 => reference,
        1 => format!("\"{reference}\""),
        _ => format!("'{reference}'"),
    })
}

fn container() -> impl Strategy<Value = String> {
    (scalar(), "[a-zé𝄞]{1,5}", 0..4_usize, "( # [ a-z:'\"é]{0,9})?").prop_map(|(image, name, form, comment)| match form {
        0 => format!("  - name: \"{name}\"\n    image: {image}{comment}\n"),
        1 => format!("  -   image:   {image}{comment}\n      name: \"{name}\"\n"),
        2 => format!("  - {{name: \"{name}\", image: {image}, args: [image]}}{comment}\n"),
        _ => format!("  - env: [{{name: \"{name}\", value: x}}]\n    # {name}\n\n    image:{comment}\n      {image}\n"),
    })
}

/// Manifests of several documents, and how many images are in them.
fn counted() -> impl Strategy<Value = (String, usize)> {
    let documents = prop::collection::vec(prop::collection::vec(container(), 1..4), 1..4);
    (documents, prop::sample::select(vec!["\n", "\r\n"]), prop::bool::ANY).prop_map(|(documents, end, is_marked)| {
        let count = documents.iter().map(Vec::len).sum();
        let text: Vec<_> = documents.iter().zip(0..).map(|(containers, at)| pod(&format!("p{at}"), &containers.concat())).collect();
        let text = text.join("---\n# Source: x\n").replace('\n', end);
        (format!("{}{text}", if is_marked { "\u{feff}" } else { "" }), count)
    })
}

/// Manifests of several documents.
pub(super) fn manifests() -> impl Strategy<Value = String> {
    counted().prop_map(|(text, _)| text)
}

proptest! {
    #[test]
    fn places_agree_with_the_text((text, count) in counted()) {
        agree(&text, count);
    }
}
