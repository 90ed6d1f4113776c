//! The gathering against a small world: each row of the contract about finding signatures follows.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use seaworthy::model::{
    Answer, Ask, Carrier, Cause, CosignTag, CredentialIdentity, Digest, ImageEvidence, IndexAbove, ManifestPresence, Needs, OCI_INDEX,
    OCI_MANIFEST, Outcome, Place, PlaceOutcome, Question, Relation, RunningImage, SubjectState, TagState,
};
use seaworthy::scan::{Answers, DeclaredPlaces, ExtraPlace, Gathered, ImageTask, gather};

use crate::world::{BUNDLE, COSIGN_SIGN, SIMPLE, World, bundle, bundle_about, descriptor, digest_of, payload};

const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const ALL: Needs =
    Needs { subject: true, tag: true, signatures: true, verification: false, attestations: seaworthy::model::PredicateKinds::NONE };

/// The world as it is asked: an answer is there once its question was asked, and rounds are counted.
#[derive(Default)]
struct Asked {
    world: World,
    rounds: RefCell<Vec<usize>>,
    released: RefCell<BTreeSet<Question>>,
}

impl Answers for Asked {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        self.released.borrow().contains(question).then(|| self.world.answer(question, Timestamp::UNIX_EPOCH))
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.world.blob(digest)
    }
}

impl Asked {
    fn gather(&self, task: &ImageTask, needs: Needs, places: &DeclaredPlaces) -> ImageEvidence {
        for _ in 0..20 {
            match gather(task, needs, places, self) {
                Gathered::Done(evidence, _) => return *evidence,
                Gathered::Wanted(questions) => {
                    assert!(!questions.is_empty(), "nothing wanted and not done");
                    self.rounds.borrow_mut().push(questions.len());
                    self.released.borrow_mut().extend(questions);
                }
            }
        }
        panic!("gathering does not end");
    }

    fn evidence(&self, task: &ImageTask) -> ImageEvidence {
        self.gather(task, ALL, &DeclaredPlaces::default())
    }
}

impl Deref for Asked {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Asked {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

fn home() -> Place {
    Place::Repository("ghcr.io/acme/app".parse().unwrap())
}

fn task(reference: &str, running: RunningImage) -> ImageTask {
    ImageTask::in_registry(reference.parse().unwrap(), running, CredentialIdentity::default())
}

fn running(digest: &Digest) -> ImageTask {
    task("ghcr.io/acme/app:v1", RunningImage::Manifest(digest.clone()))
}

fn unreachable() -> Outcome {
    Outcome::unknown(Cause::Timeout, "no answer in 10 s")
}

fn named(evidence: &ImageEvidence) -> usize {
    evidence.statements.iter().filter(|statement| statement.is_signature() && statement.relation == Relation::Names).count()
}

#[test]
fn a_signature_by_tag_is_found_in_three_rounds_and_five_requests() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.sign_by_tag(&home(), &image, &image);
    let evidence = world.gather(&running(&image), Needs { tag: false, ..ALL }, &DeclaredPlaces::default());
    assert_eq!(named(&evidence), 1);
    assert_eq!(*world.rounds.borrow(), [3, 1, 1]);
}

#[test]
fn a_bundle_by_referrer_is_found_in_three_rounds_and_five_requests() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.refer(&home(), &image, BUNDLE, &[bundle(COSIGN_SIGN, &image)]);
    let evidence = world.gather(&running(&image), Needs { tag: false, ..ALL }, &DeclaredPlaces::default());
    assert_eq!(named(&evidence), 1);
    assert_eq!(*world.rounds.borrow(), [3, 1, 1]);
}

#[test]
fn each_further_piece_costs_two_requests() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let bundles: Vec<_> = (0..4).map(|n| bundle(&format!("https://example.com/{n}"), &image)).collect();
    world.refer(&home(), &image, BUNDLE, &[vec![bundle(COSIGN_SIGN, &image)], bundles].concat());
    let evidence = world.gather(&running(&image), Needs { tag: false, ..ALL }, &DeclaredPlaces::default());
    assert_eq!((named(&evidence), evidence.statements.len()), (1, 5));
    assert_eq!(world.rounds.borrow().iter().sum::<usize>(), 5 + 4 * 2);
}

