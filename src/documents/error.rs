//! Errors in documents: where, what, and what was meant.

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{detail}", place(file, *line, *column))]
pub struct DocumentError {
    /// The file, as it was given.
    pub file: String,
    /// Line from 1; 0 where it is not known.
    pub line: u64,
    /// Column from 1; 0 where it is not known.
    pub column: u64,
    /// What is wrong, and what to do.
    pub detail: String,
}

fn place(file: &str, line: u64, column: u64) -> String {
    match (line, column) {
        (0, _) => format!("{file}: "),
        (line, 0) => format!("{file}:{line}: "),
        (line, column) => format!("{file}:{line}:{column}: "),
    }
}

/// The name that is most like the one that was written, if any is like it at all.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(&written.to_lowercase(), &name.to_lowercase());
    let best = known.into_iter().map(|name| (likeness(name), name)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness > 0.7).map(|(_, name)| name)
}

/// `; did you mean NAME?`, or nothing where no name is like it.
pub(super) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// Adds "did you mean" to the messages of the parser that name what they expected, and says its tersest one in the user's words.
pub(super) fn explain(message: &str) -> String {
    if message.starts_with("expected end of mapping after enum variant") {
        return "one key is wanted here, and there are two; each needs an item of its own (rules: under `all` or `any`)".to_owned();
    }
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        return format!("key `{}` is written twice", key.split(", set ").next().unwrap_or(key));
    }
    if message.starts_with("cannot deserialize null into string") {
        return "a text is wanted here, and there is none; if null is meant as a text, put it in quotes".to_owned();
    }
    if message.starts_with("budget breached") {
        return "larger or deeper than any document has reason to be (aliases count as often as they are used)".to_owned();
    }
    let written = message.split('`').nth(1);
    let expected = message.split_once("expected one of ").map(|(_, names)| names.split(", ").map(|name| name.trim_matches('`')));
    match (written, expected) {
        (Some(written), Some(expected)) => match nearest(written, expected) {
            Some(meant) => format!("{message} (did you mean `{meant}`?)"),
            None => message.to_owned(),
        },
        _ => message.to_owned(),
    }
}
