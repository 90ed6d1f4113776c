//! A time-stamp authority (RFC 3161): a CMS `SignedData` (RFC 5652) over `TSTInfo`.

use jiff::Timestamp;

use super::certificate::{Announced, Claims, Issuer, TIME_STAMPING};
use super::der;
use super::key::{Key, Kind, sha256};

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const POLICY: &str = "1.3.6.1.4.1.57264.2";

/// How the signer of a time stamp is named (RFC 5652, 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By its certificate's issuer and serial number.
    ByIssuer,
    /// By the identifier of its key.
    ByKey,
}

/// The authority with its chain.
pub struct Tsa {
    pub root: Issuer,
    key: Key,
    leaf: Vec<u8>,
}

impl Tsa {
    pub fn new(from: Timestamp, until: Timestamp) -> Self {
        let root = Issuer::root("time root", Key::new(Kind::P256), from, until);
        let key = Key::new(Kind::P256);
        let claims = Claims {
            subject: Some("time stamps"),
            names: None,
            not_before: from,
            not_after: until,
            usage: TIME_STAMPING,
            extensions: Vec::new(),
        };
        let leaf = root.issue(&key, &claims, &Announced::Not);
        Self { root, key, leaf }
    }

    /// Leaf and root.
    pub fn chain(&self) -> Vec<&[u8]> {
        vec![&self.leaf, &self.root.certificate]
    }

    /// The answer to a request to stamp these bytes.
    pub fn stamp(&self, stamped: &[u8], at: Timestamp) -> Vec<u8> {
        self.stamp_as(stamped, at, Named::ByIssuer)
    }

    /// The same, named so.
    pub fn stamp_as(&self, stamped: &[u8], at: Timestamp, named: Named) -> Vec<u8> {
        let hash = || der::sequence(&[der::oid(SHA256)]);
        let info = der::sequence(&[
            der::integer(1),
            der::oid(POLICY),
            der::sequence(&[hash(), der::octets(&sha256(stamped))]),
            der::integer(u64::from_be_bytes(sha256(stamped)[..8].try_into().unwrap())),
            der::generalized_time(at),
        ]);
        let attribute = |oid, value| der::sequence(&[der::oid(oid), der::set(&[value])]);
        let attributes = der::set(&[attribute(CONTENT_TYPE, der::oid(TST_INFO)), attribute(MESSAGE_DIGEST, der::octets(&sha256(&info)))]);
        // Signed as a SET, stored under [0] in its place (RFC 5652, 5.4).
        let mut stored = attributes.clone();
        stored[0] = 0xa0;
        let signer = der::sequence(&[
            der::integer(if named == Named::ByIssuer { 1 } else { 3 }),
            match named {
                Named::ByIssuer => self.root.signer_identifier(&self.leaf),
                Named::ByKey => der::implicit(0, &self.key.id()[..20]),
            },
            hash(),
            stored,
            der::sequence(&[der::oid(ECDSA_SHA256)]),
            der::octets(&self.key.sign(&attributes)),
        ]);
        let content = der::sequence(&[der::oid(TST_INFO), der::explicit(0, &der::octets(&info))]);
        let signed_data =
            der::sequence(&[der::integer(3), der::set(&[hash()]), content, der::explicit(0, &self.leaf), der::set(&[signer])]);
        let token = der::sequence(&[der::oid(SIGNED_DATA), der::explicit(0, &signed_data)]);
        der::sequence(&[der::sequence(&[der::integer(0)]), token])
    }
}