#[test]
fn nothing_is_asked_that_no_control_needs() {
    let world = Asked::default();
    let digest = digest_of(b"x");
    for image in [RunningImage::Manifest(digest.clone()), RunningImage::Unqualified(digest), RunningImage::Unreported] {
        let _ = world.gather(&task("ghcr.io/acme/app:v1", image), Needs::default(), &DeclaredPlaces::default());
    }
    assert!(world.rounds.borrow().is_empty());
}

#[test]
fn an_attestation_is_no_signature() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.refer(&home(), &image, BUNDLE, &[bundle("https://slsa.dev/provenance/v1", &image)]);
    let evidence = world.evidence(&running(&image));
    assert_eq!((named(&evidence), evidence.statements.len()), (0, 1));
    assert_eq!(evidence.places[0].outcome, PlaceOutcome::Looked(1));
    assert_ne!(evidence.index, IndexAbove::NotAtHand);
}

/// A registry may list what refers to an image in any order, and in another one when it is asked again.
#[test]
fn the_order_of_a_registrys_list_changes_nothing() {
    let in_order = |types: &[&str]| {
        let mut world = Asked::default();
        let image = world.image(&home(), "app");
        let bundles: Vec<_> = types.iter().map(|predicate_type| bundle(predicate_type, &image)).collect();
        world.refer(&home(), &image, BUNDLE, &bundles);
        world.gather(&running(&image), Needs { tag: false, ..ALL }, &DeclaredPlaces::default()).statements
    };
    let types = ["https://example.com/a", "https://example.com/b", COSIGN_SIGN];
    let listed = in_order(&types);
    assert!(listed[0].is_signature() && listed[1].predicate_type() == Some(types[0]), "{listed:?}");
    for other in [[2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        assert_eq!(in_order(&other.map(|at| types[at])), listed);
    }
}

#[test]
fn a_signature_of_another_image_names_others() {
    let mut world = Asked::default();
    let (image, other) = (world.image(&home(), "app"), world.image(&home(), "other"));
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.sign_by_tag(&home(), &image, &other);
    assert_eq!(world.evidence(&running(&image)).statements[0].relation, Relation::NamesOthers(vec![other]));
}

#[test]
fn an_unreachable_place_is_unknown_beside_what_was_found() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.sign_by_tag(&home(), &image, &image);
    world.say(&home(), Ask::Referrers(image.clone()), unreachable());
    let evidence = world.evidence(&running(&image));
    assert_eq!(named(&evidence), 1);
    assert!(matches!(&evidence.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::Timeout));
}

#[test]
fn a_manifest_that_is_not_there_is_not_an_absence() {
    let mut world = Asked::default();
    let image = digest_of(b"gone");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let evidence = world.evidence(&running(&image));
    assert!(matches!(&evidence.manifest, ManifestPresence::Unknown(unknown) if unknown.cause == Cause::ImageNotFound));
}

