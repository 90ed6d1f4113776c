//! Transparency logs: Rekor v1 (signed promises, inclusion proofs) and v2 (checkpoints alone).

use std::cell::RefCell;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::{Key, base64, sha256, sha256_hex};

/// What an entry is about.
pub struct Logged<'a> {
    pub signature: &'a [u8],
    /// PEM of the certificate or key.
    pub verifier: &'a str,
    /// What was signed: the payload of a message, the pre-authentication encoding of an envelope.
    pub message: &'a [u8],
    /// The envelope with its payload, where it is one.
    pub envelope: Option<(&'a Value, &'a [u8])>,
}

/// Kinds of entry of Rekor v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Hashedrekord,
    Dsse,
    Intoto2,
    Intoto1,
}

impl Kind {
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Hashedrekord => ("hashedrekord", "0.0.1"),
            Self::Dsse => ("dsse", "0.0.1"),
            Self::Intoto2 => ("intoto", "0.0.2"),
            Self::Intoto1 => ("intoto", "0.0.1"),
        }
    }

    fn spec(self, logged: &Logged<'_>) -> Value {
        let verifier = base64(logged.verifier);
        let hash = |value: String| json!({ "algorithm": "sha256", "value": value });
        let Some((envelope, payload)) = logged.envelope else {
            return json!({
                "data": { "hash": hash(sha256_hex(logged.message)) },
                "signature": { "content": base64(logged.signature), "publicKey": { "content": verifier } },
            });
        };
        let (whole, payload) = (hash(sha256_hex(envelope.to_string().as_bytes())), hash(sha256_hex(payload)));
        match self {
            Self::Hashedrekord => panic!("envelopes are logged as such"),
            Self::Dsse => json!({
                "envelopeHash": whole, "payloadHash": payload,
                "signatures": [{ "signature": base64(logged.signature), "verifier": verifier }],
            }),
            // The log encodes the signature once more.
            Self::Intoto2 => json!({ "content": {
                "envelope": {
                    "payloadType": envelope["payloadType"],
                    "signatures": [{ "publicKey": verifier, "sig": base64(base64(logged.signature)) }],
                },
                "hash": whole, "payloadHash": payload,
            } }),
            Self::Intoto1 => json!({ "content": { "hash": whole, "payloadHash": payload }, "publicKey": verifier }),
        }
    }
}

/// Which proofs of Rekor v1 come with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub promise: bool,
    pub inclusion: bool,
}

/// An entry with its proofs.
#[derive(Debug, Clone)]
pub struct Entry {
    kind: (&'static str, &'static str),
    log: Vec<u8>,
    index: u64,
    body: Vec<u8>,
    time: Option<i64>,
    promise: Option<Vec<u8>>,
    proof: Option<Value>,
}

impl Entry {
    /// As bundles have it.
    pub fn bundle(&self) -> Value {
        let mut entry = json!({
            "logIndex": self.index.to_string(),
            "logId": { "keyId": base64(&self.log) },
            "kindVersion": { "kind": self.kind.0, "version": self.kind.1 },
            "canonicalizedBody": base64(&self.body),
        });
        if let Some(time) = self.time {
            entry["integratedTime"] = json!(time.to_string());
        }
        if let Some(promise) = &self.promise {
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": base64(promise) });
        }
        if let Some(proof) = &self.proof {
            entry["inclusionProof"] = proof.clone();
        }
        entry
    }

