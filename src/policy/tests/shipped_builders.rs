//! The builders that come with the program: whom they trust, and whom not.

use super::{at, digest, image, logged, now, root, statement};
use crate::documents::{Document, parse};
use crate::model::{
    Attested, BuildLevel, CertificateClaims, PROVENANCE_V1, Payload, PolicyMaterial, Predicate, Proof, Provenance, Reason, Signer,
    Statement, StatementFormat, Step, StepOutcome, SubjectName, TriedWith,
};
use crate::policy::{Asked, Expectations, NamedBuilders, Ruling, TrustPolicies};

const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const OWN: &str = "https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main";
const ATTESTED: &str = "https://actions.github.io/buildtypes/workflow/v1";

fn policies() -> TrustPolicies {
    let documents = [
        include_str!("../../../controls/builders/github-artifact-attestations.yaml"),
        include_str!("../../../controls/builders/slsa-github-generator.yaml"),
    ];
    let builders = documents.map(|text| {
        let Document::BuilderTrust(named) = parse("b.yaml", text).unwrap().remove(0) else { panic!("builders") };
        let roots = named.trust.trust_roots.keys().map(|name| root(name)).collect();
        NamedBuilders { name: named.name, trust: named.trust, material: PolicyMaterial { roots, authorities: Default::default() } }
    });
    TrustPolicies::default().with_builders(builders.into())
}

/// Provenance of a builder, signed by a name under the root of a trial.
fn provenance(builder: &str, build_type: &str, (name, issuer): (&str, &str), extensions: &[(&str, &str)]) -> Statement {
    let claims = CertificateClaims {
        names: vec![SubjectName::Uri(name.to_owned())],
        subject: String::new(),
        issuer: Some(issuer.to_owned()),
        extensions: extensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        fingerprint: digest(3),
        key: digest(4),
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2026-01-01T00:10:00Z"),
    };
    let held = [Step::Form, Step::CertificateChain, Step::CertificateLog, Step::CertificateValidity, Step::Signature, Step::Subject];
    let steps = held.map(|step| (step, StepOutcome::Held(String::new()))).to_vec();
    let public_good = policies().trials().iter().position(|trial| format!("{trial:?}").contains("public-good")).unwrap();
    let trial = u32::try_from(public_good).unwrap();
    let signer = Some(Signer::Certificate(Box::new(claims)));
    let proof = Proof { trial, with: TriedWith::Root("public-good".to_owned()), root: None, signer, steps, times: Vec::new(), log: None };
    let provenance = Provenance {
        predicate_type: PROVENANCE_V1.to_owned(),
        builder: builder.to_owned(),
        build_type: build_type.to_owned(),
        source: None,
        external_parameters: Default::default(),
        invocation: None,
        started: None,
        finished: None,
        dependencies: 0,
    };
    let predicate = Ok(Predicate::Provenance(Box::new(provenance)));
    Statement {
        format: StatementFormat::Dsse { predicate_type: PROVENANCE_V1.to_owned() },
        attested: Some(std::sync::Arc::new(Attested { predicate, time: None, payload: Payload::NotWanted })),
        ..statement(vec![logged(proof, "2026-01-01T00:05:00Z")])
    }
}

fn level(statement: Statement) -> BuildLevel {
    policies().assess(&image(vec![statement]), &Expectations::default(), now()).verified()
}

/// As a workflow that signs for itself writes it.
fn by_itself(name: &str, build_type: &str, runner: Option<&str>) -> Statement {
    let mut extensions = vec![("buildSignerUri", name)];
    extensions.extend(runner.map(|runner| ("runnerEnvironment", runner)));
    provenance(name, build_type, (name, GITHUB), &extensions)
}

use BuildLevel::{L0, L1, L2, L3};

