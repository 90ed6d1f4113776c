//! Attestations: what they say, by whom, of which image; and predicates as hostile people write them. `fixtures/attestations/` is made here.

mod judged;
mod predicates;
mod provenance;
mod statement;
mod summaries;
mod tampered;

use super::bundle::{Proofs, Version};
use super::cases::{Case, Stage, old_envelope_of};
use super::cosign::Layer;
use super::layout::{Layout, image};
use super::sigstore::{OTHER_WORKFLOW, Signer, claims_at, signed_at, workflow};
use statement::Statement;

/// Directories beside the layouts.
pub const NO_LAYOUTS: [&str; 2] = ["controls", "trust"];

/// Everybody who attests, and how.
struct Attesters<'a> {
    stage: &'a Stage,
    /// A workflow that nobody trusts.
    other: Signer,
    /// A builder whose certificate says nothing of GitHub.
    ci: Signer,
}

impl<'a> Attesters<'a> {
    fn new(stage: &'a Stage) -> Self {
        let other = stage.sigstore.signer(&workflow(OTHER_WORKFLOW));
        let name = super::certificate::Name::Uri("https://ci.seaworthy.test/build".to_owned());
        let ci = stage.sigstore.signer(&claims_at(vec![name], "https://issuer.seaworthy.test", signed_at()));
        Self { stage, other, ci }
    }

    /// The shared image with a bundle by the workflow that is trusted.
    fn released(&self, statement: &Statement) -> Layout {
        self.by(&self.stage.release, statement)
    }

    fn by(&self, signer: &Signer, statement: &Statement) -> Layout {
        referred(&[self.bundle(signer, statement)])
    }

    fn bundle(&self, signer: &Signer, statement: &Statement) -> Layer {
        let bundle = self.stage.sigstore.envelope_bundle(Version::V03, signer, statement.text().as_bytes(), Proofs::usual());
        Layer::bundle(&bundle)
    }

    /// A layer of cosign's `.att`, whatever its annotation says of the type.
    fn legacy(&self, statement: &Statement, annotated: &str) -> Layout {
        let mut layout = Layout::new();
        layout.attest_by_tag(&image(), &[old_envelope_of(self.stage, &self.stage.release, statement.text().as_bytes(), annotated)]);
        layout
    }

    /// A workflow of the trusted name whose certificate says something else in one of Fulcio's extensions.
    fn saying(&self, extensions: &[(u8, &str)]) -> Signer {
        let claims = workflow(super::sigstore::WORKFLOW);
        self.stage.sigstore.signer(&extensions.iter().fold(claims, |claims, (number, text)| claims.saying(*number, text)))
    }
}

/// The shared image with layers that refer to it.
fn referred(layers: &[Layer]) -> Layout {
    let mut layout = Layout::new();
    for layer in layers {
        layout.refer(&image(), layer);
    }
    layout
}

/// The statement itself, and an envelope that nobody signed: perfect but for that.
fn unsigned(statement: &Statement) -> [Layout; 2] {
    let bare = Layer::plain(super::bundle::IN_TOTO, statement.text());
    let payload = super::key::base64(statement.text());
    let envelope = format!(r#"{{"payloadType":"{}","payload":"{payload}","signatures":[]}}"#, super::bundle::IN_TOTO);
    let mut legacy = Layout::new();
    legacy.attest_by_tag(&image(), &[Layer::plain("application/vnd.dsse.envelope.v1+json", envelope)]);
    [referred(&[bare]), legacy]
}

/// All of them.
pub fn cases(stage: &Stage) -> Vec<Case> {
    let attesters = Attesters::new(stage);
    [predicates::cases(&attesters), provenance::cases(&attesters), summaries::cases(&attesters)].into_iter().flatten().collect()
}

/// Things with names that move the cursor or turn the line around, each with the control that speaks of it. None is kept.
fn hostile_names(stage: &Stage) -> Vec<(&'static str, &'static str, Layout)> {
    let attesters = Attesters::new(stage);
    [provenance::hostile_names(&attesters), summaries::hostile_names(&attesters), predicates::hostile_names(&attesters)].concat()
}

/// A name that moves the cursor up, wipes the line and turns it around.
const HOSTILE: &str = "\u{1b}[1A\u{1b}[2K\r\u{202e}overboard\u{2066}\u{7f}\u{9b}31m";
