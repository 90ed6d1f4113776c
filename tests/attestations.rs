//! Gathering attestations: where they lie, what nobody signed, and what is not known of them.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use seaworthy::model::{
    Answer, Ask, Carrier, Cause, CosignTag, CredentialIdentity, Digest, ImageEvidence, Needs, OCI_INDEX, OCI_MANIFEST, Outcome,
    PROVENANCE_V1, Place, PlaceOutcome, PredicateKind, PredicateKinds, Question, Relation, RunningImage, SPDX, StatementFormat,
    StatementSource,
};
use seaworthy::scan::{Answers, DeclaredPlaces, Gathered, ImageTask, gather};

use crate::world::{BUNDLE, World, bundle, digest_of};

const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Media type, bytes, and the predicate type that an annotation claims.
type Layer = (&'static str, String, Option<&'static str>);

/// A world that is asked, with the questions written down.
#[derive(Default)]
struct Asked {
    world: World,
    asked: std::cell::RefCell<Vec<Question>>,
}

impl Answers for Asked {
    fn answer(&self, question: &Question) -> Option<Arc<Answer>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(question) {
            asked.push(question.clone());
        }
        Some(self.world.answer(question, Timestamp::UNIX_EPOCH))
    }

    fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.world.blob(digest)
    }
}

fn home() -> Place {
    Place::Repository("ghcr.io/acme/app".parse().unwrap())
}

fn gathered(asked: &Asked, running: &Digest, needs: Needs) -> ImageEvidence {
    let reference = "ghcr.io/acme/app:v1".parse().unwrap();
    let task = ImageTask::in_registry(reference, RunningImage::Manifest(running.clone()), CredentialIdentity::default());
    match gather(&task, needs, &DeclaredPlaces::default(), asked) {
        Gathered::Done(evidence, _) => *evidence,
        Gathered::Wanted(questions) => panic!("{questions:?} are open"),
    }
}

fn attestations(kinds: PredicateKinds) -> Needs {
    Needs { subject: true, attestations: kinds, ..Needs::default() }
}

fn provenance() -> Needs {
    attestations(PredicateKinds::only(PredicateKind::Provenance))
}

fn statement(predicate_type: &str, subject: &Digest) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{predicate_type}","predicate":{{}}}}"#,
        subject.hex()
    )
}

fn envelope(predicate_type: &str, subject: &Digest, signed: bool) -> String {
    use base64::Engine as _;
    let payload = base64::engine::general_purpose::STANDARD.encode(statement(predicate_type, subject));
    let signatures = if signed { r#"[{"sig":"c2ln"}]"# } else { "[]" };
    format!(r#"{{"payloadType":"{IN_TOTO}","payload":"{payload}","signatures":{signatures}}}"#)
}

impl Asked {
    /// A manifest with these layers (media type, bytes, predicate type that an annotation claims).
    fn holder(&mut self, layers: &[(&str, String, Option<&str>)]) -> Digest {
        let listed: Vec<_> = layers
            .iter()
            .map(|(media_type, bytes, says)| {
                let digest = self.world.put(&home(), media_type, bytes.clone());
                let annotations =
                    says.map_or_else(String::new, |says| format!(r#","annotations":{{"in-toto.io/predicate-type":"{says}"}}"#));
                format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}{annotations}}}"#, bytes.len())
            })
            .collect();
        let config = digest_of(b"{}");
        self.world.put(
            &home(),
            OCI_MANIFEST,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":2}},"layers":[{}]}}"#,
                listed.join(",")
            ),
        )
    }

    fn tagged(&mut self, tag: CosignTag, beside: &Digest, layers: &[(&str, String, Option<&str>)]) {
        let holder = self.holder(layers);
        self.world.tag(&home(), &tag.beside(beside), OCI_MANIFEST, &holder);
    }

    /// An index of images, each with an attestation manifest of BuildKit's.
    fn built_by_buildkit(&mut self, platforms: &[&str], layers: &dyn Fn(&Digest) -> Vec<Layer>) -> (Digest, Vec<Digest>) {
        let mut entries = Vec::new();
        let mut images = Vec::new();
        for platform in platforms {
            let image = self.world.image(&home(), platform);
            let holder = self.holder(&layers(&image));
            entries.push(format!(
                r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{image}","size":1,"platform":{{"architecture":"{platform}","os":"linux"}}}}"#
            ));
            entries.push(format!(
                r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{holder}","size":1,"annotations":{{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":"{image}"}},"platform":{{"architecture":"unknown","os":"unknown"}}}}"#
            ));
            images.push(image);
        }
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, entries.join(","));
        (self.world.put(&home(), OCI_INDEX, index), images)
    }
}

