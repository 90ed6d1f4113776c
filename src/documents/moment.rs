//! A moment as a person writes it: a date, or a date with a time.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `2027-06-30`, or `2027-06-30T12:00:00Z` (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// A whole day, UTC.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// Its first instant.
    #[must_use]
    pub fn first(self) -> Timestamp {
        match self {
            Self::Day(day) => day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp()),
            Self::Instant(instant) => instant,
        }
    }

    /// The first instant after it: of a day, the beginning of the next.
    #[must_use]
    pub fn end(self) -> Timestamp {
        match self {
            Self::Day(day) => day.checked_add(1.day()).map_or(Timestamp::MAX, |next| Self::Day(next).first()),
            Self::Instant(instant) => instant,
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || format!("{text:?} is neither a date (2027-06-30) nor a moment (2027-06-30T12:00:00Z)");
        if text.contains(['T', 't', ' ']) {
            return text.parse().map(Self::Instant).map_err(|_| refused());
        }
        text.parse().map(Self::Day).map_err(|_| refused())
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Instant(instant) => instant.fmt(formatter),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "2027-06-30, or 2027-06-30T12:00:00Z (RFC 3339)", "minLength": 10 })
    }
}
