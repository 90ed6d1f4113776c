//! SLSA provenance v0.2 and v1, in one form.
//!
//! The source is taken from where the build type says that it is, never guessed from a first material.

mod build_type;
mod event;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::build_type::BuildType;
use super::Malformed;
use crate::model::{PROVENANCE_V02, Provenance, Source};

/// Longest external parameter that is kept, in bytes; a longer one is kept as its beginning, so that it equals nothing that is expected.
const LONGEST_PARAMETER: usize = 4 << 10;
/// Most external parameters that are kept.
const MOST_PARAMETERS: usize = 256;

/// Reads the predicate of a provenance.
///
/// # Errors
/// When it is none: something obligatory is missing or of another type, or it contradicts itself.
pub(super) fn read(predicate_type: &str, predicate: &str) -> Result<Provenance, Malformed> {
    let refused = |error: serde_json::Error| Malformed(format!("not SLSA provenance: {error}"));
    let provenance = match predicate_type == PROVENANCE_V02 {
        true => serde_json::from_str::<V02<'_>>(predicate).map_err(refused)?.normalise(predicate_type)?,
        false => serde_json::from_str::<V1<'_>>(predicate).map_err(refused)?.normalise(predicate_type)?,
    };
    if provenance.builder.is_empty() && !BuildType::of(&provenance.build_type).may_be_anonymous() {
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
    let mut kept: BTreeMap<_, _> = written.iter().take(MOST_PARAMETERS).map(|(name, value)| (name.clone(), cut(text(value)))).collect();
    if let Some(more) = written.len().checked_sub(MOST_PARAMETERS).filter(|more| *more > 0) {
        // Not named by anybody's expectation, so that what is not kept is not taken for absent.
        kept.insert("…".to_owned(), format!("{more} more"));
    }
    kept
}

/// With the entry point, which the caller of a build chooses too, under the name that SLSA gives it.
fn with_entry_point(mut external: BTreeMap<String, String>, source: Option<&Source>) -> BTreeMap<String, String> {
    if let Some(entry_point) = source.and_then(|source| source.entry_point.clone()) {
        let written = external.insert("entryPoint".to_owned(), entry_point.clone());
        // A parameter of that name is another one.
        external.extend(written.filter(|written| *written != entry_point).map(|written| ("parameters.entryPoint".to_owned(), written)));
    }
    external
}

/// What BuildKit's client says of the working directory that it sent: a claim of the client's.
#[derive(Deserialize)]
struct BuildKitMetadata {
    #[serde(default)]
    vcs: Option<BTreeMap<String, String>>,
}

impl BuildKitMetadata {
    fn source(&self) -> Option<Source> {
        let vcs = self.vcs.as_ref()?;
        let uri = vcs.get("source").filter(|uri| !uri.is_empty())?;
        Some(Source { commit: vcs.get("revision").cloned(), ..Source::of_uri(uri) })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V02<'a> {
    builder: Builder,
    build_type: String,
    #[serde(default, borrow)]
    invocation: Option<Invocation<'a>>,
    #[serde(default)]
    metadata: Option<MetadataV02>,
    #[serde(default)]
    materials: Option<Vec<Artifact>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    #[serde(default)]
    config_source: Option<ConfigSource>,
    #[serde(default)]
    parameters: Option<Value>,
    #[serde(default, borrow)]
    environment: Option<&'a RawValue>,
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
    #[serde(default, rename = "https://mobyproject.org/buildkit@v1#metadata")]
    buildkit: Option<BuildKitMetadata>,
}

impl V02<'_> {
    fn normalise(self, predicate_type: &str) -> Result<Provenance, Malformed> {
        let build_type = BuildType::of(&self.build_type);
        let materials = self.materials.unwrap_or_default();
        let mut external = BTreeMap::new();
        let mut source = None;
        if let Some(Invocation { config_source, parameters: written, environment }) = self.invocation {
            // Parameters in another form than a map are one parameter.
            external = match written {
                Some(Value::Object(written)) => parameters(&written),
                Some(Value::Null) | None => BTreeMap::new(),
                Some(other) => parameters(&serde_json::Map::from_iter([("parameters".to_owned(), other)])),
            };
            source = config_source.filter(|_| build_type.builds_its_configuration()).and_then(|config| {
                let uri = config.uri.filter(|uri| !uri.is_empty())?;
                let commit = config.digest.as_ref().and_then(commit).map(str::to_owned);
                Some(Source { commit, entry_point: config.entry_point, ..Source::of_uri(&uri) })
            });
            if let (Some(source), BuildType::Generator) = (source.as_mut(), build_type) {
                source.branch = environment.and_then(|environment| event::branch_of_tag(source, environment));
            }
        }
        if let Some(source) = source.as_ref().filter(|_| build_type == BuildType::Generator) {
            among(&materials, source)?;
        }
        if build_type == BuildType::BuildKit && source.is_none() {
            source = self.metadata.as_ref().and_then(|metadata| metadata.buildkit.as_ref()?.source());
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
            external_parameters: with_entry_point(external, source.as_ref()),
            source,
            invocation,
            started,
            finished,
            dependencies: u32::try_from(materials.len()).unwrap_or(u32::MAX),
        })
    }
}

