//! Levels as verification summaries write them (SLSA 1.2, `SlsaResult`).

use std::str::FromStr;

/// A level: of one of SLSA's tracks, or another text that a verifier and its readers agreed on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerifiedLevel {
    /// `SLSA_BUILD_LEVEL_2`: the track, and the number in it.
    Track(String, u32),
    /// Any other text.
    Other(String),
}

/// A text that begins like a level of SLSA's and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level; write SLSA_BUILD_LEVEL_2, or another track in the place of BUILD")]
pub struct LevelError(String);

/// Tracks of SLSA 1.2, with their highest level: a higher one is none.
const HIGHEST: [(&str, u32); 2] = [("BUILD", 3), ("SOURCE", 4)];

impl FromStr for VerifiedLevel {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let Some(rest) = text.strip_prefix("SLSA_") else { return Ok(Self::Other(text.to_owned())) };
        let track = rest.split_once("_LEVEL_").filter(|(track, level)| {
            let named = !track.is_empty() && track.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            named && level.len() == 1 && level.bytes().all(|byte| byte.is_ascii_digit())
        });
        let (track, level) = track.ok_or_else(|| LevelError(text.to_owned()))?;
        let level = level.parse().map_err(|_| LevelError(text.to_owned()))?;
        let beyond = HIGHEST.iter().any(|(known, highest)| *known == track && level > *highest);
        if beyond { Err(LevelError(text.to_owned())) } else { Ok(Self::Track(track.to_owned(), level)) }
    }
}

impl VerifiedLevel {
    /// Whether levels that were verified include this one: a higher level of a track includes the lower ones. A summary names one level
    /// of each track; of several the lowest counts.
    #[must_use]
    pub fn is_met(&self, verified: &[String]) -> bool {
        match self {
            Self::Other(text) => verified.contains(text),
            Self::Track(track, wanted) => {
                let levels = verified.iter().filter_map(|level| match level.parse() {
                    Ok(Self::Track(other, level)) if other == *track => Some(level),
                    _ => None,
                });
                levels.min().is_some_and(|level| level >= *wanted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(wanted: &str, verified: &[&str]) -> bool {
        let verified: Vec<_> = verified.iter().map(|level| (*level).to_owned()).collect();
        wanted.parse::<VerifiedLevel>().unwrap().is_met(&verified)
    }

    #[test]
    fn a_higher_level_of_the_same_track_includes_the_lower_ones() {
        assert!(
            met("SLSA_BUILD_LEVEL_2", &["SLSA_BUILD_LEVEL_2"]) && met("SLSA_BUILD_LEVEL_2", &["SLSA_SOURCE_LEVEL_1", "SLSA_BUILD_LEVEL_3"])
        );
        for other in [
            "SLSA_BUILD_LEVEL_1",
            "SLSA_SOURCE_LEVEL_3",
            "SLSA_BUILD_LEVEL_UNEVALUATED",
            "FAILED",
            "slsa_build_level_3",
            "SLSA_BUILD_LEVEL_99",
            "SLSA_BUILD_LEVEL_4",
        ] {
            assert!(!met("SLSA_BUILD_LEVEL_2", &[other]), "{other}");
        }
        assert!(!met("SLSA_BUILD_LEVEL_2", &[]));
        assert!(!met("SLSA_BUILD_LEVEL_2", &["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_1"]), "which of two is meant nobody can tell");
        assert!(met("SLSA_SOURCE_LEVEL_3", &["SLSA_SOURCE_LEVEL_4"]) && met("SLSA_DEPENDENCY_LEVEL_3", &["SLSA_DEPENDENCY_LEVEL_5"]));
        assert!(met("ACME_REVIEWED", &["ACME_REVIEWED"]) && !met("ACME_REVIEWED", &["ACME_REVIEWED_2"]));
    }

    #[test]
    fn what_begins_like_a_level_and_is_none_is_refused() {
        for text in [
            "SLSA_BUILD_LEVEL3",
            "SLSA_BUILD_LEVEL_",
            "SLSA__LEVEL_1x",
            "SLSA_LEVEL_3",
            "SLSA_build_LEVEL_3",
            "SLSA_BUILD_LEVEL_4",
            "SLSA_SOURCE_LEVEL_5",
        ] {
            assert!(text.parse::<VerifiedLevel>().is_err(), "{text}");
        }
    }
}
