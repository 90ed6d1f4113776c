//! The private Sigstore: authority, logs, time stamps, and who signs with them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::certificate::{Announced, CODE_SIGNING, Claims, CtLog, Issuer, Name};
use super::key::{Key, Kind, base64, pem};
use super::log::Rekor;
use super::time_stamp::Tsa;

/// When everything was signed, unless a case says otherwise.
pub fn signed_at() -> Timestamp {
    "2026-06-01T12:05:00Z".parse().unwrap()
}

fn year(year: u16) -> Timestamp {
    format!("{year}-01-01T00:00:00Z").parse().unwrap()
}

/// The authority's certificates, logs and clocks.
pub struct Sigstore {
    root: Issuer,
    pub fulcio: Issuer,
    pub ct: CtLog,
    pub rekor: Rekor,
    pub rekor2: Rekor,
    pub tsa: Tsa,
}

impl Sigstore {
    /// A new one: no key of it is any other's.
    pub fn new() -> Self {
        let key = || Key::new(Kind::P256);
        let root = Issuer::root("fixture root", key(), year(2025), year(2045));
        let fulcio = root.intermediate("fixture intermediate", key(), year(2025), year(2045));
        Self {
            root,
            fulcio,
            ct: CtLog { key: key() },
            rekor: Rekor::v1(key()),
            rekor2: Rekor::v2(Key::new(Kind::Ed25519)),
            tsa: Tsa::new(year(2025), year(2045)),
        }
    }

    /// The `trusted_root.json` that trusts it.
    pub fn trusted_root(&self) -> Value {
        let valid = json!({ "start": "2025-01-01T00:00:00Z" });
        let log = |url: &str, key: &Key, id: &[u8]| {
            json!({
                "baseUrl": url, "hashAlgorithm": "SHA2_256", "logId": { "keyId": base64(id) },
                "publicKey": { "rawBytes": base64(key.spki()), "keyDetails": key.details(), "validFor": valid },
            })
        };
        let authority = |name: &str, chain: &[&[u8]]| {
            let certificates: Vec<_> = chain.iter().map(|der| json!({ "rawBytes": base64(der) })).collect();
            json!({
                "subject": { "organization": "seaworthy.test", "commonName": name }, "uri": format!("https://{name}.seaworthy.test"),
                "certChain": { "certificates": certificates }, "validFor": valid,
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                log("https://rekor.seaworthy.test", &self.rekor.key, &self.rekor.id),
                log("https://log2026.rekor.seaworthy.test", &self.rekor2.key, &self.rekor2.id),
            ],
            "certificateAuthorities": [authority("fulcio", &[&self.fulcio.certificate, &self.root.certificate])],
            "ctlogs": [log("https://ct.seaworthy.test", &self.ct.key, &self.ct.key.id())],
            "timestampAuthorities": [authority("tsa", &self.tsa.chain())],
        })
    }

    /// A keyless signer with a key of this kind, and a certificate as Fulcio issues it.
    pub fn signer_with(&self, key: Key, claims: &Claims) -> Signer {
        let announced = Announced::By(&self.ct, claims.not_before);
        self.signer_announced(key, claims, &announced)
    }

    /// The same; what its transparency is worth is said.
    pub fn signer_announced(&self, key: Key, claims: &Claims, announced: &Announced<'_>) -> Signer {
        let leaf = self.fulcio.issue(&key, claims, announced);
        let chain = vec![self.fulcio.certificate.clone(), self.root.certificate.clone()];
        Signer { key, certificate: Some(leaf), chain }
    }

    /// The same with a key of the usual kind.
    pub fn signer(&self, claims: &Claims) -> Signer {
        self.signer_with(Key::new(Kind::P256), claims)
    }
}

/// Who signs.
pub struct Signer {
    pub key: Key,
    /// None: the key is all there is.
    pub certificate: Option<Vec<u8>>,
    /// What is above the certificate.
    pub chain: Vec<Vec<u8>>,
}

impl Signer {
    /// The holder of a bare key.
    pub fn key(kind: Kind) -> Self {
        Self { key: Key::new(kind), certificate: None, chain: Vec::new() }
    }

    /// PEM of the certificate, else of the key: the verifier in log entries.
    pub fn verifier(&self) -> String {
        self.certificate.as_ref().map_or_else(|| self.key.pem(), |der| pem("CERTIFICATE", der))
    }
}

/// Issuer of identities of GitHub's workflows.
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// Issuer of identities of people.
pub const ACCOUNTS: &str = "https://accounts.ledger.test";
/// The workflow that signs in the talk's example.
pub const WORKFLOW: &str = "https://github.com/LedgerHQ/signed-images/.github/workflows/release.yml@refs/tags/v1.4.0";
/// Another one of the same repository.
pub const OTHER_WORKFLOW: &str = "https://github.com/LedgerHQ/signed-images/.github/workflows/nightly.yml@refs/heads/main";
/// A person.
pub const PERSON: &str = "releases@ledger.test";

/// Claims with these names, vouched for by this issuer, for ten minutes around a moment.
pub fn claims_at(names: Vec<Name>, issuer: &str, at: Timestamp) -> Claims {
    Claims {
        subject: None,
        names: Some(names),
        not_before: at - SignedDuration::from_mins(5),
        not_after: at + SignedDuration::from_mins(5),
        usage: CODE_SIGNING,
        extensions: vec![(1, issuer.to_owned()), (8, issuer.to_owned())],
    }
}

/// Claims of a person.
pub fn person(email: &str) -> Claims {
    claims_at(vec![Name::Email(email.to_owned())], ACCOUNTS, signed_at())
}

/// Claims of a workflow, with everything that GitHub says of it.
pub fn workflow(identity: &str) -> Claims {
    let commit = "6f1c2a9be0d34f5a8f7c1e2d3b4a5968778695a4";
    let mut claims = claims_at(vec![Name::Uri(identity.to_owned())], GITHUB, signed_at());
    let of_github = [
        (2, "push"),
        (3, commit),
        (4, "Release"),
        (5, "LedgerHQ/signed-images"),
        (6, "refs/tags/v1.4.0"),
        (9, identity),
        (10, commit),
        (11, "github-hosted"),
        (12, "https://github.com/LedgerHQ/signed-images"),
        (13, commit),
        (14, "refs/tags/v1.4.0"),
        (15, "735201846"),
        (16, "https://github.com/LedgerHQ"),
        (17, "9919501"),
        (18, identity),
        (19, commit),
        (20, "push"),
        (21, "https://github.com/LedgerHQ/signed-images/actions/runs/9514803377/attempts/1"),
        (22, "public"),
        (23, "release"),
        (24, "repo:LedgerHQ/signed-images:ref:refs/tags/v1.4.0"),
    ];
    claims.extensions.extend(of_github.map(|(number, text)| (number, text.to_owned())));
    claims.extensions.sort_by_key(|(number, _)| *number);
    claims
}

impl Claims {
    /// The same with another text in an extension.
    pub fn saying(mut self, number: u8, text: &str) -> Self {
        self.extensions.retain(|(known, _)| *known != number);
        self.extensions.push((number, text.to_owned()));
        self
    }

    /// The same, vouched for by another.
    pub fn issued_by(self, issuer: &str) -> Self {
        self.saying(1, issuer).saying(8, issuer)
    }
}
