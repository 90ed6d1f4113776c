use super::*;
use crate::model::{CYCLONEDX, Package, SPDX};

const SPDX_23: &str = "https://spdx.dev/Document/v2.3";

fn sbom(predicate_type: &str, text: &str, packages: bool) -> Sbom {
    match read(predicate_type, text, packages) {
        Ok(Predicate::Sbom(sbom)) => *sbom,
        other => panic!("{other:?}"),
    }
}

fn spdx(text: &str) -> Sbom {
    sbom(SPDX, text, true)
}

fn cyclonedx(text: &str) -> Sbom {
    sbom(CYCLONEDX, text, true)
}

fn refused(predicate_type: &str, text: &str) -> String {
    match read(predicate_type, text, true) {
        Err(malformed) => malformed.0,
        Ok(other) => panic!("{text:.100}: {other:?}"),
    }
}

fn package(name: &str, version: &str, purl: &str, supplier: &str, license: &str) -> Package {
    Package { name: name.into(), version: version.into(), purl: purl.into(), supplier: supplier.into(), license: license.into() }
}

/// As syft 1.x writes it.
const SYFT_SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"app",
 "documentNamespace":"https://anchore.com/syft/image/app",
 "creationInfo":{"licenseListVersion":"3.25","creators":["Organization: Anchore, Inc","Tool: syft-1.18.0"],"created":"2026-10-01T08:00:00Z"},
 "packages":[
  {"name":"zlib","SPDXID":"SPDXRef-1","versionInfo":"1.3.1","supplier":"Organization: Debian (team@debian.test)","downloadLocation":"NOASSERTION",
   "filesAnalyzed":false,"licenseConcluded":"NOASSERTION","licenseDeclared":"Zlib","copyrightText":"NOASSERTION",
   "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:zlib"},
                   {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/zlib@1.3.1"}]},
  {"name":"left","SPDXID":"SPDXRef-2","supplier":"NOASSERTION","licenseConcluded":"NONE"}],
 "files":[{"fileName":"a"}],"relationships":[]}"#;

/// As trivy 0.5x writes it; tools in the shape of 1.5.
const TRIVY_CYCLONEDX: &str = r#"{"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX","specVersion":"1.6","version":1,
 "metadata":{"timestamp":"2026-10-02T08:00:00+00:00","tools":{"components":[{"type":"application","group":"aquasecurity","name":"trivy","version":"0.58.0"}]},
  "component":{"type":"container","name":"app"}},
 "components":[
  {"type":"operating-system","name":"debian","version":"12"},
  {"type":"library","name":"outer","version":"1","supplier":{"name":"Acme"},"publisher":"ignored","licenses":[{"license":{"id":"MIT"}},{"license":{"name":"Own"}}],
   "purl":"pkg:npm/outer@1","components":[{"type":"library","name":"inner","publisher":"Acme","licenses":[{"expression":"MIT OR Apache-2.0"}]}]}],
 "dependencies":[{"ref":"x"}]}"#;

#[test]
fn spdx_2_is_read() {
    let read = spdx(SYFT_SPDX);
    assert_eq!((read.format, read.spec_version.as_str(), read.package_count), (SbomFormat::Spdx, "SPDX-2.3", 2));
    assert_eq!(read.generator.as_deref(), Some("syft-1.18.0"));
    assert_eq!(read.created, time("2026-10-01T08:00:00Z"));
    let expected =
        [package("zlib", "1.3.1", "pkg:deb/debian/zlib@1.3.1", "Debian (team@debian.test)", "Zlib"), package("left", "", "", "", "NONE")];
    assert_eq!(read.packages.as_deref(), Some(&expected[..]));
    assert_eq!(sbom(SPDX_23, SYFT_SPDX, false), Sbom { packages: None, ..read }, "only counted where nobody wants them");
}

