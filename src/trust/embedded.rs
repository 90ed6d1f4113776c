//! The copies of trust roots inside this program.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use sigstore_trust_root::SigstoreInstance as Known;

use crate::documents::SigstoreInstance;
use crate::model::{RootOrigin, TrustRoot};

pub(super) fn known(instance: SigstoreInstance) -> Known {
    match instance {
        SigstoreInstance::PublicGood => Known::PublicGood,
        SigstoreInstance::Github => Known::GitHub,
    }
}

/// Up to which moment the embedded copies are known to be complete.
///
/// They come with `sigstore-trust-root` 0.15.1. Its change log says that they were fetched anew ("refresh embedded TUF data", #342)
/// between the releases 0.15.0 (2026-10-13) and 0.15.1 (2026-10-23). The day itself is not in the package, so the earlier end is what is
/// certain; too early a date makes an unknown where a later one could make a wrong rejection. A test knows the copies' digests and fails
/// when they change.
pub(super) fn embedded_date() -> Timestamp {
    date(2026, 10, 13).to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// The embedded copy of a trust root, under this name.
#[must_use]
pub fn embedded(name: &str, instance: SigstoreInstance) -> TrustRoot {
    TrustRoot {
        name: name.to_owned(),
        origin: RootOrigin::Embedded,
        dated: Some(embedded_date()),
        without_logs: instance.lacks_logs(),
        content: Ok(Arc::from(known(instance).embedded_trusted_root_json().as_bytes())),
    }
}
