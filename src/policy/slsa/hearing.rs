//! Who vouches for one provenance, and for what level.

use super::{Attestor, Expectations, Lack, Nearness, ShownBy, Weight, certificate, higher};
use crate::model::{BuildLevel, CertificateClaims, Provenance, Reason, Signer, Statement, UnknownAnswer};
use crate::policy::authority::{Opinion, better, describe};
use crate::policy::builders::{CompiledBuilder, Id};

/// What all authorities say of one provenance.
pub(super) struct Hearing<'a> {
    provenance: &'a Provenance,
    expected: &'a Expectations<'a>,
    /// What its certificate claims: a fact of its bytes, worth something where the certificate holds.
    claims: Option<&'a CertificateClaims>,
    /// What it says otherwise than its certificate.
    contradiction: Option<Lack>,
    best: Option<(BuildLevel, ShownBy, Lack)>,
    /// Signed by somebody who is trusted, and not what it should be.
    refused: Option<Lack>,
    /// Signed by somebody who is trusted for other builders.
    stranger: Option<Lack>,
    /// Signed by somebody who is trusted for that builder, and other build types.
    other_type: Option<Lack>,
    nearest: Option<Opinion>,
    unknown: Option<(BuildLevel, UnknownAnswer)>,
    /// It is proven to be later than the moment that is judged as of.
    later: bool,
}

impl<'a> Hearing<'a> {
    pub(super) fn of(statement: &'a Statement, provenance: &'a Provenance, expected: &'a Expectations<'a>) -> Self {
        let claims = statement.proofs.iter().find_map(|proof| match &proof.signer {
            Some(Signer::Certificate(claims)) => Some(claims.as_ref()),
            _ => None,
        });
        let contradiction = claims.and_then(|claims| certificate::contradiction(provenance, claims));
        let (best, refused, stranger, other_type, nearest, unknown) = (None, None, None, None, None, None);
        Self { provenance, expected, claims, contradiction, best, refused, stranger, other_type, nearest, unknown, later: false }
    }

    pub(super) fn of_builder(&mut self, builder: &CompiledBuilder, opinion: Opinion) {
        let provenance = self.provenance;
        let its_type = builder.build_types.is_empty() || builder.build_types.contains(&provenance.build_type);
        let accepted = match opinion {
            Opinion::Verified(accepted) => accepted,
            Opinion::Unknown { cause, detail } => {
                if its_type && self.may_be(builder) && self.expected.expects(provenance, Some(&builder.name)) {
                    self.unknown = higher(self.unknown.take(), Some((builder.level, UnknownAnswer { cause, detail })));
                }
                return;
            }
            other => return self.not_its(other),
        };
        if !builder.id.matches(&provenance.builder, &accepted.signer) {
            let by = describe(&accepted.signer);
            let detail = format!("signed by {by}, which does not vouch for the builder {}", said(provenance));
            self.stranger.get_or_insert((Reason::BuilderUntrusted, detail));
        } else if !its_type {
            let detail = format!("{} is trusted for other build types than {}", builder.name, provenance.build_type);
            self.other_type.get_or_insert((Reason::BuilderUntrusted, detail));
        } else if !self.is_refused(Some(&builder.name)) && self.best.as_ref().is_none_or(|(known, ..)| builder.level > *known) {
            let attestor = Attestor { signer: accepted.signer, log: accepted.log };
            let lack = format!("builder {} is trusted for {} only", builder.name, builder.level);
            let by = ShownBy::Builder(builder.name.clone(), Box::new(attestor));
            self.best = Some((builder.level, by, (Reason::LevelTooLow, lack)));
        }
    }

