//! From opinions about single signatures to one ruling about an image, by the table of the contract (`docs/verdicts.md`).

use std::cell::Cell;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::attested::{AskedOfAttestations, Found};
use super::authority::{Accepted, Opinion, better, describe};
use super::compiled::{Compiled, CompiledAuthority, PolicyOrigin, TrustPolicies};
use super::requirement::{Shown, distinct};
use super::rules::Applicable;
use crate::documents::{Demand, Requirement};
use crate::model::{
    Carrier, Cause, Digest, ImageEvidence, IndexAbove, LogRecord, ManifestPresence, PlaceOutcome, ProvenTime, Reason, Relation, Signer,
    Statement, SubjectName, SubjectState, UnknownAnswer, Verdict,
};

/// The moment as of which is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The moment.
    pub moment: Timestamp,
    /// By how much clocks may differ: what is proven to be so much later is still taken for now.
    pub tolerance: SignedDuration,
    /// Whether it is a moment of the past that was asked for: what is later is then not there, else it is a wrong clock.
    pub rewound: bool,
}

impl AsOf {
    /// A moment that no clock is wrong about: of a test, or of a report that is made again.
    #[must_use]
    pub fn exactly(moment: Timestamp) -> Self {
        Self { moment, tolerance: SignedDuration::ZERO, rewound: false }
    }

    /// The latest proven time that is accepted.
    pub(super) fn latest(&self) -> Timestamp {
        self.moment.checked_add(self.tolerance).unwrap_or(Timestamp::MAX)
    }
}

/// What is asked about an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// By whom it is to be signed.
    pub by: AskedBy<'a>,
    /// By how many at least; none: as the rule says, or one.
    pub at_least: Option<u32>,
    /// Whether a long-lived key does not count.
    pub keyless_only: bool,
    /// Whether a person's identity does not count.
    pub workload_only: bool,
    /// Whether only what is in a transparency log counts, whatever the policy asks.
    pub transparency_log: bool,
    /// Whether only what has a proven time counts, whatever the policy asks.
    pub proven_time: bool,
    /// Public keys (PEM) of the control's own parameter: they count for images that no rule is about.
    pub keys: &'a [String],
}

/// By whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy<'a> {
    /// As the rules of the policies say.
    Policy,
    /// By these authorities, of whichever policy.
    Authorities(&'a [String]),
}

impl Asked<'_> {
    /// What the policies ask.
    pub const BY_POLICY: Asked<'static> = Asked {
        by: AskedBy::Policy,
        at_least: None,
        keyless_only: false,
        workload_only: false,
        transparency_log: false,
        proven_time: false,
        keys: &[],
    };
}

/// What the policies say about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// They say nothing about it.
    Irrelevant,
    /// It is signed as asked; by whom, and what a person should know.
    Verified(Vec<Held>, Vec<String>),
    /// It is not.
    Rejected {
        /// The stable reason.
        reason: Reason,
        /// What was found.
        detail: String,
    },
    /// One really looked, and there is no signature.
    Absent,
    /// It is not known.
    Unknown {
        /// The stable cause.
        cause: Cause,
        /// What happened.
        detail: String,
    },
}

impl Ruling {
    /// The verdict in it; none where the policies say nothing.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Irrelevant => None,
            Self::Verified(..) => Some(Verdict::Verified),
            Self::Rejected { reason, .. } => Some(Verdict::Rejected(*reason)),
            Self::Absent => Some(Verdict::Absent),
            Self::Unknown { cause, .. } => Some(Verdict::Unknown(*cause)),
        }
    }

    pub(super) fn unknown(unknown: UnknownAnswer) -> Self {
        Self::Unknown { cause: unknown.cause, detail: unknown.detail }
    }
}

/// A signature that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The authority whose it is.
    pub authority: String,
    /// Who signed.
    pub signer: Signer,
    /// When, and by what that is proven.
    pub time: Option<ProvenTime>,
    /// Where it is logged.
    pub log: Option<LogRecord>,
    /// Position of the statement.
    pub statement: usize,
    /// Which digest carried it.
    pub carrier: Carrier,
}

impl Held {
    /// Who signed, when and where it is logged, for a person.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = describe(&self.signer);
        if let Some(time) = &self.time {
            let by = match time.by {
                crate::model::TimeSource::Log => "the log",
                crate::model::TimeSource::TimeStampAuthority => "a time stamp",
            };
            text.push_str(&format!(" at {} (by {by})", time.at));
        }
        if let Some(log) = &self.log {
            text.push_str(&format!(", log entry {}", log.index));
        }
        if let Carrier::Index(index) = &self.carrier {
            text.push_str(&format!(", on the index {} that lists it", index.short()));
        }
        if let Carrier::Platform(platform) = &self.carrier {
            text.push_str(&format!(", on its platform manifest {}", platform.short()));
        }
        text
    }
}

