//! The inventory of a live cluster, against a scripted API server.
mod owners;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use seaworthy::inventory::rbac::{self, RbacScope};
use seaworthy::inventory::{Cluster, ConnectOptions, InventoryError, InventoryOptions, Listing, Timeouts};
use seaworthy::model::{
    Basis, Cause, Container, ContainerKind, DeclaredBecause, DeclaredIn, Gap, Inventory, Origin, PullPolicy, RunningImage, ScanEvent,
    Scope, Workload,
};
use serde_json::{Value, json};

use crate::api_server::{ApiServer, Reply, Script};

const OLD: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const NEW: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn options() -> InventoryOptions {
    InventoryOptions {
        pull_secrets: true,
        custom_kinds: Vec::new(),
        observed: "2026-01-05T10:00:00Z".parse::<Timestamp>().unwrap(),
        page_size: 2,
    }
}

fn short() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(2),
        answer: Duration::from_millis(400),
        body: Duration::from_secs(2),
        credential: Duration::from_secs(2),
    }
}

async fn connect(server: &ApiServer) -> Result<Cluster, InventoryError> {
    let options = ConnectOptions { kubeconfig: Some(server.kubeconfig("secret-token")), context: None, timeouts: short() };
    Cluster::connect(&options).await
}

async fn listing_with(script: Script, scope: &Scope, options: &InventoryOptions) -> (Listing, ApiServer) {
    let server = script.start();
    let listing = connect(&server).await.unwrap().inventory(scope, options, &|_| ()).await.unwrap();
    (listing, server)
}

async fn inventory(objects: Vec<Value>) -> Inventory {
    listing_with(Script::with(objects), &Scope::default(), &options()).await.0.inventory
}

fn owner(api_version: &str, kind: &str, name: &str) -> Value {
    json!([{ "apiVersion": api_version, "kind": kind, "name": name, "uid": format!("uid-{}-{name}", kind.to_lowercase()), "controller": true }])
}

fn object(api_version: &str, kind: &str, name: &str, owners: Value, spec: Value) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {
            "name": name, "namespace": "prod", "uid": format!("uid-{}-{name}", kind.to_lowercase()),
            "labels": { "app": name }, "ownerReferences": owners, "annotations": null,
        },
        "spec": spec,
    })
}

fn template(containers: &[(&str, &str)]) -> Value {
    let containers: Vec<Value> =
        containers.iter().map(|(name, image)| json!({ "name": name, "image": image, "imagePullPolicy": "Always" })).collect();
    json!({ "spec": { "containers": containers } })
}

fn deployment(name: &str, containers: &[(&str, &str)]) -> Value {
    object("apps/v1", "Deployment", name, Value::Null, json!({ "replicas": 1, "template": template(containers) }))
}

fn replica_set(name: &str, owners: Value, containers: &[(&str, &str)]) -> Value {
    object("apps/v1", "ReplicaSet", name, owners, json!({ "template": template(containers) }))
}

/// A running pod whose containers are (name, image, image ID).
fn pod(name: &str, owners: Value, containers: &[(&str, &str, &str)]) -> Value {
    let specs: Vec<Value> =
        containers.iter().map(|(name, image, _)| json!({ "name": name, "image": image, "imagePullPolicy": "Always" })).collect();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|(name, image, id)| {
            json!({ "name": name, "image": image, "imageID": id, "restartCount": 0, "state": { "running": { "startedAt": "2026-01-04T10:00:00Z" } }, "lastState": {} })
        })
        .collect();
    let mut pod = object("v1", "Pod", name, owners, json!({ "containers": specs, "nodeName": "node1" }));
    pod["status"] = json!({ "phase": "Running", "containerStatuses": statuses });
    pod
}

fn workload<'a>(inventory: &'a Inventory, name: &str) -> &'a Workload {
    inventory.workloads.iter().find(|workload| workload.key.to_string() == name).unwrap_or_else(|| panic!("no {name} in {inventory:#?}"))
}

fn container<'a>(workload: &'a Workload, name: &str) -> &'a Container {
    workload.containers.iter().find(|container| container.name == name).unwrap_or_else(|| panic!("no {name} in {workload:#?}"))
}

fn manifest(digest: &str) -> RunningImage {
    RunningImage::Manifest(digest.parse().unwrap())
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.workloads.iter().map(|workload| workload.key.to_string()).collect()
}

fn gap<'a>(inventory: &'a Inventory, what: &str) -> &'a Gap {
    inventory.gaps.iter().find(|gap| gap.what.contains(what)).unwrap_or_else(|| panic!("no gap {what:?} in {:#?}", inventory.gaps))
}

#[tokio::test]
async fn a_rollout_shows_both_digests_and_no_old_revision() {
    let of = |name: &str| owner("apps/v1", "ReplicaSet", name);
    let inventory = inventory(vec![
        deployment("web", &[("app", "ghcr.io/acme/web:2")]),
        replica_set("web-0", owner("apps/v1", "Deployment", "web"), &[("app", "ghcr.io/acme/web:0")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "ghcr.io/acme/web:1")]),
        replica_set("web-2", owner("apps/v1", "Deployment", "web"), &[("app", "ghcr.io/acme/web:2")]),
        pod("web-1-a", of("web-1"), &[("app", "ghcr.io/acme/web:1", &format!("ghcr.io/acme/web@{OLD}"))]),
        pod("web-1-b", of("web-1"), &[("app", "ghcr.io/acme/web:1", &format!("ghcr.io/acme/web@{OLD}"))]),
        pod("web-2-a", of("web-2"), &[("app", "ghcr.io/acme/web:2", &format!("docker-pullable://mirror.local/web@{NEW}"))]),
    ])
    .await;
    assert_eq!(names(&inventory), ["prod/Deployment/web"]);
    let web = workload(&inventory, "prod/Deployment/web");
    assert_eq!((web.pods, web.origin.clone(), web.labels.get("app").unwrap()), (3, Origin::Cluster, "web"));
    let app = container(web, "app");
    assert_eq!((app.path.as_str(), app.declared_in), ("spec.template.spec.containers[0].image", DeclaredIn::Template));
    let [old, new] = app.images.as_slice() else { panic!("{app:#?}") };
    assert_eq!((&old.running, old.basis, old.pods.count), (&manifest(OLD), Basis::Running, 2));
    assert_eq!(old.pods.names, ["web-1-a", "web-1-b"]);
    assert_eq!((&new.running, new.reported_repository.as_deref()), (&manifest(NEW), Some("mirror.local/web")));
    assert_eq!(new.started.unwrap().to_string(), "2026-01-04T10:00:00Z");
    assert!(inventory.gaps.is_empty(), "{:#?}", inventory.gaps);
    assert_eq!((inventory.counts.pods, inventory.counts.namespaces), (3, 1));
}

