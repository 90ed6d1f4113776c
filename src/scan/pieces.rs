//! Reading the pieces of evidence that were found: manifests, their layers, and the statements in them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::gather::Inquiry;
use super::search::{About, Beside, Found, Search};
use super::subject::first;
use crate::model::{
    Algorithm, Answer, Ask, Cause, Descriptor, Digest, Link, Manifest, Outcome, Place, PredicateKind, Relation, SIGNATURE_TYPE, Statement,
    StatementFormat, StatementSource, UnknownAnswer,
};
use crate::verify;

/// Pieces of evidence that are read beside one digest in one place.
const MOST_PIECES: usize = 1_000;
/// Digests of others that a finding names.
const OTHERS_SHOWN: usize = 3;
/// Artifact type (or, in older manifests, configuration type) of a Notation signature.
const NOTATION: &str = "application/vnd.cncf.notary.signature";
/// Annotation of a layer in which BuildKit says the predicate type: decides what is fetched, and nothing else.
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";

/// A manifest that may hold evidence, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) manifest: Digest,
    pub(super) source: StatementSource,
    pub(super) about: About,
    /// Whether all that it holds is a bill of materials, as cosign's tag for those says.
    pub(super) is_bill: bool,
}

impl Holder {
    /// One that may hold anything.
    pub(super) fn of(manifest: Digest, source: StatementSource) -> Self {
        Self { manifest, source, about: About::Everything, is_bill: false }
    }

    /// One that lies inside an index, where nobody signs.
    pub(super) fn inside(manifest: Digest, source: StatementSource) -> Self {
        Self { about: About::Attestations, ..Self::of(manifest, source) }
    }
}

/// Where a piece of evidence is, before it is read.
struct Piece {
    source: StatementSource,
    manifest: Option<Digest>,
    layer: Link,
    about: About,
}

