//! The evidence of an image as a tree: what runs, where one looked, each statement with each step of its verification.

use std::io::{self, Write};

use super::data::Texts;
use crate::model::{
    ImageRecord, IndexAbove, ManifestPresence, PlaceOutcome, Proof, RunningImage, ShownLevel, Signer, Statement, StatementSource, Step,
    StepOutcome, SubjectState, TagState, TriedWith, UnknownAnswer,
};
use crate::report::pretty::details::{child_text, credential_text, place_text, statement_text};
use crate::report::pretty::header::moment;
use crate::report::proofs::telling;

/// How a node of the tree came out, in the numbers of the script.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// It says nothing about good or bad.
    Plain = 0,
    Held = 1,
    Failed = 2,
    Unknown = 3,
    Missing = 4,
    NotApplicable = 5,
}

/// A node: mark, label, text, and what is below it.
struct Tree<'t, 'a, W> {
    texts: &'t mut Texts<'a>,
    out: &'t mut W,
    /// Whether nothing was written yet on this level.
    fresh: bool,
}

impl<'a, W: Write> Tree<'_, 'a, W> {
    fn begin(&mut self, mark: Mark, label: &'a str, text: String) -> io::Result<()> {
        let (label, text) = (self.texts.of(label), self.texts.made(text));
        let comma = if self.fresh { "" } else { "," };
        self.fresh = false;
        write!(self.out, "{comma}[{},{label},{text}", mark as u8)
    }

    fn leaf(&mut self, mark: Mark, label: &'a str, text: impl Into<String>) -> io::Result<()> {
        self.begin(mark, label, text.into())?;
        self.out.write_all(b"]")
    }

    fn branch(&mut self, mark: Mark, label: &'a str, text: String, below: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.begin(mark, label, text)?;
        self.out.write_all(b",[")?;
        self.fresh = true;
        below(self)?;
        self.fresh = false;
        self.out.write_all(b"]]")
    }
}

/// Reference, digest, level, and the tree.
pub(super) fn render<'a>(image: &'a ImageRecord, texts: &mut Texts<'a>, out: &mut impl Write) -> io::Result<()> {
    let digest = match &image.evidence.subject {
        SubjectState::Known(digest) => texts.made(digest.to_string()),
        SubjectState::Unknown(_) | SubjectState::NotAsked => 0,
    };
    let level = image.build.as_ref().map_or(0, |build| texts.made(level_text(build)));
    write!(out, "\n[{},{digest},{level},[", texts.of(&image.reference))?;
    let mut tree = Tree { texts, out, fresh: true };
    identity(image, &mut tree)?;
    found(image, &mut tree)?;
    tree.out.write_all(b"]]")
}

fn not_known(answer: &UnknownAnswer) -> String {
    format!("not known: {} ({})", answer.detail, answer.cause)
}