fn formats(evidence: &ImageEvidence) -> Vec<(&StatementFormat, &Carrier, &Relation)> {
    evidence.statements.iter().map(|statement| (&statement.format, &statement.carrier, &statement.relation)).collect()
}

fn dsse(predicate_type: &str) -> StatementFormat {
    StatementFormat::Dsse { predicate_type: predicate_type.to_owned() }
}

fn unsigned(predicate_type: &str) -> StatementFormat {
    StatementFormat::Unsigned { predicate_type: predicate_type.to_owned() }
}

#[test]
fn cosigns_attestation_tag_is_asked_where_attestations_are_wanted_and_only_there() {
    let mut asked = Asked::default();
    let image = asked.world.image(&home(), "app");
    asked.world.tag(&home(), "v1", OCI_MANIFEST, &image);
    asked.tagged(CosignTag::Attestation, &image, &[(DSSE, envelope(PROVENANCE_V1, &image, true), Some("https://lie.test"))]);
    let evidence = gathered(&asked, &image, provenance());
    assert_eq!(formats(&evidence), [(&dsse(PROVENANCE_V1), &Carrier::Itself, &Relation::Names)]);
    let tags = |asked: &Asked| {
        let asked = asked.asked.take();
        let tag = |question: &Question| match &question.ask {
            Ask::Tag(tag) => tag.rsplit_once('.').map(|(_, suffix)| suffix.to_owned()),
            _ => None,
        };
        asked.iter().filter_map(tag).collect::<Vec<_>>()
    };
    assert_eq!(tags(&asked), ["att"]);
    gathered(&asked, &image, Needs { subject: true, signatures: true, ..Needs::default() });
    assert_eq!(tags(&asked), ["sig"]);
    gathered(&asked, &image, attestations(PredicateKinds::ALL));
    assert_eq!(tags(&asked), ["att", "sbom"]);
}

#[test]
fn what_nobody_signed_is_unsigned_and_an_envelope_without_signatures_too() {
    let mut asked = Asked::default();
    let image = asked.world.image(&home(), "app");
    asked.world.tag(&home(), "v1", OCI_MANIFEST, &image);
    asked.tagged(CosignTag::Attestation, &image, &[(DSSE, envelope(PROVENANCE_V1, &image, false), None)]);
    asked.world.refer(&home(), &image, IN_TOTO, &[statement(PROVENANCE_V1, &image)]);
    let evidence = gathered(&asked, &image, provenance());
    let expected = (&unsigned(PROVENANCE_V1), &Carrier::Itself, &Relation::Names);
    assert_eq!(formats(&evidence), [expected, expected]);
    assert!(evidence.statements.iter().all(|statement| !statement.is_signature()));
}

#[test]
fn a_silent_attestation_tag_says_nothing_about_signatures() {
    let mut asked = Asked::default();
    let image = asked.world.image(&home(), "app");
    asked.world.tag(&home(), "v1", OCI_MANIFEST, &image);
    let tag = CosignTag::Attestation.beside(&image);
    asked.world.say(&home(), Ask::Tag(tag.into()), Outcome::unknown(Cause::Timeout, "no answer"));
    let evidence = gathered(&asked, &image, Needs { signatures: true, ..provenance() });
    let [place] = evidence.places.as_slice() else { panic!("{:?}", evidence.places) };
    assert_eq!(place.outcome, PlaceOutcome::Looked(0));
    assert_eq!(place.attestations.as_ref().map(|unknown| unknown.cause), Some(Cause::Timeout));
    // Referrers hold both.
    asked.world.say(&home(), Ask::Referrers(image.clone()), Outcome::unknown(Cause::ServerError, "500"));
    let evidence = gathered(&asked, &image, Needs { signatures: true, ..provenance() });
    assert!(matches!(&evidence.places[0].outcome, PlaceOutcome::Unknown(unknown) if unknown.cause == Cause::ServerError));
}

