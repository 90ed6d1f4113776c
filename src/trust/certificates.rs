//! Certificates of authorities of a user's own, in PEM.

use std::sync::Arc;

use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::keys::{self, KeyError};
use super::pem::{self, PemError};
use crate::model::escape_control;

/// Why certificates cannot be those of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not PEM.
    #[error("{0}")]
    Pem(#[from] PemError),
    /// It is a block of something else.
    #[error("block {number} is {label:?} and not \"CERTIFICATE\"")]
    Block {
        /// Its place, from 1.
        number: usize,
        /// What it says that it is.
        label: String,
    },
    /// It does not parse.
    #[error("certificate {number} cannot be read: {error}")]
    Malformed {
        /// Its place, from 1.
        number: usize,
        /// What is wrong.
        error: String,
    },
    /// It may not sign others.
    #[error("certificate {number} ({subject}) is not that of an authority (no basic constraint CA, or not for signing certificates)")]
    NoAuthority {
        /// Its place, from 1.
        number: usize,
        /// Its subject.
        subject: String,
    },
    /// Its key is not supported.
    #[error("certificate {number} ({subject}) has a key that cannot be used: {error}")]
    Key {
        /// Its place, from 1.
        number: usize,
        /// Its subject.
        subject: String,
        /// What is wrong.
        error: Box<KeyError>,
    },
}

/// The certificates (DER) of a PEM file, roots and intermediates, in their order, each once.
///
/// When they are valid is not looked at: that depends on the moment that is asked about.
///
/// # Errors
/// The first thing that is wrong.
pub fn certificates(pem: &[u8]) -> Result<Vec<Arc<[u8]>>, CertificateError> {
    let mut found: Vec<Arc<[u8]>> = Vec::new();
    for (index, block) in pem::blocks(pem)?.into_iter().enumerate() {
        let number = index + 1;
        if !matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE") {
            return Err(CertificateError::Block { number, label: escape_control(&block.label).into_owned() });
        }
        check(number, &block.der)?;
        if !found.iter().any(|known| **known == *block.der) {
            found.push(block.der.into());
        }
    }
    Ok(found)
}

fn check(number: usize, der: &[u8]) -> Result<(), CertificateError> {
    let malformed =
        |error: x509_cert::der::Error| CertificateError::Malformed { number, error: escape_control(&error.to_string()).into_owned() };
    let certificate = Certificate::from_der(der).map_err(malformed)?.tbs_certificate;
    let subject = || escape_control(&certificate.subject.to_string()).into_owned();
    let constraints = certificate.get::<BasicConstraints>().map_err(malformed)?;
    let usage = certificate.get::<KeyUsage>().map_err(malformed)?;
    // RFC 5280, 4.2.1.3 and 4.2.1.9: where a usage is said, signing certificates must be among it.
    if !constraints.is_some_and(|(_, constraints)| constraints.ca) || usage.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
        return Err(CertificateError::NoAuthority { number, subject: subject() });
    }
    let key = certificate.subject_public_key_info.to_der().map_err(malformed)?;
    keys::spki(&key).map(drop).map_err(|error| CertificateError::Key { number, subject: subject(), error: Box::new(error) })
}