fn identity<W: Write>(image: &ImageRecord, tree: &mut Tree<'_, '_, W>) -> io::Result<()> {
    let evidence = &image.evidence;
    match &image.running {
        RunningImage::Manifest(digest) => tree.leaf(Mark::Plain, "Runs", digest.to_string())?,
        RunningImage::Unqualified(digest) => {
            tree.leaf(Mark::Plain, "Runs", format!("{digest} (of a manifest or of a configuration, not said which)"))?
        }
        RunningImage::Unreadable(text) => tree.leaf(Mark::Unknown, "Runs", format!("what the runtime reports is no digest: {text}"))?,
        RunningImage::Unreported => tree.leaf(Mark::Plain, "Runs", "nothing is reported: judged by what the reference leads to")?,
    }
    match &evidence.subject {
        SubjectState::Known(digest) => tree.leaf(Mark::Plain, "Judged", digest.to_string())?,
        SubjectState::Unknown(answer) => tree.leaf(Mark::Unknown, "Judged", not_known(answer))?,
        SubjectState::NotAsked => {}
    }
    match &evidence.manifest {
        ManifestPresence::Seen { media_type, credential } => {
            tree.leaf(Mark::Plain, "Manifest", format!("seen {}, {media_type}", credential_text(*credential)))?;
        }
        ManifestPresence::Unknown(answer) => tree.leaf(Mark::Unknown, "Manifest", not_known(answer))?,
        ManifestPresence::NotAsked => {}
    }
    match &evidence.tag {
        TagState::Unmoved => tree.leaf(Mark::Plain, "Tag", "leads to what runs")?,
        TagState::UnmovedIndex(index) => tree.leaf(Mark::Plain, "Tag", format!("leads to an index that lists what runs, {index}"))?,
        TagState::Moved(digest) => tree.leaf(Mark::Plain, "Tag", format!("has moved to {digest}"))?,
        TagState::Gone => tree.leaf(Mark::Plain, "Tag", "is gone")?,
        TagState::Unknown(answer) => tree.leaf(Mark::Unknown, "Tag", not_known(answer))?,
        TagState::NoTag | TagState::NotAsked => {}
    }
    match &evidence.index {
        IndexAbove::Lists(index) => tree.leaf(Mark::Plain, "Index", format!("{index} lists what runs"))?,
        IndexAbove::NotAtHand => tree.leaf(Mark::Unknown, "Index", "there may be one that is not at hand: an absence cannot be said")?,
        IndexAbove::Unknown(answer) => tree.leaf(Mark::Unknown, "Index", not_known(answer))?,
        IndexAbove::NotAsked | IndexAbove::None => {}
    }
    if let Some(build) = &image.build {
        tree.leaf(Mark::Plain, "SLSA build level", level_text(build))?;
        if let Some((reason, why)) = &build.lack {
            tree.leaf(Mark::Missing, "Higher levels", format!("{why} ({reason})"))?;
        }
    }
    Ok(())
}

/// What is not known is not a low level.
fn level_text(build: &ShownLevel) -> String {
    let by = build.by.as_ref().map(|by| format!(", vouched for by {by}")).unwrap_or_default();
    match (&build.possible, build.by.is_some(), build.level) {
        (Some((possible, why)), true, level) => format!("{level} or more (maybe {possible}: {}){by}", why.cause),
        (Some((possible, why)), false, _) => format!("not known (maybe {possible}: {})", why.cause),
        (None, false, level) if level.number() > 0 => format!("{level}, unverified"),
        (None, _, level) => format!("{level}{by}"),
    }
}

fn found<W: Write>(image: &ImageRecord, tree: &mut Tree<'_, '_, W>) -> io::Result<()> {
    let evidence = &image.evidence;
    let repository = evidence.repository.to_string();
    for place in &evidence.places {
        let mark = match (&place.outcome, &place.attestations) {
            (PlaceOutcome::Unknown(_), _) | (_, Some(_)) => Mark::Unknown,
            (PlaceOutcome::Looked(_) | PlaceOutcome::NotAuthoritative, None) => Mark::Plain,
        };
        let observed = place.observed.map(|at| format!(" (asked {})", moment(at))).unwrap_or_default();
        tree.leaf(mark, "Looked in", format!("{}{observed}", place_text(place, &repository, &evidence.manifest)))?;
    }
    for statement in &evidence.statements {
        tree.branch(Mark::Plain, "Statement", statement_text(statement), |tree| self::statement(statement, tree))?;
    }
    for child in &evidence.children {
        tree.leaf(Mark::Plain, "Platform", child_text(child))?;
    }
    for warning in &evidence.warnings {
        tree.leaf(Mark::Plain, "Warning", warning.clone())?;
    }
    Ok(())
}

