//! The leaves of rules: what each asks, and what it answers.

use super::evaluate::Subject;
use super::parameters::Values;
use crate::documents::{OrParam, ReferenceLeaf, RegistryLeaf, Rule, RunningLeaf};
use crate::model::{
    Basis, Carrier, Cause, ContainerKind, DeclaredIn, ImageEvidence, Judgement, Pattern, PullPolicy, Reason, Relation, RunningImage,
    Statement, StatementFormat, StatementSource, SubjectState, TagState, UnknownAnswer,
};
use crate::policy::{not_looked, signatures_of};

/// Places and statements that a sentence names before it says "and so many more".
const NAMED: usize = 3;

/// The reason of a negated leaf.
pub(super) fn reason_of_not(rule: &Rule) -> Reason {
    match rule {
        Rule::Reference(ReferenceLeaf::TagIn(_) | ReferenceLeaf::TagNotIn(_)) => Reason::FloatingTag,
        Rule::Reference(ReferenceLeaf::PullPolicy(_)) => Reason::PullPolicy,
        Rule::Registry(_) => Reason::RegistryDenied,
        _ => Reason::PredicateMismatch,
    }
}

/// About the reference as it is written. It can be parsed here, but for the leaf that asks just that.
pub(super) fn reference(leaf: &ReferenceLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let written = &subject.image.reference;
    let Ok(reference) = &subject.reference else {
        return Judgement::fail(Reason::MalformedReference, format!("image: {written:?} cannot be parsed"));
    };
    let listed = |tags: &OrParam<String>| match reference.pulled_tag() {
        Some(tag) => {
            values.strings(tags).iter().find(|listed| *listed == tag || (listed.is_empty() && reference.tag().is_none())).map(|_| tag)
        }
        None => None,
    };
    match leaf {
        ReferenceLeaf::WellFormed(_) => Judgement::pass(),
        ReferenceLeaf::PinnedToDigest(_) if reference.digest().is_some() => Judgement::pass(),
        ReferenceLeaf::PinnedToDigest(_) => {
            Judgement::fail(Reason::ReferenceNotPinned, format!("image: {written} is not pinned to a digest"))
        }
        ReferenceLeaf::TagIn(tags) => match listed(tags) {
            Some(tag) => Judgement::Pass { detail: format!("image: {written} is pulled by tag {tag}") },
            None => Judgement::fail(Reason::FloatingTag, format!("image: {written} is pulled by none of the listed tags")),
        },
        ReferenceLeaf::TagNotIn(tags) => match listed(tags) {
            None => Judgement::pass(),
            Some(tag) => Judgement::fail(Reason::FloatingTag, format!("image: {written} is pulled by tag {tag}, which moves")),
        },
        ReferenceLeaf::PullPolicy(policies) => {
            // Kubernetes looks at the tag as it is written, a digest behind it or not (`SetDefaults_Container`).
            let (in_force, why) =
                match (subject.image.pull_policy.or(subject.container.pull_policy), reference.tag().or(reference.pulled_tag())) {
                    (Some(policy), _) => (policy, "as it is written"),
                    (None, Some("latest")) => (PullPolicy::Always, "Kubernetes' default for the tag latest"),
                    (None, _) => (PullPolicy::IfNotPresent, "Kubernetes' default"),
                };
            if policies.iter().any(|policy| PullPolicy::from(*policy) == in_force) {
                Judgement::pass()
            } else {
                Judgement::fail(Reason::PullPolicy, format!("image: {written} is pulled {in_force:?} ({why})"))
            }
        }
    }
}

