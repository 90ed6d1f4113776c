//! Looking for signatures beside one digest in one place, and in all declared places.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::gather::Inquiry;
use super::subject::first;
use super::task::{DeclaredPlaces, ExtraPlace};
use crate::model::{
    Algorithm, Answer, Ask, Carrier, Cause, CosignTag, Descriptor, Digest, IndexAbove, Link, Manifest, Outcome, Place, PlaceOutcome,
    PlaceRecord, Relation, Statement, StatementFormat, StatementSource, UnknownAnswer,
};
use crate::verify;

/// Pieces of evidence that are read beside one digest in one place.
const MOST_PIECES: usize = 1_000;
/// Digests of others that a finding names.
const OTHERS_SHOWN: usize = 3;
/// Artifact type (or, in older manifests, configuration type) of a Notation signature.
const NOTATION: &str = "application/vnd.cncf.notary.signature";

/// A statement with what verifying it needs.
pub(super) struct Found {
    pub(super) statement: Statement,
    /// The layer that lists it, with its bytes; none for what cannot be read, or is not verified.
    pub(super) signed: Option<(Link, Bytes)>,
}

/// What was found in all places.
#[derive(Default)]
pub(super) struct Signatures {
    pub(super) found: Vec<Found>,
    pub(super) places: Vec<PlaceRecord>,
    pub(super) index: IndexAbove,
    pub(super) warnings: Vec<String>,
}

impl Signatures {
    /// Whether any signature names the digest that it was found beside.
    pub(super) fn names_subject(&self) -> bool {
        self.found.iter().any(|found| found.statement.relation == Relation::Names && found.statement.is_signature())
    }

    /// Takes in what was found in one place; the same bytes found twice (by tag and by referrer, say) are one statement. Not so where
    /// they were read differently, or lie beside other annotations: cosign keeps a signature beside its payload, so one payload may be
    /// signed by several and by nobody.
    pub(super) fn take(&mut self, place: &Place, search: Search, authoritative: bool) {
        let before = self.found.len();
        for found in search.found {
            let same = |known: &Found| {
                let (known, new) = (&known.statement, &found.statement);
                known.content == new.content
                    && known.annotations == new.annotations
                    && known.carrier == new.carrier
                    && known.relation == new.relation
                    && known.format == new.format
            };
            if !self.found.iter().any(same) {
                self.found.push(found);
            }
        }
        let count = u32::try_from(self.found.len() - before).unwrap_or(u32::MAX);
        let outcome = match search.unknown {
            Some(unknown) => PlaceOutcome::Unknown(unknown),
            None if !authoritative => PlaceOutcome::NotAuthoritative,
            None => PlaceOutcome::Looked(count),
        };
        self.warnings.extend(search.warnings);
        self.note(PlaceRecord { place: place.to_string(), outcome, attestations: None, observed: search.observed });
    }

    /// Takes in what was found beside another digest.
    pub(super) fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
        self.warnings.extend(other.warnings);
        for record in other.places {
            self.note(record);
        }
    }

    /// Notes what looking in a place gave; looked at twice, it is known only as well as the worse of the two.
    pub(super) fn note(&mut self, record: PlaceRecord) {
        let Some(known) = self.places.iter_mut().find(|known| known.place == record.place) else {
            self.places.push(record);
            return;
        };
        known.observed = earlier(known.observed, record.observed);
        known.outcome = match (&known.outcome, record.outcome) {
            (PlaceOutcome::Unknown(first), _) => PlaceOutcome::Unknown(first.clone()),
            (PlaceOutcome::Looked(first), PlaceOutcome::Looked(second)) => PlaceOutcome::Looked(first + second),
            (_, second) => second,
        };
    }
}

/// What was found beside one digest in one place.
#[derive(Default)]
pub(super) struct Search {
    found: Vec<Found>,
    unknown: Option<UnknownAnswer>,
    observed: Option<Timestamp>,
    warnings: Vec<String>,
}

impl Search {
    pub(super) fn signatures(&self) -> usize {
        let names = |found: &&Found| found.statement.relation == Relation::Names && found.statement.is_signature();
        self.found.iter().filter(names).count()
    }

