//! DER by hand (ITU-T X.690): what a library would not write can be written too.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::ObjectIdentifier;

/// One value: tag, length, content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut value = vec![tag];
    match content.len() {
        length @ 0..128 => value.push(length as u8),
        length => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            value.push(0x80 | bytes.len() as u8);
            value.extend(bytes);
        }
    }
    value.extend(content);
    value
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A SET OF, in the order that DER asks for.
pub fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut parts = parts.to_vec();
    parts.sort();
    tlv(0x31, &parts.concat())
}

pub fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new(text).unwrap().to_der().unwrap()
}

pub fn integer(value: u64) -> Vec<u8> {
    let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    match bytes.first() {
        None => tlv(2, &[0]),
        Some(first) if first & 0x80 == 0 => tlv(2, &bytes),
        Some(_) => tlv(2, &[&[0], &bytes[..]].concat()),
    }
}

pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, content)
}

pub fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

/// A BIT STRING of whole bytes.
pub fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

pub const TRUE: [u8; 3] = [1, 1, 0xff];

/// `[number]` around whole values.
pub fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// `[number]` in the place of a primitive value's own tag.
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// A time as certificates of this half of the century write it.
pub fn utc_time(at: Timestamp) -> Vec<u8> {
    tlv(0x17, at.to_zoned(TimeZone::UTC).strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
}

/// With fractions of a second where there are any, without trailing zeroes (RFC 3161, 2.4.2).
pub fn generalized_time(at: Timestamp) -> Vec<u8> {
    tlv(0x18, at.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S%.fZ").to_string().as_bytes())
}
