//! Verdicts with their reasons and causes: two closed, stable lists. A new entry is a change of the contract.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! closed_list {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every member, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name, as reports and options write it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.name())
            }
        }

        impl FromStr for $name {
            type Err = ();

            /// Reads the stable name.
            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|member| member.name() == text).ok_or(())
            }
        }
    };
}

closed_list! {
    /// Why something fails. Known, looked at, and not good.
    Reason {
        /// One really looked, and there is nothing.
        Absent = "absent",
        /// The image reference cannot be parsed.
        MalformedReference = "malformed-reference",
        /// Bytes match their digest and do not parse.
        Malformed = "malformed",
        /// A statement is about another digest.
        DigestMismatch = "digest-mismatch",
        /// The signature does not verify.
        SignatureInvalid = "signature-invalid",
        /// The certificate does not chain to a trusted authority.
        CertificateUntrusted = "certificate-untrusted",
        /// The certificate was not valid when it signed.
        CertificateExpiredAtSigning = "certificate-expired-at-signing",
        /// No signed certificate timestamp.
        SctMissing = "sct-missing",
        /// A signed certificate timestamp that does not verify.
        SctInvalid = "sct-invalid",
        /// No transparency-log entry.
        LogEntryMissing = "log-entry-missing",
        /// The log entry is about something else.
        LogEntryInconsistent = "log-entry-inconsistent",
        /// The log's signature does not verify.
        LogSignatureInvalid = "log-signature-invalid",
        /// The log's inclusion proof does not hold.
        InclusionProofInvalid = "inclusion-proof-invalid",
        /// No proven time.
        TimestampMissing = "timestamp-missing",
        /// A time stamp that does not verify.
        TimestampInvalid = "timestamp-invalid",
        /// Signed by another identity.
        IdentityMismatch = "identity-mismatch",
        /// Identity vouched for by another issuer.
        IssuerMismatch = "issuer-mismatch",
        /// A certificate extension differs.
        ExtensionMismatch = "extension-mismatch",
        /// Signed by another key.
        KeyMismatch = "key-mismatch",
        /// Fewer authorities than asked for.
        TooFewAuthorities = "too-few-authorities",
        /// The authority had ended before the signature.
        AuthorityExpired = "authority-expired",
        /// Revoked key, identity, source or digest.
        Revoked = "revoked",
        /// No attestation of the wanted type.
        PredicateMissing = "predicate-missing",
        /// The predicate does not say what is wanted.
        PredicateMismatch = "predicate-mismatch",
        /// Older than allowed.
        TooOld = "too-old",
        /// The builder is not trusted.
        BuilderUntrusted = "builder-untrusted",
        /// Built from another source.
        SourceMismatch = "source-mismatch",
        /// A lower level than asked for.
        LevelTooLow = "level-too-low",
        /// A statement without a signature.
        Unsigned = "unsigned",
        /// The registry is not an allowed one, or a forbidden one.
        RegistryDenied = "registry-denied",
        /// Pulled straight from a public registry.
        PublicRegistry = "public-registry",
        /// The reference does not pin a digest.
        ReferenceNotPinned = "reference-not-pinned",
        /// The tag is one that moves.
        FloatingTag = "floating-tag",
        /// The pull policy does not fit the tag.
        PullPolicy = "pull-policy",
        /// The tag leads to another digest than the running one.
        TagMoved = "tag-moved",
        /// The container is not in its workload's template.
        UndeclaredContainer = "undeclared-container",
    }
}

closed_list! {
    /// Why something is not known: neither pass nor fail.
    Cause {
        /// 401: no credential, or one that is not accepted.
        Unauthorized = "unauthorized",
        /// 403: the credential may not read this.
        Forbidden = "forbidden",
        /// 429, also after waiting.
        RateLimited = "rate-limited",
        /// 5xx.
        ServerError = "server-error",
        /// No answer in time.
        Timeout = "timeout",
        /// The host's name does not resolve.
        Dns = "dns",
        /// The TLS handshake failed.
        Tls = "tls",
        /// No connection, or it broke.
        Connection = "connection",
        /// A redirect that is not followed.
        RedirectRefused = "redirect-refused",
        /// A host that the scan does not contact unless allowed.
        HostRefused = "host-refused",
        /// Larger than the limit for its kind.
        TooLarge = "too-large",
        /// A broken protocol answer, or bytes that do not match their digest.
        InvalidResponse = "invalid-response",
        /// A budget of the scan is spent.
        Budget = "budget",
        /// The running manifest is not (or no longer) in the registry, as far as these credentials see.
        ImageNotFound = "image-not-found",
        /// The running manifest may belong to an index that is not at hand.
        IndexUnknown = "index-unknown",
        /// What runs cannot be named by a manifest digest.
        DigestUnknown = "digest-unknown",
        /// The snapshot does not hold this question.
        NotCaptured = "not-captured",
        /// Only a part was asked of what may be there: a mirror or cache and not the origin, or a place that hides some from these credentials.
        EvidenceLocationIncomplete = "evidence-location-incomplete",
        /// Recognised, not supported.
        UnsupportedFormat = "unsupported-format",
        /// The trust root could not be loaded.
        TrustRootUnavailable = "trust-root-unavailable",
        /// The trust root is older than the evidence.
        TrustRootTooOld = "trust-root-too-old",
        /// The hardware token cannot be used.
        TokenUnavailable = "token-unavailable",
        /// An expression would cost too much.
        ExpressionLimit = "expression-limit",
        /// The local clock differs too much from the servers'.
        ClockSkew = "clock-skew",
        /// A list could not be read whole.
        ListIncomplete = "list-incomplete",
        /// The scan was ended before this was asked.
        Cancelled = "cancelled",
    }
}

/// What is known about one statement, or one subject, under some trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Everything asked for holds.
    Verified,
    /// Looked at, and it does not hold.
    Rejected(Reason),
    /// One really looked, and there is nothing.
    Absent,
    /// Not known.
    Unknown(Cause),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.name().parse(), Ok(*reason));
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
        }
        for cause in Cause::ALL {
            assert_eq!(cause.name().parse(), Ok(*cause));
        }
        assert_eq!("nonsense".parse::<Cause>(), Err(()));
        assert_eq!((Reason::ALL.len(), Cause::ALL.len()), (36, 26));
    }
}
