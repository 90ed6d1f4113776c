//! Which level of SLSA's build track an image's provenance shows, in the order of SLSA 1.2 (slsa.dev/spec/v1.2/verifying-artifacts):
//! envelope, subject, predicate type, then signer and builder to a level by the builders that are trusted, the certificate that signed, and
//! what is expected of source, build type and parameters.

mod certificate;
mod expectations;
mod hearing;

pub use self::expectations::{Expectations, ExpectedReference};
use self::hearing::Hearing;
use super::attached::unparsable;
use super::authority::Opinion;
use super::compiled::{CompiledAuthority, TrustPolicies};
use super::ruling::{AsOf, counts, digests_of, names, not_looked};
use crate::model::{
    BuildLevel, Carrier, Cause, Digest, ImageEvidence, IndexAbove, LogRecord, Predicate, PredicateKind, Provenance, Reason, Relation,
    Signer, Statement, StatementFormat, UnknownAnswer,
};

/// What provenance shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The level that is shown. L1 may be unverified: provenance that anybody may have written.
    pub reached: BuildLevel,
    /// By what.
    pub shown: Option<Shown>,
    /// For each level above, from the lowest, what is missing.
    pub missing: Vec<Missing>,
    /// The highest level that may be shown after all, and why that is not known.
    pub possible: Option<(BuildLevel, UnknownAnswer)>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// The provenance that shows a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Position of the statement.
    pub statement: usize,
    /// Who vouches for it.
    pub by: ShownBy,
}

/// Who vouches for provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownBy {
    /// A builder that is trusted, by its name in the documents, and who signed.
    Builder(String, Box<Attestor>),
    /// An authority of the trust policies for the image, for a builder that nobody knows.
    Authority(String, Box<Attestor>),
    /// Nobody: it is not signed, or by a stranger.
    Nobody,
}

/// Who signed, and where it is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestor {
    /// Who signed.
    pub signer: Signer,
    /// The log entry.
    pub log: Option<LogRecord>,
}

/// Why a level is not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The level.
    pub level: BuildLevel,
    /// The stable reason.
    pub reason: Reason,
    /// What is missing, for a person.
    pub detail: String,
}

impl Assessment {
    /// Whether it is shown by somebody who is trusted.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.by != ShownBy::Nobody)
    }

    /// The level that is shown by somebody who is trusted.
    #[must_use]
    pub fn verified(&self) -> BuildLevel {
        if self.is_verified() { self.reached } else { BuildLevel::L0 }
    }
}

/// What one statement shows.
#[derive(Default)]
struct Weight {
    /// The level for certain, by whom, and what a higher one lacks.
    shows: Option<(BuildLevel, ShownBy, Lack)>,
    /// Why it shows nothing that is verified, and how near it came.
    lack: Option<(Nearness, Lack)>,
    /// What it may show after all.
    unknown: Option<(BuildLevel, UnknownAnswer)>,
}

/// What is missing, for a person, with its stable reason.
type Lack = (Reason, String);

/// How near provenance came: of several, the nearest says most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// There is none.
    Missing,
    /// Nobody signed it.
    Unsigned,
    /// It is none.
    Malformed,
    /// Its signature does not count.
    Signed,
    /// Its signer does not vouch for that builder.
    Stranger,
    /// Its signer does, and it is not what it should be.
    Vouched,
}

/// What is shown beside one digest.
struct Beside {
    level: BuildLevel,
    shown: Option<Shown>,
    lack: (Nearness, Lack),
    possible: Option<(BuildLevel, UnknownAnswer)>,
}

impl Beside {
    fn verified(&self) -> BuildLevel {
        let by_nobody = self.shown.as_ref().is_none_or(|shown| shown.by == ShownBy::Nobody);
        if by_nobody { BuildLevel::L0 } else { self.level }
    }

    /// The highest level that it may come to.
    fn at_most(&self) -> BuildLevel {
        self.possible.as_ref().map_or(BuildLevel::L0, |(level, _)| *level).max(self.verified())
    }

    /// What holds of all of these: the least of them, and what the least may come to.
    fn least(all: Vec<Self>) -> Option<Self> {
        let at_most = all.iter().map(Self::at_most).min()?;
        let mut least = all.into_iter().min_by_key(|beside| (beside.verified(), beside.level, beside.at_most()))?;
        least.possible = least.possible.map(|(_, unknown)| (at_most, unknown));
        Some(least)
    }

    /// What holds where one of both does.
    fn or(self, other: Self) -> Self {
        let possible = higher(self.possible.clone(), other.possible.clone());
        let lack = if other.lack.0 > self.lack.0 { other.lack.clone() } else { self.lack.clone() };
        let better = (other.verified(), other.level) > (self.verified(), self.level);
        let mut chosen = if better { other } else { self };
        if chosen.verified() == BuildLevel::L0 {
            chosen.lack = lack;
        }
        Self { possible, ..chosen }
    }

