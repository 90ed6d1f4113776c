//! From options to trust: policies from files and from the command line, with their material.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use super::arguments::{EvidenceOptions, TrustOptions};
use super::library;
use crate::controls::BuilderDocument;
use crate::documents::{
    Authority, Demand, ImageRule, Keyless, Material, Otherwise, Requirement, SigstoreInstance, Strength, TextMatch, TrustPolicy,
    TrustRootSource,
};
use crate::model::{Algorithm, Digest, DocumentDigest, RootRecord, TrustRoot, Wanted};
use crate::policy::{AsOf, NamedBuilders, NamedPolicy, PolicyOrigin, TrustPolicies};
use crate::scan::Verification;
use crate::trust::{About, Loader, TrustOptions as LoadOptions, Warning, aged};
use crate::verify::Verifier;

/// Name of the policy that is made of options.
pub(super) const COMMAND_LINE: &str = "command line";
/// Name of the trust root that --trusted-root names.
const TRUSTED_ROOT: &str = "trusted-root";
/// Name of the policy that is made of Kubescape's parameter.
const KUBESCAPE_KEYS: &str = "trustedCosignPublicKeys";

/// A policy with the directory that its files are relative to.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) policy: TrustPolicy,
    pub(super) directory: PathBuf,
    pub(super) origin: PolicyOrigin,
}

/// The policies that the options name, in their order, and digests of their documents.
///
/// # Errors
/// When a file cannot be read or is no trust policy, and when an identity is given without an issuer (or the other way round).
pub(super) fn sources(options: &TrustOptions, strict: bool) -> anyhow::Result<(Vec<Source>, Vec<DocumentDigest>)> {
    let (mut sources, documents) = library::trust_policies(&options.trust_policy)?;
    if let Some(policy) = of_options(options, strict)? {
        anyhow::ensure!(
            sources.is_empty(),
            "--key and --identity are for a quick look without a policy: with --trust-policy, write them into the policy"
        );
        sources.push(Source { name: COMMAND_LINE.to_owned(), policy, directory: PathBuf::new(), origin: PolicyOrigin::Options });
    }
    Ok((sources, documents))
}

/// The policy that `--key` and `--identity` stand for: any of them, for every image. `strict` asks for a log entry and a proven time of
/// keys too, as `verify bundle` does.
fn of_options(options: &TrustOptions, strict: bool) -> anyhow::Result<Option<TrustPolicy>> {
    let mut authorities = BTreeMap::new();
    for (number, file) in options.keys.iter().enumerate() {
        // What is no key is the user's mistake, and not something unknown about the images.
        let pem = library::read_file(file)?;
        crate::trust::keys(&pem).with_context(|| format!("--key {}", file.display()))?;
        // Kept as it was read: it may be a pipe. What is PEM is text.
        let pem = Material::Data(String::from_utf8_lossy(&pem).into_owned());
        let name = if options.keys.len() == 1 { "key".to_owned() } else { format!("key-{}", number + 1) };
        let demand = if strict { Demand::Required } else { Demand::Optional };
        authorities.insert(name, by_key(pem, demand));
    }
    if options.names_identity() {
        authorities.insert("identity".to_owned(), by_identity(options)?);
    }
    if authorities.is_empty() {
        anyhow::ensure!(
            options.trusted_root.is_none(),
            "--trusted-root needs --key or --identity: alone it says nothing about whom to trust"
        );
        return Ok(None);
    }
    let (name, root) = match &options.trusted_root {
        Some(file) => {
            // A mistake of the user's, and not something unknown about the images. It may be a pipe, so it is not opened here.
            let found = std::fs::metadata(file).with_context(|| format!("cannot read --trusted-root {}", file.display()))?;
            anyhow::ensure!(!found.is_dir(), "cannot read --trusted-root {}: it is a directory", file.display());
            (TRUSTED_ROOT, TrustRootSource { sigstore: None, file: Some(file.display().to_string()), data: None, tuf: None, logs: None })
        }
        None => (
            crate::trust::PUBLIC_GOOD,
            TrustRootSource { sigstore: Some(SigstoreInstance::PublicGood), file: None, data: None, tuf: None, logs: None },
        ),
    };
    Ok(Some(any_of(authorities, [(name.to_owned(), root)].into())))
}

