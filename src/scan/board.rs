//! The board on which questions are answered once, however many images ask them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, join, join_all};
use tokio::sync::watch;

use super::gather::Answers;
use crate::model::{Answer, Ask, CredentialIdentity, Digest, Ledger, Outcome, Place, Question};

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

/// How long the bytes that were found are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// To the end: a snapshot is made of them.
    Everything,
    /// Of what is done with, the latest bytes up to so many; what is wanted again after that is asked for again.
    Latest(usize),
}

/// The board of questions: what a source was asked so far, and what it answered.
pub struct Board<'a> {
    source: &'a dyn Source,
    keeping: Keeping,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Question, Slot>,
    blobs: HashMap<Digest, Body>,
    /// Blobs that are done with, oldest first, and how many bytes they are together.
    released: VecDeque<Digest>,
    released_bytes: usize,
    /// Blobs that were found and are not kept any more.
    gone: HashSet<Digest>,
}

struct Body {
    bytes: Bytes,
    released: bool,
}

enum Slot {
    /// Someone asks it; the channel closes when the answer is there, or never will be.
    Asked(watch::Receiver<()>),
    Answered(Arc<Answer>),
}

impl State {
    /// The answer to a question, unless the bytes that belong to it are gone.
    fn answer(&self, question: &Question) -> Option<&Arc<Answer>> {
        let Slot::Answered(answer) = self.slots.get(question)? else { return None };
        let has_bytes = matches!(question.ask, Ask::Blob(_) | Ask::Content(_));
        let gone = has_bytes
            && matches!(&answer.outcome, Outcome::Found(found) if found.first().is_some_and(|first| self.gone.contains(&first.digest)));
        (!gone).then_some(answer)
    }
}

impl<'a> Board<'a> {
    /// An empty board.
    #[must_use]
    pub fn new(source: &'a dyn Source, keeping: Keeping) -> Self {
        Self { source, keeping, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing inside the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has every question answered: asks those that nobody asked yet, waits for those that are under way.
    pub async fn fill(&self, questions: Vec<Question>, answered: &(dyn Fn(&Question) + Sync)) {
        let (done, asked) = watch::channel(());
        let mut mine: BTreeMap<(Place, CredentialIdentity), Vec<Question>> = BTreeMap::new();
        let mut theirs = Vec::new();
        {
            let mut state = self.state();
            for question in questions {
                match (state.answer(&question), state.slots.get(&question)) {
                    (Some(_), _) => {}
                    (None, Some(Slot::Asked(receiver))) => theirs.push(receiver.clone()),
                    (None, _) => {
                        state.slots.insert(question.clone(), Slot::Asked(asked.clone()));
                        mine.entry((question.place.clone(), question.credential.clone())).or_default().push(question);
                    }
                }
            }
        }
        let ask = join_all(mine.iter().map(|((place, credential), questions)| async {
            let answers = self.source.answer(place, credential, questions.clone()).await;
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
            state.gone.remove(&descriptor.digest);
            state.blobs.entry(descriptor.digest.clone()).or_insert(Body { bytes: body, released: false });
        }
        state.slots.insert(question.clone(), Slot::Answered(Arc::new(answered.answer)));
    }

    /// An image is done with these bytes. Another one may still want them, so the latest are kept.
    pub fn release(&self, digests: impl IntoIterator<Item = Digest>) {
        let Keeping::Latest(most) = self.keeping else { return };
        let mut state = self.state();
        for digest in digests {
            let Some(body) = state.blobs.get_mut(&digest).filter(|body| !body.released) else { continue };
            body.released = true;
            state.released_bytes += body.bytes.len();
            state.released.push_back(digest);
        }
        while state.released_bytes > most
            && let Some(oldest) = state.released.pop_front()
        {
            let size = state.blobs.remove(&oldest).map_or(0, |body| body.bytes.len());
            state.released_bytes -= size;
            state.gone.insert(oldest);
        }
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
        (ledger, state.blobs.into_iter().map(|(digest, body)| (digest, body.bytes)).collect())
    }
}

impl Answers for Board<'_> {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        self.state().answer(question).cloned()
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.state().blobs.get(digest).map(|body| body.bytes.clone())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use jiff::Timestamp;

    use super::*;
    use crate::model::{CredentialKind, Descriptor};

    /// Has every blob: a hundred bytes each.
    #[derive(Default)]
    struct Blobs(Mutex<Vec<Question>>);

    impl Source for Blobs {
        fn answer<'a>(&'a self, _: &'a Place, _: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
            let answers = asks.iter().map(|question| {
                let Ask::Blob(digest) = &question.ask else { panic!("a blob") };
                let found = Descriptor {
                    media_type: "a/b".into(),
                    digest: digest.clone(),
                    size: 100,
                    artifact_type: None,
                    annotations: BTreeMap::new(),
                };
                let outcome = Outcome::Found(vec![found]);
                let answer = Answer { outcome, observed: Timestamp::UNIX_EPOCH, credential: CredentialKind::Anonymous };
                Answered { answer, body: Some(Bytes::from_static(&[0; 100])) }
            });
            let answers = answers.collect();
            self.0.lock().unwrap().extend(asks);
            async { answers }.boxed()
        }
    }

    fn blob(seed: u8) -> Question {
        let place = Place::Repository("a.io/x".parse().unwrap());
        Question { place, ask: Ask::Blob(digest(seed)), credential: CredentialIdentity::default() }
    }

    fn digest(seed: u8) -> Digest {
        Digest::from_sha256([seed; 32])
    }

    #[tokio::test]
    async fn the_latest_bytes_are_kept_and_older_ones_asked_for_again() {
        let source = Blobs::default();
        let board = Board::new(&source, Keeping::Latest(250));
        let all = [1, 2, 3, 4];
        let at_hand = || all.map(|seed| (board.answer(&blob(seed)).is_some(), board.blob(&digest(seed)).is_some()));
        let (here, gone) = ((true, true), (false, false));
        board.fill(all.map(blob).to_vec(), &|_| ()).await;
        board.release([digest(1), digest(1), digest(2)]);
        assert_eq!(at_hand(), [here, here, here, here], "what is released twice counts once");
        board.release([digest(3)]);
        assert_eq!(at_hand(), [gone, here, here, here], "the fourth is still in use");
        board.fill(all.map(blob).to_vec(), &|_| ()).await;
        assert_eq!(at_hand(), [here, here, here, here]);
        assert_eq!(source.0.lock().unwrap().len(), 5, "only the first is asked for again");
        board.release([digest(1)]);
        assert_eq!(at_hand(), [here, gone, here, here], "in the order in which they were released");
    }

    #[tokio::test]
    async fn a_snapshot_loses_nothing() {
        let source = Blobs::default();
        let board = Board::new(&source, Keeping::Everything);
        board.fill(vec![blob(1)], &|_| ()).await;
        board.release([digest(1)]);
        let (ledger, blobs) = board.into_ledger();
        assert_eq!((ledger.len(), blobs.len()), (1, 1));
    }
}
