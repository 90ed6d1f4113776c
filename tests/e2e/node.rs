//! What a kubelet would do for the API server's eyes: binds each new pod to a node and reports what it runs.
//!
//! Digests are asked of the registry at that moment, with the node's own logins, as a runtime would that pulls. Annotations of a
//! pod say how its node differs from an ordinary one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::registries::Registry;

/// `docker`: image IDs begin with `docker-pullable://`. `platform`: the digest is that of the node's platform, not of the index.
/// `configuration`: the image ID is the bare digest of the configuration. Without: `repository@digest`, as it was asked for.
pub const RUNTIME: &str = "node.test/runtime";
/// `pending`: nothing is pulled. `unready`: runs and does not get ready, so that a roll-out waits.
pub const STATE: &str = "node.test/state";

/// The nodes: a `DaemonSet` has a pod on each.
pub const NODES: [&str; 2] = ["node-a", "node-b"];

const INTERVAL: Duration = Duration::from_millis(50);

/// Makes the nodes.
pub fn join(cluster: &Cluster) {
    for node in NODES {
        cluster.apply(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}}));
        // Admission says of a new node that it is not ready; a DaemonSet makes no pod for one that is not.
        cluster.merge(&format!("/api/v1/nodes/{node}"), &json!({"spec": {"taints": []}}));
    }
}

/// Runs the nodes in the background for as long as the tests.
pub fn run(cluster: Cluster, registries: BTreeMap<String, Registry>) {
    std::thread::Builder::new()
        .name("node".to_owned())
        .spawn(move || {
            let mut kubelet = Kubelet { cluster, registries, reported: BTreeSet::new() };
            loop {
                kubelet.look();
                std::thread::sleep(INTERVAL);
            }
        })
        .unwrap();
}

struct Kubelet {
    cluster: Cluster,
    registries: BTreeMap<String, Registry>,
    /// Pods by UID and number of ephemeral containers.
    reported: BTreeSet<(String, usize)>,
}

impl Kubelet {
    /// Looks at each pod once, and again when it is deleted or gets ephemeral containers.
    fn look(&mut self) {
        // While the servers start and end there is no list.
        let Some(pods) = self.cluster.find("/api/v1/pods") else { return };
        for pod in pods["items"].as_array().unwrap() {
            let path = format!("/api/v1/namespaces/{}/pods/{}", text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
            if pod["metadata"]["deletionTimestamp"].is_string() {
                self.cluster.attempt(Method::DELETE, &path, &json!({"gracePeriodSeconds": 0}));
                continue;
            }
            let version = (text(&pod["metadata"]["uid"]).to_owned(), list(&pod["spec"]["ephemeralContainers"]).len());
            if self.reported.contains(&version) {
                continue;
            }
            if pod["spec"]["nodeName"].is_null() {
                let binding = json!({"metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": node_for(pod)}});
                self.cluster.attempt(Method::POST, &format!("{path}/binding"), &binding);
            }
            // What fails is tried again with the next look.
            if self.cluster.attempt(Method::PATCH, &format!("{path}/status"), &json!({"status": self.status(pod)})) {
                self.reported.insert(version);
            }
        }
    }

    fn status(&self, pod: &Value) -> Value {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let state = text(&pod["metadata"]["annotations"][STATE]);
        let job = list(&pod["metadata"]["ownerReferences"]).iter().any(|owner| owner["kind"] == "Job");
        let running = json!({"running": {"startedAt": now}});
        let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}});
        let statuses = |field: &str| -> Vec<Value> {
            let containers = list(&pod["spec"][field]).iter();
            let over = |container: &Value| job || (field == "initContainers" && container["restartPolicy"] != "Always");
            containers.map(|container| self.container(pod, container, if over(container) { &ended } else { &running })).collect()
        };
        let (containers, init, ephemeral) = (statuses("containers"), statuses("initContainers"), statuses("ephemeralContainers"));
        let pulled = containers.iter().chain(&init).all(|status| !text(&status["imageID"]).is_empty());
        let phase = match (pulled, job) {
            (false, _) => "Pending",
            (true, true) => "Succeeded",
            (true, false) => "Running",
        };
        let ready = phase == "Running" && state != "unready";
        json!({
            "phase": phase, "startTime": now, "hostIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": now}],
            "containerStatuses": containers, "initContainerStatuses": init, "ephemeralContainerStatuses": ephemeral,
        })
    }

    /// The status of one container; it waits where its image cannot be had.
    fn container(&self, pod: &Value, container: &Value, state: &Value) -> Value {
        let image = text(&container["image"]);
        let pending = text(&pod["metadata"]["annotations"][STATE]) == "pending";
        let id = if pending { None } else { self.image_id(image, text(&pod["metadata"]["annotations"][RUNTIME])) };
        let volumes: BTreeMap<&str, &str> = list(&pod["spec"]["volumes"])
            .iter()
            .filter_map(|volume| Some((volume["name"].as_str()?, volume["image"]["reference"].as_str()?)))
            .collect();
        let mounts: Vec<_> = list(&container["volumeMounts"])
            .iter()
            .filter_map(|mount| {
                let id = self.image_id(volumes.get(mount["name"].as_str()?)?, "")?;
                Some(json!({
                    "name": mount["name"], "mountPath": mount["mountPath"], "volumeStatus": {"image": {"imageRef": id}},
                }))
            })
            .collect();
        let waiting = json!({"waiting": {"reason": if pending { "ContainerCreating" } else { "ImagePullBackOff" }}});
        let started = id.is_some();
        json!({
            "name": container["name"], "image": image, "imageID": id.unwrap_or_default(), "restartCount": 0,
            "ready": started && state["running"].is_object(), "state": if started { state } else { &waiting }, "volumeMounts": mounts,
        })
    }

    /// What the runtime would call an image that it pulls now; none where it cannot.
    fn image_id(&self, image: &str, runtime: &str) -> Option<String> {
        let (host, rest) = image.split_once('/')?;
        let registry = self.registries.get(host)?;
        let (repository, reference) = rest.split_once('@').or_else(|| rest.rsplit_once(':'))?;
        // `repository:tag@digest`: the digest counts.
        let repository = repository.split_once(':').map_or(repository, |(repository, _)| repository);
        let (digest, _) = registry.resolve(repository, reference)?;
        let digest = match runtime {
            "platform" => text(&list(&registry.manifest(repository, &digest)?["manifests"]).first()?["digest"]).to_owned(),
            "configuration" => return Some(text(&registry.manifest(repository, &digest)?["config"]["digest"]).to_owned()),
            _ => digest,
        };
        let scheme = if runtime == "docker" { "docker-pullable://" } else { "" };
        Some(format!("{scheme}{host}/{repository}@{digest}"))
    }
}

/// The node that a `DaemonSet` wants for its pod, else the first.
fn node_for(pod: &Value) -> &str {
    let terms = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
    terms[0]["matchFields"][0]["values"][0].as_str().unwrap_or(NODES[0])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