/// About registry and repository, as the specification names them: what the runtime reports is a note, not a fact.
pub(super) fn registry(leaf: &RegistryLeaf, values: &Values, subject: &Subject<'_>) -> Judgement {
    let Ok(reference) = &subject.reference else {
        return Judgement::fail(Reason::MalformedReference, "the reference cannot be parsed");
    };
    let repository = reference.repository();
    let allowed = |patterns: &OrParam<Pattern>| values.patterns(patterns).iter().any(|pattern| pattern.matches(repository));
    let forbidden =
        |patterns: &OrParam<Pattern>| values.patterns(patterns).iter().find(|pattern| pattern.matches_on_any_port(repository)).cloned();
    match leaf {
        RegistryLeaf::Allowed(patterns) if allowed(patterns) => Judgement::pass(),
        RegistryLeaf::Allowed(_) => {
            Judgement::fail(Reason::RegistryDenied, format!("image: {repository} is in none of the allowed registries"))
        }
        RegistryLeaf::Denied(patterns) => match forbidden(patterns) {
            None => Judgement::pass(),
            Some(pattern) => Judgement::fail(Reason::RegistryDenied, format!("image: {repository} is in a forbidden registry ({pattern})")),
        },
        RegistryLeaf::ViaProxy(via) if allowed(&via.proxies) || forbidden(&via.public).is_none() => Judgement::pass(),
        RegistryLeaf::ViaProxy(_) => {
            Judgement::fail(Reason::PublicRegistry, format!("image: {repository} is pulled straight from a public registry"))
        }
    }
}

/// About what runs.
pub(super) fn running(leaf: &RunningLeaf, subject: &Subject<'_>) -> Judgement {
    match leaf {
        RunningLeaf::DeclaredInTemplate(_) => declared(subject),
        RunningLeaf::DigestKnown(_) => digest_known(subject.evidence, &subject.image.running),
        RunningLeaf::TagUnmoved(_) => tag_unmoved(subject),
    }
}

fn declared(subject: &Subject<'_>) -> Judgement {
    let name = &subject.container.name;
    match (subject.container.declared_in, subject.container.kind) {
        (DeclaredIn::Template, _) => Judgement::pass(),
        (DeclaredIn::PodOnly, ContainerKind::Ephemeral) => {
            Judgement::fail(Reason::UndeclaredContainer, format!("container {name} was added to a running pod (an ephemeral container)"))
        }
        (DeclaredIn::PodOnly, _) => Judgement::fail(
            Reason::UndeclaredContainer,
            format!("container {name} is in the pods and not in the template of {}", subject.workload.key),
        ),
        (DeclaredIn::TemplateUnknown, _) => {
            Judgement::unknown(Cause::ListIncomplete, format!("the template of {} could not be read", subject.workload.key))
        }
    }
}

/// Whether what is judged is known by a manifest digest.
pub(super) fn digest_known(evidence: Option<&ImageEvidence>, running: &RunningImage) -> Judgement {
    match (running, evidence.map(|evidence| &evidence.subject)) {
        (RunningImage::Manifest(_), _) | (_, Some(SubjectState::Known(_))) => Judgement::pass(),
        (_, Some(SubjectState::Unknown(unknown))) => because(unknown),
        (_, Some(SubjectState::NotAsked) | None) => Judgement::unknown(Cause::DigestUnknown, "the running digest was not asked for"),
    }
}

fn tag_unmoved(subject: &Subject<'_>) -> Judgement {
    if matches!(subject.image.basis, Basis::Declared(_)) {
        return Judgement::Pass { detail: "nothing runs of it".to_owned() };
    }
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let running = match &evidence.subject {
        SubjectState::Known(digest) => digest,
        SubjectState::Unknown(unknown) => return because(unknown),
        SubjectState::NotAsked => return Judgement::unknown(Cause::NotCaptured, "the running digest was not asked for"),
    };
    let written = &subject.image.reference;
    match &evidence.tag {
        TagState::NoTag => Judgement::Pass { detail: "pinned to a digest".to_owned() },
        TagState::Unmoved => Judgement::pass(),
        TagState::UnmovedIndex(index) => Judgement::Pass { detail: format!("through index {}", index.short()) },
        TagState::Moved(now) => {
            Judgement::fail(Reason::TagMoved, format!("image: {written} leads to {} now; {} runs", now.short(), running.short()))
        }
        TagState::Gone => Judgement::fail(Reason::TagMoved, format!("image: the tag of {written} is gone; {} runs", running.short())),
        TagState::Unknown(unknown) => because(unknown),
        TagState::NotAsked => Judgement::unknown(Cause::NotCaptured, "the tag was not asked for"),
    }
}

