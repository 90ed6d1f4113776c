//! The kubelet's credential-provider plug-ins.
//!
//! Sources: `CredentialProviderConfig` (`kubelet.config.k8s.io/v1`) and the exec protocol `credentialprovider.kubelet.k8s.io/v1`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::Instant;

use super::docker_config::basic;
use super::process::run;
use super::pull_secret::Pattern;
use super::{CredentialSource, Found, Login};
use crate::model::{CredentialKind, Repository, escape_control};
use crate::registry::error::RegistryError;
use crate::registry::options::CredentialProviders;

const MOST_BYTES: u64 = 1 << 20;
/// Failures, and answers that may not be kept, are not asked for again within this time: a scan has thousands of images.
const SHORTEST: Duration = Duration::from_secs(60);
const GROUP: &str = "credentialprovider.kubelet.k8s.io/";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    kind: String,
    #[serde(default)]
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    name: String,
    match_images: Vec<String>,
    #[serde(default)]
    default_cache_duration: Option<String>,
    api_version: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    token_attributes: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    kind: String,
    cache_key_type: CacheKeyType,
    #[serde(default)]
    cache_duration: Option<String>,
    #[serde(default)]
    auth: Option<BTreeMap<String, AuthEntry>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum CacheKeyType {
    Image,
    Registry,
    Global,
}

#[derive(Deserialize)]
struct AuthEntry {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// What a plug-in answered, for which images, until when.
struct Kept {
    key: Option<String>,
    until: Instant,
    answer: Result<Vec<(String, Pattern, Login)>, String>,
}

/// The plug-ins as a source of logins.
pub(in crate::registry) struct CredentialProviderSource {
    directory: PathBuf,
    timeout: Duration,
    providers: Vec<(Provider, Vec<Pattern>)>,
    kept: Mutex<HashMap<usize, Arc<tokio::sync::Mutex<Vec<Kept>>>>>,
}

impl CredentialProviderSource {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When it cannot be read or names no plug-in properly.
    pub(in crate::registry) fn open(options: &CredentialProviders, timeout: Duration) -> Result<Self, RegistryError> {
        let wrong = |reason: String| RegistryError::CredentialProviders { path: options.config.clone(), reason };
        let text = std::fs::read_to_string(&options.config).map_err(|error| wrong(error.to_string()))?;
        let configuration: Configuration = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if configuration.kind != "CredentialProviderConfig" {
            return Err(wrong(format!("its kind is {:?}, not CredentialProviderConfig", configuration.kind)));
        }
        let mut providers = Vec::new();
        for provider in configuration.providers {
            let name = &provider.name;
            if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', ' ']) {
                return Err(wrong(format!("{name:?} is no name of a program in the plug-in directory")));
            }
            if !provider.api_version.starts_with(GROUP) {
                return Err(wrong(format!("{name} speaks {:?}, not {GROUP}v1", provider.api_version)));
            }
            let patterns = provider.match_images.iter().map(|image| Pattern::parse(image).1).collect();
            providers.push((provider, patterns));
        }
        Ok(Self { directory: options.directory.clone(), timeout, providers, kept: Mutex::default() })
    }

    async fn logins(&self, repository: &Repository) -> Found {
        let mut found = Found::default();
        for (number, (provider, patterns)) in self.providers.iter().enumerate() {
            if !patterns.iter().any(|pattern| pattern.matches(repository)) {
                continue;
            }
            let origin = format!("credential provider {}", escape_control(&provider.name));
            if provider.token_attributes.is_some() {
                found.problems.push(format!(
                    "{origin} was not asked: it logs in with tokens of the pods' service accounts (tokenAttributes), and a scan requests \
                     none; log in to {host} yourself (`docker login {host}`, or --docker-config FILE), or give the workload a pull secret",
                    host = repository.registry()
                ));
                continue;
            }
            match self.answer(number, provider, repository).await {
                Ok(entries) => {
                    let mut matching: Vec<_> = entries.into_iter().filter(|(_, pattern, _)| pattern.matches(repository)).collect();
                    matching.sort_by(|one, other| other.0.cmp(&one.0));
                    found
                        .credentials
                        .extend(matching.into_iter().map(|(_, _, login)| (CredentialKind::CredentialProvider, login, origin.clone())));
                }
                Err(problem) => found.problems.push(format!("{origin}: {problem}")),
            }
        }
        found
    }

