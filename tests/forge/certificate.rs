//! Certificates as Fulcio issues them (RFC 5280, Fulcio's certificate specification), and as it would not.

use jiff::Timestamp;

use super::der;
use super::key::{Key, sha256};

const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
/// Arc of Fulcio's extensions.
const FULCIO: &str = "1.3.6.1.4.1.57264.1";
/// Extension with the signed certificate timestamps (RFC 6962).
const SCTS: &str = "1.3.6.1.4.1.11129.2.4.2";
pub const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
pub const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// A name in the subject alternative name.
#[derive(Debug, Clone)]
pub enum Name {
    Uri(String),
    Email(String),
    /// Fulcio's user name: an OtherName of type .7.
    Username(String),
    /// An OtherName of any other type, by its OID.
    Other(&'static str, String),
    /// An address (IPv4).
    Ip([u8; 4]),
    /// A distinguished name with this common name.
    Directory(&'static str),
}

impl Name {
    fn der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => der::implicit(1, text.as_bytes()),
            Self::Uri(text) => der::implicit(6, text.as_bytes()),
            Self::Username(text) => other_name(&format!("{FULCIO}.7"), text),
            Self::Other(oid, text) => other_name(oid, text),
            Self::Ip(address) => der::implicit(7, address),
            Self::Directory(name) => der::explicit(4, &distinguished(Some(name))),
        }
    }
}

fn other_name(oid: &str, text: &str) -> Vec<u8> {
    der::explicit(0, &[der::oid(oid), der::explicit(0, &der::utf8(text))].concat())
}

/// What the certificate's transparency is worth.
pub enum Announced<'a> {
    /// An SCT of this log, of the given moment.
    By(&'a CtLog, Timestamp),
    /// This list of SCTs, whatever it is about.
    Copied(&'a [u8]),
    /// None.
    Not,
}

/// The list of SCTs in a certificate.
pub fn scts(certificate: &[u8]) -> Vec<u8> {
    use x509_cert::der::Decode as _;
    let certificate = x509_cert::Certificate::from_der(certificate).unwrap();
    let extensions = certificate.tbs_certificate.extensions.unwrap();
    let list = extensions.iter().find(|extension| extension.extn_id.to_string() == SCTS).unwrap();
    x509_cert::der::asn1::OctetString::from_der(list.extn_value.as_bytes()).unwrap().into_bytes()
}

/// What a certificate says.
#[derive(Debug, Clone)]
pub struct Claims {
    /// Common name of the subject; Fulcio's certificates have none.
    pub subject: Option<&'static str>,
    /// None: there is no subject alternative name at all.
    pub names: Option<Vec<Name>>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub usage: &'static str,
    /// Fulcio's extensions by number.
    pub extensions: Vec<(u8, String)>,
}

/// An authority that issues certificates.
pub struct Issuer {
    pub key: Key,
    name: Vec<u8>,
    pub certificate: Vec<u8>,
}

impl Issuer {
    /// One that vouches for itself.
    pub fn root(name: &str, key: Key, from: Timestamp, until: Timestamp) -> Self {
        let name = distinguished(Some(name));
        let tbs = Tbs { issuer: &name, subject: &name, from, until, spki: &key.spki(), extensions: authority_extensions() };
        let certificate = signed(&key, &tbs.der());
        Self { key, name, certificate }
    }

    /// One below this one.
    pub fn intermediate(&self, name: &str, key: Key, from: Timestamp, until: Timestamp) -> Self {
        let name = distinguished(Some(name));
        let tbs = Tbs { issuer: &self.name, subject: &name, from, until, spki: &key.spki(), extensions: authority_extensions() };
        let certificate = signed(&self.key, &tbs.der());
        Self { key, name, certificate }
    }

    /// Somebody with a certificate who plays the authority.
    pub fn playing(key: Key, subject: Option<&str>, certificate: Vec<u8>) -> Self {
        Self { key, name: distinguished(subject), certificate }
    }

    /// A certificate for a key.
    pub fn issue(&self, key: &Key, claims: &Claims, announced: &Announced<'_>) -> Vec<u8> {
        let spki = key.spki();
        let subject = distinguished(claims.subject);
        let tbs = |extensions| Tbs {
            issuer: &self.name,
            subject: &subject,
            from: claims.not_before,
            until: claims.not_after,
            spki: &spki,
            extensions,
        };
        let mut extensions = claims.extensions();
        let scts = match announced {
            Announced::By(log, at) => Some(log.announce(&sha256(&self.key.spki()), &tbs(extensions.clone()).der(), *at)),
            Announced::Copied(scts) => Some(scts.to_vec()),
            Announced::Not => None,
        };
        if let Some(scts) = scts {
            extensions.push(extension(SCTS, false, &der::octets(&scts)));
        }
        signed(&self.key, &tbs(extensions).der())
    }

    /// Issuer and serial number of a certificate that was issued here, as CMS names it (RFC 5652).
    pub fn signer_identifier(&self, certificate: &[u8]) -> Vec<u8> {
        use x509_cert::der::{Decode as _, Encode as _};
        let certificate = x509_cert::Certificate::from_der(certificate).unwrap();
        der::sequence(&[self.name.clone(), certificate.tbs_certificate.serial_number.to_der().unwrap()])
    }
}

impl Claims {
    fn extensions(&self) -> Vec<Vec<u8>> {
        let usage = der::tlv(3, &[7, 0x80]);
        // Time-stamping must be the critical and only usage (RFC 3161, 2.3).
        let critical = self.usage == TIME_STAMPING;
        let mut extensions =
            vec![extension("2.5.29.15", true, &usage), extension("2.5.29.37", critical, &der::sequence(&[der::oid(self.usage)]))];
        if let Some(names) = &self.names {
            let names: Vec<_> = names.iter().map(Name::der).collect();
            extensions.push(extension("2.5.29.17", self.subject.is_none(), &der::sequence(&names)));
        }
        for (number, text) in &self.extensions {
            // Up to .6 the text stands there as it is, from .8 on in a UTF8String.
            let value = if *number < 7 { text.as_bytes().to_vec() } else { der::utf8(text) };
            extensions.push(extension(&format!("{FULCIO}.{number}"), false, &value));
        }
        extensions
    }
}

struct Tbs<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    from: Timestamp,
    until: Timestamp,
    spki: &'a [u8],
    extensions: Vec<Vec<u8>>,
}

