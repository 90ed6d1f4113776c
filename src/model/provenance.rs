//! SLSA provenance, versions 0.2 and 1, in one form; and the levels of SLSA's build track.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::segments_match;

/// A level of SLSA's build track (slsa.dev/spec/v1.2/build-track-basics).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuildLevel {
    /// Nothing is shown.
    #[default]
    L0,
    /// Provenance shows how it was built.
    L1,
    /// A hosted build platform signed the provenance.
    L2,
    /// A hardened one did.
    L3,
}

impl BuildLevel {
    /// All of them, from the lowest.
    pub const ALL: [Self; 4] = [Self::L0, Self::L1, Self::L2, Self::L3];

    /// Its number, 0 to 3.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The level of a number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }
}

impl fmt::Display for BuildLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "L{}", self.number())
    }
}

impl Serialize for BuildLevel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for BuildLevel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::of(number).ok_or_else(|| serde::de::Error::custom(format!("{number} is no level of SLSA's build track (0 to 3)")))
    }
}

impl JsonSchema for BuildLevel {
    fn schema_name() -> Cow<'static, str> {
        "BuildLevel".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": 3, "description": "A level of SLSA's build track." })
    }
}

/// How an image says it was built. A claim: worth what its signer is trusted with.
///
/// Normalised as SLSA itself maps the versions (slsa.dev/spec/v1.0/provenance, "Migrating from 0.2").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The predicate type that it was written as.
    pub predicate_type: String,
    /// `builder.id`.
    pub builder: String,
    /// `buildType`.
    pub build_type: String,
    /// The source that it was built from, where the build type says which one.
    pub source: Option<Source>,
    /// Top-level external parameters: what the caller of the build could choose. Texts as they are, other values as JSON.
    pub external_parameters: BTreeMap<String, String>,
    /// Identifier of the run, as it is written.
    pub invocation: Option<String>,
    /// When the build began, as the builder says.
    pub started: Option<Timestamp>,
    /// When it ended, as the builder says.
    pub finished: Option<Timestamp>,
    /// Resolved dependencies or materials: how many.
    pub dependencies: u32,
}

/// Where the source lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The repository without scheme, reference and `.git`: `github.com/acme/app`. What is not of that form stays as it is written.
    pub repository: String,
    /// `refs/heads/main`, `refs/tags/v1`, or what is written there.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The entry point: path of the workflow, or what is written there.
    pub entry_point: Option<String>,
    /// Of a tag the branch that it was made on, as the event that started the build says (`refs/heads/main`).
    pub branch: Option<String>,
}

impl Source {
    /// From a URI as provenance writes it: `git+https://github.com/acme/app@refs/heads/main`, `https://github.com/acme/app.git`.
    #[must_use]
    pub fn of_uri(uri: &str) -> Self {
        let (repository, reference) = split(uri);
        Self { repository, reference, commit: None, entry_point: None, branch: None }
    }
}

/// Repository and reference of a source's URI. Look-alikes stay what they are: what has a user, a port, an escape or anything but plain
/// ASCII in it is not taken apart, and so is equal to itself alone.
fn split(uri: &str) -> (String, Option<String>) {
    let as_it_is = || (uri.to_owned(), None);
    let rest = uri.strip_prefix("git+").unwrap_or(uri);
    let rest = match rest.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("ssh", rest)) => rest.strip_prefix("git@").unwrap_or(rest),
        Some(_) => return as_it_is(),
        None => rest,
    };
    let Some((host, path)) = rest.split_once('/') else { return as_it_is() };
    // The reference is behind the path; BuildKit writes it as a fragment.
    let (path, reference) = match path.split_once(['@', '#']) {
        Some((path, reference)) => (path, Some(reference.to_owned()).filter(|reference| !reference.is_empty())),
        None => (path, None),
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let plain_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let plain_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b'+'))
    };
    if !plain_host || !path.split('/').all(plain_segment) {
        return as_it_is();
    }
    (format!("{}/{path}", host.to_ascii_lowercase()), reference)
}

/// A pattern over source repositories: `*` within a path segment, `**` across; without wildcards one repository alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePattern(String);

/// Why a text is no pattern over sources.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no source repository: write host/owner/repository, such as github.com/acme/app or github.com/acme/*")]
pub struct SourcePatternError(String);

impl SourcePattern {
    /// Whether a source's repository is meant.
    #[must_use]
    pub fn matches(&self, source: &Source) -> bool {
        let (pattern, repository): (Vec<&str>, Vec<&str>) = (self.0.split('/').collect(), source.repository.split('/').collect());
        segments_match(&pattern, &repository)
    }
}

impl std::str::FromStr for SourcePattern {
    type Err = SourcePatternError;

