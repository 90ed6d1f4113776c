//! Small TUF repositories, really signed, laid out as Sigstore's are (consistent snapshots).

use std::collections::BTreeMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::model::{Algorithm, Digest};

pub(super) const FAR: &str = "2999-01-01T00:00:00Z";

/// Who signs a repository.
pub(super) struct Signer(Ed25519KeyPair);

/// What a repository says at a moment.
pub(super) struct Edition<'content> {
    /// Version of all its metadata.
    pub(super) version: u64,
    /// When its timestamp metadata expires.
    pub(super) expires: &'content str,
    /// The target `trusted_root.json`.
    pub(super) content: &'content [u8],
    /// Whether a delegated role has the target.
    pub(super) delegated: bool,
}

impl<'content> Edition<'content> {
    pub(super) fn new(version: u64, content: &'content [u8]) -> Self {
        Self { version, expires: FAR, content, delegated: false }
    }
}

impl Signer {
    pub(super) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn hex(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    /// Key identifiers are the producer's to choose.
    fn identifier(&self) -> String {
        Digest::of(Algorithm::Sha256, self.hex().as_bytes()).hex()
    }

    fn signature(&self, signed: &Value) -> Value {
        let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(signed).unwrap();
        json!({ "keyid": self.identifier(), "sig": hex(self.0.sign(&bytes).as_ref()) })
    }

    fn sign(&self, signed: &Value) -> Vec<u8> {
        envelope(signed, &[self])
    }

    fn key(&self) -> Value {
        json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": self.hex() } })
    }

    /// Root metadata of a version with this signer in every role, signed by these.
    pub(super) fn root(&self, version: u64, signers: &[&Signer]) -> Vec<u8> {
        let role = json!({ "keyids": [self.identifier()], "threshold": 1 });
        let signed = json!({
            "_type": "root", "spec_version": "1.0.31", "version": version, "expires": FAR, "consistent_snapshot": true,
            "keys": { self.identifier(): self.key() },
            "roles": { "root": role, "timestamp": role, "snapshot": role, "targets": role },
        });
        envelope(&signed, signers)
    }

    /// Everything of an edition but roots, by name.
    pub(super) fn files(&self, edition: &Edition<'_>) -> BTreeMap<String, Vec<u8>> {
        let Edition { version, expires, content, delegated } = *edition;
        let head = |kind: &str| json!({ "_type": kind, "spec_version": "1.0.31", "version": version, "expires": FAR });
        let digest = Digest::of(Algorithm::Sha256, content).hex();
        let target = json!({ "trusted_root.json": { "length": content.len(), "hashes": { "sha256": digest } } });
        let mut files = BTreeMap::from([(format!("targets/{digest}.trusted_root.json"), content.to_vec())]);

        let mut targets = head("targets");
        let mut snapshot = head("snapshot");
        targets["targets"] = if delegated { json!({}) } else { target.clone() };
        if delegated {
            targets["delegations"] = json!({
                "keys": { self.identifier(): self.key() },
                "roles": [{ "name": "team", "keyids": [self.identifier()], "threshold": 1, "terminating": true, "paths": ["*.json"] }],
            });
            let mut team = head("targets");
            team["targets"] = target;
            let team = self.sign(&team);
            snapshot["meta"]["team.json"] = pin(version, &team);
            files.insert(format!("{version}.team.json"), team);
        }
        let targets = self.sign(&targets);
        snapshot["meta"]["targets.json"] = pin(version, &targets);
        files.insert(format!("{version}.targets.json"), targets);
        let snapshot = self.sign(&snapshot);
        let mut timestamp = head("timestamp");
        timestamp["expires"] = json!(expires);
        timestamp["meta"]["snapshot.json"] = pin(version, &snapshot);
        files.insert(format!("{version}.snapshot.json"), snapshot);
        files.insert("timestamp.json".to_owned(), self.sign(&timestamp));
        files
    }
}

fn envelope(signed: &Value, signers: &[&Signer]) -> Vec<u8> {
    let signatures: Vec<_> = signers.iter().map(|signer| signer.signature(signed)).collect();
    serde_json::to_vec(&json!({ "signed": signed, "signatures": signatures })).unwrap()
}

fn pin(version: u64, bytes: &[u8]) -> Value {
    json!({ "version": version, "length": bytes.len(), "hashes": { "sha256": Digest::of(Algorithm::Sha256, bytes).hex() } })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
