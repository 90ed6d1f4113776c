//! Running the tests of controls: evidence as it is written in, judged as in a scan.
//!
//! Nothing is asked and nothing is verified: who signed is said by the test, and stands as proven.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use crate::controls::{AcceptedUnknowns, Configuration, ControlJudgement, ParametersError, Trust, judge};
use crate::documents::{
    Authority, BuilderTrust, Control, ControlTest, Expected, ImageRule, Keyless, Material, Otherwise, Parameters, Requirement,
    SigstoreInstance, Strength, TestAttestation, TestAuthority, TestCase, TestEvidence, TestSigned, TestTag, TestUnsigned, TextMatch,
    TrustPolicy, TrustRootSource,
};
use crate::model::{
    Algorithm, AuthorityMaterial, Basis, Carrier, Cause, CertificateClaims, Container, ContainerImage, ContainerKind, CredentialKind,
    DeclaredBecause, DeclaredIn, Digest, ImageEvidence, ImageReference, IndexAbove, Inventory, InventoryCounts, Judgement, Labels, Link,
    LogRecord, ManifestPresence, OCI_MANIFEST, ObjectKey, Origin, PlaceOutcome, PlaceRecord, PodSample, PolicyMaterial, PredicateType,
    Proof, ProvenTime, PublicKey, Reason, Relation, RootOrigin, RunningImage, Scope, Signer, Statement, StatementFormat, StatementSource,
    Step, StepOutcome, SubjectName, SubjectState, TagState, TimeSource, Trial, TriedWith, TrustRoot, UnknownAnswer, Wanted, Workload,
};
use crate::policy::{AsOf, NamedBuilders, NamedPolicy, PolicyOrigin, TrustPolicies};
use crate::verify::attested;

/// What the running digest is made of, and another one.
const RUNNING: &[u8] = b"what runs";
const ANOTHER: &[u8] = b"another image";
const ROOT: &str = "test";

/// How one case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseOutcome {
    /// Its name.
    pub name: String,
    /// What was expected.
    pub expected: Expected,
    /// What the control says.
    pub got: Expected,
    /// In words, where it says more.
    pub detail: String,
    /// Whether that was expected.
    pub holds: bool,
}

/// Runs every case of a control's test.
///
/// # Errors
/// When a parameter does not fit the control.
pub fn run_control_test(test: &ControlTest, control: &Control) -> Result<Vec<CaseOutcome>, ParametersError> {
    let stage = Stage { test, as_of: test.as_of.first() };
    let trust = BuilderTrust { trust_roots: BTreeMap::new(), authorities: BTreeMap::new(), builders: test.builders.clone() };
    let builders = NamedBuilders { name: "test".to_owned(), trust, material: PolicyMaterial::default() };
    let policies = TrustPolicies::new(stage.policy().into_iter().collect()).with_builders(vec![builders]);
    let wanted = crate::controls::wanted(std::iter::once(control));
    test.cases.iter().map(|case| stage.run(case, control, &policies, &wanted)).collect()
}

struct Stage<'a> {
    test: &'a ControlTest,
    as_of: Timestamp,
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

