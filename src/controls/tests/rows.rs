//! Every row of the contract's table that needs no cryptography, from evidence to what a control says.

use super::stage::*;
use crate::controls::Configuration;
use crate::model::{
    Basis, Carrier, Cause, ChildSignatures, ContainerImage, ImageEvidence, Judgement, ManifestPresence, OCI_INDEX, PlaceOutcome,
    PullPolicy, Reason, Relation, RunningImage, StatementFormat, SubjectState, TagState,
};

const APP: &str = "registry.test/app:v1";

fn signed(reference: &str, evidence: &ImageEvidence) -> (Says, String) {
    let finding = finding(&builtin("C-0237"), &Configuration::default(), container(image(reference)), evidence).unwrap();
    let (Judgement::Pass { detail } | Judgement::Fail { detail, .. } | Judgement::Unknown { detail, .. }) = finding.judgement.clone();
    (Says::from(&finding.judgement), detail)
}

fn table(rows: Vec<(&str, ImageEvidence, Says)>) {
    for (row, evidence, expected) in rows {
        let (found, detail) = signed(APP, &evidence);
        assert_eq!(found, expected, "{row}: {detail}");
    }
}

fn mismatching() -> ImageEvidence {
    with(|evidence| evidence.statements = vec![signature(Relation::NamesOthers(vec![digest(7)]))])
}

#[test]
fn what_was_found_everywhere_decides() {
    let dsse = |predicate_type: &str| StatementFormat::Dsse { predicate_type: predicate_type.to_owned() };
    let statements = |statements: Vec<_>| with(|evidence| evidence.statements = statements);
    let malformed = || Relation::Malformed("not JSON".to_owned());
    table(vec![
        ("over this digest", statements(vec![signature(Relation::Names)]), Says::Pass),
        ("a bundle over this manifest", statements(vec![statement(StatementFormat::BundleMessage, Relation::Names)]), Says::Pass),
        ("a signed signature type", statements(vec![statement(dsse("https://sigstore.dev/cosign/sign/v1"), Relation::Names)]), Says::Pass),
        ("Notation", statements(vec![statement(StatementFormat::Notation { envelope: "cose".into() }, Relation::Names)]), Says::Pass),
        (
            "recognised and not supported",
            statements(vec![statement(StatementFormat::Unsupported { media_type: "x/y".into() }, Relation::Names)]),
            Says::Pass,
        ),
        (
            "an attestation",
            statements(vec![statement(dsse("https://slsa.dev/provenance/v1"), Relation::Names)]),
            Says::Fail(Reason::Absent),
        ),
        ("names another digest", mismatching(), Says::Fail(Reason::DigestMismatch)),
        ("names no digest", statements(vec![signature(Relation::NamesOthers(Vec::new()))]), Says::Fail(Reason::DigestMismatch)),
        (
            "an attestation of another digest",
            statements(vec![statement(dsse("https://slsa.dev/provenance/v1"), Relation::NamesOthers(vec![digest(7)]))]),
            Says::Fail(Reason::Absent),
        ),
        ("cannot be parsed", statements(vec![signature(malformed())]), Says::Fail(Reason::Absent)),
        (
            "one fits, one does not",
            statements(vec![signature(Relation::NamesOthers(vec![digest(7)])), signature(Relation::Names)]),
            Says::Pass,
        ),
        ("one cannot be parsed, one fits", statements(vec![signature(malformed()), signature(Relation::Names)]), Says::Pass),
        ("nothing", looked(), Says::Fail(Reason::Absent)),
    ]);
}

#[test]
fn not_having_looked_everywhere_is_unknown_unless_a_signature_was_found() {
    for cause in Cause::ALL.iter().copied() {
        let second =
            |evidence: &mut ImageEvidence| evidence.places.push(place("origin.test/app", PlaceOutcome::Unknown(unanswered(cause))));
        let manifest = |evidence: &mut ImageEvidence| evidence.manifest = ManifestPresence::Unknown(unanswered(cause));
        let subject = |evidence: &mut ImageEvidence| evidence.subject = SubjectState::Unknown(unanswered(cause));
        let names = |relation: Relation| move |evidence: &mut ImageEvidence| evidence.statements = vec![signature(relation)];
        let both = |one: &dyn Fn(&mut ImageEvidence), other: Relation| {
            with(|evidence| {
                one(evidence);
                names(other)(evidence);
            })
        };
        table(vec![
            ("another place did not answer", with(second), Says::Unknown(cause)),
            ("the manifest was not seen", with(manifest), Says::Unknown(cause)),
            ("the running digest is not known", with(subject), Says::Unknown(cause)),
            ("one source good, another unreachable", both(&second, Relation::Names), Says::Pass),
            ("one source does not fit, another unreachable", both(&second, Relation::NamesOthers(vec![digest(7)])), Says::Unknown(cause)),
            ("one source broken, another unreachable", both(&second, Relation::Malformed(String::new())), Says::Unknown(cause)),
            (
                "one source does not fit, the manifest was not seen",
                both(&manifest, Relation::NamesOthers(vec![digest(7)])),
                Says::Unknown(cause),
            ),
        ]);
    }
}

