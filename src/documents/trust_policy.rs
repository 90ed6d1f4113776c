//! Trust policies: whom to trust for which image, and where evidence lies.

mod fault;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::moment::Moment;
use crate::model::{Digest, GithubStore, GithubStoreError, Pattern};

/// A trust policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustPolicy {
    /// Trust roots by the names that authorities use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trust_roots: BTreeMap<String, TrustRootSource>,
    /// Authorities by the names that rules use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorities: BTreeMap<String, Authority>,
    /// What which images need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageRule>,
    /// What is not trusted any more, whatever an authority says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocations: Vec<Revocation>,
    /// Where else evidence lies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceRule>,
    /// What becomes of an image that no rule matches. Without it: `reject`.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What becomes of an image that no rule of the policy matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Otherwise {
    /// Nobody is trusted for it.
    #[default]
    Reject,
    /// The policy says nothing about it: irrelevant, never passed.
    Ignore,
}

/// Where a trust root comes from. Exactly one of `sigstore`, `file`, `data` and `tuf`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustRootSource {
    /// One that this program knows, by TUF; the embedded copy where it cannot be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigstore: Option<SigstoreInstance>,
    /// A `trusted_root.json`, relative to the policy's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The text of a `trusted_root.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// A TUF repository of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuf: Option<TufMirror>,
    /// `none` where it has no transparency log by design: then a time stamp alone proves the time of a keyless signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<NoLogs>,
}

impl TrustRootSource {
    /// Whether it has no log by design, neither for transparency nor for certificates: it says so, or is GitHub's.
    #[must_use]
    pub fn lacks_logs(&self) -> bool {
        self.logs.is_some() || self.sigstore.is_some_and(SigstoreInstance::lacks_logs)
    }
}

/// That a trust root has no transparency log by design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoLogs {
    /// It has none.
    None,
}

/// Instances of Sigstore that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SigstoreInstance {
    /// The public-good instance of the Sigstore project.
    PublicGood,
    /// GitHub's, for attestations of private repositories. It has no transparency log.
    Github,
}

impl SigstoreInstance {
    /// Whether it has neither a transparency log nor one for certificates.
    #[must_use]
    pub fn lacks_logs(self) -> bool {
        self == Self::Github
    }
}

/// A TUF repository of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TufMirror {
    /// Its address.
    pub url: String,
    /// The `root.json` with which trust in it begins.
    pub root: Material,
}

/// Keys or certificates. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Material {
    /// The text itself (PEM; a `root.json`).
    Data(String),
    /// A file, relative to the policy's own.
    File(String),
}

/// Whether a proof is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Demand {
    /// Without it the signature does not count.
    Required,
    /// Where it is there and holds it is used; where it does not, it proves nothing and a warning says so.
    Optional,
    /// It is not looked at.
    UnsafeIgnore,
}

/// Whether an SCT is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SctDemand {
    /// Without it the certificate does not count.
    Required,
    /// It is not looked at.
    UnsafeIgnore,
}

/// Who may vouch for an image. Exactly one of `keyless`, `key` and `certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authority {
    /// An identity with a certificate of a trust root's authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<Keyless>,
    /// The holder of a key; a PEM with several keys is several authorities of one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Material>,
    /// The holder of a certificate under an authority of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<OwnCertificate>,
    /// For `key` and `certificate`: the trust root whose log and time stamps count. Without it: all of the policy's, else public good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_root: Option<String>,
    /// An entry in a transparency log. Without it: `required` for keyless, `optional` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transparency_log: Option<Demand>,
    /// A proven time of signing. Without it: `required` for keyless, `optional` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_time: Option<Demand>,
    /// For `keyless`: a signed certificate timestamp. Without it: `required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sct: Option<SctDemand>,
    /// Trusted for signatures from this moment on (a date: its first moment, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Trusted for signatures before this moment (a date: up to its last moment, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Moment>,
}

/// An identity, as a certificate of a trust root's authority has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keyless {
    /// The trust root.
    pub trust_root: String,
    /// Who issued the identity.
    pub issuer: TextMatch,
    /// The identity.
    pub subject: TextMatch,
    /// Fulcio's extensions by name, each exactly this.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<FulcioExtension, String>,
    /// Fulcio's extensions by name, each by a regular expression that is anchored at both ends.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions_regexp: BTreeMap<FulcioExtension, String>,
}

/// A certificate under an authority of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnCertificate {
    /// The authority's root and intermediate certificates.
    pub roots: Material,
    /// A name in the certificate (subject alternative name, or the whole distinguished name).
    pub subject: TextMatch,
}

/// How a text is compared. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TextMatch {
    /// It is this.
    Exact(String),
    /// All of it matches: a regular expression is always anchored at both ends.
    Regexp(String),
}

