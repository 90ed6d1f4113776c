//! The bundles of attestations: inline, or at an address of storage, packed by Snappy.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Method};
use serde_json::value::RawValue;
use url::Url;

use super::Asking;
use super::listing::Entry;
use crate::model::{Algorithm, Cause, Descriptor, Digest, UnknownAnswer};
use crate::registry::bundles::piece::{self, Piece};
use crate::registry::client::Request;
use crate::registry::error::{failure, refused, shown};
use crate::registry::statistics::RequestKind;

/// Bundles of one digest that are fetched at once.
const AT_ONCE: usize = 8;
/// Bytes of all bundles about one digest.
const ALL_BUNDLES: usize = 128 << 20;

impl Asking<'_> {
    /// Reads or fetches the bundle of each entry. One that cannot be had is listed all the same: whoever opens it learns why, and what
    /// is good beside it stays good.
    pub(super) async fn bundles(&self, subject: &Digest, entries: Vec<Entry>) -> Vec<(Descriptor, Result<Bytes, UnknownAnswer>)> {
        let mut fetched = stream::iter(entries.into_iter().map(|entry| self.bundle(entry))).buffered(AT_ONCE);
        let mut pieces = Vec::new();
        let mut total = 0_usize;
        while let Some(bundle) = fetched.next().await {
            let bundle = bundle.and_then(|bytes| {
                total = total.saturating_add(bytes.len());
                if total <= ALL_BUNDLES {
                    return Ok(bytes);
                }
                Err(failure(Cause::Budget, format!("the bundles about one digest are more than {ALL_BUNDLES} bytes together")))
            });
            pieces.push(match bundle.and_then(|bytes| Ok((described(&bytes)?, bytes))) {
                Ok((descriptor, bytes)) => (descriptor, Ok(bytes)),
                Err(mut unknown) => {
                    unknown.detail = format!("attestation {} about {subject} in {}: {}", pieces.len() + 1, self.store, unknown.detail);
                    // It has no bytes, and is listed under the digest of what is told of it.
                    let digest = Digest::of(Algorithm::Sha256, unknown.detail.as_bytes());
                    (piece::descriptor("application/octet-stream", &digest, 0), Err(unknown))
                }
            });
        }
        pieces
    }

    async fn bundle(&self, entry: Entry) -> Result<Bytes, UnknownAnswer> {
        let cap = self.client.options.limits.blob;
        match (entry.bundle.as_deref().map(RawValue::get), entry.bundle_url) {
            (Some(bundle), _) if bundle.len() as u64 > cap => Err(too_large(cap)),
            (Some(bundle), _) => Ok(Bytes::copy_from_slice(bundle.as_bytes())),
            (None, Some(address)) => self.fetch(&address, cap).await,
            (None, None) => Err(failure(Cause::InvalidResponse, "it has neither a bundle nor an address of one")),
        }
    }

    /// Fetches a bundle from storage: the address is signed, and no token goes there.
    async fn fetch(&self, address: &str, cap: u64) -> Result<Bytes, UnknownAnswer> {
        let mut url = Url::parse(address).map_err(|_| failure(Cause::InvalidResponse, "the address of its bundle is none"))?;
        // A login inside the address would become a header of ours.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let request = Request {
            method: Method::GET,
            url,
            kind: RequestKind::Blob,
            accept: HeaderValue::from_static("*/*"),
            authorization: None,
            login: 0,
            cap,
            form: None,
            version: None,
        };
        let reply = self.client.send(&request, &self.patience).await?;
        if reply.status.as_u16() != 200 {
            return Err(refused(reply.status, &Method::GET, &reply.url));
        }
        unpacked(reply.body, cap).map_err(|unknown| failure(unknown.cause, format!("{}: {}", shown(&reply.url), unknown.detail)))
    }
}

/// Unpacks a block in Snappy's raw format (<https://github.com/google/snappy/blob/main/format_description.txt>), whose size stands before
/// it; JSON is taken as it is.
fn unpacked(body: Bytes, cap: u64) -> Result<Bytes, UnknownAnswer> {
    let broken = || failure(Cause::InvalidResponse, "what it gives is neither a Snappy block nor JSON");
    let plain = body.first() == Some(&b'{');
    let unpacked = match snap::raw::decompress_len(&body) {
        Ok(length) if length as u64 > cap && !plain => return Err(too_large(cap)),
        Ok(length) if length as u64 <= cap => snap::raw::Decoder::new().decompress_vec(&body).ok(),
        _ => None,
    };
    match unpacked {
        Some(bytes) => Ok(bytes.into()),
        None if plain => Ok(body),
        None => Err(broken()),
    }
}

fn too_large(cap: u64) -> UnknownAnswer {
    failure(Cause::TooLarge, format!("the bundle is larger than {cap} bytes"))
}

/// What a bundle says that it is. What is none was not attested: no digest says that these are the bytes that somebody stored.
fn described(bytes: &Bytes) -> Result<Descriptor, UnknownAnswer> {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    let (media_type, predicate_type) = match piece::read(bytes) {
        Piece::Evidence(evidence) => (evidence.media_type, evidence.predicate_type),
        Piece::Foreign(why) | Piece::Broken(why) => {
            return Err(failure(Cause::InvalidResponse, format!("what is listed as a bundle is none: {why}")));
        }
    };
    let mut descriptor = piece::descriptor(&media_type, &digest, bytes.len());
    descriptor.annotations.extend(predicate_type.map(|predicate_type| ("dev.sigstore.bundle.predicateType".to_owned(), predicate_type)));
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_unpacked_within_its_limit() {
        let text = br#"{"mediaType":"x"}"#.repeat(100);
        let packed = Bytes::from(snap::raw::Encoder::new().compress_vec(&text).unwrap());
        assert_eq!(unpacked(packed.clone(), 10_000).unwrap(), text);
        assert_eq!(unpacked(packed.clone(), 1_000).unwrap_err().cause, Cause::TooLarge);
        assert_eq!(unpacked(packed.slice(..packed.len() - 3), 10_000).unwrap_err().cause, Cause::InvalidResponse);
        // Says that it unpacks to 4 GiB.
        let bomb = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
        assert_eq!(unpacked(bomb, 10_000).unwrap_err().cause, Cause::TooLarge);
        let plain = Bytes::from_static(br#"{"mediaType":"x"}"#);
        assert_eq!(unpacked(plain.clone(), 10_000).unwrap(), plain);
        for broken in [&b""[..], b"<html>", &[0x80; 20]] {
            assert_eq!(unpacked(Bytes::copy_from_slice(broken), 10_000).unwrap_err().cause, Cause::InvalidResponse, "{broken:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = unpacked(Bytes::copy_from_slice(&bytes), 1_000);
            let _ = described(&bytes.into());
        }
    }
}