/// Checks that the source is among the materials, with the same commit.
fn among(materials: &[Artifact], source: &Source) -> Result<(), Malformed> {
    let named = |material: &&Artifact| {
        let uri = material.uri.as_deref().map(Source::of_uri);
        uri.is_some_and(|uri| uri.repository == source.repository && uri.reference == source.reference)
    };
    let mut named = materials.iter().filter(named).peekable();
    if named.peek().is_none() {
        return Err(Malformed("its source is not among its materials".to_owned()));
    }
    match named.all(|material| material.commit() == source.commit.as_deref()) {
        true => Ok(()),
        false => Err(Malformed("its source and its materials name different commits".to_owned())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct V1<'a> {
    #[serde(borrow)]
    build_definition: BuildDefinition<'a>,
    run_details: RunDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition<'a> {
    build_type: String,
    external_parameters: serde_json::Map<String, Value>,
    #[serde(default, borrow)]
    internal_parameters: Option<&'a RawValue>,
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
    #[serde(default, rename = "buildkit_metadata")]
    buildkit: Option<BuildKitMetadata>,
}

impl V1<'_> {
    fn normalise(self, predicate_type: &str) -> Result<Provenance, Malformed> {
        let BuildDefinition { build_type, mut external_parameters, internal_parameters, resolved_dependencies } = self.build_definition;
        let dependencies = resolved_dependencies.unwrap_or_default();
        let kind = BuildType::of(&build_type);
        let mut source = kind.take_source(&mut external_parameters);
        if kind == BuildType::BuildKit && source.is_none() {
            source = self.run_details.metadata.as_ref().and_then(|metadata| metadata.buildkit.as_ref()?.source());
        }
        if let Some(source) = source.as_mut() {
            resolve(source, &dependencies)?;
            if kind == BuildType::Generator {
                source.branch = internal_parameters.and_then(|internal| event::branch_of_tag(source, internal));
            }
        }
        let (invocation, started, finished) = match self.run_details.metadata {
            Some(metadata) => (metadata.invocation_id, time("startedOn", metadata.started_on)?, time("finishedOn", metadata.finished_on)?),
            None => (None, None, None),
        };
        Ok(Provenance {
            predicate_type: predicate_type.to_owned(),
            builder: self.run_details.builder.id,
            build_type,
            external_parameters: with_entry_point(parameters(&external_parameters), source.as_ref()),
            source,
            invocation,
            started,
            finished,
            dependencies: u32::try_from(dependencies.len()).unwrap_or(u32::MAX),
        })
    }
}

/// Fills in the commit of a source from the resolved dependency that is it.
fn resolve(source: &mut Source, dependencies: &[Artifact]) -> Result<(), Malformed> {
    let same = |dependency: &&Artifact| {
        let of = dependency.uri.as_deref().map(Source::of_uri);
        of.is_some_and(|of| of.repository == source.repository && (of.reference.is_none() || of.reference == source.reference))
    };
    let mut commits: Vec<&str> = dependencies.iter().filter(same).filter_map(Artifact::commit).chain(source.commit.as_deref()).collect();
    commits.sort_unstable();
    commits.dedup();
    match commits.as_slice() {
        [] => Ok(()),
        [commit] => {
            source.commit = Some((*commit).to_owned());
            Ok(())
        }
        several => Err(Malformed(format!("it names {} commits of its source {}", several.len(), source.repository))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::PROVENANCE_V1;

    fn v02() -> Value {
        json!({
            "builder": { "id": "https://builder.test/v1" },
            "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
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
            [("entryPoint", ".github/workflows/r.yml"), ("inputs", "{\"a\":1}"), ("text", "b")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into()
        );
        assert_eq!((provenance.invocation.as_deref(), provenance.finished), (Some("7-1"), None));
    }

    #[test]
    fn version_1_is_read_and_its_source_resolved() {
        for external in [
            json!({ "source": { "uri": "git+https://github.com/acme/app", "ref": "refs/heads/main" } }),
            json!({ "source": "git+https://github.com/acme/app@refs/heads/main" }),
            json!({ "repository": "https://github.com/acme/app", "ref": "refs/heads/main" }),
        ] {
            let source = read_1(&v1(external.clone())).unwrap().source.unwrap();
            let read = (source.repository.as_str(), source.reference.as_deref(), source.commit.as_deref());
            assert_eq!(read, ("github.com/acme/app", Some("refs/heads/main"), Some("c0ffee")), "{external}");
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
            with(v02(), "/materials/0/uri", json!("git+https://github.com/acme/app@refs/tags/v2")),
            with(v02(), "/buildType", Value::Null),
        ] {
            assert!(read_02(&broken).is_err(), "{broken}");
        }
        for broken in [
            without(v1(json!({})), "/runDetails", "builder"),
            without(v1(json!({})), "/buildDefinition", "externalParameters"),
            without(v1(json!({})), "", "runDetails"),
            with(
                v1(json!({ "source": "https://github.com/acme/app@refs/heads/main" })),
                "/buildDefinition/resolvedDependencies/0/uri",
                json!("git+https://github.com/acme/app"),
            ),
            with(v1(json!({})), "/runDetails/builder", json!("https://builder.test/v1")),
            with(v1(json!({})), "/runDetails/metadata/finishedOn", json!("inf")),
            without(v1(json!({})), "/buildDefinition", "buildType"),
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
        let many: serde_json::Map<_, _> = (0..MOST_PARAMETERS + 3).map(|number| (format!("p{number}"), json!(number))).collect();
        let external = read_1(&v1(Value::Object(many))).unwrap().external_parameters;
        assert_eq!((external.len(), external["…"].as_str()), (MOST_PARAMETERS + 1, "3 more"), "what is not kept is not absent");
        let deep = format!(
            r#"{{"buildDefinition":{{"buildType":"x","externalParameters":{{"a":{}1{}}}}}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        assert!(read(PROVENANCE_V1, &deep).is_err());
        let huge = v1(json!({ "a": 0 })).to_string().replace("\"a\":0", &format!("\"a\":{}", "9".repeat(500)));
        assert!(read(PROVENANCE_V1, &huge).is_err(), "no number is that large");
    }

    #[test]
    fn buildkit_may_not_know_who_it_is() {
        let mut value = v02();
        value["buildType"] = json!("https://mobyproject.org/buildkit@v1");
        value["builder"]["id"] = json!("");
        value["invocation"] = json!({ "configSource": { "entryPoint": "Dockerfile" } });
        value["metadata"]["https://mobyproject.org/buildkit@v1#metadata"] =
            json!({ "vcs": { "source": "https://github.com/acme/app", "revision": "c0ffee" } });
        let provenance = read_02(&value).unwrap();
        let source = provenance.source.unwrap();
        assert_eq!(
            (provenance.builder.as_str(), source.repository.as_str(), source.commit.as_deref()),
            ("", "github.com/acme/app", Some("c0ffee"))
        );
        value["builder"] = json!({});
        assert!(read_02(&value).is_err(), "without a builder it is no provenance");
    }

    #[test]
    fn where_a_pipeline_lies_is_not_its_source() {
        let mut value = v02();
        value["buildType"] = json!("tekton.dev/v1beta1/TaskRun");
        assert_eq!(read_02(&value).unwrap().source, None);
    }
}
