//! SLSA provenance v0.2 and v1, in one form.

use super::Malformed;
use crate::model::Provenance;

/// Reads the predicate of a provenance.
///
/// # Errors
/// When it is none.
pub(super) fn read(predicate_type: &str, predicate: &str) -> Result<Provenance, Malformed> {
    let _ = (predicate_type, predicate);
    Err(Malformed("provenance is not read yet".to_owned()))
}
