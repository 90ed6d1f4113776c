//! From the environment to tokens for GitHub's API: each for one server alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::{EvidencePlace, TrustPolicy};
use crate::model::{GITHUB_API, Secret};
use crate::registry::GithubToken;

/// Variables for github.com, as GitHub's own command-line tool reads them: the first that is set.
const FOR_GITHUB: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];
/// Variables for an Enterprise server.
const FOR_ENTERPRISE: [&str; 2] = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];

/// The tokens for the servers whose attestation stores the policies name. One for github.com goes nowhere else; one for an Enterprise
/// server goes to the only other server that is named, and to none where several are: nothing says for which of them it is.
pub(super) fn tokens(policies: &[TrustPolicy]) -> BTreeMap<String, GithubToken> {
    let (tokens, note) = chosen(policies, &|name| std::env::var(name).ok());
    if let Some(note) = note {
        super::note(&note);
    }
    tokens
}

fn chosen(policies: &[TrustPolicy], read: &dyn Fn(&str) -> Option<String>) -> (BTreeMap<String, GithubToken>, Option<String>) {
    let first = |names: [&'static str; 2]| {
        names.into_iter().find_map(|origin| {
            let token = read(origin)?;
            let token = token.trim();
            (!token.is_empty()).then(|| GithubToken { token: Secret::new(token), origin })
        })
    };
    let mut apis = apis(policies);
    let mut tokens = BTreeMap::new();
    if apis.remove(GITHUB_API) {
        tokens.extend(first(FOR_GITHUB).map(|token| (GITHUB_API.to_owned(), token)));
    }
    let several = apis.len() > 1;
    match (apis.pop_first(), first(FOR_ENTERPRISE)) {
        (Some(_), Some(token)) if several => {
            let note = format!(
                "warning: {} is sent to nobody: the trust policies name several GitHub servers, and it can be for one of them alone",
                token.origin
            );
            (tokens, Some(note))
        }
        (Some(api), Some(token)) => {
            tokens.insert(api, token);
            (tokens, None)
        }
        _ => (tokens, None),
    }
}

/// The bases of all APIs that the policies name.
fn apis(policies: &[TrustPolicy]) -> BTreeSet<String> {
    let places = policies.iter().flat_map(|policy| &policy.evidence).flat_map(|rule| &rule.places);
    let stores = places.filter_map(|place| match place {
        // The base does not depend on the image's path; either example fits what was loaded.
        EvidencePlace::Github(place) => place.store("owner/name").or_else(|_| place.store("name")).ok(),
        EvidencePlace::Repository(_) | EvidencePlace::TagPrefix(_) => None,
    });
    stores.map(|store| store.api().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{EvidenceRule, GithubPlace};

    fn policy(apis: &[Option<&str>]) -> TrustPolicy {
        let place = |api: &Option<&str>| {
            EvidencePlace::Github(GithubPlace { repository: Some("a/{path}".into()), owner: None, api: api.map(str::to_owned) })
        };
        let rule = EvidenceRule { images: Vec::new(), places: apis.iter().map(place).collect(), authoritative: true };
        TrustPolicy { evidence: vec![rule], ..TrustPolicy::default() }
    }

    fn told(apis: &[Option<&str>], set: &[(&str, &str)]) -> (Vec<(String, &'static str)>, bool) {
        let read = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let (tokens, note) = chosen(&[policy(apis)], &read);
        assert!(tokens.values().all(|token| set.iter().any(|(name, value)| *name == token.origin && value.trim() == token.token.expose())));
        (tokens.into_iter().map(|(api, token)| (api, token.origin)).collect(), note.is_some())
    }

    #[test]
    fn a_token_goes_to_its_own_server_alone() {
        const ONE: &str = "https://ghe.acme.test/api/v3";
        const TWO: &str = "https://api.acme.ghe.com";
        let all = [("GH_TOKEN", "a\n"), ("GITHUB_TOKEN", "b"), ("GH_ENTERPRISE_TOKEN", " "), ("GITHUB_ENTERPRISE_TOKEN", "c")];
        let github = || (GITHUB_API.to_owned(), "GH_TOKEN");
        assert_eq!(told(&[None], &all), (vec![github()], false));
        assert_eq!(told(&[None, Some(ONE)], &all), (vec![github(), (ONE.to_owned(), "GITHUB_ENTERPRISE_TOKEN")], false));
        assert_eq!(told(&[None, Some(ONE), Some(TWO)], &all), (vec![github()], true));
        assert_eq!(told(&[Some(ONE)], &all[..2]), (vec![], false));
        assert_eq!(told(&[None], &all[1..]), (vec![(GITHUB_API.to_owned(), "GITHUB_TOKEN")], false));
        assert_eq!(told(&[], &all), (vec![], false));
    }
}
