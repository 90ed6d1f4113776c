//! Values of expressions. What comes from the evidence is borrowed, never copied.

use std::cmp::Ordering;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::meter::{Meter, Stop};

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value<'e> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'e>),
    Timestamp(Timestamp),
    /// In nanoseconds: 292 years to either side, as CEL has it.
    Duration(i64),
    Array(&'e [Json]),
    Object(&'e Map<String, Json>),
    /// The values of a parameter.
    Texts(&'e [String]),
    /// Made by the expression.
    List(Rc<Vec<Value<'e>>>),
    /// Made by the expression, in the order in which it is written.
    Map(Rc<Vec<(Value<'e>, Value<'e>)>>),
}

/// A text.
#[derive(Debug, Clone)]
pub(super) enum Text<'e> {
    Borrowed(&'e str),
    Made(Rc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'e> Value<'e> {
    pub(super) fn of(json: &'e Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) => Self::Uint(value),
                (None, None) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::borrowed(text),
            Json::Array(items) => Self::Array(items),
            Json::Object(fields) => Self::Object(fields),
        }
    }

    pub(super) fn borrowed(text: &'e str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(super) fn made(text: String) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    /// CEL's name for its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Timestamp(_) => "timestamp",
            Self::Duration(_) => "duration",
            Self::Array(_) | Self::Texts(_) | Self::List(_) => "list",
            Self::Object(_) | Self::Map(_) => "map",
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// How many items a list has.
    pub(super) fn list_len(&self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.len()),
            Self::Texts(items) => Some(items.len()),
            Self::List(items) => Some(items.len()),
            _ => None,
        }
    }

    /// How many entries a map has.
    pub(super) fn map_len(&self) -> Option<usize> {
        match self {
            Self::Object(fields) => Some(fields.len()),
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    /// An item of a list.
    pub(super) fn item(&self, number: usize) -> Option<Value<'e>> {
        match self {
            Self::Array(items) => items.get(number).map(Self::of),
            Self::Texts(items) => items.get(number).map(|text| Self::borrowed(text)),
            Self::List(items) => items.get(number).cloned(),
            _ => None,
        }
    }

    /// The value at a key of a map.
    pub(super) fn at(&self, key: &Value<'e>, meter: &mut Meter) -> Result<Option<Value<'e>>, Stop> {
        match self {
            Self::Object(fields) => {
                let Some(key) = key.as_text() else { return Ok(None) };
                meter.read(key.len())?;
                Ok(fields.get(key).map(Self::of))
            }
            Self::Map(entries) => {
                for (known, value) in entries.iter() {
                    if known.equals(key, meter)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The items of a list, or the keys of a map in order; `None` for anything else.
    pub(super) fn walk(&self) -> Option<Box<dyn Iterator<Item = Value<'e>> + 'e>> {
        Some(match self {
            Self::Array(items) => Box::new(items.iter().map(Self::of)),
            Self::Texts(items) => Box::new(items.iter().map(|text| Self::borrowed(text))),
            Self::Object(fields) => Box::new(fields.keys().map(|key| Self::borrowed(key))),
            Self::List(items) => {
                let items = Rc::clone(items);
                Box::new((0..items.len()).filter_map(move |number| items.get(number).cloned()))
            }
            Self::Map(entries) => {
                let entries = Rc::clone(entries);
                Box::new((0..entries.len()).filter_map(move |number| entries.get(number).map(|(key, _)| key.clone())))
            }
            _ => return None,
        })
    }

    /// Whether both are the same. Numbers are compared by what they are worth; values of different kinds are never the same.
    pub(super) fn equals(&self, other: &Value<'e>, meter: &mut Meter) -> Result<bool, Stop> {
        meter.spend(1)?;
        if let Some(order) = numbers(self, other) {
            return Ok(order == Some(Ordering::Equal));
        }
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => {
                let (one, other) = (one.as_str(), other.as_str());
                one.len() == other.len() && {
                    meter.read(one.len())?;
                    one == other
                }
            }
            (Self::Timestamp(one), Self::Timestamp(other)) => one == other,
            (Self::Duration(one), Self::Duration(other)) => one == other,
            (one, other) => match (one.list_len(), other.list_len(), one.map_len(), other.map_len()) {
                (Some(length), Some(same), ..) if length == same => {
                    for number in 0..length {
                        let (Some(one), Some(other)) = (one.item(number), other.item(number)) else { return Ok(false) };
                        if !one.equals(&other, meter)? {
                            return Ok(false);
                        }
                    }
                    true
                }
                (_, _, Some(length), Some(same)) if length == same => {
                    for key in one.walk().into_iter().flatten() {
                        let (Some(one), Some(other)) = (one.at(&key, meter)?, other.at(&key, meter)?) else { return Ok(false) };
                        if !one.equals(&other, meter)? {
                            return Ok(false);
                        }
                    }
                    true
                }
                _ => false,
            },
        })
    }

    /// Their order: `None` where there is none between values of these kinds, `Some(None)` where one is not a number.
    pub(super) fn order(&self, other: &Value<'e>, meter: &mut Meter) -> Result<Option<Option<Ordering>>, Stop> {
        if let Some(order) = numbers(self, other) {
            return Ok(Some(order));
        }
        Ok(match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(Some(one.cmp(other))),
            (Self::Text(one), Self::Text(other)) => {
                meter.read(one.as_str().len().min(other.as_str().len()))?;
                Some(Some(one.as_str().cmp(other.as_str())))
            }
            (Self::Timestamp(one), Self::Timestamp(other)) => Some(Some(one.cmp(other))),
            (Self::Duration(one), Self::Duration(other)) => Some(Some(one.cmp(other))),
            _ => None,
        })
    }
}

/// The order of two numbers of any kind, exactly; `None` where one is no number, `Some(None)` where one is not-a-number.
fn numbers(one: &Value<'_>, other: &Value<'_>) -> Option<Option<Ordering>> {
    let whole = |value: &Value<'_>| match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    };
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => Some(one.partial_cmp(other)),
        (Value::Double(one), other) => Some(whole_and_double(whole(other)?, *one).map(Ordering::reverse)),
        (one, Value::Double(other)) => Some(whole_and_double(whole(one)?, *other)),
        (one, other) => Some(Some(whole(one)?.cmp(&whole(other)?))),
    }
}

fn whole_and_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Beyond 2^64 on either side no integer of ours lies; `as` then saturates, which keeps the order.
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is compared apart")]
    let truncated = double.trunc() as i128;
    Some(whole.cmp(&truncated).then_with(|| 0.0_f64.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal)))
}

/// A double as a whole number of 64 bits, where it is one.
pub(super) fn whole(double: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "inside the range, and compared with what it came from")]
    let truncated = (-9.0e18..=9.0e18).contains(&double).then_some(double as i64)?;
    #[expect(clippy::cast_precision_loss, reason = "it came from a double")]
    let same = truncated as f64 == double;
    same.then_some(truncated)
}