fn statement<W: Write>(statement: &Statement, tree: &mut Tree<'_, '_, W>) -> io::Result<()> {
    let source = match statement.source {
        StatementSource::CosignTag => "by cosign's tag",
        StatementSource::Referrer => "as a referrer",
        StatementSource::BundleFile => "in a file of bundles",
        StatementSource::GithubStore => "in GitHub's attestation store",
        StatementSource::IndexEntry => "in the image's own index",
    };
    tree.leaf(Mark::Plain, "Found", format!("{source}, {}", statement.place))?;
    tree.leaf(Mark::Plain, "Content", statement.content.to_string())?;
    if statement.proofs.is_empty() {
        return tree.leaf(Mark::NotApplicable, "Verification", "it was not tried: nobody said whom to trust, or nothing in it is signed");
    }
    let mut told = 0;
    for proof in telling(&statement.proofs) {
        told += 1;
        let with = match &proof.with {
            TriedWith::Root(root) => format!("with the authority of trust root {root}"),
            TriedWith::Key(key) => format!("with the key {key}"),
            TriedWith::Authorities(digest) => format!("with authorities of one's own, {digest}"),
        };
        tree.branch(Mark::Plain, "Tried", format!("{with}: {}", tally(proof)), |tree| self::proof(proof, tree))?;
    }
    let left_out = statement.proofs.len() - told;
    if left_out > 0 {
        tree.leaf(Mark::Plain, "Tried", format!("{left_out} more ways; none of them shows a signature that holds"))?;
    }
    Ok(())
}

/// How many steps came out how. Whether that is enough is the policy's question.
fn tally(proof: &Proof) -> String {
    let count = |wanted: fn(&StepOutcome) -> bool| proof.steps.iter().filter(|(_, outcome)| wanted(outcome)).count();
    let counts = [
        (count(StepOutcome::held), "held"),
        (count(|outcome| matches!(outcome, StepOutcome::Failed { .. })), "failed"),
        (count(|outcome| matches!(outcome, StepOutcome::Unknown(_))), "unknown"),
        (count(|outcome| matches!(outcome, StepOutcome::Missing)), "missing"),
    ];
    let told: Vec<_> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    format!("of its steps {}", told.join(", "))
}

fn proof<W: Write>(proof: &Proof, tree: &mut Tree<'_, '_, W>) -> io::Result<()> {
    let named = !matches!(proof.signer, Some(Signer::Certificate(_))) || proof.step(Step::CertificateChain).held();
    let proven = named && proof.step(Step::Signature).held();
    let label = if proven { "Signer" } else { "Claimed signer" };
    match &proof.signer {
        Some(Signer::Certificate(claims)) => {
            let names: Vec<_> = claims.names.iter().map(|name| name.text()).collect();
            let names = if names.is_empty() { claims.subject.clone() } else { names.join(", ") };
            let issuer = claims.issuer.as_ref().map(|issuer| format!(", vouched for by {issuer}")).unwrap_or_default();
            tree.leaf(Mark::Plain, label, format!("{names}{issuer}"))?;
        }
        Some(Signer::Key { fingerprint }) => tree.leaf(Mark::Plain, label, format!("the holder of the key {fingerprint}"))?,
        None => {}
    }
    for time in &proof.times {
        tree.leaf(Mark::Plain, "Proven time", moment(time.at))?;
    }
    if let Some(log) = &proof.log {
        let address = log.address.as_deref().unwrap_or(&log.log);
        tree.leaf(Mark::Plain, "Log entry", format!("{} in {address}", log.index))?;
    }
    for step in Step::ALL {
        let label = step.title();
        match proof.step(step) {
            StepOutcome::Held(value) => tree.leaf(Mark::Held, label, value.clone())?,
            StepOutcome::Failed { reason, detail } => tree.leaf(Mark::Failed, label, format!("{detail} ({reason})"))?,
            StepOutcome::Unknown(answer) => tree.leaf(Mark::Unknown, label, format!("{} ({})", answer.detail, answer.cause))?,
            StepOutcome::Missing => tree.leaf(Mark::Missing, label, "there is none")?,
            StepOutcome::NotApplicable => tree.leaf(Mark::NotApplicable, label, "")?,
        }
    }
    Ok(())
}
