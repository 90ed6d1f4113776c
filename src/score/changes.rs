//! What changed between two reports, answer by answer, and what may explain it.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::clusters;
use crate::model::{
    AnswerState, Change, ChangedBy, ChangedDocument, ChangedWorkload, Changes, ComparedReport, ContainerFinding, ContainerKind,
    ControlOutcome, ControlResult, DocumentChange, ImageRecord, Judgement, ObjectKey, Report, Severity, SharedText, Standing,
    WorkloadRecord,
};

/// What an answer is about: control, cluster, workload and container.
type Key<'a> = (&'a str, String, Option<&'a ObjectKey>, Option<(ContainerKind, &'a SharedText)>);

/// Everything that one report says about one container under one control.
struct Said<'a> {
    severity: Severity,
    workload: Option<&'a WorkloadRecord>,
    container: Option<&'a SharedText>,
    state: AnswerState,
    /// References and digests, sorted.
    images: BTreeSet<(&'a str, String)>,
    evidence: Vec<&'a ImageRecord>,
}

/// Compares two reports.
#[must_use]
pub fn changes(old: &Report, new: &Report) -> Changes {
    let documents = documents(old, new);
    let (before, after) = (said(old), said(new));
    let (listed_before, listed_after) = (workloads(old), workloads(new));
    let ends = |key: &Key<'_>| {
        let is_in = |listed: &BTreeSet<(String, &ObjectKey)>| key.2.is_none_or(|name| listed.contains(&(key.1.clone(), name)));
        Ends { workload_in_old: is_in(&listed_before), workload_in_new: is_in(&listed_after) }
    };
    let causes = Causes { old, new, documents: &documents };
    let several = old.header.clusters.len().max(new.header.clusters.len()) > 1;
    let mut changes = Vec::new();
    for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
        let (was, is) = (before.get(key), after.get(key));
        if was.map(|said| said.state) != is.map(|said| said.state) {
            changes.extend(change(key, was, is, causes.of(key, was, is, ends(key)), several));
        }
    }
    changes.sort_by(|one: &Change, other| {
        let rank = |change: &Change| (!change.is_worse(), std::cmp::Reverse(change.severity));
        (rank(one), &one.control, &one.workload, &one.container).cmp(&(rank(other), &other.control, &other.workload, &other.container))
    });
    Changes { old: compared(old), new: compared(new), documents, changes }
}

fn compared(report: &Report) -> ComparedReport {
    ComparedReport { as_of: report.header.as_of, tool_version: report.header.tool_version.clone(), compliance: report.compliance }
}

fn state(judgement: &Judgement, standing: Standing) -> AnswerState {
    match (judgement, standing) {
        (Judgement::Pass { .. }, _) => AnswerState::Passed,
        (_, Standing::Excepted(_)) => AnswerState::Excepted,
        (Judgement::Fail { reason, .. }, _) => AnswerState::Failed(*reason),
        (Judgement::Unknown { cause, .. }, Standing::AcceptedUnknown) => AnswerState::AcceptedUnknown(*cause),
        (Judgement::Unknown { cause, .. }, Standing::AsIs) => AnswerState::Unknown(*cause),
    }
}

fn said(report: &Report) -> BTreeMap<Key<'_>, Said<'_>> {
    let clusters = clusters(report);
    let mut said = BTreeMap::new();
    for control in &report.controls {
        if let ControlOutcome::Cluster { judgement, standing, .. } = &control.outcome {
            let state = state(judgement, *standing);
            let of =
                Said { severity: control.severity, workload: None, container: None, state, images: BTreeSet::new(), evidence: Vec::new() };
            said.insert((control.id.as_str(), String::new(), None, None), of);
        }
        of_workloads(report, control, &clusters, &mut said);
    }
    said
}

fn of_workloads<'a>(
    report: &'a Report,
    control: &'a ControlResult,
    clusters: &BTreeMap<SharedText, String>,
    said: &mut BTreeMap<Key<'a>, Said<'a>>,
) {
    for finding in control.findings() {
        let Some(workload) = usize::try_from(finding.workload).ok().and_then(|at| report.workloads.get(at)) else { continue };
        let cluster = workload.cluster.as_ref().and_then(|name| clusters.get(name)).cloned().unwrap_or_default();
        for container in &finding.containers {
            let key = (control.id.as_str(), cluster.clone(), Some(&workload.key), Some((container.kind, &container.container)));
            let state = state(&container.judgement, container.standing);
            let of = said.entry(key).or_insert_with(|| Said {
                severity: control.severity,
                workload: Some(workload),
                container: Some(&container.container),
                state,
                images: BTreeSet::new(),
                evidence: Vec::new(),
            });
            of.state = of.state.min(state);
            of.images.insert(image(container));
            of.evidence.extend(container.evidence.as_ref().and_then(|at| report.images.get(usize::try_from(at.image).ok()?)));
        }
    }
}

fn image(container: &ContainerFinding) -> (&str, String) {
    (&container.reference, container.digest.as_ref().map(ToString::to_string).unwrap_or_default())
}

fn workloads(report: &Report) -> BTreeSet<(String, &ObjectKey)> {
    let clusters = clusters(report);
    let cluster = |workload: &WorkloadRecord| workload.cluster.as_ref().and_then(|name| clusters.get(name)).cloned().unwrap_or_default();
    report.workloads.iter().map(|workload| (cluster(workload), &workload.key)).collect()
}

