//! Gathering the evidence of one image out of answers.

use std::sync::Arc;

use bytes::Bytes;

use super::task::{DeclaredPlaces, ImageTask};
use crate::model::{
    Answer, Ask, Carrier, CredentialIdentity, Digest, ImageEvidence, IndexAbove, Link, ManifestPresence, Needs, Place, Question, Relation,
    SubjectState, TagState,
};
use crate::snapshot::Snapshot;

/// Answers that are there. A view that is complete (a snapshot, a scan that ended) answers every question, with unknown where it
/// has nothing else.
pub trait Answers {
    /// The answer, if it is there.
    fn answer(&self, question: &Question) -> Option<Arc<Answer>>;
    /// The bytes of a digest that was found.
    fn blob(&self, digest: &Digest) -> Option<Bytes>;
}

/// A snapshot answers every question: what it does not hold is not captured.
impl Answers for Snapshot {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        Some(Self::answer(self, question))
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        Self::blob(self, digest)
    }
}

/// What gathering gave.
#[derive(Debug)]
pub enum Gathered {
    /// All is known: the evidence, and what its statements are made of.
    Done(Box<ImageEvidence>, Vec<SignedBytes>),
    /// These questions have to be answered first; they do not depend on each other.
    Wanted(Vec<Question>),
}

/// The bytes of a statement that can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBytes {
    /// Position of the statement in the evidence.
    pub statement: usize,
    /// The digest that it was found beside.
    pub subject: Digest,
    /// The layer that lists it.
    pub layer: Link,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Gathers what is known about an image, or names the questions to ask next. Pure; call it again with the answers.
///
/// Nothing is asked that `needs` does not need.
#[must_use]
pub fn gather(task: &ImageTask, needs: Needs, places: &DeclaredPlaces, view: &dyn Answers) -> Gathered {
    let mut inquiry = Inquiry { task, view, needs, judged: None, wanted: Vec::new() };
    match inquiry.evidence(needs, places) {
        Some((evidence, signed)) if inquiry.wanted.is_empty() => Gathered::Done(Box::new(evidence), signed),
        _ => {
            inquiry.wanted.sort();
            inquiry.wanted.dedup();
            Gathered::Wanted(inquiry.wanted)
        }
    }
}

/// One pass over the answers. Whatever is missing is noted and stands as `None`, so that independent questions go out together.
pub(super) struct Inquiry<'a> {
    pub(super) task: &'a ImageTask,
    view: &'a dyn Answers,
    pub(super) needs: Needs,
    /// The digest that is judged, once it is known.
    pub(super) judged: Option<Digest>,
    wanted: Vec<Question>,
}

impl Inquiry<'_> {
    /// The answer at a place, or `None` after noting the question.
    pub(super) fn ask(&mut self, place: &Place, ask: Ask) -> Option<Arc<Answer>> {
        // Nobody's credential matters for what lies on disk: such answers are shared by all.
        let credential = match place {
            Place::Repository(_) => self.task.credential.clone(),
            // And GitHub is asked with the token of the whole scan.
            Place::Layout(_) | Place::Bundles(_) | Place::Github(_) => CredentialIdentity::default(),
        };
        let question = Question { place: place.clone(), ask, credential };
        let answer = self.view.answer(&question);
        if answer.is_none() {
            self.wanted.push(question);
        }
        answer
    }

    pub(super) fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.view.blob(digest)
    }

    fn evidence(&mut self, needs: Needs, places: &DeclaredPlaces) -> Option<(ImageEvidence, Vec<SignedBytes>)> {
        let subject = self.subject(needs)?;
        let mut evidence = ImageEvidence {
            repository: self.task.reference.repository().clone(),
            subject,
            manifest: ManifestPresence::NotAsked,
            tag: TagState::NotAsked,
            statements: Vec::new(),
            places: Vec::new(),
            children: Vec::new(),
            index: IndexAbove::NotAsked,
            platforms: Vec::new(),
            warnings: Vec::new(),
        };
        let SubjectState::Known(digest) = evidence.subject.clone() else { return Some((evidence, Vec::new())) };
        self.judged = Some(digest.clone());
        // All three are begun before any is waited for.
        let attestations = !needs.attestations.is_empty();
        let evidence_is_wanted = needs.signatures || attestations;
        let manifest = if evidence_is_wanted { self.presence(&digest) } else { Some(ManifestPresence::NotAsked) };
        let tag = if needs.tag { self.tag_state(&digest) } else { Some(TagState::NotAsked) };
        let finds = if evidence_is_wanted { Some(self.search_everywhere(&digest, &Carrier::Itself, places)) } else { None };
        evidence.manifest = manifest?;
        evidence.tag = tag?;
        let mut signed = Vec::new();
        if let Some(finds) = finds {
            let mut finds = finds?;
            let names_subject = finds.names_subject();
            // Where trust is asked for too, a signature of the manifest itself may be by nobody that matters, and that of its index not.
            if needs.verification || attestations || !names_subject {
                self.look_at_index(&digest, places, &mut finds)?;
            }
            if attestations {
                evidence.platforms = self.look_at_platforms(&digest, &evidence.manifest, places, &mut finds)?;
            }
            if needs.signatures && !names_subject {
                evidence.children = self.children(&digest, &evidence.manifest)?;
            }
            evidence.index = finds.index;
            evidence.places = finds.places;
            evidence.warnings = finds.warnings;
            for (position, found) in finds.found.into_iter().enumerate() {
                let subject = match (&found.statement.carrier, &found.statement.relation) {
                    // Beside the index, and about the manifest itself.
                    (_, Relation::NamesOthers(others)) if others.contains(&digest) => digest.clone(),
                    (Carrier::Itself, _) => digest.clone(),
                    (Carrier::Index(carrier) | Carrier::Platform(carrier), _) => carrier.clone(),
                };
                signed.extend(found.signed.map(|(layer, bytes)| SignedBytes { statement: position, subject, layer, bytes }));
                evidence.statements.push(found.statement);
            }
        }
        Some((evidence, signed))
    }
}