/// A policy that takes any of these authorities for every image.
fn any_of(authorities: BTreeMap<String, Authority>, trust_roots: BTreeMap<String, TrustRootSource>) -> TrustPolicy {
    let require = Requirement { any_of: Some(authorities.keys().cloned().collect()), ..Requirement::default() };
    let images = "**".parse().into_iter().collect();
    let rule = ImageRule { images, strength: Strength::Default, require };
    TrustPolicy {
        trust_roots,
        authorities,
        images: vec![rule],
        revocations: Vec::new(),
        evidence: Vec::new(),
        otherwise: Otherwise::Reject,
    }
}

fn by_key(key: Material, demand: Demand) -> Authority {
    Authority {
        keyless: None,
        key: Some(key),
        certificate: None,
        trust_root: None,
        transparency_log: Some(demand),
        proven_time: Some(demand),
        sct: None,
        valid_from: None,
        valid_until: None,
    }
}

fn by_identity(options: &TrustOptions) -> anyhow::Result<Authority> {
    let either = |exact: &Option<String>, regexp: &Option<String>| {
        exact.clone().map(TextMatch::Exact).or_else(|| regexp.clone().map(TextMatch::Regexp))
    };
    let subject = either(&options.identity, &options.identity_regexp)
        .context("an issuer alone names nobody: add --identity SUBJECT (or --identity-regexp)")?;
    let issuer = either(&options.issuer, &options.issuer_regexp)
        .context("an identity is only as good as who issued it: add --issuer URL (or --issuer-regexp)")?;
    for (name, matched) in [("--identity", &subject), ("--issuer", &issuer)] {
        let (TextMatch::Exact(text) | TextMatch::Regexp(text)) = matched;
        anyhow::ensure!(!text.is_empty(), "{name} is empty, which is nobody: is the variable that it comes from set?");
    }
    for (name, matched) in [("--identity-regexp", &subject), ("--issuer-regexp", &issuer)] {
        if let TextMatch::Regexp(text) = matched {
            crate::documents::anchored(text).with_context(|| format!("{name} {text:?} is not a regular expression"))?;
        }
    }
    let trust_root = if options.trusted_root.is_some() { TRUSTED_ROOT } else { crate::trust::PUBLIC_GOOD };
    let keyless =
        Keyless { trust_root: trust_root.to_owned(), issuer, subject, extensions: BTreeMap::new(), extensions_regexp: BTreeMap::new() };
    Ok(Authority {
        keyless: Some(keyless),
        key: None,
        certificate: None,
        trust_root: None,
        transparency_log: None,
        proven_time: None,
        sct: None,
        valid_from: None,
        valid_until: None,
    })
}

/// The policies that lists of Kubescape's parameter stand for, one for each different list: any of its keys, log and proven time optional.
pub(super) fn of_kubescape(lists: impl Iterator<Item = Vec<String>>) -> impl Iterator<Item = Source> {
    let different: BTreeSet<BTreeSet<String>> = lists.map(BTreeSet::from_iter).filter(|keys: &BTreeSet<_>| !keys.is_empty()).collect();
    different.into_iter().map(|keys| {
        let authorities = keys
            .into_iter()
            .enumerate()
            .map(|(number, pem)| (format!("key-{}", number + 1), by_key(Material::Data(pem), Demand::Optional)));
        let policy = any_of(authorities.collect(), BTreeMap::new());
        Source { name: KUBESCAPE_KEYS.to_owned(), policy, directory: PathBuf::new(), origin: PolicyOrigin::Keys }
    })
}

/// Policies that are ready, and what is to be told about their material.
pub(super) struct Trusted {
    pub(super) policies: TrustPolicies,
    pub(super) roots: Vec<RootRecord>,
    loader: Loader,
}

impl Trusted {
    /// Nobody, where nothing is verified.
    pub(super) fn nobody() -> Self {
        let options = LoadOptions { offline: true, ..LoadOptions::new(Timestamp::UNIX_EPOCH) };
        Self { policies: TrustPolicies::default(), roots: Vec::new(), loader: Loader::new(options) }
    }
}

