//! A private Sigstore: certificates for identities (Fulcio), their log, a transparency log (Rekor v2), time stamps, and issuers of
//! identity tokens, for people and for runs of a build platform; and cosign that signs with it.
//!
//! Some of these servers listen on all addresses whatever they are told: they run in a network namespace, or not at all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::{Value, json};

use super::client::Http;
use super::platform::Run;
use super::process::{Servers, port, wait};
use super::supervisor;

const ISSUER_PORT: u16 = 43_120;
const FULCIO_PORT: u16 = 43_121;
const CT_PORT: u16 = 43_122;
const REKOR_PORT: u16 = 43_123;
const STAMPS_PORT: u16 = 43_124;
/// Ports that nobody asks: gRPC and metrics.
const UNUSED_PORTS: [u16; 4] = [43_125, 43_126, 43_127, 43_128];
const PLATFORM_PORT: u16 = 43_129;

/// Programs of which it is made.
pub const PROGRAMS: [&str; 5] = ["fulcio", "ctlog", "rekor-tiles", "timestamp-server", "oidcserve"];
/// When everything became valid.
const START: &str = "2026-01-01T00:00:00Z";

/// The running servers.
pub struct Sigstore {
    directory: PathBuf,
    issuer: String,
    platform: String,
    fulcio: String,
    stamps: String,
    /// Asks the issuers over TLS.
    http: Http,
    tokens: AtomicUsize,
}

impl Sigstore {
    /// Starts the servers; none, said by name, where they cannot be had.
    pub fn start(servers: &Servers, run: &Path) -> Option<Self> {
        let missing: Vec<_> = PROGRAMS.into_iter().filter(|name| !servers.have(name)).collect();
        if !missing.is_empty() || std::env::var_os(supervisor::ISOLATED).is_none() {
            let why = if missing.is_empty() { "no network namespace".to_owned() } else { format!("without {}", missing.join(", ")) };
            supervisor::say(&format!("skipped: private Sigstore and everything that it signs: {why}"));
            return None;
        }
        let mut material = servers.program("pki");
        material.args(["-sigstore", "sigstore"]);
        servers.output(material);
        let [issuer, platform, fulcio] = [ISSUER_PORT, PLATFORM_PORT, FULCIO_PORT].map(port);
        let [ct, rekor, stamps] = [CT_PORT, REKOR_PORT, STAMPS_PORT].map(port);
        let sigstore = Self {
            directory: run.join("sigstore"),
            issuer: format!("https://127.0.0.1:{issuer}"),
            platform: format!("https://127.0.0.1:{platform}"),
            fulcio: format!("http://127.0.0.1:{fulcio}"),
            stamps: format!("http://127.0.0.1:{stamps}/api/v1/timestamp"),
            http: Http::new(Some(&run.join("pki/ca.crt"))),
            tokens: AtomicUsize::new(0),
        };
        sigstore.start_logs(servers, ct, rekor, stamps);
        for (name, url) in [("issuer", &sigstore.issuer), ("platform", &sigstore.platform)] {
            start_issuer(servers, name, url);
        }
        let plain = Http::new(None);
        let answers = |url: &str| plain.send(Method::GET, url, &[], "").filter(|reply| reply.status == 200).map(drop);
        wait("the certificate log", || answers(&format!("http://127.0.0.1:{ct}/test/ct/v1/get-sth")));
        for url in [&sigstore.issuer, &sigstore.platform] {
            wait("the issuers", || sigstore.http.send(Method::GET, &format!("{url}/jwks"), &[], ""));
        }
        sigstore.start_fulcio(servers, run, fulcio, ct);
        wait("Fulcio", || answers(&format!("{}/healthz", sigstore.fulcio)));
        wait("Rekor", || answers(&format!("http://127.0.0.1:{rekor}/healthz")));
        wait("the time stamps", || answers(&format!("http://127.0.0.1:{stamps}/ping")));
        sigstore.describe(servers, ct, rekor);
        Some(sigstore)
    }

    fn start_logs(&self, servers: &Servers, ct: u16, rekor: u16, stamps: u16) {
        let mut program = servers.program("ctlog");
        program.args(["-addr", &format!("127.0.0.1:{ct}"), "-roots", "sigstore/fulcio-root.crt", "-key", "sigstore/ct.key"]);
        servers.start("ct", program);
        let mut program = servers.program("rekor-tiles");
        program.args(["serve", "--http-address", "127.0.0.1", "--http-port", &rekor.to_string(), "--grpc-address", "127.0.0.1"]);
        program.args(["--grpc-port", &UNUSED_PORTS[0].to_string(), "--http-metrics-port", &UNUSED_PORTS[1].to_string()]);
        program.args(["--hostname", "rekor.test", "--signer-filepath", "sigstore/rekor.key"]);
        program.arg("--storage-dir").arg(self.directory.join("rekor.data"));
        // A signature waits until its entry is in a checkpoint.
        program.args(["--checkpoint-interval", "500ms", "--batch-max-age", "50ms"]);
        servers.start("rekor", program);
        let mut program = servers.program("timestamp-server");
        program.args(["serve", "--host", "127.0.0.1", "--port", &stamps.to_string(), "--disable-ntp-monitoring"]);
        program.args(["--timestamp-signer", "file", "--file-signer-key-path", "sigstore/tsa.key"]);
        program.args(["--certificate-chain-path", "sigstore/tsa.pem"]);
        servers.start("stamps", program);
    }

