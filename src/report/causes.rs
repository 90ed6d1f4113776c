//! One cause, one finding: what fails or is unknown, grouped over all workloads that share it.
//!
//! A cause is a control, an image (or a repository, where what happened is about the repository as a whole) and a stable reason. What
//! something injected after the template is apart from what the template declares, and what is excepted apart from what is not: other
//! people have to act.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{Context, SHA256};

use crate::model::{
    Cause, ContainerFinding, ContainerKind, ControlOutcome, ControlResult, DeclaredIn, Digest, ImageReference, Judgement, Reason, Report,
    Standing, WorkloadRecord,
};

/// What is not a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open {
    /// It fails.
    Failed(Reason),
    /// It is not known.
    Unknown(Cause),
}

impl Open {
    /// What an answer leaves open; none for a pass.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Option<Self> {
        match judgement {
            Judgement::Pass { .. } => None,
            Judgement::Fail { reason, .. } => Some(Self::Failed(*reason)),
            Judgement::Unknown { cause, .. } => Some(Self::Unknown(*cause)),
        }
    }

    /// The stable reason or cause.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Failed(reason) => reason.name(),
            Self::Unknown(cause) => cause.name(),
        }
    }
}

/// What a cause is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About<'a> {
    /// The cluster as a whole, or the trust policies.
    Cluster,
    /// A repository, normalised: whatever of it runs.
    Repository(String),
    /// An image.
    Image {
        /// The reference as it is written.
        reference: &'a str,
        /// The digest that was judged, where one is known.
        digest: Option<&'a Digest>,
    },
}

impl About<'_> {
    fn subject(&self) -> &str {
        match self {
            Self::Cluster => "the cluster as a whole",
            Self::Repository(repository) => repository,
            Self::Image { reference, .. } => reference,
        }
    }
}

/// One workload's container that shares a cause.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Position of the workload in the report.
    pub position: u32,
    /// The workload.
    pub workload: &'a WorkloadRecord,
    /// What was found about its container.
    pub finding: &'a ContainerFinding,
}

/// A cause with everything that shares it.
#[derive(Debug, Clone)]
pub struct CauseGroup<'a> {
    /// The control.
    pub control: &'a ControlResult,
    /// What is open.
    pub open: Open,
    /// How it counts.
    pub standing: Standing,
    /// What it is about.
    pub about: About<'a>,
    /// Whether something injected the containers after the template.
    pub injected: bool,
    /// What was found, for a person: of the first member.
    pub detail: &'a str,
    /// What to do; empty where nothing is known to help.
    pub remediation: &'a str,
    /// Who shares it, in the order of the workloads; empty for what is about the cluster.
    pub members: Vec<Member<'a>>,
}

impl CauseGroup<'_> {
    /// What it is about, for a person (not escaped).
    #[must_use]
    pub fn subject(&self) -> String {
        self.about.subject().to_owned()
    }

    /// A stable identifier, 16 hexadecimal digits: the same cause has the same in every report, whoever shares it.
    #[must_use]
    pub fn id(&self) -> String {
        id(&self.control.id, self.open, &self.about, self.injected)
    }

    /// Different workloads that share it.
    #[must_use]
    pub fn workloads(&self) -> usize {
        self.members.iter().map(|member| member.position).collect::<BTreeSet<_>>().len()
    }

    /// Their owners, sorted, each once; those that are not known are left out.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<&str> {
        self.members.iter().filter_map(|member| member.workload.owner.as_deref()).collect()
    }

    /// Their clusters, sorted, each once.
    #[must_use]
    pub fn clusters(&self) -> BTreeSet<&str> {
        self.members.iter().filter_map(|member| member.workload.cluster.as_deref()).collect()
    }
}

/// The causes of a report: what counts before what is accepted or excepted, the most severe control first, what fails before what is
/// unknown, and what touches most workloads first.
#[must_use]
pub fn causes(report: &Report) -> Vec<CauseGroup<'_>> {
    let mut groups = Vec::new();
    for control in &report.controls {
        of_control(report, control, &mut groups);
    }
    let rank = |group: &CauseGroup<'_>| {
        let standing = match group.standing {
            Standing::AsIs => 0,
            Standing::AcceptedUnknown => 1,
            Standing::Excepted(_) => 2,
        };
        (standing, std::cmp::Reverse(group.control.severity), matches!(group.open, Open::Unknown(_)), std::cmp::Reverse(group.workloads()))
    };
    // Stable: of the same rank, the order of the controls, then that of what they are about.
    groups.sort_by_cached_key(rank);
    groups
}

