//! A scripted API server: Deployments, their ReplicaSets and pods, in pages, made when they are asked for.

use std::ops::Range;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::content;
use super::server::{self, Answer, Asked};

const NAMESPACES: usize = 20;

/// `serve-api --pods N --images N --replicas N --registry HOST:PORT`
pub fn serve(options: &[&str]) {
    let cluster = Cluster::new(
        super::option(options, "--pods").unwrap(),
        super::option(options, "--images").unwrap(),
        super::option(options, "--replicas").unwrap(),
        &super::option::<String>(options, "--registry").unwrap(),
    );
    server::serve(Duration::ZERO, Box::new(move |asked| cluster.answer(asked)));
}

struct Cluster {
    pods: usize,
    /// Pods of one Deployment: all of them together name every image at least once.
    replicas: usize,
    /// Digests of the images.
    digests: Vec<String>,
    pod: Template,
    replica_set: Template,
    deployment: Template,
}

impl Cluster {
    fn new(pods: usize, images: usize, most_replicas: usize, registry: &str) -> Self {
        let replicas = (pods / images).clamp(1, most_replicas);
        Self {
            pods,
            replicas,
            digests: (0..images).map(|number| content::image(number).manifest.digest).collect(),
            pod: Template::new(&pod(registry)),
            replica_set: Template::new(&replica_set(registry, replicas)),
            deployment: Template::new(&deployment(registry, replicas)),
        }
    }

    fn deployments(&self) -> usize {
        self.pods.div_ceil(self.replicas)
    }

    fn answer(&self, asked: &Asked<'_>) -> Answer {
        if asked.method == Method::POST {
            return match asked.path {
                "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
                    let mut review = Answer::json(
                        r#"{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1","metadata":{},"status":{"userInfo":{"username":"bench","groups":["system:authenticated"]}}}"#,
                    );
                    review.status = StatusCode::CREATED;
                    review
                }
                _ => missing(),
            };
        }
        match asked.path {
            "/version" => Answer::json(r#"{"major":"1","minor":"36","gitVersion":"v1.36.3"}"#),
            "/api/v1/namespaces/kube-system" => Answer::json(
                r#"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"00000000-0000-4000-8000-00000000cafe"}}"#,
            ),
            "/api/v1/namespaces" => list("NamespaceList", "v1", asked, NAMESPACES, |number, out| {
                out.push_str(&json!({"metadata": {"name": namespace(number)}}).to_string())
            }),
            "/api/v1/pods" => self.list("Pod", "v1", asked, self.pods, &self.pod),
            "/apis/apps/v1/deployments" => self.list("Deployment", "apps/v1", asked, self.deployments(), &self.deployment),
            "/apis/apps/v1/replicasets" => self.list("ReplicaSet", "apps/v1", asked, self.deployments(), &self.replica_set),
            path => self.one(path).unwrap_or_else(|| match path.rsplit('/').next() {
                Some(kind @ ("replicationcontrollers" | "daemonsets" | "statefulsets" | "jobs" | "cronjobs" | "servicecidrs")) => {
                    let version =
                        path.trim_start_matches("/apis/").trim_start_matches("/api/").trim_end_matches(kind).trim_end_matches('/');
                    list("List", version, asked, 0, |_, _| ())
                }
                _ => missing(),
            }),
        }
    }

