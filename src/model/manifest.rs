//! OCI manifests and indexes, as far as an audit reads them.
//!
//! Source: OCI image specification 1.1, "Image Manifest" and "Image Index"; Docker's schema 2 types are the same shape.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::digest::Digest;

/// Media type of an OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of a Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of a Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Media type of an OCI artifact manifest: release candidates of OCI 1.1 had it, and tools of that time wrote signatures in it.
pub const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";

/// Whether the media type is one of an index or manifest list.
#[must_use]
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// A descriptor inside a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Media type.
    #[serde(default)]
    pub media_type: String,
    /// Digest.
    pub digest: Digest,
    /// Size in bytes.
    #[serde(default)]
    pub size: u64,
    /// Artifact type, in an index.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Annotations.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Link {
    /// An annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }
}

/// A manifest, or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// An image (or artifact) manifest.
    Image(Box<ImageManifest>),
    /// An index or manifest list.
    Index(ImageIndex),
    /// An artifact manifest.
    Artifact(Box<ArtifactManifest>),
}

/// An image (or artifact) manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    /// The configuration.
    pub config: Link,
    /// The layers.
    #[serde(default, deserialize_with = "or_empty")]
    pub layers: Vec<Link>,
    /// What it refers to.
    #[serde(default)]
    pub subject: Option<Link>,
    /// Its artifact type.
    #[serde(default)]
    pub artifact_type: Option<String>,
}

/// An artifact manifest: no configuration, and blobs instead of layers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactManifest {
    /// The blobs.
    #[serde(default, deserialize_with = "or_empty")]
    pub blobs: Vec<Link>,
    /// What it refers to.
    #[serde(default)]
    pub subject: Option<Link>,
    /// Its artifact type.
    #[serde(default)]
    pub artifact_type: Option<String>,
}

/// Go writes an empty list as `null` when it was never made.
fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Link>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An index or manifest list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex {
    /// What it lists.
    pub manifests: Vec<Link>,
}

impl ImageIndex {
    /// Whether it lists the digest.
    #[must_use]
    pub fn lists(&self, digest: &Digest) -> bool {
        self.manifests.iter().any(|link| link.digest == *digest)
    }
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON of the right shape.
    #[error("not a manifest: {0}")]
    Shape(String),
    /// The media type inside is that of an index, the fields are those of a manifest, or the other way round; or both at once.
    #[error("media type and content of the manifest contradict each other")]
    Confused,
}

impl Manifest {
    /// Reads a manifest or index; which of the two is decided by its fields, and its own media type must not contradict them.
    ///
    /// # Errors
    /// When the bytes are neither, or could be taken for both.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            #[serde(default)]
            media_type: Option<String>,
            #[serde(default)]
            config: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            layers: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            manifests: Option<serde::de::IgnoredAny>,
        }
        let shape_error = |error: serde_json::Error| ManifestError::Shape(error.to_string());
        let shape: Shape = serde_json::from_slice(bytes).map_err(shape_error)?;
        let has_image = shape.config.is_some() || shape.layers.is_some();
        let said_index = shape.media_type.as_deref().map(is_index);
        if shape.media_type.as_deref() == Some(OCI_ARTIFACT) && !has_image && shape.manifests.is_none() {
            return Ok(Self::Artifact(Box::new(serde_json::from_slice(bytes).map_err(shape_error)?)));
        }
        match (has_image, shape.manifests.is_some(), said_index) {
            (true, true, _) | (true, false, Some(true)) => Err(ManifestError::Confused),
            (false, true, Some(false)) => Err(ManifestError::Confused),
            (false, true, _) => Ok(Self::Index(serde_json::from_slice(bytes).map_err(shape_error)?)),
            (_, false, _) => Ok(Self::Image(Box::new(serde_json::from_slice(bytes).map_err(shape_error)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn fields_decide_and_media_types_may_not_contradict() {
        let link = format!(r#"{{"mediaType":"x","digest":"{A}","size":1}}"#);
        let image = format!(r#"{{"config":{link},"layers":[{link}]}}"#);
        let index = format!(r#"{{"mediaType":"{OCI_INDEX}","manifests":[{link}]}}"#);
        assert!(matches!(Manifest::parse(image.as_bytes()), Ok(Manifest::Image(_))));
        let Ok(Manifest::Index(parsed)) = Manifest::parse(index.as_bytes()) else { panic!("an index") };
        assert!(parsed.lists(&A.parse().unwrap()));
        for confused in [
            format!(r#"{{"mediaType":"{OCI_INDEX}","config":{link},"layers":[]}}"#),
            format!(r#"{{"mediaType":"{OCI_MANIFEST}","manifests":[{link}]}}"#),
            format!(r#"{{"config":{link},"layers":[],"manifests":[{link}]}}"#),
        ] {
            assert_eq!(Manifest::parse(confused.as_bytes()), Err(ManifestError::Confused), "{confused}");
        }
        for bad in ["", "[]", "{}", "null", r#"{"config":1}"#, r#"{"manifests":[{"digest":"x"}]}"#] {
            assert!(matches!(Manifest::parse(bad.as_bytes()), Err(ManifestError::Shape(_))), "{bad}");
        }
    }
}
