//! Pull secrets, matched as the kubelet matches them.
//!
//! Source: `k8s.io/kubernetes/pkg/credentialprovider/keyring.go` (`Add`, `URLsMatch`, `Lookup`): globs within the labels of the
//! host, ports equal, the path by its beginning, the longer key first, Docker Hub's own key last.

use std::collections::{BTreeMap, HashMap};

use super::docker_config::DockerConfig;
use super::{Found, Login};
use crate::model::{Cause, CredentialIdentity, CredentialKind, PullSecret, Repository, SecretName, escape_control};

/// The key under which the kubelet looks for Docker Hub when nothing else matches.
const DOCKER_HUB_KEY: &str = "index.docker.io";

/// The pull secrets of a scan.
#[derive(Default)]
pub(in crate::registry) struct PullSecrets {
    by_name: HashMap<SecretName, Held>,
}

struct Held {
    /// The first name in order under which the same value lies.
    first: SecretName,
    content: Result<Vec<Entry>, String>,
    /// Entries that cannot be used.
    problems: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `host[:port][/path]` as the kubelet writes its keys.
    key: String,
    pattern: Pattern,
    login: Login,
}

/// A host (with globs), a port and the beginning of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    labels: Vec<String>,
    port: Option<String>,
    path: String,
}

impl PullSecrets {
    pub(in crate::registry) fn new(mut secrets: Vec<PullSecret>) -> Self {
        secrets.sort_by(|one, other| one.name.cmp(&other.name));
        let mut readable: HashMap<String, SecretName> = HashMap::new();
        let mut unreadable: BTreeMap<Cause, SecretName> = BTreeMap::new();
        let mut by_name = HashMap::new();
        for secret in secrets {
            let (content, problems, first) = match read(&secret) {
                Ok((entries, problems)) => {
                    let value = entries.iter().fold(String::new(), |value, entry| format!("{value}{:?}\n", Value(entry)));
                    let first = readable.entry(value).or_insert_with(|| secret.name.clone()).clone();
                    (Ok(entries), problems, first)
                }
                // What could not be read is all the same to a registry.
                Err((cause, problem)) => (Err(problem), Vec::new(), unreadable.entry(cause).or_insert_with(|| secret.name.clone()).clone()),
            };
            by_name.insert(secret.name, Held { first, content, problems });
        }
        Self { by_name }
    }

    /// Those of a workload's secrets that say something about a repository, each under the first name of its value; and those that
    /// could not be read, because nobody knows what they say.
    pub(in crate::registry) fn identity(&self, names: &[SecretName], repository: &Repository) -> CredentialIdentity {
        let held: Vec<&Held> = names.iter().filter_map(|name| self.by_name.get(name)).collect();
        let matching =
            |held: &&Held| held.content.as_ref().is_ok_and(|entries| entries.iter().any(|entry| entry.pattern.matches(repository)));
        let fall_back = !held.iter().any(matching);
        let mut identity: Vec<SecretName> = Vec::new();
        for secret in held {
            let says = match &secret.content {
                Err(_) => true,
                Ok(_) if !fall_back => matching(&secret),
                Ok(entries) => entries.iter().any(|entry| is_default(&entry.key, repository)),
            };
            if says && !identity.contains(&secret.first) {
                identity.push(secret.first.clone());
            }
        }
        CredentialIdentity(identity.into())
    }

    /// The logins of an identity for a repository, in the kubelet's order.
    pub(super) fn find(&self, identity: &CredentialIdentity, repository: &Repository) -> Found {
        let mut matching: Vec<(&str, &SecretName, &Login)> = Vec::new();
        let mut default = Vec::new();
        let mut problems = Vec::new();
        for name in identity.0.iter() {
            let Some(held) = self.by_name.get(name) else {
                problems.push("a pull secret of the workload is not known to this scan".to_owned());
                continue;
            };
            problems.extend_from_slice(&held.problems);
            match &held.content {
                Err(problem) => problems.push(problem.clone()),
                Ok(entries) => {
                    for entry in entries {
                        if entry.pattern.matches(repository) {
                            matching.push((&entry.key, name, &entry.login));
                        } else if is_default(&entry.key, repository) {
                            default.push((entry.key.as_str(), name, &entry.login));
                        }
                    }
                }
            }
        }
        if matching.is_empty() {
            matching = default;
        }
        // Reverse order of keys puts the longer path first; among equal keys the order of the secrets stays.
        matching.sort_by(|one, other| other.0.cmp(one.0));
        let credentials = matching
            .into_iter()
            .map(|(_, name, login)| (CredentialKind::PullSecret, login.clone(), format!("pull secret {name}")))
            .collect();
        Found { credentials, problems }
    }
}

/// The value of an entry in full, for comparing secrets; never printed.
struct Value<'a>(&'a Entry);

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (username, value) = match &self.0.login {
            Login::Anonymous => ("", ""),
            Login::Basic { username, password } => (username.as_str(), password.expose()),
            Login::Identity(token) => ("\u{1}", token.expose()),
            Login::Token(token) => ("\u{2}", token.expose()),
        };
        write!(formatter, "{:?} {username:?} {value:?}", self.0.key)
    }
}

