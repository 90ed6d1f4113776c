//! Where the evidence of an image lies, by the policies.

use crate::documents::{EvidencePlace, TrustPolicy};
use crate::model::Repository;

/// Where evidence of one image lies, beside its own repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidencePlaces {
    /// Further repositories, sorted.
    pub repositories: Vec<Repository>,
    /// Prefixes before cosign's tags in the image's own repository, sorted.
    pub tag_prefixes: Vec<String>,
    /// Whether an empty answer of the image's own repository is an absence.
    pub home_is_authoritative: bool,
}

/// The places that the policies declare for an image. Every matching rule counts; one that calls the repository a mirror is enough.
#[must_use]
pub fn evidence_places(policies: &[TrustPolicy], repository: &Repository) -> EvidencePlaces {
    let mut places = EvidencePlaces { repositories: Vec::new(), tag_prefixes: Vec::new(), home_is_authoritative: true };
    let rules = policies.iter().flat_map(|policy| &policy.evidence);
    for rule in rules.filter(|rule| rule.images.iter().any(|pattern| pattern.matches(repository))) {
        places.home_is_authoritative &= rule.authoritative;
        for place in &rule.places {
            match place {
                EvidencePlace::TagPrefix(prefix) => places.tag_prefixes.push(prefix.clone()),
                EvidencePlace::Repository(template) => {
                    // Checked with a plain path when it was loaded; one that is too long with this path is no repository.
                    places.repositories.extend(template.replace("{path}", repository.path()).parse::<Repository>().ok());
                }
            }
        }
    }
    places.repositories.sort();
    places.repositories.dedup();
    places.repositories.retain(|known| known != repository);
    places.tag_prefixes.sort();
    places.tag_prefixes.dedup();
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
}
