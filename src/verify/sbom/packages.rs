//! Lists of packages, counted, and kept only where they are wanted.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::Package;

/// The packages of a document.
#[derive(Debug, Default)]
pub(super) struct Packages {
    pub(super) count: u32,
    /// None where they are only counted.
    pub(super) kept: Option<Vec<Package>>,
}

impl Packages {
    pub(super) fn new(wanted: bool) -> Self {
        Self { count: 0, kept: wanted.then(Vec::new) }
    }

    /// One more; what it is, is asked only where it is kept.
    pub(super) fn add(&mut self, package: impl FnOnce() -> Package) {
        self.count = self.count.saturating_add(1);
        if let Some(kept) = &mut self.kept {
            kept.push(package());
        }
    }
}

/// A package as a format writes it.
pub(super) trait Written: for<'de> Deserialize<'de> + Into<Package> {}

/// An array of packages that is added to those that are known.
pub(super) struct List<'p, W> {
    packages: &'p mut Packages,
    form: PhantomData<W>,
}

impl<'p, W> List<'p, W> {
    pub(super) fn into(packages: &'p mut Packages) -> Self {
        Self { packages, form: PhantomData }
    }
}

impl<'de, W: Written> DeserializeSeed<'de> for List<'_, W> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, W: Written> Visitor<'de> for List<'_, W> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of packages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.packages.kept.is_some() {
            while let Some(package) = list.next_element::<W>()? {
                self.packages.add(|| package.into());
            }
        } else {
            while list.next_element::<Object>()?.is_some() {
                self.packages.add(Package::default);
            }
        }
        Ok(())
    }
}

/// Any object, passed over.
pub(super) struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Over;
        impl<'de> Visitor<'de> for Over {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Object)
            }
        }
        deserializer.deserialize_map(Over)
    }
}

/// Refuses what was read already: of two values nobody can tell which is meant.
pub(super) fn once<E: Error>(known: bool, key: &str) -> Result<(), E> {
    if known { Err(E::custom(format_args!("the key {key:?} is there twice"))) } else { Ok(()) }
}
