//! The command line: arguments, configuration, exit codes. The one room that knows all others.

mod acquire;
mod arguments;
mod controls;
mod doctor;
mod draft;
mod dry_run;
mod evidence;
mod exceptions;
mod exit;
mod github;
mod images;
mod library;
mod output;
mod pinning;
mod places;
mod progress;
mod rbac;
mod registries;
mod sbom;
mod scan;
mod signals;
mod slsa;
mod snapshot;
mod stored;
mod summaries;
mod terminal;
mod timings;
mod trust;
mod trust_command;
mod verify;

use std::ffi::OsString;
use std::future::Future;

use clap::Parser as _;

pub use arguments::Arguments;
use arguments::{Command, LogLevel};
pub use exit::Exit;

use crate::inventory::InventoryError;

/// Parses the arguments, does what they say, and returns how the program ends.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe while printing help is no reason to complain.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success };
        }
    };
    start_log(arguments.log.unwrap_or(LogLevel::Warn));
    let result = match arguments.command {
        Command::Scan(scan) => block_on(scan::run(*scan)),
        Command::Snapshot(snapshot) => block_on(snapshot::run(*snapshot)),
        Command::Verify(verify) => block_on(verify::run(verify)),
        Command::Slsa(slsa) => block_on(slsa::run(slsa)),
        Command::Sbom(sbom) => block_on(sbom::run(sbom)),
        Command::Trust(trust) => block_on(trust_command::run(trust)),
        Command::Report(arguments) => stored::run(arguments),
        Command::Diff(arguments) => stored::diff(&arguments),
        Command::Images(images) => block_on(images::run(*images)),
        Command::Controls(arguments) => controls::run(&arguments),
        Command::Exceptions(arguments) => exceptions::run(&arguments),
        Command::List(arguments) => controls::list(&arguments),
        Command::Doctor(doctor) => block_on(doctor::run(*doctor)),
        Command::Rbac(arguments) => rbac::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        match error.downcast_ref::<InventoryError>() {
            // The user's own wish is no error.
            Some(ended @ InventoryError::Ended(_)) => note(&ended.to_string()),
            _ => complain(&error),
        }
        exit_of_error(&error)
    })
}

fn block_on(work: impl Future<Output = anyhow::Result<Exit>> + Send + 'static) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // On a worker, beside the connections that it speaks over: from this thread each answer would be one more switch of threads.
    let result = runtime.block_on(runtime.spawn(work))?;
    // Not dropped: that would wait for name look-ups that may never end.
    runtime.shutdown_background();
    result
}

/// What could not be listed at all has a code of its own; every other error is one of usage or configuration.
fn exit_of_error(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<InventoryError>() {
        Some(InventoryError::Ended(stop)) => exit::before_listing(*stop),
        Some(error) if !error.is_usage() => Exit::NothingListed,
        _ => Exit::Usage,
    }
}

#[expect(clippy::print_stderr, reason = "errors are for the person at the terminal")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {}", crate::model::escape_control(&chain(error)));
}

/// An error with its causes; a cause that the error before it tells already is not told twice.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// A note on standard error that is no log line.
#[expect(clippy::print_stderr, reason = "notes are for the person at the terminal")]
fn note(text: &str) {
    eprintln!("{}", crate::model::escape_control(text));
}

fn start_log(level: LogLevel) {
    let level = match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    // Only our own events: those of HTTP libraries may carry headers.
    let filter = tracing_subscriber::EnvFilter::new(format!("seaworthy={level}"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}
