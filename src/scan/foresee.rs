//! What a scan would ask first, without asking it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::gather::{Answers, Gathered, gather};
use super::task::{DeclaredPlaces, ExtraPlace, ImageTask};
use crate::model::{Answer, Ask, Digest, Needs, Place, Question};

/// What would be asked of one place, before any answer is known. What is found leads to more: two requests for each piece of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Repositories (or files) asked.
    pub places: BTreeSet<String>,
    /// Whether a manifest is there, or where a tag leads.
    pub manifests: u64,
    /// What refers to a digest.
    pub referrers: u64,
    /// Everything else.
    pub others: u64,
}

/// The first questions of a scan, and every host at which a policy says that evidence lies, by registry host (or by name of a layout or file). Each question is counted once.
#[must_use]
pub fn foresee(tasks: &BTreeMap<ImageTask, DeclaredPlaces>, needs: Needs) -> BTreeMap<String, Foreseen> {
    let mut questions: BTreeSet<Question> = BTreeSet::new();
    for (task, places) in tasks {
        if let Gathered::Wanted(wanted) = gather(task, needs, places, &Nothing) {
            questions.extend(wanted);
        }
    }
    let mut foreseen: BTreeMap<String, Foreseen> = BTreeMap::new();
    if needs.signatures || !needs.attestations.is_empty() {
        // Where a tag has to be resolved first, other hosts are asked only after that; they are named all the same.
        for extra in tasks.values().flat_map(|places| &places.extra) {
            let place = match extra {
                ExtraPlace::Repository(repository) => Place::Repository(repository.clone()),
                ExtraPlace::Github(store) => Place::Github(store.clone()),
                ExtraPlace::Layout(_) | ExtraPlace::Bundles(_) | ExtraPlace::Unusable { .. } => continue,
            };
            foreseen.entry(host(&place)).or_default().places.insert(place.to_string());
        }
    }
    for question in questions {
        let at_host = foreseen.entry(host(&question.place)).or_default();
        at_host.places.insert(question.place.to_string());
        match question.ask {
            Ask::Tag(_) | Ask::Manifest(_) => at_host.manifests += 1,
            Ask::Referrers(_) => at_host.referrers += 1,
            Ask::Content(_) | Ask::Blob(_) | Ask::Readable => at_host.others += 1,
        }
    }
    foreseen
}

fn host(place: &Place) -> String {
    match place {
        Place::Repository(repository) => repository.registry().to_owned(),
        Place::Github(store) => store.host().to_owned(),
        other => other.to_string(),
    }
}

struct Nothing;

impl Answers for Nothing {
    fn answer(&self, _: &Question) -> Option<Arc<Answer>> {
        None
    }

    fn blob(&self, _: &Digest) -> Option<Bytes> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CredentialIdentity, RunningImage};

    #[test]
    fn the_first_questions_are_counted_by_host() {
        let task = |reference: &str| {
            let running = RunningImage::Manifest(Digest::from_sha256([1; 32]));
            (ImageTask::in_registry(reference.parse().unwrap(), running, CredentialIdentity::default()), DeclaredPlaces::default())
        };
        let tasks = BTreeMap::from([task("a.io/x:1"), task("a.io/x:2"), task("a.io/y:1"), task("b.io/x:1")]);
        let foreseen = foresee(&tasks, Needs { subject: true, tag: false, signatures: true, verification: false, ..Needs::default() });
        let counts: Vec<_> = foreseen.iter().map(|(host, at)| (host.as_str(), at.places.len(), at.manifests, at.referrers)).collect();
        assert_eq!(counts, [("a.io", 2, 4, 2), ("b.io", 1, 2, 1)]);
        assert!(foresee(&tasks, Needs::default()).is_empty());
    }
}
