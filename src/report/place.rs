//! Where a finding stands, for consumers that want a file and a line.

use crate::model::{ContainerFinding, Origin, Report, ReportSource, SourcePosition, WorkloadRecord};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Path of the file, with `/`; relative unless an absolute one was given. Not escaped.
    pub(super) path: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column, from 1, in Unicode scalar values; none where only the file is known.
    pub(super) column: Option<u32>,
    /// Whether there is such a file; else the place is made up for what was read from a cluster or a registry.
    pub(super) exists: bool,
}

impl Place {
    /// The place of a container's image: its manifest, the template of that where it is known, or one that is made up.
    pub(super) fn of(report: &Report, workload: &WorkloadRecord, finding: &ContainerFinding) -> Self {
        match (finding.position.as_deref(), &workload.origin) {
            (Some(SourcePosition { rendered_from: Some(template), .. }), _) => Self::file(template),
            (Some(position), _) => Self::position(position),
            (None, _) => Self::of_workload(report, workload),
        }
    }

    /// The place of a workload as a whole.
    pub(super) fn of_workload(report: &Report, workload: &WorkloadRecord) -> Self {
        match &workload.origin {
            Origin::Manifest { file, .. } => Self::file(file),
            Origin::Cluster | Origin::OwnerReference => Self::made_up(object(report, workload)),
            Origin::Argument => Self::made_up(normal(&format!("images/{}", workload.key.name))),
        }
    }

    /// The place of what is about the cluster as a whole.
    pub(super) fn of_all(report: &Report) -> Self {
        let what = match report.header.source {
            ReportSource::Cluster => "cluster",
            ReportSource::Manifests => "manifests",
            ReportSource::Images => "images",
        };
        Self::made_up(format!("{what}/all.yaml"))
    }

    /// Where a container's image stands in what a renderer wrote, if [`Place::of`] is the template.
    pub(super) fn rendered(finding: &ContainerFinding) -> Option<Self> {
        finding.position.as_deref().filter(|position| position.rendered_from.is_some()).map(Self::position)
    }

    fn position(position: &SourcePosition) -> Self {
        Self { path: normal(&position.file), line: position.line.max(1), column: Some(position.column.max(1)), exists: true }
    }

    /// Where in a file is not known.
    fn file(path: &str) -> Self {
        Self { path: normal(path), line: 1, column: None, exists: true }
    }

    fn made_up(path: String) -> Self {
        Self { path, line: 1, column: None, exists: false }
    }

    /// The file as a URI reference (RFC 3986): a relative one, or `file:` for an absolute path.
    pub(super) fn uri(&self) -> String {
        let scheme = if self.is_absolute() { "file://" } else { "" };
        format!("{scheme}{}", encoded(&self.path))
    }

    /// Whether the path starts at the root of a file system.
    pub(super) fn is_absolute(&self) -> bool {
        self.path.starts_with('/')
    }
}

/// `cluster/<namespace>/<Kind>/<name>.yaml`; in a report of several clusters `cluster/<cluster>/…`. What has no namespace leaves it out.
fn object(report: &Report, workload: &WorkloadRecord) -> String {
    let key = &workload.key;
    let cluster = workload.cluster.as_deref().filter(|_| report.header.clusters.len() > 1).unwrap_or_default();
    let parts = [segment(cluster), segment(&key.namespace), segment(&key.kind)];
    let directories: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("cluster/{}/{}.yaml", directories.join("/"), segment(&key.name))
}

/// A name as one segment of a URI.
pub(super) fn uri_segment(name: &str) -> String {
    encoded(&segment(name))
}

/// All but slashes and the unreserved characters of RFC 3986 is percent-encoded.
fn encoded(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut uri, byte| {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
        uri
    })
}

/// A name as one segment of a path, whatever it holds.
fn segment(name: &str) -> String {
    if matches!(name, "." | "..") { name.replace('.', "%2E") } else { name.replace('%', "%25").replace('/', "%2F") }
}

/// A path without empty and dot segments; what leads out of where it starts is left out, since services refuse that.
fn normal(path: &str) -> String {
    if path == "-" {
        return "stdin.yaml".to_owned();
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            name => segments.push(name),
        }
    }
    if segments.is_empty() {
        return "unnamed.yaml".to_owned();
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(path: &str) -> String {
        Place::file(path).uri()
    }

    #[test]
    fn paths_are_uri_references_that_stay_where_they_start() {
        assert_eq!(uri("deploy/shop.yaml"), "deploy/shop.yaml");
        assert_eq!(uri("./deploy//a/../shop.yaml"), "deploy/shop.yaml");
        assert_eq!(uri("../../base/deployment.yaml"), "base/deployment.yaml");
        assert_eq!(uri("/srv/my files/ä.yaml"), "file:///srv/my%20files/%C3%A4.yaml");
        assert_eq!(uri("-"), "stdin.yaml");
        assert_eq!(uri("/"), "unnamed.yaml");
        assert_eq!(uri("https://evil.example/?a#b"), "https%3A/evil.example/%3Fa%23b");
        assert_eq!(uri("a%b\n\u{1b}[c]"), "a%25b%0A%1B%5Bc%5D");
    }

    #[test]
    fn a_name_is_one_segment() {
        for name in ["..", ".", "../../etc", "a/b", "%2F"] {
            assert!(!segment(name).contains('/') && !matches!(segment(name).as_str(), "." | ".."), "{name}");
        }
        assert_eq!((segment("a/b"), segment("a%2Fb")), ("a%2Fb".to_owned(), "a%252Fb".to_owned()), "two names are two places");
    }
}
