//! The files of a layout as they are written.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::LayoutError;
use crate::model::Digest;
use crate::registry::disk::{self, Read};

/// Largest `index.json`, in bytes: a hundred thousand descriptors.
const INDEX_LIMIT: u64 = 64 << 20;
/// Largest `oci-layout`, in bytes.
const MARKER_LIMIT: u64 = 4 << 10;

/// `index.json`, or any manifest or index, as far as it says what it lists and what it refers to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    #[serde(default)]
    pub(super) media_type: Option<String>,
    #[serde(default)]
    pub(super) artifact_type: Option<String>,
    #[serde(default)]
    pub(super) config: Option<Config>,
    #[serde(default)]
    pub(super) manifests: Option<Vec<Listed>>,
    #[serde(default)]
    pub(super) subject: Option<Subject>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

impl Wire {
    /// Reads a manifest or index; `None` where the bytes are no JSON object.
    ///
    /// One part that cannot be read hides no other: what refers to an image is found although it is malformed, and whoever opens it
    /// learns so; one child that cannot be read does not take the rest of its index along.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if let Ok(wire) = serde_json::from_slice(bytes) {
            return Some(wire);
        }
        let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
        let mut part = |name| object.remove(name).unwrap_or_default();
        let manifests = match part("manifests") {
            serde_json::Value::Array(children) => Some(children.into_iter().filter_map(parsed).collect()),
            _ => None,
        };
        Some(Self {
            media_type: parsed(part("mediaType")),
            artifact_type: parsed(part("artifactType")),
            config: parsed(part("config")),
            manifests,
            subject: parsed(part("subject")),
            annotations: parsed(part("annotations")),
        })
    }
}

fn parsed<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

/// The configuration of a manifest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    #[serde(default)]
    pub(super) media_type: Option<String>,
}

/// What a manifest refers to.
#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    pub(super) digest: Digest,
}

/// A descriptor in an index.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: Digest,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) artifact_type: Option<String>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) platform: Option<Platform>,
}

/// The platform of an image in an index.
#[derive(Debug, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    os: String,
}

impl Listed {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// Whether it is listed as the image of a platform: such a manifest refers to nothing. BuildKit lists attestations as `unknown`.
    pub(super) fn is_platform(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| !matches!(platform.os.as_str(), "" | "unknown"))
    }
}

/// Reads `oci-layout` and `index.json`.
pub(super) fn read_index(path: &Path) -> Result<Vec<Listed>, LayoutError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let malformed = |name| move |error: serde_json::Error| LayoutError::Malformed { path: path.into(), name, detail: error.to_string() };
    let marker = read(path, "oci-layout", MARKER_LIMIT)?;
    let marker: Marker = serde_json::from_slice(&marker).map_err(malformed("oci-layout"))?;
    if marker.image_layout_version != "1" && !marker.image_layout_version.starts_with("1.") {
        return Err(LayoutError::Version { path: path.into(), found: marker.image_layout_version });
    }
    let index = read(path, "index.json", INDEX_LIMIT)?;
    let index: Wire = serde_json::from_slice(&index).map_err(malformed("index.json"))?;
    index.manifests.ok_or_else(|| LayoutError::Malformed {
        path: path.into(),
        name: "index.json",
        detail: "it has no list of manifests".into(),
    })
}

fn read(root: &Path, name: &'static str, limit: u64) -> Result<Vec<u8>, LayoutError> {
    match disk::read_file(&root.join(name), limit) {
        Read::Bytes(bytes) => Ok(bytes),
        Read::Missing => {
            let detail = if root.is_file() {
                "it is a file, not a directory; unpack it first".to_owned()
            } else if root.is_dir() {
                format!("{name} is missing")
            } else {
                "there is no such directory".to_owned()
            };
            Err(LayoutError::NotALayout { path: root.into(), detail })
        }
        Read::TooLarge => Err(LayoutError::Malformed { path: root.into(), name, detail: format!("it is larger than {limit} bytes") }),
        Read::Unreadable(error) => Err(LayoutError::Unreadable { path: root.into(), name, error }),
    }
}
