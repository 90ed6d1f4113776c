//! The standing cluster: one workload for each situation that a verdict is due for, made once and then only read.

use std::sync::OnceLock;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::attested;
use super::fronts::Fault;
use super::images::{Image, Images};
use super::manifests::{Pod, cron_job, job, object, owned, pod, replicated};
use super::node::{self, NODES};
use super::process::wait;
use super::stack::{Stack, stack};
use super::supervisor::say;

/// Workloads whose images are signed.
pub const SIGNED: &str = "signed";
/// Workloads with something that is not.
pub const UNSIGNED: &str = "unsigned";
/// Workloads of which one cannot know.
pub const UNKNOWN: &str = "unknown";
/// Workloads whose images need a login.
pub const PRIVATE: &str = "private";
/// Workloads whose images are signed by whom the policy trusts.
pub const TRUSTED: &str = "trusted";
/// Workloads whose images are signed, and not so.
pub const REFUSED: &str = "refused";
/// Workloads of whose signatures one cannot know.
pub const UNDECIDED: &str = "undecided";
/// One workload of each kind.
pub const KINDS: &str = "kinds";

/// A custom resource that owns a `ReplicaSet`.
const ROLLOUTS: &str = "rollouts.example.test";

/// The cluster and what runs in it.
pub struct Standing {
    /// Its servers.
    pub stack: &'static Stack,
    /// Its images.
    pub images: Images,
    /// Pods that have to be there before anything is judged.
    expected: std::sync::Mutex<Vec<(&'static str, &'static str, usize)>>,
}

/// The standing cluster of this process, made by whoever comes first.
pub fn standing() -> &'static Standing {
    static STANDING: OnceLock<Option<Standing>> = OnceLock::new();
    let standing = STANDING.get_or_init(|| std::panic::catch_unwind(Standing::make).ok());
    standing.as_ref().unwrap_or_else(|| panic!("the standing cluster could not be made: the first test that failed says why"))
}

impl Standing {
    fn make() -> Self {
        let stack = stack();
        let begun = Instant::now();
        let images = Images::push(stack);
        say(&format!("e2e: images pushed and signed after {:.1} s", begun.elapsed().as_secs_f32()));
        let standing = Self { stack, images, expected: std::sync::Mutex::default() };
        for namespace in [SIGNED, UNSIGNED, UNKNOWN, KINDS, PRIVATE].into_iter().chain(attested::NAMESPACES) {
            stack.cluster.namespace(namespace);
        }
        standing.signed();
        standing.unsigned();
        standing.unknown();
        standing.kinds();
        if stack.private.is_some() {
            standing.private();
        }
        if stack.sigstore.is_some() {
            standing.vouched_for();
            for (namespace, name, pod) in attested::workloads(&standing.images) {
                standing.deploy(namespace, name, &pod);
            }
        }
        standing.settle();
        standing.time_passes();
        say(&format!("e2e: the cluster stands after {:.1} s", begun.elapsed().as_secs_f32()));
        standing
    }

    fn image(&self, name: &str) -> &Image {
        self.images.get(name)
    }

    /// Makes a Deployment with one replica.
    fn deploy(&self, namespace: &'static str, name: &'static str, pod: &Pod) {
        self.scale(namespace, name, 1, pod);
    }

    fn scale(&self, namespace: &'static str, name: &'static str, replicas: u32, pod: &Pod) {
        self.add(namespace, name, replicas as usize, &replicated("Deployment", namespace, name, replicas, pod));
    }

    /// Makes a workload that makes so many pods.
    fn add(&self, namespace: &'static str, name: &'static str, pods: usize, object: &Value) {
        self.stack.cluster.apply(object);
        self.expected.lock().unwrap().push((namespace, name, pods));
    }

