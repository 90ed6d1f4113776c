//! The `seaworthy` binary: calls the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(seaworthy::cli::run(std::env::args_os()).code())
}
