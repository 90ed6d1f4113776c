//! `scan`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{Scan, ScanBy, ScanOptions};
use super::evidence::{self, Gathering};
use super::exit::{Exit, misses_its_workload, of_report};
use super::pinning::{self, Pinning};
use super::progress::Progress;
use super::summaries::Summaries;
use super::timings::{self, Phases};
use super::{dry_run, exceptions, library, output, signals, stored, trust};
use crate::controls::{AcceptedUnknowns, Library, Trust, consults_builders, consults_trust, public_keys, wanted};
use crate::documents::{Control, TrustPolicy, nearest};
use crate::model::{Cause, ClusterRecord, Digest, Header, Needs, Phase, PredicateKind, PredicateKinds, Report, ScanEvent};
use crate::policy::PolicyOrigin;
use crate::registry::Layout;
use crate::scan::{Judging, assemble, judge_all};

/// Images of a layout that are named to a user who named none.
const MOST_HELD: usize = 5;

/// What a command line asks for, sorted out.
struct Order {
    controls: Vec<String>,
    frameworks: Vec<String>,
    workload: Option<String>,
    from: From,
}

impl Order {
    fn of(by: Option<ScanBy>, paths: Vec<PathBuf>, options: &ScanOptions) -> Self {
        let live = |paths: Vec<PathBuf>| if paths.is_empty() { From::Cluster } else { From::Manifests(paths) };
        let named = options.only_controls_by_id.clone();
        let order = |controls, frameworks, workload, from| Self { controls, frameworks, workload, from };
        match by {
            None => order(named, Vec::new(), None, live(paths)),
            Some(ScanBy::Control { ids, paths }) => order([ids.0, named].concat(), Vec::new(), None, live(paths)),
            Some(ScanBy::Framework { ids, paths }) => order(named, ids.0, None, live(paths)),
            Some(ScanBy::Workload { workload }) => order(named, Vec::new(), Some(workload), From::Cluster),
            Some(ScanBy::Image { references }) => order(named, Vec::new(), None, From::Images(references)),
        }
    }
}

/// What is named and would not be looked at must not pass for looked at.
fn refuse_what_would_be_ignored(from: &From, options: &ScanOptions) -> anyhow::Result<()> {
    match from {
        From::Cluster => Ok(()),
        From::Images(references) if references.is_empty() && options.snapshot.is_none() => {
            anyhow::bail!("no image is named: give a REF{}", held(&options.evidence.layouts)?)
        }
        From::Images(_) if options.snapshot.is_some() => {
            anyhow::bail!("a snapshot is scanned as a whole: leave out `image`, or --snapshot")
        }
        From::Images(_) => Ok(()),
        From::Texts(_) => Ok(()),
        From::Manifests(paths) => {
            let named = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
            anyhow::ensure!(
                options.snapshot.is_none(),
                "{named} and --snapshot exclude each other; several controls or frameworks are separated by commas, without spaces"
            );
            Ok(())
        }
    }
}

/// A gate by a control that this scan does not judge would never be missed.
fn name_only_what_is_judged(named: &[String], controls: &[&Control]) -> anyhow::Result<()> {
    let judged = || controls.iter().map(|control| control.id.as_str());
    match named.iter().find(|id| !judged().any(|known| known == *id)) {
        None => Ok(()),
        Some(id) => {
            let meant = nearest(id, judged()).map_or_else(String::new, |known| format!(" (did you mean {known}?)"));
            anyhow::bail!("--fail-on {id}: this scan does not judge it{meant}; name it behind `scan control`, or a framework that has it")
        }
    }
}

/// The images that could have been meant: those of the layouts.
fn held(layouts: &[String]) -> anyhow::Result<String> {
    let mut told = String::new();
    for text in layouts {
        let directory = text.split_once('=').map_or(text.as_str(), |(directory, _)| directory);
        let images = Layout::open(Path::new(directory))?.images();
        let named: Vec<_> = images.iter().take(MOST_HELD).map(|(name, digest)| held_image(name.as_deref(), digest)).collect();
        let more = if images.len() > MOST_HELD { ", …" } else { "" };
        let named = if named.is_empty() { "no image".to_owned() } else { named.join(", ") };
        told.push_str(&format!("; {directory} holds {named}{more}"));
    }
    Ok(told)
}

