//! DSSE envelopes (secure-systems-lab/dsse, `envelope.md`).

use std::borrow::Cow;

use serde::Deserialize;

use super::{Malformed, ReadStatement, base64, intoto, json};
use crate::model::{SIGNATURE_TYPE, StatementFormat};

/// An envelope. Unknown fields are ignored, as the specification asks; doubled ones are refused by the parser.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    payload_type: String,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(default)]
    sig: String,
}

/// Reads an envelope that stands alone (a layer of cosign's `.att`, a line of a file).
pub(super) fn read(bytes: &[u8]) -> Result<ReadStatement, Malformed> {
    let envelope: Envelope<'_> = json::read("a DSSE envelope", bytes)?;
    read_envelope(&envelope)
}

/// Reads the in-toto statement in an envelope. The predicate type is the one inside the signed bytes, never an annotation.
pub(super) fn read_envelope(envelope: &Envelope<'_>) -> Result<ReadStatement, Malformed> {
    let mut signed = false;
    for signature in &envelope.signatures {
        signed |= !base64::decode("the DSSE signature", &signature.sig)?.is_empty();
    }
    if envelope.payload_type != intoto::PAYLOAD_TYPE {
        return Err(Malformed(format!("the DSSE envelope holds {}, not an in-toto statement", envelope.payload_type)));
    }
    let payload = base64::decode("the DSSE payload", &envelope.payload)?;
    let intoto::Statement { predicate_type, subjects } = intoto::read(&payload)?;
    let format = match signed {
        true => StatementFormat::Dsse { predicate_type },
        // A signature that is not there is none; what is attested by nobody can still be shown.
        false if predicate_type == SIGNATURE_TYPE => return Err(Malformed("the DSSE envelope holds no signature".to_owned())),
        false => StatementFormat::Unsigned { predicate_type },
    };
    Ok(ReadStatement { format, subjects })
}
