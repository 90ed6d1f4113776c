//! Collecting the evidence of many images at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;

use super::board::Board;
use super::gather::{Answers, Gathered, SignedBytes, gather};
use super::task::{DeclaredPlaces, ImageTask};
use super::verification::Verification;
use crate::model::{Answer, CredentialKind, Digest, ImageEvidence, Needs, Outcome, Question, ScanEvent, Statement, Stop};

/// Images of one registry that are worked on at once. Each has several requests out, so that the largest window of a host stays full;
/// more would only hold memory while they wait. Counted by registry, so that a silent one keeps no other waiting.
const IMAGES_AT_ONCE: usize = 128;

/// The evidence of every image, in the order of the images.
pub type EvidenceByImage = BTreeMap<ImageTask, ImageEvidence>;

/// Collects the evidence of all images from a source that has to be waited for.
///
/// Ends early when `stop` says so: what is not answered by then is unknown, and everything that is known stays. Where it says so
/// from the start, nothing is asked.
pub async fn collect(
    tasks: BTreeMap<ImageTask, DeclaredPlaces>,
    needs: Needs,
    board: &Board<'_>,
    verification: Option<&Verification>,
    mut stop: watch::Receiver<Option<Stop>>,
    observed: Timestamp,
    on_event: &(dyn Fn(ScanEvent) + Sync),
) -> EvidenceByImage {
    let mut evidence = EvidenceByImage::new();
    let before = *stop.borrow();
    let stopped = if before.is_some() {
        before
    } else {
        let answered = |question: &Question| on_event(ScanEvent::Answered(Box::new(question.clone())));
        let work = |task: ImageTask, places: DeclaredPlaces| {
            let answered = &answered;
            async move {
                loop {
                    match gather(&task, needs, &places, board) {
                        Gathered::Done(mut evidence, signed) => {
                            if let Some(verification) = verification {
                                verification.prove(&mut evidence, signed).await;
                            }
                            let bytes = |statement: &Statement| statement.manifest.clone().into_iter().chain([statement.content.clone()]);
                            board.release(evidence.statements.iter().flat_map(bytes));
                            return (task, *evidence);
                        }
                        Gathered::Wanted(questions) => board.fill(questions, answered).await,
                    }
                }
            }
        };
        let mut waiting = by_registry(&tasks);
        let first = waiting.values_mut().flat_map(|queue| queue.by_ref().take(IMAGES_AT_ONCE));
        let mut running: FuturesUnordered<_> = first.map(|(task, places)| work(task.clone(), places.clone())).collect();
        loop {
            tokio::select! {
                // What is already known is taken in before the end is looked at.
                biased;
                done = running.next() => match done {
                    None => break None,
                    Some((task, found)) => {
                        on_event(ScanEvent::ImageDone { reference: task.reference.to_string() });
                        let next = waiting.get_mut(task.reference.repository().registry()).and_then(Iterator::next);
                        running.extend(next.map(|(task, places)| work(task.clone(), places.clone())));
                        evidence.insert(task, found);
                    }
                },
                reason = stopped(&mut stop) => break Some(reason),
            }
        }
    };
    if let Some(reason) = stopped {
        let view = Ended { board, outcome: Outcome::unknown(reason.cause(), reason.detail()), observed };
        let mut rest = Vec::new();
        for (task, places) in &tasks {
            if !evidence.contains_key(task) {
                rest.push((task.clone(), gather_all(task, needs, places, &view)));
            }
        }
        evidence.extend(proven(rest, verification));
    }
    evidence
}

type Queue<'a> = std::vec::IntoIter<(&'a ImageTask, &'a DeclaredPlaces)>;

fn by_registry(tasks: &BTreeMap<ImageTask, DeclaredPlaces>) -> BTreeMap<&str, Queue<'_>> {
    let mut queues: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (task, places) in tasks {
        queues.entry(task.reference.repository().registry()).or_default().push((task, places));
    }
    queues.into_iter().map(|(registry, queue)| (registry, queue.into_iter())).collect()
}

/// Collects the evidence of all images from a view that answers every question at once.
#[must_use]
pub fn collect_from(
    tasks: &BTreeMap<ImageTask, DeclaredPlaces>,
    needs: Needs,
    view: &dyn Answers,
    verification: Option<&Verification>,
) -> EvidenceByImage {
    proven(tasks.iter().map(|(task, places)| (task.clone(), gather_all(task, needs, places, view))).collect(), verification).collect()
}

type Unproven = (ImageTask, (ImageEvidence, Vec<SignedBytes>));

/// Verifies what was gathered, all at once.
fn proven(mut gathered: Vec<Unproven>, verification: Option<&Verification>) -> impl Iterator<Item = (ImageTask, ImageEvidence)> {
    if let Some(verification) = verification {
        verification.prove_all(gathered.iter_mut().map(|(_, (evidence, signed))| (evidence, std::mem::take(signed))).collect());
    }
    gathered.into_iter().map(|(task, (evidence, _))| (task, evidence))
}

fn gather_all(task: &ImageTask, needs: Needs, places: &DeclaredPlaces, view: &dyn Answers) -> (ImageEvidence, Vec<SignedBytes>) {
    match gather(task, needs, places, view) {
        Gathered::Done(evidence, signed) => (*evidence, signed),
        // A view that leaves questions open is a mistake in the view; nothing is known then, and nothing is made up.
        Gathered::Wanted(_) => gather_all(task, Needs::default(), places, view),
    }
}

