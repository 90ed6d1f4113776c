//! What a file may not do.

use std::collections::BTreeSet;

use super::paths::{self, Named};
use super::table::{Kind, Table};

const LONGEST: usize = 600;
const DRAWING: &str = "docs/design/architecture.md";

/// A path that a pure room may not name: a crate, a module or an item, with all that is below it.
const IMPURE: &[&str] = &[
    "tokio",
    "kube",
    "kube_runtime",
    "reqwest",
    "hyper",
    "hyper_util",
    "indicatif",
    "tempfile",
    "rand",
    "getrandom",
    "aws_lc_rs::rand",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::os",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
    "std::time::*",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::*",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    "jiff::tz::TimeZone::try_system",
];

/// Values, not connections.
const ADDRESSES: &[&str] = &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError"];

const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// A file of `src/`.
pub struct Source {
    /// Its name from `src/`.
    name: String,
    /// Its module, from the crate's root.
    module: Vec<String>,
    lines: usize,
    paths: paths::Paths,
}

impl Source {
    pub fn parse(name: &str, text: &str) -> Self {
        let stem = name.strip_suffix(".rs").unwrap();
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        let module: Vec<String> = match stem {
            "lib" | "main" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{name}: {error}"));
        let paths = paths::collect(&module, &file);
        Self { name: name.to_owned(), module, lines: text.lines().count(), paths }
    }

    fn room(&self) -> &str {
        self.module.first().map_or_else(|| self.name.trim_end_matches(".rs"), String::as_str)
    }
}

/// Everything in these files that the table does not allow, in their order.
pub fn inspect(house: &[Source], table: &Table) -> Vec<String> {
    let for_tests: BTreeSet<&[String]> = house.iter().flat_map(|source| &source.paths.test_modules).map(Vec::as_slice).collect();
    let mut violations = Vec::new();
    for source in house {
        let file = format!("src/{}", source.name);
        if source.lines > LONGEST {
            violations.push(format!("{file}: {} lines, {LONGEST} are the end of a file", source.lines));
        }
        let room = source.room();
        if !source.module.is_empty() && table.room(room).is_none() {
            violations.push(format!("{file}:1: {room} is not a room of {DRAWING}"));
            continue;
        }
        let only_for_tests = (1..=source.module.len()).any(|depth| for_tests.contains(&source.module[..depth]));
        let mut seen = BTreeSet::new();
        for named in &source.paths.named {
            let used = Used { room, named, in_test: only_for_tests || named.in_test };
            if let Some(complaint) = used.complaint(table)
                && seen.insert((named.line, complaint.clone()))
            {
                violations.push(format!("{file}:{}: {complaint}", named.line));
            }
        }
    }
    violations
}

struct Used<'a> {
    room: &'a str,
    named: &'a Named,
    in_test: bool,
}

impl Used<'_> {
    fn complaint(&self, table: &Table) -> Option<String> {
        self.edge(table).or_else(|| self.impurity(table)).or_else(|| self.manners())
    }

    fn path(&self) -> String {
        self.named.segments.join("::")
    }

    fn edge(&self, table: &Table) -> Option<String> {
        let segments = &self.named.segments;
        if segments.first().is_none_or(|first| first != "crate") {
            return None;
        }
        let (room, path) = (self.room, self.path());
        let Some(target) = segments.get(1).filter(|target| *target != "*") else {
            return Some(format!("{room} may not take the whole crate ({path})"));
        };
        if target == room {
            return None;
        }
        if table.room(target).is_none() {
            return Some(format!("{target} is not a room of {DRAWING} ({path})"));
        }
        let allowed = match room {
            "lib" => false,
            "main" => target == "cli",
            room => table.room(room).is_some_and(|room| room.may_import.contains(target)),
        };
        (!allowed).then(|| format!("{room} may not import {target} ({path})"))
    }

    fn impurity(&self, table: &Table) -> Option<String> {
        let kind = table.room(self.room).map_or(Kind::Io, |room| room.kind);
        let segments = &self.named.segments;
        if kind == Kind::Io || self.in_test || self.named.is_macro {
            return None;
        }
        let address = matches!(&segments[..], [std, net, item, ..] if std == "std" && net == "net" && ADDRESSES.contains(&item.as_str()));
        let forbidden = |impure: &&str| {
            let wanted: Vec<&str> = impure.split("::").collect();
            segments.len() >= wanted.len() && segments.iter().zip(&wanted).all(|(have, want)| have == want)
        };
        let word = if kind == Kind::Pure { "pure" } else { "a writer" };
        (!address && IMPURE.iter().any(forbidden)).then(|| format!("{} is {word} and may not use {}", self.room, self.path()))
    }

    fn manners(&self) -> Option<String> {
        if matches!(self.room, "cli" | "main") {
            return None;
        }
        let segments = &self.named.segments;
        let last = segments.last().map(String::as_str).unwrap_or_default();
        if self.named.is_macro && PRINTING.contains(&last) && !self.in_test {
            return Some(format!("only cli prints ({last}!)"));
        }
        (segments[0] == "anyhow").then(|| format!("only cli gives up the types of errors ({})", self.path()))
    }
}