    /// One object by its name.
    fn one(&self, path: &str) -> Option<Answer> {
        let (before, name) = path.rsplit_once('/')?;
        let template = match before.rsplit('/').next()? {
            "deployments" => &self.deployment,
            "replicasets" => &self.replica_set,
            "serviceaccounts" => {
                return Some(Answer::json(json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": name}}).to_string()));
            }
            _ => return None,
        };
        let deployment = name.split('-').nth(1)?.parse().ok().filter(|number| *number < self.deployments())?;
        let mut out = String::new();
        self.fill(template, deployment, 0, template.object.clone(), &mut out);
        Some(Answer::json(out))
    }

    fn list(&self, kind: &str, version: &str, asked: &Asked<'_>, count: usize, template: &Template) -> Answer {
        let metadata_only = asked.accept.contains("as=PartialObjectMetadataList");
        let part = if metadata_only { template.metadata.clone() } else { template.object.clone() };
        let (kind, version) = if metadata_only { ("PartialObjectMetadata", "meta.k8s.io/v1") } else { (kind, version) };
        let is_pod = kind == "Pod";
        list(&format!("{kind}List"), version, asked, count, |number, out| {
            let deployment = if is_pod { number / self.replicas } else { number };
            self.fill(template, deployment, number, part.clone(), out);
        })
    }

    fn fill(&self, template: &Template, deployment: usize, number: usize, part: Range<usize>, out: &mut String) {
        use std::fmt::Write as _;
        let image = deployment % self.digests.len();
        for piece in &template.pieces[part] {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Number => write!(out, "{number:06}").unwrap(),
                Piece::Deployment => write!(out, "{deployment}").unwrap(),
                Piece::DeploymentHex => write!(out, "{deployment:012x}").unwrap(),
                Piece::Namespace => out.push_str(&namespace(deployment)),
                Piece::Repository => out.push_str(&content::repository(image)),
                Piece::Digest => out.push_str(&self.digests[image]),
            }
        }
    }
}

fn namespace(number: usize) -> String {
    format!("team-{:02}", number % NAMESPACES)
}

fn missing() -> Answer {
    Answer::not_found(
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"not found","reason":"NotFound","code":404}"#,
    )
}

/// One page of a list, from `continue` on.
fn list(kind: &str, version: &str, asked: &Asked<'_>, count: usize, mut item: impl FnMut(usize, &mut String)) -> Answer {
    let start: usize = asked.parameter("continue").and_then(|token| token.parse().ok()).unwrap_or(0);
    let limit: usize = asked.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let end = count.min(start.saturating_add(limit));
    let more = if end < count { format!(r#","continue":"{end}","remainingItemCount":{}"#, count - end) } else { String::new() };
    let mut out = format!(r#"{{"kind":"{kind}","apiVersion":"{version}","metadata":{{"resourceVersion":"1"{more}}},"items":["#);
    for number in start..end {
        if number > start {
            out.push(',');
        }
        item(number, &mut out);
    }
    out.push_str("]}");
    Answer::json(out)
}

/// The text of an object with holes, cut once so that a page costs little more than copying.
struct Template {
    pieces: Vec<Piece>,
    object: Range<usize>,
    metadata: Range<usize>,
}

enum Piece {
    Text(String),
    Number,
    Deployment,
    DeploymentHex,
    Namespace,
    Repository,
    Digest,
}

impl Template {
    fn new(object: &Value) -> Self {
        let mut pieces = cut(&object.to_string());
        let metadata = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]});
        let whole = pieces.len();
        pieces.extend(cut(&metadata.to_string()));
        Self { object: 0..whole, metadata: whole..pieces.len(), pieces }
    }
}

fn cut(text: &str) -> Vec<Piece> {
    let piece = |(position, part): (usize, &str)| match (position % 2, part) {
        (0, text) => Piece::Text(text.to_owned()),
        (_, "number") => Piece::Number,
        (_, "deployment") => Piece::Deployment,
        (_, "hex") => Piece::DeploymentHex,
        (_, "namespace") => Piece::Namespace,
        (_, "repository") => Piece::Repository,
        (_, "digest") => Piece::Digest,
        (_, other) => panic!("no hole is called {other}"),
    };
    text.split('%').enumerate().map(piece).collect()
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true}])
}

/// A pod's specification, of the length that a common one has.
fn specification(registry: &str) -> Value {
    json!({
        "containers": [{
            "name": "app", "image": format!("{registry}/%repository%:v1"), "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=:8080", "--log-format=json", "--shutdown-grace=20s"],
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}},
                {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}
            ],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3},
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 5, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}]
        }],
        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
        "serviceAccountName": "default", "serviceAccount": "default", "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "config", "configMap": {"name": "app-%deployment%", "defaultMode": 420}}, {"name": "tmp", "emptyDir": {}}]
    })
}

