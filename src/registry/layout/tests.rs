use std::fs;

use super::*;
use crate::model::{Algorithm, CosignTag};

const SIGNED: &str = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn fixture(name: &str) -> Layout {
    Layout::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts").join(name)).unwrap()
}

fn ask(layout: &Layout, ask: Ask) -> (Outcome, Option<Bytes>) {
    let (answer, body) = layout.answer(&ask, Timestamp::UNIX_EPOCH);
    assert_eq!((answer.credential, answer.observed), (CredentialKind::Local, Timestamp::UNIX_EPOCH));
    (answer.outcome, body)
}

fn found(layout: &Layout, question: Ask) -> Vec<Descriptor> {
    match ask(layout, question.clone()).0 {
        Outcome::Found(found) => found,
        other => panic!("{question:?}: {other:?}"),
    }
}

fn cause(layout: &Layout, question: Ask) -> Cause {
    match ask(layout, question.clone()).0 {
        Outcome::Unknown(unknown) => unknown.cause,
        other => panic!("{question:?}: {other:?}"),
    }
}

/// The media types of the layers of every manifest that is found, each layer read.
fn layers(layout: &Layout, question: Ask) -> Vec<String> {
    let mut types = Vec::new();
    for descriptor in found(layout, question) {
        let (_, body) = ask(layout, Ask::Content(descriptor.digest.clone()));
        let Ok(Manifest::Image(image)) = Manifest::parse(&body.unwrap()) else { panic!("{}", descriptor.digest) };
        for layer in image.layers {
            let (_, body) = ask(layout, Ask::Blob(layer.digest.clone()));
            assert!(layer.digest.matches(&body.unwrap()));
            types.push(layer.media_type);
        }
    }
    types
}

#[test]
fn bundles_are_found_with_and_without_a_fallback_index() {
    let digest: Digest = SIGNED.parse().unwrap();
    for (name, image) in [("bundle-oci-layout", None), ("skopeo-bundle", Some("v1"))] {
        let layout = fixture(name);
        assert_eq!(layers(&layout, Ask::Referrers(digest.clone())), [BUNDLE; 3], "{name}");
        let types: Vec<_> = found(&layout, Ask::Referrers(digest.clone())).into_iter().map(|found| found.artifact_type.unwrap()).collect();
        assert_eq!(types, [BUNDLE; 3], "{name}");
        assert_eq!(ask(&layout, Ask::Tag(CosignTag::Signature.beside(&digest).into())).0, Outcome::Absent, "{name}");
        let bundle = &found(&layout, Ask::Referrers(digest.clone()))[0];
        assert_eq!(ask(&layout, Ask::Referrers(bundle.digest.clone())).0, Outcome::Absent, "{name}");
        assert_eq!(bundle.annotations["dev.sigstore.bundle.content"], "dsse-envelope", "{name}");
        if name == "skopeo-bundle" {
            assert_eq!(found(&layout, Ask::Tag("v1".into()))[0].digest, digest);
        }
        assert_eq!(layout.images(), [(image.map(str::to_owned), digest.clone())], "{name}");
    }
}

#[test]
fn what_cosign_saves_answers_by_the_tag_scheme() {
    let digest: Digest = SIGNED.parse().unwrap();
    for name in ["legacy-rekor1-cosign-save", "legacy-tsa-cosign-save"] {
        let layout = fixture(name);
        let signatures = layers(&layout, Ask::Tag(CosignTag::Signature.beside(&digest).into()));
        assert_eq!(signatures, ["application/vnd.dev.cosign.simplesigning.v1+json"], "{name}");
        let attestations = layers(&layout, Ask::Tag(CosignTag::Attestation.beside(&digest).into()));
        assert_eq!(attestations, ["application/vnd.dsse.envelope.v1+json"; 2], "{name}");
        assert_eq!(ask(&layout, Ask::Tag(CosignTag::Sbom.beside(&digest).into())).0, Outcome::Absent, "{name}");
        assert_eq!(ask(&layout, Ask::Referrers(digest.clone())).0, Outcome::Absent, "{name}");
        assert_eq!(layout.images(), [(None, digest.clone())], "{name}");
    }
}

