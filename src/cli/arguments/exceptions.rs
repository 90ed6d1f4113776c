//! `exceptions lint|draft`, and the option of `scan` that takes them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What may fail for a while.
#[derive(Debug, Default, Args)]
pub struct ExceptionOptions {
    /// Exceptions: a file or directory of our own form (YAML), or Kubescape's (JSON); also what the organisation allows of them
    /// (repeatable, in this order)
    #[arg(long = "exceptions", global = true, value_name = "FILE|DIR", help_heading = "Exceptions")]
    pub files: Vec<PathBuf>,
}

const LINT_EXAMPLES: &str = "\
Examples:
  seaworthy exceptions lint exceptions.yaml organisation.yaml
  seaworthy exceptions lint kubescape-exceptions.json --at 2027-01-31T00:00:00Z

Exit code 0 where every file can be read (warnings are told), 2 where one cannot.";

const DRAFT_EXAMPLES: &str = "\
Examples:
  seaworthy scan -f json -o report.json
  seaworthy exceptions draft prod/Deployment/web --control C-0237 --report report.json > web.yaml
  seaworthy exceptions draft 5f0c2a9b1e7d4836 --report report.json

What it prints has an empty reason and owner: until a person fills them in it is refused.";

/// `exceptions`.
#[derive(Debug, Args)]
pub struct ExceptionsArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ExceptionsCommand,
}

/// The commands on exceptions.
#[derive(Debug, Subcommand)]
pub enum ExceptionsCommand {
    /// Print an exception for a finding, narrowed to its workloads and images, to be filled in
    #[command(after_help = DRAFT_EXAMPLES)]
    Draft {
        /// A cause's identifier (16 hexadecimal digits), or a workload
        #[arg(value_name = "CAUSE|NAMESPACE/KIND/NAME")]
        finding: String,
        /// The report, as `scan -f json` wrote it
        #[arg(long, value_name = "REPORT.json")]
        report: PathBuf,
        /// The control, where the workload fails several
        #[arg(long, value_name = "ID")]
        control: Option<String>,
    },
    /// Check files of exceptions: what is wrong, what ended, what the organisation does not allow, what excepts everything
    #[command(after_help = LINT_EXAMPLES)]
    Lint {
        /// Files or directories, of our own form or Kubescape's; with the organisation's, what it allows is checked too
        #[arg(value_name = "FILE", required = true)]
        paths: Vec<PathBuf>,
        /// The moment as of which it is judged what ended (default: now)
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
}
