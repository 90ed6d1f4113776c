//! Which level of SLSA's build track an image's provenance shows, in the order of SLSA 1.2 (slsa.dev/spec/v1.2/verifying-artifacts):
//! envelope, subject, predicate type, then signer and builder to a level by the builders that are trusted, the certificate that signed, and
//! what is expected of source, build type and parameters.

use std::collections::BTreeMap;

use super::authority::{Opinion, better, describe};
use super::builders::{CompiledBuilder, Id};
use super::compiled::{CompiledAuthority, TrustPolicies};
use super::ruling::{AsOf, counts, digests_of, names, not_looked};
use crate::model::{
    BuildLevel, Carrier, Cause, CertificateClaims, Digest, ImageEvidence, LogRecord, Predicate, PredicateKind, Provenance, Reason,
    Relation, Signer, Source, SourcePattern, Statement, StatementFormat, UnknownAnswer,
};

/// What is expected of an image's provenance. Nothing where a list is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectations<'a> {
    /// One of these sources.
    pub sources: &'a [SourcePattern],
    /// This branch or tag of it.
    pub reference: Option<&'a ExpectedReference>,
    /// By one of these builders: their names in the documents, or identifiers.
    pub builders: &'a [String],
    /// One of these build types.
    pub build_types: &'a [String],
    /// Exactly these external parameters: one that is not named is refused.
    pub external_parameters: Option<&'a BTreeMap<String, String>>,
}

/// A branch or tag, as slsa-verifier's users name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedReference {
    /// `main`.
    Branch(String),
    /// `v1.2.3`.
    Tag(String),
    /// `v1.2` stands for `v1.2.7` too, and never for `v1.20`.
    VersionedTag(String),
}

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
    /// Why it shows nothing.
    refused: Option<Lack>,
    /// What it may show after all.
    unknown: Option<(BuildLevel, UnknownAnswer)>,
}

/// What is missing, for a person, with its stable reason.
type Lack = (Reason, String);

impl Weight {
    fn refused(reason: Reason, detail: impl Into<String>) -> Self {
        Self { refused: Some((reason, detail.into())), ..Self::default() }
    }
}

impl TrustPolicies {
    /// What an image's provenance shows.
    #[must_use]
    pub fn assess(&self, image: &ImageEvidence, expected: &Expectations<'_>, as_of: AsOf) -> Assessment {
        if let Some(detail) = self.revoked_image(digests_of(image), as_of) {
            return Assessment::nothing(Reason::Revoked, &detail);
        }
        let whole = self.assess_beside(image, None, expected, as_of);
        if whole.verified() == BuildLevel::L3 || image.platforms.is_empty() {
            return whole;
        }
        // Which of the platforms a node chose is not known: the least of them counts.
        let below = image.platforms.iter().map(|platform| self.assess_beside(image, Some(platform), expected, as_of));
        let Some(least) = below.min_by_key(|below| (below.verified(), below.reached, below.possible.as_ref().map(|(level, _)| *level)))
        else {
            return whole;
        };
        let possible = higher(whole.possible.clone(), least.possible.clone());
        let better = (least.verified(), least.reached) > (whole.verified(), whole.reached);
        let mut chosen = if better { least } else { whole };
        if better {
            chosen.notes.push(format!("shown of each of the {} platform manifests of the index that runs", image.platforms.len()));
        }
        chosen.possible = possible.filter(|(level, _)| *level > chosen.verified());
        chosen
    }

