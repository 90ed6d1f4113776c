//! What is expected of an image's provenance: source, builder, build type and external parameters.

use std::collections::BTreeMap;

use super::Lack;
use crate::model::{Provenance, Reason, Source, SourcePattern};

/// What is expected of an image's provenance. Nothing where a list is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectations<'a> {
    /// One of these sources.
    pub sources: &'a [SourcePattern],
    /// Each of these: its branch, and its tag.
    pub references: &'a [ExpectedReference],
    /// By one of these builders: their names in the documents, or identifiers. A workflow of GitHub without `@ref` is one at any ref that is
    /// trusted; `@v1.2.3` stands for `@refs/tags/v1.2.3`.
    pub builders: &'a [String],
    /// One of these build types.
    pub build_types: &'a [String],
    /// Exactly these external parameters: one that is not named is refused. The source is one too, so `sources` has to say whose.
    pub external_parameters: Option<&'a BTreeMap<String, String>>,
}

/// A branch or tag, as slsa-verifier's users name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedReference {
    /// `main`.
    Branch(String),
    /// `v1.2.3`.
    Tag(String),
    /// `v1.2` stands for `v1.2.7` too, and never for `v1.20`.
    VersionedTag(String),
}

impl Expectations<'_> {
    /// The first expectation that provenance does not meet, whoever built it.
    pub(super) fn contradiction(&self, provenance: &Provenance) -> Option<Lack> {
        self.source(provenance).or_else(|| self.build_type(provenance)).or_else(|| self.parameters(provenance))
    }

    /// Whether this builder is expected: by its identifier, or, where it is a trusted one, by its name in the documents.
    pub(super) fn expects(&self, provenance: &Provenance, name: Option<&str>) -> bool {
        self.builders.is_empty() || self.builders.iter().any(|wanted| is_builder(wanted, &provenance.builder) || name == Some(wanted))
    }

    /// That it is by another builder than is expected.
    pub(super) fn other_builder(&self, provenance: &Provenance) -> Lack {
        (Reason::BuilderUntrusted, format!("built by {}; wanted is {}", provenance.builder, self.builders.join(" or ")))
    }

    fn source(&self, provenance: &Provenance) -> Option<Lack> {
        if self.sources.is_empty() && self.references.is_empty() {
            return None;
        }
        let Some(source) = &provenance.source else {
            return Some((Reason::SourceMismatch, "the provenance does not say from which source it was built".to_owned()));
        };
        if !self.sources.is_empty() && !self.sources.iter().any(|pattern| pattern.matches(source)) {
            let wanted: Vec<_> = self.sources.iter().map(ToString::to_string).collect();
            let detail = format!("built from {}; wanted is {}", source.repository, wanted.join(" or "));
            return Some((Reason::SourceMismatch, detail));
        }
        let other = self.references.iter().find(|expected| !expected.matches(source))?;
        let built = source.reference.as_deref().unwrap_or("no branch or tag");
        let on = source.branch.as_deref().map(|branch| format!(" (on {branch})")).unwrap_or_default();
        Some((Reason::SourceMismatch, format!("built from {built}{on} of {}; wanted is {}", source.repository, other.told())))
    }

    fn build_type(&self, provenance: &Provenance) -> Option<Lack> {
        (!self.build_types.is_empty() && !self.build_types.contains(&provenance.build_type)).then(|| {
            let detail = format!("its build type is {}; wanted is {}", provenance.build_type, self.build_types.join(" or "));
            (Reason::PredicateMismatch, detail)
        })
    }

    fn parameters(&self, provenance: &Provenance) -> Option<Lack> {
        let expected = self.external_parameters?;
        let mismatch = |detail: String| Some((Reason::PredicateMismatch, detail));
        if let Some(source) = provenance.source.as_ref().filter(|_| self.sources.is_empty()) {
            return mismatch(format!(
                "built from {}, and no source is expected: parameters alone do not say whose build it is",
                source.repository
            ));
        }
        for (name, value) in expected {
            match provenance.external_parameters.get(name) {
                Some(written) if written == value => {}
                Some(written) => return mismatch(format!("external parameter {name} is {written}; wanted is {value}")),
                None => return mismatch(format!("external parameter {name} is not there; wanted is {value}")),
            }
        }
        let unknown = provenance.external_parameters.keys().find(|name| !expected.contains_key(*name))?;
        mismatch(format!("external parameter {unknown} is set, and nothing is said about it"))
    }
}

impl ExpectedReference {
    fn matches(&self, source: &Source) -> bool {
        let reference = source.reference.as_deref().unwrap_or_default();
        match self {
            // Of a tag the branch that it was made on.
            Self::Branch(name) => {
                let branch = source.branch.as_deref().filter(|_| reference.starts_with("refs/tags/")).unwrap_or(reference);
                branch.strip_prefix("refs/heads/") == Some(name)
            }
            Self::Tag(name) => reference.strip_prefix("refs/tags/") == Some(name),
            Self::VersionedTag(name) => reference.strip_prefix("refs/tags/").is_some_and(|tag| {
                let (Some(wanted), Some(version)) = (name.strip_prefix('v'), tag.strip_prefix('v')) else { return false };
                // Behind the plus is build metadata, which says nothing of the version.
                let version = version.split('+').next().unwrap_or_default();
                let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
                let longer = || version.strip_prefix(wanted).and_then(|rest| rest.strip_prefix('.'));
                version == wanted || longer().is_some_and(|rest| rest.split('.').all(is_number))
            }),
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Branch(name) => format!("branch {name}"),
            Self::Tag(name) => format!("tag {name}"),
            Self::VersionedTag(name) => format!("a version {name}"),
        }
    }
}

/// Whether a builder is the one that is wanted.
fn is_builder(wanted: &str, builder: &str) -> bool {
    let Some((workflow, reference)) = builder.split_once('@').filter(|_| wanted.starts_with("https://github.com/")) else {
        return wanted == builder;
    };
    match wanted.split_once('@') {
        None => wanted == workflow,
        Some((name, short)) => name == workflow && (short == reference || reference.strip_prefix("refs/tags/") == Some(short)),
    }
}
