//! Comparing texts as a policy writes it.

use std::fmt;

use regex::Regex;

use crate::documents::{TextMatch, anchored};

/// A comparison, made ready.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    Exact(String),
    /// Anchored at both ends.
    Regexp(String, Regex),
    /// It was refused when the policy was read; nothing matches.
    Nothing(String),
}

impl Matcher {
    pub(super) fn of(matched: &TextMatch) -> Self {
        match matched {
            TextMatch::Exact(text) => Self::Exact(text.clone()),
            TextMatch::Regexp(text) => Self::regexp(text),
        }
    }

    pub(super) fn regexp(text: &str) -> Self {
        anchored(text).map_or_else(|_| Self::Nothing(text.to_owned()), |regex| Self::Regexp(text.to_owned(), regex))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Regexp(_, regex) => regex.is_match(text),
            Self::Nothing(_) => false,
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => formatter.write_str(text),
            Self::Regexp(text, _) | Self::Nothing(text) => write!(formatter, "/{text}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_expression_matches_all_of_the_text() {
        let matcher = Matcher::regexp(r"https://github\.com/acme/.*|https://acme\.test");
        assert!(matcher.matches("https://github.com/acme/app"));
        for other in
            ["https://evil.test/?https://github.com/acme/app", "https://acme.test.evil", "x\nhttps://acme.test", "https://acme.test\n"]
        {
            assert!(!matcher.matches(other), "{other:?}");
        }
    }

    #[test]
    fn what_closes_the_anchor_is_refused() {
        assert!(!Matcher::regexp(")|(").matches("anything"));
    }
}