/// The identifier of the cause of what was found about a container, as [`CauseGroup::id`] has it; none for a pass.
#[must_use]
pub fn id_of(control: &ControlResult, finding: &ContainerFinding) -> Option<String> {
    let open = Open::of(&finding.judgement)?;
    Some(id(&control.id, open, &about(open, &finding.reference, finding.digest.as_ref()), is_injected(finding)))
}

/// The identifier of the cause of an answer about the cluster as a whole, as [`CauseGroup::id`] has it; none for a pass.
#[must_use]
pub fn id_of_cluster(control: &ControlResult, judgement: &Judgement) -> Option<String> {
    Some(id(&control.id, Open::of(judgement)?, &About::Cluster, false))
}

fn id(control: &str, open: Open, about: &About<'_>, injected: bool) -> String {
    let digest = match about {
        About::Image { digest: Some(digest), .. } => digest.to_string(),
        _ => String::new(),
    };
    let injected = if injected { "injected" } else { "" };
    fingerprint(&["cause", control, open.code(), about.subject(), &digest, injected])
}

type Key<'a> = (Open, Standing, About<'a>, bool);

fn of_control<'a>(report: &'a Report, control: &'a ControlResult, groups: &mut Vec<CauseGroup<'a>>) {
    if let ControlOutcome::Cluster { judgement, standing, .. } = &control.outcome
        && let Some(open) = Open::of(judgement)
    {
        let detail = detail(judgement);
        let (about, remediation) = (About::Cluster, control.remediation.as_str());
        groups.push(CauseGroup { control, open, standing: *standing, about, injected: false, detail, remediation, members: Vec::new() });
    }
    let mut members: BTreeMap<Key<'a>, Vec<Member<'a>>> = BTreeMap::new();
    for of_workload in control.findings() {
        let Some(workload) = usize::try_from(of_workload.workload).ok().and_then(|at| report.workloads.get(at)) else { continue };
        for finding in &of_workload.containers {
            let Some(open) = Open::of(&finding.judgement) else { continue };
            let about = about(open, &finding.reference, finding.digest.as_ref());
            let key = (open, finding.standing, about, is_injected(finding));
            members.entry(key).or_default().push(Member { position: of_workload.workload, workload, finding });
        }
    }
    groups.extend(members.into_iter().filter_map(|((open, standing, about, injected), members)| {
        let first = members.first()?.finding;
        let (detail, remediation) = (detail(&first.judgement), first.remediation.as_str());
        Some(CauseGroup { control, open, standing, about, injected, detail, remediation, members })
    }));
}

/// What something put into the pods after the template; nobody expects an ephemeral container there.
pub(super) fn is_injected(finding: &ContainerFinding) -> bool {
    finding.declared_in == DeclaredIn::PodOnly && finding.kind != ContainerKind::Ephemeral
}

fn detail(judgement: &Judgement) -> &str {
    match judgement {
        Judgement::Pass { detail } | Judgement::Fail { detail, .. } | Judgement::Unknown { detail, .. } => detail,
    }
}

fn about<'a>(open: Open, reference: &'a str, digest: Option<&'a Digest>) -> About<'a> {
    let of_image = About::Image { reference, digest };
    if !is_of_repository(open) {
        return of_image;
    }
    let repository = reference.parse::<ImageReference>().map(|reference| reference.repository().to_string());
    repository.map_or(of_image, About::Repository)
}

/// Whether what happened is the same for whatever of the repository runs.
fn is_of_repository(open: Open) -> bool {
    match open {
        Open::Failed(reason) => matches!(reason, Reason::RegistryDenied | Reason::PublicRegistry),
        Open::Unknown(cause) => matches!(
            cause,
            Cause::Unauthorized
                | Cause::Forbidden
                | Cause::RateLimited
                | Cause::ServerError
                | Cause::Timeout
                | Cause::Dns
                | Cause::Tls
                | Cause::Connection
                | Cause::RedirectRefused
                | Cause::HostRefused
        ),
    }
}

/// The first 16 hexadecimal digits of SHA-256 over the parts, told apart by their lengths.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    format!("{:016x}", hash(parts))
}

/// [`fingerprint`] as a number.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.len().to_string().as_bytes());
        context.update(b":");
        context.update(part.as_bytes());
        context.update(b";");
    }
    context.finish().as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
