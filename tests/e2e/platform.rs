//! A build platform as GitHub's is seen from outside: what its identity tokens claim of a run, and the provenance that its builders write.

use serde_json::{Value, json};

/// The commit that every run builds.
pub const COMMIT: &str = "5c2f1b7a90d84e63b1f0c9a7d25e8346f1b0a9c8";
/// Where the source of every run is.
pub const SOURCE: &str = "github.com/acme/app";

/// A run of a workflow of `acme/app`.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The workflow.
    pub workflow: &'static str,
    /// What of the source was built.
    pub reference: &'static str,
    /// The reusable workflow that did the work; none: the workflow itself.
    pub reusable: Option<&'static str>,
    /// Its number.
    pub number: u32,
}

/// A workflow that builds and attests for itself.
pub const HOSTED: Run = Run { workflow: "release.yml", reference: "refs/heads/main", reusable: None, number: 7_001 };
/// One that lets a reusable workflow of the builders' team do both.
pub const HARDENED: Run = Run {
    workflow: "release.yml",
    reference: "refs/tags/v2.0.0",
    reusable: Some("acme/builders/.github/workflows/container.yml@refs/tags/v1.2.0"),
    number: 7_002,
};
/// A workflow of the same repository that somebody added.
pub const ANOTHER: Run = Run { workflow: "another.yml", reference: "refs/heads/main", reusable: None, number: 7_003 };

impl Run {
    fn workflow_ref(&self) -> String {
        format!("acme/app/.github/workflows/{}@{}", self.workflow, self.reference)
    }

    fn job(&self) -> String {
        self.reusable.map_or_else(|| self.workflow_ref(), str::to_owned)
    }

    /// Its builder: also the name in its certificate.
    pub fn builder(&self) -> String {
        format!("https://github.com/{}", self.job())
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("https://{SOURCE}/actions/runs/{}/attempts/1", self.number)
    }

    /// Claims of its identity token.
    pub fn claims(&self) -> Value {
        json!({
            "sub": format!("repo:acme/app:ref:{}", self.reference), "job_workflow_ref": self.job(), "job_workflow_sha": COMMIT,
            "sha": COMMIT, "event_name": "push", "repository": "acme/app", "repository_id": "11", "repository_owner": "acme",
            "repository_owner_id": "1", "repository_visibility": "private", "workflow": "release", "ref": self.reference,
            "workflow_ref": self.workflow_ref(), "workflow_sha": COMMIT, "runner_environment": "github-hosted",
            "run_id": self.number.to_string(), "run_attempt": "1",
        })
    }

    /// Its provenance, version 1, as GitHub's action for attestations writes it.
    pub fn provenance_1(&self) -> Value {
        let path = format!(".github/workflows/{}", self.workflow);
        let source = format!("git+https://{SOURCE}@{}", self.reference);
        json!({
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {"workflow": {
                    "ref": self.reference, "repository": format!("https://{SOURCE}"), "path": path,
                }},
                "internalParameters": {"github": {
                    "event_name": "push", "repository_id": "11", "repository_owner_id": "1", "runner_environment": "github-hosted",
                }},
                "resolvedDependencies": [{"uri": source, "digest": {"gitCommit": COMMIT}}],
            },
            "runDetails": {"builder": {"id": self.builder()}, "metadata": {"invocationId": self.address()}},
        })
    }

    /// Its provenance, version 0.2, as slsa-github-generator writes it.
    pub fn provenance_02(&self) -> Value {
        let source = json!({"uri": format!("git+https://{SOURCE}@{}", self.reference), "digest": {"sha1": COMMIT}});
        let mut configuration = source.clone();
        configuration["entryPoint"] = format!(".github/workflows/{}", self.workflow).into();
        json!({
            "builder": {"id": self.builder()},
            "buildType": "https://github.com/slsa-framework/slsa-github-generator/container@v1",
            "invocation": {"configSource": configuration, "parameters": {}, "environment": {"github_run_id": self.number.to_string()}},
            "metadata": {
                "buildInvocationID": format!("{}-1", self.number), "reproducible": false,
                "completeness": {"parameters": true, "environment": false, "materials": false},
            },
            "materials": [source],
        })
    }
}

/// What a workflow may write that names another repository than its own.
pub fn of_another_source() -> Value {
    let mut provenance = HOSTED.provenance_1();
    provenance["buildDefinition"]["externalParameters"]["workflow"]["repository"] = "https://github.com/acme/other".into();
    provenance["buildDefinition"]["resolvedDependencies"] = json!([]);
    provenance
}

/// Provenance of a machine in the cellar, which no document of builders names.
pub fn cellar() -> Value {
    let source = json!({"uri": format!("git+https://{SOURCE}@refs/heads/main"), "digest": {"sha1": COMMIT}});
    json!({
        "builder": {"id": "https://ci.acme.test/cellar"}, "buildType": "https://ci.acme.test/shell@v1",
        "invocation": {"configSource": {"uri": source["uri"], "digest": source["digest"], "entryPoint": "build.sh"}},
        "metadata": {"buildInvocationID": "https://ci.acme.test/jobs/17", "buildStartedOn": "2026-03-01T08:00:00Z"},
        "materials": [source],
    })
}

/// What BuildKit says of an image that it built: perfect, and signed by nobody.
pub fn buildkit(digest: &str) -> Value {
    let hexadecimal = digest.trim_start_matches("sha256:");
    json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "pkg:docker/acme/app@v1?platform=linux%2Famd64", "digest": {"sha256": hexadecimal}}],
        "predicate": {
            "builder": {"id": HARDENED.builder()}, "buildType": "https://mobyproject.org/buildkit@v1",
            "invocation": {
                "configSource": {
                    "uri": format!("https://{SOURCE}.git#refs/tags/v2.0.0"), "digest": {"sha1": COMMIT}, "entryPoint": "Dockerfile",
                },
                "parameters": {"frontend": "dockerfile.v0"}, "environment": {"platform": "linux/amd64"},
            },
            "metadata": {
                "buildInvocationID": "u3k9x5y1b0", "buildStartedOn": "2026-03-01T08:00:00Z", "buildFinishedOn": "2026-03-01T08:01:00Z",
            },
            "materials": [],
        },
    })
}