impl Stage<'_> {
    /// The trust policy of the test: any of its authorities, for every image.
    fn policy(&self) -> Option<NamedPolicy> {
        let authorities = &self.test.authorities;
        if authorities.is_empty() {
            return None;
        }
        let root = TrustRoot {
            name: ROOT.to_owned(),
            origin: RootOrigin::Embedded,
            dated: None,
            without_logs: false,
            content: Ok(Arc::from(ROOT.as_bytes())),
        };
        let material = |name: &String, authority: &TestAuthority| match authority {
            TestAuthority::Key(_) => {
                AuthorityMaterial::Keys(vec![PublicKey { spki: Arc::from(name.as_bytes()), fingerprint: digest(name.as_bytes()) }])
            }
            TestAuthority::Identity(_) => AuthorityMaterial::Keyless,
        };
        let policy = TrustPolicy {
            trust_roots: BTreeMap::from([(
                ROOT.to_owned(),
                TrustRootSource { sigstore: Some(SigstoreInstance::PublicGood), file: None, data: None, tuf: None, logs: None },
            )]),
            authorities: authorities.iter().map(|(name, authority)| (name.clone(), spec(name, authority))).collect(),
            images: vec![ImageRule {
                images: "**".parse().into_iter().collect(),
                strength: Strength::Default,
                require: Requirement { any_of: Some(authorities.keys().cloned().collect()), ..Requirement::default() },
            }],
            revocations: Vec::new(),
            evidence: Vec::new(),
            otherwise: Otherwise::Reject,
        };
        let material = PolicyMaterial {
            roots: BTreeMap::from([(ROOT.to_owned(), Arc::new(root))]),
            authorities: authorities.iter().map(|(name, authority)| (name.clone(), material(name, authority))).collect(),
        };
        Some(NamedPolicy { name: "test".to_owned(), policy, material, origin: PolicyOrigin::Document })
    }

    fn run(&self, case: &TestCase, control: &Control, policies: &TrustPolicies, wanted: &Wanted) -> Result<CaseOutcome, ParametersError> {
        let mut configuration = Configuration::default();
        let set =
            if case.parameters.is_empty() { BTreeMap::new() } else { BTreeMap::from([(control.id.clone(), case.parameters.clone())]) };
        configuration.set_own(Parameters { controls: set });
        let inventory = Inventory {
            cluster: None,
            scope: Scope::default(),
            observed: self.as_of,
            workloads: vec![workload(case)],
            not_judged: Vec::new(),
            gaps: Vec::new(),
            counts: InventoryCounts::default(),
        };
        let evidence = self.evidence(case, policies, wanted);
        let lookup = |_: &ContainerImage| evidence.as_ref().map(|evidence| (0, evidence));
        let trust = Trust { policies, as_of: AsOf::exactly(self.as_of) };
        let judgement = judge(control, &configuration, &inventory, &lookup, &AcceptedUnknowns::default(), trust)?;
        let (got, detail) = told(judgement);
        Ok(CaseOutcome { name: case.name.clone(), holds: got == case.expect, expected: case.expect.clone(), got, detail })
    }

    /// What lies beside the image; none where the reference cannot be parsed.
    fn evidence(&self, case: &TestCase, policies: &TrustPolicies, wanted: &Wanted) -> Option<ImageEvidence> {
        let reference = case.image.parse::<ImageReference>().ok()?;
        let repository = reference.repository().clone();
        let running = reference.digest().filter(|_| case.runs).cloned().unwrap_or_else(|| digest(RUNNING));
        let place = repository.to_string();
        let statements: Vec<_> =
            case.evidence.iter().map(|evidence| self.statement(evidence, &place, &running, policies, wanted)).collect();
        let outcome = match case.unanswered {
            Some(cause) => PlaceOutcome::Unknown(UnknownAnswer { cause, detail: "the test says so".to_owned() }),
            None => PlaceOutcome::Looked(u32::try_from(statements.len()).unwrap_or(u32::MAX)),
        };
        let tag = match case.tag {
            _ if reference.pulled_tag().is_none() && reference.digest().is_some() => TagState::NoTag,
            TestTag::Unmoved => TagState::Unmoved,
            TestTag::Moved => TagState::Moved(digest(ANOTHER)),
            TestTag::Gone => TagState::Gone,
        };
        let manifest = match case.unanswered {
            // The registry answers for the image, and not for what lies beside it; where it says that the image is not there, neither.
            Some(Cause::ImageNotFound) => {
                ManifestPresence::Unknown(UnknownAnswer { cause: Cause::ImageNotFound, detail: "the test says so".to_owned() })
            }
            _ => ManifestPresence::Seen { media_type: OCI_MANIFEST.to_owned(), credential: CredentialKind::Anonymous },
        };
        Some(ImageEvidence {
            repository,
            subject: SubjectState::Known(running),
            manifest,
            tag,
            statements,
            places: vec![PlaceRecord { place, outcome, attestations: None, observed: None }],
            children: Vec::new(),
            platforms: Vec::new(),
            index: IndexAbove::None,
            warnings: Vec::new(),
        })
    }

    fn statement(&self, evidence: &TestEvidence, place: &str, running: &Digest, policies: &TrustPolicies, wanted: &Wanted) -> Statement {
        let plain = Statement {
            format: StatementFormat::SimpleSigning,
            source: StatementSource::Referrer,
            place: place.to_owned(),
            carrier: Carrier::Itself,
            relation: Relation::Names,
            manifest: None,
            content: digest(format!("{evidence:?}").as_bytes()),
            annotations: None,
            proofs: Arc::default(),
            proofs_left_out: 0,
            attested: None,
        };
        let relation = |over_another: bool| if over_another { Relation::NamesOthers(vec![digest(ANOTHER)]) } else { Relation::Names };
        match evidence {
            TestEvidence::Signature(signed) => {
                Statement { relation: relation(signed.over_another), proofs: self.proofs(signed, policies), ..plain }
            }
            TestEvidence::Attestation(TestAttestation { predicate_type, predicate, by, at, logged, over_another }) => {
                let signed = TestSigned { by: by.clone(), at: *at, logged: *logged, over_another: *over_another };
                Statement {
                    format: StatementFormat::Dsse { predicate_type: predicate_type.uri().to_owned() },
                    relation: relation(*over_another),
                    proofs: self.proofs(&signed, policies),
                    attested: read(predicate_type, predicate, running, wanted),
                    ..plain
                }
            }
            TestEvidence::Unsigned(TestUnsigned { predicate_type, predicate }) => Statement {
                format: StatementFormat::Unsigned { predicate_type: predicate_type.uri().to_owned() },
                attested: read(predicate_type, predicate, running, wanted),
                ..plain
            },
            TestEvidence::Attached(media_type) => {
                Statement { format: StatementFormat::Attached { media_type: media_type.clone() }, ..plain }
            }
            TestEvidence::Malformed(why) => Statement {
                format: StatementFormat::Unsupported { media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned() },
                relation: Relation::Malformed(why.clone()),
                ..plain
            },
        }
    }

    /// What trying it would have given.
    fn proofs(&self, signed: &TestSigned, policies: &TrustPolicies) -> Arc<[Proof]> {
        let authority = signed.by.as_ref().and_then(|name| Some((name, self.test.authorities.get(name)?)));
        let at = signed.at.map_or(self.as_of, |at| at.first());
        let tried = policies.trials().iter().zip(0..).filter_map(|(trial, position)| {
            let (with, signer) = match (trial, authority) {
                (Trial::Key { key, .. }, Some((name, TestAuthority::Key(_)))) if key.spki.as_ref() == name.as_bytes() => {
                    let fingerprint = key.fingerprint.clone();
                    (TriedWith::Key(fingerprint.clone()), Signer::Key { fingerprint })
                }
                (Trial::Keyless { root }, Some((_, TestAuthority::Identity(_))) | None) => {
                    let claims = self.claims(authority.map(|(_, authority)| authority), at);
                    (TriedWith::Root(root.name.clone()), Signer::Certificate(Box::new(claims)))
                }
                _ => return None,
            };
            Some(Proof { trial: position, with, root: Some(ROOT.to_owned()), ..proof(signer, at, signed.logged) })
        });
        tried.collect()
    }

    fn claims(&self, authority: Option<&TestAuthority>, at: Timestamp) -> CertificateClaims {
        let (subject, issuer, extensions) = match authority {
            Some(TestAuthority::Identity(identity)) => (identity.subject.as_str(), identity.issuer.as_str(), identity.extensions.clone()),
            Some(TestAuthority::Key(_)) | None => ("https://stranger.example/workflow", "https://stranger.example", BTreeMap::new()),
        };
        let name = subject.to_owned();
        let is_email = subject.contains('@') && !subject.contains(':');
        CertificateClaims {
            names: vec![if is_email { SubjectName::Email(name) } else { SubjectName::Uri(name) }],
            subject: String::new(),
            issuer: Some(issuer.to_owned()),
            extensions,
            fingerprint: digest(subject.as_bytes()),
            key: digest(format!("key of {subject}").as_bytes()),
            not_before: at,
            not_after: at,
        }
    }
}