#[tokio::test]
async fn an_injected_sidecar_is_told_from_an_old_template() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut debugged =
        pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web", &id), ("legacy", "legacy", &id), ("mesh", "mesh", &id)]);
    debugged["spec"]["ephemeralContainers"] = json!([{ "name": "debug", "image": "busybox" }]);
    let inventory = inventory(vec![
        deployment("web", &[("app", "web")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web"), ("legacy", "legacy")]),
        debugged,
    ])
    .await;
    let web = workload(&inventory, "prod/Deployment/web");
    let places: Vec<(&str, DeclaredIn, &str)> =
        web.containers.iter().map(|container| (container.name.as_str(), container.declared_in, container.path.as_str())).collect();
    assert_eq!(
        places,
        [
            ("app", DeclaredIn::Template, "spec.template.spec.containers[0].image"),
            ("legacy", DeclaredIn::Template, "spec.containers[1].image"),
            ("mesh", DeclaredIn::PodOnly, "spec.containers[2].image"),
            ("debug", DeclaredIn::PodOnly, "spec.ephemeralContainers[0].image"),
        ]
    );
    assert_eq!(container(web, "debug").images[0].basis, Basis::Declared(DeclaredBecause::NotStarted));
}

#[tokio::test]
async fn an_unreadable_revision_leaves_injection_unknown() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let script = Script::with([
        deployment("web", &[("app", "web")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web")]),
        pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web", &id), ("mesh", "mesh", &id)]),
    ])
    .fault("/apis/apps/v1/namespaces/prod/replicasets/web-1", 9, Reply::forbidden());
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    let web = workload(&listing.inventory, "prod/Deployment/web");
    assert_eq!(container(web, "app").declared_in, DeclaredIn::Template);
    assert_eq!(container(web, "mesh").declared_in, DeclaredIn::TemplateUnknown);
    let gap = gap(&listing.inventory, "ReplicaSet");
    assert_eq!((gap.cause, gap.workloads_missing), (Cause::Forbidden, false));
}

#[tokio::test]
async fn a_daemon_sets_old_revision_explains_its_pods() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut old =
        pod("agent-a", owner("apps/v1", "DaemonSet", "agent"), &[("app", "agent", &id), ("gone", "gone", &id), ("mesh", "mesh", &id)]);
    old["metadata"]["labels"]["controller-revision-hash"] = json!("5f");
    let mut revision = object("apps/v1", "ControllerRevision", "agent-5f", Value::Null, Value::Null);
    revision["data"] = json!({ "spec": { "template": template(&[("app", "agent"), ("gone", "gone")]) } });
    let inventory = inventory(vec![
        object("apps/v1", "DaemonSet", "agent", Value::Null, json!({ "template": template(&[("app", "agent")]) })),
        revision,
        old,
    ])
    .await;
    let agent = workload(&inventory, "prod/DaemonSet/agent");
    assert_eq!(container(agent, "gone").declared_in, DeclaredIn::Template);
    assert_eq!(container(agent, "mesh").declared_in, DeclaredIn::PodOnly);
}

#[tokio::test]
async fn mirror_pods_fold_without_their_node() {
    let node = |name: &str| owner("v1", "Node", name);
    let id = format!("registry.k8s.io/kube-apiserver@{OLD}");
    let mut first = pod("kube-apiserver-node1", node("node1"), &[("api", "registry.k8s.io/kube-apiserver:v1", &id)]);
    first["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "hash" });
    let mut second = pod("kube-apiserver-node2", node("node2"), &[("api", "registry.k8s.io/kube-apiserver:v1", &id)]);
    second["spec"]["nodeName"] = json!("node2");
    let inventory = inventory(vec![first, second]).await;
    assert_eq!(names(&inventory), ["prod/Pod/kube-apiserver"]);
    let api = workload(&inventory, "prod/Pod/kube-apiserver");
    assert_eq!((api.pods, api.containers[0].path.as_str(), api.key.api_version.as_str()), (2, "spec.containers[0].image", "v1"));
    assert_eq!(api.containers[0].declared_in, DeclaredIn::Template);
}

#[tokio::test]
async fn finished_suspended_and_never_started_have_their_basis() {
    let id = format!("ghcr.io/acme/job@{OLD}");
    let mut done = pod("nightly-1-a", owner("batch/v1", "Job", "nightly-1"), &[("job", "ghcr.io/acme/job:1", &id)]);
    done["status"]["phase"] = json!("Succeeded");
    done["status"]["containerStatuses"][0]["state"] = json!({ "terminated": { "startedAt": "2026-01-01T00:00:00Z", "exitCode": 0 } });
    let mut web = pod("web", Value::Null, &[("app", "web:1", &id), ("crash", "web:1", &id), ("wait", "web:1", "")]);
    web["spec"]["initContainers"] = json!([{ "name": "init", "image": "web:init" }]);
    web["status"]["initContainerStatuses"] = json!([{ "name": "init", "imageID": id, "state": { "terminated": { "startedAt": null } } }]);
    web["status"]["containerStatuses"][1]["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    web["status"]["containerStatuses"][1]["lastState"] = json!({ "terminated": { "startedAt": "2026-01-03T00:00:00Z" } });
    web["status"]["containerStatuses"][2]["state"] = json!({ "waiting": { "reason": "ImagePullBackOff" } });
    let mut evicted = pod("gone-1-a", owner("apps/v1", "ReplicaSet", "gone-1"), &[("app", "gone:1", "")]);
    evicted["status"] = json!({ "phase": "Failed", "reason": "Evicted" });
    let cron = json!({ "suspend": true, "jobTemplate": { "spec": { "template": template(&[("job", "ghcr.io/acme/job:2")]) } } });
    let inventory = inventory(vec![
        object(
            "batch/v1",
            "CronJob",
            "nightly",
            Value::Null,
            json!({ "jobTemplate": { "spec": { "template": template(&[("job", "ghcr.io/acme/job:1")]) } } }),
        ),
        object(
            "batch/v1",
            "Job",
            "nightly-1",
            owner("batch/v1", "CronJob", "nightly"),
            json!({ "template": template(&[("job", "ghcr.io/acme/job:1")]) }),
        ),
        object("batch/v1", "CronJob", "paused", Value::Null, cron),
        object("batch/v1", "Job", "once", Value::Null, json!({ "suspend": true, "template": template(&[("job", "once:1")]) })),
        deployment("zero", &[("app", "zero:1")]),
        replica_set("bare", Value::Null, &[("app", "bare:1")]),
        deployment("gone", &[("app", "gone:2")]),
        replica_set("gone-1", owner("apps/v1", "Deployment", "gone"), &[("app", "gone:1")]),
        evicted,
        done,
        web,
    ])
    .await;
    let basis = |workload_name: &str, name: &str| {
        let images = &container(workload(&inventory, workload_name), name).images;
        assert_eq!(images.len(), 1, "{images:#?}");
        images[0].basis
    };
    assert_eq!(basis("prod/CronJob/nightly", "job"), Basis::Finished);
    assert_eq!(basis("prod/CronJob/paused", "job"), Basis::Declared(DeclaredBecause::Suspended));
    assert_eq!(
        container(workload(&inventory, "prod/CronJob/paused"), "job").path,
        "spec.jobTemplate.spec.template.spec.containers[0].image"
    );
    assert_eq!(basis("prod/Job/once", "job"), Basis::Declared(DeclaredBecause::Suspended));
    assert_eq!(basis("prod/Deployment/zero", "app"), Basis::Declared(DeclaredBecause::NoPods));
    assert_eq!(basis("prod/ReplicaSet/bare", "app"), Basis::Declared(DeclaredBecause::NoPods));
    assert_eq!(basis("prod/Deployment/gone", "app"), Basis::Declared(DeclaredBecause::NoPods));
    assert_eq!(container(workload(&inventory, "prod/Deployment/gone"), "app").images[0].reference, "gone:2");
    assert_eq!(basis("prod/Pod/web", "app"), Basis::Running);
    assert_eq!(basis("prod/Pod/web", "crash"), Basis::Running);
    assert_eq!(basis("prod/Pod/web", "wait"), Basis::Declared(DeclaredBecause::NotStarted));
    assert_eq!(basis("prod/Pod/web", "init"), Basis::Finished);
    assert_eq!(container(workload(&inventory, "prod/Pod/web"), "init").kind, ContainerKind::Init);
    assert_eq!(workload(&inventory, "prod/Pod/web").containers[0].name, "init");
}

#[tokio::test]
async fn an_image_volume_has_the_reported_digest_or_none() {
    let id = format!("ghcr.io/acme/app@{OLD}");
    let volumes = json!([{ "name": "plain", "emptyDir": {} }, { "name": "model", "image": { "reference": "ghcr.io/acme/model:1", "pullPolicy": "IfNotPresent" } }]);
    let mut reported = pod("new", Value::Null, &[("app", "app", &id)]);
    reported["spec"]["volumes"] = volumes.clone();
    reported["status"]["containerStatuses"][0]["volumeMounts"] = json!([{ "name": "plain", "mountPath": "/x" }, { "name": "model", "mountPath": "/m", "volumeStatus": { "image": { "imageRef": format!("ghcr.io/acme/model@{NEW}") } } }]);
    let mut silent = pod("old", Value::Null, &[("app", "app", &id)]);
    silent["spec"]["volumes"] = volumes;
    let inventory = inventory(vec![reported, silent]).await;
    let model = |name: &str| container(workload(&inventory, name), "model").clone();
    let new = model("prod/Pod/new");
    assert_eq!((new.kind, new.path.as_str()), (ContainerKind::ImageVolume, "spec.volumes[1].image.reference"));
    assert_eq!((&new.images[0].running, new.images[0].basis), (&manifest(NEW), Basis::Running));
    let old = model("prod/Pod/old");
    assert_eq!((&old.images[0].running, old.images[0].basis), (&RunningImage::Unreported, Basis::Declared(DeclaredBecause::NotReported)));
}

#[tokio::test]
async fn custom_owners_are_followed_and_their_templates_compared() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let objects = vec![
        object("acme.io/v1", "Platform", "all", Value::Null, json!({})),
        object(
            "argoproj.io/v1alpha1",
            "Rollout",
            "web",
            owner("acme.io/v1", "Platform", "all"),
            json!({ "template": template(&[("app", "web:1"), ("extra", "extra:1")]) }),
        ),
        replica_set("web-1", owner("argoproj.io/v1alpha1", "Rollout", "web"), &[("app", "web:1")]),
        replica_set("web-0", owner("argoproj.io/v1alpha1", "Rollout", "web"), &[("app", "web:0")]),
        pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web:1", &id), ("mesh", "mesh:1", &id)]),
    ];
    let plain = inventory(objects.clone()).await;
    assert_eq!(names(&plain), ["prod/Platform/all"]);
    let all = workload(&plain, "prod/Platform/all");
    assert_eq!((all.key.api_version.as_str(), all.origin.clone(), all.labels.get("app").unwrap()), ("acme.io/v1", Origin::Cluster, "all"));
    assert_eq!(container(all, "app").declared_in, DeclaredIn::Template);
    assert_eq!(container(all, "mesh").declared_in, DeclaredIn::PodOnly);
    assert_eq!(all.containers.len(), 2);

    let custom = InventoryOptions {
        custom_kinds: vec!["argoproj.io/Rollout: spec.template".parse().unwrap(), "no.such/Kind: spec".parse().unwrap()],
        ..options()
    };
    let (listing, _server) = listing_with(Script::with(objects), &Scope::default(), &custom).await;
    let all = workload(&listing.inventory, "prod/Platform/all");
    assert_eq!(container(all, "extra").images[0].basis, Basis::Declared(DeclaredBecause::NoPods));
    assert_eq!(container(all, "extra").path, "spec.template.spec.containers[1].image");
    assert!(listing.inventory.gaps.is_empty(), "{:#?}", listing.inventory.gaps);
}

#[tokio::test]
async fn an_owner_that_may_not_be_read_is_named_and_marked() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let script = Script::with([
        object("acme.io/v1", "Database", "orders", Value::Null, json!({})),
        pod("orders-0", owner("acme.io/v1", "Database", "orders"), &[("db", "db:1", &id)]),
        pod("users-0", owner("acme.io/v1", "Database", "users"), &[("db", "db:1", &id)]),
    ])
    .fault("/apis/acme.io/v1/namespaces/prod/databases", 99, Reply::forbidden());
    let (listing, server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(names(&listing.inventory), ["prod/Database/orders", "prod/Database/users"]);
    let orders = workload(&listing.inventory, "prod/Database/orders");
    assert_eq!((orders.origin.clone(), container(orders, "db").declared_in), (Origin::OwnerReference, DeclaredIn::TemplateUnknown));
    let gap = gap(&listing.inventory, "Database");
    assert_eq!((gap.cause, gap.workloads_missing, gap.namespace.as_deref()), (Cause::Forbidden, false, Some("prod")));
    assert_eq!(server.requests().iter().filter(|request| request.contains("/databases/")).count(), 1, "a refusal is met once");
}

#[tokio::test]
async fn pull_secrets_are_got_by_name_and_never_listed() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut with_secret = pod("web", Value::Null, &[("app", "web:1", &id)]);
    with_secret["spec"]["imagePullSecrets"] = json!([{ "name": "regcred" }, { "name": "missing" }, {}]);
    let secret = |name: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "prod" }, "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": "eyJhdXRocyI6eyJnaGNyLmlvIjp7fX19" } });
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default", "namespace": "prod" }, "imagePullSecrets": [{ "name": "shared" }] });
    let script = || {
        Script::with([
            with_secret.clone(),
            deployment("zero", &[("app", "zero:1")]),
            secret("regcred"),
            secret("other"),
            secret("shared"),
            account.clone(),
        ])
        .fault("/api/v1/namespaces/prod/secrets/shared", 9, Reply::forbidden())
    };
    let (listing, server) = listing_with(script(), &Scope::default(), &options()).await;
    let secrets: Vec<(String, Result<&str, Cause>)> = listing
        .pull_secrets
        .iter()
        .map(|secret| (secret.name.to_string(), secret.config.as_ref().map(|config| config.expose()).map_err(|(cause, _)| *cause)))
        .collect();
    assert_eq!(
        secrets,
        [
            ("prod/missing".to_owned(), Ok("{\"auths\":{}}")),
            ("prod/regcred".to_owned(), Ok("{\"auths\":{\"ghcr.io\":{}}}")),
            ("prod/shared".to_owned(), Err(Cause::Forbidden)),
        ]
    );
    assert!(!gap(&listing.inventory, "prod/shared").workloads_missing);
    let zero = workload(&listing.inventory, "prod/Deployment/zero");
    assert_eq!(zero.containers[0].images[0].pull_secrets[0].to_string(), "prod/shared");
    let asked: Vec<String> = server.requests().into_iter().filter(|request| request.contains("secret")).collect();
    assert!(asked.iter().all(|request| request.starts_with("GET /api/v1/namespaces/prod/secrets/")), "{asked:?}");
    assert!(!asked.iter().any(|request| request.contains("other")));

    let (listing, server) = listing_with(script(), &Scope::default(), &InventoryOptions { pull_secrets: false, ..options() }).await;
    assert!(listing.pull_secrets.is_empty() && listing.inventory.gaps.is_empty());
    assert!(
        !server.requests().iter().any(|request| request.contains("secret") || request.contains("serviceaccount")),
        "{:?}",
        server.requests()
    );
}

