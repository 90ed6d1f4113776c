//! What is wrong with a trust policy beyond its shape. A name that refers to nothing would make a rule weaker than it reads.

use super::{
    Authority, Demand, EvidencePlace, EvidenceRule, GithubPlace, ImageRule, Keyless, Requirement, Revocation, SctDemand, Strength,
    TextMatch, TrustPolicy, TrustRootSource,
};
use crate::documents::error::did_you_mean;
use crate::documents::located::Fault;
use crate::model::{Algorithm, GithubStoreError};

impl TrustPolicy {
    /// The first thing that is wrong beyond its shape.
    pub(in crate::documents) fn fault(&self) -> Option<Fault> {
        let roots = self.trust_roots.iter().filter_map(|(name, root)| Some(root.fault()?.under(name.as_str()).under("trustRoots")));
        let authorities =
            self.authorities.iter().filter_map(|(name, authority)| Some(authority.fault(self)?.under(name.as_str()).under("authorities")));
        let rules = self.images.iter().enumerate().filter_map(|(item, rule)| Some(rule.fault(self)?.under(item).under("images")));
        let revocations =
            self.revocations.iter().enumerate().filter_map(|(item, revoked)| Some(revoked.fault()?.under(item).under("revocations")));
        let evidence = self.evidence.iter().enumerate().filter_map(|(item, rule)| Some(rule.fault()?.under(item).under("evidence")));
        roots.chain(authorities).chain(rules).chain(self.tie()).chain(revocations).chain(evidence).next()
    }

    /// Two default rules with one pattern: which of them applies could not be said.
    fn tie(&self) -> Option<Fault> {
        let default = |rule: &&ImageRule| rule.strength == Strength::Default;
        for (item, rule) in self.images.iter().enumerate().filter(|(_, rule)| default(rule)) {
            let before = self.images[..item].iter().filter(default).flat_map(|rule| &rule.images);
            if let Some(twice) = before.into_iter().find(|pattern| rule.images.contains(pattern)) {
                let detail = format!("an earlier default rule has the pattern {twice} too: which applies could not be said");
                return Some(Fault::new(detail).under("match").under(item).under("images"));
            }
        }
        None
    }

    fn unknown_root(&self, name: &str) -> Option<Fault> {
        let meant = did_you_mean(name, self.trust_roots.keys().map(String::as_str));
        (!self.trust_roots.contains_key(name)).then(|| Fault::new(format!("there is no trust root {name:?} under `trustRoots`{meant}")))
    }
}

/// How many of these are set.
fn set<const N: usize>(fields: [bool; N]) -> usize {
    fields.into_iter().filter(|set| *set).count()
}

impl TrustRootSource {
    fn fault(&self) -> Option<Fault> {
        let kinds = set([self.sigstore.is_some(), self.file.is_some(), self.data.is_some(), self.tuf.is_some()]);
        (kinds != 1)
            .then(|| Fault::new(format!("a trust root has exactly one of `sigstore`, `file`, `data` and `tuf`; this one has {kinds}")))
    }
}

impl Authority {
    fn fault(&self, policy: &TrustPolicy) -> Option<Fault> {
        let kinds = set([self.keyless.is_some(), self.key.is_some(), self.certificate.is_some()]);
        if kinds != 1 {
            return Some(Fault::new(format!("an authority has exactly one of `keyless`, `key` and `certificate`; this one has {kinds}")));
        }
        if self.sct.is_some() && self.keyless.is_none() {
            return Some(Fault::new("`sct` is for `keyless` alone: only Fulcio announces its certificates").under("sct"));
        }
        if self.trust_root.is_some() && self.keyless.is_some() {
            return Some(Fault::new("`keyless` names its trust root itself: write it there").under("trustRoot"));
        }
        if let Some(fault) = self.trust_root.as_ref().and_then(|name| policy.unknown_root(name)) {
            return Some(fault.under("trustRoot"));
        }
        if let (Some(from), Some(until)) = (self.valid_from, self.valid_until)
            && from.first() >= until.end()
        {
            return Some(Fault::new(format!("it ends ({until}) before it begins ({from})")).under("validUntil"));
        }
        if let Some(keyless) = &self.keyless {
            return keyless.fault(policy).map(|fault| fault.under("keyless")).or_else(|| self.unlogged(keyless, policy));
        }
        let certificate = self.certificate.as_ref()?;
        certificate.subject.fault().map(|fault| fault.under("subject").under("certificate"))
    }

