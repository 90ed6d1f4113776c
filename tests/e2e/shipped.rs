//! Images as a team ships them: signed, with provenance, a bill of materials and the result of tests, all by the real cosign; and some
//! of which one thing is not as it should be.

use serde_json::{Value, json};

use super::attested::{V1, V02};
use super::images::{ALICE, Image, Images};
use super::manifests::Pod;
use super::platform::{HARDENED, HOSTED};
use super::registries::Registry;
use super::signing::{By, Signer};
use super::sigstore::Sigstore;
use super::stack::Stack;

/// Workloads of which everything is as it should be.
pub const WHOLE: &str = "whole";
/// One whose image has no bill of materials.
pub const NO_BILL: &str = "no-bill";
/// One whose image a trusted person signed, and not the build platform.
pub const BY_LAPTOP: &str = "by-laptop";

/// Type of the attested result of tests.
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A bill of materials in SPDX.
pub fn spdx() -> Value {
    let package = |name: &str, version: &str| {
        json!({
            "SPDXID": format!("SPDXRef-{name}"), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "supplier": "Organization: Acme", "licenseConcluded": "MIT", "filesAnalyzed": false,
        })
    };
    json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "front",
        "documentNamespace": "https://acme.test/spdx/front",
        "creationInfo": {"created": "2026-03-01T08:00:00Z", "creators": ["Tool: syft-1.2.0"]},
        "packages": [package("front", "2.0.0"), package("openssl", "3.5.1"), package("zlib", "1.3.1")],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-front"},
        ],
    })
}

/// A bill of materials in CycloneDX.
pub fn cyclonedx() -> Value {
    let component = |name: &str, version: &str| json!({"type": "library", "name": name, "version": version});
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", "version": 1,
        "metadata": {
            "timestamp": "2026-03-01T08:00:00Z", "tools": {"components": [{"type": "application", "name": "trivy", "version": "0.60.0"}]},
            "component": {"type": "container", "name": "back"},
        },
        "components": [component("openssl", "3.5.1"), component("zlib", "1.3.1")],
    })
}

fn tests_passed() -> Value {
    json!({
        "result": "PASSED", "configuration": [{"uri": "git+https://github.com/acme/app", "digest": {"gitCommit": super::platform::COMMIT}}],
        "url": HOSTED.address(), "passedTests": ["unit", "integration"],
    })
}

/// A scan for vulnerabilities, as cosign's own type wants it.
fn scanned_today() -> Value {
    let now = jiff::Timestamp::now();
    json!({
        "invocation": {"parameters": [], "uri": HOSTED.address(), "event_id": "", "builder.id": ""},
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.60.0", "version": "0.60.0", "db": {"uri": "", "version": "2"}, "result": {}},
        "metadata": {"scanStartedOn": now, "scanFinishedOn": now},
    })
}

/// What became of what it found, in OpenVEX.
fn assessed_today() -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.test/vex/1", "author": "Acme", "version": 1,
        "timestamp": jiff::Timestamp::now(),
        "statements": [{
            "vulnerability": {"name": "CVE-2026-0001"}, "products": [{"@id": "pkg:oci/back"}], "status": "not_affected",
            "justification": "vulnerable_code_not_present",
        }],
    })
}

/// The images.
pub fn push(stack: &Stack, signer: &Signer<'_>, sigstore: &Sigstore) -> Vec<(&'static str, Image)> {
    let (api, tags) = (&stack.referrers, &stack.fallback);
    let release = By::Run(sigstore, &HOSTED);
    let built = |image: &str| signer.attest_as(release, V1, &HOSTED.provenance_1(), image);
    type Ship<'s> = &'s (dyn Fn(&str) + Sync);
    let wanted: [(&'static str, &Registry, Ship<'_>); 4] = [
        ("front", api, &|image| {
            signer.sign(release, image);
            built(image);
            signer.attest_as(release, "spdxjson", &spdx(), image);
            signer.attest_as(release, TEST_RESULT, &tests_passed(), image);
        }),
        ("back", tags, &|image| {
            signer.sign(release, image);
            signer.attest_as(By::Run(sigstore, &HARDENED), V02, &HARDENED.provenance_02(), image);
            signer.attest_as(By::KeyUnderTag, "cyclonedx", &cyclonedx(), image);
            signer.attest_as(By::KeyUnderTag, "vuln", &scanned_today(), image);
            signer.attest_as(By::Key, "openvex", &assessed_today(), image);
            signer.attest_as(By::KeyUnderTag, "custom", &json!({"<my-data>": "<my-value>"}), image);
        }),
        ("no-bill", api, &|image| {
            signer.sign(release, image);
            built(image);
        }),
        ("by-laptop", api, &|image| {
            signer.sign(By::Person(sigstore, ALICE), image);
            built(image);
            signer.attest_as(release, "spdxjson", &spdx(), image);
        }),
    ];
    std::thread::scope(|scope| {
        let ship = |(name, registry, ship): (&'static str, &Registry, Ship<'_>)| {
            let repository = format!("acme/{name}");
            let digest = registry.image(&repository, "v1", name);
            let image = Image { repository: format!("{}/{repository}", registry.host), digest };
            ship(&image.pinned());
            (name, image)
        };
        let threads: Vec<_> = wanted.into_iter().map(|wanted| scope.spawn(move || ship(wanted))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The workloads: namespace, name, and what runs.
pub fn workloads(images: &Images) -> Vec<(&'static str, &'static str, Pod)> {
    let of = |namespace, name| (namespace, name, Pod::of(&images.get(name).tagged()));
    vec![of(WHOLE, "front"), of(WHOLE, "back"), of(NO_BILL, "no-bill"), of(BY_LAPTOP, "by-laptop")]
}