#[test]
fn a_repository_that_lost_the_image_says_nothing_by_the_signature_it_kept() {
    let kept = |place: &str, cause: Cause| {
        with(|evidence| {
            evidence.manifest = ManifestPresence::Unknown(unanswered(cause));
            evidence.statements = vec![signature(Relation::Names)];
            evidence.statements[0].place = place.to_owned();
        })
    };
    table(vec![
        ("the image is gone, its signature is not", kept("registry.test/app", Cause::ImageNotFound), Says::Unknown(Cause::ImageNotFound)),
        ("the image is gone, another place has a signature", kept("origin.test/app", Cause::ImageNotFound), Says::Pass),
        ("the manifest was not answered, the signature was", kept("registry.test/app", Cause::Timeout), Says::Pass),
    ]);
}

#[test]
fn mirrors_prove_nothing_and_origins_do() {
    let mirror = || place("mirror.test/app", PlaceOutcome::NotAuthoritative);
    let places = |places: Vec<_>| with(|evidence| evidence.places = places);
    let incomplete = Says::Unknown(Cause::EvidenceLocationIncomplete);
    table(vec![
        ("only a mirror was asked", places(vec![mirror()]), incomplete),
        ("two mirrors were asked", places(vec![mirror(), mirror()]), incomplete),
        ("the origin was asked too", places(vec![mirror(), place("origin.test/app", PlaceOutcome::Looked(0))]), Says::Fail(Reason::Absent)),
        (
            "the origin did not answer",
            places(vec![mirror(), place("origin.test/app", PlaceOutcome::Unknown(unanswered(Cause::Timeout)))]),
            Says::Unknown(Cause::Timeout),
        ),
        (
            "a mirror has one that does not fit",
            with(|evidence| {
                evidence.places = vec![mirror()];
                evidence.statements = mismatching().statements;
            }),
            incomplete,
        ),
        (
            "a mirror has a good one",
            with(|evidence| {
                evidence.places = vec![mirror()];
                evidence.statements = vec![signature(Relation::Names)];
            }),
            Says::Pass,
        ),
        ("no place was asked", places(Vec::new()), Says::Unknown(Cause::NotCaptured)),
        (
            "the manifest was not asked for",
            with(|evidence| evidence.manifest = ManifestPresence::NotAsked),
            Says::Unknown(Cause::NotCaptured),
        ),
    ]);
}

#[test]
fn indexes_and_their_children() {
    let beside_index = |relation: Relation| {
        with(|evidence| {
            evidence.statements = vec![signature(relation)];
            evidence.statements[0].carrier = Carrier::Index(digest(5));
        })
    };
    let index_unknown = |statements: Vec<_>| {
        with(|evidence| {
            evidence.index = crate::model::IndexAbove::NotAtHand;
            evidence.statements = statements;
        })
    };
    table(vec![
        ("the index that lists it is signed", beside_index(Relation::Names), Says::Pass),
        ("beside the index, and names the platform manifest", beside_index(Relation::NamesOthers(vec![running()])), Says::Pass),
        (
            "beside the index, and names something else",
            beside_index(Relation::NamesOthers(vec![digest(7)])),
            Says::Fail(Reason::DigestMismatch),
        ),
        ("its index is not at hand", index_unknown(Vec::new()), Says::Unknown(Cause::IndexUnknown)),
        ("its index is not at hand, but it is signed", index_unknown(vec![signature(Relation::Names)]), Says::Pass),
        ("its index is not at hand, and one does not fit", index_unknown(mismatching().statements), Says::Unknown(Cause::IndexUnknown)),
    ]);
    let (_, detail) = signed(APP, &beside_index(Relation::Names));
    assert!(detail.contains(&digest(5).short()), "which digest carried it: {detail}");

    let children = with(|evidence| {
        evidence.manifest =
            ManifestPresence::Seen { media_type: OCI_INDEX.to_owned(), credential: crate::model::CredentialKind::Anonymous };
        evidence.children = vec![ChildSignatures { child: digest(6), signatures: 1 }];
    });
    let (found, detail) = signed(APP, &children);
    assert_eq!(found, Says::Fail(Reason::Absent));
    assert!(detail.contains(&digest(6).short()), "the signed children are listed: {detail}");
}