    async fn answer(&self, number: usize, provider: &Provider, repository: &Repository) -> Result<Vec<(String, Pattern, Login)>, String> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kept.entry(number).or_default())
        };
        let mut kept = kept.lock().await;
        let image = repository.to_string();
        kept.retain(|kept| kept.until > Instant::now());
        let known = kept.iter().find(|kept| kept.key.as_deref().is_none_or(|key| key == image || key == repository.registry()));
        if let Some(known) = known {
            return known.answer.clone();
        }
        let asked = self.ask(provider, &image).await;
        let (key, keep, answer) = match asked {
            Ok((key_type, keep, entries)) => {
                let key = match key_type {
                    CacheKeyType::Image => Some(image),
                    CacheKeyType::Registry => Some(repository.registry().to_owned()),
                    CacheKeyType::Global => None,
                };
                (key, keep, Ok(entries))
            }
            Err(problem) => (Some(repository.registry().to_owned()), SHORTEST, Err(problem)),
        };
        kept.push(Kept { key, until: Instant::now() + keep.max(SHORTEST), answer: answer.clone() });
        answer
    }

    async fn ask(&self, provider: &Provider, image: &str) -> Result<(CacheKeyType, Duration, Vec<(String, Pattern, Login)>), String> {
        let request = serde_json::json!({ "kind": "CredentialProviderRequest", "apiVersion": provider.api_version, "image": image });
        let mut command = Command::new(self.directory.join(&provider.name));
        command.args(&provider.args).envs(provider.env.iter().map(|variable| (&variable.name, &variable.value)));
        let finished = run(command, request.to_string().as_bytes(), self.timeout, MOST_BYTES).await.map_err(|error| error.to_string())?;
        if !finished.success {
            return Err("it failed".to_owned());
        }
        let response: Response =
            serde_json::from_slice(&finished.output).map_err(|_| "its answer is not the JSON of the protocol".to_owned())?;
        if response.kind != "CredentialProviderResponse" {
            return Err("its answer is no CredentialProviderResponse".to_owned());
        }
        let keep = response.cache_duration.as_deref().or(provider.default_cache_duration.as_deref());
        let keep = keep.and_then(|text| text.parse::<SignedDuration>().ok()).and_then(|keep| keep.try_into().ok()).unwrap_or(SHORTEST);
        let entries = response.auth.unwrap_or_default().into_iter().map(|(place, entry)| {
            let (key, pattern) = Pattern::parse(&place);
            (key, pattern, basic(entry.username, entry.password))
        });
        Ok((response.cache_key_type, keep, entries.collect()))
    }
}

