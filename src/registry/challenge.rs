//! `WWW-Authenticate`: how a registry wants to be asked.
//!
//! Sources: RFC 9110 section 11, and the token authentication specification of CNCF distribution.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// A way to log in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from a token service.
    Bearer {
        /// Address of the token service.
        realm: String,
        /// Name by which the token service knows the registry.
        service: Option<String>,
        /// What the token is to be for.
        scope: Option<String>,
    },
}

impl Challenge {
    /// What holds for every repository of the host: scopes of single ones are left out.
    pub(super) fn general(self) -> Self {
        let Self::Bearer { realm, service, scope } = self else { return self };
        let others = scope.as_deref().unwrap_or_default().split_ascii_whitespace().filter(|scope| !scope.starts_with("repository:"));
        let others = others.collect::<Vec<_>>().join(" ");
        Self::Bearer { realm, service, scope: Some(others).filter(|others| !others.is_empty()) }
    }
}

/// Longest header that is looked at.
const LONGEST: usize = 8 << 10;

/// The challenge that is answered: a token where one is offered, else user and password.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let mut basic = None;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let Ok(text) = value.to_str() else { continue };
        for challenge in parse(text.get(..LONGEST.min(text.len())).unwrap_or_default()) {
            match challenge {
                Challenge::Bearer { .. } => return Some(challenge),
                Challenge::Basic => basic = Some(challenge),
            }
        }
    }
    basic
}

/// All challenges of one header value that are understood.
fn parse(text: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            // Something that is no challenge; go on behind the next comma.
            match rest.find(',') {
                Some(comma) => rest = &rest[comma..],
                None => break,
            }
            continue;
        }
        let behind = after.trim_start_matches([' ', '\t']);
        match behind.strip_prefix('=').filter(|value| !value.starts_with('=')) {
            // `name=value` belongs to the challenge before it.
            Some(value) => {
                let (value, after) = parameter(value.trim_start_matches([' ', '\t']));
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            None => {
                found.push((word.to_ascii_lowercase(), Vec::new()));
                rest = behind;
            }
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| understood(&scheme, &parameters)).collect()
}

fn understood(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let get = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).filter(|value| !value.is_empty());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") }),
        _ => None,
    }
}

fn token(text: &str) -> (&str, &str) {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// A quoted string or a bare value, and what is behind it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(Into::into), scope: scope.map(Into::into) }
    }

    #[test]
    fn real_headers_are_read() {
        for (text, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
                vec![bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:library/nginx:pull"))],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            (r#"basic"#, vec![Challenge::Basic]),
            (
                r#"Bearer realm="https://r/t", service="s", scope="repository:a:pull,push repository:b:pull", error="invalid_token""#,
                vec![bearer("https://r/t", Some("s"), Some("repository:a:pull,push repository:b:pull"))],
            ),
            (r#"Basic realm="a, b", Bearer realm=https://r/t , service=s"#, vec![Challenge::Basic, bearer("https://r/t", Some("s"), None)]),
            (r#"Negotiate abc==, Basic realm="x""#, vec![Challenge::Basic]),
            (r#"BEARER REALM = "https://r/\"t""#, vec![bearer("https://r/\"t", None, None)]),
            (r#"Bearer service="s""#, vec![]),
            (r#"Bearer realm="unclosed"#, vec![bearer("unclosed", None, None)]),
            ("", vec![]),
            (",,= \"", vec![]),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_token_is_preferred_wherever_it_is_offered() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=\"x\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer realm=\"https://r/t\"".parse().unwrap());
        assert_eq!(read(&headers), Some(bearer("https://r/t", None, None)));
        assert_eq!(read(&HeaderMap::new()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_or_hangs(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