impl Tbs<'_> {
    fn der(&self) -> Vec<u8> {
        // Positive and of one length, so that no certificate is shorter than another.
        let mut serial = sha256(self.spki)[..16].to_vec();
        serial[0] = serial[0] & 0x3f | 0x40;
        der::sequence(&[
            der::explicit(0, &der::integer(2)),
            der::tlv(2, &serial),
            algorithm(),
            self.issuer.to_vec(),
            der::sequence(&[der::utc_time(self.from), der::utc_time(self.until)]),
            self.subject.to_vec(),
            self.spki.to_vec(),
            der::explicit(3, &der::sequence(&self.extensions)),
        ])
    }
}

fn authority_extensions() -> Vec<Vec<u8>> {
    let sign_certificates = der::tlv(3, &[1, 0x06]);
    vec![extension("2.5.29.19", true, &der::sequence(&[der::TRUE.to_vec()])), extension("2.5.29.15", true, &sign_certificates)]
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { der::TRUE.to_vec() } else { Vec::new() };
    der::sequence(&[der::oid(oid), critical, der::octets(value)])
}

fn distinguished(common_name: Option<&str>) -> Vec<u8> {
    let attribute = |oid, text: &str| der::set(&[der::sequence(&[der::oid(oid), der::utf8(text)])]);
    match common_name {
        None => der::sequence(&[]),
        Some(name) => der::sequence(&[attribute("2.5.4.10", "seaworthy.test"), attribute("2.5.4.3", name)]),
    }
}

fn algorithm() -> Vec<u8> {
    der::sequence(&[der::oid(ECDSA_SHA256)])
}

fn signed(key: &Key, tbs: &[u8]) -> Vec<u8> {
    der::sequence(&[tbs.to_vec(), algorithm(), der::bits(&key.sign(tbs))])
}

/// A certificate-transparency log (RFC 6962).
pub struct CtLog {
    pub key: Key,
}

impl CtLog {
    /// The list of one SCT over a certificate that has none yet.
    fn announce(&self, issuer: &[u8], tbs: &[u8], at: Timestamp) -> Vec<u8> {
        let millis = (at.as_millisecond() as u64).to_be_bytes();
        let length = (tbs.len() as u32).to_be_bytes();
        // Version 1, certificate timestamp, moment, precertificate, issuer's key, certificate, no extensions.
        let signed = [&[0, 0][..], &millis, &[0, 1], issuer, &length[1..], tbs, &[0, 0]].concat();
        let signature = self.key.sign(&signed);
        // Version 1, log, moment, no extensions, ECDSA with SHA-256, signature.
        let sct = [&[0][..], &self.key.id(), &millis, &[0, 0, 4, 3], &short(&signature)].concat();
        short(&short(&sct))
    }
}

/// A vector with its length in two bytes (RFC 8446, 3.4).
fn short(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}
