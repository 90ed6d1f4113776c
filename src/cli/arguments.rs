//! The command line.

mod exceptions;
mod gate;
mod output;
mod pinning;
mod report;
mod sbom;
mod slsa;
mod summaries;
mod trust;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::OwnerSource;

pub use exceptions::{ExceptionOptions, ExceptionsArguments, ExceptionsCommand};
pub use gate::GateOptions;
pub use output::{ColorChoice, FormatVersion, OutputOptions};
pub use pinning::PinningOptions;
pub use report::{ChangesFormat, Diff, ReportArguments, ReportWhat};
pub use sbom::{BillFormat, SbomArguments, SbomGet, SbomWhat};
pub use slsa::{Slsa, SlsaCommon, SlsaExplain, SlsaVerify, SlsaWhat};
pub use summaries::SummaryOptions;
pub use trust::TrustOptions;
pub use verify::{Trust, TrustExplain, TrustImpact, TrustWhat, Verify, VerifyBundle, VerifyFormat, VerifyImage, VerifyWhat};

const EXAMPLES: &str = "\
Examples:
  seaworthy scan control C-0237 -v                  is everything that runs signed?
  seaworthy scan                                    all default controls, the current cluster
  seaworthy scan framework supply-chain --compliance-threshold 90 -f json -o report.json
  helm template ./chart | seaworthy scan -          judge manifests before they run
  seaworthy images                                  what runs, and from where
  seaworthy doctor                                  rights, clock and registries, with a fix for each

Exit codes: 0 fine · 1 a gate is missed · 2 usage or configuration · 3 something is unknown (or decides a gate)
            4 nothing could be listed · 130, 143 interrupted (what is known is reported)";

/// Audits the supply chain of what a Kubernetes cluster really runs.
#[derive(Debug, Parser)]
#[command(name = "seaworthy", version, about, after_help = EXAMPLES, propagate_version = true, max_term_width = 120)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much is logged to standard error
    #[arg(long = "log", global = true, value_name = "LEVEL", env = "SEAWORTHY_LOG", help_heading = "General")]
    pub log: Option<LogLevel>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Errors.
    Error,
    /// And warnings (the default).
    Warn,
    /// And what is done.
    Info,
    /// And every request.
    Debug,
    /// Everything.
    Trace,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a cluster, manifests, images or a snapshot by controls
    Scan(Box<Scan>),
    /// Keep what a scan would ask and be told, for a scan without network
    Snapshot(Box<SnapshotArguments>),
    /// Verify the signatures of one image, or a bundle, step by step
    Verify(Verify),
    /// How an image was built: verify its provenance, or show the chain from commit to pod
    Slsa(Slsa),
    /// Write the bill of materials of an image
    Sbom(SbomArguments),
    /// What the trust policies mean for an image, or for what runs
    Trust(Trust),
    /// Write a stored report in other formats
    Report(ReportArguments),
    /// What changed between two stored reports, and why
    Diff(Diff),
    /// List what runs, and from where, without judging it
    Images(Box<Images>),
    /// List, show and check controls
    Controls(ControlsArguments),
    /// Check exceptions, or draft one for a finding
    Exceptions(ExceptionsArguments),
    /// List controls or frameworks (as Kubescape's command)
    List(ListArguments),
    /// Check rights, clock, credentials and registries, with a fix for each problem
    Doctor(Box<Doctor>),
    /// Print the exact rights that a scan needs
    Rbac(RbacArguments),
}

const SCAN_EXAMPLES: &str = "\
Examples:
  seaworthy scan control C-0237 -v
  seaworthy scan control C-0237,C-0306 --include-namespaces prod,staging
  seaworthy scan workload Deployment/web --include-namespaces prod
  seaworthy scan image ghcr.io/acme/app:v1.2 registry.corp/tool@sha256:…
  seaworthy scan control C-0237 manifests/ -f json=report.json,pretty
  seaworthy scan control C-0237 -v --snapshot cluster.tar.zst
  seaworthy scan control C-0237 --exceptions exceptions.yaml --compliance-threshold 100
  seaworthy scan framework slsa-build-l2 --vsa-out summaries/ --vsa-key cosign.key --vsa-verifier https://acme.example/verifier";

/// `scan`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = SCAN_EXAMPLES)]
pub struct Scan {
    /// What to judge by, or what to judge.
    #[command(subcommand)]
    pub by: Option<ScanBy>,
    /// Manifests: files, directories, or - for standard input (without: the cluster)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Options that hold for every form.
    #[command(flatten)]
    pub options: ScanOptions,
}

