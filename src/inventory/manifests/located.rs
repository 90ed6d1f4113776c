//! A document with the places of its image fields, and of nothing else: a dump of a whole cluster has a million other values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// A document, and where its image fields stand.
#[derive(Debug, Default)]
pub(super) struct Located {
    pub(super) value: Value,
    pub(super) places: Places,
}

/// The place of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of its first byte, quotes and block indicators included, in the text.
    pub(super) offset: usize,
    /// From 1.
    pub(super) line: u32,
    /// From 1, in Unicode scalar values.
    pub(super) column: u32,
    /// It was reached by an alias or a merge key: this is where it is written, and others may read it there.
    pub(super) is_aliased: bool,
}

/// A tree with only those branches that lead to an image field.
#[derive(Debug, Default)]
pub(super) enum Places {
    /// Nothing below here.
    #[default]
    None,
    Here(Mark),
    Keys(Vec<(Box<str>, Places)>),
    /// In order.
    Items(Vec<(usize, Places)>),
}

impl Places {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// What is marked below a key.
    pub(super) fn key(&self, key: &str) -> &Self {
        let Self::Keys(keys) = self else { return &Self::None };
        keys.iter().find(|(known, _)| **known == *key).map_or(&Self::None, |(_, places)| places)
    }

    /// What is marked below an item of a list.
    pub(super) fn item(&self, item: usize) -> &Self {
        let Self::Items(items) = self else { return &Self::None };
        let found = items.binary_search_by_key(&item, |(known, _)| *known).ok().and_then(|at| items.get(at));
        found.map_or(&Self::None, |(_, places)| places)
    }

    /// The mark at a path such as `spec.containers[0].image`, whose keys have neither dots nor brackets.
    pub(super) fn at(&self, path: &str) -> Option<Mark> {
        let mut here = self;
        for step in path.split('.') {
            let (key, items) = step.split_once('[').unwrap_or((step, ""));
            here = here.key(key);
            for item in items.split('[').filter_map(|item| item.strip_suffix(']')) {
                here = here.item(item.parse().ok()?);
            }
        }
        match here {
            Self::Here(mark) => Some(*mark),
            _ => None,
        }
    }

    fn each_mut<'a>(&'a mut self, found: &mut Vec<&'a mut Mark>) {
        match self {
            Self::None => {}
            Self::Here(mark) => found.push(mark),
            Self::Keys(keys) => keys.iter_mut().for_each(|(_, places)| places.each_mut(found)),
            Self::Items(items) => items.iter_mut().for_each(|(_, places)| places.each_mut(found)),
        }
    }

    /// Turns what the parser reported into places in `text`: `base` is what the parser counted from. Each byte is looked at once.
    fn place(&mut self, text: &str, base: Base, cursor: &mut Cursor) {
        let mut places = Vec::new();
        self.each_mut(&mut places);
        for mark in &mut places {
            mark.offset = match base {
                Base::Address => mark.offset.wrapping_sub(text.as_ptr().addr()),
                Base::Offset(start) => mark.offset.saturating_add(start),
            };
        }
        places.sort_unstable_by_key(|mark| mark.offset);
        for mark in places {
            cursor.advance(text, mark.offset);
            (mark.line, mark.column) = (cursor.line, cursor.column);
        }
    }
}

#[derive(Clone, Copy)]
enum Base {
    /// Memory's, as slices of the text tell it.
    Address,
    /// A byte of the text.
    Offset(usize),
}

/// A place in a text that only goes forwards.
#[derive(Debug)]
pub(super) struct Cursor {
    offset: usize,
    line: u32,
    column: u32,
}

impl Cursor {
    /// At the beginning.
    pub(super) fn new() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }

    /// Goes on to a byte further on, and tells its line.
    pub(super) fn advance(&mut self, text: &str, offset: usize) -> u32 {
        let between = text.as_bytes().get(self.offset..offset).unwrap_or_default();
        let lines = between.iter().filter(|byte| **byte == b'\n').count();
        let last = match between.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => {
                self.column = 1;
                between.get(newline + 1..).unwrap_or_default()
            }
            None => between,
        };
        // A scalar value has one byte that does not continue another.
        let columns = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.column = self.column.saturating_add(u32::try_from(columns).unwrap_or(u32::MAX));
        self.offset = self.offset.max(offset);
        self.line
    }
}

/// A document of YAML.
pub(super) struct Yaml(Located);

impl Yaml {
    /// The document, whose first byte is at `start` in `text`.
    pub(super) fn located(mut self, text: &str, start: usize, cursor: &mut Cursor) -> Located {
        self.0.places.place(text, Base::Offset(start), cursor);
        self.0
    }
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tree::<Self>::new(Within::Document).deserialize(deserializer).map(Self)
    }
}

/// A document of JSON, read by [`serde_json`] from a text at hand.
pub(super) struct Json(Located);

impl Json {
    /// The document, which was read from `text`.
    pub(super) fn located(mut self, text: &str, cursor: &mut Cursor) -> Located {
        self.0.places.place(text, Base::Address, cursor);
        self.0
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tree::<Self>::new(Within::Document).deserialize(deserializer).map(Self)
    }
}

/// How a parser tells where a value stands.
trait Notation<'de>: Sized {
    /// The next value, marked if it is a text. Of an object in [`Within::Image`] its `reference` is marked.
    fn marked<A: MapAccess<'de>>(map: &mut A, within: Within) -> Result<Located, A::Error>;
}

