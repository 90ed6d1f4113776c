//! `doctor`: what would keep a scan from seeing everything, each with a fix.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::acquire::{self, From};
use super::arguments::Doctor;
use super::evidence::CLOCK_SKEW;
use super::exit::Exit;
use super::output::{Target, write};
use super::progress::Progress;
use super::registries;
use crate::documents::TrustPolicy;
use crate::inventory::{ClusterNetworks, InventoryError, Network};
use crate::model::{
    Ask, Cause, CredentialKind, Digest, GithubStore, ImageReference, Inventory, Outcome, Phase, Repository, RunningImage, ScanEvent, Scope,
    SecretName, escape_control,
};
use crate::policy::evidence_places;
use crate::registry::{GithubSight, ReferrersSupport, Registry};
use crate::report::advice;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    Poor,
    Bad,
}

/// What was found, and for what is not good, what to do.
struct Check {
    health: Health,
    what: String,
    fix: String,
}

impl Check {
    fn good(what: String) -> Self {
        Self { health: Health::Good, what, fix: String::new() }
    }

    fn poor(what: String, fix: impl Into<String>) -> Self {
        Self { health: Health::Poor, what, fix: fix.into() }
    }

    fn bad(what: String, fix: impl Into<String>) -> Self {
        Self { health: Health::Bad, what, fix: fix.into() }
    }
}

/// Runs `doctor`. Exit 0 where nothing is wrong, 3 where something would be unknown, 4 where nothing could be listed.
pub(super) async fn run(arguments: Doctor) -> anyhow::Result<Exit> {
    let from = if arguments.images.is_empty() { From::Cluster } else { From::Images(arguments.images.clone()) };
    let scope = acquire::scope(&arguments.scope, None);
    let (policies, _) = super::library::trust_policies(&arguments.trust_policy)?;
    let policies: Vec<TrustPolicy> = policies.into_iter().map(|source| source.policy).collect();
    let mut checks = Vec::new();
    // A half diagnosis would look like a whole one: a signal ends the program, as it does by itself.
    let (_keep, never) = tokio::sync::watch::channel(None);
    let progress = Progress::new();
    let on_event = |event: ScanEvent| progress.show(&event);
    on_event(ScanEvent::PhaseStarted(Phase::Inventory, None));
    let acquired = acquire::acquire(&from, &scope, &arguments.cluster, Timestamp::now(), &never, &on_event).await;
    progress.clear();
    let acquired = match acquired {
        Ok(acquired) => acquired,
        Err(error) => {
            checks.push(Check::bad(format!("cluster: {error:#}"), fix_of(&error)));
            print(&checks)?;
            return Ok(super::exit_of_error(&error));
        }
    };
    checks.extend(cluster(&acquired.inventory));
    if acquired.inventory.cluster.is_some() {
        checks.push(addresses(&acquired.networks, &acquired.inventory.scope));
    }
    checks.extend(acquired.clock.map(|clock| skew("the API server", clock.server.duration_since(clock.local).as_secs())));
    let registry = registries::registry(&arguments.registry, &acquired.networks, acquired.pull_secrets, &policies)?;
    checks.extend(check_registries(&acquired.inventory, &registry).await);
    checks.extend(check_stores(&acquired.inventory, &policies, &registry).await);
    for (host, statistics) in registry.statistics().hosts {
        checks.extend(
            statistics
                .clock_offset
                .filter(|offset| offset.unsigned_abs() > CLOCK_SKEW.as_secs().unsigned_abs())
                .map(|offset| skew(&host, offset)),
        );
    }
    print(&checks)?;
    Ok(if checks.iter().any(|check| check.health == Health::Bad) { Exit::Unknown } else { Exit::Success })
}

/// What to do where the cluster could not even be listed; nothing else can be checked before.
fn fix_of(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<InventoryError>() {
        Some(InventoryError::Unreachable { cause, .. }) => match cause {
            Cause::Connection => "is the cluster up, and are address and port right? See `kubectl cluster-info`",
            Cause::Dns => "the name of the server does not resolve: check `server` in the kubeconfig, DNS, and whether a VPN is needed",
            Cause::Tls => "check `certificate-authority` and `server` in the kubeconfig: the certificate has to be of that name and CA",
            Cause::Timeout => "it does not answer: check address and port, firewall, VPN and proxy, and try `kubectl get --raw /version`",
            Cause::InvalidResponse | Cause::RedirectRefused => {
                "it answered, but not as a Kubernetes API does: is a proxy or login page in between, or `server` in the kubeconfig wrong?"
            }
            _ => "try `kubectl get --raw /version` with the same kubeconfig and context",
        },
        Some(InventoryError::Unauthorized { .. }) => "the credentials are not accepted, or have expired: log in again",
        Some(InventoryError::Credential { .. }) => "run the credential plug-in of the kubeconfig by hand, or log in again",
        Some(InventoryError::NothingListed { .. }) => "grant the rights that `seaworthy rbac print` shows",
        _ => "mend this first; nothing else can be checked without it",
    }
}