#[test]
fn cyclonedx_is_read_with_what_is_nested() {
    let read = cyclonedx(TRIVY_CYCLONEDX);
    assert_eq!((read.format, read.spec_version.as_str(), read.package_count), (SbomFormat::CycloneDx, "1.6", 3));
    assert_eq!(read.generator.as_deref(), Some("trivy 0.58.0"));
    assert_eq!(read.created, time("2026-10-02T08:00:00Z"));
    let expected = [
        package("debian", "12", "", "", ""),
        package("inner", "", "", "Acme", "MIT OR Apache-2.0"),
        package("outer", "1", "pkg:npm/outer@1", "Acme", "MIT, Own"),
    ];
    assert_eq!(read.packages.as_deref(), Some(&expected[..]));
    assert_eq!(sbom("https://cyclonedx.org/bom/v1.6", TRIVY_CYCLONEDX, false), Sbom { packages: None, ..read });
    let older = r#"{"bomFormat":"CycloneDX","specVersion":"1.3","metadata":{"tools":[{"vendor":"anchore","name":"syft","version":"0.46"},{"name":"x"}]}}"#;
    let older = cyclonedx(older);
    assert_eq!((older.generator.as_deref(), older.package_count), (Some("syft 0.46, x"), 0));
}

#[test]
fn the_graph_of_spdx_3_is_counted() {
    let text = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-10-03T08:00:00Z","createdUsing":["t"]},
        {"type":"Tool","spdxId":"t","name":"builder 1"},{"type":"SpdxDocument","spdxId":"d"},
        {"type":"software_Package","name":"a"},{"type":"software_Package","name":"b"},{"type":"Relationship","from":"a","to":["b"]}]}"#;
    let read = spdx(text);
    assert_eq!((read.spec_version.as_str(), read.package_count, read.generator.as_deref()), ("SPDX-3.0.1", 2, Some("builder 1")));
    assert_eq!((read.created, read.packages), (time("2026-10-03T08:00:00Z"), None));
    assert!(matches!(super::read(SPDX, &text.replace("3.0.1\",\"created", "4.0\",\"created"), true), Ok(Predicate::Unsupported(_))));
    assert!(refused(SPDX, r#"{"@context":"https://schema.org","@graph":[{"type":"Thing"}]}"#).contains("no SPDX document"));
}

#[test]
fn what_cosign_wraps_is_unwrapped() {
    let text = |document: &str| serde_json::to_string(document).unwrap();
    let plain = spdx(SYFT_SPDX);
    assert_eq!(spdx(&text(SYFT_SPDX)), plain, "--type spdx: the text of the document");
    for data in [text(SYFT_SPDX), SYFT_SPDX.to_owned()] {
        assert_eq!(spdx(&format!(r#"{{"Data":{data},"Timestamp":"2026-11-01T00:00:00Z"}}"#)), plain);
    }
    let undated = r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#;
    let wrapped = cyclonedx(&format!(r#"{{"Timestamp":"2026-11-01T00:00:00Z","Data":{undated}}}"#));
    assert_eq!(wrapped.created, time("2026-11-01T00:00:00Z"), "its own time, else the wrapper's");
    let twice = format!(r#"{{"Data":{{"Data":{SYFT_SPDX}}}}}"#);
    assert!(refused(SPDX, &twice).contains("neither spdxVersion nor bomFormat"), "wrapped once, not as often as one likes");
    let doubled = text(r#"{"spdxVersion":"SPDX-2.3","name":{"a":1,"a":2}}"#);
    assert!(refused(SPDX, &doubled).contains("there twice"));
}

#[test]
fn tag_value_is_read() {
    let text = "# made by hand\nSPDXVersion: SPDX-2.2\nCreator: Person: me\nCreator: Tool: bom-1\nCreated: 2026-10-01T08:00:00Z\n\
        DocumentComment: <text>a\nPackageName: not one\nb</text>\nPackageName: zlib\nPackageVersion: 1.3\nPackageSupplier: Organization: Acme\n\
        PackageLicenseConcluded: NOASSERTION\nPackageLicenseDeclared: Zlib\nPackageCopyrightText: <text>x</text>\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:generic/zlib@1.3\n\nPackageName: other\n";
    let read = spdx(&serde_json::to_string(text).unwrap());
    assert_eq!((read.spec_version.as_str(), read.generator.as_deref(), read.package_count), ("SPDX-2.2", Some("bom-1"), 2));
    let expected = [package("zlib", "1.3", "pkg:generic/zlib@1.3", "Acme", "Zlib"), package("other", "", "", "", "")];
    assert_eq!(read.packages.as_deref(), Some(&expected[..]));
    assert_eq!(read_attached(text.as_bytes()).unwrap().package_count, 2);
}

#[test]
fn what_is_no_bill_is_refused() {
    for (text, told) in [
        ("[]", "no object"),
        ("{}", "neither spdxVersion nor bomFormat"),
        (r#"{"spdxVersion":"SPDX-2.3","bomFormat":"CycloneDX"}"#, "several formats"),
        (r#"{"spdxVersion":"SPDX-2.3","packages":{}}"#, "a list of packages"),
        (r#"{"spdxVersion":"SPDX-2.3","packages":[1]}"#, "invalid type"),
        (r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":1}]}"#, "invalid type"),
        (r#"{"spdxVersion":"SPDX-2.3","packages":[],"packages":[]}"#, "there twice"),
        (r#"{"spdxVersion":2}"#, "invalid type"),
        (r#""some text""#, "neither JSON nor"),
        (r#"{"Data":"<my data>x"}"#, ""),
        (TRIVY_CYCLONEDX, "the predicate type says SPDX, and it is CycloneDX"),
    ] {
        match read(SPDX, text, true) {
            Err(malformed) => assert!(malformed.0.contains(told), "{text:.60}: {malformed}"),
            Ok(Predicate::Unsupported(what)) => assert!(told.is_empty() && what.contains("XML"), "{what}"),
            Ok(other) => panic!("{text}: {other:?}"),
        }
    }
    assert!(refused(CYCLONEDX, r#"{"bomFormat":"cyclonedx","specVersion":"1.5"}"#).contains("not known"));
    assert!(refused(CYCLONEDX, r#"{"bomFormat":"CycloneDX"}"#).contains("specVersion is missing"));
    for end in (0..SYFT_SPDX.len()).step_by(37) {
        refused(SPDX, &SYFT_SPDX[..end]);
    }
}

#[test]
fn unsupported_versions_are_no_lies() {
    for (predicate_type, text) in [
        (SPDX, r#"{"spdxVersion":"SPDX-1.2"}"#),
        (CYCLONEDX, r#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#),
        (CYCLONEDX, r#""<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\"/>""#),
    ] {
        assert!(matches!(read(predicate_type, text, false), Ok(Predicate::Unsupported(_))), "{text}");
    }
}

#[test]
fn no_packages_are_none() {
    let read = spdx(r#"{"spdxVersion":"SPDX-2.3"}"#);
    assert_eq!((read.package_count, read.generator, read.created), (0, None, None));
}

#[test]
fn many_packages_and_long_names_are_counted() {
    let many = vec![r#"{"name":"a"}"#; 200_000].join(",");
    assert_eq!(spdx(&format!(r#"{{"packages":[{many}],"spdxVersion":"SPDX-2.3"}}"#)).package_count, 200_000);
    let long = "n".repeat(1 << 20);
    let read = cyclonedx(&format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{{"tools":[{{"name":"{long}"}}]}},"components":[{{"name":"{long}"}}]}}"#
    ));
    assert_eq!(read.packages.unwrap()[0].name.len(), 1 << 20);
    assert!(read.generator.unwrap().chars().count() <= LONGEST_TEXT + 1);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let (open, close) = (r#"{"name":"x","components":["#.repeat(depth), "]}".repeat(depth));
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{open}{close}]}}"#)
    };
    assert_eq!(cyclonedx(&nested(60)).package_count, 60);
    assert!(refused(CYCLONEDX, &nested(10_000)).contains("recursion limit"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}", cut in 0_usize..1200, kind in 0_usize..4) {
        let predicate_type = [SPDX, CYCLONEDX][kind % 2];
        let _ = read(predicate_type, &text, true);
        let _ = read_attached(text.as_bytes());
        let document = [SYFT_SPDX, TRIVY_CYCLONEDX][kind / 2];
        let mut broken = document.get(..cut.min(document.len())).unwrap_or_default().to_owned();
        broken.push_str(&text);
        let _ = read(predicate_type, &broken, kind > 1);
    }
}