/// An extension of Fulcio's certificates (OID 1.3.6.1.4.1.57264.1.N), by the name that Fulcio's documentation gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FulcioExtension {
    /// .9: the workflow (or other build configuration) that signed, with its ref.
    BuildSignerUri,
    /// .10: the commit of that workflow.
    BuildSignerDigest,
    /// .11: `github-hosted` or `self-hosted`, say.
    RunnerEnvironment,
    /// .12: the source repository.
    SourceRepositoryUri,
    /// .13: its commit.
    SourceRepositoryDigest,
    /// .14: its ref.
    SourceRepositoryRef,
    /// .15: its identifier, which survives a renaming.
    SourceRepositoryIdentifier,
    /// .16: its owner.
    SourceRepositoryOwnerUri,
    /// .17: its owner's identifier, which survives a renaming.
    SourceRepositoryOwnerIdentifier,
    /// .18: the build configuration at the top, with its ref.
    BuildConfigUri,
    /// .19: its commit.
    BuildConfigDigest,
    /// .20: what triggered the build.
    BuildTrigger,
    /// .21: the run.
    RunInvocationUri,
    /// .22: whether the repository was public when it signed.
    SourceRepositoryVisibilityAtSigning,
    /// .23: the deployment environment.
    DeploymentEnvironment,
    /// .24: the subject of the identity token.
    TokenSubject,
    /// .2, deprecated.
    GithubWorkflowTrigger,
    /// .3, deprecated.
    GithubWorkflowSha,
    /// .4, deprecated.
    GithubWorkflowName,
    /// .5, deprecated.
    GithubWorkflowRepository,
    /// .6, deprecated.
    GithubWorkflowRef,
}

impl FulcioExtension {
    /// Its name, as documents and proofs have it.
    #[must_use]
    pub fn name(self) -> String {
        // The document's own name for it, without quotes.
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// What some images need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageRule {
    /// The images, by the name that the workload declares.
    #[serde(rename = "match")]
    pub images: Vec<Pattern>,
    /// Whether it holds beside others. Without it: `default`.
    #[serde(default)]
    pub strength: Strength,
    /// Whose signatures are needed.
    pub require: Requirement,
}

/// How a rule stands beside others that match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Strength {
    /// It must hold, whatever else matches.
    Mandatory,
    /// It holds where no more specific `default` rule matches.
    #[default]
    Default,
}

/// Whose signatures are needed. One of `anyOf`, `allOf`, and `atLeast` with `of`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// One of these authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<String>>,
    /// Each of these authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_of: Option<Vec<String>>,
    /// So many different keys or identities, on as many different signatures, of those in `of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// The authorities that `atLeast` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Vec<String>>,
}

/// Something that is not trusted any more. One of `key`, `identity` with `issuer`, `sourceDigest`, `imageDigest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revocation {
    /// A key, by the SHA-256 of its `SubjectPublicKeyInfo` (of a certificate too).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// An identity (with `issuer`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<TextMatch>,
    /// The issuer of the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<TextMatch>,
    /// A source commit, as the certificate names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_digest: Option<String>,
    /// An image, whoever signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<Digest>,
    /// From when on; signatures that are proven to be older still count. Without it: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Why, for those who read the report.
    pub reason: String,
}

/// Where evidence of some images lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceRule {
    /// The images, by the name that the workload declares.
    #[serde(rename = "match")]
    pub images: Vec<Pattern>,
    /// Further places.
    #[serde(default)]
    pub places: Vec<EvidencePlace>,
    /// Whether an empty answer of the images' own repository is an absence. Say `false` of a mirror or cache.
    #[serde(default = "yes")]
    pub authoritative: bool,
}

fn yes() -> bool {
    true
}

/// One further place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EvidencePlace {
    /// Another repository; `{path}` stands for the image's path inside its registry.
    Repository(String),
    /// A prefix before cosign's tags in the image's own repository.
    TagPrefix(String),
    /// GitHub's attestation store, where `actions/attest` keeps bundles that are not pushed to the registry. What it lacks does not
    /// speak for the image's own repository; where it cannot be asked, nothing is absent.
    Github(GithubPlace),
}

/// Whose attestations GitHub is asked for. Exactly one of `repository` and `owner`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GithubPlace {
    /// Those of one repository, `OWNER/NAME`; `{path}` stands for the image's path inside its registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Those of every repository of an organisation or user that the token may see. What it does not see is not shown, so that finding
    /// nothing is never an absence: name the repository where you can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Base of the REST API where it is not github.com's: `https://HOST/api/v3` of GitHub Enterprise Server,
    /// `https://api.SUBDOMAIN.ghe.com` with data residency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

impl GithubPlace {
    /// The store to ask about an image with this path inside its registry.
    ///
    /// # Errors
    /// When what comes of `{path}` is no repository of GitHub; the rest was checked when the policy was loaded.
    pub fn store(&self, path: &str) -> Result<GithubStore, GithubStoreError> {
        let repository = self.repository.as_ref().map(|template| template.replace("{path}", path));
        GithubStore::new(repository.as_deref(), self.owner.as_deref(), self.api.as_deref())
    }
}

/// A regular expression that all of a text has to match.
///
/// Go's tools leave theirs open at both ends; here both are anchored, so that nothing can stand beside what was meant.
///
/// # Errors
/// When it is none, by itself or between the anchors (what is only valid between them would reach out of them).
pub fn anchored(text: &str) -> Result<regex::Regex, regex::Error> {
    regex::Regex::new(text)?;
    regex::Regex::new(&format!(r"\A(?:{text})\z"))
}
