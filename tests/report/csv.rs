//! The rows of a spreadsheet.

use std::collections::BTreeMap;

use seaworthy::model::Report;
use seaworthy::report::csv;

use super::fleet::fleet;
use super::hostile::hostile;
use super::sample::rich;

pub(super) fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    csv::render(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A reader of RFC 4180 that takes nothing but what the standard says.
fn read(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut letters = text.chars().peekable();
    while letters.peek().is_some() {
        let mut row = Vec::new();
        loop {
            let mut cell = String::new();
            if letters.next_if_eq(&'"').is_some() {
                loop {
                    match letters.next().unwrap() {
                        '"' if letters.next_if_eq(&'"').is_some() => cell.push('"'),
                        '"' => break,
                        letter => cell.push(letter),
                    }
                }
            } else {
                while let Some(letter) = letters.next_if(|letter| !",\r\n".contains(*letter)) {
                    assert_ne!(letter, '"', "a quote in a cell without quotes");
                    cell.push(letter);
                }
            }
            row.push(cell);
            match letters.next() {
                Some(',') => {}
                Some('\r') => {
                    assert_eq!(letters.next(), Some('\n'));
                    break;
                }
                other => panic!("{other:?} behind a cell"),
            }
        }
        rows.push(row);
    }
    rows
}

/// Rows by the names of their columns.
fn rows(report: &Report) -> Vec<BTreeMap<&'static str, String>> {
    let mut rows = read(&text(report)).into_iter();
    assert_eq!(rows.next().unwrap(), csv::COLUMNS);
    rows.map(|row| {
        assert_eq!(row.len(), csv::COLUMNS.len());
        csv::COLUMNS.into_iter().zip(row).collect()
    })
    .collect()
}

#[test]
fn each_answer_has_its_row() {
    let rows = rows(&rich());
    let statuses: BTreeMap<&str, usize> = rows.iter().fold(BTreeMap::new(), |mut counts, row| {
        *counts.entry(row["status"].as_str()).or_default() += 1;
        counts
    });
    let expected = [
        ("acceptedUnknown", 1),
        ("failed", 6),
        ("gap", 1),
        ("irrelevant", 1),
        ("passed", 2),
        ("requiresReview", 1),
        ("unconfigured", 1),
        ("unknown", 2),
    ];
    assert_eq!(statuses, expected.into());
    let injected: Vec<_> = rows.iter().filter(|row| row["injected"] == "true").map(|row| row["container"].as_str()).collect();
    assert_eq!(injected, ["istio-proxy"]);
    let suspended = rows.iter().find(|row| row["basis"] == "declaredSuspended").unwrap();
    assert_eq!((suspended["kind"].as_str(), suspended["pods"].as_str()), ("CronJob", "0"));
}

#[test]
fn a_row_says_its_cluster_its_exception_and_its_line() {
    let rows = rows(&fleet());
    let excepted: Vec<_> = rows.iter().filter(|row| row["status"] == "excepted").collect();
    assert_eq!(excepted.iter().map(|row| row["exception"].as_str()).collect::<Vec<_>>(), ["organisation", "redis"]);
    assert!(excepted.iter().all(|row| row["exception_reason"] == "vendor image, replacement due"));
    let new: Vec<_> = rows.iter().filter(|row| row["new"] == "new").collect();
    assert_eq!(new.len(), 1);
    assert_eq!(
        ["file", "line", "column", "rendered_from"].map(|column| new[0][column].as_str()),
        ["deploy/shop.yaml", "17", "18", "shop/templates/deployment.yaml"]
    );
    let shop: Vec<_> = rows.iter().filter(|row| row["name"] == "shop" && row["control"] == "C-0237").collect();
    assert_eq!(shop.iter().map(|row| row["cluster"].as_str()).collect::<Vec<_>>(), ["eu-west", "us-east", ""]);
    assert!(shop.iter().all(|row| row["cause"] == shop[0]["cause"] && !row["cause"].is_empty()), "one cause");
}

#[test]
fn the_cause_is_the_one_that_groups_have() {
    for report in [rich(), fleet()] {
        let groups: std::collections::BTreeSet<_> =
            seaworthy::report::causes::causes(&report).iter().map(seaworthy::report::causes::CauseGroup::id).collect();
        let of_rows = rows(&report).into_iter().filter(|row| !row["cause"].is_empty()).map(|mut row| row.remove("cause").unwrap());
        assert_eq!(of_rows.collect::<std::collections::BTreeSet<_>>(), groups);
    }
}

#[test]
fn no_cell_is_a_formula_and_every_row_a_line() {
    for report in hostile() {
        let text = text(&report);
        assert!(!text.chars().any(|letter| letter.is_control() && !"\r\n".contains(letter)));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let rows = read(&text);
        assert_eq!(rows.len(), text.lines().count());
        for cell in rows.iter().flatten() {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}
