//! A trust root that a TUF repository has: asked, from the cache, or the embedded copy, in this order.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::age::{day, span};
use super::document;
use super::embedded::{embedded_date, known};
use super::kept::{Failure, Kept, Shelf};
use super::need::Effort;
use super::options::TrustOptions;
use super::tuf;
use super::{read, unavailable};
use crate::documents::{SigstoreInstance, TufMirror};
use crate::model::{Algorithm, Digest, RootOrigin, UnknownAnswer, escape_control};

/// A TUF repository and what one begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TufRepository {
    /// Its address.
    pub(super) url: String,
    /// The `root.json` with which trust in it begins.
    pub(super) bootstrap: Vec<u8>,
    /// The copy inside this program, and up to when it is complete.
    pub(super) embedded: Option<(&'static str, Timestamp)>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obtained {
    pub(super) origin: RootOrigin,
    pub(super) dated: Option<Timestamp>,
    pub(super) content: Result<Arc<[u8]>, UnknownAnswer>,
    /// What a person should know.
    pub(super) warning: Option<String>,
}

impl Obtained {
    pub(super) fn failed(origin: RootOrigin, text: &str) -> Self {
        Self { origin, dated: None, content: Err(unavailable(text)), warning: Some(escape_control(text).into_owned()) }
    }
}

impl TufRepository {
    pub(super) fn of(instance: SigstoreInstance) -> Self {
        let instance = known(instance);
        Self {
            url: instance.tuf_url().to_owned(),
            bootstrap: instance.tuf_root().to_vec(),
            embedded: Some((instance.embedded_trusted_root_json(), embedded_date())),
        }
    }