async fn stopped(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stop.wait_for(Option::is_some).await.map(|reason| *reason) {
        Ok(Some(reason)) => reason,
        // Nobody can end the scan any more.
        _ => std::future::pending().await,
    }
}

/// The board after the end: what nobody answered is unknown.
struct Ended<'a> {
    board: &'a Board<'a>,
    outcome: Outcome,
    observed: Timestamp,
}

impl Answers for Ended<'_> {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        let unknown = || Arc::new(Answer { outcome: self.outcome.clone(), observed: self.observed, credential: CredentialKind::Local });
        Some(self.board.answer(question).unwrap_or_else(unknown))
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.board.blob(digest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;
    use crate::model::{Ask, Cause, CredentialIdentity, Descriptor, ManifestPresence, Place, RunningImage};
    use crate::scan::board::{Answered, Keeping, Source};

    const NEEDS: Needs =
        Needs { subject: true, tag: true, signatures: true, verification: false, attestations: crate::model::PredicateKinds::NONE };

    /// Every manifest is there, nothing refers to it; answers of hosts that start with `silent` never come.
    #[derive(Default)]
    struct Unsigned {
        asked: Mutex<Vec<Question>>,
    }

    impl Source for Unsigned {
        fn answer<'a>(&'a self, place: &'a Place, _: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
            async move {
                tokio::task::yield_now().await;
                if place.to_string().starts_with("silent") {
                    std::future::pending::<()>().await;
                }
                self.asked.lock().unwrap().extend(asks.iter().cloned());
                asks.iter().map(answer).collect()
            }
            .boxed()
        }
    }

    fn answer(question: &Question) -> Answered {
        let outcome = match &question.ask {
            Ask::Manifest(digest) => Outcome::Found(vec![Descriptor {
                media_type: crate::model::OCI_MANIFEST.into(),
                digest: digest.clone(),
                size: 1,
                artifact_type: None,
                annotations: BTreeMap::new(),
            }]),
            _ => Outcome::Absent,
        };
        Answered { answer: Answer { outcome, observed: Timestamp::UNIX_EPOCH, credential: CredentialKind::Anonymous }, body: None }
    }

    fn tasks(references: &[&str]) -> BTreeMap<ImageTask, DeclaredPlaces> {
        let running = RunningImage::Manifest(Digest::from_sha256([7; 32]));
        let task = |text: &&str| ImageTask::in_registry(text.parse().unwrap(), running.clone(), CredentialIdentity::default());
        references.iter().map(|text| (task(text), DeclaredPlaces::default())).collect()
    }

    #[tokio::test]
    async fn a_question_is_asked_once_however_many_images_ask_it() {
        let source = Unsigned::default();
        let (_keep, stop) = watch::channel(None);
        let tasks = tasks(&["a.io/x:one", "a.io/x:two", "a.io/x:three"]);
        let board = Board::new(&source, Keeping::Everything);
        let evidence = collect(tasks, NEEDS, &board, None, stop, Timestamp::UNIX_EPOCH, &|_| ()).await;
        assert_eq!(evidence.len(), 3);
        let (ledger, _) = board.into_ledger();
        let mut asked = source.asked.into_inner().unwrap();
        let all = asked.len();
        asked.sort();
        asked.dedup();
        // Manifest, referrers and signature tag once, each of the three tags once.
        assert_eq!((all, asked.len(), ledger.len()), (6, 6, 6));
    }

    /// A registry that never answers, with more images than are worked on at once, before another one in the alphabet.
    #[tokio::test(start_paused = true)]
    async fn a_silent_registry_keeps_no_other_waiting() {
        let source = Unsigned::default();
        let (stopper, stop) = watch::channel(None);
        let silent: Vec<String> = (0..2 * IMAGES_AT_ONCE).map(|number| format!("silent.io/x{number}:one")).collect();
        let references: Vec<&str> = silent.iter().map(String::as_str).chain(["z.io/x:one"]).collect();
        let tasks = tasks(&references);
        let end = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stopper.send_replace(Some(Stop::TimedOut));
        };
        let board = Board::new(&source, Keeping::Everything);
        let (evidence, ()) = tokio::join!(collect(tasks, NEEDS, &board, None, stop, Timestamp::UNIX_EPOCH, &|_| ()), end);
        let seen = |evidence: &&ImageEvidence| matches!(evidence.manifest, ManifestPresence::Seen { .. });
        assert_eq!((evidence.len(), evidence.values().filter(seen).count()), (references.len(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupted_scan_keeps_what_it_knows() {
        let source = Unsigned::default();
        let (stopper, stop) = watch::channel(None);
        let tasks = tasks(&["a.io/x:one", "silent.io/x:one"]);
        let end = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stopper.send_replace(Some(Stop::Interrupted));
        };
        let board = Board::new(&source, Keeping::Everything);
        let (evidence, ()) = tokio::join!(collect(tasks, NEEDS, &board, None, stop, Timestamp::UNIX_EPOCH, &|_| ()), end);
        let mut evidence = evidence.into_values();
        assert!(matches!(evidence.next().unwrap().manifest, ManifestPresence::Seen { .. }));
        let silent = evidence.next().unwrap().manifest;
        assert!(matches!(silent, ManifestPresence::Unknown(unknown) if unknown.cause == Cause::Cancelled));
    }
}
