//! `snapshot`.

use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::SnapshotArguments;
use super::evidence::Gathering;
use super::exit::Exit;
use super::progress::Progress;
use super::signals;
use crate::model::{Needs, Phase, ScanEvent};
use crate::snapshot::{DeclaredLayout, Snapshot, check_target, write};

/// Everything that any control may want to know: a snapshot does not know by which controls it will be judged.
const EVERYTHING: Needs =
    Needs { subject: true, tag: true, signatures: true, verification: true, attestations: crate::model::PredicateKinds::ALL };

/// Runs `snapshot`.
pub(super) async fn run(arguments: SnapshotArguments) -> anyhow::Result<Exit> {
    let from = match (arguments.images.is_empty(), arguments.paths.is_empty()) {
        (false, _) => From::Images(arguments.images.clone()),
        (true, false) => From::Manifests(arguments.paths.clone()),
        (true, true) => From::Cluster,
    };
    let (policies, _) = super::library::trust_policies(&arguments.trust_policy)?;
    // What was asked for minutes must not be lost at the end.
    check_target(&arguments.output)?;
    let stop = signals::watch(arguments.timeout)?;
    let progress = Progress::new();
    let on_event = |event: ScanEvent| progress.show(&event);
    let needs = if arguments.inventory_only { Needs::default() } else { EVERYTHING };
    let gathering = Gathering {
        snapshot: None,
        from,
        scope: acquire::scope(&arguments.scope, None),
        cluster: &arguments.cluster,
        evidence: &arguments.evidence,
        registry: &arguments.registry,
        policies: policies.into_iter().map(|source| source.policy).collect(),
        began: Timestamp::now(),
    };
    on_event(ScanEvent::PhaseStarted(Phase::Inventory, None));
    let prepared = gathering.prepare(&stop, &on_event).await.inspect_err(|_| progress.clear())?;
    on_event(ScanEvent::PhaseStarted(Phase::Evidence, Some(prepared.tasks.len() as u64)));
    let images = prepared.tasks.len();
    let layouts =
        prepared.layouts.iter().map(|(name, reference)| DeclaredLayout { name: name.to_string(), reference: reference.clone() }).collect();
    let bundles = prepared.bundles.iter().map(ToString::to_string).collect();
    let captured = prepared.capture(needs, stop.clone(), &on_event).await;
    progress.clear();
    let workloads = captured.inventory.workloads.len();
    let snapshot = if arguments.inventory_only {
        Snapshot::of_inventory(captured.inventory, captured.asked_at)
    } else {
        Snapshot::of(captured.inventory, captured.ledger, captured.blobs, captured.asked_at).with_places(layouts, bundles)
    };
    write(&snapshot, &arguments.output)?;
    super::note(&format!("{}: workloads: {workloads}, images: {images}, answers: {}", arguments.output.display(), snapshot.ledger().len()));
    let stopped = *stop.borrow();
    Ok(stopped.map_or(Exit::Success, Exit::from))
}
