//! Levels of SLSA's build track over hand-made proofs.

use std::sync::Arc;

use proptest::prelude::{any, prop_assert, proptest};

use super::{at, digest, image, logged, now, policy, root, statement};
use crate::documents::{Document, parse};
use crate::model::{
    Attested, BuildLevel, Carrier, Cause, CertificateClaims, ImageEvidence, IndexAbove, ManifestPresence, PROVENANCE_V1, Payload,
    PlaceOutcome, PolicyMaterial, Predicate, Proof, Provenance, Reason, Relation, Signer, Source, SourcePattern, Statement,
    StatementFormat, Step, StepOutcome, SubjectName, TriedWith, UnknownAnswer,
};
use crate::policy::{AsOf, Asked, Assessment, Expectations, ExpectedReference, NamedBuilders, Ruling, ShownBy, TrustPolicies};

const WORKFLOW: &str = "https://github.com/acme/builders/.github/workflows/build.yml@refs/tags/v1.2.3";
const RUN: &str = "https://github.com/acme/app/actions/runs/77/attempts/2";

/// Two builders: workflows that sign for themselves (level 3), and one with an identifier of its own (level 2).
const BUILDERS: &str = "
  trustRoots: { r: { file: r.json } }
  authorities:
    workflows: { keyless: { trustRoot: r, issuer: { exact: i }, subject: { regexp: 'https://github\\.com/acme/builders/\\.github/workflows/build\\.yml@refs/tags/v[0-9.]+' } }, sct: unsafeIgnore }
    ci: { keyless: { trustRoot: r, issuer: { exact: i }, subject: { exact: 'https://ci.test/build' } }, sct: unsafeIgnore }
  builders:
    - { name: workflows, id: { signer: {} }, signedBy: [workflows], level: 3 }
    - { name: ci, id: { exact: 'https://ci.test/builder@v1' }, signedBy: [ci], buildTypes: ['https://ci.test/type'], level: 2 }";
/// Whom the images' own policy trusts.
const POLICY: &str = "  trustRoots: { r: { file: r.json } }
  authorities: { release: { keyless: { trustRoot: r, issuer: { exact: i }, subject: { exact: 'https://release.test' } }, sct: unsafeIgnore } }
  images: [{ match: ['**'], require: { anyOf: [release] } }]";

fn policies() -> TrustPolicies {
    let text = format!("apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:{BUILDERS}\n");
    let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
    let (_, loaded) = root("r");
    let material = PolicyMaterial { roots: [("r".to_owned(), loaded)].into(), authorities: Default::default() };
    let builders = NamedBuilders { name: named.name, trust: named.trust, material };
    TrustPolicies::new(vec![policy("p", POLICY, &[], &["r"])]).with_builders(vec![builders])
}

fn signed_by(name: &str, extensions: &[(&str, &str)]) -> Proof {
    let claims = CertificateClaims {
        names: vec![SubjectName::Uri(name.to_owned())],
        subject: String::new(),
        issuer: Some("i".to_owned()),
        extensions: extensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        fingerprint: digest(3),
        key: digest(4),
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2026-01-01T00:10:00Z"),
    };
    let held = |step: Step| (step, StepOutcome::Held(String::new()));
    let steps = [Step::Form, Step::CertificateChain, Step::CertificateValidity, Step::Signature, Step::Subject].map(held).to_vec();
    let signer = Some(Signer::Certificate(Box::new(claims)));
    let proof =
        Proof { trial: 0, with: TriedWith::Root("r".to_owned()), root: Some("r".to_owned()), signer, steps, times: Vec::new(), log: None };
    logged(proof, "2026-01-01T00:05:00Z")
}

fn provenance(builder: &str) -> Provenance {
    Provenance {
        predicate_type: PROVENANCE_V1.to_owned(),
        builder: builder.to_owned(),
        build_type: "https://ci.test/type".to_owned(),
        source: Some(Source {
            repository: "github.com/acme/app".to_owned(),
            reference: Some("refs/tags/v1.2.3".to_owned()),
            commit: Some("c0ffee".to_owned()),
            entry_point: None,
            branch: None,
        }),
        external_parameters: [("workflow".to_owned(), "{}".to_owned())].into(),
        invocation: Some(RUN.to_owned()),
        started: None,
        finished: None,
        dependencies: 1,
    }
}

