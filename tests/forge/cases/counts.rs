//! More than one signature, or one that is counted twice.

use super::super::bundle::{Log, PROMISE, Proofs, Version, statement};
use super::super::cosign::{Layer, SIGNATURE};
use super::super::key::{Key, Kind, base64};
use super::super::layout::image;
use super::super::log::Kind as Entry;
use super::super::sigstore::{WORKFLOW, workflow};
use super::{Case, Stage, referred_layers, tagged};

pub fn cases(stage: &Stage) -> Vec<Case> {
    let layer = |signer| stage.layer(signer, Proofs::none());
    let bundle = |signer| Layer::bundle(&stage.bundle(signer));
    let garbage = stage.layer(&stage.unknown, Proofs::none()).with(SIGNATURE, base64([1; 70]));
    let mut hundred: Vec<Layer> = (0..99)
        .map(|_| stage.layer(&super::Signer { key: Key::new(Kind::P256), certificate: None, chain: Vec::new() }, Proofs::none()))
        .collect();
    hundred.push(layer(&stage.p256));
    let renewed = stage.sigstore.signer(&workflow(WORKFLOW));
    let again = Layer::bundle(&stage.sigstore.envelope_bundle(Version::V03, &renewed, &statement(&image()), Proofs::usual()));
    let keyless = Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false);
    let mut both_forms = tagged(&[layer(&stage.p256)]);
    both_forms.refer(&image(), &Layer::bundle(&stage.bare(&stage.p256)));
    let mut three = tagged(&[layer(&stage.p256), layer(&stage.unknown)]);
    three.refer(&image(), &bundle(&stage.release));
    let same = layer(&stage.p256);
    vec![
        // One payload, and a signature by each of two keys: one blob, listed twice.
        ("signed-by-two-keys", tagged(&[layer(&stage.p256), layer(&stage.p384)])),
        ("signed-by-two-keys-one-unknown", tagged(&[layer(&stage.unknown), layer(&stage.p256)])),
        ("signed-by-key-and-workflow", three),
        ("signed-by-person-and-workflow", tagged(&[stage.layer(&stage.person, keyless), stage.layer(&stage.release, keyless)])),
        ("signed-twice-by-one-key", tagged(&[layer(&stage.p256), layer(&stage.p256)])),
        ("signed-twice-by-one-workflow", referred_layers(&[bundle(&stage.release), again])),
        ("one-key-in-two-forms", both_forms),
        ("one-signature-listed-twice", tagged(&[same.clone(), same])),
        ("good-beside-garbage", tagged(&[garbage.clone(), layer(&stage.p256)])),
        ("garbage-alone", tagged(&[garbage])),
        ("hundred-signatures", tagged(&hundred)),
    ]
}
