//! Docker's credential helpers: `docker-credential-NAME get`.
//!
//! Source: the protocol of docker/docker-credential-helpers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::time::Instant;

use super::Login;
use super::docker_config::basic;
use super::process::run;
use crate::model::escape_control;

const MOST_BYTES: u64 = 256 << 10;
/// How long an answer is used; helpers of clouds give out passwords that are good for an hour or more.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

type Known = Arc<tokio::sync::Mutex<Option<(Instant, Result<Option<Login>, String>)>>>;

/// Helpers, and what they answered lately.
pub(super) struct HelperCache {
    timeout: Duration,
    known: Mutex<HashMap<(String, String), Known>>,
}

impl HelperCache {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, known: Mutex::default() }
    }

    /// The login that a helper has for a server; an error is a text for a person.
    pub(super) async fn get(&self, helper: &str, server: &str) -> Result<Option<Login>, String> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry((helper.to_owned(), server.to_owned())).or_default())
        };
        let mut slot = slot.lock().await;
        if let Some((since, answer)) = &*slot
            && since.elapsed() < FRESH
        {
            return answer.clone();
        }
        let answer = ask(helper, server, self.timeout).await;
        *slot = Some((Instant::now(), answer.clone()));
        answer
    }
}

async fn ask(helper: &str, server: &str, timeout: Duration) -> Result<Option<Login>, String> {
    let told = |reason: String| format!("credential helper {} for {}: {reason}", escape_control(helper), escape_control(server));
    if helper.is_empty() || !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(told("its name is not one".to_owned()));
    }
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get");
    let finished = run(command, server.as_bytes(), timeout, MOST_BYTES).await.map_err(|error| told(error.to_string()))?;
    read(finished.success, &finished.output).map_err(|reason| told(reason.to_owned()))
}

fn read(success: bool, output: &[u8]) -> Result<Option<Login>, &'static str> {
    if !success {
        // The only text of the protocol that is no failure.
        let said = String::from_utf8_lossy(output);
        return if said.contains("credentials not found") { Ok(None) } else { Err("it failed") };
    }
    let answer: Answer = serde_json::from_slice(output).map_err(|_| "its answer is not the JSON of the protocol")?;
    if answer.username.is_empty() && answer.secret.is_empty() {
        return Ok(None);
    }
    Ok(Some(basic(answer.username, answer.secret)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;

    #[test]
    fn the_protocol_is_read() {
        let alice = Login::Basic { username: "alice".into(), password: Secret::new("s") };
        assert_eq!(read(true, br#"{"ServerURL":"a.io","Username":"alice","Secret":"s"}"#), Ok(Some(alice)));
        assert_eq!(read(true, br#"{"Username":"<token>","Secret":"r"}"#), Ok(Some(Login::Identity(Secret::new("r")))));
        assert_eq!(read(true, br#"{"Username":"","Secret":""}"#), Ok(None));
        assert_eq!(read(false, b"credentials not found in native keychain\n"), Ok(None));
        assert!(read(false, b"boom").is_err());
        assert!(read(true, b"boom").is_err());
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_or_not_one_is_told() {
        let cache = HelperCache::new(Duration::from_secs(1));
        let missing = cache.get("seaworthy-test-none", "a.io").await.unwrap_err();
        assert!(missing.starts_with("credential helper seaworthy-test-none for a.io: it cannot be started"), "{missing}");
        assert!(cache.get("../../bin/sh", "a.io").await.is_err());
    }
}
