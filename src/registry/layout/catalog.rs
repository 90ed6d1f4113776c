//! What a layout lists: names, roles, and what refers to what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::wire::{Listed, Wire};
use super::{Blobs, missing};
use crate::model::{
    Algorithm, Ask, Cause, CosignTag, Descriptor, Digest, ImageReference, OCI_INDEX, OCI_MANIFEST, Outcome, UnknownAnswer, is_index,
};
use crate::registry::disk::MANIFEST_LIMIT;

/// The annotation that names a manifest in `index.json`.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which `cosign save` says what a manifest is.
const KIND: &str = "kind";
/// Most manifests that are read.
const MOST_ENTRIES: usize = 100_000;
/// Most bytes of manifests that are read.
const MOST_BYTES: u64 = 256 << 20;
/// Most descriptors that wait to be looked at; an index of 4 MiB lists tens of thousands, and may be listed by another.
const MOST_WAITING: usize = 1_000_000;
/// How deep indexes are followed below `index.json`.
const DEEPEST: u32 = 8;

/// What `cosign save` says that an entry of `index.json` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It says nothing.
    Plain,
    /// An image or image index.
    Image,
    /// What the given tag beside the image would hold.
    Beside(CosignTag),
    /// Something else of cosign's.
    Other,
}

impl Role {
    fn of(listed: &Listed) -> Self {
        match listed.annotation(KIND).and_then(|kind| kind.strip_prefix("dev.cosignproject.cosign/")) {
            None => Self::Plain,
            Some("image" | "imageIndex") => Self::Image,
            Some("sigs") => Self::Beside(CosignTag::Signature),
            Some("atts") => Self::Beside(CosignTag::Attestation),
            Some(_) => Self::Other,
        }
    }
}

/// An entry of `index.json`.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) name: Option<String>,
    pub(super) role: Role,
    pub(super) digest: Digest,
}

/// What is known of a listed manifest.
#[derive(Debug)]
pub(super) enum State {
    /// It was read: what it refers to, and what it lists where it is an index.
    Read { subject: Option<Digest>, lists: Option<Vec<Digest>> },
    /// Its bytes match their digest and are no JSON object, so that it refers to nothing.
    Malformed,
    /// It could not be read.
    Unknown(UnknownAnswer),
}

/// A listed manifest.
#[derive(Debug)]
pub(super) struct Entry {
    descriptor: Descriptor,
    pub(super) state: State,
    /// Whether it could refer to something, as far as its descriptors tell.
    may_refer: bool,
}

/// What a layout lists.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) top: Vec<Top>,
    pub(super) entries: BTreeMap<Digest, Entry>,
    referrers: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Set when there is more than is read.
    cut: Option<UnknownAnswer>,
}

impl Catalog {
    /// Reads every manifest that is listed, breadth first.
    pub(super) fn of(index: Vec<Listed>, blobs: &Blobs) -> Self {
        let top = index.iter().map(|listed| Top {
            name: listed.annotation(REF_NAME).map(str::to_owned),
            role: Role::of(listed),
            digest: listed.digest.clone(),
        });
        let mut catalog = Self { top: top.collect(), entries: BTreeMap::new(), referrers: BTreeMap::new(), cut: None };
        let mut bytes_left = MOST_BYTES;
        let mut next: VecDeque<(Listed, u32)> = index.into_iter().map(|listed| (listed, 0)).collect();
        while let Some((listed, depth)) = next.pop_front() {
            let may_refer = !listed.is_platform() && Role::of(&listed) == Role::Plain;
            if let Some(known) = catalog.entries.get_mut(&listed.digest) {
                known.may_refer &= may_refer;
                continue;
            }
            if catalog.entries.len() == MOST_ENTRIES || bytes_left == 0 {
                catalog.cut(format!("the layout lists more than {MOST_ENTRIES} manifests, or more than {MOST_BYTES} bytes of them"));
                break;
            }
            let (entry, children) = read_entry(listed, blobs, may_refer, &mut bytes_left);
            if let State::Read { subject: Some(subject), .. } = &entry.state {
                catalog.referrers.entry(subject.clone()).or_default().insert(entry.descriptor.digest.clone());
            }
            catalog.entries.insert(entry.descriptor.digest.clone(), entry);
            if next.len() + children.len() > MOST_WAITING {
                catalog.cut(format!("indexes in the layout list more than {MOST_WAITING} manifests"));
            } else if depth < DEEPEST {
                next.extend(children.into_iter().map(|child| (child, depth + 1)));
            } else if !children.is_empty() {
                catalog.cut(format!("indexes in the layout lie more than {DEEPEST} deep"));
            }
        }
        catalog
    }

