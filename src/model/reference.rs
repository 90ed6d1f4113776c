//! Image references by the grammar of the distribution project, with Docker Hub's short forms.
//!
//! Source of the rules: the `reference` package of CNCF distribution (`reference.go`, `normalize.go`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest::{Digest, DigestError};

/// Longest repository name, host included (distribution's `NameTotalLengthMax`).
const LONGEST_NAME: usize = 255;
/// Longest tag.
const LONGEST_TAG: usize = 128;
/// The name under which Docker Hub is always shown and matched.
const DOCKER_HUB: &str = "docker.io";

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum ReferenceError {
    /// Nothing there.
    #[error("image reference is empty")]
    Empty,
    /// Sixty-four hexadecimal digits: an image ID, not a name.
    #[error("64 hexadecimal digits are an image ID, not a name")]
    Identifier,
    /// The registry host breaks the grammar.
    #[error("registry host is not valid")]
    Registry,
    /// A part of the repository breaks the grammar.
    #[error("repository name is not valid (lower-case letters, digits, and single separators . _ __ - between them)")]
    Repository,
    /// Host and repository are longer than 255 characters.
    #[error("repository name is longer than 255 characters")]
    TooLong,
    /// The tag breaks the grammar.
    #[error("tag is not valid (up to 128 letters, digits, _ . -; not starting with . or -)")]
    Tag,
    /// The digest breaks the grammar.
    #[error("digest is not valid (sha256: and 64, or sha512: and 128, lower-case hexadecimal digits)")]
    Digest,
}

impl From<DigestError> for ReferenceError {
    fn from(_: DigestError) -> Self {
        Self::Digest
    }
}

/// A repository at a registry, normalised: host in lower case, Docker Hub as `docker.io` with `library/` in front of short
/// names, the default port 443 left out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Arc<str>,
    path: Arc<str>,
}

impl Repository {
    /// Builds a repository from a registry host (with optional port) and a path.
    ///
    /// # Errors
    /// When either breaks the grammar.
    pub fn new(registry: &str, path: &str) -> Result<Self, ReferenceError> {
        if registry.is_empty() || !is_host(registry) {
            return Err(ReferenceError::Registry);
        }
        let registry = normalise_host(registry);
        let path = if registry == DOCKER_HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        if !path.split('/').all(is_path_component) {
            return Err(ReferenceError::Repository);
        }
        if registry.len() + 1 + path.len() > LONGEST_NAME {
            return Err(ReferenceError::TooLong);
        }
        Ok(Self { registry: registry.into(), path: path.into() })
    }

    /// The registry as it is named, `host` or `host:port`; not always the host that is contacted (Docker Hub).
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The same repository at the default port; none where it has no other.
    #[must_use]
    pub fn without_port(&self) -> Option<Self> {
        let (host, port) = self.registry.rsplit_once(':')?;
        if port.ends_with(']') { None } else { Self::new(host, &self.path).ok() }
    }

    /// The path inside the registry.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    /// Reads a name without tag and digest.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let reference: ImageReference = text.parse()?;
        if reference.tag.is_some() {
            return Err(ReferenceError::Tag);
        }
        if reference.digest.is_some() {
            return Err(ReferenceError::Digest);
        }
        Ok(reference.repository)
    }
}

/// A parsed image reference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    repository: Repository,
    tag: Option<Arc<str>>,
    digest: Option<Digest>,
}

impl ImageReference {
    /// A reference to one manifest by its digest.
    #[must_use]
    pub fn pinned(repository: Repository, digest: Digest) -> Self {
        Self { repository, tag: None, digest: Some(digest) }
    }

    /// Its repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag as it is written; beside a digest it says nothing about what is pulled.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest as it is written.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The tag that a runtime pulls by: none where a digest is given, `latest` where neither is.
    #[must_use]
    pub fn pulled_tag(&self) -> Option<&str> {
        match (&self.digest, &self.tag) {
            (Some(_), _) => None,
            (None, Some(tag)) => Some(tag),
            (None, None) => Some("latest"),
        }
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.repository, formatter)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for ImageReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ReferenceError::Identifier);
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        let (registry, rest) = split_registry(rest);
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, Some(tag)),
            Some(_) => return Err(ReferenceError::Tag),
            None => (rest, None),
        };
        Ok(Self { repository: Repository::new(registry, path)?, tag: tag.map(Into::into), digest })
    }
}

/// Whether the first part is a host is decided as Docker does: it has a dot, a colon or an upper-case letter, or is `localhost`.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            (first, rest)
        }
        _ => (DOCKER_HUB, name),
    }
}

