//! From text to documents.

use serde::de::DeserializeOwned;

use super::error::{DocumentError, did_you_mean, explain};
use super::located::{Fault, Located, Position};
use super::{
    API_VERSION, BuilderTrust, Control, ControlTest, Envelope, Exception, ExceptionPolicy, Framework, KINDS, NamedBuilderTrust,
    NamedException, NamedExceptionPolicy, Parameters, TrustPolicy,
};

/// A document of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// Builders that are trusted.
    BuilderTrust(Box<NamedBuilderTrust>),
    /// A control.
    Control(Box<Control>),
    /// Tests of a control.
    ControlTest(Box<ControlTest>),
    /// An exception.
    Exception(Box<NamedException>),
    /// What an organisation allows of exceptions.
    ExceptionPolicy(NamedExceptionPolicy),
    /// A framework.
    Framework(Framework),
    /// Parameters.
    Parameters(Parameters),
    /// A trust policy.
    TrustPolicy(NamedTrustPolicy),
}

/// A trust policy with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTrustPolicy {
    /// `metadata.name`.
    pub name: String,
    /// What it says.
    pub policy: TrustPolicy,
}

/// Deepest nesting that is read: room for ten combinations of rules inside each other.
const DEEPEST: usize = 32;
/// Longest text that is read, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Reads every document of a text (YAML, or JSON, which is a subset). Empty documents are passed over.
///
/// # Errors
/// The first thing that is wrong, with its line and column.
pub fn parse(file: &str, text: &str) -> Result<Vec<Document>, DocumentError> {
    parse_each(file, text).into_iter().collect()
}

/// The same, each document for itself: one that is wrong does not hide the next.
#[must_use]
pub fn parse_each(file: &str, text: &str) -> Vec<Result<Document, DocumentError>> {
    if text.len() > LONGEST {
        return vec![Err(error(file, (0, 0), format!("larger than {LONGEST} bytes")))];
    }
    let is_empty = |part: &str| part.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let parts = split(text).into_iter().filter(|(_, part)| !is_empty(part));
    parts.map(|(line, part)| parse_one(file, line, &part)).collect()
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

fn parse_one(file: &str, before: u64, text: &str) -> Result<Document, DocumentError> {
    let tree: Located = read(file, before, text)?;
    let refuse = |fault: Fault| {
        let (line, column) = tree.position(fault.path());
        Err(error(file, (before + line, column), fault.detail))
    };
    let in_spec = |fault: Fault| refuse(fault.under("spec"));
    match tree.get("apiVersion").and_then(Located::text) {
        Some(API_VERSION) => {}
        Some(other) => return refuse(Fault::new(format!("apiVersion is {other:?}; this version reads {API_VERSION}")).under("apiVersion")),
        None => return refuse(Fault::new(format!("there is no `apiVersion`; this version reads {API_VERSION}"))),
    }
    match tree.get("kind").and_then(Located::text) {
        Some("BuilderTrust") => {
            let Envelope { metadata, spec: trust, .. } = read::<Envelope<BuilderTrust>>(file, before, text)?;
            let name = metadata.name;
            trust.fault().map_or(Ok(Document::BuilderTrust(Box::new(NamedBuilderTrust { name, trust }))), in_spec)
        }
        Some("Control") => {
            let control = read::<Envelope<Control>>(file, before, text)?.spec;
            control.fault().map_or(Ok(Document::Control(Box::new(control))), in_spec)
        }
        Some("ControlTest") => {
            let test = read::<Envelope<ControlTest>>(file, before, text)?.spec;
            test.fault().map_or(Ok(Document::ControlTest(Box::new(test))), in_spec)
        }
        Some("Exception") => {
            let Envelope { metadata, spec: exception, .. } = read::<Envelope<Exception>>(file, before, text)?;
            let name = metadata.name;
            exception.fault().map_or(Ok(Document::Exception(Box::new(NamedException { name, exception }))), in_spec)
        }
        Some("ExceptionPolicy") => {
            let Envelope { metadata, spec: policy, .. } = read::<Envelope<ExceptionPolicy>>(file, before, text)?;
            let name = metadata.name;
            policy.fault().map_or(Ok(Document::ExceptionPolicy(NamedExceptionPolicy { name, policy })), in_spec)
        }
        Some("Framework") => {
            let framework = read::<Envelope<Framework>>(file, before, text)?.spec;
            framework.fault().map_or(Ok(Document::Framework(framework)), in_spec)
        }
        Some("Parameters") => Ok(Document::Parameters(read::<Envelope<Parameters>>(file, before, text)?.spec)),
        Some("TrustPolicy") => {
            let Envelope { metadata, spec: policy, .. } = read::<Envelope<TrustPolicy>>(file, before, text)?;
            let name = metadata.name;
            policy.fault().map_or(Ok(Document::TrustPolicy(NamedTrustPolicy { name, policy })), in_spec)
        }
        None => refuse(Fault::new(format!("there is no `kind`; kinds: {}", KINDS.join(", ")))),
        Some("AuditConfig") => refuse(Fault::new("kind AuditConfig is not supported by this version of seaworthy").under("kind")),
        Some(other) => {
            let detail = format!("kind {other:?} is not known; kinds: {}{}", KINDS.join(", "), did_you_mean(other, KINDS));
            refuse(Fault::new(detail).under("kind"))
        }
    }
}

pub(super) fn read<T: DeserializeOwned>(file: &str, before: u64, text: &str) -> Result<T, DocumentError> {
    // Reading is recursive: what is nested deeper is refused before it costs the stack.
    let options = serde_saphyr::options! { budget: serde_saphyr::budget! { max_depth: DEEPEST } };
    serde_saphyr::from_str_with_options(text, options).map_err(|failure| {
        let (line, column) = failure.location().map_or((0, 0), |location| (before + location.line(), location.column()));
        let whole = failure.without_snippet().to_string();
        // The location is said once, in front.
        let message = whole.split(" at line ").next().unwrap_or(&whole);
        error(file, (line, column), explain(message))
    })
}

pub(super) fn error(file: &str, (line, column): Position, detail: String) -> DocumentError {
    DocumentError { file: file.to_owned(), line, column, detail }
}
