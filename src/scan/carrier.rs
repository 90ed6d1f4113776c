//! Evidence that does not lie beside the running digest itself: beside the index above it, or beside the children below it.

use super::gather::Inquiry;
use super::pieces::Holder;
use super::search::{Beside, Finds, Looking, Search};
use super::subject::first;
use super::task::DeclaredPlaces;
use crate::model::{
    Ask, Carrier, Cause, ChildSignatures, Digest, ImageIndex, IndexAbove, Manifest, ManifestPresence, PlaceOutcome, PlaceRecord,
    PredicateKinds, StatementSource, UnknownAnswer, is_index,
};

/// Children of a running index that are looked at.
const MOST_CHILDREN: usize = 32;
/// Marks manifests inside an index that are no images (BuildKit's attestations).
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// In such an entry of an index: the digest of the platform manifest that it is about.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
const ATTESTATION_MANIFEST: &str = "attestation-manifest";

impl Inquiry<'_> {
    /// Looks beside the index that the reference leads to, if it lists the running manifest.
    ///
    /// A running digest that is an index itself was named at the top level when it was pulled: nothing can be above it.
    pub(super) fn look_at_index(&mut self, running: &Digest, places: &DeclaredPlaces, signatures: &mut Finds) -> Option<()> {
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
                self.look_inside(&index, running, &Carrier::Itself, signatures)?;
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
                let looking = Looking { signatures: true, attestations: PredicateKinds::NONE };
                let search = self.search(&home, Beside { digest: &child.digest, carrier: &Carrier::Itself, looking }, &[]);
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

    /// Looks at the platform manifests of a running index: at attestations that nobody signed, which lie inside the index, and, where the
    /// index itself lacks a wanted kind, at what lies beside them. Their digests, where an index runs.
    pub(super) fn look_at_platforms(
        &mut self,
        running: &Digest,
        presence: &ManifestPresence,
        places: &DeclaredPlaces,
        finds: &mut Finds,
    ) -> Option<Vec<Digest>> {
        match presence {
            ManifestPresence::Seen { media_type, .. } if is_index(media_type) => {}
            _ => return Some(Vec::new()),
        }
        let index = match self.content(running)? {
            Ok(Manifest::Index(index)) => index,
            Ok(_) => return Some(Vec::new()),
            Err(unknown) => {
                self.doubt_attestations(unknown, finds);
                return Some(Vec::new());
            }
        };
        let mut platforms = Vec::new();
        for child in index.manifests.iter().filter(|child| child.annotation(REFERENCE_TYPE).is_none() && child.digest != *running) {
            if !platforms.contains(&child.digest) {
                platforms.push(child.digest.clone());
            }
        }
        if platforms.len() > MOST_CHILDREN {
            let detail = format!("the index lists {} platform manifests; {MOST_CHILDREN} were looked at", platforms.len());
            self.doubt_attestations(UnknownAnswer { cause: Cause::Budget, detail }, finds);
        }
        let looked_at = platforms.iter().take(MOST_CHILDREN);
        let beside_them = finds.without_signed(self.needs.attestations);
        // All are begun before any is waited for.
        let searches: Vec<_> = looked_at
            .map(|platform| {
                let carrier = Carrier::Platform(platform.clone());
                let mut found = Finds::default();
                let inside = self.look_inside(&index, platform, &carrier, &mut found);
                let beside = if beside_them { Some(self.search_everywhere(platform, &carrier, places)) } else { None };
                (found, inside, beside)
            })
            .collect();
        for (found, inside, beside) in searches {
            inside?;
            finds.merge(found);
            if let Some(beside) = beside {
                finds.merge(beside?);
            }
        }
        Some(platforms)
    }

    /// Reads the attestations that an index lists about one of its platform manifests.
    fn look_inside(&mut self, index: &ImageIndex, platform: &Digest, carrier: &Carrier, finds: &mut Finds) -> Option<()> {
        let about = platform.to_string();
        let is_about = |entry: &&crate::model::Link| {
            entry.annotation(REFERENCE_TYPE) == Some(ATTESTATION_MANIFEST) && entry.annotation(REFERENCE_DIGEST) == Some(about.as_str())
        };
        let entries = index.manifests.iter().filter(is_about);
        let holders: Vec<_> = entries.map(|entry| Holder::inside(entry.digest.clone(), StatementSource::IndexEntry)).collect();
        if holders.is_empty() || self.needs.attestations.is_empty() {
            return Some(());
        }
        let home = self.task.home.clone();
        let looking = Looking { signatures: false, attestations: self.needs.attestations };
        let mut search = Search::default();
        self.read_holders(&home, Beside { digest: platform, carrier, looking }, holders, &mut search)?;
        finds.take(home.to_string(), search.of_platform(), true);
        Some(())
    }

    fn doubt_attestations(&self, unknown: UnknownAnswer, finds: &mut Finds) {
        finds.note(PlaceRecord {
            place: self.task.home.to_string(),
            outcome: PlaceOutcome::Looked(0),
            attestations: Some(unknown),
            observed: None,
        });
    }
}
