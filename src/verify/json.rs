//! JSON as hostile people write it: a key that is there twice is read by some as the first and by others as the last, so that one text
//! says two things. Such a text is refused before anything is read of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Malformed;

/// Reads a value. Refuses a key that is there twice, wherever it stands; deep nesting is refused by the parser (128 levels).
pub(super) fn read<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T, Malformed> {
    refuse_doubled(what, bytes)?;
    serde_json::from_slice(bytes).map_err(|error| Malformed(format!("not {what}: {error}")))
}

/// Refuses what is no JSON, and a key that is there twice, wherever it stands.
pub(super) fn refuse_doubled(what: &str, bytes: &[u8]) -> Result<(), Malformed> {
    serde_json::from_slice::<Once>(bytes).map(drop).map_err(|error| Malformed(format!("not {what}: {error}")))
}

/// A key, as it lies in the text where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Any value in which each key is there once.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(Key(key)) = map.next_key()? {
            map.next_value_seed(Self)?;
            if let Some(twice) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("the key {twice:?} is there twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self, A::Error> {
        while sequence.next_element_seed(Self)?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused_at_any_depth() {
        let read = |text: &str| read::<serde_json::Value>("a test", text.as_bytes());
        assert!(read(r#"{"a":1,"b":[{"a":2},{"a":3}],"c":{"a":null}}"#).is_ok());
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#, r#"{"\u0061":1,"a":2}"#] {
            assert!(read(text).unwrap_err().0.contains("is there twice"), "{text}");
        }
        assert!(read(&"[".repeat(200)).is_err());
    }
}