fn attested(predicate: Result<Predicate, String>, proofs: Vec<Proof>) -> Statement {
    Statement {
        format: StatementFormat::Dsse { predicate_type: PROVENANCE_V1.to_owned() },
        attested: Some(Arc::new(Attested { predicate, time: None, payload: Payload::NotWanted })),
        ..statement(proofs)
    }
}

fn of(provenance: Provenance, proof: Proof) -> Statement {
    attested(Ok(Predicate::Provenance(Box::new(provenance))), vec![proof])
}

fn good() -> Statement {
    of(
        provenance(WORKFLOW),
        signed_by(
            WORKFLOW,
            &[("buildSignerUri", WORKFLOW), ("sourceRepositoryUri", "https://github.com/acme/app"), ("runInvocationUri", RUN)],
        ),
    )
}

fn assess(statements: Vec<Statement>) -> Assessment {
    policies().assess(&image(statements), &Expectations::default(), now())
}

/// What one provenance shows for certain, and why not more.
fn shows(statement: Statement) -> (BuildLevel, BuildLevel, Option<Reason>) {
    let assessment = assess(vec![statement]);
    assert_eq!(assessment.possible, None);
    (assessment.verified(), assessment.reached, assessment.missing.first().map(|missing| missing.reason))
}

use BuildLevel::{L0, L1, L2, L3};

#[test]
fn signer_and_builder_together_give_the_level() {
    assert_eq!(shows(good()), (L3, L3, None));
    let ci = |builder: &str| of(provenance(builder), signed_by("https://ci.test/build", &[]));
    assert_eq!(shows(ci("https://ci.test/builder@v1")), (L2, L2, Some(Reason::LevelTooLow)));
    assert_eq!(shows(ci("https://ci.test/builder@v2")), (L0, L1, Some(Reason::BuilderUntrusted)), "a builder that it does not vouch for");
    let other_type = Provenance { build_type: "https://other.test".to_owned(), ..provenance("https://ci.test/builder@v1") };
    assert_eq!(shows(of(other_type, signed_by("https://ci.test/build", &[]))), (L0, L1, Some(Reason::BuilderUntrusted)));
    let release = of(provenance("https://nobody.test/builder"), signed_by("https://release.test", &[]));
    assert_eq!(shows(release), (L1, L1, Some(Reason::BuilderUntrusted)), "trusted for the image, for a builder that nobody knows");
}

#[test]
fn what_is_not_vouched_for_is_unverified_at_most() {
    let stranger = of(provenance(WORKFLOW), signed_by("https://stranger.test", &[]));
    assert_eq!(shows(stranger), (L0, L1, Some(Reason::IdentityMismatch)));
    let unsigned = Statement { format: StatementFormat::Unsigned { predicate_type: PROVENANCE_V1.to_owned() }, ..good() };
    assert_eq!(shows(unsigned), (L0, L1, Some(Reason::Unsigned)), "perfect, and signed by nobody");
    let branch = WORKFLOW.replace("refs/tags/v1.2.3", "refs/heads/main");
    assert_eq!(shows(of(provenance(&branch), signed_by(&branch, &[]))), (L0, L1, Some(Reason::IdentityMismatch)));
    let candidate = WORKFLOW.replace("v1.2.3", "v1.2.3-rc.1");
    assert_eq!(shows(of(provenance(&candidate), signed_by(&candidate, &[]))), (L0, L1, Some(Reason::IdentityMismatch)));
    let two_names = {
        let mut proof = signed_by(WORKFLOW, &[]);
        if let Some(Signer::Certificate(claims)) = &mut proof.signer {
            claims.names.push(SubjectName::Uri("https://other.test".to_owned()));
        }
        of(provenance(WORKFLOW), proof)
    };
    assert_eq!(shows(two_names).0, L0);
}