impl CredentialSource for CredentialProviderSource {
    fn find<'a>(&'a self, repository: &'a Repository) -> BoxFuture<'a, Found> {
        self.logins(repository).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::Secret;

    /// A plug-in that counts its runs in a file beside it.
    fn source(script: &str) -> (tempfile::TempDir, CredentialProviderSource) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("plug-in");
        std::fs::write(&program, format!("#!/bin/sh\necho run >> \"$0.runs\"\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let config = directory.path().join("config.yaml");
        std::fs::write(
            &config,
            "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n- name: plug-in\n  matchImages: ['*.dkr.example.com']\n  defaultCacheDuration: 12h\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  args: [get]\n  env: [{name: WHO, value: robot}]\n",
        )
        .unwrap();
        let options = CredentialProviders { config, directory: directory.path().to_owned() };
        let source = CredentialProviderSource::open(&options, Duration::from_millis(700)).unwrap();
        (directory, source)
    }

    fn repository(text: &str) -> Repository {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_plug_in_is_asked_by_the_protocol_and_its_answer_kept() {
        let (directory, source) = source(
            r#"request=$(cat); case "$request" in *'"image":"a.dkr.example.com/x"'*) ;; *) exit 1;; esac
            echo "{\"kind\":\"CredentialProviderResponse\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"6h0m0s\",\"auth\":{\"*.dkr.example.com\":{\"username\":\"$WHO\",\"password\":\"$1\"},\"other.io\":{\"username\":\"no\",\"password\":\"no\"}}}""#,
        );
        for image in ["a.dkr.example.com/x", "a.dkr.example.com/y"] {
            let found = source.find(&repository(image)).await;
            assert!(found.problems.is_empty(), "{:?}", found.problems);
            let logins: Vec<_> = found.credentials.into_iter().map(|(kind, login, _)| (kind, login)).collect();
            let robot = Login::Basic { username: "robot".into(), password: Secret::new("get") };
            assert_eq!(logins, [(CredentialKind::CredentialProvider, robot)]);
        }
        assert!(source.find(&repository("ghcr.io/x/y")).await.credentials.is_empty());
        assert_eq!(std::fs::read_to_string(directory.path().join("plug-in.runs")).unwrap(), "run\n");
    }

    #[tokio::test]
    async fn a_plug_in_that_hangs_floods_or_fails_is_told_without_what_it_wrote() {
        for (script, expected) in [
            ("exec sleep 60", "credential provider plug-in: it gave no answer within 0.7 s"),
            ("exec yes hunter2", "credential provider plug-in: it wrote more than 1048576 bytes"),
            ("echo hunter2; echo hunter2 >&2; exit 3", "credential provider plug-in: it failed"),
            ("echo hunter2", "credential provider plug-in: its answer is not the JSON of the protocol"),
        ] {
            let (_directory, source) = source(script);
            let found = source.find(&repository("a.dkr.example.com/x")).await;
            assert_eq!((found.credentials.len(), found.problems), (0, vec![expected.to_owned()]), "{script}");
        }
    }

    #[tokio::test]
    async fn a_plug_in_that_wants_a_pods_token_is_not_run_and_the_way_out_is_told() {
        let (directory, _) = source("");
        let config = directory.path().join("config.yaml");
        let wants = std::fs::read_to_string(&config).unwrap()
            + "  tokenAttributes: {serviceAccountTokenAudience: registry, cacheType: Token, requireServiceAccount: true}\n";
        std::fs::write(&config, wants).unwrap();
        let options = CredentialProviders { config, directory: directory.path().to_owned() };
        let source = CredentialProviderSource::open(&options, Duration::from_millis(700)).unwrap();
        let found = source.find(&repository("a.dkr.example.com/x")).await;
        assert!(found.credentials.is_empty() && !directory.path().join("plug-in.runs").exists());
        let [problem] = found.problems.as_slice() else { panic!("{:?}", found.problems) };
        for part in ["credential provider plug-in was not asked", "service accounts", "`docker login a.dkr.example.com`", "pull secret"] {
            assert!(problem.contains(part), "{part}: {problem}");
        }
    }

    #[test]
    fn a_broken_configuration_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.yaml");
        let provider = |name: &str, version: &str| {
            format!("kind: CredentialProviderConfig\nproviders: [{{name: {name}, matchImages: [x.io], apiVersion: {version}}}]")
        };
        for text in
            ["kind: Other".to_owned(), "[".to_owned(), provider("../sh", "credentialprovider.kubelet.k8s.io/v1"), provider("a", "v1")]
        {
            std::fs::write(&config, &text).unwrap();
            let options = CredentialProviders { config: config.clone(), directory: directory.path().to_owned() };
            assert!(CredentialProviderSource::open(&options, Duration::ZERO).is_err(), "{text}");
        }
    }
}
