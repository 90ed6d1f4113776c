//! Which attestations there are about a digest: pages by `Link`.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Asking;
use super::standing::Standing;
use crate::model::{Cause, Digest, GithubScope, UnknownAnswer};
use crate::registry::error::{failure, shown};
use crate::registry::link;
use crate::registry::referrers::next_page;

/// Attestations of one digest that are read; more than is read of one place anyway.
const MOST_ATTESTATIONS: usize = 1_000;
/// Attestations of one page, the most that GitHub gives.
const PER_PAGE: usize = 100;
/// Pages of one digest: a server may give less on a page than it was asked for.
const MOST_PAGES: usize = 50;

/// What a store lists about a digest.
pub(super) enum Listed {
    /// 404.
    NotFound,
    /// What it lists; perhaps nothing.
    Attestations(Vec<Entry>),
}

#[derive(Deserialize)]
struct Page {
    attestations: Vec<Entry>,
}

/// One attestation: its bundle, or where that is.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) bundle: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) bundle_url: Option<String>,
}

impl Asking<'_> {
    pub(super) async fn list(&self, digest: &Digest) -> Result<Listed, UnknownAnswer> {
        let path = match self.store.scope() {
            GithubScope::Repository(repository) => format!("repos/{repository}"),
            // Each answers 404 for the other kind of owner.
            GithubScope::Owner(owner) => match self.standing().await? {
                Standing::Hidden => return Err(failure(Cause::EvidenceLocationIncomplete, self.hidden())),
                Standing::Organisation => format!("orgs/{owner}"),
                _ => format!("users/{owner}"),
            },
        };
        let mut url = self.url(&format!("{path}/attestations/{digest}?per_page={PER_PAGE}"))?;
        let mut visited: HashSet<String> = HashSet::new();
        let mut listed: Vec<Entry> = Vec::new();
        loop {
            let invalid = |what: &str| failure(Cause::InvalidResponse, format!("{} {what}", shown(&url)));
            if visited.len() >= MOST_PAGES {
                return Err(failure(Cause::TooLarge, format!("{} has more than {MOST_PAGES} pages", shown(&url))));
            }
            if !visited.insert(url.as_str().to_owned()) {
                return Err(invalid("leads back to an earlier page"));
            }
            let first = visited.len() == 1;
            let reply = self.get(&url, self.client.options.limits.referrers_page).await?;
            match reply.status.as_u16() {
                200 => {}
                404 if first => return Ok(Listed::NotFound),
                404 => return Err(invalid("is a page that an earlier one leads to, and is not there")),
                _ => return Err(self.refusal(&reply)),
            }
            let page: Page = serde_json::from_slice(&reply.body).map_err(|_| invalid("gives no list of attestations"))?;
            let none = page.attestations.is_empty();
            listed.extend(page.attestations);
            if listed.len() > MOST_ATTESTATIONS {
                return Err(failure(Cause::TooLarge, format!("{} lists more than {MOST_ATTESTATIONS} attestations", shown(&url))));
            }
            match link::next(&reply.headers).map_err(|link::Unreadable| invalid("leads to a next page whose address cannot be read"))? {
                None => return Ok(Listed::Attestations(listed)),
                Some(_) if none => return Err(invalid("leads from an empty page to the next")),
                Some(next) => url = next_page(&reply.url, &next)?,
            }
        }
    }
}