    /// A user's own.
    ///
    /// # Errors
    /// Its first `root.json` cannot be read, or its address is none.
    pub(super) fn mirror(mirror: &TufMirror, directory: &Path) -> Result<Self, String> {
        let address = Url::parse(&mirror.url).map_err(|error| format!("its address {:?} cannot be used: {error}", mirror.url))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(format!("its address {:?} is not one of http or https", mirror.url));
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err("its address holds a user name or password, which reports would show: serve it without".to_owned());
        }
        let (bootstrap, place) = read(&mirror.root, directory)?;
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&bootstrap);
        parsed.map_err(|error| format!("{place} is not a TUF root.json: {error}"))?;
        Ok(Self { url: mirror.url.clone(), bootstrap, embedded: None })
    }

    /// Its name in the cache. A mirror's begins anew with another first root; that of a known instance moves on with releases.
    fn name(&self) -> String {
        let mut identity = self.url.trim_end_matches('/').as_bytes().to_vec();
        if self.embedded.is_none() {
            identity.push(0);
            identity.extend_from_slice(&self.bootstrap);
        }
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let host: String = host.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-')).take(80).collect();
        let digest = Digest::of(Algorithm::Sha256, &identity).hex();
        format!("{host}-{}.json", digest.get(..16).unwrap_or(&digest))
    }

    /// The trust root that it has.
    pub(super) async fn obtain(&self, effort: Effort, options: &TrustOptions) -> Obtained {
        let shelf = options.cache.as_deref().map(|directory| Shelf::new(directory, &self.name(), &self.url));
        let mut kept = shelf.as_ref().map(Shelf::read).unwrap_or_default();
        // A clock that was wrong, or a lie: not after now.
        let fetched = kept.fetched.map(|fetched| fetched.min(options.now));
        if kept.fetched.is_some_and(|fetched| within(fetched, options.now, options.interval))
            && let Ok(target) = self.verify(&kept, options.now).await
        {
            return self.cached(target, fetched, None);
        }
        let embedded_will_do = effort == Effort::AtHand && self.embedded.is_some();
        let trouble = if options.offline || embedded_will_do {
            None
        } else {
            match self.ask(&kept, options).await {
                Ok(said) => {
                    kept.failed = None;
                    kept.fetched = Some(options.now);
                    kept.files = said.files;
                    write(shelf.as_ref(), &kept);
                    return Obtained {
                        origin: RootOrigin::Tuf { url: self.url.clone() },
                        dated: Some(options.now),
                        content: Ok(Arc::from(said.target)),
                        warning: None,
                    };
                }
                Err(Trouble::Earlier(text)) => Some(text),
                Err(Trouble::Now(text)) => {
                    kept.failed = Some(Failure { at: options.now, text: text.clone() });
                    write(shelf.as_ref(), &kept);
                    Some(text)
                }
            }
        };
        self.fall_back(&kept, fetched, trouble, options).await
    }

    async fn ask(&self, kept: &Kept, options: &TrustOptions) -> Result<tuf::Said, Trouble> {
        if let Some(failure) = &kept.failed
            && within(failure.at, options.now, options.pause)
        {
            let age = span(options.now.duration_since(failure.at));
            return Err(Trouble::Earlier(format!("{} (asked {age} ago; at most one attempt in {})", failure.text, span(options.pause))));
        }
        let said = tuf::fetch(&self.url, &self.bootstrap, &kept.files, options).await;
        let usable = said.and_then(|said| match document::check(&said.target) {
            Ok(()) => Ok(said),
            Err(error) => Err(format!("its trust root cannot be used: {error}")),
        });
        usable.map_err(|text| Trouble::Now(shortened(&text)))
    }

    /// What is kept, verified as of a moment.
    async fn verify(&self, kept: &Kept, at: Timestamp) -> Result<Vec<u8>, String> {
        let target = tuf::verify(&self.bootstrap, &kept.files, at).await?;
        document::check(&target).map_err(|error| error.to_string())?;
        Ok(target)
    }

    /// What is used where the repository was not asked, or not with success.
    ///
    /// Metadata in the cache that has expired since still counts where it is newer than the embedded copy: whoever can keep the repository
    /// from being asked must not thereby bring back an older root. Without an embedded copy, what has expired is not used.
    async fn fall_back(&self, kept: &Kept, fetched: Option<Timestamp>, trouble: Option<String>, options: &TrustOptions) -> Obtained {
        let mut as_of = options.now;
        if let (Some((_, date)), Some(fetched)) = (self.embedded, fetched)
            && fetched > date
        {
            as_of = fetched;
        }
        let nothing_kept = kept.files.is_empty() || fetched.is_none();
        let kept = if nothing_kept { Err("nothing of it is kept".to_owned()) } else { self.verify(kept, as_of).await };
        let asked = |rest: String| trouble.as_ref().map(|text| format!("{} could not be asked: {text}; {rest}", self.url));
        match (kept, self.embedded) {
            (Ok(target), _) => {
                let date = fetched.map(day).unwrap_or_default();
                self.cached(target, fetched, asked(format!("what it said on {date} is used")))
            }
            (Err(_), Some((text, date))) => Obtained {
                origin: RootOrigin::Embedded,
                dated: Some(date),
                content: Ok(Arc::from(text.as_bytes())),
                warning: asked(format!("the copy of {} inside this program is used", day(date)))
                    .map(|text| escape_control(&text).into_owned()),
            },
            (Err(reason), None) => {
                let kept = if nothing_kept { reason } else { format!("what it said earlier cannot be used: {reason}") };
                let text = match trouble {
                    Some(text) => {
                        format!("{} could not be asked: {text}; {kept}. Make it reachable, or name a trusted_root.json as `file`", self.url)
                    }
                    None => format!(
                        "{} is not asked offline, and {kept}. Run once with access to it, or name a trusted_root.json as `file`",
                        self.url
                    ),
                };
                Obtained::failed(RootOrigin::TufCache { url: self.url.clone() }, &text)
            }
        }
    }

    fn cached(&self, target: Vec<u8>, fetched: Option<Timestamp>, warning: Option<String>) -> Obtained {
        Obtained {
            origin: RootOrigin::TufCache { url: self.url.clone() },
            dated: fetched,
            content: Ok(Arc::from(target)),
            warning: warning.map(|text| escape_control(&text).into_owned()),
        }
    }
}

/// Why a repository said nothing.
enum Trouble {
    /// It was asked a moment ago, and is left alone.
    Earlier(String),
    /// It was asked now.
    Now(String),
}

/// Whether something in the past is as recent as that.
fn within(then: Timestamp, now: Timestamp, length: jiff::SignedDuration) -> bool {
    then <= now && now.duration_since(then) < length
}

fn write(shelf: Option<&Shelf>, kept: &Kept) {
    if let Some(shelf) = shelf {
        shelf.write(kept);
    }
}

/// A repository's answer may be in it.
fn shortened(text: &str) -> String {
    const MOST: usize = 400;
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(MOST).collect();
    if letters.next().is_some() { format!("{short}…") } else { short }
}
