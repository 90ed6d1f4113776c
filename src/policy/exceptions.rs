//! Exceptions: which of them are about an answer, and whether they hold as of a moment.
//!
//! Nothing here knows a rule: an exception sees an answer that is made, and never makes one.

mod covers;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::documents::{
    Age, Control, Exception, Framework, KubescapeException, Moment, NamedException, NamedExceptionPolicy, Subject as AboutWhat,
};
use crate::model::{Cause, ExceptionState, Judgement};

pub use covers::{ExceptedContainer, ExceptionSubject};

/// How long before its end an exception is named as one that ends soon.
pub const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Exceptions as they were read, in the order of the files and within them, and what organisations allow.
#[derive(Debug, Clone, Default)]
pub struct ExceptionSet {
    entries: Vec<Entry>,
    /// The shortest of the longest terms, and the policy that sets it.
    longest_term: Option<(Age, String)>,
    not_exceptable: BTreeSet<String>,
}

/// One exception of either form.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    file: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    Own(Box<Exception>),
    Kubescape(Box<KubescapeException>),
}

impl Entry {
    fn expires(&self) -> Option<Moment> {
        match &self.form {
            Form::Own(own) => Some(own.expires),
            Form::Kubescape(theirs) => theirs.expires,
        }
    }

    fn accepts(&self, cause: Cause) -> bool {
        match &self.form {
            Form::Own(own) => own.accept_unknown.contains(&cause),
            Form::Kubescape(_) => false,
        }
    }
}

impl ExceptionSet {
    /// Adds an exception of our own form.
    pub fn add(&mut self, file: &str, named: NamedException) {
        self.entries.push(Entry { name: named.name, file: file.to_owned(), form: Form::Own(Box::new(named.exception)) });
    }

    /// Adds an entry of Kubescape's file, the `position`th from 0 in it.
    pub fn add_kubescape(&mut self, file: &str, position: usize, entry: KubescapeException) {
        let name = if entry.name.is_empty() { format!("entry {}", position + 1) } else { entry.name.clone() };
        self.entries.push(Entry { name, file: file.to_owned(), form: Form::Kubescape(Box::new(entry)) });
    }

    /// Adds what an organisation allows; of several the strictest counts.
    pub fn add_policy(&mut self, named: NamedExceptionPolicy) {
        let NamedExceptionPolicy { name, policy } = named;
        if let Some(term) = policy.longest_term
            && self.longest_term.as_ref().is_none_or(|(known, _)| term < *known)
        {
            self.longest_term = Some((term, name));
        }
        self.not_exceptable.extend(policy.not_exceptable);
    }

    /// Whether there is no exception.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The exceptions as of a moment, among the frameworks that are asked for.
    #[must_use]
    pub fn at<'a>(&'a self, as_of: Timestamp, frameworks: &'a [&'a Framework]) -> Exceptions<'a> {
        let states = self.entries.iter().map(|entry| self.state(entry, as_of)).collect();
        Exceptions { set: self, frameworks, as_of, states }
    }

    fn state(&self, entry: &Entry, as_of: Timestamp) -> (ExceptionState, Option<String>) {
        let end = entry.expires().map(Moment::end);
        if end.is_some_and(|end| end <= as_of) {
            return (ExceptionState::Expired, None);
        }
        if let Some((term, policy)) = &self.longest_term {
            let longest = as_of.checked_add(term.duration()).unwrap_or(Timestamp::MAX);
            match entry.expires() {
                None => return (ExceptionState::NotAllowed, Some(format!("it has no end, and {policy} allows {term} at most"))),
                Some(moment) if moment.end() > longest && !same_day(moment, longest) => {
                    let why = format!("it ends on {}, and {policy} allows {term} at most", moment);
                    return (ExceptionState::NotAllowed, Some(why));
                }
                Some(_) => {}
            }
        }
        if let Form::Own(own) = &entry.form
            && own.controls.iter().all(|id| self.not_exceptable.contains(id))
        {
            return (ExceptionState::NotAllowed, Some(format!("{} may not be excepted", own.controls.join(", "))));
        }
        let soon = as_of.checked_add(SOON).unwrap_or(Timestamp::MAX);
        let state = if end.is_some_and(|end| end <= soon) { ExceptionState::Expiring } else { ExceptionState::InForce };
        (state, None)
    }
}

/// Whether a day is the one on which the longest term ends: to be refused for the rest of it would surprise.
fn same_day(moment: Moment, longest: Timestamp) -> bool {
    matches!(moment, Moment::Day(_)) && moment.first() <= longest
}

/// Exceptions as of a moment.
#[derive(Debug)]
pub struct Exceptions<'a> {
    set: &'a ExceptionSet,
    frameworks: &'a [&'a Framework],
    as_of: Timestamp,
    states: Vec<(ExceptionState, Option<String>)>,
}

/// What an exception does to an answer that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It turns it.
    Turns,
    /// It would turn it, and does not hold: why, for the person who reads the finding.
    Lapsed(String),
}

/// An exception as a report has it, before anything was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// The file that it is from.
    pub file: &'a str,
    /// Why it was made.
    pub reason: &'a str,
    /// The last second in which it holds.
    pub expires: Option<Timestamp>,
    /// Who answers for it.
    pub owner: Option<&'a str>,
    /// Who approved it.
    pub approved_by: Option<&'a str>,
    /// Where it was asked for.
    pub ticket: Option<&'a str>,
    /// Whether it holds.
    pub state: ExceptionState,
    /// What a person should know whatever it matches.
    pub warnings: Vec<String>,
}

