//! Credentials: which are tried, in which order, and whose answers count.

use super::*;

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn secret(own: &str, host: &str, user: &str, password: &str) -> PullSecret {
    let config = serde_json::json!({ "auths": { host: { "username": user, "password": password } } });
    PullSecret { name: name(own), config: Ok(Secret::new(config.to_string())) }
}

/// A client whose workload has one pull secret for the host.
pub(super) fn with_secret(server: &ScriptedRegistry, user: &str, password: &str) -> (Registry, CredentialIdentity) {
    let registry = Registry::new(options(), vec![secret("shop/pull", &server.host(), user, password)]).unwrap();
    let identity = registry.identity(&[name("shop/pull")], &repository(server, "app"));
    assert_eq!(identity.0.len(), 1);
    (registry, identity)
}

/// `Basic` of "user:user".
fn basic(user: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{user}")))
}

#[tokio::test]
async fn basic_is_presented_when_asked_for_and_from_then_on_at_once() {
    let server = ScriptedRegistry::start(|asked| match asked.header("authorization") {
        Some(value) if value == basic("alice") => unsigned(asked).into(),
        _ => Reply::new(401).header("www-authenticate", "Basic realm=\"x\"").into(),
    })
    .await;
    let (registry, identity) = with_secret(&server, "alice", "alice");
    let answers = registry.answer(&repository(&server, "app"), &identity, &questions(&digest(IMAGE)), None).await;
    assert!(matches!(answers[0].answer.outcome, Outcome::Found(_)));
    assert_eq!((&answers[1].answer.outcome, &answers[2].answer.outcome), (&Outcome::Absent, &Outcome::Absent));
    assert!(answers.iter().all(|answered| answered.answer.credential == CredentialKind::PullSecret));
    let refused = server.asked().iter().filter(|asked| asked.header("authorization").is_none()).count();
    assert_eq!((refused, server.asked().len()), (1, 5));

    let (registry, identity) = with_secret(&server, "alice", "wrong-s3cret");
    let outcome =
        registry.answer(&repository(&server, "app"), &identity, &[Ask::Manifest(digest(IMAGE))], None).await.remove(0).answer.outcome;
    assert_eq!(cause(&outcome), Some(Cause::Unauthorized));
    assert!(detail(&outcome).ends_with("; tried: pull secret shop/pull, anonymous") && !detail(&outcome).contains("s3cret"), "{outcome:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_fetched_once_for_all_questions() {
    let tokens = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&tokens);
    let server = ScriptedRegistry::start(move |asked| {
        if asked.target.starts_with("/token") {
            counter.fetch_add(1, SeqCst);
            return Reply::new(200).body("application/json", r#"{"token":"t"}"#).into();
        }
        let challenge = format!(r#"Bearer realm="http://{}/token""#, asked.header("host").unwrap());
        Reply::new(401).header("www-authenticate", &challenge).into()
    })
    .await;
    let answers = ask_all(&registry(), &repository(&server, "app"), &questions(&digest(IMAGE))).await;
    assert!(answers.iter().all(|answered| cause(&answered.answer.outcome) == Some(Cause::Unauthorized)));
    assert_eq!(tokens.load(SeqCst), 1);
}

/// A registry with a token service. The token names the scope; the service wants the user of the given name.
fn bearer(asked: &Asked, host: &str, user: &str, service_path: &str) -> Reply {
    if asked.target.starts_with(service_path) {
        let allowed = asked.header("authorization") == Some(&basic(user)) || asked.body.contains("refresh_token=refresh-me");
        let query = format!("{}&{}", asked.target, asked.body);
        let scope = query.split('&').filter_map(|pair| pair.strip_prefix("scope=")).next_back().unwrap_or("none").to_owned();
        return if allowed {
            Reply::new(200).body("application/json", format!(r#"{{"access_token":"for-{scope}","expires_in":300}}"#))
        } else {
            Reply::new(401)
        };
    }
    let path = asked.target.split('/').nth(2).unwrap();
    match asked.header("authorization") {
        Some(value) if value == format!("Bearer for-repository%3A{path}%3Apull") => unsigned(asked),
        _ => {
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="scripted",scope="repository:{path}:pull""#);
            Reply::new(401).header("www-authenticate", &challenge)
        }
    }
}

async fn bearer_server(user: &'static str) -> ScriptedRegistry {
    ScriptedRegistry::start(move |asked| {
        let host = asked.header("host").unwrap().to_owned();
        bearer(asked, &host, user, "/token").into()
    })
    .await
}

#[tokio::test]
async fn a_token_is_fetched_once_for_each_repository() {
    let server = bearer_server("alice").await;
    let (registry, identity) = with_secret(&server, "alice", "alice");
    for path in ["app", "other"] {
        let before = server.asked().len();
        let answers = registry.answer(&repository(&server, path), &identity, &questions(&digest(IMAGE)), None).await;
        assert!(matches!(answers[0].answer.outcome, Outcome::Found(_)), "{:?}", answers[0].answer);
        assert_eq!(answers[2].answer.outcome, Outcome::Absent);
        let asked = &server.asked()[before..];
        let tokens: Vec<_> = asked.iter().filter(|asked| asked.target.starts_with("/token")).map(|asked| asked.target.clone()).collect();
        assert_eq!(tokens, [format!("/token?service=scripted&scope=repository%3A{path}%3Apull")]);
        // The first repository learns how the host wants to be asked; the second knows.
        let refused = asked.iter().filter(|asked| asked.header("authorization").is_none()).count();
        assert_eq!(refused, usize::from(path == "app"));
    }
}

#[tokio::test]
async fn an_identity_token_is_posted() {
    let server = bearer_server("nobody-at-all").await;
    let config = serde_json::json!({ "auths": { server.host(): { "identitytoken": "refresh-me" } } });
    let secret = PullSecret { name: name("shop/pull"), config: Ok(Secret::new(config.to_string())) };
    let registry = Registry::new(options(), vec![secret]).unwrap();
    let identity = registry.identity(&[name("shop/pull")], &repository(&server, "app"));
    let answers = registry.answer(&repository(&server, "app"), &identity, &[Ask::Manifest(digest(IMAGE))], None).await;
    assert!(matches!(answers[0].answer.outcome, Outcome::Found(_)), "{:?}", answers[0].answer);
    let post = server.asked().into_iter().find(|asked| asked.method == "POST").unwrap();
    assert_eq!(
        post.body,
        "grant_type=refresh_token&service=scripted&client_id=seaworthy&scope=repository%3Aapp%3Apull&refresh_token=refresh-me"
    );
}

#[tokio::test]
async fn a_token_that_ended_early_is_renewed_once() {
    let tokens = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&tokens);
    let revoked = std::sync::Arc::new(AtomicUsize::new(0));
    let limit = std::sync::Arc::clone(&revoked);
    let server = ScriptedRegistry::start(move |asked| {
        if asked.target.starts_with("/token") {
            let number = counter.fetch_add(1, SeqCst) + 1;
            return Reply::new(200).body("application/json", format!(r#"{{"token":"t{number}"}}"#)).into();
        }
        let number = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer t")?.parse::<usize>().ok()).unwrap_or(0);
        if number > limit.load(SeqCst) {
            return unsigned(asked).into();
        }
        let challenge = format!(r#"Bearer realm="http://{}/token""#, asked.header("host").unwrap());
        Reply::new(401).header("www-authenticate", &challenge).into()
    })
    .await;
    let registry = registry();
    assert!(matches!(ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
    revoked.store(1, SeqCst);
    assert!(matches!(ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await, Outcome::Found(_)));
    assert_eq!(tokens.load(SeqCst), 2);
    revoked.store(100, SeqCst);
    assert_eq!(cause(&ask(&registry, &server, Ask::Manifest(digest(IMAGE))).await), Some(Cause::Unauthorized));
    assert_eq!(tokens.load(SeqCst), 3);
}

#[tokio::test]
async fn a_token_service_inside_or_in_plain_text_gets_no_password() {
    for realm in ["http://registry.example/token", "https://169.254.169.254/token", "https://token.auth.svc/token", "not an address"] {
        let server =
            ScriptedRegistry::start(move |_| Reply::new(401).header("www-authenticate", &format!("Bearer realm=\"{realm}\"")).into()).await;
        let (registry, identity) = with_secret(&server, "alice", "alice");
        let outcome =
            registry.answer(&repository(&server, "app"), &identity, &[Ask::Manifest(nth(1))], None).await.remove(0).answer.outcome;
        let expected = if realm.starts_with("not") { Cause::InvalidResponse } else { Cause::HostRefused };
        assert_eq!(cause(&outcome), Some(expected), "{outcome:?}");
    }
}

/// The registry says 404 to everyone but the owner of the second secret, and never asks who one is but at its base.
#[tokio::test]
async fn what_hides_behind_404_is_found_with_the_second_secret() {
    let server = ScriptedRegistry::start(|asked| match asked.header("authorization") {
        _ if asked.target == "/v2/" => Reply::new(401).header("www-authenticate", "Basic realm=x").into(),
        Some(value) if value == basic("bob") => {
            let signature = asked.target.ends_with(".sig");
            if signature { manifest(IMAGE).into() } else { unsigned(asked).into() }
        }
        _ => unknown().into(),
    })
    .await;
    let host = server.host();
    let secrets = vec![secret("shop/first", &host, "alice", "alice"), secret("shop/second", &host, "bob", "bob")];
    let registry = Registry::new(options(), secrets).unwrap();
    let repository = repository(&server, "app");
    let identity = registry.identity(&[name("shop/first"), name("shop/second")], &repository);
    let answers = registry.answer(&repository, &identity, &questions(&digest(IMAGE)), None).await;
    assert!(answers.iter().all(|answered| answered.answer.credential == CredentialKind::PullSecret), "{answers:?}");
    // The signature is seen too: nothing that the first secret did not see counts as absent.
    assert!(
        matches!(answers[0].answer.outcome, Outcome::Found(_)) && matches!(answers[2].answer.outcome, Outcome::Found(_)),
        "{answers:?}"
    );
    assert_eq!(answers[1].answer.outcome, Outcome::Absent);

    // From now on the second one is used at once.
    let before = server.asked().len();
    registry.answer(&repository, &identity, &questions(&digest(IMAGE)), None).await;
    assert!(server.asked()[before..].iter().all(|asked| asked.header("authorization") == Some(&basic("bob"))));

    // Another identity does not profit.
    let alone = registry.answer(&repository, &CredentialIdentity::default(), &questions(&digest(IMAGE)), None).await;
    assert_eq!(alone[0].answer.outcome, Outcome::Absent);
    assert_eq!(cause(&alone[2].answer.outcome), Some(Cause::ImageNotFound));
}

#[tokio::test]
async fn an_absence_is_asked_again_with_the_credential_that_saw_the_manifest() {
    // Referrers and tags are open to everyone and look empty; the manifest and the truth are for bob.
    let server = ScriptedRegistry::start(|asked| {
        let bob = asked.header("authorization") == Some(&basic("bob"));
        let secret = asked.target.contains("/manifests/sha256:");
        match (bob, secret) {
            (true, _) if asked.target.contains("/referrers/") => index([nth(1)]).into(),
            (true, _) => unsigned(asked).into(),
            (false, true) => Reply::new(401).header("www-authenticate", "Basic realm=x").into(),
            (false, false) => unsigned(asked).into(),
        }
    })
    .await;
    let host = server.host();
    let secrets = vec![secret("shop/first", &host, "alice", "alice"), secret("shop/second", &host, "bob", "bob")];
    let registry = Registry::new(options(), secrets).unwrap();
    let repository = repository(&server, "app");
    let identity = registry.identity(&[name("shop/first"), name("shop/second")], &repository);
    let answers = registry.answer(&repository, &identity, &questions(&digest(IMAGE)), None).await;
    assert!(matches!(answers[1].answer.outcome, Outcome::Found(_)), "{answers:?}");
}

#[tokio::test]
async fn a_secret_that_could_not_be_read_is_told_with_the_refusal() {
    for status in [401, 403, 404] {
        let server = ScriptedRegistry::start(move |_| Reply::new(status).into()).await;
        let unreadable = PullSecret { name: name("shop/pull"), config: Err((Cause::Forbidden, "secrets \"pull\" is forbidden".into())) };
        let registry = Registry::new(options(), vec![unreadable]).unwrap();
        let repository = repository(&server, "app");
        let identity = registry.identity(&[name("shop/pull")], &repository);
        let outcome = registry.answer(&repository, &identity, &[Ask::Manifest(nth(1))], None).await.remove(0).answer.outcome;
        let expected = match status {
            401 => Cause::Unauthorized,
            403 => Cause::Forbidden,
            _ => Cause::ImageNotFound,
        };
        assert_eq!(cause(&outcome), Some(expected));
        assert!(detail(&outcome).contains("could not be read (forbidden)"), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_extra_place_is_read_with_the_credential_that_may_list_it() {
    let server = ScriptedRegistry::start(|asked| match asked.header("authorization") {
        Some(value) if value == basic("alice") => match asked.target.as_str() {
            "/v2/app/tags/list?n=1" => Reply::new(200).body("application/json", r#"{"name":"app","tags":["x"]}"#).into(),
            _ => unsigned(asked).into(),
        },
        _ => Reply::new(401).header("www-authenticate", "Basic realm=x").into(),
    })
    .await;
    let (registry, identity) = with_secret(&server, "alice", "alice");
    let asks = [Ask::Readable, Ask::Tag("v1".into())];
    let answers = registry.answer(&repository(&server, "app"), &identity, &asks, None).await;
    assert_eq!(answers[0].answer.outcome, Outcome::Found(Vec::new()));
    assert_eq!(answers[1].answer.outcome, Outcome::Absent);
    // A page for people is no list of tags.
    let server = ScriptedRegistry::start(|_| Reply::new(200).body("text/html", "<html>").into()).await;
    assert_eq!(cause(&ask(&super::registry(), &server, Ask::Readable).await), Some(Cause::InvalidResponse));
}

#[tokio::test]
async fn the_docker_configuration_comes_after_pull_secrets() {
    let server = ScriptedRegistry::start(|asked| match asked.header("authorization") {
        Some(value) if value == basic("carol") => unsigned(asked).into(),
        _ => Reply::new(401).header("www-authenticate", "Basic realm=x").into(),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let config = serde_json::json!({ "auths": { format!("http://{}/v2/", server.host()): { "username": "carol", "password": "carol" } } });
    std::fs::write(&path, config.to_string()).unwrap();
    let options = RegistryOptions { docker_config: Some(path), ..options() };
    let registry = Registry::new(options, vec![secret("shop/pull", &server.host(), "alice", "alice")]).unwrap();
    let repository = repository(&server, "app");
    let identity = registry.identity(&[name("shop/pull")], &repository);
    let answer = registry.answer(&repository, &identity, &[Ask::Manifest(digest(IMAGE))], None).await.remove(0).answer;
    assert!(matches!(answer.outcome, Outcome::Found(_)), "{answer:?}");
    assert_eq!(answer.credential, CredentialKind::DockerConfig);
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "hunter2").unwrap();
    for options in [
        RegistryOptions { docker_config: Some(path.clone()), ..options() },
        RegistryOptions { docker_config: Some(directory.path().join("none")), ..options() },
        RegistryOptions { ca_files: vec![path.clone()], ..options() },
        RegistryOptions { ca_files: vec![directory.path().join("none")], ..options() },
    ] {
        let error = Registry::new(options, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("cannot use the") && !error.contains("hunter2"), "{error}");
    }
}
