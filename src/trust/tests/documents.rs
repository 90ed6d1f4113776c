//! Trust roots as documents: which are usable.

use serde_json::{Value, json};

use crate::documents::SigstoreInstance;
use crate::model::{Algorithm, Digest};
use crate::trust::{RootError, check, embedded};

const PUBLIC_GOOD: &str = "sha256:6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66";
const GITHUB: &str = "sha256:484cdfe1a7c65479c5ba2a22193d1be90f0020db1997de696ab207434c62fbb7";

fn public_good() -> Value {
    serde_json::from_slice(&embedded("root", SigstoreInstance::PublicGood).content.unwrap()).unwrap()
}

fn refused(document: &Value) -> RootError {
    check(&serde_json::to_vec(document).unwrap()).unwrap_err()
}

/// When this fails the copies in `sigstore-trust-root` have changed: set `embedded_date` by its change log, then these digests.
#[test]
fn the_embedded_copies_are_those_whose_date_is_known() {
    for (instance, digest) in [(SigstoreInstance::PublicGood, PUBLIC_GOOD), (SigstoreInstance::Github, GITHUB)] {
        let root = embedded("root", instance);
        let content = root.content.unwrap();
        assert_eq!(Digest::of(Algorithm::Sha256, &content).to_string(), digest, "{instance:?}");
        assert_eq!(root.dated.unwrap().to_string(), "2026-10-13T00:00:00Z");
        assert_eq!(root.without_logs, instance == SigstoreInstance::Github);
        check(&content).unwrap();
    }
}

#[test]
fn versions_that_are_known_are_read_and_a_newer_one_is_named() {
    let mut document = public_good();
    for media_type in ["+json;version=0.1", "+json;version=0.2", ".v0.1+json", ".v0.2+json"] {
        document["mediaType"] = json!(format!("application/vnd.dev.sigstore.trustedroot{media_type}"));
        check(&serde_json::to_vec(&document).unwrap()).unwrap();
    }
    for media_type in ["+json;version=0.3", ".v0.3+json", ".v1+json", "+json;version="] {
        document["mediaType"] = json!(format!("application/vnd.dev.sigstore.trustedroot{media_type}"));
        assert!(matches!(refused(&document), RootError::Version(_)), "{media_type}");
    }
    document["mediaType"] = json!("application/vnd.dev.sigstore.trustedroot.v0.3+json");
    // What is new there does not hide what it is.
    document["tlogs"] = json!({"all": "different"});
    assert_eq!(refused(&document).to_string(), "it is of version 0.3, and this program reads 0.1 and 0.2: a newer release may read it");
    document["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.3+json");
    assert!(matches!(refused(&document), RootError::MediaType(_)));
}

#[test]
fn what_is_empty_broken_or_something_else_is_refused() {
    let media_type = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
    assert_eq!(refused(&json!({ "mediaType": media_type })), RootError::Empty);
    assert_eq!(refused(&json!({ "mediaType": media_type, "tlogs": [], "certificateAuthorities": [] })), RootError::Empty);
    for bytes in [&b""[..], b"{}", b"[]", b"null", b"\xff\xfe", b"{\"mediaType\":1}", b"-----BEGIN CERTIFICATE-----"] {
        assert!(matches!(check(bytes), Err(RootError::Malformed(_))), "{bytes:?}");
    }
    assert!(matches!(check(&[b'['; 100_000]), Err(RootError::Malformed(_))));
    assert!(matches!(check(&vec![b' '; (1 << 20) + 1]), Err(RootError::TooLarge)));
    let twice = format!(r#"{{"mediaType":"{media_type}","tlogs":[],"tlogs":[]}}"#);
    assert!(matches!(check(twice.as_bytes()), Err(RootError::Malformed(_))));
    let whole = serde_json::to_vec(&public_good()).unwrap();
    for length in (0..whole.len()).step_by(97) {
        assert!(check(&whole[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn what_verification_would_stumble_over_is_refused_here() {
    let mut twice = public_good();
    twice["tlogs"][1] = twice["tlogs"][0].clone();
    assert!(matches!(refused(&twice), RootError::Unusable(_)), "{}", refused(&twice));
    let mut no_key = public_good();
    no_key["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA");
    assert!(matches!(refused(&no_key), RootError::Unusable(_) | RootError::Malformed(_)), "{}", refused(&no_key));
    let mut no_certificate = public_good();
    no_certificate["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!("AAAA");
    assert!(matches!(refused(&no_certificate), RootError::Unusable(_) | RootError::Malformed(_)));
}