fn spec(name: &str, authority: &TestAuthority) -> Authority {
    let keyless = match authority {
        TestAuthority::Key(_) => None,
        TestAuthority::Identity(identity) => Some(Keyless {
            trust_root: ROOT.to_owned(),
            issuer: TextMatch::Exact(identity.issuer.clone()),
            subject: TextMatch::Exact(identity.subject.clone()),
            extensions: BTreeMap::new(),
            extensions_regexp: BTreeMap::new(),
        }),
    };
    Authority {
        key: keyless.is_none().then(|| Material::Data(name.to_owned())),
        keyless,
        certificate: None,
        trust_root: None,
        transparency_log: None,
        proven_time: None,
        sct: None,
        valid_from: None,
        valid_until: None,
    }
}

fn proof(signer: Signer, at: Timestamp, logged: bool) -> Proof {
    let held = |step: Step| (step, StepOutcome::Held("as the test says".to_owned()));
    let in_log = |step: Step| (step, if logged { StepOutcome::Held("as the test says".to_owned()) } else { StepOutcome::Missing });
    Proof {
        trial: 0,
        with: TriedWith::Root(ROOT.to_owned()),
        root: None,
        signer: Some(signer),
        steps: vec![
            held(Step::Form),
            held(Step::CertificateChain),
            held(Step::CertificateLog),
            in_log(Step::LogEntry),
            in_log(Step::LogInclusion),
            (Step::TimeStamp, StepOutcome::Missing),
            held(Step::CertificateValidity),
            held(Step::Signature),
            held(Step::Subject),
        ],
        times: if logged { vec![ProvenTime { at, by: TimeSource::Log }] } else { Vec::new() },
        log: logged.then(|| LogRecord { index: 1, log: ROOT.to_owned(), address: None }),
    }
}

