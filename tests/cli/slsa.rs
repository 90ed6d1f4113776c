//! `slsa verify` and `slsa explain` over real provenance.

use super::Program;
use super::registry::{Running, Shelf};
use crate::scripted_registry::Asked;

const SOURCE: &str = "github.com/slsa-framework/example-package";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";

/// Version of the generator, digest of the image, and the ref that it was built from.
const BUILDS: [(&str, &str, &str); 2] = [
    ("v1.4.0", "sha256:a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925", "refs/heads/main"),
    ("v1.10.0", "sha256:e0a0a765d690a5104331cfbac88ebbbf01736c1f87aaa3cd455c516a5ea586a5", "refs/tags/v13.0.30"),
];

fn run(version: &str, words: &[&str]) -> super::Ended {
    let digest = BUILDS.iter().find(|(known, ..)| *known == version).unwrap().1;
    let reference = format!("ghcr.io/slsa-framework/example-package@{digest}");
    let layout = format!("fixtures/layouts/slsa-container-{version}");
    let (command, expected) = words.split_first().unwrap();
    let arguments = [&["slsa", command, &reference, "--layout", &layout, "--offline"], expected].concat();
    Program::new().run(&arguments)
}

#[test]
fn real_provenance_shows_level_3_of_its_source() {
    for (version, digest, reference) in BUILDS {
        let ended = run(version, &["verify", "--source-uri", SOURCE, "-f", "json"]);
        let report = ended.json();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!((report["verdict"].as_str(), report["level"].as_u64()), (Some("verified"), Some(3)));
        assert_eq!((report["digest"].as_str(), report["vouched"]["name"].as_str()), (Some(digest), Some("slsa-github-generator")));
        let provenance = &report["provenance"];
        let builder = format!("{GENERATOR}/generator_container_slsa3.yml@refs/tags/{version}");
        assert_eq!((provenance["builder"].as_str(), provenance["source"].as_str()), (Some(builder.as_str()), Some(SOURCE)));
        assert_eq!(provenance["reference"].as_str(), Some(reference));
    }
}

#[test]
fn what_is_not_as_expected_is_refused_with_its_reason() {
    for (version, ..) in BUILDS {
        let refused = |words: &[&str], code: &str| {
            let ended = run(version, &[&["verify"], words, &["-f", "json"]].concat());
            assert_eq!((ended.code, ended.json()["code"].as_str()), (Some(1), Some(code)), "{words:?}: {ended:?}");
        };
        for look_alike in [
            "github.com/slsa-framework/example-packageA",
            "Agithub.com/slsa-framework/example-package",
            "github.com/Aslsa-framework/example-package",
            "github.com/slsa-framework/example",
        ] {
            refused(&["--source-uri", look_alike], "source-mismatch");
        }
        refused(&["--source-uri", SOURCE, "--builder-id", &format!("{GENERATOR}/not-trusted.yml")], "builder-untrusted");
        let other = if version == "v1.4.0" { "v1.10.0" } else { "v1.4.0" };
        refused(
            &["--source-uri", SOURCE, "--builder-id", &format!("{GENERATOR}/generator_container_slsa3.yml@refs/tags/{other}")],
            "builder-untrusted",
        );
        refused(&["--source-uri", SOURCE, "--source-branch", "other"], "source-mismatch");
        refused(&["--source-uri", SOURCE, "--source-tag", "v13.0.3"], "source-mismatch");
    }
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--source-tag", "v13.0.30"]).prints(0, &["VERIFIED"]);
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--source-versioned-tag", "v13.0"]).prints(0, &["VERIFIED"]);
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--source-versioned-tag", "v13.1"]).prints(1, &["REJECTED (source-mismatch)"]);
    run("v1.4.0", &["verify", "--source-uri", SOURCE, "--source-branch", "main"]).prints(0, &["VERIFIED"]);
    // A tag is also of the branch that it was made on.
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--source-branch", "main", "--source-tag", "v13.0.30"]).prints(0, &["VERIFIED"]);
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--source-branch", "main", "--source-tag", "v13.0.31"])
        .prints(1, &["REJECTED (source-mismatch)"]);
    for version in ["", "@v1.10.0", "@refs/tags/v1.10.0"] {
        let builder = format!("{GENERATOR}/generator_container_slsa3.yml{version}");
        run("v1.10.0", &["verify", "--source-uri", SOURCE, "--builder-id", &builder]).prints(0, &["VERIFIED"]);
    }
}

