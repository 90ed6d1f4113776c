//! What an edit of a text touches, and what it leaves alone.

use proptest::prelude::*;

use super::{positions, stdin};
use crate::inventory::manifests::{Pin, PinnedText, pin};
use crate::model::Digest;

/// Everything that stands somewhere, with a digest.
fn wanted(text: &str) -> Vec<Pin> {
    let digest = || Digest::from_sha256([7; 32]);
    let places = positions::places(&stdin(text).unwrap());
    places.into_iter().map(|(line, column, reference)| Pin { line, column, reference, digest: digest() }).collect()
}

fn pinned(text: &str) -> PinnedText {
    pin(text, "-", &wanted(text))
}

fn added() -> String {
    format!("@{}", Digest::from_sha256([7; 32]))
}

#[test]
fn only_references_are_touched() {
    let yaml = "# é\nkind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: nginx:1.27   # why\n  - {image: \"b:2\", name: nginx:1.27}\n  - image: 'c'\n";
    let expected = yaml
        .replace("nginx:1.27   #", &format!("nginx:1.27{}   #", added()))
        .replace("\"b:2\"", &format!("\"b:2{}\"", added()))
        .replace("'c'", &format!("'c{}'", added()));
    for change in [|text: &str| text.to_owned(), |text: &str| text.replace('\n', "\r\n"), |text: &str| format!("\u{feff}{text}")] {
        let result = pinned(&change(yaml));
        assert_eq!((result.text, result.pinned.len(), result.refused), (change(&expected), 3, Vec::new()));
    }
    let json = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\n\t\"spec\":{\"containers\":[{\"image\" : \"a:1\"}]}}";
    assert_eq!(pinned(json).text, json.replace("a:1", &format!("a:1{}", added())));
}

#[test]
fn what_is_shared_escaped_or_not_there_is_left_and_named() {
    let with = |containers: &str| format!("kind: Pod\napiVersion: v1\nspec:\n  containers:\n{containers}");
    let refused = |text: &str| {
        let result = pinned(text);
        assert_eq!((result.text.as_str(), result.pinned.len()), (text, 0));
        result.refused.into_iter().map(|(_, why)| why).collect::<Vec<_>>()
    };
    let shared = "it is shared by an anchor, an alias or a merge key";
    for text in [
        with("  - image: &a x:1\n  - image: *a\n"),
        with("  - image: &a x:1\n    name: *a\n"),
        with("  - &a\n    image: x:1\n  - *a\n"),
        with("  - &a {image: x:1}\n  - {<<: *a, name: b}\n"),
    ] {
        assert!(refused(&text).iter().all(|why| *why == shared), "{text}");
        assert!(!refused(&text).is_empty());
    }
    let whole = with("  - image: x:1\n    volumeMounts: &b [{name: x}]\n    devices: *b\n");
    assert_eq!(pinned(&whole).pinned.len(), 1, "another anchor is nobody's business");
    assert_eq!(refused(&with("  - image: \"x\\u003a1\"\n")), ["it is not written as a plain or quoted text"]);
    let elsewhere = Pin { line: 5, column: 1, reference: "x:1".to_owned(), digest: Digest::from_sha256([7; 32]) };
    assert_eq!(pin(&with("  - image: x:1\n"), "-", &[elsewhere]).refused[0].1, "it does not stand there");
}

proptest! {
    #[test]
    fn a_pinned_text_differs_in_its_references_alone(text in positions::manifests()) {
        let (before, result) = (stdin(&text).unwrap(), pinned(&text));
        prop_assert!(result.refused.is_empty(), "{:?}", result.refused);
        prop_assert_eq!(result.text.replace(&added(), ""), text.clone());
        let mut after = stdin(&result.text).unwrap();
        for container in after.workloads.iter_mut().flat_map(|workload| &mut workload.containers) {
            for image in &mut container.images {
                let reference = image.reference.strip_suffix(added().as_str()).expect("every image is pinned").to_owned();
                image.reference = reference.as_str().into();
            }
        }
        let lines = |inventory: &crate::model::Inventory| positions::places(inventory).into_iter().map(|(line, _, reference)| (line, reference)).collect::<Vec<_>>();
        prop_assert_eq!(lines(&after), lines(&before));
    }
}
