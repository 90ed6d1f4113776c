//! Signatures by the real cosign, by key, in each of the forms that it writes.

use std::path::PathBuf;
use std::process::Command;

use super::process::Servers;

/// A key pair, and cosign that signs with it.
pub struct Signer<'a> {
    servers: &'a Servers,
    configuration: PathBuf,
}

impl<'a> Signer<'a> {
    /// Makes a key pair. `configuration` is the directory of a Docker `config.json` with the logins to push.
    pub fn new(servers: &'a Servers, configuration: PathBuf) -> Self {
        let signer = Self { servers, configuration };
        let mut generate = signer.cosign();
        generate.arg("generate-key-pair");
        servers.output(generate);
        signer
    }

    /// A signature under the tag `sha256-<hex>.sig`.
    pub fn by_tag(&self, image: &str) {
        self.run(&["sign", "--new-bundle-format=false"], image);
    }

    /// A Sigstore bundle as a referrer: of the API where the registry has it, else under the tag `sha256-<hex>`.
    pub fn by_bundle(&self, image: &str) {
        self.run(&["sign"], image);
    }

    /// A bundle with an attestation, which is no signature of the image.
    pub fn attest(&self, image: &str) {
        std::fs::write(self.configuration.join("predicate.json"), r#"{"reviewed":true}"#).unwrap();
        let predicate = self.configuration.join("predicate.json");
        self.run(&["attest", "--type", "https://example.test/review/v1", "--predicate", predicate.to_str().unwrap()], image);
    }

    fn run(&self, form: &[&str], image: &str) {
        let mut command = self.cosign();
        command.args(form).args(["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false"]);
        command.args(["--allow-http-registry", "--yes", image]);
        self.servers.output(command);
    }

    fn cosign(&self) -> Command {
        let mut command = self.servers.program("cosign");
        command.env("COSIGN_PASSWORD", "").env("DOCKER_CONFIG", &self.configuration);
        command
    }
}
