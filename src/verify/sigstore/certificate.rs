//! What a certificate claims.

use std::collections::BTreeMap;
use std::net::IpAddr;

use sigstore_crypto::{CertificateInfo, FulcioCiClaims, parse_certificate_info};
use sigstore_types::DerCertificate;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SignedCertificateTimestampList, SubjectAltName, SubjectKeyIdentifier};

use super::super::Malformed;
use crate::model::{Algorithm, CertificateClaims, Digest, SubjectName};

/// Fulcio's user names in an OtherName (evidence: Fulcio, `docs/oid-info.md`, .7).
const USERNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// A certificate that was read.
pub(super) struct Read {
    pub(super) parsed: Certificate,
    pub(super) info: CertificateInfo,
    pub(super) claims: CertificateClaims,
}

/// Reads a certificate.
///
/// The family exposes only the first e-mail address or URI of the subject alternative name; here are all names, because a certificate
/// that names two must not be taken for either by the order in which they stand.
pub(super) fn read(der: &DerCertificate) -> Result<Read, Malformed> {
    let malformed = |error: &dyn std::fmt::Display| Malformed(format!("the certificate cannot be read: {error}"));
    let info = parse_certificate_info(der).map_err(|error| malformed(&error))?;
    let parsed = Certificate::from_der(der.as_bytes()).map_err(|error| malformed(&error))?;
    if let Some(twice) = doubled(&parsed) {
        return Err(malformed(&format!("the extension {twice} is there twice")));
    }
    let names = names(&parsed).map_err(|error| malformed(&error))?;
    let claims = CertificateClaims {
        names,
        subject: parsed.tbs_certificate.subject.to_string(),
        issuer: info.issuer.clone(),
        extensions: extensions(&info.ci_claims),
        fingerprint: Digest::of(Algorithm::Sha256, der.as_bytes()),
        key: Digest::of(Algorithm::Sha256, info.public_key.as_bytes()),
        not_before: info.not_before,
        not_after: info.not_after,
    };
    Ok(Read { parsed, info, claims })
}

/// An extension that is there twice: RFC 5280 forbids it, and readers disagree about which counts.
fn doubled(certificate: &Certificate) -> Option<ObjectIdentifier> {
    let extensions = certificate.tbs_certificate.extensions.as_deref().unwrap_or_default();
    let mut identifiers: Vec<_> = extensions.iter().map(|extension| extension.extn_id).collect();
    identifiers.sort_unstable();
    identifiers.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn names(certificate: &Certificate) -> Result<Vec<SubjectName>, x509_cert::der::Error> {
    let Some((_, names)) = certificate.tbs_certificate.get::<SubjectAltName>()? else { return Ok(Vec::new()) };
    let mut read = Vec::new();
    for name in &names.0 {
        match name {
            GeneralName::Rfc822Name(text) => read.push(SubjectName::Email(text.to_string())),
            GeneralName::UniformResourceIdentifier(text) => read.push(SubjectName::Uri(text.to_string())),
            GeneralName::DnsName(text) => read.push(SubjectName::Dns(text.to_string())),
            GeneralName::OtherName(other) if other.type_id == USERNAME => {
                let text = other.value.decode_as::<Utf8StringRef<'_>>()?;
                read.push(SubjectName::Username(text.as_str().to_owned()));
            }
            other => read.push(SubjectName::Other(told(other))),
        }
    }
    Ok(read)
}

/// A name that is not compared, with its kind: it says that the certificate is for somebody else too, and must not pass unseen.
fn told(name: &GeneralName) -> String {
    match name {
        GeneralName::IpAddress(address) => {
            let four = <[u8; 4]>::try_from(address.as_bytes()).map(IpAddr::from);
            let either = four.or_else(|_| <[u8; 16]>::try_from(address.as_bytes()).map(IpAddr::from));
            either.map_or_else(|_| "IP address of no length".to_owned(), |address| format!("IP address {address}"))
        }
        GeneralName::DirectoryName(name) => format!("directory name {name}"),
        GeneralName::OtherName(other) => format!("other name of type {}", other.type_id),
        GeneralName::RegisteredId(id) => format!("registered identifier {id}"),
        _ => "name of a kind that is not read".to_owned(),
    }
}

/// Fulcio's extensions by the names that policies use.
fn extensions(claims: &FulcioCiClaims) -> BTreeMap<String, String> {
    let github = &claims.deprecated_github;
    let all = [
        ("buildConfigDigest", &claims.build_config_digest),
        ("buildConfigUri", &claims.build_config_uri),
        ("buildSignerDigest", &claims.build_signer_digest),
        ("buildSignerUri", &claims.build_signer_uri),
        ("buildTrigger", &claims.build_trigger),
        ("deploymentEnvironment", &claims.deployment_environment),
        ("githubWorkflowName", &github.workflow_name),
        ("githubWorkflowRef", &github.workflow_ref),
        ("githubWorkflowRepository", &github.workflow_repository),
        ("githubWorkflowSha", &github.workflow_sha),
        ("githubWorkflowTrigger", &github.workflow_trigger),
        ("runInvocationUri", &claims.run_invocation_uri),
        ("runnerEnvironment", &claims.runner_environment),
        ("sourceRepositoryDigest", &claims.source_repository_digest),
        ("sourceRepositoryIdentifier", &claims.source_repository_identifier),
        ("sourceRepositoryOwnerIdentifier", &claims.source_repository_owner_identifier),
        ("sourceRepositoryOwnerUri", &claims.source_repository_owner_uri),
        ("sourceRepositoryRef", &claims.source_repository_ref),
        ("sourceRepositoryUri", &claims.source_repository_uri),
        ("sourceRepositoryVisibilityAtSigning", &claims.source_repository_visibility_at_signing),
        ("tokenSubject", &claims.token_subject),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

/// Whether it carries a list of certificate timestamps at all.
pub(super) fn has_certificate_timestamp(certificate: &Certificate) -> bool {
    matches!(certificate.tbs_certificate.get::<SignedCertificateTimestampList>(), Ok(Some(_)))
}

/// Whether `issuer` says of itself what `certificate` says of its issuer: by key identifier where both have one, else by name.
pub(super) fn claims_issuer(certificate: &Certificate, issuer: &Certificate) -> bool {
    let wanted = certificate.tbs_certificate.get::<AuthorityKeyIdentifier>().ok().flatten().and_then(|(_, id)| id.key_identifier);
    let own = issuer.tbs_certificate.get::<SubjectKeyIdentifier>().ok().flatten().map(|(_, id)| id.0);
    match (wanted, own) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => certificate.tbs_certificate.issuer == issuer.tbs_certificate.subject,
    }
}

/// The log that its first certificate timestamp names.
pub(super) fn log_of_timestamp(certificate: &Certificate) -> Option<[u8; 32]> {
    let (_, list) = certificate.tbs_certificate.get::<SignedCertificateTimestampList>().ok()??;
    let timestamps = list.parse_timestamps().ok()?;
    Some(timestamps.first()?.parse_timestamp().ok()?.log_id.key_id)
}