impl Exceptions<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Whether the exception at this position is about a control at all.
    #[must_use]
    pub fn names(&self, position: usize, control: &Control) -> bool {
        self.set.entries.get(position).is_some_and(|entry| covers::names(&entry.form, control, self.frameworks))
    }

    /// Whether the exception at this position, which is about the control, is about this subject.
    #[must_use]
    pub fn covers(&self, position: usize, subject: &ExceptionSubject<'_>) -> bool {
        self.set.entries.get(position).is_some_and(|entry| covers::covers(&entry.form, subject))
    }

    /// What the exception at this position does to an answer of the control that it covers: nothing to a pass, and to an unknown only where
    /// it accepts the cause.
    #[must_use]
    pub fn effect(&self, position: usize, control: &Control, judgement: &Judgement) -> Option<Effect> {
        let (entry, (state, why)) = (self.set.entries.get(position)?, self.states.get(position)?);
        let answers = match judgement {
            Judgement::Pass { .. } => false,
            Judgement::Fail { .. } => true,
            Judgement::Unknown { cause, .. } => entry.accepts(*cause),
        };
        answers.then(|| match (state, why) {
            (ExceptionState::Expired, _) => {
                let end = entry.expires().map(|end| end.to_string()).unwrap_or_default();
                Effect::Lapsed(format!("exception {} ended on {end}", entry.name))
            }
            (ExceptionState::NotAllowed, why) => {
                Effect::Lapsed(format!("exception {} is not allowed: {}", entry.name, why.as_deref().unwrap_or("the organisation says so")))
            }
            (ExceptionState::InForce | ExceptionState::Expiring, _) if self.set.not_exceptable.contains(&control.id) => {
                Effect::Lapsed(format!("exception {} does not hold for {}, which may not be excepted", entry.name, control.id))
            }
            (ExceptionState::InForce | ExceptionState::Expiring, _) => Effect::Turns,
        })
    }

    /// Each exception, in order.
    pub fn facts(&self) -> impl Iterator<Item = ExceptionFacts<'_>> {
        self.set.entries.iter().zip(&self.states).map(|(entry, (state, why))| {
            // A day is over when the next one begins; what a report shows of it is that day.
            let expires = entry.expires().map(|moment| match moment {
                Moment::Day(_) => moment.end().checked_sub(SignedDuration::from_secs(1)).unwrap_or(moment.end()),
                Moment::Instant(instant) => instant,
            });
            let (reason, owner, approved_by, ticket) = match &entry.form {
                Form::Own(own) => (own.reason.as_str(), Some(own.owner.as_str()), own.approved_by.as_deref(), own.ticket.as_deref()),
                Form::Kubescape(theirs) => (theirs.reason.as_str(), theirs.created_by.as_deref(), None, None),
            };
            let warnings = self.warnings(entry, *state, why.as_deref());
            ExceptionFacts { name: &entry.name, file: &entry.file, reason, expires, owner, approved_by, ticket, state: *state, warnings }
        })
    }

    fn warnings(&self, entry: &Entry, state: ExceptionState, why: Option<&str>) -> Vec<String> {
        let mut warnings = Vec::new();
        match state {
            ExceptionState::Expired => {
                warnings.push(format!("it ended on {}", entry.expires().map(|end| end.to_string()).unwrap_or_default()))
            }
            ExceptionState::Expiring => {
                let left = entry.expires().map(|moment| moment.end().duration_since(self.as_of)).unwrap_or_default();
                warnings.push(match left.as_hours() / 24 {
                    0 => "it ends in less than a day".to_owned(),
                    1 => "it ends in 1 day".to_owned(),
                    days => format!("it ends in {days} days"),
                });
            }
            ExceptionState::NotAllowed | ExceptionState::InForce => {}
        }
        warnings.extend(why.map(|why| format!("it is not allowed: {why}")));
        match &entry.form {
            Form::Own(own) => {
                let refused: Vec<_> = own.controls.iter().filter(|id| self.set.not_exceptable.contains(*id)).map(String::as_str).collect();
                if state != ExceptionState::NotAllowed && !refused.is_empty() {
                    warnings.push(format!("it does not hold for {}: not to be excepted", refused.join(", ")));
                }
            }
            Form::Kubescape(theirs) => warnings.extend(theirs.notes.iter().cloned()),
        }
        warnings
    }

    /// The controls that the exception at this position names one by one; none for Kubescape's, which names them by expressions.
    #[must_use]
    pub fn controls_named(&self, position: usize) -> &[String] {
        match self.set.entries.get(position).map(|entry| &entry.form) {
            Some(Form::Own(own)) => &own.controls,
            Some(Form::Kubescape(_)) | None => &[],
        }
    }

    /// Whether the exception at this position leaves nothing out of what these controls judge. About the cluster as a whole there is nothing
    /// to leave out.
    #[must_use]
    pub fn limits_nothing(&self, position: usize, controls: &[&Control]) -> bool {
        let Some(entry) = self.set.entries.get(position) else { return false };
        let mut named = controls.iter().filter(|control| covers::names(&entry.form, control, self.frameworks));
        let about_containers = named.any(|control| control.subject == AboutWhat::Container);
        about_containers && covers::limits_nothing(&entry.form)
    }
}
