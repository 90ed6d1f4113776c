//! All servers of a run, started once and shared by every test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::client::Http;
use super::cluster::Cluster;
use super::fronts::Front;
use super::process::{Ended, Servers, finish, port, wait};
use super::registries::{Login, Registry};
use super::sigstore::Sigstore;
use super::{node, supervisor};

const ROBOT: &str = "robot:pull-me";
const WRITER: &str = "writer:push-me";
/// What answers the challenge of the registry with token login. By a name: cosign takes no such address on loopback.
const TOKEN_PORT: u16 = 43_119;
const REFERRERS_PORT: u16 = 43_110;
const FALLBACK_PORT: u16 = 43_111;
const BASIC_PORT: u16 = 43_112;
const TOKEN_LOGIN_PORT: u16 = 43_113;
const FRONTS: [(&str, u16); 4] = [("closed", 43_114), ("unauthorized", 43_115), ("limited", 43_116), ("silent", 43_117)];

/// The servers.
pub struct Stack {
    /// Directory of the run.
    pub run: PathBuf,
    /// Starts more.
    pub servers: Servers,
    /// The cluster.
    pub cluster: Cluster,
    /// Has the referrers API.
    pub referrers: Registry,
    /// Has not.
    pub fallback: Registry,
    /// Those with a login; none where docker-registry is not installed.
    pub private: Option<Private>,
    /// Vouches for identities, logs and stamps; none where its servers cannot be had.
    pub sigstore: Option<Sigstore>,
    /// Fronts of [`Stack::referrers`], with the registry as one sees it through them.
    pub fronts: BTreeMap<&'static str, (Front, Registry)>,
    token_port: u16,
}

/// Registries with a login.
pub struct Private {
    /// User and password with each request.
    pub basic: Registry,
    /// A token from another server.
    pub token: Registry,
}

/// The stack of this process, started by whoever comes first.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    // A second attempt would fail as the first did, only later.
    let stack = STACK.get_or_init(|| std::panic::catch_unwind(Stack::start).ok());
    stack.as_ref().unwrap_or_else(|| panic!("the servers did not start: the first test that failed says why"))
}

impl Stack {
    fn start() -> Self {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_else(|| panic!("these tests are run by make e2e"));
        let run = variable(supervisor::RUN);
        supervisor::end_with_supervisor(run.clone());
        let begun = Instant::now();
        let servers = Servers::new(variable(supervisor::PROGRAMS), run.clone());
        let cluster = Cluster::start(&servers, &run);
        let http = Http::new(None);
        let referrers = start_ociserve(&servers, &http, "referrers", REFERRERS_PORT, true);
        let fallback = start_ociserve(&servers, &http, "fallback", FALLBACK_PORT, false);
        let (token_port, private) = if servers.have("docker-registry") {
            let token_port = port(TOKEN_PORT);
            (token_port, Some(start_private(&servers, &http, token_port)))
        } else {
            (0, None)
        };
        let fronts = FRONTS
            .map(|(name, wanted)| {
                let front = Front::before(port(wanted), referrers.port());
                let seen = Registry::new(http.clone(), front.port, Login::Open);
                (name, (front, seen))
            })
            .into();
        let sigstore = Sigstore::start(&servers, &run);
        cluster.ready(&servers);
        let stack = Self { run, servers, cluster, referrers, fallback, private, sigstore, fronts, token_port };
        stack.write_docker_configuration();
        node::join(&stack.cluster);
        node::run(stack.cluster.clone(), stack.registries().map(|registry| (registry.host.clone(), registry.clone())).collect());
        supervisor::say(&format!("e2e: servers up after {:.1} s", begun.elapsed().as_secs_f32()));
        stack
    }

    /// Every registry, under every name.
    pub fn registries(&self) -> impl Iterator<Item = &Registry> {
        let private = self.private.iter().flat_map(|private| [&private.basic, &private.token]);
        [&self.referrers, &self.fallback].into_iter().chain(private).chain(self.fronts.values().map(|(_, seen)| seen))
    }

    /// Whether every registry has the port that it has where all are free.
    pub fn has_its_ports(&self) -> bool {
        let private = self.private.iter().flat_map(|private| [(&private.basic, BASIC_PORT), (&private.token, TOKEN_LOGIN_PORT)]);
        let fronts = FRONTS.iter().map(|(name, wanted)| (&self.fronts[name].1, *wanted));
        let open = [(&self.referrers, REFERRERS_PORT), (&self.fallback, FALLBACK_PORT)];
        open.into_iter().chain(private).chain(fronts).all(|(registry, wanted)| registry.port() == wanted)
    }