#[test]
fn a_reference_that_cannot_be_parsed_fails_what_reads_it() {
    for id in ["C-0001", "C-0075", "C-0078", "C-0237", "C-0306", "SW-0001", "SW-0002"] {
        let configuration = config(
            r#"{"untrustedRegistries": ["x.test"], "imageRepositoryAllowList": ["registry.test"], "imageDigestExemptRepositories": ["registry.test"]}"#,
        );
        for reference in [" registry.test/app", "registry.test/App", "registry.test/app:v1@sha256:1"] {
            let malformed = container(declared(reference));
            let judgement = finding(&builtin(id), &configuration, malformed, &looked()).unwrap().judgement;
            assert_eq!(Says::from(&judgement), Says::Fail(Reason::MalformedReference), "{id}: {reference:?}");
        }
    }
}

#[test]
fn where_a_tag_leads() {
    let drift = |image: ContainerImage, tag: TagState| {
        let evidence = with(|evidence| evidence.tag = tag);
        finding(&builtin("SW-0002"), &Configuration::default(), container(image), &evidence).map(|finding| Says::from(&finding.judgement))
    };
    let unknown = || TagState::Unknown(unanswered(Cause::RateLimited));
    for basis in [Basis::Running, Basis::Finished] {
        let ran = || ContainerImage { basis, ..image(APP) };
        assert_eq!(drift(ran(), TagState::Unmoved), Some(Says::Pass));
        assert_eq!(drift(ran(), TagState::UnmovedIndex(digest(5))), Some(Says::Pass));
        assert_eq!(drift(ran(), TagState::NoTag), Some(Says::Pass));
        assert_eq!(drift(ran(), TagState::Moved(digest(5))), Some(Says::Fail(Reason::TagMoved)));
        assert_eq!(drift(ran(), TagState::Gone), Some(Says::Fail(Reason::TagMoved)));
        assert_eq!(drift(ran(), unknown()), Some(Says::Unknown(Cause::RateLimited)));
        assert_eq!(drift(ran(), TagState::NotAsked), Some(Says::Unknown(Cause::NotCaptured)));
    }
    assert_eq!(drift(declared(APP), TagState::Unmoved), None, "where nothing runs, nothing can have moved: irrelevant, not passed");

    let evidence = with(|evidence| evidence.subject = SubjectState::Unknown(unanswered(Cause::DigestUnknown)));
    let unreadable = ContainerImage { running: RunningImage::Unreadable("x".into()), ..image(APP) };
    let judgement = finding(&builtin("SW-0002"), &Configuration::default(), container(unreadable), &evidence).unwrap().judgement;
    assert_eq!(Says::from(&judgement), Says::Unknown(Cause::DigestUnknown));
}

