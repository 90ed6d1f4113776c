//! In-toto statements as texts: what is in them need not be JSON.

use super::super::layout::{image, other_image};

pub const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
pub const TESTS: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A statement while it is made.
#[derive(Debug, Clone)]
pub struct Statement {
    version: &'static str,
    subjects: String,
    predicate_type: &'static str,
    predicate: Option<String>,
}

/// A subject with these digests.
pub fn subject(digests: &[(&str, &str)]) -> String {
    let digests: Vec<_> = digests.iter().map(|(algorithm, hex)| format!(r#""{algorithm}":"{hex}""#)).collect();
    format!(r#"{{"name":"app","digest":{{{}}}}}"#, digests.join(","))
}

/// The shared image, and one that runs nowhere.
pub fn ours() -> String {
    subject(&[("sha256", &image().hex())])
}

pub fn others() -> String {
    subject(&[("sha256", &other_image().hex())])
}

impl Statement {
    /// About the shared image.
    pub fn new(predicate_type: &'static str, predicate: impl Into<String>) -> Self {
        Self { version: "v1", subjects: format!("[{}]", ours()), predicate_type, predicate: Some(predicate.into()) }
    }

    /// Of the version that cosign writes.
    pub fn of_version_0_1(self) -> Self {
        Self { version: "v0.1", ..self }
    }

    pub fn about(self, subjects: &[String]) -> Self {
        Self { subjects: format!("[{}]", subjects.join(",")), ..self }
    }

    pub fn without_predicate(self) -> Self {
        Self { predicate: None, ..self }
    }

    pub fn text(&self) -> String {
        let Self { version, subjects, predicate_type, predicate } = self;
        let predicate = predicate.as_ref().map(|predicate| format!(r#","predicate":{predicate}"#)).unwrap_or_default();
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/{version}","subject":{subjects},"predicateType":"{predicate_type}"{predicate}}}"#
        )
    }
}
