//! Running a helper program: with its input, within a time and a size.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// What a program gave.
pub(super) struct Finished {
    /// Whether it ended well.
    pub(super) success: bool,
    /// What it wrote to standard output. It may hold a credential: never shown.
    pub(super) output: Vec<u8>,
}

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    #[error("it cannot be started: {0}")]
    Start(std::io::Error),
    #[error("it gave no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    #[error("it wrote more than {0} bytes")]
    TooMuch(u64),
    #[error("talking to it failed: {0}")]
    Pipe(std::io::Error),
}

/// Runs a program. Standard error is thrown away: some programs write credentials there.
pub(super) async fn run(mut command: Command, input: &[u8], timeout: Duration, most: u64) -> Result<Finished, ProcessError> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(ProcessError::Start)?;
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let talk = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input may have ended already, which is no harm.
                let _ = stdin.write_all(input).await;
            }
        };
        let read = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(most + 1).read_to_end(&mut output).await.map_err(ProcessError::Pipe)?;
            }
            if output.len() as u64 > most { Err(ProcessError::TooMuch(most)) } else { Ok(output) }
        };
        let ((), output) = tokio::join!(write, read);
        let output = output?;
        let status = child.wait().await.map_err(ProcessError::Pipe)?;
        Ok(Finished { success: status.success(), output })
    };
    tokio::time::timeout(timeout, talk).await.unwrap_or(Err(ProcessError::Timeout(timeout)))
}