#[test]
fn the_signed_index_carries_its_platform_manifest() {
    let mut world = Asked::default();
    let image = world.image(&home(), "amd64");
    let index = world.index(&home(), &[&image]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    world.sign_by_tag(&home(), &index, &index);
    let evidence = world.evidence(&running(&image));
    assert_eq!(evidence.statements[0].carrier, Carrier::Index(index.clone()));
    assert_eq!((named(&evidence), evidence.tag), (1, TagState::UnmovedIndex(index)));
}

#[test]
fn the_index_that_leads_to_what_runs_is_known_where_trust_is_asked_for() {
    let mut world = Asked::default();
    let image = world.image(&home(), "amd64");
    let index = world.index(&home(), &[&image]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    world.sign_by_tag(&home(), &image, &image);
    let trust = Needs { verification: true, ..ALL };
    for reference in ["ghcr.io/acme/app:v1".to_owned(), format!("ghcr.io/acme/app@{index}"), format!("ghcr.io/acme/app:v0@{index}")] {
        let evidence = world.gather(&task(&reference, RunningImage::Manifest(image.clone())), trust, &DeclaredPlaces::default());
        assert_eq!(evidence.index, IndexAbove::Lists(index.clone()), "{reference}");
    }
    let lost = digest_of(b"lost");
    let pinned = task(&format!("ghcr.io/acme/app@{lost}"), RunningImage::Manifest(image));
    assert!(matches!(world.gather(&pinned, trust, &DeclaredPlaces::default()).index, IndexAbove::Unknown(_)));
}

#[test]
fn an_index_that_does_not_list_the_running_manifest_carries_nothing() {
    let mut world = Asked::default();
    let (image, other) = (world.image(&home(), "amd64"), world.image(&home(), "other"));
    let index = world.index(&home(), &[&other]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    world.sign_by_tag(&home(), &index, &index);
    let evidence = world.evidence(&running(&image));
    assert_eq!((named(&evidence), evidence.index, evidence.tag), (0, IndexAbove::NotAtHand, TagState::Moved(index)));
}

#[test]
fn a_moved_or_gone_tag_leaves_the_index_unknown_but_not_for_what_is_pinned_or_signed() {
    let mut world = Asked::default();
    let (image, newer) = (world.image(&home(), "old"), world.image(&home(), "new"));
    world.tag(&home(), "v1", OCI_MANIFEST, &newer);
    assert_eq!(world.evidence(&running(&image)).index, IndexAbove::NotAtHand);
    let gone = world.evidence(&task("ghcr.io/acme/app:gone", RunningImage::Manifest(image.clone())));
    assert_eq!(gone.index, IndexAbove::NotAtHand);
    let pinned = world.evidence(&task(&format!("ghcr.io/acme/app@{image}"), RunningImage::Manifest(image.clone())));
    assert_eq!(pinned.index, IndexAbove::None);
    assert_eq!(pinned.tag, TagState::NoTag);
    world.sign_by_tag(&home(), &image, &image);
    let signed = world.evidence(&task("ghcr.io/acme/app:gone", RunningImage::Manifest(image)));
    assert_eq!((named(&signed), signed.index, signed.tag), (1, IndexAbove::NotAsked, TagState::Gone));
}

#[test]
fn a_tag_is_not_gone_where_the_repository_hides() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let needs = Needs { subject: true, tag: true, signatures: false, verification: false, ..Needs::default() };
    let gone = world.gather(&running(&image), needs, &DeclaredPlaces::default());
    assert_eq!(gone.tag, TagState::Gone, "the manifest is there, the tag is not");
    let hidden = world.gather(&running(&digest_of(b"private")), needs, &DeclaredPlaces::default());
    let TagState::Unknown(unknown) = hidden.tag else { panic!("{:?}", hidden.tag) };
    assert_eq!(unknown.cause, Cause::ImageNotFound, "404 for everything is what a private repository says");
}

#[test]
fn signed_children_do_not_sign_the_running_index() {
    let mut world = Asked::default();
    let (one, two) = (world.image(&home(), "amd64"), world.image(&home(), "arm64"));
    let index = world.index(&home(), &[&one, &two]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    world.sign_by_tag(&home(), &two, &two);
    let evidence = world.evidence(&running(&index));
    assert_eq!(named(&evidence), 0);
    assert_eq!(evidence.children.iter().map(|child| (&child.child, child.signatures)).collect::<Vec<_>>(), [(&two, 1)]);
    assert_ne!(evidence.index, IndexAbove::NotAtHand);
}

#[test]
fn a_running_index_stays_judged_by_itself_when_its_tag_moved() {
    let mut world = Asked::default();
    let child = world.image(&home(), "amd64");
    let index = world.index(&home(), &[&child]);
    let newer = world.image(&home(), "new");
    world.tag(&home(), "v1", OCI_MANIFEST, &newer);
    let evidence = world.evidence(&running(&index));
    assert_eq!((evidence.index, evidence.tag), (IndexAbove::None, TagState::Moved(newer)));
}

#[test]
fn an_index_that_lists_itself_ends() {
    let mut world = Asked::default();
    let itself = digest_of(b"index");
    let listing = format!(r#"{{"mediaType":"{OCI_INDEX}","manifests":[{{"mediaType":"{OCI_INDEX}","digest":"{itself}","size":1}}]}}"#);
    world.lie(&itself, listing);
    for ask in [Ask::Manifest(itself.clone()), Ask::Content(itself.clone()), Ask::Tag("v1".into())] {
        world.say(&home(), ask, Outcome::Found(vec![descriptor(OCI_INDEX, &itself, 1)]));
    }
    assert!(world.evidence(&running(&itself)).children.is_empty());
}

#[test]
fn what_is_declared_is_judged_by_what_it_resolves_to() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let evidence = world.evidence(&task("ghcr.io/acme/app:v1", RunningImage::Unreported));
    assert_eq!((evidence.subject, evidence.tag), (SubjectState::Known(image), TagState::Unmoved));
    let gone = world.evidence(&task("ghcr.io/acme/app:none", RunningImage::Unreported));
    assert!(matches!(gone.subject, SubjectState::Unknown(unknown) if unknown.cause == Cause::ImageNotFound));
}

#[test]
fn a_bare_digest_is_a_manifest_or_a_configuration_or_unknown() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let other = world.image(&home(), "other");
    let index = world.index(&home(), &[&other, &image]);
    let config = digest_of(b"app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.tag(&home(), "multi", OCI_INDEX, &index);
    let subject = |reference: &str, bare: &Digest| world.evidence(&task(reference, RunningImage::Unqualified(bare.clone()))).subject;
    assert_eq!(subject("ghcr.io/acme/app:v1", &image), SubjectState::Known(image.clone()));
    assert_eq!(subject("ghcr.io/acme/app:v1", &config), SubjectState::Known(image.clone()));
    assert_eq!(subject("ghcr.io/acme/app:multi", &config), SubjectState::Known(image.clone()));
    assert_eq!(subject(&format!("ghcr.io/acme/app@{index}"), &config), SubjectState::Known(image));
    let stranger = subject("ghcr.io/acme/app:v1", &digest_of(b"stranger"));
    assert!(matches!(stranger, SubjectState::Unknown(unknown) if unknown.cause == Cause::DigestUnknown));
    let unreadable = world.evidence(&task("ghcr.io/acme/app:v1", RunningImage::Unreadable("image".into()))).subject;
    assert!(matches!(unreadable, SubjectState::Unknown(unknown) if unknown.cause == Cause::DigestUnknown));
}

#[test]
fn a_mirror_is_not_authoritative_and_its_origin_is() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let origin = Place::Repository("origin.io/acme/app".parse().unwrap());
    let mirror = DeclaredPlaces { home_is_authoritative: false, ..DeclaredPlaces::default() };
    let alone = world.gather(&running(&image), ALL, &mirror);
    assert_eq!(alone.places[0].outcome, PlaceOutcome::NotAuthoritative);

    let Place::Repository(repository) = &origin else { unreachable!() };
    let with_origin = DeclaredPlaces { extra: vec![ExtraPlace::Repository(repository.clone())], ..mirror };
    let hidden = world.gather(&running(&image), ALL, &with_origin);
    assert!(matches!(&hidden.places[1].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::EvidenceLocationIncomplete));
    world.say(&origin, Ask::Readable, Outcome::Found(Vec::new()));
    world.sign_by_tag(&origin, &image, &image);
    assert_eq!(named(&world.gather(&running(&image), ALL, &with_origin)), 1);
}

/// At home it would not count: the image itself is not there.
#[test]
fn a_signature_at_home_and_in_a_further_place_is_that_places_where_the_image_is_not_at_home() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let further = Place::Repository("signatures.io/acme/app".parse().unwrap());
    let Place::Repository(repository) = &further else { unreachable!() };
    let places = DeclaredPlaces { extra: vec![ExtraPlace::Repository(repository.clone())], ..DeclaredPlaces::default() };
    world.say(&further, Ask::Readable, Outcome::Found(Vec::new()));
    world.sign_by_tag(&home(), &image, &image);
    world.sign_by_tag(&further, &image, &image);
    let place = |world: &Asked| {
        let evidence = world.gather(&running(&image), ALL, &places);
        assert_eq!(named(&evidence), 1, "one statement, wherever it lies");
        (evidence.statements[0].place.clone(), seaworthy::policy::signatures_of(&evidence).count())
    };
    assert_eq!(place(&world), (home().to_string(), 1));
    world.say(&home(), Ask::Manifest(image.clone()), Outcome::Absent);
    assert_eq!(place(&world), (further.to_string(), 1));
}

#[test]
fn layouts_and_bundles_are_places_like_any_other() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let layout = Place::Layout("dir".into());
    let bundles = Place::Bundles("bundles.jsonl".into());
    let places = DeclaredPlaces {
        extra: vec![ExtraPlace::Layout("dir".into()), ExtraPlace::Bundles("bundles.jsonl".into())],
        ..DeclaredPlaces::default()
    };
    // A layout that does not hold the image is no place for it.
    assert_eq!(world.gather(&running(&image), ALL, &places).places.len(), 2);
    world.say(&layout, Ask::Manifest(image.clone()), Outcome::Found(vec![descriptor(OCI_MANIFEST, &image, 1)]));
    world.sign_by_tag(&layout, &image, &image);
    let bytes = bundle(COSIGN_SIGN, &image);
    let blob = world.put(&bundles, BUNDLE, bytes);
    world.say(&bundles, Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(BUNDLE, &blob, 1)]));
    let evidence = world.gather(&running(&image), ALL, &places);
    assert_eq!((named(&evidence), evidence.places.len()), (2, 3));
}

