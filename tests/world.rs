//! A small world of registries: who holds what is written down, and every answer follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use seaworthy::model::{
    Answer, Ask, CosignTag, CredentialIdentity, CredentialKind, Descriptor, Digest, OCI_INDEX, OCI_MANIFEST, Outcome, Place, Question,
};
use seaworthy::scan::{Answered, Source};

/// Media type of a Sigstore bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Media type of cosign's simple signing.
pub const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Predicate type of cosign's signature statement.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// SHA-256 of bytes.
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

/// A descriptor without annotations.
pub fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Descriptor {
    Descriptor {
        media_type: media_type.into(),
        digest: digest.clone(),
        size: size as u64,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}

/// A key made of a fixed seed: Ed25519 signs the same bytes the same way every time, so that what is made here can be made again.
pub fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap()
}

fn signature(bytes: &[u8]) -> String {
    STANDARD.encode(key().sign(bytes))
}

/// Cosign's simple-signing payload for a digest.
pub fn payload(digest: &Digest) -> String {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
    )
}

/// A bundle with a signed in-toto statement about a digest.
pub fn bundle(predicate_type: &str, digest: &Digest) -> String {
    bundle_about(predicate_type, &[digest])
}

/// A bundle with a signed in-toto statement about several digests.
pub fn bundle_about(predicate_type: &str, digests: &[&Digest]) -> String {
    let subjects: Vec<_> = digests.iter().map(|digest| format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, digest.hex())).collect();
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"{predicate_type}","predicate":{{}}}}"#,
        subjects.join(",")
    );
    let pae = format!("DSSEv1 28 application/vnd.in-toto+json {} {statement}", statement.len());
    format!(
        r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"fixture"}}}},"dsseEnvelope":{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[{{"sig":"{}"}}]}}}}"#,
        STANDARD.encode(&statement),
        signature(pae.as_bytes())
    )
}

/// The world.
#[derive(Debug, Default)]
pub struct World {
    answers: BTreeMap<(Place, Ask), Outcome>,
    hosts: BTreeMap<String, Outcome>,
    blobs: BTreeMap<Digest, Bytes>,
}

impl World {
    /// What a place says: what was written down, else what its whole host says, else that nothing is there.
    pub fn outcome(&self, place: &Place, ask: &Ask) -> Outcome {
        if let Some(outcome) = self.answers.get(&(place.clone(), ask.clone())) {
            return outcome.clone();
        }
        match place {
            Place::Repository(repository) => self.hosts.get(repository.registry()).cloned().unwrap_or(Outcome::Absent),
            Place::Layout(_) | Place::Bundles(_) | Place::Github(_) => Outcome::Absent,
        }
    }

    /// The bytes of a digest.
    pub fn blob(&self, digest: &Digest) -> Option<Bytes> {
        self.blobs.get(digest).cloned()
    }

    /// Every question to this host gets this answer.
    pub fn host(&mut self, host: &str, outcome: Outcome) {
        self.hosts.insert(host.to_owned(), outcome);
    }

    /// Writes down one answer.
    pub fn say(&mut self, place: &Place, ask: Ask, outcome: Outcome) {
        self.answers.insert((place.clone(), ask), outcome);
    }

    /// Lays down content.
    pub fn put(&mut self, place: &Place, media_type: &str, bytes: String) -> Digest {
        let bytes = Bytes::from(bytes);
        let digest = digest_of(&bytes);
        let found = Outcome::Found(vec![descriptor(media_type, &digest, bytes.len())]);
        for ask in [Ask::Manifest(digest.clone()), Ask::Content(digest.clone()), Ask::Blob(digest.clone())] {
            self.answers.insert((place.clone(), ask), found.clone());
        }
        self.blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Claims that these are the bytes of a digest, true or not.
    pub fn lie(&mut self, digest: &Digest, bytes: String) {
        self.blobs.insert(digest.clone(), bytes.into());
    }

    /// Lets a tag lead to a digest.
    pub fn tag(&mut self, place: &Place, tag: &str, media_type: &str, digest: &Digest) {
        self.say(place, Ask::Tag(tag.into()), Outcome::Found(vec![descriptor(media_type, digest, 1)]));
    }

    /// An image whose configuration is the given text.
    pub fn image(&mut self, place: &Place, seed: &str) -> Digest {
        let config = digest_of(seed.as_bytes());
        let size = seed.len();
        self.put(
            place,
            OCI_MANIFEST,
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":{size}}},"layers":[]}}"#),
        )
    }

    /// An index of manifests.
    pub fn index(&mut self, place: &Place, children: &[&Digest]) -> Digest {
        let children: Vec<_> =
            children.iter().map(|child| format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{child}","size":1}}"#)).collect();
        self.put(place, OCI_INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, children.join(",")))
    }

    /// A `.sig` beside `beside` whose payload names `names`; the digest of the payload.
    pub fn sign_by_tag(&mut self, place: &Place, beside: &Digest, names: &Digest) -> Digest {
        let payload = payload(names);
        let signature = signature(payload.as_bytes());
        let layer = self.put(place, SIMPLE, payload);
        let manifest = self.put(
            place,
            OCI_MANIFEST,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"{layer}","size":1}},"layers":[{{"mediaType":"{SIMPLE}","digest":"{layer}","size":1,"annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}}}]}}"#
            ),
        );
        self.tag(place, &CosignTag::Signature.beside(beside), OCI_MANIFEST, &manifest);
        layer
    }

    /// Lets evidence of one layer each refer to a digest.
    pub fn refer(&mut self, place: &Place, to: &Digest, media_type: &str, layers: &[String]) {
        let referrers = layers
            .iter()
            .map(|bytes| {
                let layer = self.put(place, media_type, bytes.clone());
                let manifest = self.put(
                    place,
                    OCI_MANIFEST,
                    format!(
                        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","artifactType":"{media_type}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{layer}","size":2}},"layers":[{{"mediaType":"{media_type}","digest":"{layer}","size":1}}],"subject":{{"mediaType":"{OCI_MANIFEST}","digest":"{to}","size":1}}}}"#
                    ),
                );
                descriptor(OCI_MANIFEST, &manifest, 1)
            })
            .collect();
        self.say(place, Ask::Referrers(to.clone()), Outcome::Found(referrers));
    }

    /// An answer as a registry gives it, at a fixed time.
    pub fn answer(&self, question: &Question, observed: Timestamp) -> Arc<Answer> {
        let outcome = self.outcome(&question.place, &question.ask);
        let credential = match (&question.place, question.credential.0.is_empty()) {
            (Place::Repository(_), true) => CredentialKind::Anonymous,
            (Place::Repository(_), false) => CredentialKind::PullSecret,
            (Place::Layout(_) | Place::Bundles(_) | Place::Github(_), _) => CredentialKind::Local,
        };
        Arc::new(Answer { outcome, observed, credential })
    }
}

/// The world as a source that is asked over and over at one moment.
pub struct WorldAt<'a>(pub &'a World, pub Timestamp);

impl Source for WorldAt<'_> {
    fn answer<'a>(&'a self, _: &'a Place, _: &'a CredentialIdentity, asks: Vec<Question>) -> BoxFuture<'a, Vec<Answered>> {
        async move {
            asks.iter()
                .map(|question| {
                    let answer = Answer::clone(&self.0.answer(question, self.1));
                    let body = match (&question.ask, &answer.outcome) {
                        (Ask::Content(digest) | Ask::Blob(digest), Outcome::Found(_)) => self.0.blob(digest),
                        _ => None,
                    };
                    Answered { answer, body }
                })
                .collect()
        }
        .boxed()
    }
}
