//! Attestations: the same authorities as for signatures, over statements of one type, each of which has to say what is asked.

use std::cell::Cell;

use super::attached::{not_looked_for_attestations, unparsable};
use super::authority::{Accepted, Opinion};
use super::compiled::TrustPolicies;
use super::ruling::{AsOf, Asked, AskedBy, Bench, Ruling, all, counts, names, not_looked, signatures_of};
use crate::documents::Quantifier;
use crate::model::{
    Carrier, Digest, ImageEvidence, Judgement, ProvenTime, Reason, Relation, Signer, Statement, StatementFormat, UnknownAnswer,
};

/// What is asked of an image's attestations.
#[derive(Clone, Copy)]
pub struct AskedToAttest<'a> {
    /// Which types are meant, by the signed type.
    pub meant: &'a (dyn Fn(&str) -> bool + 'a),
    /// What those are called before a person: `an SBOM`, `https://slsa.dev/provenance/v1`.
    pub called: &'a str,
    /// By whom.
    pub by: AskedBy<'a>,
    /// How many of several have to hold.
    pub quantifier: Quantifier,
    /// Whether one says what is wanted. Asked of those alone that an authority accepts.
    pub says: &'a (dyn Fn(&Statement, &Attester<'_>) -> Judgement + 'a),
}

/// Who attested, and when that is proven to have been.
#[derive(Debug, Clone, Copy)]
pub struct Attester<'a> {
    /// Name of the authority.
    pub authority: &'a str,
    /// Who signed.
    pub signer: &'a Signer,
    /// The earliest proven time.
    pub time: Option<&'a ProvenTime>,
    /// Why a time may be proven after all, where none is known.
    pub time_doubt: Option<&'a UnknownAnswer>,
}

/// The same, beside one digest: the running one with the index above it, or one of its platform manifests.
#[derive(Clone, Copy)]
pub(super) struct AskedOfAttestations<'a> {
    asked: AskedToAttest<'a>,
    platform: Option<&'a Digest>,
}

/// What was found of one attestation, over all authorities.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Found {
    /// No authority accepts it.
    #[default]
    NotOurs,
    /// It holds.
    Held,
    /// It is by whom it is to be, and does not say what is wanted.
    Contradicts(Reason, String),
}

impl TrustPolicies {
    /// What the policies say about an image's attestations of one type.
    ///
    /// They are about the digest that runs, or the index that lists it. Where an index runs and nothing beside it is enough, all of its
    /// platform manifests have to be attested: which of them a node chose is not known here.
    #[must_use]
    pub fn judge_attestations(&self, image: &ImageEvidence, asked: &AskedToAttest<'_>, as_of: AsOf) -> Ruling {
        let by = Asked { by: asked.by, ..Asked::BY_POLICY };
        let bench = |platform| Bench {
            policies: self,
            image,
            asked: &by,
            attestations: Some(AskedOfAttestations { asked: *asked, platform }),
            as_of,
        };
        let whole = bench(None).judge();
        let settled = match &whole {
            Ruling::Verified(..) | Ruling::Irrelevant => true,
            Ruling::Rejected { reason: Reason::Revoked, .. } => true,
            // One that is ours and says something else is not outvoted by those below it.
            Ruling::Rejected { .. } => asked.quantifier == Quantifier::All && bench(None).has_ours(),
            Ruling::Absent | Ruling::Unknown { .. } => false,
        };
        if settled || image.platforms.is_empty() {
            return whole;
        }
        match (whole, all(image.platforms.iter().map(|platform| bench(Some(platform)).judge()))) {
            (_, Ruling::Verified(held, mut warnings)) => {
                warnings.push(format!(
                    "the index that runs is not attested itself, each of its {} platform manifests is",
                    image.platforms.len()
                ));
                Ruling::Verified(held, warnings)
            }
            (whole @ Ruling::Unknown { .. }, _) => whole,
            (_, below @ Ruling::Unknown { .. }) => below,
            (Ruling::Absent, below) => below,
            (whole, _) => whole,
        }
    }
}

