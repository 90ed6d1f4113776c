//! In-toto statements (in-toto attestation framework, Statement v0.1 and v1).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Malformed, ReadStatement, json};
use crate::model::{Digest, StatementFormat};

/// The DSSE payload type of a statement.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What is read of a statement: its subjects and type. The predicate is left alone.
pub(super) struct Statement {
    pub(super) predicate_type: String,
    pub(super) subjects: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// Reads a statement that stands alone, without envelope: nobody signed it.
pub(super) fn read_bare(bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let statement = read(bytes)?;
    Ok(ReadStatement { format: StatementFormat::Unsigned { predicate_type: statement.predicate_type }, subjects: statement.subjects })
}

pub(super) fn read(payload: &[u8]) -> Result<Statement, Malformed> {
    let wire: Wire = json::read("an in-toto statement", payload)?;
    if !matches!(wire.kind.as_str(), "https://in-toto.io/Statement/v0.1" | "https://in-toto.io/Statement/v1") {
        return Err(Malformed(format!("statement type {} is not known", wire.kind)));
    }
    let subjects = wire
        .subject
        .iter()
        .flat_map(|subject| &subject.digest)
        .filter_map(|(algorithm, encoded)| format!("{algorithm}:{encoded}").parse().ok())
        .collect();
    Ok(Statement { predicate_type: wire.predicate_type, subjects })
}
