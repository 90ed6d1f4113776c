//! What the family does inside and does not offer by itself, from its own parts: a chain at a moment, a certificate timestamp, a promise
//! of the log. Used only where the family refuses the whole: `intoto/0.0.1` entries, and certificates without any proven time.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, UnixTime};
use serde::Serialize;
use sigstore_crypto::{SigningScheme, WEBPKI_VERIFICATION_ALGS};
use sigstore_types::{DerCertificate, Sha256Hash, SignatureBytes};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::Certificate;
use x509_cert::der::{Any, Encode as _, Tag};
use x509_cert::ext::pkix::SignedCertificateTimestampList;

use super::super::base64;
use super::content::CosignLogPayload;
use super::root::Root;

/// Extended key usage "code signing" (RFC 5280, 4.2.1.12), as the content of its identifier.
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
/// The list of certificate timestamps in a certificate (RFC 6962, 3.3).
const TIMESTAMPS: x509_cert::der::oid::ObjectIdentifier = x509_cert::der::oid::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// Checks that a certificate chains to one of the root's authorities at a moment, for signing code. The issuer's public key (SPKI).
pub(super) fn chain(root: &Root, leaf: &DerCertificate, between: &[&DerCertificate], at: Timestamp) -> Result<Vec<u8>, String> {
    let authorities =
        root.trusted.certificate_authorities.iter().filter(|authority| authority.valid_for.is_none_or(|window| window.contains(at)));
    let certificates: Vec<CertificateDer<'_>> = authorities
        .flat_map(|authority| &authority.cert_chain.certificates)
        .map(|entry| CertificateDer::from(entry.raw_bytes.as_bytes()))
        .collect();
    let anchors =
        certificates.iter().map(webpki::anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let between: Vec<_> = between.iter().map(|certificate| CertificateDer::from(certificate.as_bytes())).collect();
    let leaf = CertificateDer::from(leaf.as_bytes());
    let leaf = EndEntityCert::try_from(&leaf).map_err(|error| error.to_string())?;
    let seconds = u64::try_from(at.as_second()).map_err(|_| format!("{at} is before 1970"))?;
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let usage = KeyUsage::required(CODE_SIGNING);
    let path =
        leaf.verify_for_usage(WEBPKI_VERIFICATION_ALGS, &anchors, &between, time, usage, None, None).map_err(|error| error.to_string())?;
    match path.intermediate_certificates().next() {
        Some(issuer) => Ok(issuer.subject_public_key_info().as_ref().to_vec()),
        // An anchor keeps the content of its SPKI alone.
        None => Any::new(Tag::Sequence, path.anchor().subject_public_key_info.as_ref())
            .and_then(|any| any.to_der())
            .map_err(|error| error.to_string()),
    }
}

/// Checks the one certificate timestamp of a certificate (RFC 6962, 3.2).
pub(super) fn certificate_timestamp(root: &Root, certificate: &Certificate, issuer: &[u8]) -> Result<(), String> {
    let list = certificate.tbs_certificate.get::<SignedCertificateTimestampList>().ok().flatten();
    let (_, list) = list.ok_or("the certificate carries no signed certificate timestamp")?;
    let timestamps = list.parse_timestamps().map_err(|_| "its list of certificate timestamps cannot be read")?;
    let [timestamp] = timestamps.as_slice() else { return Err(format!("the certificate carries {} timestamps", timestamps.len())) };
    let timestamp = timestamp.parse_timestamp().map_err(|_| "its certificate timestamp cannot be read")?;
    let mut precertificate = certificate.tbs_certificate.clone();
    precertificate.extensions =
        precertificate.extensions.map(|all| all.into_iter().filter(|extension| extension.extn_id != TIMESTAMPS).collect());
    let precertificate = precertificate.to_der().map_err(|error| error.to_string())?;
    let length = u32::try_from(precertificate.len()).map_err(|error| error.to_string())?;
    let extensions = timestamp.extensions.as_slice();
    // Version 1, a certificate timestamp, when, an entry of a precertificate: issuer's key, certificate, extensions.
    let mut signed = vec![0, 0];
    signed.extend(timestamp.timestamp.to_be_bytes());
    signed.extend([0, 1]);
    signed.extend(sigstore_crypto::sha256(issuer).as_bytes());
    signed.extend(&length.to_be_bytes()[1..]);
    signed.extend(&precertificate);
    signed.extend(u16::try_from(extensions.len()).map_err(|error| error.to_string())?.to_be_bytes());
    signed.extend(extensions);
    let issued = i64::try_from(timestamp.timestamp).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    let issued = issued.ok_or("its certificate timestamp is of no time")?;
    let signature = SignatureBytes::new(timestamp.signature.signature.as_slice().to_vec());
    let log = Sha256Hash::new(timestamp.log_id.key_id);
    // The log's key says which scheme it signs with.
    let schemes = [SigningScheme::EcdsaP256Sha256, SigningScheme::EcdsaP384Sha384, SigningScheme::RsaPkcs1Sha256];
    let held = schemes.into_iter().any(|scheme| {
        root.trusted.ctfe_keys(scheme).is_ok_and(|keys| keys.verify_with_key_id_at(&log, issued, &signed, &signature).is_ok())
    });
    if held { Ok(()) } else { Err("no certificate log of the trust root has signed the certificate timestamp".to_owned()) }
}

/// What the log signs, in canonical JSON (RFC 8785): the keys in order, no character that needs an escape.
#[derive(Serialize)]
struct Promised<'a> {
    body: &'a str,
    #[serde(rename = "integratedTime")]
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: &'a str,
    #[serde(rename = "logIndex")]
    log_index: i64,
}

/// Checks the log's promise over an entry; when it was integrated.
pub(super) fn promise(root: &Root, payload: &CosignLogPayload, signed_entry_timestamp: &str) -> Result<Timestamp, String> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    if !plain(&payload.body) || !plain(&payload.log_id) {
        return Err("the log entry is not in canonical form".to_owned());
    }
    let integrated = Timestamp::from_second(payload.integrated_time).map_err(|error| error.to_string())?;
    let log = Sha256Hash::from_hex(&payload.log_id).map_err(|error| error.to_string())?;
    let key = root
        .rekor_keys
        .key_at(&log, integrated)
        .ok_or_else(|| format!("no log of the trust root has the identifier {} then", payload.log_id))?;
    let signed =
        Promised { body: &payload.body, integrated_time: payload.integrated_time, log_id: &payload.log_id, log_index: payload.log_index };
    let signed = serde_json::to_vec(&signed).map_err(|error| error.to_string())?;
    let signature = base64::decode("the log's promise", signed_entry_timestamp).map_err(|error| error.to_string())?;
    key.verify(&signed, &SignatureBytes::new(signature)).map_err(|error| error.to_string())?;
    Ok(integrated)
}