fn read(secret: &PullSecret) -> Result<(Vec<Entry>, Vec<String>), (Cause, String)> {
    let text = match &secret.config {
        Ok(text) => text,
        Err((cause, _)) => return Err((*cause, format!("a pull secret of the workload could not be read ({cause})"))),
    };
    let config = DockerConfig::parse(text.expose())
        .map_err(|_| (Cause::InvalidResponse, "a pull secret of the workload is no Docker configuration".to_owned()))?;
    let mut entries = Vec::new();
    let mut problems = Vec::new();
    for (place, login) in config.logins {
        let (key, pattern) = Pattern::parse(&place);
        match login {
            Ok(login) => entries.push(Entry { key, pattern, login }),
            Err(reason) => problems.push(format!("an entry of a pull secret, for {}, cannot be used: {reason}", escape_control(&key))),
        }
    }
    Ok((entries, problems))
}

fn is_default(key: &str, repository: &Repository) -> bool {
    key == DOCKER_HUB_KEY && repository.registry() == "docker.io"
}

impl Pattern {
    /// Reads a place as the kubelet does, and gives its key for it.
    pub(super) fn parse(place: &str) -> (String, Self) {
        let bare = place.strip_prefix("https://").or_else(|| place.strip_prefix("http://")).unwrap_or(place);
        let bare = bare.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = bare.find('/').map_or((bare, ""), |slash| bare.split_at(slash));
        // Both versions of the API stand for the host.
        let path = if path.starts_with("/v1/") || path.starts_with("/v2/") { &path[3..] } else { path };
        let path = if path == "/" { "" } else { path };
        let host = host.to_ascii_lowercase();
        let key = format!("{host}{path}");
        (key, Self::of(&host, path))
    }

    fn of(host: &str, path: &str) -> Self {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (host, None),
        };
        Self {
            labels: name.split('.').map(str::to_owned).collect(),
            // References are normalised: without the default port.
            port: port.filter(|port| *port != "443").map(str::to_owned),
            path: path.to_owned(),
        }
    }

    pub(super) fn matches(&self, repository: &Repository) -> bool {
        let target = Self::of(repository.registry(), "");
        self.port == target.port
            && self.labels.len() == target.labels.len()
            && self.labels.iter().zip(&target.labels).all(|(glob, label)| glob_matches(glob.as_bytes(), label.as_bytes()))
            // The kubelet compares beginnings, not segments.
            && self.path.strip_prefix('/').is_none_or(|path| repository.path().starts_with(path))
    }
}

