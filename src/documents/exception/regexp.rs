//! Regular expressions of exceptions, limited in size.

use regex::{Regex, RegexBuilder};

/// Largest program that an expression may become, in bytes.
const LARGEST: usize = 1 << 20;
/// Longest expression, in bytes.
const LONGEST: usize = 4096;

/// A regular expression that all of a text has to match.
#[derive(Debug, Clone)]
pub struct WholeText(Regex);

impl WholeText {
    /// Reads an expression; `any_case` where letters match whatever their case.
    ///
    /// Both ends are anchored around the whole of it. Kubescape writes `^` before and `$` behind, so that of `a|b` each anchors one half
    /// alone: what is meant is matched here, and no more than there.
    pub(super) fn read(text: &str, any_case: bool) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        let build = |text: &str| RegexBuilder::new(text).case_insensitive(any_case).size_limit(LARGEST).build();
        // By itself first: what is only valid between the anchors would reach out of them.
        let anchored = build(text).and_then(|_| build(&format!(r"\A(?:{text})\z")));
        anchored.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // Several lines with a drawing; the last one says it.
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        })
    }

    /// Whether the text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
