//! Certificates that name somebody else, nobody, or the right one in the wrong place.

use jiff::SignedDuration;

use super::super::bundle::{Log, PROMISE, Proofs, Version, statement};
use super::super::certificate::{Announced, Claims, Issuer, Name, TIME_STAMPING};
use super::super::key::{Key, Kind, base64};
use super::super::layout::image;
use super::super::log::Kind as Entry;
use super::super::sigstore::{ACCOUNTS, GITHUB, OTHER_WORKFLOW, Signer, WORKFLOW, claims_at, person, signed_at, workflow};
use super::{Case, Stage, referred, tagged};

pub fn cases(stage: &Stage) -> Vec<Case> {
    [names(stage), certificates(stage), keys(stage)].into_iter().flatten().collect()
}

fn names(stage: &Stage) -> Vec<Case> {
    let by = |claims: Claims| referred(&stage.bundle(&stage.sigstore.signer(&claims)));
    let named = |names, issuer| by(claims_at(names, issuer, signed_at()));
    let uri = |text: &str| by(workflow(text));
    let bare = WORKFLOW.strip_prefix("https://").unwrap();
    vec![
        ("by-person", referred(&stage.bundle(&stage.person))),
        ("by-other-workflow", uri(OTHER_WORKFLOW)),
        ("by-other-issuer", by(workflow(WORKFLOW).issued_by("https://token.actions.evil.test"))),
        // The deprecated extension says one thing, the one that counts another.
        ("issuer-two-tongues", by(workflow(WORKFLOW).issued_by("https://token.actions.evil.test").saying(1, GITHUB))),
        ("runner-self-hosted", by(workflow(WORKFLOW).saying(11, "self-hosted"))),
        ("repository-recreated", by(workflow(WORKFLOW).saying(15, "999000111"))),
        ("identity-contained-host", uri(&format!("https://evil-{bare}"))),
        ("identity-contained-query", uri(&format!("https://evil.test/?{WORKFLOW}"))),
        ("identity-contained-prefix", uri(&format!("{WORKFLOW}.evil"))),
        ("identity-contained-line", uri(&format!("https://evil.test/\n{WORKFLOW}"))),
        ("username", named(vec![Name::Username("robot!ledger.test".to_owned())], ACCOUNTS)),
        ("username-other", named(vec![Name::Username("guest!ledger.test".to_owned())], ACCOUNTS)),
        ("other-name-foreign", named(vec![Name::Other("1.3.6.1.4.1.311.20.2.3", WORKFLOW.to_owned())], GITHUB)),
        ("san-empty", named(Vec::new(), GITHUB)),
        // Somebody else is certified as much as the expected one.
        ("san-two-names", named(vec![Name::Uri(WORKFLOW.to_owned()), Name::Uri(OTHER_WORKFLOW.to_owned())], GITHUB)),
        ("san-missing", by(Claims { names: None, ..workflow(WORKFLOW) })),
    ]
}

