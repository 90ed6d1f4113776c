//! The source that asks: registries over the network, layouts and bundle files on disk, answers that are still young enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::board::{Answered, Source};
use crate::model::{Answer, Cause, CredentialIdentity, CredentialKind, Outcome, Place, Question};
use crate::registry::{Bundles, Layout, Registry, Statistics};

/// Registries, layouts, bundle files.
pub struct LiveSource {
    registry: Registry,
    layouts: BTreeMap<Arc<str>, Layout>,
    bundles: BTreeMap<Arc<str>, Bundles>,
}

impl LiveSource {
    /// A source.
    #[must_use]
    pub fn new(registry: Registry, layouts: BTreeMap<Arc<str>, Layout>, bundles: BTreeMap<Arc<str>, Bundles>) -> Self {
        Self { registry, layouts, bundles }
    }

    /// What asking cost.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.registry.statistics()
    }
}

impl Source for LiveSource {
    fn answer<'a>(&'a self, place: &'a Place, credential: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
        async move {
            match place {
                Place::Repository(repository) => {
                    let questions: Vec<_> = asks.iter().map(|question| question.ask.clone()).collect();
                    let answers = self.registry.answer(repository, credential, &questions, None).await;
                    answers.into_iter().map(|answered| Answered { answer: answered.answer, body: answered.body }).collect()
                }
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
