//! A document in JSON of either format, read key by key in whatever order they come.

use std::fmt;

use jiff::Timestamp;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::packages::{List, Packages, once};
use super::{Unread, cyclonedx, short, spdx, time};
use crate::model::{Sbom, SbomFormat};

/// What was read of a document.
#[derive(Default)]
pub(super) struct Document<'a> {
    spdx_version: Option<String>,
    creation: Option<spdx::CreationInfo>,
    bom_format: Option<String>,
    spec_version: Option<String>,
    metadata: Option<cyclonedx::Metadata>,
    graph: Option<spdx::Graph>,
    packages: Packages,
    /// Cosign's wrapper: what is in it, as it is written.
    pub(super) data: Option<&'a str>,
    /// When cosign wrapped it.
    pub(super) wrapped_at: Option<Timestamp>,
}

impl<'a> Document<'a> {
    /// Reads an object; `packages` says whether its packages are kept.
    pub(super) fn read(text: &'a str, packages: bool) -> Result<Self, Unread> {
        if !text.trim_start().starts_with('{') {
            return Err(Unread::Malformed("it is no object".to_owned()));
        }
        let refused = |error: serde_json::Error| Unread::Malformed(error.to_string());
        let mut parser = serde_json::Deserializer::from_str(text);
        let document = Head { packages }.deserialize(&mut parser).map_err(refused)?;
        parser.end().map_err(refused)?;
        Ok(document)
    }

    /// Whether it says that it is a bill of materials.
    pub(super) fn is_bill(&self) -> bool {
        self.spdx_version.is_some() || self.bom_format.is_some() || self.graph.is_some()
    }

    /// The bill in it.
    pub(super) fn into_sbom(self) -> Result<Sbom, Unread> {
        let malformed = |text: &str| Err(Unread::Malformed(text.to_owned()));
        match (self.spdx_version, self.bom_format, self.graph) {
            (Some(version), None, None) => {
                if !version.starts_with("SPDX-2.") {
                    return Err(Unread::Unsupported(format!("{} is not supported; 2.2, 2.3 and 3.0 of SPDX are", short(&version))));
                }
                let creation = self.creation.unwrap_or_default();
                Ok(Sbom {
                    format: SbomFormat::Spdx,
                    spec_version: short(&version),
                    generator: creation.generator(),
                    created: creation.created.as_deref().and_then(time),
                    package_count: self.packages.count,
                    packages: self.packages.kept,
                })
            }
            (None, Some(format), None) => {
                if format != "CycloneDX" {
                    return Err(Unread::Malformed(format!("bomFormat {:?} is not known", short(&format))));
                }
                let Some(version) = self.spec_version else { return malformed("specVersion is missing") };
                if !version.starts_with("1.") {
                    return Err(Unread::Unsupported(format!("CycloneDX {} is not supported; 1.3 to 1.6 are", short(&version))));
                }
                let metadata = self.metadata.unwrap_or_default();
                Ok(Sbom {
                    format: SbomFormat::CycloneDx,
                    spec_version: short(&version),
                    generator: metadata.generator(),
                    created: metadata.timestamp.as_deref().and_then(time),
                    package_count: self.packages.count,
                    packages: self.packages.kept,
                })
            }
            (None, None, Some(graph)) => graph.into_sbom(),
            (None, None, None) => malformed("it has neither spdxVersion nor bomFormat"),
            _ => malformed("it says that it is of several formats"),
        }
    }
}

/// Reads the outermost object.
struct Head {
    packages: bool,
}

impl<'de> DeserializeSeed<'de> for Head {
    type Value = Document<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Head {
    type Value = Document<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a bill of materials")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'de>, A::Error> {
        let mut document = Document { packages: Packages::new(self.packages), ..Document::default() };
        let (mut listed, mut components) = (false, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "spdxVersion" => set(&mut document.spdx_version, &key, &mut map)?,
                "creationInfo" => set(&mut document.creation, &key, &mut map)?,
                "bomFormat" => set(&mut document.bom_format, &key, &mut map)?,
                "specVersion" => set(&mut document.spec_version, &key, &mut map)?,
                "metadata" => set(&mut document.metadata, &key, &mut map)?,
                "@graph" => set(&mut document.graph, &key, &mut map)?,
                "packages" => {
                    once(std::mem::replace(&mut listed, true), &key)?;
                    map.next_value_seed(List::<spdx::Written>::into(&mut document.packages))?;
                }
                "components" => {
                    once(std::mem::replace(&mut components, true), &key)?;
                    map.next_value_seed(cyclonedx::Components(&mut document.packages))?;
                }
                "Data" => {
                    once(document.data.is_some(), &key)?;
                    document.data = Some(map.next_value::<&RawValue>()?.get());
                }
                "Timestamp" => {
                    let written: &RawValue = map.next_value()?;
                    document.wrapped_at = serde_json::from_str::<String>(written.get()).ok().as_deref().and_then(time);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(document)
    }
}

/// The value of a key, which may be there once.
fn set<'de, T: serde::Deserialize<'de>, A: MapAccess<'de>>(slot: &mut Option<T>, key: &str, map: &mut A) -> Result<(), A::Error> {
    once(slot.is_some(), key)?;
    *slot = Some(map.next_value()?);
    Ok(())
}
