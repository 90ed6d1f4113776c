//! Ending early: SIGINT, SIGTERM, and the time-out of the whole scan.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::model::Stop;

/// What is left after a first signal to report what is known; a second signal ends at once.
const GRACE: Duration = Duration::from_millis(800);

/// Watches for the reasons to end early, for as long as the runtime lives.
///
/// The first signal ends the work and lets what is known be reported. A second one, or a report that does not come, ends the
/// process with the signal's own code: an orchestrator that sends SIGTERM is never kept waiting by a silent registry.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn watch(timeout: Option<Duration>) -> std::io::Result<watch::Receiver<Option<Stop>>> {
    let (sender, receiver) = watch::channel(None);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let timeout = async {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        let stop = tokio::select! {
            _ = interrupt.recv() => Stop::Interrupted,
            _ = terminate.recv() => Stop::Terminated,
            () = timeout => Stop::TimedOut,
        };
        sender.send_replace(Some(stop));
        let last = match stop {
            Stop::Terminated => tokio::select! {
                _ = interrupt.recv() => Stop::Interrupted,
                _ = terminate.recv() => Stop::Terminated,
                () = tokio::time::sleep(GRACE) => Stop::Terminated,
            },
            Stop::Interrupted | Stop::TimedOut => tokio::select! {
                _ = interrupt.recv() => Stop::Interrupted,
                _ = terminate.recv() => Stop::Terminated,
            },
        };
        std::process::exit(i32::from(super::exit::Exit::from(last).code()));
    });
    Ok(receiver)
}
