//! Evidence that does not lie beside the running digest itself: beside the index above it, or beside the children below it.

use super::gather::Inquiry;
use super::search::Signatures;
use super::subject::first;
use super::task::DeclaredPlaces;
use crate::model::{Ask, Carrier, ChildSignatures, Digest, IndexAbove, Manifest, ManifestPresence, PlaceOutcome, PlaceRecord, is_index};

/// Children of a running index that are looked at.
const MOST_CHILDREN: usize = 32;
/// Marks manifests inside an index that are no images (BuildKit's attestations).
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

impl Inquiry<'_> {
    /// Looks beside the index that the reference leads to, if it lists the running manifest.
    ///
    /// A running digest that is an index itself was named at the top level when it was pulled: nothing can be above it.
    pub(super) fn look_at_index(&mut self, running: &Digest, places: &DeclaredPlaces, signatures: &mut Signatures) -> Option<()> {
        let reference = &self.task.reference;
        let home = self.task.home.clone();
        let above = match (reference.digest(), reference.pulled_tag()) {
            (Some(pinned), _) => Ok(Some(pinned.clone())),
            (None, tag) => {
                let answer = self.ask(&home, Ask::Tag(tag.unwrap_or("latest").into()))?;
                first(&answer).map(|found| found.map(|descriptor| descriptor.digest.clone()))
            }
        };
        let above = match above {
            Ok(Some(above)) if above == *running => {
                signatures.index = IndexAbove::None;
                return Some(());
            }
            Ok(Some(above)) => self.content(&above)?.map(|content| (above, content)),
            Ok(None) => {
                signatures.index = self.unless_an_index_runs(running, IndexAbove::NotAtHand)?;
                return Some(());
            }
            Err(unknown) => Err(unknown),
        };
        match above {
            Ok((above, Manifest::Index(index))) if index.lists(running) => {
                let found = self.search_everywhere(&above, &Carrier::Index(above.clone()), places)?;
                signatures.merge(found);
                signatures.index = IndexAbove::Lists(above);
            }
            Ok(_) => signatures.index = self.unless_an_index_runs(running, IndexAbove::NotAtHand)?,
            Err(unknown) => {
                signatures.index = self.unless_an_index_runs(running, IndexAbove::Unknown(unknown.clone()))?;
                if signatures.index != IndexAbove::None {
                    signatures.note(PlaceRecord {
                        place: home.to_string(),
                        outcome: PlaceOutcome::Unknown(unknown),
                        attestations: None,
                        observed: None,
                    });
                }
            }
        }
        Some(())
    }

    fn unless_an_index_runs(&mut self, running: &Digest, above: IndexAbove) -> Option<IndexAbove> {
        Some(if self.runs_an_index(running)? { IndexAbove::None } else { above })
    }

    fn runs_an_index(&mut self, running: &Digest) -> Option<bool> {
        let presence = self.presence(running)?;
        Some(matches!(presence, ManifestPresence::Seen { media_type, .. } if is_index(&media_type)))
    }

    /// Signed children of a running index that is not signed itself.
    pub(super) fn children(&mut self, running: &Digest, presence: &ManifestPresence) -> Option<Vec<ChildSignatures>> {
        match presence {
            ManifestPresence::Seen { media_type, .. } if is_index(media_type) => {}
            _ => return Some(Vec::new()),
        }
        let Ok(Manifest::Index(index)) = self.content(running)? else { return Some(Vec::new()) };
        let home = self.task.home.clone();
        let children = index.manifests.into_iter().filter(|child| child.annotation(REFERENCE_TYPE).is_none() && child.digest != *running);
        let searches: Vec<_> = children
            .take(MOST_CHILDREN)
            .map(|child| {
                let search = self.search(&home, &child.digest, &Carrier::Itself, &[]);
                (child.digest, search)
            })
            .collect();
        let mut signed = Vec::new();
        for (child, search) in searches {
            let signatures = u32::try_from(search?.signatures()).unwrap_or(u32::MAX);
            if signatures > 0 {
                signed.push(ChildSignatures { child, signatures });
            }
        }
        Some(signed)
    }
}
