//! Folds of the lists other than pods: controllers with their templates, and objects of which only the owner counts.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use crate::model::{NotJudged, ObjectKey};

use super::fold::{Marks, OwnerRef, PodFold};
use super::intern::Interner;
use super::kinds::{BuiltIn, CustomKind, Kind};
use super::not_judged::image_like;
use super::pages::{Fold, PageEnd};
use super::scope::Filter;
use super::slim::{Bare, List, Meta, Object, Pod, PodSpec, PodTemplate};
use super::template::{Template, entries};
use super::uid::Uid;

/// An object that makes pods, with the template of what it makes now.
#[derive(Debug, Clone)]
pub(super) struct Controller {
    pub(super) kind: Arc<Kind>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Uid,
    pub(super) owner: Option<Arc<OwnerRef>>,
    pub(super) marks: Marks,
    pub(super) template: Template,
    pub(super) suspended: bool,
}

/// An object of which only name and owner were read.
#[derive(Debug, Clone)]
pub(super) struct OwnedObject {
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) uid: Uid,
    pub(super) owner: Option<Arc<OwnerRef>>,
}

fn page_end<T>(list: &List<'_, T>) -> PageEnd {
    let next = list.metadata.next.as_deref().filter(|token| !token.is_empty()).map(str::to_owned);
    PageEnd { next, objects: list.items.len() as u64 }
}

/// Every object has a UID, and is told from others by it: two without one would be taken for one.
fn check_uid(metadata: &Meta<'_>) -> Result<(), serde_json::Error> {
    if metadata.uid().is_empty() {
        return Err(serde::de::Error::custom(format!("{}/{} has no UID", metadata.namespace(), metadata.name())));
    }
    Ok(())
}

/// Pods, restartable.
#[derive(Debug)]
pub(super) struct PodPages {
    pub(super) fold: PodFold,
    filter: Arc<Filter>,
    with_secrets: bool,
    interner: Interner,
}

impl PodPages {
    pub(super) fn new(filter: Arc<Filter>, with_secrets: bool, interner: Interner) -> Self {
        Self { fold: PodFold::new(Arc::clone(&filter), with_secrets, interner.clone()), filter, with_secrets, interner }
    }
}

impl Fold for PodPages {
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error> {
        let list: List<'_, Pod<'_>> = serde_json::from_slice(body)?;
        for pod in &list.items {
            self.fold.add(pod);
        }
        Ok(page_end(&list))
    }

    fn restart(&mut self) {
        self.fold = PodFold::new(Arc::clone(&self.filter), self.with_secrets, self.interner.clone());
    }
}

/// Controllers of one built-in kind.
#[derive(Debug)]
pub(super) struct ControllerPages {
    kind: Arc<Kind>,
    filter: Arc<Filter>,
    /// Only these UIDs; none: all.
    wanted: Option<Arc<HashSet<Uid>>>,
    interner: Interner,
    pub(super) controllers: Vec<Controller>,
}

impl ControllerPages {
    pub(super) fn new(kind: Kind, filter: Arc<Filter>, wanted: Option<Arc<HashSet<Uid>>>, interner: Interner) -> Self {
        Self { kind: Arc::new(kind), filter, wanted, interner, controllers: Vec::new() }
    }

    /// Keeps one object.
    pub(super) fn add(&mut self, object: &Object<'_>) {
        let meta = &object.metadata;
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&Uid::from(meta.uid())));
        if !is_wanted || !self.filter.has_namespace(meta.namespace()) {
            return;
        }
        let Some(spec) = object.spec.pod_spec() else { return };
        let controller = keep(&self.kind, meta, spec, object.spec.suspend == Some(true), &self.filter, &self.interner);
        self.controllers.push(controller);
    }
}

fn keep(kind: &Arc<Kind>, meta: &Meta<'_>, spec: &PodSpec<'_>, suspended: bool, filter: &Filter, interner: &Interner) -> Controller {
    Controller {
        kind: Arc::clone(kind),
        namespace: interner.share(meta.namespace()),
        name: interner.share(meta.name()),
        uid: meta.uid().into(),
        owner: meta.controller().map(|owner| Arc::new(OwnerRef::of(owner, interner))),
        marks: Marks::of(meta, filter, interner),
        template: Template::of(spec, interner),
        suspended,
    }
}

