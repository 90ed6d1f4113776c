//! From text to the parser's tree, and from the parser's complaints to a person's words.

use cel::common::ast::{IdedExpr, SourceInfo};

use super::{DEEPEST, ExpressionFault};

/// How deep the parser goes: brackets around nothing count for it, not for us.
const BRACKETS: u16 = 40;

/// Reads the text. Macros stay the calls that they are written as.
pub(super) fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), ExpressionFault> {
    if text.trim().is_empty() {
        return Err(ExpressionFault::at(text, 0, "the expression is empty"));
    }
    let parser = cel::Env::default().with_optional_support(false).parser().max_recursion_depth(BRACKETS);
    parser.parse_with_source_info(text).map_err(|failure| {
        let first = failure.errors.into_iter().next();
        let (position, message) = first.map_or(((1, 1), String::new()), |error| (error.pos, error.msg));
        let from_one = |number: isize| u64::try_from(number).unwrap_or(1).max(1);
        ExpressionFault { line: from_one(position.0), column: from_one(position.1), message: explain(&message) }
    })
}

/// The parser's message in a person's words.
fn explain(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let quoted = |start: &str| Some(message.strip_prefix(start)?.strip_prefix('\'')?.split("' expecting").next()?.trim_end_matches('\''));
    if let Some(word) = message.strip_prefix("reserved identifier: ") {
        return format!("`{word}` is a reserved word; take another name");
    }
    if message == "unsupported syntax: '`'" {
        return "names in backticks are not read; write predicate[\"a-b\"]".to_owned();
    }
    if message.starts_with("unsupported syntax ") {
        return "optional values are not read; ask has(…) first".to_owned();
    }
    if message.contains("Recursion limit") {
        return format!("nested deeper than {DEEPEST}");
    }
    if let Some(input) = quoted("token recognition error at: ") {
        return match input.chars().next() {
            Some('"') => "this text does not end, or has an escape that is none (a backslash in a pattern: r\"\\d+\")".to_owned(),
            None | Some('\'') => "this text does not end, or has an escape that is none (a backslash in a pattern: r'\\d+')".to_owned(),
            Some('=') => "`=` is not an operator; write == to compare".to_owned(),
            Some('&') => "`&` is not an operator; write &&".to_owned(),
            Some('|') => "`|` is not an operator; write ||".to_owned(),
            Some(_) => format!("`{}` is not part of an expression", input.escape_debug()),
        };
    }
    let unexpected = ["extraneous input ", "no viable alternative at input ", "mismatched input "].into_iter().find_map(quoted);
    match unexpected {
        Some("<EOF>") => "the expression ends here, and something is missing".to_owned(),
        Some("and") => "`and` is not an operator; write &&".to_owned(),
        Some("or") => "`or` is not an operator; write ||".to_owned(),
        Some(input) => format!("`{}` is not expected here", input.escape_debug()),
        None if message.starts_with("invalid int") || message.starts_with("invalid uint") || message.starts_with("invalid double") => {
            "the number is too large".to_owned()
        }
        None if message.starts_with("missing ") => match message.split('\'').nth(1) {
            Some(token) => format!("`{token}` is missing here"),
            None => "something is missing here".to_owned(),
        },
        None => message.to_owned(),
    }
}
