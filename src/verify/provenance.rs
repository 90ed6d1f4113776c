//! SLSA provenance v0.2 and v1, in one form.
//!
//! The source is taken from where the build type says that it is, never guessed from a first material.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Malformed;
use crate::model::{PROVENANCE_V02, Provenance, Source};

/// Longest external parameter that is kept, in bytes; a longer one is kept as its beginning, so that it equals nothing that is expected.
const LONGEST_PARAMETER: usize = 4 << 10;
/// Most external parameters that are kept.
const MOST_PARAMETERS: usize = 256;
/// Build types of slsa-github-generator's provenance v0.2: its source is among its materials, too.
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator";

/// Reads the predicate of a provenance.
///
/// # Errors
/// When it is none: something obligatory is missing or of another type, or it contradicts itself.
pub(super) fn read(predicate_type: &str, predicate: &str) -> Result<Provenance, Malformed> {
    let refused = |error: serde_json::Error| Malformed(format!("not SLSA provenance: {error}"));
    let provenance = match predicate_type == PROVENANCE_V02 {
        true => serde_json::from_str::<V02>(predicate).map_err(refused)?.normalise(predicate_type)?,
        false => serde_json::from_str::<V1>(predicate).map_err(refused)?.normalise(predicate_type)?,
    };
    if provenance.builder.is_empty() {
        return Err(Malformed("not SLSA provenance: builder.id is empty".to_owned()));
    }
    Ok(provenance)
}

#[derive(Deserialize)]
struct Builder {
    id: String,
}

/// A material, or a resolved dependency.
#[derive(Deserialize)]
struct Artifact {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    digest: Option<BTreeMap<String, String>>,
}

impl Artifact {
    fn commit(&self) -> Option<&str> {
        commit(self.digest.as_ref()?)
    }
}