    pub(super) fn unanswered(&mut self, cause: Cause, detail: String) {
        self.unknown.get_or_insert(UnknownAnswer { cause, detail });
    }

    fn saw(&mut self, answer: &Answer) {
        self.observed = earlier(self.observed, Some(answer.observed));
        if let Outcome::Unknown(unknown) = &answer.outcome {
            self.unknown.get_or_insert_with(|| unknown.clone());
        }
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Where a piece of evidence is, before it is read.
struct Piece {
    source: StatementSource,
    manifest: Option<Digest>,
    layer: Link,
}

impl Inquiry<'_> {
    /// Signatures beside the judged digest, in every declared place.
    pub(super) fn signatures(&mut self, digest: &Digest, places: &DeclaredPlaces) -> Option<Signatures> {
        self.search_everywhere(digest, &Carrier::Itself, places)
    }

    /// Looks beside one digest in every declared place.
    pub(super) fn search_everywhere(&mut self, digest: &Digest, carrier: &Carrier, places: &DeclaredPlaces) -> Option<Signatures> {
        let home = self.task.home.clone();
        let own = self.search(&home, digest, carrier, &places.tag_prefixes);
        let extra: Vec<_> = places.extra.iter().map(|place| self.search_extra(place, digest, carrier)).collect();
        let mut signatures = Signatures::default();
        signatures.take(&home, own?, places.home_is_authoritative);
        for found in extra {
            if let Some((place, search, authoritative)) = found? {
                signatures.take(&place, search, authoritative);
            }
        }
        Some(signatures)
    }

    /// Looks in a further place; `None` inside where it turns out to be no place for this image.
    fn search_extra(&mut self, extra: &ExtraPlace, digest: &Digest, carrier: &Carrier) -> Option<Option<(Place, Search, bool)>> {
        match extra {
            ExtraPlace::Repository(repository) => {
                let place = Place::Repository(repository.clone());
                let readable = self.ask(&place, Ask::Readable);
                let search = self.search(&place, digest, carrier, &[]);
                let (readable, mut search) = (readable?, search?);
                match &readable.outcome {
                    Outcome::Found(_) => {}
                    Outcome::Absent => search.unanswered(
                        Cause::EvidenceLocationIncomplete,
                        format!("{repository} does not exist, or hides from these credentials: its silence is not an absence"),
                    ),
                    Outcome::Unknown(unknown) => search.unanswered(unknown.cause, unknown.detail.clone()),
                }
                Some(Some((place, search, true)))
            }
            ExtraPlace::Layout(name) => {
                let place = Place::Layout(name.clone());
                let held = self.ask(&place, Ask::Manifest(digest.clone()));
                let search = self.search(&place, digest, carrier, &[]);
                let (held, mut search) = (held?, search?);
                // Evidence may be laid down without its image; a layout that has neither is no place for the image.
                // Evidence that is there and cannot be read is not nothing.
                if held.outcome == Outcome::Absent && search.found.is_empty() && search.unknown.is_none() {
                    return Some(None);
                }
                search.saw(&held);
                Some(Some((place, search, false)))
            }
            ExtraPlace::Bundles(name) => {
                let place = Place::Bundles(name.clone());
                let search = self.search_bundles(&place, digest, carrier)?;
                Some(Some((place, search, false)))
            }
        }
    }

    /// Looks beside a digest in a repository or layout: referrers, and cosign's signature tags.
    pub(super) fn search(&mut self, place: &Place, digest: &Digest, carrier: &Carrier, tag_prefixes: &[String]) -> Option<Search> {
        let tag = CosignTag::Signature.beside(digest);
        let tags: Vec<_> = std::iter::once(tag.clone())
            .chain(tag_prefixes.iter().map(|prefix| format!("{prefix}{tag}")))
            .map(|tag| self.ask(place, Ask::Tag(tag.into())))
            .collect();
        let referrers = self.ask(place, Ask::Referrers(digest.clone()));

        let mut search = Search::default();
        let mut manifests: Vec<(Digest, StatementSource)> = Vec::new();
        // What is known already is followed while the rest is still on its way.
        let mut waiting = false;
        for answer in &tags {
            let Some(answer) = answer else {
                waiting = true;
                continue;
            };
            search.saw(answer);
            manifests.extend(first(answer).ok().flatten().map(|found| (found.digest.clone(), StatementSource::CosignTag)));
        }
        match &referrers {
            None => waiting = true,
            Some(answer) => {
                search.saw(answer);
                if let Outcome::Found(descriptors) = &answer.outcome {
                    manifests.extend(in_order(descriptors).map(|found| (found.digest.clone(), StatementSource::Referrer)));
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        manifests.retain(|(manifest, _)| seen.insert(manifest.clone()));
        if manifests.len() > MOST_PIECES {
            search.unanswered(
                Cause::Budget,
                format!("{} pieces of evidence beside {digest} in {place}; {MOST_PIECES} were read", manifests.len()),
            );
            manifests.truncate(MOST_PIECES);
        }
        let contents: Vec<_> = manifests.iter().map(|(manifest, _)| self.ask(place, Ask::Content(manifest.clone()))).collect();
        let mut pieces = Vec::new();
        for ((manifest, source), content) in manifests.iter().zip(contents) {
            match content {
                None => waiting = true,
                Some(content) => self.open(place, digest, manifest, *source, &content, carrier, &mut search, &mut pieces),
            }
        }
        let read = self.read_pieces(place, digest, carrier, pieces, &mut search);
        if waiting {
            return None;
        }
        read?;
        Some(search)
    }

    /// Opens a manifest of evidence: which of its layers may hold statements.
    #[expect(clippy::too_many_arguments, reason = "one place in the search, not a concept of its own")]
    fn open(
        &self,
        place: &Place,
        digest: &Digest,
        manifest: &Digest,
        source: StatementSource,
        content: &Answer,
        carrier: &Carrier,
        search: &mut Search,
        pieces: &mut Vec<Piece>,
    ) {
        search.saw(content);
        match first(content) {
            Err(_) => return,
            Ok(None) => {
                search.unanswered(Cause::InvalidResponse, format!("{place} lists {manifest} as evidence and does not have it"));
                return;
            }
            Ok(Some(_)) => {}
        }
        let Some(bytes) = self.blob(manifest) else {
            search.unanswered(Cause::NotCaptured, format!("the bytes of {manifest} are not at hand"));
            return;
        };
        let statement = |relation, media_type: &str| Found {
            statement: Statement {
                format: StatementFormat::Unsupported { media_type: media_type.to_owned() },
                source,
                place: place.to_string(),
                carrier: carrier.clone(),
                relation,
                manifest: Some(manifest.clone()),
                content: manifest.clone(),
                annotations: None,
                proofs: std::sync::Arc::default(),
                attested: None,
            },
            signed: None,
        };
        let (layers, subject, is_notation) = match Manifest::parse(&bytes) {
            Err(error) => return search.found.push(statement(Relation::Malformed(error.to_string()), "manifest")),
            // No client that signs writes one; but what is in it was not looked at.
            Ok(Manifest::Index(_)) => {
                let detail = format!("{manifest} in {place} is listed as evidence and is an index; what is in it was not read");
                search.warnings.push(detail.clone());
                return search.unanswered(Cause::UnsupportedFormat, detail);
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
        let before = pieces.len();
        let layers = layers.into_iter().filter(|layer| verify::is_statement(&layer.media_type));
        pieces.extend(layers.map(|layer| Piece { source, manifest: Some(manifest.clone()), layer }));
        if pieces.len() == before && is_notation {
            // Its envelope is not understood; what its manifest refers to is, and a list may claim anything.
            let relation = match subject {
                Some(subject) if subject.digest == *digest => Relation::Names,
                subject => Relation::NamesOthers(subject.into_iter().map(|subject| subject.digest).collect()),
            };
            search.found.push(statement(relation, NOTATION));
        }
    }

    /// Reads the bytes of the pieces.
    fn read_pieces(
        &mut self,
        place: &Place,
        digest: &Digest,
        carrier: &Carrier,
        mut pieces: Vec<Piece>,
        search: &mut Search,
    ) -> Option<()> {
        if pieces.len() > MOST_PIECES {
            search.unanswered(Cause::Budget, format!("{} statements beside {digest} in {place}; {MOST_PIECES} were read", pieces.len()));
            pieces.truncate(MOST_PIECES);
        }
        let blobs: Vec<_> = pieces.iter().map(|piece| self.ask(place, Ask::Blob(piece.layer.digest.clone()))).collect();
        let mut waiting = false;
        for (piece, answer) in pieces.into_iter().zip(blobs) {
            let Some(answer) = answer else {
                waiting = true;
                continue;
            };
            search.saw(&answer);
            match (first(&answer), self.blob(&piece.layer.digest)) {
                (Err(_), _) => {}
                (Ok(None), _) => search
                    .unanswered(Cause::InvalidResponse, format!("{place} lists {} as evidence and does not have it", piece.layer.digest)),
                (Ok(Some(_)), None) => {
                    search.unanswered(Cause::NotCaptured, format!("the bytes of {} are not at hand", piece.layer.digest))
                }
                (Ok(Some(_)), Some(bytes)) => search.found.push(self.read_statement(place, digest, carrier, piece, bytes)),
            }
        }
        (!waiting).then_some(())
    }

    /// Looks in a file or directory of bundles.
    fn search_bundles(&mut self, place: &Place, digest: &Digest, carrier: &Carrier) -> Option<Search> {
        let answer = self.ask(place, Ask::Referrers(digest.clone()))?;
        let mut search = Search::default();
        search.saw(&answer);
        let Outcome::Found(descriptors) = &answer.outcome else { return Some(search) };
        let pieces = in_order(descriptors)
            .map(|found| Piece {
                source: StatementSource::BundleFile,
                manifest: None,
                layer: Link {
                    media_type: found.media_type.clone(),
                    digest: found.digest.clone(),
                    size: found.size,
                    artifact_type: None,
                    annotations: None,
                },
            })
            .collect();
        self.read_pieces(place, digest, carrier, pieces, &mut search)?;
        Some(search)
    }

    /// Reads a statement. Of the digests of others only some are kept; the judged one always, wherever the statement lies.
    fn read_statement(&self, place: &Place, digest: &Digest, carrier: &Carrier, piece: Piece, bytes: Bytes) -> Found {
        let others = |mut subjects: Vec<Digest>| {
            subjects.sort_by_key(|subject| self.judged.as_ref() != Some(subject));
            subjects.truncate(OTHERS_SHOWN);
            subjects
        };
        let (format, relation) = match verify::read(&piece.layer, &bytes) {
            Ok(read) if read.names(digest) => (read.format, Relation::Names),
            Ok(read) => (read.format, Relation::NamesOthers(others(read.subjects))),
            Err(malformed) => {
                (StatementFormat::Unsupported { media_type: piece.layer.media_type.clone() }, Relation::Malformed(malformed.0))
            }
        };
        let can_be_verified = !matches!(relation, Relation::Malformed(_));
        let statement = Statement {
            format,
            source: piece.source,
            place: place.to_string(),
            carrier: carrier.clone(),
            relation,
            manifest: piece.manifest,
            content: piece.layer.digest.clone(),
            annotations: digest_of(piece.layer.annotations.as_ref()),
            proofs: std::sync::Arc::default(),
            attested: None,
        };
        Found { statement, signed: can_be_verified.then_some((piece.layer, bytes)) }
    }
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
fn in_order(descriptors: &[Descriptor]) -> impl Iterator<Item = &Descriptor> {
    let says_signature = |descriptor: &&Descriptor| {
        descriptor.artifact_type.as_deref() == Some(NOTATION)
            || descriptor.annotations.get("dev.sigstore.bundle.predicateType").is_some_and(|kind| kind.ends_with("/cosign/sign/v1"))
    };
    descriptors.iter().filter(says_signature).chain(descriptors.iter().filter(move |descriptor| !says_signature(descriptor)))
}
