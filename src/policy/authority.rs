//! One authority against one signature: whether the proofs are what it asks for, and whether it is who the policy means.

use jiff::Timestamp;

use super::compiled::{CompiledAuthority, Vouches};
use super::revocation::Revoked;
use super::ruling::AsOf;
use crate::documents::Demand;
use crate::model::{
    Cause, CertificateClaims, LogRecord, PolicyStep, Proof, ProvenTime, Reason, Relation, Signer, Statement, StatementFormat, Step,
    StepOutcome, SubjectName, TimeSource, UnknownAnswer,
};

/// What one authority says of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opinion {
    /// It is the authority's, and everything asked for holds.
    Verified(Box<Accepted>),
    /// It is not, or something does not hold; how far it got.
    Rejected { progress: u8, reason: Reason, detail: String },
    /// It is not known.
    Unknown { cause: Cause, detail: String },
    /// As of the moment it was not there yet.
    NotThere,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) signer: Signer,
    pub(super) time: Option<ProvenTime>,
    pub(super) log: Option<LogRecord>,
    /// Why there may be a log entry after all, where none is known.
    pub(super) log_doubt: Option<UnknownAnswer>,
    /// Why a time may be proven after all, where none is known.
    pub(super) time_doubt: Option<UnknownAnswer>,
    pub(super) warnings: Vec<String>,
}

/// When a signature was first seen, as far as all the proofs of an authority show.
struct Seen {
    earliest: Option<Timestamp>,
    /// Why it may have been seen earlier.
    doubt: Option<UnknownAnswer>,
}

/// How far a rejected signature got: the nearer it came, the more its rejection says.
mod progress {
    pub(super) const FORM: u8 = 0;
    pub(super) const OTHER_KIND: u8 = 1;
    pub(super) const OTHER_KEY: u8 = 2;
    pub(super) const PROOF: u8 = 4;
    /// The same of one that claims to be by whom the authority means.
    pub(super) const PROOF_OF_MEANT: u8 = 5;
    pub(super) const NAMES: u8 = 6;
    pub(super) const ENDED: u8 = 8;
}

const UNLOGGED: &str = "there is no entry of a transparency log, which the policy asks for";

fn rejected(progress: u8, reason: Reason, detail: impl Into<String>) -> Opinion {
    Opinion::Rejected { progress, reason, detail: detail.into() }
}

