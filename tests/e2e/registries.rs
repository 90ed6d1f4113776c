//! Registries, and what the tests put there: images whose bytes, and so digests, are the same in every run.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::client::{Http, Reply};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// What a kubelet's runtime accepts.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// How a registry knows its users.
#[derive(Debug, Clone)]
pub enum Login {
    /// Anybody may do anything.
    Open,
    /// `user:password` with each request.
    Basic(&'static str),
    /// `user:password` for a token, which goes with each request.
    Token(&'static str),
}

/// A registry, by the name that images have it.
#[derive(Clone)]
pub struct Registry {
    http: Http,
    port: u16,
    /// Host and port.
    pub host: String,
    /// As whom the tests push, and nodes pull.
    pub login: Login,
    pushed: Arc<Mutex<BTreeSet<String>>>,
}

/// `sha256:…` of bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes).as_ref().iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Registry {
    /// A registry on loopback.
    pub fn new(http: Http, port: u16, login: Login) -> Self {
        Self { http, port, host: format!("127.0.0.1:{port}"), login, pushed: Arc::default() }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Digests of everything that the tests pushed and that is the same in every run.
    pub fn pushed(&self) -> BTreeSet<String> {
        self.pushed.lock().unwrap().clone()
    }

    /// Whether it answers.
    pub fn answers(&self) -> bool {
        self.http.send(Method::GET, &format!("http://{}/v2/", self.host), &[], "").is_some_and(|reply| matches!(reply.status, 200 | 401))
    }

    /// Pushes an image under a tag; its digest.
    pub fn image(&self, repository: &str, tag: &str, content: &str) -> String {
        let bytes = self.manifest_of(repository, "amd64", content);
        self.put_manifest(repository, tag, MANIFEST, &bytes)
    }

    /// Pushes an image for two platforms under a tag; the digest of the index, and those of the platforms.
    pub fn index(&self, repository: &str, tag: &str, content: &str) -> (String, [String; 2]) {
        let mut children = Vec::new();
        let platforms = ["amd64", "arm64"].map(|architecture| {
            let bytes = self.manifest_of(repository, architecture, content);
            let digest = self.put_manifest(repository, &digest_of(&bytes), MANIFEST, &bytes);
            children.push(json!({
                "mediaType": MANIFEST, "digest": digest, "size": bytes.len(), "platform": {"os": "linux", "architecture": architecture},
            }));
            digest
        });
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).to_string();
        (self.put_manifest(repository, tag, INDEX, index.as_bytes()), platforms)
    }

    /// Pushes an image as BuildKit does: an index with the image, and with an attestation manifest of what is said of its digest, which
    /// nobody signs. The digests of both.
    pub fn built_by_buildkit(&self, repository: &str, tag: &str, content: &str, statement: impl Fn(&str) -> Value) -> [String; 2] {
        let image = self.manifest_of(repository, "amd64", content);
        let platform = self.put_manifest(repository, &digest_of(&image), MANIFEST, &image);
        let statement = statement(&platform);
        let layer = statement.to_string().into_bytes();
        let config = json!({
            "architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_of(&layer)]},
        });
        let config = config.to_string().into_bytes();
        let described = json!({
            "mediaType": "application/vnd.in-toto+json", "digest": digest_of(&layer), "size": layer.len(),
            "annotations": {"in-toto.io/predicate-type": statement["predicateType"]},
        });
        let attestation = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [described],
            "config": {"mediaType": CONFIG, "digest": digest_of(&config), "size": config.len()},
        });
        let attestation = attestation.to_string().into_bytes();
        for blob in [config, layer] {
            self.put_blob(repository, blob);
        }
        let attested = self.put_manifest(repository, &digest_of(&attestation), MANIFEST, &attestation);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {
                "mediaType": MANIFEST, "digest": platform, "size": image.len(), "platform": {"os": "linux", "architecture": "amd64"},
            },
            {
                "mediaType": MANIFEST, "digest": attested, "size": attestation.len(),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.digest": platform, "vnd.docker.reference.type": "attestation-manifest"},
            },
        ]});
        [self.put_manifest(repository, tag, INDEX, index.to_string().as_bytes()), platform]
    }

    /// Puts the manifest of one tag under another.
    pub fn copy_tag(&self, repository: &str, from: &str, to: &str) {
        let manifest = self.ask(Method::GET, repository, &format!("manifests/{from}"), "", Vec::new()).unwrap();
        let media_type = manifest.header("content-type").to_owned();
        self.put(repository, to, &media_type, &manifest.body);
    }

    /// Lets everything that refers to one image refer to another too.
    pub fn transplant(&self, repository: &str, from: &str, to: &str) {
        let list = self.ask(Method::GET, repository, &format!("referrers/{from}"), "", Vec::new()).unwrap();
        let list: Value = serde_json::from_slice(&list.body).unwrap();
        let entries = list["manifests"].as_array().unwrap();
        assert!(!entries.is_empty(), "nothing refers to {repository}@{from}");
        for entry in entries {
            let mut manifest = self.manifest(repository, entry["digest"].as_str().unwrap()).unwrap();
            manifest["subject"]["digest"] = to.into();
            let bytes = manifest.to_string().into_bytes();
            self.put(repository, &digest_of(&bytes), MANIFEST, &bytes);
        }
    }

    /// Removes a manifest.
    pub fn delete(&self, repository: &str, digest: &str) {
        let reply = self.ask(Method::DELETE, repository, &format!("manifests/{digest}"), "", Vec::new()).unwrap();
        assert!(reply.status < 300, "DELETE {repository}@{digest}: {}: {}", reply.status, reply.text());
    }

    /// The digest and media type that a tag or digest leads to now; none where there is nothing.
    pub fn resolve(&self, repository: &str, reference: &str) -> Option<(String, String)> {
        let reply = self.ask(Method::HEAD, repository, &format!("manifests/{reference}"), "", Vec::new())?;
        let found = (reply.header("docker-content-digest").to_owned(), reply.header("content-type").to_owned());
        (reply.status == 200).then_some(found)
    }

    /// A manifest, read.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Value> {
        let reply = self.ask(Method::GET, repository, &format!("manifests/{reference}"), "", Vec::new())?;
        serde_json::from_slice(&reply.body).ok()
    }

    /// Lays down configuration and layer; the manifest of both.
    fn manifest_of(&self, repository: &str, architecture: &str, content: &str) -> Vec<u8> {
        let layer = tar_of(content);
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_of(&layer)]},
        });
        let config = config.to_string().into_bytes();
        let descriptor = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": digest_of(bytes), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &config), "layers": [descriptor(LAYER, &layer)],
        });
        for blob in [config, layer] {
            self.pushed.lock().unwrap().insert(digest_of(&blob));
            self.put_blob(repository, blob);
        }
        manifest.to_string().into_bytes()
    }

    fn put_blob(&self, repository: &str, bytes: Vec<u8>) {
        let begun = self.ask(Method::POST, repository, "blobs/uploads/", "", Vec::new()).unwrap();
        let location = begun.header("location");
        assert_eq!(begun.status, 202, "upload to {repository}: {}", begun.text());
        let separator = if location.contains('?') { '&' } else { '?' };
        let place = location.strip_prefix(&format!("http://{}", self.host)).unwrap_or(location);
        let url = format!("http://{}{place}{separator}digest={}", self.host, digest_of(&bytes));
        let reply = self.authorized(Method::PUT, repository, &url, "application/octet-stream", bytes).unwrap();
        assert_eq!(reply.status, 201, "PUT {url}: {}", reply.text());
    }

    /// Puts a manifest whose bytes are the same in every run.
    fn put_manifest(&self, repository: &str, reference: &str, media_type: &str, bytes: &[u8]) -> String {
        self.put(repository, reference, media_type, bytes);
        let digest = digest_of(bytes);
        self.pushed.lock().unwrap().insert(digest.clone());
        digest
    }

    fn put(&self, repository: &str, reference: &str, media_type: &str, bytes: &[u8]) {
        let reply = self.ask(Method::PUT, repository, &format!("manifests/{reference}"), media_type, bytes.to_vec()).unwrap();
        assert_eq!(reply.status, 201, "PUT {repository} {reference}: {}", reply.text());
    }

    fn ask(&self, method: Method, repository: &str, what: &str, content_type: &str, body: Vec<u8>) -> Option<Reply> {
        self.authorized(method, repository, &format!("http://{}/v2/{repository}/{what}", self.host), content_type, body)
    }

    fn authorized(&self, method: Method, repository: &str, url: &str, content_type: &str, body: Vec<u8>) -> Option<Reply> {
        let authorization = match &self.login {
            Login::Open => String::new(),
            Login::Basic(login) => format!("Basic {}", STANDARD.encode(login)),
            Login::Token(login) => format!("Bearer {}", self.token(repository, login)?),
        };
        let mut headers = vec![("Accept", ACCEPT), ("Content-Type", content_type)];
        if !authorization.is_empty() {
            headers.push(("Authorization", &authorization));
        }
        self.http.send(method, url, &headers, body)
    }

    /// Asks where the registry's challenge says.
    fn token(&self, repository: &str, login: &str) -> Option<String> {
        let refused = self.http.send(Method::GET, &format!("http://{}/v2/", self.host), &[], "")?;
        let challenge = refused.header("www-authenticate").to_owned();
        let field =
            |name: &str| challenge.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value);
        let url = format!("{}?service={}&scope=repository:{repository}:pull,push,delete", field("realm")?, field("service")?);
        let authorization = format!("Basic {}", STANDARD.encode(login));
        let reply = self.http.send(Method::GET, &url, &[("Authorization", &authorization)], "")?;
        Some(serde_json::from_slice::<Value>(&reply.body).ok()?["token"].as_str()?.to_owned())
    }
}

/// A layer with one file.
fn tar_of(content: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "content", content.as_bytes()).unwrap();
    archive.into_inner().unwrap()
}