/// Signatures of an image that name it, with their positions; what else lies there is of others, or nothing that counts.
pub fn signatures_of(image: &ImageEvidence) -> impl Iterator<Item = (usize, &Statement)> {
    let all = image.statements.iter().enumerate().filter(|(_, statement)| statement.is_signature());
    all.filter(|(_, statement)| names(statement, &image.subject) && counts(statement, image))
}

/// The digests under which an image is known: its own, and those of indexes that list it. What a person copies is often the index's.
pub(super) fn digests_of(image: &ImageEvidence) -> impl Iterator<Item = &Digest> {
    let own = match &image.subject {
        SubjectState::Known(digest) => Some(digest),
        SubjectState::Unknown(_) | SubjectState::NotAsked => None,
    };
    let above = match &image.index {
        IndexAbove::Lists(index) => Some(index),
        _ => None,
    };
    own.into_iter().chain(above)
}

/// Whether a statement names what it was found beside, or, found beside the index, the platform manifest itself.
pub(super) fn names(statement: &Statement, subject: &SubjectState) -> bool {
    match (&statement.relation, subject) {
        (Relation::Names, _) => true,
        (Relation::NamesOthers(digests), SubjectState::Known(subject)) => digests.contains(subject),
        (Relation::NamesOthers(_) | Relation::Malformed(_), _) => false,
    }
}

/// A signature in a repository that says it does not have the image (any more) is not known to be one of it; elsewhere it counts.
pub(super) fn counts(statement: &Statement, evidence: &ImageEvidence) -> bool {
    match &evidence.manifest {
        ManifestPresence::Unknown(unknown) if unknown.cause == Cause::ImageNotFound => statement.place != evidence.repository.to_string(),
        _ => true,
    }
}

/// Why an absence cannot be said, if it cannot: one must have looked everywhere, after the manifest itself was seen.
#[must_use]
pub fn not_looked(evidence: &ImageEvidence) -> Option<UnknownAnswer> {
    if let SubjectState::Unknown(unknown) = &evidence.subject {
        return Some(unknown.clone());
    }
    let not_asked = || UnknownAnswer { cause: Cause::NotCaptured, detail: "signatures of this image were not asked for".to_owned() };
    match &evidence.manifest {
        ManifestPresence::Seen { .. } => {}
        ManifestPresence::Unknown(unknown) => return Some(unknown.clone()),
        ManifestPresence::NotAsked => return Some(not_asked()),
    }
    let unanswered = evidence.places.iter().find_map(|place| match &place.outcome {
        PlaceOutcome::Unknown(unknown) => Some(unknown.clone()),
        PlaceOutcome::Looked(_) | PlaceOutcome::NotAuthoritative => None,
    });
    if unanswered.is_some() {
        return unanswered;
    }
    if evidence.index == IndexAbove::NotAtHand {
        return Some(UnknownAnswer {
            cause: Cause::IndexUnknown,
            detail: "the tag has moved on and nothing that it leads to lists what runs; the index it came from may have been signed"
                .to_owned(),
        });
    }
    let looked = evidence.places.iter().any(|place| matches!(place.outcome, PlaceOutcome::Looked(_)));
    (!looked).then(|| match evidence.places.first() {
        None => not_asked(),
        Some(place) => UnknownAnswer {
            cause: Cause::EvidenceLocationIncomplete,
            detail: format!("{} is declared a mirror and has nothing; its origin was not asked", place.place),
        },
    })
}

impl TrustPolicies {
    /// What the policies say about an image.
    #[must_use]
    pub fn judge(&self, image: &ImageEvidence, asked: &Asked<'_>, as_of: AsOf) -> Ruling {
        Bench { policies: self, image, asked, attestations: None, as_of }.judge()
    }

    /// The one that a control means; where two policies have one of that name, nobody can tell which.
    pub(super) fn authority_named(&self, name: &str) -> Result<&CompiledAuthority, String> {
        let own = self.policies.iter().filter(|policy| policy.origin != PolicyOrigin::Keys);
        let found: Vec<_> = own.filter_map(|policy| Some((policy, policy.authorities.get(name)?))).collect();
        match found.as_slice() {
            [(_, authority)] => Ok(*authority),
            [] => Err(format!("no trust policy has an authority {name}")),
            several => {
                let policies: Vec<_> = several.iter().map(|(policy, _)| policy.name.as_str()).collect();
                Err(format!("several trust policies have an authority {name} ({}): rename all but one", policies.join(", ")))
            }
        }
    }
}