#[test]
fn provenance_says_what_its_certificate_says() {
    let with = |extensions: &[(&str, &str)]| shows(of(provenance(WORKFLOW), signed_by(WORKFLOW, extensions)));
    let other_version = WORKFLOW.replace("v1.2.3", "v1.2.4");
    assert_eq!(shows(of(provenance(&other_version), signed_by(WORKFLOW, &[]))), (L0, L1, Some(Reason::BuilderUntrusted)));
    assert_eq!(with(&[("buildSignerUri", &other_version)]), (L0, L0, Some(Reason::BuilderUntrusted)));
    assert_eq!(with(&[("sourceRepositoryUri", "https://github.com/evil/app")]), (L0, L0, Some(Reason::SourceMismatch)));
    assert_eq!(with(&[("sourceRepositoryDigest", "dead")]), (L0, L0, Some(Reason::SourceMismatch)));
    assert_eq!(with(&[("sourceRepositoryRef", "refs/heads/main")]), (L0, L0, Some(Reason::SourceMismatch)));
    assert_eq!(with(&[("githubWorkflowRepository", "evil/app")]), (L0, L0, Some(Reason::SourceMismatch)));
    assert_eq!(with(&[("githubWorkflowSha", "dead")]), (L0, L0, Some(Reason::SourceMismatch)));
    assert_eq!(
        with(&[("runInvocationUri", "https://github.com/acme/app/actions/runs/78/attempts/1")]),
        (L0, L0, Some(Reason::PredicateMismatch))
    );
    assert_eq!(
        with(&[("githubWorkflowRepository", "acme/app"), ("githubWorkflowSha", "c0ffee"), ("githubWorkflowRef", "refs/tags/v1.2.3")]).0,
        L3
    );
    let generator = |run: &str| {
        shows(of(
            Provenance { invocation: Some(run.to_owned()), ..provenance(WORKFLOW) },
            signed_by(WORKFLOW, &[("runInvocationUri", RUN)]),
        ))
    };
    assert_eq!((generator("77-2").0, generator("77-1").2), (L3, Some(Reason::PredicateMismatch)));
}

