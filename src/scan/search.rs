//! Looking for signatures and attestations beside one digest in one place, and in all declared places.

use bytes::Bytes;
use jiff::Timestamp;

use super::gather::Inquiry;
use super::pieces::{Holder, in_order};
use super::subject::first;
use super::task::{DeclaredPlaces, ExtraPlace};
use crate::model::{
    Answer, Ask, Carrier, Cause, CosignTag, Descriptor, Digest, GithubScope, IndexAbove, Link, ManifestPresence, Outcome, Place,
    PlaceOutcome, PlaceRecord, PredicateKind, PredicateKinds, Relation, Statement, StatementFormat, StatementSource, UnknownAnswer,
};

/// What is looked for beside a digest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    /// Signatures.
    pub(super) signatures: bool,
    /// Attestations of these kinds.
    pub(super) attestations: PredicateKinds,
}

impl Looking {
    /// Cosign's tags that are asked for.
    fn tags(self) -> impl Iterator<Item = CosignTag> {
        let signatures = self.signatures.then_some(CosignTag::Signature);
        let attestations = (!self.attestations.is_empty()).then_some(CosignTag::Attestation);
        let bills = self.attestations.contains(PredicateKind::Sbom).then_some(CosignTag::Sbom);
        [signatures, attestations, bills].into_iter().flatten()
    }
}

/// What an answer says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Signatures, and whatever else lies there.
    Everything,
    /// Attestations alone: where it is not known, signatures can be.
    Attestations,
}

/// A statement with what verifying it needs.
pub(super) struct Found {
    pub(super) statement: Statement,
    /// The layer that lists it, with its bytes; none for what cannot be read, or is no statement.
    pub(super) signed: Option<(Link, Bytes)>,
}

impl Found {
    /// Where it stands among what lies in one place: signatures first, then by type.
    fn place_in_list(&self) -> impl Ord {
        let Statement { format, source, manifest, content, annotations, .. } = &self.statement;
        (!self.statement.is_signature(), format, source, manifest, content, annotations)
    }
}

/// What was found in all places.
#[derive(Default)]
pub(super) struct Finds {
    pub(super) found: Vec<Found>,
    pub(super) places: Vec<PlaceRecord>,
    pub(super) index: IndexAbove,
    pub(super) warnings: Vec<String>,
}

impl Finds {
    /// Whether any signature names the digest that it was found beside.
    pub(super) fn names_subject(&self) -> bool {
        self.found.iter().any(|found| found.statement.relation == Relation::Names && found.statement.is_signature())
    }

    /// Of these kinds those of which nobody signed an attestation that names the digest it was found beside.
    pub(super) fn without_signed(&self, kinds: PredicateKinds) -> bool {
        let signed = |found: &Found| match &found.statement.format {
            StatementFormat::Dsse { predicate_type } if found.statement.relation == Relation::Names => {
                Some(PredicateKind::of(predicate_type))
            }
            _ => None,
        };
        // Of what is no known kind there may be another type.
        let known: Vec<_> = self.found.iter().filter_map(signed).filter(|kind| *kind != PredicateKind::Other).collect();
        PredicateKind::ALL.into_iter().any(|kind| kinds.contains(kind) && !known.contains(&kind))
    }

    /// Takes in what was found in one place; the same bytes found twice (by tag and by referrer, say) are one statement. Not so where
    /// they were read differently, or lie beside other annotations: cosign keeps a signature beside its payload, so one payload may be
    /// signed by several and by nobody.
    pub(super) fn take(&mut self, place: String, search: Search, authoritative: bool) {
        let before = self.found.len();
        let mut found = search.found;
        // A registry may list what it has in another order each time.
        found.sort_by(|one, other| one.place_in_list().cmp(&other.place_in_list()));
        for found in found {
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
        self.note(PlaceRecord { place, outcome, attestations: search.unknown_attestations, observed: search.observed });
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
        known.attestations = known.attestations.take().or(record.attestations);
        known.outcome = match (&known.outcome, record.outcome) {
            (PlaceOutcome::Unknown(first), _) => PlaceOutcome::Unknown(first.clone()),
            (PlaceOutcome::Looked(first), PlaceOutcome::Looked(second)) => PlaceOutcome::Looked(first + second),
            (PlaceOutcome::NotAuthoritative, PlaceOutcome::Looked(_)) => PlaceOutcome::NotAuthoritative,
            (_, second) => second,
        };
    }
}

/// What was found beside one digest in one place.
#[derive(Default)]
pub(super) struct Search {
    pub(super) found: Vec<Found>,
    unknown: Option<UnknownAnswer>,
    /// Why attestations may be there that were not seen.
    unknown_attestations: Option<UnknownAnswer>,
    observed: Option<Timestamp>,
    pub(super) warnings: Vec<String>,
}

impl Search {
    pub(super) fn signatures(&self) -> usize {
        let names = |found: &&Found| found.statement.relation == Relation::Names && found.statement.is_signature();
        self.found.iter().filter(names).count()
    }

