//! Options of what is printed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::output::FormatChoice;

/// What is printed, and where to.
#[derive(Debug, Args)]
pub struct OutputOptions {
    /// Formats: pretty, json, kubescape-json, csv, github, gitlab, html, junit, markdown, openreports, policyreport, prometheus, sarif; each optionally with its file
    #[arg(
        short,
        long = "format",
        global = true,
        value_name = "FORMAT[=FILE],…",
        value_delimiter = ',',
        default_value = "pretty",
        help_heading = "Output"
    )]
    pub formats: Vec<FormatChoice>,
    /// Version of `-f json`: ours (v1), or Kubescape's (v2)
    #[arg(long, global = true, value_name = "VERSION", value_enum, default_value = "v1", help_heading = "Output")]
    pub format_version: FormatVersion,
    /// File to write to; with several formats, the base of their names
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Show every workload that fails or is unknown, with path, image, digest and reason
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// Colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN", help_heading = "Output")]
    pub color: ColorChoice,
}

/// The version of the JSON report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatVersion {
    /// Ours.
    V1,
    /// Kubescape's.
    V2,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