#[test]
fn expectations_are_about_source_builder_type_and_parameters() {
    let holds = |expected: &Expectations<'_>| {
        let assessment = policies().assess(&image(vec![good()]), expected, now());
        match assessment.verified() {
            L3 => Ok(()),
            _ => Err(assessment.missing[0].reason),
        }
    };
    let source = |text: &str| {
        let sources: [SourcePattern; 1] = [text.parse().unwrap()];
        holds(&Expectations { sources: &sources, ..Expectations::default() })
    };
    assert_eq!(source("github.com/acme/app"), Ok(()));
    assert_eq!(source("github.com/acme/*"), Ok(()));
    for other in ["github.com/acme/appA", "Agithub.com/acme/app", "github.com/Aacme/app", "github.com/acme/ap"] {
        assert_eq!(source(other), Err(Reason::SourceMismatch), "{other}");
    }
    let reference = |reference: ExpectedReference| holds(&Expectations { references: &[reference], ..Expectations::default() });
    let wrong = Err(Reason::SourceMismatch);
    assert_eq!(reference(ExpectedReference::Tag("v1.2.3".to_owned())), Ok(()));
    assert_eq!(reference(ExpectedReference::Branch("v1.2.3".to_owned())), wrong);
    for (version, expected) in [
        ("v1", Ok(())),
        ("v1.2", Ok(())),
        ("v1.2.3", Ok(())),
        ("v1.2.30", wrong),
        ("v1.20", wrong),
        ("v2", wrong),
        ("1.2.3", wrong),
        ("v1.2.3.", wrong),
        ("v", wrong),
        ("", wrong),
    ] {
        assert_eq!(reference(ExpectedReference::VersionedTag(version.to_owned())), expected, "{version}");
    }
    for (tag, expected) in
        [("v1.2.3-rc.1", false), ("v1.evil", false), ("v1.2.", false), ("v1.2.3+build.7", true), ("x1.2", false), ("v11.2", false)]
    {
        let source = Some(Source { reference: Some(format!("refs/tags/{tag}")), ..Source::of_uri("https://github.com/acme/app") });
        let tagged = of(Provenance { source, ..provenance(WORKFLOW) }, signed_by(WORKFLOW, &[]));
        let references = [ExpectedReference::VersionedTag("v1".to_owned())];
        let shown = policies().assess(&image(vec![tagged]), &Expectations { references: &references, ..Expectations::default() }, now());
        assert_eq!(shown.verified() == L3, expected, "{tag}");
    }
    let builder = |name: &str| holds(&Expectations { builders: &[name.to_owned()], ..Expectations::default() });
    assert_eq!((builder("workflows"), builder(WORKFLOW), builder("ci")), (Ok(()), Ok(()), Err(Reason::BuilderUntrusted)));
    let (workflow, version) = WORKFLOW.split_once("@refs/tags/").unwrap();
    for (wanted, expected) in [
        (workflow.to_owned(), Ok(())),
        (format!("{workflow}@{version}"), Ok(())),
        (format!("{workflow}@v1.2.4"), Err(Reason::BuilderUntrusted)),
        (format!("{workflow}@refs/tags/v1.2"), Err(Reason::BuilderUntrusted)),
        (workflow.replace("build.yml", "not-trusted.yml"), Err(Reason::BuilderUntrusted)),
        (workflow.replace("build.yml", "build"), Err(Reason::BuilderUntrusted)),
        (format!("{workflow}@"), Err(Reason::BuilderUntrusted)),
    ] {
        assert_eq!(builder(&wanted), expected, "{wanted}");
    }
    let on_main = |reference: &str, branch: Option<&str>, wanted: &[ExpectedReference]| {
        let source = Source {
            reference: Some(reference.to_owned()),
            branch: branch.map(str::to_owned),
            ..Source::of_uri("https://github.com/acme/app")
        };
        let built = of(Provenance { source: Some(source), ..provenance(WORKFLOW) }, signed_by(WORKFLOW, &[]));
        policies().assess(&image(vec![built]), &Expectations { references: wanted, ..Expectations::default() }, now()).verified() == L3
    };
    let (main, tag) = (ExpectedReference::Branch("main".to_owned()), ExpectedReference::Tag("v1".to_owned()));
    assert!(on_main("refs/tags/v1", Some("refs/heads/main"), &[main.clone(), tag.clone()]));
    assert!(!on_main("refs/tags/v2", Some("refs/heads/main"), &[main.clone(), tag.clone()]), "both have to be so");
    assert!(!on_main("refs/tags/v1", None, std::slice::from_ref(&main)) && !on_main("refs/tags/main", None, std::slice::from_ref(&main)));
    assert!(!on_main("refs/heads/other", Some("refs/heads/main"), &[main]), "a branch is its own");
    let build_type = |name: &str| holds(&Expectations { build_types: &[name.to_owned()], ..Expectations::default() });
    assert_eq!((build_type("https://ci.test/type"), build_type("https://ci.test/typ")), (Ok(()), Err(Reason::PredicateMismatch)));
    let sources: [SourcePattern; 1] = ["github.com/acme/app".parse().unwrap()];
    let parameters_from = |sources: &[SourcePattern], pairs: &[(&str, &str)]| {
        let expected = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        holds(&Expectations { sources, external_parameters: Some(&expected), ..Expectations::default() })
    };
    let parameters = |pairs: &[(&str, &str)]| parameters_from(&sources, pairs);
    let mismatch = Err(Reason::PredicateMismatch);
    assert_eq!(parameters_from(&[], &[("workflow", "{}")]), mismatch, "the source is a parameter too");
    assert_eq!(parameters(&[("workflow", "{}")]), Ok(()));
    assert_eq!(
        (parameters(&[]), parameters(&[("workflow", "{}"), ("more", "1")]), parameters(&[("workflow", "x")])),
        (mismatch, mismatch, mismatch)
    );
}

#[test]
fn what_cannot_be_read_or_is_of_another_image_shows_nothing() {
    let malformed = attested(Err("the predicate is an array, not an object".to_owned()), vec![signed_by(WORKFLOW, &[])]);
    assert_eq!(shows(malformed), (L0, L0, Some(Reason::Malformed)));
    let other = Statement { relation: Relation::NamesOthers(vec![digest(7)]), ..good() };
    assert_eq!(shows(other), (L0, L0, Some(Reason::DigestMismatch)));
    assert_eq!(assess(Vec::new()).missing[0].reason, Reason::PredicateMissing);
    let signature = statement(vec![signed_by(WORKFLOW, &[])]);
    assert_eq!(shows(signature), (L0, L0, Some(Reason::PredicateMissing)), "a signature is no provenance");
    let no_source = Provenance { source: None, ..provenance(WORKFLOW) };
    let sources: [SourcePattern; 1] = ["github.com/acme/app".parse().unwrap()];
    let assessment = policies().assess(
        &image(vec![of(no_source, signed_by(WORKFLOW, &[]))]),
        &Expectations { sources: &sources, ..Expectations::default() },
        now(),
    );
    assert_eq!((assessment.verified(), assessment.missing[0].reason), (L0, Reason::SourceMismatch));
}

