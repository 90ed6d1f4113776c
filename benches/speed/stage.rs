//! The servers of one scenario, and the program that is measured against them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::content::{Form, Signer};
use super::docker::Docker;
use super::measure::Usage;
use super::replay::By;

/// A server process. It ends when this value does.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(arguments: &[String]) -> Self {
        let mut child =
            Command::new(std::env::current_exe().unwrap()).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), child }
    }

    /// The requests since this was last asked, `METHOD PATH ACCEPT` each.
    fn log(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"GET /_bench/log HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What the servers of a scenario are like.
pub struct Plan {
    pub pods: usize,
    pub images: usize,
    /// Most pods of one Deployment.
    pub replicas: usize,
    pub form: Form,
    /// Pieces of evidence that each image has.
    pub pieces: usize,
    /// Bytes by which the statement in each bundle is larger.
    pub padding: usize,
    pub delay_ms: u64,
}

/// The requests of one run.
pub struct Requests {
    pub api: Vec<String>,
    pub registry: Vec<String>,
}

/// The registry of a scenario.
enum Registry {
    Scripted(Server),
    Docker(Docker),
}

impl Registry {
    fn port(&self) -> u16 {
        match self {
            Self::Scripted(server) => server.port,
            Self::Docker(registry) => registry.port,
        }
    }

    fn log(&self) -> String {
        match self {
            Self::Scripted(server) => server.log(),
            Self::Docker(registry) => registry.log(),
        }
    }
}

/// Servers and a home directory for one scenario.
pub struct Stage {
    registry: Registry,
    api: Server,
    home: tempfile::TempDir,
}

impl Stage {
    pub fn new(plan: &Plan) -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = Signer::make(home.path()).display().to_string();
        let registry = Server::start(&words(format!(
            "serve-registry --images {} --form {} --pieces {} --padding {} --delay-ms {} --key {key}",
            plan.images,
            plan.form.name(),
            plan.pieces,
            plan.padding,
            plan.delay_ms
        )));
        Self::with(Registry::Scripted(registry), plan, home)
    }

    /// With a real registry, evidence by tags; none where it is not installed.
    pub fn with_real_registry(plan: &Plan) -> Option<Self> {
        let program = ["docker-registry", "registry"].into_iter().find_map(find)?;
        let home = tempfile::tempdir().unwrap();
        let key = Signer::make(home.path());
        Some(Self::with(Registry::Docker(Docker::start(&program, plan.images, plan.form, &key)), plan, home))
    }

    fn with(registry: Registry, plan: &Plan, home: tempfile::TempDir) -> Self {
        let api = Server::start(&words(format!(
            "serve-api --pods {} --images {} --replicas {} --registry 127.0.0.1:{}",
            plan.pods,
            plan.images,
            plan.replicas,
            registry.port()
        )));
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: bench\nclusters:\n- name: bench\n  cluster: {{server: 'http://127.0.0.1:{}'}}\nusers:\n- name: bench\n  user: {{}}\ncontexts:\n- name: bench\n  context: {{cluster: bench, user: bench}}\n",
            api.port
        );
        std::fs::write(home.path().join("kubeconfig"), kubeconfig).unwrap();
        Self { registry, api, home }
    }

    /// One scan for C-0237, with the requests that it made. Cold, unless `cache` is set.
    pub fn scan(&self, cache: bool) -> (Usage, Requests) {
        let kubeconfig = self.home.path().join("kubeconfig");
        let mut arguments = vec!["scan", "control", "C-0237", "--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1"];
        arguments.extend(["--kubeconfig", kubeconfig.to_str().unwrap()]);
        if !cache {
            arguments.push("--no-cache");
        }
        self.requests();
        let usage = self.measure(&seaworthy(), &arguments);
        (usage, self.requests())
    }

    /// One scan that verifies every image by the key. Cold, unless answers up to an hour old are used.
    pub fn verify(&self, cache: bool) -> (Usage, Requests) {
        let kubeconfig = self.home.path().join("kubeconfig");
        let key = self.key();
        let mut arguments = vec!["scan", "control", "C-0236", "--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--offline"];
        arguments.extend(["--kubeconfig", kubeconfig.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        arguments.extend(if cache { ["--max-age", "1h"].as_slice() } else { &["--no-cache"] });
        self.requests();
        let usage = self.measure(&seaworthy(), &arguments);
        (usage, self.requests())
    }

    /// One scan by the default framework, with the key that signed everything. Cold.
    pub fn judge(&self) -> (Usage, Requests) {
        let kubeconfig = self.home.path().join("kubeconfig");
        let key = self.key();
        let mut arguments = vec!["scan", "--allow-host", "127.0.0.1", "--plain-http", "127.0.0.1", "--offline", "--no-cache"];
        arguments.extend(["--kubeconfig", kubeconfig.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        self.requests();
        let usage = self.measure(&seaworthy(), &arguments);
        (usage, self.requests())
    }

    fn key(&self) -> PathBuf {
        self.home.path().join("key.pub")
    }

    /// `cosign verify` of the first images, two at a time; none where it is not installed.
    ///
    /// # Errors
    /// When cosign does not end well.
    pub fn cosign_verify(&self, images: usize) -> Result<Option<Usage>, String> {
        let Some(cosign) = find("cosign") else { return Ok(None) };
        let list = self.home.path().join("list");
        let image = |number| format!("127.0.0.1:{}/{}:v1\n", self.registry.port(), super::content::repository(number));
        std::fs::write(&list, (0..images).map(image).collect::<String>()).unwrap();
        let (cosign, key) = (cosign.display().to_string(), self.key());
        let verify = ["verify", "--key", key.to_str().unwrap(), "--insecure-ignore-tlog=true", "--allow-http-registry"];
        let xargs = ["-a", list.to_str().unwrap(), "-P", "2", "-n", "1", &cosign];
        let usage = self.measure(Path::new("/usr/bin/xargs"), &[&xargs[..], &verify].concat());
        if usage.exit == Some(0) { Ok(Some(usage)) } else { Err(format!("cosign verify ended with {:?}", usage.exit)) }
    }

    /// The same requests by a plain load generator.
    pub fn replay(&self, by: By, requests: &Requests) -> Usage {
        let file = self.home.path().join("requests");
        let mut text = String::new();
        for (port, lines) in [(self.api.port, &requests.api), (self.registry.port(), &requests.registry)] {
            for line in lines {
                text.push_str(&format!("{port}\t{line}\n"));
            }
        }
        std::fs::write(&file, text).unwrap();
        let by = if by == By::Sockets { "sockets" } else { "library" };
        self.measure(&std::env::current_exe().unwrap(), &["replay", by, file.to_str().unwrap()])
    }

    /// `cosign tree` of the first images, one after another; none where it is not installed.
    ///
    /// # Errors
    /// When cosign does not end well.
    pub fn cosign_tree(&self, images: usize) -> Result<Option<Duration>, String> {
        let Some(cosign) = find("cosign") else { return Ok(None) };
        let mut walls = Duration::ZERO;
        for number in 0..images {
            let image = format!("127.0.0.1:{}/{}:v1", self.registry.port(), super::content::repository(number));
            let usage = self.measure(&cosign, &["tree", "--allow-http-registry", &image]);
            if usage.exit != Some(0) {
                return Err(format!("cosign tree {image} ended with {:?}", usage.exit));
            }
            walls += usage.wall;
        }
        Ok(Some(walls))
    }

    fn requests(&self) -> Requests {
        let lines = |log: String| log.lines().map(str::to_owned).collect();
        Requests { api: lines(self.api.log()), registry: lines(self.registry.log()) }
    }

    fn measure(&self, program: &Path, arguments: &[&str]) -> Usage {
        measured(self.home.path(), program, arguments)
    }
}

fn words(text: String) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Runs a program with nothing of the user's environment, and tells what it used. Its output is dropped.
pub fn measured(home: &Path, program: &Path, arguments: &[&str]) -> Usage {
    let report = home.join("usage");
    let said = home.join("stderr");
    let status = Command::new(std::env::current_exe().unwrap())
        .arg("measure")
        .args([&report, program])
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&said).unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "{} could not be measured: {}", program.display(), std::fs::read_to_string(&said).unwrap());
    let usage: Usage = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    if usage.exit != Some(0) {
        eprintln!(
            "{} {} ended with {:?}:\n{}",
            program.display(),
            arguments.join(" "),
            usage.exit,
            std::fs::read_to_string(&said).unwrap()
        );
    }
    usage
}

/// The program that is measured: the one of this build, unless `SEAWORTHY` names another.
pub fn seaworthy() -> PathBuf {
    std::env::var_os("SEAWORTHY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_seaworthy")), PathBuf::from)
}

fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|directory| directory.join(program)).find(|path| path.is_file())
}