fn certificates(stage: &Stage) -> Vec<Case> {
    let (sigstore, stranger) = (&stage.sigstore, &stage.stranger);
    let key = || Key::new(Kind::P256);
    let by = |signer: &Signer, proofs| referred(&sigstore.envelope_bundle(Version::V03, signer, &statement(&image()), proofs));
    let late = Proofs::usual().at(signed_at() + SignedDuration::from_hours(1));
    let early = Proofs::usual().at(signed_at() - SignedDuration::from_hours(1));
    let legacy_late = Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false).at(late.at);
    // An authority of the same name, announced in the right log and logged in the right one.
    let claims = workflow(WORKFLOW);
    let forged_key = key();
    let forged = stranger.fulcio.issue(&forged_key, &claims, &Announced::By(&sigstore.ct, claims.not_before));
    let forged = Signer { key: forged_key, certificate: Some(forged), chain: stranger.signer(&claims).chain };
    let self_signed = {
        let key = key();
        let own = Issuer::root("fixture intermediate", Key::new(Kind::P256), claims.not_before, claims.not_after);
        let leaf = own.issue(&key, &claims, &Announced::By(&sigstore.ct, claims.not_before));
        Signer { key, certificate: Some(leaf), chain: vec![own.certificate] }
    };
    // Whoever has a certificate issues another, and brings both along; and the clock's authority issues one.
    let holder = sigstore.signer(&person("anybody@ledger.test"));
    let playing = Issuer::playing(holder.key, None, holder.certificate.unwrap());
    let issued = |issuer: &Issuer| {
        let key = key();
        let leaf = issuer.issue(&key, &claims, &Announced::By(&sigstore.ct, claims.not_before));
        Signer { key, certificate: Some(leaf), chain: vec![issuer.certificate.clone()] }
    };
    let by_holder = issued(&playing);
    let announced = |announced: &Announced<'_>| sigstore.signer_announced(key(), &claims, announced);
    let unannounced = announced(&Announced::Not);
    vec![
        ("certificate-expired", by(&stage.release, late)),
        ("certificate-not-yet-valid", by(&stage.release, early)),
        ("certificate-expired-legacy", tagged(&[stage.layer(&stage.release, legacy_late)])),
        ("certificate-of-another-ca", by(&forged, Proofs::usual())),
        ("certificate-of-another-ca-legacy", tagged(&[stage.layer(&forged, Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false))])),
        ("certificate-chain-brought-along", by_v02(stage, &self_signed)),
        ("certificate-for-time-stamps", by(&sigstore.signer(&Claims { usage: TIME_STAMPING, ..claims.clone() }), Proofs::usual())),
        ("issued-by-a-signer", by_v02(stage, &by_holder)),
        ("issued-by-a-signer-legacy", tagged(&[stage.layer(&by_holder, Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false))])),
        ("issued-by-the-clock", by_v02(stage, &issued(&sigstore.tsa.root))),
        ("sct-missing", by(&unannounced, Proofs::usual())),
        ("sct-foreign", by(&announced(&Announced::By(&stranger.ct, claims.not_before)), Proofs::usual())),
        ("sct-of-another-certificate", by(&transplanted(stage), Proofs::usual())),
        ("stranger", referred(&stranger.envelope_bundle(Version::V03, &stranger.signer(&claims), &statement(&image()), Proofs::usual()))),
    ]
}

/// A bundle v0.2 that brings its own authority along.
fn by_v02(stage: &Stage, signer: &Signer) -> super::Layout {
    referred(&stage.sigstore.envelope_bundle(Version::V02, signer, &statement(&image()), Proofs::usual()))
}

/// A certificate with the SCT of another one: the log never saw this one.
fn transplanted(stage: &Stage) -> Signer {
    let sigstore = &stage.sigstore;
    let seen = sigstore.signer(&person("somebody@ledger.test"));
    let scts = super::super::certificate::scts(seen.certificate.as_ref().unwrap());
    let key = Key::new(Kind::P256);
    let leaf = sigstore.fulcio.issue(&key, &workflow(WORKFLOW), &Announced::Copied(&scts));
    Signer { key, certificate: Some(leaf), chain: seen.chain }
}

fn keys(stage: &Stage) -> Vec<Case> {
    let mut hinted = stage.bare(&stage.unknown);
    hinted["verificationMaterial"]["publicKey"]["hint"] = base64(stage.p256.key.id()).into();
    let mut hinted_logged = stage.bundle(&stage.unknown);
    hinted_logged["verificationMaterial"]["publicKey"]["hint"] = base64(stage.p256.key.id()).into();
    let mut hinted_other = stage.bare(&stage.p256);
    hinted_other["verificationMaterial"]["publicKey"]["hint"] = base64(stage.p384.key.id()).into();
    let mut unhinted = stage.bare(&stage.p256);
    unhinted["verificationMaterial"]["publicKey"] = serde_json::json!({});
    vec![
        ("key-unknown-bundle", referred(&stage.bare(&stage.unknown))),
        ("key-unknown-legacy", tagged(&[stage.layer(&stage.unknown, Proofs::none())])),
        ("key-hint-of-trusted", referred(&hinted)),
        ("key-hint-of-trusted-logged", referred(&hinted_logged)),
        ("key-hint-of-another", referred(&hinted_other)),
        ("key-hint-missing", referred(&unhinted)),
        ("person-legacy", tagged(&[stage.layer(&stage.person, Proofs::new(Log::V1(Entry::Hashedrekord, PROMISE), false))])),
        ("issuer-of-person", referred(&stage.bundle(&stage.sigstore.signer(&person("releases@ledger.test").issued_by(GITHUB))))),
    ]
}