    /// A proof that is asked for and that its trust root cannot give: it would have to be passed over, or nothing would ever hold.
    fn unlogged(&self, keyless: &Keyless, policy: &TrustPolicy) -> Option<Fault> {
        let root = &keyless.trust_root;
        if !policy.trust_roots.get(root)?.lacks_logs() {
            return None;
        }
        let asked = [("transparencyLog", self.transparency_log == Some(Demand::Required)), ("sct", self.sct == Some(SctDemand::Required))];
        let (key, _) = asked.into_iter().find(|(_, asked)| *asked)?;
        Some(Fault::new(format!("`{key}: required` of trust root {root:?}, which has no logs by design: leave it out")).under(key))
    }
}

impl Keyless {
    fn fault(&self, policy: &TrustPolicy) -> Option<Fault> {
        if let Some(fault) = policy.unknown_root(&self.trust_root) {
            return Some(fault.under("trustRoot"));
        }
        let names = [("issuer", &self.issuer), ("subject", &self.subject)];
        let name = names.into_iter().find_map(|(key, matched)| Some(matched.fault()?.under(key)));
        let patterns = self.extensions_regexp.values();
        let pattern = patterns.filter_map(|text| regexp_fault(text)).map(|fault| fault.under("extensionsRegexp")).next();
        name.or(pattern)
    }
}

impl TextMatch {
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Exact(text) if text.is_empty() => Some(Fault::new("an empty text is nobody").under("exact")),
            Self::Exact(_) => None,
            Self::Regexp(text) => regexp_fault(text).map(|fault| fault.under("regexp")),
        }
    }
}

fn regexp_fault(text: &str) -> Option<Fault> {
    if text.is_empty() {
        return Some(Fault::new("an empty regular expression matches nobody: it is anchored at both ends"));
    }
    let error = super::anchored(text).err()?;
    // The library draws the expression with a marker below it; its last line says what is wrong.
    let told = error.to_string();
    let what = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Some(Fault::new(format!("{text:?} is not a regular expression: {what}")))
}

impl ImageRule {
    fn fault(&self, policy: &TrustPolicy) -> Option<Fault> {
        if self.images.is_empty() {
            return Some(Fault::new("`match` names no image").under("match"));
        }
        self.require.fault(policy).map(|fault| fault.under("require"))
    }
}

impl Requirement {
    fn fault(&self, policy: &TrustPolicy) -> Option<Fault> {
        let counted = self.at_least.is_some() || self.of.is_some();
        let kinds = set([self.any_of.is_some(), self.all_of.is_some(), counted]);
        if kinds != 1 {
            return Some(Fault::new(format!(
                "a rule needs exactly one of `anyOf`, `allOf`, and `atLeast` with `of`; this one has {kinds}"
            )));
        }
        match (self.at_least, &self.of) {
            (Some(0), _) => return Some(Fault::new("`atLeast: 0` holds for everything").under("atLeast")),
            (Some(_), None) => return Some(Fault::new("`atLeast` counts the authorities under `of`, which is not there").under("atLeast")),
            (None, Some(_)) => return Some(Fault::new("`of` needs `atLeast`: how many of them?").under("of")),
            _ => {}
        }
        let lists = [("anyOf", &self.any_of), ("allOf", &self.all_of), ("of", &self.of)];
        lists.into_iter().find_map(|(key, names)| Some(list_fault(names.as_deref()?, policy)?.under(key)))
    }
}