#[test]
fn floating_tags_have_to_be_pulled_always() {
    let hex = "a".repeat(64);
    let pinned = format!("registry.test/app:latest@sha256:{hex}");
    for (reference, policy, expected) in [
        ("registry.test/app:latest", None, Says::Pass),
        ("registry.test/app", None, Says::Pass),
        ("registry.test/app", Some(PullPolicy::IfNotPresent), Says::Fail(Reason::PullPolicy)),
        ("registry.test/app:latest", Some(PullPolicy::Never), Says::Fail(Reason::PullPolicy)),
        ("registry.test/app:latest", Some(PullPolicy::Always), Says::Pass),
        ("registry.test/app:v1", Some(PullPolicy::IfNotPresent), Says::Pass),
        ("registry.test/app:v1", None, Says::Pass),
        (&pinned, Some(PullPolicy::Never), Says::Pass),
    ] {
        let container = match policy {
            Some(policy) => pulled(declared(reference), policy),
            None => container(declared(reference)),
        };
        let judgement = finding(&builtin("C-0075"), &Configuration::default(), container, &looked()).unwrap().judgement;
        assert_eq!(Says::from(&judgement), expected, "{reference} {policy:?}");
    }
    // Each half of a roll-out is pulled as it is written for it.
    let own = ContainerImage { pull_policy: Some(PullPolicy::Always), ..declared("registry.test/app") };
    let judgement =
        finding(&builtin("C-0075"), &Configuration::default(), pulled(own, PullPolicy::IfNotPresent), &looked()).unwrap().judgement;
    assert_eq!(Says::from(&judgement), Says::Pass);
    // Other floating tags have another default than latest, and the empty one stands for no tag at all.
    let floating = config(r#"{"floatingImageTags": ["stable", ""]}"#);
    for (reference, expected) in [
        ("registry.test/app:stable", Says::Fail(Reason::PullPolicy)),
        ("registry.test/app", Says::Pass),
        ("registry.test/app:latest", Says::Pass),
    ] {
        let judgement = finding(&builtin("C-0075"), &floating, container(declared(reference)), &looked()).unwrap().judgement;
        assert_eq!(Says::from(&judgement), expected, "{reference}");
    }
    let by_default = |reference: &str, policy: &str| {
        let control = control(&format!("  rule: {{ reference: {{ pullPolicy: [{policy}] }} }}"));
        let judgement = finding(&control, &Configuration::default(), container(declared(reference)), &looked()).unwrap().judgement;
        Says::from(&judgement)
    };
    assert_eq!(by_default(&pinned, "Always"), Says::Pass, "Kubernetes looks at the tag, a digest behind it or not");
    assert_eq!(by_default(&format!("registry.test/app@sha256:{hex}"), "IfNotPresent"), Says::Pass);
}

#[test]
fn registries_are_compared_at_boundaries() {
    let allow = r#"{"imageRepositoryAllowList": ["gcr.io/project", "registry.test"]}"#;
    let deny = r#"{"untrustedRegistries": ["gcr.io/project"], "publicRegistries": ["docker.io"]}"#;
    for (reference, allowed, denied) in [
        ("gcr.io/project/app", true, true),
        ("gcr.io/project", true, true),
        ("gcr.io/project-x/app", false, false),
        ("gcr.io.evil.example/project/app", false, false),
        ("evil.example/gcr.io/project/app", false, false),
        ("GCR.io:443/project/app", true, true),
        ("registry.test/a/b/c:v1", true, false),
        ("nginx", false, true),
        ("index.docker.io/library/nginx", false, true),
    ] {
        let says = |id: &str, json: &str| {
            let judgement = finding(&builtin(id), &config(json), container(declared(reference)), &looked()).unwrap().judgement;
            Says::from(&judgement)
        };
        let denied_says = Says::Fail(Reason::RegistryDenied);
        assert_eq!(says("C-0078", allow), if allowed { Says::Pass } else { denied_says }, "{reference}");
        assert_eq!(says("C-0001", deny), if denied { denied_says } else { Says::Pass }, "{reference}");
    }
}

#[test]
fn another_port_is_no_way_around_what_is_forbidden() {
    let configuration =
        config(r#"{"untrustedRegistries": ["evil.test", "[fd00::1]", "bad.test:5000"], "imageRepositoryAllowList": ["good.test"]}"#);
    let says = |id: &str, reference: &str| {
        Says::from(&finding(&builtin(id), &configuration, container(declared(reference)), &looked()).unwrap().judgement)
    };
    let denied = Says::Fail(Reason::RegistryDenied);
    for reference in ["evil.test/app", "evil.test:8443/app", "EVIL.test:80/app", "[fd00::1]:5000/app", "bad.test:5000/app"] {
        assert_eq!(says("C-0001", reference), denied, "{reference}");
    }
    for reference in ["evil.test.example/app", "bad.test:5001/app", "bad.test/app", "[fd00::2]:5000/app"] {
        assert_eq!(says("C-0001", reference), Says::Pass, "{reference}");
    }
    // What is allowed is allowed as it is written: another port is another server.
    assert_eq!((says("C-0078", "good.test/app"), says("C-0078", "good.test:8443/app")), (Says::Pass, denied));
}

#[test]
fn public_images_come_through_the_proxy() {
    let mut configuration = Configuration::default();
    let proxies = std::collections::BTreeMap::from([("proxies".to_owned(), vec!["registry.test/proxy/**".to_owned()])]);
    configuration.set_own(crate::documents::Parameters { controls: [("SW-0004".to_owned(), proxies)].into() });
    for (reference, expected) in [
        ("registry.test/proxy/docker.io/library/nginx", Says::Pass),
        ("registry.test/own/app", Says::Pass),
        ("nginx:1.27", Says::Fail(Reason::PublicRegistry)),
        ("eu.gcr.io/project/app", Says::Fail(Reason::PublicRegistry)),
        ("quay.io:8443/project/app", Says::Fail(Reason::PublicRegistry)),
    ] {
        let judgement = finding(&builtin("SW-0004"), &configuration, container(declared(reference)), &looked()).unwrap().judgement;
        assert_eq!(Says::from(&judgement), expected, "{reference}");
    }
}

#[test]
fn pinning_is_read_off_the_reference() {
    let pinned = format!("registry.test/app:v1@{}", running());
    let says = |reference: &str, configuration: &Configuration| {
        finding(&builtin("C-0306"), configuration, container(declared(reference)), &looked()).map(|finding| Says::from(&finding.judgement))
    };
    let none = Configuration::default();
    assert_eq!(says(&pinned, &none), Some(Says::Pass));
    assert_eq!(says(APP, &none), Some(Says::Fail(Reason::ReferenceNotPinned)));
    assert_eq!(says(APP, &config(r#"{"imageDigestExemptRepositories": ["registry.test"]}"#)), None, "exempt is irrelevant, not passed");
}
