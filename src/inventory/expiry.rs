//! Whether the credentials of a kubeconfig have visibly expired: a hint for a person, never a decision.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kube::config::AuthInfo;
use serde::Deserialize;

/// What is expired, and since when.
pub(super) fn hint(credentials: &AuthInfo) -> Option<String> {
    let now = Timestamp::now();
    let certificate = credentials
        .client_certificate_data
        .as_deref()
        .and_then(|data| STANDARD.decode(data).ok())
        .or_else(|| std::fs::read(credentials.client_certificate.as_deref()?).ok());
    if let Some(end) = certificate.as_deref().and_then(certificate_end)
        && end < now
    {
        return Some(format!("the client certificate expired at {end}"));
    }
    let end = token_end(credentials)?;
    (end < now).then(|| format!("the token expired at {end}"))
}

/// `exp` of a JSON web token (RFC 7519), unverified.
fn token_end(credentials: &AuthInfo) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    // Its own serialisation is the one way to the token that needs no further crate.
    let written = serde_json::to_value(credentials).ok()?;
    let token = match (written.get("token").and_then(|token| token.as_str()), &credentials.token_file) {
        (Some(token), _) => token.to_owned(),
        (None, Some(file)) => std::fs::read_to_string(file).ok()?,
        (None, None) => return None,
    };
    let payload = URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and a time beyond the calendar is refused after it")]
    Timestamp::from_second(claims.exp as i64).ok()
}

/// `notAfter` of the first certificate in a PEM file (RFC 5280, section 4.1), read by walking to it.
fn certificate_end(pem: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let der = STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()?;
    let (_, certificate, _) = element(&der)?;
    let (_, mut fields, _) = element(certificate)?;
    // [0] version, serialNumber, signature, issuer, validity: the version is optional.
    let (tag, _, rest) = element(fields)?;
    if tag == 0xa0 {
        fields = rest;
    }
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (tag, end, _) = element(element(validity)?.2)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

/// Tag, content and what follows of a DER element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `UTCTime` (two digits of year, 1950 to 2049) or `GeneralizedTime`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        0x17 => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl ca -selfsign -startdate 20240101000000Z -enddate 20240102030405Z`; its key was thrown away.
    const EXPIRED: &str = include_str!("testdata/expired-client.pem");

    #[test]
    fn an_expired_client_certificate_is_named() {
        assert_eq!(certificate_end(EXPIRED.as_bytes()).unwrap().to_string(), "2024-01-02T03:04:05Z");
        let credentials = AuthInfo { client_certificate_data: Some(STANDARD.encode(EXPIRED)), ..AuthInfo::default() };
        assert_eq!(hint(&credentials).as_deref(), Some("the client certificate expired at 2024-01-02T03:04:05Z"));
    }

    #[test]
    fn an_expired_token_is_named() {
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(r#"{"exp":1700000000}"#));
        let with = |token: &str| serde_json::from_value::<AuthInfo>(serde_json::json!({ "token": token })).unwrap();
        assert_eq!(hint(&with(&token)).as_deref(), Some("the token expired at 2023-11-14T22:13:20Z"));
        assert_eq!(hint(&with("opaque")), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", STANDARD.encode(&bytes));
            let _ = certificate_end(pem.as_bytes());
        }
    }
}
