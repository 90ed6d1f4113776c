//! Keys and certificates, good and bad.

use super::material;
use crate::trust::{CertificateError, KeyError, certificates, keys};

const P256: &str = "sha256:add1f7554544f279f7068ce9c5f205c76d6351c1ad8085ee4e406acfba9ba124";

fn refused(pem: &str) -> String {
    keys(pem.as_bytes()).unwrap_err().to_string()
}

#[test]
fn every_supported_kind_is_read_and_named_by_its_fingerprint() {
    for pem in [material!("p256"), material!("p384"), material!("rsa2048"), material!("ed25519")] {
        let found = keys(pem.as_bytes()).unwrap();
        assert_eq!(found.len(), 1, "{pem}");
    }
    // `openssl pkey -pubin -in p256.pem -outform DER | sha256sum`
    let key = keys(material!("p256").as_bytes()).unwrap().remove(0);
    assert_eq!(key.fingerprint.to_string(), P256);
    assert_eq!(key.spki.len(), 91);
}

#[test]
fn several_keys_in_one_file_are_several_once_each_in_their_order() {
    let text = format!(
        "Keys of the release team\n{}\r\n# the second\n{}{}{}",
        material!("ed25519"),
        material!("p256").replace('\n', "\r\n"),
        material!("ed25519"),
        material!("p384").replace('\n', "\n  "),
    );
    let found = keys(text.as_bytes()).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].fingerprint.to_string(), P256);
}

#[test]
fn a_key_has_one_fingerprint_in_either_form() {
    let spki = keys(material!("rsa2048").as_bytes()).unwrap();
    let pkcs1 = keys(material!("rsa2048-pkcs1").as_bytes()).unwrap();
    assert!(material!("rsa2048-pkcs1").contains("RSA PUBLIC KEY"));
    assert_eq!(spki, pkcs1);
    assert_eq!(keys([material!("rsa2048"), material!("rsa2048-pkcs1")].concat().as_bytes()).unwrap().len(), 1);
}

#[test]
fn what_is_not_supported_is_refused_by_its_name() {
    for (pem, name) in [
        (material!("p521"), "an EC key on P-521 (secp521r1), and P-256 and P-384 are supported"),
        (material!("secp256k1"), "an EC key on secp256k1"),
        (material!("explicit"), "spells out"),
        (material!("compressed"), "compressed point"),
        (material!("rsa1024"), "an RSA key of 1024 bits, and 2048 to 8192 are accepted"),
        (material!("pss"), "RSASSA-PSS"),
        (material!("ed448"), "Ed448"),
        (material!("x25519"), "X25519"),
        (material!("ca-root"), "use `certificate`"),
    ] {
        assert!(refused(pem).contains(name), "{name}: {}", refused(pem));
    }
}

#[test]
fn one_bad_key_among_several_refuses_them_all_and_says_which() {
    let text = [material!("p256"), material!("p521"), material!("p384")].concat();
    assert!(refused(&text).starts_with("key 2 of 3: it is an EC key on P-521"), "{}", refused(&text));
}

#[test]
fn a_private_key_is_refused_and_never_shown() {
    let secret = "MHcCAQEEIO0123456789abcdefABCDEF";
    for label in [
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED SIGSTORE PRIVATE KEY",
        "ENCRYPTED COSIGN PRIVATE KEY",
    ] {
        let block = format!("-----BEGIN {label}-----\n{secret}\n-----END {label}-----\n");
        // Also behind a good key, cut off, and on one line.
        for text in [block.clone(), [material!("p256"), &block].concat(), block[..block.len() - 30].to_owned(), block.replace('\n', "\\n")]
        {
            let error = keys(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("it holds a private key"), "{error}");
            assert!(!error.to_string().contains(&secret[..6]) && !format!("{error:?}").contains(&secret[..6]), "{error:?}");
            let error = certificates(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("it holds a private key") && !format!("{error:?}").contains(&secret[..6]), "{error}");
        }
    }
    let mut bytes = b"\xff\xfe-----BEGIN PRIVATE KEY-----\n".to_vec();
    bytes.extend_from_slice(secret.as_bytes());
    assert!(keys(&bytes).unwrap_err().to_string().contains("private key"));
}