#[test]
fn builders_vouch_for_provenance_and_never_for_images() {
    let signed = Statement { format: StatementFormat::SimpleSigning, attested: None, ..statement(vec![signed_by(WORKFLOW, &[])]) };
    let ruling = policies().judge(&image(vec![signed]), &Asked::BY_POLICY, now());
    assert!(matches!(ruling, Ruling::Rejected { reason: Reason::IdentityMismatch, .. }), "{ruling:?}");
    assert!(TrustPolicies::default().is_empty());
    let builders_alone = {
        let text = format!("apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:{BUILDERS}\n");
        let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
        let builders = NamedBuilders { name: named.name, trust: named.trust, material: PolicyMaterial::default() };
        TrustPolicies::default().with_builders(vec![builders])
    };
    assert!(builders_alone.is_empty(), "they say nothing about whom to trust for images");
}

#[test]
fn the_best_of_several_counts_and_says_by_whom() {
    let stranger = of(provenance(WORKFLOW), signed_by("https://stranger.test", &[]));
    let ci = of(provenance("https://ci.test/builder@v1"), signed_by("https://ci.test/build", &[]));
    let assessment = assess(vec![stranger, ci, good()]);
    assert_eq!(assessment.verified(), L3);
    let shown = assessment.shown.unwrap();
    assert_eq!(shown.statement, 2);
    assert!(matches!(shown.by, ShownBy::Builder(name, _) if name == "workflows"));
}

#[test]
fn the_least_of_the_platforms_counts_where_the_index_shows_less() {
    let on = |platform: u8, statement: Statement| Statement { carrier: Carrier::Platform(digest(platform)), ..statement };
    let level = |statements: Vec<Statement>| {
        let some = ImageEvidence { platforms: vec![digest(71), digest(72)], ..image(statements) };
        policies().assess(&some, &Expectations::default(), now()).verified()
    };
    let ci = || of(provenance("https://ci.test/builder@v1"), signed_by("https://ci.test/build", &[]));
    assert_eq!(level(vec![on(71, good()), on(72, good())]), L3);
    assert_eq!(level(vec![on(71, good()), on(72, ci())]), L2);
    assert_eq!(level(vec![on(71, good())]), L0, "the other one may run");
    assert_eq!(level(vec![ci(), on(71, good())]), L2, "the index itself");
}

#[test]
fn what_was_not_answered_may_show_more() {
    let unknown = UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() };
    let mut some = image(vec![of(provenance("https://ci.test/builder@v1"), signed_by("https://ci.test/build", &[]))]);
    some.places[0].attestations = Some(unknown.clone());
    let assessment = policies().assess(&some, &Expectations::default(), now());
    assert_eq!((assessment.verified(), assessment.possible), (L2, Some((L3, unknown))));
    let assessment = assess(vec![of(provenance(WORKFLOW), doubtful(signed_by(WORKFLOW, &[])))]);
    assert_eq!(
        (assessment.verified(), assessment.possible.map(|(level, unknown)| (level, unknown.cause))),
        (L0, Some((L3, Cause::TrustRootTooOld)))
    );
}

/// A private Sigstore's provenance, under builders of another root that is old or cannot be had: whoever turned out to run its log, its
/// certificate names none of their workflows.
#[test]
fn what_names_somebody_else_is_not_unknown_because_a_root_does_not_know_its_log() {
    let elsewhere = "
  trustRoots: { other: { file: other.json }, gone: { file: gone.json } }
  authorities:
    old: { keyless: { trustRoot: other, issuer: { exact: i }, subject: { exact: 'https://hardened.test/build' } }, sct: unsafeIgnore }
    gone: { keyless: { trustRoot: gone, issuer: { exact: i }, subject: { exact: 'https://hardened.test/build' } }, sct: unsafeIgnore }
  builders: [{ name: hardened, id: { signer: {} }, signedBy: [old, gone], level: 3 }]";
    let text = format!("apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:{elsewhere}\n");
    let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
    let material = PolicyMaterial { roots: [root("other")].into(), authorities: Default::default() };
    let named = NamedBuilders { name: named.name, trust: named.trust, material };
    let policies = TrustPolicies::new(vec![policy("p", POLICY, &[], &["r"])]).with_builders(vec![named]);
    let under_the_old_one = |name: &str| {
        let mut proof = doubtful(signed_by(name, &[]));
        proof.trial = 1;
        proof
    };
    let assess = |name: &str| {
        let both = vec![signed_by(name, &[]), under_the_old_one(name)];
        let statement = attested(Ok(Predicate::Provenance(Box::new(provenance(name)))), both);
        let assessment = policies.assess(&image(vec![statement]), &Expectations::default(), now());
        (assessment.verified(), assessment.possible.map(|(level, unknown)| (level, unknown.cause)))
    };
    assert_eq!(assess("https://release.test"), (L1, None));
    assert_eq!(assess("https://stranger.test"), (L0, None));
    let (level, possible) = assess("https://hardened.test/build");
    assert_eq!((level, possible.map(|(level, _)| level)), (L0, Some(L3)), "whom they do mean may be it");
}

