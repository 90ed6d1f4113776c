//! `trust`: what the policies mean for an image, and for what runs.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::{Trust, TrustExplain, TrustImpact, TrustWhat};
use super::evidence::{Gathered, Gathering};
use super::exit::Exit;
use super::output::{Target, write};
use super::progress::Progress;
use super::{signals, trust};
use crate::documents::{Demand, Requirement, Revocation, SctDemand, TextMatch, TrustPolicy, TrustRootSource};
use crate::model::{ImageReference, Needs, ScanEvent, escape_control};
use crate::policy::{Asked, RuleEffect, Ruling, TrustPolicies};

const SIGNATURES: Needs =
    Needs { subject: true, tag: false, signatures: true, verification: true, attestations: crate::model::PredicateKinds::NONE };

/// Runs `trust`.
pub(super) async fn run(arguments: Trust) -> anyhow::Result<Exit> {
    match arguments.what {
        TrustWhat::Explain(explain) => explain_image(&explain),
        TrustWhat::Impact(impact) => show_impact(*impact).await,
    }
}

/// Which rules apply, and why. Asks nobody: it is about the policy alone.
fn explain_image(arguments: &TrustExplain) -> anyhow::Result<Exit> {
    let reference: ImageReference =
        arguments.reference.parse().map_err(|error| anyhow::anyhow!("{:?} cannot be parsed: {error}", arguments.reference))?;
    let repository = reference.repository();
    let (sources, _) = trust::sources(&arguments.trust, false)?;
    anyhow::ensure!(!sources.is_empty(), "there is no policy to explain: add --trust-policy FILE");
    let documents: BTreeMap<String, TrustPolicy> = sources.iter().map(|source| (source.name.clone(), source.policy.clone())).collect();
    let named = sources.into_iter().map(|source| crate::policy::NamedPolicy {
        name: source.name,
        policy: source.policy,
        material: crate::model::PolicyMaterial::default(),
        origin: source.origin,
    });
    let policies = TrustPolicies::new(named.collect());
    let mut text = format!("{repository}\n");
    let applied = policies.explain(repository);
    for rule in &applied {
        let why = match rule.effect {
            RuleEffect::Mandatory => "must hold: it is mandatory",
            RuleEffect::MostSpecific => "must hold: the most specific of the default rules",
            RuleEffect::Overruled => "does not apply: a more specific default rule does",
            RuleEffect::Tied => "CANNOT BE SAID: another default rule is as specific",
        };
        text.push_str(&format!("\nrule {} of policy {} ({})\n  {why}\n", rule.number, rule.policy, rule.pattern));
        if !matches!(rule.effect, RuleEffect::Mandatory | RuleEffect::MostSpecific) {
            continue;
        }
        text.push_str(&format!("  needs {}\n", needed(&rule.rule.require)));
        let Some(policy) = documents.get(rule.policy) else { continue };
        for name in names(&rule.rule.require) {
            if let Some(authority) = policy.authorities.get(name) {
                text.push_str(&format!("    {name}: {}\n", described(authority, policy)));
            }
        }
    }
    if applied.is_empty() {
        let otherwise = if policies.ignores(repository, &[]) {
            "such images are left alone (otherwise: ignore): irrelevant, never passed"
        } else {
            "nobody is trusted for it (otherwise: reject)"
        };
        text.push_str(&format!("\nno rule is about it: {otherwise}\n"));
    }
    write(&Target::Stdout, |out| out.write_all(escape_lines(&text).as_bytes()))?;
    let tied = applied.iter().any(|rule| rule.effect == RuleEffect::Tied);
    Ok(if tied { Exit::Usage } else { Exit::Success })
}

/// Control characters escaped, but for the ends of lines.
fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape_control).collect::<Vec<_>>().join("\n")
}

fn names(require: &Requirement) -> impl Iterator<Item = &String> {
    require.any_of.iter().chain(&require.all_of).chain(&require.of).flatten()
}

fn needed(require: &Requirement) -> String {
    let list = |names: &[String]| names.join(", ");
    match (&require.any_of, &require.all_of, require.at_least, &require.of) {
        (Some(names), ..) => format!("one of: {}", list(names)),
        (None, Some(names), ..) => format!("each of: {}", list(names)),
        (None, None, Some(number), Some(names)) => format!("{number} different signers of: {}", list(names)),
        _ => "nothing that could be understood".to_owned(),
    }
}

