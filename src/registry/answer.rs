//! Answering a batch of questions about one repository along the chain of credentials.
//!
//! An absence counts only with the credential that saw the manifest. So a batch goes out with the first credential; what that one
//! may not see is asked with the next; and once a manifest was seen, whatever another credential did not find is asked again with
//! the one that saw it.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;

use super::access::{Access, Session};
use super::blob::{BlobCache, blob_found};
use super::credentials::Credential;
use super::error::failure;
use super::manifest::{Found, descriptor, media_type_of};
use super::referrers::ReferrersSupport;
use super::remote::{Answered, Registry};
use crate::model::{Answer, Ask, Cause, CredentialIdentity, CredentialKind, Digest, Outcome, Repository, UnknownAnswer};

/// What one credential was told.
struct Attempt {
    answered: Answered,
    /// Position of the credential in the chain.
    by: usize,
    /// What it showed about the referrers API.
    support: Option<ReferrersSupport>,
}

impl Attempt {
    fn found(&self) -> bool {
        matches!(self.answered.answer.outcome, Outcome::Found(_))
    }

    /// Whether another credential could see more.
    fn may_be_hidden(&self) -> bool {
        match &self.answered.answer.outcome {
            Outcome::Found(_) => false,
            Outcome::Absent => true,
            Outcome::Unknown(unknown) => matches!(unknown.cause, Cause::Unauthorized | Cause::Forbidden),
        }
    }

    /// Of several credentials that found nothing, whose answer says most: a login that was let in, then one that was not, then
    /// nobody.
    fn rank(&self) -> (bool, u8) {
        let anonymous = self.answered.answer.credential == CredentialKind::Anonymous;
        let rank = match &self.answered.answer.outcome {
            Outcome::Found(_) => 0,
            Outcome::Unknown(unknown) if !matches!(unknown.cause, Cause::Unauthorized | Cause::Forbidden) => 1,
            Outcome::Absent => 2,
            Outcome::Unknown(unknown) if unknown.cause == Cause::Forbidden => 3,
            Outcome::Unknown(_) => 4,
        };
        (anonymous && rank > 1, rank)
    }
}

impl Registry {
    /// Answers questions about one repository on behalf of one identity, in the order of the questions. They go out together.
    ///
    /// Bytes that the cache has are not asked for.
    pub async fn answer(
        &self,
        repository: &Repository,
        identity: &CredentialIdentity,
        asks: &[Ask],
        cache: Option<&dyn BlobCache>,
    ) -> Vec<Answered> {
        let access = self.access(repository, identity);
        let mut attempts: Vec<Option<Attempt>> = asks.iter().map(|ask| kept(ask, cache)).collect();
        let open: Vec<usize> = (0..asks.len()).filter(|at| attempts[*at].is_none()).collect();
        let tried = self.along_the_chain(&access, asks, &mut attempts, open, cache).await;
        self.remember_support(&access, asks, &attempts);
        let (origins, problems) = access.chain.story(tried).await;
        let established = access.established().is_some();
        let finish = |(ask, attempt): (&Ask, Option<Attempt>)| {
            let mut answered = attempt.map_or_else(nobody, |attempt| attempt.answered);
            tell(ask, repository, established, &origins, &problems, &mut answered.answer);
            answered
        };
        asks.iter().zip(attempts).map(finish).collect()
    }

    /// Asks with one credential after another; gives how many were tried.
    async fn along_the_chain(
        &self,
        access: &Access,
        asks: &[Ask],
        attempts: &mut [Option<Attempt>],
        mut open: Vec<usize>,
        cache: Option<&dyn BlobCache>,
    ) -> usize {
        let mut tried = 0;
        while !open.is_empty() && access.established().is_none() {
            let Some(credential) = access.chain.credential(tried, &self.0.keyring).await else { break };
            self.with(access, &credential, tried, asks, attempts, &open, cache).await;
            tried += 1;
            open.retain(|at| attempts[*at].as_ref().is_some_and(Attempt::may_be_hidden));
        }
        if let Some(established) = access.established() {
            let again: Vec<usize> = (0..asks.len())
                .filter(|at| attempts[*at].as_ref().is_none_or(|attempt| !attempt.found() && attempt.by != established))
                .collect();
            if !again.is_empty()
                && let Some(credential) = access.chain.credential(established, &self.0.keyring).await
            {
                // Its word counts, whatever another one was told.
                for at in &again {
                    attempts[*at] = None;
                }
                self.with(access, &credential, established, asks, attempts, &again, cache).await;
                tried = tried.max(established + 1);
            }
        }
        tried
    }

    /// Asks all open questions with one credential, and keeps the better answers.
    #[expect(clippy::too_many_arguments, reason = "one step of the loop above, with its whole state")]
    async fn with(
        &self,
        access: &Access,
        credential: &Arc<Credential>,
        by: usize,
        asks: &[Ask],
        attempts: &mut [Option<Attempt>],
        open: &[usize],
        cache: Option<&dyn BlobCache>,
    ) {
        let told = join_all(open.iter().map(|at| async {
            let session = Session::new(&self.0.client, &self.0.tokens, access, Arc::clone(credential));
            ask(&session, &asks[*at], by, cache).await
        }))
        .await;
        for (at, attempt) in open.iter().zip(told) {
            if attempt.found() {
                match &asks[*at] {
                    Ask::Tag(_) | Ask::Manifest(_) => access.manifest_seen(by),
                    Ask::Readable => access.was_readable(by),
                    Ask::Content(_) | Ask::Referrers(_) | Ask::Blob(_) => {}
                }
            }
            let slot = &mut attempts[*at];
            if slot.as_ref().is_none_or(|known| attempt.rank() < known.rank()) {
                *slot = Some(attempt);
            }
        }
    }
}

