//! Lists, one page at a time: a page is decoded, folded and dropped before the next is asked for.
//!
//! Without `resourceVersion` the first page is the most recent state and the following ones belong to it; `resourceVersion=0` would
//! spare etcd, but the server then ignores `limit`, and a whole list at once is what must not be held.

use http::StatusCode;

use crate::model::Cause;

use super::kinds::encode;
use super::request::{Accept, Api, RequestError, unreadable};

/// How often a list is started again because its state was compacted away under it.
const RESTARTS: u32 = 2;
/// Most pages of one list.
const MOST_PAGES: u32 = 100_000;

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageEnd {
    /// Token of the next page.
    pub(super) next: Option<String>,
    /// Objects in this one.
    pub(super) objects: u64,
}

/// Folds pages.
pub(super) trait Fold {
    /// Folds one page in.
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error>;
    /// Forgets everything: the list starts again.
    fn restart(&mut self);
}

/// How a list ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListEnd {
    /// All of it was read.
    Whole,
    /// It broke off; what was folded until then stays.
    Broken(RequestError),
}

/// Reads a list to its end.
pub(super) async fn read(
    api: &Api,
    path: &str,
    accept: Accept,
    page_size: u32,
    fold: &mut impl Fold,
    listed: &(dyn Fn(u64) + Sync),
) -> ListEnd {
    let mut token: Option<String> = None;
    let mut restarts = 0;
    // What was told already is not told again when the list starts anew.
    let (mut read, mut told) = (0, 0);
    for _ in 0..MOST_PAGES {
        let query = match &token {
            None => format!("{path}?limit={page_size}"),
            Some(token) => format!("{path}?limit={page_size}&continue={}", encode(token)),
        };
        match api.get(&query, accept).await {
            Ok(body) => match fold.page(&body) {
                Err(error) => return ListEnd::Broken(unreadable(path, &error)),
                Ok(end) => {
                    read += end.objects;
                    if read > told {
                        listed(read - told);
                        told = read;
                    }
                    match end.next {
                        None => return ListEnd::Whole,
                        next if next == token => {
                            return ListEnd::Broken(RequestError::new(
                                Cause::InvalidResponse,
                                format!("the list of {path} leads to itself"),
                            ));
                        }
                        next => token = next,
                    }
                }
            },
            Err(error) if error.is(StatusCode::GONE) && token.is_some() => {
                if restarts < RESTARTS {
                    restarts += 1;
                    token = None;
                    read = 0;
                    fold.restart();
                } else if let Some(next) = error.continue_token.clone().filter(|next| Some(next) != token.as_ref()) {
                    // The server goes on after the last key, with the state of now: nothing twice, and nothing that was there throughout is missing.
                    token = Some(next);
                } else {
                    return ListEnd::Broken(error);
                }
            }
            // Every Kubernetes has the lists that are asked for: what says that it has not is something else, older, or hides them.
            Err(error) if error.is(StatusCode::NOT_FOUND) => {
                return ListEnd::Broken(RequestError::new(
                    Cause::InvalidResponse,
                    format!("the server answers that there is no {path}; is it a Kubernetes API server of a supported version?"),
                ));
            }
            Err(error) => return ListEnd::Broken(error),
        }
    }
    ListEnd::Broken(RequestError::new(Cause::Budget, format!("the list of {path} has more than {MOST_PAGES} pages")))
}
