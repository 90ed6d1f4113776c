//! Splits a text into documents and parses each by itself, so that one that is broken takes no other with it.

use crate::model::{SharedText, escape_control};

use super::Problem;
use super::located::{Cursor, Json, Located, Yaml};
use super::rendered::source_comment;

/// Longest message of a parser that is shown.
const LONGEST_MESSAGE: usize = 300;

/// Most parser events that aliases may bring in again: enough for shared blocks, too few for a document that grows by itself.
const MOST_REPLAYED: usize = 100_000;

/// One document of a text. Empty ones are left out and counted.
#[derive(Debug)]
pub(super) struct Document {
    /// Position in the text, from 0.
    pub(super) index: u32,
    /// Line of its beginning, from 1.
    pub(super) line: u64,
    /// What it was rendered from, where the renderer says so in a comment above it.
    pub(super) rendered_from: Option<SharedText>,
    pub(super) value: Result<Located, Problem>,
}

/// Every document of a text that is not empty.
pub(super) fn split(text: &str, file: &str) -> Vec<Document> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) {
        let documents = json(text);
        // YAML contains JSON's syntax, and more that begins the same way.
        let is_json = file.to_ascii_lowercase().ends_with(".json");
        if is_json || documents.iter().all(|document| document.value.is_ok()) {
            return documents;
        }
    }
    yaml(text)
}

fn json(text: &str) -> Vec<Document> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    let mut documents = Vec::new();
    let mut cursor = Cursor::new();
    for index in 0.. {
        let start = stream.byte_offset();
        let Some(value) = stream.next() else { break };
        let line = u64::from(cursor.advance(text, start));
        let is_broken = value.is_err();
        let value = value
            .map(|document| document.located(text, &mut cursor))
            .map_err(|error| Problem { line: Some(error.line() as u64), detail: shorten(&error.to_string()) });
        documents.push(Document { index, line, rendered_from: None, value });
        if is_broken {
            break;
        }
    }
    documents
}

/// `---` at the beginning of a line begins a document wherever it stands (YAML 1.2.2, section 9.1.2), also inside a block scalar.
fn yaml(text: &str) -> Vec<Document> {
    let mut parts: Vec<(u64, usize)> = vec![(1, 0)];
    let mut offset = 0;
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        if content.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            parts.push((line, offset));
        }
        offset += content.len();
    }
    let ends = parts.iter().skip(1).map(|(_, start)| *start).chain([text.len()]);
    let mut cursor = Cursor::new();
    (0_u32..)
        .zip(parts.iter().zip(ends))
        .map(|(index, ((line, start), end))| (index, *line, *start, text.get(*start..end).unwrap_or_default()))
        .filter(|(_, _, _, part)| !is_blank(part))
        .map(|(index, line, start, part)| Document {
            index,
            line: line + blank_lines(part),
            rendered_from: source_comment(part),
            value: parse(part, line).map(|document| document.located(text, start, &mut cursor)),
        })
        .collect()
}

/// Comments, markers and directives alone, as Helm leaves them behind a condition.
fn is_blank(part: &str) -> bool {
    part.lines().all(is_blank_line)
}

fn is_blank_line(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line).trim();
    line.is_empty() || line.starts_with('#') || line.starts_with('%') || line == "..."
}

fn blank_lines(part: &str) -> u64 {
    part.lines().take_while(|line| is_blank_line(line)).count() as u64
}

fn parse(part: &str, first_line: u64) -> Result<Yaml, Problem> {
    // `kubectl get -A -o yaml` is one document of a whole cluster; aliases stay within far less.
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: 10_000_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MOST_REPLAYED,
        },
    };
    serde_saphyr::from_str_with_options(part, options).map_err(|error| {
        let line = error.location().map(|location| first_line + location.line().saturating_sub(1));
        let mut detail = shorten(&error.to_string());
        if part.contains("{{") {
            detail.push_str("; it looks like a template that is not rendered: pipe `helm template` in instead");
        }
        Problem { line, detail }
    })
}

fn shorten(message: &str) -> String {
    let message: String = message.chars().take(LONGEST_MESSAGE).collect();
    escape_control(&message).into_owned()
}