    /// The same beside the running digest and the index above it, or beside one platform manifest.
    fn assess_beside(&self, image: &ImageEvidence, platform: Option<&Digest>, expected: &Expectations<'_>, as_of: AsOf) -> Assessment {
        let mut shown: Option<(BuildLevel, Shown, Lack)> = None;
        let mut refused: Option<Lack> = None;
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
            refused = refused.or(weight.refused);
            possible = higher(possible, weight.unknown);
        }
        // What was not looked at may show anything.
        let unseen = not_looked(image).or_else(|| image.places.iter().find_map(|place| place.attestations.clone()));
        possible = unseen.map(|unknown| (BuildLevel::L3, unknown)).or(possible);
        let (reached, lacking) = match &shown {
            Some((level, _, lack)) => (*level, Some(lack.clone())),
            None => (BuildLevel::L0, refused),
        };
        let shown = shown.map(|(_, shown, _)| shown);
        let mut assessment = Assessment { reached, shown, missing: Vec::new(), possible: None, notes: Vec::new() };
        let verified = assessment.verified();
        let without = || match beside_another(image) {
            Some(other) => (Reason::DigestMismatch, format!("provenance that lies there names {other}")),
            None => (Reason::PredicateMissing, "there is no provenance".to_owned()),
        };
        let (reason, detail) = lacking.unwrap_or_else(without);
        let above = BuildLevel::ALL.into_iter().filter(|level| *level > verified);
        assessment.missing = above.map(|level| Missing { level, reason, detail: detail.clone() }).collect();
        assessment.possible = possible.filter(|(level, _)| *level > verified);
        assessment
    }

    /// What one statement shows: in the order of SLSA, the first step that does not hold says why.
    fn weigh(&self, statement: &Statement, image: &ImageEvidence, expected: &Expectations<'_>, as_of: AsOf) -> Weight {
        let provenance = match statement.attested.as_deref().map(|attested| &attested.predicate) {
            Some(Ok(Predicate::Provenance(provenance))) => provenance.as_ref(),
            Some(Ok(_)) => return Weight::refused(Reason::PredicateMismatch, "it is no provenance"),
            Some(Err(malformed)) => return Weight::refused(Reason::Malformed, malformed.clone()),
            None => {
                let unknown = UnknownAnswer { cause: Cause::NotCaptured, detail: "what the provenance says was not read".to_owned() };
                return Weight { unknown: Some((BuildLevel::L3, unknown)), ..Weight::default() };
            }
        };
        let vouched = self.vouched(statement, provenance, image, as_of);
        if vouched.refused.is_some() {
            return vouched;
        }
        let name = match &vouched.shows {
            Some((_, ShownBy::Builder(name, _), _)) => Some(name.as_str()),
            _ => None,
        };
        // What is not as expected stays so, whoever signed it.
        match expected.contradiction(provenance, name) {
            Some((reason, detail)) => Weight::refused(reason, detail),
            None => vouched,
        }
    }

    /// Who vouches for provenance, and for what level.
    fn vouched(&self, statement: &Statement, provenance: &Provenance, image: &ImageEvidence, as_of: AsOf) -> Weight {
        let unverified = |lack: Lack| Some((BuildLevel::L1, ShownBy::Nobody, lack));
        if matches!(statement.format, StatementFormat::Unsigned { .. }) {
            let lack = (Reason::Unsigned, "the provenance is there, and nobody signed it".to_owned());
            return Weight { shows: unverified(lack), ..Weight::default() };
        }
        let mut hearing = Hearing { provenance, best: None, contradiction: None, stranger: None, nearest: None, unknown: None };
        let examine = |authority: &CompiledAuthority| authority.examine(&self.revocations, statement, as_of, |opinion| opinion).0;
        for builder in &self.builders {
            for authority in self.authorities_of(builder) {
                hearing.of_builder(builder, examine(authority));
            }
        }
        for authority in self.named_in_rules(&image.repository) {
            hearing.of_authority(&authority.name, examine(authority));
        }
        let Hearing { best, contradiction, stranger, nearest, unknown, .. } = hearing;
        let unknown = unknown.filter(|(level, _)| best.as_ref().is_none_or(|(known, ..)| level > known));
        match (best, contradiction) {
            (Some(best), _) => Weight { shows: Some(best), refused: None, unknown },
            (None, Some(refused)) => Weight { refused: Some(refused), ..Weight::default() },
            (None, None) => {
                let rejected = nearest.and_then(|opinion| match opinion {
                    Opinion::Rejected { reason, detail, .. } => Some((reason, detail)),
                    _ => None,
                });
                let nobody = || (Reason::IdentityMismatch, "nobody is trusted to sign provenance".to_owned());
                Weight { shows: unverified(stranger.or(rejected).unwrap_or_else(nobody)), refused: None, unknown }
            }
        }
    }
}

