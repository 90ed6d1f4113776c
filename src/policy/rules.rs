//! Which rules are about an image, and which of them apply.

use super::compiled::{Compiled, PolicyOrigin, TrustPolicies};
use crate::documents::{ImageRule, Otherwise, Strength};
use crate::model::{Pattern, Repository};

/// A rule that matches an image, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleApplied<'a> {
    /// Name of its policy.
    pub policy: &'a str,
    /// Its number in the policy, from 1.
    pub number: usize,
    /// The pattern that matches: of several, the most specific.
    pub pattern: &'a Pattern,
    /// The rule.
    pub rule: &'a ImageRule,
    /// What becomes of it.
    pub effect: RuleEffect,
}

/// What becomes of a rule that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleEffect {
    /// It is mandatory: it must hold, whatever else matches.
    Mandatory,
    /// It is the most specific of the default rules.
    MostSpecific,
    /// A more specific default rule applies instead.
    Overruled,
    /// Another default rule is as specific: which applies cannot be said.
    Tied,
}

/// What the policies say of an image as a whole.
pub(super) enum Applicable<'a> {
    /// These rules, all of which must hold, with their policies.
    Rules(Vec<(&'a Compiled, &'a ImageRule)>),
    /// Two default rules are as specific as each other.
    Tie(String),
    /// No rule matches: nobody is trusted.
    Rejected,
    /// No rule matches, and the policies say to leave such images alone.
    Ignored,
}

impl TrustPolicies {
    /// Every rule that matches, in the order of the policies, and what becomes of it.
    #[must_use]
    pub fn explain(&self, repository: &Repository) -> Vec<RuleApplied<'_>> {
        self.matching(repository, &[]).into_iter().map(|(_, applied)| applied).collect()
    }

    /// With the policies themselves: two of them may have the same name.
    fn matching(&self, repository: &Repository, keys: &[String]) -> Vec<(&Compiled, RuleApplied<'_>)> {
        let mut matching: Vec<(&Compiled, RuleApplied<'_>)> = Vec::new();
        // Keys that are trusted beside the policies count where these say nothing.
        let own = self.policies.iter().filter(|policy| policy.origin != PolicyOrigin::Keys);
        let spoken = own.flat_map(|policy| &policy.rules).any(|rule| rule.images.iter().any(|pattern| pattern.matches(repository)));
        let keys = if spoken { &[] } else { keys };
        for policy in self.policies.iter().filter(|policy| policy.speaks_for(keys)) {
            for (position, rule) in policy.rules.iter().enumerate() {
                let patterns = rule.images.iter().filter(|pattern| pattern.matches(repository));
                let Some(pattern) = patterns.max_by_key(|pattern| pattern.specificity()) else { continue };
                let effect = if rule.strength == Strength::Mandatory { RuleEffect::Mandatory } else { RuleEffect::Overruled };
                matching.push((policy, RuleApplied { policy: &policy.name, number: position + 1, pattern, rule, effect }));
            }
        }
        let is_default = |applied: &RuleApplied<'_>| applied.rule.strength == Strength::Default;
        let applied = matching.iter().map(|(_, applied)| applied);
        let most = applied.clone().filter(|applied| is_default(applied)).map(|applied| applied.pattern.specificity()).max();
        let ties = applied.filter(|applied| is_default(applied) && Some(applied.pattern.specificity()) == most).count();
        for (_, applied) in &mut matching {
            if is_default(applied) && Some(applied.pattern.specificity()) == most {
                applied.effect = if ties > 1 { RuleEffect::Tied } else { RuleEffect::MostSpecific };
            }
        }
        matching
    }

    /// Whether any rule of a document is about the images of a repository.
    #[must_use]
    pub fn covers(&self, repository: &Repository) -> bool {
        let documents = self.policies.iter().filter(|policy| policy.origin == PolicyOrigin::Document);
        documents.flat_map(|policy| &policy.rules).any(|rule| rule.images.iter().any(|pattern| pattern.matches(repository)))
    }

    /// Whether they say to leave the images of a repository alone; keys (PEM) of a control's parameter speak for that control.
    #[must_use]
    pub fn ignores(&self, repository: &Repository, keys: &[String]) -> bool {
        matches!(self.applicable(repository, keys), Applicable::Ignored)
    }

    pub(super) fn applicable(&self, repository: &Repository, keys: &[String]) -> Applicable<'_> {
        let matching = self.matching(repository, keys);
        let tied: Vec<_> = matching
            .iter()
            .filter(|(_, applied)| applied.effect == RuleEffect::Tied)
            .map(|(_, applied)| format!("{} (rule {} of policy {})", applied.pattern, applied.number, applied.policy))
            .collect();
        if !tied.is_empty() {
            return Applicable::Tie(format!(
                "several default rules are as specific for {repository}: {}; make one mandatory, or one more specific",
                tied.join(", ")
            ));
        }
        let rules: Vec<_> = matching
            .into_iter()
            .filter(|(_, applied)| matches!(applied.effect, RuleEffect::Mandatory | RuleEffect::MostSpecific))
            .map(|(policy, applied)| (policy, applied.rule))
            .collect();
        if !rules.is_empty() {
            return Applicable::Rules(rules);
        }
        let mut documents = self.policies.iter().filter(|policy| policy.origin != PolicyOrigin::Keys).peekable();
        let ignored = documents.peek().is_some() && documents.all(|policy| policy.otherwise == Otherwise::Ignore);
        if ignored { Applicable::Ignored } else { Applicable::Rejected }
    }
}
