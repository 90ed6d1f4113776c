//! The client for registries against a registry that does what it is told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use seaworthy::model::{
    Ask, Cause, CosignTag, CredentialIdentity, CredentialKind, Digest, OCI_INDEX, OCI_MANIFEST, Outcome, PullSecret, Repository, Secret,
    SecretName, UnknownAnswer,
};
use seaworthy::registry::{Answered, Manners, Registry, RegistryOptions, RequestKind, Timeouts, api_hosts};

use crate::scripted_registry::{Act, Asked, Reply, ScriptedRegistry};

mod credentials;
mod github;
mod kept;
mod manners;
mod matrix;
mod referrers;
mod tls;

const IMAGE: &[u8] = br#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":1},"layers":[]}"#;

fn digest(bytes: &[u8]) -> Digest {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    Digest::from_sha256(hash.as_ref().try_into().unwrap())
}

fn manifest(body: &[u8]) -> Reply {
    Reply::new(200).header("docker-content-digest", &digest(body).to_string()).body(OCI_MANIFEST, body)
}

/// 404 as a registry writes it.
fn unknown() -> Reply {
    Reply::new(404).body("application/json", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
}

/// 404 of a server that knows no such path.
fn no_such_path() -> Reply {
    Reply::new(404).body("text/plain; charset=utf-8", "404 page not found\n")
}

/// An index that lists the given digests.
fn index(digests: impl IntoIterator<Item = Digest>) -> Reply {
    Reply::new(200).body(OCI_INDEX, index_body(digests))
}

fn index_body(digests: impl IntoIterator<Item = Digest>) -> String {
    let list: Vec<_> = digests
        .into_iter()
        .map(|digest| format!(r#"{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":7,"artifactType":"a/b"}}"#))
        .collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{}]}}"#, list.join(","))
}

fn nth(number: u32) -> Digest {
    digest(&number.to_be_bytes())
}

/// An image at every repository, to which nothing refers.
fn unsigned(asked: &Asked) -> Reply {
    if asked.target.ends_with(&digest(IMAGE).to_string()) && asked.target.contains("/manifests/") {
        manifest(IMAGE)
    } else if asked.target.contains("/referrers/") {
        index([])
    } else {
        unknown()
    }
}

/// Options under which loopback may be asked, and everything ends soon.
fn options() -> RegistryOptions {
    RegistryOptions {
        timeouts: Timeouts {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_millis(400),
            idle: Duration::from_millis(400),
            request: Duration::from_secs(2),
            ask: Duration::from_secs(5),
            credential: Duration::from_secs(2),
        },
        manners: Manners { first_backoff: Duration::from_millis(20), longest_wait: Duration::from_secs(2), ..Manners::default() },
        plain_http: vec!["127.0.0.1".parse().unwrap()],
        allow_hosts: vec!["127.0.0.1".parse().unwrap()],
        ..RegistryOptions::default()
    }
}

fn registry() -> Registry {
    Registry::new(options(), Vec::new()).unwrap()
}

fn repository(server: &ScriptedRegistry, path: &str) -> Repository {
    Repository::new(&server.host(), path).unwrap()
}

async fn ask_all(registry: &Registry, repository: &Repository, asks: &[Ask]) -> Vec<Answered> {
    registry.answer(repository, &CredentialIdentity::default(), asks, None).await
}

async fn ask(registry: &Registry, server: &ScriptedRegistry, ask: Ask) -> Outcome {
    ask_all(registry, &repository(server, "app"), &[ask]).await.remove(0).answer.outcome
}

fn cause(outcome: &Outcome) -> Option<Cause> {
    match outcome {
        Outcome::Unknown(unknown) => Some(unknown.cause),
        Outcome::Found(_) | Outcome::Absent => None,
    }
}

fn detail(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Unknown(UnknownAnswer { detail, .. }) => detail,
        other => panic!("known: {other:?}"),
    }
}

fn questions(digest: &Digest) -> [Ask; 3] {
    [Ask::Manifest(digest.clone()), Ask::Referrers(digest.clone()), Ask::Tag(CosignTag::Signature.beside(digest).into())]
}