impl CompiledAuthority {
    /// What it says of a signature that names the subject, with the proof that it rests on: of several, the one that came furthest after
    /// each was narrowed by what is asked beyond the policy. (The log may be shown by the proof under one root, and not by another.)
    pub(super) fn examine<'s>(
        &self,
        revocations: &[Revoked],
        statement: &'s Statement,
        as_of: AsOf,
        narrow: impl Fn(Opinion) -> Opinion,
    ) -> (Opinion, Option<&'s Proof>) {
        if let Relation::Malformed(why) = &statement.relation {
            return (rejected(progress::FORM, Reason::Malformed, format!("it cannot be parsed: {why}")), None);
        }
        if let Some(detail) = unsupported(&statement.format) {
            return (Opinion::Unknown { cause: Cause::UnsupportedFormat, detail }, None);
        }
        if let Some(unknown) = &self.unavailable {
            // Whose certificate it is any other root's proof says.
            let proof = statement.proofs.iter().find(|proof| matches!(proof.signer, Some(Signer::Certificate(_))));
            let opinion = Opinion::Unknown { cause: unknown.cause, detail: unknown.detail.clone() };
            return (self.unless_of_another(opinion, proof), None);
        }
        let own = statement.proofs.iter().filter(|proof| self.trials.contains(&proof.trial));
        // What one root proves of the time is so, whatever another root does not know.
        let earliest = own.clone().filter_map(Proof::proven_time).map(|time| time.at).min();
        // Whatever could not be checked may have kept a time from being found.
        let doubt = own.clone().find_map(|proof| doubt(proof, &Step::ALL));
        let seen = Seen { earliest, doubt };
        let judge = |proof: &Proof| self.unless_of_another(self.judge(revocations, proof, &seen, as_of), Some(proof));
        let judged = own.map(|proof| (narrow(judge(proof)), Some(proof)));
        let best = judged.reduce(|one, other| if better(one.0.clone(), other.0.clone()) == one.0 { one } else { other });
        best.unwrap_or_else(|| (self.other_kind(statement), statement.proofs.first()))
    }

    /// What it checks beyond the proof, step by step, whether or not the proof holds.
    pub(super) fn checks(&self, revocations: &[Revoked], proof: &Proof, as_of: AsOf) -> Vec<(PolicyStep, StepOutcome)> {
        let Some(signer) = &proof.signer else { return Vec::new() };
        let failed = |opinion: Opinion| match opinion {
            Opinion::Rejected { reason, detail, .. } => StepOutcome::Failed { reason, detail },
            Opinion::Unknown { cause, detail } => StepOutcome::unknown(cause, detail),
            Opinion::Verified(_) | Opinion::NotThere => StepOutcome::NotApplicable,
        };
        let asks_extensions = matches!(&self.vouches, Vouches::Keyless { extensions, .. } if !extensions.is_empty());
        let (names, extensions) = match self.other_names(signer) {
            None => (
                StepOutcome::Held(describe(signer)),
                if asks_extensions { held_extensions(&self.vouches) } else { StepOutcome::NotApplicable },
            ),
            Some(opinion @ Opinion::Rejected { reason: Reason::ExtensionMismatch, .. }) => {
                (StepOutcome::Held(describe(signer)), failed(opinion))
            }
            Some(opinion) => (failed(opinion), StepOutcome::NotApplicable),
        };
        let signed = self.counted_time(proof).map(|time| time.at);
        // What is only claimed cannot be shown to fit, even where it does not contradict.
        let only_claimed = !matches!(self.vouches, Vouches::Key) && !proof.step(Step::CertificateChain).held();
        let claimed = |outcome: StepOutcome| if only_claimed && outcome.held() { StepOutcome::NotApplicable } else { outcome };
        let (names, extensions) = (claimed(names), claimed(extensions));
        let (_, doubt) = self.doubts(proof);
        let in_force = match (names.held(), self.not_in_force(revocations, signer, signed, doubt.as_ref(), as_of.moment)) {
            (false, _) => StepOutcome::NotApplicable,
            (true, Some(opinion)) => failed(opinion),
            (true, None) => StepOutcome::Held("the authority was in force, and nothing is revoked".to_owned()),
        };
        vec![(PolicyStep::Signer, names), (PolicyStep::Extensions, extensions), (PolicyStep::InForce, in_force)]
    }

    /// What is not known of a signature need not be known where its certificate names somebody else: whatever turned out to be true of its
    /// proofs, it would not be of whom the policy means.
    fn unless_of_another(&self, opinion: Opinion, proof: Option<&Proof>) -> Opinion {
        let (Opinion::Unknown { .. }, Some(signer @ Signer::Certificate(_))) = (&opinion, proof.and_then(|proof| proof.signer.as_ref()))
        else {
            return opinion;
        };
        match self.other_names(signer) {
            // With a key that it names by itself, the certificate beside it says nothing.
            Some(Opinion::Rejected { reason, detail, .. }) if !matches!(self.vouches, Vouches::Key) => {
                rejected(progress::OTHER_KEY, reason, detail.replacen("signed by", "claims to be by", 1))
            }
            _ => opinion,
        }
    }

    /// What it says of a signature by a kind of signer that it does not vouch for.
    fn other_kind(&self, statement: &Statement) -> Opinion {
        let by = statement.proofs.first().and_then(|proof| proof.signer.as_ref()).map(describe);
        let by = by.unwrap_or_else(|| "somebody else".to_owned());
        match self.vouches {
            Vouches::Key => {
                rejected(progress::OTHER_KIND, Reason::KeyMismatch, format!("signed by {by}; the policy wants the key of {}", self.name))
            }
            Vouches::Keyless { .. } | Vouches::Certificate { .. } => {
                rejected(progress::OTHER_KIND, Reason::IdentityMismatch, format!("signed by a key; the policy wants {}", self.wanted()))
            }
        }
    }

    fn judge(&self, revocations: &[Revoked], proof: &Proof, seen: &Seen, as_of: AsOf) -> Opinion {
        let first = proof.proven_time().map(|time| time.at).or(seen.earliest);
        let later = first.filter(|first| *first > as_of.latest());
        if let Some(later) = later {
            if !as_of.rewound {
                let detail = format!("it is proven to be of {later}, which is later than now: set the clock (NTP)");
                return Opinion::Unknown { cause: Cause::ClockSkew, detail };
            }
            // Whatever else: what was signed later than the moment is not there as of it.
            if seen.doubt.is_none() {
                return Opinion::NotThere;
            }
        }
        let time = self.counted_time(proof).cloned();
        if let Some(opinion) = self.first_gap(proof, time.as_ref()) {
            return self.nearer_where_meant(opinion, proof);
        }
        if let Some(doubt) = &seen.doubt
            && as_of.rewound
            && (later.is_some() || first.is_none())
        {
            let detail = format!("whether it was there at {} is not known: {}", as_of.moment, doubt.detail);
            return Opinion::Unknown { cause: doubt.cause, detail };
        }
        let Some(signer) = &proof.signer else {
            return rejected(progress::FORM, Reason::Malformed, "it names no signer");
        };
        if let Some(opinion) = self.other_names(signer) {
            return opinion;
        }
        let signed = time.as_ref().map(|time| time.at);
        let (log_doubt, time_doubt) = self.doubts(proof);
        if let Some(opinion) = self.not_in_force(revocations, signer, signed, time_doubt.as_ref(), as_of.moment) {
            return opinion;
        }
        let log = proof.log.clone().filter(|_| self.log != Demand::UnsafeIgnore);
        Opinion::Verified(Box::new(Accepted { signer: signer.clone(), time, log, log_doubt, time_doubt, warnings: self.warnings(proof) }))
    }

    /// Whom a signature claims to be by decides which of several authorities tells what is wrong with it: not one that means others.
    fn nearer_where_meant(&self, opinion: Opinion, proof: &Proof) -> Opinion {
        let is_meant = || proof.signer.as_ref().is_some_and(|signer| self.other_names(signer).is_none());
        match opinion {
            Opinion::Rejected { progress: progress::PROOF, reason, detail } if is_meant() => {
                rejected(progress::PROOF_OF_MEANT, reason, detail)
            }
            opinion => opinion,
        }
    }

    /// What is not known of the log entry, and of the proven time, among what is looked at. A log may prove the time too.
    fn doubts(&self, proof: &Proof) -> (Option<UnknownAnswer>, Option<UnknownAnswer>) {
        let log = if self.log == Demand::UnsafeIgnore { None } else { doubt(proof, &[Step::LogEntry, Step::LogInclusion]) };
        let time = if self.time == Demand::UnsafeIgnore { None } else { doubt(proof, &[Step::TimeStamp]).or_else(|| log.clone()) };
        (log, time)
    }

    /// The earliest proven time of those that are looked at.
    fn counted_time<'p>(&self, proof: &'p Proof) -> Option<&'p ProvenTime> {
        let counts = |time: &&ProvenTime| match time.by {
            TimeSource::Log => self.log != Demand::UnsafeIgnore,
            TimeSource::TimeStampAuthority => true,
        };
        if self.time == Demand::UnsafeIgnore { None } else { proof.times.iter().find(counts) }
    }

    /// The first step that is asked for and does not hold: a failure is certain, so it comes before what is not known.
    fn first_gap(&self, proof: &Proof, time: Option<&ProvenTime>) -> Option<Opinion> {
        let by_certificate = !matches!(self.vouches, Vouches::Key);
        let mut asked = vec![Step::Form];
        if by_certificate {
            asked.push(Step::CertificateChain);
        }
        if self.sct {
            asked.push(Step::CertificateLog);
        }
        if self.log == Demand::Required {
            asked.extend([Step::LogEntry, Step::LogInclusion]);
        }
        if by_certificate {
            asked.push(Step::CertificateValidity);
        }
        asked.extend([Step::Signature, Step::Subject]);
        // Without a proven time a short-lived certificate proves nothing, whatever the policy asks.
        let needs_time = self.time == Demand::Required || matches!(self.vouches, Vouches::Keyless { .. });
        let no_time =
            (needs_time && proof.times.is_empty() || self.time == Demand::Required && time.is_none()).then(|| self.no_time(proof));
        let time_doubt = self.missing_time_doubt(proof);
        let mut unknown: Option<UnknownAnswer> = None;
        for step in asked {
            match proof.step(step) {
                // The certificate was compared with now, and a proof that cannot be checked may show that it signed in time.
                StepOutcome::Failed { .. } if step == Step::CertificateValidity && proof.times.is_empty() && time_doubt.is_some() => {
                    unknown = unknown.or_else(|| time_doubt.clone());
                }
                StepOutcome::Failed { reason, detail } => {
                    let progress = match reason {
                        Reason::KeyMismatch => progress::OTHER_KEY,
                        Reason::Malformed => progress::FORM,
                        _ => progress::PROOF,
                    };
                    return Some(rejected(progress, *reason, by_whom(proof, detail)));
                }
                StepOutcome::Unknown(why) => {
                    unknown.get_or_insert_with(|| why.clone());
                }
                StepOutcome::Held(_) | StepOutcome::Missing | StepOutcome::NotApplicable => {}
            }
        }
        // In the order of the steps: the entry of the log comes before the time that it would prove.
        let unlogged = || rejected(progress::PROOF, Reason::LogEntryMissing, by_whom(proof, UNLOGGED));
        if unknown.is_none() && self.log == Demand::Required && *proof.step(Step::LogEntry) == StepOutcome::Missing {
            return Some(unlogged());
        }
        // That no time is proven may only follow from what is not known.
        if let Some(UnknownAnswer { cause, detail }) = unknown {
            return Some(Opinion::Unknown { cause, detail });
        }
        if no_time.is_some() {
            return no_time;
        }
        let missing = |step: Step, reason: Reason, text: &str| {
            (!proof.step(step).held()).then(|| rejected(progress::PROOF, reason, by_whom(proof, text)))
        };
        let log = (self.log == Demand::Required && !proof.step(Step::LogInclusion).held()).then(unlogged);
        let sct = self
            .sct
            .then(|| {
                missing(Step::CertificateLog, Reason::SctMissing, "there is no signed certificate timestamp, which the policy asks for")
            })
            .flatten();
        let chain = by_certificate
            .then(|| missing(Step::CertificateChain, Reason::CertificateUntrusted, "its certificate was not verified"))
            .flatten();
        let signature = missing(Step::Signature, Reason::SignatureInvalid, "its signature was not verified");
        let subject = missing(Step::Subject, Reason::DigestMismatch, "what it names was not verified");
        log.or(sct).or(chain).or(signature).or(subject)
    }

    /// What cannot be checked, and may prove a time where none is proven. Where none is asked for, a log's counts in any case: what it
    /// is needed for is that the certificate was valid.
    fn missing_time_doubt(&self, proof: &Proof) -> Option<UnknownAnswer> {
        let log_counts = self.log != Demand::UnsafeIgnore || self.time != Demand::Required;
        let log: &[Step] = if log_counts { &[Step::LogEntry, Step::LogInclusion] } else { &[] };
        doubt(proof, &[Step::TimeStamp]).or_else(|| doubt(proof, log))
    }

    /// What it means that no time is proven.
    fn no_time(&self, proof: &Proof) -> Opinion {
        if let Some(why) = self.missing_time_doubt(proof) {
            return Opinion::Unknown { cause: why.cause, detail: why.detail };
        }
        match proof.step(Step::TimeStamp) {
            StepOutcome::Failed { reason, detail } => rejected(progress::PROOF, *reason, by_whom(proof, detail)),
            _ => rejected(
                progress::PROOF,
                Reason::TimestampMissing,
                by_whom(proof, "no time of signing is proven, which the policy asks for"),
            ),
        }
    }

    /// Whether the signer is somebody else than the policy means.
    fn other_names(&self, signer: &Signer) -> Option<Opinion> {
        let other = |reason: Reason, detail: String| Some(rejected(progress::NAMES, reason, detail));
        let (claims, issuer, subject, extensions) = match (&self.vouches, signer) {
            // That it is this key is what its trial has shown.
            (Vouches::Key, Signer::Key { .. }) => return None,
            (Vouches::Keyless { issuer, subject, extensions }, Signer::Certificate(claims)) => {
                (claims, Some(issuer), subject, &extensions[..])
            }
            (Vouches::Certificate { subject }, Signer::Certificate(claims)) => (claims, None, subject, &[][..]),
            _ => return other(Reason::IdentityMismatch, format!("signed by {}; the policy wants {}", describe(signer), self.wanted())),
        };
        let told = || format!("signed by {}; the policy wants {}", describe(signer), self.wanted());
        let others_too = claims.names.iter().any(|name| matches!(name, SubjectName::Other(_)));
        if others_too || !names(claims, issuer.is_none()).is_some_and(|names| names.iter().all(|name| subject.matches(name))) {
            return other(Reason::IdentityMismatch, told());
        }
        if let Some(issuer) = issuer
            && !claims.issuer.as_deref().is_some_and(|text| issuer.matches(text))
        {
            return other(Reason::IssuerMismatch, told());
        }
        let differing = extensions.iter().find(|(name, wanted)| !claims.extensions.get(name).is_some_and(|text| wanted.matches(text)))?;
        let (name, wanted) = differing;
        let found = claims.extensions.get(name).map_or_else(|| "has no".to_owned(), |text| format!("has {text:?} as"));
        other(
            Reason::ExtensionMismatch,
            format!("signed by {}, whose certificate {found} {name}; the policy wants {wanted}", describe(signer)),
        )
    }

    /// Whether the authority had ended, had not begun, or was revoked when it signed. Where a proof of the time cannot be checked
    /// (`doubt`), it may show an earlier one: what would hold by then is not known.
    fn not_in_force(
        &self,
        revocations: &[Revoked],
        signer: &Signer,
        signed: Option<Timestamp>,
        doubt: Option<&UnknownAnswer>,
        as_of: Timestamp,
    ) -> Option<Opinion> {
        let by = describe(signer);
        let when = signed.map_or_else(|| "at no proven time".to_owned(), |signed| format!("at {signed}"));
        let certain = |reason: Reason, detail: String| rejected(progress::ENDED, reason, detail);
        let unless_earlier = |reason: Reason, detail: String| match doubt {
            Some(why) => {
                let detail = format!("{detail}; whether an earlier time can be proven is not known: {}", why.detail);
                Opinion::Unknown { cause: why.cause, detail }
            }
            None => certain(reason, detail),
        };
        // What has no proven time may have been signed at any moment up to now.
        let latest = signed.unwrap_or(as_of);
        let ended = self.until.filter(|until| latest >= *until).map(|until| {
            let detail = format!("signed by {by} {when}; authority {} is trusted before {until}", self.name);
            unless_earlier(Reason::AuthorityExpired, detail)
        });
        let not_begun = self.from.filter(|from| signed.is_none_or(|signed| signed < *from)).map(|from| {
            let detail = format!("signed by {by} {when}; authority {} is trusted from {from} on", self.name);
            match signed {
                Some(_) => certain(Reason::AuthorityExpired, detail),
                None => unless_earlier(Reason::AuthorityExpired, detail),
            }
        });
        let revoked = revocations.iter().filter_map(|revocation| {
            let detail = format!("signed by {by}; {}", revocation.of_signer(signer, signed, as_of)?);
            Some(if revocation.is_dated() { unless_earlier(Reason::Revoked, detail) } else { certain(Reason::Revoked, detail) })
        });
        // A failure is certain, so it comes before what is not known.
        let mut unknown = None;
        for opinion in ended.into_iter().chain(not_begun).chain(revoked) {
            match opinion {
                Opinion::Rejected { .. } => return Some(opinion),
                _ => drop(unknown.get_or_insert(opinion)),
            }
        }
        unknown
    }

    /// Proofs that are there, were not asked for, and do not hold.
    fn warnings(&self, proof: &Proof) -> Vec<String> {
        let mut optional = Vec::new();
        if self.log == Demand::Optional {
            optional.extend([Step::LogEntry, Step::LogInclusion]);
        }
        if self.time != Demand::UnsafeIgnore {
            optional.push(Step::TimeStamp);
        }
        let told = optional.into_iter().filter_map(|step| match proof.step(step) {
            StepOutcome::Failed { detail, .. } => Some(format!("its {} does not hold and proves nothing: {detail}", step.title())),
            StepOutcome::Unknown(why) => Some(format!("its {} cannot be checked and proves nothing: {}", step.title(), why.detail)),
            _ => None,
        });
        told.collect()
    }

    /// Whom it means, for a person.
    pub(super) fn wanted(&self) -> String {
        match &self.vouches {
            Vouches::Keyless { issuer, subject, .. } => format!("{subject} (issuer {issuer})"),
            Vouches::Key => format!("the key of {}", self.name),
            Vouches::Certificate { subject } => format!("{subject} under the authority of {}", self.name),
        }
    }
}

