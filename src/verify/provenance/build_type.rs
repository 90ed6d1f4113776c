//! Build types: where their provenance says what was built. What a build type does not say is not guessed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::commit;
use crate::model::Source;

/// Kinds of build types by where they have the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuildType {
    /// Those of slsa-github-generator: in provenance v0.2 the source is among the materials, too; version 1 has it as `workflow` or `source`.
    Generator,
    /// A workflow of GitHub Actions, which builds the repository that it lies in (`workflow`).
    Workflow,
    /// Google Cloud Build: `sourceToBuild`, which is left out where it is the same as `buildConfigSource`.
    CloudBuild,
    /// BuildKit: the context that it was given (`configSource`), or what the client says of its working directory.
    BuildKit,
    /// Tekton's, and Google's builder on top of it: `buildConfigSource` and `configSource` are where the pipeline lies, not what it built.
    Pipeline,
    /// Any other: the forms that SLSA's own examples have (`source`, or `repository` with `ref`).
    Other,
}

/// Beginnings of the identifiers of build types.
const KNOWN: [(&str, BuildType); 12] = [
    ("https://slsa.dev/container-based-build/", BuildType::Generator),
    ("https://github.com/slsa-framework/slsa-github-generator/", BuildType::Generator),
    ("https://actions.github.io/buildtypes/workflow/v1", BuildType::Workflow),
    ("https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1", BuildType::Workflow),
    ("https://cloud.google.com/build/gcb-buildtypes/google-worker/", BuildType::CloudBuild),
    ("https://slsa-framework.github.io/gcb-buildtypes/triggered-build/", BuildType::CloudBuild),
    ("https://mobyproject.org/buildkit@v1", BuildType::BuildKit),
    ("https://github.com/moby/buildkit/", BuildType::BuildKit),
    ("https://cloud.google.com/build/gcb-buildtypes/google-builder/", BuildType::Pipeline),
    ("https://tekton.dev/", BuildType::Pipeline),
    ("https://chains.tekton.dev/", BuildType::Pipeline),
    ("tekton.dev/", BuildType::Pipeline),
];

impl BuildType {
    pub(super) fn of(identifier: &str) -> Self {
        KNOWN.iter().find(|(beginning, _)| identifier.starts_with(beginning)).map_or(Self::Other, |(_, build_type)| *build_type)
    }

    /// Whether its builders may leave `builder.id` empty: BuildKit does where nobody told it.
    pub(super) fn may_be_anonymous(self) -> bool {
        self == Self::BuildKit
    }

    /// Whether `invocation.configSource` of provenance v0.2 is what was built.
    pub(super) fn builds_its_configuration(self) -> bool {
        self != Self::Pipeline
    }

    /// Takes the source out of external parameters of provenance v1. What of them says more stays there.
    pub(super) fn take_source(self, external: &mut Map<String, Value>) -> Option<Source> {
        match self {
            Self::Workflow => take_object(external, "workflow"),
            Self::CloudBuild => {
                let configuration = take_object(external, "buildConfigSource");
                let built = take_object(external, "sourceToBuild");
                let entry_point = configuration.as_ref().and_then(|configuration| configuration.entry_point.clone());
                built.map(|built| Source { entry_point, ..built }).or(configuration)
            }
            Self::BuildKit => take_object(external, "configSource"),
            Self::Pipeline => None,
            Self::Generator => take_object(external, "workflow").or_else(|| take_plain(external)),
            Self::Other => take_plain(external),
        }
    }
}

/// `source` as a text or an object; else `repository` with `ref` and `path`.
fn take_plain(external: &mut Map<String, Value>) -> Option<Source> {
    let entry_point = || external.get("entryPoint").and_then(Value::as_str).map(str::to_owned);
    match external.get("source") {
        Some(Value::String(uri)) if !uri.is_empty() => {
            let source = Source { entry_point: entry_point(), ..Source::of_uri(uri) };
            external.remove("source");
            return Some(source);
        }
        Some(Value::Object(_)) => {
            let entry_point = entry_point();
            let source = take_object(external, "source")?;
            return Some(Source { entry_point: source.entry_point.or(entry_point), ..source });
        }
        _ => {}
    }
    external.get("repository").filter(|repository| repository.is_string())?;
    take(external)
}

