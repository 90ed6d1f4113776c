use super::*;
use crate::model::{Basis, DeclaredBecause, Origin};

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod, labels: {app: web}}
spec:
  template:
    spec:
      initContainers: [{name: init, image: ghcr.io/acme/init:1}]
      containers:
      - {name: app, image: ghcr.io/acme/web:1, imagePullPolicy: Always}
      volumes:
      - name: data
        emptyDir: {}
      - name: model
        image: {reference: ghcr.io/acme/model:1}
";

fn observed() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn stdin(text: &str) -> Result<Inventory, ManifestError> {
    stdin_with(text, &[])
}

fn stdin_with(text: &str, custom_kinds: &[CustomKind]) -> Result<Inventory, ManifestError> {
    read_from(&[ManifestSource::Stdin], &Scope::default(), custom_kinds, observed(), &mut text.as_bytes())
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.workloads.iter().map(|workload| workload.key.to_string()).collect()
}

fn paths(inventory: &Inventory) -> Vec<&str> {
    inventory.workloads.iter().flat_map(|workload| &workload.containers).map(|container| container.path.as_str()).collect()
}

#[test]
fn a_deployment_is_read_with_its_paths() {
    let inventory = stdin(DEPLOYMENT).unwrap();
    let [web] = inventory.workloads.as_slice() else { panic!("{inventory:#?}") };
    assert_eq!(web.origin, Origin::Manifest { file: "-".to_owned(), document: 0 });
    assert_eq!(web.labels.get("app"), Some("web"));
    assert_eq!(
        paths(&inventory),
        [
            "spec.template.spec.initContainers[0].image",
            "spec.template.spec.containers[0].image",
            "spec.template.spec.volumes[1].image.reference"
        ]
    );
    assert!(web.containers.iter().all(|container| container.images[0].basis == Basis::Declared(DeclaredBecause::Manifest)));
    assert_eq!(web.containers[2].images[0].reference, "ghcr.io/acme/model:1");
}

#[test]
fn every_kind_has_its_path() {
    let spec = "{containers: [{name: c, image: i}]}";
    for (api_version, kind, body, path) in [
        ("v1", "Pod", format!("spec: {spec}"), "spec.containers[0].image"),
        ("v1", "ReplicationController", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec.containers[0].image"),
        ("extensions/v1beta1", "DaemonSet", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec.containers[0].image"),
        ("apps/v1", "StatefulSet", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec.containers[0].image"),
        ("apps/v1", "ReplicaSet", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec.containers[0].image"),
        ("batch/v1", "Job", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec.containers[0].image"),
        (
            "batch/v1beta1",
            "CronJob",
            format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}"),
            "spec.jobTemplate.spec.template.spec.containers[0].image",
        ),
    ] {
        let inventory = stdin(&format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{generateName: x-}}\n{body}\n")).unwrap();
        assert_eq!((names(&inventory), paths(&inventory)), (vec![format!("{kind}/x-")], vec![path]));
    }
}

#[test]
fn documents_lists_and_json_are_read_alike() {
    let pod = |name: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"image":"i"}}]}}}}"#)
    };
    let untyped = r#"{"metadata":{"name":"d"},"spec":{"containers":[{"image":"i"}]}}"#;
    for text in [
        format!("# Source: chart\n---\n# nothing\n---\n{}\n---\n{}\n...\n", pod("a"), pod("b")),
        format!("%YAML 1.2\n---\n{}\n--- # next\n{}", pod("a"), pod("b")),
        format!("{}\n{}", pod("a"), pod("b")),
        format!("[{},{}]", pod("a"), pod("b")),
        format!(r#"{{"apiVersion":"v1","kind":"List","items":[{},{}]}}"#, pod("a"), pod("b")),
        format!("\u{feff}apiVersion: v1\r\nkind: List\r\nitems:\r\n- {}\r\n- {}\r\n", pod("a"), pod("b")),
    ] {
        let inventory = stdin(&text).unwrap();
        assert_eq!(names(&inventory), ["Pod/a", "Pod/b"], "{text}");
        assert!(inventory.gaps.is_empty(), "{text}: {:?}", inventory.gaps);
    }
    let inventory = stdin(&format!(r#"{{"apiVersion":"v1","kind":"PodList","items":[{untyped}]}}"#)).unwrap();
    assert_eq!(names(&inventory), ["Pod/d"]);
}

#[test]
fn a_broken_document_is_named_and_the_others_are_read() {
    let text = format!(
        "{DEPLOYMENT}---\nkind: Pod\n  bad: [\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: last}}\nspec: {{containers: [{{image: 7}}]}}\n---\nimage: {{{{ .Values.image }}}}\n"
    );
    let inventory = stdin(&text).unwrap();
    assert_eq!(names(&inventory), ["prod/Deployment/web"]);
    let gaps: Vec<(&str, &str)> = inventory.gaps.iter().map(|gap| (gap.what.as_str(), gap.detail.as_str())).collect();
    let [broken, typed, unrendered] = gaps.as_slice() else { panic!("{gaps:#?}") };
    assert!(broken.0.starts_with("-, document 2, line 1"), "{broken:?}");
    assert!(
        typed.0.starts_with("-, document 3, line 20") && typed.1.contains("Pod/last cannot be read") && typed.1.contains('7'),
        "{typed:?}"
    );
    assert!(unrendered.0.starts_with("-, document 4") && unrendered.1.contains("helm template"), "{unrendered:?}");
    assert!(inventory.gaps.iter().all(|gap| gap.workloads_missing && gap.cause == Cause::ListIncomplete));
}

#[test]
fn every_broken_object_of_a_list_is_named() {
    let text = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"image":1}]}},
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"},"spec":{"containers":[{"image":"i"}]}},
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"},"spec":{"containers":{}}},
        {"metadata":{"name":"d"}}]}"#;
    let inventory = stdin(text).unwrap();
    assert_eq!((names(&inventory), inventory.gaps.len()), (vec!["Pod/b".to_owned()], 3), "{:#?}", inventory.gaps);
}

