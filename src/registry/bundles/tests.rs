use std::fs;

use base64::Engine as _;

use super::*;

fn digest(seed: &str) -> Digest {
    Digest::of(Algorithm::Sha256, seed.as_bytes())
}

fn envelope(subjects: &[&Digest]) -> String {
    let subjects: Vec<_> = subjects.iter().map(|digest| format!(r#"{{"name":"x","digest":{{"sha256":"{}"}}}}"#, digest.hex())).collect();
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{}}}}"#,
        subjects.join(",")
    );
    let payload = base64::engine::general_purpose::STANDARD.encode(statement);
    format!(r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[{{"sig":"c2ln"}}]}}"#)
}

fn bundle(subjects: &[&Digest]) -> String {
    format!(r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{}}}"#, envelope(subjects))
}

fn message(digest: &Digest) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(digest.as_bytes());
    format!(r#"{{"messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":"{encoded}"}},"signature":"c2ln"}}}}"#)
}

/// A directory of the given files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    directory
}

fn referrers(bundles: &Bundles, digest: &Digest) -> Outcome {
    bundles.answer(&Ask::Referrers(digest.clone()), Timestamp::UNIX_EPOCH).0.outcome
}

fn found(bundles: &Bundles, digest: &Digest) -> Vec<Descriptor> {
    match referrers(bundles, digest) {
        Outcome::Found(found) => found,
        other => panic!("{digest}: {other:?}"),
    }
}

fn problems(bundles: &Bundles) -> Vec<String> {
    bundles.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn each_form_is_found_by_its_subjects_and_gives_its_bytes() {
    let (one, two, three) = (digest("one"), digest("two"), digest("three"));
    let lines = format!("{}\n\n{}\r\n", bundle(&[&one, &two]), envelope(&[&one]));
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&message(&three)).unwrap()).unwrap();
    let directory = directory(&[("all.jsonl", &lines), ("below/one.sigstore.json", &pretty), ("README.md", "text"), (".hidden.json", "{")]);
    let bundles = Bundles::open(directory.path()).unwrap();
    assert_eq!((bundles.len(), bundles.problems()), (3, [].as_slice()));
    let mut types: Vec<_> = found(&bundles, &one).into_iter().map(|found| found.media_type).collect();
    types.sort();
    assert_eq!(types, ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dsse.envelope.v1+json"]);
    assert_eq!(found(&bundles, &two).len(), 1);
    assert_eq!(found(&bundles, &two)[0].annotations["dev.sigstore.bundle.predicateType"], "https://slsa.dev/provenance/v1");
    for subject in [&one, &two, &three] {
        for descriptor in found(&bundles, subject) {
            let (answer, body) = bundles.answer(&Ask::Blob(descriptor.digest.clone()), Timestamp::UNIX_EPOCH);
            assert_eq!((answer.outcome, answer.credential), (Outcome::Found(vec![descriptor.clone()]), CredentialKind::Local));
            let body = body.unwrap();
            assert!(descriptor.digest.matches(&body) && descriptor.size == body.len() as u64);
        }
    }
    assert_eq!(referrers(&bundles, &digest("other")), Outcome::Absent);
    assert_eq!(bundles.answer(&Ask::Blob(digest("other")), Timestamp::UNIX_EPOCH).0.outcome, Outcome::Absent);
    assert_eq!(bundles.answer(&Ask::Readable, Timestamp::UNIX_EPOCH).0.outcome, Outcome::Found(Vec::new()));
}

#[test]
fn a_file_may_be_given_whatever_its_name() {
    let one = digest("one");
    let directory = directory(&[("evidence.txt", &format!("{}\n{}\n", bundle(&[&one]), envelope(&[&one])))]);
    let bundles = Bundles::open(&directory.path().join("evidence.txt")).unwrap();
    assert_eq!(found(&bundles, &one).len(), 2);
    assert_eq!(bundles.problems(), []);
}

#[test]
fn a_file_named_by_a_digest_is_about_it() {
    let (one, two) = (digest("one"), digest("two"));
    let unreadable = r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payload":"!"}}"#;
    let directory = directory(&[
        (&format!("sha256:{}.jsonl", one.hex()), unreadable),
        (&format!("sha256-{}.jsonl", two.hex()), &bundle(&[&one])),
        ("nobody.json", unreadable),
    ]);
    let bundles = Bundles::open(directory.path()).unwrap();
    assert_eq!(found(&bundles, &one).len(), 2);
    assert_eq!(found(&bundles, &two).len(), 1);
    assert_eq!(problems(&bundles), ["nobody.json: the payload of the envelope is not base64"]);
}