    fn from_str(text: &str) -> Result<Self, SourcePatternError> {
        // As it may be copied from provenance or from a browser; a reference says nothing here.
        let stars_aside = text.replace('*', "x");
        let (plain, reference) = split(&stars_aside);
        let is_plain =
            plain != stars_aside || stars_aside.split_once('/').is_some_and(|(host, _)| host.contains('.') || host.contains('x'));
        if reference.is_some() || !is_plain || plain.contains(':') || plain.contains(char::is_whitespace) || !plain.contains('/') {
            return Err(SourcePatternError(text.to_owned()));
        }
        let rest = text.strip_prefix("git+").unwrap_or(text);
        let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest.strip_prefix("git@").unwrap_or(rest)).trim_end_matches('/');
        let rest = rest.strip_suffix(".git").unwrap_or(rest);
        let (host, path) = rest.split_once('/').ok_or_else(|| SourcePatternError(text.to_owned()))?;
        Ok(Self(format!("{}/{path}", host.to_ascii_lowercase())))
    }
}

impl fmt::Display for SourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl Serialize for SourcePattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SourcePattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for SourcePattern {
    fn schema_name() -> Cow<'static, str> {
        "SourcePattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "minLength": 3,
            "description": "matched on the source repository, host/owner/repository: * within a path segment, ** across"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(uri: &str) -> String {
        Source::of_uri(uri).repository
    }

    #[test]
    fn a_repository_is_one_however_its_uri_is_written() {
        for uri in [
            "git+https://github.com/acme/app@refs/heads/main",
            "https://github.com/acme/app",
            "https://github.com/acme/app.git",
            "https://GitHub.com/acme/app/",
            "git+ssh://git@github.com/acme/app.git@refs/tags/v1",
            "github.com/acme/app",
            "https://github.com/acme/app.git#refs/heads/main",
        ] {
            assert_eq!(repository(uri), "github.com/acme/app", "{uri}");
        }
        let source = Source::of_uri("git+https://github.com/acme/app@refs/tags/v1.2.3");
        assert_eq!(source.reference.as_deref(), Some("refs/tags/v1.2.3"));
    }

    #[test]
    fn look_alikes_stay_what_they_are() {
        let pattern: SourcePattern = "github.com/slsa-framework/example-package".parse().unwrap();
        for uri in [
            "git+https://github.com/slsa-framework/example-packageA",
            "git+https://Agithub.com/slsa-framework/example-package",
            "git+https://github.com/Aslsa-framework/example-package",
            "git+https://github.com@evil.example/slsa-framework/example-package",
            "git+https://github.com:x@evil.example/slsa-framework/example-package",
            "git+https://github.com:8443/slsa-framework/example-package",
            "git+https://evil.example/github.com/slsa-framework/example-package",
            "git+https://github.com/slsa-framework/%65xample-package",
            "git+https://github.com/slsa-framework/../slsa-framework/example-package",
            "git+https://github.com/slsa-framework//example-package",
            "git+https://github.com\\.evil.example/slsa-framework/example-package",
            "git+https://github.com/slsa-framework/еxample-package",
            "http://github.com/slsa-framework/example-package",
            "git+https://github.com/slsa-framework/example-package/more",
            "git+https://github.com/slsa-framework",
            "",
        ] {
            assert!(!pattern.matches(&Source::of_uri(uri)), "{uri}");
        }
        assert!(pattern.matches(&Source::of_uri("git+https://github.com/slsa-framework/example-package@refs/heads/main")));
    }

    #[test]
    fn patterns_respect_boundaries() {
        let matches = |pattern: &str, uri: &str| pattern.parse::<SourcePattern>().unwrap().matches(&Source::of_uri(uri));
        assert!(matches("github.com/acme/*", "https://github.com/acme/app"));
        assert!(!matches("github.com/acme/*", "https://github.com/acme-evil/app"));
        assert!(matches("gitlab.com/acme/**", "https://gitlab.com/acme/team/app"));
        assert!(matches("https://github.com/acme/app.git", "git+https://github.com/acme/app"));
        for bad in [
            "",
            "app",
            "acme/app",
            "github.com",
            "https://github.com/acme/app@refs/heads/main",
            "http://github.com/acme/app",
            "github.com:443/acme/app",
            "a b/c",
        ] {
            assert!(bad.parse::<SourcePattern>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn levels_are_ordered_and_numbered() {
        assert!(BuildLevel::L3 > BuildLevel::L2 && BuildLevel::L1 > BuildLevel::L0);
        assert_eq!((BuildLevel::of(2), BuildLevel::of(4)), (Some(BuildLevel::L2), None));
        assert_eq!(BuildLevel::L3.to_string(), "L3");
    }
}