impl Fold for ControllerPages {
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error> {
        let list: List<'_, Object<'_>> = serde_json::from_slice(body)?;
        for object in &list.items {
            check_uid(&object.metadata)?;
            self.add(object);
        }
        Ok(page_end(&list))
    }

    fn restart(&mut self) {
        self.controllers.clear();
    }
}

/// Objects of one kind by their metadata.
#[derive(Debug)]
pub(super) struct OwnedPages {
    kind: &'static BuiltIn,
    filter: Arc<Filter>,
    interner: Interner,
    pub(super) objects: Vec<(&'static BuiltIn, OwnedObject)>,
}

impl OwnedPages {
    pub(super) fn new(kind: &'static BuiltIn, filter: Arc<Filter>, interner: Interner) -> Self {
        Self { kind, filter, interner, objects: Vec::new() }
    }
}

impl Fold for OwnedPages {
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error> {
        let list: List<'_, Bare<'_>> = serde_json::from_slice(body)?;
        for Bare { metadata } in &list.items {
            check_uid(metadata)?;
            if self.filter.has_namespace(metadata.namespace()) {
                let object = OwnedObject {
                    namespace: self.interner.share(metadata.namespace()),
                    name: self.interner.share(metadata.name()),
                    uid: metadata.uid().into(),
                    owner: metadata.controller().map(|owner| Arc::new(OwnerRef::of(owner, &self.interner))),
                };
                self.objects.push((self.kind, object));
            }
        }
        Ok(page_end(&list))
    }

