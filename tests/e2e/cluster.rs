//! The cluster: etcd, kube-apiserver and kube-controller-manager, and what the tests ask of it as its administrator.

use std::path::{Path, PathBuf};

use http::Method;
use serde_json::{Value, json};

use super::client::{Http, Reply};
use super::process::{Servers, port, wait};

const ADMINISTRATOR: &str = "admin";
const ADMINISTRATOR_TOKEN: &str = "admin-token";
/// What works on objects and makes pods; what only a kubelet could keep content is left out.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,replicationcontroller-controller,statefulset-controller,daemonset-controller,\
     job-controller,cronjob-controller,serviceaccount-controller,serviceaccount-token-controller,root-ca-certificate-publisher-controller,\
     namespace-controller,garbage-collector-controller";

/// A running cluster.
#[derive(Clone)]
pub struct Cluster {
    http: Http,
    address: String,
    run: PathBuf,
}

impl Cluster {
    /// Starts the servers. The controllers run when [`Cluster::ready`] returns.
    pub fn start(servers: &Servers, run: &Path) -> Self {
        let mut pki = servers.program("pki");
        pki.arg("pki").args(["client:kube-controller-manager:system:masters", "expired:late:system:masters"]);
        servers.output(pki);
        // Whoever is audited gets the token of a service account.
        std::fs::write(
            run.join("tokens.csv"),
            format!(
                "{ADMINISTRATOR_TOKEN},{ADMINISTRATOR},1,\"system:masters\"
"
            ),
        )
        .unwrap();
        let etcd = start_etcd(servers);
        let address = start_api_server(servers, &etcd);
        Self { http: Http::new(Some(&run.join("pki/ca.crt"))), address, run: run.to_owned() }
    }

    /// Waits for the API server, then starts the controllers.
    pub fn ready(&self, servers: &Servers) {
        wait("the API server", || self.send(Method::GET, "/readyz", "", Vec::new()).filter(|reply| reply.status == 200));
        self.kubeconfig(ADMINISTRATOR, json!({"token": ADMINISTRATOR_TOKEN}));
        let user = json!({
            "client-certificate": self.run.join("pki/kube-controller-manager.crt"),
            "client-key": self.run.join("pki/kube-controller-manager.key"),
        });
        let kubeconfig = self.kubeconfig("kube-controller-manager", user);
        let mut manager = servers.program("kube-controller-manager");
        manager
            .args(["--secure-port=0", "--leader-elect=false", "--profiling=false", "--kube-api-qps=500", "--kube-api-burst=1000"])
            .args(["--service-account-private-key-file=pki/service-account.key", "--root-ca-file=pki/ca.crt"])
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--controllers={CONTROLLERS}"));
        servers.start("kube-controller-manager", manager);
    }

