//! Applying exceptions: after the rule, and never before.

use super::judge::{ControlJudgement, fold};
use crate::documents::Control;
use crate::model::{
    ClusterRecord, ControlStatus, Counts, ExceptionRecord, ImageReference, Inventory, Judgement, Standing, Workload, WorkloadFinding,
};
use crate::policy::{Effect, ExceptedContainer, ExceptionSubject, Exceptions};

/// Exceptions while they are applied, and what they were found to do.
pub struct Excepting<'a> {
    exceptions: Exceptions<'a>,
    tallies: Vec<Tally>,
    controls: Vec<&'a Control>,
    cluster: Option<String>,
}

/// What one exception was found to do.
#[derive(Debug, Clone, Default)]
struct Tally {
    /// Answers that it turns, or would have turned.
    matched: u64,
    /// Another exception that turned an answer that it is about.
    besides: Option<usize>,
    /// The first workload of what its controls judge.
    first: Option<u32>,
    /// Whether its controls judge another one.
    several: bool,
    /// Whether it is not about something that its controls judge.
    leaves_out: bool,
}

impl<'a> Excepting<'a> {
    /// Nothing is applied yet; the inventory says of which cluster everything is.
    #[must_use]
    pub fn new(exceptions: Exceptions<'a>, inventory: &Inventory) -> Self {
        let tallies = vec![Tally::default(); exceptions.len()];
        let cluster = inventory.cluster.clone().map(|identity| ClusterRecord::from(identity).name.to_string());
        Self { exceptions, tallies, controls: Vec::new(), cluster }
    }

    /// Turns what is excepted of what a control says.
    pub fn apply(&mut self, control: &'a Control, inventory: &Inventory, said: &mut ControlJudgement) {
        self.controls.push(control);
        let about: Vec<usize> = (0..self.exceptions.len()).filter(|position| self.exceptions.names(*position, control)).collect();
        if about.is_empty() {
            return;
        }
        match said {
            ControlJudgement::Workloads { findings, counts } => {
                for finding in findings.iter_mut() {
                    let at = usize::try_from(finding.workload).ok().and_then(|at| inventory.workloads.get(at));
                    if let Some(workload) = at {
                        self.workload(control, &about, workload, finding);
                    }
                }
                *counts = recount(findings, counts.irrelevant);
            }
            ControlJudgement::Cluster { judgement, standing, counts } => {
                if let Some(by) = self.about_cluster(control, &about, judgement) {
                    *standing = Standing::Excepted(by);
                    *counts = Counts { excepted: 1, ..Counts::default() };
                }
            }
            ControlJudgement::Unconfigured(_) | ControlJudgement::RequiresReview(_) => {}
        }
    }

    fn workload(&mut self, control: &Control, about: &[usize], workload: &Workload, finding: &mut WorkloadFinding) {
        for container in &mut finding.containers {
            let open = !matches!(container.judgement, Judgement::Pass { .. });
            // Of what passes nothing has to be known but whether an exception leaves it out.
            let wanted = |tallies: &[Tally], position: usize| open || tallies.get(position).is_some_and(|tally| !tally.leaves_out);
            if !about.iter().any(|position| wanted(&self.tallies, *position)) {
                continue;
            }
            let repository = container.reference.parse::<ImageReference>().ok();
            let mut taken = Taken::default();
            for position in about.iter().copied() {
                if !wanted(&self.tallies, position) {
                    continue;
                }
                let Some(tally) = self.tallies.get_mut(position) else { continue };
                let subject = ExceptionSubject::Container(ExceptedContainer {
                    cluster: self.cluster.as_deref(),
                    workload: &workload.key,
                    labels: &workload.labels,
                    origin: &workload.origin,
                    container: &container.container,
                    repository: repository.as_ref().map(ImageReference::repository),
                    digest: container.digest.as_ref(),
                });
                let covers = self.exceptions.covers(position, &subject);
                tally.saw(finding.workload, covers);
                if covers {
                    taken.add(position, self.exceptions.effect(position, control, &container.judgement));
                }
            }
            let (by, warnings) = taken.count(&mut self.tallies);
            container.warnings.extend(warnings);
            if let Some(by) = by {
                container.standing = Standing::Excepted(by);
            }
        }
        finding.status = fold(&finding.containers);
    }

