//! The list for programs.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::{Name, Row, Usage, share};
use crate::model::Gap;

pub(super) fn render(usage: &Usage<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(usage)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    api_version: &'static str,
    kind: &'static str,
    as_of: Timestamp,
    cluster_uid: Option<&'a str>,
    totals: Totals,
    registries: Vec<Registry<'a>>,
    images: Vec<Image<'a>>,
    malformed: Vec<Malformed<'a>>,
    gaps: &'a [Gap],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    images: usize,
    public_images: usize,
    malformed_references: usize,
    workloads: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registry<'a> {
    registry: &'a str,
    images: usize,
    public_images: usize,
    workloads: usize,
    share_percent: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    registry: &'a str,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    digest_state: &'static str,
    running: bool,
    public: bool,
    workloads: Vec<String>,
}

#[derive(Serialize)]
struct Malformed<'a> {
    reference: &'a str,
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