/// The forms of `scan`.
#[derive(Debug, Subcommand)]
pub enum ScanBy {
    /// By these controls
    Control {
        /// Control identifiers, separated by commas
        #[arg(value_name = "ID[,ID…]")]
        ids: Identifiers,
        /// Manifests: files, directories, or - for standard input (without: the cluster)
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// By these frameworks
    Framework {
        /// Framework identifiers, separated by commas
        #[arg(value_name = "ID[,ID…]")]
        ids: Identifiers,
        /// Manifests: files, directories, or - for standard input (without: the cluster)
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// One workload of the cluster
    Workload {
        /// Its kind and name
        #[arg(value_name = "KIND/NAME")]
        workload: String,
    },
    /// Images, without a cluster
    Image {
        /// References; --layout DIR and --evidence FILE are further places to look in
        #[arg(value_name = "REF")]
        references: Vec<String>,
    },
}

/// Identifiers, separated by commas.
#[derive(Debug, Clone)]
pub struct Identifiers(pub Vec<String>);

impl std::str::FromStr for Identifiers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let identifiers: Vec<_> = text.split(',').map(|identifier| identifier.trim().to_owned()).collect();
        if identifiers.iter().any(String::is_empty) { Err("an identifier is empty") } else { Ok(Self(identifiers)) }
    }
}

/// Options of `scan`.
#[derive(Debug, Args)]
pub struct ScanOptions {
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The scope.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// The controls.
    #[command(flatten)]
    pub controls: ControlOptions,
    /// Trust.
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Evidence.
    #[command(flatten)]
    pub evidence: EvidenceOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// Judge a snapshot instead of a cluster; no network is used
    #[arg(long, global = true, value_name = "DIR|FILE", help_heading = "Evidence", conflicts_with_all = ["kubeconfig", "kube_context"])]
    pub snapshot: Option<PathBuf>,
    /// Controls to judge `scan workload` and `scan image` by (default: framework supply-chain)
    #[arg(long = "control", global = true, value_name = "ID[,ID…]", value_delimiter = ',', help_heading = "Controls")]
    pub only_controls_by_id: Vec<String>,
    /// Output.
    #[command(flatten)]
    pub output: OutputOptions,
    /// Verification summaries.
    #[command(flatten)]
    pub summaries: SummaryOptions,
    /// Gates.
    #[command(flatten)]
    pub gate: GateOptions,
    /// Exceptions.
    #[command(flatten)]
    pub exceptions: ExceptionOptions,
    /// Pinning.
    #[command(flatten)]
    pub pinning: PinningOptions,
    /// Show which host would be asked what, and ask nothing of registries
    #[arg(long, global = true, help_heading = "General")]
    pub dry_run: bool,
    /// Show where the time went
    #[arg(long, global = true, help_heading = "General")]
    pub timings: bool,
    /// End the whole scan after this long; what is not known by then is unknown
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_duration, help_heading = "General")]
    pub timeout: Option<Duration>,
    /// Accepted for Kubescape's users: there is nothing to send, so nothing is ever sent
    #[arg(long, global = true, hide = true)]
    pub keep_local: bool,
}

/// How to reach the cluster.
#[derive(Debug, Default, Args)]
pub struct ClusterOptions {
    /// Kubeconfig file (default: $KUBECONFIG, ~/.kube/config, then the pod's own account)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster", alias = "context")]
    pub kube_context: Option<String>,
    /// Do not read the Secrets that pods name as pull secrets
    #[arg(long, global = true, help_heading = "Cluster")]
    pub no_pull_secrets: bool,
    /// Custom resources whose pod template is judged, with or without pods, for example argoproj.io/Rollout:spec.template
    #[arg(long = "custom-kind", global = true, value_name = "GROUP/KIND:PATH", help_heading = "Cluster")]
    pub custom_kinds: Vec<String>,
}

/// What to look at.
#[derive(Debug, Default, Args)]
pub struct ScopeOptions {
    /// Only these namespaces (asked namespace by namespace; no cluster-wide right is needed)
    #[arg(long, global = true, value_name = "NAME,…", value_delimiter = ',', help_heading = "Scope")]
    pub include_namespaces: Vec<String>,
    /// Not these namespaces
    #[arg(long, short = 'e', global = true, value_name = "NAME,…", value_delimiter = ',', help_heading = "Scope")]
    pub exclude_namespaces: Vec<String>,
    /// Only workloads of these kinds
    #[arg(long, global = true, value_name = "KIND,…", value_delimiter = ',', help_heading = "Scope")]
    pub include_kinds: Vec<String>,
    /// No workloads of these kinds
    #[arg(long, global = true, value_name = "KIND,…", value_delimiter = ',', help_heading = "Scope")]
    pub exclude_kinds: Vec<String>,
    /// Only workloads whose labels match
    #[arg(long, short = 'l', global = true, value_name = "SELECTOR", help_heading = "Scope")]
    pub label_selector: Option<String>,
    /// Where a workload says who answers for it, the first that says anything: label:KEY, annotation:KEY, namespace
    #[arg(
        long,
        global = true,
        value_name = "SOURCE,…",
        value_delimiter = ',',
        default_value = "label:team,annotation:a8r.io/owner,namespace",
        help_heading = "Scope"
    )]
    pub owner_from: Vec<OwnerSource>,
    /// Only workloads for which one of these answers
    #[arg(long = "owner", global = true, value_name = "NAME,…", value_delimiter = ',', help_heading = "Scope")]
    pub owners: Vec<String>,
}

