//! Signatures by the real cosign, by key and for people, in each of the forms that it writes.

use std::path::PathBuf;
use std::process::Command;

use super::process::Servers;
use super::sigstore::Sigstore;

/// Key pairs, and cosign that signs with them.
pub struct Signer<'a> {
    servers: &'a Servers,
    configuration: PathBuf,
}

impl<'a> Signer<'a> {
    /// Makes key pairs: `cosign`, and `revoked`. `configuration` is the directory of a Docker `config.json` with the logins to push.
    pub fn new(servers: &'a Servers, configuration: PathBuf) -> Self {
        let signer = Self { servers, configuration };
        for name in ["cosign", "revoked"] {
            let mut generate = signer.cosign();
            generate.args(["generate-key-pair", "--output-key-prefix", name]);
            servers.output(generate);
        }
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

    /// A bundle by the key that a policy revokes.
    pub fn by_revoked_key(&self, image: &str) {
        let mut command = self.cosign();
        command.args(["sign", "--key", "revoked.key", "--use-signing-config=false", "--tlog-upload=false"]);
        self.finish(command, image);
    }

    /// A bundle by key, logged and time-stamped.
    pub fn logged(&self, sigstore: &Sigstore, image: &str) {
        let mut command = self.cosign();
        command.args(["sign", "--key", "cosign.key"]);
        sigstore.logged(&mut command);
        self.finish(command, image);
    }

    /// A bundle by a person, logged and time-stamped.
    pub fn bundle_by(&self, sigstore: &Sigstore, person: &str, image: &str) {
        let mut command = self.cosign();
        command.arg("sign");
        sigstore.bundle_by(person, &mut command);
        self.finish(command, image);
    }

    /// A signature by a person under the tag `sha256-<hex>.sig`, time-stamped.
    pub fn tag_by(&self, sigstore: &Sigstore, person: &str, image: &str) {
        let mut command = self.cosign();
        command.arg("sign");
        sigstore.tag_by(person, &mut command);
        self.finish(command, image);
    }

    fn run(&self, form: &[&str], image: &str) {
        let mut command = self.cosign();
        command.args(form).args(["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false"]);
        self.finish(command, image);
    }

    fn finish(&self, mut command: Command, image: &str) {
        command.args(["--allow-http-registry", "--yes", image]);
        self.servers.output(command);
    }

    fn cosign(&self) -> Command {
        let mut command = self.servers.program("cosign");
        command.env("COSIGN_PASSWORD", "").env("DOCKER_CONFIG", &self.configuration);
        command
    }
}