fn many_pods() -> Vec<Value> {
    (0..5)
        .map(|number| pod(&format!("pod-{number}"), owner("apps/v1", "StatefulSet", "db"), &[("db", "db:1", &format!("db@{OLD}"))]))
        .collect()
}

fn gone(token: &str) -> Reply {
    Reply::Status(
        410,
        Vec::new(),
        json!({ "kind": "Status", "message": "the continue parameter is too old", "metadata": { "continue": token } }),
    )
}

#[tokio::test]
async fn a_list_that_expires_starts_again_and_counts_nothing_twice() {
    for (times, expected_restarts) in [(1, 1), (2, 2), (3, 2)] {
        let script = Script::with(many_pods()).fault("/api/v1/pods?limit=2&continue=4", times, gone("4"));
        let (listing, server) = listing_with(script, &Scope::default(), &options()).await;
        let db = workload(&listing.inventory, "prod/StatefulSet/db");
        // After two new beginnings the server's own token is taken; here it leads to where the list stood.
        let expected = if times == 3 { 4 } else { 5 };
        assert_eq!((db.pods, container(db, "db").images[0].pods.count), (expected, expected), "{times}");
        assert_eq!(listing.inventory.counts.objects, u64::from(expected), "{times}");
        let starts = server.requests().iter().filter(|request| request.as_str() == "GET /api/v1/pods?limit=2").count();
        assert_eq!(starts, expected_restarts + 1, "{:?}", server.requests());
    }
}