    fn about_cluster(&mut self, control: &Control, about: &[usize], judgement: &Judgement) -> Option<u32> {
        let mut taken = Taken::default();
        for position in about.iter().copied() {
            if self.exceptions.covers(position, &ExceptionSubject::Cluster(self.cluster.as_deref())) {
                taken.add(position, self.exceptions.effect(position, control, judgement));
            }
        }
        taken.count(&mut self.tallies).0
    }

    /// What a report says of each, in order.
    #[must_use]
    pub fn records(self) -> Vec<ExceptionRecord> {
        let names: Vec<String> = self.exceptions.facts().map(|facts| facts.name.to_owned()).collect();
        let records = self.exceptions.facts().zip(&self.tallies).enumerate().map(|(position, (facts, tally))| {
            let mut warnings = facts.warnings;
            warnings.extend(self.remark(position, tally, &names));
            ExceptionRecord {
                name: facts.name.to_owned(),
                file: facts.file.to_owned(),
                reason: facts.reason.to_owned(),
                expires: facts.expires,
                owner: facts.owner.map(str::to_owned),
                approved_by: facts.approved_by.map(str::to_owned),
                ticket: facts.ticket.map(str::to_owned),
                state: facts.state,
                matched: tally.matched,
                warnings,
            }
        });
        records.collect()
    }

    /// That it matches everything or nothing.
    fn remark(&self, position: usize, tally: &Tally, names: &[String]) -> Option<String> {
        if self.exceptions.limits_nothing(position, &self.controls) {
            return Some("it matches everything: neither workloads nor images limit it".to_owned());
        }
        if tally.first.is_some() && tally.several && !tally.leaves_out {
            return Some("it matches everything that its controls judge here".to_owned());
        }
        if tally.matched > 0 {
            return None;
        }
        if let Some(by) = tally.besides.and_then(|by| names.get(by)) {
            return Some(format!("it matches nothing that {by} does not except already"));
        }
        if self.controls.iter().any(|control| self.exceptions.names(position, control)) {
            Some("it matches nothing here".to_owned())
        } else {
            Some(ExceptionRecord::NOT_JUDGED.to_owned())
        }
    }
}

impl Tally {
    fn saw(&mut self, workload: u32, covers: bool) {
        self.leaves_out |= !covers;
        self.several |= self.first.is_some_and(|first| first != workload);
        self.first = self.first.or(Some(workload));
    }
}

/// Exceptions that are about one answer, in order.
#[derive(Default)]
struct Taken {
    turn: Vec<usize>,
    lapsed: Vec<(usize, String)>,
}

impl Taken {
    fn add(&mut self, position: usize, effect: Option<Effect>) {
        match effect {
            None => {}
            Some(Effect::Turns) => self.turn.push(position),
            Some(Effect::Lapsed(why)) => self.lapsed.push((position, why)),
        }
    }

    /// The first that turns it is the one that is named; where none does, those that do not hold any more say so.
    fn count(self, tallies: &mut [Tally]) -> (Option<u32>, Vec<String>) {
        let mut turn = self.turn.into_iter();
        let Some(first) = turn.next() else {
            for (position, _) in &self.lapsed {
                if let Some(tally) = tallies.get_mut(*position) {
                    tally.matched += 1;
                }
            }
            return (None, self.lapsed.into_iter().map(|(_, why)| why).collect());
        };
        if let Some(tally) = tallies.get_mut(first) {
            tally.matched += 1;
        }
        for position in turn.chain(self.lapsed.into_iter().map(|(position, _)| position)) {
            if let Some(tally) = tallies.get_mut(position) {
                tally.besides = tally.besides.or(Some(first));
            }
        }
        (u32::try_from(first).ok(), Vec::new())
    }
}

fn recount(findings: &[WorkloadFinding], irrelevant: u64) -> Counts {
    let mut counts = Counts { irrelevant, ..Counts::default() };
    for finding in findings {
        match finding.status {
            ControlStatus::Failed => counts.failed += 1,
            ControlStatus::Unknown => counts.unknown += 1,
            ControlStatus::AcceptedUnknown => counts.accepted += 1,
            ControlStatus::Excepted => counts.excepted += 1,
            ControlStatus::Passed => counts.passed += 1,
            ControlStatus::Irrelevant => counts.irrelevant += 1,
        }
    }
    counts
}
