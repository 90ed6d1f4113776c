//! The source that asks: registries and GitHub over the network, layouts and bundle files on disk, answers that are still young enough.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};

use super::board::{Answered, Source};
use crate::model::{Answer, Ask, Cause, CredentialIdentity, CredentialKind, GithubStore, Outcome, Place, Question, Repository};
use crate::registry::{BlobCache, Bundles, DiskCache, GithubSight, Layout, Registry, Statistics};

/// Registries, layouts, bundle files, and the cache before the registries.
pub struct LiveSource {
    registry: Registry,
    layouts: BTreeMap<Arc<str>, Layout>,
    bundles: BTreeMap<Arc<str>, Bundles>,
    cache: Option<DiskCache>,
    max_age: SignedDuration,
    shown: Mutex<HashMap<(Repository, CredentialIdentity), bool>>,
}

impl LiveSource {
    /// A source. Answers that can change are taken from the cache up to `max_age`; zero: never, and none is kept.
    #[must_use]
    pub fn new(
        registry: Registry,
        layouts: BTreeMap<Arc<str>, Layout>,
        bundles: BTreeMap<Arc<str>, Bundles>,
        cache: Option<DiskCache>,
        max_age: SignedDuration,
    ) -> Self {
        Self { registry, layouts, bundles, cache, max_age, shown: Mutex::default() }
    }

    /// What asking cost.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.registry.statistics()
    }
}

impl LiveSource {
    /// The cache of answers that can change; none where no age is accepted.
    fn answers(&self) -> Option<&DiskCache> {
        self.cache.as_ref().filter(|_| self.max_age > SignedDuration::ZERO)
    }

    /// Answers from the cache and the registry.
    ///
    /// What the cache holds was seen by the credentials of another day. It counts only as long as today's see something in the
    /// repository: where they are shown no manifest that is asked for, all is asked anew.
    async fn ask_registry(&self, repository: &Repository, credential: &CredentialIdentity, questions: &[Question]) -> Vec<Answered> {
        let now = Timestamp::now();
        let hidden = self.shown(repository, credential) == Some(false);
        let answers = self.answers();
        let kept = |question: &Question| answers.filter(|_| !hidden)?.get_answer(question, self.max_age, now);
        let kept: Vec<Option<Answer>> = questions.iter().map(kept).collect();
        let (held, open): (Vec<_>, Vec<_>) = questions.iter().zip(&kept).partition(|(_, kept)| kept.is_some());
        let only_questions =
            |pairs: Vec<(&Question, _)>| -> Vec<Question> { pairs.into_iter().map(|(question, _)| question.clone()).collect() };
        let (held, open) = (only_questions(held), only_questions(open));
        let asked = self.ask_open(repository, credential, &open).await;
        let mut again = Vec::new().into_iter();
        let in_vain = open.iter().any(|question| shows(&question.ask)) && self.shown(repository, credential) == Some(false);
        if in_vain && !held.is_empty() {
            again = self.ask_open(repository, credential, &held).await.into_iter();
        }
        let mut asked = asked.into_iter();
        let answered = kept.into_iter().map(|kept| match kept {
            Some(answer) => again.next().unwrap_or(Answered { answer, body: None }),
            None => asked.next().unwrap_or_else(|| unanswered("the client gave no answer")),
        });
        answered.collect()
    }

    /// Asks the registry, and keeps what may be kept: what hides from these credentials looks empty, and that is no absence to keep.
    async fn ask_open(&self, repository: &Repository, credential: &CredentialIdentity, open: &[Question]) -> Vec<Answered> {
        if open.is_empty() {
            return Vec::new();
        }
        let asks: Vec<Ask> = open.iter().map(|question| question.ask.clone()).collect();
        let blobs = self.cache.as_ref().map(|cache| cache as &dyn BlobCache);
        let asked = self.registry.answer(repository, credential, &asks, blobs).await;
        let found = |answer: &Answer| matches!(answer.outcome, Outcome::Found(_));
        let seen = asks.iter().zip(&asked).any(|(ask, fresh)| shows(ask) && found(&fresh.answer));
        if seen || asks.iter().any(shows) {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            *shown.entry((repository.clone(), credential.clone())).or_default() |= seen;
        }
        if let Some(answers) = self.answers() {
            for (question, fresh) in open.iter().zip(&asked).filter(|(_, fresh)| seen || found(&fresh.answer)) {
                answers.put_answer(question, &fresh.answer);
            }
        }
        asked.into_iter().map(|fresh| Answered { answer: fresh.answer, body: fresh.body }).collect()
    }

    /// Answers from the cache and GitHub.
    ///
    /// What the cache holds was seen by the token of another day: it counts where today's sees the whole store, and its bundles are at
    /// hand.
    async fn ask_github(&self, store: &GithubStore, question: &Question) -> Answered {
        let blobs = self.cache.as_ref();
        let at_hand = |answer: &Answer| match &answer.outcome {
            Outcome::Found(found) => found.iter().all(|found| blobs.is_some_and(|blobs| blobs.get(&found.digest).is_some())),
            Outcome::Absent | Outcome::Unknown(_) => true,
        };
        let kept = self.answers().and_then(|answers| answers.get_answer(question, self.max_age, Timestamp::now())).filter(at_hand);
        if let Some(answer) = kept
            && self.registry.sight(store).await == Ok(GithubSight::Whole)
        {
            return Answered { answer, body: None };
        }
        let fresh = self.registry.attestations(store, &question.ask, blobs.map(|blobs| blobs as &dyn BlobCache)).await;
        if let Some(answers) = self.answers() {
            answers.put_answer(question, &fresh.answer);
        }
        Answered { answer: fresh.answer, body: fresh.body }
    }

    /// Whether these credentials were shown a manifest, or the tags, of the repository in this scan; `None` where they asked for none.
    fn shown(&self, repository: &Repository, credential: &CredentialIdentity) -> Option<bool> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.get(&(repository.clone(), credential.clone())).copied()
    }
}

/// Whether an answer to it, if it finds anything, shows that the repository does not hide.
fn shows(ask: &Ask) -> bool {
    matches!(ask, Ask::Tag(_) | Ask::Manifest(_) | Ask::Readable)
}

impl Source for LiveSource {
    fn answer<'a>(&'a self, place: &'a Place, credential: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
        async move {
            match place {
                Place::Repository(repository) => self.ask_registry(repository, credential, &asks).await,
                Place::Layout(name) => asks
                    .iter()
                    .map(|question| on_disk(self.layouts.get(name).map(|layout| layout.answer(&question.ask, Timestamp::now()))))
                    .collect(),
                Place::Github(store) => join_all(asks.iter().map(|question| self.ask_github(store, question))).await,
                Place::Bundles(name) => asks
                    .iter()
                    .map(|question| on_disk(self.bundles.get(name).map(|bundles| bundles.answer(&question.ask, Timestamp::now()))))
                    .collect(),
            }
        }
        .boxed()
    }
}

fn on_disk(answer: Option<(Answer, Option<bytes::Bytes>)>) -> Answered {
    answer.map_or_else(|| unanswered("this place was not opened"), |(answer, body)| Answered { answer, body })
}

fn unanswered(detail: &str) -> Answered {
    let outcome = Outcome::unknown(Cause::NotCaptured, detail);
    Answered { answer: Answer { outcome, observed: Timestamp::now(), credential: CredentialKind::Local }, body: None }
}