/// The source in an object below `name`; what else is there stays, by the name of both.
fn take_object(external: &mut Map<String, Value>, name: &str) -> Option<Source> {
    let Some(Value::Object(place)) = external.get_mut(name) else { return None };
    let source = take(place)?;
    let rest = std::mem::take(place);
    external.remove(name);
    external.extend(rest.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
    Some(source)
}

fn take(place: &mut Map<String, Value>) -> Option<Source> {
    let text =
        |place: &Map<String, Value>, name: &str| place.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let from = ["repository", "uri"].into_iter().find(|name| text(place, name).is_some())?;
    let mut source = Source::of_uri(&text(place, from)?);
    place.remove(from);
    // A reference that is no text says nothing that can be compared: it stays a parameter.
    if let Some(reference) = text(place, "ref") {
        source.reference = Some(reference);
        place.remove("ref");
    }
    for name in ["path", "entryPoint"] {
        if let (None, Some(path)) = (&source.entry_point, text(place, name)) {
            source.entry_point = Some(path);
            place.remove(name);
        }
    }
    let digest = place.get("digest").and_then(|digest| serde_json::from_value::<BTreeMap<String, String>>(digest.clone()).ok());
    if let Some(digest) = digest {
        source.commit = commit(&digest).map(str::to_owned);
        place.remove("digest");
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WORKFLOW: &str = "https://actions.github.io/buildtypes/workflow/v1";
    const WORKER: &str = "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1";
    const BUILDKIT: &str = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md";

    /// Repository, reference, commit and entry point, and the parameters that are left.
    fn taken(build_type: &str, mut external: Value) -> (Option<[Option<String>; 4]>, Vec<String>) {
        let external = external.as_object_mut().unwrap();
        let source = BuildType::of(build_type).take_source(external);
        let source = source.map(|source| [Some(source.repository), source.reference, source.commit, source.entry_point]);
        (source, external.keys().cloned().collect())
    }

    fn source(texts: [&str; 4]) -> Option<[Option<String>; 4]> {
        Some(texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())))
    }

    #[test]
    fn each_build_type_has_its_source_in_its_own_place() {
        let workflow = json!({ "workflow": { "repository": "https://github.com/acme/app", "ref": "refs/heads/main", "path": "p.yml" } });
        let wanted = source(["github.com/acme/app", "refs/heads/main", "", "p.yml"]);
        for build_type in [WORKFLOW, "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"] {
            assert_eq!(taken(build_type, workflow.clone()), (wanted.clone(), vec![]), "{build_type}");
        }
        let generator = json!({ "source": { "uri": "git+https://github.com/acme/app@refs/tags/v1", "digest": { "gitCommit": "c0" } }, "builderImage": {} });
        let (wanted, rest) = (source(["github.com/acme/app", "refs/tags/v1", "c0", ""]), vec!["builderImage".to_owned()]);
        assert_eq!(taken("https://slsa.dev/container-based-build/v0.1?draft", generator), (wanted, rest));
        let buildkit = json!({ "configSource": { "uri": "https://github.com/acme/app.git#refs/tags/v1", "digest": { "sha1": "c0" }, "path": "Dockerfile" }, "request": {} });
        let wanted = source(["github.com/acme/app", "refs/tags/v1", "c0", "Dockerfile"]);
        assert_eq!(taken(BUILDKIT, buildkit), (wanted, vec!["request".to_owned()]));
        let gitlab = json!({ "source": "https://gitlab.com/acme/team/app", "entryPoint": "build", "variables": {} });
        let (wanted, rest) = (source(["gitlab.com/acme/team/app", "", "", "build"]), ["entryPoint", "variables"].map(str::to_owned));
        assert_eq!(taken("https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1", gitlab), (wanted, rest.to_vec()));
    }

    /// The configuration may lie in another repository than what was built.
    #[test]
    fn what_was_built_is_not_where_its_configuration_lies() {
        let configuration =
            json!({ "repository": "git+https://github.com/acme/pipelines", "ref": "refs/heads/main", "path": "cloudbuild.yaml" });
        let both = json!({ "buildConfigSource": configuration, "sourceToBuild": { "repository": "git+https://github.com/acme/app", "ref": "refs/tags/v1", "dir": "x" } });
        let (built, rest) = taken(WORKER, both);
        assert_eq!(built, source(["github.com/acme/app", "refs/tags/v1", "", "cloudbuild.yaml"]));
        assert_eq!(rest, ["sourceToBuild.dir"], "what says more than the source stays a parameter");
        let same = json!({ "buildConfigSource": configuration, "substitutions": {} });
        let wanted = source(["github.com/acme/pipelines", "refs/heads/main", "", "cloudbuild.yaml"]);
        assert_eq!(taken(WORKER, same.clone()), (wanted, vec!["substitutions".to_owned()]));
        for pipeline in [
            "https://tekton.dev/chains/v2/slsa",
            "tekton.dev/v1/PipelineRun",
            "https://cloud.google.com/build/gcb-buildtypes/google-builder/v1",
        ] {
            assert_eq!(taken(pipeline, same.clone()).0, None, "{pipeline}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for external in [
            json!({}),
            json!({ "workflow": "x" }),
            json!({ "workflow": { "repository": 7 } }),
            json!({ "source": {} }),
            json!({ "source": "" }),
            json!({ "source": ["https://github.com/acme/app"] }),
            json!({ "repository": 7 }),
            json!({ "buildConfigSource": { "repository": "https://github.com/acme/app" } }),
            json!({ "configSource": { "uri": "https://github.com/acme/app" } }),
        ] {
            let before: Vec<_> = external.as_object().unwrap().keys().cloned().collect();
            assert_eq!(taken("https://build.test/v1", external.clone()), (None, before), "{external}");
            if external.get("buildConfigSource").is_none() {
                assert_eq!(taken(WORKER, external.clone()).0, None, "{external}");
            }
        }
        let odd = json!({ "source": { "uri": "https://github.com/acme/app", "ref": 7, "digest": "c0" } });
        assert_eq!(
            taken("x", odd),
            (source(["github.com/acme/app", "", "", ""]), ["source.digest", "source.ref"].map(str::to_owned).to_vec())
        );
    }
}
