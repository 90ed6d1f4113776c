//! Arguments of the commands on stored reports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::output::{ColorChoice, OutputOptions};

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// What to do.
    #[command(subcommand)]
    pub what: ReportWhat,
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  seaworthy report convert report.json -f sarif -o report.sarif
  seaworthy report convert report.json -f markdown,junit=junit.xml
  zstd -dc monday.json.zst | seaworthy report convert - -v

What is written is what the scan itself would have written in that format. Exit code 0, or 2 where there is no report to read.";

/// The commands on stored reports.
#[derive(Debug, Subcommand)]
pub enum ReportWhat {
    /// Write a stored report (`-f json`) in other formats
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert {
        /// The report, - for standard input
        #[arg(value_name = "REPORT.json")]
        report: PathBuf,
        /// Output.
        #[command(flatten)]
        output: OutputOptions,
    },
}

const DIFF_EXAMPLES: &str = "\
Examples:
  seaworthy diff monday.json friday.json
  seaworthy diff main.json branch.json -f json --exit-code

Each change names what may explain it: workload, exception, knowledge gained or lost, evidence, policy, trust root, tool version, time.
Exit code 0; with --exit-code 1 where an answer got worse; 2 where there is no report to read.";

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub struct Diff {
    /// The older report (`-f json`), - for standard input
    #[arg(value_name = "OLD.json")]
    pub old: PathBuf,
    /// The newer one
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,
    /// Form of the comparison
    #[arg(short, long, value_enum, default_value = "pretty")]
    pub format: ChangesFormat,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// End with 1 where an answer got worse
    #[arg(long)]
    pub exit_code: bool,
    /// Compare although they are of different clusters, or of different things
    #[arg(long)]
    pub force: bool,
    /// Colour
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColorChoice,
}

/// Forms of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChangesFormat {
    /// For a person.
    Pretty,
    /// JSON.
    Json,
}
