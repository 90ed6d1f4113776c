//! Signatures of something else, and lists that lie.

use serde_json::json;

use super::super::bundle::{Log, PROMISE, Proofs, Version, statement, statement_of};
use super::super::cosign::{Layer, simple_signing};
use super::super::key::sha256_hex;
use super::super::layout::{Layout, descriptor, image, image_bytes, other_image};
use super::super::log::Kind as Entry;
use super::{Case, NAMED, Stage, referred, referred_layers, tagged};
use crate::world::{COSIGN_SIGN, digest_of};
use seaworthy::model::{Digest, OCI_INDEX, OCI_MANIFEST};

pub fn cases(stage: &Stage) -> Vec<Case> {
    [copied(stage), indexes(stage), lists(stage), blobs(stage)].into_iter().flatten().collect()
}

fn copied(stage: &Stage) -> Vec<Case> {
    let (sigstore, release) = (&stage.sigstore, &stage.release);
    let of_other = simple_signing(NAMED, &other_image());
    let keyless = Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false);
    let nobody: Vec<_> = ["two", "three", "four"].map(|name| digest_of(&image_bytes(name))).to_vec();
    let many: Vec<&Digest> = nobody.iter().chain([&nobody[0]]).collect();
    let message = sigstore.message_bundle(Version::V03, release, &image_bytes("other"), Proofs::of_message());
    // The digest that the bundle claims is ours; what was signed is not.
    let mut claimed = message.clone();
    let digest = super::super::key::base64(super::super::key::sha256(&image_bytes("one")));
    claimed["messageSignature"]["messageDigest"]["digest"] = digest.into();
    vec![
        ("unsigned", Layout::new()),
        ("copied-legacy-key", tagged(&[sigstore.layer(&stage.p256, &of_other, Proofs::none())])),
        ("copied-legacy", tagged(&[sigstore.layer(release, &of_other, keyless)])),
        ("copied-bundle", referred(&stage.bundle_of(release, &statement(&other_image())))),
        ("copied-message", referred(&message)),
        ("copied-message-claimed", referred(&claimed)),
        ("many-subjects-none-ours", referred(&stage.bundle_of(release, &statement_of(COSIGN_SIGN, &many)))),
        ("no-subject", referred(&stage.bundle_of(release, &statement_of(COSIGN_SIGN, &[])))),
        (
            "copied-and-good",
            referred_layers(&[Layer::bundle(&stage.bundle_of(release, &statement(&other_image()))), Layer::bundle(&stage.bundle(release))]),
        ),
    ]
}

/// A child of an index, as the index lists it.
fn child(bytes: &[u8], architecture: &str) -> serde_json::Value {
    let mut listed = descriptor(OCI_MANIFEST, &digest_of(bytes), bytes.len());
    listed["platform"] = json!({ "os": "linux", "architecture": architecture });
    listed
}

fn indexes(stage: &Stage) -> Vec<Case> {
    let sign =
        |layout: &mut Layout, digest: &Digest| layout.refer(digest, &Layer::bundle(&stage.bundle_of(&stage.release, &statement(digest))));
    let (amd64, arm64) = (image_bytes("amd64"), image_bytes("arm64"));
    let children = [child(&amd64, "amd64"), child(&arm64, "arm64")];
    let with_index = || {
        let mut layout = Layout::default();
        let platform = layout.image(&amd64, Some("platform"));
        layout.image(&arm64, None);
        let index = layout.index(&children, "v1");
        (layout, platform, index)
    };
    let (mut index_signed, _, index) = with_index();
    sign(&mut index_signed, &index);
    let (mut children_signed, platform, _) = with_index();
    sign(&mut children_signed, &platform);
    sign(&mut children_signed, &digest_of(&arm64));
    let mut others_index = Layout::default();
    others_index.image(&amd64, Some("platform"));
    others_index.image(&arm64, None);
    let index = others_index.index(&children[1..], "v1");
    sign(&mut others_index, &index);
    let mut moved = Layout::default();
    moved.image(&image_bytes("newer"), Some("v1"));
    moved.image(&image_bytes("one"), Some("running"));
    let mut moved_signed = Layout::default();
    moved_signed.image(&image_bytes("newer"), Some("v1"));
    let running = moved_signed.image(&image_bytes("one"), Some("running"));
    sign(&mut moved_signed, &running);
    // A document that is an index to one reader and an image to the other (OCI image specification, "Media type conflicts").
    let mut confused = Layout::default();
    let platform = confused.image(&amd64, Some("platform"));
    sign(&mut confused, &platform);
    let mut both: serde_json::Value = serde_json::from_slice(&amd64).unwrap();
    both["manifests"] = json!(children);
    confused.image(both.to_string().as_bytes(), Some("v1"));
    vec![
        ("index-signed", index_signed),
        ("index-children-signed", children_signed),
        ("index-of-others-signed", others_index),
        ("tag-moved", moved),
        ("tag-moved-signed", moved_signed),
        ("index-and-manifest-at-once", confused),
    ]
}

