//! Bills of materials: SPDX and CycloneDX, read in one pass, without a tree of the document.
//!
//! Sources: SPDX 2.3 (JSON schema and tag-value), SPDX 3.0.1 (JSON-LD), CycloneDX 1.6 (JSON), in-toto's `spdx` and `cyclonedx` predicates.
//! Cosign writes the document itself as predicate (`--type spdxjson`, `cyclonedx`), the text of it (`--type spdx`), or, in old versions and
//! with its custom type, `{"Data": …, "Timestamp": …}` around it; all of them are understood.

mod cyclonedx;
mod document;
mod packages;
mod spdx;
mod tag_value;

use std::borrow::Cow;

use jiff::Timestamp;

use self::document::Document;
use super::{Malformed, json};
use crate::model::{Predicate, Sbom, SbomFormat};

/// Longest text that is kept of a document's head, in characters.
const LONGEST_TEXT: usize = 200;

/// Why a document is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is none.
    Malformed(String),
    /// It is of a version or an encoding that is not supported.
    Unsupported(String),
}

/// Reads the predicate of a bill of materials; `packages` says whether its packages are kept, or only counted.
///
/// # Errors
/// When it is none, or one of another format than its type says.
pub(super) fn read(predicate_type: &str, predicate: &str, packages: bool) -> Result<Predicate, Malformed> {
    let sbom = match of_predicate(predicate, packages) {
        Ok(sbom) => sbom,
        Err(Unread::Malformed(why)) => return Err(Malformed(format!("not a bill of materials: {why}"))),
        Err(Unread::Unsupported(what)) => return Ok(Predicate::Unsupported(what)),
    };
    match SbomFormat::of_predicate_type(predicate_type) {
        Some(said) if said != sbom.format => Err(Malformed(format!("the predicate type says {said}, and it is {}", sbom.format))),
        _ => Ok(Predicate::Sbom(Box::new(sbom))),
    }
}

/// Reads a document that is attached to an image as it is.
///
/// # Errors
/// When it is no bill of materials, or one that is not supported; a text for a person.
pub fn read_attached(bytes: &[u8]) -> Result<Sbom, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed("the document is no text".to_owned()))?;
    of_text(text, false).map_err(|unread| match unread {
        Unread::Malformed(why) | Unread::Unsupported(why) => Malformed(why),
    })
}

/// The document in a predicate, out of whatever cosign wrapped it in.
pub(super) fn document(predicate: &str) -> Option<String> {
    let written = predicate.trim_start();
    if written.starts_with('"') {
        return text_of(written).ok().map(Cow::into_owned);
    }
    let read = Document::read(written, false).ok()?;
    match read.data {
        Some(data) if !read.is_bill() => document_of_data(data),
        _ => Some(written.to_owned()),
    }
}

fn document_of_data(data: &str) -> Option<String> {
    match data.trim_start().starts_with('"') {
        true => text_of(data).ok().map(Cow::into_owned),
        false => Some(data.to_owned()),
    }
}

fn of_predicate(predicate: &str, packages: bool) -> Result<Sbom, Unread> {
    let written = predicate.trim_start();
    if written.starts_with('"') {
        return of_text(&text_of(written)?, packages);
    }
    let document = Document::read(written, packages)?;
    let (Some(data), false) = (document.data, document.is_bill()) else { return document.into_sbom() };
    let time = document.wrapped_at;
    let inner = match data.trim_start().starts_with('"') {
        true => of_text(&text_of(data)?, packages)?,
        false => Document::read(data, packages)?.into_sbom()?,
    };
    Ok(Sbom { created: inner.created.or(time), ..inner })
}

/// A document as it stands in a file.
fn of_text(text: &str, packages: bool) -> Result<Sbom, Unread> {
    let written = text.trim_start_matches('\u{feff}').trim_start();
    match written.bytes().next() {
        Some(b'{') => {
            // What stands inside a text was not looked at before.
            json::refuse_doubled("JSON", written.as_bytes()).map_err(|malformed| Unread::Malformed(malformed.0))?;
            Document::read(written, packages)?.into_sbom()
        }
        Some(b'<') => Err(Unread::Unsupported("a bill of materials in XML is not supported; JSON is".to_owned())),
        _ if tag_value::is_one(written) => tag_value::read(written, packages),
        _ => Err(Unread::Malformed("it is neither JSON nor SPDX's tag-value text".to_owned())),
    }
}

fn text_of(json: &str) -> Result<Cow<'_, str>, Unread> {
    serde_json::from_str(json).map(Cow::Owned).map_err(|error| Unread::Malformed(error.to_string()))
}

/// A time as it is written; what is none says nothing.
fn time(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

/// A text of a document's head, no longer than a person reads.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
