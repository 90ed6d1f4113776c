use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sigstore_crypto::VerificationKey;
use sigstore_types::bundle::SignatureContent;
use sigstore_types::{Bundle, DerPublicKey};

use super::*;
use crate::model::{Algorithm, BuildLevel, Digest, ImageReference, VerificationResult, VerifiedImage};

const COSIGN: &str = include_str!("../../fixtures/keys/cosign.key");
const COSIGN_PUBLIC: &str = include_str!("../../fixtures/keys/cosign.pub");

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn unasked() -> Option<String> {
    panic!("nobody asks for a password")
}

fn refused(text: &str) -> SigningKeyError {
    SigningKey::read(text.as_bytes(), || Some("correct horse".to_owned())).unwrap_err()
}

#[test]
fn a_key_of_cosign_opens_with_its_password_alone() {
    let key = SigningKey::read(COSIGN.as_bytes(), || Some("correct horse".to_owned())).unwrap();
    assert_eq!(key.public_pem(), COSIGN_PUBLIC);
    let error = |password: Option<&str>| SigningKey::read(COSIGN.as_bytes(), || password.map(str::to_owned)).unwrap_err();
    assert_eq!(error(Some("correct horse ")), SigningKeyError::WrongPassword);
    assert_eq!(error(None), SigningKeyError::NoPassword);
    assert!(!format!("{key:?}").contains("correct"));
}

#[test]
fn a_damaged_key_is_refused() {
    let body: String = COSIGN.lines().filter(|line| !line.starts_with("-----")).collect();
    let json = String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
    let sealed = |json: &str| refused(&pem("ENCRYPTED SIGSTORE PRIVATE KEY", json.as_bytes()));
    let costly = |from: &str, to: &str| matches!(sealed(&json.replace(from, to)), SigningKeyError::UnknownEncryption(_));
    assert!(costly("\"N\":65536", "\"N\":4294967296"), "a cost that never ends is not worked for");
    assert!(costly("\"N\":65536", "\"N\":65537"), "no power of two");
    assert!(costly("\"r\":8", "\"r\":4000000000"));
    assert!(costly("\"p\":1", "\"p\":0"));
    assert!(costly("scrypt", "argon2id") && costly("nacl/secretbox", "aes-256-gcm"));
    assert_eq!(sealed("{}"), SigningKeyError::WrongPassword);
    assert_eq!(sealed(&json.replace("\"nonce\":\"", "\"nonce\":\"AAAA")), SigningKeyError::WrongPassword);
    assert_eq!(sealed(&json.replace("\"ciphertext\":\"", "\"ciphertext\":\"AAAA")), SigningKeyError::WrongPassword);
    assert_eq!(refused(COSIGN.split_once("-----END").unwrap().0), SigningKeyError::NotPem);
}

#[test]
fn what_is_no_private_key_is_refused_with_what_to_do() {
    for nothing in ["", "hello", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"] {
        assert_eq!(refused(nothing), SigningKeyError::NotPem, "{nothing:?}");
    }
    assert_eq!(SigningKey::read(&[0x30, 0x82, 0xff], unasked).unwrap_err(), SigningKeyError::NotPem);
    assert_eq!(refused(COSIGN_PUBLIC), SigningKeyError::Public);
    assert_eq!(refused(&pem("EC PRIVATE KEY", b"x")), SigningKeyError::OtherForm("EC PRIVATE KEY".to_owned()));
    assert_eq!(refused(&pem("PRIVATE KEY", b"x")), SigningKeyError::Unsupported);
    assert_eq!(refused(include_str!("../../fixtures/keys/curve-spelled-out.key")), SigningKeyError::CurveSpelledOut);
}

#[test]
fn a_bundle_of_each_kind_of_key_holds() {
    let ec = |algorithm| EcdsaKeyPair::generate(algorithm).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    let rsa: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let ed: Pkcs8V1Der<'_> = Ed25519KeyPair::generate().unwrap().as_der().unwrap();
    let keys = [ec(&ECDSA_P256_SHA256_ASN1_SIGNING), ec(&ECDSA_P384_SHA384_ASN1_SIGNING), rsa.as_ref().to_vec(), ed.as_ref().to_vec()];
    for pkcs8 in keys {
        let key = SigningKey::read(pem("PRIVATE KEY", &pkcs8).as_bytes(), unasked).unwrap();
        let bundle = Bundle::from_json(&bundle(&key, b"{}".to_vec()).unwrap()).unwrap();
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { panic!("{bundle:?}") };
        let spki = DerPublicKey::from_pem(&key.public_pem()).unwrap();
        let public = VerificationKey::from_spki(&spki).unwrap();
        public.verify(envelope.pae(), &envelope.signature.sig).unwrap();
        assert!(public.verify(pae(IN_TOTO, b"{ }"), &envelope.signature.sig).is_err());
    }
}

fn image(result: VerificationResult) -> VerifiedImage {
    let reference: ImageReference = "registry.acme.example:5000/team/app".parse().unwrap();
    let digest = |text: &[u8]| Digest::of(Algorithm::Sha256, text);
    let inputs =
        vec![(None, digest(b"from a file")), (Some("oci://registry.acme.example:5000/team/app@sha256:0".to_owned()), digest(b"x"))];
    VerifiedImage { repository: reference.repository().clone(), digest: digest(b"app"), result, inputs }
}

#[test]
fn a_summary_says_what_was_verified() {
    let verification = Verification {
        by: VerifiedBy { id: "https://acme.example/verifier".to_owned(), version: "1.2.3".to_owned() },
        time: "2026-11-01T12:00:00Z".parse().unwrap(),
        policy: "seaworthy:controls/SW-0021".to_owned(),
        policy_digest: Digest::of(Algorithm::Sha256, b"policy"),
    };
    let told = |result| -> serde_json::Value { serde_json::from_slice(&summary(&verification, &image(result))).unwrap() };
    insta::assert_json_snapshot!("passed", told(VerificationResult::Passed(BuildLevel::L2)));
    let failed = told(VerificationResult::Failed);
    assert_eq!(
        (&failed["predicate"]["verificationResult"], &failed["predicate"]["verifiedLevels"][0]),
        (&"FAILED".into(), &"FAILED".into())
    );
}