/// Where in a document a value is. What is below an image is never looked through again for images: parsers tell places at the cost of
/// their stack, and that must not grow with the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Anything may follow.
    Document,
    /// It is the value of `image`: a text, or an object of an image volume.
    Image,
    /// It is below that, or the value of `reference`.
    Rest,
}

/// The value of `image`.
struct Image<N>(Located, PhantomData<N>);

impl<'de, N: Notation<'de>> Deserialize<'de> for Image<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let located = Tree::<N>::new(Within::Image).deserialize(deserializer)?;
        Ok(Self(located, PhantomData))
    }
}

impl<'de> Notation<'de> for Yaml {
    fn marked<A: MapAccess<'de>>(map: &mut A, within: Within) -> Result<Located, A::Error> {
        let (located, referenced, defined) = if within == Within::Image {
            let Spanned { value, referenced, defined } = map.next_value::<Spanned<Image<Self>>>()?;
            (value.0, referenced, defined)
        } else {
            let Spanned { value, referenced, defined } = map.next_value::<Spanned<Value>>()?;
            (Located::plain(value), referenced, defined)
        };
        Ok(match (&located.value, defined.span().byte_offset()) {
            (Value::String(_), Some(offset)) => located.mark(usize::try_from(offset).ok(), referenced != defined),
            _ => located,
        })
    }
}

impl<'de> Notation<'de> for Json {
    fn marked<A: MapAccess<'de>>(map: &mut A, within: Within) -> Result<Located, A::Error> {
        let raw = map.next_value::<&'de RawValue>()?.get();
        // Its own place in the raw value would be told as one in the file.
        let unreadable = |_: serde_json::Error| A::Error::custom("a value cannot be read");
        if within == Within::Image && raw.starts_with('{') {
            return serde_json::from_str::<Image<Self>>(raw).map(|image| image.0).map_err(unreadable);
        }
        let located = Located::plain(serde_json::from_str::<Value>(raw).map_err(unreadable)?);
        let is_text = located.value.is_string();
        Ok(if is_text { located.mark(Some(raw.as_ptr().addr()), false) } else { located })
    }
}

impl Located {
    fn plain(value: impl Into<Value>) -> Self {
        Self { value: value.into(), places: Places::None }
    }

    fn mark(self, offset: Option<usize>, is_aliased: bool) -> Self {
        let places = offset.map_or(Places::None, |offset| Places::Here(Mark { offset, line: 0, column: 0, is_aliased }));
        Self { value: self.value, places }
    }
}

/// Reads a tree as [`Value`] does.
struct Tree<N> {
    within: Within,
    notation: PhantomData<N>,
}

impl<N> Tree<N> {
    fn new(within: Within) -> Self {
        Self { within, notation: PhantomData }
    }

    /// For what is below.
    fn below(&self) -> Self {
        Self::new(if self.within == Within::Document { Within::Document } else { Within::Rest })
    }
}

impl<'de, N: Notation<'de>> DeserializeSeed<'de> for Tree<N> {
    type Value = Located;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Located, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, N: Notation<'de>> Visitor<'de> for Tree<N> {
    type Value = Located;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Located, A::Error> {
        let mut values = Map::new();
        let mut keys: Vec<(Box<str>, Places)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let Located { value, places } = match (self.within, key.as_str()) {
                (Within::Document, "image") => N::marked(&mut map, Within::Image)?,
                (Within::Image, "reference") => N::marked(&mut map, Within::Rest)?,
                _ => map.next_value_seed(self.below())?,
            };
            if !keys.is_empty() && values.contains_key(&key) {
                keys.retain(|(known, _)| **known != *key);
            }
            if !places.is_none() {
                keys.push((key.as_str().into(), places));
            }
            values.insert(key, value);
        }
        let places = if keys.is_empty() { Places::None } else { Places::Keys(keys) };
        Ok(Located { value: Value::Object(values), places })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Located, A::Error> {
        let (mut values, mut items) = (Vec::new(), Vec::new());
        while let Some(Located { value, places }) = sequence.next_element_seed(self.below())? {
            if !places.is_none() {
                items.push((values.len(), places));
            }
            values.push(value);
        }
        let places = if items.is_empty() { Places::None } else { Places::Items(items) };
        Ok(Located { value: Value::Array(values), places })
    }

    fn visit_str<E>(self, text: &str) -> Result<Located, E> {
        Ok(Located::plain(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Located, E> {
        Ok(Located::plain(text))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Located, E> {
        Ok(Located::plain(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Located, E> {
        Ok(Located::plain(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Located, E> {
        Ok(Located::plain(number))
    }

    fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<Located, E> {
        let number = Number::from_i128(number).ok_or_else(|| E::custom("JSON number out of range"))?;
        Ok(Located::plain(number))
    }

    fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<Located, E> {
        let number = Number::from_u128(number).ok_or_else(|| E::custom("JSON number out of range"))?;
        Ok(Located::plain(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Located, E> {
        Ok(Located::plain(number))
    }

    fn visit_unit<E>(self) -> Result<Located, E> {
        Ok(Located::default())
    }

    fn visit_none<E>(self) -> Result<Located, E> {
        Ok(Located::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Located, D::Error> {
        self.deserialize(deserializer)
    }
}
