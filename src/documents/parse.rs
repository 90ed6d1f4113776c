//! From text to documents.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{DocumentError, explain, nearest};
use super::{API_VERSION, Control, Envelope, Framework, KINDS, Parameters, TrustPolicy, rule, trust_policy};

/// A document of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A control.
    Control(Box<Control>),
    /// A framework.
    Framework(Framework),
    /// Parameters.
    Parameters(Parameters),
    /// A trust policy.
    TrustPolicy(TrustPolicy),
}

/// Longest text that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Reads every document of a text (YAML, or JSON, which is a subset). Empty documents are passed over.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, DocumentError> {
    if text.len() > LONGEST {
        return Err(error(file, 0, 0, format!("larger than {LONGEST} bytes")));
    }
    let mut documents = Vec::new();
    for (line, part) in split(text) {
        if part.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        documents.push(parse_one(file, line, &part)?);
    }
    Ok(documents)
}

/// Cuts at `---` lines, with the number of lines before each part.
fn split(text: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0, String::new())];
    for (line, content) in text.lines().enumerate() {
        if content == "---" || content.starts_with("--- ") {
            parts.push((line as u64 + 1, String::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(content);
            part.push('\n');
        }
    }
    parts
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    spec: serde_json::Value,
}

fn parse_one(file: &str, before: u64, text: &str) -> Result<Document, DocumentError> {
    let head: Head = read(file, before, text)?;
    let here = |detail: String| error(file, before + 1, 0, detail);
    if head.api_version != API_VERSION {
        return Err(here(format!("apiVersion is {:?}; this version reads {API_VERSION}", head.api_version)));
    }
    match head.kind.as_str() {
        "Control" => {
            if let Some(leaf) = leaf_not_yet(head.spec.get("rule")) {
                return Err(here(format!("rules about `{leaf}` are not supported by this version of seaworthy")));
            }
            let control = read::<Envelope<Control>>(file, before, text)?.spec;
            control.fault().map_or(Ok(Document::Control(Box::new(control))), |fault| Err(here(fault)))
        }
        "Framework" => {
            let framework = read::<Envelope<Framework>>(file, before, text)?.spec;
            framework.fault().map_or(Ok(Document::Framework(framework)), |fault| Err(here(fault)))
        }
        "Parameters" => Ok(Document::Parameters(read::<Envelope<Parameters>>(file, before, text)?.spec)),
        "TrustPolicy" => {
            if let Some(part) = trust_policy::NOT_YET.iter().find(|part| head.spec.get(**part).is_some()) {
                return Err(here(format!("`{part}` of a trust policy is not supported by this version of seaworthy; it reads `evidence`")));
            }
            let policy = read::<Envelope<TrustPolicy>>(file, before, text)?.spec;
            policy.fault().map_or(Ok(Document::TrustPolicy(policy)), |fault| Err(here(fault)))
        }
        "" => Err(here("there is no `kind`".to_owned())),
        other => {
            let meant = nearest(other, KINDS).map_or_else(String::new, |kind| format!(" (did you mean {kind}?)"));
            Err(here(format!("kind {other:?} is not known; kinds: {}{meant}", KINDS.join(", "))))
        }
    }
}

/// The first leaf of the full design that this version does not have.
fn leaf_not_yet(rule: Option<&serde_json::Value>) -> Option<&'static str> {
    let object = rule?.as_object()?;
    if let Some(signature) = object.get("signature")
        && signature.get("verified").is_some()
    {
        return Some("signature.verified");
    }
    rule::NOT_YET.into_iter().find(|leaf| object.contains_key(*leaf)).or_else(|| {
        object.values().find_map(|inner| match inner {
            serde_json::Value::Array(rules) => rules.iter().find_map(|rule| leaf_not_yet(Some(rule))),
            other => leaf_not_yet(Some(other)),
        })
    })
}

fn read<T: DeserializeOwned>(file: &str, before: u64, text: &str) -> Result<T, DocumentError> {
    serde_saphyr::from_str(text).map_err(|failure| {
        let (line, column) = failure.location().map_or((0, 0), |location| (before + location.line(), location.column()));
        let whole = failure.without_snippet().to_string();
        // The location is said once, in front.
        let message = whole.split(" at line ").next().unwrap_or(&whole);
        error(file, line, column, explain(message))
    })
}

fn error(file: &str, line: u64, column: u64, detail: String) -> DocumentError {
    DocumentError { file: file.to_owned(), line, column, detail }
}