    /// Waits until every pod is there and its node has said what it runs.
    fn settle(&self) {
        let expected = self.expected.lock().unwrap();
        for (namespace, name, pods) in expected.iter() {
            wait(&format!("{pods} pods of {namespace}/{name}"), || {
                let list = self.stack.cluster.get(&format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app={name}"));
                let reported = |pod: &&Value| pod["status"]["containerStatuses"].is_array();
                (list["items"].as_array().unwrap().iter().filter(reported).count() >= *pods).then_some(())
            });
        }
    }

    fn signed(&self) {
        for name in ["by-tag", "by-referrer", "by-fallback", "by-tag-beside-referrers"] {
            self.deploy(SIGNED, name, &Pod::of(&self.image(name).tagged()));
        }
        self.deploy(SIGNED, "by-digest", &Pod::of(&self.image("by-referrer").pinned()));
        self.deploy(SIGNED, "index", &Pod::of(&self.image("index").tagged()));
        self.deploy(SIGNED, "platform", &Pod::of(&self.image("index").tagged()).annotated(node::RUNTIME, "platform"));
        self.deploy(SIGNED, "docker-pullable", &Pod::of(&self.image("by-tag").tagged()).annotated(node::RUNTIME, "docker"));
        self.deploy(SIGNED, "configuration", &Pod::of(&self.image("configuration").tagged()).annotated(node::RUNTIME, "configuration"));
        self.deploy(SIGNED, "tag-moved", &Pod::of(&self.image("moved-signed").tagged()));
        self.scale(SIGNED, "scaled-to-zero", 0, &Pod::of(&self.image("by-referrer").tagged()));
        self.deploy(SIGNED, "pending", &Pod::of(&self.image("by-tag").tagged()).annotated(node::STATE, "pending"));
    }

    fn unsigned(&self) {
        let (signed, unsigned) = (self.image("by-referrer").tagged(), self.image("unsigned").tagged());
        self.scale(UNSIGNED, "plain", 2, &Pod::of(&unsigned));
        self.deploy(UNSIGNED, "plain-by-tags", &Pod::of(&self.image("unsigned-by-tags").tagged()));
        self.scale(UNSIGNED, "scaled-to-zero", 0, &Pod::of(&unsigned));
        self.deploy(UNSIGNED, "init-container", &Pod::of(&signed).init("prepare", &unsigned));
        self.deploy(UNSIGNED, "debugged", &Pod::of(&signed));
        self.deploy(UNSIGNED, "only-attested", &Pod::of(&self.image("only-attested").tagged()));
        self.deploy(UNSIGNED, "only-platforms", &Pod::of(&self.image("index-of-signed").tagged()));
        self.deploy(UNSIGNED, "copied-signature", &Pod::of(&self.image("copied").tagged()));
        self.deploy(UNSIGNED, "malformed", &Pod::of("UPPER/Case::bad"));
        self.scale(UNSIGNED, "roll-out", 2, &Pod::of(&self.image("release").tagged()));
        self.inject();
        self.deploy(UNSIGNED, "injected", &Pod::of(&signed).labelled("sidecar", "inject"));
    }

    /// Lets the API server add a sidecar to pods, as a service mesh does.
    fn inject(&self) {
        let cluster = &self.stack.cluster;
        let container = format!(r#"Object.spec.containers{{name: "proxy", image: "{}"}}"#, self.image("tool").tagged());
        let expression = format!(r#"[JSONPatch{{op: "add", path: "/spec/containers/-", value: {container}}}]"#);
        cluster.apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "sidecar"},
            "spec": {
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "matchConstraints": {
                    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                    "objectSelector": {"matchLabels": {"sidecar": "inject"}},
                },
                "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
            },
        }));
        cluster.apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": "sidecar"},
            "spec": {"policyName": "sidecar"},
        }));
        // It takes effect some time later: dry runs show when.
        let probe = pod(UNSIGNED, "probe", &Pod::of("probe").labelled("sidecar", "inject"));
        wait("the injection of sidecars", || {
            let made = cluster.post(&format!("/api/v1/namespaces/{UNSIGNED}/pods?dryRun=All"), &probe);
            made["spec"]["containers"][1].is_object().then_some(())
        });
    }

    fn unknown(&self) {
        for name in ["closed", "unauthorized", "limited", "silent", "deleted", "deleted-signed"] {
            self.deploy(UNKNOWN, name, &Pod::of(&self.image(name).tagged()));
        }
        self.deploy(UNKNOWN, "tag-moved", &Pod::of(&self.image("moved-unsigned").tagged()));
        let moved = Pod::of(&self.image("configuration-moved").tagged()).annotated(node::RUNTIME, "configuration");
        self.deploy(UNKNOWN, "configuration", &moved);
    }

    fn kinds(&self) {
        let cluster = &self.stack.cluster;
        let (signed, unsigned) = (Pod::of(&self.image("by-referrer").tagged()), Pod::of(&self.image("unsigned").tagged()));
        self.add(KINDS, "stateful", 2, &replicated("StatefulSet", KINDS, "stateful", 2, &signed));
        self.add(KINDS, "daemon", NODES.len(), &replicated("DaemonSet", KINDS, "daemon", 0, &unsigned));
        self.add(KINDS, "replicas", 1, &replicated("ReplicaSet", KINDS, "replicas", 1, &unsigned));
        let controller = json!({"spec": {"replicas": 1, "selector": {"app": "controller"}, "template": signed.template("controller")}});
        self.add(KINDS, "controller", 1, &object("v1", "ReplicationController", KINDS, "controller", controller));
        self.add(KINDS, "once", 1, &object("batch/v1", "Job", KINDS, "once", json!({"spec": job("once", &unsigned)})));
        self.add(KINDS, "bare", 1, &pod(KINDS, "bare", &signed));
        let volume = signed.clone().volume("model", &self.image("tool").tagged());
        self.add(KINDS, "image-volume", 1, &pod(KINDS, "image-volume", &volume));
        self.add(KINDS, "suspended", 0, &cron_job(KINDS, "suspended", true, &unsigned));
        cluster.apply(&cron_job(KINDS, "nightly", false, &signed));
        let nightly = cluster.get(&format!("/apis/batch/v1/namespaces/{KINDS}/cronjobs/nightly"));
        let by_hand = object("batch/v1", "Job", KINDS, "nightly-by-hand", json!({"spec": job("nightly", &signed)}));
        self.add(KINDS, "nightly", 1, &owned(by_hand, "batch/v1", &nightly));
        self.custom(&unsigned);
        self.mirror(&signed);
    }

    /// A custom resource that keeps its pods by a `ReplicaSet`.
    fn custom(&self, pod: &Pod) {
        let cluster = &self.stack.cluster;
        let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        cluster.apply(&json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": ROLLOUTS},
            "spec": {
                "group": "example.test", "scope": "Namespaced", "names": {"plural": "rollouts", "singular": "rollout", "kind": "Rollout"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": any}}],
            },
        }));
        let collection = format!("/apis/example.test/v1/namespaces/{KINDS}/rollouts");
        wait("the custom kind", || cluster.find(&collection));
        cluster.apply(&object("example.test/v1", "Rollout", KINDS, "canary", json!({"spec": {"template": pod.template("canary")}})));
        let canary = cluster.get(&format!("{collection}/canary"));
        let mut replicas = replicated("ReplicaSet", KINDS, "canary", 1, pod);
        replicas["metadata"]["name"] = "canary-1".into();
        self.add(KINDS, "canary", 1, &owned(replicas, "example.test/v1", &canary));
    }

    /// What the kubelet of each node shows of a static pod.
    fn mirror(&self, content: &Pod) {
        for name in NODES {
            let node = self.stack.cluster.get(&format!("/api/v1/nodes/{name}"));
            let mirrored = ["mirror", "hash"].into_iter().fold(content.clone().set("nodeName", name.into()), |pod, what| {
                pod.annotated(&format!("kubernetes.io/config.{what}"), "0a1b2c")
            });
            let object = pod("kube-system", "scheduler", &mirrored.annotated("kubernetes.io/config.source", "file"));
            let mut object = owned(object, "v1", &node);
            object["metadata"]["name"] = format!("scheduler-{name}").into();
            self.stack.cluster.apply(&object);
        }
        self.expected.lock().unwrap().push(("kube-system", "scheduler", NODES.len()));
    }

    fn private(&self) {
        let private = self.stack.private.as_ref().unwrap();
        let secret = |name: &str, registry| {
            let data = json!({".dockerconfigjson": STANDARD.encode(self.stack.pull_secret(registry))});
            let content = json!({"type": "kubernetes.io/dockerconfigjson", "data": data});
            self.stack.cluster.apply(&object("v1", "Secret", PRIVATE, name, content));
        };
        secret("basic", &private.basic);
        secret("token", &private.token);
        let account = object("v1", "ServiceAccount", PRIVATE, "puller", json!({"imagePullSecrets": [{"name": "token"}]}));
        self.stack.cluster.apply(&account);
        let (basic, token) = (Pod::of(&self.image("basic").tagged()), Pod::of(&self.image("token").tagged()));
        self.deploy(PRIVATE, "basic-with-secret", &basic.clone().secret("basic"));
        self.deploy(PRIVATE, "basic-without", &basic.clone());
        self.deploy(PRIVATE, "basic-with-anothers", &basic.clone().secret("token"));
        self.deploy(PRIVATE, "basic-with-missing", &basic.secret("nowhere"));
        self.deploy(PRIVATE, "token-by-account", &token.clone().account("puller"));
        self.deploy(PRIVATE, "token-without", &token);
    }

    fn vouched_for(&self) {
        for namespace in [TRUSTED, REFUSED, UNDECIDED] {
            self.stack.cluster.namespace(namespace);
        }
        for name in ["keyless", "keyless-by-fallback", "stamped", "stamped-beside-referrers", "key-logged", "keyless-moved"] {
            self.deploy(TRUSTED, name, &Pod::of(&self.image(name).tagged()));
        }
        for name in ["by-tag", "by-referrer", "by-fallback", "by-tag-beside-referrers"] {
            self.deploy(TRUSTED, name, &Pod::of(&self.image(name).tagged()));
        }
        for name in ["by-mallory", "stamped-by-mallory", "by-revoked-key", "unlogged-key", "transplanted", "transplanted-tag", "unsigned"] {
            self.deploy(REFUSED, name, &Pod::of(&self.image(name).tagged()));
        }
        for name in ["closed", "moved-to-signed"] {
            self.deploy(UNDECIDED, name, &Pod::of(&self.image(name).tagged()));
        }
    }

    /// What happens after pods have started: tags move, images go, registries fail, a release is rolled out half, somebody debugs.
    fn time_passes(&self) {
        let (registry, cluster) = (&self.stack.referrers, &self.stack.cluster);
        for name in ["moved-signed", "moved-unsigned", "configuration-moved"] {
            registry.image(&format!("team/{name}"), "v1", &format!("{name}, the next"));
        }
        if self.stack.sigstore.is_some() {
            registry.image("team/keyless-moved", "v1", "unsigned");
            // What is signed now is not what runs.
            registry.copy_tag("team/moved-to-signed", "next", "v1");
        }
        for name in ["deleted", "deleted-signed"] {
            for reference in ["v1", &self.image(name).digest] {
                registry.delete(&format!("team/{name}"), reference);
            }
        }
        registry.image("team/release", "v2", "the next release");
        let next = Pod::of(&self.image("release").at("v2")).annotated(node::STATE, "unready");
        cluster.patch(
            &format!("/apis/apps/v1/namespaces/{UNSIGNED}/deployments/roll-out"),
            &json!({"spec": {"template": next.template("roll-out")}}),
        );
        self.expected.lock().unwrap().push((UNSIGNED, "roll-out", 3));
        self.debug();
        self.settle();
        for (name, fault) in [
            ("closed", Fault::Closed),
            ("unauthorized", Fault::Status("401 Unauthorized", "WWW-Authenticate: Basic realm=\"front\"\r\n")),
            // Longer than anybody waits.
            ("limited", Fault::Status("429 Too Many Requests", "Retry-After: 86400\r\n")),
            ("silent", Fault::Silent),
        ] {
            self.stack.fronts[name].0.fail(fault);
        }
    }

    /// As `kubectl debug` does.
    fn debug(&self) {
        let cluster = &self.stack.cluster;
        let pods = cluster.get(&format!("/api/v1/namespaces/{UNSIGNED}/pods?labelSelector=app=debugged"));
        let path = format!("/api/v1/namespaces/{UNSIGNED}/pods/{}", pods["items"][0]["metadata"]["name"].as_str().unwrap());
        let debugger = json!({"name": "debugger", "image": self.image("tool").tagged(), "targetContainerName": "app"});
        cluster.patch(&format!("{path}/ephemeralcontainers"), &json!({"spec": {"ephemeralContainers": [debugger]}}));
        wait("the debugging container", || cluster.get(&path)["status"]["ephemeralContainerStatuses"][0]["imageID"].as_str().map(drop));
    }
}
