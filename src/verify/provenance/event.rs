//! The event of GitHub's that started a build, as slsa-github-generator writes it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Source;

/// What the builder says of its run: `environment` of provenance v0.2, `internalParameters` of version 1.
#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow, alias = "GITHUB_EVENT_PAYLOAD")]
    github_event_payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Event {
    /// Of a push of a tag: the branch that it is on.
    #[serde(default)]
    base_ref: Option<String>,
    /// Of a release.
    #[serde(default)]
    release: Option<Release>,
}

#[derive(Deserialize)]
struct Release {
    /// The branch (or the commit) that its tag was made from.
    #[serde(default)]
    target_commitish: Option<String>,
}

/// The branch that a tag was made on. slsa-verifier's users expect a branch of provenance of tags, too, and mean this one.
pub(super) fn branch_of_tag(source: &Source, run: &RawValue) -> Option<String> {
    if !source.reference.as_deref().is_some_and(|reference| reference.starts_with("refs/tags/")) {
        return None;
    }
    let run: Run<'_> = serde_json::from_str(run.get()).ok()?;
    let event: Event = serde_json::from_str(run.github_event_payload.get()).ok()?;
    let released = || event.release.as_ref()?.target_commitish.as_deref().filter(|name| !name.is_empty());
    let written = event.base_ref.as_deref().filter(|reference| !reference.is_empty()).or_else(released)?;
    Some(if written.starts_with("refs/") { written.to_owned() } else { format!("refs/heads/{written}") })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn branch(reference: &str, run: &Value) -> Option<String> {
        let source = Source { reference: Some(reference.to_owned()), ..Source::of_uri("https://github.com/acme/app") };
        branch_of_tag(&source, &serde_json::value::to_raw_value(run).unwrap())
    }

    #[test]
    fn a_tag_was_made_on_the_branch_that_its_event_names() {
        let pushed = json!({ "github_event_payload": { "base_ref": "refs/heads/main" } });
        assert_eq!(branch("refs/tags/v1", &pushed).as_deref(), Some("refs/heads/main"));
        assert_eq!(branch("refs/heads/other", &pushed), None, "a branch is its own");
        let released = json!({ "GITHUB_EVENT_PAYLOAD": { "base_ref": null, "release": { "target_commitish": "release/1" } } });
        assert_eq!(branch("refs/tags/v1", &released).as_deref(), Some("refs/heads/release/1"));
        for unclear in [json!([]), json!({}), json!({ "github_event_payload": 7 }), json!({ "github_event_payload": { "base_ref": 7 } })] {
            assert_eq!(branch("refs/tags/v1", &unclear), None, "{unclear}");
        }
    }
}
