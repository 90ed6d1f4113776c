//! An age as a person writes it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in whole seconds: `30d`, `12h`, `1w 2d`; a day has 24 hours. Never zero, at most a hundred years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(u64);

/// Why a text is no age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no age; write 30d, 12h, 45m, 2w, or several of these (1w2d), up to a hundred years")]
pub struct AgeError(String);

/// The longest that is taken for meant, in seconds.
const LONGEST: u64 = 100 * 366 * 86_400;

impl Age {
    /// The same, to compute with.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        read(text).filter(|seconds| (1..=LONGEST).contains(seconds)).map(Self).ok_or_else(|| AgeError(text.to_owned()))
    }
}

fn read(text: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let (unit, after) = rest[digits..].split_at_checked(1)?;
        let each = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(each)?)?;
        rest = after.trim_start();
    }
    Some(seconds)
}

impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, unit) = [(86_400, 'd'), (3_600, 'h'), (60, 'm')]
            .into_iter()
            .find(|(each, _)| self.0.is_multiple_of(*each))
            .map_or((self.0, 's'), |(each, unit)| (self.0 / each, unit));
        formatter.pad(&format!("{whole}{unit}"))
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Age {
    fn schema_name() -> Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^\\s*([0-9]+[smhdw]\\s*)+$", "description": "A length of time: 30d, 12h, 1w2d." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_and_written() {
        for (text, seconds, written) in
            [("30d", 2_592_000, "30d"), ("1w 2d", 777_600, "9d"), ("90m", 5_400, "90m"), ("720h", 2_592_000, "30d"), ("61s", 61, "61s")]
        {
            let age: Age = text.parse().unwrap();
            assert_eq!((age.duration().as_secs(), age.to_string().as_str()), (seconds, written), "{text}");
        }
        for text in ["", "0d", "30", "d", "-1d", "1.5h", "30 d", "1y", "30d x", "99999999999999999999d", "36600w", "3é"] {
            assert!(text.parse::<Age>().is_err(), "{text:?}");
        }
    }
}