#[test]
fn the_generators_releases_are_level_3_and_nothing_that_looks_like_them() {
    let of = |name: &str| level(by_itself(name, "x", Some("github-hosted")));
    for workflow in [
        "generator_generic_slsa3",
        "generator_container_slsa3",
        "builder_go_slsa3",
        "builder_container-based_slsa3",
        "delegator_generic_slsa3",
        "delegator_lowperms-generic_slsa3",
    ] {
        for version in ["v1.2.2", "v1.4.0", "v1.5.0", "v1.9.0", "v1.10.0", "v2.0.0", "v2.1.0", "v10.20.30"] {
            assert_eq!(of(&format!("{GENERATOR}/{workflow}.yml@refs/tags/{version}")), L3, "{workflow} {version}");
        }
    }
    let released = format!("{GENERATOR}/generator_container_slsa3.yml@refs/tags/v1.10.0");
    for (from, to) in [
        ("refs/tags/v1.10.0", "refs/heads/main"),
        ("refs/tags/v1.10.0", "refs/heads/v1.10.0"),
        ("refs/tags/v1.10.0", "refs/pull/7/merge"),
        ("refs/tags/v1.10.0", "refs/tags/v2"),
        ("refs/tags/v1.10.0", "refs/tags/v2.1"),
        ("refs/tags/v1.10.0", "refs/tags/v2.1.0/x"),
        ("refs/tags/v1.10.0", "refs/tags/v1.10.0@refs/tags/v1.10.0"),
        ("refs/tags/v1.10.0", "refs/tags/v1.10.0 "),
        ("refs/tags/v1.10.0", "refs/tags/v1.10.0\n"),
        ("refs/tags/v1.10.0", "refs/tags/V1.10.0"),
        ("@refs/tags/v1.10.0", ""),
        ("v1.10.0", "v1.10.0-rc.1"),
        ("v1.10.0", "v1.10.0+build"),
        ("v1.10.0", "v1.10"),
        ("v1.10.0", "v1"),
        ("v1.10.0", "v01.10.0"),
        ("v1.10.0", "1.10.0"),
        ("@refs/tags/v1.10.0", "@c747fe7769adf3656dc7d588b161cb614d7abfee"),
        ("generator_container_slsa3", "not-trusted"),
        ("generator_container_slsa3", "xgenerator_container_slsa3"),
        (".yml@", ".yaml@"),
        ("slsa-framework/", "slsa-framework-evil/"),
        ("slsa-github-generator/", "slsa-github-generatorA/"),
        ("https://github.com", "https://Agithub.com"),
        ("https://github.com", "https://githubXcom"),
        ("https://github.com", "https://evil.test/https://github.com"),
    ] {
        let name = released.replacen(from, to, 1);
        assert_ne!(name, released);
        assert_eq!(of(&name), L0, "{name}");
        // Why is said for each level, with the name that is not the wanted one.
        let image = image(vec![by_itself(&name, "x", Some("github-hosted"))]);
        let missing = policies().assess(&image, &Expectations::default(), now()).missing;
        assert_eq!(missing.iter().map(|missing| missing.level).collect::<Vec<_>>(), [L1, L2, L3], "{name}");
        for missing in missing {
            assert!(matches!(missing.reason, Reason::BuilderUntrusted | Reason::IdentityMismatch), "{name}: {missing:?}");
            let told = format!("signed by {name} (issuer {GITHUB}); the policy wants /https://github\\.com/");
            assert!(missing.detail.contains(&told), "{name}: {missing:?}");
        }
    }
    assert_eq!(level(by_itself(&released, "x", None)), L3, "certificates were without the kind of runner once");
    let extensions = [("buildSignerUri", released.as_str())];
    assert_eq!(level(provenance(&released, "x", (&released, "https://evil.test"), &extensions)), L0, "another issuer");
    let other = released.replace("v1.10.0", "v1.9.0");
    assert_eq!(level(provenance(&other, "x", (&released, GITHUB), &extensions)), L0, "another version than its certificate's");
}

#[test]
fn workflows_that_attest_for_themselves_on_githubs_runners_are_level_2() {
    assert_eq!(level(by_itself(OWN, ATTESTED, Some("github-hosted"))), L2);
    assert_eq!(level(by_itself(OWN, ATTESTED, Some("self-hosted"))), L0);
    assert_eq!(level(by_itself(OWN, ATTESTED, None)), L0, "where it ran is not said");
    assert_eq!(level(by_itself(OWN, "https://other.test", Some("github-hosted"))), L0, "another build type");
    let hosted = [("buildSignerUri", OWN), ("runnerEnvironment", "github-hosted")];
    assert_eq!(
        level(provenance(&OWN.replace("acme", "other"), ATTESTED, (OWN, GITHUB), &hosted)),
        L0,
        "another workflow than the signer's"
    );
    for name in [
        "https://github.com/acme/app",
        "https://github.com/acme/app/.github/workflows/x.yml",
        "https://evil.test/acme/app/.github/workflows/x.yml@refs/heads/main",
    ] {
        assert_eq!(level(by_itself(name, ATTESTED, Some("github-hosted"))), L0, "{name}");
    }
}

#[test]
fn what_they_sign_is_no_signature_of_an_image() {
    let released = format!("{GENERATOR}/generator_container_slsa3.yml@refs/tags/v1.10.0");
    let proofs = by_itself(&released, "x", Some("github-hosted")).proofs.to_vec();
    let signature = image(vec![statement(proofs)]);
    assert!(!matches!(policies().judge(&signature, &Asked::BY_POLICY, now()), Ruling::Verified(..)));
    assert!(policies().is_empty() && policies().authorities().next().is_none() && policies().long_lived().is_empty());
    let checked = policies().check(&signature, now());
    assert!(checked.iter().all(|(_, checked)| checked.verdict != crate::model::Verdict::Verified), "{checked:?}");
}
