//! `slsa verify` and `slsa explain`: how one image was built.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{ClusterOptions, ColorChoice, ScopeOptions, Slsa, SlsaCommon, SlsaExplain, SlsaVerify, SlsaWhat, VerifyFormat};
use super::evidence::{Gathering, Prepared};
use super::exit::Exit;
use super::library::read_files;
use super::output::{Target, write};
use super::{signals, terminal, trust};
use crate::controls::Library;
use crate::model::{
    BuildLevel, BuildReport, Carrier, Digest, ImageEvidence, ImageReference, Inventory, Needs, Place, Predicate, PredicateKind,
    PredicateKinds, Provenance, Reason, RunningImage, RunningWorkload, Signer, SourcePattern, StatementFormat, SubjectState, Verdict,
    Vouched, Wanted,
};
use crate::policy::{AsOf, Assessment, Expectations, ExpectedReference, ShownBy, TrustPolicies, signer_told};
use crate::report::build::render;
use crate::report::verification::Format;
use crate::scan::{ExtraPlace, ImageTask};

/// All that the provenance of one image rests on.
fn needs() -> Needs {
    Needs { subject: true, verification: true, attestations: PredicateKinds::only(PredicateKind::Provenance), ..Needs::default() }
}

/// Runs `slsa`.
pub(super) async fn run(arguments: Slsa) -> anyhow::Result<Exit> {
    let (report, format) = match arguments.what {
        SlsaWhat::Verify(mut verify) => {
            verify.common.trust.offline |= verify.common.snapshot.is_some();
            (verify_build(&verify).await?, verify.common.format)
        }
        SlsaWhat::Explain(mut explain) => {
            explain.common.trust.offline |= explain.common.snapshot.is_some();
            (explain_build(&explain).await?, explain.common.format)
        }
    };
    let format = match format {
        VerifyFormat::Text => Format::Text(terminal::appearance(ColorChoice::Auto)),
        VerifyFormat::Json => Format::Json,
    };
    write(&Target::Stdout, |mut out| render(&report, format, &mut out))?;
    Ok(report.verdict.into())
}

async fn verify_build(arguments: &SlsaVerify) -> anyhow::Result<BuildReport> {
    // What the user can have got wrong is found before anything is asked.
    let sources: [SourcePattern; 1] = [arguments.source_uri.parse().context("--source-uri")?];
    let named = |name: &Option<String>, option: &str| {
        anyhow::ensure!(name.as_deref() != Some(""), "{option} is empty: is the variable that it comes from set?");
        Ok(name.clone())
    };
    let branch = named(&arguments.source_branch, "--source-branch")?.map(ExpectedReference::Branch);
    let tag = named(&arguments.source_tag, "--source-tag")?.map(ExpectedReference::Tag);
    let version = named(&arguments.source_versioned_tag, "--source-versioned-tag")?.map(ExpectedReference::VersionedTag);
    let references: Vec<_> = branch.into_iter().chain(tag).chain(version).collect();
    let builders: Vec<_> = named(&arguments.builder_id, "--builder-id")?.into_iter().collect();
    let expected = Expectations { sources: &sources, references: &references, builders: &builders, ..Expectations::default() };
    let wanted = BuildLevel::of(arguments.level).unwrap_or(BuildLevel::L1);
    let seen = See::image(&arguments.reference, &arguments.common).await?;
    Ok(seen.report(&expected, wanted))
}

async fn explain_build(arguments: &SlsaExplain) -> anyhow::Result<BuildReport> {
    let mut seen = See::image(&arguments.reference, &arguments.common).await?;
    if seen.inventory.is_none() && !arguments.no_cluster {
        match list(&arguments.cluster).await {
            Ok(inventory) => seen.inventory = Some(inventory),
            // Which pods run it is only one link of the chain.
            Err(error) => super::note(&format!("note: which pods run it is not known: {error:#} (--no-cluster leaves it out)")),
        }
    }
    Ok(seen.report(&Expectations::default(), BuildLevel::L1))
}

async fn list(cluster: &ClusterOptions) -> anyhow::Result<Inventory> {
    let stop = signals::watch(None)?;
    let scope = acquire::scope(&ScopeOptions::default(), None);
    Ok(acquire::acquire(&From::Cluster, &scope, cluster, Timestamp::now(), &stop, &|_| ()).await?.inventory)
}

/// One image with what was found about it.
struct See {
    subject: String,
    evidence: ImageEvidence,
    policies: TrustPolicies,
    as_of: AsOf,
    /// Where it runs, if somebody was asked.
    inventory: Option<Inventory>,
}