    fn cut(&mut self, detail: String) {
        self.cut.get_or_insert(UnknownAnswer { cause: Cause::Budget, detail });
    }

    /// The descriptor of a listed manifest.
    pub(super) fn descriptor(&self, digest: &Digest) -> Descriptor {
        let listed = self.entries.get(digest).map(|entry| entry.descriptor.clone());
        listed.unwrap_or_else(|| super::bare(digest, OCI_MANIFEST, 0))
    }

    /// What a tag leads to.
    ///
    /// # Errors
    /// When the layout names several manifests by it, or does not say which.
    pub(super) fn tagged(&self, tag: &str) -> Result<Option<Digest>, UnknownAnswer> {
        let mut found = self.bearing(tag);
        found.extend(self.beside(tag)?);
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (first, None) => Ok(first.cloned()),
            (_, Some(_)) => Err(ambiguous(format!("the layout names several manifests {tag}"))),
        }
    }

    /// What bears a tag as its name, or else in its name.
    fn bearing(&self, tag: &str) -> BTreeSet<&Digest> {
        let found = self.named(|name| name == tag);
        if !found.is_empty() {
            return found;
        }
        self.named(|name| name.parse::<ImageReference>().is_ok_and(|name| name.tag() == Some(tag)))
    }

    fn named(&self, is_it: impl Fn(&str) -> bool) -> BTreeSet<&Digest> {
        self.top.iter().filter(|entry| entry.name.as_deref().is_some_and(&is_it)).map(|entry| &entry.digest).collect()
    }

    /// What `cosign save` put where the tag beside an image was.
    fn beside(&self, tag: &str) -> Result<BTreeSet<&Digest>, UnknownAnswer> {
        let images: Vec<&Top> = self.top.iter().filter(|entry| entry.role == Role::Image).collect();
        let kinds = [CosignTag::Signature, CosignTag::Attestation];
        let asked = images
            .iter()
            .find_map(|image| kinds.into_iter().find(|kind| kind.beside(&image.digest) == tag).map(|kind| (&image.digest, kind)));
        let Some((image, kind)) = asked else { return Ok(BTreeSet::new()) };
        let pieces: Vec<&Top> = self.top.iter().filter(|entry| entry.role == Role::Beside(kind)).collect();
        if images.iter().all(|other| other.digest == *image) {
            return Ok(pieces.into_iter().map(|piece| &piece.digest).collect());
        }
        // Several images: only a name that one image alone bears tells which piece is whose.
        let owner = |piece: &Top| {
            let name = piece.name.as_ref()?;
            let owners: BTreeSet<_> = images.iter().filter(|image| image.name.as_ref() == Some(name)).map(|image| &image.digest).collect();
            (owners.len() == 1).then(|| owners.into_iter().next()).flatten()
        };
        if pieces.iter().any(|piece| owner(piece).is_none()) {
            return Err(ambiguous(format!("the layout holds several images and does not say to which the content of {tag} belongs")));
        }
        Ok(pieces.into_iter().filter(|piece| owner(piece) == Some(image)).map(|piece| &piece.digest).collect())
    }

    /// What refers to a digest: what the fallback index lists, and every listed manifest that says so itself.
    pub(super) fn referrers(&self, digest: &Digest) -> Outcome {
        let mut found: BTreeSet<&Digest> = self.referrers.get(digest).into_iter().flatten().collect();
        for fallback in self.bearing(&Ask::fallback_tag(digest)) {
            match self.entries.get(fallback).map(|entry| &entry.state) {
                Some(State::Read { lists: Some(lists), .. }) => found.extend(lists),
                Some(State::Unknown(unknown)) => return Outcome::Unknown(unknown.clone()),
                Some(State::Read { lists: None, .. } | State::Malformed) => {
                    let detail = format!("{fallback}, which the layout names as the list of referrers of {digest}, is no index");
                    return Outcome::Unknown(UnknownAnswer { cause: Cause::InvalidResponse, detail });
                }
                None => return Outcome::Unknown(missing(fallback)),
            }
        }
        if let Some(cut) = &self.cut {
            return Outcome::Unknown(cut.clone());
        }
        // A manifest that could not be read may refer to the digest. Listed among others it is found to be unreadable by whoever
        // opens it; alone it leaves the question open.
        let unread = self.entries.values().filter(|entry| entry.may_refer && entry.descriptor.digest != *digest);
        let unread = unread.filter_map(|entry| match &entry.state {
            State::Unknown(unknown) => Some((&entry.descriptor.digest, unknown)),
            _ => None,
        });
        let unread: Vec<_> = unread.collect();
        match unread.first() {
            Some((_, unknown)) if found.is_empty() => return Outcome::Unknown((*unknown).clone()),
            _ => found.extend(unread.iter().map(|(digest, _)| *digest)),
        }
        if found.is_empty() {
            return Outcome::Absent;
        }
        Outcome::Found(found.into_iter().map(|digest| self.descriptor(digest)).collect())
    }

    /// The images that are listed, without what is evidence about them.
    pub(super) fn images(&self) -> Vec<(Option<String>, Digest)> {
        let images = self.top.iter().filter(|entry| self.is_image(entry));
        let images: BTreeSet<_> = images.map(|entry| (entry.name.clone(), entry.digest.clone())).collect();
        images.into_iter().collect()
    }

    fn is_image(&self, entry: &Top) -> bool {
        let evidence_by_role = matches!(entry.role, Role::Beside(_) | Role::Other);
        let evidence_by_name = entry.name.as_deref().is_some_and(is_tag_of_evidence);
        let evidence_by_content = match self.entries.get(&entry.digest).map(|entry| &entry.state) {
            Some(State::Read { subject: Some(_), .. }) => true,
            // A fallback index that lost its name.
            Some(State::Read { lists: Some(lists), .. }) => !lists.is_empty() && lists.iter().all(|child| self.refers(child)),
            _ => false,
        };
        !(evidence_by_role || evidence_by_name || evidence_by_content)
    }

    fn refers(&self, digest: &Digest) -> bool {
        matches!(self.entries.get(digest).map(|entry| &entry.state), Some(State::Read { subject: Some(_), .. }))
    }
}