fn labels() -> Value {
    json!({"app.kubernetes.io/name": "app-%deployment%", "app.kubernetes.io/part-of": "bench", "pod-template-hash": "5d4f8c7b9c"})
}

/// What a server keeps about who wrote which field: half of a real object.
fn managed_fields() -> Value {
    let container = json!({"k:{\"name\":\"app\"}": {".": {}, "f:args": {}, "f:env": {".": {}, "k:{\"name\":\"POD_NAME\"}": {".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:fieldRef": {}}}, "k:{\"name\":\"DATABASE_PASSWORD\"}": {".": {}, "f:name": {}, "f:valueFrom": {".": {}, "f:secretKeyRef": {}}}}, "f:image": {}, "f:imagePullPolicy": {}, "f:livenessProbe": {".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}}, "f:periodSeconds": {}}, "f:name": {}, "f:ports": {".": {}, "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {}}}, "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}, "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}}}});
    json!([{
        "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-11-01T08:00:00Z", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}, "f:pod-template-hash": {}}, "f:ownerReferences": {".": {}}}, "f:spec": {"f:containers": container, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:volumes": {".": {}, "k:{\"name\":\"config\"}": {".": {}, "f:configMap": {}, "f:name": {}}}}}
    }])
}

fn pod(registry: &str) -> Value {
    let mut spec = specification(registry);
    spec["nodeName"] = json!("node-a");
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": "app-%deployment%-5d4f8c7b9c-%number%", "generateName": "app-%deployment%-5d4f8c7b9c-", "namespace": "%namespace%",
            "uid": "00000000-0000-4003-8000-000000%number%", "resourceVersion": "1", "creationTimestamp": "2026-11-01T08:00:00Z", "labels": labels(),
            "ownerReferences": owner("ReplicaSet", "app-%deployment%-5d4f8c7b9c", "00000000-0000-4002-8000-%hex%"),
            "managedFields": managed_fields()
        },
        "spec": spec,
        "status": {
            "phase": "Running", "hostIP": "10.0.0.1", "hostIPs": [{"ip": "10.0.0.1"}], "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}],
            "qosClass": "Burstable", "startTime": "2026-11-01T08:00:00Z",
            "conditions": [
                {"type": "Initialized", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-01T08:00:00Z"},
                {"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-01T08:00:03Z"},
                {"type": "ContainersReady", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-01T08:00:03Z"},
                {"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-01T08:00:00Z"}
            ],
            "containerStatuses": [{
                "name": "app", "ready": true, "started": true, "restartCount": 0, "image": format!("{registry}/%repository%:v1"),
                "imageID": format!("{registry}/%repository%@%digest%"),
                "containerID": "containerd://0f2b5c1d9e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c",
                "state": {"running": {"startedAt": "2026-11-01T08:00:02Z"}}, "lastState": {}
            }]
        }
    })
}

fn template(registry: &str, replicas: usize) -> Value {
    let labels = labels();
    json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": specification(registry)}})
}

fn replica_set(registry: &str, replicas: usize) -> Value {
    json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": "app-%deployment%-5d4f8c7b9c", "namespace": "%namespace%", "uid": "00000000-0000-4002-8000-%hex%", "resourceVersion": "1",
            "creationTimestamp": "2026-11-01T08:00:00Z", "labels": labels(), "managedFields": managed_fields(),
            "ownerReferences": owner("Deployment", "app-%deployment%", "00000000-0000-4001-8000-%hex%")
        },
        "spec": template(registry, replicas),
        "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, "observedGeneration": 1}
    })
}

fn deployment(registry: &str, replicas: usize) -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {
            "name": "app-%deployment%", "namespace": "%namespace%", "uid": "00000000-0000-4001-8000-%hex%", "resourceVersion": "1",
            "creationTimestamp": "2026-11-01T08:00:00Z", "labels": labels(), "managedFields": managed_fields(),
            "annotations": {"deployment.kubernetes.io/revision": "1"}
        },
        "spec": template(registry, replicas),
        "status": {"replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, "observedGeneration": 1}
    })
}
