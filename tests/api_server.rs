//! A scripted Kubernetes API server on loopback: it serves the objects that it is given, in pages, as an API server would, and
//! misbehaves where a script says so.
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a fault answers.
#[derive(Clone)]
pub enum Reply {
    /// This status, with headers and a body.
    Status(u16, Vec<(&'static str, String)>, Value),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// A refusal as an API server words it.
    pub fn refuse(code: u16, reason: &str, message: &str) -> Self {
        Self::Status(code, Vec::new(), json!({ "kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code }))
    }

    /// 403.
    pub fn forbidden() -> Self {
        Self::refuse(403, "Forbidden", "user \"auditor\" cannot do this")
    }
}

struct Fault {
    target: String,
    left: usize,
    reply: Reply,
}

/// What the server has and how it misbehaves.
#[derive(Default)]
pub struct Script {
    objects: Vec<Value>,
    faults: Vec<Fault>,
    token: Option<String>,
}

impl Script {
    /// A server with these objects.
    pub fn with(objects: impl IntoIterator<Item = Value>) -> Self {
        Self { objects: objects.into_iter().collect(), ..Self::default() }
    }

    /// And these.
    pub fn and(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.objects.extend(objects);
        self
    }

    /// Answers so, so many times, where path and query begin with `target` (with `$` at its end: are it).
    pub fn fault(mut self, target: &str, times: usize, reply: Reply) -> Self {
        self.faults.push(Fault { target: target.to_owned(), left: times, reply });
        self
    }

    /// Accepts only this bearer token.
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Starts it.
    pub fn start(self) -> ApiServer {
        let (ready, started) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let script = Arc::new(Mutex::new(self));
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = accept(listener, script, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        ApiServer { address: started.recv().unwrap(), log, directory: TempDir::new().unwrap(), stop: Some(stop), thread: Some(thread) }
    }
}

/// A running server; it ends when dropped.
pub struct ApiServer {
    address: std::net::SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    directory: TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl ApiServer {
    /// A kubeconfig for it with the contexts `test` and `other`.
    pub fn kubeconfig(&self, token: &str) -> std::path::PathBuf {
        self.kubeconfig_of(&json!({ "token": token }))
    }

    /// The same for a user with these credentials.
    pub fn kubeconfig_of(&self, user: &Value) -> std::path::PathBuf {
        let path = self.directory.path().join("kubeconfig");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "c", "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "u", "user": user }],
            "contexts": [
                { "name": "test", "context": { "cluster": "c", "user": "u" } },
                { "name": "other", "context": { "cluster": "c", "user": "u" } },
            ],
        });
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Requests so far, `GET /path?query`.
    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, script: Arc<Mutex<Script>>, log: Arc<Mutex<Vec<String>>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (script, log) = (Arc::clone(&script), Arc::clone(&log));
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                log.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
                let reply = script.lock().unwrap().answer(&request);
                async move {
                    let Reply::Status(code, headers, body) = reply else {
                        tokio::time::sleep(Duration::from_secs(3600)).await;
                        unreachable!("nobody waits that long");
                    };
                    let mut response = Response::builder().status(code).header("content-type", "application/json");
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body.to_string()))).unwrap())
                }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Script {
    fn answer(&mut self, request: &Request<Incoming>) -> Reply {
        let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        for fault in &mut self.faults {
            let fits = fault.target.strip_suffix('$').map_or_else(|| target.starts_with(&fault.target), |whole| target == whole);
            if fits && fault.left > 0 {
                fault.left -= 1;
                return fault.reply.clone();
            }
        }
        if let Some(token) = &self.token
            && request.headers().get("authorization").and_then(|value| value.to_str().ok()) != Some(&format!("Bearer {token}"))
        {
            return Reply::refuse(401, "Unauthorized", "Unauthorized");
        }
        let metadata_only = request
            .headers()
            .get("accept")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains("PartialObjectMetadata"));
        let value = match request.uri().path() {
            "/version" => Some(json!({ "gitVersion": "v1.36.3" })),
            "/apis/authentication.k8s.io/v1/selfsubjectreviews" => Some(json!({ "status": { "userInfo": { "username": "auditor" } } })),
            path => self.resource(path, request.uri().query().unwrap_or_default(), metadata_only),
        };
        let date = ("date", "Mon, 05 Jan 2026 10:00:00 GMT".to_owned());
        match value {
            Some(value) => Reply::Status(StatusCode::OK.as_u16(), vec![date], value),
            None => Reply::refuse(404, "NotFound", "the server could not find the requested resource"),
        }
    }

    fn resource(&self, path: &str, query: &str, metadata_only: bool) -> Option<Value> {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (api_version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group] => return self.group(group),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let slim = |object: &Value| if metadata_only { json!({ "metadata": object["metadata"] }) } else { object.clone() };
        let find = |plural: &str, namespace: Option<&str>, name: &str| {
            self.of(&api_version, plural, namespace).into_iter().find(|object| object["metadata"]["name"] == name).map(slim)
        };
        match rest {
            [] => Some(self.discovery(&api_version)),
            ["namespaces", name] => find("namespaces", None, name),
            ["namespaces", namespace, plural] => self.list(&api_version, plural, Some(namespace), query, slim),
            ["namespaces", namespace, plural, name] => find(plural, Some(namespace), name),
            [plural] => self.list(&api_version, plural, None, query, slim),
            [plural, name] => find(plural, None, name),
            _ => None,
        }
    }

    fn of(&self, api_version: &str, plural: &str, namespace: Option<&str>) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|object| object["apiVersion"] == api_version && plural_of(object) == plural)
            .filter(|object| namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace))
            .collect()
    }

    fn list(&self, api_version: &str, plural: &str, namespace: Option<&str>, query: &str, slim: impl Fn(&Value) -> Value) -> Option<Value> {
        let objects = self.of(api_version, plural, namespace);
        let is_built_in = matches!(api_version, "v1" | "apps/v1" | "batch/v1" | "networking.k8s.io/v1");
        if !is_built_in && self.of(api_version, plural, None).is_empty() {
            return None;
        }
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok());
        let start = parameter("continue").unwrap_or(0);
        let end = objects.len().min(start + parameter("limit").unwrap_or(usize::MAX / 2));
        let next = if end < objects.len() { end.to_string() } else { String::new() };
        let items: Vec<Value> = objects.get(start..end)?.iter().map(|object| slim(object)).collect();
        Some(json!({ "kind": "List", "metadata": { "resourceVersion": "1", "continue": next }, "items": items }))
    }

    fn group(&self, group: &str) -> Option<Value> {
        let version = self.objects.iter().find_map(|object| object["apiVersion"].as_str()?.strip_prefix(group)?.strip_prefix('/'))?;
        Some(json!({ "preferredVersion": { "groupVersion": format!("{group}/{version}"), "version": version } }))
    }

    fn discovery(&self, api_version: &str) -> Value {
        let resources: BTreeSet<(String, String, bool)> = self
            .objects
            .iter()
            .filter(|object| object["apiVersion"] == api_version)
            .map(|object| (plural_of(object), object["kind"].as_str().unwrap().to_owned(), object["metadata"]["namespace"].is_string()))
            .collect();
        let resources: Vec<Value> = resources
            .iter()
            .flat_map(|(name, kind, namespaced)| {
                let status = json!({ "name": format!("{name}/status"), "kind": kind, "namespaced": namespaced });
                [status, json!({ "name": name, "kind": kind, "namespaced": namespaced })]
            })
            .collect();
        json!({ "kind": "APIResourceList", "groupVersion": api_version, "resources": resources })
    }
}

fn plural_of(object: &Value) -> String {
    format!("{}s", object["kind"].as_str().unwrap().to_lowercase())
}
