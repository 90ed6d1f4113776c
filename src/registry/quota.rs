//! Rate-limit headers: what a host says is left, and the part of it that the scan leaves to others.
//!
//! Nodes pull with the same credentials, or from the same address, as the scan asks: a scan that uses up the last pull stops the
//! next pod from starting. Docker Hub says `ratelimit-limit: 100;w=21600` and counts `GET` of manifests only; others say
//! `RateLimit-*` or `X-RateLimit-*` and count everything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use tokio::time::Instant;

use super::error::failure;
use super::statistics::RequestKind;
use crate::model::{Cause, UnknownAnswer};

/// The part of a limit that is left to others: a tenth.
const RESERVE: u64 = 10;
/// What is left to others where the limit itself is not said.
const RESERVE_OF_UNKNOWN: u64 = 5;
/// How long a statement is believed that does not say when it ends.
const BELIEVED: Duration = Duration::from_secs(60);
/// How long a statement over a sliding window is believed; answers that count for nothing renew it.
const BELIEVED_WINDOW: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Quota {
    remaining: u64,
    reserve: u64,
    pulls_only: bool,
    resets: bool,
    until: Instant,
}

/// What is left at one host, for each login.
#[derive(Default)]
pub(super) struct Quotas {
    any: AtomicBool,
    by_login: Mutex<HashMap<u64, Quota>>,
}

impl Quotas {
    /// Takes one request from what is left; or says until when to wait for more.
    ///
    /// # Errors
    /// When only the reserve is left and waiting for more would take longer than `longest_wait`.
    pub(super) fn take(&self, login: u64, kind: RequestKind, host: &str, longest_wait: Duration) -> Result<Option<Instant>, UnknownAnswer> {
        if !self.any.load(Relaxed) {
            return Ok(None);
        }
        let now = Instant::now();
        let mut by_login = self.by_login.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(quota) = by_login.get_mut(&login) else { return Ok(None) };
        if quota.until <= now {
            by_login.remove(&login);
            return Ok(None);
        }
        if quota.pulls_only && kind != RequestKind::ManifestGet {
            return Ok(None);
        }
        if quota.remaining > quota.reserve {
            quota.remaining -= 1;
            return Ok(None);
        }
        if quota.resets && quota.until - now <= longest_wait {
            return Ok(Some(quota.until));
        }
        let what = if quota.pulls_only { "pulls" } else { "requests" };
        let detail = format!(
            "{host} has {} {what} left for this login, which are left to the nodes and others; ask again later, or with another login",
            quota.remaining
        );
        Err(failure(Cause::RateLimited, detail))
    }

    /// Takes in what an answer says.
    pub(super) fn note(&self, login: u64, headers: &HeaderMap) {
        let Some((said, windowed)) = number(headers, ["ratelimit-remaining", "x-ratelimit-remaining"]) else { return };
        let limit = number(headers, ["ratelimit-limit", "x-ratelimit-limit"]).map(|(limit, _)| limit);
        let now = Instant::now();
        let reset =
            number(headers, ["ratelimit-reset", "x-ratelimit-reset"]).map(|(reset, _)| now + Duration::from_secs(seconds_until(reset)));
        let until = reset.unwrap_or(now + if windowed { BELIEVED_WINDOW } else { BELIEVED });
        let reserve = limit.map_or(RESERVE_OF_UNKNOWN, |limit| limit.div_ceil(RESERVE));
        let mut by_login = self.by_login.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers come back out of order, and requests are out that the host had not counted yet: the lower number holds until
        // the host's window has passed.
        let remaining = match by_login.get(&login) {
            Some(known) if known.until > now && known.pulls_only == windowed && !windowed => said.min(known.remaining),
            _ => said,
        };
        by_login.insert(login, Quota { remaining, reserve, pulls_only: windowed, resets: reset.is_some(), until });
        self.any.store(true, Relaxed);
    }
}

/// The number at the start of a header, and whether a window (`;w=`) stands behind it.
fn number(headers: &HeaderMap, names: [&str; 2]) -> Option<(u64, bool)> {
    let text = names.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    let digits = text.trim_start().bytes().take_while(u8::is_ascii_digit).count();
    let number = text.trim_start().get(..digits)?.parse().ok()?;
    Some((number, text.contains(";w=") || text.contains("; w=")))
}

/// Some say seconds, some a point in time.
fn seconds_until(reset: u64) -> u64 {
    const POINT_IN_TIME: u64 = 1_000_000_000;
    const LONGEST: u64 = 24 * 60 * 60;
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
    if reset >= POINT_IN_TIME { reset.saturating_sub(now).min(LONGEST) } else { reset.min(LONGEST) }
}

/// `Retry-After`: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const LONGEST: u64 = 24 * 60 * 60;
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds.min(LONGEST)));
    }
    let seconds = http_date(text)?.as_second().saturating_sub(Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(LONGEST)))
}

/// A date as HTTP writes it (RFC 9110, section 5.6.7; the preferred format).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn taken(quotas: &Quotas, kind: RequestKind) -> Result<bool, Cause> {
        quotas.take(0, kind, "host", Duration::from_secs(30)).map(|wait| wait.is_none()).map_err(|unknown| unknown.cause)
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_pulls_are_left_to_the_nodes_and_heads_cost_none() {
        let quotas = Quotas::default();
        assert_eq!(taken(&quotas, RequestKind::ManifestGet), Ok(true));
        quotas.note(0, &headers(&[("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "12;w=21600")]));
        let pulls: Vec<_> = (0..3).map(|_| taken(&quotas, RequestKind::ManifestGet)).collect();
        assert_eq!(pulls, [Ok(true), Ok(true), Err(Cause::RateLimited)]);
        assert_eq!(taken(&quotas, RequestKind::ManifestHead), Ok(true));
        // Another login has a limit of its own.
        assert_eq!(quotas.take(1, RequestKind::ManifestGet, "host", Duration::ZERO), Ok(None));
        quotas.note(0, &headers(&[("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "90;w=21600")]));
        assert_eq!(taken(&quotas, RequestKind::ManifestGet), Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_near_reset_is_waited_for() {
        let quotas = Quotas::default();
        quotas.note(0, &headers(&[("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", "10"), ("x-ratelimit-reset", "20")]));
        assert_eq!(taken(&quotas, RequestKind::ManifestHead), Ok(false));
        tokio::time::advance(Duration::from_secs(21)).await;
        assert_eq!(taken(&quotas, RequestKind::ManifestHead), Ok(true));
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")])), Some(Duration::ZERO));
        let soon = jiff::fmt::rfc2822::to_string(&(Timestamp::now() + Duration::from_secs(100)).to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        let wait = retry_after(&headers(&[("retry-after", &soon)])).unwrap().as_secs();
        assert!((95..=100).contains(&wait), "{wait}");
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")])), None);
    }
}