/// What a statement with this predicate says, read as one that was fetched.
fn read(
    predicate_type: &PredicateType,
    predicate: &serde_json::Value,
    subject: &Digest,
    wanted: &Wanted,
) -> Option<Arc<crate::model::Attested>> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { subject.algorithm().name(): subject.hex() } }],
        "predicateType": predicate_type.uri(),
        "predicate": predicate,
    });
    let bytes = Bytes::from(statement.to_string());
    let media_type = "application/vnd.in-toto+json".to_owned();
    let layer = Link { media_type, digest: digest(&bytes), size: bytes.len() as u64, artifact_type: None, annotations: None };
    attested(&layer, &bytes, wanted).map(Arc::new)
}

fn workload(case: &TestCase) -> Workload {
    let of = &case.workload;
    let pinned = case.image.parse::<ImageReference>().ok().and_then(|reference| reference.digest().cloned());
    let running = if case.runs { RunningImage::Manifest(pinned.unwrap_or_else(|| digest(RUNNING))) } else { RunningImage::Unreported };
    let mut pods = PodSample::default();
    if case.runs {
        pods.add(&of.name);
    }
    let api_version = match of.kind.as_str() {
        "Pod" => "v1",
        "Job" | "CronJob" => "batch/v1",
        _ => "apps/v1",
    };
    Workload {
        key: ObjectKey {
            api_version: api_version.into(),
            kind: of.kind.as_str().into(),
            namespace: of.namespace.as_str().into(),
            name: of.name.as_str().into(),
        },
        labels: of.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        annotations: Labels::default(),
        origin: Origin::Cluster,
        containers: vec![Container {
            name: of.container.as_str().into(),
            kind: ContainerKind::Container,
            path: "spec.template.spec.containers[0].image".into(),
            position: None,
            declared_in: if of.injected { DeclaredIn::PodOnly } else { DeclaredIn::Template },
            pull_policy: of.pull_policy.map(Into::into),
            images: vec![ContainerImage {
                reference: case.image.as_str().into(),
                running,
                basis: if case.runs { Basis::Running } else { Basis::Declared(DeclaredBecause::NoPods) },
                reported_repository: None,
                pull_secrets: Vec::new(),
                started: None,
                pull_policy: None,
                pods,
            }],
        }],
        pods: u32::from(case.runs),
    }
}

fn told(judgement: ControlJudgement) -> (Expected, String) {
    let nothing = crate::documents::Nothing {};
    let of = |judgement: &Judgement| match judgement {
        Judgement::Pass { detail } => (Expected::Pass(nothing), detail.clone()),
        Judgement::Fail { reason, detail } => (Expected::Fail(*reason), detail.clone()),
        Judgement::Unknown { cause, detail } => (Expected::Unknown(*cause), detail.clone()),
    };
    match judgement {
        ControlJudgement::Cluster { judgement, .. } => of(&judgement),
        ControlJudgement::Workloads { findings, .. } => match findings.iter().flat_map(|finding| &finding.containers).next() {
            Some(container) => of(&container.judgement),
            None => (Expected::Irrelevant(nothing), String::new()),
        },
        ControlJudgement::Unconfigured(missing) => (Expected::Unconfigured(nothing), missing.join(", ")),
        ControlJudgement::RequiresReview(text) => (Expected::RequiresReview(nothing), text),
    }
}

impl CaseOutcome {
    /// What the control says, for a person: `fail: absent`.
    #[must_use]
    pub fn told(expected: &Expected) -> String {
        let of = |reason: Reason| format!("fail: {reason}");
        match expected {
            Expected::Pass(_) => "pass".to_owned(),
            Expected::Fail(reason) => of(*reason),
            Expected::Unknown(cause) => format!("unknown: {cause}"),
            Expected::Irrelevant(_) => "irrelevant".to_owned(),
            Expected::Unconfigured(_) => "unconfigured".to_owned(),
            Expected::RequiresReview(_) => "requires review".to_owned(),
        }
    }
}