/// An authority, for a person.
fn described(authority: &crate::documents::Authority, policy: &TrustPolicy) -> String {
    let matched = |text: &TextMatch| match text {
        TextMatch::Exact(text) => text.clone(),
        TextMatch::Regexp(text) => format!("/{text}/ (anchored)"),
    };
    let demand = |demand: Option<Demand>, usual: &str| match demand {
        Some(Demand::Required) => "required".to_owned(),
        Some(Demand::Optional) => "optional".to_owned(),
        Some(Demand::UnsafeIgnore) => "not looked at".to_owned(),
        None => usual.to_owned(),
    };
    let (who, usual) = match (&authority.keyless, &authority.key, &authority.certificate) {
        (Some(keyless), ..) => (
            format!("{} by issuer {} under trust root {}", matched(&keyless.subject), matched(&keyless.issuer), keyless.trust_root),
            "required",
        ),
        (None, Some(_), _) => ("the holder of its key".to_owned(), "optional"),
        (None, None, Some(certificate)) => (format!("{} under its own certificate authority", matched(&certificate.subject)), "optional"),
        (None, None, None) => ("nobody".to_owned(), "optional"),
    };
    let root = authority.keyless.as_ref().and_then(|keyless| policy.trust_roots.get(&keyless.trust_root));
    let without_logs = root.is_some_and(TrustRootSource::lacks_logs);
    let log = if without_logs { "none by design".to_owned() } else { demand(authority.transparency_log, usual) };
    let mut text = format!("{who}; log {log}, proven time {}", demand(authority.proven_time, usual));
    if authority.sct == Some(SctDemand::UnsafeIgnore) && !without_logs {
        text.push_str(", certificate log not looked at");
    }
    if let Some(keyless) = &authority.keyless {
        let exact = keyless.extensions.iter().map(|(extension, text)| (*extension, text.clone()));
        let patterns = keyless.extensions_regexp.iter().map(|(extension, text)| (*extension, format!("/{text}/ (anchored)")));
        for (extension, wanted) in exact.chain(patterns) {
            text.push_str(&format!("; {} {wanted}", extension.name()));
        }
    }
    if let Some(from) = authority.valid_from {
        text.push_str(&format!("; from {from}"));
    }
    if let Some(until) = authority.valid_until {
        text.push_str(&format!("; until {until}"));
    }
    text
}

/// `key=…`, `identity=…,issuer=…`, `sourceDigest=…` or `imageDigest=…`.
fn revocation(text: &str) -> anyhow::Result<Revocation> {
    let mut made = Revocation {
        key: None,
        identity: None,
        issuer: None,
        source_digest: None,
        image_digest: None,
        since: None,
        reason: "asked by --revoke".to_owned(),
    };
    for part in text.split(',') {
        let (name, value) = part.split_once('=').with_context(|| format!("--revoke {text}: {part:?} is not NAME=VALUE"))?;
        let digest = || value.parse().map_err(|error| anyhow::anyhow!("--revoke {text}: {value:?} is no digest: {error}"));
        match name {
            "key" => made.key = Some(digest()?),
            "identity" => made.identity = Some(TextMatch::Exact(value.to_owned())),
            "issuer" => made.issuer = Some(TextMatch::Exact(value.to_owned())),
            "sourceDigest" => made.source_digest = Some(value.to_owned()),
            "imageDigest" => made.image_digest = Some(digest()?),
            "since" => made.since = Some(value.parse().map_err(|error| anyhow::anyhow!("--revoke {text}: {error}"))?),
            other => anyhow::bail!("--revoke {text}: {other:?} is not one of key, identity, issuer, sourceDigest, imageDigest, since"),
        }
    }
    let named = [made.key.is_some(), made.identity.is_some(), made.source_digest.is_some(), made.image_digest.is_some()];
    anyhow::ensure!(
        named.into_iter().filter(|named| *named).count() == 1,
        "--revoke {text}: exactly one of key, identity, sourceDigest and imageDigest is wanted"
    );
    anyhow::ensure!(made.identity.is_some() == made.issuer.is_some(), "--revoke {text}: identity and issuer go together");
    // What a policy would refuse revokes nothing, and must not be told as harmless.
    made.check().map_err(|fault| anyhow::anyhow!("--revoke {text}: {fault}"))?;
    Ok(made)
}