#[tokio::test]
async fn a_list_goes_on_with_the_inconsistent_token_at_last() {
    let script = Script::with(many_pods()).fault("/api/v1/pods?limit=2&continue=2", 3, gone("3"));
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(workload(&listing.inventory, "prod/StatefulSet/db").pods, 4, "two of the first page, two after the token");
    assert!(listing.inventory.gaps.is_empty());

    let script = Script::with(many_pods()).fault("/api/v1/pods?limit=2&continue=2", 99, Reply::refuse(410, "Expired", "too old"));
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(workload(&listing.inventory, "prod/StatefulSet/db").pods, 2, "what was read stays");
    let gap = gap(&listing.inventory, "pods in all namespaces");
    assert_eq!((gap.cause, gap.workloads_missing), (Cause::ListIncomplete, true));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_as_it_says() {
    let busy = Reply::Status(429, vec![("retry-after", "1".to_owned())], json!({ "message": "slow down" }));
    let script =
        Script::with(many_pods()).fault("/api/v1/pods", 1, busy.clone()).fault("/apis/apps/v1/deployments", 2, Reply::refuse(500, "", ""));
    let start = Instant::now();
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(listing.inventory.gaps.is_empty(), "{:#?}", listing.inventory.gaps);
    assert_eq!(workload(&listing.inventory, "prod/StatefulSet/db").pods, 5);
    assert_eq!(listing.traffic.repeated, 3);
    assert!(listing.traffic.waited >= Duration::from_secs(1) && listing.traffic.bytes > 1000 && listing.traffic.round_trip.is_some());
    assert_eq!(listing.clock.unwrap().server.to_string(), "2026-01-05T10:00:00Z");

    let too_long = Reply::Status(429, vec![("retry-after", "3600".to_owned())], json!({ "message": "slow down" }));
    let (listing, _server) =
        listing_with(Script::with(many_pods()).fault("/apis/batch/v1/cronjobs", 99, too_long), &Scope::default(), &options()).await;
    assert_eq!(gap(&listing.inventory, "cronjobs").cause, Cause::ListIncomplete);
    assert_eq!(workload(&listing.inventory, "prod/StatefulSet/db").pods, 5);
}

fn namespaced(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object
}

fn two_namespaces() -> Script {
    let id = format!("x@{OLD}");
    let namespace =
        |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "uid": format!("uid-{name}") } });
    Script::with([
        namespace("kube-system"),
        namespace("prod"),
        namespace("closed"),
        pod("web", Value::Null, &[("app", "web:1", &id)]),
        namespaced(pod("vault", Value::Null, &[("app", "vault:1", &id)]), "closed"),
    ])
}

#[tokio::test]
async fn a_forbidden_namespace_is_a_gap_and_the_rest_is_audited() {
    let script =
        two_namespaces().fault("/api/v1/pods", 9, Reply::forbidden()).fault("/api/v1/namespaces/closed/pods", 9, Reply::forbidden());
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(names(&listing.inventory), ["prod/Pod/web"]);
    let gap = gap(&listing.inventory, "pods in namespace closed");
    assert_eq!((gap.cause, gap.namespace.as_deref(), gap.workloads_missing), (Cause::ListIncomplete, Some("closed"), true));
    assert_eq!(listing.inventory.gaps.len(), 1);
    let cluster = listing.inventory.cluster.unwrap();
    assert_eq!((cluster.uid.as_deref(), cluster.user.as_deref()), (Some("uid-kube-system"), Some("auditor")));
    assert_eq!((cluster.server_version.as_deref(), cluster.context.as_deref()), (Some("v1.36.3"), Some("test")));
}

#[tokio::test]
async fn a_template_whose_pods_may_not_be_listed_is_not_said_to_have_none() {
    let script = two_namespaces()
        .and([deployment("idle", &[("app", "idle:1")]), namespaced(deployment("busy", &[("app", "busy:1")]), "closed")])
        .fault("/api/v1/pods", 9, Reply::forbidden())
        .fault("/api/v1/namespaces/closed/pods", 9, Reply::forbidden());
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    let basis = |name: &str| container(workload(&listing.inventory, name), "app").images[0].basis;
    assert_eq!(basis("closed/Deployment/busy"), Basis::Declared(DeclaredBecause::PodsNotListed));
    assert_eq!(basis("prod/Deployment/idle"), Basis::Declared(DeclaredBecause::NoPods));
}

#[tokio::test]
async fn a_chosen_namespace_is_no_gap_and_asks_nothing_beyond_it() {
    let scope = Scope { include_namespaces: vec!["prod".to_owned()], ..Scope::default() };
    let (listing, server) = listing_with(two_namespaces(), &scope, &options()).await;
    assert_eq!(names(&listing.inventory), ["prod/Pod/web"]);
    assert!(listing.inventory.gaps.is_empty());
    for request in server.requests() {
        let is_own = request.contains("/namespaces/prod/") || request.ends_with("/namespaces/kube-system");
        assert!(is_own || request == "GET /version" || request.ends_with("/selfsubjectreviews"), "{request}");
    }
    let scope = Scope { exclude_namespaces: vec!["closed".to_owned()], ..Scope::default() };
    let (listing, _server) = listing_with(two_namespaces(), &scope, &options()).await;
    assert_eq!(names(&listing.inventory), ["prod/Pod/web"]);
    assert!(listing.inventory.gaps.is_empty());
}

