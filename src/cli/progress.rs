//! Progress on standard error: only on a terminal, and gone when the report is printed.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::{Phase, ScanEvent, escape_control};

/// Shows what a scan is doing.
pub struct Progress(ProgressBar);

impl Progress {
    /// Progress on standard error, or nothing where that is no terminal.
    #[must_use]
    pub fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Takes in an event.
    pub fn show(&self, event: &ScanEvent) {
        match event {
            ScanEvent::PhaseStarted(Phase::Inventory, _) => self.0.set_message("listing what runs"),
            ScanEvent::PhaseStarted(Phase::Evidence, steps) => {
                self.0.set_length(steps.unwrap_or_default());
                self.0.set_position(0);
                if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} images {wide_bar:.dim} {elapsed} {msg}") {
                    self.0.set_style(style);
                }
                self.0.set_message("");
            }
            ScanEvent::PhaseStarted(Phase::Judgement, _) => self.0.set_message("judging"),
            ScanEvent::Listed { objects } => self.0.set_message(format!("listing what runs: {objects} objects")),
            ScanEvent::Answered(_) => {}
            ScanEvent::ImageDone { reference } => {
                self.0.inc(1);
                self.0.set_message(escape_control(reference).into_owned());
            }
            ScanEvent::PhaseEnded(_) => {}
        }
    }

    /// Clears it.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