    fn assessment(self, image: &ImageEvidence) -> Assessment {
        let verified = self.verified();
        let carrier = self.shown.as_ref().and_then(|shown| Some(&image.statements.get(shown.statement)?.carrier));
        let note = match carrier {
            Some(Carrier::Index(index)) => Some(format!("shown of the index {} that lists what runs", index.short())),
            Some(Carrier::Platform(_)) => Some(match image.platforms.len() {
                1 => "shown of the only platform manifest of the index that runs".to_owned(),
                several => format!("shown of each of the {several} platform manifests of the index that runs"),
            }),
            Some(Carrier::Itself) | None => None,
        };
        let (_, (reason, detail)) = self.lack;
        let above = BuildLevel::ALL.into_iter().filter(|level| *level > verified);
        Assessment {
            reached: self.level,
            shown: self.shown,
            missing: above.map(|level| Missing { level, reason, detail: detail.clone() }).collect(),
            possible: self.possible.filter(|(level, _)| *level > verified),
            notes: note.into_iter().collect(),
        }
    }
}

impl TrustPolicies {
    /// What an image's provenance shows.
    #[must_use]
    pub fn assess(&self, image: &ImageEvidence, expected: &Expectations<'_>, as_of: AsOf) -> Assessment {
        let revoked = |detail: String| Beside {
            level: BuildLevel::L0,
            shown: None,
            lack: (Nearness::Vouched, (Reason::Revoked, detail)),
            possible: None,
        };
        if let Some(detail) = self.revoked_image(digests_of(image), as_of) {
            return revoked(detail).assessment(image);
        }
        let whole = self.beside(image, None, expected, as_of);
        // Which of the platforms a node chose is not known: the least of them counts.
        let below = image.platforms.iter().map(|platform| self.beside(image, Some(platform), expected, as_of));
        let beside = match Beside::least(below.collect()) {
            Some(least) => whole.or(least),
            None => whole,
        };
        let any_image = self.revocations.iter().any(|revoked| revoked.is_of_images(as_of.moment));
        match &image.index {
            // The index that the reference leads to may be what was revoked.
            IndexAbove::Unknown(why) if any_image && beside.level > BuildLevel::L0 => {
                let at_most = beside.at_most();
                let unsaid = revoked(format!("whether the index that lists it is revoked is not known: {}", why.detail));
                Beside { possible: Some((at_most, why.clone())), ..unsaid }.assessment(image)
            }
            _ => beside.assessment(image),
        }
    }

    /// What is shown beside the running digest and the index above it, or beside one platform manifest.
    fn beside(&self, image: &ImageEvidence, platform: Option<&Digest>, expected: &Expectations<'_>, as_of: AsOf) -> Beside {
        let mut shown: Option<(BuildLevel, Shown, Lack)> = None;
        let mut lack = (Nearness::Missing, without(image));
        let mut possible: Option<(BuildLevel, UnknownAnswer)> = None;
        for (position, statement) in image.statements.iter().enumerate() {
            if !is_about(statement, image, platform) {
                continue;
            }
            let weight = self.weigh(statement, image, expected, as_of);
            if let Some((level, by, lack)) = weight.shows {
                let rank = |level: BuildLevel, by: &ShownBy| (*by != ShownBy::Nobody, level);
                if shown.as_ref().is_none_or(|(known, shown, _)| rank(level, &by) > rank(*known, &shown.by)) {
                    shown = Some((level, Shown { statement: position, by }, lack));
                }
            }
            lack = weight.lack.filter(|(nearness, _)| *nearness > lack.0).unwrap_or(lack);
            possible = higher(possible, weight.unknown);
        }
        // What was not looked at may show anything.
        let unseen = not_looked(image).or_else(|| image.places.iter().find_map(|place| place.attestations.clone()));
        possible = unseen.map(|unknown| (BuildLevel::L3, unknown)).or(possible);
        match shown {
            Some((level, shown, above)) if shown.by != ShownBy::Nobody => {
                Beside { level, shown: Some(shown), lack: (Nearness::Vouched, above), possible }
            }
            Some((level, shown, _)) => Beside { level, shown: Some(shown), lack, possible },
            None => Beside { level: BuildLevel::L0, shown: None, lack, possible },
        }
    }