/// Lists of referrers that say something else than what they lead to.
fn lists(stage: &Stage) -> Vec<Case> {
    let bundle = Layer::bundle(&stage.bundle(&stage.release));
    let listed = |layer: &Layer, change: &dyn Fn(&mut serde_json::Value)| {
        let mut layout = Layout::new();
        let mut entry = layout.referrer(&image(), layer);
        change(&mut entry);
        layout.fallback(&image(), &[entry]);
        layout
    };
    let text = Layer::plain("text/plain", "nothing is signed here");
    // Evidence in an index, where a manifest belongs.
    let mut nested = Layout::new();
    let entry = nested.manifest(std::slice::from_ref(&bundle), "application/vnd.oci.empty.v1+json", "{}", json!({}));
    let index =
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry], "subject": descriptor(OCI_MANIFEST, &image(), 1) });
    let digest = nested.put(index.to_string().as_bytes());
    nested.fallback(&image(), &[descriptor(OCI_INDEX, &digest, index.to_string().len())]);
    let mut sig_is_index = Layout::new();
    let entry =
        sig_is_index.manifest(&[stage.layer(&stage.p256, Proofs::none())], "application/vnd.oci.image.config.v1+json", "{}", json!({}));
    sig_is_index.index(&[entry], &seaworthy::model::CosignTag::Signature.beside(&image()));
    // An index whose bytes list the digest that it goes by: no bytes can be of that digest.
    let mut itself = Layout::default();
    let amd64 = image_bytes("amd64");
    itself.image(&amd64, Some("platform"));
    let digest = digest_of(b"an index that lists itself");
    let entry = descriptor(OCI_INDEX, &digest, 300);
    let lists = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, child(&amd64, "amd64")] });
    itself.lie(&digest, lists.to_string().as_bytes());
    itself.list(entry, Some("v1"));
    itself.refer(&digest, &Layer::bundle(&stage.bundle_of(&stage.release, &statement(&digest))));
    vec![
        ("entry-lies-about-digest", listed(&bundle, &|entry| entry["digest"] = format!("sha256:{}", sha256_hex(b"nowhere")).into())),
        ("entry-lies-about-size", listed(&bundle, &|entry| entry["size"] = 7.into())),
        ("entry-lies-about-type", listed(&bundle, &|entry| entry["artifactType"] = "text/plain".into())),
        ("entry-claims-bundle", listed(&text, &|entry| entry["artifactType"] = crate::world::BUNDLE.into())),
        ("entry-is-an-index", nested),
        ("signature-tag-is-an-index", sig_is_index),
        ("index-lists-itself", itself),
    ]
}

/// Blobs that are not of their digest, or not there.
fn blobs(stage: &Stage) -> Vec<Case> {
    let bundle = stage.bundle(&stage.release);
    let mut swapped = referred(&bundle);
    // A true bundle in the place of another.
    let other = stage.bundle(&stage.person);
    swapped.lie(&digest_of(bundle.to_string().as_bytes()), other.to_string().as_bytes());
    let mut with_good = referred_layers(&[Layer::bundle(&bundle), Layer::bundle(&other)]);
    with_good.lie(&digest_of(other.to_string().as_bytes()), b"something else");
    let layer = stage.layer(&stage.p256, Proofs::none());
    let mut legacy = tagged(std::slice::from_ref(&layer));
    legacy.lie(&digest_of(&layer.bytes), &simple_signing(NAMED, &other_image()));
    vec![("blob-swapped", swapped), ("blob-swapped-beside-good", with_good), ("blob-swapped-legacy", legacy)]
}