    pub(super) fn unanswered(&mut self, cause: Cause, detail: String) {
        self.doubt(About::Everything, UnknownAnswer { cause, detail });
    }

    pub(super) fn doubt(&mut self, about: About, unknown: UnknownAnswer) {
        let doubted = match about {
            About::Everything => &mut self.unknown,
            About::Attestations => &mut self.unknown_attestations,
        };
        doubted.get_or_insert(unknown);
    }

    pub(super) fn saw(&mut self, answer: &Answer, about: About) {
        self.observed = earlier(self.observed, Some(answer.observed));
        if let Outcome::Unknown(unknown) = &answer.outcome {
            self.doubt(about, unknown.clone());
        }
    }

    /// The same about a platform manifest: what is not known of it is nothing about the signatures of the index above.
    pub(super) fn of_platform(mut self) -> Self {
        let unknown = self.unknown.take();
        self.unknown_attestations = self.unknown_attestations.or(unknown);
        self.found.retain(|found| found.statement.is_attestation());
        self
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Beside which digest is looked, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) digest: &'a Digest,
    pub(super) carrier: &'a Carrier,
    pub(super) looking: Looking,
}

impl Beside<'_> {
    /// What was found, as it counts for the running digest.
    fn seen(self, search: Search) -> Search {
        match self.carrier {
            Carrier::Itself | Carrier::Index(_) => search,
            Carrier::Platform(_) => search.of_platform(),
        }
    }
}

