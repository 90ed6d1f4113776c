//! Which digest is judged, whether its manifest is there, and where the tag leads.

use std::sync::Arc;

use super::gather::Inquiry;
use crate::model::{
    Answer, Ask, Cause, Digest, Manifest, ManifestPresence, Needs, Outcome, RunningImage, SubjectState, TagState, UnknownAnswer, is_index,
};

/// Children of an index that are looked at to find the manifest of an image configuration.
const MOST_CHILDREN: usize = 64;

impl Inquiry<'_> {
    /// The digest that is judged: what runs; where nothing runs, what the reference resolves to now.
    pub(super) fn subject(&mut self, needs: Needs) -> Option<SubjectState> {
        match &self.task.running {
            RunningImage::Manifest(digest) => Some(SubjectState::Known(digest.clone())),
            RunningImage::Unreadable(text) if text.is_empty() => {
                Some(unknown_subject(Cause::DigestUnknown, "the runtime reports no image ID of what runs".to_owned()))
            }
            RunningImage::Unreadable(text) => {
                Some(unknown_subject(Cause::DigestUnknown, format!("the runtime reports the image ID {text:?}, which is not a digest")))
            }
            RunningImage::Unqualified(_) | RunningImage::Unreported if needs.nothing() => Some(SubjectState::NotAsked),
            RunningImage::Unqualified(digest) => self.qualify(&digest.clone()),
            RunningImage::Unreported => self.resolve(),
        }
    }

    /// What a reference resolves to now.
    fn resolve(&mut self) -> Option<SubjectState> {
        let reference = &self.task.reference;
        if let Some(digest) = reference.digest() {
            return Some(SubjectState::Known(digest.clone()));
        }
        let tag: Arc<str> = reference.pulled_tag().unwrap_or("latest").into();
        let answer = self.ask(&self.task.home.clone(), Ask::Tag(tag))?;
        Some(match first(&answer) {
            Ok(Some(descriptor)) => SubjectState::Known(descriptor.digest.clone()),
            Ok(None) => unknown_subject(Cause::ImageNotFound, format!("{reference}: the registry answers that this tag is not there")),
            Err(unknown) => SubjectState::Unknown(unknown),
        })
    }

    /// A bare digest in an image ID is that of a manifest, or of an image configuration. The registry decides, never a guess.
    fn qualify(&mut self, bare: &Digest) -> Option<SubjectState> {
        let home = self.task.home.clone();
        let as_manifest = self.ask(&home, Ask::Manifest(bare.clone()))?;
        match first(&as_manifest) {
            Ok(Some(_)) => return Some(SubjectState::Known(bare.clone())),
            Ok(None) => {}
            Err(unknown) => return Some(SubjectState::Unknown(unknown)),
        }
        let pulled = match (self.task.reference.digest(), self.task.reference.pulled_tag()) {
            (Some(digest), _) => digest.clone(),
            (None, tag) => {
                let answer = self.ask(&home, Ask::Tag(tag.unwrap_or("latest").into()))?;
                match first(&answer) {
                    Ok(Some(descriptor)) => descriptor.digest.clone(),
                    Ok(None) => return Some(self.config_unmatched(bare)),
                    Err(unknown) => return Some(SubjectState::Unknown(unknown)),
                }
            }
        };
        self.manifest_of_config(bare, &pulled)
    }

    /// The manifest (or child of an index) under `pulled` whose configuration is `config`.
    fn manifest_of_config(&mut self, config: &Digest, pulled: &Digest) -> Option<SubjectState> {
        let children = match self.content(pulled)? {
            Err(unknown) => return Some(SubjectState::Unknown(unknown)),
            Ok(Manifest::Image(image)) if image.config.digest == *config => return Some(SubjectState::Known(pulled.clone())),
            Ok(Manifest::Image(_) | Manifest::Artifact(_)) => return Some(self.config_unmatched(config)),
            Ok(Manifest::Index(index)) => index.manifests,
        };
        let contents: Vec<_> = children.iter().take(MOST_CHILDREN).map(|child| (&child.digest, self.content(&child.digest))).collect();
        let mut unanswered = None;
        let mut matching: Vec<&Digest> = Vec::new();
        for (digest, content) in contents {
            match content? {
                Ok(Manifest::Image(image)) if image.config.digest == *config && !matching.contains(&digest) => matching.push(digest),
                Ok(_) => {}
                Err(unknown) => unanswered = Some(unknown),
            }
        }
        Some(match (matching.as_slice(), unanswered) {
            ([only], None) => SubjectState::Known((*only).clone()),
            ([], None) => self.config_unmatched(config),
            (_, Some(unknown)) => SubjectState::Unknown(unknown),
            // The same layers in two compressions have one configuration.
            (several, None) => unknown_subject(
                Cause::DigestUnknown,
                format!(
                    "the runtime reports only {config}, the configuration of {} manifests that {} leads to",
                    several.len(),
                    self.task.reference
                ),
            ),
        })
    }

    fn config_unmatched(&self, bare: &Digest) -> SubjectState {
        unknown_subject(
            Cause::DigestUnknown,
            format!(
                "the runtime reports only {bare}, which is neither a manifest in {} nor the configuration of what {} leads to now",
                self.task.reference.repository(),
                self.task.reference
            ),
        )
    }

    /// A manifest by digest, parsed. Bytes that match their digest and do not parse are an invalid answer here, where no statement is judged.
    pub(super) fn content(&mut self, digest: &Digest) -> Option<Result<Manifest, UnknownAnswer>> {
        let answer = self.ask(&self.task.home.clone(), Ask::Content(digest.clone()))?;
        Some(match first(&answer) {
            Err(unknown) => Err(unknown),
            Ok(None) => Err(UnknownAnswer { cause: Cause::ImageNotFound, detail: format!("{digest} is not in {}", self.task.home) }),
            Ok(Some(_)) => match self.blob(digest) {
                None => Err(UnknownAnswer { cause: Cause::NotCaptured, detail: format!("the bytes of {digest} are not at hand") }),
                Some(bytes) => Manifest::parse(&bytes).map_err(|error| UnknownAnswer {
                    cause: Cause::InvalidResponse,
                    detail: format!("{digest} in {}: {error}", self.task.home),
                }),
            },
        })
    }

    /// Whether the manifest of the judged digest is there, seen with the credentials with which evidence is looked for.
    pub(super) fn presence(&mut self, digest: &Digest) -> Option<ManifestPresence> {
        let answer = self.ask(&self.task.home.clone(), Ask::Manifest(digest.clone()))?;
        Some(match first(&answer) {
            Ok(Some(descriptor)) => ManifestPresence::Seen { media_type: descriptor.media_type.clone(), credential: answer.credential },
            Ok(None) => ManifestPresence::Unknown(UnknownAnswer {
                cause: Cause::ImageNotFound,
                detail: format!(
                    "{} answers that {digest} is not there: it was deleted or moved, or the repository hides from these credentials",
                    self.task.home
                ),
            }),
            Err(unknown) => ManifestPresence::Unknown(unknown),
        })
    }

    /// Where the tag of the specification leads now, seen from what runs.
    pub(super) fn tag_state(&mut self, running: &Digest) -> Option<TagState> {
        let Some(tag) = self.task.reference.pulled_tag() else { return Some(TagState::NoTag) };
        if self.task.running == RunningImage::Unreported {
            return Some(TagState::Unmoved);
        }
        let answer = self.ask(&self.task.home.clone(), Ask::Tag(tag.into()))?;
        Some(match first(&answer) {
            Err(unknown) => TagState::Unknown(unknown),
            // A private repository hides behind 404: the tag is gone only where the running manifest itself can be seen.
            Ok(None) => match self.presence(running)? {
                ManifestPresence::Seen { .. } => TagState::Gone,
                ManifestPresence::Unknown(unknown) => TagState::Unknown(unknown),
                ManifestPresence::NotAsked => TagState::NotAsked,
            },
            Ok(Some(now)) if now.digest == *running => TagState::Unmoved,
            Ok(Some(now)) if !is_index(&now.media_type) => TagState::Moved(now.digest.clone()),
            Ok(Some(now)) => match self.content(&now.digest)? {
                Ok(Manifest::Index(index)) if index.lists(running) => TagState::UnmovedIndex(now.digest.clone()),
                Ok(_) => TagState::Moved(now.digest.clone()),
                Err(unknown) => TagState::Unknown(unknown),
            },
        })
    }
}

fn unknown_subject(cause: Cause, detail: String) -> SubjectState {
    SubjectState::Unknown(UnknownAnswer { cause, detail })
}

/// The first descriptor that was found; `None` where the place says that there is none.
pub(super) fn first(answer: &Answer) -> Result<Option<&crate::model::Descriptor>, UnknownAnswer> {
    match &answer.outcome {
        Outcome::Found(descriptors) => Ok(descriptors.first()),
        Outcome::Absent => Ok(None),
        Outcome::Unknown(unknown) => Err(unknown.clone()),
    }
}
