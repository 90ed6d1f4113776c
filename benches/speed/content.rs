//! What the synthetic images are: the same on both servers, without either asking the other.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use seaworthy::model::Digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// How images are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Cosign's tag `sha256-<hex>.sig`.
    Tag,
    /// A Sigstore bundle as a referrer.
    Bundle,
}

impl std::str::FromStr for Form {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "tag" => Ok(Self::Tag),
            "bundle" => Ok(Self::Bundle),
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
pub struct Signature {
    pub config: Content,
    pub layer: Content,
    pub manifest: Content,
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

/// The signature of an image.
pub fn signature(image: &Image, form: Form) -> Signature {
    // What a signature says is read, whether it verifies is not asked: any 64 bytes do.
    let proof = STANDARD.encode([7; 64]);
    let subject = image.manifest.descriptor("");
    match form {
        Form::Tag => {
            let layer = Content::new(
                SIMPLE,
                format!(
                    r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
                    image.manifest.digest
                ),
            );
            let config = Content::new(
                CONFIG,
                format!(r#"{{"architecture":"","os":"","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#, layer.digest),
            );
            let listed = layer.descriptor(&format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{proof}"}}"#));
            attached(config, layer, &listed, "", &[])
        }
        Form::Bundle => {
            let statement = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
                image.manifest.digest.trim_start_matches("sha256:")
            );
            let layer = Content::new(
                BUNDLE,
                format!(
                    r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"bench"}}}},"dsseEnvelope":{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[{{"sig":"{proof}"}}]}}}}"#,
                    STANDARD.encode(statement)
                ),
            );
            let listed = layer.descriptor("");
            attached(
                Content::new(EMPTY, "{}".to_owned()),
                layer,
                &listed,
                &format!(r#","artifactType":"{BUNDLE}","subject":{subject}"#),
                &[BUNDLE],
            )
        }
    }
}

fn attached(config: Content, layer: Content, listed: &str, more: &str, referrers: &[&str]) -> Signature {
    let manifest = Content::new(
        MANIFEST,
        format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{},"layers":[{listed}]{more}}}"#, config.descriptor("")),
    );
    let entries: Vec<String> = referrers
        .iter()
        .map(|artifact_type| {
            manifest.descriptor(&format!(
                r#","artifactType":"{artifact_type}","annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1"}}"#
            ))
        })
        .collect();
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let referrers = Content::new(INDEX, format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(",")));
    Signature { config, layer, manifest, referrers }
}
