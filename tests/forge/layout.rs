//! OCI image layouts (OCI image specification 1.1) with one image and its evidence.

use std::collections::BTreeMap;
use std::path::Path;

use seaworthy::model::{CosignTag, Digest, OCI_INDEX, OCI_MANIFEST};
use serde_json::{Value, json};

use super::cosign::Layer;
use crate::world::{SIMPLE, digest_of};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Artifact type of cosign's experimental form for OCI 1.1.
const ARTIFACT_SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A layout while it is made.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    blobs: BTreeMap<String, Vec<u8>>,
    listed: Vec<Value>,
}

impl Layout {
    /// A layout with the shared image under `v1`.
    pub fn new() -> Self {
        let mut layout = Self::default();
        let bytes = image_bytes("one");
        layout.image(&bytes, Some("v1"));
        layout
    }

    /// One more image, under a tag or not.
    pub fn image(&mut self, bytes: &[u8], tag: Option<&str>) -> Digest {
        self.put(CONFIGURATION.as_bytes());
        let digest = self.put(bytes);
        self.list(descriptor(OCI_MANIFEST, &digest, bytes.len()), tag);
        digest
    }

    /// Bytes under their digest.
    pub fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = digest_of(bytes);
        self.blobs.insert(digest.hex().to_owned(), bytes.to_vec());
        digest
    }

    /// Other bytes under a digest than those that it is of.
    pub fn lie(&mut self, digest: &Digest, bytes: &[u8]) {
        self.blobs.insert(digest.hex().to_owned(), bytes.to_vec());
    }

    /// An entry of `index.json`.
    pub fn list(&mut self, mut descriptor: Value, tag: Option<&str>) {
        if let Some(tag) = tag {
            descriptor["annotations"][REF_NAME] = json!(tag);
        }
        self.listed.push(descriptor);
    }

    /// An index of manifests, under a tag.
    pub fn index(&mut self, children: &[Value], tag: &str) -> Digest {
        let bytes = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }).to_string();
        let digest = self.put(bytes.as_bytes());
        self.list(descriptor(OCI_INDEX, &digest, bytes.len()), Some(tag));
        digest
    }

    /// Cosign's `.sig` beside a digest.
    pub fn sign_by_tag(&mut self, beside: &Digest, layers: &[Layer]) -> Digest {
        let manifest = self.manifest(layers, CONFIG, CONFIGURATION, json!({}));
        self.list(manifest.clone(), Some(&CosignTag::Signature.beside(beside)));
        manifest["digest"].as_str().unwrap().parse().unwrap()
    }

    /// Cosign's `.att` beside a digest.
    pub fn attest_by_tag(&mut self, beside: &Digest, layers: &[Layer]) {
        let manifest = self.manifest(layers, CONFIG, CONFIGURATION, json!({}));
        self.list(manifest, Some(&CosignTag::Attestation.beside(beside)));
    }

    /// Evidence that refers to a digest, listed with what it says of itself: as `oras` and `skopeo` copy it.
    pub fn refer(&mut self, to: &Digest, layer: &Layer) {
        let listed = self.referrer(to, layer);
        self.list(listed, None);
    }

    /// The same; its entry is given back and not listed.
    pub fn referrer(&mut self, to: &Digest, layer: &Layer) -> Value {
        let annotations = json!({ "org.opencontainers.image.created": "2026-06-01T12:05:01Z" });
        let more = json!({ "artifactType": layer.media_type, "subject": subject(to), "annotations": annotations });
        let mut listed = self.manifest(std::slice::from_ref(layer), EMPTY, "{}", more);
        listed["artifactType"] = json!(layer.media_type);
        listed
    }

    /// Cosign's experimental form for OCI 1.1.
    pub fn refer_simple(&mut self, to: &Digest, layers: &[Layer]) {
        assert!(layers.iter().all(|layer| layer.media_type == SIMPLE));
        let more = json!({ "artifactType": ARTIFACT_SIGNATURE, "subject": subject(to) });
        let mut listed = self.manifest(layers, ARTIFACT_SIGNATURE, "{}", more);
        listed["artifactType"] = json!(ARTIFACT_SIGNATURE);
        self.list(listed, None);
    }

    /// The fallback index of the referrers tag schema.
    pub fn fallback(&mut self, of: &Digest, entries: &[Value]) {
        self.index(entries, &of.to_string().replace(':', "-"));
    }

    /// Lays down a manifest with its layers; its descriptor.
    pub fn manifest(&mut self, layers: &[Layer], config_type: &str, config: &str, more: Value) -> Value {
        self.put(config.as_bytes());
        let described: Vec<_> = layers
            .iter()
            .map(|layer| {
                let mut listed = descriptor(&layer.media_type, &self.put(&layer.bytes), layer.bytes.len());
                if !layer.annotations.is_empty() {
                    listed["annotations"] = json!(layer.annotations);
                }
                listed
            })
            .collect();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": descriptor(config_type, &digest_of(config.as_bytes()), config.len()), "layers": described,
        });
        for (name, value) in more.as_object().unwrap() {
            manifest[name] = value.clone();
        }
        let bytes = manifest.to_string();
        let digest = self.put(bytes.as_bytes());
        descriptor(OCI_MANIFEST, &digest, bytes.len())
    }

    /// Writes it.
    pub fn write(&self, directory: &Path) {
        let blobs = directory.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for (name, bytes) in &self.blobs {
            std::fs::write(blobs.join(name), bytes).unwrap();
        }
        std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.listed });
        std::fs::write(directory.join("index.json"), format!("{index:#}\n")).unwrap();
    }
}

const CONFIGURATION: &str = r#"{"architecture":"amd64","os":"linux"}"#;

/// The manifest of a tiny image: the same name gives the same bytes.
pub fn image_bytes(name: &str) -> Vec<u8> {
    let config = descriptor(CONFIG, &digest_of(CONFIGURATION.as_bytes()), CONFIGURATION.len());
    let annotations = json!({ "org.opencontainers.image.title": name });
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], "annotations": annotations });
    manifest.to_string().into_bytes()
}

/// The shared image of all cases.
pub fn image() -> Digest {
    digest_of(&image_bytes("one"))
}

/// An image that is in no case the judged one.
pub fn other_image() -> Digest {
    digest_of(&image_bytes("other"))
}

/// A descriptor.
pub fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Value {
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": size })
}

fn subject(digest: &Digest) -> Value {
    descriptor(OCI_MANIFEST, digest, 1)
}