#[test]
fn a_layout_may_hold_a_signature_without_its_image() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let layout = Place::Layout("signatures".into());
    world.sign_by_tag(&layout, &image, &image);
    let places = DeclaredPlaces { extra: vec![ExtraPlace::Layout("signatures".into())], ..DeclaredPlaces::default() };
    let evidence = world.gather(&running(&image), ALL, &places);
    assert_eq!((named(&evidence), evidence.places.len()), (1, 2));
}

#[test]
fn more_evidence_than_the_budget_is_unknown_unless_a_signature_came_first() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let many: Vec<_> = (0..1_001).map(|n| bundle(&format!("https://example.com/{n}"), &image)).collect();
    world.refer(&home(), &image, BUNDLE, &many);
    let evidence = world.evidence(&running(&image));
    assert!(matches!(&evidence.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::Budget));
    assert_eq!(evidence.statements.len(), 1_000);
}

#[test]
fn evidence_that_is_listed_and_missing_or_malformed_is_never_silent() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.tag(&home(), "v1", OCI_MANIFEST, &image);
    world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(OCI_MANIFEST, &digest_of(b"missing"), 1)]));
    let evidence = world.evidence(&running(&image));
    assert!(matches!(&evidence.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::InvalidResponse));

    let broken = world.put(&home(), OCI_MANIFEST, "{".to_owned());
    world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(OCI_MANIFEST, &broken, 1)]));
    world.released.borrow_mut().clear();
    let evidence = world.evidence(&running(&image));
    assert!(matches!(&evidence.statements[0].relation, Relation::Malformed(_)));
    assert_eq!(named(&evidence), 0);
}