#[tokio::test]
async fn an_unsigned_image_costs_four_requests_and_no_pull() {
    let server = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let registry = registry();
    let image = digest(IMAGE);
    let answers = ask_all(&registry, &repository(&server, "app"), &questions(&image)).await;
    assert!(matches!(&answers[0].answer.outcome, Outcome::Found(found) if found[0].digest == image && found[0].media_type == OCI_MANIFEST));
    assert_eq!((&answers[1].answer.outcome, &answers[2].answer.outcome), (&Outcome::Absent, &Outcome::Absent));
    let hex = image.hex();
    assert_eq!(
        server.lines(),
        [
            format!("GET /v2/app/referrers/sha256:{hex}"),
            format!("HEAD /v2/app/manifests/sha256-{hex}"),
            format!("HEAD /v2/app/manifests/sha256-{hex}.sig"),
            format!("HEAD /v2/app/manifests/sha256:{hex}"),
        ]
    );
    let statistics = &registry.statistics().hosts[&server.host()];
    assert_eq!((statistics.total(), statistics.requests[&RequestKind::ManifestHead], statistics.retries), (4, 3, 0));
    assert!(
        server.asked().iter().all(|asked| asked.header("accept-encoding") == Some("identity") && asked.header("authorization").is_none())
    );
}

#[tokio::test]
async fn bytes_are_checked_against_their_digest() {
    let server = ScriptedRegistry::start(|asked| {
        let lie = asked.target.contains("blobs") || asked.method == "GET";
        if lie { Reply::new(200).body(OCI_MANIFEST, "{}").into() } else { manifest(IMAGE).into() }
    })
    .await;
    let registry = registry();
    for asked in [Ask::Content(nth(1)), Ask::Blob(nth(1)), Ask::Manifest(nth(1))] {
        assert_eq!(cause(&ask(&registry, &server, asked.clone()).await), Some(Cause::InvalidResponse), "{asked:?}");
    }
}

#[tokio::test]
async fn content_and_blobs_come_with_their_bytes() {
    let server = ScriptedRegistry::start(|asked| match asked.target.contains("/blobs/") {
        true => Reply::new(200).body("application/json", "blob").into(),
        false => manifest(IMAGE).into(),
    })
    .await;
    let registry = registry();
    let answers = ask_all(&registry, &repository(&server, "app"), &[Ask::Content(digest(IMAGE)), Ask::Blob(digest(b"blob"))]).await;
    assert_eq!(answers[0].body.as_deref(), Some(IMAGE));
    assert_eq!(answers[1].body.as_deref(), Some(b"blob".as_slice()));
    assert!(
        matches!(&answers[0].answer.outcome, Outcome::Found(found) if found[0].media_type == OCI_MANIFEST && found[0].size == IMAGE.len() as u64)
    );
}

