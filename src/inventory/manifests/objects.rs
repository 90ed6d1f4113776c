//! Documents into workloads.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::Value;

use crate::model::{
    Basis, Container, ContainerImage, ContainerKind, DeclaredBecause, DeclaredIn, Inventory, InventoryCounts, NotJudged, ObjectKey, Origin,
    PodSample, RunningImage, Scope, SharedText, SourcePosition, Workload, escape_control,
};

use super::Problem;
use super::located::{Located, Mark, Places};
use super::rendered::origin_annotation;
use crate::inventory::fold::Marks;
use crate::inventory::intern::Interner;
use crate::inventory::kinds::{BuiltIn, CustomKind};
use crate::inventory::not_judged::image_like;
use crate::inventory::objects::custom_pod_spec;
use crate::inventory::scope::Filter;
use crate::inventory::slim::{Bare, PodSpec};
use crate::inventory::template::{entries, image_path};

/// Lists inside lists.
const DEEPEST_LIST: usize = 4;
/// Kinds whose contents are data: a text in them is no image, and a secret's is not shown.
const DATA: [&str; 3] = ["ConfigMap", "Secret", "CustomResourceDefinition"];

/// Collects workloads out of documents.
pub(super) struct Objects<'a> {
    filter: &'a Filter,
    custom_kinds: &'a [CustomKind],
    interner: Interner,
    workloads: Vec<Workload>,
    not_judged: Vec<NotJudged>,
    namespaces: BTreeSet<SharedText>,
    objects: u64,
}

/// Where an object stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a SharedText,
    pub(super) document: u32,
    /// What the document was rendered from.
    pub(super) rendered_from: Option<&'a SharedText>,
}

impl Place<'_> {
    /// Where an image field stands, in an object that may itself say what it was rendered from.
    fn position(self, mark: Mark, rendered_from: Option<&SharedText>) -> SourcePosition {
        SourcePosition {
            file: self.file.clone(),
            line: mark.line,
            column: mark.column,
            rendered_from: rendered_from.or(self.rendered_from).cloned(),
        }
    }
}

/// An object, the places in it, and what it inherits of a list around it: version and kind.
#[derive(Clone, Copy)]
struct Node<'a> {
    object: &'a Value,
    places: &'a Places,
    inherited: (&'a str, &'a str),
}

impl<'a> Objects<'a> {
    pub(super) fn new(filter: &'a Filter, custom_kinds: &'a [CustomKind]) -> Self {
        Self {
            filter,
            custom_kinds,
            interner: Interner::default(),
            workloads: Vec::new(),
            not_judged: Vec::new(),
            namespaces: BTreeSet::new(),
            objects: 0,
        }
    }

    /// Kubernetes objects so far.
    pub(super) fn count(&self) -> u64 {
        self.objects
    }

    /// Adds a document, and returns what is wrong with it or with objects in it. What is no Kubernetes object is wrong in a file that
    /// the user named, but not in a directory, where charts and values lie beside manifests.
    pub(super) fn add(&mut self, document: &Located, place: Place<'_>, is_named: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let node = Node { object: &document.value, places: &document.places, inherited: ("", "") };
        match &document.value {
            Value::Null => {}
            Value::Array(items) => {
                for (index, object) in items.iter().enumerate() {
                    let node = Node { object, places: node.places.item(index), ..node };
                    self.add_object(node, place, is_named, 1, &mut problems);
                }
            }
            _ => self.add_object(node, place, is_named, 0, &mut problems),
        }
        problems
    }

    fn add_object(&mut self, node: Node<'_>, place: Place<'_>, is_named: bool, depth: usize, problems: &mut Vec<Problem>) {
        let Node { object, places, inherited } = node;
        let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let api_version = text("apiVersion").unwrap_or(inherited.0);
        let kind = text("kind").unwrap_or(inherited.1);
        if api_version.is_empty() || kind.is_empty() {
            tracing::debug!(file = place.file.as_str(), document = place.document, "no Kubernetes object");
            if is_named {
                problems.push(problem("no Kubernetes object: it has no apiVersion or no kind"));
            }
            return;
        }
        if let (Some(of), Some(Value::Array(items))) = (kind.strip_suffix("List"), object.get("items")) {
            if depth >= DEEPEST_LIST {
                problems.push(problem("lists are nested too deeply"));
                return;
            }
            // The items of a typed list (`PodList`) do not repeat their kind.
            let inherited = if of.is_empty() { ("", "") } else { (api_version, of) };
            let places = places.key("items");
            for (index, object) in items.iter().enumerate() {
                let node = Node { object, places: places.item(index), inherited };
                self.add_object(node, place, is_named, depth + 1, problems);
            }
            return;
        }
        self.objects += 1;
        problems.extend(self.add_one(Node { inherited: (api_version, kind), ..node }, place).err());
    }

