//! End-to-end tests: the real program against a real API server, real registries and real signatures, all on loopback.
//!
//! [`against_real_servers`] is the only test that runs by itself, and only where `SEAWORTHY_E2E` is set. It makes the programs
//! of `stack/`, then runs this test binary once more in a network and PID namespace of its own. There the tests of the modules
//! below, which are ignored elsewhere, share one set of servers and one standing cluster ([`stack::Stack`]): they may read all of
//! it, and change only what they made themselves.

mod attested;
mod browser;
mod chains;
mod client;
mod cluster;
mod commands;
mod consumers;
mod dashboards;
mod ending;
mod formats;
mod fronts;
mod images;
mod judged;
mod levels;
mod manifests;
mod milestones;
mod node;
mod offline;
mod platform;
mod process;
mod redaction;
mod registries;
mod rights;
mod shipped;
mod signing;
mod sigstore;
mod stack;
mod standing;
mod summaries;
mod supervisor;
mod trusted;
mod verdicts;

/// `SEAWORTHY_E2E=1`: all end-to-end tests; any other text: those whose names contain it.
#[test]
fn against_real_servers() {
    supervisor::run();
}