impl See {
    async fn image(reference: &str, common: &SlsaCommon) -> anyhow::Result<Self> {
        let parsed: ImageReference = reference.parse().with_context(|| format!("{reference:?} is no image reference"))?;
        let library = Library::embedded()?.with(&read_files(&common.builders)?)?;
        let stop = signals::watch(None)?;
        let now = Timestamp::now();
        let (sources, _) = trust::sources(&common.trust, false)?;
        let policies = sources.iter().map(|source| source.policy.clone()).collect();
        let ca_files = &common.registry.ca_files;
        let trusted = trust::ready(sources, &common.trust, ca_files, now).await?;
        let trusted = trust::with_builders(trusted, library.builders(), &common.trust, now).await?;
        let cluster = ClusterOptions::default();
        let gathering = Gathering {
            snapshot: common.snapshot.as_deref(),
            from: From::Images(vec![reference.to_owned()]),
            scope: acquire::scope(&ScopeOptions::default(), None),
            cluster: &cluster,
            evidence: &common.evidence,
            registry: &common.registry,
            policies,
            began: now,
        };
        let mut prepared = gathering.prepare(&stop, &|_| ()).await?;
        let inventory = common.snapshot.is_some().then(|| prepared.inventory.clone());
        if inventory.is_some() {
            only(&mut prepared, &parsed)?;
        } else if let [layout] = common.evidence.layouts.as_slice() {
            at_home_in(&mut prepared, layout);
        }
        let as_of = trust::as_of(&common.trust, prepared.asked_at);
        let verification = trust::verification(&trusted.policies, as_of, &common.evidence, Wanted::default())?;
        let gathered = prepared.collect(needs(), Some(&verification), stop, &|_| ()).await;
        let evidence = gathered.collected.into_values().next().context("nothing was gathered about the image")?;
        Ok(Self { subject: reference.to_owned(), evidence, policies: trusted.policies, as_of, inventory })
    }

    fn report(&self, expected: &Expectations<'_>, wanted: BuildLevel) -> BuildReport {
        let assessment = self.policies.assess(&self.evidence, expected, self.as_of);
        let digest = match &self.evidence.subject {
            SubjectState::Known(digest) => Some(digest.clone()),
            SubjectState::Unknown(_) | SubjectState::NotAsked => None,
        };
        let (verdict, detail) = verdict(&assessment, wanted);
        let (vouched, by) = match assessment.shown.as_ref().map(|shown| &shown.by) {
            Some(ShownBy::Builder(name, by)) => (Vouched::Builder { name: name.clone(), signer: signer_told(&by.signer) }, Some(by)),
            Some(ShownBy::Authority(name, by)) => (Vouched::Authority { name: name.clone(), signer: signer_told(&by.signer) }, Some(by)),
            Some(ShownBy::Nobody) | None => (Vouched::Nobody, None),
        };
        let provenance = provenance(&assessment, &self.evidence);
        let said = || provenance.and_then(|provenance| provenance.invocation.as_deref());
        let run = by.and_then(|by| certified_run(&by.signer)).or_else(said).map(str::to_owned);
        let log =
            by.and_then(|by| by.log.as_ref()).map(|log| format!("entry {} of {}", log.index, log.address.as_deref().unwrap_or(&log.log)));
        let missing = assessment.missing.iter().filter(|_| assessment.possible.is_none());
        BuildReport {
            subject: self.subject.clone(),
            run_by: self.inventory.as_ref().map(|inventory| run_by(inventory, digest.as_ref())),
            digest,
            as_of: self.as_of.moment,
            verdict,
            detail,
            level: assessment.reached,
            vouched,
            provenance: provenance.cloned(),
            run,
            log,
            missing: missing.map(|missing| (missing.level, missing.detail.clone())).collect(),
            notes: [assessment.notes.clone(), unsigned(&self.evidence)].concat(),
        }
    }
}

fn verdict(assessment: &Assessment, wanted: BuildLevel) -> (Verdict, String) {
    if assessment.verified() >= wanted {
        return (Verdict::Verified, String::new());
    }
    if let Some((level, unknown)) = &assessment.possible
        && *level >= wanted
    {
        return (Verdict::Unknown(unknown.cause), unknown.detail.clone());
    }
    match assessment.missing.iter().find(|missing| missing.level == wanted) {
        Some(missing) if missing.reason == Reason::PredicateMissing => (Verdict::Absent, missing.detail.clone()),
        Some(missing) => (Verdict::Rejected(missing.reason), missing.detail.clone()),
        None => (Verdict::Rejected(Reason::LevelTooLow), format!("SLSA build {wanted} is not shown")),
    }
}

