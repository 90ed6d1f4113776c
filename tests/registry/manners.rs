//! Manners: rate limits, retries, time-outs, redirects, proxies.

use super::*;

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let counter = AtomicUsize::new(0);
    let server = ScriptedRegistry::start(move |asked| match counter.fetch_add(1, SeqCst) {
        0 => Reply::new(429).header("retry-after", "1").into(),
        _ => unsigned(asked).into(),
    })
    .await;
    let registry = registry();
    let before = Instant::now();
    assert!(matches!(ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
    assert!(before.elapsed() >= Duration::from_secs(1));
    let statistics = &registry.statistics().hosts[&server.host()];
    assert_eq!((statistics.retries, statistics.rate_limited, statistics.window), (1, 1, 16));
}

/// However many images: a host that refuses for good is soon left alone.
#[tokio::test]
async fn a_rate_limit_without_end_is_given_up() {
    let server = ScriptedRegistry::start(|_| Reply::new(429).into()).await;
    let registry = registry();
    let before = Instant::now();
    for number in 0..100 {
        assert_eq!(cause(&ask(&registry, &server, Ask::Manifest(nth(number))).await), Some(Cause::RateLimited));
    }
    assert_eq!(server.asked().len(), 3 * 4);
    assert!(before.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_not_waited_for() {
    let server = ScriptedRegistry::start(|_| Reply::new(429).header("retry-after", "3600").into()).await;
    let registry = registry();
    for number in 0..3 {
        let outcome = ask(&registry, &server, Ask::Manifest(nth(number))).await;
        assert_eq!(cause(&outcome), Some(Cause::RateLimited), "{outcome:?}");
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn the_last_pulls_are_left_to_the_nodes() {
    let server = ScriptedRegistry::start(|asked| {
        unsigned(asked).header("ratelimit-limit", "100;w=21600").header("ratelimit-remaining", "10;w=21600").into()
    })
    .await;
    let registry = registry();
    assert!(matches!(ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
    let pull = ask(&registry, &server, Ask::Content(digest(IMAGE))).await;
    assert_eq!(cause(&pull), Some(Cause::RateLimited), "{pull:?}");
    assert!(detail(&pull).contains("left to the nodes"), "{pull:?}");
    assert!(matches!(ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
}

#[tokio::test]
async fn unavailable_is_asked_again_and_an_error_is_not() {
    let counter = AtomicUsize::new(0);
    let server = ScriptedRegistry::start(move |asked| match counter.fetch_add(1, SeqCst) {
        0 => Reply::new(503).into(),
        1 => Act::Close,
        2 => Reply::new(502).into(),
        _ => unsigned(asked).into(),
    })
    .await;
    assert!(matches!(ask(&registry(), &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
    let server = ScriptedRegistry::start(|_| Reply::new(500).into()).await;
    assert_eq!(cause(&ask(&registry(), &server, Ask::Manifest(digest(IMAGE))).await), Some(Cause::ServerError));
    assert_eq!(server.asked().len(), 1);
}

/// 1,000 images of a registry that accepts connections and never answers wait for one time-out, not for a thousand.
#[tokio::test]
async fn a_silent_registry_is_bounded() {
    let server = ScriptedRegistry::start(|_| Act::Hang).await;
    let registry = registry();
    let before = Instant::now();
    let repositories: Vec<_> = (0..1_000).map(|number| repository(&server, &format!("app-{number}"))).collect();
    let asks = questions(&nth(1));
    let answers = futures::future::join_all(repositories.iter().map(|repository| ask_all(&registry, repository, &asks))).await;
    assert!(before.elapsed() < Duration::from_secs(4), "{:?}", before.elapsed());
    let outcomes: Vec<_> = answers.iter().flatten().map(|answered| &answered.answer.outcome).collect();
    assert!(outcomes.iter().all(|outcome| cause(outcome) == Some(Cause::Timeout)));
    assert!(outcomes.iter().any(|outcome| detail(outcome).contains("in a row")));
    assert!(server.asked().len() <= 64, "{}", server.asked().len());
}

#[tokio::test]
async fn a_body_that_trickles_is_bounded() {
    let server = ScriptedRegistry::start(|_| Act::Raw(b"")).await;
    assert_eq!(cause(&ask(&registry(), &server, Ask::Content(nth(1))).await), Some(Cause::Connection));
    let server = ScriptedRegistry::start(|_| Act::Later(Duration::from_secs(1), Reply::new(200))).await;
    assert_eq!(cause(&ask(&registry(), &server, Ask::Content(nth(1))).await), Some(Cause::Timeout));
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_credentials() {
    let storage = ScriptedRegistry::start(|_| Reply::new(200).body("application/json", "blob").into()).await;
    let place = format!("http://user:word@{}/bucket/x?X-Signature=secret", storage.host());
    let server = ScriptedRegistry::start(move |asked| match asked.header("authorization") {
        None => Reply::new(401).header("www-authenticate", "Basic realm=x").into(),
        Some(_) => Reply::new(307).header("location", &place).into(),
    })
    .await;
    let (registry, identity) = credentials::with_secret(&server, "alice", "secret");
    let answers = registry.answer(&repository(&server, "app"), &identity, &[Ask::Blob(digest(b"blob"))], None).await;
    assert_eq!(answers[0].body.as_deref(), Some(b"blob".as_slice()));
    assert_eq!(answers[0].answer.credential, CredentialKind::PullSecret);
    let asked = storage.asked();
    assert_eq!(asked[0].target, "/bucket/x?X-Signature=secret");
    assert!(asked.iter().all(|asked| asked.header("authorization").is_none() && asked.header("referer").is_none()));
    // An error from there does not tell the signed address.
    let outcome = registry.answer(&repository(&server, "app"), &identity, &[Ask::Blob(nth(1))], None).await.remove(0).answer.outcome;
    assert_eq!(cause(&outcome), Some(Cause::InvalidResponse));
    assert!(!detail(&outcome).contains("secret") && !detail(&outcome).contains("word"), "{outcome:?}");
}

#[tokio::test]
async fn a_redirect_inside_without_end_or_to_another_scheme_is_refused() {
    for (place, says) in [
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("http://169.254.170.2/credentials", "link-local"),
        ("https://x.default.svc/", "inside the cluster"),
        ("http://registry.example/", "--plain-http"),
        ("file:///etc/passwd", "without an address"),
        ("/v2/again", "too often"),
        ("", "too often"),
    ] {
        let server = ScriptedRegistry::start(move |_| Reply::new(302).header("location", place).into()).await;
        let mut options = options();
        options.plain_http.push("169.254.169.254".parse().unwrap());
        let registry = Registry::new(options, Vec::new()).unwrap();
        for asked in [Ask::Blob(nth(1)), Ask::Manifest(nth(1))] {
            let outcome = ask(&registry, &server, asked).await;
            assert_eq!(cause(&outcome), Some(Cause::RedirectRefused), "{place}: {outcome:?}");
            assert!(detail(&outcome).contains(says) && !detail(&outcome).contains("--allow-host"), "{place}: {outcome:?}");
        }
    }
}

/// The proxy is asked for the whole address; a host inside is refused before it is.
#[tokio::test]
async fn a_proxy_is_used_and_does_not_lift_the_rules() {
    let proxy = ScriptedRegistry::start(|asked| {
        let inner = asked.target.strip_prefix("http://registry.example").unwrap_or("").to_owned();
        unsigned(&Asked { target: inner, ..asked.clone() }).into()
    })
    .await;
    let mut options = options();
    options.proxies.http = Some(format!("http://{}", proxy.host()));
    options.proxies.no = Some("127.0.0.1".to_owned());
    options.allow_hosts.clear();
    options.plain_http = ["registry.example", "169.254.169.254", "x.y.svc"].map(|rule| rule.parse().unwrap()).to_vec();
    let registry = Registry::new(options, Vec::new()).unwrap();
    for (host, expected) in
        [("registry.example", None), ("169.254.169.254", Some(Cause::HostRefused)), ("x.y.svc", Some(Cause::HostRefused))]
    {
        let repository = Repository::new(host, "app").unwrap();
        let outcome = ask_all(&registry, &repository, &[Ask::Manifest(digest(IMAGE))]).await.remove(0).answer.outcome;
        assert_eq!(cause(&outcome), expected, "{outcome:?}");
    }
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn the_clock_of_a_host_is_noted() {
    let server = ScriptedRegistry::start(|asked| unsigned(asked).header("date", "Sun, 06 Nov 1994 08:49:37 GMT").into()).await;
    let registry = registry();
    ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await;
    assert!(registry.statistics().hosts[&server.host()].clock_offset.unwrap() < -31 * 365 * 86_400);
}

/// Bytes as gzip holds them without compressing (RFC 1951, 3.2.4; RFC 1952).
fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    let length = (bytes.len() as u16).to_le_bytes();
    let block = [&[1][..], &length, &length.map(|byte| !byte), bytes].concat();
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff][..], &block, &(!crc).to_le_bytes(), &(bytes.len() as u32).to_le_bytes()].concat()
}

/// A hundred megabytes of zeros in a few kilobytes: one byte, and again and again 258 more of the same (RFC 1951, 3.2.6).
fn bomb() -> Vec<u8> {
    let mut bits = vec![true, true, false];
    let mut code = |value: u16, length: u16| bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    code(0x30, 8);
    for _ in 0..400_000 {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    let deflated = bits.chunks(8).map(|chunk| chunk.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit)));
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff].into_iter().chain(deflated).chain([0; 8]).collect()
}

/// What is sent is what is counted and compared with the digest, whatever it calls itself.
#[tokio::test]
async fn nothing_is_inflated() {
    for body in [gzipped(IMAGE), bomb()] {
        let server = ScriptedRegistry::start(move |asked| {
            if asked.method == "HEAD" {
                return Reply::new(405).into();
            }
            let digest = digest(IMAGE).to_string();
            Reply::new(200)
                .header("docker-content-digest", &digest)
                .header("content-encoding", "gzip")
                .body(OCI_MANIFEST, body.clone())
                .into()
        })
        .await;
        let registry = registry();
        for asked in [Ask::Content(digest(IMAGE)), Ask::Blob(digest(IMAGE))] {
            let outcome = ask(&registry, &server, asked.clone()).await;
            assert_eq!(cause(&outcome), Some(Cause::InvalidResponse), "{asked:?} {outcome:?}");
        }
        assert!(server.asked().iter().all(|asked| asked.header("accept-encoding").is_none_or(|encodings| encodings == "identity")));
    }
}