fn cluster(inventory: &Inventory) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(cluster) = &inventory.cluster {
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        checks.push(Check::good(format!(
            "cluster: version {}, UID {}, as {}",
            or_unknown(&cluster.server_version),
            or_unknown(&cluster.uid),
            or_unknown(&cluster.user)
        )));
        checks.push(Check::good(format!(
            "listed: {} pods, {} workloads in {} namespaces",
            inventory.counts.pods,
            inventory.workloads.len(),
            inventory.counts.namespaces
        )));
    }
    for gap in &inventory.gaps {
        let what = format!("{}: {}", gap.what, gap.cause);
        checks.push(match gap.workloads_missing {
            true => Check::bad(what, gap.detail.clone()),
            false => Check::poor(what, gap.detail.clone()),
        });
    }
    if inventory.gaps.is_empty() && inventory.cluster.is_some() {
        checks.push(Check::good("rights: everything in scope could be listed".to_owned()));
    }
    checks
}

/// Whether an image reference can be told from the address of a service.
fn addresses(networks: &ClusterNetworks, scope: &Scope) -> Check {
    let list = |ranges: &BTreeSet<Network>| ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !networks.services.is_empty() {
        let pods = if networks.pods.is_empty() { String::new() } else { format!("of pods {}, ", list(&networks.pods)) };
        let what = format!("of services {}, {pods}and {} single ones", list(&networks.services), networks.addresses.len());
        return Check::good(format!("cluster addresses that are never asked as a registry: {what}"));
    }
    let why = if scope.include_namespaces.is_empty() {
        "the server does not show them (ServiceCIDR, Kubernetes 1.33), and no pod of the API server does"
    } else {
        "they are the whole cluster's, and only some namespaces are asked"
    };
    Check::poor(
        format!("cluster addresses: the ranges of services are not known: {why}"),
        "names under .svc and .cluster.local and the addresses of listed pods are refused all the same; to be safe from references to \
         other addresses, scan from a place that reaches registries and not the cluster's services",
    )
}

fn skew(whose: &str, seconds: i64) -> Check {
    let what =
        format!("clock: {whose} is {} s {} the local clock", seconds.unsigned_abs(), if seconds < 0 { "behind" } else { "ahead of" });
    if seconds.unsigned_abs() > CLOCK_SKEW.as_secs().unsigned_abs() {
        Check::bad(what, "set the clock (NTP): over 10 minutes, what depends on now is unknown (clock-skew)")
    } else {
        Check::good(what)
    }
}

/// One image stands for its registry.
struct Sample {
    repository: Repository,
    ask: Ask,
    digest: Option<Digest>,
    secrets: Vec<SecretName>,
}

fn samples(inventory: &Inventory) -> BTreeMap<String, Sample> {
    let mut samples = BTreeMap::new();
    for image in inventory.workloads.iter().flat_map(|workload| &workload.containers).flat_map(|container| &container.images) {
        let Ok(reference) = image.reference.parse::<ImageReference>() else { continue };
        let digest = match (&image.running, reference.digest()) {
            (RunningImage::Manifest(digest), _) | (_, Some(digest)) => Some(digest.clone()),
            _ => None,
        };
        let ask = match (&digest, reference.pulled_tag()) {
            (Some(digest), _) => Ask::Manifest(digest.clone()),
            (None, tag) => Ask::Tag(tag.unwrap_or("latest").into()),
        };
        samples.entry(reference.repository().registry().to_owned()).or_insert(Sample {
            repository: reference.repository().clone(),
            ask,
            digest,
            secrets: image.pull_secrets.clone(),
        });
    }
    samples
}

async fn check_registries(inventory: &Inventory, registry: &Registry) -> Vec<Check> {
    let samples = samples(inventory);
    let checks = samples.iter().map(|(host, sample)| check_registry(host, sample, registry));
    futures::future::join_all(checks).await
}

