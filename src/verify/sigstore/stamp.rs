//! RFC 3161 time stamps, as far as the family does not say it: when they claim to be from, and by whom.
//!
//! Nothing here proves anything: the family verifies them.

use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use jiff::Timestamp;
use sigstore_trust_root::TsaAuthority;
use sigstore_types::{Bundle, SignatureContent, TimestampToken};
use x509_cert::der::asn1::{AnyRef, GeneralizedTime, OctetString};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _};
use x509_cert::ext::pkix::SubjectKeyIdentifier;

use super::root::Root;
use crate::model::{Cause, StepOutcome};

/// The times that a signature claims and the root's own stamps prove: promised by the log, or stamped. Sorted.
pub(super) fn claimed_times(root: &Root, bundle: &Bundle) -> Vec<Timestamp> {
    let material = &bundle.verification_material;
    let promised = material.tlog_entries.iter().filter(|entry| entry.inclusion_promise.is_some()).filter_map(|entry| entry.integrated_time);
    let stamps = &material.timestamp_verification_data.rfc3161_timestamps;
    let authorities = root.trusted.tsa_authorities();
    let stamped = stamps.iter().filter_map(|stamp| verified_time(&authorities, bundle, &stamp.signed_timestamp));
    let mut times: Vec<_> = promised.chain(stamped).collect();
    times.sort();
    times
}

/// When a time stamp is from, by one of the authorities.
fn verified_time(authorities: &[TsaAuthority], bundle: &Bundle, token: &TimestampToken) -> Option<Timestamp> {
    let signature = match &bundle.content {
        SignatureContent::MessageSignature(message) => &message.signature,
        SignatureContent::DsseEnvelope(envelope) => &envelope.signature.sig,
        _ => return None,
    };
    let by = |authority| sigstore_verify::tsa::verify_timestamp_for_authority(token, signature, authority).ok();
    authorities.iter().find_map(by)
}

/// When each time stamp is from; nothing where one of them was not made by an authority of the root over the signature.
pub(super) fn verified_times(root: &Root, bundle: &Bundle) -> Option<Vec<Timestamp>> {
    let authorities = root.trusted.tsa_authorities();
    let stamps = bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.iter();
    stamps.map(|stamp| verified_time(&authorities, bundle, &stamp.signed_timestamp)).collect()
}

/// Why the time stamps that were not verified may all hold nonetheless; nothing where one certainly does not: a failure comes before
/// what is not known.
pub(super) fn doubt(root: &Root, bundle: &Bundle) -> Option<StepOutcome> {
    let authorities = root.trusted.tsa_authorities();
    let stamps = bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.iter().map(|stamp| &stamp.signed_timestamp);
    let unverified = stamps.filter(|token| verified_time(&authorities, bundle, token).is_none());
    let doubts: Option<Vec<_>> = unverified.map(|token| doubt_of(root, token.as_bytes())).collect();
    doubts?.into_iter().next()
}

/// Why a time stamp that was not verified may hold all the same.
fn doubt_of(root: &Root, token: &[u8]) -> Option<StepOutcome> {
    if has_fraction(token) {
        return Some(StepOutcome::unknown(Cause::UnsupportedFormat, "a time stamp with fractions of a second is not supported"));
    }
    if names_authority_of(root, token) {
        return None;
    }
    root.too_old_for(claimed_time(token)?, "the time-stamp authority").map(StepOutcome::Unknown)
}

/// The token's signed data.
fn signed_data(token: &[u8]) -> Option<SignedData> {
    let content = ContentInfo::from_der(token).ok().or_else(|| {
        // A whole answer of a time-stamp authority: a status, then the token (RFC 3161, 2.4.2).
        let response = AnyRef::from_der(token).ok().filter(|any| any.tag() == Tag::Sequence)?;
        let mut reader = SliceReader::new(response.value()).ok()?;
        let _status: AnyRef<'_> = reader.decode().ok()?;
        reader.decode().ok()
    })?;
    content.content.decode_as().ok()
}

/// The bytes of the time-stamp information (RFC 3161, `TSTInfo`).
fn information(token: &[u8]) -> Option<Vec<u8>> {
    let content = signed_data(token)?.encap_content_info.econtent?;
    let octets: OctetString = content.decode_as().ok()?;
    Some(octets.as_bytes().to_vec())
}

/// The text of the time in it, as it is written.
fn written_time(token: &[u8]) -> Option<String> {
    let information = information(token)?;
    let sequence = AnyRef::from_der(&information).ok().filter(|any| any.tag() == Tag::Sequence)?;
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    while !reader.is_finished() {
        let field: AnyRef<'_> = reader.decode().ok()?;
        if field.tag() == Tag::GeneralizedTime {
            return String::from_utf8(field.value().to_vec()).ok();
        }
    }
    None
}

/// Whether it is written with fractions of a second, which the family does not read.
fn has_fraction(token: &[u8]) -> bool {
    written_time(token).is_some_and(|text| text.contains('.'))
}

/// When it claims to be from.
pub(super) fn claimed_time(token: &[u8]) -> Option<Timestamp> {
    let text = written_time(token)?;
    let whole = text.split('.').next().unwrap_or_default().trim_end_matches('Z');
    let der = [&[Tag::GeneralizedTime.octet(), u8::try_from(whole.len() + 1).ok()?], whole.as_bytes(), b"Z"].concat();
    let time = GeneralizedTime::from_der(&der).ok()?;
    Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
}

/// Whether the signer that it names is one of the root's time-stamp authorities.
fn names_authority_of(root: &Root, token: &[u8]) -> bool {
    let Some(data) = signed_data(token) else { return false };
    let leaves: Vec<_> = root
        .trusted
        .timestamp_authorities
        .iter()
        .filter_map(|authority| authority.cert_chain.certificates.first())
        .filter_map(|entry| x509_cert::Certificate::from_der(entry.raw_bytes.as_bytes()).ok())
        .collect();
    data.signer_infos.0.iter().any(|signer| match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(named) => leaves.iter().any(|leaf| {
            let own = &leaf.tbs_certificate;
            own.issuer.to_der().ok() == named.issuer.to_der().ok() && own.serial_number == named.serial_number
        }),
        // A certificate without an identifier is named by its issuer.
        SignerIdentifier::SubjectKeyIdentifier(named) => leaves.iter().any(|leaf| {
            let own = leaf.tbs_certificate.get::<SubjectKeyIdentifier>().ok().flatten();
            own.is_some_and(|(_, own)| own.0 == named.0)
        }),
    })
}