fn change(key: &Key<'_>, was: Option<&Said<'_>>, is: Option<&Said<'_>>, by: Vec<ChangedBy>, several: bool) -> Option<Change> {
    let one = is.or(was)?;
    let images = |said: Option<&Said<'_>>| {
        let named = said.map(|said| &said.images).into_iter().flatten().map(|(reference, digest)| match digest.as_str() {
            "" => (*reference).to_owned(),
            digest => format!("{reference} ({digest})"),
        });
        named.collect::<Vec<_>>().join(", ")
    };
    let workload = |workload: &WorkloadRecord| ChangedWorkload {
        cluster: workload.cluster.clone().filter(|_| several),
        key: workload.key.clone(),
        owner: workload.owner.clone(),
    };
    Some(Change {
        control: key.0.to_owned(),
        severity: one.severity,
        workload: one.workload.map(workload),
        container: one.container.cloned(),
        before: was.map(|said| said.state),
        after: is.map(|said| said.state),
        by,
        image_before: images(was),
        image_after: images(is),
    })
}

/// Whether the workload itself is in the reports.
#[derive(Clone, Copy)]
struct Ends {
    workload_in_old: bool,
    workload_in_new: bool,
}

/// What may explain a change, beside the answers themselves.
struct Causes<'a> {
    old: &'a Report,
    new: &'a Report,
    documents: &'a [ChangedDocument],
}

impl Causes<'_> {
    fn of(&self, key: &Key<'_>, was: Option<&Said<'_>>, is: Option<&Said<'_>>, ends: Ends) -> Vec<ChangedBy> {
        let mut by = Vec::new();
        let images_differ = matches!((was, is), (Some(was), Some(is)) if was.images != is.images);
        // Of a workload that came or went nothing else has to be said.
        if !ends.workload_in_old || !ends.workload_in_new {
            return vec![ChangedBy::Workload];
        }
        let state = |said: Option<&Said<'_>>| said.map(|said| said.state);
        let (before, after) = (state(was), state(is));
        if images_differ || (before.is_none() != after.is_none() && self.judged_in_both(key.0)) {
            by.push(ChangedBy::Workload);
        }
        if (before == Some(AnswerState::Excepted)) != (after == Some(AnswerState::Excepted)) {
            by.push(ChangedBy::Exception);
        }
        let unknown = |state: Option<AnswerState>| matches!(state, Some(AnswerState::Unknown(_) | AnswerState::AcceptedUnknown(_)));
        match (unknown(before), unknown(after)) {
            (true, false) => by.push(ChangedBy::KnowledgeGained),
            (false, true) => by.push(ChangedBy::KnowledgeLost),
            _ => {}
        }
        let evidence = |said: Option<&Said<'_>>| said.map(evidence).unwrap_or_default();
        if !images_differ && evidence(was) != evidence(is) {
            by.push(ChangedBy::Evidence);
        }
        if self.policy_differs(key.0) {
            by.push(ChangedBy::Policy);
        }
        if self.documents.iter().any(|document| document.kind == TRUST_ROOT) {
            by.push(ChangedBy::TrustRoot);
        }
        if self.old.header.tool_version != self.new.header.tool_version {
            by.push(ChangedBy::ToolVersion);
        }
        if by.is_empty() {
            by.push(ChangedBy::Time);
        }
        by
    }

    fn judged_in_both(&self, control: &str) -> bool {
        let judged = |report: &Report| report.controls.iter().any(|result| result.id == control && result.compliance().is_some());
        judged(self.old) && judged(self.new)
    }

    /// Whether a document changed by which this control is judged.
    fn policy_differs(&self, control: &str) -> bool {
        let has = |report: &Report| report.controls.iter().any(|result| result.id == control);
        let concerns = |document: &ChangedDocument| match document.kind.as_str() {
            "Control" => document.name == control,
            // What a framework asks is in its controls and parameters; exceptions and roots are causes of their own.
            EXCEPTION | EXCEPTION_POLICY | TRUST_ROOT => false,
            _ => true,
        };
        has(self.old) != has(self.new) || self.documents.iter().any(concerns)
    }
}

/// How trust roots are called among changed documents.
const TRUST_ROOT: &str = "TrustRoot";
const EXCEPTION: &str = "Exception";
const EXCEPTION_POLICY: &str = "ExceptionPolicy";

/// What was found, as far as an answer can rest on it: not where and when one looked.
fn evidence(said: &Said<'_>) -> BTreeSet<String> {
    let of_image = |image: &&ImageRecord| {
        let evidence = &image.evidence;
        let statements = evidence.statements.iter().map(|statement| format!("{} {:?}", statement.content, statement.annotations));
        let tag = format!("{:?} {:?}", evidence.subject, evidence.tag);
        statements.chain([tag]).collect::<Vec<_>>()
    };
    said.evidence.iter().flat_map(of_image).collect()
}

/// Documents and trust roots that are not the same.
fn documents(old: &Report, new: &Report) -> Vec<ChangedDocument> {
    let all = |report: &Report| {
        let mut all: BTreeMap<(String, String), String> = BTreeMap::new();
        for document in &report.header.documents {
            all.insert((document.kind.clone(), document.name.clone()), document.digest.to_string());
        }
        for root in &report.header.trust_roots {
            let content = root.content.as_ref().map_or_else(|unknown| unknown.cause.to_string(), ToString::to_string);
            all.insert((TRUST_ROOT.to_owned(), format!("{}/{}", root.policy, root.name)), content);
        }
        all
    };
    let (before, after) = (all(old), all(new));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter_map(|name| {
        let how = match (before.get(name), after.get(name)) {
            (Some(was), Some(is)) if was == is => return None,
            (Some(_), Some(_)) => DocumentChange::Changed,
            (None, _) => DocumentChange::Added,
            (_, None) => DocumentChange::Removed,
        };
        Some(ChangedDocument { kind: name.0.clone(), name: name.1.clone(), how })
    });
    changed.collect()
}