impl Inquiry<'_> {
    /// What is looked for beside the running digest and the index above it.
    pub(super) fn looking(&self) -> Looking {
        Looking { signatures: self.needs.signatures, attestations: self.needs.attestations }
    }

    /// Looks beside one digest in every declared place.
    pub(super) fn search_everywhere(&mut self, digest: &Digest, carrier: &Carrier, places: &DeclaredPlaces) -> Option<Finds> {
        let looking = match carrier {
            Carrier::Itself | Carrier::Index(_) => self.looking(),
            Carrier::Platform(_) => Looking { signatures: false, ..self.looking() },
        };
        let beside = Beside { digest, carrier, looking };
        let home = self.task.home.clone();
        let own = self.search(&home, beside, &places.tag_prefixes);
        let extra: Vec<_> = places.extra.iter().map(|place| self.search_extra(place, beside)).collect();
        let mut looked = vec![(home.to_string(), own?, places.home_is_authoritative)];
        for found in extra {
            looked.extend(found?);
        }
        // What lies at home does not count where the image itself is not there; the same statement elsewhere does, so that one is kept.
        if let Some(judged) = self.judged.clone()
            && matches!(self.presence(&judged)?, ManifestPresence::Unknown(unknown) if unknown.cause == Cause::ImageNotFound)
        {
            looked.rotate_left(1);
        }
        let mut finds = Finds::default();
        for (place, search, authoritative) in looked {
            finds.take(place, beside.seen(search), authoritative);
        }
        Some(finds)
    }

    /// Looks in a further place; `None` inside where it turns out to be no place for this image.
    fn search_extra(&mut self, extra: &ExtraPlace, beside: Beside<'_>) -> Option<Option<(String, Search, bool)>> {
        match extra {
            ExtraPlace::Repository(repository) => {
                let place = Place::Repository(repository.clone());
                let readable = self.ask(&place, Ask::Readable);
                let search = self.search(&place, beside, &[]);
                let (readable, mut search) = (readable?, search?);
                match &readable.outcome {
                    Outcome::Found(_) => {}
                    Outcome::Absent => search.unanswered(
                        Cause::EvidenceLocationIncomplete,
                        format!("{repository} does not exist, or hides from these credentials: its silence is not an absence"),
                    ),
                    Outcome::Unknown(unknown) => search.unanswered(unknown.cause, unknown.detail.clone()),
                }
                Some(Some((place.to_string(), search, true)))
            }
            ExtraPlace::Layout(name) => {
                let place = Place::Layout(name.clone());
                let held = self.ask(&place, Ask::Manifest(beside.digest.clone()));
                let search = self.search(&place, beside, &[]);
                let (held, mut search) = (held?, search?);
                // Evidence may be laid down without its image; a layout that has neither is no place for the image.
                // Evidence that is there and cannot be read is not nothing.
                let silent = search.unknown.is_none() && search.unknown_attestations.is_none();
                if held.outcome == Outcome::Absent && search.found.is_empty() && silent {
                    return Some(None);
                }
                search.saw(&held, About::Everything);
                Some(Some((place.to_string(), search, false)))
            }
            ExtraPlace::Bundles(name) => {
                let place = Place::Bundles(name.clone());
                let search = self.search_bundles(&place, StatementSource::BundleFile, beside)?;
                Some(Some((place.to_string(), search, false)))
            }
            ExtraPlace::Github(store) => {
                let place = Place::Github(store.clone());
                let mut search = self.search_bundles(&place, StatementSource::GithubStore, beside)?;
                if let GithubScope::Owner(owner) = store.scope() {
                    let detail = format!(
                        "GitHub shows of {owner} what the token may see, and does not say whether that is all; \
                         name the repository in the policy (`github: {{ repository: {owner}/… }}`)"
                    );
                    search.unanswered(Cause::EvidenceLocationIncomplete, detail);
                }
                // It holds what was kept there, and says nothing about what was pushed elsewhere.
                Some(Some((place.to_string(), search, false)))
            }
            ExtraPlace::Unusable { place, detail } => {
                let mut search = Search::default();
                search.unanswered(Cause::EvidenceLocationIncomplete, detail.to_string());
                Some(Some((place.to_string(), search, false)))
            }
        }
    }

    /// Looks beside a digest in a repository or layout: referrers, and cosign's tags.
    pub(super) fn search(&mut self, place: &Place, beside: Beside<'_>, tag_prefixes: &[String]) -> Option<Search> {
        let mut tags = Vec::new();
        for kind in beside.looking.tags() {
            let tag = kind.beside(beside.digest);
            for tag in std::iter::once(tag.clone()).chain(tag_prefixes.iter().map(|prefix| format!("{prefix}{tag}"))) {
                tags.push((kind, self.ask(place, Ask::Tag(tag.into()))));
            }
        }
        let referrers = self.ask(place, Ask::Referrers(beside.digest.clone()));

        let mut search = Search::default();
        let mut holders: Vec<Holder> = Vec::new();
        // What is known already is followed while the rest is still on its way.
        let mut waiting = referrers.is_none();
        let mut of_tags = |search: &mut Search, holders: &mut Vec<Holder>, wanted: About| {
            for (kind, answer) in &tags {
                let about = if *kind == CosignTag::Signature { About::Everything } else { About::Attestations };
                let Some(answer) = answer.as_ref().filter(|_| about == wanted) else {
                    waiting |= answer.is_none();
                    continue;
                };
                search.saw(answer, about);
                let found = first(answer).ok().flatten();
                let source = StatementSource::CosignTag;
                holders.extend(found.map(|found| Holder {
                    manifest: found.digest.clone(),
                    source,
                    about,
                    is_bill: *kind == CosignTag::Sbom,
                }));
            }
        };
        of_tags(&mut search, &mut holders, About::Everything);
        if let Some(answer) = &referrers {
            search.saw(answer, About::Everything);
            if let Outcome::Found(descriptors) = &answer.outcome {
                let holder = |found: &Descriptor| Holder::of(found.digest.clone(), StatementSource::Referrer);
                holders.extend(in_order(descriptors).map(holder));
            }
        }
        of_tags(&mut search, &mut holders, About::Attestations);
        let read = self.read_holders(place, beside, holders, &mut search);
        if waiting {
            return None;
        }
        read?;
        Some(search)
    }
}
