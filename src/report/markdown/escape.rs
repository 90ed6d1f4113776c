//! Foreign text in GitHub's markdown, so that it stays text.
//!
//! Entities and backslashes do not help: mentions, references and bare addresses are looked for in what is left after them. They are not
//! looked for in code, so whatever is not a plain word becomes code.

use crate::report::terminal::shown;

/// Lines of a command that are shown.
const MOST_LINES: usize = 20;
/// Letters of a line of a command: one with a digest is never cut.
const LONGEST_LINE: usize = 1_024;
/// Digits that cannot be the beginning of a commit's name.
const FEW_DIGITS: usize = 6;
/// What may follow a word in a sentence.
const PUNCTUATION: [char; 7] = [',', ';', ':', '.', '!', '?', ')'];

/// A name as code. Nothing in it ends the code, and it has no `|`, which would end a cell of a table even in code.
pub(super) fn code(text: &str) -> String {
    let text = shown(text).replace('|', "\\u{7c}");
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.contains('`') || text.starts_with(' ') || text.ends_with(' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence: its plain words and what it marks as code itself as they are, everything else as code.
pub(super) fn prose(text: &str) -> String {
    let text = shown(text);
    let parts: Vec<&str> = text.split('`').collect();
    // Where backticks do not come in pairs, or nothing is between two of them, they mark nothing.
    let marks = parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|marked| !marked.trim().is_empty());
    if !marks {
        return words(&text, true);
    }
    let mut told = String::new();
    for (at, part) in parts.iter().enumerate() {
        let piece = if at % 2 == 1 { code(part) } else { words(part, at == 0) };
        let spaced = at > 0 && at % 2 == 0 && part.starts_with(' ');
        // Two pieces of code that touched would be one, or none.
        if spaced || (told.ends_with('`') && piece.starts_with('`')) {
            told.push(' ');
        }
        told.push_str(&piece);
        if at % 2 == 0 && part.ends_with(' ') && !piece.is_empty() {
            told.push(' ');
        }
    }
    told.trim().to_owned()
}

fn words(text: &str, first: bool) -> String {
    let mut told = String::new();
    let mut foreign: Vec<&str> = Vec::new();
    let flush = |foreign: &mut Vec<&str>, told: &mut String| {
        if !foreign.is_empty() {
            separate(told, &punctuated(&foreign.join(" ")));
            foreign.clear();
        }
    };
    for (at, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
        if is_plain(word, first && at == 0) {
            flush(&mut foreign, &mut told);
            separate(&mut told, word);
        } else {
            foreign.push(word);
        }
    }
    flush(&mut foreign, &mut told);
    told
}

/// Words as code, the punctuation of the sentence around them left out.
fn punctuated(words: &str) -> String {
    let core = words.trim_start_matches('(').trim_end_matches(PUNCTUATION);
    if core.is_empty() {
        return code(words);
    }
    let (open, rest) = words.split_at(words.len() - words.trim_start_matches('(').len());
    format!("{open}{}{}", code(core), &rest[core.len()..])
}

fn separate(told: &mut String, word: &str) {
    if !told.is_empty() {
        told.push(' ');
    }
    told.push_str(word);
}

/// Whether GitHub makes nothing of a word: letters, or few digits, with the punctuation of a sentence around them.
fn is_plain(word: &str, first: bool) -> bool {
    let core = word.strip_prefix('(').unwrap_or(word).trim_end_matches(PUNCTUATION);
    if matches!(core, "" | "%" | "·" | "–") {
        return true;
    }
    let number = |part: &str| (1..=FEW_DIGITS).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if core.split(['.', '–', '-']).all(number) {
        // At the beginning, `1.` is a list.
        return !(first && core.len() != word.len());
    }
    let letters = core.split(['-', '\'', '’']).all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic));
    // Seven of these are a commit's name to GitHub.
    letters && !(core.len() > FEW_DIGITS && core.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Commands as a block, so that they can be copied.
pub(super) fn block(commands: &[&str]) -> String {
    let lines: Vec<String> = commands.iter().flat_map(|command| command.lines()).take(MOST_LINES).map(line).collect();
    let text = lines.join("\n");
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    format!("{fence}sh\n{text}\n{fence}\n")
}

fn line(text: &str) -> String {
    let end = text.char_indices().nth(LONGEST_LINE).map_or(text.len(), |(end, _)| end);
    let cut = if end < text.len() { "…" } else { "" };
    format!("{}{cut}", crate::model::escape_control(&text[..end]))
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_and_the_rest_is_code() {
        for (text, told) in [
            ("image: ghcr.io/acme/x:1 is not signed", "image: `ghcr.io/acme/x:1` is not signed"),
            ("missed: compliance is 79.6 %, at least 80 % is required", "missed: compliance is 79.6 %, at least 80 % is required"),
            ("1. one", "`1`. one"),
            ("failing: C-0237, (C-0236); none", "failing: `C-0237, (C-0236`); none"),
            ("(403): don't, time-stamp", "(`403`): don't, time-stamp"),
            ("at (403): it", "at (403): it"),
            ("deadbeef effaced faced", "`deadbeef effaced` faced"),
            ("1234567 123456", "`1234567` 123456"),
            ("@octocat #1 GH-1 www.evil.test a@b.test", "`@octocat #1 GH-1 www.evil.test a@b.test`"),
            ("**b** _i_ <b> &amp; :tada: - * + > $x$ [a](b)", "`**b** _i_ <b> &amp; :tada: - * + > $x$ [a](b`)"),
            ("said 2026-06-15, 33–78 %", "said 2026-06-15, 33–78 %"),
            ("there (`seaworthy rbac print`), or `x`.", "there (`seaworthy rbac print`), or `x`."),
            ("`a`b:1 `c``", "``` `a`b:1 `c`` ```"),
            ("`a`b:1", "`a` `b:1`"),
            ("`a` `b`", "`a` `b`"),
            ("x`a`", "x`a`"),
            ("a `` b", "a ``` `` ``` b"),
            ("two\nlines", "`two\\u{a}lines`"),
            ("", ""),
        ] {
            assert_eq!(prose(text), told);
        }
    }

    #[test]
    fn nothing_ends_the_code() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code("a|b\\"), "`a\\u{7c}b\\`");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(block(&["a\n```\n# b"]), "````sh\na\n```\n# b\n````\n");
        assert_eq!(block(&["a\u{1b}[2J"]), "```sh\na\\u{1b}[2J\n```\n");
    }
}
