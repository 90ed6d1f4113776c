//! Counting what was asked of each host, for `--timings`, `doctor` and tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// `HEAD` of a manifest.
    ManifestHead,
    /// `GET` of a manifest or index: what registries count as a pull.
    ManifestGet,
    /// A page of the referrers API.
    Referrers,
    /// A blob.
    Blob,
    /// A page of the tag list.
    Tags,
    /// The base of the API, to learn how to log in.
    Base,
    /// A token.
    Token,
    /// A question to GitHub's API about attestations.
    Attestations,
}

impl RequestKind {
    /// All of them, in order.
    pub const ALL: [Self; 8] =
        [Self::ManifestHead, Self::ManifestGet, Self::Referrers, Self::Blob, Self::Tags, Self::Base, Self::Token, Self::Attestations];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ManifestHead => "manifest HEAD",
            Self::ManifestGet => "manifest GET",
            Self::Referrers => "referrers",
            Self::Blob => "blob",
            Self::Tags => "tags",
            Self::Base => "base",
            Self::Token => "token",
            Self::Attestations => "attestations",
        }
    }
}

/// What was asked of each host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// By host and port.
    pub hosts: BTreeMap<String, HostStatistics>,
}

/// What was asked of one host, and what it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostStatistics {
    /// Requests sent, by kind; kinds that were not sent are left out. Retries and redirects count.
    pub requests: BTreeMap<RequestKind, u64>,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// Sum of the times from sending to the end of the body, over all requests.
    pub round_trips: Duration,
    /// The shortest of them.
    pub fastest: Duration,
    /// Sum of the times spent waiting for one's turn, including waits that the host asked for.
    pub waited: Duration,
    /// Requests that were sent again.
    pub retries: u64,
    /// Answers 429.
    pub rate_limited: u64,
    /// Requests that may be in flight at the end.
    pub window: usize,
    /// The host's clock minus this machine's in seconds, from the first `Date` that it sent.
    pub clock_offset: Option<i64>,
}

impl HostStatistics {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// No `Date` was seen yet.
const NO_OFFSET: i64 = i64::MIN;

/// The counters behind [`HostStatistics`]. Nothing is decided by them, so their order among each other does not matter.
pub(super) struct Counters {
    requests: [AtomicU64; RequestKind::ALL.len()],
    bytes: AtomicU64,
    round_trips: AtomicU64,
    fastest: AtomicU64,
    waited: AtomicU64,
    retries: AtomicU64,
    rate_limited: AtomicU64,
    clock_offset: AtomicI64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: Default::default(),
            bytes: AtomicU64::new(0),
            round_trips: AtomicU64::new(0),
            fastest: AtomicU64::new(u64::MAX),
            waited: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            rate_limited: AtomicU64::new(0),
            clock_offset: AtomicI64::new(NO_OFFSET),
        }
    }
}

impl Counters {
    pub(super) fn sent(&self, kind: RequestKind) {
        self.requests[kind as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn received(&self, took: Duration, bytes: usize) {
        let micros = micros(took);
        self.round_trips.fetch_add(micros, Relaxed);
        self.fastest.fetch_min(micros, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn waited(&self, wait: Duration) {
        self.waited.fetch_add(micros(wait), Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(super) fn rate_limited(&self) {
        self.rate_limited.fetch_add(1, Relaxed);
    }

    pub(super) fn needs_clock(&self) -> bool {
        self.clock_offset.load(Relaxed) == NO_OFFSET
    }

    pub(super) fn clock(&self, offset: i64) {
        self.clock_offset.store(offset, Relaxed);
    }

    pub(super) fn read(&self, window: usize) -> HostStatistics {
        let count = |kind: &RequestKind| self.requests[*kind as usize].load(Relaxed);
        let fastest = self.fastest.load(Relaxed);
        HostStatistics {
            requests: RequestKind::ALL.iter().map(|kind| (*kind, count(kind))).filter(|(_, count)| *count > 0).collect(),
            bytes: self.bytes.load(Relaxed),
            round_trips: Duration::from_micros(self.round_trips.load(Relaxed)),
            fastest: if fastest == u64::MAX { Duration::ZERO } else { Duration::from_micros(fastest) },
            waited: Duration::from_micros(self.waited.load(Relaxed)),
            retries: self.retries.load(Relaxed),
            rate_limited: self.rate_limited.load(Relaxed),
            window,
            clock_offset: Some(self.clock_offset.load(Relaxed)).filter(|offset| *offset != NO_OFFSET),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