    /// Directory of the Docker configuration with every login to push.
    pub fn docker_configuration(&self) -> PathBuf {
        self.run.join("docker")
    }

    fn write_docker_configuration(&self) {
        let auths: BTreeMap<_, _> = self
            .registries()
            .filter_map(|registry| match registry.login {
                Login::Open => None,
                Login::Basic(login) | Login::Token(login) => Some((registry.host.clone(), json!({"auth": STANDARD.encode(login)}))),
            })
            .collect();
        std::fs::create_dir_all(self.docker_configuration()).unwrap();
        std::fs::write(self.docker_configuration().join("config.json"), json!({"auths": auths}).to_string()).unwrap();
    }

    /// The content of a pull secret, `.dockerconfigjson`, for the login that may pull.
    pub fn pull_secret(&self, registry: &Registry) -> String {
        let auths = BTreeMap::from([(registry.host.as_str(), json!({"auth": STANDARD.encode(ROBOT)}))]);
        json!({"auths": auths}).to_string()
    }

    /// The program under test, in a home directory without anything in it.
    pub fn seaworthy(&self, arguments: &[String]) -> Command {
        let home = self.run.join("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command.env_clear().env("HOME", &home).env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(&self.run);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).args(arguments);
        command
    }

    /// Starts it for a test that does something while it runs.
    pub fn start_seaworthy(&self, arguments: &[String]) -> Child {
        self.seaworthy(arguments).spawn().unwrap()
    }

    /// Runs it to its end.
    pub fn run_seaworthy(&self, arguments: &[String]) -> Ended {
        finish(self.start_seaworthy(arguments))
    }

    /// What every command that asks registries is told: loopback is allowed, without TLS.
    pub fn registry_options(&self) -> Vec<String> {
        let token = format!("localhost:{}", self.token_port);
        let options = ["--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--allow-host", &token, "--plain-http", &token];
        options.map(str::to_owned).into()
    }
}

fn start_ociserve(servers: &Servers, http: &Http, name: &str, wanted: u16, referrers: bool) -> Registry {
    let port = port(wanted);
    let mut command = servers.program("ociserve");
    command.args(["-addr", &format!("127.0.0.1:{port}"), &format!("-referrers={referrers}")]);
    servers.start(name, command);
    up(Registry::new(http.clone(), port, Login::Open))
}

fn start_private(servers: &Servers, http: &Http, token_port: u16) -> Private {
    let (basic, token) = (port(BASIC_PORT), port(TOKEN_LOGIN_PORT));
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/stack");
    let registry = |port: u16, login: &str| {
        let mut command = servers.program("docker-registry");
        command.args(["serve".into(), stack.join("docker-registry.yml")]);
        command.env("REGISTRY_HTTP_ADDR", format!("127.0.0.1:{port}")).env("REGISTRY_AUTH", login);
        command
    };
    let mut by_password = registry(basic, "htpasswd");
    by_password.env("REGISTRY_AUTH_HTPASSWD_REALM", "e2e").env("REGISTRY_AUTH_HTPASSWD_PATH", stack.join("htpasswd"));
    servers.start("basic", by_password);

    let mut giver = servers.program("tokenserve");
    giver.args(["-addr", &format!("127.0.0.1:{token_port}"), "-bundle", "token.pem", "-issuer", "seaworthy-e2e"]);
    giver.args(["-public", "public/", "-user", &format!("{ROBOT}:pull:team/"), "-user", &format!("{WRITER}:pull,push,delete:")]);
    servers.start("tokenserve", giver);
    // It listens when its certificate, which the registry wants, is written.
    wait("the token server", || http.send(http::Method::GET, &format!("http://127.0.0.1:{token_port}/"), &[], ""));
    let mut by_token = registry(token, "token");
    by_token
        .env("REGISTRY_AUTH_TOKEN_REALM", format!("http://localhost:{token_port}/token"))
        .env("REGISTRY_AUTH_TOKEN_SERVICE", format!("127.0.0.1:{token}"))
        .env("REGISTRY_AUTH_TOKEN_ISSUER", "seaworthy-e2e")
        .env("REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE", "token.pem");
    servers.start("token", by_token);
    Private {
        basic: up(Registry::new(http.clone(), basic, Login::Basic(ROBOT))),
        token: up(Registry::new(http.clone(), token, Login::Token(WRITER))),
    }
}

fn up(registry: Registry) -> Registry {
    wait(&format!("the registry {}", registry.host), || registry.answers().then_some(()));
    registry
}
