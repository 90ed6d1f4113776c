//! SPDX's tag-value text (SPDX 2.3, clause 5): one `Tag: value` a line, a longer value between `<text>` and `</text>`.

use super::packages::Packages;
use super::{Unread, short, spdx, time};
use crate::model::{Package, Sbom, SbomFormat};

/// The tag that every document begins with, after comments.
const VERSION: &str = "SPDXVersion";

/// Whether a text is such a document.
pub(super) fn is_one(text: &str) -> bool {
    tags(text).next().is_some_and(|(tag, _)| tag == VERSION)
}

/// The tags of a text, without what stands inside longer values.
fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        if inside {
            inside = !line.contains("</text>");
            return None;
        }
        let (tag, value) = line.split_once(':').filter(|_| !line.starts_with('#'))?;
        inside = value.rfind("<text>").is_some_and(|at| !value[at..].contains("</text>"));
        Some((tag.trim(), value.trim()))
    })
}

/// Reads a document.
pub(super) fn read(text: &str, wanted: bool) -> Result<Sbom, Unread> {
    let mut version = None;
    let mut created = None;
    let mut creators = Vec::new();
    let mut packages = Packages::new(wanted);
    for (tag, value) in tags(text) {
        let kept = packages.kept.as_mut().and_then(|kept| kept.last_mut());
        match (tag, kept) {
            (VERSION, _) => version = Some(value),
            ("Created", _) => created = time(value),
            ("Creator", _) if creators.len() < 8 => creators.push(value),
            ("PackageName", _) => packages.add(|| Package { name: value.to_owned(), ..Package::default() }),
            ("PackageVersion", Some(package)) => value.clone_into(&mut package.version),
            ("PackageSupplier", Some(package)) => spdx::supplier(value).clone_into(&mut package.supplier),
            ("PackageLicenseConcluded", Some(package)) if value != "NOASSERTION" => value.clone_into(&mut package.license),
            ("PackageLicenseDeclared", Some(package)) if package.license.is_empty() && value != "NOASSERTION" => {
                value.clone_into(&mut package.license);
            }
            ("ExternalRef", Some(package)) if package.purl.is_empty() => {
                let mut words = value.split_whitespace().skip(1);
                if words.next() == Some("purl") {
                    words.next().unwrap_or_default().clone_into(&mut package.purl);
                }
            }
            _ => {}
        }
    }
    let version = version.unwrap_or_default();
    if !version.starts_with("SPDX-2.") {
        return Err(Unread::Unsupported(format!("{} as text is not supported; SPDX 2.2 and 2.3 are", short(version))));
    }
    Ok(Sbom {
        format: SbomFormat::Spdx,
        spec_version: short(version),
        generator: spdx::generator(creators.into_iter()),
        created,
        package_count: packages.count,
        packages: packages.kept,
    })
}