#[test]
fn public_builds_read_with_their_layers_missing() {
    for (name, digest) in [
        ("slsa-container-v1.4.0", "sha256:a74d89d8dd863ca5dae4a29e0feede81ddf59197849a80784af5a02ab7786925"),
        ("slsa-container-v1.10.0", "sha256:e0a0a765d690a5104331cfbac88ebbbf01736c1f87aaa3cd455c516a5ea586a5"),
    ] {
        let layout = fixture(name);
        let digest: Digest = digest.parse().unwrap();
        assert_eq!(layout.images(), [(None, digest.clone())], "{name}");
        let attestations = layers(&layout, Ask::Tag(CosignTag::Attestation.beside(&digest).into()));
        assert_eq!(attestations, ["application/vnd.dsse.envelope.v1+json"], "{name}");
        assert_eq!(ask(&layout, Ask::Tag(CosignTag::Signature.beside(&digest).into())).0, Outcome::Absent, "{name}");
        assert_eq!(ask(&layout, Ask::Referrers(digest)).0, Outcome::Absent, "{name}");
    }
    let layout = fixture("slsa-container-v1.4.0");
    let (_, body) = ask(&layout, Ask::Content(layout.images()[0].1.clone()));
    let Ok(Manifest::Image(image)) = Manifest::parse(&body.unwrap()) else { panic!("no image") };
    assert_eq!(image.layers.len(), 2);
    let missing = image.layers.iter().filter(|layer| ask(&layout, Ask::Blob(layer.digest.clone())).1.is_none());
    let missing: Vec<_> = missing.map(|layer| cause(&layout, Ask::Blob(layer.digest.clone()))).collect();
    assert_eq!(missing.first(), Some(&Cause::InvalidResponse));
}

#[test]
fn notation_signatures_are_referrers() {
    let layout = fixture("notation");
    let digest: Digest = SIGNED.parse().unwrap();
    let mut types = layers(&layout, Ask::Referrers(digest.clone()));
    types.sort();
    assert_eq!(types, ["application/cose", "application/jose+json"]);
    assert_eq!(layout.images(), [(None, digest)]);
}

/// A layout while it is made.
struct Draft {
    directory: tempfile::TempDir,
    listed: Vec<String>,
}