/// What a user may write for the same repository, and what looks like it and is another or none.
#[test]
fn the_expected_source_is_one_however_it_is_written_and_no_other() {
    for same in [
        "https://github.com/slsa-framework/example-package",
        "git+https://github.com/slsa-framework/example-package",
        "git+https://github.com/slsa-framework/example-package.git",
        "https://github.com/slsa-framework/example-package/",
        "https://GitHub.com/slsa-framework/example-package",
        "git+ssh://git@github.com/slsa-framework/example-package.git",
        "github.com/slsa-framework/*",
    ] {
        run("v1.10.0", &["verify", "--source-uri", same]).prints(0, &["VERIFIED"]);
    }
    for other in [
        "github.com/slsa-framework/example-package2",
        "github.com/slsa-framework/2example-package",
        "github.com/SLSA-framework/example-package",
        "github.com/slsa-framework/Example-package",
        "github.com/slsa-framework/example.package",
        "gitlab.com/slsa-framework/example-package",
        "github.com.evil.test/slsa-framework/example-package",
        "evil.test/github.com/slsa-framework/example-package",
        "github.com/slsa-framework/example-package/sub",
        "github.com/slsa-framework",
        "github.com/*",
        "*/example-package",
        "github.com/slsa-framework/ex\u{430}mple-package",
        "github.com/slsa-framework/ex%61mple-package",
        "github.com/evil/../slsa-framework/example-package",
        "github.com/slsa-framework//example-package",
        "https://github.com@evil.test/slsa-framework/example-package",
        "https://slsa-framework@github.com/slsa-framework/example-package",
        "https://github.com:443/slsa-framework/example-package",
        "http://github.com/slsa-framework/example-package",
        "github.com/slsa-framework/example-package@refs/tags/v13.0.30",
        "github.com/slsa-framework/example-package ",
        " github.com/slsa-framework/example-package",
        "",
    ] {
        let ended = run("v1.10.0", &["verify", "--source-uri", other]);
        match ended.code {
            Some(1) => ended.prints(1, &["REJECTED (source-mismatch)"]),
            // It can be no repository: said before anything is asked.
            _ => ended.says(2, &["--source-uri"]),
        }
    }
}

#[test]
fn another_image_is_not_shown_by_it() {
    let other = format!("ghcr.io/slsa-framework/example-package@{}", BUILDS[0].1);
    let words = ["slsa", "verify", &other, "--source-uri", SOURCE, "--layout", "fixtures/layouts/slsa-container-v1.10.0", "--offline"];
    Program::new().run(&words).prints(3, &["UNKNOWN (image-not-found)"]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    run("v1.10.0", &["verify", "--source-uri", "example-package"]).says(2, &["--source-uri", "host/owner/repository"]);
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--builder-id", ""]).says(2, &["--builder-id is empty"]);
    run("v1.10.0", &["verify", "--source-uri", SOURCE, "--level", "4"]).says(2, &["4"]);
    Program::new().run(&["slsa", "verify", "UPPER//x", "--source-uri", SOURCE]).says(2, &["is no image reference"]);
}

#[test]
fn the_chain_is_told_from_the_commit_to_the_log_and_what_nobody_signed_is_said() {
    let ended = run("v1.10.0", &["explain", "--no-cluster"]);
    let told = ended.out.lines().filter(|line| !line.starts_with("As of:")).collect::<Vec<_>>().join("\n");
    assert_eq!(ended.code, Some(0));
    insta::assert_snapshot!(told);
}

const PRIVATE: &str = "registry.test/team/oci@sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";

#[test]
fn provenance_of_google_cloud_build_shows_level_3_by_the_key_that_comes_along() {
    const DIGEST: &str = "sha256:7e9b6e7ba2842c91cf49f3e214d04a7a496f8214356f41d81a6e6dcad11f11e3";
    const PROVENANCE: &str = "fixtures/vectors/google-cloud-build/provenance.json";
    // A registry that has the image and no evidence of its own.
    let (shelf, unsigned) = Shelf::unsigned();
    let running = Running::new(move |asked: &Asked| shelf.answer(asked).into());
    let host = running.registry.host();
    let verify = |digest: &str, evidence: &str, source: &str| {
        let reference = format!("{host}/khalkie/app@{digest}");
        let words = ["slsa", "verify", &reference, "--evidence", evidence, "--offline", "--source-uri", source, "-f", "json"];
        Program::new().run(&[&words[..], &["--plain-http", &host, "--allow-host", &host]].concat())
    };
    let source = "github.com/khalkie/gcb-prod-prov";
    let ended = verify(DIGEST, PROVENANCE, source);
    let report = ended.json();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!((report["level"].as_u64(), report["vouched"]["name"].as_str()), (Some(3), Some("google-cloud-build")));
    assert_eq!(
        (report["provenance"]["source"].as_str(), report["provenance"]["reference"].as_str()),
        (Some(source), Some("refs/heads/main"))
    );
    // It is about another image: nothing is there.
    let other = verify(&unsigned.to_string(), PROVENANCE, source);
    assert_eq!((other.code, other.json()["verdict"].as_str()), (Some(1), Some("absent")), "{other:?}");
    // One letter of what was signed, and of the signature.
    let text = std::fs::read_to_string(PROVENANCE).unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&text).unwrap();
    let payload = crate::forge::key::unbase64(envelope["payload"].as_str().unwrap());
    let other = String::from_utf8(payload).unwrap().replace("khalkie/gcb-prod-prov", "khalkie/gcb-prod-prow");
    let program = Program::new();
    let mut changed = envelope.clone();
    changed["payload"] = crate::forge::key::base64(other).into();
    let changed = program.file("changed.json", &changed.to_string());
    assert_ne!(verify(DIGEST, &changed, "github.com/khalkie/gcb-prod-prow").code, Some(0));
    let forged = program.file("forged.json", &text.replace("MEUCIE1x", "MEUCIE1y"));
    assert_ne!(verify(DIGEST, &forged, source).code, Some(0));
    assert_ne!(verify(DIGEST, PROVENANCE, "github.com/khalkie/gcb-prod").code, Some(0));
}