/// An operator, or an interface, lists in the background.
#[tokio::test]
async fn an_inventory_can_be_taken_on_another_thread() {
    let server = two_namespaces().start();
    let cluster = connect(&server).await.unwrap();
    let listed = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let seen = std::sync::Arc::clone(&listed);
    let task = tokio::spawn(async move {
        let on_event = move |event: ScanEvent| {
            if let ScanEvent::Listed { objects } = event {
                seen.store(objects, std::sync::atomic::Ordering::Relaxed);
            }
        };
        cluster.inventory(&Scope::default(), &options(), &on_event).await
    });
    assert_eq!(names(&task.await.unwrap().unwrap().inventory).len(), 2);
    assert_eq!(listed.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test]
async fn filters_choose_workloads() {
    let objects = || {
        Script::with([
            deployment("web", &[("app", "web:1")]),
            deployment("db", &[("app", "db:1")]),
            replica_set("web", Value::Null, &[("app", "x")]),
        ])
    };
    for (scope, expected) in [
        (Scope { workload: Some("Deployment/web".to_owned()), ..Scope::default() }, vec!["prod/Deployment/web"]),
        (Scope { label_selector: Some("app notin (web)".to_owned()), ..Scope::default() }, vec!["prod/Deployment/db"]),
        (Scope { exclude_kinds: vec!["Deployment".to_owned()], ..Scope::default() }, vec!["prod/ReplicaSet/web"]),
    ] {
        let (listing, _server) = listing_with(objects(), &scope, &options()).await;
        assert_eq!(names(&listing.inventory), expected);
        assert!(listing.inventory.gaps.is_empty());
    }
}

#[tokio::test]
async fn nothing_at_all_is_an_error() {
    let script = two_namespaces().fault("/api", 999, Reply::forbidden());
    let server = script.start();
    let error = connect(&server).await.unwrap().inventory(&Scope::default(), &options(), &|_| ()).await.unwrap_err();
    assert!(matches!(error, InventoryError::NothingListed { .. }), "{error}");
    assert!(!error.is_usage() && error.to_string().contains("--include-namespaces"), "{error}");
}

#[tokio::test]
async fn a_server_that_knows_no_pods_is_not_an_empty_cluster() {
    let missing = || Reply::refuse(404, "NotFound", "page not found");
    let server = two_namespaces().fault("/api", 999, missing()).start();
    let error = connect(&server).await.unwrap().inventory(&Scope::default(), &options(), &|_| ()).await.unwrap_err();
    assert!(matches!(error, InventoryError::NothingListed { .. }), "{error}");
    let (listing, _server) = listing_with(two_namespaces().fault("/api/v1/pods", 9, missing()), &Scope::default(), &options()).await;
    assert!(gap(&listing.inventory, "pods in all namespaces").workloads_missing);
}

#[tokio::test]
async fn a_silent_server_is_left_in_time() {
    let server = Script::default().fault("/", 99, Reply::Silence).start();
    let start = Instant::now();
    let error = connect(&server).await.unwrap_err();
    assert!(matches!(error, InventoryError::Unreachable { cause: Cause::Timeout, .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());

    let (listing, _server) =
        listing_with(two_namespaces().fault("/apis/apps/v1/daemonsets", 99, Reply::Silence), &Scope::default(), &options()).await;
    assert_eq!(names(&listing.inventory).len(), 2);
    assert!(gap(&listing.inventory, "daemonsets").detail.contains("no answer"));
}

#[tokio::test]
async fn an_expired_token_is_named_as_such() {
    let server = Script::default().token("fresh").start();
    // The claims are {"exp":1700000000}.
    let options =
        ConnectOptions { kubeconfig: Some(server.kubeconfig("e30.eyJleHAiOjE3MDAwMDAwMDB9.x")), context: None, timeouts: short() };
    let error = Cluster::connect(&options).await.unwrap_err();
    assert!(matches!(error, InventoryError::Unauthorized { .. }));
    assert!(error.to_string().contains("the token expired at 2023-11-14T22:13:20Z; log in again"), "{error}");
}

#[tokio::test]
async fn a_credential_plugin_is_run_and_bounded() {
    let server = Script::default().token("from-plugin").start();
    let connect_with = async |script: &str| {
        let exec =
            json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script], "interactiveMode": "Never" });
        let options = ConnectOptions {
            kubeconfig: Some(server.kubeconfig_of(&json!({ "exec": exec }))),
            context: None,
            timeouts: Timeouts { credential: Duration::from_millis(500), ..short() },
        };
        Cluster::connect(&options).await
    };
    let credential = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}'"#;
    assert_eq!(connect_with(credential).await.unwrap().context(), Some("test"));
    for (script, part) in [
        ("echo SECRET; echo no such account >&2; exit 3", "no such account"),
        ("echo SECRET: {", "cannot be read"),
        ("exec sleep 3", "did not end"),
        ("echo {}", "status"),
    ] {
        let error = connect_with(script).await.unwrap_err();
        assert!(matches!(error, InventoryError::Credential { .. }) && error.to_string().contains(part), "{script}: {error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
        assert!(error.to_string().ends_with("(plug-in: sh)"), "{error}");
    }
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plug-in", "interactiveMode": "Never",
        "installHint": "Get it\nfrom the shelf."
    });
    let kubeconfig = Some(server.kubeconfig_of(&json!({ "exec": exec })));
    let error = Cluster::connect(&ConnectOptions { kubeconfig, context: None, timeouts: short() }).await.unwrap_err().to_string();
    assert!(error.ends_with("(plug-in: no-such-plug-in); Get it from the shelf."), "{error}");
}

#[tokio::test]
async fn a_context_that_does_not_exist_is_answered_with_the_nearest() {
    let server = Script::default().start();
    let options = ConnectOptions { kubeconfig: Some(server.kubeconfig("t")), context: Some("tset".to_owned()), timeouts: short() };
    let error = Cluster::connect(&options).await.unwrap_err();
    assert!(error.is_usage());
    assert_eq!(error.to_string(), "context \"tset\" is not in the kubeconfig; did you mean \"test\"? It has: other, test");
    let options = ConnectOptions { kubeconfig: Some("/no/such/kubeconfig".into()), ..ConnectOptions::default() };
    let error = Cluster::connect(&options).await.unwrap_err();
    assert!(error.is_usage() && error.to_string().matches("/no/such/kubeconfig").count() == 1, "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Script::default().start();
    let path = server.kubeconfig("t");
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(&path, copy.path()).unwrap();
    drop(server);
    let options = ConnectOptions { kubeconfig: Some(copy.path().to_owned()), context: None, timeouts: short() };
    let error = Cluster::connect(&options).await.unwrap_err();
    assert!(matches!(error, InventoryError::Unreachable { cause: Cause::Connection, .. }), "{error}");
}

/// A cluster in which every kind of request is needed.
fn everything() -> Vec<Value> {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut agent = pod("agent-a", owner("apps/v1", "DaemonSet", "agent"), &[("app", "agent", &id), ("gone", "gone", &id)]);
    agent["metadata"]["labels"]["controller-revision-hash"] = json!("5f");
    let mut private = pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web", &id), ("mesh", "mesh", &id)]);
    private["spec"]["imagePullSecrets"] = json!([{ "name": "regcred" }]);
    vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "kube-system", "uid": "u" } }),
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": { "name": "kubernetes" }, "spec": { "cidrs": ["10.96.0.0/12"] } }),
        deployment("web", &[("app", "web")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web")]),
        object("apps/v1", "DaemonSet", "agent", Value::Null, json!({ "template": template(&[("app", "agent")]) })),
        object("batch/v1", "Job", "once", Value::Null, json!({ "template": template(&[("job", "once:1")]) })),
        deployment("zero", &[("app", "zero:1")]),
        agent,
        private,
    ]
}

/// What a request needs, `verb group/resource[/name]`.
fn need(request: &str) -> Option<String> {
    let path = request.strip_prefix("GET ")?.split('?').next()?;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    Some(match rest {
        ["namespaces", name] => format!("get {group}/namespaces/{name}"),
        ["namespaces", _, plural] | [plural] => format!("list {group}/{plural}"),
        ["namespaces", _, plural, _] => format!("get {group}/{plural}"),
        other => panic!("{other:?}"),
    })
}

fn granted(manifest: &str) -> std::collections::BTreeSet<String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let rules = documents.iter().filter_map(|document| document["rules"].as_array()).flatten();
    let mut granted = std::collections::BTreeSet::new();
    for rule in rules {
        let texts = |name: &str| -> Vec<String> {
            rule[name].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let names = texts("resourceNames");
        for (verb, resource) in
            texts("verbs").iter().flat_map(|verb| texts("resources").into_iter().map(move |resource| (verb.clone(), resource)))
        {
            let what = format!("{verb} {}/{resource}", rule["apiGroups"][0].as_str().unwrap());
            if names.is_empty() {
                granted.insert(what);
            } else {
                granted.extend(names.iter().map(|name| format!("{what}/{name}")));
            }
        }
    }
    granted
}