/// A builder that is expected is one of several that may have signed, and of one that is not known it is not known which.
#[test]
fn of_several_builders_the_expected_one_counts() {
    let text = format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:{BUILDERS}\n    - {{ name: lower, id: {{ regexp: 'https://github\\.com/acme/.*' }}, signedBy: [workflows], level: 2 }}\n"
    );
    let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
    let (_, loaded) = root("r");
    let material = PolicyMaterial { roots: [("r".to_owned(), loaded)].into(), authorities: Default::default() };
    let policies = TrustPolicies::default().with_builders(vec![NamedBuilders { name: named.name, trust: named.trust, material }]);
    let by = |names: &[&str], statement: Statement| {
        let builders: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let assessment = policies.assess(&image(vec![statement]), &Expectations { builders: &builders, ..Expectations::default() }, now());
        (assessment.verified(), assessment.possible.map(|(level, _)| level))
    };
    assert_eq!((by(&[], good()).0, by(&["lower"], good()).0, by(&["workflows"], good()).0), (L3, L2, L3));
    assert_eq!(by(&["other"], good()), (L0, None));
    let unknown = || of(provenance(WORKFLOW), doubtful(signed_by(WORKFLOW, &[])));
    assert_eq!(by(&["workflows"], unknown()), (L0, Some(L3)), "not known, and not another one");
    assert_eq!(by(&["lower"], unknown()), (L0, Some(L2)));
    assert_eq!(by(&["ci"], unknown()), (L0, None), "whoever signed it, that builder it does not name");
}

/// Its signature cannot be checked.
fn doubtful(mut proof: Proof) -> Proof {
    proof.steps.retain(|(step, _)| *step != Step::Signature);
    proof.steps.push((Step::Signature, StepOutcome::unknown(Cause::TrustRootTooOld, "old")));
    proof
}

#[test]
fn a_builder_that_the_certificate_does_not_carry_is_not_believed() {
    // Signed by whom the image's policy trusts, and by whom the other builder's document does: neither carries what it says.
    let release = |extensions: &[(&str, &str)]| shows(of(provenance(WORKFLOW), signed_by("https://release.test", extensions)));
    let other = "https://github.com/acme/app/.github/workflows/own.yml@refs/heads/main";
    assert_eq!(release(&[("buildSignerUri", other)]), (L0, L0, Some(Reason::BuilderUntrusted)));
    assert_eq!(release(&[("buildSignerUri", WORKFLOW)]).0, L1);
    let ci = |builder: &str, extensions: &[(&str, &str)]| shows(of(provenance(builder), signed_by("https://ci.test/build", extensions)));
    assert_eq!(ci("https://ci.test/builder@v1", &[("buildSignerUri", other)]).0, L2, "an identifier of its own, by the map of builders");
    assert_eq!(ci("https://ci.test/builder@v1", &[("buildSignerUri", "https://CI.test/other")]), (L0, L0, Some(Reason::BuilderUntrusted)));
    // Certificates from before there was an extension for it.
    let old = [("githubWorkflowRepository", "acme/app"), ("githubWorkflowSha", "c0ffee"), ("githubWorkflowRef", "refs/tags/v1.2.3")];
    let workflow = other.replace("own.yml", "release.yml");
    let by = |name: &str, builder: &str| {
        let spec = POLICY.replace("https://release.test", name);
        let policies = TrustPolicies::new(vec![policy("p", &spec, &[], &["r"])]);
        let image = image(vec![of(provenance(builder), signed_by(name, &old))]);
        policies.assess(&image, &Expectations::default(), now()).verified()
    };
    assert_eq!((by(other, other), by(other, &workflow)), (L1, L0));
    let runner = |environment: &str| {
        let builder = format!("https://github.com/actions/runner/{environment}");
        let extensions = [("buildSignerUri", other), ("runnerEnvironment", "self-hosted")];
        shows(of(provenance(&builder), signed_by("https://release.test", &extensions))).0
    };
    assert_eq!((runner("self-hosted"), runner("github-hosted")), (L1, L0));
}

