//! Speed and memory, measured: `make bench`, or `cargo bench -- NAME…` for some of the scenarios.
//!
//! The scripted API server and registry run as processes of their own (this program, called again), so that only the audited
//! process's time and memory are counted. Every limit that is missed is said, and ends the run with exit code 1.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement prints, and stops where its set-up fails"
)]

mod cluster;
mod content;
mod docker;
mod measure;
mod predicates;
mod registry;
mod replay;
mod scenarios;
mod server;
mod stage;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve-registry", ref options @ ..] => registry::serve(options),
        ["serve-api", ref options @ ..] => cluster::serve(options),
        ["replay", "sockets", requests] => replay::run(replay::By::Sockets, requests),
        ["replay", "library", requests] => replay::run(replay::By::Library, requests),
        ["measure", report, ref command @ ..] => return measure::run(report, command),
        // Cargo itself adds `--bench`.
        ref names => return scenarios::run(&names.iter().copied().filter(|name| !name.starts_with("--")).collect::<Vec<_>>()),
    }
    ExitCode::SUCCESS
}

/// The value of `--name VALUE`.
fn option<T: std::str::FromStr>(options: &[&str], name: &str) -> Option<T> {
    let position = options.iter().position(|option| *option == name)?;
    options.get(position + 1)?.parse().ok()
}
