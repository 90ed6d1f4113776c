//! One answer in the words that every flat format writes alike.

use crate::model::{Basis, Cause, ContainerFinding, ContainerKind, DeclaredBecause, DeclaredIn, Judgement, Reason, Standing};

/// How an answer came out and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Failed,
    Unknown,
    AcceptedUnknown,
    Excepted,
    Passed,
}

impl Status {
    pub(super) fn of(judgement: &Judgement, standing: Standing) -> Self {
        match (judgement, standing) {
            (Judgement::Pass { .. }, _) => Self::Passed,
            (_, Standing::Excepted(_)) => Self::Excepted,
            (Judgement::Fail { .. }, _) => Self::Failed,
            (Judgement::Unknown { .. }, Standing::AcceptedUnknown) => Self::AcceptedUnknown,
            (Judgement::Unknown { .. }, Standing::AsIs) => Self::Unknown,
        }
    }

    /// As the JSON report writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::AcceptedUnknown => "acceptedUnknown",
            Self::Excepted => "excepted",
            Self::Passed => "passed",
        }
    }
}

/// The stable reason of a failure or cause of not knowing; empty for a pass.
pub(super) fn code(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement::Pass { .. } => "",
        Judgement::Fail { reason, .. } => Reason::name(*reason),
        Judgement::Unknown { cause, .. } => Cause::name(*cause),
    }
}

/// What was found, for a person.
pub(super) fn detail(judgement: &Judgement) -> &str {
    match judgement {
        Judgement::Pass { detail } | Judgement::Fail { detail, .. } | Judgement::Unknown { detail, .. } => detail,
    }
}

/// On what basis it was judged.
pub(super) fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Running => "running",
        Basis::Finished => "finished",
        Basis::Declared(because) => match because {
            DeclaredBecause::NoPods => "declaredNoPods",
            DeclaredBecause::Suspended => "declaredSuspended",
            DeclaredBecause::NotStarted => "declaredNotStarted",
            DeclaredBecause::Manifest => "declaredManifest",
            DeclaredBecause::NotReported => "declaredNotReported",
            DeclaredBecause::PodsNotListed => "declaredPodsNotListed",
        },
    }
}

/// What kind of container it is.
pub(super) fn container_kind(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Init => "init",
        ContainerKind::Container => "container",
        ContainerKind::Ephemeral => "ephemeral",
        ContainerKind::ImageVolume => "imageVolume",
    }
}

/// Whether something put the container into the pods after the template.
pub(super) fn injected(finding: &ContainerFinding) -> &'static str {
    match finding.declared_in {
        DeclaredIn::TemplateUnknown => "unknown",
        _ if super::causes::is_injected(finding) => "true",
        _ => "false",
    }
}
