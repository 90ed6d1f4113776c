//! What is not trusted any more.

use jiff::Timestamp;

use super::matcher::Matcher;
use crate::documents::Revocation;
use crate::model::{CertificateClaims, Digest, Signer};

/// A revocation, made ready.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    what: What,
    since: Option<Timestamp>,
    reason: String,
}

#[derive(Debug, Clone)]
enum What {
    Key(Digest),
    Identity(Matcher, Option<Matcher>),
    Source(String),
    Image(Digest),
    /// It was refused when the policy was read.
    Nothing,
}

impl Revoked {
    pub(super) fn of(revocation: &Revocation) -> Self {
        let what = match (&revocation.key, &revocation.identity, &revocation.source_digest, &revocation.image_digest) {
            (Some(key), ..) => What::Key(key.clone()),
            (None, Some(identity), ..) => What::Identity(Matcher::of(identity), revocation.issuer.as_ref().map(Matcher::of)),
            (None, None, Some(source), _) => What::Source(source.clone()),
            (None, None, None, Some(image)) => What::Image(image.clone()),
            (None, None, None, None) => What::Nothing,
        };
        Self { what, since: revocation.since.map(crate::documents::Moment::first), reason: revocation.reason.clone() }
    }

    /// Whether it is in force for what was signed at a proven time, as of a moment. What has no proven time may have been signed at any.
    fn holds_at(&self, signed: Option<Timestamp>, as_of: Timestamp) -> bool {
        match (self.since, signed) {
            (None, _) => true,
            (Some(since), Some(signed)) => signed >= since,
            (Some(since), None) => as_of >= since,
        }
    }

    /// Whether what was signed before some moment still counts.
    pub(super) fn is_dated(&self) -> bool {
        self.since.is_some()
    }

    /// Why a signer is not trusted any more, if so.
    pub(super) fn of_signer(&self, signer: &Signer, signed: Option<Timestamp>, as_of: Timestamp) -> Option<String> {
        if !self.holds_at(signed, as_of) {
            return None;
        }
        let revoked = match (&self.what, signer) {
            (What::Key(key), Signer::Key { fingerprint }) => key == fingerprint,
            (What::Key(key), Signer::Certificate(claims)) => *key == claims.key,
            (What::Identity(identity, issuer), Signer::Certificate(claims)) => {
                claims.names.iter().any(|name| identity.matches(name.text()))
                    && issuer.as_ref().is_none_or(|issuer| claims.issuer.as_deref().is_some_and(|text| issuer.matches(text)))
            }
            (What::Source(source), Signer::Certificate(claims)) => sources(claims).any(|known| known == source),
            _ => false,
        };
        revoked.then(|| {
            self.told(match &self.what {
                What::Key(key) => format!("key {}", key.short()),
                What::Identity(identity, _) => format!("identity {identity}"),
                What::Source(source) => format!("source {source}"),
                What::Image(_) | What::Nothing => String::new(),
            })
        })
    }

    /// Why an image is not trusted any more, whoever signed it. When it was signed does not matter: it is the image that is bad.
    pub(super) fn of_image(&self, digest: &Digest, as_of: Timestamp) -> Option<String> {
        let revoked = matches!(&self.what, What::Image(image) if image == digest) && self.since.is_none_or(|since| as_of >= since);
        revoked.then(|| self.told(format!("image {}", digest.short())))
    }

    /// Whether it takes back some image, as of a moment.
    pub(super) fn is_of_images(&self, as_of: Timestamp) -> bool {
        matches!(self.what, What::Image(_)) && self.since.is_none_or(|since| as_of >= since)
    }

    fn told(&self, what: String) -> String {
        let since = self.since.map(|since| format!(" since {since}")).unwrap_or_default();
        format!("{what} is revoked{since}: {}", self.reason)
    }
}

/// Commits that a certificate names as its source.
fn sources(claims: &CertificateClaims) -> impl Iterator<Item = &String> {
    ["sourceRepositoryDigest", "githubWorkflowSha"].into_iter().filter_map(|name| claims.extensions.get(name))
}
