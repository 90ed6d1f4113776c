//! Manifests with images pinned to digests, by editing their text: comments, quotes, line ends and all else stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::Digest;

use super::documents::{self, Document};
use super::located::{Mark, Places};

/// An image field to pin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Line of its value, from 1.
    pub line: u32,
    /// Column of its value, from 1, in Unicode scalar values.
    pub column: u32,
    /// The reference that stands there, without a digest.
    pub reference: String,
    /// The digest to add.
    pub digest: Digest,
}

/// A text with pinned images, and those that could not be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedText {
    /// The text.
    pub text: String,
    /// What is pinned in it.
    pub pinned: Vec<Pin>,
    /// What is not, and why.
    pub refused: Vec<(Pin, &'static str)>,
}

/// Adds digests to references. The result is read again: it differs from the text in these references and in nothing else, or
/// nothing is pinned.
#[must_use]
pub fn pin(text: &str, file: &str, pins: &[Pin]) -> PinnedText {
    let (mut pinned, mut refused) = (BTreeMap::new(), Vec::new());
    let before = documents::split(text, file);
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let uses = uses(&before);
    for pin in BTreeSet::from_iter(pins) {
        match offset(text, skipped, &uses, pin) {
            Ok(offset) => match pinned.get(&offset) {
                None => _ = pinned.insert(offset, pin),
                Some(_) => refused.push((pin.clone(), "several digests are asked for at one place")),
            },
            Err(why) => refused.push((pin.clone(), why)),
        }
    }
    let edited = edit(text, &pinned);
    if differs_in(&before, &documents::split(&edited, file)) == Some(expected(&pinned)) {
        let pinned = pinned.into_values().cloned().collect();
        return PinnedText { text: edited, pinned, refused };
    }
    refused.extend(pinned.into_values().map(|pin| (pin.clone(), "the file would say something else in another place, too")));
    PinnedText { text: text.to_owned(), pinned: Vec::new(), refused }
}

/// How often each marked place is read, and how.
fn uses(documents: &[Document]) -> BTreeMap<(u32, u32), Vec<Mark>> {
    fn collect(places: &Places, found: &mut BTreeMap<(u32, u32), Vec<Mark>>) {
        match places {
            Places::None => {}
            Places::Here(mark) => found.entry((mark.line, mark.column)).or_default().push(*mark),
            Places::Keys(keys) => keys.iter().for_each(|(_, places)| collect(places, found)),
            Places::Items(items) => items.iter().for_each(|(_, places)| collect(places, found)),
        }
    }
    let mut found = BTreeMap::new();
    for located in documents.iter().filter_map(|document| document.value.as_ref().ok()) {
        collect(&located.places, &mut found);
    }
    found
}

/// Where the digest goes, in bytes of the whole text.
fn offset(text: &str, skipped: usize, uses: &BTreeMap<(u32, u32), Vec<Mark>>, pin: &Pin) -> Result<usize, &'static str> {
    let mark = match uses.get(&(pin.line, pin.column)).map(Vec::as_slice) {
        None | Some([]) => return Err("it does not stand there"),
        Some([mark]) if !mark.is_aliased => mark,
        Some(_) => return Err("it is shared by an anchor, an alias or a merge key"),
    };
    let start = mark.offset + skipped;
    let (above, here) = (text.get(..start).unwrap_or_default(), text.get(start..).unwrap_or_default());
    let is_anchored = above.split_whitespace().next_back().is_some_and(|word| word.starts_with('&'));
    if is_anchored || here.starts_with('&') {
        return Err("it is shared by an anchor, an alias or a merge key");
    }
    let quote = here.chars().next().filter(|first| matches!(first, '"' | '\''));
    let bare = here.get(quote.map_or(0, char::len_utf8)..).unwrap_or_default();
    let rest = bare.strip_prefix(pin.reference.as_str()).ok_or("it is not written as a plain or quoted text")?;
    if quote.is_some_and(|quote| !rest.starts_with(quote)) {
        return Err("it is not written as a plain or quoted text");
    }
    Ok(text.len() - rest.len())
}

fn edit(text: &str, pinned: &BTreeMap<usize, &Pin>) -> String {
    let mut edited = String::with_capacity(text.len() + pinned.len() * 80);
    let mut done = 0;
    for (offset, pin) in pinned {
        edited.push_str(text.get(done..*offset).unwrap_or_default());
        edited.push('@');
        edited.push_str(&pin.digest.to_string());
        done = *offset;
    }
    edited.push_str(text.get(done..).unwrap_or_default());
    edited
}

/// Old and new references, in order.
type Changes = Vec<(String, String)>;

fn expected(pinned: &BTreeMap<usize, &Pin>) -> Changes {
    let mut changes: Vec<_> = pinned.values().map(|pin| (pin.reference.clone(), format!("{}@{}", pin.reference, pin.digest))).collect();
    changes.sort_unstable();
    changes
}

/// What differs between two readings, as old and new references; none where anything but a text differs.
fn differs_in(before: &[Document], after: &[Document]) -> Option<Changes> {
    fn compare(before: &Value, after: &Value, changes: &mut Changes) -> bool {
        match (before, after) {
            (Value::String(before), Value::String(after)) => {
                if before != after {
                    changes.push((before.clone(), after.clone()));
                }
                true
            }
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len() && before.iter().zip(after).all(|(before, after)| compare(before, after, changes))
            }
            (Value::Object(before), Value::Object(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(before, after)| before.0 == after.0 && compare(before.1, after.1, changes))
            }
            _ => before == after,
        }
    }
    let mut changes = Vec::new();
    let same = before.len() == after.len()
        && before.iter().zip(after).all(|(before, after)| match (&before.value, &after.value) {
            (Ok(left), Ok(right)) => before.index == after.index && compare(&left.value, &right.value, &mut changes),
            // What cannot be read is not edited either.
            (Err(left), Err(right)) => before.index == after.index && left == right,
            _ => false,
        });
    changes.sort_unstable();
    same.then_some(changes)
}