#[test]
fn the_nearest_provenance_says_what_is_missing() {
    let unsigned = || Statement { format: StatementFormat::Unsigned { predicate_type: PROVENANCE_V1.to_owned() }, ..good() };
    let elsewhere = || of(provenance(WORKFLOW), signed_by(WORKFLOW, &[("sourceRepositoryUri", "https://github.com/evil/app")]));
    let stranger = || of(provenance(WORKFLOW), signed_by("https://stranger.test", &[]));
    let malformed = || attested(Err("no object".to_owned()), vec![signed_by(WORKFLOW, &[])]);
    let reason = |statements: Vec<Statement>| assess(statements).missing[0].reason;
    assert_eq!(reason(vec![unsigned(), elsewhere(), stranger()]), Reason::SourceMismatch);
    assert_eq!(reason(vec![unsigned(), malformed(), stranger()]), Reason::IdentityMismatch);
    assert_eq!(reason(vec![unsigned(), malformed()]), Reason::Malformed);
    // BuildKit's own lie on the platforms of what a builder signed as a whole.
    let below = |platform: u8| Statement { carrier: Carrier::Platform(digest(platform)), ..unsigned() };
    let some = ImageEvidence { platforms: vec![digest(71)], ..image(vec![elsewhere(), below(71)]) };
    let assessment = policies().assess(&some, &Expectations::default(), now());
    assert_eq!((assessment.reached, assessment.verified(), assessment.missing[0].reason), (L1, L0, Reason::SourceMismatch));
    let broken = Statement {
        format: StatementFormat::Unsupported { media_type: "application/vnd.dsse.envelope.v1+json".to_owned() },
        relation: Relation::Malformed("a key is there twice".to_owned()),
        ..statement(Vec::new())
    };
    assert_eq!(reason(vec![broken]), Reason::Malformed);
}

#[test]
fn what_was_signed_later_is_not_there_as_of_then() {
    let earlier = AsOf { rewound: true, ..AsOf::exactly(at("2025-12-01T00:00:00Z")) };
    let assessment = policies().assess(&image(vec![good()]), &Expectations::default(), earlier);
    assert_eq!((assessment.reached, assessment.shown, assessment.missing[0].reason), (L0, None, Reason::PredicateMissing));
}

#[test]
fn the_least_platform_bounds_what_is_possible() {
    let on = |platform: u8, statement: Statement| Statement { carrier: Carrier::Platform(digest(platform)), ..statement };
    let ci = of(provenance("https://ci.test/builder@v1"), signed_by("https://ci.test/build", &[]));
    let unknown = of(provenance(WORKFLOW), doubtful(signed_by(WORKFLOW, &[])));
    let some = ImageEvidence { platforms: vec![digest(71), digest(72)], ..image(vec![on(71, ci), on(72, unknown)]) };
    let assessment = policies().assess(&some, &Expectations::default(), now());
    assert_eq!((assessment.verified(), assessment.possible.map(|(level, _)| level)), (L0, Some(L2)));
}

#[test]
fn an_authority_that_no_policy_has_is_not_known() {
    let text = format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:\n  builders: [{{ name: b, id: {{ exact: '{WORKFLOW}' }}, signedBy: [nobody], level: 2 }}]\n"
    );
    let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
    let builders = NamedBuilders { name: named.name, trust: named.trust, material: PolicyMaterial::default() };
    let policies = TrustPolicies::default().with_builders(vec![builders]);
    let assessment = policies.assess(&image(vec![good()]), &Expectations::default(), now());
    assert_eq!(assessment.possible.map(|(level, unknown)| (level, unknown.cause)), Some((L2, Cause::TrustRootUnavailable)));
}

