//! Kubescape's file of exceptions, read as it is.
//!
//! An array of `postureExceptionPolicy`. Of several resources one must match, of the attributes of one all; values are regular
//! expressions over the whole text. What the form has and this program cannot compare makes an entry match less, never more, and is said.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::super::error::DocumentError;
use super::super::located::{Fault, Located};
use super::super::moment::Moment;
use super::super::parse::{LONGEST, error, read};
use super::regexp::WholeText;

/// The type of policy that is an exception of controls.
const POLICY_TYPE: &str = "postureExceptionPolicy";

/// One entry of the file.
#[derive(Debug, Clone)]
pub struct KubescapeException {
    /// Its name; empty where it has none.
    pub name: String,
    /// Why it was made; empty where it does not say.
    pub reason: String,
    /// Until when it holds; none where it says nothing.
    pub expires: Option<Moment>,
    /// Who made it.
    pub created_by: Option<String>,
    /// Which controls: one of these. Empty: all.
    pub policies: Vec<PosturePolicy>,
    /// Which workloads: one of these. Empty: none.
    pub resources: Vec<Designator>,
    /// And their labels.
    pub selector: LabelSelector,
    /// What of it has no effect here.
    pub notes: Vec<String>,
}

/// Which controls. What is not given limits nothing.
#[derive(Debug, Clone, Default)]
pub struct PosturePolicy {
    /// A framework's name.
    pub framework: Option<WholeText>,
    /// A control's title.
    pub title: Option<WholeText>,
    /// A control's identifier.
    pub control: Option<WholeText>,
    /// Whether it names a rule, of which controls here have one each and no name.
    pub names_rule: bool,
}

/// Which workloads.
#[derive(Debug, Clone)]
pub enum Designator {
    /// Those with these attributes.
    Attributes(Box<DesignatorAttributes>),
    /// None: it is empty, or of a type that is not read.
    Nothing,
}

/// Attributes of a workload and its containers. What is not given limits nothing.
#[derive(Debug, Clone, Default)]
pub struct DesignatorAttributes {
    /// Name of the cluster.
    pub cluster: Option<WholeText>,
    /// Its namespace.
    pub namespace: Option<WholeText>,
    /// Its kind.
    pub kind: Option<WholeText>,
    /// Its name.
    pub name: Option<WholeText>,
    /// Its `group/version/namespace/kind/name`.
    pub resource_id: Option<WholeText>,
    /// The file that it was read from.
    pub path: Option<WholeText>,
    /// The container's name.
    pub container: Option<WholeText>,
    /// Its labels, by key.
    pub labels: Vec<(String, WholeText)>,
}

/// A label selector of Kubernetes. Empty: it limits nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels with exactly these values.
    #[serde(default, deserialize_with = "or_default")]
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions, all of which must hold.
    #[serde(default, deserialize_with = "or_default")]
    pub match_expressions: Vec<LabelExpression>,
}

/// One condition of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LabelExpression {
    /// The label.
    pub key: String,
    /// What is asked of it.
    pub operator: SelectorOperator,
    /// The values that are asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub values: Vec<String>,
}

/// What a selector asks of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SelectorOperator {
    /// One of the values.
    In,
    /// None of the values; also where there is no such label.
    NotIn,
    /// There is one.
    Exists,
    /// There is none.
    DoesNotExist,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    policy_type: String,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<RawDesignator>,
    #[serde(default, deserialize_with = "or_default")]
    posture_policies: Vec<RawPolicy>,
    #[serde(default, deserialize_with = "or_default")]
    object_selector: LabelSelector,
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
    expiration_date: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    created_by: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDesignator {
    #[serde(default, deserialize_with = "or_default")]
    designator_type: String,
    #[serde(default, deserialize_with = "or_default")]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawPolicy {
    #[serde(default, rename = "frameworkName", deserialize_with = "or_default")]
    framework: String,
    #[serde(default, rename = "controlName", deserialize_with = "or_default")]
    title: String,
    #[serde(default, rename = "controlID", deserialize_with = "or_default")]
    control: String,
    #[serde(default, rename = "ruleName", deserialize_with = "or_default")]
    rule: String,
}

/// `null` is what is left out, as Kubescape reads it.
fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Whether a text is a file of Kubescape's form: a JSON array.
#[must_use]
pub fn is_kubescape_exceptions(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('[')
}