/// What all authorities say of one provenance.
struct Hearing<'a> {
    provenance: &'a Provenance,
    best: Option<(BuildLevel, ShownBy, Lack)>,
    /// Signed by somebody who is trusted, and not what its certificate says.
    contradiction: Option<Lack>,
    /// Signed by somebody who is trusted for other builders.
    stranger: Option<Lack>,
    nearest: Option<Opinion>,
    unknown: Option<(BuildLevel, UnknownAnswer)>,
}

impl Hearing<'_> {
    fn of_builder(&mut self, builder: &CompiledBuilder, opinion: Opinion) {
        let provenance = self.provenance;
        let accepted = match opinion {
            Opinion::Verified(accepted) => accepted,
            Opinion::Unknown { cause, detail } if builder.id.may_be(&provenance.builder) => {
                self.unknown = higher(self.unknown.take(), Some((builder.level, UnknownAnswer { cause, detail })));
                return;
            }
            other => return self.rejected(other),
        };
        let by = describe(&accepted.signer);
        if !builder.id.matches(&provenance.builder, &accepted.signer) {
            let detail = format!("signed by {by}, which does not vouch for the builder {}", provenance.builder);
            self.stranger.get_or_insert((Reason::BuilderUntrusted, detail));
        } else if !builder.build_types.is_empty() && !builder.build_types.contains(&provenance.build_type) {
            let detail = format!("{} is trusted for other build types than {}", builder.name, provenance.build_type);
            self.stranger.get_or_insert((Reason::BuilderUntrusted, detail));
        } else if let Some(found) = certificate_contradiction(provenance, &accepted.signer, matches!(builder.id, Id::Signer)) {
            self.contradiction.get_or_insert(found);
        } else if self.best.as_ref().is_none_or(|(known, ..)| builder.level > *known) {
            let attestor = Attestor { signer: accepted.signer, log: accepted.log };
            let lack = format!("builder {} is trusted for {}", builder.name, builder.level);
            let by = ShownBy::Builder(builder.name.clone(), Box::new(attestor));
            self.best = Some((builder.level, by, (Reason::LevelTooLow, lack)));
        }
    }

    /// Signed by somebody who is trusted for the image, for a builder that nobody knows: that is level 1.
    fn of_authority(&mut self, name: &str, opinion: Opinion) {
        let provenance = self.provenance;
        let accepted = match opinion {
            Opinion::Verified(accepted) => accepted,
            Opinion::Unknown { cause, detail } => {
                self.unknown = higher(self.unknown.take(), Some((BuildLevel::L1, UnknownAnswer { cause, detail })));
                return;
            }
            other => return self.rejected(other),
        };
        if let Some(found) = certificate_contradiction(provenance, &accepted.signer, false) {
            self.contradiction.get_or_insert(found);
        } else if self.best.is_none() {
            let detail = format!("no builder document trusts {} for the builder {}", describe(&accepted.signer), provenance.builder);
            let attestor = Attestor { signer: accepted.signer, log: accepted.log };
            let by = ShownBy::Authority(name.to_owned(), Box::new(attestor));
            self.best = Some((BuildLevel::L1, by, (Reason::BuilderUntrusted, detail)));
        }
    }

    fn rejected(&mut self, opinion: Opinion) {
        if matches!(opinion, Opinion::Rejected { .. }) {
            self.nearest = Some(match self.nearest.take() {
                Some(known) => better(known, opinion),
                None => opinion,
            });
        }
    }
}

