//! Tests of controls: evidence in, finding expected.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builder_trust::Builder;
use super::located::Fault;
use super::moment::Moment;
use super::parameter::ControlParameters;
use super::rule::{Nothing, Policy};
use crate::model::{Cause, PredicateType, Reason};

/// Cases of one control. Nothing in it is cryptography: who signed is said, and taken as proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControlTest {
    /// Identifier of the control.
    pub control: String,
    /// The moment as of which is judged.
    #[serde(default = "usual_moment")]
    pub as_of: Moment,
    /// Whom the test's trust policy trusts, each alone, for every image. Without any there is no policy.
    #[serde(default)]
    pub authorities: BTreeMap<String, TestAuthority>,
    /// Builders that are trusted, `signedBy` those authorities.
    #[serde(default)]
    pub builders: Vec<Builder>,
    /// The cases.
    #[schemars(length(min = 1))]
    pub cases: Vec<TestCase>,
}

/// 2026-01-01: any will do, but it has to be the same tomorrow.
fn usual_moment() -> Moment {
    Moment::Day(jiff::civil::date(2026, 1, 1))
}

/// An authority of the test's trust policy. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TestAuthority {
    /// A key.
    Key(Nothing),
    /// An identity that an issuer vouches for.
    Identity(TestIdentity),
}

/// An identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestIdentity {
    /// The subject: a URI, or an e-mail address.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// Extensions of the certificate by their names in trust policies.
    #[serde(default)]
    pub extensions: BTreeMap<String, String>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// Parameters of the control.
    #[serde(default, deserialize_with = "super::parameter::of_control")]
    #[schemars(with = "BTreeMap<String, super::parameter::Values>")]
    pub parameters: ControlParameters,
    /// The reference as the workload writes it.
    #[serde(default = "usual_image")]
    pub image: String,
    /// The workload.
    #[serde(default)]
    pub workload: TestWorkload,
    /// Whether a pod runs it; else it is declared, and judged by what the reference leads to.
    #[serde(default = "yes")]
    pub runs: bool,
    /// Where its tag leads.
    #[serde(default)]
    pub tag: TestTag,
    /// What lies beside the image.
    #[serde(default)]
    pub evidence: Vec<TestEvidence>,
    /// Why the registry did not say what lies beside it, whatever was found elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Cause>,
    /// What the control has to say.
    pub expect: Expected,
}

fn usual_image() -> String {
    "registry.example.com/team/app:v1".to_owned()
}

fn yes() -> bool {
    true
}

/// The workload of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TestWorkload {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Name of the container.
    pub container: String,
    /// The pull policy that is written.
    pub pull_policy: Option<Policy>,
    /// Whether only pods have the container, and not the template.
    pub injected: bool,
}

impl Default for TestWorkload {
    fn default() -> Self {
        Self {
            kind: "Deployment".to_owned(),
            namespace: "default".to_owned(),
            name: "app".to_owned(),
            labels: BTreeMap::new(),
            container: "app".to_owned(),
            pull_policy: None,
            injected: false,
        }
    }
}

/// Where a tag leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TestTag {
    /// To what runs.
    #[default]
    Unmoved,
    /// Elsewhere.
    Moved,
    /// Nowhere any more.
    Gone,
}

/// One piece of evidence. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TestEvidence {
    /// A signature.
    Signature(TestSigned),
    /// A signed attestation.
    Attestation(TestAttestation),
    /// An attestation that nobody signed.
    Unsigned(TestUnsigned),
    /// A document that is attached as it is, by its media type.
    Attached(String),
    /// Bytes that are no statement; why.
    Malformed(String),
}

/// Who signed, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TestSigned {
    /// The authority whose it is; without one it is a stranger's.
    pub by: Option<String>,
    /// When that is proven to have been; without it at the moment of the test.
    pub at: Option<Moment>,
    /// Whether it is in a transparency log, which proves the time too.
    pub logged: bool,
    /// Whether it is over another digest.
    pub over_another: bool,
}

impl Default for TestSigned {
    fn default() -> Self {
        Self { by: None, at: None, logged: true, over_another: false }
    }
}

/// A signed attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestAttestation {
    /// Its type.
    pub predicate_type: PredicateType,
    /// What it says.
    #[serde(default)]
    pub predicate: serde_json::Value,
    /// The authority whose it is; without one it is a stranger's.
    #[serde(default)]
    pub by: Option<String>,
    /// When that is proven to have been; without it at the moment of the test.
    #[serde(default)]
    pub at: Option<Moment>,
    /// Whether it is in a transparency log, which proves the time too.
    #[serde(default = "yes")]
    pub logged: bool,
    /// Whether it is over another digest.
    #[serde(default)]
    pub over_another: bool,
}

/// An attestation that nobody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestUnsigned {
    /// Its type.
    pub predicate_type: PredicateType,
    /// What it says.
    #[serde(default)]
    pub predicate: serde_json::Value,
}

/// What a control has to say. A map with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Expected {
    /// It passes.
    Pass(Nothing),
    /// It fails, for this reason.
    Fail(Reason),
    /// It is not known, by this cause.
    Unknown(Cause),
    /// The image is not in the control's scope.
    Irrelevant(Nothing),
    /// The control is not configured.
    Unconfigured(Nothing),
    /// It needs a person.
    RequiresReview(Nothing),
}

impl ControlTest {
    /// The first thing that is wrong beyond its shape.
    pub(super) fn fault(&self) -> Option<Fault> {
        if self.cases.is_empty() {
            return Some(Fault::new("a test has at least one case").under("cases"));
        }
        self.cases.iter().enumerate().find_map(|(item, case)| case.fault(self).map(|fault| fault.under(item).under("cases")))
    }
}

impl TestCase {
    fn fault(&self, test: &ControlTest) -> Option<Fault> {
        if self.name.trim().is_empty() {
            return Some(Fault::new("a case says what it shows").under("name"));
        }
        let strangers = self.evidence.iter().enumerate().find_map(|(item, evidence)| {
            let (key, by) = match evidence {
                TestEvidence::Signature(signed) => ("signature", signed.by.as_ref()?),
                TestEvidence::Attestation(attestation) => ("attestation", attestation.by.as_ref()?),
                TestEvidence::Unsigned(_) | TestEvidence::Attached(_) | TestEvidence::Malformed(_) => return None,
            };
            (!test.authorities.contains_key(by)).then_some((item, key, by))
        });
        let (item, key, by) = strangers?;
        let meant = super::error::did_you_mean(by, test.authorities.keys().map(String::as_str));
        let detail = format!("{by:?} is not among `authorities` (leave `by` out for a stranger){meant}");
        Some(Fault::new(detail).under("by").under(key).under(item).under("evidence"))
    }
}