    /// What one statement shows: in the order of SLSA, the first step that does not hold says why.
    fn weigh(&self, statement: &Statement, image: &ImageEvidence, expected: &Expectations<'_>, as_of: AsOf) -> Weight {
        let refused = |nearness: Nearness, lack: Lack| Weight { lack: Some((nearness, lack)), ..Weight::default() };
        let provenance = match statement.attested.as_deref().map(|attested| &attested.predicate) {
            Some(Ok(Predicate::Provenance(provenance))) => provenance.as_ref(),
            Some(Ok(_)) => return refused(Nearness::Malformed, (Reason::PredicateMismatch, "it is no provenance".to_owned())),
            Some(Err(malformed)) => return refused(Nearness::Malformed, (Reason::Malformed, malformed.clone())),
            None => {
                let unknown = UnknownAnswer { cause: Cause::NotCaptured, detail: "what the provenance says was not read".to_owned() };
                return Weight { unknown: Some((BuildLevel::L3, unknown)), ..Weight::default() };
            }
        };
        let vouched = match &statement.format {
            StatementFormat::Unsigned { .. } => unsigned(provenance, expected),
            _ => self.vouched(statement, provenance, image, expected, as_of),
        };
        // What is not as expected stays so, whoever signed it.
        match expected.contradiction(provenance) {
            Some(lack) => refused(if vouched.shows_verified() { Nearness::Vouched } else { Nearness::Unsigned }, lack),
            None => vouched,
        }
    }

    /// Who vouches for provenance, and for what level.
    fn vouched(
        &self,
        statement: &Statement,
        provenance: &Provenance,
        image: &ImageEvidence,
        expected: &Expectations<'_>,
        as_of: AsOf,
    ) -> Weight {
        let mut hearing = Hearing::of(statement, provenance, expected);
        let examine = |authority: &CompiledAuthority| authority.examine(&self.revocations, statement, as_of, |opinion| opinion).0;
        for builder in &self.builders {
            for authority in &builder.authorities {
                hearing.of_builder(builder, examine(authority));
            }
            for name in &builder.of_policies {
                let opinion = match self.authority_named(name) {
                    Ok(authority) => examine(authority),
                    Err(detail) => {
                        Opinion::Unknown { cause: Cause::TrustRootUnavailable, detail: format!("builder {}: {detail}", builder.name) }
                    }
                };
                hearing.of_builder(builder, opinion);
            }
        }
        for authority in self.named_in_rules(&image.repository) {
            hearing.of_authority(&authority.name, examine(authority));
        }
        hearing.weight()
    }
}

impl Weight {
    fn shows_verified(&self) -> bool {
        self.shows.as_ref().is_some_and(|(_, by, _)| *by != ShownBy::Nobody)
    }
}

/// What provenance shows that nobody signed.
fn unsigned(provenance: &Provenance, expected: &Expectations<'_>) -> Weight {
    let (shows, lack) = match expected.expects(provenance, None) {
        true => {
            let lack = (Reason::Unsigned, "the provenance is there, and nobody signed it".to_owned());
            (Some((BuildLevel::L1, ShownBy::Nobody, lack.clone())), lack)
        }
        false => (None, expected.other_builder(provenance)),
    };
    Weight { shows, lack: Some((Nearness::Unsigned, lack)), unknown: None }
}

/// The higher one of two possible levels.
fn higher(one: Option<(BuildLevel, UnknownAnswer)>, other: Option<(BuildLevel, UnknownAnswer)>) -> Option<(BuildLevel, UnknownAnswer)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.0 > one.0 { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn is_provenance(statement: &Statement) -> bool {
    statement.predicate_type().is_some_and(|predicate_type| PredicateKind::of(predicate_type) == PredicateKind::Provenance)
}

/// Whether a statement is provenance of the running digest (or the index above it), or of one platform manifest.
fn is_about(statement: &Statement, image: &ImageEvidence, platform: Option<&Digest>) -> bool {
    let beside = match (&statement.carrier, platform) {
        (Carrier::Itself | Carrier::Index(_), None) => true,
        (Carrier::Platform(of), Some(platform)) => of == platform,
        _ => false,
    };
    beside && is_provenance(statement) && names(statement, &image.subject) && counts(statement, image)
}

/// Why there is no provenance: what lies there is of another digest, or none.
fn without(image: &ImageEvidence) -> Lack {
    let of_another = image.statements.iter().filter(|statement| is_provenance(statement)).find_map(|statement| match &statement.relation {
        Relation::NamesOthers(others) => Some(others.first().map_or_else(|| "no digest".to_owned(), Digest::short)),
        Relation::Names | Relation::Malformed(_) => None,
    });
    if let Some(other) = of_another {
        return (Reason::DigestMismatch, format!("provenance that lies there names {other}"));
    }
    let malformed = image.statements.iter().find_map(unparsable).map(|detail| (Reason::Malformed, detail));
    malformed.unwrap_or_else(|| (Reason::PredicateMissing, "there is no provenance".to_owned()))
}