/// The higher one of two possible levels.
fn higher(one: Option<(BuildLevel, UnknownAnswer)>, other: Option<(BuildLevel, UnknownAnswer)>) -> Option<(BuildLevel, UnknownAnswer)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.0 > one.0 { other } else { one }),
        (one, other) => one.or(other),
    }
}

impl Assessment {
    fn nothing(reason: Reason, detail: &str) -> Self {
        let above = BuildLevel::ALL.into_iter().filter(|level| *level > BuildLevel::L0);
        let missing = above.map(|level| Missing { level, reason, detail: detail.to_owned() }).collect();
        Self { reached: BuildLevel::L0, shown: None, missing, possible: None, notes: Vec::new() }
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

/// Another digest that provenance names.
fn beside_another(image: &ImageEvidence) -> Option<String> {
    image.statements.iter().filter(|statement| is_provenance(statement)).find_map(|statement| match &statement.relation {
        Relation::NamesOthers(others) => Some(others.first().map_or_else(|| "no digest".to_owned(), Digest::short)),
        Relation::Names | Relation::Malformed(_) => None,
    })
}

impl Expectations<'_> {
    /// The first expectation that provenance does not meet.
    fn contradiction(&self, provenance: &Provenance, builder: Option<&str>) -> Option<(Reason, String)> {
        self.source(provenance).or_else(|| self.built(provenance, builder)).or_else(|| self.parameters(provenance))
    }

    fn source(&self, provenance: &Provenance) -> Option<(Reason, String)> {
        if self.sources.is_empty() && self.reference.is_none() {
            return None;
        }
        let Some(source) = &provenance.source else {
            return Some((Reason::SourceMismatch, "the provenance does not say from which source it was built".to_owned()));
        };
        if !self.sources.is_empty() && !self.sources.iter().any(|pattern| pattern.matches(source)) {
            let wanted: Vec<_> = self.sources.iter().map(ToString::to_string).collect();
            let detail = format!("built from {}; wanted is {}", source.repository, wanted.join(" or "));
            return Some((Reason::SourceMismatch, detail));
        }
        let expected = self.reference?;
        let reference = source.reference.as_deref().unwrap_or_default();
        (!expected.matches(reference)).then(|| {
            let built = if reference.is_empty() { "no branch or tag" } else { reference };
            (Reason::SourceMismatch, format!("built from {built} of {}; wanted is {}", source.repository, expected.told()))
        })
    }

    fn built(&self, provenance: &Provenance, builder: Option<&str>) -> Option<(Reason, String)> {
        let named = |wanted: &String| *wanted == provenance.builder || builder == Some(wanted.as_str());
        if !self.builders.is_empty() && !self.builders.iter().any(named) {
            let detail = format!("built by {}; wanted is {}", provenance.builder, self.builders.join(" or "));
            return Some((Reason::BuilderUntrusted, detail));
        }
        (!self.build_types.is_empty() && !self.build_types.contains(&provenance.build_type)).then(|| {
            let detail = format!("its build type is {}; wanted is {}", provenance.build_type, self.build_types.join(" or "));
            (Reason::PredicateMismatch, detail)
        })
    }

    fn parameters(&self, provenance: &Provenance) -> Option<(Reason, String)> {
        let expected = self.external_parameters?;
        let mismatch = |detail: String| Some((Reason::PredicateMismatch, detail));
        for (name, value) in expected {
            match provenance.external_parameters.get(name) {
                Some(written) if written == value => {}
                Some(written) => return mismatch(format!("external parameter {name} is {written}; wanted is {value}")),
                None => return mismatch(format!("external parameter {name} is not there; wanted is {value}")),
            }
        }
        let unknown = provenance.external_parameters.keys().find(|name| !expected.contains_key(*name))?;
        mismatch(format!("external parameter {unknown} is set, and nothing is said about it"))
    }
}

impl ExpectedReference {
    fn matches(&self, reference: &str) -> bool {
        match self {
            Self::Branch(name) => reference.strip_prefix("refs/heads/") == Some(name),
            Self::Tag(name) => reference.strip_prefix("refs/tags/") == Some(name),
            Self::VersionedTag(name) => reference.strip_prefix("refs/tags/").is_some_and(|tag| {
                let version = |text: &str| text.strip_prefix('v').map(str::to_owned);
                let (Some(wanted), Some(version)) = (version(name), version(tag)) else { return false };
                // Behind the plus is build metadata, which says nothing of the version.
                let version = version.split('+').next().unwrap_or_default();
                let rest = version.strip_prefix(wanted.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && !rest.contains('-'))
            }),
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Branch(name) => format!("branch {name}"),
            Self::Tag(name) => format!("tag {name}"),
            Self::VersionedTag(name) => format!("a version {name}"),
        }
    }
}

/// What provenance says otherwise than the certificate that signed it, where that says anything (Fulcio's extensions .9, .12 to .14 and .21,
/// and the deprecated .3, .5 and .6 of GitHub's older certificates).
fn certificate_contradiction(provenance: &Provenance, signer: &Signer, is_signer: bool) -> Option<(Reason, String)> {
    let Signer::Certificate(claims) = signer else { return None };
    let extension = |name: &str| claims.extensions.get(name).map(String::as_str);
    if let Some(uri) = extension("buildSignerUri").filter(|uri| is_signer && *uri != provenance.builder) {
        return Some((Reason::BuilderUntrusted, format!("it says that {} built it, and its certificate {uri}", provenance.builder)));
    }
    let differs = |what: &str, said: &str, certified: &str| {
        Some((Reason::SourceMismatch, format!("it says that it was built from {what} {said}, and its certificate {certified}")))
    };
    if let Some(source) = &provenance.source {
        let certified = certified_source(claims);
        if let Some(repository) = certified.repository.filter(|repository| *repository != source.repository) {
            return differs("source", &source.repository, &repository);
        }
        if let (Some(said), Some(certified)) = (&source.commit, certified.commit)
            && said != certified
        {
            return differs("commit", said, certified);
        }
        if let (Some(said), Some(certified)) = (&source.reference, certified.reference)
            && said != certified
        {
            return differs("ref", said, certified);
        }
    }
    let (run, said) = (extension("runInvocationUri")?, provenance.invocation.as_deref()?);
    (!is_run(said, run)).then(|| (Reason::PredicateMismatch, format!("it says that it is of run {said}, and its certificate {run}")))
}

/// What a certificate says of the source.
struct CertifiedSource<'a> {
    repository: Option<String>,
    commit: Option<&'a str>,
    reference: Option<&'a str>,
}

fn certified_source(claims: &CertificateClaims) -> CertifiedSource<'_> {
    let extension = |name: &str| claims.extensions.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let old =
        || extension("githubWorkflowRepository").map(|repository| Source::of_uri(&format!("https://github.com/{repository}")).repository);
    CertifiedSource {
        repository: extension("sourceRepositoryUri").map(|uri| Source::of_uri(uri).repository).or_else(old),
        commit: extension("sourceRepositoryDigest").or_else(|| extension("githubWorkflowSha")),
        reference: extension("sourceRepositoryRef").or_else(|| extension("githubWorkflowRef")),
    }
}

/// Whether a run is meant: by its address, or as slsa-github-generator writes it, `RUN-ATTEMPT`. What is of another form is not compared.
fn is_run(said: &str, certified: &str) -> bool {
    if said == certified {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match said.split_once('-') {
        Some((run, attempt)) if digits(run) && digits(attempt) => certified.ends_with(&format!("/runs/{run}/attempts/{attempt}")),
        _ => !said.contains("://"),
    }
}