impl<'a> Bench<'a> {
    /// The statements that it is about.
    pub(super) fn statements(&self) -> Box<dyn Iterator<Item = (usize, &'a Statement)> + 'a> {
        let image = self.image;
        let Some(attestations) = self.attestations else { return Box::new(signatures_of(image)) };
        let all = image.statements.iter().enumerate();
        Box::new(all.filter(move |(_, statement)| {
            matches!(statement.format, StatementFormat::Dsse { .. })
                && attestations.is_about(statement)
                && names(statement, &image.subject)
                && counts(statement, image)
        }))
    }

    /// Why an absence cannot be said, if it cannot.
    pub(super) fn not_looked(&self) -> Option<UnknownAnswer> {
        match self.attestations {
            Some(_) => not_looked_for_attestations(self.image),
            None => not_looked(self.image),
        }
    }

    /// Whether every attestation has to hold.
    pub(super) fn asks_all(&self) -> bool {
        self.attestations.is_some_and(|attestations| attestations.asked.quantifier == Quantifier::All)
    }

    /// What is asked of an attestation that an authority accepts.
    pub(super) fn asked_of(&self, statement: &Statement, authority: &str, found: &Cell<Found>, opinion: Opinion) -> Opinion {
        let (Some(attestations), Opinion::Verified(accepted)) = (self.attestations, &opinion) else { return opinion };
        match (attestations.asked.says)(statement, &attester(authority, accepted)) {
            Judgement::Pass { .. } => {
                found.set(Found::Held);
                opinion
            }
            Judgement::Fail { reason, detail } => {
                if found.take() != Found::Held {
                    found.set(Found::Contradicts(reason, detail.clone()));
                } else {
                    found.set(Found::Held);
                }
                Opinion::Rejected { progress: u8::MAX, reason, detail }
            }
            Judgement::Unknown { cause, detail } => Opinion::Unknown { cause, detail },
        }
    }

    /// What it means where every attestation has to hold and this is what was found of one.
    pub(super) fn contradicted(&self, found: Found) -> Option<Ruling> {
        match found {
            Found::Contradicts(reason, detail) if self.asks_all() => Some(Ruling::Rejected { reason, detail }),
            _ => None,
        }
    }

    /// Whether any authority of the policies accepts an attestation, whatever it says.
    fn has_ours(&self) -> bool {
        let says = |_: &Statement, _: &Attester<'_>| Judgement::pass();
        let Some(attestations) = self.attestations else { return false };
        let asked = AskedToAttest { says: &says, quantifier: Quantifier::Any, ..attestations.asked };
        let attestations = Some(AskedOfAttestations { asked, ..attestations });
        matches!(Bench { attestations, ..*self }.judge(), Ruling::Verified(..))
    }
}

fn attester<'a>(authority: &'a str, accepted: &'a Accepted) -> Attester<'a> {
    Attester { authority, signer: &accepted.signer, time: accepted.time.as_ref(), time_doubt: accepted.time_doubt.as_ref() }
}

impl AskedOfAttestations<'_> {
    fn is_beside(&self, statement: &Statement) -> bool {
        match (&statement.carrier, self.platform) {
            (Carrier::Itself | Carrier::Index(_), None) => true,
            (Carrier::Platform(platform), Some(asked)) => platform == asked,
            _ => false,
        }
    }

    /// Whether a statement is of the type, beside the digest.
    fn is_about(&self, statement: &Statement) -> bool {
        self.is_beside(statement) && statement.predicate_type().is_some_and(self.asked.meant)
    }

    /// What it means that none is accepted, and that none was: one that nobody signed, one of something else, one of whose type nothing can
    /// be said, or none at all.
    pub(super) fn without(&self, image: &ImageEvidence) -> Ruling {
        let about = || image.statements.iter().filter(|statement| self.is_about(statement));
        let called = self.asked.called;
        let unsigned =
            about().find(|statement| matches!(statement.format, StatementFormat::Unsigned { .. }) && names(statement, &image.subject));
        if let Some(unsigned) = unsigned {
            let detail = format!("{called} is there ({}), and nobody signed it", unsigned.place);
            return Ruling::Rejected { reason: Reason::Unsigned, detail };
        }
        let others = about().find_map(|statement| match &statement.relation {
            Relation::NamesOthers(others) => Some(others.first().map_or_else(|| "no digest".to_owned(), Digest::short)),
            Relation::Names | Relation::Malformed(_) => None,
        });
        if let Some(other) = others {
            return Ruling::Rejected { reason: Reason::DigestMismatch, detail: format!("{called} that lies there names {other}") };
        }
        match image.statements.iter().filter(|statement| self.is_beside(statement)).find_map(unparsable) {
            Some(detail) => Ruling::Rejected { reason: Reason::Malformed, detail },
            None => Ruling::Absent,
        }
    }
}
