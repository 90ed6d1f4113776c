//! One TUF repository, by `sigstore-tuf`: its update workflow against what is kept, with the network or without.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{HttpRepository, MetadataStore, Repository, Updater, UpdaterConfig};

use super::options::{ProxySource, TrustOptions};
use super::{MATERIAL_LIMIT, file};

/// The target that clients of Sigstore ask for.
const TARGET: &str = "trusted_root.json";
/// Metadata of one role of one's own, in bytes; the library's limits are meant for any repository.
const METADATA_LIMIT: u64 = 2 << 20;

/// Files by name, as the update workflow reads and writes them.
#[derive(Debug, Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Files {
    fn new(files: &BTreeMap<String, String>) -> Self {
        let files = files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        Self(Arc::new(Mutex::new(files)))
    }

    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Those that a later verification reads; metadata is JSON, and so is the target.
    fn texts(&self) -> BTreeMap<String, String> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read_again = files.iter().filter(|(name, _)| name.starts_with("root_history/") || unversioned(name).is_none());
        read_again.filter_map(|(name, bytes)| Some((name.clone(), String::from_utf8(bytes.clone()).ok()?))).collect()
    }
}

impl MetadataStore for Files {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        Ok(self.get(name))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}

/// The name without its version, where it has one: `7.targets.json`.
fn unversioned(name: &str) -> Option<&str> {
    let (version, rest) = name.split_once('.')?;
    (!version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// The kept files as a repository. Newer roots lie elsewhere and were walked through before; delegated metadata is asked for with its
/// version and kept without.
impl Repository for Files {
    fn fetch_metadata<'a>(&'a self, name: &'a str, _: u64) -> FetchFuture<'a> {
        let found = match unversioned(name) {
            Some("root.json") => None,
            Some(rest) => self.get(rest),
            None => self.get(name),
        };
        Box::pin(async move { Ok(found) })
    }

    fn fetch_target<'a>(&'a self, _: &'a str, _: u64) -> FetchFuture<'a> {
        // One that fits its metadata was found before.
        Box::pin(async { Ok(None) })
    }
}

/// What a repository said.
pub(super) struct Said {
    /// The trust root.
    pub(super) target: Vec<u8>,
    /// Everything that is needed to verify it again.
    pub(super) files: BTreeMap<String, String>,
}

/// Verifies what is kept, as of this moment, without network.
pub(super) async fn verify(bootstrap: &[u8], files: &BTreeMap<String, String>, at: Timestamp) -> Result<Vec<u8>, String> {
    let files = Files::new(files);
    update(files.clone(), files, bootstrap, at).await.map(|said| said.target)
}

/// Asks the repository, once. What is kept sets a floor to the versions that are accepted.
pub(super) async fn fetch(url: &str, bootstrap: &[u8], files: &BTreeMap<String, String>, options: &TrustOptions) -> Result<Said, String> {
    let repository = HttpRepository::new(url).map_err(|error| chain(&error))?.with_http_client(client(options)?);
    let asking = update(repository, Files::new(files), bootstrap, options.now);
    match tokio::time::timeout(options.timeout, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no complete answer within {} s", options.timeout.as_secs_f64())),
    }
}

async fn update(repository: impl Repository + 'static, files: Files, bootstrap: &[u8], at: Timestamp) -> Result<Said, String> {
    let mut limits = UpdaterConfig::default();
    limits.snapshot_max_length = METADATA_LIMIT;
    limits.targets_max_length = METADATA_LIMIT;
    limits.target_max_length = MATERIAL_LIMIT;
    let updater = Updater::new(repository, bootstrap).map_err(|error| format!("its first root.json: {}", chain(&error)))?;
    let mut updater = updater.with_config(limits).with_store(files.clone());
    updater.refresh(at).await.map_err(|error| chain(&error))?;
    let target = updater.get_target(TARGET, at).await.map_err(|error| chain(&error))?;
    Ok(Said { target, files: files.texts() })
}

/// An error with its causes: the library's tell only themselves.
fn chain(error: &sigstore_tuf::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

fn client(options: &TrustOptions) -> Result<reqwest::Client, String> {
    let mut authorities = Vec::new();
    for path in &options.ca_files {
        let pem = file::read(path, MATERIAL_LIMIT)?;
        let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| format!("{}: {error}", file::shown(path)))?;
        authorities.extend(found);
    }
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("seaworthy/", env!("CARGO_PKG_VERSION")))
            // What comes is signed, whoever serves it.
            .redirect(reqwest::redirect::Policy::limited(3))
            .referer(false)
            // The whole attempt has a time-out; steps need none of their own.
            .retry(reqwest::retry::never());
        match options.proxies {
            ProxySource::Environment => builder,
            ProxySource::None => builder.no_proxy(),
        }
    };
    // A machine without any certificate authorities can still ask over plain HTTP, and those of its own files.
    let made = builder().tls_certs_merge(authorities.iter().cloned()).build();
    made.or_else(|_| builder().tls_certs_only(authorities).build()).map_err(|error| format!("no HTTP client can be made: {error}"))
}
