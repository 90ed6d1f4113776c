//! What the synthetic images are: the same on both servers, without either asking the other.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use seaworthy::model::Digest;

use super::predicates::predicates;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Who signs them, with a key that was made for one measurement.
pub struct Signer(EcdsaKeyPair);

impl Signer {
    /// Makes a key in a directory: `key.p8`, and `key.pub` for those who verify.
    pub fn make(directory: &Path) -> PathBuf {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let file = directory.join("key.p8");
        std::fs::write(&file, pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
        let spki = sigstore_types::DerPublicKey::new(AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap().as_ref().to_vec());
        std::fs::write(directory.join("key.pub"), spki.to_pem()).unwrap();
        file
    }

    pub fn read(file: &Path) -> Self {
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &std::fs::read(file).unwrap()).unwrap())
    }

    fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&SystemRandom::new(), message).unwrap())
    }

    /// Over DSSE's pre-authentication encoding.
    fn sign_envelope(&self, statement: &str) -> String {
        self.sign(format!("DSSEv1 {} {IN_TOTO} {} {statement}", IN_TOTO.len(), statement.len()).as_bytes())
    }
}

/// How images are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Cosign's tag `sha256-<hex>.sig`.
    Tag,
    /// A Sigstore bundle as a referrer.
    Bundle,
    /// Cosign's tag `sha256-<hex>.sig`, and `sha256-<hex>.att` with four attestations: provenance, a bill of materials, test results, VEX.
    Attested,
}

impl Form {
    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Bundle => "bundle",
            Self::Attested => "attested",
        }
    }

    /// The suffixes of the tags that its manifests have, in their order.
    pub fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Tag => &["sig"],
            Self::Bundle => &[],
            Self::Attested => &["sig", "att"],
        }
    }
}

impl std::str::FromStr for Form {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "tag" => Ok(Self::Tag),
            "bundle" => Ok(Self::Bundle),
            "attested" => Ok(Self::Attested),
            _ => Err(()),
        }
    }
}

/// Bytes with their media type and digest.
#[derive(Debug, Clone)]
pub struct Content {
    pub media_type: &'static str,
    pub digest: String,
    pub bytes: Bytes,
}

impl Content {
    fn new(media_type: &'static str, text: String) -> Self {
        let bytes = Bytes::from(text);
        let digest = Digest::from_sha256(digest(&SHA256, &bytes).as_ref().try_into().unwrap()).to_string();
        Self { media_type, digest, bytes }
    }

    fn descriptor(&self, more: &str) -> String {
        format!(r#"{{"mediaType":"{}","digest":"{}","size":{}{more}}}"#, self.media_type, self.digest, self.bytes.len())
    }
}

/// An image.
pub struct Image {
    pub config: Content,
    pub manifest: Content,
}

/// What is attached to it.
pub struct Signatures {
    pub manifests: Vec<Content>,
    pub blobs: Vec<Content>,
    /// The index that the referrers API answers with.
    pub referrers: Content,
}

/// The repository of an image.
pub fn repository(image: usize) -> String {
    format!("bench/app-{image}")
}

/// An image by its number.
pub fn image(number: usize) -> Image {
    let config = Content::new(
        CONFIG,
        format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"number":"{number}"}}}},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
        ),
    );
    let manifest =
        Content::new(MANIFEST, format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[]}}"#, config.descriptor("")));
    Image { config, manifest }
}

/// The signatures of an image, each another piece of evidence: layers of one manifest, or bundles with a manifest each. The statement in a
/// bundle is larger by so many bytes.
pub fn signatures(image: &Image, form: Form, pieces: usize, padding: usize, signer: &Signer) -> Signatures {
    match form {
        Form::Tag => by_tag(image, signer, pieces),
        Form::Bundle => by_bundle(image, signer, pieces, padding),
        Form::Attested => attested(image, signer, by_tag(image, signer, pieces)),
    }
}

fn by_tag(image: &Image, signer: &Signer, pieces: usize) -> Signatures {
    let layers: Vec<Content> = (0..pieces)
        .map(|piece| {
            let digest = &image.manifest.digest;
            let text = format!(
                r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":{{"piece":{piece}}}}}"#
            );
            Content::new(SIMPLE, text)
        })
        .collect();
    let diffs: Vec<String> = layers.iter().map(|layer| format!(r#""{}""#, layer.digest)).collect();
    let text = format!(r#"{{"architecture":"","os":"","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#, diffs.join(","));
    let config = Content::new(CONFIG, text);
    let listed = layers.iter().map(|layer| {
        let signature = signer.sign(&layer.bytes);
        layer.descriptor(&format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#))
    });
    let listed: Vec<String> = listed.collect();
    let manifest = manifest(&config, &listed.join(","), "");
    let blobs = layers.into_iter().chain([config]).collect();
    Signatures { manifests: vec![manifest], blobs, referrers: index(&[]) }
}

/// Attestations beside the signatures, as `cosign attest` wrote them for years: a layer each.
fn attested(image: &Image, signer: &Signer, mut signatures: Signatures) -> Signatures {
    let subject = image.manifest.digest.trim_start_matches("sha256:");
    let mut listed = Vec::new();
    for (predicate_type, predicate) in predicates(subject) {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v0.1","subject":[{{"name":"bench","digest":{{"sha256":"{subject}"}}}}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
        );
        let proof = signer.sign_envelope(&statement);
        let layer = Content::new(
            DSSE,
            format!(
                r#"{{"payloadType":"{IN_TOTO}","payload":"{}","signatures":[{{"keyid":"","sig":"{proof}"}}]}}"#,
                STANDARD.encode(statement)
            ),
        );
        listed.push(
            layer.descriptor(&format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"","predicateType":"{predicate_type}"}}"#)),
        );
        signatures.blobs.push(layer);
    }
    let config = Content::new(
        CONFIG,
        format!(r#"{{"architecture":"","os":"","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{subject}"]}}}}"#),
    );
    signatures.manifests.push(manifest(&config, &listed.join(","), ""));
    signatures.blobs.push(config);
    signatures
}

fn by_bundle(image: &Image, signer: &Signer, pieces: usize, padding: usize) -> Signatures {
    let mut signatures = Signatures { manifests: Vec::new(), blobs: Vec::new(), referrers: index(&[]) };
    let mut listed = Vec::new();
    for piece in 0..pieces {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{"padding":"{}"}}}}"#,
            image.manifest.digest.trim_start_matches("sha256:"),
            "0".repeat(padding)
        );
        let proof = signer.sign_envelope(&statement);
        let layer = Content::new(
            BUNDLE,
            format!(
                r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"bench-{piece}"}}}},"dsseEnvelope":{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[{{"sig":"{proof}"}}]}}}}"#,
                STANDARD.encode(statement)
            ),
        );
        let config = Content::new(EMPTY, "{}".to_owned());
        let subject = format!(r#","artifactType":"{BUNDLE}","subject":{}"#, image.manifest.descriptor(""));
        let manifest = manifest(&config, &layer.descriptor(""), &subject);
        listed.push(manifest.descriptor(&format!(
            r#","artifactType":"{BUNDLE}","annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1"}}"#
        )));
        signatures.manifests.push(manifest);
        signatures.blobs.extend([config, layer]);
    }
    signatures.referrers = index(&listed);
    signatures
}

fn manifest(config: &Content, layers: &str, more: &str) -> Content {
    Content::new(
        MANIFEST,
        format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{layers}]{more}}}"#, config.descriptor("")),
    )
}

fn index(manifests: &[String]) -> Content {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    Content::new(INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, manifests.join(",")))
}
