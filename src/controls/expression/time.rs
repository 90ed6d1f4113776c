//! Times and lengths of time.

use jiff::{Timestamp, tz::TimeZone};

use super::evaluate::{fault, shown};
use super::meter::Stop;
use super::value::Value;
use crate::documents::{Arithmetic, Part};

const SECOND: i64 = 1_000_000_000;

/// A time of RFC 3339, from year 1 to 9999 as CEL has it.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, Stop> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let zone = bytes.len() > 19 && matches!(bytes, [.., b'Z' | b'z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    let shape = digits(0..4) && matches!(bytes.get(10), Some(b'T' | b't')) && matches!(bytes.get(16), Some(b':')) && zone;
    let read = if shape { text.parse::<Timestamp>().ok().filter(in_range) } else { None };
    read.map_or_else(|| fault(format!("{} is no time; one of RFC 3339 is wanted, such as 2026-01-31T12:00:00Z", shown(text))), Ok)
}

/// A time in seconds since 1970.
pub(super) fn from_seconds(seconds: i64) -> Result<Timestamp, Stop> {
    let read = Timestamp::from_second(seconds).ok().filter(in_range);
    read.map_or_else(|| fault(format!("{seconds} is no time in seconds since 1970")), Ok)
}

/// Years before the first are no times of CEL; the last is the one of the library, on the 30th of December 9999.
fn in_range(time: &Timestamp) -> bool {
    time.as_second() >= -62_135_596_800
}

/// A length of time as CEL writes it, `1h30m`, `1.5s`, in nanoseconds.
pub(super) fn duration(text: &str) -> Result<i64, Stop> {
    read_duration(text).map_or_else(
        || fault(format!("{} is no length of time; one in h, m, s, ms, us or ns is wanted, such as 720h or 1h30m", shown(text))),
        Ok,
    )
}

fn read_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    loop {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, after) =
            [("ns", 1), ("us", 1_000), ("µs", 1_000), ("ms", 1_000_000), ("h", 3600 * SECOND), ("m", 60 * SECOND), ("s", SECOND)]
                .into_iter()
                .find_map(|(name, nanoseconds)| Some((nanoseconds, after.strip_prefix(name)?)))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { i128::from(whole.parse::<u64>().ok()?) };
        total = total.checked_add(whole.checked_mul(i128::from(unit))?)?;
        // Below a nanosecond nothing is kept; sixteen digits reach there for every unit.
        let mut scale = i128::from(unit);
        for digit in fraction.bytes().take(16) {
            scale *= 10;
            let place = i128::from(unit) * i128::from(digit - b'0');
            total += place.checked_mul(i128::from(unit))?.checked_div(scale)?;
        }
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// As CEL writes it: `5400s`, `-1.5s`.
pub(super) fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (seconds, below) = (nanoseconds.unsigned_abs() / SECOND.unsigned_abs(), nanoseconds.unsigned_abs() % SECOND.unsigned_abs());
    if below == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{below:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// `+` and `-` of times and lengths of time.
pub(super) fn calculate<'e>(operator: Arithmetic, left: &Value<'e>, right: &Value<'e>) -> Result<Value<'e>, Stop> {
    let moved = |time: &Timestamp, by: i128| {
        let moved = Timestamp::from_nanosecond(time.as_nanosecond() + by).ok().filter(in_range);
        moved.map(Value::Timestamp)
    };
    let result = match (operator, left, right) {
        (Arithmetic::Add, Value::Timestamp(time), Value::Duration(by)) | (Arithmetic::Add, Value::Duration(by), Value::Timestamp(time)) => {
            moved(time, i128::from(*by))
        }
        (Arithmetic::Subtract, Value::Timestamp(time), Value::Duration(by)) => moved(time, -i128::from(*by)),
        (Arithmetic::Subtract, Value::Timestamp(one), Value::Timestamp(other)) => {
            i64::try_from(one.as_nanosecond() - other.as_nanosecond()).ok().map(Value::Duration)
        }
        (Arithmetic::Add, Value::Duration(one), Value::Duration(other)) => one.checked_add(*other).map(Value::Duration),
        (Arithmetic::Subtract, Value::Duration(one), Value::Duration(other)) => one.checked_sub(*other).map(Value::Duration),
        _ => return fault(format!("`{}` does not take {} and {}", operator.symbol(), left.type_name(), right.type_name())),
    };
    result.map_or_else(|| fault(format!("`{}` gives a time that is out of range", operator.symbol())), Ok)
}

/// A part of a time, in UTC; of a duration, the whole of it in that unit.
pub(super) fn part(part: Part, of: &Value<'_>) -> Result<i64, Stop> {
    match of {
        Value::Timestamp(time) => {
            let time = time.to_zoned(TimeZone::UTC);
            Ok(match part {
                Part::FullYear => i64::from(time.year()),
                Part::Month => i64::from(time.month()) - 1,
                Part::Date => i64::from(time.day()),
                Part::DayOfMonth => i64::from(time.day()) - 1,
                Part::DayOfWeek => i64::from(time.weekday().to_sunday_zero_offset()),
                Part::DayOfYear => i64::from(time.day_of_year()) - 1,
                Part::Hours => i64::from(time.hour()),
                Part::Minutes => i64::from(time.minute()),
                Part::Seconds => i64::from(time.second()),
                Part::Milliseconds => i64::from(time.millisecond()),
            })
        }
        Value::Duration(nanoseconds) => match part {
            Part::Hours => Ok(nanoseconds / (3600 * SECOND)),
            Part::Minutes => Ok(nanoseconds / (60 * SECOND)),
            Part::Seconds => Ok(nanoseconds / SECOND),
            Part::Milliseconds => Ok(nanoseconds % SECOND / 1_000_000),
            _ => fault("a duration has hours, minutes, seconds and milliseconds"),
        },
        other => fault(format!("{} is no time", other.type_name())),
    }
}
