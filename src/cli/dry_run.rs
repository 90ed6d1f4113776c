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
        let counts = [(at.manifests, "manifests"), (at.referrers, "referrers"), (at.others, "else")];
        let mut asked: Vec<_> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} about {what}")).collect();
        if asked.is_empty() {
            asked.push("once the digest is known".to_owned());
        }
        let repositories = if at.places.len() == 1 { "1 repository".to_owned() } else { format!("{} repositories", at.places.len()) };
        text.push_str(&format!("  {:<40} {repositories}; questions: {}\n", escape_control(host), asked.join(", ")));
    }
    if !foreseen.is_empty() {
        text.push_str("\nWhat is found leads to more: two requests for each piece of evidence; a registry may ask for a token first.\n");
    }
    write(&Target::Stdout, |out| out.write_all(text.as_bytes()))
}
