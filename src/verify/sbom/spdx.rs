//! SPDX in JSON: documents of version 2, and the graph of version 3.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Unread, packages, short, time};
use crate::model::{Package, Sbom, SbomFormat};

/// Said instead of a value that is not known.
const NOT_SAID: &str = "NOASSERTION";

/// Who made a document, and when.
#[derive(Default, Deserialize)]
pub(super) struct CreationInfo {
    #[serde(default)]
    pub(super) created: Option<String>,
    #[serde(default)]
    creators: Vec<String>,
}

impl CreationInfo {
    pub(super) fn generator(&self) -> Option<String> {
        generator(self.creators.iter().map(String::as_str))
    }
}

/// The tools among those who made a document.
pub(super) fn generator<'a>(creators: impl Iterator<Item = &'a str>) -> Option<String> {
    let tools: Vec<_> = creators.filter_map(|creator| creator.trim().strip_prefix("Tool:").map(str::trim)).collect();
    (!tools.is_empty()).then(|| short(&tools.join(", ")))
}

/// A package of version 2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    name: String,
    #[serde(default)]
    version_info: Option<String>,
    #[serde(default)]
    supplier: Option<String>,
    #[serde(default)]
    license_concluded: Option<String>,
    #[serde(default)]
    license_declared: Option<String>,
    #[serde(default)]
    external_refs: Vec<ExternalRef>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

impl packages::Written for Written {}

impl From<Written> for Package {
    fn from(written: Written) -> Self {
        let purl = written.external_refs.into_iter().find(|reference| reference.reference_type == "purl");
        Self {
            name: written.name,
            version: said(written.version_info),
            purl: purl.map(|reference| reference.reference_locator).unwrap_or_default(),
            supplier: supplier(&said(written.supplier)).to_owned(),
            license: Some(said(written.license_concluded))
                .filter(|license| !license.is_empty())
                .unwrap_or_else(|| said(written.license_declared)),
        }
    }
}

fn said(value: Option<String>) -> String {
    value.filter(|value| value != NOT_SAID).unwrap_or_default()
}

/// A supplier's name, without what it is.
pub(super) fn supplier(text: &str) -> &str {
    if text == NOT_SAID {
        return "";
    }
    text.strip_prefix("Organization:").or_else(|| text.strip_prefix("Person:")).unwrap_or(text).trim()
}

/// What was read of version 3's graph. Suppliers and licences are relationships there, which are not followed: packages are counted, and
/// never kept.
#[derive(Default)]
pub(super) struct Graph {
    spec_version: Option<String>,
    created: Option<String>,
    tools: Vec<String>,
    packages: u32,
    is_document: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    spec_version: Option<String>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Graph;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a graph of elements")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Graph, A::Error> {
                let mut graph = Graph::default();
                while let Some(element) = elements.next_element::<Element>()? {
                    graph.take(element);
                }
                Ok(graph)
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

impl Graph {
    fn take(&mut self, element: Element) {
        match element.kind.as_str() {
            "CreationInfo" => {
                self.spec_version = self.spec_version.take().or(element.spec_version);
                self.created = self.created.take().or(element.created);
            }
            "Tool" if self.tools.len() < 8 => self.tools.extend(element.name),
            "software_Package" => self.packages = self.packages.saturating_add(1),
            "SpdxDocument" => self.is_document = true,
            _ => {}
        }
    }

    pub(super) fn into_sbom(self) -> Result<Sbom, Unread> {
        let version = self.spec_version.filter(|_| self.is_document);
        let version = version.ok_or_else(|| Unread::Malformed("its graph is no SPDX document".to_owned()))?;
        if !version.starts_with("3.0") {
            return Err(Unread::Unsupported(format!("SPDX {} is not supported; 2.2, 2.3 and 3.0 are", short(&version))));
        }
        Ok(Sbom {
            format: SbomFormat::Spdx,
            spec_version: format!("SPDX-{}", short(&version)),
            generator: (!self.tools.is_empty()).then(|| short(&self.tools.join(", "))),
            created: self.created.as_deref().and_then(time),
            package_count: self.packages,
            packages: None,
        })
    }
}
