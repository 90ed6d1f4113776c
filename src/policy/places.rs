//! Where the evidence of an image lies, by the policies.

use crate::documents::{EvidencePlace, TrustPolicy};
use crate::model::{GithubStore, Repository};

/// Where evidence of one image lies, beside its own repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidencePlaces {
    /// Further repositories, sorted.
    pub repositories: Vec<Repository>,
    /// Prefixes before cosign's tags in the image's own repository, sorted.
    pub tag_prefixes: Vec<String>,
    /// GitHub's attestation stores, sorted.
    pub github: Vec<GithubStore>,
    /// Places that cannot be named for this image, each with the reason, sorted: evidence may lie there, and nobody looks.
    pub unusable: Vec<(String, String)>,
    /// Whether an empty answer of the image's own repository is an absence.
    pub home_is_authoritative: bool,
}

/// The places that the policies declare for an image. Every matching rule counts; one that calls the repository a mirror is enough.
#[must_use]
pub fn evidence_places(policies: &[TrustPolicy], repository: &Repository) -> EvidencePlaces {
    let mut places = EvidencePlaces {
        repositories: Vec::new(),
        tag_prefixes: Vec::new(),
        github: Vec::new(),
        unusable: Vec::new(),
        home_is_authoritative: true,
    };
    let rules = policies.iter().flat_map(|policy| &policy.evidence);
    for rule in rules.filter(|rule| rule.images.iter().any(|pattern| pattern.matches(repository))) {
        places.home_is_authoritative &= rule.authoritative;
        for place in &rule.places {
            match place {
                EvidencePlace::TagPrefix(prefix) => places.tag_prefixes.push(prefix.clone()),
                EvidencePlace::Repository(template) => {
                    // Checked with a plain path when it was loaded; with this one it may be too long.
                    match template.replace("{path}", repository.path()).parse::<Repository>() {
                        Ok(repository) => places.repositories.push(repository),
                        Err(error) => places.unusable.push((template.clone(), format!("for {repository} it is no repository: {error}"))),
                    }
                }
                EvidencePlace::Github(place) => match place.store(repository.path()) {
                    Ok(store) => places.github.push(store),
                    Err(error) => {
                        let declared = place.repository.as_deref().unwrap_or_default();
                        places.unusable.push((format!("GitHub attestations of {declared}"), format!("for {repository}: {error}")));
                    }
                },
            }
        }
    }
    places.repositories.sort();
    places.repositories.dedup();
    places.repositories.retain(|known| known != repository);
    places.tag_prefixes.sort();
    places.tag_prefixes.dedup();
    places.github.sort();
    places.github.dedup();
    places.unusable.sort();
    places.unusable.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{Document, parse};

    #[test]
    fn a_mirror_points_to_its_origin() {
        let text = r#"
apiVersion: seaworthy.dev/v1alpha1
kind: TrustPolicy
metadata: { name: places }
spec:
  evidence:
    - match: ["mirror.corp/**"]
      places: [{ repository: "ghcr.io/{path}" }, { tagPrefix: signed- }]
      authoritative: false
"#;
        let Document::TrustPolicy(named) = parse("policy.yaml", text).unwrap().remove(0) else { panic!("a trust policy") };
        let policy = named.policy;
        let places = evidence_places(std::slice::from_ref(&policy), &"mirror.corp/acme/app".parse().unwrap());
        assert_eq!(places.repositories, ["ghcr.io/acme/app".parse().unwrap()]);
        assert_eq!((places.tag_prefixes, places.home_is_authoritative), (vec!["signed-".to_owned()], false));
        let other = evidence_places(&[policy], &"ghcr.io/acme/app".parse().unwrap());
        assert!(other.home_is_authoritative && other.repositories.is_empty());
    }

    #[test]
    fn a_store_that_cannot_be_named_for_an_image_is_told() {
        let text = r#"
apiVersion: seaworthy.dev/v1alpha1
kind: TrustPolicy
metadata: { name: places }
spec:
  evidence:
    - match: ["ghcr.io/**"]
      places: [{ github: { repository: "{path}" } }, { github: { owner: Acme, api: "https://ghe.acme.test/api/v3" } }]
"#;
        let Document::TrustPolicy(named) = parse("policy.yaml", text).unwrap().remove(0) else { panic!("a trust policy") };
        let of = |repository: &str| evidence_places(std::slice::from_ref(&named.policy), &repository.parse().unwrap());
        let own = GithubStore::new(None, Some("acme"), Some("https://ghe.acme.test/api/v3")).unwrap();
        assert_eq!(of("ghcr.io/acme/app").github, [GithubStore::new(Some("acme/app"), None, None).unwrap(), own.clone()]);
        let deeper = of("ghcr.io/acme/app/worker");
        assert_eq!((&deeper.github[..], deeper.unusable.len()), (&[own][..], 1), "{deeper:?}");
        assert!(deeper.home_is_authoritative);
        assert_eq!(of("quay.io/acme/app").github, []);
    }
}
