//! What is there, whoever signed it: statements that nobody signed, documents that are attached as they are.

use super::ruling::{counts, names, not_looked};
use crate::model::{Carrier, ImageEvidence, Relation, Statement, StatementFormat, UnknownAnswer};

/// The statements about an image that are meant, trusted or not: beside the digest that runs or the index that lists it, or, where an
/// index runs and none is there, beside each of its platform manifests.
///
/// # Errors
/// Where none is there: why that is not known, if it is not.
pub fn lying_there<'a>(
    image: &'a ImageEvidence,
    is_meant: &dyn Fn(&Statement) -> bool,
) -> Result<Vec<&'a Statement>, Option<UnknownAnswer>> {
    let found = image.statements.iter().filter(|found| is_meant(found) && names(found, &image.subject) && counts(found, image));
    let (below, own): (Vec<_>, Vec<_>) = found.partition(|found| matches!(found.carrier, Carrier::Platform(_)));
    if !own.is_empty() {
        return Ok(own);
    }
    let has = |platform| below.iter().any(|found| matches!(&found.carrier, Carrier::Platform(of) if of == platform));
    if !image.platforms.is_empty() && image.platforms.iter().all(has) {
        return Ok(below);
    }
    Err(not_looked_for_attestations(image))
}

/// Why an absence of attestations cannot be said, if it cannot.
pub(super) fn not_looked_for_attestations(image: &ImageEvidence) -> Option<UnknownAnswer> {
    not_looked(image).or_else(|| image.places.iter().find_map(|place| place.attestations.clone()))
}

/// Why a statement cannot be parsed that may have been meant as an attestation of any type: its form is one of theirs.
pub(super) fn unparsable(statement: &Statement) -> Option<String> {
    match (&statement.format, &statement.relation) {
        (StatementFormat::Unsupported { media_type }, Relation::Malformed(why))
            if ["dsse", "sigstore.bundle", "in-toto"].iter().any(|form| media_type.contains(form)) =>
        {
            Some(format!("what lies there cannot be parsed: {why}"))
        }
        _ => None,
    }
}