#[test]
fn a_payload_without_and_with_its_signature_are_two_statements() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let layer = world.put(&home(), SIMPLE, payload(&image));
    let link = |annotations: &str| format!(r#"{{"mediaType":"{SIMPLE}","digest":"{layer}","size":1,"annotations":{{{annotations}}}}}"#);
    let signed = link(r#""dev.cosignproject.cosign/signature":"c2ln""#);
    let manifest = world.put(&home(), OCI_MANIFEST, format!(r#"{{"config":{},"layers":[{},{signed}]}}"#, link(""), link("")));
    world.tag(&home(), &CosignTag::Signature.beside(&image), OCI_MANIFEST, &manifest);
    let evidence = world.evidence(&running(&image));
    assert_eq!((named(&evidence), evidence.statements.len()), (1, 2));
}

#[test]
fn a_statement_about_many_beside_the_index_still_names_the_running_manifest() {
    let mut world = Asked::default();
    let child = world.image(&home(), "amd64");
    let index = world.index(&home(), &[&child]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    let others: Vec<_> = (1..6).map(|n| Digest::from_sha256([n; 32])).chain([child.clone()]).collect();
    world.refer(&home(), &index, BUNDLE, &[bundle_about(COSIGN_SIGN, &others.iter().collect::<Vec<_>>())]);
    let evidence = world.evidence(&running(&child));
    assert!(matches!(&evidence.statements[0].relation, Relation::NamesOthers(digests) if digests.contains(&child)));
}

#[test]
fn a_notation_envelope_that_is_not_understood_counts_only_for_what_its_manifest_refers_to() {
    const NOTATION: &str = "application/vnd.cncf.notary.signature";
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let other = digest_of(b"other");
    let manifest = |subject: &Digest| {
        let link = format!(r#""mediaType":"application/x","digest":"{subject}","size":1"#);
        format!(r#"{{"artifactType":"{NOTATION}","config":{{{link}}},"layers":[{{{link}}}],"subject":{{{link}}}}}"#)
    };
    for (subject, expected) in [(&other, 0), (&image, 1)] {
        let listed = world.put(&home(), OCI_MANIFEST, manifest(subject));
        world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(OCI_MANIFEST, &listed, 1)]));
        assert_eq!(named(&world.evidence(&running(&image))), expected);
    }
}

/// OCI 1.1 had manifests of artifacts until its last release candidate, and Notation's signatures were written in them.
#[test]
fn a_signature_in_an_artifact_manifest_is_one() {
    const NOTATION: &str = "application/vnd.cncf.notary.signature";
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let signature = world.put(&home(), BUNDLE, bundle(COSIGN_SIGN, &image));
    let blob = |media_type: &str, digest: &Digest| format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":1}}"#);
    for (blobs, subject, expected) in [
        (format!("[{}]", blob(BUNDLE, &signature)), &image, 1),
        (format!("[{}]", blob("application/x", &signature)), &image, 1),
        ("null".to_owned(), &image, 1),
        (format!("[{}]", blob("application/x", &signature)), &signature, 0),
    ] {
        let subject = blob(OCI_MANIFEST, subject);
        let manifest = world.put(
            &home(),
            OCI_ARTIFACT,
            format!(r#"{{"mediaType":"{OCI_ARTIFACT}","artifactType":"{NOTATION}","blobs":{blobs},"subject":{subject}}}"#),
        );
        world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(OCI_ARTIFACT, &manifest, 1)]));
        assert_eq!(named(&world.evidence(&running(&image))), expected, "{blobs}");
    }
}

#[test]
fn an_index_among_the_evidence_was_not_looked_through() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    let other = world.image(&home(), "other");
    let index = world.index(&home(), &[&other]);
    world.say(&home(), Ask::Referrers(image.clone()), Outcome::Found(vec![descriptor(OCI_INDEX, &index, 1)]));
    let evidence = world.evidence(&running(&image));
    assert!(matches!(&evidence.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::UnsupportedFormat));
}

