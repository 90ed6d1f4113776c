//! What is new against a report of another day.
//!
//! An answer is known again by its control, workload, container and repository, and by its reason: neither a new tag nor a new digest of an
//! image that failed before is new, another repository in its place is, and so is another reason. What the baseline did not know and is
//! known to fail now is new; what it knew to fail and is unknown now is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    BaselineRecord, ContainerFinding, ContainerKind, ControlOutcome, ControlResult, ImageReference, Judgement, Novelty, ObjectKey, Reason,
    Report, ReportSource, SharedText, Standing,
};

/// Why two reports cannot be compared, in words that follow "the baseline".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is from something else.
    #[error("is of {old}, and this is of {new}")]
    Source {
        /// What it is of.
        old: &'static str,
        /// What this is of.
        new: &'static str,
    },
    /// It is of another cluster.
    #[error("is of cluster {old}, and this is {new}")]
    Cluster {
        /// Its clusters.
        old: String,
        /// These.
        new: String,
    },
}

/// Whether the two are about the same thing.
///
/// # Errors
/// When one is about a cluster and the other is not, or no cluster is in both.
pub fn comparable(old: &Report, new: &Report) -> Result<(), BaselineError> {
    let what = |source: ReportSource| match source {
        ReportSource::Cluster => "a cluster",
        ReportSource::Manifests => "manifests",
        ReportSource::Images => "named images",
    };
    if old.header.source != new.header.source {
        return Err(BaselineError::Source { old: what(old.header.source), new: what(new.header.source) });
    }
    let is_same = |one: &crate::model::ClusterRecord, other: &crate::model::ClusterRecord| match (&one.identity.uid, &other.identity.uid) {
        (Some(one), Some(other)) => one == other,
        _ => one.name == other.name,
    };
    let (before, now) = (&old.header.clusters, &new.header.clusters);
    let shared = now.iter().any(|cluster| before.iter().any(|known| is_same(known, cluster)));
    if shared || (before.is_empty() && now.is_empty()) {
        return Ok(());
    }
    let names = |report: &Report| {
        let named = report.header.clusters.iter().map(|cluster| match &cluster.identity.uid {
            Some(uid) => format!("{} (UID {uid})", cluster.name),
            None => cluster.name.to_string(),
        });
        named.collect::<Vec<_>>().join(", ")
    };
    Err(BaselineError::Cluster { old: names(old), new: names(new) })
}

/// By what a cluster is known in both reports.
pub(super) fn clusters(report: &Report) -> BTreeMap<SharedText, String> {
    let one = report.header.clusters.len() == 1;
    let known = report.header.clusters.iter().map(|cluster| {
        // A context may be called otherwise on another machine.
        let by = if one { String::new() } else { cluster.identity.uid.clone().unwrap_or_else(|| cluster.name.to_string()) };
        (cluster.name.clone(), by)
    });
    known.collect()
}

type Key<'a> = (&'a str, String, Option<&'a ObjectKey>, Option<(ContainerKind, &'a str)>, String);

/// What an answer that is not good is known again by.
fn keys<'a>(report: &'a Report, mut each: impl FnMut(Key<'a>, &'a Judgement, Standing)) {
    let clusters = clusters(report);
    for control in &report.controls {
        if let ControlOutcome::Cluster { judgement, standing, .. } = &control.outcome {
            each((&control.id, String::new(), None, None, String::new()), judgement, *standing);
        }
        for finding in control.findings() {
            let workload = usize::try_from(finding.workload).ok().and_then(|at| report.workloads.get(at));
            let cluster = workload.and_then(|workload| clusters.get(workload.cluster.as_ref()?)).cloned().unwrap_or_default();
            for container in &finding.containers {
                let key = key(&control.id, cluster.clone(), workload.map(|workload| &workload.key), container);
                each(key, &container.judgement, container.standing);
            }
        }
    }
}

fn key<'a>(control: &'a str, cluster: String, workload: Option<&'a ObjectKey>, container: &'a ContainerFinding) -> Key<'a> {
    let repository = container.reference.parse::<ImageReference>().map(|reference| reference.repository().to_string());
    let repository = repository.unwrap_or_else(|_| container.reference.to_string());
    (control, cluster, workload, Some((container.kind, &container.container)), repository)
}

/// What the baseline says under one key.
#[derive(Default)]
struct Before {
    reasons: BTreeSet<Reason>,
    unknown: bool,
}

impl Before {
    fn has(&self, judgement: &Judgement) -> bool {
        match judgement {
            Judgement::Pass { .. } => true,
            Judgement::Fail { reason, .. } => self.reasons.contains(reason),
            // It may still be what it was.
            Judgement::Unknown { .. } => self.unknown || !self.reasons.is_empty(),
        }
    }
}

/// Marks in `report` what `baseline` has already, and counts.
pub fn mark(report: &mut Report, baseline: &Report, name: &str) {
    let mut before: BTreeMap<Key<'_>, Before> = BTreeMap::new();
    keys(baseline, |key, judgement, standing| match judgement {
        // What was excepted or accepted counted as passed: that it does not any more is new.
        _ if standing != Standing::AsIs => {}
        Judgement::Pass { .. } => {}
        Judgement::Fail { reason, .. } => drop(before.entry(key).or_default().reasons.insert(*reason)),
        Judgement::Unknown { .. } => before.entry(key).or_default().unknown = true,
    });
    let mut found: Vec<Option<Novelty>> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut record = BaselineRecord { name: name.to_owned(), as_of: baseline.header.as_of, new: 0, known: 0, gone: 0 };
    keys(report, |key, judgement, standing| {
        let novelty = match judgement {
            Judgement::Pass { .. } => None,
            _ if before.get(&key).is_some_and(|before| before.has(judgement)) => Some(Novelty::Known),
            _ => Some(Novelty::New),
        };
        match novelty {
            Some(Novelty::Known) if standing == Standing::AsIs => record.known += 1,
            Some(Novelty::New) if standing == Standing::AsIs => record.new += 1,
            _ => {}
        }
        if novelty.is_some() {
            seen.extend(before.get_key_value(&key).map(|(key, _)| key.clone()));
        }
        found.push(novelty);
    });
    record.gone = (before.len() - seen.len()) as u64;
    drop(seen);
    let mut found = found.into_iter();
    for control in &mut report.controls {
        set(control, &mut found);
    }
    report.baseline = Some(record);
}

/// In the order of [`keys`].
fn set(control: &mut ControlResult, found: &mut impl Iterator<Item = Option<Novelty>>) {
    match &mut control.outcome {
        ControlOutcome::Cluster { novelty, .. } => *novelty = found.next().flatten(),
        ControlOutcome::Judged { findings, .. } => {
            for container in findings.iter_mut().flat_map(|finding| &mut finding.containers) {
                container.novelty = found.next().flatten();
            }
        }
        ControlOutcome::Irrelevant | ControlOutcome::Unconfigured { .. } | ControlOutcome::RequiresReview { .. } => {}
    }
}