    fn start_fulcio(&self, servers: &Servers, run: &Path, fulcio: u16, ct: u16) {
        let authority = std::fs::read_to_string(run.join("pki/ca.crt")).unwrap();
        let issuer = |url: &str, kind: &str| {
            json!({
                "IssuerURL": url, "ClientID": "sigstore", "Type": kind, "Contact": "nobody@example.test", "Description": "tests",
                "CACert": authority,
            })
        };
        let (people, platform) = (issuer(&self.issuer, "email"), issuer(&self.platform, "github-workflow"));
        let configuration = json!({"OIDCIssuers": {&self.issuer: people, &self.platform: platform}});
        std::fs::write(self.directory.join("fulcio.json"), configuration.to_string()).unwrap();
        let mut program = servers.program("fulcio");
        program.args(["serve", "--host", "127.0.0.1", "--port", &fulcio.to_string(), "--grpc-host", "127.0.0.1"]);
        program.args(["--grpc-port", &UNUSED_PORTS[2].to_string(), "--metrics-port", &UNUSED_PORTS[3].to_string()]);
        program.arg("--legacy-unix-domain-socket").arg(self.directory.join("fulcio.sock"));
        program.args(["--config-path", "sigstore/fulcio.json", "--ca", "fileca", "--fileca-watch=false"]);
        program.args(["--fileca-cert", "sigstore/fulcio.pem", "--fileca-key", "sigstore/fulcio.key", "--fileca-key-passwd", "none"]);
        program.args(["--ct-log-url", &format!("http://127.0.0.1:{ct}/test"), "--ct-log-public-key-path", "sigstore/ct.pub"]);
        servers.start("fulcio", program);
    }

    /// Writes what signers and verifiers need to know.
    fn describe(&self, servers: &Servers, ct: u16, rekor: u16) {
        let service = |url: &str, version: u8| format!("url={url},api-version={version},start-time={START},operator=tests");
        let mut signing = servers.program("cosign");
        signing.args(["signing-config", "create", "--out", "sigstore/signing_config.json"]);
        signing.args(["--fulcio", &service(&self.fulcio, 1), "--oidc-provider", &service(&self.issuer, 1)]);
        signing.args(["--rekor", &service(&format!("http://127.0.0.1:{rekor}"), 2), "--rekor-config", "ANY"]);
        signing.args(["--tsa", &service(&self.stamps, 1), "--tsa-config", "ANY"]);
        servers.output(signing);
        let mut root = servers.program("cosign");
        root.args(["trusted-root", "create", "--out", "sigstore/trusted_root.json"]);
        root.args(["--fulcio", &format!("url={},certificate-chain=sigstore/fulcio.pem,start-time={START}", self.fulcio)]);
        root.args(["--ctfe", &format!("url=http://127.0.0.1:{ct}/test,public-key=sigstore/ct.pub,start-time={START}")]);
        root.args(["--rekor", &format!("url=https://rekor.test,public-key=sigstore/rekor.pub,start-time={START},origin=rekor.test")]);
        root.args(["--tsa", &format!("url={},certificate-chain=sigstore/tsa.pem,start-time={START}", self.stamps)]);
        servers.output(root);
    }

    /// Who vouches for identities.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who vouches for runs of the build platform.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// Its `trusted_root.json`.
    pub fn trusted_root(&self) -> PathBuf {
        self.directory.join("trusted_root.json")
    }

    /// A token of this person.
    fn token(&self, person: &str) -> PathBuf {
        self.token_of(&self.issuer, &json!({"sub": person, "email": person, "email_verified": true}))
    }

    /// A token with these claims, in a file of its own.
    fn token_of(&self, issuer: &str, claims: &Value) -> PathBuf {
        let reply = self.http.send(Method::POST, &format!("{issuer}/token"), &[], claims.to_string()).unwrap();
        let file = self.directory.join(format!("{}.token", self.tokens.fetch_add(1, Ordering::Relaxed)));
        std::fs::write(&file, &reply.body).unwrap();
        file
    }

    /// What makes `cosign sign` sign for a person, as a bundle.
    pub fn bundle_by(&self, person: &str, command: &mut Command) {
        command.arg("--identity-token").arg(self.token(person));
        self.logged(command);
    }

    /// What makes `cosign` sign for a run of the build platform, as a bundle.
    pub fn bundle_by_run(&self, run: &Run, command: &mut Command) {
        command.arg("--identity-token").arg(self.token_of(&self.platform, &run.claims()));
        self.logged(command);
    }

    /// What makes `cosign sign` log and time-stamp a bundle.
    pub fn logged(&self, command: &mut Command) {
        command.args(["--signing-config", "sigstore/signing_config.json", "--trusted-root", "sigstore/trusted_root.json"]);
    }

    /// What makes `cosign sign` sign for a person under the tag `.sig`: time-stamped, since Rekor v2 logs no such signatures.
    pub fn tag_by(&self, person: &str, command: &mut Command) {
        command.args(["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"]);
        command.args(["--fulcio-url", &self.fulcio, "--timestamp-server-url", &self.stamps]);
        command.arg("--identity-token").arg(self.token(person));
        command.env("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", self.directory.join("ct.pub"));
        command.env("SIGSTORE_ROOT_FILE", self.directory.join("fulcio.pem"));
    }
}

fn start_issuer(servers: &Servers, name: &str, url: &str) {
    let mut program = servers.program("oidcserve");
    program.args(["-addr", url.trim_start_matches("https://"), "-issuer", url]);
    program.args(["-tls-cert", "pki/server.crt", "-tls-key", "pki/server.key"]);
    servers.start(name, program);
}
