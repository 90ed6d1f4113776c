//! The source that asks: registries over the network, layouts and bundle files on disk, answers that are still young enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::board::{Answered, Source};
use crate::model::{Answer, Ask, Cause, CredentialIdentity, CredentialKind, Outcome, Place, Question, Repository};
use crate::registry::{BlobCache, Bundles, DiskCache, Layout, Registry, Statistics};

/// Registries, layouts, bundle files, and the cache before the registries.
pub struct LiveSource {
    registry: Registry,
    layouts: BTreeMap<Arc<str>, Layout>,
    bundles: BTreeMap<Arc<str>, Bundles>,
    cache: Option<DiskCache>,
    max_age: SignedDuration,
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
        Self { registry, layouts, bundles, cache, max_age }
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

    async fn ask_registry(&self, repository: &Repository, credential: &CredentialIdentity, questions: &[Question]) -> Vec<Answered> {
        let now = Timestamp::now();
        let kept: Vec<Option<Answer>> = questions.iter().map(|question| self.answers()?.get_answer(question, self.max_age, now)).collect();
        let open: Vec<Ask> =
            questions.iter().zip(&kept).filter(|(_, kept)| kept.is_none()).map(|(question, _)| question.ask.clone()).collect();
        let blobs = self.cache.as_ref().map(|cache| cache as &dyn BlobCache);
        let asked = if open.is_empty() { Vec::new() } else { self.registry.answer(repository, credential, &open, blobs).await };
        // What hides from these credentials looks empty: that is no absence to keep.
        let found = |answer: &Answer| matches!(answer.outcome, Outcome::Found(_));
        let shows = |ask: &Ask| matches!(ask, Ask::Tag(_) | Ask::Manifest(_) | Ask::Readable);
        let seen = open.iter().zip(&asked).any(|(ask, fresh)| shows(ask) && found(&fresh.answer));
        let mut asked = asked.into_iter();
        let answered = questions.iter().zip(kept).map(|(question, kept)| match (kept, self.answers()) {
            (Some(answer), _) => Answered { answer, body: None },
            (None, answers) => match asked.next() {
                None => unanswered("the client gave no answer"),
                Some(fresh) => {
                    if let Some(answers) = answers.filter(|_| seen || found(&fresh.answer)) {
                        answers.put_answer(question, &fresh.answer);
                    }
                    Answered { answer: fresh.answer, body: fresh.body }
                }
            },
        });
        answered.collect()
    }
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
