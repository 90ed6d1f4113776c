//! Referrers: pages, loops, floods, and registries without the API.

use super::*;

fn target(tail: &str) -> String {
    format!("/v2/app/{tail}")
}

async fn referrers(registry: &Registry, server: &ScriptedRegistry, image: &Digest) -> Outcome {
    let asks = [Ask::Manifest(image.clone()), Ask::Referrers(image.clone())];
    ask_all(registry, &repository(server, "app"), &asks).await.remove(1).answer.outcome
}

fn digests(outcome: &Outcome) -> Vec<Digest> {
    match outcome {
        Outcome::Found(found) => found.iter().map(|descriptor| descriptor.digest.clone()).collect(),
        other => panic!("not found: {other:?}"),
    }
}

#[tokio::test]
async fn all_pages_are_read_and_duplicates_left_out() {
    let image = digest(IMAGE);
    let server = ScriptedRegistry::start(move |asked| {
        let page = |number: u32| target(&format!("referrers/{}?page={number}", digest(IMAGE)));
        let link = |number| format!("<{}>; rel=\"next\"", page(number));
        match asked.target.as_str() {
            path if path == target(&format!("referrers/{}", digest(IMAGE))) => index([nth(1), nth(2)]).header("link", &link(2)).into(),
            path if path == page(2) => index([nth(2), nth(3)]).header("link", &link(3)).into(),
            path if path == page(3) => index([nth(4)]).into(),
            _ => unsigned(asked).into(),
        }
    })
    .await;
    let outcome = referrers(&registry(), &server, &image).await;
    assert_eq!(digests(&outcome), [1, 2, 3, 4].map(nth));
    assert!(matches!(&outcome, Outcome::Found(found) if found[0].artifact_type.as_deref() == Some("a/b")));
}

#[tokio::test]
async fn a_link_that_loops_or_leads_away_is_broken() {
    for (link, says) in [
        ("</v2/app/referrers/sha256:DIGEST>; rel=next", "lead back"),
        ("<http://127.0.0.1:1/v2/app/referrers/x>; rel=next", "another host"),
        ("<//example.com/>; rel=next", "another host"),
        ("<http://[>; rel=next", "no usable address"),
    ] {
        let link = link.replace("DIGEST", &digest(IMAGE).hex());
        let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
            true => index([nth(1)]).header("link", &link).into(),
            false => unsigned(asked).into(),
        })
        .await;
        let outcome = referrers(&registry(), &server, &digest(IMAGE)).await;
        assert_eq!(cause(&outcome), Some(Cause::InvalidResponse));
        assert!(detail(&outcome).contains(says), "{outcome:?}");
    }
}

#[tokio::test]
async fn pages_without_end_are_cut_off() {
    let counter = AtomicUsize::new(0);
    let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
        true => {
            let number = counter.fetch_add(1, SeqCst);
            index([nth(u32::try_from(number).unwrap())]).header("link", &format!("<?page={number}>; rel=next")).into()
        }
        false => unsigned(asked).into(),
    })
    .await;
    let outcome = referrers(&registry(), &server, &digest(IMAGE)).await;
    assert_eq!(cause(&outcome), Some(Cause::TooLarge), "{outcome:?}");
}

#[tokio::test]
async fn ten_thousand_are_read_and_a_hundred_thousand_are_too_many() {
    for (count, expected) in [(10_000_u32, None), (100_000, Some(Cause::TooLarge))] {
        let body = index_body((0..count).map(nth));
        let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
            true => Reply::new(200).body(OCI_INDEX, body.clone()).into(),
            false => unsigned(asked).into(),
        })
        .await;
        let outcome = referrers(&registry(), &server, &digest(IMAGE)).await;
        assert_eq!(cause(&outcome), expected);
        if expected.is_none() {
            assert_eq!(digests(&outcome).len(), 10_000);
        }
    }
}

/// Without the API: the fallback tag lists one.
fn fallback(asked: &Asked, api: &Reply) -> Reply {
    let list = index_body([nth(9)]);
    let found = |target: &str| asked.target.ends_with(target);
    if asked.target.contains("/referrers/") {
        api.clone()
    } else if found(&Ask::fallback_tag(&digest(IMAGE))) || found(&digest(list.as_bytes()).to_string()) {
        Reply::new(200).header("docker-content-digest", &digest(list.as_bytes()).to_string()).body(OCI_INDEX, list)
    } else {
        unsigned(asked)
    }
}

#[tokio::test]
async fn without_the_api_the_fallback_tag_counts() {
    for api in [no_such_path(), unknown(), Reply::new(400), Reply::new(405), Reply::new(406), Reply::new(200).body("text/html", "<html>")] {
        let server = ScriptedRegistry::start(move |asked| fallback(asked, &api).into()).await;
        assert_eq!(digests(&referrers(&registry(), &server, &digest(IMAGE)).await), [nth(9)]);
    }
}

#[tokio::test]
async fn a_fallback_tag_from_before_the_api_is_not_forgotten() {
    let server = ScriptedRegistry::start(|asked| fallback(asked, &index([nth(1)])).into()).await;
    assert_eq!(digests(&referrers(&registry(), &server, &digest(IMAGE)).await), [nth(1), nth(9)]);
}

