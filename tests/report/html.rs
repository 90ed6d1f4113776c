//! The page, as far as it can be judged without a browser; `tests/e2e/browser.rs` opens it in one.

use seaworthy::model::Report;
use seaworthy::report::html;
use serde_json::Value;

use super::fleet::fleet;
use super::hostile::{hostile, said};
use super::sample::{empty, rich, talk};
use super::vast::vast;

/// What would run where a text became markup, and show what it is not.
pub(crate) const MARKUP: [&str; 1] = ["</script><img src=x onerror=globalThis.pwned=alert(1)>\"'&\u{202e}gnp"];

/// The page of a report.
pub(crate) fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    html::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A block of data.
fn data(page: &str, id: &str) -> Value {
    let begin = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = page.split_once(&begin).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The names of the tags in a page, in order, without what stands in scripts and styles.
fn tags(page: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '/' && letter != '!').unwrap_or(after.len());
        let name = &after[..end];
        names.push(name);
        rest = match name {
            "script" | "style" => after.split_once(&format!("</{name}>")).unwrap().1,
            _ => after,
        };
    }
    names
}

#[test]
fn the_four_things_stay_four_things() {
    let page = text(&rich());
    for word in ["failed", "unknown", "passed", "excepted", "not configured: action required", "requires review", "irrelevant"] {
        assert!(page.contains(&format!(">{word}")), "{word}");
    }
    assert!(page.contains("Interrupted") && page.contains("Gaps: 1 part could not be read, workloads may be missing"));
    assert!(page.contains("33–78 %") && page.contains("the part between is unknown"), "an interval has two ends");
}

#[test]
fn the_fleet_has_its_exceptions_baseline_and_gates() {
    let page = text(&fleet());
    for word in ["in force", "ends soon", "expired", "not allowed", "vendor image, replacement due", "security@acme.example", "SEC-1234"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.contains("<b>1</b> new, which alone count at the gates · 3 known · 2 gone"));
    assert!(page.contains("preview: counts nowhere") && page.contains("missed"));
    let data = data(&page, "data");
    assert_eq!(data["matrix"], serde_json::json!(["EPFFF", "--F--"]));
    assert_eq!(data["causes"].as_array().unwrap().len(), seaworthy::report::causes::causes(&fleet()).len());
}

#[test]
fn nothing_to_show_is_said() {
    let page = text(&empty());
    assert!(page.contains("Nothing is in this scope: nothing was judged, and nothing passed."));
    assert!(page.contains("Nothing was applicable: no score, and no pass.") && page.contains("nothing decides over this report"));
}

#[test]
fn a_page_asks_nobody() {
    for report in [talk(), rich(), fleet()] {
        let page = text(&report);
        assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
        for asks in ["src=", "@import", "url(", "<link rel=\"stylesheet", "<iframe", "<img", "<form", "style=\""] {
            assert!(!page.contains(asks), "{asks}");
        }
    }
}

#[test]
fn hostile_texts_are_texts() {
    let plain: [Vec<String>; 2] = [rich(), fleet()].map(|report| kinds(&text(&report)));
    for (nth, report) in hostile().enumerate() {
        let page = text(&report);
        let deceptive = page.chars().find(|letter| seaworthy::model::is_deceptive(*letter) && *letter != '\n');
        assert_eq!(deceptive, None, "report {nth}");
        // No text adds a kind of tag, and none ends a block of data early.
        assert!(kinds(&page).iter().all(|tag| plain[nth % 2].contains(tag) || ["br", "small"].contains(&tag.as_str())), "report {nth}");
        data(&page, "data");
        data(&page, "texts");
    }
}

#[test]
fn a_text_that_ends_scripts_ends_none() {
    for report in [rich(), fleet()] {
        let page = text(&said(report, &MARKUP));
        assert!(!page.contains("<img") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=") && page.contains("\\u{202e}gnp"), "it is shown");
        assert_eq!(page.matches("</script>").count(), 3);
        assert!(data(&page, "texts").as_array().unwrap().iter().any(|text| text.as_str().unwrap().starts_with("</script><img src=x")));
    }
}

fn kinds(page: &str) -> Vec<String> {
    let mut kinds: Vec<_> = tags(page).into_iter().map(|tag| tag.trim_start_matches('/').to_owned()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn without_scripting_the_first_five_hundred_are_there() {
    let report = vast(2_000, 6, 2_000);
    let page = text(&report);
    assert_eq!(page.matches("<li class=\"cause\">").count(), 500);
    let all = seaworthy::report::causes::causes(&report).len();
    assert!(all > 500 && page.contains(&format!("The first 500 of {all} causes")));
}

#[test]
fn the_page_of_a_large_organisation_is_small_enough_to_send() {
    let page = text(&vast(10_000, 12, 1_000));
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
}
