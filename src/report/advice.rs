//! What to do about each cause of not knowing.

use super::terminal::shown;
use crate::model::{Cause, TRUST_POLICY};

/// What happened and what the user can do about it, in one or two sentences.
#[must_use]
pub fn advice(cause: Cause) -> &'static str {
    match cause {
        Cause::Unauthorized => {
            "The registry wants a credential: add a pull secret to the workload, or log in on this machine (`docker login HOST`)."
        }
        Cause::Forbidden => {
            "The credential may not read this: give it pull rights on the repository, or the scan's identity the missing right."
        }
        Cause::RateLimited => "The registry limits requests: scan with a credential (higher limits), or again later.",
        Cause::ServerError => "The server answered with an error of its own (5xx): scan again later.",
        Cause::Timeout => "The server did not answer in time: check the way to it (`seaworthy doctor`), then scan again.",
        Cause::Dns => "The host's name does not resolve from here: check the name, or scan from where it does.",
        Cause::Tls => "The TLS handshake failed: add the registry's CA with `--ca-file`, or `--plain-http HOST` if it speaks no TLS.",
        Cause::Connection => "No connection, or it broke: check network, proxy and port (`seaworthy doctor`), then scan again.",
        Cause::RedirectRefused => "The registry redirects to a place that is not followed: name the right host in the reference.",
        Cause::HostRefused => {
            "A link-local, loopback or cluster-internal address is not contacted unless allowed: `--allow-host HOST[:PORT]`."
        }
        Cause::TooLarge => "The answer is larger than its kind may be: have the repository's owner look at what is stored there.",
        Cause::InvalidResponse => "The answer breaks the protocol or does not match its digest: have the registry's owner look into it.",
        Cause::Budget => "There is more to look at than one scan spends on an image: remove superseded signatures and referrers.",
        Cause::ImageNotFound => {
            "The running image is not in its registry, as far as these credentials see: push it again, deploy one that is there, or scan with a credential that sees it."
        }
        Cause::IndexUnknown => {
            "The running manifest may belong to a signed index that no tag leads to any more: restart the workload, or pin its reference by digest."
        }
        Cause::DigestUnknown => "The runtime does not report a manifest digest: restart the pods, or pin the reference by digest.",
        Cause::NotCaptured => {
            "The snapshot does not hold this answer: take it again, without `--inventory-only` and with the same layouts and bundles."
        }
        Cause::EvidenceLocationIncomplete => {
            "Only a mirror, or only a part of what may be there, was asked: declare where all evidence lies, and ask with a credential that sees it."
        }
        Cause::UnsupportedFormat => "A signature in a format that is recognised and not supported: verify it with the tool that made it.",
        Cause::TrustRootUnavailable => "The trust root could not be loaded: check its source, or name a file.",
        Cause::TrustRootTooOld => "The trust root is older than the evidence: update it.",
        Cause::TokenUnavailable => "The hardware token cannot be used: check its module, slot and PIN.",
        Cause::ExpressionLimit => "An expression costs more than it may: simplify it.",
        Cause::ClockSkew => "The local clock differs too much from the servers': set it (`seaworthy doctor` shows by how much).",
        Cause::ListIncomplete => "A list could not be read whole: see the gaps at the top of this report.",
        Cause::Cancelled => "The scan was ended before this was asked: let it run to its end.",
    }
}

/// What to set for a control that lacks these parameters, in one sentence.
pub(super) fn to_configure(missing: &[String]) -> String {
    let parameters: Vec<_> = missing.iter().filter(|name| *name != TRUST_POLICY).map(|name| shown(name)).collect();
    match parameters.as_slice() {
        [] => "Not configured: say whom to trust (--trust-policy FILE, --key PEM, or --identity SUBJECT with --issuer URL).".to_owned(),
        // Each name says which key it has there, if it has one.
        names if names.iter().all(|name| name.contains("(controls-config: ")) => {
            format!("Not configured: set {} (--controls-config FILE, or --parameters FILE).", names.join(", "))
        }
        names => format!("Not configured: set {} (--parameters FILE).", names.join(", ")),
    }
}