impl Inquiry<'_> {
    /// Reads all that manifests hold, as far as it is at hand.
    pub(super) fn read_holders(&mut self, place: &Place, beside: Beside<'_>, mut holders: Vec<Holder>, search: &mut Search) -> Option<()> {
        let mut seen = BTreeSet::new();
        holders.retain(|holder| seen.insert(holder.manifest.clone()));
        if let Some(about) = left_out(holders.iter().map(|holder| holder.about)) {
            let detail = format!("{} pieces of evidence beside {} in {place}; {MOST_PIECES} were read", holders.len(), beside.digest);
            search.doubt(about, UnknownAnswer { cause: Cause::Budget, detail });
            holders.truncate(MOST_PIECES);
        }
        let contents: Vec<_> = holders.iter().map(|holder| self.ask(place, Ask::Content(holder.manifest.clone()))).collect();
        let mut pieces = Vec::new();
        let mut waiting = false;
        for (holder, content) in holders.iter().zip(contents) {
            match content {
                None => waiting = true,
                Some(content) => pieces.extend(self.open(place, beside, holder, &content, search)),
            }
        }
        let read = self.read_pieces(place, beside, pieces, search);
        if waiting { None } else { read }
    }

    /// Opens a manifest of evidence: which of its layers may hold statements.
    fn open(&self, place: &Place, beside: Beside<'_>, holder: &Holder, content: &Answer, search: &mut Search) -> Vec<Piece> {
        let Holder { manifest, source, about, .. } = holder;
        search.saw(content, *about);
        let unanswered = |cause, detail: String| UnknownAnswer { cause, detail };
        match first(content) {
            Err(_) => return Vec::new(),
            Ok(None) => {
                let detail = format!("{place} lists {manifest} as evidence and does not have it");
                search.doubt(*about, unanswered(Cause::InvalidResponse, detail));
                return Vec::new();
            }
            Ok(Some(_)) => {}
        }
        let Some(bytes) = self.blob(manifest) else {
            search.doubt(*about, unanswered(Cause::NotCaptured, format!("the bytes of {manifest} are not at hand")));
            return Vec::new();
        };
        let without_bytes = |format, relation, content: &Digest| Found {
            statement: Statement {
                format,
                source: *source,
                place: place.to_string(),
                carrier: beside.carrier.clone(),
                relation,
                manifest: Some(manifest.clone()),
                content: content.clone(),
                annotations: None,
                proofs: std::sync::Arc::default(),
                proofs_left_out: 0,
                attested: None,
            },
            signed: None,
        };
        let unsupported = |media_type: &str| StatementFormat::Unsupported { media_type: media_type.to_owned() };
        let (layers, subject, is_notation) = match Manifest::parse(&bytes) {
            Err(error) => {
                search.found.push(without_bytes(unsupported("manifest"), Relation::Malformed(error.to_string()), manifest));
                return Vec::new();
            }
            // No client that signs writes one; but what is in it was not looked at.
            Ok(Manifest::Index(_)) => {
                let detail = format!("{manifest} in {place} is listed as evidence and is an index; what is in it was not read");
                search.warnings.push(detail.clone());
                search.doubt(*about, unanswered(Cause::UnsupportedFormat, detail));
                return Vec::new();
            }
            Ok(Manifest::Image(image)) => {
                let image = *image;
                let is_notation = image.artifact_type.as_deref() == Some(NOTATION) || image.config.media_type == NOTATION;
                (image.layers, image.subject, is_notation)
            }
            Ok(Manifest::Artifact(artifact)) => {
                let artifact = *artifact;
                (artifact.blobs, artifact.subject, artifact.artifact_type.as_deref() == Some(NOTATION))
            }
        };
        // A list may claim anything; the manifest itself says what it refers to.
        let refers = match &subject {
            Some(subject) if subject.digest == *beside.digest => Relation::Names,
            subject => Relation::NamesOthers(subject.iter().map(|subject| subject.digest.clone()).collect()),
        };
        if beside.looking.attestations.contains(PredicateKind::Sbom) {
            // By cosign's tag it is named by the tag alone.
            let relation = if holder.is_bill { Relation::Names } else { refers.clone() };
            let bills = layers.iter().filter(|layer| verify::is_attached_bill(&layer.media_type));
            let attached = |layer: &Link| StatementFormat::Attached { media_type: layer.media_type.clone() };
            search.found.extend(bills.map(|layer| without_bytes(attached(layer), relation.clone(), &layer.digest)));
        }
        let piece = |layer| Piece { source: *source, manifest: Some(manifest.clone()), layer, about: *about };
        let pieces: Vec<_> = layers.into_iter().filter(|layer| is_wanted(layer, beside)).map(piece).collect();
        if pieces.is_empty() && is_notation {
            // Its envelope is not understood; what its manifest refers to is.
            search.found.push(without_bytes(unsupported(NOTATION), refers, manifest));
        }
        pieces
    }

    /// Reads the bytes of the pieces.
    fn read_pieces(&mut self, place: &Place, beside: Beside<'_>, mut pieces: Vec<Piece>, search: &mut Search) -> Option<()> {
        if let Some(about) = left_out(pieces.iter().map(|piece| piece.about)) {
            let detail = format!("{} statements beside {} in {place}; {MOST_PIECES} were read", pieces.len(), beside.digest);
            search.doubt(about, UnknownAnswer { cause: Cause::Budget, detail });
            pieces.truncate(MOST_PIECES);
        }
        let blobs: Vec<_> = pieces.iter().map(|piece| self.ask(place, Ask::Blob(piece.layer.digest.clone()))).collect();
        let mut waiting = false;
        for (piece, answer) in pieces.into_iter().zip(blobs) {
            let Some(answer) = answer else {
                waiting = true;
                continue;
            };
            search.saw(&answer, piece.about);
            match (first(&answer), self.blob(&piece.layer.digest)) {
                (Err(_), _) => {}
                (Ok(None), _) => {
                    let detail = format!("{place} lists {} as evidence and does not have it", piece.layer.digest);
                    search.doubt(piece.about, UnknownAnswer { cause: Cause::InvalidResponse, detail });
                }
                (Ok(Some(_)), None) => {
                    let detail = format!("the bytes of {} are not at hand", piece.layer.digest);
                    search.doubt(piece.about, UnknownAnswer { cause: Cause::NotCaptured, detail });
                }
                (Ok(Some(_)), Some(bytes)) => search.found.push(self.read_statement(place, beside, piece, bytes)),
            }
        }
        (!waiting).then_some(())
    }

    /// Looks where bundles are kept by the digest that they are about: in a file or directory, or in GitHub's store.
    pub(super) fn search_bundles(&mut self, place: &Place, source: StatementSource, beside: Beside<'_>) -> Option<Search> {
        let answer = self.ask(place, Ask::Referrers(beside.digest.clone()))?;
        let mut search = Search::default();
        search.saw(&answer, About::Everything);
        let Outcome::Found(descriptors) = &answer.outcome else { return Some(search) };
        let pieces = in_order(descriptors)
            .map(|found| Piece {
                source,
                manifest: None,
                layer: Link {
                    media_type: found.media_type.clone(),
                    digest: found.digest.clone(),
                    size: found.size,
                    artifact_type: None,
                    annotations: None,
                },
                about: About::Everything,
            })
            .collect();
        self.read_pieces(place, beside, pieces, &mut search)?;
        Some(search)
    }

    /// Reads a statement. Of the digests of others only some are kept; the judged one always, wherever the statement lies.
    fn read_statement(&self, place: &Place, beside: Beside<'_>, piece: Piece, bytes: Bytes) -> Found {
        let others = |mut subjects: Vec<Digest>| {
            subjects.sort_by_key(|subject| self.judged.as_ref() != Some(subject));
            subjects.truncate(OTHERS_SHOWN);
            subjects
        };
        let (format, relation) = match verify::read(&piece.layer, &bytes) {
            Ok(read) if read.names(beside.digest) => (read.format, Relation::Names),
            Ok(read) => (read.format, Relation::NamesOthers(others(read.subjects))),
            Err(malformed) => {
                (StatementFormat::Unsupported { media_type: piece.layer.media_type.clone() }, Relation::Malformed(malformed.0))
            }
        };
        let can_be_read = !matches!(relation, Relation::Malformed(_));
        let statement = Statement {
            format,
            source: piece.source,
            place: place.to_string(),
            carrier: beside.carrier.clone(),
            relation,
            manifest: piece.manifest,
            content: piece.layer.digest.clone(),
            annotations: digest_of(piece.layer.annotations.as_ref()),
            proofs: std::sync::Arc::default(),
            proofs_left_out: 0,
            attested: None,
        };
        Found { statement, signed: can_be_read.then_some((piece.layer, bytes)) }
    }
}