#[test]
fn buildkits_statements_are_found_inside_the_index_of_what_runs() {
    let mut asked = Asked::default();
    let layers = |image: &Digest| {
        vec![(IN_TOTO, statement(PROVENANCE_V1, image), Some(PROVENANCE_V1)), (IN_TOTO, statement(SPDX, image), Some(SPDX))]
    };
    let (index, images) = asked.built_by_buildkit(&["amd64"], &layers);
    asked.world.tag(&home(), "v1", OCI_INDEX, &index);
    // The platform manifest runs.
    let evidence = gathered(&asked, &images[0], provenance());
    assert_eq!(formats(&evidence), [(&unsigned(PROVENANCE_V1), &Carrier::Itself, &Relation::Names)], "the SBOM is not asked for");
    assert_eq!(evidence.statements[0].source, StatementSource::IndexEntry);
    assert!(evidence.platforms.is_empty());
    // The index runs.
    let evidence = gathered(&asked, &index, attestations(PredicateKinds::ALL));
    let platform = Carrier::Platform(images[0].clone());
    assert_eq!(
        formats(&evidence),
        [(&unsigned(PROVENANCE_V1), &platform, &Relation::Names), (&unsigned(SPDX), &platform, &Relation::Names)]
    );
    assert_eq!(evidence.platforms, images);
}

#[test]
fn attestations_of_platform_manifests_are_looked_for_where_the_index_has_none() {
    let mut asked = Asked::default();
    let (index, images) = asked.built_by_buildkit(&["amd64", "arm64"], &|_| Vec::new());
    asked.world.tag(&home(), "v1", OCI_INDEX, &index);
    asked.world.refer(
        &home(),
        &images[1],
        BUNDLE,
        &[bundle(PROVENANCE_V1, &images[1]), bundle("https://sigstore.dev/cosign/sign/v1", &images[1])],
    );
    let evidence = gathered(&asked, &index, provenance());
    let carrier = Carrier::Platform(images[1].clone());
    assert_eq!(formats(&evidence), [(&dsse(PROVENANCE_V1), &carrier, &Relation::Names)], "a signature of a child is none of the index");
    assert_eq!(evidence.platforms, images);
    // Nobody looks below where the index itself has one.
    asked.world.refer(&home(), &index, BUNDLE, &[bundle(PROVENANCE_V1, &index)]);
    asked.asked.take();
    let evidence = gathered(&asked, &index, provenance());
    assert_eq!(formats(&evidence), [(&dsse(PROVENANCE_V1), &Carrier::Itself, &Relation::Names)]);
    let below =
        asked.asked.borrow().iter().filter(|question| matches!(&question.ask, Ask::Referrers(digest) if images.contains(digest))).count();
    assert_eq!(below, 0);
}

#[test]
fn what_is_not_known_below_the_index_says_nothing_about_its_signatures() {
    let mut asked = Asked::default();
    let (index, images) = asked.built_by_buildkit(&["amd64"], &|_| Vec::new());
    asked.world.tag(&home(), "v1", OCI_INDEX, &index);
    asked.world.say(&home(), Ask::Referrers(images[0].clone()), Outcome::unknown(Cause::Forbidden, "403"));
    let evidence = gathered(&asked, &index, provenance());
    assert_eq!(evidence.places[0].outcome, PlaceOutcome::Looked(0));
    assert_eq!(evidence.places[0].attestations.as_ref().map(|unknown| unknown.cause), Some(Cause::Forbidden));
}

#[test]
fn attached_bills_are_shown_without_being_fetched() {
    let mut asked = Asked::default();
    let image = asked.world.image(&home(), "app");
    asked.world.tag(&home(), "v1", OCI_MANIFEST, &image);
    asked.tagged(CosignTag::Sbom, &image, &[("text/spdx+json", "{}".to_owned(), None)]);
    asked.world.refer(&home(), &image, "application/vnd.cyclonedx+json", &["{\"bomFormat\":\"CycloneDX\"}".to_owned()]);
    let evidence = gathered(&asked, &image, attestations(PredicateKinds::only(PredicateKind::Sbom)));
    let attached = |media_type: &str| StatementFormat::Attached { media_type: media_type.to_owned() };
    assert_eq!(
        formats(&evidence),
        [
            (&attached("application/vnd.cyclonedx+json"), &Carrier::Itself, &Relation::Names),
            (&attached("text/spdx+json"), &Carrier::Itself, &Relation::Names),
        ]
    );
    assert!(!asked.asked.borrow().iter().any(|question| matches!(question.ask, Ask::Blob(_))));
    assert!(gathered(&asked, &image, provenance()).statements.is_empty(), "nobody asked for bills");
}