#[test]
fn a_revoked_image_or_signer_shows_nothing_that_is_verified() {
    let revoked = |what: String| {
        let spec = format!("{POLICY}\n  revocations: [{{ {what}, reason: r }}]");
        let (_, loaded) = root("r");
        let text = format!("apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: b }}\nspec:{BUILDERS}\n");
        let Document::BuilderTrust(named) = parse("b.yaml", &text).unwrap().remove(0) else { panic!("builders") };
        let material = PolicyMaterial { roots: [("r".to_owned(), loaded)].into(), authorities: Default::default() };
        let builders = NamedBuilders { name: named.name, trust: named.trust, material };
        let policies = TrustPolicies::new(vec![policy("p", &spec, &[], &["r"])]).with_builders(vec![builders]);
        move |image: &ImageEvidence| policies.assess(image, &Expectations::default(), now())
    };
    let signed = || image(vec![good()]);
    for what in [
        format!("imageDigest: '{}'", digest(42)),
        format!("key: '{}'", digest(4)),
        format!("identity: {{ exact: '{WORKFLOW}' }}, issuer: {{ exact: i }}"),
    ] {
        let assessment = revoked(what.clone())(&signed());
        assert_eq!((assessment.verified(), assessment.missing[0].reason, assessment.possible), (L0, Reason::Revoked, None), "{what}");
    }
    let why = UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() };
    let silent = ImageEvidence { index: IndexAbove::Unknown(why.clone()), ..signed() };
    let assessment = revoked(format!("imageDigest: '{}'", digest(50)))(&silent);
    assert_eq!((assessment.verified(), assessment.possible), (L0, Some((L3, why))), "the index may be revoked");
}

proptest! {
    #[test]
    fn knowing_less_shows_no_more_and_denies_nothing(
        which in proptest::collection::vec(0_u8..7, 0..4),
        platforms in any::<bool>(),
        on in proptest::collection::vec(0_u8..3, 4),
        lost in 0_usize..4,
        piece in 0_u8..4,
        wanted in 0_usize..4,
    ) {
        let made = |(kind, on): (&u8, &u8)| {
            let statement = match kind {
                0 => good(),
                1 => of(provenance("https://ci.test/builder@v1"), signed_by("https://ci.test/build", &[])),
                2 => of(provenance(WORKFLOW), signed_by("https://stranger.test", &[])),
                3 => Statement { format: StatementFormat::Unsigned { predicate_type: PROVENANCE_V1.to_owned() }, ..good() },
                4 => of(provenance(WORKFLOW), signed_by(WORKFLOW, &[("sourceRepositoryUri", "https://github.com/evil/app")])),
                5 => of(provenance("https://nobody.test/builder"), signed_by("https://release.test", &[])),
                _ => Statement { relation: Relation::NamesOthers(vec![digest(7)]), ..good() },
            };
            match on {
                0 => statement,
                platform => Statement { carrier: Carrier::Platform(digest(70 + platform)), ..statement },
            }
        };
        let listed = if platforms { vec![digest(71), digest(72)] } else { Vec::new() };
        let known = ImageEvidence { platforms: listed, ..image(which.iter().zip(&on).map(made).collect()) };
        let mut less = known.clone();
        let unknown = UnknownAnswer { cause: Cause::Timeout, detail: "no answer".to_owned() };
        match piece {
            0 => less.places[0].attestations = Some(unknown),
            1 => less.places[0].outcome = PlaceOutcome::Unknown(unknown),
            2 => less.manifest = ManifestPresence::Unknown(unknown),
            _ => {}
        }
        if lost < less.statements.len() {
            // What a place did not answer is gone; a signature that cannot be checked is still there.
            match piece {
                3 => less.statements[lost].proofs = less.statements[lost].proofs.iter().cloned().map(doubtful).collect(),
                _ => drop(less.statements.remove(lost)),
            }
        }
        let builders: Vec<String> = ["workflows", "ci", WORKFLOW].into_iter().nth(wanted).map(str::to_owned).into_iter().collect();
        let expected = Expectations { builders: &builders, ..Expectations::default() };
        let assess = |image: &ImageEvidence| policies().assess(image, &expected, now());
        let (before, after) = (assess(&known), assess(&less));
        prop_assert!(after.verified() <= before.verified());
        let highest = after.possible.as_ref().map_or(after.verified(), |(level, _)| *level);
        prop_assert!(highest >= before.verified(), "{before:?} became {after:?}");
    }
}