impl Draft {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("blobs/sha256")).unwrap();
        fs::write(directory.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { directory, listed: Vec::new() }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.directory.path().join("blobs/sha256").join(digest.hex())
    }

    fn blob(&self, bytes: &str) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, bytes.as_bytes());
        fs::write(self.file(&digest), bytes).unwrap();
        digest
    }

    /// A manifest that refers to `subject`, if any; `seed` tells it from others.
    fn manifest(&self, seed: &str, subject: Option<&Digest>) -> Digest {
        let config = self.blob(seed);
        let subject = subject.map(|digest| format!(r#","subject":{}"#, link(digest, ""))).unwrap_or_default();
        self.blob(&format!(r#"{{"mediaType":"{OCI_MANIFEST}","config":{},"layers":[]{subject}}}"#, link(&config, "")))
    }

    fn index(&self, children: &[String]) -> Digest {
        self.blob(&format!(r#"{{"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, children.join(",")))
    }

    fn list(&mut self, digest: &Digest, more: &str) {
        self.listed.push(link(digest, more));
    }

    fn name(&mut self, digest: &Digest, name: &str) {
        self.list(digest, &format!(r#","annotations":{{"{}":"{name}"}}"#, "org.opencontainers.image.ref.name"));
    }

    fn saved(&mut self, digest: &Digest, kind: &str, name: &str) {
        let name = if name.is_empty() { String::new() } else { format!(r#","org.opencontainers.image.ref.name":"{name}""#) };
        self.list(digest, &format!(r#","annotations":{{"kind":"dev.cosignproject.cosign/{kind}"{name}}}"#));
    }

    fn open(&self) -> Layout {
        fs::write(self.directory.path().join("index.json"), format!(r#"{{"manifests":[{}]}}"#, self.listed.join(","))).unwrap();
        Layout::open(self.directory.path()).unwrap()
    }
}

fn link(digest: &Digest, more: &str) -> String {
    format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":1{more}}}"#)
}

fn digests(layout: &Layout, question: Ask) -> Vec<Digest> {
    found(layout, question).into_iter().map(|descriptor| descriptor.digest).collect()
}

#[test]
fn names_lead_to_manifests_and_ambiguous_ones_to_nothing_known() {
    let mut draft = Draft::new();
    let (one, two) = (draft.manifest("one", None), draft.manifest("two", None));
    draft.name(&one, "v1");
    draft.name(&one, "registry.test/app:v1");
    draft.name(&two, "registry.test/app:v2");
    draft.name(&one, "latest");
    draft.name(&two, "latest");
    let signature = draft.manifest("signature", None);
    draft.name(&signature, &CosignTag::Signature.beside(&one));
    let layout = draft.open();
    assert_eq!(digests(&layout, Ask::Tag("v1".into())), std::slice::from_ref(&one));
    assert_eq!(digests(&layout, Ask::Tag("v2".into())), [two]);
    assert_eq!(cause(&layout, Ask::Tag("latest".into())), Cause::InvalidResponse);
    assert_eq!(ask(&layout, Ask::Tag("v3".into())).0, Outcome::Absent);
    assert_eq!(digests(&layout, Ask::Tag(CosignTag::Signature.beside(&one).into())), [signature]);
    assert_eq!(layout.images().len(), 5);
    assert_eq!(ask(&layout, Ask::Readable).0, Outcome::Found(Vec::new()));
}

#[test]
fn pieces_of_several_saved_images_are_told_apart_by_name_only() {
    let mut draft = Draft::new();
    let (one, two) = (draft.manifest("one", None), draft.manifest("two", None));
    let (first, second) = (draft.manifest("first", None), draft.manifest("second", None));
    for (image, piece, name) in [(&one, &first, "a.test/one:1"), (&two, &second, "a.test/two:1")] {
        draft.saved(image, "image", name);
        draft.saved(piece, "sigs", name);
    }
    let layout = draft.open();
    assert_eq!(digests(&layout, Ask::Tag(CosignTag::Signature.beside(&one).into())), [first]);
    assert_eq!(digests(&layout, Ask::Tag(CosignTag::Signature.beside(&two).into())), [second]);
    assert_eq!(ask(&layout, Ask::Tag(CosignTag::Attestation.beside(&one).into())).0, Outcome::Absent);
    let stray = draft.manifest("stray", None);
    draft.saved(&stray, "sigs", "");
    assert_eq!(cause(&draft.open(), Ask::Tag(CosignTag::Signature.beside(&one).into())), Cause::InvalidResponse);
}

#[test]
fn the_fallback_index_and_what_manifests_say_themselves_are_united() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let (listed, unlisted) = (draft.manifest("listed", None), draft.manifest("other", Some(&image)));
    let index = draft.index(&[link(&listed, "")]);
    draft.name(&image, "v1");
    draft.name(&index, &Ask::fallback_tag(&image));
    draft.name(&unlisted, "ref1");
    let layout = draft.open();
    let mut both = vec![listed.clone(), unlisted.clone()];
    both.sort();
    assert_eq!(digests(&layout, Ask::Referrers(image.clone())), both);
    assert_eq!(layout.images(), [(Some("v1".to_owned()), image.clone())]);

    // What the fallback index lists and is not there is still listed; opening it is what fails.
    fs::remove_file(draft.file(&listed)).unwrap();
    let layout = draft.open();
    assert_eq!(digests(&layout, Ask::Referrers(image.clone())), both);
    assert_eq!(cause(&layout, Ask::Content(listed)), Cause::InvalidResponse);

    fs::remove_file(draft.file(&index)).unwrap();
    assert_eq!(cause(&draft.open(), Ask::Referrers(image)), Cause::InvalidResponse);
}

#[test]
fn a_fallback_index_is_known_by_its_full_name_too() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let listed = draft.manifest("listed", None);
    let index = draft.index(&[link(&listed, "")]);
    draft.name(&image, "registry.test/app:v1");
    draft.name(&index, &format!("registry.test/app:{}", Ask::fallback_tag(&image)));
    assert_eq!(digests(&draft.open(), Ask::Referrers(image)), [listed]);
}

#[test]
fn one_malformed_part_hides_no_other() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let referrer = draft.manifest("referrer", Some(&image));
    // A child by a digest of an unknown algorithm, beside one that refers to the image.
    let index = draft.index(&[r#"{"digest":"blake3:00","size":1}"#.to_owned(), link(&referrer, "")]);
    // Refers to the image, and is malformed elsewhere.
    let odd = draft.blob(&format!(r#"{{"subject":{},"annotations":{{"number":1}},"layers":[]}}"#, link(&image, "")));
    let twice = draft.blob(&format!(r#"{{"subject":{0},"subject":{0},"layers":[]}}"#, link(&image, "")));
    draft.name(&image, "v1");
    for listed in [&index, &odd, &twice] {
        draft.list(listed, "");
    }
    let mut all = vec![referrer, odd, twice];
    all.sort();
    assert_eq!(digests(&draft.open(), Ask::Referrers(image)), all);
}

#[test]
fn a_manifest_that_is_listed_and_missing_leaves_absence_open() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let lost = draft.manifest("lost", Some(&image));
    draft.name(&image, "v1");
    draft.list(&lost, "");
    assert_eq!(digests(&draft.open(), Ask::Referrers(image.clone())), std::slice::from_ref(&lost));
    fs::remove_file(draft.file(&lost)).unwrap();
    let layout = draft.open();
    assert_eq!(cause(&layout, Ask::Referrers(image.clone())), Cause::InvalidResponse);
    assert_eq!(digests(&layout, Ask::Manifest(lost.clone())), std::slice::from_ref(&lost));
    assert_eq!(cause(&layout, Ask::Content(lost.clone())), Cause::InvalidResponse);
    assert_eq!(cause(&layout, Ask::Blob(lost.clone())), Cause::InvalidResponse);
    // Beside something that is found, it is listed: whoever opens it learns that it cannot be read.
    let kept = draft.manifest("kept", Some(&image));
    draft.list(&kept, "");
    let mut both = vec![kept, lost.clone()];
    both.sort();
    assert_eq!(digests(&draft.open(), Ask::Referrers(image.clone())), both);

    // A missing platform of an image refers to nothing.
    let mut draft = Draft::new();
    let platform = Digest::of(Algorithm::Sha256, b"arm64");
    let index = draft.index(&[link(&platform, r#","platform":{"os":"linux","architecture":"arm64"}"#)]);
    draft.name(&index, "v1");
    let layout = draft.open();
    assert_eq!(ask(&layout, Ask::Referrers(index.clone())).0, Outcome::Absent);
    assert_eq!(found(&layout, Ask::Manifest(index))[0].media_type, OCI_INDEX);
    assert_eq!(found(&layout, Ask::Manifest(platform.clone())).len(), 1);
    assert_eq!(cause(&layout, Ask::Content(platform)), Cause::InvalidResponse);
}

#[test]
fn what_is_there_and_not_listed_is_known_by_its_content() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let loose = draft.manifest("loose", None);
    let text = draft.blob("text");
    draft.list(&image, "");
    let layout = draft.open();
    assert_eq!(found(&layout, Ask::Manifest(loose.clone()))[0].media_type, OCI_MANIFEST);
    assert!(ask(&layout, Ask::Content(loose.clone())).1.is_some_and(|bytes| loose.matches(&bytes)));
    assert_eq!(ask(&layout, Ask::Manifest(text.clone())).0, Outcome::Absent);
    assert_eq!(ask(&layout, Ask::Blob(text)).1.as_deref(), Some(b"text".as_slice()));
    let nothing = Digest::of(Algorithm::Sha512, b"nothing");
    assert_eq!(ask(&layout, Ask::Manifest(nothing.clone())).0, Outcome::Absent);
    assert_eq!(ask(&layout, Ask::Content(nothing.clone())).0, Outcome::Absent);
    assert_eq!(ask(&layout, Ask::Referrers(nothing)).0, Outcome::Absent);
}

#[test]
fn wrong_oversized_and_irregular_blobs_are_unknown() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let blob = draft.blob("signature");
    draft.list(&image, "");
    fs::write(draft.file(&blob), "signaturf").unwrap();
    assert_eq!(cause(&draft.open(), Ask::Blob(blob.clone())), Cause::InvalidResponse);
    fs::File::create(draft.file(&blob)).unwrap().set_len(BLOB_LIMIT + 1).unwrap();
    assert_eq!(cause(&draft.open(), Ask::Blob(blob.clone())), Cause::TooLarge);
    fs::remove_file(draft.file(&blob)).unwrap();
    std::os::unix::fs::symlink(draft.file(&image), draft.file(&blob)).unwrap();
    assert_eq!(cause(&draft.open(), Ask::Blob(blob)), Cause::InvalidResponse);

    // A manifest of a gigabyte, wrong or large, may be one that refers to the image.
    let referrer = draft.manifest("referrer", Some(&image));
    draft.list(&referrer, "");
    fs::File::create(draft.file(&referrer)).unwrap().set_len(1 << 30).unwrap();
    let layout = draft.open();
    assert_eq!(cause(&layout, Ask::Content(referrer.clone())), Cause::TooLarge);
    assert_eq!(cause(&layout, Ask::Referrers(image.clone())), Cause::TooLarge);
    fs::write(draft.file(&referrer), "{}").unwrap();
    assert_eq!(cause(&draft.open(), Ask::Referrers(image.clone())), Cause::InvalidResponse);
    fs::remove_file(draft.file(&referrer)).unwrap();
    fs::create_dir(draft.file(&referrer)).unwrap();
    assert_eq!(cause(&draft.open(), Ask::Referrers(image)), Cause::InvalidResponse);
}

#[test]
fn indexes_that_go_in_circles_or_too_deep_end() {
    // No index can hold its own digest, so that a circle needs wrong bytes; they are not followed.
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let index = draft.index(&[link(&image, "")]);
    fs::write(draft.file(&index), format!(r#"{{"manifests":[{}]}}"#, link(&index, ""))).unwrap();
    draft.list(&index, "");
    draft.list(&index, "");
    assert_eq!(cause(&draft.open(), Ask::Content(index)), Cause::InvalidResponse);

    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    let referrer = draft.manifest("referrer", Some(&image));
    let mut outer = draft.index(&[link(&referrer, "")]);
    for _ in 0..4 {
        outer = draft.index(&[link(&outer, "")]);
    }
    draft.list(&image, "");
    draft.list(&outer, "");
    assert_eq!(digests(&draft.open(), Ask::Referrers(image.clone())), [referrer]);
    for _ in 0..8 {
        outer = draft.index(&[link(&outer, "")]);
    }
    draft.listed.pop();
    draft.list(&outer, "");
    assert_eq!(cause(&draft.open(), Ask::Referrers(image)), Cause::Budget);
}

#[test]
fn ten_thousand_referrers_are_found() {
    let mut draft = Draft::new();
    let image = draft.manifest("image", None);
    draft.list(&image, "");
    for number in 0..10_000 {
        let subject = format!(r#""subject":{}"#, link(&image, ""));
        let referrer = draft.blob(&format!(r#"{{"config":{},"layers":[],{subject},"n":{number}}}"#, link(&image, "")));
        draft.list(&referrer, "");
    }
    assert_eq!(found(&draft.open(), Ask::Referrers(image)).len(), 10_000);
}

#[test]
fn what_is_no_layout_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let error = |path: &Path| Layout::open(path).unwrap_err().to_string();
    assert!(error(&directory.path().join("nowhere")).contains("no such directory"));
    assert!(error(directory.path()).contains("oci-layout is missing"));
    let file = directory.path().join("image.tar");
    fs::write(&file, "tar").unwrap();
    assert!(error(&file).contains("unpack it"));
    let marker = directory.path().join("oci-layout");
    fs::write(&marker, r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(error(directory.path()).contains("2.0.0"));
    fs::write(&marker, r#"{"imageLayoutVersion":"1.1.0"}"#).unwrap();
    assert!(error(directory.path()).contains("index.json is missing"));
    for bad in ["", "{}", "[]", r#"{"manifests":[{"digest":"sha256:../../etc/passwd"}]}"#] {
        fs::write(directory.path().join("index.json"), bad).unwrap();
        assert!(matches!(Layout::open(directory.path()), Err(LayoutError::Malformed { name: "index.json", .. })), "{bad}");
    }
    fs::write(directory.path().join("index.json"), r#"{"manifests":[]}"#).unwrap();
    assert_eq!(Layout::open(directory.path()).unwrap().images(), []);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn no_bytes_panic(index in proptest::collection::vec(proptest::num::u8::ANY, 0..200), manifest in "\\PC{0,200}") {
        let mut draft = Draft::new();
        let digest = draft.blob(&manifest);
        draft.list(&digest, "");
        let layout = draft.open();
        for question in [Ask::Tag(manifest.as_str().into()), Ask::Manifest(digest.clone()), Ask::Content(digest.clone()), Ask::Referrers(digest)] {
            let _ = layout.answer(&question, Timestamp::UNIX_EPOCH);
        }
        fs::write(draft.directory.path().join("index.json"), index).unwrap();
        let _ = Layout::open(draft.directory.path());
    }
}