async fn check_registry(host: &str, sample: &Sample, registry: &Registry) -> Check {
    let identity = registry.identity(&sample.secrets, &sample.repository);
    let manifest = registry.answer(&sample.repository, &identity, std::slice::from_ref(&sample.ask), None).await;
    let Some(first) = manifest.first().map(|answered| &answered.answer) else {
        return Check::bad(format!("{host}: no answer"), advice(Cause::Connection));
    };
    let found = match &first.outcome {
        Outcome::Found(descriptors) => descriptors.first().map(|descriptor| descriptor.digest.clone()).or_else(|| sample.digest.clone()),
        Outcome::Absent => {
            return Check::poor(
                format!("{host}: answers that an image of {} is not there", sample.repository),
                advice(Cause::ImageNotFound),
            );
        }
        Outcome::Unknown(unknown) => return Check::bad(format!("{host}: {}: {}", unknown.cause, unknown.detail), advice(unknown.cause)),
    };
    let credential = describe(first.credential);
    let Some(digest) = found else { return Check::good(format!("{host}: answers {credential}")) };
    // Together with the manifest: only beside one that is there does a 404 say that there is no such API.
    let asks = [Ask::Manifest(digest.clone()), Ask::Referrers(digest)];
    let referrers = registry.answer(&sample.repository, &identity, &asks, None).await;
    if let Some(Outcome::Unknown(unknown)) = referrers.last().map(|answered| &answered.answer.outcome) {
        return Check::bad(
            format!("{host}: answers {credential}; referrers: {}: {}", unknown.cause, unknown.detail),
            advice(unknown.cause),
        );
    }
    let support = match registry.referrers_support(&sample.repository, &identity) {
        ReferrersSupport::Api => "referrers API",
        ReferrersSupport::FallbackTag => "no referrers API: fallback tags",
        ReferrersSupport::Unknown => "referrers API not seen (404): asked each time, with fallback tags",
    };
    Check::good(format!("{host}: answers {credential}; {support}"))
}

/// GitHub's attestation stores that the policies name for what runs.
async fn check_stores(inventory: &Inventory, policies: &[TrustPolicy], registry: &Registry) -> Vec<Check> {
    let images = inventory.workloads.iter().flat_map(|workload| &workload.containers).flat_map(|container| &container.images);
    let repositories: BTreeSet<Repository> =
        images.filter_map(|image| Some(image.reference.parse::<ImageReference>().ok()?.repository().clone())).collect();
    let places: Vec<_> = repositories.iter().map(|repository| evidence_places(policies, repository)).collect();
    let unusable: BTreeSet<_> = places.iter().flat_map(|places| &places.unusable).collect();
    let fix = "write the place so that it can be named for every image that the rule matches";
    let mut checks: Vec<Check> = unusable.into_iter().map(|(place, detail)| Check::bad(format!("{place}: {detail}"), fix)).collect();
    let stores: BTreeSet<GithubStore> = places.into_iter().flat_map(|places| places.github).collect();
    checks.extend(futures::future::join_all(stores.iter().map(|store| check_store(store, registry))).await);
    checks
}

async fn check_store(store: &GithubStore, registry: &Registry) -> Check {
    let host = store.host();
    match registry.sight(store).await {
        Ok(GithubSight::Whole) => Check::good(format!("{host}: {store}: all can be seen")),
        Ok(GithubSight::Part) => Check::poor(
            format!("{host}: {store}: what is seen there counts, and silence is unknown (evidence-location-incomplete)"),
            "name public repositories, or use a classic token with the scope `repo`; what an owner's repositories hide is never told",
        ),
        Ok(GithubSight::Nothing) => Check::bad(
            format!("{host}: {store}: it is not there, or hides"),
            "check its name; set GH_TOKEN (for another server than github.com GH_ENTERPRISE_TOKEN) to a token that may read it",
        ),
        Err(unknown) => Check::bad(format!("{host}: {store}: {}: {}", unknown.cause, unknown.detail), advice(unknown.cause)),
    }
}

fn describe(credential: CredentialKind) -> &'static str {
    match credential {
        CredentialKind::PullSecret => "to a pull secret",
        CredentialKind::CredentialProvider => "to a kubelet credential provider",
        CredentialKind::DockerConfig => "to the Docker configuration",
        CredentialKind::CredentialHelper => "to a credential helper",
        CredentialKind::GithubToken => "to the token",
        CredentialKind::Anonymous => "without credentials",
        CredentialKind::Local => "from disk",
    }
}

fn print(checks: &[Check]) -> anyhow::Result<()> {
    let mut text = String::new();
    for check in checks {
        let mark = match check.health {
            Health::Good => "ok  ",
            Health::Poor => "note",
            Health::Bad => "FAIL",
        };
        text.push_str(&format!("{mark}  {}\n", escape_control(&check.what)));
        if !check.fix.is_empty() {
            text.push_str(&format!("      fix: {}\n", escape_control(&check.fix)));
        }
    }
    write(&Target::Stdout, |out| out.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_be_asked_has_a_fix_by_cause() {
        let fix = |cause| fix_of(&InventoryError::Unreachable { server: "s".to_owned(), cause, detail: String::new() }.into());
        for (cause, part) in [
            (Cause::Connection, "kubectl cluster-info"),
            (Cause::Dns, "DNS"),
            (Cause::Tls, "certificate-authority"),
            (Cause::Timeout, "does not answer"),
            (Cause::InvalidResponse, "login page"),
        ] {
            assert!(fix(cause).contains(part), "{cause}: {}", fix(cause));
        }
        let forbidden = InventoryError::NothingListed { server: "s".to_owned(), detail: String::new() };
        assert!(fix_of(&forbidden.into()).contains("rbac print"));
        let expired = InventoryError::Unauthorized { server: "s".to_owned(), context: None, hint: String::new() };
        assert!(fix_of(&expired.into()).contains("log in again"));
    }
}