fn ambiguous(detail: String) -> UnknownAnswer {
    UnknownAnswer { cause: Cause::InvalidResponse, detail }
}

/// Whether a name is one of a tag scheme's: `sha256-<hex>`, alone or with one of cosign's suffixes.
fn is_tag_of_evidence(name: &str) -> bool {
    let tag = name.rsplit(':').next().unwrap_or(name);
    let stem = [".sig", ".att", ".sbom"].iter().find_map(|suffix| tag.strip_suffix(suffix)).unwrap_or(tag);
    let algorithms = [Algorithm::Sha256, Algorithm::Sha512];
    stem.split_once('-').is_some_and(|(algorithm, hex)| {
        algorithms.iter().any(|known| known.name() == algorithm) && format!("{algorithm}:{hex}").parse::<Digest>().is_ok()
    })
}

/// Reads a listed manifest, and what it lists itself.
fn read_entry(listed: Listed, blobs: &Blobs, may_refer: bool, bytes_left: &mut u64) -> (Entry, Vec<Listed>) {
    let mut descriptor = Descriptor {
        media_type: listed.media_type,
        digest: listed.digest,
        size: listed.size,
        artifact_type: listed.artifact_type,
        annotations: listed.annotations.unwrap_or_default(),
    };
    let bytes = match blobs.read(&descriptor.digest, MANIFEST_LIMIT) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let state = State::Unknown(missing(&descriptor.digest));
            return (Entry { descriptor, state, may_refer }, Vec::new());
        }
        Err(unknown) => return (Entry { descriptor, state: State::Unknown(unknown), may_refer }, Vec::new()),
    };
    *bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
    descriptor.size = bytes.len() as u64;
    let Some(wire) = Wire::read(&bytes) else {
        return (Entry { descriptor, state: State::Malformed, may_refer }, Vec::new());
    };
    // What the bytes say about themselves is bound to the digest; what lists them is not.
    let listed_fits = !descriptor.media_type.is_empty() && is_index(&descriptor.media_type) == wire.manifests.is_some();
    if let Some(media_type) = wire.media_type {
        descriptor.media_type = media_type;
    } else if !listed_fits {
        descriptor.media_type = if wire.manifests.is_some() { OCI_INDEX } else { OCI_MANIFEST }.to_owned();
    }
    let own_type = wire.artifact_type.or(wire.config.and_then(|config| config.media_type));
    descriptor.artifact_type = descriptor.artifact_type.or(own_type);
    for (name, value) in wire.annotations.unwrap_or_default() {
        descriptor.annotations.entry(name).or_insert(value);
    }
    let lists = wire.manifests.as_ref().map(|manifests| manifests.iter().map(|child| child.digest.clone()).collect());
    let state = State::Read { subject: wire.subject.map(|subject| subject.digest), lists };
    (Entry { descriptor, state, may_refer }, wire.manifests.unwrap_or_default())
}