pub(super) fn normalise_host(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    let bare = lower.strip_suffix(":443").unwrap_or(&lower);
    match bare {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB.to_owned(),
        _ => bare.to_owned(),
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return is_ipv6(address),
        Some((address, port)) if is_ipv6(address) => ("ip", port.strip_prefix(':')),
        Some(_) => return false,
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => return text.split('.').all(is_domain_component),
        },
    };
    name.split('.').all(is_domain_component)
        && port.is_some_and(|port| port.parse::<u16>().is_ok() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

fn is_domain_component(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `[a-z0-9]+` with single separators between: one `.`, one or two `_`, or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !bytes.first().is_some_and(is_word) || !bytes.last().is_some_and(is_word) {
        return false;
    }
    bytes.split(is_word).all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_TAG
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

macro_rules! text_form {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}

text_form!(Repository);
text_form!(ImageReference);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<ImageReference>().map_or_else(|error| format!("{error:?}"), |reference| reference.to_string())
    }

    #[test]
    fn short_forms_are_docker_hubs() {
        assert_eq!(shown("nginx"), "docker.io/library/nginx");
        assert_eq!(shown("nginx:1.27"), "docker.io/library/nginx:1.27");
        assert_eq!(shown("acme/app"), "docker.io/acme/app");
        assert_eq!(shown("docker.io/nginx"), "docker.io/library/nginx");
        assert_eq!(shown("index.docker.io/acme/app"), "docker.io/acme/app");
        assert_eq!(shown("registry-1.docker.io/library/nginx"), "docker.io/library/nginx");
        assert_eq!(shown("docker.io:443/library/nginx"), "docker.io/library/nginx");
    }

    #[test]
    fn hosts_are_recognised_and_normalised() {
        assert_eq!(shown("GHCR.io/acme/app"), "ghcr.io/acme/app");
        assert_eq!(shown("ghcr.io:443/acme/app"), "ghcr.io/acme/app");
        assert_eq!(shown("localhost/app"), "localhost/app");
        assert_eq!(shown("localhost:5000/app:x"), "localhost:5000/app:x");
        assert_eq!(shown("[::1]:5000/app"), "[::1]:5000/app");
        assert_eq!(shown("[fe80::1]/app"), "[fe80::1]/app");
        assert_eq!(shown("Acme/app"), "acme/app");
        assert_eq!(shown("gcr.io.evil.com/app"), "gcr.io.evil.com/app");
    }

    #[test]
    fn tag_and_digest_are_kept_apart() {
        let hex = "a".repeat(64);
        let reference: ImageReference = format!("ghcr.io/acme/app:v1@sha256:{hex}").parse().unwrap();
        assert_eq!((reference.tag(), reference.pulled_tag()), (Some("v1"), None));
        assert_eq!(reference.digest().unwrap().hex(), hex);
        assert_eq!("app".parse::<ImageReference>().unwrap().pulled_tag(), Some("latest"));
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        let long = format!("ghcr.io/{}", "a".repeat(250));
        for (text, error) in [
            ("", ReferenceError::Empty),
            (&"a".repeat(64), ReferenceError::Identifier),
            ("ghcr.io/Acme/app", ReferenceError::Repository),
            ("ghcr.io//app", ReferenceError::Repository),
            ("ghcr.io/app/", ReferenceError::Repository),
            ("ghcr.io/a..b", ReferenceError::Repository),
            ("ghcr.io/a___b", ReferenceError::Repository),
            ("ghcr.io/-a", ReferenceError::Repository),
            ("ghcr.io/аpp", ReferenceError::Repository),
            ("ghcr.io", ReferenceError::Repository).clone(),
            ("ghcr.io/a:", ReferenceError::Tag),
            ("ghcr.io/a:.x", ReferenceError::Tag),
            ("ghcr.io/a:b:c", ReferenceError::Tag),
            ("ghcr.io/a@sha256:abc", ReferenceError::Digest),
            ("ghcr.io./a", ReferenceError::Registry),
            ("-ghcr.io/a", ReferenceError::Registry),
            ("ghcr.io:/a", ReferenceError::Registry),
            ("ghcr.io:+80/a", ReferenceError::Registry),
            ("ghcr.io:99999/a", ReferenceError::Registry),
            ("https://ghcr.io/a", ReferenceError::Registry),
            (" nginx", ReferenceError::Repository),
            ("nginx ", ReferenceError::Repository),
            (&long, ReferenceError::TooLong),
        ] {
            let expected = if text == "ghcr.io" { "docker.io/library/ghcr.io".to_owned() } else { format!("{error:?}") };
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_reference_reads_back_as_itself(text in "([a-z]{1,5}\\.io(:[0-9]{1,4})?/)?[a-z0-9]{1,4}([._-][a-z0-9]{1,3}){0,2}(/[a-z0-9]{1,4}){0,2}(:[\\w.-]{1,8})?") {
            if let Ok(reference) = text.parse::<ImageReference>() {
                proptest::prop_assert_eq!(reference.to_string().parse::<ImageReference>().unwrap(), reference);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,300}") {
            let _ = text.parse::<ImageReference>();
        }
    }
}