/// Whether the bytes of a layer are wanted: all that may be signed, and of what nobody signed only the kinds that are looked for.
fn is_wanted(layer: &Link, beside: Beside<'_>) -> bool {
    if verify::is_statement(&layer.media_type) {
        return true;
    }
    let wanted = beside.looking.attestations;
    let says = layer.annotation(PREDICATE_TYPE).map(PredicateKind::of);
    verify::is_unsigned_statement(&layer.media_type) && says.map_or(!wanted.is_empty(), |kind| wanted.contains(kind))
}

/// About what something is left out, where there are more pieces than are read.
fn left_out(pieces: impl Iterator<Item = About>) -> Option<About> {
    let mut rest = pieces.skip(MOST_PIECES).peekable();
    rest.peek()?;
    Some(if rest.any(|about| about == About::Everything) { About::Everything } else { About::Attestations })
}

/// One digest over a layer's annotations, whatever their order.
fn digest_of(annotations: Option<&BTreeMap<String, String>>) -> Option<Digest> {
    let annotations = annotations.filter(|annotations| !annotations.is_empty())?;
    // Lengths before texts, so that no two sets of annotations are written alike.
    let mut written = Vec::new();
    for text in annotations.iter().flat_map(|(name, value)| [name, value]) {
        written.extend(text.len().to_be_bytes());
        written.extend(text.as_bytes());
    }
    Some(Digest::of(Algorithm::Sha256, &written))
}

/// Those that say they are signatures first: the hint is not believed, it only decides what is read before a budget ends.
pub(super) fn in_order(descriptors: &[Descriptor]) -> impl Iterator<Item = &Descriptor> {
    let says_signature = |descriptor: &&Descriptor| {
        descriptor.artifact_type.as_deref() == Some(NOTATION)
            || descriptor.annotations.get("dev.sigstore.bundle.predicateType").is_some_and(|kind| kind == SIGNATURE_TYPE)
    };
    descriptors.iter().filter(says_signature).chain(descriptors.iter().filter(move |descriptor| !says_signature(descriptor)))
}
