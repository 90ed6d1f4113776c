//! Which trust roots a policy needs, and how much effort each is worth.

use std::collections::BTreeMap;

use super::PUBLIC_GOOD;
use crate::documents::{Authority, Demand, TrustPolicy};

/// How far one goes for a trust root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// What is at hand will do: no authority requires what it proves.
    AtHand,
    /// As current as it can be had.
    Current,
}

/// The trust roots that some authority can use, by name.
pub(super) fn needed(policy: &TrustPolicy) -> BTreeMap<&str, Effort> {
    let mut needed = BTreeMap::new();
    for authority in policy.authorities.values() {
        let Some(effort) = effort(authority) else { continue };
        for name in names(policy, authority) {
            let known = needed.entry(name).or_insert(effort);
            *known = effort.max(*known);
        }
    }
    needed
}

fn effort(authority: &Authority) -> Option<Effort> {
    if authority.keyless.is_some() {
        return Some(Effort::Current);
    }
    let proofs = [authority.transparency_log, authority.proven_time].map(|demand| demand.unwrap_or(Demand::Optional));
    let effort = |demand| match demand {
        Demand::Required => Some(Effort::Current),
        Demand::Optional => Some(Effort::AtHand),
        Demand::UnsafeIgnore => None,
    };
    proofs.into_iter().filter_map(effort).max()
}

fn names<'policy>(policy: &'policy TrustPolicy, authority: &'policy Authority) -> Vec<&'policy str> {
    if let Some(keyless) = &authority.keyless {
        return vec![&keyless.trust_root];
    }
    match &authority.trust_root {
        Some(name) => vec![name],
        None if policy.trust_roots.is_empty() => vec![PUBLIC_GOOD],
        None => policy.trust_roots.keys().map(String::as_str).collect(),
    }
}