#[test]
fn what_is_not_used_is_listed_and_a_lost_line_leaves_absence_open() {
    let (one, two) = (digest("one"), digest("two"));
    let cut = &bundle(&[&two])[..100];
    let lines = format!("{}\n{cut}\n{{\"package\":\"json\"}}\n[1]\n{}", bundle(&[&one]), bundle(&[]));
    let directory = directory(&[("all.jsonl", &lines)]);
    let bundles = Bundles::open(directory.path()).unwrap();
    let listed = problems(&bundles);
    assert_eq!(listed.len(), 4, "{listed:?}");
    for (problem, begin) in listed.iter().zip([
        "all.jsonl line 2: not JSON: EOF",
        "all.jsonl line 3: neither a Sigstore bundle nor",
        "all.jsonl line 4: neither a Sigstore bundle nor",
        "all.jsonl line 5: it names no SHA-256",
    ]) {
        assert!(problem.starts_with(begin), "{problem}");
    }
    let Outcome::Unknown(unknown) = referrers(&bundles, &two) else { panic!("not unknown") };
    assert!(unknown.cause == Cause::InvalidResponse && unknown.detail.contains("all.jsonl line 2"), "{}", unknown.detail);
    // Beside what is found, the lost line is listed; opening it is unknown.
    let lost: Vec<_> =
        found(&bundles, &one).into_iter().filter(|found| found.digest == Digest::of(Algorithm::Sha256, cut.as_bytes())).collect();
    assert_eq!(lost.len(), 1);
    let answer = bundles.answer(&Ask::Blob(lost[0].digest.clone()), Timestamp::UNIX_EPOCH);
    assert!(matches!(answer, (Answer { outcome: Outcome::Unknown(_), .. }, None)));
}

#[test]
fn a_lost_line_in_a_file_named_by_a_digest_concerns_no_other() {
    let (one, two) = (digest("one"), digest("two"));
    let directory = directory(&[(&format!("{one}.jsonl"), "{\"mediaType\""), ("empty.jsonl", "")]);
    let bundles = Bundles::open(directory.path()).unwrap();
    assert!(matches!(referrers(&bundles, &one), Outcome::Unknown(_)));
    assert_eq!(referrers(&bundles, &two), Outcome::Absent);
}

#[test]
fn files_that_cannot_be_read_leave_the_rest_open_and_what_is_found_good() {
    let (one, two) = (digest("one"), digest("two"));
    // What is found is listed, with something that opens as unknown; of what is not found nothing is known.
    let beside = |bundles: &Bundles| {
        let found = found(bundles, &one);
        let opened = found.iter().map(|found| bundles.answer(&Ask::Blob(found.digest.clone()), Timestamp::UNIX_EPOCH).0.outcome);
        let unknown = opened.filter(|outcome| matches!(outcome, Outcome::Unknown(_))).count();
        assert_eq!((found.len(), unknown), (2, 1));
        assert!(matches!(referrers(bundles, &two), Outcome::Unknown(_)));
    };
    let directory = directory(&[("one.json", &bundle(&[&one]))]);
    assert_eq!(found(&Bundles::open(directory.path()).unwrap(), &one).len(), 1);
    let large = directory.path().join("large.jsonl");
    fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
    let bundles = Bundles::open(directory.path()).unwrap();
    beside(&bundles);
    assert!(problems(&bundles)[0].contains("larger than"), "{:?}", bundles.problems());
    fs::remove_file(&large).unwrap();
    std::os::unix::fs::symlink(directory.path().join("nowhere"), &large).unwrap();
    beside(&Bundles::open(directory.path()).unwrap());
    fs::remove_file(&large).unwrap();
    fs::write(directory.path().join("empty.json"), "").unwrap();
    beside(&Bundles::open(directory.path()).unwrap());
    fs::remove_file(directory.path().join("empty.json")).unwrap();
    // A link to a file is one; a link to a directory may be a circle.
    std::os::unix::fs::symlink(directory.path().join("one.json"), directory.path().join("two.json")).unwrap();
    std::os::unix::fs::symlink(directory.path(), directory.path().join("circle.json")).unwrap();
    let bundles = Bundles::open(directory.path()).unwrap();
    assert_eq!((found(&bundles, &one).len(), bundles.problems()), (1, [].as_slice()));
    assert!(matches!(Bundles::open(&directory.path().join("nowhere")), Err(BundlesError::Unreadable { .. })));
    assert!(matches!(Bundles::open(Path::new("/dev/null")), Err(BundlesError::NoFile { .. })));
}

#[test]
fn hostile_names_are_shown_harmless() {
    let directory = directory(&[("\u{1b}[31m.json", "{")]);
    let bundles = Bundles::open(directory.path()).unwrap();
    assert!(problems(&bundles)[0].starts_with("\\u{1b}[31m.json: "), "{:?}", bundles.problems());
}

#[test]
fn real_bundles_are_found() {
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts/bundle-oci-layout/blobs/sha256");
    let lines: Vec<String> = fs::read_dir(layout)
        .unwrap()
        .filter_map(|blob| fs::read_to_string(blob.unwrap().path()).ok())
        .filter(|text| text.contains("\"verificationMaterial\""))
        .collect();
    let directory = directory(&[("all.jsonl", &lines.join("\n"))]);
    let bundles = Bundles::open(directory.path()).unwrap();
    let image = "sha256:5e7d88f144effb2967e0f3882bd0b962961f9aad6c058bfbba8acbd1ca2345f1".parse().unwrap();
    assert_eq!((found(&bundles, &image).len(), bundles.len(), bundles.problems()), (3, 3, [].as_slice()));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), cut in 0_usize..400) {
        let directory = tempfile::tempdir().unwrap();
        let whole = bundle(&[&digest("one")]);
        fs::write(directory.path().join("one.jsonl"), &bytes).unwrap();
        fs::write(directory.path().join("two.json"), &whole[..cut.min(whole.len())]).unwrap();
        let bundles = Bundles::open(directory.path()).unwrap();
        let _ = referrers(&bundles, &digest("one"));
    }
}
