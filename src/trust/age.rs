//! How old a trust root is.

use jiff::{SignedDuration, Timestamp};

use crate::model::{RootOrigin, TrustRoot, escape_control};

/// What to tell about a trust root that is older than `max` at `now`; nothing of one that counts as current or could not be loaded.
#[must_use]
pub fn aged(root: &TrustRoot, now: Timestamp, max: SignedDuration) -> Option<String> {
    let dated = root.dated.filter(|_| root.content.is_ok())?;
    let age = now.duration_since(dated);
    if age <= max {
        return None;
    }
    let (what, advice) = match &root.origin {
        RootOrigin::Embedded => (
            "the copy inside this program".to_owned(),
            "let it be fetched (run once with access to its TUF repository), or update seaworthy",
        ),
        RootOrigin::Tuf { url } | RootOrigin::TufCache { url } => {
            (format!("the kept copy of {}", escape_control(url)), "let it be fetched again (run once with access to this address)")
        }
        RootOrigin::File { path } => (format!("{}", escape_control(path)), "replace it with a current one"),
    };
    Some(format!(
        "trust root \"{}\", {what}, is of {}: {} old, more than the {} that are allowed; {advice}",
        escape_control(&root.name),
        day(dated),
        span(age),
        span(max),
    ))
}

/// A day, for people.
pub(super) fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

/// A length of time in its largest fitting unit, for people.
pub(super) fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs();
    let (count, unit) = match seconds {
        ..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