    /// Signed by somebody who is trusted for the image, for a builder that nobody knows: that is level 1.
    pub(super) fn of_authority(&mut self, name: &str, opinion: Opinion) {
        let provenance = self.provenance;
        let accepted = match opinion {
            Opinion::Verified(accepted) => accepted,
            Opinion::Unknown { cause, detail } => {
                if self.expected.expects(provenance, None) {
                    self.unknown = higher(self.unknown.take(), Some((BuildLevel::L1, UnknownAnswer { cause, detail })));
                }
                return;
            }
            other => return self.not_its(other),
        };
        if !self.is_refused(None) && self.best.is_none() {
            let detail = format!("no builder document trusts {} for the builder {}", describe(&accepted.signer), said(provenance));
            let attestor = Attestor { signer: accepted.signer, log: accepted.log };
            let by = ShownBy::Authority(name.to_owned(), Box::new(attestor));
            self.best = Some((BuildLevel::L1, by, (Reason::BuilderUntrusted, detail)));
        }
    }

    /// What all of it comes to.
    pub(super) fn weight(self) -> Weight {
        // What contradicts its certificate does so whoever vouches for that.
        let unknown = self.unknown.filter(|_| self.contradiction.is_none());
        if let Some(best) = self.best {
            let unknown = unknown.filter(|(level, _)| *level > best.0);
            return Weight { shows: Some(best), lack: None, unknown };
        }
        if let Some(refused) = self.refused {
            return Weight { shows: None, lack: Some((Nearness::Vouched, refused)), unknown };
        }
        if self.later && self.stranger.is_none() && self.other_type.is_none() && self.nearest.is_none() {
            return Weight { unknown, ..Weight::default() };
        }
        let rejected = match self.nearest {
            Some(Opinion::Rejected { reason, detail, .. }) => Some((reason, detail)),
            _ => None,
        };
        let unsaid = unknown.as_ref().map(|(level, why)| {
            (Reason::LevelTooLow, format!("it shows {level} at most, and whether it does is not known: {}", why.detail))
        });
        let nobody = || (Reason::IdentityMismatch, "nobody is trusted to sign provenance".to_owned());
        let (nearness, lack) = match (self.stranger, self.other_type) {
            (Some(stranger), _) => (Nearness::Stranger, stranger),
            // Whose builds these would be may be wanted at another ref: the branch of a builder that is trusted at its releases.
            (None, Some((reason, other_type))) => {
                let more = rejected.map(|(_, detail)| format!("; {detail}")).unwrap_or_default();
                (Nearness::Stranger, (reason, format!("{other_type}{more}")))
            }
            (None, None) => (Nearness::Signed, unsaid.or(rejected).unwrap_or_else(nobody)),
        };
        // Whoever signed it, it is there: as much as one that nobody signed.
        let shows = self.expected.expects(self.provenance, None).then(|| (BuildLevel::L1, ShownBy::Nobody, lack.clone()));
        Weight { shows, lack: Some((nearness, lack)), unknown }
    }

    /// Whether what somebody vouches for is not what it should be.
    fn is_refused(&mut self, name: Option<&str>) -> bool {
        let lack = match &self.contradiction {
            Some(lack) => lack.clone(),
            None if !self.expected.expects(self.provenance, name) => self.expected.other_builder(self.provenance),
            None => return false,
        };
        self.refused.get_or_insert(lack);
        true
    }

    /// Whether a builder may be meant where it is not known who signed.
    fn may_be(&self, builder: &CompiledBuilder) -> bool {
        match (&builder.id, self.claims) {
            (Id::Signer, Some(claims)) => builder.id.matches(&self.provenance.builder, &Signer::Certificate(Box::new(claims.clone()))),
            _ => builder.id.may_be(&self.provenance.builder),
        }
    }

    fn not_its(&mut self, opinion: Opinion) {
        match opinion {
            Opinion::NotThere => self.later = true,
            opinion => {
                self.nearest = Some(match self.nearest.take() {
                    Some(known) => better(known, opinion),
                    None => opinion,
                });
            }
        }
    }
}

/// The builder that provenance names, for a person.
fn said(provenance: &Provenance) -> &str {
    if provenance.builder.is_empty() { "that it does not name" } else { &provenance.builder }
}
