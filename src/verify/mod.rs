//! From bytes to typed statements. Pure: no clock, no files, no network.
//!
//! [`read`] says what a statement *is* and which digests it names; [`Verifier`] whether its signature holds under given trust material.
//! Whom to trust is not said here: that is the policy's business. Bytes are hostile: every reader is bounded by the size of its input and fails with a text, never a panic.

mod attested;
mod base64;
mod dsse;
mod intoto;
mod json;
mod notation;
mod provenance;
mod sbom;
mod sigstore;
mod summary;
mod verifier;

use crate::model::{Digest, Link, StatementFormat};

pub use attested::{attested, bill_in};
pub use sbom::read_attached;
pub use verifier::Verifier;

/// A statement as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStatement {
    /// Its form.
    pub format: StatementFormat,
    /// The digests it names. Empty for a form that is recognised and cannot be read.
    pub subjects: Vec<Digest>,
}

impl ReadStatement {
    /// Whether it names a digest. What a form that is not supported names is not known, and it may be this.
    #[must_use]
    pub fn names(&self, digest: &Digest) -> bool {
        self.subjects.contains(digest) || matches!(self.format, StatementFormat::Unsupported { .. })
    }
}

/// The bytes of a statement with what verifying them needs.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The descriptor that lists the bytes: cosign keeps signatures in its annotations.
    pub layer: &'a Link,
    /// The bytes.
    pub bytes: &'a [u8],
    /// The digest that the statement was found beside.
    pub subject: &'a Digest,
    /// The bytes that were signed, where they are at hand and not in the statement.
    pub artifact: Option<&'a [u8]>,
}

/// Bytes that match their digest, claim to be a statement, and are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Whether a layer of this media type may hold a signed statement: the only question that decides whether its bytes are fetched.
///
/// Never the manifest's artifact type, which some clients fill from elsewhere, and never an annotation.
#[must_use]
pub fn is_statement(media_type: &str) -> bool {
    Kind::of(media_type).is_some_and(|kind| !matches!(kind, Kind::InToto))
}

/// Whether a layer of this media type may hold a statement that nobody signed: of interest only where attestations are.
#[must_use]
pub fn is_unsigned_statement(media_type: &str) -> bool {
    matches!(Kind::of(media_type), Some(Kind::InToto))
}

/// Whether a layer of this media type is a bill of materials that is attached as it is.
#[must_use]
pub fn is_attached_bill(media_type: &str) -> bool {
    let essence = media_type.split([';', '+']).next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "application/spdx" | "text/spdx" | "application/vnd.cyclonedx" | "text/vnd.cyclonedx" | "application/vnd.syft"
    )
}

/// Reads the bytes of a layer, or of a bundle from a file, by its media type.
///
/// `layer` is the descriptor that lists the bytes: cosign's simple signing keeps the signature itself in its annotations.
///
/// # Errors
/// When the bytes are not what the media type says.
pub fn read(layer: &Link, bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    match Kind::of(&layer.media_type) {
        Some(Kind::SimpleSigning) => sigstore::read_simple_signing(layer, bytes),
        Some(Kind::Bundle) => sigstore::read_bundle(bytes),
        Some(Kind::Dsse) => dsse::read(bytes),
        Some(Kind::NotationJws) => notation::read_jws(bytes),
        Some(Kind::NotationCose) => notation::read_cose(bytes),
        Some(Kind::InToto) => intoto::read_bare(bytes),
        None => Err(Malformed(format!("{} is no statement", layer.media_type))),
    }
}

/// Kinds of statement by media type.
enum Kind {
    SimpleSigning,
    Bundle,
    Dsse,
    NotationJws,
    NotationCose,
    InToto,
}

impl Kind {
    fn of(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/vnd.dev.cosign.simplesigning.v1+json" => Some(Self::SimpleSigning),
            "application/vnd.dsse.envelope.v1+json" | "application/vnd.in-toto+dsse" => Some(Self::Dsse),
            "application/jose+json" => Some(Self::NotationJws),
            "application/cose" => Some(Self::NotationCose),
            "application/vnd.in-toto+json" => Some(Self::InToto),
            other if other.starts_with("application/vnd.dev.sigstore.bundle") => Some(Self::Bundle),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_media_type_decides() {
        for media_type in [
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "application/vnd.dev.sigstore.bundle.v0.3+json",
            "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "application/vnd.dsse.envelope.v1+json",
            "application/jose+json",
            "application/cose",
        ] {
            assert!(is_statement(media_type), "{media_type}");
        }
        for media_type in ["application/vnd.in-toto+json", "application/vnd.oci.image.layer.v1.tar+gzip", "text/spdx+json", ""] {
            assert!(!is_statement(media_type), "{media_type}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 0_usize..5) {
            let media_type = ["application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dev.sigstore.bundle.v0.3+json",
                "application/vnd.dsse.envelope.v1+json", "application/jose+json", "application/cose"][kind];
            let layer = Link { media_type: media_type.into(), digest: Digest::from_sha256([0; 32]), size: 0, artifact_type: None, annotations: None };
            let _ = read(&layer, &bytes);
        }
    }
}
