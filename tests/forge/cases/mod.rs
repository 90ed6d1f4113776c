//! The cases: each a layout with the shared image and what lies beside it. What is expected of them is written in `fixtures/verdicts.yaml`.

mod bytes;
mod counts;
mod digests;
mod identities;
mod logs;
mod valid;

use serde_json::Value;
pub use valid::{old_envelope, old_envelope_of};

use super::bundle::{Proofs, Version, statement};
use super::certificate::Issuer;
use super::cosign::{Layer, simple_signing};
use super::key::{Key, Kind};
use super::layout::{Layout, image};
use super::sigstore::{PERSON, Signer, Sigstore, WORKFLOW, person, workflow};

/// The repository that payloads of simple signing name. Nobody compares it: it is a hint (containers/image, "signature formats").
const NAMED: &str = "registry.test/app";

/// Everybody who takes part.
pub struct Stage {
    pub sigstore: Sigstore,
    /// Another Sigstore whose authorities bear the same names.
    pub stranger: Sigstore,
    /// The workflow that is trusted.
    pub release: Signer,
    /// A person who is trusted beside it.
    pub person: Signer,
    pub p256: Signer,
    pub p384: Signer,
    pub p384_sha256: Signer,
    pub rsa: Signer,
    pub ed25519: Signer,
    /// A key that nobody trusts.
    pub unknown: Signer,
    /// An authority of one's own, without Fulcio.
    pub own: Issuer,
}

impl Stage {
    pub fn new() -> Self {
        let sigstore = Sigstore::new();
        Self {
            release: sigstore.signer(&workflow(WORKFLOW)),
            person: sigstore.signer(&person(PERSON)),
            sigstore,
            stranger: Sigstore::new(),
            p256: Signer::key(Kind::P256),
            p384: Signer::key(Kind::P384),
            p384_sha256: Signer::key(Kind::P384Sha256),
            rsa: Signer::key(Kind::Rsa),
            ed25519: Signer::key(Kind::Ed25519),
            unknown: Signer::key(Kind::P256),
            own: Issuer::root(
                "corporate root",
                Key::new(Kind::P256),
                "2025-01-01T00:00:00Z".parse().unwrap(),
                "2045-01-01T00:00:00Z".parse().unwrap(),
            ),
        }
    }

    /// A bundle v0.3 as cosign makes it today: an envelope in Rekor v1.
    fn bundle(&self, signer: &Signer) -> Value {
        self.bundle_of(signer, &statement(&image()))
    }

    /// The same around another payload.
    fn bundle_of(&self, signer: &Signer, payload: &[u8]) -> Value {
        self.sigstore.envelope_bundle(Version::V03, signer, payload, Proofs::usual())
    }

    /// The same without log and time stamp.
    fn bare(&self, signer: &Signer) -> Value {
        self.sigstore.envelope_bundle(Version::V03, signer, &statement(&image()), Proofs::none())
    }

    /// A layer of a `.sig` about the shared image.
    fn layer(&self, signer: &Signer, proofs: Proofs) -> Layer {
        self.sigstore.layer(signer, &simple_signing(NAMED, &image()), proofs)
    }
}

/// The shared image with a bundle that refers to it.
fn referred(bundle: &Value) -> Layout {
    referred_layers(&[Layer::bundle(bundle)])
}

/// The same with several, each in a manifest of its own.
fn referred_layers(layers: &[Layer]) -> Layout {
    let mut layout = Layout::new();
    for layer in layers {
        layout.refer(&image(), layer);
    }
    layout
}

/// The shared image with cosign's `.sig`.
pub fn tagged(layers: &[Layer]) -> Layout {
    let mut layout = Layout::new();
    layout.sign_by_tag(&image(), layers);
    layout
}

/// A case by its name.
pub type Case = (&'static str, Layout);

/// All of them.
pub fn all(stage: &Stage) -> Vec<Case> {
    [valid::cases(stage), identities::cases(stage), logs::cases(stage), bytes::cases(stage), digests::cases(stage), counts::cases(stage)]
        .into_iter()
        .flatten()
        .collect()
}
