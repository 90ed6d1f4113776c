//! `--timings`: where the time went, and how far the run was from what its requests alone cost.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::inventory::Traffic;
use crate::model::escape_control;
use crate::registry::HostStatistics;

/// Rounds of requests that an image with one signature needs one after the other: manifest, evidence manifest, bytes.
const ROUNDS: u32 = 3;

/// Wall times of the phases.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Phases {
    pub(super) inventory: Duration,
    pub(super) evidence: Duration,
    pub(super) judgement: Duration,
}

/// The lines to print on standard error.
pub(super) fn lines(phases: Phases, traffic: Option<&Traffic>, hosts: &BTreeMap<String, HostStatistics>) -> Vec<String> {
    let mut lines = vec![format!(
        "timings: inventory {} · evidence {} · judging and writing {}",
        show(phases.inventory),
        show(phases.evidence),
        show(phases.judgement)
    )];
    if let Some(traffic) = traffic {
        lines.push(format!(
            "  API server: {} requests ({} repeated) · {} · round trip {} · {} in requests, {} waited",
            traffic.requests,
            traffic.repeated,
            bytes(traffic.bytes),
            traffic.round_trip.map_or_else(|| "unknown".to_owned(), show),
            show(traffic.answering),
            show(traffic.waited)
        ));
    }
    for (host, at) in hosts {
        let kinds: Vec<_> = at.requests.iter().map(|(kind, count)| format!("{} {count}", kind.name())).collect();
        lines.push(format!(
            "  {}: {} requests ({}; {} retried, {} times 429) · {} · round trip {} · {} in requests, {} waited · window {}",
            escape_control(host),
            at.total(),
            kinds.join(", "),
            at.retries,
            at.rate_limited,
            bytes(at.bytes),
            show(at.fastest),
            show(at.round_trips),
            show(at.waited),
            at.window
        ));
    }
    if let Some(floor) = hosts.values().map(floor).max().filter(|floor| !floor.is_zero()) {
        let ratio = phases.evidence.as_secs_f64() / floor.as_secs_f64();
        lines.push(format!("  floor of the evidence: {} (all requests side by side in the window, {ROUNDS} rounds at least); this run took {ratio:.1} times that", show(floor)));
    }
    lines
}

/// What a host's requests would have cost had its window always been full, and at least the rounds that depend on each other.
fn floor(at: &HostStatistics) -> Duration {
    let side_by_side = at.round_trips / u32::try_from(at.window.max(1)).unwrap_or(u32::MAX);
    side_by_side.max(at.fastest * ROUNDS)
}

fn show(duration: Duration) -> String {
    match duration.as_micros() {
        0..1_000 => format!("{} µs", duration.as_micros()),
        1_000..1_000_000 => format!("{:.1} ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_full_window_or_the_rounds() {
        let at = |round_trips: u64, fastest: u64, window: usize| HostStatistics {
            round_trips: Duration::from_millis(round_trips),
            fastest: Duration::from_millis(fastest),
            window,
            ..HostStatistics::default()
        };
        assert_eq!(floor(&at(3_200, 10, 32)), Duration::from_millis(100));
        assert_eq!(floor(&at(300, 100, 256)), Duration::from_millis(300));
        let hosts = BTreeMap::from([("ghcr.io".to_owned(), at(3_200, 10, 32))]);
        let phases = Phases { evidence: Duration::from_millis(150), ..Phases::default() };
        assert!(lines(phases, None, &hosts).last().unwrap().contains("1.5 times"), "{:?}", lines(phases, None, &hosts));
    }
}
