//! The board on which questions are answered once, however many images ask them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, join, join_all};
use tokio::sync::watch;

use super::gather::Answers;
use crate::model::{Answer, CredentialIdentity, Digest, Ledger, Outcome, Place, Question};

/// What a source says to one question.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// The bytes, where content was asked for and found.
    pub body: Option<Bytes>,
}

/// Who answers questions: registries and layouts, or a scripted world in tests.
pub trait Source: Send + Sync {
    /// Answers questions to one place on behalf of one credential, in the order of the questions. They go out together.
    fn answer<'a>(&'a self, place: &'a Place, credential: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>>;
}

/// Questions asked and answered so far.
#[derive(Default)]
pub struct Board {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Question, Slot>,
    blobs: HashMap<Digest, Bytes>,
}

enum Slot {
    /// Someone asks it; the channel closes when the answer is there, or never will be.
    Asked(watch::Receiver<()>),
    Answered(Arc<Answer>),
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing inside the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has every question answered: asks those that nobody asked yet, waits for those that are under way.
    pub async fn fill(&self, questions: Vec<Question>, source: &dyn Source, answered: &(dyn Fn(&Question) + Sync)) {
        let (done, asked) = watch::channel(());
        let mut mine: BTreeMap<(Place, CredentialIdentity), Vec<Question>> = BTreeMap::new();
        let mut theirs = Vec::new();
        {
            let mut state = self.state();
            for question in questions {
                match state.slots.get(&question) {
                    Some(Slot::Answered(_)) => {}
                    Some(Slot::Asked(receiver)) => theirs.push(receiver.clone()),
                    None => {
                        state.slots.insert(question.clone(), Slot::Asked(asked.clone()));
                        mine.entry((question.place.clone(), question.credential.clone())).or_default().push(question);
                    }
                }
            }
        }
        let ask = join_all(mine.iter().map(|((place, credential), questions)| async {
            let answers = source.answer(place, credential, questions.clone()).await;
            for (question, answer) in questions.iter().zip(answers) {
                self.enter(question, answer);
                answered(question);
            }
        }));
        let ask = async {
            ask.await;
            drop(done);
        };
        let wait = join_all(theirs.into_iter().map(|mut receiver| async move {
            // An error is the closed channel: the answer is entered, or its asker was dropped with the whole scan.
            while receiver.changed().await.is_ok() {}
        }));
        join(ask, wait).await;
    }

    fn enter(&self, question: &Question, answered: Answered) {
        let mut state = self.state();
        if let (Outcome::Found(descriptors), Some(body)) = (&answered.answer.outcome, answered.body)
            && let Some(descriptor) = descriptors.first()
        {
            state.blobs.entry(descriptor.digest.clone()).or_insert(body);
        }
        state.slots.insert(question.clone(), Slot::Answered(Arc::new(answered.answer)));
    }

    /// Everything answered, as a ledger, and the bytes that were found.
    #[must_use]
    pub fn into_ledger(self) -> (Ledger, BTreeMap<Digest, Bytes>) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut ledger = Ledger::new();
        for (question, slot) in state.slots {
            if let Slot::Answered(answer) = slot {
                ledger.enter(question, answer);
            }
        }
        (ledger, state.blobs.into_iter().collect())
    }
}

impl Answers for Board {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        match self.state().slots.get(question)? {
            Slot::Answered(answer) => Some(Arc::clone(answer)),
            Slot::Asked(_) => None,
        }
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.state().blobs.get(digest).cloned()
    }
}
