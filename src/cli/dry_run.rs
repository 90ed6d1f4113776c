//! `--dry-run`: which host would be asked what.

use super::evidence::Prepared;
use super::output::{Target, write};
use crate::model::{Needs, escape_control};
use crate::scan::foresee;

/// Prints what would be asked first. Nothing is asked of a registry.
pub(super) fn print(prepared: &Prepared, needs: Needs) -> anyhow::Result<()> {
    let foreseen = foresee(&prepared.tasks, needs);
    let images = match prepared.tasks.len() {
        1 => "1 image".to_owned(),
        images => format!("{images} different images"),
    };
    let mut text = format!("{images}. Nothing was asked of a registry; a scan would first ask:\n\n");
    if foreseen.is_empty() {
        text.push_str("  nothing: the chosen controls read the specification alone\n");
    }
    for (host, at) in &foreseen {
        let mut asked = vec![format!("{} about manifests", at.manifests)];
        if at.referrers > 0 {
            asked.push(format!("{} about referrers", at.referrers));
        }
        if at.others > 0 {
            asked.push(format!("{} about else", at.others));
        }
        let repositories = if at.places.len() == 1 { "1 repository".to_owned() } else { format!("{} repositories", at.places.len()) };
        text.push_str(&format!("  {:<40} {repositories}; questions: {}\n", escape_control(host), asked.join(", ")));
    }
    if !foreseen.is_empty() {
        text.push_str("\nWhat is found leads to more: two requests for each piece of evidence; a registry may ask for a token first.\n");
    }
    write(&Target::Stdout, |out| out.write_all(text.as_bytes()))
}