fn held_image(name: Option<&str>, digest: &Digest) -> String {
    name.map_or_else(|| digest.to_string(), |name| format!("{name} ({digest})"))
}

/// Runs `scan`.
pub(super) async fn run(scan: Scan) -> anyhow::Result<Exit> {
    let Scan { by, paths, mut options } = scan;
    options.trust.offline |= options.snapshot.is_some();
    let mut order = Order::of(by, paths, &options);
    refuse_what_would_be_ignored(&order.from, &options)?;
    // Everything that the user can have got wrong is found before anything is asked.
    let mut targets = output::targets(&options.output.formats, options.output.output.as_deref())?;
    pinning::make_way(&options.pinning, &mut targets)?;
    for (_, target) in &targets {
        output::probe(target)?;
    }
    let baseline =
        options.gate.baseline.as_deref().map(|path| anyhow::Ok((stored::read(path)?, path.display().to_string()))).transpose()?;
    let summing_up = options.summaries.vsa_out.is_some();
    let controls = library::load_for(&options.controls, &order.controls, &order.frameworks, summing_up)?;
    let chosen = library::choose(&controls, &order.controls, &order.frameworks)?;
    name_only_what_is_judged(&options.gate.fail_on, &chosen.controls)?;
    let (configuration, mut documents) = library::configure(&options.controls, &controls, &chosen, summing_up)?;
    let accepted = AcceptedUnknowns::parse(&options.gate.allow_unknown)?;
    let (exceptions, exceptions_read) = exceptions::load(&options.exceptions.files)?;
    documents.extend(exceptions_read);
    let mut needs =
        chosen.controls.iter().filter_map(|control| control.rule.as_ref()).map(crate::controls::needs).fold(Needs::default(), Needs::or);
    if summing_up {
        // A summary says which level is shown.
        needs.attestations = needs.attestations.or(PredicateKinds::only(PredicateKind::Provenance));
    }
    let wanted = wanted(chosen.controls.iter().copied());
    let scope = acquire::scope(&options.scope, order.workload);
    let (mut sources, policies_read) = trust::sources(&options.trust, false)?;
    documents.extend(policies_read);
    let of_options: Vec<_> =
        sources.iter().filter(|source| source.origin == PolicyOrigin::Options).map(|source| source.policy.clone()).collect();
    let summaries = Summaries::prepare(&options.summaries, &chosen.controls, &of_options)?;
    let keys = chosen.controls.iter().map(|control| public_keys(control, &configuration)).collect::<Result<Vec<_>, _>>()?;
    sources.extend(trust::of_kubescape(keys.into_iter().flatten()));

    let stop = signals::watch(options.timeout)?;
    let progress = Progress::new();
    let on_event = |event: ScanEvent| progress.show(&event);
    let pinning = Pinning::prepare(&options.pinning, &mut order.from, &chosen.controls, &stop).await.inspect_err(|_| progress.clear())?;
    let policies: Vec<TrustPolicy> = sources.iter().map(|source| source.policy.clone()).collect();
    let asked = Timestamp::now();
    let gathering = |from: From, snapshot| Gathering {
        snapshot,
        from,
        scope: scope.clone(),
        cluster: &options.cluster,
        evidence: &options.evidence,
        registry: &options.registry,
        policies: policies.clone(),
        began: asked,
    };
    let mut phases = Phases::default();
    let began = Instant::now();
    on_event(ScanEvent::PhaseStarted(Phase::Inventory, None));
    let prepared = gathering(order.from, options.snapshot.as_deref()).prepare(&stop, &on_event).await.inspect_err(|_| progress.clear())?;
    documents.sort();
    if options.dry_run {
        progress.clear();
        dry_run::print(&prepared, needs)?;
        return Ok(stop.borrow().map_or(Exit::Success, Exit::from));
    }
    phases.inventory = began.elapsed();
    let began = Instant::now();
    on_event(ScanEvent::PhaseStarted(Phase::Evidence, Some(prepared.tasks.len() as u64)));
    let trust::Trusted { policies: trusted_by, roots, .. } = match chosen.controls.iter().any(|control| consults_trust(control)) {
        true => trusted(sources, &controls, &chosen.controls, &options).await?,
        // Nothing that needs no trust root waits for one.
        false => trust::Trusted::nobody(),
    };
    let as_of = trust::as_of(&options.trust, prepared.asked_at);
    let verifies = needs.verification && !trusted_by.trials().is_empty();
    let verification = match verifies || !needs.attestations.is_empty() {
        true => Some(trust::verification(&trusted_by, as_of, &options.evidence, wanted)?),
        false => None,
    };
    let evidence::Gathered { inventory, collected, source, traffic, statistics, asked_at, .. } =
        prepared.collect(needs, verification.as_ref(), stop.clone(), &on_event).await;
    phases.evidence = began.elapsed();
    let began = Instant::now();
    on_event(ScanEvent::PhaseStarted(Phase::Judgement, None));
    let judging = Judging {
        controls: chosen.controls.clone(),
        frameworks: chosen.frameworks.clone(),
        configuration: &configuration,
        accepted: &accepted,
        exceptions: &exceptions,
        trust: Trust { policies: &trusted_by, as_of },
    };
    let judged = judge_all(&judging, &inventory, &collected);
    progress.clear();
    let stopped = *stop.borrow();
    let header = Header {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        source,
        as_of: options.trust.at.unwrap_or(asked_at),
        rewound: options.trust.at.is_some(),
        clusters: inventory.cluster.clone().map(ClusterRecord::from).into_iter().collect(),
        scope: inventory.scope.clone(),
        documents,
        trust_roots: roots,
        interrupted: stopped.is_some(),
    };
    let levels = tells_levels(&chosen.controls, &options).then_some(judging.trust);
    let mut report = assemble(header, inventory, collected, judged?, levels);
    if let Some((baseline, name)) = &baseline {
        stored::compare(&mut report, baseline, name, options.gate.force_baseline)?;
    } else if let Some(path) = &options.gate.baseline_manifests {
        let gathering = gathering(From::Manifests(vec![path.clone()]), None);
        let prepared = gathering.prepare(&stop, &on_event).await.inspect_err(|_| progress.clear())?;
        let gathered = prepared.collect(needs, verification.as_ref(), stop.clone(), &on_event).await;
        let judged = judge_all(&judging, &gathered.inventory, &gathered.collected);
        progress.clear();
        let header =
            Header { source: gathered.source, clusters: Vec::new(), scope: gathered.inventory.scope.clone(), ..report.header.clone() };
        let baseline = assemble(header, gathered.inventory, gathered.collected, judged?, None);
        stored::compare(&mut report, &baseline, &path.display().to_string(), options.gate.force_baseline)?;
    }
    report.gates = options.gate.gates().judge(&report.controls);
    output::render(&report, &targets, &options.output)?;
    if let Some(pinning) = pinning {
        pinning.apply(&report)?;
    }
    if let Some(summaries) = summaries {
        summaries.write(&report, &chosen.controls, judging.trust)?;
    }
    phases.judgement = began.elapsed();
    if options.timings {
        for line in timings::lines(phases, traffic.as_ref(), &statistics.hosts) {
            super::note(&line);
        }
    }
    tell_of_nothing(&report);
    Ok(of_report(&report, stopped, accepted.accepts(Cause::ListIncomplete, None)))
}

/// The policies with their material; builders where levels are judged or told.
async fn trusted(
    sources: Vec<trust::Source>,
    library: &Library,
    controls: &[&Control],
    options: &ScanOptions,
) -> anyhow::Result<trust::Trusted> {
    let trusted = trust::ready(sources, &options.trust, &options.registry.ca_files, Timestamp::now()).await?;
    let levels = tells_levels(controls, options);
    trust::with_builders(trusted, library.builders().filter(|_| levels), &options.trust, Timestamp::now()).await
}

/// Whether levels of SLSA's build track are judged or told.
fn tells_levels(controls: &[&Control], options: &ScanOptions) -> bool {
    options.summaries.vsa_out.is_some() || controls.iter().any(|control| consults_builders(control))
}

/// Why a report about nothing is about nothing.
fn tell_of_nothing(report: &Report) {
    if misses_its_workload(report) {
        let workload = report.header.scope.workload.as_deref().unwrap_or_default();
        super::note(&format!("no workload {workload} was found; a pod is found under the controller that owns it, at the top"));
    } else if report.workloads.is_empty() && report.not_judged.is_empty() {
        super::note("nothing is in this scope: check its namespaces, kinds and labels");
    }
}
