//! Policies with their material, made ready once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::builders::CompiledBuilder;
use super::matcher::Matcher;
use super::revocation::Revoked;
use crate::documents::{Authority, Demand, ImageRule, Material, Otherwise, SctDemand, TrustPolicy};
use crate::model::{AuthorityMaterial, Cause, PolicyMaterial, Trial, TrustRoot, UnknownAnswer};

/// A policy with its name and its material.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// What it says.
    pub policy: TrustPolicy,
    /// What it vouches with.
    pub material: PolicyMaterial,
    /// Where it is from.
    pub origin: PolicyOrigin,
}

/// Where a policy is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyOrigin {
    /// A document that somebody wrote and keeps.
    Document,
    /// Options of the command line, for a quick look.
    Options,
    /// Keys of a control's parameter: they count for that control alone, and only for images that no rule of a policy is about.
    Keys,
}

/// Trust policies, made ready: texts compiled, authorities turned into trials.
#[derive(Debug, Clone, Default)]
pub struct TrustPolicies {
    pub(super) policies: Vec<Compiled>,
    /// Those of all policies: what one of them takes back no other gives again.
    pub(super) revocations: Vec<Revoked>,
    /// Whose provenance shows which level.
    pub(super) builders: Vec<CompiledBuilder>,
    trials: Vec<Trial>,
}

/// One policy.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) name: String,
    pub(super) authorities: BTreeMap<String, CompiledAuthority>,
    pub(super) rules: Vec<ImageRule>,
    pub(super) otherwise: Otherwise,
    pub(super) origin: PolicyOrigin,
    /// The keys (PEM) of a control's parameter, where it is made of them.
    keys: BTreeSet<String>,
}

impl Compiled {
    /// Whether it speaks where a control trusts these keys: what one control trusts no other does.
    pub(super) fn speaks_for(&self, keys: &[String]) -> bool {
        let same = || keys.iter().all(|key| self.keys.contains(key)) && self.keys.iter().all(|key| keys.contains(key));
        self.origin != PolicyOrigin::Keys || !keys.is_empty() && same()
    }
}

/// One authority.
#[derive(Debug, Clone)]
pub(super) struct CompiledAuthority {
    pub(super) name: String,
    pub(super) vouches: Vouches,
    /// Positions of its trials.
    pub(super) trials: Vec<u32>,
    /// Why it cannot be asked.
    pub(super) unavailable: Option<UnknownAnswer>,
    pub(super) log: Demand,
    pub(super) time: Demand,
    pub(super) sct: bool,
    pub(super) from: Option<Timestamp>,
    /// The first moment at which it is not trusted any more.
    pub(super) until: Option<Timestamp>,
}

/// With what an authority vouches.
#[derive(Debug, Clone)]
pub(super) enum Vouches {
    Keyless { issuer: Matcher, subject: Matcher, extensions: Vec<(String, Matcher)> },
    Key,
    Certificate { subject: Matcher },
}

impl CompiledAuthority {
    /// Whether it rests on a key that lives long.
    pub(super) fn is_long_lived(&self) -> bool {
        matches!(self.vouches, Vouches::Key | Vouches::Certificate { .. })
    }
}

impl TrustPolicies {
    /// Makes policies ready.
    #[must_use]
    pub fn new(policies: Vec<NamedPolicy>) -> Self {
        let mut ready = Self::default();
        for NamedPolicy { name, policy, material, origin } in policies {
            let authorities = policy
                .authorities
                .iter()
                .map(|(authority, spec)| (authority.clone(), ready.authority(authority, spec, &material)))
                .collect();
            ready.revocations.extend(policy.revocations.iter().map(Revoked::of));
            let data = |authority: &Authority| match &authority.key {
                Some(Material::Data(pem)) => Some(pem.clone()),
                _ => None,
            };
            ready.policies.push(Compiled {
                keys: policy.authorities.values().filter_map(data).collect(),
                name,
                authorities,
                rules: policy.images.clone(),
                otherwise: policy.otherwise,
                origin,
            });
        }
        ready
    }

