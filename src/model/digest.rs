//! Content digests as the OCI image specification writes them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Digest algorithms that registries serve (OCI image specification, "Digests").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the digest in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:` in front.
    #[error("a digest has the form algorithm:hex")]
    NoAlgorithm,
    /// The algorithm is not one of [`Algorithm`].
    #[error("digest algorithm is not supported (sha256 and sha512 are)")]
    UnknownAlgorithm,
    /// The encoded part is not lower-case hexadecimal of the algorithm's length.
    #[error("digest is not lower-case hexadecimal of the right length")]
    BadEncoding,
}

/// A content digest, `sha256:<64 hex>` or `sha512:<128 hex>`.
///
/// Holds the raw bytes, so that ten thousand of them stay small; text is made when shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Bytes);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Bytes {
    Sha256([u8; 32]),
    Sha512(Box<[u8; 64]>),
}

impl Digest {
    /// The digest of the given raw SHA-256 bytes.
    #[must_use]
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        Self(Bytes::Sha256(bytes))
    }

    /// The digest of the given raw SHA-512 bytes.
    #[must_use]
    pub fn from_sha512(bytes: [u8; 64]) -> Self {
        Self(Bytes::Sha512(Box::new(bytes)))
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        use aws_lc_rs::digest;
        match algorithm {
            Algorithm::Sha256 => {
                let mut bytes = [0_u8; 32];
                bytes.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
                Self::from_sha256(bytes)
            }
            Algorithm::Sha512 => {
                let mut bytes = [0_u8; 64];
                bytes.copy_from_slice(digest::digest(&digest::SHA512, content).as_ref());
                Self::from_sha512(bytes)
            }
        }
    }

    /// Whether this is the digest of these bytes.
    #[must_use]
    pub fn matches(&self, content: &[u8]) -> bool {
        Self::of(self.algorithm(), content) == *self
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Bytes::Sha256(_) => Algorithm::Sha256,
            Bytes::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Its raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Sha256(bytes) => bytes,
            Bytes::Sha512(bytes) => bytes.as_slice(),
        }
    }

    /// The part after the colon, lower-case hexadecimal.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        let bytes = self.as_bytes();
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// `sha256:` and the first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(self.algorithm().name().len() + 13);
        text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm().name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::NoAlgorithm)?;
        let algorithm = match algorithm {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::UnknownAlgorithm),
        };
        let encoded = encoded.as_bytes();
        if encoded.len() != algorithm.length() * 2 {
            return Err(DigestError::BadEncoding);
        }
        let mut bytes = [0_u8; 64];
        for (byte, pair) in bytes.iter_mut().zip(encoded.chunks_exact(2)) {
            *byte = match (nibble(pair[0]), nibble(pair[1])) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(DigestError::BadEncoding),
            };
        }
        Ok(match algorithm {
            Algorithm::Sha256 => {
                let mut half = [0_u8; 32];
                half.copy_from_slice(&bytes[..32]);
                Self::from_sha256(half)
            }
            Algorithm::Sha512 => Self::from_sha512(bytes),
        })
    }
}

/// Upper case is refused: the specification's grammar has lower case only, and two spellings of one digest would be two keys.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925";

    #[test]
    fn a_digest_survives_its_text() {
        let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
        assert_eq!(digest.to_string(), format!("sha256:{HEX}"));
        assert_eq!(digest.short(), "sha256:a74d89d8dd86");
        let long: Digest = format!("sha512:{HEX}{HEX}").parse().unwrap();
        assert_eq!(long.hex(), format!("{HEX}{HEX}"));
    }

    #[test]
    fn bytes_prove_themselves() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), empty);
        let long = Digest::of(Algorithm::Sha512, b"abc");
        assert!(long.hex().starts_with("ddaf35a193617abacc417349ae204131"));
        assert!(long.matches(b"abc") && !long.matches(b"abd"));
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        assert_eq!(HEX.parse::<Digest>(), Err(DigestError::NoAlgorithm));
        assert_eq!(format!("md5:{HEX}").parse::<Digest>(), Err(DigestError::UnknownAlgorithm));
        for bad in [&HEX[1..], &HEX.to_uppercase(), &format!("{HEX}0"), "", &format!("é{}", &HEX[2..])] {
            assert_eq!(format!("sha256:{bad}").parse::<Digest>(), Err(DigestError::BadEncoding), "{bad}");
        }
    }
}
