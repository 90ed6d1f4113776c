//! CycloneDX in JSON.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::packages::{Packages, once};
use super::short;
use crate::model::Package;

/// When a document was made, and by what.
#[derive(Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) timestamp: Option<String>,
    #[serde(default)]
    tools: Option<Tools>,
}

impl Metadata {
    pub(super) fn generator(&self) -> Option<String> {
        let tools = &self.tools.as_ref().filter(|tools| !tools.0.is_empty())?.0;
        let told = tools.iter().map(|tool| match &tool.version {
            Some(version) => format!("{} {version}", tool.name),
            None => tool.name.clone(),
        });
        Some(short(&told.collect::<Vec<_>>().join(", ")))
    }
}

/// Tools: a list up to version 1.4, an object of components and services from 1.5 on.
#[derive(Default)]
struct Tools(Vec<Tool>);

#[derive(Deserialize)]
struct Tool {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: Option<String>,
}

impl<'de> Deserialize<'de> for Tools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherShape;
        impl<'de> Visitor<'de> for EitherShape {
            type Value = Tools;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("tools")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tools, A::Error> {
                let mut tools = Tools::default();
                while let Some(tool) = list.next_element()? {
                    tools.0.push(tool);
                }
                Ok(tools)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tools, A::Error> {
                let mut tools = Tools::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "components" | "services" => tools.0.extend(map.next_value::<Vec<Tool>>()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(tools)
            }
        }
        deserializer.deserialize_any(EitherShape)
    }
}

/// A list of components, which may hold others: all are counted, as deep as the parser goes (128 levels of JSON).
pub(super) struct Components<'p>(pub(super) &'p mut Packages);

impl<'de> DeserializeSeed<'de> for Components<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Components<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of components")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Component(self.0))?.is_some() {}
        Ok(())
    }
}

struct Component<'p>(&'p mut Packages);

impl<'de> DeserializeSeed<'de> for Component<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Component<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a component")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let wanted = self.0.kept.is_some();
        let mut written = Written::default();
        let mut nested = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "components" => {
                    once(std::mem::replace(&mut nested, true), &key)?;
                    map.next_value_seed(Components(self.0))?;
                }
                "name" if wanted => written.name = map.next_value()?,
                "version" if wanted => written.version = map.next_value()?,
                "purl" if wanted => written.purl = map.next_value()?,
                "publisher" if wanted => written.publisher = map.next_value()?,
                "supplier" if wanted => written.supplier = map.next_value()?,
                "licenses" if wanted => written.licenses = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.0.add(|| written.into());
        Ok(())
    }
}

#[derive(Default)]
struct Written {
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    publisher: Option<String>,
    supplier: Option<Supplier>,
    licenses: Option<Vec<LicenseChoice>>,
}

#[derive(Deserialize)]
struct Supplier {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct LicenseChoice {
    #[serde(default)]
    license: Option<License>,
    #[serde(default)]
    expression: Option<String>,
}

#[derive(Deserialize)]
struct License {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl From<Written> for Package {
    fn from(written: Written) -> Self {
        let license = |choice: LicenseChoice| {
            let named = choice.license.and_then(|license| license.id.or(license.name));
            choice.expression.or(named)
        };
        let licenses: Vec<_> = written.licenses.into_iter().flatten().filter_map(license).collect();
        Self {
            name: written.name.unwrap_or_default(),
            version: written.version.unwrap_or_default(),
            purl: written.purl.unwrap_or_default(),
            supplier: written.supplier.and_then(|supplier| supplier.name).or(written.publisher).unwrap_or_default(),
            license: licenses.join(", "),
        }
    }
}
