//! Manifests: files, directories and standard input, as they would be applied.
//!
//! A document that cannot be read is a gap with its file, document and line; the others are read all the same. Nothing in a
//! manifest runs: every image is judged by what its reference resolves to.

mod documents;
mod files;
mod located;
mod objects;
mod pin;
mod rendered;

use std::io::Read;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::model::{Cause, Gap, Inventory, Scope, SharedText};

use super::kinds::CustomKind;
use super::scope::{Filter, ScopeError};

use documents::Document;
use files::{Found, Text};
use objects::{Objects, Place};

pub use pin::{Pin, PinnedText, pin};

/// Most documents of one reading.
const MOST_DOCUMENTS: usize = 100_000;

/// Where manifests are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestSource {
    /// A file (any readable thing that is not a directory), or a directory with all below it that ends in `.yaml`, `.yml` or `.json`.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl From<&std::ffi::OsStr> for ManifestSource {
    /// `-` is standard input.
    fn from(argument: &std::ffi::OsStr) -> Self {
        if argument == "-" { Self::Stdin } else { Self::Path(argument.into()) }
    }
}

/// Why no manifest was read at all.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// What was named is not there, or may not be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// As it was named.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no manifest in what was named.
    #[error("there is no manifest in {0}: no file ends in .yaml, .yml or .json, or all are empty")]
    Empty(String),
    /// Not one document could be read.
    #[error("no document could be read; the first of {count} problems: {first}")]
    NothingRead {
        /// Problems.
        count: usize,
        /// The first.
        first: String,
    },
    /// The scope is not valid.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// Reads manifests.
///
/// # Errors
/// When a named source does not exist or cannot be read, when there is nothing in them, when not one document could be read, or when
/// the scope is not valid. A document that cannot be read beside others is a gap.
pub fn read(
    sources: &[ManifestSource],
    scope: &Scope,
    custom_kinds: &[CustomKind],
    observed: Timestamp,
) -> Result<Inventory, ManifestError> {
    read_from(sources, scope, custom_kinds, observed, &mut std::io::stdin().lock())
}

/// Manifests that were read and are kept, to be edited.
pub struct ManifestTexts {
    found: Vec<Found>,
    named: String,
}

impl ManifestTexts {
    /// Reads and keeps them.
    ///
    /// # Errors
    /// When a named source does not exist or cannot be read.
    pub fn load(sources: &[ManifestSource]) -> Result<Self, ManifestError> {
        let mut stdin = std::io::stdin().lock();
        let mut texts = files::Texts::new(sources, &mut stdin);
        let mut found = Vec::new();
        while let Some(next) = texts.next()? {
            found.push(next);
        }
        Ok(Self { found, named: texts.named() })
    }

    /// Path (`-` for standard input) and content of each, in the order in which they were read.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.found.iter().filter_map(|found| match found {
            Found::Text(text) => Some((text.file.as_str(), text.content.as_str())),
            Found::Problem { .. } => None,
        })
    }

    /// What is in them, as [`read`] tells it.
    ///
    /// # Errors
    /// As [`read`].
    pub fn inventory(&self, scope: &Scope, custom_kinds: &[CustomKind], observed: Timestamp) -> Result<Inventory, ManifestError> {
        let filter = Filter::new(scope)?;
        let mut reading = Reading::new(&filter, custom_kinds);
        self.found.iter().for_each(|found| reading.add(found));
        reading.finish(&self.named, scope, observed)
    }
}

fn read_from(
    sources: &[ManifestSource],
    scope: &Scope,
    custom_kinds: &[CustomKind],
    observed: Timestamp,
    stdin: &mut dyn Read,
) -> Result<Inventory, ManifestError> {
    let filter = Filter::new(scope)?;
    let mut reading = Reading::new(&filter, custom_kinds);
    let mut texts = files::Texts::new(sources, stdin);
    while let Some(found) = texts.next()? {
        reading.add(&found);
    }
    reading.finish(&texts.named(), scope, observed)
}

/// What was read so far.
struct Reading<'a> {
    objects: Objects<'a>,
    gaps: Vec<Gap>,
    documents: usize,
}

impl<'a> Reading<'a> {
    fn new(filter: &'a Filter, custom_kinds: &'a [CustomKind]) -> Self {
        Self { objects: Objects::new(filter, custom_kinds), gaps: Vec::new(), documents: 0 }
    }

    fn add(&mut self, found: &Found) {
        match found {
            Found::Text(text) => read_text(text, &mut self.objects, &mut self.gaps, &mut self.documents),
            Found::Problem { file, detail } => self.gaps.push(gap(file, None, detail)),
        }
    }

    fn finish(self, named: &str, scope: &Scope, observed: Timestamp) -> Result<Inventory, ManifestError> {
        let Self { objects, mut gaps, documents } = self;
        if objects.count() == 0 {
            if let Some(first) = gaps.first() {
                return Err(ManifestError::NothingRead { count: gaps.len(), first: format!("{}: {}", first.what, first.detail) });
            }
            if documents == 0 {
                return Err(ManifestError::Empty(named.to_owned()));
            }
        }
        let mut inventory = objects.finish(scope.clone(), observed);
        gaps.sort_unstable();
        inventory.gaps = gaps;
        Ok(inventory)
    }
}

fn read_text(text: &Text, objects: &mut Objects<'_>, gaps: &mut Vec<Gap>, documents: &mut usize) {
    let file = SharedText::from(text.file.as_str());
    for document in documents::split(&text.content, &text.file) {
        if *documents >= MOST_DOCUMENTS {
            gaps.push(gap(&text.file, None, &format!("more than {MOST_DOCUMENTS} documents; the rest was not read")));
            return;
        }
        *documents += 1;
        let Document { index, line, rendered_from, value } = document;
        let problems = match value {
            Ok(located) => {
                objects.add(&located, Place { file: &file, document: index, rendered_from: rendered_from.as_ref() }, text.is_named)
            }
            Err(problem) => vec![problem],
        };
        gaps.extend(problems.iter().map(|problem| gap(&text.file, Some((index, problem.line.unwrap_or(line))), &problem.detail)));
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    /// Line in the file, from 1, where known.
    line: Option<u64>,
    detail: String,
}

fn gap(file: &str, place: Option<(u32, u64)>, detail: &str) -> Gap {
    let place = place.map(|(index, line)| format!(", document {}, line {line}", index.saturating_add(1))).unwrap_or_default();
    Gap {
        cluster: None,
        what: format!("{file}{place}"),
        namespace: None,
        workloads_missing: true,
        cause: Cause::ListIncomplete,
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests;