#[tokio::test]
async fn the_printed_rights_are_those_that_are_used() {
    let namespaces = Scope { include_namespaces: vec!["prod".to_owned()], ..Scope::default() };
    for (rights, scope, pull_secrets) in [
        (RbacScope::Cluster, Scope::default(), true),
        (RbacScope::NoSecrets, Scope::default(), false),
        (RbacScope::Namespaces(vec!["prod".to_owned()]), namespaces, true),
    ] {
        let granted = granted(&rbac::manifest(&rights).unwrap());
        let (listing, server) = listing_with(Script::with(everything()), &scope, &InventoryOptions { pull_secrets, ..options() }).await;
        assert!(listing.inventory.gaps.is_empty(), "{:#?}", listing.inventory.gaps);
        let used: std::collections::BTreeSet<String> = server.requests().iter().filter_map(|request| need(request)).collect();
        let asked: Vec<&String> = used.iter().filter(|need| !granted.contains(*need)).collect();
        assert!(asked.is_empty(), "{rights:?}: {asked:?}");
        // `get` of other controllers is for those made between two lists.
        let unused: Vec<&String> =
            granted.difference(&used).filter(|need| !need.starts_with("get apps/") && !need.starts_with("get batch/")).collect();
        assert!(unused.iter().all(|need| need.as_str() == "get /replicationcontrollers"), "{rights:?}: {unused:?}");
        if rights == RbacScope::Cluster {
            assert!(listing.networks.contains("10.96.0.1".parse().unwrap()));
            assert!(!listing.networks.contains("10.0.0.1".parse().unwrap()));
        }
    }
}

#[tokio::test]
async fn an_owner_made_between_two_lists_is_read_by_name() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let script = Script::with([
        deployment("web", &[("app", "web")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web")]),
        pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web", &id)]),
    ])
    .fault("/apis/apps/v1/deployments", 1, Reply::Status(200, Vec::new(), json!({ "metadata": {}, "items": null })))
    .fault("/apis/apps/v1/replicasets", 1, Reply::Status(200, Vec::new(), json!({ "metadata": {}, "items": null })));
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    let web = workload(&listing.inventory, "prod/Deployment/web");
    assert_eq!((web.origin.clone(), container(web, "app").declared_in), (Origin::Cluster, DeclaredIn::Template));
    assert!(listing.inventory.gaps.is_empty(), "{:#?}", listing.inventory.gaps);
}

#[tokio::test]
async fn the_clusters_address_ranges_are_known_from_its_own_pods_where_the_server_is_old() {
    let ranges = "/apis/networking.k8s.io/v1/servicecidrs";
    let old = || Reply::refuse(404, "NotFound", "the server could not find the requested resource");
    let control_plane = |namespace: &str, mirror: bool| {
        let mut pod = pod("kube-apiserver-node1", Value::Null, &[("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.30.0", OLD)]);
        pod["metadata"]["namespace"] = json!(namespace);
        if mirror {
            pod["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "x" });
        }
        pod["spec"]["containers"][0]["command"] =
            json!(["kube-apiserver", "--service-cluster-ip-range=10.96.0.0/12", null, 7, { "x": ["y"] }, true, -1, 0.5]);
        pod["spec"]["containers"][0]["args"] = json!(["--cluster-cidr=10.244.0.0/16"]);
        Script::with([pod])
    };
    let contains = |listing: &Listing, address: &str| listing.networks.contains(address.parse().unwrap());
    let whole = Scope::default();

    let (listing, _server) = listing_with(control_plane("kube-system", true).fault(ranges, 9, old()), &whole, &options()).await;
    assert!(contains(&listing, "10.96.0.10") && contains(&listing, "10.244.3.4") && !contains(&listing, "10.0.0.1"));
    assert!(listing.inventory.gaps.is_empty(), "{:#?}", listing.inventory.gaps);
    // The same refused is no gap either, for it is known from elsewhere.
    let forbidden = control_plane("kube-system", true).fault(ranges, 9, Reply::forbidden());
    assert!(listing_with(forbidden, &whole, &options()).await.0.inventory.gaps.is_empty());

    // Whoever may make a pod must not be believed.
    for (namespace, mirror) in [("prod", true), ("kube-system", false)] {
        let (listing, _server) = listing_with(control_plane(namespace, mirror).fault(ranges, 9, old()), &whole, &options()).await;
        assert!(!contains(&listing, "10.96.0.10") && !contains(&listing, "10.244.3.4"), "{namespace}");
        assert!(listing.inventory.gaps.is_empty(), "an old server has nothing that could not be read");
        let forbidden = control_plane(namespace, mirror).fault(ranges, 9, Reply::forbidden());
        let (listing, _server) = listing_with(forbidden, &whole, &options()).await;
        let gap = gap(&listing.inventory, "the address ranges of services");
        assert_eq!((gap.cause, gap.workloads_missing), (Cause::Forbidden, false));
    }
}

#[tokio::test]
async fn a_cycle_of_owners_ends() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let script = Script::with([
        object("acme.io/v1", "Ring", "a", owner("acme.io/v1", "Ring", "b"), json!({})),
        object("acme.io/v1", "Ring", "b", owner("acme.io/v1", "Ring", "a"), json!({})),
        pod("p", owner("acme.io/v1", "Ring", "a"), &[("app", "app", &id)]),
    ]);
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(names(&listing.inventory), ["prod/Ring/b"]);
}

#[tokio::test]
async fn many_injected_containers_are_explained_by_one_list() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut objects = Vec::new();
    for number in 0..20 {
        let (name, revision) = (format!("web{number}"), format!("web{number}-1"));
        objects.push(deployment(&name, &[("app", "web")]));
        objects.push(replica_set(&revision, owner("apps/v1", "Deployment", &name), &[("app", "web")]));
        objects.push(pod(
            &format!("{revision}-a"),
            owner("apps/v1", "ReplicaSet", &revision),
            &[("app", "web", &id), ("mesh", "mesh", &id)],
        ));
    }
    let (listing, server) = listing_with(Script::with(objects), &Scope::default(), &options()).await;
    assert_eq!(listing.inventory.workloads.len(), 20);
    for web in &listing.inventory.workloads {
        assert_eq!(container(web, "mesh").declared_in, DeclaredIn::PodOnly, "{web:#?}");
    }
    assert!(!server.requests().iter().any(|request| request.contains("/replicasets/")), "none was read by itself");
}

#[tokio::test]
async fn a_running_container_without_image_id_is_not_what_its_reference_leads_to() {
    let mut web = pod("web", Value::Null, &[("app", "web:1", ""), ("none", "web:1", "")]);
    web["status"]["containerStatuses"][1].as_object_mut().unwrap().remove("imageID");
    let inventory = inventory(vec![web]).await;
    for name in ["app", "none"] {
        let image = &container(workload(&inventory, "prod/Pod/web"), name).images[0];
        assert_eq!((&image.running, image.basis), (&RunningImage::Unreadable(String::new()), Basis::Running));
    }
}

/// A pod of a Job of the `CronJob` nightly, over, with the reference that it ran.
fn night(number: u32, reference: &str) -> [Value; 2] {
    let job = format!("nightly-{number}");
    let mut pod = pod(&format!("{job}-a"), owner("batch/v1", "Job", &job), &[("job", reference, &format!("ghcr.io/acme/job@{OLD}"))]);
    pod["status"]["phase"] = json!("Succeeded");
    pod["status"]["containerStatuses"][0]["state"] = json!({ "terminated": { "startedAt": "2026-01-01T00:00:00Z", "exitCode": 0 } });
    let made_of = object(
        "batch/v1",
        "Job",
        &job,
        owner("batch/v1", "CronJob", "nightly"),
        json!({ "template": template(&[("job", "ghcr.io/acme/job:1")]) }),
    );
    [made_of, pod]
}

fn nightly(reference: &str) -> Value {
    let spec = json!({ "jobTemplate": { "spec": { "template": template(&[("job", reference)]) } } });
    object("batch/v1", "CronJob", "nightly", Value::Null, spec)
}