impl Registry {
    /// Remembers whether the referrers API is there. That it is not is believed only where the manifest itself was seen by the
    /// same credential: what hides behind 404 hides its referrers too.
    fn remember_support(&self, access: &Access, asks: &[Ask], attempts: &[Option<Attempt>]) {
        for (ask, attempt) in asks.iter().zip(attempts) {
            let (Ask::Referrers(digest), Some(attempt)) = (ask, attempt) else { continue };
            let Some(support) = attempt.support else { continue };
            let seen = asks.iter().zip(attempts).any(|(other, seen)| {
                matches!(other, Ask::Manifest(manifest) if manifest == digest)
                    && seen.as_ref().is_some_and(|seen| seen.found() && seen.by == attempt.by)
            });
            if support == ReferrersSupport::Api || (seen && support == ReferrersSupport::FallbackTag) {
                access.referrers.set(support);
                if let Some(host) = access.host(&self.0.client) {
                    host.referrers.set(support);
                }
            }
        }
    }
}

/// Asks one question with one credential.
async fn ask(session: &Session<'_>, ask: &Ask, by: usize, cache: Option<&dyn BlobCache>) -> Attempt {
    let mut support = None;
    let outcome = match ask {
        Ask::Tag(tag) => session.resolve(tag, None).await.map(one),
        Ask::Manifest(digest) => session.resolve(&digest.to_string(), Some(digest)).await.map(one),
        Ask::Content(digest) => {
            let fetched = session.fetch(&digest.to_string(), Some(digest), session.client.options.limits.manifest).await;
            fetched.map(|found| one(keep(found, cache)))
        }
        Ask::Blob(digest) => session.blob(digest).await.map(|found| one(keep(found, cache))),
        // On the heap: it holds several times what any other question holds while it waits.
        Ask::Referrers(digest) => Box::pin(session.referrers(digest, cache)).await.map(|referrers| {
            support = Some(referrers.support);
            let outcome = if referrers.descriptors.is_empty() { Outcome::Absent } else { Outcome::Found(referrers.descriptors) };
            (outcome, None)
        }),
        Ask::Readable => session.readable().await.map(|readable| (readable.map_or(Outcome::Absent, |()| Outcome::Found(Vec::new())), None)),
    };
    let (outcome, body) = outcome.unwrap_or_else(|unknown| (Outcome::Unknown(unknown), None));
    let answer = Answer { outcome, observed: Timestamp::now(), credential: session.kind() };
    Attempt { answered: Answered { answer, body }, by, support }
}

fn one(found: Option<Found>) -> (Outcome, Option<bytes::Bytes>) {
    found.map_or((Outcome::Absent, None), |found| (Outcome::Found(vec![found.descriptor]), found.body))
}

fn keep(found: Option<Found>, cache: Option<&dyn BlobCache>) -> Option<Found> {
    if let (Some(Found { descriptor, body: Some(body) }), Some(cache)) = (&found, cache) {
        cache.put(&descriptor.digest, body);
    }
    found
}

/// What the cache answers: bytes that proved themselves to it.
fn kept(ask: &Ask, cache: Option<&dyn BlobCache>) -> Option<Attempt> {
    let bytes = |digest: &Digest| cache?.get(digest);
    let found = match ask {
        Ask::Content(digest) => {
            let body = bytes(digest)?;
            let descriptor = descriptor(media_type_of(&body).to_owned(), digest.clone(), body.len() as u64);
            Found { descriptor, body: Some(body) }
        }
        Ask::Blob(digest) => blob_found(digest.clone(), bytes(digest)?),
        Ask::Tag(_) | Ask::Manifest(_) | Ask::Referrers(_) | Ask::Readable => return None,
    };
    let (outcome, body) = one(Some(found));
    let answer = Answer { outcome, observed: Timestamp::now(), credential: CredentialKind::Local };
    Some(Attempt { answered: Answered { answer, body }, by: usize::MAX, support: None })
}

/// The chain ends with nobody, who can always ask: this is not reached while that is so.
fn nobody() -> Answered {
    let outcome = Outcome::unknown(Cause::Unauthorized, "there was no credential to ask with");
    Answered { answer: Answer { outcome, observed: Timestamp::now(), credential: CredentialKind::Anonymous }, body: None }
}

/// Completes an answer with what a person needs to know about who asked.
fn tell(ask: &Ask, repository: &Repository, established: bool, origins: &[String], problems: &[String], answer: &mut Answer) {
    let problems = if problems.is_empty() { String::new() } else { format!("; {}", problems.join("; ")) };
    match &mut answer.outcome {
        Outcome::Unknown(UnknownAnswer { cause: Cause::Unauthorized | Cause::Forbidden, detail }) => {
            detail.push_str("; tried: ");
            detail.push_str(&origins.join(", "));
            detail.push_str(&problems);
        }
        // Nothing was seen in this repository: a tag that is gone and one that is hidden look the same.
        Outcome::Absent if !established && (matches!(ask, Ask::Tag(_)) || !problems.is_empty()) => {
            answer.outcome = Outcome::Unknown(failure(
                Cause::ImageNotFound,
                format!("{repository} shows nothing: it may not be there, or be hidden; tried: {}{problems}", origins.join(", ")),
            ));
        }
        _ => {}
    }
}