    fn restart(&mut self) {
        self.objects.clear();
    }
}

/// Names of namespaces.
#[derive(Debug, Default)]
pub(super) struct NamePages(pub(super) Vec<String>);

impl Fold for NamePages {
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error> {
        let list: List<'_, Bare<'_>> = serde_json::from_slice(body)?;
        self.0.extend(list.items.iter().map(|object| object.metadata.name().to_owned()));
        Ok(page_end(&list))
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

/// Custom resources with a pod template.
#[derive(Debug)]
pub(super) struct CustomPages {
    custom: CustomKind,
    api_version: Arc<str>,
    filter: Arc<Filter>,
    interner: Interner,
    pub(super) controllers: Vec<Controller>,
    /// What looks like an image in objects that have no pod specification where one is said to be.
    pub(super) not_judged: Vec<NotJudged>,
}

impl CustomPages {
    pub(super) fn new(custom: CustomKind, api_version: &str, filter: Arc<Filter>, interner: Interner) -> Self {
        Self { custom, api_version: api_version.into(), filter, interner, controllers: Vec::new(), not_judged: Vec::new() }
    }

    fn name_images(&mut self, meta: &Meta<'_>, object: &Value) {
        let key = ObjectKey {
            api_version: (&self.api_version).into(),
            kind: self.custom.kind.as_str().into(),
            namespace: meta.namespace().into(),
            name: meta.name().into(),
        };
        let marks = Marks::of(meta, &self.filter, &self.interner);
        if self.filter.has_key(&key) && self.filter.has_marks(&key, &marks.labels, &marks.annotations) {
            self.not_judged.extend(image_like(&key, object));
        }
    }
}

impl Fold for CustomPages {
    fn page(&mut self, body: &[u8]) -> Result<PageEnd, serde_json::Error> {
        let list: List<'_, Value> = serde_json::from_slice(body)?;
        for object in &list.items {
            let Bare { metadata } = Bare::deserialize(object)?;
            check_uid(&metadata)?;
            if !self.filter.has_namespace(metadata.namespace()) {
                continue;
            }
            let Some((pod_spec, spec)) = custom_pod_spec(&self.custom, object)? else {
                self.name_images(&metadata, object);
                continue;
            };
            let kind =
                Kind { api_version: Arc::clone(&self.api_version), kind: self.custom.kind.as_str().into(), pod_spec: pod_spec.into() };
            let controller = keep(&Arc::new(kind), &metadata, &spec, false, &self.filter, &self.interner);
            self.controllers.push(controller);
        }
        Ok(page_end(&list))
    }

    fn restart(&mut self) {
        self.controllers.clear();
        self.not_judged.clear();
    }
}

/// The pod specification at a custom kind's path, with its own path: the path may lead to a template or to the specification itself.
/// None where nothing there names an image.
pub(super) fn custom_pod_spec<'a>(custom: &CustomKind, object: &'a Value) -> Result<Option<(String, PodSpec<'a>)>, serde_json::Error> {
    let Some(found) = custom.path.iter().try_fold(object, |value, part| value.get(part)) else { return Ok(None) };
    let path = custom.path.join(".");
    let (path, spec) = if found.get("containers").is_some() {
        (path, PodSpec::deserialize(found)?)
    } else {
        (format!("{path}.spec"), PodTemplate::deserialize(found)?.spec)
    };
    let names_images = entries(&spec).next().is_some();
    Ok(names_images.then_some((path, spec)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::inventory::kinds::BUILT_IN;
    use crate::model::Scope;

    fn page() -> Value {
        json!({
            "metadata": { "continue": "next" },
            "items": [{
                "metadata": {
                    "name": "web-1", "namespace": "prod", "uid": "u", "labels": { "controller-revision-hash": "x" },
                    "annotations": { "kubernetes.io/config.mirror": "h" },
                    "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "uid": "o", "controller": true }],
                },
                "spec": {
                    "containers": [{ "name": "app", "image": "nginx", "imagePullPolicy": "Always" }],
                    "initContainers": [], "ephemeralContainers": null,
                    "volumes": [{ "name": "v", "image": { "reference": "nginx", "pullPolicy": "Never" } }],
                    "imagePullSecrets": [{ "name": "s" }], "nodeName": "1",
                    "template": { "spec": { "containers": [{ "name": "app", "image": "nginx" }] } },
                },
                "status": {
                    "phase": "Running", "podIPs": [{ "ip": "10.0.0.1" }],
                    "containerStatuses": [{
                        "name": "app", "imageID": "nginx@sha256:x", "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } },
                        "lastState": {}, "restartCount": 1, "volumeMounts": [{ "name": "v", "volumeStatus": { "image": { "imageRef": "x" } } }],
                    }],
                },
            }],
        })
    }

    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| pointers(value, &format!("{at}/{}", name.replace('/', "~1")), found))
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found)),
            _ => {}
        }
    }

    fn junk() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(json!("sha256:é")),
            Just(json!("-")),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("(name|spec|containers|image|metadata|items)", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn fold_everywhere(body: &[u8]) {
        let filter = Arc::new(Filter::new(&Scope::default()).unwrap());
        let mut pods = PodPages::new(Arc::clone(&filter), true, Interner::default());
        let _ = pods.page(body);
        let _ = pods.fold.finish();
        let _ = ControllerPages::new(Kind::from(&BUILT_IN[1]), Arc::clone(&filter), None, Interner::default()).page(body);
        let _ = OwnedPages::new(&BUILT_IN[6], Arc::clone(&filter), Interner::default()).page(body);
        let _ = CustomPages::new("a.b/C: spec.template".parse().unwrap(), "a.b/v1", filter, Interner::default()).page(body);
    }

    proptest! {
        #[test]
        fn no_json_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), junk()), 1..4)) {
            let mut page = page();
            for (index, junk) in changes {
                let mut known = Vec::new();
                pointers(&page, "", &mut known);
                if let Some(value) = page.pointer_mut(index.get(known.as_slice()).as_str()) {
                    *value = junk;
                }
            }
            fold_everywhere(page.to_string().as_bytes());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            fold_everywhere(&bytes);
        }
    }

    #[test]
    fn the_page_of_the_property_test_is_read() {
        let filter = Arc::new(Filter::new(&Scope::default()).unwrap());
        let mut pods = PodPages::new(filter, true, Interner::default());
        let end = pods.page(page().to_string().as_bytes()).unwrap();
        assert_eq!(end, PageEnd { next: Some("next".to_owned()), objects: 1 });
        let folded = pods.fold.finish();
        assert_eq!((folded.pods, folded.groups.len(), folded.groups[0].seen.len(), folded.networks.addresses.len()), (1, 1, 2, 1));
    }
}