/// The first of these steps that is not known.
fn doubt(proof: &Proof, steps: &[Step]) -> Option<UnknownAnswer> {
    steps.iter().find_map(|step| match proof.step(*step) {
        StepOutcome::Unknown(why) => Some(why.clone()),
        _ => None,
    })
}

fn held_extensions(vouches: &Vouches) -> StepOutcome {
    let told = match vouches {
        Vouches::Keyless { extensions, .. } => extensions.iter().map(|(name, wanted)| format!("{name}: {wanted}")).collect(),
        Vouches::Key | Vouches::Certificate { .. } => Vec::new(),
    };
    StepOutcome::Held(told.join(", "))
}

/// The names that must all be the wanted one. A certificate that names several is somebody else's as much as the wanted one's; one that
/// names nobody is nobody's; one with a name that no policy can mean is never only the wanted one's. Under authorities of one's own the distinguished name stands in where there is no other.
fn names(claims: &CertificateClaims, own_authority: bool) -> Option<Vec<&str>> {
    let names: Vec<&str> = claims.names.iter().map(crate::model::SubjectName::text).collect();
    match names.is_empty() {
        false => Some(names),
        true if own_authority && !claims.subject.is_empty() => Some(vec![claims.subject.as_str()]),
        true => None,
    }
}