/// Loads what the policies vouch with, and makes them ready. What cannot be loaded makes verdicts unknown, and is told.
pub(super) async fn ready(sources: Vec<Source>, options: &TrustOptions, ca_files: &[PathBuf], now: Timestamp) -> anyhow::Result<Trusted> {
    let load_options = LoadOptions { offline: options.offline, ca_files: ca_files.to_vec(), ..LoadOptions::new(now) };
    let mut loader = Loader::new(load_options);
    let max_age = SignedDuration::try_from(options.max_root_age)?;
    let mut policies = Vec::new();
    let mut roots = Vec::new();
    for Source { name, policy, directory, origin } in sources {
        let loaded = loader.load(&policy, &directory).await;
        for warning in &loaded.warnings {
            super::note(&format!("warning: trust policy {name}: {warning}"));
        }
        for root in loaded.material.roots.values() {
            let warning = aged(root, now, max_age);
            if let Some(warning) = &warning {
                super::note(&format!("warning: {warning}"));
            }
            roots.push(record(&name, root, warning));
        }
        policies.push(NamedPolicy { name, policy, material: loaded.material, origin });
    }
    roots.sort();
    Ok(Trusted { policies: TrustPolicies::new(policies), roots, loader })
}

/// The same with builders, whose provenance is judged.
pub(super) async fn with_builders(
    trusted: Trusted,
    builders: impl Iterator<Item = BuilderDocument<'_>>,
    options: &TrustOptions,
    now: Timestamp,
) -> anyhow::Result<Trusted> {
    let max_age = SignedDuration::try_from(options.max_root_age)?;
    let Trusted { policies, mut roots, mut loader } = trusted;
    let mut ready = Vec::new();
    for BuilderDocument { name, trust, file, comes_along, .. } in builders {
        // What it names by file lies beside it.
        let directory = Path::new(file).parent().unwrap_or(Path::new(""));
        let loaded = loader.load(&trust.as_policy(), directory).await;
        let title = format!("builders {name}");
        // What was told of a root of the policies is not told again.
        let told = |root: &TrustRoot| roots.iter().any(|known: &RootRecord| known.name == root.name && known.origin == root.origin);
        let is_new = |warning: &&Warning| match &warning.about {
            About::Root(name) => loaded.material.roots.get(name).is_none_or(|root| !told(root)),
            About::Authority(_) => true,
        };
        let records = loaded.material.roots.values().map(|root| record(&title, root, aged(root, now, max_age).filter(|_| !told(root))));
        let records: Vec<_> = records.collect();
        // Nobody asked for what comes along: the report tells of its roots, and of what they leave unknown.
        if !comes_along {
            for warning in loaded.warnings.iter().filter(is_new) {
                super::note(&format!("warning: {title}: {warning}"));
            }
            for warning in records.iter().filter_map(|record| record.warning.as_ref()) {
                super::note(&format!("warning: {warning}"));
            }
        }
        roots.extend(records);
        ready.push(NamedBuilders { name: name.to_owned(), trust: trust.clone(), material: loaded.material });
    }
    roots.sort();
    Ok(Trusted { policies: policies.with_builders(ready), roots, loader })
}

fn record(policy: &str, root: &TrustRoot, warning: Option<String>) -> RootRecord {
    let content = root.content.as_ref().map(|bytes| Digest::of(Algorithm::Sha256, bytes)).map_err(Clone::clone);
    RootRecord { policy: policy.to_owned(), name: root.name.clone(), origin: root.origin.clone(), dated: root.dated, content, warning }
}

/// The moment as of which is judged: the one that was asked for, else that of the scan, or of the snapshot.
pub(super) fn as_of(options: &TrustOptions, asked_at: Timestamp) -> AsOf {
    match options.at {
        Some(moment) => AsOf { moment, tolerance: SignedDuration::ZERO, rewound: true },
        None => AsOf { moment: asked_at, tolerance: super::evidence::CLOCK_SKEW, rewound: false },
    }
}

/// Who verifies, with results kept on disk unless the user or a CI says otherwise: what a build could have written must not decide.
pub(super) fn verification(
    policies: &TrustPolicies,
    as_of: AsOf,
    options: &EvidenceOptions,
    wanted: Wanted,
) -> anyhow::Result<Verification> {
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    // Of a moment that is still to come the clock says something else tomorrow.
    let to_come = as_of.moment > Timestamp::now();
    let kept = if options.no_cache || to_come || (ci && !options.cache_results_in_ci) { None } else { super::evidence::open_cache() };
    Ok(Verification::new(Verifier::new(policies.trials(), as_of.moment), None, kept, wanted)?)
}