    /// Whether they say nothing about whom to trust.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.speak(&[PolicyOrigin::Document, PolicyOrigin::Options, PolicyOrigin::Keys])
    }

    /// Whether any of these origins says anything about whom to trust.
    #[must_use]
    pub fn speak(&self, origins: &[PolicyOrigin]) -> bool {
        let says = |policy: &&Compiled| !policy.authorities.is_empty() || !policy.rules.is_empty();
        self.policies.iter().filter(says).any(|policy| origins.contains(&policy.origin))
    }

    /// Everything that statements are to be tried with, each once. A proof names its trial by the position.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Names of all authorities, with their policies', in order.
    pub fn authorities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.policies.iter().flat_map(|policy| policy.authorities.keys().map(|name| (policy.name.as_str(), name.as_str())))
    }

    /// The authorities of documents that rest on a key that lives long, in order.
    #[must_use]
    pub fn long_lived(&self) -> Vec<String> {
        let documents = self.policies.iter().filter(|policy| policy.origin == PolicyOrigin::Document);
        let all = documents.flat_map(|policy| policy.authorities.values());
        all.filter(|authority| authority.is_long_lived()).map(|authority| authority.name.clone()).collect()
    }

    /// The same policies with one more revocation: what would be if it were revoked.
    #[must_use]
    pub fn with_revocation(&self, revocation: &crate::documents::Revocation) -> Self {
        let mut changed = self.clone();
        changed.revocations.push(Revoked::of(revocation));
        changed
    }

    fn trial(&mut self, trial: Trial) -> u32 {
        let known = self.trials.iter().position(|known| *known == trial);
        let position = known.unwrap_or_else(|| {
            self.trials.push(trial);
            self.trials.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    pub(super) fn authority(&mut self, name: &str, spec: &Authority, material: &PolicyMaterial) -> CompiledAuthority {
        let short_lived = spec.keyless.is_some();
        let usual = if short_lived { Demand::Required } else { Demand::Optional };
        let mut authority = CompiledAuthority {
            name: name.to_owned(),
            vouches: Vouches::Key,
            trials: Vec::new(),
            unavailable: None,
            log: spec.transparency_log.unwrap_or(usual),
            time: spec.proven_time.unwrap_or(usual),
            // Only Fulcio announces its certificates.
            sct: short_lived && spec.sct != Some(SctDemand::UnsafeIgnore),
            from: spec.valid_from.map(crate::documents::Moment::first),
            until: spec.valid_until.map(crate::documents::Moment::end),
        };
        // Whose logs and time stamps count; one trial each.
        let witnesses: Vec<Option<Arc<TrustRoot>>> = match &spec.trust_root {
            _ if authority.log == Demand::UnsafeIgnore && authority.time == Demand::UnsafeIgnore => vec![None],
            Some(root) => vec![material.roots.get(root).cloned()],
            None if material.roots.is_empty() => vec![None],
            None => material.roots.values().cloned().map(Some).collect(),
        };
        match (&spec.keyless, material.authorities.get(name)) {
            (_, Some(AuthorityMaterial::Unavailable(unknown))) => authority.unavailable = Some(unknown.clone()),
            (Some(keyless), _) => {
                match material.roots.get(&keyless.trust_root) {
                    Some(root) => {
                        // A root without logs has neither entries nor certificate timestamps to show: its time stamps stand for them.
                        if root.without_logs {
                            authority.log = Demand::UnsafeIgnore;
                            authority.sct = false;
                        }
                        authority.trials = vec![self.trial(Trial::Keyless { root: Arc::clone(root) })];
                    }
                    None => {
                        let detail = format!("trust root {} of authority {name} was not loaded", keyless.trust_root);
                        authority.unavailable = Some(UnknownAnswer { cause: Cause::TrustRootUnavailable, detail });
                    }
                }
                let exact = keyless.extensions.iter().map(|(extension, text)| (extension, Matcher::Exact(text.clone())));
                let patterns = keyless.extensions_regexp.iter().map(|(extension, text)| (extension, Matcher::regexp(text)));
                authority.vouches = Vouches::Keyless {
                    issuer: Matcher::of(&keyless.issuer),
                    subject: Matcher::of(&keyless.subject),
                    extensions: exact.chain(patterns).map(|(extension, matcher)| (extension.name(), matcher)).collect(),
                };
            }
            (None, Some(AuthorityMaterial::Keys(keys))) => {
                let pairs = keys.iter().flat_map(|key| witnesses.iter().map(move |root| (key, root)));
                authority.trials = pairs.map(|(key, root)| self.trial(Trial::Key { key: key.clone(), root: root.clone() })).collect();
            }
            (None, Some(AuthorityMaterial::Certificates(authorities))) => {
                let trials = witnesses.iter().map(|root| Trial::Certificate { authorities: authorities.clone(), root: root.clone() });
                authority.trials = trials.map(|trial| self.trial(trial)).collect();
            }
            (None, _) => {
                let detail = format!("the key or certificates of authority {name} were not loaded");
                authority.unavailable = Some(UnknownAnswer { cause: Cause::TrustRootUnavailable, detail });
            }
        }
        if let Some(certificate) = &spec.certificate {
            authority.vouches = Vouches::Certificate { subject: Matcher::of(&certificate.subject) };
        }
        authority
    }
}