#[tokio::test]
async fn what_ran_does_not_stand_for_what_will_run() {
    let seen = async |objects: Vec<Value>| {
        let inventory = inventory(objects).await;
        let images = container(workload(&inventory, "prod/CronJob/nightly"), "job").images.clone();
        images.into_iter().map(|image| (image.reference.to_string(), image.basis)).collect::<Vec<_>>()
    };
    let ran = |reference: &str| (reference.to_owned(), Basis::Finished);
    let next = |reference: &str| (reference.to_owned(), Basis::Declared(DeclaredBecause::NoPods));
    let [job, pod] = night(1, "ghcr.io/acme/job:1");
    assert_eq!(seen(vec![nightly("ghcr.io/acme/job:1"), job.clone(), pod.clone()]).await, [ran("ghcr.io/acme/job:1")]);
    let changed = seen(vec![nightly("ghcr.io/acme/job:2"), job.clone(), pod.clone()]).await;
    assert_eq!(changed, [ran("ghcr.io/acme/job:1"), next("ghcr.io/acme/job:2")]);
    // The template is the one that the pod was made of; on its way its reference was changed, as the next one's will be.
    let [job, rewritten] = night(1, "mirror.corp/acme/job:1");
    assert_eq!(seen(vec![nightly("ghcr.io/acme/job:1"), job, rewritten]).await, [ran("mirror.corp/acme/job:1")]);
    // An image volume whose digest nobody reports does not make a pod that is over alive.
    let [job, mut with_volume] = night(1, "ghcr.io/acme/job:1");
    with_volume["spec"]["volumes"] = json!([{ "name": "model", "image": { "reference": "ghcr.io/acme/model:1" } }]);
    let changed = seen(vec![nightly("ghcr.io/acme/job:2"), job, with_volume]).await;
    assert_eq!(changed, [ran("ghcr.io/acme/job:1"), next("ghcr.io/acme/job:2")]);
    // While something runs, that is what counts.
    let [job, mut running] = night(1, "ghcr.io/acme/job:1");
    running["status"]["phase"] = json!("Running");
    running["status"]["containerStatuses"][0]["state"] = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
    let now = seen(vec![nightly("ghcr.io/acme/job:2"), job, running]).await;
    assert_eq!(now, [("ghcr.io/acme/job:1".to_owned(), Basis::Running)]);
}

#[tokio::test]
async fn pods_of_which_only_some_were_listed_do_not_stand_for_the_others() {
    let set = object("apps/v1", "StatefulSet", "db", Value::Null, json!({ "template": template(&[("db", "db:1")]) }));
    let script =
        Script::with(many_pods().into_iter().chain([set])).fault("/api/v1/pods?limit=2&continue=2", 99, Reply::refuse(400, "", ""));
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    let bases: Vec<Basis> =
        container(workload(&listing.inventory, "prod/StatefulSet/db"), "db").images.iter().map(|image| image.basis).collect();
    assert_eq!(bases, [Basis::Running, Basis::Declared(DeclaredBecause::PodsNotListed)]);
}

#[tokio::test]
async fn a_list_that_is_none_is_a_gap() {
    let missing = || Reply::refuse(404, "NotFound", "page not found");
    for (path, what) in [
        ("/apis/batch/v1/cronjobs", "cronjobs in all namespaces"),
        ("/apis/apps/v1/deployments", "deployments in all namespaces"),
        ("/apis/apps/v1/replicasets", "replicasets in all namespaces"),
    ] {
        let (listing, _server) = listing_with(Script::with(many_pods()).fault(path, 99, missing()), &Scope::default(), &options()).await;
        assert!(gap(&listing.inventory, what).workloads_missing);
    }
    // In the middle of a list it is no answer at all.
    let script = Script::with((0..3).map(|number| deployment(&format!("web{number}"), &[("app", "web")])));
    let script = script.fault("/apis/apps/v1/deployments?limit=2&continue=2", 99, missing());
    let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
    assert_eq!(listing.inventory.workloads.len(), 2);
    assert!(gap(&listing.inventory, "deployments in all namespaces").workloads_missing);
    // Objects that cannot be told apart are not one.
    let nameless = |name: &str| {
        let mut deployment = deployment(name, &[("app", name)]);
        deployment["metadata"]["uid"] = Value::Null;
        deployment
    };
    let (listing, _server) = listing_with(Script::with([nameless("a"), nameless("b")]), &Scope::default(), &options()).await;
    assert!(gap(&listing.inventory, "deployments in all namespaces").workloads_missing);
    // Nor is an object without a list in it.
    for nothing in [json!({}), json!({ "kind": "Status", "status": "Success" })] {
        let script = Script::with(many_pods()).fault("/apis/apps/v1/deployments", 99, Reply::Status(200, Vec::new(), nothing));
        let (listing, _server) = listing_with(script, &Scope::default(), &options()).await;
        assert!(gap(&listing.inventory, "deployments in all namespaces").workloads_missing);
    }
}