    /// As cosign's annotation `dev.sigstore.cosign/bundle` has it.
    pub fn annotation(&self) -> Value {
        json!({
            "SignedEntryTimestamp": self.promise.as_ref().map(base64),
            "Payload": {
                "body": base64(&self.body),
                "integratedTime": self.time,
                "logIndex": self.index,
                "logID": hex(&self.log),
            },
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A log.
pub struct Rekor {
    pub key: Key,
    /// Its name in checkpoints.
    pub origin: &'static str,
    /// By which trust roots and entries name it.
    pub id: Vec<u8>,
    leaves: RefCell<Vec<Vec<u8>>>,
}

/// Entries of the shards before this one: the index in the whole log is not the one in the tree.
const BEFORE: u64 = 1_000;

impl Rekor {
    /// A log of version 1, with some entries of others in it.
    pub fn v1(key: Key) -> Self {
        let id = key.id();
        Self { key, origin: "rekor.seaworthy.test - 4817", id, leaves: others() }
    }

    /// A log of version 2: it is named by the identifier of its checkpoint key (C2SP signed-note, Ed25519).
    pub fn v2(key: Key) -> Self {
        let origin = "log2026.rekor.seaworthy.test";
        let spki = key.spki();
        let id = sha256(&[origin.as_bytes(), b"\n\x01", &spki[spki.len() - 32..]].concat());
        Self { key, origin, id, leaves: others() }
    }

    /// Logs under version 1.
    pub fn log(&self, kind: Kind, logged: &Logged<'_>, at: Timestamp, shown: Shown) -> Entry {
        let (name, version) = kind.name();
        let body = json!({ "apiVersion": version, "kind": name, "spec": kind.spec(logged) });
        self.log_body(kind, body.to_string().into_bytes(), at, shown)
    }

    /// Logs any bytes as an entry.
    pub fn log_body(&self, kind: Kind, body: Vec<u8>, at: Timestamp, shown: Shown) -> Entry {
        let (position, proof) = self.append(&body);
        let (index, time) = (BEFORE + position, at.as_second());
        // Canonical JSON (RFC 8785): sorted, without spaces.
        let signed = format!(r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{index}}}"#, base64(&body), hex(&self.id));
        Entry {
            kind: kind.name(),
            log: self.id.clone(),
            index,
            time: Some(time),
            promise: shown.promise.then(|| self.key.sign(signed.as_bytes())),
            proof: shown.inclusion.then_some(proof),
            body,
        }
    }

    /// Logs under version 2: only `hashedrekord` 0.0.2, without promise or time.
    pub fn log_v2(&self, logged: &Logged<'_>, details: &str, certificate: Option<&[u8]>, spki: &[u8]) -> Entry {
        let mut verifier = json!({ "keyDetails": details });
        match certificate {
            Some(certificate) => verifier["x509Certificate"] = json!({ "rawBytes": base64(certificate) }),
            None => verifier["publicKey"] = json!({ "rawBytes": base64(spki) }),
        }
        let data = json!({ "algorithm": "SHA2_256", "digest": base64(sha256(logged.message)) });
        let body = json!({
            "apiVersion": "0.0.2", "kind": "hashedrekord",
            "spec": { "hashedRekordV002": { "data": data, "signature": { "content": base64(logged.signature), "verifier": verifier } } },
        });
        let body = body.to_string().into_bytes();
        let (index, proof) = self.append(&body);
        Entry { kind: ("hashedrekord", "0.0.2"), log: self.id.clone(), index, time: None, promise: None, proof: Some(proof), body }
    }

    /// Adds a leaf; its position, and the proof that the tree has it.
    fn append(&self, body: &[u8]) -> (u64, Value) {
        let mut leaves = self.leaves.borrow_mut();
        leaves.push(body.to_vec());
        let position = leaves.len() - 1;
        let (root, size) = (root(&leaves), leaves.len());
        let note = format!("{}\n{size}\n{}\n", self.origin, base64(&root));
        let signature = base64([&self.id[..4], &self.key.sign(note.as_bytes())].concat());
        let name = self.origin.split(' ').next().unwrap();
        let hashes: Vec<_> = path(position, &leaves).iter().map(base64).collect();
        let proof = json!({
            "logIndex": position.to_string(), "treeSize": size.to_string(), "rootHash": base64(&root), "hashes": hashes,
            "checkpoint": { "envelope": format!("{note}\n\u{2014} {name} {signature}\n") },
        });
        (position as u64, proof)
    }
}

fn others() -> RefCell<Vec<Vec<u8>>> {
    RefCell::new(["one", "two", "three"].map(|other| format!("entry {other} of somebody else").into_bytes()).to_vec())
}

/// Root of the Merkle tree (RFC 6962, 2.1).
fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [] => sha256(b""),
        [leaf] => sha256(&[&[0], &leaf[..]].concat()),
        _ => {
            let (left, right) = leaves.split_at(half(leaves.len()));
            sha256(&[&[1], &root(left)[..], &root(right)].concat())
        }
    }
}

/// Audit path of a leaf (RFC 6962, 2.1.1).
fn path(position: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let half = half(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut below, beside) =
        if position < half { (path(position, left), root(right)) } else { (path(position - half, right), root(left)) };
    below.push(beside);
    below
}

/// The largest power of two below.
fn half(size: usize) -> usize {
    size.next_power_of_two() / 2
}