fn commit(digest: &BTreeMap<String, String>) -> Option<&str> {
    digest.get("gitCommit").or_else(|| digest.get("sha1")).map(String::as_str)
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Malformed> {
    // Some builders write an empty text for a time that they do not know.
    let written = text.filter(|text| !text.is_empty());
    let read = written.map(|text| text.parse().map_err(|_| Malformed(format!("{name} is no time (RFC 3339): {text:?}"))));
    read.transpose()
}

fn parameters(written: &serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cut = |mut text: String| {
        if text.len() > LONGEST_PARAMETER {
            let end = (0..=LONGEST_PARAMETER).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        text
    };
    written.iter().take(MOST_PARAMETERS).map(|(name, value)| (name.clone(), cut(text(value)))).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V02 {
    builder: Builder,
    build_type: String,
    #[serde(default)]
    invocation: Option<Invocation>,
    #[serde(default)]
    metadata: Option<MetadataV02>,
    #[serde(default)]
    materials: Option<Vec<Artifact>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    #[serde(default)]
    config_source: Option<ConfigSource>,
    #[serde(default)]
    parameters: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigSource {
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    digest: Option<BTreeMap<String, String>>,
    #[serde(default)]
    entry_point: Option<String>,
}

#[derive(Deserialize)]
struct MetadataV02 {
    #[serde(default, rename = "buildInvocationID", alias = "buildInvocationId")]
    build_invocation_id: Option<String>,
    #[serde(default, rename = "buildStartedOn")]
    build_started_on: Option<String>,
    #[serde(default, rename = "buildFinishedOn")]
    build_finished_on: Option<String>,
}

impl V02 {
    fn normalise(self, predicate_type: &str) -> Result<Provenance, Malformed> {
        let materials = self.materials.unwrap_or_default();
        let mut external = BTreeMap::new();
        let mut source = None;
        if let Some(Invocation { config_source, parameters: written }) = self.invocation {
            // Parameters in another form than a map are one parameter.
            external = match written {
                Some(Value::Object(written)) => parameters(&written),
                Some(Value::Null) | None => BTreeMap::new(),
                Some(other) => parameters(&serde_json::Map::from_iter([("parameters".to_owned(), other)])),
            };
            source = config_source.and_then(|config| {
                let uri = config.uri.filter(|uri| !uri.is_empty())?;
                let commit = config.digest.as_ref().and_then(commit).map(str::to_owned);
                Some(Source { commit, entry_point: config.entry_point, ..Source::of_uri(&uri) })
            });
        }
        if let Some(source) = source.as_ref().filter(|_| self.build_type.starts_with(GENERATOR)) {
            let same =
                |material: &&Artifact| material.uri.as_deref().is_some_and(|uri| Source::of_uri(uri).repository == source.repository);
            match materials.iter().find(same) {
                None => return Err(Malformed("its source is not among its materials".to_owned())),
                Some(material) if material.commit() != source.commit.as_deref() => {
                    return Err(Malformed("its source and its materials name different commits".to_owned()));
                }
                Some(_) => {}
            }
        }
        let (invocation, started, finished) = match self.metadata {
            Some(metadata) => (
                metadata.build_invocation_id,
                time("buildStartedOn", metadata.build_started_on)?,
                time("buildFinishedOn", metadata.build_finished_on)?,
            ),
            None => (None, None, None),
        };
        Ok(Provenance {
            predicate_type: predicate_type.to_owned(),
            builder: self.builder.id,
            build_type: self.build_type,
            source,
            external_parameters: external,
            invocation,
            started,
            finished,
            dependencies: u32::try_from(materials.len()).unwrap_or(u32::MAX),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V1 {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: String,
    external_parameters: serde_json::Map<String, Value>,
    #[serde(default)]
    resolved_dependencies: Option<Vec<Artifact>>,
}

#[derive(Deserialize)]
struct RunDetails {
    builder: Builder,
    #[serde(default)]
    metadata: Option<MetadataV1>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataV1 {
    #[serde(default, alias = "invocationID")]
    invocation_id: Option<String>,
    #[serde(default)]
    started_on: Option<String>,
    #[serde(default)]
    finished_on: Option<String>,
}

impl V1 {
    fn normalise(self, predicate_type: &str) -> Result<Provenance, Malformed> {
        let BuildDefinition { build_type, external_parameters, resolved_dependencies } = self.build_definition;
        let dependencies = resolved_dependencies.unwrap_or_default();
        let mut source = source_of(&external_parameters);
        if let Some(source) = source.as_mut().filter(|source| source.commit.is_none()) {
            let same = |dependency: &&Artifact| {
                let of = dependency.uri.as_deref().map(Source::of_uri);
                of.is_some_and(|of| of.repository == source.repository && (of.reference.is_none() || of.reference == source.reference))
            };
            source.commit = dependencies.iter().filter(same).find_map(Artifact::commit).map(str::to_owned);
        }
        let (invocation, started, finished) = match self.run_details.metadata {
            Some(metadata) => (metadata.invocation_id, time("startedOn", metadata.started_on)?, time("finishedOn", metadata.finished_on)?),
            None => (None, None, None),
        };
        Ok(Provenance {
            predicate_type: predicate_type.to_owned(),
            builder: self.run_details.builder.id,
            build_type,
            source,
            external_parameters: parameters(&external_parameters),
            invocation,
            started,
            finished,
            dependencies: u32::try_from(dependencies.len()).unwrap_or(u32::MAX),
        })
    }
}

/// Under which external parameter the source is, by the build types that are in use: GitHub's workflows and slsa-github-generator
/// (`workflow`), Google Cloud Build (`buildConfigSource`, `sourceToBuild`), BuildKit (`configSource`), and the form that SLSA's own examples
/// have (`source`, `repository` and `ref`).
fn source_of(external: &serde_json::Map<String, Value>) -> Option<Source> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let from = |place: &Value| {
        let uri = text(place.get("repository")).or_else(|| text(place.get("uri")))?;
        let mut source = Source::of_uri(&uri);
        source.reference = text(place.get("ref")).or(source.reference);
        source.entry_point = text(place.get("path")).or_else(|| text(place.get("entryPoint")));
        let digest = place.get("digest").and_then(|digest| serde_json::from_value::<BTreeMap<String, String>>(digest.clone()).ok());
        source.commit = digest.as_ref().and_then(commit).map(str::to_owned);
        Some(source)
    };
    for name in ["workflow", "buildConfigSource", "sourceToBuild", "configSource", "source"] {
        match external.get(name) {
            Some(place @ Value::Object(_)) => return from(place),
            Some(Value::String(uri)) if name == "source" => return Some(Source::of_uri(uri)),
            _ => {}
        }
    }
    external.get("repository").filter(|repository| repository.is_string()).and_then(|_| from(&Value::Object(external.clone())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::PROVENANCE_V1;

    fn v02() -> Value {
        json!({
            "builder": { "id": "https://builder.test/v1" },
            "buildType": format!("{GENERATOR}/container@v1"),
            "invocation": {
                "configSource": { "uri": "git+https://github.com/acme/app@refs/tags/v1", "digest": { "sha1": "c0ffee" }, "entryPoint": ".github/workflows/r.yml" },
                "parameters": { "inputs": { "a": 1 }, "text": "b" },
            },
            "metadata": { "buildInvocationID": "7-1", "buildStartedOn": "2026-01-01T00:00:00Z", "buildFinishedOn": "" },
            "materials": [{ "uri": "git+https://github.com/acme/app@refs/tags/v1", "digest": { "sha1": "c0ffee" } }],
        })
    }

    fn v1(external: Value) -> Value {
        json!({
            "buildDefinition": {
                "buildType": "https://build.test/v1",
                "externalParameters": external,
                "resolvedDependencies": [
                    { "uri": "git+https://github.com/other/app@refs/heads/main", "digest": { "gitCommit": "dead" } },
                    { "uri": "git+https://github.com/acme/app@refs/heads/main", "digest": { "gitCommit": "c0ffee" } },
                    { "name": "without uri" },
                ],
            },
            "runDetails": { "builder": { "id": "https://builder.test/v1" }, "metadata": { "invocationId": "https://ci.test/7", "finishedOn": "2026-01-01T00:00:00Z" } },
        })
    }

    fn read_02(value: &Value) -> Result<Provenance, Malformed> {
        read(PROVENANCE_V02, &value.to_string())
    }

    fn read_1(value: &Value) -> Result<Provenance, Malformed> {
        read(PROVENANCE_V1, &value.to_string())
    }

    #[test]
    fn version_0_2_is_read() {
        let provenance = read_02(&v02()).unwrap();
        let source = provenance.source.unwrap();
        assert_eq!((source.repository.as_str(), source.reference.as_deref()), ("github.com/acme/app", Some("refs/tags/v1")));
        assert_eq!((source.commit.as_deref(), source.entry_point.as_deref()), (Some("c0ffee"), Some(".github/workflows/r.yml")));
        assert_eq!(
            provenance.external_parameters,
            [("inputs", "{\"a\":1}"), ("text", "b")].map(|(a, b)| (a.to_owned(), b.to_owned())).into()
        );
        assert_eq!((provenance.invocation.as_deref(), provenance.finished), (Some("7-1"), None));
    }

    #[test]
    fn version_1_is_read_by_where_build_types_have_the_source() {
        for external in [
            json!({ "workflow": { "repository": "https://github.com/acme/app", "ref": "refs/heads/main", "path": "p" } }),
            json!({ "buildConfigSource": { "repository": "https://github.com/acme/app", "ref": "refs/heads/main", "path": "p" } }),
            json!({ "source": { "uri": "git+https://github.com/acme/app", "ref": "refs/heads/main" } }),
            json!({ "source": "git+https://github.com/acme/app@refs/heads/main" }),
            json!({ "repository": "https://github.com/acme/app", "ref": "refs/heads/main" }),
        ] {
            let source = read_1(&v1(external.clone())).unwrap().source.unwrap();
            let read = (source.repository.as_str(), source.reference.as_deref(), source.commit.as_deref());
            assert_eq!(read, ("github.com/acme/app", Some("refs/heads/main"), Some("c0ffee")), "{external}");
        }
        for external in [json!({}), json!({ "workflow": "x" }), json!({ "source": {} }), json!({ "repository": 7 })] {
            assert_eq!(read_1(&v1(external.clone())).unwrap().source, None, "nothing is guessed: {external}");
        }
    }

    #[test]
    fn what_is_no_provenance_is_refused() {
        let without = |mut value: Value, pointer: &str, name: &str| {
            value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name);
            value
        };
        let with = |mut value: Value, pointer: &str, new: Value| {
            *value.pointer_mut(pointer).unwrap() = new;
            value
        };
        for broken in [
            without(v02(), "", "builder"),
            without(v02(), "/builder", "id"),
            without(v02(), "", "buildType"),
            with(v02(), "/builder/id", json!("")),
            with(v02(), "/builder/id", json!(7)),
            with(v02(), "/metadata/buildStartedOn", json!("yesterday")),
            with(v02(), "/materials", json!([])),
            with(v02(), "/materials/0/digest/sha1", json!("dead")),
            with(v02(), "/materials/0/uri", json!("git+https://github.com/acme/appA")),
            with(v02(), "/materials", json!({})),
        ] {
            assert!(read_02(&broken).is_err(), "{broken}");
        }
        for broken in [
            without(v1(json!({})), "/runDetails", "builder"),
            without(v1(json!({})), "/buildDefinition", "externalParameters"),
            without(v1(json!({})), "", "runDetails"),
            v1(json!([])),
            v02(),
        ] {
            assert!(read_1(&broken).is_err(), "{broken}");
        }
        for text in ["[]", "null", "7", "{", "\"x\""] {
            assert!(read(PROVENANCE_V1, text).is_err() && read(PROVENANCE_V02, text).is_err(), "{text}");
        }
    }

    #[test]
    fn large_ones_are_read_and_cut() {
        let materials: Vec<_> =
            (0..10_000).map(|number| json!({ "uri": format!("pkg:x/{number}"), "digest": { "sha256": "00" } })).collect();
        let mut value = v02();
        value["buildType"] = json!("https://build.test/v1");
        value["materials"] = json!(materials);
        value["invocation"]["parameters"] = json!({ "long": "ü".repeat(10_000) });
        let provenance = read_02(&value).unwrap();
        assert_eq!(provenance.dependencies, 10_000);
        let long = &provenance.external_parameters["long"];
        assert!(long.len() <= LONGEST_PARAMETER + 3 && long.ends_with('…'));
    }
}
