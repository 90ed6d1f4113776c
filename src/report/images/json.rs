//! The list for programs.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Name, Row, Usage, share};
use crate::model::Gap;

pub(super) fn render(usage: &Usage<'_>, out: &mut impl Write) -> io::Result<()> {
    super::super::indented::write(&Document::of(usage), out)
}

/// The JSON schema of the list.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("title".to_owned(), "Seaworthy images, version 1".into());
    schema.to_value()
}

/// What runs and from where.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// `seaworthy.dev/images/v1`.
    api_version: &'static str,
    /// `Images`.
    kind: &'static str,
    /// When the inventory was taken, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    as_of: Timestamp,
    /// The UID of the namespace `kube-system`, where it may be read.
    cluster_uid: Option<&'a str>,
    /// Numbers of the whole.
    totals: Totals,
    /// In the order of their names.
    registries: Vec<Registry<'a>>,
    /// In the order of registry, repository, tag and digest.
    images: Vec<Image<'a>>,
    /// References that cannot be parsed.
    malformed: Vec<Malformed<'a>>,
    /// What could not be listed.
    gaps: &'a [Gap],
}

/// Numbers of the whole.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Totals {
    /// Distinct images, malformed references left out.
    images: usize,
    /// Those of public registries.
    public_images: usize,
    /// References that cannot be parsed.
    malformed_references: usize,
    /// Workloads of the inventory.
    workloads: usize,
}

/// One registry.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Registry<'a> {
    /// Its host.
    registry: &'a str,
    /// Distinct images of it.
    images: usize,
    /// Those of them that are public.
    public_images: usize,
    /// Workloads with an image of it.
    workloads: usize,
    /// Its part of all images, 0 to 100.
    share_percent: f64,
}

/// One image.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    /// The host of the registry.
    registry: &'a str,
    /// The repository in it.
    repository: &'a str,
    /// The tag of the specification.
    tag: Option<&'a str>,
    /// What runs, or what the reference pins where nothing is reported.
    digest: Option<&'a str>,
    /// What the digest is: `manifest`, `unqualified` (a manifest's or a configuration's), `pinned`, `unreadable` or `unreported`.
    digest_state: &'static str,
    /// Whether a container runs it.
    running: bool,
    /// Whether its registry is a public one.
    public: bool,
    /// `namespace/Kind/name`, in order.
    workloads: Vec<String>,
}

/// A reference that cannot be parsed.
#[derive(Serialize, JsonSchema)]
struct Malformed<'a> {
    /// As it is written.
    reference: &'a str,
    /// `namespace/Kind/name`, in order.
    workloads: Vec<String>,
}

impl<'a> Document<'a> {
    fn of(usage: &'a Usage<'a>) -> Self {
        Self {
            api_version: "seaworthy.dev/images/v1",
            kind: "Images",
            as_of: usage.observed,
            cluster_uid: usage.cluster.and_then(|cluster| cluster.uid.as_deref()),
            totals: Totals {
                images: usage.named(),
                public_images: usage.public(),
                malformed_references: usage.malformed(),
                workloads: usage.workloads,
            },
            registries: usage
                .registries
                .iter()
                .map(|(registry, part)| Registry {
                    registry,
                    images: part.images,
                    public_images: part.public_images,
                    workloads: part.workloads.len(),
                    share_percent: share(part.images, usage.named()),
                })
                .collect(),
            images: usage.rows.iter().filter_map(image).collect(),
            malformed: usage.rows.iter().filter_map(malformed).collect(),
            gaps: usage.gaps,
        }
    }
}

fn image<'a>(row: &'a Row<'a>) -> Option<Image<'a>> {
    let Name::Parsed { registry, repository, tag, digest } = &row.name else { return None };
    Some(Image {
        registry,
        repository,
        tag: tag.as_deref(),
        digest: digest.text(),
        digest_state: digest.state(),
        running: row.running,
        public: row.public,
        workloads: row.workloads.iter().map(ToString::to_string).collect(),
    })
}

fn malformed<'a>(row: &'a Row<'a>) -> Option<Malformed<'a>> {
    let Name::Malformed(reference) = &row.name else { return None };
    Some(Malformed { reference, workloads: row.workloads.iter().map(ToString::to_string).collect() })
}