#[test]
fn what_is_no_pem_is_told_as_what_it_looks_like() {
    for (text, told) in [
        ("", "it is empty"),
        (" \n\t", "it is empty"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB user@host", "OpenSSH"),
        ("ecdsa-sha2-nistp256 AAAA user@host", "OpenSSH"),
        ("untrusted comment: minisign public key\nRWQ", "minisign"),
        (r#"{"kty":"EC"}"#, "JSON"),
        ("hello", "no PEM block"),
        ("-----BEGIN PUBLIC KEY-----\nMFkw", "does not end"),
        ("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END CERTIFICATE-----\n", "does not end"),
        ("-----BEGIN PUBLIC KEY-----\nM F*kw\n-----END PUBLIC KEY-----\n", "not Base64"),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "not a public key that can be read"),
        ("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "not a public key that can be read"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\nMFkw\n-----END PGP PUBLIC KEY BLOCK-----\n", "\"PGP PUBLIC KEY BLOCK\""),
        ("-----BEGIN \u{1b}[31mX-----\nMFkw\n-----END \u{1b}[31mX-----\n", "\\\\u{1b}[31mX"),
    ] {
        assert!(refused(text).contains(told), "{text:?}: {}", refused(text));
    }
    assert!(keys(b"\x30\x59\x30\x13\xff\x00").unwrap_err().to_string().contains("DER"));
    assert!(keys(b"\xff\xfe\x00").unwrap_err().to_string().contains("no PEM block"));
}

/// Nothing that is cut off, or has one byte changed, panics; a changed key is another key or none.
#[test]
fn broken_keys_are_refused() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    for pem in [material!("p256"), material!("p384"), material!("rsa2048"), material!("rsa2048-pkcs1"), material!("ed25519")] {
        let label = if pem.contains("RSA PUBLIC KEY") { "RSA PUBLIC KEY" } else { "PUBLIC KEY" };
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = engine.decode(body).unwrap();
        let whole = keys(pem.as_bytes()).unwrap();
        let armoured = |der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", engine.encode(der));
        for length in 0..der.len() {
            assert!(keys(armoured(&der[..length]).as_bytes()).is_err(), "{length} bytes of {pem}");
        }
        assert!(keys(armoured(&[&der[..], &[0]].concat()).as_bytes()).is_err(), "a byte more than {pem}");
        for place in 0..der.len() {
            let mut changed = der.clone();
            changed[place] ^= 0x55;
            assert_ne!(keys(armoured(&changed).as_bytes()).ok().as_ref(), Some(&whole), "byte {place} of {pem}");
        }
    }
}

#[test]
fn a_point_that_is_not_on_its_curve_is_no_key() {
    // The last byte of P-256's point, changed.
    let pem = material!("p256").replace("Lqow==", "LqpA==");
    assert_ne!(pem, material!("p256"));
    assert!(refused(&pem).contains("not a valid key"), "{}", refused(&pem));
}

#[test]
fn authorities_are_read_once_each_in_their_order() {
    let text = [material!("ca-root"), material!("ca-intermediate"), material!("ca-root")].concat();
    let found = certificates(text.as_bytes()).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|der| der[0] == 0x30));
    assert_eq!(certificates(material!("ca-intermediate").as_bytes()).unwrap(), found[1..]);
}

#[test]
fn what_is_no_authority_is_refused() {
    let refused = |pem: &str| certificates(pem.as_bytes()).unwrap_err();
    assert!(matches!(refused(material!("leaf")), CertificateError::NoAuthority { number: 1, subject } if subject.contains("CN=leaf")));
    let second = [material!("ca-root"), material!("ca-no-signing")].concat();
    assert!(matches!(refused(&second), CertificateError::NoAuthority { number: 2, .. }));
    assert!(matches!(refused(material!("ca-p521")), CertificateError::Key { error, .. } if matches!(*error, KeyError::Curve(_))));
    assert!(matches!(refused(material!("p256")), CertificateError::Block { number: 1, .. }));
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    assert!(matches!(refused(cut), CertificateError::Malformed { number: 1, .. }));
    assert!(matches!(refused(""), CertificateError::Pem(_)));
}