/// The authorities that a requirement names.
pub(super) fn members<'a>(policy: &'a Compiled, require: &Requirement) -> Vec<&'a CompiledAuthority> {
    let names = require.any_of.iter().chain(&require.all_of).chain(&require.of).flatten();
    names.filter_map(|name| policy.authorities.get(name)).collect()
}

/// What is judged, and how.
pub(super) struct Bench<'a> {
    pub(super) policies: &'a TrustPolicies,
    pub(super) image: &'a ImageEvidence,
    pub(super) asked: &'a Asked<'a>,
    /// Where it is about attestations: about which, beside what, and what they have to say. Else it is about signatures.
    pub(super) attestations: Option<AskedOfAttestations<'a>>,
    pub(super) as_of: AsOf,
}

impl Bench<'_> {
    /// What the policies say.
    pub(super) fn judge(&self) -> Ruling {
        if let AskedBy::Authorities(names) = self.asked.by {
            if names.is_empty() {
                let detail = "the control names no authority: whose signature is wanted is not said".to_owned();
                return Ruling::Unknown { cause: Cause::TrustRootUnavailable, detail };
            }
            let authorities: Vec<_> = match names.iter().map(|name| self.policies.authority_named(name)).collect() {
                Ok(authorities) => authorities,
                Err(detail) => return Ruling::Unknown { cause: Cause::TrustRootUnavailable, detail },
            };
            return self.unless_revoked(|| self.at_least(&authorities, self.asked.at_least.unwrap_or(1)));
        }
        match self.policies.applicable(&self.image.repository, self.asked.keys) {
            Applicable::Ignored => self.unless_revoked(|| Ruling::Irrelevant),
            // A configuration that can be read in two ways says nothing.
            Applicable::Tie(detail) => Ruling::Unknown { cause: Cause::TrustRootUnavailable, detail },
            Applicable::Rejected => self.nobody(),
            Applicable::Rules(rules) => {
                let rulings = rules.into_iter().map(|(policy, rule)| self.rule(policy, &rule.require));
                all(rulings)
            }
        }
    }

    /// What one rule of one policy says.
    fn rule(&self, policy: &Compiled, require: &Requirement) -> Ruling {
        let authorities = members(policy, require);
        self.unless_revoked(|| {
            if let Some(at_least) = require.at_least {
                return self.at_least(&authorities, at_least.max(self.asked.at_least.unwrap_or(1)));
            }
            if require.all_of.is_some() {
                return match (self.asked.at_least, self.each(&authorities)) {
                    (Some(at_least), Ruling::Verified(..)) => self.at_least(&authorities, at_least),
                    (_, each) => each,
                };
            }
            self.at_least(&authorities, self.asked.at_least.unwrap_or(1))
        })
    }

    /// Whether each of these holds.
    fn each(&self, authorities: &[&CompiledAuthority]) -> Ruling {
        let each: Vec<_> = authorities.iter().map(|authority| self.at_least(&[*authority], 1)).collect();
        let held = each.iter().filter(|ruling| matches!(ruling, Ruling::Verified(..))).count();
        match all(each.into_iter()) {
            Ruling::Rejected { detail, .. } if held > 0 => {
                let detail = format!("{held} of {} authorities hold; {detail}", authorities.len());
                Ruling::Rejected { reason: Reason::TooFewAuthorities, detail }
            }
            ruling => ruling,
        }
    }

    /// A revoked image is rejected whoever signed it, whichever policy says so.
    fn unless_revoked(&self, otherwise: impl FnOnce() -> Ruling) -> Ruling {
        if let Some(detail) = self.policies.revoked_image(digests_of(self.image), self.as_of) {
            return Ruling::Rejected { reason: Reason::Revoked, detail };
        }
        let any_image = self.policies.revocations.iter().any(|revoked| revoked.is_of_images(self.as_of.moment));
        match (otherwise(), &self.image.index) {
            // The index that the reference leads to may be what was revoked.
            (Ruling::Verified(..), IndexAbove::Unknown(why)) if any_image => Ruling::unknown(why.clone()),
            (Ruling::Verified(held, mut warnings), IndexAbove::NotAtHand) if any_image => {
                warnings.push(
                    "the index that it was pulled by is not at hand: where an index is revoked, revoke the manifests that it lists too"
                        .to_owned(),
                );
                Ruling::Verified(held, warnings)
            }
            (ruling, _) => ruling,
        }
    }

    /// No rule trusts anybody for the image.
    fn nobody(&self) -> Ruling {
        let signer = self
            .statements()
            .flat_map(|(_, statement)| statement.proofs.iter())
            .find_map(|proof| proof.signer.as_ref())
            .map_or_else(String::new, |signer| format!("signed by {}; ", describe(signer)));
        if self.statements().next().is_some() {
            let detail = format!("{signer}no rule of the trust policy is about {}", self.image.repository);
            return Ruling::Rejected { reason: Reason::IdentityMismatch, detail };
        }
        self.without(1, 0, Vec::new())
    }

    /// Whether so many different authorities of these hold.
    fn at_least(&self, authorities: &[&CompiledAuthority], wanted: u32) -> Ruling {
        let mut held: Vec<(usize, &CompiledAuthority, Box<Accepted>)> = Vec::new();
        let mut rejected: Vec<Opinion> = Vec::new();
        let mut unknown: Vec<(usize, Opinion)> = Vec::new();
        for (position, statement) in self.statements() {
            let found = Cell::new(Found::NotOurs);
            for authority in authorities.iter().copied() {
                let narrow = |opinion| self.asked_of(statement, &authority.name, &found, self.narrowed(authority, opinion));
                match authority.examine(&self.policies.revocations, statement, self.as_of, narrow).0 {
                    Opinion::Verified(by) => held.push((position, authority, by)),
                    opinion @ Opinion::Rejected { .. } => rejected.push(opinion),
                    opinion @ Opinion::Unknown { .. } => unknown.push((position, opinion)),
                    Opinion::NotThere => {}
                }
            }
            if let Some(ruling) = self.contradicted(found.into_inner()) {
                return ruling;
            }
        }
        if self.asks_all()
            && let Some((_, Opinion::Unknown { cause, detail })) =
                unknown.iter().find(|(position, _)| !held.iter().any(|(holding, ..)| holding == position))
        {
            return Ruling::Unknown { cause: *cause, detail: detail.clone() };
        }
        if self.asks_all()
            && let Some(why) = self.not_looked()
        {
            return Ruling::unknown(why);
        }
        let shown: Vec<_> = held.iter().map(|(position, _, by)| Shown::of(*position, &by.signer)).collect();
        let counted = distinct(&shown);
        let reached = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        if reached >= wanted {
            return self.verified(&held, &counted);
        }
        if let Some(why) = self.not_looked() {
            return Ruling::unknown(why);
        }
        if most(&shown, unknown.iter().map(|(position, _)| *position)) >= wanted
            && let Some((_, Opinion::Unknown { cause, detail })) = unknown.into_iter().next()
        {
            return Ruling::Unknown { cause, detail };
        }
        self.without(wanted, reached, rejected)
    }

    /// What is asked beyond the policy.
    fn narrowed(&self, authority: &CompiledAuthority, opinion: Opinion) -> Opinion {
        let Opinion::Verified(accepted) = &opinion else { return opinion };
        let refused = |reason: Reason, detail: String| Opinion::Rejected { progress: u8::MAX, reason, detail };
        let by = describe(&accepted.signer);
        if self.asked.keyless_only && authority.is_long_lived() {
            return refused(Reason::IdentityMismatch, format!("signed by {by}, which lives long; a short-lived certificate is asked for"));
        }
        if self.asked.workload_only && is_person(&accepted.signer) {
            return refused(Reason::IdentityMismatch, format!("signed by {by}, a person; the identity of a workload is asked for"));
        }
        let no_log = self.asked.transparency_log && accepted.log.is_none();
        let no_time = self.asked.proven_time && accepted.time.is_none();
        // What is not looked at is not said to be missing.
        let not_logged = || match authority.log {
            Demand::UnsafeIgnore => format!("signed by {by}; authority {} looks at no transparency log", authority.name),
            Demand::Required | Demand::Optional => format!("signed by {by}, and not in a transparency log"),
        };
        let not_timed = || match (authority.time, authority.log) {
            (Demand::UnsafeIgnore, _) => format!("signed by {by}; authority {} looks at no time of signing", authority.name),
            (_, Demand::UnsafeIgnore) => format!("signed by {by} at no time that is proven without a transparency log"),
            _ => format!("signed by {by} at no proven time"),
        };
        // A failure is certain, so it comes before what is not known.
        match (&accepted.log_doubt, &accepted.time_doubt) {
            (None, _) if no_log => refused(Reason::LogEntryMissing, not_logged()),
            (_, None) if no_time => refused(Reason::TimestampMissing, not_timed()),
            (Some(why), _) if no_log => Opinion::Unknown { cause: why.cause, detail: why.detail.clone() },
            (_, Some(why)) if no_time => Opinion::Unknown { cause: why.cause, detail: why.detail.clone() },
            _ => opinion,
        }
    }

    fn verified(&self, held: &[(usize, &CompiledAuthority, Box<Accepted>)], counted: &[usize]) -> Ruling {
        let mut shown = Vec::new();
        let mut warnings = Vec::new();
        for (position, authority, accepted) in counted.iter().filter_map(|counted| held.get(*counted)) {
            let Some(statement) = self.image.statements.get(*position) else { continue };
            warnings.extend(accepted.warnings.iter().cloned());
            shown.push(Held {
                authority: authority.name.clone(),
                signer: accepted.signer.clone(),
                time: accepted.time.clone(),
                log: accepted.log.clone(),
                statement: *position,
                carrier: statement.carrier.clone(),
            });
        }
        Ruling::Verified(shown, warnings)
    }

    /// Too few hold, and nothing that is not known could change it.
    fn without(&self, wanted: u32, reached: u32, rejected: Vec<Opinion>) -> Ruling {
        if let Some(why) = self.not_looked() {
            return Ruling::unknown(why);
        }
        let nearest = rejected.into_iter().reduce(better);
        if wanted > 1 && reached > 0 {
            let but = match nearest {
                Some(Opinion::Rejected { detail, .. }) => format!("; {detail}"),
                _ => String::new(),
            };
            let detail = format!("{reached} of {wanted} different signers hold{but}");
            return Ruling::Rejected { reason: Reason::TooFewAuthorities, detail };
        }
        if let Some(Opinion::Rejected { reason, detail, .. }) = nearest {
            return Ruling::Rejected { reason, detail };
        }
        if let Some(attestations) = &self.attestations {
            return attestations.without(self.image);
        }
        let of_others = self.image.statements.iter().filter(|statement| statement.is_signature());
        let other = of_others.filter_map(|statement| match &statement.relation {
            Relation::NamesOthers(digests) => Some(digests.first().map_or_else(|| "no digest".to_owned(), Digest::short)),
            Relation::Names | Relation::Malformed(_) => None,
        });
        if let Some(other) = other.into_iter().next() {
            return Ruling::Rejected { reason: Reason::DigestMismatch, detail: format!("a signature that lies there names {other}") };
        }
        // Bytes of their digest that are no signature: something lies there, and it is not nothing.
        let malformed = self.image.statements.iter().find_map(|statement| match &statement.relation {
            Relation::Malformed(why) => Some(format!("what lies there cannot be parsed: {why}")),
            Relation::Names | Relation::NamesOthers(_) => None,
        });
        malformed.map_or(Ruling::Absent, |detail| Ruling::Rejected { reason: Reason::Malformed, detail })
    }
}