    fn add_one(&mut self, node: Node<'_>, place: Place<'_>) -> Result<(), Problem> {
        let Node { object, inherited: (api_version, kind), .. } = node;
        let unreadable = |error: serde_json::Error| problem(&format!("{kind} cannot be read: {error}"));
        let Bare { metadata } = Bare::deserialize(object).map_err(unreadable)?;
        let name = metadata.name.as_deref().or(metadata.generate_name.as_deref()).unwrap_or_default();
        let key =
            ObjectKey { api_version: api_version.into(), kind: kind.into(), namespace: metadata.namespace().into(), name: name.into() };
        let marks = Marks::of(&metadata, self.filter, &self.interner);
        if !self.filter.has_key(&key) || !self.filter.has_marks(&key, &marks.labels, &marks.annotations) {
            return Ok(());
        }
        self.namespaces.insert(key.namespace.clone());
        let unreadable = |error: serde_json::Error| problem(&format!("{key} cannot be read: {error}"));
        match self.pod_spec(object, api_version, kind).map_err(unreadable)? {
            Some((path, spec)) => self.workloads.extend(workload(key, marks, (&path, &spec), node, place)),
            None if DATA.contains(&kind) => {}
            None => self.not_judged.extend(image_like(&key, object)),
        }
        Ok(())
    }

    fn pod_spec<'v>(&self, object: &'v Value, api_version: &str, kind: &str) -> Result<Option<(String, PodSpec<'v>)>, serde_json::Error> {
        // Where Deployments and others stood before apps/v1.
        let api_version = if api_version.starts_with("extensions/") { "apps/v1" } else { api_version };
        if let Some(built_in) = BuiltIn::find(api_version, kind) {
            let found = built_in.pod_spec.split('.').try_fold(object, |value, part| value.get(part));
            return found.map(|spec| Ok((built_in.pod_spec.to_owned(), PodSpec::deserialize(spec)?))).transpose();
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        match self.custom_kinds.iter().find(|custom| custom.group == group && custom.kind == kind) {
            Some(custom) => custom_pod_spec(custom, object),
            None => Ok(None),
        }
    }

    /// The inventory, sorted.
    pub(super) fn finish(self, scope: Scope, observed: Timestamp) -> Inventory {
        let Self { mut workloads, mut not_judged, namespaces, objects, .. } = self;
        workloads.sort_by(|left, right| (&left.key, &left.origin).cmp(&(&right.key, &right.origin)));
        not_judged.sort_unstable();
        let counts = InventoryCounts { pods: 0, objects, namespaces: namespaces.len() as u64 };
        Inventory { cluster: None, scope, observed, workloads, not_judged, gaps: Vec::new(), counts }
    }
}

fn problem(detail: &str) -> Problem {
    Problem { line: None, detail: escape_control(detail).into_owned() }
}

fn workload(key: ObjectKey, marks: Marks, (path, spec): (&str, &PodSpec<'_>), node: Node<'_>, place: Place<'_>) -> Option<Workload> {
    let rendered_from = origin_annotation(node.object);
    let containers: Vec<Container> = entries(spec)
        .map(|entry| (image_path(path, entry.kind, entry.index), entry))
        .map(|(path, entry)| Container {
            name: entry.name.into(),
            kind: entry.kind,
            position: node.places.at(&path).map(|mark| Box::new(place.position(mark, rendered_from.as_ref()))),
            path: path.into(),
            declared_in: if entry.kind == ContainerKind::Ephemeral { DeclaredIn::PodOnly } else { DeclaredIn::Template },
            pull_policy: entry.pull_policy,
            images: vec![ContainerImage {
                reference: entry.reference.into(),
                running: RunningImage::Unreported,
                basis: Basis::Declared(DeclaredBecause::Manifest),
                reported_repository: None,
                pull_secrets: Vec::new(),
                pull_policy: None,
                started: None,
                pods: PodSample::default(),
            }],
        })
        .collect();
    let Marks { labels, annotations } = marks;
    let origin = Origin::Manifest { file: place.file.to_string(), document: place.document };
    (!containers.is_empty()).then_some(Workload { key, labels, annotations, origin, containers, pods: 0 })
}
