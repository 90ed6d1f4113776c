//! Time and memory of one process: a small process starts it, waits for it and asks the kernel what its children used.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

/// What a process used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Usage {
    /// From its start to its end.
    pub wall: Duration,
    /// User and system time together.
    pub cpu: Duration,
    /// The most memory that was resident at once, in bytes.
    pub peak: u64,
    /// Its exit code; none where a signal ended it.
    pub exit: Option<i32>,
}

/// `measure REPORT PROGRAM ARGUMENT…`: runs the program and writes its usage to the file.
///
/// In a process of its own, because the kernel tells the peak of all children together, and a child's peak begins with its parent's.
pub fn run(report: &str, command: &[&str]) -> ExitCode {
    let [program, arguments @ ..] = command else { return ExitCode::from(2) };
    let begin = Instant::now();
    let status = Command::new(program).args(arguments).status().unwrap();
    let wall = begin.elapsed();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let usage = Usage {
        wall,
        cpu: Duration::from_micros(u64::try_from(micros).unwrap()),
        // Linux counts in KiB, macOS in bytes.
        peak: u64::try_from(used.max_rss()).unwrap() * if cfg!(target_os = "macos") { 1 } else { 1024 },
        exit: status.code(),
    };
    std::fs::write(Path::new(report), serde_json::to_vec(&usage).unwrap()).unwrap();
    ExitCode::SUCCESS
}
