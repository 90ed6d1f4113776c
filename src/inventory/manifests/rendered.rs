//! What a renderer says about where a document comes from. It is a text for a person, and nothing is opened by it.

use serde::Deserialize;
use serde_json::Value;

use crate::model::SharedText;

/// Longest text that is kept, in letters.
const LONGEST: usize = 512;
/// Longest annotation that is read, in bytes.
const LONGEST_ANNOTATION: usize = 16 << 10;
/// kustomize's, with `buildMetadata: [originAnnotations]`.
const ORIGIN: &str = "config.kubernetes.io/origin";

/// Helm's comment between a document's marker and the document, `# Source: chart/templates/deployment.yaml`.
pub(super) fn source_comment(part: &str) -> Option<SharedText> {
    let mut lines = part.lines();
    // The marker's own line may end in a comment, but Helm writes none there.
    lines.next().filter(|marker| marker.starts_with("---"))?;
    lines
        .map(str::trim_end)
        .take_while(|line| line.is_empty() || line.starts_with('#'))
        .find_map(|line| line.strip_prefix("# Source: "))
        .and_then(kept)
}

/// kustomize's origin of a resource: its path, with the repository and what of it was asked for in front where it is a remote one.
///
/// Source: `api/resource/origin.go` of kubernetes-sigs/kustomize.
pub(super) fn origin_annotation(object: &Value) -> Option<SharedText> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Origin {
        path: Option<String>,
        repo: Option<String>,
        r#ref: Option<String>,
        /// The kustomization whose generator or transformer made it.
        configured_in: Option<String>,
    }

    let text = object.get("metadata")?.get("annotations")?.get(ORIGIN)?.as_str().filter(|text| text.len() <= LONGEST_ANNOTATION)?;
    let origin: Origin = serde_saphyr::from_str(text).ok()?;
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let path = some(origin.path).or(some(origin.configured_in))?;
    kept(&match (some(origin.repo), some(origin.r#ref)) {
        (Some(repository), Some(asked)) => format!("{repository}@{asked}: {path}"),
        (Some(repository), None) => format!("{repository}: {path}"),
        (None, _) => path,
    })
}

fn kept(text: &str) -> Option<SharedText> {
    let text = text.trim();
    let mut letters = text.char_indices();
    let kept = match letters.nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    };
    (!text.is_empty()).then_some(kept)
}
