//! The house keeps to its drawing: `docs/design/architecture.md` says who may import whom, and this reads it.

mod paths;
mod rules;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rules::{Source, inspect};
use table::{Kind, Table};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Table {
    Table::read(&std::fs::read_to_string(root().join("docs/design/architecture.md")).unwrap())
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every file of `src/`, named from there.
fn house() -> Vec<Source> {
    let source = root().join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
        Source::parse(&name, &std::fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn every_file_keeps_to_the_drawing() {
    let house = house();
    assert!(house.len() > 15, "only {} files were found under src/", house.len());
    let violations = inspect(&house, &table());
    assert!(violations.is_empty(), "docs/design/architecture.md does not allow:\n{}", violations.join("\n"));
}

#[test]
fn the_drawing_says_what_cannot_be_bargained_about() {
    let table = table();
    for room in ["model", "documents", "verify", "policy", "controls", "score"] {
        assert_eq!(table.room(room).map(|room| room.kind), Some(Kind::Pure), "{room}");
    }
    assert_eq!(table.room("report").map(|room| room.kind), Some(Kind::Writer));
    assert!(table.room("model").is_some_and(|model| model.may_import.is_empty()));
    // One way, no way back: following the arrows from a room never leads to it again.
    for room in table.rooms() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = room.may_import.iter().map(String::as_str).collect();
        while let Some(name) = next.pop() {
            assert_ne!(name, room.name, "{} imports itself by way of others", room.name);
            if reached.insert(name.to_owned()) {
                next.extend(table.room(name).unwrap().may_import.iter().map(String::as_str));
            }
        }
    }
}

/// What a file of this name and text is accused of.
fn accused(name: &str, text: &str) -> Vec<String> {
    inspect(&[Source::parse(name, text)], &table())
}

#[test]
fn a_forbidden_edge_is_caught_however_it_is_written() {
    for text in [
        "use crate::scan::gather;",
        "use crate::{model::Digest, scan};",
        "use crate::{self, model};",
        "use crate::*;",
        "use super::super::scan::gather;",
        "mod inner { use super::super::super::scan::gather; }",
        "pub use crate::scan::Board as Plank;",
        "fn f() -> crate::scan::Board { loop {} }",
        "fn f(board: &dyn crate::scan::Source) {}",
        "fn f() { crate::scan::gather(); }",
        "fn f() { assert!(crate::scan::gather().is_some()); }",
        "macro_rules! m { () => { $crate::scan::gather() }; }",
        "use crate as house; fn f() { house::scan::gather(); }",
        "#[serde(with = \"crate::scan::text\")] struct S;",
        "#[cfg(test)] mod tests { use crate::scan::Board; }",
        "extern crate seaworthy; use seaworthy::scan::Board;",
    ] {
        assert!(!accused("score/mean.rs", text).is_empty(), "{text}");
    }
    assert_eq!(
        accused("score/mean.rs", "//!\n\nuse crate::scan::gather;"),
        ["src/score/mean.rs:3: score may not import scan (crate::scan::gather)"]
    );
}

#[test]
fn what_is_drawn_is_allowed() {
    for text in [
        "use crate::model::Digest;",
        "use super::interval; use self::inner::Thing; use super::super::score::other;",
        "use super::super::model::Digest;",
        "pub(crate) fn f() {} pub(in crate::score) fn g() {} pub(super) fn h() {}",
        "fn f() { let scan = 1; report::write(scan); }",
        "/// See [`crate::scan`].\nfn f() { g(\"crate::scan::x\"); }",
        "use std::net::{IpAddr, Ipv6Addr}; use std::collections::BTreeMap; use std::io::Write;",
        "fn f(now: jiff::Timestamp) -> std::time::Duration { std::time::Duration::ZERO }",
        "const VERSION: &str = env!(\"CARGO_PKG_VERSION\");",
    ] {
        assert_eq!(accused("score/mean.rs", text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_room_that_is_not_drawn_is_caught() {
    assert_eq!(accused("utils/mod.rs", ""), ["src/utils/mod.rs:1: utils is not a room of docs/design/architecture.md"]);
    assert_eq!(
        accused("cli/mod.rs", "use crate::utils::join;"),
        ["src/cli/mod.rs:1: utils is not a room of docs/design/architecture.md (crate::utils::join)"]
    );
    assert_eq!(accused("cli/mod.rs", "use crate::operator::run; use crate::model::Digest;"), Vec::<String>::new());
    // The library's root declares rooms and does nothing else; the binary knows the command line alone.
    assert_eq!(accused("lib.rs", "use crate::cli::run;").len(), 1);
    assert_eq!(accused("main.rs", "use seaworthy::scan::collect;").len(), 1);
    assert_eq!(accused("main.rs", "fn main() { seaworthy::cli::run(); }"), Vec::<String>::new());
}

#[test]
fn a_pure_room_touches_nothing() {
    for text in [
        "use tokio::sync::mpsc;",
        "fn f() { tokio::spawn(g()); }",
        "use kube::Client;",
        "use reqwest::Client;",
        "use std::fs;",
        "use std::{fs::File, io};",
        "use std::net::TcpStream;",
        "use std::net::*;",
        "use std::process::Command;",
        "fn f() { std::env::var(\"HOME\"); }",
        "use std::time::Instant;",
        "use std::time::{Duration, SystemTime};",
        "use std::time; fn f() { time::Instant::now(); }",
        "use std::time as t; fn f() { t::Instant::now(); }",
        "use std as s; fn f() { s::fs::read(\"x\"); }",
        "use jiff::Timestamp; fn f() { Timestamp::now(); }",
        "use jiff::Timestamp as Moment; fn f() { Some(1).map(|_| Moment::now()); }",
        "fn f() { <jiff::Timestamp>::now(); }",
        "fn f() { dbg(vec![jiff::Timestamp::now()]); }",
        "fn f() { ::jiff::Zoned::now(); }",
        "fn f() { std::thread::sleep(d); }",
        "use aws_lc_rs::rand::SystemRandom;",
        "fn f() { std::io::stdout(); }",
        "use std::io::{self}; fn f() { io::stderr(); }",
    ] {
        assert!(!accused("verify/seal.rs", text).is_empty(), "{text}");
        assert!(!accused("report/table.rs", text).is_empty(), "{text}");
        let elsewhere: Vec<_> = accused("registry/client.rs", text);
        assert!(elsewhere.is_empty(), "{text}: {elsewhere:?}");
    }
    assert_eq!(
        accused("model/a.rs", "use std::time::{\n    Duration,\n    Instant,\n};"),
        ["src/model/a.rs:3: model is pure and may not use std::time::Instant"]
    );
}

#[test]
fn tests_of_a_pure_room_may_read_files() {
    assert_eq!(accused("verify/seal.rs", "#[cfg(test)] mod tests { use std::fs; }"), Vec::<String>::new());
    assert_eq!(accused("verify/seal.rs", "#[test] fn f() { std::fs::read(\"x\"); }"), Vec::<String>::new());
    let apart = [Source::parse("verify/mod.rs", "#[cfg(test)] mod attacks;"), Source::parse("verify/attacks.rs", "use std::fs;")];
    assert_eq!(inspect(&apart, &table()), Vec::<String>::new());
    let used = [Source::parse("verify/mod.rs", "mod attacks;"), Source::parse("verify/attacks.rs", "use std::fs;")];
    assert_eq!(inspect(&used, &table()).len(), 1);
}

#[test]
fn only_the_command_line_prints_and_gives_up_types_of_errors() {
    for text in
        ["fn f() { println!(\"x\"); }", "fn f() { std::eprintln!(\"x\"); }", "fn f() { if true { print!(\"x\") } }", "use anyhow::Context;"]
    {
        assert_eq!(accused("scan/plan.rs", text).len(), 1, "{text}");
        assert_eq!(accused("cli/mod.rs", text), Vec::<String>::new(), "{text}");
        assert_eq!(accused("main.rs", text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_file_ends_at_600_lines() {
    assert_eq!(accused("scan/plan.rs", &"//\n".repeat(600)), Vec::<String>::new());
    assert_eq!(accused("scan/plan.rs", &"//\n".repeat(601)), ["src/scan/plan.rs: 601 lines, 600 are the end of a file"]);
}