/// Why a form that is recognised is not verified.
fn unsupported(format: &StatementFormat) -> Option<String> {
    match format {
        StatementFormat::Notation { envelope } => Some(format!("Notation signatures ({envelope}) are not verified by this version")),
        StatementFormat::Unsupported { media_type } => Some(format!("signatures of the form {media_type} are not supported")),
        StatementFormat::SimpleSigning | StatementFormat::BundleMessage | StatementFormat::Dsse { .. } => None,
        // Asked about before: nobody signed it.
        StatementFormat::Unsigned { .. } | StatementFormat::Attached { .. } => None,
    }
}

fn by_whom(proof: &Proof, detail: &str) -> String {
    match &proof.signer {
        Some(signer @ Signer::Certificate(_)) => format!("claims to be by {}: {detail}", describe(signer)),
        _ => detail.to_owned(),
    }
}

/// A signer, for a person.
#[must_use]
pub fn describe(signer: &Signer) -> String {
    match signer {
        Signer::Key { fingerprint } => format!("key {}", fingerprint.short()),
        Signer::Certificate(claims) => {
            let names: Vec<_> = claims.names.iter().map(crate::model::SubjectName::text).collect();
            let name = match (names.is_empty(), claims.subject.is_empty()) {
                (false, _) if names.len() == 1 => names.join(""),
                // Quoted: one hostile name could look like two.
                (false, _) => format!("{names:?}"),
                (true, false) => claims.subject.clone(),
                (true, true) => "nobody by name".to_owned(),
            };
            match &claims.issuer {
                Some(issuer) => format!("{name} (issuer {issuer})"),
                None => name,
            }
        }
    }
}

/// The opinion that counts where a signature was tried in several ways.
pub(super) fn better(one: Opinion, other: Opinion) -> Opinion {
    let rank = |opinion: &Opinion| match opinion {
        // Of two that hold, the one that shows more.
        Opinion::Verified(accepted) => (3, u8::from(accepted.log.is_some()) + u8::from(accepted.time.is_some())),
        Opinion::Unknown { .. } => (2, 0),
        Opinion::Rejected { progress, .. } => (1, *progress),
        Opinion::NotThere => (0, 0),
    };
    if rank(&other) > rank(&one) { other } else { one }
}