/// Go's `filepath.Match` within one label: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before a literal. Only the last star is gone back
/// to, so that the time stays within the product of the lengths.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if glob.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, seen));
        } else if let Some(length) = element_matches(&glob[at..], text[seen]) {
            at += length;
            seen += 1;
        } else if let Some((after, from)) = star {
            at = after;
            seen = from + 1;
            star = Some((after, seen));
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

/// The length of the glob's first element, if the byte is matched by it.
fn element_matches(glob: &[u8], byte: u8) -> Option<usize> {
    match glob.first()? {
        b'?' => Some(1),
        b'[' => class_matches(glob, byte),
        b'\\' => (glob.get(1) == Some(&byte)).then_some(2),
        literal => (*literal == byte).then_some(1),
    }
}

/// The length of a character class that the byte is in.
fn class_matches(glob: &[u8], byte: u8) -> Option<usize> {
    let negated = glob.get(1) == Some(&b'^');
    let start = if negated { 2 } else { 1 };
    let length = glob[start..].iter().position(|close| *close == b']').filter(|length| *length > 0)?;
    let class = &glob[start..start + length];
    let mut at = 0;
    let mut inside = false;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == b'-' {
            inside |= (class[at]..=class[at + 2]).contains(&byte);
            at += 3;
        } else {
            inside |= class[at] == byte;
            at += 1;
        }
    }
    (inside != negated).then_some(start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    fn matches(place: &str, repository: &str) -> bool {
        Pattern::parse(place).1.matches(&repository.parse().unwrap())
    }

    /// Cases of the kubelet's own `TestURLsMatch` and `TestDockerKeyringForGlob`, as far as they are about matching.
    #[test]
    fn places_match_as_in_the_kubelet() {
        for (place, repository, expected) in [
            ("https://registry.io", "registry.io/app", true),
            ("registry.io:8443", "registry.io:8443/app", true),
            ("registry.io", "registry.io:8443/app", false),
            ("registry.io:8443", "registry.io/app", false),
            ("registry.io:443", "registry.io/app", true),
            ("registry.io/v2/", "registry.io/app", true),
            ("registry.io/v1/", "registry.io/app", true),
            ("registry.io/v2/team", "registry.io/team/app", true),
            ("registry.io/team", "registry.io/team/app", true),
            ("registry.io/team", "registry.io/team-b/app", true),
            ("registry.io/team", "registry.io/other/app", false),
            ("*.registry.io", "a.registry.io/app", true),
            ("*.registry.io", "registry.io/app", false),
            ("*.registry.io", "a.b.registry.io/app", false),
            ("prefix.*.io", "prefix.kubernetes.io/app", true),
            ("*-good.io", "prefix-good.io/app", true),
            ("reg[a-j]stry.io", "registry.io/app", true),
            ("reg[^a-h]stry.io", "registry.io/app", true),
            ("reg[^i]stry.io", "registry.io/app", false),
            ("*.*.registry.io", "a.b.registry.io/app", true),
            ("a*b*c.io", "axbxbyc.io/app", true),
            ("a*b*c.io", "axbxbyd.io/app", false),
            ("REGISTRY.io", "registry.io/app", true),
            ("*", "registry.io/app", false),
            ("[broken.io", "registry.io/app", false),
        ] {
            assert_eq!(matches(place, repository), expected, "{place} and {repository}");
        }
    }

    fn name(text: &str) -> SecretName {
        text.parse().unwrap()
    }

    fn secret(own: &str, entries: &[(&str, &str)]) -> PullSecret {
        let auths: BTreeMap<_, _> =
            entries.iter().map(|(place, user)| (*place, serde_json::json!({ "username": user, "password": "p" }))).collect();
        PullSecret { name: name(own), config: Ok(Secret::new(serde_json::json!({ "auths": auths }).to_string())) }
    }

    fn users(secrets: &PullSecrets, names: &[&str], repository: &str) -> Vec<String> {
        let names: Vec<_> = names.iter().copied().map(name).collect();
        let repository = repository.parse().unwrap();
        let found = secrets.find(&secrets.identity(&names, &repository), &repository);
        found
            .credentials
            .into_iter()
            .map(|(_, login, _)| match login {
                Login::Basic { username, .. } => username,
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn the_longer_path_is_tried_first_and_docker_hub_only_as_a_last_resort() {
        let secrets = PullSecrets::new(vec![
            secret("a/one", &[("quay.io", "host"), ("https://index.docker.io/v1/", "hub")]),
            secret("a/two", &[("quay.io/coreos", "team"), ("quay.io", "host two")]),
            secret("a/three", &[("docker.io/acme", "acme")]),
        ]);
        let all = ["a/one", "a/two", "a/three"];
        assert_eq!(users(&secrets, &all, "quay.io/coreos/etcd"), ["team", "host", "host two"]);
        assert_eq!(users(&secrets, &all, "quay.io/other/etcd"), ["host", "host two"]);
        assert_eq!(users(&secrets, &all, "acme/app"), ["acme"]);
        assert_eq!(users(&secrets, &all, "nginx"), ["hub"]);
        assert_eq!(users(&secrets, &["a/two"], "nginx"), [""; 0]);
        assert_eq!(users(&secrets, &all, "ghcr.io/x/y"), [""; 0]);
    }

    #[test]
    fn copies_of_one_secret_are_one_identity() {
        let mut all: Vec<_> = (0..3).map(|number| secret(&format!("team-{number}/pull"), &[("quay.io", "robot")])).collect();
        all.push(secret("other/pull", &[("quay.io", "someone else")]));
        let secrets = PullSecrets::new(all);
        let identity = |own: &str, repository: &str| secrets.identity(&[name(own)], &repository.parse().unwrap());
        assert_eq!(identity("team-2/pull", "quay.io/a/b").0.to_vec(), [name("team-0/pull")]);
        assert_eq!(identity("other/pull", "quay.io/a/b").0.to_vec(), [name("other/pull")]);
        assert_eq!(identity("team-2/pull", "ghcr.io/a/b"), CredentialIdentity::default());
        assert_eq!(identity("no/such", "quay.io/a/b"), CredentialIdentity::default());
    }

    #[test]
    fn what_could_not_be_read_is_remembered_and_tells_nothing() {
        let unreadable = |own: &str| PullSecret { name: name(own), config: Err((Cause::Forbidden, "secrets is forbidden".into())) };
        let broken = PullSecret { name: name("c/broken"), config: Ok(Secret::new("hunter2")) };
        let secrets = PullSecrets::new(vec![unreadable("b/pull"), unreadable("a/pull"), broken]);
        let repository = "quay.io/a/b".parse().unwrap();
        let identity = secrets.identity(&[name("b/pull"), name("c/broken")], &repository);
        assert_eq!(identity.0.to_vec(), [name("a/pull"), name("c/broken")]);
        let found = secrets.find(&identity, &repository);
        assert!(found.credentials.is_empty());
        assert_eq!(
            found.problems,
            ["a pull secret of the workload could not be read (forbidden)", "a pull secret of the workload is no Docker configuration"]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics_or_hangs(glob in "[a*?\\[\\]^\\\\-]{0,40}", text in "[ab]{0,60}") {
            let _ = glob_matches(glob.as_bytes(), text.as_bytes());
        }
    }
}
