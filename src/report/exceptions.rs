//! What an exception says, in the words of every format.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::pretty::header::moment;
use super::terminal::shown;
use crate::model::{ExceptionRecord, Report, Standing};

/// The exception that is in force for an answer.
pub(super) fn of(report: &Report, standing: Standing) -> Option<&ExceptionRecord> {
    match standing {
        Standing::Excepted(position) => report.exceptions.get(usize::try_from(position).ok()?),
        Standing::AsIs | Standing::AcceptedUnknown => None,
    }
}

/// Until when: the day where it holds to its end, else the moment.
pub(super) fn until(expires: Timestamp) -> String {
    let zoned = expires.to_zoned(TimeZone::UTC);
    if zoned.time() == Time::constant(23, 59, 59, 0) { zoned.date().to_string() } else { moment(expires) }
}

/// Its name, why, until when, and who answers for it; without control characters.
pub(super) fn told(exception: &ExceptionRecord) -> String {
    let mut text = shown(&exception.name).into_owned();
    if !exception.reason.trim().is_empty() {
        text.push_str(&format!(": {}", shown(exception.reason.trim())));
    }
    let until = exception.expires.map_or_else(|| "without an end".to_owned(), |expires| format!("until {}", until(expires)));
    text.push_str(&format!(" ({until}"));
    let named = [("owner", &exception.owner), ("approved by", &exception.approved_by), ("ticket", &exception.ticket)];
    for (what, value) in named {
        if let Some(value) = value {
            text.push_str(&format!(", {what} {}", shown(value)));
        }
    }
    text.push(')');
    text
}
