//! What users write: parsed, validated, described by JSON schemas.
//!
//! Pure: texts come in with their names, documents go out. Unknown fields are refused with file, line and the nearest name.

mod age;
mod attested;
mod builder_trust;
mod control;
mod control_test;
mod error;
mod exception;
mod expression;
mod framework;
mod located;
mod moment;
mod parameter;
mod parse;
mod rule;
mod sbom;
mod summary;
mod trust_policy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use age::{Age, AgeError};
pub use attested::{AttestationLeaf, Quantifier, SlsaLeaf};
pub use builder_trust::{Builder, BuilderId, BuilderTrust, NamedBuilderTrust};
pub use control::{Control, ManualReview, PLACEHOLDERS, Scope, Subject};
pub use control_test::{
    ControlTest, Expected, TestAttestation, TestAuthority, TestCase, TestEvidence, TestIdentity, TestSigned, TestTag, TestUnsigned,
    TestWorkload,
};
pub use error::{DocumentError, nearest};
pub use exception::{
    Designator, DesignatorAttributes, ExceptedWorkloads, Exception, ExceptionPolicy, KubescapeException, LabelExpression, LabelSelector,
    NamedException, NamedExceptionPolicy, PosturePolicy, SelectorOperator, WholeText, is_kubescape_exceptions, parse_kubescape_exceptions,
};
pub(crate) use expression::{Arithmetic, Comparison, Function, Node, Part, Pattern as WrittenPattern, Walk};
pub use expression::{Expression, ExpressionFault, Variable};
pub use framework::Framework;
pub use moment::Moment;
pub use parameter::{ControlParameters, OneOrParam, OrParam, ParamName, ParameterSpec, ParameterType, Parameters};
pub use parse::{Document, NamedTrustPolicy, parse, parse_each};
pub use rule::{
    ClusterLeaf, Nothing, OnlyRequired, Policy, PolicyLeaf, ReferenceLeaf, RegistryLeaf, Rule, RunningLeaf, SignatureLeaf, SignedBy,
    VerifiedLeaf,
};
pub use sbom::SbomLeaf;
pub use summary::{SummaryLeaf, TrustedVerifier};
pub use trust_policy::{
    Authority, Demand, EvidencePlace, EvidenceRule, FulcioExtension, GithubPlace, ImageRule, Keyless, Material, NoLogs, Otherwise,
    OwnCertificate, Requirement, Revocation, SctDemand, SigstoreInstance, Strength, TextMatch, TrustPolicy, TrustRootSource, TufMirror,
    anchored,
};

/// The only API version so far.
pub const API_VERSION: &str = "seaworthy.dev/v1alpha1";

/// Metadata of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Labels; not read.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub labels: std::collections::BTreeMap<String, String>,
    /// Annotations; not read.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub annotations: std::collections::BTreeMap<String, String>,
}

/// A document as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope<S> {
    /// `seaworthy.dev/v1alpha1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its metadata.
    pub metadata: Metadata,
    /// Its content.
    pub spec: S,
}

/// The kinds that have a schema.
pub const KINDS: [&str; 8] =
    ["BuilderTrust", "Control", "ControlTest", "Exception", "ExceptionPolicy", "Framework", "Parameters", "TrustPolicy"];

/// The JSON schema of a kind, or `None` for one that is not known.
#[must_use]
pub fn schema(kind: &str) -> Option<serde_json::Value> {
    let mut schema = match kind {
        "BuilderTrust" => schemars::schema_for!(Envelope<BuilderTrust>),
        "Control" => schemars::schema_for!(Envelope<Control>),
        "ControlTest" => schemars::schema_for!(Envelope<ControlTest>),
        "Exception" => schemars::schema_for!(Envelope<Exception>),
        "ExceptionPolicy" => schemars::schema_for!(Envelope<ExceptionPolicy>),
        "Framework" => schemars::schema_for!(Envelope<Framework>),
        "Parameters" => schemars::schema_for!(Envelope<Parameters>),
        "TrustPolicy" => schemars::schema_for!(Envelope<TrustPolicy>),
        _ => return None,
    }
    .to_value();
    schema["title"] = kind.into();
    schema["properties"]["kind"] = serde_json::json!({ "const": kind });
    schema["properties"]["apiVersion"] = serde_json::json!({ "const": API_VERSION });
    Some(schema)
}
