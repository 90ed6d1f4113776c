//! Cosign's own forms: layers whose payload is the blob and whose signature is an annotation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bundle::Proofs;
use super::key::{base64, pem};
use super::log::Logged;
use super::sigstore::{Signer, Sigstore};
use crate::world::SIMPLE;
use seaworthy::model::Digest;

pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
pub const BUNDLE_ANNOTATION: &str = "dev.sigstore.cosign/bundle";
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
pub const STAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// A layer of a `.sig`.
#[derive(Debug, Clone)]
pub struct Layer {
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub annotations: BTreeMap<String, String>,
}

impl Layer {
    /// A layer without annotations.
    pub fn plain(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { media_type: media_type.to_owned(), bytes: bytes.into(), annotations: BTreeMap::new() }
    }

    /// A bundle as a layer, by its own media type.
    pub fn bundle(bundle: &Value) -> Self {
        Self::plain(bundle["mediaType"].as_str().unwrap(), bundle.to_string())
    }

    /// The same with one annotation changed.
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.annotations.insert(name.to_owned(), text.into());
        self
    }

    /// The log's part of the annotations, to be changed.
    pub fn logged(&self) -> Value {
        serde_json::from_str(&self.annotations[BUNDLE_ANNOTATION]).unwrap()
    }
}

/// Cosign's payload, as it serializes it.
pub fn simple_signing(repository: &str, image: &Digest) -> Vec<u8> {
    let critical = json!({
        "identity": { "docker-reference": repository },
        "image": { "docker-manifest-digest": image.to_string() },
        "type": "cosign container image signature",
    });
    json!({ "critical": critical, "optional": null }).to_string().into_bytes()
}

impl Sigstore {
    /// A layer of a `.sig`: signature, certificate with its chain, promise of the log and time stamp, as far as they are there.
    pub fn layer(&self, signer: &Signer, payload: &[u8], proofs: Proofs) -> Layer {
        let signature = signer.key.sign(payload);
        let verifier = signer.verifier();
        let logged = Logged { signature: &signature, verifier: &verifier, message: payload, envelope: None };
        let (entry, stamp) = self.prove(signer, &logged, proofs);
        let mut layer = Layer::plain(SIMPLE, payload).with(SIGNATURE, base64(&signature));
        if signer.certificate.is_some() {
            let chain: String = signer.chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
            layer = layer.with(CERTIFICATE, verifier).with(CHAIN, chain);
        }
        if let Some(entry) = entry {
            layer = layer.with(BUNDLE_ANNOTATION, entry.annotation().to_string());
        }
        if let Some(stamp) = stamp {
            layer = layer.with(STAMP, json!({ "SignedRFC3161Timestamp": base64(stamp) }).to_string());
        }
        layer
    }
}