/// Lists what runs, is verified now, and would not be.
async fn show_impact(mut arguments: TrustImpact) -> anyhow::Result<Exit> {
    arguments.trust.offline |= arguments.snapshot.is_some();
    let revocations = arguments.revoke.iter().map(|text| revocation(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let (sources, _) = trust::sources(&arguments.trust, false)?;
    anyhow::ensure!(!sources.is_empty(), "there is no policy that anything could be revoked from: add --trust-policy FILE");
    let documents = sources.iter().map(|source| source.policy.clone()).collect();
    let trusted = trust::ready(sources, &arguments.trust, &arguments.registry.ca_files, Timestamp::now()).await?;
    let stop = signals::watch(None)?;
    let progress = Progress::new();
    let on_event = |event: ScanEvent| progress.show(&event);
    let gathering = Gathering {
        snapshot: arguments.snapshot.as_deref(),
        from: From::Cluster,
        scope: acquire::scope(&arguments.scope, None),
        cluster: &arguments.cluster,
        evidence: &arguments.evidence,
        registry: &arguments.registry,
        policies: documents,
        began: Timestamp::now(),
    };
    let prepared = gathering.prepare(&stop, &on_event).await.inspect_err(|_| progress.clear())?;
    let as_of = trust::as_of(&arguments.trust, prepared.asked_at);
    let options = &arguments.evidence;
    let verification = trust::verification(&trusted.policies, as_of, options, crate::model::Wanted::default())?;
    let gathered = prepared.collect(SIGNATURES, Some(&verification), stop.clone(), &on_event).await;
    progress.clear();
    let after = revocations.iter().fold(trusted.policies.clone(), |policies, revocation| policies.with_revocation(revocation));
    let (text, unknown) = impact(&gathered, &trusted.policies, &after, as_of);
    write(&Target::Stdout, |out| out.write_all(escape_lines(&text).as_bytes()))?;
    Ok(stop.borrow().map_or(if unknown { Exit::Unknown } else { Exit::Success }, Exit::from))
}

/// What changes, by workload; and whether anything is not known.
fn impact(gathered: &Gathered, now: &TrustPolicies, after: &TrustPolicies, as_of: crate::policy::AsOf) -> (String, bool) {
    let mut failing: Vec<String> = Vec::new();
    let (mut verified, mut unknown) = (0, 0);
    let mut undecided = Vec::new();
    let mut changed = BTreeMap::new();
    for (task, evidence) in &gathered.collected {
        match (now.judge(evidence, &Asked::BY_POLICY, as_of), after.judge(evidence, &Asked::BY_POLICY, as_of)) {
            (Ruling::Verified(..), Ruling::Verified(..)) => verified += 1,
            (Ruling::Verified(..), Ruling::Rejected { reason, detail }) => {
                changed.insert(task.clone(), format!("{reason}: {detail}"));
            }
            (Ruling::Verified(..), Ruling::Unknown { cause, detail }) => {
                undecided.push(format!("{}: {cause}: {detail}", evidence.repository));
            }
            (Ruling::Verified(..), Ruling::Absent | Ruling::Irrelevant) => {
                changed.insert(task.clone(), "no signature would be left".to_owned());
            }
            (Ruling::Unknown { .. }, _) => unknown += 1,
            _ => {}
        }
    }
    for workload in &gathered.inventory.workloads {
        for container in &workload.containers {
            for image in &container.images {
                let why = crate::scan::task_of(image).and_then(|task| changed.get(&task).cloned());
                if let Some(why) = why {
                    failing.push(format!("{}\n  container {}, image {}\n  {why}\n", workload.key, container.name, image.reference));
                }
            }
        }
    }
    let images = changed.len();
    let mut text = format!(
        "{} would fail, with {images} image{}; {verified} other image{} would still be verified\n",
        if failing.is_empty() { "nothing that runs".to_owned() } else { format!("{} containers", failing.len()) },
        if images == 1 { "" } else { "s" },
        if verified == 1 { "" } else { "s" },
    );
    for entry in &failing {
        text.push('\n');
        text.push_str(entry);
    }
    if unknown > 0 {
        text.push_str(&format!("\n{unknown} images are not known to be verified now: what would become of them is not known either\n"));
    }
    if !undecided.is_empty() {
        undecided.sort();
        text.push_str("\nverified now, and what would become of it is not known:\n");
        undecided.iter().for_each(|entry| text.push_str(&format!("  {entry}\n")));
    }
    let incomplete = gathered.inventory.gaps.iter().any(|gap| gap.workloads_missing);
    if incomplete {
        text.push_str("\nnot everything that runs could be listed: see the gaps of a scan\n");
    }
    (text, unknown > 0 || !undecided.is_empty() || incomplete)
}
