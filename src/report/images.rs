//! What runs and from where, without any control: `seaworthy images`.

mod csv;
mod json;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;

pub use self::json::schema;
use super::terminal::Appearance;
use crate::model::{Basis, ClusterIdentity, Container, ContainerImage, Gap, ImageReference, Inventory, ObjectKey, Pattern, RunningImage};

/// A format of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person.
    Table(Appearance),
    /// For programs, `seaworthy.dev/images/v1`.
    Json,
    /// For spreadsheets (RFC 4180); no cell can begin a formula.
    Csv,
}

/// Writes which images an inventory runs. Repositories that match one of the patterns are public, all others the organisation's own.
///
/// # Errors
/// Those of the writer.
pub fn render(inventory: &Inventory, public: &[Pattern], format: Format, out: &mut impl Write) -> io::Result<()> {
    let usage = Usage::of(inventory, public);
    match format {
        Format::Table(appearance) => table::render(&usage, appearance, out),
        Format::Json => json::render(&usage, out),
        Format::Csv => csv::render(&usage, out),
    }
}

/// Which image it is, as far as the specification and the runtime say. Malformed references come last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name<'a> {
    /// A reference that can be parsed.
    Parsed { registry: String, repository: String, tag: Option<String>, digest: ImageDigest<'a> },
    /// One that cannot, as it is written.
    Malformed(&'a str),
}

/// The digest of what runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum ImageDigest<'a> {
    /// A manifest's, as the runtime reports it.
    Running(String),
    /// As the runtime reports it, a manifest's or a configuration's.
    Unqualified(String),
    /// What the runtime reports is no digest.
    Unreadable(&'a str),
    /// Nothing is reported; the reference pins this one.
    Pinned(String),
    /// Nothing is reported.
    Unreported,
}

impl<'a> ImageDigest<'a> {
    fn of(image: &'a ContainerImage, reference: Option<&ImageReference>) -> Self {
        match (&image.running, reference.and_then(ImageReference::digest)) {
            (RunningImage::Manifest(digest), _) => Self::Running(digest.to_string()),
            (RunningImage::Unqualified(digest), _) => Self::Unqualified(digest.to_string()),
            (RunningImage::Unreadable(text), _) => Self::Unreadable(text),
            (RunningImage::Unreported, Some(digest)) => Self::Pinned(digest.to_string()),
            (RunningImage::Unreported, None) => Self::Unreported,
        }
    }

    /// The digest, where there is one.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Running(digest) | Self::Unqualified(digest) | Self::Pinned(digest) => Some(digest),
            Self::Unreadable(_) | Self::Unreported => None,
        }
    }

    /// What the digest is, in a word.
    fn state(&self) -> &'static str {
        match self {
            Self::Running(_) => "manifest",
            Self::Unqualified(_) => "unqualified",
            Self::Unreadable(_) => "unreadable",
            Self::Pinned(_) => "pinned",
            Self::Unreported => "unreported",
        }
    }
}

/// One image and who uses it.
#[derive(Debug)]
struct Row<'a> {
    name: Name<'a>,
    public: bool,
    running: bool,
    workloads: BTreeSet<&'a ObjectKey>,
}

/// One registry and its part.
#[derive(Debug, Default)]
struct Registry<'a> {
    images: usize,
    public_images: usize,
    workloads: BTreeSet<&'a ObjectKey>,
}

/// All images of an inventory.
#[derive(Debug)]
struct Usage<'a> {
    observed: Timestamp,
    cluster: Option<&'a ClusterIdentity>,
    rows: Vec<Row<'a>>,
    registries: BTreeMap<String, Registry<'a>>,
    workloads: usize,
    gaps: &'a [Gap],
}

impl<'a> Usage<'a> {
    fn of(inventory: &'a Inventory, public: &[Pattern]) -> Self {
        let mut rows: BTreeMap<Name<'a>, Row<'a>> = BTreeMap::new();
        for workload in &inventory.workloads {
            for image in workload.containers.iter().flat_map(|container: &Container| &container.images) {
                let parsed = image.reference.parse::<ImageReference>().ok();
                let name = match &parsed {
                    None => Name::Malformed(&image.reference),
                    Some(reference) => Name::Parsed {
                        registry: reference.repository().registry().to_owned(),
                        repository: reference.repository().path().to_owned(),
                        tag: reference.tag().or_else(|| reference.pulled_tag()).map(str::to_owned),
                        digest: ImageDigest::of(image, Some(reference)),
                    },
                };
                let row = rows.entry(name.clone()).or_insert_with(|| Row {
                    name,
                    public: parsed.as_ref().is_some_and(|reference| public.iter().any(|pattern| pattern.matches(reference.repository()))),
                    running: false,
                    workloads: BTreeSet::new(),
                });
                row.running |= image.basis == Basis::Running;
                row.workloads.insert(&workload.key);
            }
        }
        let rows: Vec<Row<'a>> = rows.into_values().collect();
        Self {
            observed: inventory.observed,
            cluster: inventory.cluster.as_ref(),
            registries: registries(&rows),
            rows,
            workloads: inventory.workloads.len(),
            gaps: &inventory.gaps,
        }
    }

    fn malformed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.name, Name::Malformed(_))).count()
    }

    /// Images whose registry is known.
    fn named(&self) -> usize {
        self.rows.len() - self.malformed()
    }

    fn public(&self) -> usize {
        self.rows.iter().filter(|row| row.public).count()
    }
}

fn registries<'a>(rows: &[Row<'a>]) -> BTreeMap<String, Registry<'a>> {
    let mut registries: BTreeMap<String, Registry<'a>> = BTreeMap::new();
    for row in rows {
        let Name::Parsed { registry, .. } = &row.name else { continue };
        let entry = registries.entry(registry.clone()).or_default();
        entry.images += 1;
        entry.public_images += usize::from(row.public);
        entry.workloads.extend(&row.workloads);
    }
    registries
}

/// A part of a whole in percent; nothing of nothing is nothing.
fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { number(part) / number(whole) * 100.0 }
}

impl Registry<'_> {
    /// Public, own, or both: a pattern can name a part of a registry.
    fn origin(&self) -> &'static str {
        match self.public_images {
            0 => "own",
            all if all == self.images => "public",
            _ => "public and own",
        }
    }
}
