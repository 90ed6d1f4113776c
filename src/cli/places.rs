//! From options to the places where evidence is looked for.

use std::sync::Arc;

use anyhow::Context as _;

use super::arguments::EvidenceOptions;
use crate::documents::TrustPolicy;
use crate::model::{ImageReference, Repository};
use crate::policy::evidence_places;
use crate::registry::{Bundles, Layout};
use crate::scan::{DeclaredPlaces, ExtraPlace};

/// Layouts, bundle files and policies that the options name.
pub(super) struct Places {
    /// By name; with the only reference that it stands for, if one was given.
    pub(super) layouts: Vec<(Arc<str>, Option<ImageReference>, Layout)>,
    /// By name.
    pub(super) bundles: Vec<(Arc<str>, Bundles)>,
    policies: Vec<TrustPolicy>,
}

impl Places {
    /// Opens what the options name; policies say where else evidence lies.
    pub(super) fn open(options: &EvidenceOptions, policies: Vec<TrustPolicy>) -> anyhow::Result<Self> {
        let mut layouts = Vec::new();
        for text in &options.layouts {
            let (directory, reference) = match text.split_once('=') {
                Some((directory, reference)) => {
                    (directory, Some(reference.parse::<ImageReference>().with_context(|| format!("--layout {text}"))?))
                }
                None => (text.as_str(), None),
            };
            layouts.push((Arc::from(text.as_str()), reference, Layout::open(std::path::Path::new(directory))?));
        }
        let mut bundles = Vec::new();
        for path in &options.bundles {
            let opened = Bundles::open(path)?;
            for problem in opened.problems() {
                super::note(&format!("warning: not used: {problem}"));
            }
            bundles.push((Arc::from(path.display().to_string()), opened));
        }
        Ok(Self { layouts, bundles, policies })
    }

    /// The places declared for the images of a repository.
    pub(super) fn of(&self, repository: &Repository) -> DeclaredPlaces {
        let policy = evidence_places(&self.policies, repository);
        let layouts = self.layouts.iter().filter(|(_, reference, _)| reference.as_ref().is_none_or(|only| only.repository() == repository));
        DeclaredPlaces {
            home_is_authoritative: policy.home_is_authoritative,
            tag_prefixes: policy.tag_prefixes,
            extra: policy
                .repositories
                .into_iter()
                .map(ExtraPlace::Repository)
                .chain(layouts.map(|(name, _, _)| ExtraPlace::Layout(name.clone())))
                .chain(self.bundles.iter().map(|(name, _)| ExtraPlace::Bundles(name.clone())))
                .chain(policy.github.into_iter().map(ExtraPlace::Github))
                .chain(
                    policy.unusable.into_iter().map(|(place, detail)| ExtraPlace::Unusable { place: place.into(), detail: detail.into() }),
                )
                .collect(),
        }
    }
}