/// `slsa verify` of an image of the private Sigstore, by builders of one's own.
fn private(builders: &str, layout: &str, more: &[&str]) -> super::Ended {
    let program = Program::new();
    let file = program.file("builders.yaml", builders);
    // What a document names by file lies beside it, wherever the program runs.
    let root = std::fs::read_to_string("fixtures/vectors/trust/trusted_root.both.json").unwrap();
    program.file("trusted_root.json", &root);
    let layout = format!("fixtures/layouts/{layout}");
    let source = "git.sgs.test/team/app";
    let common = ["slsa", "verify", PRIVATE, "--layout", &layout, "--offline", "--at", "2026-12-01", "--source-uri", source];
    program.run(&[&common[..], &["--controls", &file, "-f", "json"], more].concat())
}

fn builders(signer: &str, id: &str, level: u8) -> String {
    format!(
        "apiVersion: seaworthy.dev/v1alpha1\nkind: BuilderTrust\nmetadata: {{ name: own }}\nspec:\n  trustRoots: {{ own: {{ file: trusted_root.json }} }}\n  authorities:\n    ci: {{ keyless: {{ trustRoot: own, issuer: {{ exact: 'https://127.0.0.1:16443' }}, subject: {{ exact: '{signer}' }} }} }}\n  builders: [{{ name: k8s, id: {id}, signedBy: [ci], buildTypes: ['https://sgs.test/build/v1'], level: {level} }}]\n"
    )
}

#[test]
fn a_builder_of_ones_own_gives_the_level_that_its_document_says() {
    const SIGNER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/builder";
    const ID: &str = "{ exact: 'https://sgs.test/builders/k8s@v1' }";
    let said = |builders: &str, layout: &str, more: &[&str]| {
        let ended = private(builders, layout, more);
        let report = ended.json();
        (report["code"].as_str().unwrap_or("verified").to_owned(), report["level"].as_u64().unwrap())
    };
    let is = |code: &str, level: u64| (code.to_owned(), level);
    for layout in ["bundle-oci-layout", "skopeo-bundle", "legacy-rekor1-cosign-save"] {
        for level in 1..=3 {
            assert_eq!(said(&builders(SIGNER, ID, level), layout, &[]), is("verified", u64::from(level)), "{layout}");
        }
    }
    let layout = "bundle-oci-layout";
    assert_eq!(said(&builders(SIGNER, ID, 2), layout, &["--level", "3"]), is("level-too-low", 2));
    assert_eq!(said(&builders(SIGNER, ID, 2), layout, &["--source-branch", "main"]), is("verified", 2));
    assert_eq!(said(&builders(SIGNER, ID, 2), layout, &["--builder-id", "k8s"]), is("verified", 2));
    assert_eq!(said(&builders(SIGNER, ID, 2), layout, &["--source-branch", "other"]), is("source-mismatch", 0));
    assert_eq!(said(&builders(SIGNER, "{ exact: 'https://sgs.test/builders/k8s@v2' }", 2), layout, &[]).0, "builder-untrusted");
    assert_eq!(said(&builders(SIGNER, "{ signer: {} }", 2), layout, &[]).0, "builder-untrusted", "its signer has another name");
    assert_eq!(said(&builders("https://kubernetes.io/other", ID, 2), layout, &[]).0, "identity-mismatch");
    // Whom the image's policy trusts, for a builder that no document knows.
    let trusted =
        ["--identity", SIGNER, "--issuer", "https://127.0.0.1:16443", "--trusted-root", "fixtures/vectors/trust/trusted_root.both.json"];
    let unknown_builder = builders(SIGNER, "{ exact: 'https://sgs.test/builders/other' }", 3);
    assert_eq!(said(&unknown_builder, layout, &trusted), is("verified", 1));
    assert_eq!(said(&unknown_builder, layout, &[&trusted[..], &["--level", "2"]].concat()), is("builder-untrusted", 1));
}