/// The address of the run that a certificate is of. Provenance may name it by a number, or not at all: cosign leaves out what version
/// 0.2 calls `buildInvocationID`.
fn certified_run(signer: &Signer) -> Option<&str> {
    match signer {
        Signer::Certificate(claims) => claims.extensions.get("runInvocationUri").map(String::as_str).filter(|run| !run.is_empty()),
        Signer::Key { .. } => None,
    }
}

/// The provenance that shows the level, else the first that lies there.
fn provenance<'e>(assessment: &Assessment, evidence: &'e ImageEvidence) -> Option<&'e Provenance> {
    let of = |position: usize| match evidence.statements.get(position)?.attested.as_deref()?.predicate.as_ref().ok()? {
        Predicate::Provenance(provenance) => Some(provenance.as_ref()),
        _ => None,
    };
    match &assessment.shown {
        Some(shown) => of(shown.statement),
        None => (0..evidence.statements.len()).find_map(of),
    }
}

/// Provenance that nobody signed: shown, and never counted.
fn unsigned(evidence: &ImageEvidence) -> Vec<String> {
    let statements = evidence.statements.iter().filter(|statement| matches!(statement.format, StatementFormat::Unsigned { .. }));
    let told = statements.map(|statement| {
        let of = match &statement.carrier {
            Carrier::Itself => "the image".to_owned(),
            Carrier::Index(index) => format!("the index {}", index.short()),
            Carrier::Platform(platform) => format!("the platform manifest {}", platform.short()),
        };
        let said = match statement.attested.as_deref().map(|attested| &attested.predicate) {
            Some(Ok(Predicate::Provenance(provenance))) => {
                let builder = if provenance.builder.is_empty() { "no builder named" } else { &provenance.builder };
                format!(" ({builder}, {})", provenance.build_type)
            }
            Some(Err(malformed)) => format!(" ({malformed})"),
            _ => String::new(),
        };
        format!("{} of {of}{said} is signed by nobody, and not counted", statement.predicate_type().unwrap_or_default())
    });
    let told: BTreeSet<_> = told.collect();
    told.into_iter().collect()
}

/// Workloads with a container that runs the digest.
fn run_by(inventory: &Inventory, digest: Option<&Digest>) -> Vec<RunningWorkload> {
    let mut running = BTreeSet::new();
    for workload in &inventory.workloads {
        for container in &workload.containers {
            for image in &container.images {
                if matches!((&image.running, digest), (RunningImage::Manifest(running), Some(digest)) if running == digest) {
                    running.insert(RunningWorkload {
                        workload: workload.key.to_string(),
                        container: container.name.to_string(),
                        pods: image.pods.count,
                    });
                }
            }
        }
    }
    running.into_iter().collect()
}

/// Of a snapshot only this image: by its name, or by its digest.
fn only(prepared: &mut Prepared, reference: &ImageReference) -> anyhow::Result<()> {
    let tasks = std::mem::take(&mut prepared.tasks);
    let is_meant = |task: &ImageTask| match (reference.digest(), &task.running) {
        (Some(digest), RunningImage::Manifest(running)) => running == digest && task.reference.repository() == reference.repository(),
        _ => task.reference == *reference,
    };
    let meant: BTreeMap<_, _> = tasks.into_iter().filter(|(task, _)| is_meant(task)).collect();
    anyhow::ensure!(!meant.is_empty(), "the snapshot has no image {reference}");
    let digests: BTreeSet<_> = meant.keys().map(|task| format!("{:?}", task.running)).collect();
    anyhow::ensure!(
        digests.len() == 1,
        "the snapshot has several images that run as {reference}: name one by its digest, REPOSITORY@sha256:…"
    );
    prepared.tasks = meant;
    Ok(())
}

/// Looks for the image itself in the only layout, and asks no registry. Whoever names it says that this is where the image and its
/// provenance are: what it lacks is not there.
fn at_home_in(prepared: &mut Prepared, layout: &str) {
    let tasks = std::mem::take(&mut prepared.tasks);
    let moved = tasks.into_iter().map(|(task, mut places)| {
        places.home_is_authoritative = true;
        places.extra.retain(|place| !matches!(place, ExtraPlace::Layout(name) if name.as_ref() == layout));
        (ImageTask { home: Place::Layout(layout.into()), ..task }, places)
    });
    prepared.tasks = moved.collect();
}
