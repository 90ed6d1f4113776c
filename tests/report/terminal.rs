//! The report as a person reads it.

use seaworthy::model::{BuildLevel, Cause, ShownLevel, UnknownAnswer};
use unicode_width::UnicodeWidthStr;

use super::fleet::fleet;
use super::pretty;
use super::sample::{rich, talk};

#[test]
fn the_talks_example_reads_as_on_its_slide() {
    insta::assert_snapshot!("talk_80_verbose", pretty(&talk(), 80, false, true));
    insta::assert_snapshot!("talk_120", pretty(&talk(), 120, false, false));
}

#[test]
fn everything_a_report_can_say_is_readable_at_every_width() {
    for width in [60, 80, 120, 200] {
        insta::assert_snapshot!(format!("rich_{width}_verbose"), pretty(&rich(), width, false, true));
    }
    insta::assert_snapshot!("rich_80", pretty(&rich(), 80, false, false));
}

/// Several clusters, a baseline, and exceptions in every state.
#[test]
fn exceptions_are_told_by_what_becomes_of_them() {
    insta::assert_snapshot!("fleet_100_verbose", pretty(&fleet(), 100, false, true));
    insta::assert_snapshot!("fleet_80", pretty(&fleet(), 80, false, false));
}

#[test]
fn colour_marks_and_says_nothing_that_words_do_not() {
    let colored = pretty(&rich(), 100, true, true);
    insta::assert_snapshot!("rich_100_color", colored.replace('\u{1b}', "␛"));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, pretty(&rich(), 100, false, true));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 61, 75, 76, 80, 100, 133] {
        // A command is not broken, so that it can be copied.
        for line in pretty(&rich(), width, false, true).lines().filter(|line| !line.contains("@sha256:")) {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        }
    }
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let text = pretty(&rich(), 120, false, true);
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'));
    assert!(!text.contains(['\u{202e}', '\u{200b}']));
    assert!(text.contains("evil\\u{1b}[31m\\u{202e}gnp"));
}

#[test]
fn the_moment_is_said_first() {
    assert!(pretty(&talk(), 80, false, false).starts_with("As of     2026-07-01 12:00:00 UTC"));
}

#[test]
fn a_level_that_is_not_known_is_not_a_low_one() {
    let mut report = talk();
    let shown = |level, by: Option<&str>, maybe: bool| ShownLevel {
        level,
        by: by.map(str::to_owned),
        lack: None,
        possible: maybe.then(|| (BuildLevel::L3, UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() })),
    };
    let levels = [
        shown(BuildLevel::L0, None, true),
        shown(BuildLevel::L1, None, true),
        shown(BuildLevel::L2, Some("ci"), true),
        shown(BuildLevel::L2, Some("ci"), false),
        shown(BuildLevel::L1, None, false),
        shown(BuildLevel::L0, None, false),
    ];
    for (image, level) in report.images.iter_mut().zip(levels) {
        image.build = Some(level);
    }
    let told = pretty(&report, 120, false, false);
    let line = "SLSA build levels of images: L2 or more 1 · L2 1 · L1, unverified 1 · not known 2 · L0 1\n";
    assert!(told.contains(line), "{told}");
    assert!(pretty(&report, 120, false, true).contains("1.4.2, by ci, maybe L3 (timeout)"));
}