/// Whether a certificate names a person: by an e-mail address, or a user name.
fn is_person(signer: &Signer) -> bool {
    match signer {
        Signer::Key { .. } => false,
        Signer::Certificate(claims) => claims.names.iter().any(|name| matches!(name, SubjectName::Email(_) | SubjectName::Username(_))),
    }
}

/// As many signers as there can be at most: each signature that is not known may show one more, and none of them two.
fn most(shown: &[Shown], unknown: impl Iterator<Item = usize>) -> u32 {
    let unknown: BTreeSet<usize> = unknown.collect();
    let known: Vec<_> = shown.iter().filter(|shown| !unknown.contains(&shown.statement)).cloned().collect();
    u32::try_from(distinct(&known).len() + unknown.len()).unwrap_or(u32::MAX)
}

/// All must hold: a rejection is certain, else what is not known stays so.
pub(super) fn all(rulings: impl Iterator<Item = Ruling>) -> Ruling {
    let mut shown = Vec::new();
    let mut told = Vec::new();
    let mut unknown = None;
    for ruling in rulings {
        match ruling {
            Ruling::Verified(held, warnings) => {
                shown.extend(held.into_iter().filter(|held| !shown.contains(held)).collect::<Vec<_>>());
                told.extend(warnings);
            }
            Ruling::Unknown { .. } => drop(unknown.get_or_insert(ruling)),
            Ruling::Irrelevant | Ruling::Rejected { .. } | Ruling::Absent => return ruling,
        }
    }
    unknown.unwrap_or(Ruling::Verified(shown, told))
}