    /// Writes a kubeconfig with one context of this name, which nobody may be reading meanwhile.
    pub fn kubeconfig(&self, name: &str, user: Value) -> PathBuf {
        let path = self.path(name);
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": "e2e", "cluster": {"server": self.address, "certificate-authority": self.run.join("pki/ca.crt")}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": "e2e", "user": name}}],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.kubeconfig"))
    }

    /// The administrator's.
    pub fn administrator(&self) -> PathBuf {
        self.path(ADMINISTRATOR)
    }

    /// That of a service account, by a token that the API server gives for it.
    pub fn account(&self, namespace: &str, name: &str, context: &str) -> PathBuf {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let request = self.post(&path, &json!({"spec": {"expirationSeconds": 3600}}));
        self.kubeconfig(context, json!({"token": request["status"]["token"]}))
    }

    fn send(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Option<Reply> {
        let authorization = format!("Bearer {ADMINISTRATOR_TOKEN}");
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", content_type)];
        self.http.send(method, &format!("{}{path}", self.address), &headers, body)
    }

    fn expect(&self, method: Method, path: &str, content_type: &str, body: &Value) -> Value {
        let reply = self.send(method.clone(), path, content_type, if body.is_null() { Vec::new() } else { body.to_string().into_bytes() });
        let reply = reply.unwrap_or_else(|| panic!("{method} {path}: no answer"));
        assert!(reply.status < 300, "{method} {path}: {}: {}", reply.status, reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// An object or a list that has to be there.
    pub fn get(&self, path: &str) -> Value {
        self.expect(Method::GET, path, "application/json", &Value::Null)
    }

    /// An object that may not be there.
    pub fn find(&self, path: &str) -> Option<Value> {
        let reply = self.send(Method::GET, path, "application/json", Vec::new()).filter(|reply| reply.status == 200)?;
        serde_json::from_slice(&reply.body).ok()
    }

    /// Makes something.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.expect(Method::POST, path, "application/json", body)
    }

    /// Changes something; a list in the patch replaces the whole list.
    pub fn merge(&self, path: &str, patch: &Value) -> Value {
        self.expect(Method::PATCH, path, "application/merge-patch+json", patch)
    }

    /// Changes something; list members are merged by their names.
    pub fn patch(&self, path: &str, patch: &Value) -> Value {
        self.expect(Method::PATCH, path, "application/strategic-merge-patch+json", patch)
    }

    /// Does something to an object that may have gone or changed meanwhile; whether it was done.
    pub fn attempt(&self, method: Method, path: &str, body: &Value) -> bool {
        let content_type = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        self.send(method, path, content_type, body.to_string().into_bytes()).is_some_and(|reply| reply.status < 300)
    }

    /// Makes an object of any kind, as a manifest says it; again is no error.
    pub fn apply(&self, object: &Value) {
        let text = object.to_string();
        let path = collection(object);
        let reply = self.send(Method::POST, &path, "application/json", text.clone().into_bytes()).unwrap();
        assert!(reply.status < 300 || reply.status == 409, "POST {path}: {}: {}\n{text}", reply.status, reply.text());
    }

    /// Applies a document of YAML as it is, on the server's side; a field that its kind does not have is an error. What is wrong with it.
    pub fn apply_strictly(&self, path: &str, document: &str) -> Result<(), String> {
        let request = format!("{path}?fieldManager=e2e&force=true&fieldValidation=Strict");
        let reply = self.send(Method::PATCH, &request, "application/apply-patch+yaml", document.as_bytes().to_vec()).unwrap();
        if reply.status < 300 { Ok(()) } else { Err(format!("PATCH {request}: {}: {}", reply.status, reply.text())) }
    }

    /// Makes a namespace in which pods can be made.
    pub fn namespace(&self, name: &str) {
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        wait(&format!("the default account of {name}"), || self.find(&format!("/api/v1/namespaces/{name}/serviceaccounts/default")));
    }

    /// What the audit log says of a user so far: verb, request and status of each.
    pub fn audited(&self, user: &str) -> Vec<Audited> {
        let log = std::fs::read_to_string(self.run.join("audit.log")).unwrap_or_default();
        log.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|entry| entry["user"]["username"] == user)
            .map(|entry| Audited {
                verb: entry["verb"].as_str().unwrap_or_default().to_owned(),
                request: entry["requestURI"].as_str().unwrap_or_default().to_owned(),
                status: entry["responseStatus"]["code"].as_u64().unwrap_or_default(),
            })
            .collect()
    }
}

/// One request in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audited {
    /// `get`, `list`, …
    pub verb: String,
    /// Path and query.
    pub request: String,
    /// The status of the answer.
    pub status: u64,
}

/// Path of the collection of an object's kind.
fn collection(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&object["apiVersion"]);
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let kind = text(&object["kind"]).to_lowercase();
    let plural = kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        None => format!("{root}/{plural}"),
    }
}

fn start_etcd(servers: &Servers) -> String {
    let [client, peer] = [43_100, 43_101].map(|wanted| format!("http://127.0.0.1:{}", port(wanted)));
    let mut etcd = servers.program("etcd");
    etcd.args(["--name", "e2e", "--data-dir", "etcd", "--unsafe-no-fsync", "--logger", "zap", "--log-level", "warn"])
        .args(["--heartbeat-interval", "10", "--election-timeout", "100", "--initial-cluster", &format!("e2e={peer}")])
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    servers.start("etcd", etcd);
    client
}

fn start_api_server(servers: &Servers, etcd: &str) -> String {
    let port = port(43_102);
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/stack/audit-policy.yaml");
    let mut server = servers.program("kube-apiserver");
    server
        .arg(format!("--etcd-servers={etcd}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"])
        .arg(format!("--secure-port={port}"))
        .args(["--cert-dir=pki", "--tls-cert-file=pki/server.crt", "--tls-private-key-file=pki/server.key", "--client-ca-file=pki/ca.crt"])
        .args(["--token-auth-file=tokens.csv", "--authorization-mode=RBAC", "--allow-privileged=true", "--profiling=false"])
        .args(["--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-cluster-ip-range=10.96.0.0/16"])
        .args(["--service-account-key-file=pki/service-account.pub", "--service-account-signing-key-file=pki/service-account.key"])
        .arg("--feature-gates=ImageVolumeWithDigest=true")
        .args([format!("--audit-policy-file={}", policy.display()), "--audit-log-path=audit.log".to_owned()]);
    servers.start("kube-apiserver", server);
    format!("https://127.0.0.1:{port}")
}