/// Reads every entry of a file.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn parse_kubescape_exceptions(file: &str, text: &str) -> Result<Vec<KubescapeException>, DocumentError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > LONGEST {
        return Err(error(file, (0, 0), format!("larger than {LONGEST} bytes")));
    }
    let raw: Vec<Raw> = serde_json::from_str(text).map_err(|failure| {
        let at = (failure.line() as u64, failure.column() as u64);
        let whole = failure.to_string();
        // The place is said once, in front.
        let message = whole.split(" at line ").next().unwrap_or(&whole);
        error(file, at, format!("this is not Kubescape's form of exceptions: {message}"))
    })?;
    let entries = raw.into_iter().enumerate().map(|(item, raw)| KubescapeException::of(raw).map_err(|fault| fault.under(item)));
    entries.collect::<Result<_, _>>().map_err(|fault| {
        // Every JSON document is a YAML document, and that reader knows where a value stands.
        let place = read::<Located>(file, 0, text).map_or((0, 0), |tree| tree.value_position(fault.path()));
        error(file, place, fault.detail)
    })
}

fn pattern(text: &str, any_case: bool) -> Result<Option<WholeText>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |why| Fault::new(format!("{text:?} is not a regular expression: {why}"));
    WholeText::read(text, any_case).map(Some).map_err(refused)
}

impl KubescapeException {
    fn of(raw: Raw) -> Result<Self, Fault> {
        let expires = raw.expiration_date.filter(|text| !text.is_empty()).map(|text| text.parse::<Moment>());
        let expires = expires.transpose().map_err(|why| Fault::new(why).under("expirationDate"))?;
        let mut notes = Vec::new();
        let mut resources = Vec::new();
        for (item, raw) in raw.resources.iter().enumerate() {
            let designator = Designator::of(raw, &mut notes).map_err(|fault| fault.under(item).under("resources"))?;
            resources.push(designator);
        }
        if !matches!(raw.policy_type.as_str(), "" | POLICY_TYPE) {
            notes.push(format!("its type is {:?}, which is no exception of controls: it matches nothing", raw.policy_type));
            resources.clear();
        }
        if resources.is_empty() && notes.is_empty() {
            notes.push("it names no resources: it matches nothing".to_owned());
        }
        let mut policies = Vec::new();
        for (item, raw) in raw.posture_policies.iter().enumerate() {
            policies.push(PosturePolicy::of(raw).map_err(|fault| fault.under(item).under("posturePolicies"))?);
        }
        Ok(Self {
            name: raw.name,
            reason: raw.reason,
            expires,
            created_by: Some(raw.created_by).filter(|name| !name.is_empty()),
            policies,
            resources,
            selector: raw.object_selector,
            notes,
        })
    }
}

impl Designator {
    fn of(raw: &RawDesignator, notes: &mut Vec<String>) -> Result<Self, Fault> {
        if !matches!(raw.designator_type.as_str(), "Attributes" | "Attribute") {
            let what = &raw.designator_type;
            notes.push(format!("a resource has the designator type {what:?}; only Attributes is read: it matches nothing"));
            return Ok(Self::Nothing);
        }
        let mut attributes = DesignatorAttributes::default();
        let mut named = false;
        for (key, text) in &raw.attributes {
            let place = |fault: Fault| fault.under(key.as_str()).under("attributes");
            let field = match key.as_str() {
                "cluster" => &mut attributes.cluster,
                "namespace" => &mut attributes.namespace,
                "kind" => &mut attributes.kind,
                "name" => &mut attributes.name,
                "resourceID" => &mut attributes.resource_id,
                "path" => &mut attributes.path,
                "containerName" => &mut attributes.container,
                // Kubescape does not compare it either.
                "k8sResourceHash" => continue,
                label => {
                    // An empty expression is one about a label: it has an empty value.
                    let value = WholeText::read(text, false)
                        .map_err(|why| place(Fault::new(format!("{text:?} is not a regular expression: {why}"))))?;
                    attributes.labels.push((label.to_owned(), value));
                    named = true;
                    continue;
                }
            };
            *field = pattern(text, false).map_err(place)?;
            named |= field.is_some();
        }
        if !named {
            notes.push("a resource has no attributes: it matches nothing".to_owned());
            return Ok(Self::Nothing);
        }
        Ok(Self::Attributes(Box::new(attributes)))
    }
}

impl PosturePolicy {
    fn of(raw: &RawPolicy) -> Result<Self, Fault> {
        let read = |key: &str, text: &str| pattern(text, true).map_err(|fault| fault.under(key));
        Ok(Self {
            framework: read("frameworkName", &raw.framework)?,
            title: read("controlName", &raw.title)?,
            control: read("controlID", &raw.control)?,
            names_rule: !raw.rule.is_empty(),
        })
    }
}
