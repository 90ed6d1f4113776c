//! Patterns over repositories: `*` within a path segment, `**` across segments; a pattern without `/` is a host.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{Repository, normalise_host};

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there.
    #[error("pattern is empty")]
    Empty,
    /// A tag, a digest, a scheme or white space: patterns are matched against `host/repository` alone.
    #[error("a pattern is matched against host/repository and has no scheme, tag, digest or white space")]
    NotARepository,
}

/// A pattern over the normalised `host/repository`.
///
/// The host part is normalised as in [`Repository`], so `index.docker.io/acme/*` and `docker.io/acme/*` are one pattern, and
/// nothing matches across a boundary: `gcr.io` does not match `gcr.io.evil.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    source: String,
    host: String,
    path: String,
}

impl Pattern {
    /// Whether the repository matches.
    #[must_use]
    pub fn matches(&self, repository: &Repository) -> bool {
        if self.path == "**" {
            return segment_matches(self.host.as_bytes(), repository.registry().as_bytes());
        }
        if self.host == "**" {
            // A leading `**` may swallow the host and any part of the path.
            return path_matches(&["**"], &self.path, repository);
        }
        segment_matches(self.host.as_bytes(), repository.registry().as_bytes())
            && segments_match(&self.path.split('/').collect::<Vec<_>>(), &repository.path().split('/').collect::<Vec<_>>())
    }

    /// Whether the repository matches, or would without its port where the pattern names none: for what is forbidden, of which no
    /// port is a way around it. What is allowed is allowed by [`Self::matches`]: another port is another server.
    #[must_use]
    pub fn matches_on_any_port(&self, repository: &Repository) -> bool {
        self.matches(repository) || (!has_port(&self.host) && repository.without_port().is_some_and(|bare| self.matches(&bare)))
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        self.path == "**" && self.host.bytes().all(|byte| byte == b'*')
    }

    /// How specific it is: first the length of its literal beginning, then fewer wildcards. Greater is more specific.
    #[must_use]
    pub fn specificity(&self) -> (usize, std::cmp::Reverse<usize>) {
        let whole = format!("{}/{}", self.host, self.path);
        let literal = whole.find('*').unwrap_or(whole.len());
        (literal, std::cmp::Reverse(whole.matches('*').count()))
    }
}

/// Whether a host ends in a port; the colons of an address in brackets are none.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

fn path_matches(front: &[&str], path: &str, repository: &Repository) -> bool {
    let pattern: Vec<&str> = front.iter().copied().chain(path.split('/')).collect();
    let whole: Vec<&str> = std::iter::once(repository.registry()).chain(repository.path().split('/')).collect();
    segments_match(&pattern, &whole)
}

/// `**` as a whole segment stands for any number of segments, none included; at the end for at least one.
pub(super) fn segments_match(pattern: &[&str], segments: &[&str]) -> bool {
    match pattern.split_first() {
        None => segments.is_empty(),
        Some((&"**", [])) => !segments.is_empty(),
        Some((&"**", rest)) => (0..=segments.len()).any(|skip| segments_match(rest, &segments[skip..])),
        Some((first, rest)) => segments
            .split_first()
            .is_some_and(|(segment, others)| segment_matches(first.as_bytes(), segment.as_bytes()) && segments_match(rest, others)),
    }
}

/// One segment against a pattern with `*`; linear in practice by remembering the last star alone.
fn segment_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, seen));
            at += 1;
        } else if pattern.get(at) == Some(&text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after, from)) = star {
            at = after;
            seen = from + 1;
            star = Some((after, seen));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let after_host = text.split_once('/').map_or("", |(_, path)| path);
        if text.contains(['@', ' ', '\t', '\n']) || text.contains("://") || text.contains("//") || after_host.contains(':') {
            return Err(PatternError::NotARepository);
        }
        let (host, path) = match text.split_once('/') {
            Some((host, path)) => (normalise_host(host), path),
            None => (normalise_host(text), "**"),
        };
        let path =
            if host == "docker.io" && !path.contains('/') && !path.starts_with('*') { format!("library/{path}") } else { path.to_owned() };
        if path.is_empty() || path.ends_with('/') {
            return Err(PatternError::NotARepository);
        }
        // Runs of `**` say nothing more than one, and cost time on hostile patterns.
        let mut segments: Vec<&str> = path.split('/').collect();
        segments.dedup_by(|next, previous| *next == "**" && *previous == "**");
        Ok(Self { source: text.to_owned(), host, path: segments.join("/") })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "minLength": 1,
            "description": "matched on host/repository: * within a path segment, ** across; without / a host"
        })
    }
}

