//! `Link`: where the next page is (RFC 8288).

use http::HeaderMap;
use http::header::LINK;

/// There is a link that cannot be read: it could lead to the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The target of the first link whose relation is `next`, as it is written.
pub(super) fn next(headers: &HeaderMap) -> Result<Option<String>, Unreadable> {
    for value in headers.get_all(LINK) {
        if let Some(next) = next_of(value.to_str().map_err(|_| Unreadable)?)? {
            return Ok(Some(next));
        }
    }
    Ok(None)
}

fn next_of(mut text: &str) -> Result<Option<String>, Unreadable> {
    while let Some(open) = text.find('<') {
        let (target, rest) = text[open + 1..].split_once('>').ok_or(Unreadable)?;
        let end = end_of_parameters(rest);
        let (parameters, others) = rest.split_at(end);
        if parameters.split(';').any(is_next) {
            return Ok(Some(target.trim().to_owned()));
        }
        text = others;
    }
    Ok(None)
}

/// Parameters end at the first comma outside quotes.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    let comma = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    comma.unwrap_or(text.len())
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        for (text, expected) in [
            (r#"</v2/a/referrers/sha256:x?last=1&n=2>; rel="next""#, Some("/v2/a/referrers/sha256:x?last=1&n=2")),
            ("</a,b>;rel=next", Some("/a,b")),
            (r#"</a>; title="x, y"; rel="prev", </b>; REL="last next""#, Some("/b")),
            (r#"</a>; rel="prev""#, None),
            (r#"</a>; rel="nextish""#, None),
            ("", None),
        ] {
            assert_eq!(next_of(text), Ok(expected.map(str::to_owned)), "{text}");
        }
        for broken in ["</a", "</a; rel=next", r#"</a>; rel="prev", </b; rel=next"#] {
            assert_eq!(next_of(broken), Err(Unreadable), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = next_of(&text);
        }
    }
}