/// Which controls, with which parameters.
#[derive(Debug, Args)]
pub struct ControlOptions {
    /// Directory of controls and frameworks to add to the built-in ones (repeatable)
    #[arg(long = "controls", global = true, value_name = "DIR", help_heading = "Controls")]
    pub add: Vec<PathBuf>,
    /// Directory of controls and frameworks to use instead of the built-in ones (repeatable)
    #[arg(
        long = "only-controls",
        global = true,
        value_name = "DIR",
        help_heading = "Controls",
        alias = "use-from",
        conflicts_with = "add"
    )]
    pub only: Vec<PathBuf>,
    /// Parameters in Kubescape's flat controls-config form (JSON)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Controls")]
    pub controls_config: Option<PathBuf>,
    /// Parameters in our own typed form (YAML)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Controls")]
    pub parameters: Option<PathBuf>,
}

/// Where evidence is looked for.
#[derive(Debug, Args)]
pub struct EvidenceOptions {
    /// OCI image layout to look in too, for all images that it holds or for one reference (repeatable)
    #[arg(long = "layout", global = true, value_name = "DIR[=REFERENCE]", help_heading = "Evidence")]
    pub layouts: Vec<String>,
    /// Directory or JSONL file of Sigstore bundles to look in too (repeatable)
    #[arg(long = "evidence", global = true, value_name = "PATH", help_heading = "Evidence")]
    pub bundles: Vec<PathBuf>,
    /// Neither read nor write the cache on disk
    #[arg(long, global = true, help_heading = "Evidence")]
    pub no_cache: bool,
    /// Use results of verification that were kept although this runs in a CI (CI=true)
    #[arg(long, global = true, help_heading = "Evidence")]
    pub cache_results_in_ci: bool,
    /// Use answers that can change (tags, referrers, absences) up to this age from the cache
    #[arg(long, global = true, value_name = "DURATION", default_value = "0s", value_parser = parse_duration, help_heading = "Evidence")]
    pub max_age: Duration,
}

/// How registries are asked.
#[derive(Debug, Args)]
pub struct RegistryOptions {
    /// Contact this host although it is loopback, link-local or inside the cluster (repeatable; without a port: all its ports)
    #[arg(long = "allow-host", global = true, value_name = "HOST[:PORT]", help_heading = "Registries")]
    pub allow_hosts: Vec<String>,
    /// Use plain HTTP with this host (repeatable; without a port: all its ports)
    #[arg(long = "plain-http", global = true, value_name = "HOST[:PORT]", help_heading = "Registries")]
    pub plain_http: Vec<String>,
    /// Trust these certificate authorities too (PEM, repeatable)
    #[arg(long = "ca-file", global = true, value_name = "FILE", help_heading = "Registries")]
    pub ca_files: Vec<PathBuf>,
    /// Docker configuration with credentials (default: $DOCKER_CONFIG/config.json, ~/.docker/config.json)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Registries")]
    pub docker_config: Option<PathBuf>,
    /// Kubelet CredentialProviderConfig; needs --credential-provider-bin-dir. Plug-ins that log in with tokens of the pods' service
    /// accounts are not asked
    #[arg(long, global = true, value_name = "FILE", requires = "credential_provider_bin_dir", help_heading = "Registries")]
    pub credential_provider_config: Option<PathBuf>,
    /// Directory of kubelet credential-provider plug-ins
    #[arg(long, global = true, value_name = "DIR", requires = "credential_provider_config", help_heading = "Registries")]
    pub credential_provider_bin_dir: Option<PathBuf>,
    /// Give up one request to a registry after this long
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = parse_duration, help_heading = "Registries")]
    pub registry_timeout: Duration,
}

