//! Signatures by the real cosign, by key and for people, in each of the forms that it writes.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::platform::Run;
use super::process::Servers;
use super::sigstore::Sigstore;

/// Who signs, and how cosign is to write it down.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// The team's key: a bundle, logged nowhere.
    Key,
    /// The team's key, under the tag `.sig` or `.att`.
    KeyUnderTag,
    /// A person: a bundle, logged and time-stamped.
    Person(&'a Sigstore, &'static str),
    /// A run of the build platform: the same.
    Run(&'a Sigstore, &'a Run),
}

impl By<'_> {
    fn say(self, command: &mut Command) {
        match self {
            Self::Key => drop(command.args(BY_KEY)),
            Self::KeyUnderTag => drop(command.args(BY_KEY).arg("--new-bundle-format=false")),
            Self::Person(sigstore, person) => sigstore.bundle_by(person, command),
            Self::Run(sigstore, run) => sigstore.bundle_by_run(run, command),
        }
    }
}

const BY_KEY: [&str; 4] = ["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false"];

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

    /// A signature in the form that `by` asks for.
    pub fn sign(&self, by: By<'_>, image: &str) {
        let mut command = self.cosign();
        command.arg("sign");
        by.say(&mut command);
        self.finish(command, image);
    }

    /// An attestation of this predicate, of a type by cosign's short name or in full.
    pub fn attest_as(&self, by: By<'_>, predicate_type: &str, predicate: &Value, image: &str) {
        let file = tempfile::NamedTempFile::new_in(&self.configuration).unwrap();
        std::fs::write(file.path(), predicate.to_string()).unwrap();
        let mut command = self.cosign();
        command.args(["attest", "--type", predicate_type, "--predicate"]).arg(file.path());
        by.say(&mut command);
        self.finish(command, image);
    }

    fn run(&self, form: &[&str], image: &str) {
        let mut command = self.cosign();
        command.args(form).args(BY_KEY);
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