/// What is wrong with a list of authorities.
fn list_fault(names: &[String], policy: &TrustPolicy) -> Option<Fault> {
    if names.is_empty() {
        return Some(Fault::new("the list names no authority"));
    }
    names.iter().enumerate().find_map(|(item, name)| {
        if !policy.authorities.contains_key(name) {
            let meant = did_you_mean(name, policy.authorities.keys().map(String::as_str));
            return Some(Fault::new(format!("there is no authority {name:?} under `authorities`{meant}")).under(item));
        }
        names[..item].contains(name).then(|| Fault::new(format!("authority {name:?} is named twice")).under(item))
    })
}

impl Revocation {
    /// Checks one that stands in no document.
    ///
    /// # Errors
    /// What a policy with it would be refused for.
    pub fn check(&self) -> Result<(), String> {
        self.fault().map_or(Ok(()), |fault| Err(fault.detail))
    }

    fn fault(&self) -> Option<Fault> {
        let kinds = set([self.key.is_some(), self.identity.is_some(), self.source_digest.is_some(), self.image_digest.is_some()]);
        if kinds != 1 {
            let detail = "a revocation has exactly one of `key`, `identity` with `issuer`, `sourceDigest` and `imageDigest`";
            return Some(Fault::new(format!("{detail}; this one has {kinds}")));
        }
        match (&self.identity, &self.issuer) {
            (Some(_), None) => return Some(Fault::new("`identity` needs an `issuer`: whose identity?").under("identity")),
            (None, Some(_)) => return Some(Fault::new("`issuer` goes with `identity` alone").under("issuer")),
            _ => {}
        }
        if self.key.as_ref().is_some_and(|key| key.algorithm() != Algorithm::Sha256) {
            let detail = "a key is named by the SHA-256 of its SubjectPublicKeyInfo: by anything else it would never be found";
            return Some(Fault::new(detail).under("key"));
        }
        let names = [("identity", &self.identity), ("issuer", &self.issuer)];
        let name = names.into_iter().find_map(|(key, matched)| Some(matched.as_ref()?.fault()?.under(key)));
        name.or_else(|| {
            let source = self.source_digest.as_ref()?;
            let fits = source.len() >= 40 && source.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
            (!fits).then(|| {
                Fault::new(format!("sourceDigest {source:?} is not a whole commit in lower-case hexadecimal")).under("sourceDigest")
            })
        })
    }
}

impl EvidenceRule {
    fn fault(&self) -> Option<Fault> {
        if self.images.is_empty() {
            return Some(Fault::new("`match` names no image").under("match"));
        }
        let each = self.places.iter().enumerate();
        each.filter_map(|(item, place)| place.fault().map(|fault| fault.under(item).under("places"))).next()
    }
}

impl EvidencePlace {
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Repository(template) => {
                let error = template.replace("{path}", "path").parse::<crate::model::Repository>().err()?;
                Some(Fault::new(format!("repository {template:?}: {error}")).under("repository"))
            }
            Self::TagPrefix(prefix) => {
                let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
                let fits = !prefix.is_empty() && prefix.len() <= 40 && prefix.bytes().all(is_tag) && !prefix.starts_with(['.', '-']);
                (!fits).then(|| Fault::new(format!("tagPrefix {prefix:?} is not the beginning of a tag")).under("tagPrefix"))
            }
            Self::Github(place) => {
                // `{path}` may be a whole repository, or its name alone.
                let error = place.store("owner/name").or_else(|error| place.store("name").map_err(|_| error)).err()?;
                let key = match &error {
                    GithubStoreError::Scope => return Some(Fault::new(error.to_string()).under("github")),
                    GithubStoreError::Repository(_) => "repository",
                    GithubStoreError::Owner(_) => "owner",
                    GithubStoreError::Api { .. } => "api",
                };
                // As it was written, and not with an example in it.
                let error = GithubPlace::store(place, "{path}").err().unwrap_or(error);
                Some(Fault::new(error.to_string()).under(key).under("github"))
            }
        }
    }
}