/// `snapshot`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  seaworthy snapshot -o cluster.tar.zst\n  seaworthy scan control C-0237 -v --snapshot cluster.tar.zst")]
pub struct SnapshotArguments {
    /// Directory, or archive where it ends in .tar.zst
    #[arg(short, long, value_name = "DIR|FILE.tar.zst")]
    pub output: PathBuf,
    /// Keep only the inventory; ask no registry
    #[arg(long)]
    pub inventory_only: bool,
    /// Images to keep instead of a cluster (repeatable)
    #[arg(long = "image", value_name = "REF")]
    pub images: Vec<String>,
    /// Manifests to keep instead of a cluster: files, directories, or - for standard input
    #[arg(value_name = "PATH", conflicts_with = "images")]
    pub paths: Vec<PathBuf>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The scope.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// Trust policy whose section `evidence` says where else to look (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub trust_policy: Vec<PathBuf>,
    /// Evidence.
    #[command(flatten)]
    pub evidence: EvidenceOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
    /// End the whole after this long; what is not known by then is unknown in the snapshot
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
}

/// `images`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  seaworthy images\n  seaworthy images -f csv -o images.csv\n  seaworthy images manifests/")]
pub struct Images {
    /// Manifests: files, directories, or - for standard input (without: the cluster)
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Form of the list
    #[arg(short, long, value_enum, default_value = "table")]
    pub format: ImagesFormat,
    /// File to write to
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// List the images of a snapshot; no network is used
    #[arg(long, value_name = "DIR|FILE")]
    pub snapshot: Option<PathBuf>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The scope.
    #[command(flatten)]
    pub scope: ScopeOptions,
}

/// Forms of the list of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImagesFormat {
    /// A table for a person.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
}

/// `controls`.
#[derive(Debug, Args)]
pub struct ControlsArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ControlsCommand,
    /// Which.
    #[command(flatten)]
    pub controls: ControlOptions,
}

const TEST_EXAMPLES: &str = "\
Examples:
  seaworthy controls test my-controls/
  seaworthy controls test my-controls/acme-1.yaml my-controls/tests/acme-1.yaml

Exit code 0 where every case holds, 1 where one does not, 2 where a document is wrong.";

/// The commands on controls.
#[derive(Debug, Subcommand)]
pub enum ControlsCommand {
    /// List controls
    List {
        /// Form of the list
        #[arg(short, long, value_enum, default_value = "table")]
        format: ListFormat,
    },
    /// Show one control: what it asks, why, and what to do
    Show {
        /// Its identifier
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Run tests of controls: evidence in, finding expected (documents of kind `ControlTest`)
    #[command(after_help = TEST_EXAMPLES)]
    Test {
        /// Files or directories of tests, and of the controls that they are about; of a directory also its `tests`
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Check files of controls, frameworks, parameters and trust policies
    Lint {
        /// Files or directories
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
}

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table for a person.
    Table,
    /// JSON.
    Json,
}

/// `list`, as Kubescape has it.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// What to list
    #[arg(value_enum)]
    pub what: ListWhat,
    /// Form of the list
    #[arg(short, long, value_enum, default_value = "table")]
    pub format: ListFormat,
    /// Which.
    #[command(flatten)]
    pub controls: ControlOptions,
}

/// What `list` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListWhat {
    /// Controls.
    Controls,
    /// Frameworks.
    Frameworks,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Images whose registries are checked too (repeatable)
    #[arg(long = "image", value_name = "REF")]
    pub images: Vec<String>,
    /// Trust policy whose section `evidence` names GitHub's attestation stores, which are checked too (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub trust_policy: Vec<PathBuf>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The scope.
    #[command(flatten)]
    pub scope: ScopeOptions,
    /// Registries.
    #[command(flatten)]
    pub registry: RegistryOptions,
}

/// `rbac`.
#[derive(Debug, Args)]
pub struct RbacArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: RbacCommand,
}

/// The commands on rights.
#[derive(Debug, Subcommand)]
pub enum RbacCommand {
    /// Print the manifest of an account with exactly the rights that a scan needs
    #[command(after_help = "Example:\n  seaworthy rbac print --scope namespaces --include-namespaces prod,staging | kubectl apply -f -")]
    Print {
        /// How much the account may see
        #[arg(long, value_enum, default_value = "cluster")]
        scope: RbacScopeChoice,
        /// The namespaces, for --scope namespaces
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        include_namespaces: Vec<String>,
    },
}

/// How much an account may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RbacScopeChoice {
    /// The whole cluster, pull secrets by name included.
    Cluster,
    /// Some namespaces.
    Namespaces,
    /// The whole cluster without any Secret.
    NoSecrets,
}

/// `90s`, `5m`, `1h30m`, `250ms`, `30d`; a bare number is seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Ok(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| "a duration such as 30s, 5m or 1h30m is wanted".to_owned())?;
    Duration::try_from(span).map_err(|_| "a duration may not be negative".to_owned())
}

#[cfg(test)]
mod tests;