#[tokio::test]
async fn a_custom_kind_whose_path_leads_nowhere_is_named_as_not_judged() {
    let rollout = |name: &str, spec: Value| object("argoproj.io/v1alpha1", "Rollout", name, Value::Null, spec);
    let objects = vec![
        rollout("reference", json!({ "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } })),
        rollout("web", json!({ "template": template(&[("app", "ghcr.io/acme/web:1")]) })),
    ];
    for path in ["spec.templates", "spec", "spec.template"] {
        let kind = format!("argoproj.io/Rollout: {path}").parse().unwrap();
        let options = InventoryOptions { custom_kinds: vec![kind], ..options() };
        let (listing, _server) = listing_with(Script::with(objects.clone()), &Scope::default(), &options).await;
        let named: Vec<String> = listing.inventory.not_judged.iter().map(|one| format!("{} {}", one.key, one.path)).collect();
        match path {
            "spec.template" => assert!(named.is_empty() && names(&listing.inventory) == ["prod/Rollout/web"], "{named:?}"),
            _ => assert_eq!(named, ["prod/Rollout/web spec.template.spec.containers[0].image"]),
        }
    }
}

#[tokio::test]
async fn an_owner_that_may_not_be_read_may_belong_to_what_is_asked_for() {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let script = || {
        Script::with([
            object("acme.io/v1", "Platform", "all", Value::Null, json!({})),
            object("acme.io/v1", "Database", "orders", owner("acme.io/v1", "Platform", "all"), json!({})),
            pod("orders-0", owner("acme.io/v1", "Database", "orders"), &[("db", "db:1", &id)]),
        ])
        .fault("/apis/acme.io/v1/namespaces/prod/databases", 99, Reply::forbidden())
    };
    let missing = async |scope: Scope| {
        let (listing, _server) = listing_with(script(), &scope, &options()).await;
        (names(&listing.inventory), listing.inventory.gaps.iter().any(|gap| gap.workloads_missing))
    };
    let kinds = |kinds: &[&str]| Scope { include_kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..Scope::default() };
    let one = |workload: &str| Scope { workload: Some(workload.to_owned()), ..Scope::default() };
    assert_eq!(missing(Scope::default()).await, (vec!["prod/Database/orders".to_owned()], false));
    assert_eq!(missing(kinds(&["database"])).await, (vec!["prod/Database/orders".to_owned()], false));
    assert_eq!(missing(kinds(&["Platform"])).await, (Vec::new(), true));
    assert_eq!(missing(one("Platform/all")).await, (Vec::new(), true));
    // What is built in and listed owns no custom resource.
    assert_eq!(missing(kinds(&["Deployment", "Pod"])).await, (Vec::new(), false));
    assert_eq!(missing(one("Deployment/web")).await, (Vec::new(), false));
    // What is left out by its kind is left out.
    assert_eq!(missing(Scope { exclude_kinds: vec!["Database".to_owned()], ..Scope::default() }).await, (Vec::new(), false));
}

#[tokio::test]
async fn each_image_of_a_rollout_keeps_its_own_pull_policy() {
    let of = |name: &str| owner("apps/v1", "ReplicaSet", name);
    let running = |name: &str, set: &str, reference: &str, policy: &str| {
        let mut pod = pod(name, of(set), &[("app", reference, &format!("ghcr.io/acme/web@{OLD}"))]);
        pod["spec"]["containers"][0]["imagePullPolicy"] = json!(policy);
        pod
    };
    let inventory = inventory(vec![
        deployment("web", &[("app", "web:2")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web")]),
        replica_set("web-2", owner("apps/v1", "Deployment", "web"), &[("app", "web:2")]),
        running("web-1-a", "web-1", "web", "Always"),
        running("web-2-a", "web-2", "web:2", "IfNotPresent"),
        // One of two pods that does not pull at each start is enough.
        running("web-2-b", "web-2", "web:2", "Always"),
    ])
    .await;
    let app = container(workload(&inventory, "prod/Deployment/web"), "app");
    let policies: Vec<_> = app.images.iter().map(|image| (image.reference.as_str(), image.pull_policy.or(app.pull_policy))).collect();
    assert_eq!(policies, [("web", Some(PullPolicy::Always)), ("web:2", Some(PullPolicy::IfNotPresent))]);
}

/// Everything that can be listed: each kind of owner and chain, old revisions, sidecars, finished and pending pods.
fn each_kind() -> Vec<Value> {
    let id = format!("ghcr.io/acme/x@{OLD}");
    let mut finished = pod("nightly-1-a", owner("batch/v1", "Job", "nightly-1"), &[("job", "ghcr.io/acme/job:1", &id)]);
    finished["status"]["phase"] = json!("Succeeded");
    finished["status"]["containerStatuses"][0]["state"] = json!({ "terminated": { "exitCode": 0 } });
    let mut agent = pod("agent-a", owner("apps/v1", "DaemonSet", "agent"), &[("app", "agent", &id), ("gone", "gone", &id)]);
    agent["metadata"]["labels"]["controller-revision-hash"] = json!("5f");
    let mut revision = object("apps/v1", "ControllerRevision", "agent-5f", Value::Null, Value::Null);
    revision["data"] = json!({ "spec": { "template": template(&[("app", "agent"), ("gone", "gone")]) } });
    let mut with_secret = pod("secretive", Value::Null, &[("app", "private", &id)]);
    with_secret["spec"]["imagePullSecrets"] = json!([{ "name": "regcred" }]);
    let [job, _] = night(1, "ghcr.io/acme/job:1");
    let namespace =
        |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "uid": format!("uid-{name}") } });
    vec![
        namespace("prod"),
        namespace("kube-system"),
        deployment("web", &[("app", "web:2")]),
        replica_set("web-1", owner("apps/v1", "Deployment", "web"), &[("app", "web:1"), ("legacy", "legacy")]),
        replica_set("web-2", owner("apps/v1", "Deployment", "web"), &[("app", "web:2")]),
        pod("web-1-a", owner("apps/v1", "ReplicaSet", "web-1"), &[("app", "web:1", &id), ("legacy", "legacy", &id)]),
        pod("web-2-a", owner("apps/v1", "ReplicaSet", "web-2"), &[("app", "web:2", &id), ("mesh", "mesh", &id)]),
        pod("web-2-b", owner("apps/v1", "ReplicaSet", "web-2"), &[("app", "web:2", &id)]),
        deployment("zero", &[("app", "zero:1")]),
        object("apps/v1", "DaemonSet", "agent", Value::Null, json!({ "template": template(&[("app", "agent")]) })),
        revision,
        agent,
        object("apps/v1", "StatefulSet", "db", Value::Null, json!({ "template": template(&[("db", "db:1")]) })),
        pod("db-0", owner("apps/v1", "StatefulSet", "db"), &[("db", "db:1", &id)]),
        object("v1", "ReplicationController", "old", Value::Null, json!({ "template": template(&[("app", "old:1")]) })),
        nightly("ghcr.io/acme/job:2"),
        job,
        finished,
        object("batch/v1", "Job", "once", Value::Null, json!({ "template": template(&[("job", "once:1")]) })),
        replica_set("bare", Value::Null, &[("app", "bare:1")]),
        object("acme.io/v1", "Platform", "all", Value::Null, json!({})),
        object(
            "argoproj.io/v1alpha1",
            "Rollout",
            "canary",
            owner("acme.io/v1", "Platform", "all"),
            json!({ "template": template(&[("app", "canary:2")]) }),
        ),
        replica_set("canary-1", owner("argoproj.io/v1alpha1", "Rollout", "canary"), &[("app", "canary:1")]),
        pod("canary-1-a", owner("apps/v1", "ReplicaSet", "canary-1"), &[("app", "canary:1", &id)]),
        object("acme.io/v1", "Database", "orders", Value::Null, json!({})),
        pod("orders-0", owner("acme.io/v1", "Database", "orders"), &[("db", "orders:1", &id)]),
        with_secret,
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "regcred", "namespace": "prod" }, "type": "kubernetes.io/dockerconfigjson", "data": { ".dockerconfigjson": "eyJhdXRocyI6e319" } }),
    ]
}

/// What is judged, without the workload that it is found under: an owner that cannot be read gives way to the one below it.
fn judged(inventory: &Inventory) -> std::collections::BTreeSet<String> {
    let containers = inventory.workloads.iter().flat_map(|workload| &workload.containers);
    containers
        .flat_map(|container| {
            container
                .images
                .iter()
                .map(|image| format!("{:?} {} {} {:?} {:?}", container.kind, container.name, image.reference, image.running, image.basis))
        })
        .collect()
}

/// Whatever single request fails, and however: what is not in the inventory then is a gap, and nothing that runs is said not to.
#[tokio::test]
async fn no_failure_hides_anything_in_silence() {
    let options = InventoryOptions { custom_kinds: vec!["argoproj.io/Rollout: spec.template".parse().unwrap()], page_size: 3, ..options() };
    let scopes = [
        Scope::default(),
        Scope { include_namespaces: vec!["prod".to_owned()], ..Scope::default() },
        Scope { include_kinds: vec!["Platform".to_owned(), "CronJob".to_owned()], ..Scope::default() },
        Scope { label_selector: Some("app in (web, all, nightly)".to_owned()), ..Scope::default() },
    ];
    for scope in scopes {
        let (whole, server) = listing_with(Script::with(each_kind()), &scope, &options).await;
        assert!(whole.inventory.gaps.iter().all(|gap| !gap.workloads_missing), "{:#?}", whole.inventory.gaps);
        let requests: std::collections::BTreeSet<String> =
            server.requests().iter().filter_map(|request| Some(request.strip_prefix("GET ")?.to_owned())).collect();
        for request in requests.iter().filter(|request| *request != "/version") {
            let mut replies = vec![
                Reply::forbidden(),
                Reply::refuse(400, "BadRequest", "no"),
                Reply::Status(200, Vec::new(), json!({})),
                Reply::Status(200, Vec::new(), json!([])),
            ];
            // One object that is not there any more was deleted meanwhile, and a group that is not there was never installed.
            if request.contains("?limit=") || request == "/apis/argoproj.io/v1alpha1" {
                replies.push(Reply::refuse(404, "NotFound", "not found"));
            }
            if scope != Scope::default() {
                replies.truncate(1);
            }
            let target = format!("{request}$");
            let script = replies.iter().fold(Script::with(each_kind()), |script, reply| script.fault(&target, 1, reply.clone()));
            let server = script.start();
            let cluster = connect(&server).await.unwrap();
            for number in 1..=replies.len() {
                let listing = cluster.inventory(&scope, &options, &|_| ()).await.unwrap();
                let is_gap = listing.inventory.gaps.iter().any(|gap| gap.workloads_missing);
                let (all, seen) = (judged(&whole.inventory), judged(&listing.inventory));
                let (lost, made_up): (Vec<_>, Vec<_>) = (all.difference(&seen).collect(), seen.difference(&all).collect());
                let settled = lost.is_empty() && made_up.is_empty();
                assert!(is_gap || settled, "{request}, reply {number}, {scope:?}: hides {lost:#?}, makes up {made_up:#?}");
            }
        }
    }
}
