//! Trust material: from what a policy names to bytes with their origin.
//!
//! A trust root that cannot be had is data, not an error: its content says why, a warning tells it, and whatever does not need it goes
//! on. TUF metadata is verified by `sigstore-tuf` ([The Update Framework](https://theupdateframework.github.io/specification/latest/)),
//! each time anew, also where it comes from the cache.

mod age;
mod certificates;
mod document;
mod embedded;
mod file;
mod kept;
mod keys;
mod need;
mod options;
mod pem;
mod repository;
mod roots;
#[cfg(test)]
mod tests;
mod tuf;

use std::path::Path;

pub use age::aged;
pub use certificates::{CertificateError, certificates};
pub use document::{RootError, check};
pub use embedded::embedded;
pub use keys::{KeyError, keys};
pub use options::{ProxySource, TrustOptions, default_cache};

use crate::documents::{Authority, Material, TrustPolicy};
use crate::model::{AuthorityMaterial, Cause, PolicyMaterial, UnknownAnswer, escape_control};

/// Name of the trust root that counts where a policy defines none and an authority with a key or certificate could use one.
pub const PUBLIC_GOOD: &str = "public-good";

/// Largest file of trust material that is read, in bytes.
const MATERIAL_LIMIT: u64 = 1 << 20;

/// What a policy vouches with, and what a person should know about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The material.
    pub material: PolicyMaterial,
    /// Warnings, sorted by what they are about.
    pub warnings: Vec<Warning>,
}

/// Something about trust material that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The trust root or authority, as the policy names it.
    pub about: About,
    /// What happened, to what, and what can be done. Safe to show.
    pub text: String,
}

/// What a warning is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A trust root by its name in the policy.
    Root(String),
    /// An authority by its name in the policy.
    Authority(String),
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match &self.about {
            About::Root(name) => ("trust root", name),
            About::Authority(name) => ("authority", name),
        };
        write!(formatter, "{kind} \"{}\": {}", escape_control(name), self.text)
    }
}

/// Loads what policies vouch with. A TUF repository that several of them name is asked once, also where it did not answer.
#[derive(Debug)]
pub struct Loader {
    options: TrustOptions,
    obtained: roots::AlreadyObtained,
}

impl Loader {
    /// One that has asked nothing yet.
    #[must_use]
    pub fn new(options: TrustOptions) -> Self {
        Self { options, obtained: roots::AlreadyObtained::default() }
    }

    /// Loads what a policy vouches with. Relative files are below `directory`, which is that of the policy's own file.
    ///
    /// Only trust roots that an authority can use are in the result, by their names in the policy; [`PUBLIC_GOOD`] where the policy defines
    /// none and an authority with a key or certificate can use one. Never fails: what cannot be loaded says so in its place.
    pub async fn load(&mut self, policy: &TrustPolicy, directory: &Path) -> Loaded {
        let (roots, mut warnings) = roots::load(policy, directory, &self.options, &mut self.obtained).await;
        let mut material = PolicyMaterial { roots, ..PolicyMaterial::default() };
        for (name, authority) in &policy.authorities {
            let found = vouching(authority, directory).unwrap_or_else(|text| {
                warnings.push(Warning { about: About::Authority(name.clone()), text: text.clone() });
                AuthorityMaterial::Unavailable(unavailable(&format!("authority {name:?}: {text}")))
            });
            material.authorities.insert(name.clone(), found);
        }
        warnings.sort();
        Loaded { material, warnings }
    }
}

fn vouching(authority: &Authority, directory: &Path) -> Result<AuthorityMaterial, String> {
    match (&authority.keyless, &authority.key, &authority.certificate) {
        (Some(_), None, None) => Ok(AuthorityMaterial::Keyless),
        (None, Some(key), None) => {
            let (bytes, place) = read(key, directory)?;
            keys(&bytes).map(AuthorityMaterial::Keys).map_err(|error| format!("{place}: {error}"))
        }
        (None, None, Some(own)) => {
            let (bytes, place) = read(&own.roots, directory)?;
            certificates(&bytes).map(AuthorityMaterial::Certificates).map_err(|error| format!("{place}: {error}"))
        }
        _ => Err("it must have exactly one of `keyless`, `key` and `certificate`".to_owned()),
    }
}

/// The bytes of some material, and what they are called before a person.
fn read(material: &Material, directory: &Path) -> Result<(Vec<u8>, String), String> {
    match material {
        Material::Data(text) if text.len() as u64 > MATERIAL_LIMIT => Err(file::too_large("`data`", MATERIAL_LIMIT)),
        Material::Data(text) => Ok((text.clone().into_bytes(), "`data`".to_owned())),
        Material::File(name) => {
            let path = directory.join(name);
            let bytes = file::read(&path, MATERIAL_LIMIT)?;
            Ok((bytes, file::shown(&path)))
        }
    }
}

fn unavailable(detail: &str) -> UnknownAnswer {
    UnknownAnswer { cause: Cause::TrustRootUnavailable, detail: escape_control(detail).into_owned() }
}