#[test]
fn aliases_are_bounded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let previous = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(", ")));
    }
    let error = stdin(&bomb).unwrap_err();
    assert!(matches!(&error, ManifestError::NothingRead { count: 1, .. }), "{error}");
    let anchored =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - &c {name: one, image: i}\n  - {<<: *c, name: two}\n";
    assert_eq!(stdin(anchored).unwrap().workloads[0].containers[1].images[0].reference, "i");
}

#[test]
fn what_is_not_understood_is_named_and_secrets_are_not() {
    let text = "
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: p, namespace: m, annotations: {image: a}}
spec: {image: quay.io/prometheus:v3, sidecar: {baseImage: busybox}, notAnImage: 'not a reference', replicas: 2, thanos: {images: [x]}}
status: {image: old}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {image: hunter2}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: r}
spec: {template: {spec: {containers: [{name: c, image: ghcr.io/acme/r:1}]}}}
";
    let inventory = stdin(text).unwrap();
    let named: Vec<(String, &str, &str)> =
        inventory.not_judged.iter().map(|one| (one.key.to_string(), one.path.as_str(), one.value.as_str())).collect();
    assert_eq!(
        named,
        [
            ("Rollout/r".to_owned(), "spec.template.spec.containers[0].image", "ghcr.io/acme/r:1"),
            ("m/Prometheus/p".to_owned(), "spec.image", "quay.io/prometheus:v3"),
            ("m/Prometheus/p".to_owned(), "spec.sidecar.baseImage", "busybox"),
        ]
    );
    assert!(inventory.workloads.is_empty() && inventory.counts.objects == 3);
    let inventory = stdin_with(text, &["argoproj.io/Rollout: spec.template".parse().unwrap()]).unwrap();
    assert_eq!((names(&inventory), paths(&inventory)), (vec!["Rollout/r".to_owned()], vec!["spec.template.spec.containers[0].image"]));
}

#[test]
fn directories_are_read_below_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let pod = |name: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{image: i}}]}}\n");
    write("b.yaml", &pod("b"));
    write("a/deep/a.YML", &pod("a"));
    write("a/values.yaml", "image: {repository: x}\n");
    write("a/notes.txt", &pod("no"));
    write(".git/x.yaml", &pod("hidden"));
    write("broken.json", "{");
    std::os::unix::fs::symlink(directory.path(), directory.path().join("a/loop")).unwrap();
    let source = ManifestSource::Path(directory.path().to_owned());
    let inventory = read(&[source], &Scope::default(), &[], observed()).unwrap();
    assert_eq!(names(&inventory), ["Pod/a", "Pod/b"]);
    assert_eq!(inventory.gaps.len(), 1, "{:?}", inventory.gaps);
    assert!(inventory.gaps[0].what.contains("broken.json, document 1, line 1"));
}

#[test]
fn nothing_to_read_is_an_error() {
    assert!(matches!(stdin("# nothing\n---\n"), Err(ManifestError::Empty(_))));
    assert!(matches!(stdin("a: b\n"), Err(ManifestError::NothingRead { .. })));
    let missing = ManifestSource::Path("/no/such/file.yaml".into());
    let error = read(&[missing], &Scope::default(), &[], observed()).unwrap_err();
    assert!(error.to_string().starts_with("/no/such/file.yaml cannot be read"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let empty = ManifestSource::Path(directory.path().to_owned());
    assert!(matches!(read(&[empty], &Scope::default(), &[], observed()), Err(ManifestError::Empty(_))));
}

#[test]
fn the_scope_holds_for_manifests() {
    let scope = Scope { exclude_namespaces: vec!["prod".to_owned()], ..Scope::default() };
    let inventory = read_from(&[ManifestSource::Stdin], &scope, &[], observed(), &mut DEPLOYMENT.as_bytes()).unwrap();
    assert!(inventory.workloads.is_empty() && inventory.gaps.is_empty());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "([-a-z:{}\\[\\]&*!|> \"'\n%#.]{0,20}\n){0,12}") {
        let _ = stdin(&text);
    }
}

mod pinning;
mod positions;