#[tokio::test]
async fn head_that_says_too_little_is_followed_by_get() {
    for head in [Reply::new(200), Reply::new(405), Reply::new(501), manifest(IMAGE).header("content-type", "text/plain")] {
        let server = ScriptedRegistry::start(move |asked| match asked.method.as_str() {
            "HEAD" => Act::Answer(Reply { headers: head.headers.iter().rev().cloned().collect(), ..head.clone() }),
            _ => Reply::new(200).body("application/json", IMAGE).into(),
        })
        .await;
        let registry = registry();
        for asked in [Ask::Manifest(digest(IMAGE)), Ask::Tag("v1".into())] {
            let outcome = ask(&registry, &server, asked).await;
            assert!(
                matches!(&outcome, Outcome::Found(found) if found[0].digest == digest(IMAGE) && found[0].media_type == OCI_MANIFEST),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_too_large_is_cut_off() {
    let server = ScriptedRegistry::start(|asked| match asked.target.as_str() {
        _ if asked.method == "HEAD" => Reply::new(405).into(),
        target if target.contains("blobs") => Act::Endless,
        _ => Reply { length: Some(1 << 30), ..manifest(IMAGE) }.into(),
    })
    .await;
    let registry = registry();
    for asked in [Ask::Manifest(digest(IMAGE)), Ask::Tag("v1".into()), Ask::Content(digest(IMAGE)), Ask::Blob(nth(1))] {
        let outcome = ask(&registry, &server, asked.clone()).await;
        assert_eq!(cause(&outcome), Some(Cause::TooLarge), "{asked:?} {outcome:?}");
    }
}

#[tokio::test]
async fn failures_have_their_causes() {
    for (status, expected) in [
        (401, Cause::Unauthorized),
        (403, Cause::Forbidden),
        (500, Cause::ServerError),
        (501, Cause::ServerError),
        (418, Cause::InvalidResponse),
        (302, Cause::RedirectRefused),
    ] {
        let server = ScriptedRegistry::start(move |_| Reply::new(status).into()).await;
        let outcome = ask(&registry(), &server, Ask::Content(nth(1))).await;
        assert_eq!(cause(&outcome), Some(expected), "{status}: {outcome:?}");
    }
    for (act, expected) in [
        ((|| Act::Close) as fn() -> Act, Cause::Connection),
        (|| Act::Raw(b"SSH-2.0-OpenSSH_9.9\r\n"), Cause::InvalidResponse),
        (|| Act::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"), Cause::Connection),
    ] {
        let server = ScriptedRegistry::start(move |_| act()).await;
        let outcome = ask(&registry(), &server, Ask::Content(nth(1))).await;
        assert_eq!(cause(&outcome), Some(expected), "{outcome:?}");
    }
}

#[tokio::test]
async fn hosts_that_cannot_be_reached_have_their_causes() {
    let refused = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let plain = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        });
        address
    };
    let server = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let mut options = options();
    options.timeouts.first_byte = Duration::from_secs(5);
    options.plain_http = vec![refused.parse().unwrap()];
    let registry = Registry::new(options, Vec::new()).unwrap();
    for (host, expected, says) in [
        (refused.as_str(), Cause::Connection, "cannot connect"),
        ("no-such-host.invalid", Cause::Dns, "does not resolve"),
        // Asked by TLS; one closes the connection, one answers in plain HTTP.
        (server.host().as_str(), Cause::Tls, "--plain-http"),
        (plain.as_str(), Cause::Tls, "--plain-http"),
        ("169.254.169.254", Cause::HostRefused, "--allow-host 169.254.169.254:443"),
        ("registry.shop.svc:5000", Cause::HostRefused, "--allow-host registry.shop.svc:5000"),
    ] {
        let repository = Repository::new(host, "app").unwrap();
        let outcome = ask_all(&registry, &repository, &[Ask::Manifest(nth(1))]).await.remove(0).answer.outcome;
        assert_eq!(cause(&outcome), Some(expected), "{outcome:?}");
        assert!(detail(&outcome).contains(says), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_refused_when_connecting() {
    let server = ScriptedRegistry::start(|asked| unsigned(asked).into()).await;
    let port = server.address.port();
    let Ok(mut found) = tokio::net::lookup_host(("ip6-localhost", port)).await else { return };
    assert!(found.all(|address| address.ip().is_loopback()));
    let mut options = options();
    options.plain_http.push("ip6-localhost".parse().unwrap());
    let registry = Registry::new(options, Vec::new()).unwrap();
    let repository = Repository::new(&format!("ip6-localhost:{port}"), "app").unwrap();
    let outcome = ask_all(&registry, &repository, &[Ask::Manifest(nth(1))]).await.remove(0).answer.outcome;
    assert_eq!(cause(&outcome), Some(Cause::HostRefused), "{outcome:?}");
    assert!(server.asked().is_empty());
}

#[test]
fn the_hosts_of_a_dry_run() {
    let repositories: Vec<Repository> =
        ["nginx", "acme/app", "ghcr.io/acme/app", "127.0.0.1:5000/app"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(api_hosts(&repositories), BTreeSet::from(["registry-1.docker.io", "ghcr.io", "127.0.0.1:5000"].map(String::from)));
}
