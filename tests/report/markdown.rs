//! The report of a pull request.

use seaworthy::model::{ControlOutcome, Report, Severity, Standing};
use seaworthy::report::markdown;

use super::fleet::fleet;
use super::hostile::hostile;
use super::large::large;
use super::sample::{rich, talk};

pub(crate) fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    markdown::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_reviewer_reads_what_to_do() {
    insta::assert_snapshot!("fleet_markdown", text(&fleet()));
    insta::assert_snapshot!("rich_markdown", text(&rich()));
    insta::assert_snapshot!("talk_markdown", text(&talk()));
}

#[test]
fn a_bot_finds_its_comment() {
    assert!(text(&talk()).starts_with("<!-- seaworthy-report -->\n## ❌ Seaworthy: gate missed · compliance 20 %\n"));
}

#[test]
fn a_comment_is_never_too_long_and_says_what_was_cut() {
    let report = large(3_000);
    let text = text(&report);
    assert!(text.len() <= markdown::LIMIT, "{}", text.len());
    assert!(text.len() > markdown::LIMIT / 2, "the room is used: {}", text.len());
    let shown = text.matches("\n#### High").count();
    assert_eq!(text.matches("\n#### Low").count(), 0, "the less severe go first");
    assert!(text.contains("### Failing: 6000 causes"));
    let cut = format!("**… and {} more causes** ({} High, 3000 Low)", 6_000 - shown, 3_000 - shown);
    assert!(text.contains(&cut), "{cut}");
    assert!(text.ends_with('\n') && text.matches("<details>").count() == text.matches("</details>").count());
}

#[test]
fn every_part_keeps_to_its_room() {
    let mut report = rich();
    let fleet = fleet();
    let long = "word ".repeat(200);
    report.gaps = (0..500)
        .map(|_| {
            let mut gap = report.gaps[0].clone();
            gap.detail.clone_from(&long);
            gap
        })
        .collect();
    report.exceptions = (0..500).map(|_| fleet.exceptions[0].clone()).collect();
    report.controls = (0..500)
        .map(|_| {
            let mut control = report.controls[2].clone();
            control.title.clone_from(&long);
            control
        })
        .collect();
    report.gates = (0..500).map(|_| fleet.gates[1].clone()).collect();
    let text = text(&report);
    assert!(text.len() <= markdown::LIMIT, "{}", text.len());
    for title in ["### Gates", "### Controls", "### Failing", "### Unknown", "### Exceptions", "### Gaps"] {
        assert!(text.contains(title), "{title}");
    }
    assert!(text.lines().any(|line| line.starts_with("- and ") && line.ends_with(" more")));
}

/// What is left of the markdown without its code, where GitHub looks for mentions, references, links and HTML.
fn live(text: &str) -> String {
    let mut live = String::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let run = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) => {
                if run.len() >= open.len() && run == line {
                    fence = None;
                }
                continue;
            }
            None if run.len() >= 3 && !line[run.len()..].contains('`') => {
                fence = Some(run);
                continue;
            }
            None => {}
        }
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            live.push_str(&rest[..at]);
            let behind = rest[at..].trim_start_matches('`');
            let run = rest.len() - at - behind.len();
            // The code ends with a run of the same length.
            let mut from = 0;
            let end = loop {
                let Some(next) = behind[from..].find('`').map(|next| from + next) else { break None };
                let length = behind[next..].len() - behind[next..].trim_start_matches('`').len();
                if length == run {
                    break Some(next + run);
                }
                from = next + length;
            };
            rest = &behind[end.unwrap_or_else(|| panic!("code without an end: {line}"))..];
            live.push('\u{25a1}');
        }
        live.push_str(rest);
        live.push('\n');
    }
    assert_eq!(fence, None, "a block without an end");
    live
}

#[test]
fn nothing_foreign_is_live() {
    for report in hostile() {
        let text = text(&report);
        assert!(!text.chars().any(|letter| (letter.is_control() && letter != '\n') || letter == '\u{202e}'));
        let mut live = live(&text);
        for own in [
            "<!-- seaworthy-report -->\n",
            "<details>",
            "</details>",
            "<summary>Where, and how to fix it</summary>",
            "<summary>Where</summary>",
            "<summary>How to fix it</summary>",
            "> [!WARNING]\n>",
            "\\\n",
        ] {
            live = live.replace(own, "");
        }
        for line in live.lines() {
            let line = line.trim_start_matches('#').trim_start_matches("- ");
            let own_bold = line.replace("**", "");
            for sign in ["@", "#", "<", ">", "[", "]", "*", "_", "~", "\\", "http", "www", "$", "&", "GH-"] {
                assert!(!own_bold.contains(sign) || is_advice(&own_bold), "{sign} in {line}\n{text}");
            }
        }
        let table: Vec<_> = live.lines().filter(|line| line.starts_with('|')).collect();
        assert!(table.len() > 3 && table.iter().all(|row| row.matches('|').count() == 8), "{table:?}");
        for line in live.lines().filter(|line| line.starts_with("#### ")) {
            assert!(Severity::DESCENDING.iter().any(|severity| line[5..].starts_with(severity.name())), "{line}");
        }
    }
}

/// Our own advice, which is written for a person and has its own code.
fn is_advice(line: &str) -> bool {
    seaworthy::model::Cause::ALL.iter().any(|cause| line.starts_with(cause.name()))
}

#[test]
fn what_is_new_comes_first_and_preview_last() {
    let mut report = fleet();
    // The control about the cluster fails, and the baseline has that already.
    if let ControlOutcome::Cluster { standing, .. } = &mut report.controls[0].outcome {
        *standing = Standing::AsIs;
    }
    let text = text(&report);
    let places = ["### New: 1 cause", "### Failing, known to the baseline: 1 cause", "### In preview, counted nowhere: 1 cause"];
    assert!(places.map(|title| text.find(title).unwrap()).is_sorted());
    assert!(text.contains("**1 new**, 3 known, 2 gone"));
}