/// Whether at least one parseable signature statement names the judged digest. By the table of the contract.
pub(super) fn signature_exists(subject: &Subject<'_>) -> Judgement {
    let Some(evidence) = subject.evidence else {
        return Judgement::unknown(Cause::NotCaptured, "nothing was asked about this image");
    };
    let signatures: Vec<_> = evidence.statements.iter().filter(|statement| statement.is_signature()).collect();
    let naming: Vec<_> = signatures_of(evidence).map(|(_, statement)| statement).collect();
    if let Some(first) = naming.first() {
        let more = if naming.len() > 1 { format!(" and {} more", naming.len() - 1) } else { String::new() };
        return Judgement::Pass { detail: format!("{}{more}", describe(first)) };
    }
    if let Some(unknown) = not_looked(evidence) {
        return because(&unknown);
    }
    let image = &subject.image.reference;
    let others: Vec<_> = signatures.iter().filter_map(|statement| other(statement)).collect();
    if let Some(other) = others.first() {
        let more = if others.len() > 1 { format!(", and {} more name other digests", others.len() - 1) } else { String::new() };
        return Judgement::fail(Reason::DigestMismatch, format!("image: {image} is not signed: {other}{more}"));
    }
    Judgement::fail(Reason::Absent, format!("image: {image} is not signed{}", beside(evidence)))
}

fn because(unknown: &UnknownAnswer) -> Judgement {
    Judgement::Unknown { cause: unknown.cause, detail: unknown.detail.clone() }
}

fn describe(statement: &Statement) -> String {
    let format = match &statement.format {
        StatementFormat::SimpleSigning => "cosign signature".to_owned(),
        StatementFormat::BundleMessage => "Sigstore bundle".to_owned(),
        StatementFormat::Dsse { .. } => "Sigstore bundle (DSSE)".to_owned(),
        StatementFormat::Unsigned { .. } => "unsigned statement".to_owned(),
        StatementFormat::Attached { media_type } => format!("attached document ({media_type})"),
        StatementFormat::Notation { envelope } => format!("Notation signature ({envelope})"),
        StatementFormat::Unsupported { media_type } => format!("signature of an unsupported format ({media_type})"),
    };
    let source = match statement.source {
        StatementSource::CosignTag => "by tag",
        StatementSource::Referrer => "by referrer",
        StatementSource::BundleFile => "from a file",
        StatementSource::GithubStore => "from GitHub's store",
        StatementSource::IndexEntry => "inside the index",
    };
    let carrier = match &statement.carrier {
        Carrier::Itself => String::new(),
        Carrier::Index(index) => format!(", on the index {} that lists it", index.short()),
        Carrier::Platform(platform) => format!(", on its platform manifest {}", platform.short()),
    };
    format!("{format} {source} in {}{carrier}", statement.place)
}

/// What a signature of something else says.
fn other(statement: &Statement) -> Option<String> {
    let Relation::NamesOthers(digests) = &statement.relation else { return None };
    let named: Vec<_> = digests.iter().take(NAMED).map(crate::model::Digest::short).collect();
    Some(match named.is_empty() {
        true => format!("the {} names no digest", describe(statement)),
        false => format!("the {} names {}", describe(statement), named.join(", ")),
    })
}

/// What lies beside an unsigned image and is no signature of it.
pub(super) fn beside(evidence: &ImageEvidence) -> String {
    let mut notes = Vec::new();
    if let [first, rest @ ..] = evidence.children.as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        notes.push(format!("its platform manifest {}{more} is, which does not sign the index that runs", first.child.short()));
    }
    let malformed: Vec<_> = evidence
        .statements
        .iter()
        .filter_map(|statement| match &statement.relation {
            Relation::Malformed(why) => Some(why.as_str()),
            Relation::Names | Relation::NamesOthers(_) => None,
        })
        .collect();
    if let Some(why) = malformed.first() {
        notes.push(format!("{} found beside it cannot be parsed: {why}", malformed.len()));
    }
    let attestations =
        evidence.statements.iter().filter(|statement| !statement.is_signature() && statement.relation == Relation::Names).count();
    if attestations > 0 {
        notes.push(match attestations {
            1 => "it has 1 attestation, which is no signature".to_owned(),
            several => format!("it has {several} attestations, which are no signatures"),
        });
    }
    if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) }
}
