//! What fails, by cause.

use std::collections::BTreeMap;

use super::escape::{block, code, prose};
use super::summary::named;
use crate::model::{ControlOutcome, Novelty, Report, Severity, Stage, Standing};
use crate::report::causes::{About, CauseGroup, Member, Open, causes};
use crate::report::terminal::counted;

/// Workloads that are named for a cause.
const MOST_WORKLOADS: usize = 12;
/// What is told of a cause that fits no more is its number alone: room for that.
const CLOSING: usize = 600;
/// Programs whose commands a remedy may name.
const PROGRAMS: [&str; 7] = ["cosign ", "seaworthy ", "kubectl ", "crane ", "docker ", "helm ", "gh "];

/// Causes that fail and count, the worst first; with a baseline what is new before what is known.
pub(super) fn failing(report: &Report, room: usize) -> String {
    let groups = causes(report);
    let failing = groups.iter().filter(|group| matches!(group.open, Open::Failed(_)) && group.standing == Standing::AsIs);
    let (counting, preview): (Vec<_>, Vec<_>) = failing.partition(|group| group.control.stage == Stage::Stable);
    let (new, known): (Vec<_>, Vec<_>) = counting.into_iter().partition(|group| report.baseline.is_some() && is_new(group));
    let mut room = room.saturating_sub(3 * CLOSING);
    let mut text = String::new();
    let known_title = if report.baseline.is_some() { "Failing, known to the baseline" } else { "Failing" };
    for (title, groups) in [("New", new), (known_title, known), ("In preview, counted nowhere", preview)] {
        let part = part(title, &groups, room);
        room = room.saturating_sub(part.len());
        text.push_str(&part);
    }
    text
}

fn part(title: &str, groups: &[&CauseGroup<'_>], room: usize) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let mut entries = String::new();
    let mut shown = 0;
    for group in groups {
        let entry = entry(group);
        if entries.len() + entry.len() > room {
            break;
        }
        entries.push_str(&entry);
        shown += 1;
    }
    let mut text = format!("\n### {title}: {}\n{entries}", counted(groups.len(), "cause"));
    if shown < groups.len() {
        let mut by_severity: BTreeMap<_, usize> = BTreeMap::new();
        for group in &groups[shown..] {
            *by_severity.entry(std::cmp::Reverse(group.control.severity)).or_default() += 1;
        }
        let told: Vec<_> =
            by_severity.iter().map(|(std::cmp::Reverse(severity), count)| format!("{count} {}", Severity::name(*severity))).collect();
        let cut = counted(groups.len() - shown, "more cause");
        text.push_str(&format!("\n**… and {cut}** ({}) that a comment has no room for: see the whole report.\n", told.join(", ")));
    }
    text
}

fn is_new(group: &CauseGroup<'_>) -> bool {
    group.members.iter().any(|member| member.finding.novelty == Some(Novelty::New)) || of_cluster(group) == Some(Novelty::New)
}

fn of_cluster(group: &CauseGroup<'_>) -> Option<Novelty> {
    match (&group.about, &group.control.outcome) {
        (About::Cluster, ControlOutcome::Cluster { novelty, .. }) => *novelty,
        _ => None,
    }
}

fn entry(group: &CauseGroup<'_>) -> String {
    let control = group.control;
    let mut text = format!(
        "\n#### {} · {} {}\n\n**{}** · {}",
        control.severity.name(),
        named(control),
        prose(&control.title),
        group.open.code(),
        subject(group)
    );
    if group.injected {
        text.push_str(" · injected into the pods");
    }
    if !group.members.is_empty() {
        text.push_str(&format!(" · {}", counted(group.workloads(), "workload")));
        let new = group.members.iter().filter(|member| member.finding.novelty == Some(Novelty::New)).count();
        if new > 0 {
            text.push_str(&format!(" · **{new} new**"));
        }
    } else if of_cluster(group) == Some(Novelty::New) {
        text.push_str(" · **new**");
    }
    text.push('\n');
    if !group.detail.is_empty() {
        text.push_str(&format!("\n{}\n", prose(group.detail)));
    }
    let (told, commands) = remedy(group.remediation);
    let summary = match (group.members.is_empty(), group.remediation.is_empty()) {
        (true, true) => return text,
        (true, false) => "How to fix it",
        (false, true) => "Where",
        (false, false) => "Where, and how to fix it",
    };
    text.push_str(&format!("\n<details><summary>{summary}</summary>\n"));
    if !group.members.is_empty() {
        text.push('\n');
    }
    for member in group.members.iter().take(MOST_WORKLOADS) {
        text.push_str(&where_it_is(member));
    }
    if group.members.len() > MOST_WORKLOADS {
        text.push_str(&format!("- and {} more\n", group.members.len() - MOST_WORKLOADS));
    }
    if !told.is_empty() {
        text.push_str(&format!("\n{}\n", prose(&told)));
    }
    if !commands.is_empty() {
        text.push_str(&format!("\n{}", block(&commands)));
    }
    text.push_str("\n</details>\n");
    text
}

fn subject(group: &CauseGroup<'_>) -> String {
    match &group.about {
        About::Cluster => "the cluster as a whole".to_owned(),
        About::Repository(repository) => format!("repository {}", code(repository)),
        About::Image { reference, .. } => code(reference),
    }
}

fn where_it_is(member: &Member<'_>) -> String {
    let Member { workload, finding, .. } = member;
    let cluster = workload.cluster.as_deref().map(|cluster| format!("{} · ", code(cluster))).unwrap_or_default();
    let mut text = format!("- {cluster}{} · container {}", code(&workload.key.to_string()), code(&finding.container));
    if let Some(owner) = workload.owner.as_deref() {
        text.push_str(&format!(" · owner {}", code(owner)));
    }
    if let Some(position) = &finding.position {
        text.push_str(&format!(" · {}", code(&format!("{}:{}:{}", position.file, position.line, position.column))));
        if let Some(template) = &position.rendered_from {
            text.push_str(&format!(" from {}", code(template)));
        }
    }
    match finding.novelty {
        Some(Novelty::New) => text.push_str(" · **new**"),
        Some(Novelty::Known) => text.push_str(" · known"),
        None => {}
    }
    text.push('\n');
    text
}

/// What a remedy tells, and the commands in it: `do so: cosign sign …; see: seaworthy …`.
fn remedy(text: &str) -> (String, Vec<&str>) {
    let (mut told, mut commands) = (Vec::new(), Vec::new());
    for clause in text.split("; ") {
        let command =
            clause.match_indices(": ").map(|(at, _)| at).find(|at| PROGRAMS.iter().any(|program| clause[at + 2..].starts_with(program)));
        match command {
            Some(at) => {
                told.push(&clause[..=at]);
                commands.push(&clause[at + 2..]);
            }
            None => told.push(clause),
        }
    }
    (told.join(" "), commands)
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn commands_are_found_in_a_remedy() {
        assert_eq!(remedy("Sign what runs: cosign sign a@b"), ("Sign what runs:".to_owned(), vec!["cosign sign a@b"]));
        let two = "Sign: cosign sign a; see why: seaworthy verify image a --trust-policy FILE";
        assert_eq!(remedy(two), ("Sign: see why:".to_owned(), vec!["cosign sign a", "seaworthy verify image a --trust-policy FILE"]));
        assert_eq!(remedy("Pin it: by digest"), ("Pin it: by digest".to_owned(), Vec::new()));
    }
}