#[test]
fn a_layout_whose_evidence_cannot_be_read_is_not_silent() {
    let mut world = Asked::default();
    let image = world.image(&home(), "app");
    world.say(&Place::Layout("dir".into()), Ask::Referrers(image.clone()), unreachable());
    let places = DeclaredPlaces { extra: vec![ExtraPlace::Layout("dir".into())], ..DeclaredPlaces::default() };
    let evidence = world.gather(&running(&image), ALL, &places);
    assert!(
        evidence.places.iter().any(|place| matches!(&place.outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::Timeout))
    );
}

#[test]
fn a_configuration_of_two_manifests_does_not_say_which_of_them_runs() {
    let mut world = Asked::default();
    let gzip = world.image(&home(), "app");
    let bytes = String::from_utf8(world.blob(&gzip).unwrap().to_vec()).unwrap();
    let zstd = world.put(&home(), OCI_MANIFEST, format!("{bytes} "));
    let index = world.index(&home(), &[&gzip, &zstd]);
    world.tag(&home(), "v1", OCI_INDEX, &index);
    let evidence = world.evidence(&task("ghcr.io/acme/app:v1", RunningImage::Unqualified(digest_of(b"app"))));
    assert!(matches!(evidence.subject, SubjectState::Unknown(unknown) if unknown.cause == Cause::DigestUnknown));
}