#[tokio::test]
async fn errors_are_not_no_referrers() {
    for (status, expected) in [
        (401, Cause::Unauthorized),
        (403, Cause::Forbidden),
        (429, Cause::RateLimited),
        (500, Cause::ServerError),
        (503, Cause::ServerError),
    ] {
        let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
            true => Reply::new(status).into(),
            false => unsigned(asked).into(),
        })
        .await;
        assert_eq!(cause(&referrers(&registry(), &server, &digest(IMAGE)).await), Some(expected), "{status}");
    }
    // The fallback tag likewise, also beside a working API.
    let server = ScriptedRegistry::start(|asked| match asked.target.ends_with(&Ask::fallback_tag(&digest(IMAGE))) {
        true => Reply::new(403).into(),
        false => unsigned(asked).into(),
    })
    .await;
    assert_eq!(cause(&referrers(&registry(), &server, &digest(IMAGE)).await), Some(Cause::Forbidden));
}

#[tokio::test]
async fn a_listed_index_that_cannot_be_read_is_broken() {
    for body in ["{", "[]", r#"{"manifests":[{"digest":"sha256:short"}]}"#, r#"{"manifests":7}"#, "{}", r#"{"errors":[]}"#] {
        let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
            true => Reply::new(200).body(OCI_INDEX, body).into(),
            false => unsigned(asked).into(),
        })
        .await;
        assert_eq!(cause(&referrers(&registry(), &server, &digest(IMAGE)).await), Some(Cause::InvalidResponse), "{body}");
    }
}

/// JSON that lists something is an index, whatever it is called; JSON that cannot be read is nothing that can be said.
#[tokio::test]
async fn a_list_by_another_name_that_cannot_be_read_is_broken() {
    const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
    let bodies: [&'static [u8]; 4] = [br#"{"manifests":[{"digest":"blake3:00"}]}"#, br#"{"manifests":7}"#, b"{", GZIP];
    for body in bodies {
        for media_type in ["application/json", "application/vnd.docker.distribution.manifest.list.v2+json"] {
            let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
                true => Reply::new(200).body(media_type, body).into(),
                false => unsigned(asked).into(),
            })
            .await;
            let outcome = referrers(&registry(), &server, &digest(IMAGE)).await;
            assert_eq!(cause(&outcome), Some(Cause::InvalidResponse), "{}", String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn a_next_page_that_cannot_be_read_is_not_the_end() {
    for link in ["</v2/app/referrers/next; rel=\"next\"", "</v2/app/r\u{e9}f\u{e9}rrers>; rel=\"next\""] {
        let server = ScriptedRegistry::start(move |asked| match asked.target.contains("/referrers/") {
            true => index([nth(1)]).header("link", link).into(),
            false => unsigned(asked).into(),
        })
        .await;
        assert_eq!(cause(&referrers(&registry(), &server, &digest(IMAGE)).await), Some(Cause::InvalidResponse), "{link}");
    }
}

/// That there is no API is learnt for the repository from an answer about a digest that is there, and for no other.
#[tokio::test]
async fn a_missing_api_is_remembered_for_the_repository_alone() {
    let other = br#"{"config":{}}"#;
    let server = ScriptedRegistry::start(move |asked| {
        if asked.target.ends_with(&digest(other).to_string()) && asked.target.contains("/manifests/") {
            manifest(other).into()
        } else {
            fallback(asked, &no_such_path()).into()
        }
    })
    .await;
    let registry = registry();
    let api_requests = || server.asked().iter().filter(|asked| asked.target.contains("/referrers/")).count();
    // Asked for a digest that is not there: says nothing.
    assert_eq!(referrers(&registry, &server, &nth(5)).await, Outcome::Absent);
    assert_eq!(referrers(&registry, &server, &digest(IMAGE)).await, Outcome::Found(found(9)));
    assert_eq!(api_requests(), 2);
    assert_eq!(referrers(&registry, &server, &digest(other)).await, Outcome::Absent);
    assert_eq!(api_requests(), 2);
    let elsewhere = repository(&server, "elsewhere");
    let before = server.asked().len();
    let asks = questions(&digest(IMAGE));
    assert!(matches!(&ask_all(&registry, &elsewhere, &asks).await[1].answer.outcome, Outcome::Found(_)));
    assert_eq!(api_requests(), 3);
    // Manifest, API, the fallback tag at once by GET, signature tag: with the piece itself (manifest and blob) six.
    assert_eq!(server.asked().len() - before, 4);
}

/// A registry that answers 404 for a digest to which nothing refers has the API all the same.
#[tokio::test]
async fn not_found_for_one_digest_is_not_no_api() {
    let signed = br#"{"config":{},"layers":[]}"#;
    for nothing in [unknown(), Reply::new(404), Reply::new(400)] {
        let server = ScriptedRegistry::start(move |asked| {
            let about = |digest: Digest| asked.target.ends_with(&digest.to_string());
            match asked.target.contains("/referrers/") {
                true if about(digest(signed)) => index([nth(1)]).into(),
                true => nothing.clone().into(),
                false if about(digest(signed)) => manifest(signed).into(),
                false => unsigned(asked).into(),
            }
        })
        .await;
        let registry = registry();
        assert_eq!(referrers(&registry, &server, &digest(IMAGE)).await, Outcome::Absent);
        assert_eq!(referrers(&registry, &server, &digest(signed)).await, Outcome::Found(found(1)));
        assert_eq!(referrers(&registry, &server, &digest(IMAGE)).await, Outcome::Absent);
        assert_eq!(digests(&referrers(&registry, &server, &digest(signed)).await), [nth(1)]);
    }
}

fn found(number: u32) -> Vec<seaworthy::model::Descriptor> {
    vec![seaworthy::model::Descriptor {
        media_type: OCI_MANIFEST.into(),
        digest: nth(number),
        size: 7,
        artifact_type: Some("a/b".into()),
        annotations: std::collections::BTreeMap::new(),
    }]
}
