//! What is attested about a synthetic image, of the sizes that such statements have.

/// Packages of a bill of materials.
const PACKAGES: usize = 120;
/// Materials of a build.
const MATERIALS: usize = 25;
/// Statements of a VEX document.
const FINDINGS: usize = 10;

/// Predicate types with their predicates: 4 kB of provenance, a bill of 30 kB, test results, a VEX document.
pub fn predicates(subject: &str) -> [(&'static str, String); 4] {
    [
        ("https://slsa.dev/provenance/v1", provenance(subject)),
        ("https://spdx.dev/Document", bill(subject)),
        ("https://in-toto.io/attestation/test-result/v0.1", tests(subject)),
        ("https://openvex.dev/ns/v0.2.0", vex(subject)),
    ]
}

fn provenance(subject: &str) -> String {
    let materials = (0..MATERIALS).map(|number| {
        format!(
            r#"{{"uri":"git+https://git.bench.example/lib/dependency-{number}@refs/tags/v1.{number}.0","digest":{{"sha1":"{}"}}}}"#,
            &subject[..40]
        )
    });
    let materials: Vec<_> = materials.collect();
    format!(
        r#"{{"buildDefinition":{{"buildType":"https://bench.example/build/v1","externalParameters":{{"source":"git+https://git.bench.example/team/app@refs/heads/main","workflow":"build.yaml"}},"internalParameters":{{"runner":"hosted"}},"resolvedDependencies":[{}]}},"runDetails":{{"builder":{{"id":"https://bench.example/builders/hosted@v1"}},"metadata":{{"invocationId":"https://bench.example/runs/1","startedOn":"2026-11-01T10:00:00Z","finishedOn":"2026-11-01T10:03:00Z"}}}}}}"#,
        materials.join(",")
    )
}

fn bill(subject: &str) -> String {
    let packages = (0..PACKAGES).map(|number| {
        format!(
            r#"{{"SPDXID":"SPDXRef-{number}","name":"package-{number}","versionInfo":"1.{number}.0","supplier":"Organization: Bench","downloadLocation":"NOASSERTION","licenseConcluded":"Apache-2.0","externalRefs":[{{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:generic/package-{number}@1.{number}.0"}}]}}"#
        )
    });
    let packages: Vec<_> = packages.collect();
    format!(
        r#"{{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"app","documentNamespace":"https://bench.example/{subject}","creationInfo":{{"created":"2026-11-01T10:03:00Z","creators":["Tool: bench-1.0"]}},"packages":[{}]}}"#,
        packages.join(",")
    )
}

fn tests(subject: &str) -> String {
    format!(
        r#"{{"result":"PASSED","configuration":[{{"name":"tests","digest":{{"sha256":"{subject}"}}}}],"url":"https://bench.example/runs/1","passedTests":["unit","integration","end-to-end"]}}"#
    )
}

fn vex(subject: &str) -> String {
    let statements = (0..FINDINGS).map(|number| {
        format!(
            r#"{{"vulnerability":{{"name":"CVE-2026-{number:04}"}},"products":[{{"@id":"pkg:oci/app@sha256%3A{subject}"}}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}}"#
        )
    });
    let statements: Vec<_> = statements.collect();
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://bench.example/vex/{subject}","author":"Bench","timestamp":"2026-11-01T10:05:00Z","version":1,"statements":[{}]}}"#,
        statements.join(",")
    )
}
