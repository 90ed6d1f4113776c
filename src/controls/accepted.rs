//! Unknowns that the user accepts by name.

use crate::documents::nearest;
use crate::model::{Cause, Pattern, Repository};

/// Why a text does not say what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptedUnknownsError {
    /// The cause is not one of the closed list.
    #[error("--allow-unknown: there is no cause {0:?}{1}; causes: {2}")]
    Cause(String, String, String),
    /// What is behind the colon is no pattern.
    #[error("--allow-unknown: {0:?}: {1}")]
    Pattern(String, String),
}

/// Causes that the user accepts, each for all repositories or for a pattern of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedUnknowns(Vec<(Cause, Option<Pattern>)>);

impl AcceptedUnknowns {
    /// Reads `CAUSE` or `CAUSE:PATTERN`, each.
    ///
    /// # Errors
    /// When a cause or a pattern is not one.
    pub fn parse(texts: &[String]) -> Result<Self, AcceptedUnknownsError> {
        texts.iter().map(|text| parse(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an unknown of this cause about this repository is accepted. A pattern accepts nothing that has no repository.
    #[must_use]
    pub fn accepts(&self, cause: Cause, repository: Option<&Repository>) -> bool {
        self.0.iter().any(|(accepted, pattern)| {
            *accepted == cause
                && match (pattern, repository) {
                    (None, _) => true,
                    (Some(pattern), Some(repository)) => pattern.matches(repository),
                    (Some(_), None) => false,
                }
        })
    }
}

fn parse(text: &str) -> Result<(Cause, Option<Pattern>), AcceptedUnknownsError> {
    let (cause, pattern) = match text.split_once(':') {
        Some((cause, pattern)) => (cause, Some(pattern)),
        None => (text, None),
    };
    let cause: Cause = cause.parse().map_err(|()| {
        let names: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        let meant = nearest(cause, names.iter().copied()).map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
        AcceptedUnknownsError::Cause(cause.to_owned(), meant, names.join(", "))
    })?;
    let pattern = pattern.map(str::parse::<Pattern>).transpose();
    Ok((cause, pattern.map_err(|error| AcceptedUnknownsError::Pattern(text.to_owned(), error.to_string()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_accepted_by_name_and_pattern() {
        let accepted = AcceptedUnknowns::parse(&["timeout".to_owned(), "unauthorized:registry.corp/**".to_owned()]).unwrap();
        let corp: Repository = "registry.corp/app".parse().unwrap();
        let other: Repository = "ghcr.io/app".parse().unwrap();
        assert!(accepted.accepts(Cause::Timeout, None) && accepted.accepts(Cause::Timeout, Some(&other)));
        assert!(accepted.accepts(Cause::Unauthorized, Some(&corp)));
        assert!(!accepted.accepts(Cause::Unauthorized, Some(&other)) && !accepted.accepts(Cause::Unauthorized, None));
        let error = AcceptedUnknowns::parse(&["unauthorised".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("did you mean unauthorized?"), "{error}");
    }
}