/// A name in which `*` stands for any characters, none included. What else stands there is compared as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// Whether the name matches, the whole of it.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        segment_matches(self.0.as_bytes(), name.as_bytes())
    }

    /// Whether it leaves nothing out.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }
}

impl FromStr for Glob {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.trim().is_empty() { Err(PatternError::Empty) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Glob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Glob {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Glob".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "description": "a name; * stands for any characters" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, repository: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(&repository.parse().unwrap())
    }

    #[test]
    fn boundaries_are_respected() {
        assert!(matches("gcr.io", "gcr.io/project/app"));
        assert!(!matches("gcr.io", "gcr.io.evil.com/project/app"));
        assert!(!matches("ghcr.io/acme", "ghcr.io/acme/app"));
        assert!(!matches("ghcr.io/acme/**", "ghcr.io/acme-evil/app"));
        assert!(matches("ghcr.io/acme/**", "ghcr.io/acme/team/app"));
        assert!(!matches("ghcr.io/acme/**", "ghcr.io/acme"));
        assert!(matches("ghcr.io/acme/*", "ghcr.io/acme/app"));
        assert!(!matches("ghcr.io/acme/*", "ghcr.io/acme/team/app"));
        assert!(!matches("ghcr.io/acme/app", "evil.io/ghcr.io/acme/app"));
    }

    #[test]
    fn wildcards_stand_where_they_may() {
        assert!(matches("**", "ghcr.io/acme/app"));
        assert!(matches("*", "ghcr.io/acme/app"));
        assert!(matches("*.gcr.io", "eu.gcr.io/app"));
        assert!(!matches("*.gcr.io", "gcr.io/app"));
        assert!(matches("**/app", "ghcr.io/acme/app"));
        assert!(!matches("**/app", "ghcr.io/acme/other"));
        assert!(matches("ghcr.io/**/app", "ghcr.io/app"));
        assert!(matches("ghcr.io/**/app", "ghcr.io/a/b/app"));
        assert!(matches("ghcr.io/signed-*", "ghcr.io/signed-one"));
        assert!(matches("*/acme/*", "ghcr.io/acme/app"));
    }

    #[test]
    fn what_leaves_nothing_out_is_known() {
        for (pattern, everything) in [("**", true), ("*", true), ("**/**", true), ("*/app", false), ("ghcr.io", false), ("*/*", false)] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches_everything(), everything, "{pattern}");
        }
        let glob = |text: &str| text.parse::<Glob>().unwrap();
        assert!(glob("ledger-*").matches("ledger-api") && glob("ledger-*").matches("ledger-") && !glob("ledger-*").matches("ledger"));
        assert!(glob("*-api").matches("x-api") && !glob("*-api").matches("x-api-y") && !glob("api").matches("API"));
        assert!(glob("*").matches_everything() && !glob("a*").matches_everything());
        assert_eq!(" ".parse::<Glob>(), Err(PatternError::Empty));
    }

    #[test]
    fn docker_hub_has_one_name() {
        for pattern in ["docker.io", "index.docker.io", "docker.io/nginx", "docker.io/library/*", "DOCKER.io:443/**"] {
            assert!(matches(pattern, "nginx"), "{pattern}");
        }
        assert!(!matches("docker.io/library/*", "acme/app"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!("".parse::<Pattern>(), Err(PatternError::Empty));
        for bad in ["ghcr.io/a:tag", "ghcr.io/a@sha256:x", "https://ghcr.io", "a b", "ghcr.io//a", "ghcr.io/a/"] {
            assert_eq!(bad.parse::<Pattern>(), Err(PatternError::NotARepository), "{bad}");
        }
    }

    #[test]
    fn the_longer_literal_is_more_specific() {
        let order = ["ghcr.io/**", "ghcr.io/acme/**", "ghcr.io/acme/*", "ghcr.io/acme/app"]
            .map(|text| text.parse::<Pattern>().unwrap().specificity());
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    }
}
